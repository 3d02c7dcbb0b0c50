-- Functions depend on their modules, which may be dropped, renamed and moved.
CREATE SCHEMA dependencies;
CREATE SCHEMA dependencies_functions;
SET search_path = dependencies, dependencies_functions, public;

CREATE FUNCTION m() RETURNS wasm.module LANGUAGE wasm AS
	'(module (func (export "f") (result i32) (i32.const 1)) (func (export "g") (param i64) (result i64) (local.get 0)))';
CREATE FUNCTION dependencies_functions.f() RETURNS integer LANGUAGE wasm AS 'm';
CREATE FUNCTION dependencies_functions.g(bigint) RETURNS bigint LANGUAGE wasm AS ';; returns its argument
dependencies.m#g';
CREATE FUNCTION sources() RETURNS TABLE (function text, source text) LANGUAGE sql AS $$
	SELECT oid::regprocedure::text, prosrc FROM pg_proc
	WHERE pronamespace = 'dependencies_functions'::regnamespace ORDER BY proname
$$;
SELECT * FROM sources();

-- case: DROP of a module in use is refused
DROP FUNCTION m();
\echo :LAST_ERROR_SQLSTATE
DROP FUNCTION m() RESTRICT;
SELECT f();

-- case: DROP of its schema is refused
DROP SCHEMA dependencies;
\echo :LAST_ERROR_SQLSTATE

-- case: CASCADE drops the functions too
BEGIN;
DROP FUNCTION m() CASCADE;
SELECT f();
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
SELECT f();
BEGIN;
DROP FUNCTION m() CASCADE;
SELECT count(*) FROM sources();
ROLLBACK;

-- case: what depends on a function goes with it
BEGIN;
CREATE VIEW v AS SELECT f() AS one;
CREATE TABLE t (a bigint CHECK (g(a) > 0), b bigint GENERATED ALWAYS AS (a) STORED);
DROP FUNCTION m() CASCADE;
ROLLBACK;

-- case: a function may be dropped; its module stays
BEGIN;
DROP FUNCTION f();
SELECT g(1);
DROP FUNCTION g(bigint);
DROP FUNCTION m();
ROLLBACK;

-- case: the module is renamed
ALTER FUNCTION m() RENAME TO renamed;
SELECT * FROM sources();
SELECT f(), g(2);

-- case: renamed to a name that needs quotes
ALTER ROUTINE renamed() RENAME TO "M #1";
SELECT * FROM sources();
SELECT f(), g(3);

-- case: a rename that is rolled back
BEGIN;
ALTER FUNCTION "M #1"() RENAME TO other;
SELECT f();
SELECT * FROM sources();
ROLLBACK;
SELECT * FROM sources();
SELECT f();

-- case: the module moves to another schema
CREATE SCHEMA dependencies_second;
ALTER FUNCTION "M #1"() SET SCHEMA dependencies_second;
SELECT * FROM sources();
SELECT f(), g(4);

-- case: the schema of the module is renamed
ALTER SCHEMA dependencies_second RENAME TO "Dependencies 3";
SELECT * FROM sources();
SELECT f(), g(5);

-- case: renamed and moved back, in one transaction
BEGIN;
ALTER FUNCTION "Dependencies 3"."M #1"() SET SCHEMA dependencies;
ALTER FUNCTION "M #1"() RENAME TO m;
COMMIT;
DROP SCHEMA "Dependencies 3";
SELECT * FROM sources();
SELECT f(), g(6);

-- case: a new module of the old name is another one
ALTER FUNCTION m() RENAME TO old_m;
CREATE FUNCTION m() RETURNS wasm.module LANGUAGE wasm AS '(module (func (export "f") (result i32) (i32.const 666)))';
SELECT f();
DROP FUNCTION m();
ALTER FUNCTION old_m() RENAME TO m;
SELECT f();

-- case: event triggers that are switched off do not keep it from being followed
SET session_replication_role = replica;
ALTER FUNCTION m() RENAME TO m_replica;
RESET session_replication_role;
SELECT * FROM sources();
ALTER FUNCTION m_replica() RENAME TO m;

-- case: a renamed function keeps its export
ALTER FUNCTION f() RENAME TO f2;
SELECT f2();
SELECT * FROM sources();
ALTER FUNCTION f2() RENAME TO f;

-- case: a function that moves keeps its module
ALTER FUNCTION dependencies_functions.f() SET SCHEMA dependencies;
SELECT dependencies.f();
ALTER FUNCTION dependencies.f() SET SCHEMA dependencies_functions;
ALTER SCHEMA dependencies_functions RENAME TO dependencies_functions_2;
SELECT dependencies_functions_2.f();
ALTER SCHEMA dependencies_functions_2 RENAME TO dependencies_functions;

-- case: others rename their own modules, and functions of others follow
CREATE ROLE regress_wasm_dependencies;
GRANT USAGE ON LANGUAGE wasm TO regress_wasm_dependencies;
GRANT USAGE, CREATE ON SCHEMA dependencies TO regress_wasm_dependencies;
SET ROLE regress_wasm_dependencies;
CREATE FUNCTION theirs() RETURNS wasm.module LANGUAGE wasm AS '(module (func (export "f") (result i32) (i32.const 2)))';
RESET ROLE;
CREATE FUNCTION dependencies_functions.h() RETURNS integer LANGUAGE wasm AS 'theirs#f';
SET ROLE regress_wasm_dependencies;
ALTER FUNCTION theirs() RENAME TO still_theirs;
RESET ROLE;
SELECT * FROM sources();
SELECT h();

-- case: DROP OWNED and REASSIGN OWNED
BEGIN;
SET ROLE regress_wasm_dependencies;
DROP FUNCTION still_theirs();
ROLLBACK;
REASSIGN OWNED BY regress_wasm_dependencies TO CURRENT_USER;
SELECT h();
DROP OWNED BY regress_wasm_dependencies;
SELECT h();
DROP ROLE regress_wasm_dependencies;

SET client_min_messages = warning;
DROP SCHEMA dependencies, dependencies_functions CASCADE;
RESET client_min_messages;
