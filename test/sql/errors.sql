-- What goes wrong, by SQLSTATE; the session always goes on.
CREATE SCHEMA errors;
SET search_path = errors, public;

CREATE FUNCTION m() RETURNS wasm.module LANGUAGE wasm AS '
(module
	(memory 1)
	(type $none (func))
	(type $one (func (param i32)))
	(table 4 funcref)
	(elem (i32.const 0) $works $one)
	(func $works (export "works"))
	(func $one (param i32))
	(func $inner unreachable)
	(func $middle (param i32) call $inner)
	(func $outer (export "unreachable") (call $middle (i32.const 1)))
	(func $load (export "load") (param i32) (result i32) (i32.load (local.get 0)))
	(func $store (export "store") (param i32) (i32.store (local.get 0) (i32.const 1)))
	(func $fill (export "fill") (param i32) (memory.fill (i32.const 0) (i32.const 1) (local.get 0)))
	(func $indirect (export "indirect") (param i32) (call_indirect (type $none) (local.get 0)))
	(func $div (export "div") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
	(func $rem (export "rem") (param i64 i64) (result i64) (i64.rem_u (local.get 0) (local.get 1)))
	(func $to_int (export "to_int") (param f64) (result i32) (i32.trunc_f64_s (local.get 0)))
	(func $to_int_sat (export "to_int_sat") (param f64) (result i32) (i32.trunc_sat_f64_s (local.get 0)))
	(func $deep (export "deep") (param i32) (result i32)
		(if (result i32) (i32.eqz (local.get 0))
			(then unreachable)
			(else (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1)))))))
	(func $endless (export "endless") (param i32) (result i32)
		(i32.add (i32.const 1) (call $endless (local.get 0)))))
';
SELECT count(*) FROM wasm.create_functions('m');

-- case: unreachable, with the functions of the guest in the context
SELECT unreachable();
\echo :LAST_ERROR_SQLSTATE
SELECT works();

-- case: the context of a trap inside PL/pgSQL
CREATE FUNCTION caller() RETURNS void LANGUAGE plpgsql AS 'BEGIN PERFORM errors.unreachable(); END';
SELECT caller();
SELECT works();

-- case: memory out of bounds
SELECT load(65533);
\echo :LAST_ERROR_SQLSTATE
SELECT load(-1);
SELECT store(65536);
\echo :LAST_ERROR_SQLSTATE
SELECT fill(65537);
\echo :LAST_ERROR_SQLSTATE
SELECT load(65532);

-- case: indirect calls: out of bounds, to null, of another type
SELECT indirect(4);
\echo :LAST_ERROR_SQLSTATE
SELECT indirect(2);
\echo :LAST_ERROR_SQLSTATE
SELECT indirect(1);
\echo :LAST_ERROR_SQLSTATE
SELECT indirect(0);

-- case: division by zero
SELECT div(1, 0);
\echo :LAST_ERROR_SQLSTATE
SELECT rem(1, 0);
\echo :LAST_ERROR_SQLSTATE
SELECT div(7, 2), rem(7, 2);

-- case: integer overflow
SELECT div(-2147483648, -1);
\echo :LAST_ERROR_SQLSTATE
SELECT div(-2147483648, 1);

-- case: a float that no integer can hold
SELECT to_int(2147483648);
\echo :LAST_ERROR_SQLSTATE
SELECT to_int('NaN');
\echo :LAST_ERROR_SQLSTATE
SELECT to_int(2147483647.9), to_int_sat(2147483648), to_int_sat('NaN');

