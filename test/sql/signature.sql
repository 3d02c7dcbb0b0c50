-- Signatures: what fits an export, and what is refused.
CREATE SCHEMA signature;
SET search_path = signature, public;

CREATE FUNCTION m() RETURNS wasm.module LANGUAGE wasm AS '
(module
	(global $calls (mut i32) (i32.const 0))
	(func (export "same") (param i32) (result i32) (local.get 0))
	(func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
	(func (export "count") (param i32) (global.set $calls (i32.add (global.get $calls) (local.get 0))))
	(func (export "counted") (result i32) (global.get $calls))
	(func (export "two") (param i32) (result i32 i64) (local.get 0) (i64.const 2))
	(func (export "ref") (param externref) (result i32) (i32.const 1))
	(func (export "makeref") (result funcref) (ref.null func))
	(func (export "mixed") (param i32 funcref) (result i64) (i64.const 1)))
';

-- case: too few arguments, and too many
CREATE FUNCTION bad(integer) RETURNS integer LANGUAGE wasm AS 'm#add';
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION bad(integer, integer, integer) RETURNS integer LANGUAGE wasm AS 'm#add';
CREATE FUNCTION bad() RETURNS integer LANGUAGE wasm AS 'm#add';

-- case: polymorphic types are refused
CREATE FUNCTION bad(anyelement) RETURNS anyelement LANGUAGE wasm AS 'm#same';
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION bad(anyelement) RETURNS integer LANGUAGE wasm AS 'm#same';
CREATE FUNCTION bad(anycompatible, anycompatible) RETURNS anycompatible LANGUAGE wasm AS 'm#add';
CREATE FUNCTION bad(anyarray) RETURNS integer LANGUAGE wasm AS 'm#same';
CREATE FUNCTION bad(anyelement, OUT a anyelement, OUT b bigint) LANGUAGE wasm AS 'm#two';
CREATE FUNCTION bad(VARIADIC "any") RETURNS integer LANGUAGE wasm AS 'm#same';

-- case: types that stand for no WebAssembly type are refused
CREATE TYPE color AS ENUM ('red', 'green');
CREATE FUNCTION bad(text) RETURNS integer LANGUAGE wasm AS 'm#same';
CREATE FUNCTION bad(integer) RETURNS text LANGUAGE wasm AS 'm#same';
CREATE FUNCTION bad(integer[]) RETURNS integer LANGUAGE wasm AS 'm#same';
CREATE FUNCTION bad(VARIADIC integer[]) RETURNS integer LANGUAGE wasm AS 'm#same';
CREATE FUNCTION bad(color) RETURNS integer LANGUAGE wasm AS 'm#same';
CREATE FUNCTION bad(json) RETURNS integer LANGUAGE wasm AS 'm#same';
CREATE FUNCTION bad(internal) RETURNS integer LANGUAGE wasm AS 'm#same';
CREATE FUNCTION bad(record) RETURNS integer LANGUAGE wasm AS 'm#same';

-- case: references are refused
CREATE FUNCTION bad(integer) RETURNS integer LANGUAGE wasm AS 'm#ref';
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION bad() RETURNS bigint LANGUAGE wasm AS 'm#makeref';
CREATE FUNCTION bad(integer, bigint) RETURNS bigint LANGUAGE wasm AS 'm#mixed';

-- case: sets are refused
CREATE FUNCTION bad(integer) RETURNS SETOF integer LANGUAGE wasm AS 'm#same';
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION bad(integer, OUT a integer, OUT b bigint) RETURNS SETOF record LANGUAGE wasm AS 'm#two';

-- case: window functions are refused
CREATE FUNCTION bad(integer) RETURNS integer LANGUAGE wasm WINDOW AS 'm#same';
\echo :LAST_ERROR_SQLSTATE

-- case: trigger functions are refused
CREATE FUNCTION bad() RETURNS trigger LANGUAGE wasm AS 'm#counted';
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION bad() RETURNS event_trigger LANGUAGE wasm AS 'm#counted';

-- case: modules as arguments or results are refused
CREATE FUNCTION bad(wasm.module) RETURNS integer LANGUAGE wasm AS 'm#same';

-- case: named arguments and defaults
CREATE FUNCTION named(a integer, b integer DEFAULT 10) RETURNS integer LANGUAGE wasm AS 'm#add';
SELECT named(1), named(b => 2, a => 1), named(1, 3);

-- case: overloaded functions
CREATE FUNCTION over(integer) RETURNS integer LANGUAGE wasm AS 'm#same';
CREATE FUNCTION over(integer, integer) RETURNS integer LANGUAGE wasm AS 'm#add';
SELECT over(1), over(1, 2);

-- case: a hundred arguments
DO $do$
BEGIN
	EXECUTE format('CREATE FUNCTION signature.hundred(%s) RETURNS bigint LANGUAGE wasm AS %L',
				   (SELECT string_agg('bigint', ', ') FROM generate_series(1, 100)),
				   (SELECT format('(module (func (export "f") (param %s) (result i64) (i64.const 0) %s))',
								  string_agg('i64', ' '),
								  string_agg(format('(i64.mul (local.get %s) (i64.const %s)) i64.add', i, i + 1), ' ' ORDER BY i))
					FROM generate_series(0, 99) AS i));
END
$do$;
SELECT pronargs FROM pg_proc WHERE oid = 'signature.hundred'::regproc;
-- the sum of i * i for i from 1 to 100
SELECT 'SELECT hundred(' || string_agg(i::text, ', ' ORDER BY i) || ')' AS command FROM generate_series(1, 100) AS i
\gset
:command;
SELECT 100 * 101 * 201 / 6 AS expected;

-- case: a hundred arguments and a hundred results
DO $do$
BEGIN
	EXECUTE format('CREATE FUNCTION signature.echo() RETURNS wasm.module LANGUAGE wasm AS %L',
				   (SELECT format('(module (func (export "f") (param %s) (result %s) %s))',
								  string_agg('f64', ' '), string_agg('f64', ' '),
								  string_agg(format('(local.get %s)', i), ' ' ORDER BY i))
					FROM generate_series(0, 99) AS i));
END
$do$;
SELECT count(*) FROM wasm.create_functions('echo', prefix => 'echo_');
SELECT format('SELECT r1, r2, r99, r100 FROM echo_f(%s)', string_agg((i / 2.0)::text, ', ' ORDER BY i)) AS command
FROM generate_series(1, 100) AS i
\gset
:command;

-- case: more than a hundred arguments cannot be had
CREATE FUNCTION wide() RETURNS wasm.module LANGUAGE wasm AS '(module)';
DO $do$
BEGIN
	EXECUTE format('CREATE OR REPLACE FUNCTION signature.wide() RETURNS wasm.module LANGUAGE wasm AS %L',
				   (SELECT format('(module (func (export "f") (param %s)))', string_agg('i32', ' '))
					FROM generate_series(1, 101)));
END
$do$;
SELECT wasm.create_functions('wide', prefix => 'wide_');

-- case: a procedure
CREATE PROCEDURE count(integer) LANGUAGE wasm AS 'm';
CREATE FUNCTION counted() RETURNS integer LANGUAGE wasm AS 'm';
CALL count(2);
CALL count(3);
SELECT counted();

-- case: a procedure with OUT arguments
CREATE PROCEDURE two(integer, OUT a integer, OUT b bigint) LANGUAGE wasm AS 'm';
CALL two(7, NULL, NULL);
CREATE PROCEDURE single(INOUT a integer) LANGUAGE wasm AS 'm#same';
CALL single(8);
DO $$
DECLARE
	x integer;
	y bigint;
BEGIN
	CALL two(9, x, y);
	RAISE NOTICE '% %', x, y;
END
$$;

-- case: a procedure whose export has a result that nobody takes
CREATE PROCEDURE bad(integer) LANGUAGE wasm AS 'm#same';
\echo :LAST_ERROR_SQLSTATE

-- case: functions as operators, in aggregates, casts and indexes
CREATE FUNCTION add(integer, integer) RETURNS integer LANGUAGE wasm IMMUTABLE STRICT AS 'm';
CREATE FUNCTION same(integer) RETURNS integer LANGUAGE wasm IMMUTABLE STRICT AS 'm';
CREATE OPERATOR <+> (FUNCTION = add, LEFTARG = integer, RIGHTARG = integer);
CREATE AGGREGATE total(integer) (SFUNC = add, STYPE = integer, INITCOND = '0');
CREATE TABLE t (a integer, b integer GENERATED ALWAYS AS (add(a, 1)) STORED, CHECK (same(a) < 100));
CREATE INDEX ON t (add(a, 2));
INSERT INTO t SELECT generate_series(1, 10);
INSERT INTO t VALUES (100);
SELECT 1 <+> 2, total(a), total(b) FROM t;
SET enable_seqscan = off;
SELECT a FROM t WHERE add(a, 2) = 7;
RESET enable_seqscan;

-- case: calls in a window, a subquery, a lateral join and a CTE
SELECT a, total(a) OVER (ORDER BY a) FROM t ORDER BY a LIMIT 3;
WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT add(n, n) FROM r WHERE n < 100) SELECT max(n) FROM r;
SELECT sum(add(a, (SELECT same(max(a)) FROM t))) FROM t;

-- case: calls from PL/pgSQL and SQL functions
CREATE FUNCTION twice_plpgsql(n integer) RETURNS integer LANGUAGE plpgsql AS 'BEGIN RETURN signature.add(n, n); END';
CREATE FUNCTION twice_sql(n integer) RETURNS integer LANGUAGE sql AS 'SELECT signature.add(n, n)';
SELECT twice_plpgsql(x), twice_sql(x) FROM generate_series(1, 3) AS x;

SET client_min_messages = warning;
DROP SCHEMA signature CASCADE;
RESET client_min_messages;
