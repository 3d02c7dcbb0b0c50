# The README's block of just recipes works in a fresh clone.  It installs into
# the system's PostgreSQL, which is put back as it was.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Checkout;
use Test::More;

plan skip_all => 'just is not installed: tools/setup --just' if (run('command -v just'))[1] != 0;
plan skip_all => 'installing into the system takes root' if $> != 0;

my ($block) = slurp("$top/README.md") =~ /^<!-- just -->\n```sh\n(.*?)^```/ms;
my $folder = temporary();
my ($libraries, $shared) = map { run_ok("pg_config --$_") =~ s/\n//r } qw(pkglibdir sharedir);
my $installed = "'$libraries'/wasm.so '$shared'/extension/wasm.control '$shared'/extension/wasm--*.sql";

# a name of its own: the cluster of this clone, not of this checkout
delete $ENV{WASM_SCRATCH_DIR};
run_ok("git clone -q . '$folder/clone'");
run("tar -cPf '$folder/before.tar' \$(ls -d $installed 2>/dev/null)");
my $clone_scratch = run_ok("cd '$folder/clone' && tools/scratch socket") =~ s{/s\n$}{}r;

my $pid = $$;
END
{
	if ($pid && $$ == $pid && $clone_scratch)
	{
		local $?;
		run("cd '$folder/clone' && tools/scratch destroy");
		run("rm -f $installed; if [ -s '$folder/before.tar' ]; then tar -xPf '$folder/before.tar'; fi");
	}
}

my ($output, $status) = run("cd '$folder/clone' && set -e\n$block");
is($status, 0, 'the block succeeds') or diag($output);
like($output, qr/^CREATE EXTENSION$/m, 'the extension is created');
like($output, qr/^ wasm_init *\n-+\n t$/m, 'wasm_init returns true');
like($output, qr/^ twice *\n-+\n +42$/m, 'the example runs');
ok(-e "$libraries/wasm.so", 'the library is installed');
unlike((run("ps -e -o args"))[0], qr/\Q$clone_scratch\E/, 'no server is left');

($output, $status) = run("cd '$folder/clone' && just pg-start && for i in 1 2; do just host=\$(just pg-socket) activate; done");
is($status, 0, 'activate may be repeated') or diag($output);
is(scalar(() = $output =~ /^ t$/mg), 2, '... and says so each time');

($output, $status) = run("cd '$folder/clone' && just pg-stop && just pg-init && just pg-stop && echo 'SELECT 40 + 2;' > '$folder/one.sql' && just pg-run-one-file '$folder/one.sql'");
is($status, 0, 'pg-init, pg-stop and pg-run-one-file work on their own') or diag($output);
like($output, qr/^ +42$/m, '... with the output of the file');

for my $recipe (qw(build install activate test pg-init pg-start pg-stop pg-shell pg-run-one-file))
{
	my (undef, $shown) = run("just --show $recipe");
	is($shown, 0, "there is a recipe $recipe");
}

done_testing();
