/*
 * binding.c
 *		The validator's work: functions are bound to modules when they are made.
 *
 * A body "name#export" is resolved once, by the search path of whoever creates
 * the function; what is stored is "schema.name#export", and an edge in
 * pg_depend from the function to the module.  A dump restores under an empty
 * search path, and a name resolved at run time could be hijacked by one.
 *
 * Locks: who binds holds the module in share mode until the transaction ends,
 * who replaces it in exclusive mode; so a replacement sees every function that
 * it might break.
 */
#include "postgres.h"

#include "catalog/binding.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/body.h"
#include "catalog/dependency.h"
#include "catalog/function.h"
#include "catalog/identity.h"
#include "catalog/indexing.h"
#include "catalog/module.h"
#include "catalog/namespace.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_proc.h"
#include "compat.h"
#include "engine/compile.h"
#include "engine/encoding.h"
#include "host/host.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* --- dependencies --- */

/* OIDs of the functions with an edge in pg_depend to a module. */
static List *
edges_to(Oid module)
{
	Relation	rel = table_open(DependRelationId, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	List	   *oids = NIL;

	ScanKeyInit(&keys[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(ProcedureRelationId));
	ScanKeyInit(&keys[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(module));
	scan = systable_beginscan(rel, DependReferenceIndexId, true, NULL, 2, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend form = (Form_pg_depend) GETSTRUCT(tuple);

		if (form->classid == ProcedureRelationId && form->deptype == DEPENDENCY_NORMAL)
			oids = list_append_unique_oid(oids, form->objid);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return oids;
}

/* Is this function bound to a module, by its language and body? */
static bool
read_bound(Oid oid, PgwProc *proc, PgwBody *body)
{
	return pgw_proc_read(oid, PGW_SOURCE_HEAD, proc) &&
		proc->language == pgw_language_oid() && !pgw_proc_is_module(proc) &&
		pgw_body_try_parse(proc->source, proc->whole, body) &&
		body->kind == PGW_BODY_REFERENCE;
}

/* Does this reference mean that module, by its qualified name? */
static bool
refers_to(const PgwBody *body, const PgwProc *module)
{
	List	   *parts = pgw_body_try_module_name(body->name);

	return list_length(parts) == 2 &&
		strcmp(strVal(linitial(parts)), get_namespace_name(module->schema)) == 0 &&
		strcmp(strVal(lsecond(parts)), NameStr(module->name)) == 0;
}

/* An edge alone is no proof: a default expression that calls the module makes one too. */
List *
pgw_binding_dependents(const PgwProc *module)
{
	List	   *oids = NIL;
	ListCell   *cell;

	foreach(cell, edges_to(module->oid))
	{
		PgwProc		proc;
		PgwBody		body;

		if (read_bound(lfirst_oid(cell), &proc, &body) && refers_to(&body, module))
			oids = lappend_oid(oids, proc.oid);
	}
	return oids;
}

static void
record_edge(Oid function, Oid module)
{
	ObjectAddress depender;
	ObjectAddress referenced;

	if (list_member_oid(edges_to(module), function))
		return;
	ObjectAddressSet(depender, ProcedureRelationId, function);
	ObjectAddressSet(referenced, ProcedureRelationId, module);
	recordDependencyOn(&depender, &referenced, DEPENDENCY_NORMAL);
}

/*
 * A dependent can keep the module's owner from replacing and dropping it: not
 * everybody may become one.
 */
static bool
may_depend(Oid owner, const PgwProc *module)
{
	return pgw_proc_execute_check(module, owner) == ACLCHECK_OK;
}

/* --- lists of functions --- */

typedef struct ListRequest
{
	Oid			language;
	Oid			module_type;
	bool		modules;
	List	   *oids;
} ListRequest;

static bool
list_visitor(HeapTuple tuple, void *data)
{
	ListRequest *request = data;
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(tuple);

	if (form->prolang == request->language &&
		(form->prorettype == request->module_type) == request->modules)
		request->oids = lappend_oid(request->oids, form->oid);
	return true;
}

List *
pgw_binding_list(bool modules)
{
	ListRequest request = {pgw_language_oid(), pgw_module_type(), modules, NIL};

	pgw_proc_visit(NULL, list_visitor, &request);
	return request.oids;
}

/* --- canonical bodies --- */

static char *
canonical_reference(const PgwProc *proc, const PgwBody *body, const PgwProc *module)
{
	return psprintf("%.*s%s#%s", (int) body->header_length, body->header,
					pgw_proc_qualified_name(module),
					pgw_body_export(body, NameStr(proc->name)));
}

static void
rewrite(const PgwProc *proc, const char *source)
{
	PgwProcChange change = {.source = source};

	if (strcmp(proc->source, source) != 0)
		pgw_proc_update(proc->oid, &change);
}

/*
 * May the validator write?  Anybody may call it; only the command that creates
 * or replaces the function may be followed by a change of its row.
 */
static bool
may_write(const PgwProc *proc)
{
	return has_privs_of_role(GetUserId(), proc->owner) &&
		TransactionIdIsCurrentTransactionId(proc->xmin);
}

/*
 * The body with the lines that identify its bytes, which large binaries carry;
 * those that came with it are checked.  Returns NULL when nothing is to be
 * added.
 */
static char *
identified_body(const PgwBody *body)
{
	StringInfoData text;
	size_t		length;
	char	   *bytes;
	PgwDigest	digest;
	char	   *sha256;
	char	   *id;

	/* also where nothing else looks at them: they must be readable */
	bytes = pgw_body_bytes(body, &length);
	if (length <= PGW_IDENTITY_LENGTH &&
		body->sha256 == NULL && body->id == NULL)
		return NULL;
	digest = pgw_digest(bytes, length);
	sha256 = pgw_digest_text(&digest);
	id = pgw_module_id_text(bytes, length);
	pfree(bytes);
	if ((body->sha256 != NULL && strcmp(body->sha256, sha256) != 0) ||
		(body->id != NULL && strcmp(body->id, id) != 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("identity of a WebAssembly module does not match its bytes"),
				 errdetail("The bytes have the SHA-256 digest %s and the id %s.", sha256, id),
				 errhint("Leave the lines \";; sha256:\" and \";; id:\" out: they are added.")));
	if (body->sha256 != NULL && body->id != NULL)
		return NULL;

	initStringInfo(&text);
	appendBinaryStringInfo(&text, body->header, body->header_length);
	if (body->sha256 == NULL)
		appendStringInfo(&text, ";; sha256: %s\n", sha256);
	if (body->id == NULL)
		appendStringInfo(&text, ";; id: %s\n", id);
	appendBinaryStringInfo(&text, body->content, body->length);
	return text.data;
}

/* --- functions --- */

/*
 * Finds the module of a reference and locks it against being dropped and
 * replaced; false when it does not exist and need not.  Who has no right to
 * the module gets no lock either: it could be held for long.
 */
static bool
find_and_lock(const PgwProc *proc, const char *name, PgwProc *module)
{
	Oid			locked = InvalidOid;

	for (;;)
	{
		if (!pgw_module_find(name, !check_function_bodies, module))
			return false;
		if (check_function_bodies)
		{
			pgw_module_check_schema(module, proc->owner);
			pgw_module_check_execute(module, proc->owner);
		}
		if (module->oid == locked || !may_depend(proc->owner, module))
			return true;
		if (OidIsValid(locked))
			UnlockDatabaseObject(ProcedureRelationId, locked, 0, AccessShareLock);
		LockDatabaseObject(ProcedureRelationId, module->oid, 0, AccessShareLock);
		locked = module->oid;
	}
}

/* Checks that a function's export exists in the code and fits its signature. */
static void
check_export(const PgwProc *proc, const PgwBody *body, const PgwProc *holder, bool inlined)
{
	PgwCode    *code = pgw_module_code(holder);
	PgwPlan		plan;

	PG_TRY();
	{
		pgw_host_check(code);
		pgw_function_plan(proc, code, pgw_function_export(proc, body, code, inlined ? NULL : holder), &plan);
	}
	PG_FINALLY();
	{
		pgw_code_release(code);
	}
	PG_END_TRY();
}

static void
validate_reference(const PgwProc *proc, const PgwBody *body)
{
	PgwProc		module;

	if (!find_and_lock(proc, body->name, &module))
		return;
	if (check_function_bodies)
		check_export(proc, body, &module, false);
	if (!may_write(proc))
		return;
	rewrite(proc, canonical_reference(proc, body, &module));
	if (may_depend(proc->owner, &module))
		record_edge(proc->oid, module.oid);
}

/* Would a header line with this value be read back as it is? */
static bool
fits_header(const char *value)
{
	size_t		length = strlen(value);

	return strpbrk(value, "\r\n") == NULL && *value != ' ' && value[length - 1] != ' ';
}

/* Checks a function that has a module of its own; fixes the export that it calls by its name. */
static void
validate_inline(const PgwProc *proc, const PgwBody *body)
{
	PgwCode    *code;
	const PgwExtern *only;
	int			nfunctions;

	identified_body(body);
	if (!check_function_bodies)
		return;
	if (body->length > PGW_INLINE_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("inline body of a WebAssembly function is too large"),
				 errdetail("It may have %d bytes; this one has %zu.", PGW_INLINE_MAX, body->length),
				 errhint("Make a module with wasm.create_module and refer to its export.")));
	check_export(proc, body, proc, true);
	code = pgw_module_code(proc);
	nfunctions = pgw_code_functions(code, &only);
	pgw_code_release(code);
	if (nfunctions > 1 && body->header_export == NULL && fits_header(NameStr(proc->name)) && may_write(proc))
		rewrite(proc, psprintf("%.*s;; export: %s\n%.*s",
							   (int) body->header_length, body->header, NameStr(proc->name),
							   (int) body->length, body->content));
}

static void
validate_function(const PgwProc *proc, const PgwBody *body)
{
	if (proc->kind == PROKIND_WINDOW)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("WebAssembly functions cannot be window functions")));
	if (body->kind == PGW_BODY_REFERENCE)
		validate_reference(proc, body);
	else
		validate_inline(proc, body);
}

/* --- modules --- */

static void
check_module_signature(const PgwProc *proc)
{
	if (proc->nargs > 0 || proc->has_out || proc->retset || proc->kind != PROKIND_FUNCTION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("a WebAssembly module is a function without arguments that returns one wasm.module")));
}

