# The demo data: every job runs on them, publishes, and finds nothing to do the second time.
use strict;
use warnings;
use Test::More;
use JSON::PP qw(decode_json);
use Lapse;
use Workbook;

my $db = Lapse::database();
$db->load(sort glob "$Lapse::top/sql/demo/*.sql");

my @jobs = map { decode_json($_) } split /\n/, $db->lapse('jobs', '--json')->{stdout};
my $out = $db->dir . '/reports';
my @billing = ('--set', "job.reconcile-billing.input=$Lapse::top/sql/demo/billing/*.csv", '--set', 'job.reconcile-billing.apply_renewals=yes');

# One run; what it said of each job, by name.
sub run_all {
    my ($name) = @_;
    my $r = $db->lapse('--json', @billing, 'run', '--all', '--as-of', '2026-03-31', '--out', $out);
    is $r->{status}, 0, "$name ends well" or diag $r->{stderr};
    return map { $_->{job} => $_ } grep { exists $_->{result} } map { decode_json($_) } split /\n/, $r->{stdout};
}

my %first = run_all('the first run');
is_deeply [sort keys %first], [sort map { $_->{job} } @jobs], 'every job ran';
for my $job (grep { $_->{kind} eq 'change' } @jobs) {
    cmp_ok $first{$job->{job}}{changed} + $first{$job->{job}}{recorded}, '>', 0, "$job->{job} found something to change";
}
for my $job (grep { $_->{kind} ne 'cleanup' } @jobs) {
    ok -s "$out/latest/$job->{job}.$_", "$job->{job}.$_ is published" for qw(csv xlsx);
}
is readlink "$out/latest", '2026-03-31', 'latest is the set of that date';
{
    my (%of, %unmanaged);
    $of{ $_->[0] }{ $_->[5] }++ for Lapse::csv("$out/latest/capture-domain-users.csv");
    is_deeply { map { $_ => $of{$_} } 1, 701 .. 708 }, { 1 => { captured => 53 }, 701 => { captured => 3 }, 702 => { captured => 3, blocked_no_seat => 2 }, 703 => { captured => 2 }, 706 => { captured => 1 },
        map { $_ => undef } 704, 705, 707, 708 }, 'domain capture takes those whom the demo says, and two find no seat';
    $unmanaged{ $_->[0] }++ for Lapse::csv("$out/latest/unmanaged-users-report.csv");
    is_deeply { map { $_ => $unmanaged{$_} } 701 .. 708 }, { 701 => 3, 702 => undef, 703 => 1, 704 => 3, 705 => undef, 706 => undef, 707 => 1, 708 => 1 }, '... and those whom nobody manages are listed';
    ok -s "$out/latest/unmanaged-users-report-$_.csv", "unmanaged-users-report-$_.csv is published" for qw(harbourmaster.example shared-campus.example-703 shared-campus.example-704);
}
my $sums = Lapse::slurp("$out/latest/SHA256SUMS");
my $check = Lapse::command({}, '/usr/bin/env', '-C', "$out/latest", 'sha256sum', '--check', '--quiet', '--strict', 'SHA256SUMS');
is $check->{status}, 0, 'the files are those of SHA256SUMS' or diag $check->{stdout};

my ($header, @domains) = Lapse::csv("$out/latest/verify-domains.csv");
my %outcomes = map { $_->[4] => 1 } @domains;
is_deeply [sort keys %outcomes], [sort qw(verified still_verified record_gone not_found nxdomain servfail timeout root_not_verified capture_unverified lock_unverified)],
    'the domains show every outcome';
is_deeply [map { "$_->[2] $_->[4]" } grep { $_->[3] eq 'unique_txt' && $_->[4] !~ /verified/ } @domains],
    ['ceskomoravska.example not_found', 'unproven-claims.example nxdomain', 'rizoma-botanica.example record_gone', 'semillas.example not_found',
        'silencio.example timeout', 'sin-servidor.example servfail', 'bolt-before-door.example not_found'], 'tests/demo.zone has the tokens of all others';

