# Cursors of guests, of a core module and of a component: millions of rows stream through
# one, and one fails, or is misused, very often at each of its steps.  The memory of the
# session stays as it is, and no portal is left.

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

my $node = wasm_node('cursors', conf => "wasm.memory_limit = 192kB\nlog_statement = none\nlog_min_error_statement = panic\nlog_min_messages = panic\n");
my $client = Client->new($node);

$client->ask(good_functions());

# --- the guest ---

# run: takes steps, a letter each, with a cursor of a query, and returns how many rows it
# got: o opens, c asks for the columns, f fetches ten rows, e fetches until there are no
# more, d drops, t traps.
#
# stream: fetches all rows in batches and returns the sum of their first columns; ten times
# meanwhile, each time that so many rows have come, it executes a command that measures.
my $functions = q{
	(global $cursor (mut i32) (i32.const 0))
	(func $fetch_rows (param $count i32) (result i32)
		(call $fetch (global.get $cursor) (local.get $count) (i32.const 32))
		(i32.load (i32.const 36)))
	(func (export "run") (param $sql i32) (param $length i32) (param $step i32) (param $steps i32) (result i32)
		(local $rows i32) (local $got i32) (local $letter i32) (local $heap i32)
		(local.set $steps (i32.add (local.get $step) (local.get $steps)))
		(local.set $heap (call $get_heap))
		(loop $next
			(call $set_heap (local.get $heap))
			(local.set $letter (i32.load8_u (local.get $step)))
			(if (i32.eq (local.get $letter) (i32.const 111))
				(then (global.set $cursor (call $open (local.get $sql) (local.get $length) (i32.const 0) (i32.const 0)))))
			(if (i32.eq (local.get $letter) (i32.const 99))
				(then (call $columns (global.get $cursor) (i32.const 32))))
			(if (i32.eq (local.get $letter) (i32.const 102))
				(then (local.set $rows (i32.add (local.get $rows) (call $fetch_rows (i32.const 10))))))
			(if (i32.eq (local.get $letter) (i32.const 101))
				(then (loop $all
					(call $set_heap (local.get $heap))
					(local.set $rows (i32.add (local.get $rows) (local.tee $got (call $fetch_rows (i32.const 10)))))
					(br_if $all (local.get $got)))))
			(if (i32.eq (local.get $letter) (i32.const 100))
				(then (call $drop (global.get $cursor))))
			(if (i32.eq (local.get $letter) (i32.const 116)) (then unreachable))
			(local.set $step (i32.add (local.get $step) (i32.const 1)))
			(br_if $next (i32.lt_u (local.get $step) (local.get $steps))))
		(call $set_heap (i32.const 1024))
		(local.get $rows))
	(func (export "stream") (param $sql i32) (param $length i32) (param $measure i32) (param $measure_length i32)
		(param $batch i32) (param $every i32) (result i64)
		(local $sum i64) (local $got i32) (local $i i32) (local $rows i32) (local $heap i32)
		(local.set $heap (call $get_heap))
		(global.set $cursor (call $open (local.get $sql) (local.get $length) (i32.const 0) (i32.const 0)))
		(loop $next
			(call $set_heap (local.get $heap))
			(local.set $got (call $fetch_rows (local.get $batch)))
			(local.set $i (i32.const 0))
			(if (local.get $got) (then (loop $add
				(local.set $sum (i64.add (local.get $sum)
					(i64.load offset=8 (i32.load (i32.add (i32.load (i32.const 32)) (i32.mul (local.get $i) (i32.const 8)))))))
				(local.set $i (i32.add (local.get $i) (i32.const 1)))
				(br_if $add (i32.lt_u (local.get $i) (local.get $got))))))
			(local.set $rows (i32.add (local.get $rows) (local.get $got)))
			(if (i32.and (i32.ne (local.get $got) (i32.const 0)) (i32.eqz (i32.rem_u (local.get $rows) (local.get $every))))
				(then (drop (call $execute (local.get $measure) (local.get $measure_length) (i32.const 0) (i32.const 0)))))
			(br_if $next (local.get $got)))
		(call $drop (global.get $cursor))
		(call $set_heap (i32.const 1024))
		(local.get $sum))};