typedef struct NamesakeRequest
{
	Oid			module_type;
	Oid			found;
} NamesakeRequest;

static bool
namesake_visitor(HeapTuple tuple, void *data)
{
	NamesakeRequest *request = data;
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(tuple);

	/* of temporary functions only their own session knows */
	if (form->prorettype == request->module_type || isAnyTempNamespace(form->pronamespace))
		return true;
	request->found = form->oid;
	return false;
}

/*
 * Whoever calls a function makes the system cache read all rows of its name:
 * with a module among them, the whole module, in every session.
 */
static void
check_namesakes(const PgwProc *proc)
{
	NamesakeRequest request = {pgw_module_type(), InvalidOid};

	pgw_proc_visit(NameStr(proc->name), namesake_visitor, &request);
	if (OidIsValid(request.found))
	{
		PgwProc		other;

		pgw_proc_read(request.found, PGW_SOURCE_HEAD, &other);
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_FUNCTION),
				 errmsg("a WebAssembly module cannot have the name of another function"),
				 errdetail("There is a function %s; each session that calls it would read the whole module into its memory.",
						   pgw_proc_signature(&other)),
				 errhint("Choose a name that no function has.")));
	}
}

/* Why a function does not work with new code of its module; NULL when it does. */
static char *
breakage(const PgwProc *proc, const PgwBody *body, const PgwCode *code)
{
	const char *name = pgw_body_export(body, NameStr(proc->name));
	const PgwExtern *export = pgw_code_export(code, name);
	PgwSignature signature;
	PgwPlan		plan;

	if (export == NULL)
		return psprintf("The new module has no exported function \"%s\".", pgw_shown_name(name));
	pgw_function_signature(proc, &signature);
	if (!pgw_plan_make(&plan, &signature, code, export))
		return psprintf("The function's SQL signature is %s; the new export \"%s\" has the type %s.",
						pgw_signature_text(&signature), pgw_shown_name(name), pgw_extern_type(export));
	if (proc->retset && !proc->is_table && !pgw_plan_has_set(&plan))
		return psprintf("The function returns a set; the new export \"%s\" has the type %s.",
						pgw_shown_name(name), pgw_extern_type(export));
	return NULL;
}

