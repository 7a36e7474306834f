# Which paid plans come up for renewal, in which band, and what is at stake.
use strict;
use warnings;
use Test::More;
use JSON::PP ();
use Lapse;
use Fixture;
use Workbook;

my $true = JSON::PP::true;
my @cases;

# A Pro base with these columns; the rows expected, by the columns that matter (none: not listed).
sub base {
    my ($name, $base, $row, %more) = @_;
    push @cases, [$name, { %more, subscriptions => [{ plan => 'pro', %$base }, @{ $more{subscriptions} || [] }] }, ref $row eq 'ARRAY' ? $row : $row ? [$row] : []];
}
sub ends { return { 'Period End' => shown($_[0]), 'Days To End' => $_[1] } }

# ---- which ones ----
base('ends 90 days ahead', { period_end => at('2160 h') }, ends(at('2160 h'), 90));
base('a second later: not listed', { period_end => at('2160 h', '1 s') });
base('a second sooner', { period_end => at('2160 h', '-1 s') }, ends(at('2160 h', '-1 s'), 89));
base('ends 60 days ahead', { period_end => at('1440 h') }, ends(at('1440 h'), 60));
base('a second after 60 days', { period_end => at('1440 h', '1 s') }, ends(at('1440 h', '1 s'), 60));
base('ends 30 days ahead', { period_end => at('720 h') }, ends(at('720 h'), 30));
base('a second after 30 days', { period_end => at('720 h', '1 s') }, ends(at('720 h', '1 s'), 30));
base('ends a second after as-of', { period_end => at('1 s') }, ends(at('1 s'), 0));
base('ends at as-of', { period_end => at() }, ends(at(), 0));
base('ended a second before', { period_end => at('-1 s') }, ends(at('-1 s'), -1));
base('overdue for long, nobody ended it', { plan => 'enterprise', period_end => at('-400 d') }, { Plan => 'enterprise', 'Days To End' => -400 });
base('no end', { period_end => undef });
base('endless', { period_end => 'infinity' });
base('ended before all time', { period_end => '-infinity' }, { 'Period End' => '-infinity', 'Days To End' => undef });
base('Essentials has no renewal', { plan => 'essentials', seats => -1, period_end => at('1 d') });
base('a trial has none, the base under it has', { period_end => at('5 d') }, { Plan => 'pro', 'Days To End' => 5 },
    subscriptions => [{ kind => 'trial', plan => 'trial', status => 'trialing', seats => 50, started_at => at('-1 d'), period_end => at('1 d') }]);
base('begun at as-of', { period_end => at('5 d'), started_at => at() }, ends(at('5 d'), 5));
base('begins an instant after', { period_end => at('5 d'), started_at => at('1 us') });
base('ended at as-of, by the instant', { period_end => at('5 d'), status => 'ended', ended_at => at() });
base('ended an instant after: live then, and its status of now is not told', { period_end => at('5 d'), status => 'ended', ended_at => at('1 us') }, { 'Days To End' => 5, Status => undef });
base('past due', { period_end => at('5 d'), status => 'past_due', channel => 'sales' }, { Status => 'past_due', Channel => 'sales' });
base('cancelled is listed', { period_end => at('5 d'), cancel_at_period_end => $true }, { Status => 'active' });
base('two live bases are two rows', { period_end => at('5 d') }, [{ 'Days To End' => 5, Plan => 'pro' }, { 'Days To End' => 7, Plan => 'enterprise' }],
    subscriptions => [{ plan => 'enterprise', period_end => at('7 d') }]);
base('across the night the clocks change, days stay whole', { period_end => at('2026-05-01') }, ends(at('2026-05-01'), 31));

# ---- seats ----
base('seats and who uses them', { period_end => at('5 d'), seats => 12 }, { Seats => 12, Used => 3 }, users => [{}, {}, { deleted_at => at('-1 d') }],
    licenses => [{}, { user_id => 2 }, { user_id => 3 }]);
