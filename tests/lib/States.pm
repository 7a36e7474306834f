# Random accounts that do their worst, over every table that the change jobs read or write.
#
#     my $states = States->new($db, seed => 7, accounts => 500);   # nothing is drawn elsewhere
#     $states->load;                                               # into $db, which has a name server then
#     my $rows = States::audited($db);                             # "account table key" => row as JSON
#
# The same seed gives the same accounts. Rows are Fixture's: what is left out of a row takes its default,
# numbers below 100 are the account's own nth.
package States;
use strict;
use warnings;
use JSON::PP ();
use List::Util qw(shuffle);
use Lapse;
use Fixture;

my $base; # of the account that is drawn: the instants that others of it fall together with
my @jobs = qw(expire-invitations end-trials downgrade-plans flag-inactive-organizations reconcile-teams
    verify-domains capture-domain-users check-git-sync reconcile-seats);

sub chance { return rand() < $_[0] }
sub pick { return $_[rand @_] }
sub bool { return $_[0] ? JSON::PP::true : JSON::PP::false }
sub recased { my ($text) = @_; return chance(0.7) ? $text : join '', map { chance(0.5) ? uc : lc } split //, $text }

# ---- instants ----

sub beside { return pick('-1 s', '-1 us', '+0 s', '+0 s', '+1 us', '+1 s') }
sub edge { return at(beside()) }
sub past { my ($days) = @_; return at('-' . int(rand $days * 86_400) . ' s') }
sub future { return at('+' . (1 + int rand 40 * 86_400) . ' s') }

# Few instants of an account are its own: many fall together with one before, or stand beside it.
sub instant {
    my $what = rand;
    my $t = $what < 0.25 ? edge() : $what < 0.5 && @$base ? at(pick(@$base), beside()) : $what < 0.65 ? past(3)
        : $what < 0.88 ? past(500) : future();
    push @$base, $t if @$base < 4;
    return $t;
}
sub maybe { my ($share, $value) = @_; return chance($share) ? $value : undef }
sub begin { return chance(0.5) ? past(600) : instant() }

# A begin, and an end or none.
sub span {
    my ($ends) = @_;
    my @t = sort(begin(), instant());
    return chance($ends) ? @t : ($t[0], undef);
}

# ---- the plan ----

sub plan { return pick(qw(essentials pro pro enterprise enterprise)) }
sub period_end { return pick(edge(), edge(), past(20), past(70), past(500), future(), future(), future(), instant(), pick(undef, 'infinity')) }

sub live_base {
    my $plan = plan();
    my %base = (plan => $plan, status => pick(qw(active active active past_due trialing)), started_at => past(900),
        seats => $plan eq 'essentials' ? -1 : pick(-1, 0, 1, 2, 3, 5, 8, 30, undef), channel => pick(qw(self_serve sales)),
        period_months => pick(1, 1, 12, 12, undef), period_end => period_end(), external_ref => maybe(0.3, 'cus_' . int rand 1000));
    @base{qw(channel period_months period_end)} = ('none', undef, undef) if $plan eq 'essentials' && chance(0.8);
    $base{cancel_at_period_end} = bool(chance(0.3));
    $base{next_plan} = maybe(0.35, pick(qw(essentials pro pro enterprise)));
    $base{next_seats} = maybe(0.35, pick(-1, 0, 2, 4, 9));
    $base{next_seats_from} = maybe(0.3, pick(edge(), past(60), instant(), future()));
    return \%base;
}
sub ended_base {
    my $plan = plan();
    return { plan => $plan, status => 'ended', seats => 5, started_at => past(900), ended_at => instant(), period_months => 1,
        period_end => maybe(0.5, instant()), end_reason => pick(qw(expired_without_renewal manual_downgrade undone replaced_by_code), undef) };
}
sub trial {
    my ($live) = @_;
    my $started = pick(past(20), past(40), at(edge(), '-336 h'), instant());
    my $ends = pick(undef, undef, edge(), instant(), past(3), future());
    return { kind => 'trial', plan => 'trial', started_at => $started, trial_ends_at => $ends, seats => pick(50, undef), channel => 'none',
        $live ? (status => pick(qw(trialing active past_due))) : (status => 'ended', ended_at => instant(), end_reason => pick(qw(trial_ended trial_ended undone))) };
}
sub subscriptions {
    my $what = rand;
    my @live = $what < 0.03 ? () : $what < 0.07 ? (live_base(), live_base()) : live_base();
    push @live, trial(1) if chance(0.4);
    push @live, trial(1) if chance(0.02);
    return shuffle(@live, (map { ended_base() } 1 .. pick(0, 0, 1, 1, 2)), map { trial(0) } 1 .. pick(0, 0, 1));
}
sub codes {
    my ($account, @subscriptions) = @_;
    my ($trial) = grep { ($_->{kind} // '') eq 'trial' } @subscriptions;
    my $n = 0;
    return map {
        my $during = $trial ? at($trial->{started_at}, '+' . pick(0, 1, 300_000) . ' s', beside()) : instant();
        { code_hash => 'c' . ++$n . "-$account", plan => pick(qw(enterprise enterprise pro essentials)), seats => pick(1, 30, -1, undef), period_end => period_end(),
            issued_at => pick('2026-01-01T00:00:00+00:00', instant()), verified_at => pick($during, $during, instant(), undef), redeemed_at => maybe(0.2, instant()) };
    } 1 .. (chance($trial ? 0.5 : 0.1) ? pick(1, 1, 2, 3) : 0);
}

# ---- people, organizations, teams ----

# Some have just signed up, with an address that may be captured.
sub users {
    my ($account, @domains) = @_;
    my $n = 0;
    return map {
        my $new = @domains && chance(0.35);
        my $at = @domains && ($new || chance(0.5)) ? recased(pick(@domains)->{domain}) : pick('x.example', "sub.d1.a$account.example");
        { email => ++$n > 1 && chance(0.05) ? undef : recased("u$n.a$account") . "\@$at", signed_up_at => $new ? past(2) : pick(instant(), past(20), past(600)), deleted_at => maybe(0.1, instant()) };
    } 1 .. pick(1 .. 7);
}
sub newcomers { my ($users) = @_; return map { $_ + 1 } grep { $users->[$_]{signed_up_at} gt at('-2 d') } 0 .. $#$users }
sub account_members {
    my ($people) = @_;
    my $first = 1;
    return map {
        my ($joined, $left) = span(0.3);
        my $role = $first ? pick(qw(owner owner owner co_owner)) : pick(qw(owner co_owner billing member member));
        $first = 0;
        { user_id => $_, role => $role, joined_at => $joined, left_at => $left };
    } grep { $_ == 1 ? chance(0.95) : chance(0.5) } @$people;
}
sub organizations {
    return map {
        my $inactive = chance(0.35);
        my $reason = pick(qw(enterprise_ended trial_ended billing abuse), undef);
        { is_personal => bool(chance(0.15)), status => $inactive ? 'inactive' : 'active', inactive_since => $inactive ? instant() : undef, inactive_reason => $inactive ? $reason : undef,
            git_sync_enabled => bool(chance(0.6)), git_sync_over_limit_since => maybe(0.2, instant()), created_at => begin(), deleted_at => maybe(0.12, instant()) };
    } 1 .. pick(0, 1, 1, 2, 3);
}
sub exports {
    my ($organizations) = @_;
    return map { { organization_id => $_, requested_at => instant(), status => pick(qw(requested done cancelled)) } } grep { chance(0.3) } 1 .. $organizations;
}
sub storage_rules {
    my ($organizations) = @_;
    return map { { organization_id => $_, git_sync => pick(bool(1), bool(1), bool(0), undef) } } grep { chance(0.25) } 0 .. $organizations;
}
sub teams {
    return map { { role => pick(qw(admin member)), source => pick(qw(manual scim)), external_id => pick(undef, qw(g1 g2 g3)), created_at => begin(), deleted_at => maybe(0.2, instant()) } } 1 .. pick(0, 1, 2, 3);
}

# What a primary key forbids is left out.
sub unique { my ($key, @rows) = @_; my %seen; return grep { my $row = $_; !$seen{ join '/', @$row{@$key} }++ } @rows }

sub team_members {
    my ($teams, $people) = @_;
    return unique([qw(team_id user_id source joined_at)], map {
        my ($joined, $left) = span(0.3);
        { team_id => 1 + int rand $teams, user_id => pick(@$people), source => pick(qw(manual scim)), joined_at => $joined, left_at => $left };
    } 1 .. ($teams ? pick(0 .. 8) : 0));
}
sub links {
    my ($teams, $organizations) = @_;
    my @to = ((1 .. $organizations) x 3, 101); # 101 is the first of account 1
    return unique([qw(team_id organization_id linked_at)], map {
        my ($linked, $unlinked) = span(0.3);
        { team_id => 1 + int rand $teams, organization_id => pick(@to), linked_at => $linked, unlinked_at => $unlinked };
    } 1 .. ($teams ? pick(0 .. 4) : 0));
}
sub organization_members {
    my ($organizations, $people, @teams) = @_;
    return unique([qw(organization_id user_id via joined_at)], map {
        my ($joined, $left) = span(0.3);
        { organization_id => 1 + int rand $organizations, user_id => pick(@$people), via => pick(qw(direct direct team)), role => pick(qw(owner admin member)), joined_at => $joined, left_at => $left };
    } 1 .. ($organizations ? pick(0 .. 10) : 0));
}

# ---- seats ----

sub invitations {
    my ($organizations, $teams, @emails) = @_;
    my @targets = ((map { [organization_id => $_] } 1 .. $organizations), map { [team_id => $_] } 1 .. $teams) or return ();
    return map {
        my $status = pick(qw(pending pending pending accepted expired revoked));
        my $sent = pick(at(edge(), '-720 h'), past(40), instant());
        +{ @{ pick(@targets) }, email => chance(0.04) ? undef : recased(pick('guest1@y.example', 'guest2@y.example', grep { defined } @emails)), status => $status, sent_at => $sent,
            expires_at => pick(undef, undef, edge(), instant(), future(), 'infinity'), closed_at => $status eq 'pending' ? undef : maybe(0.8, instant()) };
    } 1 .. pick(0 .. 6);
}
sub licenses {
    my ($people) = @_;
    return map {
        my ($granted, $revoked) = span(0.3);
        { user_id => $_, source => pick(qw(owner invitation scim scim capture manual)), granted_at => $granted, revoked_at => $revoked, revoke_reason => defined $revoked ? pick('left', undef) : undef };
    } shuffle(map { ($_) x pick(0, 0, 1, 1, 1, chance(0.1) ? 2 : 1) } @$people);
}

# ---- domains and SCIM ----

# Some of them compete for the domain of the account before, with another token.
sub domains {
    my ($account, $rival) = @_;
    my $n = 0;
    my @domains = map {
        my $verified = maybe(0.65, begin());
        { domain => 'd' . ++$n . ".a$account.example", txt_token => pick("t$n", "t$n", "t$n", undef), verified_at => $verified, last_seen_at => maybe(0.5, past(5)),
            capture_enabled_at => maybe(0.7, pick(instant(), past(60))), lock_enabled_at => maybe(0.3, instant()), suspended_at => maybe(0.2, instant()) };
    } 1 .. pick(0, 0, 1, 1, 2);
    push @domains, { %{ $domains[0] }, domain => "s.a$account.example", method => 'root', txt_token => undef, root_domain => $domains[0]{domain}, verified_at => maybe(0.4, begin()) } if @domains && chance(0.25);
    push @domains, { domain => $rival, txt_token => "rival$account", verified_at => maybe(0.7, begin()), capture_enabled_at => maybe(0.8, instant()) } if $rival && chance(0.25);
    return @domains;
}
sub connections {
    return map { { provider => $_, token_expires_at => pick(undef, undef, edge(), future(), future(), past(9)), suspended_at => maybe(0.35, instant()) } } grep { chance(0.35) } qw(okta azure);
}
sub events {
    my (@emails) = @_;
    return map { { received_at => chance(0.5) ? past(9) : instant(), applied_at => maybe(0.15, instant()),
        chance(0.5) ? (kind => 'team_deleted', external_id => pick(qw(g1 g2 g3 g9))) : (kind => 'user_deprovisioned', email => pick('nobody@y.example', map { defined ? recased($_) : undef } @emails)) } } 1 .. pick(0, 0, 1, 2, 3);
}

# What the DNS says of an account's domains.
sub zone {
    return map {
        my ($name, $token) = @$_{qw(domain txt_token)};
        my $what = rand;
        !defined $token || $what < 0.2 ? () : $what < 0.25 ? ";; servfail $name" : $what < 0.3 ? "$name. 60 TXT \"v=spf1 -all\"" : "$name. 60 TXT \"$token\"";
    } @_;
}

# ---- the runner's own ----

sub hold {
    my ($account) = @_;
    return maybe(0.08, { account_id => $account, held_at => past(30), held_until => pick(undef, edge(), past(5), future()), released_at => maybe(0.3, past(5)) });
}
sub quarantine {
    my ($account) = @_;
    return maybe(0.04, { account_id => $account, job => pick(@jobs), sqlstate => pick('P0001', undef), since => past(30) });
}

# ---- all of it ----

sub draw {
    my ($self, $account) = @_;
    $base = [];
    my @domains = domains($account, $self->{rival});
    $self->{rival} = @domains && $domains[0]{domain} =~ /^d1/ ? $domains[0]{domain} : undef;
    my @users = users($account, @domains);
    my @emails = map { $_->{email} } @users;
    my @people = (1 .. @users, @{ $self->{strangers} || [] });
    my %new = map { $_ => 1 } newcomers(\@users);
    my @subscriptions = subscriptions();
    my @organizations = organizations();
    my @teams = teams();
    my ($organizations, $teams) = (scalar @organizations, scalar @teams);
    $self->{strangers} = [map { $account * 100 + $_ } grep { chance(0.15) } 1 .. @users];
    push @{ $self->{zone} }, zone(@domains);
    push @{ $self->{holds} }, hold($account) // ();
    push @{ $self->{quarantine} }, quarantine($account) // ();
    $self->{fixture}->case("Account $account", { account => { created_at => chance(0.03) ? edge() : '2020-01-01T00:00:00+00:00' },
        users => \@users, account_members => [account_members(\@people)], subscriptions => \@subscriptions, activation_codes => [codes($account, @subscriptions)],
        organizations => \@organizations, organization_exports => [exports($organizations)], storage_rules => [storage_rules($organizations)],
        organization_members => [organization_members($organizations, \@people)], teams => \@teams, team_members => [team_members($teams, \@people)],
        team_organizations => [links($teams, $organizations)], invitations => [invitations($organizations, $teams, @emails)], licenses => [licenses([grep { !$new{$_} } @people])],
        domains => \@domains, scim_connections => [connections()], scim_events => [events(@emails)] });
}

sub new {
    my ($class, $db, %option) = @_;
    my $self = bless { db => $db, fixture => Fixture->new($db), zone => ['$TTL 60'], holds => [], quarantine => [] }, $class;
    srand $option{seed};
    $self->draw($_) for $self->{fixture}{next} .. $self->{fixture}{next} + $option{accounts} - 1;
    return $self;
}

sub insert {
    my ($table, %row) = @_;
    my @columns = sort keys %row;
    return "INSERT INTO lapse.$table (" . join(', ', @columns) . ') VALUES (' . join(', ', map { Fixture::literal($row{$_}) } @columns) . ')';
}

sub load {
    my ($self) = @_;
    my $db = $self->{db};
    $self->{fixture}->load;
    $db->sql(join ';', "SET timezone = 'UTC'", (map { insert('holds', reason => 'x', %$_) } @{ $self->{holds} }),
        map { insert('quarantine', reason => 'x', run_id => 0, %$_) } @{ $self->{quarantine} });
    $db->sql('ANALYZE');
    $self->{dns} = Lapse::dns(join "\n", @{ $self->{zone} }, '');
    $db->{dns} = $self->{dns}->address;
    return $self;
}

# ---- what there is now ----

# How the audit names a row. Without seat_snapshots and last_seen_at, which have no audit, and without
# what no change job writes.
my %key = (account_members => 'user_id', subscriptions => 'subscription_id', activation_codes => 'code_hash', organizations => 'organization_id',
    organization_members => 'organization_id, user_id, via, joined_at', organization_exports => 'organization_id, export_id', teams => 'team_id',
    team_members => 'team_id, user_id, source, joined_at', team_organizations => 'team_id, organization_id, linked_at', invitations => 'invitation_id',
    licenses => 'license_id', domains => 'domain', scim_connections => 'provider', scim_events => 'event_id', plan_changes => 'change_no');
my %more = (seat_snapshots => 'day', storage_rules => 'organization_id', accounts => 'account_id');

# "ACCOUNT TABLE KEY" => the row as JSON: of what has an audit, or of everything.
sub audited { my ($db) = @_; return rows($db, "to_jsonb(t) - 'last_seen_at'", %key) }
sub everything { my ($db) = @_; return rows($db, 'to_jsonb(t)', %key, %more) }
sub rows {
    my ($db, $row, %of) = @_;
    return { map { @$_ } $db->rows(join ' UNION ALL ', map { "SELECT concat_ws(' ', account_id, '$_', concat_ws('/', $of{$_})), ($row)::text FROM saas.$_ t" } sort keys %of) };
}

sub tables { return (sort keys %key), 'seat_snapshots' }
sub key { my ($table) = @_; return $key{$table} }

# The same for comparison with another database: generated ids are "new", numbers of runs "run".
sub named {
    my ($rows) = @_;
    my %named;
    for my $key (keys %$rows) {
        my ($account, $table) = split / /, $key;
        $named{"$account $table " . named_text($rows->{$key})}++;
    }
    return \%named;
}
sub named_text {
    my ($text) = @_;
    $text =~ s/"(subscription_id|change_no|export_id|license_id)": ?\d{9,}/"$1":"new"/g;
    $text =~ s/"run_id": ?-?\d+/"run_id":"run"/g;
    return $text;
}

# A line for each row that two such hashes do not agree on.
sub differences {
    my ($is, $should) = @_;
    return map { my ($i, $s) = map { $_ // 'nothing' } $is->{$_}, $should->{$_}; $i eq $s ? () : "account $_: is $i, should be $s" }
        sort { by_account($a, $b) } keys %{ { %$is, %$should } };
}
sub by_account { my ($x, $y) = map { [/^(\d+) (.*)/s] } @_; return $x->[0] <=> $y->[0] || $x->[1] cmp $y->[1] }

1;
