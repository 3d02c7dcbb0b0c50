/*
 * classic.c
 *		The functions of wasmer-postgres: wasm_init() and wasm_new_instance().
 */
#include "postgres.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalog/binding.h"
#include "catalog/body.h"
#include "catalog/function.h"
#include "catalog/generate.h"
#include "catalog/module.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "compat.h"
#include "engine/code.h"
#include "fmgr.h"
#include "host/host.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "values/value.h"

PGW_SQL_FUNCTION(pgw_classic_init);
PGW_SQL_FUNCTION(pgw_classic_new_instance);

/* Files above this are refused before they are read. */
#define PGW_FILE_MAX (64 * 1024 * 1024)

/* As wasmer-postgres made its functions: nothing is promised to the planner. */
static const PgwAttributes classic_attributes = {true, "volatile", "unsafe"};

/* --- wasm_init --- */

/*
 * True when path is the library in use.  Says nothing about other paths, or it
 * would tell anybody which files exist.
 */
Datum
pgw_classic_init(PG_FUNCTION_ARGS)
{
	char	   *path = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char		installed[MAXPGPATH];
	char		real_installed[PATH_MAX];
	char		real_path[PATH_MAX];

	snprintf(installed, sizeof(installed), "%s/wasm%s", pkglib_path, DLSUFFIX);
	if (strcmp(path, installed) == 0)
		PG_RETURN_BOOL(true);
	if (has_privs_of_role(GetUserId(), ROLE_PG_READ_SERVER_FILES) &&
		realpath(installed, real_installed) != NULL &&
		realpath(path, real_path) != NULL &&
		strcmp(real_path, real_installed) == 0)
		PG_RETURN_BOOL(true);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the library of the extension wasm is not at the given path"),
			 errhint("CREATE EXTENSION wasm is all that it takes: wasm_init need not be called.")));
}

/* --- reading a file --- */

static void
check_path(const char *path)
{
	if (!has_privs_of_role(GetUserId(), ROLE_PG_READ_SERVER_FILES))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to load a WebAssembly module from a file of the server"),
				 errdetail("Only roles with the privileges of \"%s\" may do that.", "pg_read_server_files"),
				 errhint("Load a file of the client with tools/wasm-load or wasm.create_module.")));
	if (!is_absolute_path(path))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("path of a WebAssembly module must be absolute"),
				 errdetail("\"%s\" is relative.", path)));
	for (const char *c = path; *c != '\0'; c++)
	{
		if ((unsigned char) *c < 0x20 || *c == 0x7f)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("path of a WebAssembly module must not contain control characters")));
	}
}

static void pg_attribute_noreturn()
cannot_read(const char *path)
{
	int			saved = errno;
	struct passwd *user = getpwuid(geteuid());

	errno = saved;
	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not read file \"%s\": %m", path),
			 saved == EACCES || saved == ENOENT ?
			 errhint("The server reads its own file system, as the user \"%s\"; tools/wasm-load loads a file of the client.",
					 user ? user->pw_name : "postgres") : 0));
}

static void
check_file(const char *path, const struct stat *status)
{
	if (!S_ISREG(status->st_mode))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a regular file", path)));
	if (status->st_size > PGW_FILE_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("file \"%s\" is too large for a WebAssembly module", path),
				 errdetail("It has %lld bytes; %d are allowed.",
						   (long long) status->st_size, PGW_FILE_MAX)));
}

/* The content of a regular file; palloc'd. */
static char *
read_module_file(const char *path, size_t *length)
{
	int			fd;
	struct stat status;
	char	   *bytes;
	size_t		done = 0;

	/* without blocking: opening a FIFO would wait for a writer */
	fd = OpenTransientFile(path, O_RDONLY | O_NONBLOCK | PG_BINARY);
	if (fd < 0 || fstat(fd, &status) != 0)
		cannot_read(path);
	check_file(path, &status);
	bytes = palloc(status.st_size + 1);
	while (done < status.st_size)
	{
		ssize_t		n = read(fd, bytes + done, status.st_size - done);

		if (n < 0)
			cannot_read(path);
		if (n == 0)
			break;
		done += n;
	}
	CloseTransientFile(fd);
	*length = done;
	return bytes;
}

/* --- wasm_new_instance --- */

typedef struct Load
{
	PgwDeclarer declarer;
	const char *schema;
	const char *namespace;
	PgwCode    *code;			/* of the file */
	bool		exists;			/* the namespace has a module already */
	List	   *kept;			/* names of generated functions to be replaced */
} Load;

