-- Components: every WIT type in SQL, both ways, and what does not fit.
CREATE SCHEMA components;
SET search_path = components, public;
\set VERBOSITY terse

-- What a query fails with: SQLSTATE, message, detail and hint; else its rows.
CREATE FUNCTION attempt(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
	detail text;
	hint text;
BEGIN
	EXECUTE format('SELECT string_agg(t::text, '' '') FROM (%s) t', query) INTO answer;
	RETURN answer;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = pg_exception_detail, hint = pg_exception_hint;
	RETURN concat_ws(' / ', sqlstate, sqlerrm, nullif(detail, ''), nullif(hint, ''));
END $$;

-- Functions that return their only argument.  The flat values of it are written one
-- after the other where the canonical ABI has them in memory, for which many types
-- share a function.
CREATE FUNCTION echo() RETURNS wasm.module LANGUAGE wasm AS
'(component
	(core module $m
		(memory (export "memory") 1)
		(global $heap (mut i32) (i32.const 1024))
		(func $realloc (export "realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32)
			(result i32)
			(local $at i32) (local $missing i32)
			(local.set $at (i32.and (i32.sub (i32.add (global.get $heap) (local.get $align)) (i32.const 1))
				(i32.sub (i32.const 0) (local.get $align))))
			(global.set $heap (i32.add (local.get $at) (local.get $size)))
			(local.set $missing (i32.sub (i32.shr_u (i32.add (global.get $heap) (i32.const 65535)) (i32.const 16))
				(memory.size)))
			(if (i32.gt_s (local.get $missing) (i32.const 0))
				(then (if (i32.lt_s (memory.grow (local.get $missing)) (i32.const 0)) (then unreachable))))
			(memory.copy (local.get $at) (local.get $old) (local.get $old_size))
			(local.get $at))
		(func (export "free") (param i32) (global.set $heap (i32.const 1024)))
		(func (export "i32") (param i32) (result i32) (local.get 0))
		(func (export "i64") (param i64) (result i64) (local.get 0))
		(func (export "f32") (param f32) (result f32) (local.get 0))
		(func (export "f64") (param f64) (result f64) (local.get 0))
		;; two, three and more words; a word and one of 64 bits
		(func (export "two") (param i32 i32) (result i32)
			(i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) (i32.const 16))
		(func (export "three") (param i32 i32 i32) (result i32)
			(i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1))
			(i32.store (i32.const 24) (local.get 2)) (i32.const 16))
		(func (export "four") (param i32 i32 i32 i32) (result i32)
			(i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1))
			(i32.store (i32.const 24) (local.get 2)) (i32.store (i32.const 28) (local.get 3)) (i32.const 16))
		(func (export "long") (param i32 i64) (result i32)
			(i32.store (i32.const 16) (local.get 0)) (i64.store (i32.const 24) (local.get 1)) (i32.const 16))
		(func (export "point") (param i32 f64 i32 i32 i32) (result i32)
			(i32.store (i32.const 16) (local.get 0)) (f64.store (i32.const 24) (local.get 1))
			(i32.store (i32.const 32) (local.get 2)) (i32.store (i32.const 36) (local.get 3))
			(i32.store (i32.const 40) (local.get 4)) (i32.const 16))
		(func (export "maybe-point") (param i32 i32 f64 i32 i32 i32) (result i32)
			(i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 24) (local.get 1)) (f64.store (i32.const 32) (local.get 2))
			(i32.store (i32.const 40) (local.get 3)) (i32.store (i32.const 44) (local.get 4))
			(i32.store (i32.const 48) (local.get 5)) (i32.const 16))
		(func (export "failure") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
			(i32.store (i32.const 16) (i32.const 1)) (i32.store (i32.const 20) (local.get 0))
			(i32.store (i32.const 24) (local.get 1)) (i32.store (i32.const 28) (local.get 2))
			(i32.store (i32.const 32) (local.get 3)) (i32.store (i32.const 36) (local.get 4))
			(i32.store (i32.const 40) (local.get 5)) (i32.store (i32.const 44) (local.get 6))
			(i32.store (i32.const 48) (local.get 7)) (i32.store (i32.const 52) (local.get 8))
			(i32.store (i32.const 56) (local.get 9)) (i32.const 16))
		;; an error with the text "no"
		(func (export "no") (result i32)
			(i32.store8 (i32.const 64) (i32.const 110)) (i32.store8 (i32.const 65) (i32.const 111))
			(i32.store (i32.const 16) (i32.const 1)) (i32.store (i32.const 24) (i32.const 64))
			(i32.store (i32.const 28) (i32.const 2)) (i32.const 16))
		(func (export "nothing"))
		;; 20 numbers, in memory
		(func (export "sum") (param $at i32) (result i64) (local $n i32) (local $sum i64)
			(loop $next
				(local.set $sum (i64.add (local.get $sum) (i64.load (local.get $at))))
				(local.set $at (i32.add (local.get $at) (i32.const 8)))
				(local.set $n (i32.add (local.get $n) (i32.const 1)))
				(br_if $next (i32.lt_u (local.get $n) (i32.const 20))))
			(local.get $sum)))
	(core instance $i (instantiate $m))
	(alias core export $i "memory" (core memory $memory))
	(alias core export $i "realloc" (core func $realloc))
	(alias core export $i "free" (core func $free))

	(type $colour_type (enum "red" "light-green" "blue"))
	(export $colour "colour" (type $colour_type))
	(type $access_type (flags "read" "write" "run-it"))
	(export $access "access" (type $access_type))
	(type $many_type (flags "f0" "f1" "f2" "f3" "f4" "f5" "f6" "f7" "f8" "f9" "f10" "f11" "f12" "f13" "f14" "f15"
		"f16" "f17" "f18" "f19" "f20" "f21" "f22" "f23" "f24" "f25" "f26" "f27" "f28" "f29" "f30" "f31"))
	(export $many "many" (type $many_type))
	(type $point_type (record (field "x" s32) (field "y" float64) (field "the-label" (option string))))
	(export $point "point" (type $point_type))
	(type $failure_type (record (field "sqlstate" string) (field "message" string) (field "detail" (option string))
		(field "hint" (option string))))
	(export $failure "failure" (type $failure_type))
	(type $shape_type (variant (case "none") (case "circle" float64) (case "square" s32) (case "text" char)))
	(export $shape "shape" (type $shape_type))

	(func (export "a-bool") (param "v" bool) (result bool) (canon lift (core func $i "i32")))
	(func (export "a-s8") (param "v" s8) (result s8) (canon lift (core func $i "i32")))
	(func (export "a-u8") (param "v" u8) (result u8) (canon lift (core func $i "i32")))
	(func (export "a-s16") (param "v" s16) (result s16) (canon lift (core func $i "i32")))
	(func (export "a-u16") (param "v" u16) (result u16) (canon lift (core func $i "i32")))
	(func (export "a-s32") (param "v" s32) (result s32) (canon lift (core func $i "i32")))
	(func (export "a-u32") (param "v" u32) (result u32) (canon lift (core func $i "i32")))
	(func (export "a-s64") (param "v" s64) (result s64) (canon lift (core func $i "i64")))
	(func (export "a-u64") (param "v" u64) (result u64) (canon lift (core func $i "i64")))
	(func (export "a-f32") (param "v" float32) (result float32) (canon lift (core func $i "f32")))
	(func (export "a-f64") (param "v" float64) (result float64) (canon lift (core func $i "f64")))
	(func (export "a-char") (param "v" char) (result char) (canon lift (core func $i "i32")))
	(func (export "a-string") (param "v" string) (result string)
		(canon lift (core func $i "two") (memory $memory) (realloc $realloc) (post-return $free)))
	(func (export "bytes") (param "v" (list u8)) (result (list u8))
		(canon lift (core func $i "two") (memory $memory) (realloc $realloc) (post-return $free)))
	(func (export "bytes-as-text") (param "v" (list u8)) (result string)
		(canon lift (core func $i "two") (memory $memory) (realloc $realloc) (post-return $free)))
	(func (export "bools") (param "v" (list bool)) (result (list bool))
		(canon lift (core func $i "two") (memory $memory) (realloc $realloc) (post-return $free)))
	(func (export "s8s") (param "v" (list s8)) (result (list s8))
		(canon lift (core func $i "two") (memory $memory) (realloc $realloc) (post-return $free)))
	(func (export "s32s") (param "v" (list s32)) (result (list s32))
		(canon lift (core func $i "two") (memory $memory) (realloc $realloc) (post-return $free)))
	(func (export "u64s") (param "v" (list u64)) (result (list u64))
		(canon lift (core func $i "two") (memory $memory) (realloc $realloc) (post-return $free)))
	(func (export "f64s") (param "v" (list float64)) (result (list float64))
		(canon lift (core func $i "two") (memory $memory) (realloc $realloc) (post-return $free)))
	(func (export "strings") (param "v" (list string)) (result (list string))
		(canon lift (core func $i "two") (memory $memory) (realloc $realloc) (post-return $free)))
	(func (export "options") (param "v" (list (option s32))) (result (list (option s32)))
		(canon lift (core func $i "two") (memory $memory) (realloc $realloc) (post-return $free)))
	(func (export "points") (param "v" (list $point)) (result (list $point))
		(canon lift (core func $i "two") (memory $memory) (realloc $realloc) (post-return $free)))
	(func (export "colours") (param "v" (list $colour)) (result (list $colour))
		(canon lift (core func $i "two") (memory $memory) (realloc $realloc) (post-return $free)))
	(func (export "accesses") (param "v" (list $access)) (result (list $access))
		(canon lift (core func $i "two") (memory $memory) (realloc $realloc) (post-return $free)))
	(func (export "blobs") (param "v" (list (list u8))) (result (list (list u8)))
		(canon lift (core func $i "two") (memory $memory) (realloc $realloc) (post-return $free)))
	(func (export "nested") (param "v" (list (list s32))) (result (list (list s32)))
		(canon lift (core func $i "two") (memory $memory) (realloc $realloc) (post-return $free)))
	(func (export "shapes") (param "v" (list $shape)) (result (list $shape))
		(canon lift (core func $i "two") (memory $memory) (realloc $realloc) (post-return $free)))
	(func (export "maybe-s32") (param "v" (option s32)) (result (option s32))
		(canon lift (core func $i "two") (memory $memory)))
	(func (export "maybe-u64") (param "v" (option u64)) (result (option u64))
		(canon lift (core func $i "long") (memory $memory)))
	(func (export "maybe-string") (param "v" (option string)) (result (option string))
		(canon lift (core func $i "three") (memory $memory) (realloc $realloc) (post-return $free)))
	(func (export "maybe-maybe") (param "v" (option (option s32))) (result (option (option s32)))
		(canon lift (core func $i "three") (memory $memory)))
	(func (export "outcome") (param "v" (result s32 (error string))) (result (result s32 (error string)))
		(canon lift (core func $i "three") (memory $memory) (realloc $realloc) (post-return $free)))
	(func (export "outcomes") (param "v" (result (list s32) (error u32))) (result (result (list s32) (error u32)))
		(canon lift (core func $i "three") (memory $memory) (realloc $realloc) (post-return $free)))
	(func (export "only-ok") (param "v" (result s32)) (result (result s32))
		(canon lift (core func $i "two") (memory $memory)))
	(func (export "only-error") (param "v" (result (error s32))) (result (result (error s32)))
		(canon lift (core func $i "two") (memory $memory)))
	(func (export "neither") (param "v" (result)) (result (result)) (canon lift (core func $i "i32")))
	(func (export "pair-or-error") (param "v" (result (tuple s32 s32) (error string)))
		(result (result (tuple s32 s32) (error string)))
		(canon lift (core func $i "three") (memory $memory) (realloc $realloc) (post-return $free)))
	(func (export "fail") (param "v" $failure) (result (result (error $failure)))
		(canon lift (core func $i "failure") (memory $memory) (realloc $realloc) (post-return $free)))
	(func (export "says-no") (result (result s64 (error string)))
		(canon lift (core func $i "no") (memory $memory)))
	(func (export "single") (param "v" (tuple s32)) (result (tuple s32)) (canon lift (core func $i "i32")))
	(func (export "pair") (param "v" (tuple s32 string)) (result (tuple s32 string))
		(canon lift (core func $i "three") (memory $memory) (realloc $realloc) (post-return $free)))
	(func (export "a-point") (param "v" $point) (result $point)
		(canon lift (core func $i "point") (memory $memory) (realloc $realloc) (post-return $free)))
	(func (export "maybe-point") (param "v" (option $point)) (result (option $point))
		(canon lift (core func $i "maybe-point") (memory $memory) (realloc $realloc) (post-return $free)))
	(func (export "maybe-points") (param "v" (list (option $point))) (result (list (option $point)))
		(canon lift (core func $i "two") (memory $memory) (realloc $realloc) (post-return $free)))
	(func (export "a-colour") (param "v" $colour) (result $colour) (canon lift (core func $i "i32")))
	(func (export "an-access") (param "v" $access) (result $access) (canon lift (core func $i "i32")))
	(func (export "many-flags") (param "v" $many) (result $many) (canon lift (core func $i "i32")))
	(func (export "a-shape") (param "v" $shape) (result $shape) (canon lift (core func $i "long") (memory $memory)))
	(func (export "nothing") (canon lift (core func $i "nothing")))
	(func (export "sum")
		(param "a" s64) (param "b" s64) (param "c" s64) (param "d" s64) (param "e" s64)
		(param "f" s64) (param "g" s64) (param "h" s64) (param "i" s64) (param "j" s64)
		(param "k" s64) (param "l" s64) (param "m" s64) (param "n" s64) (param "o" s64)
		(param "p" s64) (param "q" s64) (param "r" s64) (param "s" s64) (param "t" s64)
		(result s64) (canon lift (core func $i "sum") (memory $memory) (realloc $realloc))))';

