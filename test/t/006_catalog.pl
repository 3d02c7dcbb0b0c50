
# Changes under way: row types, modules and functions that change while sessions
# have them in use, with plans and caches that keep calls.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use WasmTest;

my $node = wasm_node('catalog');
my $session = session($node);

sub elsewhere
{
	my ($query) = @_;

	$node->safe_psql('postgres', $query);
}

# --- attributes of a result's row type ---

elsewhere(q{
	CREATE TYPE pair AS (a integer, b integer);
	CREATE TABLE pair_table (a integer, b integer);
	CREATE TYPE pair_base AS (a integer, b integer);
	CREATE DOMAIN pair_domain AS pair_base CHECK (VALUE IS NOT NULL);
	SELECT wasm.create_module('pairs', convert_to('(module
		(func (export "two") (param i32) (result i32 i32)
			(local.get 0) (i32.add (local.get 0) (i32.const 1)))
		(func (export "three") (param i32) (result i32 i32 i64)
			(local.get 0) (i32.const 2) (i64.const 3)))', 'UTF8'));
	CREATE FUNCTION two_type(integer) RETURNS pair LANGUAGE wasm AS 'pairs#two';
	CREATE FUNCTION two_table(integer) RETURNS pair_table LANGUAGE wasm AS 'pairs#two';
	CREATE FUNCTION two_domain(integer) RETURNS pair_domain LANGUAGE wasm AS 'pairs#two';
	CREATE FUNCTION two_in_plpgsql(integer) RETURNS text LANGUAGE plpgsql AS
		'DECLARE r record; BEGIN r := two_type($1); RETURN r.a + r.b; END';
});

for my $case ([ 'two_type', 'TYPE pair', 'ATTRIBUTE' ],
	[ 'two_table', 'TABLE pair_table', 'COLUMN' ], [ 'two_domain', 'TYPE pair_base', 'ATTRIBUTE' ])
{
	my ($function, $type, $attribute) = @$case;
	my $where = $type =~ s/.* //r;

	for my $other (0, 1)
	{
		my $by = $other ? 'by another session' : 'by the session itself';
		my $alter = sub { $other ? elsewhere($_[0]) : ask($session, $_[0]) };

		is(ask($session, "SELECT $function(5)"), '(5,6)', "$function works before $where changes");
		ask($session, "PREPARE p AS SELECT ($function(5)).a; PREPARE whole AS SELECT $function(5)::text");
		is(ask($session, 'EXECUTE p'), '5', "so does a prepared call");
		is(ask($session, 'EXECUTE whole'), '(5,6)', "and one of the whole row");
		is(ask($session, 'SELECT two_in_plpgsql(5)'), '11', 'and one in PL/pgSQL') if $function eq 'two_type';

		$alter->("ALTER $type ADD $attribute c bigint");
		is(sqlstate($session, "SELECT $function(5)"), '42P13',
			"$function is refused when $where got an attribute $by");
		is(sqlstate($session, 'EXECUTE p'), '42P13', 'a prepared call is refused');
		is(sqlstate($session, 'EXECUTE whole'), '42P13', 'one of the whole row as well');
		is(sqlstate($session, 'SELECT two_in_plpgsql(5)'), '42P13', 'and one in PL/pgSQL')
		  if $function eq 'two_type';

		$alter->("ALTER $type DROP $attribute c");
		is(ask($session, "SELECT $function(5)"), '(5,6)', "$function works again when that was dropped");
		is(ask($session, 'EXECUTE p'), '5', 'a prepared call works again');
		is(ask($session, 'EXECUTE whole'), '(5,6)', 'one of the whole row as well');
		is(ask($session, 'SELECT two_in_plpgsql(5)'), '11', 'and one in PL/pgSQL') if $function eq 'two_type';
		ask($session, 'DEALLOCATE ALL');
	}

	# dropped in the middle, and added at the end
	ask($session, "PREPARE p AS SELECT $function(5)::text");
	ask($session, 'EXECUTE p');
	elsewhere("ALTER $type DROP $attribute a");
	is(sqlstate($session, "SELECT $function(5)"), '42P13',
		"$function is refused when $where lost an attribute");
	elsewhere("ALTER $type ADD $attribute z integer");
	is(ask($session, "SELECT ($function(5)).b, ($function(5)).z"), '5|6',
		'it works when another one has come in its place');
	is(ask($session, 'EXECUTE p'), '(5,6)', 'also in a prepared call');
	elsewhere("ALTER $type DROP $attribute z, DROP $attribute b,
		ADD $attribute a integer, ADD $attribute b integer");
	is(ask($session, "SELECT ($function(5)).b, ($function(5)).a"), '6|5',
		"$function works when all attributes were replaced");
	ask($session, 'DEALLOCATE ALL');
}

# An attribute that gets another type
is(ask($session, 'SELECT two_type(5)'), '(5,6)', 'a function works before an attribute changes its type');
elsewhere('ALTER TYPE pair ALTER ATTRIBUTE b TYPE text');
is(sqlstate($session, 'SELECT two_type(5)'), '42P13', 'it is refused when the types do not fit');
elsewhere('ALTER TYPE pair ALTER ATTRIBUTE b TYPE smallint');
is(ask($session, 'SELECT two_type(5)'), '(5,6)', 'it works when they fit');
is(sqlstate($session, 'SELECT two_type(32767)'), '22003', 'by the conversion of the new type');
elsewhere('ALTER TYPE pair RENAME ATTRIBUTE b TO bb');
is(ask($session, 'SELECT (two_type(5)).bb'), '6', 'a renamed attribute');
elsewhere('DROP TABLE pair_table CASCADE');
is(sqlstate($session, 'SELECT two_table(5)'), '42883', 'a row type that was dropped with its function');

# Constraints of a domain
elsewhere(q{
	CREATE DOMAIN positive AS integer;
	SELECT wasm.create_module('idm', convert_to('(module
		(func (export "same") (param i32) (result i32) (local.get 0)))', 'UTF8'));
	CREATE FUNCTION positive(integer) RETURNS positive LANGUAGE wasm AS 'idm#same';
});
ask($session, 'PREPARE p AS SELECT positive($1)');
is(ask($session, 'EXECUTE p (-1)'), '-1', 'a domain without constraint');
elsewhere('ALTER DOMAIN positive ADD CONSTRAINT positive_check CHECK (VALUE > 0)');
is(sqlstate($session, 'EXECUTE p (-1)'), '23514', 'its new constraint is checked');
elsewhere('ALTER DOMAIN positive DROP CONSTRAINT positive_check');
is(ask($session, 'EXECUTE p (-1)'), '-1', 'and not when it was dropped');
ask($session, 'DEALLOCATE ALL');

# --- a module that another session replaces ---

sub version_module
{
	my ($number) = @_;

	return qq{SELECT wasm.create_module('versions', convert_to('(module
		(global \$n (mut i32) (i32.const 0))
		(func (export "version") (param i32) (result i32)
			(global.set \$n (i32.add (global.get \$n) (i32.const 1)))
			(i32.mul (local.get 0) (i32.const $number)))
		(func (export "calls") (result i32) (global.get \$n)))', 'UTF8'), replace => true);};
}

elsewhere(version_module(1) . q{
	CREATE FUNCTION version(integer) RETURNS integer LANGUAGE wasm IMMUTABLE AS 'versions';
	CREATE FUNCTION calls() RETURNS integer LANGUAGE wasm AS 'versions';
	CREATE FUNCTION version_plpgsql(n integer) RETURNS integer LANGUAGE plpgsql AS
		'BEGIN RETURN version(n); END';
	CREATE TABLE checked (n integer CHECK (version(n) < 1000), v integer GENERATED ALWAYS AS (version(n)) STORED);
	CREATE TABLE seven AS SELECT 7 AS n;
	CREATE TABLE indexed (n integer);
	CREATE UNIQUE INDEX ON indexed (version(n));
	CREATE DOMAIN versioned AS integer CHECK (version(VALUE) < 1000);
	CREATE TABLE parted (n integer) PARTITION BY LIST (version(n));
	CREATE TABLE parted_7 PARTITION OF parted FOR VALUES IN (7);
	CREATE TABLE parted_70 PARTITION OF parted FOR VALUES IN (70);
});
ask($session, 'PREPARE p AS SELECT version(n) FROM seven');
is(ask($session, 'EXECUTE p'), '7', 'a prepared call of the first version');
is(ask($session, 'SELECT version_plpgsql(7)'), '7', 'one in PL/pgSQL');
is(ask($session, 'INSERT INTO checked VALUES (7) RETURNING v'), '7', 'one in a generated column');
is(ask($session, 'INSERT INTO indexed VALUES (1), (2) RETURNING version(n)'), "1\n2", 'one in an index');
is(ask($session, 'SELECT 101::versioned'), '101', 'one in a domain');
is(ask($session, 'INSERT INTO parted VALUES (7) RETURNING tableoid::regclass'), 'parted_7', 'one in a partition key');
is(ask($session, 'SELECT calls() > 0'), 't', 'the instance has counted them');
elsewhere(version_module(10));
is(ask($session, 'EXECUTE p'), '70', 'a prepared call of the second version');
is(ask($session, 'SELECT version_plpgsql(7)'), '70', 'one in PL/pgSQL');
is(ask($session, 'INSERT INTO checked VALUES (7) RETURNING v'), '70', 'one in a generated column');
is(sqlstate($session, 'INSERT INTO checked VALUES (101)'), '23514', 'one in a constraint');
is(sqlstate($session, 'INSERT INTO indexed VALUES (3)'), '', 'one in an index');
is( ask($session, 'SET enable_seqscan = off; SELECT n FROM indexed WHERE version(n) = 30; RESET enable_seqscan'),
	'3', 'the index has its value');
is(sqlstate($session, 'SELECT 101::versioned'), '23514', 'one in a domain');
is(ask($session, 'INSERT INTO parted VALUES (7) RETURNING tableoid::regclass'), 'parted_70',
	'one in a partition key');

# Its instance is new.
elsewhere(version_module(5));
is(ask($session, 'SELECT calls()'), '0', 'the new module has a new instance');
is(ask($session, 'EXECUTE p'), '35', 'called by the prepared statement');
is(ask($session, 'SELECT calls()'), '1', 'which all functions of the module share');

# The same content, once more, need not reset anything, but must go on working.
elsewhere(version_module(5));
is(ask($session, 'EXECUTE p'), '35', 'a replacement by the same content');

# A replacement that is rolled back
ask($session, 'BEGIN');
ask($session, version_module(9));
is(ask($session, 'EXECUTE p'), '63', 'the session sees its own replacement before it is committed');
is($node->safe_psql('postgres', 'SELECT version(7)'), '35', 'others do not');
ask($session, 'ROLLBACK');
is(ask($session, 'EXECUTE p'), '35', 'nor does itself after a rollback');
ask($session, 'BEGIN; SAVEPOINT s');
ask($session, version_module(9));
is(ask($session, 'EXECUTE p'), '63', 'the same in a subtransaction');
ask($session, 'ROLLBACK TO s');
is(ask($session, 'EXECUTE p'), '35', 'that is rolled back');
ask($session, 'COMMIT');

# In the middle of a statement: what it has begun, it may end either way.
elsewhere('CREATE TABLE three AS SELECT generate_series(1, 3) AS n');
ask($session, 'BEGIN; DECLARE c CURSOR FOR SELECT version(n) FROM three');
is(ask($session, 'FETCH c'), '5', 'a cursor begins');
elsewhere(version_module(6));
like(ask($session, 'FETCH ALL FROM c'), qr/^(10\n15|12\n18)$/, 'and goes on after a replacement');
ask($session, 'COMMIT');
is(ask($session, 'EXECUTE p'), '42', 'the next statement has the new version');

# CREATE OR REPLACE FUNCTION on the module, and on the function
elsewhere(q{CREATE OR REPLACE FUNCTION versions() RETURNS wasm.module LANGUAGE wasm AS '(module
	(func (export "version") (param i32) (result i32) (i32.const 11))
	(func (export "calls") (result i32) (i32.const 12)))'});
is(ask($session, 'EXECUTE p'), '11', 'a module replaced by CREATE OR REPLACE FUNCTION');
elsewhere(q{CREATE OR REPLACE FUNCTION version(integer) RETURNS integer LANGUAGE wasm IMMUTABLE AS
	'(module (func (export "version") (param i32) (result i32) (i32.const 13)))'});
is(ask($session, 'EXECUTE p'), '13', 'a function that gets a module of its own');
elsewhere(q{CREATE OR REPLACE FUNCTION version(integer) RETURNS integer LANGUAGE wasm IMMUTABLE AS 'versions#version'});
is(ask($session, 'EXECUTE p'), '11', 'and is bound to the first again');

# --- renamed and moved ---

elsewhere('ALTER FUNCTION versions() RENAME TO renamed');
is(ask($session, 'EXECUTE p'), '11', 'a module that was renamed');
elsewhere('CREATE SCHEMA other; ALTER FUNCTION renamed() SET SCHEMA other');
is(ask($session, 'EXECUTE p'), '11', 'moved');
elsewhere('ALTER SCHEMA other RENAME TO "Other one"');
is(ask($session, 'EXECUTE p'), '11', 'its schema renamed');
elsewhere(q{CREATE SCHEMA other; CREATE FUNCTION other.renamed() RETURNS wasm.module LANGUAGE wasm AS '(module
	(func (export "version") (param i32) (result i32) (i32.const 666)))'});
is(ask($session, 'EXECUTE p'), '11', 'another module under its former name does not matter');
is($node->safe_psql('postgres', 'SELECT version(7)'), '11', 'to a new session neither');

# --- dropped and recreated ---

elsewhere(q{
	CREATE FUNCTION late(integer) RETURNS integer LANGUAGE wasm AS
		'(module (func (export "late") (param i32) (result i32) (i32.const 1)))';
	CREATE FUNCTION calls_late() RETURNS integer LANGUAGE plpgsql AS 'BEGIN RETURN late(0); END';
});
ask($session, 'PREPARE l AS SELECT late(0)');
is(ask($session, 'EXECUTE l'), '1', 'a function before it is dropped');
is(ask($session, 'SELECT calls_late()'), '1', 'also in PL/pgSQL');
elsewhere('DROP FUNCTION late(integer)');
is(sqlstate($session, 'EXECUTE l'), '42883', 'it is gone');
is(sqlstate($session, 'SELECT calls_late()'), '42883', 'also in PL/pgSQL');
elsewhere(q{CREATE FUNCTION late(integer) RETURNS integer LANGUAGE wasm AS
	'(module (func (export "late") (param i32) (result i32) (i32.const 2)))'});
is(ask($session, 'EXECUTE l'), '2', 'it is there again');
is(ask($session, 'SELECT calls_late()'), '2', 'also in PL/pgSQL');
is(sqlstate($session, 'DROP FUNCTION "Other one".renamed()'), '2BP01', 'a module in use cannot be dropped');
elsewhere('DROP FUNCTION "Other one".renamed() CASCADE');
is(sqlstate($session, 'EXECUTE p'), '42883', 'with CASCADE its functions go as well');
is(ask($session, 'SELECT to_regclass($$indexed$$), count(*) FROM checked'), 'indexed|2', 'tables remain');

# A function that another session drops while a cursor has it open
elsewhere(q{CREATE FUNCTION open(integer) RETURNS integer LANGUAGE wasm AS
	'(module (func (export "open") (param i32) (result i32) (local.get 0)))'});
ask($session, 'BEGIN; DECLARE c CURSOR FOR SELECT open(n) FROM three');
is(ask($session, 'FETCH c'), '1', 'a cursor begins');
elsewhere('DROP FUNCTION open(integer)');
like(ask($session, 'FETCH ALL FROM c') . last_sqlstate($session), qr/^(2\n3|42883)$/,
	'it ends in order when its function is dropped');
ask($session, 'ROLLBACK');

# --- functions that support an index ---

sub compare_module
{
	my ($sign) = @_;

	return qq{SELECT wasm.create_module('comparing', convert_to('(module
		(func (export "compare") (param i32 i32) (result i32)
			(i32.mul (i32.const $sign)
				(i32.sub (i32.gt_s (local.get 0) (local.get 1)) (i32.lt_s (local.get 0) (local.get 1))))))',
		'UTF8'), replace => true);};
}

elsewhere(compare_module(1) . q{
	CREATE FUNCTION compare(integer, integer) RETURNS integer LANGUAGE wasm IMMUTABLE STRICT AS 'comparing';
	CREATE OPERATOR CLASS wasm_ops FOR TYPE integer USING btree AS
		OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 compare(integer, integer);
	CREATE TABLE sorted (n integer);
	INSERT INTO sorted SELECT (n * 7919) % 1000 FROM generate_series(1, 1000) n;
	CREATE INDEX sorted_index ON sorted (n wasm_ops);
});
my $sorted = 'SET enable_seqscan = off; SET enable_sort = off; SET enable_bitmapscan = off;
	SELECT n FROM sorted WHERE n BETWEEN 3 AND 5 ORDER BY n USING OPERATOR(pg_catalog.<)';
is(ask($session, $sorted), "3\n4\n5", 'an operator class compares by a guest');
elsewhere(compare_module(-1) . 'REINDEX INDEX sorted_index;');
is(ask($session, 'SELECT compare(1, 2)'), '1', 'its module was replaced by another session');
is(ask($session, 'SELECT count(*) FROM sorted WHERE n = 77'), '1', 'the index is searched by the new one');
elsewhere(compare_module(1) . 'REINDEX INDEX sorted_index;');
is(ask($session, 'SELECT count(*) FROM sorted WHERE n = 77'), '1', 'and by the first again');
is(sqlstate($session, 'INSERT INTO sorted SELECT generate_series(1, 1000)'), '', 'rows are inserted by it');

# --- all at once: nothing of it lets a backend end ---

elsewhere(version_module(1) . q{CREATE FUNCTION version(integer) RETURNS integer LANGUAGE wasm AS 'versions'});
my @sessions = map { session($node) } 1 .. 3;
for my $round (1 .. 10)
{
	elsewhere(version_module($round % 2 ? 3 : 2));
	is(join(' ', map { ask($_, 'SELECT sum(version(1)) FROM generate_series(1, 100)') } @sessions),
		join(' ', (($round % 2 ? 3 : 2) * 100) x 3), "three sessions see replacement $round");
}
$_->quit for @sessions, $session;

check_log($node);
$node->stop;

done_testing();
