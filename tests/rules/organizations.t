# Rules O1 to O7: organizations follow the subscription that carried them.
use strict;
use warnings;
use Test::More;
use Lapse;
use Fixture;

my $job = 'flag-inactive-organizations';
my $db = Lapse::database();
my $f = Fixture->new($db);
my @free = (plan => 'essentials', seats => -1, channel => 'none', period_months => undef);
my $ten = at('-10 d');

sub ended { # a subscription that ended: plan, instant, reason
    my ($plan, $when, $reason) = @_;
    return { kind => $plan eq 'trial' ? 'trial' : 'base', plan => $plan, status => 'ended', ended_at => $when,
        end_reason => $reason // ($plan eq 'trial' ? 'trial_ended' : 'expired_without_renewal') };
}
sub inactive { # the organization, and the export of it
    my ($reason, $since) = @_;
    return { status => 'inactive', inactive_since => $since, inactive_reason => $reason, -at => $since, -job => $job };
}
sub export { return { organization_id => $_[0], requested_at => at(), visible_to => 'owner', status => 'requested', -at => at(), -job => $job } }
sub active { return { status => 'active', inactive_since => undef, inactive_reason => undef, -job => $job } }
my @off = (status => 'inactive', inactive_since => at('-50 d'));

# One organization, the subscriptions given; what becomes of it.
sub one {
    my ($name, $subscriptions, $becomes, %more) = @_;
    my %organization = %{ delete $more{organization} || {} };
    my $given = delete $more{given} || {};
    return $f->case($name, { subscriptions => $subscriptions, organizations => [{ name => 'Mill', %organization }], %$given },
        $becomes ? { organizations => { 1 => $becomes }, $becomes->{status} eq 'inactive' ? (organization_exports => { new => [export(1)] }) : () } : {}, %more);
}

# ---- O1, O2, O3: which plan ended, which is in force ----
one('O1 Enterprise ended: inactive since then, one export for the owner (O5)', [ended('enterprise', $ten), { @free }], inactive('enterprise_ended', $ten));
one('O1 a trial ended: inactive since then', [ended('trial', $ten), { @free }], inactive('trial_ended', $ten));
one('O1 Enterprise ended by hand', [ended('enterprise', $ten, 'manual_downgrade'), { @free }], inactive('enterprise_ended', $ten));
one('O1 Enterprise ended at as-of', [ended('enterprise', at()), { @free, started_at => at() }], inactive('enterprise_ended', at()));
one('O1 Enterprise that ends an instant after as-of has not ended', [ended('enterprise', at('1 us')), { @free }], undef);
one('O2 Enterprise ended, Pro in force: it stays active', [ended('enterprise', $ten), { plan => 'pro' }], undef);
one('O2 a trial ended, Enterprise in force: it stays active', [ended('trial', $ten), { plan => 'enterprise' }], undef);
one('O2 Enterprise ended, a trial is live over Essentials: it stays active', [ended('enterprise', $ten), { @free }, { kind => 'trial', plan => 'trial', status => 'trialing', started_at => at('-1 d') }], undef);
one('O2 an overdue trial is live until end-trials ends it', [ended('enterprise', $ten), { @free }, { kind => 'trial', plan => 'trial', status => 'trialing', started_at => at('-30 d') }], undef);
one('O2 an overdue Enterprise is in force until it is downgraded', [{ plan => 'enterprise', period_end => at('-5 d') }], undef);
one('O2 past due Pro is in force', [ended('enterprise', $ten), { plan => 'pro', status => 'past_due' }], undef);
one('O3 Pro ended: it stays active on Essentials', [ended('pro', $ten), { @free }], undef);
one('O3 never anything but Essentials', [{ @free }], undef);
one('O3 Enterprise, then Pro an instant later: Pro ended last, it stays', [ended('enterprise', at('-10 d', '-1 us')), ended('pro', $ten), { @free }], undef);
one('O3 Pro, then Enterprise an instant later: inactive', [ended('pro', at('-10 d', '-1 us')), ended('enterprise', $ten), { @free }], inactive('enterprise_ended', $ten));
one('O3 at the same instant Enterprise comes before Pro', [ended('pro', $ten), ended('enterprise', $ten), { @free }], inactive('enterprise_ended', $ten));
one('O3 at the same instant trial comes before Enterprise', [ended('enterprise', $ten), ended('trial', $ten), { @free }], inactive('trial_ended', $ten));
one('O3 at the same instant trial comes before Enterprise, whichever is listed first', [ended('trial', $ten), ended('enterprise', $ten), { @free }], inactive('trial_ended', $ten));
one('O3 at the same instant trial comes before Pro', [ended('pro', $ten), ended('trial', $ten), { @free }], inactive('trial_ended', $ten));
one('O3 an undone end is no end', [ended('enterprise', $ten, 'undone'), { @free }], undef);
one('O3 an undone Pro does not hide the Enterprise before it', [ended('enterprise', at('-20 d')), ended('pro', $ten, 'undone'), { @free }], inactive('enterprise_ended', at('-20 d')));
one('O3 an undone Enterprise does not hide the Pro before it', [ended('pro', at('-20 d')), ended('enterprise', $ten, 'undone'), { @free }], undef);
one('O1 no live base: nobody can say the plan in force', [ended('enterprise', $ten)], undef);
one('O2 two live trials over Essentials: nobody can say the plan in force, and nobody loses access', [ended('enterprise', $ten), { @free }, map { { kind => 'trial', plan => 'trial', status => 'trialing', started_at => at("-$_ d") } } 1, 2], undef);
one('O1 two live bases: nobody can say the plan in force', [ended('enterprise', $ten), { @free }, { @free }], undef);

# ---- O3: made later; deleted ----
one('O3 made at the instant it ended: concerned', [ended('enterprise', $ten), { @free }], inactive('enterprise_ended', $ten), organization => { created_at => $ten });
one('O3 made an instant before', [ended('enterprise', $ten), { @free }], inactive('enterprise_ended', $ten), organization => { created_at => at('-10 d', '-1 us') });
one('O3 made an instant after: not concerned', [ended('enterprise', $ten), { @free }], undef, organization => { created_at => at('-10 d', '1 us') });
one('O1 deleted before as-of: never judged', [ended('enterprise', $ten), { @free }], undef, organization => { deleted_at => at('-1 us') });
one('O1 deleted at as-of: never judged', [ended('enterprise', $ten), { @free }], undef, organization => { deleted_at => at() });
one('O1 deleted an instant after as-of: judged', [ended('enterprise', $ten), { @free }], inactive('enterprise_ended', $ten), organization => { deleted_at => at('1 us') });

# ---- O4 ----
one('O4 a personal workspace never becomes inactive', [ended('enterprise', $ten), { @free }], undef, organization => { is_personal => JSON::PP::true });
one('O4 whether it is personal is not known: it is not', [ended('enterprise', $ten), { @free }], inactive('enterprise_ended', $ten), organization => { is_personal => undef });
$f->case('O5 each organization by itself, exports that were there stay',
    { subscriptions => [ended('enterprise', $ten), { @free }],
        organizations => [{ name => 'A' }, { name => 'B', is_personal => JSON::PP::true }, { name => 'C', @off, inactive_reason => 'abuse' }, { name => 'D', git_sync_enabled => JSON::PP::true }],
        organization_exports => [{ organization_id => 1, requested_at => at('-90 d'), status => 'done' }] },
    { organizations => { 1 => inactive('enterprise_ended', $ten), 4 => inactive('enterprise_ended', $ten) }, organization_exports => { new => [export(1), export(4)] } });

# ---- O2, O6: coming back ----
one("O2 made inactive by us ($_): active again on Pro", [ended('enterprise', $ten), { plan => 'pro' }], active(), organization => { @off, inactive_reason => $_ }) for qw(enterprise_ended trial_ended);
one('O2 active again on Enterprise', [{ plan => 'enterprise' }], active(), organization => { @off, inactive_reason => 'trial_ended' });
one('O2 active again in a live trial', [ended('enterprise', $ten), { @free }, { kind => 'trial', plan => 'trial', status => 'trialing', started_at => at('-1 d') }], active(), organization => { @off, inactive_reason => 'enterprise_ended' });
one('O2 on Essentials it stays inactive, since the instant it knows, without a second export', [ended('enterprise', $ten), { @free }], undef, organization => { @off, inactive_reason => 'enterprise_ended' });
one('O2 on Essentials after Pro ended last it stays inactive', [ended('enterprise', at('-60 d')), ended('pro', $ten), { @free }], undef, organization => { @off, inactive_reason => 'enterprise_ended' });
one("O6 made inactive for another reason ($_->[0]): never reactivated", [{ plan => 'enterprise' }], undef, organization => { @off, inactive_reason => $_->[1] }) for ['abuse', 'abuse'], ['none given', undef], ['an empty one', ''], ['pro_ended', 'pro_ended'];
one('O6 made inactive for another reason, and Enterprise ended: left as it is', [ended('enterprise', $ten), { @free }], undef, organization => { @off, inactive_reason => 'abuse' });
one('O2 deleted: not brought back', [{ plan => 'pro' }], undef, organization => { @off, inactive_reason => 'trial_ended', deleted_at => at() });
one('O2 a personal workspace of ours comes back too', [{ plan => 'pro' }], active(), organization => { @off, inactive_reason => 'trial_ended', is_personal => JSON::PP::true });

# ---- O7 ----
one('O7 nobody has opened it in 90 days: that is not inactive', [{ plan => 'pro' }], undef,
    given => { users => [{}], licenses => [{}], organization_members => [{ role => 'owner' }], user_activity => [{ last_opened_at => at('-400 d'), last_login_at => at('-400 d') }] });

# ---- the report: owner, and who is affected ----
sub told {
    my ($name, $owner, $affected, $given) = @_;
    return one($name, [ended('enterprise', $ten), { @free }], inactive('enterprise_ended', $ten), given => { users => [map { {} } 1 .. 6], %$given },
        report => { $job => [{ 'Owner Email' => $owner && "u$owner.a" . $f->{next} . '@x.example', 'Members Affected' => $affected }] });
}
told('O5 the owner is the organization\'s live direct owner, the others are affected', 3, 2,
    { organization_members => [{ user_id => 1 }, { user_id => 2, role => 'admin' }, { user_id => 3, role => 'owner' }], account_members => [{ user_id => 1, role => 'owner' }] });
told('O5 of two direct owners the lowest id; the other one is affected', 2, 1, { organization_members => [{ user_id => 4, role => 'owner' }, { user_id => 2, role => 'owner' }] });
told('O5 an owner through a team is not a direct one: the account\'s owner', 5, 2,
    { organization_members => [{ user_id => 1, via => 'team', role => 'owner' }, { user_id => 2 }], account_members => [{ user_id => 5, role => 'owner' }, { user_id => 4, role => 'co_owner' }] });
told('O5 the direct owner has left at as-of: the account\'s owner', 5, 1,
    { organization_members => [{ user_id => 1, role => 'owner', left_at => at() }, { user_id => 2 }], account_members => [{ user_id => 5, role => 'owner' }] });
told('O5 the direct owner leaves an instant after as-of', 1, 1,
    { organization_members => [{ user_id => 1, role => 'owner', left_at => at('1 us') }, { user_id => 2 }], account_members => [{ user_id => 5, role => 'owner' }] });
told('O5 the direct owner joins an instant after as-of: the account\'s owner', 5, 1,
    { organization_members => [{ user_id => 1, role => 'owner', joined_at => at('1 us') }, { user_id => 2 }], account_members => [{ user_id => 5, role => 'owner' }] });
told('O5 of two account owners the lowest id; one who left does not count', 3, 0,
    { account_members => [{ user_id => 5, role => 'owner' }, { user_id => 3, role => 'owner' }, { user_id => 1, role => 'owner', left_at => at('-1 d') }] });
told('O5 no owner anywhere: empty, everybody is affected', undef, 2, { organization_members => [{ user_id => 1 }, { user_id => 2 }], account_members => [{ user_id => 3, role => 'co_owner' }] });
told('O5 someone direct and through a team is one person', 1, 1,
    { organization_members => [{ user_id => 1, role => 'owner' }, { user_id => 2 }, { user_id => 2, via => 'team' }, { user_id => 1, via => 'team' }] });
told('O5 the account\'s owner, a plain member here, is not affected by himself', 2, 1,
    { organization_members => [{ user_id => 1 }, { user_id => 2 }], account_members => [{ user_id => 2, role => 'owner' }] });
one('O2 the report of one that comes back names its owner and members too', [{ plan => 'pro' }], active(), organization => { @off, inactive_reason => 'trial_ended' },
    given => { users => [{}, {}], organization_members => [{ role => 'owner' }, { user_id => 2 }] },
    report => { $job => [{ 'Owner Email' => 'u1.a' . $f->{next} . '@x.example', 'Members Affected' => 1 }] });

$f->load;
my $out = $db->dir . '/out';
my $r = $db->lapse_env({ TZ => 'Europe/Berlin', PGTZ => 'Europe/Berlin' }, 'run', $job, '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $out);
is $r->{status}, 83, 'the accounts with two plans in force are set aside, the others proceed';
like $r->{stderr}, qr/account \d+ was set aside: 2 live (base subscriptions|trials) \(and 1 more\)/, '... and it says so';
$f->check("$out/$Fixture::as_of", $job);

# ---- O4 turned, and the whole night: the jobs' own ends are followed ----
{
    my $db = Lapse::database();
    $f = Fixture->new($db);
    one('O4 with personal_workspace_can_lapse it becomes inactive like any other', [ended('enterprise', $ten), { @free }], inactive('enterprise_ended', $ten), organization => { is_personal => JSON::PP::true });
    one('O4 an ordinary one as well', [ended('trial', $ten), { @free }], inactive('trial_ended', $ten));
    $f->load;
    my $r = $db->lapse('--set', 'rules.personal_workspace_can_lapse=yes', 'run', $job, '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $out = $db->dir . '/out');
    is $r->{status}, 0, 'the run ends well' or diag $r->{stderr};
    $f->check("$out/$Fixture::as_of", $job);
}
{
    my $db = Lapse::database();
    $f = Fixture->new($db);
    my @trial = (kind => 'trial', plan => 'trial', status => 'trialing', channel => 'none', seats => 50, started_at => at('-22 d'), trial_ends_at => at('-8 d'));
    my $eight = at('-8 d');
    sub lapsed {
        my ($n, $plan, $when, $job) = @_;
        return ({ $n => lapse_of($when), new => [essentials($when)] }, plan_change("$plan 10", 'essentials -1', 'expired_without_renewal', $when, $job));
    }
    my ($rows, $change) = lapsed(1, 'enterprise', at('-3 d'), 'downgrade-plans');
    my $gone = { organizations => { 1 => inactive('enterprise_ended', at('-3 d')) }, organization_exports => { new => [export(1)] } };
    $f->case('O1 Enterprise lapses in the same run: inactive since its end', { subscriptions => [{ plan => 'enterprise', period_end => at('-3 d') }], organizations => [{}] },
        { %$gone, subscriptions => $rows, plan_changes => { new => [$change] } });
    $f->case('O3 the organization made after that end, before the run, is not concerned', { subscriptions => [{ plan => 'enterprise', period_end => at('-3 d') }], organizations => [{ created_at => at('-2 d') }] },
        { subscriptions => $rows, plan_changes => { new => [$change] } });
    ($rows, $change) = lapsed(1, 'pro', at('-3 d'), 'downgrade-plans');
    $f->case('O3 Pro lapses in the same run: active', { subscriptions => [{ plan => 'pro', period_end => at('-3 d') }], organizations => [{}] },
        { subscriptions => $rows, plan_changes => { new => [$change] } });
    my $back = sub { plan_change('trial 50', $_[0], 'trial_ended', $eight, 'end-trials') };
    $gone = { organizations => { 1 => inactive('trial_ended', $eight) }, organization_exports => { new => [export(1)] } };
    $f->case('O1 a trial over Essentials ends in the same run', { subscriptions => [{ @free }, { @trial }], organizations => [{}] },
        { %$gone, subscriptions => { 2 => trial_end($eight) }, plan_changes => { new => [$back->('essentials -1')] } });
    $f->case('O2 a trial over Pro ends in the same run: active', { subscriptions => [{ plan => 'pro' }, { @trial }], organizations => [{}] },
        { subscriptions => { 2 => trial_end($eight) }, plan_changes => { new => [$back->('pro 10')] } });
    ($rows, $change) = lapsed(1, 'pro', $eight, 'end-trials');
    $f->case('O3 a trial over a Pro that had lapsed: both end at once, the trial decides', { subscriptions => [{ plan => 'pro', period_end => at('-9 d') }, { @trial }], organizations => [{}] },
        { %$gone, subscriptions => { %$rows, 2 => trial_end($eight) }, plan_changes => { new => [$back->('pro 10'), $change] } });
    ($rows, $change) = lapsed(1, 'pro', at('-3 d'), 'end-trials');
    $f->case('O3 a trial over a Pro that lapses after it: Pro ended last, active', { subscriptions => [{ plan => 'pro', period_end => at('-3 d') }, { @trial }], organizations => [{}] },
        { subscriptions => { %$rows, 2 => trial_end($eight) }, plan_changes => { new => [$back->('pro 10'), $change] } });
    ($rows, $change) = lapsed(1, 'enterprise', at('-3 d'), 'end-trials');
    $f->case('O3 a trial over an Enterprise that lapses after it: Enterprise ended last', { subscriptions => [{ plan => 'enterprise', period_end => at('-3 d') }, { @trial }], organizations => [{}] },
        { organizations => { 1 => inactive('enterprise_ended', at('-3 d')) }, organization_exports => { new => [export(1)] },
          subscriptions => { %$rows, 2 => trial_end($eight) }, plan_changes => { new => [$back->('enterprise 10'), $change] } });
    $f->load;
    my $r = $db->lapse('run', '--all', '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $out = $db->dir . '/out');
    is $r->{status}, 0, 'the night ends well' or diag $r->{stderr};
    $f->check("$out/$Fixture::as_of", 'end-trials', 'downgrade-plans', $job);
}

# ---- the user wins ----
$db = Lapse::database();
for (['O1 deleted by the user while the job runs: never changed', 'deleted_at = \'2026-03-31\'', [deleted_at => at()]],
    ['O6 made inactive for another reason while the job runs: left so', "status = 'inactive', inactive_reason = 'abuse'", [status => 'inactive'], [inactive_reason => 'abuse']])
{
    my ($name, $set, @changed) = @$_;
    $f = Fixture->new($db);
    my $account = one($name, [ended('enterprise', $ten), { @free }], undef);
    $f->load;
    my $r = Fixture::against($db, "UPDATE saas.organizations SET $set WHERE account_id = $account", 'run', $job, '--account', $f->accounts, '--as-of', $Fixture::as_of,
        '--format', 'csv', '--out', $out = $db->dir . '/out');
    is $r->{status}, 0, "$name (the run ends well)" or diag $r->{stderr};
    $f->{cases}[0]{rows}{organizations}[0]{$_->[0]} = $_->[1] for @changed;
    $f->check("$out/$Fixture::as_of", $job);
}
done_testing;
