-- Queries of guests, and what they may know of the session, by wit/host.wit.
CREATE SCHEMA query;
SET search_path = query, public;
\set VERBOSITY terse

-- Runs a query with the parameters that the letters of a shape choose: n null,
-- b true, i, f, t and y the arguments.  Writes rows as [value,value], with floats in
-- thousandths after "~", text in quotes and bytes in angle brackets; an error as
-- SQLSTATE, message, detail and hint.
CREATE FUNCTION guest() RETURNS wasm.module LANGUAGE wasm AS
'(module
	(import "postgres:host/query@0.1.0" "query" (func $query (param i32 i32 i32 i32 i32)))
	(import "postgres:host/query@0.1.0" "execute" (func $execute (param i32 i32 i32 i32) (result i64)))
	(import "postgres:host/query@0.1.0" "try-query" (func $try_query (param i32 i32 i32 i32 i32)))
	(import "postgres:host/query@0.1.0" "try-execute" (func $try_execute (param i32 i32 i32 i32 i32)))
	(import "postgres:host/query@0.1.0" "open" (func $open (param i32 i32 i32 i32) (result i32)))
	(import "postgres:host/query@0.1.0" "[method]cursor.columns" (func $columns (param i32 i32)))
	(import "postgres:host/query@0.1.0" "[method]cursor.fetch" (func $fetch (param i32 i32 i32)))
	(import "postgres:host/query@0.1.0" "[resource-drop]cursor" (func $drop (param i32)))
	(import "postgres:host/session@0.1.0" "current-user" (func $user (param i32)))
	(import "postgres:host/session@0.1.0" "database" (func $database (param i32)))
	(import "postgres:host/session@0.1.0" "setting" (func $setting (param i32 i32 i32)))
	(import "postgres:host/session@0.1.0" "transaction-timestamp" (func $timestamp (result i64)))
	;; 16: the result; 32: what the host returns; 128: parameters; 1 MB: output; 2 MB: heap
	(memory (export "memory") 33)
	(global $heap (mut i32) (i32.const 0x200000))
	(global $out (mut i32) (i32.const 0x100000))
	(func (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32)
		(result i32)
		(local $at i32) (local $missing i32)
		(local.set $at (i32.and (i32.sub (i32.add (global.get $heap) (local.get $align)) (i32.const 1))
			(i32.sub (i32.const 0) (local.get $align))))
		(global.set $heap (i32.add (local.get $at) (local.get $size)))
		(local.set $missing (i32.sub (i32.shr_u (i32.add (global.get $heap) (i32.const 65535)) (i32.const 16)) (memory.size)))
		(if (i32.gt_s (local.get $missing) (i32.const 0))
			(then (if (i32.lt_s (memory.grow (local.get $missing)) (i32.const 0)) (then (unreachable)))))
		(local.get $at))
	(func (export "cabi_post_query") (export "cabi_post_execute") (export "cabi_post_try_query")
		(export "cabi_post_try_execute") (export "cabi_post_open") (export "cabi_post_columns")
		(export "cabi_post_fetch") (export "cabi_post_setting") (param i32)
		(global.set $heap (i32.const 0x200000)))

	;; output
	(func $put (param i32)
		(i32.store8 (global.get $out) (local.get 0))
		(global.set $out (i32.add (global.get $out) (i32.const 1))))
	(func $put_string (param $pair i32)
		(memory.copy (global.get $out) (i32.load (local.get $pair)) (i32.load offset=4 (local.get $pair)))
		(global.set $out (i32.add (global.get $out) (i32.load offset=4 (local.get $pair)))))
	(func $put_digits (param i64)
		(if (i64.ge_u (local.get 0) (i64.const 10))
			(then (call $put_digits (i64.div_u (local.get 0) (i64.const 10)))))
		(call $put (i32.add (i32.const 48) (i32.wrap_i64 (i64.rem_u (local.get 0) (i64.const 10))))))
	(func $put_int (param i64)
		(if (i64.lt_s (local.get 0) (i64.const 0))
			(then
				(call $put (i32.const 45))
				(local.set 0 (i64.sub (i64.const 0) (local.get 0)))))
		(call $put_digits (local.get 0)))
	(func $put_value (param $at i32) (local $kind i32)
		(local.set $kind (i32.load8_u (local.get $at)))
		(if (i32.eq (local.get $kind) (i32.const 0)) (then (call $put (i32.const 45))))
		(if (i32.eq (local.get $kind) (i32.const 1))
			(then (call $put (select (i32.const 116) (i32.const 102) (i32.load8_u offset=8 (local.get $at))))))
		(if (i32.eq (local.get $kind) (i32.const 2)) (then (call $put_int (i64.load offset=8 (local.get $at)))))
		(if (i32.eq (local.get $kind) (i32.const 3))
			(then
				(call $put (i32.const 126))
				(call $put_int (i64.trunc_sat_f64_s (f64.nearest
					(f64.mul (f64.load offset=8 (local.get $at)) (f64.const 1000)))))))
		(if (i32.eq (local.get $kind) (i32.const 4))
			(then
				(call $put (i32.const 34))
				(call $put_string (i32.add (local.get $at) (i32.const 8)))
				(call $put (i32.const 34))))
		(if (i32.eq (local.get $kind) (i32.const 5))
			(then
				(call $put (i32.const 60))
				(call $put_string (i32.add (local.get $at) (i32.const 8)))
				(call $put (i32.const 62)))))
	(func $put_row (param $pair i32) (local $at i32) (local $end i32)
		(local.set $at (i32.load (local.get $pair)))
		(local.set $end (i32.add (local.get $at) (i32.mul (i32.const 16) (i32.load offset=4 (local.get $pair)))))
		(call $put (i32.const 91))
		(block $done (loop $next
			(br_if $done (i32.eq (local.get $at) (local.get $end)))
			(call $put_value (local.get $at))
			(local.set $at (i32.add (local.get $at) (i32.const 16)))
			(br_if $done (i32.eq (local.get $at) (local.get $end)))
			(call $put (i32.const 44))
			(br $next)))
		(call $put (i32.const 93)))
	(func $put_rows (param $pair i32) (local $at i32) (local $n i32)
		(local.set $at (i32.load (local.get $pair)))
		(local.set $n (i32.load offset=4 (local.get $pair)))
		(block $done (loop $next
			(br_if $done (i32.eqz (local.get $n)))
			(call $put_row (local.get $at))
			(local.set $at (i32.add (local.get $at) (i32.const 8)))
			(local.set $n (i32.sub (local.get $n) (i32.const 1)))
			(br $next))))
	(func $put_option (param $at i32)
		(call $put (i32.const 124))
		(if (i32.load8_u (local.get $at)) (then (call $put_string (i32.add (local.get $at) (i32.const 4))))))
	(func $put_error (param $at i32)
		(call $put_string (local.get $at))
		(call $put (i32.const 124))
		(call $put_string (i32.add (local.get $at) (i32.const 8)))
		(call $put_option (i32.add (local.get $at) (i32.const 16)))
		(call $put_option (i32.add (local.get $at) (i32.const 28))))
	(func $output (result i32)
		(i32.store (i32.const 16) (i32.const 0x100000))
		(i32.store (i32.const 20) (i32.sub (global.get $out) (i32.const 0x100000)))
		(global.set $out (i32.const 0x100000))
		(i32.const 16))

	;; parameters, at 128; returns how many they are
	(func $params (param $shape i32) (param $length i32) (param $i i64) (param $f f64)
		(param $t i32) (param $t_length i32) (param $y i32) (param $y_length i32) (result i32)
		(local $n i32) (local $letter i32) (local $at i32)
		(block $done (loop $next
			(br_if $done (i32.eq (local.get $n) (local.get $length)))
			(local.set $letter (i32.load8_u (i32.add (local.get $shape) (local.get $n))))
			(local.set $at (i32.add (i32.const 128) (i32.mul (local.get $n) (i32.const 16))))
			(i32.store8 (local.get $at) (i32.const 9))
			(if (i32.eq (local.get $letter) (i32.const 110)) (then (i32.store8 (local.get $at) (i32.const 0))))
			(if (i32.eq (local.get $letter) (i32.const 98))
				(then
					(i32.store8 (local.get $at) (i32.const 1))
					(i32.store8 offset=8 (local.get $at) (i32.const 1))))
			(if (i32.eq (local.get $letter) (i32.const 105))
				(then
					(i32.store8 (local.get $at) (i32.const 2))
					(i64.store offset=8 (local.get $at) (local.get $i))))
			(if (i32.eq (local.get $letter) (i32.const 102))
				(then
					(i32.store8 (local.get $at) (i32.const 3))
					(f64.store offset=8 (local.get $at) (local.get $f))))
			(if (i32.eq (local.get $letter) (i32.const 116))
				(then
					(i32.store8 (local.get $at) (i32.const 4))
					(i32.store offset=8 (local.get $at) (local.get $t))
					(i32.store offset=12 (local.get $at) (local.get $t_length))))
			(if (i32.eq (local.get $letter) (i32.const 121))
				(then
					(i32.store8 (local.get $at) (i32.const 5))
					(i32.store offset=8 (local.get $at) (local.get $y))
					(i32.store offset=12 (local.get $at) (local.get $y_length))))
			(local.set $n (i32.add (local.get $n) (i32.const 1)))
			(br $next)))
		(local.get $n))

	(func (export "query") (param $sql i32) (param $length i32) (param i32 i32 i64 f64 i32 i32 i32 i32) (result i32)
		(call $query (local.get $sql) (local.get $length) (i32.const 128)
			(call $params (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7)
				(local.get 8) (local.get 9))
			(i32.const 32))
		(call $put_rows (i32.const 32))
		(call $output))
	(func (export "execute") (param $sql i32) (param $length i32) (param i32 i32 i64 f64 i32 i32 i32 i32) (result i32)
		(call $put_int (call $execute (local.get $sql) (local.get $length) (i32.const 128)
			(call $params (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7)
				(local.get 8) (local.get 9))))
		(call $output))
	(func (export "try_query") (param $sql i32) (param $length i32) (param i32 i32 i64 f64 i32 i32 i32 i32) (result i32)
		(call $try_query (local.get $sql) (local.get $length) (i32.const 128)
			(call $params (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7)
				(local.get 8) (local.get 9))
			(i32.const 32))
		(if (i32.load8_u (i32.const 32))
			(then (call $put_error (i32.const 36)))
			(else (call $put_rows (i32.const 36))))
		(call $output))
	(func (export "try_execute") (param $sql i32) (param $length i32) (param i32 i32 i64 f64 i32 i32 i32 i32) (result i32)
		(call $try_execute (local.get $sql) (local.get $length) (i32.const 128)
			(call $params (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7)
				(local.get 8) (local.get 9))
			(i32.const 32))
		(if (i32.load8_u (i32.const 32))
			(then (call $put_error (i32.const 40)))
			(else (call $put_int (i64.load (i32.const 40)))))
		(call $output))

	;; cursors
	(func (export "open") (param $sql i32) (param $length i32) (param i32 i32 i64 f64 i32 i32 i32 i32) (result i32)
		(call $put_int (i64.extend_i32_u (call $open (local.get $sql) (local.get $length) (i32.const 128)
			(call $params (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7)
				(local.get 8) (local.get 9)))))
		(call $output))
	(func (export "columns") (param $cursor i32) (result i32) (local $at i32) (local $n i32)
		(call $columns (local.get $cursor) (i32.const 32))
		(local.set $at (i32.load (i32.const 32)))
		(local.set $n (i32.load (i32.const 36)))
		(block $done (loop $next
			(br_if $done (i32.eqz (local.get $n)))
			(call $put_string (local.get $at))
			(call $put (i32.const 32))
			(call $put_string (i32.add (local.get $at) (i32.const 8)))
			(call $put (i32.const 59))
			(local.set $at (i32.add (local.get $at) (i32.const 16)))
			(local.set $n (i32.sub (local.get $n) (i32.const 1)))
			(br $next)))
		(call $output))
	(func (export "fetch") (param $cursor i32) (param $count i32) (result i32)
		(call $fetch (local.get $cursor) (local.get $count) (i32.const 32))
		(call $put_rows (i32.const 32))
		(call $output))
	(func (export "close") (param $cursor i32) (call $drop (local.get $cursor)))

	;; the session
	(func (export "user") (result i32) (call $user (i32.const 32)) (i32.const 32))
	(func (export "database") (result i32) (call $database (i32.const 32)) (i32.const 32))
	(func (export "setting") (param i32 i32) (result i32)
		(call $setting (local.get 0) (local.get 1) (i32.const 32))
		(call $put_option (i32.const 32))
		(call $output))
	(func (export "timestamp") (result i64) (call $timestamp))

	;; addresses
	(func (export "query_at") (param i32 i32 i32 i32 i32)
		(call $query (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4))))';

