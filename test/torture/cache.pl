# The cache of compiled modules, with every fault that a file or its directory
# can have: whatever is found there, functions give their results, no process
# ends, and the next session finds a good file in the place of the bad one.
#
# Not tried: changes of a file that a session has mapped, or has verified since
# the start of the server, in its place.  Nobody but the server's user can make
# them.  Here a file is replaced.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../t";
use File::Path qw(remove_tree);
use IO::Socket::UNIX;
use POSIX qw(mkfifo);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Client;
use Torture;
use WasmTest;

my $rounds = amount(25, 100);
my $kills = amount(3, 30);
my $folder = $PostgreSQL::Test::Utils::tmp_check;
my $node = wasm_node('cache', conf => "log_statement = none\nlog_min_error_statement = panic\n"
	  . "restart_after_crash = on\nautovacuum = off\nwasm.compile_workers = 2\n");
my $cache = $node->data_dir . '/pgsql_tmp_wasm';
my $admin = Client->new($node);
my $faults = 0;

srand(4);

# --- files ---

sub write_file
{
	my ($path, $content) = @_;

	open(my $handle, '>:raw', $path) or die "$path: $!";
	print $handle $content or die "$path: $!";
	close $handle or die "$path: $!";
	chmod 0600, $path or die "$path: $!";
}

sub read_file
{
	my ($path) = @_;

	open(my $handle, '<:raw', $path) or die "$path: $!";
	local $/;
	return scalar <$handle>;
}

# The names in the cache that are artifacts.
sub artifacts
{
	return sort map { s{.*/}{}r } glob "$cache/*.cwasm";
}

sub bytes_in_cache
{
	my $sum = 0;

	$sum += (lstat $_)[7] // 0 for glob "$cache/*.cwasm";
	return $sum;
}

sub inode
{
	return (lstat $_[0])[1] // 0;
}

sub modified
{
	return (lstat $_[0])[9];
}

sub inodes
{
	return join ' ', map { inode($_) } @_;
}

# --- artifacts ---

my @crc32c = map {
	my $crc = $_;
	$crc = $crc & 1 ? ($crc >> 1) ^ 0x82f63b78 : $crc >> 1 for 1 .. 8;
	$crc;
} 0 .. 255;

sub crc32c
{
	my ($bytes) = @_;
	my $crc = 0xffffffff;

	$crc = $crc32c[ ($crc ^ $_) & 0xff ] ^ ($crc >> 8) for unpack 'C*', $bytes;
	return $crc ^ 0xffffffff;
}

# What follows the content in a file; artifact.c says what it means.
my $tail_format = 'L l Q a32 a32 Q Q Q Q L L L';
my $tail_length = length(pack $tail_format, (0) x 12) + 4;

sub content_of
{
	return substr $_[0], 0, length($_[0]) - $tail_length;
}

# A file with that content, and the tail of another, a field of which differs; its
# checksum is right.
sub forge
{
	my ($content, $model, $field, $value) = @_;
	my @fields = unpack $tail_format, substr $model, -$tail_length;

	$fields[2] = length $content;
	$fields[$field] = $value if defined $field;
	my $bytes = $content . pack $tail_format, @fields;

	return $bytes . pack 'L', crc32c($bytes);
}

# --- functions ---

# Half of a large function's artifact is data; it is mapped, a small one is read.
sub large_body
{
	my ($name, $value, $length) = @_;
	my $data = join '', map { chr(97 + int rand 26) } 1 .. $length;
	my $at = int($length / 2);

	return (sprintf('(module (memory %d) (data (i32.const 0) "%s") (func (export "%s") (result i32)
		(i32.add (i32.load (i32.const %d)) (i32.const %d))))',
			1 + $length / 65536, $data, $name, $at, $value),
		unpack('l', substr $data, $at, 4) + $value);
}

# The functions whose artifacts are damaged: name, result, path and good content.
my @functions;

sub add_function
{
	my ($large) = @_;
	my $value = 1000 + @functions;
	my $name = "f$value";
	my ($body, $result) = $large ? large_body($name, $value, 100_000)
	  : ("(module (func (export \"$name\") (result i32) (i32.const $value)))", $value);
	my %before = map { $_ => 1 } artifacts();

	$admin->ask("CREATE FUNCTION $name() RETURNS integer LANGUAGE wasm AS '$body'");
	my @new = grep { !$before{$_} } artifacts();
	die "creating $name made @new\n" unless @new == 1;
	push @functions, { name => $name, result => $result, path => "$cache/$new[0]",
		content => read_file("$cache/$new[0]"), large => $large };
}

