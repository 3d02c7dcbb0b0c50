# Random types of the component model, components that echo their values, and
# random values as SQL and as JSON.
#
# The canonical ABI (sizes, places, flat values) is written here once more, by its
# specification, to be compared with what the extension does.

package WitTypes;

use strict;
use warnings;
use Exporter 'import';
use List::Util qw(max);

our @EXPORT_OK = qw(random_type random_value component wit_text is_jsonb sql_literal row_literal json_literal);

# size (and alignment), flat type, and the instruction that stores it
my %scalars = (
	bool => [ 1, 'i32', 'i32.store8' ],
	s8 => [ 1, 'i32', 'i32.store8' ],
	u8 => [ 1, 'i32', 'i32.store8' ],
	s16 => [ 2, 'i32', 'i32.store16' ],
	u16 => [ 2, 'i32', 'i32.store16' ],
	s32 => [ 4, 'i32', 'i32.store' ],
	u32 => [ 4, 'i32', 'i32.store' ],
	s64 => [ 8, 'i64', 'i64.store' ],
	u64 => [ 8, 'i64', 'i64.store' ],
	f32 => [ 4, 'f32', 'f32.store' ],
	f64 => [ 8, 'f64', 'f64.store' ],
	char => [ 4, 'i32', 'i32.store' ]);
my @scalars = sort keys %scalars;
my @keys = ('string', 'string', grep { !/^f/ } @scalars);
my $flat_max = 16;
my $names = 0;

sub one_of
{
	return $_[ rand @_ ];
}

sub quote_name
{
	my ($name) = @_;

	return qq("$name");
}

# --- types ---
#
# A type is {kind, members}: a member has a name, where the kind has them, and a
# type, or none.

sub members
{
	my ($depth, $count, $optional) = @_;

	return map { { name => 'm-' . $names++, type => $optional && rand() < $optional ? undef : random_type($depth) } } 1 .. $count;
}

sub named
{
	my ($kind, @members) = @_;

	return { kind => $kind, name => "type-" . $names++, members => \@members };
}

sub labels
{
	my ($count) = @_;
	my $prefix = 'l-' . $names++ . '-x';

	return map { { name => "$prefix$_" } } 1 .. $count;
}

# A random type in which types are nested so deep at most.
sub random_type
{
	my ($depth) = @_;
	my $kind = $depth == 0 || rand() < 0.2 ? one_of(@scalars, 'string', 'string')
	  : one_of(qw(list list option option result tuple tuple record record variant variant enum flags map));
	my $below = $depth - 1;

	return { kind => $kind, members => [] } if $scalars{$kind} || $kind eq 'string';
	return { kind => $kind, members => [ members($below, 1) ] } if $kind eq 'list' || $kind eq 'option';
	return { kind => $kind, members => [ members($below, 2, 0.3) ] } if $kind eq 'result';
	return { kind => $kind, members => [ { type => { kind => one_of(@keys), members => [] } }, members($below, 1) ] } if $kind eq 'map';
	return { kind => $kind, members => [ members($below, one_of(1, 2, 2, 3, 5)) ] } if $kind eq 'tuple';
	return named($kind, members($below, one_of(1, 2, 3, 4, 9))) if $kind eq 'record';
	return named($kind, members($below, one_of(1, 2, 3, 5), 0.3)) if $kind eq 'variant';
	return named($kind, labels(one_of(1, 2, 3, 8, 256, 257))) if $kind eq 'enum';
	return named($kind, labels(one_of(1, 3, 8, 9, 16, 17, 31, 32)));
}

# Is it a pointer and a length?
sub is_in_memory
{
	return $_[0]{kind} =~ /^(string|list|map)$/;
}

sub element
{
	return $_[0]{members}[0]{type};
}

