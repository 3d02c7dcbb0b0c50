-- What a role that may use the language tries against the others.
CREATE SCHEMA hostile;
CREATE ROLE regress_wasm_victim;
CREATE ROLE regress_wasm_attacker;
GRANT USAGE ON LANGUAGE wasm TO regress_wasm_victim, regress_wasm_attacker;
GRANT USAGE, CREATE ON SCHEMA hostile TO regress_wasm_victim, regress_wasm_attacker;
SET search_path = hostile, public;

SET ROLE regress_wasm_victim;
SELECT wasm.create_module('secret', '(module (func (export "f") (result i32) (i32.const 4242)))');
CREATE FUNCTION open_secret() RETURNS integer LANGUAGE wasm AS 'secret#f';
SELECT open_secret();
SELECT encode(sha256(secret()), 'hex') AS digest \gset
RESET ROLE;

-- case: a digest that a header states does not give another's code
SET ROLE regress_wasm_attacker;
CREATE FUNCTION run() RETURNS integer LANGUAGE wasm AS 'secret#f';
SELECT format(E';; sha256: %s\n(module (func (export "f") (result i32) (i32.const 1)))', :'digest') AS body \gset
CREATE FUNCTION spoof() RETURNS wasm.module LANGUAGE wasm AS :'body';
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION spoof() RETURNS integer LANGUAGE wasm AS :'body';
\echo :LAST_ERROR_SQLSTATE

-- case: nor one that is seen only in the head of the body
SELECT encode(sha256('(module (func (export "f") (result i32) (i32.const 1)))'), 'hex') AS own,
	   wasm.module_id('(module (func (export "f") (result i32) (i32.const 1)))') AS id \gset
SELECT repeat(' ', 8191 - length(';; sha256: ' || :'digest' || E'\n')) || ';; sha256: ' || :'digest'
	|| E'\n;; sha256: ' || :'own' || E'\n;; id: ' || :'id'
	|| E'\n(module (func (export "f") (result i32) (i32.const 1)))' AS body \gset
\set ECHO none
CREATE FUNCTION spoof() RETURNS wasm.module LANGUAGE wasm AS :'body';
\set ECHO all
\echo :LAST_ERROR_SQLSTATE

-- case: white space at the head counts, and nothing of it stops others
SELECT format('CREATE FUNCTION spaces() RETURNS wasm.module LANGUAGE wasm AS %L',
			  repeat(' ', 9000) || '(module)') AS command \gset
\set ECHO none
:command;
\set ECHO all
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
SET ROLE regress_wasm_victim;
SELECT wasm.create_module('undisturbed', '(module)');
RESET ROLE;

-- case: bytes that cannot be read are refused even where bodies are not checked
SET ROLE regress_wasm_attacker;
SET check_function_bodies = off;
CREATE FUNCTION unreadable() RETURNS wasm.module LANGUAGE wasm AS '\xzz';
\echo :LAST_ERROR_SQLSTATE
RESET check_function_bodies;
RESET ROLE;
SELECT count(*) > 0 AS readable FROM wasm.instances;

-- case: a default expression makes no dependent
SET ROLE regress_wasm_victim;
CREATE FUNCTION shared() RETURNS wasm.module LANGUAGE wasm AS '(module (func (export "f") (result i32) (i32.const 1)))';
RESET ROLE;
SET ROLE regress_wasm_attacker;
CREATE FUNCTION mine() RETURNS wasm.module LANGUAGE wasm AS '(module (func (export "g") (param i32) (result i32) (local.get 0)))';
CREATE FUNCTION defaulted(x integer DEFAULT length(shared())) RETURNS integer LANGUAGE wasm AS 'mine#g';
RESET ROLE;
SET ROLE regress_wasm_victim;
CREATE OR REPLACE FUNCTION shared() RETURNS wasm.module LANGUAGE wasm AS '(module (func (export "h")))';
ALTER FUNCTION shared() RENAME TO shared_again;
RESET ROLE;
SELECT prosrc FROM pg_proc WHERE proname = 'defaulted';
SELECT defaulted(7);

-- case: an export named in the header of a reference counts for nothing
CREATE FUNCTION g(integer) RETURNS integer LANGUAGE wasm AS E';; export: nothing\nmine';
SELECT g(8);

-- case: no lock on a module for those who may not use it
SET ROLE regress_wasm_attacker;
BEGIN;
SET LOCAL check_function_bodies = off;
CREATE FUNCTION locker() RETURNS integer LANGUAGE wasm AS 'secret#f';
SELECT count(*) AS locks FROM pg_locks
	WHERE locktype = 'object' AND pid = pg_backend_pid() AND classid = 'pg_proc'::regclass
	AND objid = (SELECT oid FROM pg_proc WHERE proname = 'secret');
ROLLBACK;
RESET ROLE;

-- case: names that guests choose are shown cut, on one line
CREATE FUNCTION long_name() RETURNS integer LANGUAGE wasm AS
	'(module (func (@name "a\0aHINT:  call me bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")
		(export "f") (result i32) unreachable))';
\set SHOW_CONTEXT always
SELECT long_name();
\set SHOW_CONTEXT errors

-- case: a module that is too large is refused before it is stored
SET wasm.module_size_limit = '4MB';
SELECT wasm.create_module('huge', convert_to(repeat('x', 5000000), 'UTF8'));
\echo :LAST_ERROR_SQLSTATE
SET check_function_bodies = off;
SELECT wasm.create_module('huge', convert_to(repeat('x', 5000000), 'UTF8'));
\echo :LAST_ERROR_SQLSTATE
RESET check_function_bodies;
RESET wasm.module_size_limit;

SET client_min_messages = warning;
DROP SCHEMA hostile CASCADE;
DROP OWNED BY regress_wasm_victim, regress_wasm_attacker;
DROP ROLE regress_wasm_victim, regress_wasm_attacker;
