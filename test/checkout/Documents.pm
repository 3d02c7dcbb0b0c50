# The examples in the documents give what the documents say.
#
# A block ```sql is run by psql, in the order of the document, in a database of
# the document's own; a block ```text that follows is what psql prints for it.
# With the argument --update the blocks ```text are written instead of compared.
#
# Marks: <!-- not run --> before a block leaves it out; <!-- run --> marks a shell
# block to be run, which may call tools/wasm-load.
package Documents;

use strict;
use warnings;
use Checkout;
use Exporter qw(import);
use Test::More;

our @EXPORT = qw(check_documents);

my $update = @ARGV && $ARGV[0] eq '--update';
# as long as /tmp/simple.wasm, so that columns have the same width
my $file = sprintf('/tmp/wasm-%06d', $$ % 1000000);
run_ok("install -m 644 examples/simple.wasm '$file'");
END { unlink($file) if $file }

# guests_c for doc/guests/c.md
sub database_of
{
	my ($document) = @_;
	return lc($document =~ s{^doc/|\.md$}{}gr) =~ s/\W/_/gr;
}

# [language, text, line, mark] of each fenced block
sub blocks
{
	my ($text) = @_;
	my @blocks;
	while ($text =~ /^(?:<!-- ([a-z ]+) -->\n)?```(\w+)\n(.*?)^```$/msg)
	{
		my ($mark, $language, $body) = ($1 // '', $2, $3);
		my $line = 1 + (substr($text, 0, $-[0]) =~ tr/\n//);
		push @blocks, [$language, $body, $line, $mark];
	}
	return @blocks;
}

sub run_block
{
	my ($block, $database) = @_;
	my ($language, $body) = @$block;
	if ($language eq 'sh')
	{
		my $socket = scratch_env('socket');
		$body =~ s/-d postgres/-d $database -U postgres -h $socket/;
		# a script says so when it fetches its tools, which it does once
		return run_ok($body) =~ s/^Installing .*\n//mgr;
	}
	$body =~ s{/tmp/simple\.wasm}{$file}g;
	my $output = psql($body, '-q', '-d', $database);
	$output =~ s{\Q$file\E}{/tmp/simple.wasm}g;
	$output =~ s/ +$//mg;
	$output =~ s/\n+\z/\n/;
	return $output;
}

sub check_document
{
	my ($document) = @_;
	my $text = slurp("$top/$document");
	my $database = database_of($document);
	my @blocks = blocks($text);
	psql("CREATE DATABASE $database");
	psql('CREATE EXTENSION wasm', '-d', $database) if $document ne 'README.md';
	for my $i (0 .. $#blocks)
	{
		my ($language, $body, $line, $mark) = @{ $blocks[$i] };
		next if $mark eq 'not run' || !($language eq 'sql' || $mark eq 'run');
		my $output = run_block($blocks[$i], $database);
		my $next = $blocks[$i + 1];
		my $has_output = $next && $next->[0] eq 'text';
		if ($update)
		{
			$next->[1] = $output if $has_output;
			next;
		}
	  SKIP:
		{
			skip 'psql 15 shows the source code, later ones do not', 1
			  if $major != 15 && $body =~ /\\df\+/;
			is($output, $has_output ? $next->[1] : '', "$document, line $line");
		}
	}
	return unless $update;
	my @texts = map { $_->[1] } grep { $_->[0] eq 'text' } @blocks;
	$text =~ s/^(```text\n).*?^(```)$/$1 . shift(@texts) . $2/msge;
	open(my $handle, '>', "$top/$document") or die;
	print $handle $text;
	close($handle);
	return;
}

# Tests documents, given by their paths in the checkout.
sub check_documents
{
	my (@documents) = @_;
	scratch();
	check_document($_) for @documents;
	done_testing() if Test::More->builder->current_test;
	return;
}

1;
