# Statistics of the cluster, which take the library to be preloaded: they are
# those of all sessions, ended and killed ones as well.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use WasmTest;

my $stat_max = 100;
my $node = wasm_node('stat', conf => qq{
shared_preload_libraries = 'wasm'
wasm.stat_max = $stat_max
track_functions = none
max_parallel_workers_per_gather = 2
max_prepared_transactions = 2
});
my $functions = q{
	CREATE FUNCTION m() RETURNS wasm.module LANGUAGE wasm AS '(module
		(func (export "one") (result i32) (i32.const 1))
		(func (export "twice") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
		(func (export "divide") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
		(func (export "spin") (loop (br 0))))';
	SELECT wasm.create_functions('m', parallel => 'safe');
};

# What a session that counts nothing itself sees of a function.
sub counts
{
	my ($function, $columns) = @_;

	$columns //= 'calls';
	return $node->safe_psql('postgres',
		"SELECT $columns FROM wasm.stat_functions WHERE funcname = '$function'");
}

sub module_counts
{
	my ($module, $columns) = @_;

	return $node->safe_psql('postgres',
		"SELECT $columns FROM wasm.stat_modules WHERE modulename = '$module'");
}

$node->safe_psql('postgres', $functions);
is(counts('one'), '', 'a function that was never called is not shown');

# --- two sessions ---

my $first = session($node);
my $second = session($node);

ask($first, 'SELECT one()');
is(counts('one'), '1', 'a call is seen by others when its transaction has ended');
ask($second, 'SELECT one(), one()');
is(counts('one'), '3', 'the calls of two sessions are added');
is(ask($first, q{SELECT calls FROM wasm.stat_functions WHERE funcname = 'one'}),
	'3', 'each of them sees the sum');
is(module_counts('m', 'calls, instances'), '3|2', 'the module has them too, and an instance a session');

ask($first, 'BEGIN; SELECT one()');
is(counts('one'), '3', 'a call of a running transaction is not seen by others');
is(ask($first, q{SELECT calls FROM wasm.stat_functions WHERE funcname = 'one'}),
	'4', 'the session itself sees it');
is(counts('one'), '4', 'and others do when it has looked');
ask($first, 'SELECT one()');
ask($first, 'COMMIT');
is(counts('one'), '5', 'the commit adds the rest');
ask($first, 'BEGIN; SELECT one(); ROLLBACK');
is(counts('one'), '6', 'calls of a transaction that is rolled back count');
ask($first, 'BEGIN; SELECT one(); SAVEPOINT s; SELECT one(); ROLLBACK TO s; COMMIT');
is(counts('one'), '8', 'those of a subtransaction too');
ask($first, q{BEGIN; SELECT one(); PREPARE TRANSACTION 'p'});
is(counts('one'), '9', 'a prepared transaction has ended for its session');
ask($second, q{COMMIT PREPARED 'p'});
is(counts('one'), '9', 'and is not counted again');

# --- failures ---

is(sqlstate($first, 'SELECT divide(1, 0)'), '22012', 'a trap');
is(counts('divide', 'calls, traps, cancels'), '1|1|0', 'is counted');
is(sqlstate($second, q{SET statement_timeout = '100ms'; SELECT spin()}), '57014', 'a timeout');
ask($second, 'RESET statement_timeout');
is(counts('spin', 'calls, traps, cancels'), '1|0|1', 'is counted');
is(module_counts('m', 'calls, traps, cancels, instances'), '11|1|1|2', 'the module has both');

my $ended = session($node);
my $pid = start_guest($node, $ended, 'SELECT spin()');
$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid, 60000)");
is(counts('spin', 'calls, traps, cancels'), '2|0|2', 'a session that is terminated in a guest has counted');
$ended->{run}->finish;

# --- the end of a session ---

$ended = session($node);
ask($ended, 'BEGIN; SELECT one()');
is(counts('one'), '9', 'a session in a transaction');
$pid = ask($ended, 'SELECT pg_backend_pid()');
$ended->quit;
$node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid") or die;
is(counts('one'), '10', 'that disconnects has counted');

# --- parallel workers ---

my $parallel = q{
	SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
	SET parallel_leader_participation = off};

