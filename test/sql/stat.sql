-- Statistics; the library is not preloaded, so they are those of this session.
CREATE SCHEMA stat;
SET search_path = stat, public;
CREATE FUNCTION m() RETURNS wasm.module LANGUAGE wasm AS '(module
	(memory 1)
	(func (export "one") (result i32) (i32.const 1))
	(func (export "divide") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
	(func (export "spin") (loop (br 0))))';
CREATE FUNCTION n() RETURNS wasm.module LANGUAGE wasm AS '(module
	(func (export "one") (result i32) (i32.const 1)))';
SELECT wasm.create_functions('m');
CREATE FUNCTION twice(integer) RETURNS integer LANGUAGE wasm STRICT AS '(module
	(func (export "twice") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2))))';
CREATE VIEW functions AS SELECT moduleid::regproc AS module, funcname, calls, traps, cancels
	FROM wasm.stat_functions WHERE schemaname = 'stat' ORDER BY funcname;
CREATE VIEW modules AS SELECT modulename, calls, traps, cancels, instances
	FROM wasm.stat_modules WHERE schemaname = 'stat' AND calls > 0 ORDER BY modulename;
-- what creating them has counted
SELECT wasm.stat_reset();

-- case: nothing is there that was not called
SELECT * FROM functions;
SELECT count(*) FROM wasm.stat_functions;

-- case: calls
SELECT one(), one();
SELECT sum(divide(i, 2)) FROM generate_series(1, 1000) AS i;
SELECT twice(21);
SELECT * FROM functions;
SELECT * FROM modules;

-- case: a STRICT function that is not called for NULL is not counted
SELECT twice(NULL);
SELECT * FROM functions WHERE funcname = 'twice';

-- case: a call that fails before the guest is entered
CREATE FUNCTION half(integer) RETURNS integer LANGUAGE wasm AS 'm#divide';
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION lax(integer) RETURNS integer LANGUAGE wasm AS '(module
	(func (export "lax") (param i32) (result i32) (local.get 0)))';
SELECT lax(NULL);
SELECT * FROM functions WHERE funcname = 'lax';

-- case: getting the bytes of a module is no call
SELECT length(m()) > 0 AS bytes;
SELECT calls FROM modules WHERE modulename = 'm';

-- case: traps
SELECT divide(1, 0);
SELECT divide(1, 0);
SELECT divide(4, 2);
SELECT * FROM functions WHERE funcname = 'divide';
SELECT * FROM modules WHERE modulename = 'm';

-- case: a cancel
SET statement_timeout = '500ms';
SELECT spin();
RESET statement_timeout;
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM functions WHERE funcname = 'spin';
SELECT * FROM modules WHERE modulename = 'm';

-- case: a start function that traps, and one that loops
CREATE FUNCTION bad_start() RETURNS integer LANGUAGE wasm AS '(module (start 1)
	(func (export "bad_start") (result i32) (i32.const 1)) (func unreachable))';
CREATE FUNCTION endless_start() RETURNS integer LANGUAGE wasm AS '(module (start 1)
	(func (export "endless_start") (result i32) (i32.const 1)) (func (loop (br 0))))';
SELECT bad_start();
SET statement_timeout = '500ms';
SELECT endless_start();
RESET statement_timeout;
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM functions WHERE funcname LIKE '%start';
SELECT * FROM modules WHERE modulename LIKE '%start';

-- case: calls in transactions and subtransactions that are rolled back
BEGIN;
SELECT one();
SELECT * FROM functions WHERE funcname = 'one';
SAVEPOINT s;
SELECT one();
ROLLBACK TO s;
ROLLBACK;
SELECT * FROM functions WHERE funcname = 'one';

-- case: calls from PL/pgSQL, of a guest that traps there
DO $$
BEGIN
	PERFORM stat.divide(1, 0);
EXCEPTION WHEN division_by_zero THEN
	PERFORM stat.one();
END
$$;
SELECT * FROM functions WHERE funcname IN ('one', 'divide');

-- case: a guest that is called while the result of an outer call is checked
CREATE FUNCTION positive(integer) RETURNS integer LANGUAGE wasm STRICT AS '(module
	(func (export "positive") (param i32) (result i32) (i32.gt_s (local.get 0) (i32.const 0))))';
CREATE DOMAIN checked AS integer CHECK (positive(VALUE) = 1);
CREATE FUNCTION check_it(integer) RETURNS checked LANGUAGE wasm STRICT AS '(module
	(func (export "check_it") (param i32) (result i32) (local.get 0)))';
SELECT check_it(1), check_it(2);
SELECT check_it(-1);
SELECT * FROM functions WHERE funcname IN ('positive', 'check_it');

-- case: a role that is another gets another instance
CREATE ROLE regress_wasm_stat;
GRANT USAGE ON SCHEMA stat TO regress_wasm_stat;
GRANT SELECT ON functions, modules TO regress_wasm_stat;
SET ROLE regress_wasm_stat;
SELECT one();
SELECT * FROM modules WHERE modulename = 'm';

-- case: everybody reads the views, and not everybody resets them
SELECT funcname, calls FROM wasm.stat_functions WHERE funcname = 'one';
SELECT modulename, calls FROM wasm.stat_modules WHERE modulename = 'n';
SELECT wasm.stat_reset();
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
DROP OWNED BY regress_wasm_stat;
DROP ROLE regress_wasm_stat;

