# plan and apply: a plan lists what the dry run lists, apply makes exactly that or says what has moved on
# since; a plan that was edited, cut off or applied already is refused; killed, it is gone on with.
#
#   LAPSE_TEST_KILLS=N   kills of an apply at random moments, default 16
use strict;
use warnings;
use Test::More;
use Digest::SHA qw(sha256_hex);
use JSON::PP ();
use POSIX ();
use Time::HiRes qw(sleep time);
use Lapse;

my $as_of = '2026-03-31';
my $json = JSON::PP->new->canonical;
my $demo = Lapse::database();
$demo->load(sort glob "$Lapse::top/sql/demo/*.sql");
my @jobs = map { $_->{job} } grep { $_->{kind} eq 'change' } map { $json->decode($_) } split /\n/, $demo->lapse('jobs', '--json')->{stdout};

sub copy_of {
    my ($db) = @_;
    my $copy = Lapse::database(empty => 1);
    Lapse::Database::psql_checked('postgres', $_) for 'DROP DATABASE ' . $copy->name, 'CREATE DATABASE ' . $copy->name . ' TEMPLATE ' . $db->name;
    return $copy;
}
sub lapse { my ($db, @words) = @_; $db->lapse('--set', 'reports.dir=' . $db->dir . '/out', @words) }
sub apply { my ($db, @words) = @_; lapse($db, 'apply', @words) }
sub lines { return map { $json->decode($_) } split /\n/, $_[0] }
sub drifts { my ($r) = @_; return map { join ' ', map { $_ // '-' } @$_{qw(job account_id entity entity_id)} } grep { ($_->{what} // '') eq 'drift' } lines($r->{stdout}) }

# Every table with a hash of what is in it.
sub state_of {
    my ($db) = @_;
    my @tables = map { $_->[0] } $db->rows("SELECT table_schema || '.' || table_name FROM information_schema.tables WHERE table_schema IN ('saas', 'lapse') ORDER BY 1");
    return join "\n", sort map { "@$_" } $db->rows(join ' UNION ALL ', map { "SELECT '$_', count(*), md5(coalesce(string_agg(md5(t::text), '' ORDER BY md5(t::text)), '')) FROM $_ t" } @tables);
}

# The audit as text, without ids that the database gives.
my %highest = map { my ($table, $id) = @$_; ($table => $demo->one("SELECT max($id) FROM saas.$table")) } ['subscriptions', 'subscription_id'];
sub plain {
    my ($c) = @_;
    my %after = %{ $c->{after} };
    delete @after{qw(run_id processed_at)};
    my $id = defined $c->{before} ? $c->{entity_id} : 'new';
    $id = 'new' if $id =~ /^new/ || exists $highest{ $c->{entity} } && $id > $highest{ $c->{entity} };
    return $json->encode({ job => $c->{job}, account_id => $c->{account_id}, entity => $c->{entity}, id => $id, before => $c->{before}, after => \%after,
        reason => $c->{reason}, at => $c->{effective_at} =~ s/\+00:00$/Z/r });
}
sub audit {
    my ($db) = @_;
    return map { plain($json->decode($_->[0])) } grep { length($_->[0] // '') } $db->rows("SELECT jsonb_build_object('job', r.job, 'account_id', c.account_id, 'entity', c.entity, 'entity_id', c.entity_id,
        'before', c.before, 'after', c.after, 'reason', c.reason, 'effective_at', c.effective_at) FROM lapse.changes c JOIN lapse.runs r USING (run_id)");
}
sub planned_in { my ($db, $file, @words) = @_; return $db->lapse('plan', '-o', $file, @words ? @words : (@jobs, '--as-of', $as_of)) }
sub body { my (undef, @lines) = split /\n/, Lapse::slurp($_[0]); return @lines }

# ---- a plan is the dry run's rows ----
my $before = state_of($demo);
my $file = $demo->dir . '/plan.jsonl';
my $r = planned_in($demo, $file);
is $r->{status}, 0, 'a plan of all change jobs' or diag $r->{stderr};
is state_of($demo), $before, 'changes nothing in any table';
is sprintf('%o', (stat $file)[2] & 07777), '640', 'the file has mode 640';
is_deeply [glob $demo->dir . '/.plan*'], [], 'nothing else is left there';
my ($header, @planned) = lines(Lapse::slurp($file));
my @dry = grep { exists $_->{entity} } lines($demo->lapse('--json', 'run', @jobs, '--dry-run', '--as-of', $as_of)->{stdout});
cmp_ok scalar @planned, '>', 500, 'it has many lines';
is_deeply [sort map { plain($_) } @planned], [sort map { plain($_) } @dry], '... those of the dry run';
is_deeply [grep { exists $_->{entity_id} != exists $_->{before} } @planned], [], 'a new row has no id';
cmp_ok scalar(grep { ($_->{entity_id} // '') =~ /^new \d+$/ } @planned), '>', 0, 'a row that was made by the same run has none either';
is_deeply [grep { exists $_->{after}{run_id} } @planned], [], 'nor does the number of a run stand anywhere';
my %nth = map { $jobs[$_] => $_ } 0 .. $#jobs;
is_deeply [map { "$_->{job} $_->{account_id}" } @planned], [map { "$_->{job} $_->{account_id}" } sort { $nth{ $a->{job} } <=> $nth{ $b->{job} } || $a->{account_id} <=> $b->{account_id} } @planned], 'by job in nightly order, then account';
my %count;
$count{ $_->{job} }++ for @planned;
is_deeply { map { $_->{job} => $_->{changes} } @{ $header->{jobs} } }, { map { $_ => $count{$_} // 0 } @jobs }, 'the header counts them';
is_deeply [@$header{qw(lapse_plan as_of changes)}], [1, '2026-03-31T00:00:00Z', scalar @planned], '... and says the rest';
like $r->{stdout}, qr/^expire-invitations +invitation_expired +\d/m, 'people see the reasons counted';
like $r->{stdout}, qr/^[\d,]+ changes planned in \Q$file\E$/m, '... and where the plan is';
my @said = lines($demo->lapse('--json', 'plan', @jobs, '--as-of', $as_of, '-o', "$file.2")->{stdout});
is $said[-1]{changes}, scalar @planned, 'as JSON too';
is Lapse::slurp("$file.2"), Lapse::slurp($file), 'a second plan has the same bytes, though ids are others now';
planned_in($demo, "$file.3", @jobs, '--as-of', '2026-03-31T00:00:01Z');
{
    my (%one, %two);
    $one{$_}++ for body($file);
    $two{$_}++ for body("$file.3");
    my @differ = (grep({ !$two{$_} } keys %one), grep { !$one{$_} } keys %two);
    cmp_ok scalar @differ, '<', @planned / 2, 'one as of a second later differs in ' . @differ . ' lines, and keeps ' . (@planned - @differ / 2);
    is_deeply [grep { !/2026-03-31T00:00:0[01]/ } @differ], [], '... in what the as-of is written into';
}

# ---- apply makes exactly these changes, as a run does ----
my $run = copy_of($demo);
is lapse($run, 'run', @jobs, '--as-of', $as_of)->{status}, 0, 'a run';
my $applied = copy_of($demo);
$r = apply($applied, $file);
is $r->{status}, 0, 'apply' or diag $r->{stderr};
is_deeply [sort(audit($applied))], [sort map { plain($_) } @planned], 'it changes exactly what is planned';
is_deeply [sort(audit($applied))], [sort(audit($run))], '... which is what the run changes';
for my $job (grep { !/^reconcile-(?:seats|billing)$|^verify-domains$/ } @jobs) {
    my ($one, $two) = map { my $text = join "\n", map { join '|', map { $_ // '' } @$_ } Lapse::csv($_->dir . "/out/$as_of/$job.csv"); $text =~ s/\|\d{4,}\|/|n|/gr } $applied, $run;
    is $one, $two, "$job: and publishes the same report";
}
is $applied->one('SELECT count(*) FROM lapse.periods'), 0, 'no period moves';
is $applied->lapse('verify', '--audit')->{status}, 0, 'the audit chain holds';
$r = apply($applied, $file);
is $r->{status}, 80, 'applied twice: 80';
like $r->{stderr}, qr/^lapse: this plan was applied at \S+Z already, by run 1, 2, 3/m, 'says when and by which runs';
my $night = lapse($applied, '--json', 'run', @jobs, '--as-of', $as_of);
is_deeply [map { $_->{changed} } lines($night->{stdout})], [(0) x @jobs], 'a run then finds nothing to do';

# ---- drift ----
# From here on without verify-domains: each time, a name server that says nothing costs its second.
my @quick = grep { $_ ne 'verify-domains' } @jobs;
is planned_in($demo, $file, @quick, '--as-of', $as_of)->{status}, 0, 'a plan that asks nobody';
(undef, @planned) = lines(Lapse::slurp($file));
my %of;
push @{ $of{"$_->{job} $_->{entity} $_->{reason}"} }, $_ for @planned;
sub pick {
    my ($what, $n) = @_;
    my $line = $of{$what}[$n // 0] or die "no $what: " . join ', ', sort keys %of;
    return @$line{qw(account_id entity_id)};
}
# What is done to the data, and what of the plan has moved on then.
sub moved {
    my ($name, $sql, $expected, $like) = @_;
    my $db = copy_of($demo);
    $db->sql($sql);
    my $before = state_of($db);
    my $r = lapse($db, '--json', 'apply', $file);
    is $r->{status}, 80, "$name: 80" or diag $r->{stderr};
    is state_of($db), $before, "$name: nothing changed";
    my @found = drifts($r);
    if (ref $expected eq 'ARRAY') { is_deeply \@found, $expected, "$name: exactly that row is named" or diag $r->{stdout} }
    else { is scalar(grep { $_ !~ $expected } @found), 0, "$name: that account is named" or diag $r->{stdout}; cmp_ok scalar @found, '>', 0, '... with rows' }
    like $r->{stdout}, $like, "$name: in words" if $like;
    return ($db, $r);
}
my ($account, $id) = pick('expire-invitations invitations invitation_expired');
{
    my $db = copy_of($demo);
    $db->sql("UPDATE saas.invitations SET sent_at = '2026-03-30', expires_at = NULL WHERE invitation_id = $id");
    planned_in($db, "$file.4", @quick, '--as-of', $as_of);
    my %now = map { $_ => 1 } body("$file.4");
    is_deeply [map { my $c = $json->decode($_); "$c->{account_id} $c->{entity_id}" } grep { !$now{$_} } body($file)], ["$account $id"], 'one row that is otherwise is one line of a diff';
    is scalar(keys %now), @planned - 1, '... and no more';
}
moved('an invitation resent', "UPDATE saas.invitations SET sent_at = '2026-03-30', expires_at = NULL WHERE invitation_id = $id", ["expire-invitations $account invitations $id"], qr/is not due as planned any more/);
moved('an invitation accepted', "UPDATE saas.invitations SET status = 'accepted', closed_at = '2026-03-01' WHERE invitation_id = $id", ["expire-invitations $account invitations $id"]);
moved('an invitation that ends otherwise', "UPDATE saas.invitations SET expires_at = '2026-03-01 12:34:56' WHERE invitation_id = $id", ["expire-invitations $account invitations $id"], qr/closed_at would become 2026-03-01T12:34:56\+00:00, not /);
moved('an account on hold', "INSERT INTO lapse.holds (account_id, reason, held_at) VALUES ($account, 'x', '2026-03-01')", qr/^\S+ $account /);
moved('more due in the account', "INSERT INTO saas.invitations (account_id, invitation_id, email, organization_id, role, status, sent_at)
    SELECT account_id, 99999999, 'x\@x.example', organization_id, 'member', 'pending', '2026-01-01' FROM saas.organizations WHERE account_id = $account AND deleted_at IS NULL LIMIT 1",
    ["expire-invitations $account invitations 99999999"], qr/is due now, and not planned/);
my ($paying, $base) = pick('downgrade-plans subscriptions expired_without_renewal');
moved('a subscription paid', "UPDATE saas.subscriptions SET period_end = '2026-09-01', status = 'active' WHERE subscription_id = $base", qr/^\S+ $paying /);
my ($seated, $seats) = pick('downgrade-plans subscriptions seats_changed');
moved('seats changed by hand', "UPDATE saas.subscriptions SET seats = seats + 7 WHERE subscription_id = $seats", qr/^downgrade-plans $seated /, qr/seats is \d+, not \d+ as planned/);
my ($organized, $organization) = pick('flag-inactive-organizations organizations trial_ended');
moved('an organization deleted', "UPDATE saas.organizations SET deleted_at = '2026-03-01' WHERE organization_id = $organization", qr/^\S+ $organized /);
{
    my $db = copy_of($demo);
    $db->sql("INSERT INTO saas.accounts (account_id, name, created_at) VALUES (99999, 'New', '2025-01-01');
        INSERT INTO saas.organizations (account_id, organization_id, name, status, created_at) VALUES (99999, 99999999, 'O', 'active', '2025-01-01');
        INSERT INTO saas.invitations (account_id, invitation_id, email, organization_id, role, status, sent_at) VALUES (99999, 99999999, 'x\@x.example', 99999999, 'member', 'pending', '2026-01-01')");
    is apply($db, $file)->{status}, 0, 'more due in another account: no drift';
    is_deeply [sort(audit($db))], [sort map { plain($_) } @planned], '... and it is left alone';
}
{
    my ($db, $r) = moved('two accounts at once', "UPDATE saas.invitations SET status = 'revoked', closed_at = '2026-03-01' WHERE invitation_id = $id; UPDATE saas.subscriptions SET seats = seats + 7 WHERE subscription_id = $seats",
        qr/^\S+ (?:$account|$seated) /);
    like $r->{stderr}, qr/the data have moved on since the plan: \d+ rows in 2 of its accounts differ; nothing was changed/, 'says how much';
    $r = lapse($db, '--json', 'apply', $file, '--skip-drifted');
    is $r->{status}, 0, '--skip-drifted' or diag $r->{stderr};
    is scalar(grep { !/^\S+ (?:$account|$seated) / } drifts($r)), 0, '... lists what it leaves';
    is_deeply [sort(audit($db))], [sort map { plain($_) } grep { $_->{account_id} != $account && $_->{account_id} != $seated } @planned], '... and does all the rest';
    like $r->{stderr}, qr/left as they are: 2 of the plan's accounts/, '... says so';
    is apply($db, $file, '--skip-drifted')->{status}, 80, '... once';
}
$r = apply(copy_of($demo), $file, '--set', 'rules.renewal_grace=2 d');
is $r->{status}, 80, 'other rules: 80';
like $r->{stderr}, qr/the settings that shape \S+ are not those of the plan/, 'says so';

# ---- the as-of ----
{
    my $db = copy_of($demo);
    is planned_in($db, "$file.future", 'expire-invitations', '--as-of', '2096-01-01')->{status}, 0, 'a plan of a day to come';
    $r = apply($db, "$file.future");
    is $r->{status}, 80, '... cannot be applied yet';
    like $r->{stderr}, qr/lies in the future/, 'says so';
    is lapse($db, 'run', 'end-trials', '--as-of', '2026-04-01')->{status}, 0, 'a later run of one of the jobs';
    my $before = state_of($db);
    $r = apply($db, $file);
    is $r->{status}, 80, '... and the plan is too old';
    like $r->{stderr}, qr/already done as of 2026-04-01T00:00:00Z/, 'says so';
    is state_of($db), $before, '... and nothing has changed';
}

# ---- the file ----
{
    my $db = copy_of($demo);
    my $before = state_of($db);
    my $small = $demo->dir . '/small.jsonl';
    is planned_in($db, $small, 'end-trials', '--as-of', $as_of)->{status}, 0, 'a small plan';
    my $text = Lapse::slurp($small);
    my ($top, @rest) = split /^/, $text;
    my $sealed = sub { # a plan as somebody would forge it, its SHA-256 made anew
        my ($top, @lines) = @_;
        my $zeros = ($top =~ s/"sha256":"[^"]*"/'"sha256":"' . '0' x 64 . '"'/er);
        my $sha = sha256_hex($zeros . join '', @lines);
        return ($zeros =~ s/0{64}/$sha/r) . join '', @lines;
    };
    is $sealed->($top, @rest), $text, 'the digest is what plan.h says';
    my $n = () = $text =~ /\n/g;
    my @bad = (
        ['empty', ''], ['not JSON', "x\n"], ['a blank line', "\n"], ['binary', "\0\xff\n"], ['no header', join '', @rest],
        ['another as-of', $text =~ s/2026-03-31T00:00:00Z/2026-03-30T00:00:00Z/r], ['a count', $text =~ s/("changes":)(\d+)/$1 . ($2 - 1)/er],
        ['the SHA-256', $text =~ s/("sha256":")(.)/$1 . ($2 eq '0' ? '1' : '0')/er], ['an image', $text =~ s/"trial_ended"/"trial_enden"/r], ['a line doubled', $top . $rest[0] . join '', @rest],
        ['two lines exchanged', join '', $top, @rest[1, 0], @rest[2 .. $#rest]], ['a line more at the end', $text . $rest[0]], ['CRLF', $text =~ s/\n/\r\n/gr],
        ['forged: an unknown job', $sealed->(map { s/end-trials/end-trails/r } $top, @rest)], ['forged: a report job', $sealed->(map { s/end-trials/activity-report/r } $top, @rest)],
        ['forged: a count too high', $sealed->($top =~ s/("changes":)(\d+)/$1 . ($2 + 1)/ger, @rest)], ['forged: a count too low', $sealed->($top =~ s/("changes":)(\d+)/$1 . ($2 - 1)/ger, @rest)],
        ['forged: counts that wrap', $sealed->($top =~ s/"jobs":\[\{"job":"end-trials",(.*?)"changes":\d+,(.*?)\}\]/qq("jobs":[{"job":"end-trials",$1"changes":9223372036854775807,$2},{"job":"downgrade-plans",$1"changes":9223372036854775807,$2},{"job":"flag-inactive-organizations",$1"changes":3,$2}])/er =~ s/"changes":\d+,"jobs"/"changes":1,"jobs"/r, (@rest) x 50)],
        ['forged: counts that differ', $sealed->($top =~ s/("changes":)(\d+)/$1 . ($2 + 1)/er, @rest)], ['forged: no JSON', $sealed->($top, 'x' . $rest[0], @rest[1 .. $#rest])],
        ['forged: no account', $sealed->($top, $rest[0] =~ s/"account_id":\d+,//r, @rest[1 .. $#rest])], ['forged: accounts out of order', $sealed->($top, reverse @rest)],
        ['forged: no as-of', $sealed->($top =~ s/2026-03-31T00:00:00Z/today/r, @rest)], ['forged: no job', $sealed->($top =~ s/"jobs":\[.*?\}\]/"jobs":[]/r =~ s/"changes":\d+/"changes":0/r)],
        ['another format', $sealed->($top =~ s/"lapse_plan":1/"lapse_plan":2/r, @rest)],
    );
    my @cuts = (0 .. 40, map({ length(join '', $top, @rest[0 .. $_]) } 0 .. $#rest - 1), map({ int($_ * length($text) / 40) } 1 .. 39), length($text) - 1);
    push @bad, map { ["cut off behind $_ bytes", substr $text, 0, $_] } @cuts;
    my @wrong;
    for (@bad) {
        my ($name, $content) = @$_;
        Lapse::spew("$small.bad", $content);
        my $r = apply($db, "$small.bad");
        push @wrong, "$name: $r->{status} $r->{stderr}" unless $r->{status} == 80 && $r->{stderr} =~ /is not a plan as it was written: /;
    }
    is_deeply \@wrong, [], @bad . ' files that are no plan as it was written: each 80';
    # What an honest digest does not prevent: a line that the rules do not give is not made.
    Lapse::spew("$small.bad", $sealed->($top, $rest[0] =~ s/"after":\{/"after":{"seats": 1000, /r, @rest[1 .. $#rest]));
    is apply($db, "$small.bad")->{status}, 80, 'a forged image is drift';
    is apply($db, $db->dir . '/none')->{status}, 66, 'no file: 66';
    is apply($db, $db->dir)->{status}, 66, 'a folder: 66';
    is apply($db, $small, @$_)->{status}, 64, "apply @$_: 64" for ['--dry-run'], ['--as-of', $as_of], ['--allow-backdate'], [$small];
    is apply($db)->{status}, 64, 'apply without a file: 64';
    is state_of($db), $before, 'all that has changed nothing';

    is $db->lapse('plan', 'end-trials')->{status}, 64, 'plan without -o: 64';
    is $db->lapse('plan', '-o', "$small.x")->{status}, 64, 'plan without a job: 64';
    is $db->lapse('plan', $_, '-o', "$small.x")->{status}, 64, "plan of $_: 64" for qw(activity-report purge undo nothing);
    is $db->lapse('plan', 'end-trials', '-o', '/nowhere/plan')->{status}, 73, 'plan into no folder: 73';
    is $db->lapse('plan', 'end-trials', '-o', $db->dir)->{status}, 73, 'plan over a folder: 73';
    symlink $small, "$small.link";
    is $db->lapse('plan', 'end-trials', '-o', "$small.link")->{status}, 73, 'plan over a link: 73';
    ok -l "$small.link" && Lapse::slurp($small) eq $text, '... and neither is touched';
    ok !-e "$small.x", 'no file where there was no plan';
    my ($old, $new) = map { $demo->dir . "/.small.jsonl.$_" } '0123456789abcdef', 'fedcba9876543210';
    Lapse::spew($_, 'left by a kill') for $old, $new;
    utime time - 3700, time - 3700, $old;
    is planned_in($db, $small, 'end-trials', '--as-of', $as_of)->{status}, 0, 'a plan over a plan';
    is_deeply [glob $demo->dir . '/.small*'], [$new], '... sweeps what a killed one has left, and not what another is writing';
    unlink $new;
    $db->sql("UPDATE saas.subscriptions SET period_end = '-infinity' WHERE subscription_id = $base");
    is $db->lapse('plan', 'downgrade-plans', '-o', $small)->{status}, 80, 'where a run would refuse, there is no plan';
    is Lapse::slurp($small), $text, '... and the one before stays';
}
{
    my $db = copy_of($demo);
    is lapse($db, 'run', @jobs, '--as-of', $as_of)->{status}, 0, 'nothing left to do';
    is planned_in($db, "$file.empty")->{status}, 0, 'a plan of nothing';
    is apply($db, "$file.empty")->{status}, 0, '... can be applied';
}

# ---- somebody is faster: between the comparison and the batch ----
{
    my $db = copy_of($demo);
    $db->sql("CREATE FUNCTION public.faster() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN
        UPDATE saas.subscriptions SET seats = seats + 7 WHERE subscription_id = $seats; RETURN NEW; END \$\$;
        CREATE TRIGGER faster AFTER INSERT ON lapse.runs FOR EACH ROW WHEN (NEW.job = 'downgrade-plans') EXECUTE FUNCTION public.faster()");
    my $r = lapse($db, '--json', 'apply', $file);
    is $r->{status}, 80, 'somebody is faster: 80' or diag $r->{stderr};
    like $r->{stderr}, qr/the data moved on while the plan was carried out; the \d+ rows that downgrade-plans has changed stay/, 'says what stays';
    is scalar(grep { !/^downgrade-plans $seated / } drifts($r)), 0, '... and what moved';
    is_deeply [grep { $nth{ $json->decode($_)->{job} } > $nth{'end-trials'} } audit($db)], [], 'what comes behind is not done';
    is $db->one("SELECT count(*) FROM lapse.changes WHERE account_id = $seated AND run_id = (SELECT max(run_id) FROM lapse.runs WHERE job = 'downgrade-plans')"), 0, 'the batch was given up';
    $db->sql('DROP TRIGGER faster ON lapse.runs');
    is apply($db, $file)->{status}, 80, 'again: 80';
    $r = apply($db, $file, '--skip-drifted');
    is $r->{status}, 0, '--skip-drifted goes on' or diag $r->{stderr};
    is_deeply [sort(audit($db))], [sort map { plain($_) } grep { $_->{account_id} != $seated || $nth{ $_->{job} } < $nth{'downgrade-plans'} } @planned], '... with all other accounts';
}
{
    my $db = copy_of($demo);
    $db->sql("CREATE FUNCTION public.faster() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN
        UPDATE saas.subscriptions SET seats = seats + 7 WHERE subscription_id = $seats; RETURN NEW; END \$\$;
        CREATE TRIGGER faster AFTER INSERT ON lapse.runs FOR EACH ROW WHEN (NEW.job = 'downgrade-plans') EXECUTE FUNCTION public.faster()");
    my $r = lapse($db, '--json', 'apply', $file, '--skip-drifted');
    is $r->{status}, 0, 'with --skip-drifted in one go' or diag $r->{stderr};
    is_deeply [sort(audit($db))], [sort map { plain($_) } grep { $_->{account_id} != $seated || $nth{ $_->{job} } < $nth{'downgrade-plans'} } @planned], '... all other accounts';
    is $db->lapse('verify', '--audit')->{status}, 0, '... and the chain holds';
}

# ---- the database refuses an account ----
sub refuse {
    my ($db, $account) = @_;
    $db->sql("CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN IF NEW.account_id = $account THEN RAISE 'frozen by legal'; END IF; RETURN NEW; END \$\$;
        CREATE TRIGGER refuse BEFORE UPDATE ON saas.invitations FOR EACH ROW EXECUTE FUNCTION public.refuse()");
}
{
    my $db = copy_of($demo);
    refuse($db, $account);
    my $before = state_of($db);
    my $r = lapse($db, '--json', 'apply', $file);
    is $r->{status}, 80, 'an account that the database refuses since the plan: 80' or diag $r->{stderr};
    is state_of($db), $before, '... nothing changed';
    is_deeply [grep { !/^\S+ $account / } drifts($r)], [], '... that account is named';
    like $r->{stdout}, qr/"drift":"is refused by the database \(SQLSTATE P0001\): frozen by legal"/, '... with the reason';
    is lapse($db, 'apply', $file, '--skip-drifted')->{status}, 0, '--skip-drifted does the others';
    is_deeply [sort(audit($db))], [sort map { plain($_) } grep { $_->{account_id} != $account } @planned], '... all of them';
}
{
    my $db = copy_of($demo);
    refuse($db, $account);
    is planned_in($db, "$file.refused", @quick, '--as-of', $as_of)->{status}, 83, 'a plan without what the database refuses: 83';
    my (undef, @lines) = lines(Lapse::slurp("$file.refused"));
    is_deeply [grep { $_->{account_id} == $account && $_->{job} eq 'expire-invitations' } @lines], [], '... which it does not list';
    cmp_ok scalar @lines, '>', @planned / 2, '... and all else it does';
    my $r = apply($db, "$file.refused");
    is $r->{status}, 83, '... is applied, the account set aside' or diag $r->{stderr}, $r->{stdout};
    is_deeply [sort(audit($db))], [sort map { plain($_) } @lines], '... exactly as it is';
    is $db->one("SELECT string_agg(account_id::text, ' ') FROM lapse.quarantine WHERE sqlstate = 'P0001'"), $account, '... and in quarantine';
}

# ---- killed ----
{
    my @small = ('--set', 'database.batch_rows=20');
    my $db = copy_of($demo);
    my $begun = time;
    is lapse($db, @small, 'apply', $file)->{status}, 0, 'in small batches';
    my $time = time - $begun;
    my $state = join "\n", sort(audit($db));
    is $state, join("\n", sort map { plain($_) } @planned), '... the same';
    my ($kills, $struck, $resumed, @wrong) = ($ENV{LAPSE_TEST_KILLS} || 16, 0, 0);
    for my $round (1 .. $kills) {
        my $db = copy_of($demo);
        my $pid = fork // die;
        if (!$pid) {
            my $env = $db->env;
            delete @ENV{grep { /^LAPSE_(?!TEST_)/ } keys %ENV};
            @ENV{keys %$env} = values %$env;
            open STDOUT, '>', '/dev/null';
            open STDERR, '>', '/dev/null';
            exec $Lapse::lapse, '--set', 'reports.dir=' . $db->dir . '/out', @small, 'apply', $file or POSIX::_exit(127);
        }
        sleep $time * (0.2 + 0.85 * $round / $kills);
        kill 'KILL', $pid;
        waitpid $pid, 0;
        $struck++ if $? & 127;
        for (1 .. 500) { last if $db->one("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'lapse'") == 0; sleep 0.02 }
        my $r = lapse($db, @small, 'apply', $file);
        $resumed++ if $r->{stderr} =~ /going on with run/;
        my $good = ($r->{status} == 0 || $r->{status} == 80 && $r->{stderr} =~ /applied at/) && join("\n", sort(audit($db))) eq $state
            && $db->lapse('verify', '--audit')->{status} == 0 && -e $db->dir . "/out/$as_of/end-trials.csv" && apply($db, $file)->{status} == 80;
        push @wrong, "round $round: $r->{status} $r->{stdout}$r->{stderr}" unless $good;
    }
    is_deeply \@wrong, [], "$kills kills, $struck struck, $resumed gone on with: each ends with the plan's changes, none doubled";
    cmp_ok $struck, '>', $kills / 3, 'most struck';
}

# Files: those that a plan was made with are taken in with it, and no others.
{
    my ($db, $early) = map { copy_of($demo) } 1, 2;
    my $in = $db->dir . '/in';
    mkdir $in or die "$in: $!";
    my @billing = ('--set', "job.reconcile-billing.input=$in/*.csv", '--set', 'job.reconcile-billing.apply_renewals=yes');
    my ($account, $plan, $ref, $from, $to) = @{ ($db->rows("SELECT account_id, plan, external_ref, to_char(period_end AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
        to_char(period_end AT TIME ZONE 'UTC' + interval '1 month', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM saas.subscriptions
        WHERE kind = 'base' AND status = 'active' AND plan <> 'essentials' AND external_ref IS NOT NULL AND isfinite(period_end) AND period_end > '$as_of' AND NOT cancel_at_period_end ORDER BY 1 LIMIT 1"))[0] };
    my $head = "invoice_number,line_number,customer_ref,plan,seats,period_start,period_end,amount,currency,status,paid_at\n";
    my $paid = "$head" . "F-1,1,$ref,$plan,5,$from,$to,100.00,EUR,paid,2026-03-30T00:00:00Z\n";
    my ($none, $with) = map { $demo->dir . "/$_.jsonl" } qw(none with);
    my $renewed = sub { my ($db) = @_; return $db->one("SELECT count(*) FROM lapse.changes WHERE account_id = $account AND reason = 'renewed'") };
    is $db->lapse(@billing, 'plan', 'reconcile-billing', '-o', $none, '--as-of', $as_of)->{status}, 0, 'a plan while there are no files';
    Lapse::spew("$in/paid.csv", $paid);
    is $db->lapse(@billing, 'plan', 'reconcile-billing', '-o', $with, '--as-of', $as_of)->{status}, 0, 'a plan with a file';
    is scalar(body($with)) - scalar(body($none)), 1, '... renews what the file says is paid';
    Lapse::spew("$in/broken.csv", "x\n");
    Lapse::spew("$in/stranger.csv", "${head}G-1,1,nobody,pro,5,$from,$to,100.00,EUR,paid,2026-03-30T00:00:00Z\n");
    my $r = lapse($db, @billing, 'apply', $with);
    is $r->{status}, 0, 'it is applied, whatever else lies there by now' or diag $r->{stderr};
    is_deeply [$renewed->($db), $db->one('SELECT count(*) FROM lapse.billing_files'), $db->one('SELECT count(*) FROM lapse.billing_unmatched')], [1, 1, 0], '... with its own file alone';
    is scalar(() = $r->{stderr} =~ /paid\.csv/g), 1, '... which is told once';
    is lapse($early, @billing, 'apply', $none)->{status}, 0, 'the plan without files is applied';
    is_deeply [$renewed->($early), $early->one('SELECT count(*) FROM lapse.billing_files')], [0, 0], '... without any';
    $early = copy_of($demo);
    Lapse::spew("$in/paid.csv", $paid =~ s/100\.00/99.00/r);
    is lapse($early, @billing, 'apply', $with)->{status}, 80, 'where its file is another by now, what hung on it has moved on';
    is_deeply [$renewed->($early), $early->one('SELECT count(*) FROM lapse.billing_files')], [0, 0], '... and nothing is done';
}

# An unfinished run of the job, which is no plan's, comes first.
{
    my $db = copy_of($demo);
    is lapse($db, 'run', 'expire-invitations', '--as-of', '2026-03-01')->{status}, 0, 'a night';
    $db->sql("UPDATE lapse.runs SET state = 'running', finished_at = NULL");
    my $own = $demo->dir . '/own.jsonl';
    is planned_in($db, $own, 'expire-invitations', '--as-of', $as_of)->{status}, 0, '... that was left unfinished: a plan';
    my $r = apply($db, $own);
    is $r->{status}, 80, '... which is not applied over it';
    like $r->{stderr}, qr/run 1 of expire-invitations was left unfinished\n  hint: "lapse run expire-invitations" finishes it/, '... and it says what to do';
}

# What was undone of a plan that was broken off is not done; the plan is over.
{
    my $db = copy_of($demo);
    my $two = $demo->dir . '/two.jsonl';
    is planned_in($db, $two, 'expire-invitations', 'end-trials', '--as-of', $as_of)->{status}, 0, 'a plan of two jobs';
    $db->sql("CREATE FUNCTION public.late() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN IF NEW.kind = 'trial' THEN RAISE EXCEPTION 'too late'; END IF; RETURN NULL; END \$\$;
        CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON saas.subscriptions DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.late()");
    isnt apply($db, $two)->{status}, 0, 'the second is refused at its commit';
    my $expired = $db->one("SELECT count(*) FROM lapse.changes WHERE reason = 'invitation_expired'");
    cmp_ok $expired, '>', 0, 'the first is done';
    $db->sql('DROP TRIGGER late ON saas.subscriptions');
    is lapse($db, 'undo', $db->one("SELECT run_id FROM lapse.runs WHERE job = 'expire-invitations'"))->{status}, 0, '... and undone';
    my $before = $db->one("SELECT count(*) FROM saas.invitations WHERE status = 'expired'");
    my $r = apply($db, $two);
    is $r->{status}, 80, 'what is left of it cannot be applied';
    like $r->{stderr}, qr/run \d+ of it was undone by run \d+\n  hint: make a new plan/, '... and it says why';
    is $db->one("SELECT count(*) FROM saas.invitations WHERE status = 'expired'"), $before, '... and nothing is changed';
    is $db->one('SELECT count(*) FROM lapse.plans'), 0, '... nor called applied';
}

# A run that is not of the plan leaves an unfinished one of a plan alone, and takes its place.
{
    my $db = copy_of($demo);
    is apply($db, $file)->{status}, 0, 'applied';
    $db->sql("DELETE FROM lapse.plans; UPDATE lapse.runs SET state = 'running', finished_at = NULL WHERE job = 'end-trials'");
    my $r = lapse($db, 'run', 'end-trials');
    is $r->{status}, 0, 'a night';
    unlike $r->{stderr}, qr/left unfinished/, 'does not go on with the plan';
    is $db->one("SELECT string_agg(state, ' ' ORDER BY run_id) FROM lapse.runs WHERE job = 'end-trials'"), 'superseded done', 'but takes its place';
}
done_testing;
