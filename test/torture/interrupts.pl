# Guests that are interrupted at random instants, and at each of their
# instructions: no process crashes, no cancel is lost, no instance is used that
# was left in the middle of a call, and what is not to end a call changes nothing
# in it.
#
# The session interrupts itself, by the functions of interrupts.c, which follow
# each cancel up to its answer.  The guests are in interrupts.wat.
#
# PGW_SEED repeats the random numbers of another run; that makes the same
# statements, but where the timer strikes is never the same.  PGW_INTERRUPTION
# restricts the test to one setting of wasm.interruption.

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

my $library = $ENV{INTERRUPTS_LIBRARY} || die "run make interrupts, and this by tools/run-tests\n";
my $seed = $ENV{PGW_SEED} // int rand 2**31;
my $growth_kb = 2048;

# one statement interrupts many times
$PostgreSQL::Test::Utils::timeout_default *= amount(1, 10);

# How often each of the guests is interrupted
our $rounds = amount(60, 80_000);

# How many instructions of each call are stepped through, for all interrupts of it
my $steps = amount(20_000, 1_000_000);

my $node = wasm_node('interrupts', conf => "log_statement = none\nlog_min_messages = fatal\n"
	  . "log_min_error_statement = panic\nautovacuum = off\nfsync = off\njit = off\n");
my $admin = Client->new($node);

figure('interrupts.seed', $seed);

# --- guests ---

# A function that keeps very many values over a call of itself.
sub frames_module
{
	my ($name, $locals, $depth) = @_;
	my $declare = '(local' . ' i64' x $locals . ')';
	my $fill = join "\n", map {
		sprintf '(local.set %d (i64.add (i64.mul (local.get 1) (i64.const %d)) (local.get 1)))', $_ + 1, 2 * $_ + 1
	} 1 .. $locals;
	my $sum = join "\n", map {
		sprintf '(local.set 1 (i64.xor (i64.rotl (local.get 1) (i64.const 5)) (local.get %d)))', $_ + 1
	} 1 .. $locals;

	return qq{(module
		(global \$inside (mut i32) (i32.const 0))
		(func \$frame (param i32 i64) (result i64) $declare
			$fill
			(if (local.get 0)
				(then (local.set 1 (call \$frame (i32.sub (local.get 0) (i32.const 1)) (local.get 1)))))
			$sum
			(local.get 1))
		(func (export "$name") (param \$n i32) (result i64) (local \$i i64) (local \$h i64)
			(if (global.get \$inside)
				(then (drop (i32.trunc_f64_s (f64.const nan)))))
			(global.set \$inside (i32.const 1))
			(local.set \$i (i64.extend_i32_s (local.get \$n)))
			(loop \$l
				(local.set \$h (call \$frame (i32.const $depth) (i64.add (local.get \$h) (local.get \$i))))
				(br_if \$l (i64.ne (local.tee \$i (i64.sub (local.get \$i) (i64.const 1))) (i64.const 0))))
			(global.set \$inside (i32.const 0))
			(local.get \$h)))};
}

my $guests = slurp_file("$FindBin::Bin/interrupts.wat");
my $tail_calls = slurp_file("$FindBin::Bin/tail_calls.wat");
my $frames = frames_module('frames', 500, 3);
my $large_frames = frames_module('large_frames', 3000, 2);

