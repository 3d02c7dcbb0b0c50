
# Queries of guests leak nothing, wherever they fail; nest as deep as the stack
# allows; can be stopped; and work in databases of other encodings and in parallel
# workers.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use WasmTest;

my $node = wasm_node('query', conf => "wasm.instance_limit = 10000\nwasm.session_memory_limit = '4GB'\n");

# steps: opens a cursor, asks for its columns, fetches a row twice, drops it; traps
# after the step of that number, or when memory is allocated for the time of that
# number.  many: runs a query, or a cursor of it, or tries it, so many times, and a
# command before the second time and at the end.
my $guest = q{(module
	(import "postgres:host/query@0.1.0" "query" (func $query (param i32 i32 i32 i32 i32)))
	(import "postgres:host/query@0.1.0" "execute" (func $execute (param i32 i32 i32 i32) (result i64)))
	(import "postgres:host/query@0.1.0" "try-query" (func $try_query (param i32 i32 i32 i32 i32)))
	(import "postgres:host/query@0.1.0" "open" (func $open (param i32 i32 i32 i32) (result i32)))
	(import "postgres:host/query@0.1.0" "[method]cursor.columns" (func $columns (param i32 i32)))
	(import "postgres:host/query@0.1.0" "[method]cursor.fetch" (func $fetch (param i32 i32 i32)))
	(import "postgres:host/query@0.1.0" "[resource-drop]cursor" (func $drop (param i32)))
	(import "postgres:host/session@0.1.0" "setting" (func $setting (param i32 i32 i32)))
	(memory (export "memory") 2)
	(data (i32.const 8) "TimeZone")
	(global $heap (mut i32) (i32.const 1024))
	(global $left (mut i32) (i32.const 0))
	(global $spins (mut i32) (i32.const 0))
	(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
		(loop $forever (br_if $forever (global.get $spins)))
		(if (global.get $left)
			(then
				(global.set $left (i32.sub (global.get $left) (i32.const 1)))
				(if (i32.eqz (global.get $left)) (then (unreachable)))))
		(local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
		(global.set $heap (i32.add (local.get $at) (local.get 3)))
		(local.get $at))
	(func $stop (param $step i32) (param $at i32)
		(if (i32.eq (local.get $step) (local.get $at)) (then (unreachable))))
	(func (export "steps") (param $sql i32) (param $length i32) (param $stop i32) (param $allocations i32)
		(local $cursor i32)
		(global.set $left (local.get $allocations))
		(local.set $cursor (call $open (local.get $sql) (local.get $length) (i32.const 0) (i32.const 0)))
		(call $stop (i32.const 1) (local.get $stop))
		(call $columns (local.get $cursor) (i32.const 32))
		(call $stop (i32.const 2) (local.get $stop))
		(call $fetch (local.get $cursor) (i32.const 1) (i32.const 32))
		(call $stop (i32.const 3) (local.get $stop))
		(call $fetch (local.get $cursor) (i32.const 1) (i32.const 32))
		(call $stop (i32.const 4) (local.get $stop))
		(call $drop (local.get $cursor))
		(call $stop (i32.const 5) (local.get $stop))
		(global.set $left (i32.const 0))
		(global.set $heap (i32.const 1024)))
	(func (export "open") (param i32 i32) (result i32)
		(global.set $heap (i32.const 1024))
		(call $open (local.get 0) (local.get 1) (i32.const 0) (i32.const 0)))
	(func (export "fetch") (param i32) (result i32)
		(call $fetch (local.get 0) (i32.const 1) (i32.const 32))
		(global.set $heap (i32.const 1024))
		(i32.load (i32.const 36)))
	(func (export "many") (param $sql i32) (param $length i32) (param $measure i32) (param $measure_length i32)
		(param $kind i32) (param $n i32)
		(local $heap i32) (local $cursor i32) (local $i i32)
		(local.set $heap (global.get $heap))
		(loop $next
			(if (i32.eq (local.get $i) (i32.const 1))
				(then (drop (call $execute (local.get $measure) (local.get $measure_length) (i32.const 0) (i32.const 0)))))
			(if (i32.eq (local.get $kind) (i32.const 0))
				(then
					(call $query (local.get $sql) (local.get $length) (i32.const 0) (i32.const 0) (i32.const 64))
					(call $setting (i32.const 8) (i32.const 8) (i32.const 64))))
			(if (i32.eq (local.get $kind) (i32.const 1))
				(then
					(local.set $cursor (call $open (local.get $sql) (local.get $length) (i32.const 0) (i32.const 0)))
					(call $columns (local.get $cursor) (i32.const 64))
					(call $fetch (local.get $cursor) (i32.const 1) (i32.const 64))
					(call $drop (local.get $cursor))))
			(if (i32.eq (local.get $kind) (i32.const 2))
				(then
					(call $try_query (local.get $sql) (local.get $length) (i32.const 0) (i32.const 0) (i32.const 64))))
			(global.set $heap (local.get $heap))
			(local.set $i (i32.add (local.get $i) (i32.const 1)))
			(br_if $next (i32.lt_u (local.get $i) (local.get $n))))
		(drop (call $execute (local.get $measure) (local.get $measure_length) (i32.const 0) (i32.const 0)))
		(global.set $heap (i32.const 1024)))
	(func (export "spin_in_realloc") (param i32 i32)
		(global.set $spins (i32.const 1))
		(call $query (local.get 0) (local.get 1) (i32.const 0) (i32.const 0) (i32.const 32)))
	(func (export "run") (param i32 i32)
		(call $query (local.get 0) (local.get 1) (i32.const 0) (i32.const 0) (i32.const 32))
		(global.set $heap (i32.const 1024)))
	(func (export "try") (param i32 i32) (result i32)
		(call $try_query (local.get 0) (local.get 1) (i32.const 0) (i32.const 0) (i32.const 32))
		(global.set $heap (i32.const 1024))
		(i32.load8_u (i32.const 32)))
	(func (export "down") (param $n i32) (result i32) (local $value i32)
		;; SELECT down($1)
		(i64.store (i32.const 80) (i64.const 0x64205443454c4553))
		(i64.store (i32.const 88) (i64.const 0x00293124286e776f))
		(i64.store (i32.const 96) (i64.const 2))
		(i64.store (i32.const 104) (i64.extend_i32_u (i32.sub (local.get $n) (i32.const 1))))
		(if (i32.eqz (local.get $n)) (then (return (i32.const 0))))
		(call $query (i32.const 80) (i32.const 15) (i32.const 96) (i32.const 1) (i32.const 32))
		(global.set $heap (i32.const 1024))
		(i32.add (i32.const 1) (i32.load offset=8 (i32.load (i32.load (i32.const 32)))))))};

my $functions = qq{
	CREATE FUNCTION guest() RETURNS wasm.module LANGUAGE wasm AS '$guest';
	CREATE FUNCTION steps(sql text, stop integer, allocations integer) RETURNS void LANGUAGE wasm AS 'guest#steps';
	CREATE FUNCTION open(sql text) RETURNS integer LANGUAGE wasm AS 'guest#open';
	CREATE FUNCTION next(cursor integer) RETURNS integer LANGUAGE wasm AS 'guest#fetch';
	CREATE FUNCTION many(sql text, measure text, kind integer, n integer) RETURNS void LANGUAGE wasm AS 'guest#many';
	CREATE FUNCTION spin_in_realloc(sql text) RETURNS void LANGUAGE wasm AS 'guest#spin_in_realloc';
	CREATE FUNCTION run(sql text) RETURNS void LANGUAGE wasm AS 'guest#run';
	CREATE FUNCTION try(sql text) RETURNS integer LANGUAGE wasm AS 'guest#try';
	CREATE FUNCTION down(integer) RETURNS integer LANGUAGE wasm AS 'guest#down';
	CREATE TABLE sizes (bytes bigint);
	-- the SQLSTATE of one of so many attempts that are all the same, each undone
	CREATE FUNCTION attempt(call text, n integer) RETURNS text LANGUAGE plpgsql AS \$\$
	DECLARE
		states text[] := '{}';
	BEGIN
		FOR i IN 1 .. n LOOP
			BEGIN
				EXECUTE 'SELECT ' || call;
				states := states || ''::text;
			EXCEPTION WHEN OTHERS THEN
				states := states || SQLSTATE::text;
			END;
		END LOOP;
		RETURN array_to_string(ARRAY(SELECT DISTINCT unnest(states)), ' ');
	END\$\$;
	-- a cursor that is opened outside of what is undone
	CREATE FUNCTION outer_cursor(call text, n integer) RETURNS bigint LANGUAGE plpgsql AS \$\$
	DECLARE
		cursor integer;
		most bigint := 0;
	BEGIN
		FOR i IN 1 .. n LOOP
			cursor := open('SELECT 1 / (n - 2) FROM generate_series(1, 3) n');
			BEGIN
				EXECUTE 'SELECT ' || replace(call, '*', cursor::text);
				RAISE 'no error';
			EXCEPTION WHEN division_by_zero OR external_routine_exception THEN
				most := greatest(most, (SELECT count(*) FROM pg_cursors));
			END;
		END LOOP;
		RETURN most;
	END\$\$;
};
$node->safe_psql('postgres', $functions);

my $session = session($node);

sub memory_of
{
	return ask($session, 'SELECT sum(total_bytes)::bigint FROM pg_backend_memory_contexts');
}

sub quoted
{
	return "'" . $_[0] =~ s/'/''/gr . "'";
}

# --- an error at each step of a cursor ---

my $rows = 'SELECT n, n::text AS t FROM generate_series(1, 3) n';
my @steps = (
	[ 'nothing fails', $rows, 0, 0, '' ],
	[ 'syntax', 'SELECT 1 +', 0, 0, '42601' ],
	[ 'an unknown table', 'SELECT * FROM nowhere', 0, 0, '42P01' ],
	[ 'a missing parameter', 'SELECT $1::integer', 0, 0, '42601' ],
	[ 'no query for a cursor', 'DROP TABLE sizes', 0, 0, '42P11' ],
	[ 'while it is planned', 'SELECT 1/0', 0, 0, '22012' ],
	[ 'the first fetch', 'SELECT 1 / (n - 1) FROM generate_series(1, 3) n', 0, 0, '22012' ],
	[ 'the second fetch', 'SELECT 1 / (n - 2) FROM generate_series(1, 3) n', 0, 0, '22012' ],
	(map { [ "the guest after step $_", $rows, $_, 0, '38000' ] } 1 .. 5),
	# names and types of two columns, and two rows with a text each
	(map { [ "the guest when it allocates for the time $_", $rows, 0, $_, '38000' ] } 1 .. 11));

sub attempt
{
	my ($case, $n) = @_;
	my ($name, $sql, $stop, $allocations) = @$case;

	return ask($session, 'SELECT attempt(' . quoted('steps(' . quoted($sql) . ", $stop, $allocations)") . ", $n)");
}

attempt($_, 20) for @steps;
for my $case (@steps)
{
	my $before = memory_of();
	my ($name, $sql, $stop, $allocations, $expected) = @$case;

	is(attempt($case, 200), $expected, "fails: $name");
	cmp_ok(memory_of() - $before, '<', 100_000, '... and leaks no memory');
	is(ask($session, 'SELECT count(*) FROM pg_cursors'), 0, '... and no cursor');
	is(sqlstate($session, 'SELECT steps(' . quoted($sql) . ", $stop, $allocations)"), $expected, '... nor outside of a function');
}

# Two at once: the one that is open, and the last one's, until this one opens.
for my $call ('next(*) + next(*)', "steps('SELECT 1', 1, 0)")
{
	is(ask($session, 'SELECT outer_cursor(' . quoted($call) . ', 300)'), 1, "cursors do not pile up: $call");
}

# --- many queries in one call ---

my $measure = 'INSERT INTO sizes SELECT sum(total_bytes) FROM pg_backend_memory_contexts';
my %queries = (
	0 => q{SELECT 1, 'text', '\x00'::bytea, now()},
	1 => q{SELECT 1, 'text', '\x00'::bytea, now()},
	2 => 'SELECT nowhere');
for my $kind (sort keys %queries)
{
	my $call = 'SELECT many(' . join(', ', quoted($queries{$kind}), quoted($measure), $kind, 20_000) . ')';

	$node->safe_psql('postgres', 'TRUNCATE sizes');
	is(sqlstate($session, $call), '', "20,000 queries of kind $kind in one call");
	cmp_ok(ask($session, 'SELECT max(bytes) - min(bytes) FROM sizes'), '<', 100_000, '... leak no memory');
}

# --- depth ---

is(ask($session, 'SELECT down(20)'), 20, 'guests call guests through queries');
is(sqlstate($session, 'SELECT down(1000000)'), '54001', '... until the stack ends');
is(ask($session, 'SELECT down(20)'), 20, '... and then again');
ask($session, 'SET wasm.instance_limit = 10');
is(sqlstate($session, 'SELECT wasm.reset(), down(20)'), '54000', '... or until there are too many instances');
ask($session, 'RESET wasm.instance_limit');

# --- stopping ---

for my $interruption (qw(signal epoch))
{
	my $spinner = session($node);

	ask($spinner, "SET wasm.interruption = $interruption");
	ask($spinner, "SET statement_timeout = '200ms'");
	is(sqlstate($spinner, q{SELECT run('SELECT pg_sleep(3600)')}), '57014', "a query times out ($interruption)");
	is(sqlstate($spinner, q{SELECT try('SELECT pg_sleep(3600)')}), '57014', '... also one that is tried');
	is(sqlstate($spinner, q{SELECT spin_in_realloc('SELECT 1')}), '57014', '... and a guest that loops when it allocates');
	is(sqlstate($spinner, q{SELECT run($$SELECT spin_in_realloc('SELECT 1')$$)}), '57014', '... in a query of another');
	$spinner->quit;

	for my $query (
		q{SELECT spin_in_realloc('SELECT 1')},
		q{SELECT try($$SELECT spin_in_realloc('SELECT 1')$$)},
		q{SELECT run('DO ''BEGIN LOOP END LOOP; END''')},
		q{SELECT attempt('run($$SELECT attempt(''spin_in_realloc(''''SELECT 1'''')'', 10)$$)', 10)})
	{
		my $victim = session($node, 'postgres');
		my $pid;

		ask($victim, "SET wasm.interruption = $interruption");
		$pid = start_guest($node, $victim, $query);
		$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
		ok($node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid"),
			"terminated ($interruption): $query");
		eval { $victim->quit };
	}
}

# --- signals ---

SKIP:
{
	my $plperl = $node->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'plperl'});
	my $traps = session($node);

	skip 'PL/Perl is not installed', 1 unless $plperl;
	ask($traps, q{CREATE FUNCTION loads() RETURNS integer LANGUAGE wasm AS $$(module
		(import "postgres:host/query@0.1.0" "execute" (func $execute (param i32 i32 i32 i32) (result i64)))
		(memory (export "memory") 1) (data (i32.const 0) "LOAD 'plperl'")
		(func (export "loads") (result i32)
			(i32.rem_u (i32.const 1) (i32.wrap_i64 (call $execute (i32.const 0) (i32.const 13) (i32.const 0) (i32.const 0))))))$$});
	is(sqlstate($traps, 'SELECT loads()'), '22012', 'a guest traps after a query that takes its signals');
	$traps->quit;
}

