# The billing list of faults: each bad file is refused whole, with file, line and column, and changes
# nothing; what is merely unusual is taken in.
use strict;
use warnings;
use Test::More;
use POSIX ();
use Lapse;

my $job = 'reconcile-billing';
my $db = Lapse::database();
$db->sql("INSERT INTO saas.accounts (account_id, name, created_at, external_ref) VALUES (1, 'One', '2024-01-01', 'cus_1'), (2, 'Two', '2024-01-01', 'cus_2'), (3, 'Three', '2024-01-01', 'cus_2')");
$db->sql("INSERT INTO saas.subscriptions (account_id, kind, plan, channel, status, seats, unit_amount, currency, period_months, started_at, period_end, external_ref)
    VALUES (1, 'base', 'pro', 'self_serve', 'active', 5, 1500, 'EUR', 1, '2024-01-01', '2026-04-01', 'sub_1')");

my @names = qw(invoice_number line_number customer_ref plan seats period_start period_end amount currency status paid_at);
my %good = (invoice_number => 'INV-1', line_number => 1, customer_ref => 'sub_1', plan => 'pro', seats => 5, period_start => '2026-03-01T00:00:00Z',
    period_end => '2026-04-01T00:00:00Z', amount => '75.00', currency => 'EUR', status => 'paid', paid_at => '2026-03-02T10:00:00Z');
my $heading = join(',', @names) . "\n";
sub line { my (%more) = @_; my %row = (%good, %more); return join(',', map { $row{$_} } @names) . "\n" }
my $two = $heading . line() . line(line_number => 2, amount => '1.00');
my $place = $db->dir . '/in.csv';

# Everything an import may touch.
my $everything = join " || ' ' || ", map { "(SELECT md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), '')) FROM $_ t)" }
    qw(saas.billing_lines saas.subscriptions lapse.billing_files lapse.billing_bad_lines lapse.billing_unmatched lapse.changes);
sub state { return $db->one("SELECT $everything") }
my $empty = state();
sub forget { $db->sql('DELETE FROM saas.billing_lines; DELETE FROM lapse.billing_files; DELETE FROM lapse.billing_bad_lines; DELETE FROM lapse.billing_unmatched') }

sub import_file { my ($file, @more) = @_; return $db->lapse(@more, 'run', $job, '--as-of', '2026-03-31', '--out', $db->dir . '/out', '--format', 'csv', '--input', $file) }
sub import_text { my ($text, @more) = @_; Lapse::spew($place, $text); return import_file($place, @more) }

# Refused with 65, the place, and nothing changed.
sub refused {
    my ($name, $text, $where, @more) = @_;
    my $r = import_text($text, @more);
    is $r->{status}, 65, "$name: 65" or diag $r->{stderr};
    like $r->{stderr}, $where, "$name: the message names the place";
    is state(), $empty, "$name: nothing is changed";
}
sub taken {
    my ($name, $text, $lines, @more) = @_;
    my $r = import_text($text, @more);
    is $r->{status}, 0, "$name: taken in" or diag $r->{stderr};
    is $db->one('SELECT count(*) FROM saas.billing_lines'), $lines, "$name: $lines lines";
    forget();
}

# ---- fields: [column, value, what is said] ----
my $no_zone = qr/has no zone/;
for (['amount', '"1,234.56"', qr/is not an amount/], ['amount', '1.234.56', qr/is not an amount/], ['amount', '"1.234,56"', qr/is not an amount/],
    ['amount', '(5.00)', qr/is not an amount/], ['amount', '-0', qr/less than nothing/], ['amount', '-0.00', qr/less than nothing/], ['amount', '1e3', qr/is not an amount/],
    ['amount', 'NaN', qr/is not an amount/], ['amount', '1' x 30, qr/too long/], ['amount', '99999999999999999.99', qr/too long/], ['amount', '75.001', qr/more decimals/],
    ['amount', '75.000', qr/more decimals/], ['amount', '.5', qr/is not an amount/], ['amount', '5.', qr/is not an amount/], ['amount', '+5', qr/is not an amount/],
    ['amount', '007', qr/is not an amount/], ['amount', "\xD9\xA3", qr/is not an amount/], ['amount', '', qr/is empty/], ['amount', '""', qr/is empty/],
    ['period_start', '03/04/2026', qr/is not an instant/], ['period_start', '2026-02-30T00:00:00Z', qr/does not exist/], ['period_end', '2026-04-01T00:00:00', $no_zone],
    ['period_end', '2026-04-01', $no_zone], ['period_end', '2026-04-01 00:00', $no_zone], ['period_end', '2026-04-01T24:00:00Z', qr/does not exist/],
    ['period_end', '2026-04-01T00:00:60Z', qr/does not exist/], ['period_end', '2026-04-01T00:00:00 CET', qr/is not an instant/], ['period_end', 'infinity', qr/is not an instant/],
    ['period_end', '2026-04-01T00:00:00Z junk', qr/is not an instant/], ['period_end', '2026-02-01T00:00:00Z', qr/before its start/], ['period_end', '', qr/is empty/],
    ['paid_at', 'yesterday', qr/is not an instant/], ['seats', '-1', qr/whole number/], ['seats', '5.0', qr/whole number/], ['seats', '4294967296', qr/whole number/],
    ['line_number', '', qr/is empty/], ['line_number', '1a', qr/whole number/], ['currency', 'EURO', qr/is not a currency/], ['currency', 'QQQ', qr/is not a currency/],
    ['currency', '', qr/is empty/], ['status', 'Paid', qr/do not explain/], ['status', '', qr/is empty/], ['plan', 'gold', qr/is no plan here/],
    ['customer_ref', '', qr/is empty/], ['invoice_number', 'x' x 501, qr/longer than 500/], ['plan', "M\xFCller", qr/not valid UTF-8/])
{
    my ($column, $value, $says) = @$_;
    my ($at) = grep { $names[$_ - 1] eq $column } 1 .. @names;
    refused("$column <" . substr($value, 0, 30) . '>', $heading . line() . line(line_number => 2, $column => $value), qr/in\.csv:3: column $at \($column\) .*$says/);
}

# ---- rows and files: [name, text, what is said] ----
my $ragged = $two =~ s/,2026-03-02T10:00:00Z\n\z/\n/r;
for (['empty', '', qr/in\.csv:1: .*empty/], ['one field too few', $ragged, qr/in\.csv:3: column 11 \(paid_at\) is missing/],
    ['one field too many', $two =~ s/\n\z/,x\n/r, qr/in\.csv:3: column 12 is too many/], ['no comma at all', "$two\nhello\n", qr/in\.csv:4: the line is blank.*1 more/],
    ['blank line', $two =~ s/\n/\n\n/r, qr/in\.csv:2: the line is blank/], ['blank line at the end', "$two\n", qr/in\.csv:4: the line is blank/],
    ['line of blanks', $two =~ s/\n/\n  \t\n/r, qr/in\.csv:2: the line is blank/], ['blank first line', "\n$two", qr/in\.csv:1: is blank where the headings/],
    ['last line without its end', substr($two, 0, -1), qr/in\.csv:3: column 11 \(paid_at\) .*cut off/],
    ['blanks without an end of line', "$two  ", qr/in\.csv:4: column 1 .*cut off/],
    ['unterminated quote', $heading . line(plan => '"pro') . line(line_number => 2), qr/in\.csv:2: column 4 \(plan\) .*never closed/],
    ['unterminated quote at the end', $two . '"', qr/in\.csv:4: column 1 \(invoice_number\) .*cut off/],
    ['stray quote', $heading . line() . line(plan => 'p"ro'), qr/in\.csv:3: column 4 \(plan\) has a quote/],
    ['text after a quote', $heading . line() . line(plan => '"pro"x'), qr/in\.csv:3: column 4 \(plan\) has a quote/],
    ['newline inside quotes moves the lines behind', $heading . line(customer_ref => "\"sub_1\n\n\"") . line(line_number => 2, amount => 'x'), qr/in\.csv:5: column 8 \(amount\)/],
    ['CR alone', $two =~ s/\n/\r/gr, qr/in\.csv:1: ends with CR alone/], ['CR among LF', $heading . (line() =~ s/\n/\r/r) . line(line_number => 2), qr/in\.csv:2: ends with CR alone/],
    ['NUL', $heading . line(plan => "p\0o"), qr/in\.csv:2: holds a NUL/], ['UTF-16 LE', "\xFF\xFE" . join('', map { "$_\0" } split //, $two), qr/in\.csv:1: .*UTF-16/],
    ['UTF-16 BE', "\xFE\xFF" . join('', map { "\0$_" } split //, $two), qr/in\.csv:1: .*UTF-16/], ['UTF-16 without a mark', join('', map { "$_\0" } split //, $two), qr/in\.csv:1: holds a NUL/],
    ['Latin-1 in a heading', $two =~ s/plan/pl\xE4n/r, qr/in\.csv:1: column 4 .*not valid UTF-8/],
    ['semicolons', $two =~ s/,/;/gr, qr/in\.csv:1: there is no heading "invoice_number".*separator/s], ['tabs', $two =~ s/,/\t/gr, qr/no heading "invoice_number".*separator/s],
    ['a heading missing', $two =~ s/amount/sum/r, qr/in\.csv:1: there is no heading "amount".*column_amount/s],
    ['a heading renamed', $two =~ s/customer_ref/customer_reff/r, qr/no heading "customer_ref".*did you mean "customer_reff"/s],
    ['a heading doubled', $two =~ s/paid_at/plan/r, qr/in\.csv:1: column 11 \(plan\) has the heading of column 4/],
    ['one line twice, another amount', $heading . line() . line(amount => '10.40'), qr/in\.csv:3: column 8 \(amount\) is not what line 2 says, which is invoice INV-1, line 1/],
    ['one line twice, another customer', $heading . line() . line(customer_ref => 'cus_9'), qr/in\.csv:3: column 3 \(customer_ref\) is not what line 2 says/],
    ['a million commas', $two . ',' x 1_000_000 . "\n", qr/in\.csv:4: column 12 is too many: the row has 1000001 fields/],
    ['a million commas as headings', ',' x 1_000_000 . "\n", qr/in\.csv:1: column 1001 is one heading too many/],
    ['a field of 3 MiB', $heading . line(plan => 'x' x 3_145_728), qr/in\.csv:2: column 4 \(plan\) is longer than 1 MiB/])
{
    my ($name, $text, $says) = @$_;
    refused($name, $text, $says);
}
like import_text($heading . line(amount => 'x') x 3)->{stderr}, qr/in\.csv:2: .*\(and 2 more bad lines\)/, 'bad lines are counted';

# ---- unusual, and fine ----
taken('plain', $two, 2);
taken('headings alone', $heading, 0);
taken('UTF-8 byte order mark', "\xEF\xBB\xBF$two", 2);
taken('CRLF', $two =~ s/\n/\r\n/gr, 2);
taken('LF and CRLF', $two =~ s/\n/\r\n/r, 2);
taken('blanks around fields', $heading . line(amount => ' 75.00 ', status => "\tpaid "), 1);
taken('everything quoted', join('', map { s/\n//r =~ s/[^,]+/"$&"/gr . "\n" } split /(?<=\n)/, $two), 2);
taken('newline, comma and quotes inside quotes', $heading . line(invoice_number => "\"A \"\"1\"\",\nB\""), 1);
taken('further headings', join('', map { s/\n/,more\n/r } split /(?<=\n)/, $two), 2);
{
    my @order = reverse @names;
    my %row = %good;
    taken('reordered headings', join(',', @order) . "\n" . join(',', map { $row{$_} } @order) . "\n", 1);
}
taken('one line twice, alike', $two . line(), 2);
taken('a credit', $heading . line(amount => '-75.00'), 1);
taken('zones', $heading . line(period_start => '2026-03-01T02:00:00.5+02:00', period_end => '2026-04-01 00:00-03:30'), 1);
taken('semicolons, as set', $two =~ s/,/;/gr, 2, '--set', 'job.reconcile-billing.separator=semicolon');
taken('tabs, as set', $two =~ s/,/\t/gr, 2, '--set', 'job.reconcile-billing.separator=tab');
taken('a zone, as set', $heading . line(period_start => '2026-03-01', period_end => '2026-04-01 00:00'), 1, '--set', 'job.reconcile-billing.zone=UTC');
taken('a bad line put up with', $heading . line() . line(line_number => 2, amount => 'x'), 1, '--set', 'rules.max_bad_lines=1');
{
    my $r = import_text($heading . line() . line(line_number => 2, amount => 'x') . line(amount => '1.00') . "\n", '--set', 'rules.max_bad_lines=3');
    is $r->{status}, 0, 'three bad lines put up with';
    is_deeply [$db->rows('SELECT line, at, heading, reason FROM lapse.billing_bad_lines ORDER BY line')],
        [[3, 8, 'amount', '"x" is not an amount: write digits and a point, such as 1234.50'], [4, 8, 'amount', 'is not what line 2 says, which is invoice INV-1, line 1 as well'],
         [5, undef, undef, 'the line is blank']], 'they are set aside with line, column and reason';
    is $db->one('SELECT lines - loaded - unmatched - repeated - bad FROM lapse.billing_files'), 0, 'every line is accounted for';
    forget();
}
for (['EUR', '10.5', 1050], ['JPY', '1050', 1050], ['KWD', '1.05', 1050], ['kwd', '1.050', 1050], ['USD', '0.01', 1], ['EUR', '9999999999999999.99', '999999999999999999']) {
    my ($currency, $amount, $minor) = @$_;
    is import_text($heading . line(currency => $currency, amount => $amount))->{status}, 0, "$amount $currency";
    is $db->one("SELECT amount || ' ' || currency FROM saas.billing_lines"), "$minor \U$currency", "... is $minor minor units";
    forget();
}
like import_text($heading . line(currency => 'JPY', amount => '1.5'))->{stderr}, qr/more decimals/, 'JPY has no decimals';
is $db->one("SELECT string_agg(c, ' ') FROM (SELECT c FROM unnest('{BIF,CLP,JPY,XPF,BHD,TND,EUR,UYU}'::text[]) c) t"), 'BIF CLP JPY XPF BHD TND EUR UYU', 'currencies';

# ---- the file itself ----
my $dir = $db->dir;
for (['missing', "$dir/none.csv", 66, qr/could not open/], ['folder', $dir, 66, qr/is a folder, not a regular file/], ['device', '/dev/null', 66, qr/is a device/]) {
    my ($name, $path, $status, $says) = @$_;
    my $r = import_file($path);
    is $r->{status}, $status, "$name: $status" or diag $r->{stderr};
    like $r->{stderr}, $says, "$name: said in words";
}
POSIX::mkfifo("$dir/fifo", 0600);
{
    my $r = import_file("$dir/fifo");
    is $r->{status}, 66, 'a pipe that nobody writes is not waited for';
    like $r->{stderr}, qr/is a pipe/, '... and said in words';
}
is $db->lapse('run', 'end-trials', '--input', $place, '--out', "$dir/out")->{status}, 64, '--input without the job is 64';
{
    Lapse::spew("$dir/relative.csv", $two);
    my $r = Lapse::command($db->env, '/bin/sh', '-c', "cd '$dir' && '$Lapse::lapse' run $job --as-of 2026-03-31 --out '$dir/out' --format csv --input relative.csv");
    is $r->{status}, 0, 'a relative path is one from the working directory' or diag $r->{stderr};
    $r = import_file("$dir/relative.csv");
    is $r->{status}, 65, 'the same file once more: 65';
    like $r->{stderr}, qr/was imported already, by run \d+.*--force/s, '... naming the run, and what to do';
    is import_file("$dir/relative.csv", ())->{status}, 65, '... and again';
    $r = $db->lapse('run', $job, '--as-of', '2026-03-31', '--out', "$dir/out", '--format', 'csv', '--input', "$dir/relative.csv", '--force');
    is $r->{status}, 0, '--force imports it again' or diag $r->{stderr};
    is $db->one('SELECT count(*) FROM saas.billing_lines'), 2, '... and adds nothing';
    mkdir "$dir/many"; mkdir "$dir/many/a.csv.d";
    Lapse::spew("$dir/many/b.csv", $heading . line(amount => '2.00')); Lapse::spew("$dir/many/a.csv", $heading . line(amount => '1.00'));
    my @pattern = ('--set', "job.reconcile-billing.input=$dir/many/*.csv*");
    $r = $db->lapse(@pattern, 'run', $job, '--as-of', '2026-03-31', '--dry-run');
    is $r->{status}, 0, 'a dry run takes every file that fits the pattern in, one after the other' or diag $r->{stderr};
    $r = $db->lapse(@pattern, 'run', $job, '--as-of', '2026-03-31', '--out', "$dir/out", '--format', 'csv');
    is $r->{status}, 0, 'every file that fits the pattern is imported' or diag $r->{stderr};
    is $db->one("SELECT amount FROM saas.billing_lines WHERE line_number = 1"), 200, '... by name, the later wins';
    $r = $db->lapse(@pattern, 'run', $job, '--as-of', '2026-03-31', '--out', "$dir/out", '--format', 'csv');
    is $r->{status}, 0, 'known files are passed over';
    is $r->{stderr}, '', '... silently';
    forget();
    # A folder that is not there, or may not be read, is no folder without files.
    # Root may read everything: there the server's user does it, with a program and a folder in its reach.
    mkdir "$dir/theirs"; chmod 0777, "$dir/theirs"; chmod 0755, $dir;
    my @lapse = $> == 0 ? ('/usr/sbin/runuser', '-u', 'postgres', '--', "$dir/lapse") : $Lapse::lapse;
    system 'cp', $Lapse::lapse, "$dir/lapse";
    my $look = sub { my $pattern = shift; return Lapse::command($db->env, @lapse, '--set', "job.reconcile-billing.input=$pattern", 'run', $job, '--as-of', '2026-03-31', '--out', "$dir/theirs/out", '--format', 'csv', @_) };
    mkdir "$dir/many/$_" for 'in', 'shut', 'shut/in';
    Lapse::spew("$dir/many/shut/in/c.csv", $heading . line());
    for my $fine ("$dir/many/none*.csv", "$dir/many/none.csv", "$dir/many/*/none/*.csv", "$dir/many/in/*") {
        $r = $look->($fine);
        is $r->{status}, 0, 'no file that fits is fine' or diag "$fine: $r->{stderr}";
        is $r->{stderr}, '', '... and nothing is said';
    }
    for (['missing', 66, 'none/*.csv', 'none', 'No such file'], ['missing, and no pattern', 66, 'none/c.csv', 'none', 'No such file'], ['a file', 66, 'a.csv/*.csv', 'a.csv', 'Not a directory'],
        ['unreadable', 77, 'shut/*.csv', 'shut/*.csv', 'Permission denied'], ['below an unreadable one', 77, 'shut/in/*.csv', 'shut/in', 'Permission denied'], ['among those of a pattern', 77, 's*t/*.csv', 's*t/*.csv', 'Permission denied']) {
        my ($name, $status, $pattern, $place, $why) = @$_;
        chmod 0000, "$dir/many/shut";
        my $real = $look->("$dir/many/$pattern");
        my $dry = $look->("$dir/many/$pattern", '--dry-run');
        chmod 0700, "$dir/many/shut";
        for ([$real, ''], [$dry, ', dry']) {
            my ($r, $how) = @$_;
            is $r->{status}, $status, "a folder that is $name: $status$how" or diag $r->{stderr};
            like $r->{stderr}, qr{"\Q$dir/many/$place\E": \Q$why\E.*\n  hint: .*\[job\.reconcile-billing\] input}, '... with path, reason and what to do';
        }
        is state(), $empty, '... and nothing is changed';
    }
    # A folder whose files may be listed but not opened.
    Lapse::spew("$dir/many/in/c.csv", $heading . line());
    chmod $> == 0 ? 0744 : 0600, "$dir/many/in";
    $r = $look->("$dir/many/in/*.csv");
    chmod 0755, "$dir/many/in";
    is $r->{status}, 77, 'a folder whose files may not be opened: 77' or diag $r->{stderr};
    like $r->{stderr}, qr{could not open "\Q$dir\E/many/in/c\.csv": Permission denied}, '... naming the file';
    forget();
}
{
    Lapse::spew("$dir/twins.csv", $heading . line(customer_ref => 'cus_2') . line(line_number => 2, customer_ref => 'nobody'));
    is import_file("$dir/twins.csv")->{status}, 0, 'a customer in two accounts, and one in none, are no bad lines';
    is_deeply [$db->rows('SELECT customer_ref, accounts FROM lapse.billing_unmatched ORDER BY 1')], [['cus_2', 2], ['nobody', 0]], '... but kept apart';
    forget();
}

# ---- still being written: it grows while it is read ----
{
    my $big = "$dir/growing.csv";
    Lapse::spew($big, $heading . join '', map { line(line_number => $_) } 1 .. 20_000);
    my $pid = fork // die;
    if (!$pid) { for (1 .. 400) { open my $f, '>>', $big or POSIX::_exit(1); print $f line(line_number => 100_000 + $_); close $f; select undef, undef, undef, 0.005 } POSIX::_exit(0) }
    my $r = import_file($big);
    kill 'TERM', $pid; waitpid $pid, 0;
    is $r->{status}, 65, 'a file that grows is refused' or diag $r->{stderr};
    like $r->{stderr}, qr/is still being written/, '... in these words';
    is state(), $empty, '... and nothing is changed';
}

# ---- cut off at every byte ----
{
    my $text = $heading . line(plan => '"pro"', customer_ref => "\"sub\n_1\"") . line(line_number => 2) =~ s/\n/\r\n/r;
    my (@wrong, $complete);
    for my $length (0 .. length $text) {
        my $r = import_text(substr $text, 0, $length);
        my $whole = $r->{status} == 0 && substr($text, 0, $length) =~ /\A\Q$heading\E(?:.*Z\r?\n)*\z/s;
        $complete += $whole;
        push @wrong, "$length: $r->{status} $r->{stderr}" if !$whole && ($r->{status} != 65 || state() ne $empty);
        forget() if $whole;
    }
    is_deeply \@wrong, [], 'cut off at every byte it is refused whole, or is complete up to a line';
    is $complete, 3, '... which it is at the end of the headings and of each row';
}
done_testing;
