# wasm.directories for components: what Python's library does with files, by WASI 0.2,
# in the directories that its module was granted, and that it gets nowhere else.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Checkout;
use POSIX qw(mkfifo);
use Test::More;

my $top_folder = temporary();
my ($data, $out, $secret) = map { "$top_folder/$_" } qw(data out secret);
my $component = "$top_folder/files.wasm";

run_ok("tools/guests/python '$component' test/guests/files.py");

sub fill
{
	my ($path, $text) = @_;
	open(my $handle, '>', $path) or die "cannot write $path: $!";
	print $handle $text;
	close($handle) or die "cannot write $path: $!";
}

mkdir($_) or die "cannot make $_: $!" for $data, $out, $secret, "$data/sub";
chmod(0777, $out) or die "cannot open $out to the server: $!";
fill("$data/hello", 'Hello, guest');
fill("$data/sub/inner", 'inside');
fill("$secret/key", 'secret');
symlink("$secret/key", "$data/absolute") or die;
symlink('../secret/key', "$data/relative") or die;
symlink('../secret', "$data/folder") or die;
symlink('hello', "$data/inward") or die;
mkfifo("$data/fifo", 0666) or die;

scratch();
psql(<<"SQL", '-q', '-v', 'ON_ERROR_STOP=1') eq '' or die 'the guest cannot be loaded';
	CREATE EXTENSION wasm;
	SET wasm.compile_timeout = '10min';
	CREATE FUNCTION files() RETURNS wasm.module LANGUAGE wasm AS '\\x@{[ unpack('H*', slurp($component)) ]}';
	CREATE FUNCTION run(code text) RETURNS text LANGUAGE wasm AS 'files#run';
SQL

# What a piece of Python gives, in a session of its own
sub python
{
	my ($code) = @_;
	my $answer = psql("\\set VERBOSITY sqlstate\nSELECT run(\$python\$$code\$python\$)", '-qAt');
	chomp($answer);
	return $answer;
}

sub grant
{
	my (@lines) = @_;
	my $value = join('\n', @lines);
	my $change = @lines ? "SET wasm.directories = E'$value'" : 'RESET wasm.directories';
	psql("ALTER FUNCTION files() $change", '-q') eq '' or die 'the grant cannot be changed';
}

# --- nothing is granted ---

is(python("result = open('/data/hello').read()"), 'ENOENT', 'no files by default');
is(python("result = os.listdir('/')"), 'ENOENT', 'and no directories');

# --- what a grant is good for ---

grant("/data=$data", "/out=$out:rw");
my @works = (
	[ 'a file is read', "result = open('/data/hello').read()", 'Hello, guest' ],
	[ 'from a place', "f = open('/data/hello'); f.seek(7); result = f.read(3), f.tell()", q{('gue', 10)} ],
	[ 'twice at a time', "f, g = open('/data/hello'), open('/data/hello'); f.read(6); result = g.read(5)", 'Hello' ],
	[ 'a directory is listed', "result = sorted(os.listdir('/data'))",
		q{['absolute', 'fifo', 'folder', 'hello', 'inward', 'relative', 'sub']} ],
	[ 'with kinds', "result = sorted(e.name for e in os.scandir('/data') if e.is_dir(follow_symlinks=False))", q{['sub']} ],
	[ 'a path through a directory', "result = open('/data/sub/../sub/inner').read()", 'inside' ],
	[ 'a link within', "result = open('/data/inward').read(), os.readlink('/data/inward')", q{('Hello, guest', 'hello')} ],
	[ 'the size of a file', "result = os.stat('/data/hello').st_size", '12' ],
	[ 'a link is not its file', "result = os.lstat('/data/inward').st_size, os.path.islink('/data/inward')", '(5, True)' ],
	[ 'a file is written', "result = open('/out/text', 'w').write('x' * 200000)", '200000' ],
	[ 'and was', "result = set(open('/out/text').read()), os.stat('/out/text').st_size", q{({'x'}, 200000)} ],
	[ 'appended to', "open('/out/text', 'a').write('end'); f = open('/out/text'); f.seek(199999); result = f.read()", 'xend' ],
	[ 'read and written', "f = open('/out/both', 'w+b'); f.write(b'0123456789'); f.flush(); f.seek(3); f.write(b'abc'); f.seek(0); result = f.read()",
		q{b'012abc6789'} ],
	[ 'made shorter', "f = open('/out/both', 'r+b'); f.truncate(4); f.seek(0); result = f.read()", q{b'012a'} ],
	[ 'synchronized', "f = open('/out/both', 'r+b'); result = os.fsync(f.fileno())", 'None' ],
	[ 'given times', "os.utime('/out/both', (5, 7)); s = os.stat('/out/both'); result = s.st_atime, s.st_mtime", '(5.0, 7.0)' ],
	[ 'a directory is made, a file moved', "os.mkdir('/out/new'); os.rename('/out/both', '/out/new/moved'); result = os.listdir('/out/new')", q{['moved']} ],
	[ 'removed', "os.unlink('/out/new/moved'); os.rmdir('/out/new'); result = os.listdir('/out')", q{['text']} ],
	[ 'a file that is the same', "result = os.path.samefile('/data/hello', '/data/sub/../hello')", 'True' ],
);
is(python($_->[1]), $_->[2], $_->[0]) for @works;
is(sprintf('%o %d', (stat("$out/text"))[2] & 07777, -s _), '600 200003', 'the server sees the file, and nobody else');

