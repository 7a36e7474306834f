# The same data give the same bytes, whatever plans the server chooses and however its rows lie: reports,
# dry runs, plans and explanations over data full of ties (people without an e-mail, equal names, equal
# instants, rows that a job changed twice on one date), once for each way in which the server can be made
# to join, group and read.
#
#     LAPSE_TEST_SEED=N      to repeat a run: the seed is printed
use strict;
use warnings;
use JSON::PP ();
use List::Util qw(first max);
use Test::More;
use Lapse;
use Fixture;
use States;

my $as_of = '2026-03-31';
my $seed = $ENV{LAPSE_TEST_SEED} || time ^ $$;
diag "LAPSE_TEST_SEED=$seed";

# How the server is made to go about it.
my @ways = (
    ['as it likes'],
    ['nested loops', qw(enable_hashjoin=off enable_mergejoin=off)],
    ['merge joins, no hash', qw(enable_hashjoin=off enable_nestloop=off enable_hashagg=off)],
    ['hash joins, no sort', qw(enable_mergejoin=off enable_nestloop=off enable_sort=off enable_incremental_sort=off)],
    ['no index', qw(enable_indexscan=off enable_indexonlyscan=off enable_bitmapscan=off)],
    ['indexes alone', qw(enable_seqscan=off enable_hashjoin=off enable_material=off enable_memoize=off)],
    ['in parallel', qw(enable_nestloop=off max_parallel_workers_per_gather=1 parallel_setup_cost=0 parallel_tuple_cost=0 min_parallel_table_scan_size=0
        min_parallel_index_scan_size=0)],
);

# ---- data full of ties ----

my $states = States->new(Lapse::database(), seed => $seed, accounts => 25)->load;
my $db = $states->{db};
my $f = Fixture->new($db);
my $then = at('-40 d');

# Nobody here can be told apart but by id. Licensed without access 1 to 8; licensed twice at once 9 to 16;
# with access and no license 17 to 24; captured, where two seats are free, 25 to 34; unmanaged 35 to 40.
sub crowd {
    my $domain = 'd1.a' . $f->{next} . '.example';
    my @each = (invoice_number => 'INV-1', seats => 3, period_start => at('-10 d'), period_end => at('+20 d'), status => 'open');
    my $n = 0;
    $f->case('Crowd', {
        users => [(map { { email => undef, signed_up_at => $then } } 1 .. 24), (map { { email => "u$_\@$domain", signed_up_at => at('-1 d') } } 25 .. 34),
            map { { email => "u$_\@$domain", signed_up_at => $then } } 35 .. 40],
        subscriptions => [{ plan => 'enterprise', seats => 21, unit_amount => 100, currency => 'EUR', period_end => at('+50 d') }],
        account_members => [map { { user_id => $_, role => 'co_owner', joined_at => $then } } 9 .. 12],
        organizations => [({ name => 'Twin' }) x 3], teams => [({ name => 'Twin' }) x 3],
        licenses => [(map { { user_id => $_, granted_at => $then } } 1 .. 8), map { my $user = $_; map { { user_id => $user, source => $_, granted_at => $then } } qw(scim manual invitation) } 9 .. 16],
        organization_members => [map { my $user = $_; map { { organization_id => $_, user_id => $user, joined_at => $then } } 1 .. 3 } 9 .. 24],
        team_members => [map { my $user = $_; map { { team_id => $_, user_id => $user, joined_at => $then } } 1 .. 3 } 9 .. 14],
        team_organizations => [{ linked_at => $then }, { team_id => 2, linked_at => $then }, { team_id => 3, organization_id => 2, linked_at => $then }],
        invitations => [(map { { email => undef, organization_id => $_, sent_at => at('-28 d') } } 1 .. 3), map { { email => undef, team_id => $_, sent_at => at('-30 d') } } 1 .. 3],
        user_activity => [map { { user_id => $_, last_opened_at => at("-$_ d") } } 1 .. 24],
        domains => [{ domain => $domain, capture_enabled_at => at('-2 d') }, { domain => uc $domain }],
        # one invoice bills three plans at once, none of them the account's
        billing_lines => [map { { @each, line_number => ++$n, plan => $_, amount => 100 * $n } } qw(pro trial essentials)],
    });
}

