# Large reports are read in slices on several connections, under one snapshot: the bytes are those of
# one connection, an account of any size is in one piece, and a connection that cannot be had, or is
# lost, is survived.
use strict;
use warnings;
use POSIX ();
use Test::More;
use Lapse;

my $db = Lapse::database();

# 400 accounts, 60,000 licenses, 25,000 of them in one account; accounts without any before and behind.
$db->sql(q{
    INSERT INTO saas.accounts (account_id, name, created_at) SELECT n, 'Account ' || n, '2025-01-01' FROM generate_series(1, 400) n;
    INSERT INTO saas.users (user_id, email, name, signed_up_at)
        SELECT n, 'u' || n || '@x.example', 'User ' || n, '2025-01-01' FROM generate_series(1, 60000) n;
    INSERT INTO saas.licenses (account_id, user_id, source, granted_at)
        SELECT CASE WHEN n <= 25000 THEN 100 ELSE 10 + n % 380 END, n, 'manual', '2026-01-01' FROM generate_series(1, 60000) n;
    INSERT INTO saas.user_activity (account_id, user_id, last_opened_at)
        SELECT l.account_id, l.user_id, timestamptz '2026-03-31' - make_interval(days => (l.user_id % 130)::integer) FROM saas.licenses l WHERE l.user_id % 7 <> 0;
    INSERT INTO saas.organizations (organization_id, account_id, name, status, created_at) SELECT n, n, 'Org ' || n, 'active', '2025-01-01' FROM generate_series(1, 400) n;
    INSERT INTO saas.organization_members (account_id, organization_id, user_id, via, role, joined_at)
        SELECT l.account_id, l.account_id, l.user_id, 'direct', 'member', '2026-01-01' FROM saas.licenses l WHERE l.user_id % 3 = 0;
    INSERT INTO saas.subscriptions (account_id, kind, plan, channel, status, seats, started_at)
        SELECT n, 'base', 'pro', 'self_serve', 'active', 100, '2025-01-01' FROM generate_series(1, 400) n;
    INSERT INTO saas.invitations (account_id, email, organization_id, role, status, sent_at)
        SELECT CASE WHEN n <= 25000 THEN 100 ELSE 10 + n % 380 END, 'g' || n || '@x.example', CASE WHEN n <= 25000 THEN 100 ELSE 10 + n % 380 END, 'member', 'pending', '2026-01-01' FROM generate_series(1, 35000) n;
    ANALYZE;
});

our @jobs = ('expire-invitations', 'activity-report', 'reconcile-seats');
sub reports {
    my ($connections, @more) = @_;
    my $out = $db->dir . "/out-$connections";
    my $r = $db->lapse('--set', "database.report_connections=$connections", @more, 'run', @jobs, '--max-changes', 60_000, '--as-of', '2026-03-31', '--format', 'csv,xlsx', '--out', $out);
    return ($r, "$out/2026-03-31");
}
sub contents {
    my ($folder) = @_;
    return { map { m{([^/]+)$} ? ($1 => Lapse::slurp($_)) : () } glob "$folder/*.csv $folder/*.xlsx" };
}