-- case: a replaced function keeps its numbers; its calls go to the module that it had
SELECT calls FROM modules WHERE modulename = 'm';
CREATE OR REPLACE FUNCTION one() RETURNS integer LANGUAGE wasm STRICT AS 'n';
SELECT one(), one();
SELECT * FROM functions WHERE funcname = 'one';
SELECT modulename, calls, instances FROM modules WHERE modulename IN ('m', 'n');

-- case: so does a replaced module
CREATE OR REPLACE FUNCTION n() RETURNS wasm.module LANGUAGE wasm AS '(module
	(func (export "one") (result i32) (i32.const 11)))';
SELECT one();
SELECT * FROM modules WHERE modulename = 'n';

-- case: renamed and moved objects
ALTER FUNCTION twice(integer) RENAME TO doubled;
SELECT * FROM functions WHERE funcname IN ('twice', 'doubled');

-- case: dropped objects are not shown
DROP FUNCTION doubled(integer);
SELECT count(*) FROM functions WHERE funcname = 'doubled';
BEGIN;
DROP FUNCTION spin();
SELECT count(*) FROM functions WHERE funcname = 'spin';
ROLLBACK;
SELECT count(*) FROM functions WHERE funcname = 'spin';

-- case: RETURNS TABLE, several results
CREATE FUNCTION pair(OUT a integer, OUT b integer) RETURNS record LANGUAGE wasm AS '(module
	(func (export "pair") (result i32 i32) (i32.const 1) (i32.const 2)))';
CREATE FUNCTION pairs() RETURNS TABLE (a integer, b integer) LANGUAGE wasm AS '(module
	(func (export "pairs") (result i32 i32) (i32.const 1) (i32.const 2)))';
SELECT pair(), (SELECT count(*) FROM pairs());
SELECT * FROM functions WHERE funcname LIKE 'pair%';

-- case: memory is that of the instances that live
CREATE FUNCTION growing() RETURNS wasm.module LANGUAGE wasm AS '(module
	(memory 1 10)
	(func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
	(func (export "grow_and_trap") (drop (memory.grow (i32.const 1))) unreachable))';
SELECT wasm.create_functions('growing');
SELECT memory FROM wasm.stat_modules WHERE modulename = 'growing';
SELECT grow(0);
SELECT memory FROM wasm.stat_modules WHERE modulename = 'growing';
SELECT grow(2), grow(20);
SELECT memory FROM wasm.stat_modules WHERE modulename = 'growing';
SELECT grow_and_trap();
SELECT memory, instances FROM wasm.stat_modules WHERE modulename = 'growing';
SELECT grow(3);
SELECT memory, instances FROM wasm.stat_modules WHERE modulename = 'growing';
SELECT wasm.stat_reset();
SELECT calls, memory, instances FROM wasm.stat_modules WHERE modulename = 'growing';
SELECT grow(1);
SELECT calls, memory, instances FROM wasm.stat_modules WHERE modulename = 'growing';
SELECT wasm.reset() > 0 AS some;
SELECT calls, memory, instances FROM wasm.stat_modules WHERE modulename = 'growing';

-- case: an instance that fails at its start leaves no memory
CREATE FUNCTION too_large() RETURNS integer LANGUAGE wasm SET wasm.memory_limit = '1MB' AS '(module
	(memory 17) (func (export "too_large") (result i32) (i32.const 1)))';
SELECT too_large();
\echo :LAST_ERROR_SQLSTATE
SELECT calls, traps, memory, instances FROM wasm.stat_modules WHERE modulename = 'too_large';

-- case: times are asked for by track_functions
SELECT divide(6, 2);
SELECT count(*) AS functions, count(total_time) AS total, count(self_time) AS self
	FROM wasm.stat_functions WHERE funcname = 'divide';
SET track_functions = 'pl';
SELECT divide(6, 2);
SELECT pg_stat_force_next_flush();
SELECT total_time >= self_time AND self_time > 0 AS has_time FROM wasm.stat_functions WHERE funcname = 'divide';

-- case: reset
SELECT wasm.stat_reset();
SELECT * FROM functions;
SELECT divide(6, 2);
SELECT * FROM functions;
SELECT * FROM modules;
SELECT pg_stat_force_next_flush();
SELECT calls FROM pg_stat_user_functions WHERE funcname = 'divide';
RESET track_functions;

-- case: compiled once, then found in the cache
SELECT wasm.create_module('fresh', convert_to('(module (func (export "fresh_f") (result i32) (i32.const 1))) ;; '
	|| gen_random_uuid(), 'UTF8'));
SELECT compiles, compile_time > 0 AS took_time, cache_hits FROM wasm.stat_modules WHERE modulename = 'fresh';
SELECT count(*) FROM wasm.create_functions('fresh');
SELECT fresh_f();
SELECT compiles, cache_hits, instances FROM wasm.stat_modules WHERE modulename = 'fresh';
\c
SET search_path = stat, public;
SELECT fresh_f();
SELECT compiles, compile_time, cache_hits, instances FROM wasm.stat_modules WHERE modulename = 'fresh';

SET client_min_messages = warning;
DROP SCHEMA stat CASCADE;
RESET client_min_messages;
