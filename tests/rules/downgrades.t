# Rules D1 to D8: paid bases that were not renewed lapse; scheduled seats; Enterprise controls.
use strict;
use warnings;
use Test::More;
use Lapse;
use Fixture;

my $job = 'downgrade-plans';
my $db = Lapse::database();
my $f = Fixture->new($db);

sub to_essentials { # the first base lapses to Essentials
    my ($plan, $when, $reason, %more) = @_;
    $reason //= 'expired_without_renewal';
    return { subscriptions => { 1 => lapse_of($when, $reason), new => [essentials($when, %more)] },
        plan_changes => { new => [plan_change($plan, 'essentials -1', $reason, $when, $job)] } };
}
sub to_pro { # by hand, to Pro: what the new base has
    my ($when, $period_end, %more) = @_;
    return { kind => 'base', plan => 'pro', channel => 'self_serve', status => 'active', seats => 10, period_months => 1,
        started_at => $when, period_end => $period_end, -at => $when, %more };
}
sub base { return { subscriptions => [{ plan => 'enterprise', @_ }] } }
my @year = (period_months => 12);
my @by_hand = (cancel_at_period_end => JSON::PP::true);

# ---- D1, D2, D4 ----
for my $plan (qw(pro enterprise)) {
    $f->case("D1 $plan an instant before its period ends", base(plan => $plan, period_end => at('1 us')));
    $f->case("D1 $plan at the instant its period ends: Essentials (D2)", base(plan => $plan, period_end => at()), to_essentials("$plan 10", at()));
    $f->case("D1 $plan an instant after, as of its own instant", base(plan => $plan, period_end => at('-1 us')), to_essentials("$plan 10", at('-1 us')));
    $f->case("D4 $plan, past due, an instant before its period ends", base(plan => $plan, status => 'past_due', period_end => at('1 us')));
    $f->case("D4 $plan, past due, until D1 holds", base(plan => $plan, status => 'past_due', period_end => at()), to_essentials("$plan 10", at()));
}
$f->case('D1 a year ago', base(period_end => at('2025-03-31')), to_essentials('enterprise 10', at('2025-03-31')));
$f->case('D1 without a period end it never lapses', base(period_end => undef));
$f->case('D1 without a period end it never lapses, past due', base(plan => 'pro', status => 'past_due', period_end => undef));
$f->case('D1 without a period end it never lapses, even cancelled', base(@by_hand, period_end => undef));
$f->case('D1 an endless period never ends', base(period_end => 'infinity'));
$f->case('D1 renewed already: the period end has moved', base(started_at => at('2024-03-30'), period_end => at('2027-03-30')));
$f->case('D1 Essentials is free and never lapses', base(plan => 'essentials', channel => 'none', seats => -1, period_end => at('-5 d')));
$f->case('D1 an ended base is not judged again', { subscriptions => [{ plan => 'pro', status => 'ended', period_end => at('-5 d'), ended_at => at('-5 d'), end_reason => 'expired_without_renewal' },
    { plan => 'essentials', seats => -1, channel => 'none', started_at => at('-5 d') }] });
$f->case('D1 the new base inherits the external reference', base(plan => 'pro', external_ref => 'cus_1', channel => 'sales', period_end => at('-1 h')),
    to_essentials('pro 10', at('-1 h'), undef, external_ref => 'cus_1'));
$f->case('D1 unlimited seats', base(seats => -1, period_end => at('-1 h')), to_essentials('enterprise -1', at('-1 h')));
$f->case('D2 next_plan without a downgrade by hand: Essentials all the same', base(next_plan => 'pro', period_end => at('-1 h')), to_essentials('enterprise 10', at('-1 h')));
$f->case('D1 in the hour that Europe\'s clocks skipped', base(plan => 'pro', period_end => at('2026-03-29 01:30')), to_essentials('pro 10', at('2026-03-29 01:30')));

