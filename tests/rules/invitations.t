# Rules I1 to I5: pending invitations expire 30 x 24 h after they were last sent.
use strict;
use warnings;
use Test::More;
use Lapse;
use Fixture;

my $db = Lapse::database();
my $f = Fixture->new($db);

# An account with one organization, one team, and the invitations given; those named expire.
sub invitations {
    my ($name, $invitations, %expired) = @_;
    $_->{organization_id} //= 1 for grep { !$_->{team_id} } @$invitations;
    return $f->case($name,
        { organizations => [{ name => 'Mill' }], teams => [{ name => 'Crew' }], users => [{}], invitations => $invitations },
        { invitations => { map { $_ => { status => 'expired', closed_at => $expired{$_}, -at => $expired{$_}, -job => 'expire-invitations' } } keys %expired } },
        report => { 'expire-invitations' => [map { { Target => $_->{team_id} ? 'team: Crew' : 'organization: Mill' } }
            map { $invitations->[$_ - 1] } sort keys %expired] });
}

my @thirty = (sent_at => at('-720 h'), expires_at => at());
invitations('I1 an instant before it expires, an invitation is pending', [{ sent_at => at('-720 h'), expires_at => at('1 us') }]);
invitations('I1 at the instant it expires, it is expired', [{ @thirty }], 1 => at());
invitations('I1 an instant after, it is expired as of its own instant', [{ sent_at => at('-720 h'), expires_at => at('-1 us') }], 1 => at('-1 us'));
invitations('I1 a team invitation an instant before', [{ team_id => 1, sent_at => at('-720 h'), expires_at => at('1 us') }]);
invitations('I1 a team invitation at its instant', [{ team_id => 1, @thirty }], 1 => at());
invitations('I1 without a written end, 720 hours after sending less an instant', [{ sent_at => at('-720 h', '1 us') }]);
invitations('I1 without a written end, 720 hours after sending', [{ sent_at => at('-720 h') }], 1 => at());
invitations('I1 without a written end, 720 hours and an instant after sending', [{ sent_at => at('-720 h', '-1 us') }], 1 => at('-1 us'));
invitations('I1 30 days are 720 hours over the clock change: Berlin calls it 30 days, 30 minutes are missing',
    [{ sent_at => at('2026-03-01 00:30') }]);
invitations('I1 720 hours over the clock change have passed', [{ sent_at => at('2026-03-01 00:00') }], 1 => at());
invitations('I1 resent long after the first time: a new 30 days', [{ sent_at => at('-1 h'), send_count => 3, expires_at => at('719 h') }]);
invitations('I1 resent, and the new 30 days are over too', [{ send_count => 2, @thirty }], 1 => at());
invitations('I1 a written end decides, not 720 hours: shorter', [{ sent_at => at('-1 d'), expires_at => at('-1 h') }], 1 => at('-1 h'));
invitations('I1 a written end decides, not 720 hours: longer', [{ sent_at => at('-2000 h'), expires_at => at('1 h') }]);
invitations('I1 an endless invitation never expires', [{ sent_at => at('-2000 d'), expires_at => 'infinity' }]);
invitations('I1 expiry before sending: the end decides', [{ sent_at => at('5 d'), expires_at => at('-1 d') }], 1 => at('-1 d'));
invitations('I1 sent after as-of, without an end', [{ sent_at => at('1 h') }]);
invitations('I1 without an address it expires like any other', [{ email => undef, @thirty }], 1 => at());
invitations('I1 one person invited five times: each by itself',
    [map { { email => 'five@x.example', sent_at => at("-$_ d") } } 31, 30, 29, 1, 90], 1 => at('-1 d'), 2 => at(), 5 => at('-60 d'));
invitations('I4 closed at the rule\'s instant, not the run\'s, months later', [{ sent_at => at('-200 d') }], 1 => at('-170 d'));
invitations("I5 $_ is not touched, though long overdue", [{ status => $_, sent_at => at('-100 d'), expires_at => at('-70 d'), closed_at => at('-80 d') }])
    for qw(accepted revoked expired);
invitations("I5 $_ is not touched, even without its instant", [{ status => $_, sent_at => at('-100 d') }]) for qw(accepted revoked expired);

# I2, I3 show in the seats that a lapse reports: licenses, plus people with a live invitation only.
sub seats {
    my ($name, $used, $given) = @_;
    $_->{organization_id} //= 1 for @{ $given->{invitations} || [] };
    my $due = delete $given->{expired} || {};
    $f->case($name,
        { organizations => [{ created_at => at() }], users => [{}, {}, {}],
            subscriptions => [{ plan => 'pro', seats => 2, period_end => at('-1 h') }], %$given },
        { subscriptions => { 1 => lapse_of(at('-1 h')), new => [essentials(at('-1 h'))] },
          plan_changes => { new => [plan_change('pro 2', 'essentials -1', 'expired_without_renewal', at('-1 h'), 'downgrade-plans')] },
          invitations => $due },
        report => { 'downgrade-plans' => [{ 'Seats Used' => $used, 'Over Limit' => 0 }] });
}
sub expired { my ($when) = @_; return { status => 'expired', closed_at => $when } }

