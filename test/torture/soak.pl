# Eight sessions call guests of all kinds for long, while modules are replaced
# under them: their memory and file descriptors stay as they are.
#
# A session is looked at after each round of statements.  What it has at most
# while it warms up is compared with what it has at most after that.  The time
# after warming up is 10 minutes, 15 seconds in the short form, or what
# PGW_SOAK_SECONDS says.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../t";
use POSIX qw(_exit);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Client;
use Torture;
use WasmTest;

my $clients = 8;
my $seconds = $ENV{PGW_SOAK_SECONDS} // amount(15, 600);
my $warm_up = $seconds / 3 > 120 ? 120 : $seconds / 3;
my $growth_kb = 1024;
my $changing = 4;
my $tmp = $PostgreSQL::Test::Utils::tmp_check;
my $node = wasm_node('soak', conf => "log_statement = none\nlog_min_messages = log\n"
	  . "log_min_error_statement = panic\nwasm.cache_size = '16MB'\nwasm.stat_max = 100\n");
my $admin = Client->new($node);

# --- what is called ---

$admin->ask(good_functions() . q{
	CREATE FUNCTION mixed() RETURNS wasm.module LANGUAGE wasm AS '(module
		(memory 1)
		(global $calls (mut i64) (i64.const 0))
		(func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
		(func (export "multiply") (param i64 i64) (result i64) (i64.mul (local.get 0) (local.get 1)))
		(func (export "half") (param f32) (result f32) (f32.mul (local.get 0) (f32.const 0.5)))
		(func (export "root") (param f64) (result f64) (f64.sqrt (local.get 0)))
		(func (export "double") (param v128) (result v128) (i32x4.add (local.get 0) (local.get 0)))
		(func (export "divide") (param i64 i64) (result i64 i64)
			(i64.div_s (local.get 0) (local.get 1)) (i64.rem_s (local.get 0) (local.get 1)))
		(func (export "calls") (result i64)
			(global.set $calls (i64.add (global.get $calls) (i64.const 1))) (global.get $calls))
		(func (export "fill") (param i32) (result i32) (local i32)
			(local.set 1 (i32.sub (local.get 0) (memory.size)))
			(if (i32.gt_s (local.get 1) (i32.const 0)) (then (drop (memory.grow (local.get 1)))))
			(memory.fill (i32.const 0) (i32.const 1) (i32.mul (local.get 0) (i32.const 65536)))
			(i32.load8_u (i32.sub (i32.mul (local.get 0) (i32.const 65536)) (i32.const 1))))
		(func (export "unreachable") unreachable)
		(func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
		(func $deep (export "deep") (param i32) (result i32) (i32.add (i32.const 1) (call $deep (local.get 0)))))';
	SELECT wasm.create_functions('mixed', 'm_');
	CREATE FUNCTION double_uuid(uuid) RETURNS uuid LANGUAGE wasm STRICT AS 'mixed#double';
	CREATE FUNCTION double_bytes(bytea) RETURNS bytea LANGUAGE wasm STRICT AS 'mixed#double';
	CREATE FUNCTION called_on_null(integer, integer) RETURNS integer LANGUAGE wasm AS 'mixed#add';
	CREATE FUNCTION small_sum(smallint, smallint) RETURNS smallint LANGUAGE wasm STRICT AS 'mixed#add';

	CREATE FUNCTION lists() RETURNS wasm.module LANGUAGE wasm AS '(module
		(memory (export "memory") 1)
		(global $heap (mut i32) (i32.const 64))
		(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $at i32) (local $pages i32)
			(local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
			(global.set $heap (i32.add (local.get $at) (local.get 3)))
			(local.set $pages (i32.sub (i32.shr_u (i32.add (global.get $heap) (i32.const 65535)) (i32.const 16)) (memory.size)))
			(if (i32.gt_s (local.get $pages) (i32.const 0))
				(then (if (i32.lt_s (memory.grow (local.get $pages)) (i32.const 0)) (then unreachable))))
			(local.get $at))
		(func $pair (export "at") (param i32 i32) (result i32)
			(i32.store (i32.const 0) (local.get 0)) (i32.store (i32.const 4) (local.get 1)) (i32.const 0))
		(func (export "echo") (param i32 i32) (result i32) (call $pair (local.get 0) (local.get 1)))
		(func (export "cabi_post_echo") (param i32) (global.set $heap (i32.const 64))))';
	CREATE FUNCTION echo(text) RETURNS text LANGUAGE wasm STRICT AS 'lists#echo';
	CREATE FUNCTION echo(jsonb) RETURNS jsonb LANGUAGE wasm STRICT AS 'lists#echo';
	CREATE FUNCTION echo(bigint[]) RETURNS bigint[] LANGUAGE wasm STRICT AS 'lists#echo';
	CREATE FUNCTION as_text(bytea) RETURNS text LANGUAGE wasm STRICT AS 'lists#echo';
	CREATE FUNCTION bytes_at(integer, integer) RETURNS bytea LANGUAGE wasm STRICT AS 'lists#at';

	CREATE DOMAIN even AS integer CHECK (m_add(VALUE, 0) % 2 = 0);
	CREATE FUNCTION twice(integer) RETURNS even LANGUAGE wasm AS
		'(module (func (export "twice") (param i32) (result i32) (i32.shl (local.get 0) (i32.const 1))))';
	CREATE FUNCTION thrice(integer) RETURNS even LANGUAGE wasm AS
		'(module (func (export "thrice") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3))))';
	CREATE FUNCTION spin() RETURNS void LANGUAGE wasm AS
		'(module (memory 16) (func (export "spin") (loop $l (br $l))))';
	CREATE FUNCTION caught(integer) RETURNS text LANGUAGE plpgsql AS '
	BEGIN
		FOR n IN 1 .. $1 LOOP
			BEGIN
				PERFORM m_unreachable();
			EXCEPTION WHEN external_routine_exception THEN
				PERFORM m_add(n, 1);
			END;
		END LOOP;
		RETURN ''caught '' || $1;
	END';
	CREATE TABLE numbers AS SELECT n FROM generate_series(1, 500) n;
	CREATE ROLE other;
});