# What the README of the demo says of billing.
($header, my @findings) = Lapse::csv("$out/latest/reconcile-billing.csv");
my %found;
push @{ $found{ $_->[0] // '' } }, $_->[3] for @findings;
is_deeply { map { $_ => $found{$_} } 13, 15, 22, 24, 28, 32, 36, 37, 42, 202, 405 },
    { 13 => ['only_here'], 15 => ['currency'], 22 => ['period'], 24 => ['amount'], 28 => ['seats'], 32 => ['only_there'], 36 => undef,
      37 => ['unpaid_but_active'], 42 => ['plan'], 202 => undef, 405 => ['paid_but_lapsed'] }, 'each account of the demo shows its finding';
is_deeply $found{''}, ['only_there', 'only_there'], 'an unknown customer is listed without an account, a void line is not';
# The Summary adds each kind of finding up, per currency: what the rows of the CSV come to.
{
    my %sum;
    for my $row (@findings) {
        $sum{"Amount, $row->[3], $row->[8]"} += $row->[7] if defined $row->[7] && length $row->[7] && defined $row->[8] && length $row->[8];
    }
    my %figure = Workbook::summary("$out/latest/reconcile-billing.xlsx");
    my %money = map { $_ => sprintf '%.3f', $figure{$_} } grep { /^Amount, / } keys %figure;
    is_deeply \%money, { map { $_ => sprintf '%.3f', $sum{$_} } keys %sum }, 'the money of each finding, per currency';
    is $money{'Amount, seats, EUR'}, '10230.000', '... more and less billed balance each other';
}
is $db->one('SELECT period_end FROM saas.subscriptions WHERE subscription_id = 2021'), '2027-03-30 23:59:59+00', 'the renewal comes before the downgrade';

# Every kind of row that a report can have stands in the demo's files at least once.
my %kinds = (
    'end-trials' => ['To Plan', qw(enterprise essentials pro)],
    'downgrade-plans' => ['Reason', qw(expired_without_renewal manual_downgrade seats_changed)],
    'flag-inactive-organizations' => ['Action', qw(inactivated reactivated)],
    'reconcile-teams' => ['Action', qw(added ended invitation_revoked license_revoked role_changed skipped team_deleted)],
    'capture-domain-users' => ['Outcome', qw(blocked_no_seat captured)],
    'check-git-sync' => ['Action', qw(cleared flagged)],
    'reconcile-seats-detail' => ['Seat Type', qw(invitation license)],
    'reconcile-seats-exceptions' => ['Finding', qw(access_without_seat captured_unassigned duplicate over_limit seat_without_access tie_out)],
    'reconcile-billing' => ['Finding', qw(amount currency only_here only_there paid_but_lapsed period plan seats unpaid_but_active)],
    'activity-report' => ['Status', qw(Active Aging Inactive Never)],
    'attention-report' => ['Finding', $db->lapse('help', 'attention-report')->{stdout} =~ /^  ([a-z]+(?:_[a-z]+)+) /mg],
);
for my $file (sort keys %kinds) {
    my ($column, @expected) = @{ $kinds{$file} };
    my ($names, @rows) = Lapse::csv("$out/latest/$file.csv");
    my ($at) = grep { $names->[$_] eq $column } 0 .. $#$names;
    my %seen = map { $_->[$at] => 1 } @rows;
    is_deeply [sort keys %seen], [sort @expected], "$file has every $column";
}

# No kind of finding drowns the others.
for my $file (qw(attention-report reconcile-billing)) {
    my ($names, @rows) = Lapse::csv("$out/latest/$file.csv");
    my ($at) = grep { $names->[$_] eq 'Finding' } 0 .. $#$names;
    my %often;
    $often{ $_->[$at] }++ for @rows;
    is_deeply [grep { $often{$_} > @rows / 3 } sort keys %often], [], "$file: no kind of finding is more than a third";
}

# The Summary is printed whole, its chart with it.
my $charts = 0;
for my $job (map { $_->{job} } grep { $_->{kind} ne 'cleanup' } @jobs) {
    my ($book, $drawing) = map { Lapse::command({}, 'unzip', '-p', "$out/latest/$job.xlsx", $_)->{stdout} } 'xl/workbook.xml', 'xl/drawings/drawing1.xml';
    my ($row) = $drawing =~ m{<xdr:to>.*?<xdr:row>(\d+)</xdr:row>} or next;
    my ($last) = $book =~ m{_xlnm\.Print_Area" localSheetId="0">Summary!\$A\$1:\$[A-Z]+\$(\d+)<};
    cmp_ok $last // 0, '>', $row, "$job: the chart lies in what is printed";
    $charts++;
}
cmp_ok $charts, '>', 10, 'most have a chart';

# What has an order is charted in it, not by how often it came.
sub charted {
    my ($job, @values) = @_;
    my $sheet = Lapse::command({}, 'unzip', '-p', "$out/latest/$job.xlsx", 'xl/worksheets/sheet1.xml')->{stdout};
    my %wanted = map { $_ => 1 } @values;
    is_deeply [grep { $wanted{$_} } $sheet =~ /<t[^>]*>([^<]*)</g], \@values, "$job charts in its order";
}
charted('renewals-report', 'overdue', 'within 30 days', '31 to 60 days', '61 to 90 days');
charted('attention-report', qw(no_owner set_aside scim_token_expired over_seats trial_ends scim_token_ends code_unused account_held storage_rule_conflict
    no_personal_workspace no_second_owner organization_not_opened invitation_ends));
charted('activity-report', qw(Active Aging Inactive Never));
charted('reconcile-seats', 'over', '90 to 100 %', '50 to 90 %', 'under 50 %', 'unlimited', 'no plan');

my %second = run_all('the second run');
is_deeply { map { $_ => $second{$_}{changed} + $second{$_}{recorded} } keys %second }, { map { $_ => 0 } keys %first }, 'it changes nothing';
is Lapse::slurp("$out/latest/SHA256SUMS"), $sums, 'and publishes the same bytes';

done_testing;
