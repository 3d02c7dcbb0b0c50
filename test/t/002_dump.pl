
# A database with modules is dumped and restored as any other: in plain form
# and in custom form with parallel jobs, whatever the order of the names, with
# tables whose constraints, generated columns, indexes and partitions call
# WebAssembly functions.  A dump of what was restored equals the first dump.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use WasmTest;

my $node = wasm_node('dump');
my $tmp = $PostgreSQL::Test::Utils::tmp_check;

# A file that the server can read.
sub write_module
{
	my ($file, $bytes) = @_;

	open(my $handle, '>:raw', "$tmp/$file") or die "could not write $file: $!";
	print $handle $bytes;
	close $handle;
	return "$tmp/$file";
}

# The dump, without what is new in each one.
sub dump_of
{
	my ($dbname, @options) = @_;
	my ($out, $err);

	IPC::Run::run([ 'pg_dump', @options, $node->connstr($dbname) ], '>', \$out, '2>', \$err)
	  or die "pg_dump failed: $err";
	$out =~ s/^\\(un)?restrict .*\n//mg;
	return $out;
}

sub restore_plain
{
	my ($dbname, $dump) = @_;
	my ($out, $err) = ('', '');

	$node->safe_psql('postgres', "CREATE DATABASE $dbname TEMPLATE template0");
	my $ok = IPC::Run::run([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($dbname) ],
		'<', \$dump, '>', \$out, '2>', \$err);
	return $ok ? '' : $err;
}

# --- a database with everything, the modules in the last schema ---

my $big = write_module('big.wasm', scale_module(3, 100_000));
my $classic = write_module('classic.wasm', scale_module(5, 0));

