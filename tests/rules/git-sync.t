# Rules G1 to G3: Git Sync on Essentials is for three people.
use strict;
use warnings;
use Test::More;
use JSON::PP ();
use Lapse;
use Fixture;

my $job = 'check-git-sync';
my $db = Lapse::database();
my $f = Fixture->new($db);
my ($on, $off) = (JSON::PP::true, JSON::PP::false);
my $ten = at('-10 d');
my @free = (plan => 'essentials', seats => -1, channel => 'none', period_months => undef);

sub flagged { return { git_sync_over_limit_since => at(), -at => at(), -reason => 'git_sync_over_limit', -job => $job } }
sub cleared { return { git_sync_over_limit_since => undef, -at => at(), -reason => 'git_sync_within_limit', -job => $job } }
sub people { return [map { { user_id => $_, role => $_ == 1 ? 'owner' : 'member' } } 1 .. $_[0]] }

# An organization with Git Sync on and so many people; what becomes of it, what the report says of it.
sub one {
    my ($name, $people, $becomes, %more) = @_;
    my %organization = %{ delete $more{organization} || {} };
    my @tells = exists $more{tells} ? (report => { $job => [delete $more{tells}] }) : ();
    return $f->case($name, { users => [map { {} } 1 .. 8], organizations => [{ name => 'Mill', git_sync_enabled => $on, %organization }],
        organization_members => ref $people ? $people : people($people), %more }, $becomes ? { organizations => { 1 => $becomes } } : {}, @tells);
}
my @flag = (organization => { git_sync_over_limit_since => $ten });

# ---- G1 ----
one('G1 two people: within the limit', 2);
one('G1 three people: at the limit', 3);
one('G1 four people: over it, since as-of', 4, flagged(), tells => { Members => 4, Limit => 3 });
one('G1 seven people', 7, flagged(), tells => { Members => 7, Limit => 3 });
one('G1 flagged already: since when it was', 5, undef, @flag);
one('G1 nobody', []);
one('G1 the owner is one of the four', [{ user_id => 1, role => 'owner' }, map { { user_id => $_ } } 2 .. 4], flagged());
one('G1 direct and through a team: four people', [@{ people(2) }, map { { user_id => $_, via => 'team' } } 3, 4], flagged());
one('G1 one of three both ways is one person', [@{ people(3) }, map { { user_id => $_, via => 'team' } } 1 .. 3]);
one('G1 somebody who left and came back is one person', [@{ people(3) }, { user_id => 3, joined_at => at('-700 d'), left_at => at('-600 d') }, { user_id => 3, via => 'team' }]);
for (['left an instant before as-of', 3, left_at => at('-1 us')], ['left at as-of', 3, left_at => at()], ['leaves an instant after as-of', 4, left_at => at('1 us')], ['leaves in no time', 4, left_at => 'infinity'],
    ['joined an instant before as-of', 4, joined_at => at('-1 us')], ['joined at as-of', 4, joined_at => at()], ['joins an instant after as-of', 3, joined_at => at('1 us')])
{
    my ($what, $n, @column) = @$_;
    one("G1 the fourth $what: $n people", [@{ people(3) }, { user_id => 4, @column }], $n > 3 ? (flagged(), tells => { Members => 4 }) : ());
}
one('G1 Git Sync is off', 5, undef, organization => { git_sync_enabled => $off });
one('G1 whether Git Sync is on is not known: it is not', 5, undef, organization => { git_sync_enabled => undef });
one('G1 an inactive organization is not judged', 5, undef, organization => { status => 'inactive' });
one('G1 a flag on an inactive one stays', 2, undef, organization => { status => 'inactive', git_sync_over_limit_since => $ten });
one('G1 deleted at as-of: not judged', 5, undef, organization => { deleted_at => at() });
one('G1 deleted an instant before', 5, undef, organization => { deleted_at => at('-1 us') });
one('G1 deleted an instant after: judged', 5, flagged(), organization => { deleted_at => at('1 us') });
one('G2 a flag on a deleted one stays', 2, undef, organization => { deleted_at => at(), git_sync_over_limit_since => $ten });
one('G1 a personal workspace is an organization', 4, flagged(), organization => { is_personal => $on });
$f->case('G1 each organization by itself, another one\'s people do not count', { users => [map { {} } 1 .. 8], organizations => [map { { git_sync_enabled => $on } } 1 .. 3],
        organization_members => [(map { { user_id => $_ } } 1 .. 3), (map { { user_id => $_, organization_id => 2 } } 4 .. 8), (map { { user_id => $_, organization_id => 3 } } 1 .. 2)] },
    { organizations => { 2 => flagged() } });