add_function($_ % 5 == 4) for 1 .. 40;
my @paths = map { $_->{path} } @functions;
my $call_all = 'SELECT concat_ws(' . join(', ', q{' '}, map { "$_->{name}()" } @functions) . ')';
my $all_results = join ' ', map { $_->{result} } @functions;

# The same module with fuel: code that its file without fuel must not hold.
sub metered_content
{
	my ($function) = @_;

	if (!$function->{metered})
	{
		my $client = Client->new($node);

		$client->ask("SET wasm.fuel = 1000000; SELECT $function->{name}()");
		$client->close;
		$function->{metered} = read_file($function->{path} =~ s/\.cwasm$/-fuel.cwasm/r);
	}
	return $function->{metered};
}

# Calls all functions in a session of its own.
sub call_all
{
	my $client = Client->new($node);
	my $rows = $client->ask($call_all);

	$client->close;
	return $rows;
}

# What is wrong with the files; '' when they are good.
sub bad_files
{
	my @bad;

	for my $function (@functions)
	{
		my ($mode, $links) = (lstat $function->{path})[ 2, 3 ];

		if (!defined $mode || $mode != 0100600 || $links != 1) { push @bad, "$function->{name}: mode or links" }
		elsif (content_of(read_file($function->{path})) ne content_of($function->{content}))
		{
			push @bad, "$function->{name}: content";
		}
	}
	return join ', ', @bad;
}

# --- faults of a file ---

sub flip
{
	my ($bytes, @positions) = @_;

	substr($bytes, $_, 1) = chr(ord(substr $bytes, $_, 1) ^ (1 << int rand 8)) for @positions;
	return $bytes;
}

# A file whose content is made of the good one.
sub content
{
	my ($change) = @_;

	return sub {
		my ($path, $good, $function) = @_;
		my $bytes = $change->($good, $function);

		unlink $path;
		write_file($path, $bytes);
	};
}

# One that something else replaces.
sub other
{
	my ($make) = @_;

	return sub {
		my ($path, $good, $function) = @_;

		unlink $path;
		$make->($path, $good, $function) or die "$path: $!";
	};
}

sub mode
{
	my ($mode) = @_;

	return sub { chmod $mode, $_[0] or die "$_[0]: $!" };
}

# Another function.
sub another
{
	my ($function) = @_;
	my @others = grep { $_ != $function } @functions;

	return $others[ rand @others ];
}

my $owner = qr/owner or mode/;
my $length = qr/length/;
my $checksum = qr/checksum/;
my $kind = qr/not a regular file/;
my $module = qr/another module/;
my $outside = qr/its code is not in it/;
my $engine = qr/another engine/;
my $refuses = qr/engine refuses/;
my $symlink = qr/symbolic link/;

