# `make demo` prints what the README shows.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Checkout;
use Test::More;

my $readme = slurp("$top/README.md");
my $folder = temporary();
my ($demo, $status) = run("TMPDIR='$folder' make demo");
is($status, 0, 'make demo succeeds') or diag($demo);

# The value below a title in psql's output for one row.
sub single
{
	my ($text, $title) = @_;
	return $text =~ /^ *\Q$title\E *\n-+\n *(.*?) *$/m ? $1 : undef;
}

is(single($demo, 'ns_sum'), 3, 'ns_sum gives 3');
is(single($readme, 'ns_sum'), 3, '... in the README as well');
is(single($demo, 'twice'), 42, 'an inline function gives 42');

# The cells of a table, by title; several lines of one cell are joined.
sub row
{
	my ($text, @titles) = @_;
	my ($head, $body) = $text =~ /^( *\Q$titles[0]\E *\|[^\n]*)\n-[-+]+\n(.*?)^\(\d+ row/ms;
	return {} unless $head;
	my @names = map { s/^ +| +$//gr } split(/\|/, $head, -1);
	my %row;
	for my $line (split(/\n/, $body))
	{
		my @cells = split(/\|/, $line, -1);
		for my $i (0 .. $#names)
		{
			my $cell = ($cells[$i] // '') =~ s/^ +| *\+?$//gr;
			$row{ $names[$i] } = join(' ', grep { defined && length } $row{ $names[$i] }, $cell);
		}
	}
	return \%row;
}

# The fields of the expanded form, which the README has.
sub record
{
	my ($text) = @_;
	my ($body) = $text =~ /^List of functions\n-\[ RECORD 1 \][-+]+\n(.*?)^```/ms;
	my (%record, $last);
	for my $line (split(/\n/, $body // ''))
	{
		my ($name, $value) = $line =~ /^(.*?) *\| ?(.*?) *\+?$/ or next;
		$last = $name if length $name;
		$record{$last} = join(' ', grep { defined && length } $record{$last}, $value);
	}
	return \%record;
}

my $expected = record($readme);
my $shown = row($demo, 'Schema');
ok(keys %$expected >= 12, 'the README shows \df+ ns_sum');
for my $field (sort keys %$expected)
{
	next if $field eq 'Source code' && $major != 15;    # later ones do not show it
	is($shown->{$field}, $expected->{$field} =~ s/\s+/ /gr, "\\df+ ns_sum: $field");
}

my $instance = row($demo, 'id');
my $instance_readme = row($readme, 'id');
is($instance->{id}, $instance_readme->{id}, 'wasm.instances: id');
like($instance->{wasm_file}, qr{^/.*/simple\.wasm$}, 'wasm.instances: wasm_file');
is($instance->{id}, single($demo, 'wasm_new_instance'), 'wasm_new_instance returns the id');

is_deeply(row($demo, 'instance_id'), row($readme, 'instance_id'), 'wasm.exported_functions');
is(row($demo, 'instance_id')->{name}, 'ns_sum', '... with ns_sum');

for my $line ($readme =~ /^((?:ERROR|CONTEXT): .*)$/mg)
{
	ok(index($demo, "$line\n") >= 0, "the trap: $line");
}
is(single($demo, 'quotient'), 42, 'the session goes on after the trap');

my ($processes) = run('ps -e -o args');
unlike($processes, qr/^\S*postgres\b.*\Q$folder\E/m, 'no server is left');
is((run("ls '$folder'"))[0], '', 'no file is left');

done_testing();
