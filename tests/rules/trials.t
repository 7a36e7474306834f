# Rules T1 to T5 (and P1, P4): trials end after 14 x 24 h; what follows for the base.
use strict;
use warnings;
use Test::More;
use Lapse;
use Fixture;

my $job = 'end-trials';
my $db = Lapse::database();
my $f = Fixture->new($db);
my @trial = (kind => 'trial', plan => 'trial', status => 'trialing', channel => 'none', seats => 50, period_months => undef);
my @by_hand = (cancel_at_period_end => JSON::PP::true);
my @free = (plan => 'essentials', seats => -1, channel => 'none', period_months => undef);
my @fourteen = (started_at => at('-336 h'), trial_ends_at => at());

# A trial (the second subscription) over a base.
sub over {
    my ($name, $base, $trial, $expected, %more) = @_;
    my %given = %{ delete $more{given} || {} };
    return $f->case($name, { subscriptions => [{ plan => 'pro', @$base }, { @trial, @$trial }], %given }, $expected, %more);
}
# It ends, and the account is back on its base.
sub back {
    my ($to, $when) = @_;
    return { subscriptions => { 2 => { %{ trial_end($when) }, -reason => 'trial_ended', -job => $job } },
        plan_changes => { new => [plan_change('trial 50', $to, 'trial_ended', $when, $job)] } };
}
# ... and then more, given as lists of rows.
sub and_then {
    my ($expected, %more) = @_;
    my %subscriptions = (%{ $expected->{subscriptions} }, %{ $more{subscriptions} || {} });
    return { %$expected, %more, subscriptions => \%subscriptions, plan_changes => { new => [@{ $expected->{plan_changes}{new} }, @{ $more{plan_changes} || [] }] } };
}

# ---- T1, T2, T3 ----
over('T1 an instant before its end a trial is live', [], [started_at => at('-336 h'), trial_ends_at => at('1 us')]);
over('T1 at its end it is over, and the account back on Pro (T3)', [], [@fourteen], back('pro 10', at()));
over('T1 an instant after, as of its own instant', [], [started_at => at('-336 h'), trial_ends_at => at('-1 us')], back('pro 10', at('-1 us')));
over('T1 without a written end, 336 hours after its start less an instant', [], [started_at => at('-336 h', '1 us')]);
over('T1 without a written end, 336 hours after its start', [], [started_at => at('-336 h')], back('pro 10', at()));
over('T1 without a written end, 336 hours and an instant', [], [started_at => at('-336 h', '-1 us')], back('pro 10', at('-1 us')));
over('T1 14 days are 336 hours over Berlin\'s clock change', [], [started_at => at('2026-03-17 00:30')]);
over('T1 an endless trial', [], [started_at => at('-300 d'), trial_ends_at => 'infinity']);
over('T1 a written end decides, not 336 hours', [], [started_at => at('-3 d'), trial_ends_at => at('-1 d')], back('pro 10', at('-1 d')));
over("T1 whatever it calls itself while it is live: $_", [], [status => $_, @fourteen], back('pro 10', at())) for qw(active past_due);
over('T1 an ended trial is not ended again', [], [status => 'ended', @fourteen, ended_at => at('-2 d'), end_reason => 'trial_ended']);
over('T1 ended months ago, found today', [], [started_at => at('-100 d')], back('pro 10', at('-86 d')));
over('T2 it had 50 seats, whatever the base has, whatever its row says', [seats => 7], [@fourteen, seats => undef], back('pro 7', at()));
over('T3 back to Essentials', [@free], [@fourteen], back('essentials -1', at()));
over('T3 back to Enterprise, of unlimited seats', [plan => 'enterprise', seats => -1, period_end => at('90 d')], [@fourteen], back('enterprise -1', at()));
over('T3 back to a past due Pro whose period is not over', [status => 'past_due', period_end => at('1 us')], [@fourteen], back('pro 10', at()));

# ---- T4 ----
sub lapsing { # what follows: the base lapses to Essentials
    my ($plan, $when, $reason, %new) = @_;
    $reason //= 'expired_without_renewal';
    return (subscriptions => { 1 => { %{ lapse_of($when, $reason) }, -job => $job }, new => [essentials($when, %new)] },
        plan_changes => [plan_change("$plan", 'essentials -1', $reason, $when, $job)]);
}
my $eight = at('-8 d');
my @eight = (started_at => at('-22 d'), trial_ends_at => $eight);
over('T4 the base lapsed during the trial: both at the trial\'s end', [period_end => at('-10 d')], [@eight],
    and_then(back('pro 10', $eight), lapsing('pro 10', $eight)));
