# What sql/roles.sql grants is enough for every job and every check, and not enough to rewrite history.
use strict;
use warnings;
use Test::More;
use Lapse;

my $db = Lapse::database();
my ($runner, $reader) = ("lapse_test_runner_$$", "lapse_test_reader_$$");
$db->sql('REVOKE TEMPORARY ON DATABASE ' . $db->name . ' FROM PUBLIC');
$db->load("$Lapse::top/sql/roles.sql", "$Lapse::top/sql/roles.sql"); # twice: nothing is in its way
$db->load(sort glob "$Lapse::top/sql/demo/*.sql");
$db->sql("CREATE ROLE $runner LOGIN; GRANT lapse_runner TO $runner; CREATE ROLE $reader LOGIN; GRANT lapse_reader TO $reader");
END { eval { Lapse::Database::psql_checked('postgres', "DROP ROLE IF EXISTS $_") } for grep { defined } $runner, $reader }

my $as = { PGUSER => $runner };
my $out = $db->dir . '/out';
my @billing = ('--set', "job.reconcile-billing.input=$Lapse::top/sql/demo/billing/*.csv", '--set', 'job.reconcile-billing.apply_renewals=yes');
my $r = $db->lapse_env($as, @billing, 'run', '--all', '--as-of', '2026-03-31', '--out', $out);
is $r->{status}, 0, 'every job runs' or diag $r->{stderr};
is $db->one("SELECT string_agg(DISTINCT state, ',') FROM lapse.runs"), 'done', 'to its end';
is $db->one('SELECT count(*) FROM lapse.billing_files'), 1, 'files are imported';
is $db->lapse_env($as, @billing, 'run', '--all', '--dry-run', '--as-of', '2026-05-31')->{status}, 0, 'a dry run';
my $plan = $db->dir . '/plan';
is $db->lapse_env($as, 'plan', 'expire-invitations', '--as-of', '2026-05-31', '-o', $plan)->{status}, 0, 'a plan';
$r = $db->lapse_env($as, '--set', "reports.dir=$out", 'apply', $plan);
is $r->{status}, 0, '... is applied' or diag $r->{stderr};

$r = $db->lapse_env($as, '--json', 'check');
is $r->{status}, 0, 'check finds nothing wrong' or diag $r->{stdout};
like $r->{stdout}, qr/"area":"rights","verdict":"ok"/, '... of the rights';
unlike $r->{stdout}, qr/"area":"rights","verdict":"(note|WRONG)"/, '... nor too many of them';
is $db->lapse_env($as, $_, $_ eq 'show' ? 1 : ())->{status}, 0, "lapse $_" for qw(history show);

sub refused {
    my ($role, $sql) = @_;
    my $said = Lapse::command({ PGDATABASE => $db->name, PGUSER => $role }, 'psql', '-XqAtc', $sql);
    like $said->{stderr}, qr/permission denied/, "$sql: refused";
}
for my $table (qw(changes batches)) {
    refused($runner, "UPDATE lapse.$table SET run_id = run_id");
    refused($runner, "DELETE FROM lapse.$table");
    refused($runner, "TRUNCATE lapse.$table");
}
refused($runner, 'UPDATE saas.subscriptions SET plan = plan');
refused($runner, 'UPDATE saas.invitations SET email = email');
refused($runner, 'DELETE FROM saas.licenses');
refused($reader, 'UPDATE saas.invitations SET status = status');
refused($reader, 'INSERT INTO lapse.holds (account_id, reason, held_at) VALUES (1, $$x$$, $$2026-01-01$$)');
$r = $db->lapse_env({ PGUSER => $reader }, 'history');
is $r->{status}, 0, 'the reader reads';
$r = $db->lapse_env({ PGUSER => $reader }, 'run', '--all', '--as-of', '2026-04-30', '--out', $out);
is $r->{status}, 77, 'and changes nothing';

undef $db; # before the roles go
done_testing;
