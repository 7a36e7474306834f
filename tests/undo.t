# undo: a night is put back run by run; what somebody changed since is left and listed; an undo can be
# undone.
use strict;
use warnings;
use Test::More;
use JSON::PP qw(decode_json);
use Lapse;

my $as_of = '2026-03-31';
my $db = Lapse::database();
$db->load(sort glob "$Lapse::top/sql/demo/*.sql");
my $out = $db->dir . '/out';
my @tables = grep { !/^(?:seat_snapshots|user_activity_days|billing_lines)$/ } map { $_->[0] } $db->rows("SELECT table_name FROM information_schema.tables WHERE table_schema = 'saas' ORDER BY 1");
sub rows_of { my ($db) = @_; return { map { my $t = $_; ($t => { map { $_->[0] => 1 } $db->rows("SELECT (to_jsonb(t) - 'last_seen_at')::text FROM saas.$t t") }) } @tables } } # last_seen_at has no audit
sub copy_of {
    my ($db) = @_;
    my $copy = Lapse::database(empty => 1);
    Lapse::Database::psql_checked('postgres', $_) for 'DROP DATABASE ' . $copy->name, 'CREATE DATABASE ' . $copy->name . ' TEMPLATE ' . $db->name;
    return $copy;
}
sub lapse { my ($db, @words) = @_; $db->lapse('--set', "reports.dir=$out", @words) }

my $before = rows_of($db);
is lapse($db, 'run', '--all', '--as-of', $as_of)->{status}, 0, 'a night';
my $after = rows_of($db);
my %report = map { m{([^/]+)$} => Lapse::slurp($_) } glob "$out/$as_of/*.csv";
my @runs = map { $_->[0] } $db->rows("SELECT r.run_id FROM lapse.runs r WHERE EXISTS (SELECT FROM lapse.changes c WHERE c.run_id = r.run_id) ORDER BY 1 DESC");
my $night = copy_of($db);

# ---- without a folder for reports ----
{
    my $copy = copy_of($db);
    my $r = $copy->lapse('undo', $runs[0]);
    is $r->{status}, 0, 'an undo needs no folder for reports' or diag $r->{stderr};
    cmp_ok $copy->one('SELECT count(*) FROM lapse.undone'), '>', 0, '... and puts back';
}

# ---- all of it, newest first ----
for my $run (@runs) {
    my ($job) = map { $_->[0] } $db->rows("SELECT job FROM lapse.runs WHERE run_id = $run");
    my @dry = grep { $_->{entity} } map { decode_json($_) } split /\n/, lapse($db, '--json', 'undo', $run, '--dry-run')->{stdout};
    my $r = lapse($db, '--json', 'undo', $run);
    is $r->{status}, 0, "undo of $job" or diag $r->{stderr};
    my ($line, @left) = map { decode_json($_) } split /\n/, $r->{stdout};
    is scalar @left, 0, "$job: nothing is left" or diag $r->{stdout};
    is $line->{changed}, scalar @dry, "$job: as many rows as its dry run showed";
    cmp_ok $line->{changed}, '>', 0, "$job: rows were put back";
}
my $undone = rows_of($db);
for my $table (@tables) {
    my @lost = grep { !$undone->{$table}{$_} } sort keys %{ $before->{$table} };
    is_deeply \@lost, [], "$table: every row is as it was before the night";
}
is $db->one("SELECT count(*) FROM saas.subscriptions WHERE end_reason = 'undone' AND (status <> 'ended' OR ended_at IS NULL OR ended_at < started_at)"), 0, 'subscriptions of the night are ended, never before their start';
is $db->one("SELECT count(*) FROM saas.subscriptions s WHERE NOT EXISTS (SELECT FROM saas.subscriptions b WHERE b.account_id = s.account_id AND b.status <> 'ended' AND b.kind = 'base') AND s.account_id NOT IN (600)"), 0, 'every account has its base again';
is $db->one("SELECT count(*) FROM saas.plan_changes a WHERE a.reason <> 'undone' AND a.run_id IS NOT NULL AND NOT EXISTS (SELECT FROM saas.plan_changes b WHERE b.account_id = a.account_id AND b.reason = 'undone' AND (b.from_plan, b.to_plan) = (a.to_plan, a.from_plan))"), 0, 'every change of plan has the row that reverses it';
is $db->one("SELECT count(*) FROM saas.organization_exports e JOIN lapse.changes c ON c.account_id = e.account_id AND c.entity = 'organization_exports' AND c.entity_id = e.organization_id || '/' || e.export_id WHERE e.status <> 'cancelled'"), 0, 'exports of the night are cancelled';
is lapse($db, 'verify', '--audit')->{status}, 0, 'the audit chain holds';
is $db->one("SELECT count(*) FROM lapse.changes c WHERE c.run_id IN (" . join(',', @runs) . ") AND NOT EXISTS (SELECT FROM lapse.undone u WHERE u.account_id = c.account_id AND u.change_id = c.change_id)"), 0, 'every change is marked as undone';