-- case: what it exports
SELECT name, kind, type FROM wasm.exports('echo');

-- case: default types
SELECT f FROM wasm.create_functions('echo') f ORDER BY f::text;
SELECT proname, pg_get_function_result(oid) AS result, proisstrict AS strict FROM pg_proc
WHERE pronamespace = 'components'::regnamespace AND prolang = (SELECT oid FROM pg_language WHERE lanname = 'wasm')
ORDER BY proname COLLATE "C";
SELECT t.typname, string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY attnum) AS columns
FROM pg_type t JOIN pg_attribute a ON a.attrelid = t.typrelid
WHERE t.typnamespace = 'components'::regnamespace GROUP BY typname ORDER BY typname COLLATE "C";
SELECT enum_range(NULL::colour);

-- case: truth values and integers
SELECT a_bool(true), a_bool(false), a_bool(NULL) IS NULL AS nothing;
SELECT a_s8('-128'), a_s8('127'), a_u8('0'), a_u8('255'), a_s16('-32768'), a_s16('32767'), a_u16(0), a_u16(65535);
SELECT a_s32(-2147483648), a_s32(2147483647), a_u32(0), a_u32(4294967295);
SELECT a_s64(-9223372036854775808), a_s64(9223372036854775807), a_u64(0), a_u64(18446744073709551615);
SELECT q, attempt(q) FROM unnest(ARRAY['SELECT a_s8(-129::smallint)', 'SELECT a_s8(128::smallint)',
	'SELECT a_u8(-1::smallint)', 'SELECT a_u8(256::smallint)', 'SELECT a_u16(-1)', 'SELECT a_u16(65536)',
	'SELECT a_u32(-1)', 'SELECT a_u32(4294967296)', 'SELECT a_u64(-1)', 'SELECT a_u64(18446744073709551616)',
	'SELECT a_u64(0.5)', 'SELECT a_u64(''NaN'')', 'SELECT a_u64(''Infinity'')', 'SELECT a_u64(1e100)']) q;

-- case: floats
SELECT a_f32('NaN'), a_f32('-Infinity'), a_f32('-0'), a_f32(1e-45), a_f32(3.4028235e38), a_f32(0.1);
SELECT a_f64('NaN'), a_f64('Infinity'), a_f64('-0'), a_f64(5e-324), a_f64(1.7976931348623157e308), a_f64(0.1);

