# The guard: a wrong rule cannot empty the customer base. At the limit a run goes through; one row more
# and it stops before it changes anything, says so in the ledger, and names the command that goes on.
use strict;
use warnings;
use Test::More;
use JSON::PP qw(decode_json);
use Lapse;

my $as_of = '2026-03-31';
my $demo = Lapse::database();
$demo->load(sort glob "$Lapse::top/sql/demo/*.sql");
my @jobs = map { $_->{job} } grep { $_->{kind} eq 'change' } map { decode_json($_) } split /\n/, $demo->lapse('jobs', '--json')->{stdout};

sub copy_of {
    my ($db) = @_;
    my $copy = Lapse::database(empty => 1);
    Lapse::Database::psql_checked('postgres', $_) for 'DROP DATABASE ' . $copy->name, 'CREATE DATABASE ' . $copy->name . ' TEMPLATE ' . $db->name;
    return $copy;
}
# A run under the guards as they are set, not as tests have them elsewhere.
sub guarded { my ($db, @words) = @_; $db->lapse_env(Lapse::guarded(), @words) }
sub changes { $_[0]->one('SELECT count(*) FROM lapse.changes') }

for my $job (@jobs) {
    my $db = copy_of($demo);
    my @run = ('run', $job, '--as-of', $as_of, '--out', $db->dir . '/out');
    my $r = $db->lapse(@run, '--max-changes', 0);
    my ($due) = $r->{stderr} =~ /^lapse: \Q$job\E: ([\d,]+) rows are due, more than the 0 that are allowed \(--max-changes\); nothing was changed$/m;
    if (!defined $due) {
        is $r->{status}, 0, "$job: nothing is due on the demo data";
        is changes($db), 0, "$job: and nothing was changed";
        next;
    }
    $due =~ s/,//g;
    is $r->{status}, 80, "$job: 0 are allowed: 80";
    is changes($db), 0, "$job: nothing was changed";
    is_deeply [$db->rows("SELECT state, status, finished_at IS NOT NULL FROM lapse.runs WHERE job = '$job'")], [['stopped', 80, 't']], "$job: the ledger says so";
    ok !-e $db->dir . '/out/latest', "$job: nothing is published";
    $r = guarded($db, '--set', "job.$job.max_percent=100", '--set', "job.$job.max_changes=" . 2 * ($due - 1), @run);
    is $r->{status}, 80, "$job: $due are due, " . ($due - 1) . ' allowed: 80';
    is changes($db), 0, "$job: nothing was changed";
    my ($command) = $r->{stderr} =~ /if it is meant: "lapse (.*)"$/m;
    is $command, "run $job --as-of ${as_of}T00:00:00Z --max-changes $due", "$job: the hint says how to go on";
    my $at_limit = copy_of($db);
    $r = guarded($at_limit, '--set', "job.$job.max_percent=100", '--set', "job.$job.max_changes=" . 2 * $due, 'run', $job, '--as-of', $as_of, '--out', $at_limit->dir . '/out');
    is $r->{status}, 0, "$job: $due allowed (halved the first time): done" or diag $r->{stderr};
    cmp_ok changes($at_limit), '>=', $due, "$job: they were changed";
    is $at_limit->one("SELECT counters ->> 'done' FROM lapse.runs WHERE job = '$job' AND state = 'done'"), $due, "$job: the ledger has counted them";
    my $below = copy_of($db);
    is guarded($below, '--set', "job.$job.max_percent=100", '--set', "job.$job.max_changes=" . 2 * ($due + 1), 'run', $job, '--as-of', $as_of, '--out', $below->dir . '/out')->{status}, 0, "$job: one more allowed: done";
    $r = guarded($db, split(/ /, $command), '--out', $db->dir . '/out');
    is $r->{status}, 0, "$job: the command of the hint goes through" or diag $r->{stderr};
    is changes($db), changes($at_limit), "$job: and changes the same";
}