ask($first, 'CREATE TABLE numbers AS SELECT i AS n FROM generate_series(1, 1000) AS i; ANALYZE numbers');
ask($first, $parallel);
like(ask($first, 'EXPLAIN SELECT sum(twice(n)) FROM numbers'), qr/Workers Planned: [12]/, 'a parallel plan');
is(ask($first, 'SELECT sum(twice(n)) FROM numbers'), '1001000', 'gives the right sum');
is(counts('twice'), '1000', 'what the workers called is counted');
isnt(sqlstate($first, 'SELECT sum(divide(n, n - 500)) FROM numbers'), '', 'a trap in a worker');
is(counts('divide', 'traps'), '2', 'is counted');

# --- databases ---

$node->safe_psql('postgres', 'CREATE DATABASE other');
$node->safe_psql('other', "CREATE EXTENSION wasm; $functions; SELECT one()");
is($node->safe_psql('other', 'SELECT funcname, calls FROM wasm.stat_functions'),
	'one|1', 'a database sees its own functions only');
is(counts('one'), '10', 'the other one too');
$node->safe_psql('other', 'SELECT wasm.stat_reset()');
is(counts('one'), '10', 'a reset is one of its database');
is($node->safe_psql('other', 'SELECT count(*) FROM wasm.stat_functions'), '0', 'there, all is gone');
$node->safe_psql('other', 'SELECT one()');
$node->safe_psql('postgres', 'DROP DATABASE other');
is(counts('one'), '10', 'a database that is dropped with what it counted');

# --- functions that are replaced and dropped ---

$node->safe_psql('postgres', q{CREATE OR REPLACE FUNCTION one() RETURNS integer LANGUAGE wasm STRICT PARALLEL SAFE
	AS '(module (func (export "one") (result i32) (i32.const 11)))'});
is(ask($second, 'SELECT one()'), '11', 'a replaced function');
is(counts('one', 'calls, moduleid = funcid'), '11|t', 'keeps its numbers, and shows its new module');
is(module_counts('one', 'calls, instances'), '1|1', 'the calls since are those of its new module');
$node->safe_psql('postgres', 'DROP FUNCTION one()');
is(counts('one'), '', 'a dropped function is not shown');
is(module_counts('m', 'calls'), 1000 + 1 + 2 + 10 + $node->safe_psql('postgres',
		q{SELECT calls - 1 FROM wasm.stat_functions WHERE funcname = 'divide'}),
	'what it called keeps its calls');

# --- times ---

