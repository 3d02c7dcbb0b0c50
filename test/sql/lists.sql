-- Strings and bytes in the memory of core modules, by the canonical ABI.
CREATE SCHEMA lists;
SET search_path = lists, public;

-- Allocates from a heap that grows, and frees nothing but all at once.  Each
-- function gets address and length, and returns the address of such a pair.
CREATE FUNCTION guest() RETURNS wasm.module LANGUAGE wasm AS
'(module
	(memory (export "memory") 1)
	(global $heap (export "heap") (mut i32) (i32.const 1024))
	(global $posts (export "posts") (mut i32) (i32.const 0))
	(global $last (mut i32) (i32.const 0))
	(func $realloc (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32)
		(result i32)
		(local $at i32) (local $missing i32)
		(if (i32.or (local.get $old) (local.get $old_size))
			(then (unreachable)))
		(local.set $at (i32.and (i32.sub (i32.add (global.get $heap) (local.get $align)) (i32.const 1))
			(i32.sub (i32.const 0) (local.get $align))))
		(global.set $heap (i32.add (local.get $at) (local.get $size)))
		(local.set $missing (i32.sub (i32.shr_u (i32.add (global.get $heap) (i32.const 65535)) (i32.const 16)) (memory.size)))
		(if (i32.gt_s (local.get $missing) (i32.const 0))
			(then (if (i32.lt_s (memory.grow (local.get $missing)) (i32.const 0)) (then (unreachable)))))
		(local.get $at))
	(func $pair (param $at i32) (param $length i32) (result i32)
		(i32.store (i32.const 16) (local.get $at))
		(i32.store (i32.const 20) (local.get $length))
		(i32.const 16))
	(func (export "echo") (param i32 i32) (result i32) (call $pair (local.get 0) (local.get 1)))
	(func (export "cabi_post_echo") (param i32)
		(if (i32.ne (local.get 0) (i32.const 16)) (then (unreachable)))
		(global.set $posts (i32.add (global.get $posts) (i32.const 1)))
		(global.set $heap (i32.const 1024)))
	(func (export "size") (param i32 i32) (result i32) (local.get 1))
	(func (export "join") (param i32 i32 i32 i32) (result i32)
		(local $at i32)
		(local.set $at (call $realloc (i32.const 0) (i32.const 0) (i32.const 1)
			(i32.add (local.get 1) (local.get 3))))
		(memory.copy (local.get $at) (local.get 0) (local.get 1))
		(memory.copy (i32.add (local.get $at) (local.get 1)) (local.get 2) (local.get 3))
		(call $pair (local.get $at) (i32.add (local.get 1) (local.get 3))))
	(func (export "piece") (param $at i32) (param $length i32) (param $from i64) (param $count i32) (result i32)
		(call $pair (i32.add (local.get $at) (i32.wrap_i64 (local.get $from))) (local.get $count)))
	(func (export "hello") (result i32) (call $pair (i32.const 0) (i32.const 5)))
	(data (i32.const 0) "hello")
	(func (export "keep") (param i32 i32) (global.set $last (i32.load8_u (local.get 0))))
	(func (export "kept") (result i32) (global.get $last))
	(func (export "mixed") (param f64 i32 i32 i64) (result i64)
		(i64.add (i64.add (i64.trunc_f64_s (local.get 0)) (i64.extend_i32_u (local.get 2))) (local.get 3)))
	(func (export "pair_at") (param i32) (result i32) (local.get 0))
	(func (export "any") (param i32 i32) (result i32) (call $pair (local.get 0) (local.get 1)))
	(func (export "sum_i32") (param $at i32) (param $n i32) (result i64) (local $sum i64)
		(block $done (loop $next
			(br_if $done (i32.eqz (local.get $n)))
			(local.set $sum (i64.add (local.get $sum) (i64.load32_s (local.get $at))))
			(local.set $at (i32.add (local.get $at) (i32.const 4)))
			(local.set $n (i32.sub (local.get $n) (i32.const 1)))
			(br $next)))
		(local.get $sum))
	(func (export "list_at") (param i32 i32) (result i32) (call $pair (local.get 0) (local.get 1))))';

-- case: text in and out
CREATE FUNCTION echo(text) RETURNS text LANGUAGE wasm STRICT AS 'guest#echo';
SELECT echo('hello'), echo(''), echo(NULL) IS NULL AS nothing, echo('čau 🐘') = 'čau 🐘' AS utf8;

-- case: what is returned is given back
SELECT wasm.get_global('guest', 'posts'), wasm.get_global('guest', 'heap');

