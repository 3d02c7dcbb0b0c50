-- wasm.exports and wasm.imports.
CREATE SCHEMA exports;
SET search_path = exports, public;

SELECT wasm.create_module('m', convert_to('(module
	(func (export "sum") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
	(func (export "wide") (param i64 f32 f64 v128) (result v128) (local.get 3))
	(func (export "pair") (result i64 f32) (i64.const 1) (f32.const 2))
	(func (export "nothing"))
	(func (export "It''s #1") (result i32) (i32.const 3))
	(func (export "select") (result i32) (i32.const 4))
	(func (export "ref") (param externref) (result funcref) (ref.null func))
	(func (export "") (result i32) (i32.const 5))
	(memory (export "memory") 1 10)
	(global (export "constant") i64 (i64.const 1))
	(global (export "variable") (mut f32) (f32.const 1))
	(table (export "table") 3 funcref)
	(table (export "table2") 3 7 externref))', 'UTF8')) AS module;

-- case: the exports
SELECT name, kind, type FROM wasm.exports('m');

-- case: their declarations
SELECT name, declaration FROM wasm.exports('m');

-- case: the declarations can be executed
SELECT declaration FROM wasm.exports('m') WHERE declaration IS NOT NULL \gexec
SELECT sum(1, 2), wide(1, 2, 3, 4), pair(), "It's #1"(), "select"();
SELECT nothing();
SELECT prosrc, proisstrict FROM pg_proc WHERE oid = '"It''s #1"'::regproc;

-- case: the declaration of a module that needs quotes, in another schema
CREATE SCHEMA "Exports 2";
SELECT wasm.create_module('"Exports 2"."It''s"', '(module (func (export "Quoted") (result i32) (i32.const 6)))') AS module;
SELECT declaration FROM wasm.exports('"Exports 2"."It''s"') \gexec
SELECT "Quoted"();

-- case: the declaration of an export whose name is too long
SELECT wasm.create_module('long', convert_to(format('(module (func (export "%s")) (func (export "%s")))', repeat('a', 63), repeat('b', 64)), 'UTF8')) AS module;
SELECT left(name, 1) AS name, declaration IS NULL AS none FROM wasm.exports('long');

-- case: a module without exports
SELECT wasm.create_module('none', '(module)') AS module;
SELECT * FROM wasm.exports('none');
SELECT * FROM wasm.imports('none');
SELECT * FROM wasm.imports('m');

-- case: the imports
SELECT wasm.create_module('importing', '(module
	(import "env" "log" (func (param i32 i64) (result f64)))
	(import "env" "memory" (memory 1))
	(import "env" "table" (table 1 2 funcref))
	(import "js" "global" (global (mut i32)))
	(import "" "" (func))
	(func (export "f")))') AS module;
SELECT * FROM wasm.imports('importing');
SELECT name, kind FROM wasm.exports('importing');

-- case: re-exported imports
SELECT wasm.create_module('through', '(module (import "a" "f" (func $f (param i32))) (export "g" (func $f)))') AS module;
SELECT name, kind, type FROM wasm.exports('through');

-- case: a binary and a text give the same
SELECT wasm.create_module('bin', '\x0061736d010000000105016000017f03020100070701036f6e6500000a0601040041010b') AS module;
SELECT * FROM wasm.exports('bin');

-- case: joined with other tables, and called for many modules
SELECT p.proname, e.name FROM pg_proc AS p, wasm.exports(p.oid::regproc::text) AS e
WHERE p.pronamespace = 'exports'::regnamespace AND p.prorettype = 'wasm.module'::regtype AND e.kind = 'function'
	AND p.proname IN ('bin', 'importing', 'through') ORDER BY 1, 2;

-- case: no module
SELECT * FROM wasm.exports('nothing');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM wasm.exports('sum');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM wasm.imports('a.b.c');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM wasm.exports('m()');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM wasm.exports(NULL);

SET client_min_messages = warning;
DROP SCHEMA exports, "Exports 2" CASCADE;
RESET client_min_messages;