over('T4 the base lapsed after the trial ended: each at its own instant', [period_end => at('-2 d')], [@eight],
    and_then(back('pro 10', $eight), lapsing('pro 10', at('-2 d'))));
over('T4 the base ends the instant the trial does', [plan => 'enterprise', period_end => $eight], [@eight],
    and_then(back('enterprise 10', $eight), lapsing('enterprise 10', $eight)));
over('T4 the base ends at as-of', [period_end => at()], [@eight], and_then(back('pro 10', $eight), lapsing('pro 10', at())));
over('T4 the base ends an instant after as-of: only the trial ends', [period_end => at('1 us')], [@eight], back('pro 10', $eight));
over('T4 a past due base that lapsed', [status => 'past_due', period_end => at('-30 d'), external_ref => 'cus'], [@eight],
    and_then(back('pro 10', $eight), lapsing('pro 10', $eight, undef, external_ref => 'cus')));
over('T4 downgraded by hand, to Essentials', [plan => 'enterprise', @by_hand, period_end => at('-10 d')], [@eight],
    and_then(back('enterprise 10', $eight), lapsing('enterprise 10', $eight, 'manual_downgrade')));
sub to_pro { # ... to Pro instead
    my ($when, $end, @steps) = @_;
    my $new = { kind => 'base', plan => 'pro', channel => 'self_serve', status => 'active', seats => 10, period_months => 1, started_at => $when, period_end => $end, -at => $when };
    return @steps ? [$new, @steps] : $new;
}
over('T4 downgraded by hand to Pro: since the trial\'s end, the period goes on from the old one', [plan => 'enterprise', @by_hand, next_plan => 'pro', period_end => at('2026-03-20')], [@eight],
    and_then(back('enterprise 10', $eight), subscriptions => { 1 => lapse_of($eight, 'manual_downgrade'), new => [to_pro($eight, at('2026-04-20'))] },
        plan_changes => [plan_change('enterprise 10', 'pro 10', 'manual_downgrade', $eight, $job)]));
over('T4 downgraded by hand to Pro after the trial', [plan => 'enterprise', @by_hand, next_plan => 'pro', period_end => at('2026-03-29')], [@eight],
    and_then(back('enterprise 10', $eight), subscriptions => { 1 => lapse_of(at('2026-03-29'), 'manual_downgrade'), new => [to_pro(at('2026-03-29'), at('2026-04-29'))] },
        plan_changes => [plan_change('enterprise 10', 'pro 10', 'manual_downgrade', at('2026-03-29'), $job)]));
over('T4 a chain: the Pro that follows has itself ended, after the trial', [plan => 'enterprise', @by_hand, next_plan => 'pro', period_end => at('2026-02-25')], [@eight],
    and_then(back('enterprise 10', $eight),
        subscriptions => { 1 => lapse_of($eight, 'manual_downgrade'), new => [to_pro($eight, at('2026-03-25'), lapse_of(at('2026-03-25'))), essentials(at('2026-03-25'))] },
        plan_changes => [plan_change('enterprise 10', 'pro 10', 'manual_downgrade', $eight, $job), plan_change('pro 10', 'essentials -1', 'expired_without_renewal', at('2026-03-25'), $job)]));
over('T4 a chain: the Pro that follows had ended before the trial did', [plan => 'enterprise', @by_hand, next_plan => 'pro', period_end => at('2026-02-10')], [@eight],
    and_then(back('enterprise 10', $eight),
        subscriptions => { 1 => lapse_of($eight, 'manual_downgrade'), new => [to_pro($eight, at('2026-03-10'), lapse_of($eight)), essentials($eight)] },
        plan_changes => [plan_change('enterprise 10', 'pro 10', 'manual_downgrade', $eight, $job), plan_change('pro 10', 'essentials -1', 'expired_without_renewal', $eight, $job)]));
over('T4 a change of seats due before the lapse is carried out first', [period_end => at('-2 d'), next_seats => 12, next_seats_from => at('-9 d')], [@eight],
    and_then(back('pro 10', $eight),
        subscriptions => { 1 => [{ seats => 12, next_seats => undef, next_seats_from => undef, -at => at('-9 d') }, lapse_of(at('-2 d'))], new => [essentials(at('-2 d'))] },
        plan_changes => [plan_change('pro 10', 'pro 12', 'seats_changed', at('-9 d'), $job), plan_change('pro 12', 'essentials -1', 'expired_without_renewal', at('-2 d'), $job)]));