# ---- P2: the plan in force ----
sub trial { my ($days) = @_; return { kind => 'trial', plan => 'trial', status => 'trialing', started_at => at("-$days d") } }
one('P2 Pro has no limit', 5, undef, subscriptions => [{ plan => 'pro' }]);
one('P2 Enterprise has no limit', 5, undef, subscriptions => [{ plan => 'enterprise' }]);
one('P2 a live trial over Essentials has no limit', 5, undef, subscriptions => [{ @free }, trial(3)]);
one('P2 an overdue trial is live until end-trials ends it', 5, undef, subscriptions => [{ @free }, trial(30)]);
one('P2 a past due Pro is in force', 5, undef, subscriptions => [{ plan => 'pro', status => 'past_due' }]);
one('P2 Pro has ended: Essentials', 5, flagged(), subscriptions => [{ plan => 'pro', status => 'ended', ended_at => $ten }, { @free }], tells => { Limit => 3 });
one('P2 no live base: nobody can say the plan in force', 5, undef, subscriptions => [{ plan => 'pro', status => 'ended', ended_at => $ten }]);
one('P2 two live bases: set aside', 5, undef, subscriptions => [{ @free }, { @free }]);
one('P2 two live trials, flagged: set aside, the flag stays', 2, undef, subscriptions => [{ @free }, trial(1), trial(2)], @flag);

# ---- storage rules ----
sub rules { return (storage_rules => [map { { organization_id => $_->[0], git_sync => $_->[1] } } @_]) }
one('G1 the account forbids it', 5, undef, rules([0, $off]));
one('G1 the account allows it', 5, flagged(), rules([0, $on]));
one('G1 the account forbids it, the organization may', 5, flagged(), rules([0, $off], [1, $on]));
one('G1 the account allows it, the organization may not', 5, undef, rules([0, $on], [1, $off]));
one('G1 the organization may not, the account says nothing', 5, undef, rules([1, $off]));
one('G1 another organization may not', 5, flagged(), rules([2, $off]));
one('G1 a rule that does not say is one that forbids', 5, undef, rules([0, undef]));
one('G1 the organization\'s rule does not say, though the account allows', 5, undef, rules([0, $on], [1, undef]));

# ---- G2 ----
one('G2 three remain: cleared', 3, cleared(), @flag, tells => { Members => 3, Limit => 3 });
one('G2 four remain: it stays', 4, undef, @flag);
one('G2 nobody remains', [], cleared(), @flag, tells => { Members => 0 });
one('G2 the fourth left at as-of', [@{ people(3) }, { user_id => 4, left_at => at() }], cleared(), @flag);
one('G2 the fourth leaves an instant after as-of: it stays', [@{ people(3) }, { user_id => 4, left_at => at('1 us') }], undef, @flag);
one('G2 Git Sync was turned off', 5, cleared(), organization => { git_sync_enabled => $off, git_sync_over_limit_since => $ten }, tells => { Members => 5 });
one('G2 the account forbids it now', 5, cleared(), @flag, rules([0, $off]));
one("G2 the plan lifts the limit: $_", 5, cleared(), @flag, subscriptions => [{ plan => $_ }], tells => { Members => 5, Limit => undef }) for qw(pro enterprise);
one('G2 a trial lifts the limit', 5, cleared(), @flag, subscriptions => [{ @free }, trial(3)]);
one('G2 within the limit and not flagged: nothing', 3, undef, organization => { git_sync_over_limit_since => undef });

# ---- held ----
my $held = one('G1 a held account is left alone', 5);