-- case: names as wit-bindgen gives them to what an interface exports
CREATE FUNCTION bound() RETURNS wasm.module LANGUAGE wasm AS
'(module
	(memory (export "memory") 1)
	(global $posts (export "posts") (mut i32) (i32.const 0))
	(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
	(func (export "docs:texts/copies@0.1.0#echo") (param i32 i32) (result i32)
		(i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) (i32.const 16))
	(func (export "cabi_post_docs:texts/copies@0.1.0#echo") (param i32)
		(global.set $posts (i32.add (global.get $posts) (i32.const 1)))))';
CREATE FUNCTION bound_echo(text) RETURNS text LANGUAGE wasm AS 'bound#docs:texts/copies@0.1.0#echo';
SELECT bound_echo('as it is'), wasm.get_global('bound', 'posts');

-- case: bytes
CREATE FUNCTION echo(bytea) RETURNS bytea LANGUAGE wasm STRICT AS 'guest#echo';
SELECT echo('\x00ff0a80'::bytea), echo(''::bytea) = '' AS empty;

-- case: several arguments, of both kinds
CREATE FUNCTION size(text) RETURNS integer LANGUAGE wasm STRICT AS 'guest#size';
CREATE FUNCTION "join"(text, text) RETURNS text LANGUAGE wasm STRICT AS 'guest#join';
CREATE FUNCTION piece(text, bigint, integer) RETURNS text LANGUAGE wasm STRICT AS 'guest#piece';
CREATE FUNCTION mixed(float8, text, bigint) RETURNS bigint LANGUAGE wasm STRICT AS 'guest#mixed';
CREATE FUNCTION hello() RETURNS varchar LANGUAGE wasm AS 'guest#hello';
CREATE FUNCTION keep(text) RETURNS void LANGUAGE wasm AS 'guest#keep';
CREATE FUNCTION kept() RETURNS integer LANGUAGE wasm AS 'guest#kept';
SELECT size('hello'), size('čau'), "join"('a', 'bc'), "join"('', ''), piece('hello', 1, 3), mixed(1.5, 'four', 10), hello();
SELECT keep('A');
SELECT kept();

-- case: anything with text input and output
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN short AS text CHECK (length(value) < 6);
CREATE DOMAIN few AS bytea CHECK (length(value) < 3);
CREATE FUNCTION echo(json) RETURNS json LANGUAGE wasm STRICT AS 'guest#echo';
CREATE FUNCTION echo(jsonb) RETURNS jsonb LANGUAGE wasm STRICT AS 'guest#echo';
CREATE FUNCTION echo(uuid) RETURNS uuid LANGUAGE wasm STRICT AS 'guest#echo';
CREATE FUNCTION echo(numeric) RETURNS numeric LANGUAGE wasm STRICT AS 'guest#echo';
CREATE FUNCTION echo(timestamptz) RETURNS timestamptz LANGUAGE wasm STRICT AS 'guest#echo';
CREATE FUNCTION echo(inet) RETURNS inet LANGUAGE wasm STRICT AS 'guest#echo';
CREATE FUNCTION echo(int4range) RETURNS int4range LANGUAGE wasm STRICT AS 'guest#echo';
CREATE FUNCTION echo(mood) RETURNS mood LANGUAGE wasm STRICT AS 'guest#echo';
CREATE FUNCTION echo(short) RETURNS short LANGUAGE wasm STRICT AS 'guest#echo';
CREATE FUNCTION echo(few) RETURNS few LANGUAGE wasm STRICT AS 'guest#echo';
CREATE FUNCTION echo(integer) RETURNS integer LANGUAGE wasm STRICT AS 'guest#echo';
SELECT echo('{"a": [1, null]}'::json), echo('{"b": 1, "a": 2}'::jsonb), echo('6ba7b812-9dad-11d1-80b4-00c04fd430c8'::uuid);
SELECT echo(-1234567890123456789012345678901234567890.5), echo('NaN'::numeric), echo('2026-01-02 03:04:05+00'::timestamptz) = '2026-01-02 03:04:05+00' AS same;
SELECT echo('::1/64'::inet), echo('[1,10)'::int4range), echo('happy'::mood), echo('short'::short), echo('\x0102'::few);

