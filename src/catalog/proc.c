/*
 * proc.c
 *		Rows of pg_proc, read without the system caches.
 *
 * Bodies are read while the scan is open: its snapshot keeps their TOAST chunks
 * from being vacuumed away.
 */
#include "postgres.h"

#include "catalog/proc.h"

#include "access/detoast.h"
#include "access/genam.h"
#include "access/table.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/proclang.h"
#include "compat.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

Oid
pgw_language_oid(void)
{
	return get_language_oid("wasm", true);
}

Oid
pgw_module_type(void)
{
	Oid			schema = get_namespace_oid("wasm", true);

	if (!OidIsValid(schema))
		return InvalidOid;
	return GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
						   CStringGetDatum("module"), ObjectIdGetDatum(schema));
}

/* A column as a Datum; 0 when it is NULL. */
static Datum
column(HeapTuple tuple, TupleDesc desc, int attnum)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, attnum, desc, &isnull);

	return isnull ? (Datum) 0 : value;
}

static void
read_modes(HeapTuple tuple, TupleDesc desc, PgwProc *proc)
{
	Datum		datum = column(tuple, desc, Anum_pg_proc_proargmodes);
	ArrayType  *modes;
	char	   *mode;

	if (datum == 0)
		return;
	modes = DatumGetArrayTypeP(datum);
	mode = (char *) ARR_DATA_PTR(modes);
	for (int i = 0; i < ARR_DIMS(modes)[0]; i++)
	{
		if (mode[i] == PROARGMODE_TABLE)
			proc->is_table = true;
		if (mode[i] == PROARGMODE_OUT || mode[i] == PROARGMODE_INOUT || mode[i] == PROARGMODE_TABLE)
			proc->has_out = true;
	}
}

static void
read_source(HeapTuple tuple, TupleDesc desc, PgwProcSource what, PgwProc *proc)
{
	Datum		datum = column(tuple, desc, Anum_pg_proc_prosrc);
	struct varlena *text;

	proc->source_length = toast_raw_datum_size(datum) - VARHDRSZ;
	proc->whole = what == PGW_SOURCE_WHOLE || proc->source_length <= PGW_HEAD_LENGTH;
	if (proc->whole)
		text = pg_detoast_datum_packed((struct varlena *) DatumGetPointer(datum));
	else
		text = pg_detoast_datum_slice((struct varlena *) DatumGetPointer(datum), 0, PGW_HEAD_LENGTH);
	proc->source = pnstrdup(VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text));
	if ((Pointer) text != DatumGetPointer(datum))
		pfree(text);
}

static void
read_row(HeapTuple tuple, TupleDesc desc, PgwProcSource source, PgwProc *proc)
{
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(tuple);
	Datum		acl = column(tuple, desc, Anum_pg_proc_proacl);
	Datum		config = column(tuple, desc, Anum_pg_proc_proconfig);

	memset(proc, 0, sizeof(PgwProc));
	proc->oid = form->oid;
	proc->name = form->proname;
	proc->schema = form->pronamespace;
	proc->owner = form->proowner;
	proc->language = form->prolang;
	proc->rettype = form->prorettype;
	proc->kind = form->prokind;
	proc->volatility = form->provolatile;
	proc->retset = form->proretset;
	proc->strict = form->proisstrict;
	proc->replaced = (tuple->t_data->t_infomask & HEAP_UPDATED) != 0;
	proc->nargs = form->pronargs;
	proc->argtypes = palloc(Max(proc->nargs, 1) * sizeof(Oid));
	memcpy(proc->argtypes, form->proargtypes.values, proc->nargs * sizeof(Oid));
	proc->acl = acl ? DatumGetAclPCopy(acl) : NULL;
	proc->config = config ? PointerGetDatum(PG_DETOAST_DATUM_COPY(config)) : (Datum) 0;
	proc->xmin = HeapTupleHeaderGetXmin(tuple->t_data);
	read_modes(tuple, desc, proc);
	read_source(tuple, desc, source, proc);
}

