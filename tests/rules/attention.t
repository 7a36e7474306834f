# What needs somebody's attention: each finding at its boundary, and that nothing after the as-of shows.
use strict;
use warnings;
use Test::More;
use JSON::PP ();
use Lapse;
use Fixture;

my $true = JSON::PP::true;
my (@cases, @quarantine);

# What is given; of which findings; the rows expected of them, as [Detail, Since, Days Left].
sub finds {
    my ($name, $findings, $given, @rows) = @_;
    push @cases, [$name, $findings, $given, \@rows];
}
sub many { my ($n) = @_; return [map { {} } 1 .. $n] }

# ---- owners ----
my $owners = 'no_owner no_second_owner';
sub roles {
    my ($name, $roles, @rows) = @_;
    my $n = 0;
    finds($name, $owners, { users => many(scalar @$roles), account_members => [map { { user_id => ++$n, %$_ } } @$roles] }, @rows);
}
my @one = ('one owner, no co-owner', undef, undef);
roles('no members at all: no owner', [], ['no owner, 0 co-owners', undef, undef]);
roles('co-owners are no owner', [{ role => 'co_owner' }, { role => 'co_owner' }], ['no owner, 2 co-owners', undef, undef]);
roles('members and billing are no owner', [{ role => 'member' }, { role => 'billing' }], ['no owner, 0 co-owners', undef, undef]);
roles('one owner is no second one', [{ role => 'owner' }, { role => 'member' }], \@one);
roles('an owner and a co-owner are enough', [{ role => 'owner' }, { role => 'co_owner' }]);
roles('two owners are enough', [{ role => 'owner' }, { role => 'owner' }]);
roles('the second left at as-of', [{ role => 'owner' }, { role => 'co_owner', left_at => at() }], ['one owner, no co-owner', shown(at()), undef]);
roles('the second leaves an instant after', [{ role => 'owner' }, { role => 'co_owner', left_at => at('1 us') }]);
roles('the second joined at as-of', [{ role => 'owner' }, { role => 'co_owner', joined_at => at() }]);
roles('the second joins an instant after', [{ role => 'owner' }, { role => 'co_owner', joined_at => at('1 us') }], \@one);
roles('the only owner left: since then, the last of two', [{ role => 'owner', left_at => at('-9 d') }, { role => 'owner', left_at => at('-5 d') }], ['no owner, 0 co-owners', shown(at('-5 d')), undef]);
roles('a member who left says nothing of since when', [{ role => 'owner' }, { role => 'member', left_at => at('-5 d') }], \@one);

# ---- SCIM tokens (M6, D7) ----
my $scim = 'scim_token_ends scim_token_expired';
sub token {
    my ($name, $token, @rows) = @_;
    finds($name, $scim, { scim_connections => [ref $token eq 'ARRAY' ? @$token : ref $token ? $token : { token_expires_at => $token }] }, @rows);
}
sub okta { return ['okta token', undef, $_[0]] }
sub expired { return ['okta token', shown($_[0]), undef] }
token('M6 a token that ends in 20 days', at('480 h'), okta(20));
token('M6 a second later: not yet', at('480 h', '1 s'));
token('M6 a second sooner', at('480 h', '-1 s'), okta(19));
token('M6 a token that ends a second after as-of', at('1 s'), okta(0));
token('M6 one that ends at as-of has expired', at(), expired(at()));
token('M6 a second before', at('-1 s'), expired(at('-1 s')));
token('M6 long expired', at('-900 d'), expired(at('-900 d')));
token('M6 a token without an end', undef);
token('M6 an endless token', 'infinity');
token('D7 expired, and the connection was suspended at as-of', { token_expires_at => at('-1 d'), suspended_at => at() });
token('D7 ends soon, and the connection was suspended before', { token_expires_at => at('1 d'), suspended_at => at('-90 d') });
token('D7 suspended only an instant after as-of', { token_expires_at => at('1 d'), suspended_at => at('1 us') }, okta(1));
token('M6 two providers', [{ provider => 'okta', token_expires_at => at('3 d') }, { provider => 'azure', token_expires_at => at('9 d', '-1 us') }], ['azure token', undef, 8], okta(3));
token('M6 one has expired, one ends', [{ provider => 'okta', token_expires_at => at('3 d') }, { provider => 'azure', token_expires_at => at('-1 d') }], okta(3), ['azure token', shown(at('-1 d')), undef]);

