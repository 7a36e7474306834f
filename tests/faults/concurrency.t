# Many at once: one run per job at a time (direct, and through pgbouncer in transaction mode); readers
# who never see half a set; users who are faster than the job; signals in every phase.
#
#   LAPSE_TEST_ROUNDS=N      rounds of 50 starts, default 3
#   LAPSE_TEST_PUBLISHES=N   publishes under the eyes of a reader, default 100
use strict;
use warnings;
use lib 'tests/lib';
use Digest::SHA;
use Fcntl qw(:flock);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use Lapse;
use POSIX ();
use Test::More;
use Time::HiRes qw(time sleep);

my $rounds = $ENV{LAPSE_TEST_ROUNDS} || 3;
my $publishes = $ENV{LAPSE_TEST_PUBLISHES} || 100;
my $due = 30;
my @now = ('--as-of', '2026-03-01');

sub prepared {
    my $db = Lapse::database();
    $db->sql(q{
        INSERT INTO saas.accounts (account_id, name, created_at) SELECT g, 'Account ' || g, '2025-01-01' FROM generate_series(1, 3) g;
        INSERT INTO saas.organizations (account_id, organization_id, name, status, created_at)
        SELECT g, g, 'Organization ' || g, 'active', '2025-01-01' FROM generate_series(1, 3) g;
        INSERT INTO saas.invitations (account_id, invitation_id, email, organization_id, role, status, sent_at)
        SELECT 1 + (g - 1) / 10, g, 'user' || g || '@example.org', 1 + (g - 1) / 10, 'member', 'pending', '2026-01-10' FROM generate_series(1, 30) g});
    $db->{out} = $db->dir . '/out';
    return $db;
}

sub start {
    my ($env, @command) = @_;
    my $self = { out => File::Temp->new, err => File::Temp->new, begun => time };
    $self->{pid} = fork // die "fork: $!";
    if ($self->{pid} == 0) {
        delete @ENV{grep { /^LAPSE_(?!TEST_)/ } keys %ENV};
        @ENV{keys %{ Lapse::guards() }} = values %{ Lapse::guards() };
        $ENV{$_} = $env->{$_} for keys %$env;
        open STDIN, '<', '/dev/null';
        open STDOUT, '>&', $self->{out};
        open STDERR, '>&', $self->{err};
        exec { $command[0] } @command or POSIX::_exit(127);
    }
    return $self;
}

sub ended {
    my ($self) = @_;
    return 1 if defined $self->{status};
    return 0 if waitpid($self->{pid}, POSIX::WNOHANG()) == 0;
    $self->{status} = $? & 127 ? 128 + ($? & 127) : $? >> 8;
    $self->{seconds} = time - $self->{begun};
    $self->{stdout} = Lapse::slurp("$self->{out}");
    $self->{stderr} = Lapse::slurp("$self->{err}");
    return 1;
}

