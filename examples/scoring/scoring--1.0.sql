/* A module and its function, to be created by CREATE EXTENSION scoring. */

-- complain if the script is sourced in psql rather than by CREATE EXTENSION
\echo Use "CREATE EXTENSION scoring" to load this file. \quit

CREATE FUNCTION scoring() RETURNS wasm.module
	LANGUAGE wasm IMMUTABLE PARALLEL SAFE AS '(module
	(func (export "score") (param $n i32) (result i32)
		(i32.rem_u (i32.mul (local.get $n) (local.get $n)) (i32.const 100))))';
REVOKE EXECUTE ON FUNCTION scoring() FROM PUBLIC;

CREATE FUNCTION score(integer) RETURNS integer
	LANGUAGE wasm IMMUTABLE STRICT PARALLEL SAFE AS 'scoring';
