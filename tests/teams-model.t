# reconcile-teams against a model in plain loops: 500 random accounts, two nights, every row.
# LAPSE_TEST_SEED and LAPSE_TEST_STATES choose others.
use strict;
use warnings;
use Test::More;
use JSON::PP ();
use List::Util qw(max min);
use Lapse;
use Fixture;

my $seed = $ENV{LAPSE_TEST_SEED} // 20260331;
my $states = $ENV{LAPSE_TEST_STATES} // 500;
my $day = 86_400_000_000; # instants are microseconds from the as-of

sub one_of { return $_[rand @_] }
sub chance { return rand() < $_[0] }
# Few instants, so that many fall together; some an instant beside each other or the as-of.
sub begin { return one_of(-9, -8, -6, -4, -3, -2, -1, 0, one_of(0, 1)) * $day + (chance(0.15) ? one_of(-1, 1) : 0) }
sub maybe_end { return chance(0.4) ? one_of(-7, -5, -3, -2, -1, 0, 1) * $day + (chance(0.15) ? one_of(-1, 1) : 0) : undef }
sub later { my ($end, $begin) = @_; return defined $end && $end < $begin && chance(0.9) ? undef : $end }

# ---- a random account ----

sub account {
    my ($id) = @_;
    my %account = (id => $id, hand => $id % 2, held => chance(0.04));
    my @users = map { $id * 100 + $_ } 1 .. 1 + rand 5;
    $account{users} = \@users;
    my @orgs = map { $id * 100 + $_ } 1 .. 1 + rand 3;
    my @teams = map { $id * 100 + $_ } 1 .. 1 + rand 4;
    $account{organizations} = [map { { id => $_, created => chance(0.1) ? begin() : -30 * $day, deleted => chance(0.1) ? maybe_end() : undef } } @orgs];
    $account{teams} = [map { { id => $_, role => one_of(qw(admin member member)), source => one_of(qw(manual scim)), ext => one_of(undef, "g1", "g2", "g3"),
        created => chance(0.1) ? begin() : -30 * $day, deleted => chance(0.25) ? maybe_end() : undef } } @teams];
    my %seen;
    for (1 .. rand 10) {
        my $begin = begin();
        my $m = { team => one_of(@teams), user => one_of(@users), source => one_of(qw(manual scim)), joined => $begin, left => later(maybe_end(), $begin) };
        push @{ $account{team_members} }, $m unless $seen{"m $m->{team} $m->{user} $m->{source} $m->{joined}"}++;
    }
    for (1 .. rand 7) {
        my $begin = begin();
        my $l = { team => one_of(@teams), org => one_of(@orgs, @orgs, @orgs, 101), linked => $begin, unlinked => later(maybe_end(), $begin) };
        push @{ $account{links} }, $l unless $seen{"l $l->{team} $l->{org} $l->{linked}"}++;
    }
    for (1 .. rand 9) {
        my $begin = begin();
        my $m = { org => one_of(@orgs), user => one_of(@users), via => one_of(qw(team team team direct)), role => one_of(qw(admin member member owner)), joined => $begin, left => later(maybe_end(), $begin) };
        push @{ $account{memberships} }, $m unless $seen{"o $m->{org} $m->{user} $m->{via} $m->{joined}"}++;
    }
    # Half of what the application should have made is there, so that much is as it should be.
    for my $m (@{ $account{team_members} || [] }) {
        for my $l (grep { $_->{team} == $m->{team} && $_->{org} != 101 && chance(0.5) } @{ $account{links} || [] }) {
            my ($team) = grep { $_->{id} == $m->{team} } @{ $account{teams} };
            my $joined = max($m->{joined}, $l->{linked});
            push @{ $account{memberships} }, { org => $l->{org}, user => $m->{user}, via => 'team', role => $team->{role}, joined => $joined, left => chance(0.2) ? $m->{left} : undef }
                unless $seen{"o $l->{org} $m->{user} team $joined"}++;
        }
    }
    push @{ $account{owners} }, { user => $_, role => one_of(qw(owner owner co_owner member)), joined => chance(0.9) ? -30 * $day : begin(), left => chance(0.2) ? maybe_end() : undef } for grep { chance(0.5) } @users;
    my $n = 0;
    push @{ $account{licenses} }, { id => $id * 100 + ++$n, user => one_of(@users), source => one_of(qw(scim scim manual invitation owner capture)), granted => begin(), revoked => chance(0.3) ? maybe_end() : undef, why => undef } for 1 .. rand 4;
    $n = 0;
    push @{ $account{invitations} }, { id => $id * 100 + ++$n, team => one_of(@teams), status => one_of(qw(pending pending accepted)), sent => begin(), closed => undef } for 1 .. rand 3;
    $n = 0;
    for (1 .. rand 4) {
        my $user = one_of(@users);
        my $address = "u$user\@model.example";
        push @{ $account{events} }, { id => $id * 100 + ++$n, received => begin(), applied => chance(0.15) ? -1 : undef,
            chance(0.5) ? (kind => 'team_deleted', ext => one_of(qw(g1 g2 g3 g9))) : (kind => 'user_deprovisioned', email => one_of($address, uc $address, 'nobody@model.example', undef)) };
    }
    for my $provider (grep { chance(0.3) } qw(okta azure)) {
        push @{ $account{connections} }, { provider => $provider, expires => chance(0.5) ? undef : one_of(-2, -1, 0, 0, 1, 2) * $day + one_of(-1, 0, 1), suspended => chance(0.3) ? one_of(-3, 0, 2) * $day : undef };
    }
    $account{$_} ||= [] for qw(team_members links memberships owners licenses invitations events connections);
    return \%account;
}

