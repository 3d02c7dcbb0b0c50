# wasi:filesystem for components, call by call: numbers that no library gives, handles
# that are used again, streams that outlive their file, and what a guest does with its
# files while something else goes on.  What libraries do is test/checkout/component_files.pl.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use WasmTest;

# What test/guests/raw_files.wat makes of errors
my ($badf, $fbig, $inval, $isdir, $nomem, $notdir, $overflow, $rofs) = map { -1 - $_ } 3, 8, 12, 14, 22, 24, 30, 33;
my $end = -100;
# What a read adds to its bytes at the end
my $eof = 1000000;
# Of open
my ($create, $exclusive, $truncate) = (1, 4, 8);
my ($read, $write) = (1, 2);

# Offsets, as signed numbers: the greatest of int64, the first beyond it, the greatest of all
my ($most, $beyond, $all) = ('9223372036854775807', "'-9223372036854775808'", -1);

my $top = PostgreSQL::Test::Utils::tempdir;
my ($data, $out) = ("$top/data", "$top/out");

sub fill
{
	my ($path, $text) = @_;

	open(my $handle, '>', $path) or die "cannot write $path: $!";
	print $handle $text;
	close($handle) or die "cannot write $path: $!";
}

mkdir($_) or die "cannot make $_: $!" for $data, $out, "$data/sub";
fill("$data/hello", 'Hello, guest');

my $node = wasm_node('component_files');
my $wat = slurp_file(source_dir() . '/test/guests/raw_files.wat');

$node->safe_psql('postgres', qq{
	CREATE FUNCTION guest() RETURNS wasm.module LANGUAGE wasm AS \$wat\$$wat\$wat\$;
	SELECT wasm.create_functions('guest', prefix => 'f_');
	ALTER FUNCTION f_at_start() PARALLEL SAFE;
});

sub grant
{
	$node->safe_psql('postgres', "ALTER FUNCTION guest() SET wasm.directories = E'" . join('\n', @_) . "'");
}

my $session = session($node);

# What a function returns, or its error
sub f
{
	my ($call) = @_;
	my $answer = ask($session, "SELECT f_$call");

	return $session->{stderr} =~ /(?:ERROR|FATAL|PANIC):  (\w{5}: [^\n]*)/ ? $1 : $answer;
}