# ---- D3 ----
$f->case('D3 by hand, an instant before the period ends', base(@by_hand, next_plan => 'pro', period_end => at('1 us')));
$f->case('D3 by hand, without next_plan: Essentials', base(@by_hand, period_end => at()), to_essentials('enterprise 10', at(), 'manual_downgrade'));
$f->case('D3 by hand from Pro: Essentials', base(@by_hand, plan => 'pro', period_end => at('-1 h')), to_essentials('pro 10', at('-1 h'), 'manual_downgrade'));
$f->case('D3 by hand, expressly to Essentials', base(@by_hand, @year, next_plan => 'essentials', channel => 'sales', period_end => at('-1 h')),
    to_essentials('enterprise 10', at('-1 h'), 'manual_downgrade'));
$f->case('D3 by hand, past due as well', base(@by_hand, status => 'past_due', period_end => at('-1 h')), to_essentials('enterprise 10', at('-1 h'), 'manual_downgrade'));
sub by_hand { # Enterprise to Pro
    my ($name, $end, $new_end, %more) = @_;
    my %new = %{ delete $more{new} || {} };
    $f->case($name, base(@by_hand, next_plan => 'pro', period_end => $end, %more),
        { subscriptions => { 1 => lapse_of($end, 'manual_downgrade'), new => [to_pro($end, $new_end, %new)] },
          plan_changes => { new => [plan_change('enterprise 10', 'pro ' . ($new{seats} // 10), 'manual_downgrade', $end, $job)] } });
}
by_hand('D3 by hand to Pro at its instant: channel, seats, length as before', at(), at('2026-04-30'), channel => 'sales', external_ref => 'e', new => { channel => 'sales', external_ref => 'e' });
by_hand('D3 by hand to Pro: next_seats without a date belongs to it', at('-1 d'), at('2026-04-30'), next_seats => 4, new => { seats => 4 });
by_hand('D3 by hand to Pro: next_seats with a later date goes with the old base', at('-1 d'), at('2026-04-30'), next_seats => 4, next_seats_from => at('1 d'));
by_hand('D3 by hand to Pro, without a length: no period end', at('-1 d'), undef, period_months => undef, new => { period_months => undef });
by_hand('D3 by hand to Pro, yearly', at('2026-03-30 12:00'), at('2027-03-30 12:00'), @year, new => { @year });

# ---- months, and chains ----
sub chain { # by hand to Pro, whose own period is over as well
    my ($name, $end, $pro_end, $months) = @_;
    $f->case($name, base(@by_hand, next_plan => 'pro', period_end => $end, period_months => $months),
        { subscriptions => { 1 => lapse_of($end, 'manual_downgrade'),
            new => [[to_pro($end, $pro_end, period_months => $months), lapse_of($pro_end)], essentials($pro_end)] },
          plan_changes => { new => [plan_change('enterprise 10', 'pro 10', 'manual_downgrade', $end, $job),
            plan_change('pro 10', 'essentials -1', 'expired_without_renewal', $pro_end, $job)] } });
    return;
}
by_hand('D7 a month from 31 March ends on 30 April', at('2026-03-31 00:00'), at('2026-04-30 00:00'));
by_hand('D7 a month from 29 March over Berlin\'s clock change, in UTC', at('2026-03-28 23:30'), at('2026-04-28 23:30'));
by_hand('D7 a month is added in UTC: 30 March 22:30 is 31 March in Berlin', at('2026-03-30 22:30'), at('2026-04-30 22:30'));
by_hand('D7 a year from 29 February 2024 would be over; from 30 March 2026 it is not', at('2026-03-30'), at('2027-03-30'), @year, new => { @year });

# ---- D6 ----
sub seats_row { my ($to, $when) = @_; return { seats => $to, next_seats => undef, next_seats_from => undef, -at => $when, -reason => 'seats_changed' } }
sub seats { # one change of seats
    my ($given, $when, $to) = @_;
    return { subscriptions => { 1 => seats_row($to, $when) },
        plan_changes => { new => [plan_change("$given", $given =~ s/ .*/ $to/r, 'seats_changed', $when, $job)] } };
}
my @later = (period_end => at('2027-01-01'));
$f->case('D6 an instant before a change of seats', base(@later, next_seats => 20, next_seats_from => at('1 us')));
$f->case('D6 at the instant of a change of seats', base(@later, next_seats => 20, next_seats_from => at()), seats('enterprise 10', at(), 20));
$f->case('D6 an instant after, as of its own instant', base(@later, plan => 'pro', next_seats => 3, next_seats_from => at('-1 us')), seats('pro 10', at('-1 us'), 3));
$f->case('D6 to unlimited seats', base(@later, next_seats => -1, next_seats_from => at('-1 h')), seats('enterprise 10', at('-1 h'), -1));
$f->case('D6 past due makes no difference', base(@later, status => 'past_due', next_seats => 11, next_seats_from => at('-1 h')), seats('enterprise 10', at('-1 h'), 11));
$f->case('D6 without a period end too', base(next_seats => 11, next_seats_from => at('-1 h')), seats('enterprise 10', at('-1 h'), 11));
$f->case('D6 next_seats without a date waits for next_plan', base(@later, next_seats => 11));
$f->case('D6 a date without next_seats is nothing', base(@later, next_seats_from => at('-1 h')));
sub seats_then_lapse {
    my ($name, $from, $end) = @_;
    $f->case($name, base(plan => 'pro', period_end => $end, next_seats => 12, next_seats_from => $from),
        { subscriptions => { 1 => [seats_row(12, $from), lapse_of($end)],
            new => [essentials($end)] },
          plan_changes => { new => [plan_change('pro 10', 'pro 12', 'seats_changed', $from, $job),
            plan_change('pro 12', 'essentials -1', 'expired_without_renewal', $end, $job)] } });
}
seats_then_lapse('D6 seats due before the lapse are changed first', at('-2 d'), at('-1 d'));
seats_then_lapse('D6 seats due an instant before the lapse are changed first', at('-1 d', '-1 us'), at('-1 d'));
seats_then_lapse('D6 seats due at the lapse: its instant has come, they are changed first', at('-1 d'), at('-1 d'));
$f->case('D6 seats due an instant after the lapse go with the old base', base(plan => 'pro', period_end => at('-1 d'), next_seats => 12, next_seats_from => at('-1 d', '1 us')),
    to_essentials('pro 10', at('-1 d')));
$f->case('D6 seats due after as-of, lapse before: they go with the old base', base(plan => 'pro', period_end => at('-1 d'), next_seats => 12, next_seats_from => at('1 d')),
    to_essentials('pro 10', at('-1 d')));
$f->case('D6 seats changed first, then by hand to Pro with the new number', base(@by_hand, next_plan => 'pro', period_end => at('-1 d'), next_seats => 12, next_seats_from => at('-2 d')),
    { subscriptions => { 1 => [seats_row(12, at('-2 d')), lapse_of(at('-1 d'), 'manual_downgrade')],
        new => [to_pro(at('-1 d'), at('2026-04-30'), seats => 12)] },
      plan_changes => { new => [plan_change('enterprise 10', 'enterprise 12', 'seats_changed', at('-2 d'), $job),
        plan_change('enterprise 12', 'pro 12', 'manual_downgrade', at('-1 d'), $job)] } });

# ---- D5, D6: a live trial ----
sub under_trial { return { subscriptions => [{ plan => 'pro', @_ }, { kind => 'trial', plan => 'trial', status => 'trialing', seats => 50, started_at => at('-1 d'), trial_ends_at => at('13 d') }] } }
$f->case('D5 while a trial is live the base\'s lapse waits', under_trial(period_end => at('-1 h')));
$f->case('D5 the same downgraded by hand', under_trial(@by_hand, period_end => at('-1 h')));
$f->case('D6 while a trial is live a change of seats waits', under_trial(@later, next_seats => 20, next_seats_from => at('-1 h')));
$f->case('D5 an overdue trial is live until end-trials ends it',
    { subscriptions => [{ plan => 'pro', period_end => at('-1 h') }, { kind => 'trial', plan => 'trial', status => 'trialing', started_at => at('-20 d') }] });
$f->case('D5 a trial that has ended does not make the base wait, and has no part in the instant',
    { subscriptions => [{ plan => 'pro', period_end => at('-1 h') }, { kind => 'trial', plan => 'trial', status => 'ended', started_at => at('-200 d'), ended_at => at('-186 d'), end_reason => 'trial_ended' }] },
    to_essentials_two(at('-1 h')));
$f->case('D1 where the trial ended after the period did, the lapse takes effect at its end',
    { subscriptions => [{ plan => 'pro', period_end => at('-9 d') }, { kind => 'trial', plan => 'trial', status => 'ended', started_at => at('-20 d'), ended_at => at('-6 d'), end_reason => 'trial_ended' }] },
    to_essentials_two(at('-6 d')));
sub to_essentials_two { return to_essentials('pro 10', $_[0]) }

# ---- D7 ----
my @on = ({ capture_enabled_at => at('-90 d') }, { lock_enabled_at => at('-90 d') }, {}, { capture_enabled_at => at('-90 d'), suspended_at => at('-60 d') });
my @scim = ({ provider => 'okta' }, { provider => 'azure', suspended_at => at('-60 d') });
sub controls { # suspended since an instant, or again: undef
    my ($when, @n) = @_;
    return map { $_ => { suspended_at => $when, -at => $when // at() } } @n;
}
sub controlled {
    my ($name, $subscriptions, $expected) = @_;
    $f->case($name, { subscriptions => $subscriptions, domains => [map { { %$_ } } @on], scim_connections => [map { { %$_ } } @scim] }, $expected);
}
my $lapse = to_essentials('enterprise 10', at('-1 d'));
controlled('D7 Enterprise lapses: capture, lock and SCIM are suspended since then, what is off or suspended stays',
    [{ plan => 'enterprise', period_end => at('-1 d') }],
    { %$lapse, domains => { controls(at('-1 d'), 1, 2) }, scim_connections => { controls(at('-1 d'), 1) } });
controlled('D7 on Essentials since long: suspended since the newest end of a plan with controls',
    [{ plan => 'essentials', seats => -1 }, map { { plan => $_->[0], kind => $_->[0] eq 'trial' ? 'trial' : 'base', status => 'ended', ended_at => at($_->[1]), end_reason => $_->[2] } }
        ['enterprise', '-90 d', 'x'], ['trial', '-80 d', 'trial_ended'], ['pro', '-70 d', 'x'], ['enterprise', '-60 d', 'undone']],
    { domains => { controls(at('-80 d'), 1, 2) }, scim_connections => { controls(at('-80 d'), 1) } });
controlled('D7 on Pro without any Enterprise before: suspended as of the run', [{ plan => 'pro', @later }],
    { domains => { controls(at(), 1, 2) }, scim_connections => { controls(at(), 1) } });
controlled('D7 by hand to Pro: suspended, Pro has no controls', [{ plan => 'enterprise', @by_hand, next_plan => 'pro', period_end => at('-1 d') }],
    { subscriptions => { 1 => lapse_of(at('-1 d'), 'manual_downgrade'), new => [to_pro(at('-1 d'), at('2026-04-30'))] },
      plan_changes => { new => [plan_change('enterprise 10', 'pro 10', 'manual_downgrade', at('-1 d'), $job)] },
      domains => { controls(at('-1 d'), 1, 2) }, scim_connections => { controls(at('-1 d'), 1) } });
controlled('D7 on Enterprise: what is suspended resumes', [{ plan => 'enterprise', @later }],
    { domains => { controls(undef, 4) }, scim_connections => { controls(undef, 2) } });
controlled('D7 in a live trial over Pro: it resumes', under_trial(@later)->{subscriptions},
    { domains => { controls(undef, 4) }, scim_connections => { controls(undef, 2) } });
controlled('D7 in a live trial over an overdue Enterprise: nothing is suspended, what is resumes',
    [{ plan => 'enterprise', period_end => at('-1 d') }, { kind => 'trial', plan => 'trial', status => 'trialing', started_at => at('-3 d') }],
    { domains => { controls(undef, 4) }, scim_connections => { controls(undef, 2) } });
$f->case('D7 nothing is deleted: licenses, members and organizations stay',
    { subscriptions => [{ plan => 'enterprise', period_end => at('-1 d') }], users => [{}, {}], licenses => [{ source => 'scim' }, { user_id => 2, source => 'capture' }],
        account_members => [{ role => 'owner' }, { user_id => 2 }], organizations => [{}], invitations => [{ organization_id => 1, sent_at => at('-90 d') }] }, $lapse);

# ---- D8, L2: seats of the plan after the change ----
sub over {
    my ($name, $people, $used, $over, $given, $expected, $row) = @_;
    $f->case($name, { %$given, users => [map { {} } 1 .. $people], licenses => [map { { user_id => $_ } } 1 .. $people] }, $expected,
        report => { $job => [{ 'Seats Used' => $used, 'Over Limit' => $over, %{ $row || {} } }] });
}
over('D8 more people than Pro has seats: reported, nobody is removed', 5, 5, 1,
    base(@by_hand, next_plan => 'pro', next_seats => 4, period_end => at('-1 d')),
    { subscriptions => { 1 => lapse_of(at('-1 d'), 'manual_downgrade'), new => [to_pro(at('-1 d'), at('2026-04-30'), seats => 4)] },
      plan_changes => { new => [plan_change('enterprise 10', 'pro 4', 'manual_downgrade', at('-1 d'), $job)] } });
over('L2 as many people as seats: not over', 4, 4, 0,
    base(@by_hand, next_plan => 'pro', next_seats => 4, period_end => at('-1 d')),
    { subscriptions => { 1 => lapse_of(at('-1 d'), 'manual_downgrade'), new => [to_pro(at('-1 d'), at('2026-04-30'), seats => 4)] },
      plan_changes => { new => [plan_change('enterprise 10', 'pro 4', 'manual_downgrade', at('-1 d'), $job)] } });
over('P3 Essentials has unlimited seats: never over', 12, 12, 0, base(period_end => at('-1 d')), $lapse);
over('D8 fewer seats by a scheduled change: over', 5, 5, 2, base(@later, next_seats => 3, next_seats_from => at('-1 d')), seats('enterprise 10', at('-1 d'), 3));
over('P3 unlimited by a scheduled change: never over', 5, 5, 0, base(@later, seats => 3, next_seats => -1, next_seats_from => at('-1 d')),
    { subscriptions => { 1 => seats_row(-1, at('-1 d')) }, plan_changes => { new => [plan_change('enterprise 3', 'enterprise -1', 'seats_changed', at('-1 d'), $job)] } });

$f->load;
my $out = $db->dir . '/out';
my $r = $db->lapse_env({ TZ => 'Europe/Berlin', PGTZ => 'Europe/Berlin' }, 'run', $job, '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $out, '--json');
is $r->{status}, 0, 'the run ends well' or diag $r->{stderr};
like $r->{stdout}, qr/"skipped":5\b/, 'D5 the run says how many wait for a live trial' or diag $r->{stdout};
$f->check("$out/$Fixture::as_of", $job);

# ---- chains need dates of the past ----
{
    my $db = Lapse::database();
    $f = Fixture->new($db);
    chain('D1 a chain: by hand to Pro, whose month has ended too', at('2026-02-10 08:00'), at('2026-03-10 08:00'), 1);
    chain('D7 31 January + 1 month is 28 February', at('2026-01-31 10:00'), at('2026-02-28 10:00'), 1);
    chain('D7 31 January 2024 + 1 month is 29 February', at('2024-01-31'), at('2024-02-29'), 1);
    chain('D7 29 February 2024 + 1 year is 28 February 2025', at('2024-02-29 12:00'), at('2025-02-28 12:00'), 12);
    chain('D7 28 February 23:30 + 1 month in UTC is over; reckoned in Berlin it would not be', at('2026-02-28 23:30'), at('2026-03-28 23:30'), 1);
    chain('D7 a month over Berlin\'s clock change keeps the UTC hour', at('2026-02-28 10:00'), at('2026-03-28 10:00'), 1);
    chain('D7 October to November over the other clock change', at('2025-10-20 10:00'), at('2025-11-20 10:00'), 1);
    chain('D1 a chain whose second end is the as-of', at('2025-03-30'), at('2026-03-30'), 12);
    by_hand('D1 no chain where the second end is an instant after as-of', at('2025-03-30', '1 us'), at('2026-03-30', '1 us'), @year, new => { @year });
    chain('D1 a chain of a year', at('2025-01-15'), at('2026-01-15'), 12);
    local $Fixture::as_of = '2026-03-30';
    chain_as_of($f, $_) for @{ $f->{cases} };
    $f->load;
    my $r = $db->lapse_env({ TZ => 'Europe/Berlin', PGTZ => 'Europe/Berlin' }, 'run', $job, '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $out = $db->dir . '/out');
    is $r->{status}, 0, 'the run ends well' or diag $r->{stderr};
    $f->check("$out/$Fixture::as_of", $job);
}
# The cases above were written before the as-of was moved.
sub chain_as_of {
    my ($f, $case) = @_;
    $_->{processed_at} = at() for @{ $case->{expected}{plan_changes}{new} };
}

# ---- grace ----
{
    my $db = Lapse::database();
    $f = Fixture->new($db);
    $f->case('D1 with a day of grace, an instant before it is over', base(period_end => at('-24 h', '1 us')));
    $f->case('D1 with a day of grace, at its end: ended when the grace ended', base(period_end => at('-24 h')), to_essentials('enterprise 10', at()));
    $f->case('D1 with a day of grace, an instant after', base(plan => 'pro', period_end => at('-24 h', '-1 us')), to_essentials('pro 10', at('-1 us')));
    $f->case('D4 with a day of grace, past due keeps its plan', base(status => 'past_due', period_end => at('-23 h')));
    $f->case('D3 grace holds for a downgrade by hand: not yet', base(@by_hand, period_end => at('-23 h')));
    $f->case('D3 grace holds for a downgrade by hand: ended after it, the new period goes on from the old one', base(@by_hand, next_plan => 'pro', period_end => at('2026-03-29')),
        { subscriptions => { 1 => lapse_of(at('2026-03-30'), 'manual_downgrade'), new => [to_pro(at('2026-03-30'), at('2026-04-29'))] },
          plan_changes => { new => [plan_change('enterprise 10', 'pro 10', 'manual_downgrade', at('2026-03-30'), $job)] } });
    $f->case('D1 a chain with grace: it holds for the second lapse too', base(@by_hand, next_plan => 'pro', period_end => at('2026-02-20')),
        { subscriptions => { 1 => lapse_of(at('2026-02-21'), 'manual_downgrade'),
            new => [[to_pro(at('2026-02-21'), at('2026-03-20')), lapse_of(at('2026-03-21'))], essentials(at('2026-03-21'))] },
          plan_changes => { new => [plan_change('enterprise 10', 'pro 10', 'manual_downgrade', at('2026-02-21'), $job),
            plan_change('pro 10', 'essentials -1', 'expired_without_renewal', at('2026-03-21'), $job)] } });
    $f->case('D1 grace ends 24 h later, over Berlin\'s clock change', base(plan => 'pro', period_end => at('2026-03-28 12:00')), to_essentials('pro 10', at('2026-03-29 12:00')));
    $f->case('D6 seats due in the grace are changed before the lapse', base(plan => 'pro', period_end => at('-30 h'), next_seats => 12, next_seats_from => at('-20 h')),
        { subscriptions => { 1 => [seats_row(12, at('-20 h')), lapse_of(at('-6 h'))], new => [essentials(at('-6 h'))] },
          plan_changes => { new => [plan_change('pro 10', 'pro 12', 'seats_changed', at('-20 h'), $job), plan_change('pro 12', 'essentials -1', 'expired_without_renewal', at('-6 h'), $job)] } });
    $f->case('D7 controls are suspended since the grace\'s end', { %{ base(period_end => at('-25 h')) }, scim_connections => [{}] },
        { %{ to_essentials('enterprise 10', at('-1 h')) }, scim_connections => { controls(at('-1 h'), 1) } });
    $f->load;
    my $r = $db->lapse_env({ TZ => 'Europe/Berlin', PGTZ => 'Europe/Berlin' }, '--set', 'rules.renewal_grace=24 h', 'run', $job, '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $out = $db->dir . '/out');
    is $r->{status}, 0, 'the run ends well' or diag $r->{stderr};
    $f->check("$out/$Fixture::as_of", $job);
}

# ---- what nobody can decide ----
{
    my $db = Lapse::database();
    $f = Fixture->new($db);
    my $two = $f->case('D1 two live bases, one overdue: set aside, nothing is touched',
        { subscriptions => [{ plan => 'pro', period_end => at('-1 d') }, { plan => 'enterprise', @later }] });
    $f->case('D1 its neighbour lapses', base(period_end => at('-1 d')), to_essentials('enterprise 10', at('-1 d')));
    $f->case('D1 two live bases, none due: nothing is touched, nothing is said', { subscriptions => [{ plan => 'pro', @later }, { plan => 'enterprise', @later }] });
    $f->case('D6 two live bases, a change of seats due: set aside', { subscriptions => [{ plan => 'pro', @later, next_seats => 3, next_seats_from => at() }, { plan => 'essentials' }] });
    my $held = $f->case('D1 two live bases, one overdue, held: nothing is touched', { subscriptions => [{ plan => 'pro', period_end => at('-1 d') }, { plan => 'enterprise', @later }] });
    $f->case('D1 held: an overdue one is left alone', base(period_end => at('-1 d')));
    my $held_alone = $held + 1;
    $f->load;
    $db->sql("INSERT INTO lapse.holds (account_id, reason, held_at) SELECT a, 'test', '2026-03-01' FROM unnest('{$held,$held_alone}'::bigint[]) a");
    my $r = $db->lapse('run', $job, '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $out = $db->dir . '/out');
    is $r->{status}, 83, 'D1 done, but accounts were set aside';
    is $db->one("SELECT count(*) FROM lapse.quarantine WHERE account_id <> $held"), 2, 'D1 the two with something due are in quarantine';
    like $db->one("SELECT reason FROM lapse.quarantine WHERE account_id = $two"), qr/2 live base/, 'D1 with the reason';
    is $db->one("SELECT count(*) FROM lapse.quarantine WHERE account_id = $held"), 0, 'D1 two live bases, held by somebody: left alone, not set aside too';
    $f->check("$out/$Fixture::as_of", $job);
    $db->sql("UPDATE saas.subscriptions SET status = 'ended', ended_at = '2026-03-01', end_reason = 'by hand' WHERE plan IN ('enterprise', 'essentials') AND account_id IN (SELECT account_id FROM lapse.quarantine UNION SELECT $held)");
    $r = $db->lapse('run', $job, '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $out);
    is $r->{status}, 0, 'D1 once mended, the next run takes them';
    is $db->one('SELECT count(*) FROM lapse.quarantine'), 0, 'D1 and they are in quarantine no more';
    is $db->one("SELECT count(*) FROM saas.plan_changes WHERE account_id = $two"), 1, 'D1 the lapse is made up for';
}

# ---- the user wins ----
$db = Lapse::database();
for (['D1 renewed while the job runs: the user wins', "period_end = '2027-03-31'", [period_end => at('2027-03-31')]],
    ['D3 the cancellation taken back while the job runs: the lapse is not a downgrade by hand', "cancel_at_period_end = false, next_plan = NULL, period_end = '2027-03-31'",
        [cancel_at_period_end => JSON::PP::false], [next_plan => undef], [period_end => at('2027-03-31')]],
    ['D3 next_plan taken back while the job runs: Pro is not given', 'next_plan = NULL', [next_plan => undef]])
{
    my ($name, $set, @changed) = @$_;
    $f = Fixture->new($db);
    my $account = $f->case($name, base(@by_hand, next_plan => 'pro', period_end => at('-1 h')));
    $f->case('D1 the neighbour lapses all the same', base(period_end => at('-1 h')), to_essentials('enterprise 10', at('-1 h')));
    $f->load;
    my $r = Fixture::against($db, "UPDATE saas.subscriptions SET $set WHERE account_id = $account", 'run', $job, '--account', $f->accounts, '--as-of', $Fixture::as_of,
        '--format', 'csv', '--out', $out = $db->dir . '/out');
    is $r->{status}, 0, "$name (the run ends well)" or diag $r->{stderr};
    $f->{cases}[0]{rows}{subscriptions}[0]{$_->[0]} = $_->[1] for @changed;
    if ($set eq 'next_plan = NULL' && $db->one("SELECT status FROM saas.subscriptions WHERE subscription_id = ${account}01") eq 'ended') {
        # Left alone until the next run, or judged anew: both are right. Pro is not.
        $f->{cases}[0]{expected} = to_essentials('enterprise 10', at('-1 h'), 'manual_downgrade');
    }
    $f->check("$out/$Fixture::as_of", $job);
}
done_testing;
