# The README's walk from plan to undo, on the demo data: every command, and what it prints.
use strict;
use warnings;
use Test::More;
use Text::ParseWords qw(shellwords);
use Lapse;

my ($section) = Lapse::slurp("$Lapse::top/README.md") =~ /^## A change, from plan to undo\n(.*?)^## /ms;
my @steps = map { split /^(?=\$ )/m } $section =~ /^```\n(.*?)^```/msg;
cmp_ok scalar(@steps), '>=', 9, 'the README has the walk';

my $db = Lapse::database();
$db->load(sort glob "$Lapse::top/sql/demo/*.sql");
my @settings = ('--set', 'reports.dir=' . $db->dir . '/reports', '--set', "job.reconcile-billing.input=$Lapse::top/sql/demo/billing/*.csv", '--set', 'job.reconcile-billing.apply_renewals=yes');
is $db->lapse(@settings, 'run', '--all', '--as-of', '2026-03-31')->{status}, 0, 'the demo\'s night';
chdir $db->dir or die "chdir: $!";

# Without what differs from one time to the next: the clock, durations, the folder, and the blanks they move.
sub plain {
    my ($text) = @_;
    $text =~ s/\b20(?:26-1[0-2]|2[7-9]-\d\d|[3-9]\d-\d\d)-\d\d(?:T\d\d:\d\d:\d\dZ)?/NOW/g;
    $text =~ s/\b\d+(?:\.\d+)? (?:ms|s)\b/TIME/g;
    $text =~ s/\b\d+\.\d\b/SECONDS/g;
    $text =~ s{ published in \S*/}{ published in /}g;
    $text =~ s/ +/ /g;
    $text =~ s/^ | $//mg;
    return $text;
}

for (@steps) {
    my ($line, $rest) = split /\n/, $_, 2;
    my @words = shellwords($line =~ s/^\$ //r);
    my $program = shift @words;
    my $said;
    if ($program eq 'lapse') { my $r = $db->lapse(@settings, @words); $said = $r->{stderr} . $r->{stdout} }
    elsif ($program eq 'psql') { $db->sql($words[1]); $said = '' }
    else { my $r = Lapse::command({}, $program, @words); $said = $r->{stdout} }
    is plain($said), plain($rest), $line;
}
done_testing;
