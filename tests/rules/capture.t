# Rules V1 to V4: who signs up in a captured domain gets a license, while seats last; who was there
# before is listed as unmanaged.
use strict;
use warnings;
use Test::More;
use JSON::PP ();
use Lapse;
use Fixture;

my ($job, $report) = ('capture-domain-users', 'unmanaged-users-report');
my $db = Lapse::database();
my $f = Fixture->new($db);
my $on = at('-60 d');
my @free = (plan => 'essentials', seats => -1, channel => 'none', period_months => undef);
my @trial = (kind => 'trial', plan => 'trial', status => 'trialing', channel => 'none', seats => 50, started_at => at('-1 d'), trial_ends_at => undef);
my @once = (granted_at => at('-50 d'), revoked_at => at('-40 d'), revoke_reason => 'removed_by_admin');

# One account with a captured domain, its people and what becomes of each: captured, blocked,
# unmanaged, or nothing (undef). People come with what is not as usual: signed up ten days ago, an
# address in the domain. `members`: what becomes of the memberships of those captured, where it is not
# a new one: n => 'stays', or the columns written into the nth row of account_members.
sub people {
    my ($name, $people, %more) = @_;
    my $account = $f->{next};
    my (@users, @captured, @told, @unmanaged);
    for my $n (1 .. @$people) {
        my ($user, $outcome) = @{ $people->[$n - 1] };
        $user = { email => "p$n\@d1.a$account.example", signed_up_at => at('-10 d'), %$user };
        push @users, $user;
        my %line = (Domain => $more{shown} // "d1.a$account.example", Email => defined $user->{email} && $user->{email} =~ /^\@/ ? "'$user->{email}" : $user->{email}, 'Signed Up' => shown($user->{signed_up_at}));
        push @captured, [$n, $user->{signed_up_at}] if ($outcome // '') eq 'captured';
        push @told, { %line, Outcome => $outcome eq 'captured' ? $outcome : 'blocked_no_seat' } if ($outcome // '') =~ /^(?:captured|blocked)$/;
        push @unmanaged, { %line, Name => 'Somebody' } if ($outcome // '') eq 'unmanaged';
    }
    my %written = (-reason => 'captured', -at => at(), -job => $job);
    my (%expected, %update);
    my @licenses = map { { user_id => $account * 100 + $_->[0], source => 'capture', granted_at => at(), %written } } sort { $a->[1] cmp $b->[1] || $a->[0] <=> $b->[0] } @captured;
    my @members = map { { user_id => $account * 100 + $_->[0], role => 'member', joined_at => at(), %written } } grep { !exists $more{members}{ $_->[0] } } @captured;
    for my $n (grep { ref $more{members}{$_} } keys %{ $more{members} || {} }) {
        my ($row) = grep { $more{given}{account_members}[$_ - 1]{user_id} == $n } 1 .. @{ $more{given}{account_members} };
        $update{$row} = { %{ $more{members}{$n} }, %written };
    }
    $expected{licenses}{new} = \@licenses if @licenses;
    $expected{account_members} = { %update, @members ? (new => \@members) : () } if @members || %update;
    return $f->case($name, { subscriptions => $more{subscriptions} // [{ plan => 'enterprise', seats => $more{seats} // 100 }], users => \@users,
            domains => $more{domains} // [{ capture_enabled_at => $on, %{ $more{domain} || {} } }], %{ $more{given} || {} } },
        \%expected, report => { $job => \@told, $report => \@unmanaged });
}
sub one { my ($name, $user, $outcome, @more) = @_; return people($name, [[$user, $outcome]], @more) }
sub address { my ($format) = @_; return sprintf $format, "d1.a$f->{next}.example" }

# ---- V1: who signed up when ----
one('V1 signed up at the instant capture was enabled: captured', { signed_up_at => $on }, 'captured');
one('V1, V3 signed up an instant before: unmanaged', { signed_up_at => at('-60 d', '-1 us') }, 'unmanaged');
one('V3 signed up a second before: unmanaged', { signed_up_at => at('-60 d', '-1 s') }, 'unmanaged');
one('V1 signed up an instant after', { signed_up_at => at('-60 d', '1 us') }, 'captured');
one('V1 signed up at the as-of: captured', { signed_up_at => at() }, 'captured');
one('V1 signs up an instant after the as-of: nobody yet', { signed_up_at => at('1 us') }, undef);
one('V1 deleted an instant before the as-of', { deleted_at => at('-1 us') }, undef);
one('V1 deleted at the as-of', { deleted_at => at() }, undef);
one('V1 deleted an instant after the as-of: captured', { deleted_at => at('1 us') }, 'captured');
one('V1 deleted long before capture', { signed_up_at => at('-90 d'), deleted_at => at('-80 d') }, undef);

# ---- V1: exactly that domain ----
one('V1 the address in other letters: captured', { email => address('Mia.QUAY@%s') =~ s/\@d1\.a/\@D1.A/r =~ s/example$/EXAMPLE/r }, 'captured');
{
    my $n = $f->{next};
    one('V1 the domain in other letters: captured', { email => "mia\@mixed$n.example" }, 'captured', domain => { domain => "MiXed$n.Example" }, shown => "MiXed$n.Example");
}
one('V1 a subdomain is another domain', { email => address('leo@docks.%s') }, undef);
one('V1 the domain above is another one', { email => 'leo@a' . $f->{next} . '.example' }, undef);
one('V1 a domain that ends alike is another one', { email => address('leo@x%s') }, undef);
one('V1 a domain that begins alike is another one', { email => address('leo@%s.org') }, undef);
one('V1 a dot behind it is another one', { email => address('leo@%s.') }, undef);
one('V1 a blank behind it is another one', { email => address('leo@%s ') }, undef);
one('V1 the name before the @ is not the domain', { email => address('%s@freemail.example') }, undef);
one('V1 the text after the last of two @ is: captured', { email => address('"a@b"@%s') }, 'captured');
one('V1 a domain before the last @ is not', { email => address('x@%s@freemail.example') }, undef);
one('V1 the domain alone, without an @, is no address in it', { email => address('%s') }, undef);
one('V1 nothing before the @: captured', { email => address('@%s') }, 'captured');
one('V1 without an address: nobody', { email => undef }, undef);
one('V1 an empty address: nobody', { email => '' }, undef);
{
    my ($n, $odd) = ($f->{next}, 'bücher_%.' . 'x' x 280);
    one('V1 a domain of 300 characters, with signs that mean something to LIKE and to a pattern', { email => "a\@$odd.$n.example" }, 'captured', domain => { domain => "$odd.$n.example" }, shown => "$odd.$n.example");
    $n = $f->{next};
    one('V1 a sign that means something to LIKE is only itself', { email => "a\@axb.$n.example" }, undef, domain => { domain => "a_b.$n.example" });
}

# ---- V1: never held a license there ----
one("V1 held one there: $_->[0]", {}, $_->[2], given => { licenses => [{ @{ $_->[1] } }] }) for
    ['live', [granted_at => at('-50 d')], undef], ['revoked: the removal stands', [@once], 'unmanaged'], ['revoked at the as-of', [granted_at => at('-50 d'), revoked_at => at()], 'unmanaged'],
    ['revoked an instant after the as-of', [granted_at => at('-50 d'), revoked_at => at('1 us')], undef], ['granted at the as-of', [granted_at => at()], undef],
    ['granted an instant after the as-of', [granted_at => at('1 us')], 'unmanaged'], ['captured once and removed', [source => 'capture', @once], 'unmanaged'],
    ['from an invitation, revoked', [source => 'invitation', @once], 'unmanaged'];
{
    my $other = $f->case('V1 (another account, where the same people hold licenses)', { users => [{}, {}], licenses => [{}, { user_id => 2, @once }] }, {});
    my $n = $f->{next};
    $_->{email} = "p" . ($_->{user_id} % 100) . "\@d1.a$n.example" for @{ $f->{cases}[-1]{rows}{users} };
    # The people are the other account's rows; this one has only the domain.
    my @all = map { $other * 100 + $_ } 1, 2;
    $f->case('V1 a license in another account does not count: captured', { subscriptions => [{ plan => 'enterprise' }], domains => [{ capture_enabled_at => '2019-01-01T00:00:00+00:00' }] },
        { licenses => { new => [map { { user_id => $_, source => 'capture', granted_at => at() } } @all] }, account_members => { new => [map { { user_id => $_, role => 'member', joined_at => at() } } @all] } },
        report => { $job => [map { { Email => "p$_\@d1.a$n.example", Outcome => 'captured' } } 1, 2] });
}

# ---- V1: the capture itself ----
one("V1 verified $_->[0]", {}, $_->[2], domain => { verified_at => $_->[1] }) for
    ['at the as-of', at(), 'captured'], ['an instant after the as-of: not yet', at('1 us'), undef], ['never', undef, undef];
one('V1 verified after the sign-up: captured all the same', {}, 'captured', domain => { verified_at => at('-1 d') });
one('V1 enabled at the as-of: who signs up then is captured', { signed_up_at => at() }, 'captured', domain => { capture_enabled_at => at() });
one('V1 enabled an instant after the as-of: not yet', { signed_up_at => at() }, 'unmanaged', domain => { capture_enabled_at => at('1 us') });
one('V3 capture is off: unmanaged', {}, 'unmanaged', domain => { capture_enabled_at => undef });
one('V3 capture is off, a live license: managed', {}, undef, domain => { capture_enabled_at => undef }, given => { licenses => [{}] });
one('V3 capture is off, a live invitation is no license: unmanaged', {}, 'unmanaged', domain => { capture_enabled_at => undef },
    given => { organizations => [{}], invitations => [{ email => address('p1@%s'), organization_id => 1, sent_at => at('-1 d') }] });
one('V3 locked, capture off: unmanaged', {}, 'unmanaged', domain => { capture_enabled_at => undef, lock_enabled_at => at('-9 d') });
one("D7 suspended $_->[0]", {}, $_->[2], domain => { suspended_at => $_->[1] }) for
    ['at the as-of: captures nobody', at(), 'unmanaged'], ['long ago: captures nobody', at('-20 d'), 'unmanaged'], ['an instant after the as-of: still captures', at('1 us'), 'captured'];

# ---- V4: the plan in force ----
one("V4 $_->[0]", {}, $_->[2], subscriptions => $_->[1]) for
    ['Pro has no Enterprise controls', [{ plan => 'pro' }], 'unmanaged'], ['Essentials has none', [{ @free }], 'unmanaged'],
    ['Enterprise, past due: in force', [{ plan => 'enterprise', status => 'past_due' }], 'captured'],
    ['Enterprise whose period is over and that was not downgraded yet: in force', [{ plan => 'enterprise', period_end => at('-5 d') }], 'captured'],
    ['Enterprise that has ended: Essentials is in force', [{ plan => 'enterprise', status => 'ended', ended_at => at('-5 d'), end_reason => 'expired_without_renewal' }, { @free }], 'unmanaged'],
    ['a live trial over Pro: in force', [{ plan => 'pro' }, { @trial }], 'captured'],
    ['a trial that has ended over Pro', [{ plan => 'pro' }, { @trial, status => 'ended', started_at => at('-20 d'), ended_at => at('-6 d'), end_reason => 'trial_ended' }], 'unmanaged'],
    ['no live base: no plan in force', [{ plan => 'enterprise', status => 'ended', ended_at => at('-5 d') }], 'unmanaged'],
    ['two live bases: nobody can say which', [{ plan => 'enterprise' }, { plan => 'enterprise' }], 'unmanaged'],
    ['two live trials over Pro: nobody can say which', [{ plan => 'pro' }, { @trial }, { @trial }], 'unmanaged'];

# ---- V2: while seats last ----
my ($late, $later) = map { { signed_up_at => at($_) } } '-3 d', '-2 d';
sub seats { my ($name, $purchased, $used, $people, %more) = @_;
    my $n = @$people;
    return people($name, [@$people, map { [{ email => "seat$_.a$f->{next}\@x.example" }, undef] } 1 .. $used], seats => $purchased, %more,
        given => { %{ $more{given} || {} }, licenses => [map { { user_id => $n + $_ } } 1 .. $used] }) }
seats('V2 first come, first served: not by id', 3, 1, [[$later, 'blocked'], [{}, 'captured'], [$late, 'captured']]);
seats('V2 at the same instant the lower id', 2, 1, [[$later, 'blocked'], [$late, 'captured'], [$late, 'blocked']]);
seats('V2 an instant earlier is earlier', 2, 1, [[{ signed_up_at => at('-3 d') }, 'blocked'], [{ signed_up_at => at('-3 d', '-1 us') }, 'captured']]);
seats('V2 exactly as many seats', 3, 1, [[{}, 'captured'], [{}, 'captured']]);
seats('V2 none left', 2, 2, [[{}, 'blocked'], [{}, 'blocked']]);
seats('V2 over already', 1, 3, [[{}, 'blocked']]);
seats('V2 no seats bought', 0, 0, [[{}, 'blocked']]);
seats('V2, P3 unlimited seats', -1, 3, [[{}, 'captured'], [$late, 'captured'], [$later, 'captured']]);
one('V2 nobody can say how many were bought: none is free', {}, 'blocked', subscriptions => [{ plan => 'enterprise', seats => undef }]);
seats('V2, T2 a trial has 50 seats, whatever the base has', 3, 49, [[$late, 'captured'], [$later, 'blocked']], subscriptions => [{ plan => 'pro', seats => 3 }, { @trial }]);
seats('V2, T2 ... and 50 seats are all', 100, 50, [[$late, 'blocked']], subscriptions => [{ plan => 'enterprise', seats => 100 }, { @trial }]);
people('L2 who was captured before holds a seat', [[{ signed_up_at => at('-50 d') }, undef], [{}, 'captured'], [$late, 'blocked']], seats => 2, given => { licenses => [{ source => 'capture' }] });
people("L2 a license $_->[0]", [[{}, $_->[2]], [{ email => "other.a$f->{next}\@x.example" }, undef]], seats => 1, given => { licenses => [{ user_id => 2, @{ $_->[1] } }] }) for
    ['revoked at the as-of holds no seat', [revoked_at => at()], 'captured'], ['revoked an instant later holds one', [revoked_at => at('1 us')], 'blocked'],
    ['granted at the as-of holds one', [granted_at => at()], 'blocked'],
    ['granted since by somebody who was faster is not given away', [granted_at => at('1 us')], 'blocked'], ['granted since and revoked holds none', [granted_at => at('1 us'), revoked_at => at('2 us')], 'captured'];
people('L1 two licenses of one person are one seat', [[{}, 'captured'], [{ email => "other.a$f->{next}\@x.example" }, undef]], seats => 2, given => { licenses => [{ user_id => 2 }, { user_id => 2 }] });
people('L1 the license of someone deleted holds a seat', [[{}, 'blocked'], [{ email => "other.a$f->{next}\@x.example", deleted_at => at('-9 d') }, undef]], seats => 1, given => { licenses => [{ user_id => 2 }] });

# ---- V1, V2: invitations ----
sub invitation { my ($n, %more) = @_; return (organizations => [{}], invitations => [{ email => address("p$n\@%s"), organization_id => 1, sent_at => at('-5 d'), %more }]) }
people('V1 a live invitation is a seat: captured though none is free', [[{}, 'captured'], [$late, 'blocked']], seats => 1, given => { invitation(1) });
people('V1 ... and it takes nobody\'s free one', [[$late, 'captured'], [{}, 'captured'], [$later, 'blocked']], seats => 2, given => { invitation(1) });
people('V1 ... captured over the limit as well', [[{}, 'captured'], [{ email => "o1.a$f->{next}\@x.example" }, undef], [{ email => "o2.a$f->{next}\@x.example" }, undef]], seats => 1, given => { invitation(1), licenses => [{ user_id => 2 }, { user_id => 3 }] });
people('V1 the invitation in other letters is theirs', [[{}, 'captured']], seats => 1, given => { invitation(1, email => uc address('p1@%s')) });
people('V1 an invitation to a team is one too', [[{}, 'captured']], seats => 1, given => { teams => [{}], invitations => [{ email => address('p1@%s'), team_id => 1, sent_at => at('-5 d') }] });
people('V1 invited twice, one seat', [[{}, 'captured'], [$late, 'captured']], seats => 2, given => { organizations => [{}], invitations => [map { { email => address('p1@%s'), organization_id => 1, sent_at => at('-5 d') } } 1, 2] });
people("I3 an invitation $_->[0]", [[$late, $_->[2]], [{}, 'captured']], seats => 1, given => { invitation(1, @{ $_->[1] }) }) for
    ['that lapses at the as-of holds no seat, marked or not', [sent_at => at('-720 h')], 'blocked'], ['that lapsed by its own date holds none', [expires_at => at()], 'blocked'],
    ['revoked holds none', [status => 'revoked', closed_at => at('-1 d')], 'blocked'], ['accepted holds none', [status => 'accepted', closed_at => at('-1 d')], 'blocked'];
people("I2 an invitation $_->[0]", [[$late, 'captured'], [{}, 'blocked']], seats => 1, given => { invitation(1, @{ $_->[1] }) }) for
    ['that lapses an instant after the as-of holds one', [sent_at => at('-720 h', '1 us')]], ['sent at the as-of holds one', [sent_at => at()]],
    ['revoked an instant after the as-of holds one', [status => 'revoked', closed_at => at('1 us')]];
people('I2 an invitation sent since by somebody who was faster: its seat is not given away', [[$late, 'blocked'], [{}, 'blocked']], seats => 1, given => { invitation(1, sent_at => at('1 us')) });
people('I2 of somebody else: no seat is left', [[{}, 'blocked']], seats => 1, given => { organizations => [{}], invitations => [{ email => "guest.a$f->{next}\@x.example", organization_id => 1, sent_at => at('-5 d') }] });

# ---- the membership ----
sub joins { my ($name, $row, $becomes) = @_; return people($name, [[{}, 'captured']], given => { account_members => [{ user_id => 1, %$row }] }, members => { 1 => $becomes }) }
joins("V1 a live membership stays as it is: $_", { role => $_ }, 'stays') for qw(owner co_owner billing member);
joins('V1 one that ends an instant after the as-of is live', { role => 'billing', left_at => at('1 us') }, 'stays');
my %anew = (role => 'member', joined_at => at(), left_at => undef);
joins('V1 one that ended at the as-of begins anew', { role => 'billing', left_at => at() }, \%anew);
joins('V1 one that ended long ago begins anew', { role => 'co_owner', left_at => at('-30 d') }, \%anew);

# ---- V2: two captures of one domain ----
sub shared {
    my ($name, $user, $winner, @accounts) = @_; # each: [subscriptions, columns of the domain, more given, what becomes of the user]
    my ($first, $email, @ids) = ($f->{next}, "p\@shared$f->{next}.example");
    for my $k (0 .. $#accounts) {
        my ($subscriptions, $domain, $given, $becomes) = @{ $accounts[$k] };
        my $user_id = $first * 100 + 1;
        my %line = (Domain => "shared$first.example", Email => $email);
        $f->case("$name" . ($k ? ' (the other)' : ''), { subscriptions => $subscriptions, domains => [{ domain => "shared$first.example", capture_enabled_at => $on, %$domain }],
                $k ? () : (users => [{ email => $email, signed_up_at => at('-10 d'), %$user }]), %{ $given || {} } },
            $becomes eq 'captured' ? { licenses => { new => [{ user_id => $user_id, source => 'capture', granted_at => at() }] },
                account_members => { new => [{ user_id => $user_id, role => 'member', joined_at => at() }] } } : {},
            report => { $job => $becomes =~ /captured|blocked/ ? [{ %line, Outcome => $becomes eq 'captured' ? $becomes : 'blocked_no_seat' }] : [], $report => $becomes eq 'unmanaged' ? [\%line] : [] });
    }
}
my $enterprise = [{ plan => 'enterprise' }];
shared('V2 the earlier capture has it', {}, 2, [$enterprise, { capture_enabled_at => at('-59 d') }, undef, 'unmanaged'], [$enterprise, {}, undef, 'captured']);
shared('V2 an instant earlier is earlier', {}, 2, [$enterprise, { capture_enabled_at => at('-60 d', '1 us') }, undef, 'unmanaged'], [$enterprise, {}, undef, 'captured']);
shared('V2 at the same instant the lower account', {}, 1, [$enterprise, {}, undef, 'captured'], [$enterprise, {}, undef, 'unmanaged']);
shared('V2 a capture that is not verified does not compete', {}, 2, [$enterprise, { verified_at => undef, capture_enabled_at => at('-90 d') }, undef, 'nothing'], [$enterprise, {}, undef, 'captured']);
shared('V2 one that is suspended does not', {}, 2, [$enterprise, { suspended_at => at('-1 d'), capture_enabled_at => at('-90 d') }, undef, 'unmanaged'], [$enterprise, {}, undef, 'captured']);
shared('V2 one on Pro does not', {}, 2, [[{ plan => 'pro' }], { capture_enabled_at => at('-90 d') }, undef, 'unmanaged'], [$enterprise, {}, undef, 'captured']);
shared("V2 a domain of an account with $_->[0] does not pass to another", {}, 0, [$_->[1], { capture_enabled_at => at('-90 d') }, undef, 'unmanaged'], [$enterprise, {}, undef, 'unmanaged'])
    for ['two live bases', [({ plan => 'enterprise' }) x 2]], ['an Enterprise and a Pro base', [{ plan => 'pro' }, { plan => 'enterprise' }]], ['two live trials', [{ plan => 'pro' }, ({@trial}) x 2]];
shared('V2 one with two live bases, none with Enterprise controls, does not compete', {}, 2, [[({ plan => 'pro' }) x 2], { capture_enabled_at => at('-90 d') }, undef, 'unmanaged'], [$enterprise, {}, undef, 'captured']);
shared('V2 one to be enabled does not', {}, 2, [$enterprise, { capture_enabled_at => at('1 us') }, undef, 'unmanaged'], [$enterprise, {}, undef, 'captured']);
shared('V2 one that is off does not', {}, 2, [$enterprise, { capture_enabled_at => undef }, undef, 'unmanaged'], [$enterprise, {}, undef, 'captured']);
shared('V2 without a free seat there it does not pass to the other', {}, 1, [[{ plan => 'enterprise', seats => 0 }], {}, undef, 'blocked'], [$enterprise, {}, undef, 'unmanaged']);
shared('V2 removed there, it does not pass to the other', {}, 1, [$enterprise, {}, { licenses => [{ @once }] }, 'unmanaged'], [$enterprise, {}, undef, 'unmanaged']);
shared('V2 signed up before the earlier capture: neither', { signed_up_at => at('-61 d') }, 0, [$enterprise, {}, undef, 'unmanaged'], [$enterprise, { capture_enabled_at => at('-50 d') }, undef, 'unmanaged']);
shared('V2 whatever letters it is written in', {}, 1, [$enterprise, {}, undef, 'captured'], [$enterprise, { domain => 'SHARED' . $f->{next} . '.EXAMPLE' }, undef, 'nothing']);
$f->{cases}[-1]{report}{$report} = [{ Domain => $f->{cases}[-1]{rows}{domains}[0]{domain} }];

# ---- several domains of one account; one twice ----
{
    my $n = $f->{next};
    people('V2 first come over all domains of the account', [[{ email => "p1\@d1.a$n.example", signed_up_at => at('-3 d') }, 'blocked'], [{ email => "p2\@d2.a$n.example", signed_up_at => at('-4 d') }, 'captured']],
        seats => 1, domains => [map { { domain => "d$_.a$n.example", capture_enabled_at => $on } } 1, 2]);
    $f->{cases}[-1]{report}{$job} = [{ Domain => "d1.a$n.example", Outcome => 'blocked_no_seat' }, { Domain => "d2.a$n.example", Outcome => 'captured' }];
    $n = $f->{next};
    people('V1 a domain that stands there twice in other letters captures once, from the earlier on', [[{ signed_up_at => at('-70 d') }, 'captured'], [{ signed_up_at => at('-90 d') }, 'unmanaged']],
        domains => [{ domain => "d1.a$n.example", capture_enabled_at => $on }, { domain => "D1.A$n.example", capture_enabled_at => at('-80 d') }], shown => "D1.A$n.example");
}

# ---- held ----
my $held = people('V1 an account that is held is left alone; who would be captured is unmanaged', [[{}, 'unmanaged']]);
my $kept = $f->{next};
shared('V2 a domain of an account that is held does not pass to another', {}, 0, [$enterprise, {}, undef, 'unmanaged'], [$enterprise, { capture_enabled_at => at('-50 d') }, undef, 'unmanaged']);

$f->load;
$db->sql("INSERT INTO lapse.holds (account_id, reason, held_at) SELECT a, 'test', '2026-03-01' FROM unnest('{$held,$kept}'::bigint[]) a");
my $out = $db->dir . '/out';
my $before = $db->lapse('run', $job, '--as-of', $Fixture::as_of, '--dry-run', '--json', '--format', 'csv', '--out', $db->dir . '/dry');
my $r = $db->lapse_env({ TZ => 'Europe/Berlin', PGTZ => 'Europe/Berlin' }, 'run', $job, $report, '--json', '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $out);
is $r->{status}, 83, 'the accounts of which nobody can tell the plan are set aside, the others proceed' or diag $r->{stderr};
like $r->{stderr}, qr/account \d+ was set aside: 2 live (base subscriptions|trials) \(and 5 more\)/, '... and it says so';
my $set = "$out/$Fixture::as_of";
$f->check($set, $job, $report);

# ---- the dry run, the counts, the files, a second run ----
my $json = JSON::PP->new;
sub said { my ($r, $job) = @_; return (grep { ($_->{job} // '') eq $job && exists $_->{result} } map { $json->decode($_) } split /\n/, $r->{stdout})[0] }
{
    is Lapse::slurp($db->dir . "/dry/$Fixture::as_of/$job.csv"), Lapse::slurp("$set/$job.csv"), 'the dry run\'s report is the run\'s';
    my ($dry, $ran) = map { said($_, $job) } $before, $r;
    is_deeply [@$dry{qw(looked_at changed skipped rows)}], [@$ran{qw(looked_at changed skipped rows)}], 'the dry run counts what the run counts';
    my %n;
    $n{ $_->[5] }++ for Lapse::csv("$set/$job.csv");
    is $ran->{looked_at}, $n{captured} + $n{blocked_no_seat}, 'looked at are those captured and those who wait';
    is $ran->{skipped}, $n{blocked_no_seat}, 'skipped are those who wait';
    my $sums = Lapse::slurp("$set/SHA256SUMS");
    my $again = $db->lapse('run', $job, $report, '--json', '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $out);
    my $twice = said($again, $job);
    is_deeply [@$twice{qw(looked_at changed skipped)}], [$n{blocked_no_seat}, 0, $n{blocked_no_seat}], 'a second run captures nobody, and sees those who wait';
    is Lapse::slurp("$set/SHA256SUMS"), $sums, '... and publishes the same bytes';
    my ($other) = map { $_->{account} } grep { $_->{name} eq 'V2 without a free seat there it does not pass to the other (the other)' } @{ $f->{cases} };
    my $alone = $db->lapse('run', $job, '--account', $other, '--json', '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $db->dir . '/alone');
    is_deeply [@{ said($alone, $job) }{qw(looked_at changed)}], [0, 0], 'V2 asked for alone, the later account captures nobody either: the domain is another\'s';
}

# ---- capture_existing; one set of people night by night; a CSV per domain ----
{
    my $db = Lapse::database();
    $f = Fixture->new($db);
    one('V3 with capture_existing who was there before is captured', { signed_up_at => at('-900 d') }, 'captured');
    one('V3 ... a second before capture', { signed_up_at => at('-60 d', '-1 s') }, 'captured');
    one('V3 ... but not who signs up after the as-of', { signed_up_at => at('1 us') }, undef);
    one('V3 ... nor who was removed', { signed_up_at => at('-900 d') }, 'unmanaged', given => { licenses => [{ @once }] });
    one('V3 ... nor who is deleted', { signed_up_at => at('-900 d'), deleted_at => at() }, undef);
    people('V3 ... first come over all of them', [[{}, 'blocked'], [{ signed_up_at => at('-900 d') }, 'captured']], seats => 1);
    one("V3 ... enabled $_->[0]", { signed_up_at => at('-900 d') }, $_->[2], domain => { capture_enabled_at => $_->[1] }) for ['at the as-of', at(), 'captured'], ['an instant after the as-of: not yet', at('1 us'), 'unmanaged'];
    one('V3 ... and not while capture is off', {}, 'unmanaged', domain => { capture_enabled_at => undef });
    $f->load;
    my $r = $db->lapse('--set', 'rules.capture_existing=yes', 'run', $job, $report, '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $out = $db->dir . '/out');
    is $r->{status}, 0, 'the run ends well' or diag $r->{stderr};
    $f->check("$out/$Fixture::as_of", $job, $report);
}
{
    my $db = Lapse::database();
    $db->sql(<<~'SQL');
        SET timezone = 'UTC';
        INSERT INTO saas.accounts (account_id, name, created_at) VALUES (1, 'Ten left', '2024-01-01');
        INSERT INTO saas.subscriptions (account_id, kind, plan, channel, status, seats, started_at) VALUES (1, 'base', 'enterprise', 'sales', 'active', 15, '2024-01-01');
        INSERT INTO saas.domains (account_id, domain, method, verified_at, capture_enabled_at) VALUES (1, 'ten.example', 'unique_txt', '2024-01-01', '2025-01-01');
        INSERT INTO saas.users (user_id, email, name, signed_up_at) SELECT n, 'staff' || n || '@ten.example', 'S', '2024-02-01' FROM generate_series(1, 5) n;
        INSERT INTO saas.licenses (account_id, user_id, source, granted_at) SELECT 1, n, 'manual', '2024-02-01' FROM generate_series(1, 5) n;
        -- 25 sign-ups, the ids against the order they came in
        INSERT INTO saas.users (user_id, email, name, signed_up_at) SELECT 200 - n, 'new' || n || '@ten.example', 'N', '2026-03-01'::timestamptz + n * interval '1 min' FROM generate_series(1, 25) n;
        SQL
    my $night = sub {
        my ($as_of) = @_;
        my $r = $db->lapse('run', $job, '--json', '--as-of', $as_of, '--format', 'csv', '--out', $db->dir . '/out');
        is $r->{status}, 0, "$as_of ends well" or diag $r->{stderr};
        my (undef, @rows) = Lapse::csv($db->dir . "/out/$as_of/$job.csv");
        my %by;
        push @{ $by{ $_->[5] } }, $_->[3] =~ /^new(\d+)/ for @rows;
        return [map { join ' ', sort { $a <=> $b } @{ $by{$_} || [] } } qw(captured blocked_no_seat)];
    };
    is_deeply $night->('2026-03-29'), [join(' ', 1 .. 10), join(' ', 11 .. 25)], 'V2 ten seats left, 25 sign-ups: the first ten are captured, 15 wait';
    is $db->one("SELECT count(*) FROM saas.licenses WHERE source = 'capture'"), 10, '... and no seat more is given';
    is_deeply $night->('2026-03-30'), ['', join(' ', 11 .. 25)], 'V2 the next night they are reported again';
    $db->sql("UPDATE saas.licenses SET revoked_at = '2026-03-30 12:00+00', revoke_reason = 'removed_by_admin' WHERE user_id IN (1, 2, 199)");
    is_deeply $night->('2026-03-31'), [join(' ', 11 .. 13), join(' ', 14 .. 25)], 'V2 three seats fall free: exactly the next three';
    is $db->one("SELECT count(*) FROM saas.licenses WHERE revoked_at IS NULL"), 15, '... and the removed one is not captured again';
    is_deeply $night->('2026-03-31'), [join(' ', 11 .. 13), join(' ', 14 .. 25)], 'a second run that day captures nobody and reports the same';
}
{
    my $db = Lapse::database();
    my $long = 'l' x 290 . '.example';
    $db->sql(<<~"SQL");
        SET timezone = 'UTC';
        INSERT INTO saas.accounts (account_id, name, created_at) SELECT n, 'A' || n, '2024-01-01' FROM generate_series(1, 4) n;
        INSERT INTO saas.subscriptions (account_id, kind, plan, channel, status, seats, started_at) SELECT n, 'base', 'pro', 'sales', 'active', 15, '2024-01-01' FROM generate_series(1, 4) n;
        INSERT INTO saas.domains (account_id, domain, method, verified_at)
        SELECT v.a, v.d, 'unique_txt', v.t::timestamptz FROM (VALUES (1, 'one.example', '2024-01-01'), (1, 'Both.example', '2024-01-01'), (2, 'both.example', '2026-03-31'), (3, 'both.example', '2026-03-31 00:00:01'), (3, '$long', '2024-01-01'),
          (3, '../../etc/=x y', '2024-01-01'), (4, 'both.example-2', '2024-01-01'), (4, '.hidden', '2024-01-01'), (4, '${long}2', '2024-01-01'), (4, 'nobody.example', '2024-01-01')) v (a, d, t);
        INSERT INTO saas.users (user_id, email, name, signed_up_at)
        SELECT row_number() OVER (), p || '\@' || lower(d), 'N', '2025-01-01' FROM (SELECT DISTINCT lower(domain) AS d FROM saas.domains WHERE domain <> 'nobody.example') d, unnest('{a,b}'::text[]) p;
        SQL
    my $r = $db->lapse('run', $report, '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $db->dir . '/out');
    is $r->{status}, 0, 'V3 whatever the domains are called, the report is made' or diag $r->{stderr};
    my %rows = map { m{/$report(.*)\.csv$} ? ($1 => [map { "$_->[0] " . substr $_->[2], 0, 14 } (Lapse::csv($_))[1, 2]]) : () } glob $db->dir . "/out/$Fixture::as_of/*.csv";
    my $cut = 'l' x 128;
    is scalar(Lapse::csv($db->dir . "/out/$Fixture::as_of/$report.csv")), 1 + 16, '... with everybody in it, and who is in two accounts twice';
    delete $rows{''};
    is_deeply \%rows, { map { my ($name, $account, $domain) = @$_; ($name => [("$account " . substr $domain, 0, 14) x 2]) }
        ['-one.example', 1, 'one.example'], ['-both.example-1', 1, 'Both.example'], ['-2_both.example', 2, 'both.example'], ['-4_both.example-2', 4, 'both.example-2'],
        ["-$cut", 3, $long], ["-$cut-2", 4, $long], ['-3_.._.._etc__x_y', 3, '../../etc/=x y'], ['-_hidden', 4, '.hidden'] },
        '... one CSV for each domain: with the account where several have it, distinct and tame whatever it is called';
}

# ---- an address's domain is found by the index ----
{
    my $expand;
    $expand = sub { Lapse::slurp($_[0]) =~ s{^[ \t]*--include (\S+)[ \t]*$}{$expand->("$Lapse::top/sql/parts/$1.sql")}gmer };
    my %value = (as_of => "'2026-03-31'", accounts => 'NULL', job => "'$job'", run_id => "'0'", capture_existing => "'no'", from_account => "'0'", to_account => "'9'", batch_rows => "'10'");
    my $query = $expand->("$Lapse::top/sql/$job/cut.sql") =~ s{:'(\w+)'}{$value{$1}}ger;
    like join("\n", map { $_->[0] } $db->rows("SET enable_seqscan = off; EXPLAIN (COSTS OFF) $query")), qr/Index Cond: \(\(lower\("?substring"?\(/, 'the index over addresses\' domains is of the expression that the statements use';
}

# ---- it makes no sense ----
{
    my $db = Lapse::database();
    $f = Fixture->new($db);
    one('V1 captured before all time: nothing is decided on it', {}, 'unmanaged', domain => { capture_enabled_at => '-infinity' });
    $f->load;
    my $r = $db->lapse('run', $job, '--as-of', $Fixture::as_of, '--out', $db->dir . '/out');
    is $r->{status}, 80, 'a capture that begins at -infinity stops the run';
    like $r->{stderr}, qr/account 1: capture of d1\.a1\.example begins at -infinity, so nothing is changed/, '... and it says which';
    is $db->one('SELECT count(*) FROM saas.licenses'), 0, '... and changes nothing';
}

# ---- the user wins ----
# Each is faster: holds the membership that capture waits for, and commits.
for (['V1 an admin grants the same person a license and membership meanwhile: one license, the admin\'s',
        [[{}, undef]], [], "INSERT INTO saas.licenses (account_id, license_id, user_id, source, granted_at) VALUES (A, 1, A01, 'manual', '2026-03-31 00:00:05+00');
        INSERT INTO saas.account_members (account_id, user_id, role, joined_at) VALUES (A, A01, 'billing', '2026-03-31 00:00:05+00')",
        sub { my ($rows, $a) = @_; push @{ $rows->{licenses} }, { account_id => $a, license_id => 1, user_id => $a * 100 + 1, source => 'manual', granted_at => at('5 s'), revoked_at => undef, revoke_reason => undef };
            push @{ $rows->{account_members} }, { account_id => $a, user_id => $a * 100 + 1, role => 'billing', joined_at => at('5 s'), left_at => undef } }, 'unmanaged'],
    ['V2 an admin gives the last seat to somebody else meanwhile: nobody is captured',
        [[{}, 'blocked'], [{ email => 'else@x.example' }, undef]], [seats => 1, given => { account_members => [{ user_id => 1, left_at => at('-9 d') }] }],
        "UPDATE saas.account_members SET left_at = left_at WHERE account_id = A; INSERT INTO saas.licenses (account_id, license_id, user_id, source, granted_at) VALUES (A, 1, A02, 'manual', '2026-03-31 00:00:05+00')",
        sub { my ($rows, $a) = @_; push @{ $rows->{licenses} }, { account_id => $a, license_id => 1, user_id => $a * 100 + 2, source => 'manual', granted_at => at('5 s'), revoked_at => undef, revoke_reason => undef } }],
    ['V2 an admin invites somebody to the last seat meanwhile: nobody is captured',
        [[{}, 'blocked']], [seats => 1, given => { organizations => [{}], account_members => [{ user_id => 1, left_at => at('-9 d') }] }],
        "UPDATE saas.account_members SET left_at = left_at WHERE account_id = A; INSERT INTO saas.invitations (account_id, invitation_id, email, organization_id, role, status, sent_at) VALUES (A, 1, 'guest\@x.example', A01, 'member', 'pending', '2026-03-31 00:00:05+00')",
        sub { my ($rows, $a) = @_; push @{ $rows->{invitations} }, { account_id => $a, invitation_id => 1, email => 'guest@x.example', organization_id => $a * 100 + 1, team_id => undef, role => 'member', status => 'pending', invited_by => undef,
            sent_at => at('5 s'), send_count => 1, expires_at => undef, closed_at => undef } }],
    ['V1 an admin makes them co-owner meanwhile: captured, and co-owner',
        [[{}, 'captured']], [given => { account_members => [{ user_id => 1, left_at => at('-9 d') }] }, members => { 1 => 'stays' }],
        "UPDATE saas.account_members SET left_at = NULL, role = 'co_owner' WHERE account_id = A",
        sub { my ($rows) = @_; $rows->{account_members}[0]{$_->[0]} = $_->[1] for [left_at => undef], [role => 'co_owner'] }],
    ['V1 capture is turned off meanwhile: nobody is captured',
        [[{}, 'unmanaged']], [given => { account_members => [{ user_id => 1, left_at => at('-9 d') }] }],
        "UPDATE saas.account_members SET left_at = left_at WHERE account_id = A; UPDATE saas.domains SET capture_enabled_at = NULL WHERE account_id = A",
        sub { my ($rows) = @_; $rows->{domains}[0]{capture_enabled_at} = undef }])
{
    my ($name, $people, $more, $statement, $changed, $unmanaged) = @$_;
    my $db = Lapse::database();
    $f = Fixture->new($db);
    my $account = people($name, $people, @$more);
    $f->load;
    my $r = Fixture::against($db, $statement =~ s/\bA(\d\d)?\b/$account . ($1 \/\/ '')/ger, 'run', $job, '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $out = $db->dir . '/out');
    is "$r->{status} $r->{user}", '0 0', "$name (both end well)" or diag $r->{stderr};
    $changed->($f->{cases}[0]{rows}, $account);
    $f->check("$out/$Fixture::as_of", $job);
}
# ---- far apart: what the plan of one account leaves, another takes, and a dry run knows ----
{
    my $db = Lapse::database();
    $db->sql(<<~'SQL');
        SET timezone = 'UTC';
        INSERT INTO saas.accounts (account_id, name, created_at) SELECT n, 'Account ' || n, '2024-01-01' FROM generate_series(1, 4500) n;
        INSERT INTO saas.subscriptions (account_id, kind, plan, channel, status, seats, started_at, period_end)
            SELECT n, 'base', 'enterprise', 'sales', 'active', 10, '2024-01-01', CASE WHEN n = 1 THEN '2026-03-30' ELSE '2027-01-01' END::timestamptz FROM (VALUES (1), (4400)) a (n);
        INSERT INTO saas.subscriptions (account_id, kind, plan, channel, status, seats, started_at) SELECT n, 'base', 'essentials', 'none', 'active', -1, '2024-01-01' FROM generate_series(2, 4500) n WHERE n <> 4400;
        INSERT INTO saas.domains (account_id, domain, method, verified_at, capture_enabled_at) VALUES (1, 'far.example', 'unique_txt', '2024-01-01', '2025-01-01'), (4400, 'far.example', 'unique_txt', '2024-01-01', '2025-06-01');
        INSERT INTO saas.users (user_id, email, name, signed_up_at) VALUES (1, 'p@far.example', 'P', '2026-03-01');
        -- something to do in many accounts between, so that a plan is more than one range as well
        INSERT INTO saas.organizations (account_id, organization_id, name, status, created_at) SELECT n, n, 'O', 'active', '2024-01-01' FROM generate_series(2, 2500) n;
        INSERT INTO saas.invitations (account_id, invitation_id, email, organization_id, role, status, sent_at) SELECT n, n, 'i' || n || '@x.example', n, 'member', 'pending', '2026-01-01' FROM generate_series(2, 2500) n;
        SQL
    my @jobs = ('expire-invitations', 'downgrade-plans', $job, '--json', '--as-of', $Fixture::as_of);
    my @tried = map { $_->{changed} } map { said($_, 'downgrade-plans'), said($_, $job) } $db->lapse('run', @jobs, '--dry-run');
    my $file = $db->dir . '/far.plan';
    my $copy = Lapse::database(empty => 1);
    my @planned = map { $_->{changed} } map { said($_, 'downgrade-plans'), said($_, $job) } $db->lapse('plan', @jobs, '-o', $file);
    Lapse::Database::psql_checked('postgres', $_) for 'DROP DATABASE ' . $copy->name, 'CREATE DATABASE ' . $copy->name . ' TEMPLATE ' . $db->name;
    my $applied = $copy->lapse('--json', '--set', 'reports.dir=' . $copy->dir . '/out', 'apply', $file);
    my $r = $db->lapse('run', @jobs, '--format', 'csv', '--out', $db->dir . '/out');
    my @ran = map { $_->{changed} } map { said($_, 'downgrade-plans'), said($_, $job) } $r;
    is $ran[1], 2, 'V2 a domain whose owner lapses in the night passes to the next' or diag $r->{stderr};
    is_deeply \@tried, \@ran, '... as the dry run said';
    is_deeply \@planned, \@ran, '... and the plan';
    is $applied->{status}, 0, '... which is applied' or diag $applied->{stderr};
    is_deeply [map { said($applied, $_)->{changed} } 'downgrade-plans', $job], \@ran, '... as it stands';
}
done_testing;
