-- The extension dropped and created again; runs last, in a database of its own.
SELECT current_database() AS db \gset
CREATE DATABASE regress_wasm_extension;
\connect regress_wasm_extension

-- case: created
CREATE EXTENSION wasm;
SELECT wasm.create_module('m', '(module (func (export "f") (result i32) (i32.const 1)))');
CREATE FUNCTION f() RETURNS integer LANGUAGE wasm AS 'm';
SELECT f();

-- case: created twice
CREATE EXTENSION wasm;
\echo :LAST_ERROR_SQLSTATE
CREATE EXTENSION IF NOT EXISTS wasm;

-- case: dropped while in use: refused
DROP EXTENSION wasm;
\echo :LAST_ERROR_SQLSTATE
SELECT f();

-- case: dropped with all that uses it
DROP EXTENSION wasm CASCADE;
SELECT f();
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM pg_proc WHERE proname IN ('m', 'f') AND pronamespace = 'public'::regnamespace;
SELECT count(*) FROM pg_namespace WHERE nspname = 'wasm';
SELECT count(*) FROM pg_event_trigger WHERE evtname LIKE 'wasm%';
SELECT count(*) FROM pg_foreign_data_wrapper WHERE fdwname LIKE 'wasm%';
DO LANGUAGE wasm $$(module (func (export "main")))$$;
\echo :LAST_ERROR_SQLSTATE

-- case: created again in the same session
CREATE EXTENSION wasm;
SELECT wasm.create_module('m', '(module (func (export "f") (result i32) (i32.const 2)))');
CREATE FUNCTION f() RETURNS integer LANGUAGE wasm AS 'm';
SELECT f();
ALTER FUNCTION m() RENAME TO m2;
SELECT f(), prosrc FROM pg_proc WHERE oid = 'f'::regproc;

-- case: dropped and created again in one transaction
BEGIN;
DROP EXTENSION wasm CASCADE;
CREATE EXTENSION wasm;
CREATE FUNCTION f() RETURNS integer LANGUAGE wasm AS '(module (func (export "f") (result i32) (i32.const 3)))';
SELECT f();
ROLLBACK;
SELECT f();

-- case: a prepared call across the drop
PREPARE p AS SELECT f();
EXECUTE p;
DROP EXTENSION wasm CASCADE;
EXECUTE p;
\echo :LAST_ERROR_SQLSTATE
DEALLOCATE p;

-- case: its schemas are its own
CREATE SCHEMA wasm;
CREATE EXTENSION wasm;
\echo :LAST_ERROR_SQLSTATE
DROP SCHEMA wasm;
CREATE SCHEMA other;
CREATE EXTENSION wasm SCHEMA other;
SELECT oid::regprocedure FROM pg_proc WHERE proname LIKE 'wasm_%' ORDER BY proname;
SELECT other.wasm_init('/no/such/library.so');
ALTER EXTENSION wasm SET SCHEMA public;
\echo :LAST_ERROR_SQLSTATE

-- case: only a superuser creates it
DROP EXTENSION wasm;
CREATE ROLE regress_wasm_extension;
GRANT CREATE ON DATABASE regress_wasm_extension TO regress_wasm_extension;
SET ROLE regress_wasm_extension;
CREATE EXTENSION wasm;
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;

\connect :db
DROP DATABASE regress_wasm_extension;
DROP ROLE regress_wasm_extension;