# Modules of one export, scale(x) = factor * x, which change all the time
sub changing_module
{
	return scale_module(int rand 64, 1000 + int rand 20_000);
}
for my $n (1 .. $changing)
{
	my $result = $admin->attempt_bytes(qq{SELECT wasm.create_module('changing$n', \$1)}, changing_module());

	die $result->{message} if $result->{sqlstate};
	$admin->ask("CREATE FUNCTION scale$n(integer) RETURNS integer LANGUAGE wasm AS 'changing$n#scale'");
}

my $v128 = '316912650112397582603894390785';
my $v128_doubled = '633825300224795165207788781570';

# Statement, and its result or SQLSTATE; a statement that is done only in one of
# some rounds says so.
my @statements = (
	[ 'SELECT sum(m_add(n, 1)) FROM numbers', '125750' ],
	[ 'SELECT sum(m_multiply(n, 3)) FROM numbers', '375750' ],
	[ 'SELECT sum(m_half(n)) FROM numbers', '62625' ],
	[ 'SELECT sum(m_root(n * n)) FROM numbers', '125250' ],
	[ "SELECT count(m_double($v128)), max(m_double($v128)) FROM numbers", "500|$v128_doubled" ],
	[ q{SELECT double_uuid('01000000-0200-0000-0300-000004000000')}, '02000000-0400-0000-0600-000008000000' ],
	[ q{SELECT encode(double_bytes('\x01000000020000000300000004000000'), 'hex')}, '02000000040000000600000008000000' ],
	[ q{SELECT double_bytes('\x0102')}, '22003' ],
	[ 'SELECT sum(length(echo(repeat(n::text, 100)))) FROM numbers', '139200' ],
	[ q{SELECT length(echo(repeat('x', 3000000)))}, '3000000' ],
	[ q{SELECT echo('{"a": [1, 2]}'::jsonb)}, '{"a": [1, 2]}' ],
	[ 'SELECT echo(ARRAY[n, -n]) FROM numbers WHERE n < 3', "{1,-1}\n{2,-2}" ],
	[ q{SELECT as_text('\xff')}, '22021' ],
	[ 'SELECT bytes_at(-1, 1)', '38000' ],
	[ 'SELECT echo(ARRAY[1, NULL]::bigint[])', '22004' ],
	[ 'SELECT d.* FROM numbers, m_divide(n, 7) d WHERE n IN (15, 100)', "2|1\n14|2" ],
	[ 'SELECT small_sum(30000::smallint, 30000::smallint)', '22003' ],
	[ 'SELECT called_on_null(1, NULL)', '22004' ],
	[ 'SELECT m_fill(1), m_fill(16), m_fill(128)', '1|1|1' ],
	[ 'SELECT m_calls() > 0', 't' ],
	[ 'SELECT m_unreachable()', '38000' ],
	[ 'SELECT m_calls(), m_calls()', '1|2' ],
	[ 'SELECT m_load(-1)', '38000' ],
	[ 'SELECT m_deep(1)', '54001' ],
	[ 'SELECT m_divide(1, 0)', '22012' ],
	[ 'SELECT sum(twice(n)) FROM numbers', '250500' ],
	[ 'SELECT thrice(1)', '23514' ],
	[ 'SELECT caught(20)', 'caught 20' ],
	[ 'EXECUTE prepared(41)', '42|42' ],
	[ 'BEGIN; DECLARE c CURSOR FOR SELECT m_add(n, 1) FROM numbers ORDER BY n; FETCH 2 FROM c; COMMIT', "2\n3" ],
	[ q{DO LANGUAGE wasm '(module (memory 4) (func (export "main") (memory.fill (i32.const 0) (i32.const 1) (i32.const 262144))))'}, '' ],
	[ q{DO LANGUAGE wasm '(module (func (export "main") unreachable))'}, '38000' ],
	(map { [ "SELECT bool_and(scale$_(n) % n = 0 AND scale$_(n) / n BETWEEN 0 AND 63) FROM numbers", 't' ] } 1 .. $changing),
	[ q{SET ROLE other; SELECT m_add(1, 1), twice(4); RESET ROLE}, '2|8' ],
	[ q{SET statement_timeout = '10ms'; SELECT spin()}, '57014', 4 ],
	[ 'RESET statement_timeout', '', 4 ],
	[ q{BEGIN; CREATE FUNCTION passing(integer) RETURNS integer LANGUAGE wasm AS
		'(module (func (export "passing") (param i32) (result i32) (local.get 0)))'; SELECT passing(5); ROLLBACK}, '5', 5 ],
	[ q{SELECT wasm.create_module('never', '\x0061736d01000000ff')}, '22P03', 5 ],
	[ q{SELECT wasm.create_module('never', '(module (func')}, '42601', 5 ],
	[ 'SELECT count(*) > 5 FROM wasm.exported_functions', 't', 5 ],
	[ q{SELECT count(*) FROM wasm.exports('mixed')}, '11', 5 ],
	[ 'SELECT wasm.reset() > 0', 't', 20 ],
	[ 'DISCARD ALL', '', 20 ],
	[ 'PREPARE prepared(integer) AS SELECT m_add($1, 1), good($1)', '', 20 ]);

