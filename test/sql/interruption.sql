-- How a running guest is stopped: by a signal handler or by an epoch.
CREATE SCHEMA interruption;
SET search_path = interruption, public;
SET client_min_messages = notice;

CREATE FUNCTION spin() RETURNS integer LANGUAGE wasm AS
'(module (func (export "spin") (result i32) (loop (br 0)) (unreachable)))';
CREATE FUNCTION counter() RETURNS wasm.module LANGUAGE wasm AS
'(module (global $n (mut i32) (i32.const 0))
	(func (export "next") (result i32)
		(global.set $n (i32.add (global.get $n) (i32.const 1)))
		(global.get $n))
	(func (export "spoil") (result i32)
		(global.set $n (i32.const 1000))
		(loop (br 0)) (unreachable)))';
CREATE FUNCTION next() RETURNS integer LANGUAGE wasm AS 'counter#next';
CREATE FUNCTION spoil() RETURNS integer LANGUAGE wasm AS 'counter#spoil';
CREATE FUNCTION down(integer) RETURNS integer LANGUAGE wasm AS
'(module (func $down (export "down") (param i32) (result i32)
	(if (result i32) (local.get 0)
		(then (return_call $down (i32.sub (local.get 0) (i32.const 1))))
		(else (i32.const 7)))))';
CREATE FUNCTION around() RETURNS integer LANGUAGE wasm AS
'(module (func $around (export "around") (result i32) (return_call $around)))';
CREATE FUNCTION starting() RETURNS integer LANGUAGE wasm AS
'(module (func (export "starting") (result i32) (i32.const 1))
	(func $start (loop (br 0))) (start $start))';
CREATE FUNCTION filling() RETURNS integer LANGUAGE wasm AS
'(module (memory 256)
	(func (export "filling") (result i32)
		(loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 16777216)) (br 0))
		(unreachable)))';

-- case: signals are the default
SHOW wasm.interruption;

-- case: an endless loop is stopped, in a function, in a start function, in a DO block
SET statement_timeout = '300ms';
SELECT spin();
SELECT starting();
DO LANGUAGE wasm '(module (func (export "main") (loop (br 0))))';

-- case: where nearly all the time passes in a built-in of the engine, too
SELECT filling();

-- case: the instance is discarded, and the next one is new
SELECT next(), next();
SELECT spoil();
SELECT next(), next();

-- case: a module with tail calls runs, and is stopped by its epoch
SELECT around();
SELECT down(100000);

-- case: metered calls are stopped
SET wasm.fuel = 1e15;
SELECT spin();
SELECT around();
RESET wasm.fuel;

-- case: the setting takes effect with the next call, which gets other code
SELECT next(), next();
SET wasm.interruption = epoch;
SELECT next(), next();
SELECT spin();
SELECT starting();
SELECT spoil();
SET statement_timeout = 0;
SELECT next(), down(3);
SET statement_timeout = '300ms';
SELECT around();
SET wasm.fuel = 1e15;
SELECT spin();
RESET wasm.fuel;
RESET wasm.interruption;
SELECT spin();

-- case: the cache has both, and what was wanted of a module with tail calls
SET statement_timeout = 0;
SELECT DISTINCT f.name, c.metered, c.interruption
	FROM (VALUES ('counter', counter())) AS f (name, bytes)
		JOIN wasm.cache() AS c ON c.sha256 = encode(sha256(f.bytes), 'hex')
	ORDER BY 1, 2, 3;

-- case: other values are refused, and the setting is a superuser's
SET wasm.interruption = timer;
CREATE ROLE regress_wasm_interruption;
SET ROLE regress_wasm_interruption;
SET wasm.interruption = epoch;
RESET ROLE;
DROP ROLE regress_wasm_interruption;

SET client_min_messages = warning;
DROP SCHEMA interruption CASCADE;
