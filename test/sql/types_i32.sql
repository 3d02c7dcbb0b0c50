-- i32 and the SQL types that stand for it.
CREATE SCHEMA types_i32;
SET search_path = types_i32, public;

CREATE FUNCTION m() RETURNS wasm.module LANGUAGE wasm AS '
(module
	(func (export "same") (param i32) (result i32) (local.get 0))
	(func (export "wide") (param i32) (result i64) (i64.extend_i32_s (local.get 0)))
	(func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
	(func (export "is") (param i32 i32) (result i32) (i32.eq (local.get 0) (local.get 1))))
';

-- case: integer
CREATE FUNCTION same(integer) RETURNS integer LANGUAGE wasm AS 'm#same';
SELECT same(0), same(1), same(-1), same(2147483647), same(-2147483648);

-- case: integer arithmetic of the guest wraps, as WebAssembly says
CREATE FUNCTION add(integer, integer) RETURNS integer LANGUAGE wasm AS 'm#add';
SELECT add(2147483647, 1);

-- case: smallint
CREATE FUNCTION same_int2(smallint) RETURNS smallint LANGUAGE wasm AS 'm#same';
CREATE FUNCTION to_int2(integer) RETURNS smallint LANGUAGE wasm AS 'm#same';
CREATE FUNCTION wide_int2(smallint) RETURNS bigint LANGUAGE wasm AS 'm#wide';
SELECT same_int2(0::smallint), same_int2(32767::smallint), same_int2((-32768)::smallint);
SELECT wide_int2(32767::smallint), wide_int2((-32768)::smallint), wide_int2((-1)::smallint);
SELECT to_int2(32767), to_int2(-32768);

-- case: smallint out of range
SELECT to_int2(32768);
\echo :LAST_ERROR_SQLSTATE
SELECT to_int2(-32769);
SELECT to_int2(65536);
SELECT to_int2(2147483647);
SELECT to_int2(-2147483648);

-- case: boolean
CREATE FUNCTION same_bool(boolean) RETURNS boolean LANGUAGE wasm AS 'm#same';
CREATE FUNCTION bool_is(boolean, integer) RETURNS boolean LANGUAGE wasm AS 'm#is';
CREATE FUNCTION to_bool(integer) RETURNS boolean LANGUAGE wasm AS 'm#same';
SELECT same_bool(true), same_bool(false), bool_is(true, 1), bool_is(false, 0), to_bool(1), to_bool(0);

-- case: boolean out of range
SELECT to_bool(2);
\echo :LAST_ERROR_SQLSTATE
SELECT to_bool(-1);
SELECT to_bool(256);

-- case: "char"
CREATE FUNCTION same_char("char") RETURNS "char" LANGUAGE wasm AS 'm#same';
CREATE FUNCTION to_char(integer) RETURNS "char" LANGUAGE wasm AS 'm#same';
CREATE FUNCTION from_char("char") RETURNS integer LANGUAGE wasm AS 'm#same';
SELECT same_char('a'), from_char('a'), from_char('\377'), from_char('\200'), from_char('\177');
SELECT to_char(97), to_char(127)::integer, to_char(-128)::integer, to_char(-1)::integer, to_char(0)::integer;

-- case: "char" out of range
SELECT to_char(128);
\echo :LAST_ERROR_SQLSTATE
SELECT to_char(-129);
SELECT to_char(256);

-- case: oid is a bit pattern
CREATE FUNCTION same_oid(oid) RETURNS oid LANGUAGE wasm AS 'm#same';
CREATE FUNCTION to_oid(integer) RETURNS oid LANGUAGE wasm AS 'm#same';
CREATE FUNCTION from_oid(oid) RETURNS integer LANGUAGE wasm AS 'm#same';
SELECT same_oid(0), same_oid(4294967295), same_oid(2147483648);
SELECT to_oid(-1), to_oid(-2147483648), from_oid(4294967295), from_oid(2147483648);

-- case: date
CREATE FUNCTION same_date(date) RETURNS date LANGUAGE wasm AS 'm#same';
CREATE FUNCTION to_date(integer) RETURNS date LANGUAGE wasm AS 'm#same';
CREATE FUNCTION from_date(date) RETURNS integer LANGUAGE wasm AS 'm#same';
SET datestyle = ISO;
SELECT same_date('2000-01-01'), same_date('4713-11-24 BC'), same_date('5874897-12-31');
SELECT same_date('infinity'), same_date('-infinity');
SELECT from_date('2000-01-01'), from_date('1999-12-31'), from_date('4713-11-24 BC'), from_date('5874897-12-31');
SELECT to_date(0), to_date(-2451545), to_date(2145031948), to_date(2147483647), to_date(-2147483648);

-- case: date out of range
SELECT to_date(-2451546);
\echo :LAST_ERROR_SQLSTATE
SELECT to_date(2145031949);
SELECT to_date(2147483646);
SELECT to_date(-2147483647);
RESET datestyle;

-- case: a type of another width is refused
CREATE FUNCTION bad(bigint) RETURNS integer LANGUAGE wasm AS 'm#same';
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION bad(integer) RETURNS bigint LANGUAGE wasm AS 'm#same';
CREATE FUNCTION bad(integer) RETURNS numeric LANGUAGE wasm AS 'm#same';
CREATE FUNCTION bad(real) RETURNS integer LANGUAGE wasm AS 'm#same';

-- case: types like those that are taken, but not taken
CREATE FUNCTION bad(regproc) RETURNS integer LANGUAGE wasm AS 'm#same';
CREATE FUNCTION bad(xid) RETURNS integer LANGUAGE wasm AS 'm#same';
CREATE FUNCTION bad(character) RETURNS integer LANGUAGE wasm AS 'm#same';
CREATE FUNCTION bad(text) RETURNS integer LANGUAGE wasm AS 'm#same';

SET client_min_messages = warning;
DROP SCHEMA types_i32 CASCADE;
RESET client_min_messages;