# Each: what it is, how it is made, and what the log says of it.
my @kinds = (
	[ 'no file', sub { unlink $_[0] }, undef ],
	[ 'no bytes', content(sub { '' }), $length ],
	[ 'one byte', content(sub { substr $_[0], 0, 1 }), $length ],
	[ 'the first half', content(sub { substr $_[0], 0, length($_[0]) / 2 }), $length ],
	[ 'no tail', content(sub { content_of($_[0]) }), $length ],
	[ 'the last byte missing', content(sub { substr $_[0], 0, -1 }), $length ],
	[ 'the first byte missing', content(sub { substr $_[0], 1 }), $length ],
	[ 'one byte of content', content(sub { substr $_[0], 0, 1 - $tail_length }), $length ],
	[ 'the tail alone', content(sub { substr $_[0], -$tail_length }), $length ],
	[ 'less than a tail', content(sub { substr $_[0], 1 - $tail_length }), $length ],
	[ 'one byte more', content(sub { "$_[0]\0" }), $length ],
	[ 'a page more', content(sub { $_[0] . "\0" x 4096 }), $length ],
	[ 'itself twice', content(sub { $_[0] . $_[0] }), $length ],
	(map { [ 'cut somewhere', content(sub { substr $_[0], 0, int rand length $_[0] }), $length ] } 1 .. 8),
	(map { [ 'a bit of the content', content(sub { flip($_[0], int rand length($_[0]) - $tail_length) }), $checksum ] } 1 .. 12),
	[ 'a bit of the first byte', content(sub { flip($_[0], 0) }), $checksum ],
	[ 'a bit of the last byte', content(sub { flip($_[0], length($_[0]) - $tail_length - 1) }), $checksum ],
	[ 'many bits', content(sub { flip($_[0], map { int rand length($_[0]) - $tail_length } 1 .. 100) }), $checksum ],
	(map { [ 'a bit of the tail', content(sub { flip($_[0], length($_[0]) - 1 - int rand $tail_length) }), qr/./ ] } 1 .. 8),
	[ 'a bit of the checksum', content(sub { flip($_[0], length($_[0]) - 1 - int rand 4) }), $checksum ],
	[ 'another magic number', content(sub { flip($_[0], length($_[0]) - $tail_length) }), $length ],
	[ 'another time of compilation', content(sub { flip($_[0], length($_[0]) - $tail_length + 4) }), $checksum ],
	[ 'another length', content(sub { flip($_[0], length($_[0]) - $tail_length + 8) }), $length ],
	[ 'zeros', content(sub { "\0" x length $_[0] }), $length ],
	[ 'zeros and the tail', content(sub { "\0" x (length($_[0]) - $tail_length) . substr $_[0], -$tail_length }), $checksum ],
	[ 'a page of zeros', content(sub { substr($_[0], 4096, 4096, "\0" x 4096); $_[0] }), $checksum ],
	[ 'the second half of zeros', content(sub {
		my $half = int(length($_[0]) / 2);
		substr($_[0], 0, $half) . "\0" x (length($_[0]) - $half) }), $length ],
	[ 'noise', content(sub { join '', map { chr int rand 256 } 1 .. length $_[0] }), $length ],
	[ 'text', content(sub { "nonsense\n" x 1000 }), $length ],
	[ 'content of zeros, with a right checksum', content(sub { forge("\0" x 5000, $_[0]) }), $refuses ],
	[ 'content of noise, with a right checksum',
		content(sub { forge(join('', map { chr int rand 256 } 1 .. 5000), $_[0]) }), $refuses ],
	[ 'no content, with a right checksum', content(sub { forge('', $_[0]) }), $outside ],
	[ 'functions beyond its end', content(sub { forge(content_of($_[0]), $_[0], 6, length $_[0]) }), $outside ],
	[ 'functions that end before they start', content(sub { forge(content_of($_[0]), $_[0], 6, 0) }), $outside ],
	[ 'stubs beyond its end', content(sub { forge(content_of($_[0]), $_[0], 8, length $_[0]) }), $outside ],
	[ 'stubs that end before they start', content(sub { forge(content_of($_[0]), $_[0], 7, length $_[0]) }), $outside ],
	[ 'code of another configuration, with a right checksum',
		content(sub { forge(content_of(metered_content($_[1])), $_[0]) }), $refuses ],
	[ 'the artifact of another configuration', content(sub { metered_content($_[1]) }), $engine ],
	[ 'the artifact of another build', content(sub { forge(content_of($_[0]), $_[0], 4, '48.0.9-0123456789abcdef') }), $engine ],
	[ 'the artifact of a build without a name', content(sub { forge(content_of($_[0]), $_[0], 4, '') }), $engine ],
	[ 'the artifact of another module', content(sub { another($_[1])->{content} }), $module ],
	[ 'a link to the artifact of another module', other(sub {
		unlink "$folder/another";
		write_file("$folder/another", another($_[2])->{content});
		link("$folder/another", $_[0]) }), $module ],
	(map { my $mode = $_; [ sprintf('mode %04o', $mode), mode($mode), $owner ] }
		  0644, 0666, 0400, 0700, 0640, 01600, 02600, 04600, 0777, 0602),
	(map { my $mode = $_; [ sprintf('mode %04o', $mode), mode($mode), qr/cannot be opened/ ] } 0, 0200, 0300),
	[ 'a symbolic link to a good file', other(sub {
		write_file("$folder/good", $_[1]); symlink("$folder/good", $_[0]) }), $symlink ],
	[ 'a symbolic link to itself', other(sub { symlink($_[0], $_[0]) }), $symlink ],
	[ 'a symbolic link to nothing', other(sub { symlink("$folder/nothing", $_[0]) }), $symlink ],
	[ 'a symbolic link to a directory', other(sub { symlink($folder, $_[0]) }), $symlink ],
	[ 'a symbolic link to /dev/zero', other(sub { symlink('/dev/zero', $_[0]) }), $symlink ],
	[ 'a directory', other(sub { mkdir $_[0], 0700 }), $kind ],
	[ 'a directory of mode 0', other(sub { mkdir $_[0], 0 }), qr/cannot be opened/ ],
	[ 'a pipe', other(sub { mkfifo($_[0], 0600) }), $kind ],
	[ 'a socket', other(sub {
		# the path of a socket is short
		chdir $cache;
		my $made = IO::Socket::UNIX->new(Local => $_[0] =~ s{.*/}{}r, Listen => 1) && chmod(0600, $_[0]);
		chdir $folder;
		$made }), qr/cannot be opened/ ]);

