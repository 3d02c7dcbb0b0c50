/* The extension wasm: the language, its functions, and the classic API. */

-- complain if the script is sourced in psql rather than by CREATE EXTENSION
\echo Use "CREATE EXTENSION wasm" to load this file. \quit

CREATE SCHEMA wasm;
COMMENT ON SCHEMA wasm IS 'WebAssembly modules and functions';
GRANT USAGE ON SCHEMA wasm TO PUBLIC;

CREATE DOMAIN wasm.module AS bytea;
COMMENT ON DOMAIN wasm.module IS
	'WebAssembly code, binary or text; a function of LANGUAGE wasm that returns it is a module';

/* The language */

CREATE FUNCTION wasm.call_handler() RETURNS language_handler
	LANGUAGE c AS 'MODULE_PATHNAME', 'pgw_call_handler';
COMMENT ON FUNCTION wasm.call_handler() IS 'call handler of LANGUAGE wasm';

CREATE FUNCTION wasm.inline_handler(internal) RETURNS void
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'pgw_inline_handler';
COMMENT ON FUNCTION wasm.inline_handler(internal) IS 'runs DO blocks of LANGUAGE wasm';

CREATE FUNCTION wasm.validator(oid) RETURNS void
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'pgw_validator';
COMMENT ON FUNCTION wasm.validator(oid) IS 'checks a function of LANGUAGE wasm and binds it to its module';

REVOKE EXECUTE ON FUNCTION wasm.call_handler() FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION wasm.inline_handler(internal) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION wasm.validator(oid) FROM PUBLIC;

CREATE TRUSTED LANGUAGE wasm
	HANDLER wasm.call_handler
	INLINE wasm.inline_handler
	VALIDATOR wasm.validator;
COMMENT ON LANGUAGE wasm IS 'WebAssembly procedural language';
REVOKE USAGE ON LANGUAGE wasm FROM PUBLIC;

/* Functions keep pointing at a module that is renamed or moved. */

CREATE FUNCTION wasm.follow_modules() RETURNS event_trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'pgw_follow_modules';
COMMENT ON FUNCTION wasm.follow_modules() IS
	'rewrites the bodies of functions whose WebAssembly module was renamed or moved';
REVOKE EXECUTE ON FUNCTION wasm.follow_modules() FROM PUBLIC;

CREATE EVENT TRIGGER wasm_follow_modules ON ddl_command_end
	WHEN TAG IN ('ALTER FUNCTION', 'ALTER ROUTINE', 'ALTER SCHEMA', 'ALTER EXTENSION')
	EXECUTE FUNCTION wasm.follow_modules();
ALTER EVENT TRIGGER wasm_follow_modules ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER wasm_follow_modules IS
	'rewrites the bodies of functions whose WebAssembly module was renamed or moved';

/* Modules and functions */

CREATE FUNCTION wasm.create_module(name text, module bytea, replace boolean DEFAULT false)
	RETURNS regprocedure
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'pgw_create_module';
COMMENT ON FUNCTION wasm.create_module(text, bytea, boolean) IS
	'creates or replaces a WebAssembly module from its bytes, binary or text in UTF-8';

CREATE FUNCTION wasm.create_functions(module text, prefix text DEFAULT '',
									  strict boolean DEFAULT true,
									  volatility text DEFAULT 'volatile',
									  parallel text DEFAULT 'unsafe',
									  replace boolean DEFAULT false)
	RETURNS SETOF regprocedure
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'pgw_create_functions';
COMMENT ON FUNCTION wasm.create_functions(text, text, boolean, text, text, boolean) IS
	'creates a function for each function that a WebAssembly module exports';

CREATE FUNCTION wasm.ddl(module text, prefix text DEFAULT '') RETURNS text
	LANGUAGE c STRICT STABLE AS 'MODULE_PATHNAME', 'pgw_ddl';
COMMENT ON FUNCTION wasm.ddl(text, text) IS
	'the commands that wasm.create_functions executes, for a script';

