# The sources keep to the layers and sizes that doc/architecture.md promises.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Checkout;
use Test::More;

# A layer may include its own headers and those of the layers named.
my %allowed = (
	compat => [],
	guc => ['compat'],
	stat => [qw(guc compat)],
	engine => [qw(guc compat)],
	values => [qw(engine guc compat)],
	host => [qw(engine guc compat)],
	catalog => [qw(values host engine stat guc compat)],
	language => [qw(catalog values host engine stat guc compat)],
	classic => [qw(catalog values host engine guc compat)],
	main => [qw(language classic catalog values host engine stat guc compat)],
);
my $lines_max = 1000;
my $function_max = 100;

sub layer_of
{
	my ($file) = @_;    # relative to src
	return $file =~ m{^(\w+)/} ? $1 : $file =~ m{^(\w+)\.} ? $1 : '';
}

# A source of test builds may be left out of the layers by nothing: all count.
sub check_includes
{
	my ($file, $text) = @_;
	my $layer = layer_of($file =~ s{^src/}{}r);
	my @wrong;
	return ("$file is in no layer") unless $allowed{$layer};
	while ($text =~ /^\s*#\s*include\s+"([^"]+)"/mg)
	{
		my $header = $1;
		next unless -e "$top/src/$header";    # one of PostgreSQL's
		my $other = layer_of($header);
		push @wrong, "$file includes $header"
		  unless grep { $_ eq $other } $layer, @{ $allowed{$layer} };
	}
	return @wrong;
}

# Functions begin where a line is "{" alone, and end where it is "}" alone.
sub long_functions
{
	my ($file, $text) = @_;
	my ($start, $number, @long) = (0, 0);
	for my $line (split(/\n/, $text))
	{
		$number++;
		$start = $number if $line eq '{';
		push @long, "$file, lines $start to $number"
		  if $line =~ /^\}/ && $start && $number - $start > $function_max;
		$start = 0 if $line =~ /^\}/;
	}
	return @long;
}

my (@include, @engine, @version, @lines, @functions);
for my $file (sources())
{
	my $text = slurp("$top/$file");
	push @include, check_includes($file, $text);
	push @engine, $file
	  if $text =~ /#\s*include\s*[<"](?:wasmtime|wasm|wasmtime\/[^>"]*)(?:\.h)?[>"]/
	  && $file !~ m{^src/(?:engine|values|host)/};
	push @version, $file if $text =~ /\bPG_VERSION_NUM\b/ && $file ne 'src/compat.h';
	push @lines, $file if ($text =~ tr/\n//) > $lines_max;
	push @functions, long_functions($file, $text);
}
is_deeply(\@include, [], 'dependencies point one way');
is_deeply(\@engine, [], 'the engine is included where it belongs');
is_deeply(\@version, [], 'versions of PostgreSQL are told apart in compat.h only');
is_deeply(\@lines, [], "no file has over $lines_max lines");
is_deeply(\@functions, [], "no function has over $function_max lines");

my $documented = slurp("$top/doc/architecture.md");
my @missing = grep { my $base = s{\.[ch]$}{}r; index($documented, $base) < 0 && index($documented, s{.*/}{}r) < 0 } sources();
is_deeply(\@missing, [], 'doc/architecture.md names every source');

# Words in committed files that belong to one machine only
my ($named) = run(q{git grep -nIE '/(home|root)/[a-z]|10\.[0-9]+\.[0-9]+\.[0-9]+' -- . ':!engine/Cargo.lock' ':!test/checkout/layers.pl'});
is($named, '', 'no path or address of a particular machine');

done_testing();
