# The job purge (A5): what is past its time goes, what tells of people, money or changes stays; and a
# report for a date before it says what it lacks.
use strict;
use warnings;
use Test::More;
use Lapse;
use Fixture;

sub ends { my ($r, $status, $name) = @_; return is $r->{status}, $status, $name // 'the run ends well' || diag $r->{stdout}, $r->{stderr} }
sub purge { my ($db, @more) = @_; return $db->lapse('run', 'purge', '--as-of', $Fixture::as_of, '--out', $db->dir . '/reports', @more) }

# ---- A5: details by their age, summary rows, held accounts, --account ----
my @ages = (-1, 0, 1, 89, 90, 91, 92, 100, 101, 400);
sub details { # database, accounts with one user each
    my ($db, $n) = @_;
    my $f = Fixture->new($db);
    my @accounts = map {
        $f->case("account $_", { users => [{}], licenses => [{}], user_activity => [{ last_opened_at => at('12 h') }],
            user_activity_days => [map { { day => day($_), requests_created => 1 } } @ages] }, {});
    } 1 .. $n;
    $f->load;
    return @accounts;
}
sub left { my ($db, $account) = @_; return [map { $_->[0] } $db->rows("SELECT date '$Fixture::as_of' - day FROM saas.user_activity_days WHERE account_id = $account ORDER BY 1")] }
my $kept = [grep { $_ <= 90 } @ages];

for my $as_of ("${Fixture::as_of}T00:00:00Z", "${Fixture::as_of}T23:59:59Z") {
    my $db = Lapse::database();
    my ($one, $held, $other) = details($db, 3);
    $db->sql("INSERT INTO lapse.holds (account_id, reason, held_at) VALUES ($held, 'test', '2026-01-01')");
    ends($db->lapse_env({ TZ => 'Asia/Tokyo', PGTZ => 'Asia/Tokyo' }, 'run', 'purge', '--as-of', $as_of, '--dry-run'), 0, "A5 as of $as_of: a dry run ends well");
    is_deeply left($db, $one), \@ages, 'A5 ... and purges nothing';
    ends($db->lapse_env({ TZ => 'Asia/Tokyo', PGTZ => 'Asia/Tokyo' }, 'run', 'purge', '--as-of', $as_of, '--out', $db->dir . '/o'), 0, "A5 as of $as_of: the run ends well");
    is_deeply left($db, $_), $kept, 'A5 details of 90 days stay, of 91 go, by whole UTC days' for $one, $other;
    is_deeply left($db, $held), \@ages, 'A5 those of a held account stay';
    is $db->one('SELECT count(*) FROM saas.user_activity'), 3, 'A5 summary rows stay';
    is $db->one('SELECT count(*) FROM lapse.changes'), 0, 'A5 it has no audit';
    is $db->one("SELECT counters ->> 'recorded' FROM lapse.runs WHERE run_id = 1 AND state = 'done'"), 10, 'A5 the ledger says how many went';
    my $r = $db->lapse('--json', 'run', 'purge', '--as-of', $as_of, '--out', $db->dir . '/o');
    ends($r, 0, 'A5 a second run ends well');
    is $db->one('SELECT count(*) FROM saas.user_activity_days'), 2 * @$kept + @ages, 'A5 ... and finds nothing';
}

# ---- many small batches, some accounts, killed and rerun ----
{
    my $db = Lapse::database();
    my @accounts = details($db, 20);
    my ($first, $second, @rest) = @accounts;
    ends(purge($db, '--account', "$first,$second"), 0, '--account: the run ends well');
    is_deeply left($db, $_), $kept, '--account: the accounts named are purged' for $first, $second;
    is_deeply left($db, $_), \@ages, '--account: no other is' for @rest[0, -1];
    is $db->one("SELECT before FROM lapse.purged"), day(90), '--account: what is gone is known';

    # A constraint of the product's stops it at one account; what went before it is gone, and a rerun goes on.
    my $stuck = $accounts[12];
    $db->sql("CREATE FUNCTION public.no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''not this one''; END';
        CREATE TRIGGER no BEFORE DELETE ON saas.user_activity_days FOR EACH ROW WHEN (OLD.account_id = $stuck) EXECUTE FUNCTION public.no()");
    my $r = $db->lapse('--set', 'database.batch_rows=1', 'run', 'purge', '--as-of', $Fixture::as_of, '--out', $db->dir . '/reports');
    ends($r, 70, 'stopped in the middle');
    is_deeply left($db, $accounts[11]), $kept, '... what came before is purged';
    is_deeply left($db, $stuck), \@ages, '... and its own batch is not';
    $db->sql('DROP TRIGGER no ON saas.user_activity_days');
    $r = $db->lapse('--set', 'database.batch_rows=1', 'run', 'purge', '--as-of', $Fixture::as_of, '--out', $db->dir . '/reports');
    ends($r, 0, '... a rerun ends well');
    like $r->{stderr}, qr/going on with run \d+ of purge/, '... it goes on with that run';
    is_deeply [map { left($db, $_) } @accounts], [($kept) x @accounts], '... and purges the rest, in batches of a row';
    is $db->one("SELECT counters ->> 'recorded' FROM lapse.runs ORDER BY run_id DESC LIMIT 1"), 18 * 5, '... and counts each row once';

    # Killed: whatever is gone, the next run goes on.
    $db->sql("INSERT INTO saas.user_activity_days (account_id, user_id, day) SELECT account_id, account_id * 100 + 1, date '$Fixture::as_of' - 120 - n FROM saas.accounts, generate_series(1, 200) n");
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        %ENV = (%ENV, %{ $db->env });
        open STDERR, '>', '/dev/null';
        open STDOUT, '>', '/dev/null';
        exec $Lapse::lapse, '--set', 'database.batch_rows=1', 'run', 'purge', '--as-of', "${Fixture::as_of}T01:00:00Z", '--out', $db->dir . '/reports';
    }
    for (1 .. 500) { last if $db->one('SELECT count(*) FROM saas.user_activity_days WHERE day < \'2025-12-01\'') < 4000; select undef, undef, undef, 0.01 }
    kill KILL => $pid;
    waitpid $pid, 0;
    ends($db->lapse('run', 'purge', '--as-of', "${Fixture::as_of}T02:00:00Z", '--out', $db->dir . '/reports'), 0, 'killed: the next run ends well');
    is_deeply [map { left($db, $_) } @accounts], [($kept) x @accounts], 'killed: nothing that is due is left';
}

# ---- on clean data a report says the same before and after; for a day before, it says what it lacks ----
{
    my $db = Lapse::database();
    my $f = Fixture->new($db);
    for my $age (0, 30, 89, 90, 91, 95, 100, 101, 200) {
        $f->case("age $age", { users => [{}], licenses => [{}], user_activity => [{ last_opened_at => at("-$age d") }],
            user_activity_days => [map { { day => day($_), requests_created => 1 + $_, requests_executed => 2, documents_created => 3 } } $age, $age + 1, $age + 50] }, {});
        # Only the details know of them: no summary row, one without an opening, one with an older opening or only a login.
        my $n = 0;
        $f->case("age $age, by the details alone " . ++$n, { users => [{}], licenses => [{}], user_activity => $_, user_activity_days => [map { { day => day($_), requests_created => 1 } } $age, $age + 7] }, {})
            for [], [{}], [{ last_opened_at => at('-' . ($age + 3) . ' d') }], [{ last_login_at => at('-1 d') }];
    }
    $f->load;
    my $out = $db->dir . '/reports';
    my @jobs = qw(reconcile-seats activity-report);
    my $reports = sub {
        my ($as_of, @more) = @_;
        return $db->lapse('run', @jobs, '--as-of', $as_of, '--out', $out, @more);
    };
    my $bytes = sub { return map { m{([^/]+)$} => Lapse::slurp($_) } grep { !/manifest\.json$|SHA256SUMS$/ } glob "$out/$_[0]/*" };
    my $before = day(1);
    ends($reports->($before), 0, 'reports of the day before end well');
    my %yesterday = $bytes->($before);
    ends($reports->($Fixture::as_of), 0, 'reports of the day end well');
    my %was = $bytes->($Fixture::as_of);
    ends(purge($db), 0, 'the purge ends well');
    cmp_ok $db->one("SELECT (counters ->> 'recorded')::integer FROM lapse.runs ORDER BY run_id DESC LIMIT 1"), '>', 10, '... and something was due';
    ends($reports->($Fixture::as_of), 0, 'the reports again');
    my %is = $bytes->($Fixture::as_of);
    is_deeply [sort keys %is], [sort keys %was], '... are the same files';
    is_deeply [grep { $is{$_} ne $was{$_} } sort keys %is], [], '... of the same bytes';

    my $why = 'activity before ' . day(90) . " was purged as of $Fixture::as_of, and a report for $before needs it";
    for my $job (@jobs) {
        my @as_of = ('--as-of', "${before}T23:59:59Z", $job eq 'reconcile-seats' ? '--allow-backdate' : ());
        my $runs = $db->one('SELECT max(run_id) FROM lapse.runs');
        for my $dry ([], ['--dry-run']) {
            my $r = $db->lapse('run', $job, @as_of, @$dry, '--out', $db->dir . '/refused');
            ends($r, 80, "$job @$dry: for a day before the purge it is refused");
            like $r->{stderr}, qr/\Q$why\E/, '... with the reason';
            like $r->{stderr}, qr/--allow-incomplete/, '... and what can be done';
            ok !glob($db->dir . '/refused/*/*.csv'), '... and nothing is published';
        }
        is $db->one("SELECT count(*) FROM saas.seat_snapshots WHERE run_id > $runs"), 0, "$job: ... or changed";
        for my $dry ([], ['--dry-run']) {
            my $to = $db->dir . "/incomplete-$job@$dry";
            my $r = $db->lapse('run', $job, @as_of, @$dry, '--allow-incomplete', '--out', $to);
            ends($r, 0, "$job @$dry --allow-incomplete: it is made");
            like $r->{stderr}, qr/incomplete: \Q$why\E/, '... and told';
            ok -s "$to/$before/$job.csv", '... and published';
            SKIP: {
                skip 'unzip is not installed', 1 if !grep { -x "$_/unzip" } split /:/, $ENV{PATH};
                like Lapse::command({}, 'unzip', '-p', "$to/$before/$job.xlsx")->{stdout}, qr/\Q$why\E/, '... and the sheet Run says so';
            }
        }
    }
    unlike Lapse::command({}, 'unzip', '-p', "$out/$Fixture::as_of/$_.xlsx")->{stdout}, qr/was purged/, "$_: for the day of the purge nothing is lacking" for @jobs;
    is_deeply { $bytes->($before) }, \%yesterday, 'what was published before stays';
    # A purge of an earlier day changes nothing about what is gone.
    ends($db->lapse('run', 'purge', '--as-of', day(20), '--allow-backdate', '--out', $out), 0, 'a purge as of an earlier day ends well');
    is $db->one('SELECT before FROM lapse.purged'), day(90), '... what is gone stays known';
    # A run left unfinished before the purge is finished, and says what it lacks.
    my $left = $db->one("INSERT INTO lapse.runs (job, as_of, trigger, state, started_at, options, settings_digest, version, host)
        VALUES ('activity-report', '${before}T12:00:00Z', 'cron', 'failed', '2026-03-30', '{\"formats\": 0}', '', '', '') RETURNING run_id");
    my $r = $db->lapse('--set', "reports.dir=$out", 'run', 'activity-report');
    ends($r, 0, 'an unfinished run of a day before the purge is finished, not refused for ever');
    is $db->one("SELECT state FROM lapse.runs WHERE run_id = $left"), 'done', '... it is done';
}

# ---- history ----
my @history = ('--set', 'job.purge.history_retention=30 d');
sub history { my ($db) = @_; return join ' ', map { $_->[0] } $db->rows('SELECT run_id FROM lapse.runs ORDER BY 1') }
{
    my $db = Lapse::database();
    details($db, 1);
    my $add = sub {
        my ($job, $as_of, $state, %more) = @_;
        return $db->one("INSERT INTO lapse.runs (job, as_of, trigger, state, started_at, finished_at, counters, settings_digest, version, host)
            VALUES ('$job', '$as_of', 'cron', '$state', '$as_of', '$as_of', '" . ($more{counters} // '{}') . "', '', '', '') RETURNING run_id");
    };
    my %go = map { my ($name, @run) = @$_; ($add->(@run) => $name) } ['old, nothing changed', 'end-trials', at('-31 d'), 'done'], ['an instant older', 'end-trials', at('-30 d', '-1 us'), 'done'],
        ['failed', 'end-trials', at('-31 d'), 'failed'], ['stopped', 'end-trials', at('-31 d'), 'stopped'], ['superseded', 'end-trials', at('-31 d'), 'superseded'],
        ['a seats run that took no snapshot', 'reconcile-seats', at('-31 d'), 'done', counters => '{"recorded": 0}'], ['an old purge', 'purge', at('-31 d'), 'done', counters => '{"recorded": 9}'];
    my $exactly = $add->('end-trials', at('-30 d'), 'done');
    my $changed = $add->('end-trials', at('-90 d'), 'done');
    my $published = $add->('end-trials', at('-90 d'), 'done');
    my $snapshots = $add->('reconcile-seats', at('-90 d'), 'done', counters => '{"recorded": 3}');
    my $running = $add->('end-trials', at('-90 d'), 'running');
    my $last = $add->($_, at('-90 d'), 'done') for qw(end-trials reconcile-seats);
    my $failed_last = $add->('downgrade-plans', at('-90 d'), 'failed');
    $db->sql("INSERT INTO lapse.batches VALUES ($changed, 1, 1, 1, 1, 1, 'x', 'x');
        INSERT INTO lapse.files VALUES ('2026-01-01', '/somewhere/2026-01-01', 'x.csv', $published, 1, 1, 'x', '2026-01-01')");
    my $all = history($db);
    ends(purge($db), 0, 'history: the run ends well');
    my $own = $db->one('SELECT max(run_id) FROM lapse.runs');
    is history($db), "$all $own", 'history: off by default: every run stays';
    ends($db->lapse(@history, 'run', 'purge', '--as-of', $Fixture::as_of, '--account', 1, '--out', $db->dir . '/reports'), 0, 'history: a purge of some accounts ends well');
    is history($db), "$all $own " . ($own + 1), 'history: ... and leaves it';
    ends($db->lapse(@history, 'run', 'purge', '--as-of', $Fixture::as_of, '--out', $db->dir . '/reports'), 0, 'history: switched on, the run ends well');
    my %is = map { $_ => 1 } split / /, history($db);
    ok !$is{$_}, "history: $go{$_}: goes" for sort { $a <=> $b } keys %go;
    ok $is{$exactly}, 'history: one of 30 days to the instant stays';
    ok $is{$changed}, 'history: one that changed something stays';
    ok $is{$published}, 'history: one that published what is still there stays';
    ok $is{$snapshots}, 'history: one that took snapshots stays: the movement since counts from it';
    ok $is{$running}, 'history: one under way stays';
    ok $is{$failed_last}, 'history: the last of its job stays, failed or not';
    is scalar(keys %is), 9 + 2, 'history: nothing else went';
    is $db->one("SELECT count(*) FROM lapse.periods WHERE job = 'purge'"), 1, 'history: what has been done up to when stays';
}

# ---- reports ----
my @retention = ('--set', 'reports.retention=30 d');
{
    my $db = Lapse::database();
    details($db, 1);
    my ($out, $other) = map { $db->dir . "/$_" } qw(out other);
    my $publish = sub { my ($to, $date) = @_; ends($db->lapse('run', 'activity-report', '--as-of', $date, '--out', $to, '--format', 'csv'), 0, "published as of $date") };
    $publish->($out, $_) for day(50), day(45), day(40), day(31), day(30), day(0);
    $publish->($other, $_) for day(50), day(40);
    Lapse::spew("$out/" . day(45) . '/notes.txt', 'by hand');
    mkdir "$out/" . day(60) or die;
    Lapse::spew("$out/" . day(60) . '/activity-report.csv', 'somebody else\'s');
    my $sets = sub { return join ' ', map { m{/(\d[^/]*)$} } sort glob "$_[0]/*-*" };
    my $known = sub { return join ' ', map { $_->[0] } $db->rows("SELECT set_date FROM lapse.files WHERE folder LIKE '$_[0]/%' ORDER BY 1") };
    my $was = $sets->($out);
    my $run = sub { return $db->lapse(@_, 'run', 'purge', '--as-of', $Fixture::as_of, '--out', "$out/") };
    ends($run->(), 0, 'reports: the run ends well');
    is $sets->($out), $was, 'reports: off by default: every set stays';
    ends($db->lapse(@retention, 'run', 'purge', '--as-of', $Fixture::as_of, '--account', 1, '--out', $out), 0, 'reports: a purge of some accounts ends well');
    is $sets->($out), $was, 'reports: ... and leaves them';
    my $r = $run->(@retention);
    ends($r, 0, 'reports: switched on, the run ends well');
    is $sets->($out), join(' ', day(60), day(45), day(30), day(0)), 'reports: older ones go; one of 30 days, one with a stranger, one the ledger does not know stay';
    is $known->($out), join(' ', day(45), day(30), day(0)), 'reports: the ledger forgets what went, and nothing else';
    like $r->{stderr}, qr/purge: "\Q$out\E\/\Q${\ day(45)}\E" is kept: it holds "notes.txt", which the ledger does not know/, 'reports: what is kept is told';
    is $sets->($other), join(' ', day(50), day(40)), 'reports: a folder that this run does not publish in is somebody else\'s';
    ends(Lapse::command({}, 'sh', '-c', "cd '$out/" . day($_) . "' && sha256sum -c --strict SHA256SUMS"), 0, 'reports: the set of ' . day($_) . ' is as it was') for 45, 30, 0;

    # Killed between the folder and the ledger: the next run forgets it.
    ends($db->lapse('run', 'activity-report', '--as-of', day(41), '--out', $out, '--format', 'csv', '--allow-incomplete'), 0, 'reports: one more old set');
    rename "$out/" . day(41), "$out/.retired-" . day(41) . '-0123456789abcdef' or die;
    ends($run->(@retention), 0, 'reports: a set that is gone already: the run ends well');
    is $known->($out), join(' ', day(45), day(30), day(0)), 'reports: ... and the ledger forgets it';

    # The latest stays, whatever its age.
    ends($db->lapse(@retention, 'run', 'purge', '--as-of', $Fixture::as_of, '--out', $other), 0, 'reports: in the other folder the run ends well');
    is $sets->($other), day(40), 'reports: the latest stays, whatever its age';
    is $known->($other), day(40), 'reports: ... and the ledger knows it';
    is readlink "$other/latest", day(40), 'reports: ... and latest leads to it';

    # Runs whose sets were retired go with the next purge.
    ends($db->lapse(@history, @retention, 'run', 'purge', '--as-of', $Fixture::as_of, '--out', $out), 0, 'reports: with the history too');
    is $db->one("SELECT count(*) FROM lapse.runs r WHERE r.job = 'activity-report' AND r.as_of < date '$Fixture::as_of' - 30 AND NOT EXISTS (SELECT FROM lapse.files f WHERE f.run_id = r.run_id) AND r.run_id < (SELECT max(run_id) FROM lapse.runs WHERE job = 'activity-report')"), 0, 'reports: runs whose sets are gone go';
}
done_testing;