seats('I2 a pending invitation holds a seat', 1, { invitations => [{ sent_at => at('-1 d'), expires_at => at('1 us') }] });
seats('I2 one sent at as-of holds a seat', 1, { invitations => [{ sent_at => at() }] });
seats('I2 one sent after as-of does not yet', 0, { invitations => [{ sent_at => at('1 us') }] });
seats('I2 an expired one does not', 0, { invitations => [{ status => 'expired', sent_at => at('-40 d'), closed_at => at('-10 d') }] });
seats('I2 one that expires in this very run does not', 0, { invitations => [{ @thirty }], expired => { 1 => expired(at()) } });
seats('I2 accepted and revoked ones do not', 0, { invitations => [map { { status => $_, sent_at => at('-2 d'), closed_at => at() } } qw(accepted revoked)] });
seats("I3 one that is $_ holds none, though nobody wrote when it was closed", 0, { invitations => [{ status => $_, sent_at => at('-2 d') }] }) for qw(accepted revoked expired);
seats('L1 one revoked after as-of still holds one', 1, { invitations => [{ status => 'revoked', sent_at => at('-2 d'), closed_at => at('1 us') }] });
seats('L1 a license and an invitation of one person, by lower-cased e-mail, are one seat', 1,
    { users => [{ email => 'Ann@x.example' }], licenses => [{}], invitations => [{ email => 'aNN@X.example', sent_at => at('-1 d') }] });
seats('L1 one person invited twice is one seat', 1, { invitations => [map { { email => $_, sent_at => at('-1 d') } } qw(bo@x.example BO@x.example)] });
seats('L1 two people invited and one licensed are three', 3,
    { licenses => [{}], invitations => [map { { email => "$_\@x.example", sent_at => at('-1 d') } } qw(a b)] });
seats('L1 two live licenses of one person are one seat', 1, { licenses => [{}, {}] });
seats('L1 a license granted at as-of counts, one granted after does not', 1,
    { licenses => [{ granted_at => at() }, { user_id => 2, granted_at => at('1 us') }] });
seats('L1 a license revoked at as-of does not count, one revoked after does', 1,
    { licenses => [{ revoked_at => at() }, { user_id => 2, revoked_at => at('1 us') }] });
seats('L1 a revoked license and a live invitation are one seat', 1,
    { users => [{ email => 'eve@x.example' }], licenses => [{ revoked_at => at('-1 d') }], invitations => [{ email => 'eve@x.example', sent_at => at('-1 d') }] });
seats('L1 a deleted user\'s live license counts', 1, { users => [{ deleted_at => at('-1 d') }], licenses => [{}] });

$f->load;
my $out = $db->dir . '/out';
my $r = $db->lapse_env({ TZ => 'Europe/Berlin', PGTZ => 'Europe/Berlin' }, 'run', 'expire-invitations', 'downgrade-plans',
    '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $out);
is $r->{status}, 0, 'the run ends well' or diag $r->{stderr};
$f->check("$out/$Fixture::as_of", 'expire-invitations', 'downgrade-plans');

# I3: where the expiry has not been run, the seat is free all the same.
{
    my $db = Lapse::database();
    my $f = Fixture->new($db);
    for (['an instant before it lapses, an invitation holds a seat', '1 us', 1], ['from the instant it lapses it does not, unmarked', '0 us', 0]) {
        my ($name, $end, $used) = @$_;
        $f->case("I3 $name",
            { organizations => [{ created_at => at() }], invitations => [{ organization_id => 1, sent_at => at('-30 d'), expires_at => at($end) }],
                subscriptions => [{ plan => 'pro', seats => 1, period_end => at() }] },
            { subscriptions => { 1 => lapse_of(at()), new => [essentials(at())] },
              plan_changes => { new => [plan_change('pro 1', 'essentials -1', 'expired_without_renewal', at(), 'downgrade-plans')] } },
            report => { 'downgrade-plans' => [{ 'Seats Used' => $used }] });
    }
    $f->load;
    $r = $db->lapse('run', 'downgrade-plans', '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $out = $db->dir . '/out');
    is $r->{status}, 0, 'I3 the run ends well' or diag $r->{stderr};
    $f->check("$out/$Fixture::as_of", 'downgrade-plans');
}

# The user wins: while the run waits for the row's lock, somebody resends the invitation.
{
    my $db = Lapse::database();
    my $f = Fixture->new($db);
    my $account = $f->case('I1 an invitation resent while the job runs is left alone',
        { organizations => [{}], invitations => [{ organization_id => 1, @thirty }, { organization_id => 1, @thirty }] },
        { invitations => { 2 => { status => 'expired', closed_at => at() } } });
    $f->load;
    my $r = Fixture::against($db, "UPDATE saas.invitations SET sent_at = '$Fixture::as_of', expires_at = '$Fixture::as_of'::timestamptz + interval '720 hours',
        send_count = 2 WHERE account_id = $account AND invitation_id = ${account}01",
        'run', 'expire-invitations', '--as-of', $Fixture::as_of, '--format', 'csv', '--out', my $out = $db->dir . '/out');
    is $r->{status}, 0, 'I1 the run waits for the user and ends well' or diag $r->{stderr};
    $f->{cases}[0]{rows}{invitations}[0]{$_->[0]} = $_->[1] for [sent_at => at()], [expires_at => at('720 h')], [send_count => 2];
    $f->check("$out/$Fixture::as_of", 'expire-invitations');
}
done_testing;
