# Accounts by the hundred from terse rows, for tests of the rules.
#
#     my $f = Fixture->new($db);                              # as of 2026-03-31, see at()
#     $f->case('D1 Pro ends at its last instant',             # an account of its own
#         { subscriptions => [{ plan => 'pro', period_end => at() }] },
#         { subscriptions => { 1 => { status => 'ended', ... }, new => [{ plan => 'essentials', ... }] },
#           plan_changes => { new => [...] } });
#     $f->load;                                               # all cases at once
#     ... $db->lapse('run', ..., '--out', $dir) ...
#     $f->check($dir, 'downgrade-plans');                     # one test per case
#
# What is given: table => [rows]; what is left out of a row takes a default. Numbers below 100 in
# user_id, organization_id, team_id, invited_by mean the case's own nth: ids are account x 100 + n.
# An account without `subscriptions` is on Essentials.
#
# What is expected: table => { n => { columns written }, new => [rows] }. A row must be as it was but
# for the columns named; each row named must have one row in lapse.changes whose before and after
# hold exactly these columns; [{...}, {...}] instead of {...} are several, one after the other, the
# first of a new row being its insert. `-reason`, `-at` and `-job` in a row are those of its audit row; one
# marked `-unaudited` must have none. A new
# row must hold what is named, and NULL elsewhere. The third argument may have `report`: job =>
# [{ header => value }], over what the changes imply for that report (see `implied`), and `skips`: the
# rows of reconcile-teams that no change implies.
package Fixture;
use strict;
use warnings;
use Exporter qw(import);
use JSON::PP ();
use Test::More;
use Time::Local qw(timegm);
use Lapse;

our @EXPORT = qw(at day shown trial_end lapse_of essentials plan_change);
our $as_of = '2026-03-31';

my $json = JSON::PP->new->canonical->allow_nonref;
my %unit = (us => 1, ms => 1_000, s => 1_000_000, min => 60_000_000, h => 3_600_000_000,
    d => 86_400_000_000);

# at() is the as-of; at('-1 us'), at('-720 h', '+1 s') are shifted from it; at('2026-01-31 12:00')
# and at('2026-01-31', '+1 s') from that instant. Written as PostgreSQL writes it in JSON.
sub at {
    my ($first, @shifts) = @_;
    my $from = $as_of;
    if (defined $first) {
        return $first if $first =~ /^-?infinity$/;
        if ($first =~ /^\d{4}-\d\d-\d\d/) { $from = $first } else { unshift @shifts, $first }
    }
    my ($y, $m, $d, $h, $min, $s) = $from =~ /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d))?)?/
        or die "at: $from";
    my $us = timegm($s || 0, $min || 0, $h || 0, $d, $m - 1, $y) * 1_000_000;
    for (@shifts) {
        my ($sign, $n, $unit) = /^([-+]?)(\d+) (\w+)$/ or die "at: $_";
        $us += ($sign eq '-' ? -1 : 1) * $n * ($unit{$unit} or die "at: $_");
    }
    my $fraction = $us % 1_000_000;
    my @t = gmtime(($us - $fraction) / 1_000_000);
    my $text = sprintf '%04d-%02d-%02dT%02d:%02d:%02d', $t[5] + 1900, $t[4] + 1, @t[3, 2, 1, 0];
    $text .= sprintf '.%06d', $fraction if $fraction;
    $text =~ s/(\.\d*?)0+$/$1/;
    return "$text+00:00";
}

# The UTC date n days before the as-of.
sub day { return substr at(-$_[0] . " d"), 0, 10 }

# An instant as a report shows it: whole seconds.
sub shown {
    my ($instant) = @_;
    return undef if !defined $instant;
    return $instant =~ s/(?:\.\d+)?\+00:00$/Z/r;
}

