# A dry run lists exactly what the run then changes, and changes nothing itself; a second run
# changes nothing and publishes the same bytes; what must hold after a run holds.
use strict;
use warnings;
use Test::More;
use JSON::PP ();
use Lapse;

my $as_of = '2026-03-31';
my $json = JSON::PP->new->canonical;
my @billing = ('--set', "job.reconcile-billing.input=$Lapse::top/sql/demo/billing/*.csv", '--set', 'job.reconcile-billing.apply_renewals=yes');
my $db = Lapse::database();
$db->load(sort glob "$Lapse::top/sql/demo/*.sql");
my $copy = Lapse::database(empty => 1);
Lapse::Database::psql_checked('postgres', $_) for 'DROP DATABASE ' . $copy->name, 'CREATE DATABASE ' . $copy->name . ' TEMPLATE ' . $db->name;
my %highest = map { my ($table, $id) = @$_; ($table => $db->one("SELECT max($id) FROM saas.$table")) }
    ['subscriptions', 'subscription_id'], ['plan_changes', 'change_no'], ['organization_exports', 'export_id'];

# Every table with a hash of what is in it.
sub state_of {
    my ($db) = @_;
    my @tables = map { $_->[0] } $db->rows("SELECT table_schema || '.' || table_name FROM information_schema.tables
        WHERE table_schema IN ('saas', 'lapse') ORDER BY 1");
    return { map { $_->[0] => "$_->[1] rows, $_->[2]" }
        $db->rows(join ' UNION ALL ', map { "SELECT '$_', count(*), md5(coalesce(string_agg(md5(t::text), '' ORDER BY md5(t::text)), '')) FROM $_ t" } @tables) };
}

# A change as a text to compare: generated ids are called new (a dry run leaves them out where it
# can), the run's number is left out.
sub change {
    my ($c) = @_;
    my $id = $c->{entity_id} // 'new';
    my $highest = $highest{ $c->{entity} };
    $id = 'new' if !defined $c->{before} || defined $highest && $id =~ /^\d+$/ && $id > $highest;
    my %after = %{ $c->{after} };
    delete $after{run_id};
    return $json->encode({ %$c, before => $c->{before}, entity_id => $id, after => \%after });
}

# The queries of what must hold after a run, with the parts they include.
sub expand {
    my ($path) = @_;
    return Lapse::slurp($path) =~ s{^[ \t]*--include (\S+)[ \t]*$}{expand("$Lapse::top/sql/parts/$1.sql")}gmer;
}
my %value = (as_of => "'$as_of'", accounts => 'NULL', renewal_grace => "'0 s'", personal_workspace_can_lapse => "'no'", job => "'check'", run_id => "'0'",
    from_account => "'-9223372036854775808'", from_id => "'-9223372036854775808'", to_account => "'9223372036854775807'", to_id => "'9223372036854775807'");
sub broken {
    my ($db, $name) = @_;
    my $query = expand("$Lapse::top/sql/promises/$name.sql") =~ s{:'(\w+)'}{$value{$1} // die "$name: no value for $1"}ger;
    return map { join ' ', map { $_ // '' } @$_ } grep { @$_ > 1 } $db->rows("SET timezone = 'UTC'; $query");
}
my @promises = map { m{([^/]+)\.sql$} } sort glob "$Lapse::top/sql/promises/*.sql";
my %broken = map { $_ => scalar broken($db, $_) } @promises;
is_deeply [grep { $broken{$_} == 0 } sort keys %broken], ['audit', 'snapshots'], 'before the run the promises are broken' or diag explain \%broken;

my $before = state_of($db);
my $dry = $db->lapse(@billing, 'run', '--all', '--as-of', $as_of, '--dry-run', '--json');
is $dry->{status}, 0, 'the dry run ends well' or diag $dry->{stderr};
is_deeply state_of($db), $before, 'the dry run leaves every row of every table as it was';
my @lines = map { $json->decode($_) } split /\n/, $dry->{stdout};
my @tried = grep { exists $_->{entity} } @lines;
my %dry = map { $_->{job} => $_ } grep { exists $_->{result} } @lines;
cmp_ok scalar @tried, '>', 500, 'it lists changes';
is_deeply [grep { $_->{effective_at} !~ /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/ } @tried], [], 'each with an RFC 3339 instant'
    or diag "such as: $tried[0]{effective_at}";

my $out = $db->dir . '/out';
my $run = $db->lapse(@billing, 'run', '--all', '--as-of', $as_of, '--json', '--out', $out);
is $run->{status}, 0, 'the run ends well' or diag $run->{stderr};
my %run = map { $_->{job} => $_ } grep { exists $_->{result} } map { $json->decode($_) } split /\n/, $run->{stdout};
is_deeply { map { $_ => $dry{$_}{changed} } keys %dry }, { map { $_ => $run{$_}{changed} } keys %run }, 'the dry run counted as many changes for each job';
is_deeply { map { $_ => $dry{$_}{set_aside} } keys %dry }, { map { $_ => $run{$_}{set_aside} } keys %run }, '... and as many accounts set aside';
is_deeply { map { $_ => $dry{$_}{skipped} } keys %dry }, { map { $_ => $run{$_}{skipped} } keys %run }, '... and as many skipped';

my @done = map { $json->decode($_->[0]) } $db->rows("SELECT jsonb_build_object('job', r.job, 'account_id', c.account_id, 'entity', c.entity,
    'entity_id', c.entity_id, 'before', c.before, 'after', c.after, 'reason', c.reason,
    'effective_at', to_char(c.effective_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'))
    FROM lapse.changes c JOIN lapse.runs r ON r.run_id = c.run_id");
my (%tried, %done);
$tried{$_}++ for map { change({ %$_, effective_at => $_->{effective_at} =~ s/ .*//r }) } @tried;
$done{$_}++ for map { change($_) } @done;
is scalar @tried, scalar @done, 'the run changed as many rows as the dry run listed';
is_deeply [grep { ($tried{$_} // 0) != $done{$_} } sort keys %done], [], 'every change was listed';
is_deeply [grep { ($done{$_} // 0) != $tried{$_} } sort keys %tried], [], 'every one listed was made';
is_deeply [grep { exists $dry{$_} && $run{$_}{changed} + $run{$_}{recorded} == 0 && !/-report$/ } sort keys %run], [], 'each change job had something to do';

# A report whose subscriptions made by the run itself (a chain of lapses) are called new.
sub without_new_ids {
    my ($header, @rows) = Lapse::csv($_[0]);
    my ($at) = grep { $header->[$_] eq 'Subscription ID' } 0 .. $#$header;
    for my $row (@rows) { $row->[$at] = 'new' if defined $at && $row->[$at] > $highest{subscriptions} }
    return [$header, @rows];
}

# ---- what a single job would do, from the state before ----
{
    my $db = $copy;
    for my $job (qw(check-git-sync capture-domain-users verify-domains reconcile-teams flag-inactive-organizations downgrade-plans end-trials expire-invitations reconcile-billing)) { # backwards: none prepares the next
        my $dry = $db->lapse(@billing, 'run', $job, '--as-of', $as_of, '--dry-run', '--json', '--out', $db->dir . "/dry-$job", '--format', 'csv');
        my @tried = grep { exists $_->{entity} } map { $json->decode($_) } split /\n/, $dry->{stdout};
        my $run = $db->lapse(@billing, 'run', $job, '--as-of', $as_of, '--out', $db->dir . "/run-$job", '--format', 'csv');
        is $run->{status}, 0, "$job alone ends well" or diag $run->{stderr};
        is scalar @tried, $db->one("SELECT count(*) FROM lapse.changes c JOIN lapse.runs r USING (run_id) WHERE r.job = '$job'"), "$job alone changes as many rows as its dry run lists";
        my ($would, $did) = map { without_new_ids($db->dir . "/$_-$job/$as_of/$job.csv") } qw(dry run);
        is_deeply $would, $did, "$job alone: the dry run's report is the run's";
    }
}

# ---- again ----
my $sums = Lapse::slurp("$out/latest/SHA256SUMS");
my $state = state_of($db);
my $again = $db->lapse(@billing, 'run', '--all', '--as-of', $as_of, '--json', '--out', $out);
is $again->{status}, 0, 'a second run ends well' or diag $again->{stderr};
is_deeply [map { $_->{changed} } grep { exists $_->{result} } map { $json->decode($_) } split /\n/, $again->{stdout}], [(0) x keys %run], 'it changes 0 rows';
is Lapse::slurp("$out/latest/SHA256SUMS"), $sums, 'it publishes the same SHA-256';
my $now = state_of($db);
is_deeply { map { $_ => $now->{$_} } grep { /^saas|changes/ } keys %$now }, { map { $_ => $state->{$_} } grep { /^saas|changes/ } keys %$state }, 'it leaves data and audit as they were';
is_deeply [map { $_->{entity} // () } map { $json->decode($_) } split /\n/, $db->lapse(@billing, 'run', '--all', '--as-of', $as_of, '--dry-run', '--json')->{stdout}], [], 'a dry run lists nothing then';

# ---- what must hold ----
for my $name (@promises) { is_deeply [broken($db, $name)], [], "the promise about $name holds after the run" }
$db->sql("INSERT INTO saas.plan_changes (account_id, from_plan, to_plan, reason, effective_at, run_id) VALUES (1, 'pro', 'pro', 'x', '2026-03-31', 1)");
is scalar(broken($db, 'audit')), 1, 'a plan change of a run without its audit row is found';
done_testing;
