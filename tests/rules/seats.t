# Rules L1 to L6: who holds a seat, what is wrong with it, and what each day's snapshot says.
use strict;
use warnings;
use Test::More;
use JSON::PP ();
use Lapse;
use Fixture;

my $job = 'reconcile-seats';
my $db = Lapse::database();
my $after = at('1 us');
my $before = at('-1 us');

# ---- what every test asks ----

sub run_seats {
    my ($db, $name, @more) = @_;
    my @as_of = grep({ $_ eq '--as-of' } @more) ? () : ('--as-of', $Fixture::as_of);
    my $r = $db->lapse('--set', 'reports.formats=csv', 'run', $job, @as_of, '--out', $db->dir . "/$name", @more);
    is $r->{status}, 0, "$name: the run ends well" or diag $r->{stdout}, $r->{stderr};
    return $r;
}
sub tables {
    my ($db, $name, $date) = @_;
    my $set = $db->dir . "/$name/" . ($date // $Fixture::as_of);
    return map { Fixture::report("$set/$job$_.csv") } '', '-detail', '-exceptions';
}
sub pick { my ($row, $want) = @_; return { map { $_ => $row->{$_} } keys %$want } }

# Rows of one account: as many, and the columns named are so.
sub rows_are {
    my ($got, $want, $name) = @_;
    my @got = @{ $got || [] };
    is_deeply [map { $_ < @$want ? pick($got[$_], $want->[$_]) : $got[$_] } 0 .. $#got], $want, $name;
}

# A case is an account; `findings`, `seats` (the detail) and `account` (the first table) are what is
# expected of it; what is not named is not asked. u(n) is the address of the case's nth user.
my $f = Fixture->new($db);
my (@cases, $next);
sub u { return "u$_[0].a" . $f->{next} . '@x.example' }
sub seat {
    my ($name, $given, $expected) = @_;
    $given->{users} //= [{}, {}, {}];
    my @findings = map { my %row = %$_; $row{Email} = u($row{Email}) if ($row{Email} // '') =~ /^\d+$/; \%row } @{ $expected->{findings} || [] };
    my %expected = (%$expected, $expected->{findings} ? (findings => \@findings) : ());
    push @cases, [$name, $f->case($name, $given, {}), \%expected];
}
sub finding { my ($what, $email, %more) = @_; return { Finding => $what, Email => $email, %more } }
my %pro = (plan => 'pro', seats => 10);
my @org = (organizations => [{}, {}], teams => [{}]);
my $granted = '2024-01-01T00:00:00Z';
sub used { my ($licenses, $invitations, %more) = @_; return { account => { Licenses => $licenses, Invitations => $invitations, Used => $licenses + $invitations, %more } } }

# ---- L1: who holds a seat ----
seat('L1 a license', { licenses => [{}] }, used(1, 0));
seat('L1 a license granted at as-of', { licenses => [{ granted_at => at() }] }, used(1, 0));
seat('L1 not one granted an instant after', { licenses => [{ granted_at => $after }] }, used(0, 0));
seat('L1 not one revoked at as-of', { licenses => [{ revoked_at => at() }] }, used(0, 0));
seat('L1 one revoked an instant after', { licenses => [{ revoked_at => $after }] }, used(1, 0));
seat('L1 a deleted user\'s live license counts and is listed', { users => [{ deleted_at => at('-9 d') }], licenses => [{}] }, { %{ used(1, 0) }, seats => [{ 'Seat Type' => 'license' }] });
sub invited { my ($name, $invitation, $n, %more) = @_; seat("L1 $name", { @org, invitations => [{ organization_id => 1, sent_at => at('-1 d'), %$invitation }], %more }, used(0, $n)) }
invited('an invitation', {}, 1);
invited('an invitation sent at as-of', { sent_at => at() }, 1);
invited('not one sent an instant after', { sent_at => $after }, 0);
invited('not one that lapses at as-of, marked or not (I3)', { sent_at => at('-720 h') }, 0);
invited('one that lapses an instant after', { sent_at => at('-720 h', '1 us') }, 1);
invited('not one whose own end is as-of', { expires_at => at() }, 0);
invited('one whose own end is an instant after', { sent_at => at('-2000 h'), expires_at => $after }, 1);
invited('not one accepted at as-of', { status => 'accepted', closed_at => at() }, 0);
invited('one accepted an instant after', { status => 'accepted', closed_at => $after }, 1);
invited('not one revoked without saying when', { status => 'revoked' }, 0);
invited('one to a team', { organization_id => undef, team_id => 1 }, 1);
seat('L1 one person: five invitations and a license, in all kinds of case', { @org, users => [{ email => 'Some.Body@X.Example' }], licenses => [{}],
    invitations => [map { { organization_id => 1, sent_at => at("-$_ d"), email => $_ % 2 ? 'some.body@x.example' : 'SOME.BODY@X.EXAMPLE' } } 1 .. 5] },
    { %{ used(1, 0) }, seats => [{ 'Seat Type' => 'license', Email => 'Some.Body@X.Example', Expires => undef }] });
seat('L1 invited five times, without a license: one seat, since the first, until the last', { @org, invitations => [map { { organization_id => 1 + $_ % 2, email => 'G@y.example', sent_at => at("-$_ d") } } 1 .. 5] },
    { %{ used(0, 1) }, seats => [{ 'Seat Type' => 'invitation', Source => 'invitation', Since => shown(at('-5 d')), Expires => shown(at('-1 d', '720 h')), Organizations => 'Org; Org', 'Last Active' => undef }] });
seat('L1 a license revoked, invited anew', { @org, licenses => [{ revoked_at => at('-2 d') }], invitations => [{ organization_id => 1, email => u(1), sent_at => at('-1 d') }] }, used(0, 1));

# ---- L2: bought, free, over, utilisation ----
sub bought { my ($name, $subscriptions, $licenses, $account) = @_; seat("L2 $name", { subscriptions => $subscriptions, users => [map { {} } 1 .. $licenses || 1], licenses => [map { { user_id => $_, source => 'capture' } } 1 .. $licenses] }, { account => $account }) }
bought('one seat is free', [{ %pro, seats => 3 }], 2, { Plan => 'pro', Purchased => 3, Free => 1, Over => 0, Utilisation => '66.7' });
bought('full', [{ %pro, seats => 3 }], 3, { Free => 0, Over => 0, Utilisation => '100.0' });
bought('one over: free is what is missing', [{ %pro, seats => 2 }], 3, { Free => -1, Over => 1, Utilisation => '150.0' });
bought('a half is rounded up', [{ %pro, seats => 16 }], 1, { Utilisation => '6.3' });
bought('nobody', [{ %pro, seats => 3 }], 0, { Used => 0, Free => 3, Utilisation => '0.0' });
bought('no seat bought: no utilisation', [{ %pro, seats => 0 }], 0, { Purchased => 0, Free => 0, Over => 0, Utilisation => undef });
bought('no seat bought, one used', [{ %pro, seats => 0 }], 1, { Free => -1, Over => 1, Utilisation => undef });
bought('unlimited', [{ plan => 'essentials', seats => -1 }], 3, { Plan => 'essentials', Purchased => -1, Free => undef, Over => 0, Utilisation => undef });
bought('Essentials is unlimited, whatever its row says', [{ plan => 'essentials', seats => 1 }], 3, { Purchased => -1, Over => 0 });
bought('Pro with unlimited seats', [{ %pro, seats => -1 }], 3, { Plan => 'pro', Purchased => -1, Free => undef, Over => 0 });
bought('nobody knows how many were bought', [{ %pro, seats => undef }], 3, { Plan => 'pro', Purchased => undef, Free => undef, Over => 0, Utilisation => undef });
bought('no plan in force', [], 3, { Plan => undef, Purchased => undef, Free => undef, Over => 0, Utilisation => undef });
my %trial = (kind => 'trial', plan => 'trial', status => 'trialing');
bought('P4 a trial has 50, whatever the base and its own row say', [{ %pro, seats => 2 }, { %trial, seats => 7, started_at => at('-1 d') }], 3, { Plan => 'trial', Purchased => 50, Free => 47, Over => 0, Utilisation => '6.0' });
bought('P4 a trial that ends an instant after as-of', [{ %pro, seats => 2 }, { %trial, started_at => at('-336 h', '1 us') }], 3, { Plan => 'trial', Over => 0 });
bought('P4 a trial that is over at as-of, ended or not: the base', [{ %pro, seats => 2 }, { %trial, started_at => at('-336 h') }], 3, { Plan => 'pro', Over => 1 });
bought('P4 an overdue Pro is in force until it is downgraded', [{ %pro, seats => 4, period_end => at('-9 d') }], 3, { Plan => 'pro', Purchased => 4 });
bought('P4 a base ended at as-of is not', [{ %pro, status => 'ended', ended_at => at() }, { plan => 'essentials', seats => -1, started_at => at() }], 1, { Plan => 'essentials' });

# ---- over_limit ----
my @three = (users => [{}, {}, {}], licenses => [map { { user_id => $_, source => 'capture' } } 1 .. 3], organizations => [{}], organization_members => [map { { user_id => $_ } } 1 .. 3]);
seat('over_limit: at the limit is none', { subscriptions => [{ %pro, seats => 3 }], @three }, { findings => [] });
seat('over_limit: one above, since today', { subscriptions => [{ %pro, seats => 2 }], @three },
    { findings => [finding('over_limit', undef, Source => 'pro', Since => '2026-03-31T00:00:00Z', 'Suggested Action' => '3 used of 2: buy 1 more, or revoke as many')] });
seat('over_limit: since the first day of this time, not of an earlier one', { subscriptions => [{ %pro, seats => 2 }], @three,
    seat_snapshots => [map { { day => day($_->[0]), plan => 'pro', purchased => 2, licenses => 3, used => 3, over => $_->[1] } } [9, 1], [8, 0], [6, 1], [5, 1], [1, 1]] },
    { findings => [finding('over_limit', undef, Since => day(6) . 'T00:00:00Z')] });
seat('over_limit: unlimited is never over', { @three }, { findings => [] });
seat('over_limit: where nobody knows what was bought there is none', { subscriptions => [], @three }, { findings => [] });

# ---- L3: seat without access ----
sub idle { my ($name, $given, @findings) = @_; seat($name, { @org, %$given }, { findings => \@findings }) }
my $left = sub { return (organization_members => [{ left_at => $_[0] }]) };
my $give = 'give access, or revoke the license';
for my $source (qw(invitation manual scim)) {
    idle("L3 $source, left at as-of", { licenses => [{ source => $source }], $left->(at()) }, finding('seat_without_access', 1, Source => $source, Since => shown(at()), 'Last Active' => 'N/A', 'Suggested Action' => $give));
    idle("L3 $source, leaves an instant after as-of: no finding", { licenses => [{ source => $source }], $left->($after) });
}
idle("L3 never anywhere ($_): since it was granted", { licenses => [{ source => $_ }] }, finding('seat_without_access', 1, Since => $granted)) for qw(invitation manual);
idle('L3 in a team only: no finding', { licenses => [{}], team_members => [{}] });
idle('L3 left the team too: since the later of the two', { licenses => [{}], team_members => [{ left_at => at('-3 d') }], $left->(at('-5 d')) }, finding('seat_without_access', 1, Since => shown(at('-3 d'))));
idle('L3 left one of two organizations: no finding', { licenses => [{}], organization_members => [{ left_at => at('-5 d') }, { organization_id => 2 }] });
idle('L3 came back: no finding', { licenses => [{}], organization_members => [{ left_at => at('-5 d') }, { joined_at => at('-4 d') }] });
idle('L3 comes back an instant after as-of', { licenses => [{}], organization_members => [{ left_at => at('-5 d') }, { joined_at => $after }] }, finding('seat_without_access', 1, Since => shown(at('-5 d'))));
idle('L3 the organization was deleted at as-of', { licenses => [{}], organizations => [{ deleted_at => at() }], organization_members => [{}] }, finding('seat_without_access', 1, Since => shown(at())));
idle('L3 the organization is deleted an instant after', { licenses => [{}], organizations => [{ deleted_at => $after }], organization_members => [{}] });
idle('L3 the team was deleted', { licenses => [{}], teams => [{ deleted_at => at('-2 d') }], team_members => [{}] }, finding('seat_without_access', 1, Since => shown(at('-2 d'))));
idle('L3 an inactive organization is access', { licenses => [{}], organizations => [{ status => 'inactive' }], organization_members => [{}] });
idle('L3 left before the license was granted anew: since that', { licenses => [{ granted_at => at('-2 d') }], $left->(at('-5 d')) }, finding('seat_without_access', 1, Since => shown(at('-2 d'))));
idle('L3 the last activity is told as the activity report tells it', { licenses => [{}], user_activity => [{ last_opened_at => at('-90 d') }] }, finding('seat_without_access', 1, 'Last Active' => day(90)));
idle('L3 at an age of 91 nothing shows', { licenses => [{}], user_activity => [{ last_opened_at => at('-91 d') }] }, finding('seat_without_access', 1, 'Last Active' => undef));

# ---- L4 ----
my $assign = 'assign to an organization or a team';
idle('L4 captured, nowhere', { licenses => [{ source => 'capture' }] }, finding('captured_unassigned', 1, Source => 'capture', Since => $granted, 'Suggested Action' => $assign));
idle('L4 captured, left: as before', { licenses => [{ source => 'capture' }], $left->(at('-5 d')) }, finding('captured_unassigned', 1));
idle('L4 captured and assigned: no finding', { licenses => [{ source => 'capture' }], team_members => [{}] });
idle('L4 SCIM, never assigned', { licenses => [{ source => 'scim' }] }, finding('captured_unassigned', 1, Source => 'scim'));
idle('L4 SCIM, to be assigned an instant after', { licenses => [{ source => 'scim' }], organization_members => [{ joined_at => $after }] }, finding('captured_unassigned', 1));
idle('L4 the owner\'s license', { licenses => [{ source => 'owner' }] });
idle('L4 the owner, by a license of another source', { licenses => [{}], account_members => [{ role => 'owner' }] });
idle('L4 an owner until an instant after as-of', { licenses => [{}], account_members => [{ role => 'owner', left_at => $after }] });
idle('L4 an owner until as-of is none', { licenses => [{}], account_members => [{ role => 'owner', left_at => at() }] }, finding('seat_without_access', 1));
idle('L4 a co-owner is none', { licenses => [{}], account_members => [{ role => 'co_owner' }] }, finding('seat_without_access', 1));
seat('L3 the summary counts seats without access, not captured ones', { licenses => [{}, { user_id => 2, source => 'capture' }, { user_id => 3, source => 'scim' }] }, { account => { Used => 3, 'Without Access' => 1 } });
seat('A2 inactive are 101 days and more; who never came is not counted', { licenses => [map { { user_id => $_ } } 1 .. 3], user_activity => [{ last_opened_at => at('-100 d') }, { user_id => 2, last_opened_at => at('-101 d') }] }, { account => { Inactive => 1 } });

# ---- L5: access without seat ----
my $end = 'grant a license, or end the access';
idle('L5 a member without a license', { organization_members => [{ joined_at => at('-3 d') }] }, finding('access_without_seat', 1, Source => 'direct', Since => shown(at('-3 d')), 'Suggested Action' => $end));
idle('L5 through a team', { organization_members => [{ via => 'team' }] }, finding('access_without_seat', 1, Source => 'team'));
idle('L5 joined at as-of', { organization_members => [{ joined_at => at() }] }, finding('access_without_seat', 1));
idle('L5 not one who joins an instant after', { organization_members => [{ joined_at => $after }] });
idle('L5 not one who left at as-of', { $left->(at()) });
idle('L5 the license was revoked at as-of', { licenses => [{ revoked_at => at() }], organization_members => [{}] }, finding('access_without_seat', 1));
idle('L5 the license is revoked an instant after', { licenses => [{ revoked_at => $after }], organization_members => [{}] });
idle('L5 the license comes an instant after', { licenses => [{ granted_at => $after }], organization_members => [{}] }, finding('access_without_seat', 1));
idle('L5 two organizations: one finding, since the first', { organization_members => [{ organization_id => 2, joined_at => at('-3 d') }, { joined_at => at('-4 d') }] }, finding('access_without_seat', 1, Since => shown(at('-4 d'))));
idle('L5 a team alone is no access', { team_members => [{}] });
idle('L5 a deleted organization is no access', { organizations => [{ deleted_at => at() }], organization_members => [{}] });
idle('L5 an invitation is no license', { organization_members => [{}], invitations => [{ organization_id => 1, email => u(1), sent_at => at('-1 d') }] }, finding('access_without_seat', 1));
idle('L5 somebody deleted needs none', { users => [{ deleted_at => at() }], organization_members => [{}] });

# ---- duplicate ----
my @in = (organization_members => [{}]);
idle('duplicate: two licenses', { licenses => [{ granted_at => at('-3 d'), source => 'scim' }, { granted_at => at('-5 d') }], @in },
    finding('duplicate', 1, Source => 'manual', Since => shown(at('-5 d')), 'Suggested Action' => 'revoke all but one of 2 licenses'));
idle('duplicate: the second is revoked at as-of', { licenses => [{}, { revoked_at => at() }], @in });
idle('duplicate: the second is granted an instant after', { licenses => [{}, { granted_at => $after }], @in });
idle('duplicate: two people are none', { licenses => [{}, { user_id => 2 }], organization_members => [{}, { user_id => 2 }] });
idle('duplicate: and without access besides', { licenses => [{}, {}] }, finding('duplicate', 1), finding('seat_without_access', 1));
seat('duplicate: the person counts once', { licenses => [{}, {}, { user_id => 2 }] }, used(2, 0));

# ---- what is not there, what is held ----
my $unborn = $f->case('L6 an account made an instant after as-of has no row', { account => { created_at => $after }, licenses => [] }, {});
seat('L6 an account made at as-of has one', { account => { created_at => at() } }, used(0, 0));
seat('L6 a held account is counted too', { licenses => [{}] }, { %{ used(1, 0) }, findings => [finding('seat_without_access', 1)] });
my $held = $cases[-1][1];

# ---- the tie-out with the snapshot before ----
# `then` as of the day before; each cause alone, as of its boundary.
sub snapshot { my ($used, %more) = @_; return { day => day(1), licenses => $used, used => $used, %more } }
my $told = sub { my ($day, $then, $came, $went, $now) = @_; return "the snapshot of $day says $then used, $came came and $went went since, $now are used now" };
sub ties { my ($name, $then, $given, @more) = @_; seat("movement: $name", { @org, seat_snapshots => [snapshot($then)], team_members => [map { { user_id => $_ } } 1 .. 3], %$given }, { findings => [@more] }) }
sub off { my ($then, $came, $went, $now) = @_; return finding('tie_out', undef, Source => 'movement', Since => undef, 'Suggested Action' => $told->(day(1), $then, $came, $went, $now)) }
ties('nothing moved', 1, { licenses => [{}] });
ties('nothing moved, but the snapshot says otherwise', 2, { licenses => [{}] }, off(2, 0, 0, 1));
ties('granted at the snapshot\'s instant is no movement', 1, { licenses => [{ granted_at => at('-24 h') }] });
ties('granted an instant after it is', 0, { licenses => [{ granted_at => at('-24 h', '1 us') }] });
ties('revoked at the snapshot\'s instant is no movement', 0, { licenses => [{ revoked_at => at('-24 h') }] });
ties('revoked at as-of is', 1, { licenses => [{ revoked_at => at() }] });
ties('an invitation accepted since is none', 1, { licenses => [{ granted_at => at('-1 h') }], invitations => [{ organization_id => 1, email => u(1), sent_at => at('-5 d'), status => 'accepted', closed_at => at('-1 h') }] });
ties('an invitation lapsed since', 1, { invitations => [{ organization_id => 1, sent_at => at('-720 h') }] });
ties('came and went between the two is none', 0, { licenses => [{ granted_at => at('-12 h'), revoked_at => at('-6 h') }] });
my %again = (organization_id => 1, send_count => 2, sent_at => at('-6 h'));
ties('an invitation sent again, which held a seat before', 1, { invitations => [\%again] });
ties('an invitation sent again, which had lapsed', 0, { invitations => [\%again] });
ties('an invitation sent again, then accepted', 1, { licenses => [{ granted_at => at('-1 h') }], invitations => [{ %again, email => u(1), status => 'accepted', closed_at => at('-1 h') }] });
ties('an invitation sent again, then revoked', 1, { invitations => [{ %again, status => 'revoked', closed_at => at('-1 h') }] });
ties('two sent again explain two, not three', 3, { invitations => [\%again, { %again, email => 'other@x.example' }] }, off(3, 0, 0, 2));
ties('sent again before the snapshot explains nothing', 2, { invitations => [{ %again, sent_at => at('-30 h') }] }, off(2, 0, 0, 1));
ties('sent once explains nothing', 1, { invitations => [{ %again, send_count => 1 }] }, off(1, 1, 0, 1));
seat('movement: the newest snapshot counts, some days old', { @org, licenses => [{ granted_at => at('-3 d') }, { user_id => 2 }], team_members => [{}, { user_id => 2 }],
    seat_snapshots => [snapshot(7, day => day(6)), snapshot(1, day => day(4))] }, { findings => [] });
seat('movement: no snapshot before, no tie-out', { @org, licenses => [{}], team_members => [{}], seat_snapshots => [snapshot(9, day => day(0)), snapshot(5, day => day(-1))] }, { findings => [] });
my $rewritten = $cases[-1][1];

$f->load;
$db->sql("INSERT INTO lapse.holds (account_id, reason, held_at) VALUES ($held, 'test', '2026-01-01')");
run_seats($db, 'first');
my ($accounts, $detail, $exceptions) = tables($db, 'first');
for (@cases) {
    my ($name, $account, $expected) = @$_;
    is_deeply pick($accounts->{$account}[0], $expected->{account}), $expected->{account}, $name if $expected->{account};
    rows_are($exceptions->{$account}, $expected->{findings}, $name) if $expected->{findings};
    rows_are($detail->{$account}, $expected->{seats}, "$name: the detail") if $expected->{seats};
}
ok !$accounts->{$unborn}, 'L6 an account made an instant after as-of has no row';
is scalar keys %$accounts, scalar @cases, 'L2 one row for every account';
is $db->one('SELECT count(*) FROM lapse.changes'), 0, 'L6 snapshots have no audit';
$f->{cases} = [grep { $_->{account} != $unborn } @{ $f->{cases} }];

# Each snapshot is the account's row.
my %snapshot = map { $_->[0] => [@$_[1 .. $#$_]] } $db->rows("SELECT account_id, plan, purchased, licenses, invitations, used, over FROM saas.seat_snapshots WHERE day = '2026-03-31'");
is_deeply \%snapshot, { map { my ($row) = @{ $accounts->{$_} }; $_ => [@$row{qw(Plan Purchased Licenses Invitations Used Over)}] } keys %$accounts }, 'L6 each account has one snapshot for the day, which says what its row says';
is_deeply [$db->rows("SELECT DISTINCT run_id FROM saas.seat_snapshots WHERE account_id = $rewritten AND day = '2026-03-31'")], [[1]], 'L6 a snapshot that was there already and differs is rewritten';
is $db->one("SELECT used FROM saas.seat_snapshots WHERE account_id = $rewritten AND day = '2026-04-01'"), 5, 'L6 a later one is left';

# ---- L6: reruns ----
sub snapshots { my ($day) = @_; return join '|', map { join ',', map { $_ // '' } @$_ } $db->rows("SELECT account_id, used, over, run_id, xmin::text FROM saas.seat_snapshots WHERE day = '$day' ORDER BY 1") }
sub newest_run { return $db->one('SELECT max(run_id) FROM lapse.runs') }
my $was = snapshots('2026-03-31');
run_seats($db, 'rerun');
is snapshots('2026-03-31'), $was, 'L6 a rerun for the day writes nothing where no figure differs';
is Lapse::slurp($db->dir . "/rerun/$Fixture::as_of/$job$_.csv"), Lapse::slurp($db->dir . "/first/$Fixture::as_of/$job$_.csv"), "L6 a rerun's table \"$_\" has the same bytes" for '', '-detail', '-exceptions';
my ($one) = map { $_->[1] } grep { $_->[0] eq 'L1 a license' } @cases;
my $user = $one * 100 + 2;
$db->sql("INSERT INTO saas.licenses (account_id, user_id, source, granted_at) VALUES ($one, $user, 'manual', '2026-03-31 10:00:00+00')");
run_seats($db, 'noon', '--as-of', '2026-03-31T12:00:00Z');
my $second = newest_run();
is_deeply [$db->rows("SELECT used, run_id FROM saas.seat_snapshots WHERE account_id = $one AND day = '2026-03-31'")], [[2, $second]], 'L6 a second run on the day rewrites what differs';
is $db->one("SELECT count(*) FROM saas.seat_snapshots WHERE day = '2026-03-31' AND run_id <> $second AND account_id IN (SELECT account_id FROM saas.accounts WHERE name = 'L2 full')"), 1, 'L6 ... and leaves what does not';
my ($again) = tables($db, 'noon');
is $again->{$one}[0]{Used}, 2, 'L6 the report shows the second run\'s count';
my $earlier = $db->lapse('run', $job, '--as-of', '2026-03-30', '--out', $db->dir . '/earlier');
is $earlier->{status}, 80, 'L6 an earlier day is refused';
like $earlier->{stderr}, qr/--allow-backdate/, 'L6 ... and the way is told';
is $db->one("SELECT count(*) FROM saas.seat_snapshots WHERE run_id = " . newest_run() . " AND day = '2026-03-30'"), 0, 'L6 ... and no snapshot is written';
run_seats($db, 'earlier', '--as-of', '2026-03-30', '--allow-backdate', '--account', $one);
is_deeply [$db->rows("SELECT day, used FROM saas.seat_snapshots WHERE account_id = $one ORDER BY day")], [['2026-03-30', 1], ['2026-03-31', 2]], 'L6 --allow-backdate writes the earlier day, as it was then';
is $db->one("SELECT count(*) FROM saas.seat_snapshots WHERE run_id = " . newest_run()), 1, 'L6 --account writes the accounts named and no other';
my ($only) = tables($db, 'earlier', '2026-03-30');
is_deeply [keys %$only], [$one], 'L6 --account reports the accounts named and no other';

# The day after: the movement counts from the second run, not from the day's begin.
run_seats($db, 'next', '--as-of', '2026-04-01T00:00:00Z', '--allow-backdate', '--account', $one);
my (undef, undef, $tied) = tables($db, 'next', '2026-04-01');
is_deeply [grep { $_->{Finding} eq 'tie_out' } @{ $tied->{$one} }], [], 'movement: two runs a day: the second one\'s instant counts';
$db->sql("UPDATE saas.seat_snapshots SET run_id = 1 WHERE account_id = $one AND day = '2026-03-31'");
run_seats($db, 'next-2', '--as-of', '2026-04-01T00:00:00Z', '--allow-backdate', '--account', $one);
(undef, undef, $tied) = tables($db, 'next-2', '2026-04-01');
is scalar(grep { $_->{Finding} eq 'tie_out' } @{ $tied->{$one} }), 1, 'movement: ... from the first one\'s instant it would not add up';

# ---- promise 7 ----
{
    my $lie = sub { $db->sql("UPDATE saas.seat_snapshots SET used = used + 1 WHERE account_id = $one AND day = '2026-03-31'") };
    my @check = ('--set', 'reports.dir=' . $db->dir . '/first', 'check', '--as-of', '2026-03-31T12:00:00Z');
    my $r = $db->lapse(@check);
    unlike $r->{stdout}, qr/a recount \d/, 'promise 7 holds after the run' or diag $r->{stdout};
    $lie->();
    $r = $db->lapse(@check);
    like $r->{stdout}, qr/\b$one\b.*the snapshot of 2026-03-31 says 3 seats used, a recount 2/, 'promise 7 names a snapshot that was falsified' or diag $r->{stdout}, $r->{stderr};
    $db->sql("INSERT INTO lapse.holds (account_id, reason, held_at) VALUES ($one, 'test', '2026-01-01')");
    $r = $db->lapse(@check);
    unlike $r->{stdout}, qr/a recount \d/, 'promise 7 is made for accounts that nobody holds';
}

# ---- tie-outs of the day's own snapshot, in a dry run, which rewrites none ----
{
    my $db = Lapse::database();
    my $f = Fixture->new($db);
    my $account = $f->case('falsified', { users => [{}], organizations => [{}], licenses => [{}], organization_members => [{}], seat_snapshots => [{ day => day(0), licenses => 1, invitations => 1, used => 4 }] }, {});
    $f->load;
    my $r = run_seats($db, 'dry', '--dry-run');
    my (undef, undef, $exceptions) = tables($db, 'dry');
    rows_are($exceptions->{$account}, [finding('tie_out', undef, Source => 'licenses and invitations', 'Suggested Action' => 'the snapshot of 2026-03-31 says 1 licenses and 1 invitations, but 4 used'),
        finding('tie_out', undef, Source => 'people', 'Suggested Action' => 'the snapshot of 2026-03-31 says 4 used, the detail lists 1')], 'tie_out: a falsified snapshot of the day is named by a dry run');
    is $db->one("SELECT used FROM saas.seat_snapshots WHERE account_id = $account"), 4, 'tie_out: ... which leaves it';
    run_seats($db, 'wet');
    (undef, undef, $exceptions) = tables($db, 'wet');
    rows_are($exceptions->{$account}, [], 'tie_out: a run rewrites it, and nothing is left to find');
}

# ---- the causes, on the sheet Summary ----
{
    my $db = Lapse::database();
    my $f = Fixture->new($db);
    my $since = at('-12 h');
    my $n = 0;
    my $person = sub { return { email => 'p' . ++$n . '@z.example' } };
    my $one = sub {
        my ($name, $then, %given) = @_;
        $f->case($name, { users => [map { $person->() } 1 .. 3], @org, seat_snapshots => [snapshot($then)], %given }, {});
    };
    my $mail = sub { return 'p' . ($n + $_[0]) . '@z.example' }; # of the case to come
    my %sent = (organization_id => 1, sent_at => at('-5 d'));
    $one->('granted twice', 0, licenses => [{ granted_at => $since }, { user_id => 2, source => 'scim', granted_at => $since }]);
    $one->('captured', 1, licenses => [{ source => 'capture', granted_at => $since }, { user_id => 2 }]);
    $one->('invited thrice', 0, invitations => [map { { %sent, sent_at => $since, email => "guest$_\@z.example" } } 1 .. 3]);
    $one->('revoked', 1, licenses => [{ revoked_at => $since }]);
    $one->('revoked, invited before and accepted since', 1, licenses => [{ granted_at => at('-20 h'), revoked_at => $since }], invitations => [{ %sent, email => $mail->(1), status => 'accepted', closed_at => at('-20 h') }]);
    $one->('expired, marked', 1, invitations => [{ %sent, sent_at => at('-721 h'), status => 'expired', closed_at => at('-1 h') }]);
    $one->('expired, not marked', 1, invitations => [{ %sent, sent_at => at('-720 h') }]);
    $one->('withdrawn', 1, invitations => [{ %sent, status => 'revoked', closed_at => $since }]);
    $one->('accepted: no movement', 1, licenses => [{ granted_at => $since, source => 'invitation' }], invitations => [{ %sent, email => $mail->(1), status => 'accepted', closed_at => $since }]);
    $one->('a license in place of another: no movement', 1, licenses => [{ revoked_at => $since }, { granted_at => $since }]);
    $one->('sent again', 1, invitations => [{ %sent, sent_at => $since, send_count => 2 }]);
    $one->('does not tie out', 5);
    $f->case('new', { users => [$person->()], licenses => [{}] }, {});
    $f->load;
    my $r = $db->lapse('run', $job, '--as-of', $Fixture::as_of, '--out', $db->dir . '/out');
    is $r->{status}, 0, 'figures: the run ends well' or diag $r->{stderr};
    my $got = figures($db->dir . "/out/$Fixture::as_of/$job.xlsx");
    my @want = (['Used at the snapshots before', 14], ['Came since: licenses granted', 2], ['Came since: captured', 1], ['Came since: invited', 4], ['Less: invited again, held a seat before', -1],
        ['Went since: licenses revoked', -2], ['Went since: invitations expired', -2], ['Went since: invitations withdrawn', -1], ['Used now in these accounts', 10],
        ['Used now in accounts without an earlier snapshot', 1], ['Tie-outs that hold', 37], ['Tie-outs that do not hold', 1]);
    SKIP: {
        skip 'unzip is not installed', scalar @want if !$got;
        is $got->{ $_->[0] }, $_->[1], "figures: $_->[0]" for @want;
    }
}

# Label => number of the sheet Summary.
sub figures {
    my ($path) = @_;
    return undef if !grep { -x "$_/unzip" } split /:/, $ENV{PATH};
    my ($sheet, $strings) = map { Lapse::command({}, 'unzip', '-p', $path, "xl/$_.xml")->{stdout} } 'worksheets/sheet1', 'sharedStrings';
    my @shared;
    push @shared, join '', $1 =~ m{<t(?: [^>]*)?>(.*?)</t>}gs while $strings =~ m{<si>(.*?)</si>}gs;
    my %figure;
    while ($sheet =~ m{<row [^>]*>(.*?)</row>}gs) {
        my @cells = map { [/t="(\w+)"/, m{<v>(.*?)</v>}, m{<t(?: [^>]*)?>(.*?)</t>}] } $1 =~ m{(<c .*?</c>)}gs;
        my @values = map { $_->[0] && $_->[0] eq 's' ? $shared[$_->[1]] : $_->[-1] } grep { @$_ } @cells;
        $figure{ $values[0] } = $values[1] if @values > 1;
    }
    return \%figure;
}

# ---- L3: release_unused_seats_after ----
{
    my $db = Lapse::database();
    my $f = Fixture->new($db);
    my $after = '--set rules.release_unused_seats_after=30 d';
    my %gone = (revoked_at => at(), revoke_reason => 'unused', -reason => 'seat_released', -at => at(), -job => $job);
    my @hold;
    my $case = sub {
        my ($name, $given, $released, %more) = @_;
        my %expected = ref $released ? (licenses => $released) : $released ? (licenses => { 1 => { %gone } }) : ();
        my $account = $f->case("release: $name", { users => [{}, {}], @org, licenses => [{}], %$given }, \%expected);
        push @hold, $account if $more{hold};
        return $account;
    };
    my $left = sub { return (organization_members => [{ left_at => $_[0] }]) };
    $case->('left a second less than 30 days ago: kept', { $left->(at('-720 h', '1 s')) });
    my $at = $case->('left 30 days ago to the instant', { $left->(at('-720 h')) }, 1);
    $case->('left a second more than 30 days ago', { $left->(at('-720 h', '-1 s')) }, 1);
    $case->('left long ago, granted anew a second less than 30 days ago: kept', { licenses => [{ granted_at => at('-720 h', '1 s') }], $left->(at('-90 d')) });
    $case->('never anywhere, granted 30 days ago', { licenses => [{ granted_at => at('-720 h') }] }, 1);
    $case->("from $_, left long ago", { licenses => [{ source => $_ }], $left->(at('-90 d')) }, 1) for qw(invitation manual scim);
    $case->('has access: kept', { organization_members => [{}] });
    $case->('in a team: kept', { team_members => [{}], $left->(at('-90 d')) });
    $case->('the owner\'s license: never', { licenses => [{ source => 'owner' }], $left->(at('-90 d')) });
    $case->('the owner by another license: never', { account_members => [{ role => 'owner' }], $left->(at('-90 d')) });
    $case->('captured, left long ago: never', { licenses => [{ source => 'capture' }], $left->(at('-90 d')) });
    $case->('captured, nowhere: never', { licenses => [{ source => 'capture' }] });
    $case->('SCIM, not assigned yet: never', { licenses => [{ source => 'scim' }] });
    $case->('two licenses, each by its own grant', { licenses => [{}, { granted_at => at('-1 d') }], $left->(at('-90 d')) }, 1);
    $case->('two licenses, the other captured', { licenses => [{}, { source => 'capture', granted_at => at('-60 d') }], $left->(at('-90 d')) }, 1);
    $case->('two licenses, the other from SCIM, never assigned', { licenses => [{}, { source => 'scim', granted_at => at('-60 d') }] }, 1);
    $case->('two licenses, the other the owner\'s', { licenses => [{}, { source => 'owner', granted_at => at('-60 d') }], $left->(at('-90 d')) }, 1);
    $case->('two licenses, both unused', { licenses => [{}, { granted_at => at('-60 d') }], $left->(at('-90 d')) }, { 1 => { %gone }, 2 => { %gone } });
    $case->('a license revoked already: as it was', { licenses => [{ revoked_at => at('-9 d'), revoke_reason => 'left' }], $left->(at('-90 d')) });
    $case->('one to be revoked an instant after as-of', { licenses => [{ revoked_at => at('1 us'), revoke_reason => 'left' }], $left->(at('-90 d')) }, 1);
    $case->('joined an organization since the as-of: kept', { organization_members => [{ left_at => at('-90 d') }, { joined_at => at('1 us') }] });
    $case->('joined one that is deleted', { organization_members => [{ left_at => at('-90 d') }, { organization_id => 2, joined_at => at('1 us') }], organizations => [{}, { deleted_at => at() }] }, 1);
    $case->('joined a team since the as-of: kept', { teams => [{}], team_members => [{ joined_at => at('1 us') }], $left->(at('-90 d')) });
    $case->('became the owner since the as-of: kept', { account_members => [{ role => 'owner', joined_at => at('1 us') }], $left->(at('-90 d')) });
    $case->('a held account is left alone', { $left->(at('-90 d')) }, 0, hold => 1);
    $f->load;
    $db->sql("INSERT INTO lapse.holds (account_id, reason, held_at) VALUES ($_, 'test', '2026-01-01')") for @hold;
    run_seats($db, 'off');
    is $db->one('SELECT count(*) FROM lapse.changes'), 0, 'release: off by default: nothing is revoked';
    my @release = ('--set', 'rules.release_unused_seats_after=30 d', '--set', 'reports.formats=csv');
    my $r = $db->lapse(@release, 'run', $job, '--as-of', $Fixture::as_of, '--dry-run', '--out', $db->dir . '/dry');
    is $r->{status}, 0, 'release: a dry run ends well' or diag $r->{stderr};
    is $db->one('SELECT count(*) FROM saas.licenses WHERE revoke_reason = \'unused\''), 0, 'release: ... and revokes nothing';
    is_deeply [(tables($db, 'dry'))[0]{$at}[0]{Used}], [1], 'release: ... and shows the seats as they are before it';
    $r = $db->lapse(@release, '--set', 'database.batch_rows=5', 'run', $job, '--as-of', $Fixture::as_of, '--out', $db->dir . '/on');
    is $r->{status}, 0, 'release: the run ends well' or diag $r->{stderr};
    $f->check($db->dir . "/on/$Fixture::as_of");
    my ($accounts, $detail) = tables($db, 'on');
    is $accounts->{$at}[0]{Used}, 0, 'release: the report counts a released seat as free';
    ok !$detail->{$at}, 'release: ... and lists it no more';
    is $db->one("SELECT used FROM saas.seat_snapshots WHERE account_id = $at AND day = '2026-03-31'"), 0, 'release: the day\'s snapshot counts it as released';
    my $changes = $db->one('SELECT count(*) FROM lapse.changes');
    $r = $db->lapse(@release, 'run', $job, '--as-of', $Fixture::as_of, '--out', $db->dir . '/on');
    is $db->one('SELECT count(*) FROM lapse.changes'), $changes, 'release: a rerun changes nothing';
    $r = $db->lapse(@release, '--set', 'reports.dir=' . $db->dir . '/on', 'check', '--as-of', $Fixture::as_of);
    unlike $r->{stdout}, qr/WRONG.*(?:7|10):|a recount \d/, 'release: the promises hold' or diag $r->{stdout};
}
# ---- V2: a seat that is released is given out by a later as-of, not by a rerun ----
{
    my $db = Lapse::database();
    my $f = Fixture->new($db);
    my $domain = "d1.a$f->{next}.example";
    my $account = $f->case('release: a seat that somebody waits for', { subscriptions => [{ plan => 'enterprise', seats => 1 }], domains => [{ capture_enabled_at => at('-60 d') }],
            users => [{}, { email => "p2\@$domain", signed_up_at => at('-10 d') }], licenses => [{}] }, {});
    $f->load;
    my $night = sub {
        my ($as_of, @jobs) = @_;
        my $r = $db->lapse('--set', 'rules.release_unused_seats_after=30 d', '--set', 'reports.formats=csv', 'run', @jobs, '--as-of', $as_of, '--out', $db->dir . '/night');
        is $r->{status}, 0, "release: @jobs at $as_of" or diag $r->{stderr};
        return join ' ', map { $_->[0] } $db->rows("SELECT reason || ':' || count(*) FROM lapse.changes WHERE account_id = $account GROUP BY reason ORDER BY reason");
    };
    my @both = ('capture-domain-users', $job);
    is $night->($Fixture::as_of, @both), 'seat_released:1', 'release: who waits has no seat yet';
    is $night->($Fixture::as_of, @both), 'seat_released:1', 'release: ... nor by a rerun';
    is $night->("${Fixture::as_of}T00:00:01Z", 'capture-domain-users'), 'captured:2 seat_released:1', 'release: ... but by the next run';
}
# ---- a user who is faster ----
for (['joins an organization', "INSERT INTO saas.organization_members (account_id, organization_id, user_id, via, role, joined_at) SELECT account_id, organization_id, USER, 'direct', 'member', '2026-03-31T08:00:00Z' FROM saas.organizations WHERE account_id = A", 'organization_members'],
    ['becomes the owner', "INSERT INTO saas.account_members (account_id, user_id, role, joined_at) VALUES (A, USER, 'owner', '2026-03-31T08:00:00Z')", 'account_members'])
{
    my ($what, $statement, $table) = @$_;
    my $db = Lapse::database();
    my $f = Fixture->new($db);
    my $account = $f->case("L3 whose holder $what meanwhile keeps the license", { users => [{}], organizations => [{}], licenses => [{}] }, {});
    $f->load;
    my $user = $account * 100 + 1;
    $statement =~ s/USER/$user/; $statement =~ s/\bA\b/$account/;
    my $r = Fixture::against($db, "UPDATE saas.licenses SET source = source WHERE account_id = $account; $statement", '--set', 'rules.release_unused_seats_after=30 d', 'run', $job, '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $db->dir . '/out');
    is "$r->{status} $r->{user}", '0 0', "L3 whose holder $what meanwhile: both end well" or diag $r->{stderr};
    is_deeply [$db->one('SELECT count(*) FROM saas.licenses WHERE revoked_at IS NULL'), $db->one('SELECT count(*) FROM lapse.changes'), $db->one("SELECT count(*) FROM saas.$table")], [1, 0, 1], "L3 whose holder $what meanwhile keeps the license";
}
done_testing;
