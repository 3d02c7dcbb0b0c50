
# The engine learns of traps by signals, PostgreSQL and other languages use
# signals as well: they do not take them from each other.  No thread is started.
# The library works when it is preloaded, and in parallel workers.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use WasmTest;

my $node = wasm_node('signals');
my $file = "$PostgreSQL::Test::Utils::tmp_check/signals.wasm";

system_or_bail('cp', source_dir() . '/examples/simple.wasm', $file);
chmod 0644, $file;
$node->safe_psql('postgres', q{
	SELECT wasm.create_module('traps', convert_to('(module
		(memory 1)
		(table 1 funcref)
		(type $t (func))
		(func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
		(func (export "div") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
		(func (export "rem") (param i32 i32) (result i32) (i32.rem_u (local.get 0) (local.get 1)))
		(func (export "trunc") (param f64) (result i32) (i32.trunc_f64_s (local.get 0)))
		(func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
		(func (export "store") (param i32) (i32.store (local.get 0) (i32.const 1)))
		(func (export "indirect") (param i32) (call_indirect (type $t) (local.get 0)))
		(func (export "unreachable") unreachable)
		(func $deep (export "deep") (param i32) (result i32)
			(i32.add (i32.const 1) (call $deep (local.get 0))))
		(func (export "spin_above") (param i32 i32) (result i32)
			(loop $l (br_if $l (i32.gt_s (local.get 0) (local.get 1)))) (local.get 0)))', 'UTF8'));
	SELECT wasm.create_functions('traps', 'w_', parallel => 'safe', volatility => 'immutable');
});

# Every trap, and that each leaves the session in order.
sub check_traps
{
	my ($session, $when) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	for my $case (
		[ 'w_div(1, 0)', '22012' ],
		[ 'w_rem(1, 0)', '22012' ],
		[ 'w_div(-2147483648, -1)', '22003' ],
		[ "w_trunc('NaN')", '22003' ],
		[ 'w_load(-1)', '38000' ],
		[ 'w_load(65533)', '38000' ],
		[ 'w_store(2147483647)', '38000' ],
		[ 'w_indirect(0)', '38000' ],
		[ 'w_indirect(1000)', '38000' ],
		[ 'w_unreachable()', '38000' ],
		[ 'w_deep(1)', '54001' ])
	{
		my ($call, $expected) = @$case;

		is(sqlstate($session, "SELECT $call"), $expected, "$call fails with $expected $when");
	}
	is(ask($session, 'SELECT w_add(20, 22), w_div(84, 2)'), '42|42', "guests work $when");
	is(message($session, 'SELECT 1 / 0'), '22012: division by zero',
		"division by zero in SQL is an error $when");
	is(sqlstate($session, q{SELECT (-2147483648)::int4 / -1}), '22003',
		"integer overflow in SQL is an error $when");
}

# --- alone, and with PL/Perl, which sets signal handlers when it starts ---

my $session = session($node);
my $pid = ask($session, 'SELECT pg_backend_pid()');
check_traps($session, 'in a new session');

SKIP:
{
	my $plperl = $node->safe_psql('postgres',
		q{SELECT count(*) FROM pg_available_extensions WHERE name = 'plperl'});

	skip 'PL/Perl is not installed', 35 unless $plperl;
	$node->safe_psql('postgres', q{
		CREATE EXTENSION plperl;
		CREATE FUNCTION perl_divide(integer, integer) RETURNS integer LANGUAGE plperl AS
			'return int($_[0] / $_[1]);';
		CREATE FUNCTION perl_calls_wasm(integer, integer) RETURNS integer LANGUAGE plperl AS
			'return spi_exec_query("SELECT w_div($_[0], $_[1]) AS r")->{rows}[0]{r};';
	});
	ask($session, "LOAD 'plperl'");
	check_traps($session, "after LOAD 'plperl'");
	is(ask($session, 'SELECT perl_divide(85, 2)'), '42', 'PL/Perl works in the session');
	check_traps($session, 'after PL/Perl');
	is(ask($session, 'SELECT perl_calls_wasm(85, 2)'), '42', 'PL/Perl calls a guest');
	like(message($session, 'SELECT perl_calls_wasm(1, 0)'),
		qr/^38000: WebAssembly trap: integer division by zero/,
		'a trap passes through PL/Perl, which gives it a SQLSTATE of its own');
	is(sqlstate($session, 'SELECT perl_divide(1, 0)'), '38000', 'PL/Perl reports its own division by zero');

	# PL/Perl first
	my $other = session($node);
	is(ask($other, 'SELECT perl_divide(85, 2)'), '42', 'PL/Perl works before any guest');
	is(sqlstate($other, 'SELECT w_div(1, 0)'), '22012', 'division by zero traps after it');
	is(ask($other, 'SELECT perl_calls_wasm(85, 2)'), '42', 'the session goes on');
	$other->quit;
}

# --- no threads ---

is(ask($session, q{SELECT wasm.module_id('\x0061736d01000000')}),
	'7a5c239f-2125-547f-8ed1-7062ac027016', 'the id of the empty module');
is(ask($session, q{SELECT wasm.module_id(repeat('x', 3000000)::bytea) IS NOT NULL}), 't',
	'the id of many bytes');
is(ask($session, "SELECT wasm_new_instance('$file', 'ns') IS NOT NULL"), 't', 'wasm_new_instance works');
is(ask($session, 'SELECT ns_sum(1, 2)'), '3', 'its function works');
is(ask($session, q{SELECT count(*) FROM wasm.exports('traps')}), '10', 'wasm.exports works');
is(ask($session, q{SELECT wasm.validate('\x0061736d01000000')}), 't', 'wasm.validate works');
ask($session, q{DO LANGUAGE wasm '(module (func (export "main")))'});
cmp_ok(ask($session, 'SELECT count(*) FROM wasm.instances'), '>=', 2, 'wasm.instances works');
is(process_status($pid, 'Threads'), '1', 'the backend has one thread after all that');
$session->quit;

# --- parallel workers ---

$node->safe_psql('postgres', q{
	CREATE TABLE numbers AS SELECT n FROM generate_series(1, 20000) n;
	ALTER TABLE numbers SET (parallel_workers = 2);
	ANALYZE numbers;
});
my $parallel = q{
	SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
	SET max_parallel_workers_per_gather = 2; SET parallel_leader_participation = off;
};

sub check_parallel
{
	my ($when) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $leader = session($node);

	ask($leader, $parallel);
	like(ask($leader, 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF)
			SELECT sum(w_add(n, 1)) FROM numbers WHERE w_div(n, 2) >= 0'),
		qr/Workers Launched: 2/, "workers are launched $when");
	is(ask($leader, 'SELECT sum(w_add(n, 1)), count(*) FROM numbers WHERE w_div(n, 2) >= 0'),
		'200030000|20000', "guests work in workers $when");
	is(sqlstate($leader, 'SELECT sum(w_div(n, n - 15000)) FROM numbers'), '22012',
		"a trap in a worker is reported $when");
	is(sqlstate($leader, 'SELECT sum(w_load(n * 4)) FROM numbers'), '38000',
		"another one is reported $when");
	is(ask($leader, 'SELECT sum(w_add(n, 1)) FROM numbers'), '200030000', "the session goes on $when");
	ask($leader, 'SET force_parallel_mode = on');
	is(ask($leader, 'SELECT w_add(40, n) FROM numbers WHERE n = 2'), '42',
		"a guest works with force_parallel_mode $when");

	# Endless loops in the workers: the leader waits, the workers have to be
	# told by it.
	ask($leader, 'RESET force_parallel_mode');
	my $leader_pid = ask($leader, 'SELECT pg_backend_pid()');
	$leader->{stderr} = '';
	$leader->query_until(qr/started/,
		"\\echo started\nSELECT count(w_spin_above(n, 0)) FROM numbers;\n");
	my $workers = "FROM pg_stat_activity
		WHERE backend_type = 'parallel worker' AND leader_pid = $leader_pid";
	$node->poll_query_until('postgres', "SELECT count(*) = 2 $workers");
	for my $worker (split /\n/, $node->safe_psql('postgres', "SELECT pid $workers"))
	{
		wait_for_guest($node, $worker);
		is(process_status($worker, 'Threads'), '1', "a worker has one thread $when");
	}
	$node->safe_psql('postgres', "SELECT pg_cancel_backend($leader_pid)");
	is($leader->query("SELECT 'alive'"), 'alive', "the leader goes on after a cancel $when");
	is(last_sqlstate($leader), '57014', "a query in workers is cancelled $when");
	ok($node->poll_query_until('postgres', "SELECT count(*) = 0 $workers"),
		"the workers have ended $when");
	$leader->quit;
}

check_parallel('without preloading');

# --- shared_preload_libraries ---

# Is a signal caught by a process?
sub catches
{
	my ($process, $signal) = @_;

	return (hex(process_status($process, 'SigCgt')) >> ($signal - 1)) & 1;
}

$node->append_conf('postgresql.conf', "shared_preload_libraries = 'wasm'\n");
$node->restart;
my $postmaster = (split /\n/, slurp_file($node->data_dir . '/postmaster.pid'))[0];

like(slurp_file("/proc/$postmaster/maps"), qr{/wasm\.so$}m, 'the postmaster has the library');
is(process_status($postmaster, 'Threads'), '1', 'the postmaster has one thread');
ok(!catches($postmaster, 11) && !catches($postmaster, 4), 'no engine is in the postmaster');
$session = session($node);
$pid = ask($session, 'SELECT pg_backend_pid()');
ok(!catches($pid, 11), 'nor in a session before it calls a guest');
check_traps($session, 'with shared_preload_libraries');
ok(catches($pid, 11) && catches($pid, 4), 'the session has an engine then');
is(process_status($pid, 'Threads'), '1', 'and one thread');
is(ask($session, 'SHOW wasm.memory_limit'), '64MB', 'the settings are there');
$session->quit;
check_parallel('with shared_preload_libraries');

check_log($node);
$node->stop;

done_testing();