/* Refuses new code that breaks a function bound to the module. */
static void
check_dependents(const PgwProc *module, PgwCode *code)
{
	ListCell   *cell;

	foreach(cell, pgw_binding_dependents(module))
	{
		PgwProc		proc;
		PgwBody		body;
		char	   *reason;

		pgw_host_check(code);
		if (!read_bound(lfirst_oid(cell), &proc, &body) ||
			(reason = breakage(&proc, &body, code)) == NULL)
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot replace WebAssembly module %s because function %s depends on it",
						pgw_proc_qualified_name(module), pgw_proc_signature(&proc)),
				 errdetail("%s", reason),
				 errhint("Drop the function first, or export what it needs.")));
	}
}

static void
check_module_code(const PgwProc *proc)
{
	PgwCode    *code = pgw_module_code(proc);

	PG_TRY();
	{
		LockDatabaseObject(ProcedureRelationId, proc->oid, 0, AccessExclusiveLock);
		check_dependents(proc, code);
	}
	PG_FINALLY();
	{
		pgw_code_release(code);
	}
	PG_END_TRY();
}

/*
 * Functions that were made before their module, which check_function_bodies =
 * off allows, are tied to it when it comes.  What PUBLIC may do does not count:
 * wasm.create_module takes that back once the module exists.
 */
