
# Guests in other processes than sessions of clients: an apply worker of logical
# replication, autovacuum, parallel workers that build an index, a walsender,
# and a server in single-user mode; and in what PostgreSQL restricts.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use File::Path qw(remove_tree);
use IPC::Run;
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use WasmTest;

my $node = wasm_node(
	'processes',
	allows_streaming => 'logical',
	conf => q{
autovacuum_naptime = 1s
deadlock_timeout = 100ms
max_prepared_transactions = 2
wal_retrieve_retry_interval = 100ms
});
my $cache = $node->data_dir . '/pgsql_tmp_wasm';

sub cached
{
	my @files = glob("$cache/*.cwasm");
	return scalar(@files);
}

# Modules that tests replace: "gate" has pass(i32), a boolean, and "factor" has
# scale(i32).
sub replace_module
{
	my ($name, $function) = @_;

	$node->safe_psql('postgres', "SELECT wasm.create_module('$name',
		convert_to('(module (func $function))', 'UTF8'), replace => true)");
}

sub replace_gate
{
	my ($code) = @_;

	replace_module('gate', qq{(export "pass") (param i32) (result i32) $code});
}

sub replace_factor
{
	my ($factor) = @_;

	replace_module('factor', qq{(export "scale") (param i32) (result i32)
		(i32.mul (local.get 0) (i32.const $factor))});
}

my $even = '(i32.eqz (i32.and (local.get 0) (i32.const 1)))';
my $any = '(i32.const 1)';
my $endless = '(loop $l (br $l)) (i32.const 1)';

replace_gate($any);
replace_factor(2);
$node->safe_psql('postgres', q{
	SELECT wasm.create_module('counter', convert_to('(module
		(global $n (mut i32) (i32.const 0))
		(func (export "next") (result i32)
			(global.set $n (i32.add (global.get $n) (i32.const 1)))
			(global.get $n)))', 'UTF8'));
	CREATE FUNCTION next() RETURNS integer LANGUAGE wasm AS 'counter';
	CREATE FUNCTION pass(integer) RETURNS boolean LANGUAGE wasm IMMUTABLE STRICT PARALLEL SAFE AS 'gate';
	CREATE FUNCTION scale(integer) RETURNS integer LANGUAGE wasm IMMUTABLE STRICT PARALLEL SAFE AS 'factor';
	CREATE FUNCTION large(integer) RETURNS boolean LANGUAGE wasm IMMUTABLE STRICT AS
		'(module (func (export "large") (param i32) (result i32)
			(i32.ge_s (local.get 0) (i32.const 100))))';
	CREATE FUNCTION spin() RETURNS void LANGUAGE wasm AS
		'(module (func (export "main") (loop $l (br $l))))';
});

# The process id of the one process that the condition describes, once it uses
# processor time.
sub wait_for_process
{
	my ($condition) = @_;

	$node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM pg_stat_activity WHERE state = 'active' AND $condition")
	  or die "no process with $condition";
	my $pid = $node->safe_psql('postgres',
		"SELECT pid FROM pg_stat_activity WHERE state = 'active' AND $condition");
	wait_for_guest($node, $pid);
	return $pid;
}

# --- an apply worker ---

