-- Temporary modules and functions.

-- case: a module and a function in the temporary schema
CREATE FUNCTION pg_temp.m() RETURNS wasm.module LANGUAGE wasm AS '(module (func (export "f") (result i32) (i32.const 1)))';
CREATE FUNCTION pg_temp.f() RETURNS integer LANGUAGE wasm AS 'pg_temp.m#f';
SELECT pg_temp.f();

-- case: as for functions, the schema must be named
CREATE FUNCTION pg_temp.g() RETURNS integer LANGUAGE wasm AS 'm#f';
\echo :LAST_ERROR_SQLSTATE

-- case: generators
SELECT wasm.create_module('pg_temp.made', '(module (func (export "f") (result i32) (i32.const 2)))') IS NOT NULL AS made;
SELECT name, kind FROM wasm.exports('pg_temp.made');
SET search_path = pg_temp, public;
SELECT count(*) FROM wasm.create_functions('pg_temp.made', prefix => 'made_');
SELECT pg_temp.made_f();
RESET search_path;

DISCARD TEMP;