my $memory = q{
	(memory (export "memory") 2)
	(global $heap (mut i32) (i32.const 1024))
	(func $get_heap (export "get_heap") (result i32) (global.get $heap))
	(func $set_heap (export "set_heap") (param i32) (global.set $heap (local.get 0)))
	(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
		(local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
		(global.set $heap (i32.add (local.get $at) (local.get 3)))
		(local.get $at))};
my %host = (
	open => [ 'open', '(param i32 i32 i32 i32) (result i32)', '(func $query "open")' ],
	columns => [ '[method]cursor.columns', '(param i32 i32)', '(func $query "[method]cursor.columns")' ],
	fetch => [ '[method]cursor.fetch', '(param i32 i32 i32)', '(func $query "[method]cursor.fetch")' ],
	drop => [ '[resource-drop]cursor', '(param i32)', undef ],
	execute => [ 'execute', '(param i32 i32 i32 i32) (result i64)', '(func $query "execute")' ]);
my @host = sort keys %host;
my $imports = join "\n", map { qq{(import "postgres:host/query\@0.1.0" "$host{$_}[0]" (func \$$_ $host{$_}[1]))} } @host;

my %guests = (
	'core module' => "(module $imports $memory $functions)",
	component => qq{(component
		(import "postgres:host/query\@0.1.0" (instance \$query
			(type \$v (variant (case "null") (case "boolean" bool) (case "int" s64) (case "float" float64) (case "text" string)
				(case "bytes" (list u8))))
			(export "value" (type \$value (eq \$v)))
			(type \$c (record (field "name" string) (field "type-name" string)))
			(export "column" (type \$column (eq \$c)))
			(export "cursor" (type \$cursor (sub resource)))
			(export "[method]cursor.columns" (func (param "self" (borrow \$cursor)) (result (list \$column))))
			(export "[method]cursor.fetch" (func (param "self" (borrow \$cursor)) (param "count" u32) (result (list (list \$value)))))
			(export "open" (func (param "sql" string) (param "params" (list \$value)) (result (own \$cursor))))
			(export "execute" (func (param "sql" string) (param "params" (list \$value)) (result u64)))))
		(alias export \$query "cursor" (type \$cursor))
		(core module \$memory $memory)
		(core instance \$memory (instantiate \$memory))
		(alias core export \$memory "memory" (core memory \$m))
		(alias core export \$memory "cabi_realloc" (core func \$realloc))
		} . join("\n", map { "(core func \$$_ (canon " . ($host{$_}[2] ? "lower $host{$_}[2] (memory \$m) (realloc \$realloc)" : 'resource.drop $cursor') . '))' } @host)
	  . "(core module \$guest $imports (import \"memory\" \"memory\" (memory 2))
			(import \"memory\" \"get_heap\" (func \$get_heap (result i32))) (import \"memory\" \"set_heap\" (func \$set_heap (param i32)))
			$functions)
		(core instance \$guest (instantiate \$guest (with \"memory\" (instance \$memory)) (with \"postgres:host/query\@0.1.0\" (instance "
	  . join(' ', map { qq{(export "$host{$_}[0]" (func \$$_))} } @host) . q{))))
		(func (export "run") (param "sql" string) (param "steps" string) (result s32)
			(canon lift (core func $guest "run") (memory $m) (realloc $realloc)))
		(func (export "stream") (param "sql" string) (param "measure" string) (param "batch" s32) (param "every" s32) (result s64)
			(canon lift (core func $guest "stream") (memory $m) (realloc $realloc))))});