$node->safe_psql('postgres', q{
	CREATE ROLE ann;
	CREATE ROLE bob;
	CREATE DATABASE source TEMPLATE template0;
});
$node->safe_psql('source', qq{
	CREATE EXTENSION wasm;
	GRANT USAGE ON LANGUAGE wasm TO ann, bob;
	CREATE SCHEMA a_tables;
	CREATE SCHEMA b_functions;
	CREATE SCHEMA "Quoted ""Schema""";
	CREATE SCHEMA y_modules;
	CREATE SCHEMA z_old;

	-- renamed, then moved, then its schema is renamed as well
	SELECT wasm.create_module('z_old.first_name', convert_to('(module
		(func (export "double") (param i32) (result i32) (i32.shl (local.get 0) (i32.const 1)))
		(func (export "is_even") (param i32) (result i32)
			(i32.eqz (i32.and (local.get 0) (i32.const 1))))
		(func (export "divide") (param i32 i32) (result i32 i32)
			(i32.div_s (local.get 0) (local.get 1)) (i32.rem_s (local.get 0) (local.get 1)))
		(func (export "odd #\\" name") (result i32) (i32.const 7)))', 'UTF8'));
	CREATE FUNCTION b_functions.double_qualified(integer) RETURNS integer
		LANGUAGE wasm IMMUTABLE STRICT PARALLEL SAFE AS 'z_old.first_name#double';
	SET search_path = b_functions, z_old;
	CREATE FUNCTION double_unqualified(integer) RETURNS integer
		LANGUAGE wasm IMMUTABLE STRICT PARALLEL SAFE COST 3 AS 'first_name#double';
	CREATE FUNCTION is_even(integer) RETURNS boolean
		LANGUAGE wasm IMMUTABLE STRICT PARALLEL SAFE AS 'first_name';
	CREATE FUNCTION divide(a integer, b integer, OUT quotient integer, OUT remainder integer)
		LANGUAGE wasm IMMUTABLE STRICT AS 'first_name';
	CREATE FUNCTION divide_table(integer, integer) RETURNS TABLE (q integer, r integer)
		LANGUAGE wasm IMMUTABLE STRICT AS ';; a comment\nfirst_name#divide';
	CREATE FUNCTION odd_name() RETURNS integer LANGUAGE wasm AS 'first_name#odd #" name';
	RESET search_path;
	ALTER FUNCTION z_old.first_name() RENAME TO "last #""name";
	ALTER FUNCTION z_old."last #""name"() SET SCHEMA y_modules;
	ALTER SCHEMA y_modules RENAME TO z_modules;

	-- a large one, which states its identity
	SELECT wasm.create_module('z_modules.big', pg_read_binary_file('$big'));
	ALTER FUNCTION z_modules.big() SET wasm.memory_limit = '1MB';
	CREATE FUNCTION b_functions.triple(integer) RETURNS integer
		LANGUAGE wasm IMMUTABLE STRICT PARALLEL SAFE AS 'z_modules.big#scale';

	-- inline modules
	CREATE FUNCTION b_functions.second(integer) RETURNS integer LANGUAGE wasm IMMUTABLE STRICT AS
		'(module (func (export "first") (param i32) (result i32) (i32.const 1))
			(func (export "second") (param i32) (result i32) (i32.const 2)))';
	ALTER FUNCTION b_functions.second(integer) RENAME TO zweite;

	-- the classic way
	SET search_path = "Quoted ""Schema""", public;
	SELECT wasm_new_instance('$classic', 'The ns');
	RESET search_path;

	-- a component, with a type that was made for it, and an export of an instance
	CREATE SCHEMA c_component;
	SET search_path = c_component;
	SELECT wasm.create_module('guest', convert_to('(component
		(core module \$m (memory (export "memory") 1)
			(func (export "point") (param i32 i32) (result i32)
				(i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) (i32.const 16))
			(func (export "list") (result i32) (i32.store (i32.const 68) (i32.const 3)) (i32.const 64))
			(func (export "is-red") (param i32) (result i32) (i32.eqz (local.get 0))))
		(core instance \$i (instantiate \$m))
		(type \$p (record (field "x" s32) (field "y" s32)))
		(type \$c (enum "red" "blue"))
		(export \$point "grid-point" (type \$p))
		(export \$colour "colour" (type \$c))
		(func (export "same-point") (param "p" \$point) (result \$point)
			(canon lift (core func \$i "point") (memory (core memory \$i "memory"))))
		(func \$list (result (list u32)) (canon lift (core func \$i "list") (memory (core memory \$i "memory"))))
		(func (export "is-red") (param "c" \$colour) (result bool) (canon lift (core func \$i "is-red")))
		(instance \$x (export "zeros" (func \$list)))
		(export "docs:numbers/lists\@0.1.0" (instance \$x)))', 'UTF8'));
	SELECT wasm.create_functions('guest', volatility => 'immutable');
	CREATE FUNCTION zeros_set() RETURNS SETOF integer LANGUAGE wasm AS 'guest#docs:numbers/lists\@0.1.0#zeros';
	CREATE TABLE coloured (c colour CHECK (is_red(c)), p grid_point, same grid_point GENERATED ALWAYS AS (same_point(p)) STORED);
	INSERT INTO coloured VALUES ('red', (1, 2));
	RESET search_path;

	-- rights, comments, owners
	GRANT USAGE ON SCHEMA z_modules, b_functions TO ann;
	GRANT EXECUTE ON FUNCTION z_modules."last #""name"() TO ann WITH GRANT OPTION;
	REVOKE EXECUTE ON FUNCTION b_functions.triple(integer) FROM PUBLIC;
	GRANT EXECUTE ON FUNCTION b_functions.triple(integer) TO ann;
	COMMENT ON FUNCTION z_modules."last #""name"() IS 'a module with a comment';
	COMMENT ON FUNCTION b_functions.divide(integer, integer) IS 'quotient and remainder';
	ALTER FUNCTION b_functions.odd_name() OWNER TO ann;

	-- tables that call the functions
	CREATE TABLE a_tables.checked (n integer CHECK (b_functions.is_even(n)),
		d integer GENERATED ALWAYS AS (b_functions.double_qualified(n)) STORED,
		t integer DEFAULT b_functions.triple(7));
	CREATE INDEX checked_index ON a_tables.checked (b_functions.double_unqualified(n));
	CREATE UNIQUE INDEX checked_partial ON a_tables.checked (n) WHERE b_functions.triple(n) > 30;
	INSERT INTO a_tables.checked (n) SELECT 2 * i FROM generate_series(1, 1000) i;
	CREATE TABLE a_tables.parted (n integer) PARTITION BY RANGE (b_functions.triple(n));
	CREATE TABLE a_tables.parted_low PARTITION OF a_tables.parted FOR VALUES FROM (0) TO (300);
	CREATE TABLE a_tables.parted_high PARTITION OF a_tables.parted FOR VALUES FROM (300) TO (3000);
	INSERT INTO a_tables.parted SELECT generate_series(0, 500);
	CREATE DOMAIN a_tables.even AS integer CHECK (b_functions.is_even(VALUE));
	CREATE TABLE a_tables.domains (e a_tables.even);
	INSERT INTO a_tables.domains VALUES (2), (4);
	CREATE VIEW a_tables.viewed AS SELECT b_functions.zweite(1) AS two, * FROM b_functions.divide(17, 5);
	CREATE MATERIALIZED VIEW a_tables.stored AS SELECT n, b_functions.zweite(n) FROM a_tables.checked;
	CREATE STATISTICS a_tables.stats ON (b_functions.triple(n)), d FROM a_tables.checked;
	ANALYZE;
});

is( $node->safe_psql('source', q{SELECT prosrc FROM pg_proc WHERE proname LIKE 'double%' ORDER BY 1}),
	qq{z_modules."last #""name"#double\n} x 1 . q{z_modules."last #""name"#double},
	'functions follow a module that was renamed and moved');
like($node->safe_psql('source', q{SELECT left(prosrc, 200) FROM pg_proc WHERE proname = 'big'}),
	qr/\A;; sha256: [0-9a-f]{64}\n;; id: [0-9a-f-]{36}\n\\x0061736d/,
	'a large module states its identity');

# What all of it gives.
my @questions = (
	[ 'qualified and unqualified references' =>
		'SELECT b_functions.double_qualified(21), b_functions.double_unqualified(22)' ],
	[ 'OUT columns' => 'SELECT * FROM b_functions.divide(17, 5)' ],
	[ 'RETURNS TABLE' => 'SELECT * FROM b_functions.divide_table(17, 5)' ],
	[ 'an export with an odd name' => 'SELECT b_functions.odd_name()' ],
	[ 'a function of a large module' => 'SELECT b_functions.triple(14)' ],
	[ 'an inline module whose function was renamed' => 'SELECT b_functions.zweite(1)' ],
	[ 'what wasm_new_instance made' => 'SELECT "Quoted ""Schema"""."The ns_scale"(4)' ],
	[ 'a generated column' => 'SELECT count(*), sum(d), sum(t) FROM a_tables.checked' ],
	[ 'an expression index' => 'SET enable_seqscan = off;
		SELECT n FROM a_tables.checked WHERE b_functions.double_unqualified(n) = 84' ],
	[ 'a partition key' => 'SELECT tableoid::regclass::text AS name, count(*)
		FROM a_tables.parted GROUP BY name ORDER BY name' ],
	[ 'a view' => 'TABLE a_tables.viewed' ],
	[ 'functions of a component' => 'SELECT c_component.same_point((3, 4)), c_component.zeros(), array(SELECT c_component.zeros_set())' ],
	[ 'a table that calls a component' => 'TABLE c_component.coloured' ],
	[ 'a materialized view' => 'SELECT sum(zweite) FROM a_tables.stored' ],
	[ 'a domain' => 'TABLE a_tables.domains' ],
	[ 'settings of a module' => q{SELECT proconfig FROM pg_proc WHERE proname = 'big'} ],
	[ 'rights' => q{SELECT proname, proowner::regrole, proacl::text AS acl FROM pg_proc
		WHERE prolang = (SELECT oid FROM pg_language WHERE lanname = 'wasm') ORDER BY proname, acl} ],
	[ 'comments' => q{SELECT obj_description(oid, 'pg_proc') FROM pg_proc
		WHERE proname IN ('last #"name', 'divide') ORDER BY 1} ],
	[ 'edges in pg_depend' => q{SELECT d.objid::regprocedure::text AS a, d.refobjid::regprocedure::text AS b
		FROM pg_depend d JOIN pg_proc f ON f.oid = d.objid JOIN pg_proc m ON m.oid = d.refobjid
		WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_proc'::regclass
			AND d.deptype = 'n' AND m.prorettype = 'wasm.module'::regtype ORDER BY a, b} ],
	[ 'wasm.instances' => 'SELECT * FROM wasm.instances ORDER BY 1, 2' ],
	[ 'wasm.exported_functions' => 'SELECT * FROM wasm.exported_functions ORDER BY 1, 2, 3, 4' ],
);
my %answers = map { $_->[0] => $node->safe_psql('source', $_->[1]) } @questions;

is($answers{'an expression index'}, '42', 'the source gives what is expected of an index');
is($answers{'OUT columns'}, '3|2', 'the source gives what is expected of OUT columns');
is($answers{'an export with an odd name'}, '7', 'the source gives what is expected of an odd name');
is($answers{'functions of a component'}, '(3,4)|{0,0,0}|{0,0,0}', 'the source gives what is expected of a component');
is($answers{'a table that calls a component'}, 'red|(1,2)|(1,2)', 'the source gives what is expected of a table that calls a component');
is(scalar(split /\n/, $answers{'edges in pg_depend'}), 12, 'the source has an edge for each bound function');

# All answers and refusals are those of the source.
sub check_restored
{
	my ($dbname, $how) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	for my $question (@questions)
	{
		my ($out, $err);
		$node->psql($dbname, $question->[1], stdout => \$out, stderr => \$err);
		is($out, $answers{ $question->[0] }, "$how: $question->[0]") or diag($err);
	}
	my $session = session($node, $dbname);
	is(sqlstate($session, 'INSERT INTO a_tables.checked VALUES (3)'), '23514',
		"$how: a CHECK constraint");
	is(sqlstate($session, 'INSERT INTO a_tables.parted VALUES (1000)'), '23514',
		"$how: no partition for a row");
	is(sqlstate($session, 'DROP FUNCTION z_modules.big()'), '2BP01',
		"$how: a module in use cannot be dropped");
	is(sqlstate($session, 'ALTER FUNCTION z_modules.big() RENAME TO large'), '',
		"$how: a module can be renamed");
	is(ask($session, 'SELECT b_functions.triple(5)'), '15', "$how: its function follows");
	ask($session, 'ALTER FUNCTION z_modules.large() RENAME TO big');
	$session->quit;
	is(dump_of($dbname), dump_of('source'), "$how: a second dump equals the first");
}

is(restore_plain('plain', dump_of('source')), '', 'a plain dump is restored');
check_restored('plain', 'plain');

command_ok([ 'pg_dump', '-Fc', '-f', "$tmp/source.dump", $node->connstr('source') ],
	'pg_dump makes an archive');
$node->safe_psql('postgres', 'CREATE DATABASE custom TEMPLATE template0');
command_ok([ 'pg_restore', '--exit-on-error', '-j4', '-d', $node->connstr('custom'), "$tmp/source.dump" ],
	'pg_restore restores it by four jobs');
check_restored('custom', 'custom, four jobs');

# Over what is there already: functions go before their modules.
command_ok([ 'pg_restore', '--exit-on-error', '--clean', '-d', $node->connstr('custom'), "$tmp/source.dump" ],
	'pg_restore replaces what is there');
is(dump_of('custom'), dump_of('source'), 'the dump afterwards equals the first');

# --- names in the opposite order: modules first, tables last ---

$node->safe_psql('postgres', 'CREATE DATABASE opposite TEMPLATE template0');
$node->safe_psql('opposite', q{
	CREATE EXTENSION wasm;
	CREATE SCHEMA a;
	CREATE SCHEMA z;
	SELECT wasm.create_module('a.a', convert_to('(module
		(func (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))', 'UTF8'));
	SELECT wasm.create_module('z.z', wasm_module) FROM a.a() AS wasm_module;
	CREATE FUNCTION a.b(integer) RETURNS integer LANGUAGE wasm IMMUTABLE STRICT AS 'z.z#f';
	CREATE FUNCTION z.y(integer) RETURNS integer LANGUAGE wasm IMMUTABLE STRICT AS 'a.a#f';
	CREATE TABLE a.t (n integer CHECK (z.y(n) > 0 AND a.b(n) > 0),
		g integer GENERATED ALWAYS AS (z.y(n) + a.b(n)) STORED);
	CREATE INDEX ON a.t (z.y(n), a.b(n));
	CREATE TABLE a.p (n integer) PARTITION BY LIST (z.y(n));
	CREATE TABLE z.p2 PARTITION OF a.p FOR VALUES IN (2);
	CREATE TABLE a.p3 PARTITION OF a.p FOR VALUES IN (3);
	INSERT INTO a.t SELECT generate_series(1, 10);
	INSERT INTO a.p VALUES (1), (2);
});
is(restore_plain('opposite_plain', dump_of('opposite')), '', 'adverse names: a plain dump is restored');
is(dump_of('opposite_plain'), dump_of('opposite'), 'adverse names: a second dump equals the first');
is($node->safe_psql('opposite_plain', 'SELECT sum(g) FROM a.t WHERE z.y(n) > 5'),
	'102', 'adverse names: the functions work');
is($node->safe_psql('opposite_plain', 'SELECT tableoid::regclass, n FROM a.p ORDER BY n'),
	"z.p2|1\na.p3|2", 'adverse names: rows are in their partitions');

# --- owners: the dump gives rights at its end, after the data ---

$node->safe_psql('postgres', 'CREATE DATABASE owners TEMPLATE template0');
$node->safe_psql('owners', q{
	CREATE EXTENSION wasm;
	GRANT USAGE ON LANGUAGE wasm TO ann, bob;
	CREATE SCHEMA anns AUTHORIZATION ann;
	CREATE SCHEMA bobs AUTHORIZATION bob;
	GRANT USAGE ON SCHEMA bobs TO ann;
	SET ROLE bob;
	SELECT wasm.create_module('bobs.m', convert_to('(module
		(func (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))', 'UTF8'));
	GRANT EXECUTE ON FUNCTION bobs.m() TO ann;
	SET ROLE ann;
	CREATE FUNCTION anns.f(integer) RETURNS integer LANGUAGE wasm IMMUTABLE STRICT AS 'bobs.m';
	CREATE TABLE anns.t (n integer CHECK (anns.f(n) > 0));
	CREATE INDEX ON anns.t (anns.f(n));
	INSERT INTO anns.t VALUES (1), (2);
});
is(restore_plain('owners_plain', dump_of('owners')), '',
	'a table whose constraint calls a function with a module of another owner is restored');
is(dump_of('owners_plain'), dump_of('owners'), 'owners: a second dump equals the first');
is($node->safe_psql('owners_plain', 'SET ROLE ann; SELECT sum(anns.f(n)) FROM anns.t'),
	'5', 'owners: the function works');

# --- a dump whose bytes were changed ---

my $tampered = dump_of('source');
ok($tampered =~ s/(;; id: \S+\n\\x0061736d01000000\w{2000})(\w)/$1 . ($2 eq '0' ? '1' : '0')/e,
	'the dump has the bytes of the large module');
like(restore_plain('tampered', $tampered),
	qr/identity of a WebAssembly module does not match its bytes/,
	'changed bytes below an unchanged identity are refused');

# --- the schema alone, and single schemas ---

like(dump_of('source', '-s'), qr/CREATE FUNCTION z_modules\.big\(\)/, 'pg_dump -s has the modules');
unlike(dump_of('source', '-n', 'b_functions'), qr/FUNCTION wasm\./,
	'nothing of the extension itself is dumped');

check_log($node);
$node->stop;

done_testing();
