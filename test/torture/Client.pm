# A client of the server that sees when things happen: it speaks the server's
# protocol itself, on the socket, without a program in between.
#
# A query is sent and its result waited for apart, so that one process can have
# many sessions at work, and stop them.  What a session answers is a hash:
#
#     rows      as psql -At prints them, of all statements
#     tags      the statements' command tags, joined by a space
#     sqlstate  of the error, '' for none
#     message   of the error
#     severity  ERROR, FATAL or PANIC
#     status    of the transaction: I, T or E; undefined when the session ended
#     at        when the error, or else the end of the query, was seen

package Client;

use strict;
use warnings;
use IO::Select;
use IO::Socket::UNIX;
use PostgreSQL::Test::Utils;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

# A new session; dies with the server's message when there is none to be had.
sub new
{
	my ($class, $node, %params) = @_;
	my $self = $class->try($node, %params);

	die "no session on node " . $node->name . ": $self->{result}{message}\n" unless $self->{result}{status};
	return $self;
}

# The same, where it is no matter when there is none: see {result}{status}.
sub try
{
	my ($class, $node, %params) = @_;
	my $self = bless { buffer => '', pid => 0 }, $class;
	my $path = $node->host . '/.s.PGSQL.' . $node->port;
	my %options = (
		user => scalar getpwuid($>),
		database => 'postgres',
		application_name => 'torture',
		client_encoding => 'UTF8',
		%params);
	my $startup = pack('N', 196608) . join('', map { "$_\0$options{$_}\0" } sort keys %options) . "\0";

	$self->{socket} = IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $path);
	if (!$self->{socket})
	{
		$self->{result} = { message => "could not connect to $path: $!", sqlstate => '' };
		return $self;
	}
	$self->write(pack('N', 4 + length $startup) . $startup);
	$self->{result} = $self->result;
	return $self;
}

# The process id of its backend.
sub pid
{
	my ($self) = @_;

	return $self->{pid};
}

sub write
{
	my ($self, $bytes) = @_;

	local $SIG{PIPE} = 'IGNORE';
	while (length $bytes)
	{
		# a session that has ended says so when it is read from
		my $written = syswrite($self->{socket}, $bytes) // return;

		substr($bytes, 0, $written, '');
	}
}

sub message
{
	my ($type, $content) = @_;

	return $type . pack('N', 4 + length $content) . $content;
}

sub send
{
	my ($self, $query) = @_;

	$self->write(message('Q', "$query\0"));
}

# Sends one statement whose parameters are bytes, given in binary form.
sub send_bytes
{
	my ($self, $query, @bytes) = @_;
	my $count = pack 'n', scalar @bytes;
	my $values = join '', map { pack('N', length $_) . $_ } @bytes;

	$self->write(message('P', "\0$query\0" . pack('n', 0))
		  . message('B', "\0\0" . pack('nn', 1, 1) . $count . $values . pack('n', 0))
		  . message('E', "\0" . pack('N', 0))
		  . message('S', ''));
}

# The next message of the server: type and content; nothing at the end.
sub next_message
{
	my ($self, $until) = @_;

	while (1)
	{
		if (length $self->{buffer} >= 5)
		{
			my ($type, $length) = unpack 'aN', $self->{buffer};

			if (length $self->{buffer} >= 1 + $length)
			{
				my $content = substr($self->{buffer}, 5, $length - 4);

				substr($self->{buffer}, 0, 1 + $length, '');
				return ($type, $content);
			}
		}
		my $left = $until - clock_gettime(CLOCK_MONOTONIC);
		$left > 0 && IO::Select->new($self->{socket})->can_read($left)
		  or die "no answer from session $self->{pid}\n";
		sysread($self->{socket}, $self->{buffer}, 65536, length $self->{buffer}) or return;
	}
}

sub row
{
	my ($content) = @_;
	my ($count, $rest) = unpack 'n a*', $content;
	my @fields;

	for (1 .. $count)
	{
		my $length = unpack 'N', $rest;

		if ($length == 0xffffffff) { push @fields, ''; $length = 0 }
		else { push @fields, substr($rest, 4, $length) }
		substr($rest, 0, 4 + $length, '');
	}
	return join '|', @fields;
}

# Waits for the end of what was sent.
sub result
{
	my ($self) = @_;
	my $until = clock_gettime(CLOCK_MONOTONIC) + $PostgreSQL::Test::Utils::timeout_default;
	my (@rows, @tags);
	my %result = (sqlstate => '', message => '', severity => '');

	while (my ($type, $content) = $self->next_message($until))
	{
		if ($type eq 'D') { push @rows, row($content) }
		elsif ($type eq 'C') { push @tags, $content =~ s/\0//r }
		elsif ($type eq 'K') { $self->{pid} = unpack 'N', $content }
		elsif ($type eq 'E')
		{
			my %fields = map { /^(.)(.*)/s ? ($1 => $2) : () } split /\0/, $content;

			@result{qw(sqlstate message severity at)} =
			  (@fields{qw(C M V)}, clock_gettime(CLOCK_MONOTONIC));
		}
		elsif ($type eq 'Z')
		{
			$result{status} = $content;
			last;
		}
	}
	$result{at} //= clock_gettime(CLOCK_MONOTONIC);
	$result{rows} = join "\n", @rows;
	$result{tags} = join ' ', @tags;
	return \%result;
}

# What a query answers; it must not fail.
sub ask
{
	my ($self, $query) = @_;
	my $result = $self->attempt($query);

	die "$query: $result->{sqlstate} $result->{message}\n" if $result->{sqlstate} || !$result->{status};
	return $result->{rows};
}

# The result of a query that may fail.
sub attempt
{
	my ($self, $query) = @_;

	$self->send($query);
	return $self->result;
}

# The same with parameters that are bytes.
sub attempt_bytes
{
	my ($self, $query, @bytes) = @_;

	$self->send_bytes($query, @bytes);
	return $self->result;
}

sub close
{
	my ($self) = @_;

	$self->write(message('X', ''));
	close $self->{socket};
}

1;
