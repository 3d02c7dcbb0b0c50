-- The memory and the globals of an instance: wasm.read_memory and its kin.
CREATE SCHEMA access;
SET search_path = access, public;

CREATE FUNCTION m() RETURNS wasm.module LANGUAGE wasm AS
'(module (memory (export "mem") 1 2) (data (i32.const 8) "hello")
	(global (export "i32") (mut i32) (i32.const -7))
	(global (export "i64") (mut i64) (i64.const 9223372036854775807))
	(global (export "f32") (mut f32) (f32.const 0.1))
	(global (export "f64") (mut f64) (f64.const 0.1))
	(global (export "v128") (mut v128) (v128.const i32x4 1 2 3 4))
	(global (export "fixed") i32 (i32.const 1024))
	(global (export "ref") (mut funcref) (ref.null func))
	(func (export "sum") (param $at i32) (param $n i32) (result i32)
		(local $sum i32)
		(block $done (loop $next
			(br_if $done (i32.eqz (local.get $n)))
			(local.set $sum (i32.add (local.get $sum) (i32.load8_u (local.get $at))))
			(local.set $at (i32.add (local.get $at) (i32.const 1)))
			(local.set $n (i32.sub (local.get $n) (i32.const 1)))
			(br $next)))
		(local.get $sum))
	(func (export "grow") (result i32) (memory.grow (i32.const 1)))
	(func (export "trap") (unreachable)))';
SELECT count(*) FROM wasm.create_functions('m');

-- case: bytes are read, and written where the functions find them
SELECT convert_from(wasm.read_memory('m', 8, 5), 'UTF8') AS data, wasm.read_memory('m', 13, 2) AS zeros;
SELECT wasm.write_memory('m', 100, '\x010203ff');
SELECT sum(100, 4), wasm.read_memory('m', 99, 6);

-- case: nothing at all, anywhere up to the end
SELECT wasm.read_memory('m', 0, 0), wasm.read_memory('m', 65536, 0);
SELECT wasm.write_memory('m', 65536, '');
SELECT wasm.write_memory('m', 65535, '\x2a');
SELECT wasm.read_memory('m', 65535, 1);

-- case: outside of the memory
SELECT wasm.read_memory('m', 65535, 2);
\echo :LAST_ERROR_SQLSTATE
SELECT wasm.read_memory('m', -1, 1);
SELECT wasm.read_memory('m', 9223372036854775807, 2147483);
SELECT wasm.write_memory('m', 65536, '\x00');
SELECT wasm.write_memory('m', 4294967296, '\x00');
SELECT wasm.read_memory('m', 65537, 0);

-- case: a length that is none
SELECT wasm.read_memory('m', 0, -1);
\echo :LAST_ERROR_SQLSTATE
SELECT wasm.read_memory('m', 0, 2147483647);
\echo :LAST_ERROR_SQLSTATE

-- case: the memory has grown
SELECT grow();
SELECT wasm.write_memory('m', 131071, '\x07');
SELECT wasm.read_memory('m', 131071, 1), wasm.read_memory('m', 65535, 2);

-- case: it grows from outside, as far as it may
SELECT wasm.grow_memory('m', 0), wasm.grow_memory('m', -1);
\echo :LAST_ERROR_SQLSTATE
SELECT wasm.grow_memory('m', 1);
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION unbounded() RETURNS wasm.module LANGUAGE wasm AS '(module (memory (export "memory") 1))';
SELECT wasm.grow_memory('unbounded', 0), wasm.grow_memory('unbounded', 10), wasm.grow_memory('unbounded', 1);
SELECT wasm.read_memory('unbounded', 65536 * 12 - 1, 1);
SELECT wasm.grow_memory('unbounded', 1024);
SELECT wasm.grow_memory('unbounded', 2147483647);
SELECT wasm.grow_memory('unbounded', 0);

