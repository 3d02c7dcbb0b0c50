# Building and installing: what is installed, and what sudo must not do.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Checkout;
use Test::More;

my $folder = temporary();

# A clone with nothing built, and a PATH in which cargo tells that it was called.
run_ok("git clone -q . '$folder/clone' && mkdir '$folder/bin' '$folder/cache'");
run_ok("printf '#!/bin/sh\\ntouch $folder/cargo-called\\nexit 1\\n' > '$folder/bin/cargo' && chmod 755 '$folder/bin/cargo'");
my $env = "env SUDO_USER=somebody WASM_CACHE_DIR='$folder/cache' PATH='$folder/bin':\"\$PATH\"";

my ($output, $status) = run("cd '$folder/clone' && $env make install DESTDIR='$folder/nothing'");
isnt($status, 0, 'sudo make install without a build fails');
like($output, qr/without sudo/, '... and says what to do');
ok(!-e "$folder/cargo-called", '... and never calls cargo');
ok(!-e "$folder/nothing", '... and installs nothing');

# With everything built, sudo installs from what is there.
($output, $status) = run("$env make install DESTDIR='$folder/root'");
is($status, 0, 'sudo make install installs what is built') or diag($output);
ok(!-e "$folder/cargo-called", '... and never calls cargo');

my ($libraries, $shared) = map { run_ok("pg_config --$_") =~ s/\n//r } qw(pkglibdir sharedir);
my @found = sort split(/\n/, run_ok("cd '$folder/root' && find . -type f -printf '/%P\\n'"));
my ($version) = slurp("$top/wasm.control") =~ /^default_version = '([^']+)'/m;
is_deeply(
	\@found,
	[ sort "$libraries/wasm.so", "$libraries/wasm-compile", "$shared/extension/wasm.control", "$shared/extension/wasm--$version.sql" ],
	'the files that are installed');

# An engine that was built elsewhere
my $engine = run_ok('tools/build-engine --print-dir') =~ s/\n//r;
SKIP:
{
	skip 'the engine was given by WASMTIME_DIR', 2 unless -e "$engine/lib/libwasmtime.a";
	symlink($engine, "$folder/wasmtime") or die;
	($output, $status) = run("cd '$folder/clone' && env WASM_CACHE_DIR='$folder/cache' PATH='$folder/bin':\"\$PATH\" make WASMTIME_DIR='$folder/wasmtime'");
	is($status, 0, 'make WASMTIME_DIR=... builds') or diag($output);
	ok(-e "$folder/clone/wasm.so" && !-e "$folder/cargo-called", '... without cargo');
}

done_testing();
