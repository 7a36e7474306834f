# Rules A1 to A8: who holds a license, and when they were last active.
use strict;
use warnings;
use Test::More;
use Lapse;
use Fixture;

# Rows of a report by e-mail: one licensed person each, in one account. What is given: the person's
# rows; what is expected: the columns that matter to the rule.
my (@people, $account);
sub person {
    my ($name, $given, $row) = @_;
    push @people, [$name, $given, $row];
}
my ($opened, $login) = ('opened', 'login');

# ---- A2: ages, by openings and by days with details ----
my %shows = (map({ $_ => [day($_), 'Active', $_] } 0, 1, 89, 90), map({ $_ => [undef, 'Aging', undef] } 91, 100), map({ $_ => ['N/A', 'Inactive', undef] } 101, 102, 200));
for my $age (sort { $a <=> $b } keys %shows) {
    my ($shown, $status, $days) = @{ $shows{$age} };
    my $row = { 'Last Active' => $shown, Status => $status, 'Days Since Active' => $days, 'Last Active Source' => defined $days ? $opened : undef };
    my $noon = $age ? at("-$age d", '12 h') : at();
    person("A2 age $age, by the last opening", { user_activity => [{ last_opened_at => $noon }] }, $row);
    person("A2 age $age, by a day with details", { user_activity_days => [{ day => day($age) }] }, $row);
}
person('A2 age 400 (openings before 2025-05-20 count where there is no login)', { user_activity => [{ last_opened_at => at('-400 d') }] }, { 'Last Active' => 'N/A', Status => 'Inactive', 'Days Since Active' => undef, 'Last Active Source' => undef });
person('A2 whole UTC days: opened the last instant of the day 90 days ago', { user_activity => [{ last_opened_at => at('-89 d', '-1 us') }] }, { 'Last Active' => day(90), Status => 'Active', 'Days Since Active' => 90 });
person('A2 whole UTC days: opened the first instant of the day 90 days ago', { user_activity => [{ last_opened_at => at('-90 d') }] }, { 'Last Active' => day(90), Status => 'Active' });
person('A2 whole UTC days: an instant before, it is 91', { user_activity => [{ last_opened_at => at('-90 d', '-1 us') }] }, { 'Last Active' => undef, Status => 'Aging' });
person('A2 whole UTC days: an instant before the 100th day, it is 101', { user_activity => [{ last_opened_at => at('-100 d', '-1 us') }] }, { 'Last Active' => 'N/A', Status => 'Inactive' });

# ---- A1, A3 ----
person('A3 never active, no row at all: N/A', {}, { 'Last Active' => 'N/A', Status => 'Never', 'Days Since Active' => undef, 'Last Active Source' => undef, 'Requests Created' => 0 });
person('A3 never active, an empty row', { user_activity => [{}] }, { 'Last Active' => 'N/A', Status => 'Never' });
person('A1 a license granted at as-of', { licenses => [{ granted_at => at(), source => 'capture' }] }, { 'License Granted' => '2026-03-31T00:00:00Z', 'License Source' => 'capture', Status => 'Never' });
person('A1 not one granted an instant after', { licenses => [{ granted_at => at('1 us') }] }, undef);
person('A1 one revoked an instant after as-of', { licenses => [{ revoked_at => at('1 us') }] }, { Status => 'Never' });
person('A1 not one revoked at as-of', { licenses => [{ revoked_at => at() }] }, undef);
person('A1 not one revoked before, whatever the activity', { licenses => [{ revoked_at => at('-1 d') }], user_activity => [{ last_opened_at => at('-2 d') }] }, undef);
person('A1 revoked and granted anew: one row', { licenses => [{ revoked_at => at('-9 d'), source => 'scim' }, { granted_at => at('-5 d') }] }, { 'License Source' => 'manual', 'License Granted' => '2026-03-26T00:00:00Z' });
person('A1 a deleted user\'s live license is listed', { users => [{ deleted_at => at('-5 d') }], user_activity => [{ last_opened_at => at('-6 d') }] }, { 'Last Active' => day(6), Status => 'Active' });
person('A1 activity without a license is not listed', { licenses => [], user_activity => [{ last_opened_at => at('-6 d') }] }, undef);

