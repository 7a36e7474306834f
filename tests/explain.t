# explain: its verdict is the dry run's for every entity, its words agree with the verdict, and the
# instant it names is right to the second.
use strict;
use warnings;
use Test::More;
use JSON::PP qw(decode_json);
use Lapse;

my $as_of = '2026-03-31';
my $db = Lapse::database();
$db->load(sort glob "$Lapse::top/sql/demo/*.sql");
my $accounts = join ',', map { $_->[0] } $db->rows('SELECT account_id FROM saas.accounts ORDER BY 1');
my %highest = map { $_ => $db->one("SELECT max(subscription_id) FROM saas.$_") } 'subscriptions';
sub state_of { return $db->one("SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM $_[0] t") }
my %before = map { $_ => state_of($_) } qw(saas.subscriptions saas.invitations saas.organizations saas.licenses saas.domains lapse.holds);

# What a dry run would change, by the entities that explain tells of.
sub tried {
    my (@words) = @_;
    my $r = $db->lapse('run', @words, '--dry-run', '--json');
    die $r->{stderr} unless $r->{status} == 0 || $r->{status} == 83;
    my %tried;
    for my $c (grep { $_->{entity} } map { decode_json($_) } split /\n/, $r->{stdout}) {
        my ($entity, $id) = @$c{qw(entity entity_id)};
        $id = "$c->{after}{organization_id}/$c->{after}{user_id}" if $entity eq 'organization_members' && !defined $c->{before};
        $id = $c->{after}{user_id} if $entity eq 'licenses' && !defined $c->{before};
        next if !defined $id || $entity eq 'subscriptions' && $id > $highest{subscriptions}; # made by the run itself
        $id =~ s{^(\d+/\d+)/.*}{$1} if $entity eq 'organization_members';
        $tried{ $c->{job} }{"$entity $c->{account_id}/$id"} = 1;
    }
    return \%tried;
}

sub explained {
    my (@words) = @_;
    my $r = $db->lapse('--json', 'explain', @words);
    return decode_json($r->{stdout}) if $r->{status} == 0;
    diag "explain @words: $r->{stderr}";
    return { entities => [] };
}

# By the words: some action of which every condition holds, and nothing that keeps the job away.
sub by_words {
    my ($e) = @_;
    my %all;
    for my $c (@{ $e->{conditions} }) {
        $all{ $c->{action} } //= 1;
        $all{ $c->{action} } = 0 unless $c->{holds};
    }
    return !$e->{held} && !defined $e->{set_aside} && grep { $_ } values %all;
}

# ---- every entity of the demo ----
my %kinds = (
    'expire-invitations' => ['invitations'], 'end-trials' => ['subscriptions'],
    'downgrade-plans' => [qw(domains scim_connections subscriptions)], 'flag-inactive-organizations' => ['organizations'],
    'reconcile-teams' => [qw(organization_members scim_events)], 'verify-domains' => ['domains'],
    'capture-domain-users' => ['licenses'], 'check-git-sync' => ['organizations'], 'reconcile-seats' => ['licenses'], 'reconcile-billing' => ['subscriptions'],
);
my @jobs = map { $_->{job} } grep { $_->{kind} eq 'change' } map { decode_json($_) } split /\n/, $db->lapse('jobs', '--json')->{stdout};
my %found; # entities by job
my @release = ('--set', 'rules.release_unused_seats_after=10 d', '--set', 'job.reconcile-billing.apply_renewals=yes');
for my $job (grep { $kinds{$_} } @jobs) {
    for my $when ('2025-12-15', $as_of, '2026-05-01T12:00:00Z') {
        my $x = explained($job, $accounts, '--as-of', $when, @release);
        my (%due, @differ, %seen);
        for my $e (@{ $x->{entities} }) {
            my $key = "$e->{entity} $e->{account_id}/$e->{entity_id}";
            $due{$key} = 1 if $e->{due};
            $seen{ $e->{entity} } = 1;
            push @differ, $key if !!$e->{due} != !!by_words($e);
        }
        my $tried = tried($job, '--as-of', $when, @release)->{$job} // {};
        my %kind = map { $_ => 1 } @{ $kinds{$job} };
        is_deeply [sort keys %due], [grep { my ($entity) = split / /; $kind{$entity} && !($job eq 'reconcile-teams' && $entity eq 'licenses') } sort keys %$tried], "$job as of $when: " . keys(%due) . ' are due, as a dry run has it';
        is_deeply \@differ, [], "$job as of $when: the words agree";
        is_deeply [sort keys %seen], $kinds{$job}, "$job tells of all it decides" if $when eq $as_of;
        $found{$job} = $x->{entities} if $when eq $as_of;
    }
}
is_deeply [grep { !$kinds{$_} } @jobs], [], 'every change job is explained';

