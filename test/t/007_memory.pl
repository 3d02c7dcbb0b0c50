
# A module is kept out of the caches: a session that calls the functions of a
# large one does not grow by its size.
#
# The row of a module in the system cache would be the least that a session
# grows by, and is measured here as well.  The module has 3 MB of bytes that
# hardly compress, in a custom section, so that its code costs next to nothing;
# its row, in hex digits, has 6 MB.  Memory contexts may grow by 1 MB, the
# process by 2 MB: it has more than that, the allocator's own included.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use WasmTest;

my $limit = 1024 * 1024;
my $node = wasm_node('memory');
my $file = "$PostgreSQL::Test::Utils::tmp_check/big.wasm";
my $bytes = scale_module(3, 3_000_000);

open(my $handle, '>:raw', $file) or die "could not write $file: $!";
print $handle $bytes;
close $handle;

$node->safe_psql('postgres', qq{
	SELECT wasm.create_module('small', } . bytea_literal(scale_module(2)) . qq{);
	CREATE FUNCTION small_scale(integer) RETURNS integer LANGUAGE wasm AS 'small#scale';
	SELECT wasm.create_module('big', pg_read_binary_file('$file'));
	CREATE FUNCTION big_scale(integer) RETURNS integer LANGUAGE wasm AS 'big#scale';
	CREATE FUNCTION big_inner(integer) RETURNS integer LANGUAGE plpgsql AS 'BEGIN RETURN big_scale(\$1); END';
	CREATE ROLE reader LOGIN;
	GRANT USAGE ON LANGUAGE wasm TO reader;
	GRANT EXECUTE ON FUNCTION big(), small() TO reader;
	GRANT CREATE ON SCHEMA public TO reader;
});
cmp_ok($node->safe_psql('postgres', q{SELECT length(prosrc) FROM pg_proc WHERE proname = 'big'}),
	'>', 6_000_000, 'the module is large');

# Bytes in memory contexts, and in private pages of the process.
sub memory_of
{
	my ($session) = @_;

	return (
		ask($session, 'SELECT sum(total_bytes)::bigint FROM pg_backend_memory_contexts'),
		1024 * process_status(ask($session, 'SELECT pg_backend_pid()'), 'RssAnon'));
}

# By how much a session grows when it does something; the work has been done
# with a small module before.
sub growth
{
	my ($role, $small, $big) = @_;
	my $session = session($node, 'postgres', role => $role);
	my (@before, @after, $result);

	memory_of($session);
	ask($session, $small) for 1 .. 2;
	@before = memory_of($session);
	$result = ask($session, $big);
	@after = memory_of($session);
	$session->quit;
	return ($result, $after[0] - $before[0], $after[1] - $before[1]);
}

my $superuser = $node->safe_psql('postgres', 'SELECT current_user');

