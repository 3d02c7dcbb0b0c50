# The guides for languages build their examples, whose SQL gives what they say.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Checkout;
use Documents;
use Test::More;

# The options of a command, each with its value, without the file that it writes.
sub options
{
	my ($command) = @_;
	my (undef, @options) = split(/ (?=-)/, $command =~ s/(?:\s|\\\n)+/ /gr =~ s/ $//r);
	return join("\n", sort grep { !/^-o / } @options);
}

# What a guide says that its script runs is what the script runs.
for my $language (qw(assemblyscript c go rust))
{
	my ($command) = slurp("$top/doc/guests/$language.md") =~ /^```sh\n([^`]* -o [^`]*)^```/m;
	my ($last) = slurp("$top/tools/guests/$language") =~ /.*\n([^\n]*\bexec .*)\z/s;
	is(options($last), options($command), "$language: the options of the guide");
}

# What a guide shows of a source is in the source, wherever it is indented.
my %source = (javascript => 'urls.js', python => 'similarity.py');
for my $language (sort keys %source)
{
	my $source = slurp("$top/examples/$language/$source{$language}") =~ s/^ +//mgr;
	for my $block (slurp("$top/doc/guests/$language.md") =~ /^```(?:js|python)\n(.*?)^```/msg)
	{
		for my $part (split(/\n\n/, $block =~ s/^ +//mgr))
		{
			ok(index($source, $part) >= 0, "$language: the source has\n$part");
		}
	}
}

# So are the commands for a component in C, and the versions of their tools.
{
	my ($commands) = slurp("$top/doc/guests/c.md") =~ /^```sh\ncargo install --locked ([^`]*)^```/m;
	my ($tools, @guide) = split(/\n(?! )/, $commands);
	my $script = slurp("$top/tools/guests/c-component");
	s/\s*\\\n\s*/ /g for @guide, $script;
	s{/tmp/roads\.wasm}{"\$output"}g, s{(/tmp/roads\S*)}{"$1"}g, s{/tmp/roads}{\$bindings}g for @guide;
	is_deeply([grep { index($script, $_) < 0 } @guide], [], 'c-component: the commands of the guide');
	my @pins = slurp("$top/tools/guests/c-component.txt") =~ /^(\S+)/mg;
	is($tools, "@pins", 'c-component: the tools of the guide');
}

check_documents(split(/\n/, run_ok('ls doc/guests/*.md')));