over('T4 a change of seats due after the lapse goes with the old base', [period_end => at('-9 d'), next_seats => 12, next_seats_from => at('-7 d')], [@eight],
    and_then(back('pro 10', $eight), lapsing('pro 10', $eight)));

# ---- T5 ----
sub code { return { plan => 'enterprise', seats => 30, issued_at => at('-30 d'), @_ } }
sub taken { # the nth code takes over at an instant
    my ($when, $n, $end, %more) = @_;
    my %follow = %{ delete $more{follow} || {} };
    my ($old, $plan, $seats) = (delete $more{old} || 'pro 10', delete $more{plan} || 'enterprise', delete $more{seats} // 30);
    my $new = { kind => 'base', plan => $plan, channel => 'sales', status => 'active', seats => $seats, period_months => 12,
        started_at => $when, period_end => $end, -at => $when, -job => $job };
    return { subscriptions => { 1 => { status => 'ended', ended_at => $when, end_reason => 'replaced_by_code', -at => $when }, 2 => trial_end($when),
            new => [$follow{ends} ? [$new, lapse_of($follow{ends})] : $new, $follow{ends} ? essentials($follow{ends}) : ()] },
        activation_codes => { $n => { redeemed_at => $when, -at => $when } },
        plan_changes => { new => [plan_change('trial 50', "$plan $seats", 'trial_ended_to_code', $when, $job),
            $follow{ends} ? plan_change("$plan $seats", 'essentials -1', 'expired_without_renewal', $follow{ends}, $job) : ()] } };
}
my $next_year = at('2027-03-01');
sub with_codes { my ($name, $codes, $expected, %more) = @_; my $base = delete $more{base} || []; return over($name, $base, [@eight], $expected, given => { activation_codes => $codes }, %more) }
with_codes('T5 a code verified in the trial takes over when it ends', [code(verified_at => at('-10 d'))], taken($eight, 1, $next_year));
with_codes('T5 verified the instant the trial starts', [code(verified_at => at('-22 d'))], taken($eight, 1, $next_year));
with_codes('T5 verified an instant before the trial starts: not applied', [code(verified_at => at('-22 d', '-1 us'))], back('pro 10', $eight));
with_codes('T5 verified an instant before the trial ends', [code(verified_at => at('-8 d', '-1 us'))], taken($eight, 1, $next_year));
with_codes('T5 verified the instant the trial ends: not applied', [code(verified_at => $eight)], back('pro 10', $eight));
with_codes('T5 never verified: not applied', [code()], back('pro 10', $eight));
with_codes('T5 redeemed already: a code is used once', [code(verified_at => at('-10 d'), redeemed_at => at('-9 d'))], back('pro 10', $eight));
with_codes('T5 of two, the one issued last, though verified first', [code(code_hash => 'zz', issued_at => at('-30 d'), verified_at => at('-9 d')),
    code(code_hash => 'aa', plan => 'pro', seats => 5, issued_at => at('-29 d'), verified_at => at('-12 d'))], taken($eight, 2, $next_year, plan => 'pro', seats => 5));
with_codes('T5 of two, the one issued last by an instant', [code(code_hash => 'aa', issued_at => at('-30 d', '1 us'), verified_at => at('-9 d')),
    code(code_hash => 'zz', seats => 5, verified_at => at('-12 d'))], taken($eight, 1, $next_year));
with_codes('T5 of two issued at once, the greater code_hash', [code(code_hash => '9f', verified_at => at('-9 d')), code(code_hash => 'a0', seats => 6, verified_at => at('-12 d'))],
    taken($eight, 2, $next_year, seats => 6));
with_codes('T5 of two issued at once, the greater code_hash byte by byte, not as a dictionary has it', [code(code_hash => 'b', verified_at => at('-9 d')), code(code_hash => 'C', seats => 6, verified_at => at('-12 d'))],
    taken($eight, 1, $next_year));
with_codes('T5 the one issued last does not count where it was redeemed', [code(code_hash => 'a', verified_at => at('-9 d')),
    code(code_hash => 'b', issued_at => at('-1 d'), verified_at => at('-9 d'), redeemed_at => at('-9 d'))], taken($eight, 1, $next_year));
with_codes('T5 in place of T4: the base had lapsed', [code(verified_at => at('-10 d'))], taken($eight, 1, $next_year), base => [period_end => at('-12 d'), external_ref => 'x']);
with_codes('T5 over Essentials', [code(verified_at => at('-10 d'))], taken($eight, 1, $next_year, old => 'essentials -1'), base => [@free]);
with_codes('T5 a code without a period end, of unlimited seats', [code(verified_at => at('-10 d'), period_end => undef, seats => -1)], taken($eight, 1, undef, seats => -1));
with_codes('T5 the code\'s own period ended after the trial: D1 follows at its end', [code(verified_at => at('-10 d'), period_end => at('-3 d'))], taken($eight, 1, at('-3 d'), follow => { ends => at('-3 d') }));
with_codes('T5 the code\'s own period ended at as-of: D1 follows', [code(verified_at => at('-10 d'), period_end => at())], taken($eight, 1, at(), follow => { ends => at() }));
with_codes('T5 the code\'s own period ends an instant after as-of', [code(verified_at => at('-10 d'), period_end => at('1 us'))], taken($eight, 1, at('1 us')));
with_codes('T5 the code\'s own period had ended before the trial did: D1 follows at once', [code(verified_at => at('-10 d'), period_end => at('-9 d'))], taken($eight, 1, at('-9 d'), follow => { ends => $eight }));
over('T5 a code while the trial is live does nothing yet', [], [started_at => at('-3 d'), trial_ends_at => at('11 d')], {}, given => { activation_codes => [code(verified_at => at('-1 d'))] });
over('T5 a trial without a written end: verified within its 336 hours', [], [started_at => at('-337 h')], taken(at('-1 h'), 1, $next_year),
    given => { activation_codes => [code(verified_at => at('-2 h'))] });
over('T5 a trial without a written end: verified as its 336 hours are over', [], [started_at => at('-337 h')], back('pro 10', at('-1 h')),
    given => { activation_codes => [code(verified_at => at('-1 h'))] });
$f->case('T5 a code without any trial is left alone', { subscriptions => [{ plan => 'pro' }], activation_codes => [code(verified_at => at('-10 d'))] });

# ---- the report's seats, under the plan then in force (P4, L2) ----
sub seats {
    my ($name, $people, $over, $purchased, $base, $expected, %more) = @_;
    over($name, $base, [@eight], $expected, given => { users => [map { {} } 1 .. $people], licenses => [map { { user_id => $_ } } 1 .. $people], %{ $more{given} || {} } },
        report => { $job => [{ 'Seats Used' => $people, 'Seats Purchased' => $purchased, 'Over Limit' => $over }], %{ $more{report} || {} } });
}
seats('L2 one more than Pro has seats: over by one', 4, 1, 3, [seats => 3], back('pro 3', $eight));
seats('L2 as many as Pro has seats', 3, 0, 3, [seats => 3], back('pro 3', $eight));
seats('L2 back on Essentials: seats are unlimited', 12, 0, -1, [@free], back('essentials -1', $eight));
seats('P4 where the base lapsed too, Essentials counts', 5, 0, -1, [seats => 3, period_end => at('-9 d')], and_then(back('pro 3', $eight), lapsing('pro 3', $eight)));
seats('L2 the seats of the code', 4, 2, 2, [seats => 3], taken($eight, 1, $next_year, seats => 2), given => { activation_codes => [code(seats => 2, verified_at => at('-10 d'))] });

$f->load;
my $out = $db->dir . '/out';
my $r = $db->lapse_env({ TZ => 'Europe/Berlin', PGTZ => 'Europe/Berlin' }, 'run', $job, '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $out);
is $r->{status}, 0, 'the run ends well' or diag $r->{stderr};
$f->check("$out/$Fixture::as_of", $job);
$r = $db->lapse('run', 'downgrade-plans', '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $out, '--json');
like $r->{stdout}, qr/"changed":0\b/, 'T4 nothing is left for downgrade-plans' or diag $r->{stdout};
$f->check("$out/$Fixture::as_of", 'downgrade-plans'); # a lapse that follows is a row of its report

# ---- grace ----
{
    my $db = Lapse::database();
    $f = Fixture->new($db);
    over('T4 with a day of grace: the grace is over before the trial is', [period_end => at('-10 d')], [@eight], and_then(back('pro 10', $eight), lapsing('pro 10', $eight)));
    over('T4 with a day of grace: the grace ends after the trial did', [period_end => at('-8 d', '-1 h')], [@eight], and_then(back('pro 10', $eight), lapsing('pro 10', at('-8 d', '23 h'))));
    over('T4 with a day of grace: it ends at as-of', [period_end => at('-24 h')], [@eight], and_then(back('pro 10', $eight), lapsing('pro 10', at())));
    over('T4 with a day of grace: it ends an instant after as-of', [period_end => at('-24 h', '1 us')], [@eight], back('pro 10', $eight));
    over('T4 with a day of grace, downgraded by hand', [@by_hand, period_end => at('-30 h')], [@eight], and_then(back('pro 10', $eight), lapsing('pro 10', at('-6 h'), 'manual_downgrade')));
    with_codes('T5 with a day of grace: it holds for the code\'s period', [code(verified_at => at('-10 d'), period_end => at('-23 h'))], taken($eight, 1, at('-23 h')));
    with_codes('T5 with a day of grace: the code\'s period and grace are over', [code(verified_at => at('-10 d'), period_end => at('-25 h'))], taken($eight, 1, at('-25 h'), follow => { ends => at('-1 h') }));
    over('T1 grace is not for trials', [], [@fourteen], back('pro 10', at()));
    $f->load;
    my $r = $db->lapse('--set', 'rules.renewal_grace=24 h', 'run', $job, '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $out = $db->dir . '/out');
    is $r->{status}, 0, 'the run ends well' or diag $r->{stderr};
    $f->check("$out/$Fixture::as_of", $job);
}

# ---- what nobody can decide ----
{
    my $db = Lapse::database();
    $f = Fixture->new($db);
    $f->case('T3 two live bases under a trial that is over: set aside', { subscriptions => [{ plan => 'pro' }, { plan => 'enterprise' }, { @trial, @fourteen }] });
    $f->case('T3 no base under a trial that is over: set aside', { subscriptions => [{ @trial, @fourteen }] });
    $f->case('T1 two live trials, one over: set aside', { subscriptions => [{ plan => 'pro' }, { @trial, @fourteen }, { @trial, started_at => at('-1 d') }] });
    $f->case('T3 two live bases under a trial that is not over: nothing is due, nothing said', { subscriptions => [{ plan => 'pro' }, { plan => 'enterprise' }, { @trial, started_at => at('-1 d') }] });
    over('T1 their neighbour\'s trial ends', [], [@fourteen], back('pro 10', at()));
    $f->load;
    my $r = $db->lapse('run', $job, '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $out = $db->dir . '/out');
    is $r->{status}, 83, 'T3 done, but accounts were set aside';
    is $db->one('SELECT count(*) FROM lapse.quarantine'), 3, 'T3 the three with something due are in quarantine';
    $f->check("$out/$Fixture::as_of", $job);
}

# ---- the user wins ----
$db = Lapse::database();
{
    $f = Fixture->new($db);
    my $a = with_codes('T5 the code redeemed by the user while the job runs: it is used once', [code(verified_at => at('-10 d'))], back('pro 10', $eight));
    $f->load;
    my $r = Fixture::against($db, "UPDATE saas.activation_codes SET redeemed_at = '2026-03-30' WHERE account_id = $a",
        'run', $job, '--account', $f->accounts, '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $out = $db->dir . '/out');
    is $r->{status}, 0, 'T5 the run ends well' or diag $r->{stderr};
    $f->{cases}[0]{rows}{activation_codes}[0]{redeemed_at} = at('-1 d');
    $f->check("$out/$Fixture::as_of", $job);
}
{
    $f = Fixture->new($db);
    my $a = over('T4 the base renewed while the job runs: it does not lapse', [period_end => at('-10 d')], [@eight], back('pro 10', $eight));
    $f->load;
    my $r = Fixture::against($db, "UPDATE saas.subscriptions SET period_end = '2026-05-01' WHERE account_id = $a AND kind = 'base'",
        'run', $job, '--account', $f->accounts, '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $out = $db->dir . '/out');
    is $r->{status}, 0, 'T4 the run ends well' or diag $r->{stderr};
    $f->{cases}[0]{rows}{subscriptions}[0]{period_end} = at('2026-05-01');
    $f->check("$out/$Fixture::as_of", $job);
}
{
    $f = Fixture->new($db);
    my $a = with_codes('T5 the base upgraded while the job runs: what the audit says of the old base is what it was', [code(verified_at => at('-10 d'))], taken($eight, 1, $next_year));
    $f->load;
    my $r = Fixture::against($db, "UPDATE saas.subscriptions SET status = 'past_due' WHERE account_id = $a AND kind = 'base'",
        'run', $job, '--account', $f->accounts, '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $out = $db->dir . '/out');
    is $r->{status}, 0, 'T5 the run ends well' or diag $r->{stderr};
    $f->{cases}[0]{rows}{subscriptions}[0]{status} = 'past_due';
    $f->check("$out/$Fixture::as_of", $job);
}
done_testing;
