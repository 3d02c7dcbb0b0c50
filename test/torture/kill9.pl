# A backend that is killed in the middle of a guest takes nothing with it but
# its transaction: the server recovers, what was committed is there, what was
# not is not, indexes agree, and no process is left over.

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

my $node = wasm_node('kill9',
	conf => "log_statement = none\nlog_min_error_statement = panic\nrestart_after_crash = on\n");
my $client = Client->new($node);

$client->ask(good_functions() . q{
	CREATE FUNCTION spin() RETURNS void LANGUAGE wasm AS
		'(module (func (export "spin") (loop $l (br $l))))';
	CREATE FUNCTION starting() RETURNS void LANGUAGE wasm AS
		'(module (func $s (loop $l (br $l))) (start $s) (func (export "starting")))';
	CREATE FUNCTION filling() RETURNS void LANGUAGE wasm AS
		'(module (memory 1000) (func (export "filling")
			(loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536000)) (br $l))))';
	-- many steps of work, not so much that the calls are hard to meet
	CREATE FUNCTION scramble(integer) RETURNS integer LANGUAGE wasm IMMUTABLE STRICT AS
		'(module (func (export "scramble") (param i32) (result i32) (local i32)
			(local.set 1 (i32.const 1000))
			(loop $l
				(local.set 0 (i32.add (i32.mul (local.get 0) (i32.const 1664525)) (i32.const 1013904223)))
				(br_if $l (local.tee 1 (i32.sub (local.get 1) (i32.const 1)))))
			(local.get 0)))';
	CREATE FUNCTION spin_unless(integer) RETURNS integer LANGUAGE wasm IMMUTABLE AS
		'(module (func (export "f") (param i32) (result i32)
			(loop $l (br_if $l (i32.eqz (local.get 0)))) (local.get 0)))';
	CREATE TABLE zero AS SELECT 0 AS n;
	CREATE TABLE rows (n integer PRIMARY KEY, who text);
	CREATE INDEX rows_scrambled ON rows (scramble(n));
	CREATE FUNCTION nested() RETURNS text LANGUAGE plpgsql AS '
	BEGIN
		INSERT INTO rows VALUES (-2, ''nested'');
		PERFORM spin();
		RETURN ''done'';
	EXCEPTION WHEN OTHERS THEN
		RETURN ''swallowed'';
	END';
});

# Where the backend is killed, in turn
my @victims = (
	[ 'a loop', 'SELECT spin()' ],
	[ 'a start function', 'SELECT starting()' ],
	[ 'PL/pgSQL', 'SELECT nested()' ],
	[ 'a loop that writes memory', 'SELECT filling()' ],
	[ 'an INSERT with an index that calls guests',
		q{INSERT INTO rows SELECT -n, 'many' FROM generate_series(10, 100000000) n} ],
	[ 'the build of an index', 'CREATE INDEX building ON zero (spin_unless(n))' ],
	[ 'a compilation', 'DO LANGUAGE wasm ' . bytea_literal(slow_module(1)) ]);
$client->ask(q{INSERT INTO rows VALUES (0, 'committed')});

my $postmaster = (split /\n/, slurp_file($node->data_dir . '/postmaster.pid'))[0];
my $offset = -s $node->logfile;
my $rounds = amount(scalar @victims, 100);
my $committed = 0;
my (@recoveries, %kinds);

for my $round (0 .. $rounds - 1)
{
	my ($where, $statement) = @{ $victims[ $round % @victims ] };
	my $victim = Client->new($node);
	my $other = Client->new($node);
	my $before = processor_ticks($victim->pid);
	my $helper;
	my @left;

	# rows committed and not, by three sessions, of which one is in a transaction
	for (1 .. 10)
	{
		$client->ask('INSERT INTO rows VALUES (' . ++$committed . q{, 'committed')});
	}
	$other->ask(q{BEGIN; INSERT INTO rows VALUES (-3, 'other'); UPDATE rows SET who = 'other' WHERE n > 0});
	$victim->ask(q{BEGIN; INSERT INTO rows VALUES (-1, 'victim')});
	$victim->send($statement);
	if ($where eq 'a compilation') { $helper = wait_for_compilation($victim->pid) }
	else { wait_for_work($victim->pid, $before) }
	select undef, undef, undef, rand 0.01;
	my @processes = ($helper // (), children($postmaster));

	my $killed = now();
	kill 'KILL', $victim->pid;
	push @left, 'the killed session answered' if $victim->result->{status};
	wait_until('the other session ends', sub { !$other->attempt('SELECT 1')->{status} });
	wait_until('the server is up again', sub { $client = Client->try($node); $client->{result}{status} });
	push @recoveries, now() - $killed;
	$kinds{$where}++;

	# the postmaster lives; those that were its children before do not
	for my $process (@processes)
	{
		wait_until("process $process ends", sub { process_gone($process) });
	}
	push @left, check_good($client, $round) || ();
	my $found = $client->ask(q{SELECT count(*), count(DISTINCT n), min(n), max(n) FROM rows WHERE who = 'committed'});
	push @left, "committed rows: $found" if $found ne join '|', ($committed + 1) x 2, 0, $committed;
	$found = $client->ask(q{SELECT count(*) FROM rows WHERE who <> 'committed'});
	push @left, "uncommitted rows: $found" if $found ne '0';
	$client->ask('SET enable_seqscan = off');
	$found = $client->ask("SELECT count(*) FROM generate_series(0, $committed) s JOIN rows ON scramble(rows.n) = scramble(s)");
	push @left, "rows by index: $found" if $found ne $committed + 1;
	$client->ask('RESET enable_seqscan');
	is(join(', ', @left), '', 'round ' . ($round + 1) . ": killed in $where");
}

like($client->ask('EXPLAIN SELECT n FROM rows WHERE scramble(n) = 1'), qr/rows_scrambled/, 'the index is used');
my $log = substr(slurp_file($node->logfile), $offset);
is(scalar(() = $log =~ /was terminated by signal 9/g), $rounds, 'as many processes were killed as should be');
unlike($log, qr/PANIC|TRAP:|terminated by signal (?!9:)/, 'no process ended otherwise');
figure('kill9.count', $rounds);
figure("kill9.in." . s/\W+/_/gr, $kinds{$_}) for sort keys %kinds;
figure('kill9.rows_committed', $committed);
figure_latencies('kill9.recovery', @recoveries);
$client->close;

$node->stop;
wait_until('the postmaster ends', sub { process_gone($postmaster) });
done_testing();
