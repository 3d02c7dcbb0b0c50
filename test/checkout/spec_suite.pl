# The specification's own test suite passes through SQL.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Checkout;
use Test::More;

my $output = run_ok('tools/spec-suite');
my ($passed, $failed) = $output =~ /^(\d+) passed, (\d+) failed\n\z/m;
is($failed, 0, 'no assertion fails');
cmp_ok($passed, '>=', 57_000, 'and none is left out');

done_testing();