CREATE FUNCTION query(sql text, shape text DEFAULT '', i bigint DEFAULT 0, f double precision DEFAULT 0,
	t text DEFAULT '', y bytea DEFAULT '') RETURNS text LANGUAGE wasm AS 'guest#query';
CREATE FUNCTION execute(sql text, shape text DEFAULT '', i bigint DEFAULT 0, f double precision DEFAULT 0,
	t text DEFAULT '', y bytea DEFAULT '') RETURNS text LANGUAGE wasm AS 'guest#execute';
CREATE FUNCTION try_query(sql text, shape text DEFAULT '', i bigint DEFAULT 0, f double precision DEFAULT 0,
	t text DEFAULT '', y bytea DEFAULT '') RETURNS text LANGUAGE wasm AS 'guest#try_query';
CREATE FUNCTION try_execute(sql text, shape text DEFAULT '', i bigint DEFAULT 0, f double precision DEFAULT 0,
	t text DEFAULT '', y bytea DEFAULT '') RETURNS text LANGUAGE wasm AS 'guest#try_execute';
CREATE FUNCTION open(sql text, shape text DEFAULT '', i bigint DEFAULT 0, f double precision DEFAULT 0,
	t text DEFAULT '', y bytea DEFAULT '') RETURNS text LANGUAGE wasm AS 'guest#open';
