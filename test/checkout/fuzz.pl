# A short run of tools/fuzz finds nothing.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Checkout;
use Test::More;

my $output = run_ok('tools/fuzz 300 1');
like($output, qr/^modules tried +300$/m, 'all modules are tried');
like($output, qr/^mismatches +0$/m, 'the server and the engine agree');
like($output, qr/^other crashes +0$/m, 'no backend crashes');
like($output, qr/^300 passed, 0 failed\n\z/m, 'nothing fails, and no backend aborts');

done_testing();
