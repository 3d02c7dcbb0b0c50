-- The settings, of a session and of single modules.
CREATE SCHEMA settings;
SET search_path = settings, public;

CREATE FUNCTION m() RETURNS wasm.module LANGUAGE wasm AS '
(module
	(memory 1)
	(global $calls (mut i32) (i32.const 0))
	(func (export "count") (result i32)
		(global.set $calls (i32.add (global.get $calls) (i32.const 1))) (global.get $calls))
	(func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
	(func (export "size") (result i32) (memory.size))
	(func (export "spin") (param $n i32) (result i32)
		(loop (local.set $n (i32.sub (local.get $n) (i32.const 1))) (br_if 0 (local.get $n)))
		(local.get $n)))
';
SELECT count(*) FROM wasm.create_functions('m');

-- case: all of them
SELECT name, setting, unit, context, min_val, max_val FROM pg_settings WHERE name LIKE 'wasm.%' ORDER BY name;

-- case: no one but superusers sets them
CREATE ROLE regress_wasm_settings;
SET ROLE regress_wasm_settings;
SET wasm.fuel = 1;
SET wasm.session_memory_limit = '1GB';
SET wasm.instance_limit = 1000;
SET wasm.module_size_limit = '1MB';
SET wasm.compile_timeout = '1h';
SET wasm.compile_memory_limit = '4GB';
RESET ROLE;
DROP ROLE regress_wasm_settings;

-- case: a module has a memory limit of its own
ALTER FUNCTION m() SET wasm.memory_limit = '128kB';
SELECT wasm.reset() > 0 AS reset;
SELECT grow(1), grow(1), size();
ALTER FUNCTION m() SET wasm.memory_limit = '192kB';
SELECT wasm.reset();
SELECT grow(1), grow(1), grow(1), size();
ALTER FUNCTION m() RESET wasm.memory_limit;
SELECT wasm.reset();
SELECT grow(1), grow(1), grow(1), size();
SELECT wasm.reset();

-- case: which may be larger than the session's
SET wasm.memory_limit = '64kB';
SELECT grow(1);
ALTER FUNCTION m() SET wasm.memory_limit = '128kB';
SELECT wasm.reset();
SELECT grow(1), grow(1);
ALTER FUNCTION m() RESET ALL;
RESET wasm.memory_limit;
SELECT wasm.reset();

-- case: fuel: enough, and not enough
SET wasm.fuel = 1000;
SELECT spin(10);
SELECT spin(1000);
\echo :LAST_ERROR_SQLSTATE
SELECT spin(10);

-- case: fuel is deterministic: the least that is enough, and one less
DO $do$
DECLARE
	low integer := 1;
	high integer := 100000;
	middle integer;
BEGIN
	WHILE low < high LOOP
		middle := (low + high) / 2;
		PERFORM set_config('wasm.fuel', middle::text, false);
		BEGIN
			PERFORM settings.spin(1000);
			high := middle;
		EXCEPTION WHEN program_limit_exceeded THEN
			low := middle + 1;
		END;
	END LOOP;
	RAISE NOTICE 'spin(1000) consumes %', low;
END
$do$;

-- case: each call has the whole budget
SET wasm.fuel = 1000;
SELECT count(*) FROM generate_series(1, 100) AS i WHERE spin(50 + i - i) = 0;

-- case: fuel of a module
SET wasm.fuel = 0;
ALTER FUNCTION m() SET wasm.fuel = 500;
SELECT spin(10);
SELECT spin(1000);
\echo :LAST_ERROR_SQLSTATE
SET wasm.fuel = 100000;
SELECT spin(1000);
SET wasm.fuel = 0;
ALTER FUNCTION m() SET wasm.fuel = 0;
SELECT spin(1000);
SET wasm.fuel = 10;
SELECT spin(1000);
ALTER FUNCTION m() RESET wasm.fuel;
SELECT spin(1000);
\echo :LAST_ERROR_SQLSTATE
SET wasm.fuel = 0;

-- case: fuel by a clause of the calling function
CREATE FUNCTION frugal(integer) RETURNS integer LANGUAGE wasm SET wasm.fuel = 500 AS 'm#spin';
SELECT frugal(10);
SELECT frugal(1000);
\echo :LAST_ERROR_SQLSTATE
SELECT spin(1000);

-- case: a start function consumes fuel too
CREATE FUNCTION starts() RETURNS integer LANGUAGE wasm AS '
(module
	(func $f (local i32) (local.set 0 (i32.const 1000))
		(loop (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br_if 0 (local.get 0))))
	(start $f)
	(func (export "starts") (result i32) (i32.const 1)))
';
SET wasm.fuel = 100;
SELECT starts();
\echo :LAST_ERROR_SQLSTATE
SET wasm.fuel = 100000;
SELECT starts();
SET wasm.fuel = 0;

-- case: a DO block consumes fuel
SET wasm.fuel = 100;
DO LANGUAGE wasm '(module (func (export "main") (loop (br 0))))';
\echo :LAST_ERROR_SQLSTATE
SET wasm.fuel = 0;

-- case: values that make no sense
SET wasm.fuel = -1;
SET wasm.fuel = 'much';
ALTER FUNCTION m() SET wasm.memory_limit = '1kB';
ALTER FUNCTION m() SET wasm.nonsense = 1;

-- case: the sum of the memories of a session
CREATE FUNCTION other() RETURNS wasm.module LANGUAGE wasm AS '
(module (memory 2) (func (export "grow_other") (param i32) (result i32) (memory.grow (local.get 0)))
	(func (export "size_other") (result i32) (memory.size)))';
SELECT count(*) FROM wasm.create_functions('other');
SELECT wasm.reset();
SET wasm.session_memory_limit = '640kB';
SELECT size(), size_other();
SELECT grow(6), grow(2), grow(1);
SELECT grow_other(1), size_other();

-- case: idle instances give way to a new one that needs their memory
CREATE FUNCTION third() RETURNS integer LANGUAGE wasm AS
	'(module (memory 3) (func (export "third") (result i32) (memory.size)))';
SELECT third();
SELECT size(), size_other();

-- case: until none is left
CREATE FUNCTION eleven() RETURNS integer LANGUAGE wasm AS
	'(module (memory 11) (func (export "eleven") (result i32) (memory.size)))';
SELECT eleven();
\echo :LAST_ERROR_SQLSTATE
SELECT third(), size();
RESET wasm.session_memory_limit;
SELECT eleven();

-- case: the number of instances; those used longest ago go first
SELECT wasm.reset() > 0 AS reset;
CREATE FUNCTION a() RETURNS wasm.module LANGUAGE wasm AS
	'(module (global $n (mut i32) (i32.const 0)) (func (export "next_a") (result i32)
		(global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n)))';