$admin->ask(good_functions());
$admin->ask(qq{
	CREATE FUNCTION guests() RETURNS wasm.module LANGUAGE wasm AS \$wat\$$guests\$wat\$;
	SELECT wasm.create_functions('guests', 'g_');
	CREATE FUNCTION metered() RETURNS wasm.module LANGUAGE wasm AS \$wat\$$guests\$wat\$;
	ALTER FUNCTION metered() SET wasm.fuel = 1e15;
	SELECT wasm.create_functions('metered', 'm_');
	CREATE FUNCTION spare() RETURNS wasm.module LANGUAGE wasm AS \$wat\$$guests\$wat\$;
	ALTER FUNCTION spare() SET wasm.fuel = 20000;
	SELECT wasm.create_functions('spare', 's_');
	CREATE FUNCTION tail_calls(integer) RETURNS bigint LANGUAGE wasm AS \$wat\$$tail_calls\$wat\$;
	CREATE FUNCTION frames(integer) RETURNS bigint LANGUAGE wasm AS \$wat\$$frames\$wat\$;
	CREATE FUNCTION large_frames(integer) RETURNS bigint LANGUAGE wasm AS \$wat\$$large_frames\$wat\$;
});
$admin->ask(q{
	-- a start function that loops, and one that ends
	CREATE FUNCTION starting(integer) RETURNS bigint LANGUAGE wasm AS
		'(module (memory 1) (start $s)
			(func $s (loop $l
				(i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (i32.const 1))) (br $l)))
			(func (export "starting") (param i32) (result i64) (i64.const 0)))';
	CREATE FUNCTION started(integer) RETURNS bigint LANGUAGE wasm AS
		'(module (memory 1) (start $s)
			(func $s (local i64) (loop $l
				(i64.store (i32.const 8) (i64.add (i64.load (i32.const 8)) (local.get 0)))
				(br_if $l (i64.ne (local.tee 0 (i64.add (local.get 0) (i64.const 1))) (i64.const 20000)))))
			(func (export "started") (param i32) (result i64) (i64.load (i32.const 8))))';

	-- an order of integers
	CREATE FUNCTION orders() RETURNS wasm.module LANGUAGE wasm AS
		'(module
			(func (export "less") (param i32 i32) (result i32) (i32.lt_s (local.get 0) (local.get 1)))
			(func (export "less_equal") (param i32 i32) (result i32) (i32.le_s (local.get 0) (local.get 1)))
			(func (export "equal") (param i32 i32) (result i32) (i32.eq (local.get 0) (local.get 1)))
			(func (export "greater_equal") (param i32 i32) (result i32) (i32.ge_s (local.get 0) (local.get 1)))
			(func (export "greater") (param i32 i32) (result i32) (i32.gt_s (local.get 0) (local.get 1)))
			(func (export "compare") (param i32 i32) (result i32)
				(i32.sub (i32.gt_s (local.get 0) (local.get 1)) (i32.lt_s (local.get 0) (local.get 1)))))';
	CREATE FUNCTION compare(integer, integer) RETURNS integer IMMUTABLE STRICT LANGUAGE wasm AS 'orders#compare';
	DO $do$
	DECLARE
		name text;
		symbol text;
	BEGIN
		FOR name, symbol IN VALUES ('less', '<#'), ('less_equal', '<=#'), ('equal', '=#'),
				('greater_equal', '>=#'), ('greater', '>#') LOOP
			EXECUTE format('CREATE FUNCTION is_%s(integer, integer) RETURNS boolean IMMUTABLE STRICT
				LANGUAGE wasm AS ''orders#%s''', name, name);
			EXECUTE format('CREATE OPERATOR %s (LEFTARG = integer, RIGHTARG = integer, FUNCTION = is_%s)', symbol, name);
		END LOOP;
	END $do$;
	CREATE OPERATOR CLASS wasm_order FOR TYPE integer USING btree AS
		OPERATOR 1 <#, OPERATOR 2 <=#, OPERATOR 3 =#, OPERATOR 4 >=#, OPERATOR 5 >#,
		FUNCTION 1 compare(integer, integer);
	CREATE UNLOGGED TABLE indexed (n integer);
	CREATE INDEX ON indexed (n wasm_order);

	CREATE DOMAIN checked AS integer CHECK (g_tiny(VALUE) > VALUE AND g_globals(3) <> 0);
	CREATE FUNCTION add_up(bigint, bigint) RETURNS bigint LANGUAGE wasm AS
		'(module (func (export "add_up") (param i64 i64) (result i64) (i64.add (local.get 0) (local.get 1))))';
	CREATE AGGREGATE wasm_sum (bigint) (SFUNC = add_up, STYPE = bigint, INITCOND = 0);

	CREATE UNLOGGED TABLE triggered (n bigint);
	CREATE FUNCTION on_insert() RETURNS trigger LANGUAGE plpgsql AS $do$
	BEGIN
		NEW.n := g_integers(20) + (SELECT sum(g_tiny(n)) FROM generate_series(1, 20) n);
		RETURN NEW;
	END $do$;
	CREATE TRIGGER on_insert BEFORE INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION on_insert();

	CREATE FUNCTION divide_by_zero(integer) RETURNS bigint LANGUAGE plpgsql AS $do$
	BEGIN
		RETURN g_trap_division($1);
	EXCEPTION WHEN division_by_zero THEN
		RETURN 0;
	END $do$;
	-- guests in queries of functions, in queries
	CREATE FUNCTION nested(n integer) RETURNS bigint LANGUAGE plpgsql AS $do$
	DECLARE
		h bigint := 0;
	BEGIN
		WHILE n <> 0 LOOP
			h := h # (SELECT bit_xor(g_vectors(x)) FROM generate_series(1, 5) x WHERE divide_by_zero(x) = 0);
			h := h # (g_recursion(2) + divide_by_zero(100) + g_integers(30));
			n := n - 1;
		END LOOP;
		RETURN h;
	END $do$;
});
my $row = 'rounds bigint, raised bigint, in_guest bigint, cancels bigint, cancels_in_guest bigint, '
  . 'cancelled bigint, late bigint, ended bigint, failed bigint, lost bigint, wrong bigint, '
  . 'example text, p50 float8, p99 float8, longest float8';
