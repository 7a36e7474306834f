# Which plan changes a month has: by the as-of of the run that made one, else by when it took effect.
use strict;
use warnings;
use Test::More;
use Lapse;
use Fixture;
use Workbook;

$Fixture::as_of = '2026-04-01';
my (@cases, %account);

# A change that a run made as of `processed`; in which months' reports, made as of 2026-04-20, it stands.
sub change {
    my ($name, $row, @months) = @_;
    push @cases, [$name, { from_plan => 'pro', to_plan => 'essentials', from_seats => 10, to_seats => -1, reason => 'expired_without_renewal', run_id => 7,
        effective_at => at('2026-02-10 12:00'), %$row }, @months];
}
change('processed in the first instant of the month', { processed_at => at('2026-03-01') }, '2026-03');
change('processed an instant before the month', { processed_at => at('2026-03-01', '-1 us') }, '2026-02');
change('processed in the last instant of the month', { processed_at => at('2026-04-01', '-1 us') }, '2026-03');
change('processed in the first instant of the next month', { processed_at => at('2026-04-01') }, '2026-04');
change('took effect in February, processed in March: March', { processed_at => at('2026-03-04 02:00') }, '2026-03');
change('took effect after it was processed', { processed_at => at('2026-03-04'), effective_at => at('2026-04-05') }, '2026-03');
change('made by the product in the first instant of the month', { effective_at => at('2026-03-01'), processed_at => undef, run_id => undef }, '2026-03');
change('made by the product an instant before', { effective_at => at('2026-03-01', '-1 us'), processed_at => undef, run_id => undef }, '2026-02');
change('made by the product in the month\'s last instant', { effective_at => at('2026-04-01', '-1 us'), processed_at => undef, run_id => undef }, '2026-03');
change('made by the product in the next month\'s first', { effective_at => at('2026-04-01'), processed_at => undef, run_id => undef }, '2026-04');
change('processed at the report\'s as-of', { processed_at => at('2026-04-20') }, '2026-04');
change('processed an instant after the report\'s as-of', { processed_at => at('2026-04-20', '1 us') });
change('made by the product at the as-of', { effective_at => at('2026-04-20'), processed_at => undef }, '2026-04');
change('made by the product an instant after', { effective_at => at('2026-04-20', '1 us'), processed_at => undef });
change('the year before', { processed_at => at('2025-03-15') }, '2025-03');
change('the leap day', { processed_at => at('2024-02-29 23:59:59') }, '2024-02');

my $db = Lapse::database();
my $f = Fixture->new($db);
$_->[1]{account} = $f->case($_->[0], { plan_changes => [{ %{ $_->[1] } }] }) for @cases;
my $many = $f->case('several, in the order they were made', { plan_changes => [
    { change_no => 90_000_012, from_plan => 'enterprise', to_plan => 'pro', from_seats => 30, to_seats => 20, reason => 'manual_downgrade', effective_at => at('2026-03-09'), processed_at => at('2026-03-09 04:00'), run_id => 3 },
    { change_no => 90_000_003, from_plan => 'trial', to_plan => 'enterprise', from_seats => 50, to_seats => 30, reason => 'trial_ended', effective_at => at('2026-03-08', '1 ms'), processed_at => at('2026-03-09 04:00'), run_id => 9007199254740993 },
    { change_no => 90_000_100, from_plan => 'pro', to_plan => 'pro', reason => 'seats_changed', effective_at => at('2026-03-11'), processed_at => undef },
] });
$f->load;

sub report { # the rows by account of a run
    my ($as_of, @options) = @_;
    our $runs;
    my $out = $db->dir . '/out' . ++$runs;
    my $r = $db->lapse_env({ TZ => 'Pacific/Kiritimati', PGTZ => 'Pacific/Kiritimati' }, 'run', 'plan-changes-report', '--as-of', $as_of, '--out', $out, @options);
    is $r->{status}, 0, "the run ends well (as of $as_of @options)" or diag $r->{stderr};
    my $set = "$out/" . substr $as_of, 0, 10;
    return (Fixture::report("$set/plan-changes-report.csv"), $set);
}

my %month = map { $_ => (report('2026-04-20', '--month', $_))[0] } qw(2024-02 2025-03 2026-02 2026-03 2026-04);
for my $case (@cases) {
    my ($name, $row, @months) = @$case;
    is_deeply [grep { $month{$_}{ $row->{account} } } sort keys %month], \@months, $name;
}
{
    my ($row) = @{ $month{'2026-03'}{ $cases[0][1]{account} } };
    is_deeply $row, { 'Account ID' => $cases[0][1]{account}, Account => $cases[0][0], 'From Plan' => 'pro', 'To Plan' => 'essentials', 'From Seats' => 10,
        'To Seats' => -1, Reason => 'expired_without_renewal', 'Effective At' => '2026-02-10T12:00:00Z', 'Processed At' => '2026-03-01T00:00:00Z', Run => 7 }, 'all columns of a change that a run made';
    my ($own) = @{ $month{'2026-03'}{ $cases[6][1]{account} } };
    is_deeply [@$own{'Processed At', 'Run'}], [undef, undef], 'one that the product made has neither run nor instant of processing';
}
is_deeply [map { [@$_{'Reason', 'Effective At', 'Run', 'To Seats'}] } @{ $month{'2026-03'}{$many} }],
    [['trial_ended', '2026-03-08T00:00:00Z', 9007199254740993, 30], ['manual_downgrade', '2026-03-09T00:00:00Z', 3, 20], ['seats_changed', '2026-03-11T00:00:00Z', undef, undef]],
    'an account\'s rows stand in the order of their numbers; unknown seats are empty';

