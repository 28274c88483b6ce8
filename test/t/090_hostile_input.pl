# Hostile input over raw sockets: whatever comes in, the server lives, its processes stay the same, the
# next request is served, and memory does not grow without bound.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use PgrstClient;
use PgrstCluster;
use Test::More;
use Time::HiRes qw(sleep time);

my $cluster = PgrstCluster->start_with_api(conf => {
    'pgrst.server_max_body_size' => 100000,
    'pgrst.server_idle_timeout' => 10,
    'pgrst.db_pool_max_idletime' => 600,
});
my $client = PgrstClient->new($cluster->port);
is($client->get('/items?id=eq.1')->{status}, 200, 'a normal request');
my $gateway = $cluster->gateway_pid;
my $postmaster = $cluster->postmaster_pid;

# Sends raw bytes; the status of the answer, 'closed', or 'silent'.
sub answer_to {
    my ($bytes, %options) = @_;
    my $connection = PgrstClient->connect($cluster->port);
    $connection->write($bytes);
    shutdown($connection->socket, 1) if $options{half_close};
    my $r = $connection->response(seconds => $options{seconds} // 30);
    $connection->close;
    return $r->{status} if $r->{status} != 599;
    return $r->{reason} eq 'closed' ? 'closed' : 'silent';
}

sub still_well {
    my ($what) = @_;
    my $r = $client->get('/items?id=eq.1&select=id');
    is($r->{body}, '[{"id":1}]', "the next request is served: $what");
}

sub refused { my ($bytes, $what, %options) = @_; like(answer_to($bytes, %options), qr/^(?:4\d\d|closed)$/, $what) }

scenario 'malformed request lines' => sub {
    my %lines = (
        'no version' => "GET /items\r\n\r\n",
        'nothing but a method' => "GET\r\n\r\n",
        'no method' => " /items HTTP/1.1\r\nHost: x\r\n\r\n",
        'version of the future' => "GET /items HTTP/9.9\r\nHost: x\r\n\r\n",
        'not HTTP' => "GET /items SPDY/3\r\nHost: x\r\n\r\n",
        'TLS hello' => "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" . "\x00" x 60 . "\r\n\r\n",
        'binary' => join('', map { chr($_ * 7 % 256) } 1 .. 2000) . "\r\n\r\n",
        'only line ends' => "\r\n" x 20 . "\r\n\r\n",
        'header without colon' => "GET /items HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n",
        'header without name' => "GET /items HTTP/1.1\r\nHost: x\r\n: value\r\n\r\n",
        'folded header' => "GET /items HTTP/1.1\r\nHost: x\r\nX-A: 1\r\n 2\r\n\r\n",
        'two lengths' => "GET /items HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        'negative length' => "GET /items HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        'length of no number' => "GET /items HTTP/1.1\r\nHost: x\r\nContent-Length: ten\r\n\r\n",
        'length beyond 64 bits' => "GET /items HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        'length and chunks' => "GET /items HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        'bad chunk' => "POST /items HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n",
        'huge chunk' => "POST /items HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nab\r\n",
    );
    for my $what (sort keys %lines) {
        like(answer_to($lines{$what}, half_close => 1), qr/^(?:\d{3}|closed)$/, $what);
        still_well($what);
    }
};

scenario 'headers over the limit' => sub {
    refused("GET /items HTTP/1.1\r\nHost: x\r\nX-Long: " . 'a' x 100000 . "\r\n\r\n", 'one long header');
    refused("GET /items HTTP/1.1\r\nHost: x\r\n" . join('', map { "X-$_: $_\r\n" } 1 .. 20000) . "\r\n", 'many headers');
    refused('GET /' . 'a' x 1000000 . " HTTP/1.1\r\nHost: x\r\n\r\n", 'a path of 1 MB');
    refused('GET /items?name=eq.' . 'a' x 1000000 . " HTTP/1.1\r\nHost: x\r\n\r\n", 'a query of 1 MB');
    refused('G' x 1000000 . " /items HTTP/1.1\r\nHost: x\r\n\r\n", 'a method of 1 MB');
    still_well('after them');
};

scenario 'a query as large as the limit allows' => sub {
    for my $size (1000, 8000, 15000, 20000, 30000) {
        my $status = answer_to('GET /items?select=id&name=eq.' . 'a' x $size . " HTTP/1.1\r\nHost: x\r\n\r\n");
        like($status, qr/^(?:200|4\d\d|closed)$/, "value of $size bytes: $status");
    }
    is(answer_to('GET /items?name=eq.' . 'a' x 8000 . " HTTP/1.1\r\nHost: x\r\n\r\n"), 200, '8 kB are fine');
};

scenario 'broken percent-encoding and strange bytes in targets' => sub {
    for my $target (
        '/%', '/%2', '/%zz', '/items?name=eq.%', '/items?name=eq.%2', '/items?name=eq.%zz',
        '/items?name=eq.%00', '/items?name=eq.a%00b', '/items%00', '/items?%00=eq.1', '/items?select=%00',
        '/items?name=eq.%ff%fe', '/%ff', '/items?%c3=eq.1', '/items?select=%c3%28', '/items?order=%ff',
        '/items?name=eq.%ed%a0%80', '/items?name=eq.%f4%90%80%80', "/items?name=eq.\xff\xfe", "/\xff",
        "/items?name=eq.\x01\x02", '/items?name=eq.%u1234', '//', '///items', '/items/', '/items//x', '/../items',
        '/./items', '/items?', '/items?&&&', '/items?=', '/items?==', '/items?=eq.1', '/items?id', '/items?id=',
        '/items?id=eq', '/items?id=eq.', '/items?select=', '/items?select=,', '/items?order=', '/items?limit=',
        '*', 'items', 'http://', 'http://x', 'http://x/items?id=eq.1', '/items#fragment', '/items?a=b?c=d',
        '/items?select=id%0d%0aX-Evil:%201', '/items%0d%0aX-Evil:%201', '/rpc/', '/rpc/%00',
    ) {
        my $answer = answer_to("GET $target HTTP/1.1\r\nHost: x\r\n\r\n");
        (my $shown = $target) =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ge;
        like($answer, qr/^(?:2|4)\d\d$|^closed$/, "$shown: $answer");
    }
    still_well('after them');
};

scenario 'NUL bytes' => sub {
    for my $bytes (
        "GET /items\0x HTTP/1.1\r\nHost: x\r\n\r\n", "GET /items?name=eq.a\0b HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /items HTTP/1.1\r\nHost: x\0y\r\n\r\n", "GET /items HTTP/1.1\r\nHost\0: x\r\n\r\n",
        "\0" x 5000 . "\r\n\r\n", "G\0T /items HTTP/1.1\r\nHost: x\r\n\r\n",
    ) {
        like(answer_to($bytes, half_close => 1), qr/^(?:[24]\d\d|closed)$/, 'answered or closed');
    }
    still_well('after them');
};

scenario 'header values that reach SQL' => sub {
    for my $header (
        "X-Bytes: \xff\xfe", "Cookie: a=\xff", 'Cookie: ' . ';' x 5000, 'Cookie: =;=;==', "Cookie: a=\"\\",
        "Authorization: Bearer \xff", 'Authorization: Bearer ' . 'a.' x 3000, 'Authorization: Bearer ..',
        'Accept-Profile: %00', "Accept-Profile: \xff", 'Accept: ' . 'a/b,' x 2000, 'Accept: ;;;,,,/', 'Accept: */',
        'Range: items=0-', 'Range: 0-99999999999999999999999', 'Range: -1--5', 'Range: ' . '9' x 5000,
        'Prefer: ' . 'count=exact,' x 1000, 'Prefer: ;=;=', "Prefer: timezone=\xff", 'Prefer: timezone=\'; DROP TABLE api.items',
        'Prefer: handling=strict, ' . 'x' x 5000, 'Content-Type: ' . ';' x 5000, "X-Forwarded-For: \x01",
        'Range-Unit: ' . 'x' x 100,
    ) {
        my $answer = answer_to("GET /items?select=id HTTP/1.1\r\nHost: x\r\n$header\r\n\r\n");
        (my $shown = substr $header, 0, 50) =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ge;
        like($answer, qr/^(?:2|4)\d\d$|^closed$/, "$shown: $answer");
    }
    still_well('after them');
};

scenario 'deep nesting' => sub {
    for my $depth (10, 100, 1000, 4000, 10000) {
        my %targets = (
            parentheses => '/items?and=' . '(' x $depth,
            'logic trees' => '/items?and=' . '(and' x $depth . '(id.eq.1,id.eq.2)' . ')' x $depth,
            'negated trees' => '/items?or=' . '(not.or' x $depth . '(id.eq.1,id.eq.2)' . ')' x $depth,
            'open embeds' => '/items?select=' . 'a(' x $depth,
            embeds => '/items?select=' . 'a(' x $depth . 'id' . ')' x $depth,
            'json path' => '/items?select=attributes' . '->a' x $depth,
            quotes => '/items?name=in.("' . '\\"' x $depth . '")',
            array => '/items?tags=cs.{' . '{' x $depth,
        );
        for my $what (sort keys %targets) {
            my $answer = answer_to("GET $targets{$what} HTTP/1.1\r\nHost: x\r\n\r\n");
            like($answer, qr/^(?:200|4\d\d|500|closed)$/, "$what, $depth deep: $answer");
        }
        still_well("nesting of $depth");
    }
};

scenario 'deep nesting where URLs may be large' => sub {
    $cluster->sql(q(ALTER ROLE authenticator SET "pgrst.server_connection_memory" = 4000000));
    wait_until { answer_to('GET /items?name=eq.' . 'a' x 100000 . " HTTP/1.1\r\nHost: x\r\n\r\n") eq '200' }
        'the larger limit';
    for my $depth (10000, 100000) {
        my %targets = (
            parentheses => '/items?and=' . '(' x $depth,
            'logic trees' => '/items?and=' . '(and' x $depth . '(id.eq.1,id.eq.2)' . ')' x $depth,
            'open embeds' => '/items?select=' . 'a(' x $depth,
            embeds => '/items?select=' . 'a(' x $depth . 'id' . ')' x $depth,
            'json path' => '/items?select=attributes' . '->a' x $depth,
            'many columns' => '/items?select=' . join(',', ('id') x $depth),
            'many filters' => '/items?' . join('&', ('id=eq.1') x $depth),
            'many values' => '/items?id=in.(' . join(',', 1 .. $depth) . ')',
        );
        for my $what (sort keys %targets) {
            my $answer = answer_to("GET $targets{$what} HTTP/1.1\r\nHost: x\r\n\r\n");
            like($answer, qr/^(?:200|4\d\d|500|closed)$/, "$what, $depth: $answer");
        }
        still_well("nesting of $depth");
    }
    $cluster->sql(q(ALTER ROLE authenticator RESET "pgrst.server_connection_memory"));
    wait_until { answer_to('GET /items?name=eq.' . 'a' x 100000 . " HTTP/1.1\r\nHost: x\r\n\r\n") ne '200' }
        'the normal limit';
};

scenario 'bodies' => sub {
    my $head = "POST /items HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    is(answer_to("${head}Content-Length: 200000\r\n\r\n"), 413, 'too large by its announced length');
    is(answer_to("${head}Content-Length: 200000\r\n\r\n" . 'a' x 200000), 413, 'too large and sent');
    is(answer_to("${head}Transfer-Encoding: chunked\r\n\r\n"
        . sprintf("%x\r\n%s\r\n", 60000, 'a' x 60000) x 2 . "0\r\n\r\n"), 413, 'too large in chunks');
    like(answer_to("${head}Transfer-Encoding: chunked\r\n\r\n"
        . sprintf("%x\r\n%s\r\n", 60000, 'a' x 60000) x 20 . "0\r\n\r\n"), qr/^(?:413|closed)$/, 'without end in chunks');
    like(answer_to("${head}Content-Length: 1000\r\n\r\n{\"a\":", half_close => 1), qr/^(?:4\d\d|closed)$/, 'truncated');
    like(answer_to("${head}Expect: 100-continue\r\nContent-Length: 200000\r\n\r\n"), qr/^(?:413|417)$/, 'expectation of too much');
    still_well('after them');
};

scenario 'a client that sends a byte now and then delays nobody' => sub {
    my @slow = map { PgrstClient->connect($cluster->port) } 1 .. 20;
    my $request = "GET /items?id=eq.1&select=id HTTP/1.1\r\nHost: x\r\n\r\n";
    for my $i (0 .. length($request) - 1) {
        $_->write(substr $request, $i, 1) for @slow;
        if ($i % 10 == 0) { still_well("beside slow ones, byte $i"); }
        sleep 0.05;
    }
    is($_->response->{body}, '[{"id":1}]', 'a slow one is answered in the end') for @slow;
};

scenario 'connections that say nothing are closed after the idle time-out' => sub {
    my $silent = PgrstClient->connect($cluster->port);
    my $half = PgrstClient->connect($cluster->port);
    $half->write("GET /items HTTP/1.1\r\nHo");
    ok($silent->is_closed, 'a silent one');
    ok($half->is_closed, 'one in the middle of a request');
    still_well('afterwards');
};

scenario 'a client that drips bytes cannot keep its connection for ever' => sub {
    my $connection = PgrstClient->connect($cluster->port);
    my $end = time() + 40;
    $connection->write("GET /items HTTP/1.1\r\n");
    my $closed = 0;
    while (!$closed && time() < $end) {
        $connection->write("X-a: b\r\n") or $closed = 1;
        my $bytes = $closed ? '' : $connection->read_some(undef, 1);
        $closed = 1 if defined $bytes && $bytes eq '';
    }
    ok($closed, 'closed, or refused');
};

scenario 'clients that vanish' => sub {
    for my $bytes ('', 'G', "GET /items HTTP/1.1\r\n", "GET /items HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /items HTTP/1.1\r\nHost: x\r\nContent-Length: 50000\r\n\r\nabc",
        "GET /lines?limit=100000 HTTP/1.1\r\nHost: x\r\n\r\n")
    {
        for my $how (qw(close reset)) {
            for (1 .. 20) {
                my $connection = PgrstClient->connect($cluster->port);
                $connection->write($bytes);
                $connection->$how;
            }
        }
        still_well('after ' . length($bytes) . ' bytes');
    }
};

scenario 'a thousand quick connections' => sub {
    for (1 .. 1000) {
        my $connection = PgrstClient->connect($cluster->port);
        $connection->close;
    }
    still_well('one after the other');
    my @connections = map { PgrstClient->connect($cluster->port) } 1 .. 500;
    still_well('beside 500 open ones');
    $_->close for @connections;
    still_well('after they were closed');
};

scenario 'more connections than allowed' => sub {
    $cluster->sql(q(ALTER ROLE authenticator SET "pgrst.server_max_connections" = 20));
    wait_until {
        my @open = map { PgrstClient->connect($cluster->port) } 1 .. 25;
        $_->send('GET', '/items?id=eq.1') for @open;
        my $served = grep { $_->response(seconds => 1)->{status} == 200 } @open;
        $_->close for @open;
        $served <= 20;
    } 'the limit';
    wait_until { $client->get('/items?id=eq.1')->{status} == 200 } 'service after it';
    $cluster->sql(q(ALTER ROLE authenticator RESET "pgrst.server_max_connections"));
    pass('limited, and served again');
};

sub rss_kb {
    my ($pid) = @_;
    open(my $fh, '<', "/proc/$pid/status") or return 0;
    my ($kb) = map { /^RssAnon:\s+(\d+)/ ? $1 : () } <$fh>;
    return $kb // 0;
}

scenario 'memory does not grow' => sub {
    my @hostile = (
        "GET /items\r\n\r\n",
        "GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "GET /items?and=" . '(' x 2000 . " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "GET /nothing" . 'x' x 500 . " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "GET /items?name=eq." . 'x' x 10000 . " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "POST /items HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n",
        "GET /items HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " . 'x' x 5000 . "\r\nConnection: close\r\n\r\n",
    );
    my $round = sub {
        for my $i (1 .. $_[0]) {
            my $connection = PgrstClient->connect($cluster->port);
            $connection->write($hostile[$i % @hostile]);
            if ($i % 11 == 0) { $connection->reset } else { $connection->response(seconds => 30); $connection->close }
        }
    };
    my ($executor) = $cluster->executor_pids;
    $round->(1000);
    my ($warm, $warm_executor) = (rss_kb($gateway), rss_kb($executor));
    $round->(2000);
    my ($after, $after_executor) = (rss_kb($gateway), rss_kb($executor));
    cmp_ok($after, '<', $warm + 4096, "gateway: $warm kB after 1000 requests, $after kB after 3000");
    cmp_ok($after_executor, '<', $warm_executor + 4096, "executor: $warm_executor kB, $after_executor kB");
    # Different statements, tokens and roles fill bounded caches.
    for my $i (1 .. 1500) {
        $client->get("/items?select=a$i:id&id=eq.$i", bearer({role => 'author', sub => "user $i"}));
    }
    my $filled = rss_kb($gateway);
    for my $i (1501 .. 4000) {
        $client->get("/items?select=a$i:id&id=eq.$i", bearer({role => 'author', sub => "user $i"}));
    }
    cmp_ok(rss_kb($gateway), '<', $filled + 4096, 'gateway, other requests: bounded');
};

ok(!$cluster->crashed, 'no process crashed') or diag(grep { /signal|TRAP|PANIC/ } split /^/, $cluster->log);
is($cluster->gateway_pid, $gateway, 'the gateway is still the same process');
is($cluster->postmaster_pid, $postmaster, 'so is the postmaster');

done_testing;