-- case: arrays of numbers are lists of them
CREATE DOMAIN positive AS integer[] CHECK (0 < ALL (value));
CREATE FUNCTION echo(smallint[]) RETURNS smallint[] LANGUAGE wasm STRICT AS 'guest#echo';
CREATE FUNCTION echo(integer[]) RETURNS integer[] LANGUAGE wasm STRICT AS 'guest#echo';
CREATE FUNCTION echo(bigint[]) RETURNS bigint[] LANGUAGE wasm STRICT AS 'guest#echo';
CREATE FUNCTION echo(real[]) RETURNS real[] LANGUAGE wasm STRICT AS 'guest#echo';
CREATE FUNCTION echo(float8[]) RETURNS float8[] LANGUAGE wasm STRICT AS 'guest#echo';
CREATE FUNCTION as_positive(integer[]) RETURNS positive LANGUAGE wasm STRICT AS 'guest#echo';
CREATE FUNCTION sum_i32(integer[]) RETURNS bigint LANGUAGE wasm STRICT AS 'guest#sum_i32';
SELECT echo('{1,-32768,32767}'::smallint[]), echo('{-2147483648}'::integer[]), echo('{1,-2,9223372036854775807}'::bigint[]);
SELECT echo('{0.5,NaN,-Infinity}'::real[]), echo('{0.1,1e300}'::float8[]), echo('{}'::integer[]), array_ndims(echo('{}'::integer[])) AS dimensions;
SELECT sum_i32('{1,2,3,-10}'), sum_i32('{}'), sum_i32(array_agg(i)) FROM generate_series(1, 100000) i;
SELECT echo('{1,2}'::integer[]) || 3, (echo('{4,5,6}'::bigint[]))[2:], as_positive('{7}');

-- case: an array with other bounds has the same elements
SELECT echo('[0:2]={1,2,3}'::integer[]);

-- case: arrays that are no lists, and lists that the domain refuses
SELECT echo('{1,NULL}'::integer[]);
\echo :LAST_ERROR_SQLSTATE
SELECT echo('{{1,2},{3,4}}'::integer[]);
\echo :LAST_ERROR_SQLSTATE
SELECT as_positive('{1,0}');
CREATE FUNCTION wrong(int2vector) RETURNS bigint LANGUAGE wasm AS 'guest#sum_i32';

-- case: a domain with a length
CREATE DOMAIN short_name AS varchar(4);
CREATE FUNCTION as_short_name(text) RETURNS short_name LANGUAGE wasm AS 'guest#echo';
SELECT as_short_name('four');
SELECT as_short_name('fours');

-- case: results that the type refuses
CREATE FUNCTION as_mood(text) RETURNS mood LANGUAGE wasm AS 'guest#echo';
CREATE FUNCTION as_jsonb(text) RETURNS jsonb LANGUAGE wasm AS 'guest#echo';
CREATE FUNCTION as_short(text) RETURNS short LANGUAGE wasm AS 'guest#echo';
CREATE FUNCTION as_few(bytea) RETURNS few LANGUAGE wasm AS 'guest#echo';
CREATE FUNCTION as_text(bytea) RETURNS text LANGUAGE wasm AS 'guest#echo';
SELECT as_mood('furious');
SELECT as_jsonb('{');
SELECT as_short('longer');
\echo :LAST_ERROR_SQLSTATE
SELECT as_few('\x010203');
\echo :LAST_ERROR_SQLSTATE
SELECT as_text('\x610062');
\echo :LAST_ERROR_SQLSTATE
SELECT as_text('\xff');
\echo :LAST_ERROR_SQLSTATE
SELECT as_text('\xc48d') = 'č' AS c;

-- case: after such an error all is well, and nothing is left in the guest
SELECT echo('fine'), wasm.get_global('guest', 'heap');

-- case: NULL where the function is not STRICT
SELECT as_text(NULL);
\echo :LAST_ERROR_SQLSTATE

-- case: large values, stored and not
SELECT length(echo(repeat('x', 1000000))), md5(echo(repeat('ab', 5000000))) = md5(repeat('ab', 5000000)) AS same;
CREATE TABLE stored (t text, b bytea);
INSERT INTO stored SELECT repeat(md5(i::text), 1000), decode(repeat(md5(i::text), 1000), 'hex') FROM generate_series(1, 20) i;
SELECT count(*) FROM stored WHERE echo(t) = t AND echo(b) = b AND size(t) = 32000;

-- case: more than the guest's memory may have
SET wasm.memory_limit = '4MB';
SELECT wasm.reset() > 0 AS reset;
SELECT length(echo(repeat('x', 8000000)));
\echo :LAST_ERROR_SQLSTATE
SELECT length("join"(repeat('x', 3000000), repeat('x', 3000000)));
\echo :LAST_ERROR_SQLSTATE
SELECT echo('again');
RESET wasm.memory_limit;
SELECT wasm.reset() > 0 AS reset;

-- case: many calls leave the memory as it is
SELECT sum(length(echo(i::text || repeat('-', 1000)))) FROM generate_series(1, 10000) i;
SELECT wasm.get_global('guest', 'heap');

