# Workbooks of rows from memory: lapse's report beside the libraries alone, as whole programs.
package Bench::Workbooks;
use strict;
use warnings;
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use POSIX qw(strftime);
use lib dirname(__FILE__) . '/..';
use Bench::Measure;
use Bench::Server;
use Bench::Setup;

our @EXPORT = qw(bench_xlsx bench_xlsx_slow);

my $rows = "$dir/rows";
my $books = "$dir/books";

# Ten thousand rows, as good as random: more than a compressor looks back.
sub make_rows {
    my $seed = 1;
    my $random = sub { $seed = ($seed * 1103515245 + 12345) % 2147483648; return int($seed / 65536) % $_[0] };
    my $word = sub { return join '', map { chr(ord('a') + $random->(26)) } 1 .. 4 + $random->(6) };
    my $text = '';
    for my $n (1 .. 10_000) {
        my ($first, $last, $firm) = map { ucfirst $word->() } 1 .. 3;
        my $days = $random->(90);
        $text .= join("\t", 1_000_000 + $n, lc "$first.$last$n\@$firm.example", "$first $last", join('; ', map { "$firm " . ucfirst $word->() } 0 .. $random->(3)),
            (qw(owner admin member member))[$random->(4)], (qw(essentials pro enterprise))[$random->(3)], strftime('%Y-%m-%d', gmtime(1767225600 - $days * 86400)), $days,
            (qw(licensed invited idle))[$random->(3)], strftime('%Y-%m-%d %H:%M:%S+00', gmtime(1767225600 - $random->(30000) * 3600 - $random->(3600)))) . "\n";
    }
    spew($rows, $text);
    remove_tree($books);
    make_path($books);
}

sub book {
    my ($count, @command) = @_;
    return sub { return timed("$dir/peer.out", @command, $rows, $count, $books) };
}

sub ours {
    my ($count) = @_;
    my $run = book($count, "$build/tests/bench/workbook_ours");
    return {name => 'XLSX of ' . with_commas($count) . ' rows from memory', run => sub {
        unlink "$books/ours.xlsx"; # a report makes new files only
        return $run->();
    }};
}

sub bench_xlsx {
    make_rows();
    contest(ours($size{rows}),
            {name => 'libxlsxwriter, constant memory', run => book($size{rows}, "$build/tests/bench/workbook_libxlsxwriter"), ratio_at_most => '0.12'});
    result(what => 'its size / libxlsxwriter\'s', unit => 'MB', ratio_at_most => '1.2',
           map { $_->[0] => [(-s "$books/$_->[1].xlsx") / 1e6] } ['ours', 'ours'], ['peer', 'libxlsxwriter']);
    remove_tree($books);
}

sub bench_xlsx_slow {
    my $exceljs = "$build/bench/node/node_modules"; # see make bench-deps
    my @targets = (['XlsxWriter', '1/35'], ['openpyxl', '1/45'], ['pandas', '1/55']);
    my $no_exceljs = -d "$exceljs/exceljs" && system('node --version >/dev/null 2>&1') == 0 ? undef : 'exceljs (npm)';
    make_rows();
    local $ENV{NODE_PATH} = $exceljs;
    contest(ours($size{slow_rows}),
            (map { my ($name, $target) = @$_; my $module = lc $name;
                   {name => $name, missing => missing_module($module), ratio_at_most => $target,
                    run => book($size{slow_rows}, $python, "$top/tests/bench/peers/workbook_$module.py")} } @targets),
            {name => 'exceljs', missing => $no_exceljs, ratio_at_most => '1/30',
             run => book($size{slow_rows}, 'node', "$top/tests/bench/peers/workbook_exceljs.js")});
    remove_tree($books);
}

1;