# How many descriptors the session's backend has open beneath the folder of this test
sub descriptors
{
	my $pid = ask($session, 'SELECT pg_backend_pid()');

	return scalar grep { (readlink($_) // '') =~ /^\Q$top\E\// } glob("/proc/$pid/fd/*");
}

# --- directories, while an instance is made and later ---

is(f('at_start()'), 0, 'nothing is granted');
is(f('directory(0)'), 0, 'and there are no directories');
grant("/data=$data", "/out=$out:rw");
is(f('at_start()'), 12, 'a file is read while the instance is made');
is(ask($session, 'SET force_parallel_mode = on; SELECT f_at_start(); RESET force_parallel_mode'), 12, 'in a parallel worker too');

my ($d, $o) = (f('directory(0)'), f('directory(1)'));
my $again = f('directory(0)');
isnt($again, $d, 'a directory that is asked for again is another handle');
is(f("same($d, $again)") . f("same($d, $o)"), 'tf', 'of the same');
f("drop_file($_)") for $again, f('directory(0)');
my $h = f("open($d, 'hello', 0, $read)");
cmp_ok($h, '>', 0, 'it remains when other handles of it are dropped');
is(f("drop_file($again)"), "38000: WebAssembly error: unknown handle index $again", 'a handle that is dropped twice ends the instance');
is(descriptors(), 0, 'and closes its files');
($d, $o) = (f('directory(0)'), f('directory(1)'));
$h = f("open($d, 'hello', 0, $read)");

# --- numbers ---

my @reads = (
	[ 5, 0, 5 ], [ 0, 0, $eof ], [ 100, 7, 5 ], [ 5, 12, $eof ], [ $all, 0, 12 ],
	[ 5, '9223372036854710271', $eof ], [ 5, $most, $inval ], [ 5, $beyond, $inval ], [ 5, -2, $inval ], [ 5, $all, $inval ],
);
is(f("read($h, $_->[0], $_->[1])"), $_->[2], "read $_->[0] at $_->[1]") for @reads;
is(f("read($h, 5, 0)"), 5, 'and none of them moved anything');
is(f("read($d, 5, 0)"), $isdir, 'a directory is not read');

my $n = f("open($o, 'new', @{[ $create | $exclusive ]}, @{[ $read | $write ]})");
is(f("write($n, '0123456789', 0)"), 10, 'a file is written');
is(f("write($n, 'x', $_)"), $inval, "not at $_") for $most, $beyond, -2, $all;
is(f("write($n, 'x', 9223372036854710271)"), $fbig, 'nor where no file system has files');
is(f("set_size($n, $_->[0])"), $_->[1], "nor is $_->[0] its size") for [ $most, $fbig ], [ $beyond, $inval ], [ $all, $inval ];

# --- times ---

# of them 1073741823 and 1073741822 have a meaning for the kernel
for my $nanoseconds (999999999, 1073741823, 1073741822, -1)
{
	is(join(' ', map { f($_) } "set_time($n, 2, 5, 1)", "set_time($n, 2, 6, $nanoseconds)", "seconds($n)", "nanoseconds($n)"),
		'0 0 6 999999999', "a time with $nanoseconds nanoseconds");
}
is(f("set_time($n, 2, $_, 0)"), $overflow, "a time $_ is too far away") for $beyond, $all;
is(join(' ', map { f($_) } "set_time($n, 0, 0, 0)", "seconds($n)"), '0 6', 'it remains');

# --- streams ---

my ($one, $two, $w, $r) = map { f($_) } "append($n)", "append($n)", "write_from($n, 2)", "read_from($n, 0)";
is(join(' ', map { f($_) } "out_write($one, 'A')", "out_write($two, 'B')", "out_write($w, 'WW')", "out_write($one, 'a')", "out_write($w, 'w')"),
	'0 0 0 0 0', 'streams of a file are written');
is(slurp_file("$out/new"), '01WWw56789ABa', 'each at its own place, or at the end');
is(join(' ', map { f($_) } "splice($one, $r, 5)", "splice($one, $r, $all)", "splice($one, $r, 0)", "in_read($r, 0)"), "5 13 0 0",
	'a stream is copied to the end of its own file, as far as it was when that was read');
is(slurp_file("$out/new"), '01WWw56789ABa01WWw56789ABa01WWw', 'all of it is there');
f("drop_file($n)");
is(join(' ', map { f($_) } "out_write($one, 'z')", "in_read($r, 100)", "in_read($r, 100)"), "0 14 $end", 'streams outlive the descriptor');

is(f("read_from($h, $_)"), $inval, "no stream begins at $_") for $beyond, $all;
my $far = f("read_from($h, $most)");
is(f("in_read($far, 1)"), $inval, 'but where nothing can be read');
$far = f("write_from(f_open($o, 'new', 0, $write)::integer, $most)");
is(f("out_write($far, 'x')"), $inval, 'nor written');
is(f("in_read(f_read_from($d, 0)::integer, 1)"), $isdir, 'a directory is no stream of bytes');

my ($e, $f) = (f("entries($d)"), f("entries($d)"));
is(join(' ', sort { $a <=> $b } map { f("next($e)") } 1 .. 3), '0 3 5', 'entries of a directory');
is(f("next($e)"), 0, 'end once');
is(join(' ', sort { $a <=> $b } map { f("next($f)") } 1 .. 3), '0 3 5', 'another stream of them has its own place');
is(f("entries($h)"), $notdir, 'a file has no entries');

# --- what is granted for reading ---

is(f("open($d, 'hello', $_->[0], $_->[1])"), $rofs, "not opened by $_->[0] and $_->[1]")
  for [ 0, $write ], [ 0, $read | $write ], [ $truncate, $read ], [ $create, $read ];
is(f("write($h, 'x', 0)"), $badf, 'not written');
is(f("out_write(f_write_from($h, 0)::integer, 'x')"), $badf, 'not by a stream');
is(f("out_write(f_append($h)::integer, 'x')"), $badf, 'not at its end');
is(f("splice(f_append($h)::integer, f_read_from($h, 0)::integer, 5)"), $badf, 'not from itself');
is(f("set_size($h, 0)"), $rofs, 'not made shorter');
is(f("set_time($_, 2, 1, 1)"), $rofs, 'nor given a time') for $h, $d;
is(slurp_file("$data/hello"), 'Hello, guest', 'it is as it was');

# --- what a file is ---

my $hash = f("hash($h)");
is(f("hash(f_open($d, 'hello', 0, $read)::integer)"), $hash, 'a hash is that of the file');
isnt(f("hash($d)"), $hash, 'and of no other');
fill("$data/hello", 'Hello, other guest');
isnt(f("hash($h)"), $hash, 'nor of what it was');

# --- how many ---

cmp_ok(descriptors(), '<=', 34, 'so many files are open');
is(f("entries($d)") > 0 ? 'room' : 'none', 'room', 'with room for more') or diag(descriptors());
is(ask($session, "SELECT min(f_entries($d)) FROM generate_series(1, 40)"), $nomem, 'which ends');
is(f("read($h, 5, 0)"), 5, 'what is open remains of use');
like(f("directory(0) FROM generate_series(1, 1000000)"), qr/^\w{5}: WebAssembly error: cannot allocate another handle/,
	'and so do handles of directories');
is(descriptors(), 0, 'the end of the instance closes all');

# --- meanwhile ---

sub meanwhile
{
	my ($sql) = @_;
	my $file = f("open(f_directory(0)::integer, 'hello', 0, $read)");

	return f("execute_and_read('" . ($sql =~ s/'/''/gr) . "', $file, 0)");
}
is(meanwhile("SELECT f_read(f_open(f_directory(0)::integer, 'hello', 0, 1)::integer, 1, 0)"), 1, 'the guest is called again');
like(meanwhile("SELECT f_in_read(99, 0)"), qr/^38000: WebAssembly error: unknown handle index 99$/, 'and fails there');
is(meanwhile('SELECT wasm.reset()'), 1, 'instances are reset');
like(meanwhile('DISCARD ALL'), qr/^25001: /, 'a session is not discarded in a call');
is(meanwhile("ALTER FUNCTION guest() RESET wasm.directories"), 1, 'the grant is taken away');
is(f('directory(0)'), 0, 'which takes effect for the next call');
grant("/data=$data", "/out=$out:rw");
is(meanwhile('DROP FUNCTION guest() CASCADE'), 1, 'the module is dropped');
is(descriptors(), 0, 'which closes its files');

# --- two instances in a component ---

my $two_parts = slurp_file(source_dir() . '/test/guests/two_parts.wat');
$node->safe_psql('postgres', qq{
	CREATE FUNCTION two() RETURNS wasm.module LANGUAGE wasm SET wasm.directories = '/data=$data' AS \$wat\$$two_parts\$wat\$;
	SELECT wasm.create_functions('two', prefix => 'f_');
});
my ($first, $second, $passed) = map { f($_) } 'one_first()', 'two_first()', 'passed()';
is(f("two_drop($passed)"), '', 'a handle that one gave is dropped by the other');
is(f("two_drop($second)"), '', 'which has one of its own');
is(f("one_drop($first)"), '', 'as has the first');
is(f("two_drop($first)"), "38000: WebAssembly error: unknown handle index $first", 'and not that of the first');

$session->quit;
check_log($node);
done_testing();
