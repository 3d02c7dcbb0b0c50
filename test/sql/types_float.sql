-- f32 and f64: real and double precision, bit by bit.
CREATE SCHEMA types_float;
SET search_path = types_float, public;

CREATE FUNCTION m() RETURNS wasm.module LANGUAGE wasm AS '
(module
	(func (export "same32") (param f32) (result f32) (local.get 0))
	(func (export "same64") (param f64) (result f64) (local.get 0))
	(func (export "bits32") (param f32) (result i32) (i32.reinterpret_f32 (local.get 0)))
	(func (export "bits64") (param f64) (result i64) (i64.reinterpret_f64 (local.get 0)))
	(func (export "from32") (param i32) (result f32) (f32.reinterpret_i32 (local.get 0)))
	(func (export "from64") (param i64) (result f64) (f64.reinterpret_i64 (local.get 0)))
	(func (export "mixed") (param f32 f64 i32 i64) (result f64)
		(f64.add (f64.add (f64.promote_f32 (local.get 0)) (local.get 1))
			(f64.add (f64.convert_i32_s (local.get 2)) (f64.convert_i64_s (local.get 3))))))
';
SELECT count(*) FROM wasm.create_functions('m', strict => false);

-- case: real
SELECT same32(0), same32(1.5), same32(-1.1);

-- case: real, the greatest and the smallest
SELECT same32('3.4028235e38'), same32('-3.4028235e38'), same32('1.1754944e-38'), same32('1e-45');
SELECT to_hex(bits32('3.4028235e38')), to_hex(bits32('1e-45'));

-- case: real, minus zero, infinities, NaN
SELECT same32('-0'), same32('infinity'), same32('-infinity'), same32('NaN');
SELECT to_hex(bits32('-0')), to_hex(bits32('infinity')), to_hex(bits32('-infinity')), to_hex(bits32('NaN'));
SELECT from32(-2147483648), from32(x'7f800000'::integer), from32(x'ff800000'::integer);

-- case: real, any bits of a NaN are NaN
SELECT from32(x'7fc00001'::integer), from32(x'ffffffff'::integer), from32(x'7f800001'::integer);
SELECT from32(x'ffffffff'::integer) = 'NaN' AS equal;

-- case: double precision
SELECT same64(0), same64(1.5), same64(-1.1);

-- case: double precision, the greatest and the smallest
SELECT same64('1.7976931348623157e308'), same64('-1.7976931348623157e308'), same64('2.2250738585072014e-308'),
	same64('5e-324');
SELECT to_hex(bits64('1.7976931348623157e308')), to_hex(bits64('5e-324'));

-- case: double precision, minus zero, infinities, NaN
SELECT same64('-0'), same64('infinity'), same64('-infinity'), same64('NaN');
SELECT to_hex(bits64('-0')), to_hex(bits64('infinity')), to_hex(bits64('-infinity')), to_hex(bits64('NaN'));
SELECT from64(-9223372036854775808), from64(x'7ff0000000000000'::bigint), from64(x'fff0000000000000'::bigint);

-- case: double precision, any bits of a NaN are NaN
SELECT from64(x'7ff8000000000001'::bigint), from64(-1), from64(-1) = 'NaN' AS equal;

-- case: arguments of all widths
SELECT mixed(0.5, 0.25, -1, 4294967296);

-- case: one is not taken for the other
CREATE FUNCTION bad(double precision) RETURNS real LANGUAGE wasm AS 'm#same32';
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION bad(double precision) RETURNS real LANGUAGE wasm AS 'm#same64';
CREATE FUNCTION bad(numeric) RETURNS numeric LANGUAGE wasm AS 'm#same64';

SET client_min_messages = warning;
DROP SCHEMA types_float CASCADE;
RESET client_min_messages;