CREATE FUNCTION columns(integer) RETURNS text LANGUAGE wasm AS 'guest#columns';
CREATE FUNCTION next(integer, integer) RETURNS text LANGUAGE wasm AS 'guest#fetch';
CREATE FUNCTION close(integer) RETURNS void LANGUAGE wasm AS 'guest#close';
CREATE FUNCTION query_at(integer, integer, integer, integer, integer) RETURNS void LANGUAGE wasm AS 'guest#query_at';
CREATE FUNCTION "user"() RETURNS text LANGUAGE wasm AS 'guest#user';
CREATE FUNCTION database() RETURNS text LANGUAGE wasm AS 'guest#database';
CREATE FUNCTION setting(text) RETURNS text LANGUAGE wasm AS 'guest#setting';
CREATE FUNCTION stamp() RETURNS bigint LANGUAGE wasm AS 'guest#timestamp';

CREATE TABLE thing (id integer PRIMARY KEY, name text, price numeric(10,2), made date, data bytea, weight real,
	small smallint, big bigint, good boolean, tags text[], note jsonb);
INSERT INTO thing VALUES
	(1, 'one', 1.50, '2020-02-29', '\x6162', 0.5, -3, 9223372036854775807, true, '{a,b}', '{"k": 1}'),
	(2, 'čau 🐘', NULL, NULL, '', NULL, NULL, NULL, false, NULL, NULL);

