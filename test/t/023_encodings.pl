# Text of guests in databases that are not UTF-8: whatever has text in it is converted
# both ways, what the database's encoding does not have is 22P05, and errors and
# messages show it as "?".

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use WasmTest;

# Texts and their characters are in UTF-8 here, as in the guest.
my @encodings = (
	{
		name => 'LATIN1', has => 'Größe', octets => 5, character => 'ß', code => 223,
		lacks => 'ö日ß', shown => 'ö?ß', lacked_code => 0x65e5
	},
	{
		name => 'EUC_JP', has => '日本ｱß', octets => 2 + 2 + 2 + 3, character => '本', code => 0x672c,
		lacks => '日🐘本', shown => '日?本', lacked_code => 0x1f418
	},
	{
		name => 'SQL_ASCII', has => '日本ß🐘', octets => 3 + 3 + 2 + 4, character => '🐘', code => 0x1f418
	});

# of-...: bytes in UTF-8 become text in some position of a result, an error among them.
# to-...: the text in some position of an argument becomes such bytes.
my $core = q{
	(memory (export "memory") 1)
	(data (i32.const 0) "22012")
	(global $heap (mut i32) (i32.const 1024))
	(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
		(local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
		(global.set $heap (i32.add (local.get $at) (local.get 3)))
		(local.get $at))
	(func (export "free") (param i32) (global.set $heap (i32.const 1024)))
	(func $pair (param $at i32) (param i32 i32)
		(i32.store (local.get $at) (local.get 1)) (i32.store offset=4 (local.get $at) (local.get 2)))
	(func (export "same") (param i32) (result i32) (local.get 0))
	(func (export "string") (param i32 i32) (result i32)
		(call $pair (i32.const 16) (local.get 0) (local.get 1)) (i32.const 16))
	(func (export "list") (param i32 i32) (result i32)
		(call $pair (i32.const 16) (local.get 0) (local.get 1)) (call $pair (i32.const 24) (local.get 0) (local.get 1))
		(call $pair (i32.const 32) (i32.const 16) (i32.const 2)) (i32.const 32))
	(func (export "nested") (param i32 i32) (result i32)
		(call $pair (i32.const 16) (local.get 0) (local.get 1)) (call $pair (i32.const 24) (i32.const 16) (i32.const 1))
		(call $pair (i32.const 32) (i32.const 24) (i32.const 1)) (i32.const 32))
	(func (export "strings") (param i32 i32) (result i32)
		(call $pair (i32.const 16) (local.get 0) (local.get 1)) (call $pair (i32.const 24) (local.get 0) (local.get 1)) (i32.const 16))
	(func (export "note") (param i32 i32) (result i32)
		(call $pair (i32.const 16) (local.get 0) (local.get 1)) (i32.store (i32.const 24) (i32.const 1))
		(call $pair (i32.const 28) (local.get 0) (local.get 1)) (i32.const 16))
	(func (export "case") (param i32 i32) (result i32)
		(i32.store (i32.const 16) (i32.const 1)) (call $pair (i32.const 20) (local.get 0) (local.get 1)) (i32.const 16))
	(func (export "problem") (param i32 i32) (result i32)
		(i32.store (i32.const 16) (i32.const 1)) (i32.store (i32.const 20) (i32.const 1))
		(call $pair (i32.const 24) (local.get 0) (local.get 1)) (i32.const 16))
	(func (export "failure") (param i32 i32) (result i32)
		(i32.store (i32.const 16) (i32.const 1)) (call $pair (i32.const 20) (i32.const 0) (i32.const 5))
		(call $pair (i32.const 28) (local.get 0) (local.get 1))
		(i32.store (i32.const 36) (i32.const 1)) (call $pair (i32.const 40) (local.get 0) (local.get 1))
		(i32.store (i32.const 48) (i32.const 1)) (call $pair (i32.const 52) (local.get 0) (local.get 1)) (i32.const 16))
	(func (export "first") (param i32 i32) (result i32) (local.get 0))
	(func (export "first-of-first") (param i32 i32) (result i32) (i32.load (local.get 0)))
	(func (export "remark") (param i32 i32 i32 i32 i32) (result i32)
		(call $pair (i32.const 16) (local.get 3) (local.get 4)) (i32.const 16))
	(func (export "payload") (param i32 i32 i32) (result i32)
		(call $pair (i32.const 16) (local.get 1) (local.get 2)) (i32.const 16))};

# Calls of the host; ask-first gives the text of the first value of a query.
my $calls = q{
	(import "libc" "memory" (memory 1))
	(import "host" "log" (func $log (param i32 i32 i32)))
	(import "host" "query" (func $query (param i32 i32 i32 i32 i32)))
	(import "host" "try-query" (func $try_query (param i32 i32 i32 i32 i32)))
	(import "host" "setting" (func $setting (param i32 i32 i32)))
	(import "host" "environment" (func $environment (param i32)))
	(func (export "say") (param i32 i32) (call $log (i32.const 3) (local.get 0) (local.get 1)))
	(func $parameter (param i32 i32)
		(i32.store8 (i32.const 64) (i32.const 4)) (i32.store (i32.const 72) (local.get 0)) (i32.store (i32.const 76) (local.get 1)))
	(func (export "ask") (param i32 i32 i32 i32) (result i32)
		(call $parameter (local.get 2) (local.get 3))
		(call $query (local.get 0) (local.get 1) (i32.const 64) (i32.const 1) (i32.const 16)) (i32.const 16))
	(func (export "ask-first") (param i32 i32 i32 i32) (result i32)
		(call $parameter (local.get 2) (local.get 3))
		(call $query (local.get 0) (local.get 1) (i32.const 64) (i32.const 1) (i32.const 16))
		(i32.add (i32.load (i32.load (i32.const 16))) (i32.const 8)))
	(func (export "try-ask") (param i32 i32 i32 i32) (result i32)
		(call $parameter (local.get 2) (local.get 3))
		(call $try_query (local.get 0) (local.get 1) (i32.const 64) (i32.const 1) (i32.const 16)) (i32.const 16))
	(func (export "setting") (param i32 i32) (result i32)
		(call $setting (local.get 0) (local.get 1) (i32.const 16)) (i32.const 16))
	(func (export "variables") (result i32) (call $environment (i32.const 16)) (i32.const 16))};

# Names, parameters, results, and core functions with as many parameters
my @lifts = (
	[ 'of-string', '(param "v" (list u8)) (result string)', 'string' ],
	[ 'of-char', '(param "v" u32) (result char)', 'same' ],
	[ 'of-list', '(param "v" (list u8)) (result (list string))', 'list' ],
	[ 'of-nested', '(param "v" (list u8)) (result (list (list string)))', 'nested' ],
	[ 'of-note', '(param "v" (list u8)) (result $note)', 'note' ],
	[ 'of-case', '(param "v" (list u8)) (result $case)', 'case' ],
	[ 'of-error', '(param "v" (list u8)) (result (result u32 (error string)))', 'case' ],
	[ 'of-problem', '(param "v" (list u8)) (result (result (error $case)))', 'problem' ],
	[ 'of-failure', '(param "v" (list u8)) (result (result (error $failure)))', 'failure' ],
	[ 'to-string', '(param "v" string) (result (list u8))', 'string' ],
	[ 'to-char', '(param "v" char) (result u32)', 'same' ],
	[ 'to-list', '(param "v" (list string)) (result (list u8))', 'first' ],
	[ 'to-nested', '(param "v" (list (list string))) (result (list u8))', 'first-of-first' ],
	[ 'to-note', '(param "v" $note) (result (list u8))', 'remark' ],
	[ 'to-case', '(param "v" $case) (result (list u8))', 'payload' ],
	[ 'colour', '(param "v" $colour) (result $colour)', 'same' ],
	[ 'access', '(param "v" $access) (result $access)', 'same' ]);
my @host_lifts = (
	[ 'say', '(param "v" (list u8))', 'say' ],
	[ 'ask', '(param "sql" (list u8)) (param "v" (list u8)) (result (list (list $value)))', 'ask' ],
	[ 'ask-first', '(param "sql" (list u8)) (param "v" (list u8)) (result (list u8))', 'ask-first' ],
	[ 'try-ask', '(param "sql" (list u8)) (param "v" (list u8)) (result (result (list (list $value)) (error $sql-error)))', 'try-ask' ],
	[ 'setting', '(param "v" (list u8)) (result (option string))', 'setting' ],
	[ 'variables', '(result (list (tuple string string)))', 'variables' ]);

sub lifted
{
	my ($instance, @lifts) = @_;

	return join "\n", map {
		my ($name, $type, $function) = @$_;
		my $free = $type =~ /string|list|\$note|\$case|\$value/ && $type =~ /result/ && $function ne 'same' ? '(post-return $free)' : '';

		qq{(func (export "$name") $type (canon lift (core func $instance "$function") (memory \$memory) (realloc \$realloc) $free))}
	} @lifts;
}

my $component = qq{(component
	(import "postgres:host/log\@0.1.0" (instance \$log (type \$l (enum "debug" "log" "info" "notice" "warning"))
		(export "level" (type \$level (eq \$l))) (export "log" (func (param "level" \$level) (param "message" string)))))
	(import "postgres:host/query\@0.1.0" (instance \$query
		(type \$v (variant (case "null") (case "boolean" bool) (case "int" s64) (case "float" float64) (case "text" string) (case "bytes" (list u8))))
		(export "value" (type \$value (eq \$v)))
		(type \$e (record (field "sqlstate" string) (field "message" string) (field "detail" (option string)) (field "hint" (option string))))
		(export "sql-error" (type \$sql-error (eq \$e)))
		(export "query" (func (param "sql" string) (param "params" (list \$value)) (result (list (list \$value)))))
		(export "try-query" (func (param "sql" string) (param "params" (list \$value))
			(result (result (list (list \$value)) (error \$sql-error)))))))
	(import "postgres:host/session\@0.1.0" (instance \$session (export "setting" (func (param "name" string) (result (option string))))))
	(import "wasi:cli/environment\@0.2.0" (instance \$wasi (export "get-environment" (func (result (list (tuple string string)))))))
	(alias export \$query "value" (type \$value))
	(alias export \$query "sql-error" (type \$sql-error))
	(core module \$core $core)
	(core instance \$libc (instantiate \$core))
	(alias core export \$libc "memory" (core memory \$memory))
	(alias core export \$libc "cabi_realloc" (core func \$realloc))
	(alias core export \$libc "free" (core func \$free))
	(core func \$log (canon lower (func \$log "log") (memory \$memory) (realloc \$realloc)))
	(core func \$query (canon lower (func \$query "query") (memory \$memory) (realloc \$realloc)))
	(core func \$try-query (canon lower (func \$query "try-query") (memory \$memory) (realloc \$realloc)))
	(core func \$setting (canon lower (func \$session "setting") (memory \$memory) (realloc \$realloc)))
	(core func \$environment (canon lower (func \$wasi "get-environment") (memory \$memory) (realloc \$realloc)))
	(core module \$calls $calls)
	(core instance \$calls (instantiate \$calls (with "libc" (instance \$libc)) (with "host" (instance (export "log" (func \$log))
		(export "query" (func \$query)) (export "try-query" (func \$try-query)) (export "setting" (func \$setting))
		(export "environment" (func \$environment))))))
	(type \$note_type (record (field "title" string) (field "remark" (option string)))) (export \$note "note" (type \$note_type))
	(type \$case_type (variant (case "none") (case "text" string))) (export \$case "a-case" (type \$case_type))
	(type \$failure_type (record (field "sqlstate" string) (field "message" string) (field "detail" (option string))
		(field "hint" (option string)))) (export \$failure "failure" (type \$failure_type))
	(type \$colour_type (enum "red" "blue")) (export \$colour "a-colour" (type \$colour_type))
	(type \$access_type (flags "read" "write")) (export \$access "an-access" (type \$access_type))
	} . lifted('$libc', @lifts) . lifted('$calls', @host_lifts) . ')';

my $functions = qq{
	CREATE FUNCTION guest() RETURNS wasm.module LANGUAGE wasm AS '$component';
	SELECT wasm.create_functions('guest');
	CREATE FUNCTION tried(bytea, bytea, OUT ok jsonb, OUT err jsonb) LANGUAGE wasm AS 'guest#try-ask';
	CREATE FUNCTION outcome(bytea, OUT ok bigint, OUT err text) LANGUAGE wasm AS 'guest#of-error';
	CREATE FUNCTION of_json(bytea) RETURNS jsonb LANGUAGE wasm AS 'guest#of-string';
	CREATE FUNCTION note_of_json(bytea) RETURNS jsonb LANGUAGE wasm AS 'guest#of-note';
	CREATE FUNCTION to_note(jsonb) RETURNS bytea LANGUAGE wasm AS 'guest#to-note';
	CREATE FUNCTION set_of(bytea) RETURNS SETOF text LANGUAGE wasm AS 'guest#of-list';
	CREATE FUNCTION colour(text) RETURNS text LANGUAGE wasm AS 'guest#colour';
	CREATE FUNCTION colour(jsonb) RETURNS text LANGUAGE wasm AS 'guest#colour';
	CREATE TYPE two AS (a text, b text);
	CREATE FUNCTION core_guest() RETURNS wasm.module LANGUAGE wasm AS '(module $core)';
	CREATE FUNCTION core_of_string(bytea) RETURNS text LANGUAGE wasm AS 'core_guest#string';
	CREATE FUNCTION core_of_json(bytea) RETURNS json LANGUAGE wasm AS 'core_guest#string';
	CREATE FUNCTION core_of_list(bytea) RETURNS text[] LANGUAGE wasm AS 'core_guest#list';
	CREATE FUNCTION core_of_two(bytea) RETURNS two LANGUAGE wasm AS 'core_guest#strings';
	CREATE FUNCTION core_to_string(text) RETURNS bytea LANGUAGE wasm AS 'core_guest#string';
	CREATE FUNCTION core_to_list(text[]) RETURNS bytea LANGUAGE wasm AS 'core_guest#first';
	CREATE FUNCTION core_to_json(json) RETURNS bytea LANGUAGE wasm AS 'core_guest#string';
	CREATE FUNCTION writes(bytea, integer) RETURNS void LANGUAGE wasm AS '(module
		(import "wasi_snapshot_preview1" "fd_write" (func \$write (param i32 i32 i32 i32) (result i32)))
		$core
		(func (export "writes") (param i32 i32 i32)
			(call \$pair (i32.const 16) (local.get 0) (local.get 1))
			(drop (call \$write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 32)))
			(if (local.get 2) (then unreachable))))'};

my $node = wasm_node('encodings');
my $session;

sub utf8
{
	return "'\\x" . unpack('H*', $_[0]) . "'";
}

sub quoted
{
	return "'" . $_[0] =~ s/'/''/gr . "'";
}

# What a session reports beside an error or instead of one: NOTICE, DETAIL, HINT
sub reported
{
	my ($what, $query) = @_;

	ask($session, $query);
	return join "\n", $session->{stderr} =~ /\b$what:  (?:\w{5}: )?([^\n]*)/g;
}

sub gives
{
	my ($title, $query, $expected) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	is(ask($session, $query) . $session->{stderr}, $expected, $title);
}

sub fails
{
	my ($title, $query, $expected) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	is(message($session, $query), $expected, $title);
}

for my $encoding (@encodings)
{
	my ($name, $has, $lacks, $shown) = @{$encoding}{qw(name has lacks shown)};
	my $given = utf8($has);
	my $bytes = substr $given, 1, -1;

	$node->safe_psql('postgres', "CREATE DATABASE \"$name\" ENCODING '$name' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
	$node->safe_psql($name, "CREATE EXTENSION wasm; $functions");
	$session = session($node, $name);
	ask($session, 'SET client_encoding = UTF8');

	# --- from the guest ---

	gives("$name: a string", "SELECT of_string($given), octet_length(of_string($given))", "$has|$encoding->{octets}");
	gives("$name: a character", "SELECT of_char($encoding->{code})", $encoding->{character});
	gives("$name: a list", "SELECT of_list($given)", "{$has,$has}");
	gives("$name: a set", "SELECT * FROM set_of($given)", "$has\n$has");
	gives("$name: a record", "SELECT of_note($given)", "($has,$has)");
	gives("$name: a variant", "SELECT of_case($given)", qq({"text": "$has"}));
	gives("$name: lists in lists", "SELECT of_nested($given)", qq([["$has"]]));
	gives("$name: a record as jsonb", "SELECT note_of_json($given)", qq({"title": "$has", "remark": "$has"}));
	gives("$name: jsonb in a string", 'SELECT of_json(' . utf8(qq({"$has": 1})) . ')', qq({"$has": 1}));
	gives("$name: an outcome", "SELECT * FROM outcome($given)", "|$has");
	gives("$name: a string of a core module", "SELECT core_of_string($given), octet_length(core_of_string($given))", "$has|$encoding->{octets}");
	gives("$name: json of a core module", 'SELECT core_of_json(' . utf8(qq("$has")) . ')', qq("$has"));
	gives("$name: a list of a core module", "SELECT core_of_list($given)", "{$has,$has}");
	gives("$name: a row of a core module", "SELECT core_of_two($given)", "($has,$has)");

	# --- to the guest ---

	my $sql = quoted($has);
	gives("$name: a string for the guest", "SELECT to_string($sql)", $bytes);
	gives("$name: a character for the guest", "SELECT to_char('$encoding->{character}')", $encoding->{code});
	gives("$name: a list for the guest", "SELECT to_list(ARRAY[$sql])", $bytes);
	gives("$name: a record for the guest", "SELECT to_note(('', $sql)::note)", $bytes);
	gives("$name: a variant for the guest", qq(SELECT to_case('{"text": "$has"}')), $bytes);
	gives("$name: lists in lists for the guest", qq(SELECT to_nested('[["$has"]]')), $bytes);
	gives("$name: a record as jsonb for the guest", qq(SELECT to_note('{"title": "", "remark": "$has"}'::jsonb)), $bytes);
	gives("$name: a string for a core module", "SELECT core_to_string($sql)", $bytes);
	gives("$name: a list for a core module", "SELECT core_to_list(ARRAY[$sql])", $bytes);
	gives("$name: json for a core module", qq(SELECT core_to_json('"$has"')), '\x22' . substr($bytes, 2) . '22');

	# --- labels, which are ASCII ---

	gives("$name: a label and flags", q{SELECT colour('blue'::a_colour), access('{write}')}, 'blue|{write}');
	fails("$name: a text that is no label", "SELECT colour($sql\::text)", qq(22P02: "$has" is no value of the WebAssembly type a-colour));
	fails("$name: jsonb that is no label", qq(SELECT colour('"$has"'::jsonb)), qq(22P02: "$has" is no value of the WebAssembly type a-colour));
	fails("$name: a text that is no flag", "SELECT access(ARRAY[$sql])", qq(22P02: "$has" is no flag of the WebAssembly type an-access));

	# --- errors and messages ---

	fails("$name: an error that is a string", "SELECT of_error($given)", "38000: $has");
	fails("$name: an error that is a variant", "SELECT of_problem($given)", qq(38000: {"text": "$has"}));
	fails("$name: an error with fields", "SELECT of_failure($given)", "22012: $has");
	is(reported('(?:DETAIL|HINT)', "SELECT of_failure($given)"), "$has\n$has", "$name: ... detail and hint");
	is(reported('NOTICE', "SELECT say($given)"), $has, "$name: a message");
	ask($session, 'SET wasm.output_level = notice');
	is(reported('NOTICE', "SELECT writes($given, 0)"), $has, "$name: output");

	# --- queries and the rest of the host ---

	my $echo = utf8('SELECT $1::text');
	gives("$name: a parameter and a row", "SELECT ask($echo, $given)", qq([[{"text": "$has"}]]));
	gives("$name: ... as the guest sees it", "SELECT ask_first($echo, $given)", $bytes);
	gives("$name: the text of a query", 'SELECT ask(' . utf8("SELECT $sql || \$1, octet_length($sql)") . q{, '')},
		qq([[{"text": "$has"}, {"int": $encoding->{octets}}]]));
	fails("$name: an error of a query", 'SELECT ask(' . utf8('SELECT $1::text::integer') . ", $given)",
		qq(22P02: invalid input syntax for type integer: "$has"));
	gives("$name: ... that is tried", q{SELECT err->>'sqlstate', err->>'message' FROM tried(} . utf8('SELECT $1::text::integer') . ", $given)",
		qq(22P02|invalid input syntax for type integer: "$has"));
	gives("$name: a setting", "SELECT set_config('application.name', $sql, false); SELECT setting(" . utf8('application.name') . ')', "$has\n$has");
	ask($session, 'ALTER FUNCTION guest() SET wasm.environment = ' . quoted("NAME=$has"));
	gives("$name: a variable", 'SELECT variables()', qq({"(NAME,$has)"}));

	$session->quit and next unless $lacks;

	# --- what the encoding does not have ---

	my $missing = utf8($lacks);
	for my $call (
		"of_string($missing)", "of_list($missing)", "set_of($missing)", "of_note($missing)", "of_case($missing)", "of_nested($missing)",
		"note_of_json($missing)", 'of_json(' . utf8(qq("$lacks")) . ')', "outcome($missing)", "of_char($encoding->{lacked_code})",
		"core_of_string($missing)", 'core_of_json(' . utf8(qq("$lacks")) . ')', "core_of_list($missing)", "core_of_two($missing)",
		"ask($echo, $missing)", 'ask(' . utf8("SELECT '$lacks' || \$1") . ", '')", "setting($missing)")
	{
		is(sqlstate($session, "SELECT $call"), '22P05', "$name: not to be had: $call");
	}
	gives("$name: ... after that", "SELECT of_string($given)", $has);
	fails("$name: an error with what is not to be had", "SELECT of_error($missing)", "38000: $shown");
	fails("$name: ... that is a variant", "SELECT of_problem($missing)", qq(38000: {"text": "$shown"}));
	fails("$name: ... with fields", "SELECT of_failure($missing)", "22012: $shown");
	is(reported('(?:DETAIL|HINT)', "SELECT of_failure($missing)"), "$shown\n$shown", "$name: ... detail and hint");
	is(reported('NOTICE', "SELECT say($missing)"), $shown, "$name: a message with what is not to be had");
	is(reported('NOTICE', "SELECT writes($missing, 0)"), $shown, "$name: output with what is not to be had");
	for my $arguments ("$echo, $missing", utf8("SELECT '$lacks' || \$1") . ", ''")
	{
		gives("$name: a tried query with what is not to be had", "SELECT ok, err->>'sqlstate' FROM tried($arguments)", '|22P05');
	}

	for my $arguments ("$echo, '\\xff'", "'\\xff', ''", "$echo, '\\x00'")
	{
		is(sqlstate($session, "SELECT tried($arguments)"), '22021', "$name: ... with no text: $arguments");
	}

	# --- in a transaction that has failed, nothing can be looked up ---

	fails("$name: a trap behind a line without an end", "SELECT writes($given, 1)", '38000: WebAssembly trap: unreachable instruction executed');
	like(reported('NOTICE', "SELECT writes($given, 1)"), qr/^[A-Za-z?]+$/, "$name: ... which is shown in ASCII");
	$session->quit;
}

# --- text that is not UTF-8, or has no equivalent there ---

for my $case ([ 'SQL_ASCII', q{E'a\xe9'}, '22021' ], [ 'EUC_JP', q{convert_from('\x61a9a1', 'EUC_JP')}, '22P05' ])
{
	my ($name, $text, $sqlstate) = @$case;
	my $fails = utf8("SELECT ($text || \$1)::integer");

	$session = session($node, $name);
	ask($session, 'SET client_encoding = SQL_ASCII');
	for my $call ("to_string($text)", "to_char(right($text, 1))", "to_list(ARRAY[$text])", "to_note(('', $text)::note)",
		"to_nested(jsonb_build_array(jsonb_build_array($text)))", "core_to_string($text)", "core_to_list(ARRAY[$text])",
		'ask(' . utf8("SELECT $text || \$1") . ", '')")
	{
		is(sqlstate($session, "SELECT $call"), $sqlstate, "$name: no text for a guest: $call");
	}
	is(sqlstate($session, "SELECT colour($text\::text)"), '22P02', "$name: ... nor a label");
	is(sqlstate($session, "SELECT ask($fails, '')"), '22P02', "$name: an error of a query with such a text");
	gives("$name: ... that is tried", "SELECT err->>'sqlstate', err->>'message' FROM tried($fails, '')",
		'22P02|invalid input syntax for type integer: "a?"');
	gives("$name: ... and a row", 'SELECT err->>\'sqlstate\' FROM tried(' . utf8("SELECT $text || \$1") . ", '')", $sqlstate);
	ask($session, "DO \$\$ BEGIN EXECUTE format('ALTER FUNCTION guest() SET wasm.environment = %L', 'A=' || $text); END \$\$");
	is(sqlstate($session, 'SELECT variables()'), $sqlstate, "$name: a variable with such a text");
	ask($session, 'ALTER FUNCTION guest() RESET wasm.environment');
	gives("$name: ... and the session goes on", 'SELECT variables()', '{}');
	$session->quit;
}

check_log($node);
$node->stop;
done_testing();