# --- other encodings ---

for my $encoding (qw(LATIN1 SQL_ASCII))
{
	my $database = lc $encoding;
	my $other;

	$node->safe_psql('postgres', "CREATE DATABASE $database ENCODING $encoding TEMPLATE template0");
	$node->safe_psql($database, 'CREATE EXTENSION wasm');
	$node->safe_psql($database, $functions);
	$other = session($node, $database);
	ask($other, 'SET client_encoding = UTF8');
	is(sqlstate($other, q{SELECT run('SELECT chr(233), ''é'' AS "é"')}), $encoding eq 'LATIN1' ? '' : '22021',
		"$encoding: results in UTF-8");
	is(sqlstate($other, q{SELECT steps('SELECT ''é'' AS "é"', 0, 0)}), '', '... names of columns, too');
	is(sqlstate($other, q{SELECT wasm.write_memory('guest', 1024, '\x53454c4543542027e282ac27')}), '', '... a euro sign');
	ask($other, q{CREATE FUNCTION euro() RETURNS void LANGUAGE wasm AS '(module
		(import "postgres:host/query@0.1.0" "execute" (func $execute (param i32 i32 i32 i32) (result i64)))
		(memory (export "memory") 1) (data (i32.const 0) "SELECT ''''\e2\82\ac''''")
		(func (export "euro") (drop (call $execute (i32.const 0) (i32.const 12) (i32.const 0) (i32.const 0)))))'});
	is(sqlstate($other, 'SELECT euro()'), $encoding eq 'LATIN1' ? '22P05' : '', '... from a guest');
	$other->quit;
}

# --- parallel workers ---

ask($session, q{
	CREATE FUNCTION parallel_run(sql text) RETURNS void PARALLEL SAFE LANGUAGE wasm AS 'guest#run';
	CREATE FUNCTION parallel_try(sql text) RETURNS integer PARALLEL SAFE LANGUAGE wasm AS 'guest#try';
	SET force_parallel_mode = on});
is(sqlstate($session, q{SELECT parallel_run('SELECT count(*) FROM pg_class')}), '', 'a query in a parallel worker');
is(sqlstate($session, q{SELECT parallel_run('CREATE TABLE none ()')}), '25000', '... may not change the database');
is(sqlstate($session, q{SELECT parallel_try('SELECT 1')}), '25000', '... and not be tried');
ask($session, 'RESET force_parallel_mode');

$session->quit;
my @leaks = grep { /leak/ } split /\n/, slurp_file($node->logfile);
is(join("\n", @leaks), '', 'no resource leaked');
check_log($node);
$node->stop;
done_testing();
