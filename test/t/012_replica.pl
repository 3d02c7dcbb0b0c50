
# A streaming standby: it runs the functions of modules that it received, keeps
# a cache of its own, follows what the primary replaces and drops, stops guests
# that stand in the way of recovery, and goes on when it is promoted.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use WasmTest;

my $cache = 'pgsql_tmp_wasm';
my $spin_module = '(module (func (export "main") (loop $l (br $l))))';

my $primary = wasm_node(
	'primary',
	allows_streaming => 1,
	conf => "autovacuum = off\nwal_log_hints = on\nwal_keep_size = 128MB\n");

$primary->safe_psql('postgres', qq{
	SELECT wasm.create_module('counter', convert_to('(module
		(global \$n (mut i32) (i32.const 0))
		(func (export "next") (result i32)
			(global.set \$n (i32.add (global.get \$n) (i32.const 1)))
			(global.get \$n)))', 'UTF8'));
	CREATE FUNCTION next() RETURNS integer LANGUAGE wasm AS 'counter';
	CREATE FUNCTION twice(integer) RETURNS integer LANGUAGE wasm IMMUTABLE STRICT AS
		'(module (func (export "twice") (param i32) (result i32)
			(i32.shl (local.get 0) (i32.const 1))))';
	CREATE FUNCTION spin() RETURNS void LANGUAGE wasm AS '$spin_module';
	CREATE FUNCTION starting() RETURNS integer LANGUAGE wasm AS
		'(module (func \$s (loop \$l (br \$l))) (start \$s)
			(func (export "starting") (result i32) (i32.const 1)))';
	CREATE FUNCTION spin_unless(integer) RETURNS integer LANGUAGE wasm AS
		'(module (func (export "spin_unless") (param i32) (result i32)
			(loop \$l (br_if \$l (i32.eqz (local.get 0)))) (local.get 0)))';
	CREATE FUNCTION nested() RETURNS void LANGUAGE plpgsql AS 'BEGIN PERFORM spin(); END';
	CREATE FUNCTION guarded() RETURNS text LANGUAGE plpgsql AS '
	BEGIN
		PERFORM spin();
		RETURN ''ended'';
	EXCEPTION WHEN OTHERS THEN
		RETURN ''swallowed '' || SQLSTATE;
	END';
	CREATE TABLE doubled (n integer, d integer GENERATED ALWAYS AS (twice(n)) STORED);
	CREATE INDEX doubled_index ON doubled (twice(n));
	INSERT INTO doubled SELECT generate_series(1, 100);
	CREATE TABLE bait (n integer);
	-- compiling it takes long: thousands of nested loops, which poll the epoch,
	-- since there is a tail call
	SET check_function_bodies = off;
	DO 'BEGIN EXECUTE ''CREATE FUNCTION slow() RETURNS void LANGUAGE wasm AS ''
		|| quote_literal(''(module (func (export "slow") '' || repeat(''loop '', 20000)
			|| repeat(''end '', 20000) || ''return_call 0))''); END';
});

# The names of the compiled modules that a node keeps.
sub cached
{
	my ($node) = @_;

	my @names = sort map { s{.*/}{}r } glob($node->data_dir . "/$cache/*.cwasm");
	return @names;
}

sub caught_up
{
	my ($standby) = @_;

	$primary->wait_for_catchup($standby->name, 'replay');
}

# --- a base backup has no cache, and the standby fills its own ---

is($primary->safe_psql('postgres', 'SELECT next(), twice(21)'), '1|42', 'the primary calls functions');
cmp_ok(scalar(cached($primary)), '>=', 2, 'it has compiled modules in its cache');
$primary->backup('base');
ok(!-e $primary->backup_dir . "/base/$cache", 'pg_basebackup does not carry the cache');

my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', "max_standby_streaming_delay = 0\n");
$standby->start;
caught_up($standby);
ok(!-e $standby->data_dir . "/$cache", 'a standby that has called nothing has no cache');