static void
adopt_orphans(const PgwProc *module)
{
	List	   *known = edges_to(module->oid);
	PgwProc		private = *module;
	ListCell   *cell;

	private.acl = pgw_proc_acl_without_public(module);

	foreach(cell, pgw_binding_list(false))
	{
		PgwProc		proc;
		PgwBody		body;

		if (!list_member_oid(known, lfirst_oid(cell)) &&
			read_bound(lfirst_oid(cell), &proc, &body) &&
			refers_to(&body, module) &&
			may_depend(proc.owner, &private))
			record_edge(proc.oid, module->oid);
	}
}

static void
validate_module(const PgwProc *proc, const PgwBody *body)
{
	char	   *identified;

	check_module_signature(proc);
	if (body->kind == PGW_BODY_REFERENCE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("body of a WebAssembly module must be the module itself"),
				 errhint("Write the text form, which starts with \"(\", or \"\\x\" and hex digits.")));
	identified = identified_body(body);
	if (check_function_bodies)
	{
		if (!proc->replaced)
			check_namesakes(proc);
		check_module_code(proc);
	}
	if (!may_write(proc))
		return;
	if (identified != NULL)
		rewrite(proc, identified);
	adopt_orphans(proc);
}

/* --- entry points --- */

/* Before anything looks at the bytes; also where they are not compiled. */
static void
check_size(const PgwProc *proc, const PgwBody *body)
{
	PgwLimits	own = pgw_module_limits(proc);
	PgwLimits	limits = pgw_limits_effective(&own);

	if (body->kind == PGW_BODY_BINARY)
		pgw_compile_check_size(body->length / 2 - 1, &limits);
	else if (body->kind == PGW_BODY_WAT)
		pgw_compile_check_size(body->length, &limits);
}

/*
 * Header and reference must lie in what PGW_SOURCE_HEAD reads, with the lines
 * that may be added here: what is checked must be what a call will see.
 */
static void
check_head(const PgwProc *proc, const PgwBody *body)
{
	size_t		length = body->kind == PGW_BODY_REFERENCE ?
		proc->source_length : body->content - proc->source;

	if (length > PGW_HEADER_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("comments at the head of a WebAssembly function are too long"),
				 errdetail("Up to the module, or to the end of a reference, there may be %d bytes.",
						   PGW_HEADER_MAX)));
}

void
pgw_binding_validate(Oid oid)
{
	PgwProc		proc;
	PgwBody		body;

	if (!pgw_proc_read(oid, PGW_SOURCE_WHOLE, &proc))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("function with OID %u does not exist", oid)));
	if (proc.language != pgw_language_oid() ||
		pgw_language_aclcheck(proc.language, GetUserId(), ACL_USAGE) != ACLCHECK_OK ||
		pgw_proc_execute_check(&proc, GetUserId()) != ACLCHECK_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to validate function %s", pgw_proc_signature(&proc))));
	pgw_body_parse(proc.source, true, &body);
	check_head(&proc, &body);
	check_size(&proc, &body);
	if (pgw_proc_is_module(&proc))
		validate_module(&proc, &body);
	else
		validate_function(&proc, &body);
}

/*
 * The body of what is bound to a module that has another name now refers to
 * none; what only has an edge refers to another one.
 */
void
pgw_binding_follow(Oid module_oid)
{
	PgwProc		module;
	ListCell   *cell;

	if (!pgw_proc_read(module_oid, PGW_SOURCE_HEAD, &module) || !pgw_proc_is_module(&module))
		return;
	foreach(cell, edges_to(module_oid))
	{
		PgwProc		proc;
		PgwProc		other;
		PgwBody		body;

		if (read_bound(lfirst_oid(cell), &proc, &body) &&
			list_length(pgw_body_try_module_name(body.name)) == 2 &&
			!pgw_module_find(body.name, true, &other))
			rewrite(&proc, canonical_reference(&proc, &body, &module));
	}
}

void
pgw_binding_follow_all(Oid schema)
{
	ListCell   *cell;

	foreach(cell, pgw_binding_list(true))
	{
		PgwProc		module;

		if (pgw_proc_read(lfirst_oid(cell), PGW_SOURCE_HEAD, &module) &&
			(!OidIsValid(schema) || module.schema == schema))
			pgw_binding_follow(module.oid);
	}
}