sub finish {
    my ($self, $patience) = @_;
    my $end = time + ($patience // 20);
    until (ended($self)) {
        kill 'KILL', $self->{pid} if time > $end;
        sleep 0.005;
    }
    return $self;
}

sub wait_for {
    my ($what, $true, $patience) = @_;
    my $end = time + ($patience // 20);
    until ($true->()) {
        if (time > $end) { fail "$what within its time"; return 0 }
        sleep 0.01;
    }
    return 1;
}

# A session of our own that holds something until it is ended; ask() has it do more.
sub session {
    my ($db, $sql) = @_;
    my ($reader, $writer);
    pipe $reader, $writer or die;
    my $pid = fork // die;
    if ($pid == 0) {
        close $writer;
        open STDIN, '<&', $reader or die;
        open STDOUT, '>', '/dev/null'; open STDERR, '>', '/dev/null';
        @ENV{qw(PGDATABASE PGAPPNAME)} = ($db->{name}, 'session');
        exec '/usr/bin/psql', '-Xq';
    }
    close $reader;
    $writer->autoflush(1);
    print $writer "$sql;\nSELECT pg_advisory_lock(778, $pid);\n";
    wait_for('a session', sub { Lapse::Database::psql_checked('postgres', "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 778 AND objid = $pid AND granted") > 0 });
    return { pid => $pid, writer => $writer };
}

sub ask { my ($session, $sql) = @_; print { $session->{writer} } "$sql;\n" }
sub end_session { my ($session) = @_; close $session->{writer}; waitpid $session->{pid}, 0 }

sub waits {
    my ($db) = @_;
    return wait_for('lapse to wait for the lock', sub {
        $db->one("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'lapse' AND wait_event_type = 'Lock'") > 0 });
}

sub dir_of { my ($path) = @_; opendir my $dir, $path or return (); return grep { !/^\.\.?$/ } readdir $dir }

sub all_right {
    my ($db, $n) = @_;
    my ($row) = $db->rows("SELECT (SELECT count(*) FROM saas.invitations WHERE status = 'expired'), (SELECT count(*) FROM lapse.changes), (SELECT count(DISTINCT (account_id, entity, entity_id)) FROM lapse.changes), (SELECT coalesce(sum(rows), 0) FROM lapse.batches)");
    is_deeply $row, [($n) x 4], "$n changes, once each, all in the audit";
    is scalar(Lapse::csv("$db->{out}/2026-03-01/expire-invitations.csv")), 1 + $n, 'the report lists them';
    is_deeply [grep { /^\.(staging|latest|swapping)/ } dir_of($db->{out})], [], 'nothing is left lying about';
}

# ---- 50 starts at once ----

sub fifty {
    my ($env, $round) = @_;
    my $db = prepared();
    my $lock = session($db, 'BEGIN; LOCK TABLE saas.invitations'); # whoever is first, waits here
    my @all = map { start({ %{ $db->env }, %$env }, $Lapse::lapse, '--set', 'database.deadline=60 s', 'run', 'expire-invitations', @now, '--out', $db->{out}) } 1 .. 50;
    wait_for('49 to give up', sub { (grep { ended($_) } @all) >= 49 }, 40);
    sleep 0.1;
    my @gone = grep { ended($_) } @all;
    is scalar @gone, 49, "round $round: 49 have ended";
    is_deeply { map { $_->{status} => 1 } @gone }, { 75 => 1 }, '... with 75' or diag join "\n", map { "$_->{status} $_->{stderr}" } grep { $_->{status} != 75 } @gone;
    is scalar(grep { $_->{stderr} !~ /\Alapse: [^\n]*another run of expire-invitations is under way\n  hint: [^\n]+\n\z/ } @gone), 0, '... and said why';
    end_session($lock);
    finish($_) for @all;
    is scalar(grep { $_->{status} == 0 } @all), 1, 'one ran';
    is $db->one('SELECT count(*) FROM lapse.runs'), 1, '... and stands in the ledger alone';
    all_right($db, $due);
}

subtest '50 starts at once' => sub { fifty({}, $_) for 1 .. $rounds };

my $bouncer;
END { local $?; if ($bouncer) { kill 'KILL', $bouncer; waitpid $bouncer, 0 } }

subtest '50 starts at once through pgbouncer' => sub {
    my ($program) = grep { -x } '/usr/sbin/pgbouncer', '/usr/bin/pgbouncer';
    plan skip_all => 'pgbouncer is not installed' unless $program;
    my $dir = tempdir('lapse-bouncer-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    chmod 0777, $dir;
    Lapse::spew("$dir/ini", "[databases]\n* = host=$ENV{PGHOST} port=$ENV{PGPORT} user=$ENV{PGUSER}\n[pgbouncer]\nlisten_addr =\nlisten_port = 6543\nunix_socket_dir = $dir\n"
        . "auth_type = any\npool_mode = transaction\ndefault_pool_size = 60\nmax_client_conn = 500\nlogfile = $dir/log\npidfile = $dir/pid\n");
    my @as = $> == 0 ? ('/usr/sbin/runuser', '-u', 'postgres', '--') : ();
    my $p = start({}, @as, $program, '-q', "$dir/ini");
    $bouncer = $p->{pid};
    wait_for('pgbouncer', sub { -S "$dir/.s.PGSQL.6543" || ended($p) });
    plan skip_all => 'pgbouncer does not start: ' . (-e "$dir/log" ? Lapse::slurp("$dir/log") : $p->{stderr} // '') unless -S "$dir/.s.PGSQL.6543";
    fifty({ PGHOST => $dir, PGPORT => 6543, PGSSLMODE => 'disable' }, $_) for 1 .. $rounds;
    my ($real) = -e "$dir/pid" ? Lapse::slurp("$dir/pid") =~ /(\d+)/ : ();
    kill 'KILL', $real if $real;
    finish($p, 5);
    undef $bouncer;
};

subtest 'different jobs at once, one date' => sub {
    my @jobs = ('expire-invitations', 'end-trials', 'downgrade-plans', 'flag-inactive-organizations', 'activity-report');
    for my $round (1 .. $rounds) {
        my $db = prepared();
        my @all = map { start($db->env, $Lapse::lapse, 'run', $_, '--format', 'csv', @now, '--out', $db->{out}) } @jobs;
        finish($_) for @all;
        is_deeply [map { $_->{status} } @all], [(0) x @jobs], "round $round: all are done" or diag join '', map { $_->{stderr} } @all;
        is_deeply [sort grep { /csv$/ } dir_of("$db->{out}/latest/")], [sort map { "$_.csv" } @jobs], 'nobody lost what another had published';
        is Lapse::command({}, '/bin/sh', '-c', 'cd "$1/latest" && sha256sum --quiet -c SHA256SUMS', 'sh', $db->{out})->{status}, 0, 'the set is whole';
        all_right($db, $due);
    }
};

# ---- readers ----

# Reads what is latest over and over; prints what is wrong, and how often it looked.
sub reader {
    my ($out, $report) = @_;
    my $pid = fork // die;
    return $pid if $pid;
    my ($stop, $looks, %wrong) = (0, 0);
    $SIG{TERM} = sub { $stop = 1 };
    my $most = 0;
    until ($stop) {
        $looks++;
        # By path: one file is the old one or the new one.
        if (open my $file, '<:raw', "$out/latest/expire-invitations.csv") {
            local $/;
            my $text = <$file>;
            my $lines = () = $text =~ /\r\n/g;
            $wrong{'a CSV that ends in the middle'}++ if $text !~ /\r\n\z/;
            $wrong{'fewer rows than before'}++ if $lines < $most;
            $most = $lines;
        } else { $wrong{"latest/expire-invitations.csv: $!"}++ }
        # From inside the folder: a whole set, also after it has been replaced.
        if (chdir "$out/latest") {
            if (open my $sums, '<', 'SHA256SUMS') {
                my @sums = <$sums>;
                $wrong{'no sums'}++ unless @sums;
                for (@sums) {
                    my ($sum, $name) = /^([0-9a-f]{64}) [ *](.+)$/ or do { $wrong{'a line of SHA256SUMS'}++; next };
                    my $got = eval { Digest::SHA->new(256)->addfile($name, 'b')->hexdigest };
                    $wrong{"$name: " . ($@ ? 'gone' : 'other bytes')}++ if ($got // '') ne $sum;
                }
            } else { $wrong{"SHA256SUMS: $!"}++ }
        } else { $wrong{"latest: $!"}++ }
    }
    Lapse::spew($report, join '', "looks $looks\n", map { "$_: $wrong{$_}\n" } sort keys %wrong);
    POSIX::_exit(0);
}

subtest "a reader through $publishes publishes" => sub {
    my $db = prepared();
    my $report = $db->dir . '/reader';
    is $db->lapse('run', 'expire-invitations', @now, '--out', $db->{out})->{status}, 0, 'the first';
    my $pid = reader($db->{out}, $report);
    my $bad = 0;
    for my $n (1 .. $publishes) {
        # One more every time, the newest date moving on now and then; the last days hold all.
        my $day = 1 + int($n / 25);
        $db->sql("INSERT INTO saas.invitations (account_id, invitation_id, email, organization_id, role, status, sent_at) SELECT 1, 1000 + $n, 'more$n-' || g || '\@example.org', 1, 'member', 'pending', '2026-01-05' FROM generate_series(1, 1) g") if $day == 1;
        my @how = $day == 1 ? (@now, '--format', $n % 5 ? 'csv' : 'csv,xlsx') : ('--as-of', '2026-03-01T00:00:0' . $day . 'Z', '--format', 'csv');
        $bad++ if $db->lapse('run', 'expire-invitations', @how, '--out', $db->{out})->{status};
    }
    kill 'TERM', $pid;
    waitpid $pid, 0;
    is $bad, 0, 'every publish went well';
    my ($looks, $wrong) = Lapse::slurp($report) =~ /\Alooks (\d+)\n(.*)\z/s;
    cmp_ok $looks, '>', $publishes, "the reader looked $looks times";
    is $wrong, '', '... and saw 0 invalid sets';
};

# ---- users are faster ----

for my $case (
    ['accepts', "status = 'accepted', closed_at = '2026-03-01'", 'accepted'],
    ['sends again', "sent_at = '2026-02-28', send_count = 2", 'pending'],
    ['revokes', "status = 'revoked', closed_at = '2026-02-01'", 'revoked'],
) {
    my ($verb, $set, $status) = @$case;
    subtest "a user $verb while the job runs" => sub {
        my $db = prepared();
        my $user = session($db, "BEGIN; UPDATE saas.invitations SET $set WHERE invitation_id = 18");
        my $run = start($db->env, $Lapse::lapse, 'run', 'expire-invitations', @now, '--out', $db->{out});
        waits($db);
        ask($user, 'COMMIT');
        finish($run);
        end_session($user);
        is $run->{status}, 0, 'done' or diag $run->{stderr};
        is $db->one('SELECT status FROM saas.invitations WHERE invitation_id = 18'), $status, 'the user wins';
        all_right($db, $due - 1);
    };
}

# ---- signals ----

my %number = (INT => 2, TERM => 15, HUP => 1);
my $silent = IO::Socket::INET->new(Listen => 20, LocalAddr => '127.0.0.1') or die;
my @phases = (
    ['before it is connected', { PGHOST => '127.0.0.1', PGPORT => $silent->sockport }, undef, sub { sleep 0.3 }, 0],
    ['while it counts', {}, 'BEGIN; LOCK TABLE saas.invitations', sub { waits($_[0]) }, 0],
    ['while it changes', {}, 'BEGIN; UPDATE saas.invitations SET send_count = 1 WHERE invitation_id = 18', sub { waits($_[0]) }, 15],
    ['while it seals a batch', {}, 'BEGIN; UPDATE lapse.chain_head SET chain_no = chain_no', sub { waits($_[0]) }, 0],
    ['while it reports', {}, 'BEGIN; LOCK TABLE saas.teams', sub { waits($_[0]) }, 30],
    ['while it publishes', {}, 'flock', sub { my ($db) = @_; wait_for('the report', sub { my ($s) = grep { /^\.staging/ } dir_of($db->{out}); $s && -e "$db->{out}/$s/expire-invitations.csv" }); sleep 0.3 }, 30],
);

for my $phase (@phases) {
    my ($name, $env, $lock, $there, $changed) = @$phase;
    subtest "signals $name" => sub {
        for my $signal (sort keys %number) {
            my $db = prepared();
            my $before = $db->lapse('run', 'activity-report', '--as-of', '2026-02-01', '--out', $db->{out});
            my $stands = Lapse::slurp("$db->{out}/latest/SHA256SUMS");
            my ($session, $held);
            if ($lock && $lock eq 'flock') { open $held, '<', $db->{out} or die; flock $held, LOCK_EX or die }
            elsif ($lock) { $session = session($db, $lock) }
            my $run = start({ %{ $db->env }, %$env }, $Lapse::lapse, '--set', 'database.batch_rows=5', 'run', 'expire-invitations', @now, '--out', $db->{out});
            $there->($db);
            my $asked = time;
            kill $signal, $run->{pid};
            finish($run, 6);
            is $run->{status}, 128 + $number{$signal}, "SIG$signal: status";
            cmp_ok time - $asked, '<', 2, '... soon';
            like $run->{stderr}, qr/\Alapse: [^\n]*SIG$signal\n(  hint: [^\n]+\n)?\z/, '... and said';
            if ($session) { end_session($session) }
            undef $held;
            is $db->one("SELECT count(*) FROM saas.invitations WHERE status = 'expired'"), $changed, "... $changed changes stand";
            is $db->one('SELECT count(*) FROM lapse.changes'), $changed, '... in the audit too';
            is readlink "$db->{out}/latest", '2026-02-01', '... nothing new is published';
            is Lapse::slurp("$db->{out}/2026-02-01/SHA256SUMS"), $stands, '... what was, is untouched';
            my $next = $db->lapse('run', 'expire-invitations', @now, '--out', $db->{out});
            is $next->{status}, 0, '... the next run completes' or diag $next->{stderr};
            all_right($db, $due);
        }
    };
}

subtest 'a hang-up that is ignored (nohup)' => sub {
    my $db = prepared();
    my $session = session($db, 'BEGIN; LOCK TABLE saas.invitations');
    my $run = do { local $SIG{HUP} = 'IGNORE'; start($db->env, $Lapse::lapse, 'run', 'expire-invitations', @now, '--out', $db->{out}) };
    waits($db);
    kill 'HUP', $run->{pid};
    sleep 0.2;
    end_session($session);
    finish($run);
    is $run->{status}, 0, 'goes on';
    all_right($db, $due);
};

subtest 'a second signal ends it at once' => sub {
    my $db = prepared();
    my $session = session($db, 'BEGIN; LOCK TABLE saas.invitations');
    my $run = start($db->env, $Lapse::lapse, 'run', 'expire-invitations', @now, '--out', $db->{out});
    waits($db);
    kill 'TERM', $run->{pid};
    kill 'TERM', $run->{pid};
    finish($run, 5);
    is $run->{status}, 143, 'status';
    end_session($session);
    is $db->lapse('run', 'expire-invitations', @now, '--out', $db->{out})->{status}, 0, 'the next run completes';
    all_right($db, $due);
};

done_testing;
