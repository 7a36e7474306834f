# What the database refuses does not stop the rest: the account is found, set aside with SQLSTATE and
# reason, tried again by every run, and free once it is mended.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(time);
use Lapse;

my $db = Lapse::database();
my $rows = $ENV{LAPSE_TEST_REFUSED_ROWS} || 50_000;
$db->sql("INSERT INTO saas.accounts SELECT g, 'Account ' || g, '2025-01-01' FROM generate_series(1, $rows) g;
    INSERT INTO saas.organizations (account_id, organization_id, name, status, created_at) SELECT g, g, 'Org', 'active', '2025-01-01' FROM generate_series(1, $rows) g;
    INSERT INTO saas.subscriptions (account_id, subscription_id, kind, plan, channel, status, seats, started_at) SELECT g, 10000000 + g, 'base', 'essentials', 'none', 'active', -1, '2025-01-01' FROM generate_series(1, $rows) g;
    INSERT INTO saas.invitations (account_id, invitation_id, email, organization_id, role, status, sent_at) SELECT g, g, 'i' || g || '\@x.example', g, 'member', 'pending', '2026-01-01' FROM generate_series(1, $rows) g;
    ANALYZE saas.invitations");
my @run = ('run', 'expire-invitations', '--as-of', '2026-02-01', '--format', 'csv', '--out', $db->dir . '/out');
sub expired { $db->one("SELECT count(*) FROM saas.invitations WHERE status = 'expired'") }
sub refuse {
    my ($where) = @_;
    $db->sql("CREATE OR REPLACE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS \$\$
        BEGIN IF $where THEN RAISE EXCEPTION 'frozen by legal'; END IF; RETURN NEW; END \$\$;
        DROP TRIGGER IF EXISTS refuse ON saas.invitations;
        CREATE TRIGGER refuse BEFORE UPDATE ON saas.invitations FOR EACH ROW EXECUTE FUNCTION public.refuse()");
}

# The trigger that refuses nobody costs time as well: both runs have one, each on a table of its own.
refuse('NEW.invitation_id < 0');
$db->sql('VACUUM ANALYZE');
my $undisturbed = do {
    my $copy = Lapse::database(empty => 1);
    Lapse::Database::psql_checked('postgres', $_) for 'DROP DATABASE ' . $copy->name, 'CREATE DATABASE ' . $copy->name . ' TEMPLATE ' . $db->name;
    my $begun = time;
    is $copy->lapse(@run)->{status}, 0, 'undisturbed';
    my $took = time - $begun;
    is $copy->one("SELECT count(*) FROM saas.invitations WHERE status = 'expired'"), $rows, 'all are changed';
    $took;
};
my @refused = (int($rows / 7), int($rows / 2), $rows - 3);
refuse('NEW.invitation_id IN (' . join(', ', @refused) . ')');
my $begun = time;
my $r = $db->lapse(@run);
my $disturbed = time - $begun;
is $r->{status}, 83, 'three are refused: 83';
is expired(), $rows - 3, 'all others are changed';
is_deeply [$db->rows('SELECT account_id, job, sqlstate, reason LIKE $$%frozen by legal%$$ FROM lapse.quarantine ORDER BY 1')], [map { [$_, 'expire-invitations', 'P0001', 't'] } @refused], 'the three are set aside, with SQLSTATE and reason';
like $r->{stderr}, qr/^lapse: expire-invitations: account $refused[0] was set aside: the database refuses it \(SQLSTATE P0001\) \(and 2 more\)\n  hint: "lapse status" says why; mend it, every run tries it again$/m, 'the message names the first';
diag sprintf 'undisturbed %.1f s, with three refused %.1f s: %.2f times as long', $undisturbed, $disturbed, $disturbed / $undisturbed;
is $db->lapse('verify', '--audit')->{status}, 0, 'the audit chain holds';
is Lapse::csv($db->dir . '/out/2026-02-01/expire-invitations.csv') - 1, $rows - 3, 'the report has what was changed';

# Tried again, and the age is that of the first time.
$r = $db->lapse('run', 'expire-invitations', '--as-of', '2026-02-05', '--out', $db->dir . '/out');
is $r->{status}, 83, 'the next night they are tried again';
is $db->one("SELECT string_agg(DISTINCT (since AT TIME ZONE 'UTC')::date::text, ',') FROM lapse.quarantine"), '2026-02-01', 'their age is told from the first time';
refuse("NEW.invitation_id = $refused[1]");
is $db->lapse('run', 'expire-invitations', '--as-of', '2026-02-06', '--out', $db->dir . '/out')->{status}, 83, 'two are mended';
is $db->one('SELECT string_agg(account_id::text, $$,$$) FROM lapse.quarantine'), $refused[1], 'one is left';
$db->sql('DROP TRIGGER refuse ON saas.invitations');
is $db->lapse('run', 'expire-invitations', '--as-of', '2026-02-07', '--out', $db->dir . '/out')->{status}, 0, 'after the trigger is dropped the next run takes it';
is expired(), $rows, 'all are changed';
is $db->one('SELECT count(*) FROM lapse.quarantine'), 0, 'and nobody is set aside';

# One account with many rows: those that are refused, and no other.
$db->sql("UPDATE saas.invitations SET status = 'pending', closed_at = NULL WHERE invitation_id <= 300");
$db->sql("INSERT INTO saas.invitations (account_id, invitation_id, email, organization_id, role, status, sent_at) SELECT 150, 1000000 + n, 'm' || n, 150, 'member', 'pending', '2026-01-01' FROM generate_series(1, 200) n");
refuse("NEW.email IN ('m50', 'm60')");
my $dry = $db->lapse('run', 'expire-invitations', '--as-of', '2026-02-08', '--dry-run', '--json');
is $dry->{status}, 83, 'two rows of one account: a dry run sets it aside';
is_deeply [scalar(() = $dry->{stdout} =~ /"entity":/g), $dry->{stdout} =~ /"changed":(\d+),.*"set_aside":(\d+)/], [498, 498, 1], '... and lists all else';
is_deeply [$db->one("SELECT count(*) FROM saas.invitations WHERE status = 'pending'"), $db->one('SELECT count(*) FROM lapse.quarantine')], [500, 0], '... and changes nothing';
my $why = $db->lapse('explain', 'expire-invitations', '150/1000050', '--as-of', '2026-02-08');
is $why->{status}, 0, 'explain of one that is refused' or diag $why->{stderr};
like $why->{stdout}, qr/the database refuses it \(SQLSTATE P0001\): .*frozen by legal/, '... says so';
unlike $db->lapse('explain', 'expire-invitations', '151/151', '--as-of', '2026-02-08')->{stdout}, qr/refuses/, '... and not of another';
is $db->lapse('run', 'expire-invitations', '--as-of', '2026-02-08', '--out', $db->dir . '/out')->{status}, 83, 'two rows of one account';
is $db->one("SELECT string_agg(email, ',' ORDER BY email) FROM saas.invitations WHERE status = 'pending'"), 'm50,m60', 'are left, all else is changed';
is_deeply [map { @$_ } $db->rows('SELECT account_id FROM lapse.quarantine')], [150], 'the account is set aside once';

# What is refused only when the batch is committed.
$db->sql("DROP TRIGGER refuse ON saas.invitations; DELETE FROM lapse.quarantine; UPDATE saas.invitations SET status = 'pending', closed_at = NULL WHERE invitation_id <= 300");
refuse('false');
$db->sql("CREATE FUNCTION public.late() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN IF NEW.invitation_id IN (20, 250) THEN RAISE EXCEPTION 'too late'; END IF; RETURN NULL; END \$\$;
    CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON saas.invitations DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.late()");
is $db->lapse('run', 'expire-invitations', '--as-of', '2026-02-08', '--out', $db->dir . '/out')->{status}, 83, 'two are refused at the commit';
is_deeply [map { @$_ } $db->rows('SELECT account_id FROM lapse.quarantine ORDER BY 1')], [20, 250], '... they are found and set aside';
is $db->one("SELECT string_agg(invitation_id::text, ',' ORDER BY invitation_id) FROM saas.invitations WHERE status = 'pending'"), '20,250', '... all others are changed';
is $db->lapse('verify', '--audit')->{status}, 0, '... the audit chain holds';
is $db->one("SELECT (counters ->> 'done')::bigint - (counters ->> 'changed')::bigint FROM lapse.runs ORDER BY run_id DESC LIMIT 1"), 0, '... the ledger has counted what was done';
$db->sql('DROP TRIGGER late ON saas.invitations');

# Too many: the run fails, and what was changed stays.
$db->sql("UPDATE saas.invitations SET status = 'pending', closed_at = NULL WHERE invitation_id <= 300");
refuse('NEW.invitation_id <= 300');
$r = $db->lapse('--set', 'job.expire-invitations.max_quarantined=5', 'run', 'expire-invitations', '--as-of', '2026-02-09', '--out', $db->dir . '/out');
is $r->{status}, 70, 'more than max_quarantined: the run fails';
like $r->{stderr}, qr/more than max_quarantined accounts are refused \(5\); the last, 6: /, 'says so';
$db->sql('DROP TRIGGER refuse ON saas.invitations');
is $db->lapse('run', 'expire-invitations', '--as-of', '2026-02-09', '--out', $db->dir . '/out')->{status}, 0, 'mended, it goes on';
is expired(), $rows + 200, 'and takes them all';

# A constraint, and a job that changes whole accounts.
$db->sql("ALTER TABLE saas.subscriptions ADD CONSTRAINT keep CHECK (account_id <> 7 OR status <> 'ended');
    UPDATE saas.subscriptions SET plan = 'pro', seats = 5, channel = 'self_serve', period_months = 1, period_end = '2026-01-15' WHERE account_id <= 40");
$r = $db->lapse('run', 'downgrade-plans', '--as-of', '2026-02-01', '--out', $db->dir . '/out');
is $r->{status}, 83, 'a constraint refuses one of 40 accounts';
is $db->one("SELECT sqlstate FROM lapse.quarantine WHERE job = 'downgrade-plans' AND account_id = 7"), '23514', 'it is set aside';
is $db->one("SELECT count(*) FROM saas.subscriptions WHERE status = 'ended'"), 39, 'the others lapse';
is $db->one("SELECT count(*) FROM saas.plan_changes WHERE account_id = 7"), 0, 'of the refused one nothing is written';

# Our own mistakes are not the account's.
$db->sql('ALTER TABLE saas.subscriptions DROP CONSTRAINT keep; ALTER TABLE saas.plan_changes RENAME COLUMN reason TO cause');
is $db->lapse('run', 'downgrade-plans', '--as-of', '2026-02-02', '--out', $db->dir . '/out')->{status}, 78, 'a missing column stops the run';
done_testing;