bool
pgw_proc_read(Oid oid, PgwProcSource source, PgwProc *proc)
{
	Relation	rel = table_open(ProcedureRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_proc_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(oid));
	scan = systable_beginscan(rel, ProcedureOidIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		read_row(tuple, RelationGetDescr(rel), source, proc);
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return HeapTupleIsValid(tuple);
}

Oid
pgw_proc_find_nullary(const char *name, Oid schema)
{
	Relation	rel = table_open(ProcedureRelationId, AccessShareLock);
	oidvector  *none = buildoidvector(NULL, 0);
	ScanKeyData keys[3];
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			oid = InvalidOid;

	ScanKeyInit(&keys[0], Anum_pg_proc_proname, BTEqualStrategyNumber, F_NAMEEQ,
				CStringGetDatum(name));
	ScanKeyInit(&keys[1], Anum_pg_proc_proargtypes, BTEqualStrategyNumber, F_OIDVECTOREQ,
				PointerGetDatum(none));
	ScanKeyInit(&keys[2], Anum_pg_proc_pronamespace, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(schema));
	scan = systable_beginscan(rel, ProcedureNameArgsNspIndexId, true, NULL, 3, keys);
	if (HeapTupleIsValid(tuple = systable_getnext(scan)))
		oid = ((Form_pg_proc) GETSTRUCT(tuple))->oid;
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return oid;
}

void
pgw_proc_visit(const char *name, PgwProcVisitor visit, void *data)
{
	Relation	rel = table_open(ProcedureRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	if (name != NULL)
		ScanKeyInit(&key, Anum_pg_proc_proname, BTEqualStrategyNumber, F_NAMEEQ,
					CStringGetDatum(name));
	scan = systable_beginscan(rel, ProcedureNameArgsNspIndexId, name != NULL, NULL,
							  name != NULL ? 1 : 0, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		if (!visit(tuple, data))
			break;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
}

bool
pgw_proc_is_module(const PgwProc *proc)
{
	/* a type of PostgreSQL's own is none of an extension, which saves two lookups */
	return proc->rettype >= FirstNormalObjectId &&
		proc->rettype == pgw_module_type() && proc->language == pgw_language_oid();
}

Acl *
pgw_proc_acl_without_public(const PgwProc *proc)
{
	Acl		   *acl = proc->acl ? proc->acl : acldefault(OBJECT_FUNCTION, proc->owner);
	AclItem		item;

	item.ai_grantee = ACL_ID_PUBLIC;
	item.ai_grantor = proc->owner;
	ACLITEM_SET_PRIVS_GOPTIONS(item, ACL_EXECUTE, ACL_NO_RIGHTS);
	return aclupdate(acl, &item, ACL_MODECHG_DEL, proc->owner, DROP_RESTRICT);
}

AclResult
pgw_proc_execute_check(const PgwProc *proc, Oid role)
{
	const Acl  *acl = proc->acl;

	if (superuser_arg(role))
		return ACLCHECK_OK;
	if (acl == NULL)
		acl = acldefault(OBJECT_FUNCTION, proc->owner);
	return aclmask(acl, role, proc->owner, ACL_EXECUTE, ACLMASK_ANY) ? ACLCHECK_OK : ACLCHECK_NO_PRIV;
}

AclResult
pgw_proc_schema_check(const PgwProc *proc, Oid role)
{
	return pgw_schema_aclcheck(proc->schema, role, ACL_USAGE);
}

void
pgw_proc_update(Oid oid, const PgwProcChange *change)
{
	Relation	rel = table_open(ProcedureRelationId, RowExclusiveLock);
	Datum		values[Natts_pg_proc] = {0};
	bool		nulls[Natts_pg_proc] = {0};
	bool		replaces[Natts_pg_proc] = {0};
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	old;
	HeapTuple	new;

	if (change->source != NULL)
	{
		values[Anum_pg_proc_prosrc - 1] = CStringGetTextDatum(change->source);
		replaces[Anum_pg_proc_prosrc - 1] = true;
	}
	if (change->acl != NULL)
	{
		values[Anum_pg_proc_proacl - 1] = PointerGetDatum(change->acl);
		replaces[Anum_pg_proc_proacl - 1] = true;
	}
	if (change->set_config)
	{
		values[Anum_pg_proc_proconfig - 1] = change->config;
		nulls[Anum_pg_proc_proconfig - 1] = change->config == 0;
		replaces[Anum_pg_proc_proconfig - 1] = true;
	}

	ScanKeyInit(&key, Anum_pg_proc_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(oid));
	scan = systable_beginscan(rel, ProcedureOidIndexId, true, NULL, 1, &key);
	old = systable_getnext(scan);
	if (!HeapTupleIsValid(old))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("function with OID %u does not exist", oid)));
	new = heap_modify_tuple(old, RelationGetDescr(rel), values, nulls, replaces);
	CatalogTupleUpdate(rel, &new->t_self, new);
	systable_endscan(scan);
	table_close(rel, RowExclusiveLock);
	CommandCounterIncrement();
}

char *
pgw_proc_qualified_name(const PgwProc *proc)
{
	return quote_qualified_identifier(get_namespace_name(proc->schema), NameStr(proc->name));
}

char *
pgw_proc_signature(const PgwProc *proc)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "%s(", pgw_proc_qualified_name(proc));
	for (int i = 0; i < proc->nargs; i++)
		appendStringInfo(&text, "%s%s", i > 0 ? ", " : "", format_type_be(proc->argtypes[i]));
	appendStringInfoChar(&text, ')');
	return text.data;
}
