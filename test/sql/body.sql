-- The body of a function: what may be written there, and what is stored.
CREATE SCHEMA body;
SET search_path = body, public;

-- What is stored of a function.
CREATE FUNCTION stored(name) RETURNS text LANGUAGE sql AS
	$$SELECT prosrc FROM pg_proc WHERE proname = $1 AND pronamespace = 'body'::regnamespace$$;

-- case: a module in text form
CREATE FUNCTION mathlib() RETURNS wasm.module LANGUAGE wasm AS '
(module
	(func (export "sum") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
	(func (export "half") (param i32) (result i32) (i32.shr_s (local.get 0) (i32.const 1)))
	(func (export "a#b") (result i32) (i32.const 7))
	(func (export "na me") (result i32) (i32.const 8))
	(func (export "Größe") (result i32) (i32.const 9))
	(global (export "g") i32 (i32.const 1)))
';
SELECT stored('mathlib');

-- case: a module called as a function gives its bytes
SELECT convert_from(mathlib(), 'UTF8');

-- case: a module in binary form
-- (module (func (export "one") (result i32) (i32.const 1)))
CREATE FUNCTION binary_module() RETURNS wasm.module LANGUAGE wasm AS
	'\x0061736d010000000105016000017f03020100070701036f6e6500000a0601040041010b';
CREATE FUNCTION binary_module() RETURNS wasm.module LANGUAGE wasm AS
	'\x0061736d010000000105016000017f03020100070701036f6e6500000a0601040041010b';
SELECT stored('binary_module');
SELECT binary_module();
CREATE FUNCTION one() RETURNS integer LANGUAGE wasm AS 'binary_module#one';
SELECT one();

-- case: capital hex digits and white space
CREATE FUNCTION capital_module() RETURNS wasm.module LANGUAGE wasm AS
	E'\n\t \\x0061736D010000000105016000017F03020100070701036F6E6500000A0601040041010B \n';
SELECT capital_module() = binary_module() AS same;

-- case: an odd number of hex digits, and something else than hex digits
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS '\x0061736d0';
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS '\x0061736g';

-- case: module#export is stored with the schema
CREATE FUNCTION add(integer, integer) RETURNS integer LANGUAGE wasm AS 'mathlib#sum';
SELECT stored('add');
SELECT add(1, 2);

-- case: a bare module name means the export of the function's name
CREATE FUNCTION half(integer) RETURNS integer LANGUAGE wasm AS 'mathlib';
SELECT stored('half');
SELECT half(10);
CREATE FUNCTION third(integer) RETURNS integer LANGUAGE wasm AS 'mathlib';

-- case: a qualified name
CREATE FUNCTION qualified(integer, integer) RETURNS integer LANGUAGE wasm AS 'body.mathlib#sum';
SELECT stored('qualified');
SELECT qualified(2, 3);

-- case: a function found in another schema of the search path
CREATE SCHEMA body_second;
CREATE FUNCTION body_second.elsewhere() RETURNS wasm.module LANGUAGE wasm AS
	'(module (func (export "f") (result i32) (i32.const 11)))';
SET search_path = body, body_second, public;
CREATE FUNCTION from_path() RETURNS integer LANGUAGE wasm AS 'elsewhere#f';
SELECT stored('from_path');
SET search_path = body, public;
SELECT from_path();
CREATE FUNCTION not_in_path() RETURNS integer LANGUAGE wasm AS 'elsewhere#f';

-- case: the stored name does not depend on the search path of the caller
CREATE SCHEMA body_trojan;
CREATE FUNCTION body_trojan.mathlib() RETURNS wasm.module LANGUAGE wasm AS
	'(module (func (export "sum") (param i32 i32) (result i32) (i32.const -1)))';
SET search_path = body_trojan;
SELECT body.add(1, 2);
RESET search_path;
SET search_path = body, public;

-- case: unquoted names fold to lower case
CREATE FUNCTION folded(integer, integer) RETURNS integer LANGUAGE wasm AS 'Body.MathLib#sum';
SELECT stored('folded');
SELECT folded(3, 4);

-- case: the export is verbatim
CREATE FUNCTION wrong_case(integer, integer) RETURNS integer LANGUAGE wasm AS 'mathlib#Sum';
CREATE FUNCTION na_me() RETURNS integer LANGUAGE wasm AS 'mathlib#na me';
SELECT stored('na_me');
SELECT na_me();
CREATE FUNCTION size() RETURNS integer LANGUAGE wasm AS 'mathlib#Größe';
SELECT size();

-- case: an export with a number sign
CREATE FUNCTION number_sign() RETURNS integer LANGUAGE wasm AS 'mathlib#a#b';
SELECT stored('number_sign');
SELECT number_sign();

-- case: quoted names, with capitals, dots, quotes and number signs
CREATE SCHEMA "Body #2";
CREATE FUNCTION "Body #2"."Math.Lib""#1"() RETURNS wasm.module LANGUAGE wasm AS
	'(module (func (export "f") (result i32) (i32.const 12)))';
CREATE FUNCTION quoted() RETURNS integer LANGUAGE wasm AS '"Body #2"."Math.Lib""#1"#f';
SELECT stored('quoted');
SELECT quoted();
CREATE FUNCTION f() RETURNS integer LANGUAGE wasm AS '"Body #2"."Math.Lib""#1"';
SELECT stored('f');
SELECT f();

-- case: a module with the name of a keyword
CREATE FUNCTION "select"() RETURNS wasm.module LANGUAGE wasm AS
	'(module (func (export "f") (result i32) (i32.const 13)))';
CREATE FUNCTION keyword() RETURNS integer LANGUAGE wasm AS 'select#f';
SELECT stored('keyword');
SELECT keyword();

-- case: white space at both ends is trimmed
CREATE FUNCTION trimmed(integer, integer) RETURNS integer LANGUAGE wasm AS E'  \t\n mathlib#sum \r\n ';
SELECT stored('trimmed');
SELECT trimmed(4, 5);

-- case: leading comments and blank lines
CREATE FUNCTION commented(integer, integer) RETURNS integer LANGUAGE wasm AS '
;; adds two numbers

   ;; (module) and name#export are not looked for here
mathlib#sum
';
SELECT stored('commented');
SELECT commented(5, 6);
CREATE FUNCTION commented_wat() RETURNS integer LANGUAGE wasm AS '
;; always 14
(module (func (export "f") (result i32) (i32.const 14)))';
SELECT commented_wat();
CREATE FUNCTION commented_binary() RETURNS wasm.module LANGUAGE wasm AS '
;; nothing
\x0061736d01000000';
SELECT commented_binary();

-- case: a block comment at the start of the text form
CREATE FUNCTION block_comment() RETURNS integer LANGUAGE wasm AS
	'(; f gives 15 ;) (module (func (export "f") (result i32) (i32.const 15)))';
SELECT block_comment();

-- case: inline binary in a function
CREATE FUNCTION inline_binary() RETURNS integer LANGUAGE wasm AS
	'\x0061736d010000000105016000017f03020100070701036f6e6500000a0601040041010b';
SELECT inline_binary();

-- case: inline module, the only export
CREATE FUNCTION only_export() RETURNS integer LANGUAGE wasm AS
	'(module (memory (export "memory") 1) (func (export "other") (result i32) (i32.const 16)))';
SELECT stored('only_export');
SELECT only_export();

-- case: inline module, the export of the function's name, which is stored
CREATE FUNCTION second() RETURNS integer LANGUAGE wasm AS
	'(module (func (export "first") (result i32) (i32.const 17)) (func (export "second") (result i32) (i32.const 18)))';
SELECT stored('second');
SELECT second();
ALTER FUNCTION second() RENAME TO zweite;
SELECT zweite();

-- case: inline module, the export named in a header line
CREATE FUNCTION chosen() RETURNS integer LANGUAGE wasm AS ';; export: first
(module (func (export "first") (result i32) (i32.const 19)) (func (export "chosen") (result i32) (i32.const 20)))';
SELECT stored('chosen');
SELECT chosen();
CREATE FUNCTION chosen_badly() RETURNS integer LANGUAGE wasm AS ';; export: nothing
(module (func (export "first") (result i32) (i32.const 19)))';

-- case: inline module, no export fits
CREATE FUNCTION no_fit() RETURNS integer LANGUAGE wasm AS
	'(module (func (export "a") (result i32) (i32.const 1)) (func (export "b") (result i32) (i32.const 1)))';
CREATE FUNCTION no_fit() RETURNS integer LANGUAGE wasm AS '(module)';

-- case: empty bodies
CREATE FUNCTION empty() RETURNS integer LANGUAGE wasm AS '';
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION empty() RETURNS integer LANGUAGE wasm AS E' \n\t ';
CREATE FUNCTION empty() RETURNS wasm.module LANGUAGE wasm AS ';; only a comment';

-- case: names that are none
CREATE FUNCTION bad() RETURNS integer LANGUAGE wasm AS '#sum';
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION bad() RETURNS integer LANGUAGE wasm AS 'two words#sum';
CREATE FUNCTION bad() RETURNS integer LANGUAGE wasm AS 'a.b.c#sum';
CREATE FUNCTION bad() RETURNS integer LANGUAGE wasm AS '.mathlib#sum';
CREATE FUNCTION bad() RETURNS integer LANGUAGE wasm AS 'mathlib, mathlib#sum';
CREATE FUNCTION bad() RETURNS integer LANGUAGE wasm AS '"mathlib#sum';

-- case: a module that does not exist
CREATE FUNCTION bad() RETURNS integer LANGUAGE wasm AS 'nothing#sum';
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION bad() RETURNS integer LANGUAGE wasm AS 'no_schema.nothing#sum';
\echo :LAST_ERROR_SQLSTATE

-- case: a function that is no module
CREATE FUNCTION bad(integer, integer) RETURNS integer LANGUAGE wasm AS 'add#sum';
CREATE FUNCTION bytes() RETURNS wasm.module LANGUAGE sql AS $$SELECT '\x0061736d01000000'::bytea$$;
CREATE FUNCTION bad(integer, integer) RETURNS integer LANGUAGE wasm AS 'bytes#sum';

-- case: an export that does not exist, or is no function
CREATE FUNCTION bad() RETURNS integer LANGUAGE wasm AS 'mathlib#nothing';
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION bad() RETURNS integer LANGUAGE wasm AS 'mathlib#g';
CREATE FUNCTION bad() RETURNS integer LANGUAGE wasm AS 'mathlib#';

-- case: a module must be a module itself
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS 'mathlib';
\echo :LAST_ERROR_SQLSTATE

-- case: a module has no arguments, and returns one module
CREATE FUNCTION bad(integer) RETURNS wasm.module LANGUAGE wasm AS '(module)';
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION bad() RETURNS SETOF wasm.module LANGUAGE wasm AS '(module)';
CREATE FUNCTION bad(OUT m wasm.module) LANGUAGE wasm AS '(module)';

-- case: a module cannot have the name of another function
CREATE FUNCTION add() RETURNS wasm.module LANGUAGE wasm AS '(module)';
\echo :LAST_ERROR_SQLSTATE

-- case: a component that is none
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS '(component (core instance (instantiate 1)))';
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS '\x0061736d0d000100ff00';
\echo :LAST_ERROR_SQLSTATE

-- case: an inline body over 1 MB
\set SHOW_CONTEXT never
DO $do$
BEGIN
	EXECUTE format('CREATE FUNCTION body.large() RETURNS integer LANGUAGE wasm AS %L',
				   '(module ' || repeat(' ', 1024 * 1024) || '(func (export "f") (result i32) (i32.const 1)))');
END
$do$;
\echo :LAST_ERROR_SQLSTATE

-- case: comments at the head that are too long
DO $do$
BEGIN
	EXECUTE format('CREATE FUNCTION body.long_head() RETURNS integer LANGUAGE wasm AS %L',
				   ';; ' || repeat('x', 9000) || E'\nmathlib#a#b');
END
$do$;
\echo :LAST_ERROR_SQLSTATE

-- case: a large binary gets lines that identify it
-- simple.wasm of the examples, and a custom section of 70,000 bytes
CREATE TABLE large AS SELECT
	'\x0061736d0100000001070160027f7f017f0302010007070103' || encode('sum', 'hex') || '00000a09010700200020016a0b'
	|| '00f2a204' || '0178' || repeat('00', 70000) AS hex;
DO $do$
BEGIN
	EXECUTE format('CREATE FUNCTION body.large() RETURNS wasm.module LANGUAGE wasm AS %L', E';; mine\n' || hex)
	FROM body.large;
END
$do$;
SELECT left(stored('large'), 152) AS head, length(stored('large'));
SELECT split_part(stored('large'), E'\n', 2) = ';; sha256: ' || encode(sha256(hex::bytea), 'hex') AS sha256,
	split_part(stored('large'), E'\n', 3) = ';; id: ' || wasm.module_id(hex::bytea) AS id,
	large() = hex::bytea AS bytes
FROM large;
CREATE FUNCTION large_sum(integer, integer) RETURNS integer LANGUAGE wasm AS 'large#sum';
SELECT large_sum(20, 22);

-- case: what was stored can be stored again
CREATE TABLE stored_large AS SELECT stored('large') AS source;
DROP FUNCTION large CASCADE;
DO $do$
BEGIN
	EXECUTE format('CREATE FUNCTION body.large() RETURNS wasm.module LANGUAGE wasm AS %L', source)
	FROM body.stored_large;
END
$do$;
SELECT stored('large') = source AS same FROM stored_large;

-- case: identity lines that do not match are refused
DO $do$
BEGIN
	EXECUTE format('CREATE OR REPLACE FUNCTION body.large() RETURNS wasm.module LANGUAGE wasm AS %L',
				   replace(source, ';; id: ', ';; id: 7a5c239f-2125-547f-8ed1-7062ac027016'))
	FROM body.stored_large;
END
$do$;
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS
';; id: bfbac4cc-05a1-5aa2-b422-50bd27ec4276
\x0061736d01000000';
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS
';; sha256: 93a44bbb96c751218e4c00d479e4c14358122a389acca16205b1e4d0dc5f9475
(module)';

-- case: nor with check_function_bodies off
SET check_function_bodies = off;
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS
';; id: bfbac4cc-05a1-5aa2-b422-50bd27ec4276
\x0061736d01000000';
\echo :LAST_ERROR_SQLSTATE
RESET check_function_bodies;

-- case: identity lines that match are kept
CREATE FUNCTION matching() RETURNS wasm.module LANGUAGE wasm AS
';; sha256: 93a44bbb96c751218e4c00d479e4c14358122a389acca16205b1e4d0dc5f9476
;; id: 7a5c239f-2125-547f-8ed1-7062ac027016
\x0061736d01000000';
SELECT stored('matching');

-- case: a function cannot pass for a module that the session knows
-- its digest would be that of mathlib(), which exports the same name
SELECT na_me();
SELECT encode(sha256(mathlib()), 'hex') AS digest \gset
SELECT format($$;; sha256: %s
;; export: na me
(module (func (export "na me") (result i32) (i32.const 1)))$$, :'digest') AS source \gset
\set VERBOSITY sqlstate
CREATE FUNCTION pass() RETURNS integer LANGUAGE wasm AS :'source';
\set VERBOSITY default

-- case: an export that starts with a space
CREATE FUNCTION spaced() RETURNS wasm.module LANGUAGE wasm AS
	'(module (func (export " f") (result i32) (i32.const 21)))';
CREATE FUNCTION lead() RETURNS integer LANGUAGE wasm AS 'spaced# f';
SELECT stored('lead');
SELECT lead();

\set SHOW_CONTEXT errors
SET client_min_messages = warning;
DROP SCHEMA body, body_second, body_trojan, "Body #2" CASCADE;
RESET client_min_messages;