# ---- A8 ----
person('A8 the opening is later than the last day', { user_activity => [{ last_opened_at => at('-5 d') }], user_activity_days => [{ day => day(6) }] }, { 'Last Active' => day(5) });
person('A8 the day is later than the opening', { user_activity => [{ last_opened_at => at('-7 d') }], user_activity_days => [{ day => day(6) }, { day => day(8) }] }, { 'Last Active' => day(6), 'Last Active Source' => $opened });
person('A8 opened at as-of', { user_activity => [{ last_opened_at => at() }] }, { 'Last Active' => day(0), 'Days Since Active' => 0 });
person('A8 opened an instant after as-of: that never shows', { user_activity => [{ last_opened_at => at('1 us') }] }, { 'Last Active' => 'N/A', Status => 'Never' });
person('A8 opened after as-of, the days know the time before', { user_activity => [{ last_opened_at => at('9 d') }], user_activity_days => [{ day => day(4) }, { day => day(-1), requests_created => 7 }] },
    { 'Last Active' => day(4), 'Requests Created' => 0 });
person('A8 a day with details after as-of never shows', { user_activity_days => [{ day => day(-1) }] }, { 'Last Active' => 'N/A', Status => 'Never' });
person('A8 a login after as-of never shows', { user_activity => [{ last_login_at => at('1 us') }] }, { 'Last Active' => 'N/A', Status => 'Never' });

# ---- A4, fallback ----
my $may = '2025-05-20';
sub login { return { user_activity => [{ last_opened_at => $_[0], last_login_at => $_[1] }] } }
person('A4 no opening known: the last login', login(undef, at('-3 d')), { 'Last Active' => day(3), 'Last Active Source' => $login, 'Days Since Active' => 3, Status => 'Active' });
person('A4 a login at as-of', login(undef, at()), { 'Last Active' => day(0), 'Last Active Source' => $login });
person('A4 a login of age 90', login(undef, at('-90 d')), { 'Last Active' => day(90), 'Last Active Source' => $login });
person('A4 a login of age 91: empty, and so is its source', login(undef, at('-91 d')), { 'Last Active' => undef, 'Last Active Source' => undef, Status => 'Aging' });
person('A4 a login of age 101', login(undef, at('-101 d')), { 'Last Active' => 'N/A', 'Last Active Source' => undef, Status => 'Inactive' });
person('A4 an opening on 2025-05-20 itself speaks, not the login', login(at("$may 00:00"), at('-3 d')), { 'Last Active' => 'N/A', Status => 'Inactive' });
person('A4 an opening an instant before 2025-05-20: the login', login(at("$may 00:00", '-1 us'), at('-3 d')), { 'Last Active' => day(3), 'Last Active Source' => $login });
person('A4 an opening before 2025-05-20 and an older login: the login all the same', login(at('2025-05-01'), at('2025-04-01')), { 'Last Active' => 'N/A', Status => 'Inactive' });
person('A4 an opening of yesterday, a login of today: the opening', login(at('-1 d'), at()), { 'Last Active' => day(1), 'Last Active Source' => $opened });
person('A4 an opening after as-of is not known: the login', login(at('1 d'), at('-3 d')), { 'Last Active' => day(3), 'Last Active Source' => $login });
person('A4 a day with details is an opening: no login is asked', { user_activity => [{ last_login_at => at('-1 d') }], user_activity_days => [{ day => day(60) }] }, { 'Last Active' => day(60), 'Last Active Source' => $opened });

