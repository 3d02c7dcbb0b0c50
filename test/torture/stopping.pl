# What ends a statement or a session ends it wherever the guest is: in a loop,
# in a start function, while its module is compiled, and under PL/pgSQL that
# catches errors.  The client is told the right SQLSTATE, and nothing of the
# transaction stays.
#
# How long it takes, from the signal or the end of the timeout to the moment
# when the client has the error, is measured and reported, and no test: the
# machine may be busy.  On the standby it is the time from the command on the
# primary that conflicts, and includes that command and the replication.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../t";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Client;
use Torture;
use WasmTest;

my $rounds = 100;
my $node = wasm_node('stopping', allows_streaming => 1,
	conf => "log_statement = none\nlog_min_error_statement = panic\nautovacuum = off\n");
my $admin = Client->new($node);

$admin->ask(good_functions() . q{
	CREATE TABLE marks (who text);
	CREATE FUNCTION spin() RETURNS void LANGUAGE wasm AS
		'(module (func (export "spin") (loop $l (br $l))))';
	CREATE FUNCTION starting() RETURNS void LANGUAGE wasm AS
		'(module (func $s (loop $l (br $l))) (start $s) (func (export "starting")))';
	CREATE FUNCTION count_down(integer) RETURNS integer LANGUAGE wasm AS
		'(module (func (export "count_down") (param i32) (result i32)
			(loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get 0)))';

	-- catches what may be caught; a cancel may not
	CREATE FUNCTION guarded(command text) RETURNS text LANGUAGE plpgsql AS '
	BEGIN
		EXECUTE command;
		RETURN ''done'';
	EXCEPTION WHEN OTHERS THEN
		RETURN ''swallowed '' || SQLSTATE;
	END';
	CREATE FUNCTION guarded_writer(command text) RETURNS text LANGUAGE plpgsql AS '
	BEGIN
		INSERT INTO marks VALUES (''before'');
		EXECUTE command;
		RETURN ''done'';
	EXCEPTION WHEN OTHERS THEN
		INSERT INTO marks VALUES (''after'');
		RETURN ''swallowed '' || SQLSTATE;
	END';
});

my @places = ('loop', 'start', 'nested', 'compilation');

# No module twice, or it would be compiled already.
my $modules = 0;

# A statement that does not end of itself, or not soon; nested ones loop or
# start, in turn.
sub endless
{
	my ($place, $round, $guard) = @_;

	return 'SELECT spin()' if $place eq 'loop';
	return 'SELECT starting()' if $place eq 'start';
	return "DO LANGUAGE wasm " . bytea_literal(slow_module(++$modules)) if $place eq 'compilation';
	return "SELECT $guard('" . endless($round % 2 ? 'loop' : 'start') . "')";
}

# One that ends at once.
sub ending
{
	my ($place) = @_;

	return 'SELECT count_down(1000)' if $place eq 'loop';
	return q{DO LANGUAGE wasm '(module (func $s (local i32)
		(loop $l (br_if $l (i32.lt_s (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 1000)))))
		(start $s) (func (export "main")))'} if $place eq 'start';
	return "DO LANGUAGE wasm '(module (func (export \"main\") (drop (i32.const " . ++$modules . "))))'"
	  if $place eq 'compilation';
	return q{SELECT guarded('SELECT count_down(1000)')};
}

# Gives a session an endless statement and returns when it is at it.  The moment
# after that is left to chance.
sub set_to_work
{
	my ($client, $place, $statement) = @_;
	my $before = processor_ticks($client->pid);
	my $helper;

	$client->send($statement);
	if ($place eq 'compilation') { $helper = wait_for_compilation($client->pid) }
	else { wait_for_work($client->pid, $before) }
	select undef, undef, undef, rand 0.01;
	return $helper;
}

# What is wrong with the result of a stopped statement; nothing when all is as
# it should be.
sub wrong
{
	my ($result, $severity, $sqlstate) = @_;
	my $status = $severity eq 'FATAL' ? 'ended' : 'E';
	my $found = join ' ', $result->{severity}, $result->{sqlstate}, $result->{status} // 'ended';

	return $found eq "$severity $sqlstate $status" ? () : "'$found $result->{message}'";
}

# The same for a session that goes on: its transaction must have failed.
sub wrong_after
{
	my ($client) = @_;
	my $tags = $client->attempt('COMMIT')->{tags};

	return ($tags eq 'ROLLBACK' ? () : "COMMIT: '$tags'", check_good($client, 1) || ());
}

# The same on a standby.  Recovery repeats its signal every 5 ms while the
# transaction is being rolled back, and one that comes then ends the session.
sub wrong_after_conflict
{
	my ($client) = @_;
	my $result = $client->attempt('COMMIT');

	return wrong($result, 'FATAL', '40001') if $result->{sqlstate};
	return ($result->{tags} eq 'ROLLBACK' ? () : "COMMIT: '$result->{tags}'", check_good($client, 1) || ());
}

sub report
{
	my ($kind, $place, $wrong, $latencies, $admin) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	is(join(', ', @$wrong), '', "$kind in $place: $rounds times");
	is($admin->ask('SELECT count(*) FROM marks'), '0', "$kind in $place: nothing is committed");
	figure_latencies("stopping.$kind.$place", @$latencies);
}

# --- cancel and terminate ---

