# The command line: every row of "Command line" of the fault list, for every command there is.
# A wrong command line is 64, before any connection: one line that says what, one hint that says what
# to do, nothing on stdout.
use strict;
use warnings;
use lib 'tests/lib';
use Lapse;
use Test::More;

my $nowhere = { PGHOST => '/nonexistent', PGDATABASE => 'none' }; # a connection would be 69
my $today = '2026-03-01';

sub lapse { return Lapse::command($nowhere, $Lapse::lapse, @_) }

sub shown { return join ' ', map { s/[^ -~]/?/gr } map { length $_ ? $_ : "''" } @_ }

# 64, nothing on stdout, a line that says what and a hint.
sub refused {
    my ($arguments, $what, $hint) = @_;
    my $r = lapse(@$arguments);
    subtest 'lapse ' . shown(@$arguments) => sub {
        is $r->{status}, 64, 'status';
        is $r->{stdout}, '', 'stdout is empty';
        like $r->{stderr}, qr/\Alapse: [^\n]+\n  hint: [^\n]+\n\z/, 'one line and a hint';
        like $r->{stderr}, qr/\Alapse: .*$what/, 'it says what' if $what;
        like $r->{stderr}, qr/\n  hint: .*$hint/, 'it says what to do' if $hint;
    };
}

# How a shell would start it: redirections and all.
sub shell {
    my ($env, $script) = @_;
    return Lapse::command({ %$nowhere, %$env, LAPSE_TEST_PROGRAM => $Lapse::lapse }, '/bin/sh', '-c', $script);
}

my $overview = lapse('help');
is $overview->{status}, 0, 'lapse help';
is $overview->{stderr}, '', '... says nothing on stderr';
my ($list) = $overview->{stdout} =~ /^commands\n(.*?)\n\n/ms;
my @commands = $list =~ /^  (\S+)/mg;
cmp_ok scalar @commands, '>=', 8, 'the commands: ' . join ' ', @commands;
my @jobs = map { /^(\S+)/ ? $1 : () } grep { /^[a-z]+(-[a-z]+)+\s/ } split /\n/, lapse('jobs')->{stdout};
cmp_ok scalar @jobs, '>=', 5, 'the jobs: ' . join ' ', @jobs;

subtest 'what every command does' => sub {
    for my $command (@commands) {
        my $help = lapse('help', $command);
        is $help->{status}, 0, "lapse help $command";
        like $help->{stdout}, qr/\Alapse \Q$command\E.*\n\n.*--config FILE/s, '... explains it and its options';
        for my $option ('--help', '-h') {
            my $same = lapse($command, $option);
            is $same->{status}, 0, "lapse $command $option";
            is $same->{stdout}, $help->{stdout}, '... says the same';
            is $same->{stderr}, '', '... and nothing on stderr';
        }
        refused([$command, '--nonsense'], 'unknown option "--nonsense"', qr/lapse help \Q$command\E/);
        refused([$command, '-Z'], 'unknown option "-Z"', qr/lapse help \Q$command\E/);
        refused([$command, '--jsn'], 'unknown option "--jsn"', qr/did you mean --json\?/);
        refused([$command, '--json=yes'], '--json takes no value', qr/lapse help \Q$command\E/);
        refused([$command, '--json', '--json'], '--json is given twice', qr/lapse help \Q$command\E/);
        refused([$command, '-c', '/a', '-c', '/b'], '--config is given twice', qr/lapse help/);
        refused([$command, '-c'], '--config needs a value', qr/lapse help \Q$command\E/);
        refused([$command, '--config='], '--config needs a value', qr/lapse help \Q$command\E/);
        refused([$command, '--set', '--json'], '--set needs a value', qr/lapse help \Q$command\E/);
        refused([$command, '-v', '-q'], '-v and -q', undef);
        refused([$command, '-c', 'x', "bad\xff"], 'argument \d+ is not valid UTF-8', undef);
        refused([$command, "two\nlines"], 'argument \d+ holds a control character', undef);
        refused([$command, 'x-1', 'x-2', 'x-3', 'x-4'], undef, undef); # no command takes all of these
        refused(['-v', '-q', $command], '-v and -q', undef);
    }
};

subtest 'before and around the command' => sub {
    refused([], 'no command', qr/lapse help/);
    refused([''], 'there is no command ""', undef);
    refused(['nonsense'], 'there is no command "nonsense"', undef);
    refused(['histroy'], 'there is no command "histroy"', qr/did you mean "history"/);
    refused(['--all', 'run'], 'unknown option "--all" before the command', undef);
    refused(['--', 'run'], '"--"', undef);
    refused(['help', 'nonsense'], 'no command and no job "nonsense"', qr/lapse help/);
    refused(["\xc0\xaf"], 'not valid UTF-8', undef);
    my $both = lapse('--help');
    is $both->{status}, 0, 'lapse --help';
    my $status = lapse('help', 'exit');
    for my $n (0, 64 .. 66, 69 .. 71, 73 .. 75, 77, 78, 80 .. 83) {
        like $status->{stdout}, qr/^ *$n\s+\S/m, "help status tells $n";
    }
    for my $job (@jobs) {
        my $r = lapse('help', $job);
        is $r->{status}, 0, "lapse help $job";
        like $r->{stdout}, qr/\A\Q$job\E: /, '... explains it';
    }
};

