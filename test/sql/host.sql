-- Functions of the host for core modules, by wit/host.wit.
CREATE SCHEMA host;
SET search_path = host, public;
SET client_min_messages = notice;
\set VERBOSITY terse

CREATE FUNCTION guest() RETURNS wasm.module LANGUAGE wasm AS
'(module
	(import "postgres:host/log@0.1.0" "log" (func $log (param i32 i32 i32)))
	(memory (export "memory") 1)
	(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64))
	(func (export "say") (param $level i32) (param $at i32) (param $length i32)
		(call $log (local.get $level) (local.get $at) (local.get $length))))';
CREATE FUNCTION say(integer, text) RETURNS void LANGUAGE wasm AS 'guest#say';
CREATE FUNCTION say(integer, bytea) RETURNS void LANGUAGE wasm AS 'guest#say';
CREATE FUNCTION say_at(integer, integer, integer) RETURNS void LANGUAGE wasm AS 'guest#say';

-- case: each level goes where its messages go
SELECT say(0, 'debug'), say(1, 'log'), say(2, 'info'), say(3, 'notice'), say(4, 'warning');
SET client_min_messages = debug1;
SELECT say(0, 'debug');
SET client_min_messages = log;
SELECT say(1, 'log');
SET client_min_messages = notice;

-- case: lines, and what a terminal would obey
SELECT say(3, E'two\nlines\tand a tab'), say(3, E'\x1b[31mred\r\x07'), say(3, ''), say(3, 'čau 🐘');

-- case: levels that do not exist, text that is none, addresses outside of the memory
SELECT say(5, 'a');
\echo :LAST_ERROR_SQLSTATE
SELECT say(-1, 'a');
SELECT say(3, '\xff'::bytea);
\echo :LAST_ERROR_SQLSTATE
SELECT say(3, '\x610062'::bytea);
SELECT say_at(3, 65535, 2);
\echo :LAST_ERROR_SQLSTATE
SELECT say_at(3, 1, -1);
SELECT say_at(3, 65536, 0);
SELECT wasm.grow_memory('guest', 32) > 0 AS grown;
SELECT say_at(3, 65536, 1024 * 1024 + 1);
\echo :LAST_ERROR_SQLSTATE

-- case: after that the function works
SELECT say(3, 'fine');

-- case: other versions and functions
\set VERBOSITY default
CREATE FUNCTION wrong() RETURNS void LANGUAGE wasm AS
'(module (import "postgres:host/log@0.2.0" "log" (func (param i32 i32 i32))) (func (export "wrong")))';
CREATE FUNCTION wrong() RETURNS void LANGUAGE wasm AS
'(module (import "postgres:host/log@0.1.0" "shout" (func (param i32 i32 i32))) (func (export "wrong")))';

SET client_min_messages = warning;
DROP SCHEMA host CASCADE;
