/*
 * compat.h
 *		What differs between the supported versions of PostgreSQL.
 *
 * The only place that tests PG_VERSION_NUM.
 */
#ifndef PGW_COMPAT_H
#define PGW_COMPAT_H

#include "postgres.h"

#include "access/sysattr.h"
#include "catalog/pg_language.h"
#include "catalog/pg_namespace.h"
#include "fmgr.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/guc_tables.h"
#include "utils/wait_event.h"

#if PG_VERSION_NUM < 150000
#error "the extension wasm needs PostgreSQL 15 or later"
#endif

#ifdef WORDS_BIGENDIAN
#error "the extension wasm needs a little-endian machine"
#endif

/*
 * Defines an entry point.  The library hides all other symbols, and before
 * PostgreSQL 16 PG_FUNCTION_INFO_V1 does not export the function itself.
 */
#define PGW_SQL_FUNCTION(name) \
	extern PGDLLEXPORT Datum name(PG_FUNCTION_ARGS); \
	PG_FUNCTION_INFO_V1(name)

static inline AclResult
pgw_schema_aclcheck(Oid schema, Oid role, AclMode mode)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(NamespaceRelationId, schema, role, mode);
#else
	return pg_namespace_aclcheck(schema, role, mode);
#endif
}

static inline AclResult
pgw_language_aclcheck(Oid language, Oid role, AclMode mode)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(LanguageRelationId, language, role, mode);
#else
	return pg_language_aclcheck(language, role, mode);
#endif
}

/* What pg_stat_activity shows while a module is compiled */
static inline uint32
pgw_wait_event_compile(void)
{
#if PG_VERSION_NUM >= 170000
	static uint32 event = 0;

	if (event == 0)
		event = WaitEventExtensionNew("WasmCompile");
	return event;
#else
	return PG_WAIT_EXTENSION;
#endif
}

/* The parameter of that name, or the placeholder for it; NULL when there is none */
static inline struct config_generic *
pgw_find_parameter(const char *name)
{
#if PG_VERSION_NUM >= 160000
	return find_option(name, false, true, 0);
#else
	struct config_generic **all = get_guc_variables();

	for (int i = 0; i < GetNumConfigOptions(); i++)
	{
		if (pg_strcasecmp(all[i]->name, name) == 0)
			return all[i];
	}
	return NULL;
#endif
}

#endif							/* PGW_COMPAT_H */
