# What the built library shows to, and wants from, its surroundings; the version.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Checkout;
use Test::More;

# --- symbols ---

my $symbols = run_ok('nm -D --defined-only wasm.so');
my %defined = map { (split)[2] => 1 } split(/\n/, $symbols);
my @functions = map { /^pg_finfo_(\w+)/ ? $1 : () } keys %defined;
my %expected = map { $_ => 1 } qw(Pg_magic_func _PG_init), @functions, map { "pg_finfo_$_" } @functions;

is_deeply([ grep { !$expected{$_} } sort keys %defined ], [], 'nothing but entry points is exported');
is_deeply([ grep { !$defined{$_} } sort keys %expected ], [], 'all entry points are exported');

my %named = map { $_ => 1 } slurp("$top/sql/wasm.sql") =~ /'MODULE_PATHNAME', '(\w+)'/g;
is_deeply([ sort @functions ], [ sort keys %named ], 'the entry points are those of the install script');

# --- libraries ---

my $libraries = run_ok('ldd wasm.so');
unlike($libraries, qr/libgomp/, 'no OpenMP, which would start threads');
unlike($libraries, qr/not found/, 'all libraries are found');
my @foreign = grep { !/^(?:linux-vdso|libm|libc|libgcc_s|libpthread|libdl|librt|ld-linux[-\w]*)\.so/ }
  map { m{^\s*(?:/\S*/)?(\S+)} ? $1 : () } split(/\n/, $libraries);
is_deeply(\@foreign, [], 'no libraries but those of every system');

# --- version ---

my ($version) = slurp("$top/wasm.control") =~ /^default_version = '([^']+)'/m;
like($version, qr/^\d+\.\d+\.\d+$/, 'wasm.control has the version');
my ($crate) = slurp("$top/engine/Cargo.toml") =~ /^version = "([^"]+)"/m;
is($crate, $version, 'engine/Cargo.toml has it');
my ($change) = slurp("$top/CHANGELOG.md") =~ /^## (\d\S*)/m;
is($change, $version, 'CHANGELOG.md begins with it');
my @meta = slurp("$top/META.json") =~ /^ {3,9}"version": "([^"]+)"/mg;
is_deeply([ grep { $_ ne '1.0.0' } @meta ], [ $version, $version ], 'META.json has it, twice');
is((run("python3 -m json.tool META.json"))[1], 0, 'META.json is JSON') if (run('command -v python3'))[1] == 0;

# --- objects ---

scratch();
psql('CREATE DATABASE objects');
psql('CREATE EXTENSION wasm', '-d', 'objects');
my $bare = psql(<<'SQL', '-q', '-A', '-t', '-d', 'objects');
SELECT pg_describe_object(d.classid, d.objid, 0)
FROM pg_depend d JOIN pg_extension e ON d.refobjid = e.oid AND d.refclassid = 'pg_extension'::regclass
WHERE e.extname = 'wasm' AND d.deptype = 'e'
  AND COALESCE(obj_description(d.objid, d.classid::regclass::text::name), '') = ''
ORDER BY 1;
SQL
is($bare, '', 'every object of the extension has a comment');
$bare = psql(<<'SQL', '-q', '-A', '-t', '-d', 'objects');
SELECT attrelid::regclass || '.' || attname FROM pg_attribute
WHERE attrelid IN ('wasm.instances'::regclass, 'wasm.exported_functions'::regclass)
  AND attnum > 0 AND col_description(attrelid, attnum) IS NULL;
SQL
is($bare, '', 'every column has a comment');
like(psql('SELECT wasm.version()', '-A', '-t', '-d', 'objects'), qr/^wasm \Q$version\E, Wasmtime \d/, 'wasm.version() tells it');

my $reference = slurp("$top/doc/reference.md");
my @functions_of_schema = split(/\n/, psql(<<'SQL', '-q', '-A', '-t', '-d', 'objects'));
SELECT p.proname FROM pg_depend d JOIN pg_extension e ON d.refobjid = e.oid AND d.refclassid = 'pg_extension'::regclass
JOIN pg_proc p ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass WHERE e.extname = 'wasm'
SQL
is_deeply([ grep { $reference !~ /\b\Q$_\E\b/ } @functions_of_schema ], [], 'doc/reference.md has every function');

done_testing();