# What the log says of faults since an offset, by path.
sub reasons
{
	my ($offset) = @_;

	return map { m{compiled WebAssembly module "pgsql_tmp_wasm/(\S+)" is not used: (.*)} ? ("$cache/$1" => $2) : () }
	  split /\n/, slurp_file($node->logfile, $offset);
}

is(call_all(), $all_results, 'the functions work');
is(bad_files(), '', 'the files are good');
metered_content($_) for @functions;

my (%tried, $next);

for my $round (1 .. $rounds)
{
	my $restart = $round % 10 == 5;
	my $offset = -s $node->logfile;
	my %expected;

	if ($restart)
	{
		# files that were verified before keep the mark of that, and are verified
		# again because the server has started since
		$admin->close;
		$node->stop;
		system_or_bail('touch', '-r', $_->{path}, "$folder/times-$_->{name}") for @functions;
	}
	for my $function (@functions)
	{
		my ($what, $damage, $reason) = @{ $kinds[ $next++ % @kinds ] };
		my $path = $function->{path};

		$damage->($path, $function->{content}, $function);
		$expected{$path} = [ $what, $reason ];
		$tried{$what}++;
		if ($restart && -f $path && !-l $path)
		{
			system_or_bail('touch', '-r', "$folder/times-$function->{name}", $path);
		}
	}
	if ($restart)
	{
		$node->start;
		$admin = Client->new($node);
	}

	is(call_all(), $all_results, "round $round: the functions give their results");
	is(bad_files(), '', 'the files are good again');
	my %found = reasons($offset);
	my @odd;
	for my $path (@paths)
	{
		my ($what, $reason) = @{ $expected{$path} };
		my $said = delete $found{$path} // '';

		push @odd, "$what: '$said'" unless defined $reason ? $said =~ $reason : $said eq '';
	}
	is(join(', ', @odd, %found), '', 'the log says what was wrong');
	my $inodes = inodes(@paths);
	is(call_all(), $all_results, 'the functions work in the next session');
	is(inodes(@paths), $inodes, 'which takes them from the cache');
}
$faults += $_ for values %tried;
is(scalar(grep { !$tried{ $_->[0] } } @kinds), 0, 'every fault was tried');
figure('cache.file_faults', $faults);
figure('cache.kinds', scalar keys %tried);

# --- verification ---

# A file that is mapped is verified once after each start of the server.
my ($large) = grep { $_->{large} } @functions;

sub use_large
{
	my $client = Client->new($node);
	my $rows = $client->ask("SELECT $large->{name}()");
	my $mapped = slurp_file('/proc/' . $client->pid . '/maps') =~ /\Q$large->{path}\E/;

	$client->close;
	return $rows eq $large->{result} && $mapped;
}

sub nanoseconds
{
	chomp(my $time = `stat -c %y '$_[0]'`);
	return $time;
}

$admin->close;
$node->restart;
$admin = Client->new($node);
my $started = time;
wait_until('a second after the start', sub { time > $started + 1 });
my $before = nanoseconds($large->{path});
ok(use_large(), 'a large artifact is mapped');
my $verified = nanoseconds($large->{path});
isnt($verified, $before, 'the first to use it verifies it');
ok(use_large(), 'it is mapped again');
is(nanoseconds($large->{path}), $verified, 'the next one relies on that');

