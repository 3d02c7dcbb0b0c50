# A trap of each kind, again and again in one session, a call after each that
# works: the session's memory and file descriptors stay as they are.

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

my $rounds = amount(300, 10_000);
my $growth_kb = 1024;
my $node = wasm_node('traps',
	conf => "log_statement = none\nlog_min_messages = log\nlog_min_error_statement = panic\n");
my $client = Client->new($node);

$client->ask(good_functions());
$client->ask(q{
	CREATE FUNCTION traps() RETURNS wasm.module LANGUAGE wasm AS '(module
		(memory 1)
		(table $t 3 funcref)
		(elem (i32.const 1) $other)
		(type $none (func))
		(func $other (param i64))
		(global $calls (mut i32) (i32.const 0))
		(func (export "calls") (result i32)
			(global.set $calls (i32.add (global.get $calls) (i32.const 1)))
			(global.get $calls))
		(func (export "unreachable") unreachable)
		(func (export "divide") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
		(func (export "truncate") (param f64) (result i32) (i32.trunc_f64_s (local.get 0)))
		(func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
		(func (export "store") (param i32) (i32.store (local.get 0) (i32.const 1)))
		(func (export "load_vector") (param i32) (result v128) (v128.load (local.get 0)))
		(func (export "fill") (param i32) (memory.fill (local.get 0) (i32.const 1) (i32.const 2)))
		(func (export "indirect") (param i32) (call_indirect (type $none) (local.get 0)))
		(func (export "element") (param i32) (drop (table.get $t (local.get 0))))
		(func $deep (export "deep") (param i32) (result i32)
			(i32.add (i32.const 1) (call $deep (local.get 0))))
		(func $half (export "half_way") (param i32) (result i32)
			(if (result i32) (local.get 0)
				(then (call $half (i32.sub (local.get 0) (i32.const 1))))
				(else unreachable))))';
	SELECT wasm.create_functions('traps', 'trap_');
	CREATE FUNCTION starting() RETURNS void LANGUAGE wasm AS
		'(module (func $s unreachable) (start $s) (func (export "starting")))';
	CREATE FUNCTION data_outside() RETURNS void LANGUAGE wasm AS
		'(module (memory 1) (data (i32.const 65536) "x") (func (export "data_outside")))';
	CREATE FUNCTION too_much_memory() RETURNS void LANGUAGE wasm AS
		'(module (memory 65536) (func (export "too_much_memory")))';
	CREATE FUNCTION looping() RETURNS void LANGUAGE wasm AS
		'(module (func (export "looping") (loop $l (br $l))))';
	ALTER FUNCTION looping() SET wasm.fuel = 1000;
	-- the same within one statement, each trap in a subtransaction
	CREATE FUNCTION catch(command text, expected text, rounds integer) RETURNS integer LANGUAGE plpgsql AS $do$
	DECLARE
		caught integer := 0;
	BEGIN
		FOR n IN 1 .. rounds LOOP
			BEGIN
				EXECUTE command;
			EXCEPTION WHEN OTHERS THEN
				IF SQLSTATE = expected AND good(n) = n + 1 THEN
					caught := caught + 1;
				END IF;
			END;
		END LOOP;
		RETURN caught;
	END $do$;
});

# Each code of the engine that a guest can come to
my @traps = (
	[ 'all fuel spent', 'looping()', '54000' ],
	[ 'unreachable', 'trap_unreachable()', '38000' ],
	[ 'unreachable below 100 calls', 'trap_half_way(100)', '38000' ],
	[ 'division by zero', 'trap_divide(1, 0)', '22012' ],
	[ 'integer overflow', 'trap_divide(-2147483648, -1)', '22003' ],
	[ 'conversion to integer', q{trap_truncate('NaN')}, '22003' ],
	[ 'load outside of memory', 'trap_load(65533)', '38000' ],
	[ 'load far outside of memory', 'trap_load(-1)', '38000' ],
	[ 'store outside of memory', 'trap_store(65536)', '38000' ],
	[ 'vector outside of memory', 'trap_load_vector(65521)', '38000' ],
	[ 'fill outside of memory', 'trap_fill(65535)', '38000' ],
	[ 'indirect call of null', 'trap_indirect(0)', '38000' ],
	[ 'indirect call of another type', 'trap_indirect(1)', '38000' ],
	[ 'indirect call outside of the table', 'trap_indirect(3)', '38000' ],
	[ 'element outside of the table', 'trap_element(3)', '38000' ],
	[ 'stack overflow', 'trap_deep(1)', '54001' ],
	[ 'trap in a start function', 'starting()', '38000' ],
	[ 'data outside of memory', 'data_outside()', '38000' ],
	[ 'too large a memory', 'too_much_memory()', '54000' ]);

# How often the trap was not as it should be, or the calls after it not.
sub repeat
{
	my ($count, $call, $expected) = @_;
	my $wrong = 0;

	for my $n (1 .. $count)
	{
		my $trapped = $client->attempt("SELECT $call");
		my ($good, $calls) = split /\|/, $client->attempt("SELECT good($n), trap_calls()")->{rows};

		# the module has a fresh instance, unless it was another that trapped
		$calls = 1 if $call !~ /^trap_/;
		$wrong++ if "$trapped->{sqlstate} $good $calls" ne "$expected " . ($n + 1) . ' 1';
	}
	return $wrong;
}

# How often the trap was as it should be, in one statement.
sub catch
{
	my ($count, $call, $expected) = @_;

	return $client->ask(sprintf q{SELECT catch('SELECT %s', '%s', %d)}, $call =~ s/'/''/gr, $expected, $count);
}

sub usage
{
	return (memory_kb($client->pid), descriptors($client->pid, $node->data_dir));
}

# warm up: all of them
for my $trap (@traps)
{
	repeat(50, @$trap[1, 2]);
	catch(50, @$trap[1, 2]);
}
my ($memory_first, $descriptors_first) = usage();

for my $trap (@traps)
{
	my ($title, $call, $expected) = @$trap;
	my ($memory, $descriptors) = usage();

	is(repeat($rounds, $call, $expected), 0, "$title: $expected and a good call, $rounds times");
	is(catch($rounds, $call, $expected), $rounds, "$title: the same in PL/pgSQL");
	my ($memory_after, $descriptors_after) = usage();

	cmp_ok($memory_after - $memory, '<=', $growth_kb, "$title: memory stays");
	is($descriptors_after, $descriptors, "$title: file descriptors stay");
	figure('traps.memory_growth.' . $title =~ s/\W+/_/gr, $memory_after - $memory, 'kB');
}
my ($memory_last, $descriptors_last) = usage();
cmp_ok($memory_last - $memory_first, '<=', $growth_kb, 'memory stays over all of them');
is($descriptors_last, $descriptors_first, 'file descriptors stay over all of them');
is(process_status($client->pid, 'Threads'), '1', 'the session has one thread');
figure('traps.kinds', scalar @traps);
figure('traps.count', 2 * $rounds * @traps);
figure('traps.memory_growth', $memory_last - $memory_first, 'kB');
figure('traps.descriptors_growth', $descriptors_last - $descriptors_first);
$client->close;

check_log($node);
$node->stop;
done_testing();