base('I3 the invited use one, the lapsed none', { period_end => at('5 d'), seats => 1 }, { Seats => 1, Used => 1 }, organizations => [{}],
    invitations => [{ organization_id => 1, sent_at => at('-2 d') }, { organization_id => 1, email => 'b@x.example', sent_at => at('-720 h') }]);
base('nobody', { period_end => at('5 d'), seats => -1 }, { Seats => -1, Used => 0 });

# ---- open invoices ----
sub invoice {
    my ($name, $number, @lines) = @_;
    base("invoice: $name", { period_end => at('5 d') }, { 'Open Invoice' => $number }, billing_lines => [map { { period_start => at('-25 d'), period_end => at('5 d'), amount => 100, %$_ } } @lines]);
}
invoice('none', undef);
invoice('paid', undef, { paid_at => at('-20 d') });
invoice('paid at as-of', undef, { paid_at => at() });
invoice('paid an instant after', 'INV-1', { paid_at => at('1 us') });
invoice('paid, nobody says when', undef, {});
invoice('open', 'INV-1', { status => 'open' });
invoice('void', undef, { status => 'void' });
invoice('the oldest of several', 'INV-3', { invoice_number => 'INV-1', status => 'open' }, { invoice_number => 'INV-3', status => 'open', period_start => at('-55 d') },
    { invoice_number => 'INV-2', period_start => at('-85 d'), paid_at => at('-80 d') });
invoice('two of one period: the lower number, byte by byte', 'INV-10', { invoice_number => 'INV-9', status => 'open' }, { invoice_number => 'INV-10', status => 'open' });
invoice('for a period that begins at as-of', 'INV-1', { status => 'open', period_start => at() });
invoice('for one that begins an instant after', undef, { status => 'open', period_start => at('1 us') });
invoice('for a period nobody knows', 'INV-1', { status => 'open', period_start => undef });
invoice('a known period before an unknown one', 'INV-8', { invoice_number => 'INV-1', status => 'open', period_start => undef }, { invoice_number => 'INV-8', status => 'open' });

my $db = Lapse::database();
my $f = Fixture->new($db);
$_->[3] = $f->case($_->[0], $_->[1]) for @cases;
$f->load;
$db->sql("INSERT INTO lapse.holds (account_id, reason, held_at) VALUES ($cases[0][3], 'a talk is under way', '2026-01-01')");

sub report {
    my ($db, $as_of, @options) = @_;
    our $runs;
    my $out = $db->dir . '/out' . ++$runs;
    my $r = $db->lapse_env({ TZ => 'America/New_York', PGTZ => 'America/New_York' }, 'run', 'renewals-report', '--as-of', $as_of, '--out', $out, @options);
    is $r->{status}, 0, "the run ends well (as of $as_of @options)" or diag $r->{stderr};
    my $set = "$out/" . substr $as_of, 0, 10;
    return (Fixture::report("$set/renewals-report.csv"), $set);
}