# Paid in one invoice for two plans, and ended; with too many people for Git Sync.
sub fallen {
    my @each = (invoice_number => 'INV-1', period_start => at('-10 d'), period_end => at('+20 d'));
    $f->case('Fallen', { subscriptions => [{ plan => 'essentials', started_at => at('-5 d') }, { plan => 'enterprise', status => 'ended', ended_at => at('-5 d') }],
        users => [({}) x 4], organizations => [{ git_sync_enabled => JSON::PP::true, created_at => at('-4 d') }],
        organization_members => [map { { user_id => $_ } } 1 .. 4],
        billing_lines => [{ @each, plan => 'pro', amount => 1 }, { @each, line_number => 2, plan => 'enterprise', amount => 2 }] });
}

# What a job changes, somebody puts back another way, and the job changes again on the same date.
my %again = map { $_ => [] } qw(lapsed ended back);
sub again {
    push @{ $again{lapsed} }, $f->case('Lapsed twice', { subscriptions => [{ plan => 'pro', period_end => at('-1 d') }] });
    push @{ $again{ended} }, $f->case('Ended twice', { subscriptions => [{ plan => 'pro', period_end => at('+9 d') }, { plan => 'trial', kind => 'trial', status => 'trialing', started_at => at('-15 d') }] });
    push @{ $again{back} }, $f->case('Back twice', { subscriptions => [{ plan => 'pro', period_end => at('+9 d') }],
        organizations => [{ status => 'inactive', inactive_since => at('-9 d'), inactive_reason => 'trial_ended' }] });
}
for (1 .. 8) { crowd(); fallen(); again() }
$f->load;
my $crowd = $f->{cases}[0]{account};

# Ids that the database gives soon have a digit more.
$db->sql("SELECT setval(pg_get_serial_sequence('saas.$_->[0]', '$_->[1]'), 999999970)") for ['licenses', 'license_id'], ['subscriptions', 'subscription_id'], ['plan_changes', 'change_no'];

