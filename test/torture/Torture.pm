# What the programs in this folder share: how long they run, the figures that
# they report, and a look at processes.
#
# PGW_TORTURE=full asks for the full length; otherwise each program is short.
# PGW_FIGURES names a file to which the figures are added.

package Torture;

use strict;
use warnings;
use Client;
use Exporter 'import';
use FindBin;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);
use WasmTest;

our @EXPORT = qw(
  full amount now wait_until
  figure figure_latencies
  good_functions check_good try_hostile
  processor_ticks process_gone children descriptors memory_kb
  wait_for_work wait_for_compilation
  slow_module
);

sub full
{
	return ($ENV{PGW_TORTURE} // '') eq 'full';
}

# How many of something: the first of two numbers when the run is short.
sub amount
{
	my ($short, $full) = @_;

	return full() ? $full : $short;
}

sub now
{
	return clock_gettime(CLOCK_MONOTONIC);
}

# Waits for a condition; dies when it does not come true.
sub wait_until
{
	my ($what, $condition) = @_;
	my $until = now() + $PostgreSQL::Test::Utils::timeout_default;

	until ($condition->())
	{
		die "waited in vain: $what\n" if now() > $until;
		select undef, undef, undef, 0.001;
	}
}

# --- figures ---

sub figure
{
	my ($name, $value, $unit) = @_;
	my $line = "$name = $value" . (defined $unit ? " $unit" : '');

	note("figure: $line");
	return unless $ENV{PGW_FIGURES};
	open(my $handle, '>>', $ENV{PGW_FIGURES}) or die "cannot write to $ENV{PGW_FIGURES}: $!";
	print $handle "$line\n";
	close $handle;
}

# Seconds, reported in milliseconds: how many, the middle one, that which one in
# a hundred exceeds, and the longest.
sub figure_latencies
{
	my ($name, @seconds) = @_;
	my @sorted = sort { $a <=> $b } @seconds;
	my $quantile = sub { sprintf '%.2f', 1000 * $sorted[ int($_[0] * @sorted + 0.999999) - 1 ] };

	figure("$name.count", scalar @sorted);
	return unless @sorted;
	figure("$name.p50", $quantile->(0.5), 'ms');
	figure("$name.p99", $quantile->(0.99), 'ms');
	figure("$name.max", $quantile->(1), 'ms');
}

# --- the server ---

# Functions by which a session shows that it is in order.
sub good_functions
{
	return q{
		CREATE FUNCTION good(integer) RETURNS integer LANGUAGE wasm AS
			'(module (memory 1) (func (export "good") (param i32) (result i32)
				(i32.store (i32.const 0) (local.get 0))
				(i32.add (i32.load (i32.const 0)) (i32.const 1))))';
	};
}

# Is the session alive, the same, and does a guest work in it?  Returns '' or
# what is wrong.
sub check_good
{
	my ($client, $n) = @_;
	my $result = $client->attempt("SELECT good($n), pg_backend_pid()");

	return "$result->{sqlstate} $result->{message}" if $result->{sqlstate};
	return 'the session has ended' unless $result->{status};
	return '' if $result->{rows} eq ($n + 1) . '|' . $client->pid;
	return "good($n) in session " . $client->pid . " gives $result->{rows}";
}

# Makes the module h, unless that is undefined, and runs statements, in a
# transaction that is rolled back; the first error decides.  The client is given by a
# reference, since a session that has ended is replaced; n numbers the case.  Options:
# result => what the last statement gives; timeout => where the guest does not end by
# itself; set => settings.
sub try_hostile
{
	my ($node, $client, $n, $title, $expected, $module, $statements, %options) = @_;
	my @statements = @$statements;
	my $result = $$client->attempt('BEGIN');

	$$client->ask("SET LOCAL statement_timeout = '$options{timeout}'") if $options{timeout};
	$$client->ask("SET LOCAL $_") for @{ $options{set} // [] };
	$result = $$client->attempt_bytes(q{SELECT wasm.create_module('h', $1)}, $module) if defined $module;
	while (!$result->{sqlstate} && $result->{status} && @statements)
	{
		$result = $$client->attempt(shift @statements);
	}
	my $outcome = $result->{status} ? $result->{sqlstate} : 'the session has ended';
	$outcome .= ", result $result->{rows}"
	  if !$result->{sqlstate} && defined $options{result} && $result->{rows} ne $options{result};

	# a session that has ended must not end the test
	if (!$result->{status})
	{
		wait_until('the server is up again', sub { $$client = Client->try($node); $$client->{result}{status} });
	}
	else { $$client->attempt('ROLLBACK') }
	my $health = check_good($$client, $n);
	my $says = $expected || ($options{result} // 'no error');
	is("$outcome $health", "$expected ", "$title: " . ($says =~ s/(.{40}).+/$1.../sr))
	  or diag($result->{message});
}

# --- processes ---

# The fields of /proc/PID/stat after the command's name, from the state on;
# nothing for a process that is gone.
sub stat_fields
{
	my ($pid) = @_;

	open(my $handle, '<', "/proc/$pid/stat") or return;
	my $line = <$handle> // return;
	return split ' ', $line =~ s/.*\) //sr;
}

# The clock ticks that a process has used in user mode.
sub processor_ticks
{
	my ($pid) = @_;

	return (stat_fields($pid))[11] // 0;
}

sub process_gone
{
	my ($pid) = @_;

	return ((stat_fields($pid))[0] // 'X') =~ /[XZ]/;
}

sub children
{
	my ($pid) = @_;

	return grep { ((stat_fields($_))[1] // 0) == $pid } map { m{/proc/(\d+)} } glob '/proc/[0-9]*';
}

# How many file descriptors a process has open, without those for files of a
# data directory: the server keeps the ones of tables and logs as it likes.
sub descriptors
{
	my ($pid, $data_dir) = @_;
	my @links = map { readlink($_) // () } glob "/proc/$pid/fd/*";

	return scalar grep { !m{^\Q$data_dir\E/(?!pgsql_tmp_wasm)} } @links;
}

# What a process has in memory of its own: not the server's shared memory.
sub memory_kb
{
	my ($pid) = @_;
	my $status = slurp_file("/proc/$pid/status");

	return ($status =~ /^RssAnon:\s*(\d+)/m)[0] + ($status =~ /^RssFile:\s*(\d+)/m)[0];
}

# Waits until a session that was given an endless query is at it.
sub wait_for_work
{
	my ($pid, $before) = @_;

	wait_until("session $pid works", sub { processor_ticks($pid) >= $before + 2 });
}

# Waits until a helper of a session compiles; returns its process id.
sub wait_for_compilation
{
	my ($pid) = @_;
	my $helper;

	wait_until("session $pid compiles",
		sub { ($helper) = grep { processor_ticks($_) >= 2 } children($pid); $helper });
	return $helper;
}

# --- modules ---

# A module that takes seconds to compile, of loops in loops, which poll the epoch
# since it has a tail call; the export "main"
# has neither parameters nor results.  Each number gives another module.
sub slow_module
{
	my ($number, $depth) = @_;
	my $code = ("\x03\x40" x ($depth // 8000)) . ("\x0b" x ($depth // 8000)) . "\x12\0\x0b";

	return module(
		section(1, vector("\x60\0\0")),
		section(3, vector("\0")),
		section(7, vector(name('main') . "\0\0")),
		section(10, vector(function_body(unpack 'H*', $code))),
		custom_section('number', $number));
}

1;
