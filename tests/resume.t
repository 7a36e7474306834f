# A run that was left unfinished is finished as it was asked for; the report of its date misses nothing.
use strict;
use warnings;
use Test::More;
use Lapse;

my $db = Lapse::database();
my $dir = $db->dir;
my @settings = ('--set', "reports.dir=$dir/reports", '--set', 'reports.formats=csv');
sub lapse { return $db->lapse(@settings, @_) }
sub lines { my @rows = Lapse::csv($_[0]); return @rows - 1 }

$db->sql(q{
    INSERT INTO saas.accounts SELECT g, 'Account ' || g, '2025-01-01' FROM generate_series(1, 3) g;
    INSERT INTO saas.users VALUES (1, 'a@one.example', 'A', '2025-01-01');
    INSERT INTO saas.licenses (account_id, user_id, source, granted_at) SELECT g, 1, 'owner', '2025-01-01' FROM generate_series(1, 3) g;
    INSERT INTO saas.organizations (account_id, organization_id, name, status, created_at) SELECT g, g, 'Org', 'active', '2025-01-01' FROM generate_series(1, 3) g;
    INSERT INTO saas.subscriptions (account_id, kind, plan, channel, status, seats, period_months, started_at, period_end)
      SELECT g, 'base', 'pro', 'self_serve', 'active', 5, 1, '2025-01-01', '2026-05-20' FROM generate_series(1, 3) g;
    INSERT INTO saas.subscriptions (account_id, kind, plan, channel, status, started_at) VALUES (1, 'trial', 'trial', 'none', 'trialing', '2026-05-15');
});

# Killed when only end-trials had been done: all of that night is finished, for its date.
is lapse('run', '--all', '--as-of', '2026-06-01')->{status}, 0, 'a night';
my %first = map { $_ => Lapse::slurp("$dir/reports/2026-06-01/$_.csv") } qw(end-trials downgrade-plans);
is lines("$dir/reports/2026-06-01/downgrade-plans.csv"), 3, 'the lapse that came with the trial is in the report of downgrades';
$db->sql("UPDATE lapse.runs SET state = 'running', finished_at = NULL, status = NULL");
Lapse::command({}, 'rm', '-r', "$dir/reports");
my $r = lapse('run', '--all');
is $r->{status}, 0, 'the next night';
my $jobs = () = lapse('jobs', '--json')->{stdout} =~ /^\{/mg;
is scalar(() = $r->{stderr} =~ /left unfinished/g), $jobs, 'finishes every run of the one before';
is Lapse::slurp("$dir/reports/2026-06-01/$_.csv"), $first{$_}, "$_: the same report" for sort keys %first;
is $db->one("SELECT count(*) FROM lapse.runs WHERE state <> 'done'"), 0, 'nothing is left';
like $r->{stdout}, qr/activity-report +3 .*done \(finished\)/, 'what was looked at is not counted twice';

# An unfinished run of all accounts is not finished into somebody's folder for one account.
$db->sql("UPDATE lapse.runs SET state = 'running', finished_at = NULL WHERE run_id = (SELECT max(run_id) FROM lapse.runs WHERE job = 'activity-report')");
my ($last) = map { $_->[0] } $db->rows("SELECT (as_of AT TIME ZONE 'UTC')::date FROM lapse.runs WHERE job = 'activity-report' ORDER BY run_id DESC LIMIT 1");
Lapse::command({}, 'rm', '-r', "$dir/reports");
is lapse('run', 'activity-report', '--account', '1', '--window', '7', '--out', "$dir/mine")->{status}, 0, 'one account, one week, a folder of one\'s own';
is lines("$dir/reports/$last/activity-report.csv"), 3, 'the unfinished report is published where it belongs, whole';
is lines("$dir/mine/latest/activity-report.csv"), 1, 'and the one that was asked for has one account';

# Options that say what the settings say change nothing; others are not published without --out.
is lapse('run', 'activity-report', '--window', '90', '--as-of', '2026-06-02')->{status}, 0, '--window 90 is the default';
is lines("$dir/reports/2026-06-02/activity-report.csv"), 3, 'and published';
$r = lapse('run', 'activity-report', 'expire-invitations', '--window', '7', '--as-of', '2026-06-03', '--allow-backdate');
like $r->{stderr}, qr/activity-report: not published, because its options differ/, 'a report of another window is not, and says so';
ok !-e "$dir/reports/2026-06-03/activity-report.csv", '... it is not there';
ok -e "$dir/reports/2026-06-03/expire-invitations.csv", '... the other job\'s is';

# A run that had changed something and is then refused is still unfinished.
$db->sql(q{INSERT INTO saas.invitations (account_id, invitation_id, email, organization_id, role, status, sent_at, expires_at)
    VALUES (1, 1, 'x@one.example', 1, 'member', 'pending', '2026-01-01', '2026-02-01'), (1, 2, 'y@one.example', 1, 'member', 'pending', '2026-01-01', '-infinity')});
is lapse('run', 'expire-invitations')->{status}, 80, 'nonsense stops the run';
is $db->one("SELECT status FROM saas.invitations WHERE invitation_id = 1"), 'pending', 'before any change';
$db->sql("DELETE FROM saas.invitations WHERE invitation_id = 2");
is lapse('run', 'expire-invitations')->{status}, 0, 'mended, it runs';

# An account that is not there is a slip of the finger.
$r = lapse('run', 'expire-invitations', '--account', '1,77');
is $r->{status}, 64, 'an unknown account is an error';
like $r->{stderr}, qr/there is no account 77/, 'that names it';
done_testing;