-- case: characters
SELECT a_char('a'), a_char('ß'), a_char('€'), a_char('🐘'), ascii(a_char(U&'\+10FFFF')), ascii(a_char(U&'\E000')), ascii(a_char(E'\x01'));
SELECT q, attempt(q) FROM unnest(ARRAY['SELECT a_char('''')', 'SELECT a_char(''ab'')', 'SELECT a_char(''🐘 '')']) q;

-- case: strings and bytes
SELECT a_string(''), a_string('čau 🐘'), a_string(NULL) IS NULL AS nothing, length(a_string(repeat('ü', 1000000)));
SELECT bytes(''), bytes('\x00ff0a80'), length(bytes(convert_to(repeat('x', 1000000), 'UTF8')));
SELECT bytes_as_text('\x61'), attempt($$SELECT bytes_as_text('\x610062')$$), attempt($$SELECT bytes_as_text('\xff')$$),
	attempt($$SELECT bytes_as_text('\xeda080')$$), attempt($$SELECT bytes_as_text('\xc0af')$$);

-- case: large values, and such as do not fit
SELECT attempt($$SELECT a_string(repeat('x', 100000000))$$), attempt($$SELECT s32s(array_fill(1, ARRAY[20000000]))$$);
SET wasm.memory_limit = '200MB';
SELECT length(a_string(repeat('x', 100000000))), cardinality(s32s(array_fill(1, ARRAY[20000000])));
RESET wasm.memory_limit;
SELECT wasm.reset() > 0 AS reset;

-- case: stored values, compressed or not, and arrays that PL/pgSQL has expanded
CREATE TABLE stored (t text, b bytea, numbers integer[], texts text[]);
ALTER TABLE stored ALTER t SET STORAGE external;
INSERT INTO stored SELECT repeat(md5(i::text), 1000), decode(repeat(md5(i::text), 1000), 'hex'), array_agg(n), array_agg(n::text)
FROM generate_series(1, 20) i, generate_series(1, 5000) n GROUP BY i;
SELECT count(*) FROM stored WHERE a_string(t) = t AND bytes(b) = b AND s32s(numbers) = numbers AND strings(texts) = texts;
DO $$
DECLARE
	numbers integer[];
	texts text[];
BEGIN
	FOR i IN 1 .. 1000 LOOP
		numbers[i] := i;
		texts[i] := i;
	END LOOP;
	ASSERT s32s(numbers) = numbers AND strings(texts) = texts;
END $$;
DROP TABLE stored;

-- case: lists
SELECT bools('{}'), bools('{t,f}'), s8s('{-128,127}'), s32s('{-2147483648,0,2147483647}'), u64s('{0,18446744073709551615}');
SELECT f64s('{0.1,NaN,-0,Infinity}'), strings('{}'), strings('{"",a,"b c","čau"}'), blobs('{"\\x","\\x00ff"}'), colours('{red,blue,light-green}');
SELECT options('{1,NULL,-3}'), options('{NULL}'), options('{}');
SELECT points('{}'), attempt($$SELECT points(ARRAY[(1, 0.5, 'a'), (2, NULL, NULL)]::components.point[])$$);
SELECT points(ARRAY[(1, 0.5, 'a'), (-2, 'NaN', NULL), (3, '-0', '')]::components.point[]);
SELECT array_ndims(s32s('{}')), array_ndims(strings('{}')), array_dims(s32s('{4,5}')), array_dims(strings('{a,b}'));

-- case: arrays of other forms
SELECT s32s('[0:2]={1,2,3}'), strings('[-3:-2]={a,b}'), options('[5:6]={1,NULL}');
SELECT q, attempt(q) FROM unnest(ARRAY['SELECT s32s(''{{1,2},{3,4}}'')', 'SELECT strings(''{{a},{b}}'')', 'SELECT s32s(''{1,NULL}'')',
	'SELECT strings(''{a,NULL}'')', 'SELECT u64s(''{-1}'')', 'SELECT points(''{NULL}'')', 'SELECT an_access(''{{read},{write}}'')',
	'SELECT an_access(''{NULL}'')']) q;
SELECT s32s(array_agg(i)) = array_agg(i) AS same, strings(array_agg(i::text)) = array_agg(i::text) AS same FROM generate_series(1, 10000) i;
SELECT s32s(a[2:3]), strings(a[2:3]::text[]) FROM (SELECT ARRAY[1, 2, 3, 4] AS a) a;

-- case: options
SELECT maybe_s32(NULL) IS NULL AS none, maybe_s32(0), maybe_u64(18446744073709551615), maybe_u64(NULL) IS NULL AS none,
	maybe_string(NULL) IS NULL AS none, maybe_string(''), maybe_string('x');
SELECT maybe_maybe(NULL) IS NULL AS none, maybe_maybe('null'), maybe_maybe('{"some": null}'), maybe_maybe('{"some": 5}');

-- case: results
SELECT outcome('{"ok": 5}'), attempt($$SELECT outcome('{"err": "bad"}')$$), attempt($$SELECT outcome('{"err": ""}')$$);
SELECT only_ok('{"ok": 5}'), attempt($$SELECT only_ok('{"err": null}')$$);
SELECT only_error('{"ok": null}'), attempt($$SELECT only_error('{"err": 7}')$$), attempt('SELECT says_no()');
SELECT neither('{"ok": null}'), attempt($$SELECT neither('{"err": null}')$$);
SELECT outcomes('{"ok": [1, 2]}'), outcomes('{"ok": []}'), attempt($$SELECT outcomes('{"err": 4294967295}')$$);
SELECT * FROM pair_or_error('{"ok": [1, 2]}');
SELECT attempt($$SELECT * FROM pair_or_error('{"err": "no pair"}')$$);

-- case: an error with fields
SELECT attempt($$SELECT fail(('22012', 'a message', 'a detail', 'a hint'))$$);
SELECT attempt($$SELECT fail(('P0001', 'a message', NULL, NULL))$$);
SELECT s, attempt(format($$SELECT fail((%L, 'a message', NULL, 'a hint'))$$, s))
	FROM unnest(ARRAY['', '00000', '01000', '02000', '2201', '2201x', '22012 ', '22č12', '40001', 'ZZZZZ']) s;
SELECT fail(('57014', 'a message', 'a detail', NULL));
\echo :LAST_ERROR_SQLSTATE
SELECT attempt($$SELECT fail(('22012', E'percent %s %n\nlines', 'a %s', 'b %s'))$$);
SELECT attempt($$SELECT fail(('22012', '', '', ''))$$);

-- case: tuples and records
SELECT single(ROW(5)), single(ROW(5)::tuple_s32);
SELECT * FROM pair((1, 'one'));
SELECT * FROM pair((-1, ''));
SELECT pair((1, 'one'));
SELECT a_point((1, 0.5, 'label')), a_point((-1, 'Infinity', NULL)), a_point(NULL) IS NULL AS nothing;
SELECT (a_point((1, 0.5, 'label'))).*;
SELECT q, attempt(q) FROM unnest(ARRAY['SELECT a_point((NULL, 0, NULL))', 'SELECT a_point((1, NULL, NULL))',
	'SELECT pair((NULL, NULL))', 'SELECT a_point((1, 2))']) q;

-- case: rows that may be none
SELECT maybe_point((1, 0.5, 'x')), maybe_point(NULL) IS NULL AS none, maybe_points(ARRAY[(1, 0.5, 'x'), NULL]::components.point[]);
SELECT * FROM maybe_point(NULL);
CREATE FUNCTION maybe_columns(components.point, OUT x integer, OUT y double precision, OUT the_label text) LANGUAGE wasm AS 'echo#maybe-point';
CREATE FUNCTION maybe_table(components.point) RETURNS TABLE (the_label text, x integer, y double precision) LANGUAGE wasm AS 'echo#maybe-point';
CREATE FUNCTION set_of_points(components.point[]) RETURNS SETOF components.point LANGUAGE wasm AS 'echo#maybe-points';
CREATE FUNCTION table_of_points(components.point[]) RETURNS TABLE (x integer, y double precision, the_label text) LANGUAGE wasm AS 'echo#maybe-points';
CREATE FUNCTION pair_table(jsonb) RETURNS TABLE (a integer, b integer) LANGUAGE wasm AS 'echo#pair-or-error';
SELECT * FROM maybe_columns((1, 0.5, 'x')), maybe_columns(NULL) n;
SELECT * FROM maybe_table((1, 0.5, 'x'));
SELECT * FROM maybe_table(NULL);
SELECT * FROM set_of_points(ARRAY[(1, 0.5, 'x'), NULL, (2, 1, NULL)]::components.point[]);
SELECT * FROM table_of_points(ARRAY[NULL, (1, 0.5, 'x')]::components.point[]);
SELECT * FROM pair_table('{"ok": [1, 2]}');
SELECT * FROM pair_table('{"err": "no pair"}');

-- case: a column that was dropped, and one that was added
BEGIN;
ALTER TYPE components.point ADD ATTRIBUTE z integer;
SELECT attempt('SELECT a_point((1, 0.5, ''x'', 3))');
ALTER TYPE components.point DROP ATTRIBUTE z;
SELECT a_point((1, 0.5, 'label'));
ALTER TYPE components.point DROP ATTRIBUTE x;
ALTER TYPE components.point ADD ATTRIBUTE x integer;
SELECT a_point((0.5, 'label', 7));
ROLLBACK;
SELECT a_point((1, 0.5, 'label'));

-- case: enums and flags
SELECT a_colour('red'), a_colour('light-green'), a_colour('blue');
SELECT an_access('{}'), an_access('{read}'), an_access('{run-it,read}'), an_access('{write,write}');
SELECT many_flags(array_agg('f' || i)) FROM generate_series(0, 31) i;
SELECT many_flags('{f31}'), many_flags('{}');
SELECT attempt('SELECT an_access(''{reads}'')'), attempt('SELECT an_access(''{""}'')');

-- case: enums that change
CREATE TYPE tint AS ENUM ('blue', 'red', 'light-green');
CREATE FUNCTION a_tint(tint) RETURNS tint LANGUAGE wasm AS 'echo#a-colour';
SELECT a_tint('red'), a_tint('blue');
ALTER TYPE tint ADD VALUE 'violet';
SELECT attempt('SELECT a_tint(''violet'')');
\c -
SET search_path = components, public;
\set VERBOSITY terse
SELECT attempt('SELECT a_tint(''red'')');

-- case: variants
SELECT a_shape('"none"'), a_shape('{"circle": 0.5}'), a_shape('{"circle": "NaN"}'), a_shape('{"square": -5}'), a_shape('{"text": "🐘"}');
SELECT a_shape('{"none": null}');
SELECT shapes('[]'), shapes('["none", {"circle": 1e300}, {"square": 2147483647}, {"text": "\""}]');
SELECT v, attempt(format('SELECT a_shape(%L)', v)) FROM unnest(ARRAY['"circle"', '{"circle": null}', '{"circle": "x"}', '{"none": 1}', '{}',
	'{"circle": 1, "square": 1}', '"oval"', '{"oval": 1}', 'null', '1', '[]', '["none"]', '{"square": 0.5}', '{"square": 2147483648}',
	'{"text": ""}', '{"text": "ab"}', '{"text": 1}', 'true', '{"circle": 1e400}', '{"circle": [1]}', '{"circle": {"circle": 1}}']) v;

-- case: maps
CREATE FUNCTION maps() RETURNS wasm.module LANGUAGE wasm AS
'(component
	(core module $m (memory (export "memory") 1) (global $next (mut i32) (i32.const 1024))
		(func (export "realloc") (param i32 i32 i32 i32) (result i32)
			(global.set $next (i32.and (i32.add (i32.add (global.get $next) (local.get 2)) (i32.const -1)) (i32.sub (i32.const 0) (local.get 2))))
			(global.get $next)
			(global.set $next (i32.add (global.get $next) (local.get 3))))
		(func (export "echo") (param i32 i32) (result i32)
			(i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) (i32.const 16))
		(func (export "twice") (result i32) (i32.const 32))
		;; two entries with the key "k": 1 and 2; of the third the key is outside of the memory
		(data (i32.const 32) "\30\00\00\00\02\00\00\00")
		(data (i32.const 48) "\58\00\00\00\01\00\00\00\01\00\00\00\58\00\00\00\01\00\00\00\02\00\00\00\ff\ff\ff\ff\01\00\00\00\03\00\00\00")
		(data (i32.const 88) "k")
		(func (export "outside") (result i32) (i32.store (i32.const 36) (i32.const 3)) (i32.const 32)))
	(core instance $i (instantiate $m))
	(type $names (map string u32))
	(type $nested (map u8 (option (list (map string bool)))))
	(func (export "names") (param "v" $names) (result $names)
		(canon lift (core func $i "echo") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
	(func (export "nested") (param "v" $nested) (result $nested)
		(canon lift (core func $i "echo") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
	(func (export "twice") (result $names) (canon lift (core func $i "twice") (memory (core memory $i "memory"))))
	(func (export "outside") (result $names) (canon lift (core func $i "outside") (memory (core memory $i "memory")))))';
SELECT name, type FROM wasm.exports('maps');
SELECT wasm.create_functions('maps', 'map_');
SELECT map_names('{"a": 1, "bcd": 4294967295, "": 7}') AS names, map_names('{}') AS none, map_twice() AS twice;
SELECT map_nested('[[1, [{"x": true, "y": false}, {}]], [255, null], [1, []]]') AS nested, map_nested('[]') AS none;
SELECT attempt($$SELECT map_names('[]')$$), attempt($$SELECT map_names('{"a": null}')$$), attempt($$SELECT map_names('{"a": -1}')$$);
SELECT attempt($$SELECT map_nested('{"1": null}')$$), attempt($$SELECT map_nested('[[1]]')$$), attempt($$SELECT map_nested('[[256, null]]')$$);
SELECT attempt('SELECT map_outside()');
CREATE FUNCTION wrong(text[]) RETURNS jsonb LANGUAGE wasm AS 'maps#names';

-- case: nested lists
SELECT nested('[]'), nested('[[]]'), nested('[[1, 2], [], [-3]]'), accesses('[[], ["read", "run-it"]]');
SELECT v, attempt(format('SELECT nested(%L)', v)) FROM unnest(ARRAY['{}', '[1]', '[[null]]', '[["1"]]', '[[1.5]]', 'null', '[[1], 2]']) v;

-- case: more than 16 flat values
SELECT sum(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20);
SELECT nothing();
-- case: other numbers, where they are declared
CREATE FUNCTION n(numeric) RETURNS numeric LANGUAGE wasm AS 'echo#a-s8';
CREATE FUNCTION n(bigint) RETURNS integer LANGUAGE wasm AS 'echo#a-u32';
CREATE FUNCTION n(oid) RETURNS oid LANGUAGE wasm AS 'echo#a-u32';
CREATE FUNCTION n(xid8) RETURNS xid8 LANGUAGE wasm AS 'echo#a-u64';
CREATE FUNCTION n(smallint) RETURNS xid8 LANGUAGE wasm AS 'echo#a-s64';
CREATE FUNCTION u(numeric) RETURNS bigint LANGUAGE wasm AS 'echo#a-u64';
CREATE FUNCTION narrow(bigint) RETURNS smallint LANGUAGE wasm AS 'echo#a-s64';
CREATE FUNCTION as_oid(bigint) RETURNS oid LANGUAGE wasm AS 'echo#a-s64';
CREATE FUNCTION f(numeric) RETURNS numeric LANGUAGE wasm AS 'echo#a-f64';
CREATE FUNCTION f(double precision) RETURNS real LANGUAGE wasm AS 'echo#a-f64';
CREATE FUNCTION f4(numeric) RETURNS numeric LANGUAGE wasm AS 'echo#a-f32';
CREATE FUNCTION f4(double precision) RETURNS double precision LANGUAGE wasm AS 'echo#a-f32';
SELECT n(-128.0), n(127.000), n(4294967295::oid), n('18446744073709551615'::xid8), n(32767::smallint), u(9223372036854775807), n(2147483647::bigint);
SELECT f(0.1), f(1e308) = 1e308 AS same, f('NaN'::numeric), f('-Infinity'::numeric), f4(0.1), f4(0.1::double precision), f(0.1::double precision);
SELECT q, attempt(q) FROM unnest(ARRAY['SELECT n(127.5)', 'SELECT n(128.0)', 'SELECT n(''NaN''::numeric)', 'SELECT n(2147483648::bigint)',
	'SELECT n(-1::bigint)', 'SELECT n(-1::smallint)', 'SELECT u(9223372036854775808)', 'SELECT narrow(32768)', 'SELECT narrow(-32769)',
	'SELECT as_oid(-1)', 'SELECT as_oid(4294967296)', 'SELECT f(1e300::double precision)', 'SELECT f4(1e39)', 'SELECT f4(1e39::double precision)',
	'SELECT f4(1e-60::double precision)', 'SELECT f(1e309)']) q;

-- case: truth values as numbers, floats as integers
CREATE FUNCTION of_bool(smallint) RETURNS numeric LANGUAGE wasm AS 'echo#a-bool';
CREATE FUNCTION of_bool(integer) RETURNS bigint LANGUAGE wasm AS 'echo#a-bool';
CREATE FUNCTION of_bool(bigint) RETURNS integer LANGUAGE wasm AS 'echo#a-bool';
CREATE FUNCTION of_bool(numeric) RETURNS boolean LANGUAGE wasm AS 'echo#a-bool';
CREATE FUNCTION of_bools(integer[]) RETURNS smallint[] LANGUAGE wasm AS 'echo#bools';
SELECT of_bool(1::smallint), of_bool(0), of_bool(1::bigint), of_bool(1.0), of_bools('{1,0,1}');
CREATE FUNCTION of_f32(bigint) RETURNS smallint LANGUAGE wasm AS 'echo#a-f32';
CREATE FUNCTION of_f32(numeric) RETURNS integer LANGUAGE wasm AS 'echo#a-f32';
CREATE FUNCTION of_f32(double precision) RETURNS bigint LANGUAGE wasm AS 'echo#a-f32';
CREATE FUNCTION of_f64(smallint) RETURNS bigint LANGUAGE wasm AS 'echo#a-f64';
CREATE FUNCTION of_f64(integer) RETURNS numeric LANGUAGE wasm AS 'echo#a-f64';
CREATE FUNCTION of_f64(bigint) RETURNS bigint LANGUAGE wasm AS 'echo#a-f64';
CREATE FUNCTION of_f64(double precision) RETURNS smallint LANGUAGE wasm AS 'echo#a-f64';
SELECT of_f32(32767::bigint), of_f32(-2.5), of_f32(16777217::float8), of_f64('-32768'::smallint), of_f64(2147483647),
	of_f64(9007199254740993), of_f64(0.5::float8), of_f64(1.5::float8), of_f64(-32768.5::float8);
SELECT q, attempt(q) FROM unnest(ARRAY['SELECT of_bool(2)', 'SELECT of_bool(-1::smallint)', 'SELECT of_bool(0.5)', 'SELECT of_bool(''NaN''::numeric)',
	'SELECT of_bools(''{1,256}'')', 'SELECT of_f32(32768::bigint)', 'SELECT of_f32(3e9)', 'SELECT of_f32(1e39::float8)', 'SELECT of_f32(''NaN''::float8)',
	'SELECT of_f64(9223372036854775807)', 'SELECT of_f64(''Infinity''::float8)', 'SELECT of_f64(32767.5::float8)']) q;

-- case: other types for characters
CREATE FUNCTION ch("char") RETURNS "char" LANGUAGE wasm AS 'echo#a-char';
CREATE FUNCTION ch(text) RETURNS "char" LANGUAGE wasm AS 'echo#a-char';
CREATE FUNCTION of_char("char") RETURNS varchar LANGUAGE wasm AS 'echo#a-char';
CREATE FUNCTION fixed(char) RETURNS char LANGUAGE wasm AS 'echo#a-char';
SELECT ch('a'::"char"), ch('ÿ'::text) = '\377'::"char" AS high, of_char('z'), fixed('q'), attempt('SELECT ch(''€''::text)');
SELECT attempt('SELECT of_char('''')');

-- case: other types for strings
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN short AS text CHECK (length(value) < 6);
CREATE DOMAIN brief AS varchar(4);
CREATE FUNCTION s(varchar) RETURNS varchar LANGUAGE wasm STRICT AS 'echo#a-string';
CREATE FUNCTION s(char) RETURNS char LANGUAGE wasm STRICT AS 'echo#a-string';
CREATE FUNCTION s(json) RETURNS json LANGUAGE wasm STRICT AS 'echo#a-string';
CREATE FUNCTION s(jsonb) RETURNS jsonb LANGUAGE wasm STRICT AS 'echo#a-string';
CREATE FUNCTION s(uuid) RETURNS uuid LANGUAGE wasm STRICT AS 'echo#a-string';
CREATE FUNCTION s(numeric) RETURNS numeric LANGUAGE wasm STRICT AS 'echo#a-string';
CREATE FUNCTION s(timestamptz) RETURNS timestamptz LANGUAGE wasm STRICT AS 'echo#a-string';
CREATE FUNCTION s(inet) RETURNS inet LANGUAGE wasm STRICT AS 'echo#a-string';
CREATE FUNCTION s(int4range) RETURNS int4range LANGUAGE wasm STRICT AS 'echo#a-string';
CREATE FUNCTION s(bytea) RETURNS bytea LANGUAGE wasm STRICT AS 'echo#a-string';
CREATE FUNCTION s(xml) RETURNS xml LANGUAGE wasm STRICT AS 'echo#a-string';
CREATE FUNCTION s(mood) RETURNS mood LANGUAGE wasm STRICT AS 'echo#a-string';
CREATE FUNCTION s(short) RETURNS short LANGUAGE wasm STRICT AS 'echo#a-string';
SELECT s('x'::varchar), s('{"a": [1, null]}'::json), s('{"b": 1, "a": 2}'::jsonb), s('6ba7b812-9dad-11d1-80b4-00c04fd430c8'::uuid);
SELECT s(-1234567890123456789012345678901234567890.5), s('2026-01-02 03:04:05+00'::timestamptz) = '2026-01-02 03:04:05+00' AS same,
	s('::1/64'::inet), s('[1,10)'::int4range), s('\x00ff'::bytea), s('happy'::mood), s('short'::short);
CREATE FUNCTION to_mood(text) RETURNS mood LANGUAGE wasm AS 'echo#a-string';
CREATE FUNCTION to_jsonb_of(text) RETURNS jsonb LANGUAGE wasm AS 'echo#a-string';
CREATE FUNCTION to_short(text) RETURNS short LANGUAGE wasm AS 'echo#a-string';
CREATE FUNCTION to_brief(text) RETURNS brief LANGUAGE wasm AS 'echo#a-string';
CREATE FUNCTION to_inet(text) RETURNS inet LANGUAGE wasm AS 'echo#a-string';
SELECT to_brief('four'), to_brief('four   '), to_short('');
SELECT q, attempt(q) FROM unnest(ARRAY['SELECT to_mood(''furious'')', 'SELECT to_jsonb_of(''{'')', 'SELECT to_short(''longer'')',
	'SELECT to_brief(''fours'')', 'SELECT to_inet(''x'')', 'SELECT to_inet('''')']) q;
SELECT a_string('after errors');
CREATE DOMAIN shorts AS varchar(3)[];
CREATE FUNCTION to_shorts(text[]) RETURNS shorts LANGUAGE wasm AS 'echo#strings';
SELECT to_shorts(ARRAY['abc', 'x  ', 'abc  ']), attempt($$SELECT to_shorts(ARRAY['abcd'])$$);
CREATE SEQUENCE checks;
CREATE DOMAIN counted AS integer CHECK (nextval('checks') > 0);
CREATE FUNCTION to_counted(integer) RETURNS counted LANGUAGE wasm AS 'echo#maybe-s32';
SELECT to_counted(5), currval('checks') AS checks;

-- case: types that are not for strings
CREATE FUNCTION wrong(integer) RETURNS text LANGUAGE wasm AS 'echo#a-string';
CREATE FUNCTION wrong(text) RETURNS boolean LANGUAGE wasm AS 'echo#a-string';
CREATE FUNCTION wrong(text[]) RETURNS text LANGUAGE wasm AS 'echo#a-string';
CREATE FUNCTION wrong(components.point) RETURNS text LANGUAGE wasm AS 'echo#a-string';
CREATE FUNCTION wrong(text) RETURNS record LANGUAGE wasm AS 'echo#a-string';
CREATE FUNCTION wrong(text) RETURNS void LANGUAGE wasm AS 'echo#a-string';

-- case: types that do not fit
CREATE FUNCTION wrong(text) RETURNS boolean LANGUAGE wasm AS 'echo#a-bool';
CREATE FUNCTION wrong(oid) RETURNS boolean LANGUAGE wasm AS 'echo#a-bool';
CREATE FUNCTION wrong(boolean) RETURNS double precision LANGUAGE wasm AS 'echo#a-bool';
CREATE FUNCTION wrong(boolean) RETURNS boolean LANGUAGE wasm AS 'echo#a-s32';
CREATE FUNCTION wrong(text) RETURNS text LANGUAGE wasm AS 'echo#a-s32';
CREATE FUNCTION wrong(xid8) RETURNS integer LANGUAGE wasm AS 'echo#a-f64';
CREATE FUNCTION wrong(boolean) RETURNS integer LANGUAGE wasm AS 'echo#a-f32';
CREATE FUNCTION wrong(double precision) RETURNS integer LANGUAGE wasm AS 'echo#a-s32';
CREATE FUNCTION wrong(text) RETURNS bytea LANGUAGE wasm AS 'echo#bytes';
CREATE FUNCTION wrong(smallint[]) RETURNS smallint[] LANGUAGE wasm AS 'echo#bytes';
CREATE FUNCTION wrong(int2vector) RETURNS smallint[] LANGUAGE wasm AS 'echo#s32s';
CREATE FUNCTION wrong(bytea) RETURNS bytea LANGUAGE wasm AS 'echo#s8s';
CREATE FUNCTION wrong(text[]) RETURNS integer[] LANGUAGE wasm AS 'echo#s32s';
CREATE FUNCTION wrong(mood) RETURNS mood LANGUAGE wasm AS 'echo#a-colour';
CREATE FUNCTION wrong(tuple_s32) RETURNS components.point LANGUAGE wasm AS 'echo#a-point';
CREATE FUNCTION wrong(text) RETURNS text LANGUAGE wasm AS 'echo#a-shape';
CREATE FUNCTION wrong(text) RETURNS text[] LANGUAGE wasm AS 'echo#an-access';
CREATE FUNCTION wrong() RETURNS text LANGUAGE wasm AS 'echo#a-string';
CREATE FUNCTION wrong(text, text) RETURNS text LANGUAGE wasm AS 'echo#a-string';
CREATE FUNCTION wrong(VARIADIC text[]) RETURNS text LANGUAGE wasm AS 'echo#a-string';
CREATE FUNCTION wrong(text) RETURNS SETOF text LANGUAGE wasm AS 'echo#a-string';
CREATE FUNCTION wrong(text[]) RETURNS SETOF integer LANGUAGE wasm AS 'echo#strings';
CREATE FUNCTION wrong(text[]) RETURNS TABLE (a text, b text) LANGUAGE wasm AS 'echo#strings';
CREATE FUNCTION wrong(text) RETURNS text LANGUAGE wasm AS 'echo#a_string';
CREATE FUNCTION wrong(text) RETURNS text LANGUAGE wasm AS 'echo#colour';
CREATE FUNCTION wrong(anyelement) RETURNS anyelement LANGUAGE wasm AS 'echo#a-string';
CREATE FUNCTION wrong(INOUT text, OUT text) LANGUAGE wasm AS 'echo#a-string';

-- case: lists as sets
CREATE FUNCTION set_of(integer[]) RETURNS SETOF integer LANGUAGE wasm AS 'echo#s32s';
CREATE FUNCTION set_of(text[]) RETURNS SETOF text LANGUAGE wasm STRICT AS 'echo#strings';
CREATE FUNCTION set_of(bytea) RETURNS SETOF smallint LANGUAGE wasm AS 'echo#bytes';
CREATE FUNCTION set_of(bigint[]) RETURNS SETOF numeric LANGUAGE wasm AS 'echo#options';
CREATE FUNCTION set_of(components.point[]) RETURNS SETOF components.point LANGUAGE wasm AS 'echo#points';
CREATE FUNCTION table_of(components.point[]) RETURNS TABLE (the_label text, y double precision, x numeric) LANGUAGE wasm AS 'echo#points';
CREATE FUNCTION set_of(jsonb) RETURNS SETOF integer LANGUAGE wasm AS 'echo#outcomes';
CREATE FUNCTION set_of_json(jsonb) RETURNS SETOF jsonb LANGUAGE wasm AS 'echo#nested';
SELECT set_of('{1,2,3}'::integer[]), 'x' AS x;
SELECT * FROM set_of('{a,"",c}'::text[]) WITH ORDINALITY;
SELECT * FROM set_of('{}'::integer[]);
SELECT * FROM set_of(NULL::text[]);
SELECT sum(s) FROM set_of('\x00ff7f'::bytea) s;
SELECT s, s IS NULL AS none FROM set_of('{1,NULL,-3}'::bigint[]) s;
SELECT * FROM set_of(ARRAY[(1, 0.5, 'a'), (2, 1, NULL)]::components.point[]);
SELECT * FROM table_of(ARRAY[(1, 0.5, 'a'), (2, 1, NULL)]::components.point[]);
SELECT count(*), sum(s) FROM set_of((SELECT array_agg(i) FROM generate_series(1, 100000) i)) s;
SELECT * FROM set_of('{1,2,3}'::integer[]) LIMIT 1;
SELECT i, set_of(array_fill(i, ARRAY[i])) FROM generate_series(0, 2) i;
SELECT * FROM set_of('{"ok": [5, 6]}'::jsonb);
SELECT * FROM set_of('{"err": 7}'::jsonb);
SELECT * FROM set_of_json('[[1], [], [2, 3]]');
SELECT attempt('SELECT set_of(NULL::integer[])');

-- case: results as rows of ok and err
CREATE FUNCTION both_out(jsonb, OUT ok integer, OUT err text) LANGUAGE wasm AS 'echo#outcome';
CREATE FUNCTION both_table(jsonb) RETURNS TABLE (ok integer, err text) LANGUAGE wasm AS 'echo#outcome';
CREATE FUNCTION both_ok(jsonb, OUT ok integer, OUT err boolean) LANGUAGE wasm AS 'echo#only-ok';
CREATE FUNCTION both_error(jsonb, OUT ok boolean, OUT err bigint) LANGUAGE wasm AS 'echo#only-error';
CREATE FUNCTION both_failure(failure, OUT ok boolean, OUT err failure) LANGUAGE wasm AS 'echo#fail';
CREATE FUNCTION both_lists(jsonb, OUT ok integer[], OUT err bigint) LANGUAGE wasm AS 'echo#outcomes';
CREATE TYPE outcome_type AS (ok integer, err text);
CREATE FUNCTION both_type(jsonb) RETURNS outcome_type LANGUAGE wasm AS 'echo#outcome';
CREATE FUNCTION both_json(jsonb) RETURNS jsonb LANGUAGE wasm AS 'echo#outcome';
SELECT * FROM both_out('{"ok": 5}');
SELECT * FROM both_out('{"err": "text"}');
SELECT * FROM both_table('{"err": ""}');
SELECT * FROM both_ok('{"ok": 1}'), both_ok('{"err": null}') e;
SELECT * FROM both_error('{"ok": null}'), both_error('{"err": -1}') e;
SELECT * FROM both_failure(('22012', 'message', NULL, 'hint'));
SELECT * FROM both_lists('{"ok": []}'), both_lists('{"err": 1}') e;
SELECT both_type('{"ok": 5}'), both_json('{"ok": 5}'), attempt($$SELECT both_json('{"err": "x"}')$$);
CREATE FUNCTION wrong(jsonb, OUT err text, OUT ok integer) LANGUAGE wasm AS 'echo#outcome';
CREATE FUNCTION wrong(jsonb, OUT ok integer, OUT err integer) LANGUAGE wasm AS 'echo#outcome';

-- case: flags as a bit mask, enums as text
CREATE FUNCTION mask(bigint) RETURNS bigint LANGUAGE wasm AS 'echo#an-access';
CREATE FUNCTION many_mask(bigint) RETURNS bigint LANGUAGE wasm AS 'echo#many-flags';
CREATE FUNCTION mask_names(bigint) RETURNS text[] LANGUAGE wasm AS 'echo#an-access';
CREATE FUNCTION colour_name(text) RETURNS text LANGUAGE wasm AS 'echo#a-colour';
CREATE FUNCTION colour_names(text[]) RETURNS varchar[] LANGUAGE wasm AS 'echo#colours';
SELECT mask(0), mask(7), mask_names(5), many_mask(4294967295), many_mask(2147483648), attempt('SELECT mask(8)'), attempt('SELECT mask(-1)'), attempt('SELECT many_mask(4294967296)');
SELECT colour_name('light-green'), colour_names('{red,blue}'), attempt('SELECT colour_name(''light_green'')'), attempt('SELECT colour_name('''')');

-- case: jsonb for anything
CREATE FUNCTION j_bool(jsonb) RETURNS jsonb LANGUAGE wasm AS 'echo#a-bool';
CREATE FUNCTION j_u64(jsonb) RETURNS jsonb LANGUAGE wasm AS 'echo#a-u64';
CREATE FUNCTION j_f32(jsonb) RETURNS jsonb LANGUAGE wasm AS 'echo#a-f32';
CREATE FUNCTION j_f64(jsonb) RETURNS jsonb LANGUAGE wasm AS 'echo#a-f64';
CREATE FUNCTION j_char(jsonb) RETURNS jsonb LANGUAGE wasm AS 'echo#a-char';
CREATE FUNCTION j_strings(jsonb) RETURNS jsonb LANGUAGE wasm AS 'echo#strings';
CREATE FUNCTION j_bytes(jsonb) RETURNS jsonb LANGUAGE wasm AS 'echo#bytes';
CREATE FUNCTION j_pair(jsonb) RETURNS jsonb LANGUAGE wasm AS 'echo#pair';
CREATE FUNCTION j_point(jsonb) RETURNS jsonb LANGUAGE wasm AS 'echo#a-point';
CREATE FUNCTION j_points(jsonb) RETURNS jsonb LANGUAGE wasm AS 'echo#points';
CREATE FUNCTION j_access(jsonb) RETURNS jsonb LANGUAGE wasm AS 'echo#an-access';
CREATE FUNCTION j_colour(jsonb) RETURNS jsonb LANGUAGE wasm AS 'echo#a-colour';
CREATE FUNCTION j_maybe(jsonb) RETURNS jsonb LANGUAGE wasm AS 'echo#maybe-string';
CREATE FUNCTION j_options(jsonb) RETURNS jsonb LANGUAGE wasm AS 'echo#options';
SELECT j_bool('true'), j_bool('false'), j_u64('18446744073709551615'), j_f32('0.1'), j_f32('"-Infinity"'), j_f64('1e-5'), j_char('"€"');
SELECT j_strings('["a", "", "č\n\"\\"]'), j_bytes('[0, 255]'), j_pair('[1, "x"]'), j_colour('"light-green"'), j_access('["run-it", "read", "read"]');
SELECT j_point('{"x": 1, "y": 0.5, "the-label": "l"}'), j_point('{"x": 1, "y": 0}'), j_points('[{"x": 1, "y": 0, "the-label": null}]');
SELECT j_maybe('null') IS NULL AS none, j_maybe(NULL) IS NULL AS none, j_maybe('""'), j_options('[1, null]');
SELECT q, attempt(q) FROM unnest(ARRAY['SELECT j_bool(''1'')', 'SELECT j_bool(NULL)', 'SELECT j_u64(''-1'')', 'SELECT j_u64(''"1"'')', 'SELECT j_f32(''1e39'')',
	'SELECT j_char(''"ab"'')', 'SELECT j_strings(''[1]'')', 'SELECT j_bytes(''[256]'')', 'SELECT j_bytes(''"\\x00"'')', 'SELECT j_pair(''[1]'')',
	'SELECT j_pair(''[1, "x", 2]'')', 'SELECT j_pair(''{}'')', 'SELECT j_point(''{"x": 1}'')', 'SELECT j_point(''{"x": 1, "y": 1, "z": 1}'')',
	'SELECT j_point(''[1, 2, "x"]'')', 'SELECT j_access(''"read"'')', 'SELECT j_access(''["reads"]'')', 'SELECT j_access(''[1]'')',
	'SELECT j_colour(''"pink"'')', 'SELECT j_colour(''0'')']) q;

-- case: domains, on the way out and within
CREATE DOMAIN positive AS integer CHECK (value > 0);
CREATE DOMAIN few AS integer[] CHECK (cardinality(value) < 3);
CREATE DOMAIN upper_point AS components.point CHECK ((value).y >= 0);
CREATE DOMAIN not_none AS integer CHECK (value IS NOT NULL);
CREATE DOMAIN object AS jsonb CHECK (jsonb_typeof(value) = 'object');
CREATE TYPE strict_point AS (x positive, y double precision, the_label short);
CREATE FUNCTION d(integer) RETURNS positive LANGUAGE wasm AS 'echo#a-s32';
CREATE FUNCTION d(integer[]) RETURNS few LANGUAGE wasm AS 'echo#s32s';
CREATE FUNCTION d_each(integer[]) RETURNS positive[] LANGUAGE wasm AS 'echo#s32s';
CREATE FUNCTION d_set(integer[]) RETURNS SETOF positive LANGUAGE wasm AS 'echo#s32s';
CREATE FUNCTION d(components.point) RETURNS upper_point LANGUAGE wasm AS 'echo#a-point';
CREATE FUNCTION d_strict(components.point) RETURNS strict_point LANGUAGE wasm AS 'echo#a-point';
CREATE FUNCTION d_in(upper_point) RETURNS components.point LANGUAGE wasm AS 'echo#a-point';
CREATE FUNCTION d_none(integer) RETURNS not_none LANGUAGE wasm AS 'echo#maybe-s32';
CREATE FUNCTION d(jsonb) RETURNS object LANGUAGE wasm AS 'echo#a-shape';
CREATE FUNCTION d_ok(jsonb) RETURNS positive LANGUAGE wasm AS 'echo#outcome';
SELECT d(1), d('{1,2}'::integer[]), d_each('{1,2}'), d((1, 0, 'x')::components.point), d_strict((1, 0, 'x')), d_in((1, 0, 'x')), d_none(5), d('{"square": 1}'::jsonb), d_ok('{"ok": 1}');
SELECT d_set('{1,2}');
SELECT q, attempt(q) FROM unnest(ARRAY['SELECT d(0)', 'SELECT d(''{1,2,3}''::integer[])', 'SELECT d_each(''{1,0}'')', 'SELECT d_set(''{1,0}'')',
	'SELECT d((1, -1, ''x'')::components.point)', 'SELECT d_strict((0, 0, ''x''))', 'SELECT d_strict((1, 0, ''longer''))', 'SELECT d_none(NULL)',
	'SELECT d(''"none"''::jsonb)', 'SELECT d_ok(''{"ok": 0}'')', 'SELECT d_ok(''{"err": "x"}'')']) q;
SELECT d(1);

-- case: NULL for what has no place for it
CREATE FUNCTION null_in(integer) RETURNS integer LANGUAGE wasm AS 'echo#a-s32';
CREATE FUNCTION null_in(text) RETURNS text LANGUAGE wasm AS 'echo#a-string';
CREATE FUNCTION null_in(components.point) RETURNS components.point LANGUAGE wasm AS 'echo#a-point';
SELECT attempt('SELECT null_in(NULL::integer)'), attempt('SELECT null_in(NULL::text)'), attempt('SELECT null_in(NULL::components.point)');
SELECT null_in(1), null_in('x'), null_in((1, 2, NULL));

-- case: strings in UTF-16, and in Latin-1 or UTF-16
CREATE FUNCTION wide() RETURNS wasm.module LANGUAGE wasm AS
'(component
	(core module $m
		(memory (export "memory") 1)
		(global $heap (mut i32) (i32.const 1024))
		(func (export "realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
			(local $at i32) (local $missing i32)
			(local.set $at (i32.and (i32.sub (i32.add (global.get $heap) (local.get $align)) (i32.const 1))
				(i32.sub (i32.const 0) (local.get $align))))
			(global.set $heap (i32.add (local.get $at) (local.get $size)))
			(local.set $missing (i32.sub (i32.shr_u (i32.add (global.get $heap) (i32.const 65535)) (i32.const 16))
				(memory.size)))
			(if (i32.gt_s (local.get $missing) (i32.const 0))
				(then (if (i32.lt_s (memory.grow (local.get $missing)) (i32.const 0)) (then unreachable))))
			(if (local.get $old_size) (then (memory.copy (local.get $at) (local.get $old)
				(select (local.get $old_size) (local.get $size) (i32.lt_u (local.get $old_size) (local.get $size))))))
			(local.get $at))
		(func (export "free") (param i32) (global.set $heap (i32.const 1024)))
		(func (export "echo") (param i32 i32) (result i32)
			(i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) (i32.const 16))
		(func (export "units") (param i32 i32) (result i32) (local.get 1))
		(func (export "at") (param i32 i32) (result i32)
			(i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) (i32.const 16)))
	(core instance $i (instantiate $m))
	(alias core export $i "memory" (core memory $memory))
	(alias core export $i "realloc" (core func $realloc))
	(alias core export $i "free" (core func $free))
	(func (export "echo16") (param "v" string) (result string)
		(canon lift (core func $i "echo") string-encoding=utf16 (memory $memory) (realloc $realloc) (post-return $free)))
	(func (export "list16") (param "v" (list string)) (result (list string))
		(canon lift (core func $i "echo") string-encoding=utf16 (memory $memory) (realloc $realloc) (post-return $free)))
	(func (export "units16") (param "v" string) (result u32)
		(canon lift (core func $i "units") string-encoding=utf16 (memory $memory) (realloc $realloc)))
	(func (export "read16") (param "v" (list u16)) (result string)
		(canon lift (core func $i "at") string-encoding=utf16 (memory $memory) (realloc $realloc) (post-return $free)))
	(func (export "at16") (param "at" u32) (param "length" u32) (result string)
		(canon lift (core func $i "at") string-encoding=utf16 (memory $memory)))
	(func (export "echo1") (param "v" string) (result string)
		(canon lift (core func $i "echo") string-encoding=latin1+utf16 (memory $memory) (realloc $realloc) (post-return $free)))
	(func (export "units1") (param "v" string) (result u32)
		(canon lift (core func $i "units") string-encoding=latin1+utf16 (memory $memory) (realloc $realloc)))
	(func (export "at1") (param "at" u32) (param "length" u32) (result string)
		(canon lift (core func $i "at") string-encoding=latin1+utf16 (memory $memory))))';
SELECT count(*) FROM wasm.create_functions('wide');
SELECT s, echo16(s) = s AS same, units16(s), echo1(s) = s AS same, units1(s)
FROM unnest(ARRAY['', 'a', 'ÿ', 'č', '🐘', 'aÿč🐘', repeat('ü', 5), 'ü' || repeat('x', 10) || '€']) s;
SELECT echo16(repeat('č🐘', 100000)) = repeat('č🐘', 100000) AS same, echo1(repeat('ü', 300000) || 'č') = repeat('ü', 300000) || 'č' AS same;
SELECT list16('{a,"",č🐘}'), read16('{97,55357,56344}');
SELECT q, attempt(q) FROM unnest(ARRAY['SELECT read16(''{55357}'')', 'SELECT read16(''{56344,55357}'')', 'SELECT read16(''{97,0}'')',
	'SELECT at16(65535, 1)', 'SELECT at16(65534, 1)', 'SELECT at16(65536, 0)', 'SELECT at16(1, 1)', 'SELECT at16(0, 4294967295)', 'SELECT at16(0, 2147483648)',
	'SELECT at1(65535, 1)', 'SELECT at1(65536, 1)', 'SELECT at1(1, 2147483649)', 'SELECT at1(1, 0)', 'SELECT at1(0, 4294967295)']) q;
SELECT echo16('after errors');

-- case: exports within instances, whose names collide
CREATE FUNCTION adders() RETURNS wasm.module LANGUAGE wasm AS
'(component
	(core module $m
		(func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
		(func (export "subtract") (param i32 i32) (result i32) (i32.sub (local.get 0) (local.get 1))))
	(core instance $i (instantiate $m))
	(func $add (param "a" s32) (param "b" s32) (result s32) (canon lift (core func $i "add")))
	(func $subtract (param "a" s32) (param "b" s32) (result s32) (canon lift (core func $i "subtract")))
	(instance $adder (export "add" (func $add)) (export "only-here" (func $add)))
	(instance $other (export "add" (func $subtract)))
	(export "docs:adder/add-it@0.1.0" (instance $adder))
	(export "docs:adder/sub-tract@0.1.0" (instance $other))
	(export "plain" (func $add))
	(export "plain-instance" (instance $other)))';
SELECT name, type, declaration FROM wasm.exports('adders');
SELECT wasm.create_functions('adders', 'x_');
SELECT x_add_it_add(5, 3), x_sub_tract_add(5, 3), x_plain_instance_add(5, 3), x_only_here(5, 3), x_plain(5, 3);
CREATE FUNCTION by_name(integer, integer) RETURNS integer LANGUAGE wasm AS 'adders#docs:adder/sub-tract@0.1.0#add';
SELECT by_name(5, 3);
CREATE FUNCTION wrong(integer, integer) RETURNS integer LANGUAGE wasm AS 'adders#docs:adder/sub-tract@0.1.0#subtract';
CREATE FUNCTION wrong(integer, integer) RETURNS integer LANGUAGE wasm AS 'adders#docs:adder/sub-tract@0.1.0';
CREATE FUNCTION wrong(integer, integer) RETURNS integer LANGUAGE wasm AS 'adders#add';
SELECT prosrc FROM pg_proc WHERE proname IN ('by_name', 'x_add_it_add') ORDER BY proname;

-- case: interfaces of the same name in two packages
CREATE FUNCTION same_interface() RETURNS wasm.module LANGUAGE wasm AS
'(component
	(core module $m (func (export "f") (result i32) (i32.const 1)) (func (export "g") (result i32) (i32.const 2)))
	(core instance $i (instantiate $m))
	(func $f (result s32) (canon lift (core func $i "f")))
	(func $g (result s32) (canon lift (core func $i "g")))
	(instance $one (export "get" (func $f)))
	(instance $two (export "get" (func $g)))
	(export "a:one/config" (instance $one))
	(export "b:two/config" (instance $two))
	(export "b:two/config@2.0.0" (instance $two)))';
SELECT wasm.create_functions('same_interface', 'y_');
SELECT y_a_one_config_get(), y_b_two_config_get(), y_b_two_config_2_0_0_get();
SELECT proname, prosrc FROM pg_proc WHERE proname LIKE 'y\_%' ORDER BY 1;

-- case: the same inline
CREATE FUNCTION inline(integer, integer) RETURNS integer LANGUAGE wasm AS ';; export: docs:adder/add@0.1.0#add
(component
	(core module $m (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
	(core instance $i (instantiate $m))
	(func $add (param "a" s32) (param "b" s32) (result s32) (canon lift (core func $i "add")))
	(instance $adder (export "add" (func $add)))
	(export "docs:adder/add@0.1.0" (instance $adder)))';
CREATE FUNCTION upper_first(text) RETURNS text LANGUAGE wasm AS
'(component
	(core module $m (memory (export "memory") 1)
		(func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64))
		(func (export "f") (param i32 i32) (result i32)
			(i32.store8 (local.get 0) (i32.sub (i32.load8_u (local.get 0)) (i32.const 32)))
			(i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) (i32.const 16)))
	(core instance $i (instantiate $m))
	(func (export "any-name") (param "v" string) (result string)
		(canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))';
SELECT inline(2, 3), upper_first('hello');

-- case: a declaration as text makes the same functions
SELECT wasm.ddl('echo', 'again_') AS ddl \gset
\echo :ddl
CREATE SCHEMA elsewhere;
SET search_path = elsewhere;
SELECT wasm.ddl('components.echo') AS ddl \gset
:ddl
SELECT count(*) FROM pg_proc WHERE pronamespace = 'elsewhere'::regnamespace;
SELECT a_point((1, 2, 'x')), a_colour('red'), pair((1, 'x')), outcomes('{"ok": [1]}');
SET search_path = pg_catalog;
SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'elsewhere'::regnamespace AND NOT EXISTS (
	SELECT FROM pg_proc q WHERE q.pronamespace = 'components'::regnamespace AND q.proname = p.proname AND q.proisstrict = p.proisstrict
	AND q.prosrc = p.prosrc AND pg_get_function_arguments(q.oid) = replace(pg_get_function_arguments(p.oid), 'elsewhere.', 'components.')
	AND pg_get_function_result(q.oid) = replace(pg_get_function_result(p.oid), 'elsewhere.', 'components.'));
SET search_path = elsewhere;

-- case: functions made twice
SELECT wasm.create_functions('components.echo');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM wasm.create_functions('components.echo', replace => true);
SELECT count(*) FROM wasm.create_functions('components.echo', 'p_');
SELECT p_a_point((1, 2, 'x')), pg_typeof(p_a_point((1, 2, 'x')));

-- case: a type that is in the way
CREATE SCHEMA third;
SET search_path = third, components, public;
CREATE TYPE colour AS ENUM ('red', 'blue');
SELECT wasm.create_functions('echo');
\echo :LAST_ERROR_SQLSTATE
DROP TYPE colour;
CREATE DOMAIN colour AS text;
SELECT wasm.create_functions('echo');
DROP DOMAIN colour;
CREATE TYPE point AS (x integer, y double precision);
SELECT wasm.create_functions('echo');
DROP TYPE third.point;
CREATE TYPE point AS (x integer, y double precision, the_label varchar);
SELECT wasm.create_functions('echo');
DROP TYPE third.point;
CREATE TYPE point AS (y double precision, x integer, the_label text);
SELECT wasm.create_functions('echo');
DROP TYPE third.point;
CREATE TABLE point (x integer, y double precision, the_label text);
SELECT count(*) FROM wasm.create_functions('echo');
SET search_path = components, public;
SET client_min_messages = warning;
DROP SCHEMA elsewhere, third CASCADE;
RESET client_min_messages;

-- case: resources are refused
CREATE FUNCTION with_resource() RETURNS wasm.module LANGUAGE wasm AS
'(component
	(type $r (resource (rep i32)))
	(export $thing "thing" (type $r))
	(core module $m
		(func (export "make") (param i32) (result i32) (i32.const 0))
		(func (export "one") (result i32) (i32.const 1)))
	(core instance $i (instantiate $m))
	(core func $new (canon resource.new $r))
	(func (export "[constructor]thing") (param "v" u32) (result (own $thing)) (canon lift (core func $i "make")))
	(func (export "[static]thing.make") (param "v" u32) (result (own $thing)) (canon lift (core func $i "make")))
	(func (export "take") (param "v" (borrow $thing)) (result u32) (canon lift (core func $i "make")))
	(func (export "one") (result u32) (canon lift (core func $i "one"))))';
SELECT name, kind, type, declaration FROM wasm.exports('with_resource');
SELECT wasm.create_functions('with_resource', 'r_');
CREATE FUNCTION wrong(bigint) RETURNS bigint LANGUAGE wasm AS 'with_resource#take';
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION wrong(bigint) RETURNS jsonb LANGUAGE wasm AS 'with_resource#[constructor]thing';
SELECT r_one();

-- case: a module is replaced
CREATE FUNCTION changing() RETURNS wasm.module LANGUAGE wasm AS
'(component
	(core module $m (func (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))
	(core instance $i (instantiate $m))
	(func (export "f") (param "v" s32) (result s32) (canon lift (core func $i "f"))))';
CREATE FUNCTION changed(integer) RETURNS integer LANGUAGE wasm AS 'changing#f';
SELECT changed(1);
SELECT wasm.create_module('changing', replace => true, module =>
'(component
	(core module $m (func (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const 2))))
	(core instance $i (instantiate $m))
	(func (export "f") (param "other-name" s32) (result s32) (canon lift (core func $i "f"))))');
