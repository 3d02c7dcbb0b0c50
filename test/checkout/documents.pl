# The examples of the README and of the manual give what those say.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Documents;

check_documents(qw(README.md doc/operations.md doc/reference.md));
