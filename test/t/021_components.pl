# Values of random WIT types pass through components and come back as they were,
# by their default SQL types and as jsonb.
#
# PGW_SEED repeats a run, PGW_VALUES says how many values there are.

use strict;
use warnings;
use Encode qw(encode_utf8);
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use WasmTest;
use WitTypes qw(random_type random_value component wit_text is_jsonb sql_literal row_literal json_literal);

my $seed = $ENV{PGW_SEED} // time ^ $$;
my $total = $ENV{PGW_VALUES} // 5000;
my $functions = 50;    # of a component
my $values = 10;       # of a function
my $depth = 3;

note("PGW_SEED=$seed");
srand($seed);

my $node = wasm_node('components');

sub literal
{
	my ($text) = @_;

	return defined $text ? "'" . $text =~ s/'/''/gr . "'" : 'NULL';
}

# What a function returns is not its argument; SQL that lists such values.
sub differences
{
	my ($function, $type, $pairs) = @_;
	my $rows = join ",\n", map { '(' . literal($_->[0]) . ', ' . literal($_->[1]) . ')' } @$pairs;

	return "SELECT '$function', given, expected::$type->[1], $function(given::$type->[0]) FROM (VALUES\n$rows, (NULL, NULL)) v(given, expected)
		WHERE given IS NOT NULL AND ($function(given::$type->[0])::text) IS DISTINCT FROM (expected::$type->[1])::text;\n"
	  . (grep({ !defined $_->[0] } @$pairs) ? "SELECT '$function', 'null', $function(NULL) WHERE $function(NULL)::text IS NOT NULL;\n" : '');
}

# Runs SQL; whatever it says is wrong.
sub says_nothing
{
	my ($sql, $title) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my ($out, $err);

	$node->psql('postgres', encode_utf8("SET client_min_messages = warning;\nSET search_path = echo;\n$sql"), stdout => \$out, stderr => \$err);
	is(substr("$out$err", 0, 4000), '', $title);
}

# JSON has no negative zero.
sub as_through_json
{
	my ($value) = @_;

	return ref $value ? [ map { as_through_json($_) } @$value ] : defined $value && $value eq '-0' ? '0' : $value;
}

# What becomes of a value that is returned: of a result, which is jsonb as an
# argument, what is ok.
sub returned
{
	my ($type, $value) = @_;

	return ($type, $value) if $type->{kind} ne 'result';
	return ($type->{members}[0]{type}, $value->[1]);
}

# A value that can be returned.
sub value_of
{
	my ($type) = @_;
	my $value = random_value($type);

	$value = random_value($type) while $type->{kind} eq 'result' && $value->[0] != 0;
	return $value;
}

my $done = 0;
for (my $n = 1; $done < $total; $n++)
{
	my %types;
	for my $i (1 .. $functions)
	{
		my $type = random_type($depth);
		# an error without a value is all that the result of nothing says
		redo if $type->{kind} eq 'result' && !$type->{members}[0]{type};
		$types{"f$i"} = $type;
	}
	my @names = sort keys %types;
	my $text = component(%types);

	$node->safe_psql('postgres', "DROP SCHEMA IF EXISTS echo CASCADE; CREATE SCHEMA echo");
	says_nothing("\\o /dev/null\nSELECT wasm.create_module('guest', convert_to(" . literal($text) . ", 'UTF8'));
		SELECT wasm.create_functions('guest');\n"
		  . join('', map { "CREATE FUNCTION j_$_(jsonb) RETURNS jsonb LANGUAGE wasm AS 'guest#$_';\n" } @names),
		"component $n is made") or BAIL_OUT("PGW_SEED=$seed\n$text");
	# the types of arguments and results; of OUT columns a type is made
	my %signatures = map { /^(\w+)\|(.*)\|(.*)$/ ? ($1 => [ $2, $3 ]) : () } split /\n/,
	  $node->safe_psql('postgres', q{SET search_path = pg_catalog;
		SELECT format('CREATE TYPE echo.%s_row AS (%s)', proname, (SELECT string_agg(format('f%s %s', n - 1, format_type(type, NULL)), ', ')
			FROM unnest(proallargtypes) WITH ORDINALITY a(type, n) WHERE n > 1))
		FROM pg_proc WHERE pronamespace = 'echo'::regnamespace AND prorettype = 'record'::regtype \gexec
		SELECT proname, format_type(proargtypes[0], NULL), CASE prorettype WHEN 'record'::regtype THEN format('echo.%s_row', proname)
			ELSE format_type(prorettype, NULL) END
		FROM pg_proc WHERE pronamespace = 'echo'::regnamespace AND proname LIKE 'f%'});
	is(join(' ', grep { ($signatures{$_}[0] eq 'jsonb') != is_jsonb($types{$_}) } @names), '',
		"component $n: jsonb stands for what nothing else does");

	my ($sql, $json) = ('', '');
	for my $name (@names)
	{
		my $type = $types{$name};
		my $reads_json = (returned($type))[0]{kind} eq 'string';
		my (@sql, @json);

		for (1 .. $values)
		{
			my $value = value_of($type);
			my ($result_type, $result) = returned($type, $value);
			$result = as_through_json($result) if is_jsonb($type);

			push @sql, [ sql_literal($type, $value), $signatures{$name}[1] =~ /_row$/ ? row_literal($result_type, $result)
				: sql_literal($result_type, $result) ];
			# a string that is jsonb is text in JSON, and not a string of it
			push @json, [ json_literal($type, $value), json_literal($result_type, $result) ] unless $reads_json;
			$done++;
		}
		# NULL is the none of an option
		for (@json) { @$_ = map { $_ eq 'null' ? undef : $_ } @$_ }
		$sql .= differences($name, $signatures{$name}, \@sql);
		$json .= differences("j_$name", [ 'jsonb', 'jsonb' ], \@json) if @json;
	}
	says_nothing($sql, "component $n: values of SQL types") or diag("PGW_SEED=$seed");
	says_nothing($json, "component $n: values as jsonb") or diag("PGW_SEED=$seed");
}
cmp_ok($done, '>=', $total, "$done values");

check_log($node);
$node->stop;
done_testing();