for my $place (@places)
{
	my (@wrong, @latencies);
	my $client = Client->new($node);

	for my $round (1 .. $rounds)
	{
		$client->ask("BEGIN; INSERT INTO marks VALUES ('cancel')");
		my $helper = set_to_work($client, $place, endless($place, $round, 'guarded_writer'));
		my $sent = now();
		kill 'INT', $client->pid;
		my $result = $client->result;

		push @latencies, $result->{at} - $sent;
		push @wrong, wrong($result, 'ERROR', '57014'), wrong_after($client);
		wait_until("helper $helper ends", sub { process_gone($helper) }) if $helper;
	}
	$client->close;
	report('cancel', $place, \@wrong, \@latencies, $admin);
}

for my $place (@places)
{
	my (@wrong, @latencies);

	for my $round (1 .. $rounds)
	{
		my $client = Client->new($node);
		my $pid = $client->pid;

		$client->ask("BEGIN; INSERT INTO marks VALUES ('terminate')");
		my $helper = set_to_work($client, $place, endless($place, $round, 'guarded_writer'));
		my $sent = now();
		kill 'TERM', $pid;
		my $result = $client->result;

		push @latencies, $result->{at} - $sent;
		push @wrong, wrong($result, 'FATAL', '57P01');
		for my $process ($pid, $helper // ())
		{
			wait_until("process $process ends", sub { process_gone($process) });
		}
	}
	report('terminate', $place, \@wrong, \@latencies, $admin);
}

# --- statement_timeout ---

for my $place (@places)
{
	my (@wrong, @latencies);
	my $client = Client->new($node);

	for my $round (1 .. $rounds)
	{
		my $timeout = 30 + int rand 30;

		$client->ask("BEGIN; INSERT INTO marks VALUES ('timeout'); SET LOCAL statement_timeout = $timeout");
		my $statement = endless($place, $round, 'guarded_writer');
		my $sent = now();
		my $result = $client->attempt($statement);

		push @latencies, $result->{at} - $sent - $timeout / 1000;
		push @wrong, wrong($result, 'ERROR', '57014'), wrong_after($client);
		wait_until("the helpers of $timeout ms end", sub { !children($client->pid) });
	}
	$client->close;
	report('statement_timeout', $place, \@wrong, \@latencies, $admin);
}

# --- idle sessions that have called a guest ---

# A cancel does nothing to them; the timeouts for idle sessions, in and out of a
# transaction in turn, end them.
for my $place (@places)
{
	my (@wrong, @latencies);

	for my $round (1 .. $rounds)
	{
		my $client = Client->new($node);
		my $timeout = 10 + int rand 20;
		my ($setting, $sqlstate) =
		  $round % 2
		  ? ("BEGIN; INSERT INTO marks VALUES ('idle'); SET idle_in_transaction_session_timeout = $timeout", '25P03')
		  : ("SET idle_session_timeout = $timeout", '57P05');

		$client->ask(ending($place));
		kill 'INT', $client->pid;
		push @wrong, check_good($client, 1) || ();
		my $idle = $client->attempt("$setting; " . ending($place));
		push @wrong, "'$idle->{sqlstate} $idle->{message}'" if $idle->{sqlstate};
		my $result = $client->result;

		push @latencies, $result->{at} - $idle->{at} - $timeout / 1000;
		push @wrong, wrong($result, 'FATAL', $sqlstate);
		wait_until('the session ends', sub { process_gone($client->pid) });
	}
	report('idle', $place, \@wrong, \@latencies, $admin);
}

# --- a standby whose queries stand in the way of recovery ---

$node->append_conf('postgresql.conf', "wal_writer_delay = 10s\n");
$node->reload;
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('stopping_standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf',
	"max_standby_streaming_delay = 0\nhot_standby_feedback = off\n");
$standby->start;

my $reader = Client->new($standby);
$admin->ask('CREATE TABLE vacuumed (n integer); CREATE TABLE ticks (n integer)');

# Waits until the standby has what the primary has committed.  Until then any
# query on the standby may meet a conflict, this one as well.
sub catch_up
{
	my $position = $admin->ask('SELECT pg_current_wal_flush_lsn()');

	wait_until("the standby is at $position",
		sub { $reader->attempt("SELECT pg_last_wal_replay_lsn() >= '$position'")->{rows} eq 't' });
}

# A table that is dropped, and rows that are removed, in turn
for my $place (@places)
{
	my (@wrong, @latencies);

	for my $round (1 .. $rounds)
	{
		my $drop = $round % 2;
		# the conflict cannot be solved within a subtransaction
		my $severity = $place eq 'nested' ? 'FATAL' : 'ERROR';
		my $client = Client->new($standby);

		$admin->ask('CREATE TABLE dropped (n integer); INSERT INTO vacuumed VALUES (1)');
		catch_up();
		$client->ask('BEGIN');
		$client->ask('SELECT count(*) FROM dropped') if $drop;
		my $helper = set_to_work($client, $place, endless($place, int($round / 2), 'guarded'));
		$admin->ask('DELETE FROM vacuumed');
		my $sent = now();
		$admin->ask($drop ? 'DROP TABLE dropped' : 'VACUUM vacuumed');
		# brings the records of VACUUM to the standby
		$admin->ask('INSERT INTO ticks VALUES (1)');
		my $result = $client->result;

		push @latencies, $result->{at} - $sent;
		catch_up();
		push @wrong, wrong($result, $severity, '40001');
		push @wrong, wrong_after_conflict($client) if $severity eq 'ERROR';
		wait_until("helper $helper ends", sub { process_gone($helper) }) if $helper;
		$client->close;
		$admin->ask('DROP TABLE IF EXISTS dropped; DELETE FROM ticks');
		catch_up();
	}
	report('standby', $place, \@wrong, \@latencies, $reader);
}
is(check_good($reader, 1), '', 'other sessions of the standby go on');

$_->close for $admin, $reader;
check_log($_) for $standby, $node;
$standby->stop;
$node->stop;
done_testing();