$client->ask(q{
	CREATE TABLE sizes (contexts bigint, kb bigint);
	CREATE FUNCTION memory() RETURNS sizes LANGUAGE sql AS $$
		SELECT (SELECT sum(total_bytes) FROM pg_backend_memory_contexts)::bigint,
			substring(pg_read_file('/proc/self/smaps_rollup') FROM 'Anonymous:\s*(\d+) kB')::bigint $$;
	-- how many of so many runs did not end as they must, or left a portal
	CREATE FUNCTION failures(sql text, steps text, state text, times integer) RETURNS integer LANGUAGE plpgsql AS $$
	DECLARE
		failures integer := 0;
	BEGIN
		FOR i IN 1 .. times LOOP
			BEGIN
				PERFORM run(sql, steps);
				failures := failures + (state <> '')::integer;
			EXCEPTION WHEN OTHERS THEN
				failures := failures + (state <> sqlstate)::integer;
			END;
		END LOOP;
		RETURN failures + (SELECT count(*) FROM pg_cursors);
	END $$});

sub quoted
{
	return "'" . $_[0] =~ s/'/''/gr . "'";
}

# What the session has in memory contexts, in bytes, and in all, in kB
sub memory
{
	return split /\|/, $client->ask('SELECT (memory()).*');
}

# What a session may grow by: bytes in memory contexts, and kB in all
my ($contexts_max, $kb_max) = (100_000, 1024);

# --- rows ---

# The first measurement comes when a tenth has been read.
sub streams
{
	my ($kind) = @_;
	my $figure = 'cursors.rows.' . $kind =~ s/ /_/r;
	my $count = amount(200_000, 10_000_000);
	my $sql = "SELECT n, 'row ' || n, n / 2.0 FROM (SELECT generate_series(1::bigint, $count) AS n) s";

	$client->ask('TRUNCATE sizes');
	is($client->ask('SELECT stream(' . join(', ', quoted($sql), quoted('INSERT INTO sizes SELECT (memory()).*'), 500, $count / 10) . ')'),
		$count * ($count + 1) / 2, "$kind: $count rows come through a cursor");
	my ($times, $contexts, $kb) = split /\|/,
	  $client->ask('SELECT count(*), max(contexts) - min(contexts), max(kb) - min(kb) FROM sizes');
	is($times, 10, '... and the memory was measured ten times');
	cmp_ok($contexts, '<=', $contexts_max, '... and took none in memory contexts');
	cmp_ok($kb, '<=', $kb_max, '... nor elsewhere');
	is($client->ask('SELECT count(*) FROM pg_cursors'), 0, '... and no portal is left');
	figure($figure, $count);
	figure("$figure.memory_growth", $kb, 'kB');
}

# --- steps ---

my $thirty = 'SELECT n, n::text FROM generate_series(1, 30) n';
my $times = amount(2000, 20_000);

# What is done, the query, the steps and how they end
my @cases = (
	[ 'nothing fails', $thirty, 'ocfffd', '' ],
	[ 'a syntax error', 'SELECT 1 +', 'o', '42601' ],
	[ 'an unknown table', 'SELECT * FROM nowhere', 'o', '42P01' ],
	[ 'a missing parameter', 'SELECT $1::integer', 'o', '42601' ],
	[ 'what is no query', 'DROP TABLE sizes', 'o', '42P11' ],
	[ 'an error while it is planned', 'SELECT 1 / 0', 'o', '22012' ],
	[ 'an error when it is opened while another is open', $thirty, 'oft', '38000' ],
	[ 'an error in the first row', 'SELECT 1 / (n - 1) FROM generate_series(1, 30) n', 'of', '22012' ],
	[ 'an error in the middle of a fetch', 'SELECT 1 / (n - 15) FROM generate_series(1, 30) n', 'off', '22012' ],
	[ 'an error in row 205', 'SELECT 1 / (n - 205) FROM generate_series(1, 300) n', 'oe', '22012' ],
	[ 'a row that is too large', q{SELECT repeat('x', 200000)}, 'of', '54000' ],
	[ 'a trap behind the columns', $thirty, 'oct', '38000' ],
	[ 'a trap behind the last row', $thirty, 'offfft', '38000' ],
	[ 'a cursor that is closed twice', $thirty, 'ofdd', '38000' ],
	[ 'a fetch from a cursor that is closed', $thirty, 'ofdf', '38000' ],
	[ 'columns of a cursor that is closed', $thirty, 'odc', '38000' ],
	[ 'a cursor that is closed in the middle', $thirty, 'ofd', '' ],
	[ 'two cursors, one of which is closed', $thirty, 'oofdft', '38000' ],
	[ 'fetches behind the end', $thirty, 'oeffd', '' ]);