my ($rows, $set) = report($db, $Fixture::as_of);
for my $case (@cases) {
    my ($name, undef, $want, $account) = @$case;
    my @got = @{ $rows->{$account} || [] };
    for my $i (0 .. $#got) { $got[$i] = { map { $_ => $got[$i]{$_} } keys %{ $want->[$i] } } if $want->[$i] }
    is_deeply \@got, $want, $name;
}
is scalar @{ $rows->{ $cases[0][3] } }, 1, 'a held account is listed like others';
{
    my (undef, @lines) = Lapse::csv("$set/renewals-report.csv");
    is_deeply [map { $_->[0] } @lines], [sort { $a <=> $b } map { $_->[0] } @lines], 'accounts sort as numbers';
}

# ---- ahead, and the bands ----
my $total = map { @$_ } values %$rows;
my %band = Workbook::summary("$set/renewals-report.xlsx");
my %listed = (90 => $total);
for my $ahead (30, 60) {
    my ($some) = report($db, $Fixture::as_of, '--ahead', $ahead);
    $listed{$ahead} = map { @$_ } values %$some;
    my %at = map { $_->[0] => exists $some->{ $_->[3] } } @cases;
    my $hours = $ahead * 24;
    ok $at{"ends $ahead days ahead"}, "--ahead $ahead lists what ends $hours hours ahead";
    ok !$at{"a second after $ahead days"}, "--ahead $ahead does not list a second more";
    ok $at{'overdue for long, nobody ended it'}, "--ahead $ahead lists what is overdue";
}
SKIP: {
    skip 'unzip is not installed', 1 if !grep { -x "$_/unzip" } split /:/, $ENV{PATH};
    is $band{overdue}, scalar(grep { ($_->{'Days To End'} // -1) < 0 || $_->{'Period End'} eq shown(at()) } map { @$_ } values %$rows), 'overdue is what ended at as-of or before';
    is $band{overdue} + $band{'within 30 days'}, $listed{30}, 'the band "within 30 days" is what --ahead 30 adds to what is overdue';
    is $listed{30} + $band{'31 to 60 days'}, $listed{60}, '... "31 to 60 days" what --ahead 60 adds';
    is $listed{60} + $band{'61 to 90 days'}, $total, '... "61 to 90 days" the rest';
    cmp_ok $band{'61 to 90 days'}, '>', 0, '... of which there is some';
}
{
    my $r = $db->lapse('run', 'renewals-report', '--ahead', '45', '--out', $db->dir . '/bad');
    is $r->{status}, 64, '--ahead 45 is a usage error' or diag $r->{stderr};
    $r = $db->lapse('--set', 'job.renewals-report.ahead=30', 'run', 'renewals-report', '--as-of', $Fixture::as_of, '--out', $db->dir . '/set');
    is $r->{status}, 0, 'it is a setting too' or diag $r->{stderr};
    my $some = Fixture::report($db->dir . "/set/$Fixture::as_of/renewals-report.csv");
    is scalar(map { @$_ } values %$some), $listed{30}, '... that does the same';
}

# ---- as of an instant within the day ----
{
    my ($late) = report($db, '2026-03-31T23:59:59Z');
    my %days = map { $_->[0] => ($late->{ $_->[3] } || [{}])->[0]{'Days To End'} } @cases;
    is $days{'ends 30 days ahead'}, 30, 'whole UTC days, as of the day\'s last second as of its first';
    is $days{'a second later: not listed'}, 90, '... and 90 days ahead is a day further on';
    my ($past, $then) = report($db, '2026-03-10');
    is $past->{ $cases[8][3] }[0]{'Days To End'}, 21, 'a past as-of counts from there';
    ok !$past->{ $cases[0][3] }, '... and does not look further ahead';
}

# ---- what is at stake ----
SKIP: {
    skip 'unzip is not installed', 1 if !grep { -x "$_/unzip" } split /:/, $ENV{PATH};
    my $db = Lapse::database();
    my $f = Fixture->new($db);
    my $line = sub { return { invoice_number => $_[0], period_start => at('-25 d'), period_end => at('5 d'), @_[1 .. $#_] } };
    my $worth = sub { my ($name, $base, @lines) = @_; $f->case($name, { subscriptions => [{ plan => 'pro', period_end => at('5 d'), seats => 10, %$base }], @lines ? (billing_lines => \@lines) : () }) };
    my %euro = (currency => 'EUR');
    $worth->('seats x price', { %euro, unit_amount => 123_450 });                                         # 12,345.00
    $worth->('one more in the same band', { %euro, unit_amount => 5, seats => 1 });                       # 0.05
    $worth->('overdue', { %euro, unit_amount => 100, period_end => at() });                               # 10.00
    $worth->('31 to 60', { currency => 'JPY', unit_amount => 1500, period_end => at('720 h', '1 s') });   # 15,000
    $worth->('61 to 90', { currency => 'KWD', unit_amount => 1_234_567, seats => 3, period_end => at('2160 h') }); # 3,703.701
    $worth->('beyond 90', { %euro, unit_amount => 999, period_end => at('2160 h', '1 s') });
    $worth->('cancelled is not at stake', { %euro, unit_amount => 77_777, cancel_at_period_end => $true });
    $worth->('cancelled, price unknown', { cancel_at_period_end => $true });
    $worth->('no price', {});
    $worth->('a price without a currency', { unit_amount => 100 });
    $worth->('unlimited seats: nobody knows the price', { %euro, seats => -1, unit_amount => 100 });
    $worth->('no seats known', { %euro, seats => undef, unit_amount => 100 });
    $worth->('what was billed', {}, $line->('A', amount => 4_000, currency => 'USD'), $line->('B', amount => 250, currency => 'USD')); # 42.50
    $worth->('the newest period billed', { seats => -1 }, $line->('A', amount => 700, currency => 'USD'), $line->('B', amount => 9_999, currency => 'USD', period_start => at('-55 d')));
    $worth->('void is not billed', {}, $line->('A', amount => 31, currency => 'CHF', status => 'void', period_start => at('-1 d')), $line->('B', amount => 1_000, currency => 'CHF'));
    $worth->('what is billed for a period after as-of is not', {}, $line->('A', amount => 31, currency => 'GBP', period_start => at('1 us')), $line->('B', amount => 2_000, currency => 'GBP', period_start => at()));
    $worth->('the seats\' price speaks, not the bill', { currency => 'SEK', unit_amount => 50 }, $line->('A', amount => 99_999, currency => 'SEK'));   # 5.00
    $worth->('billed in two currencies: unknown', {}, $line->('A', amount => 1, currency => 'NOK'), $line->('B', amount => 1, currency => 'DKK'));
    $worth->('billed without an amount: unknown', {}, $line->('A', amount => undef, currency => 'NOK'), $line->('B', amount => 1, currency => 'NOK'));
    $worth->('billed without a currency: unknown', {}, $line->('A', amount => 1, currency => undef));
    $worth->('billed for another plan: unknown', {}, $line->('A', amount => 1, currency => 'NOK', plan => 'enterprise'));
    $worth->('billed for no plan in particular', {}, $line->('A', amount => 1_00, currency => 'PLN', plan => undef));
    $worth->('free seats are worth nothing', { currency => 'CZK', unit_amount => 0 });
    $worth->('more than a whole number holds', { currency => 'KRW', unit_amount => 4_000_000_000_000_000, seats => 2_000_000 });
    $f->load;
    my (undef, $set) = report($db, $Fixture::as_of);
    my %figure = Workbook::summary("$set/renewals-report.xlsx");
    my %stake = map { $_ => $figure{$_} } grep { /^At stake/ } keys %figure;
    is_deeply \%stake, {
        'At stake, overdue, EUR' => '10',
        'At stake, within 30 days, EUR' => '12345.05',
        'At stake, 31 to 60 days, JPY' => '15000',
        'At stake, 61 to 90 days, KWD' => '3703.701',
        'At stake, within 30 days, USD' => '49.5',
        'At stake, within 30 days, CHF' => '10',
        'At stake, within 30 days, GBP' => '20',
        'At stake, within 30 days, SEK' => '5',
        'At stake, within 30 days, PLN' => '1',
        'At stake, within 30 days, CZK' => '0',
        'At stake, within 30 days, KRW' => '8000000000000000000000',
    }, 'by band and currency, in major units: seats x price, else what was billed last';
    is $figure{'Without a known price'}, 8, 'those without a known price are counted apart';
    is $figure{'Cancelled, not at stake'}, 2, 'so are the cancelled';
    my $sheet = Lapse::command({}, 'unzip', '-p', "$set/renewals-report.xlsx", 'xl/worksheets/sheet1.xml')->{stdout};
    my @order = $sheet =~ /At stake, ([^<]*)/g;
    is_deeply \@order, ['overdue, EUR', (map { "within 30 days, $_" } qw(CHF CZK EUR GBP KRW PLN SEK USD)), '31 to 60 days, JPY', '61 to 90 days, KWD'], 'the bands stand in the order of time, currencies by their code';
    my $again = (report($db, $Fixture::as_of))[1];
    ok Lapse::slurp("$set/renewals-report.xlsx") eq Lapse::slurp("$again/renewals-report.xlsx"), 'a rerun gives the same workbook';
}
done_testing;
