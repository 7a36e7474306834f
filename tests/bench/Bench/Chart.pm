# The chart of growth as SVG: time and peak memory over the number of users, both axes logarithmic.
# It brings its own ground and has colours for a light and a dark page.
package Bench::Chart;
use strict;
use warnings;
use Exporter qw(import);
use File::Basename qw(dirname);
use List::Util qw(max min);
use lib dirname(__FILE__) . '/..';
use Bench::Setup;

our @EXPORT = qw(growth_chart);

my ($width, $height) = (860, 400);
my $style = <<'CSS';
text { font: 12px system-ui, sans-serif; fill: #52514e }
.title { font-size: 14px; font-weight: 600; fill: #0b0b0b }
.ground { fill: #fcfcfb }
.grid { stroke: #e4e3df; stroke-width: 1 }
.guide { stroke: #8a8984; stroke-width: 1; stroke-dasharray: 4 4 }
.line { fill: none; stroke-width: 2; stroke-linejoin: round }
.line.s0 { stroke: #2a78d6 } .line.s1 { stroke: #c2571a } .line.s2 { stroke: #16805a }
.dot.s0 { fill: #2a78d6 } .dot.s1 { fill: #c2571a } .dot.s2 { fill: #16805a }
@media (prefers-color-scheme: dark) {
  text { fill: #c3c2b7 }
  .title { fill: #ffffff }
  .ground { fill: #1a1a19 }
  .grid { stroke: #383835 }
  .line.s0 { stroke: #5598e7 } .line.s1 { stroke: #e8864a } .line.s2 { stroke: #3fb285 }
  .dot.s0 { fill: #5598e7 } .dot.s1 { fill: #e8864a } .dot.s2 { fill: #3fb285 }
}
CSS

sub short {
    my ($number) = @_;
    return $number >= 1e6 ? sprintf('%gM', $number / 1e6) : $number >= 1e3 ? sprintf('%gk', $number / 1e3) : sprintf('%g', $number);
}

sub log_scale {
    my ($from, $to, $at, $end) = @_;
    return sub { return $at + ($end - $at) * log($_[0] / $from) / log($to / $from) };
}

sub label {
    my ($x, $y, $anchor, $text, $class) = @_;
    return sprintf qq(<text x="%.1f" y="%.1f" text-anchor="%s"%s>%s</text>\n), $x, $y, $anchor, $class ? qq( class="$class") : '', $text;
}

sub stroke {
    my ($class, @ends) = @_;
    return sprintf qq(<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>\n), $class, @ends;
}

# What fits around the values: powers of the base.
sub powers {
    my ($base, @values) = @_;
    my $first = int(log(min(@values)) / log($base) + 1000) - 1000;
    my $last = -(int(-log(max(@values)) / log($base) + 1000) - 1000);
    $last++ if $first == $last;
    return map { $base ** $_ } $first .. $last;
}

# One panel from `left`: `what` of every point over its users, on an axis that has room for `room`;
# `guide` gives the dashed line's ends, its name, and how far below its end that stands.
sub panel {
    my ($left, $title, $what, $base, $unit, $room, $guide, @series) = @_;
    my ($right, $top, $bottom) = ($left + 340, 96, $height - 50);
    my @users = map { $_->{users} } @{$series[0]{points}};
    my @ticks = powers($base, @$room, map { max($_, 0.01) } map { my $s = $_; map { $_->{$what} } @{$s->{points}} } @series);
    my $x = log_scale($users[0], $users[-1] > $users[0] ? $users[-1] : $users[0] * 10, $left + 10, $right - 10);
    my $y = log_scale($ticks[0], $ticks[-1], $bottom, $top);
    my $svg = label($left, $top - 14, 'start', $title, 'title');
    $svg .= stroke('grid', $left, $y->($_), $right, $y->($_)) . label($left - 6, $y->($_) + 4, 'end', ($_ < 1 ? $_ : with_commas($_)) . " $unit") for @ticks;
    $svg .= label($x->($_), $bottom + 18, 'middle', short($_)) for @users;
    $svg .= label(($left + $right) / 2, $bottom + 38, 'middle', 'users');
    my ($from, $to, $text, $below) = $guide->($ticks[0], $users[0], $users[-1]);
    $svg .= stroke('guide', $x->($from->[0]), $y->($from->[1]), $x->($to->[0]), $y->($to->[1]));
    $svg .= label($x->($to->[0]), $y->($to->[1]) + $below, 'end', $text);
    for my $i (0 .. $#series) {
        my @at = map { [$x->($_->{users}), $y->(max($_->{$what}, 0.01))] } @{$series[$i]{points}};
        $svg .= sprintf qq(<polyline class="line s%d" points="%s"/>\n), $i, join ' ', map { sprintf '%.1f,%.1f', @$_ } @at;
        $svg .= sprintf qq(<circle class="dot s%d" cx="%.1f" cy="%.1f" r="4"/>\n), $i, @$_ for @at;
    }
    return $svg;
}

# Series of {name, points}, a point being {users, seconds, mib}.
sub growth_chart {
    my (@series) = @_;
    my $svg = qq(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 $width $height" width="$width" height="$height" role="img" aria-label="Time and peak memory over the number of users">\n)
        . "<style>\n$style</style>\n" . qq(<rect class="ground" width="$width" height="$height" rx="8"/>\n);
    my $at = 70;
    for my $i (0 .. $#series) {
        $svg .= sprintf(qq(<circle class="dot s%d" cx="%d" cy="26" r="5"/>\n), $i, $at) . label($at + 12, 30, 'start', $series[$i]{name});
        $at += 40 + 7 * length $series[$i]{name};
    }
    my $linear = sub {
        my ($low, $from, $to) = @_;
        return ([$from, $low * 1.5], [$to, $low * 1.5 * $to / $from], 'in proportion', 52);
    };
    my $limit = sub {
        my (undef, $from, $to) = @_;
        return ([$from, 32], [$to, 32], 'the target, at most 32 MiB', 16);
    };
    $svg .= panel(70, 'Time', 'seconds', 10, 's', [], $linear, @series);
    $svg .= panel(490, 'Peak memory', 'mib', 2, 'MiB', [4, 64], $limit, @series);
    return "$svg</svg>\n";
}

1;
