# Promise: a lost COMMIT answer is resolved, not guessed. A proxy cuts a small run's connections after
# every so many bytes, in either direction; whatever the program then says must be what the database
# holds, and a rerun completes the work without doubling any of it.
#
#   LAPSE_TEST_STEP=N      bytes between two cuts, default 200
#   LAPSE_TEST_WORKERS=N   how many at a time, default 2
use strict;
use warnings;
use lib 'tests/lib';
use File::Path qw(make_path remove_tree);
use Lapse;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);

my $step = $ENV{LAPSE_TEST_STEP} || 200;
my $workers = $ENV{LAPSE_TEST_WORKERS} || 2;
my $due = 20;
my @run = ('--json', '--set', 'database.deadline=20 s', '--set', 'database.batch_rows=5', 'run', 'expire-invitations', '--format', 'csv', '--as-of', '2026-03-01');

sub tool {
    my ($name) = @_;
    my $path = "$Lapse::build/tests/$name";
    make_path("$Lapse::build/tests");
    if (!-e $path || -M "$Lapse::top/tests/tools/$name.c" < -M $path) {
        my $r = Lapse::command({}, $ENV{CC} || 'cc', '-O1', '-o', "$path.$$", "$Lapse::top/tests/tools/$name.c");
        die $r->{stderr} if $r->{status};
        rename "$path.$$", $path or die "$path: $!";
    }
    return $path;
}
my $proxy = tool('proxy');

sub prepared {
    my $db = Lapse::database();
    $db->sql(qq{
        INSERT INTO saas.accounts (account_id, name, created_at) SELECT g, 'Account ' || g, '2025-01-01' FROM generate_series(1, 4) g;
        INSERT INTO saas.organizations (account_id, organization_id, name, status, created_at)
        SELECT g, g, 'Organization ' || g, 'active', '2025-01-01' FROM generate_series(1, 4) g;
        INSERT INTO saas.invitations (account_id, invitation_id, email, organization_id, role, status, sent_at)
        SELECT 1 + (g - 1) / 5, g, 'user' || g || '\@example.org', 1 + (g - 1) / 5, 'member', 'pending', '2026-01-10' FROM generate_series(1, $due) g});
    $db->{out} = $db->dir . '/out';
    return $db;
}

