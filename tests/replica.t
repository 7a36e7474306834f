# Report jobs read a replica once it has seen the run's changes, else the primary, and say so.
use strict;
use warnings;
use Test::More;
use Lapse;

my $db = Lapse::database();
my $bin = (sort glob '/usr/lib/postgresql/*/bin')[-1];
my $copy = $db->dir . '/replica';
my $as_root = $> == 0;
chmod 0755, $db->dir;
my @server = $as_root ? ('runuser', '-u', 'postgres', '--') : ();
mkdir $copy;
chmod 0700, $copy;
chown scalar getpwnam('postgres'), -1, $copy if $as_root;
my $made = Lapse::command({ PGDATABASE => undef }, @server, "$bin/pg_basebackup", '-D', $copy, '-R', '-c', 'fast', '-h', $ENV{PGHOST}, '-U', $ENV{PGUSER});
plan skip_all => "no base backup here: $made->{stderr}" if $made->{status};
my $start = sub {
    return Lapse::command({}, @server, "$bin/pg_ctl", '-D', $copy, '-w', '-l', "$copy/log", '-o',
        "-c listen_addresses='' -c unix_socket_directories=$copy -c port=5433 -c max_connections=200", 'start');
};
is $start->()->{status}, 0, 'a replica runs' or diag Lapse::slurp("$copy/log");
my $replica = "host=$copy port=5433 dbname=" . $db->name;

$db->sql(q{
    INSERT INTO saas.accounts VALUES (1, 'One', '2026-01-01');
    INSERT INTO saas.users VALUES (1, 'a@one.example', 'A', '2026-01-01');
    INSERT INTO saas.licenses (account_id, user_id, source, granted_at) VALUES (1, 1, 'owner', '2026-01-01');
});
my @job = ('run', 'activity-report', '--as-of', '2026-03-31', '--out', $db->dir . '/out');
my $r = $db->lapse('--set', "database.report_conninfo=$replica", @job);
is $r->{status}, 0, 'a run with a replica';
is $r->{stderr}, '', 'nothing to say: the replica had caught up';
my @rows = Lapse::csv($db->dir . '/out/latest/activity-report.csv');
is scalar @rows, 2, 'and it had the newest license';

my $pause = Lapse::command({ PGDATABASE => $db->name, PGHOST => $copy, PGPORT => 5433 }, 'psql', '-XqAtc', 'SELECT pg_wal_replay_pause()');
is $pause->{status}, 0, 'the replica stands still';
$db->sql("INSERT INTO saas.licenses (account_id, user_id, source, granted_at) VALUES (1, 1, 'manual', '2026-01-02')");
$r = $db->lapse('--set', "database.report_conninfo=$replica", '--set', 'database.report_wait=1 s', @job);
is $r->{status}, 0, 'the run does not fail for it';
like $r->{stderr}, qr/read the primary, not the replica: the replica is behind/, 'but says so';
@rows = Lapse::csv($db->dir . '/out/latest/activity-report.csv');
is scalar @rows, 3, 'and reports what is true';

Lapse::command({}, @server, "$bin/pg_ctl", '-D', $copy, '-m', 'immediate', '-w', 'stop');
$r = $db->lapse('--set', "database.report_conninfo=$replica", @job);
is $r->{status}, 0, 'a replica that is gone';
like $r->{stderr}, qr/read the primary, not the replica: could not connect/, 'is told of';
done_testing;