# ---- when ----
# Of each kind some that are not due: those that have something to come first.
my %sampled;
for my $job (grep { $kinds{$_} } @jobs) {
    for my $kind (@{ $kinds{$job} }) {
        my @later = grep { $_->{entity} eq $kind && !$_->{due} } @{ $found{$job} };
        my @near = grep { grep { ($_->{instant} // '') ge "${as_of}T00:00:01Z" } @{ $_->{conditions} } } @later;
        my %taken;
        my @sample = grep { !$taken{"$_->{account_id}/$_->{entity_id}"}++ } @near[grep { $_ < @near } 0 .. 3, int(@near / 2)], @later[grep { $_ < @later } 0 .. 1];
        for my $e (@sample) {
            my $id = "$e->{account_id}/$e->{entity_id}";
            my $x = explained($job, $id, '--as-of', $as_of, @release);
            my ($one) = grep { $_->{entity} eq $kind } @{ $x->{entities} };
            next if !$one || !defined $one->{due_at};
            $sampled{"$job $kind"}++;
            my @run = (($one->{after_others} ? split /, /, $x->{waits_for} : ()), $job, '--account', $e->{account_id}, @release);
            my $second = $db->one("SELECT to_char(timestamptz '$one->{due_at}' - interval '1 s', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')");
            ok tried(@run, '--as-of', $one->{due_at})->{$job}{"$kind $id"}, "$job: $kind $id is due on $one->{due_at}" . ($one->{after_others} ? ', after the others' : '');
            ok !tried(@run, '--as-of', $second)->{$job}{"$kind $id"}, '... and not a second before' if $second ge "${as_of}T00:00:00Z";
        }
    }
}
diag explain \%sampled if $ENV{LAPSE_TEST_VERBOSE};
cmp_ok $sampled{"$_->[0] $_->[1]"} // 0, '>', 0, "$_->[0]: an instant of $_->[1] was looked at"
    for ['expire-invitations', 'invitations'], ['end-trials', 'subscriptions'], ['downgrade-plans', 'subscriptions'], ['downgrade-plans', 'domains'],
        ['flag-inactive-organizations', 'organizations'], ['reconcile-seats', 'licenses'];

# ---- one account ----
my ($account) = map { $_->[0] } $db->rows("SELECT account_id FROM saas.invitations WHERE status = 'pending' GROUP BY 1 HAVING count(*) BETWEEN 5 AND 20 ORDER BY 1");
my %listed = map { $_->{entity_id} => $_->{due} ? 'due' : $_->{due_at} } @{ explained('expire-invitations', $account, '--as-of', $as_of)->{entities} };
is_deeply \%listed, { map { $_->[0] => $_->[1] } $db->rows("SELECT invitation_id, CASE WHEN i.ends_at <= '$as_of' THEN 'due' ELSE to_char(i.ends_at, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') END
    FROM (SELECT invitation_id, coalesce(expires_at, sent_at + interval '720 hours') AS ends_at FROM saas.invitations WHERE status = 'pending' AND account_id = $account) i
    WHERE i.ends_at < timestamptz '$as_of' + interval '400 days'") }, 'an account alone: each invitation with its instant';

# ---- what keeps a job away ----
my $pending = $db->one("SELECT account_id || '/' || invitation_id FROM saas.invitations WHERE status = 'pending' AND expires_at <= '$as_of' AND account_id = $account ORDER BY 1 LIMIT 1");
$db->sql("INSERT INTO lapse.holds (account_id, reason, held_at, held_until) VALUES ($account, 'disputed', '$as_of', '2026-04-02T10:00:00Z')");
my ($e) = @{ explained('expire-invitations', $pending, '--as-of', $as_of)->{entities} };
is_deeply [@$e{qw(due due_at held_because held_until)}, scalar grep { !$_->{holds} } @{ $e->{conditions} }], [$e->{due}, '2026-04-02T10:00:00Z', 'disputed', '2026-04-02T10:00:00Z', 0], 'an account that is held: due when the hold ends, and the hold hides no condition';
ok !$e->{due}, '... and not before';
my $r = $db->lapse('explain', 'expire-invitations', $pending, '--as-of', $as_of);
like $r->{stdout}, qr/^invitation \d+ of account $account \(.*\) is not due as of 2026-03-31T00:00:00Z;\nit will be on 2026-04-02T10:00:00Z\n/, 'it says so in words';
like $r->{stdout}, qr/^account $account is held until 2026-04-02T10:00:00Z: disputed$/m, '... and by whose will';
is $db->lapse('explain', 'expire-invitations', $account, '--as-of', $as_of)->{status}, 0, 'so does the account';
$db->sql("DELETE FROM lapse.holds WHERE account_id = $account AND reason = 'disputed'");
my ($base) = grep { $_->{due} && $_->{entity} eq 'subscriptions' } @{ $found{'downgrade-plans'} };
$db->sql("INSERT INTO saas.subscriptions (account_id, kind, plan, channel, status, seats, started_at) VALUES ($base->{account_id}, 'base', 'pro', 'sales', 'active', 5, '2026-01-01')");
$r = $db->lapse('explain', 'downgrade-plans', "$base->{account_id}/$base->{entity_id}", '--as-of', $as_of);
like $r->{stdout}, qr/ is not due .*^account $base->{account_id} is set aside by this job until it is mended: 2 live base subscriptions$/ms, 'an account that the job sets aside, and why';
$db->sql("DELETE FROM saas.subscriptions WHERE subscription_id > $highest{subscriptions}");
my ($waiting) = grep { $_->{entity} eq 'subscriptions' && grep { $_->{condition} =~ /no trial is live/ && !$_->{holds} && $_->{figure} =~ /^trial \d+ ends$/ } @{ $_->{conditions} } } @{ $found{'downgrade-plans'} };
ok $waiting, 'a base under a live trial says which trial it waits for';

# ---- what cannot be explained ----
for (['66', 'expire-invitations', '999999'], ['66', 'expire-invitations', "$account,999999"], ['66', 'expire-invitations', "$account/1"], ['64', 'activity-report', $account], ['64', 'purge', $account],
    ['64', 'no-such-job', $account], ['64', 'expire-invitations', 'x'], ['64', 'expire-invitations', "$account/"], ['64', 'expire-invitations', "$account,2/5"], ['64', 'expire-invitations']) {
    my ($status, @words) = @$_;
    is $db->lapse('explain', @words)->{status}, $status, "explain @words ends with $status";
}
my ($done) = map { $_->[0] } $db->rows("SELECT account_id || '/' || invitation_id FROM saas.invitations WHERE status = 'accepted' ORDER BY 1 LIMIT 1");
$r = $db->lapse('explain', 'expire-invitations', $done, '--as-of', $as_of);
like $r->{stdout}, qr/is not due as of 2026-03-31T00:00:00Z, nor in the 400 days after.*^it is pending +no +it is accepted$/ms, 'what never will be due says why';
is_deeply { map { $_ => state_of($_) } keys %before }, \%before, 'nothing was changed';
done_testing;