my $outs = join ', ', map { "OUT $_" } split /, /, $row;
$admin->ask(qq{
	CREATE FUNCTION storm(statement text, argument integer, argument_spread integer,
		expected text, errors text, kinds text, delay integer, delay_spread integer,
		rounds integer, seed bigint, $outs) LANGUAGE c AS '$library';
	CREATE FUNCTION barriers(integer) RETURNS float8 LANGUAGE c STRICT AS '$library';
});
my $can_step = !$admin->attempt(qq{
	CREATE FUNCTION instructions(regprocedure, integer, text) RETURNS bigint LANGUAGE c STRICT AS '$library';
	CREATE FUNCTION step(function regprocedure, argument integer, expected text, errors text, kinds text,
		before text, first bigint, last bigint, rounds integer, seed bigint, $outs) LANGUAGE c AS '$library';
	CREATE FUNCTION step_through(function regprocedure, argument integer, expected text, kinds text,
		seed bigint, $outs) LANGUAGE c AS '$library';
})->{sqlstate};

# What is interrupted: the statement; an argument with which it does not end soon,
# 0 when there is none; one with which it takes some milliseconds; up to which one
# it takes about as long as the timer waits; the errors with which it may end; after
# how many µs the guest is at work; its share in the rounds.
my %quiet = (recursion => 100, bulk => 5000, growth => 2000);
my %share = (bulk => 0.1, growth => 0.1);
my @work = (
	(map { work("g_$_", $_, $quiet{$_} // 20_000, share => $share{$_} // 1) }
		  qw(integers branches floats recursion memory bulk growth indirect globals vectors arguments)),
	work('g_spin', 'spin', 0),
	work('g_deep', 'deep', 20_000),
	work('g_blocks', 'blocks', 10, race => 2, share => 0.02),
	work('tail_calls', 'tail_calls', 20_000),
	work('frames', 'frames', 500),
	work('large_frames', 'large_frames', 50),
	work('starting', 'start', 0),
	work('started', 'start_that_ends', 1, endless => 0, race => 1),
	work('m_integers', 'metered', 20_000),
	work('m_recursion', 'metered_recursion', 200),
	(map { work("g_trap_$_", "trap_$_", 0, endless => 0, race => 5000, errors => '38000 22012 54001') }
		  qw(unreachable division load store bulk indirect stack)),
	work('s_branches', 'fuel', 0, endless => 0, race => 10_000, errors => '54000'),
	{ name => 'wide', sql => q{SELECT (w).r1 # (w).r6 FROM g_wide($1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12) w},
		endless => -1, quiet => 20_000, race => 5000 },
	statement('tiny', 'sum(g_tiny(a + b))'),
	statement('domain', 'count((a + b)::checked)'),
	statement('aggregate', 'wasm_sum(a + b)'),
	statement('condition', 'count(*) FILTER (WHERE a <# b)'),
	{ name => 'sort', sql => q{SELECT sum(n) FROM (SELECT (m * n * 7919) % 10007 AS n
			FROM generate_series(1, 500) m, generate_series(1, $1) n ORDER BY 1 USING <# LIMIT 50) s},
		endless => 1000, delay => 250, quiet => 10, race => 2, share => 0.1 },
	{ name => 'index', sql => q{WITH i AS (INSERT INTO indexed SELECT (m * n * 7919) % 10007
			FROM generate_series(1, 50) m, generate_series(1, $1) n RETURNING n) SELECT sum(n) FROM i},
		endless => 1000, delay => 250, quiet => 6, race => 3, share => 0.05 },
	{ name => 'trigger', sql => q{WITH i AS (INSERT INTO triggered SELECT n
			FROM generate_series(1, 50) m, generate_series(1, $1) n RETURNING n) SELECT sum(n) FROM i},
		endless => 1000, delay => 250, quiet => 2, race => 2, share => 0.05 },
	{ name => 'nested', sql => 'SELECT nested($1)', endless => -1, quiet => 1, race => 2, share => 0.2 });

sub work
{
	my ($function, $name, $quiet, %params) = @_;

	return { name => $name, sql => "SELECT $function(\$1)", endless => -1, quiet => $quiet,
		race => int($quiet / 4), %params };
}

sub statement
{
	my ($name, $aggregate) = @_;

	return { name => $name,
		sql => "SELECT $aggregate FROM generate_series(1, \$1) a, generate_series(1, \$1) b",
		endless => 1000, delay => 250, quiet => 60, race => 8, share => 0.3 };
}

# --- what is done to them ---

my %total;
my @columns = map { (split ' ')[0] } split /, /, $row;

sub quoted
{
	my ($text) = @_;

	return defined $text ? "'" . $text =~ s/'/''/gr . "'" : 'NULL';
}

# The result of a run as a hash, added to the sums over all.
sub run
{
	my ($client, $mode, $call) = @_;
	my %result;

	@result{@columns} = split /\|/, $client->ask("SELECT * FROM $call"), -1;
	$total{$mode}{$_} += $result{$_}
	  for qw(raised in_guest cancels cancels_in_guest cancelled late ended failed lost wrong);
	return \%result;
}

sub storm
{
	my ($client, $mode, $work, %params) = @_;

	return run($client, $mode, sprintf q{storm(%s, %d, %d, %s, %s, '%s', %d, %d, %d, %d)},
		quoted($work->{sql}), $params{argument} // 0, $params{spread} // 0, quoted($params{expected}),
		quoted($work->{errors} // ''), $params{kinds},
		$params{delay} // 0, $params{delay_spread} // 0, $params{rounds}, int rand 2**31);
}

sub describe
{
	my ($result) = @_;

	return join ', ', map { "$_ $result->{$_}" } grep { $result->{$_} } @columns;
}

# Each round must have come to an end that it may have.
sub check
{
	my ($title, $result, @ends) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $sum = 0;

	$sum += $result->{$_} for @ends;
	is($sum, $result->{rounds}, "$title: " . join(' or ', @ends)) or diag(describe($result));
}

# One guest in one session
sub interrupt
{
	my ($client, $mode, $work) = @_;
	my $count = sub { my $n = int($rounds * ($work->{share} // 1) * $_[0]); $n < 5 ? 5 : $n };
	my $title = "$mode, $work->{name}";
	my $start = now();

	if ($work->{endless})
	{
		my $result = storm($client, $mode, $work, argument => $work->{endless}, kinds => 'c',
			delay => $work->{delay} // 40, delay_spread => 120, rounds => $count->(0.5));
		check("$title: a cancel in endless work", $result, 'cancelled');
		figure("interrupts.$mode.$work->{name}.$_", sprintf('%.3f', $result->{$_} / 1000), 'ms')
		  for qw(p50 p99 longest);

		$result = storm($client, $mode, $work, argument => $work->{endless}, kinds => 'auuuuuulc',
			delay => 0, delay_spread => 30, rounds => $count->(0.2));
		check("$title: a cancel among other signals", $result, 'cancelled');

		$result = storm($client, $mode, $work, argument => $work->{endless}, kinds => 't',
			rounds => $count->(0.02));
		check("$title: a timeout", $result, 'cancelled');
	}
	if ($work->{race})
	{
		my $result = storm($client, $mode, $work, spread => $work->{race}, kinds => 'c',
			delay => 0, delay_spread => 80, rounds => $count->(0.5));
		check("$title: a cancel that may come late", $result, qw(cancelled late ended failed));
	}
	if ($work->{quiet})
	{
		my $expected = $client->ask($work->{sql} =~ s/\$1/$work->{quiet}/gr);
		my $result = storm($client, $mode, $work, argument => $work->{quiet}, expected => $expected,
			kinds => 'auuul', delay => 5, delay_spread => 40, rounds => $count->(0.003));
		check("$title: signals that end nothing", $result, 'ended');
	}
	note(sprintf "%s: %.1f s, %d cancels struck guests so far", $title, now() - $start, $total{$mode}{cancels_in_guest});
}

# Every instruction of a call: those of the guest, and those that enter and leave
# it.  A cancel comes at one of them, other signals at all of one call.
sub step
{
	my ($client, $mode, $function, $argument, %params) = @_;
	my $warm = $params{cold} ? 'SELECT wasm.reset()'
	  : $params{errors} ? 'SELECT g_tiny(1)'
	  : "SELECT $function($argument)";
	my $name = "'$function(integer)', $argument";
	my $title = "$mode, each instruction of " . ($params{cold} ? 'the first ' : '') . "$function($argument)";
	my $expected = $params{errors} ? undef : $client->ask("SELECT $function($argument)");
	my $count = $params{errors} ? $params{instructions} : $client->ask("SELECT instructions($name, '$warm')");
	# on average half of the instructions are stepped through
	my $most = int(2 * $steps / $count) + 1;
	my $result = run($client, $mode, sprintf q{step(%s, %s, '%s', 'c', '%s', %d, %d, %d, %d)},
		$name, quoted($expected), $params{errors} // '', $warm, 1, $count,
		($count > $most ? $most : 0), int rand 2**31);

	check($title, $result, qw(cancelled late failed ended));
	# a call may take fewer instructions than the one that was counted, above all the first
	cmp_ok($result->{ended}, '<=', 2 + ($params{cold} ? 0.5 : 0.01) * $result->{rounds},
		"$title: the call was interrupted");
	figure("interrupts.$mode.step.$function.instructions", $count);
	figure("interrupts.$mode.step.$function.interrupts", $result->{raised});
	return if $params{errors} || $params{cold};

	# who polls writes the log in steps, too
	my $kinds = $mode eq 'signal' && $function ne 'tail_calls' ? 'aul' : 'au';
	$client->ask($warm);
	$result = run($client, $mode, sprintf q{step_through(%s, %s, '%s', %d)},
		$name, quoted($expected), $kinds, int rand 2**31);
	check("$title: signals that end nothing", $result, 'ended');
	cmp_ok($result->{raised}, '>', 2, "$title: they came");
}

# Statements that never end, not only late
my @endless = map { $_->{sql} =~ s/\$1/$_->{endless}/gr } grep { $_->{endless} < 0 } @work;

# New sessions, in each of which a signal comes for the first time
sub first_signals
{
	my ($mode, $signal, $severity, $sqlstate, $count) = @_;
	my @wrong;

	for my $n (1 .. $count)
	{
		my $client = Client->new($node);
		my $query = $endless[ rand @endless ];

		$client->ask("SET wasm.interruption = $mode") if $mode ne 'default';
		$client->ask('SELECT g_tiny(1)') if $n % 2;
		my $before = processor_ticks($client->pid);

		$client->send($query);
		wait_until('the session works', sub { processor_ticks($client->pid) > $before });
		select undef, undef, undef, rand 0.002;
		kill $signal, $client->pid;
		my $result = $client->result;

		push @wrong, "$query: $result->{severity} $result->{sqlstate} $result->{message}"
		  if "$result->{severity} $result->{sqlstate}" ne "$severity $sqlstate";
		push @wrong, check_good($client, $n) || () if $severity eq 'ERROR';
		if ($severity eq 'FATAL') { wait_until('the session ends', sub { process_gone($client->pid) }) }
		else { $client->close }
	}
	is(join("\n", @wrong), '', "$mode, $count new sessions: SIG$signal, the first one, in a guest");
}

# All processes have to absorb a barrier before whoever has set it goes on.
sub barriers
{
	my ($client, $mode, $count) = @_;
	my $other = Client->new($node);
	my @guests = grep { $_->{endless} < 0 } @work;
	my $longest = 0;

	for my $work (@guests)
	{
		my $before = processor_ticks($client->pid);

		$client->send($work->{sql} =~ s/\$1/$work->{endless}/gr);
		wait_for_work($client->pid, $before);
		my $took = $other->ask("SELECT barriers($count)");

		$longest = $took if $took > $longest;
		kill 'INT', $client->pid;
		my $result = $client->result;
		is("$result->{severity} $result->{sqlstate}", 'ERROR 57014',
			"$mode, $work->{name}: $count barriers were absorbed and did not end it");
	}
	figure("interrupts.$mode.barriers", $count * @guests);
	figure("interrupts.$mode.barriers.longest", sprintf('%.2f', $longest), 'ms');
	$other->close;
}

# --- each way to interrupt ---

$admin->ask("SELECT good(1)");
my $choice = $admin->ask(q{SELECT count(*) FROM pg_settings WHERE name = 'wasm.interruption'});
my @modes = $choice ? qw(signal epoch) : qw(default);
@modes = $ENV{PGW_INTERRUPTION} if $choice && $ENV{PGW_INTERRUPTION};

for my $mode (@modes)
{
	my $client = Client->new($node);
	my $pid = $client->pid;

	srand($seed);
	$client->ask("SET wasm.interruption = $mode") if $choice;

	# all, once, to know how much memory that takes
	{
		local $rounds = 60;
		interrupt($client, $mode, $_) for @work;
	}
	my $memory = memory_kb($pid);
	my $start = now();

	{
		# the older way has fewer, but still very many
		local $rounds = $mode eq 'epoch' ? amount(60, $rounds / 10) : $rounds;
		interrupt($client, $mode, $_) for @work;
	}
	my $growth = memory_kb($pid) - $memory;

	cmp_ok($growth, '<=', $growth_kb, "$mode: memory stays");
	figure("interrupts.$mode.memory_growth", $growth, 'kB');
	figure("interrupts.$mode.seconds", sprintf '%.0f', now() - $start);
	if ($can_step)
	{
		step($client, $mode, @$_)
		  for [ 'g_tiny', 1 ], [ 'g_integers', 3 ], [ 'g_indirect', 3 ], [ 'g_vectors', 3 ], [ 'g_arguments', 2 ],
		  [ 'tail_calls', 3 ], [ 'm_integers', 3 ], [ 'g_integers', 2, cold => 1 ],
		  [ 'g_trap_unreachable', 3, errors => '38000', instructions => 1200 ],
		  [ 'g_trap_division', 3, errors => '22012', instructions => 1200 ],
		  [ 'g_trap_load', 3, errors => '38000', instructions => 1200 ],
		  [ 'g_trap_bulk', 3, errors => '38000', instructions => 1200 ];
		# thousands of instructions
		step($client, $mode, @$_)
		  for full() ? ([ 'g_recursion', 1 ], [ 'g_bulk', 2 ], [ 'g_growth', 2 ], [ 'frames', 1 ], [ 'large_frames', 1 ])
		  : ();
	}
	barriers($client, $mode, amount(5, 500));
	is($client->ask('SELECT pg_backend_pid()'), $pid, "$mode: the session has lived through it");
	is(process_status($pid, 'Threads'), '1', "$mode: it has one thread");
	$client->close;

	first_signals($mode, 'INT', 'ERROR', '57014', amount(5, 500));
	first_signals($mode, 'TERM', 'FATAL', '57P01', amount(5, 500));

	my %sum = %{ $total{$mode} };
	is($sum{lost}, 0, "$mode: no cancel was lost");
	is($sum{wrong}, 0, "$mode: nothing was wrong");
	figure("interrupts.$mode.$_", $sum{$_}) for sort keys %sum;
	if (full() && $mode ne 'epoch')
	{
		cmp_ok($sum{cancels}, '>=', 1_000_000, "$mode: a million cancels");
		cmp_ok($sum{in_guest}, '>=', 1_000_000, "$mode: a million signals struck guests");
	}
}

$admin->close;
check_log($node);
$node->stop;
done_testing();
