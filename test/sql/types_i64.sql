-- i64 and the SQL types that stand for it.
CREATE SCHEMA types_i64;
SET search_path = types_i64, public;
SET datestyle = ISO;
SET timezone = 'UTC';
SET lc_monetary = 'C';

CREATE FUNCTION m() RETURNS wasm.module LANGUAGE wasm AS '
(module
	(func (export "same") (param i64) (result i64) (local.get 0))
	(func (export "add") (param i64 i64) (result i64) (i64.add (local.get 0) (local.get 1))))
';

-- case: bigint
CREATE FUNCTION same(bigint) RETURNS bigint LANGUAGE wasm AS 'm#same';
SELECT same(0), same(-1), same(9223372036854775807), same(-9223372036854775808);
SELECT same(4294967295), same(4294967296), same(-4294967297);

-- case: bigint arithmetic of the guest wraps, as WebAssembly says
CREATE FUNCTION add(bigint, bigint) RETURNS bigint LANGUAGE wasm AS 'm#add';
SELECT add(9223372036854775807, 1);

-- case: a call leaves its arguments as they were
SELECT sum(add(5, i)) FROM generate_series(1, 4) i;
SELECT sum(add(i, 5)) FROM generate_series(1, 4) i;
DO $$
DECLARE
	total bigint := 0;
BEGIN
	FOR i IN 1 .. 4 LOOP
		total := total + add(5, i);
	END LOOP;
	RAISE NOTICE 'total %', total;
END $$;

-- case: many arguments
CREATE FUNCTION last(bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint,
	bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint) RETURNS bigint LANGUAGE wasm AS '
(module (func (export "last")
	(param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64) (result i64)
	(i64.add (i64.mul (local.get 0) (i64.const 1000)) (local.get 19))))
';
SELECT last(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, i) FROM generate_series(20, 22) i;
SELECT last(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, NULL);

-- case: timestamp
CREATE FUNCTION same_timestamp(timestamp) RETURNS timestamp LANGUAGE wasm AS 'm#same';
CREATE FUNCTION to_timestamp(bigint) RETURNS timestamp LANGUAGE wasm AS 'm#same';
CREATE FUNCTION from_timestamp(timestamp) RETURNS bigint LANGUAGE wasm AS 'm#same';
SELECT same_timestamp('2000-01-01 00:00:00.000001'), from_timestamp('2000-01-01 00:00:00.000001');
SELECT same_timestamp('4713-11-24 00:00:00 BC'), same_timestamp('294276-12-31 23:59:59.999999');
SELECT same_timestamp('infinity'), same_timestamp('-infinity');
SELECT from_timestamp('4713-11-24 00:00:00 BC'), from_timestamp('294276-12-31 23:59:59.999999');
SELECT to_timestamp(-211813488000000000), to_timestamp(9223371331199999999);
SELECT to_timestamp(9223372036854775807), to_timestamp(-9223372036854775808);

-- case: timestamp out of range
SELECT to_timestamp(-211813488000000001);
\echo :LAST_ERROR_SQLSTATE
SELECT to_timestamp(9223371331200000000);
SELECT to_timestamp(9223372036854775806);
SELECT to_timestamp(-9223372036854775807);

-- case: timestamp with time zone
CREATE FUNCTION same_timestamptz(timestamptz) RETURNS timestamptz LANGUAGE wasm AS 'm#same';
CREATE FUNCTION to_timestamptz(bigint) RETURNS timestamptz LANGUAGE wasm AS 'm#same';
SELECT same_timestamptz('2000-01-01 01:00:00+01'), same_timestamptz('infinity'), same_timestamptz('-infinity');
SELECT to_timestamptz(0), to_timestamptz(-211813488000000000), to_timestamptz(9223371331199999999);
SELECT to_timestamptz(9223371331200000000);
\echo :LAST_ERROR_SQLSTATE
SELECT to_timestamptz(-211813488000000001);