# A clock that went wrong
for my $case ([ 'tomorrow', 86400 ], [ 'in a hundred years', 3_155_760_000 ], [ 'in two minutes', 120 ],
	[ 'long ago', -1_000_000_000 ], [ 'in 1970', -time ])
{
	my ($when, $difference) = @$case;
	my $inode = inode($large->{path});

	utime time, time + $difference, $large->{path};
	ok(use_large(), "an artifact that was used $when works");
	cmp_ok(abs(modified($large->{path}) - time), '<=', 60, 'it is used now');
	is(inode($large->{path}), $inode, 'it is the same file');
}

# --- faults of the directory ---

# Calls all functions, twice in two sessions.
sub works
{
	my ($what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	is(call_all(), $all_results, "with $what the functions work");
	is(call_all(), $all_results, 'and again');
	$faults++;
}

my $mapping = Client->new($node);
is($mapping->ask("SELECT $large->{name}()"), $large->{result}, 'a session has mapped an artifact');

remove_tree($cache);
works('the directory removed');
is(bad_files(), '', 'it is made anew');
is(sprintf('%04o', (lstat $cache)[2]), '40700', 'for the server alone');
is($mapping->ask("SELECT $large->{name}()"), $large->{result}, 'a session that had mapped a file goes on');

rename($cache, "$cache.away");
write_file($cache, 'no directory');
works('a file in its place');
is($admin->ask('SELECT count(*) FROM wasm.cache()'), '0', 'the cache is empty then');
unlink $cache;
symlink('/does/not/exist', $cache);
works('a symbolic link to nothing in its place');
unlink $cache;
symlink($cache, $cache);
works('a symbolic link to itself in its place');
unlink $cache;
mkfifo($cache, 0600);
works('a pipe in its place');
unlink $cache;
rename("$cache.away", $cache);
is(bad_files(), '', 'the files are as they were');

for my $mode (0, 0100, 0200, 0300, 0400, 0500)
{
	unlink $paths[0], $paths[4] or die;
	chmod $mode, $cache;
	works(sprintf 'the directory of mode %04o', $mode);
	chmod 0700, $cache;
	is(call_all(), $all_results, 'the functions work afterwards');
	is(bad_files(), '', 'the files are good again');
}

# What a server that cannot heal a file does with it
unlink $paths[0];
mkdir $paths[0];
write_file("$paths[0]/in it", '');
works('a directory that is not empty in the place of a file');
remove_tree($paths[0]);
is(call_all(), $all_results, 'the functions work afterwards');
is(bad_files(), '', 'the files are good again');

# Files that have no business there
my @names = ('.hidden', 'core', 'x' x 255, "line\nfeed", "\xff\xfe", '0' x 64, '0' x 64 . '-', '0' x 64 . '.cwasm',
	'0' x 64 . '-.cwasm', '0' x 64 . '--fuel.cwasm', '0' x 64 . '-' . 'b' x 180 . '.cwasm', '0' x 64 . '-fuel.cwasm',
	'f' x 63 . '-1.cwasm', 'G' x 64 . '-1.cwasm', '-.cwasm', '.cwasm', '.tmp', '%s%n.tmp');
write_file("$cache/$_", $_) for @names;
mkdir "$cache/folder";
mkfifo("$cache/pipe.cwasm", 0600);
symlink('/dev/zero', "$cache/" . 'a' x 64 . '-48.0.0-0.cwasm');
unlink $paths[1];
works('strange files beside');
is($admin->ask(q{SELECT count(*) FROM wasm.cache() WHERE bytes > 1000 AND compile_ms >= 0}),
	scalar @functions, 'wasm.cache() lists the good ones');
ok(-e "$cache/core", 'a file that is not of the cache stays');
remove_tree($cache);
is(call_all(), $all_results, 'the functions work afterwards');

# --- disk full ---

# A limit on the size of files that one session may write
sub large_module
{
	my ($number, $length) = @_;
	my ($body, $result) = large_body('main', $number, $length);

	# traps unless it computes its result
	return $body =~ s/\(func \(export "main"\) \(result i32\)\s*(.*)\)\)$/(func (export "main") (if (i32.ne $1 (i32.const $result)) (then unreachable))))/sr;
}

