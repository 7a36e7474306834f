# A month's plan changes are the sum of its days: a night's run for every day of March, and what their
# published files of end-trials and downgrade-plans list is what plan-changes-report lists.
use strict;
use warnings;
use Test::More;
use Lapse;

my $db = Lapse::database();
$db->sql(<<'SQL');
SET timezone = 'UTC';
INSERT INTO saas.accounts (account_id, name, created_at) SELECT n, 'Company ' || n, '2025-01-01' FROM generate_series(1, 720) n;
-- When something happens to account n: some minute between 20 February and 10 April.
CREATE TEMP TABLE plot AS
SELECT n, n % 6 AS kind, timestamptz '2026-02-20' + make_interval(mins => n * 7919 % 70560) AS at,
       CASE WHEN n % 5 < 3 THEN 'pro' ELSE 'enterprise' END AS plan
FROM generate_series(1, 720) n;
-- The bases: 0 and 2 have a trial over Essentials, 1 over a paid plan that ends about then as well,
-- 3 lapse, 4 are cancelled and fall to Pro or Essentials, 5 change their seats, and some lapse later.
INSERT INTO saas.subscriptions (account_id, subscription_id, kind, plan, channel, status, seats, period_months, started_at, period_end,
                                cancel_at_period_end, next_plan, next_seats, next_seats_from)
SELECT n, n * 10, 'base', CASE WHEN kind IN (0, 2) THEN 'essentials' WHEN kind = 4 AND n % 4 < 2 THEN 'enterprise' ELSE plan END,
       'sales', CASE WHEN n % 9 = 0 THEN 'past_due' ELSE 'active' END, CASE WHEN kind IN (0, 2) THEN -1 ELSE 10 + n % 40 END, 1, '2025-02-01',
       CASE kind WHEN 1 THEN at + make_interval(days => n % 17 - 8) WHEN 3 THEN at WHEN 4 THEN at WHEN 5 THEN at + make_interval(days => n % 13) END,
       kind = 4, CASE WHEN kind = 4 AND n % 4 < 2 THEN 'pro' END, CASE WHEN kind = 5 OR kind = 4 AND n % 8 = 0 THEN 5 + n % 30 END,
       CASE WHEN kind = 5 THEN at END
FROM plot;
INSERT INTO saas.subscriptions (account_id, subscription_id, kind, plan, channel, status, seats, started_at, trial_ends_at)
SELECT n, n * 10 + 1, 'trial', 'trial', 'none', 'trialing', 50, at - interval '336 hours', CASE WHEN n % 2 = 0 THEN at END FROM plot WHERE kind < 3;
INSERT INTO saas.activation_codes (account_id, code_hash, plan, seats, period_end, issued_at, verified_at)
SELECT n, md5(n::text), plan, 20, at + make_interval(days => CASE WHEN n % 5 = 0 THEN -1 ELSE 300 END), at - interval '20 days', at - interval '2 days'
FROM plot WHERE kind = 2 AND n % 3 <> 0;
-- What the product itself did.
INSERT INTO saas.plan_changes (account_id, change_no, from_plan, to_plan, from_seats, to_seats, reason, effective_at)
SELECT n, 9000000 + n, 'essentials', 'pro', -1, 10, 'upgraded', at - interval '10 days' FROM plot WHERE kind = 3 AND n % 5 < 3;
SELECT setval(pg_get_serial_sequence('saas.subscriptions', 'subscription_id'), 100000);
SQL

# ---- a night for every day; one day has two runs, one has none ----
my $out = $db->dir . '/reports';
my @march = map { sprintf '2026-03-%02d', $_ } 1 .. 31;
my @as_ofs = sort map({ "${_}T02:30:00Z" } '2026-02-27', '2026-02-28', (grep { $_ ne '2026-03-20' } @march), '2026-04-01', '2026-04-02'), '2026-03-15T23:59:59Z', '2026-03-31T23:59:59Z';
my @bad;
for my $as_of (@as_ofs) {
    my $r = $db->lapse('run', 'end-trials', 'downgrade-plans', '--as-of', $as_of, '--out', $out, '--format', 'csv');
    push @bad, "$as_of: $r->{status} $r->{stderr}" if $r->{status};
}
is_deeply \@bad, [], scalar(@as_ofs) . ' nights end well';

# What the days list: per line "account reason: from to to effective". A report of end-trials does not
# say whether a code took over.
sub days {
    my ($match) = @_;
    my @lines;
    for my $set (grep { m{/$match[^/]*$} && !-l } sort glob "$out/*") {
        for (['end-trials', sub { "trial_ended: trial to $_[0]{'To Plan'} $_[0]{'Ended At'}" }], ['downgrade-plans', sub { "$_[0]{Reason}: $_[0]{'From Plan'} to $_[0]{'To Plan'} $_[0]{'Effective At'}" }]) {
            my ($job, $line) = @$_;
            my ($header, @rows) = Lapse::csv("$set/$job.csv");
            for my $row (@rows) { my %row; @row{@$header} = @$row; push @lines, "$row{'Account ID'} " . $line->(\%row) }
        }
    }
    return sort @lines;
}
sub month {
    my ($month) = @_;
    my $to = $db->dir . "/month-$month";
    my $r = $db->lapse('run', 'plan-changes-report', '--month', $month, '--as-of', '2026-04-02T02:30:00Z', '--out', $to, '--format', 'csv');
    is $r->{status}, 0, "the report of $month ends well" or diag $r->{stderr};
    my ($header, @rows) = Lapse::csv("$to/2026-04-02/plan-changes-report.csv");
    return map { my %row; @row{@$header} = @$_; \%row } @rows;
}
sub lines { return sort map { "$_->{'Account ID'} " . ($_->{Reason} =~ s/_to_code//r) . ": $_->{'From Plan'} to $_->{'To Plan'} $_->{'Effective At'}" } grep { defined $_->{Run} } @_ }
sub sums { my %n; /^\d+ (.*) \S+$/ and $n{$1}++ for @_; return \%n }

my @rows = month('2026-03');
my @month = lines(@rows);
my @days = days('2026-03');
is_deeply sums(@month), sums(@days), 'by reason and plan, the month\'s totals are the sum of its days';
is_deeply \@month, \@days, '... and so is every single change';
cmp_ok scalar(grep { !defined $_->{Run} } @rows), '>', 10, 'what the product did itself is listed beside them';

# And that this is not about nothing.
my %reason;
$reason{ $_->{Reason} }++ for @rows;
cmp_ok $reason{$_} // 0, '>', 10, "March has enough of $_" for qw(trial_ended trial_ended_to_code expired_without_renewal manual_downgrade seats_changed upgraded);
my %day = map { substr($_->{'Processed At'} // '', 0, 10) => 1 } @rows;
is scalar(grep { $day{$_} } @march), 30, 'every day but the one without a run has changes';
cmp_ok scalar(grep { defined $_->{Run} && $_->{'Effective At'} lt '2026-03-01' } @rows), '>', 0, 'some took effect in February, and were processed in March';

my @february = lines(month('2026-02'));
my @april = lines(month('2026-04'));
is_deeply \@february, [days('2026-02')], 'so it is for the end of February';
is_deeply \@april, [days('2026-04')], '... and for the beginning of April';
is @february + @month + @april, $db->one('SELECT count(*) FROM saas.plan_changes WHERE run_id IS NOT NULL'), 'together they are all there is';
done_testing;