SELECT changed(1);
-- another type, which the declaration fits as well
SELECT wasm.create_module('changing', replace => true, module =>
'(component
	(core module $m (func (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const 3))))
	(core instance $i (instantiate $m))
	(func (export "f") (param "v" u8) (result u32) (canon lift (core func $i "f"))))');
SELECT changed(1), attempt('SELECT changed(-1)');
-- a core module with the same function
SELECT wasm.create_module('changing', replace => true, module =>
'(module (func (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const 4))))');
SELECT changed(1);
SELECT attempt(format('SELECT wasm.create_module(''changing'', replace => true, module => %L)', module)) FROM (VALUES
	('(component (core module $m (func (export "f") (param i64) (result i32) (i32.const 0))) (core instance $i (instantiate $m))
		(func (export "f") (param "v" char) (result s32) (canon lift (core func $j "f"))))'),
	('(component (core module $m (func (export "f") (param i32) (result i32) (i32.const 0))) (core instance $i (instantiate $m))
		(func (export "f") (param "v" char) (result s32) (canon lift (core func $i "f"))))'),
	('(component (core module $m (func (export "f") (param i32) (result i32) (i32.const 0))) (core instance $i (instantiate $m))
		(func (export "g") (param "v" s32) (result s32) (canon lift (core func $i "f"))))'),
	('(component (core module $m (func (export "f") (param i32) (result i32) (i32.const 0))) (core instance $i (instantiate $m))
		(func $f (param "v" s32) (result s32) (canon lift (core func $i "f"))) (instance $x (export "f" (func $f))) (export "a:b/c" (instance $x)))'),
	('(component)')) v(module);