my $modules = 0;
for my $limit (0, 1, 1000, 4096, 65536, 199_999)
{
	my $client = Client->new($node);
	my $pid = $client->pid;
	my @before = artifacts();

	$client->ask('SELECT f1000()');
	system_or_bail('prlimit', '--pid', $pid, "--fsize=$limit");
	for (1 .. 3)
	{
		my $result = $client->attempt("DO LANGUAGE wasm '" . large_module(++$modules, 200_000) . "'");
		is($result->{sqlstate}, '', "a session that may write $limit bytes runs a module");
	}
	is(join(' ', artifacts()), join(' ', @before), 'no part of an artifact is published');
	is(join(' ', glob "$cache/*.tmp"), '', 'none is left');
	$client->close;
	$faults += 3;
}

# --- file systems that forbid something ---

# Starts the server with other file systems in the cache's place, which it alone
# sees; false where the system does not let an ordinary user do that.
sub start_with_mounts
{
	my ($commands) = @_;
	my ($user, $group) = ($>, (split ' ', $))[0]);
	my $inner = "unshare -U --map-user=$user --map-group=$group";

	return 0 if system("unshare -r -m sh -c 'mount -t tmpfs none $folder && $inner true' 2>/dev/null") != 0;
	$admin->close;
	$node->stop;
	system_or_bail('unshare', '-r', '-m', 'sh', '-c', "$commands && exec $inner pg_ctl -w -D "
		  . $node->data_dir . ' -l ' . $node->logfile . ' start');
	$node->_update_pid(1);
	$admin = Client->new($node);
	return 1;
}

SKIP:
{
	my $offset = -s $node->logfile;

	# the first file in the cache is one of root
	start_with_mounts("mount -t tmpfs -o size=16m,mode=700,noexec none $cache && touch $paths[0] && "
		  . "mount --bind /etc/passwd $paths[0]")
	  or skip 'an ordinary user may not mount here', 19;

	is(call_all(), $all_results, 'on a file system that forbids to execute the functions work');
	is(call_all(), $all_results, 'and again');
	my $large_client = Client->new($node);
	is($large_client->ask("SELECT $large->{name}()"), $large->{result}, 'a large one works');
	unlike(slurp_file('/proc/' . $large_client->pid . '/maps'), qr/cwasm/, 'it is not mapped');
	$large_client->close;
	my %found = reasons($offset);
	like($found{ $paths[0] }, $owner, 'a file of somebody else is not used');

	# until it is full
	my $client = Client->new($node);
	my @results = map { $client->attempt("DO LANGUAGE wasm '" . large_module(++$modules, 900_000) . "'")->{sqlstate} } 1 .. 30;
	is(join('', @results), '', 'modules run on a file system that is full');
	is($admin->ask(q{SELECT count(*) FROM pg_ls_dir('pgsql_tmp_wasm') name WHERE name LIKE '%.tmp'}), '0',
		'no part of an artifact is left');
	$client->close;
	$client = Client->new($node);
	is($client->attempt("DO LANGUAGE wasm '" . large_module(++$modules, 900_000) . "'")->{sqlstate}, '', 'in another session, too');
	like(slurp_file($node->logfile), qr/WARNING: .*pgsql_tmp_wasm.*No space left on device/, 'which is told that it is full');
	$client->close;
	is(call_all(), $all_results, 'the functions work');
	$faults += 4;

	for my $options ("-o size=4k,mode=700", "-o ro,mode=700", "-o size=100m,nr_inodes=3,mode=700", "-o size=100m,mode=755")
	{
		start_with_mounts("mount -t tmpfs $options none $cache");
		is(call_all(), $all_results, "with a file system mounted $options the functions work");
		is(call_all(), $all_results, 'and again');
		$faults++;
	}
	$admin->close;
	$node->restart;
	$admin = Client->new($node);
	is(call_all(), $all_results, 'the functions work on the file system from before');
}

# --- size and age ---

sub set_cache_size
{
	my ($megabytes) = @_;

	$admin->ask('SELECT wasm.version()');
	$admin->ask("ALTER SYSTEM SET wasm.cache_size = '${megabytes}MB'");
	$admin->ask('SELECT pg_reload_conf()');
	wait_until('the setting is in force',
		sub { $admin->ask(q{SELECT setting FROM pg_settings WHERE name = 'wasm.cache_size'}) == $megabytes });
}

my $client = Client->new($node);

# The artifact that a statement adds to the cache.
sub added_by
{
	my ($statement) = @_;
	my %before = map { $_ => 1 } artifacts();

	$client->ask($statement);
	return (grep { !$before{$_} } artifacts())[0];
}

