
# A guest that loops is stopped by a cancel, a timeout, termination and the loss
# of the client, wherever it was called from; interrupts that stop nothing
# reach it as well, and no signal is lost.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use WasmTest;

my $node = wasm_node('interrupt');
my $spin_module = '(module (func (export "main") (loop $l (br $l))))';

my $functions = qq{
	CREATE FUNCTION spin() RETURNS void LANGUAGE wasm AS '$spin_module';
	-- no loop, but calls without end
	CREATE FUNCTION tail() RETURNS void LANGUAGE wasm AS
		'(module (func \$f (export "tail") (return_call \$f)))';
	CREATE FUNCTION starting() RETURNS integer LANGUAGE wasm AS
		'(module (func \$s (loop \$l (br \$l))) (start \$s)
			(func (export "starting") (result i32) (i32.const 1)))';
	CREATE FUNCTION spin_unless(integer) RETURNS integer LANGUAGE wasm AS
		'(module (func (export "spin_unless") (param i32) (result i32)
			(loop \$l (br_if \$l (i32.eqz (local.get 0)))) (local.get 0)))';
	-- an hour, in a function of the host
	CREATE FUNCTION sleeping() RETURNS integer LANGUAGE wasm AS
		'(module (import "wasi_snapshot_preview1" "poll_oneoff" (func \$poll (param i32 i32 i32 i32) (result i32)))
			(memory (export "memory") 1)
			(func (export "sleeping") (result i32)
				(i32.store (i32.const 16) (i32.const 1))
				(i64.store (i32.const 24) (i64.const 3600000000000))
				(call \$poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128))))';
	-- writes a line without an end
	CREATE FUNCTION unfinished() RETURNS void LANGUAGE wasm AS
		'(module (import "wasi_snapshot_preview1" "fd_write" (func \$write (param i32 i32 i32 i32) (result i32)))
			(memory (export "memory") 1) (data (i32.const 0) "\\08\\00\\00\\00\\0a\\00\\00\\00unfinished")
			(func (export "unfinished")
				(drop (call \$write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32)))))';
	CREATE FUNCTION guarded(call text DEFAULT 'spin()') RETURNS text LANGUAGE plpgsql AS '
	BEGIN
		EXECUTE ''SELECT '' || call;
		RETURN ''ended'';
	EXCEPTION WHEN OTHERS THEN
		RETURN ''swallowed '' || SQLSTATE;
	END';
	CREATE FUNCTION caught() RETURNS text LANGUAGE plpgsql AS '
	BEGIN
		PERFORM spin();
		RETURN ''ended'';
	EXCEPTION WHEN query_canceled THEN
		RETURN ''caught '' || spin_unless(7);
	END';
};
$node->safe_psql('postgres', $functions);

sub cancel
{
	my ($pid) = @_;

	$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
}

# --- cancel ---

my $session = session($node);

for my $case (
	[ 'a function', 'SELECT spin()' ],
	[ 'endless tail calls', 'SELECT tail()' ],
	[ 'a start function', 'SELECT starting()' ],
	[ 'a DO block', "DO LANGUAGE wasm '$spin_module'" ],
	[ 'a start function of a DO block',
		q{DO LANGUAGE wasm '(module (func $s (loop $l (br $l))) (start $s) (func (export "main")))'} ],
	[ 'PL/pgSQL with EXCEPTION WHEN OTHERS', 'SELECT guarded()' ],
	[ 'a cursor', 'BEGIN; DECLARE c CURSOR FOR SELECT spin(); FETCH c' ],
	[ 'a sort', 'SELECT n FROM generate_series(1, 5) n ORDER BY spin_unless(n - 3)' ])
{
	my ($what, $query) = @$case;

	cancel(start_guest($node, $session, $query));
	is(ask_after($session), 'alive', "a session is alive after a cancel of $what");
	is(last_sqlstate($session), '57014', "a cancel ends $what");
	ask($session, 'ROLLBACK');
}

# What a session says when its endless query has ended; keeps its messages.
sub ask_after
{
	my ($session) = @_;

	return scalar $session->query("ROLLBACK;\nSELECT 'alive'") =~ s/.*\n//sr;
}