SELECT changed(1);
CREATE FUNCTION sets() RETURNS wasm.module LANGUAGE wasm AS
'(component
	(core module $m (memory (export "memory") 1)
		(func (export "list") (result i32) (i32.store (i32.const 20) (i32.const 2)) (i32.const 16)))
	(core instance $i (instantiate $m))
	(func (export "f") (result (list u32)) (canon lift (core func $i "list") (memory (core memory $i "memory")))))';
CREATE FUNCTION set_of_two() RETURNS SETOF integer LANGUAGE wasm AS 'sets#f';
SELECT set_of_two();
SELECT attempt($$SELECT wasm.create_module('sets', replace => true, module =>
	'(component (core module $m (func (export "f") (result i32) (i32.const 5))) (core instance $i (instantiate $m))
		(func (export "f") (result u32) (canon lift (core func $i "f"))))')$$);
SELECT set_of_two();

-- case: a file with a component
CREATE FUNCTION file(name text, module text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	path text := current_setting('data_directory') || '/wasm_regress_' || name;
	lo oid := lo_from_bytea(0, convert_to(module, 'UTF8'));
BEGIN
	PERFORM lo_export(lo, path);
	PERFORM lo_unlink(lo);
	RETURN path;
END
$$;
SELECT file('component.wat', '(component
	(core module $m (memory (export "memory") 1)
		(func (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
		(func (export "pair") (param i32) (result i32)
			(i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 0)) (i32.const 16)))
	(core instance $i (instantiate $m))
	(type $t (record (field "a-b" s32) (field "c" s32)))
	(export $two "the-two" (type $t))
	(func $f (export "add-one") (param "v" s32) (result s32) (canon lift (core func $i "f")))
	(func (export "pair-of") (param "v" s32) (result $two) (canon lift (core func $i "pair") (memory (core memory $i "memory"))))
	(instance $x (export "add-one" (func $f)))
	(export "a:b/c@1.0.0" (instance $x)))') AS component \gset
SELECT wasm_new_instance(:'component', 'ns') IS NOT NULL AS id;
SELECT ns_add_one(1), ns_pair_of(5), ns_c_add_one(2);
SELECT name, inputs, outputs FROM wasm.exported_functions WHERE name LIKE 'ns\_%' ORDER BY name;
SELECT wasm_new_instance(:'component', 'ns') = (SELECT id FROM wasm.instances WHERE wasm_file = :'component') AS same_id;
SELECT file('component.wat', '(component
	(core module $m (func (export "f") (param i64) (result i64) (i64.add (local.get 0) (i64.const 2))))
	(core instance $i (instantiate $m))
	(func (export "add-one") (param "v" s64) (result s64) (canon lift (core func $i "f"))))') IS NOT NULL AS written;
SELECT wasm_new_instance(:'component', 'ns') IS NOT NULL AS id;
SELECT ns_add_one(1), pg_typeof(ns_add_one(1));
SELECT name, inputs, outputs FROM wasm.exported_functions WHERE name LIKE 'ns\_%' ORDER BY name;

-- case: what a component is
SELECT wasm.validate('(component)'), wasm.validate('(component (core module (func unreachable)))'), wasm.validate('(component (import "f" (func)))'),
	wasm.validate('\x0061736d0d000100'), wasm.validate('\x0061736d0e000100'), wasm.validate('\x0061736d0d00010001'),
	wasm.validate('(component (func $f))'), wasm.validate('(component (export "f" (func 0)))');
SELECT module, attempt(format('SELECT wasm.create_module(''wrong_module'', %L::bytea)', module)) FROM (VALUES ('(component (func (export "f")))'),
	('(component (export "f" (func 0)))'), ('\x0061736d0e000100'), ('\x0061736d0d000200'), ('\x0061736d0d00010001'), ('\x0061736d0d0001000007'),
	('(component $a (component $b) (component $c'), ('(component (type (flags)))'), ('(component (type (record)))'), ('(component (type (variant)))'),
	('(component (type (enum)))'), ('(component (type (tuple)))'), ('(component (type (enum "a" "a")))'), ('(component (type (record (field "A" u8) (field "a" u8))))'),
	('(component (type $t (record (field "a" u8))) (func (export "f") (param "v" $t) (canon lift (core func 0))))'),
	('(component (export "Not Kebab" (type 0)))')) v(module);

-- case: DO runs the only function without parameters
DO LANGUAGE wasm '(component
	(core module $m (func (export "f")))
	(core instance $i (instantiate $m))
	(func (export "run") (canon lift (core func $i "f"))))';
DO LANGUAGE wasm '(component
	(core module $m (func (export "f") unreachable))
	(core instance $i (instantiate $m))
	(func (export "run") (canon lift (core func $i "f"))))';
\echo :LAST_ERROR_SQLSTATE
DO LANGUAGE wasm '(component
	(core module $m (func (export "f")) (func (export "g") unreachable))
	(core instance $i (instantiate $m))
	(func (export "main") (canon lift (core func $i "f")))
	(func (export "other") (canon lift (core func $i "g"))))';
