-- wasm.create_functions.
CREATE SCHEMA create_functions;
SET search_path = create_functions, public;

SELECT wasm.create_module('m', convert_to('(module
	(memory (export "memory") 1)
	(global (export "global") i32 (i32.const 1))
	(func (export "sum") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
	(func (export "pair") (param f32) (result i64 f64) (i64.const 1) (f64.promote_f32 (local.get 0)))
	(func (export "nothing"))
	(func (export "Sum#2") (param i64) (result i64) (local.get 0))
	(func (export "ref") (param externref))
	(func (export "")))', 'UTF8')) AS module;

-- What was created.
CREATE VIEW created AS SELECT oid::regprocedure AS function, pg_get_function_result(oid) AS result, proisstrict AS strict,
	provolatile AS vol, proparallel AS par, procost AS cost, prosrc AS source
FROM pg_proc WHERE pronamespace = 'create_functions'::regnamespace AND proname <> 'm' ORDER BY proname;

-- case: the defaults
BEGIN;
SELECT wasm.create_functions('m') AS function;
SELECT * FROM created;
SELECT sum(1, 2), pair(0.5), "Sum#2"(4294967296);
SELECT nothing();
ROLLBACK;

-- case: a prefix; with it the empty name is one
BEGIN;
SELECT wasm.create_functions('m', 'p_') AS function;
SELECT p_sum(1, 2);
SELECT p_();
ROLLBACK;
BEGIN;
SELECT wasm.create_functions('m', prefix => 'A "prefix"') AS function;
ROLLBACK;

-- case: not strict, immutable, parallel safe
BEGIN;
SELECT wasm.create_functions('m', strict => false, volatility => 'immutable', parallel => 'safe') AS function;
SELECT * FROM created;
SELECT sum(1, NULL);
ROLLBACK;

-- case: stable, parallel restricted
BEGIN;
SELECT count(*) FROM wasm.create_functions('m', volatility => 'stable', parallel => 'restricted');
SELECT vol, par FROM created LIMIT 1;
ROLLBACK;

-- case: attributes that there are none of
\set VERBOSITY sqlstate
SELECT wasm.create_functions('m', volatility => 'sometimes');
SELECT wasm.create_functions('m', parallel => 'perhaps');
SELECT wasm.create_functions('m', volatility => '');
\set VERBOSITY default
SELECT count(*) FROM created;

-- case: the functions exist already
SELECT count(*) FROM wasm.create_functions('m');
SELECT wasm.create_functions('m');
\echo :LAST_ERROR_SQLSTATE

-- case: replaced
SELECT 'create_functions.sum'::regproc::oid AS before \gset
SELECT wasm.create_functions('m', replace => true, volatility => 'immutable') AS function;
SELECT 'create_functions.sum'::regproc::oid = :before AS same_oid;
SELECT function, vol FROM created;

-- case: replaced, where the result type has changed
SELECT wasm.create_module('m2', '(module (func (export "sum") (param i32 i32) (result i64) (i64.const 1)))') AS module;
SELECT wasm.create_functions('m2', replace => true);
\echo :LAST_ERROR_SQLSTATE
SELECT sum(1, 2);

-- case: names that are too long
SELECT wasm.create_functions('m2', prefix => repeat('p', 60)) IS NOT NULL AS created;
SELECT wasm.create_functions('m2', prefix => repeat('p', 61));
SELECT wasm.create_functions('m2', prefix => repeat('ä', 31));

-- case: the first schema of the search path; the module elsewhere
CREATE SCHEMA create_functions_2;
SET search_path = create_functions_2, public;
SELECT wasm.create_functions('create_functions.m2', prefix => 'b_') AS function;
SELECT b_sum(1, 2);
SET search_path = create_functions, public;
SELECT prosrc FROM pg_proc WHERE oid = 'create_functions_2.b_sum'::regproc;

-- case: an export with white space at its end
SELECT wasm.create_module('spaces', '(module (func (export "a ") (result i32) (i32.const 1)) (func (export " b") (result i32) (i32.const 2)))') AS module;
SET client_min_messages = warning;
SELECT count(*) > 0 AS created FROM wasm.create_functions('spaces', prefix => 's_');
RESET client_min_messages;
SELECT "s_ b"();

-- case: a module without functions
SELECT wasm.create_module('none', '(module (memory (export "memory") 1))') AS module;
SELECT wasm.create_functions('none');

-- case: a module that imports
SELECT wasm.create_module('importing', '(module (import "env" "log" (func)) (func (export "f")))') AS module;
SELECT wasm.create_functions('importing');
\echo :LAST_ERROR_SQLSTATE

-- case: no module
SELECT wasm.create_functions('nothing');
\echo :LAST_ERROR_SQLSTATE
SELECT wasm.create_functions('sum');
\echo :LAST_ERROR_SQLSTATE
SELECT wasm.create_functions('a.b.c');
\echo :LAST_ERROR_SQLSTATE

-- case: NULL gives no function
SELECT count(*) FROM wasm.create_functions(NULL);
SELECT count(*) FROM wasm.create_functions('m', prefix => NULL);

-- case: called in a target list, in FROM and in PL/pgSQL
BEGIN;
DO $$
DECLARE
	f regprocedure;
BEGIN
	FOR f IN SELECT wasm.create_functions('m2', prefix => 'plpgsql_') LOOP
		RAISE NOTICE '%', f;
	END LOOP;
END
$$;
SELECT plpgsql_sum(1, 2);
ROLLBACK;

SET client_min_messages = warning;
DROP SCHEMA create_functions, create_functions_2 CASCADE;
RESET client_min_messages;
