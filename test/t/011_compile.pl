# Modules are compiled by the program wasm-compile, never by a backend: whatever
# ends the statement or the session ends the program, whatever the program does
# is at worst an error, and only so many run at a time.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use File::Path qw(make_path);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use WasmTest;

# --- an installation whose program can be replaced ---

# Copies of the server's programs, which find their libraries and files relative
# to their own path; what else there is, by symbolic links.
sub make_installation
{
	my ($to) = @_;
	my %from = map { chomp(my $dir = `pg_config --$_`); $_ => $dir } qw(bindir pkglibdir sharedir);
	my $common = $from{bindir};

	$common =~ s{/[^/]*$}{} until 3 == grep { m{^\Q$common\E/} } values %from;
	my %into = map { $_ => $to . substr($from{$_}, length $common) } keys %from;
	make_path(@into{qw(bindir pkglibdir)}, $into{sharedir} =~ s{/[^/]*$}{}r);
	symlink($from{sharedir}, $into{sharedir}) or die "symlink: $!";
	for my $library (glob "$from{pkglibdir}/*")
	{
		symlink($library, "$into{pkglibdir}/" . ($library =~ s{.*/}{}r)) or die "symlink: $!";
	}
	for my $program (qw(postgres initdb pg_ctl pg_config psql))
	{
		system_or_bail('cp', "$from{bindir}/$program", $into{bindir});
	}
	return ($into{bindir} =~ s{/bin$}{}r, "$from{pkglibdir}/wasm-compile", "$into{pkglibdir}/wasm-compile");
}

my $folder = $PostgreSQL::Test::Utils::tmp_check;
my ($installation, $real, $program) = make_installation("$folder/installation");
my $node = wasm_node('compile',
	install_path => $installation,
	conf => "restart_after_crash = on\nlog_min_error_statement = panic\nlog_statement = none\nwasm.compile_workers = 2\n");
my $cache = $node->data_dir . '/pgsql_tmp_wasm';
my $gate = "$folder/gate";
my $starts = "$folder/starts";

# Puts something in the program's place.
sub put
{
	my ($content, $mode) = @_;

	unlink("$program.new");
	open(my $handle, '>', "$program.new") or die "$program.new: $!";
	print $handle $content;
	close $handle;
	chmod $mode, "$program.new";
	rename("$program.new", $program) or die "$program: $!";
}

sub put_script
{
	my ($code) = @_;

	put("#!$^X\n$code\n", 0755);
}

sub put_real
{
	unlink($program);
	symlink($real, $program) or die "$program: $!";
}

# The program, which adds its process id to a file and waits while the gate is
# closed.
sub put_gated
{
	put_script(qq{
		open(my \$starts, '>>', '$starts') or die;
		syswrite \$starts, "\$\$\\n";
		close \$starts;
		select undef, undef, undef, 0.01 while -e '$gate';
		exec {'$real'} 'wasm-compile', \@ARGV;
	});
	unlink($starts);
}

sub close_gate
{
	append_to_file($gate, '');
}

sub open_gate
{
	unlink($gate) or die "$gate: $!";
}

sub started
{
	return -e $starts ? split /\n/, slurp_file($starts) : ();
}

# --- modules ---

# No module twice, or it would be compiled already.
my $modules = 0;

# A function of so many loops in each other that it takes a minute to compile:
# they all poll the epoch, since it has a tail call.
sub slow_module
{
	my $code = ("\x03\x40" x 15000) . ("\x0b" x 15000) . "\x12\0\x0b";

	return module(
		section(1, vector("\x60\0\0")),
		section(3, vector("\0")),
		section(7, vector(name('main') . "\0\0")),
		section(10, vector(function_body(unpack 'H*', $code))),
		custom_section('number', ++$modules));
}

sub slow_statement
{
	return 'DO LANGUAGE wasm ' . bytea_literal(slow_module());
}

# The next statement that compiles a module, quickly.
sub quick_statement
{
	$modules++;
	return qq{DO LANGUAGE wasm '(module (func (export "main") (drop (i32.const $modules))))'};
}

