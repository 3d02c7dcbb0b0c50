
# Modules and functions are part of the database: they outlive the session that
# made them, a restart of the server and a crash; so does what
# wasm_new_instance made.  A standby has them as well.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use WasmTest;

my $node = wasm_node('restart', allows_streaming => 1);
my $file = "$PostgreSQL::Test::Utils::tmp_check/restart.wasm";

system_or_bail('cp', source_dir() . '/examples/simple.wasm', $file);
chmod 0644, $file;
my $id = $node->safe_psql('postgres', "SELECT wasm_new_instance('$file', 'ns')");
$node->safe_psql('postgres', q{
	SELECT wasm.create_module('counter', convert_to('(module
		(global $n (mut i32) (i32.const 0))
		(func (export "next") (result i32)
			(global.set $n (i32.add (global.get $n) (i32.const 1)))
			(global.get $n)))', 'UTF8'));
	CREATE FUNCTION next() RETURNS integer LANGUAGE wasm AS 'counter';
	CREATE FUNCTION twice(integer) RETURNS integer LANGUAGE wasm IMMUTABLE STRICT AS
		'(module (func (export "twice") (param i32) (result i32)
			(i32.shl (local.get 0) (i32.const 1))))';
	CREATE TABLE doubled (n integer, d integer GENERATED ALWAYS AS (twice(n)) STORED);
	CREATE INDEX doubled_index ON doubled (twice(n));
	INSERT INTO doubled SELECT generate_series(1, 100);
});
my $instances = $node->safe_psql('postgres', 'TABLE wasm.instances ORDER BY wasm_file');
my $functions = $node->safe_psql('postgres', 'TABLE wasm.exported_functions ORDER BY name');

like($id, qr/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'wasm_new_instance returns an id');
like($instances, qr/^\Q$id|$file\E$/m, 'wasm.instances shows the id and the file');
like($functions, qr/^\Q$id\E\|ns_sum\|integer,integer\|integer$/m,
	'wasm.exported_functions shows the function');

# Everything, in a new session each time.
sub check
{
	my ($on, $when) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	is($on->safe_psql('postgres', 'SELECT ns_sum(1, 2)'), '3', "ns_sum works $when");
	is($on->safe_psql('postgres', 'SELECT next(), next()'), '1|2',
		"a function of a module works $when, and its instance is new");
	is($on->safe_psql('postgres', 'SELECT twice(21)'), '42', "an inline module works $when");
	is( $on->safe_psql('postgres',
			'SET enable_seqscan = off; SELECT n, d FROM doubled WHERE twice(n) = 84'),
		'42|84', "an expression index works $when");
	is($on->safe_psql('postgres', 'TABLE wasm.instances ORDER BY wasm_file'),
		$instances, "wasm.instances is the same $when");
	is($on->safe_psql('postgres', 'TABLE wasm.exported_functions ORDER BY name'),
		$functions, "wasm.exported_functions is the same $when");
}

check($node, 'in a new session');

# What was read once is not read again.
unlink $file;
$node->restart;
check($node, 'after a restart');

$node->stop('immediate');
$node->start;
check($node, 'after a crash');

# A standby: functions work there, and a replacement on the primary reaches an
# open session of the standby.
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
check($standby, 'on a standby');

my $session = session($standby);
is(ask($session, 'SELECT next()'), '1', 'a session of the standby calls a function');
$node->safe_psql('postgres', q{
	SELECT wasm.create_module('counter', convert_to('(module
		(func (export "next") (result i32) (i32.const 1000)))', 'UTF8'), replace => true);
});
$node->wait_for_catchup('standby', 'replay');
is(ask($session, 'SELECT next()'), '1000', 'it sees that the primary has replaced the module');
is(sqlstate($session, "SELECT wasm.create_module('m', '\\x0061736d01000000')"),
	'25006', 'no module can be made there');
$session->quit;
$standby->promote;
is( $standby->safe_psql('postgres', "SELECT wasm.create_module('m', '\\x0061736d01000000')"),
	'm()', 'one can be made when the standby has been promoted');

check_log($node);
check_log($standby);
$standby->stop;
$node->stop;

done_testing();
