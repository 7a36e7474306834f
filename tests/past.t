# A report for a past day, made a month later, says what it said on that day.
use strict;
use warnings;
use Test::More;
use Lapse;

my $day = '2026-03-31';
my $db = Lapse::database();
$db->load(sort glob "$Lapse::top/sql/demo/*.sql");
my @profiles = (['activity-report', '--profile', 'extended'], ['activity-report', '--profile', 'extended', '--window', 7], ['activity-report', '--profile', 'documented'],
    ['plan-changes-report', '--month', '2026-03'], ['renewals-report'], ['attention-report']);
sub reports {
    my ($out, @more) = @_;
    return map {
        my $to = $db->dir . "/$out-" . join '', @$_;
        my $r = $db->lapse('run', @$_, '--as-of', $day, '--out', $to, '--format', 'csv', @more);
        is $r->{status}, 0, "$out: @$_ ends well" or diag $r->{stderr};
        "$to/$day";
    } @profiles;
}
# A run of the product's own, and one of the night before, stand in the month.
$db->sql("INSERT INTO saas.plan_changes (account_id, from_plan, to_plan, reason, effective_at, processed_at, run_id)
    VALUES (10, 'pro', 'essentials', 'expired_without_renewal', '2026-03-30', '2026-03-31', 1), (11, 'essentials', 'pro', 'upgraded', '2026-03-31', NULL, NULL)");
my @then = reports('then');

# A month passes. Nothing of it lies before the as-of; one thing of each kind lies on it to the instant.
$db->sql(<<'SQL');
INSERT INTO saas.users (user_id, email, name, signed_up_at)
SELECT 77000000 + n, 'later' || n || '@later.example', 'Later ' || n, '2026-04-02' FROM generate_series(1, 50) n;
INSERT INTO saas.licenses (account_id, user_id, source, granted_at)
SELECT 1 + n % 50, 77000000 + n, 'manual', '2026-04-03'::timestamptz + n * interval '1 hour' FROM generate_series(1, 50) n;
INSERT INTO saas.licenses (account_id, user_id, source, granted_at) VALUES (1, 77000001, 'scim', '2026-03-31 00:00:00.000001+00');
INSERT INTO saas.account_members (account_id, user_id, role, joined_at)
SELECT 1 + n % 50, 77000000 + n, 'member', '2026-04-03' FROM generate_series(1, 50) n;
UPDATE saas.licenses SET revoked_at = '2026-04-10', revoke_reason = 'left'
WHERE revoked_at IS NULL AND granted_at < '2026-03-31' AND license_id % 7 = 0;
UPDATE saas.licenses SET revoked_at = '2026-03-31 00:00:00.000001+00', revoke_reason = 'left'
WHERE revoked_at IS NULL AND granted_at < '2026-03-31' AND license_id % 7 = 1;
UPDATE saas.account_members SET left_at = '2026-04-11' WHERE left_at IS NULL AND joined_at < '2026-03-31' AND user_id % 5 = 0;
UPDATE saas.organization_members SET left_at = '2026-04-12' WHERE left_at IS NULL AND joined_at < '2026-03-31' AND user_id % 4 = 0;
UPDATE saas.team_members SET left_at = '2026-04-13' WHERE left_at IS NULL AND joined_at < '2026-03-31' AND user_id % 3 = 0;
INSERT INTO saas.organization_members (account_id, organization_id, user_id, via, joined_at, role)
SELECT DISTINCT l.account_id, o.organization_id, l.user_id, 'direct', '2026-04-14'::timestamptz, 'member'
FROM saas.licenses l JOIN saas.organizations o ON o.account_id = l.account_id
WHERE l.user_id % 11 = 0 AND o.created_at < '2026-03-31' AND NOT o.is_personal;
UPDATE saas.organizations SET deleted_at = '2026-04-15' WHERE deleted_at IS NULL AND organization_id % 3 = 0;
UPDATE saas.teams SET deleted_at = '2026-04-15' WHERE deleted_at IS NULL AND team_id % 3 = 0;
UPDATE saas.users SET deleted_at = '2026-04-16' WHERE deleted_at IS NULL AND user_id % 13 = 0;
-- Openings: as-of's own days stay what they were, for last_opened_at alone keeps no past. A8: who has
-- details for the day of the last opening may open later.
INSERT INTO saas.user_activity_days (account_id, user_id, day, requests_created, requests_executed, documents_created)
SELECT l.account_id, l.user_id, date '2026-04-01' + (l.license_id % 25)::integer, 5, 50, 2
FROM saas.licenses l WHERE l.revoked_at IS NULL ON CONFLICT DO NOTHING;
UPDATE saas.user_activity a SET last_opened_at = '2026-04-20'
WHERE a.last_opened_at < '2026-03-31'
  AND (a.last_opened_at AT TIME ZONE 'UTC')::date <= (SELECT max(d.day) FROM saas.user_activity_days d
    WHERE d.account_id = a.account_id AND d.user_id = a.user_id AND d.day <= '2026-03-31');
UPDATE saas.user_activity SET last_login_at = '2026-04-21'
WHERE last_opened_at >= '2025-05-20' AND last_login_at IS NOT NULL
  AND EXISTS (SELECT FROM saas.user_activity_days d WHERE d.account_id = user_activity.account_id AND d.user_id = user_activity.user_id AND d.day <= '2026-03-31');
-- What was found is mended, and new things are there to find.
UPDATE saas.account_members SET left_at = '2026-03-31 00:00:00.000001+00' WHERE role = 'co_owner' AND left_at IS NULL;
INSERT INTO saas.account_members (account_id, user_id, role, joined_at) VALUES (601, 77000002, 'owner', '2026-03-31 00:00:00.000001+00');
UPDATE saas.activation_codes SET redeemed_at = '2026-04-02' WHERE redeemed_at IS NULL AND account_id IN (12, 22);
INSERT INTO saas.activation_codes (account_id, code_hash, plan, issued_at) VALUES (13, 'later', 'pro', '2026-03-31 00:00:00.000001+00');
UPDATE saas.invitations SET status = 'accepted', closed_at = '2026-04-01' WHERE status = 'pending' AND expires_at > '2026-04-01' AND expires_at < '2026-04-05';
UPDATE saas.subscriptions SET status = 'ended', ended_at = '2026-04-02', end_reason = 'trial_ended' WHERE kind = 'trial' AND trial_ends_at BETWEEN '2026-03-31 00:00:00.5+00' AND '2026-04-03';
INSERT INTO saas.subscriptions (account_id, kind, plan, channel, status, seats, started_at, trial_ends_at) VALUES (13, 'trial', 'trial', 'none', 'trialing', 50, '2026-04-01', '2026-04-02');
UPDATE saas.scim_connections SET suspended_at = '2026-04-01' WHERE suspended_at IS NULL;
INSERT INTO saas.organizations (account_id, organization_id, name, is_personal, status, created_at) VALUES (612, 61299, 'Personal', true, 'active', '2026-04-01');
INSERT INTO lapse.quarantine (account_id, job, reason, since, run_id) VALUES (13, 'end-trials', 'later', '2026-03-31 00:00:00.000001+00', 1);
UPDATE saas.billing_lines SET status = 'paid', paid_at = '2026-04-01' WHERE status = 'open';
INSERT INTO saas.billing_lines (account_id, invoice_number, line_number, period_start, amount, currency, status) VALUES (10, 'later', 1, '2026-04-01', 5, 'EUR', 'open');
INSERT INTO saas.subscriptions (account_id, kind, plan, channel, status, seats, started_at, period_end) VALUES (31, 'base', 'pro', 'sales', 'active', 5, '2026-04-01', '2026-05-01');
INSERT INTO saas.plan_changes (account_id, from_plan, to_plan, reason, effective_at, processed_at, run_id)
VALUES (10, 'pro', 'essentials', 'expired_without_renewal', '2026-03-30', '2026-03-31 00:00:00.000001+00', 2), (10, 'pro', 'essentials', 'upgraded', '2026-03-31 12:00:00', NULL, NULL);
SQL
cmp_ok $db->one("SELECT count(*) FROM saas.licenses WHERE revoked_at >= '2026-03-31'"), '>', 1000, 'a month has passed: licenses were revoked';
cmp_ok $db->one("SELECT count(*) FROM saas.user_activity WHERE last_opened_at = '2026-04-20'"), '>', 1000, '... people have opened again';

my @now = reports('now', '--dry-run');
for my $i (0 .. $#profiles) {
    my @files = map { m{([^/]+)$} } sort glob "$then[$i]/*.csv";
    is_deeply [map { m{([^/]+)$} } sort glob "$now[$i]/*.csv"], \@files, "@{ $profiles[$i] }: the same files";
    my @differ = grep { Lapse::slurp("$then[$i]/$_") ne Lapse::slurp("$now[$i]/$_") } @files;
    is_deeply \@differ, [], "@{ $profiles[$i] }: the same bytes"
        or diag `diff $then[$i]/$differ[0] $now[$i]/$differ[0] | head -6`;
}

# The same from a run that publishes: a report job takes any past as-of.
my $r = $db->lapse('run', 'activity-report', '--as-of', $day, '--format', 'csv', '--out', $db->dir . '/again');
is $r->{status}, 0, 'a run for the past day ends well' or diag $r->{stderr};
is Lapse::slurp($db->dir . "/again/$day/activity-report.csv"), Lapse::slurp("$then[0]/activity-report.csv"), 'it says the same';

# And the month does show at its end.
$r = $db->lapse('run', 'activity-report', '--as-of', '2026-04-30', '--format', 'csv', '--out', $db->dir . '/later');
is $r->{status}, 0, 'a run for the month\'s end ends well' or diag $r->{stderr};
isnt Lapse::slurp($db->dir . '/later/2026-04-30/activity-report.csv'), Lapse::slurp("$then[0]/activity-report.csv"), 'that one says something else';
like Lapse::slurp($db->dir . '/later/2026-04-30/activity-report.csv'), qr/later7\@later\.example,Later 7,member/, 'and lists who came later';
is $db->one('SELECT count(*) FROM lapse.changes'), 0, 'reports change nothing';
done_testing;