# --- processes ---

sub stat_fields
{
	my ($pid) = @_;

	open(my $handle, '<', "/proc/$pid/stat") or return;
	my $line = <$handle> // return;
	return split ' ', $line =~ s/.*\) //sr;
}

sub gone
{
	my ($pid) = @_;

	return ((stat_fields($pid))[0] // 'X') =~ /[XZ]/;
}

# The processes that a process has started and that run.
sub children
{
	my ($pid) = @_;

	return grep { ((stat_fields($_))[1] // 0) == $pid && !gone($_) } map { m{/proc/(\d+)} } glob '/proc/[0-9]*';
}

sub wait_until
{
	my ($what, $condition) = @_;
	my $until = time + $PostgreSQL::Test::Utils::timeout_default;

	until ($condition->())
	{
		die "waited in vain: $what" if time > $until;
		select undef, undef, undef, 0.005;
	}
}

# The processes of this installation's program; a script's name is the interpreter's.
sub programs
{
	my ($postmaster) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;

	return map { children($_) } children($postmaster);
}

# What a process has open, but for files of the database.
sub open_files
{
	my ($pid) = @_;

	return sort grep { !m{/(base|global|pg_wal|pg_xact)/} } map { readlink($_) // () } glob "/proc/$pid/fd/*";
}

sub start
{
	my ($session, $statement) = @_;

	$session->{stderr} = '';
	$session->query_until(qr/started/, "\\echo started\n$statement;\n");
}

# Starts a statement that compiles and waits until its program is at work.
sub start_compilation
{
	my ($session, $pid, $statement) = @_;
	my $child;

	start($session, $statement);
	wait_until("session $pid compiles",
		sub { ($child) = grep { ((stat_fields($_))[11] // 0) >= 2 } children($pid); $child });
	return $child;
}

sub backend
{
	my ($session) = @_;

	return ask($session, 'SELECT pg_backend_pid()');
}

# What the statement that was started has reported.
sub outcome
{
	my ($session) = @_;

	$session->query('ROLLBACK');
	my $sqlstate = last_sqlstate($session);

	$session->{stderr} = '';
	return $sqlstate;
}

sub locks
{
	return $node->safe_psql('postgres', "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'");
}

$node->safe_psql('postgres', q{
	CREATE FUNCTION good(integer) RETURNS integer LANGUAGE wasm PARALLEL SAFE AS
		'(module (func (export "good") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))';
});

my $session = session($node);
my $pid = backend($session);

is(ask($session, 'SELECT good(1)'), '2', 'the relocated server compiles');

# --- the process ---

my $child = start_compilation($session, $pid, slow_statement());
my ($threads) = slurp_file("/proc/$pid/status") =~ /^Threads:\s*(\d+)/m;
my $limits = slurp_file("/proc/$child/limits");

is(readlink("/proc/$child/exe"), $real, 'a process of the program compiles');
is($threads, 1, 'the backend has one thread');
is(join(' ', sort map { m{(\d+)$} } glob "/proc/$child/fd/*"), '0 1 2', 'it has three files open');
like(readlink("/proc/$child/fd/0"), qr/^pipe:/, 'it reads from a pipe');
like(readlink("/proc/$child/fd/1"), qr/^pipe:/, 'it writes to a pipe');
like($limits, qr/^Max address space\s+2147483648\s+2147483648\s/m, 'its memory is limited');
like($limits, qr/^Max core file size\s+0\s+0\s/m, 'it writes no core file');
like($limits, qr/^Max open files\s+3\s+3\s/m, 'it can open no file');
my ($soft, $hard) = $limits =~ /^Max cpu time\s+(\d+)\s+(\d+)\s/m;
is($soft % 62, 0, 'its time is limited, for each of its threads');
is($hard, $soft + 1, 'the limit is told before it kills');
is(slurp_file("/proc/$child/oom_score_adj"), "1000\n", 'the system would kill it first');
is($node->safe_psql('postgres', "SELECT wait_event_type FROM pg_stat_activity WHERE pid = $pid"),
	'Extension', 'the session is seen to wait');
is(locks(), 2, 'it holds a lock on the module and one for the program');

# --- what ends a statement ends the program ---

my @files;
for my $round (1 .. 3)
{
	$child = start_compilation($session, $pid, slow_statement()) if $round > 1;
	$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
	is(outcome($session), '57014', "a compilation is cancelled, round $round");
	ok(gone($child), "its process is gone, round $round");
	is(locks(), 0, "no lock is left, round $round");
	is(sqlstate($session, quick_statement()), '', "the session compiles after it, round $round");
	$files[$round] = join "\n", open_files($pid);
}
is($files[3], $files[2], 'no file is left open');

ask($session, "SET statement_timeout = '300ms'");
for my $round (1 .. 3)
{
	is(sqlstate($session, slow_statement()), '57014', "statement_timeout ends a compilation, round $round");
	is(join(' ', children($pid)), '', "its process is gone, round $round");
}
is(ask($session, q{DO $do$ BEGIN
		CREATE FUNCTION never() RETURNS void LANGUAGE wasm AS } . bytea_literal(slow_module()) . q{;
	EXCEPTION WHEN OTHERS THEN END $do$}), '', 'PL/pgSQL does not go on after a timeout');
is(last_sqlstate($session), '57014', 'the statement ended by it');
ask($session, 'RESET statement_timeout');

ask($session, "SET wasm.compile_timeout = '300ms'");
like(message($session, slow_statement()), qr/^54000: compiling a WebAssembly module took too long/,
	'wasm.compile_timeout ends a compilation');
is(join(' ', children($pid)), '', 'its process is gone');
is(ask($session, q{DO $do$ BEGIN
		EXECUTE $$} . slow_statement() . q{$$;
	EXCEPTION WHEN program_limit_exceeded THEN
		RAISE NOTICE 'caught';
	END $do$; SELECT good(2)}), '3', 'that may be caught');
is(locks(), 0, 'no lock is left by it');
ask($session, 'RESET wasm.compile_timeout');

ask($session, "SET wasm.compile_memory_limit = '128MB'");
is(sqlstate($session, q{SELECT wasm.validate(convert_to(repeat(' ', 64 * 1024 * 1024), 'UTF8'))}), '54000',
	'wasm.compile_memory_limit ends a compilation');
ask($session, 'RESET wasm.compile_memory_limit');
is(join("\n", open_files($pid)), $files[3], 'after all this no file is left open');
is(backend($session), $pid, 'the session has lived through it');

# The ends of the session.
for my $case (
	[ 'termination', sub { $node->safe_psql('postgres', "SELECT pg_terminate_backend($_[0])") } ],
	[ 'the loss of the client', sub { $_[1]->{run}->kill_kill }, "SET client_connection_check_interval = '20ms'" ],
	[ 'kill -9', sub { kill 'KILL', $_[0] } ])
{
	my ($what, $end, $setting) = @$case;
	my $victim = session($node);
	my $victim_pid = backend($victim);

	ask($victim, $setting) if $setting;
	$child = start_compilation($victim, $victim_pid, slow_statement());
	$end->($victim_pid, $victim);
	wait_until('the session ends', sub { gone($victim_pid) });
	wait_until('the program ends', sub { gone($child) });
	pass("$what of the session ends the program");
	$victim->{run}->kill_kill;
}

$node->poll_query_until('postgres', 'SELECT true') or die;
$session->{run}->kill_kill;

for my $mode (qw(fast immediate))
{
	my $victim = session($node);
	my $victim_pid = backend($victim);

	$child = start_compilation($victim, $victim_pid, slow_statement());
	$node->stop($mode);
	wait_until('the program ends', sub { gone($child) });
	pass("a shutdown of mode $mode ends the program");
	$victim->{run}->kill_kill;
	$node->start;
}

# --- what the program may do wrong ---

# A reply's head: magic, kind, length, and a layout of zeros.
sub head
{
	my ($kind, $length, $magic) = @_;

	return sprintf q{binmode STDOUT; syswrite STDOUT, pack('LLQQQQQLL', %u, %u, %s, 0, 0, 0, 0, 0, 0);}, $magic // 0x50475734, $kind, $length;
}

my $read_all = '1 while read STDIN, my $bytes, 65536;';
my $for_ever = 'sleep 1 while 1;';

$session = session($node);
$pid = backend($session);
is(ask($session, 'SELECT good(1)'), '2', 'a function is in the cache');
put_script('exit 1;');
is(sqlstate($session, quick_statement()), '58000', 'nothing compiles without the program');
my $fresh = session($node);
is(ask($fresh, 'SELECT good(1)'), '2', 'a fresh session runs what is in the cache without the program');
$fresh->quit;
my $normal = join "\n", open_files($pid);

for my $case (
	[ 'is missing', sub { unlink $program }, '58000', 'could not start the program' ],
	[ 'is a directory', sub { unlink $program; mkdir $program }, '58000', 'could not start the program' ],
	[ 'is a link to itself', sub { unlink $program; symlink $program, $program }, '58000', 'could not start the program' ],
	[ 'may not be executed', sub { put("#!$^X\n", 0644) }, '58000', 'could not start the program' ],
	[ 'is empty', sub { put('', 0755) }, '58000', 'could not start the program' ],
	[ 'is no program', sub { put("\x7fELF" . noise(1000), 0755) }, '58000', 'could not start the program' ],
	[ 'has no interpreter', sub { put("#!/does/not/exist\n", 0755) }, '58000', 'could not start the program' ],
	[ 'does nothing', 'exit 0;', '58000' ],
	[ 'fails', 'exit 1;', '58000' ],
	[ 'reads and does nothing', "$read_all exit 0;", '58000' ],
	[ 'prints a word', "$read_all print 'OK';", '58000' ],
	[ 'prints much', q{print 'nonsense' x 1000000;}, '58000' ],
	[ 'gives an empty reply', head(0, 0), '58000' ],
	[ 'gives a reply of zeros', q{print "\0" x 1000;}, '58000' ],
	[ 'gives half a head', q{syswrite STDOUT, pack('LL', 0x50475734, 0);}, '58000' ],
	[ 'gives a head alone', head(0, 100), '58000' ],
	[ 'gives half a reply', head(0, 100) . 'print "x" x 50;', '58000' ],
	[ 'gives an artifact of nonsense', head(0, 1000) . 'print "x" x 1000;', '58000' ],
	[ 'gives a large artifact of nonsense', head(0, 100000) . 'print "x" x 100000;', '58000' ],
	[ 'gives a huge length', head(0, '~0'), '58000' ],
	[ 'gives a length just too large', head(0, '(1 << 31) + 1'), '58000' ],
	[ 'gives a large length', head(0, '1 << 31'), '58000' ],
	[ 'gives another magic number', head(0, 0, 0x32575047), '58000' ],
	[ 'gives an unknown kind of reply', head(6, 0), '58000' ],
	[ 'gives a negative kind of reply', head(0xffffffff, 0), '58000' ],
	[ 'says that the module is invalid, for no reason', head(2, 0), '22P03' ],
	[ 'says it in bytes that are no text', head(2, 4) . 'print "\xff\xfe\0\x80";', '22P03' ],
	[ 'says it at length', head(2, 1000000) . 'print "a" x 1000000;', '22P03' ],
	[ 'has a syntax error without a place', head(1, 5) . 'print "error";', '42601' ],
	[ 'has a syntax error far out', head(1, 30) . 'print "error --> <anon>:999999999:999";', '42601' ],
	[ 'finds too many functions, without a number', head(3, 0), '54000' ],
	[ 'finds a large function, without a number', head(4, 3) . 'print "abc";', '54000' ],
	[ 'is of another build', head(5, 4) . 'print "48.9";', '55000' ],
	[ 'kills itself by SIGSEGV', q{kill 'SEGV', $$; sleep 9;}, '54000' ],
	[ 'kills itself by SIGKILL', q{kill 'KILL', $$; sleep 9;}, '54000' ],
	[ 'kills itself by SIGABRT', q{kill 'ABRT', $$; sleep 9;}, '54000' ],
	[ 'kills itself by SIGXCPU', q{kill 'XCPU', $$; sleep 9;}, '54000', 'took too long' ],
	[ 'kills itself after half a reply', head(0, 100) . q{kill 'KILL', $$; sleep 9;}, '54000' ],
	[ 'sleeps', $for_ever, '54000', 'took too long' ],
	[ 'sleeps after half a reply', "$read_all " . head(0, 100) . $for_ever, '54000', 'took too long' ],
	[ 'closes its output and sleeps', "close STDOUT; $for_ever", '54000', 'took too long' ],
	[ 'stops', q{kill 'STOP', $$; sleep 9;}, '54000', 'took too long' ],
	[ 'ignores signals', '$SIG{$_} = "IGNORE" for qw(TERM INT HUP PIPE); ' . $for_ever, '54000', 'took too long' ])
{
	my ($what, $action, $expected, $text) = @$case;
	my $statement = quick_statement();

	rmdir $program;
	ref $action ? $action->() : put_script($action);
	ask($session, "SET wasm.compile_timeout = '500ms'") if ($text // '') eq 'took too long';
	my $message = message($session, $statement);
	rmdir $program;
	put_real();
	ask($session, 'RESET wasm.compile_timeout');

	like($message, qr/^$expected: (?!.*\n)/, "a program that $what is an error");
	like($message, qr/$text/, 'it says so') if $text;
	is(join(' ', children($pid)), '', 'no process is left');
	is(ask($session, 'SELECT good(5)'), '6', 'the session goes on');
	is(sqlstate($session, $statement), '', 'the module compiles later');
}
is(join("\n", open_files($pid)), $normal, 'after all this no file is left open');
is(locks(), 0, 'and no lock');
is($node->safe_psql('postgres', 'SELECT count(*) FROM wasm.cache() WHERE bytes > 90000'), '0',
	'nor an artifact of nonsense');

# Those that take no input, when there is much of it.
my $much = 'SELECT wasm.validate(' . bytea_literal(scale_module(1, 3_000_000)) . ')';
for my $case (
	[ 'reads nothing and sleeps', $for_ever, '54000' ],
	[ 'reads a little and sleeps', 'sysread STDIN, my $bytes, 1000000; ' . $for_ever, '54000' ],
	[ 'reads a little and ends', 'sysread STDIN, my $bytes, 1000000; exit 0', '58000' ],
	[ 'closes its input and sleeps', "close STDIN; $for_ever", '54000' ],
	[ 'closes its input and ends', 'close STDIN; select undef, undef, undef, 0.1;', '58000' ])
{
	my ($what, $code, $expected) = @$case;

	put_script($code);
	ask($session, "SET wasm.compile_timeout = '1s'");
	is(sqlstate($session, $much), $expected, "a program that $what is an error");
	put_real();
	is(join(' ', children($pid)), '', 'no process is left');
}
ask($session, 'RESET wasm.compile_timeout');
is(ask($session, $much), 't', 'the program itself reads it all');

# One that waits for ever is cancelled as any.
put_script($for_ever);
start($session, quick_statement());
wait_until('the program runs', sub { ($child) = children($pid) });
$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
is(outcome($session), '57014', 'a program that sleeps can be cancelled');
ok(gone($child), 'it is gone');
put_real();
is(backend($session), $pid, 'the session has lived through it');

# --- how many run ---

my @sessions = map { session($node) } 1 .. 8;
my @pids = map { backend($_) } @sessions;

sub waiting
{
	return $node->safe_psql('postgres', "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted");
}

sub running
{
	return scalar map { children($_) } @pids;
}

# One module, eight sessions: one compiles, the others wait for it.
my $same = quick_statement();
put_gated();
close_gate();
start($_, $same) for @sessions;
wait_until('one compiles', sub { started() });
wait_until('seven wait', sub { waiting() == 7 });
is(running(), 1, 'of eight sessions with the same module one compiles');
my $waiter = (grep { !children($pids[$_]) } 0 .. 7)[0];
my $before = join ' ', open_files($pids[$waiter]);
$node->safe_psql('postgres', "SELECT pg_cancel_backend($pids[$waiter])");
is(outcome($sessions[$waiter]), '57014', 'one that waits can be cancelled');
wait_until('six wait', sub { waiting() == 6 });
start($sessions[$waiter], $same);
wait_until('seven wait again', sub { waiting() == 7 });
$node->safe_psql('postgres', "SELECT pg_terminate_backend($pids[$waiter], 60000)");
wait_until('six wait', sub { waiting() == 6 });
$sessions[$waiter] = session($node);
is(scalar started(), 1, 'nobody else has started the program');
open_gate();
is(outcome($_), '', 'the session has the module') for @sessions;
is(scalar started(), 1, 'the program was started once for all');
is(locks(), 0, 'no lock is left');

# The one that compiles is killed: another goes on.
$same = quick_statement();
@pids = map { backend($_) } @sessions;
unlink $starts;
close_gate();
start($_, $same) for @sessions;
wait_until('seven wait', sub { started() && waiting() == 7 });
my $first = (grep { children($pids[$_]) } 0 .. 7)[0];
$node->safe_psql('postgres', "SELECT pg_terminate_backend($pids[$first], 60000)");
wait_until('another one compiles', sub { started() == 2 });
is(waiting(), 6, 'when the session that compiles ends, one of the others does');
open_gate();
$sessions[$first] = session($node);
is(outcome($_), '', 'the session has the module') for @sessions;
is(scalar started(), 2, 'the program was started twice');

# Eight modules: two at a time.
@pids = map { backend($_) } @sessions;
unlink $starts;
close_gate();
start($_, quick_statement()) for @sessions;
wait_until('two compile', sub { started() == 2 });
wait_until('six wait', sub { waiting() >= 5 });
is(running(), 2, 'of eight sessions with modules of their own two compile');
is(scalar started(), 2, 'no other has started the program');
# whichever of the two ends, a waiting one takes its place
for my $count (3 .. 4)
{
	my ($done) = grep { children($pids[$_]) } 0 .. 7;

	$node->safe_psql('postgres', "SELECT pg_cancel_backend($pids[$done])");
	is(outcome($sessions[$done]), '57014', 'one is cancelled');
	wait_until('another one compiles', sub { started() == $count });
	is(running(), 2, 'two compile again');
}
open_gate();
my $failed = grep { outcome($_) } @sessions;
is($failed, 0, 'the others have their modules');
is(scalar started(), 8, 'the program was started once for each');
is(locks(), 0, 'no lock is left');

# --- parallel workers ---

$node->safe_psql('postgres', q{
	CREATE TABLE numbers AS SELECT n FROM generate_series(1, 20000) n;
	CREATE FUNCTION plus(integer) RETURNS integer LANGUAGE wasm PARALLEL SAFE AS
		'(module (func (export "plus") (param i32) (result i32) (i32.add (local.get 0) (i32.const 3))))';
	ANALYZE numbers;
});
my $parallel = q{
	SET max_parallel_workers_per_gather = 4;
	SET parallel_setup_cost = 0;
	SET parallel_tuple_cost = 0;
	SET min_parallel_table_scan_size = 0;
};
ask($session, $parallel);
like(ask($session, 'EXPLAIN (COSTS OFF) SELECT sum(plus(n)) FROM numbers'), qr/Workers Planned: [1-4]/,
	'the query is planned for parallel workers');
unlink glob "$cache/*";
unlink $starts;
close_gate();
start($session, 'SELECT sum(plus(n)) FROM numbers');
sub members
{
	return split /\n/, $node->safe_psql('postgres',
		"SELECT pid FROM pg_stat_activity WHERE $pid IN (pid, leader_pid)");
}
wait_until('one compiles', sub { started() });
my @members = members();
cmp_ok(scalar @members, '>', 1, 'workers have been started');
# what each of them waits for is seen from outside
wait_until('each waits', sub { @members = members();
	@members == grep { slurp_file("/proc/$_/wchan") =~ /epoll|poll/ } @members });
is(scalar started(), 1, 'one of them compiles');
is(scalar(map { children($_) } @members), 1, 'one program runs');
is(join(' ', map { process_status($_, 'Threads') } @members), join(' ', map { 1 } @members),
	'each of them has one thread');
open_gate();
is($session->query('SELECT 1'), "200070000\n1", 'all of them run the function');
is(last_sqlstate($session), '', 'without an error');
is(scalar started(), 1, 'the program was started once');

unlink glob "$cache/*";
unlink $starts;
ask($session, 'DISCARD ALL');
$session->quit;
$session = session($node);
$pid = backend($session);
ask($session, $parallel);
close_gate();
start($session, 'SELECT sum(plus(n)) FROM numbers');
wait_until('one compiles', sub { started() });
$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
is(outcome($session), '57014', 'a cancel ends the query');
wait_until('the program ends', sub { !grep { !gone($_) } started() });
pass('and the programs of its workers');
open_gate();
put_real();
is(ask($session, 'SELECT sum(plus(n)) FROM numbers'), '200070000', 'the query runs after it');

# --- what the program finds ---

is(message($session, qq{DO LANGUAGE wasm E'(module\n  (func (i32.const x)))'}) =~ s/ - .*//r,
	'42601: syntax error in WebAssembly text: expected a i32', 'a syntax error is reported');
like($session->{stderr}, qr/^LINE 2:   \(func \(i32\.const x\)\)\)\n +\^/m, 'with its place');
is(ask($session, q{SELECT wasm.validate('(module)'), wasm.validate('(modul)'), wasm.validate('(module (func (result i32)))'),
	wasm.validate('\x0061736d01000000'), wasm.validate('\x0061736d02000000'), wasm.validate('\x0061736d0d000100')}),
	't|f|f|t|f|t', 'wasm.validate answers');

# --- large modules ---

sub create_from_file
{
	my ($name, $bytes) = @_;

	unlink("$folder/$name");
	append_to_file("$folder/$name", $bytes);
	return sqlstate($session, "SELECT wasm.create_module('$name', pg_read_binary_file('$folder/$name'))");
}

is(create_from_file('large', scale_module(7, 10_500_000)), '', 'a module of more than 10 MB is compiled');
ask($session, q{CREATE FUNCTION scale(integer) RETURNS integer LANGUAGE wasm AS 'large'});
is(ask($session, 'SELECT scale(6)'), '42', 'it works');

my @bodies = map { function_body(sprintf '2000 41%02x 6a' . ('20006a 200073' x 30) . '0b', $_ % 64) } 0 .. 3_999;
my $code = module(
	section(1, vector("\x60" . vector("\x7f") . vector("\x7f"))),
	section(3, vector(map { "\0" } @bodies)),
	section(7, vector(name('last') . "\0" . uleb($#bodies))),
	section(10, vector(@bodies)));
is(create_from_file('coded', $code), '', 'a module of 4,000 functions is compiled');
ask($session, q{CREATE FUNCTION last(integer) RETURNS integer LANGUAGE wasm AS 'coded'});
# from 1 + 31: plus one and then without the last bit, again and again
is(ask($session, 'SELECT last(1)'), '32', 'it works');
cmp_ok($node->safe_psql('postgres', 'SELECT max(bytes) FROM wasm.cache()'), '>', 1_000_000,
	'its artifact has more than 1 MB');

$session->quit;
$_->quit for @sessions;

# --- the log ---

my @bad = grep { /PANIC|TRAP:|XX000|server process .* (exited|was terminated)/ && !/was terminated by signal 9/ }
  split /\n/, slurp_file($node->logfile);
is(join("\n", @bad), '', 'nothing else happened to the server');
is(join(' ', programs()), '', 'no process is left');
$node->stop;

done_testing();
