
# tools/wasm-load brings a file of the client into the database, for a role
# that may use the language and create in the schema, and may do nothing else.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use WasmTest;

my $node = wasm_node('load', conf => "log_statement = all\nlog_parameter_max_length = -1\n");
my $tool = source_dir() . '/tools/wasm-load';

# Where the server could not look, if it tried
my $folder = PostgreSQL::Test::Utils::tempdir();
chmod 0700, $folder;

sub write_file
{
	my ($name, $bytes) = @_;

	open(my $handle, '>:raw', "$folder/$name") or die "could not write $folder/$name: $!";
	print $handle $bytes;
	close $handle;
	return "$folder/$name";
}

my $simple = source_dir() . '/examples/simple.wasm';
my $small = write_file("it's a \"file\" with spaces.wasm", scale_module(2));
my $other = write_file('other.wasm', scale_module(3));
my $large = write_file('large.wasm', scale_module(4, 1_000_000));
my $text = write_file('text.wat', '(module (func (export "scale") (param i32) (result i32) (local.get 0)))');
my $incompatible = write_file('incompatible.wasm',
	module(section(1, vector("\x60" . vector() . vector())), section(3, vector("\0")),
		section(7, vector(name('other') . "\0\0")), section(10, vector(function_body('0b')))));
my $broken = write_file('broken.wasm', substr(scale_module(2), 0, 30));

$node->safe_psql('postgres', q{
	CREATE ROLE loader LOGIN;
	CREATE ROLE stranger LOGIN;
	CREATE SCHEMA api;
	CREATE SCHEMA "Odd ""schema""";
	GRANT USAGE ON LANGUAGE wasm TO loader;
	GRANT USAGE, CREATE ON SCHEMA api, "Odd ""schema""" TO loader;
	GRANT USAGE, CREATE ON SCHEMA api TO stranger;
});
my @as_loader = ('-U', 'loader', '-d', 'postgres');
my $session = session($node, 'postgres', role => 'loader');

# --- loading ---

$node->command_like([ $tool, $simple, 'api.simple', @as_loader ], qr/\Aapi\.simple\(\)\n\z/,
	'a file is loaded by an ordinary role, which is told the name');
is(ask($session, q{CREATE FUNCTION api.sum(integer, integer) RETURNS integer LANGUAGE wasm AS 'api.simple';
		SELECT api.sum(1, 2)}),
	'3', 'a function of it works');
is( $node->safe_psql('postgres',
		q{SELECT proowner::regrole, proacl FROM pg_proc WHERE oid = 'api.simple'::regproc}),
	'loader|{loader=X/loader}', 'the module is its owner\'s alone');
is( $node->safe_psql('postgres', q{SELECT api.simple() = pg_read_binary_file('} . abs_path_of($simple) . q{')}),
	't', 'the bytes are those of the file');

sub abs_path_of
{
	require Cwd;
	return Cwd::abs_path($_[0]);
}

$node->command_like([ $tool, $small, q{"Odd ""schema"""."Module; 'quoted' #1"}, @as_loader ],
	qr/\A"Odd ""schema"""\."Module; 'quoted' #1"\(\)\n\z/, 'the names of module and file may need quotes');
is(ask($session, q{CREATE FUNCTION api.scale(integer) RETURNS integer LANGUAGE wasm AS
			'"Odd ""schema"""."Module; ''quoted'' #1"#scale';
		SELECT api.scale(21)}),
	'42', 'a function of that works');
$node->command_like([ $tool, $text, 'api.in_text', @as_loader ], qr/\Aapi\.in_text\(\)\n\z/, 'a module in text form');
$node->command_like([ $tool, $large, 'api.large', @as_loader ], qr/\Aapi\.large\(\)\n\z/, 'a large module');
$node->command_like([ $tool, $small, 'unqualified', '-U', 'loader',
		"dbname=postgres options='-c search_path=api'" ],
	qr/unqualified\(\)/, 'an unqualified name is made in the first schema of the search path');
is(ask($session, q{SELECT to_regprocedure('api.unqualified()') IS NOT NULL}), 't', 'it is there');

# --- replacing ---