-- case: the context has the innermost twenty frames
SELECT deep(3);
CREATE FUNCTION context_lines(n integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	context text;
BEGIN
	RETURN errors.deep(n);
EXCEPTION WHEN external_routine_exception THEN
	GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
	RETURN (SELECT count(*) FROM regexp_matches(context, 'guest function "deep"', 'g'));
END
$$;
SELECT context_lines(0), context_lines(18), context_lines(19), context_lines(20), context_lines(1000);

-- case: stack exhausted
\set SHOW_CONTEXT never
SELECT endless(1);
\echo :LAST_ERROR_SQLSTATE
SELECT deep(100000000);
\echo :LAST_ERROR_SQLSTATE
\set SHOW_CONTEXT errors
SELECT works();

-- case: errors caught in PL/pgSQL, by their conditions
CREATE FUNCTION caught(command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE command;
	RETURN 'none';
EXCEPTION
	WHEN external_routine_exception THEN RETURN 'trap: ' || SQLERRM;
	WHEN division_by_zero THEN RETURN 'division: ' || SQLERRM;
	WHEN numeric_value_out_of_range THEN RETURN 'range: ' || SQLERRM;
	WHEN statement_too_complex THEN RETURN 'stack: ' || SQLERRM;
	WHEN null_value_not_allowed THEN RETURN 'null: ' || SQLERRM;
END
$$;
SELECT caught('SELECT errors.unreachable()');
SELECT caught('SELECT errors.div(1, 0)');
SELECT caught('SELECT errors.to_int(1e10)');
SELECT caught('SELECT errors.endless(1)');
SELECT caught('SELECT errors.works()');
SELECT count(*), min(caught(format('SELECT errors.div(1, %s)', i % 2))), max(caught(format('SELECT errors.div(1, %s)', i % 2)))
FROM generate_series(1, 200) AS i;

-- case: a trap rolls the statement back
CREATE TABLE t (a integer);
INSERT INTO t SELECT div(10, 5 - i) FROM generate_series(1, 10) AS i;
SELECT count(*) FROM t;
BEGIN;
INSERT INTO t VALUES (1);
SAVEPOINT s;
INSERT INTO t VALUES (div(1, 0));
ROLLBACK TO s;
INSERT INTO t VALUES (div(4, 2));
COMMIT;
SELECT * FROM t ORDER BY a;

-- case: the start function traps
CREATE FUNCTION start() RETURNS integer LANGUAGE wasm AS
	'(module (func $start unreachable) (start $start) (func (export "f") (result i32) (i32.const 1)))';
SELECT start();
\echo :LAST_ERROR_SQLSTATE
SELECT start();

-- case: a data segment that does not fit traps
CREATE FUNCTION data_segment() RETURNS integer LANGUAGE wasm AS
	'(module (memory 1) (data (i32.const 65535) "ab") (func (export "f") (result i32) (i32.const 1)))';
SELECT data_segment();
\echo :LAST_ERROR_SQLSTATE

-- case: not a WebAssembly binary
\set VERBOSITY sqlstate
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS '\x7f454c46';
SELECT :'LAST_ERROR_MESSAGE' LIKE 'invalid WebAssembly module: %magic%' AS says_why;
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS '\x7f454c46020101000000000000000000';
SELECT :'LAST_ERROR_MESSAGE' LIKE 'invalid WebAssembly module: %magic%' AS says_why;
\set VERBOSITY default
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS '\x';
\echo :LAST_ERROR_SQLSTATE

-- case: a truncated binary, and one of another version
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS
	'\x0061736d010000000105016000017f0302010007';
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS
	'\x0061736d010000000105016000017f03020100070701036f6e6500000a060104004101';
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS '\x0061736d02000000';
\echo :LAST_ERROR_SQLSTATE

-- case: a binary that does not validate: one() leaves an i64
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS
	'\x0061736d010000000105016000017f03020100070701036f6e6500000a0601040042010b';
\echo :LAST_ERROR_SQLSTATE

-- case: a text that is well formed but does not validate
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS '(module (func (result i32)))';
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS
	'(module (func (export "a")) (func (export "a")))';
\echo :LAST_ERROR_SQLSTATE

-- case: syntax errors in a text, with the position
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS '(module (func nonsense))';
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS '(module
	(func (export "f") (result i32)
		(i32.konst 1)))';
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS '(module (func (export "ä") nonsense))';
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS '(module';
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS '(module))';
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS '(';
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS '(module (func (call $nobody)))';
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION bad() RETURNS integer LANGUAGE wasm AS ';; a comment
(modul)';

-- case: the position in a large text is said in words
DO $do$
BEGIN
	EXECUTE format('CREATE FUNCTION errors.bad() RETURNS wasm.module LANGUAGE wasm AS %L',
				   '(module ' || repeat(' ', 20000) || E'\n  nonsense)');
EXCEPTION WHEN syntax_error THEN
	DECLARE
		detail text;
	BEGIN
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		RAISE NOTICE '% / %', SQLERRM, detail;
	END;
END
$do$;

-- case: an import that nobody provides
CREATE FUNCTION importing() RETURNS wasm.module LANGUAGE wasm AS
	'(module (import "env" "log" (func (param i32))) (func (export "f") (result i32) (i32.const 1)))';
CREATE FUNCTION bad() RETURNS integer LANGUAGE wasm AS 'importing#f';
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION bad() RETURNS integer LANGUAGE wasm AS
	'(module (import "env" "memory" (memory 1)) (func (export "f") (result i32) (i32.const 1)))';
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION bad() RETURNS integer LANGUAGE wasm AS
	'(module (import "env" "proc_exit" (func (param i32))) (func (export "f") (result i32) (i32.const 1)))';

-- case: names that a guest chooses do not decide what error it is
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS
	'(module (func (export "exceeds limit")) (func (export "exceeds limit")))';
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS
	'(module (func (export "not supported")) (func (export "not supported")))';
\echo :LAST_ERROR_SQLSTATE

CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS
	'(module (func (export "a` exceeds limit `b")) (func (export "a` exceeds limit `b")))';
\echo :LAST_ERROR_SQLSTATE

-- case: numbers that are malformed are no limits
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS '\x0061736d010000000184808080700160000000';
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS
	'(module (memory 1) (func (drop (i32.load align=8 (i32.const 0)))))';
\echo :LAST_ERROR_SQLSTATE

-- case: limits of the engine
SELECT wasm.create_module('bad', convert_to('(module (func (local ' || repeat('i32 ', 50001) || ')))', 'UTF8'));
\echo :LAST_ERROR_SQLSTATE
SELECT wasm.create_module('bad', convert_to('(module ' || repeat('(type (func))', 1000001) || ')', 'UTF8'));
\echo :LAST_ERROR_SQLSTATE

-- case: called as a trigger, against check_function_bodies
SET check_function_bodies = off;
CREATE FUNCTION trig() RETURNS trigger LANGUAGE wasm AS '(module (func (export "f")))';
RESET check_function_bodies;
CREATE TRIGGER trig BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION trig();
INSERT INTO t VALUES (1);
\echo :LAST_ERROR_SQLSTATE

-- case: after all that the functions work
SELECT works(), div(9, 3);

SET client_min_messages = warning;
DROP SCHEMA errors CASCADE;
RESET client_min_messages;
