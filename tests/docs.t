# What the README prints of the program is what the program prints. LAPSE_UPDATE=1 writes it anew.
use strict;
use warnings;
use Test::More;
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
for my $file (grep { !m{/main\.c$} } glob "$Lapse::top/jobs/*.c") {
    my ($job) = $file =~ m{([^/]+)\.c$};
    my $r = Lapse::command({}, $Lapse::lapse, 'help', $job);
    is $r->{status}, 0, "help $job";
    like $r->{stdout}, qr/^report /m, "help $job names its columns" if $job !~ /^(?:purge|undo)$/;
}
for my $command (map { /COMMAND\((\w+)\)/ ? $1 : () } split /\n/, Lapse::slurp("$Lapse::top/lib/commands.def")) {
    like $help, qr/^  \Q$command\E +\S/m, "help lists $command";
    is Lapse::command({}, $Lapse::lapse, 'help', $command)->{status}, 0, "help $command";
}
done_testing;