CREATE FUNCTION b() RETURNS wasm.module LANGUAGE wasm AS
	'(module (global $n (mut i32) (i32.const 0)) (func (export "next_b") (result i32)
		(global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n)))';
CREATE FUNCTION c() RETURNS wasm.module LANGUAGE wasm AS
	'(module (global $n (mut i32) (i32.const 0)) (func (export "next_c") (result i32)
		(global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n)))';
SELECT count(*) FROM (SELECT wasm.create_functions(m) FROM unnest('{a,b,c}'::text[]) AS m) AS created;
SET wasm.instance_limit = 2;
SELECT next_a(), next_b(), next_a();
SELECT next_c();
SELECT next_a();
SELECT next_b();
SELECT next_a(), next_b(), next_c();
SELECT wasm.reset();
SET wasm.instance_limit = 1;
SELECT next_a(), next_b();
SELECT next_a();
SELECT wasm.reset();
RESET wasm.instance_limit;

-- case: wasm.reset() and DISCARD ALL drop instances
SELECT next_a(), next_a(), next_b();
SELECT wasm.reset();
SELECT next_a(), next_a(), next_b();
DISCARD ALL;
SET search_path = settings, public;
SELECT next_a(), next_b();
DISCARD PLANS;
SELECT next_a(), next_b();

-- case: a cursor goes on after a reset
BEGIN;
DECLARE numbers CURSOR FOR SELECT next_a() FROM generate_series(1, 5);
FETCH 2 FROM numbers;
SELECT wasm.reset();
FETCH 2 FROM numbers;
COMMIT;

-- case: the instance of a module that is dropped or replaced goes at once
SELECT wasm.reset() > 0 AS reset;
SELECT next_a(), next_b(), next_c();
CREATE OR REPLACE FUNCTION b() RETURNS wasm.module LANGUAGE wasm AS
	'(module (func (export "next_b") (result i32) (i32.const 10)))';
DROP FUNCTION c() CASCADE;
SELECT wasm.reset();
SELECT next_a(), next_b();

-- case: that of a module that is granted or commented stays
SELECT next_a();
GRANT EXECUTE ON FUNCTION a() TO pg_monitor;
COMMENT ON FUNCTION a() IS 'counts';
ALTER FUNCTION a() RENAME TO a_again;
SELECT next_a();

-- case: time to compile
SET wasm.compile_timeout = '50ms';
\set VERBOSITY terse
SELECT wasm.create_module('slow', convert_to('(module (func (export "f") (local i32) '
	|| repeat('(local.set 0 (i32.add (local.get 0) (i32.const 1)))', 200000) || '))', 'UTF8'));
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
RESET wasm.compile_timeout;

-- case: memory to compile
SET wasm.compile_memory_limit = '128MB';
SELECT wasm.create_module('fat', convert_to('(module '
	|| repeat('(func (param i32) (result i32) (i32.mul (i32.add (local.get 0) (i32.const 1)) (i32.load (local.get 0))))', 49999)
	|| '(memory 1))', 'UTF8'));
\echo :LAST_ERROR_SQLSTATE
RESET wasm.compile_memory_limit;

-- case: functions of a module
SELECT wasm.create_module('many', convert_to('(module ' || repeat('(func)', 50000) || ')', 'UTF8'));
SELECT wasm.create_module('too_many', convert_to('(module ' || repeat('(func)', 50001) || ')', 'UTF8'));
\echo :LAST_ERROR_SQLSTATE

-- case: size of a function
-- a body of 1,048,576 bytes: one for the locals, the nops, one for the end
SELECT wasm.create_module('large_function', convert_to('(module (func) (func ' || repeat('nop ', 1048574) || '))', 'UTF8'));
SELECT wasm.create_module('larger_function', convert_to('(module (func) (func ' || repeat('nop ', 1048575) || '))', 'UTF8'));
\echo :LAST_ERROR_SQLSTATE

-- case: the cache
SELECT count(*) > 0 AS some, bool_and(length(sha256) = 64) AS digests, bool_and(bytes > 0) AS sizes,
	bool_and(last_used <= now() + interval '1 minute') AS times, bool_and(compile_ms >= 0) AS compiled
	FROM wasm.cache();
SELECT DISTINCT build ~ '^\d+\.\d+\.\d+-\w+$' AS build, metered, interruption FROM wasm.cache()
	WHERE sha256 = encode(sha256(a_again()), 'hex') AND NOT metered;

SET client_min_messages = warning;
DROP SCHEMA settings CASCADE;
