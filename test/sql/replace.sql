-- Modules and functions that are replaced.
CREATE SCHEMA replace;
SET search_path = replace, public;

CREATE FUNCTION m() RETURNS wasm.module LANGUAGE wasm AS
	'(module (func (export "f") (result i32) (i32.const 1)) (func (export "unused")))';
CREATE FUNCTION f() RETURNS integer LANGUAGE wasm AS 'm';
SELECT f();

-- case: new code is called at once
CREATE OR REPLACE FUNCTION m() RETURNS wasm.module LANGUAGE wasm AS
	'(module (func (export "f") (result i32) (i32.const 2)) (func (export "unused")))';
SELECT f();

-- case: what calls a function through a cache of its own gets the new code too
CREATE TABLE t (a integer CHECK (a >= f()), b integer DEFAULT f());
CREATE FUNCTION via_plpgsql() RETURNS integer LANGUAGE plpgsql AS 'BEGIN RETURN f(); END';
PREPARE p AS SELECT f();
INSERT INTO t VALUES (2);
SELECT via_plpgsql();
EXECUTE p;
CREATE OR REPLACE FUNCTION m() RETURNS wasm.module LANGUAGE wasm AS
	'(module (func (export "f") (result i32) (i32.const 3)) (func (export "unused")))';
INSERT INTO t VALUES (2);
\echo :LAST_ERROR_SQLSTATE
INSERT INTO t VALUES (3);
SELECT b FROM t ORDER BY b;
SELECT via_plpgsql();
EXECUTE p;

-- case: an open cursor goes on with the new code
BEGIN;
DECLARE c CURSOR FOR SELECT f() FROM generate_series(1, 3);
FETCH 1 FROM c;
CREATE OR REPLACE FUNCTION m() RETURNS wasm.module LANGUAGE wasm AS
	'(module (func (export "f") (result i32) (i32.const 4)))';
FETCH 1 FROM c;
ROLLBACK;

-- case: a replacement that is rolled back
BEGIN;
CREATE OR REPLACE FUNCTION m() RETURNS wasm.module LANGUAGE wasm AS
	'(module (func (export "f") (result i32) (i32.const 4)))';
SELECT f();
SAVEPOINT s;
CREATE OR REPLACE FUNCTION m() RETURNS wasm.module LANGUAGE wasm AS
	'(module (func (export "f") (result i32) (i32.const 5)))';
SELECT f();
ROLLBACK TO s;
SELECT f();
ROLLBACK;
SELECT f();

-- case: exports that nobody uses may go
CREATE OR REPLACE FUNCTION m() RETURNS wasm.module LANGUAGE wasm AS
	'(module (func (export "f") (result i32) (i32.const 6)))';
SELECT f();

-- case: an export that is used may not go
CREATE OR REPLACE FUNCTION m() RETURNS wasm.module LANGUAGE wasm AS '(module (func (export "g") (result i32) (i32.const 7)))';
\echo :LAST_ERROR_SQLSTATE
SELECT f();

-- case: nor change its type
CREATE OR REPLACE FUNCTION m() RETURNS wasm.module LANGUAGE wasm AS
	'(module (func (export "f") (param i64) (result i32) (i32.const 7)))';
\echo :LAST_ERROR_SQLSTATE
CREATE OR REPLACE FUNCTION m() RETURNS wasm.module LANGUAGE wasm AS
	'(module (global (export "f") i32 (i32.const 7)))';
SELECT f();

-- case: nor may the module import what nobody provides
CREATE OR REPLACE FUNCTION m() RETURNS wasm.module LANGUAGE wasm AS
	'(module (import "env" "log" (func)) (func (export "f") (result i32) (i32.const 7)))';
\echo :LAST_ERROR_SQLSTATE

-- case: nor be something else than a module
CREATE OR REPLACE FUNCTION m() RETURNS wasm.module LANGUAGE wasm AS '(module nonsense)';
CREATE OR REPLACE FUNCTION m() RETURNS bytea LANGUAGE wasm AS '(module (func (export "f") (result v128) (v128.const i32x4 1 2 3 4)))';
\echo :LAST_ERROR_SQLSTATE
SELECT f();

-- case: the function of a user with another type than the export's own is checked too
CREATE FUNCTION as_bool() RETURNS boolean LANGUAGE wasm AS 'm#f';
CREATE OR REPLACE FUNCTION m() RETURNS wasm.module LANGUAGE wasm AS
	'(module (func (export "f") (result i32) (i32.const 1)))';
SELECT f(), as_bool();
DROP FUNCTION as_bool();

-- case: with check_function_bodies off it is not checked; the call fails
BEGIN;
SET LOCAL check_function_bodies = off;
CREATE OR REPLACE FUNCTION m() RETURNS wasm.module LANGUAGE wasm AS '(module)';
SELECT f();
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
SELECT f();

-- case: what CREATE OR REPLACE keeps, and that it drops the SET clauses
CREATE ROLE regress_wasm_replace;
COMMENT ON FUNCTION m() IS 'a module';
GRANT EXECUTE ON FUNCTION m() TO regress_wasm_replace;
ALTER FUNCTION m() SET wasm.memory_limit = '1MB';
ALTER FUNCTION m() OWNER TO regress_wasm_replace;
SELECT 'm'::regproc::oid AS before \gset
CREATE VIEW shown AS SELECT oid, proowner::regrole AS owner, proacl AS grants, proconfig AS settings,
	obj_description(oid, 'pg_proc') AS comment FROM pg_proc WHERE oid = 'replace.m'::regproc;