# Twice at once, and with another outcome.
cancel(start_guest($node, $session, 'SELECT spin_unless(0)'));
ask_after($session);
is(last_sqlstate($session), '57014', 'a guest is cancelled');
is(ask($session, 'SELECT spin_unless(5)'), '5', 'the function can be called at once');
cancel(start_guest($node, $session, 'SELECT spin_unless(0)'));
ask_after($session);
is(last_sqlstate($session), '57014', 'it can be cancelled again');
is(ask($session, 'SELECT spin_unless(6)'), '6', 'and be called again');

# PL/pgSQL that asks for it may catch a cancel, within one statement.
cancel(start_guest($node, $session, 'SELECT caught()'));
is($session->query('SELECT 1'), "caught 7\n1", 'a handler of query_canceled calls a guest');
is(last_sqlstate($session), '', 'nothing else is reported');

# --- timeouts ---

for my $query ('SELECT spin()', 'SELECT starting()', "DO LANGUAGE wasm '$spin_module'", 'SELECT guarded()')
{
	ask($session, "SET statement_timeout = '100ms'");
	like(message($session, $query), qr/^57014: canceling statement due to statement timeout/,
		"statement_timeout ends $query");
}
is(ask($session, 'SELECT spin_unless(8)'), '8', 'a call that ends goes on under a timeout');
is(message($session, 'BEGIN; SELECT spin()'), '57014: canceling statement due to statement timeout',
	'statement_timeout ends a guest in a transaction');
is(sqlstate($session, 'SELECT 1'), '25P02', 'the transaction is aborted');
ask($session, 'ROLLBACK; RESET statement_timeout');

# --- interrupts that stop nothing ---

my $pid = start_guest($node, $session, 'SELECT spin()');
for my $round (1 .. 3)
{
	my $offset = -s $node->logfile;

	is($node->safe_psql('postgres', "SELECT pg_log_backend_memory_contexts($pid)"), 't',
		"memory contexts are asked for, round $round");
	ok($node->wait_for_log(qr/\[$pid\].*logging memory contexts of PID $pid/, $offset),
		"a running guest logs them, round $round");
	wait_for_guest($node, $pid);
}
$node->reload;
wait_for_guest($node, $pid);
pass('the guest goes on after them and after a reload');
cancel($pid);
is(ask_after($session), 'alive', 'the session is alive after a cancel');
is(last_sqlstate($session), '57014', 'the guest can still be cancelled');

# A barrier that all processes have to serve: DROP DATABASE waits for it.
$pid = start_guest($node, $session, 'SELECT spin()');
$node->safe_psql('postgres', 'CREATE DATABASE passing');
is($node->psql('postgres', 'DROP DATABASE passing', timeout => 60), 0,
	'a running guest does not hold up DROP DATABASE');
cancel($pid);
is(ask_after($session), 'alive', 'the session is alive after it');
is(last_sqlstate($session), '57014', 'the guest was running until then');

# --- many signals ---

$pid = start_guest($node, $session, 'SELECT spin()');
for (1 .. 500)
{
	kill 'USR1', $pid;
	kill 'ALRM', $pid;
}
wait_for_guest($node, $pid);
cancel($pid);
is(ask_after($session), 'alive', 'the session is alive after a storm of signals');
is(last_sqlstate($session), '57014', 'the guest can be cancelled after it');

# A cancel may come at any moment, also between guests.
$node->safe_psql('postgres', q{
	CREATE FUNCTION step(integer) RETURNS integer LANGUAGE wasm AS
		'(module (func (export "step") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))'});
for my $round (1 .. 5)
{
	cancel(start_guest($node, $session,
		'SELECT count(step(n)) FROM generate_series(1, 1000000000) n'));
	is(ask_after($session), 'alive', "the session is alive after a cancel between calls, round $round");
	is(last_sqlstate($session), '57014', "many short calls are cancelled, round $round");
	is(ask($session, 'SELECT step(1)'), '2', "the function works after it, round $round");
}

# --- termination ---

# What psql reports when its session was ended.
sub end_of
{
	my ($session) = @_;

	$session->{run}->finish;
	return last_sqlstate($session);
}

for my $query ('SELECT spin()', 'SELECT starting()', 'SELECT guarded()', "DO LANGUAGE wasm '$spin_module'")
{
	my $victim = session($node);

	$pid = start_guest($node, $victim, $query);
	is($node->safe_psql('postgres', "SELECT pg_terminate_backend($pid, 60000)"), 't',
		"pg_terminate_backend ends $query");
	is(end_of($victim), '57P01', "its client is told so");
}
is(ask($session, 'SELECT spin_unless(3)'), '3', 'other sessions go on');