# --- nothing leads out, and reading changes nothing ---

my @refused = (
	[ 'EPERM', "open('/data/../secret/key')" ],
	[ 'EPERM', "open('/data/absolute')" ],
	[ 'EPERM', "open('/data/relative')" ],
	[ 'EPERM', "open('/data/folder/key')" ],
	[ 'EPERM', "os.listdir('/data/folder')" ],
	[ 'EPERM', "os.stat('/data/relative')" ],
	[ 'EPERM', "os.rename('/out/../secret/key', '/out/key')" ],
	[ 'EPERM', "os.mkdir('/out/../new')" ],
	[ 'EPERM', "os.unlink('/out/../secret/key')" ],
	[ 'ENOENT', "open('$secret/key')" ],
	[ 'ENOENT', "open('/etc/passwd')" ],
	[ 'ENOTSUP', "open('/data/fifo')" ],
	[ 'ENOTSUP', "os.symlink('/etc/passwd', '/out/link')" ],
	[ 'ENOTSUP', "os.link('/out/text', '/out/link')" ],
	[ 'EROFS', "open('/data/new', 'w')" ],
	[ 'EROFS', "open('/data/hello', 'a')" ],
	[ 'EROFS', "open('/data/hello', 'r+')" ],
	[ 'EROFS', "os.mkdir('/data/new')" ],
	[ 'EROFS', "os.rmdir('/data/sub')" ],
	[ 'EROFS', "os.unlink('/data/hello')" ],
	[ 'EROFS', "os.rename('/data/hello', '/out/hello')" ],
	[ 'EROFS', "os.utime('/data/hello', (1, 1))" ],
	[ 'ENOENT', "open('/data/none')" ],
	[ 'EEXIST', "open('/out/text', 'x')" ],
	[ 'ENOTDIR', "os.listdir('/data/hello')" ],
	[ 'EISDIR', "open('/data/sub', 'r')" ],
);
for my $case (@refused)
{
	my ($error, $code) = @$case;
	is(python($code), $error, "$error: $code");
}
is(slurp("$data/hello") . slurp("$secret/key"), 'Hello, guestsecret', 'all is as it was');
is(join(' ', map { s{.*/}{}r } sort glob("$data/* $secret/* $out/*")),
	'absolute fifo folder hello inward relative sub text key', 'and no other came') or diag(`ls -l $data $out $secret`);

# --- limits and the end ---

is(python(<<'PYTHON'), q{(32, 'Hello, guest')}, 'so many files are open at a time, and closed ones are not');
files = []
try:
    while True:
        files.append(open('/data/hello'))
except OSError:
    count = len(files)
files.clear()
result = count, open('/data/hello').read()
PYTHON
my $count = "\\! ls -l /proc/\$PID/fd | grep -c '$top_folder/'";
is(psql(<<"SQL", '-qAt'), "Hello, guest\n1\nERROR:  57014\n0\n", 'a guest that reads for ever is cancelled, and its files are closed');
\\set VERBOSITY sqlstate
SELECT pg_backend_pid() AS pid \\gset
\\setenv PID :pid
SELECT run(\$\$result = open('/data/hello').read()\$\$);
$count
SET statement_timeout = '300ms';
SELECT run(\$\$f = open('/data/hello', 'rb')
while True: f.seek(0); f.read()\$\$);
$count
SQL

grant();
is(python("result = open('/data/hello').read()"), 'ENOENT', 'a grant that is taken away');

done_testing();
