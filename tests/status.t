# status: how each job stands, which is late, who was set aside.
use strict;
use warnings;
use Test::More;
use JSON::PP qw(decode_json);
use Lapse;

my $db = Lapse::database();
my @jobs = map { decode_json($_)->{job} } split /\n/, $db->lapse('jobs', '--json')->{stdout};
sub status {
    my (@sets) = @_;
    my $r = $db->lapse('--json', (map { ('--set', $_) } @sets), 'status');
    my @lines = map { decode_json($_) } split /\n/, $r->{stdout};
    return ($r, map { $_->{job} => $_ } grep { exists $_->{next_due} } @lines);
}
my ($r, %job) = status();
is $r->{status}, 0, 'nothing has run: nothing is late' or diag $r->{stderr};
is_deeply [sort keys %job], [sort @jobs], 'every job is listed';
is_deeply [grep { defined } map { $_->{run_id} } values %job], [], 'none has a run';

is $db->lapse('run', 'expire-invitations', '--out', $db->dir . '/out')->{status}, 0, 'one runs';
($r, %job) = status();
is $r->{status}, 0, 'in time';
is_deeply [@{ $job{'expire-invitations'} }{qw(state status late missed)}], ['done', 0, JSON::PP::false, 0], 'and is told so';
$db->sql("UPDATE lapse.runs SET as_of = as_of - interval '26 hours 1 minute'; UPDATE lapse.periods SET as_of = as_of - interval '26 hours 1 minute'");
($r, %job) = status();
is $r->{status}, 80, 'a day and the deadline later it is late: 80';
like $r->{stderr}, qr/^lapse: 1 job is late\n  hint: /, 'in words';
is_deeply [@{ $job{'expire-invitations'} }{qw(late missed)}], [JSON::PP::true, 0], 'none is missed yet';
is +(status('job.expire-invitations.every=2 d'))[0]{status}, 0, 'not where it is due every two days';
is +(status('database.deadline=3 h'))[0]{status}, 0, 'nor where a run may take three hours';
$db->sql("UPDATE lapse.runs SET as_of = as_of - interval '48 hours'; UPDATE lapse.periods SET as_of = as_of - interval '48 hours'");
($r, %job) = status();
is $job{'expire-invitations'}{missed}, 2, 'two more days: two were missed';
like $db->lapse('status')->{stdout}, qr/^expire-invitations .* late, 2 missed$/m, 'in words';

# A stopped run is the last, but the job is done up to the one before.
$db->sql("INSERT INTO saas.accounts VALUES (1, 'One', '2025-01-01'); INSERT INTO saas.organizations (account_id, organization_id, name, status, created_at) VALUES (1, 1, 'Org', 'active', '2025-01-01');
    INSERT INTO saas.invitations (account_id, email, organization_id, role, status, sent_at) VALUES (1, 'a\@x.example', 1, 'member', 'pending', '2026-01-01')");
is $db->lapse('run', 'expire-invitations', '--max-changes', 0, '--out', $db->dir . '/out')->{status}, 80, 'a run that is stopped';
($r, %job) = status();
is_deeply [@{ $job{'expire-invitations'} }{qw(state status late)}], ['stopped', 80, JSON::PP::true], 'does not make it less late';

$db->sql("INSERT INTO lapse.quarantine (account_id, job, sqlstate, reason, since, run_id) VALUES (1, 'end-trials', 'P0001', 'frozen by legal', '2026-03-01', 1)");
like $db->lapse('status')->{stdout}, qr/^accounts that were set aside; every run tries them again\n\naccount  name  job .*\n +1  One   end-trials  2026-03-01T00:00:00Z  frozen by legal$/m, 'who was set aside, since when, and why';
is $db->lapse('status', 'x')->{status}, 64, 'it takes no operand';
done_testing;
