# Rules B1 to B4: what the provider's lines prove, and where they differ from the subscriptions.
use strict;
use warnings;
use IO::Handle;
use POSIX ();
use Test::More;
use Lapse;
use Fixture;
use Workbook;

my $job = 'reconcile-billing';
my $db = Lapse::database();
my $f = Fixture->new($db);
my ($start, $end) = (at('2026-03-15'), at('2026-04-15'));

sub base { return { plan => 'pro', seats => 10, unit_amount => 1500, currency => 'EUR', period_months => 1, period_end => $end, external_ref => 'sub', @_ } }
sub paid { return { period_start => $start, period_end => $end, amount => 15000, external_ref => 'sub', @_ } }
# One account: base and line differ from the usual as said; what is found, each with what it must show.
sub compared {
    my ($name, $base, $lines, @found) = @_;
    my $n = 0;
    $f->case($name, { ref $base eq 'ARRAY' ? (subscriptions => $base) : (subscriptions => [base(%$base)]),
            billing_lines => [map { paid(invoice_number => 'INV-' . ++$n, %$_) } @$lines] },
        {}, report => { $job => [map { { Finding => $_->[0], @$_[1 .. $#$_] } } @found] });
}
my $here = [{ plan => 'essentials', seats => -1, channel => 'none', period_months => undef }];

# ---- B1, B2: each finding ----
compared('B2 both agree', {}, [{}]);
compared('B2 only here', {}, [], ['only_here', Field => 'subscription', Here => 'pro, 10 seats', There => undef, Amount => '150.00', Currency => 'EUR', Invoice => undef,
    'Period Start' => shown($start), 'Period End' => shown($end)]);
compared('B2 only here: a line of an earlier period does not count', {}, [{ period_start => at('2026-02-15'), period_end => at('2026-03-15') }], ['only_here']);
compared('B2 only here: a void line means nothing', {}, [{ status => 'void' }], ['only_here']);
compared('B2 only here: a credit proves nothing', {}, [{ amount => -15000 }], ['only_here']);
compared('B2 only here: without a known price there is no amount', { unit_amount => undef }, [], ['only_here', Amount => undef]);
compared('B2 only here: without an end', { period_end => undef }, [], ['only_here', 'Period End' => undef]);
compared('B2 only here: an endless one', { period_end => 'infinity' }, [], ['only_here', 'Period End' => 'infinity']);
compared('B2 a base whose period is over needs no line', { period_end => at() }, []);
compared('B2 ... an instant before it does', { period_end => at('1 us') }, [], ['only_here']);
compared('B2 Essentials needs no line', $here, []);
compared('B2 only there', $here, [{ seats => 5 }], ['only_there', Field => 'invoice', Here => undef, There => 'pro, 5 seats, paid', Amount => '150.00', Currency => 'EUR', Invoice => 'INV-1']);
compared('B2 only there, open', $here, [{ status => 'open' }], ['only_there', There => 'pro, 10 seats, open']);
compared('B2 a void line of somebody on Essentials means nothing', $here, [{ status => 'void' }]);
compared('B2 plan', { plan => 'enterprise' }, [{}], ['plan', Field => 'plan', Here => 'enterprise', There => 'pro', Amount => '150.00']);
compared('B2 seats, more: the amount follows and is no finding of its own', {}, [{ seats => 12, amount => 18000 }], ['seats', Here => '10', There => '12', Amount => '30.00']);
compared('B2 seats, fewer', {}, [{ seats => 8, amount => 12000 }], ['seats', Here => '10', There => '8', Amount => '-30.00']);
compared('B2 unlimited seats are not compared, nor is their price', { seats => -1 }, [{ seats => 400, amount => 1 }]);
compared('B2 a line that says no seats', {}, [{ seats => undef }]);
compared('B2 period, later', {}, [{ period_end => at('2026-04-16') }], ['period', Field => 'period_end', Here => '2026-04-15T00:00:00Z', There => '2026-04-16T00:00:00Z', Amount => '150.00']);
compared('B2 period, earlier', {}, [{ period_end => at('2026-04-14') }], ['period']);
compared('B2 billed ahead: a later line ends where it ends here', { period_end => at('2026-05-15') }, [{}, { period_start => $end, period_end => at('2026-05-15') }]);
compared('B2 ... not an earlier one', { period_end => $start }, [{}, { period_start => at('2026-02-15'), period_end => $start }], ['period']);
compared('B2 where there is no end here the period is not compared', { period_end => undef }, [{}]);
compared('B2 where it is endless here neither', { period_end => 'infinity' }, [{}]);
compared('B2 currency: amounts of two are not compared', {}, [{ currency => 'USD', amount => 1 }], ['currency', Here => 'EUR', There => 'USD', Amount => '0.01', Currency => 'USD']);
compared('B2 amount, one less', {}, [{ amount => 14999 }], ['amount', Here => '150.00', There => '149.99', Amount => '-0.01']);
compared('B2 amount in yen', { currency => 'JPY' }, [{ currency => 'JPY', amount => 15001 }], ['amount', Here => '15000', There => '15001', Amount => '1', Currency => 'JPY']);
compared('B2 amount in dinars', { currency => 'KWD' }, [{ currency => 'KWD', amount => 15001 }], ['amount', Here => '15.000', There => '15.001', Amount => '0.001', Currency => 'KWD']);
compared('B2 without a known price no amount is compared', { unit_amount => undef }, [{ amount => 1 }]);
compared('B2 every field that differs is a row', {}, [{ seats => 11, period_end => at('2026-04-16'), currency => 'USD' }], ['seats'], ['period'], ['currency']);
compared('B2 unpaid but active', {}, [{ status => 'open' }], ['unpaid_but_active', Field => 'status', Here => 'active', There => 'open', Amount => '150.00']);
compared('B2 unpaid and past due: both agree', { status => 'past_due' }, [{ status => 'open' }]);
sub ended { return [base(status => 'ended', ended_at => $_[0], end_reason => 'expired_without_renewal'), { %{ $here->[0] }, started_at => $_[0] }] }
compared('B2 paid but lapsed', ended(at('-2 d')), [{}], ['paid_but_lapsed', Field => 'status', Here => 'ended ' . shown(at('-2 d')), There => 'paid', Amount => '150.00']);
compared('B2 paid but lapsed, and the paid period is over by now', ended(at('-20 d')), [{ period_start => at('-40 d'), period_end => at('-10 d') }], ['paid_but_lapsed']);
compared('B2 what was paid for ended when it should', ended(at('-10 d')), [{ period_start => at('-40 d'), period_end => at('-10 d') }]);
compared('B2 open, and lapsed here: only there', ended(at('-2 d')), [{ status => 'open' }], ['only_there']);
compared('B2 ended by an upgrade: another paid base lives', [base(plan => 'enterprise', unit_amount => 1500), base(status => 'ended', started_at => at('-300 d'), ended_at => at('2026-03-20'))],
    [{ plan => 'enterprise' }, {}]);
compared('B2 a line covers the as-of from its first instant', {}, [{ period_start => at() }]);
compared('B2 ... not before', {}, [{ period_start => at('1 us') }], ['only_here']);
compared('B2 ... and up to before its last', { period_end => at('1 d') }, [{ period_end => at() }], ['only_here']);
compared('B2 lines of one plan and period add up', {}, [{ seats => 4, amount => 6000 }, { seats => 6, amount => 9000 }]);
compared('B2 billed twice', {}, [{}, {}], ['seats', There => '20', Amount => '150.00', Invoice => 'INV-1; INV-2']);
compared('B2 the base is compared, not the trial over it', [base(), { kind => 'trial', plan => 'trial', status => 'trialing', seats => 50, started_at => at('-3 d') }], [{}]);
compared('B2 only the trial, over Essentials', [$here->[0], { kind => 'trial', plan => 'trial', status => 'trialing', seats => 50, started_at => at('-3 d') }], []);
$f->load;
$db->sql("INSERT INTO lapse.billing_unmatched VALUES ('U-1', 1, 'cus_x', 0, 'pro', 1, '2026-03-01', '2026-04-01', 1500, 'EUR', 'paid', NULL, 'x'), ('U-2', 1, 'cus_x', 0, 'pro', 1, '2026-03-01', '2026-04-01', 1500, 'EUR', 'void', NULL, 'x'),
    ('U-3', 1, 'cus_x', 0, 'pro', 1, '2026-04-01', '2026-05-01', 1500, 'EUR', 'paid', NULL, 'x')");
my $out = $db->dir . '/out';
my $r = $db->lapse('run', $job, '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $out);
is $r->{status}, 0, 'the run ends well' or diag $r->{stderr};
$f->check("$out/$Fixture::as_of", $job);

# ---- the Summary's money ----
{
    my $set = $db->dir . '/money';
    is $db->lapse('run', $job, '--as-of', $Fixture::as_of, '--out', $set)->{status}, 0, 'a run with its workbook';
    my (undef, @rows) = Lapse::csv("$set/latest/$job.csv");
    my %sum;
    for my $row (@rows) {
        my ($finding, $amount, $currency) = @$row[3, 7, 8];
        $sum{"Amount, $finding, $currency"} += $amount if length($amount // '') && length($currency // '');
    }
    my %figure = Workbook::summary("$set/latest/$job.xlsx");
    is_deeply { map { $_ => sprintf '%.3f', $figure{$_} } grep { /^Amount, / } keys %figure }, { map { $_ => sprintf '%.3f', $sum{$_} } keys %sum },
        'each finding is added up per currency, in major units';
    cmp_ok scalar(grep { /, (?:JPY|KWD)$/ } keys %sum), '>', 0, '... those without two decimals too';
}
{
    my ($header, @rows) = Lapse::csv("$out/$Fixture::as_of/$job.csv");
    is_deeply [map { [@$_[0 .. 6]] } grep { !defined $_->[0] } @rows], [[undef, undef, 'U-1', 'only_there', 'customer_ref', undef, 'cus_x']],
        'B1 a line of an unknown customer has no account; a void one and one to come are not listed';
    is $db->one('SELECT count(*) FROM lapse.changes'), 0, 'B3 nothing is changed by the comparison';
}

# ---- B3: renewals ----
$db = Lapse::database();
$f = Fixture->new($db);
my $next = at('2026-05-15');
sub renewed { # the base's end, then the ends it moves to
    my ($from, @to) = @_;
    return { subscriptions => { 1 => [map { my $at = $from; $from = $_; { period_end => $_, status => 'active', -reason => 'renewed', -at => $at, -job => $job } } @to] } };
}
sub renewal { my ($name, $base, $lines, $expected) = @_; my $n = 0; $f->case("B3 $name", { subscriptions => [ref $base eq 'ARRAY' ? @$base : base(%$base)], billing_lines => [map { paid(invoice_number => 'INV-' . ++$n, %$_) } @$lines] }, $expected) }
my @follows = (period_start => $end, period_end => $next);
renewal('a paid line goes on where the period ends', {}, [{ @follows }], renewed($end, $next));
renewal('the period is over already', { period_end => at('-1 s') }, [{ period_start => at('-1 s'), period_end => $next }], renewed(at('-1 s'), $next));
renewal('it begins earlier', {}, [{ period_start => $start, period_end => $next }], renewed($end, $next));
renewal('a gap of an instant', {}, [{ period_start => at($end, '1 us'), period_end => $next }], {});
renewal('it ends an instant later', {}, [{ period_start => $start, period_end => at($end, '1 us') }], renewed($end, at($end, '1 us')));
renewal('it ends at the same instant', {}, [{}], {});
renewal('open', {}, [{ @follows, status => 'open' }], {});
renewal('void', {}, [{ @follows, status => 'void' }], {});
renewal('a credit', {}, [{ @follows, amount => -1 }], {});
renewal('a line of nothing', {}, [{ @follows, amount => 0 }], {});
renewal('a line of nothing, and nothing is the price', { unit_amount => 0 }, [{ @follows, amount => 0 }], renewed($end, $next));
renewal('a line without an amount', {}, [{ @follows, amount => undef }], renewed($end, $next));
renewal('paid, and credited in full', {}, [{ @follows }, { @follows, amount => -15000 }], {});
renewal('paid, and credited in full by a credit that names no plan', {}, [{ @follows }, { @follows, plan => undef, amount => -15000 }], {});
renewal('a line of no plan proves nothing', {}, [{ @follows, plan => undef }], {});
renewal('paid, and credited in part', {}, [{ @follows }, { @follows, amount => -14999 }], renewed($end, $next));
renewal('paid, and a credit for the period before', {}, [{ @follows }, { amount => -15000 }], renewed($end, $next));
renewal('paid, and a credit to come', {}, [{ @follows }, { @follows, amount => -15000, paid_at => at('1 us') }], renewed($end, $next));
renewal('credited in full, and paid for a longer one', {}, [{ @follows }, { @follows, amount => -15000 }, { @follows, period_end => at('2026-06-15') }], renewed($end, at('2026-06-15')));
renewal('in another currency: reported, and renewed all the same', {}, [{ @follows, currency => 'USD' }], renewed($end, $next));
renewal('paid at the as-of', {}, [{ @follows, paid_at => at() }], renewed($end, $next));
renewal('paid an instant after', {}, [{ @follows, paid_at => at('1 us') }], {});
renewal('another plan', {}, [{ @follows, plan => 'enterprise' }], {});
renewal('past due: active again', { status => 'past_due' }, [{ @follows }], renewed($end, $next));
renewal('past due, and nothing to move', { status => 'past_due' }, [{}], {});
renewal('cancelled at the end of the period: left to a person', { cancel_at_period_end => JSON::PP::true }, [{ @follows }], {});
renewal('several periods in a row', {}, [{ @follows }, { period_start => $next, period_end => at('2026-06-15') }], renewed($end, $next, at('2026-06-15')));
renewal('several, with a gap', {}, [{ @follows }, { period_start => at('2026-05-16'), period_end => at('2026-06-15') }], renewed($end, $next));
renewal('without an end', { period_end => undef }, [{ @follows }], {});
renewal('endless', { period_end => 'infinity' }, [{ @follows }], {});
renewal('Essentials', { plan => 'essentials' }, [{ @follows, plan => 'essentials' }], {});
renewal('ended already', [base(status => 'ended', ended_at => at('-1 d')), { %{ $here->[0] }, started_at => at('-1 d') }], [{ @follows }], {});
renewal('the account\'s reference, one live base', { external_ref => undef }, [{ @follows, external_ref => 'cus' }], renewed($end, $next));
renewal('the reference of another subscription', [base(), base(external_ref => 'old', status => 'ended', ended_at => at('-90 d'))], [{ @follows, external_ref => 'old' }], {});
my $two = $f->case('B3 two live bases: set aside', { subscriptions => [base(), base(subscription_id => 990001)], billing_lines => [paid(@follows)] });
$f->case('B3 two live bases, nothing to renew: nobody minds', { subscriptions => [base(), base(subscription_id => 990002)], billing_lines => [paid()] });
my $held = $f->case('B3 held: left alone', { subscriptions => [base()], billing_lines => [paid(@follows)] });
$f->load;
$db->sql("INSERT INTO lapse.holds (account_id, reason, held_at) VALUES ($held, 'x', '2026-01-01')");
my @run = ('run', $job, '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $out = $db->dir . '/out');
is $db->lapse(@run)->{status}, 0, 'without apply_renewals';
is $db->one('SELECT count(*) FROM lapse.changes'), 0, '... nothing is renewed';
$r = $db->lapse(@run, '--apply-renewals', '--dry-run', '--json');
my $dry = () = $r->{stdout} =~ /"entity":/g;
is $db->one('SELECT count(*) FROM lapse.changes'), 0, 'a dry run renews nothing';
$r = $db->lapse(@run, '--apply-renewals');
is $r->{status}, 83, 'the account with two live bases is set aside' or diag $r->{stderr};
like $r->{stderr}, qr/account $two was set aside: 2 live base subscriptions/, '... and named';
$f->check("$out/$Fixture::as_of");
is $db->one('SELECT count(*) FROM lapse.changes'), $dry, 'as many renewals as the dry run listed';
is $db->lapse(@run, '--apply-renewals')->{status}, 83, 'again';
is $db->one('SELECT count(*) FROM lapse.changes'), $dry, '... renews nothing more';

# ---- B1, B4: a file, from the start to the report ----
$db = Lapse::database();
$db->sql("INSERT INTO saas.accounts (account_id, name, created_at, external_ref) SELECT n, 'a' || n, '2020-01-01', 'cus_' || n FROM generate_series(1, 12) n");
$db->sql("INSERT INTO saas.subscriptions (account_id, subscription_id, kind, plan, channel, status, seats, unit_amount, currency, period_months, started_at, period_end, external_ref)
    SELECT n, n, 'base', CASE n WHEN 11 THEN 'essentials' ELSE 'pro' END, 'sales', 'active', 10, 1500, 'EUR', 1, '2024-01-01', '2026-04-15', 'sub_' || n FROM generate_series(1, 12) n");
$db->sql("UPDATE saas.subscriptions SET status = 'ended', ended_at = '2026-03-20' WHERE account_id = 9");
sub file { my ($name, @lines) = @_; my $n = 0;
    Lapse::spew($db->dir . "/$name", "invoice_number,line_number,customer_ref,plan,seats,period_start,period_end,amount,currency,status,paid_at\n" . join '', map { my %l = (
        invoice => 'INV-' . $_->{ref}, ref => 'x', plan => 'pro', seats => 10, start => '2026-03-15T00:00:00Z', end => '2026-04-15T00:00:00Z', amount => '150.00', currency => 'EUR', status => 'paid', %$_);
        join(',', @l{qw(invoice)}, 1, @l{qw(ref plan seats start end amount currency status)}, '') . "\n" } @lines);
    return $db->dir . "/$name" }
my $one_of_each = file('each.csv', { ref => 'sub_1' }, { ref => 'cus_2', plan => 'enterprise' }, { ref => 'sub_3', seats => 11, amount => '165.00' }, { ref => 'sub_4', end => '2026-04-14T00:00:00Z' },
    { ref => 'sub_5', currency => 'USD' }, { ref => 'sub_6', amount => '151.00' }, { ref => 'sub_7', status => 'open' }, { ref => 'sub_9' }, { ref => 'sub_10', status => 'void' }, { ref => 'sub_11' }, { ref => 'nobody' }, { ref => 'sub_12' });
@run = ('run', $job, '--as-of', $Fixture::as_of, '--format', 'csv,xlsx', '--out', $out = $db->dir . '/out', '--input', $one_of_each);
my $before = $db->one('SELECT count(*) FROM saas.billing_lines');
is $db->lapse(@run, '--dry-run', '--out', $db->dir . '/dry')->{status}, 64, '--out twice is none';
$r = $db->lapse(@run[0 .. 5], '--input', $one_of_each, '--dry-run', '--out', $db->dir . '/dry');
is $r->{status}, 0, 'B4 a dry run takes the file in' or diag $r->{stderr};
is $db->one('SELECT (SELECT count(*) FROM saas.billing_lines) + (SELECT count(*) FROM lapse.billing_files)'), 0, '... and keeps nothing';
$r = $db->lapse(@run);
is $r->{status}, 0, 'B4 a file is imported' or diag $r->{stderr};
my ($header, @rows) = Lapse::csv("$out/latest/$job.csv");
is_deeply [map { join ' ', $_->[0] // '-', $_->[3] } @rows], ['2 plan', '3 seats', '4 period', '5 currency', '6 amount', '7 unpaid_but_active', '8 only_here', '9 paid_but_lapsed', '10 only_here', '11 only_there', '- only_there'],
    'B2 a file with one of each finding gives exactly these';
is Lapse::slurp("$out/latest/$job.csv"), Lapse::slurp($db->dir . "/dry/latest/$job.csv"), 'the dry run made the same report';
is $db->one('SELECT count(*) FROM saas.billing_lines WHERE source_sha256 = (SELECT sha256 FROM lapse.billing_files)'), 11, 'B4 each line knows its file';
my $later = file('later.csv', { ref => 'sub_7' });
$r = $db->lapse('run', $job, '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $out, '--input', $later);
is $db->one("SELECT status FROM saas.billing_lines WHERE account_id = 7"), 'paid', 'B4 the same line in a later file wins';
like $r->{stderr}, qr/1 line, 1 changed/, '... and the run says so';
is $db->one("SELECT count(*) FROM saas.billing_lines WHERE account_id = 7"), 1, '... in place of the earlier';
$r = $db->lapse('run', $job, '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $out, '--input', $one_of_each);
is $r->{status}, 65, 'B4 a second import is refused';
$db->sql("UPDATE saas.accounts SET external_ref = 'nobody' WHERE account_id = 12");
$r = $db->lapse('run', $job, '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $out, '--input', $one_of_each, '--force');
is $r->{status}, 0, '... unless forced' or diag $r->{stderr};
is $db->one('SELECT count(*) FROM lapse.billing_unmatched'), 0, 'B1 a customer known by now leaves the unknown ones';
is $db->one('SELECT lines - loaded - unmatched - repeated - bad FROM lapse.billing_files ORDER BY 1 LIMIT 1'), 0, 'every line is accounted for';

# ---- lines that somebody else writes meanwhile ----
{
    my $db = Lapse::database();
    $db->sql("INSERT INTO saas.accounts (account_id, name, created_at, external_ref) VALUES (1, 'One', '2024-01-01', 'cus_1')");
    my $file = file('meanwhile.csv', map { { ref => 'cus_1', invoice => "M-$_" } } 1 .. 3);
    # Somebody's transaction, open until the import waits for it.
    my $until = sub {
        my ($what) = @_;
        for (1 .. 300) {
            return if $db->one("SELECT count(*) FROM pg_stat_activity WHERE datname = '" . $db->name . "' AND $what");
            select undef, undef, undef, 0.1;
        }
    };
    my $pid = fork // die;
    if (!$pid) {
        $ENV{PGDATABASE} = $db->name;
        open my $psql, '|-', 'psql', '-Xq' or POSIX::_exit(1);
        $psql->autoflush(1);
        print $psql "BEGIN; INSERT INTO saas.billing_lines (account_id, invoice_number, line_number, status) VALUES (1, 'M-2', 1, 'open');\n";
        $until->("wait_event_type = 'Lock'");
        print $psql "COMMIT;\n";
        close $psql;
        POSIX::_exit(0);
    }
    $until->("state = 'idle in transaction'");
    my $r = $db->lapse('run', $job, '--as-of', $Fixture::as_of, '--format', 'csv', '--out', $db->dir . '/out', '--input', $file);
    waitpid $pid, 0;
    is $r->{status}, 0, 'a line that somebody else writes meanwhile: the file is tried again' or diag $r->{stderr};
    like $r->{stderr}, qr/3 lines, 2 new, 1 changed/, '... and the later word is the file\'s' or diag $r->{stderr};
    is $db->one("SELECT string_agg(status || amount, ' ') FROM saas.billing_lines"), 'paid15000 paid15000 paid15000', '... in the table too';
}

# ---- conf/lapse-stripe.ini on a file of that shape ----
{
    my $db = Lapse::database();
    $db->sql("INSERT INTO saas.accounts (account_id, name, created_at) VALUES (1, 'One', '2024-01-01')");
    $db->sql("INSERT INTO saas.subscriptions (account_id, kind, plan, channel, status, seats, unit_amount, currency, period_months, started_at, period_end, external_ref)
        VALUES (1, 'base', 'pro', 'self_serve', 'active', 25, 1500, 'EUR', 1, '2024-01-01', '2026-04-01', 'sub_1OxQ2e')");
    my ($heading, $line) = Lapse::slurp("$Lapse::top/conf/lapse-stripe.ini") =~ /^#   (invoice_number,.*)\n#   (.*)$/m;
    Lapse::spew($db->dir . '/stripe-03.csv', join "\n", $heading, $line, $line =~ s/price_1OwZ9k,25/price_1OwZsetup,1/r =~ s/37500/9900/r,
        '8F2C1A7B-0008,sub_1OxQ2e,price_1OwZ9k,25,2026-02-01 00:00:00.000,2026-03-01 00:00:00.000,37500,eur,uncollectible,', '');
    my $settings = Lapse::slurp("$Lapse::top/conf/lapse-stripe.ini") =~ s/^input = .*/"input = \"" . $db->dir . "\/stripe-*.csv\""/mer;
    Lapse::spew($db->dir . '/stripe.ini', $settings);
    chmod 0600, $db->dir . '/stripe.ini';
    my $r = $db->lapse('-c', $db->dir . '/stripe.ini', 'run', $job, '--as-of', '2026-03-31', '--format', 'csv', '--out', $db->dir . '/out');
    is $r->{status}, 0, 'a file of the shape that conf/lapse-stripe.ini explains' or diag $r->{stderr};
    is_deeply [$db->rows('SELECT line_number, plan, amount, currency, status, period_start FROM saas.billing_lines ORDER BY invoice_number, line_number')],
        [[1, 'pro', 37500, 'EUR', 'paid', '2026-03-01 00:00:00+00'], [2, undef, 9900, 'EUR', 'paid', '2026-03-01 00:00:00+00'], [1, 'pro', 37500, 'EUR', 'void', '2026-02-01 00:00:00+00']], '... is read as it is meant';
    is scalar(() = Lapse::csv($db->dir . "/out/latest/$job.csv")), 1, '... and agrees with the subscription';
}

# ---- killed ----
{
    my @lines = map { { ref => "sub_" . ($_ % 12 + 1), invoice => "K-$_" } } 1 .. 60_000;
    my $file = file('killed.csv', @lines);
    my ($killed, $doubled) = (0, 0);
    for my $wait (0.02, 0.15, 0.4, 0.8) {
        my $pid = fork // die;
        if (!$pid) { $ENV{PGDATABASE} = $db->name; open STDOUT, '>', '/dev/null'; open STDERR, '>', '/dev/null'; exec $Lapse::lapse, 'run', $job, '--format', 'csv', '--out', $out, '--input', $file }
        select undef, undef, undef, $wait;
        $killed += kill 'KILL', $pid;
        waitpid $pid, 0;
        my $n = $db->one("SELECT count(*) FROM saas.billing_lines WHERE invoice_number LIKE 'K-%'");
        $doubled++ if $n != 0 && $n != 60_000;
    }
    is $doubled, 0, "B4 killed $killed times: a file is in whole, or not at all";
    my $r = $db->lapse('run', $job, '--format', 'csv', '--out', $out, '--input', $file);
    like $r->{status}, qr/^(?:0|65)$/, 'run again it ends' or diag $r->{stderr};
    is $db->one("SELECT count(*) || ' ' || count(DISTINCT invoice_number) FROM saas.billing_lines WHERE invoice_number LIKE 'K-%'"), '60000 60000', '... and the file is in once';
    is $db->one("SELECT count(*) FROM lapse.billing_files WHERE name = '$file'"), 1, '... and known';
    # Killed behind the import, the file gone: the run goes on without it.
    $db->sql("UPDATE lapse.runs SET state = 'running' WHERE run_id = (SELECT run_id FROM lapse.billing_files WHERE name = '$file')");
    $db->sql("DELETE FROM lapse.runs WHERE run_id > (SELECT run_id FROM lapse.billing_files WHERE name = '$file')");
    unlink $file;
    $r = $db->lapse('run', $job, '--format', 'csv', '--out', $out);
    is $r->{status}, 0, 'a run that had imported its file goes on without it' or diag $r->{stderr};
    like $r->{stderr}, qr/finishing run/, '... as it was asked for';
}

# ---- killed when it was told to renew: whoever finishes it renews ----
{
    $db->sql("INSERT INTO saas.billing_lines (account_id, invoice_number, line_number, external_ref, plan, seats, period_start, period_end, amount, currency, status)
        VALUES (1, 'R-1', 1, 'sub_1', 'pro', 10, '2026-04-15', '2026-05-15', 15000, 'EUR', 'paid')");
    is $db->lapse('run', $job, '--format', 'csv', '--out', $out, '--apply-renewals')->{status}, 0, 'told to renew';
    my $moved = "SELECT count(*) FROM saas.subscriptions WHERE account_id = 1 AND period_end = '2026-05-15'";
    is $db->one($moved), 1, '... it does';
    $db->sql("UPDATE saas.subscriptions SET period_end = '2026-04-15' WHERE account_id = 1; UPDATE lapse.runs SET state = 'running' WHERE run_id = (SELECT max(run_id) FROM lapse.runs)");
    my $r = $db->lapse('run', $job, '--format', 'csv', '--out', $out);
    is $r->{status}, 0, 'the run that was killed is finished' or diag $r->{stderr};
    is $db->one($moved), 1, '... by its own orders, though this command line has none';
    $db->sql("UPDATE saas.subscriptions SET period_end = '2026-04-15' WHERE account_id = 1");
    is $db->lapse('run', $job, '--format', 'csv', '--out', $out)->{status}, 0, 'a run without orders';
    is $db->one($moved), 0, '... renews nothing';
}
done_testing;