-- case: rows of every kind of value
SELECT query('SELECT * FROM thing ORDER BY id');
SELECT query('SELECT'), query('SELECT 1 WHERE false'), query('SELECT NULL'), query('TABLE thing LIMIT 0');
SELECT query('SELECT 4294967295::oid, ''NaN''::real, ''x''::"char", ''b''::char(3), ROW(1, ''a''), ''{1,2}''::int[], 1.50');
SELECT query('SHOW server_encoding'), query('VALUES (1), (2), (NULL)');

-- case: parameters take the types that the query wants
SELECT query('SELECT name FROM thing WHERE id = $1', 'i', i => 1);
SELECT query('SELECT id FROM thing WHERE price = $1', 'f', f => 1.5);
SELECT query('SELECT id FROM thing WHERE price > $1 AND big = $2', 'ii', i => 1);
SELECT query('SELECT id FROM thing WHERE made = $1', 't', t => '2020-02-29');
SELECT query('SELECT id FROM thing WHERE name = $1', 't', t => 'čau 🐘');
SELECT query('SELECT id FROM thing WHERE data = $1', 'y', y => '\x6162');
SELECT query('SELECT id FROM thing WHERE good = $1', 'b');
SELECT query('SELECT id FROM thing WHERE tags = $1', 't', t => '{a,b}'), query('SELECT id FROM thing WHERE note = $1', 't', t => '{"k":1}');
SELECT query('SELECT $1, $2::integer + 1, $3::bigint, $4::double precision, $5::real, $6::boolean, $7::bytea', 'tiiffby',
	i => 41, f => 0.25, t => 'a', y => '\x62');
SELECT query('SELECT $1::integer, $2::text, $3', 'nnn');
SELECT query('SELECT $1, $2, $3', 'ifb', i => -9223372036854775808, f => 1e300);
SELECT query('SELECT $1::bigint, $2::oid', 'ii', i => 4294967295);
SELECT query('SELECT id FROM thing WHERE $1 IS NULL', 'n');

