# The bench runs, at sizes where nothing takes long, and its table has a row of every kind. Nothing is timed.
use strict;
use warnings;
use Test::More;
use File::Temp qw(tempdir);
use Lapse;

my $folder = tempdir('lapse-bench-XXXXXX', TMPDIR => 1);
chmod 0755, $folder; # the server's user comes by
my $env = { LAPSE_TEST_BENCH => $folder, LAPSE_TEST_FSYNC => 'off' };
my $bench = "$Lapse::top/tests/bench/run";

my @small = (qw(--users 200 --rounds 1 --rows 200 --slow-rows 200 --commits 10 --night-users 200), '--sizes', '200,400');
my @groups = qw(flat reading activity activity-csv job xlsx xlsx-slow expire chain import start nightly seats growth);
my $r = Lapse::command($env, $^X, $bench, @small, '--only', join(',', @groups));
is $r->{status}, 0, 'the bench runs' or diag $r->{stderr};

my @wanted = (
    (map { my $flat = $_; map { "flat query, $flat / psql COPY CSV$_" } '', ', count and sums' } 'CSV', 'CSV and XLSX'),
    (map { my $job = $_; map { "reading $job, a row at a time / copy $_" } qw(text binary) } qw(plan-changes-report activity-report)),
    'activity-report, CSV and XLSX / psql COPY CSV', 'activity-report, CSV / psql COPY CSV',
    'activity-report, CSV and XLSX / psql COPY, then XlsxWriter',
    'XLSX of 200 rows from memory / libxlsxwriter, constant memory', 'its size / libxlsxwriter\'s',
    (map { "XLSX of 200 rows from memory / $_" } qw(XlsxWriter openpyxl pandas exceljs)),
    (map { "expire, CSV and XLSX / $_" } 'one CTE with audit rows', 'plain UPDATE', 'a commit per row (psycopg2)'),
    'expire: longest from commit to commit', 'verify --audit / the run it verifies',
    (map { "import, judged and loaded / psql \\copy$_" } ' into a plain table', ' into a table with that key', ', then one INSERT ... SELECT of all'),
    'program start to first statement / psql\'s',
    (map { "nothing due: $_, 200 users" } (grep { $_ ne 'reconcile-seats' } map { /"job":"([^"]+)","kind":"change"/ ? $1 : () } split /\n/, Lapse::command({}, $Lapse::lapse, 'jobs', '--json')->{stdout}), 'these jobs together'),
    'reconcile-seats, CSV, 200 users',
    (map { my $piece = $_; map { "$_: $piece" } 'growth of time, exponent', 'growth of time per row, last size / first', 'peak memory' } 'activity-report, CSV and XLSX', 'expire, CSV and XLSX', 'import'),
);
my @lines = split /\n/, Lapse::slurp("$folder/results.csv");
like shift @lines, qr/^what,unit,ours,peer,/, 'the CSV has a header';
is scalar @lines, scalar @wanted, 'and a row for everything that is measured';
my $figure = qr/-?\d+(?:\.\d+)?(?:e-?\d+)?/;
for my $i (0 .. $#wanted) {
    my $line = $lines[$i] // '';
    like $line =~ s/"//gr, qr/^\Q$wanted[$i]\E/, "in its place: $wanted[$i]";
    like $line, qr/,(?:s|us|MB|MiB)?,$figure,|is not installed: make bench-deps/, 'measured, or skipped by name';
    like $r->{stdout}, qr/^\Q$wanted[$i]\E/m, 'shown in the table';
}

my @points = grep { /^"/ } split /\n/, Lapse::slurp("$folder/growth.csv");
is scalar @points, 6, 'growth: three pieces at two sizes';
my $dots = () = Lapse::slurp("$folder/growth.svg") =~ /<circle class="dot s\d" [^>]*r="4"/g;
is $dots, 12, 'and each in both panels of the chart';

# What was measured is shown again without measuring.
my $again = Lapse::command($env, $^X, $bench, '--table');
is $again->{status}, 0, '--table';
is $again->{stdout} =~ s/^.*; fsync off;.*\n//mr, $r->{stdout} =~ s/^.*; fsync off;.*\n//mr, 'prints the same table';

# Another round begins as the first did.
is Lapse::command($env, $^X, $bench, @small, '--rounds', 2, '--only', 'xlsx')->{status}, 0, 'two rounds';
is Lapse::command($env, $^X, $bench, '--only', 'nothing-such')->{status}, 64, 'a group that there is not is refused';

END { Lapse::command({}, '/bin/rm', '-rf', $folder) if $folder }
done_testing;
