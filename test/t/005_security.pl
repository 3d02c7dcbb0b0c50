
# Roles: what the validator may be made to do by whoever can call it, rights on
# modules that are taken away and given while a session is open, and instances
# that belong to one role.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use WasmTest;

my $node = wasm_node('security');

$node->safe_psql('postgres', q{
	CREATE ROLE ann LOGIN;
	CREATE ROLE bob LOGIN;
	CREATE ROLE mallory LOGIN;
	CREATE ROLE readers;
	GRANT USAGE ON LANGUAGE wasm TO ann, bob, mallory;
	CREATE SCHEMA anns AUTHORIZATION ann;
	CREATE SCHEMA bobs AUTHORIZATION bob;
	CREATE SCHEMA evil AUTHORIZATION mallory;
	GRANT USAGE ON SCHEMA anns TO PUBLIC;
	GRANT USAGE ON SCHEMA evil TO PUBLIC;
});

my $ann = session($node, 'postgres', role => 'ann');
my $bob = session($node, 'postgres', role => 'bob');
my $mallory = session($node, 'postgres', role => 'mallory');

sub answer_module
{
	my ($answer) = @_;

	return qq{convert_to('(module (func (export "answer") (result i32) (i32.const $answer)))', 'UTF8')};
}

# --- the validator ---

# Everything that binding could have changed.
sub state_of
{
	my ($function) = @_;

	return $node->safe_psql('postgres', qq{
		SELECT ctid, xmin, md5(p::text) FROM pg_proc p WHERE oid = '$function'::regproc;
		SELECT refclassid::regclass, refobjid, deptype FROM pg_depend
			WHERE objid = '$function'::regproc ORDER BY 1::text, 2, 3});
}

# A function whose body still has to be bound: made before its module.
ask($ann, q{SET check_function_bodies = off; SET search_path = anns});
is(sqlstate($ann, "CREATE FUNCTION anns.unbound() RETURNS integer LANGUAGE wasm AS 'answers#answer'"),
	'', 'a function is made before its module');
