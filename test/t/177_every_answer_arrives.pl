# Every answer arrives: whatever the sizes of URL, headers and answer, there is one answer, of a status that answers, and
# what a request did before its answer became impossible is said. Nothing is logged that was not sent.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use PgrstClient;
use PgrstCluster;
use Test::More;

my $cluster = PgrstCluster->start_with_api(conf => {'pgrst.log_level' => 'info'});
$cluster->sql(<<'SQL', db => 'api');
CREATE TABLE api.keys (id text COLLATE "C" PRIMARY KEY, note text);
CREATE TABLE api.deeds (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);
GRANT ALL ON api.keys, api.deeds TO anon;
CREATE FUNCTION api.answer(status text, size int, note text DEFAULT '') RETURNS text LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO api.deeds(note) VALUES (answer.note);
  PERFORM set_config('response.status', answer.status, true);
  IF size > 0 THEN
    PERFORM set_config('response.headers', json_build_array(json_build_object('X-Large', repeat('x', size)))::text, true);
  END IF;
  RETURN 'answer';
END $$;
CREATE FUNCTION api.many_headers(count int) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
  PERFORM set_config('response.headers', (SELECT json_agg(json_build_object('X-' || n, n::text)) FROM generate_series(1, count) n)::text, true);
  RETURN 'answer';
