# Modules made to do harm: each ends as it should, with its SQLSTATE or its
# result, and leaves the session in order.
#
# A case makes the module h, the functions h_EXPORT of it, and runs statements,
# in a transaction that is rolled back.  The first error decides.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../t";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Client;
use Torture;
use WasmTest;

my $node = wasm_node('hostile', conf => "log_statement = none\nlog_min_error_statement = panic\n");
my $client = Client->new($node);

$client->ask(good_functions());
$client->ask('CREATE TABLE bystander AS SELECT 1 AS n');

my $tried = 0;

# Tries a module.  Options: call => a function call or list of statements;
# others as try_hostile() has them.
sub try
{
	my ($title, $expected, $module, %options) = @_;
	my $call = $options{call};
	my @statements = ref $call ? @$call : defined $call ? ("SELECT $call") : ();

	unshift @statements, "SELECT count(*) FROM wasm.create_functions('h', 'h_')" if defined $call && !ref $call;

	try_hostile($node, \$client, $tried, $title, $expected, $module, \@statements, %options);
	$tried++;
}

sub wat
{
	return '(module ' . join("\n", @_) . ')';
}

# A function "f" of text without parameters.
sub func
{
	my ($body, $result) = @_;

	return '(func $f (export "f") ' . ($result // '') . " $body)";
}

# A binary module that exports its only function, () -> (), as "f".
sub binary
{
	my ($code, @sections) = @_;

	return module(
		section(1, vector("\x60\0\0")),
		section(3, vector("\0")),
		@sections,
		section(7, vector(name('f') . "\0\0")),
		section(10, vector(body($code))));
}

# A function's body from its code without the last "end", and local variables.
sub body
{
	my ($code, @locals) = @_;
	my $body = vector(@locals) . "$code\x0b";

	return uleb(length $body) . $body;
}

# --- work without end ---

my $short = '200ms';
try('an endless loop', '57014', wat(func('(loop $l (br $l))')), call => 'h_f()', timeout => $short);
try('an endless loop that writes memory', '57014',
	wat('(memory 1024)', func('(loop $l (memory.fill (i32.const 0) (i32.const 7) (i32.const 0x4000000)) (br $l))')),
	call => 'h_f()', timeout => $short);
try('endless tail calls', '57014', wat(func('(return_call $f)')), call => 'h_f()', timeout => $short);
try('endless tail calls of two', '57014',
	wat('(table 2 funcref) (type $t (func)) (elem (i32.const 0) $f $g)',
		func('(return_call_indirect (type $t) (i32.const 1))'),
		'(func $g (return_call $f))'),
	call => 'h_f()', timeout => $short);
try('a loop that grows the memory for ever', '57014',
	wat('(memory 1)', func('(loop $l (drop (memory.grow (i32.const 1))) (br $l))')),
	call => 'h_f()', timeout => $short);
try('a loop of calls that reach no loop', '57014',
	wat('(func $g)', func('(loop $l (call $g) (br $l))')), call => 'h_f()', timeout => $short);
try('a loop without end in a DO block', '57014', undef, timeout => $short,
	call => [q{DO LANGUAGE wasm '(module (func (export "main") (loop $l (br $l))))'}]);
try('exponential calls', '57014',
	wat('(func $f0)', (map { my $p = $_ - 1; "(func \$f$_ (call \$f$p) (call \$f$p))" } 1 .. 60),
		'(export "f" (func $f60))'),
	call => 'h_f()', timeout => $short);

# the same under a limit on the work of a call
for my $case (
	[ 'a loop', '(loop $l (br $l))' ], [ 'a tail call', '(return_call $f)' ],
	[ 'a loop of memory.fill', '(loop $l (memory.fill (i32.const 0) (i32.const 7) (i32.const 65536)) (br $l))' ])
{
	my ($what, $body) = @$case;

	try("$what that spends its fuel", '54000', wat('(memory 1)', func($body)), call => 'h_f()',
		set => [ 'wasm.fuel = 10000' ]);
}
try('a start function that spends its fuel', '54000', wat('(func $s (loop $l (br $l))) (start $s)', func('')),
	call => 'h_f()', set => [ 'wasm.fuel = 10000' ]);

# --- the stack ---

try('recursion', '54001', wat(func('(call $f)')), call => 'h_f()');
try('recursion with large frames', '54001',
	wat('(memory 1)', '(func $f (export "f") (param i64) (result i64) (local ' . 'i64 ' x 2000 . ')'
		  . join('', map { "(local.set $_ (i64.load (i32.const " . 8 * $_ . ')))' } 1 .. 2000)
		  . '(local.set 0 (call $f (local.get 0)))'
		  . join('', map { "(local.set 0 (i64.add (local.get 0) (local.get $_)))" } 1 .. 2000)
		  . '(local.get 0))'),
	call => 'h_f(1)');
try('recursion of two through a table', '54001',
	wat('(table 2 funcref) (type $t (func (param i32))) (elem (i32.const 0) $f $g)',
		'(func $f (export "f") (param i32) (call_indirect (type $t) (local.get 0) (i32.const 1)))',
		'(func $g (param i32) (call_indirect (type $t) (local.get 0) (i32.const 0)))'),
	call => 'h_f(1)');
try('recursion with 1,000 parameters', '54001',
	wat('(func $g (param ' . 'v128 ' x 1000 . ') (call $g ' . join('', map { "(local.get $_)" } 0 .. 999) . '))',
		func('(call $g ' . '(v128.const i64x2 1 2)' x 1000 . ')')),
	call => 'h_f()');
try('recursion through SQL, by a domain that checks itself', '54001',
	wat('(func (export "id") (param i32) (result i32) (local.get 0))'),
	call => [
		'CREATE DOMAIN d AS integer',
		q{CREATE FUNCTION id(integer) RETURNS d LANGUAGE wasm AS 'h#id'},
		'ALTER DOMAIN d ADD CHECK (id(VALUE) IS NOT NULL)',
		'SELECT id(1)' ]);

# --- memory and tables ---

try('a memory that grows as far as it may', '',
	wat('(memory 1)', func('(loop $l (br_if $l (i32.ge_s (memory.grow (i32.const 1)) (i32.const 0)))) (memory.size)', '(result i32)')),
	call => 'h_f()', result => '1024');
try('memory.grow by 4 GiB', '',
	wat('(memory 1)', func('(memory.grow (i32.const 65535))', '(result i32)')), call => 'h_f()', result => '-1');
try('memory.grow by 2^32 - 1 pages', '',
	wat('(memory 1)', func('(memory.grow (i32.const -1))', '(result i32)')), call => 'h_f()', result => '-1');
try('a memory of 4 GiB', '54000', wat('(memory 65536)', func('')), call => 'h_f()');
try('a memory of one page above the limit', '54000', wat('(memory 1025)', func('')), call => 'h_f()');
try('a memory of more than there are addresses', '22P03',
	module(section(5, vector("\0" . uleb(65537)))));
try('a memory whose maximum is 4 GiB', '', wat('(memory 1 65536)', func('')), call => 'h_f()', result => '');
try('a memory whose minimum is above its maximum', '22P03', module(section(5, vector("\1\2\1"))));
try('a table of 100,001 elements', '54000', wat('(table 100001 funcref)', func('')), call => 'h_f()');
try('a table of ten million elements', '54000', wat('(table 10000000 funcref)', func('')), call => 'h_f()');
try('a table of 2^32 - 1 elements', '54000', wat('(table 0xffffffff funcref)', func('')), call => 'h_f()');
try('five tables', '54000', wat('(table 1 funcref)' x 5, func('')), call => 'h_f()');
try('101 tables', '54000', wat('(table 1 funcref)' x 101, func('')), call => 'h_f()');
try('a table that grows as far as it may', '',
	wat('(table $t 1 externref)',
		func('(loop $l (br_if $l (i32.ge_s (table.grow $t (ref.null extern) (i32.const 1)) (i32.const 0)))) (table.size $t)', '(result i32)')),
	call => 'h_f()', result => '100000');
try('table.grow by 2^32 - 1', '',
	wat('(table $t 1 funcref)', func('(table.grow $t (ref.null func) (i32.const -1))', '(result i32)')),
	call => 'h_f()', result => '-1');
try('200 instances with memories', '', undef,
	call => [
		q{DO $do$ BEGIN FOR n IN 1 .. 200 LOOP EXECUTE format('CREATE FUNCTION big_%s() RETURNS integer LANGUAGE wasm AS %L', n,
			'(module (memory 1000) (func (export "f") (result i32) (i32.add (memory.size) (i32.const ' || n || '))))'); END LOOP; END $do$},
		q{CREATE FUNCTION sum_of_all() RETURNS bigint LANGUAGE plpgsql AS $do$ DECLARE total bigint := 0; one bigint; BEGIN
			FOR n IN 1 .. 200 LOOP EXECUTE format('SELECT big_%s()', n) INTO one; total := total + one; END LOOP; RETURN total; END $do$},
		'SELECT sum_of_all()' ],
	result => '220100');

# --- size ---

my $many_functions = sub {
	my ($count) = @_;

	return module(
		section(1, vector("\x60\0\0")),
		section(3, uleb($count) . "\0" x $count),
		section(7, vector(name('f') . "\0\0")),
		section(10, uleb($count) . "\2\0\x0b" x $count));
};
try('50,001 functions', '54000', $many_functions->(50_001));
try('a million functions', '54000', $many_functions->(1_000_000));
try('a million and one functions', '54000', $many_functions->(1_000_001));
try('a function of 10 MB', '54000', binary("\1" x 10_000_000));
try('a function of 1 MiB and a byte', '54000', binary("\1" x (1024 * 1024 - 1)));
try('100,000 local variables', '54000', wat(func('(local ' . 'i32 ' x 100_000 . ')')));
try('100,000 local variables at once', '54000',
	module(section(1, vector("\x60\0\0")), section(3, vector("\0")),
		section(10, vector(body('', uleb(100_000) . "\x7f")))));
try('2^32 - 1 local variables, twice', '54000',
	module(section(1, vector("\x60\0\0")), section(3, vector("\0")),
		section(10, vector(body('', uleb(2**32 - 1) . "\x7f", uleb(2**32 - 1) . "\x7e")))));
try('1,001 parameters', '22P03', wat('(func (export "f") (param ' . 'i32 ' x 1001 . '))'));
try('1,001 results', '22P03', wat('(func (export "f") (result ' . 'i32 ' x 1001 . ') unreachable)'));
try('1,000 parameters, which no SQL function has', '42P13', wat('(func (export "f") (param ' . 'i32 ' x 1000 . '))'),
	call => [ q{SELECT wasm.create_functions('h', 'h_')}, q{CREATE FUNCTION f(integer) RETURNS void LANGUAGE wasm AS 'h#f'} ]);
try('1,000 results, which no SQL function has', '42P13', wat('(func (export "f") (result ' . 'i32 ' x 1000 . ') unreachable)'),
	call => [ q{SELECT wasm.create_functions('h', 'h_')}, q{CREATE FUNCTION f() RETURNS integer LANGUAGE wasm AS 'h#f'} ]);
try('50,000 exports', '',
	module(section(1, vector("\x60\0\0")), section(3, vector("\0")),
		section(7, uleb(50_000) . join('', map { name("e$_") . "\0\0" } 1 .. 50_000)),
		section(10, vector(body('')))),
	call => [ q{SELECT count(*) FROM wasm.exports('h')} ], result => '50000');
try('100,000 exports', '54000',
	module(section(1, vector("\x60\0\0")), section(3, vector("\0")),
		section(7, uleb(100_000) . join('', map { name("e$_") . "\0\0" } 1 .. 100_000)),
		section(10, vector(body('')))));
try('50,000 exports of 1,000 parameters', '54000',
	module(section(1, vector("\x60" . vector(("\x7f") x 1000) . "\0")), section(3, vector("\0")),
		section(7, uleb(50_000) . join('', map { name("e$_") . "\0\0" } 1 .. 50_000)),
		section(10, vector(body('')))));
try('a million globals', '54000',
	module(section(6, uleb(1_000_000) . "\x7f\1\x41\0\x0b" x 1_000_000)));
try('the same export twice', '22P03',
	module(section(1, vector("\x60\0\0")), section(3, vector("\0")),
		section(7, vector(name('f') . "\0\0", name('f') . "\0\0")), section(10, vector(body('')))));
try('1,000,001 types', '54000', module(section(1, uleb(1_000_001) . "\x60\0\0" x 1_000_001)));
try('20,000 global variables', '', wat('(global i32 (i32.const 1))' x 20_000, func('')), call => 'h_f()');
try('1,000,001 global variables', '54000',
	module(section(6, uleb(1_000_001) . "\x7f\0\x41\0\x0b" x 1_000_001)));
try('a constant expression of 10,000 terms', '',
	module(section(1, vector("\x60\0\1\x7f")), section(3, vector("\0")),
		section(6, vector("\x7f\0\x41\0" . "\x41\1\x6a" x 10_000 . "\x0b")),
		section(7, vector(name('f') . "\0\0")), section(10, vector(body("\x23\0")))),
	call => 'h_f()', result => '10000');
try('a br_table of a million targets', '54000',
	binary("\x02\x40\x41\0\x0e" . uleb(1_000_000) . "\0" x 1_000_001 . "\x0b"));
try('a br_table of 900,000 targets', '54000', binary("\x02\x40\x41\0\x0e" . uleb(900_000) . "\0" x 900_001 . "\x0b"));
try('a br_table of 65,000 targets', '', binary("\x02\x40\x41\0\x0e" . uleb(65_000) . "\0" x 65_001 . "\x0b"),
	call => 'h_f()');
try('a br_table whose length is a lie', '22P03', binary("\x02\x40\x41\0\x0e" . uleb(2**32 - 1) . "\0" x 1000 . "\x0b"));
try('an element segment that is too long for the table', '38000',
	wat('(table 1 funcref)', '(elem (i32.const 0) func ' . '$f ' x 2_000 . ')', func('')), call => 'h_f()');

# --- depth ---

try('blocks 100,000 deep', '', binary("\x02\x40" x 100_000 . "\x0b" x 100_000), call => 'h_f()');
try('blocks 2,000 deep', '', binary("\x02\x40" x 2_000 . "\x0b" x 2_000), call => 'h_f()');
try('blocks that do not end', '22P03', binary("\x02\x40" x 100_000));
try('conditions 2,000 deep', '', binary("\x41\1\x04\x40" x 2_000 . "\x0b" x 2_000), call => 'h_f()');
try('20,000 loops in each other', '54000', binary("\x03\x40" x 20_000 . "\x0b" x 20_000),
	set => [ 'wasm.interruption = epoch', "wasm.compile_timeout = '2s'" ]);
try('a stack of 100,000 values', '', binary("\x41\1" x 100_000 . "\x1a" x 100_000), call => 'h_f()');
try('a stack of 10,000 values', '', binary("\x41\1" x 10_000 . "\x1a" x 10_000), call => 'h_f()');
try('100,000 values taken from nowhere', '', binary("\0" . "\x1a" x 100_000));
try('text: 900,000 parentheses', '42601', '(' x 900_000);
try('text: blocks 10,000 deep', '', wat(func('(block ' x 10_000 . ')' x 10_000)), call => 'h_f()');
try('text: an expression 10,000 deep', '',
	wat(func('(i32.eqz ' x 10_000 . '(i32.const 0)' . ')' x 10_000, '(result i32)')), call => 'h_f()', result => '0');
try('text: blocks 2,000 deep without parentheses', '', wat(func('block ' x 2_000 . 'end ' x 2_000)), call => 'h_f()');
try('text: comments in comments', '42601', '(;' x 450_000);
try('text: comments in comments that end', '', '(;' x 200_000 . ';)' x 200_000 . '(module)');
try('text: annotations in annotations', '42601', '(module ' . '(@a ' x 200_000);

# --- work for the compiler ---

try('50,000 branches', '', binary("\x02\x40" . "\x41\0\x0d\0" x 50_000 . "\x0b"), call => 'h_f()');
try('30,000 calls of itself', '54001', binary("\x10\0" x 30_000), call => 'h_f()');
try('10,000 functions of 100 instructions', '',
	module(section(1, vector("\x60\0\0")), section(3, uleb(10_000) . "\0" x 10_000),
		section(7, vector(name('f') . "\0\0")),
		section(10, uleb(10_000) . body("\x41\1\x1a" x 34) x 10_000)),
	call => 'h_f()');

# --- segments ---

try('data of 3 MB', '', wat('(memory 1024)', func('(i32.load8_u (i32.const 2999999))', '(result i32)'))
	  =~ s/\(func/(data (i32.const 0) "@{[ 'z' x 900_000 ]}")(func/r,
	call => 'h_f()', result => '0');
try('data for a place at the end', '',
	wat('(memory 1)', '(data (i32.const 65535) "z")', func('(i32.load8_u (i32.const 65535))', '(result i32)')),
	call => 'h_f()', result => '122');
try('data for a place behind the end', '38000', wat('(memory 1)', '(data (i32.const 65535) "zz")', func('')), call => 'h_f()');
try('empty data just behind the end', '', wat('(memory 1)', '(data (i32.const 65536) "")', func('')), call => 'h_f()');
try('empty data further behind the end', '38000', wat('(memory 1)', '(data (i32.const 65537) "")', func('')), call => 'h_f()');
try('data at 2^32 - 1', '38000', wat('(memory 1)', '(data (i32.const -1) "z")', func('')), call => 'h_f()');
try('data at an overflowing address', '38000',
	wat('(memory 1)', '(data (i32.add (i32.const -1) (i32.const -5)) "zzzz")', func('')), call => 'h_f()');
try('data without a memory', '22P03', module(section(11, vector("\0\x41\0\x0b" . name('z')))));
try('100,001 data segments', '54000',
	module(section(5, vector("\0\1")), section(11, uleb(100_001) . "\1\0" x 100_001)));
try('elements behind the end', '38000', wat('(table 1 funcref)', '(elem (i32.const 1) $f)', func('')), call => 'h_f()');
try('elements at 2^32 - 1', '38000', wat('(table 1 funcref)', '(elem (i32.const -1) $f)', func('')), call => 'h_f()');
try('a segment whose count is a lie', '22P03',
	module(section(5, vector("\0\1")), section(11, uleb(40_000) . "\1\0")));
try('data whose length is a lie', '22P03',
	module(section(5, vector("\0\1")), section(11, vector("\1" . uleb(2**32 - 1) . 'abc'))));

# --- start functions ---

try('a start function that traps', '38000', wat('(func $s unreachable) (start $s)', func('')), call => 'h_f()');
try('a start function that divides by zero', '22012',
	wat('(func $s (drop (i32.div_u (i32.const 1) (i32.const 0)))) (start $s)', func('')), call => 'h_f()');
try('a start function that loops', '57014', wat('(func $s (loop $l (br $l))) (start $s)', func('')),
	call => 'h_f()', timeout => $short);
try('a start function that recurses', '54001', wat('(func $s (call $s)) (start $s)', func('')), call => 'h_f()');
try('a start function with a parameter', '22P03', wat('(func $s (param i32)) (start $s)', func('')));
try('a start function that does not exist', '22P03',
	module(section(1, vector("\x60\0\0")), section(3, vector("\0")), section(8, uleb(7)), section(10, vector(body('')))));
try('a start function that takes all memory', '',
	wat('(memory 1) (func $s (drop (memory.grow (i32.const 1023)))) (start $s)', func('(memory.size)', '(result i32)')),
	call => 'h_f()', result => '1024');

# --- imports ---

my $bind = [ q{CREATE FUNCTION f() RETURNS void LANGUAGE wasm AS 'h#f'}, 'SELECT f()' ];
for my $import ('(func)', '(func (param i32) (result f64))', '(memory 1)', '(table 1 funcref)', '(global i32)',
	'(global (mut v128))')
{
	try("an unknown import $import", '42P13', wat("(import \"env\" \"it\" $import)", func('')), call => $bind);
}
try('an import of WASI with another type', '42P13',
	wat('(import "wasi_snapshot_preview1" "proc_exit" (func (param v128) (result v128)))', func('')), call => $bind);
try('an import with odd names', '42P13', wat(qq{(import "a\\22\\0ab'" "\\01\\7f\\e2\\80\\ae" (func))}, func('')), call => $bind);
try('an import of a function whose type does not exist', '22P03', module(section(2, vector(name('a') . name('b') . "\0\7"))));
try('10,000 imports', '42P13',
	module(section(1, vector("\x60\0\0")), section(2, uleb(10_000) . (name('a') . name('b') . "\0\0") x 10_000),
		section(3, vector("\0")), section(7, vector(name('f') . "\0" . uleb(10_000))), section(10, vector(body('')))),
	call => $bind);
try('an exported import', '42P13', wat('(import "env" "it" (func $i)) (export "f" (func $i))'), call => $bind);

# --- numbers ---

for my $type ('i32', 'i64')
{
	my $sql = $type eq 'i32' ? 'integer' : 'bigint';
	my $min = $type eq 'i32' ? '-2147483648' : '-9223372036854775808';

	for my $op (qw(div_s div_u rem_s rem_u))
	{
		my $module = wat("(func (export \"f\") (param $type $type) (result $type) ($type.$op (local.get 0) (local.get 1)))");

		try("$type.$op by zero", '22012', $module, call => 'h_f(7, 0)');
		try("$type.$op of the smallest by -1", $op eq 'div_s' ? '22003' : '', $module,
			call => "h_f('$min', -1)",
			result => { rem_s => '0', div_u => '0', rem_u => $min }->{$op});
	}
	for my $from ('f32', 'f64')
	{
		for my $sign ('s', 'u')
		{
			my $bits = ($type eq 'i32' ? 32 : 64) - ($sign eq 's' ? 1 : 0);
			my $module = wat("(func (export \"f\") (param $from) (result $type) ($type.trunc_${from}_$sign (local.get 0)))");

			# below the smallest: what comes next in f64, and -1 for unsigned ones
			my $below = $sign eq 'u' ? -1 : sprintf '%.0f', -(2**$bits) - ($bits == 31 ? ($from eq 'f64' ? 1 : 256) : 2**41);
			for my $value ('NaN', 'Infinity', '-Infinity', sprintf('%.0f', 2**$bits), $below)
			{
				try("$type.trunc_${from}_$sign of $value", '22003', $module, call => "h_f('$value')");
			}
			try("$type.trunc_${from}_$sign of -0.99", '', $module, call => "h_f('-0.99')", result => '0');
		}
	}
}

# --- memory accesses ---

# Each instruction at the edges of a memory of one page: the address, the offset
# in the instruction, and whether that is inside.
my @accesses = (
	[ 'i32.load8_s', 1 ], [ 'i32.load8_u', 1 ], [ 'i32.load16_s', 2 ], [ 'i32.load16_u', 2 ], [ 'i32.load', 4 ],
	[ 'i64.load8_s', 1 ], [ 'i64.load16_u', 2 ], [ 'i64.load32_s', 4 ], [ 'i64.load', 8 ], [ 'f32.load', 4 ],
	[ 'f64.load', 8 ], [ 'v128.load', 16 ], [ 'v128.load8x8_s', 8 ], [ 'v128.load16x4_u', 8 ], [ 'v128.load32x2_s', 8 ],
	[ 'v128.load8_splat', 1 ], [ 'v128.load16_splat', 2 ], [ 'v128.load32_splat', 4 ], [ 'v128.load64_splat', 8 ],
	[ 'v128.load32_zero', 4 ], [ 'v128.load64_zero', 8 ],
	[ 'v128.load8_lane', 1, 'lane 15' ], [ 'v128.load16_lane', 2, 'lane 7' ], [ 'v128.load32_lane', 4, 'lane 3' ],
	[ 'v128.load64_lane', 8, 'lane 1' ],
	[ 'v128.store8_lane', 1, 'lane 15' ], [ 'v128.store16_lane', 2, 'lane 7' ], [ 'v128.store32_lane', 4, 'lane 3' ],
	[ 'v128.store64_lane', 8, 'lane 1' ],
	[ 'i32.store8', 1 ], [ 'i32.store16', 2 ], [ 'i32.store', 4 ], [ 'i64.store8', 1 ], [ 'i64.store16', 2 ],
	[ 'i64.store32', 4 ], [ 'i64.store', 8 ], [ 'f32.store', 4 ], [ 'f64.store', 8 ], [ 'v128.store', 16 ]);

sub access
{
	my ($instruction, $offset, $lane) = @_;
	my ($type) = $instruction =~ /^(\w+)\./;
	my $value = $type eq 'v128' ? '(v128.const i64x2 1 2)' : "($type.const 1)";
	my ($number) = ($lane // '') =~ /(\d+)/;
	my $immediates = "$instruction offset=$offset align=1" . (defined $number ? " $number" : '');

	return "($immediates (local.get 0) $value)" if $instruction =~ /store/;
	return "(drop ($immediates (local.get 0) $value))" if defined $number;
	return "(drop ($immediates (local.get 0)))";
}

my $access_count = 0;
for my $access (@accesses)
{
	my ($instruction, $width, $lane) = @$access;
	my $last = 65536 - $width;
	my @edges = (
		[ 0, 0, 1 ], [ 0, 1, 1 ], [ 0, $last, 1 ], [ $last, 0, 1 ], [ $last - 1, 1, 1 ], [ 3, 65520 - 3, 1 ],
		[ 0, $last + 1, 0 ], [ $last + 1, 0, 0 ], [ $last, 1, 0 ], [ 65536, 0, 0 ], [ 0, 65536, 0 ],
		[ -1, 0, 0 ], [ -$width, 0, 0 ], [ 0, 4294967295, 0 ], [ -1, 4294967295, 0 ], [ 1, 4294967295, 0 ],
		[ -2147483648, 2147483648, 0 ], [ -65536, 65536, 0 ], [ -1, 1, 0 ], [ 2147483647, 2147483647, 0 ]);
	my %functions;
	my @failed;

	$functions{ $_->[1] } = access($instruction, $_->[1], $lane) for @edges;
	$client->ask('BEGIN');
	my $result = $client->attempt_bytes(q{SELECT wasm.create_module('edges', $1)},
		wat('(memory 1)', map { "(func (export \"o$_\") (param i32) $functions{$_})" } sort keys %functions));
	die "$instruction: $result->{message}\n" if $result->{sqlstate};
	$client->ask(q{SELECT wasm.create_functions('edges', 'edge_'); SAVEPOINT s});
	for my $edge (@edges)
	{
		my ($address, $offset, $inside) = @$edge;
		my $state = $client->attempt("SELECT edge_o$offset($address)")->{sqlstate};

		$client->ask('ROLLBACK TO s') if $state;
		push @failed, "address $address, offset $offset: '$state'" if $state ne ($inside ? '' : '38000');
		$access_count++;
	}
	$client->ask('ROLLBACK');
	push @failed, check_good($client, 1) || ();
	is(join(', ', @failed), '', "$instruction at " . @edges . ' edges');
	$tried++;
}

try('an access where there is no memory', '22P03', wat(func('(drop (i32.load (i32.const 0)))')));
try('a memory without a page', '38000', wat('(memory 0)', func('(drop (i32.load8_u (i32.const 0)))')), call => 'h_f()');
try('an access just behind a memory that has grown', '38000',
	wat('(memory 1)', func('(drop (memory.grow (i32.const 1))) (drop (i32.load (i32.const 131069)))')), call => 'h_f()');
try('an alignment of more than the width', '22P03', binary("\x41\0\x28\3\0\x1a", section(5, vector("\0\1"))));
try('an offset of more than 32 bits', '22P03',
	binary("\x41\0\x28\2\xff\xff\xff\xff\x1f\x1a", section(5, vector("\0\1"))));

my $bulk = wat('(memory 1) (table $t 4 funcref) (data $d "abcd") (elem $e func $x $x) (func $x)',
	'(func (export "fill") (param i32 i32) (memory.fill (local.get 0) (i32.const 0) (local.get 1)))',
	'(func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))',
	'(func (export "init") (param i32 i32 i32) (memory.init $d (local.get 0) (local.get 1) (local.get 2)))',
	'(func (export "dropped") (param i32) (data.drop $d) (memory.init $d (i32.const 0) (i32.const 0) (local.get 0)))',
	'(func (export "tfill") (param i32 i32) (table.fill $t (local.get 0) (ref.null func) (local.get 1)))',
	'(func (export "tcopy") (param i32 i32 i32) (table.copy $t $t (local.get 0) (local.get 1) (local.get 2)))',
	'(func (export "tinit") (param i32 i32 i32) (table.init $t $e (local.get 0) (local.get 1) (local.get 2)))',
	'(func (export "tdropped") (param i32) (elem.drop $e) (table.init $t $e (i32.const 0) (i32.const 0) (local.get 0)))',
	'(func (export "tget") (param i32) (drop (table.get $t (local.get 0))))',
	'(func (export "tset") (param i32) (table.set $t (local.get 0) (ref.null func)))');
for my $case (
	[ 'fill(65536, 0)', '' ], [ 'fill(65535, 1)', '' ], [ 'fill(65536, 1)', '38000' ], [ 'fill(65537, 0)', '38000' ],
	[ 'fill(-1, 2)', '38000' ], [ 'fill(0, -1)', '38000' ], [ 'fill(1, -1)', '38000' ],
	[ 'copy(0, 65536, 0)', '' ], [ 'copy(65535, 0, 2)', '38000' ], [ 'copy(0, 65535, 2)', '38000' ],
	[ 'copy(-1, -1, -1)', '38000' ], [ 'copy(0, 1, -1)', '38000' ],
	[ 'init(65532, 0, 4)', '' ], [ 'init(65533, 0, 4)', '38000' ], [ 'init(0, 1, 4)', '38000' ], [ 'init(0, -1, 1)', '38000' ],
	[ 'dropped(0)', '' ], [ 'dropped(1)', '38000' ],
	[ 'tfill(4, 0)', '' ], [ 'tfill(4, 1)', '38000' ], [ 'tfill(-1, 2)', '38000' ],
	[ 'tcopy(0, 4, 0)', '' ], [ 'tcopy(0, 3, 2)', '38000' ], [ 'tcopy(-1, 0, 1)', '38000' ],
	[ 'tinit(2, 0, 2)', '' ], [ 'tinit(3, 0, 2)', '38000' ], [ 'tinit(0, 1, 2)', '38000' ],
	[ 'tdropped(0)', '' ], [ 'tdropped(1)', '38000' ],
	[ 'tget(3)', '' ], [ 'tget(4)', '38000' ], [ 'tget(-1)', '38000' ], [ 'tset(4)', '38000' ], [ 'tset(-1)', '38000' ])
{
	try("bulk operation $case->[0]", $case->[1], $bulk, call => "h_$case->[0]");
}

my $indirect = wat('(table 4 funcref) (type $t (func)) (type $u (func (param i64))) (elem (i32.const 1) $a $b)',
	'(func $a) (func $b (param i64))',
	'(func (export "f") (param i32) (call_indirect (type $t) (local.get 0)))');
for my $case ([ 1, '' ], [ 0, '38000' ], [ 2, '38000' ], [ 3, '38000' ], [ 4, '38000' ], [ -1, '38000' ], [ -2147483648, '38000' ])
{
	try("call_indirect of element $case->[0]", $case->[1], $indirect, call => "h_f($case->[0])");
}
try('call_indirect of a type that does not exist', '22P03',
	module(section(1, vector("\x60\0\0")), section(3, vector("\0")), section(4, vector("\x70\0\1")),
		section(10, vector(body("\x41\0\x11\7\0")))));
try('unreachable', '38000', wat(func('unreachable')), call => 'h_f()');
try('a lane that does not exist', '22P03',
	module(section(1, vector("\x60\0\0")), section(3, vector("\0")),
		section(10, vector(body("\xfd\x0c" . "\0" x 16 . "\xfd\x15\x10\x1a")))));
try('a shuffle of a lane that does not exist', '22P03',
	module(section(1, vector("\x60\0\0")), section(3, vector("\0")),
		section(10, vector(body(("\xfd\x0c" . "\0" x 16) x 2 . "\xfd\x0d" . "\x20" x 16 . "\x1a")))));

# --- text ---

try('text: a number of a million digits', '42601', wat(func('(drop (i32.const ' . '9' x 900_000 . '))')));
try('text: a float of a million digits', '', wat(func('(f64.const 0.' . '9' x 900_000 . ')', '(result f64)')),
	call => 'h_f()', result => '1');
try('text: a hexadecimal float of a million digits', '', wat(func('(f64.const 0x0.' . '0' x 900_000 . '1)', '(result f64)')));
try('text: an exponent that is too large', '42601', wat(func('(f64.const 1e' . '9' x 100_000 . ')', '(result f64)')));
try('text: a string of a million bytes', '', wat('(memory 16)', '(data (i32.const 0) "' . 'z' x 1_000_000 . '")', func('')), call => 'h_f()');
try('text: a string that does not end', '42601', '(module (data "' . 'z' x 900_000);
try('text: an identifier of 900,000 characters', '', wat('(func $' . 'a' x 900_000 . ')', func('')), call => 'h_f()');
try('text: an unknown identifier of 900,000 characters', '42601', wat(func('(call $' . 'a' x 900_000 . ')')));
try('text: two identifiers of 450,000 characters', '42601', wat(('(func $' . 'a' x 450_000 . ')') x 2));
try('text: a token of 900,000 characters', '42601', wat(func('a' x 900_000)));
try('text: an export name of 900,000 bytes', '22P03', wat('(func (export "' . 'a' x 900_000 . '"))'));
try('text: a surrogate in a string', '42601', wat('(func (export "\u{d800}"))'));
try('text: a character behind the last', '42601', wat('(func (export "\u{110000}"))'));
try('text: an endless escape', '42601', wat('(func (export "\u{' . '0' x 500_000 . '"))'));
try('text: too much of it', '54000', '(module ' . ' ' x (80 * 1024 * 1024) . ')');
try('text: a zero byte', '22021', "(module \0)");
try('text: not UTF-8', '22021', qq{(module (func (export "\xff")))});
try('text: two modules', '42601', '(module) (module)');
try('text: only a comment', '22P03', ';; nothing');
try('text: binary in text', '', '(module binary "\00asm\01\00\00\00")', call => []);
try('text: nonsense in binary in text', '22P03', '(module binary "\00asm\01\00\00\00\ff")');
try('text: a direction mark', '42601', "(module (func (export \"f\")) \xe2\x80\xae)");

# --- names ---

my $drop = q{"); DROP TABLE bystander; --};
for my $case (
	[ 'a double quote', 'a"b' ], [ 'a quote', "a'b" ], [ 'a statement', $drop ], [ 'a dollar quote', '$$a$wasm$' ],
	[ 'a backslash', 'a\\b' ], [ 'a line feed', "a\nb" ], [ 'a carriage return', "a\rb" ], [ 'an escape', "a\e[2Jb" ],
	[ 'a header line', "a\n;; export: b\n;; file: /etc/passwd" ], [ 'a hash', 'a#b' ], [ 'a percent sign', '%s%n%1$s' ],
	[ 'a direction mark', "a\xe2\x80\xaeb" ], [ 'a dot', 'a.b.c' ], [ 'a parenthesis', '(a' ], [ 'a tab', "\ta" ], [ 'a capital', 'ABC' ])
{
	my ($what, $name) = @$case;
	my $quoted = $name =~ s/"/""/gr;

	try("a name with $what", '', module(section(1, vector("\x60\0\1\x7f")), section(3, vector("\0")),
			section(7, vector(name($name) . "\0\0")), section(10, vector(body("\x41\x2a")))),
		call => [ q{SELECT wasm.create_functions('h', 'h_')}, qq{SELECT "h_$quoted"(), n FROM bystander} ],
		result => '42|1');
}
for my $case (
	[ 'a zero byte', "a\0b" ], [ 'no character', '' ], [ '64 characters', 'a' x 64 ], [ '100,000 characters', 'a' x 100_000 ],
	[ 'a space at the end', 'a ' ], [ 'a tab at the end', "a\t" ])
{
	my ($what, $name) = @$case;

	try("a name with $what, which is passed over", '',
		module(section(1, vector("\x60\0\0")), section(3, vector("\0")),
			section(7, vector(name($name) . "\0\0")), section(10, vector(body('')))),
		call => [ q{SELECT count(*) FROM wasm.create_functions('h', '')} ], result => '0');
}
for my $case ([ '1 MB', 'a' x 1_000_000 ], [ 'bytes that are not UTF-8', "\xff\xfe" ], [ 'an overlong character', "\xc0\x80" ],
	[ 'a surrogate', "\xed\xa0\x80" ], [ 'half a character', "a\xe2\x82" ])
{
	my ($what, $name) = @$case;

	try("a name of $what", '22P03', module(section(1, vector("\x60\0\0")), section(3, vector("\0")),
			section(7, vector(name($name) . "\0\0")), section(10, vector(body('')))));
}

# --- sections ---

my $small = binary('', custom_section('x', 'y'));
try('no byte', '22P03', '');
try('a zero byte', '22P03', "\0");
try('zero bytes only', '22P03', "\0" x 1_000_000);
try('another version', '22P03', "\0asm\2\0\0\0");
for my $length (1 .. length($small) - 1)
{
	# the header alone is a module, and so it is with its types
	try("the first $length bytes of a module", $length == 8 || $length == 14 ? '' : '22P03', substr($small, 0, $length));
}
try('a number of six bytes', '22P03', "\0asm\1\0\0\0\1\x84\x80\x80\x80\x80\0\1\x60\0\0");
try('a number with bits too many', '22P03', "\0asm\1\0\0\0\1\x84\x80\x80\x80\x70\1\x60\0\0");
try('a number of five bytes, which is allowed', '', "\0asm\1\0\0\0\1\x84\x80\x80\x80\0\1\x60\0\0");
try('a section longer than the module', '22P03', "\0asm\1\0\0\0\1\5\1\x60\0\0");
try('a section of 4 GiB', '22P03', "\0asm\1\0\0\0\1\xff\xff\xff\xff\x0f\1\x60\0\0");
try('a section shorter than its content', '22P03', "\0asm\1\0\0\0\1\3\1\x60\0\0");
try('a section with a byte too many', '22P03', "\0asm\1\0\0\0\1\5\1\x60\0\0\0");
try('four billion types', '54000', module(section(1, uleb(2**32 - 1) . "\x60\0\0")));
try('a body longer than the module', '22P03',
	module(section(1, vector("\x60\0\0")), section(3, vector("\0")), section(10, "\1\x7f\0\x0b")));
try('a body shorter than it says', '22P03',
	module(section(1, vector("\x60\0\0")), section(3, vector("\0")), section(10, "\1\1\0\x0b")));
try('a body without an end', '22P03',
	module(section(1, vector("\x60\0\0")), section(3, vector("\0")), section(10, "\1\2\0\1")));
try('a function without a body', '22P03', module(section(1, vector("\x60\0\0")), section(3, vector("\0"))));
try('a body without a function', '22P03', module(section(1, vector("\x60\0\0")), section(10, vector(body('')))));
try('sections in another order', '22P03', module(section(3, vector("\0")), section(1, vector("\x60\0\0"))));
try('the same section twice', '22P03', module((section(1, vector("\x60\0\0"))) x 2));
try('a section nobody knows', '22P03', module(section(99, 'abc')));
try('data that the count does not announce', '22P03',
	module(section(5, vector("\0\1")), section(12, "\0"), section(11, vector("\1\0"))));
try('100,000 custom sections', '', module((custom_section('x', '')) x 100_000), call => []);
try('a custom section of 3 MB', '', module(custom_section('x', "\0" x 3_000_000)), call => []);
try('a custom section without a name', '22P03', module(section(0, '')));
try('a custom section whose name is longer than it', '22P03', module(section(0, "\x7fabc")));
try('names that are nonsense', '', module(section(1, vector("\x60\0\0")), section(3, vector("\0")),
		section(7, vector(name('f') . "\0\0")), section(10, vector(body(''))), custom_section('name', "\xff" x 5000)),
	call => 'h_f()');
try('four billion names', '', module(section(1, vector("\x60\0\0")), section(3, vector("\0")),
		section(7, vector(name('f') . "\0\0")), section(10, vector(body(''))),
		custom_section('name', "\1" . name(uleb(2**32 - 1) . "\0" . name('x')))),
	call => 'h_f()');
try('a function whose name has 90,000 bytes and traps', '38000',
	module(section(1, vector("\x60\0\0")), section(3, vector("\0")),
		section(7, vector(name('f') . "\0\0")), section(10, vector(body("\0"))),
		custom_section('name', "\1" . name(uleb(1) . "\0" . name("\n%s" x 30_000)))),
	call => 'h_f()');
try('a section of debugging information that is nonsense', '38000',
	module(section(1, vector("\x60\0\0")), section(3, vector("\0")),
		section(7, vector(name('f') . "\0\0")), section(10, vector(body("\0"))),
		(map { custom_section(".debug_$_", noise(10_000, 3)) } qw(info abbrev line str ranges))),
	call => 'h_f()');

# --- what is switched off ---

for my $case (
	[ 'a shared memory', '(memory 1 1 shared)' ],
	[ 'atomic instructions', '(memory 1) (func (drop (i32.atomic.load (i32.const 0))))' ],
	[ 'a memory of 64-bit addresses', '(memory i64 1)' ],
	[ 'a table of 64-bit indexes', '(table i64 1 funcref)' ],
	[ 'two memories', '(memory 1) (memory 1)' ],
	[ 'structures', '(type (struct (field i32)))' ],
	[ 'arrays', '(type (array i32))' ],
	[ 'a reference of any kind', '(func (param anyref))' ],
	[ 'typed function references', '(type $t (func)) (func (param (ref $t)) (call_ref $t (local.get 0)))' ],
	[ 'exceptions', '(tag $e) (func (throw $e))' ],
	[ 'relaxed SIMD', '(func (param v128 v128) (result v128) (i8x16.relaxed_swizzle (local.get 0) (local.get 1)))' ],
	[ 'wide arithmetic', '(func (param i64 i64) (result i64 i64) (i64.mul_wide_s (local.get 0) (local.get 1)))' ],
	[ 'pages of one byte', '(memory 1 (pagesize 1))' ],
	[ 'continuations', '(type $f (func)) (type $c (cont $f))' ])
{
	try("a module with $case->[0]", '0A000', wat($case->[1]));
}
try('a component of 64-bit addresses', '0A000', '(component (core module (memory i64 1)))');
try('components in a component', '22P03', '(component ' x 100 . '(core instance (instantiate 1))' . ')' x 100);

is($client->ask('SELECT n FROM bystander'), '1', 'a table that has nothing to do with it is still there');
cmp_ok($tried, '>=', 40, 'there are 40 hostile modules at least');
figure('hostile.modules', $tried);
figure('hostile.memory_accesses', $access_count);
$client->close;

check_log($node);
$node->stop;
done_testing();