-- case: time
CREATE FUNCTION same_time(time) RETURNS time LANGUAGE wasm AS 'm#same';
CREATE FUNCTION to_time(bigint) RETURNS time LANGUAGE wasm AS 'm#same';
CREATE FUNCTION from_time(time) RETURNS bigint LANGUAGE wasm AS 'm#same';
SELECT same_time('00:00'), same_time('23:59:59.999999'), same_time('24:00');
SELECT from_time('00:00:00.000001'), from_time('24:00');
SELECT to_time(0), to_time(86400000000);

-- case: time out of range
SELECT to_time(-1);
\echo :LAST_ERROR_SQLSTATE
SELECT to_time(86400000001);
SELECT to_time(-9223372036854775808);

-- case: money
CREATE FUNCTION same_money(money) RETURNS money LANGUAGE wasm AS 'm#same';
CREATE FUNCTION to_money(bigint) RETURNS money LANGUAGE wasm AS 'm#same';
CREATE FUNCTION from_money(money) RETURNS bigint LANGUAGE wasm AS 'm#same';
SELECT same_money('12.34'), same_money('-92233720368547758.08'), same_money('92233720368547758.07');
SELECT from_money('12.34'), from_money('-92233720368547758.08'), from_money('92233720368547758.07');
SELECT to_money(-1), to_money(9223372036854775807), to_money(-9223372036854775808);

-- case: xid8 is a bit pattern
CREATE FUNCTION same_xid8(xid8) RETURNS xid8 LANGUAGE wasm AS 'm#same';
CREATE FUNCTION to_xid8(bigint) RETURNS xid8 LANGUAGE wasm AS 'm#same';
CREATE FUNCTION from_xid8(xid8) RETURNS bigint LANGUAGE wasm AS 'm#same';
SELECT same_xid8('0'), same_xid8('18446744073709551615'), same_xid8('9223372036854775808');
SELECT to_xid8(-1), to_xid8(-9223372036854775808), from_xid8('18446744073709551615');

-- case: pg_lsn is a bit pattern
CREATE FUNCTION same_lsn(pg_lsn) RETURNS pg_lsn LANGUAGE wasm AS 'm#same';
CREATE FUNCTION to_lsn(bigint) RETURNS pg_lsn LANGUAGE wasm AS 'm#same';
CREATE FUNCTION from_lsn(pg_lsn) RETURNS bigint LANGUAGE wasm AS 'm#same';
SELECT same_lsn('0/0'), same_lsn('FFFFFFFF/FFFFFFFF'), same_lsn('1/2');
SELECT to_lsn(-1), from_lsn('FFFFFFFF/FFFFFFFF'), from_lsn('1/0');

-- case: numeric
CREATE FUNCTION same_numeric(numeric) RETURNS numeric LANGUAGE wasm AS 'm#same';
SELECT same_numeric(0), same_numeric(-0.0), same_numeric(1e3), same_numeric(12.000), same_numeric(1e18);
SELECT same_numeric(9223372036854775807), same_numeric(-9223372036854775808);
SELECT same_numeric(9223372036854775807.000), same_numeric(-9223372036854775808.0);

-- case: numeric out of range
SELECT same_numeric(9223372036854775808);
\echo :LAST_ERROR_SQLSTATE
SELECT same_numeric(-9223372036854775809);
SELECT same_numeric(1e30);
SELECT same_numeric(18446744073709551615);

-- case: numeric with a fraction
SELECT same_numeric(0.5);
\echo :LAST_ERROR_SQLSTATE
SELECT same_numeric(-1.000000000000000000000000000001);
SELECT same_numeric(9223372036854775807.1);

-- case: numeric that is not a number
SELECT same_numeric('NaN');
\echo :LAST_ERROR_SQLSTATE
SELECT same_numeric('infinity');
SELECT same_numeric('-infinity');

-- case: types of 64 bits that are not taken
CREATE FUNCTION bad(interval) RETURNS bigint LANGUAGE wasm AS 'm#same';
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION bad(double precision) RETURNS bigint LANGUAGE wasm AS 'm#same';
CREATE FUNCTION bad(timetz) RETURNS bigint LANGUAGE wasm AS 'm#same';
CREATE FUNCTION bad(bigint) RETURNS integer LANGUAGE wasm AS 'm#same';

SET client_min_messages = warning;
DROP SCHEMA types_i64 CASCADE;
RESET client_min_messages;