SELECT oid = :before AS same_oid, replace(owner::text, current_user, 'me') AS owner,
	replace(grants::text, current_user, 'me') AS grants, settings, comment FROM shown;
CREATE OR REPLACE FUNCTION m() RETURNS wasm.module LANGUAGE wasm AS
	'(module (func (export "f") (result i32) (i32.const 7)))';
SELECT oid = :before AS same_oid, replace(owner::text, current_user, 'me') AS owner,
	replace(grants::text, current_user, 'me') AS grants, settings, comment FROM shown;
SELECT f();

-- case: wasm.create_module with replace keeps those too
ALTER FUNCTION m() SET wasm.memory_limit = '1MB';
SELECT wasm.create_module('m', '(module (func (export "f") (result i32) (i32.const 8)))', replace => true);
SELECT oid = :before AS same_oid, replace(owner::text, current_user, 'me') AS owner,
	replace(grants::text, current_user, 'me') AS grants, settings, comment FROM shown;
SELECT f();
SELECT pg_get_functiondef('m'::regproc);

-- case: wasm.create_module without replace refuses
SELECT wasm.create_module('m', '(module)');
\echo :LAST_ERROR_SQLSTATE

-- case: wasm.create_module with replace checks the functions
SELECT wasm.create_module('m', '(module)', replace => true);
\echo :LAST_ERROR_SQLSTATE
SELECT f();

-- case: wasm.create_module with replace where there is nothing yet
SELECT wasm.create_module('fresh', '(module)', replace => true);
SELECT replace(proacl::text, current_user, 'me') FROM pg_proc WHERE oid = 'fresh'::regproc;

-- case: wasm.create_module does not replace what is no module
CREATE FUNCTION plain() RETURNS integer LANGUAGE sql AS 'SELECT 1';
SELECT wasm.create_module('plain', '(module)', replace => true);
\echo :LAST_ERROR_SQLSTATE
SELECT plain();

-- case: only its owner replaces a module
GRANT USAGE ON LANGUAGE wasm TO regress_wasm_replace;
GRANT USAGE, CREATE ON SCHEMA replace TO regress_wasm_replace;
SET ROLE regress_wasm_replace;
SELECT wasm.create_module('fresh', '(module)', replace => true);
\echo :LAST_ERROR_SQLSTATE
SELECT wasm.create_module('m', '(module (func (export "f") (result i32) (i32.const 9)))', replace => true);
RESET ROLE;
SELECT f();

-- case: a function that is replaced
CREATE FUNCTION g() RETURNS integer LANGUAGE wasm AS 'm#f';
SELECT g();
CREATE OR REPLACE FUNCTION g() RETURNS integer LANGUAGE wasm AS '(module (func (export "x") (result i32) (i32.const 10)))';
SELECT g();
CREATE OR REPLACE FUNCTION g() RETURNS integer LANGUAGE sql AS 'SELECT 11';
SELECT g();
CREATE OR REPLACE FUNCTION g() RETURNS integer LANGUAGE wasm AS 'm#f';
SELECT g();

-- case: a function whose module is replaced, and which is dropped, while its result is tested
CREATE FUNCTION r() RETURNS wasm.module LANGUAGE wasm AS
	'(module (func (export "f") (param i32) (result i32) (local.get 0)))';
CREATE FUNCTION test(integer) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	CREATE OR REPLACE FUNCTION replace.r() RETURNS wasm.module LANGUAGE wasm AS
		'(module (func (export "f") (param i32) (result i32) (i32.const 77)))';
	RETURN true;
END
$$;
CREATE DOMAIN tested_integer AS integer CHECK (test(VALUE));
CREATE FUNCTION tested(integer) RETURNS tested_integer LANGUAGE wasm AS 'r#f';
SELECT tested(1), tested(2);
CREATE OR REPLACE FUNCTION test(integer) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	DROP FUNCTION replace.tested(integer);
	RETURN true;
END
$$;
SELECT tested(1);
SELECT tested(1);

-- case: many modules in one session
DO $$
DECLARE
	total integer := 0;
BEGIN
	FOR i IN 1 .. 300 LOOP
		EXECUTE format('CREATE OR REPLACE FUNCTION replace.many() RETURNS integer LANGUAGE wasm AS
			''(module (memory 1) (func (export "f") (result i32) (i32.const %s)))''', i);
		total := total + replace.many();
	END LOOP;
	RAISE NOTICE '%', total;
END
$$;

-- case: a module that becomes a function of another language, with functions on it
CREATE OR REPLACE FUNCTION m() RETURNS wasm.module LANGUAGE sql AS $$SELECT '\x0061736d01000000'::bytea$$;
SELECT f();
\echo :LAST_ERROR_SQLSTATE

SET client_min_messages = warning;
DROP SCHEMA replace CASCADE;
REVOKE USAGE ON LANGUAGE wasm FROM regress_wasm_replace;
DROP ROLE regress_wasm_replace;
RESET client_min_messages;