-- case: addresses outside of the memory
CREATE FUNCTION pair_at(integer) RETURNS text LANGUAGE wasm AS 'guest#pair_at';
CREATE FUNCTION list_at(integer, integer) RETURNS bytea LANGUAGE wasm AS 'guest#list_at';
SELECT pair_at(65536 * 1000);
\echo :LAST_ERROR_SQLSTATE
SELECT pair_at(65532);
SELECT pair_at(-8);
SELECT pair_at(18);
SELECT list_at(0, 5) AS hello, list_at(65536, 0) AS empty;
SELECT list_at(65535, 2);
SELECT list_at(-1, 1);
SELECT list_at(1, -1);
SELECT list_at(0, 2147483647);
CREATE FUNCTION numbers_at(integer, integer) RETURNS bigint[] LANGUAGE wasm AS 'guest#list_at';
SELECT numbers_at(65528, 1), numbers_at(65536, 0);
SELECT numbers_at(65528, 2);
SELECT numbers_at(4, 1);
SELECT numbers_at(8, 536870912);

-- case: a guest whose realloc lies, or traps, or whose free does
CREATE FUNCTION liar() RETURNS wasm.module LANGUAGE wasm AS
'(module (memory (export "memory") 1) (global $where (export "where") (mut i32) (i32.const 0))
	(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
		(if (i32.eq (global.get $where) (i32.const 7)) (then (unreachable)))
		(global.get $where))
	(func (export "f") (param i32 i32) (result i32) (i32.store (i32.const 8) (local.get 0))
		(i32.store (i32.const 12) (local.get 1)) (i32.const 8))
	(func (export "cabi_post_f") (param i32)
		(if (i32.eq (global.get $where) (i32.const 100)) (then (unreachable)))))';
CREATE FUNCTION lie(text) RETURNS text LANGUAGE wasm AS 'liar#f';
SELECT wasm.set_global('liar', 'where', 65533);
SELECT lie('abcd');
\echo :LAST_ERROR_SQLSTATE
SELECT wasm.get_global('liar', 'where') AS renewed;
SELECT wasm.set_global('liar', 'where', -1);
SELECT lie('abcd');
SELECT wasm.set_global('liar', 'where', 65532);
SELECT lie('abcd'), wasm.set_global('liar', 'where', 7);
SELECT lie('abcd');
SELECT wasm.set_global('liar', 'where', 100);
SELECT lie('abcd');
\echo :LAST_ERROR_SQLSTATE
SELECT wasm.get_global('liar', 'where') AS renewed;

-- case: an endless realloc is stopped
CREATE FUNCTION endless() RETURNS wasm.module LANGUAGE wasm AS
'(module (memory (export "memory") 1)
	(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (loop (br 0)) (unreachable))
	(func (export "f") (param i32 i32)))';
CREATE FUNCTION spin(text) RETURNS void LANGUAGE wasm AS 'endless#f';
SET statement_timeout = '200ms';
SELECT spin('a');
RESET statement_timeout;

-- case: signatures that do not fit
CREATE FUNCTION wrong(text, text) RETURNS text LANGUAGE wasm AS 'guest#echo';
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION wrong(text) RETURNS bigint LANGUAGE wasm AS 'guest#echo';
CREATE FUNCTION wrong(stored) RETURNS text LANGUAGE wasm AS 'guest#echo';
CREATE FUNCTION wrong(anyelement) RETURNS text LANGUAGE wasm AS 'guest#echo';

-- case: modules without cabi_realloc, or with another, or without a memory
CREATE FUNCTION wrong(text) RETURNS integer LANGUAGE wasm AS
'(module (memory (export "memory") 1) (func (export "wrong") (param i32 i32) (result i32) (i32.const 0)))';
CREATE FUNCTION wrong() RETURNS text LANGUAGE wasm AS
'(module (memory (export "memory") 1) (func (export "wrong") (result i32) (i32.const 0)))';
CREATE FUNCTION wrong(text) RETURNS integer LANGUAGE wasm AS
'(module (memory (export "memory") 1) (func (export "wrong") (param i32 i32) (result i32) (i32.const 0))
	(func (export "cabi_realloc") (param i32 i32 i32) (result i32) (i32.const 0)))';
CREATE FUNCTION wrong(text) RETURNS integer LANGUAGE wasm AS
'(module (memory (export "m") 1) (func (export "wrong") (param i32 i32) (result i32) (i32.const 0))
	(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0)))';

-- case: a set, an argument of a query, an index
CREATE FUNCTION echoes(text) RETURNS TABLE (t text) LANGUAGE wasm AS 'guest#echo';
CREATE FUNCTION fixed(text) RETURNS text LANGUAGE wasm IMMUTABLE STRICT AS 'guest#echo';
CREATE INDEX ON stored (fixed(left(t, 20)));
SELECT * FROM echoes('row');
SELECT count(*) FROM stored WHERE fixed(left(t, 20)) = left(md5('7'), 20);

SET client_min_messages = warning;
DROP SCHEMA lists CASCADE;