# What a session reports of compiling during a query.
sub compiled
{
	my ($session, $query) = @_;

	ask($session, 'SET client_min_messages = debug1');
	ask($session, $query);
	my $count = () = $session->{stderr} =~ /compiled a WebAssembly module/g;
	ask($session, 'RESET client_min_messages');
	return $count;
}

my $session = session($standby);
is(compiled($session, 'SELECT next()'), 1, 'the first call on the standby compiles the module');
my @first = cached($standby);
is(scalar(@first), 1, 'its cache appears and holds this module');
is(scalar(grep { $_ eq $first[0] } cached($primary)), 1, 'the file has the name that it has on the primary');
is((stat($standby->data_dir . "/$cache"))[2] & 07777, 0700, 'nobody else may enter the cache');
is(ask($session, 'SELECT twice(21)'), '42', 'an inline module works on the standby');
is(scalar(cached($standby)), 2, 'the cache holds both');
is( ask($session, 'SET enable_seqscan = off; SELECT n, d FROM doubled WHERE twice(n) = 84'),
	'42|84', 'an expression index and a generated column work on the standby');
is(ask($session, "SELECT count(*) FROM wasm.cache() WHERE compile_ms >= 0 AND NOT metered"),
	'2', 'wasm.cache() lists them on the standby');

my $second = session($standby);
is(compiled($second, 'SELECT next(), twice(1)'), 0, 'another session takes both from the cache');
is(ask($session, 'SELECT next()'), '2', 'each session has its own instance');

# --- what the primary changes ---