-- case: parameters that do not fit
SELECT query('SELECT 1 FROM thing WHERE id = $1', 'i', i => 3000000000);
\echo :LAST_ERROR_SQLSTATE
SELECT query('SELECT 1 FROM thing WHERE small = $1', 'i', i => 32768);
\echo :LAST_ERROR_SQLSTATE
SELECT query('SELECT 1 FROM thing WHERE weight = $1', 'f', f => 1e300);
\echo :LAST_ERROR_SQLSTATE
SELECT query('SELECT 1 FROM thing WHERE id = $1', 'f', f => 1.5);
\echo :LAST_ERROR_SQLSTATE
SELECT query('SELECT 1 FROM thing WHERE id = $1', 't', t => 'one');
\echo :LAST_ERROR_SQLSTATE
SELECT query('SELECT 1 FROM thing WHERE id = $1', 'y', y => '\x01');
\echo :LAST_ERROR_SQLSTATE
SELECT query('SELECT $1::integer', 'ii'), query('SELECT 1', 'i');
\echo :LAST_ERROR_SQLSTATE
SELECT query('SELECT $1::integer, $3::integer', 'ii');
SELECT query('SELECT $1 + $2', 'ii');
\echo :LAST_ERROR_SQLSTATE
CREATE DOMAIN positive AS integer NOT NULL CHECK (VALUE > 0);
CREATE DOMAIN blob AS bytea CHECK (length(VALUE) = 2);
SELECT query('SELECT $1::positive + 1, $2::blob', 'iy', i => 1, y => '\x6162');
SELECT query('SELECT $1::positive', 'i', i => 0);
SELECT query('SELECT $1::positive', 'n');
SELECT query('SELECT $1::blob', 'y', y => '\x61');
\echo :LAST_ERROR_SQLSTATE

-- case: commands and how many rows they change
SELECT execute('INSERT INTO thing (id, name) VALUES ($1, $2), ($1 + 1, NULL)', 'it', i => 10, t => 'ten');
SELECT query('SELECT id, name FROM thing WHERE id >= 10 ORDER BY id'), execute('SELECT FROM thing');
SELECT execute('UPDATE thing SET big = id WHERE id >= $1', 'i', i => 10), query('UPDATE thing SET big = 0 WHERE false'),
	query('DELETE FROM thing WHERE id >= 10 RETURNING id, big');
SELECT execute('CREATE TEMP TABLE scratch AS SELECT generate_series(1, 5) AS n'), execute('TRUNCATE scratch');
SELECT query('EXPLAIN (COSTS OFF) SELECT 1');
DROP TABLE scratch;

-- case: a query sees what the ones before it have done, the caller's included
BEGIN;
INSERT INTO thing (id) VALUES (20);
SELECT execute('UPDATE thing SET name = ''n'' WHERE id = 20') AS updated, query('SELECT name FROM thing WHERE id = 20');
ROLLBACK;

-- case: an error of a query is that of the statement
\set VERBOSITY default
SELECT query('SELECT * FROM nowhere');
SELECT query('SELECT 1 +');
SELECT execute('INSERT INTO thing (id) VALUES (1)');
DO $$BEGIN RAISE 'raised' USING ERRCODE = 'ZZ123', DETAIL = 'the detail', HINT = 'the hint'; END$$;
CREATE FUNCTION fail() RETURNS void LANGUAGE plpgsql AS
	$$BEGIN RAISE 'raised' USING ERRCODE = 'ZZ123', DETAIL = 'the detail', HINT = 'the hint'; END$$;
SELECT query('SELECT fail()');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse

-- case: what is no query for a guest
SELECT query('');
\echo :LAST_ERROR_SQLSTATE
SELECT query('SELECT 1; SELECT 2');
SELECT query('COMMIT');
\echo :LAST_ERROR_SQLSTATE
SELECT query('SAVEPOINT s');
SELECT query('COPY thing TO STDOUT');
\echo :LAST_ERROR_SQLSTATE
SELECT query('VACUUM');
\echo :LAST_ERROR_SQLSTATE

-- case: try-... return errors, and undo what the query has done
SELECT try_query('SELECT id FROM thing ORDER BY id'), try_execute('UPDATE thing SET big = big');
SELECT try_query('SELECT 1/0'), try_execute('INSERT INTO thing (id) VALUES (1)'), try_query('SELECT fail()'),
	try_query('SELECT $1::integer', 'i', i => 3000000000), try_execute('SELECT * FROM nowhere');
CREATE FUNCTION half() RETURNS integer LANGUAGE plpgsql AS $$BEGIN INSERT INTO thing (id) VALUES (30); RETURN 1/0; END$$;
SELECT try_query('SELECT half()'), query('SELECT count(*) FROM thing');
SELECT try_query('COMMIT'), try_query('SELECT 1; SELECT 2');
BEGIN;
SELECT try_execute('INSERT INTO thing (id) VALUES (40)'), try_execute('INSERT INTO thing (id) VALUES (40)');
SELECT count(*) FROM thing;
ROLLBACK;

-- case: no try returns a cancel, or what is wrong with the guest itself
SET statement_timeout = 100;
SELECT try_query('SELECT pg_sleep(600)');
\echo :LAST_ERROR_SQLSTATE
RESET statement_timeout;
SELECT try_query('SELECT 1', '?');
\echo :LAST_ERROR_SQLSTATE

