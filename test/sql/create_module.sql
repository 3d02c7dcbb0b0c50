-- wasm.create_module, wasm.validate, wasm.module_id and wasm.version.
CREATE SCHEMA create_module;
SET search_path = create_module, public;

-- case: a binary module
SELECT wasm.create_module('binary', '\x0061736d010000000105016000017f03020100070701036f6e6500000a0601040041010b'), pg_typeof(wasm.create_module('typed', '(module)'));
SELECT "binary"();

-- case: a text module
SELECT wasm.create_module('textual', '(module (func (export "one") (result i32) (i32.const 1)))');
CREATE FUNCTION one() RETURNS integer LANGUAGE wasm AS 'textual#one';
SELECT one(), convert_from(textual(), 'UTF8');

-- case: a text with comments at the head; they are left out, for they would be taken for ours
SELECT wasm.create_module('commented', convert_to(E'\n;; id: not an id\n;; export: nothing\n(module)', 'UTF8'));
SELECT prosrc FROM pg_proc WHERE oid = 'commented'::regproc;

-- case: a text that is not ASCII
SELECT wasm.create_module('utf8', convert_to('(module (func (export "Größe") (result i32) (i32.const 2)))', 'UTF8'));
CREATE FUNCTION groesse() RETURNS integer LANGUAGE wasm AS 'utf8#Größe';
SELECT groesse();

-- case: what it creates
SELECT prorettype::regtype, provolatile, proparallel, proisstrict, prosecdef, procost, obj_description(oid, 'pg_proc') AS comment,
	replace(proacl::text, current_user, 'me') AS proacl
FROM pg_proc WHERE oid = 'textual'::regproc;

-- case: a qualified name, and one that needs quotes
CREATE SCHEMA "create module 2";
SELECT wasm.create_module('"create module 2"."M#1"', '(module)');
SELECT wasm.create_module('CREATE_MODULE.Folded', '(module)');

-- case: names that are none, too long, or in no schema
SELECT wasm.create_module('a.b.c', '(module)');
\echo :LAST_ERROR_SQLSTATE
SELECT wasm.create_module('', '(module)');
\echo :LAST_ERROR_SQLSTATE
SELECT wasm.create_module('two words', '(module)');
SELECT wasm.create_module('no_schema.m', '(module)');
\echo :LAST_ERROR_SQLSTATE
SELECT wasm.create_module('pg_temp.m', '(module)') IS NOT NULL AS created;
SELECT wasm.create_module(repeat('n', 63), '(module)') IS NOT NULL AS created;

-- case: NULL in, NULL out
SELECT wasm.create_module(NULL, '(module)') IS NULL AS a, wasm.create_module('m', NULL) IS NULL AS b,
	wasm.create_module('m', '(module)', NULL) IS NULL AS c, wasm.validate(NULL) IS NULL AS d, wasm.module_id(NULL) IS NULL AS e;

-- case: bytes that are no module
SELECT wasm.create_module('bad', '');
\echo :LAST_ERROR_SQLSTATE
SELECT wasm.create_module('bad', '\x0061736d');
\echo :LAST_ERROR_SQLSTATE
SELECT wasm.create_module('bad', '(module nonsense)');
\echo :LAST_ERROR_SQLSTATE
SELECT wasm.create_module('bad', '(module (memory i64 1))');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM pg_proc WHERE proname = 'bad' AND pronamespace = 'create_module'::regnamespace;

-- case: a text that is not UTF-8, and one with a zero byte
\set VERBOSITY sqlstate
SELECT wasm.create_module('bad', '(module (func (export "'::bytea || '\xff'::bytea || '")))'::bytea);
SELECT wasm.create_module('zero', '(module)'::bytea || '\x00'::bytea || 'rubbish'::bytea);
\set VERBOSITY default

-- case: the name of a function that exists
SELECT wasm.create_module('one', '(module)');
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION with_argument(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
SELECT wasm.create_module('with_argument', '(module)');
\echo :LAST_ERROR_SQLSTATE

-- case: a module may import; its functions cannot be bound
SELECT wasm.create_module('importing', '(module (import "env" "log" (func)) (func (export "f")))');
CREATE FUNCTION f() RETURNS void LANGUAGE wasm AS 'importing#f';
\echo :LAST_ERROR_SQLSTATE

-- case: an event trigger sees the commands
CREATE FUNCTION seen() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE
	c record;
BEGIN
	FOR c IN SELECT * FROM pg_event_trigger_ddl_commands() LOOP
		RAISE NOTICE '% %', c.command_tag, c.object_identity;
	END LOOP;
END
$$;
CREATE EVENT TRIGGER regress_wasm_seen ON ddl_command_end EXECUTE FUNCTION seen();
SELECT wasm.create_module('observed', '(module)');
SELECT wasm.create_functions('textual', prefix => 'observed_');
DROP EVENT TRIGGER regress_wasm_seen;

-- case: wasm.validate
SELECT wasm.validate('\x0061736d01000000'), wasm.validate('(module)'), wasm.validate(one.m)
FROM (SELECT '\x0061736d010000000105016000017f03020100070701036f6e6500000a0601040041010b'::bytea AS m) AS one;
SELECT wasm.validate(''), wasm.validate('garbage'), wasm.validate('\x00'), wasm.validate('\x0061736d02000000'),
	wasm.validate('(module nonsense)'), wasm.validate('(module (func (result i32)))'), wasm.validate('(');
SELECT wasm.validate('(module (memory i64 1))'), wasm.validate('(module (memory 1) (memory 1))'),
	wasm.validate('(component)'), wasm.validate('\x0061736d0d000100');
SELECT wasm.validate('(module (import "env" "log" (func)))');

-- case: wasm.validate of every prefix of a module
SELECT n FROM generate_series(0, 36) AS n WHERE wasm.validate(substr('\x0061736d010000000105016000017f03020100070701036f6e6500000a0601040041010b'::bytea, 1, n)) ORDER BY n;

-- case: wasm.module_id
SELECT wasm.module_id('\x0061736d01000000');
SELECT wasm.module_id(string_agg(decode(lpad(to_hex(i % 256), 2, '0'), 'hex'), '' ORDER BY i))
FROM generate_series(0, 5 * 256 - 1) AS i;
SELECT wasm.module_id(''), wasm.module_id('(module)');
SELECT wasm.module_id(textual()) = wasm.module_id('(module (func (export "one") (result i32) (i32.const 1)))') AS same;

-- case: wasm.version
SELECT wasm.version() ~ '^wasm [0-9]+\.[0-9]+\.[0-9]+, Wasmtime [0-9]+\.[0-9]+\.[0-9]+$' AS version;
SELECT split_part(split_part(wasm.version(), ',', 1), ' ', 2) = extversion AS same FROM pg_extension WHERE extname = 'wasm';

-- case: every object of the extension has a comment
SELECT pg_describe_object(classid, objid, objsubid) FROM pg_depend
WHERE refclassid = 'pg_extension'::regclass AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'wasm') AND deptype = 'e'
	AND obj_description(objid, classid::regclass::name) IS NULL AND shobj_description(objid, classid::regclass::name) IS NULL;

SET client_min_messages = warning;
DROP SCHEMA create_module, "create module 2" CASCADE;
RESET client_min_messages;