# The accounts are held: the next night leaves them alone, and the reports of the night are empty.
is $db->one("SELECT count(DISTINCT account_id) FROM lapse.changes c WHERE run_id IN (" . join(',', @runs) . ") AND NOT EXISTS (SELECT FROM lapse.holds h WHERE h.account_id = c.account_id AND h.reason LIKE 'undo of run %')"), 0, 'every account that was touched is held';
my %jobs = map { $_->{job} => $_ } map { decode_json($_) } split /\n/, $db->lapse('jobs', '--json')->{stdout};
my $r = lapse($db, '--json', 'run', '--all', '--as-of', $as_of);
is $r->{status}, 0, 'the night once more' or diag $r->{stderr};
my %second = map { $_->{job} => $_ } map { decode_json($_) } split /\n/, $r->{stdout};
is_deeply [grep { $second{$_}{changed} } sort keys %second], [], 'it does not do again what was undone';
is $second{'expire-invitations'}{rows}, 0, 'and reports leave it out';

# ---- an undo undone ----
my @undos = map { $_->[0] } $db->rows("SELECT run_id FROM lapse.runs WHERE job = 'undo' ORDER BY 1 DESC");
for my $run (@undos) {
    $r = lapse($db, '--json', 'undo', $run, '--no-hold');
    is $r->{status}, 0, "undo of undo $run" or diag $r->{stderr};
}
my $redone = rows_of($db);
for my $table (grep { $_ ne 'plan_changes' } @tables) {
    my @lost = grep { !$redone->{$table}{$_} } sort keys %{ $after->{$table} };
    is_deeply \@lost, [], "$table: every row is as the night left it";
}
is $db->one("SELECT count(*) FROM lapse.holds WHERE reason = 'undo of run $undos[0]'"), 0, '--no-hold holds nobody';
$db->sql('DELETE FROM lapse.holds');
$r = lapse($db, '--json', 'run', 'expire-invitations', '--as-of', $as_of);
is Lapse::slurp("$out/$as_of/expire-invitations.csv"), $report{'expire-invitations.csv'}, 'its report is back, byte for byte';
is lapse($db, 'verify', '--audit')->{status}, 0, 'the audit chain holds';

# ---- what was changed since ----
my %of = map { @$_ } $night->rows('SELECT job, run_id FROM lapse.runs');
$night->sql("UPDATE saas.invitations SET status = 'revoked' WHERE (account_id, invitation_id) IN (SELECT account_id, entity_id::bigint FROM lapse.changes WHERE entity = 'invitations' ORDER BY change_id LIMIT 3)");
$r = lapse($night, '--json', 'undo', $of{'expire-invitations'});
is $r->{status}, 0, 'three invitations were revoked since';
my ($line, @left) = map { decode_json($_) } split /\n/, $r->{stdout};
is scalar @left, 3, 'they are listed';
is $line->{changed}, 597 - 3, 'all others are put back';
is $night->one("SELECT count(*) FROM saas.invitations i JOIN lapse.changes c ON c.account_id = i.account_id AND c.entity = 'invitations' AND c.entity_id = i.invitation_id::text AND c.run_id = $of{'expire-invitations'} WHERE i.status = 'revoked'"), 3, 'they stay revoked';
like lapse($night, 'undo', $of{'expire-invitations'})->{stdout}, qr/^left as they are, because they were changed since: 3\n/m, 'a second undo finds nothing more, and says so in words';

