# reconcile-seats against a model: random accounts that do their worst, counted by plain loops over
# the exported rows (tests/lib/SeatsModel.pm), compared with every figure of every account. Once as
# of a midnight, once as of an instant within the day.
#
#     LAPSE_TEST_SEED=N         to repeat a run: the seed is printed
#     LAPSE_TEST_ACCOUNTS=N     accounts each time, 300 if not set
use strict;
use warnings;
use List::Util qw(shuffle);
use Test::More;
use Lapse;
use Fixture;
use SeatsModel;

my $seed = $ENV{LAPSE_TEST_SEED} || time ^ $$;
my $accounts = $ENV{LAPSE_TEST_ACCOUNTS} || 300;
diag "LAPSE_TEST_SEED=$seed";

# ---- the generator ----

my (@edges, $shared);

# What came before must not show in what is drawn: temporary files draw too.
my $next_seed = $seed;
sub draw_anew { srand $next_seed++ }

sub chance { return rand() < $_[0] }
sub pick { return $_[rand @_] }
sub some { my ($from, $to) = @_; return $from + int rand($to - $from + 1) }
sub recased { my ($text) = @_; return chance(0.6) ? $text : join '', map { chance(0.5) ? uc : lc } split //, $text }

# The as-of, or the instant of an earlier snapshot, to the second and to the microsecond.
sub edge { return at(pick(@edges), pick('-1 s', '-1 us', '+0 s', '+1 us', '+1 s')) }
sub past { my ($days) = @_; return at('-' . int(rand $days * 86_400) . ' s') }
sub instant {
    my $what = rand;
    return $what < 0.35 ? past(700) : $what < 0.65 ? past(4) : $what < 0.9 ? edge() : at('+' . some(1, 900_000) . ' s');
}

# A begin, and an end or none.
sub span {
    my ($ends) = @_;
    my @t = sort(instant(), instant());
    return chance($ends) ? @t : ($t[0], undef);
}

# A row of each key; what a primary key forbids is left out.
sub unique { my ($key, @rows) = @_; my %seen; return grep { my $row = $_; !$seen{ join '/', @$row{@$key} }++ } @rows }

# People of the account itself, numbered from 1, and some of an account before it.
sub users {
    my ($account) = @_;
    return map {
        my $email = chance(0.08) ? undef : recased("u$_.a$account\@x.example");
        { email => $email, name => "User $_", deleted_at => chance(0.15) ? instant() : undef };
    } 1 .. some(1, 9);
}

sub subscriptions {
    my @base = map { base(span(0.1)) } 1 .. pick(0, 1, 1, 1, 1, 1, 2, 2, 3);
    my @trials = chance(0.5) ? map { trial() } 1 .. pick(1, 1, 2) : ();
    # Two that began at the same instant: the lower id counts.
    $base[1]{started_at} = $base[0]{started_at} if @base > 1 && chance(0.5) && !defined $base[1]{ended_at};
    $trials[1]{started_at} = $trials[0]{started_at} if @trials > 1 && chance(0.5) && !defined $trials[1]{ended_at};
    return shuffle(@base, @trials);
}
sub base {
    my ($started, $ended) = @_;
    my $plan = pick(qw(essentials pro pro enterprise));
    return { plan => $plan, seats => pick(-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 30, 700, undef), period_end => chance(0.5) ? edge() : undef,
        status => defined $ended ? pick('ended', 'ended', 'active') : pick('active', 'active', 'past_due'), started_at => $started, ended_at => $ended };
}
sub trial {
    my ($started, $ended) = span(0.3);
    $started = chance(0.5) ? past(20) : at(pick(@edges), '-336 h', pick('-1 s', '+0 s', '+1 s')) if !defined $ended;
    my $ends = pick(undef, undef, at(pick(@edges), pick('-1 s', '+0 s', '+1 s')), at($started, '+336 h'), instant());
    return { kind => 'trial', plan => 'trial', status => defined $ended ? 'ended' : pick('trialing', 'active'), started_at => $started, ended_at => $ended,
        seats => pick(50, 3, undef), trial_ends_at => $ends };
}

sub licenses {
    my ($people) = @_;
    my @people = map { ($_) x pick(0, 1, 1, 1, 1, 2, 3) } @$people;
    return map {
        my ($granted, $revoked) = span(0.35);
        { user_id => $_, source => pick(qw(owner invitation scim scim capture manual manual)), granted_at => $granted, revoked_at => $revoked };
    } shuffle(@people);
}

sub account_members {
    my ($people) = @_;
    return map {
        my ($joined, $left) = span(0.25);
        { user_id => $_, role => pick(qw(owner co_owner billing member)), joined_at => $joined, left_at => $left };
    } grep { chance(0.4) } @$people;
}

sub named { my ($created, $deleted) = span(0.3); return (name => pick(qw(Mill mill Twin Twin Zeta Anchor)), created_at => $created, deleted_at => $deleted) }
sub organizations {
    return map { { named(), is_personal => pick(JSON::PP::false, JSON::PP::false, JSON::PP::true), status => pick(qw(active active inactive)) } } 1 .. pick(0, 1, 1, 2, 3, 4);
}
sub teams {
    return map { { named(), source => pick(qw(manual scim)) } } 1 .. pick(0, 0, 1, 2, 3);
}

# Some accounts are crowded, some deserted: there a license is without access.
sub memberships {
    my ($kind, $how_many, $people, @how) = @_;
    my $density = pick(0, 0.05, 0.15, 0.35);
    my @rows;
    for my $n (1 .. $how_many) {
        for my $user (grep { chance($density) } @$people) {
            for (1 .. pick(1, 1, 1, 2)) { # who leaves may come back
                my ($joined, $left) = span(0.6);
                push @rows, { "${kind}_id" => $n, user_id => $user, @how ? (via => pick(@how)) : (), joined_at => $joined, left_at => $left };
            }
        }
    }
    return @rows;
}

# To users of the account, licensed or not, and to others; up to five to one person.
sub invitations {
    my ($emails, $organizations, $teams) = @_;
    my @targets = ((map { [organization_id => $_] } 1 .. $organizations), map { [team_id => $_] } 1 .. $teams);
    return () if !@targets;
    my $crowd = chance(0.04); # more than a trial's 50 seats
    my @people = ((grep { chance(0.35) } grep { defined } @$emails), map { "guest$_\@y.example" } 1 .. ($crowd ? 200 : some(0, 4)));
    return map { my $email = $_; map { invitation($email, @{ pick(@targets) }) } 1 .. ($crowd ? 1 : pick(1, 1, 1, 2, 5)) } @people;
}
sub invitation {
    my ($email, @target) = @_;
    my $status = pick(qw(pending pending pending pending accepted expired revoked));
    my $sent = chance(0.3) ? at(pick(@edges), '-720 h', pick('-1 s', '-1 us', '+0 s', '+1 us', '+1 s')) : chance(0.2) ? instant() : past(33);
    my $expires = pick(undef, undef, edge(), at($sent, '+720 h'), at('+' . some(1, 20) . ' d'), chance(0.1) ? 'infinity' : instant());
    my $closed = $status eq 'pending' ? (chance(0.03) ? instant() : undef) : chance(0.15) ? undef : instant();
    return { @target, email => chance(0.03) ? undef : recased($email), status => $status, sent_at => $sent, expires_at => $expires, closed_at => $closed };
}

# Ages about the limits of 90 and 100 days, before the product recorded openings, and after as-of.
sub seen {
    my $what = rand;
    return $what < 0.25 ? undef : $what < 0.5 ? at('-' . pick(0, 1, 89 .. 92, 99 .. 102, 200) . ' d', pick('-1 us', '+0 s', '+1 us', '+1 h'))
        : $what < 0.65 ? at('2025-05-20', pick('-1 us', '+0 s', '-40 d')) : $what < 0.8 ? edge() : past(500);
}
sub activity {
    my ($people) = @_;
    return map { { user_id => $_, last_opened_at => seen(), last_login_at => seen() } } grep { chance(0.7) } @$people;
}
sub activity_days {
    my ($people) = @_;
    return map { my $user = $_; map { { user_id => $user, day => substr(at(pick('+1 d', map { "-$_ d" } 0, 1, 89 .. 92, 99 .. 102, 320)), 0, 10), requests_created => 1 } } 1 .. some(1, 3) }
        grep { chance(0.4) } @$people;
}

sub generate {
    my ($f, $n) = @_;
    my $account = $f->{next};
    my @users = users($account);
    my @people = (1 .. @users, grep { chance(0.3) } @$shared);
    my @organizations = organizations();
    my @teams = teams();
    my $created = chance(0.05) ? pick(at('+1 us'), at('+1 s'), at('+20 d'), at(), at('-1 us')) : undef;
    $f->case("Account $n", { account => { created_at => $created // '2020-01-01T00:00:00+00:00' },
        users => \@users, subscriptions => [subscriptions()], organizations => \@organizations, teams => \@teams,
        licenses => [licenses(\@people)], account_members => [account_members(\@people)],
        organization_members => [unique([qw(organization_id user_id via joined_at)], memberships('organization', scalar @organizations, \@people, qw(direct team)))],
        team_members => [unique([qw(team_id user_id joined_at)], memberships('team', scalar @teams, \@people))],
        invitations => [invitations([map { $_->{email} } @users], scalar @organizations, scalar @teams)],
        user_activity => [activity(\@people)], user_activity_days => [unique([qw(user_id day)], activity_days(\@people))] });
    $shared = [map { $account * 100 + $_ } 1 .. (@users > 3 ? 3 : @users)];
}

# Snapshots of days before, right and wrong, with and without a run to say when on that day; of
# today, left by a run before the data moved on.
sub snapshots {
    my ($db, $model, $as_of) = @_;
    my %run;
    for my $instant (map { at($_) } @edges[1 .. $#edges]) {
        my $id = $db->one("INSERT INTO lapse.runs (job, as_of, trigger, state, started_at, finished_at, settings_digest, version, host)
            VALUES ('reconcile-seats', '$instant', 'cron', 'done', '$instant', '$instant', '-', '0', 'here') RETURNING run_id");
        push @{ $run{ substr $instant, 0, 10 } }, { id => $id, as_of => SeatsModel::micros($instant) };
    }
    draw_anew();
    my @rows;
    for my $account (map { $_->{account_id} } @{ list($model, 'accounts') }) {
        next if !$model->account($account, $as_of);
        for my $day (grep { chance(0.6) } map { day($_) } 1, 2, 4) {
            my $run = chance(0.5) ? pick(@{ $run{$day} || [undef] }) : undef;
            my $used = keys %{ $model->holders($account, $run ? $run->{as_of} : SeatsModel::micros($day)) };
            $used += pick(1, 2, $used ? -1 : 1) if chance(0.2);
            push @rows, sprintf "(%d, '%s', 'pro', 5, %d, 0, %d, 0, %s)", $account, $day, $used, $used, $run ? $run->{id} : 'NULL';
        }
        push @rows, today($model, $account, $as_of) if chance(0.15);
    }
    $db->sql('INSERT INTO saas.seat_snapshots (account_id, day, plan, purchased, licenses, invitations, used, over, run_id) VALUES ' . join ', ', @rows);
}
sub today {
    my ($model, $account, $as_of) = @_;
    my %row = %{ $model->account($account, $as_of)->{figures} };
    my $wrong = pick(qw(purchased licenses invitations used over none));
    $row{$wrong} = ($row{$wrong} // 0) + 1 if $wrong ne 'none';
    return sprintf "(%d, '%s', %s, %s, %d, %d, %d, %d, NULL)", $account, day(0), defined $row{plan} ? "'$row{plan}'" : 'NULL', $row{purchased} // 'NULL',
        @row{qw(licenses invitations used over)};
}

sub list { my ($model, $table) = @_; return [map { @{ $model->{$table}{$_} } } sort { $a <=> $b } grep { length } keys %{ $model->{$table} }] }

# ---- the model with itself ----

# What must hold whatever the job says; and that the generator has reached what it is for.
sub check_model {
    my ($name, $model, $seats, $as_of) = @_;
    my (%seen, @wrong);
    for my $account (sort { $a <=> $b } keys %$seats) {
        my ($figures, $detail, $findings) = @{ $seats->{$account} }{qw(figures detail findings)};
        my %people = map { defined $_->{email} ? (lc $_->{email} => 1) : () } @$detail;
        push @wrong, "$account: $figures->{licenses} + $figures->{invitations} is not $figures->{used}" if $figures->{licenses} + $figures->{invitations} != $figures->{used};
        push @wrong, "$account: detail" if @$detail != $figures->{used} || keys %people != grep { defined $_->{email} } @$detail;
        push @wrong, "$account: licensed users" if $figures->{licenses} != distinct_licensed($model, $account, $as_of);
        my $last = () = grep { $_->{finding} eq 'tie_out' } @$findings;
        push @wrong, "$account: tie-out" if $last != recount_differs($model, $account, $as_of);
        $seen{$_}++ for seen_in($figures, $detail, $findings);
        $seen{'invited and licensed'}++ if grep { my $i = $_; SeatsModel::invited($i, $as_of) && grep { $_->{type} eq 'license' && defined $_->{email} && lc $_->{email} eq SeatsModel::person($i) } @$detail } @{ $model->{invitations}{$account} || [] };
    }
    is_deeply \@wrong, [], "$name: the model agrees with itself";
    my @missing = grep { !$seen{$_} } qw(seat_without_access captured_unassigned access_without_seat over_limit duplicate tie_out unlimited unknown no-plan zero trial
        negative-free no-email organizations teams Never Active Aging Inactive), 'invited and licensed';
    is_deeply \@missing, [], "$name: the accounts do all they are for" if $accounts >= 300;
    note join ', ', map { "$_ $seen{$_}" } sort keys %seen;
}

# L1 in other words: an e-mail names one user, so licenses count users.
sub distinct_licensed {
    my ($model, $account, $t) = @_;
    my %user = map { $_->{user_id} => 1 } grep { $_->{granted_at} <= $t && ($_->{revoked_at} // 9**9**9) > $t } @{ $model->{licenses}{$account} || [] };
    return scalar keys %user;
}
# The movement ties exactly where the last snapshot's figure is what a recount as of its instant gives.
sub recount_differs {
    my ($model, $account, $t) = @_;
    my ($last) = sort { $b->{day} cmp $a->{day} } grep { $_->{day} lt substr SeatsModel::shown($t), 0, 10 } @{ $model->{seat_snapshots}{$account} || [] };
    return $last && $last->{used} != keys %{ $model->holders($account, $model->taken_at($last)) } ? 1 : 0;
}
sub seen_in {
    my ($figures, $detail, $findings) = @_;
    my $purchased = $figures->{purchased};
    return ((map { $_->{finding} } @$findings), $figures->{plan} // 'no-plan', !defined $purchased ? 'unknown' : $purchased == -1 ? 'unlimited' : $purchased == 0 ? 'zero' : (),
        ($figures->{free} // 0) < 0 ? 'negative-free' : (),
        map { (defined $_->{email} ? () : 'no-email', $_->{status} // (), defined $_->{organizations} ? 'organizations' : (), defined $_->{teams} ? 'teams' : ()) } @$detail);
}

# ---- the comparison ----

my %header = (
    'reconcile-seats' => 'Account ID, Account, Plan, Purchased, Licenses, Invitations, Used, Free, Over, Utilisation, Without Access, Inactive',
    'reconcile-seats-detail' => 'Account ID, Account, Email, Seat Type, Source, Since, Expires, Organizations, Teams, Last Active',
    'reconcile-seats-exceptions' => 'Account ID, Account, Email, Finding, Source, Since, Last Active, Suggested Action',
);
my @snapshot = qw(plan purchased licenses invitations used over);
my @report = ('Account', qw(Plan Purchased Licenses Invitations Used Free Over Utilisation), 'Without Access');
my @detail = ('Account', 'Email', 'Seat Type', qw(Source Since Expires Organizations Teams));

sub line { return join ' | ', map { $_ // '-' } @_ }

# account => [lines] on both sides; the lines of an account may stand in any order.
sub same {
    my ($name, $got, $want) = @_;
    my $differences = 0;
    for my $account (sort { $a <=> $b } keys %{ { %$got, %$want } }) {
        my %count;
        $count{$_}++ for @{ $got->{$account} || [] };
        $count{$_}-- for @{ $want->{$account} || [] };
        my @off = sort grep { $count{$_} } keys %count or next;
        next if ++$differences > 8;
        diag "$name: account $account";
        diag '  ', $count{$_} > 0 ? 'lapse' : 'model', abs $count{$_} > 1 ? " (@{[abs $count{$_}]} times)" : '', ": $_" for @off;
    }
    diag "$name: $differences accounts differ" if $differences;
    return ok !$differences, $name;
}

# Both sides of a table by account: rows made into lines by one sub each.
sub lines { my ($line, $by) = @_; return { map { my $rows = $by->{$_}; @$rows ? ($_ => [map { $line->($_) } @$rows]) : () } keys %$by } }
sub columns { my (@names) = @_; return sub { return line(@{ $_[0] }{@names}) } }

sub read_reports {
    my ($name, $folder) = @_;
    my %report;
    for my $file (sort keys %header) {
        my ($header) = Lapse::csv("$folder/$file.csv");
        is join(', ', @$header), $header{$file}, "$name: the columns of $file";
        $report{$file} = Fixture::report("$folder/$file.csv");
        sorted("$name: $file", $folder, $file);
    }
    return \%report;
}

# By account as a number, then e-mail byte by byte, those without one last.
sub sorted {
    my ($name, $folder, $file) = @_;
    my ($header, @rows) = Lapse::csv("$folder/$file.csv");
    my ($email) = grep { $header->[$_] eq 'Email' } 0 .. $#$header;
    $email = undef if $file eq 'reconcile-seats-exceptions'; # its order within an account is not fixed
    my @wrong = grep {
        my ($before, $after) = @rows[$_ - 1, $_];
        my $by_email = defined $email ? defined $after->[$email] <=> defined $before->[$email] || ($before->[$email] // '') cmp ($after->[$email] // '') : 0;
        ($before->[0] <=> $after->[0] || $by_email) > 0;
    } 1 .. $#rows;
    is_deeply [map { line(@{ $rows[$_] }) } @wrong], [], "$name is sorted";
}

sub snapshot_rows {
    my ($db, $day) = @_;
    my %by;
    for ($db->rows("SELECT account_id, plan, purchased, licenses, invitations, used, over FROM saas.seat_snapshots WHERE day = '$day' ORDER BY account_id")) {
        push @{ $by{ $_->[0] } }, line(@$_[1 .. 6]) if length $_->[0];
    }
    return \%by;
}

sub compare {
    my ($name, $db, $folder, $seats) = @_;
    same("$name: snapshots (@snapshot)", snapshot_rows($db, day(0)), { map { $_ => [line(@{ $seats->{$_}{figures} }{@snapshot})] } keys %$seats });
    my $report = read_reports($name, $folder);
    compare_accounts("$name: reconcile-seats", $report->{'reconcile-seats'}, $seats);
    compare_detail("$name: detail", $report->{'reconcile-seats-detail'}, $seats);
    compare_findings("$name: exceptions", $report->{'reconcile-seats-exceptions'}, $seats);
}

sub compare_accounts {
    my ($name, $got, $seats) = @_;
    my %want = map { $_ => [$seats->{$_}] } keys %$seats;
    same("$name (@report)", lines(columns(@report), $got),
        lines(sub { my ($s) = @_; return line($s->{name}, @{ $s->{figures} }{qw(plan purchased licenses invitations used free over utilisation)}, $s->{without_access}) }, \%want));
    same("$name, column Inactive", lines(columns('Inactive'), $got), lines(sub { $_[0]{inactive} }, \%want));
}

sub compare_detail {
    my ($name, $got, $seats) = @_;
    my %want = map { my $account = $seats->{$_}{name}; $_ => [map { { %$_, account => $account } } @{ $seats->{$_}{detail} }] } keys %$seats;
    same("$name (@detail)", lines(columns(@detail), $got), lines(columns(qw(account email type source since expires organizations teams)), \%want));
    same("$name, column Last Active", lines(columns('Email', 'Seat Type', 'Last Active'), $got), lines(columns(qw(email type last_active)), \%want));
}

sub compare_findings {
    my ($name, $got, $seats) = @_;
    my %want = map { my $account = $seats->{$_}{name}; $_ => [map { { %$_, account => $account } } @{ $seats->{$_}{findings} }] } keys %$seats;
    same("$name (Account, Finding, Email)", lines(columns(qw(Account Finding Email)), $got), lines(columns(qw(account finding email)), \%want));
    my %only = map { my $rows = $got->{$_}; $_ => [grep { $_->{Finding} eq 'seat_without_access' } @$rows] } keys %$got;
    my %wanted = map { my $rows = $want{$_}; $_ => [grep { $_->{finding} eq 'seat_without_access' } @$rows] } keys %want;
    same("$name, seat_without_access: Source, Since", lines(columns(qw(Email Source Since)), \%only), lines(columns(qw(email source since)), \%wanted));
    same("$name, seat_without_access: Last Active", lines(columns('Email', 'Last Active'), \%only), lines(columns(qw(email last_active)), \%wanted));
}

# ---- the runs ----

sub reconcile {
    my ($name, $db, @more) = @_;
    my $out = $db->dir . '/' . $name =~ s/\W+/-/gr;
    my $r = $db->lapse_env({ TZ => 'America/New_York', PGTZ => 'America/New_York' }, 'run', 'reconcile-seats', '--as-of', $Fixture::as_of =~ s/(\dT.*)/$1Z/r,
        '--format', 'csv', '--out', $out, @more);
    return is($r->{status}, 0, "$name: the run ends well") ? "$out/" . day(0) : do { diag $r->{stdout}, $r->{stderr}; undef };
}

# Which version of which row stands in the table.
sub versions { my ($db) = @_; return { map { $_->[0] => $_->[1] } $db->rows("SELECT account_id || ' ' || day, xmin || ' ' || ctid FROM saas.seat_snapshots") } }

sub trial_of {
    my ($as_of) = @_;
    $Fixture::as_of = $as_of;
    my ($name, $t) = ("as of $as_of", SeatsModel::micros(at()));
    @edges = ($as_of, map { my $day = day($_); ("${day}T00:00:00", "${day}T06:30:00", "${day}T23:59:59") } 1, 2, 4);
    my $db = Lapse::database();
    my $f = Fixture->new($db);
    $shared = [];
    draw_anew();
    generate($f, $_) for 1 .. $accounts;
    $f->load;
    $db->sql('INSERT INTO lapse.holds (account_id, reason, held_at) VALUES ' . join ', ', map { "($_, 'asked', '2026-01-01')" } grep { $_ % 9 == 0 } 1 .. $accounts);
    snapshots($db, SeatsModel->new($db), $t);

    my $model = SeatsModel->new($db);
    my %seats = map { my $s = $model->account($_, $t); $s ? ($_ => $s) : () } 1 .. $accounts;
    check_model($name, $model, \%seats, $t);
    my $before = versions($db);

    my $first = reconcile("$name, first", $db) or return;
    compare("$name, first", $db, $first, \%seats);
    unchanged("$name: snapshots that were right already, or of days before, are left alone", $db, $before, kept($model, \%seats));

    my $after = versions($db);
    my $again = reconcile("$name, again", $db) or return;
    is_deeply versions($db), $after, "$name: a rerun rewrites no row";
    is_deeply [map { Lapse::slurp("$again/$_.csv") eq Lapse::slurp("$first/$_.csv") ? () : $_ } sort keys %header], [], "$name: a rerun publishes the same bytes";

    only_some("$name, some accounts", $db, \%seats);
}

# The rows of before that no run may touch: all but those of today that are wrong.
sub kept {
    my ($model, $seats) = @_;
    my $today = day(0);
    return [map { "$_->{account_id} $_->{day}" } grep { $_->{day} ne $today || line(@$_{@snapshot}) eq line(@{ $seats->{ $_->{account_id} }{figures} }{@snapshot}) }
        @{ list($model, 'seat_snapshots') }];
}
sub unchanged {
    my ($name, $db, $before, $keys) = @_;
    my $now = versions($db);
    is_deeply [grep { ($now->{$_} // '') ne $before->{$_} } @$keys], [], $name;
}

# Their snapshots lost or wrong, a run of some accounts makes the same of them, and touches no other.
sub only_some {
    my ($name, $db, $seats) = @_;
    my @some = grep { $_ % 4 == 1 } 1 .. $accounts;
    my $list = join ', ', @some;
    my $day = day(0);
    $db->sql("DELETE FROM saas.seat_snapshots WHERE day = '$day' AND account_id IN ($list) AND account_id % 8 = 1");
    $db->sql("UPDATE saas.seat_snapshots SET used = used + 1 WHERE day = '$day' AND account_id IN ($list)");
    my %others = map { ("$_ $day" => 1) } grep { $_ % 4 != 1 } keys %$seats;
    my $before = versions($db);
    my $folder = reconcile($name, $db, '--account', join ',', @some) or return;
    compare_some($name, $db, $folder, $seats, { map { $_ => 1 } @some });
    unchanged("$name: the others are left alone", $db, $before, [sort keys %others]);
}
sub compare_some {
    my ($name, $db, $folder, $seats, $some) = @_;
    same("$name: snapshots of all accounts", snapshot_rows($db, day(0)), { map { $_ => [line(@{ $seats->{$_}{figures} }{@snapshot})] } keys %$seats });
    my %only = map { $_ => $seats->{$_} } grep { $some->{$_} } keys %$seats;
    compare_accounts("$name: reconcile-seats", Fixture::report("$folder/reconcile-seats.csv"), \%only);
    compare_detail("$name: detail", Fixture::report("$folder/reconcile-seats-detail.csv"), \%only);
    compare_findings("$name: exceptions", Fixture::report("$folder/reconcile-seats-exceptions.csv"), \%only);
}

trial_of('2026-03-31');
trial_of('2026-03-31T14:20:00');
done_testing;