-- case: functions that are not VOLATILE may only read
CREATE FUNCTION stable_query(sql text, shape text DEFAULT '', i bigint DEFAULT 0, f double precision DEFAULT 0,
	t text DEFAULT '', y bytea DEFAULT '') RETURNS text STABLE LANGUAGE wasm AS 'guest#query';
CREATE FUNCTION immutable_try(sql text, shape text DEFAULT '', i bigint DEFAULT 0, f double precision DEFAULT 0,
	t text DEFAULT '', y bytea DEFAULT '') RETURNS text IMMUTABLE LANGUAGE wasm AS 'guest#try_execute';
CREATE FUNCTION stable_open(sql text, shape text DEFAULT '', i bigint DEFAULT 0, f double precision DEFAULT 0,
	t text DEFAULT '', y bytea DEFAULT '') RETURNS text STABLE LANGUAGE wasm AS 'guest#open';
CREATE FUNCTION stable_fetch(integer, integer) RETURNS text STABLE LANGUAGE wasm AS 'guest#fetch';
SELECT stable_query('SELECT count(*) FROM thing');
SELECT stable_query('DELETE FROM thing');
\echo :LAST_ERROR_SQLSTATE
SELECT immutable_try('DELETE FROM thing'), execute('UPDATE thing SET big = big WHERE id = 1');
SELECT stable_open('DELETE FROM thing RETURNING id');
SELECT stable_query('SELECT query(''DELETE FROM thing WHERE false'')');
BEGIN;
SELECT stable_open('SELECT id FROM thing ORDER BY id') AS a, open('SELECT id FROM thing ORDER BY id') AS b;
SELECT stable_fetch(1, 1), next(1, 1), next(2, 2);
SELECT stable_fetch(2, 1);
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
ALTER FUNCTION stable_query VOLATILE;
SELECT stable_query('DELETE FROM thing WHERE false');
-- a snapshot of the statement's beginning
CREATE TABLE log (n integer);
SELECT execute('INSERT INTO log VALUES (1)'), stable_query('SELECT count(*) FROM log');
ALTER FUNCTION stable_query STABLE;
SELECT execute('INSERT INTO log VALUES (1)'), stable_query('SELECT count(*) FROM log');

-- case: a start function may only read
CREATE FUNCTION starts() RETURNS integer LANGUAGE wasm AS
'(module
	(import "postgres:host/query@0.1.0" "execute" (func $execute (param i32 i32 i32 i32) (result i64)))
	(memory (export "memory") 1)
	(data (i32.const 0) "DELETE FROM thing")
	(func $begin (drop (call $execute (i32.const 0) (i32.const 17) (i32.const 0) (i32.const 0))))
	(start $begin)
	(func (export "starts") (result i32) (i32.const 1)))';
SELECT starts();

-- case: cursors
SELECT wasm.reset() > 0 AS reset;
BEGIN;
SELECT open('SELECT n, n::text AS "as text", (n * 1.0)::numeric(5,1) AS x FROM generate_series(1, $1) n', 'i', i => 5);
SELECT columns(1);
SELECT next(1, 2), next(1, 0), next(1, 2), next(1, 2), next(1, 2);
SELECT close(1);
SELECT close(1);
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
BEGIN;
SELECT open('SELECT 1'), open('SELECT 2'), open('SELECT 3');
SELECT close(2), open('SELECT 4'), next(2, 10), next(3, 10), next(1, -1);
SELECT count(*) FROM pg_cursors;
SELECT open('INSERT INTO log VALUES (7) RETURNING n'), next(4, 1);
SELECT next(9, 1);
ROLLBACK;
SELECT open('UPDATE log SET n = 1');
\echo :LAST_ERROR_SQLSTATE
SELECT open('COMMIT');
SELECT open('SELECT 1/(n - 2) FROM generate_series(1, 3) n'), next(1, 1), next(1, 1);
\echo :LAST_ERROR_SQLSTATE

-- case: cursors end with their transaction, or what of it is undone
SELECT wasm.reset() >= 0 AS reset;
SELECT open('SELECT 1');
SELECT next(1, 1);
\echo :LAST_ERROR_SQLSTATE
BEGIN;
SELECT open('SELECT 1') AS a;
SAVEPOINT s;
SELECT open('SELECT 2') AS b;
ROLLBACK TO s;
SELECT next(1, 1);
SELECT close(2), open('SELECT 3');
CLOSE ALL;
SELECT close(1), next(2, 1);
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
-- what an instance leaves open is closed when another one opens a cursor
BEGIN;
SELECT open('SELECT 1'), open('SELECT 2');
SELECT wasm.reset() > 0 AS reset, count(*) FROM pg_cursors;
SELECT open('SELECT 3');
SELECT statement FROM pg_cursors;
COMMIT;
-- a portal of the same name is another one
BEGIN;
SELECT open('SELECT 1');
SELECT name AS portal FROM pg_cursors \gset
CLOSE :"portal";
DECLARE :"portal" CURSOR FOR SELECT 'theirs';
SELECT next(1, 1);
ROLLBACK;
DO $$BEGIN
	PERFORM query.open('SELECT 1') FROM generate_series(1, 1001);
