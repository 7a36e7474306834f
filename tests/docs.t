# What the README prints of the program is what the program prints. LAPSE_UPDATE=1 writes it anew.
use strict;
use warnings;
use Test::More;
use JSON::PP ();
use Lapse;

my $path = "$Lapse::top/README.md";
my $text = Lapse::slurp($path);
my $fresh = $text;

my %as_is = ('lapse conf --table' => 1);
my $blocks = 0;
while ($text =~ /<!-- (lapse [^>]*?) -->\n(.*?)<!-- end -->/gs) {
    my ($command, $shown) = ($1, $2);
    my (undef, @words) = split / /, $command;
    my $r = Lapse::command({}, $Lapse::lapse, @words);
    is $r->{status}, 0, "$command runs";
    my $said = $as_is{$command} ? $r->{stdout} : "```\n$r->{stdout}```\n";
    is $shown, $said, "the README shows what `$command` prints" unless $ENV{LAPSE_UPDATE};
    $fresh =~ s/<!-- \Q$command\E -->\n.*?<!-- end -->/<!-- $command -->\n$said<!-- end -->/s;
    $blocks++;
}
is $blocks, 3, 'jobs, settings and exit statuses are printed by the program';
Lapse::spew($path, $fresh) if $ENV{LAPSE_UPDATE} && $fresh ne $text;

# conf/lapse.ini is the sample that the program prints.
SKIP: {
    skip 'no sample file yet', 1 unless -f "$Lapse::top/conf/lapse.ini";
    my $r = Lapse::command({}, $Lapse::lapse, 'conf', '--sample');
    is Lapse::slurp("$Lapse::top/conf/lapse.ini"), $r->{stdout}, 'conf/lapse.ini is what `lapse conf --sample` prints';
}

# Every job, command, setting and status is explained somewhere a person looks.
my $help = Lapse::command({}, $Lapse::lapse, 'help')->{stdout};
my @settings = map { JSON::PP::decode_json($_) } split /\n/, Lapse::command({}, $Lapse::lapse, '--json', 'conf')->{stdout};
for my $file (grep { !m{/main\.c$} } glob "$Lapse::top/jobs/*.c") {
    my ($job) = $file =~ m{([^/]+)\.c$};
    my $r = Lapse::command({}, $Lapse::lapse, 'help', $job);
    is $r->{status}, 0, "help $job";
    my ($told) = $r->{stdout} =~ /^settings of \[job\.\Q$job\E\]\n(.*)/ms;
    for (grep { $_->{section} eq "job.$job" } @settings) {
        my $default = quotemeta(defined $_->{value} ? 'default: ' . ($_->{value} eq '' ? 'empty' : $_->{value}) : 'not set by default');
        $default = qr/default: \d+/ if $_->{source} ne 'default'; # the tests' own
        (my $flat = $told =~ s/^  \Q$_->{key}\E +(.*?)(?=^  \S|\z)//ms ? $1 : '') =~ s/\s+/ /g;
        like $flat, qr/$default\) ?$/, "help $job says what $_->{key} is by default";
    }
    is $told =~ s/\s+//gr, '', "help $job names no setting that is none" if defined $told;
    like $r->{stdout}, qr/^report /m, "help $job names its columns" if $job !~ /^(?:purge|undo)$/;
}
for my $command (map { /COMMAND\((\w+)\)/ ? $1 : () } split /\n/, Lapse::slurp("$Lapse::top/lib/commands.def")) {
    like $help, qr/^  \Q$command\E +\S/m, "help lists $command";
    is Lapse::command({}, $Lapse::lapse, 'help', $command)->{status}, 0, "help $command";
}
done_testing;