CREATE FUNCTION wasm.exports(module text, OUT name text, OUT kind text, OUT type text, OUT declaration text)
	RETURNS SETOF record
	LANGUAGE c STRICT STABLE AS 'MODULE_PATHNAME', 'pgw_exports';
COMMENT ON FUNCTION wasm.exports(text) IS
	'lists what a WebAssembly module exports, with the SQL that binds each function';

CREATE FUNCTION wasm.imports(module text, OUT "from" text, OUT name text, OUT kind text, OUT type text)
	RETURNS SETOF record
	LANGUAGE c STRICT STABLE AS 'MODULE_PATHNAME', 'pgw_imports';
COMMENT ON FUNCTION wasm.imports(text) IS 'lists what a WebAssembly module imports';

CREATE FUNCTION wasm.read_memory(module text, address bigint, length integer) RETURNS bytea
	LANGUAGE c STRICT VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'pgw_read_memory';
COMMENT ON FUNCTION wasm.read_memory(text, bigint, integer) IS
	'bytes in the memory of this session''s instance of a WebAssembly module';

CREATE FUNCTION wasm.write_memory(module text, address bigint, bytes bytea) RETURNS void
	LANGUAGE c STRICT VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'pgw_write_memory';
COMMENT ON FUNCTION wasm.write_memory(text, bigint, bytea) IS
	'copies bytes into the memory of this session''s instance of a WebAssembly module';

CREATE FUNCTION wasm.grow_memory(module text, pages integer) RETURNS integer
	LANGUAGE c STRICT VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'pgw_grow_memory';
COMMENT ON FUNCTION wasm.grow_memory(text, integer) IS
	'lets the memory of this session''s instance of a WebAssembly module grow, and returns how many pages it had';

CREATE FUNCTION wasm.get_global(module text, name text) RETURNS numeric
	LANGUAGE c STRICT VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'pgw_get_global';
COMMENT ON FUNCTION wasm.get_global(text, text) IS
	'the value of an exported global in this session''s instance of a WebAssembly module';

CREATE FUNCTION wasm.set_global(module text, name text, value numeric) RETURNS void
	LANGUAGE c STRICT VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'pgw_set_global';
COMMENT ON FUNCTION wasm.set_global(text, text, numeric) IS
	'sets an exported global in this session''s instance of a WebAssembly module';

CREATE FUNCTION wasm.validate(module bytea) RETURNS boolean
	LANGUAGE c STRICT IMMUTABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'pgw_validate';
COMMENT ON FUNCTION wasm.validate(bytea) IS 'tells whether bytes are a valid WebAssembly module';

CREATE FUNCTION wasm.module_id(module bytea) RETURNS uuid
	LANGUAGE c STRICT IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pgw_sql_module_id';
COMMENT ON FUNCTION wasm.module_id(bytea) IS
	'the id of a WebAssembly module by its content, as wasm_new_instance returns it';

CREATE FUNCTION wasm.reset() RETURNS integer
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'pgw_reset';
COMMENT ON FUNCTION wasm.reset() IS
	'drops this session''s WebAssembly instances and returns how many there were';

CREATE FUNCTION wasm.cache(OUT sha256 text, OUT build text, OUT metered boolean, OUT interruption text,
						   OUT bytes bigint, OUT last_used timestamptz, OUT compile_ms integer)
	RETURNS SETOF record
	LANGUAGE c STRICT VOLATILE AS 'MODULE_PATHNAME', 'pgw_cache';
COMMENT ON FUNCTION wasm.cache() IS 'lists the compiled modules that the server keeps on disk';
REVOKE EXECUTE ON FUNCTION wasm.cache() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION wasm.cache() TO pg_monitor;

CREATE FUNCTION wasm.version() RETURNS text
	LANGUAGE c STRICT IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pgw_version';
COMMENT ON FUNCTION wasm.version() IS 'versions of the extension and of its WebAssembly engine';