EXCEPTION WHEN program_limit_exceeded THEN
	RAISE INFO '%', SQLERRM;
END$$;

-- case: who runs queries, and what row security shows
CREATE ROLE regress_query_reader;
CREATE ROLE regress_query_owner;
GRANT USAGE ON SCHEMA query TO regress_query_reader, regress_query_owner;
GRANT SELECT ON log TO regress_query_owner;
CREATE TABLE secret (owner name, n integer);
INSERT INTO secret VALUES ('regress_query_reader', 1), ('regress_query_owner', 2);
GRANT SELECT ON secret TO regress_query_reader, regress_query_owner;
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON secret USING (owner = current_user);
CREATE FUNCTION owners_query(sql text, shape text DEFAULT '', i bigint DEFAULT 0, f double precision DEFAULT 0,
	t text DEFAULT '', y bytea DEFAULT '') RETURNS text SECURITY DEFINER LANGUAGE wasm AS 'guest#query';
CREATE FUNCTION owners_user() RETURNS text SECURITY DEFINER LANGUAGE wasm AS 'guest#user';
GRANT EXECUTE ON FUNCTION guest() TO regress_query_owner;
GRANT USAGE ON LANGUAGE wasm TO regress_query_owner;
GRANT CREATE ON SCHEMA query TO regress_query_owner;
ALTER FUNCTION owners_query OWNER TO regress_query_owner;
ALTER FUNCTION owners_user OWNER TO regress_query_owner;
SELECT query('SELECT n FROM secret ORDER BY n');
SET ROLE regress_query_reader;
SELECT query('SELECT n FROM secret'), owners_query('SELECT n FROM secret'), owners_query('SELECT count(*) >= 0 FROM log');
SELECT try_query('SELECT count(*) FROM log');
SELECT "user"(), owners_user();
SELECT setting('data_directory');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;

-- case: the session
SELECT "user"() = current_user AS "user", database() = current_database() AS database,
	setting('search_path'), setting('no.such_setting'), setting('no such setting');
BEGIN;
SELECT stamp() = round(extract(epoch FROM now()) * 1000000) AS stamp;
COMMIT;

-- case: the search path counts at each call
CREATE SCHEMA query_other;
CREATE TABLE query_other.log (n text);
INSERT INTO query_other.log VALUES ('other');
CREATE FUNCTION count_log() RETURNS text LANGUAGE sql AS $$SELECT query.query('SELECT * FROM log LIMIT 1')$$;
SELECT count_log();
SET search_path = query_other, public;
SELECT query.count_log();
SET search_path = query, public;
SELECT count_log();
ALTER TABLE log ALTER n TYPE text USING 'changed';
SELECT count_log();
DROP SCHEMA query_other CASCADE;

-- case: many queries, more than are kept
SELECT count(query('SELECT ' || n)), min(query('SELECT ' || n % 70)) FROM generate_series(1, 500) n;
SELECT query(repeat(' ', 70000) || 'SELECT 1'), query(repeat(' ', 70000) || 'SELECT 1');

-- case: queries that call guests
SELECT query('SELECT query(''SELECT query(''''SELECT 42'''')'')');
SELECT try_query('SELECT query(''SELECT 1/0'')');
CREATE FUNCTION down(sql text, shape text, i bigint, f double precision, t text, y bytea)
	RETURNS text LANGUAGE wasm AS 'guest#query';
CREATE FUNCTION deep(n integer) RETURNS text LANGUAGE sql AS
	$$SELECT CASE n WHEN 0 THEN 'bottom' ELSE query.down('SELECT query.deep(' || n - 1 || ')', '', 0, 0, '', '') END$$;
SELECT deep(10);

