# wasm.directories: what a guest can do in the directories that its module was
# granted, and that it gets nowhere else, whatever paths, links and files it meets.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use POSIX qw(mkfifo);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use WasmTest;

# Errors of WASI
my ($badf, $exist, $fault, $inval, $isdir, $loop, $mfile, $nametoolong) = (8, 20, 21, 28, 31, 32, 33, 37);
my ($noent, $notdir, $notempty, $notsup, $nxio, $perm, $rofs, $spipe) = (44, 54, 55, 58, 60, 63, 69, 70);
# Kinds of files
my ($directory, $file, $link) = (3, 4, 7);
# What is asked of open: access, and flags
my ($read, $write, $both, $nofollow) = (1, 2, 3, 4);
my ($creat, $is_directory, $excl, $trunc) = (1, 2, 4, 8);
my $append = 1;

my $top = PostgreSQL::Test::Utils::tempdir;
my ($data, $out) = ("$top/data", "$top/out");
my $wasm = "$top/guest.wasm";

system('clang', '--target=wasm32', '-O2', '-nostdlib', '-fno-builtin', '-Wl,--no-entry', '-o', $wasm,
	source_dir() . '/test/guests/directories.c') == 0
  or die "the guest does not compile";

sub fill
{
	my ($path, $text) = @_;

	open(my $handle, '>', $path) or die "cannot write $path: $!";
	print $handle $text;
	close($handle) or die "cannot write $path: $!";
}

mkdir($_) or die "cannot make $_: $!" for $data, $out, "$data/sub", "$data/sub/deep", "$top/secret", "$top/conf";
fill("$data/hello", 'Hello, guest');
fill("$data/sub/inner", 'inside');
fill("$top/secret/key", 'secret');
fill("$top/conf/ident", '');

my $node = wasm_node('directories', conf => "ident_file = '$top/conf/ident'\n");

$node->safe_psql('postgres', qq{
	CREATE ROLE guest LOGIN;
	GRANT USAGE ON LANGUAGE wasm TO guest;
	SELECT wasm.create_module('guest', pg_read_binary_file('$wasm'));
	GRANT EXECUTE ON FUNCTION guest() TO guest;
});

# export => signature, beside the first argument, a file
my %functions = (
	'grants() text' => 'grants',
	'grant_name(integer, integer) integer' => 'grant_name',
	'open(integer, text, integer, integer DEFAULT 0, integer DEFAULT 0) integer' => 'open',
	'open_nowhere(integer, text) integer' => 'open_nowhere',
	'open_outside(integer) integer' => 'open_outside',
	'open_often(integer, text, integer) integer' => 'open_often',
	'open_all(integer, text) text' => 'open_all',
	'open_and_trap(integer, text) void' => 'open_and_trap',
	'read_often(integer, text, integer) text' => 'read_often',
	'read_forever(integer) void' => 'read_forever',
	'close(integer) integer' => 'close',
	'renumber(integer, integer) integer' => 'renumber',
	'read(integer, integer, bigint DEFAULT -1) text' => 'read',
	'write(integer, text, bigint DEFAULT -1) integer' => 'write',
	'seek(integer, bigint, integer) bigint' => 'seek',
	'set_size(integer, bigint) integer' => 'set_size',
	'sync(integer) integer' => 'sync',
	'allocate(integer) integer' => 'allocate',
	'advise(integer) integer' => 'advise',
	'status(integer) text' => 'status',
	'status_at(integer, text, integer DEFAULT 1) text' => 'status_at',
	'flags(integer) text' => 'flags',
	'set_flags(integer, integer) integer' => 'set_flags',
	'set_time(integer, bigint, integer) integer' => 'set_time',
	'set_time_at(integer, text, integer, bigint) integer' => 'set_time_at',
	'list(integer, integer) text' => 'list',
	'make_directory(integer, text) integer' => 'make_directory',
	'remove_directory(integer, text) integer' => 'remove_directory',
	'unlink(integer, text) integer' => 'unlink',
	'rename(integer, text, integer, text) integer' => 'rename',
	'link(integer, text, integer, text) integer' => 'link',
	'symlink(text, integer, text) integer' => 'symlink',
	'read_link(integer, text, integer DEFAULT 1000) text' => 'read_link',
);
for my $signature (sort keys %functions)
{
	my ($declaration, $result) = $signature =~ /^(.*) (\w+)$/;

	$node->safe_psql('postgres',
		"CREATE FUNCTION fs_$declaration RETURNS $result LANGUAGE wasm AS 'guest#$functions{$signature}'");
}

