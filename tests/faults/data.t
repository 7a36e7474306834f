# Odd data: the rows of "Data in the database" that the jobs meet. Status as the fault list gives it,
# no crash, nothing cut in silence, every account that is in order goes ahead.
use strict;
use warnings;
use lib 'tests/lib';
use Lapse;
use POSIX ();
use Test::More;

my @now = ('--as-of', '2026-03-01');

sub prepared {
    my ($sql, %how) = @_;
    my $db = $how{database} || Lapse::database();
    $db->sql(q{INSERT INTO saas.accounts (account_id, name, created_at) SELECT g, 'Account ' || g, '2025-01-01' FROM generate_series(1, 5) g;
        INSERT INTO saas.organizations (account_id, organization_id, name, status, created_at) SELECT g, g, 'Organization ' || g, 'active', '2025-01-01' FROM generate_series(1, 5) g;
        INSERT INTO saas.users (user_id, email, name, signed_up_at) SELECT g, 'owner' || g || '@example.org', 'Owner ' || g, '2025-01-01' FROM generate_series(1, 5) g;
        INSERT INTO saas.account_members (account_id, user_id, role, joined_at) SELECT g, g, 'owner', '2025-01-01' FROM generate_series(1, 5) g;
        INSERT INTO saas.licenses (account_id, license_id, user_id, source, granted_at) SELECT g, g, g, 'owner', '2025-01-01' FROM generate_series(1, 5) g;
        INSERT INTO saas.subscriptions (account_id, subscription_id, kind, plan, channel, status, seats, period_months, started_at, period_end)
        SELECT g, g, 'base', 'pro', 'self_serve', 'active', 10, 1, '2025-01-01', '2027-01-01' FROM generate_series(1, 5) g;
        SELECT setval(pg_get_serial_sequence('saas.subscriptions', 'subscription_id'), 100000)});
    $db->sql($sql) if $sql;
    $db->{out} = $db->dir . '/out';
    return $db;
}

my $ids = 100;
sub invitation {
    my (%with) = @_;
    my %row = (account_id => 1, invitation_id => ++$ids, email => "'guest$ids\@example.org'", organization_id => $with{account_id} || 1, role => "'member'", status => "'pending'", sent_at => "'2026-01-10'", %with);
    return sprintf 'INSERT INTO saas.invitations (%s) VALUES (%s);', join(', ', sort keys %row), join ', ', map { $row{$_} } sort keys %row;
}

# Runs all jobs; checks that the set is whole, and that a rerun changes nothing and says the same.
sub run_all {
    my ($db, $status, @more) = @_;
    my $r = $db->lapse('run', '--all', @now, '--out', $db->{out}, @more);
    is $r->{status}, $status, "status $status" or diag $r->{stderr};
    like $r->{stderr}, qr/\A(lapse: [^\n]+\n(  hint: [^\n]+\n)?)*\z/, 'whole lines on stderr';
    if (-e "$db->{out}/latest") {
        is Lapse::command({}, '/bin/sh', '-c', 'cd "$1/latest" && sha256sum --quiet -c SHA256SUMS', 'sh', $db->{out})->{status}, 0, 'the set is whole';
        my ($sums, $n) = (Lapse::slurp("$db->{out}/latest/SHA256SUMS"), $db->one('SELECT count(*) FROM lapse.changes'));
        my $again = $db->lapse('run', '--all', @now, '--out', $db->{out}, @more);
        is $again->{status}, $status, 'a rerun ends alike';
        is $db->one('SELECT count(*) FROM lapse.changes'), $n, '... changes nothing';
        is Lapse::slurp("$db->{out}/latest/SHA256SUMS"), $sums, '... publishes the same bytes';
    }
    return $r;
}

sub csv { my ($db, $job) = @_; return Lapse::csv("$db->{out}/2026-03-01/$job.csv") }
sub status_of { my ($db, $id) = @_; return $db->one("SELECT status || coalesce(' ' || closed_at::text, '') FROM saas.invitations WHERE invitation_id = $id") }

subtest 'nothing at all' => sub {
    my $db = Lapse::database();
    $db->{out} = $db->dir . '/out';
    run_all($db, 0);
    for my $job ('expire-invitations', 'end-trials', 'downgrade-plans', 'flag-inactive-organizations', 'activity-report') {
        is scalar(csv($db, $job)), 1, "$job: a header and no row";
    }
};