is(sqlstate($ann, q{CREATE FUNCTION anns.several() RETURNS integer LANGUAGE wasm AS
		'(module (func (export "a") (result i32) (i32.const 1))
			(func (export "several") (result i32) (i32.const 2)))'}),
	'', 'one with several exports is made without being checked');
is(sqlstate($ann, "CREATE FUNCTION anns.bare() RETURNS wasm.module LANGUAGE wasm AS '\\x0061736d01000000'"),
	'', 'so is a module');
is(sqlstate($mallory, "SELECT wasm.create_module('evil.answers', " . answer_module(666) . ')'),
	'', 'somebody else has a module of that name');
ask($mallory, 'GRANT EXECUTE ON FUNCTION evil.answers() TO PUBLIC');

my @functions = qw(anns.unbound anns.several anns.bare);
my %before = map { $_ => state_of($_) } @functions;

ask($mallory, 'SET search_path = evil');
is(sqlstate($mallory, "SELECT wasm.validator('$_'::regproc)"), '42501',
	"an ordinary role may not call the validator on $_")
  for @functions;
$node->safe_psql('postgres', 'GRANT EXECUTE ON FUNCTION wasm.validator(oid) TO PUBLIC');
for my $function (@functions)
{
	for my $check ('on', 'off')
	{
		ask($mallory, "SET check_function_bodies = $check");
		ask($mallory, "SELECT wasm.validator('$function'::regproc)");
		is(state_of($function), $before{$function},
			"a stranger's call with check_function_bodies = $check changes nothing of $function");
	}
}

# Nor does a call by its owner or a superuser, who did not just make it.
ask($ann, q{SET search_path = evil; SET check_function_bodies = on});
my $superuser = session($node);
ask($superuser, 'SET search_path = evil');
for my $function (@functions)
{
	ask($ann, "SELECT wasm.validator('$function'::regproc)");
	ask($superuser, "SELECT wasm.validator('$function'::regproc)");
	is(state_of($function), $before{$function}, "neither owner nor superuser change anything of $function");
}
is(sqlstate($superuser, 'SELECT wasm.validator(0::oid)'), '42883', 'a function that does not exist');
is(sqlstate($superuser, "SELECT wasm.validator('int4pl'::regproc)"), '42501', 'a function of another language');
is(sqlstate($superuser, 'SELECT wasm.validator(NULL)'), '', 'NULL');

# A function of a stranger that was made in one's own transaction: by SECURITY
# DEFINER.
$node->safe_psql('postgres', q{
	CREATE FUNCTION anns.make() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
		SET check_function_bodies = off SET search_path = anns AS $$
	BEGIN
		EXECUTE $q$CREATE OR REPLACE FUNCTION anns.unbound() RETURNS integer LANGUAGE wasm AS 'answers#answer'$q$;
	END $$;
	ALTER FUNCTION anns.make() OWNER TO ann;
});
ask($mallory, 'BEGIN; SET LOCAL search_path = evil; SELECT anns.make()');
ask($mallory, q{SELECT wasm.validator('anns.unbound'::regproc)});
is( ask($mallory, q{SELECT prosrc FROM pg_proc WHERE oid = 'anns.unbound'::regproc}),
	'answers#answer', 'a stranger cannot bind a function that was made in his transaction');
ask($mallory, 'COMMIT');
$node->safe_psql('postgres', 'REVOKE EXECUTE ON FUNCTION wasm.validator(oid) FROM PUBLIC');

# An unqualified name that was never resolved is not looked up by the caller's
# search path later.
is(sqlstate($mallory, 'SELECT anns.unbound()'), '42883', 'nor can he make it call his module');

# --- rights on a module ---

is(sqlstate($bob, "SELECT wasm.create_module('bobs.m', " . answer_module(1) . ')'), '', 'bob makes a module');
is(sqlstate($ann, "CREATE FUNCTION anns.f() RETURNS integer LANGUAGE wasm AS 'bobs.m#answer'"),
	'42501', 'ann cannot use it without USAGE on the schema');
ask($bob, 'GRANT USAGE ON SCHEMA bobs TO ann');
is(sqlstate($ann, "CREATE FUNCTION anns.f() RETURNS integer LANGUAGE wasm AS 'bobs.m#answer'"),
	'42501', 'nor without EXECUTE');
ask($bob, 'GRANT EXECUTE ON FUNCTION bobs.m() TO ann');
is(sqlstate($ann, "CREATE FUNCTION anns.f() RETURNS integer LANGUAGE wasm AS 'bobs.m#answer'"),
	'', 'with both she can');
$node->safe_psql('postgres', q{
	CREATE FUNCTION anns.wrapped() RETURNS integer LANGUAGE plpgsql AS
		'DECLARE r integer; BEGIN r := anns.f(); RETURN r; END'});

# Sessions that have called it, with plans kept.
my $caller = session($node, 'postgres', role => 'mallory');
for my $session ($ann, $caller)
{
	ask($session, 'PREPARE p AS SELECT anns.f()');
	is(ask($session, 'EXECUTE p'), '1', 'an open session calls the function');
	is(ask($session, 'SELECT anns.wrapped()'), '1', 'also in PL/pgSQL');
}

sub check_access
{
	my ($expected, $when) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	for my $session ($ann, $caller)
	{
		is(sqlstate($session, $_), $expected, "$_ $when")
		  for 'EXECUTE p', 'SELECT anns.f()', 'SELECT anns.wrapped()';
	}
}

check_access('', 'works');
ask($bob, 'REVOKE EXECUTE ON FUNCTION bobs.m() FROM ann');
check_access('42501', 'is refused when EXECUTE on the module was revoked from its owner');
ask($bob, 'GRANT EXECUTE ON FUNCTION bobs.m() TO ann');
check_access('', 'works when it was granted again');
ask($bob, 'REVOKE USAGE ON SCHEMA bobs FROM ann');

# USAGE on the schema is needed to bind a function, as for a view, not to call
# it: a dump gives it after the data.
check_access('', 'works when USAGE on the schema was revoked');
is(sqlstate($ann, "CREATE FUNCTION anns.g() RETURNS integer LANGUAGE wasm AS 'bobs.m#answer'"),
	'42501', 'but no other function can be bound to the module then');
is(sqlstate($ann, q{SELECT * FROM wasm.exports('bobs.m')}), '42501', 'nor can its exports be seen');
ask($bob, 'GRANT USAGE ON SCHEMA bobs TO ann');
is(sqlstate($ann, "CREATE FUNCTION anns.g() RETURNS integer LANGUAGE wasm AS 'bobs.m#answer'"),
	'', 'until it is granted again');
ask($ann, 'DROP FUNCTION anns.g()');

# Through a group.
ask($bob, 'REVOKE EXECUTE ON FUNCTION bobs.m() FROM ann; GRANT EXECUTE ON FUNCTION bobs.m() TO readers');
check_access('42501', 'is refused to a role outside of the group');
$node->safe_psql('postgres', 'GRANT readers TO ann');
check_access('', 'works for a member');
$node->safe_psql('postgres', 'REVOKE readers FROM ann');
check_access('42501', 'is refused to one who is no longer a member');
$node->safe_psql('postgres', 'GRANT readers TO ann');

# By the owner of the function, not by who calls it.
$node->safe_psql('postgres', 'ALTER FUNCTION anns.f() OWNER TO mallory');
check_access('42501', 'is refused when the function has an owner without rights');
$node->safe_psql('postgres', 'ALTER FUNCTION anns.f() OWNER TO bob');
check_access('', 'works when its owner is that of the module');

# Within a transaction, at the next statement.
ask($ann, 'BEGIN; SELECT anns.f()');
$node->safe_psql('postgres', 'ALTER FUNCTION anns.f() OWNER TO mallory');
is(sqlstate($ann, 'SELECT anns.f() FROM pg_am'), '42501',
	'a transaction sees the change when it next locks a table');
ask($ann, 'ROLLBACK');

# wasm.exports and its kin are for those who may use the module.
is(sqlstate($mallory, q{SELECT * FROM wasm.exports('bobs.m')}), '42501', 'wasm.exports checks the caller');
is(sqlstate($mallory, q{SELECT * FROM wasm.create_functions('bobs.m', 'm_')}), '42501',
	'wasm.create_functions checks the caller');
is(sqlstate($mallory, 'SELECT bobs.m()'), '42501', 'the bytes are not for everybody either');

# What is bound to a module keeps it from being dropped; so strangers may not.
$node->safe_psql('postgres', 'GRANT USAGE ON SCHEMA bobs TO mallory');
ask($mallory, 'SET check_function_bodies = on');
is(sqlstate($mallory, "CREATE FUNCTION evil.f() RETURNS integer LANGUAGE wasm AS 'bobs.m#answer'"),
	'42501', 'a stranger cannot depend on a module');
ask($mallory, 'SET check_function_bodies = off');
is(sqlstate($mallory, "CREATE FUNCTION evil.f() RETURNS integer LANGUAGE wasm AS 'bobs.m#answer'"),
	'', 'unless it is not checked');
is(sqlstate($mallory, 'SELECT evil.f()'), '42501', 'which gives him nothing');
ask($superuser, 'DROP FUNCTION anns.f() CASCADE');
is(sqlstate($bob, "SELECT wasm.create_module('bobs.m', "
		  . q{convert_to('(module (func (export "other")))', 'UTF8'), replace => true)}),
	'', 'and does not keep the owner from replacing the module');
