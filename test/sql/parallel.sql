-- Functions in parallel workers.
CREATE SCHEMA parallel;
SET search_path = parallel, public;
CREATE FUNCTION m() RETURNS wasm.module LANGUAGE wasm AS '(module
	(func (export "twice") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
	(func (export "half") (param i32) (result i32) (i32.div_s (local.get 0) (i32.const 2)))
	(func (export "divide") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1))))';
CREATE FUNCTION twice(integer) RETURNS integer LANGUAGE wasm STRICT PARALLEL SAFE AS 'm';
CREATE FUNCTION half(integer) RETURNS integer LANGUAGE wasm STRICT AS 'm';
CREATE FUNCTION divide(integer, integer) RETURNS integer LANGUAGE wasm STRICT PARALLEL SAFE AS 'm';
CREATE TABLE t AS SELECT i AS a FROM generate_series(1, 1000) AS i;
ANALYZE t;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SET parallel_leader_participation = off;

-- case: a function that is PARALLEL SAFE
EXPLAIN (COSTS OFF) SELECT sum(twice(a)) FROM t;
SELECT sum(twice(a)), count(*) FROM t;

-- case: one that is not
EXPLAIN (COSTS OFF) SELECT sum(half(a)) FROM t;
SELECT sum(half(a)), count(*) FROM t;

-- case: a trap in a worker
\set SHOW_CONTEXT never
SELECT sum(divide(a, 500 - a)) FROM t;
\set SHOW_CONTEXT errors
\echo :LAST_ERROR_SQLSTATE
SELECT sum(divide(a, 1)) FROM t;

-- case: a module made in the transaction
BEGIN;
CREATE FUNCTION m2() RETURNS wasm.module LANGUAGE wasm AS
	'(module (func (export "negative") (param i32) (result i32) (i32.sub (i32.const 0) (local.get 0))))';
CREATE FUNCTION negative(integer) RETURNS integer LANGUAGE wasm STRICT PARALLEL SAFE AS 'm2';
SELECT sum(negative(a)) FROM t;
ROLLBACK;

RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;
RESET parallel_leader_participation;
SET client_min_messages = warning;
DROP SCHEMA parallel CASCADE;
RESET client_min_messages;