# ---- A6: the windows ----
my @edges = map { { day => day($_->[0]), requests_created => $_->[1], requests_executed => 10 * $_->[1], documents_created => 100 * $_->[1] } } [0, 1], [6, 2], [7, 4], [29, 8], [30, 16], [89, 32], [90, 64], [-1, 128];
person('A6 the counts cover as many days as the window has, as-of\'s own included', { user_activity_days => \@edges },
    { window => { 7 => 3, 30 => 15, 90 => 63 }, 'Last Active' => day(0) });
person('A6 the window narrows the counts, not the people', { user_activity_days => [{ day => day(80), requests_created => 5 }] }, { window => { 7 => 0, 30 => 0, 90 => 5 }, 'Last Active' => day(80), Status => 'Active' });

# ---- role, organizations, teams ----
person('A7 the live account role', { account_members => [{ role => 'co_owner', joined_at => at() }] }, { Role => 'co_owner' });
person('A7 a role left at as-of: empty', { account_members => [{ role => 'owner', left_at => at() }] }, { Role => undef });
person('A7 a role left an instant after as-of', { account_members => [{ role => 'billing', left_at => at('1 us') }] }, { Role => 'billing' });
person('A7 a role of an instant after as-of: empty', { account_members => [{ joined_at => at('1 us') }] }, { Role => undef });
sub places {
    my ($name, $organizations, $teams, $given) = @_;
    person($name, { organizations => [map { { name => $_ } } qw(beta Alpha gone)], teams => [map { { name => $_ } } qw(red Blue old)], %$given }, { Organizations => $organizations, Teams => $teams });
}
places('A7 organizations and teams sorted byte by byte, joined', 'Alpha; beta', 'Blue; red',
    { organization_members => [{ organization_id => 1 }, { organization_id => 2, via => 'team' }], team_members => [{ team_id => 1 }, { team_id => 2 }] });
places('A7 someone twice in one organization or team is in it once', 'beta', 'red',
    { organization_members => [{}, { via => 'team' }], team_members => [{}, { source => 'scim' }] });
places('A7 memberships that ended at as-of or begin after it do not show', 'beta', 'Blue',
    { organization_members => [{ left_at => at('1 us') }, { organization_id => 2, left_at => at() }, { organization_id => 3, joined_at => at('1 us') }],
      team_members => [{ left_at => at() }, { team_id => 2, left_at => at('1 us') }, { team_id => 3, joined_at => at('1 us') }] });
person('A7 deleted organizations and teams are not listed, inactive ones are',
    { organizations => [{ name => 'deleted', deleted_at => at() }, { name => 'later', deleted_at => at('1 us') }, { name => 'off', status => 'inactive', inactive_reason => 'abuse' }],
      teams => [{ name => 'deleted', deleted_at => at() }, { name => 'later', deleted_at => at('1 us') }],
      organization_members => [map { { organization_id => $_ } } 1 .. 3], team_members => [map { { team_id => $_ } } 1, 2] },
    { Organizations => 'later; off', Teams => 'later' });
person('A7 two organizations of one name are two', { organizations => [{ name => 'Twin' }, { name => 'Twin' }], organization_members => [map { { organization_id => $_ } } 1, 2] }, { Organizations => 'Twin; Twin' });

my $db = Lapse::database();
my $f = Fixture->new($db);
for my $person (@people) {
    my ($name, $given) = @$person;
    my ($user) = @{ $given->{users} || [{}] };
    $person->[3] = $f->case($name, { licenses => [{}], %$given, users => [{ name => 'N', %$user }] });
}
# One license of a person in two accounts, two people of one account: rows are per account and license.
my $two = $f->case('A1 the activity of one account does not speak for another', { users => [{}], licenses => [{}], user_activity => [{ last_opened_at => at('-2 d') }] });
my $other = $f->case('A1 the same person elsewhere', { licenses => [{ user_id => $two * 100 + 1 }] });
my $many = $f->case('A1 several people sort by their address, byte by byte', { users => [map { { email => "$_\@many.example" } } qw(b Z a)], licenses => [map { { user_id => $_ } } 1 .. 3] });
$f->load;