-- case: globals of each type
SELECT name, wasm.get_global('m', name) FROM unnest('{i32,i64,f32,f64,v128,fixed}'::text[]) AS name;

-- case: they are set
SELECT wasm.set_global('m', name, value) FROM (VALUES ('i32', -2147483648), ('i64', -9223372036854775808),
	('f32', 16777217.0), ('f64', 1e-10), ('v128', 340282366920938463463374607431768211455.0)) AS v (name, value);
SELECT name, wasm.get_global('m', name) FROM unnest('{i32,i64,f32,f64,v128}'::text[]) AS name;
SELECT wasm.set_global('m', name, value::numeric) FROM (VALUES ('f32', 'NaN'), ('f64', '-Infinity')) AS v (name, value);
SELECT name, wasm.get_global('m', name) FROM unnest('{f32,f64}'::text[]) AS name;

-- case: values out of range
SELECT wasm.set_global('m', 'i32', 2147483648);
\echo :LAST_ERROR_SQLSTATE
SELECT wasm.set_global('m', 'i32', 0.5);
SELECT wasm.set_global('m', 'i64', 9223372036854775808);
SELECT wasm.set_global('m', 'f32', 1e300);
SELECT wasm.set_global('m', 'v128', -1);
SELECT wasm.get_global('m', 'i32');

-- case: globals that cannot be set, read or found
SELECT wasm.set_global('m', 'fixed', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT wasm.get_global('m', 'ref');
\echo :LAST_ERROR_SQLSTATE
SELECT wasm.get_global('m', 'none');
\echo :LAST_ERROR_SQLSTATE
SELECT wasm.get_global('m', 'sum');
SELECT wasm.get_global('m', '');

-- case: after a trap the instance is a new one
SELECT trap();
SELECT wasm.get_global('m', 'i32'), wasm.read_memory('m', 100, 4);

-- case: after a reset, too
SELECT wasm.set_global('m', 'i32', 1);
SELECT wasm.reset();
SELECT wasm.get_global('m', 'i32');

-- case: under fuel it is another instance
SELECT wasm.set_global('m', 'i32', 2);
SET wasm.fuel = 100000;
SELECT wasm.get_global('m', 'i32');
RESET wasm.fuel;
SELECT wasm.get_global('m', 'i32');

-- case: modules without a memory, without an instance, and no modules
CREATE FUNCTION bare() RETURNS wasm.module LANGUAGE wasm AS '(module (memory 1))';
CREATE FUNCTION failing() RETURNS wasm.module LANGUAGE wasm AS
'(module (memory (export "memory") 1) (func $start (unreachable)) (start $start))';
CREATE FUNCTION importing() RETURNS wasm.module LANGUAGE wasm AS
'(module (import "a" "b" (func)) (memory (export "memory") 1))';
SELECT wasm.read_memory('bare', 0, 1);
\echo :LAST_ERROR_SQLSTATE
SELECT wasm.read_memory('failing', 0, 1);
\echo :LAST_ERROR_SQLSTATE
SELECT wasm.read_memory('importing', 0, 1);
SELECT wasm.read_memory('sum', 0, 1);
SELECT wasm.read_memory('nowhere', 0, 1);

-- case: a role sees its own instance, of modules that it may execute
CREATE ROLE regress_wasm_access;
GRANT USAGE ON SCHEMA access TO regress_wasm_access;
SET ROLE regress_wasm_access;
SELECT wasm.get_global('access.m', 'i32');
SELECT wasm.set_global('access.m', 'i32', 3);
RESET ROLE;
SELECT wasm.get_global('m', 'i32');
REVOKE EXECUTE ON FUNCTION m() FROM PUBLIC;
SET ROLE regress_wasm_access;
SELECT wasm.get_global('access.m', 'i32');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
REVOKE USAGE ON SCHEMA access FROM regress_wasm_access;
DROP ROLE regress_wasm_access;

SET client_min_messages = warning;
DROP SCHEMA access CASCADE;