remove_tree($cache);
set_cache_size(1);

# What the cache should have, the least recently used first: statement and artifact
my @kept;
for my $number (0 .. 13)
{
	my $statement = "DO LANGUAGE wasm '" . large_module($number, 140_000) . "'";
	my $artifact = added_by($statement);
	my $sum = -s "$cache/$artifact";

	$sum += $_->{size} for @kept;
	if ($sum > 1 << 20)
	{
		$sum -= (shift @kept)->{size} while $sum > (1 << 20) * 31 / 32;
	}
	push @kept, { statement => $statement, artifact => $artifact, size => -s "$cache/$artifact" };
	is(join(' ', artifacts()), join(' ', sort map { $_->{artifact} } @kept),
		"with module $number the least recently used have gone");
	utime time, time - 100_000 + 1000 * $number, "$cache/$artifact";

	# the oldest one is used again, and is the last to go from now on
	if ($number == 5 || $number == 9)
	{
		my $user = Client->new($node);

		push @kept, shift @kept;
		$user->ask($kept[-1]{statement});
		$user->close;
		is(join(' ', artifacts()), join(' ', sort map { $_->{artifact} } @kept), 'using the oldest one changes nothing');
		cmp_ok(time - modified("$cache/$kept[-1]{artifact}"), '<=', 60, 'but the time of its last use');
		utime time, time - 99_500 + 1000 * $number, "$cache/$kept[-1]{artifact}";
	}
}

# Off: nothing is read, nothing is written.
my @before = map { $_, modified("$cache/$_") } artifacts();
set_cache_size(0);
is(call_all(), $all_results, 'without a cache the functions work');
is(join(' ', map { $_, modified("$cache/$_") } artifacts()), join(' ', @before), 'no artifact comes, goes, or is used');
set_cache_size(1);
is(call_all(), $all_results, 'with a cache again the functions work');

# One that is larger than all the cache
$client->ask("DO LANGUAGE wasm '" . large_module(++$modules, 1_000_000) . "'") for 1 .. 2;
cmp_ok(bytes_in_cache(), '<=', 1 << 20, 'the cache keeps its size');

# What a session that was killed has left is removed after an hour.
write_file("$cache/" . '0' x 64 . '-1.cwasm.123.tmp', 'old');
utime time, time - 4000, "$cache/" . '0' x 64 . '-1.cwasm.123.tmp';
write_file("$cache/" . '0' x 64 . '-1.cwasm.124.tmp', 'new');
$client->ask("DO LANGUAGE wasm '" . large_module(++$modules, 140_000) . "'");
is(join(' ', map { (split /\./)[-2] } glob "$cache/*.tmp"), '124', 'what was left by others goes when it is old');
unlink glob "$cache/*.tmp";
$client->close;

# --- many at once ---

# Eight sessions publish at once into a cache that has room for a few artifacts,
# while somebody removes files and the whole directory.
my $each = amount(12, 100);
my @sessions = map { Client->new($node) } 1 .. 8;
my $largest = 0;
my @left = map { [] } @sessions;

for my $n (1 .. $each)
{
	for my $i (0 .. 7)
	{
		# own modules, and such that others have as well
		my $number = $n % 3 ? 10_000 + 8 * $n + $i : 20_000 + $n;

		srand($number);
		push @{ $left[$i] }, large_module($number, 50_000 + 10_000 * ($number % 8));
	}
}
my %busy;
my @wrong;
my ($removed, $largest_sum) = (0, 0);
until (!%busy && !grep { @$_ } @left)
{
	for my $i (0 .. 7)
	{
		if ($busy{$i})
		{
			next unless IO::Select->new($sessions[$i]{socket})->can_read(0);
			my $result = $sessions[$i]->result;
			push @wrong, "$result->{sqlstate} $result->{message}" if $result->{sqlstate} || !$result->{status};
			delete $busy{$i};
		}
		if (my $module = shift @{ $left[$i] })
		{
			$sessions[$i]->send("DO LANGUAGE wasm '$module'");
			$busy{$i} = 1;
		}
	}
	my $sum = bytes_in_cache();
	$largest_sum = $sum if $sum > $largest_sum;
	my @now = glob "$cache/*";
	if (@now && rand() < 0.1)
	{
		if (rand() < 0.2) { rename($cache, "$cache.removed"); remove_tree("$cache.removed") }
		else { unlink $now[ rand @now ] }
		$removed++;
	}
	select undef, undef, undef, 0.01;
}
is(join("\n", @wrong), '', 'eight sessions publish at once and all their modules work');
# a session may add 1/32 of the size before it looks, and artifacts here have up to 150 kB
cmp_ok($largest_sum, '<=', (1 << 20) * (1 + 8 / 32) + 8 * 150_000, 'the cache stays near its size');
figure('cache.concurrent', 8 * $each, 'modules');
figure('cache.removals', $removed);
figure('cache.largest', sprintf('%.2f', $largest_sum / (1 << 20)), 'of its size');
$faults += $removed;
is(join(' ', glob "$cache/*.tmp"), '', 'no part of an artifact is left');
$_->close for @sessions;
is(call_all(), $all_results, 'the functions work');

