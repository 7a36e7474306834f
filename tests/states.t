# Random accounts (tests/lib/States.pm) in whatever state: what the dry run lists is what the run does,
# and what a plan and apply do; a second run does nothing; what the database refuses stops nobody else; undo brings back what was,
# but for rows that were changed since, which it lists; an undo undone brings back the night.
#
#     LAPSE_TEST_SEED=N      to repeat a run: the seed is printed
#     LAPSE_TEST_TURN=N      one of its turns alone, 0 to 2
#     LAPSE_TEST_STATES=N    accounts in each turn; not set: 500, then 120 and 120
use strict;
use warnings;
use JSON::PP ();
use List::Util qw(first shuffle sum);
use Test::More;
use Lapse;
use Fixture;
use States;

my $json = JSON::PP->new->canonical->allow_nonref;
my @jobs = map { $_->{job} } grep { $_->{kind} eq 'change' && $_->{job} ne 'reconcile-billing' } map { $json->decode($_) } split /\n/, Lapse::command({}, $Lapse::lapse, 'jobs', '--json')->{stdout};

# What differs from turn to turn: the instant, the size of a batch, the rules that can be turned.
my @turns = (
    { states => 500, as_of => '2026-03-31', set => ['database.batch_rows=10000'] },
    { states => 120, as_of => '2026-03-31 12:34:56', set => ['database.batch_rows=5', 'rules.renewal_grace=3 d', 'rules.personal_workspace_can_lapse=yes', 'rules.manual_team_delete=yes'] },
    { states => 120, as_of => '2026-02-28 23:59:59', set => ['database.batch_rows=40', 'rules.capture_existing=yes', 'rules.release_unused_seats_after=90 d'] },
);
my $turn;

# ---- lapse ----

sub lapse {
    my ($db, @words) = @_;
    my @set = map { ('--set', $_) } @{ $turn->{set} }, 'reports.formats=csv', 'reports.dir=' . $db->dir . '/out';
    return $db->lapse('--json', @set, @words);
}
sub lines { my ($r) = @_; return map { $json->decode($_) } grep { !/"entity":/ || /"what":"left"/ } split /\n/, $r->{stdout} }
sub run_jobs { my ($db, $jobs, @more) = @_; return lapse($db, 'run', @$jobs, '--as-of', at() =~ s/\+00:00$/Z/r, @more) }
# Done; with states like these accounts may be set aside.
sub ended_well { my ($name, $r) = @_; ok $r->{status} == 0 || $r->{status} == 83, "$name ends well" or diag $r->{status}, ' ', $r->{stderr} }
sub last_run { my ($db) = @_; return $db->one('SELECT coalesce(max(run_id), 0) FROM lapse.runs') }

sub copy_of {
    my ($db) = @_;
    my $copy = Lapse::database(empty => 1);
    Lapse::Database::psql_checked('postgres', $_) for 'DROP DATABASE ' . $copy->name, 'CREATE DATABASE ' . $copy->name . ' TEMPLATE ' . $db->name;
    $copy->{dns} = $db->{dns};
    return $copy;
}

sub none { my ($name, @wrong) = @_; return is(scalar @wrong, 0, $name) || diag map { "$_\n" } @wrong > 20 ? (@wrong[0 .. 19], '...') : @wrong }
sub same { my ($name, $is, $should) = @_; return none($name, States::differences($is, $should)) }

sub audit_holds { my ($name, $db) = @_; is lapse($db, 'verify', '--audit')->{status}, 0, "$name: the audit chain holds" }
sub promises_hold {
    my ($name, $db) = @_;
    none("$name: what must hold after a run holds", map { $_->{found} } grep { $_->{verdict} eq 'WRONG' } lines(lapse($db, 'check', '--as-of', at() =~ s/\+00:00$/Z/r)));
}

# ---- what was changed ----

