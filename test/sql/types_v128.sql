-- v128 as numeric, uuid and bytea.
CREATE SCHEMA types_v128;
SET search_path = types_v128, public;

CREATE FUNCTION m() RETURNS wasm.module LANGUAGE wasm AS '
(module
	(func (export "same") (param v128) (result v128) (local.get 0))
	(func (export "lanes") (result v128) (v128.const i32x4 1 2 3 4))
	(func (export "all") (result v128) (v128.const i64x2 -1 -1))
	(func (export "byte0") (param v128) (result i32) (i8x16.extract_lane_u 0 (local.get 0)))
	(func (export "byte15") (param v128) (result i32) (i8x16.extract_lane_u 15 (local.get 0)))
	(func (export "add") (param v128 v128) (result v128) (i64x2.add (local.get 0) (local.get 1)))
	(func (export "splat") (param i32) (result v128) (i32x4.splat (local.get 0))))
';

-- case: numeric, lane 0 is least significant
CREATE FUNCTION lanes() RETURNS numeric LANGUAGE wasm AS 'm';
SELECT lanes();
SELECT lanes() = 1 + 2 * 2::numeric ^ 32 + 3 * 2::numeric ^ 64 + 4 * 2::numeric ^ 96 AS equal;

-- case: numeric, from 0 to 2^128 - 1
CREATE FUNCTION same(numeric) RETURNS numeric LANGUAGE wasm AS 'm';
SELECT same(0), same(1), same(-0.0), same(7.000);
SELECT same(9223372036854775808), same(18446744073709551615), same(18446744073709551616);
SELECT same(170141183460469231731687303715884105728);
SELECT same(340282366920938463463374607431768211455);
SELECT same(340282366920938463463374607431768211455.00);
SELECT same(1e38), same(10 ^ 38::numeric) = 10 ^ 38::numeric AS equal;
CREATE FUNCTION "all"() RETURNS numeric LANGUAGE wasm AS 'm';
SELECT "all"();

-- case: numeric out of range
SELECT same(340282366920938463463374607431768211456);
\echo :LAST_ERROR_SQLSTATE
SELECT same(-1);
\echo :LAST_ERROR_SQLSTATE
SELECT same(340282366920938463463374607431768211460);
SELECT same(999999999999999999999999999999999999999);
SELECT same(1e39);
\set VERBOSITY sqlstate
SELECT same(1e131071);
\set VERBOSITY default

-- case: numeric with a fraction
SELECT same(0.5);
\echo :LAST_ERROR_SQLSTATE
SELECT same(340282366920938463463374607431768211455.5);
SELECT same(-0.1);

-- case: numeric that is not a number
SELECT same('NaN');
\echo :LAST_ERROR_SQLSTATE
SELECT same('infinity');
SELECT same('-infinity');

-- case: every power of two and its neighbours
SELECT count(*) FROM generate_series(0, 127) AS n
WHERE same(2::numeric ^ n) <> 2::numeric ^ n OR same(2::numeric ^ n - 1) <> 2::numeric ^ n - 1;

-- case: uuid is the bytes in memory order
CREATE FUNCTION same_uuid(uuid) RETURNS uuid LANGUAGE wasm AS 'm#same';
CREATE FUNCTION lanes_uuid() RETURNS uuid LANGUAGE wasm AS 'm#lanes';
CREATE FUNCTION byte0(uuid) RETURNS integer LANGUAGE wasm AS 'm';
CREATE FUNCTION byte15(uuid) RETURNS integer LANGUAGE wasm AS 'm';
SELECT lanes_uuid();
SELECT same_uuid('00000000-0000-0000-0000-000000000000'), same_uuid('ffffffff-ffff-ffff-ffff-ffffffffffff');
SELECT same_uuid('00112233-4455-6677-8899-aabbccddeeff');
SELECT byte0('12345678-0000-0000-0000-0000000000fe'), byte15('12345678-0000-0000-0000-0000000000fe');

-- case: bytea is the bytes in memory order
CREATE FUNCTION same_bytea(bytea) RETURNS bytea LANGUAGE wasm AS 'm#same';
CREATE FUNCTION lanes_bytea() RETURNS bytea LANGUAGE wasm AS 'm#lanes';
SELECT lanes_bytea();
SELECT same_bytea('\x00112233445566778899aabbccddeeff'), same_bytea(repeat(' ', 16)::bytea);

-- case: bytea of another length
SELECT same_bytea('\x00112233445566778899aabbccddee');
\echo :LAST_ERROR_SQLSTATE
SELECT same_bytea('\x00112233445566778899aabbccddeeff00');
SELECT same_bytea('');

-- case: bytea that is compressed or out of line in a table
CREATE TABLE stored (plain bytea, external bytea);
ALTER TABLE stored ALTER external SET STORAGE external;
INSERT INTO stored VALUES ('\x00112233445566778899aabbccddeeff', repeat('ab', 5000)::bytea);
SELECT same_bytea(plain) FROM stored;
SELECT same_bytea(external) FROM stored;

-- case: numeric to uuid and back
CREATE FUNCTION to_uuid(numeric) RETURNS uuid LANGUAGE wasm AS 'm#same';
CREATE FUNCTION to_numeric(uuid) RETURNS numeric LANGUAGE wasm AS 'm#same';
SELECT to_uuid(1), to_numeric('01000000-0200-0000-0300-000004000000');
SELECT to_numeric(to_uuid(316912650112397582603894390785));

-- case: several arguments, and mixed with others
CREATE FUNCTION add(numeric, numeric) RETURNS numeric LANGUAGE wasm AS 'm';
CREATE FUNCTION splat(integer) RETURNS uuid LANGUAGE wasm AS 'm';
SELECT add(1, 18446744073709551616), splat(-2);

-- case: types that do not stand for v128
CREATE FUNCTION bad(bigint) RETURNS numeric LANGUAGE wasm AS 'm#same';
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION bad(text) RETURNS numeric LANGUAGE wasm AS 'm#same';
CREATE FUNCTION bad(numeric) RETURNS numeric LANGUAGE wasm AS '(module (func (export "f") (param f64) (result f64) (local.get 0)))';

SET client_min_messages = warning;
DROP SCHEMA types_v128 CASCADE;
RESET client_min_messages;