/* Statistics */

CREATE FUNCTION wasm.stat_counters(modules boolean, OUT object oid, OUT moduleid oid,
								   OUT calls bigint, OUT traps bigint, OUT cancels bigint,
								   OUT instances bigint, OUT memory bigint,
								   OUT compiles bigint, OUT compile_time double precision,
								   OUT cache_hits bigint)
	RETURNS SETOF record
	LANGUAGE c STRICT VOLATILE PARALLEL RESTRICTED ROWS 100 AS 'MODULE_PATHNAME', 'pgw_stat_counters';
COMMENT ON FUNCTION wasm.stat_counters(boolean) IS
	'what wasm.stat_modules, or wasm.stat_functions, is made of';

CREATE VIEW wasm.stat_functions AS
	SELECT p.oid AS funcid, n.nspname AS schemaname, p.proname AS funcname, c.moduleid,
		c.calls,
		pg_catalog.pg_stat_get_function_total_time(p.oid) AS total_time,
		pg_catalog.pg_stat_get_function_self_time(p.oid) AS self_time,
		c.traps, c.cancels
	FROM wasm.stat_counters(false) AS c
		JOIN pg_catalog.pg_proc AS p ON p.oid = c.object
		JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace;
COMMENT ON VIEW wasm.stat_functions IS
	'functions of LANGUAGE wasm that were called: in the cluster when the library is preloaded, else in this session';
COMMENT ON COLUMN wasm.stat_functions.funcid IS 'OID of the function';
COMMENT ON COLUMN wasm.stat_functions.schemaname IS 'schema of the function';
COMMENT ON COLUMN wasm.stat_functions.funcname IS 'name of the function';
COMMENT ON COLUMN wasm.stat_functions.moduleid IS
	'OID of the module that it calls, as in wasm.stat_modules; its own when it holds the module itself';
COMMENT ON COLUMN wasm.stat_functions.calls IS 'calls, failed ones included';
COMMENT ON COLUMN wasm.stat_functions.total_time IS
	'milliseconds in it and in functions that it called, of all sessions; NULL unless track_functions is set';
COMMENT ON COLUMN wasm.stat_functions.self_time IS
	'milliseconds in it alone, of all sessions; NULL unless track_functions is set';
COMMENT ON COLUMN wasm.stat_functions.traps IS 'calls that ended by an error in the guest';
COMMENT ON COLUMN wasm.stat_functions.cancels IS 'calls that a cancel, timeout or termination ended';

CREATE VIEW wasm.stat_modules AS
	SELECT p.oid AS moduleid, n.nspname AS schemaname, p.proname AS modulename,
		c.calls, c.traps, c.cancels, c.instances, c.memory, c.compiles, c.compile_time, c.cache_hits
	FROM wasm.stat_counters(true) AS c
		JOIN pg_catalog.pg_proc AS p ON p.oid = c.object
		JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace;
COMMENT ON VIEW wasm.stat_modules IS
	'modules that were used: in the cluster when the library is preloaded, else in this session';
COMMENT ON COLUMN wasm.stat_modules.moduleid IS 'OID of the function that holds the module';
COMMENT ON COLUMN wasm.stat_modules.schemaname IS 'schema of that function';
COMMENT ON COLUMN wasm.stat_modules.modulename IS 'name of that function';
COMMENT ON COLUMN wasm.stat_modules.calls IS 'calls of its functions, failed ones included';
COMMENT ON COLUMN wasm.stat_modules.traps IS 'calls that ended by an error in the guest';
COMMENT ON COLUMN wasm.stat_modules.cancels IS 'calls that a cancel, timeout or termination ended';
COMMENT ON COLUMN wasm.stat_modules.instances IS 'instances that were made';
COMMENT ON COLUMN wasm.stat_modules.memory IS 'bytes of memory of the instances that live now';
COMMENT ON COLUMN wasm.stat_modules.compiles IS 'how often it was compiled';
COMMENT ON COLUMN wasm.stat_modules.compile_time IS 'milliseconds that took';
COMMENT ON COLUMN wasm.stat_modules.cache_hits IS
	'how often its code was found in the cache and not compiled';
