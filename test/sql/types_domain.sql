-- Domains as arguments, as results and inside composites.
CREATE SCHEMA types_domain;
SET search_path = types_domain, public;

CREATE FUNCTION m() RETURNS wasm.module LANGUAGE wasm AS '
(module
	(func (export "same") (param i32) (result i32) (local.get 0))
	(func (export "same64") (param i64) (result i64) (local.get 0))
	(func (export "samef") (param f64) (result f64) (local.get 0))
	(func (export "samev") (param v128) (result v128) (local.get 0))
	(func (export "pair") (param i32 i32) (result i32 i32) (local.get 0) (local.get 1)))
';

CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE DOMAIN even AS positive CHECK (VALUE % 2 = 0);
CREATE DOMAIN small AS smallint CHECK (VALUE <> 13);
CREATE DOMAIN big AS bigint CHECK (VALUE > 0);
CREATE DOMAIN finite AS double precision CHECK (VALUE < 'infinity');
CREATE DOMAIN key AS uuid CHECK (VALUE <> '00000000-0000-0000-0000-000000000000');
CREATE DOMAIN required AS integer NOT NULL;

-- case: a domain as result
CREATE FUNCTION to_positive(integer) RETURNS positive LANGUAGE wasm AS 'm#same';
SELECT to_positive(1), pg_typeof(to_positive(1));
SELECT to_positive(0);
\echo :LAST_ERROR_SQLSTATE
SELECT to_positive(5);

-- case: a domain over a domain
CREATE FUNCTION to_even(integer) RETURNS even LANGUAGE wasm AS 'm#same';
SELECT to_even(2);
SELECT to_even(3);
SELECT to_even(-2);
\echo :LAST_ERROR_SQLSTATE

-- case: a domain over a narrower type: both tests
CREATE FUNCTION to_small(integer) RETURNS small LANGUAGE wasm AS 'm#same';
SELECT to_small(12), to_small(-32768);
SELECT to_small(13);
\echo :LAST_ERROR_SQLSTATE
SELECT to_small(32768);
\echo :LAST_ERROR_SQLSTATE

-- case: domains over types whose values need no conversion
CREATE FUNCTION to_big(bigint) RETURNS big LANGUAGE wasm AS 'm#same64';
CREATE FUNCTION to_finite(double precision) RETURNS finite LANGUAGE wasm AS 'm#samef';
CREATE FUNCTION to_key(uuid) RETURNS key LANGUAGE wasm AS 'm#samev';
SELECT to_big(1), to_finite(-1), to_key('00000000-0000-0000-0000-000000000001');
SELECT to_big(0);
SELECT to_finite('infinity');
SELECT to_key('00000000-0000-0000-0000-000000000000');

-- case: a domain as argument
CREATE FUNCTION from_even(even) RETURNS integer LANGUAGE wasm AS 'm#same';
SELECT from_even(4);
SELECT from_even(5);
\echo :LAST_ERROR_SQLSTATE

-- case: NULL for a domain that takes none
CREATE FUNCTION strict_required(integer) RETURNS required LANGUAGE wasm STRICT AS 'm#same';
CREATE FUNCTION from_required(required) RETURNS integer LANGUAGE wasm AS 'm#same';
SELECT strict_required(1);
SELECT from_required(NULL);
\echo :LAST_ERROR_SQLSTATE

-- case: domains inside OUT columns
CREATE FUNCTION out_pair(integer, integer, OUT a positive, OUT b even) LANGUAGE wasm AS 'm#pair';
SELECT * FROM out_pair(1, 2);
SELECT * FROM out_pair(0, 2);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM out_pair(1, 1);

-- case: domains inside a named composite
CREATE TYPE pair AS (a positive, b even);
CREATE FUNCTION make_pair(integer, integer) RETURNS pair LANGUAGE wasm AS 'm#pair';
SELECT make_pair(3, 4);
SELECT make_pair(3, 3);

-- case: a domain that gets another constraint is tested with it
ALTER DOMAIN positive ADD CONSTRAINT no_seven CHECK (VALUE <> 7);
SELECT to_positive(7);
SELECT make_pair(7, 2);
SELECT to_positive(8);
ALTER DOMAIN positive DROP CONSTRAINT no_seven;
SELECT to_positive(7);

-- case: a domain whose constraint calls a function of the same module
CREATE FUNCTION odd(integer) RETURNS boolean LANGUAGE wasm AS
	'(module (func (export "f") (param i32) (result i32) (i32.and (local.get 0) (i32.const 1))))';
CREATE FUNCTION same(integer) RETURNS integer LANGUAGE wasm AS 'm';
CREATE DOMAIN odd AS integer CHECK (odd(VALUE) AND same(VALUE) < 100);
CREATE FUNCTION to_odd(integer) RETURNS odd LANGUAGE wasm AS 'm#same';
SELECT sum(to_odd(i)) FROM generate_series(1, 99, 2) AS i;
SELECT to_odd(4);
SELECT to_odd(101);
SELECT to_odd(99);

-- case: the modifier of a domain or a column is kept
CREATE DOMAIN three_digits AS numeric(3);
CREATE DOMAIN whole_seconds AS time(0);
CREATE FUNCTION to_three_digits(numeric) RETURNS three_digits LANGUAGE wasm AS 'm#samev';
CREATE FUNCTION to_whole_seconds(bigint) RETURNS whole_seconds LANGUAGE wasm AS 'm#same64';
SELECT to_three_digits(999), to_whole_seconds(1000000);
\set VERBOSITY sqlstate
SELECT to_three_digits(1000);
SELECT to_whole_seconds(1500000) IN ('00:00:01', '00:00:02') AS rounded;
CREATE TYPE amount AS (n numeric(3), t time(0));
CREATE FUNCTION make_amount() RETURNS amount LANGUAGE wasm AS
	'(module (func (export "f") (result i64 i64) (i64.const 1000) (i64.const 1000000)))';
SELECT make_amount();
\set VERBOSITY default

SET client_min_messages = warning;
DROP SCHEMA types_domain CASCADE;
RESET client_min_messages;