my ($r, $folder) = reports(1); # the first run also writes snapshots, and counts them
($r, $folder) = reports(1);
is $r->{status}, 0, 'one connection' or diag $r->{stderr};
my $want = contents($folder);
is scalar(() = $want->{'activity-report.csv'} =~ /\n/g), 60_001, 'reads all licenses';
for my $connections (2, 3, 16) {
    ($r, $folder) = reports($connections);
    is $r->{status}, 0, "$connections connections" or diag $r->{stderr};
    is $r->{stderr}, '', 'with nothing to say';
    my $got = contents($folder);
    is_deeply [map { ($got->{$_} // '') eq $want->{$_} ? () : $_ } sort keys %$want], [], 'give the same bytes';
}

# The large account whole in the second.
my @last = map { $_->[0] } $db->rows(Lapse::slurp("$Lapse::top/sql/ledger/license-slices.sql")
        =~ s/:'slice_rows'/'20000'/r =~ s/:'accounts'/NULL/gr);
is_deeply \@last, [99, 172, 389], 'slices';
is scalar(() = $want->{'expire-invitations.csv'} =~ /\n/g), 35_001, 'all changes';

# A role that may have two connections, which is what a run has besides: all is read on one of them.
# With three the changes have one for each of their two slices; it is the licenses, with three, that want more.
my $role = 'narrow_' . $db->name;
$db->sql("CREATE ROLE $role LOGIN IN ROLE pg_read_all_data, pg_write_all_data");
my $narrow = "database.conninfo=user=$role dbname=" . $db->name;
sub limit_to {
    my ($limit) = @_;
    for (1 .. 500) { # those of the run before may still be leaving
        last if $db->one("SELECT count(*) FROM pg_stat_activity WHERE usename = '$role'") == 0;
        select undef, undef, undef, 0.02;
    }
    $db->sql("ALTER ROLE $role CONNECTION LIMIT $limit");
}
for (['activity-report', 2, 2, 1], ['expire-invitations', 2, 2, 1], ['expire-invitations', 16, 3], ['activity-report', 16, 3, 2], ['', 16, 3, 2]) {
    my ($job, $connections, $limit, $got) = @$_;
    local @jobs = $job || @jobs;
    limit_to($limit);
    Lapse::command({}, '/bin/rm', '-rf', $db->dir . "/out-$connections");
    ($r, $folder) = reports($connections, '--set', $narrow);
    is $r->{status}, 0, "a role with $limit connections: @jobs" or diag $r->{stderr};
    like $r->{stderr}, qr/reports are read on $got connections?, not $connections: .*too many connections/, 'one that cannot be had is told of' if $got;
    is scalar(() = $r->{stderr} =~ /reports are read on/g), $got ? 1 : 0, $got ? 'once' : 'has nothing to say';
    is contents($folder)->{$_}, $want->{$_}, "$_ is the same" for map { "$_.csv" } @jobs;
}

# A report that fails takes no other with it: here the first does not fit where files may not grow
# beyond 2.5 MB, and the next one, which does, begins on new connections.
{
    local @jobs = ('activity-report', 'reconcile-seats');
    my @settings = ('--set', 'job.activity-report.profile=documented', '--set', 'reports.formats=csv');
    my $run = sub { my ($limit, $out, @more) = @_; return Lapse::command($db->env, '/bin/sh', '-c', "ulimit -f $limit; exec \"\$0\" \"\$@\"", $Lapse::lapse, @settings, @more, 'run', @jobs, '--max-changes', 60_000, '--as-of', '2026-03-31', '--out', $db->dir . "/$out") };
    is $run->('unlimited', 'whole')->{status}, 0, 'both reports';
    my $whole = contents($db->dir . '/whole/2026-03-31');
    $r = $run->(5000, 'limited'); # in units of 512 bytes
    isnt $r->{status}, 0, 'one does not fit';
    like $r->{stderr}, qr/reconcile-seats: .*reconcile-seats-detail\.csv/, 'is told';
    unlike $r->{stderr}, qr/activity-report|aborted/, 'of that report alone';
    is contents($db->dir . '/limited/2026-03-31')->{'activity-report.csv'}, $whole->{'activity-report.csv'}, 'the other is there';
    limit_to(2);
    $r = $run->(5000, 'narrow', '--set', $narrow);
    is scalar(() = $r->{stderr} =~ /reports are read on 1 connection, not 2/g), 2, 'a connection that was refused is asked for again by the next one' or diag $r->{stderr};
}

# The second one killed in the middle: nothing is published, and a rerun makes up for it.
my $killed = 0;
for (1 .. 20) {
    my $pid = fork // die;
    if (!$pid) {
        for (1 .. 3000) {
            last if $db->one("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database()
                              AND application_name = 'lapse' AND query LIKE '%day_totals%' AND backend_start > (
                                  SELECT min(backend_start) + interval '1 ms' FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%day_totals%')");
        }
        POSIX::_exit(0);
    }
    ($r, $folder) = reports(2);
    kill 'TERM', $pid;
    waitpid $pid, 0;
    last if $killed = $r->{status} != 0;
}
ok $killed, 'a connection is lost in the middle';
is $r->{status}, 75, 'try again later' or diag $r->{stderr};
like $r->{stderr}, qr{activity-report: sql/activity-report/report\.sql: }, 'says which statement';
($r, $folder) = reports(2);
is $r->{status}, 0, 'so does one';
is contents($folder)->{'activity-report.csv'}, $want->{'activity-report.csv'}, 'and the report is there';
$db->sql("DROP OWNED BY $role; DROP ROLE $role");
done_testing;
