-- The validator: what it binds and when, with check_function_bodies off, and who may call it.
CREATE SCHEMA validator;
SET search_path = validator, public;

CREATE FUNCTION m() RETURNS wasm.module LANGUAGE wasm AS
	'(module (func (export "f") (result i32) (i32.const 1)) (func (export "g") (param i64) (result i64) (local.get 0)))';
-- What is stored of a function, and the modules that it depends on.
CREATE FUNCTION bound(name) RETURNS TABLE (source text, modules text) LANGUAGE sql AS $$
	SELECT p.prosrc, (SELECT string_agg(d.refobjid::regprocedure::text, ', ' ORDER BY d.refobjid) FROM pg_depend AS d
		WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_proc'::regclass AND d.deptype = 'n')
	FROM pg_proc AS p WHERE p.proname = $1 AND p.pronamespace = 'validator'::regnamespace
$$;

-- case: a function depends on its module, once
CREATE FUNCTION f() RETURNS integer LANGUAGE wasm AS 'm#f';
SELECT * FROM bound('f');
CREATE OR REPLACE FUNCTION f() RETURNS integer LANGUAGE wasm AS 'm';
SELECT * FROM bound('f');

-- case: a function bound to another module depends on that one
CREATE FUNCTION m2() RETURNS wasm.module LANGUAGE wasm AS '(module (func (export "f") (result i32) (i32.const 2)))';
CREATE OR REPLACE FUNCTION f() RETURNS integer LANGUAGE wasm AS 'm2';
SELECT * FROM bound('f');
SELECT f();
DROP FUNCTION m2();
\echo :LAST_ERROR_SQLSTATE

-- case: a function with an inline module depends on none
CREATE OR REPLACE FUNCTION f() RETURNS integer LANGUAGE wasm AS
	'(module (func (export "f") (result i32) (i32.const 3)))';
SELECT * FROM bound('f');
DROP FUNCTION m2();
SELECT f();
DROP FUNCTION f();

-- case: check_function_bodies off binds all the same
SET check_function_bodies = off;
CREATE FUNCTION f() RETURNS integer LANGUAGE wasm AS 'm';
SELECT * FROM bound('f');
SELECT f();
DROP FUNCTION f();

-- case: it accepts an export that does not exist; the call does not
CREATE FUNCTION f() RETURNS integer LANGUAGE wasm AS 'm#nothing';
SELECT * FROM bound('f');
SELECT f();
\echo :LAST_ERROR_SQLSTATE
DROP FUNCTION f();

-- case: and a signature that does not fit; the call does not
CREATE FUNCTION f() RETURNS text LANGUAGE wasm AS 'm#f';
SELECT f();
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION f(anyelement) RETURNS anyelement LANGUAGE wasm AS 'm#f';
SELECT f(1);
\echo :LAST_ERROR_SQLSTATE
DROP FUNCTION f();
DROP FUNCTION f(anyelement);

-- case: and an inline module that is none; the call does not
CREATE FUNCTION f() RETURNS integer LANGUAGE wasm AS '(module nonsense)';
SELECT f();
\echo :LAST_ERROR_SQLSTATE
DROP FUNCTION f();
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS '\x0102';
CREATE FUNCTION f() RETURNS integer LANGUAGE wasm AS 'bad';
SELECT f();
\echo :LAST_ERROR_SQLSTATE
DROP FUNCTION bad() CASCADE;

-- case: but no empty body, no wrong name, no wrong module
CREATE FUNCTION f() RETURNS integer LANGUAGE wasm AS '';
CREATE FUNCTION f() RETURNS integer LANGUAGE wasm AS 'a.b.c#d';
CREATE FUNCTION f(integer) RETURNS wasm.module LANGUAGE wasm AS '(module)';
CREATE FUNCTION f() RETURNS wasm.module LANGUAGE wasm AS 'm#f';

-- case: and no list where a set is wanted; the call does
CREATE FUNCTION f() RETURNS SETOF integer LANGUAGE wasm AS 'm#f';
SELECT f();
\echo :LAST_ERROR_SQLSTATE
DROP FUNCTION f();

-- case: a module that does not exist yet, adopted when it comes
CREATE FUNCTION early() RETURNS integer LANGUAGE wasm AS 'validator.late#f';
SELECT * FROM bound('early');
SELECT early();
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION late() RETURNS wasm.module LANGUAGE wasm AS '(module (func (export "f") (result i32) (i32.const 4)))';
SELECT * FROM bound('early');
SELECT early();
DROP FUNCTION late();
\echo :LAST_ERROR_SQLSTATE
DROP FUNCTION late() CASCADE;

-- case: adopted by a module that is made with check_function_bodies on, too
CREATE FUNCTION early() RETURNS integer LANGUAGE wasm AS 'validator.late#f';
RESET check_function_bodies;
CREATE FUNCTION late() RETURNS wasm.module LANGUAGE wasm AS '(module (func (export "f") (result i32) (i32.const 5)))';
SELECT * FROM bound('early');
SELECT early();
DROP FUNCTION late() CASCADE;

-- case: a module that does not exist in a schema that does not exist
SET check_function_bodies = off;
CREATE FUNCTION early() RETURNS integer LANGUAGE wasm AS 'no_schema.late#f';
SELECT * FROM bound('early');
SELECT early();
DROP FUNCTION early();

-- case: an unqualified name that nobody had is not looked for at run time
CREATE FUNCTION early() RETURNS integer LANGUAGE wasm AS 'late#f';
SELECT * FROM bound('early');
CREATE FUNCTION late() RETURNS wasm.module LANGUAGE wasm AS '(module (func (export "f") (result i32) (i32.const 6)))';
SELECT * FROM bound('early');
\set VERBOSITY sqlstate
SELECT early();
\set VERBOSITY default

-- case: the validator called later, without a command, changes nothing
SELECT wasm.validator('early'::regproc);
SELECT * FROM bound('early');

-- case: the command again binds it
RESET check_function_bodies;
CREATE OR REPLACE FUNCTION early() RETURNS integer LANGUAGE wasm AS 'late#f';
SELECT * FROM bound('early');
SELECT early();
DROP FUNCTION late() CASCADE;

-- case: functions of those who may not use the module are not adopted
CREATE ROLE regress_wasm_validator;
GRANT USAGE ON LANGUAGE wasm TO regress_wasm_validator;
GRANT USAGE, CREATE ON SCHEMA validator TO regress_wasm_validator;
SET ROLE regress_wasm_validator;
SET check_function_bodies = off;
CREATE FUNCTION stranger() RETURNS integer LANGUAGE wasm AS 'validator.strange#f';
RESET check_function_bodies;
RESET ROLE;
SELECT wasm.create_module('strange', '(module (func (export "f") (result i32) (i32.const 7)))');
SELECT * FROM bound('stranger');
DROP FUNCTION strange();

-- case: the validator is not for PUBLIC
SET ROLE regress_wasm_validator;
SELECT wasm.validator('validator.m'::regproc);
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;

-- case: who may call it changes nothing on the function of somebody else
SET check_function_bodies = off;
CREATE FUNCTION early() RETURNS integer LANGUAGE wasm AS 'late#f';
RESET check_function_bodies;
GRANT EXECUTE ON FUNCTION wasm.validator TO regress_wasm_validator;
SET ROLE regress_wasm_validator;
CREATE FUNCTION late() RETURNS wasm.module LANGUAGE wasm AS '(module (func (export "f") (result i32) (i32.const 666)))';
SELECT wasm.validator('validator.early'::regproc);
RESET ROLE;
SELECT * FROM bound('early');
REVOKE EXECUTE ON FUNCTION wasm.validator FROM regress_wasm_validator;

-- case: the same in the transaction that made it
BEGIN;
SET LOCAL check_function_bodies = off;
CREATE FUNCTION early2() RETURNS integer LANGUAGE wasm AS 'late2#f';
SET LOCAL check_function_bodies = on;
GRANT EXECUTE ON FUNCTION wasm.validator TO regress_wasm_validator;
SET ROLE regress_wasm_validator;
CREATE FUNCTION late2() RETURNS wasm.module LANGUAGE wasm AS '(module (func (export "f") (result i32) (i32.const 666)))';
SELECT wasm.validator('validator.early2'::regproc);
SELECT * FROM bound('early2');
ROLLBACK;

-- case: the validator on a function of another language, and on none
SELECT wasm.validator('pg_catalog.now'::regproc);
\echo :LAST_ERROR_SQLSTATE
SELECT wasm.validator(0::oid);
\echo :LAST_ERROR_SQLSTATE
SELECT wasm.validator(NULL) IS NULL AS is_null;

-- case: creation is rolled back
BEGIN;
CREATE FUNCTION f() RETURNS integer LANGUAGE wasm AS 'm';
SELECT f();
ROLLBACK;
SELECT f();
BEGIN;
CREATE FUNCTION m3() RETURNS wasm.module LANGUAGE wasm AS '(module (func (export "f") (result i32) (i32.const 8)))';
CREATE FUNCTION f() RETURNS integer LANGUAGE wasm AS 'm3';
SELECT f();
ROLLBACK;
CREATE FUNCTION f() RETURNS integer LANGUAGE wasm AS 'm3';

SET client_min_messages = warning;
DROP SCHEMA validator CASCADE;
REVOKE USAGE ON LANGUAGE wasm FROM regress_wasm_validator;
DROP ROLE regress_wasm_validator;
RESET client_min_messages;
