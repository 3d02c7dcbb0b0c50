
# A client that gives settings when it connects, before the library is loaded,
# does not get around those that the server has for it.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use WasmTest;

my $node = wasm_node('options', conf => "wasm.fuel = 5000\nwasm.cache_size = 77\n");

$node->safe_psql('postgres', q{
	CREATE ROLE guest LOGIN;
	CREATE ROLE trusted LOGIN;
	GRANT USAGE ON LANGUAGE wasm TO guest, trusted;
	GRANT SET ON PARAMETER wasm.fuel TO trusted;
	ALTER ROLE guest SET wasm.memory_limit = '128kB';
	CREATE FUNCTION burn(integer) RETURNS integer LANGUAGE wasm AS
		'(module (func (export "burn") (param i32) (result i32)
			(loop (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br_if 0 (local.get 0)))
			(local.get 0)))';
	CREATE FUNCTION grown() RETURNS integer LANGUAGE wasm AS
		'(module (memory 1) (func (export "grown") (result i32) (memory.grow (i32.const 5))))';
});

# What queries say to a role that connects with options.
sub with_options
{
	my ($role, $options, @queries) = @_;
	local $ENV{PGOPTIONS} = $options;
	my $session = session($node, undef, role => $role);
	my @said = map { my $answer = ask($session, $_); last_sqlstate($session) || $answer } @queries;

	$session->quit;
	return join ' ', @said;
}

my @limits = ('SELECT burn(100)', 'SELECT burn(100000)', 'SELECT grown()', 'SHOW wasm.cache_size');
is(with_options('guest', '', @limits), '0 54000 -1 77MB', 'settings of the server and the role count');
for my $option ('-c wasm.fuel=0', '-c WASM.Fuel=0', '-c wasm.memory_limit=1GB', '-c wasm.cache_size=1',
	'-c wasm.stat_max=100', '-c wasm.fuel=0 -c wasm.memory_limit=1GB')
{
	is(with_options('guest', $option, 'SELECT burn(100)', "DO LANGUAGE wasm '(module)'", 'SELECT burn(100)'),
		'42501 42501 42501', "with $option nothing runs");
}
is(with_options('guest', '', 'SET wasm.fuel = 0', @limits), ' 0 54000 -1 77MB',
	'a setting that is refused when the library is loaded leaves that of the server');
is(with_options('trusted', '-c wasm.fuel=0', @limits), '0 0 1 77MB', 'who may set one may give it at the start');
is(with_options('postgres', '-c wasm.fuel=0', @limits), '0 0 1 77MB', 'so may a superuser');

$node->append_conf('postgresql.conf', "session_preload_libraries = 'wasm'\n");
$node->reload;
my ($status, $stdout, $stderr);
for my $preload ('session', 'shared')
{
	local $ENV{PGOPTIONS} = '-c wasm.fuel=0';
	my $refused = 'permission denied to set parameter "wasm.fuel"';

	isnt($node->psql('postgres', 'SELECT 1', extra_params => [ '-U', 'guest' ], stderr => \$stderr),
		0, "with ${preload}_preload_libraries the connection is refused");
	like($stderr, qr/\Q$refused\E/, 'for that reason');
	is($node->safe_psql('postgres', 'SELECT 1', extra_params => [ '-U', 'trusted' ]),
		'1', 'but not one that may');
	delete $ENV{PGOPTIONS};
	$node->append_conf('postgresql.conf',
		"session_preload_libraries = ''\nshared_preload_libraries = 'wasm'\n");
	$node->restart;
}

check_log($node);
$node->stop;

done_testing();
