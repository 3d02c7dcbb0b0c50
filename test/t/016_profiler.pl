
# wasm.profiler: the files from which perf takes the names of functions, who may
# ask for them, and what lies in their way.

use strict;
use warnings;
use Fcntl ':mode';
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use WasmTest;

my $node = wasm_node('profiler');
my @left;    # in /tmp, to be removed

END { unlink @left if @left }

$node->safe_psql('postgres', q{
	CREATE ROLE guest LOGIN;
	GRANT USAGE ON LANGUAGE wasm TO guest;
	CREATE FUNCTION twice(integer) RETURNS integer LANGUAGE wasm AS
		'(module (func $doubling (export "twice") (param i32) (result i32)
			(i32.mul (local.get 0) (i32.const 2))))';
	CREATE FUNCTION thrice(integer) RETURNS integer LANGUAGE wasm AS
		'(module (func $tripling (export "thrice") (param i32) (result i32)
			(i32.mul (local.get 0) (i32.const 3))))';
});

# A session with that setting, before its first call; with its two files.
sub profiled
{
	my ($profiler, %params) = @_;
	my $session = session($node, undef, %params);
	my $pid = ask($session, 'SELECT pg_backend_pid()');
	my $map = "/tmp/perf-$pid.map";

	push @left, $map;
	ask($session, "SET wasm.profiler = '$profiler'") if defined $profiler;
	return ($session, $map, $node->data_dir . "/jit-$pid.dump");
}

# The names in a map: its lines are start, length and name.
sub names
{
	my ($map) = @_;

	return join ' ', sort grep { !/::|^wasmtime_/ }
	  map { /^0x[0-9a-f]+ [0-9a-f]+ (.+)$/ ? $1 : "not a line: $_" } split /\n/, slurp_file($map);
}

# --- perfmap ---

my ($session, $map, $dump) = profiled(undef);
is(ask($session, 'SELECT twice(21)'), '42', 'a call without a profiler');
is(ask($session, 'SHOW wasm.profiler'), 'none', 'which is the default');
ok(!-e $map && !-e $dump, 'writes no file');
$session->quit;

($session, $map, $dump) = profiled('perfmap');
ok(!-e $map, 'the setting alone makes no map');
is(ask($session, 'SELECT twice(21)'), '42', 'a call with a map');
is(names($map), 'doubling', 'the map names the function');
is(S_IMODE((stat $map)[2]), 0600, 'and is for nobody else to read');
ask($session, 'SELECT thrice(1)');
is(names($map), 'doubling tripling', 'it grows with the modules of the session');
is(ask($session, "SELECT modulename, compiles FROM wasm.stat_modules ORDER BY 1"),
	"thrice|0\ntwice|0", 'code that was compiled without is used as it is');
ask($session, 'SET wasm.fuel = 1000');
is(ask($session, 'SELECT twice(21)'), '42', 'a metered call');
is(names($map), 'doubling doubling tripling', 'the other engine of the session writes to the same map');
ok(!-e $dump, 'there is no jitdump file');
$session->quit;
ok(-e $map, 'the map is still there when the session has ended');

# --- when, and who ---

($session) = profiled('perfmap');
is(sqlstate($session, "SET wasm.profiler = 'none'"), '', 'it can be changed before the first use');
ask($session, 'SELECT twice(21)');
is(message($session, "SET wasm.profiler = 'perfmap'"),
	'22023: invalid value for parameter "wasm.profiler": "perfmap"', 'but not later');
like($session->{stderr}, qr/DETAIL:  "wasm\.profiler" cannot be changed after/, 'and the error says why');
is(sqlstate($session, "SET wasm.profiler = 'none'"), '', 'what it is already may be said again');
is(ask($session, 'SELECT twice(21)'), '42', 'the session goes on');
is(sqlstate($session, "ALTER ROLE guest SET wasm.profiler = 'perfmap'"), '', 'a superuser sets it for a role');
$session->quit;

($session, $map) = profiled(undef, role => 'guest');
ask($session, 'SELECT twice(21)');
is(names($map), 'doubling', 'which is then profiled');
$session->quit;
$node->safe_psql('postgres', 'ALTER ROLE guest RESET wasm.profiler');
$session = session($node, undef, role => 'guest');
ask($session, "LOAD 'wasm'");
ask($session, 'SELECT twice(21)');
is(sqlstate($session, "SET wasm.profiler = 'perfmap'"), '42501', 'a role cannot do so itself');
$session->quit;

# --- what lies in the way ---

my $victim = PostgreSQL::Test::Utils::tempdir() . '/victim';
append_to_file($victim, 'untouched');
($session, $map) = profiled('perfmap');
symlink $victim, $map or die "cannot link $map: $!";
is(ask($session, 'SELECT twice(21)'), '42', 'a symbolic link in the place of the map');
ok(-f $map && !-l $map, 'is replaced');
is(slurp_file($victim), 'untouched', 'and not followed');
is(names($map), 'doubling', 'the map is complete');
$session->quit;

($session, $map) = profiled('perfmap');
append_to_file($map, "0x1000 10 stale\n");
ask($session, 'SELECT twice(21)');
is(names($map), 'doubling', 'what another process of that id left is gone');
$session->quit;

($session, $map) = profiled('perfmap');
mkdir $map or die "cannot make $map: $!";
is(ask($session, 'SELECT twice(21)'), '42', 'a map that cannot be made keeps nothing from running');
like($session->{stderr}, qr/WARNING:  \w{5}: WebAssembly functions are not profiled in this session\nDETAIL:  Could not create file "\Q$map\E": /,
	'but there is a warning');
ask($session, 'SET wasm.fuel = 1000');
is(ask($session, 'SELECT twice(21)'), '42', 'the other engine runs without, too');
is($session->{stderr}, '', 'and warns of nothing');
$session->quit;
rmdir $map;

# --- jitdump ---

($session, $map, $dump) = profiled('jitdump');
is(ask($session, 'SELECT twice(21)'), '42', 'a call with a jitdump file');
SKIP:
{
	skip 'the engine of this build writes none', 6
	  if $session->{stderr} =~ /WARNING:  0A000: .*\nDETAIL:  The engine of this build/;
	my $content = slurp_file($dump);

	is(unpack('L', $content), 0x4A695444, 'the file is one');
	like($content, qr/doubling/, 'it names the function');
	is(S_IMODE((stat $dump)[2]), 0600, 'and is for nobody else to read');
	like(slurp_file('/proc/' . ask($session, 'SELECT pg_backend_pid()') . '/maps'),
		qr/r-xp .*\Q$dump\E$/m, 'perf sees it mapped');
	$session->quit;

	($session, $map, $dump) = profiled('jitdump');
	mkdir $dump or die "cannot make $dump: $!";
	is(ask($session, 'SELECT twice(21)'), '42', 'a jitdump file that cannot be made keeps nothing from running');
	like($session->{stderr}, qr/WARNING:  \w{5}: WebAssembly functions are not profiled in this session/,
		'but there is a warning');
}
ok(!-e $map, 'there is no map');
$session->quit;

check_log($node);
done_testing();
