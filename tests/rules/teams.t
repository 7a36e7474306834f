# Rules M1 to M6: memberships follow the teams' links; teams and people follow SCIM.
use strict;
use warnings;
use Test::More;
use JSON::PP ();
use Lapse;
use Fixture;

my $job = 'reconcile-teams';
my $db = Lapse::database();
my $f = Fixture->new($db);
my $long = '2024-01-01T00:00:00+00:00'; # where every row that says nothing else begins
my ($two, $ten, $twenty) = (at('-2 d'), at('-10 d'), at('-20 d'));

# What a case begins with: user 1 is in team 1, which is linked to organization 1.
sub linked {
    my (%more) = @_;
    return { users => [map { {} } 1 .. 4], organizations => [{ name => 'Mill' }], teams => [{ name => 'Weavers' }],
        team_members => [{}], team_organizations => [{}], %more };
}
sub there { return organization_members => [map { { via => 'team', %$_ } } @_] }

# What becomes of memberships.
sub added {
    my ($when, %more) = @_;
    return { organization_id => 1, user_id => 1, via => 'team', joined_at => $when, role => 'member', -at => $when, -reason => 'added', -job => $job, %more };
}
sub comes { return { organization_members => { new => [added(@_)] } } }
sub left { my ($when, $reason) = @_; return { left_at => $when, -at => $when, -reason => $reason // 'ended', -job => $job } }
sub goes { return { organization_members => { 1 => left(@_) } } }
sub turns { # the old row ends, a new one begins
    my ($role, %more) = @_;
    return { organization_members => { 1 => left(at(), 'role_changed'), new => [added(at(), role => $role, -reason => 'role_changed', %more)] } };
}
sub left_alone { my ($kind, $key) = @_; return (skips => [{ Kind => $kind, Key => $key, Action => 'skipped' }]) }

# ---- M1: what is missing ----
$f->case('M1 in the team, without access: added, since the team, the link and the membership are there', linked(), comes($long));
$f->case('M1 it begins with the membership of the team', linked(team_members => [{ joined_at => $ten }]), comes($ten));
$f->case('M1 it begins with the link', linked(team_organizations => [{ linked_at => $ten }]), comes($ten));
$f->case('M1 it begins with the team', linked(teams => [{ created_at => $ten }]), comes($ten));
$f->case('M1 it begins with the organization', linked(organizations => [{ created_at => $ten }]), comes($ten));
$f->case('M1 of membership and link the later one', linked(team_members => [{ joined_at => $ten }], team_organizations => [{ linked_at => at('-10 d', '1 us') }]), comes(at('-10 d', '1 us')));
$f->case('M1 of two ways the one that began first', linked(teams => [{}, {}], team_members => [{ joined_at => $ten }, { team_id => 2, joined_at => $twenty }], team_organizations => [{}, { team_id => 2 }]), comes($twenty));
$f->case('M1 a way that has ended gives no begin', linked(teams => [{}, {}], team_members => [{ joined_at => $ten }, { team_id => 2, joined_at => $twenty, left_at => at('-15 d') }], team_organizations => [{}, { team_id => 2 }]), comes($ten));
$f->case('M1 by hand and through SCIM: one access, since the first', linked(team_members => [{ joined_at => $ten }, { source => 'scim', joined_at => $twenty }]), comes($twenty));
$f->case('M1 every organization of the team, every member', linked(organizations => [{}, {}], team_members => [{}, { user_id => 2 }], team_organizations => [{}, { organization_id => 2 }]),
    { organization_members => { new => [map { my $o = $_; map { added($long, organization_id => $o, user_id => $_) } 1, 2 } 1, 2] } });
$f->case('M1 an inactive organization as well', linked(organizations => [{ status => 'inactive', inactive_reason => 'abuse' }]), comes($long));
for (['the member joins', team_members => 'joined_at'], ['the team is linked', team_organizations => 'linked_at'], ['the team is made', teams => 'created_at'], ['the organization is made', organizations => 'created_at']) {
    my ($what, $table, $column) = @$_;
    $f->case("M1 $what an instant before as-of", linked($table => [{ $column => at('-1 us') }]), comes(at('-1 us')));
    $f->case("M1 $what at as-of", linked($table => [{ $column => at() }]), comes(at()));
    $f->case("M1 $what an instant after as-of: not yet", linked($table => [{ $column => at('1 us') }]), {});
}
for (['the member leaves', team_members => 'left_at'], ['the link ends', team_organizations => 'unlinked_at'], ['the team is deleted', teams => 'deleted_at'], ['the organization is deleted', organizations => 'deleted_at']) {
    my ($what, $table, $column) = @$_;
    $f->case("M1 $what an instant before as-of: no access", linked($table => [{ $column => at('-1 us') }]), {});
    $f->case("M1 $what at as-of: no access", linked($table => [{ $column => at() }]), {});
    $f->case("M1 $what an instant after as-of: access still", linked($table => [{ $column => at('1 us') }]), comes($long));
    $f->case("M1 $what in no time", linked($table => [{ $column => 'infinity' }]), comes($long));
}
$f->case('M1 it is there: nothing', linked(there({})), {});
$f->case('M1 it is there, since another day: nothing', linked(there({ joined_at => $ten })), {});
$f->case('M1 it is there until an instant after as-of: nothing', linked(there({ left_at => at('1 us') })), {});
$f->case('M1 it is there from as-of on: nothing', linked(there({ joined_at => at() })), {});
$f->case('M1 it is there only from an instant after as-of on: added', linked(there({ joined_at => at('1 us') })), comes($long));
$f->case('M1 left and came back: a new row since then', linked(team_members => [{ left_at => $twenty }, { joined_at => $ten }], there({ left_at => $twenty })), comes($ten));
$f->case('M1 ended though the team went on: a row of that begin is there already, so it begins anew at as-of', linked(there({ left_at => $ten })), comes(at()));
$f->case('M1 ended an instant before as-of, though the team went on', linked(there({ left_at => at('-1 us') })), comes(at()));
$f->case('M1 ended at as-of, though the team went on', linked(there({ left_at => at() })), comes(at()));
$f->case('M1 a row of that begin, and one of as-of, both ended: it waits for the next run', linked(there({ left_at => $ten }, { joined_at => at(), left_at => at() })), {});
$f->case('M1 an ended row of as-of alone is in nobody\'s way', linked(there({ joined_at => at(), left_at => at() })), comes($long));
$f->case('M1 a direct row of that begin is in nobody\'s way', linked(organization_members => [{}]), comes($long));
$f->case('M1 a team linked to another account\'s organization gives nothing', linked(team_organizations => [{ organization_id => 101 }]), {}); # account 1's first
$f->case('M1 a team linked to an organization that does not exist gives nothing', linked(team_organizations => [{ organization_id => 999999999 }]), {});
$f->case('M1 a team without links gives nothing', linked(team_organizations => []), {});

# ---- M1: what is left over ----
sub leftover { # a membership of long standing; its source; when it ends
    my ($name, $left_at, %more) = @_;
    return $f->case($name, linked(there({}), %more), $left_at ? goes($left_at) : {});
}
leftover('M1 no source ever: ended as of now', at(), team_members => []);
leftover('M1 left the team ten days ago: ended then', $ten, team_members => [{ left_at => $ten }]);
leftover('M1 the link ended ten days ago', $ten, team_organizations => [{ unlinked_at => $ten }]);
leftover('M1 the team was deleted ten days ago', $ten, teams => [{ deleted_at => $ten }]);
leftover('M1 of member, link and team the first end counts', $twenty, team_members => [{ left_at => $ten }], team_organizations => [{ unlinked_at => $twenty }], teams => [{ deleted_at => at('-15 d') }]);
leftover('M1 of two sources the last end counts', $ten, teams => [{}, {}], team_members => [{ left_at => $twenty }, { team_id => 2, left_at => $ten }], team_organizations => [{}, { team_id => 2 }]);
leftover('M1 one of two sources has ended: nothing', undef, teams => [{}, {}], team_members => [{ left_at => $twenty }, { team_id => 2 }], team_organizations => [{}, { team_id => 2 }]);
leftover('M1 another person\'s source is none', at(), team_members => [{ user_id => 2, left_at => $ten }]) if 0;
leftover('M1 a source that ends at as-of', at(), team_members => [{ left_at => at() }]);
leftover('M1 a source that ended an instant before', at('-1 us'), team_members => [{ left_at => at('-1 us') }]);
leftover('M1 a source that ends an instant after: nothing', undef, team_members => [{ left_at => at('1 us') }]);
leftover('M1 a source that begins an instant after: none yet, ended as of now', at(), team_members => [{ joined_at => at('1 us') }]);
leftover('M1 a source that ended before it began is none', at(), team_members => [{ joined_at => $ten, left_at => $twenty }]);
leftover('M1 the link ended before the member joined: no source ever', at(), team_members => [{ joined_at => $ten, left_at => at('-1 d') }], team_organizations => [{ unlinked_at => $twenty }]);
leftover('M1 the organization was deleted at as-of: not judged', undef, team_members => [], organizations => [{ deleted_at => at() }]);
leftover('M1 the organization is deleted an instant after as-of: judged', at(), team_members => [], organizations => [{ deleted_at => at('1 us') }]);
leftover('M1 an inactive organization is judged', at(), team_members => [], organizations => [{ status => 'inactive' }]);
$f->case('M1 the source had ended before the membership began: as of now', linked(there({ joined_at => $ten }), team_members => [{ left_at => $twenty }]), goes(at()));
$f->case('M1 the source ended when the membership began: as of now', linked(there({ joined_at => $ten }), team_members => [{ left_at => $ten }]), goes(at()));
$f->case('M1 the source ended an instant after the membership began: then', linked(there({ joined_at => $ten }), team_members => [{ left_at => at('-10 d', '1 us') }]), goes(at('-10 d', '1 us')));
$f->case('M1 it would have ended later by itself: ended with its source', linked(there({ left_at => at('9 d') }), team_members => [{ left_at => $ten }]), goes($ten));
$f->case('M1 it ended at as-of: nothing', linked(there({ left_at => at() }), team_members => [{ left_at => $ten }]), {});
$f->case('M1 it ended before, later than its source: nothing', linked(there({ left_at => at('-1 d') }), team_members => [{ left_at => $ten }]), {});
$f->case('M1 it begins at as-of without a source: ended at once', linked(there({ joined_at => at() }), team_members => []), goes(at()));
$f->case('M1 it begins an instant after as-of: not judged', linked(there({ joined_at => at('1 us') }), team_members => []), {});
$f->case('M1 one organization\'s link ends, the other stays', linked(organizations => [{}, {}], team_organizations => [{ unlinked_at => $ten }, { organization_id => 2 }], there({}, { organization_id => 2 })), goes($ten));

# ---- M2 ----
$f->case('M2 a direct membership without a team is never touched', linked(team_members => [], organization_members => [{}]), {});
$f->case('M2 the team ends, the direct membership stays', linked(team_members => [{ left_at => $ten }], organization_members => [{ via => 'team' }, { role => 'admin' }]), goes($ten));
$f->case('M2 the direct role is its own: neither is changed', linked(organization_members => [{ role => 'owner' }, { via => 'team' }]), {});
$f->case('M2 a direct member of a team gets the team\'s access too', linked(organization_members => [{ role => 'admin', joined_at => $ten }]), comes($long));
sub two_teams { my ($one, $other) = @_; return (teams => [{ role => $one }, { role => $other }], team_members => [{ joined_at => $ten }, { team_id => 2, joined_at => $twenty }], team_organizations => [{}, { team_id => 2 }]) }
$f->case('M1 the team\'s role', linked(teams => [{ role => 'admin' }]), comes($long, role => 'admin'));
$f->case('M2 of two teams the higher role, since the first', linked(two_teams('admin', 'member')), comes($twenty, role => 'admin'));
$f->case('M2 of two teams the higher role, whichever comes first', linked(two_teams('member', 'admin')), comes($twenty, role => 'admin'));
$f->case('M2 member now, admin by one of two teams: a new row as of now', linked(two_teams('member', 'admin'), there({})), turns('admin'));
$f->case('M2 admin now, the admins\' team has gone: a new row as of now', linked(teams => [{}, { role => 'admin', deleted_at => $ten }], team_members => [{}, { team_id => 2 }], team_organizations => [{}, { team_id => 2 }], there({ role => 'admin' })), turns('member'));
$f->case('M2 the team\'s role was changed', linked(teams => [{ role => 'admin' }], there({})), turns('admin'));
$f->case('M2 owner through a team that gives member', linked(there({ role => 'owner' })), turns('member'));
$f->case('M2 the right role is there as well: the wrong one ends', linked(there({ role => 'admin' }, { joined_at => $ten })), goes(at()));
$f->case('M2 the right role is there from an instant after as-of only', linked(there({ role => 'admin' }, { joined_at => at('1 us') })), turns('member'));
$f->case('M2 two rows of a wrong role: both end, one begins', linked(teams => [{ role => 'admin' }], there({}, { joined_at => $ten })),
    { organization_members => { 1 => left(at(), 'role_changed'), 2 => left(at(), 'role_changed'), new => [added(at(), role => 'admin', -reason => 'role_changed')] } });
$f->case('M2 two rows of the right role: nothing', linked(there({}, { joined_at => $ten })), {});
$f->case('M2 the wrong role began at as-of: it waits for the next run', linked(teams => [{ role => 'admin' }], there({ joined_at => at() })), {});
$f->case('M2 the wrong role began an instant before as-of', linked(teams => [{ role => 'admin' }], there({ joined_at => at('-1 us') })), turns('admin'));

# ---- M3: teams that SCIM deletes ----
sub event { my ($received, %more) = @_; return { kind => 'team_deleted', external_id => 'grp', received_at => $received, %more } }
sub done { return { applied_at => at(), -at => at(), -job => $job } }
sub deleted { my ($when) = @_; return { deleted_at => $when, -at => $when, -reason => 'team_deleted', -job => $job } }
sub gone { my ($when, $column, $reason) = @_; return { $column => $when, -at => $when, -reason => $reason // 'team_deleted', -job => $job } }
my @scim = (teams => [{ name => 'Weavers', source => 'scim', external_id => 'grp' }]);
sub all_gone {
    my ($when, %more) = @_;
    return { teams => { 1 => deleted($when) }, team_members => { 1 => gone($when, 'left_at') }, team_organizations => { 1 => gone($when, 'unlinked_at') },
        organization_members => { 1 => left($when) }, scim_events => { 1 => done() }, %more };
}
$f->case('M3 deleted then, with members, links, invitations; access ends', linked(@scim, there({}), scim_events => [event($two)],
        invitations => [{ team_id => 1, sent_at => at('-5 d') }, { organization_id => 1, sent_at => at('-5 d') }, { team_id => 1, sent_at => at('-5 d'), status => 'accepted', closed_at => at('-4 d') }]),
    all_gone($two, invitations => { 1 => { status => 'revoked', closed_at => $two, -at => $two, -reason => 'team_deleted', -job => $job } }));
$f->case('M3 told an instant before as-of', linked(@scim, there({}), scim_events => [event(at('-1 us'))]), all_gone(at('-1 us')));
$f->case('M3 told at as-of', linked(@scim, there({}), scim_events => [event(at())]), all_gone(at()));
$f->case('M3 told an instant after as-of: not judged', linked(@scim, there({}), scim_events => [event(at('1 us'))]), {});
$f->case('M3 carried out already: not again', linked(@scim, there({}), scim_events => [event($two, applied_at => at('-1 d'))]), {});
$f->case('M3 told twice: the first counts', linked(@scim, there({}), scim_events => [event(at('-1 d')), event($two)]), all_gone($two, scim_events => { 1 => done(), 2 => done() }));
$f->case('M3 a team made by hand is never deleted, and the event waits', linked(teams => [{ external_id => 'grp' }], there({}), scim_events => [event($two)]), {}, left_alone(scim_event => $f->{next} . '01'));
$f->case('M3 one by hand, one through SCIM: the second goes, the event waits', linked(teams => [{ external_id => 'grp' }, { external_id => 'grp', source => 'scim' }], team_members => [], team_organizations => [], scim_events => [event($two)]),
    { teams => { 2 => deleted($two) } }, left_alone(scim_event => $f->{next} . '01'));
$f->case('M3 nobody knows the team: simply carried out', linked(@scim, there({}), scim_events => [event($two, external_id => 'other')]), { scim_events => { 1 => done() } });
$f->case('M3 no team is named: simply carried out', linked(@scim, there({}), scim_events => [event($two, external_id => undef)]), { scim_events => { 1 => done() } });
$f->case('M3 the team is another account\'s: simply carried out', linked(there({}), scim_events => [event($two)]), { scim_events => { 1 => done() } });
$f->case('M3 deleted already: simply carried out, members and links as they were', linked(teams => [{ source => 'scim', external_id => 'grp', deleted_at => at() }], there({ left_at => at() }), scim_events => [event($two)]), { scim_events => { 1 => done() } });
$f->case('M3 deleted an instant after as-of: deleted when SCIM said so', linked(teams => [{ source => 'scim', external_id => 'grp', deleted_at => at('1 us') }], there({}), scim_events => [event($two)]), all_gone($two));
$f->case('M3 made an instant after the news: another team', linked(teams => [{ source => 'scim', external_id => 'grp', created_at => at('-2 d', '1 us') }], there({ joined_at => at('-1 d') }), scim_events => [event($two)]), { scim_events => { 1 => done() } });
$f->case('M3 made at the instant of the news', linked(teams => [{ source => 'scim', external_id => 'grp', created_at => $two }], team_members => [], team_organizations => [], scim_events => [event($two)]), { teams => { 1 => deleted($two) }, scim_events => { 1 => done() } });
for (['left an instant before: stays so', at('-2 d', '-1 us'), 0], ['left at that instant: stays so', $two, 0], ['left an instant later: had left then', at('-2 d', '1 us'), 1], ['would leave after as-of', at('3 d'), 1]) {
    my ($what, $when, $ends) = @$_;
    $f->case("M3 a member who $what", linked(@scim, team_organizations => [], team_members => [{ left_at => $when }], scim_events => [event($two)]),
        { teams => { 1 => deleted($two) }, scim_events => { 1 => done() }, $ends ? (team_members => { 1 => gone($two, 'left_at') }) : () });
    $f->case("M3 a link: who $what", linked(@scim, team_members => [], team_organizations => [{ unlinked_at => $when }], scim_events => [event($two)]),
        { teams => { 1 => deleted($two) }, scim_events => { 1 => done() }, $ends ? (team_organizations => { 1 => gone($two, 'unlinked_at') }) : () });
}
$f->case('M3 a member who joined at that instant leaves then; one who joined an instant later was never in it', linked(@scim, team_organizations => [], team_members => [{ joined_at => $two }, { user_id => 2, joined_at => at('-2 d', '1 us') }], scim_events => [event($two)]),
    { teams => { 1 => deleted($two) }, scim_events => { 1 => done() }, team_members => { 1 => gone($two, 'left_at') } });
$f->case('M3 members by hand go with the team', linked(@scim, team_members => [{ source => 'manual' }, { source => 'scim' }], there({}), scim_events => [event($two)]),
    all_gone($two, team_members => { map { $_ => gone($two, 'left_at') } 1, 2 }));
$f->case('M3 who has another team keeps the access, with that team\'s role', linked(teams => [{ source => 'scim', external_id => 'grp', role => 'admin' }, {}], team_members => [{}, { team_id => 2 }], team_organizations => [{}, { team_id => 2 }], there({ role => 'admin' }), scim_events => [event($two)]),
    all_gone($two, %{ turns('member') }));
$f->case('M3 who is a direct member as well stays one', linked(@scim, organization_members => [{ via => 'team' }, {}], scim_events => [event($two)]), all_gone($two));
$f->case('M3 access that had to be added is not', linked(@scim, scim_events => [event($two)]), all_gone($two, organization_members => {}));
$f->case('M3 an overdue invitation is pending until it is marked', linked(@scim, team_members => [], team_organizations => [], scim_events => [event($two)], invitations => [{ team_id => 1, sent_at => at('-40 d') }, { team_id => 1, sent_at => at('1 us') }]),
    { teams => { 1 => deleted($two) }, scim_events => { 1 => done() }, invitations => { 1 => { status => 'revoked', closed_at => $two } } });

# ---- M4, M5: people whom SCIM deprovisions ----
sub leaves { my ($received, %more) = @_; return { kind => 'user_deprovisioned', email => 'u1.a' . $f->{next} . '@x.example', received_at => $received, %more } }
sub revoked { my $when = at(); return { revoked_at => $when, revoke_reason => 'deprovisioned', -at => $when, -reason => 'deprovisioned', -job => $job } }
my @by_scim = (team_members => [{ source => 'scim' }], licenses => [{ source => 'scim' }]);
sub provisioned { return linked(@by_scim, there({}), @_) }
sub lost {
    my ($when, %more) = @_;
    return { team_members => { 1 => gone($when, 'left_at', 'deprovisioned') }, licenses => { 1 => revoked($when) }, organization_members => { 1 => left($when) }, scim_events => { 1 => done() }, %more };
}
$f->case('M4 loses the team that SCIM gave, the access, and the license', provisioned(scim_events => [leaves($two)]), lost($two));
$f->case('M4 told at as-of', provisioned(scim_events => [leaves(at())]), lost(at()));
$f->case('M4 told an instant after as-of: not judged', provisioned(scim_events => [leaves(at('1 us'))]), {});
$f->case('M4 carried out already: not again', provisioned(scim_events => [leaves($two, applied_at => at('1 us'))]), {});
$f->case('M4 the address in capitals', provisioned(scim_events => [leaves($two, email => 'U1.A' . $f->{next} . '@X.EXAMPLE')]), lost($two));
$f->case('M4 told twice: the first counts', provisioned(scim_events => [leaves(at('-1 d')), leaves($two)]), lost($two, scim_events => { 1 => done(), 2 => done() }));
$f->case('M4 nobody has that address: simply carried out', provisioned(scim_events => [leaves($two, email => 'stranger@x.example')]), { scim_events => { 1 => done() } });
$f->case('M4 no address at all: simply carried out', provisioned(scim_events => [leaves($two, email => undef)]), { scim_events => { 1 => done() } });
$f->case('M4 somebody of another account: simply carried out', provisioned(scim_events => [leaves($two, email => 'u1.a1@x.example')]), { scim_events => { 1 => done() } });
for (qw(owner invitation capture manual)) {
    $f->case("M4 a license of source $_ stays, and is reported", linked(team_members => [{ source => 'scim' }], licenses => [{ source => $_ }], there({}), scim_events => [leaves($two)]),
        lost($two, licenses => {}), left_alone(license => $f->{next} . '01'));
}
$f->case('M4 a license of another source that began at that instant is reported', linked(team_members => [], licenses => [{ granted_at => $two }], scim_events => [leaves($two)]), { scim_events => { 1 => done() } }, left_alone(license => $f->{next} . '01'));
$f->case('M4 one that began an instant later is not', linked(team_members => [], licenses => [{ granted_at => at('-2 d', '1 us') }], scim_events => [leaves($two)]), { scim_events => { 1 => done() } });
$f->case('M4 one that has been revoked is not', linked(team_members => [], licenses => [{ revoked_at => at() }], scim_events => [leaves($two)]), { scim_events => { 1 => done() } });
$f->case('M4 a license from SCIM granted at that instant goes, one an instant later is a new one', linked(team_members => [], licenses => [{ source => 'scim', granted_at => $two }, { source => 'scim', granted_at => at('-2 d', '1 us') }], scim_events => [leaves($two)]), { scim_events => { 1 => done() }, licenses => { 1 => revoked($two) } });
$f->case('M4 a license that somebody has revoked since stays as it was revoked', linked(team_members => [], licenses => [{ source => 'scim', revoked_at => at('-1 d'), revoke_reason => 'left' }], scim_events => [leaves($two)]), { scim_events => { 1 => done() } });
$f->case('M4 a license to be revoked after as-of goes now', linked(team_members => [], licenses => [{ source => 'scim', revoked_at => at('1 us') }], scim_events => [leaves($two)]), { scim_events => { 1 => done() }, licenses => { 1 => revoked($two) } });
$f->case('M4 another person\'s team and license stay', linked(team_members => [{ user_id => 2, source => 'scim' }], licenses => [{ user_id => 2, source => 'scim' }], there({ user_id => 2 }), scim_events => [leaves($two)]), { scim_events => { 1 => done() } });
$f->case('M4 came back an instant after the news: stays', linked(team_members => [{ source => 'scim', joined_at => at('-2 d', '1 us') }], there({ joined_at => at('-2 d', '1 us') }), scim_events => [leaves($two)]), { scim_events => { 1 => done() } });
$f->case('M4 joined at the instant of the news: leaves then', linked(team_organizations => [], team_members => [{ source => 'scim', joined_at => $two }], scim_events => [leaves($two)]), { scim_events => { 1 => done() }, team_members => { 1 => gone($two, 'left_at', 'deprovisioned') } });
$f->case('M4 has left before: stays as it was', linked(team_organizations => [], team_members => [{ source => 'scim', left_at => $two }], scim_events => [leaves($two)]), { scim_events => { 1 => done() } });
$f->case('M4 the membership of a team that was deleted before is not judged', linked(teams => [{ deleted_at => at('-3 d') }], team_members => [{ source => 'scim' }], scim_events => [leaves($two)]), { scim_events => { 1 => done() } });
$f->case('M4 team and person, told one after the other: each ends when it was first told', linked(@scim, @by_scim, there({}), scim_events => [leaves($two), event(at('-1 d'))]),
    all_gone(at('-1 d'), team_members => { 1 => gone($two, 'left_at', 'deprovisioned') }, licenses => { 1 => revoked($two) }, organization_members => { 1 => left($two) }, scim_events => { 1 => done(), 2 => done() }));
$f->case('M5 in the team by hand: stays in it, with the access', linked(licenses => [{ source => 'scim' }], there({}), scim_events => [leaves($two)]), { licenses => { 1 => revoked($two) }, scim_events => { 1 => done() } });
$f->case('M5 by hand and through SCIM: stays by hand', linked(team_members => [{ source => 'scim' }, { joined_at => $ten }], licenses => [], there({}), scim_events => [leaves($two)]), { team_members => { 1 => gone($two, 'left_at', 'deprovisioned') }, scim_events => { 1 => done() } });
$f->case('M5 a direct membership stays', linked(team_members => [], organization_members => [{}], scim_events => [leaves($two)]), { scim_events => { 1 => done() } });
$f->case('M5 whom the identity provider says nothing of stays', provisioned(scim_connections => [{ token_expires_at => undef, last_sync_at => at('-1 h') }]), {});

sub owners { # who owns the account; whether user 1 is the last one
    my ($name, $last, @members) = @_;
    $f->case("M4 $name", provisioned(account_members => [@members], scim_events => [leaves($two)]), $last ? {} : lost($two), $last ? left_alone(scim_event => $f->{next} . '01') : ());
}
owners('the last owner is never removed, and the event waits', 1, { role => 'owner' });
owners('the last owner beside a co-owner', 1, { role => 'owner' }, { user_id => 2, role => 'co_owner' });
owners('one of two owners', 0, { role => 'owner' }, { user_id => 2, role => 'owner' });
owners('a co-owner, beside the owner', 0, { role => 'co_owner' }, { user_id => 2, role => 'owner' });
owners('a co-owner without an owner', 0, { role => 'co_owner' });
owners('the other owner has left at as-of: the last', 1, { role => 'owner' }, { user_id => 2, role => 'owner', left_at => at() });
owners('the other owner leaves an instant after as-of: not the last', 0, { role => 'owner' }, { user_id => 2, role => 'owner', left_at => at('1 us') });
owners('the other owner comes an instant after as-of: the last', 1, { role => 'owner' }, { user_id => 2, role => 'owner', joined_at => at('1 us') });
owners('the other owner comes at as-of: not the last', 0, { role => 'owner' }, { user_id => 2, role => 'owner', joined_at => at() });
owners('was the owner until as-of: not an owner', 0, { role => 'owner', left_at => at() });
owners('is the owner until an instant after as-of: the last', 1, { role => 'owner', left_at => at('1 us') });

{   # owners 1 and 2: their own rows, what came of them, who is left
    my $one = { role => 'owner' };
    my $two_owners = [$one, { user_id => 2, role => 'owner' }];
    my $other = sub { my ($received, %more) = @_; return leaves($received, email => 'u2.a' . $f->{next} . '@x.example', %more) };
    my $kept = sub { my ($name, %given) = @_; $f->case("M4 $name", provisioned(account_members => $two_owners, scim_events => [leaves($two)], %given), {}, left_alone(scim_event => $f->{next} . '01')) };
    my $let_go = sub { my ($name, %given) = @_; $f->case("M4 $name", provisioned(account_members => $two_owners, scim_events => [leaves($two)], %given), lost($two)) };
    $kept->('the other owner was deprovisioned on an earlier night: the last', scim_events => [leaves($two), $other->($ten, applied_at => $ten)]);
    $kept->('the other owner was, and holds a license from before', scim_events => [leaves($two), $other->($ten, applied_at => $ten)], licenses => [{ source => 'scim' }, { user_id => 2, source => 'manual' }]);
    $kept->('the other owner was, and a license since is revoked', scim_events => [leaves($two), $other->($ten, applied_at => $ten)], licenses => [{ source => 'scim' }, { user_id => 2, granted_at => at('-5 d'), revoked_at => at('-4 d'), revoke_reason => 'left' }]);
    $kept->('the other owner was, and has one since by capture', scim_events => [leaves($two), $other->($ten, applied_at => $ten)], licenses => [{ source => 'scim' }, { user_id => 2, source => 'capture', granted_at => at('-5 d') }]);
    $let_go->('the other owner was, and has a license since: not the last', scim_events => [leaves($two), $other->($ten, applied_at => $ten)], licenses => [{ source => 'scim' }, { user_id => 2, granted_at => at('-5 d') }]);
    $let_go->('the other was, before they owned it: not the last', scim_events => [leaves($two), $other->($twenty, applied_at => $twenty)], account_members => [$one, { user_id => 2, role => 'owner', joined_at => $ten }]);
    $let_go->('the other owner\'s news is to come: not the last', scim_events => [leaves($two), $other->(at('1 us'))]);
    $kept->('the other owner is deleted: the last', users => [{}, { deleted_at => at() }, {}]);
    $let_go->('the other owner is deleted an instant after as-of: not the last', users => [{}, { deleted_at => at('1 us') }, {}]);
    $f->case('M4 both owners told: the one told last stays', provisioned(account_members => $two_owners, scim_events => [leaves($two), $other->(at('-1 d'))]), lost($two), left_alone(scim_event => $f->{next} . '02'));
    $f->case('M4 both owners told: whoever is deleted does not stay', provisioned(users => [{ deleted_at => at('-1 h') }, {}, {}], account_members => $two_owners, scim_events => [leaves($two), $other->($ten)]), lost($two), left_alone(scim_event => $f->{next} . '02'));
    $f->case('M4 both owners told, one before they owned the account: they stay', provisioned(account_members => [$one, { user_id => 2, role => 'owner', joined_at => $ten }], scim_events => [leaves($two), $other->($twenty)]), lost($two), left_alone(scim_event => $f->{next} . '02'));
    $f->case('M4 the only owner told before they owned the account: stays', provisioned(account_members => [{ role => 'owner', joined_at => at('-1 d') }], scim_events => [leaves($two)]), {}, left_alone(scim_event => $f->{next} . '01'));
    $f->case('M4 both owners told at one instant: the lower id stays', provisioned(account_members => $two_owners, scim_events => [leaves($two), $other->($two)]), { scim_events => { 2 => done() } }, left_alone(scim_event => $f->{next} . '01'));
}

# ---- M6 ----
sub token { # the connections; whether the account is left alone
    my ($name, $alone, @connections) = @_;
    $f->case("M6 $name", linked(@by_scim, there({ user_id => 2 }), scim_events => [leaves($two)], scim_connections => [@connections]),
        $alone ? {} : { %{ lost($two) }, organization_members => { 1 => left(at()) } }, $alone ? left_alone(scim_connection => $alone) : ());
}
token('the token expired at as-of: the account is left alone', 'okta', { token_expires_at => at() });
token('an instant before', 'okta', { token_expires_at => at('-1 us') });
token('it expires an instant after as-of: not yet', '', { token_expires_at => at('1 us') });
token('it never expires', '', { token_expires_at => undef });
token('it expires in no time', '', { token_expires_at => 'infinity' });
token('one of two has expired', 'azure', { token_expires_at => undef }, { provider => 'azure', token_expires_at => $ten });
token('the connection is suspended, so it is not in use: nothing is left alone', '', { token_expires_at => $ten, suspended_at => $twenty });
token('suspended at as-of', '', { token_expires_at => $ten, suspended_at => at() });
token('suspended from an instant after as-of on', 'okta', { token_expires_at => $ten, suspended_at => at('1 us') });
token('no connection: the news holds all the same', '');

my @held = map { $f->case("M1 $_->[0]", linked(there({ user_id => 2 })), $_->[1] ? { organization_members => { 1 => left(at()), new => [added($long)] } } : {}) }
    ['a held account is left alone', 0], ['held until an instant after as-of', 0], ['held until as-of: not any more', 1], ['released', 1];

$f->load;
$db->sql("INSERT INTO lapse.holds (account_id, reason, held_at, held_until, released_at) VALUES ($held[0], 'x', '2026-01-01', NULL, NULL),
    ($held[1], 'x', '2026-01-01', '" . at('1 us') . "', NULL), ($held[2], 'x', '2026-01-01', '" . at() . "', NULL), ($held[3], 'x', '2026-01-01', NULL, '2026-01-02')");
my $out = $db->dir . '/out';
my @run = ('--json', 'run', $job, '--as-of', $Fixture::as_of, '--format', 'csv', '--out');
my $dry = $db->lapse(@run, $db->dir . '/dry', '--dry-run');
my $r = $db->lapse_env({ TZ => 'Europe/Berlin', PGTZ => 'Europe/Berlin' }, @run, $out);
is $r->{status}, 0, 'the run ends well' or diag $r->{stderr};
my ($result) = grep { exists $_->{result} } map { JSON::PP::decode_json($_) } split /\n/, $r->{stdout};
is $result->{skipped}, 21, 'it counts what is left for later: accounts, last owners, teams made by hand';
is $result->{due} // $result->{changed}, $result->{changed}, 'as many rows were due as were changed';
is $db->one("SELECT (counters ->> 'due')::bigint - (counters ->> 'changed')::bigint FROM lapse.runs WHERE job = '$job'"), 0, 'as many rows were due as were changed';
is Lapse::slurp($db->dir . "/dry/$Fixture::as_of/$job.csv"), Lapse::slurp("$out/$Fixture::as_of/$job.csv"), 'the dry run\'s report is the run\'s';
$f->check("$out/$Fixture::as_of", $job);
my $again = $db->lapse(@run, $db->dir . '/again');
($result) = grep { exists $_->{result} } map { JSON::PP::decode_json($_) } split /\n/, $again->{stdout};
is $result->{changed}, 0, 'a second run changes nothing';
is Lapse::slurp($db->dir . "/again/$Fixture::as_of/$job.csv"), Lapse::slurp("$out/$Fixture::as_of/$job.csv"), 'and reports the same, what was skipped too';

# What waited for another instant than as-of's is done by the next night.
{
    my $r = $db->lapse('run', $job, '--as-of', '2026-04-01', '--format', 'csv', '--out', $out);
    is $r->{status}, 0, 'the next night ends well' or diag $r->{stderr};
    my %by = map { $_->{name} => $_->{account} } @{ $f->{cases} };
    for my $name (grep { /waits for the next run/ } sort keys %by) {
        is $db->one("SELECT count(*) FROM saas.organization_members WHERE account_id = $by{$name} AND joined_at = '2026-04-01' AND left_at IS NULL"), 1, "$name: that one adds it";
    }
    is scalar(grep { /^\d+,M4 a license of source/ } split /\r\n/, Lapse::slurp("$out/2026-04-01/$job.csv")), 0, 'a license that stays is reported on its date only';
    is scalar(grep { /,scim_event,.*,skipped,/ } split /\r\n/, Lapse::slurp("$out/2026-04-01/$job.csv")), 16, 'an event that waits is reported every night';
}

# ---- M3 turned ----
{
    my $db = Lapse::database();
    $f = Fixture->new($db);
    $f->case('M3 with manual_team_delete a team made by hand goes like any other', linked(teams => [{ external_id => 'grp' }], there({}), scim_events => [event($two)]), all_gone($two));
    $f->load;
    my $r = $db->lapse('--set', 'rules.manual_team_delete=yes', @run, $out = $db->dir . '/out');
    is $r->{status}, 0, 'the run ends well' or diag $r->{stderr};
    $f->check("$out/$Fixture::as_of", $job);
}

# ---- before all time ----
for (["UPDATE saas.team_members SET left_at = '-infinity'", 'user 101 is in team 101 or left it at -infinity'], ["UPDATE saas.team_organizations SET linked_at = '-infinity'", 'team 101 has a link to organization 101 that began or ended at -infinity'],
    ["UPDATE saas.teams SET deleted_at = '-infinity'", 'team 101 was made or deleted at -infinity'], ["UPDATE saas.organization_members SET left_at = '-infinity'", 'user 101 left organization 101 at -infinity'],
    ["INSERT INTO saas.scim_events (account_id, event_id, kind, received_at) VALUES (1, 7, 'team_deleted', '-infinity')", 'SCIM event 7 was received at -infinity'],
    ["INSERT INTO saas.scim_connections (account_id, provider, token_expires_at) VALUES (1, 'okta', '-infinity')", 'the SCIM token of okta ends at -infinity'])
{
    my ($statement, $says) = @$_;
    my $db = Lapse::database();
    $f = Fixture->new($db);
    $f->case('before all time', linked(there({})), {});
    $f->load;
    $db->sql($statement);
    my $r = $db->lapse('run', $job, '--as-of', $Fixture::as_of, '--out', $db->dir . '/out');
    is $r->{status}, 80, 'an instant before all time is for a person to look at';
    like $r->{stderr}, qr/account 1: \Q$says\E, so nothing is changed/, 'it is named';
}

# ---- the user wins ----
$db = Lapse::database();
for (['M1 ended by a user while the job runs: left so', { team_members => [{ left_at => $ten }], there({}) }, "UPDATE saas.organization_members SET left_at = '2026-03-30'", organization_members => { left_at => at('2026-03-30') }],
    ['M4 revoked by a user while the job runs: left so', { team_members => [], licenses => [{ source => 'scim' }], scim_events => [leaves($two)] }, "UPDATE saas.licenses SET revoked_at = '2026-03-30', revoke_reason = 'left'", licenses => { revoked_at => at('2026-03-30'), revoke_reason => 'left' }, { scim_events => { 1 => done() } }],
    ['M3 deleted by a user while the job runs: tried again, simply carried out', { @scim, team_members => [], team_organizations => [], scim_events => [event($two)] }, "UPDATE saas.teams SET deleted_at = '2026-03-30'", teams => { deleted_at => at('2026-03-30') }, { scim_events => { 1 => done() } }],
    ['M3 carried out by somebody else while the job runs: nothing', { teams => [{ source => 'scim', external_id => 'grp', deleted_at => $ten }], scim_events => [event($two)] }, "UPDATE saas.scim_events SET applied_at = '2026-03-30'", scim_events => { applied_at => at('2026-03-30') }])
{
    my ($name, $given, $statement, $table, $now, $expected) = @$_;
    $f = Fixture->new($db);
    $_->{email} = 'u1.a' . $f->{next} . '@x.example' for grep { $_->{kind} eq 'user_deprovisioned' } @{ $given->{scim_events} || [] };
    my $account = $f->case($name, linked(%$given), $expected || {});
    $f->load;
    my $r = Fixture::against($db, "$statement WHERE account_id = $account", 'run', $job, '--account', $account, '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $out = $db->dir . '/out');
    is $r->{status}, 0, "$name (the run ends well)" or diag $r->{stderr};
    $f->{cases}[0]{rows}{$table}[0]{$_} = $now->{$_} for keys %$now;
    $f->check("$out/$Fixture::as_of");
}
done_testing;