is(sqlstate($bob, 'DROP FUNCTION bobs.m()'), '', 'nor from dropping it');

# --- instances ---

$node->safe_psql('postgres', q{
	SELECT wasm.create_module('public.counter', convert_to('(module
		(global $n (mut i32) (i32.const 0))
		(func (export "next") (result i32)
			(global.set $n (i32.add (global.get $n) (i32.const 1)))
			(global.get $n)))', 'UTF8'));
	CREATE FUNCTION public.next() RETURNS integer LANGUAGE wasm AS 'public.counter';
	CREATE FUNCTION public.next_definer() RETURNS integer LANGUAGE wasm SECURITY DEFINER AS
		'public.counter#next';
	ALTER FUNCTION public.next_definer() OWNER TO bob;
	GRANT EXECUTE ON FUNCTION public.counter() TO bob;
});
$superuser->quit;
$superuser = session($node);
is(ask($superuser, 'SELECT next(), next(), next()'), '1|2|3', 'an instance keeps its state');
ask($superuser, 'PREPARE n AS SELECT next(); SET ROLE ann');
is(ask($superuser, 'SELECT next()'), '1', 'another role has another instance');
is(ask($superuser, 'EXECUTE n'), '2', 'also in a kept plan');
ask($superuser, 'SET ROLE mallory');
is(ask($superuser, 'SELECT next(), next_definer()'), '1|1', 'so has the owner of a SECURITY DEFINER function');
is(ask($superuser, 'SELECT next(), next_definer()'), '2|2', 'both go on');
ask($superuser, 'SET ROLE bob');
is(ask($superuser, 'SELECT next()'), '3', 'which is the instance of that owner');
ask($superuser, 'RESET ROLE');
is(ask($superuser, 'SELECT next()'), '4', 'the first role has its own again');
is(ask($superuser, q{SET SESSION AUTHORIZATION ann; SELECT next()}), '3',
	'as session user a role has the same instance as by SET ROLE');

$_->quit for $ann, $bob, $mallory, $caller, $superuser;
check_log($node);
$node->stop;

done_testing();
