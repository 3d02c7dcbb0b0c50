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

-- case: nested lists
SELECT nested('[]'), nested('[[]]'), nested('[[1, 2], [], [-3]]'), accesses('[[], ["read", "run-it"]]');
SELECT v, attempt(format('SELECT nested(%L)', v)) FROM unnest(ARRAY['{}', '[1]', '[[null]]', '[["1"]]', '[[1.5]]', 'null', '[[1], 2]']) v;

-- case: more than 16 flat values
SELECT sum(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20);
SELECT nothing();
RESET client_min_messages;
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

-- case: types that are not for strings
CREATE FUNCTION wrong(integer) RETURNS text LANGUAGE wasm AS 'echo#a-string';
CREATE FUNCTION wrong(text) RETURNS boolean LANGUAGE wasm AS 'echo#a-string';
CREATE FUNCTION wrong(text[]) RETURNS text LANGUAGE wasm AS 'echo#a-string';
CREATE FUNCTION wrong(components.point) RETURNS text LANGUAGE wasm AS 'echo#a-string';
CREATE FUNCTION wrong(text) RETURNS record LANGUAGE wasm AS 'echo#a-string';
CREATE FUNCTION wrong(text) RETURNS void LANGUAGE wasm AS 'echo#a-string';

-- case: types that do not fit
CREATE FUNCTION wrong(integer) RETURNS boolean LANGUAGE wasm AS 'echo#a-bool';
CREATE FUNCTION wrong(boolean) RETURNS boolean LANGUAGE wasm AS 'echo#a-s32';
CREATE FUNCTION wrong(text) RETURNS text LANGUAGE wasm AS 'echo#a-s32';
CREATE FUNCTION wrong(integer) RETURNS integer LANGUAGE wasm AS 'echo#a-f64';
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

SET client_min_messages = warning;
DROP SCHEMA components CASCADE;