subtest 'which job' => sub {
    refused(['run'], 'which job', qr/lapse jobs/);
    refused(['run', 'expire-invitation'], 'there is no job "expire-invitation"', qr/did you mean "expire-invitations"/);
    refused(['run', 'xyzzy'], 'there is no job "xyzzy"', qr/lapse jobs/);
    refused(['run', '--all', $jobs[0]], '--all', undef);
    refused(['run', $jobs[0], ''], 'there is no job ""', undef);
    refused(['run', $jobs[0], '--window', '7'], '--window belongs to activity-report', undef);
    refused(['run', 'activity-report', '--window', '8'], '--window', undef);
    refused(['run', 'activity-report', '--profile', ''], '--profile needs a value', undef);
    refused(['run', 'activity-report', '--window', '7', '--window=7'], '--window is given twice', undef);
    refused(['run', $jobs[0], '--format', 'pdf'], '--format', undef);
    refused(['run', $jobs[0], '--format', 'csv,csv'], '--format', undef);
    refused(['run', $jobs[0], '--format', 'csv,'], '--format', undef);
    refused(['run', $jobs[0], '--account', $_], '--account', undef) for '0', '-1', '1,', ',1', '1,x', '1 ', '1e3', '9223372036854775808', '+1';
    refused(['history', 'no-such-job'], 'there is no job "no-such-job"', undef);
    refused(['history', '--limit', $_], '--limit', undef) for '0', '-1', 'x', '1e3', '99999999999';
    refused(['show'], 'is missing', undef);
    refused(['show', $_], 'not the number of a run', undef) for '0', 'x', '1x', '9223372036854775808';
    refused(['conf', '--set', $_], '--set', undef) for 'x', 'x=y', '.=', 'reports.=csv', '=csv', 'reports.formats';
    refused(['conf', '--set', 'reports.formats=csv', '--set', 'reports.formats=xlsx'], 'given twice', undef);
};

subtest 'as-of' => sub {
    for my $when ('2026-02-30', '2025-02-29', '2026-13-01', '2026-00-10', 'now', 'today', 'yesterday', 'infinity', '-infinity',
        '2026-03-31T02:30:00', '2026-03-31 02:30:00', '2026-03-31T02:30', '2026-03-31Z', '2026-03-31x', ' 2026-03-31',
        '2026-03-31 ', '2026-3-1', '26-03-31', '20260331', '2026-03-31T24:00:00Z', '2026-03-31T23:59:60Z',
        '2026-03-31T02:30:00+25:00', '2026-03-31T02:30:00 +02:00', '2026-03-31T02:30:00Zx', '2026-03-31T02:30:00.5Z',
        '1969-12-31', '12026-03-31', '-2026-03-31', "\xd9\xa2\xd9\xa0\xd9\xa2\xd9\xa6-03-31", '0', '1e9', 'epoch') {
        refused(['run', $jobs[0], '--as-of', $when], '--as-of', undef);
    }
    refused(['run', $jobs[0], '--as-of'], '--as-of needs a value', undef);
    refused(['run', $jobs[0], '--as-of='], '--as-of needs a value', undef);
    refused(['run', $jobs[0], '--as-of', $today, '--as-of', $today], '--as-of is given twice', undef);
};

my $db = Lapse::database();
my $out = $db->dir . '/out';
$db->sql(q{INSERT INTO saas.accounts (account_id, name, created_at) VALUES (1, 'A', '2025-01-01');
    INSERT INTO saas.organizations (account_id, organization_id, name, status, created_at)
    VALUES (1, 1, 'O', 'active', '2025-01-01');
    INSERT INTO saas.invitations (account_id, email, organization_id, role, status, sent_at)
    VALUES (1, 'a@example.org', 1, 'member', 'pending', '2026-01-01')});

sub pending { return $db->one("SELECT count(*) FROM saas.invitations WHERE status = 'pending'") }

