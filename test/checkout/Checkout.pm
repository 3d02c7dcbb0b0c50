# What the tests of the checkout share.
package Checkout;

use strict;
use warnings;
use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);

our @EXPORT = qw($top $major slurp run run_ok temporary scratch scratch_env sources psql);

our $top = abs_path(dirname(__FILE__) . '/../..');
our ($major) = `\${PG_CONFIG:-pg_config} --version` =~ /PostgreSQL (\d+)/;

$ENV{PAGER} = '';
$ENV{LC_MESSAGES} = 'C';
delete @ENV{qw(MAKEFLAGS MAKELEVEL MFLAGS)};

# A scratch folder of its own, so that no other server is disturbed.
$ENV{WASM_SCRATCH_DIR} = "/tmp/wasm-test-$$";
my $started = 0;
my $pid = $$;

END
{
	if ($started && $$ == $pid)
	{
		local $?;
		system("$top/tools/scratch", 'destroy');
	}
}

sub slurp
{
	my ($file) = @_;
	open(my $handle, '<', $file) or die "cannot read $file: $!";
	local $/;
	return scalar <$handle>;
}

# Runs a shell command in the checkout: its output, errors included, and status.
sub run
{
	my ($command) = @_;
	my $output = `cd '$top' && { $command\n} 2>&1 </dev/null`;
	return ($output, $? >> 8);
}

# The output of a command that must succeed.
sub run_ok
{
	my ($command) = @_;
	my ($output, $status) = run($command);
	die "$command\nended with status $status:\n$output" if $status != 0;
	return $output;
}

# A folder that goes away, readable for the server.
sub temporary
{
	my $folder = tempdir('wasm-checkout-XXXXXX', TMPDIR => 1, CLEANUP => 1);
	chmod(0755, $folder);
	return $folder;
}

# Starts the scratch server.
sub scratch
{
	$started = 1;
	run_ok('tools/scratch start');
	return;
}

# A value of `tools/scratch env`: scratch, private_bin, socket or user.
sub scratch_env
{
	my ($name) = @_;
	return run_ok('tools/scratch env') =~ /\b$name=(\S+)/ ? $1 : die "no $name";
}

# What psql prints, errors included, for a text of SQL.
sub psql
{
	my ($sql, @options) = @_;
	my $file = File::Temp->new;
	binmode($file);
	print $file $sql;
	close($file);
	my $options = join(' ', map { "'$_'" } @options);
	return `'$top/tools/scratch' psql -X $options 2>&1 <'$file'`;
}

# The C files of the extension, relative to the checkout.
sub sources
{
	my $list = run_ok('git ls-files src');
	return grep { /\.[ch]$/ } split(/\n/, $list);
}

1;
