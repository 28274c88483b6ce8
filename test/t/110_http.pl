# HTTP beside the resources: CORS, Server-Timing, the trace header, headers of errors, and what HTTP/1.1 asks of a
# server on its connections.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use PgrstClient;
use PgrstCluster;
use Test::More;
use Time::HiRes qw(time);

my $cluster = PgrstCluster->start_with_api(conf => {'pgrst.server_max_body_size' => 100000});
$cluster->sql(<<'SQL', db => 'api');
CREATE TABLE api.notes (id int PRIMARY KEY, note text);
GRANT ALL ON api.notes TO anon, author;
CREATE FUNCTION api.seen() RETURNS json STABLE LANGUAGE sql
  AS $$ SELECT json_build_object('headers', current_setting('request.headers')::json,
                                 'cookies', current_setting('request.cookies')::json) $$;
CREATE FUNCTION api.answer(status text, headers text) RETURNS text STABLE LANGUAGE plpgsql AS $$ BEGIN
  PERFORM set_config('response.status', status, true), set_config('response.headers', headers, true);
  RETURN 'answer';
END $$;
CREATE FUNCTION api.raise(state text) RETURNS text STABLE LANGUAGE plpgsql AS $$ BEGIN
  RAISE EXCEPTION USING ERRCODE = state, MESSAGE = 'raised';
END $$;
CREATE FUNCTION api.nothing() RETURNS void STABLE LANGUAGE sql AS '';
SQL
my $client = PgrstClient->new($cluster->port);

