# What reconcile-seats must say, counted by plain loops over the exported rows. It shares nothing
# with the job's SQL: it is written from the rules alone (L1 to L6, I1 to I5, P1 to P4, A2, A4, A8).
#
#     my $model = SeatsModel->new($db);              # reads every table it needs, once
#     my $seats = $model->account($id, $as_of);      # undef: the account does not exist yet
#     $seats->{figures}                              # plan, purchased, licenses, ... of the snapshot
#     $seats->{detail}, $seats->{findings}           # the rows of the two other files
#     $model->holders($id, $instant)                 # person => how they hold a seat
#
# An instant is a number here: microseconds since 1970, or infinity. A person is a lower-cased
# e-mail; a user or an invitation without one is a person of its own.
package SeatsModel;
use strict;
use warnings;
use JSON::PP ();
use Time::Local qw(timegm);

my $hour = 3_600_000_000;
my $day = 24 * $hour;
my @tables = qw(accounts users account_members subscriptions organizations organization_members teams
    team_members invitations licenses user_activity user_activity_days seat_snapshots plans);

sub new {
    my ($class, $db) = @_;
    my $self = bless {}, $class;
    $self->{$_} = export($db, "saas.$_") for @tables;
    $self->{user} = { map { $_->{user_id} => $_ } @{ $self->{users}{''} } };
    $self->{plan} = { map { $_->{plan} => $_ } @{ $self->{plans}{''} } };
    $self->{run} = { map { $_->{run_id} => $_ } @{ export($db, 'lapse.runs')->{''} } };
    for (values %{ $self->{invitations} }) { for (@$_) { $_->{expires_at} //= $_->{sent_at} + 720 * $hour } }
    return $self;
}

# The rows of a table by account ('' where it has none), instants as numbers.
sub export {
    my ($db, $table) = @_;
    my $json = JSON::PP->new;
    my %by = ('' => []);
    for ($db->rows("SELECT row_to_json(t) FROM $table t")) {
        next if !length $_->[0];
        my $row = $json->decode($_->[0]);
        for (keys %$row) { $row->{$_} = micros($row->{$_}) if defined $row->{$_} && !ref $row->{$_} && /_(at|end|of|from|since)\z/ }
        push @{ $by{ $row->{account_id} // '' } }, $row;
    }
    return \%by;
}

sub micros {
    my ($text) = @_;
    return 9**9**9 if $text eq 'infinity';
    return -9**9**9 if $text eq '-infinity';
    my ($y, $m, $d, $h, $min, $s, $us) = $text =~ /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:\+00:00|Z))?$/
        or die "not an instant: $text";
    return timegm($s || 0, $min || 0, $h || 0, $d, $m - 1, $y) * 1_000_000 + substr(($us // '') . '000000', 0, 6);
}

# As the reports print an instant, and a day.
sub shown {
    my ($t) = @_;
    return $t if !defined $t;
    return 'infinity' if $t == 9**9**9;
    my @t = gmtime(($t - $t % 1_000_000) / 1_000_000);
    return sprintf '%04d-%02d-%02dT%02d:%02d:%02dZ', $t[5] + 1900, $t[4] + 1, @t[3, 2, 1, 0];
}
sub date { return substr shown($_[0] * $day), 0, 10 }
sub day_of { my ($t) = @_; return ($t - $t % $day) / $day }

sub has { my ($self, $table, $account) = @_; return @{ $self->{$table}{$account} || [] } }
sub older { my ($begin, $id) = @_; return sub { $_[0]{$begin} <=> $_[1]{$begin} || $_[0]{$id} <=> $_[1]{$id} } }
sub least { my ($n) = sort { $a <=> $b } @_; return $n }
sub greatest { my ($n) = sort { $b <=> $a } @_; return $n }

# Began at or before t, and has no end at or before t.
sub live { my ($begin, $end, $t) = @_; return $begin <= $t && (!defined $end || $end > $t) }

# ---- who holds a seat ----

sub person {
    my ($row) = @_; # of a user or an invitation
    return defined $row->{email} ? lc $row->{email} : defined $row->{user_id} ? "user $row->{user_id}" : "invitation $row->{invitation_id}";
}

# L1: person => { licenses => [earliest first] } or, without any, { invitations => [earliest first] }.
sub holders {
    my ($self, $account, $t) = @_;
    my %holder;
    my $by_grant = older('granted_at', 'license_id');
    for my $license (sort { $by_grant->($a, $b) } $self->has('licenses', $account)) {
        next if !live($license->{granted_at}, $license->{revoked_at}, $t);
        push @{ $holder{ person($self->{user}{ $license->{user_id} }) }{licenses} }, $license;
    }
    my $by_sending = older('sent_at', 'invitation_id');
    for my $invitation (sort { $by_sending->($a, $b) } $self->has('invitations', $account)) {
        my $person = person($invitation);
        next if !invited($invitation, $t) || $holder{$person} && $holder{$person}{licenses};
        push @{ $holder{$person}{invitations} }, $invitation;
    }
    return \%holder;
}

# I2, I3: sent, neither lapsed nor closed. Closed without saying when: since ever.
sub invited {
    my ($invitation, $t) = @_;
    return 0 if $invitation->{sent_at} > $t || $invitation->{expires_at} <= $t;
    return defined $invitation->{closed_at} ? $invitation->{closed_at} > $t : $invitation->{status} eq 'pending';
}

# P4, by instants: the live trial, else the base; of several the one started later, then the lower id.
sub plan_in_force {
    my ($self, $account, $t) = @_;
    my %live = (trial => [], base => []);
    for my $s ($self->has('subscriptions', $account)) {
        next if !live($s->{started_at}, $s->{ended_at}, $t);
        next if $s->{kind} eq 'trial' && ($s->{trial_ends_at} // $s->{started_at} + 336 * $hour) <= $t;
        push @{ $live{ $s->{kind} } }, $s;
    }
    my ($s) = sort { $b->{started_at} <=> $a->{started_at} || $a->{subscription_id} <=> $b->{subscription_id} }
        @{ @{ $live{trial} } ? $live{trial} : $live{base} };
    return (undef, undef) if !$s;
    return ($s->{plan}, $self->{plan}{ $s->{plan} }{included_seats} // $s->{seats});
}

# ---- memberships ----

# Of organizations or teams: (membership, what it is of, its end) of a person, begun by t.
sub memberships {
    my ($self, $kind, $account, $user_id, $t) = @_;
    my %of = map { $_->{"${kind}_id"} => $_ } $self->has("${kind}s", $account);
    my @all;
    for my $m ($self->has("${kind}_members", $account)) {
        next if $m->{user_id} != $user_id || $m->{joined_at} > $t;
        my $of = $of{ $m->{"${kind}_id"} };
        push @all, { of => $of, joined_at => $m->{joined_at}, end => least(grep { defined } $m->{left_at}, $of->{deleted_at}) };
    }
    return @all;
}

# Names of what a person is in at t, each one once, by bytes.
sub names {
    my ($kind, @of) = @_;
    my %name = map { $_->{"${kind}_id"} => $_->{name} } @of;
    return @of ? join '; ', sort values %name : undef;
}
sub is_in {
    my ($self, $kind, $account, $user_id, $t) = @_;
    return map { $_->{of} } grep { live($_->{joined_at}, $_->{end}, $t) } $self->memberships($kind, $account, $user_id, $t);
}

# ---- activity ----

# A8, A4: the day somebody was last active, undef for never.
sub active_on {
    my ($self, $account, $user_id, $t) = @_;
    my @opened = map { $_->{day} } grep { $_->{user_id} == $user_id && $_->{day} <= day_of($t) }
        map { { user_id => $_->{user_id}, day => day_of(micros($_->{day})) } } $self->has('user_activity_days', $account);
    my ($summary) = grep { $_->{user_id} == $user_id } $self->has('user_activity', $account);
    my ($opened_at, $login_at) = map { defined && $_ <= $t ? $_ : undef } @{ $summary || {} }{qw(last_opened_at last_login_at)};
    my $opened_on = greatest(@opened, map { day_of($_) } grep { defined } $opened_at);
    my $by_login = defined $login_at && (!defined $opened_on || $opened_on < day_of(micros('2025-05-20')));
    return $by_login ? day_of($login_at) : $opened_on;
}

# A2, A3: the status, and the date where it may be shown.
sub activity {
    my ($self, $account, $user_id, $t) = @_;
    my $on = $self->active_on($account, $user_id, $t);
    return ('Never', 'N/A') if !defined $on;
    my $age = day_of($t) - $on;
    return $age <= 90 ? ('Active', date($on)) : $age <= 100 ? ('Aging', undef) : ('Inactive', 'N/A');
}

# ---- an account ----

sub account {
    my ($self, $account, $t) = @_;
    my ($row) = $self->has('accounts', $account);
    return undef if $row->{created_at} > $t;
    my $holders = $self->holders($account, $t);
    my $figures = $self->figures($account, $holders, $t);
    my @findings = (
        (map { $self->judge_license($account, $holders->{$_}{licenses}, $t) } grep { $holders->{$_}{licenses} } sort keys %$holders),
        $self->access_without_seat($account, $holders, $t),
        $figures->{over} > 0 ? { finding => 'over_limit' } : (),
        $self->tie_out($account, $holders, $t));
    my @detail = map { $self->seat($account, $holders->{$_}, $t) } sort keys %$holders;
    return { name => $row->{name}, figures => $figures, detail => \@detail, findings => \@findings,
        without_access => scalar(grep { $_->{finding} eq 'seat_without_access' } @findings),
        inactive => scalar(grep { ($_->{status} // '') eq 'Inactive' } @detail) };
}

# L2.
sub figures {
    my ($self, $account, $holders, $t) = @_;
    my ($plan, $purchased) = $self->plan_in_force($account, $t);
    my $used = keys %$holders;
    my $licenses = grep { $_->{licenses} } values %$holders;
    my $limited = defined $purchased && $purchased != -1;
    return { plan => $plan, purchased => $purchased, licenses => $licenses, invitations => $used - $licenses, used => $used,
        over => $limited && $used > $purchased ? $used - $purchased : 0,
        free => $limited ? $purchased - $used : undef,
        utilisation => $limited && $purchased > 0 ? percent($used, $purchased) : undef };
}

# One decimal, a half away from zero.
sub percent {
    my ($part, $whole) = @_;
    my $tenths = int((2 * 1000 * $part + $whole) / (2 * $whole));
    return int($tenths / 10) . '.' . $tenths % 10;
}

# The row of a seat holder.
sub seat {
    my ($self, $account, $holder, $t) = @_;
    if (my $license = $holder->{licenses}[0]) {
        my $user_id = $license->{user_id};
        my ($status, $last_active) = $self->activity($account, $user_id, $t);
        return { email => $self->{user}{$user_id}{email}, type => 'license', source => $license->{source}, since => shown($license->{granted_at}),
            expires => undef, status => $status, last_active => $last_active,
            organizations => names('organization', $self->is_in('organization', $account, $user_id, $t)),
            teams => names('team', $self->is_in('team', $account, $user_id, $t)) };
    }
    my @live = @{ $holder->{invitations} };
    return { email => $live[0]{email}, type => 'invitation', source => 'invitation', since => shown($live[0]{sent_at}),
        expires => shown(greatest(map { $_->{expires_at} } @live)), last_active => undef,
        organizations => names('organization', $self->invited_to('organization', $account, \@live, $t)),
        teams => names('team', $self->invited_to('team', $account, \@live, $t)) };
}
sub invited_to {
    my ($self, $kind, $account, $invitations, $t) = @_;
    my %asked = map { $_->{"${kind}_id"} => 1 } grep { defined $_->{"${kind}_id"} } @$invitations;
    return grep { $asked{ $_->{"${kind}_id"} } && !(defined $_->{deleted_at} && $_->{deleted_at} <= $t) } $self->has("${kind}s", $account);
}

# L3, L4: a person with a license is judged once, by the earliest; two or more are told besides.
sub judge_license {
    my ($self, $account, $licenses, $t) = @_;
    my $license = $licenses->[0];
    my $user_id = $license->{user_id};
    my %about = (email => $self->{user}{$user_id}{email}, last_active => ($self->activity($account, $user_id, $t))[1]);
    my @findings = @$licenses > 1 ? { finding => 'duplicate', %about } : ();
    my @ever = map { $self->memberships($_, $account, $user_id, $t) } qw(organization team);
    return @findings if grep { live($_->{joined_at}, $_->{end}, $t) } @ever;
    return @findings if $license->{source} eq 'owner' || $self->owns($account, $user_id, $t);
    return (@findings, { finding => 'captured_unassigned', %about }) if $license->{source} eq 'capture' || $license->{source} eq 'scim' && !@ever;
    return (@findings, { finding => 'seat_without_access', %about, source => $license->{source},
        since => shown(greatest($license->{granted_at}, map { $_->{end} } @ever)) });
}
sub owns {
    my ($self, $account, $user_id, $t) = @_;
    return grep { $_->{user_id} == $user_id && $_->{role} eq 'owner' && live($_->{joined_at}, $_->{left_at}, $t) } $self->has('account_members', $account);
}

# L5.
sub access_without_seat {
    my ($self, $account, $holders, $t) = @_;
    my %member = map { $_->{user_id} => $self->{user}{ $_->{user_id} } } $self->has('organization_members', $account);
    my @found;
    for my $user (map { $member{$_} } sort { $a <=> $b } keys %member) {
        next if defined $user->{deleted_at} && $user->{deleted_at} <= $t;
        my $holder = $holders->{ person($user) };
        next if $holder && $holder->{licenses} || !$self->is_in('organization', $account, $user->{user_id}, $t);
        push @found, { finding => 'access_without_seat', email => $user->{email} };
    }
    return @found;
}

# ---- the movement since the snapshot before ----

# When a snapshot was taken: as of its run, if that is known and of that day; else at its day's begin.
sub taken_at {
    my ($self, $snapshot) = @_;
    my $begin = micros($snapshot->{day});
    my $run = defined $snapshot->{run_id} ? $self->{run}{ $snapshot->{run_id} } : undef;
    return $run && day_of($run->{as_of}) == day_of($begin) ? $run->{as_of} : $begin;
}

sub tie_out {
    my ($self, $account, $holders, $t) = @_;
    my ($last) = sort { $b->{day} cmp $a->{day} } grep { day_of(micros($_->{day})) < day_of($t) } $self->has('seat_snapshots', $account);
    return () if !$last;
    my $then = $self->holders($account, $self->taken_at($last));
    my $came = grep { !$then->{$_} } keys %$holders;
    my $left = grep { !$holders->{$_} } keys %$then;
    return $last->{used} + $came - $left == keys %$holders ? () : { finding => 'tie_out' };
}

1;