-- case: addresses outside of the memory, and what is no text
SELECT query_at(0, -1, 128, 0, 32);
\echo :LAST_ERROR_SQLSTATE
SELECT query_at(-1, 1, 128, 0, 32);
SELECT query_at(0, 0, 128, -1, 32);
SELECT query_at(0, 0, 129, 1, 32);
SELECT wasm.write_memory('guest', 0, 'SELECT 1');
SELECT query_at(0, 8, 128, 0, -4);
SELECT wasm.write_memory('guest', 0, 'SELECT 1');
SELECT query_at(0, 8, 128, 0, 34);
SELECT wasm.write_memory('guest', 0, '\xff');
SELECT query_at(0, 1, 128, 0, 32);
\echo :LAST_ERROR_SQLSTATE

-- case: more than the guest's memory holds
SET wasm.memory_limit = '4MB';
SELECT wasm.reset() >= 0 AS reset;
SELECT query('SELECT repeat(''x'', 5000000)');
\echo :LAST_ERROR_SQLSTATE
SELECT query('SELECT repeat(''x'', 3000000)');
\echo :LAST_ERROR_SQLSTATE
SELECT length(query('SELECT repeat(''x'', 500000)'));
SELECT execute('SELECT repeat(''x'', 4000000)');
RESET wasm.memory_limit;
SELECT wasm.reset() >= 0 AS reset;

-- case: guests that lie when they allocate
CREATE FUNCTION liar() RETURNS wasm.module LANGUAGE wasm AS
'(module
	(import "postgres:host/query@0.1.0" "query" (func $query (param i32 i32 i32 i32 i32)))
	(import "postgres:host/query@0.1.0" "try-query" (func $try_query (param i32 i32 i32 i32 i32)))
	(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
	(memory (export "memory") 1)
	(data (i32.const 0) "SELECT 1")
	(global $how (mut i32) (i32.const 0))
	(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
		(if (i32.eq (global.get $how) (i32.const 1)) (then (unreachable)))
		(if (i32.eq (global.get $how) (i32.const 2)) (then (return (i32.const -8))))
		(if (i32.eq (global.get $how) (i32.const 3)) (then (return (i32.const 1025))))
		(if (i32.eq (global.get $how) (i32.const 4)) (then (call $exit (i32.const 0))))
		(if (i32.eq (global.get $how) (i32.const 5))
			(then (call $query (i32.const 0) (i32.const 8) (i32.const 0) (i32.const 0) (i32.const 64))))
		(if (i32.eq (global.get $how) (i32.const 6))
			(then (call $query (i32.const 1) (i32.const 7) (i32.const 0) (i32.const 0) (i32.const 64))))
		(i32.const 1024))
	(func (export "lie") (param i32)
		(global.set $how (local.get 0))
		(call $query (i32.const 0) (i32.const 8) (i32.const 0) (i32.const 0) (i32.const 64)))
	(func (export "try_lie") (param i32)
		(global.set $how (local.get 0))
		(call $try_query (i32.const 0) (i32.const 8) (i32.const 0) (i32.const 0) (i32.const 64))))';
CREATE FUNCTION lie(integer) RETURNS void LANGUAGE wasm AS 'liar#lie';
CREATE FUNCTION try_lie(integer) RETURNS void LANGUAGE wasm AS 'liar#try_lie';
SELECT lie(0), try_lie(0);
SELECT lie(1);
SELECT lie(2);
\echo :LAST_ERROR_SQLSTATE
SELECT lie(3);
SELECT lie(4);
SELECT lie(5);
\echo :LAST_ERROR_SQLSTATE
SELECT lie(6);
SELECT try_lie(1);
SELECT try_lie(5);
\echo :LAST_ERROR_SQLSTATE
SELECT lie(0), try_lie(0);
CREATE FUNCTION without_realloc() RETURNS void LANGUAGE wasm AS
'(module
	(import "postgres:host/query@0.1.0" "query" (func $query (param i32 i32 i32 i32 i32)))
	(memory (export "memory") 1)
	(data (i32.const 0) "SELECT 1")
	(func (export "without_realloc")
		(call $query (i32.const 0) (i32.const 8) (i32.const 0) (i32.const 0) (i32.const 64))))';
SELECT without_realloc();
\echo :LAST_ERROR_SQLSTATE

-- case: DO blocks may change the database
DO LANGUAGE wasm '(module
	(import "postgres:host/query@0.1.0" "execute" (func $execute (param i32 i32 i32 i32) (result i64)))
	(memory (export "memory") 1)
	(data (i32.const 0) "DELETE FROM thing WHERE id = 2")
	(func (export "main") (drop (call $execute (i32.const 0) (i32.const 30) (i32.const 0) (i32.const 0)))))';
SELECT count(*) FROM thing;

SET client_min_messages = warning;
DROP OWNED BY regress_query_owner, regress_query_reader CASCADE;
DROP SCHEMA query CASCADE;
DROP ROLE regress_query_reader, regress_query_owner;
