-- Proposals to WebAssembly: those that work, and those that are switched off.
CREATE SCHEMA proposals;
SET search_path = proposals, public;

-- case: sign extension
CREATE FUNCTION sign(integer) RETURNS integer LANGUAGE wasm AS
	'(module (func (export "f") (param i32) (result i32) (i32.extend8_s (local.get 0))))';
SELECT sign(255), sign(127);

-- case: conversions that saturate
CREATE FUNCTION saturate(real) RETURNS bigint LANGUAGE wasm AS
	'(module (func (export "f") (param f32) (result i64) (i64.trunc_sat_f32_s (local.get 0))))';
SELECT saturate('infinity'), saturate('-infinity'), saturate('NaN'), saturate(1.9);

-- case: bulk memory
CREATE FUNCTION bulk() RETURNS integer LANGUAGE wasm AS '(module
	(memory 1)
	(data $d "abcd")
	(func (export "f") (result i32)
		(memory.init $d (i32.const 8) (i32.const 0) (i32.const 4))
		(memory.copy (i32.const 0) (i32.const 8) (i32.const 4))
		(data.drop $d)
		(i32.load (i32.const 0))))';
SELECT to_hex(bulk());

-- case: reference types inside the guest
CREATE FUNCTION refs() RETURNS integer LANGUAGE wasm AS '(module
	(table $t 2 funcref)
	(elem declare func $seven)
	(type $r (func (result i32)))
	(func $seven (type $r) (i32.const 7))
	(func (export "f") (result i32)
		(table.set $t (i32.const 1) (ref.func $seven))
		(i32.add (table.size $t) (call_indirect $t (type $r) (i32.const 1)))))';
SELECT refs();

-- case: blocks with several values
CREATE FUNCTION blocks(integer) RETURNS integer LANGUAGE wasm AS '(module
	(func (export "f") (param i32) (result i32)
		(block (result i32 i32) (local.get 0) (i32.const 5))
		i32.mul))';
SELECT blocks(3);

-- case: SIMD
CREATE FUNCTION dot(uuid, uuid) RETURNS integer LANGUAGE wasm AS '(module
	(func (export "f") (param v128 v128) (result i32)
		(i32x4.extract_lane 0 (i32x4.dot_i16x8_s (local.get 0) (local.get 1)))))';
SELECT dot('02000300-0000-0000-0000-000000000000', '05000700-0000-0000-0000-000000000000');

-- case: tail calls
CREATE FUNCTION tail(integer) RETURNS integer LANGUAGE wasm AS '(module
	(func $down (export "f") (param i32) (result i32)
		(if (result i32) (i32.eqz (local.get 0))
			(then (i32.const 42))
			(else (return_call $down (i32.sub (local.get 0) (i32.const 1)))))))';
SELECT tail(1000000);

-- case: extended constants
CREATE FUNCTION constants() RETURNS integer LANGUAGE wasm AS '(module
	(global $g i32 (i32.add (i32.const 40) (i32.const 2)))
	(func (export "f") (result i32) (global.get $g)))';
SELECT constants();

\set VERBOSITY sqlstate

-- case: no threads
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS '(module (memory 1 1 shared))';
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS
	'(module (memory 1) (func (drop (i32.atomic.load (i32.const 0)))))';

-- case: no memory64
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS '(module (memory i64 1))';
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS '(module (table i64 1 funcref))';

-- case: no second memory
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS '(module (memory 1) (memory 1))';

-- case: no garbage collection
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS '(module (type (struct (field i32))))';
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS '(module (type (array i32)))';
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS '(module (func (param anyref)))';
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS
	'(module (func (result i32) (i31.get_s (ref.i31 (i32.const 1)))))';

-- case: no typed function references
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS
	'(module (type $t (func)) (func (param (ref $t)) (call_ref $t (local.get 0))))';

-- case: no exceptions
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS '(module (tag $e) (func (throw $e)))';
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS '(module (func (block (try_table (catch_all 0)))))';

-- case: no relaxed SIMD
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS
	'(module (func (param v128 v128) (result v128) (i8x16.relaxed_swizzle (local.get 0) (local.get 1))))';

-- case: no wide arithmetic
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS
	'(module (func (param i64 i64) (result i64 i64) (i64.mul_wide_s (local.get 0) (local.get 1))))';

-- case: no pages of another size
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS '(module (memory 1 (pagesize 1)))';

-- case: no stack switching
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS
	'(module (type $f (func)) (type $c (cont $f)))';

-- case: components have the same proposals
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS '(component (core module (memory i64 1)))';
\set VERBOSITY default

-- case: the message says what is not supported
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS '(module (memory 1 1 shared))';
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS '(module (memory 1) (memory 1))';

SET client_min_messages = warning;
DROP SCHEMA proposals CASCADE;
RESET client_min_messages;