# A change as a text: an id that the database made and a run's number are not compared, and an
# instant is shown in whole seconds. Thousands of them: their images stay the JSON that they are.
sub change {
    my ($account, $entity, $id, $before, $after, $reason, $effective_at) = @_;
    $id = $before eq 'null' ? 'new' : $id =~ s/\b\d{9,}$/new/r;
    return States::named_text("$account $entity $id $before $after $reason $effective_at");
}
# Of the runs after one: job => { change => how often }.
sub done_since {
    my ($db, $run) = @_;
    my %done;
    for (grep { @$_ > 1 } $db->rows("SELECT r.job, c.account_id, c.entity, c.entity_id, coalesce(c.before::text, 'null'), c.after::text, c.reason,
            to_char(c.effective_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM lapse.changes c JOIN lapse.runs r USING (run_id) WHERE c.run_id > $run")) {
        my ($job, @change) = @$_;
        s/": /":/g, s/, "/,"/g for @change[3, 4];
        $done{$job}{ change(@change) }++;
    }
    return \%done;
}
sub listed {
    my ($dry) = @_;
    my %listed;
    for (grep { /"entity":/ } split /\n/, $dry->{stdout}) {
        my ($job, @change) = /^\{"job":"(.*?)","account_id":(\d+),"entity":"(.*?)"(?:,"entity_id":"(.*?)","before":(\{.*?\}))?,"after":(\{.*?\}),"reason":"(.*?)","effective_at":"(.*?)"\}$/
            or die "not a change: $_";
        $change[3] //= 'null';
        $listed{$job}{ change(@change) }++;
    }
    return \%listed;
}
sub counts { my ($r) = @_; return { map { my $c = $_; map { ("$c->{job} $_" => $c->{$_}) } qw(changed skipped set_aside) } grep { exists $_->{result} } lines($r) } }

# Lists, does, compares, job by job.
sub dry_then_run {
    my ($name, $db, @jobs) = @_;
    my $before = States::everything($db);
    my $last = last_run($db);
    my $dry = run_jobs($db, \@jobs, '--dry-run');
    ended_well("$name: the dry run", $dry);
    same("$name: the dry run changes nothing", States::everything($db), $before) if @jobs > 1;
    my $run = run_jobs($db, \@jobs);
    ended_well($name, $run);
    my ($done, $listed) = (done_since($db, $last), listed($dry));
    same("$name: $_ did what its dry run listed", $done->{$_} || {}, $listed->{$_} || {}) for @jobs;
    is_deeply counts($run), counts($dry), "$name: ... and counted the same";
    return $done;
}

# ---- a plan ----

# Plans; a copy of the database applies, and is returned. `$done` is what a run does. What has no audit
# (snapshots, last_seen_at) a plan leaves as it is in accounts that it does not change.
sub planned {
    my ($name, $db, $done) = @_;
    my $copy = copy_of($db);
    my $file = $db->dir . '/plan.jsonl';
    ended_well("$name: the plan", lapse($db, 'plan', @jobs, '--as-of', at() =~ s/\+00:00$/Z/r, '-o', $file));
    my ($header) = map { $json->decode($_) } split /\n/, Lapse::slurp($file) =~ s/\n.*//sr;
    is_deeply { map { $_->{job} => $_->{changes} } @{ $header->{jobs} } }, { map { $_ => sum(0, values %{ $done->{$_} || {} }) } @jobs }, "$name: has as many changes of each job";
    my $last = last_run($copy);
    ended_well("$name: apply", lapse($copy, 'apply', $file));
    my $applied = done_since($copy, $last);
    same("$name: $_ did by plan what a run does", $applied->{$_} || {}, $done->{$_} || {}) for @jobs;
    audit_holds("$name, by plan", $copy);
    return $copy;
}

# ---- undo ----

# Newest first: what had done something, undos or not.
sub runs_with_changes { my ($db, $undos) = @_; return map { $_->[0] // () } $db->rows("SELECT run_id FROM lapse.runs r WHERE (job = 'undo') = $undos AND EXISTS (SELECT FROM lapse.changes c WHERE c.run_id = r.run_id) ORDER BY 1 DESC") }

# An undo's as-of is the clock's: a dry run's is another. What was before may be of the same second.
sub at_now {
    my ($changes, $r) = @_;
    my $as_of = (first { exists $_->{as_of} } lines($r))->{as_of} =~ s/Z$//r;
    return { map { my ($was, $is) = /^(.* )(\{.*)$/s; $was . ($is =~ s/\Q$as_of\E(?:Z|\+00:00)/NOW/gr) => $changes->{$_} } keys %{ $changes || {} } };
}

# Undoes runs, some of them tried before; returns what was left: run => { "account entity key" => 1 }.
sub undo_all {
    my ($name, $db, @runs) = @_;
    my %left;
    for my $run (@runs) {
        my $dry = States::chance(0.3) ? lapse($db, 'undo', $run, '--dry-run') : undef;
        my $r = lapse($db, 'undo', $run);
        is $r->{status}, 0, "$name: undo of run $run" or diag $r->{stderr};
        my ($result, @left) = lines($r);
        same("$name: ... did what its dry run listed", at_now(done_since($db, $result->{run} - 1)->{undo}, $r), at_now(listed($dry)->{undo}, $dry)) if $dry;
        $left{$run} = { map { ("$_->{account_id} $_->{entity} $_->{entity_id}" => 1) } @left };
    }
    return \%left;
}

# What a row that a run had inserted is after its undo.
my %begin = (subscriptions => 'started_at', organization_members => 'joined_at', account_members => 'joined_at', licenses => 'granted_at');
sub ended {
    my ($table, $row, $when) = @_;
    my $begin = $begin{$table} ? $row->{ $begin{$table} } : '';
    my $end = $when gt $begin ? $when : $begin;
    return { %$row, $table eq 'subscriptions' ? (status => 'ended', ended_at => $end, end_reason => 'undone') : $table eq 'licenses' ? (revoked_at => $end, revoke_reason => 'undone')
        : $table eq 'organization_exports' ? (status => 'cancelled') : (left_at => $end) };
}

# ---- an account's owner is faster: rows change between a night and its undo ----

my %never = map { $_ => 1 } qw(organization_members/joined_at team_members/joined_at team_organizations/linked_at); # a part of the key
my %ends = (licenses => ['revoked_at'], organization_members => ['left_at'], account_members => ['left_at'], subscriptions => ['next_seats', 'cancel_at_period_end']);
sub other_value {
    my ($column) = @_;
    return $column =~ /_(?:at|since|from|end)$/ && $column !~ /^cancel/ ? "'2031-02-03 04:05:06+00'" : $column =~ /seats$/ ? "coalesce($column, 0) + 77"
        : $column =~ /^cancel/ ? 'NOT coalesce(cancel_at_period_end, false)' : $column =~ /reason$|_ref$/ ? "'touched'" : undef;
}

# The rows that runs changed: "account entity key" => [{ run, columns, inserted }, ...], newest first.
sub changed_rows {
    my ($db) = @_;
    my %rows;
    for ($db->rows("SELECT concat_ws(' ', account_id, entity, entity_id), run_id, bool_or(before IS NULL), string_agg((SELECT string_agg(k, ' ') FROM jsonb_object_keys(after - 'last_seen_at') k), ' ')
            FROM lapse.changes GROUP BY account_id, entity, entity_id, run_id ORDER BY run_id DESC")) {
        my ($row, $run, $inserted, $columns) = @$_;
        push @{ $rows{$row} }, { run => $run, inserted => $inserted eq 't', columns => { map { $_ => 1 } split / /, $columns } };
    }
    return \%rows;
}

# Changes one column of a tenth of them; returns row => { column => 1 }.
sub touch {
    my ($db, $changed) = @_;
    my (%touched, @sql);
    for my $row (grep { !/^\d+ plan_changes / && States::chance(0.1) } sort { States::by_account($a, $b) } keys %$changed) {
        my ($account, $table, $id) = split / /, $row, 3;
        my @changes = @{ $changed->{$row} };
        my %columns = map { %{ $_->{columns} } } @changes;
        my @choice = grep { defined other_value($_) && !$never{"$table/$_"} } sort(keys %columns), (grep { $_->{inserted} } @changes) ? @{ $ends{$table} || [] } : ();
        my $column = States::pick(@choice) // next;
        $touched{$row}{$column} = 1;
        push @sql, "UPDATE saas.$table t SET $column = " . other_value($column) . " WHERE account_id = $account AND concat_ws('/', " . States::key($table) . ') = ' . Fixture::literal($id);
    }
    $db->sql(join ';', "SET timezone = 'UTC'", @sql);
    return \%touched;
}

# What an undo of all runs, newest first, has to leave; %$touched becomes all columns that stay.
sub to_be_left {
    my ($changed, $touched, @runs) = @_;
    my %left;
    for my $run (@runs) {
        my %mine = map { my $row = $_; my $c = first { $_->{run} == $run } @{ $changed->{$row} }; $c ? ($row => $c) : () } keys %$changed;
        my @left = grep { my $t = $touched->{$_}; my $c = $mine{$_}; $t && ($c->{inserted} || grep { $c->{columns}{$_} } keys %$t) } keys %mine;
        my %whole = map { /^(\d+) (?:subscriptions|activation_codes) / ? ($1 => 1) : () } @left;
        push @left, grep { /^(\d+) (?:subscriptions|activation_codes|plan_changes) / && $whole{$1} } keys %mine;
        for my $row (@left) {
            $left{$run}{$row} = 1;
            $touched->{$row}{$_} = 1 for keys %{ $mine{$row}{columns} };
        }
        $left{$run} ||= {};
    }
    return \%left;
}

# The state that it has to bring: as before, but for the columns that stay, and what is ended.
sub after_undo {
    my ($before, $night, $changed, $touched, $left, $undone_at) = @_;
    my %should = %$night;
    for my $row (grep { !/^\d+ plan_changes / } keys %$changed) {
        my $now = $json->decode($night->{$row});
        my ($table) = $row =~ /^\d+ (\w+)/;
        if (defined $before->{$row}) {
            my $was = $json->decode($before->{$row});
            $was->{$_} = $now->{$_} for keys %{ $touched->{$row} || {} };
            $should{$row} = $was;
        } else {
            my ($insert) = grep { $_->{inserted} } @{ $changed->{$row} };
            $should{$row} = $left->{ $insert->{run} }{$row} ? $now : ended($table, $now, $undone_at->{ $insert->{run} });
        }
    }
    return \%should;
}
# Rows of a kind are compared as what they say, whoever wrote the JSON.
sub canonical { my ($rows, $which) = @_; return { map { my $row = $rows->{$_}; $_ => $which->{$_} ? $json->encode(ref $row ? $row : $json->decode($row)) : $row } keys %$rows } }
sub without_reversals { my ($rows) = @_; return { map { $_ => $rows->{$_} } grep { !/ plan_changes / || $rows->{$_} !~ /"reason": ?"undone"/ } keys %$rows } }

# Undoes all there was, what somebody has changed meanwhile included; returns the night's rows.
sub undo {
    my ($name, $db, $before, $touches) = @_;
    my @runs = runs_with_changes($db, 'false');
    my $changed = changed_rows($db);
    my $touched = $touches ? touch($db, $changed) : {};
    cmp_ok scalar keys %$touched, '>', 10, "$name: rows were changed in between" if $touches && keys %$changed > 300;
    my $night = States::audited($db);
    my $should_leave = to_be_left($changed, $touched, @runs);
    my $left = undo_all($name, $db, @runs);
    for my $run (@runs) { same("$name: run $run: what was changed since is left and listed", $left->{$run}, $should_leave->{$run}) }
    my %undone_at = map { @$_ } $db->rows("SELECT DISTINCT c.run_id, to_jsonb(r.as_of) #>> '{}' FROM lapse.undone u JOIN lapse.changes c USING (account_id, change_id) JOIN lapse.runs r ON r.run_id = u.undo_run");
    my $should = after_undo($before, $night, $changed, $touched, $should_leave, \%undone_at);
    same("$name: all else is as it was", map { canonical($_, $changed) } without_reversals(States::audited($db)), $should);
    audit_holds("$name, undone", $db);
    return $night;
}
sub undo_then_redo {
    my ($name, $db, @how) = @_;
    my $night = undo($name, $db, @how);
    my $left = undo_all("$name, the undo", $db, runs_with_changes($db, 'true'));
    none("$name: an undo undone leaves nothing", map { keys %$_ } values %$left);
    same("$name: ... and brings back the night", without_reversals(States::audited($db)), without_reversals($night));
    audit_holds("$name, undone and redone", $db);
}

# ---- the database refuses some accounts ----

# Whose domains nobody else has: what they keep is nobody's loss.
sub accounts_alone {
    my ($db) = @_;
    return map { $_->[0] } $db->rows('SELECT a.account_id FROM saas.accounts a WHERE NOT EXISTS (SELECT FROM saas.domains d JOIN saas.domains o USING (domain)
        WHERE d.account_id = a.account_id AND o.account_id <> a.account_id) ORDER BY 1');
}
sub refuse {
    my ($db, @accounts) = @_;
    $db->sql(join ';', 'CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.account_id IN (' . join(', ', @accounts) . q{) THEN RAISE 'frozen by legal'; END IF; RETURN NEW; END $$},
        map { "CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON saas.$_ FOR EACH ROW EXECUTE FUNCTION public.refuse()" } States::tables());
}
sub only { my ($rows, $which) = @_; return { map { my ($account) = /^(\d+)/; $which->{$account} ? ($_ => $rows->{$_}) : () } keys %$rows } }

# What each job by itself has to do for accounts: job => { account => 1 }.
sub due {
    my ($db, @accounts) = @_;
    my %due;
    for my $job (@jobs) {
        my $dry = run_jobs($db, [$job], '--dry-run', '--account', join ',', @accounts);
        $due{$job} = { map { /^(\d+)/ ? ($1 => 1) : () } keys %{ listed($dry)->{$job} || {} } };
    }
    return \%due;
}

sub refused {
    my ($name, $db, $before, $night, $done) = @_;
    my ($first, @alone) = accounts_alone($db);
    my %refused = map { $_ => 1 } $first, grep { States::chance(0.04) } @alone;
    my %others = map { $_->[0] => 1 } grep { !$refused{ $_->[0] } } $db->rows('SELECT account_id FROM saas.accounts');
    my $due = due($db, keys %refused);
    refuse($db, keys %refused);
    my $untouched = copy_of($db);
    my $all_done = dry_then_run($name, $db, @jobs);
    planned("$name: a plan", $untouched, $all_done);
    same("$name: the others change as without", only(States::named(States::everything($db)), \%others), only($night, \%others));
    same("$name: ... nothing of the refused", only(States::everything($db), \%refused), only($before, \%refused));
    same("$name: ... $_ as without", $all_done->{$_} || {}, only($done->{$_} || {}, \%others)) for @jobs;
    is_deeply [map { "@$_" } $db->rows("SELECT DISTINCT sqlstate, reason LIKE '%frozen by legal%' FROM lapse.quarantine WHERE sqlstate IS NOT NULL AND run_id > 0")], ['P0001 t'], "$name: ... with SQLSTATE and reason";
    for my $job (@jobs) {
        my %aside = map { $_->[0] => 1 } grep { @$_ } $db->rows("SELECT account_id FROM lapse.quarantine WHERE job = '$job' AND sqlstate = 'P0001' AND run_id > 0");
        none("$name: whom $job would change is set aside", grep { !$aside{$_} } sort { $a <=> $b } keys %{ $due->{$job} });
        none("$name: ... and nobody else", grep { !$refused{$_} } sort { $a <=> $b } keys %aside);
    }
    audit_holds($name, $db);
    promises_hold($name, $db);
    $db->sql('DROP FUNCTION public.refuse() CASCADE');
    ended_well("$name: the next run", run_jobs($db, \@jobs));
    same("$name: ... has all as if nothing had been", States::named(States::everything($db)), $night);
    is $db->one('SELECT count(*) FROM lapse.quarantine WHERE sqlstate IS NOT NULL'), 0, "$name: ... nobody is refused any more";
    audit_holds("$name, mended", $db);
}

# ---- the turns ----

my $first_seed = $ENV{LAPSE_TEST_SEED} || time ^ $$;
diag "LAPSE_TEST_SEED=$first_seed";
for my $n (defined $ENV{LAPSE_TEST_TURN} ? $ENV{LAPSE_TEST_TURN} : 0 .. $#turns) {
    my $seed = $first_seed + $n;
    $turn = $turns[$n];
    $Fixture::as_of = $turn->{as_of};
    my $states = States->new(Lapse::database(), seed => $seed, accounts => $ENV{LAPSE_TEST_STATES} || $turn->{states})->load;
    my $db = $states->{db};
    my @start = map { copy_of($db) } 1 .. 4;
    my ($before, $before_audited) = (States::everything($db), States::audited($db));

    my $done = dry_then_run('a night', $db, @jobs);
    note join ', ', map { "$_ " . keys %{ $done->{$_} || {} } } @jobs;
    my ($night, $night_audited) = map { States::named($_) } States::everything($db), States::audited($db);
    audit_holds('a night', $db);
    promises_hold('a night', $db);
    my $last = last_run($db);
    ended_well('a second night', run_jobs($db, \@jobs));
    none('a second night changes nothing', map { keys %$_ } values %{ done_since($db, $last) });
    same('... nor has it written anything else', States::named(States::everything($db)), $night);
    srand $seed;
    my $changed_since = copy_of($db);
    undo_then_redo('undo', $db, $before_audited, 0);
    undo_then_redo('undo of rows changed since', $changed_since, $before_audited, 1);

    dry_then_run("$_ by itself", $start[0], $_) for @jobs;
    same('job by job it is the same night', States::named(States::everything($start[0])), $night);
    srand $seed;
    dry_then_run("$_ in another order", $start[1], $_) for shuffle @jobs;
    undo('undo of another order', $start[1], $before_audited, 0) if $n;

    my $applied = planned('a plan', $start[3], $done);
    same('... and left the same rows', States::named(States::audited($applied)), $night_audited);
    srand $seed;
    undo('undo of a plan', $applied, $before_audited, 0) if $n;

    srand $seed;
    refused('some are refused', $start[2], $before, $night, $done);
}
done_testing;
