# One report per job, byte by byte, over data that does its worst; the workbook says the same as the
# CSV, cell by cell; manifest and SHA256SUMS agree with the files. `perl tests/golden.t --update`
# writes tests/golden/*/expected anew: read what it changed before you believe it.
use strict;
use warnings;
use Test::More;
use Digest::SHA ();
use Encode ();
use JSON::PP ();
use Time::Local ();
use Lapse;

my $as_of = '2026-03-31';
my $golden = "$Lapse::top/tests/golden";
my $update = grep { $_ eq '--update' } @ARGV;
my @jobs = map { m{([^/]+)/setup\.sql$} } sort glob "$golden/*/setup.sql";
is_deeply \@jobs, [sort map { $_->{job} } grep { $_->{kind} ne 'cleanup' } map { JSON::PP::decode_json($_) } split /\n/, Lapse::command({}, $Lapse::lapse, 'jobs', '--json')->{stdout}], 'every job with a report has a golden case';

# ---- a small reader of workbooks ----

sub unpacked {
    my ($path, $member) = @_;
    my $r = Lapse::command({}, 'unzip', '-p', $path, $member);
    return Encode::decode('UTF-8', $r->{stdout}, Encode::FB_CROAK);
}
sub unescaped {
    my ($text) = @_;
    $text =~ s/&(lt|gt|amp|quot|apos|#(?:x([0-9a-fA-F]+)|(\d+)));/{ lt => '<', gt => '>', amp => '&', quot => '"', apos => "'" }->{$1} \/\/ chr(defined $2 ? hex $2 : $3)/ge;
    return $text =~ s/_x([0-9A-Fa-f]{4})_/chr hex $1/ger; # as Excel writes what XML cannot hold
}

# The sheets' names, and for each the rows of cells: [type, text or number].
sub workbook {
    my ($path) = @_;
    my $book = unpacked($path, 'xl/workbook.xml');
    my @names = map { unescaped($_) } $book =~ /<sheet [^>]*?name="([^"]*)"/g;
    my @shared;
    my $list = Lapse::command({}, 'unzip', '-l', $path)->{stdout};
    if ($list =~ m{xl/sharedStrings\.xml}) {
        my $text = unpacked($path, 'xl/sharedStrings.xml');
        push @shared, join '', map { unescaped($_) } $1 =~ m{<t(?: [^>]*)?>(.*?)</t>}gs while $text =~ m{<si>(.*?)</si>}gs;
    }
    my %sheet;
    for my $i (1 .. @names) {
        my @rows;
        my $text = unpacked($path, "xl/worksheets/sheet$i.xml");
        while ($text =~ m{<row r="(\d+)"[^>]*?(?:/>|>(.*?)</row>)}gs) {
            my ($row, $cells) = ($1 - 1, $2 // '');
            while ($cells =~ m{<c r="([A-Z]+)\d+"([^>]*?)(?:/>|>(.*?)</c>)}gs) {
                my ($letters, $attributes, $inner) = ($1, $2, $3 // '');
                my $column = 0;
                $column = $column * 26 + ord($_) - 64 for split //, $letters;
                die "$path: a formula in $letters" if $inner =~ /<f>/ && $names[$i - 1] !~ /^(?:Summary|Run)$/;
                my ($type) = $attributes =~ /t="(\w+)"/;
                my ($value) = $inner =~ m{<v>(.*?)</v>}s;
                my $string = join '', map { unescaped($_) } $inner =~ m{<t(?: [^>]*)?>(.*?)</t>}gs;
                $rows[$row][$column - 1] = !defined $type || $type eq 'n' ? (defined $value ? ['number', $value] : undef)
                    : $type eq 's' ? ['text', $shared[$value]] : $type eq 'inlineStr' ? ['text', $string] : [$type, $value];
            }
        }
        $sheet{ $names[$i - 1] } = \@rows;
    }
    return (\@names, \%sheet);
}

# What a workbook must hold for a CSV's field in a column of this name: [type, value], undef for none.
my $number = qr/^(?:Seats Used|Seats Purchased|Over Limit|Members Affected|Days Since Active|Requests Created|Requests Executed|Documents Created|Members|Limit|From Seats|To Seats|Seats|Used|Days To End|Days Left|Purchased|Licenses|Invitations|Free|Over|Utilisation|Without Access|Inactive|Amount)$/;
my $date = qr/^(?:Sent|Expired At|Started|Ended At|Effective At|Since|License Granted|Last Active|Signed Up|Processed At|Period End|Verified At|Last Seen|Expires|Period Start)$/;
sub expected_cell {
    my ($header, $field) = @_;
    return undef if !defined $field;
    my $text = Encode::decode('UTF-8', my $bytes = $field);
    return ['number', $text] if $header =~ $number;
    if ($header =~ $date && $text =~ /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d)Z)?$/) {
        return ['number', 25569 + Time::Local::timegm($6 // 0, $5 // 0, $4 // 0, $3, $2 - 1, $1) / 86400];
    }
    # The guard is the CSV's alone: a workbook's text is no formula.
    $text =~ s/^'(?=[\s\x{A0}\x{200F}\x{202E}]*[=+\-@\t\r\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}])// if $header !~ /ID$/ && $field !~ /already guarded/;
    $text =~ s/[\x00-\x08\x0b\x0c\x0e-\x1f\x{FFFE}\x{FFFF}]/\x{FFFD}/g; # what XML cannot hold
    return ['text', $text];
}

sub same_cell {
    my ($got, $want) = @_;
    return !defined $got || $got->[0] eq 'text' && $got->[1] eq '' if !defined $want || $want->[1] eq '';
    return 0 if !defined $got || $got->[0] ne $want->[0];
    return $got->[0] eq 'number' ? abs($got->[1] - $want->[1]) < 1e-6 : $got->[1] eq $want->[1];
}

# The tables that a job publishes in a set: "" and, for a job of several, their names, as the sheets go.
my %tables = ('reconcile-seats' => ['', '-detail', '-exceptions']);
sub tables_of { my ($job) = @_; return @{ $tables{$job} || [''] } }

sub compare_workbook {
    my ($set, $job, $name) = @_;
    SKIP: {
        skip 'unzip is not installed', 1 if !grep { -x "$_/unzip" } split /:/, $ENV{PATH};
        my ($names, $sheets) = workbook("$set/$job.xlsx");
        is $names->[0], 'Summary', "$name: the first sheet is the summary";
        is $names->[-1], 'Run', "$name: the last sheet is the run's";
        is scalar @$names, 2 + tables_of($job), "$name: between them one for each table";
        my $place = 0;
        compare_sheet($names, $sheets, ++$place, [Lapse::csv("$set/$job$_.csv")], "$name$_") for tables_of($job);
    }
}
sub compare_sheet {
    my ($names, $sheets, $place, $csv, $sheet) = @_;
    my ($header, @rows) = @$csv;
    my $table = $sheets->{ $names->[$place] };
    is_deeply [map { $_->[1] } @{ $table->[0] }], $header, "$sheet: the workbook's header is the CSV's";
    is scalar @$table - 1, scalar @rows, "$sheet: as many rows";
    my @wrong;
    for my $row (0 .. $#rows) {
        for my $column (0 .. $#$header) {
            my ($got, $want) = ($table->[$row + 1][$column], expected_cell($header->[$column], $rows[$row][$column]));
            next if same_cell($got, $want);
            my $show = sub { defined $_[0] ? Encode::encode('UTF-8', "$_[0][0] <$_[0][1]>") : 'nothing' };
            push @wrong, "row $row, $header->[$column]: " . $show->($got) . ', not ' . $show->($want);
        }
    }
    is_deeply \@wrong, [], "$sheet: the workbook's cells are the CSV's values";
}

# ---- manifest and sums ----

sub check_set {
    my ($set, $job) = @_;
    my $rows = 0; # the workbook's: those of all its tables
    $rows += Lapse::csv("$set/$job$_.csv") - 1 for tables_of($job);
    my $manifest = JSON::PP->new->decode(Lapse::slurp("$set/manifest.json"));
    my %listed = map { $_->{name} => $_ } @{ $manifest->{files} };
    is_deeply [sort keys %listed], [sort grep { !/^(?:manifest\.json|SHA256SUMS)$/ } map { m{([^/]+)$} } glob "$set/*"], "$job: the manifest lists the files there are";
    for my $name (sort keys %listed) {
        my ($file, $bytes) = ($listed{$name}, Lapse::slurp("$set/$name"));
        is $file->{sha256}, Digest::SHA::sha256_hex($bytes), "$name: its SHA-256 is the manifest's";
        is $file->{bytes}, length $bytes, "$name: its length is the manifest's";
        is $file->{rows}, $name =~ /csv$/ ? Lapse::csv("$set/$name") - 1 : $rows, "$name: its rows are the manifest's";
        is sprintf('%o', (stat "$set/$name")[2] & 07777), '640', "$name: mode 0640";
    }
    my $r = Lapse::command({}, 'sh', '-c', "cd '$set' && sha256sum -c --strict SHA256SUMS");
    is $r->{status}, 0, "$job: sha256sum -c finds SHA256SUMS right" or diag $r->{stdout}, $r->{stderr};
    is scalar(() = Lapse::slurp("$set/SHA256SUMS") =~ /\n/g), scalar keys %listed, "$job: SHA256SUMS has every data file";
    for my $table (tables_of($job)) {
        my ($header, @csv) = Lapse::csv("$set/$job$table.csv");
        my $totals = $listed{"$job$table.csv"}{totals} || {};
        for my $total (sort keys %$totals) {
            my ($at) = grep { $header->[$_] eq $total } 0 .. $#$header;
            my $sum = 0;
            $sum += $_->[$at] // 0 for @csv;
            is $totals->{$total}, $sum, "$job$table: the manifest's total of $total is the column's sum";
        }
    }
}

for my $job (@jobs) {
    my $db = Lapse::database();
    $db->load("$golden/texts.sql", "$golden/$job/setup.sql");
    my $dns = -e "$golden/$job/zone" ? Lapse::dns(Lapse::slurp("$golden/$job/zone")) : undef;
    $db->{dns} = $dns->address if $dns;
    my @input = -e "$golden/$job/input.csv" ? ('--input', "$golden/$job/input.csv", '--apply-renewals') : ();
    my $run = sub {
        my ($out, @more) = @_;
        my $r = $db->lapse_env({ TZ => 'Asia/Kathmandu', PGTZ => 'Asia/Kathmandu', LC_ALL => 'C' }, 'run', $job, '--as-of', $as_of, '--out', $db->dir . "/$out", @input, @more);
        is $r->{status}, 0, "$job: the run ends well" or diag $r->{stderr};
        return $db->dir . "/$out/$as_of";
    };
    my @sets = $run->('out');
    push @sets, $run->('documented', '--profile', 'documented') if $job eq 'activity-report';
    for my $set (@sets) {
        my $folder = "$golden/$job/expected" . ($set =~ /documented/ ? '/documented' : '');
        if ($update) {
            require File::Path;
            File::Path::make_path($folder);
            unlink glob "$folder/*.csv";
            Lapse::spew("$folder/" . ($_ =~ m{([^/]+)$})[0], Lapse::slurp($_)) for glob "$set/*.csv";
        }
        my @files = map { m{([^/]+)$} } sort glob "$folder/*.csv";
        is_deeply [map { m{([^/]+)$} } sort glob "$set/*.csv"], \@files, "$job: the files that are expected";
        for my $file (@files) {
            my ($got, $want) = map { Lapse::slurp("$_/$file") } $set, $folder;
            ok $got eq $want, "$file is byte by byte what is expected" or diag `diff -a '$folder/$file' '$set/$file' | head -20 | cat -A`;
        }
        compare_workbook($set, $job, $job);
        check_set($set, $job);
    }
}

# ---- no rows: the header alone ----
{
    my $db = Lapse::database();
    my $r = $db->lapse('run', '--all', '--as-of', $as_of, '--out', $db->dir . '/out');
    is $r->{status}, 0, 'over no data at all the run ends well' or diag $r->{stderr};
    my $set = $db->dir . "/out/$as_of";
    for my $job (@jobs) {
        for (tables_of($job)) {
            my ($header) = Lapse::slurp("$golden/$job/expected/$job$_.csv") =~ /^(.*?\r\n)/s;
            is Lapse::slurp("$set/$job$_.csv"), $header, "$job$_: without rows the CSV is its header";
        }
        compare_workbook($set, $job, "$job without rows");
    }
    my $sums = Lapse::command({}, 'sh', '-c', "cd '$set' && sha256sum -c --strict SHA256SUMS");
    is $sums->{status}, 0, 'without rows SHA256SUMS is right';
}
done_testing;