# ---- what the rules say, one thing after the other ----

sub live { my ($begin, $end, $t) = @_; return $begin <= $t && (!defined $end || $end > $t) }
my %rank = (owner => 3, admin => 2, member => 1);

sub night {
    my ($account, $t) = @_;
    return if $account->{held};
    return if grep { defined $_->{expires} && $_->{expires} <= $t && !(defined $_->{suspended} && $_->{suspended} <= $t) } @{ $account->{connections} };
    scim($account, $t);
    for my $org (grep { !defined $_->{deleted} || $_->{deleted} > $t } @{ $account->{organizations} }) {
        for my $user (@{ $account->{users} }) { membership($account, $org, $user, $t) }
    }
}

sub scim {
    my ($account, $t) = @_;
    my %was_deleted = map { $_->{id} => defined $_->{deleted} && $_->{deleted} <= $t } @{ $account->{teams} };
    my $stays = last_owner($account, $t);
    for my $e (sort { $a->{received} <=> $b->{received} } @{ $account->{events} }) {
        next if defined $e->{applied} || $e->{received} > $t;
        my ($then, $waits) = ($e->{received}, 0);
        if ($e->{kind} eq 'team_deleted') {
            for my $team (@{ $account->{teams} }) {
                next if !defined $team->{ext} || $team->{ext} ne $e->{ext} || $was_deleted{ $team->{id} } || $team->{created} > $then;
                if ($team->{source} ne 'scim' && !$account->{hand}) { $waits = 1; next }
                next if defined $team->{deleted} && $team->{deleted} <= $then; # an event before this one has deleted it
                $team->{deleted} = $then;
                for (@{ $account->{team_members} }) { $_->{left} = $then if $_->{team} == $team->{id} && live($_->{joined}, $_->{left}, $then) }
                for (@{ $account->{links} }) { $_->{unlinked} = $then if $_->{team} == $team->{id} && live($_->{linked}, $_->{unlinked}, $then) }
                for (@{ $account->{invitations} }) { @$_{qw(status closed)} = ('revoked', $then) if $_->{team} == $team->{id} && $_->{status} eq 'pending' && $_->{sent} <= $t }
            }
        } else {
            my ($user) = grep { defined $e->{email} && lc $e->{email} eq "u$_\@model.example" } @{ $account->{users} };
            if (defined $user && defined $stays && $stays == $user) { $waits = 1 }
            elsif (defined $user) {
                for (@{ $account->{team_members} }) { $_->{left} = $then if $_->{user} == $user && $_->{source} eq 'scim' && !$was_deleted{ $_->{team} } && live($_->{joined}, $_->{left}, $then) }
                for (@{ $account->{licenses} }) { @$_{qw(revoked why)} = ($t, 'deprovisioned') if $_->{user} == $user && $_->{source} eq 'scim' && live($_->{granted}, $_->{revoked}, $then) && live($_->{granted}, $_->{revoked}, $t) }
            }
        }
        $e->{applied} = $t if !$waits;
    }
}