static void
check_namespace(const char *namespace)
{
	if (*namespace == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("namespace of a WebAssembly instance must not be empty")));
	if (strlen(namespace) >= NAMEDATALEN)
		ereport(ERROR,
				(errcode(ERRCODE_NAME_TOO_LONG),
				 errmsg("namespace \"%s\" is too long", namespace),
				 errdetail("It may have %d bytes.", NAMEDATALEN - 1)));
}

/*
 * Drops what an earlier load generated and this one does not; remembers what it
 * replaces.  Functions that users bound to the module are not touched.
 */
static void
drop_outdated(Load *load, const PgwProc *module)
{
	List	   *outdated = NIL;
	ListCell   *cell;

	foreach(cell, pgw_binding_dependents(module))
	{
		PgwProc    *proc = palloc(sizeof(PgwProc));
		PgwBody		body;
		const PgwExtern *export;

		if (!pgw_proc_read(lfirst_oid(cell), PGW_SOURCE_HEAD, proc) ||
			!pgw_body_try_parse(proc->source, proc->whole, &body))
			continue;
		if (!body.generated || body.export == NULL ||
			strncmp(NameStr(proc->name), load->declarer.prefix, strlen(load->declarer.prefix)) != 0 ||
			strcmp(get_namespace_name(proc->schema), load->schema) != 0)
			continue;
		export = pgw_code_export(load->code, body.export);
		if (export != NULL && strcmp(pgw_declare_name(&load->declarer, export), NameStr(proc->name)) == 0 &&
			pgw_generate_is_same(&load->declarer, proc, export))
			load->kept = lappend(load->kept, pstrdup(NameStr(proc->name)));
		else
			outdated = lappend(outdated, proc);
	}
	pgw_generate_drop(outdated);
}

/* Reads the module that the namespace has already; false when it has none. */
static bool
existing_module(const Load *load, PgwProc *module)
{
	Oid			oid = pgw_proc_find_nullary(load->namespace, get_namespace_oid(load->schema, false));

	if (!OidIsValid(oid) || !pgw_proc_read(oid, PGW_SOURCE_HEAD, module))
		return false;
	if (!pgw_proc_is_module(module))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_FUNCTION),
				 errmsg("function %s already exists and is not a WebAssembly module",
						pgw_proc_signature(module)),
				 errhint("Choose another namespace.")));
	return true;
}

static bool
is_kept(const Load *load, const char *name)
{
	ListCell   *cell;

	foreach(cell, load->kept)
	{
		if (strcmp(lfirst(cell), name) == 0)
			return true;
	}
	return false;
}

static void
create_functions(Load *load)
{
	for (int i = 0; i < load->code->nexports; i++)
	{
		const PgwExtern *export = &load->code->exports[i];
		char	   *name;
		const char *obstacle;

		if (export->kind != PGW_EXTERN_FUNCTION)
			continue;
		name = pgw_declare_name(&load->declarer, export);
		obstacle = pgw_declare_obstacle(&load->declarer, export, name);
		if (obstacle != NULL)
			pgw_generate_skip(export, obstacle);
		else
			pgw_generate_function(&load->declarer, name, export,
								  psprintf(";; generated\n%s#%s",
										   quote_qualified_identifier(load->schema, load->namespace),
										   export->name),
								  &classic_attributes, is_kept(load, name));
	}
}

static void
load_instance(Load *load, const char *path, const char *bytes, size_t length)
{
	PgwProc		module;
	bool		exists = existing_module(load, &module);

	pgw_host_check(load->code);
	if (exists)
		drop_outdated(load, &module);
	pgw_generate_module(load->schema, load->namespace, bytes, length, path, exists);
	create_functions(load);
}

Datum
pgw_classic_new_instance(PG_FUNCTION_ARGS)
{
	char	   *path = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Load		load = {.namespace = text_to_cstring(PG_GETARG_TEXT_PP(1))};
	char	   *bytes;
	size_t		length;
	PgwProc		module;

	if (pgw_language_aclcheck(pgw_language_oid(), GetUserId(), ACL_USAGE) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_LANGUAGE, "wasm");
	check_path(path);
	check_namespace(load.namespace);
	load.schema = pgw_creation_schema();
	bytes = read_module_file(path, &length);
	load.code = pgw_code_compile(bytes, length, &pgw_session_limits);
	load.declarer = (PgwDeclarer) {load.code, load.schema, psprintf("%s_", load.namespace)};
	PG_TRY();
	{
		load_instance(&load, path, bytes, length);
	}
	PG_FINALLY();
	{
		pgw_code_release(load.code);
	}
	PG_END_TRY();
	pgw_proc_read(pgw_proc_find_nullary(load.namespace, get_namespace_oid(load.schema, false)),
				  PGW_SOURCE_HEAD, &module);
	PG_RETURN_TEXT_P(cstring_to_text(pgw_module_identity(&module)));
}