subtest 'an invitation that ends before all time' => sub {
    my $db = prepared(invitation(invitation_id => 1) . invitation(invitation_id => 4, expires_at => "'-infinity'"));
    my $r = $db->lapse('run', 'expire-invitations', @now, '--out', $db->{out});
    is $r->{status}, 80, 'is for a person to look at';
    like $r->{stderr}, qr/account 1: invitation 4 ends at -infinity, so nothing is changed/, 'it is named';
    is status_of($db, 1), 'pending', 'nothing was changed';
    is $db->one('SELECT state FROM lapse.runs'), 'stopped', 'the ledger says so';
};

subtest 'invitations at the edges' => sub {
    my $db = prepared(join '', invitation(invitation_id => 1, expires_at => 'NULL'), invitation(invitation_id => 2, expires_at => "'2026-01-01'"),
        invitation(invitation_id => 3, expires_at => "'infinity'"),
        invitation(invitation_id => 5, sent_at => "'2026-01-30 00:00:00+00'"), invitation(invitation_id => 6, sent_at => "'2026-01-30 00:00:00.000001+00'"),
        invitation(invitation_id => 7, email => 'NULL'), invitation(invitation_id => 8, email => "''"),
        invitation(invitation_id => 9, expires_at => "'12026-01-01'"), invitation(invitation_id => 10, sent_at => "'0044-03-15 BC'"),
        invitation(invitation_id => 11, sent_at => "'infinity'"), map { invitation(invitation_id => 20 + $_, email => "'same\@example.org'", account_id => 2) } 1 .. 5);
    my $r = run_all($db, 0);
    is status_of($db, 1), 'expired 2026-02-09 00:00:00+00', 'no expiry: 30 days after it was sent';
    is status_of($db, 2), 'expired 2026-01-01 00:00:00+00', 'an expiry before the sending: closed then';
    is status_of($db, 3), 'pending', 'infinity never comes';
    is status_of($db, 5), 'expired 2026-03-01 00:00:00+00', 'due to the instant';
    is status_of($db, 6), 'pending', '... not a microsecond before';
    is status_of($db, 9), 'pending', 'the year 12026 is far';
    is status_of($db, 11), 'pending', 'sent at infinity';
    my %email = map { $_->[2] => $_->[3] } csv($db, 'expire-invitations');
    is $email{7}, undef, 'no e-mail is nothing';
    is $email{8}, '', 'an empty one is empty';
    is scalar(grep { ($_ // '') eq 'same@example.org' } values %email), 5, 'one address, five invitations';
};

subtest 'subscriptions at the edges' => sub {
    my $db = prepared("UPDATE saas.subscriptions SET period_end = 'infinity' WHERE account_id = 1; UPDATE saas.subscriptions SET period_end = NULL WHERE account_id = 2;
        UPDATE saas.subscriptions SET period_end = '12026-01-01' WHERE account_id = 3; UPDATE saas.subscriptions SET period_end = '2026-02-10' WHERE account_id = 4;
        INSERT INTO saas.subscriptions (account_id, subscription_id, kind, plan, channel, status, seats, started_at) VALUES (4, 50, 'trial', 'trial', 'none', 'trialing', 50, '2026-01-27'), (5, 51, 'trial', 'trial', 'none', 'trialing', 50, '2026-02-01')");
    run_all($db, 0);
    is_deeply [map { $_->[0] } $db->rows("SELECT account_id FROM saas.subscriptions WHERE status = 'active' AND plan = 'pro' ORDER BY 1")], [1, 2, 3, 5], 'infinity, none and 12026 stay';
    is $db->one("SELECT ended_at FROM saas.subscriptions WHERE subscription_id = 50"), '2026-02-10 00:00:00+00', 'a trial that ends in the instant of the period';
    is $db->one("SELECT string_agg(reason, ', ' ORDER BY change_no) FROM saas.plan_changes WHERE account_id = 4"), 'trial_ended, expired_without_renewal', '... and then the base lapses';
};

subtest 'a period that ended before all time' => sub {
    my $db = prepared("UPDATE saas.subscriptions SET period_end = '-infinity' WHERE account_id = 1; UPDATE saas.subscriptions SET period_end = '2026-02-10' WHERE account_id = 2");
    my $r = $db->lapse('run', 'downgrade-plans', @now, '--out', $db->{out});
    is $r->{status}, 80, '-infinity is for a person to look at' or diag $r->{stderr}, $r->{stdout};
    is $db->one("SELECT plan FROM saas.subscriptions WHERE account_id = 1 AND status <> 'ended'"), 'pro', 'nothing was done about it';
};

subtest 'accounts that break the model' => sub {
    my $db = prepared("INSERT INTO saas.subscriptions (account_id, subscription_id, kind, plan, channel, status, seats, period_months, started_at, period_end) VALUES (1, 60, 'base', 'enterprise', 'sales', 'active', 5, 12, '2025-02-01', '2026-02-01');
        UPDATE saas.subscriptions SET period_end = '2026-02-10' WHERE account_id IN (1, 2);
        UPDATE saas.account_members SET left_at = '2025-06-01' WHERE account_id = 3; UPDATE saas.subscriptions SET period_end = '2026-02-10' WHERE account_id = 3;
        INSERT INTO saas.account_members (account_id, user_id, role, joined_at) VALUES (4, 1, 'owner', '2025-01-01')");
    my $r = run_all($db, 83);
    like $r->{stderr}, qr/account 1 was set aside: .*\n  hint: /, 'two live bases: set aside and named';
    is $db->one("SELECT count(*) FROM saas.subscriptions WHERE account_id = 1 AND status <> 'ended'"), 2, '... not touched';
    is $db->one("SELECT plan FROM saas.subscriptions WHERE account_id = 2 AND status <> 'ended'"), 'essentials', 'another proceeds';
    is $db->one("SELECT plan FROM saas.subscriptions WHERE account_id = 3 AND status <> 'ended'"), 'essentials', 'one without owner proceeds';
};

subtest 'texts' => sub {
    my %texts = (formula => '=HYPERLINK("http://x","y")', plus => '+1', minus => '-1+1', at => '@SUM(1)', tab => "\t=1", wide => "\xef\xbc\x9d1", blank => '  =1', bidi => "\xe2\x80\x8f=1",
        quote => 'a"b', comma => 'a,b', newline => "a\r\nb", emoji => "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80", marks => "e\xcc\x81\xcc\x81", rtl => "\xd7\xa9\xd7\x9c", control => "a\x01b\x7f",
        noncharacter => "a\xef\xbf\xbfb\xef\xbf\xbe", long => 'x' x 40_000, escape => '_x003D_1', number => '00123', exponent => '1E5', backslash => 'a\\b', apostrophe => "'=1");
    my $db = prepared(join '', map { my $t = $texts{$_}; $t =~ s/'/''/g; invitation(email => "'$t'") } sort keys %texts);
    my $r = run_all($db, 0);
    my %seen = map { ($_->[3] // '') => 1 } csv($db, 'expire-invitations');
    for my $name (sort keys %texts) {
        next if $name eq 'control'; # what becomes of these is tests/unit/test_cell.c's
        next if $name eq 'noncharacter';
        my $guarded = $name =~ /^(formula|plus|minus|at|tab|wide|blank|bidi)$/ ? "'$texts{$name}" : $texts{$name};
        ok $seen{$guarded}, $name;
    }
    my $workbook = "$db->{out}/2026-03-01/expire-invitations.xlsx";
    my @parts = grep { /\.xml\z/ } split /\n/, Lapse::command({}, 'unzip', '-Z1', $workbook)->{stdout};
    cmp_ok scalar @parts, '>', 5, 'the workbook has its parts';
    for my $part (@parts) {
        (my $escaped = $part) =~ s/([\[\]])/\\$1/g; # unzip takes patterns
        Lapse::spew($db->dir . '/part.xml', Lapse::command({}, 'unzip', '-p', $workbook, $escaped)->{stdout});
        is Lapse::command({}, 'xmlwf', $db->dir . '/part.xml')->{stdout}, '', "$part is well-formed";
    }
    like Lapse::slurp("$db->{out}/2026-03-01/manifest.json"), qr/"altered": [1-9]/, 'the manifest counts what was altered';
};

subtest 'invalid bytes in an SQL_ASCII database' => sub {
    my $name = "lapse_ascii_$$";
    Lapse::Database::psql_checked('postgres', "CREATE DATABASE $name TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'");
    my $db = bless { name => $name, tmp => File::Temp::tempdir('lapse-test-XXXXXX', TMPDIR => 1, CLEANUP => 1) }, 'Lapse::Database';
    is $db->lapse('migrate')->{status}, 0, 'migrate';
    prepared(invitation(invitation_id => 1, email => "E'a\\xff\\xfeb\@example.org'") . invitation(invitation_id => 2) . invitation(invitation_id => 3, email => "E'gr\\303\\274n\@example.org'"), database => $db);
    my $r = run_all($db, 0);
    is $db->one("SELECT count(*) FROM saas.invitations WHERE status = 'expired'"), 3, 'all three expire';
    if (-e "$db->{out}/2026-03-01/expire-invitations.csv") {
        my %email = map { $_->[2] => $_->[3] } csv($db, 'expire-invitations');
        is $email{1}, "a\xef\xbf\xbd\xef\xbf\xbdb\@example.org", 'bad bytes show as U+FFFD';
        is $email{3}, "gr\xc3\xbcn\@example.org", 'good ones as they are';
    }

    # Whole pages of 1,000 names that nobody can ask about, or that go by their root, come first.
    $db->sql(q{INSERT INTO saas.domains (account_id, domain, method, txt_token) SELECT 1 + g % 5, E'a\\xff' || g || '.example', 'unique_txt', 'tok' FROM generate_series(1, 2100) g;
        INSERT INTO saas.domains (account_id, domain, method, root_domain) SELECT 1 + g % 5, 'b' || g || '.example', 'root', 'none.example' FROM generate_series(1, 2100) g;
        INSERT INTO saas.domains (account_id, domain, method, txt_token) VALUES (1, 'c.example', 'unique_txt', 'tok')});
    my $dns = Lapse::dns("c.example. 60 TXT \"tok\"\n");
    $db->{dns} = $dns->address;
    $r = $db->lapse('run', 'verify-domains', @now, '--format', 'csv', '--out', $db->{out});
    is $r->{status}, 0, 'verify-domains' or diag $r->{stderr};
    is $db->one("SELECT verified_at FROM saas.domains WHERE domain = 'c.example'"), '2026-03-01 00:00:00+00', 'the domain behind them is asked about, and verified';
    is scalar(grep { !/ c\.example / } $dns->asked), 0, '... and no question was sent for the others';
};

subtest 'an unknown status' => sub {
    my $db = prepared('ALTER TABLE saas.invitations DROP CONSTRAINT invitations_status_check;' . invitation(invitation_id => 1, status => "'on_hold'") . invitation(invitation_id => 2)
        . "ALTER TABLE saas.subscriptions DROP CONSTRAINT subscriptions_status_check; UPDATE saas.subscriptions SET status = 'paused', period_end = '2026-02-01' WHERE account_id = 3");
    my $r = $db->lapse('run', '--all', @now, '--out', $db->{out});
    like $r->{status}, qr/^(0|83)$/, "the others proceed ($r->{status})" or diag $r->{stderr};
    is status_of($db, 1), 'on_hold', 'an invitation of unknown status is not touched';
    is status_of($db, 2), 'expired 2026-02-09 00:00:00+00', '... the other one is';
    is $db->one('SELECT status FROM saas.subscriptions WHERE subscription_id = 3'), 'paused', 'a subscription of unknown status is not touched';
    $r = $db->lapse('check');
    like $r->{stdout}, qr/account \d+: invitation 1 has the unknown status "on_hold"/, '... and check names it';
    like $r->{stdout}, qr/account 3: subscription 3 has the unknown status "paused"/, '... and the other one';
};

subtest 'ids above 2^53' => sub {
    my $id = '9007199254740993';
    my $db = prepared(invitation(invitation_id => $id) . invitation(invitation_id => '9223372036854775807'));
    run_all($db, 0);
    is_deeply [map { $_->[2] } (csv($db, 'expire-invitations'))[1, 2]], [$id, '9223372036854775807'], 'as they are';
};

subtest 'one account that holds nearly all' => sub {
    my $db = prepared("INSERT INTO saas.invitations (account_id, invitation_id, email, organization_id, role, status, sent_at) SELECT CASE WHEN g % 10 = 0 THEN 1 + g % 5 ELSE 1 END, 1000 + g, 'g' || g, CASE WHEN g % 10 = 0 THEN 1 + g % 5 ELSE 1 END, 'member', 'pending', '2026-01-10' FROM generate_series(1, 5000) g;
        INSERT INTO saas.accounts (account_id, name, created_at) SELECT g, 'Small ' || g, '2025-01-01' FROM generate_series(100, 5100) g");
    run_all($db, 0, '--set', 'database.batch_rows=100', '--format', 'csv');
    is $db->one("SELECT count(*) FROM lapse.changes"), 5000, 'all of it';
    cmp_ok $db->one('SELECT max(rows) FROM lapse.batches'), '<=', 200, 'in batches of the size that is set';
};

subtest 'a team linked to another account\'s organization' => sub {
    my $db = prepared("INSERT INTO saas.teams (account_id, team_id, name, role, source, created_at) VALUES (1, 1, 'Team', 'member', 'manual', '2025-01-01');
        INSERT INTO saas.team_organizations (account_id, team_id, organization_id, linked_at) VALUES (1, 1, 2, '2025-01-01')" );
    run_all($db, 0);
};

done_testing;