# --- the sessions, each a process ---

my $until = now() + $warm_up + $seconds;
my @parts;

# A process whose work writes lines to a file.
sub part
{
	my ($name, $work) = @_;
	my $pid = fork() // die "cannot fork: $!";

	push @parts, { name => $name, pid => $pid, file => "$tmp/$name" };
	return if $pid;
	# not by exit: the node is the parent's
	my $ended = eval {
		open(my $out, '>', "$tmp/$name") or die "cannot write: $!";
		srand($$);
		$work->($out);
		CORE::close $out or die "cannot write: $!";
		1;
	};
	print STDERR "$name: $@" unless $ended;
	_exit($ended ? 0 : 1);
}

# Rounds of statements; writes a line for what is wrong, and one for each round.
sub call_guests
{
	my ($out) = @_;
	my $client = Client->new($node);
	my $round = 0;

	$client->ask('PREPARE prepared(integer) AS SELECT m_add($1, 1), good($1)');
	while (now() < $until)
	{
		for my $statement (@statements)
		{
			my ($query, $expected, $every) = @$statement;
			next if $every && $round % $every;
			my $result = $client->attempt($query);
			my $found = $result->{sqlstate} || $result->{rows};

			print $out "wrong $query: $found, $result->{message}\n" if $found ne $expected;
			die "the session has ended: $query\n" unless $result->{status};
		}
		$round++;
		print $out join(' ', 'round', now(), memory_kb($client->pid), descriptors($client->pid, $node->data_dir)), "\n";
	}
	$client->close;
}