ask($first, q{SET track_functions = 'pl'});
ask($first, q{CREATE FUNCTION outer_call(integer) RETURNS integer LANGUAGE wasm STRICT AS '(module
	(func (export "f") (param i32) (result i32) (local $i i32)
		(local.set $i (i32.const 1000000))
		(loop (br_if 0 (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
		(local.get 0)))'});
is(counts('outer_call', 'count(*)'), '0', 'nothing is known of a new function');
ask($first, 'SELECT outer_call(1); SELECT outer_call(2)');
ask($first, 'SELECT pg_stat_force_next_flush()');
$node->poll_query_until('postgres',
	q{SELECT calls = 2 AND total_time = self_time AND self_time > 0 FROM wasm.stat_functions WHERE funcname = 'outer_call'})
  or die;
is( $node->safe_psql('postgres', q{SELECT s.calls = p.calls, s.total_time = p.total_time, s.self_time = p.self_time
		FROM wasm.stat_functions s JOIN pg_stat_user_functions p USING (funcid) WHERE s.funcname = 'outer_call'}),
	't|t|t', 'times are those of pg_stat_user_functions');
is(counts('spin', 'total_time IS NULL'), 't', 'of calls without track_functions there is no time');

# --- reset ---

$node->safe_psql('postgres', 'SELECT wasm.stat_reset()');
is(counts('divide', 'count(*)'), '0', 'nothing is left after a reset');
is(counts('outer_call', 'count(*)'), '0', 'nor of functions with times');
ask($first, 'RESET track_functions; SELECT outer_call(1)');
is(counts('outer_call', 'calls, total_time IS NULL OR total_time = 0'), '1|t', 'it starts at zero');
is(ask($second, 'SELECT divide(6, 2)'), '3', 'a session that counted before the reset');
is(counts('divide', 'calls, traps'), '1|0', 'adds only what it counts after it');

# --- more functions than there is room for ---

sub many
{
	my ($from, $to) = @_;

	return join '', map {
		"CREATE FUNCTION many_$_() RETURNS integer LANGUAGE wasm AS
			'(module (func (export \"f\") (result i32) (i32.const $_)))'; SELECT many_$_();\n"
	} $from .. $to;
}

unlike(slurp_file($node->logfile), qr/statistics of WebAssembly functions are full/, 'there was room so far');
for my $start (1, 41, 81)
{
	$node->safe_psql('postgres', many($start, $start + 39));
	ask($second, 'SELECT divide(6, 2)');
}
is( $node->safe_psql('postgres',
		"SELECT f + m BETWEEN $stat_max / 2 AND $stat_max
			FROM (SELECT count(*) AS f FROM wasm.stat_functions) f, (SELECT count(*) AS m FROM wasm.stat_modules) m"),
	't', 'of too many functions and modules wasm.stat_max are kept');
is(counts('many_120'), '1', 'the last one is');
is(counts('many_1', 'count(*)'), '0', 'the first one is forgotten');
is(counts('divide'), '4', 'one that is called all the time is kept');
is(() = slurp_file($node->logfile) =~ /LOG:  statistics of WebAssembly functions are full/g,
	1, 'the log says so, once');
is(ask($second, 'SELECT many_1()'), '1', 'a forgotten function');
is(counts('many_1'), '1', 'is counted anew');

# --- memory, compiling ---

$node->safe_psql('postgres', q{
	CREATE FUNCTION growing() RETURNS wasm.module LANGUAGE wasm AS '(module
		(memory 1 10)
		(func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
		(func (export "grow_and_trap") (drop (memory.grow (i32.const 1))) unreachable))';
	SELECT wasm.create_functions('growing')});
is(module_counts('growing', 'compiles, compile_time > 0, cache_hits'), '1|t|0', 'a new module has been compiled');
ask($first, 'SELECT grow(1)');
is(module_counts('growing', 'compiles, cache_hits, memory / 65536'), '1|1|2', 'another session finds it in the cache');
ask($second, 'SELECT grow(2)');
is(module_counts('growing', 'compiles, cache_hits, memory / 65536'), '1|2|5', 'memory is the sum of the sessions');
ask($first, 'BEGIN; SELECT grow(1)');
is(module_counts('growing', 'memory / 65536'), '5', 'growth in a transaction');
ask($first, 'ROLLBACK');
is(module_counts('growing', 'memory / 65536'), '6', 'shows when it has ended, whichever way');
is(sqlstate($second, 'SELECT grow_and_trap()'), '38000', 'a trap');
is(module_counts('growing', 'memory / 65536'), '3', 'gives the memory of its instance back');
ask($second, 'SELECT grow(0)');
is(module_counts('growing', 'memory / 65536, instances'), '4|3', 'the next instance has memory again');
$node->safe_psql('postgres', 'SELECT wasm.stat_reset()');
is(module_counts('growing', 'calls, memory / 65536, instances'), '0|4|0', 'a reset leaves the memory');
ask($second, 'DISCARD ALL');
is(module_counts('growing', 'memory / 65536'), '3', 'a session that discards all gives its memory back');

$ended = session($node);
ask($ended, 'SELECT grow(4)');
is(module_counts('growing', 'memory / 65536'), '8', 'a session with memory');
$pid = ask($ended, 'SELECT pg_backend_pid()');
$ended->quit;
$node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid") or die;
is(module_counts('growing', 'memory / 65536'), '3', 'takes it along');

$ended = session($node);
ask($ended, 'BEGIN; SELECT grow(4)');
$pid = ask($ended, 'SELECT pg_backend_pid()');
$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid, 60000)");
is(module_counts('growing', 'memory / 65536'), '3', 'also when it is terminated');
$ended->{run}->finish;
$node->safe_psql('postgres', many(201, 280));
is(module_counts('growing', 'memory / 65536'), '3', 'what has memory is not forgotten');
ask($second, 'SELECT divide(6, 2)');

# --- many at once ---

my $script = "$PostgreSQL::Test::Utils::tmp_check/stat.sql";

PostgreSQL::Test::Utils::append_to_file($script, "SELECT twice(1);\nBEGIN; SELECT twice(2), divide(2, 1); ROLLBACK;\n");
$node->safe_psql('postgres', 'SELECT wasm.stat_reset()');
$node->command_ok([ 'pgbench', '-n', '-c', 4, '-t', 500, '-f', $script, 'postgres' ], 'four sessions');
is(counts('twice') . ' ' . counts('divide') . ' ' . module_counts('m', 'calls, instances'), '4000 2000 6000|4', 'lose no call');
ask($second, 'SELECT divide(6, 2)');
check_log($node);

# --- a crash, and a restart ---

my $killed = session($node);
ask($killed, 'SELECT divide(6, 2)');
is(counts('divide'), '2002', 'before a backend is killed');
$_->quit for $first, $second;
$pid = ask($killed, 'SELECT pg_backend_pid()');
$node->append_conf('postgresql.conf', 'restart_after_crash = on');
$node->reload;
kill 'KILL', $pid;
$killed->{run}->finish;
$node->poll_query_until('postgres', 'SELECT true') or die;
is(counts('divide', 'count(*)'), '0', 'after the recovery all counts from zero');
$node->safe_psql('postgres', 'SELECT divide(6, 2)');
is(counts('divide'), '1', 'and it counts');
$node->restart;
is(counts('divide', 'count(*)'), '0', 'nothing is kept over a restart');
is($node->safe_psql('postgres', 'SHOW wasm.stat_max'), $stat_max, 'the setting');
my ($status, undef, $error) = $node->psql('postgres', 'SET wasm.stat_max = 200');
like($error, qr/cannot be changed without restarting the server/, 'is one of the start');

# --- not preloaded ---

$node->append_conf('postgresql.conf', "shared_preload_libraries = ''");
$node->restart;
$first = session($node);
$second = session($node);
ask($first, 'SELECT divide(6, 2)');
is(ask($first, 'SELECT funcname, calls FROM wasm.stat_functions'), 'divide|1', 'without preloading, a session sees its calls');
is(ask($second, 'SELECT count(*) FROM wasm.stat_functions'), '0', 'and not those of another one');
ask($second, 'SELECT divide(6, 2), divide(6, 2)');
is(ask($second, 'SELECT funcname, calls FROM wasm.stat_functions'), 'divide|2', 'which sees its own');
is( ask($first, 'SELECT modulename, calls, instances FROM wasm.stat_modules'),
	'm|1|1', 'modules are counted likewise');
ask($first, 'SELECT wasm.stat_reset()');
is(ask($first, 'SELECT count(*) FROM wasm.stat_functions'), '0', 'a reset is one of the session');
is(ask($second, 'SELECT calls FROM wasm.stat_functions'), '2', 'and of no other');
is(sqlstate($first, 'LOAD \'wasm\''), '', 'wasm.stat_max in the configuration file does no harm');
is(ask($first, 'SHOW wasm.stat_max'), $stat_max, 'it counts');
ask($first, many(301, 420) =~ s/\n/ /gr);
is(ask($first, "SELECT count(*) BETWEEN 1 AND 120 FROM wasm.stat_functions"), 't', 'more functions than that');
is(ask($first, q{SELECT calls FROM wasm.stat_functions WHERE funcname = 'many_420'}), '1', 'the last one is counted');
ask($first, join ' ', map { "CREATE FUNCTION pg_temp.short_$_() RETURNS integer LANGUAGE wasm AS
	'(module (func (export \"f\") (result i32) (i32.const $_)))'; SELECT pg_temp.short_$_(); DROP FUNCTION pg_temp.short_$_();" } 1 .. 300);
ask($first, 'SELECT divide(6, 2)');
is(ask($first, q{SELECT count(*) <= 150 FROM wasm.stat_counters(false)}), 't',
	'functions that come and go are forgotten');

$_->quit for $first, $second;
$node->stop;

done_testing();