my $next_is = q{SELECT wasm.create_module('counter', convert_to('(module
	(func (export "next") (result i32) (i32.const %d)))', 'UTF8'), replace => true)};

ask($session, 'PREPARE again AS SELECT next()');
is(ask($session, 'EXECUTE again'), '3', 'a prepared statement uses the instance');
$primary->safe_psql('postgres', sprintf("BEGIN; $next_is; ROLLBACK", 999));
caught_up($standby);
is(ask($session, 'EXECUTE again'), '4', 'a replacement that is rolled back leaves the instance');

ask($session, 'SELECT wasm.reset()');
is(ask($session, 'SELECT next(), next()'), '1|2', 'a session of the standby has one instance');
$primary->safe_psql('postgres', sprintf($next_is, 1000));
caught_up($standby);
ask($session, 'SELECT 1');
is(ask($session, 'SELECT wasm.reset()'), '0', 'the instance of a replaced module is dropped after replay');
is(ask($session, 'SELECT next()'), '1000', 'the session calls the new code');
is(ask($session, 'EXECUTE again'), '1000', 'so does a prepared statement');

ask($session, 'BEGIN ISOLATION LEVEL REPEATABLE READ');
is(ask($session, 'SELECT next()'), '1000', 'a call in a transaction');
$primary->safe_psql('postgres', sprintf($next_is, 2000));
caught_up($standby);
ask($session, 'COMMIT');
is(ask($session, 'SELECT next()'), '2000', 'the next transaction calls what was replayed meanwhile');

# The startup process does not wait for a guest whose module goes.
$primary->safe_psql('postgres', q{
	CREATE FUNCTION doomed() RETURNS void LANGUAGE wasm AS
		'(module (func (export "doomed") (loop $l (br $l))))'});
caught_up($standby);
my $pid = start_guest($standby, $second, 'SELECT doomed()');
$primary->safe_psql('postgres', 'DROP FUNCTION doomed()');
caught_up($standby);
wait_for_guest($standby, $pid);
pass('replay of DROP neither waits for nor harms a guest that runs');
$standby->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
is(ask($second, 'SELECT 1'), '1', 'its session is alive after a cancel');
is(last_sqlstate($second), '57014', 'which has ended the guest');
is(sqlstate($second, 'SELECT doomed()'), '42883', 'the function is gone');

ask($session, 'SELECT wasm.reset()');
is(ask($session, 'EXECUTE again'), '2000', 'a prepared statement makes an instance');
$primary->safe_psql('postgres', 'DROP FUNCTION counter() CASCADE');
caught_up($standby);
is(sqlstate($session, 'EXECUTE again'), '42883', 'it fails when the module has been dropped');
is(sqlstate($session, 'SELECT next()'), '42883', 'so does another call');
ask($session, 'SELECT 1');
is(ask($session, 'SELECT wasm.reset()'), '0', 'the instance is gone as well');

# --- what a standby may not do ---

is(sqlstate($session, "SELECT wasm.create_module('m', '\\x0061736d01000000')"),
	'25006', 'a standby makes no module');
is(sqlstate($session, q{CREATE FUNCTION f() RETURNS void LANGUAGE wasm AS '(module)'}),
	'25006', 'and no function');
ask($session, q{DO LANGUAGE wasm '(module (func (export "main")))'});
is(last_sqlstate($session), '', 'it runs DO');
is(ask($session, q{SELECT wasm.validate('(module)')}), 't', 'and it validates');

# --- conflicts with recovery ---

# What PostgreSQL tells the client of each kind of conflict
my %detail_of = (
	snapshot => 'User query might have needed to see row versions that must be removed.',
	lock => 'User was holding a relation lock for too long.',
	pin => 'User was holding shared buffer pin for too long.',
	database => 'User was connected to a database that must be dropped.');

# Ways of the primary to get in conflict: what to do before and after the guest
# is started on the standby.
my %vacuum = (
	before => [ 'TRUNCATE bait; INSERT INTO bait SELECT generate_series(1, 10)' ],
	after => [ 'DELETE FROM bait', 'VACUUM bait' ]);
my %lock = (
	before => [],
	after => [ 'BEGIN; LOCK TABLE bait IN ACCESS EXCLUSIVE MODE; COMMIT' ]);
# rows of a transaction that was rolled back go without a conflict of snapshots
my %prune = (
	before => [ 'TRUNCATE bait; INSERT INTO bait VALUES (0)', 'BEGIN; INSERT INTO bait VALUES (1); ROLLBACK' ],
	after => [ 'VACUUM bait' ]);
my %drop = (
	before => [ 'CREATE DATABASE doomed TEMPLATE template_wasm' ],
	after => [ 'DROP DATABASE doomed' ]);

sub on_primary
{
	$primary->safe_psql('postgres', $_) for @_;
	caught_up($standby);
}

sub start_endless
{
	my ($session, $query) = @_;

	start_guest($standby, $session, $query);
}

# What is said of a guest that recovery has ended
my $ended = qr/^ERROR:  40001 (?:alive|FATAL:  40001)$/;

# What a session of the standby says that runs a query which recovery does not
# let go on: its errors with their severity, the detail, and whether it was
# "alive" at the end; with "fatal", psql has left by then.
#
# Recovery signals every 5 ms for as long as it is held up.  In version 15 a
# signal that comes between the error and the end of the transaction ends the
# session as well: then it is tried again, and on a server that is too slow for
# that to help, this is the answer.
sub conflict
{
	my ($conflict, $query, %params) = @_;
	my $start = $params{start} // \&start_endless;

	for my $tries_left (reverse 0 .. 9)
	{
		on_primary(@{ $conflict->{before} });
		my $session = session($standby, $params{dbname});
		$start->($session, $query);
		on_primary(@{ $conflict->{after} });

		$session->{stdout} = '';
		$session->{stdin} .= "ROLLBACK;\nSELECT 'alive', twice(4);\n\\q\n" unless $params{fatal};
		$session->{run}->finish;
		my @errors = $session->{stderr} =~ /((?:ERROR|FATAL):  \w{5})/g;
		next if "@errors" eq 'ERROR:  40001 FATAL:  40001' && $tries_left;
		my ($detail) = $session->{stderr} =~ /DETAIL:  ([^\n]*)/;
		push @errors, 'alive' if $session->{stdout} =~ /alive\|8/;
		return (join(' ', @errors), $detail);
	}
}

for my $case (
	[ 'a function', 'SELECT spin()' ],
	[ 'a start function', 'SELECT starting()' ],
	[ 'PL/pgSQL', 'SELECT nested()' ],
	[ 'a DO block', "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT; DO LANGUAGE wasm '$spin_module'" ],
	[ 'a scan of the table', 'SELECT spin_unless(n - 5) FROM bait' ])
{
	my ($what, $query) = @$case;
	my ($errors, $detail) = conflict(\%vacuum, $query);

	like($errors, $ended, "recovery ends $what");
	is($detail, $detail_of{snapshot}, "because of the snapshot of $what");
}

# An exception handler could swallow the error.
my ($errors, $detail) = conflict(\%vacuum, 'SELECT guarded()', fatal => 1);
is($errors, 'FATAL:  40001', 'recovery ends the session of a guest below an exception handler');
is($detail, $detail_of{snapshot}, 'because of the snapshot');

($errors, $detail) = conflict(\%lock, 'BEGIN; SELECT count(*) FROM bait; SELECT spin()');
like($errors, $ended, 'recovery ends a guest whose transaction has a lock');
is($detail, $detail_of{lock}, 'because of the lock');

# A scan keeps the page pinned that has the row.
($errors, $detail) = conflict(\%prune, 'SELECT spin_unless(n) FROM bait');
like($errors, $ended, 'recovery ends a guest that runs within a scan');
is($detail, $detail_of{pin}, 'because of the pinned page');

# A database that goes takes its sessions with it.
$primary->safe_psql('postgres', 'CREATE DATABASE template_wasm');
$primary->safe_psql('template_wasm', "CREATE EXTENSION wasm;
	CREATE FUNCTION spin() RETURNS void LANGUAGE wasm AS '$spin_module'");
for my $case ([ 'a function', 'SELECT spin()' ], [ 'a DO block', "DO LANGUAGE wasm '$spin_module'" ])
{
	my ($what, $query) = @$case;

	($errors, $detail) = conflict(\%drop, $query, dbname => 'doomed', fatal => 1);
	is($errors, 'FATAL:  57P04', "the drop of a database ends $what");
	is($detail, $detail_of{database}, "because of the database of $what");
}

# A session that waits for a compilation.
my $helper;
($errors, $detail) = conflict(\%vacuum, 'SELECT slow()', start => sub
{
	my ($session, $query) = @_;
	my $pid = ask($session, 'SELECT pg_backend_pid()');

	$session->{stderr} = '';
	$session->query_until(qr/started/, "\\echo started\n$query;\n");
	$standby->poll_query_until('postgres',
		"SELECT wait_event = 'Extension' FROM pg_stat_activity WHERE pid = $pid")
	  or die 'the module is not compiled';
	$helper = slurp_file("/proc/$pid/task/$pid/children") =~ s/\s//gr;
	slurp_file("/proc/$helper/cmdline") =~ /^wasm-compile\0/ or die 'there is no helper';
});
like($errors, $ended, 'recovery ends the wait for a compilation');
is($detail, $detail_of{snapshot}, 'because of the snapshot');
ok(!-e "/proc/$helper", 'the compilation has ended, too');

is(ask($session, 'SELECT twice(5)'), '10', 'other sessions go on');

# --- a cache that cannot be written ---

my $directory = $standby->data_dir . "/$cache";
my @before = cached($standby);

$primary->safe_psql('postgres', q{
	CREATE FUNCTION thrice(integer) RETURNS integer LANGUAGE wasm IMMUTABLE STRICT AS
		'(module (func (export "thrice") (param i32) (result i32)
			(i32.mul (local.get 0) (i32.const 3))))'});
caught_up($standby);
chmod 0500, $directory or die;
my $reader = session($standby);
is(ask($reader, 'SELECT twice(6)'), '12', 'a module of a read-only cache is used');
is($reader->{stderr}, '', 'without a word');
is(ask($reader, 'SELECT thrice(7)'), '21', 'a module that it lacks works, too');
like($reader->{stderr}, qr/WARNING:  42501: could not store a compiled WebAssembly module/,
	'with a warning');
is(ask($reader, q{SELECT wasm.reset(); SELECT thrice(8)}), "2\n24", 'and again');
is($reader->{stderr}, '', 'without one');
is(join(' ', cached($standby)), join(' ', @before), 'the cache is as it was');
chmod 0700, $directory or die;
is(compiled($second, 'SELECT thrice(9)'), 1, 'when it can be written, the next session to compile');
is(scalar(cached($standby)), @before + 1, 'stores the module');
$reader->quit;

# --- promotion ---

$primary->safe_psql('postgres', q{
	SELECT wasm.create_module('counter', convert_to('(module
		(global $n (mut i32) (i32.const 0))
		(func (export "next") (result i32)
			(global.set $n (i32.add (global.get $n) (i32.const 1)))
			(global.get $n)))', 'UTF8'));
	CREATE FUNCTION next() RETURNS integer LANGUAGE wasm AS 'counter'});
caught_up($standby);
is(ask($session, 'SELECT next(), next()'), '1|2', 'a session calls before the promotion');
$pid = start_guest($standby, $second, 'SELECT spin()');
$standby->promote;
is(ask($session, 'SELECT next()'), '3', 'it keeps its instance');
wait_for_guest($standby, $pid);
pass('a guest that runs goes on');
$standby->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
is(ask($second, "SELECT 'alive'"), 'alive', 'its session is alive after a cancel');
is(last_sqlstate($second), '57014', 'which has ended it');
is(ask($session, q{SELECT wasm.create_module('m', '(module (func (export "one") (result i32) (i32.const 1)))')}),
	'm()', 'the session makes a module');
is(ask($session, q{CREATE FUNCTION one() RETURNS integer LANGUAGE wasm AS 'm'; SELECT one()}),
	'1', 'and binds a function to it');
is(ask($session, 'INSERT INTO doubled VALUES (1000) RETURNING d'), '2000', 'a generated column is computed');
is(ask($session, 'SELECT next()'), '4', 'the instance is still the same');
$session->quit;
$second->quit;

# --- the old primary follows the new one ---

$primary->safe_psql('postgres', 'CREATE TABLE lost (n integer)');
$primary->stop;
$standby->safe_psql('postgres', 'CHECKPOINT');
my $configuration = slurp_file($primary->data_dir . '/postgresql.conf');
command_ok(
	[
		'pg_rewind', '--no-sync',
		'--target-pgdata' => $primary->data_dir,
		'--source-server' => $standby->connstr('postgres')
	],
	'pg_rewind');
is(join(' ', cached($primary)), join(' ', cached($standby)), 'the cache has become that of the source');

unlink $primary->data_dir . '/postgresql.conf';
$primary->append_conf('postgresql.conf', $configuration);
$primary->enable_streaming($standby);
$primary->set_standby_mode;
$primary->start;
$standby->wait_for_catchup('primary', 'replay');
my $rewound = session($primary);
is(compiled($rewound, 'SELECT one(), next(), twice(1)'), 0, 'and serves the old primary, now a standby');
is(ask($rewound, 'SELECT one(), next(), twice(21)'), '1|2|42', 'on which functions work');
$rewound->quit;
unlike(slurp_file($primary->logfile), qr/ is not used: /, 'no file of a cache was found wanting');

check_log($primary);
check_log($standby);
$primary->stop;
$standby->stop;

done_testing();