# --- a guest that sleeps in a function of the host ---

sub start_sleeper
{
	my ($session, $query) = @_;
	my $pid = ask($session, 'SELECT pg_backend_pid()');

	$session->{stderr} = '';
	$session->query_until(qr/started/, "\\echo started\n$query;\n");
	$node->poll_query_until('postgres',
		"SELECT wait_event = 'Extension' AND state = 'active' FROM pg_stat_activity WHERE pid = $pid")
	  or die 'the guest does not sleep';
	return $pid;
}

for my $query ('SELECT sleeping()', "SELECT guarded('sleeping()')")
{
	cancel(start_sleeper($session, $query));
	is(ask_after($session), 'alive', "a session is alive after a cancel of $query");
	is(last_sqlstate($session), '57014', "a cancel ends $query");

	my $victim = session($node);
	$pid = start_sleeper($victim, $query);
	is($node->safe_psql('postgres', "SELECT pg_terminate_backend($pid, 60000)"), 't',
		"pg_terminate_backend ends $query");
	is(end_of($victim), '57P01', "its client is told so");
}
ask($session, "SET statement_timeout = '100ms'");
like(message($session, 'SELECT sleeping()'), qr/^57014: canceling statement due to statement timeout/,
	'statement_timeout ends a sleep');
ask($session, 'RESET statement_timeout');

# What a guest has written last comes even if its transaction fails.
ask($session, 'SET wasm.output_level = notice; BEGIN; SELECT unfinished()');
unlike($session->{stderr}, qr/unfinished/, 'a line without an end is kept');
is(sqlstate($session, 'SELECT 1 / 0'), '22012', 'the transaction fails');
like($session->{stderr}, qr/NOTICE: .*unfinished/, 'the line comes then');
ask($session, 'ROLLBACK');
$session->quit;

# A client that is gone, when the server looks for that.
my $lost = session($node);
ask($lost, "SET client_connection_check_interval = '50ms'");
$pid = start_guest($node, $lost, 'SELECT spin()');
$lost->{run}->kill_kill;
ok($node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid"),
	'a guest whose client has gone is ended');

# A fast shutdown does not wait for a guest.
my $last = session($node);
start_guest($node, $last, 'SELECT spin()');
$node->stop('fast');
is(end_of($last), '57P01', 'a fast shutdown ends a running guest');
$node->start;

# --- a signal that comes after the deadline callback's check ---

SKIP:
{
	my $library = $ENV{LATE_SIGNAL_LIBRARY};

	skip 'the library that raises a late signal is not built (make late-signal)', 7
	  unless $library && -f $library;

	$node->safe_psql('postgres', 'CREATE DATABASE late TEMPLATE template0');
	$node->safe_psql('postgres', 'ALTER DATABASE late SET wasm.interruption = epoch');
	$node->safe_psql('late', "CREATE EXTENSION wasm; $functions");
	$node->safe_psql('late',
		"UPDATE pg_proc SET probin = '$library' WHERE probin = '\$libdir/wasm'");

	my $late = session($node, 'late');
	$pid = start_guest($node, $late, 'SELECT spin()');
	like(slurp_file("/proc/$pid/maps"), qr/\Q$library\E/, 'the test library is in use');

	# The callback runs for this, and the library raises SIGINT then.
	$node->safe_psql('late', "SELECT pg_log_backend_memory_contexts($pid)");
	my $raised = time;
	is(ask_after($late), 'alive', 'a signal that is raised in the callback ends the guest');
	is(last_sqlstate($late), '57014', 'it is a cancel');
	# the server sends its sessions a signal now and then, which would do it, too
	cmp_ok(time - $raised, '<=', 5, 'that comes at once, not with the next signal');
	$node->wait_for_log(qr/logging memory contexts of PID $pid/);
	is(ask($late, 'SELECT spin_unless(4)'), '4', 'the session calls functions after it');

	$pid = start_guest($node, $late, 'SELECT spin()');
	cancel($pid);
	is(ask_after($late), 'alive', 'the session is alive after an ordinary cancel');
	is(last_sqlstate($late), '57014', 'which ended the guest');
	$late->quit;
}

check_log($node);
$node->stop;

done_testing();