my %column = (
    accounts => { account_id => undef, name => undef, created_at => '2020-01-01T00:00:00+00:00',
        external_ref => undef },
    users => { user_id => undef, email => undef, name => 'Somebody',
        signed_up_at => '2020-01-01T00:00:00+00:00', deleted_at => undef },
    account_members => { user_id => 1, role => 'member', joined_at => '2020-01-01T00:00:00+00:00',
        left_at => undef },
    subscriptions => { subscription_id => undef, kind => 'base', plan => 'essentials',
        channel => 'self_serve', status => 'active', seats => 10, unit_amount => undef,
        currency => undef, period_months => 1, started_at => '2024-01-01T00:00:00+00:00',
        period_end => undef, trial_ends_at => undef, cancel_at_period_end => JSON::PP::false,
        next_plan => undef, next_seats => undef, next_seats_from => undef, ended_at => undef,
        end_reason => undef, external_ref => undef },
    activation_codes => { code_hash => undef, plan => 'enterprise', seats => 30,
        period_end => '2027-03-01T00:00:00+00:00', issued_at => '2026-01-01T00:00:00+00:00',
        verified_at => undef, redeemed_at => undef },
    organizations => { organization_id => undef, name => 'Org', is_personal => JSON::PP::false,
        status => 'active', inactive_since => undef, inactive_reason => undef,
        git_sync_enabled => JSON::PP::false, git_sync_over_limit_since => undef,
        created_at => '2024-01-01T00:00:00+00:00', deleted_at => undef },
    organization_members => { organization_id => 1, user_id => 1, via => 'direct', role => 'member',
        joined_at => '2024-01-01T00:00:00+00:00', left_at => undef },
    organization_exports => { organization_id => 1, export_id => undef, requested_at => undef,
        visible_to => 'owner', status => 'requested' },
    teams => { team_id => undef, name => 'Team', role => 'member', source => 'manual',
        external_id => undef, created_at => '2024-01-01T00:00:00+00:00', deleted_at => undef },
    team_members => { team_id => 1, user_id => 1, source => 'manual',
        joined_at => '2024-01-01T00:00:00+00:00', left_at => undef },
    team_organizations => { team_id => 1, organization_id => 1,
        linked_at => '2024-01-01T00:00:00+00:00', unlinked_at => undef },
    storage_rules => { organization_id => 0, cloud_sync => JSON::PP::true,
        local_vault => JSON::PP::true, git_sync => JSON::PP::true },
    scim_events => { event_id => undef, kind => 'user_deprovisioned', email => undef,
        external_id => undef, received_at => undef, applied_at => undef },
    billing_lines => { invoice_number => 'INV-1', line_number => 1, external_ref => undef,
        plan => 'pro', seats => 10, period_start => undef, period_end => undef, amount => undef,
        currency => 'EUR', status => 'paid', paid_at => undef, source_sha256 => undef },
    seat_snapshots => { day => undef, plan => undef, purchased => undef, licenses => 0,
        invitations => 0, used => 0, over => 0, run_id => undef },
    invitations => { invitation_id => undef, email => 'guest@x.example', organization_id => undef,
        team_id => undef, role => 'member', status => 'pending', invited_by => undef,
        sent_at => undef, send_count => 1, expires_at => undef, closed_at => undef },
    licenses => { license_id => undef, user_id => 1, source => 'manual',
        granted_at => '2024-01-01T00:00:00+00:00', revoked_at => undef, revoke_reason => undef },
    domains => { domain => undef, method => 'unique_txt', txt_token => 't', root_domain => undef,
        verified_at => '2024-01-01T00:00:00+00:00', last_seen_at => undef,
        capture_enabled_at => undef, lock_enabled_at => undef, suspended_at => undef },
    scim_connections => { provider => 'okta', token_expires_at => undef, last_sync_at => undef,
        suspended_at => undef },
    user_activity => { user_id => 1, last_opened_at => undef, last_login_at => undef },
    user_activity_days => { user_id => 1, day => undef, requests_created => 0,
        requests_executed => 0, documents_created => 0 },
    plan_changes => { change_no => undef, from_plan => undef, to_plan => undef, from_seats => undef,
        to_seats => undef, reason => undef, effective_at => undef, processed_at => undef,
        run_id => undef },
);
my %id = (users => 'user_id', subscriptions => 'subscription_id', organizations => 'organization_id',
    organization_exports => 'export_id', teams => 'team_id', invitations => 'invitation_id',
    licenses => 'license_id', plan_changes => 'change_no', scim_events => 'event_id');