# --- kill -9 while writing ---

set_cache_size(1024);
# large, so that writing it takes a while
srand(6);
my $huge = module(
	section(1, vector("\x60\0\0")),
	section(3, vector("\0")),
	section(5, vector("\0" . uleb(200))),
	section(7, vector(name('main') . "\0\0")),
	section(10, vector(function_body('0b'))),
	section(11, vector("\0\x41\0\x0b" . uleb(12_000_000) . noise(12_000_000, 7))));
my $result = $admin->attempt_bytes('SELECT wasm.create_module($$huge$$, $1)', $huge);
is($result->{sqlstate}, '', 'a huge module is stored') or diag $result->{message};
$admin->ask("CREATE FUNCTION huge_main() RETURNS void LANGUAGE wasm AS 'huge#main'");
my ($huge_file) = grep { -s "$cache/$_" > 12_000_000 } artifacts();
$admin->ask('SELECT huge_main()');
my $postmaster = (split /\n/, slurp_file($node->data_dir . '/postmaster.pid'))[0];
my ($hits, $round) = (0, 0);
@wrong = ();
# some come a moment too late
while ($hits < $kills && $round++ < 10 * $kills)
{
	my $victim = Client->new($node);
	my $temporary = "$cache/$huge_file." . $victim->pid . '.tmp';
	my $until = now() + $PostgreSQL::Test::Utils::timeout_default;

	unlink "$cache/$huge_file";
	$victim->send('SELECT huge_main()');
	until (-e $temporary || -e "$cache/$huge_file")
	{
		die "nothing is written\n" if now() > $until;
	}
	kill 'KILL', $victim->pid;
	wait_until('the victim is gone', sub { process_gone($victim->pid) });
	$hits++ if -e $temporary;
	push @wrong, "round $round: a part is published"
	  if -e "$cache/$huge_file" && -s "$cache/$huge_file" < 12_000_000;

	# the server ends all sessions and starts again
	my $again;
	wait_until('the server is back', sub { $again = Client->try($node); $again->{result}{status} });
	$again->ask('SELECT huge_main()');
	push @wrong, "round $round: not published" unless (-s "$cache/$huge_file" // 0) > 12_000_000;
	push @wrong, "round $round: the functions give other results" unless $again->ask($call_all) eq $all_results;
	$again->close;
	$faults++;
}
is(join(', ', @wrong), '', 'after sessions were killed while they write all is well');
is($hits, $kills, 'they were killed in the middle of it');
figure('cache.kills', $round);
figure('cache.kills_while_writing', $hits);
is((split /\n/, slurp_file($node->data_dir . '/postmaster.pid'))[0], $postmaster, 'the server is the same');

# --- the log ---

cmp_ok($faults, '>=', 1000, 'a thousand faults were tried');
figure('cache.faults', $faults);

my (%warnings, @bad);
for my $line (split /\n/, slurp_file($node->logfile))
{
	$warnings{$1}++ if $line =~ /\[(\d+)\] .*WARNING: .*WebAssembly/;
	push @bad, $line if $line =~ /PANIC|TRAP:|ERROR: .*WebAssembly|(server process .*(exited|terminated by signal))/
	  && $line !~ /terminated by signal 9/;
}
is(join("\n", @bad), '', 'no process ended, no statement failed');
is(scalar(grep { $_ > 1 } values %warnings), 0, 'no session was warned twice');
cmp_ok(scalar keys %warnings, '>', 10, 'those that could not store were warned');
figure('cache.warnings', scalar keys %warnings);
$node->stop;

done_testing();