# ---- percent, surge, the first run ----
my $db = Lapse::database();
sub invite {
    my ($account, $n, $sent) = @_;
    $db->sql("INSERT INTO saas.invitations (account_id, email, organization_id, role, status, sent_at)
        SELECT $account, 'i' || n || '\@x.example', $account, 'member', 'pending', '$sent' FROM generate_series(1, $n) n");
}
$db->sql(q{INSERT INTO saas.accounts SELECT g, 'Account ' || g, '2025-01-01' FROM generate_series(1, 9) g;
    INSERT INTO saas.organizations (account_id, organization_id, name, status, created_at) SELECT g, g, 'Org', 'active', '2025-01-01' FROM generate_series(1, 9) g});
sub night { my ($date, @more) = @_; guarded($db, @more, 'run', 'expire-invitations', '--as-of', $date, '--out', $db->dir . '/out') }
invite(1, 1000, '2030-01-01');
invite(2, 99, '2026-01-01');
is night('2026-02-01')->{status}, 0, '99 of 1,099: percent says nothing of fewer than 100 rows, not even the first time';
invite(3, 200, '2026-01-02');
is night('2026-02-02')->{status}, 0, '200 of 1,200 are within 20 percent';
invite(4, 251, '2026-01-03');
my $r = night('2026-02-03');
is $r->{status}, 80, '251 of 1,251 are not';
like $r->{stderr}, qr/251 rows are due, more than the 250 that are allowed \(max_percent 20 of 1251\)/, 'says so';
$db->sql("DELETE FROM saas.invitations WHERE account_id = 4 AND email = 'i1\@x.example'");
is night('2026-02-03')->{status}, 0, '250 of 1,250 are';
is night("2026-02-0$_", '--set', 'job.expire-invitations.surge=1')->{status}, 0, "a quiet night, $_" for 4, 5;
invite(5, 100, '2026-01-06');
$r = night('2026-02-06', '--set', 'job.expire-invitations.surge=1');
is $r->{status}, 80, 'a surge: 100 where 99 are usual';
like $r->{stderr}, qr/100 rows are due, more than the 99 that are allowed \(surge 1 times the usual 99\)/, 'says so';
is night('2026-02-06')->{status}, 0, 'ten times as many are none';
invite(6, 10001, '2026-01-07');
invite(1, 100000, '2030-01-01');
$r = night('2026-02-07', '--set', 'job.expire-invitations.surge=1000');
is $r->{status}, 80, 'more than max_changes, whatever the share';
like $r->{stderr}, qr/10,001 rows are due, more than the 10,000 that are allowed \(max_changes\)/, 'says so';
is night('2026-02-07', '--set', 'job.expire-invitations.surge=1000', '--set', 'job.expire-invitations.max_changes=10001')->{status}, 0, 'unless it is set';

# ---- what was done before counts ----
invite(7, 60, '2026-01-08');
my @small = ('--set', 'database.batch_rows=20', '--set', 'job.expire-invitations.max_changes=60');
$db->sql(q{CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.email = 'i50@x.example' THEN RAISE 'no' USING ERRCODE = '58000'; END IF; RETURN NEW; END $$;
    CREATE TRIGGER fail BEFORE UPDATE ON saas.invitations FOR EACH ROW EXECUTE FUNCTION public.fail()});
is night('2026-02-08', @small)->{status}, 70, 'a run that fails half way';
is $db->one("SELECT counters ->> 'done' FROM lapse.runs ORDER BY run_id DESC LIMIT 1"), 40, 'has done 40 of 60';
$db->sql('DROP TRIGGER fail ON saas.invitations');
invite(8, 1, '2026-01-08');
$r = night('2026-02-08', @small);
is $r->{status}, 80, 'gone on with, 21 more would be 61';
like $r->{stderr}, qr/61 rows would be changed, more than the 60 that are allowed \(max_changes\); the 40 that were changed stay/, 'says what stays';
is $db->one("SELECT count(*) FROM saas.invitations WHERE account_id IN (7, 8) AND status = 'expired'"), 40, 'they stay';
is $db->lapse_env(Lapse::guarded(), 'run', 'expire-invitations', '--as-of', '2026-02-08', '--out', $db->dir . '/out', '--max-changes', 21)->{status}, 0, 'a person goes on';

# ---- users write while it runs: the batch that would cross the limit is not begun ----
invite(9, 40, '2026-01-09');
$db->sql(q{CREATE FUNCTION public.more() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.email = 'i1@x.example' THEN
      INSERT INTO saas.invitations (account_id, email, organization_id, role, status, sent_at) SELECT 9, 'late' || n, 9, 'member', 'pending', '2026-01-09' FROM generate_series(1, 5) n;
    END IF; RETURN NEW; END $$;
    CREATE TRIGGER more AFTER UPDATE ON saas.invitations FOR EACH ROW EXECUTE FUNCTION public.more()});
$r = guarded($db, '--set', 'database.batch_rows=20', '--set', 'job.expire-invitations.max_changes=42', 'run', 'expire-invitations', '--as-of', '2026-02-09', '--out', $db->dir . '/out');
is $r->{status}, 80, '40 were due, 45 are now, 42 are allowed';
like $r->{stderr}, qr/45 rows would be changed, more than the 42 .*; the 20 that were changed stay/, 'it stops before the batch that would cross';
is $db->one("SELECT count(*) FROM saas.invitations WHERE account_id = 9 AND status = 'expired'"), 20, 'what was changed stays';
is_deeply [map { @$_ } $db->rows('SELECT state FROM lapse.runs ORDER BY run_id DESC LIMIT 1')], ['stopped'], 'the ledger says stopped';

is $db->lapse('run', 'expire-invitations', '--max-changes', $_)->{status}, 64, "--max-changes $_: 64" for '-1', 'x', '1e3', '1 ';
is $db->lapse('plan-b', '--max-changes', 1)->{status}, 64, 'only where it belongs';
done_testing;
