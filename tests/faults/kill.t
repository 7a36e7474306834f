# Promise: a change happens exactly once. A run is killed (SIGKILL) again and again, at random moments
# and at system calls; reruns finish it; at the end everything is as if nobody had disturbed it.
#
#   LAPSE_TEST_KILLS=N        kills at random moments, default 50
#   LAPSE_TEST_KILL_ROWS=N    due invitations, default 200000
#   LAPSE_TEST_SYSCALLS=N     kills at system calls, default 25; 0 for every one there is
#   LAPSE_TEST_SEED=N         to repeat a run: the seed is printed
use strict;
use warnings;
use lib 'tests/lib';
use File::Path qw(remove_tree);
use Lapse;
use POSIX ();
use Test::More;
use Time::HiRes qw(time sleep);

my $kills = $ENV{LAPSE_TEST_KILLS} || 50;
my $rows = $ENV{LAPSE_TEST_KILL_ROWS} || 200_000;
my $seed = $ENV{LAPSE_TEST_SEED} || time ^ $$;
srand $seed;
note "LAPSE_TEST_SEED=$seed";
my $as_of = '2026-03-01';

# What the runner must get right whatever happens: invitations in many accounts, trials with codes and
# without, lapses to Essentials and to Pro, twice in one run, seats, organizations that follow.
sub fill {
    my ($db, $n, $accounts) = @_;
    $db->sql("
        INSERT INTO saas.users (user_id, email, name, signed_up_at) SELECT g, 'owner' || g || '\@example.org', 'Owner ' || g, '2024-01-01' FROM generate_series(1, $accounts) g;
        INSERT INTO saas.accounts (account_id, name, created_at) SELECT g, 'Account ' || g, '2024-01-01' FROM generate_series(1, $accounts) g;
        INSERT INTO saas.account_members (account_id, user_id, role, joined_at) SELECT g, g, 'owner', '2024-01-01' FROM generate_series(1, $accounts) g;
        INSERT INTO saas.organizations (account_id, organization_id, name, status, created_at) SELECT g, g, 'Organization ' || g, 'active', '2024-01-01' FROM generate_series(1, $accounts) g;
        INSERT INTO saas.organization_members (account_id, organization_id, user_id, via, joined_at, role) SELECT g, g, g, 'direct', '2024-01-01', 'owner' FROM generate_series(1, $accounts) g;
        INSERT INTO saas.licenses (account_id, user_id, source, granted_at) SELECT g, g, 'owner', '2024-01-01' FROM generate_series(1, $accounts) g;
        INSERT INTO saas.subscriptions (account_id, subscription_id, kind, plan, channel, status, seats, period_months, started_at, period_end, next_plan, cancel_at_period_end, next_seats, next_seats_from)
        SELECT g, 2 * g, 'base', CASE g % 4 WHEN 0 THEN 'enterprise' WHEN 1 THEN 'pro' WHEN 2 THEN 'pro' ELSE 'essentials' END,
            CASE g % 4 WHEN 3 THEN 'none' ELSE 'self_serve' END, 'active', CASE g % 4 WHEN 3 THEN -1 ELSE 10 END, CASE g % 4 WHEN 3 THEN NULL ELSE 1 END, '2025-01-01',
            CASE g % 4 WHEN 3 THEN NULL WHEN 2 THEN timestamptz '2027-01-01' ELSE timestamptz '2026-02-10' END,
            CASE WHEN g % 8 = 0 THEN 'pro' END, g % 8 = 0,
            CASE WHEN g % 4 = 2 THEN 20 END, CASE WHEN g % 4 = 2 THEN timestamptz '2026-02-15' END FROM generate_series(1, $accounts) g;
        INSERT INTO saas.subscriptions (account_id, subscription_id, kind, plan, channel, status, seats, started_at)
        SELECT g, 2 * g + 1, 'trial', 'trial', 'none', 'trialing', 50, '2026-02-05' FROM generate_series(1, $accounts) g WHERE g % 3 = 0;
        SELECT setval(pg_get_serial_sequence('saas.subscriptions', 'subscription_id'), 1000000);
        INSERT INTO saas.activation_codes (account_id, code_hash, plan, seats, period_end, issued_at, verified_at)
        SELECT g, 'h' || g, 'enterprise', 30, '2027-02-01', '2026-02-06', '2026-02-07' FROM generate_series(1, $accounts) g WHERE g % 9 = 0;
        INSERT INTO saas.domains (account_id, domain, method, verified_at, capture_enabled_at)
        SELECT g, 'd' || g || '.example.org', 'unique_txt', '2025-01-01', '2025-01-02' FROM generate_series(1, $accounts) g WHERE g % 4 = 0;
        INSERT INTO saas.invitations (account_id, invitation_id, email, organization_id, role, status, sent_at)
        SELECT 1 + g % $accounts, g, 'guest' || g || '\@example.org', 1 + g % $accounts, 'member', 'pending', '2026-01-01' FROM generate_series(1, $n) g");
    $db->sql('ANALYZE');
}

# The end state, without ids that the database gives and without clocks.
sub state_of {
    my ($db) = @_;
    my $text = '';
    for my $query (
        'SELECT account_id, invitation_id, status, closed_at FROM saas.invitations ORDER BY 1, 2',
        'SELECT account_id, kind, plan, channel, status, seats, period_months, started_at, period_end, next_plan, next_seats, next_seats_from, ended_at, end_reason, cancel_at_period_end FROM saas.subscriptions ORDER BY 1, 2, 3, started_at, ended_at NULLS LAST',
        'SELECT account_id, from_plan, to_plan, from_seats, to_seats, reason, effective_at FROM saas.plan_changes ORDER BY 1, effective_at, reason, from_plan, to_plan',
        'SELECT account_id, organization_id, status, inactive_since, inactive_reason FROM saas.organizations ORDER BY 1, 2',
        'SELECT account_id, organization_id, requested_at, visible_to, status FROM saas.organization_exports ORDER BY 1, 2, 3',
        'SELECT account_id, code_hash, redeemed_at FROM saas.activation_codes ORDER BY 1, 2',
        'SELECT account_id, domain, suspended_at FROM saas.domains ORDER BY 1, 2',
        "SELECT account_id, entity, CASE WHEN before IS NOT NULL THEN entity_id END AS entity_id, before, after - 'run_id' AS after, reason, effective_at FROM lapse.changes ORDER BY 1, 2, 3 NULLS LAST, 6, 7, 5::text, 4::text",
    ) {
        my ($name) = $query =~ /FROM (\S+)/;
        $text .= "$name " . $db->one("SELECT count(*) || ' ' || md5(coalesce(string_agg(t.text, E'\\n' ORDER BY t.number), '')) FROM (SELECT q::text AS text, row_number() OVER () AS number FROM ($query) q) t") . "\n";
    }
    return $text;
}

# The audit chain, computed anew from the rows as sql/ledger/chain-link.sql defines it.
sub chain_faults {
    my ($db) = @_;
    return $db->one(q{
        SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD';
        WITH body AS (
          SELECT b.chain_no, b.run_id, b.batch_no, b.rows, b.digest, b.previous, c.n, c.text,
                 lag(b.digest, 1, repeat('0', 64)) OVER (ORDER BY b.chain_no) AS expected, lag(b.chain_no, 1, 0) OVER (ORDER BY b.chain_no) AS before
          FROM lapse.batches b CROSS JOIN LATERAL (
            SELECT count(*) AS n, coalesce(string_agg(concat_ws(E'\t', c.account_id, c.change_id, c.run_id, c.batch_no, c.entity, c.entity_id,
                     coalesce(c.before::text, '\N'), c.after::text, c.reason, c.effective_at::text) || E'\n', '' ORDER BY c.account_id, c.change_id), '') AS text
            FROM lapse.changes c WHERE c.run_id = b.run_id AND c.batch_no = b.batch_no) c)
        SELECT coalesce(string_agg(format('run %s batch %s', run_id, batch_no), ', '), '') ||
          CASE WHEN (SELECT count(*) FROM lapse.changes c WHERE NOT EXISTS (SELECT FROM lapse.batches b WHERE b.run_id = c.run_id AND b.batch_no = c.batch_no)) > 0 THEN ' changes without a batch' ELSE '' END ||
          CASE WHEN (SELECT digest FROM lapse.chain_head) IS DISTINCT FROM coalesce((SELECT digest FROM lapse.batches ORDER BY chain_no DESC LIMIT 1), repeat('0', 64)) THEN ' the head' ELSE '' END
        FROM body
        WHERE rows <> n OR previous <> expected OR chain_no <> before + 1
           OR digest <> encode(sha256(convert_to(previous || E'\n' || text, 'UTF8')), 'hex')}) // '';
}

# Counters of each run against what the run wrote.
sub count_faults {
    return $_[0]->one(q{SELECT coalesce(string_agg(format('run %s: %s changes, %s counted', r.run_id, c.n, r.counters ->> 'changed'), ', '), '')
        FROM lapse.runs r CROSS JOIN LATERAL (SELECT count(*) AS n FROM lapse.changes c WHERE c.run_id = r.run_id) c
        WHERE c.n <> coalesce((r.counters ->> 'changed')::bigint, 0)}) // '';
}

# What readers see; run numbers and clocks stand in the manifest only.
sub published { my ($out) = @_; return Lapse::command({}, '/bin/sh', '-c', 'cd "$1" && readlink latest && cat latest/SHA256SUMS', 'sh', $out)->{stdout} }

sub valid_set {
    my ($out) = @_;
    return 1 unless -e "$out/latest";
    return Lapse::command({}, '/bin/sh', '-c', 'cd "$1/latest" && sha256sum --quiet -c SHA256SUMS', 'sh', $out)->{status} == 0;
}

sub clone {
    my ($from) = @_;
    our $clones;
    my $name = sprintf 'lapse_kill_%d_%d', $$, ++$clones;
    Lapse::Database::psql_checked('postgres', "CREATE DATABASE $name TEMPLATE $from->{name} STRATEGY FILE_COPY");
    return bless { name => $name, tmp => File::Temp::tempdir('lapse-test-XXXXXX', TMPDIR => 1, CLEANUP => 1) }, 'Lapse::Database';
}

sub start {
    my ($db, @command) = @_;
    my $pid = fork // die;
    return $pid if $pid;
    delete @ENV{grep { /^LAPSE_(?!TEST_)/ } keys %ENV};
    @ENV{keys %{ Lapse::guards() }} = values %{ Lapse::guards() };
    my $env = $db->env;
    $ENV{$_} = $env->{$_} for keys %$env;
    open STDIN, '<', '/dev/null';
    open STDOUT, '>>', "$db->{tmp}/stdout";
    open STDERR, '>>', "$db->{tmp}/stderr";
    exec { $command[0] } @command or POSIX::_exit(127);
}

# The backend of a killed run may still be at its last statement.
sub settle {
    my ($db) = @_;
    for (1 .. 500) {
        return if $db->one("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'lapse'") == 0;
        sleep 0.02;
    }
}

sub compare {
    my ($db, $expected, $name) = @_;
    my %got = (state => state_of($db), files => published("$db->{tmp}/out"), chain => chain_faults($db), counters => count_faults($db));
    my $good = 1;
    for my $what (sort keys %got) { $good &= is $got{$what}, $expected->{$what}, "$name: $what" }
    return $good;
}

sub expected_of {
    my ($db, @run) = @_;
    my $begun = time;
    my $r = $db->lapse(@run, '--as-of', $as_of, '--out', "$db->{tmp}/out");
    is $r->{status}, 0, 'undisturbed' or diag $r->{stderr};
    my $time = time - $begun;
    my %expected = (state => state_of($db), files => published("$db->{tmp}/out"), chain => '', counters => '');
    is chain_faults($db), '', '... its chain holds';
    is count_faults($db), '', '... its counters are right';
    return (\%expected, $time);
}

# Kills `lapse @run` at random moments, one after the other where the last one left it, then lets it end.
sub killed_at_random {
    my ($template, $kills, @run) = @_;
    my ($expected, $time) = expected_of(clone($template), @run);
    note sprintf 'undisturbed %.2f s', $time;
    my ($killed, $round, $struck) = (0, 0, 0);
    while ($struck < $kills && $killed < 4 * $kills) { # a busy machine makes some come too late
        my $db = clone($template);
        my ($out, $n) = ("$db->{tmp}/out", 0);
        my $first = 1;
        $round++;
        for (1 .. 8) { # kills of this clone, each from where the last one left it
            last if $struck >= $kills;
            my $pid = start($db, $Lapse::lapse, @run, '--as-of', $as_of, '--out', $out);
            sleep rand($first ? $time * 1.1 : $time * 0.6);
            kill 'KILL', $pid;
            waitpid $pid, 0;
            my $ended = ($? & 127) == 0;
            $first = 0;
            $killed++;
            $struck++ unless $ended;
            settle($db);
            ok valid_set($out), "what is published is whole (round $round)" if -e "$out/latest" || $n++ == 0;
            last if $ended;
        }
        for (1 .. 3) {
            my $r = $db->lapse(@run, '--as-of', $as_of, '--out', $out);
            is $r->{status}, 0, "round $round: the rerun is done" or diag $r->{stderr};
            last if $r->{status} == 0;
        }
        compare($db, $expected, "round $round") or diag "LAPSE_TEST_SEED=$seed round $round";
        opendir my $dir, $out or die "$out: $!";
        is_deeply [grep { /^\.(staging|latest|swapping)/ } readdir $dir], [], "round $round: nothing is left lying about";
        $db->lapse(@run, '--as-of', $as_of, '--out', $out);
        is state_of($db), $expected->{state}, "round $round: a further run changes nothing";
    }
    note "$struck of $killed kills struck a run that was under way, in $round rounds";
    cmp_ok $struck, '>', $kills / 3, 'most kills struck';
}

subtest "killed at random moments, $rows invitations in 2,000 accounts" => sub {
    my $many = Lapse::database();
    fill($many, $rows, 2000);
    killed_at_random($many, int $kills / 2, 'run', 'expire-invitations', '--format', 'csv');
};

subtest 'killed at random moments, all jobs' => sub {
    my $mixed = Lapse::database();
    fill($mixed, 4000, 400);
    killed_at_random($mixed, $kills - int $kills / 2, '--set', 'database.batch_rows=100', 'run', '--all', '--format', 'csv,xlsx');
};

# Small, so that each call can be tried; one clone each, the unfinished run finished without --as-of.
my $small = Lapse::database();
fill($small, 200, 40);

subtest 'killed, then run without --as-of' => sub {
    my @run = ('--set', 'database.batch_rows=20', 'run', '--all', '--format', 'csv');
    my ($expected, $time) = expected_of(clone($small), @run);
    my $struck = 0;
    for my $round (1 .. 12) {
        my $db = clone($small);
        my $out = "$db->{tmp}/out";
        my $pid = start($db, $Lapse::lapse, @run, '--as-of', $as_of, '--out', $out);
        sleep $time * (0.15 + 0.8 * $round / 12);
        kill 'KILL', $pid;
        waitpid $pid, 0;
        next if ($? & 127) == 0;
        $struck++;
        settle($db);
        # The jobs that had not begun have nothing to be finished: today's run would take their changes
        # under its own as-of. So only those that the ledger knows are run.
        my @begun = map { $_->[0] } $db->rows("SELECT job FROM lapse.runs GROUP BY job ORDER BY min(run_id)");
        @begun = grep { defined && length } @begun;
        my $before = state_of($db);
        if (@begun) {
            my $r = $db->lapse('--set', 'database.batch_rows=20', 'run', @begun, '--format', 'csv', '--out', $out);
            is $r->{status}, 0, "round $round: " . join(' ', @begun) . ' finished' or diag $r->{stderr};
            is $db->one("SELECT count(*) FROM lapse.runs WHERE as_of = '$as_of' AND state <> 'done'"), 0, '... every run of that as-of is done';
            is $db->one("SELECT count(*) FROM lapse.runs WHERE as_of = '$as_of'"), scalar @begun, '... and was not begun anew';
        }
        is chain_faults($db), '', '... the chain holds';
        is count_faults($db), '', '... the counters are right';
        my $r = $db->lapse(@run, '--as-of', $as_of, '--allow-backdate', '--out', $out);
        is $r->{status}, 0, '... the other jobs follow' or diag $r->{stderr};
        is $db->one("SELECT count(*) FROM (SELECT FROM lapse.changes WHERE before IS NOT NULL GROUP BY account_id, entity, entity_id, reason, after, before HAVING count(*) > 1) d"), 0, '... no change twice';
        is $db->one("SELECT string_agg(x, ',' ORDER BY x) FROM (SELECT DISTINCT status || coalesce(' ' || closed_at::text, '') AS x FROM saas.invitations) d"), 'expired 2026-01-31 00:00:00+00', '... the invitations are as they should be';
    }
    cmp_ok $struck, '>', 5, "$struck of 12 kills struck";
};

subtest 'killed at system calls' => sub {
    my $strace = '/usr/bin/strace';
    plan skip_all => 'strace is not installed' unless -x $strace;
    my $try = Lapse::command({}, $strace, '-f', '-o', '/dev/null', '-e', 'inject=getpid:signal=KILL:when=1', '/bin/true');
    plan skip_all => 'ptrace is not allowed here: ' . ($try->{stderr} =~ /\A([^\n]*)/)[0] if $try->{status} != 0;
    my @run = ('--set', 'database.batch_rows=50', 'run', '--all', '--format', 'csv');
    my ($expected) = expected_of(clone($small), @run);
    my $counting = clone($small);
    Lapse::command($counting->env, $strace, '-f', '-o', "$counting->{tmp}/trace", $Lapse::lapse, @run, '--as-of', $as_of, '--out', "$counting->{tmp}/out");
    my @calls = grep { /^\d+ +\w+\(/ } split /\n/, Lapse::slurp("$counting->{tmp}/trace");
    my ($first) = grep { $calls[$_] =~ /connect\(.*AF_UNIX/ } 0 .. $#calls; # before it, nothing can happen
    # strace counts each kind by itself, in each thread: of those who come to their nth, the first is struck.
    my (%of_thread, %met, @moments);
    for my $i (0 .. $#calls) {
        my ($thread, $call) = $calls[$i] =~ /^(\d+) +(\w+)/;
        my $nth = ++$of_thread{"$thread $call"};
        push @moments, [$i, $call, $nth] unless $met{"$call $nth"}++ || $i < ($first // 0);
    }
    my $sample = defined $ENV{LAPSE_TEST_SYSCALLS} ? $ENV{LAPSE_TEST_SYSCALLS} : 25;
    $sample = @moments if !$sample || $sample > @moments;
    note sprintf '%d system calls, of %d a kill can be told apart', scalar @calls, scalar @moments;
    my ($struck, $bad) = (0, 0);
    for my $i (0 .. $sample - 1) {
        my ($n, $call, $nth) = @{$moments[int(@moments * ($i + rand) / $sample)]};
        my $db = clone($small);
        my $out = "$db->{tmp}/out";
        my $pid = start($db, $strace, '-f', '-o', '/dev/null', '-e', "inject=$call:signal=KILL:when=$nth", $Lapse::lapse, @run, '--as-of', $as_of, '--out', $out);
        waitpid $pid, 0;
        $struck++ if $? & 127 || $? >> 8 == 137;
        settle($db);
        my $whole = valid_set($out);
        my $r = $db->lapse(@run, '--as-of', $as_of, '--out', $out);
        opendir my $dir, $out or die "$out: $!";
        my @left = grep { /^\.(staging|latest|swapping)/ } readdir $dir;
        my $same = state_of($db) eq $expected->{state} && published($out) eq $expected->{files} && chain_faults($db) eq '' && count_faults($db) eq '';
        next if $whole && $r->{status} == 0 && !@left && $same;
        $bad++;
        compare($db, $expected, "call $n");
        diag "call $n, ", $calls[$n], ": status $r->{status}, published whole: $whole, left: @left\n$r->{stderr}";
    }
    is $bad, 0, "$sample system calls, $struck of them struck: nothing lost, nothing doubled";
    cmp_ok $struck, '>', $sample * 0.8, "most struck: $struck of $sample";
};

done_testing;