# Some rows move to the end of their table, and their order is another one.
sub stir {
    my @first = map { "$_->[0] SET $_->[1] = $_->[1]" } $db->rows("SELECT c.table_schema || '.' || c.table_name, c.column_name FROM information_schema.columns c
        JOIN information_schema.tables t USING (table_schema, table_name)
        WHERE c.table_schema IN ('saas', 'lapse') AND c.ordinal_position = 1 AND c.is_identity = 'NO' AND t.table_type = 'BASE TABLE'");
    $db->sql(join ';', 'SELECT setseed(' . $seed % 1000 / 1000 . ')', map { "UPDATE $_ WHERE random() < 0.4" } @first);
}

# ---- what is compared ----

sub lapse {
    my ($way, @words) = @_;
    my (undef, @settings) = @$way;
    my $r = $db->lapse_env({ PGOPTIONS => join ' ', map { "-c $_" } @settings }, '--set', 'rules.release_unused_seats_after=10 d', @words);
    die "lapse @words: $r->{stderr}" unless $r->{status} == 0 || $r->{status} == 83;
    return $r->{stdout};
}

# A run's number and ids that the database gave are of one try alone.
sub named { return States::named_text($_[0]) =~ s/\b\d{9,}\b/new/gr }
sub files { my ($dir) = @_; return map { ((split m{/})[-1] => Lapse::slurp($_)) } glob "$dir/$as_of/*.{csv,xlsx}" }

# What would be done, from the state before: the change jobs' reports and rows, the report jobs' reports.
sub would_do {
    my ($n, $way) = @_;
    my $dir = $db->dir . "/before-$n";
    my $tried = join '', grep { /"entity":/ } split /^/, lapse($way, '--json', 'run', '--all', '--as-of', $as_of, '--dry-run', '--format', 'csv', '--out', $dir);
    my @changing = qw(expire-invitations end-trials downgrade-plans flag-inactive-organizations reconcile-teams verify-domains capture-domain-users check-git-sync);
    lapse($way, 'plan', @changing, '--as-of', $as_of, '-o', "$dir.plan");
    my %of = (files($dir), 'the rows of the dry run' => $tried, 'a plan' => Lapse::slurp("$dir.plan"),
        map { $_->[0] => lapse($way, 'explain', @$_, '--as-of', $as_of) } ['reconcile-seats', $crowd], ['capture-domain-users', $crowd . '/' . ($crowd * 100 + 25)]);
    return { map { $_ => named($of{$_}) } keys %of };
}

# What stands, behind the runs.
sub published {
    my ($n, $way) = @_;
    my $dir = $db->dir . "/after-$n";
    lapse($way, 'run', '--all', '--as-of', $as_of, '--month', '2026-03', '--out', $dir);
    return { files($dir) };
}

sub first_difference {
    my ($name, $now, $first) = @_;
    my @sides = map { [split /^/] } $first, $now;
    my $n = first { ($sides[0][$_] // '') ne ($sides[1][$_] // '') } 0 .. max map { $#$_ } @sides;
    diag "$name, line " . ($n + 1) . ":\n", map { '  ' . ($_->[$n] // "nothing\n") } @sides;
}

sub same_every_way {
    my ($name, $told) = @_;
    my $first;
    for my $n (0 .. $#ways) {
        my $way = $ways[$n];
        stir() if $n;
        my $now = $told->($n, $way);
        $first //= $now;
        my @differ = grep { ($now->{$_} // '') ne ($first->{$_} // '') } sort keys %{ { %$first, %$now } };
        is_deeply \@differ, [], "$name, $way->[0]: the same bytes";
        first_difference($_, $now->{$_}, $first->{$_}) for grep { !/\.xlsx$/ } @differ;
    }
    return $first;
}

# ---- before, and after ----

my $before = same_every_way('what would be done', \&would_do);
is scalar(() = $before->{'capture-domain-users'} =~ /^the account captures the domain /mg), 1, 'a domain that stands twice is told once';
cmp_ok $before->{$_} =~ tr/\n//, '>', 5, "there is something to tell in $_" for sort grep { !/^(?:plan-changes-report|unmanaged-users-report-.*)\.csv$/ } keys %$before;

# Whoever puts something back does it another way, so that the second row says something else.
sub accounts { return 'account_id IN (' . join(', ', @{ $again{ $_[0] } }) . ')' }
lapse($ways[0], 'run', '--all', '--as-of', $as_of, '--out', $db->dir . '/once');
$db->sql(join ';', "UPDATE saas.subscriptions SET status = 'ended', ended_at = started_at, end_reason = 'mistake' WHERE status = 'active' AND " . accounts('lapsed'),
    "UPDATE saas.subscriptions SET status = 'active', ended_at = NULL, end_reason = NULL, plan = 'enterprise' WHERE plan = 'pro' AND " . accounts('lapsed'),
    "UPDATE saas.subscriptions SET plan = 'enterprise' WHERE kind = 'base' AND " . accounts('ended'),
    "UPDATE saas.subscriptions SET status = 'trialing', ended_at = NULL, end_reason = NULL WHERE kind = 'trial' AND " . accounts('ended'),
    "UPDATE saas.organizations SET status = 'inactive', inactive_since = '2026-03-30', inactive_reason = 'enterprise_ended' WHERE " . accounts('back'));
same_every_way('what was done', \&published);
my %twice = ('downgrade-plans' => 'lapsed', 'end-trials' => 'ended', 'flag-inactive-organizations' => 'back');
for my $job (sort keys %twice) {
    my ($header, @rows) = Lapse::csv($db->dir . "/after-0/$as_of/$job.csv");
    my %rows;
    $rows{ $_->[0] }++ for @rows;
    is_deeply [map { $rows{$_} } @{ $again{ $twice{$job} } }], [(2) x 8], "$job tells of both changes of one date";
}

# ---- the terminal ----

# A run that was undone piece by piece.
$db->sql("INSERT INTO lapse.undone (account_id, change_id, undo_run, entity, by_id)
    SELECT account_id, change_id, 10 - (row_number() OVER (ORDER BY change_id) % 2), entity, '-'
    FROM lapse.changes WHERE run_id = (SELECT min(run_id) FROM lapse.runs WHERE job = 'expire-invitations')");
like lapse($ways[0], 'history', 'expire-invitations'), qr/ by 9, by 10$/m, 'history tells what undid a run in the order of the runs';
done_testing;