# Replaces modules.
sub replace_modules
{
	my ($out) = @_;
	my $client = Client->new($node);

	while (now() < $until)
	{
		my $n = 1 + int rand $changing;
		my $result = $client->attempt_bytes(qq{SELECT wasm.create_module('changing$n', \$1, replace => true)}, changing_module());

		print $out "wrong replacement: $result->{message}\n" if $result->{sqlstate};
		print $out "replaced\n";
		select undef, undef, undef, 0.1;
	}
	$client->close;
}

my $warm_at = now() + $warm_up;
part("client$_", \&call_guests) for 1 .. $clients;
part('replacer', \&replace_modules);
my $failed = 0;
for my $part (@parts)
{
	waitpid $part->{pid}, 0;
	$failed++ if $?;
}
is($failed, 0, 'all processes came to their end');

# --- what they saw ---

my ($rounds, $replaced, $growth_max, $descriptors_max, $memory_max) = (0, 0, -1e9, -1e9, 0);
my @wrong;

sub largest
{
	my ($largest, @others) = @_;

	for (@others) { $largest = $_ if $_ > $largest }
	return $largest;
}

for my $part (@parts)
{
	my @lines = split /\n/, slurp_file($part->{file});
	push @wrong, grep { /^wrong/ } @lines;
	$replaced += grep { $_ eq 'replaced' } @lines;
	next if $part->{name} eq 'replacer';

	my @samples = map { [ split ' ' ] } grep { /^round/ } @lines;
	my @before = grep { $_->[1] < $warm_at } @samples;
	my @after = grep { $_->[1] >= $warm_at } @samples;
	$rounds += @samples;
	cmp_ok(scalar(@before), '>', 0, "$part->{name} warmed up in " . @before . ' rounds') or next;
	cmp_ok(scalar(@after), '>', 0, "$part->{name} went on for " . @after . ' rounds') or next;
	my $growth = largest(map { $_->[2] } @after) - largest(map { $_->[2] } @before);
	my $descriptors = largest(map { $_->[3] } @after) - largest(map { $_->[3] } @before);

	cmp_ok($growth, '<=', $growth_kb, "$part->{name}: memory stays");
	cmp_ok($descriptors, '<=', 0, "$part->{name}: file descriptors stay");
	$growth_max = largest($growth_max, $growth);
	$descriptors_max = largest($descriptors_max, $descriptors);
	$memory_max = largest($memory_max, map { $_->[2] } @after);
}
is(scalar(@wrong), 0, 'every statement gave what it should') or diag(join "\n", splice @wrong, 0, 10);
cmp_ok($replaced, '>', 0, 'modules were replaced meanwhile');
is(check_good($admin, 1), '', 'the server works');

my @artifacts = glob $node->data_dir . '/pgsql_tmp_wasm/*';
my $cache_bytes = 0;
$cache_bytes += -s $_ // 0 for @artifacts;
cmp_ok($cache_bytes, '<=', 16 * 1024 * 1024, 'the cache keeps to its size');

figure('soak.seconds', int $seconds, 's');
figure('soak.clients', $clients);
figure('soak.rounds', $rounds);
figure('soak.statements', $rounds * grep { !$_->[2] } @statements);
figure('soak.replacements', $replaced);
figure('soak.memory_max', $memory_max, 'kB');
figure('soak.memory_growth_max', $growth_max, 'kB');
figure('soak.descriptors_growth_max', $descriptors_max);
figure('soak.cache', $cache_bytes, 'bytes');
$admin->close;

check_log($node);
$node->stop;
done_testing();