$node->safe_psql('postgres', q{
	GRANT EXECUTE ON FUNCTION "Odd ""schema"""."Module; 'quoted' #1"() TO stranger;
	COMMENT ON FUNCTION "Odd ""schema"""."Module; 'quoted' #1"() IS 'kept';
	ALTER FUNCTION "Odd ""schema"""."Module; 'quoted' #1"() SET wasm.memory_limit = '1MB';
	CREATE TABLE before AS SELECT oid, proowner, proacl, proconfig FROM pg_proc WHERE proname LIKE 'Module%'});
$node->command_ok([ $tool, $other, q{"Odd ""schema"""."Module; 'quoted' #1"}, @as_loader ],
	'a module that exists is replaced');
is(ask($session, 'SELECT api.scale(14)'), '42', 'its function calls the new one, in an open session');
is( $node->safe_psql('postgres', q{
		SELECT b.* = (p.oid, p.proowner, p.proacl, p.proconfig), obj_description(p.oid, 'pg_proc')
			FROM before b JOIN pg_proc p ON p.proname LIKE 'Module%'}),
	't|kept', 'owner, rights, settings and comment are kept');

# --- refusals ---

sub refuses
{
	my ($arguments, $expected, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	$node->command_fails_like([ $tool, @$arguments ], $expected, $what);
}

refuses([], qr/usage: wasm-load FILE NAME/, 'no arguments');
refuses([$simple], qr/usage: wasm-load FILE NAME/, 'one argument');
refuses([ "$folder/missing.wasm", 'api.m', @as_loader ], qr/cannot read .*missing\.wasm/, 'a file that is not there');
refuses([ $broken, 'api.m', @as_loader ], qr/invalid WebAssembly module/, 'a broken file');
refuses([ $incompatible, q{"Odd ""schema"""."Module; 'quoted' #1"}, @as_loader ],
	qr/because function api\.scale\(integer\) depends on it/, 'a file that breaks a function');
refuses([ $simple, 'api.sum', @as_loader ], qr/name of another function/, 'the name of a function');
refuses([ $simple, 'missing.m', @as_loader ], qr/schema "missing" does not exist/, 'a schema that is not there');
refuses([ $simple, 'a.b.c', @as_loader ], qr/invalid name of a WebAssembly module/, 'a name of three parts');
refuses([ $simple, "m'); DROP SCHEMA api CASCADE; --", @as_loader ], qr/invalid name/, 'a name that is none');
refuses([ $simple, 'api.m', '-U', 'stranger', '-d', 'postgres' ], qr/permission denied for language wasm/,
	'a role that may not use the language');
refuses([ $simple, 'public.m', @as_loader ], qr/permission denied for schema public/,
	'a role that may not create in the schema');
$node->safe_psql('postgres', 'GRANT USAGE ON LANGUAGE wasm TO stranger');
refuses([ $other, 'api.simple', '-U', 'stranger', '-d', 'postgres' ], qr/must be owner of function simple/,
	'a module of another role');
refuses([ $simple, 'api.m', '-U', 'loader', '-d', 'missing' ], qr/database "missing" does not exist/,
	'psql options count');
is(ask($session, 'SELECT api.scale(14), api.sum(1, 2)'), '42|3', 'what was there works after the refusals');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_largeobject_metadata'), '0', 'no large object remains');

# --- the bytes are in no statement ---

$session->quit;
my $log = slurp_file($node->logfile);
like($log, qr/SELECT wasm\.create_module\('api\.simple'/, 'the log has the statement');
unlike($log, qr/0061736d/, 'the log does not have the bytes');

# --- what takes long is told ---

my $end = -s $node->logfile;
$node->safe_psql('postgres', q{SELECT wasm.create_module('large',
	convert_to('(module (memory 32) (data (i32.const 0) "' || repeat('x', 1100000) || '"))', 'UTF8'))});
like(slurp_file($node->logfile, $end),
	qr/LOG:  compiling a WebAssembly module of (1100\d{3}) bytes\n(?s:.*)LOG:  compiled a WebAssembly module of \1 bytes in \d+ ms/,
	'the log tells when a large module is compiled, and how long that took');

check_log($node);
$node->stop;

done_testing();