my %key = (%id, activation_codes => 'code_hash', domains => 'domain', scim_connections => 'provider',
    account_members => 'user_id', organization_members => [qw(organization_id user_id via joined_at)],
    team_members => [qw(team_id user_id source joined_at)], team_organizations => [qw(team_id organization_id linked_at)]);
my @order = qw(accounts users account_members subscriptions activation_codes organizations
    organization_members organization_exports teams team_members team_organizations invitations
    licenses domains storage_rules scim_connections scim_events user_activity user_activity_days
    billing_lines seat_snapshots plan_changes);
# What the change jobs may write, and what they must not.
my @judged = qw(subscriptions activation_codes organizations organization_exports invitations licenses
    domains scim_connections plan_changes account_members organization_members teams team_members
    team_organizations scim_events);

sub new {
    my ($class, $db) = @_; # several may share a database
    return bless { db => $db, next => ($db->{next_account} //= 1), cases => [] }, $class;
}

sub own { my ($account, $n) = @_; return defined $n && $n =~ /^\d+$/ && $n > 0 && $n < 100 ? $account * 100 + $n : $n }

# A row's own id; of several columns, as the audit writes it.
sub id_of {
    my ($table, $row) = @_;
    my $key = $key{$table};
    return $row->{$key} if !ref $key;
    return join '/', map { /_at$/ ? $row->{$_} =~ s/T/ /r =~ s/\+00:00$/+00/r : $row->{$_} } @$key;
}

sub complete {
    my ($table, $account, $n, $row) = @_;
    my %full = %{ $column{$table} };
    for (keys %$row) {
        next if /^-/;
        exists $full{$_} or $_ eq 'account_id' or die "$table has no $_";
        $full{$_} = $row->{$_};
    }
    $full{account_id} = $account if $table ne 'users';
    $full{$_} = own($account, $full{$_}) for grep { exists $full{$_} } qw(user_id organization_id team_id invited_by);
    $full{ $id{$table} } //= $account * 100 + $n if $id{$table} && $n;
    return \%full;
}

# Adds a case; returns the id of its account.
sub case {
    my ($self, $name, $given, $expected, %more) = @_;
    my $account = $self->{next}++;
    $self->{db}{next_account} = $self->{next};
    my %given = %$given;
    my $what = delete $given{account} || {};
    $given{subscriptions} //= [{ plan => 'essentials', seats => -1, channel => 'none', period_months => undef }];
    my %rows = (accounts => [complete('accounts', $account, 0, { name => $name, %$what, account_id => $account })]);
    for my $table (keys %given) {
        my $n = 0;
        die "$name: no table $table" if !$column{$table};
        $rows{$table} = [map { complete($table, $account, ++$n, $_) } @{ $given{$table} }];
    }
    $_->{email} = exists $given{users}[$_->{user_id} % 100 - 1]{email} ? $_->{email} : 'u' . ($_->{user_id} % 100) . ".a$account\@x.example"
        for @{ $rows{users} || [] };
    if ($rows{activation_codes}) { $_->{code_hash} //= "code-$account" for @{ $rows{activation_codes} } }
    if ($rows{domains}) { my $n = 0; $_->{domain} //= "d" . ++$n . ".a$account.example" for @{ $rows{domains} } }
    push @{ $self->{cases} }, { name => $name, account => $account, rows => \%rows,
        expected => $expected || {}, report => $more{report} || {}, skips => $more{skips} || [] };
    return $account;
}

sub literal {
    my ($value) = @_;
    return 'NULL' if !defined $value;
    return $value ? 'true' : 'false' if ref $value;
    return "'" . ($value =~ s/'/''/gr) . "'";
}

# Writes all cases into the database.
sub load {
    my ($self) = @_;
    my $sql = "SET timezone = 'UTC';\n";
    for my $table (@order) {
        my @rows = map { @{ $_->{rows}{$table} || [] } } @{ $self->{cases} } or next;
        my @columns = sort keys %{ $rows[0] };
        $sql .= "INSERT INTO saas.$table (" . join(', ', @columns) . ") VALUES\n"
            . join(",\n", map { my $row = $_; '(' . join(', ', map { literal($row->{$_}) } @columns) . ')' } @rows) . ";\n";
    }
    $sql .= "SELECT setval(pg_get_serial_sequence('saas.$_', '$id{$_}'), greatest(100000000, nextval(pg_get_serial_sequence('saas.$_', '$id{$_}'))));\n" for sort keys %id;
    my $file = $self->{db}->dir . '/fixture.sql';
    Lapse::spew($file, $sql);
    $self->{db}->load($file);
}

sub table {
    my ($self, $schema, $table) = @_;
    my %rows;
    for ($self->{db}->rows("SELECT row_to_json(t) FROM $schema.$table t")) {
        next if !defined $_->[0] || $_->[0] eq '';
        my $row = $json->decode($_->[0]);
        push @{ $rows{ $row->{account_id} } }, $row;
    }
    return \%rows;
}

# A row as one comparable text; a number is a number, wherever it came from.
sub text { my ($row) = @_; return $json->encode($row) =~ s/:"(-?\d{1,19})"(?=[,}])/:$1/gr }
sub plain { my ($row) = @_; return { map { $_ => ref $row->{$_} ? ($row->{$_} ? 1 : 0) : $row->{$_} } keys %$row } }
sub bare { my ($row) = @_; return { map { $_ => $row->{$_} } grep { defined $row->{$_} } keys %$row } }
sub unmarked { my ($row) = @_; return { map { $_ => $row->{$_} } grep { !/^-/ } keys %$row } }

# The audit rows that a case's expectation asks for.
sub expected_changes {
    my ($self, $case) = @_;
    my @changes;
    for my $table (sort keys %{ $case->{expected} }) {
        my $want = $case->{expected}{$table};
        for my $n (sort grep { $_ ne 'new' } keys %$want) {
            my $row = $case->{rows}{$table}[$n - 1];
            push @changes, updates($table, id_of($table, $row), $row, steps($want->{$n}));
        }
        my $k = 0;
        for my $new (@{ $want->{new} || [] }) {
            my ($insert, @updates) = steps($new);
            my $after = unmarked($insert);
            $after->{$_} = own($case->{account}, $after->{$_}) for grep { exists $after->{$_} } qw(organization_id user_id);
            delete $after->{run_id};
            $k++;
            push @changes, { entity => $table, entity_id => ref $key{$table} ? id_of($table, $after) : "new$k", before => undef,
                after => bare({ %$after, account_id => $case->{account} }), mark($insert) };
            push @changes, updates($table, "new$k", $after, @updates);
        }
    }
    return map { text($_) } @changes;
}

sub place { my ($change) = @_; return join ' ', $change->{entity}, $change->{entity_id}, defined $change->{before} ? sort keys %{ $change->{after} } : 'insert' }
sub steps { my ($want) = @_; return ref $want eq 'ARRAY' ? @$want : $want }
sub outcome { my ($want) = @_; return { map { %{ unmarked($_) } } steps($want) } }

# The audit rows of a row that is updated step by step.
sub updates {
    my ($table, $id, $row, @steps) = @_;
    my (@changes, %now);
    %now = %$row;
    for my $step (@steps) {
        my $after = unmarked($step);
        push @changes, $step->{-unaudited} ? () : { entity => $table, entity_id => "$id", before => plain({ map { $_ => $now{$_} } keys %$after }),
            after => $after, mark($step) };
        %now = (%now, %$after);
    }
    return @changes;
}

sub mark {
    my ($row) = @_;
    return map { my $mark = $_; my $name = { -reason => 'reason', -at => 'effective_at', -job => 'job' }->{$mark};
        exists $row->{$mark} ? ($name => $row->{$mark}) : () } qw(-reason -at -job);
}

# What a report must list because of the changes alone, by design.md.
sub implied {
    my ($self, $case) = @_;
    my ($expected, $rows, %report) = ($case->{expected}, $case->{rows});
    for my $n (sort grep { $_ ne 'new' } keys %{ $expected->{invitations} || {} }) {
        my ($row, $new) = ($rows->{invitations}[$n - 1], outcome($expected->{invitations}{$n}));
        next if $new->{status} ne 'expired';
        push @{ $report{'expire-invitations'} }, { 'Account' => $case->{name}, 'Invitation ID' => $row->{invitation_id},
            'Email' => $row->{email}, 'Role' => $row->{role}, 'Sent' => shown($row->{sent_at}), 'Expired At' => shown($new->{closed_at}) };
    }
    for my $change (@{ $expected->{plan_changes}{new} || [] }) {
        if ($change->{reason} =~ /^trial_ended/) {
            my ($trial) = grep { $_->{kind} eq 'trial' && $_->{status} ne 'ended' } @{ $rows->{subscriptions} };
            push @{ $report{'end-trials'} }, { 'Account' => $case->{name}, 'Subscription ID' => $trial->{subscription_id},
                'Started' => shown($trial->{started_at}), 'Ended At' => shown($change->{effective_at}), 'To Plan' => $change->{to_plan} };
        } else {
            push @{ $report{'downgrade-plans'} }, { 'Account' => $case->{name}, 'From Plan' => $change->{from_plan},
                'To Plan' => $change->{to_plan}, 'Reason' => $change->{reason}, 'Effective At' => shown($change->{effective_at}) };
        }
    }
    for my $n (sort grep { $_ ne 'new' } keys %{ $expected->{organizations} || {} }) {
        my ($row, $new) = ($rows->{organizations}[$n - 1], outcome($expected->{organizations}{$n}));
        if (exists $new->{git_sync_over_limit_since}) {
            my $since = $new->{git_sync_over_limit_since};
            push @{ $report{'check-git-sync'} }, { 'Account' => $case->{name}, 'Organization ID' => $row->{organization_id},
                'Organization' => $row->{name}, 'Action' => defined $since ? 'flagged' : 'cleared',
                'Since' => shown($since // $row->{git_sync_over_limit_since}) };
        }
        push @{ $report{'flag-inactive-organizations'} }, { 'Account' => $case->{name},
            'Organization ID' => $row->{organization_id}, 'Organization' => $row->{name},
            $new->{status} eq 'inactive'
                ? (Action => 'inactivated', Reason => $new->{inactive_reason}, Since => shown($new->{inactive_since}))
                : (Action => 'reactivated') } if exists $new->{status};
    }
    my @teams = (@{ $case->{skips} }, map { implied_of_teams($json->decode($_)) } $self->expected_changes($case));
    @teams = sort { $a->{Kind} cmp $b->{Kind} || by_number($a->{Key}, $b->{Key}) || $a->{Action} cmp $b->{Action} } @teams;
    $report{'reconcile-teams'} = \@teams if @teams;
    return \%report;
}

sub by_number {
    my @parts = map { [split m{/}, $_] } @_;
    return $parts[0][0] !~ /^\d/ ? $_[0] cmp $_[1] : $parts[0][0] <=> $parts[1][0] || ($parts[0][1] // 0) <=> ($parts[1][1] // 0);
}

# A row of the audit as reconcile-teams reports it; none of events and of the old half of a changed role.
sub implied_of_teams {
    my ($c) = @_;
    my $kind = { organization_members => 'membership', teams => 'team', team_members => 'team_member', team_organizations => 'team_link',
        invitations => 'invitation', licenses => 'license' }->{ $c->{entity} } or return ();
    my @id = split m{/}, $c->{entity_id};
    my $reason = $c->{reason} // '';
    return () if $kind eq 'membership' && $reason eq 'role_changed' && defined $c->{before};
    my $action = $kind eq 'membership' ? $reason || (defined $c->{before} ? 'ended' : 'added')
        : { team => 'team_deleted', invitation => 'invitation_revoked', license => 'license_revoked' }->{$kind} // 'ended';
    return { Kind => $kind, Key => join('/', $id[0], $kind =~ /_|membership/ ? $id[1] : ()), Action => $action,
        $kind eq 'membership' && !defined $c->{before} ? (Role => $c->{after}{role}) : () };
}

# One test per case: rows, audit and reports of its account.
sub check {
    my ($self, $set, @jobs) = @_;
    my %now = map { $_ => $self->table('saas', $_) } @judged;
    my $audit = $self->table('lapse', 'changes');
    my %job = map { @$_ } $self->{db}->rows('SELECT run_id, job FROM lapse.runs');
    my %report = map { $_ => report("$set/$_.csv") } @jobs;
    $self->check_case($_, \%now, $audit, \%job, \%report) for @{ $self->{cases} };
}

# A CSV by account: rows as hashes by header.
sub report {
    my ($path) = @_;
    my ($header, @rows) = Lapse::csv($path);
    my %by;
    for my $row (@rows) {
        my %row;
        @row{@$header} = @$row;
        push @{ $by{ $row{'Account ID'} // '' } }, \%row;
    }
    return \%by;
}

sub check_case {
    my ($self, $case, $now, $audit, $job, $report) = @_;
    my ($account, $expected) = @$case{qw(account expected)};
    my (%got, %want, %number);
    for my $table (@judged) {
        my $key = $key{$table};
        my @rows = map { plain($_) } @{ $now->{$table}{$account} || [] };
        my $n = 0;
        my @want = map { my $over = $expected->{$table}{ ++$n } || {}; plain({ %$_, %{ outcome($over) } }) } @{ $case->{rows}{$table} || [] };
        if (!ref $key) { # an id that the database made has no number that could be expected
            my %given = map { $_->{$key} => 1 } @want;
            my @new = sort { $a->{$key} <=> $b->{$key} } grep { !$given{ $_->{$key} } } @rows;
            my $k = 0;
            for (@new) { $number{$table}{ $_->{$key} } = 'new' . ++$k; $_->{$key} = 'new'; $_->{run_id} = $job->{ $_->{run_id} } if exists $_->{run_id} }
            @rows = ((grep { $_->{$key} ne 'new' } @rows), @new);
        }
        @rows = sort map { text($_) } @rows;
        for (@{ $expected->{$table}{new} || [] }) {
            my %row = (%{ $column{$table} }, account_id => $account);
            $row{$_} = undef for keys %{ $column{$table} };
            $row{cancel_at_period_end} = 0 if $table eq 'subscriptions';
            %row = (%row, %{ outcome($_) }, ref $key ? () : ($key => 'new'));
            $row{$_} = own($account, $row{$_}) for grep { exists $row{$_} } qw(organization_id user_id);
            push @want, \%row;
        }
        @want = sort map { text(plain($_)) } @want;
        if ("@rows" ne "@want") { $got{$table} = \@rows; $want{$table} = \@want }
    }
    my @want = $self->expected_changes($case);
    my @got;
    for my $change (@{ $audit->{$account} || [] }) {
        my ($entity, $entity_id) = @$change{qw(entity entity_id)};
        my ($generated) = $entity_id =~ /([^\/]*)$/;
        $entity_id = $number{$entity}{$generated} if $number{$entity} && $number{$entity}{$generated};
        my %got = (entity => $entity, entity_id => $entity_id, before => $change->{before} && plain($change->{before}),
            after => plain($change->{after}), reason => $change->{reason}, effective_at => $change->{effective_at},
            job => $job->{ $change->{run_id} });
        if (!defined $got{before}) { $got{after} = bare($got{after}); delete $got{after}{run_id} }
        push @got, \%got;
    }
    # Only what the expectation of that row speaks of is compared.
    my %asked = map { my $w = $json->decode($_); (place($w) => $w) } @want;
    for my $got (@got) {
        my $want = $asked{ place($got) } or next;
        delete @$got{grep { !exists $want->{$_} } qw(reason effective_at job)};
    }
    @got = sort map { text($_) } @got;
    @want = sort @want;
    if ("@got" ne "@want") { $got{changes} = \@got; $want{changes} = \@want }
    my $implied = $self->implied($case);
    for my $name (sort keys %$report) {
        my @rows = @{ $report->{$name}{$account} || [] };
        my @lines = @{ $implied->{$name} || [] };
        my $more = $case->{report}{$name} || [];
        @lines = map { { %{ $lines[$_] || {} }, %{ $more->[$_] || {} } } } 0 .. (@$more > @lines ? $#$more : $#lines);
        for my $i (0 .. $#rows) {
            $rows[$i] = { map { $_ => $rows[$i]{$_} } keys %{ $lines[$i] } } if $lines[$i];
        }
        my @as_text = map { [map { text($_) } @$_] } \@rows, \@lines;
        if ("@{ $as_text[0] }" ne "@{ $as_text[1] }") { $got{"$name.csv"} = $as_text[0]; $want{"$name.csv"} = $as_text[1] }
    }
    ok !%got, $case->{name} or do {
        for my $what (sort keys %got) {
            my (%in_got, %in_want);
            $in_got{$_}++ for @{ $got{$what} };
            $in_want{$_}++ for @{ $want{$what} };
            diag "account $account, $what:";
            diag "  is  $_" for grep { !$in_want{$_} } @{ $got{$what} };
            diag "  not $_" for grep { !$in_got{$_} } @{ $want{$what} };
        }
    };
}

# The accounts of all cases, for --account.
sub accounts { my ($self) = @_; return join ',', map { $_->{account} } @{ $self->{cases} } }

# Runs lapse against a user who is faster: the user's statement holds its row locks until lapse waits
# for one of them, then commits.
sub against {
    my ($db, $statement, @arguments) = @_;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        my $psql = "SET timezone = 'UTC'; BEGIN; $statement;
            DO \$\$ BEGIN FOR i IN 1..300 LOOP PERFORM pg_sleep(0.02), pg_stat_clear_snapshot();
              EXIT WHEN EXISTS (SELECT FROM pg_stat_activity a WHERE a.datname = current_database() AND pg_backend_pid() = ANY (pg_blocking_pids(a.pid)));
            END LOOP; END \$\$; COMMIT;";
        my $r = Lapse::command({ PGDATABASE => $db->name, PGAPPNAME => 'faster' }, '/usr/bin/psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-c', $psql);
        print STDERR $r->{stderr} if $r->{status};
        require POSIX;
        POSIX::_exit($r->{status});
    }
    for (1 .. 200) {
        last if $db->one("SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
            WHERE a.application_name = 'faster' AND a.datname = current_database() AND l.mode = 'RowExclusiveLock'
              AND a.state = 'active' AND a.wait_event = 'PgSleep'");
        select undef, undef, undef, 0.02;
    }
    my $r = $db->lapse(@arguments);
    waitpid $pid, 0;
    $r->{user} = $? >> 8;
    return $r;
}

# ---- what events write, by schema.md ----

# A trial that ends: the columns of its row.
sub trial_end {
    my ($when) = @_;
    return { status => 'ended', ended_at => $when, end_reason => 'trial_ended', -at => $when };
}

# A base that lapses.
sub lapse_of {
    my ($when, $reason) = @_;
    $reason //= 'expired_without_renewal';
    return { status => 'ended', ended_at => $when, end_reason => $reason, -at => $when, -reason => $reason };
}

# The Essentials base that follows.
sub essentials {
    my ($when, %more) = @_;
    return { kind => 'base', plan => 'essentials', channel => 'none', status => 'active', seats => -1,
        started_at => $when, -at => $when, %more };
}

sub plan_change {
    my ($from, $to, $reason, $when, $job) = @_;
    my ($from_plan, $from_seats) = split / /, $from;
    my ($to_plan, $to_seats) = split / /, $to;
    return { from_plan => $from_plan, to_plan => $to_plan, from_seats => $from_seats, to_seats => $to_seats,
        reason => $reason, effective_at => $when, processed_at => at(), run_id => $job, -job => $job,
        -reason => $reason, -at => $when };
}

1;