GRANT SELECT ON wasm.stat_functions, wasm.stat_modules TO PUBLIC;

CREATE FUNCTION wasm.stat_reset() RETURNS void
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'pgw_sql_stat_reset';
COMMENT ON FUNCTION wasm.stat_reset() IS
	'sets what wasm.stat_functions and wasm.stat_modules count to zero, but the memory in use';
REVOKE EXECUTE ON FUNCTION wasm.stat_reset() FROM PUBLIC;

/* The classic API, as wasmer-postgres had it */

CREATE FUNCTION wasm_init(library text) RETURNS boolean
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'pgw_classic_init';
COMMENT ON FUNCTION wasm_init(text) IS
	'kept for wasmer-postgres; true when the argument is the path of the library in use';

CREATE FUNCTION wasm_new_instance(wasm_file text, namespace text) RETURNS text
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'pgw_classic_new_instance';
COMMENT ON FUNCTION wasm_new_instance(text, text) IS
	'loads a WebAssembly file of the server and creates a function for each of its exports';

CREATE FUNCTION wasm.fdw_handler() RETURNS fdw_handler
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'pgw_fdw_handler';
COMMENT ON FUNCTION wasm.fdw_handler() IS 'handler of the foreign tables of WebAssembly instances';

CREATE FUNCTION wasm.fdw_validator(text[], oid) RETURNS void
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'pgw_fdw_validator';
COMMENT ON FUNCTION wasm.fdw_validator(text[], oid) IS
	'validator of the foreign tables of WebAssembly instances';

CREATE FOREIGN DATA WRAPPER wasm_instances
	HANDLER wasm.fdw_handler VALIDATOR wasm.fdw_validator OPTIONS (relation 'instances');
COMMENT ON FOREIGN DATA WRAPPER wasm_instances IS 'shows the WebAssembly modules of the database';
CREATE FOREIGN DATA WRAPPER wasm_exported_functions
	HANDLER wasm.fdw_handler VALIDATOR wasm.fdw_validator OPTIONS (relation 'exported_functions');
COMMENT ON FOREIGN DATA WRAPPER wasm_exported_functions IS
	'shows the functions bound to WebAssembly modules';

CREATE SERVER wasm_instances FOREIGN DATA WRAPPER wasm_instances;
COMMENT ON SERVER wasm_instances IS 'this database';
CREATE SERVER wasm_exported_functions FOREIGN DATA WRAPPER wasm_exported_functions;
COMMENT ON SERVER wasm_exported_functions IS 'this database';

IMPORT FOREIGN SCHEMA wasm FROM SERVER wasm_instances INTO wasm;
IMPORT FOREIGN SCHEMA wasm FROM SERVER wasm_exported_functions INTO wasm;

COMMENT ON FOREIGN TABLE wasm.instances IS 'the WebAssembly modules of this database';
COMMENT ON COLUMN wasm.instances.id IS 'id of the module by its content';
COMMENT ON COLUMN wasm.instances.wasm_file IS
	'file that wasm_new_instance read; NULL for a module that came from no file';
COMMENT ON FOREIGN TABLE wasm.exported_functions IS 'the functions bound to WebAssembly modules';
COMMENT ON COLUMN wasm.exported_functions.instance_id IS 'id of the module by its content';
COMMENT ON COLUMN wasm.exported_functions.name IS 'name of the SQL function';
COMMENT ON COLUMN wasm.exported_functions.inputs IS 'SQL types of the arguments, joined by commas';
COMMENT ON COLUMN wasm.exported_functions.outputs IS
	'SQL types of the results, joined by commas; void where there is none';
GRANT SELECT ON wasm.instances, wasm.exported_functions TO PUBLIC;