# 201 has lapsed to Essentials; then somebody changes that Essentials: its plan is left whole.
$night->sql("UPDATE saas.subscriptions SET external_ref = 'changed' WHERE account_id = 201 AND status = 'active'");
$r = lapse($night, '--json', 'undo', $of{'downgrade-plans'});
($line, @left) = map { decode_json($_) } split /\n/, $r->{stdout};
is_deeply [sort map { "$_->{account_id} $_->{entity}" } @left], ['201 plan_changes', '201 subscriptions', '201 subscriptions'], 'an account whose plan was changed since is left whole';
is $night->one("SELECT string_agg(plan, ',') FROM saas.subscriptions WHERE account_id = 201 AND status <> 'ended'"), 'essentials', 'it keeps the plan it has';
is $night->one("SELECT count(*) FROM saas.domains WHERE account_id = 201 AND suspended_at IS NOT NULL"), 0, 'what else the run did there is put back';
my ($header, @report) = Lapse::csv("$out/latest/undo.csv");
is_deeply [map { "$_->[2] $_->[4]" } grep { $_->[0] == 201 } @report], [sort map { "$_->[2] $_->[4]" } grep { $_->[0] == 201 } @report], 'the report is in order';
is scalar(grep { $_->[0] == 201 && $_->[4] eq 'left' && $_->[5] =~ /changed since/ } @report), 3, 'the report says what was left, and why';
like lapse($night, 'history')->{stdout}, qr/^ *$of{'downgrade-plans'}  downgrade-plans .* by \d+$/m, 'history shows what was undone by what';

# A row that the run made and somebody has ended since is theirs now, though what the run wrote still stands.
my ($captured) = map { $_->[0] } $night->rows("SELECT l.license_id FROM saas.licenses l JOIN lapse.changes c ON c.account_id = l.account_id AND c.entity = 'licenses' AND c.entity_id = l.license_id::text WHERE c.run_id = $of{'capture-domain-users'} ORDER BY 1 LIMIT 1");
$night->sql("UPDATE saas.licenses SET revoked_at = '2026-04-02', revoke_reason = 'removed_by_admin' WHERE license_id = $captured");
$r = lapse($night, '--json', 'undo', $of{'capture-domain-users'});
($line, @left) = map { decode_json($_) } split /\n/, $r->{stdout};
is_deeply [map { "$_->{entity} $_->{entity_id}" } @left], ["licenses $captured"], 'a license of the run that an admin has revoked since is left';
is $night->one("SELECT revoke_reason FROM saas.licenses WHERE license_id = $captured"), 'removed_by_admin', '... with their reason';

# ---- a row that the database refuses to have put back ----
$night->sql(q{CREATE FUNCTION public.no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.account_id = 401 THEN RAISE 'frozen by legal'; END IF; RETURN NEW; END $$;
    CREATE TRIGGER no BEFORE UPDATE ON saas.organizations FOR EACH ROW EXECUTE FUNCTION public.no()});
$r = lapse($night, '--json', 'undo', $of{'flag-inactive-organizations'});
is $r->{status}, 83, 'an account is refused: set aside';
is_deeply [map { @$_ } $night->rows("SELECT account_id, job FROM lapse.quarantine WHERE job = 'undo' AND account_id = 401")], [401, 'undo'], '... by the undo';
cmp_ok +(map { decode_json($_) } split /\n/, $r->{stdout})[0]{changed}, '>', 10, '... the others are put back';
$night->sql('DROP TRIGGER no ON saas.organizations');
is lapse($night, 'undo', $of{'flag-inactive-organizations'})->{status}, 0, 'mended, the same command puts it back';
is $night->one("SELECT count(*) FROM saas.organizations WHERE account_id = 401 AND status = 'inactive' AND inactive_reason = 'enterprise_ended'"), 0, '... whole';

# ---- refused ----
is lapse($night, 'undo')->{status}, 64, 'which run?';
is lapse($night, 'undo', 'x')->{status}, 64, 'not a number';
is lapse($night, 'undo', 99999)->{status}, 66, 'no such run';
is lapse($night, 'run', 'undo')->{status}, 64, 'it is no job to run by name';
like lapse($night, 'undo', $of{'activity-report'})->{stdout}, qr/changed nothing/, 'a run that changed nothing';
$night->sql("UPDATE lapse.runs SET state = 'running' WHERE run_id = $of{'end-trials'}");
is lapse($night, 'undo', $of{'end-trials'})->{status}, 75, 'a run that is still under way';
done_testing;
