-- Functions with several results, or with none.
CREATE SCHEMA multivalue;
SET search_path = multivalue, public;

CREATE FUNCTION m() RETURNS wasm.module LANGUAGE wasm AS '
(module
	(func (export "none") (param i32))
	(func (export "one") (result i32) (i32.const 1))
	(func (export "swap") (param i32 i64) (result i64 i32) (local.get 1) (local.get 0))
	(func (export "all") (result i32 i64 f32 f64 v128)
		(i32.const -1) (i64.const -2) (f32.const 0.5) (f64.const -0.25) (v128.const i32x4 1 2 3 4))
	(func (export "twenty") (param i32) (result i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)
		(local.get 0) (i32.const 2) (i32.const 3) (i32.const 4) (i32.const 5) (i32.const 6) (i32.const 7)
		(i32.const 8) (i32.const 9) (i32.const 10) (i32.const 11) (i32.const 12) (i32.const 13)
		(i32.const 14) (i32.const 15) (i32.const 16) (i32.const 17) (i32.const 18) (i32.const 19)
		(local.get 0)))
';

-- case: no result
CREATE FUNCTION "none"(integer) RETURNS void LANGUAGE wasm AS 'm';
SELECT "none"(1);
SELECT "none"(1) IS NULL AS is_null, pg_typeof("none"(1));

-- case: no result where one is declared, and the reverse
CREATE FUNCTION bad(integer) RETURNS integer LANGUAGE wasm AS 'm#none';
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION bad() RETURNS void LANGUAGE wasm AS 'm#one';

-- case: OUT columns
CREATE FUNCTION swap(integer, bigint, OUT a bigint, OUT b integer) LANGUAGE wasm AS 'm';
SELECT swap(1, 2);
SELECT * FROM swap(1, 2);
SELECT (swap(1, 2)).b;
SELECT x, s.a, s.b FROM generate_series(1, 3) AS x, swap(x, x * 10::bigint) AS s;

-- case: generated OUT columns are called r1 to rn
SELECT wasm.create_functions('m', prefix => 'g_') AS function;
\df g_all
\df g_swap
SELECT * FROM g_all();
SELECT * FROM g_swap(3, 4);

-- case: one OUT column is a plain result
CREATE FUNCTION one_out(OUT a integer) LANGUAGE wasm AS 'm#one';
SELECT one_out(), pg_typeof(one_out());

-- case: INOUT
CREATE FUNCTION inout_swap(INOUT a integer, INOUT b bigint) LANGUAGE wasm AS 'm#swap';
CREATE FUNCTION inout_swap(a integer, INOUT b bigint, OUT c integer) LANGUAGE wasm AS 'm#swap';
SELECT * FROM inout_swap(5, 6);

-- case: RETURNS TABLE gives one row
CREATE FUNCTION table_swap(integer, bigint) RETURNS TABLE (a bigint, b integer) LANGUAGE wasm AS 'm#swap';
SELECT * FROM table_swap(1, 2);
SELECT table_swap(1, 2);
SELECT * FROM table_swap(1, 2) WITH ORDINALITY;
CREATE FUNCTION table_one() RETURNS TABLE (a integer) LANGUAGE wasm AS 'm#one';
SELECT * FROM table_one();
SELECT table_one(), generate_series(1, 2);

-- case: RETURNS TABLE and STRICT: no row for NULL
CREATE FUNCTION strict_table(integer, bigint) RETURNS TABLE (a bigint, b integer) LANGUAGE wasm STRICT AS 'm#swap';
SELECT * FROM strict_table(1, NULL);
SELECT * FROM strict_table(1, 2);

-- case: RETURNS TABLE with other sets, in joins and in PL/pgSQL
SELECT strict_table(generate_series(1, 3), 5);
SELECT (strict_table(i, 6)).* FROM generate_series(1, 2) AS i;
SELECT i, t.* FROM generate_series(1, 3) AS i LEFT JOIN LATERAL strict_table(nullif(i, 2), 7) AS t ON true;
CREATE FUNCTION record_of_table() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r record;
	s record;
BEGIN
	r := multivalue.strict_table(1, 8);
	SELECT * INTO s FROM multivalue.strict_table(2, 9);
	RETURN r::text || s::text;
END
$$;
SELECT record_of_table();

-- case: a named composite
CREATE TYPE pair AS (a bigint, b integer);
CREATE FUNCTION pair(integer, bigint) RETURNS pair LANGUAGE wasm AS 'm#swap';
SELECT pair(1, 2), pg_typeof(pair(1, 2));
SELECT * FROM pair(1, 2);
SELECT (pair(1, 2)).a;

-- case: the row type of a table
CREATE TABLE pairs (a bigint, b integer);
CREATE FUNCTION table_row(integer, bigint) RETURNS pairs LANGUAGE wasm AS 'm#swap';
INSERT INTO pairs SELECT (table_row(x, x * 2)).* FROM generate_series(1, 2) AS x;
SELECT * FROM pairs;

-- case: a composite with one attribute
CREATE TYPE single AS (a integer);
CREATE FUNCTION single() RETURNS single LANGUAGE wasm AS 'm#one';
SELECT single(), (single()).a;

