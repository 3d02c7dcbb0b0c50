-- Limits on memory, tables and the size of modules.
CREATE SCHEMA limits;
SET search_path = limits, public;

CREATE FUNCTION m() RETURNS wasm.module LANGUAGE wasm AS '
(module
	(memory 1)
	(table $t 10 funcref)
	(func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
	(func (export "size") (result i32) (memory.size))
	(func (export "grow_table") (param i32) (result i32) (table.grow $t (ref.null func) (local.get 0)))
	(func (export "poke") (param i32) (result i32) (i32.store8 (local.get 0) (i32.const 1)) (i32.load8_u (local.get 0)))
	(func (export "trap") unreachable))
';
SELECT count(*) FROM wasm.create_functions('m');

-- case: the setting
SHOW wasm.memory_limit;
SELECT context, vartype, unit, min_val, max_val FROM pg_settings WHERE name = 'wasm.memory_limit';
SET wasm.memory_limit = '63kB';
\echo :LAST_ERROR_SQLSTATE
SET wasm.memory_limit = '4097MB';
SET wasm.memory_limit = 'nonsense';

-- case: only superusers, and whoever they grant it, change it
CREATE ROLE regress_wasm_limits;
SET ROLE regress_wasm_limits;
SET wasm.memory_limit = '1GB';
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
GRANT SET ON PARAMETER wasm.memory_limit TO regress_wasm_limits;
SET ROLE regress_wasm_limits;
SET wasm.memory_limit = '1GB';
RESET wasm.memory_limit;
RESET ROLE;
REVOKE SET ON PARAMETER wasm.memory_limit FROM regress_wasm_limits;
DROP ROLE regress_wasm_limits;

-- case: the prefix is reserved
SET wasm.nonsense = 1;
\echo :LAST_ERROR_SQLSTATE

-- case: memory grows up to the limit; beyond it, the guest is told
SELECT size(), grow(1022), size();
SELECT grow(1), size();
SELECT grow(1), size();
SELECT grow(-1), size();
SELECT poke(64 * 1024 * 1024 - 1);
SELECT poke(64 * 1024 * 1024);
\echo :LAST_ERROR_SQLSTATE

-- case: after a trap the memory is as it was at the start
SELECT size();

-- case: a new limit holds for new instances
SET wasm.memory_limit = '128kB';
SELECT grow(1), grow(1);
SELECT trap();
SELECT grow(1), grow(1), size();
RESET wasm.memory_limit;
SELECT trap();
SELECT grow(2), size();

-- case: a module that asks for too much at the start
CREATE FUNCTION large() RETURNS integer LANGUAGE wasm AS
	'(module (memory 1025) (func (export "f") (result i32) (memory.size)))';
SELECT large();
\echo :LAST_ERROR_SQLSTATE
SET wasm.memory_limit = '65MB';
SELECT large();
RESET wasm.memory_limit;

-- case: exactly the limit
CREATE FUNCTION exact() RETURNS integer LANGUAGE wasm AS
	'(module (memory 1024) (func (export "f") (result i32) (memory.size)))';
SELECT exact();

-- case: tables grow up to 100,000 elements
SELECT grow_table(99990);
SELECT grow_table(1);
SELECT grow_table(-1);

-- case: a module with too large a table
CREATE FUNCTION large_table() RETURNS integer LANGUAGE wasm AS
	'(module (table 100001 funcref) (func (export "f") (result i32) (i32.const 1)))';
SELECT large_table();
\echo :LAST_ERROR_SQLSTATE

-- case: four tables, and five
CREATE FUNCTION four_tables() RETURNS integer LANGUAGE wasm AS
	'(module (table 1 funcref) (table 1 funcref) (table 1 funcref) (table 1 funcref)
		(func (export "f") (result i32) (i32.const 4)))';
SELECT four_tables();
CREATE FUNCTION five_tables() RETURNS integer LANGUAGE wasm AS
	'(module (table 1 funcref) (table 1 funcref) (table 1 funcref) (table 1 funcref) (table 1 funcref)
		(func (export "f") (result i32) (i32.const 5)))';
SELECT five_tables();
\echo :LAST_ERROR_SQLSTATE

-- case: a text of the largest size, and one byte more
SET wasm.module_size_limit = '10kB';
SELECT wasm.create_module('short_text', convert_to(rpad('(module', 10239) || ')', 'UTF8'));
SELECT wasm.create_module('long_text', convert_to(rpad('(module', 10240) || ')', 'UTF8'));
\echo :LAST_ERROR_SQLSTATE

-- case: a binary of the largest size, and one byte more
-- the empty module and a custom section named "x", with its length in four bytes
SELECT wasm.create_module('bytes', '\x0061736d01000000' || '\x00f3cf8000'::bytea || '\x0178' ||
	decode(repeat('00', 10225), 'hex'));
SELECT wasm.create_module('more_bytes', '\x0061736d01000000' || '\x00f4cf8000'::bytea || '\x0178' ||
	decode(repeat('00', 10226), 'hex'));
\echo :LAST_ERROR_SQLSTATE
SET check_function_bodies = off;
SELECT wasm.create_module('unchecked', '\x0061736d01000000' || '\x00f4cf8000'::bytea || '\x0178' ||
	decode(repeat('00', 10226), 'hex'));
\echo :LAST_ERROR_SQLSTATE
RESET check_function_bodies;
RESET wasm.module_size_limit;

-- case: a module of several MB
SELECT wasm.create_module('large_module', '\x0061736d01000000' || '\x0082929802'::bytea || '\x0178' ||
	decode(repeat('00', 4589824), 'hex'));

-- case: a module has a limit of its own
CREATE FUNCTION own_limit() RETURNS wasm.module LANGUAGE wasm SET wasm.module_size_limit = '1kB' AS
	'(module (func (export "f") (result i32) (i32.const 1)))';
SELECT format('CREATE FUNCTION small_limit() RETURNS wasm.module LANGUAGE wasm SET wasm.module_size_limit = ''1kB'' AS %L',
			  rpad('(module', 1024) || ')') AS command \gset
\set ECHO none
:command;
\set ECHO all
\echo :LAST_ERROR_SQLSTATE

-- case: a function that is deep in blocks, and one with many locals
DO $do$
BEGIN
	EXECUTE format('CREATE FUNCTION limits.blocks() RETURNS integer LANGUAGE wasm AS %L',
				   '(module (func (export "f") (result i32) ' || repeat('(block ', 400) || repeat(')', 400) || '(i32.const 1)))');
	EXECUTE format('CREATE FUNCTION limits.locals() RETURNS integer LANGUAGE wasm AS %L',
				   '(module (func (export "f") (result i32) (local ' || repeat('i64 ', 10000) || ') (i32.const 2)))');
END
$do$;
SELECT blocks(), locals();

SET client_min_messages = warning;
DROP SCHEMA limits CASCADE;
RESET client_min_messages;