# From 1.0 on, libmicrohttpd refuses more by itself, in a form of its own.
my $mhd = do { open(my $fh, '<', '/usr/include/microhttpd.h'); local $/; hex((($fh && <$fh>) // '') =~ /MHD_VERSION\s+(0x\w+)/ ? $1 : 0) };
my $mhd_is_strict = $mhd >= 0x01000000;

# Changes a setting of requests, and waits until requests see it.
sub set {
    my ($name, $value, $seen) = @_;
    $cluster->sql(defined $value
        ? qq(ALTER ROLE authenticator SET "pgrst.$name" = '$value')
        : qq(ALTER ROLE authenticator RESET "pgrst.$name"));
    wait_until { $seen->() } "the new $name" if $seen;
}

# The responses to raw bytes on one connection, up to `count`.
sub answers {
    my ($bytes, $count) = @_;
    my $connection = PgrstClient->connect($cluster->port);
    $connection->write($bytes);
    my @answers = map { $connection->response } 1 .. $count;
    return ($connection, @answers);
}

my $one = '/items?id=eq.1&select=id';
my @from_page = (Origin => 'http://page.example');
my @preflight = (@from_page, 'Access-Control-Request-Method' => 'POST');
my $exposed = 'Content-Encoding, Content-Location, Content-Range, Content-Type, Date, Location, Server, '
    . 'Transfer-Encoding, Range-Unit';

scenario 'CORS: preflights' => sub {
    my $r = $client->request('OPTIONS', '/no/such?thing', @preflight, 'Access-Control-Request-Headers' => 'Foo,Bar');
    is($r->{status}, 200, 'status');
    is($r->{body}, '', 'no body');
    my %expected = (
        'access-control-allow-origin' => '*',
        'access-control-allow-methods' => 'GET, POST, PATCH, PUT, DELETE, OPTIONS, HEAD',
        'access-control-allow-headers' => 'Authorization, Foo, Bar, Accept, Accept-Language, Content-Language',
        'access-control-max-age' => '86400',
    );
    is_deeply({map { $_ => $r->{headers}{$_} } grep { /^access-control/ } keys %{$r->{headers}}}, \%expected, 'headers');
    is($client->request('OPTIONS', $one, @preflight, bearer('{not json'))->{status}, 200, 'a bad token does not matter');
    my $info = $client->request('OPTIONS', '/items', @from_page);
    is($info->{headers}{allow}, 'OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE', 'no preflight without a method: Allow');
    is($info->{headers}{'access-control-allow-origin'}, '*', 'for everybody');
};

scenario 'CORS: other requests, and errors' => sub {
    my %cases = (
        "GET $one" => 200, 'HEAD /items' => 200, 'GET /items?id=eq.x' => 400, 'GET /nothing' => 404, 'GET /secrets' => 401,
        'GET /items?select=id(' => 400, 'BREW /items' => 405, 'GET /rpc/nothing' => 204,
    );
    for my $case (sort keys %cases) {
        my $r = $client->request(split(/ /, $case), @from_page);
        is($r->{status}, $cases{$case}, "$case: status");
        is($r->{headers}{'access-control-allow-origin'}, '*', "$case: allowed");
        is($r->{headers}{'access-control-expose-headers'}, $exposed, "$case: exposed");
    }
    my ($connection, $large) = answers("POST /notes HTTP/1.1\r\nHost: x\r\nOrigin: http://a\r\nContent-Length: 200000\r\n\r\n", 1);
    is($large->{status}, 413, 'too large a body');
    is($large->{headers}{'access-control-allow-origin'}, '*', 'a page can read that');
    is($client->get($one)->{headers}{'access-control-allow-origin'}, undef, 'nothing without Origin');
};

scenario 'CORS: some origins only' => sub {
    set(server_cors_allowed_origins => 'http://a.example, http://b.example', sub {
        ($client->get($one, @from_page)->{headers}{'access-control-allow-origin'} // '') eq '';
    });
    for my $origin ('http://a.example', 'http://b.example') {
        my $r = $client->get($one, Origin => $origin);
        is($r->{headers}{'access-control-allow-origin'}, $origin, 'allowed');
        is($r->{headers}{'access-control-allow-credentials'}, 'true', 'with credentials');
        my $p = $client->request('OPTIONS', '/items', Origin => $origin, 'Access-Control-Request-Method' => 'PUT');
        is($p->{headers}{'access-control-allow-origin'}, $origin, 'preflight: allowed');
        is($p->{headers}{'access-control-allow-credentials'}, 'true', 'preflight: with credentials');
        is($p->{headers}{'access-control-allow-headers'}, undef, 'preflight: no headers asked for');
    }
    my $other = $client->get($one, @from_page);
    is($other->{status}, 200, 'another origin: answered');
    is_deeply([grep { /^access-control/ } keys %{$other->{headers}}], [], 'another origin: not allowed');
    is($client->request('OPTIONS', '/items', @preflight)->{headers}{allow}, 'OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE',
        'another origin: no preflight');
    set(server_cors_allowed_origins => undef, sub {
        ($client->get($one, @from_page)->{headers}{'access-control-allow-origin'} // '') eq '*';
    });
};

my @phases = qw(jwt parse plan transaction response);
my $timing = join ', ', map { "$_;dur=\\d+\\.\\d" } @phases;

scenario 'Server-Timing' => sub {
    is($client->get($one)->{headers}{'server-timing'}, undef, 'off');
    set(server_timing_enabled => 'on', sub { $client->get($one)->{headers}{'server-timing'} });
    my @requests = (['GET', $one], ['HEAD', $one], ['OPTIONS', '/items'], ['GET', '/rpc/nothing'],
        ['POST', '/notes', 'Content-Type' => 'application/json', body => '{"id":1,"note":"x"}'],
        ['DELETE', '/notes?id=eq.1']);
    for my $request (@requests) {
        my ($method, $path, %headers) = @$request;
        my $r = PgrstClient->connect($cluster->port)->request($method, $path, %headers);
        like($r->{headers}{'server-timing'}, qr/^$timing$/, "$method $path");
    }
    for my $path ('/nothing', '/items?id=eq.x', '/items?select=id(') {
        is($client->get($path)->{headers}{'server-timing'}, undef, "an error: $path");
    }
    my ($duration) = $client->get('/nap')->{headers}{'server-timing'} =~ /transaction;dur=([\d.]+)/;
    cmp_ok($duration, '>=', 1000, 'milliseconds of a transaction that sleeps for a second');
    cmp_ok($duration, '<', 1000 * deadline_s(), 'and not more units than that');
    my %measured = $client->get($one)->{headers}{'server-timing'} =~ /(\w+);dur=([\d.]+)/g;
    cmp_ok($measured{$_}, '<', 1000, "$_ of a small request") for @phases;
    set(server_timing_enabled => undef, sub { !$client->get($one)->{headers}{'server-timing'} });
};

scenario 'the trace header' => sub {
    is($client->get($one, 'X-Request-Id' => 'abc')->{headers}{'x-request-id'}, undef, 'none');
    set(server_trace_header => 'X-Request-Id', sub { defined $client->get($one)->{headers}{'x-request-id'} });
    my @requests = (
        ['GET', $one], ['HEAD', $one], ['HEAD', '/'], ['GET', '/rpc/nothing'], ['HEAD', '/rpc/seen'], ['OPTIONS', '/items'],
        ['OPTIONS', '/items', @preflight], ['GET', '/nothing'], ['GET', '/items?select=id('], ['GET', '/items?id=eq.x'],
        ['GET', '/items', Authorization => 'Bearer nonsense'], ['GET', '/secrets'], ['BREW', '/items'],
        ['GET', '/rpc/raise?state=PT503'], ['POST', '/notes', body => 'x' x 200000],
    );
    for my $request (@requests) {
        my ($method, $path, %headers) = @$request;
        my $connection = PgrstClient->connect($cluster->port);
        my $r = $connection->request($method, $path, %headers, 'x-request-ID' => 'a b, c');
        is($r->{headers}{'x-request-id'}, 'a b, c', "$method $path: $r->{status}");
        my $without = PgrstClient->connect($cluster->port)->request($method, $path, %headers);
        is($without->{headers}{'x-request-id'}, '', "$method $path: empty when the request has none");
    }
    my (undef, $twice) = answers("GET $one HTTP/1.1\r\nHost: x\r\nX-Request-Id: 1\r\nX-Request-Id: 2\r\n\r\n", 1);
    is($twice->{headers}{'x-request-id'}, '1', 'the first of two');
    my ($status) = $cluster->psql(q(ALTER ROLE authenticator SET "pgrst.server_trace_header" = 'X Y'), db => 'api');
    isnt($status, 0, 'what cannot be a header is refused');
    set(server_trace_header => undef, sub { !defined $client->get($one)->{headers}{'x-request-id'} });
};

scenario 'Vary, Retry-After, Proxy-Status, Server' => sub {
    my $vary = 'Accept, Prefer, Range';
    for my $request (['GET', $one], ['HEAD', $one], ['OPTIONS', '/items'], ['GET', '/rpc/nothing']) {
        is($client->request(@$request)->{headers}{vary}, $vary, "Vary of @$request");
    }
    my $own = $client->get('/rpc/answer?status=202&headers=[{"Vary":"X-Own"}]');
    is($own->{status}, 202, 'status by SQL');
    is($own->{headers}{vary}, 'X-Own', 'Vary by SQL');
    my $away = $client->get('/rpc/answer?status=503&headers=[]');
    is($away->{headers}{'retry-after'}, '1', 'Retry-After of a 503 that SQL made');
    $away = $client->get('/rpc/answer?status=503&headers=[{"Retry-After":"120"}]');
    is($away->{headers}{'retry-after'}, '120', 'its own');
    $away = $client->get('/rpc/raise?state=PT503');
    is($away->{status}, 503, 'an error of SQL');
    is($away->{headers}{'retry-after'}, '1', 'Retry-After of it');
    is($away->{headers}{'proxy-status'}, 'PostgREST; error=PT503', 'Proxy-Status of it');
    is($client->get('/nothing')->{headers}{'retry-after'}, undef, 'no Retry-After of other errors');
    is($client->get($one)->{headers}{'proxy-status'}, undef, 'no Proxy-Status without an error');
    is($client->get($one)->{headers}{server}, 'postgrest/16.2', 'Server');
    is($client->get('/nothing')->{headers}{server}, 'postgrest/16.2', 'Server of an error');
    like($client->get($one)->{headers}{date}, qr/^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/, 'Date');
};

scenario 'headers that SQL sets' => sub {
    my $r = $client->get('/rpc/answer?status=200&headers=[{"X-Empty":""},{"X-Tab":"a\tb"},{"Set-Cookie":"a=1"},{"Set-Cookie":"b=2"}]');
    is($r->{headers}{'x-empty'}, '', 'without a value');
    is_deeply($r->{headers}{'set-cookie'}, ['a=1', 'b=2'], 'one name twice');
};

scenario 'Expect: 100-continue' => sub {
    my $body = '{"id":10,"note":"expected"}';
    my $connection = PgrstClient->connect($cluster->port);
    $connection->write("POST /notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        . "Expect: 100-continue\r\nContent-Length: " . length($body) . "\r\n\r\n");
    is($connection->response->{status}, 100, 'told to go on');
    $connection->write($body);
    is($connection->response->{status}, 201, 'then answered');
    is($connection->get($one)->{body}, '[{"id":1}]', 'the connection lives on');
    $connection->write("POST /notes HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 200000\r\n\r\n");
    is($connection->response->{status}, 413, 'too large a body is not waited for');
    ok($connection->is_closed, 'and the connection closed');
    my (undef, $old) = answers("POST /notes HTTP/1.0\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
        . "Content-Length: 22\r\n\r\n{\"id\":11,\"note\":\"old\"}", 1);
    is($old->{status}, 201, 'HTTP/1.0 knows no 100');
};

scenario 'chunked bodies' => sub {
    my $head = "POST /notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nPrefer: return=representation\r\n"
        . "Transfer-Encoding: chunked\r\n\r\n";
    my $body = '[{"id":20,"note":"' . 'a' x 5000 . '"}]';
    for my $size (1, 7, 1000, 10000) {
        my @pieces = $body =~ /(.{1,$size})/g;
        my $chunks = join '', map { sprintf "%x\r\n%s\r\n", length $_, $_ } @pieces;
        my ($connection, $r) = answers("${head}${chunks}0\r\n\r\n", 1);
        is($r->{status}, 201, "in pieces of $size") or diag($r->{body});
        is($r->{json}[0]{note}, 'a' x 5000, "in pieces of $size: whole");
        $connection->write("DELETE /notes?id=eq.20 HTTP/1.1\r\nHost: x\r\n\r\n");
        is($connection->response->{status}, 204, 'the connection lives on');
    }
    my (undef, $trailed) = answers($head . "b\r\n[{\"id\":21}]\r\n0\r\nX-Trailer: 1\r\n\r\n", 1);
    is($trailed->{status}, 201, 'with a trailer') or diag($trailed->{body});
    SKIP: {
        skip 'libmicrohttpd 1.0.1 cannot read extensions', 1 if $mhd >> 8 == 0x010001;
        my (undef, $extended) = answers($head . "d;name=value\r\n[{\"id\":22,\"no\r\n9\r\nte\":\"x\"}]\r\n0\r\n\r\n", 1);
        is($extended->{status}, 201, 'with extensions') or diag($extended->{body});
    }
    my (undef, $empty) = answers("GET $one HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 1);
    is($empty->{body}, '[{"id":1}]', 'an empty one of a GET');
};

scenario 'bodies without a clear end' => sub {
    for my $headers ("Content-Length: 2\r\nContent-Length: 3\r\n", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")
    {
        my ($connection, $r) = answers("POST /notes HTTP/1.1\r\nHost: x\r\n${headers}\r\n0\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", 1);
        (my $shown = $headers) =~ s/\r\n/; /g;
        if ($mhd_is_strict && !$r->{json}) {
            like($r->{status}, qr/^(400|501)$/, "${shown}refused by libmicrohttpd");
        } else {
            is($r->{status}, 400, "${shown}refused");
            is($r->{json}{code}, 'PGRST102', "${shown}says why");
        }
        ok($connection->is_closed, "${shown}what follows is not read");
    }
    my (undef, $same) = answers("POST /notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n"
        . "Content-Length: 9\r\n\r\n{\"id\":30}", 1);
    is($same->{status}, 201, 'one length said twice');
};

scenario 'pipelining' => sub {
    my @paths = ($one, '/nothing', '/items?id=eq.2&select=id', '/nap?select=seconds', '/numbers?limit=2', '/items?id=eq.x', $one);
    my ($connection, @answers) = answers(join('', map { "GET $_ HTTP/1.1\r\nHost: x\r\n\r\n" } @paths), scalar @paths);
    is_deeply([map { $_->{status} } @answers], [200, 404, 200, 200, 200, 400, 200], 'status of each, in order');
    is($answers[2]{body}, '[{"id":2}]', 'a body');
    is($answers[6]{body}, '[{"id":1}]', 'the last one');
    my $post = "POST /notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n";
    (undef, @answers) = answers($post . '{"id":40}' . "GET /notes?id=eq.40&select=id HTTP/1.1\r\nHost: x\r\n\r\n"
        . $post . '{"id":41}' . "DELETE /notes?id=gte.40 HTTP/1.1\r\nHost: x\r\nPrefer: count=exact\r\n\r\n", 4);
    is_deeply([map { $_->{status} } @answers], [201, 200, 201, 204], 'writes and reads');
    is($answers[1]{body}, '[{"id":40}]', 'a read sees the write before it');
    is($answers[3]{headers}{'content-range'}, '*/2', 'and so does a write');
    my $many = PgrstClient->connect($cluster->port);
    $many->write("GET $one HTTP/1.1\r\nHost: x\r\n\r\n" x 200);
    is(scalar(grep { $many->response->{body} eq '[{"id":1}]' } 1 .. 200), 200, 'two hundred');
};

scenario 'HTTP/1.0' => sub {
    my ($connection, $r) = answers("GET $one HTTP/1.0\r\n\r\n", 1);
    is($r->{body}, '[{"id":1}]', 'answered');
    ok($connection->is_closed, 'then closed');
    my $get = "GET $one HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    ($connection, $r) = answers($get, 1);
    is($r->{headers}{connection}, 'Keep-Alive', 'kept alive on demand');
    for (1 .. 3) {
        $connection->write($get);
        is($connection->response->{body}, '[{"id":1}]', 'another one');
    }
    $connection->write("GET $one HTTP/1.0\r\n\r\n");
    is($connection->response->{body}, '[{"id":1}]', 'the last one');
    ok($connection->is_closed, 'closed after it');
    ($connection, $r) = answers("GET /lines?limit=10000 HTTP/1.0\r\n\r\n", 1);
    is(scalar @{$r->{json} // []}, 10000, 'a large answer');
    ok($connection->is_closed, 'closed after it');
    (undef, $r) = answers("GET $one HTTP/1.1\r\n\r\n", 1);
    is($r->{status}, 400, 'HTTP/1.1 without Host');
};

scenario 'requests with headers twice' => sub {
    my $answer = sub {
        my ($path, @lines) = @_;
        return (answers("GET $path HTTP/1.1\r\nHost: x\r\n" . join('', map { "$_\r\n" } @lines) . "\r\n", 1))[1];
    };
    my $r = $answer->('/items?limit=2', 'Prefer: count=exact', 'Prefer: handling=strict');
    is($r->{headers}{'content-range'}, '0-1/5', 'Prefer: the first');
    is($r->{headers}{'preference-applied'}, 'count=exact, handling=strict', 'Prefer: all count');
    $r = $answer->('/items?id=eq.1&select=id', 'Accept: application/vnd.pgrst.object+json', 'Accept: application/json');
    is($r->{body}, '{"id":1}', 'Accept: the first counts');
    $r = $answer->('/items', 'Accept: image/png', 'Accept: application/json');
    is($r->{status}, 406, 'Accept: the others are not looked at');
    $r = $answer->('/items?select=id', 'Range: 0-0', 'Range: 0-3');
    is($r->{headers}{'content-range'}, '0-0/*', 'Range: the first counts');
    $r = $answer->('/items', 'Accept-Profile: api2', 'Accept-Profile: api');
    is($r->{headers}{'content-profile'}, 'api2', 'Accept-Profile: the first counts');
    my $token = token({role => 'author'});
    $r = $answer->('/items', "Authorization: Bearer $token", 'Authorization: Bearer nonsense');
    is($r->{status}, 200, 'Authorization: the first counts');
    $r = $answer->('/rpc/seen', 'X-A: 1', 'x-a: 2', 'Cookie: a=1; b=2', 'Cookie: c=3', 'X-Space:   a  b  ');
    is($r->{json}{headers}{'x-a'}, '2', 'SQL sees the last');
    is_deeply($r->{json}{cookies}, {a => '1', b => '2'}, 'but of the first Cookie');
    is($r->{json}{headers}{'x-space'}, 'a  b', 'without white space around it');
};

scenario 'HEAD' => sub {
    my %cases = (
        $one => 200, '/' => undef, '/nothing' => 404, '/items?id=eq.x' => 400, '/secrets' => 401, '/rpc/seen' => 200,
        '/rpc/nothing' => 204, '/lines' => 200, '/rpc/raise?state=PT503' => 503,
    );
    for my $path (sort keys %cases) {
        my $connection = PgrstClient->connect($cluster->port);
        my $r = $connection->head($path);
        my $status = $cases{$path} // $client->get($path)->{status};
        is($r->{status}, $status, "$path: status");
        is($r->{headers}{'content-length'}, undef, "$path: no length");
        # As long as the HTTP library closes after it, nothing may follow.
        my $rest = '';
        while (my $bytes = $connection->read_some(undef, 0.2)) { $rest .= $bytes }
        is($rest, '', "$path: no body");
        my $again = $r->{headers}{connection} // '';
        is($connection->get($one)->{body}, '[{"id":1}]', "$path: the connection lives on") if $again !~ /close/i;
    }
    my $connection = PgrstClient->connect($cluster->port);
    my $r = $connection->head($one, Connection => 'keep-alive');
    is($r->{status}, 200, 'asking for a connection that lives');
    ok(($r->{headers}{connection} // '') !~ /close/i ? $connection->get($one)->{body} eq '[{"id":1}]' : $connection->is_closed,
        'it is what the answer says');
};

ok(!$cluster->crashed, 'no process crashed') or diag(grep { /signal|TRAP|PANIC/ } split /^/, $cluster->log);
done_testing;
