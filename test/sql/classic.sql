-- The classic API: wasm_init and wasm_new_instance.
CREATE SCHEMA classic;
SET search_path = classic, public;

-- Writes a module to a file of the server, and gives its path.
CREATE FUNCTION file(name text, module bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	path text := current_setting('data_directory') || '/wasm_regress_' || name;
	lo oid := lo_from_bytea(0, module);
BEGIN
	PERFORM lo_export(lo, path);
	PERFORM lo_unlink(lo);
	RETURN path;
END
$$;
-- The functions of the schema with their bodies; no path is printed.
CREATE FUNCTION functions(namespace text) RETURNS TABLE (function text, result text, source text) LANGUAGE sql AS $$
	SELECT oid::regprocedure::text, pg_get_function_result(oid),
		regexp_replace(replace(prosrc, current_setting('data_directory'), 'DATA'), '\\x.*', 'HEX')
	FROM pg_proc WHERE pronamespace = 'classic'::regnamespace AND prolang = (SELECT oid FROM pg_language WHERE lanname = 'wasm')
		AND starts_with(proname, namespace)
	ORDER BY 1
$$;
-- examples/simple.wasm: (module (func (export "sum") (param i32 i32) (result i32)
--	(i32.add (local.get 0) (local.get 1))) (memory (export "memory") 2)), as clang made it
SELECT file('simple.wasm', '\x0061736d0100000001070160027f7f017f0302010004050170010101050301000206080'
	'17f01418088040b071002066d656d6f727902000373756d00000a09010700200120006a0b0021046e616d65010601000373'
	'756d071201000f5f5f737461636b5f706f696e746572002d0970726f64756365727301'
	'0c70726f6365737365642d6279010c44656269616e20636c616e670631342e302e36') AS simple \gset

-- case: a file is loaded
SELECT wasm_new_instance(:'simple', 'ns');

-- case: its functions are called
SELECT ns_sum(1, 2);

-- case: what was created
SELECT * FROM functions('ns');
SELECT proname, provolatile, proparallel, prosecdef, proisstrict, procost, obj_description(oid, 'pg_proc') AS comment
FROM pg_proc WHERE oid IN ('ns'::regproc, 'ns_sum'::regproc) ORDER BY proname;

-- case: df+ of a function
CREATE ROLE regress_wasm_classic;
GRANT USAGE ON LANGUAGE wasm TO regress_wasm_classic;
GRANT USAGE, CREATE ON SCHEMA classic TO regress_wasm_classic;
GRANT pg_read_server_files TO regress_wasm_classic;
BEGIN;
DROP FUNCTION ns, ns_sum;
SET LOCAL ROLE regress_wasm_classic;
SELECT wasm_new_instance(:'simple', 'ns');
\x
\df+ ns_sum
\x
ROLLBACK;
DROP OWNED BY regress_wasm_classic;
REVOKE pg_read_server_files FROM regress_wasm_classic;
DROP ROLE regress_wasm_classic;

-- case: the instances and exported functions
\x
SELECT id, replace(wasm_file, current_setting('data_directory'), 'DATA') AS wasm_file FROM wasm.instances WHERE wasm_file = :'simple';
SELECT * FROM wasm.exported_functions WHERE name LIKE 'ns%';
\x

-- case: NULL in, NULL out
SELECT ns_sum(1, NULL) IS NULL AS is_null;
SELECT wasm_new_instance(NULL, 'ns') IS NULL AS a, wasm_new_instance(:'simple', NULL) IS NULL AS b,
	wasm_init(NULL) IS NULL AS c;

-- case: the same file under two namespaces
SELECT wasm_new_instance(:'simple', 'second');
SELECT ns_sum(3, 4), second_sum(5, 6);
SELECT count(*) FROM wasm.instances WHERE wasm_file = :'simple';
SELECT * FROM wasm.exported_functions WHERE name IN ('ns_sum', 'second_sum') ORDER BY name;

-- case: the same file under the same namespace again
SELECT 'ns_sum'::regproc::oid AS before \gset
SELECT wasm_new_instance(:'simple', 'ns');
SELECT 'ns_sum'::regproc::oid = :before AS same_oid, ns_sum(1, 2);
SELECT * FROM functions('ns');

-- case: loaded, called and rolled back in one transaction
BEGIN;
SELECT wasm_new_instance(:'simple', 'rolled');
SELECT rolled_sum(1, 2);
ROLLBACK;
SELECT rolled_sum(1, 2);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM functions('rolled');
SELECT wasm_new_instance(:'simple', 'rolled');
SELECT rolled_sum(2, 2);

-- case: the same namespace with another signature
SELECT file('changed.wat', '(module (func (export "sum") (param i64 i64) (result i64) (i64.add (local.get 0) (local.get 1)))
	(func (export "pair") (result i32 f64) (i32.const 1) (f64.const 2.5)) (func (export "nothing")))') AS changed \gset
SELECT wasm_new_instance(:'changed', 'ns');
SELECT * FROM functions('ns');
SELECT ns_sum(4294967296, 1), ns_pair();
SELECT * FROM ns_pair();

-- case: exports that are gone are dropped
SELECT wasm_new_instance(:'simple', 'ns');
SELECT * FROM functions('ns');

-- case: unless something uses them
CREATE VIEW uses_sum AS SELECT ns_sum(1, 2) AS sum;
SELECT wasm_new_instance(:'changed', 'ns');
\echo :LAST_ERROR_SQLSTATE
SELECT sum FROM uses_sum;
SELECT * FROM functions('ns');

-- case: a view on a function whose signature stays is kept
SELECT file('other.wat', '(module (func (export "sum") (param i32 i32) (result i32) (i32.mul (local.get 0) (local.get 1))))')
	AS other \gset
SELECT wasm_new_instance(:'other', 'ns');
SELECT ns_sum(3, 4), (SELECT sum FROM uses_sum);
DROP VIEW uses_sum;

-- case: functions that users bound to the module themselves block what breaks them
CREATE FUNCTION my_sum(integer, integer) RETURNS integer LANGUAGE wasm AS 'ns#sum';
CREATE FUNCTION ns_my_sum(integer, integer) RETURNS integer LANGUAGE wasm AS 'ns#sum';
SELECT wasm_new_instance(:'changed', 'ns');
\echo :LAST_ERROR_SQLSTATE
SELECT ns_sum(3, 4), my_sum(3, 4);
SELECT wasm_new_instance(:'simple', 'ns');
SELECT ns_sum(3, 4), my_sum(3, 4), ns_my_sum(3, 4);
DROP FUNCTION my_sum, ns_my_sum;

-- case: a function of a user under the name of one to be generated
CREATE FUNCTION user_sum(integer, integer) RETURNS integer LANGUAGE sql AS 'SELECT 0';
SELECT wasm_new_instance(:'simple', 'user');
\echo :LAST_ERROR_SQLSTATE
SELECT user_sum(1, 2);
SELECT * FROM functions('user');
DROP FUNCTION user_sum;

-- case: a function under the name of the namespace
CREATE FUNCTION taken() RETURNS integer LANGUAGE sql AS 'SELECT 0';
SELECT wasm_new_instance(:'simple', 'taken');
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION taken_args(integer) RETURNS integer LANGUAGE sql AS 'SELECT 0';
SELECT wasm_new_instance(:'simple', 'taken_args');
\echo :LAST_ERROR_SQLSTATE

-- case: a generated function that was dropped comes back
DROP FUNCTION ns_sum;
SELECT wasm_new_instance(:'simple', 'ns');
SELECT ns_sum(5, 5);

-- case: a generated function that a user replaced is his
CREATE OR REPLACE FUNCTION ns_sum(integer, integer) RETURNS integer LANGUAGE sql AS 'SELECT -1';
SELECT wasm_new_instance(:'other', 'ns');
\echo :LAST_ERROR_SQLSTATE
SELECT ns_sum(5, 5);
DROP FUNCTION ns_sum;
SELECT wasm_new_instance(:'simple', 'ns');

-- case: two namespaces whose functions would have one name
SELECT file('one.wat', '(module (func (export "b_c") (result i32) (i32.const 1)))') AS one \gset
SELECT file('two.wat', '(module (func (export "c") (result i32) (i32.const 2)))') AS two \gset
SELECT wasm_new_instance(:'one', 'a') IS NOT NULL AS loaded;
SELECT wasm_new_instance(:'two', 'a_b') IS NOT NULL AS loaded;
\echo :LAST_ERROR_SQLSTATE
SELECT a_b_c();

-- case: settings and grants of the module are kept
ALTER FUNCTION ns() SET wasm.memory_limit = '1MB';
COMMENT ON FUNCTION ns_sum(integer, integer) IS 'a sum';
GRANT EXECUTE ON FUNCTION ns() TO pg_monitor;
SELECT wasm_new_instance(:'other', 'ns');
SELECT proconfig, replace(proacl::text, current_user, 'me') AS proacl, obj_description('ns_sum'::regproc, 'pg_proc')
FROM pg_proc WHERE oid = 'ns'::regproc;

-- case: an ordinary role has no rights on the module
SELECT replace(proacl::text, current_user, 'me') AS proacl FROM pg_proc WHERE oid = 'second'::regproc;

-- case: namespaces that need quotes
SELECT wasm_new_instance(:'simple', 'Na Me"#1.');
SELECT "Na Me""#1._sum"(7, 8);
SELECT * FROM functions('Na');
SELECT wasm_new_instance(:'simple', 'Na Me"#1.');
SELECT wasm_new_instance(:'simple', 'select');
SELECT select_sum(8, 9);
SELECT name FROM wasm.exported_functions WHERE name IN ('Na Me"#1._sum', 'select_sum') ORDER BY name;

-- case: exports that need quotes
SELECT file('quotes.wat', convert_to('(module (func (export "a\22b c") (result i32) (i32.const 1))
	(func (export "A#.b") (result i32) (i32.const 2)) (func (export "") (result i32) (i32.const 3))
	(func (export "Größe") (result i32) (i32.const 4)) (func (export " both ends ") (result i32) (i32.const 5)))', 'UTF8')) AS quotes \gset
SET client_min_messages = warning;
SELECT wasm_new_instance(:'quotes', 'q') IS NOT NULL AS loaded;
RESET client_min_messages;
SELECT "q_a""b c"(), "q_A#.b"(), q_(), "q_Größe"();

-- case: names over 63 bytes are skipped
SELECT file('long.wat', convert_to(format('(module (func (export "%s") (result i32) (i32.const 1))
	(func (export "%s") (result i32) (i32.const 2)) (func (export "%s") (result i32) (i32.const 3)))',
	repeat('a', 59), repeat('a', 60), repeat('ä', 31)), 'UTF8')) AS long \gset
SELECT wasm_new_instance(:'long', 'lng') IS NOT NULL AS loaded;
SELECT function FROM functions('lng');
SELECT wasm_new_instance(:'simple', repeat('n', 63)) IS NOT NULL AS loaded;
SELECT wasm_new_instance(:'simple', repeat('n', 64));
\echo :LAST_ERROR_SQLSTATE
SELECT wasm_new_instance(:'simple', '');
\echo :LAST_ERROR_SQLSTATE

-- case: exports that are no functions are passed over in silence
SELECT file('kinds.wat', '(module (memory (export "memory") 1) (global (export "global") i32 (i32.const 1))
	(table (export "table") 1 funcref) (func (export "f") (result i32) (i32.const 1)))') AS kinds \gset
SELECT wasm_new_instance(:'kinds', 'kinds') IS NOT NULL AS loaded;
SELECT function FROM functions('kinds');

-- case: exports with references are skipped
SELECT file('refs.wat', '(module (func (export "takes") (param externref)) (func (export "gives") (result funcref) (ref.null func))
	(func (export "f") (result i32) (i32.const 1)))') AS refs \gset
SELECT wasm_new_instance(:'refs', 'refs') IS NOT NULL AS loaded;
SELECT function FROM functions('refs');

-- case: every type
SELECT file('types.wat', '(module (func (export "f") (param i32 i64 f32 f64 v128) (result i64) (local.get 1))
	(func (export "g") (result v128) (v128.const i32x4 1 2 3 4)) (func (export "h")))') AS types \gset
SELECT wasm_new_instance(:'types', 'types') IS NOT NULL AS loaded;
SELECT function, result FROM functions('types_');
SELECT types_f(1, 2, 3, 4, 5), types_g();

-- case: the functions are made in the first schema of the search path
CREATE SCHEMA classic_second;
SET search_path = classic_second, classic, public;
SELECT wasm_new_instance(:'simple', 'ns') IS NOT NULL AS loaded;
SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'classic_second'::regnamespace ORDER BY 1;
SELECT classic.ns_sum(3, 4), ns_sum(3, 4);
SET search_path = '';
SELECT public.wasm_new_instance(:'simple', 'ns');
\echo :LAST_ERROR_SQLSTATE
SET search_path = classic, public;

-- case: relative paths, control characters, other kinds of files
SELECT wasm_new_instance('simple.wasm', 'bad');
\echo :LAST_ERROR_SQLSTATE
SELECT wasm_new_instance('', 'bad');
\echo :LAST_ERROR_SQLSTATE
SELECT wasm_new_instance(E'/tmp/a\nb', 'bad');
\echo :LAST_ERROR_SQLSTATE
SELECT wasm_new_instance(E'/tmp/a\x7f', 'bad');
SELECT wasm_new_instance('/', 'bad');
\echo :LAST_ERROR_SQLSTATE
SELECT wasm_new_instance('/dev/null', 'bad');
\echo :LAST_ERROR_SQLSTATE

-- case: a file that does not exist
\set VERBOSITY sqlstate
SELECT wasm_new_instance('/no/such/file.wasm', 'bad');
\set VERBOSITY default
\echo :LAST_ERROR_MESSAGE
CREATE FUNCTION hint(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE command;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN regexp_replace(hint, 'user "[^"]*"', 'user "somebody"');
END
$$;
SELECT hint($$SELECT wasm_new_instance('/no/such/file.wasm', 'bad')$$);

-- case: a file that is no module
SELECT file('garbage', 'garbage') AS garbage \gset
SELECT file('empty', '') AS empty \gset
SELECT file('importing.wat', '(module (import "env" "log" (func)) (func (export "f") (result i32) (i32.const 1)))') AS importing \gset
\set VERBOSITY sqlstate
SELECT wasm_new_instance(:'garbage', 'bad');
SELECT wasm_new_instance(:'empty', 'bad');
\set VERBOSITY default
SELECT wasm_new_instance(:'importing', 'bad');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM functions('bad');

-- case: the id of the 8 bytes of the empty module
SELECT file('module', '\x0061736d01000000') AS module \gset
SELECT wasm_new_instance(:'module', 'nothing');

-- case: a file is compiled once, in the mode in which its functions run
SET wasm.interruption = epoch;
SELECT file('once', convert_to('(module (func (export "one") (result i32) (i32.const 41001)))', 'UTF8')) AS once \gset
SELECT wasm_new_instance(:'once', 'once') IS NOT NULL AS made;
SELECT once_one();
SELECT DISTINCT interruption FROM wasm.cache()
	WHERE sha256 = encode(sha256('(module (func (export "one") (result i32) (i32.const 41001)))'), 'hex');
RESET wasm.interruption;

-- case: wasm_init with the library in use
SELECT wasm_init(setting || '/wasm.so') FROM pg_config WHERE name = 'PKGLIBDIR';
SELECT wasm_init(setting || '/./wasm.so') FROM pg_config WHERE name = 'PKGLIBDIR';

-- case: wasm_init with anything else
SELECT wasm_init('/no/such/library.so');
\echo :LAST_ERROR_SQLSTATE
SELECT wasm_init(:'simple');
SELECT wasm_init('');
SELECT wasm_init('wasm.so');

SET client_min_messages = warning;
DROP SCHEMA classic, classic_second CASCADE;
RESET client_min_messages;