sub report { # the run with these options; its rows by account
    my ($name, @options) = @_;
    my $out = $db->dir . "/$name";
    my $r = $db->lapse_env({ TZ => 'America/New_York', PGTZ => 'America/New_York' }, @{ $_[0] eq 'override' ? ['--set', 'rules.legacy_login_rule=override'] : [] },
        'run', 'activity-report', '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $out, @options);
    is $r->{status}, 0, "the run ends well ($name)" or diag $r->{stderr};
    return "$out/$Fixture::as_of";
}
sub compare {
    my ($name, $got, $want) = @_;
    my %got = map { $_ => $got->{$_} } keys %$want;
    is_deeply \%got, $want, $name;
}

my $rows = Fixture::report(report('90') . '/activity-report.csv');
for (@people) {
    my ($name, undef, $row, $account) = @$_;
    my @got = @{ $rows->{$account} || [] };
    if (!$row) { is scalar @got, 0, $name; next }
    is scalar @got, 1, "$name: one row";
    my %want = (%$row, Email => "u1.a$account\@x.example", Account => $name, Name => 'N');
    if (my $window = delete $want{window}) { %want = (%want, 'Requests Created' => $window->{90}) }
    compare($name, $got[0], \%want);
}
is $rows->{$two}[0]{'Last Active'}, day(2), 'A1 someone with a license in two accounts: active in one';
is $rows->{$other}[0]{'Last Active'}, 'N/A', 'A1 ... and never in the other';
is_deeply [map { $_->{Email} } @{ $rows->{$many} }], [map { "$_\@many.example" } qw(Z a b)], 'A1 an account\'s rows sort by Email, byte by byte';

for my $window (7, 30) {
    my $rows = Fixture::report(report("window-$window", '--window', $window) . '/activity-report.csv');
    for (grep { $_->[2] } @people) {
        my ($name, undef, $row, $account) = @$_;
        my %want = %$row;
        next if !$want{window};
        my $n = delete($want{window})->{$window};
        $want{'Requests Created'} = $n;
        @want{'Requests Executed', 'Documents Created'} = (10 * $n, 100 * $n) if $name =~ /cover/;
        compare("$name (window $window)", $rows->{$account}[0], \%want);
    }
    is scalar(map { @$_ } values %$rows), scalar(map { @$_ } values %{ Fixture::report($db->dir . "/90/$Fixture::as_of/activity-report.csv") }), "A6 --window $window lists as many people";
}

# ---- A4, override ----
{
    my $rows = Fixture::report(report('override') . '/activity-report.csv');
    my %override = (
        'A4 a login of age 91: empty, and so is its source' => [day(91), $login, 91, 'Aging'],
        'A4 a login of age 101' => [day(101), $login, 101, 'Inactive'],
        'A4 no opening known: the last login' => [day(3), $login, 3, 'Active'],
        'A4 an opening before 2025-05-20 and an older login: the login all the same' => ['2025-04-01', $login, 364, 'Inactive'],
        'A4 an opening on 2025-05-20 itself speaks, not the login' => ['N/A', undef, undef, 'Inactive'],
        'A3 never active, no row at all: N/A' => ['N/A', undef, undef, 'Never'],
        'A2 age 400 (openings before 2025-05-20 count where there is no login)' => ['N/A', undef, undef, 'Inactive'],
        'A2 age 91, by the last opening' => [undef, undef, undef, 'Aging'],
    );
    for (@people) {
        my ($name, undef, undef, $account) = @$_;
        my $want = delete $override{$name} or next;
        compare("A4 override: $name", $rows->{$account}[0], { 'Last Active' => $want->[0], 'Last Active Source' => $want->[1], 'Days Since Active' => $want->[2], Status => $want->[3] });
    }
    is_deeply [keys %override], [], 'A4 override: every case was there';
}

# ---- A7: the documented file, and one more per account ----
{
    my $set = report('documented', '--profile', 'documented');
    my ($header, @lines) = Lapse::csv("$set/activity-report.csv");
    is_deeply $header, ['Email', 'Last Active'], 'A7 the documented file has two columns';
    my @want = map { my $account = $_; map { [@$_{'Email', 'Last Active'}] } @{ $rows->{$account} } } sort { $a <=> $b } keys %$rows;
    is_deeply \@lines, \@want, 'A7 the same people and dates as the extended one, by account, then Email';
    my @files = sort map { /activity-report-(\d+)\.csv$/ ? $1 : () } glob "$set/*";
    is_deeply \@files, [sort keys %$rows], 'A7 one more file for each account that has a license';
    for my $account ($many, $two) {
        my ($header, @lines) = Lapse::csv("$set/activity-report-$account.csv");
        is_deeply [$header, @lines], [['Email', 'Last Active'], map { [@$_{'Email', 'Last Active'}] } @{ $rows->{$account} }], "A7 account $account has its own rows alone";
    }
    my $r = $db->lapse('--set', 'reports.dir=' . $db->dir . '/standing', 'run', 'activity-report', '--as-of', $Fixture::as_of, '--format', 'csv', '--profile', 'documented');
    ok !-e $db->dir . "/standing/$Fixture::as_of/activity-report.csv", 'A7 a profile other than the settings\' is written only under an explicit --out' or diag "$r->{status} $r->{stderr}";
    $r = $db->lapse('--set', 'reports.dir=' . $db->dir . '/standing', '--set', 'job.activity-report.profile=documented', 'run', 'activity-report', '--as-of', $Fixture::as_of, '--format', 'csv');
    is $r->{status}, 0, 'A7 the settings\' own profile needs no --out' or diag $r->{stderr};
    ok -e $db->dir . "/standing/$Fixture::as_of/activity-report-$many.csv", 'A7 and publishes the accounts\' files too';
    $r = $db->lapse('--set', 'reports.dir=' . $db->dir . '/standing2', 'run', 'activity-report', '--as-of', $Fixture::as_of, '--format', 'csv', '--account', $many);
    ok !-e $db->dir . "/standing2/$Fixture::as_of/activity-report.csv", 'A7 a report over some accounts is written only under an explicit --out' or diag "$r->{status} $r->{stderr}";
    $r = $db->lapse('--set', 'reports.dir=' . $db->dir . '/standing2', 'run', 'activity-report', '--as-of', $Fixture::as_of, '--format', 'csv', '--window', 7);
    ok !-e $db->dir . "/standing2/$Fixture::as_of/activity-report.csv", 'A7 so is one with another window' or diag "$r->{status} $r->{stderr}";
}

# ---- A2: an as-of within a day counts whole UTC days too ----
{
    my $out = $db->dir . '/noon';
    my $r = $db->lapse_env({ PGTZ => 'Asia/Tokyo', TZ => 'Asia/Tokyo' }, 'run', 'activity-report', '--as-of', '2026-03-31T23:59:59Z', '--format', 'csv', '--out', $out);
    is $r->{status}, 0, 'the run ends well (as of the day\'s end)' or diag $r->{stderr};
    my $late = Fixture::report("$out/2026-03-31/activity-report.csv");
    my %want = ('A2 age 90, by a day with details' => day(90), 'A2 age 91, by a day with details' => undef, 'A8 opened an instant after as-of: that never shows' => day(0),
        'A8 a day with details after as-of never shows' => 'N/A', 'A1 not one granted an instant after' => 'N/A');
    for (@people) { my ($name, $account) = @$_[0, 3]; is $late->{$account}[0]{'Last Active'}, delete $want{$name}, "A2 as of the day's end: $name" if exists $want{$name} }
}
done_testing;