DO LANGUAGE wasm '(component
	(core module $m (memory (export "memory") 1)
		(func (export "f") (result i32) (i32.store8 (i32.const 16) (i32.const 1)) (i32.store8 (i32.const 32) (i32.const 98))
			(i32.store (i32.const 20) (i32.const 32)) (i32.store (i32.const 24) (i32.const 1)) (i32.const 16))
		(func (export "g") (param i32) (result i32) (local.get 0)))
	(core instance $i (instantiate $m))
	(func $run (result (result (error string))) (canon lift (core func $i "f") (memory (core memory $i "memory"))))
	(func (export "with") (param "v" u32) (result u32) (canon lift (core func $i "g")))
	(instance $x (export "run" (func $run)))
	(export "wasi:cli/run@0.2.0" (instance $x)))';
\echo :LAST_ERROR_SQLSTATE
DO LANGUAGE wasm '(component)';
\echo :LAST_ERROR_SQLSTATE

-- case: what traps
CREATE FUNCTION traps() RETURNS wasm.module LANGUAGE wasm AS
'(component
	(core module $m
		(memory (export "memory") 1)
		(global $calls (mut i32) (i32.const 0))
		(func (export "crash") unreachable)
		(func (export "divide") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
		(func $down (export "recurse") (param i32) (result i32) (i32.add (call $down (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))
		(func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
		(func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
		(func (export "spin") (loop $l (br $l)))
		(func (export "tick") (result i32)
			(global.set $calls (i32.add (global.get $calls) (i32.const 1))) (global.get $calls)))
	(core instance $i (instantiate $m))
	(func (export "crash") (canon lift (core func $i "crash")))
	(func (export "divide") (param "a" s32) (param "b" s32) (result s32) (canon lift (core func $i "divide")))
	(func (export "recurse") (param "v" s32) (result s32) (canon lift (core func $i "recurse")))
	(func (export "load") (param "v" u32) (result s32) (canon lift (core func $i "load")))
	(func (export "grow") (param "v" u32) (result s32) (canon lift (core func $i "grow")))
	(func (export "spin") (canon lift (core func $i "spin")))
	(func (export "tick") (result s32) (canon lift (core func $i "tick"))))';
SELECT count(*) FROM wasm.create_functions('traps');
SELECT tick(), tick();
SELECT q, attempt(q), tick() FROM unnest(ARRAY['SELECT crash()', 'SELECT divide(1, 0)', 'SELECT divide(-2147483648, -1)', 'SELECT recurse(0)', 'SELECT load(65533)',
	'SELECT load(4294967295)']) q;
SELECT tick(), divide(6, 3);

-- case: an endless loop
SET statement_timeout = '200ms';
SELECT spin();
\echo :LAST_ERROR_SQLSTATE
RESET statement_timeout;
SELECT tick();
SET wasm.fuel = 100000;
SELECT spin();
\echo :LAST_ERROR_SQLSTATE
SELECT divide(6, 3);
RESET wasm.fuel;

-- case: the limit is for all memories of a component
SELECT grow(1023), grow(1), grow(-1::bigint + 4294967296);
SELECT wasm.reset() > 0 AS reset;
CREATE FUNCTION two_memories() RETURNS wasm.module LANGUAGE wasm AS
'(component
	(core module $m
		(memory (export "memory") 1)
		(func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
		(func (export "size") (result i32) (memory.size)))
	(core instance $a (instantiate $m))
	(core instance $b (instantiate $m))
	(func (export "grow-a") (param "v" u32) (result s32) (canon lift (core func $a "grow")))
	(func (export "grow-b") (param "v" u32) (result s32) (canon lift (core func $b "grow")))
	(func (export "size-a") (result u32) (canon lift (core func $a "size")))
	(func (export "size-b") (result u32) (canon lift (core func $b "size"))))';
SELECT count(*) FROM wasm.create_functions('two_memories');
SELECT grow_a(500), grow_b(500), grow_b(23), grow_a(1), grow_b(1);
SELECT size_a(), size_b();
SELECT grow_b(22), grow_b(1), grow_a(1), size_a() + size_b() AS pages;
SELECT wasm.reset() > 0 AS reset;
SET wasm.memory_limit = '128kB';
SELECT size_a() + size_b() AS pages, grow_a(1), grow_b(1);
SET wasm.memory_limit = '127kB';
SELECT wasm.reset() > 0 AS reset;
SELECT attempt('SELECT size_a()');
RESET wasm.memory_limit;
SET wasm.session_memory_limit = '200kB';
SELECT size_a(), grow_a(1), grow_b(1), grow_a(1);
RESET wasm.session_memory_limit;
SELECT size_a(), grow_a(1);

-- case: functions of the host
CREATE FUNCTION hosted() RETURNS wasm.module LANGUAGE wasm AS
'(component
	(import "postgres:host/log@0.1.0" (instance $log
		(type $l (enum "debug" "log" "info" "notice" "warning"))
		(export "level" (type $level (eq $l)))
		(export "log" (func (param "level" $level) (param "message" string)))))
	(import "postgres:host/session@0.1.0" (instance $session
		(export "setting" (func (param "name" string) (result (option string))))))
	(import "postgres:host/query@0.1.0" (instance $query
		(type $v (variant (case "null") (case "boolean" bool) (case "int" s64) (case "float" float64) (case "text" string)
			(case "bytes" (list u8))))
		(export "value" (type $value (eq $v)))
		(type $e (record (field "sqlstate" string) (field "message" string) (field "detail" (option string)) (field "hint" (option string))))
		(export "sql-error" (type $error (eq $e)))
		(export "query" (func (param "sql" string) (param "params" (list $value)) (result (list (list $value)))))
		(export "execute" (func (param "sql" string) (param "params" (list $value)) (result u64)))
		(export "try-execute" (func (param "sql" string) (param "params" (list $value)) (result (result u64 (error $error)))))))
	(alias export $query "value" (type $value))
	(alias export $query "sql-error" (type $error))
	(core module $libc
		(memory (export "memory") 1)
		(global $heap (mut i32) (i32.const 1024))
		(func (export "realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
			(local $at i32)
			(local.set $at (i32.and (i32.sub (i32.add (global.get $heap) (local.get $align)) (i32.const 1))
				(i32.sub (i32.const 0) (local.get $align))))
			(global.set $heap (i32.add (local.get $at) (local.get $size)))
			(local.get $at))
		(func (export "free") (param i32) (global.set $heap (i32.const 1024))))
	(core instance $libc (instantiate $libc))
	(alias core export $libc "memory" (core memory $memory))
	(alias core export $libc "realloc" (core func $realloc))
	(alias core export $libc "free" (core func $free))
	(core func $log (canon lower (func $log "log") (memory $memory)))
	(core func $setting (canon lower (func $session "setting") (memory $memory) (realloc $realloc)))
	(core func $query (canon lower (func $query "query") (memory $memory) (realloc $realloc)))
	(core func $execute (canon lower (func $query "execute") (memory $memory) (realloc $realloc)))
	(core func $try (canon lower (func $query "try-execute") (memory $memory) (realloc $realloc)))
	(core module $m
		(import "host" "memory" (memory 1))
		(import "host" "log" (func $log (param i32 i32 i32)))
		(import "host" "setting" (func $setting (param i32 i32 i32)))
		(import "host" "query" (func $query (param i32 i32 i32 i32 i32)))
		(import "host" "execute" (func $execute (param i32 i32 i32 i32) (result i64)))
		(import "host" "try" (func $try (param i32 i32 i32 i32 i32)))
		(func (export "log") (param i32 i32 i32) (call $log (local.get 0) (local.get 1) (local.get 2)))
		(func (export "setting") (param i32 i32) (result i32)
			(call $setting (local.get 0) (local.get 1) (i32.const 64)) (i32.const 64))
		(func (export "query") (param i32 i32 i32 i32) (result i32)
			(call $query (local.get 0) (local.get 1) (local.get 2) (local.get 3) (i32.const 64)) (i32.const 64))
		(func (export "execute") (param i32 i32 i32 i32) (result i64)
			(call $execute (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
		(func (export "try") (param i32 i32 i32 i32) (result i32)
			(call $try (local.get 0) (local.get 1) (local.get 2) (local.get 3) (i32.const 64)) (i32.const 64)))
	(core instance $i (instantiate $m (with "host" (instance
		(export "memory" (memory $memory)) (export "log" (func $log)) (export "setting" (func $setting))
		(export "query" (func $query)) (export "execute" (func $execute)) (export "try" (func $try))))))
	(alias export $log "level" (type $level))
	(func (export "say") (param "level" $level) (param "message" string)
		(canon lift (core func $i "log") (memory $memory) (realloc $realloc)))
	(func (export "setting-of") (param "name" string) (result (option string))
		(canon lift (core func $i "setting") (memory $memory) (realloc $realloc) (post-return $free)))
	(func (export "query") (param "sql" string) (param "params" (list $value)) (result (list (list $value)))
		(canon lift (core func $i "query") (memory $memory) (realloc $realloc) (post-return $free)))
	(func (export "run-it") (param "sql" string) (param "params" (list $value)) (result u64)
		(canon lift (core func $i "execute") (memory $memory) (realloc $realloc)))
	(func (export "try-it") (param "sql" string) (param "params" (list $value)) (result (result u64 (error $error)))
		(canon lift (core func $i "try") (memory $memory) (realloc $realloc) (post-return $free))))';
SELECT * FROM wasm.imports('hosted');
SELECT wasm.create_functions('hosted');
SELECT say('notice', 'hello from a component'), say('warning', E'two\nlines');
SELECT setting_of('work_mem') = current_setting('work_mem') AS same, setting_of('no.such') IS NULL AS none;
SELECT query('SELECT $1, $2 + 1, $3::bool, $4::bytea, NULL', '[{"text": "čau"}, {"int": 41}, {"boolean": true}, {"bytes": [0, 255]}]');
SELECT query('SELECT n, n / 2.0::float8 FROM generate_series(1, 3) n', '[]');
SELECT query('SELECT 1 WHERE false', '[]');
CREATE TABLE numbers (n integer);
SELECT run_it('INSERT INTO numbers SELECT generate_series(1, $1)', '[{"int": 10}]'), run_it('DELETE FROM numbers WHERE n > $1', '[{"int": 7}]');
SELECT attempt($$SELECT query('SELECT 1 / $1', '[{"int": 0}]')$$), attempt($$SELECT query('nonsense', '[]')$$);
SELECT try_it('INSERT INTO numbers VALUES (1)', '[]'), attempt($$SELECT try_it('INSERT INTO numbers VALUES (1 / 0)', '[]')$$);
SELECT count(*) FROM numbers;
-- a component within a query of a component
SELECT query('SELECT query($1, ''[{"int": 5}]'')', '[{"text": "SELECT $1 * 2"}]');
SELECT query('SELECT outcome($1)', '[{"text": "{\"ok\": 5}"}]');
SELECT attempt($$SELECT query('SELECT outcome($1)', '[{"text": "{\"err\": \"inner\"}"}]')$$), attempt($$SELECT query('SELECT crash()', '[]')$$);
SELECT setting_of('work_mem') IS NOT NULL AS works;

-- case: imports that nobody provides
CREATE FUNCTION importing(instance text, name text, result text) RETURNS text LANGUAGE sql AS $$
	SELECT attempt(format('SELECT wasm.create_module(''importer'', replace => true, module => convert_to(%L, ''UTF8''))', module)) || ', then ' ||
		attempt('SELECT wasm.create_functions(''importer'', replace => true)')
	FROM (SELECT format('(component (import "%s" (instance $x (export "%s" (func (result %s)))))
		(core module $libc (memory (export "memory") 1) (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64)))
		(core instance $libc (instantiate $libc))
		(core func $f (canon lower (func $x "%2$s") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
		(core module $m (import "" "" (func %4$s)) (func (export "g")))
		(core instance $i (instantiate $m (with "" (instance (export "" (func $f))))))
		(func (export "g") (canon lift (core func $i "g"))))',
		instance, name, result, CASE result WHEN 's32' THEN '(result i32)' ELSE '(param i32)' END) AS module) t
$$;
SELECT * FROM (VALUES ('a:b/c@1.0.0', 'f', 's32'), ('an-instance', 'f', 's32'), ('postgres:host/log@0.2.0', 'log', 's32'), ('postgres:host/session', 'database', 'string'),
	('postgres:host/session@0.1.0', 'nothing', 's32'), ('postgres:host/session@0.1.0', 'database', 's32'), ('postgres:host/session@0.1.0', 'database', 'string'),
	('wasi:no/such@0.2.0', 'f', 's32')) v(instance, name, result), importing(instance, name, result);
-- a type that is flat in the same way is as good, but the guest has to have memory, and to allocate
CREATE FUNCTION linking(instance text, params text, result text, core text, call text, options text) RETURNS text LANGUAGE sql AS $$
	SELECT attempt(format('SELECT wasm.create_module(''alike'', replace => true, module => convert_to(%L, ''UTF8''))', module)) || ', then ' ||
		attempt('SELECT wasm.create_functions(''alike'', ''alike_'', replace => true)') || ', then ' || attempt('SELECT alike_g()')
	FROM (SELECT format('(component
		(import "postgres:host/session@0.1.0" (instance $x (export "%s" (func %s %s))))
		(core module $libc (memory (export "memory") 1) (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64)))
		(core instance $libc (instantiate $libc))
		(core func $f (canon lower (func $x "%1$s") %6$s))
		(core module $m (import "" "" (func $f (param %4$s))) (func (export "g") (result i32) (call $f %5$s) (i32.const 7)))
		(core instance $i (instantiate $m (with "" (instance (export "" (func $f))))))
		(func (export "g") (result s32) (canon lift (core func $i "g"))))',
		instance, params, result, core, call, options) AS module) t
$$;
SELECT linking('setting', '(param "a" u32) (param "b" u32) (param "c" u32)', '', 'i32 i32 i32', '(i32.const 0) (i32.const 0) (i32.const 16)', '');
SELECT options, linking('database', '', '(result (tuple u32 u32))', 'i32', '(i32.const 16)', options)
FROM (VALUES ('(memory (core memory $libc "memory"))'), ('(memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))')) v(options);
-- nor does it take strings in another encoding
CREATE FUNCTION utf16() RETURNS text LANGUAGE wasm AS '(component
	(import "postgres:host/session@0.1.0" (instance $x (export "database" (func (result string)))))
	(core module $libc (memory (export "memory") 1) (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64)))
	(core instance $libc (instantiate $libc))
	(core func $f (canon lower (func $x "database") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc")) string-encoding=utf16))
	(core module $m (import "" "" (func $f (param i32)))
		(func (export "g") (result i32) (call $f (i32.const 16)) (i32.const 16)))
	(core instance $i (instantiate $m (with "" (instance (export "" (func $f))))))
	(func (export "g") (result string) (canon lift (core func $i "g") (memory (core memory $libc "memory")) string-encoding=utf16)))';
SELECT attempt('SELECT utf16()');
CREATE FUNCTION wrong() RETURNS integer LANGUAGE wasm AS '(component (import "m" (core module $m (export "f" (func (result i32)))))
	(core instance $i (instantiate $m)) (func (export "f") (result s32) (canon lift (core func $i "f"))))';
\echo :LAST_ERROR_SQLSTATE
SELECT "from", name, kind, type FROM wasm.imports('importer');

-- case: an enum with a label that is too long for SQL
CREATE FUNCTION labelled() RETURNS wasm.module LANGUAGE wasm AS '(component
	(type $t (enum "a" "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"))
	(export $label "label" (type $t))
	(core module $m (func (export "f") (result i32) (i32.const 1)))
	(core instance $i (instantiate $m))
	(func (export "long-label") (result $label) (canon lift (core func $i "f"))))';
SELECT wasm.create_functions('labelled');
SELECT length(long_label()), pg_typeof(long_label());

-- case: WASI
CREATE FUNCTION wasi() RETURNS wasm.module LANGUAGE wasm AS
'(component
	(import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
	(alias export $error "error" (type $error))
	(import "wasi:io/streams@0.2.0" (instance $streams
		(alias outer 1 $error (type $outer))
		(export "error" (type $error (eq $outer)))
		(export "output-stream" (type $stream (sub resource)))
		(type $e (variant (case "last-operation-failed" (own $error)) (case "closed")))
		(export "stream-error" (type $stream-error (eq $e)))
		(export "[method]output-stream.blocking-write-and-flush"
			(func (param "self" (borrow $stream)) (param "contents" (list u8)) (result (result (error $stream-error)))))))
	(alias export $streams "output-stream" (type $stream))
	(import "wasi:cli/stdout@0.2.0" (instance $stdout
		(alias outer 1 $stream (type $outer))
		(export "output-stream" (type $stream (eq $outer)))
		(export "get-stdout" (func (result (own $stream))))))
	(import "wasi:cli/exit@0.2.0" (instance $exit (export "exit" (func (param "status" (result))))))
	(import "wasi:cli/environment@0.2.0" (instance $environment (export "get-arguments" (func (result (list string))))
		(export "get-environment" (func (result (list (tuple string string)))))))
	(core module $libc
		(memory (export "memory") 1)
		(func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
	(core instance $libc (instantiate $libc))
	(alias core export $libc "memory" (core memory $memory))
	(alias core export $libc "realloc" (core func $realloc))
	(core func $stdout (canon lower (func $stdout "get-stdout")))
	(core func $write (canon lower (func $streams "[method]output-stream.blocking-write-and-flush") (memory $memory) (realloc $realloc)))
	(core func $exit (canon lower (func $exit "exit")))
	(core func $arguments (canon lower (func $environment "get-arguments") (memory $memory) (realloc $realloc)))
	(core func $environment (canon lower (func $environment "get-environment") (memory $memory) (realloc $realloc)))
	(core module $m
		(import "wasi" "memory" (memory 1))
		(import "wasi" "stdout" (func $stdout (result i32)))
		(import "wasi" "write" (func $write (param i32 i32 i32 i32)))
		(import "wasi" "exit" (func $exit (param i32)))
		(import "wasi" "arguments" (func $arguments (param i32)))
		(import "wasi" "environment" (func $environment (param i32)))
		(func (export "print") (param i32 i32) (call $write (call $stdout) (local.get 0) (local.get 1) (i32.const 64)))
		(func (export "exit") (param i32) (call $exit (local.get 0)))
		(func (export "counts") (result i32)
			(call $arguments (i32.const 64)) (call $environment (i32.const 72))
			(i32.add (i32.mul (i32.const 1000) (i32.load (i32.const 68))) (i32.load (i32.const 76)))))
	(core instance $i (instantiate $m (with "wasi" (instance
		(export "memory" (memory $memory)) (export "stdout" (func $stdout)) (export "write" (func $write)) (export "exit" (func $exit))
		(export "arguments" (func $arguments)) (export "environment" (func $environment))))))
	(func (export "print") (param "text" string) (canon lift (core func $i "print") (memory $memory) (realloc $realloc)))
	(func (export "leave") (param "failed" bool) (canon lift (core func $i "exit")))
	(func (export "counts") (result u32) (canon lift (core func $i "counts"))))';
SELECT wasm.create_functions('wasi');
SET wasm.output_level = notice;
SELECT print(E'a line\nand another\n');
RESET wasm.output_level;
SELECT print('silent'), counts();
SELECT leave(false) IS NULL AS left_with_0;
SELECT attempt('SELECT leave(true)'), counts();

-- case: clocks, random numbers and sleep of WASI
CREATE FUNCTION clocks() RETURNS wasm.module LANGUAGE wasm AS '(component
	(import "wasi:io/poll@0.2.0" (instance $poll
		(export "pollable" (type (sub resource)))
		(export "[method]pollable.block" (func (param "self" (borrow 0))))))
	(alias export $poll "pollable" (type $pollable))
	(import "wasi:clocks/monotonic-clock@0.2.0" (instance $monotonic
		(alias outer 1 $pollable (type $outer))
		(export "pollable" (type $p (eq $outer)))
		(export "now" (func (result u64)))
		(export "subscribe-duration" (func (param "when" u64) (result (own $p))))))
	(import "wasi:clocks/wall-clock@0.2.0" (instance $wall
		(type $d (record (field "seconds" u64) (field "nanoseconds" u32)))
		(export "datetime" (type $datetime (eq $d)))
		(export "now" (func (result $datetime)))))
	(import "wasi:random/random@0.2.0" (instance $random (export "get-random-u64" (func (result u64)))))
	(core module $libc (memory (export "memory") 1))
	(core instance $libc (instantiate $libc))
	(core func $block (canon lower (func $poll "[method]pollable.block")))
	(core func $drop (canon resource.drop $pollable))
	(core func $subscribe (canon lower (func $monotonic "subscribe-duration")))
	(core func $now (canon lower (func $monotonic "now")))
	(core func $wall (canon lower (func $wall "now") (memory (core memory $libc "memory"))))
	(core func $random (canon lower (func $random "get-random-u64")))
	(core module $m
		(import "libc" "memory" (memory 1))
		(import "wasi" "block" (func $block (param i32)))
		(import "wasi" "drop" (func $drop (param i32)))
		(import "wasi" "subscribe" (func $subscribe (param i64) (result i32)))
		(import "wasi" "now" (func $now (result i64)))
		(import "wasi" "wall" (func $wall (param i32)))
		(import "wasi" "random" (func $random (result i64)))
		(func (export "sleep") (param $for i64) (result i64) (local $pollable i32) (local $start i64)
			(local.set $start (call $now))
			(local.set $pollable (call $subscribe (local.get $for)))
			(call $block (local.get $pollable))
			(call $drop (local.get $pollable))
			(i64.sub (call $now) (local.get $start)))
		(func (export "wall") (result i64) (call $wall (i32.const 16)) (i64.load (i32.const 16)))
		(func (export "random") (result i64) (call $random)))
	(core instance $i (instantiate $m (with "libc" (instance $libc)) (with "wasi" (instance
		(export "block" (func $block)) (export "drop" (func $drop)) (export "subscribe" (func $subscribe))
		(export "now" (func $now)) (export "wall" (func $wall)) (export "random" (func $random))))))
	(func (export "sleep") (param "for" u64) (result u64) (canon lift (core func $i "sleep")))
	(func (export "wall-seconds") (result u64) (canon lift (core func $i "wall")))
	(func (export "random-number") (result u64) (canon lift (core func $i "random"))))';
SELECT wasm.create_functions('clocks');
SELECT abs(wall_seconds() - extract(epoch FROM clock_timestamp())) < 2 AS now;
SELECT count(DISTINCT random_number()) FROM generate_series(1, 10);
SELECT sleep(50000000) BETWEEN 50000000 AND 60000000000 AS slept, sleep(0) >= 0 AS at_once;
SET statement_timeout = '100ms';
SELECT sleep(3600000000000);
\echo :LAST_ERROR_SQLSTATE
SELECT sleep(18446744073709551615);
\echo :LAST_ERROR_SQLSTATE
RESET statement_timeout;
SELECT sleep(0) >= 0 AS works;

-- case: standard input of WASI is at its end, and there is no network
CREATE FUNCTION input() RETURNS wasm.module LANGUAGE wasm AS
'(component
	(import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
	(alias export $error "error" (type $error))
	(import "wasi:io/streams@0.2.0" (instance $streams
		(alias outer 1 $error (type $outer))
		(export "error" (type $error (eq $outer)))
		(export "input-stream" (type $stream (sub resource)))
		(type $e (variant (case "last-operation-failed" (own $error)) (case "closed")))
		(export "stream-error" (type $stream-error (eq $e)))
		(export "[method]input-stream.blocking-read"
			(func (param "self" (borrow $stream)) (param "len" u64) (result (result (list u8) (error $stream-error)))))))
	(alias export $streams "input-stream" (type $stream))
	(import "wasi:cli/stdin@0.2.0" (instance $stdin
		(alias outer 1 $stream (type $outer))
		(export "input-stream" (type $stream (eq $outer)))
		(export "get-stdin" (func (result (own $stream))))))
	(core module $libc (memory (export "memory") 1) (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
	(core instance $libc (instantiate $libc))
	(core func $get (canon lower (func $stdin "get-stdin")))
	(core func $read (canon lower (func $streams "[method]input-stream.blocking-read")
		(memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
	(core module $m
		(import "libc" "memory" (memory 1))
		(import "wasi" "get" (func $get (result i32)))
		(import "wasi" "read" (func $read (param i32 i64 i32)))
		(func (export "read") (result i32)
			(call $read (call $get) (i64.const 100) (i32.const 16))
			;; an error, which is that the stream is closed
			(i32.add (i32.mul (i32.load8_u (i32.const 16)) (i32.const 10)) (i32.load8_u (i32.const 20)))))
	(core instance $i (instantiate $m (with "libc" (instance $libc)) (with "wasi" (instance
		(export "get" (func $get)) (export "read" (func $read))))))
	(func (export "read-input") (result u32) (canon lift (core func $i "read"))))';
SELECT wasm.create_functions('input');
SELECT read_input();
CREATE FUNCTION network() RETURNS bigint LANGUAGE wasm AS
'(component
	(import "wasi:sockets/network@0.2.0" (instance $types (export "network" (type (sub resource)))))
	(alias export $types "network" (type $network))
	(import "wasi:sockets/instance-network@0.2.0" (instance $instance
		(alias outer 1 $network (type $outer))
		(export "network" (type $network (eq $outer)))
		(export "instance-network" (func (result (own $network))))))
	(core func $get (canon lower (func $instance "instance-network")))
	(core module $m
		(import "wasi" "get" (func $get (result i32)))
		(func (export "get") (result i32) (call $get)))
	(core instance $i (instantiate $m (with "wasi" (instance (export "get" (func $get))))))
	(func (export "network") (result u32) (canon lift (core func $i "get"))))';
SELECT attempt('SELECT network()');

-- case: statistics and settings are those of any function
SELECT calls, traps FROM wasm.stat_functions WHERE funcname = 'crash' AND schemaname = 'components';
ALTER FUNCTION traps() SET wasm.memory_limit = '64kB';
SELECT grow(1);
ALTER FUNCTION traps() RESET wasm.memory_limit;
SELECT wasm.reset() > 0 AS reset;
SELECT grow(1);

SET client_min_messages = warning;
DROP SCHEMA components CASCADE;
