# What the tests in this folder share: a node with the extension, sessions whose
# errors are seen by SQLSTATE, waiting for a guest that runs, and an assembler
# for binary modules.

package WasmTest;

use strict;
use warnings;
use Exporter 'import';
use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(
  source_dir wasm_node check_log
  session ask sqlstate message last_sqlstate
  start_guest wait_for_guest process_status
  uleb section vector name module custom_section function_body
  noise scale_module bytea_literal
);

# The checkout, or the copy of it in which the tests run.
sub source_dir
{
	return "$FindBin::Bin/../..";
}

# A started node whose database "postgres" has the extension; install_path names
# the parent of the bin/ of another installation.
sub wasm_node
{
	my ($name, %params) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name,
		$params{install_path} ? (install_path => $params{install_path}) : ());

	$node->init(
		extra => [ '--locale=C', '--encoding=UTF8' ],
		allows_streaming => $params{allows_streaming});
	$node->append_conf('postgresql.conf', "max_connections = 40\n");
	$node->append_conf('postgresql.conf', $params{conf}) if $params{conf};
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION wasm');
	return $node;
}

# No process of the node may have died otherwise than by an error message.
sub check_log
{
	my ($node) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my @bad = grep { /PANIC|TRAP:|terminated by signal|server process .* exited with/ }
	  split /\n/, slurp_file($node->logfile);

	is(join("\n", @bad), '', 'no process of node ' . $node->name . ' crashed');
}

# A psql session that goes on after errors, as a certain role if need be.
sub session
{
	my ($node, $dbname, %params) = @_;
	my @extra = ('-v', 'VERBOSITY=verbose');

	push @extra, '-U', $params{role} if $params{role};
	return $node->background_psql($dbname // 'postgres',
		on_error_stop => 0, extra_params => \@extra);
}

# What a session answers to a query.
sub ask
{
	my ($session, $query) = @_;

	$session->{stderr} = '';
	return scalar $session->query($query);
}

# The SQLSTATE of the error that a session reported last; '' for none.
sub last_sqlstate
{
	my ($session) = @_;

	return $session->{stderr} =~ /(?:ERROR|FATAL|PANIC):  (\w{5}): / ? $1 : '';
}

# Runs a query and returns the SQLSTATE with which it fails; '' when it works.
sub sqlstate
{
	my ($session, $query) = @_;

	ask($session, $query);
	return last_sqlstate($session);
}

# The same with the message, "22012: division by zero".
sub message
{
	my ($session, $query) = @_;

	ask($session, $query);
	return $session->{stderr} =~ /(?:ERROR|FATAL|PANIC):  (\w{5}: [^\n]*)/ ? $1 : '';
}

# The clock ticks that a process has spent in user mode.
sub ticks_of
{
	my ($pid) = @_;

	return (split ' ', slurp_file("/proc/$pid/stat"))[13];
}

# Waits until a session that has been given a query that is to loop does so:
# it is active and has used processor time since.
sub wait_for_guest
{
	my ($node, $pid, $ticks) = @_;

	$ticks = ticks_of($pid) unless defined $ticks;
	$ticks += 10;
	$node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM pg_stat_activity WHERE pid = $pid AND state = 'active'
		 AND split_part(pg_read_file('/proc/$pid/stat'), ' ', 14)::int >= $ticks")
	  or die "the guest does not run";
}

# Gives a session an endless query and waits until it runs.  Returns the process
# id.  What the query says is collected by the session's next one.
sub start_guest
{
	my ($node, $session, $query) = @_;
	my $pid = ask($session, 'SELECT pg_backend_pid()');
	my $ticks = ticks_of($pid);

	$session->{stderr} = '';
	$session->query_until(qr/started/, "\\echo started\n$query;\n");
	wait_for_guest($node, $pid, $ticks);
	return $pid;
}

# A field of /proc/PID/status.
sub process_status
{
	my ($pid, $field) = @_;

	return slurp_file("/proc/$pid/status") =~ /^$field:\s*(\w+)/m ? $1 : undef;
}

# --- binary modules ---

sub uleb
{
	my ($number) = @_;
	my $bytes = '';

	do
	{
		my $low = $number & 0x7f;
		$number >>= 7;
		$bytes .= chr($low | ($number ? 0x80 : 0));
	} while ($number);
	return $bytes;
}

sub vector
{
	return uleb(scalar @_) . join('', @_);
}

sub name
{
	my ($name) = @_;

	return uleb(length $name) . $name;
}

sub section
{
	my ($id, $content) = @_;

	return chr($id) . uleb(length $content) . $content;
}

sub custom_section
{
	my ($name, $content) = @_;

	return section(0, name($name) . $content);
}

# Code in hex, without locals unless given as "count type" pairs in hex.
sub function_body
{
	my ($code, @locals) = @_;
	my $body = vector(map { pack('H*', $_) } @locals) . pack('H*', $code =~ s/\s//gr);

	return uleb(length $body) . $body;
}

sub module
{
	return "\0asm\1\0\0\0" . join('', @_);
}

# Bytes that do not compress, always the same ones.
sub noise
{
	my ($length, $seed) = @_;

	srand($seed // 1);
	return join '', map { pack 'N', int(rand(2**32)) } 1 .. ($length + 3) / 4;
}

# A module of about the given size that exports scale(x) = x * factor; the
# factor is one of 0 to 63.
sub scale_module
{
	my ($factor, $size) = @_;
	my @sections = (
		section(1, vector("\x60" . vector("\x7f") . vector("\x7f"))),
		section(3, vector("\0")),
		section(7, vector(name('scale') . "\0\0")),
		section(10, vector(function_body('2000 41' . unpack('H*', chr $factor) . ' 6c 0b'))));

	push @sections, custom_section('padding', noise($size, $factor + 1)) if $size;
	return module(@sections);
}

sub bytea_literal
{
	my ($bytes) = @_;

	return "'\\x" . unpack('H*', $bytes) . "'";
}

1;