$node->safe_psql('postgres', 'CREATE DATABASE origin');
$node->safe_psql('origin', q{
	CREATE TABLE events (n integer PRIMARY KEY);
	CREATE PUBLICATION everything FOR ALL TABLES;
	SELECT pg_create_logical_replication_slot('applied', 'pgoutput');
});
$node->safe_psql('postgres', q{
	CREATE TABLE events (
		n integer PRIMARY KEY CONSTRAINT gate CHECK (pass(n)),
		scaled integer GENERATED ALWAYS AS (scale(n)) STORED);
	CREATE TABLE large_events (n integer);
	CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS
		'BEGIN INSERT INTO public.large_events VALUES (new.n); RETURN NULL; END';
	CREATE TRIGGER keep AFTER INSERT ON events FOR EACH ROW WHEN (large(new.n)) EXECUTE FUNCTION keep();
	ALTER TABLE events ENABLE REPLICA TRIGGER keep;
});
replace_gate($even);
remove_tree($cache);
my $origin = $node->connstr . ' dbname=origin';
$node->safe_psql('postgres', "CREATE SUBSCRIPTION applied CONNECTION '$origin'
	PUBLICATION everything WITH (create_slot = false, copy_data = false)");

sub send_event
{
	my (@numbers) = @_;

	$node->safe_psql('origin', "INSERT INTO events VALUES ($_)") for @numbers;
}

sub events
{
	$node->wait_for_catchup('applied');
	return $node->safe_psql('postgres', 'SELECT n, scaled FROM events ORDER BY n');
}

sub apply_worker
{
	return $node->safe_psql('postgres', "SELECT pid FROM pg_stat_subscription WHERE subname = 'applied'");
}

send_event(2, 200);
is(events(), "2|4\n200|400", 'an apply worker checks a constraint and computes a generated column');
is($node->safe_psql('postgres', 'TABLE large_events'), '200', 'it tests the condition of a trigger');
is(cached(), 3, 'it has compiled the three modules and filled the cache');

my $worker = apply_worker();
replace_factor(3);
send_event(4);
is(events(), "2|4\n4|12\n200|400", 'it follows the replacement of a module');
is(apply_worker(), $worker, 'and is the same process');

send_event(5);
ok($node->wait_for_log(qr/ERROR:  new row for relation "events" violates check constraint "gate"/),
	'an odd number is refused');
replace_gate($any);
is(events(), "2|4\n4|12\n5|15\n200|400", 'it is accepted when the module has been replaced');

replace_gate($endless);
send_event(6);
my $offset = -s $node->logfile;
my $is_apply = "backend_type = 'logical replication worker'";
$worker = wait_for_process($is_apply);
$node->safe_psql('postgres', "SELECT pg_log_backend_memory_contexts($worker)");
ok($node->wait_for_log(qr/\[$worker\].*logging memory contexts of PID $worker/, $offset),
	'a worker in a guest serves interrupts');
wait_for_guest($node, $worker);
$node->safe_psql('postgres', "SELECT pg_cancel_backend($worker)");
ok($node->wait_for_log(qr/\[$worker\].*ERROR:  canceling statement due to user request/, $offset),
	'a cancel ends a worker in a guest');
$worker = wait_for_process("$is_apply AND pid <> $worker");
is($node->safe_psql('postgres', "SELECT pg_terminate_backend($worker, 60000)"), 't',
	'so does its termination');
ok( $node->wait_for_log(
		qr/\[$worker\].*FATAL:  terminating logical replication worker due to administrator command/, $offset),
	'it says so');
$worker = wait_for_process("$is_apply AND pid <> $worker");
$node->restart;
pass('a fast shutdown does not wait for a worker in a guest');
wait_for_process($is_apply);
replace_gate($any);
$node->safe_psql('postgres', 'SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_subscription');
is(events(), "2|4\n4|12\n5|15\n6|18\n200|400", 'the row is applied when the module has been replaced');

replace_gate($endless);
send_event(8);
wait_for_process($is_apply);
$node->safe_psql('postgres', 'DROP SUBSCRIPTION applied');
pass('DROP SUBSCRIPTION does not wait for a worker in a guest');

# --- autovacuum ---

replace_gate($even);
$node->safe_psql('postgres', q{
	CREATE TABLE measured (n integer);
	CREATE INDEX measured_index ON measured (scale(n));
	INSERT INTO measured SELECT generate_series(1, 1000);
});
ok( $node->poll_query_until('postgres',
		"SELECT autoanalyze_count > 0 FROM pg_stat_user_tables WHERE relname = 'measured'"),
	'autovacuum analyzes a table with an expression index');
is( $node->safe_psql('postgres', q{
		SELECT bounds[1], bounds[cardinality(bounds)]
		FROM (SELECT histogram_bounds::text::integer[] AS bounds FROM pg_stats
			WHERE tablename = 'measured_index') s}),
	'3|3000', 'and has called the function for it');

$node->safe_psql('postgres', q{
	CREATE TABLE held (n integer) WITH (autovacuum_enabled = off);
	CREATE INDEX held_index ON held (pass(n));
	INSERT INTO held SELECT generate_series(1, 1000);
});
replace_gate($endless);
$offset = -s $node->logfile;
$node->safe_psql('postgres', 'ALTER TABLE held SET (autovacuum_enabled = on)');
wait_for_process("backend_type = 'autovacuum worker' AND query LIKE '%held%'");
$node->safe_psql('postgres', 'ALTER TABLE held SET (autovacuum_enabled = off)');
ok($node->wait_for_log(qr/ERROR:  canceling autovacuum task/, $offset),
	'autovacuum in a guest gives way to a lock');

# --- restricted operations ---

replace_gate($even);
$node->safe_psql('postgres', q{
	CREATE ROLE keeper;
	GRANT CREATE ON SCHEMA public TO keeper;
	SET ROLE keeper;
	CREATE MATERIALIZED VIEW taken AS SELECT next() AS n WITH NO DATA;
});
my $session = session($node);
is(ask($session, 'SELECT next(), next(), next()'), '1|2|3', 'a session has an instance');
is(ask($session, 'REFRESH MATERIALIZED VIEW taken; SELECT n FROM taken'),
	'1', 'REFRESH MATERIALIZED VIEW has another');
is(ask($session, 'SELECT next()'), '4', 'that of the session is as it was');
is(ask($session, 'SET ROLE keeper; SELECT next(), next(); RESET ROLE'),
	'1|2', 'the owner of the view has another when nothing is restricted');
is(ask($session, 'REFRESH MATERIALIZED VIEW taken; SELECT n FROM taken'),
	'2', 'that of REFRESH lives on');
is(ask($session, 'SELECT wasm.reset()'), '3', 'there were three instances');

ask($session, 'CREATE TABLE many WITH (parallel_workers = 2) AS SELECT generate_series(1, 10000) AS n');
ask($session, 'SET client_min_messages = debug1; SET min_parallel_table_scan_size = 0');
ask($session, 'CREATE INDEX many_index ON many (scale(n))');
like($session->{stderr}, qr/building index "many_index" on table "many" with request for 2 parallel workers/,
	'parallel workers build an index');
ask($session, 'RESET client_min_messages; SET enable_seqscan = off');
is(ask($session, 'SELECT n FROM many WHERE scale(n) = 2997'), '999', 'which finds rows');
is(ask($session, 'REINDEX INDEX CONCURRENTLY many_index; SELECT n FROM many WHERE scale(n) = 300'),
	'100', 'also after REINDEX CONCURRENTLY');

is(ask($session, q{BEGIN; SELECT next(); PREPARE TRANSACTION 'two'}), '1',
	'a transaction that has called a guest is prepared');
is(last_sqlstate($session), '', 'without an error');
is(ask($session, q{COMMIT PREPARED 'two'; SELECT next()}), '2', 'the session goes on with its instance');
$session->quit;

# --- a walsender ---

my $walsender = $node->connstr . ' dbname=postgres replication=database';
command_like([ 'psql', '-XAtc', 'SELECT scale(14)', $walsender ], qr/^42$/, 'a walsender calls a function');
my $harness = IPC::Run::start([ 'psql', '-XAtc', 'SELECT spin()', $walsender ], '2>', \my $said);
wait_for_process("backend_type = 'walsender'");
$node->stop('fast');
$harness->finish;
like($said, qr/terminating connection due to administrator command/, 'a fast shutdown ends a guest in it');

# --- single-user mode ---

# What a server in single-user mode, started by the given command, says to
# others, one a line.
sub single_user_by
{
	my ($start, @commands) = @_;
	my $input = join '', map { "$_\n" } @commands;
	my $output;

	IPC::Run::run([ @$start, 'postgres', '--single', '-F', '-D', $node->data_dir, 'postgres' ],
		'<', \$input, '>', \$output, '2>&1')
	  or die "the server failed: $output";
	return $output;
}

sub single_user
{
	return single_user_by([], @_);
}

remove_tree($cache);
my $single = single_user(
	'SELECT scale(14) AS scaled',
	q{DO LANGUAGE wasm '(module (func (export "main") unreachable))'},
	"SET statement_timeout = '200ms'",
	'SELECT spin()',
	'RESET statement_timeout',
	'SELECT next(), next() AS second',
	q{CREATE FUNCTION half(integer) RETURNS integer LANGUAGE wasm AS }
	  . q{'(module (func (export "f") (param i32) (result i32) (i32.shr_s (local.get 0) (i32.const 1))))'},
	'SELECT half(84) AS halved');
like($single, qr/scaled = "42"/, 'a server in single-user mode compiles and calls a function');
like($single, qr/ERROR:  WebAssembly trap: unreachable instruction executed/, 'a guest traps in it');
like($single, qr/ERROR:  canceling statement due to statement timeout/, 'and is stopped by a timeout');
like($single, qr/second = "2"/, 'instances have state');
like($single, qr/halved = "42"/, 'functions are made');
cmp_ok(cached(), '>=', 4, 'the cache is filled');
like(single_user('SELECT half(scale(28)) AS halved'), qr/halved = "42"/, 'the cache is used');

# A system that denies to make memory executable, as services can be told to.
SKIP:
{
	my %prctl_of = (x86_64 => 157, aarch64 => 167);
	my $prctl = $prctl_of{ (POSIX::uname())[4] };
	my $denies = 'syscall(shift, 65, 1, 0, 0, 0) == 0 or exit 1; exec @ARGV or exit 2';

	skip 'this system cannot deny to make memory executable', 3
	  unless $prctl && system('perl', '-e', $denies, $prctl, 'true') == 0;
	$single = single_user_by([ 'perl', '-e', $denies, $prctl ],
		'SELECT half(84)', q{DO LANGUAGE wasm '(module (func (export "main") nop))'});
	like($single, qr/ERROR:  could not load compiled WebAssembly module: Permission denied/,
		'where memory cannot be made executable, nothing is loaded');
	like($single, qr/ERROR:  could not compile WebAssembly module: Permission denied/, 'nor compiled');
	my $hints = () = $single =~ /HINT:  The operating system does not let this server run generated code/g;
	is($hints, 2, 'and the cause is named');
}

$node->start;
is($node->safe_psql('postgres', 'SELECT half(84)'), '42', 'the server has them, too');
check_log($node);
$node->stop;

done_testing();