subtest 'an as-of in the future, or before the last one' => sub {
    my $r = $db->lapse('run', 'expire-invitations', '--as-of', '2999-01-01', '--out', $out);
    is $r->{status}, 80, 'the future is for a person to look at';
    like $r->{stderr}, qr/lies in the future\n  hint: .*--dry-run.*--allow-backdate/, 'it says what to do';
    is pending(), 1, 'nothing changed';
    is $db->lapse('run', 'expire-invitations', '--as-of', '2026-01-15', '--out', $out)->{status}, 0, 'a day is done';
    $r = $db->lapse('run', 'expire-invitations', '--as-of', '2026-01-14', '--out', $out);
    is $r->{status}, 80, 'the day before it';
    like $r->{stderr}, qr/already done as of 2026-01-15T00:00:00Z/, 'it says why';
    $r = $db->lapse('run', 'activity-report', '--as-of', '2026-01-10', '--out', $out);
    is $r->{status}, 0, 'a report may be of any past';
    $r = $db->lapse('run', 'expire-invitations', '--as-of', '2999-01-01', '--dry-run');
    is $r->{status}, 0, 'a dry run may look ahead';
    like $r->{stdout}, qr/pending -> expired/, '... and shows what is due then';
    is pending(), 1, '... and changes nothing';
    $r = $db->lapse('run', 'expire-invitations', '--as-of', '2026-01-14', '--out', $out, '--allow-backdate');
    is $r->{status}, 0, 'backdated on purpose';
};

subtest 'stdout and stderr that do not take it' => sub {
    for my $arguments (['help'], ['version'], ['jobs'], ['conf'], ['conf', '--sample'], ['conf', '--table'], ['help', 'exit'],
        ['jobs', '--json'], ['conf', '--json'], ['history'], ['history', '--json'], ['run', '--help']) {
        my $words = join ' ', @$arguments;
        for my $to ('>/dev/full', '>&-') {
            my $r = shell($db->env->{PGDATABASE} ? { %{ $db->env }, PGHOST => $ENV{PGHOST} } : {}, qq{exec "\$LAPSE_TEST_PROGRAM" $words $to});
            is $r->{status}, 74, "lapse $words $to";
            like $r->{stderr}, qr/\Alapse: could not write to standard output: /, '... is said once';
        }
    }
};

# A closed descriptor's number is given to the next thing opened: it must not be the database.
subtest 'a run whose output is closed' => sub {
    my $env = { %{ $db->env }, PGHOST => $ENV{PGHOST} };
    my $day = 10;
    my @ways = (['>/dev/full', 74], ['>&-', 74], ['2>&-', 0], ['<&-', 0], ['<&- >&- 2>&-', 74]);
    for my $way (@ways) {
        my ($to, $status) = @$way;
        my $as_of = sprintf '2026-02-%02d', ++$day;
        my $r = shell($env, qq{exec "\$LAPSE_TEST_PROGRAM" run expire-invitations --as-of $as_of --out $out $to});
        is $r->{status}, $status, "lapse run $to";
        is $db->one("SELECT count(*) FROM lapse.runs WHERE as_of = '$as_of' AND state = 'done'"), 1, '... the work is done';
    }
    # A note in the middle of a run, with stderr closed, where a run is to be taken up.
    my $last = $db->one('SELECT max(run_id) FROM lapse.runs');
    $db->sql("UPDATE lapse.runs SET state = 'running', finished_at = NULL, status = NULL WHERE run_id = $last");
    my $r = shell($env, qq{exec "\$LAPSE_TEST_PROGRAM" run expire-invitations --out $out 2>&-});
    is $r->{status}, 0, 'lapse run 2>&-, taking a run up';
    is $db->one("SELECT state FROM lapse.runs WHERE run_id = $last"), 'done', '... which is done';
};

subtest 'a reader who goes away' => sub {
    my $env = { %{ $db->env }, PGHOST => $ENV{PGHOST} };
    my $r = shell($env, q{{ "$LAPSE_TEST_PROGRAM" conf --table; echo "status $?" >&2; } | true});
    like $r->{stderr}, qr/status (74|0)\n/, 'SIGPIPE kills nothing';
    unlike $r->{stderr}, qr/status 141/, '... not even conf';
    $r = shell($env, qq{mkfifo @{[$db->dir]}/pipe; (sleep 0.05) <@{[$db->dir]}/pipe & }
        . qq{{ sleep 0.2; "\$LAPSE_TEST_PROGRAM" run expire-invitations --as-of 2026-02-20 --allow-backdate --out $out; echo "status \$?" >&2; } >@{[$db->dir]}/pipe; wait});
    like $r->{stderr}, qr/standard output: Broken pipe\n(  hint: [^\n]*\n)?status 74\n/, 'the run says that its results went nowhere';
    is $db->one("SELECT state FROM lapse.runs WHERE as_of = '2026-02-20'"), 'done', 'and is done';
};

subtest 'the same command under another name, or none' => sub {
    my $r = Lapse::command($nowhere, '/usr/bin/perl', '-e', 'exec { $ARGV[0] } "" or die', $Lapse::lapse);
    is $r->{status}, 64, 'an empty argv[0]';
};

done_testing;
