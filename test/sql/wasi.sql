-- WASI, preview 1: guests may import it, and are denied nearly everything.
CREATE SCHEMA wasi;
SET search_path = wasi, public;
SET client_min_messages = notice;
SET wasm.output_level = notice;
\set VERBOSITY terse

-- The numbers that functions return are those of WASI's errors: 0 none, 8 badf,
-- 21 fault, 28 inval, 52 nosys, 57 notsock, 70 spipe.
CREATE FUNCTION guest() RETURNS wasm.module LANGUAGE wasm AS
'(module
	(import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
	(import "wasi_snapshot_preview1" "fd_seek" (func $fd_seek (param i32 i64 i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "fd_fdstat_get" (func $fd_fdstat_get (param i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "fd_prestat_get" (func $fd_prestat_get (param i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "path_open"
		(func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ_sizes_get (param i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
	(import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "poll_oneoff" (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "sched_yield" (func $sched_yield (result i32)))
	(import "wasi_snapshot_preview1" "sock_shutdown" (func $sock_shutdown (param i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
	(memory (export "memory") 4)
	(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
	;; the text in one piece, and cut in two
	(func (export "write") (param $fd i32) (param $at i32) (param $length i32) (result i32)
		(i32.store (i32.const 16) (local.get $at))
		(i32.store (i32.const 20) (i32.div_u (local.get $length) (i32.const 2)))
		(i32.store (i32.const 24) (i32.add (local.get $at) (i32.load (i32.const 20))))
		(i32.store (i32.const 28) (i32.sub (local.get $length) (i32.load (i32.const 20))))
		(call $fd_write (local.get $fd) (i32.const 16) (i32.const 2) (i32.const 8)))
	(func (export "write_at") (param $vectors i32) (param $written i32) (result i32)
		(i32.store (i32.const 16) (i32.const 32))
		(call $fd_write (i32.const 1) (local.get $vectors) (i32.const 1) (local.get $written)))
	(func (export "write_many") (param i32) (result i32)
		(call $fd_write (i32.const 1) (i32.const 204800) (local.get 0) (i32.const 8)))
	(func (export "number_at") (param i32) (result i32) (i32.load (local.get 0)))
	(func (export "read") (param i32) (result i32)
		(i32.store (i32.const 8) (i32.const 7))
		(call $fd_read (local.get 0) (i32.const 16) (i32.const 1) (i32.const 8)))
	(func (export "close") (param i32) (result i32) (call $fd_close (local.get 0)))
	(func (export "seek") (param i32) (result i32) (call $fd_seek (local.get 0) (i64.const 0) (i32.const 0) (i32.const 8)))
	(func (export "fdstat") (param i32) (result i32) (call $fd_fdstat_get (local.get 0) (i32.const 64)))
	(func (export "prestat") (param i32) (result i32) (call $fd_prestat_get (local.get 0) (i32.const 64)))
	(func (export "open") (param i32) (result i32) (call $path_open (local.get 0) (i32.const 0) (i32.const 64) (i32.const 1)
		(i32.const 0) (i64.const -1) (i64.const -1) (i32.const 0) (i32.const 8)))
	(func (export "args") (result i32)
		(i32.store (i32.const 8) (i32.const 7)) (i32.store (i32.const 12) (i32.const 7))
		(i32.or (call $args_sizes_get (i32.const 8) (i32.const 12)) (i32.or (i32.load (i32.const 8)) (i32.load (i32.const 12)))))
	(func (export "environ") (result i32)
		(i32.store (i32.const 8) (i32.const 7)) (i32.store (i32.const 12) (i32.const 7))
		(i32.or (call $environ_sizes_get (i32.const 8) (i32.const 12)) (i32.or (i32.load (i32.const 8)) (i32.load (i32.const 12)))))
	(func (export "clock") (param i32) (result i64)
		(if (result i64) (call $clock_time_get (local.get 0) (i64.const 0) (i32.const 8))
			(then (i64.const -1)) (else (i64.load (i32.const 8)))))
	(func (export "random") (param i32 i32) (result i32) (call $random_get (local.get 0) (local.get 1)))
	(func (export "shutdown") (param i32) (result i32) (call $sock_shutdown (local.get 0) (i32.const 0)))
	;; sleeps on the monotonic clock, and gives the number of events
	(func (export "sleep") (param $ns i64) (result i32)
		(memory.fill (i32.const 128) (i32.const 0) (i32.const 96))
		(i64.store (i32.const 128) (i64.const 42))
		(i32.store (i32.const 144) (i32.const 1))
		(i64.store (i32.const 152) (local.get $ns))
		;; the second one is due much later
		(i32.store (i32.const 192) (i32.const 1))
		(i64.store (i32.const 200) (i64.const 1000000000000000))
		(if (result i32) (call $poll_oneoff (i32.const 128) (i32.const 256) (i32.const 2) (i32.const 8))
			(then (i32.const -1)) (else (i32.load (i32.const 8)))))
	(func (export "poll") (param i32 i32 i32 i32) (result i32)
		(call $poll_oneoff (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
	(func (export "yield") (result i32) (call $sched_yield))
	(func (export "exit") (param i32) (call $proc_exit (local.get 0)))
	(func (export "exit_bigint") (param i32) (result i64) (call $proc_exit (local.get 0)) (i64.const 7))
	(func (export "exit_text") (param i32) (result i32) (call $proc_exit (local.get 0)) (i32.const 0)))';
SELECT count(*) FROM wasm.create_functions('guest');
CREATE FUNCTION print(integer, text) RETURNS integer LANGUAGE wasm AS 'guest#write';
CREATE FUNCTION print(integer, bytea) RETURNS integer LANGUAGE wasm AS 'guest#write';
CREATE FUNCTION exit_to_text(integer) RETURNS text LANGUAGE wasm AS 'guest#exit_text';

-- case: what is written becomes messages, one a line
SELECT print(1, E'hello\nworld\n'), number_at(8) AS written;
SELECT print(2, 'no line feed'), print(1, E'\n\n'), print(1, 'čau 🐘');
SELECT print(1, ''), number_at(8) AS written;

-- case: lines are put together, and the last one comes with the end of a transaction
BEGIN;
SELECT print(1, 'one '), print(2, 'error'), print(1, E'line\nan'), print(1, 'other');
COMMIT;
BEGIN;
SELECT print(1, 'before the end');
ROLLBACK;

-- case: what a terminal would obey, and what is not UTF-8
SELECT print(1, E'bell \x07 escape \x1b[31m tab \t return \r end \x7f');
SELECT print(1, '\x61ff62'::bytea), print(1, '\x610062'::bytea);

-- case: a large text is written in parts
SET wasm.output_level = debug1;
SELECT print(1, repeat('x', 60000)), number_at(8) AS written;
SELECT print(1, repeat('x', 100000)), number_at(8) AS written;
SET wasm.output_level = notice;

-- case: at the default level clients that do not ask see nothing
RESET wasm.output_level;
SHOW wasm.output_level;
SELECT print(1, 'nothing');
SET client_min_messages = debug1;
SELECT print(1, 'something');
SET client_min_messages = notice;
SET wasm.output_level = warning;
SELECT print(1, 'with care');
SET wasm.output_level = error;
SET wasm.output_level = notice;

-- case: other files, and addresses outside of the memory
SELECT print(0, 'a'), print(3, 'a'), print(-1, 'a');
SELECT write_at(262141, 8), write_at(-4, 8), write_at(16, 262141);
SELECT write(1, 262130, 100), write(1, -1, 1);
SELECT write_many(1000), write_many(1025), write_many(-1);
SELECT read(0), number_at(8) AS got, read(1), read(3);
SELECT close(0), close(3), seek(1), seek(4), fdstat(1), fdstat(3), prestat(3), open(3), shutdown(1), shutdown(9);

-- case: no arguments and no environment
SELECT args(), environ();

-- case: clocks and random numbers
SELECT abs(clock(0) - extract(epoch FROM clock_timestamp()) * 1000000000) < 1000000000 AS realtime,
	clock(1) <= clock(1) AS monotonic, clock(2) > 0 AS process, clock(3) > 0 AS thread, clock(4), clock(-1);
SELECT random(1024, 16), random(262128, 16), random(262129, 16), random(0, -1), random(262144, 0);
SELECT count(DISTINCT wasm.read_memory('guest', 1024, 16)) FROM generate_series(1, 10) WHERE random(1024, 16) = 0;

-- case: sleeping takes its time, and reports what is due
SELECT clock_timestamp() AS before \gset
SELECT sleep(50000000);
SELECT clock_timestamp() - :'before' BETWEEN '50 ms' AND '1 min' AS slept, number_at(256) AS userdata;
SELECT sleep(0), yield();
SELECT poll(128, 256, 0, 8), poll(128, 256, -1, 8), poll(262120, 256, 1, 8), poll(128, 262130, 1, 8);

-- case: it obeys a timeout
SET statement_timeout = '200ms';
SELECT sleep(3600000000000);
RESET statement_timeout;

-- case: a guest that exits with 0 ends its call
SELECT exit(0), exit_bigint(0) IS NULL AS nothing, exit_to_text(0) IS NULL AS nothing;
SELECT sum(exit_bigint(0)), count(*) FROM generate_series(1, 10);

-- case: with another code it fails
SELECT exit(3);
\echo :LAST_ERROR_SQLSTATE
SELECT exit_bigint(-1);
SELECT exit_to_text(1);

-- case: and its instance is gone
SELECT random(1024, 16), wasm.read_memory('guest', 1024, 16) <> '\x00000000000000000000000000000000' AS filled;
SELECT exit(0);
SELECT wasm.read_memory('guest', 1024, 16);

-- case: a reactor is initialised once
CREATE FUNCTION reactor() RETURNS wasm.module LANGUAGE wasm AS
'(module (global $n (mut i32) (i32.const 0))
	(func (export "_initialize") (global.set $n (i32.add (global.get $n) (i32.const 10))))
	(func (export "next") (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n)))';
CREATE FUNCTION next() RETURNS integer LANGUAGE wasm AS 'reactor#next';
SELECT next(), next();
SELECT wasm.reset() > 0 AS reset;
SELECT next();

-- case: one that fails, or exits, when it is initialised
CREATE FUNCTION broken() RETURNS integer LANGUAGE wasm AS
'(module (func (export "_initialize") (unreachable)) (func (export "broken") (result i32) (i32.const 1)))';
CREATE FUNCTION over() RETURNS integer LANGUAGE wasm AS
'(module (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
	(func (export "_initialize") (call $proc_exit (i32.const 0))) (func (export "over") (result i32) (i32.const 1)))';
SELECT broken();
SELECT over();

-- case: functions of that name that are of another type
CREATE FUNCTION other() RETURNS integer LANGUAGE wasm AS
'(module (func (export "_initialize") (param i64 i64 i64 i64 i64 i64 i64 i64) (unreachable))
	(func (export "other") (result i32) (i32.const 1)))';
CREATE FUNCTION giving() RETURNS integer LANGUAGE wasm AS
'(module (func (export "_initialize") (result i64 i64 i64) (unreachable))
	(func (export "giving") (result i32) (i32.const 2)))';
SELECT other(), giving();

-- case: each call of a command is a new one
CREATE FUNCTION command() RETURNS void LANGUAGE wasm AS
'(module (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
	(global $started (mut i32) (i32.const 0))
	(func (export "_start")
		(if (global.get $started) (then (unreachable)))
		(global.set $started (i32.const 1))))';
SELECT command(), command();
SELECT command();

-- case: a DO block
DO LANGUAGE wasm '(module
	(import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
	(memory (export "memory") 1) (data (i32.const 8) "done\0a") (data (i32.const 0) "\08\00\00\00\05\00\00\00")
	(func (export "_start")
		(drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32)))
		(call $proc_exit (i32.const 0))))';
DO LANGUAGE wasm '(module (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
	(func (export "_start") (call $proc_exit (i32.const 2))))';

-- case: a guest without a memory
CREATE FUNCTION bare() RETURNS integer LANGUAGE wasm AS
'(module (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
	(func (export "bare") (result i32) (call $random_get (i32.const 0) (i32.const 1))))';
SELECT bare();

-- case: imports that nobody provides, or with another type
\set VERBOSITY default
CREATE FUNCTION wrong() RETURNS void LANGUAGE wasm AS
'(module (import "wasi_snapshot_preview1" "fd_everything" (func)) (func (export "wrong")))';
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION wrong() RETURNS void LANGUAGE wasm AS
'(module (import "wasi_unstable" "fd_close" (func (param i32) (result i32))) (func (export "wrong")))';
CREATE FUNCTION wrong() RETURNS void LANGUAGE wasm AS
'(module (import "wasi_snapshot_preview1" "fd_close" (func (param i64) (result i32))) (func (export "wrong")))';
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION wrong() RETURNS void LANGUAGE wasm AS
'(module (import "wasi_snapshot_preview1" "fd_close" (func (param i32))) (func (export "wrong")))';
CREATE FUNCTION wrong() RETURNS void LANGUAGE wasm AS
'(module (import "wasi_snapshot_preview1" "fd_close" (global i32)) (func (export "wrong")))';

SET client_min_messages = warning;
DROP SCHEMA wasi CASCADE;
