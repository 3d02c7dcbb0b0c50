
# Modules that are none: every prefix of real ones, changed bits, and noise.
# Each is refused by an error that the documentation knows, or works; the
# session goes on, and a known function gives its value after each.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use WasmTest;

my $node = wasm_node('garbage', conf => "wasm.module_size_limit = 4MB\n");

# --- real modules ---

my $simple = slurp_file(source_dir() . '/examples/simple.wasm');

# One with most kinds of sections:
#
#	(module
#	  (type (func (param i32 i32) (result i32)))  (type (func))
#	  (table 4 funcref)  (memory 1 2)  (global (mut i64) (i64.const 5))
#	  (elem (i32.const 0) 0 2)  (data "abcd")  (start 1)
#	  (func (export "sum") (param i32 i32) (result i32) (local i32)
#	    ;; counts the first argument down, and the local variable up
#	    (loop (if (i32.gt_s (local.get 0) (i32.const 0)) (then
#	      (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
#	      (local.set 2 (i32.add (local.get 2) (i32.const 1))) (br 1))))
#	    (i32.add (local.get 1) (local.get 2)))
#	  (func (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 4)))
#	  (func (export "divide") (param i32 i32) (result i32)
#	    (i32.div_s (local.get 0) (local.get 1)))
#	  (func (export "table") (param i32 i32) (result i32)
#	    (call_indirect (type 0) (local.get 0) (local.get 1) (i32.const 1)))
#	  (func (export "load") (param i32 i32) (result i32)
#	    (i32.add (i32.load (local.get 0)) (local.get 1))))
my @sections = (
	section(1, vector("\x60" . vector("\x7f", "\x7f") . vector("\x7f"), "\x60" . vector() . vector())),
	section(3, vector("\0", "\1", "\0", "\0", "\0")),
	section(4, vector("\x70\0\4")),
	section(5, vector("\1\1\2")),
	section(6, vector("\x7e\1\x42\5\x0b")),
	section(7, vector(
			name('sum') . "\0\0", name('divide') . "\0\2", name('table') . "\0\3",
			name('load') . "\0\4", name('memory') . "\2\0")),
	section(8, "\1"),
	section(9, vector("\0\x41\0\x0b" . vector("\0", "\2"))),
	section(12, "\1"),
	section(10, vector(
			function_body('0340 2000 4100 4a 0440 2000 4101 6b 2100 2002 4101 6a 2102 0c01 0b 0b
				2001 2002 6a 0b', '017f'),
			function_body('4100 4100 4104 fc080000 0b'),
			function_body('2000 2001 6d 0b'),
			function_body('2000 2001 4101 110000 0b'),
			function_body('2000 280200 2001 6a 0b'))),
	section(11, vector("\1" . vector(split //, 'abcd'))),
	custom_section('name', "\1" . name("\1\0" . name('sum'))));
my $rich = module(@sections);

my $wat = q{(module ;; a comment
	(memory (export "memory") 1) (global $g (mut i32) (i32.const 0x10))
	(func $sum (export "sum") (param $a i32) (param $b i32) (result i32)
		(if (result i32) (i32.eqz (local.get $a))
			(then (local.get $b)) (else (i32.add (local.get 0) (local.get 1)))))
	(data (i32.const 8) "a \"string\" \00\ff") (; the end ;))};

# --- candidates ---

my @candidates;

sub prefixes
{
	my ($what, $module) = @_;

	push @candidates, map { [ "$what, first $_ bytes", substr($module, 0, $_) ] } 0 .. length($module) - 1;
}

# All bits of the module, or each so many.
sub bit_flips
{
	my ($what, $module, $step) = @_;

	for (my $bit = 0; $bit < 8 * length $module; $bit += $step)
	{
		my $copy = $module;

		vec($copy, $bit, 1) ^= 1;
		push @candidates, [ "$what, bit $bit", $copy ];
	}
}

prefixes('simple', $simple);
prefixes('rich', $rich);
prefixes('text', $wat);
bit_flips('simple', $simple, 1);
bit_flips('rich', $rich, 3);
bit_flips('text', $wat, 5);

srand(20);
push @candidates, [ "noise $_", noise(1 + int rand 400, $_) ] for 1 .. 60;
push @candidates, [ "noise $_ with a header", module(noise(int rand 400, 100 + $_)) ] for 1 .. 60;
push @candidates, [ "section $_ of noise", module(section($_ % 14, noise(20, 200 + $_))) ] for 1 .. 60;

# The sections of a real module in another order, missing and twice
for my $i (0 .. $#sections)
{
	push @candidates, [ "without section $i", module(map { $sections[$_] } grep { $_ != $i } 0 .. $#sections) ];
	push @candidates, [ "section $i twice", module(map { ($sections[$_]) x ($_ == $i ? 2 : 1) } 0 .. $#sections) ];
	push @candidates, [ "from section $i", module(@sections[$i .. $#sections], @sections[0 .. $i - 1]) ];
}

# Sizes and counts that promise more than there is
for my $id (0 .. 13)
{
	push @candidates, [ "section $id of 4 GB", module(chr($id) . "\xff\xff\xff\xff\x0f") ];
	push @candidates, [ "section $id of 4 G entries", module(section($id, "\xff\xff\xff\xff\x0f")) ];
	push @candidates, [ "section $id of a million entries", module(section($id, uleb(1_000_000) . "\0" x 100)) ];
}
my $type = section(1, vector("\x60" . vector() . vector()));
push @candidates,
  [ '100,000 types', module(section(1, uleb(100_000) . "\x60\0\0" x 100_000)) ],
  [ '2 million types', module(section(1, uleb(2_000_000) . "\x60\0\0" x 100_000)) ],
  [ '5,000 parameters', module(section(1, vector("\x60" . vector(("\x7f") x 5000) . vector()))) ],
  [ '3,000 functions', module($type, section(3, uleb(3000) . "\0" x 3000),
		section(10, uleb(3000) . function_body('0b') x 3000)) ],
  [ 'a memory of 4 GB', module(section(5, vector("\0" . uleb(65536)))) ],
  [ 'a memory of more', module(section(5, vector("\0" . uleb(65537)))) ],
  [ 'two memories', module(section(5, vector("\0\1", "\0\1"))) ],
  [ 'a shared memory', module(section(5, vector("\3\1\1"))) ],
  [ 'a memory of 64-bit addresses', module(section(5, vector("\4\1"))) ],
  [ 'a table of 4 G elements', module(section(4, vector("\x70\0" . uleb(4294967295)))) ],
  [ 'ten tables', module(section(4, vector(("\x70\0\1") x 10))) ],
  [ 'a million local variables', module($type, section(3, vector("\0")),
		section(10, vector(function_body('0b', unpack('H*', uleb(1_000_000) . "\x7f"))))) ],
  [ '50,000 local variables', module($type, section(3, vector("\0")),
		section(10, vector(function_body('0b', unpack('H*', uleb(50_000) . "\x7f"))))) ],
  [ 'blocks 50,000 deep', module($type, section(3, vector("\0")),
		section(10, vector(function_body('0240' x 50_000 . '0b' x 50_001)))) ],
  [ 'an import', module($type, section(2, vector(name('env') . name('f') . "\0\0"))) ],
  [ 'an export with a zero byte', module($type, section(3, vector("\0")),
		section(7, vector(name("a\0b") . "\0\0")), section(10, vector(function_body('0b')))) ],
  [ 'an export that is not UTF-8', module($type, section(3, vector("\0")),
		section(7, vector(name("\xff\xfe") . "\0\0")), section(10, vector(function_body('0b')))) ],
  [ 'a component', pack('H*', '0061736d0d000100') ],
  [ 'a component in text', '(component)' ],
  [ 'an old version', "\0asm\x0d\0\0\0" ],
  [ 'an ELF file', slurp_file('/proc/self/exe') =~ s/\A(.{4000}).*/$1/sr ],
  [ 'a million parentheses', '(' x 900_000 ],
  [ 'text 10,000 levels deep', '(module (func ' . '(block ' x 10_000 . ')' x 10_002 ],
  [ 'text with a zero byte', "(module (func (export \"sum\") (param i32 i32) (result i32) (i32.const 5)))\0garbage" ],
  [ 'text that is not UTF-8', "(module (func (export \"\xff\")))" ],
  [ 'too much text', '(module ' . ' ' x (4 * 1024 * 1024) . ')' ],
  [ 'comments only', ';; nothing' ],
  [ 'white space', " \n\t " ],
  [ 'too many bytes', module(custom_section('x', "\0" x (4 * 1024 * 1024))) ];

cmp_ok(scalar(@candidates), '>=', 300, 'there are 300 candidates at least: ' . @candidates);

my $tmp = $PostgreSQL::Test::Utils::tmp_check;
open(my $handle, '>', "$tmp/candidates") or die "could not write $tmp/candidates: $!";
print $handle "$_\t$candidates[$_][0]\t\\\\x" . unpack('H*', $candidates[$_][1]) . "\n" for 0 .. $#candidates;
close $handle;

# --- one session tries them all, by two ways ---

$node->safe_psql('postgres', qq{
	CREATE FUNCTION known(integer) RETURNS integer LANGUAGE wasm AS
		'(module (func (export "known") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))';
	CREATE TABLE candidates (n integer, what text, bytes bytea);
	COPY candidates FROM '$tmp/candidates';
	CREATE TABLE outcomes (n integer, way text, step text, state text, message text, known integer, pid integer);

	-- How far a candidate gets, with the error that stops it.  Ways: as a
	-- module, and as the body of a function.
	CREATE FUNCTION attempt(n integer, way text, bytes bytea) RETURNS void LANGUAGE plpgsql AS \$\$
	DECLARE
		step text := 'create';
		state text := '00000';
		message text;
		f record;
	BEGIN
		BEGIN
			IF way = 'module' THEN
				PERFORM wasm.create_module('candidate', bytes);
				step := 'exports';
				PERFORM * FROM wasm.exports('candidate');
				PERFORM * FROM wasm.imports('candidate');
				PERFORM * FROM wasm.create_functions('candidate', 'candidate_');
			ELSE
				EXECUTE format('CREATE FUNCTION candidate_sum(integer, integer) RETURNS integer LANGUAGE wasm AS %L',
					CASE WHEN substr(bytes, 1, 1) = '(' THEN convert_from(bytes, 'UTF8') ELSE bytes::text END);
			END IF;
			step := 'call';
			FOR f IN SELECT oid::regproc AS name FROM pg_proc
				WHERE proname ~ '^candidate_' AND pronargs = 2 AND prorettype = 'integer'::regtype ORDER BY proname LOOP
				EXECUTE format('SELECT %s(7, 3)', f.name);
			END LOOP;
			step := 'done';
			-- nothing of it is to stay
			RAISE EXCEPTION SQLSTATE '00001';
		EXCEPTION
			WHEN SQLSTATE '00001' THEN NULL;
			WHEN query_canceled OR assert_failure OR OTHERS THEN
				state := SQLSTATE;
				message := SQLERRM;
		END;
		INSERT INTO outcomes VALUES (n, way, step, state, message, known(n), pg_backend_pid());
	END \$\$;
});

for my $way ('module', 'body')
{
	# one statement each, so that the timeout is for one candidate: a changed
	# bit can make a loop that does not end
	my ($out, $err);
	my $status = $node->psql('postgres', qq{
		SET statement_timeout = '3s';
		SELECT format('SELECT attempt(n, %L, bytes) FROM candidates WHERE n = %s', '$way', n)
			FROM candidates ORDER BY n \\gexec
		}, stdout => \$out, stderr => \$err);

	is($status, 0, "$way: the session goes on to the end") or diag(substr($err, 0, 2000));
	is($node->safe_psql('postgres', "SELECT count(*), count(DISTINCT pid) FROM outcomes WHERE way = '$way'"),
		scalar(@candidates) . '|1', "$way: all candidates were tried in one session");
	is($node->safe_psql('postgres', "SELECT count(*) FROM outcomes WHERE way = '$way' AND known IS DISTINCT FROM n + 1"),
		'0', "$way: a known function gives its value after each");
}

# The SQLSTATEs of the documentation; and that of bytes that are no text, which
# is PostgreSQL's own.
my %documented = (
	create => [qw(22P03 0A000 42601 54000 53200 22021)],
	exports => [qw(42P13)],
	call => [qw(38000 22012 22003 54001 54000 53200 57014)]);

for my $way ('module', 'body')
{
	# a function is made and bound in one step there
	my @create = $way eq 'body' ? qw(42P13 42883) : ();

	for my $step ('create', 'exports', 'call')
	{
		my $states = join ', ', map { "'$_'" } '00000', @{ $documented{$step} }, $step eq 'create' ? @create : ();

		is( $node->safe_psql('postgres',
				"SELECT what, state, message FROM outcomes JOIN candidates USING (n)
					WHERE way = '$way' AND step = '$step' AND state NOT IN ($states) ORDER BY n LIMIT 20"),
			'', "$way: nothing but documented errors at the step $step");
	}
	is($node->safe_psql('postgres', "SELECT what FROM outcomes JOIN candidates USING (n)
			WHERE way = '$way' AND message ~ '[\n\r]' LIMIT 5"),
		'', "$way: messages have one line");
}

# What becomes of some of them
sub outcome
{
	my ($what, $way) = @_;

	return $node->safe_psql('postgres', "SELECT step, state FROM outcomes JOIN candidates USING (n)
		WHERE what = '$what' AND way = '" . ($way // 'module') . "'");
}

for my $case (
	[ 'simple, first 0 bytes', 'create|22P03' ],
	[ 'simple, first 7 bytes', 'create|22P03' ],
	[ 'simple, first 8 bytes', 'done|00000' ],
	[ 'simple, first 9 bytes', 'create|22P03' ],
	[ 'rich, first 200 bytes', 'create|22P03' ],
	[ 'text, first 60 bytes', 'create|42601' ],
	[ 'rich, bit 0', 'create|22P03' ],
	[ 'without section 11', 'done|00000' ],
	[ 'section 0 twice', 'create|22P03' ],
	[ 'noise 1', 'create|22P03' ],
	[ 'a memory of more', 'create|22P03' ],
	[ 'two memories', 'create|0A000' ],
	[ 'a shared memory', 'create|0A000' ],
	[ 'a memory of 64-bit addresses', 'create|0A000' ],
	[ 'a component', 'done|00000' ],
	[ 'a component in text', 'done|00000' ],
	[ 'an old version', 'create|22P03' ],
	[ 'too much text', 'create|54000' ],
	[ 'too many bytes', 'create|54000' ],
	[ 'text that is not UTF-8', 'create|22021' ])
{
	is(outcome($case->[0]), $case->[1], "$case->[0]: $case->[1]");
}
like(outcome('text with a zero byte'), qr/^create\|/, 'text is not cut at a zero byte');
like(outcome('a million local variables'), qr/^create\|(22P03|54000)$/, 'too many local variables');

# The real modules, unchanged
my $session = session($node);
for my $case ([ 'simple', $simple, 'sum(7, 3)', 10 ], [ 'rich', $rich, 'sum(7, 3)', 10 ],
	[ 'rich', $rich, 'divide(7, 3)', 2 ], [ 'rich', $rich, 'table(7, 3)', 2 ],
	[ 'rich', $rich, 'load(0, 0)', 1684234849 ], [ 'text', $wat, 'sum(7, 3)', 10 ])
{
	my ($what, $module, $call, $expected) = @$case;

	ask($session, 'BEGIN');
	ask($session, "SELECT wasm.create_module('m', " . bytea_literal($module) . ')');
	ask($session, q{SELECT wasm.create_functions('m', 'm_')});
	is(ask($session, "SELECT m_$call"), $expected, "$what unchanged: $call");
	ask($session, 'ROLLBACK');
}

# --- by the client itself, with one session for all ---

for my $case (
	[ "SELECT wasm.create_module('c', '\\x00')", '22P03' ],
	[ "SELECT wasm.create_module('c', '')", '22P03' ],
	[ "SELECT wasm.create_module('c', " . bytea_literal(substr($simple, 0, 100)) . ')', '22P03' ],
	[ "SELECT wasm.validate(" . bytea_literal(substr($simple, 0, 100)) . ')', '' ],
	[ q{CREATE FUNCTION c() RETURNS wasm.module LANGUAGE wasm AS '\x0061736d'}, '22P03' ],
	[ q{CREATE FUNCTION c() RETURNS wasm.module LANGUAGE wasm AS '\x0061736d0100000'}, '22023' ],
	[ q{CREATE FUNCTION c() RETURNS wasm.module LANGUAGE wasm AS '\xzz'}, '22023' ],
	[ q{CREATE FUNCTION c() RETURNS wasm.module LANGUAGE wasm AS '\x'}, '22P03' ],
	[ q{CREATE FUNCTION c() RETURNS wasm.module LANGUAGE wasm AS '(module'}, '42601' ],
	[ q{CREATE FUNCTION c() RETURNS integer LANGUAGE wasm AS '(module (func (export "c") (result i64) (i64.const 1)))'},
		'42P13' ],
	[ q{CREATE FUNCTION c() RETURNS integer LANGUAGE wasm AS '(module (func (export "c") (result i32) (i64.const 1)))'},
		'22P03' ],
	[ q{CREATE FUNCTION c() RETURNS integer LANGUAGE wasm AS '(module (import "a" "b" (func)) (func (export "c") (result i32) (i32.const 1)))'},
		'42P13' ],
	[ q{CREATE FUNCTION c() RETURNS integer LANGUAGE wasm AS '(module)'}, '42883' ],
	[ q{DO LANGUAGE wasm '(module (func (export "main")'}, '42601' ],
	[ q{DO LANGUAGE wasm '\x0061736d01000000ff'}, '22P03' ],
	[ q{DO LANGUAGE wasm ''}, '42P13' ])
{
	my ($query, $expected) = @$case;

	# hex digits are PostgreSQL's own affair: 22023, as decode() gives
	is(sqlstate($session, $query), $expected,
		'the client gets ' . ($expected || 'no error') . ' for ' . substr($query, 0, 70));
	is(ask($session, 'SELECT known(41)'), '42', 'and the known function gives its value');
}
$session->quit;

check_log($node);
$node->stop;

done_testing();