END $$;
CREATE FUNCTION api.raise(state text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
  RAISE EXCEPTION USING ERRCODE = state, MESSAGE = 'raised';
END $$;
CREATE FUNCTION api.raise_status(status int) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
  RAISE SQLSTATE 'PGRST' USING MESSAGE = '{"code":"1","message":"m"}', DETAIL = json_build_object('status', status, 'headers', '{}'::json);
END $$;
ALTER FUNCTION api.answer SET search_path = api;
GRANT ALL ON ALL SEQUENCES IN SCHEMA api TO anon;
SQL
my $client = PgrstClient->new($cluster->port);
my $one = '/items?id=eq.1&select=id';
my $well = '[{"id":1}]';
my $mhd = do { open(my $fh, '<', '/usr/include/microhttpd.h'); local $/; hex((($fh && <$fh>) // '') =~ /MHD_VERSION\s+(0x\w+)/ ? $1 : 0) };

# The answer to a request line and headers, and to the one behind it if there is to be one.
sub answer_to {
    my ($target, $headers, $method) = @_;
    my $connection = PgrstClient->connect($cluster->port);
    $connection->write(($method // 'GET') . " $target HTTP/1.1\r\nHost: x\r\n" . ($headers // '') . "\r\n");
    my $r = $connection->response;
    if ($r->{status} == 200) {
        $connection->write("GET $one HTTP/1.1\r\nHost: x\r\n\r\n");
        $r->{next} = $connection->response->{body};
    }
    $connection->close;
    return $r;
}

my %shapes = (
    'a list of numbers' => sub { '/items?select=id&id=in.(1' . ',100000' x (($_[0] - 28) / 7) . ')' },
    'a text' => sub { '/items?select=id&name=neq.' . 'a' x ($_[0] - 26) },
    'a text that is encoded in the answer' => sub { '/items?select=id&name=neq.' . ',' x ($_[0] - 26) },
    'a text in UTF-8' => sub { '/items?select=id&name=neq.' . "\xc3\xa9" x (($_[0] - 26) / 2) },
    'a text that is encoded' => sub { '/items?select=id&name=neq.' . '%C3%A9' x (($_[0] - 26) / 6) },
);

scenario 'URLs up to 64 kB' => sub {
    for my $name (sort keys %shapes) {
        for my $size (1000, 10000, 14000, 16000, 20000, 30000, 32000, 33000, 40000, 50000, 60000, 65000, 65500) {
            my $r = answer_to($shapes{$name}->($size));
            is($r->{status}, 200, "$name, $size bytes") or diag(substr $r->{body}, 0, 200);
            is($r->{next}, $well, 'and the next request');
        }
    }
    ok(defined answer_to($shapes{'a text'}->(1000))->{headers}{'content-location'}, 'Content-Location of short ones');
    ok(!defined answer_to($shapes{'a text that is encoded in the answer'}->(60000))->{headers}{'content-location'}, 'none of long ones');
};

scenario 'URLs of many filters' => sub {
    for my $count (100, 200, 300, 400, 500) {
        my $r = answer_to('/items?select=id&' . join('&', map { "id=neq.$_" } 1000 .. 1000 + $count));
        is($r->{status}, 200, "$count filters") or diag(substr $r->{body}, 0, 200);
    }
};

scenario 'headers up to 60 kB' => sub {
    for my $size (1000, 10000, 20000, 30000, 40000, 50000, 60000) {
        is(answer_to($one, 'X-Large: ' . 'x' x $size . "\r\n")->{body}, $well, "one of $size bytes");
        is(answer_to($one, 'Cookie: a=' . 'x' x ($size / 3) . "\r\n")->{body}, $well, "a cookie of " . int($size / 3) . ' bytes');
    }
    is(answer_to($one, join('', map { "X-$_: 1\r\n" } 1 .. 300))->{body}, $well, 'three hundred');
};

scenario 'beyond the limit' => sub {
    my (%of_url, %of_headers);
    for (my $size = 64000; $size < 84000; $size += 500) {
        my $r = answer_to($shapes{'a text'}->($size));
        $of_url{$r->{status}}++;
        diag("URL of $size bytes: $r->{reason}") if $r->{status} == 599;
        is($r->{json}{code}, 'PGRST102', "code of a URL of $size bytes") if $r->{status} == 414 && $size < 78000;
        $r = answer_to($one, 'X-Large: ' . 'x' x $size . "\r\n");
        $of_headers{$r->{status}}++;
        diag("header of $size bytes: $r->{reason}") if $r->{status} == 599;
        is($r->{json}{code}, 'PGRST102', "code of a header of $size bytes") if $r->{status} == 431 && $size < 78000;
    }
    is_deeply([sort keys %of_url], [200, 414], 'of URLs: answered, or too long');
    is_deeply([sort keys %of_headers], [200, 431], 'of headers: answered, or too large');
    is(answer_to($shapes{'a text'}->(1_000_000))->{status}, 414, 'a URL of 1 MB');
    is(answer_to($one, 'X-Large: ' . 'x' x 1_000_000 . "\r\n")->{status}, 431, 'a header of 1 MB');
    my $r = answer_to($shapes{'a text'}->(75000));
    is($r->{json}{message}, 'The URL is too long', 'the message of 414');
    is($r->{headers}{connection}, 'close', 'and the connection ends');
};

scenario 'a Location that is long' => sub {
    for my $size (100, 1000, 2500) {
        my $id = "\xc3\xa9" x ($size / 2) . join('', map { chr(97 + int rand 26) } 1 .. 20);
        my $r = $client->post('/keys', body => qq({"id":"$id"}), Prefer => 'return=headers-only');
        is($r->{status}, 201, "a key of $size bytes");
        like($r->{headers}{location}, qr/^\/keys\?id=eq\.%C3%A9/, 'its Location');
    }
};

scenario 'headers by SQL that are large' => sub {
    for my $size (1000, 10000, 20000) {
        my $r = $client->get("/rpc/answer?status=200&size=$size", Prefer => 'tx=rollback');
        is($r->{status}, 405, 'GET writes nothing');
        $r = $client->post('/rpc/answer', body => {status => '200', size => $size});
        is($r->{status}, 200, "$size bytes");
        is(length $r->{headers}{'x-large'}, $size, 'whole');
    }
    for my $size (100_000, 1_000_000) {
        my $connection = PgrstClient->connect($cluster->port);
        my $r = $connection->post('/rpc/answer', body => {status => '200', size => $size, note => "of $size"});
        is($r->{status}, 500, "$size bytes: an answer");
        is($r->{json}{code}, 'PGRSTX00', 'code');
        is($r->{json}{message}, 'The headers of the response are too large. What the request did is done.', 'message');
        is($client->get("/deeds?note=eq.of%20$size&select=note")->{json}[0]{note}, "of $size", 'that is so');
        is($connection->get($one)->{body}, $well, 'the connection goes on');
    }
    is(answer_to('/rpc/many_headers?count=200')->{status}, 200, '200 headers');
    is(answer_to('/rpc/many_headers?count=20000')->{status}, 500, '20000 headers');
};

scenario 'a request that is repeated in its answer' => sub {
    $cluster->sql(q(ALTER ROLE authenticator SET "pgrst.server_trace_header" = 'X-Request-Id'));
    wait_until { defined $client->get($one, 'X-Request-Id' => 'a')->{headers}{'x-request-id'} } 'the setting';
    for my $size (1000, 20000, 50000, 60000) {
        my $r = answer_to($one, 'X-Request-Id: ' . 'x' x $size . "\r\n");
        like($r->{status}, qr/^(?:200|500)$/, "$size bytes: an answer");
    }
    $cluster->sql(q(ALTER ROLE authenticator RESET "pgrst.server_trace_header"));
    my $origin = 'http://' . 'x' x 40000;
    my $r = $client->request('OPTIONS', '/items', Origin => $origin, 'Access-Control-Request-Method' => 'GET',
        'Access-Control-Request-Headers' => join(',', map { "x-$_" } 1 .. 5000));
    is($r->{status}, 200, 'a preflight that asks for 5000 headers');
    is($r->{headers}{'access-control-allow-headers'}, undef, 'does not get them');
    $r = $client->request('OPTIONS', '/items', Origin => $origin, 'Access-Control-Request-Method' => 'GET',
        'Access-Control-Request-Headers' => join(',', map { "x-$_" } 1 .. 500));
    like($r->{headers}{'access-control-allow-headers'}, qr/x-500/, 'one of 500 does');
};

# What comes on one connection after the answer to a GET and that to another request.
sub next_answer {
    my ($path, $headers) = @_;
    my $connection = PgrstClient->connect($cluster->port);
    $connection->write("GET $path HTTP/1.1\r\nHost: x\r\n\r\nGET $one HTTP/1.1\r\nHost: x\r\n\r\n");
    my $first = $connection->response;
    my $second = $connection->response;
    $connection->close;
    return ($first, $second);
}

scenario 'statuses that answer nothing' => sub {
    for my $status (0, 1, 99, 100, 101, 102, 103, 150, 199) {
        my $state = sprintf 'PT%03d', $status;
        my ($first, $second) = next_answer("/rpc/raise?state=$state");
        is($first->{status}, 500, "$state: status");
        is($first->{json}{code}, $state, "$state: code");
        is($second->{body}, $well, "$state: the next answer");
        ($first, $second) = next_answer("/rpc/raise_status?status=$status");
        is($first->{status}, 500, "PGRST with $status: status");
        is($second->{body}, $well, "PGRST with $status: the next answer");
        my $r = $client->post('/rpc/answer', body => {status => "$status", size => 0});
        is("$r->{status} $r->{json}{code}", '500 PGRST112', "response.status = $status");
    }
    is($client->get('/rpc/raise?state=PT200')->{status}, 200, 'PT200');
    is($client->get('/rpc/raise?state=PT999')->{status}, 999, 'PT999');
};

scenario 'statuses without a body' => sub {
    for my $status (204, 205, 304) {
        for my $path ("/rpc/raise?state=PT$status", "/rpc/raise_status?status=$status") {
            my $connection = PgrstClient->connect($cluster->port);
            $connection->write("GET $path HTTP/1.1\r\nHost: x\r\n\r\nGET $one HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            my $bytes = '';
            while (defined(my $some = $connection->read_some)) { last if $some eq ''; $bytes .= $some }
            like($bytes, qr{^HTTP/1\.1 $status [^\r]*\r\n(?:[^\r\n]+\r\n)*\r\nHTTP/1\.1 200 OK\r\n(?:[^\r\n]+\r\n)*\r\n\Q$well\E$}, "$path: nothing but headers");
        }
    }
};

scenario 'what is logged' => sub {
    my $position = $cluster->log_position;
    answer_to($shapes{'a text'}->(75000));
    answer_to('/nothing');
    $cluster->wait_for_log(qr{"GET /nothing HTTP/1\.1" 404}, $position);
    my $log = $cluster->log($position);
    like($log, qr{name=neq\.a+[^"]*" 414 }, 'a URL that is too long, as such');
    unlike($log, qr{name=neq\.a+[^"]*" 200 }, 'and as nothing else');
};

ok(!$cluster->crashed, 'no process crashed') or diag(grep { /signal|TRAP|PANIC/ } split /^/, $cluster->log);
done_testing;