# The owner who stays although told to go, because nobody else owns the account any more.
sub last_owner {
    my ($account, $t) = @_;
    my (%told, %gone);
    for my $owner (grep { $_->{role} eq 'owner' && live($_->{joined}, $_->{left}, $t) } @{ $account->{owners} }) {
        $gone{ $owner->{user} } = 0;
        for my $e (grep { $_->{kind} eq 'user_deprovisioned' && lc($_->{email} // '') eq "u$owner->{user}\@model.example" && $_->{received} <= $t } @{ $account->{events} }) {
            $told{ $owner->{user} } = max($told{ $owner->{user} } // (), $e->{received}) if !defined $e->{applied};
            next if $e->{received} <= $owner->{joined};
            $gone{ $owner->{user} } = 1 if !grep { $_->{user} == $owner->{user} && $_->{source} ne 'capture' && $_->{granted} > $e->{received} && live($_->{granted}, $_->{revoked}, $t) } @{ $account->{licenses} };
        }
    }
    for my $user (keys %told) { delete $told{$user} if grep { $_ != $user && !$gone{$_} } keys %gone }
    return (sort { $told{$b} <=> $told{$a} || $a <=> $b } keys %told)[0];
}

sub membership {
    my ($account, $org, $user, $t) = @_;
    my (@live, @ended);
    for my $m (grep { $_->{user} == $user } @{ $account->{team_members} }) {
        for my $l (grep { $_->{team} == $m->{team} && $_->{org} == $org->{id} } @{ $account->{links} }) {
            my ($team) = grep { $_->{id} == $m->{team} } @{ $account->{teams} };
            my $begin = max($m->{joined}, $l->{linked}, $team->{created}, $org->{created});
            my $end = min(grep { defined } $m->{left}, $l->{unlinked}, $team->{deleted});
            push @live, [$begin, $team->{role}] if live($begin, $end, $t);
            push @ended, $end if defined $end && $begin < $end && $end <= $t;
        }
    }
    my @all = grep { $_->{org} == $org->{id} && $_->{user} == $user && $_->{via} eq 'team' } @{ $account->{memberships} };
    my @rows = grep { live($_->{joined}, $_->{left}, $t) } @all;
    if (!@live) {
        for my $row (@rows) { $row->{left} = max(grep { $_ > $row->{joined} } @ended) // $t }
        return;
    }
    my ($role) = sort { $rank{$b} <=> $rank{$a} } map { $_->[1] } @live;
    my @wrong = grep { $_->{role} ne $role } @rows;
    if (@wrong == @rows) {
        my $begin = @rows ? $t : min(map { $_->[0] } @live);
        $begin = $t if grep { $_->{joined} == $begin } @all;
        return if grep { $_->{joined} == $begin } @all;
        push @{ $account->{memberships} }, { org => $org->{id}, user => $user, via => 'team', role => $role, joined => $begin, left => undef };
    }
    $_->{left} = $t for @wrong;
}

# ---- in and out of the database ----

my %table = ( # name => [table, [key of the model, column, whether an instant], ...]
    organizations => ['organizations', ['id', 'organization_id'], ['created', 'created_at', 1], ['deleted', 'deleted_at', 1]],
    teams => ['teams', ['id', 'team_id'], ['role', 'role'], ['source', 'source'], ['ext', 'external_id'], ['created', 'created_at', 1], ['deleted', 'deleted_at', 1]],
    team_members => ['team_members', ['team', 'team_id'], ['user', 'user_id'], ['source', 'source'], ['joined', 'joined_at', 1], ['left', 'left_at', 1]],
    links => ['team_organizations', ['team', 'team_id'], ['org', 'organization_id'], ['linked', 'linked_at', 1], ['unlinked', 'unlinked_at', 1]],
    memberships => ['organization_members', ['org', 'organization_id'], ['user', 'user_id'], ['via', 'via'], ['role', 'role'], ['joined', 'joined_at', 1], ['left', 'left_at', 1]],
    owners => ['account_members', ['user', 'user_id'], ['role', 'role'], ['joined', 'joined_at', 1], ['left', 'left_at', 1]],
    licenses => ['licenses', ['id', 'license_id'], ['user', 'user_id'], ['source', 'source'], ['granted', 'granted_at', 1], ['revoked', 'revoked_at', 1], ['why', 'revoke_reason']],
    invitations => ['invitations', ['id', 'invitation_id'], ['team', 'team_id'], ['status', 'status'], ['sent', 'sent_at', 1], ['closed', 'closed_at', 1]],
    events => ['scim_events', ['id', 'event_id'], ['kind', 'kind'], ['email', 'email'], ['ext', 'external_id'], ['received', 'received_at', 1], ['applied', 'applied_at', 1]],
    connections => ['scim_connections', ['provider', 'provider'], ['expires', 'token_expires_at', 1], ['suspended', 'suspended_at', 1]],
);
my @order = qw(organizations teams team_members links memberships owners licenses invitations events connections);

sub literal { my ($value, $instant) = @_; return !defined $value ? 'NULL' : $instant ? "'" . at("$value us") . "'" : "'$value'" }

sub insert {
    my (@accounts) = @_;
    my $sql = "SET timezone = 'UTC';\nINSERT INTO saas.accounts (account_id, name, created_at) VALUES " . join(', ', map { "($_->{id}, 'a', '2020-01-01')" } @accounts) . ";\n"
        . 'INSERT INTO saas.users (user_id, email, name, signed_up_at) VALUES ' . join(",\n", map { map { "($_, 'u$_\@model.example', 'U', '2020-01-01')" } @{ $_->{users} } } @accounts) . ";\n";
    for my $what (@order) {
        my ($table, @columns) = @{ $table{$what} };
        my %more = $what eq 'organizations' ? (name => "'O'", status => "'active'") : $what eq 'teams' ? (name => "'T'") : $what eq 'invitations' ? (role => "'member'") : ();
        my @rows = map { my $account = $_; map { my $row = $_; '(' . join(', ', $account->{id}, (map { literal($row->{ $_->[0] }, $_->[2]) } @columns), map { $more{$_} } sort keys %more) . ')' } @{ $account->{$what} } } @accounts;
        $sql .= "INSERT INTO saas.$table (" . join(', ', 'account_id', (map { $_->[1] } @columns), sort keys %more) . ") VALUES\n" . join(",\n", @rows) . ";\n" if @rows;
    }
    my @held = grep { $_->{held} } @accounts;
    $sql .= 'INSERT INTO lapse.holds (account_id, reason, held_at) VALUES ' . join(', ', map { "($_->{id}, 'x', '2020-01-01')" } @held) . ";\n" if @held;
    return $sql;
}

# Every row as a text, by account: of the model, and of the database.
sub text { return join ' ', map { $_ // '-' } @_ }
sub of_model {
    my (@accounts) = @_;
    my %text;
    for my $account (@accounts) {
        push @{ $text{ $account->{id} } }, map { my $what = $_; my ($table, @columns) = @{ $table{$what} }; map { my $row = $_; text($table, map { $row->{ $_->[0] } } @columns) } @{ $account->{$what} } } @order;
    }
    return map { $_ => [sort @{ $text{$_} }] } keys %text;
}
sub of_database {
    my ($db) = @_;
    my %text;
    for my $what (@order) {
        my ($table, @columns) = @{ $table{$what} };
        my $list = join ', ', map { $_->[2] ? "(extract(epoch FROM $_->[1] - '" . at() . "'::timestamptz) * 1000000)::bigint" : $_->[1] } @columns;
        push @{ $text{ $_->[0] } }, text($table, @$_[1 .. $#$_]) for grep { @$_ > 1 } $db->rows("SELECT account_id, $list FROM saas.$table");
    }
    return map { $_ => [sort @{ $text{$_} }] } keys %text;
}

sub differences {
    my ($name, $is, $should) = @_;
    my @wrong;
    for my $account (sort { $a <=> $b } keys %$should) {
        my %count;
        $count{$_}++ for @{ $is->{$account} || [] };
        $count{$_}-- for @{ $should->{$account} };
        push @wrong, map { "account $account " . ($count{$_} > 0 ? 'has   ' : 'lacks ') . $_ } grep { $count{$_} } sort keys %count;
    }
    is scalar @wrong, 0, $name or diag "seed $seed", map { "\n$_" } @wrong[0 .. min($#wrong, 40)];
}

# ---- two nights ----

srand $seed;
my @accounts = map { account($_) } 1 .. $states;
my $db = Lapse::database();
Lapse::spew($db->dir . '/model.sql', insert(@accounts));
$db->load($db->dir . '/model.sql');
my %before = of_database($db);
differences("$states states are in the database", \%before, { of_model(@accounts) });

my $json = JSON::PP->new->canonical;
# A dry run names no id of a new row: what it is stands in `after`.
sub change_of { my ($c) = @_; return $json->encode({ (map { $_ => $c->{$_} } qw(account_id entity before after reason)), defined $c->{before} ? (id => $c->{entity_id}) : () }) }
my ($dry_differs, $rerun, $due_differs, $changed) = (0, 0, 0, 0);
for my $night ([0, '2026-03-31'], [$day, '2026-04-01']) {
    my ($t, $as_of) = @$night;
    # Where teams made by hand may be deleted, and where not; in batches of a few rows, and in one.
    for my $half (0, 1) {
        my @some = grep { $_->{hand} == $half } @accounts;
        my @run = ('--json', '--set', 'database.batch_rows=' . ($half ? 50 : 10000), '--set', 'rules.manual_team_delete=' . ($half ? 'yes' : 'no'), 'run', 'reconcile-teams', '--as-of', $as_of, '--account', join ',', map { $_->{id} } @some);
        my $dry = $db->lapse(@run, '--dry-run');
        my $r = $db->lapse(@run);
        is $r->{status}, 0, "as of $as_of: the run ends well" or diag $r->{stderr};
        my $run = $db->one("SELECT max(run_id) FROM lapse.runs");
        my %count;
        $count{ change_of($_) }++ for grep { exists $_->{entity} } map { $json->decode($_) } split /\n/, $dry->{stdout};
        $count{ change_of($json->decode($_->[0])) }-- for grep { @$_ && defined $_->[0] && length $_->[0] } $db->rows("SELECT to_jsonb(c) FROM lapse.changes c WHERE run_id = $run");
        $dry_differs += grep { $_ } values %count;
        $changed += $db->one("SELECT count(*) FROM lapse.changes WHERE run_id = $run");
        $due_differs += abs $db->one("SELECT (counters ->> 'due')::bigint - (counters ->> 'changed')::bigint FROM lapse.runs WHERE run_id = $run");
        $db->lapse(@run);
        $rerun += $db->one("SELECT count(*) FROM lapse.changes WHERE run_id > $run");
    }
    night($_, $t) for @accounts;
    differences("as of $as_of: every row is what the model says", { of_database($db) }, { of_model(@accounts) });
}
cmp_ok $changed, '>', $states, "it had something to do ($changed rows)";
is $dry_differs, 0, 'the dry run listed exactly what the run did';
is $rerun, 0, 'a second run as of the same instant changed nothing';
is $due_differs, 0, 'as many rows were due as were changed';
is $db->one("SELECT count(*) FROM (SELECT account_id, organization_id, user_id FROM saas.organization_members WHERE via = 'direct' AND left_at IS NOT NULL) d JOIN lapse.changes c
    ON c.account_id = d.account_id AND c.entity = 'organization_members' AND c.entity_id LIKE d.organization_id || '/' || d.user_id || '/direct/%'"), 0, 'no direct membership was touched';
done_testing;
