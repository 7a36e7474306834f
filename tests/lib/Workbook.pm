# What stands on a workbook's first sheet: its labels with what is beside them.
#
#     my %figure = Workbook::summary("$set/renewals-report.xlsx");    # ('Rows' => 3, ...)
#
# Only for tests that look at figures: tests/golden.t compares whole tables, cell by cell.
package Workbook;
use strict;
use warnings;
use Lapse;

sub summary {
    my ($path) = @_;
    my $r = Lapse::command({}, 'unzip', '-p', $path, 'xl/worksheets/sheet1.xml');
    die "$path: $r->{stderr}" if $r->{status};
    my %figure;
    while ($r->{stdout} =~ m{<row r="\d+"[^>]*>(.*?)</row>}gs) {
        my ($label, $value) = map { cell($1, $_) } 'A', 'B';
        $figure{$label} = $value if defined $label && defined $value;
    }
    return %figure;
}

sub cell {
    my ($row, $column) = @_;
    $row =~ m{<c r="$column\d+"[^>]*?>(.*?)</c>}s or return undef;
    my $inner = $1;
    return $inner =~ m{<v>(.*?)</v>} ? $1 : $inner =~ m{<t[^>]*>(.*?)</t>}s ? $1 : undef;
}

1;