for my $case (
	[ 'calling a function', 'SELECT %s_scale(14)', '42' ],
	[ 'calling it for many rows', 'SELECT count(%s_scale(n)) FROM generate_series(1, 10000) n', '10000' ],
	[ 'asking for the exports', q{SELECT count(*) FROM wasm.exports('%s')}, '1' ],
	[ 'binding a function', q{CREATE FUNCTION new_%s(integer) RETURNS integer LANGUAGE wasm AS '%s#scale'}, '' ],
	[ 'making functions', q{SELECT count(*) FROM wasm.create_functions('%s', 'gen_%s_', replace => true)}, '1' ],
	[ 'looking at wasm.instances', 'SELECT count(*) FROM wasm.instances', '2' ],
	[ 'looking at wasm.exported_functions', 'SELECT count(*) > 1 FROM wasm.exported_functions', 't' ])
{
	my ($what, $query, $expected) = @$case;

	# as a superuser, whose rights are not looked up, and as another role
	for my $role ($superuser, 'reader')
	{
		my ($result, $contexts, $process) =
		  growth($role, $query =~ s/%s/small/gr, $query =~ s/%s/big/gr);

		is($result, $expected, "$what works as $role");
		cmp_ok($contexts, '<', $limit, "$what as $role adds little to the memory contexts");
		cmp_ok($process, '<', 2 * $limit, "$what as $role adds little to the process");
		$node->safe_psql('postgres', 'DROP FUNCTION IF EXISTS new_big(integer), new_small(integer),
			gen_big_scale(integer), gen_small_scale(integer)');
	}
}

# A session from its start: with the library, the engine and the code.
my $session = session($node);
my ($contexts, $process) = memory_of($session);
is(ask($session, 'SELECT big_inner(14)'), '42', 'a function works in a fresh session');
my ($contexts_after, $process_after) = memory_of($session);
cmp_ok($contexts_after - $contexts, '<', $limit, 'a fresh session: memory contexts');
cmp_ok($process_after - $process, '<', 3 * $limit, 'a fresh session, its engine included: process');

# The same when everything is loaded anew, again and again.
for (1 .. 5)
{
	ask($session, 'SELECT big_inner(14)');
	$node->safe_psql('postgres', "COMMENT ON FUNCTION big() IS 'round $_';
		ALTER FUNCTION big() COST $_; ALTER FUNCTION big_scale(integer) COST $_");
}
is(ask($session, 'SELECT big_inner(14)'), '42', 'it works after the module changed');
my ($contexts_end, $process_end) = memory_of($session);
cmp_ok($contexts_end - $contexts_after, '<', $limit / 4, 'after changes: memory contexts');
cmp_ok($process_end - $process_after, '<', $limit, 'after changes: process');

# Replaced by other code, over and over: what is replaced is given back.
ask($session, 'SELECT small_scale(1)');
my @start;
for my $round (1 .. 40)
{
	$node->safe_psql('postgres', "SELECT wasm.create_module('small', "
		  . bytea_literal(scale_module($round, 200_000)) . ', replace => true)');
	ask($session, 'SELECT small_scale(1)');
	@start = memory_of($session) if $round == 20;
}
is(ask($session, 'SELECT small_scale(1)'), '40', 'the last replacement counts');
my @end = memory_of($session);
cmp_ok($end[0] - $start[0], '<', $limit / 4, '20 replacements: memory contexts');
cmp_ok($end[1] - $start[1], '<', $limit, '20 replacements: process');

# Failures give back what they took.
ask($session, 'SELECT wasm.module_id(NULL)');
for my $round (1 .. 40)
{
	ask($session, q{SELECT wasm.create_module('broken', substr(pg_read_binary_file('} . $file . qq{'), 1, 2000000 + $round))});
	@start = memory_of($session) if $round == 20;
}
is(last_sqlstate($session), '22P03', 'a truncated module is refused');
@end = memory_of($session);
cmp_ok($end[0] - $start[0], '<', $limit / 4, '20 refusals: memory contexts');
cmp_ok($end[1] - $start[1], '<', $limit, '20 refusals: process');
for my $round (1 .. 400)
{
	ask($session, 'SELECT small_scale(1)') if $round % 2;
	ask($session, q{DO LANGUAGE wasm '(module (memory 16) (func (export "main") unreachable))'});
	@start = memory_of($session) if $round == 200;
}
is(last_sqlstate($session), '38000', 'a trap in a DO block is reported');
@end = memory_of($session);
cmp_ok($end[0] - $start[0], '<', $limit / 4, '200 traps: memory contexts');
cmp_ok($end[1] - $start[1], '<', $limit, '200 traps: process');
$session->quit;

# What this test would see: the row in the system cache.
$session = session($node);
ask($session, q{SELECT has_function_privilege('reader', 'small'::regproc, 'EXECUTE')});
@start = memory_of($session);
is(ask($session, q{SELECT has_function_privilege('reader', oid, 'EXECUTE') FROM pg_proc WHERE proname = 'big'}),
	't', 'a function that uses the system cache');
@end = memory_of($session);
cmp_ok($end[0] - $start[0], '>', 2 * $limit, 'the row in the system cache takes more than twice the limit');
cmp_ok($end[1] - $start[1], '>', 2 * $limit, 'the process grows by it as well');
$session->quit;

check_log($node);
$node->stop;

done_testing();