-- case: every type in a composite, converted and tested
CREATE TYPE every AS (a boolean, b timestamp, c real, d double precision, e uuid);
CREATE FUNCTION every() RETURNS every LANGUAGE wasm AS '(module
	(func (export "f") (result i32 i64 f32 f64 v128)
		(i32.const 1) (i64.const 1) (f32.const -0) (f64.const nan) (v128.const i32x4 1 2 3 4)))';
SET datestyle = ISO;
SELECT (every()).*;
CREATE FUNCTION every_bad() RETURNS every LANGUAGE wasm AS '(module
	(func (export "f") (result i32 i64 f32 f64 v128)
		(i32.const 2) (i64.const 1) (f32.const -0) (f64.const nan) (v128.const i32x4 1 2 3 4)))';
SELECT (every_bad()).*;
\echo :LAST_ERROR_SQLSTATE
RESET datestyle;

-- case: dropped attributes take no result
ALTER TYPE pair ADD ATTRIBUTE c integer CASCADE, DROP ATTRIBUTE b CASCADE;
SELECT pair(3, 4);
ALTER TABLE pairs DROP COLUMN a;
ALTER TABLE pairs ADD COLUMN c integer;
SELECT * FROM table_row(3, 4);
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION dropped() RETURNS pairs LANGUAGE wasm AS
	'(module (func (export "f") (result i32 i32) (i32.const 1) (i32.const 2)))';
SELECT * FROM dropped();

-- case: a composite that grows in the session
CREATE TYPE growing AS (a integer, b integer);
CREATE FUNCTION growing() RETURNS growing LANGUAGE wasm AS
	'(module (func (export "f") (result i32 i32) (i32.const 1) (i32.const 2)))';
SELECT growing();
ALTER TYPE growing ADD ATTRIBUTE c integer CASCADE;
SELECT growing();
\echo :LAST_ERROR_SQLSTATE
ALTER TYPE growing DROP ATTRIBUTE c CASCADE;
SELECT growing();
ALTER TYPE growing ALTER ATTRIBUTE b TYPE smallint CASCADE;
SELECT growing();
ALTER TYPE growing ALTER ATTRIBUTE b TYPE bigint CASCADE;
SELECT growing();

-- case: a domain over a composite
CREATE TYPE range AS (low integer, high integer);
CREATE DOMAIN ordered AS range CHECK ((VALUE).low <= (VALUE).high);
CREATE FUNCTION ordered(integer, integer) RETURNS ordered LANGUAGE wasm AS
	'(module (func (export "f") (param i32 i32) (result i32 i32) (local.get 0) (local.get 1)))';
SELECT ordered(1, 2), pg_typeof(ordered(1, 2));
SELECT ordered(2, 1);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM ordered(1, 1);

-- case: many results
CREATE FUNCTION twenty(integer) RETURNS TABLE (c1 integer, c2 integer, c3 integer, c4 integer, c5 integer,
	c6 integer, c7 integer, c8 integer, c9 integer, c10 integer, c11 integer, c12 integer, c13 integer,
	c14 integer, c15 integer, c16 integer, c17 integer, c18 integer, c19 integer, c20 integer) LANGUAGE wasm AS 'm';
SELECT * FROM twenty(1);
SELECT sum(c20) FROM generate_series(1, 1000) AS x, twenty(x);

-- case: hundreds of results
DO $do$
BEGIN
	EXECUTE format('CREATE FUNCTION multivalue.hundreds() RETURNS wasm.module LANGUAGE wasm AS %L',
				   (SELECT format('(module (func (export "f") (result %s) %s))',
								  string_agg('i32', ' '), string_agg(format('(i32.const %s)', i), ' ' ORDER BY i))
					FROM generate_series(1, 500) AS i));
END
$do$;
SELECT wasm.create_functions('hundreds', prefix => 'hundreds_');
SELECT pronargs, array_length(proallargtypes, 1) FROM pg_proc WHERE oid = 'hundreds_f'::regproc;
SELECT (hundreds_f()).r1, (hundreds_f()).r2, (hundreds_f()).r499, (hundreds_f()).r500;
SELECT length(hundreds_f()::text);

-- case: too few columns, too many, and in another order
CREATE FUNCTION bad(integer, bigint, OUT a bigint) LANGUAGE wasm AS 'm#swap';
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION bad(integer, bigint, OUT a bigint, OUT b integer, OUT c integer) LANGUAGE wasm AS 'm#swap';
CREATE FUNCTION bad(integer, bigint, OUT a integer, OUT b bigint) LANGUAGE wasm AS 'm#swap';
CREATE FUNCTION bad(integer, bigint) RETURNS bigint LANGUAGE wasm AS 'm#swap';
CREATE FUNCTION bad(integer, bigint) RETURNS single LANGUAGE wasm AS 'm#swap';

-- case: a plain record is refused
CREATE FUNCTION bad(integer, bigint) RETURNS record LANGUAGE wasm AS 'm#swap';
\echo :LAST_ERROR_SQLSTATE

-- case: arrays are no composites
CREATE FUNCTION bad(integer, bigint) RETURNS integer[] LANGUAGE wasm AS 'm#swap';

SET client_min_messages = warning;
DROP SCHEMA multivalue CASCADE;
RESET client_min_messages;