# ---- invitations ----
sub invitation {
    my ($name, $invitation, $found, $more) = @_;
    my $account;
    finds("an invitation $name", 'invitation_ends', { organizations => [{ name => 'Ölmühle' }], teams => [{ name => 'Rot' }], invitations => [{ organization_id => 1, sent_at => at('-26 d'), %$invitation }], %{ $more || {} } },
        $found ? $found : ());
}
sub to_organization { my ($days, $sent) = @_; return [sub { "invitation $_[0]01 to organization: \xC3\x96lm\xC3\xBChle" }, shown($sent // at('-26 d')), $days] }
invitation('that ends in five days', { expires_at => at('120 h') }, to_organization(5));
invitation('a second later: not yet', { expires_at => at('120 h', '1 s') });
invitation('a second sooner', { expires_at => at('120 h', '-1 s') }, to_organization(4));
invitation('that ends a second after as-of', { expires_at => at('1 s') }, to_organization(0));
invitation('that ends at as-of has ended', { expires_at => at() });
invitation('that has lapsed unmarked', { expires_at => at('-1 d') });
invitation('of 720 h without a written end', { sent_at => at('-600 h') }, to_organization(5, at('-600 h')));
invitation('of 720 h, sent a second later: not yet', { sent_at => at('-600 h', '1 s') });
invitation('without a written end, over at as-of', { sent_at => at('-720 h') });
invitation('that never ends', { expires_at => 'infinity' });
invitation('sent at as-of', { sent_at => at(), expires_at => at('1 d') }, to_organization(1, at()));
invitation('sent an instant after', { sent_at => at('1 us'), expires_at => at('1 d') });
invitation('accepted at as-of', { expires_at => at('1 d'), status => 'accepted', closed_at => at() });
invitation('accepted an instant after: pending then', { expires_at => at('1 d'), status => 'accepted', closed_at => at('1 us') }, to_organization(1));
invitation('that expired an instant after, as was due', { expires_at => at('1 us'), status => 'expired', closed_at => at('1 us') }, to_organization(0));
invitation('revoked, nobody says when', { expires_at => at('1 d'), status => 'revoked' });
invitation('to a team', { organization_id => undef, team_id => sub { "$_[0]01" }, expires_at => at('1 d') }, [sub { "invitation $_[0]01 to team: Rot" }, shown(at('-26 d')), 1]);
invitation('to an organization deleted at as-of', { expires_at => at('1 d') }, undef, { organizations => [{ deleted_at => at() }] });
invitation('to one deleted an instant after', { expires_at => at('1 d') }, [sub { "invitation $_[0]01 to organization: Org" }, shown(at('-26 d')), 1], { organizations => [{ deleted_at => at('1 us') }] });
invitation('to a team deleted at as-of', { organization_id => undef, team_id => sub { "$_[0]01" }, expires_at => at('1 d') }, undef, { teams => [{ deleted_at => at() }] });

# ---- trials ----
sub trial {
    my ($name, $trial, $found) = @_;
    finds("a trial $name", 'trial_ends', { subscriptions => [{ plan => 'essentials', seats => -1 }, { kind => 'trial', plan => 'trial', status => 'trialing', seats => 50, started_at => at('-11 d'), %$trial }] },
        $found ? [sub { "trial $_[0]02" }, @$found] : ());
}
trial('that ends in three days', { trial_ends_at => at('72 h') }, [shown(at('-11 d')), 3]);
trial('a second later: not yet', { trial_ends_at => at('72 h', '1 s') });
trial('a second sooner', { trial_ends_at => at('72 h', '-1 s') }, [shown(at('-11 d')), 2]);
trial('that ends a second after as-of', { trial_ends_at => at('1 s') }, [shown(at('-11 d')), 0]);
trial('that ends at as-of has ended, marked or not', { trial_ends_at => at() });
trial('of 336 h without a written end', { started_at => at('-264 h') }, [shown(at('-264 h')), 3]);
trial('of 336 h, begun a second later: not yet', { started_at => at('-264 h', '1 s') });
trial('without end', { trial_ends_at => 'infinity' });
trial('ended at as-of', { trial_ends_at => at('1 d'), status => 'ended', ended_at => at() });
trial('ended since: live then', { trial_ends_at => at('1 d'), status => 'ended', ended_at => at('1 d') }, [shown(at('-11 d')), 1]);
trial('that begins an instant after as-of', { started_at => at('1 us'), trial_ends_at => at('1 d') });

# ---- activation codes ----
sub code {
    my ($name, $code, $found) = @_;
    finds("a code $name", 'code_unused', { activation_codes => [{ issued_at => at('-30 d'), period_end => at('9 d', '-1 s'), %$code }] }, $found ? $found : ());
}
my $issued = day(30);
code('nobody has verified', {}, ["enterprise code, issued $issued, not verified", shown(at('-30 d')), 8]);
code('verified at as-of', { verified_at => at() }, ["enterprise code, issued $issued, verified", shown(at('-30 d')), 8]);
code('verified an instant after', { verified_at => at('1 us') }, ["enterprise code, issued $issued, not verified", shown(at('-30 d')), 8]);
code('redeemed at as-of', { verified_at => at('-3 d'), redeemed_at => at() });
code('redeemed an instant after', { plan => 'pro', verified_at => at('-3 d'), redeemed_at => at('1 us') }, ["pro code, issued $issued, verified", shown(at('-30 d')), 8]);
code('whose own period is over at as-of', { period_end => at() });
code('whose own period is over a second later', { period_end => at('1 s') }, ["enterprise code, issued $issued, not verified", shown(at('-30 d')), 0]);
code('without an end', { period_end => undef }, ["enterprise code, issued $issued, not verified", shown(at('-30 d')), undef]);
code('that is endless', { period_end => 'infinity' }, ["enterprise code, issued $issued, not verified", shown(at('-30 d')), undef]);
code('issued at as-of', { issued_at => at() }, ['enterprise code, issued 2026-03-31, not verified', shown(at()), 8]);
code('issued an instant after', { issued_at => at('1 us') });
code('issued late in the UTC day', { issued_at => at('-30 d', '-1 s') }, ['enterprise code, issued ' . day(31) . ', not verified', shown(at('-30 d', '-1 s')), 8]);

# ---- seats ----
sub seats {
    my ($name, $seats, $people, $given, @rows) = @_;
    my $n = 0;
    finds($name, 'over_seats', { users => many($people), licenses => [map { { user_id => ++$n } } 1 .. $people], subscriptions => [{ plan => 'pro', seats => $seats }], %$given }, @rows);
}
my $live_trial = { kind => 'trial', plan => 'trial', status => 'trialing', seats => 50, started_at => at('-1 d') };
seats('L2 three people on two seats', 2, 3, {}, ['3 of 2 seats used', undef, undef]);
seats('L2 three people on three seats', 3, 3, {});
seats('L2 unlimited seats', -1, 3, {});
seats('L2 nobody knows how many were bought', undef, 3, {});
seats('I3 someone invited uses a seat', 2, 2, { organizations => [{}], invitations => [{ organization_id => 1, sent_at => at('-2 d') }] }, ['3 of 2 seats used', undef, undef]);
seats('I3 a lapsed invitation does not', 2, 2, { organizations => [{}], invitations => [{ organization_id => 1, sent_at => at('-720 h') }] });
seats('P4 a live trial has 50', 2, 3, { subscriptions => [{ plan => 'pro', seats => 2 }, $live_trial] });
seats('P4 a trial that is over has none', 2, 3, { subscriptions => [{ plan => 'pro', seats => 2 }, { %$live_trial, trial_ends_at => at() }] }, ['3 of 2 seats used', undef, undef]);
seats('a license revoked at as-of', 2, 2, { users => many(3), licenses => [{}, { user_id => 2 }, { user_id => 3, revoked_at => at() }] });
seats('a license granted an instant after', 2, 2, { users => many(3), licenses => [{}, { user_id => 2 }, { user_id => 3, granted_at => at('1 us') }] });

# ---- storage rules ----
sub rules {
    my ($name, $account, $organization, $found, $more) = @_;
    my @of = $account ? { organization_id => 0, cloud_sync => 0, local_vault => 0, git_sync => 0, %$account } : ();
    finds("storage: $name", 'storage_rule_conflict', { organizations => [{ name => 'Org', %{ $more || {} } }], storage_rules => [@of, { organization_id => 1, cloud_sync => 0, local_vault => 0, git_sync => 0, %$organization }] },
        $found ? [sub { "$found allowed to organization $_[0]01: Org" }, undef, undef] : ());
}
rules('the account forbids Git Sync, an organization allows it', {}, { git_sync => $true }, 'Git Sync');
rules('all three', {}, { git_sync => $true, cloud_sync => $true, local_vault => $true }, 'cloud sync, local vault, Git Sync');
rules('one of three', { cloud_sync => $true, git_sync => $true }, { git_sync => $true, cloud_sync => $true, local_vault => $true }, 'local vault');
rules('both allow it', { git_sync => $true }, { git_sync => $true });
rules('the organization forbids what the account allows', { git_sync => $true }, {});
rules('the account has no rule', undef, { git_sync => $true });
rules('what the account does not say is forbidden', { git_sync => undef }, { git_sync => $true }, 'Git Sync');
rules('what the organization does not say is not allowed', {}, { git_sync => undef });
rules('a personal workspace\'s rule is one', {}, { git_sync => $true }, 'Git Sync', { is_personal => $true });
rules('an organization deleted at as-of', {}, { git_sync => $true }, undef, { deleted_at => at() });
rules('an organization deleted an instant after', {}, { git_sync => $true }, 'Git Sync', { deleted_at => at('1 us') });
rules('an organization made an instant after as-of', {}, { git_sync => $true }, undef, { created_at => at('1 us') });

# ---- the personal workspace ----
sub personal {
    my ($name, $organizations, $since) = @_;
    finds("personal workspace: $name", 'no_personal_workspace', { organizations => $organizations }, defined $since ? [undef, $since, undef] : ());
}
my $made = '2020-01-01T00:00:00Z';
personal('none, since the account is', [], $made);
personal('other organizations are none', [{}], $made);
personal('there', [{}, { is_personal => $true }]);
personal('inactive, but there', [{ is_personal => $true, status => 'inactive' }]);
personal('deleted at as-of', [{ is_personal => $true, deleted_at => at() }], shown(at()));
personal('deleted an instant after', [{ is_personal => $true, deleted_at => at('1 us') }]);
personal('deleted, and a new one', [{ is_personal => $true, deleted_at => at('-9 d') }, { is_personal => $true, created_at => at('-9 d') }]);
personal('made an instant after as-of', [{ is_personal => $true, created_at => at('1 us') }], $made);

# ---- organizations that nobody opens (O7, A4, A8) ----
sub opened {
    my ($name, $given, $since, $organization) = @_;
    finds("O7 $name", 'organization_not_opened', { users => [{}], organizations => [{ name => 'Org', %{ $organization || {} } }], organization_members => [{}], %$given },
        defined $since ? [sub { "organization $_[0]01: Org" }, $since eq 'never' ? undef : "${since}T00:00:00Z", undef] : ());
}
sub activity { return { user_activity => [{ @_ }] } }
opened('nobody ever', {}, 'never');
opened('nobody is in it', { organization_members => [] }, 'never');
opened('last opened 90 days ago', activity(last_opened_at => at('-90 d')));
opened('last opened in the 91st day\'s last instant', activity(last_opened_at => at('-90 d', '-1 us')), day(91));
opened('a day with details 90 days ago', { user_activity_days => [{ day => day(90) }] });
opened('a day with details 91 days ago', { user_activity_days => [{ day => day(91) }] }, day(91));
opened('A8 the later of both', { user_activity => [{ last_opened_at => at('-200 d') }], user_activity_days => [{ day => day(95) }] }, day(95));
opened('A8 an opening after as-of does not count', activity(last_opened_at => at('1 us')), 'never');
opened('A8 nor a day after it', { user_activity_days => [{ day => day(-1) }] }, 'never');
opened('A8 an opening at as-of', activity(last_opened_at => at()));
opened('A4 no opening known: the login', activity(last_login_at => at('-90 d')));
opened('A4 a login 91 days ago', activity(last_login_at => at('-91 d')), day(91));
opened('A4 an opening that is known speaks, not the login', activity(last_opened_at => at('-100 d'), last_login_at => at('-1 d')), day(100));
opened('A4 an opening before 2025-05-20: the login', activity(last_opened_at => at('2025-05-19'), last_login_at => at('-1 d')));
opened('A4 a login after as-of does not count', activity(last_login_at => at('1 us')), 'never');
opened('the last of several people', { users => many(3), organization_members => [{}, { user_id => 2 }, { user_id => 3 }], user_activity => [{ last_opened_at => at('-300 d') }, { user_id => 2, last_opened_at => at('-120 d') }] }, day(120));
opened('one of several people is enough', { users => many(3), organization_members => [{}, { user_id => 2 }], user_activity => [{ last_opened_at => at('-300 d') }, { user_id => 2, last_opened_at => at('-2 d') }] });
opened('by way of a team is access', { organization_members => [{ via => 'team' }], user_activity => [{ last_opened_at => at('-2 d') }] });
opened('someone without access does not count', { users => many(2), user_activity => [{ user_id => 2, last_opened_at => at('-2 d') }] }, 'never');
opened('who left at as-of does not count', { organization_members => [{ left_at => at() }], user_activity => [{ last_opened_at => at('-2 d') }] }, 'never');
opened('who leaves an instant after does', { organization_members => [{ left_at => at('1 us') }], user_activity => [{ last_opened_at => at('-2 d') }] });
opened('who joins an instant after does not', { organization_members => [{ joined_at => at('1 us') }], user_activity => [{ last_opened_at => at('-2 d') }] }, 'never');
opened('90 days old', {}, undef, { created_at => at('-90 d') });
opened('an instant older', {}, 'never', { created_at => at('-90 d', '-1 us') });
opened('a personal workspace is not judged', {}, undef, { is_personal => $true });
opened('nor an inactive one', {}, undef, { status => 'inactive', inactive_since => at() });
opened('one that became inactive an instant after is', {}, 'never', { status => 'inactive', inactive_since => at('1 us') });
opened('nor one that is inactive, nobody says since when', {}, undef, { status => 'inactive' });
opened('nor one deleted at as-of', {}, undef, { deleted_at => at() });
opened('one deleted an instant after is', {}, 'never', { deleted_at => at('1 us') });

# ---- accounts set aside ----
sub aside { my ($name, $rows, @found) = @_; finds("set aside $name", 'set_aside', {}, @found); $cases[-1][4] = $rows }
aside('by a job', [['end-trials', '2 live trials', at()]], ['end-trials: 2 live trials', shown(at()), undef]);
aside('an instant after as-of', [['end-trials', '2 live trials', at('1 us')]]);
aside('by two jobs', [['end-trials', '2 live trials', at('-1 d')], ['downgrade-plans', 'no base', at('-3 d')]],
    ['downgrade-plans: no base', shown(at('-3 d')), undef], ['end-trials: 2 live trials', shown(at('-1 d')), undef]);

# ---- accounts ----
finds('an account made at as-of is looked at', 'no_owner', { account => { created_at => at() } }, ['no owner, 0 co-owners', undef, undef]);
finds('one made an instant after is not', 'no_owner no_personal_workspace', { account => { created_at => at('1 us') } });

my $db = Lapse::database();
my $f = Fixture->new($db);
for my $case (@cases) { # an account's own ids where they are asked for
    my $account = $db->{next_account};
    for my $row (map { @$_ } grep { ref eq 'ARRAY' } values %{ $case->[2] }) { $_ = $_->($account) for grep { ref eq 'CODE' } values %$row }
    $case->[3] = [map { [map { ref eq 'CODE' ? $_->($account) : $_ } @$_] } @{ $case->[3] }];
    $case->[5] = $f->case($case->[0], $case->[2]);
    push @quarantine, map { [$case->[5], @$_] } @{ $case->[4] || [] };
}
# One of each, in one account: how an account's rows sort.
my $sorted = $f->case('sorted', {
    users => [{}], organizations => [{ organization_id => 990 }, { organization_id => 1009 }, { organization_id => 995, name => 'Dritte' }], organization_members => [],
    invitations => [map { { invitation_id => $_, organization_id => 990, sent_at => at('-26 d') } } 88_000_100, 88_000_020],
    activation_codes => [map { { code_hash => $_, period_end => undef, issued_at => at($_ eq 'Zz' ? '-2 d' : '-1 d') } } 'aa', 'Zz'],
    account_members => [{ role => 'owner' }],
});
my $twin = $f->case('sorted after it', { account_members => [] });
$f->load;
$db->sql('INSERT INTO lapse.quarantine (account_id, job, reason, since, run_id) VALUES ' . join(', ', map { "($_->[0], '$_->[1]', '$_->[2]', '$_->[3]', 1)" } @quarantine));

sub report {
    my ($as_of, @options) = @_;
    our $runs;
    my $out = $db->dir . '/out' . ++$runs;
    my $r = $db->lapse_env({ TZ => 'America/New_York', PGTZ => 'America/New_York' }, 'run', 'attention-report', '--as-of', $as_of, '--format', 'csv', '--out', $out, @options);
    is $r->{status}, 0, "the run ends well (as of $as_of @options)" or diag $r->{stderr};
    return "$out/" . substr($as_of, 0, 10) . '/attention-report.csv';
}
my $file = report($Fixture::as_of);
my $rows = Fixture::report($file);
for (@cases) {
    my ($name, $findings, undef, $want, undef, $account) = @$_;
    my %asked = map { $_ => 1 } split / /, $findings;
    my @got = map { [@$_{'Detail', 'Since', 'Days Left'}] } grep { $asked{ $_->{Finding} } } @{ $rows->{$account} || [] };
    is_deeply \@got, $want, $name;
}
# Which of two findings it is that a table of several tells.
my %finding = map { my ($name, $account) = @$_[0, 5]; $name => join ' ', map { $_->{Finding} } grep { $_->{Finding} =~ /owner|scim/ } @{ $rows->{$account} || [] } } @cases;
is $finding{'co-owners are no owner'}, 'no_owner', 'an account with co-owners alone: no_owner';
is $finding{'one owner is no second one'}, 'no_second_owner', 'an account with one owner: no_second_owner';
is $finding{'M6 a token that ends a second after as-of'}, 'no_owner scim_token_ends', 'a token with a second left: scim_token_ends';
is $finding{'M6 one that ends at as-of has expired'}, 'no_owner scim_token_expired', 'a token that ends at as-of: scim_token_expired';

is_deeply [map { [@$_{'Finding', 'Detail'}] } @{ $rows->{$sorted} }], [
    ['code_unused', 'enterprise code, issued ' . day(2) . ', not verified'], ['code_unused', 'enterprise code, issued ' . day(1) . ', not verified'],
    ['invitation_ends', 'invitation 88000020 to organization: Org'], ['invitation_ends', 'invitation 88000100 to organization: Org'],
    ['no_personal_workspace', undef], ['no_second_owner', 'one owner, no co-owner'],
    ['organization_not_opened', 'organization 990: Org'], ['organization_not_opened', 'organization 995: Dritte'], ['organization_not_opened', 'organization 1009: Org'],
], 'an account\'s rows sort by finding, then the entity\'s key: numbers as numbers, texts byte by byte';
{
    my (undef, @lines) = Lapse::csv($file);
    is_deeply [map { $_->[0] } @lines], [sort { $a <=> $b } map { $_->[0] } @lines], 'accounts sort as numbers';
    my $text = Lapse::slurp($file);
    unlike $text, qr/\@(?!SUM)/, 'no row tells an address';
    unlike $text, qr/code-\d|,aa,|Zz/, 'no row tells a code';
    is Lapse::slurp(report($Fixture::as_of)), $text, 'a rerun gives the same bytes';
    my (undef, @asked) = Lapse::csv(report($Fixture::as_of, '--account', "$sorted,$twin"));
    is_deeply \@asked, [grep { $_->[0] == $sorted || $_->[0] == $twin } @lines], '--account gives these accounts\' rows alone';
}

# ---- whole UTC days where days are meant, instants where hours are ----
{
    my $late = Fixture::report(report('2026-03-31T23:59:59Z'));
    my %rows = map { my ($name, $findings, $account) = @$_[0, 1, 5]; my %asked = map { $_ => 1 } split / /, $findings; $name => [map { [@$_{'Finding', 'Days Left'}] } grep { $asked{ $_->{Finding} } } @{ $late->{$account} || [] }] } @cases;
    is_deeply $rows{'O7 last opened 90 days ago'}, [], 'O7 as of the day\'s end, 90 days ago is still 90 days ago';
    is_deeply $rows{'O7 90 days old'}, [], 'O7 as of the day\'s end, a 90 days old organization still is';
    is_deeply $rows{'O7 A8 an opening after as-of does not count'}, [], 'O7 as of the day\'s end, an opening on that day counts';
    is_deeply $rows{'M6 a token that ends in 20 days'}, [['scim_token_ends', 19]], 'M6 as of the day\'s end, 20 days are 19 and some hours';
    is_deeply $rows{'M6 a second later: not yet'}, [['scim_token_ends', 19]], 'M6 ... and one that was to come has come';
    is_deeply $rows{'an invitation that ends a second after as-of'}, [], 'an invitation that has ended during the day is not told';
}

# ---- holds ----
{
    my $held = Lapse::database();
    my @holds = (['at as-of', at(), undef, undef, 1], ['an instant after', at('1 us'), undef, undef, 0], ['until as-of', at('-2 d'), at(), undef, 0],
        ['until an instant after', at('-2 d'), at('1 us'), undef, 1], ['released at as-of', at('-2 d'), undef, at(), 0],
        ['released an instant after', at('-2 d'), undef, at('1 us'), 1], ['three days to go', at('-2 d'), at('80 h'), undef, 1]);
    my $value = sub { defined $_[0] ? "'$_[0]'" : 'NULL' };
    for my $i (0 .. $#holds) {
        my ($name, @instants) = @{ $holds[$i] };
        $held->sql("INSERT INTO saas.accounts VALUES ($i + 1, '$name', '2025-01-01'); INSERT INTO lapse.holds (account_id, reason, held_at, held_until, released_at)
            VALUES ($i + 1, 'why', " . join(', ', map { $value->($_) } @instants[0 .. 2]) . ')');
    }
    is $held->lapse('run', 'attention-report', '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $held->dir . '/out')->{status}, 0, 'the run ends well over holds';
    my (undef, @lines) = Lapse::csv($held->dir . "/out/$Fixture::as_of/attention-report.csv");
    my %shown = map { $_->[1] => $_ } grep { $_->[2] eq 'account_held' } @lines;
    is !!$shown{ $_->[0] }, !!$_->[4], "a hold $_->[0]" for @holds;
    is_deeply [@{ $shown{'three days to go'} }[3 .. 5]], ['why', shown(at('-2 d')), 3], 'a hold says why, since when, and for how long';
}

# ---- the demo has one of each ----
{
    my $demo = Lapse::database();
    $demo->load(sort glob "$Lapse::top/sql/demo/*.sql");
    my $out = $demo->dir . '/out';
    my $r = $demo->lapse('run', 'attention-report', '--as-of', '2026-03-31', '--format', 'csv', '--out', $out);
    is $r->{status}, 0, 'the run ends well over the demo' or diag $r->{stderr};
    my (undef, @lines) = Lapse::csv("$out/2026-03-31/attention-report.csv");
    my %kinds = map { $_->[2] => 1 } @lines;
    my $help = $demo->lapse('help', 'attention-report')->{stdout};
    my @told = $help =~ /^  ([a-z]+(?:_[a-z]+)+) /mg;
    is_deeply [sort keys %kinds], [sort @told], 'the demo has each finding that the help tells of, and no other';
    my %has = map { ("$_->[0] $_->[2]" => 1) } @lines;
    ok $has{$_}, "the demo: $_" for '1 scim_token_ends', '4 over_seats', '6 scim_token_expired', '12 code_unused', '14 storage_rule_conflict', '22 code_unused', '38 organization_not_opened',
        '41 trial_ends', '45 organization_not_opened', '501 invitation_ends', '600 set_aside', '601 no_owner', '612 no_personal_workspace', '613 no_second_owner', '613 account_held', '710 scim_token_ends';
    ok !$has{$_}, "the demo: not $_" for '602 no_second_owner', '37 code_unused', '31 trial_ends';
}
done_testing;
