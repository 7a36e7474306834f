# Rules W1 to W4: domains are verified by their TXT records, and nothing that a name server says or
# does not say ever takes anything back.
use strict;
use warnings;
use Test::More;
use JSON::PP qw(decode_json);
use Time::HiRes qw(time);
use Lapse;
use Fixture;

my $job = 'verify-domains';
my $db = Lapse::database();
my $f = Fixture->new($db);
my @zone = ('$TTL 60');
my $long = at('-400 d');
my @new = (verified_at => undef);

sub found { return { verified_at => at(), last_seen_at => at(), -at => at(), -reason => $_[0] // 'txt_record', -job => $job } }
sub seen { return { last_seen_at => at(), -unaudited => 1 } }

# A domain with what the DNS holds for it: records, or how its name server misbehaves; what becomes of
# it and what the report says. More of them in one account: several such triples.
sub domains {
    my ($name, @list) = @_;
    my $account = $f->{next};
    my (@rows, %becomes, @lines, $n);
    while (my ($row, $dns, $becomes, @outcomes) = @{ shift @list // [] }) {
        my %row = (domain => 'd' . ++$n . ".a$account.example", %$row);
        for (ref $dns ? @$dns : $dns) { push @zone, /^(?:TXT|A|CNAME) / ? "$row{domain}. $_" : ";; $_ $row{domain}" if $_ }
        push @rows, \%row;
        $becomes{$n} = $becomes if $becomes;
        my %now = (verified_at => exists $row{verified_at} ? $row{verified_at} : '2024-01-01T00:00:00+00:00', last_seen_at => $row{last_seen_at}, %{ $becomes || {} });
        push @lines, map { { 'Account ID' => $account, 'Account' => $name, 'Domain' => $row{domain}, 'Method' => $row{method} // 'unique_txt', 'Outcome' => $_,
            'Verified At' => shown($now{verified_at}), 'Last Seen' => shown($now{last_seen_at}) } } @outcomes;
    }
    return $f->case($name, { domains => \@rows }, %becomes ? { domains => \%becomes } : {}, report => { $job => \@lines });
}
sub one { my ($name, @triple) = @_; return domains($name, \@triple) }

# ---- W1: what holds a token ----
my @t = (@new, txt_token => 'lapse-verify=abc123');
one('W1 the token alone: verified', { @t }, 'TXT "lapse-verify=abc123"', found(), 'verified');
one('W1 the token inside a text', { @t }, 'TXT "x lapse-verify=abc123; y"', found(), 'verified');
one('W1 the token between quotes and signs', { @t }, 'TXT "[lapse-verify=abc123]"', found(), 'verified');
one('W1 one of several records holds it', { @t }, ['TXT "v=spf1 -all"', 'TXT "lapse-verify=abc123"', 'TXT "other"'], found(), 'verified');
one('W1 the strings of one record are joined', { @t }, 'TXT "lapse-ver" "ify=abc" "123"', found(), 'verified');
one('W1 two records are not joined', { @t }, ['TXT "lapse-verify="', 'TXT "abc123"'], undef, 'not_found');
one('W1 a letter directly before: another word', { @t }, 'TXT "xlapse-verify=abc123"', undef, 'not_found');
one('W1 a digit directly behind: another word', { @t }, 'TXT "lapse-verify=abc1234"', undef, 'not_found');
one('W1 a letter directly behind', { @t }, 'TXT "lapse-verify=abc123a"', undef, 'not_found');
one('W1 first in a longer word, then alone', { @t }, 'TXT "lapse-verify=abc1234 lapse-verify=abc123"', found(), 'verified');
one('W1 as it is written: another case is another token', { @t }, 'TXT "LAPSE-VERIFY=ABC123"', undef, 'not_found');
one('W1 another token', { @t }, 'TXT "lapse-verify=abc124"', undef, 'not_found');
one('W1 characters of regular expressions stand for themselves', { @new, txt_token => 'a.b*c(d)[e]{2}|^$+?<>' }, 'TXT "a.b*c(d)[e]{2}|^$+?<>"', found(), 'verified');
one('W1 ... a backslash too', { @new, txt_token => 'a\\d\\' }, 'TXT "a\\\\d\\\\"', found(), 'verified');
one("W1 ... the token $_->[0] does not match $_->[1]", { @new, txt_token => $_->[0] }, "TXT \"$_->[1]\"", undef, 'not_found')
    for ['a.c', 'abc'], ['.*', 'anything'], ['.', 'x'], ['x|', 'y'], ['[a-z]+', 'word'], ['***:x', 'x'], ['(?i)x', 'x'], ['a\\d', 'a1'], ['%', 'x'];
one('W1 a token beyond ASCII', { @new, txt_token => "pr\x{c3}\x{bc}fung-\x{f0}\x{9f}\x{8c}\x{b1}" }, 'TXT "pr\\195\\188fung-\\240\\159\\140\\177"', found(), 'verified');
one('W1 a token of blanks inside', { @new, txt_token => 'two words' }, 'TXT "two words"', found(), 'verified');
one("W1 $_->[0] token is held by nothing", { @new, txt_token => $_->[1] }, ['TXT "v=spf1 include:x -all"', 'TXT ""', 'TXT " "'], undef, 'not_found')
    for ['no', undef], ['an empty', ''], ['a blank', ' '], ['a blank (tab)', "\t"];
one('W1 a token longer than any record', { @new, txt_token => 'x' x 70_000 }, 'TXT "xxxx"', undef, 'not_found');
one('W1 a token as long as eight strings, over TCP', { @new, txt_token => 'y' x 2040 }, 'TXT ' . join(' ', ('"' . 'y' x 255 . '"') x 8), found(), 'verified');
one('W1 strings of 255 bytes, the token across two of them', { @t }, 'TXT "' . '-' x 245 . 'lapse-veri" "fy=abc123' . '-' x 240 . '" "' . '-' x 255 . '"', found(), 'verified');
one('W1 among many records (TCP)', { @t }, [map { "TXT \"$_" . 'z' x 200 . '"' } 1 .. 20], undef, 'not_found');
one('W1 among many records (TCP), one holds it', { @t }, [(map { "TXT \"$_" . 'z' x 200 . '"' } 1 .. 20), 'TXT "lapse-verify=abc123"'], found(), 'verified');
one('W1 over UDP nothing but "cut": asked over TCP', { @t }, ['deaf', 'TXT "lapse-verify=abc123"'], found(), 'verified');
one('W1 NUL and bytes that are no UTF-8 around it', { @t }, 'TXT "\\000\\255\\195 lapse-verify=abc123 \\237\\160\\128\\000"', found(), 'verified');
one('W1 NUL directly beside it', { @t }, 'TXT "\\000lapse-verify=abc123\\000"', found(), 'verified');
one('W1 NUL inside it', { @t }, 'TXT "lapse-verify=\\000abc123"', undef, 'not_found');
one('W1 by way of an alias', { @t }, 'CNAME alias.target.example.', found(), 'verified');
push @zone, 'alias.target.example. TXT "lapse-verify=abc123"';
one('W1 an alias that leads nowhere', { @t }, 'CNAME nowhere.target.example.', undef, 'nxdomain');

# ---- W1: names ----
one('W1 a domain in upper case', { @t, domain => 'UPPER.Case.EXAMPLE' }, 'TXT "lapse-verify=abc123"', found(), 'verified');
one('W1 an international name in its ASCII form', { @t, domain => 'xn--mnchen-3ya.example' }, 'TXT "lapse-verify=abc123"', found(), 'verified');
one('W1 a final dot', { @t, domain => 'dot.example.' }, undef, found(), 'verified');
push @zone, 'dot.example. TXT "lapse-verify=abc123"';
one('W1 an underscore', { @t, domain => '_lapse.example' }, 'TXT "lapse-verify=abc123"', found(), 'verified');
my @bad = (['empty', ''], ['a dot', '.'], ['two dots', 'a..example'], ['a first dot', '.example'], ['beyond ASCII', "m\x{c3}\x{bc}nchen.example"], ['a blank', 'a b.example'],
    ['a label of 64', 'l' x 64 . '.example'], ['254 bytes', join('.', ('l' x 49) x 5, 'name') ], ['10,000 bytes', 'n' x 10_000], ['a backslash', 'a\\.example'],
    ['a newline', "a\nb.example"], ['a quote', q(a"b'.example)], ['a word only of signs', '***']);
one("W1 a name that cannot be asked for ($_->[0]): not found", { @t, domain => $_->[1] }, undef, undef, 'not_found') for @bad;
one('W1 a label of 63 and 253 bytes can', { @t, domain => join('.', ('l' x 63) x 3, 'm' x 61) }, 'TXT "lapse-verify=abc123"', found(), 'verified');

# ---- W4: what a server says is told apart ----
one('W4 no TXT record: not found', { @t }, 'A 192.0.2.1', undef, 'not_found');
one('W4 no such name', { @t }, undef, undef, 'nxdomain');
one("W4 $_: servfail", { @t }, $_, undef, 'servfail') for qw(servfail refused notimp);
one('W4 an answer that breaks off: servfail', { @t }, ['mangled', 'TXT "lapse-verify=abc123"'], undef, 'servfail');
one('W4 no answer: timeout', { @t }, ['silent', 'TXT "lapse-verify=abc123"'], undef, 'timeout');

# ---- W3: verified stays verified ----
my @was = (verified_at => $long, last_seen_at => at('-1 d'), txt_token => 'lapse-verify=abc123');
one('W3 still there: last seen now, no change in the audit', { @was }, 'TXT "lapse-verify=abc123"', seen(), 'still_verified');
one('W3 never seen yet', { @was, last_seen_at => undef }, 'TXT "lapse-verify=abc123"', seen(), 'still_verified');
one('W3 seen at the as-of already', { @was, last_seen_at => at() }, 'TXT "lapse-verify=abc123"', undef, 'still_verified');
one('W3 seen after the as-of: never moved back', { @was, last_seen_at => at('1 us') }, 'TXT "lapse-verify=abc123"', undef, 'still_verified');
one('W3 another record: gone', { @was }, 'TXT "v=spf1 -all"', undef, 'record_gone');
one('W3 no record: gone', { @was }, 'A 192.0.2.1', undef, 'record_gone');
one('W3 no token any more: gone', { @was, txt_token => undef }, 'TXT "lapse-verify=abc123"', undef, 'record_gone');
one('W3 a name that cannot be asked for: gone', { @was, domain => 'no name.example' }, undef, undef, 'record_gone');
one('W3 no such name', { @was }, undef, undef, 'nxdomain');
one('W3 the server fails', { @was }, 'servfail', undef, 'servfail');
one('W3 no answer', { @was }, 'silent', undef, 'timeout');
one('W3 capture and lock stay on where the record is gone', { @was, capture_enabled_at => $long, lock_enabled_at => $long }, 'A 192.0.2.1', undef, 'record_gone');
one('W3 suspended or not', { @was, suspended_at => at('-3 d') }, 'TXT "lapse-verify=abc123"', seen(), 'still_verified');
one('W1 suspended or not', { @t, suspended_at => at('-3 d') }, 'TXT "lapse-verify=abc123"', found(), 'verified');

# ---- W1: by the root domain ----
sub root { return { method => 'root', txt_token => undef, verified_at => undef, @_ } }
my $held = 'TXT "lapse-verify=abc123"';
domains('W1 the root is verified: verified', [{ @was, domain => 'r1.example' }, $held, seen(), 'still_verified'], [root(root_domain => 'r1.example', domain => 's.r1.example'), undef, found('root_verified'), 'verified']);
domains('W1 the root becomes verified in this run', [{ @t, domain => 'r2.example' }, $held, found(), 'verified'], [root(root_domain => 'r2.example', domain => 's.r2.example'), undef, found('root_verified'), 'verified']);
domains('W1 roots of roots', [{ @t, domain => 'r3.example' }, $held, found(), 'verified'], map { [root(root_domain => "$_->[0]r3.example", domain => "$_->[1]r3.example"), undef, found('root_verified'), 'verified'] } ['', 's.'], ['s.', 't.'], ['t.', 'u.']);
domains('W1 the root is not verified', [{ @t, domain => 'r4.example' }, undef, undef, 'nxdomain'], [root(root_domain => 'r4.example', domain => 's.r4.example'), undef, undef, 'root_not_verified']);
domains('W1 the root of another account does not count', [root(root_domain => 'r2.example'), undef, undef, 'root_not_verified']);
domains('W1 ... nor one that was verified there long ago', [root(root_domain => 'r1.example'), undef, undef, 'root_not_verified']);
domains('W1 no root, a root that is not there, itself', [root(root_domain => undef), undef, undef, 'root_not_verified'], [root(root_domain => 'none.example'), undef, undef, 'root_not_verified'],
    [root(root_domain => 'self.example', domain => 'self.example'), undef, undef, 'root_not_verified']);
domains('W1 a circle of roots proves nothing', [root(root_domain => 'c2.example', domain => 'c1.example'), undef, undef, 'root_not_verified'], [root(root_domain => 'c1.example', domain => 'c2.example'), undef, undef, 'root_not_verified']);
domains('W1 the root in another case', [{ @was, domain => 'R5.example' }, $held, seen(), 'still_verified'], [root(root_domain => 'r5.EXAMPLE', domain => 's.r5.example'), undef, found('root_verified'), 'verified']);
domains('W1 the root is verified, though its record has gone', [{ @was, domain => 'r6.example' }, undef, undef, 'nxdomain'], [root(root_domain => 'r6.example', domain => 's.r6.example'), undef, found('root_verified'), 'verified']);
domains('W1 a root domain needs no record of its own, and gets no question', [{ @was, domain => 'r7.example' }, $held, seen(), 'still_verified'], [root(root_domain => 'r7.example', domain => 's.r7.example', txt_token => 'tok'), 'silent', found('root_verified'), 'verified']);
domains('W3 verified by a root that is seen: seen as well', [{ @was, domain => 'r8.example' }, $held, seen(), 'still_verified'], [root(root_domain => 'r8.example', domain => 's.r8.example', verified_at => $long, last_seen_at => at('-1 d')), undef, seen(), 'still_verified']);
domains('W3 verified by a root whose record has gone: last seen with it', [{ @was, domain => 'r9.example' }, 'A 192.0.2.1', undef, 'record_gone'], [root(root_domain => 'r9.example', domain => 's.r9.example', verified_at => $long, last_seen_at => at('-1 d')), undef, undef, 'still_verified']);
domains('W3 verified by a root that is not any more: it stays', [{ @t, domain => 'r10.example' }, undef, undef, 'nxdomain'], [root(root_domain => 'r10.example', domain => 's.r10.example', verified_at => $long), undef, undef, 'root_not_verified']);

# ---- W2 ----
my @on = (capture_enabled_at => at('-9 d'), lock_enabled_at => at('-9 d'));
one('W2 capture and lock on without proof: two further rows', { @t, @on }, undef, undef, 'nxdomain', 'capture_unverified', 'lock_unverified');
one('W2 lock alone, since the as-of', { @t, lock_enabled_at => at() }, 'servfail', undef, 'servfail', 'lock_unverified');
one('W2 capture from an instant later', { @t, capture_enabled_at => at('1 us') }, undef, undef, 'nxdomain');
one('W2 verified in this run: nothing to report', { @t, @on }, $held, found(), 'verified');
domains('W2 by the root', [{ @t, domain => 'w2.example' }, undef, undef, 'nxdomain'], [root(root_domain => 'w2.example', domain => 'x.w2.example', @on), undef, undef, 'root_not_verified', 'capture_unverified', 'lock_unverified']);
one('W2 suspended: reported all the same', { @t, @on, suspended_at => at('-1 d') }, 'A 192.0.2.1', undef, 'not_found', 'capture_unverified', 'lock_unverified');

# ---- accounts ----
one("W1 one domain in two accounts: the token decides ($_->[0])", { @new, domain => 'shared.example', txt_token => "token-$_->[0]" }, $_->[1], $_->[2], $_->[3])
    for ['a', 'TXT "token-a"', found(), 'verified'], ['b', undef, undef, 'not_found'];
my @hold = map { one("W1 held: listed, not changed ($_->[0])", { @$_[1 .. $#$_] }, $held, undef, $_->[0]) } ['verified', @t], ['still_verified', @was];
one('W1 in a cancelled account without any plan', { @t }, $held, found(), 'verified');
$f->{cases}[-1]{rows}{subscriptions} = [];

$f->load;
$db->sql("INSERT INTO lapse.holds (account_id, reason, held_at) VALUES ($_, 'asked for', '2026-01-01')") for @hold;
my $dns = Lapse::dns(join("\n", @zone) . "\n");
$db->{dns} = $dns->address;

# ---- the dry run, the run, and another one ----
my @run = ('run', $job, '--as-of', $Fixture::as_of, '--json', '--format', 'csv', '--out');
sub lines { return map { decode_json($_) } split /\n/, $_[0]{stdout} }
sub result { my ($r) = @_; return grep { exists $_->{result} } lines($r) }
my $dir = $db->dir;
my $dry = $db->lapse(@run, "$dir/dry", '--dry-run');
is $dry->{status}, 0, 'the dry run ends well' or diag $dry->{stderr};
is $db->one('SELECT count(*) FROM lapse.domain_answers'), 0, '... and leaves no answer behind';
my $r = $db->lapse_env({ TZ => 'Europe/Berlin', PGTZ => 'Europe/Berlin' }, @run, "$dir/out");
is $r->{status}, 0, 'the run ends well' or diag $r->{stderr};
$f->check("$dir/out/$Fixture::as_of", $job);

my @tried = grep { exists $_->{entity} } lines($dry);
is scalar @tried, $db->one('SELECT count(*) FROM lapse.changes'), 'the dry run listed as many changes';
my $csv = Lapse::slurp("$dir/out/$Fixture::as_of/$job.csv");
is Lapse::slurp("$dir/dry/$Fixture::as_of/$job.csv"), $csv, '... and made the same report';
my ($done) = result($r);
is $done->{changed}, scalar @tried, 'what is merely seen again does not count as changed';
cmp_ok $done->{recorded}, '>', 5, '... but as recorded';
is $db->one('SELECT min(counters ->> \'due\') FROM lapse.runs'), scalar @tried, '... nor as due';

my %asked;
/^udp (\S+)/ and $asked{ lc $1 }++ for $dns->asked;
is $asked{'shared.example'}, 2, 'a name in two accounts is asked once in each run (dry run and run)';
is_deeply [grep { /r7/ && /^s\./ } keys %asked], [], 'one that goes by its root is not asked';
is scalar(grep { /^tcp / } $dns->asked), 2 * 4, 'long answers were asked for over TCP';
my @odd = grep { !/^[-._a-z0-9]+$/ } keys %asked;
is_deeply \@odd, [], 'no name was asked that is none';
is $db->one(q(SELECT texts[1] FROM lapse.domain_answers a JOIN saas.accounts c USING (account_id) WHERE c.name = 'W1 NUL and bytes that are no UTF-8 around it')),
    "\x{ef}\x{bf}\x{bd}" x 3 . ' lapse-verify=abc123 ' . "\x{ef}\x{bf}\x{bd}" x 4, 'what is no text of a record is kept as U+FFFD';

my $again = $db->lapse(@run, "$dir/out");
is $again->{status}, 0, 'again' or diag $again->{stderr};
is_deeply [map { @$_{qw(changed recorded)} } result($again)], [0, 0], '... nothing changes';
is Lapse::slurp("$dir/out/$Fixture::as_of/$job.csv"), $csv, '... and the report is the same';
is $db->one("SELECT count(DISTINCT run_id) FROM lapse.domain_answers"), 1, 'only the newest answers are kept';

# The next day the record that was verified is still verified; one that has gone since says so.
$dns = Lapse::dns("\$TTL 60\nd1.a1.example. TXT \"v=spf1 -all\"\nd1.a2.example. TXT \"lapse-verify=abc123\"\n");
$db->{dns} = $dns->address;
$r = $db->lapse('run', $job, '--as-of', '2026-04-01', '--account', '1,2,3', '--format', 'csv', '--out', "$dir/next", '--allow-backdate');
is $r->{status}, 0, 'the next day' or diag $r->{stderr};
my ($header, @rows) = Lapse::csv("$dir/next/2026-04-01/$job.csv");
is_deeply [map { [@$_[4 .. 6]] } @rows], [['record_gone', '2026-03-31T00:00:00Z', '2026-03-31T00:00:00Z'], ['still_verified', '2026-03-31T00:00:00Z', '2026-04-01T00:00:00Z'],
    ['nxdomain', '2026-03-31T00:00:00Z', '2026-03-31T00:00:00Z']], 'the report of the next day says what it found, and when each was last seen';
$r = $db->lapse(@run, "$dir/late", '--allow-backdate', '--account', 1);
($header, @rows) = Lapse::csv("$dir/late/$Fixture::as_of/$job.csv");
is $rows[0][4], 'verified', 'a rerun for the day it was verified says so still, though the record has gone';

# ---- the user is faster ----
{
    my $db = Lapse::database();
    my $f = Fixture->new($db);
    $f->case('changed', { domains => [{ @t, domain => 'quick.example' }] });
    $f->load;
    my $dns = Lapse::dns("quick.example. 60 TXT \"lapse-verify=abc123\"\n");
    $db->{dns} = $dns->address;
    my $r = Fixture::against($db, "UPDATE saas.domains SET txt_token = 'another' WHERE account_id = 1", @run, my $out = $db->dir . '/out');
    is $r->{status}, 0, 'the token is changed while the job runs' or diag $r->{stderr};
    is $db->one('SELECT verified_at FROM saas.domains'), undef, '... it is not verified by the old one';
    my ($header, @rows) = Lapse::csv("$out/$Fixture::as_of/$job.csv");
    is $rows[0][4], 'not_found', '... and the report says so';
}

# ---- W4: many, slow, silent ----
sub many {
    my ($n, $domain, @more) = @_;
    my $db = Lapse::database();
    $db->sql("INSERT INTO saas.accounts (account_id, name, created_at) SELECT n, 'A' || n, '2024-01-01' FROM generate_series(1, $n) n;
        INSERT INTO saas.domains (account_id, domain, method, txt_token, verified_at) SELECT n, $domain, 'unique_txt', 'tok', CASE WHEN n % 2 = 0 THEN '2025-01-01'::timestamptz END FROM generate_series(1, $n) n");
    return $db;
}
sub in_flight { my ($most) = sort { $b <=> $a } map { /(\d+)$/ } $_[0]->asked; return $most }
my @plain = ('run', $job, '--as-of', $Fixture::as_of, '--format', 'csv', '--out');

for my $parallel (1, 7) {
    my $db = many(6 * $parallel, "'s' || n || '.slow.example'");
    my $dns = Lapse::dns("*.slow.example. 60 TXT \"tok\"\n;; slow slow.example 200\n");
    $db->{dns} = $dns->address;
    my $begun = time;
    my $r = $db->lapse('--set', "rules.dns_parallel=$parallel", @plain, $db->dir . '/out');
    my $took = time - $begun;
    is $r->{status}, 0, "dns_parallel $parallel: the run ends well" or diag $r->{stderr};
    is in_flight($dns), $parallel, '... as many questions were under way at once, and no more';
    cmp_ok $took, '>', 1.1, '... which took its time';
    is $db->one('SELECT count(*) FROM saas.domains WHERE verified_at IS NULL'), 0, '... all are verified';
}
{
    my $db = many(50, "'s' || n || '.silent.example'");
    my $dns = Lapse::dns("*.silent.example. 60 TXT \"tok\"\n;; silent silent.example\n");
    $db->{dns} = $dns->address;
    my $begun = time;
    my $r = $db->lapse(@plain, my $out = $db->dir . '/out');
    my $took = time - $begun;
    is $r->{status}, 0, 'a silent server, 50 domains, 20 at once, 1 s each: the run ends well' or diag $r->{stderr};
    ok $took >= 2.9 && $took < 5, '... in three times a second' or diag "$took s";
    my ($header, @rows) = Lapse::csv("$out/$Fixture::as_of/$job.csv");
    is_deeply [sort map { $_->[4] } @rows], [('timeout') x 50], '... all timed out';
    is $db->one('SELECT count(*) FROM saas.domains WHERE verified_at IS NOT NULL'), 25, '... and who was verified is';
    is scalar(grep { /^udp s1\.silent/ } $dns->asked), 2, '... each was tried twice';

    # The deadline ends it, and no transaction is open meanwhile.
    my @patient = ('--set', 'dns.timeout=60 s');
    for my $end ('deadline', 'TERM', 'KILL', 'dry') {
        my @more = $end eq 'deadline' ? ('--set', 'database.deadline=2 s') : ();
        my $begun = time;
        my $pid = fork // die;
        if (!$pid) {
            my $r = Lapse::command({ %{ $db->env }, LAPSE_DNS_TIMEOUT => undef }, $Lapse::lapse, @patient, @more, @plain, $out, '--allow-backdate', $end eq 'dry' ? '--dry-run' : ());
            Lapse::spew($db->dir . '/said', $r->{stderr});
            require POSIX;
            POSIX::_exit($r->{status} & 255);
        }
        select undef, undef, undef, 0.7;
        my @open = map { $_->[0] } $db->rows("SELECT state FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'lapse' AND xact_start IS NOT NULL");
        is_deeply \@open, $end eq 'dry' ? [] : ['idle in transaction'], "$end: while it asks, no transaction is open" . ($end eq 'dry' ? '' : ' but that of the locks');
        my $program = `pgrep -P $pid`;
        chomp $program;
        kill $end eq 'dry' ? 'TERM' : $end, $program if $end ne 'deadline';
        waitpid $pid, 0;
        my $took = time - $begun;
        is $? >> 8, { deadline => 75, TERM => 143, KILL => 137, dry => 143 }->{$end}, "$end: the run ends with its status" or diag Lapse::slurp($db->dir . '/said');
        like Lapse::slurp($db->dir . '/said'), qr/verify-domains: the deadline has passed/, '... by itself, not by its watchdog' if $end eq 'deadline';
        cmp_ok $took, '<', $end eq 'deadline' ? 4 : 2.5, "$end: ... in time";
    }
    $r = $db->lapse('run', $job, '--format', 'csv', '--out', $out);
    is $r->{status}, 0, 'the next run finishes what was left' or diag $r->{stderr};
    like $r->{stderr}, qr/finishing run \d+ of $job/, '... and says so';
    is $db->one("SELECT string_agg(DISTINCT state, ',' ORDER BY state) FROM lapse.runs WHERE state NOT IN ('superseded', 'failed')"), 'done', '... to its end';
    is $db->one('SELECT count(*) FROM saas.domains WHERE verified_at IS NOT NULL'), 25, 'nobody lost or gained anything';

    # Nobody listens.
    $dns->stop;
    $begun = time;
    $r = $db->lapse(@plain, $out, '--allow-backdate');
    is $r->{status}, 0, 'no server at all: the run ends well' or diag $r->{stderr};
    ($header, @rows) = Lapse::csv("$out/$Fixture::as_of/$job.csv");
    is_deeply [sort map { $_->[4] } @rows], [('servfail') x 50], '... nobody could say';
    is $db->one('SELECT count(*) FROM saas.domains WHERE verified_at IS NOT NULL'), 25, '... and who was verified is';
}
{
    # More than one page, a name of very many accounts across its end, batches, few files.
    my $db = many(2600, "CASE WHEN n <= 950 THEN 'a' || n || '.many.example' WHEN n <= 2100 THEN 'one.many.example' ELSE 'z' || n || '.many.example' END");
    my $dns = Lapse::dns("*.many.example. 60 TXT \"tok\"\none.many.example. 60 TXT \"tok\"\n");
    $db->{dns} = $dns->address;
    my $dry = $db->lapse(@plain, $db->dir . '/dry', '--dry-run');
    is $dry->{status}, 0, '2,600 domains: a dry run' or diag $dry->{stderr};
    my $before = grep { /^udp one\.many\.example/ } $dns->asked;
    my $r = Lapse::command($db->env, '/bin/sh', '-c', 'ulimit -n 90; exec "$@"', 'sh', $Lapse::lapse, '--set', 'rules.dns_parallel=1000', '--set', 'database.batch_rows=100', @plain, $db->dir . '/out');
    is $r->{status}, 0, '... the run ends well, with few files to open' or diag $r->{stderr};
    cmp_ok in_flight($dns), '<=', 20, '... the server is not overrun';
    is $db->one('SELECT count(*) FROM saas.domains WHERE last_seen_at IS NULL OR verified_at IS NULL'), 0, '... all are verified and seen';
    is $db->one('SELECT count(*) FROM lapse.domain_answers'), 2600, '... every answer is kept';
    is scalar(grep { /^udp one\.many\.example/ } $dns->asked) - $before, 1, '... a name of many accounts is asked once';
    is Lapse::slurp($db->dir . "/dry/$Fixture::as_of/$job.csv"), Lapse::slurp($db->dir . "/out/$Fixture::as_of/$job.csv"), '... and the dry run made the same report';
}

# ---- settings ----
for my $servers ('here', '127.0.0.1:0', '127.0.0.1:99999', '127.0.0.1,', ',', '1.2.3.4.5', '[::1', '::1]:53', '127.0.0.1:53x', '127.0.0.1;127.0.0.2', join ',', ('127.0.0.1') x 9) {
    my $r = $db->lapse('--set', "dns.servers=$servers", @plain, "$dir/none");
    is $r->{status}, 78, "servers $servers: refused";
    like $r->{stderr}, qr/\[dns\] servers: ".*" is no list of name servers\n  hint: /, '... and it says what is wrong';
}
is $db->lapse('--set', 'dns.servers=here', 'run', 'expire-invitations', '--as-of', $Fixture::as_of, '--out', "$dir/none")->{status}, 0, '... who asks nothing does not care';
$r = $db->lapse('--set', "dns.servers= [::1]:1 , $db->{dns}", @plain, "$dir/six", '--account', 2, '--allow-backdate');
($header, @rows) = Lapse::csv("$dir/six/$Fixture::as_of/$job.csv");
is $rows[0][4], 'verified', 'a second server is asked where the first is not there' or diag $r->{stderr};

done_testing;
