
# Two shards and a coordinator, by postgres_fdw: what makes a function run on
# the shards, where the rows are, rather than on the coordinator.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use WasmTest;

my $rows = 1000;    # on both shards together
my @shards = map { wasm_node("shard_$_", conf => "track_functions = all\n") } 0, 1;
my $coordinator = PostgreSQL::Test::Cluster->new('coordinator');
$coordinator->init;
$coordinator->append_conf('postgresql.conf', "track_functions = all\nenable_partitionwise_aggregate = on\n");
$coordinator->start;

# Each shard has the module and the function, and a view that calls it.
for my $shard (@shards)
{
	$shard->safe_psql('postgres', q{
		CREATE EXTENSION scoring;
		CREATE TABLE events (id integer PRIMARY KEY, n integer);
		CREATE VIEW scored_events AS SELECT id, n, score(n) AS score FROM events;
		CREATE TABLE kept_events (id integer PRIMARY KEY, n integer,
			score integer GENERATED ALWAYS AS (score(n)) STORED);
	});
}

# The coordinator has partitioned tables whose partitions are on the shards.
sub create_partitions
{
	my ($table, $columns) = @_;

	$coordinator->safe_psql('postgres', "CREATE TABLE $table ($columns) PARTITION BY HASH (id)");
	$coordinator->safe_psql('postgres', "CREATE FOREIGN TABLE ${table}_$_ PARTITION OF $table
		FOR VALUES WITH (MODULUS 2, REMAINDER $_) SERVER shard_$_ OPTIONS (table_name '$table')")
	  for 0 .. $#shards;
}

$coordinator->safe_psql('postgres', 'CREATE EXTENSION postgres_fdw');
for my $i (0 .. $#shards)
{
	my ($host, $port) = ($shards[$i]->host, $shards[$i]->port);

	$coordinator->safe_psql('postgres', "
		CREATE SERVER shard_$i FOREIGN DATA WRAPPER postgres_fdw
			OPTIONS (host '$host', port '$port', dbname 'postgres', async_capable 'true');
		CREATE USER MAPPING FOR CURRENT_USER SERVER shard_$i");
}
create_partitions('events', 'id integer NOT NULL, n integer');
create_partitions('scored_events', 'id integer NOT NULL, n integer, score integer');
create_partitions('kept_events', 'id integer NOT NULL, n integer, score integer');

sub remote_sql
{
	my ($query) = @_;
	my $plan = $coordinator->safe_psql('postgres', "EXPLAIN (VERBOSE, COSTS OFF) $query");

	return join "\n", $plan =~ /Remote SQL: (.*)/g;
}

# How often the function has been called on a node since it was asked last.
sub calls_of
{
	my ($node) = @_;

	return $node->safe_psql('postgres', q{
		SELECT coalesce(sum(calls), 0) FROM pg_stat_user_functions WHERE funcname = 'score';
		SELECT pg_stat_reset()}) =~ s/\s//gr;
}

# Waits until the shards have that many calls together, each of them for the
# rows that it has.  A session reports them when it ends.
sub shards_called
{
	my ($times, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	for my $shard (@shards)
	{
		my $expected = $times * $shard->safe_psql('postgres', 'SELECT count(*) FROM events');

		ok( $shard->poll_query_until('postgres', "SELECT sum(calls) = $expected
			FROM pg_stat_user_functions WHERE funcname = 'score'"),
			"$what on " . $shard->name);
		calls_of($shard);
	}
}

# --- rows are distributed ---

$coordinator->safe_psql('postgres',
	"INSERT INTO events SELECT i, i * 7 FROM generate_series(1, $rows) i");
my @counts = map { $_->safe_psql('postgres', 'SELECT count(*) FROM events') } @shards;
is($counts[0] + $counts[1], $rows, 'the rows are on the shards');
cmp_ok($counts[0], '>', $rows / 4, 'many of them on the first');
cmp_ok($counts[1], '>', $rows / 4, 'many of them on the second');
is($coordinator->safe_psql('postgres', "SELECT count(*) FROM pg_extension WHERE extname = 'wasm'"),
	'0', 'the coordinator does not even have the extension');

# --- a view on each shard ---

my $expected = grep { ($_ * 7) ** 2 % 100 > 50 } 1 .. $rows;
my $query = 'SELECT count(*) FROM scored_events WHERE score > 50';

is( remote_sql($query), join("\n", ('SELECT NULL FROM public.scored_events WHERE ((score > 50))') x 2),
	'a condition on a view of the shard is sent to it');
is($coordinator->safe_psql('postgres', $query), $expected, 'the count is right');
shards_called(1, 'a view calls the function once for each row');
is( $coordinator->safe_psql('postgres', 'SELECT score FROM scored_events WHERE id = 12'),
	84 ** 2 % 100, 'a row of the view has its score');

# --- a generated column on each shard ---

calls_of($_) for @shards;
for my $shard (@shards)
{
	$shard->safe_psql('postgres', 'INSERT INTO kept_events (id, n) SELECT id, n FROM events');
}
shards_called(1, 'a generated column calls the function once for each row');
$query = 'SELECT count(*) FROM kept_events WHERE score > 50';
is($coordinator->safe_psql('postgres', $query), $expected, 'a generated column gives the same count');
is(calls_of($_), '0', 'and no call on ' . $_->name) for @shards;

# --- the function in the coordinator's query ---

$coordinator->safe_psql('postgres', q{
	CREATE EXTENSION wasm;
	SELECT wasm.create_module('scoring', convert_to('(module
		(func (export "score") (param $n i32) (result i32)
			(i32.rem_u (i32.mul (local.get $n) (local.get $n)) (i32.const 100))))', 'UTF8'));
	CREATE FUNCTION score(integer) RETURNS integer
		LANGUAGE wasm IMMUTABLE STRICT PARALLEL SAFE AS 'scoring';
});
$query = 'SELECT count(*) FROM events WHERE score(n) > 50';
is(remote_sql($query), join("\n", ('SELECT n FROM public.events') x 2),
	'a function of one\'s own is not sent to the shard');
is($coordinator->safe_psql('postgres', $query), $expected, 'the count is right');
ok( $coordinator->poll_query_until('postgres', "SELECT sum(calls) = $rows
	FROM pg_stat_user_functions WHERE funcname = 'score'"),
	'the function has run on the coordinator');
is(calls_of($_), '0', 'and not on ' . $_->name) for @shards;
$coordinator->safe_psql('postgres',
	"ALTER SERVER shard_$_ OPTIONS (ADD extensions 'wasm')") for 0 .. $#shards;
is(remote_sql($query), join("\n", ('SELECT n FROM public.events') x 2),
	'nor is it when the servers have the option "extensions" with wasm');

$coordinator->safe_psql('postgres', 'DROP FUNCTION scoring() CASCADE; CREATE EXTENSION scoring');
$coordinator->safe_psql('postgres',
	"ALTER SERVER shard_$_ OPTIONS (SET extensions 'scoring')") for 0 .. $#shards;
is( remote_sql($query),
	join("\n", ('SELECT NULL FROM public.events WHERE ((public.score(n) > 50))') x 2),
	'a function of an extension that the option names is sent to the shard');
is($coordinator->safe_psql('postgres', $query), $expected, 'the count is right');
shards_called(1, 'the function is called once for each row');
is(remote_sql('SELECT sum(score(n)) FROM events_0'), 'SELECT sum(public.score(n)) FROM public.events',
	'so is an aggregate over one shard');
is( remote_sql('SELECT id, sum(score(n)) FROM events GROUP BY id'),
	join("\n", ('SELECT id, sum(public.score(n)) FROM public.events GROUP BY 1') x 2),
	'and one by groups that are not shared by shards');
is(remote_sql('SELECT sum(score(n)) FROM events'), join("\n", ('SELECT n FROM public.events') x 2),
	'an aggregate over all of them is computed on the coordinator');
is(remote_sql('SELECT score(n) FROM events'), join("\n", ('SELECT n FROM public.events') x 2),
	'so is a result');

# --- the same module everywhere ---

$coordinator->safe_psql('postgres', "CREATE SCHEMA on_shard_$_;
	IMPORT FOREIGN SCHEMA wasm LIMIT TO (instances) FROM SERVER shard_$_ INTO on_shard_$_")
  for 0 .. $#shards;
my $modules = q{
	SELECT count(*), count(DISTINCT id)
	FROM (TABLE on_shard_0.instances UNION ALL TABLE on_shard_1.instances UNION ALL TABLE wasm.instances) i};
is($coordinator->safe_psql('postgres', $modules), '3|1', 'the three databases have the same module');

my $session = session($coordinator);
is(ask($session, 'SELECT max(score) FROM scored_events'), '96', 'a session has connections to the shards');
$shards[1]->safe_psql('postgres', q{
	CREATE OR REPLACE FUNCTION scoring() RETURNS wasm.module LANGUAGE wasm AS
		'(module (func (export "score") (param i32) (result i32) (i32.const 1000)))'});
is($coordinator->safe_psql('postgres', $modules), '3|2', 'a module that differs shows');
is(ask($session, 'SELECT max(score) FROM scored_events'), '1000', 'and has effect in open connections');

# --- errors and interrupts ---

$shards[1]->safe_psql('postgres', q{
	CREATE OR REPLACE FUNCTION scoring() RETURNS wasm.module LANGUAGE wasm AS
		'(module (func (export "score") (param i32) (result i32)
			(i32.div_s (i32.const 1) (i32.const 0))))'});
is( message($session, 'SELECT max(score) FROM scored_events'),
	'22012: WebAssembly trap: integer division by zero', 'a trap on a shard is an error of the query');

$_->safe_psql('postgres', q{
	CREATE OR REPLACE FUNCTION scoring() RETURNS wasm.module LANGUAGE wasm AS
		'(module (func (export "score") (param i32) (result i32) (loop $l (br $l)) unreachable))'})
  for @shards;
my $in_guest = q{FROM pg_stat_activity WHERE application_name = 'postgres_fdw' AND state = 'active'};
my $pid = ask($session, 'SELECT pg_backend_pid()');
$session->{stderr} = '';
$session->query_until(qr/started/, "\\echo started\nSELECT score FROM scored_events;\n");
for my $shard (@shards)
{
	ok($shard->poll_query_until('postgres', "SELECT count(*) = 1 $in_guest"),
		'a query runs on ' . $shard->name);
	wait_for_guest($shard, $shard->safe_psql('postgres', "SELECT pid $in_guest"));
}
$coordinator->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
is(ask($session, "SELECT 'alive'"), 'alive', 'the session is alive after a cancel');
is(last_sqlstate($session), '57014', 'which has ended the query');
is($_->safe_psql('postgres', "SELECT count(*) $in_guest"), '0', 'and the guest on ' . $_->name) for @shards;
$session->quit;

check_log($_) for @shards, $coordinator;
$_->stop for @shards, $coordinator;

done_testing();