# As it was at first, without the cost of another database.
sub reset_all {
    my ($db) = @_;
    $db->sql("TRUNCATE lapse.runs, lapse.changes, lapse.batches, lapse.periods, lapse.files;
        UPDATE lapse.chain_head SET chain_no = 0, digest = repeat('0', 64);
        UPDATE saas.invitations SET status = 'pending', closed_at = NULL");
    remove_tree($db->{out});
    mkdir $db->{out}, 0750;
    mkdir "$db->{out}/2026-02-01", 0750; # a set published before, which no fault may take away
    Lapse::spew("$db->{out}/2026-02-01/manifest.json", '{}');
    symlink '2026-02-01', "$db->{out}/latest";
}

sub start_proxy {
    my ($db, @fault) = @_;
    my $dir = $db->dir;
    unlink "$dir/.s.PGSQL.$ENV{PGPORT}";
    my $pid = fork // die;
    if ($pid == 0) { exec $proxy, "$dir/.s.PGSQL.$ENV{PGPORT}", "$ENV{PGHOST}/.s.PGSQL.$ENV{PGPORT}", "$dir/report", @fault or POSIX::_exit(2) }
    for (1 .. 1000) { last if -S "$dir/.s.PGSQL.$ENV{PGPORT}"; sleep 0.002 }
    return $pid;
}

sub end_proxy { kill 'TERM', $_[0]; waitpid $_[0], 0 }

# What the database holds: of the run, the changes, and the published report.
sub truth {
    my ($db) = @_;
    my ($row) = $db->rows(q{SELECT (SELECT count(*) FROM saas.invitations WHERE status = 'expired'), (SELECT count(*) FROM lapse.changes),
        (SELECT count(DISTINCT entity_id) FROM lapse.changes), (SELECT coalesce(sum(rows), 0) FROM lapse.batches),
        (SELECT coalesce(sum((counters ->> 'changed')::bigint), 0) FROM lapse.runs), (SELECT coalesce(string_agg(state, ','), 'none') FROM lapse.runs),
        (SELECT count(*) FROM lapse.batches b WHERE b.previous <> coalesce((SELECT digest FROM lapse.batches p WHERE p.chain_no = b.chain_no - 1), repeat('0', 64))),
        (SELECT count(*) FROM lapse.files)});
    my %truth;
    @truth{qw(expired changes distinct batches counted state chain files)} = @$row;
    my $csv = "$db->{out}/2026-03-01/expire-invitations.csv";
    $truth{published} = -e $csv ? scalar(Lapse::csv($csv)) - 1 : undef;
    $truth{latest} = readlink "$db->{out}/latest";
    return \%truth;
}

# The faults of the first run's verdict; '' where it agrees with the database.
sub wrong_verdict {
    my ($r, $t) = @_;
    my @wrong;
    push @wrong, "status $r->{status}" unless $r->{status} =~ /^(0|69|75|81)$/;
    push @wrong, "stderr $r->{stderr}" if $r->{status} && $r->{stderr} !~ /\Alapse: [^\n]+\n  hint: [^\n]+\n\z/;
    push @wrong, "$t->{expired} expired, $t->{changes} changes, $t->{distinct} different, $t->{batches} in batches, $t->{counted} counted"
        if grep { $t->{$_} != $t->{expired} } qw(changes distinct batches counted);
    push @wrong, 'the chain' if $t->{chain};
    push @wrong, "said $1 changed, $t->{changes} are" if $r->{stdout} =~ /"changed":(\d+)/ && $1 != $t->{changes};
    push @wrong, "69 with a run in the ledger" if $r->{status} == 69 && $t->{state} ne 'none';
    if ($r->{status} == 0) {
        push @wrong, "0, but $t->{changes} changed" if $t->{changes} != $due;
        push @wrong, "0, but the run is $t->{state}" if $t->{state} ne 'done';
        push @wrong, '0, but the report is not published' if ($t->{published} // -1) != $due || $t->{latest} ne '2026-03-01';
    } elsif ($r->{status} == 81) {
        push @wrong, "81, but $t->{changes} changed" if $t->{changes} != $due;
        push @wrong, "81 (report not published), but it is published" if defined $t->{published};
    }
    push @wrong, "a report of $t->{published} rows is published" if defined $t->{published} && $t->{published} != $due;
    return join '; ', @wrong;
}

sub wrong_end {
    my ($r, $t) = @_;
    my @wrong;
    push @wrong, "the rerun: status $r->{status}, $r->{stderr}" if $r->{status};
    push @wrong, "$t->{expired} expired, $t->{changes} changes, $t->{distinct} different" if grep { $t->{$_} != $due } qw(expired changes distinct batches);
    push @wrong, "published: " . ($t->{published} // 'nothing') if ($t->{published} // -1) != $due || $t->{latest} ne '2026-03-01';
    push @wrong, 'the chain' if $t->{chain};
    return join '; ', @wrong;
}

sub try_one {
    my ($db, $connection, $way, $at) = @_;
    reset_all($db);
    my $pid = start_proxy($db, $connection, $way, $at, 'cut');
    my $r = $db->lapse_env({ PGHOST => $db->dir }, @run, '--out', $db->{out});
    end_proxy($pid);
    # The server may still be at the last thing it got.
    for (1 .. 200) { last if $db->one("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'lapse'") == 0; sleep 0.01 }
    my $verdict = wrong_verdict($r, truth($db));
    my $again = $db->lapse(@run, '--out', $db->{out});
    my $end = wrong_end($again, truth($db));
    return ($r->{status}, $verdict, $end);
}

my $db = prepared();
reset_all($db);
my $pid = start_proxy($db);
my $r = $db->lapse_env({ PGHOST => $db->dir }, @run, '--out', $db->{out});
end_proxy($pid);
is $r->{status}, 0, 'undisturbed';
is wrong_verdict($r, truth($db)), '', '... and right';
my @points;
for (split /\n/, Lapse::slurp($db->dir . '/report')) {
    my ($connection, $c2s, $s2c) = split / /;
    note "connection $connection: $c2s bytes to the server, $s2c from it";
    my %bytes = (c2s => $c2s, s2c => $s2c);
    for my $way (sort keys %bytes) {
        # A little off the step each time, so that a message's end is met as well as its middle.
        push @points, map { [$connection, $way, $_] } grep { $_ <= $bytes{$way} } map { $_ * $step + ($_ * 7919) % $step } 0 .. $bytes{$way} / $step;
        push @points, [$connection, $way, $bytes{$way}];
    }
}
note scalar(@points), ' cuts';

my @results;
for my $worker (0 .. $workers - 1) {
    my $file = File::Temp->new;
    my $pid = fork // die;
    if ($pid == 0) {
        my $own = eval { prepared() };
        my $text = '';
        for my $i (grep { $_ % $workers == $worker } 0 .. $#points) {
            my ($status, $verdict, $end) = eval { try_one($own, @{ $points[$i] }) };
            ($status, $verdict, $end) = ('none', "the test failed: $@", '') if $@;
            s/[\n\t]+/ | /g for $verdict, $end;
            $text .= join("\t", $i, $status, $verdict, $end) . "\n";
        }
        Lapse::spew("$file", $text);
        undef $own;
        POSIX::_exit(0);
    }
    push @results, [$pid, $file];
}
waitpid $_->[0], 0 for @results;

my (%statuses, @verdicts, @ends);
my $n = 0;
for (map { split /\n/, Lapse::slurp("$_->[1]") } @results) {
    my ($i, $status, $verdict, $end) = split /\t/, $_, -1;
    my $where = 'connection %d, %s, byte %d: ';
    $n++;
    $statuses{$status}++;
    push @verdicts, sprintf("$where%s", @{ $points[$i] }, $verdict) if length $verdict;
    push @ends, sprintf("$where%s", @{ $points[$i] }, $end) if length $end;
}
is $n, scalar @points, 'every cut was tried';
note 'statuses: ', join ', ', map { "$_: $statuses{$_}" } sort keys %statuses;
is scalar @verdicts, 0, '0 wrong verdicts' or diag join "\n", @verdicts;
is scalar @ends, 0, 'every rerun completes, and doubles nothing' or diag join "\n", @ends;

done_testing;
