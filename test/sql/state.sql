-- The state of a guest: kept between calls, gone after a trap.
CREATE SCHEMA state;
SET search_path = state, public;

CREATE FUNCTION counter() RETURNS wasm.module LANGUAGE wasm AS '
(module
	(memory 1)
	(global $n (mut i32) (i32.const 0))
	(func (export "next") (result i32)
		(global.set $n (i32.add (global.get $n) (i32.const 1)))
		(global.get $n))
	(func (export "put") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
	(func (export "get") (param i32) (result i32) (i32.load (local.get 0)))
	(func (export "trap") unreachable)
	(func (export "divide") (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0))))
';
SELECT wasm.create_functions('counter') AS function;

-- case: globals and memory are kept between calls
SELECT next();
SELECT next(), next();
SELECT put(100, 7);
SELECT get(100);

-- case: the functions of a module share one instance
CREATE FUNCTION also_next() RETURNS integer LANGUAGE wasm AS 'counter#next';
SELECT also_next();
SELECT next();

-- case: a rollback does not turn the guest back
BEGIN;
SELECT next();
ROLLBACK;
SELECT next();

-- case: an SQL error outside of the guest does not touch it
SELECT next(), 1 / 0;
SELECT next() < 9 AS kept;

-- case: after a trap the instance is a new one
SELECT trap();
SELECT next(), get(100);

-- case: after a division by zero too
SELECT next();
SELECT divide(0);
SELECT next();

-- case: a trap that PL/pgSQL catches
SELECT put(100, 8);
DO $$
BEGIN
	PERFORM state.trap();
EXCEPTION WHEN external_routine_exception THEN
	RAISE NOTICE 'get: %', state.get(100);
END
$$;

-- case: a trap in the middle of a query; the next query starts anew
SELECT next(), divide(3 - i) FROM generate_series(1, 5) AS i;
SELECT next();

-- case: an error of the conversion leaves the instance as it is
CREATE FUNCTION next_bool() RETURNS boolean LANGUAGE wasm AS 'counter#next';
SELECT next_bool();
\echo :LAST_ERROR_SQLSTATE
SELECT next();

-- case: a copy of the module has a state of its own
SELECT wasm.create_module('copy', counter());
CREATE FUNCTION copy_next() RETURNS integer LANGUAGE wasm AS 'copy#next';
SELECT copy_next(), next();

-- case: inline functions have a state of their own, each
CREATE FUNCTION inline_a() RETURNS integer LANGUAGE wasm AS '(module (global $n (mut i32) (i32.const 0))
	(func (export "f") (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n)))';
CREATE FUNCTION inline_b() RETURNS integer LANGUAGE wasm AS '(module (global $n (mut i32) (i32.const 0))
	(func (export "f") (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n)))';
SELECT inline_a(), inline_a(), inline_b();

-- case: the state is kept in queries of many rows, prepared ones too
PREPARE p AS SELECT count(DISTINCT n) AS different, max(n) - min(n) AS steps
	FROM (SELECT next() AS n FROM generate_series(1, 10)) AS numbers;
EXECUTE p;
EXECUTE p;
DEALLOCATE p;

-- case: DDL on other objects does not touch it
SELECT put(100, 9);
CREATE TABLE other (a integer);
CREATE FUNCTION other() RETURNS integer LANGUAGE sql AS 'SELECT 1';
SELECT get(100);

-- case: a dropped and created function finds the instance of its module
SELECT put(100, 10);
DROP FUNCTION get(integer);
CREATE FUNCTION get(integer) RETURNS integer LANGUAGE wasm AS 'counter';
SELECT get(100);

-- case: a replaced module starts anew
SELECT put(100, 11);
SELECT wasm.create_module('counter', convert_to(replace(convert_from(counter(), 'UTF8'), '(memory 1)', '(memory 2)'), 'UTF8'),
						  replace => true);
SELECT get(100);

SET client_min_messages = warning;
DROP SCHEMA state CASCADE;
RESET client_min_messages;