# ---- which month, without one given ----
for (['2026-04-01', '2026-03', 'at the month\'s end it is the whole one'], ['2026-03-31T23:59:59Z', '2026-02', 'a second before, the month before'],
    ['2026-04-20', '2026-03', 'later in the month'], ['2024-03-31', '2024-02', 'a leap year\'s February']) {
    my ($as_of, $month, $name) = @$_;
    my ($default) = report($as_of);
    my ($given) = report($as_of, '--month', $month);
    is_deeply $default, $given, "without --month as of $as_of: $name, $month";
    cmp_ok scalar keys %$default, '>', 0, '... and that one has rows';
}

# ---- a month that is not over, or to come ----
{
    my ($rows) = report('2026-03-04T02:00:00Z', '--month', '2026-03');
    is_deeply [sort map { $_->{'Account'} } map { @$_ } values %$rows], [sort grep { /^(?:processed in the first instant of the month|took effect in February|made by the product in the first)/ || /after it was processed/ } map { $_->[0] } @cases],
        'a month that is not over yet has what there is';
    ($rows) = report('2026-04-20', '--month', '2026-12');
    is_deeply $rows, {}, 'a month to come has nothing';
    ($rows, my $set) = report('2026-04-20', '--month', '1999-01');
    is_deeply $rows, {}, 'nor one before everything';
}

# ---- the Summary ----
SKIP: {
    skip 'unzip is not installed', 1 if !grep { -x "$_/unzip" } split /:/, $ENV{PATH};
    my ($rows, $set) = report('2026-04-20', '--month', '2026-03');
    my %figure = Workbook::summary("$set/plan-changes-report.xlsx");
    my (%want, %reason);
    for (map { @$_ } values %$rows) { $want{"$_->{Reason}: $_->{'From Plan'} to $_->{'To Plan'}"}++; $reason{ $_->{Reason} }++ }
    is_deeply { map { $_ => $figure{$_} } grep { /: / } keys %figure }, \%want, 'the Summary counts by reason and plan';
    is_deeply { map { $_ => $figure{$_} } keys %reason }, \%reason, '... and by reason';
    is $figure{'trial_ended: trial to enterprise'}, 1, '... in such words';
    is $figure{'All of 2026-03'}, scalar(map { @$_ } values %$rows), '... and says which month it is';
    (undef, $set) = report('2024-01-31');
    my %none = Workbook::summary("$set/plan-changes-report.xlsx");
    is $none{'All of 2023-12'}, 0, 'without a month given it says so too, and of a month without changes';
}

# ---- the option ----
for my $bad ('2026-13', '2026-00', '2026-3', '26-03', '2026-03-01', 'March', '2026-03 ', "\xD9\xA2026-03") {
    my $r = $db->lapse('run', 'plan-changes-report', '--month', $bad, '--out', $db->dir . '/bad');
    is $r->{status}, 64, "--month '$bad' is a usage error";
    like $r->{stderr}, qr/--month: ".*" is not a month such as 2026-10\n *hint: write the year/, '... that shows what a month looks like';
}
{
    my $r = $db->lapse('run', 'activity-report', '--month', '2026-03', '--out', $db->dir . '/bad');
    is $r->{status}, 64, '--month without this job is a usage error';
    like $r->{stderr}, qr/plan-changes-report/, '... that names the job';
    $r = $db->lapse('--set', 'job.plan-changes-report.month=2026-03', 'run', 'plan-changes-report', '--out', $db->dir . '/bad');
    isnt $r->{status}, 0, 'a month is no setting';
    ok !-e $db->dir . '/bad', 'nothing was published';
    $r = $db->lapse('--set', 'reports.dir=' . $db->dir . '/standing', 'run', 'plan-changes-report', '--as-of', '2026-04-20', '--month', '2026-02');
    is $r->{status}, 0, 'another month without --out ends well';
    ok !-e $db->dir . '/standing/2026-04-20/plan-changes-report.csv', '... and is written only under an explicit --out' or diag $r->{stderr};
    $r = $db->lapse('--set', 'reports.dir=' . $db->dir . '/standing', 'run', 'plan-changes-report', '--as-of', '2026-04-20');
    ok -e $db->dir . '/standing/2026-04-20/plan-changes-report.csv', 'the last month is published as ever' or diag $r->{stderr};
}
done_testing;
