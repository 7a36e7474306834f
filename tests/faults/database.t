# The database gives trouble: the rows of "Database" of the fault list. After each: the status, one
# line and a hint, an end within the deadline and 2 s, nothing changed that is not in the ledger, what
# was published before untouched; then the next run completes and leaves nothing lying about.
use strict;
use warnings;
use lib 'tests/lib';
use File::Path qw(make_path remove_tree);
use IO::Socket::INET;
use Lapse;
use POSIX ();
use Test::More;
use Time::HiRes qw(time sleep);

my $deadline = 2;
my $due = 30;
my $fixture = q{
    INSERT INTO saas.accounts (account_id, name, created_at) SELECT g, 'Account ' || g, '2025-01-01' FROM generate_series(1, 3) g;
    INSERT INTO saas.organizations (account_id, organization_id, name, status, created_at)
    SELECT g, g, 'Organization ' || g, 'active', '2025-01-01' FROM generate_series(1, 3) g;
    INSERT INTO saas.invitations (account_id, invitation_id, email, organization_id, role, status, sent_at)
    SELECT 1 + (g - 1) / 10, g, 'user' || g || '@example.org', 1 + (g - 1) / 10, 'member', 'pending', '2026-01-10' FROM generate_series(1, 30) g;
    INSERT INTO saas.invitations (account_id, invitation_id, email, organization_id, role, status, sent_at)
    VALUES (1, 1000, 'early@example.org', 1, 'member', 'pending', '2025-12-01')};
my @run = ('--set', "database.deadline=$deadline s", '--set', 'database.batch_rows=5', 'run', 'expire-invitations');
my @now = ('--as-of', '2026-03-01');
my @tools;
END { local $?; for my $pid (@tools) { kill 'CONT', $pid; kill 'TERM', $pid; waitpid $pid, 0 } }

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

# Something that runs beside us; finish() waits for it.
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

