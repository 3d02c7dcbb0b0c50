# What keeps query strings keeps no copy of a module: wasm.create_module and
# wasm_new_instance run commands that event triggers see, with a short text.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use WasmTest;

my $node = wasm_node('statements',
	conf => "shared_preload_libraries = 'pg_stat_statements'\n"
	  . "pg_stat_statements.track = all\nlog_statement = all\nlog_parameter_max_length = 0\n");
my $file = $node->basedir . '/large.wasm';

open(my $handle, '>:raw', $file) or die "could not write $file: $!";
print $handle scale_module(3, 500_000);
close $handle;

$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_stat_statements;
	CREATE TABLE commands (tag text, identity text, query text);
	CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS $$
	BEGIN
		INSERT INTO commands SELECT command_tag, object_identity, current_query()
			FROM pg_event_trigger_ddl_commands();
	END $$;
	CREATE EVENT TRIGGER note ON ddl_command_end EXECUTE FUNCTION note();
});
my $log_offset = -s $node->logfile;

$node->safe_psql('postgres', "SELECT wasm.create_module('made', pg_read_binary_file('$file'))");
$node->safe_psql('postgres', "SELECT wasm_new_instance('$file', 'ns')");

is($node->safe_psql('postgres', 'SELECT made() = ns(), length(made()) > 500000, ns_scale(4)'),
	't|t|12', 'the module is there, twice');
is( $node->safe_psql('postgres', q{SELECT string_agg(tag || ' ' || identity, ', ' ORDER BY identity) FROM commands
		WHERE identity IN ('public.made()', 'public.ns()', 'public.ns_scale(integer)')}),
	'CREATE FUNCTION public.made(), CREATE FUNCTION public.ns(), CREATE FUNCTION public.ns_scale(integer)',
	'event triggers see the commands');
cmp_ok($node->safe_psql('postgres', 'SELECT max(length(query)) FROM commands'),
	'<', 1000, 'and queries without the bytes');
cmp_ok($node->safe_psql('postgres', 'SELECT max(length(query)) FROM pg_stat_statements'),
	'<', 5000, 'pg_stat_statements has no query with the bytes');

# a command that fails is logged with its text
my ($status) = $node->psql('postgres', "SELECT wasm.create_module('made', pg_read_binary_file('$file'))");
isnt($status, 0, 'creating it again fails');
cmp_ok((-s $node->logfile) - $log_offset, '<', 100_000, 'the server log has no bytes of it');

check_log($node);
$node->stop;
done_testing();
