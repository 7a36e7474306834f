# A batch has as many rows as the setting says, fewer where it takes longer than a second. What is changed
# is the same.
use strict;
use warnings;
use Test::More;
use List::Util qw(sum);
use Lapse;

my $db = Lapse::database();
my $dir = $db->dir;
my @settings = ('--set', "reports.dir=$dir/reports", '--set', 'database.batch_rows=50', '--set', 'job.expire-invitations.max_percent=100');
sub lapse { return $db->lapse(@settings, @_) }

# 15 accounts with 10 invitations each.
$db->sql(q{
    INSERT INTO saas.accounts SELECT g, 'Account ' || g, '2025-01-01' FROM generate_series(1, 15) g;
    INSERT INTO saas.organizations (account_id, organization_id, name, status, created_at) SELECT g, g, 'Org', 'active', '2025-01-01' FROM generate_series(1, 15) g;
    INSERT INTO saas.invitations (account_id, invitation_id, email, organization_id, role, status, sent_at)
      SELECT 1 + g / 10, g, g || '@one.example', 1 + g / 10, 'member', 'pending', '2026-01-01' FROM generate_series(0, 149) g});
my $again = q{UPDATE saas.invitations SET status = 'pending', closed_at = NULL};

sub sizes { return map { $_->[0] } $db->rows('SELECT rows FROM lapse.batches WHERE run_id = (SELECT max(run_id) FROM lapse.runs) ORDER BY batch_no') }
sub changed { return $db->one(q{SELECT md5(string_agg(concat_ws(' ', account_id, entity_id, before, after, effective_at), E'\n' ORDER BY account_id, entity_id))
    FROM lapse.changes WHERE run_id = (SELECT max(run_id) FROM lapse.runs)}) }

is lapse('run', 'expire-invitations', '--as-of', '2026-03-01')->{status}, 0, 'a quick run';
is_deeply [sizes()], [(50) x 3], 'has batches of the setting\'s size';
my $all = changed();

sub are_smaller {
    my ($what) = @_;
    my ($first, @others) = sizes();
    is $first, 50, "$what: the first batch is of the setting's size";
    cmp_ok $others[0], '<=', 40, '... the next one is smaller';
    is sum($first, @others), 150, '... and nothing is left out';
    is changed(), $all, '... the changes are the same';
}

# 50 rows take one second and a half.
$db->sql($again . q{;
    CREATE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_catalog.pg_sleep(0.03); RETURN NEW; END';
    CREATE TRIGGER slow BEFORE UPDATE ON saas.invitations FOR EACH ROW EXECUTE FUNCTION public.slow()});
is lapse('run', 'expire-invitations', '--as-of', '2026-03-02')->{status}, 0, 'a slow run';
are_smaller('a run');

$db->sql("ALTER TABLE saas.invitations DISABLE TRIGGER slow; $again");
is lapse('plan', 'expire-invitations', '--as-of', '2026-03-03', '-o', "$dir/plan")->{status}, 0, 'a plan';
$db->sql('ALTER TABLE saas.invitations ENABLE ALWAYS TRIGGER slow');
is lapse('apply', "$dir/plan")->{status}, 0, 'carried out slowly';
are_smaller('a plan');

done_testing;