# Cursors that are left open go with the transaction, so each run has one of its own, and
# the guest's handles for them with the instance, which may have 1,000.
my @left_open = (
	[ 'a cursor that is left open', $thirty, 'of', '10' ],
	[ 'a cursor that is left open at the end', $thirty, 'oe', '30' ]);

sub stays_flat
{
	my ($kind, $title, $try) = @_;

	$try->(50, "$kind: $title") or return;
	my ($contexts, $kb) = memory();
	$try->($times, "$kind, $times times: $title");
	my ($contexts_after, $kb_after) = memory();
	cmp_ok($contexts_after - $contexts, '<=', $contexts_max, '... and nothing more in memory contexts');
	cmp_ok($kb_after - $kb, '<=', $kb_max, '... nor elsewhere');
	is($client->ask('SELECT count(*) FROM pg_cursors'), 0, '... and no portal is left');
	return $kb_after - $kb;
}

sub fails
{
	my ($kind) = @_;
	my $figure = 'cursors.steps.' . $kind =~ s/ /_/r;
	my $most = 0;

	for my $case (@cases)
	{
		my ($title, $sql, $steps, $state) = @$case;
		my $growth = stays_flat($kind, $title, sub {
			my ($n, $name) = @_;
			my $call = 'SELECT failures(' . join(', ', map { quoted($_) } $sql, $steps, $state);
			my $wrong = 0;

			for (my $left = $n; $left > 0; $left -= 1000)
			{
				$wrong += $client->ask("$call, " . ($left < 1000 ? $left : 1000) . ')');
			}
			return is($wrong, 0, $name);
		});
		$most = $growth if $growth > $most;
	}
	for my $case (@left_open)
	{
		my ($title, $sql, $steps, $rows) = @$case;
		my $call = 'SELECT run(' . quoted($sql) . ', ' . quoted($steps) . ')';
		my $growth = stays_flat($kind, $title, sub {
			my ($n, $name) = @_;
			my $wrong = 0;

			for my $i (1 .. $n)
			{
				$client->ask('SELECT wasm.reset()') if $i % 500 == 1;
				$wrong++ if $client->ask($call) ne $rows;
			}
			return is($wrong, 0, $name);
		});
		$most = $growth if $growth > $most;
	}
	figure($figure, @cases + @left_open);
	figure("$figure.times", $times);
	figure("$figure.memory_growth", $most, 'kB');
}

for my $kind (sort keys %guests)
{
	$client->ask('CREATE OR REPLACE FUNCTION guest() RETURNS wasm.module LANGUAGE wasm AS ' . quoted($guests{$kind}) . q{;
		CREATE OR REPLACE FUNCTION run(sql text, steps text) RETURNS integer LANGUAGE wasm AS 'guest#run';
		CREATE OR REPLACE FUNCTION stream(sql text, measure text, batch integer, every integer) RETURNS bigint LANGUAGE wasm
			AS 'guest#stream'});
	streams($kind);
	fails($kind);
	is(check_good($client, 1), '', "$kind: the session is in order");
}

$client->close;
my @leaks = grep { /leak/ } split /\n/, slurp_file($node->logfile);
is(join("\n", @leaks), '', 'no resource leaked');
check_log($node);
$node->stop;
done_testing();
