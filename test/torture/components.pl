# Components made to do harm, and guests that lie about where their values are:
# each ends as it should, with its SQLSTATE or its result, and leaves the session in
# order.  Then a soak: a component is called very often, and fails very often, and
# the memory of the session stays as it is.
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

my $node = wasm_node('hostile_components', conf => "log_statement = none\nlog_min_error_statement = panic\n");
my $client = Client->new($node);
my $short = '200ms';
my $tried = 0;

$client->ask(good_functions());

# Tries a component.  Options: call => a function call or list of statements;
# others as try_hostile() has them.
sub try
{
	my ($title, $expected, $component, %options) = @_;
	my $call = $options{call} // 'h_f()';
	my @statements = ref $call ? @$call : ('SET LOCAL client_min_messages = warning',
		q{SELECT count(*) FROM wasm.create_functions('h', 'h_')}, "SELECT $call");

	try_hostile($node, \$client, $tried, $title, $expected, $component, \@statements, %options);
	$tried++;
}

# --- components ---

# An allocator that does what it should, below 64 kB from 4096 on
my $realloc = '
	(global $heap (mut i32) (i32.const 4096))
	(func $realloc (export "realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
		(local.set $at (i32.and (i32.sub (i32.add (global.get $heap) (local.get 2)) (i32.const 1)) (i32.sub (i32.const 0) (local.get 2))))
		(global.set $heap (i32.add (local.get $at) (local.get 3)))
		(local.get $at))';

# A component of one core module, whose functions are lifted as a type says.
sub guest
{
	my ($core, %lifts) = @_;
	my $options = '(memory (core memory $i "memory")) (realloc (core func $i "realloc"))';
	my $text = "(component (core module \$m $core) (core instance \$i (instantiate \$m))\n";

	for my $name (sort keys %lifts)
	{
		my ($type, $more) = ref $lifts{$name} ? @{ $lifts{$name} } : ($lifts{$name}, '');
		$text .= qq{(func (export "$name") $type (canon lift (core func \$i "$name") $options $more))\n};
	}
	return "$text)";
}

# A guest whose function "f" has a result of a type, and runs code for it; with
# declarations in front of the function.
sub liar
{
	my ($type, $code, $declarations) = @_;
	my $flat = $code =~ s/^(\w+): // ? $1 : 'i32';
	my $text = guest("(memory (export \"memory\") 1) $realloc (func (export \"f\") (result $flat) $code)", f => "(result $type)");

	$text =~ s/(?=\(func \(export "f"\) \(result \Q$type\E)/$declarations\n/ if $declarations;
	return $text;
}

# Code that writes words at an address and returns that.
sub words
{
	my ($at, @words) = @_;
	my $code = '';

	$code .= "(i32.store (i32.const $at) (i32.const $_))" and $at += 4 for @words;
	return "$code (i32.const " . ($at - 4 * @words) . ')';
}

# --- results that are not where they are said to be ---

try('a result behind the memory', '38000', liar('(list u8)', '(i32.const 65536)'));
try('a result that ends behind the memory', '38000', liar('(list u8)', '(i32.const 65532)'));
try('a result at the last address', '38000', liar('(list u8)', '(i32.const -1)'));
try('a result that is not aligned', '38000', liar('(list u8)', '(i32.const 18)'));
try('a result of 64 bits that is not aligned', '38000', liar('(tuple u8 u64)', '(i32.const 20)'));
try('a list behind the memory', '38000', liar('(list u8)', words(16, 65536, 1)));
try('an empty list at the end of the memory', '', liar('(list u8)', words(16, 65536, 0)), result => '\x');
try('an empty list behind the memory', '38000', liar('(list u8)', words(16, 65537, 0)));
try('a list that ends behind the memory', '38000', liar('(list u8)', words(16, 65000, 537)));
try('a list of 4 billion bytes', '38000', liar('(list u8)', words(16, 16, -1)));
try('a list whose end wraps', '38000', liar('(list u8)', words(16, -16, 32)));
try('a list whose length in bytes wraps', '38000', liar('(list u64)', words(16, 16, 0x20000001)));
try('a list of records whose length in bytes wraps', '38000', liar('(list (tuple u64 u64 string))', words(16, 16, 0x0aaaaaab)));
try('a list that is not aligned', '38000', liar('(list u32)', words(16, 18, 1)));
try('a list of strings that is not aligned', '38000', liar('(list string)', words(16, 18, 1)));
try('a string behind the memory', '38000', liar('string', words(16, 65530, 7)));
try('a string whose end wraps', '38000', liar('string', words(16, -1, 2)));
try('a string in a list behind the memory', '38000', liar('(list string)', words(16, 24, 1, 70000, 1)));
try('an optional string behind the memory', '38000', liar('(option string)', words(16, 1, 70000, 1)));
try('an error behind the memory', '38000', liar('(result u8 (error string))', words(16, 1, 70000, 1)));
try('a list in jsonb behind the memory', '38000', liar('(list (list u32))', words(16, 24, 2, 32, 0, 65536, 1)));
try('a list that contains itself', '', liar('(list (list u32))', words(16, 16, 1)), result => '[[16]]');
try('a result whose memory the guest has not', '22P03',
	'(component (core module $m (func (export "f") (result i32) (i32.const 0))) (core instance $i (instantiate $m))
		(func (export "f") (result string) (canon lift (core func $i "f"))))');

# --- values that their types do not have ---

try('a string that is not UTF-8', '22021', liar('string', '(i32.store8 (i32.const 64) (i32.const 255))' . words(16, 64, 1)));
try('a string cut within a character', '22021', liar('string', '(i32.store8 (i32.const 64) (i32.const 0xc3))' . words(16, 64, 1)));
try('a string with a surrogate', '22021', liar('string', '(i32.store (i32.const 64) (i32.const 0x80a0ed))' . words(16, 64, 3)));
try('a string with a zero', '22021', liar('string', words(16, 64, 1)));
try('an error that is not UTF-8', '22021', liar('(result (error string))', '(i32.store8 (i32.const 64) (i32.const 255))' . words(16, 1, 64, 1)));
try('a surrogate as a character', '38000', liar('char', '(i32.const 0xd800)'));
try('a character beyond the last', '38000', liar('char', '(i32.const 0x110000)'));
try('a character of 32 bits', '38000', liar('char', '(i32.const -1)'));
try('a character in memory', '38000', liar('(tuple u8 char)', words(16, 0, 0xdfff)));
try('a truth value of many bits', '', liar('bool', '(i32.const 0x40)'), result => 't');
try('a truth value of bits that are not its own', '', liar('(list bool)', '(i32.store (i32.const 64) (i32.const 0x40000200))' . words(16, 64, 4)),
	result => '{f,t,f,t}');
try('a byte of many bits', '', liar('u8', '(i32.const 300)'), result => '44');
try('a signed byte of many bits', '', liar('s8', '(i32.const 0x80)'), result => '-128');
try('a short of many bits', '', liar('s16', '(i32.const 0x18000)'), result => '-32768');
my $enum = '(type $t (enum "a" "b" "c")) (export $e "e" (type $t))';
try('a label that there is not', '38000', liar('$e', '(i32.const 3)', $enum));
try('a label below zero', '38000', liar('$e', '(i32.const -1)', $enum));
try('a label of many bits', '38000', liar('$e', '(i32.const 256)', $enum));
try('a label in a list', '38000', liar('(list $e)', '(i32.store (i32.const 64) (i32.const 0x03020100))' . words(16, 64, 4), $enum));
my $variant = '(type $t (variant (case "a") (case "b" u64) (case "c" string))) (export $e "e" (type $t))';
try('a case that there is not', '38000', liar('$e', words(16, 3, 0), $variant));
try('a case of a list in jsonb', '38000', liar('(list $e)', words(16, 24, 1, 255), $variant));
try('an option of a third kind', '38000', liar('(option u32)', words(16, 2)));
try('a result of a third kind', '38000', liar('(result)', '(i32.const 2)'));
try('a result of a third kind in memory', '38000', liar('(result u32)', words(16, 2)));
my $flags = '(type $t (flags "a" "b" "c")) (export $e "e" (type $t))';
try('flags without a name', '', liar('$e', '(i32.const -1)', $flags), result => '{a,b,c}');
try('flags without a name as a mask', '', liar('$e', '(i32.const -1)', $flags),
	call => [ q{CREATE FUNCTION f() RETURNS bigint LANGUAGE wasm AS 'h#f'}, 'SELECT f()' ], result => '7');
try('a signal that is no number', '', liar('f32', 'f32: (f32.reinterpret_i32 (i32.const 0x7fa00000))'), result => 'NaN');
try('an error with a state that is none', '38000',
	liar('(result (error $e))', "(i64.store (i32.const 64) (i64.const 0x3030303030))" . words(16, 1, 64, 5, 64, 5),
		'(type $t (record (field "sqlstate" string) (field "message" string))) (export $e "e" (type $t))'));

# --- values that are larger than what they are made of ---

# N pairs of an address and a length, from an address on
sub pairs
{
	my ($from, $count, $address, $length) = @_;

	return "(local \$i i32) (loop \$l
		(i32.store (i32.add (i32.const $from) (i32.mul (local.get \$i) (i32.const 8))) (i32.const $address))
		(i32.store (i32.add (i32.const " . ($from + 4) . ") (i32.mul (local.get \$i) (i32.const 8))) (i32.const $length))
		(local.set \$i (i32.add (local.get \$i) (i32.const 1)))
		(br_if \$l (i32.lt_u (local.get \$i) (i32.const $count))))";
}

# A guest with much memory.
sub large_liar
{
	my ($type, $code) = @_;

	return guest("(memory (export \"memory\") 900) $realloc (func (export \"f\") (result i32) $code)", f => "(result $type)");
}

my $fill = '(memory.fill (i32.const 1048576) (i32.const 97) (i32.const 33554432))';
try('a string of 32 MB', '', large_liar('string', "$fill " . words(16, 1048576, 33554432)), call => 'length(h_f())', result => '33554432');
try('a thousand strings that are the same 32 MB', '54000',
	large_liar('(list string)', pairs(64, 1000, 1048576, 33554432) . $fill . words(16, 64, 1000)));
try('a hundred thousand lists that are the same 8 MB', '54000',
	large_liar('(list (list u8))', pairs(64, 100_000, 1048576, 8388608) . words(16, 64, 100_000)));
try('the same as a set', '54000',
	large_liar('(list string)', pairs(64, 1000, 1048576, 33554432) . $fill . words(16, 64, 1000)),
	call => [ q{CREATE FUNCTION f() RETURNS SETOF text LANGUAGE wasm AS 'h#f'}, 'SELECT count(*) FROM f()' ]);
try('the same as jsonb', '54000',
	large_liar('(list string)', pairs(64, 1000, 1048576, 33554432) . $fill . words(16, 64, 1000)),
	call => [ q{CREATE FUNCTION f() RETURNS jsonb LANGUAGE wasm AS 'h#f'}, 'SELECT f()' ]);
try('lists in lists in lists that are the same', '54000',
	large_liar('(list (list (list u8)))', pairs(64, 100_000, 64, 100_000) . words(16, 64, 100_000)));
try('lists of lists in records that are the same', '54000',
	large_liar('(list (tuple (list (tuple (list u8)))))', pairs(64, 100_000, 64, 100_000) . words(16, 64, 100_000)));
try('56 million truth values', '', large_liar('(list bool)', words(16, 0, 56_000_000)), call => 'cardinality(h_f())', result => '56000000');
try('56 million truth values as jsonb', '54000', large_liar('(list bool)', words(16, 0, 56_000_000)),
	call => [ q{CREATE FUNCTION f() RETURNS jsonb LANGUAGE wasm AS 'h#f'}, 'SELECT f()' ]);
try('the same, when time is short', '57014', large_liar('(list bool)', words(16, 0, 56_000_000)), timeout => $short);
try('a list of records without fields', '22P03', liar('(list $e)', words(16, 0, -1), '(type $t (record)) (export $e "e" (type $t))'));

# --- allocators ---

my $echo = '(func (export "f") (param i32 i32) (result i32)
	(i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) (i32.const 16))';

# An allocator of such a body, and an echo of a type.
sub allocator
{
	my ($body, $type, %more) = @_;

	return guest(($more{memory} // '(memory (export "memory") 1)') . '(global $n (mut i32) (i32.const 4096))'
		  . "(func \$realloc (export \"realloc\") (param i32 i32 i32 i32) (result i32) $body)" . $echo . ($more{core} // ''),
		f => [ "(param \"v\" $type) (result $type)", $more{options} // '' ]);
}

try('an allocator that gives what is not there', '38000', allocator('(i32.const 65536)', 'string'), call => q{h_f('x')});
try('an allocator that gives what ends behind the memory', '38000', allocator('(i32.const 65535)', 'string'), call => q{h_f('xy')});
try('an allocator that gives the last address', '38000', allocator('(i32.const -1)', 'string'), call => q{h_f('x')});
try('an allocator that gives what is not aligned', '38000', allocator('(i32.const 4097)', '(list u64)'), call => q{h_f('{1}')});
try('an allocator that gives zero', '', allocator('(i32.const 0)', 'string'), call => q{h_f('xy')}, result => 'xy');
try('an allocator that always gives the same', '38000', allocator('(i32.const 64)', '(list string)'), call => q{h_f('{abcd,efgh,ijklmnop}')});
try('an allocator that traps', '38000', allocator('unreachable', 'string'), call => q{h_f('x')});
try('an allocator that traps for nothing', '38000', allocator('unreachable', 'string'), call => q{h_f('')});
try('an allocator that traps later', '38000',
	allocator('(global.set $n (i32.add (global.get $n) (i32.const 64)))
		(if (i32.gt_u (global.get $n) (i32.const 4400)) (then unreachable)) (global.get $n)', '(list string)'),
	call => q{h_f(array_fill('x'::text, ARRAY[100]))});
try('an allocator that does not end', '57014', allocator('(loop $l (br $l)) unreachable', 'string'), call => q{h_f('x')}, timeout => $short);
try('an allocator that calls itself', '54001', allocator('(call $realloc (local.get 0) (local.get 1) (local.get 2) (local.get 3))', 'string'),
	call => q{h_f('x')});
try('an allocator that grows the memory', '',
	allocator('(drop (memory.grow (i32.const 1))) (i32.mul (i32.sub (memory.size) (i32.const 1)) (i32.const 65536))', '(list string)'),
	call => q{h_f(array_fill('x'::text, ARRAY[100])) = array_fill('x'::text, ARRAY[100])}, result => 't');
try('an allocator that grows the memory beyond the limit', '38000',
	allocator('(if (i32.lt_s (memory.grow (i32.const 100)) (i32.const 0)) (then unreachable))
		(i32.mul (i32.sub (memory.size) (i32.const 1)) (i32.const 65536))', '(list string)'),
	call => q{h_f(array_fill('x'::text, ARRAY[100]))});
try('an argument larger than the memory may be', '54000',
	allocator('(drop (memory.grow (i32.shr_u (local.get 3) (i32.const 16)))) (i32.const 64)', 'string'),
	call => q{h_f(repeat('x', 100000000))});
try('an allocator with another type', '22P03',
	guest('(memory (export "memory") 1) (func (export "realloc") (param i32) (result i32) (i32.const 64))' . $echo, f => '(param "v" string) (result string)'));

# --- what is called after a result is read ---

try('what frees traps', '38000',
	allocator('(i32.const 64)', 'string', core => '(func (export "free") (param i32) unreachable)', options => '(post-return (core func $i "free"))'),
	call => q{h_f('x')});
try('what frees does not end', '57014',
	allocator('(i32.const 64)', 'string', core => '(func (export "free") (param i32) (loop $l (br $l)))',
		options => '(post-return (core func $i "free"))'),
	call => q{h_f('x')}, timeout => $short);
try('what frees overwrites the result', '',
	allocator('(i32.const 64)', 'string', core => '(func (export "free") (param i32) (memory.fill (i32.const 0) (i32.const 255) (i32.const 65536)))',
		options => '(post-return (core func $i "free"))'),
	call => q{h_f('hello')}, result => 'hello');
try('what frees has another type', '22P03',
	allocator('(i32.const 64)', 'string', core => '(func (export "free") (param i64))', options => '(post-return (core func $i "free"))'));
try('a string that was freed before', '',
	allocator('(i32.const 64)', 'string', core => '(func (export "free") (param i32) (memory.fill (i32.const 64) (i32.const 46) (i32.const 100)))',
		options => '(post-return (core func $i "free"))') =~ s/\(i32.store \(i32.const 16\) \(local.get 0\)\)/(memory.fill (i32.const 64) (i32.const 45) (local.get 1)) $&/r,
	call => q{h_f('hello') || h_f('hello')}, result => '----------');

# --- calls of the host ---

# A component with a function of the host, imported as "host".
sub calling
{
	my ($import, $lowered, $params, $core, %more) = @_;

	return qq{(component (import $import)
		(core module \$libc (memory (export "memory") 1) $realloc)
		(core instance \$libc (instantiate \$libc))
		(core func \$host (canon lower (func \$h "$lowered") (memory (core memory \$libc "memory")) (realloc (core func \$libc "realloc"))))
		(core module \$m (import "" "memory" (memory 1)) (import "" "host" (func \$host $params))
			(import "" "realloc" (func \$good (param i32 i32 i32 i32) (result i32))) $core)
		(core instance \$i (instantiate \$m (with "" (instance (export "memory" (memory \$libc "memory")) (export "host" (func \$host))
			(export "realloc" (func \$libc "realloc"))))))
		} . ($more{lift} // q{(func (export "f") (canon lift (core func $i "f")))}) . ')';
}

my $log = '"postgres:host/log@0.1.0" (instance $h (type $l (enum "debug" "log" "info" "notice" "warning")) (export "level" (type $level (eq $l)))
	(export "log" (func (param "level" $level) (param "message" string))))';
my $log_type = '(param i32 i32 i32)';
my $query = '"postgres:host/query@0.1.0" (instance $h (type $v (variant (case "null") (case "boolean" bool) (case "int" s64) (case "float" f64)
		(case "text" string) (case "bytes" (list u8)))) (export "value" (type $value (eq $v)))
	(export "query" (func (param "sql" string) (param "params" (list $value)) (result (list (list $value))))))';
my $query_type = '(param i32 i32 i32 i32 i32)';

for my $case (
	[ 'a message behind the memory', '(i32.const 0) (i32.const 65535) (i32.const 2)' ],
	[ 'a message of 4 billion bytes', '(i32.const 0) (i32.const 0) (i32.const -1)' ],
	[ 'a message whose end wraps', '(i32.const 0) (i32.const -1) (i32.const 2)' ],
	[ 'a level that there is not', '(i32.const 5) (i32.const 0) (i32.const 0)' ])
{
	try($case->[0], '38000', calling($log, 'log', $log_type, "(func (export \"f\") (call \$host $case->[1]))"));
}
try('a message that is not UTF-8', '22021',
	calling($log, 'log', $log_type, '(func (export "f") (i32.store8 (i32.const 0) (i32.const 255)) (call $host (i32.const 0) (i32.const 0) (i32.const 1)))'));
for my $case (
	[ 'a query behind the memory', '38000', '(i32.const 65535) (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 16)' ],
	[ 'parameters behind the memory', '38000', '(i32.const 0) (i32.const 8) (i32.const 65536) (i32.const 1) (i32.const 16)' ],
	[ '4 billion parameters', '38000', '(i32.const 0) (i32.const 8) (i32.const 64) (i32.const -1) (i32.const 16)' ],
	[ 'parameters that are not aligned', '38000', '(i32.const 0) (i32.const 8) (i32.const 68) (i32.const 1) (i32.const 16)' ],
	[ 'a parameter of a kind that there is not', '38000', '(i32.const 0) (i32.const 8) (i32.const 128) (i32.const 1) (i32.const 16)' ],
	[ 'rows behind the memory', '38000', '(i32.const 0) (i32.const 8) (i32.const 0) (i32.const 0) (i32.const 65532)' ],
	[ 'rows that are not aligned', '38000', '(i32.const 0) (i32.const 8) (i32.const 0) (i32.const 0) (i32.const 18)' ])
{
	try($case->[0], $case->[1], calling($query, 'query', $query_type, qq{(data (i32.const 0) "SELECT 1") (data (i32.const 128) "\\06")
		(func (export "f") (call \$host $case->[2]))}));
}
try('a query that calls the function that runs it', '54000',
	calling($query, 'query', $query_type, q{(data (i32.const 0) "SELECT h_f()")
		(func (export "f") (call $host (i32.const 0) (i32.const 12) (i32.const 0) (i32.const 0) (i32.const 16)))}));
try('a query in the allocator', '38000',
	calling($query, 'query', $query_type, q{(data (i32.const 0) "SELECT 1")
		(func (export "again") (param i32 i32 i32 i32) (result i32)
			(call $host (i32.const 0) (i32.const 8) (i32.const 0) (i32.const 0) (i32.const 16)) (i32.const 64))
		(func (export "f") (param i32 i32))},
		lift => q{(func (export "f") (param "v" string)
			(canon lift (core func $i "f") (memory (core memory $libc "memory")) (realloc (core func $i "again"))))}),
	call => q{h_f('x')});
try('a query in what frees', '38000',
	calling($query, 'query', $query_type, q{(data (i32.const 0) "SELECT 1")
		(func (export "free") (param i32) (call $host (i32.const 0) (i32.const 8) (i32.const 0) (i32.const 0) (i32.const 16)))
		(func (export "f") (result i32) (i32.const 64))},
		lift => q{(func (export "f") (result string)
			(canon lift (core func $i "f") (memory (core memory $libc "memory")) (post-return (core func $i "free"))))}));
try('a query in the start function', '38000',
	calling($query, 'query', $query_type, q{(data (i32.const 0) "SELECT 1/0") (start $s)
		(func $s (call $host (i32.const 0) (i32.const 10) (i32.const 0) (i32.const 0) (i32.const 16)) unreachable) (func (export "f"))}) =~ s/1\/0/1  /r);
my $cursor = '"postgres:host/query@0.1.0" (instance $h (export "cursor" (type $c (sub resource)))
	(type $v (variant (case "null") (case "boolean" bool) (case "int" s64) (case "float" f64) (case "text" string) (case "bytes" (list u8))))
	(export "value" (type $value (eq $v)))
	(export "open" (func (param "sql" string) (param "params" (list $value)) (result (own $c))))
	(export "[method]cursor.fetch" (func (param "self" (borrow $c)) (param "count" u32) (result (list (list $value))))))';
for my $handle (0, 1, 12345, -1)
{
	try("a cursor $handle that was not opened", '38000',
		calling($cursor, '[method]cursor.fetch', '(param i32 i32 i32)',
			"(func (export \"f\") (call \$host (i32.const $handle) (i32.const 1) (i32.const 16)))"));
}
for my $case ([ 'dropped twice', '(call $drop (local.get 0)) (call $drop (local.get 0))' ], [ 'not opened and dropped', '(call $drop (i32.const 77))' ])
{
	try("a cursor $case->[0]", '38000',
		calling($cursor, 'open', '(param i32 i32 i32 i32) (result i32)',
			qq{(import "" "drop" (func \$drop (param i32))) (data (i32.const 0) "SELECT 1")
			(func (export "f") (local i32)
				(local.set 0 (call \$host (i32.const 0) (i32.const 8) (i32.const 0) (i32.const 0))) $case->[1])})
		  =~ s/\(core module \$m/(alias export \$h "cursor" (type \$cursor)) (core func \$drop (canon resource.drop \$cursor)) $&/r
		  =~ s/\(export "host" \(func \$host\)\)/$& (export "drop" (func \$drop))/r);
}
try('a thousand cursors that stay open', '',
	calling($cursor, 'open', '(param i32 i32 i32 i32) (result i32)', q{(data (i32.const 0) "SELECT 1")
		(func (export "f") (local i32) (loop $l
			(drop (call $host (i32.const 0) (i32.const 8) (i32.const 0) (i32.const 0)))
			(local.set 0 (i32.add (local.get 0) (i32.const 1)))
			(br_if $l (i32.lt_u (local.get 0) (i32.const 1000)))))}));

# --- components in themselves ---

my $module = '(core module $m (memory (export "memory") 1) (func (export "f") (result i32) (i32.const 7)))';
my $plain = "$module (core instance \$i (instantiate \$m)) (func (export \"f\") (result u32) (canon lift (core func \$i \"f\")))";
try('components in a component, 50 deep', '', '(component ' x 50 . ')' x 49 . "$plain)", result => '7');
try('components in a component, 1,000 deep', '42601', '(component ' x 1000 . ')' x 1000);
try('components in a component, 100,000 deep', '42601', '(component ' x 100_000);
try('a component that is instantiated 200 times', '',
	"(component (component \$c $plain) " . join(' ', map { "(instance \$c$_ (instantiate \$c))" } 1 .. 200) . ' (export "f" (func $c200 "f")))', result => '7');
try('a component that is instantiated 2,000 times', '54000',
	"(component (component \$c $plain) " . join(' ', map { "(instance \$c$_ (instantiate \$c))" } 1 .. 2000) . ' (export "f" (func $c2000 "f")))');
{
	# each instantiates the one before it twice
	my $text = "(component \$c0 $plain)";
	for my $n (1 .. 10)
	{
		my $p = $n - 1;
		$text = qq{(component \$c$n $text (instance \$a (instantiate \$c$p)) (instance \$b (instantiate \$c$p)) (export "f" (func \$b "f")))};
	}
	try('a component of 2^10 instances', '54000', $text =~ s/component \$c10/component/r);
}
try('1,000 memories', '54000', "(component $module " . join(' ', map { "(core instance \$i$_ (instantiate \$m))" } 0 .. 1000)
	  . '(func (export "f") (result u32) (canon lift (core func $i0 "f"))))');
try('memories that are too large together', '54000',
	'(component (core module $m (memory 600) (func (export "f"))) (core instance $i (instantiate $m)) (core instance $j (instantiate $m))
		(func (export "f") (canon lift (core func $i "f"))))');
try('a memory of 4 GiB', '54000', guest('(memory (export "memory") 65536)' . $realloc . '(func (export "f"))', f => ''));
try('a table of a million', '54000',
	guest('(memory (export "memory") 1) (table 1000000 funcref)' . $realloc . '(func (export "f"))', f => ''));
try('a start function that traps', '38000', guest('(memory (export "memory") 1) (func $s unreachable) (start $s)' . $realloc . '(func (export "f"))', f => ''));
try('a start function that does not end', '57014',
	guest('(memory (export "memory") 1) (func $s (loop $l (br $l))) (start $s)' . $realloc . '(func (export "f"))', f => ''), timeout => $short);
try('recursion', '54001', guest('(memory (export "memory") 1)' . $realloc . '(func $f (export "f") (call $f))', f => ''));
try('a loop that spends its fuel', '54000', guest('(memory (export "memory") 1)' . $realloc . '(func (export "f") (loop $l (br $l)))', f => ''),
	set => [ 'wasm.fuel = 10000' ]);
try('a loop without end in a list of calls', '57014', guest('(memory (export "memory") 1)' . $realloc . '(func (export "f") (loop $l (br $l)))', f => ''),
	timeout => $short);
# Two components in one, the second of which calls the function "f" of the first.
sub composed
{
	my ($to, $type, $from) = @_;

	return qq{(component
		(component \$to $to)
		(component \$from (import "f" (func \$f $type)) $from)
		(instance \$to (instantiate \$to))
		(instance \$from (instantiate \$from (with "f" (func \$to "f"))))
		(export "f" (func \$from "g")))};
}

try('a trap of a component within', '38000',
	composed('(core module $m (func (export "f") unreachable)) (core instance $i (instantiate $m)) (func (export "f") (canon lift (core func $i "f")))', '',
		'(core func $f (canon lower (func $f))) (core module $m (import "" "f" (func $f)) (func (export "g") (call $f)))
		(core instance $i (instantiate $m (with "" (instance (export "f" (func $f)))))) (func (export "g") (canon lift (core func $i "g")))'));
{
	# a string passes from a component that has UTF-16 to one that has UTF-8
	my $between = sub {
		my ($address, $length) = @_;

		return composed(
			qq{(core module \$m (memory (export "memory") 1) $realloc (func (export "f") (param i32 i32) (result i32) (local.get 1)))
				(core instance \$i (instantiate \$m))
				(func (export "f") (param "v" string) (result u32)
					(canon lift (core func \$i "f") (memory (core memory \$i "memory")) (realloc (core func \$i "realloc"))))},
			'(param "v" string) (result u32)',
			qq{(core module \$libc (memory (export "memory") 1) (data (i32.const 0) "a\\00\\18\\dc"))
				(core instance \$libc (instantiate \$libc))
				(core func \$f (canon lower (func \$f) string-encoding=utf16 (memory (core memory \$libc "memory"))))
				(core module \$m (import "" "f" (func \$f (param i32 i32) (result i32)))
					(func (export "g") (result i32) (call \$f (i32.const $address) (i32.const $length))))
				(core instance \$i (instantiate \$m (with "" (instance (export "f" (func \$f))))))
				(func (export "g") (result u32) (canon lift (core func \$i "g")))});
	};
	try('a string between components', '', $between->(0, 1), result => '1');
	try('a half of a character between components', '38000', $between->(2, 1));
	try('a string between components behind the memory', '38000', $between->(65534, 2));
	try('a string between components that is not aligned', '38000', $between->(1, 1));
	try('a string of 4 billion units between components', '38000', $between->(0, -1));
}

# --- types ---

try('options 90 deep', '', liar('(option ' x 90 . 'u8' . ')' x 90, '(i32.const 16)'), call => 'h_f() IS NULL', result => 't');
try('lists 90 deep', '', liar('(list ' x 90 . 'u8' . ')' x 90, '(i32.const 16)'), result => '[]');
try('lists 1,000 deep', '42601', liar('(list ' x 1000 . 'u8' . ')' x 1000, '(i32.const 16)'));
try('lists 100,000 deep', '42601', liar('(list ' x 100_000 . 'u8' . ')' x 100_000, '(i32.const 16)'));
{
	# each has the one before it twice
	my $type = sub {
		my ($depth, $leaf, $word) = @_;

		return join ' ', "(type \$t0 $leaf)", map { my $p = $_ - 1; sprintf $word, $_, $p, $p } 1 .. $depth;
	};
	my $tuple = '(type $t%d (tuple $t%d $t%d))';
	my $echo_of = sub {
		my ($depth) = @_;

		return '(component ' . $type->($depth, 'u8', $tuple) . "(core module \$m (memory (export \"memory\") 1) $realloc
			(func (export \"f\") (param i32) (result i32) (local.get 0))) (core instance \$i (instantiate \$m))
			(func (export \"f\") (param \"v\" \$t$depth) (result \$t$depth)
				(canon lift (core func \$i \"f\") (memory (core memory \$i \"memory\")) (realloc (core func \$i \"realloc\")))))";
	};
	my $value = sub { my $text = '1'; $text = "[$text, $text]" for 1 .. $_[0]; $text };
	my $call = sub { [ q{CREATE FUNCTION f(jsonb) RETURNS jsonb LANGUAGE wasm AS 'h#f'}, "SELECT f('$_[0]') = '$_[0]'" ] };

	try('a type of 2^10 bytes', '', $echo_of->(10), call => $call->($value->(10)), result => 't');
	try('a type of 2^15 bytes', '', $echo_of->(15), call => $call->($value->(15)), result => 't');
	try('a type of 2^16 bytes', '54000', $echo_of->(16), call => $call->('[]'));
	try('a type of 2^19 bytes', '54000', $echo_of->(19));
	try('a type of 2^40 bytes', '54000', $echo_of->(40));
	try('a type of 2^900 bytes', '54000', $echo_of->(900));
}
try('100 parameters', '', guest("(memory (export \"memory\") 1) $realloc (func (export \"f\") (param i32) (result i32) (i32.load8_u offset=99 (local.get 0)))",
		f => join(' ', map { "(param \"p$_\" u8)" } 1 .. 100) . ' (result u8)'),
	call => 'h_f(' . join(', ', map { "$_\::smallint" } 1 .. 100) . ')', result => '100');
try('1,000 parameters', '42883', guest("(memory (export \"memory\") 1) $realloc (func (export \"f\") (param i32) (result i32) (i32.const 0))",
		f => join(' ', map { "(param \"p$_\" u8)" } 1 .. 1000) . ' (result u8)'));
try('a record of 1,000 fields', '', liar('$e', '(i32.const 16)', '(type $t (record ' . join(' ', map { "(field \"f$_\" u8)" } 1 .. 1000) . ')) (export $e "e" (type $t))'),
	call => '(h_f()).f1000', result => '0');
try('a record of 2,000 fields', '54011', liar('$e', '(i32.const 16)', '(type $t (record ' . join(' ', map { "(field \"f$_\" u8)" } 1 .. 2000) . ')) (export $e "e" (type $t))'));
try('an enumeration of 10,000 labels', '', liar('$e', '(i32.const 9999)', '(type $t (enum ' . join(' ', map { "\"l$_\"" } 1 .. 10_000) . ')) (export $e "e" (type $t))'),
	call => 'h_f()', result => 'l10000');
try('flags of 33 names', '22P03', liar('$e', '(i32.const 0)', '(type $t (flags ' . join(' ', map { "\"l$_\"" } 1 .. 33) . ')) (export $e "e" (type $t))'));
try('two labels that are the same', '22P03', liar('$e', '(i32.const 0)', '(type $t (enum "a" "a")) (export $e "e" (type $t))'));
try('a label longer than a name', '', liar('$e', '(i32.const 0)', '(type $t (enum "' . 'a' x 64 . '")) (export $e "e" (type $t))'));
try('a function with a name of 100 kB', '42883', guest("(memory (export \"memory\") 1) $realloc (func (export \"f\"))", f => '') =~ s/func \(export "f"\)\s+\(canon/func (export "@{['a' x 100_000]}") (canon/r);

# --- many exports ---

sub exports
{
	my ($count) = @_;

	return "(component $module (core instance \$i (instantiate \$m)) (func \$f (result u32) (canon lift (core func \$i \"f\")))"
	  . '(instance $x ' . join(' ', map { "(export \"f$_\" (func \$f))" } 1 .. $count) . ') (export "a:b/c" (instance $x)))';
}

try('10,000 exports', '', exports(10_000), call => [ q{SELECT count(declaration) FROM wasm.exports('h')} ], result => '10000', timeout => '20s');
try('1,000 functions', '', exports(1000), call => [ q{SELECT count(*) FROM wasm.create_functions('h', 'h_')}, 'SELECT h_f1000()' ], result => '7');

cmp_ok($tried, '>=', 30, 'there are 30 hostile components at least');
figure('components.hostile', $tried);

# --- the soak ---

$client->ask(q{CREATE FUNCTION echo(text) RETURNS text LANGUAGE wasm STRICT AS '} . guest("(memory (export \"memory\") 1) $realloc
		(func (export \"free\") (param i32) (global.set \$heap (i32.const 4096)))
		(func (export \"echo\") (param i32 i32) (result i32)
			(i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) (i32.const 16))",
		echo => [ '(param "v" string) (result string)', '(post-return (core func $i "free"))' ]) . q{'});
$client->ask(q{CREATE FUNCTION crash(text) RETURNS text LANGUAGE wasm STRICT AS '} . allocator('unreachable', 'string') =~ s/"f"/"crash"/gr . q{'});
$client->ask(q{CREATE FUNCTION refused(text) RETURNS text LANGUAGE wasm STRICT AS '} . allocator('(i32.const 64)', 'string') =~ s/"f"/"refused"/gr
	  =~ s/\(local.get 1\)\) \(i32.const 16\)/(i32.const -1)) (i32.const 16)/r . q{'});
$client->ask(q{CREATE FUNCTION fail(function text, times integer) RETURNS integer LANGUAGE plpgsql AS $$
	DECLARE
		failed integer := 0;
	BEGIN
		FOR i IN 1 .. times LOOP
			BEGIN
				EXECUTE format('SELECT %I(%L)', function, 'call ' || i);
			EXCEPTION WHEN external_routine_exception THEN
				failed := failed + 1;
			END;
		END LOOP;
		RETURN failed;
	END $$});

# Runs a query ten times, the first of which warms up; the memory stays.
sub stays_flat
{
	my ($title, $name, $query, $expected) = @_;
	my @memory;

	for my $round (1 .. 10)
	{
		my $found = $client->ask($query);
		is($found, $expected, "$title, round $round") or return;
		push @memory, memory_kb($client->pid);
	}
	my ($first, @later) = @memory;
	my ($most) = sort { $b <=> $a } @later;
	cmp_ok($most - $first, '<=', 512, "$title: memory stays") or diag("@memory");
	figure("components.$name.memory_growth", $most - $first, 'kB');
}

my $calls = amount(50_000, 1_000_000);
my $failures = amount(2000, 20_000);
stays_flat("$calls calls", 'calls',
	"SELECT count(*) FROM generate_series(1, $calls / 10) i WHERE echo('call ' || i) = 'call ' || i", $calls / 10);
stays_flat("$failures traps", 'traps', "SELECT fail('crash', $failures / 10)", $failures / 10);
stays_flat("$failures values that are none", 'refused', "SELECT fail('refused', $failures / 10)", $failures / 10);
figure('components.calls', $calls);
figure('components.failures', 2 * $failures);
$client->close;

check_log($node);
$node->stop;
done_testing();