my $session = session($node);

# What a function returns
sub fs
{
	my ($call) = @_;
	my $answer = ask($session, "SELECT fs_$call");

	return $session->{stderr} =~ /(?:ERROR|FATAL|PANIC):  (\w{5}: [^\n]*)/ ? $1 : $answer;
}

# Sets the directories of the module, or none.
sub grant
{
	my (@lines) = @_;
	my $value = join '\n', @lines;

	$node->safe_psql('postgres',
		@lines ? "ALTER FUNCTION guest() SET wasm.directories = E'$value'" : 'ALTER FUNCTION guest() RESET wasm.directories');
}

# How many descriptors the session's backend has open beneath the folder of this test
sub descriptors
{
	my $pid = ask($session, 'SELECT pg_backend_pid()');

	return scalar grep { (readlink($_) // '') =~ /^\Q$top\E\// } glob("/proc/$pid/fd/*");
}

# --- nothing is granted ---

is(fs('grants()'), '', 'no directories by default');
is(fs(q{open(3, 'hello', 1)}), -$badf, 'nothing to open');
is(ask($session, "SET wasm.directories = '/data=$data'; SELECT fs_grants()"), '', 'nor by a setting of the session');
ask($session, 'RESET wasm.directories');

# --- who grants, and what ---

my $guest = session($node, undef, role => 'guest');
is(ask($guest, 'SELECT fs_grants()'), '', 'a plain user who can call the guest');
is(sqlstate($guest, "SET wasm.directories = '/data=$data'"), '42501', 'cannot set it');
is(sqlstate($guest, "CREATE FUNCTION pg_temp.m() RETURNS wasm.module LANGUAGE wasm SET wasm.directories = '/data=$data' AS '(module)'"),
	'42501', 'nor at a function of their own');
for my $bad ('data', 'data=/tmp', '/data=tmp', '/data=', '=/tmp', '/a/../b=/tmp', '/a=/tmp/..', "/a=/tmp\n\n/b=/tmp",
	'/a=' . $node->data_dir, '/a=' . $node->data_dir . '/base:rw', '/a=' . $node->data_dir . '//./base',
	join("\n", map { "/$_=/tmp" } 1 .. 17))
{
	my $shown = substr($bad =~ s/\n/\\n/gr, 0, 30);

	is(sqlstate($session, "ALTER FUNCTION guest() SET wasm.directories = '$bad'"), '22023', "refused: $shown");
}

# --- reading ---

grant("/data=$data", "/out=$out:rw");
is(fs('grants()'), '3/data 4/out', 'the directories in their order');
is(fs('grant_name(3, 4)'), $nametoolong, 'no room for a name');
is(fs('grant_name(5, 100)'), $badf, 'there are no more');
is(fs(q{open(3, 'hello', 1)}), 5, 'a file is opened');
is(fs('read(5, 5)'), 'Hello', 'and read');
is(fs('read(5, 100)'), ', guest', 'to its end');
is(fs('read(5, 100)'), '', 'behind which is nothing');
is(fs('read(5, 5, 7)'), 'guest', 'read somewhere else');
is(fs('seek(5, -5, 2)'), 7, 'sought from the end');
is(fs('read(5, 3)'), 'gue', 'and read from there');
is(fs('seek(5, 0, 3)'), 10, 'where it is');
is(fs('seek(5, -20, 1)'), -$inval, 'before the beginning');
is(fs('seek(5, 0, 7)'), -$inval, 'whence?');
like(fs('status(5)'), qr/^$file 12 \d+$/, 'kind and size of a file');
is(fs('flags(5)'), "$file 0 r-", 'flags of a file');
is(fs('flags(3)'), "$directory 0 rw", 'flags of a directory');
is(fs('advise(5)'), 0, 'advice is taken');
is(fs('allocate(5)'), $notsup, 'nothing is allocated ahead');
is(fs('read(3, 5)'), "error $isdir", 'a directory has no bytes');
is(fs(q{open(5, 'hello', 1)}), -$notdir, 'a file contains nothing');
is(fs(q{open(3, 'none', 1)}), -$noent, 'what does not exist');
is(fs(q{open(3, '', 1)}), -$noent, 'no name');
is(fs(q{open(3, repeat('x/', 3000), 1)}), -$nametoolong, 'a path that is too long');
is(fs('open_outside(3)'), $fault, 'a path outside of the memory');
is(fs(q{open_nowhere(3, 'hello')}), $fault, 'no place for the number');
is(descriptors(), 2, 'which opened nothing');
is(fs('close(5)'), 0, 'a file is closed');
is(fs('close(5)'), $badf, 'once');
is(fs('read(5, 1)'), "error $badf", 'and not read any more');
is(fs('write(1, E\'x\n\')'), 2, 'the standard output is what it was');
is(fs('seek(1, 0, 0)'), -$spipe, 'and has no places');

# --- directories ---

is(fs(q{open(3, 'sub', 1, 2)}), 5, 'a directory is opened');
is(fs(q{open(5, 'inner', 1)}), 6, 'and a file in it');
is(fs('read(6, 10)'), 'inside', 'and read');
is(fs(q{open(3, 'sub/../sub/deep/..//./inner', 1)}), 7, 'by a way around');
is(fs('read(7, 10)'), 'inside', 'that stays within');
is(fs(q{open(3, 'hello', 1, 2)}), -$notdir, 'a file is no directory');
is(join(' ', sort split m{/}, fs('list(5, 1000)')), " deep $directory inner $file", 'entries of a directory');
is(fs('list(6, 1000)'), "error $notdir", 'a file has none');
is(fs('list(1, 1000)'), "error $badf", 'nor has the standard output');
fs("close($_)") for 5 .. 7;

mkdir("$data/many") or die;
fill("$data/many/" . sprintf('%03d', $_) . ('x' x ($_ % 50)), '') for 1 .. 500;
is(fs(q{open(3, 'many', 1, 2)}), 5, 'a directory with many entries');
for my $size (100, 999, 65536)
{
	my @names = sort map { s/ $file$//r } grep { $_ ne '' } split m{/}, fs("list(5, $size)");

	is(join(' ', @names), join(' ', map { sprintf('%03d', $_) . ('x' x ($_ % 50)) } 1 .. 500), "listed by $size bytes");
}
fs('close(5)');

# --- nothing leads out ---

symlink("$top/secret/key", "$data/absolute") or die;
symlink('../secret/key', "$data/relative") or die;
symlink('../secret', "$data/folder") or die;
symlink('/proc/self/root', "$data/magic") or die;
symlink('hello', "$data/inward") or die;
symlink('round', "$data/round") or die;
my %ways = (
	'../secret/key' => $perm,
	'sub/../../secret/key' => $perm,
	'..' => $perm,
	"$top/secret/key" => $perm,
	'/etc/passwd' => $perm,
	'/' => $perm,
	'absolute' => $perm,
	'relative' => $perm,
	'folder/key' => $perm,
	'magic/etc/passwd' => $perm,
	'round' => $loop,
);
for my $way (sort keys %ways)
{
	is(fs("open(3, '$way', 1)"), -$ways{$way}, "not opened: $way");
	is(fs("status_at(3, '$way')"), "error $ways{$way}", "not looked at: $way");
}
is(fs(q{open(3, 'sub', 1, 2)}), 5, 'a directory within');
is(fs(q{open(5, '../hello', 1)}), -$perm, 'is one that cannot be left');
fs('close(5)');
is(fs(q{open(3, 'inward', 1)}), 5, 'a link that stays within is followed');
is(fs('read(5, 100)'), 'Hello, guest', 'to its file');
is(fs(q{open(3, 'inward', 5)}), -$loop, 'unless links are not to be followed');
like(fs(q{status_at(3, 'inward', 0)}), qr/^$link 5 /, 'the link itself');
like(fs(q{status_at(3, 'inward')}), qr/^$file 12 /, 'and its file');
is(fs(q{read_link(3, 'relative')}), '../secret/key', 'where a link leads');
is(fs(q{read_link(3, 'relative', 5)}), '../se', 'as much as there is room for');
is(fs(q{read_link(3, 'hello')}), "error $inval", 'a file is no link');
fs('close(5)');

# Somebody puts a link that leads out in a directory's place, and takes it away again.
sub swap_for_ever
{
	my ($place, $directory, $link) = @_;

	for (;;)
	{
		rename($place, $directory) && rename($link, $place) && rename($place, $link) && rename($directory, $place)
		  or POSIX::_exit(1);
	}
}

mkdir("$data/place") or die;
fill("$data/place/key", 'public');
symlink('../secret', "$data/link") or die;
my $swapper = fork() // die "cannot fork: $!";
swap_for_ever("$data/place", "$data/directory", "$data/link") if $swapper == 0;
my ($public, $secret, $failures, $rounds) = (0, 0, 0, 0);
while (($public == 0 || $failures == 0 || $rounds < 5) && $rounds++ < 100)
{
	my @counts = split / /, fs(q{read_often(3, 'place/key', 10000)});

	$public += $counts[0];
	$secret += $counts[1];
	$failures += $counts[2];
}
kill('KILL', $swapper);
waitpid($swapper, 0);
is($? & 127, 9, 'links came and went until the end');
is($secret, 0, 'and none was followed');
ok($public > 0 && $failures > 0, 'in some of the moments when it was there');
note("read $public times, refused $failures times");

# --- only files and directories ---

mkfifo("$data/fifo", 0666) or die;
mkfifo("$out/fifo", 0666) or die;
is(fs(q{open(3, 'fifo', 1)}), -$notsup, 'a FIFO is not opened');
is(fs(q{open(4, 'fifo', 2)}), -$nxio, 'nor to be written, where nobody reads');
is(fs(q{open(4, 'fifo', 3)}), -$notsup, 'nor for both, where nothing waits');
is(descriptors(), 2, 'and nothing stays open');

# --- a grant for reading lets nothing be changed ---

my %changes = (
	q{open(3, 'new', 2, 1)} => -$rofs,
	q{open(3, 'hello', 2)} => -$rofs,
	q{open(3, 'hello', 3)} => -$rofs,
	q{open(3, 'hello', 1, 8)} => -$rofs,
	q{open(3, 'hello', 1, 1)} => -$rofs,
	q{make_directory(3, 'new')} => $rofs,
	q{remove_directory(3, 'sub/deep')} => $rofs,
	q{unlink(3, 'hello')} => $rofs,
	q{rename(3, 'hello', 3, 'new')} => $rofs,
	q{rename(3, 'hello', 4, 'new')} => $rofs,
	q{set_time_at(3, 'hello', 1, 1)} => $rofs,
	q{link(3, 'hello', 4, 'new')} => $notsup,
	q{symlink('hello', 3, 'new')} => $notsup,
);
for my $change (sort keys %changes)
{
	is(fs($change), $changes{$change}, "refused: $change");
}
is(fs(q{open(3, 'sub', 3, 2)}), 5, 'a directory may be opened for more');
is(fs(q{open(5, 'inner', 3)}), -$rofs, 'but not what is in it');
is(fs(q{open(3, 'hello', 1)}), 6, 'a file that may be read');
is(fs(q{write(6, 'x')}), -$badf, 'is not written');
is(fs('set_size(6, 0)'), $rofs, 'nor made shorter');
is(fs('set_time(6, 1, 4)'), $rofs, 'nor given a time');
is(fs('sync(6)'), 0, 'there is nothing to wait for');
fs("close($_)") for 5, 6;
is(slurp_file("$data/hello"), 'Hello, guest', 'the file is as it was');
ok(!-e "$data/new" && !-e "$out/new", 'and no other came');

# --- writing ---

is(fs(q{open(4, 'text', 3, 1)}), 5, 'a file is made');
is(fs(q{write(5, 'first second')}), 12, 'and written');
is(fs(q{write(5, 'FIRST', 0)}), 5, 'elsewhere too');
is(fs('read(5, 100, 0)'), 'FIRST second', 'and read');
is(fs('sync(5)'), 0, 'and synchronized');
is(slurp_file("$out/text"), 'FIRST second', 'the server sees it');
is(sprintf('%o', (stat "$out/text")[2] & 0777), '600', 'it is nobody else\'s');
is(fs('set_size(5, 5)'), 0, 'made shorter');
is(fs('set_time(5, 1000, 4)'), 0, 'given a time');
is(fs('status(5)'), "$file 5 1000", 'as it is seen');
is(fs('set_time(5, 1000, 12)'), $inval, 'not two at once');
is(fs(q{set_time_at(4, 'text', 1, 2000)}), 0, 'given a time by its path');
is(fs(q{status_at(4, 'text')}), "$file 5 2000", 'as it is seen');
is(fs('set_flags(5, 1)'), 0, 'appended to from now on');
is(fs('flags(5)'), "$file 1 rw", 'as its flags say');
is(fs(q{write(5, '!')}), 1, 'and done');
is(fs('close(5)'), 0, 'closed');
is(fs(q{open(4, 'text', 2, 5)}), -$exist, 'a new file only');
is(fs(q{open(4, 'text', 2, 0, 1)}), 5, 'opened to append');
is(fs(q{write(5, '?')}), 1, 'and appended to');
is(fs('read(5, 1)'), "error $badf", 'it is not for reading');
is(fs('close(5)'), 0, 'closed');
is(slurp_file("$out/text"), 'FIRST!?', 'all of it is there');
is(fs(q{open(4, 'text', 2, 8)}), 5, 'made empty');
is(fs('close(5)'), 0, 'closed');
is(-s "$out/text", 0, 'it is empty');
is(fs(q{open(4, 'folder', 1, 3)}), -$inval, 'a directory is not made by opening it');
is(fs(q{open(4, 'big', 3, 1)}), 5, 'a file for much');
is(fs(q{write(5, repeat('x', 100000))}), 65536, 'one call writes so much');
is(ask($session, 'SELECT length(fs_read(5, 100000, 0))'), 65536, 'and one reads so much');
fs('close(5)');

is(fs(q{make_directory(4, 'folder')}), 0, 'a directory is made');
is(fs(q{make_directory(4, 'folder/')}), $exist, 'once');
is(fs(q{make_directory(4, '../outside')}), $perm, 'not outside');
is(fs(q{make_directory(4, '/outside')}), $perm, 'nor at the root');
is(fs(q{make_directory(4, 'folder/..')}), $inval, 'nor by no name');
is(fs(q{make_directory(4, '')}), $noent, 'nor without one');
is(fs(q{rename(4, 'text', 4, 'folder/moved')}), 0, 'a file is moved');
is(fs(q{rename(4, 'folder/moved', 4, '../moved')}), $perm, 'not outside');
is(fs(q{rename(4, '../secret/key', 4, 'key')}), $perm, 'nor from there');
is(fs(q{rename(4, 'folder/moved', 3, 'moved')}), $rofs, 'nor to where only reading is granted');
is(fs(q{unlink(4, 'folder')}), $isdir, 'a directory is no file');
is(fs(q{remove_directory(4, 'folder')}), $notempty, 'and goes when it is empty');
is(fs(q{unlink(4, 'folder/moved/')}), $notdir, 'a file is no directory');
is(fs(q{unlink(4, 'folder/moved')}), 0, 'a file is removed');
is(fs(q{remove_directory(4, 'folder')}), 0, 'a directory is removed');
is(fs(q{link(4, 'big', 4, 'other')}), $notsup, 'no links are made');
is(fs(q{symlink('big', 4, 'other')}), $notsup, 'of either kind');
symlink("$top/secret", "$out/leads-out") or die;
is(fs(q{unlink(4, 'leads-out/key')}), $perm, 'nothing is removed behind a link');
is(fs(q{open(4, 'leads-out/new', 2, 1)}), -$perm, 'nothing is made there');
is(fs(q{make_directory(4, 'leads-out/new')}), $perm, 'of any kind');
is(fs(q{set_time_at(4, 'leads-out', 1, 1)}), $perm, 'and no time is set');
is(fs(q{unlink(4, 'leads-out')}), 0, 'the link itself goes');
is(slurp_file("$top/secret/key"), 'secret', 'what is outside is as it was');
is(join(' ', glob("$top/secret/*")), "$top/secret/key", 'and no more');

# two directories that may be changed
mkdir("$top/third") or die;
fill("$top/third/hard", 'two names');
link("$top/third/hard", "$out/hard") or die;
grant("/out=$out:rw", "/third=$top/third:rw");
is(fs(q{rename(4, 'hard', 3, 'from-third')}), 0, 'a file is moved from one grant to another');
is(slurp_file("$out/from-third"), 'two names', 'and is there');
is(fs(q{open(3, 'hard', 1)}), 5, 'a file with two names is one');
is(fs('read(5, 100)'), 'two names', 'like others');

# --- numbers ---

is(fs('renumber(5, 5)'), 0, 'a number for itself');
is(fs('renumber(5, 9)'), $badf, 'a number must be in use');
is(fs('renumber(1, 5)'), $badf, 'the standard output stays');
is(fs(q{open(3, 'big', 1)}), 6, 'a second file');
is(fs('renumber(6, 5)'), 0, 'gets the number of the first');
like(fs('status(5)'), qr/^$file 65536 /, 'and is found there');
is(fs('status(6)'), "error $badf", 'and there only');
is(fs('close(4)'), 0, 'a grant can be given up');
is(fs(q{open(4, 'hard', 1)}), -$badf, 'and is gone');
is(fs('grants()'), '3/out', 'for this instance');
is(fs(q{open(3, 'big', 1)}), 4, 'its number is used again');
is(fs('grants()'), '3/out', 'not as a grant');

# --- limits, errors and descriptors ---

is(fs(q{open_all(3, 'big')}), "31 error $mfile", 'the table of files is full');
is(fs(q{open(3, 'big', 1)}), -$mfile, 'and stays so');
is(descriptors(), 34, 'as many descriptors are open');
is(fs('close(7)'), 0, 'until one is closed');
is(fs(q{open(3, 'big', 1)}), 7, 'and used again');
like(fs(q{open_and_trap(3, 'big')}), qr/^$/, 'no file more, no trap');
is(fs('close(7)'), 0, 'with room for one');
like(fs(q{open_and_trap(3, 'big')}), qr/^38000: /, 'an error with open files');
is(descriptors(), 0, 'closes them all');
is(fs('grants()'), '3/out 4/third', 'the next instance begins anew');
is(fs(q{open(3, 'big', 1)}), 5, 'with an empty table');
is(ask($session, 'SELECT wasm.reset() > 0'), 't', 'a reset');
is(descriptors(), 0, 'closes files');
is(fs(q{open_often(3, 'big', 10000)}), 0, 'opened 10,000 times');
is(descriptors(), 1, 'one descriptor is left, of the grant');
is(ask($session, q{SELECT count(*) FROM generate_series(1, 3000) AS i WHERE fs_open_often(3, 'none' || i - i, 1) = 44}),
	3000, 'failed 3,000 times');
is(descriptors(), 1, 'no more are left');
for my $round (1 .. 200)
{
	ask($session, q{SELECT fs_open_and_trap(3, 'big')});
}
is(descriptors(), 0, 'nothing is left of 200 instances that failed');
ask($session, q{BEGIN; SAVEPOINT s; SELECT fs_open(3, 'big', 1); SELECT 1 / 0; ROLLBACK TO s; SELECT fs_close(5); COMMIT});
is(fs(q{close(5)}), $badf, 'a rollback lets files be');

# --- cancel ---

is(fs(q{open(3, 'big', 1)}), 5, 'a file to be read for ever');
ask($session, q{SET statement_timeout = '200ms'});
like(fs('read_forever(5)'), qr/^57014: /, 'reading is stopped');
ask($session, 'RESET statement_timeout');
is(descriptors(), 0, 'and leaves nothing open');

# --- the grant is changed ---

grant("/data=$data", "/out=$out:rw");
is(fs(q{open(4, 'big', 3)}), 5, 'a file to be written');
grant("/data=$data", "/out=$out");
is(fs(q{write(5, 'x')}), -$badf, 'is gone with a grant that becomes one for reading');
is(descriptors(), 0, 'and closed');
is(fs(q{open(4, 'big', 3)}), -$rofs, 'which counts at once');
is(fs(q{open(4, 'big', 1)}), 5, 'for reading');
$node->safe_psql('postgres', 'ALTER FUNCTION guest() IMMUTABLE');
is(fs('read(5, 10)'), 'xxxxxxxxxx', 'another change of the module leaves files open');
grant();
is(fs('read(5, 10)'), "error $badf", 'it is gone with the grant');
is(fs('grants()'), '', 'of which none are left');
is(descriptors(), 0, 'nothing is open');
grant("/data=$data");
is(fs(q{open(3, 'hello', 1)}), 4, 'granted again');

# a module that is replaced
$node->safe_psql('postgres', qq{
	ALTER FUNCTION guest() SET wasm.memory_limit = '32MB';
	SELECT wasm.create_module('guest', pg_read_binary_file('$wasm'), replace => true)});
is(fs('grants()'), '3/data', 'a superuser replaces a module with its grants');
$node->safe_psql('postgres', 'GRANT CREATE ON SCHEMA public TO guest; ALTER FUNCTION guest() OWNER TO guest');
my $bytes = bytea_literal(slurp_file($wasm));
is(sqlstate($guest, "SELECT wasm.create_module('guest', $bytes, replace => true)"), '', 'another owner replaces it');
is(fs('grants()'), '', 'without them');
is(ask($session, q{SELECT proconfig FROM pg_proc WHERE proname = 'guest'}), '{wasm.memory_limit=32MB}',
	'but with its other settings');
grant("/data=$data");
is(fs('grants()'), '3/data', 'granted once more');
is(sqlstate($guest, 'ALTER FUNCTION guest() STABLE'), '', 'the owner changes it');
is(fs('grants()'), '3/data', 'but not its bytes');

# --- grants that are wrong when they are used ---

grant("/data=$top/none");
is(fs('grants()'), '3/data', 'a directory that does not exist is named');
like(fs(q{open(3, 'hello', 1)}), qr/^58P01: could not open directory "\Q$top\E\/none"/, 'and said to be missing');
grant("/data=$data/hello");
like(fs(q{open(3, 'hello', 1)}), qr/^42809: could not open directory/, 'a file is no directory');
symlink($node->data_dir . '/base', "$top/base") or die;
my $above = $node->data_dir =~ s{/[^/]*$}{}r;
mkdir("$top/space") or die;
$node->safe_psql('postgres', "CREATE TABLESPACE space LOCATION '$top/space'");
for my $own ("$top/base", $above, '/', "$top/space", "$top/conf", $top)
{
	grant("/data=$own:rw");
	like(fs(q{open(3, 'x', 1)}), qr/^42501: directory "\Q$own\E" is not for guests/, 'data of the server: ' . ($own =~ s/^\Q$top\E/top/r));
	is(descriptors(), 0, 'is not left open');
}

# --- as somebody else ---

grant("/data=$data");
$node->safe_psql('postgres', q{
	REVOKE EXECUTE ON FUNCTION fs_open(integer, text, integer, integer, integer), fs_read(integer, integer, bigint) FROM PUBLIC;
	GRANT EXECUTE ON FUNCTION fs_open(integer, text, integer, integer, integer), fs_read(integer, integer, bigint) TO guest});
is(ask($guest, q{SELECT fs_open(3, 'hello', 1)}), 4, 'the grant is the module\'s, whoever calls it');
is(ask($guest, 'SELECT fs_read(4, 5)'), 'Hello', 'and reads');
is(sqlstate($guest, "ALTER FUNCTION guest() SET wasm.directories = '/data=/:rw'"), '42501', 'but cannot change it');

$_->quit for $session, $guest;
check_log($node);
$node->stop;
done_testing();