sub finish {
    my ($self, $patience) = @_;
    my $end = time + ($patience // 20);
    while (waitpid($self->{pid}, POSIX::WNOHANG()) == 0) {
        if (time > $end) { kill 'KILL', $self->{pid}; waitpid $self->{pid}, 0; $? = 9; last }
        sleep 0.005;
    }
    my $status = $? & 127 ? 128 + ($? & 127) : $? >> 8;
    return { status => $status, seconds => time - $self->{begun}, stdout => Lapse::slurp("$self->{out}"), stderr => Lapse::slurp("$self->{err}") };
}

# Waits for something to become true.
sub wait_for {
    my ($what, $true, $patience) = @_;
    my $end = time + ($patience // 10);
    until ($true->()) {
        if (time > $end) { fail "$what within its time"; return 0 }
        sleep 0.01;
    }
    return 1;
}

sub sums { my ($out) = @_; return Lapse::command({}, '/bin/sh', '-c', 'cd "$1" && find . -type f -not -path "./.*" -exec sha256sum {} + | sort; readlink latest', 'sh', $out)->{stdout} }

# A database with 30 due invitations and a set published before.
sub prepared {
    my $db = Lapse::database();
    $db->sql($fixture);
    $db->{out} = $db->dir . '/out';
    my $r = $db->lapse('run', 'expire-invitations', '--as-of', '2026-01-05', '--out', $db->{out});
    die $r->{stderr} if $r->{status};
    $db->{before} = sums($db->{out});
    return $db;
}

sub expired { return $_[0]->one("SELECT count(*) FROM saas.invitations WHERE status = 'expired'") }

sub ends_well {
    my ($r, $limit) = @_;
    cmp_ok $r->{seconds}, '<', $limit, sprintf 'it ends in time (%.1f s)', $r->{seconds} if defined $r->{seconds};
}

sub said {
    my ($r, $status, $what) = @_;
    is $r->{status}, $status, "status $status";
    like $r->{stderr}, qr/\A(lapse: [^\n]+left unfinished\n)*lapse: [^\n]*(?:$what)[^\n]*\n  hint: [^\n]+\n\z/, 'one line that says what, and a hint';
}

# Every change is in the audit once, in a batch that counts it.
sub ledger_agrees {
    my ($db) = @_;
    my ($changes, $keys) = map { @$_ } $db->rows('SELECT count(*), count(DISTINCT (entity, account_id, entity_id)) FROM lapse.changes');
    is expired($db), $changes, "what changed is in the audit ($changes)";
    is $keys, $changes, '... once';
    is $db->one('SELECT coalesce(sum(rows), 0) FROM lapse.batches'), $changes, '... and in the batches';
}

sub untouched {
    my ($db, $changed) = @_;
    ledger_agrees($db);
    is expired($db), 1 + $changed, "$changed rows changed" if defined $changed;
    is sums($db->{out}), $db->{before}, 'what was published before is untouched';
}

sub next_run_completes {
    my ($db, %how) = @_;
    my $r = $how{run} ? $how{run}->() : $db->lapse(@run, @now, '--out', $db->{out});
    is $r->{status}, 0, 'the next run completes' or diag $r->{stderr};
    is expired($db), 1 + $due, '... all of it';
    ledger_agrees($db);
    is scalar(Lapse::csv("$db->{out}/2026-03-01/expire-invitations.csv")), 1 + $due, '... and its report lists it' if !$how{elsewhere};
    is_deeply [grep { /^\.(staging|latest|swapping)/ } dir_of($db->{out})], [], '... nothing is left lying about';
}

sub dir_of { my ($path) = @_; opendir my $dir, $path or return (); return grep { !/^\.\.?$/ } readdir $dir }

sub bg { my ($db, @more) = @_; return start({ %{ $db->env }, %{ $db->{more_env} || {} } }, $Lapse::lapse, @run, @now, '--out', $db->{out}, @more) }

# A session of our own that holds something until it is told to end.
sub session {
    my ($database, $sql) = @_;
    my ($reader, $writer);
    pipe $reader, $writer or die;
    my $pid = fork // die;
    if ($pid == 0) {
        close $writer;
        open STDIN, '<&', $reader or die;
        open STDOUT, '>', '/dev/null'; open STDERR, '>', '/dev/null';
        $ENV{PGDATABASE} = $database;
        $ENV{PGAPPNAME} = 'session';
        exec '/usr/bin/psql', '-Xq';
    }
    close $reader;
    $writer->autoflush(1);
    print $writer "$sql;\nSELECT pg_advisory_lock(777, $pid);\n";
    my $self = { pid => $pid, writer => $writer };
    wait_for('a session', sub { Lapse::Database::psql_checked('postgres', "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 777 AND objid = $pid AND granted") > 0 });
    return $self;
}

sub ask { my ($session, $sql) = @_; print { $session->{writer} } "$sql;\n" }
sub end_session { my ($session) = @_; close $session->{writer}; waitpid $session->{pid}, 0 }

sub waits {
    my ($db) = @_;
    return wait_for('lapse to wait for the lock', sub {
        $db->one("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'lapse' AND wait_event_type = 'Lock'") > 0 });
}

sub proxy {
    my ($db, @fault) = @_;
    my $dir = File::Temp::tempdir('lapse-proxy-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    my $listen = $fault[0] && $fault[0] =~ /^tcp:/ ? shift @fault : "$dir/.s.PGSQL.$ENV{PGPORT}";
    my $p = start({}, tool('proxy'), $listen, "$ENV{PGHOST}/.s.PGSQL.$ENV{PGPORT}", "$dir/report", @fault);
    push @tools, $p->{pid};
    wait_for('the proxy', sub { $listen =~ /^tcp:(\d+)/ ? IO::Socket::INET->new("127.0.0.1:$1") : -S $listen });
    return ($p, $dir);
}

# ---- it cannot be reached ----

my $db = prepared();
sub cannot_connect {
    my ($name, $env, $status, $what, %how) = @_;
    subtest $name => sub {
        my $r = finish(start({ %{ $db->env }, %$env }, $Lapse::lapse, @run, @now, '--out', $db->{out}));
        said($r, $status, $what);
        ends_well($r, $deadline + 2);
        untouched($db, 0);
        is $db->one('SELECT count(*) FROM lapse.runs'), 1, 'the ledger has no further run';
        return if $how{run_only};
        my $h = finish(start({ %{ $db->env }, %$env }, $Lapse::lapse, '--set', "database.deadline=$deadline s", 'history'));
        is $h->{status}, $status, 'history says the same';
        ends_well($h, $deadline + 2);
    };
}

cannot_connect('no socket', { PGHOST => '/nonexistent' }, 69, 'could not connect');
cannot_connect('refused', { PGHOST => '127.0.0.1', PGPORT => 1 }, 69, 'Connection refused');
cannot_connect('no such host', { PGHOST => 'nowhere.invalid' }, 69, 'could not connect');
cannot_connect('no such database', { PGDATABASE => 'no_such_database' }, 69, 'no_such_database');
cannot_connect('no such role', { PGUSER => 'no_such_role' }, 77, 'no_such_role');
{
    my $http = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1') or die;
    my $pid = fork // die;
    if ($pid == 0) {
        while (my $client = $http->accept) {
            sysread $client, my $asked, 100;
            print $client "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            close $client;
        }
        POSIX::_exit(0);
    }
    push @tools, $pid;
    cannot_connect('a port that speaks HTTP', { PGHOST => '127.0.0.1', PGPORT => $http->sockport, PGSSLMODE => $_ }, 69, 'could not connect') for 'prefer', 'disable';
}
{
    my $silent = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1') or die;
    cannot_connect('a listener that says nothing', { PGHOST => '127.0.0.1', PGPORT => $silent->sockport }, 75, 'deadline');
    my $full = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die;
    my @filling = map { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $full->sockport, Blocking => 0) } 1 .. 8;
    sleep 0.1;
    cannot_connect('a black hole', { PGHOST => '127.0.0.1', PGPORT => $full->sockport }, 75, 'deadline');
}
{
    my ($p, $dir) = proxy($db);
    kill 'STOP', $p->{pid};
    cannot_connect('a proxy that is stopped', { PGHOST => $dir }, 75, 'deadline');
    kill 'CONT', $p->{pid};
}
{
    my $port = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')->sockport;
    my ($p) = proxy($db, "tcp:$port");
    cannot_connect('a plain-text server under sslmode=verify-full', { PGHOST => '127.0.0.1', PGPORT => $port, PGSSLMODE => 'verify-full', PGSSLROOTCERT => '/etc/ssl/certs/ca-certificates.crt' }, 69, 'SSL');
}
subtest 'and then it can be reached' => sub { next_run_completes($db) };

# ---- it cannot be used ----

sub cannot_use {
    my ($name, $status, $what, $break, $mend, %how) = @_;
    subtest $name => sub {
        my $db = prepared();
        $break->($db);
        my $r = finish(bg($db));
        said($r, $status, $what);
        ends_well($r, $deadline + 2);
        untouched($db, $how{changed} // 0) if !$how{unreadable};
        $mend->($db);
        next_run_completes($db);
    };
}

cannot_use('read-only by setting', 69, 'read-only',
    sub { $_[0]->sql("ALTER DATABASE $_[0]{name} SET default_transaction_read_only = on") },
    sub { Lapse::Database::psql_checked('postgres', "ALTER DATABASE $_[0]{name} RESET default_transaction_read_only") });
cannot_use('tables of a newer version', 78, 'newer',
    sub { $_[0]->sql("INSERT INTO lapse.schema_version SELECT max(version) + 1, 'future', now() FROM lapse.schema_version") },
    sub { $_[0]->sql("DELETE FROM lapse.schema_version WHERE name = 'future'") });
cannot_use('tables of an older version', 78, 'older',
    sub { $_[0]->sql('CREATE TABLE public.kept AS SELECT * FROM lapse.schema_version; DELETE FROM lapse.schema_version WHERE version = (SELECT max(version) FROM lapse.schema_version)') },
    sub { $_[0]->sql('INSERT INTO lapse.schema_version SELECT * FROM public.kept ON CONFLICT DO NOTHING') });
cannot_use('no tables', 78, 'no tables',
    sub { $_[0]->sql('ALTER SCHEMA lapse RENAME TO elsewhere') },
    sub { $_[0]->sql('ALTER SCHEMA elsewhere RENAME TO lapse') }, unreadable => 1);
cannot_use("without the table $_", 78, 'does not exist',
    do { my $t = $_; sub { $_[0]->sql("ALTER TABLE $t RENAME TO away") } },
    do { my ($t, $schema, $name) = ($_, split /\./); sub { $_[0]->sql("ALTER TABLE $schema.away RENAME TO $name") } }, unreadable => scalar(/changes|batches|invitations/))
    for 'lapse.changes', 'lapse.batches', 'saas.invitations', 'saas.teams', 'lapse.files', 'lapse.periods';

{
    my $role = "lapse_poor_$$";
    Lapse::Database::psql_checked('postgres', "CREATE ROLE $role LOGIN");
    my $grant = "GRANT USAGE ON SCHEMA saas, lapse TO $role; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA saas, lapse TO $role; GRANT USAGE ON ALL SEQUENCES IN SCHEMA saas, lapse TO $role";
    for my $lacks ('USAGE ON SCHEMA lapse', 'UPDATE ON saas.invitations', 'INSERT ON lapse.changes', 'INSERT ON lapse.batches',
        'UPDATE ON lapse.chain_head', 'INSERT ON lapse.files', 'UPDATE ON lapse.runs', 'INSERT, UPDATE ON lapse.periods', 'SELECT ON saas.teams') {
        subtest "without $lacks" => sub {
            my $db = prepared();
            $db->sql("$grant; REVOKE $lacks FROM $role");
            $db->{more_env} = { PGUSER => $role };
            my $r = finish(bg($db));
            said($r, 77, 'permission denied');
            untouched($db, 0);
            $db->sql($grant);
            my $again = $db->lapse_env({ PGUSER => $role }, @run, @now, '--out', $db->{out});
            next_run_completes($db, run => sub { $again });
        };
    }
    eval { Lapse::Database::psql_checked('postgres', "DROP ROLE $role") };
    note "DROP ROLE: $@" if $@;
}

# ---- it does not get on ----

subtest 'the table is locked' => sub {
    my $db = prepared();
    my $s = session($db->{name}, 'BEGIN; LOCK TABLE saas.invitations');
    my $r = finish(bg($db));
    said($r, 75, 'deadline|lock|canceling');
    ends_well($r, $deadline + 2);
    end_session($s);
    untouched($db, 0);
    next_run_completes($db);
};

subtest 'a row is locked' => sub {
    my $db = prepared();
    my $s = session($db->{name}, "BEGIN; UPDATE saas.invitations SET send_count = send_count WHERE invitation_id = 18");
    my $r = finish(bg($db));
    said($r, 75, 'deadline|lock|canceling');
    ends_well($r, $deadline + 2);
    end_session($s);
    untouched($db, 15); # three batches of five stand
    next_run_completes($db, run => sub { $db->lapse(@run, '--out', $db->{out}) }, elsewhere => 1);
    is scalar(Lapse::csv("$db->{out}/2026-03-01/expire-invitations.csv")), 1 + $due, 'under its own as-of';
};

subtest 'a proxy is stopped in the middle' => sub {
    my $db = prepared();
    my ($p, $dir) = proxy($db);
    my $s = session($db->{name}, "BEGIN; UPDATE saas.invitations SET send_count = send_count WHERE invitation_id = 18");
    $db->{more_env} = { PGHOST => $dir };
    my $run = bg($db);
    waits($db);
    kill 'STOP', $p->{pid};
    my $r = finish($run);
    is $r->{status}, 75, 'status 75';
    like $r->{stderr}, qr/\Alapse: [^\n]+\n(  hint: [^\n]+\n)?\z/, 'it says why';
    ends_well($r, $deadline + 2);
    kill 'CONT', $p->{pid};
    end_session($s);
    untouched($db, 15);
    next_run_completes($db);
};

subtest 'a proxy is stopped in the middle, then a signal comes' => sub {
    my $db = prepared();
    my ($p, $dir) = proxy($db);
    my $s = session($db->{name}, "BEGIN; UPDATE saas.invitations SET send_count = send_count WHERE invitation_id = 18");
    my $run = start({ %{ $db->env }, PGHOST => $dir }, $Lapse::lapse, '--set', 'database.deadline=10 s', '--set', 'database.batch_rows=5', 'run', 'expire-invitations', @now, '--out', $db->{out});
    waits($db);
    kill 'STOP', $p->{pid};
    kill 'TERM', $run->{pid};
    my $asked = time;
    my $r = finish($run, 14);
    is $r->{status}, 143, 'status 143';
    cmp_ok time - $asked, '<', 3, sprintf 'the signal ends it, not the deadline (%.1f s)', time - $asked;
    kill 'CONT', $p->{pid};
    end_session($s);
    next_run_completes($db);
};

sub in_the_middle {
    my ($name, $act, $status, %how) = @_;
    subtest $name => sub {
        my $db = prepared();
        $how{before}->($db) if $how{before};
        my $s = session($db->{name}, "BEGIN; UPDATE saas.invitations SET send_count = send_count WHERE invitation_id = 18");
        my $run = start($db->env, $Lapse::lapse, '--set', 'database.deadline=20 s', '--set', 'database.batch_rows=5', 'run', 'expire-invitations', @now, '--out', $db->{out});
        waits($db);
        $act->($db, $s);
        sleep 0.1 if $how{again};
        waits($db) if $how{again};
        end_session($s);
        my $r = finish($run);
        is $r->{status}, $status, "status $status" or diag $r->{stderr};
        if ($status) {
            like $r->{stderr}, qr/\Alapse: [^\n]+\n  hint: [^\n]+\n\z/, 'one line and a hint';
            ledger_agrees($db);
            is sums($db->{out}), $db->{before}, 'what was published before is untouched';
        } else {
            like $r->{stderr}, qr/\A(lapse: expire-invitations: the connection was lost and is back; the batch is tried again\n)?\z/, 'nothing else is said';
            like $r->{stdout}, qr/expire-invitations +31|expire-invitations +30 +30/, 'all is counted once';
        }
        next_run_completes($db);
    };
}

my $own = "datname = current_database() AND application_name = 'lapse'";
in_the_middle('the backend that works is terminated', sub { $_[0]->sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE $own AND wait_event_type = 'Lock'") }, 0, again => 1);
in_the_middle('the backend that holds the locks is terminated', sub { $_[0]->sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE $own AND state = 'idle in transaction'") }, 0);
in_the_middle('both backends are terminated', sub { $_[0]->sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE $own") }, 75);
in_the_middle('the statement is cancelled', sub { $_[0]->sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE $own AND wait_event_type = 'Lock'") }, 75);
in_the_middle('a deadlock', sub {
    my ($db, $s) = @_;
    ask($s, "SET deadlock_timeout = '1 h'"); # so that lapse is the one that finds it
    ask($s, 'UPDATE saas.invitations SET send_count = send_count WHERE invitation_id = 16');
    wait_for('the deadlock', sub { $db->one("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") > 0 });
}, 0);

sub raises {
    my ($name, $state, $times, $status, %how) = @_;
    subtest $name => sub {
        my $db = prepared();
        $db->sql("CREATE SEQUENCE public.tries; CREATE FUNCTION public.raise() RETURNS trigger LANGUAGE plpgsql AS \$\$
            BEGIN IF new.invitation_id = 18 AND nextval('public.tries') <= $times THEN RAISE EXCEPTION 'out of order: %', new.email USING ERRCODE = '$state'; END IF; RETURN new; END \$\$;
            CREATE TRIGGER raise BEFORE UPDATE ON saas.invitations FOR EACH ROW EXECUTE FUNCTION public.raise()");
        my $r = finish(start($db->env, $Lapse::lapse, '--set', 'database.deadline=20 s', '--set', 'database.batch_rows=5', 'run', 'expire-invitations', @now, '--out', $db->{out}));
        is $r->{status}, $status, "status $status" or diag $r->{stderr};
        if ($status && $status != 83) {
            like $r->{stderr}, qr/\Alapse: [^\n]+\n  hint: [^\n]+\n\z/, 'one line and a hint';
            untouched($db, 15);
        }
        is $db->one('SELECT last_value FROM public.tries'), $how{tries}, "$how{tries} tries" if $how{tries};
        $how{then}->($db) if $how{then};
        $db->sql('DROP TRIGGER raise ON saas.invitations');
        next_run_completes($db);
    };
}

raises('a serialization failure, twice', '40001', 2, 0, tries => 3);
raises('a serialization failure, always', '40001', 1000, 75, tries => 4);
raises('a deadlock, three times', '40P01', 3, 0, tries => 4);
raises('the disk of the server is full', '53100', 1000, 74);
raises('the server is shutting down', '57P01', 1000, 75);
raises('a trigger that raises for one row', 'P0001', 1000, 83, then => sub {
    my ($db) = @_;
    is $db->one("SELECT count(*) FROM saas.invitations WHERE status = 'pending' AND invitation_id <> 18"), 0, 'all the others were changed';
    is $db->one("SELECT string_agg(sqlstate || ' ' || job, ',') FROM lapse.quarantine"), 'P0001 expire-invitations', 'its account is set aside';
});

# ---- an error in the middle of a stream ----

subtest 'an error after 70,000 rows' => sub {
    my $db = prepared();
    $db->sql("INSERT INTO saas.users (user_id, email, name, signed_up_at) SELECT g, 'holder' || g || '\@example.org', 'Holder of a license ' || g, '2025-01-01' FROM generate_series(1, 120000) g;
        INSERT INTO saas.licenses (account_id, user_id, source, granted_at) SELECT 1 + g % 3, g, 'manual', '2025-02-01' FROM generate_series(1, 120000) g; ANALYZE saas.users; ANALYZE saas.licenses");
    my @report = ('--set', 'database.deadline=30 s', 'run', 'activity-report', '--format', 'csv', @now, '--out', $db->{out});
    my ($q, $counting) = proxy($db);
    my $whole = $db->lapse_env({ PGHOST => $counting }, @report[0 .. 5], '--as-of', '2026-02-02', '--out', $db->dir . '/whole');
    is $whole->{status}, 0, 'undisturbed' or diag $whole->{stderr};
    kill 'TERM', $q->{pid};
    waitpid $q->{pid}, 0;
    my ($bytes) = Lapse::slurp("$counting/report") =~ /^0 \d+ (\d+)/m;
    my $at = int $bytes * 70_000 / 120_000;
    $db->{before} = sums($db->{out});
    my ($p, $dir) = proxy($db, 0, 's2c', $at, 'cut');
    my $r = finish(start({ %{ $db->env }, PGHOST => $dir }, $Lapse::lapse, @report));
    said($r, 75, 'activity-report');
    untouched($db, 0);
    ($p, $dir) = proxy($db, 0, 's2c', $at, 'stop');
    my $run = start({ %{ $db->env }, PGHOST => $dir }, $Lapse::lapse, @report);
    wait_for('the proxy to stop', sub { Lapse::slurp("/proc/$p->{pid}/stat") =~ /\) T/ });
    $db->sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE $own AND state = 'active'");
    sleep 0.1;
    kill 'CONT', $p->{pid};
    $r = finish($run);
    said($r, 75, 'activity-report');
    untouched($db, 0);
    $r = $db->lapse(@report);
    is $r->{status}, 0, 'the next run completes';
    is_deeply [grep { /^\.(staging|latest|swapping)/ } dir_of($db->{out})], [], '... nothing is left lying about';
};

# ---- a server of its own: to be restarted, full, on standby, with passwords and certificates ----

my ($cluster) = ("/tmp/lapse-fault-cluster-$$");
my ($main_host, $main_port, $main_user) = @ENV{qw(PGHOST PGPORT PGUSER)};
my $port = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')->sockport;
my @standby = ("$cluster-standby");

sub pg {
    my ($verb, $where, $options) = @_;
    my $r = Lapse::command({ LAPSE_TEST_PGOPTIONS => $options // "-c max_connections=10 -c listen_addresses=127.0.0.1 -c port=$port" }, "$Lapse::top/tests/pg", $verb, $where);
    die "tests/pg $verb: $r->{stderr}" if $r->{status};
    # The socket lies elsewhere after each start.
    ($ENV{PGHOST}) = pg('env', $where) =~ /PGHOST=(\S+)/ if $verb eq 'start';
    return $r->{stdout};
}
END { local $?; if ($cluster) { for ($cluster, @standby) { eval { pg('stop', $_) } if -d $_; system 'rm', '-rf', $_ } } }

pg('start', $cluster);
$ENV{PGPORT} = $port;
Lapse::Database::psql_checked('postgres', 'CREATE DATABASE lapse_template');
Lapse::command({ PGDATABASE => 'lapse_template' }, $Lapse::lapse, 'migrate')->{status} == 0 or die;

sub ctl {
    my (@how) = @_;
    my ($bin) = sort glob '/usr/lib/postgresql/*/bin';
    my @as = $> == 0 ? ('/usr/sbin/runuser', '-u', 'postgres', '--') : ();
    my $r = Lapse::command({}, '/bin/sh', '-c', 'cd / && exec "$@"', 'sh', @as, "$bin/pg_ctl", '-D', "$cluster/pg/data", '-w', @how);
    return $r->{status} == 0;
}

for my $mode ('fast', 'immediate') {
    in_the_middle("the server restarts ($mode)", sub { ctl('restart', '-m', $mode, '-l', "$cluster/pg/server.log") or fail 'restart' }, 75);
    subtest "the server is gone ($mode)" => sub {
        my $db = prepared();
        my $s = session($db->{name}, "BEGIN; UPDATE saas.invitations SET send_count = send_count WHERE invitation_id = 18");
        my $run = bg($db);
        waits($db);
        ctl('stop', '-m', $mode) or fail 'stop';
        end_session($s);
        my $r = finish($run);
        said($r, 75, '');
        ends_well($r, $deadline + 2);
        pg('start', $cluster);
        untouched($db, 15);
        next_run_completes($db);
    };
}

subtest 'too many connections' => sub {
    my $db = prepared();
    for my $taken (10, 9) {
        my @held;
        for (1 .. $taken) {
            pipe my $reader, my $writer or die;
            pipe my $told, my $tell or die;
            my $pid = fork // die;
            if ($pid == 0) {
                close $writer;
                open STDIN, '<&', $reader or die;
                open STDOUT, '>&', $tell or die;
                exec '/usr/bin/psql', '-Xq', 'template1';
            }
            close $tell;
            syswrite $writer, "\\echo connected\n";
            my $said = <$told>; # that, or nothing: it was refused
            push @held, [$pid, $writer];
        }
        my $r = finish(bg($db));
        said($r, 75, 'too many clients');
        ends_well($r, $deadline + 2);
        close $_->[1] for @held;
        waitpid $_->[0], 0 for @held;
        sleep 0.2;
        untouched($db, 0);
    }
    next_run_completes($db);
};

subtest 'a wrong password, or none' => sub {
    my $db = prepared();
    $db->sql("SET password_encryption = 'scram-sha-256'; CREATE ROLE guarded LOGIN SUPERUSER PASSWORD 'right'");
    my $hba = Lapse::slurp("$cluster/pg/data/pg_hba.conf");
    Lapse::spew("$cluster/pg/data/pg_hba.conf", "local all guarded scram-sha-256\nlocal all closed reject\n$hba");
    $db->sql('SELECT pg_reload_conf(); CREATE ROLE closed LOGIN');
    sleep 0.2;
    my $pass = $db->dir . '/pgpass';
    for my $word ('wrong', undef) {
        Lapse::spew($pass, defined $word ? "*:*:*:*:$word\n" : "\n");
        chmod 0600, $pass;
        $db->{more_env} = { PGUSER => 'guarded', PGPASSFILE => $pass };
        my $r = finish(bg($db));
        said($r, 77, 'password');
        like $r->{stderr}, qr/PGPASSFILE/, 'the hint says where it belongs';
        untouched($db, 0);
    }
    $db->{more_env} = { PGUSER => 'closed' };
    said(finish(bg($db)), 77, 'rejects|pg_hba');
    Lapse::spew($pass, "*:*:*:*:right\n");
    chmod 0600, $pass;
    next_run_completes($db, run => sub { $db->lapse_env({ PGUSER => 'guarded', PGPASSFILE => $pass }, @run, @now, '--out', $db->{out}) });
    Lapse::spew("$cluster/pg/data/pg_hba.conf", $hba);
    $db->sql('SELECT pg_reload_conf()');
};

subtest 'a standby, and one that is not yet up' => sub {
    my $db = prepared();
    my $standby = $standby[0];
    ctl('stop', '-m', 'fast') or fail 'stop';
    make_path("$standby/pg");
    system('cp', '-a', "$cluster/pg/data", "$standby/pg/data") == 0 or die;
    Lapse::spew("$standby/pg/data/standby.signal", '');
    unlink "$standby/pg/data/postmaster.pid";
    system 'chown', '-R', '--reference', "$cluster/pg/data", "$standby/pg" if $> == 0;
    pg('start', $standby, "-c max_connections=10 -c port=$port");
    my $r = finish(bg($db));
    said($r, 69, 'recovery|read-only|standby');
    ends_well($r, $deadline + 2);
    pg('stop', $standby);
    pg('start', $standby, "-c max_connections=10 -c port=$port -c hot_standby=off");
    said(finish(bg($db)), 75, 'starting up|not accepting|recovery');
    pg('stop', $standby);
    pg('start', $cluster);
    untouched($db, 0);
    next_run_completes($db);
};

SKIP: {
    skip 'openssl is not installed', 1 unless -x '/usr/bin/openssl';
    subtest 'certificates' => sub {
        my $db = prepared();
        my $data = "$cluster/pg/data";
        my $openssl = sub { my $r = Lapse::command({}, '/usr/bin/openssl', @_); die $r->{stderr} if $r->{status} };
        # Self-signed, by `openssl ca`: it alone can make a certificate that has expired already.
        my $make = sub {
            my ($host, $from, $to) = @_;
            my $dir = $db->dir;
            Lapse::spew("$dir/ca.cnf", "[ca]\ndefault_ca = a\n[a]\ndatabase = $dir/index\nnew_certs_dir = $dir\nserial = $dir/serial\n"
                . "default_md = sha256\npolicy = p\ncopy_extensions = copy\nunique_subject = no\n[p]\ncommonName = supplied\n");
            Lapse::spew("$dir/index", '');
            Lapse::spew("$dir/serial", "01\n");
            $openssl->('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', "$data/server.key", '-out', "$dir/request", '-subj', "/CN=$host",
                '-addext', "subjectAltName=DNS:$host");
            $openssl->('ca', '-batch', '-notext', '-selfsign', '-config', "$dir/ca.cnf", '-keyfile', "$data/server.key", '-in', "$dir/request",
                '-out', "$data/server.crt", '-startdate', $from, '-enddate', $to);
            chmod 0600, "$data/server.key";
            system 'chown', '--reference', $data, "$data/server.key", "$data/server.crt" if $> == 0;
            system 'cp', "$data/server.crt", $db->dir . '/root.crt';
            pg('stop', $cluster);
            pg('start', $cluster, "-c max_connections=10 -c listen_addresses=127.0.0.1 -c port=$port -c ssl=on");
        };
        my $tls = { PGHOST => 'localhost', PGHOSTADDR => '127.0.0.1', PGSSLMODE => 'verify-full', PGSSLROOTCERT => $db->dir . '/root.crt' };
        my @good = ('20200101000000Z', '20991231000000Z');
        $make->('elsewhere.example.org', @good);
        $db->{more_env} = $tls;
        said(finish(bg($db)), 69, 'elsewhere.example.org');
        untouched($db, 0);
        $make->('localhost', '20200101000000Z', '20200201000000Z');
        my $r = finish(bg($db));
        said($r, 69, 'expired|certificate verify failed');
        untouched($db, 0);
        $make->('localhost', @good);
        next_run_completes($db, run => sub { $db->lapse_env($tls, @run, @now, '--out', $db->{out}) });
    };
}

@ENV{qw(PGHOST PGPORT PGUSER)} = ($main_host, $main_port, $main_user);
done_testing;