$f->load;
$db->sql("INSERT INTO lapse.holds (account_id, reason, held_at) VALUES ($held, 'x', '2026-01-01')");
my $out = $db->dir . '/out';
my @run = ('run', $job, '--as-of', $Fixture::as_of, '--format', 'csv', '--out');
$db->lapse(@run, $db->dir . '/dry', '--dry-run');
my $r = $db->lapse_env({ TZ => 'Europe/Berlin', PGTZ => 'Europe/Berlin' }, @run, $out);
is $r->{status}, 83, 'the accounts with two plans in force are set aside, the others proceed';
like $r->{stderr}, qr/account \d+ was set aside: 2 live (base subscriptions|trials) \(and 1 more\)/, '... and it says so';
$f->check("$out/$Fixture::as_of", $job);
is Lapse::slurp($db->dir . "/dry/$Fixture::as_of/$job.csv"), Lapse::slurp("$out/$Fixture::as_of/$job.csv"), 'the dry run\'s report is the run\'s';
my $changes = $db->one('SELECT count(*) FROM lapse.changes');
$db->lapse(@run, $db->dir . '/again');
is $db->one('SELECT count(*) FROM lapse.changes'), $changes, 'a second run changes nothing';
is Lapse::slurp($db->dir . "/again/$Fixture::as_of/$job.csv"), Lapse::slurp("$out/$Fixture::as_of/$job.csv"), 'and reports the same';
is $db->one('SELECT count(*) FROM saas.organizations WHERE NOT git_sync_enabled'), $db->one("SELECT count(*) FROM saas.accounts WHERE name IN ('G1 Git Sync is off', 'G2 Git Sync was turned off')"), 'G3 Git Sync is not switched off';

# ---- before all time ----
{
    my $db = Lapse::database();
    $f = Fixture->new($db);
    one('before all time', 4);
    $f->load;
    $db->sql("UPDATE saas.organization_members SET left_at = '-infinity' WHERE user_id = 104");
    my $r = $db->lapse(@run, $db->dir . '/out');
    is $r->{status}, 80, 'who left before all time is for a person to look at';
    like $r->{stderr}, qr/account 1: user 104 left organization 101 at -infinity, so nothing is changed/, 'it is named';
}

# ---- the whole night: the plan, and who is in the teams, first ----
{
    my $db = Lapse::database();
    $f = Fixture->new($db);
    my $three = at('-3 d');
    $f->case('G1 Pro lapses in the same night: over the limit', { users => [map { {} } 1 .. 4], subscriptions => [{ plan => 'pro', period_end => $three }], organizations => [{ git_sync_enabled => $on }], organization_members => people(4) },
        { organizations => { 1 => flagged() }, subscriptions => { 1 => lapse_of($three), new => [essentials($three)] }, plan_changes => { new => [plan_change('pro 10', 'essentials -1', 'expired_without_renewal', $three, 'downgrade-plans')] } },
        report => { $job => [{ Members => 4, Limit => 3 }] });
    $f->case('G1 a team brings the fourth in the same night', { users => [map { {} } 1 .. 4], organizations => [{ git_sync_enabled => $on }], organization_members => people(3), teams => [{}], team_members => [{ user_id => 4, joined_at => $ten }], team_organizations => [{}] },
        { organizations => { 1 => flagged() }, organization_members => { new => [{ organization_id => 1, user_id => 4, via => 'team', joined_at => $ten, role => 'member' }] } });
    $f->case('G2 the fourth\'s team has gone: cleared in the same night', { users => [map { {} } 1 .. 4], organizations => [{ git_sync_enabled => $on, git_sync_over_limit_since => $ten }], organization_members => [@{ people(3) }, { user_id => 4, via => 'team' }] },
        { organizations => { 1 => cleared() }, organization_members => { 4 => { left_at => at() } } });
    $f->load;
    my $r = $db->lapse('run', '--all', '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $out = $db->dir . '/out');
    is $r->{status}, 0, 'the night ends well' or diag $r->{stderr};
    $f->check("$out/$Fixture::as_of", 'downgrade-plans', 'reconcile-teams', $job);
}

# ---- the user wins ----
$db = Lapse::database();
for (['G1 turned off by a user while the job runs: not flagged', 'git_sync_enabled = false', git_sync_enabled => $off], ['G1 deleted by a user while the job runs', 'deleted_at = \'2026-03-30\'', deleted_at => at('2026-03-30')]) {
    my ($name, $set, $column, $value) = @$_;
    $f = Fixture->new($db);
    my $account = one($name, 4);
    $f->load;
    my $r = Fixture::against($db, "UPDATE saas.organizations SET $set WHERE account_id = $account", 'run', $job, '--account', $account, '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $out = $db->dir . '/out');
    is $r->{status}, 0, "$name (the run ends well)" or diag $r->{stderr};
    $f->{cases}[0]{rows}{organizations}[0]{$column} = $value;
    $f->check("$out/$Fixture::as_of", $job);
}
done_testing;