# As WIT writes it.
sub wit_text
{
	my ($type) = @_;
	my ($kind, @members) = ($type->{kind}, @{ $type->{members} });

	return $kind if $scalars{$kind} || $kind eq 'string';
	return $type->{name} if $type->{name};
	if ($kind eq 'result')
	{
		my ($ok, $err) = map { $_->{type} && wit_text($_->{type}) } @members;
		return $err ? "result<" . ($ok // '_') . ", $err>" : $ok ? "result<$ok>" : 'result';
	}
	return "$kind<" . join(', ', map { wit_text($_->{type}) } @members) . '>';
}

# --- the canonical ABI ---

sub cases
{
	my ($type) = @_;

	return ($type->{kind} eq 'option' ? undef : (), map { $_->{type} } @{ $type->{members} });
}

sub has_cases
{
	return $_[0]{kind} =~ /^(option|result|variant|enum)$/;
}

sub align
{
	my ($offset, $alignment) = @_;

	return int(($offset + $alignment - 1) / $alignment) * $alignment;
}

sub tag_size
{
	my @cases = cases($_[0]);

	return @cases <= 256 ? 1 : @cases <= 65536 ? 2 : 4;
}

sub alignment
{
	my ($type) = @_;
	my $kind = $type->{kind};

	return $scalars{$kind}[0] if $scalars{$kind};
	return 4 if is_in_memory($type);
	return size($type) if $kind eq 'flags';
	return max(has_cases($type) ? tag_size($type) : 1, map { alignment($_) } grep { $_ } map { $_->{type} } @{ $type->{members} });
}

sub payload
{
	my ($type) = @_;

	return align(tag_size($type), alignment($type));
}

sub size
{
	my ($type) = @_;
	my $kind = $type->{kind};
	my $size = 0;

	return $scalars{$kind}[0] if $scalars{$kind};
	return 8 if is_in_memory($type);
	return @{ $type->{members} } <= 8 ? 1 : @{ $type->{members} } <= 16 ? 2 : 4 if $kind eq 'flags';
	return align(payload($type) + max(0, map { size($_) } grep { $_ } cases($type)), alignment($type)) if has_cases($type);
	$size = align($size, alignment($_->{type})) + size($_->{type}) for @{ $type->{members} };
	return align($size, alignment($type));
}

# Flat types of the values of cases become one list.
sub joined
{
	my (@lists) = @_;
	my @all;

	for my $list (@lists)
	{
		for my $i (0 .. $#$list)
		{
			my ($a, $b) = ($all[$i] // $list->[$i], $list->[$i]);
			$all[$i] = $a eq $b ? $a : "$a$b" =~ /^(i32f32|f32i32)$/ ? 'i32' : 'i64';
		}
	}
	return @all;
}

sub flat
{
	my ($type) = @_;
	my $kind = $type->{kind};

	return $scalars{$kind}[1] if $scalars{$kind};
	return ('i32', 'i32') if is_in_memory($type);
	return 'i32' if $kind eq 'flags';
	return ('i32', joined(map { [ flat($_) ] } grep { $_ } cases($type))) if has_cases($type);
	return map { flat($_->{type}) } @{ $type->{members} };
}

sub flat_count
{
	my @flat = flat($_[0]);

	return scalar @flat;
}

# --- components ---

# A flat parameter as a value of another flat type that shares its place.
sub parameter
{
	my ($params, $at, $want) = @_;
	my $value = "(local.get $at)";
	my $have = $params->[$at];

	return $value if $have eq $want;
	return "(f32.reinterpret_i32 $value)" if $have eq 'i32';
	return "(f64.reinterpret_i64 $value)" if $want eq 'f64';
	return $want eq 'i32' ? "(i32.wrap_i64 $value)" : "(f32.reinterpret_i32 (i32.wrap_i64 $value))";
}

sub store
{
	my ($instruction, $address, $value) = @_;

	return "($instruction (i32.const $address) $value)\n";
}

# Code that stores a value, which is in parameters from $at on, at an address.
sub store_value
{
	my ($type, $params, $at, $address) = @_;
	my $kind = $type->{kind};
	my $code = '';

	return store($scalars{$kind}[2], $address, parameter($params, $at, $scalars{$kind}[1])) if $scalars{$kind};
	if (is_in_memory($type))
	{
		return store('i32.store', $address, parameter($params, $at, 'i32'))
		  . store('i32.store', $address + 4, parameter($params, $at + 1, 'i32'));
	}
	if ($kind eq 'flags' || has_cases($type))
	{
		my $tag = parameter($params, $at, 'i32');
		my $bytes = $kind eq 'flags' ? size($type) : tag_size($type);
		my @cases = $kind eq 'flags' ? () : cases($type);

		$code = store({ 1 => 'i32.store8', 2 => 'i32.store16', 4 => 'i32.store' }->{$bytes}, $address, $tag);
		for my $i (grep { $cases[$_] } 0 .. $#cases)
		{
			$code .= "(if (i32.eq $tag (i32.const $i)) (then\n"
			  . store_value($cases[$i], $params, $at + 1, $address + payload($type)) . "))\n";
		}
		return $code;
	}
	my $offset = 0;
	for my $member (map { $_->{type} } @{ $type->{members} })
	{
		$offset = align($offset, alignment($member));
		$code .= store_value($member, $params, $at, $address + $offset);
		$offset += size($member);
		$at += flat_count($member);
	}
	return $code;
}

# A function of the core module that returns its argument.
sub core_function
{
	my ($name, $type) = @_;
	my @params = flat($type);

	# in memory already, or a single value
	return qq{(func (export "$name") (param i32) (result i32) (local.get 0))\n} if @params > $flat_max;
	return qq{(func (export "$name") (param $params[0]) (result $params[0]) (local.get 0))\n} if @params == 1;
	return qq{(func (export "$name") (param @params) (result i32)\n} . store_value($type, \@params, 0, 16) . "(i32.const 16))\n";
}

# The type as the text of components refers to it; adds declarations.
sub reference
{
	my ($type, $declarations) = @_;
	my ($kind, @members) = ($type->{kind}, @{ $type->{members} });
	my @types = map { $_->{type} && reference($_->{type}, $declarations) } @members;
	my $text;

	return $kind if $scalars{$kind} || $kind eq 'string';
	return "($kind @types)" if $kind =~ /^(list|option|tuple|map)$/;
	return '(result ' . join(' ', $types[0] // '', $types[1] ? "(error $types[1])" : '') . ')' if $kind eq 'result';
	if ($kind eq 'enum' || $kind eq 'flags') { $text = join ' ', map { quote_name($_->{name}) } @members }
	else
	{
		my $word = $kind eq 'record' ? 'field' : 'case';
		$text = join ' ', map { "($word " . quote_name($members[$_]{name}) . ' ' . ($types[$_] // '') . ')' } 0 .. $#members;
	}
	push @$declarations, "(type \$$type->{name}-declared ($kind $text))",
	  "(export \$$type->{name} \"$type->{name}\" (type \$$type->{name}-declared))";
	return "\$$type->{name}";
}

# The text of a component with a function for each type, which returns its argument.
sub component
{
	my (%types) = @_;
	my (@core, @lifted, @declarations);

	for my $name (sort keys %types)
	{
		my $reference = reference($types{$name}, \@declarations);
		my $post = flat_count($types{$name}) > 1 ? '(post-return (core func $i "free"))' : '';

		push @core, core_function($name, $types{$name});
		push @lifted, qq{(func (export "$name") (param "v" $reference) (result $reference)
	(canon lift (core func \$i "$name") (memory (core memory \$i "memory")) (realloc (core func \$i "realloc")) $post))};
	}
	return join "\n", '(component (core module $m
	(memory (export "memory") 1)
	(global $heap (mut i32) (i32.const 4096))
	(func (export "realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
		(local $at i32) (local $missing i32)
		(local.set $at (i32.and (i32.sub (i32.add (global.get $heap) (local.get $align)) (i32.const 1))
			(i32.sub (i32.const 0) (local.get $align))))
		(global.set $heap (i32.add (local.get $at) (local.get $size)))
		(local.set $missing (i32.sub (i32.shr_u (i32.add (global.get $heap) (i32.const 65535)) (i32.const 16)) (memory.size)))
		(if (i32.gt_s (local.get $missing) (i32.const 0))
			(then (if (i32.lt_s (memory.grow (local.get $missing)) (i32.const 0)) (then unreachable))))
		;; what was there before is not zero
		(memory.fill (local.get $at) (i32.const 0xa5) (local.get $size))
		(local.get $at))
	(func (export "free") (param i32)
		(memory.fill (i32.const 0) (i32.const 0x5a) (i32.const 4096))
		(global.set $heap (i32.const 4096)))',
	  @core, ')', '(core instance $i (instantiate $m))', @declarations, @lifted, ')';
}

# --- values ---
#
# Numbers are text, as SQL writes them; characters and strings are text; a list, a
# record and a tuple are arrays, a map is one of pairs; an option is an array of none or one; a result, a
# variant and an enum are [number of the case, value]; flags are an array of names.

my %boundaries = (
	bool => [ 0, 1 ],
	s8 => [ -128, -1, 0, 127 ],
	u8 => [ 0, 127, 128, 255 ],
	s16 => [ -32768, -1, 0, 32767 ],
	u16 => [ 0, 32768, 65535 ],
	s32 => [ -2147483648, -1, 0, 2147483647 ],
	u32 => [ 0, 2147483648, 4294967295 ],
	s64 => [ '-9223372036854775808', -1, 0, '9223372036854775807' ],
	u64 => [ 0, '9223372036854775808', '18446744073709551615' ],
	f32 => [ qw(NaN Infinity -Infinity 0 -0 1e-45 3.4028235e+38 -0.1 16777216) ],
	f64 => [ qw(NaN Infinity -Infinity 0 -0 5e-324 1.7976931348623157e+308 0.1 -1e-05) ],
	char => [ 'a', '"', '\\', ' ', "\x{1}", "\n", "\x{7f}", "\x{80}", "\x{d7ff}", "\x{e000}", "\x{ffff}", "\x{10000}", "\x{10ffff}" ],
	string => [ '', ' ', '"', '\\', '\\"{},()', 'NULL', "\n\t\x{1}", "\x{10d}au \x{1f418}", 'x' x 10000, "\x{10ffff}" x 100 ]);

# The shortest text that denotes a random float of that format of pack(), and is not
# halfway between two of them.
sub random_float
{
	my ($format, $most, @digits) = @_;
	my $value = unpack $format, pack $format, (rand() - 0.5) * 10**int(rand($most + 15) - 15);

	for my $digits (@digits)
	{
		my $text = sprintf "%.${digits}g", $value;
		return $text if unpack($format, pack $format, $text) == $value;
	}
	die "no text denotes $value";
}

sub random_character
{
	my $code = int rand one_of(0x80, 0x800, 0x10000, 0x110000);

	return $code == 0 || ($code >= 0xd800 && $code < 0xe000) ? 'q' : chr $code;
}

sub random_scalar
{
	my ($kind) = @_;

	return one_of(@{ $boundaries{$kind} }) if $kind eq 'bool' || rand() < 0.4;
	return random_float('f', 7, 6 .. 9) if $kind eq 'f32';
	return random_float('d', 15, 15 .. 17) if $kind eq 'f64';
	return random_character() if $kind eq 'char';
	return join '', map { random_character() } 1 .. rand 20 if $kind eq 'string';
	my ($sign, $bits) = $kind =~ /^([su])(\d+)$/;
	my $number = int rand 2**($bits > 52 ? 52 : $bits - 1);
	return $sign eq 's' && rand() < 0.5 ? -$number : $number;
}

sub random_value
{
	my ($type) = @_;
	my ($kind, @members) = ($type->{kind}, @{ $type->{members} });

	return random_scalar($kind) if $boundaries{$kind};
	return [ map { random_value(element($type)) } 1 .. one_of(0, 1, 2, 3, 7) ] if $kind eq 'list';
	return rand() < 0.3 ? [] : [ random_value(element($type)) ] if $kind eq 'option';
	return [ map { random_value($_->{type}) } @members ] if $kind eq 'tuple' || $kind eq 'record';
	if ($kind eq 'map')
	{
		my %keys = map { $_ => 1 } map { random_value($members[0]{type}) } 1 .. one_of(0, 1, 2, 5);
		return [ map { [ $_, random_value($members[1]{type}) ] } sort keys %keys ];
	}
	if ($kind eq 'flags')
	{
		my $share = one_of(0, 0.5, 1);
		return [ map { $_->{name} } grep { rand() < $share } @members ];
	}
	my $case = int rand @members;
	return [ $case, $members[$case]{type} && random_value($members[$case]{type}) ];
}

# --- as JSON ---

sub json_string
{
	my ($text) = @_;

	$text =~ s/(["\\])/\\$1/g;
	$text =~ s/([\x00-\x1f])/sprintf '\\u%04x', ord $1/ge;
	return qq("$text");
}

sub json_case
{
	my ($name, $type, $value) = @_;

	return '{' . json_string($name) . ': ' . ($type ? json_literal($type, $value) : 'null') . '}';
}

sub json_literal
{
	my ($type, $value) = @_;
	my ($kind, @members) = ($type->{kind}, @{ $type->{members} });

	return $value ? 'true' : 'false' if $kind eq 'bool';
	return json_string($value) if $kind eq 'char' || $kind eq 'string';
	if ($scalars{$kind})
	{
		# numbers of JSON have no negative zero
		return $value =~ /[NI]/ ? qq("$value") : $value eq '-0' ? '0' : $value;
	}
	return '[' . join(', ', map { json_literal(element($type), $_) } @$value) . ']' if $kind eq 'list';
	return '[' . join(', ', map { json_string($_) } @$value) . ']' if $kind eq 'flags';
	return '[' . join(', ', map { json_literal($members[$_]{type}, $value->[$_]) } 0 .. $#members) . ']' if $kind eq 'tuple';
	if ($kind eq 'map')
	{
		my @pairs = map { [ json_literal($members[0]{type}, $_->[0]), json_literal($members[1]{type}, $_->[1]) ] } @$value;
		return '{' . join(', ', map { "$_->[0]: $_->[1]" } @pairs) . '}' if $members[0]{type}{kind} eq 'string';
		return '[' . join(', ', map { "[$_->[0], $_->[1]]" } @pairs) . ']';
	}
	if ($kind eq 'record')
	{
		return '{' . join(', ', map { json_string($members[$_]{name}) . ': ' . json_literal($members[$_]{type}, $value->[$_]) } 0 .. $#members) . '}';
	}
	if ($kind eq 'option')
	{
		return 'null' unless @$value;
		my $some = json_literal(element($type), $value->[0]);
		return element($type)->{kind} eq 'option' ? qq({"some": $some}) : $some;
	}
	my ($case, $content) = @$value;
	my $member = $members[$case];
	return json_case($case == 0 ? 'ok' : 'err', $member->{type}, $content) if $kind eq 'result';
	return $member->{type} ? json_case($member->{name}, $member->{type}, $content) : json_string($member->{name});
}

# --- as SQL ---

# Does the type have the SQL type jsonb by default?
sub is_jsonb
{
	my ($type) = @_;
	my $kind = $type->{kind};

	return 1 if $kind eq 'result' || $kind eq 'variant' || $kind eq 'map';
	return element($type)->{kind} eq 'option' || is_jsonb(element($type)) if $kind eq 'option';
	if ($kind eq 'list')
	{
		my $element = element($type);
		return 0 if $element->{kind} eq 'u8';
		$element = element($element) if $element->{kind} eq 'option';
		return 1 if $element->{kind} eq 'flags' || $element->{kind} eq 'option';
		return 1 if $element->{kind} eq 'list' && element($element)->{kind} ne 'u8';
		return is_jsonb($element);
	}
	# a tuple whose name would be too long
	return length(wit_text($type) =~ s/>//gr =~ s/[^a-z0-9]+/_/gr) > 63 if $kind eq 'tuple';
	return 0;
}

sub array
{
	my ($type, @values) = @_;

	return '{' . join(',', map { defined $_ ? '"' . s/(["\\])/\\$1/gr . '"' : 'NULL' } map { sql_literal($type, $_) } @values) . '}';
}

# The text of a row for a record or a tuple.
sub row_literal
{
	my ($type, $values) = @_;
	my @members = @{ $type->{members} };
	my @fields = map { sql_literal($members[$_]{type}, $values->[$_]) } 0 .. $#members;

	return '(' . join(',', map { defined $_ ? '"' . s/(["\\])/$1$1/gr . '"' : '' } @fields) . ')';
}

# The text of a value of the default SQL type; undef for NULL.
sub sql_literal
{
	my ($type, $value) = @_;
	my ($kind, @members) = ($type->{kind}, @{ $type->{members} });

	return @$value ? is_jsonb($type) ? json_literal($type, $value) : sql_literal(element($type), $value->[0]) : undef
	  if $kind eq 'option';
	return json_literal($type, $value) if is_jsonb($type);
	return $value ? 't' : 'f' if $kind eq 'bool';
	return $value if $boundaries{$kind};
	return $members[ $value->[0] ]{name} if $kind eq 'enum';
	return '{' . join(',', @$value) . '}' if $kind eq 'flags';
	return row_literal($type, $value) if $kind eq 'tuple' || $kind eq 'record';
	return '\x' . join '', map { sprintf '%02x', $_ } @$value if element($type)->{kind} eq 'u8';
	return array(element($type), @$value);
}

1;
