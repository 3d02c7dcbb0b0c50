-- NULL and STRICT.
CREATE SCHEMA nulls;
SET search_path = nulls, public;

CREATE FUNCTION m() RETURNS wasm.module LANGUAGE wasm AS '
(module
	(global $calls (mut i32) (i32.const 0))
	(func (export "add") (param i32 i32) (result i32)
		(global.set $calls (i32.add (global.get $calls) (i32.const 1)))
		(i32.add (local.get 0) (local.get 1)))
	(func (export "calls") (result i32) (global.get $calls))
	(func (export "samev") (param v128) (result v128) (local.get 0)))
';
CREATE FUNCTION calls() RETURNS integer LANGUAGE wasm AS 'm';

-- case: NULL for a function that is STRICT
CREATE FUNCTION strict_add(integer, integer) RETURNS integer LANGUAGE wasm STRICT AS 'm#add';
SELECT strict_add(1, NULL) IS NULL AS a, strict_add(NULL, 1) IS NULL AS b, strict_add(NULL, NULL) IS NULL AS c;
SELECT calls();

-- case: NULL for a function that is not
CREATE FUNCTION add(integer, integer) RETURNS integer LANGUAGE wasm AS 'm#add';
SELECT add(1, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT add(NULL, 1);
SELECT calls();

-- case: the function can be called again at once
SELECT add(1, 2);
SELECT calls();

-- case: NULL in the middle of a query
CREATE TABLE numbers (a integer, b integer);
INSERT INTO numbers VALUES (1, 1), (2, NULL), (NULL, 3), (4, 4);
SELECT a, b, strict_add(a, b) FROM numbers ORDER BY coalesce(a, 3);
SELECT sum(strict_add(a, b)) FROM numbers;
SELECT sum(add(a, b)) FROM numbers;

-- case: NULL for a type passed by reference
CREATE FUNCTION samev(numeric) RETURNS numeric LANGUAGE wasm AS 'm';
CREATE FUNCTION same_uuid(uuid) RETURNS uuid LANGUAGE wasm AS 'm#samev';
SELECT samev(NULL);
SELECT same_uuid(NULL);

-- case: CALLED ON NULL INPUT, set and taken back
ALTER FUNCTION add(integer, integer) STRICT;
SELECT add(1, NULL) IS NULL AS is_null;
ALTER FUNCTION add(integer, integer) CALLED ON NULL INPUT;
SELECT add(1, NULL);

-- case: generated functions are STRICT unless asked otherwise
SELECT wasm.create_functions('m', prefix => 's_') AS function;
SELECT wasm.create_functions('m', prefix => 'n_', strict => false) AS function;
SELECT proname, proisstrict FROM pg_proc WHERE oid IN ('s_add'::regproc, 'n_add'::regproc) ORDER BY proname;
SELECT s_add(NULL, 1) IS NULL AS is_null;
SELECT n_add(NULL, 1);

-- case: a STRICT function with several results
CREATE FUNCTION two(integer, OUT a integer, OUT b integer) LANGUAGE wasm STRICT AS
	'(module (func (export "f") (param i32) (result i32 i32) (local.get 0) (local.get 0)))';
SELECT two(NULL) IS NULL AS is_null;
SELECT * FROM two(NULL);
SELECT * FROM two(1);

-- case: NULL for a procedure
CREATE PROCEDURE proc(integer, integer) LANGUAGE wasm AS
	'(module (func (export "f") (param i32 i32)))';
CALL proc(1, 2);
CALL proc(1, NULL);
\echo :LAST_ERROR_SQLSTATE

SET client_min_messages = warning;
DROP SCHEMA nulls CASCADE;
RESET client_min_messages;
