# Limits of connections, of what clients take their time for, and of sizes: what is beyond them, and that nobody else
# notices.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::IP;
use IO::Socket::UNIX;
use IPC::Open2 ();
use PgrstClient;
use PgrstCluster;
use Test::More;
use Time::HiRes qw(sleep time);

my $cluster = PgrstCluster->start_with_api(conf => {
    'pgrst.db_pool' => 2,
    'pgrst.db_pool_acquisition_timeout' => 60,
    'pgrst.server_max_body_size' => 1000000,
    'pgrst.server_header_timeout' => 2,
    'pgrst.server_transfer_timeout' => 3,
    'pgrst.server_min_rate' => 2000,
});
$cluster->sql(<<'SQL', db => 'api');
CREATE FUNCTION api.length_of(text) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT length($1)';
SQL
my $port = $cluster->port;
my $client = PgrstClient->new($port);
my $one = '/items?id=eq.1&select=id';
my $well = '[{"id":1}]';
my $get_one = "GET $one HTTP/1.1\r\nHost: x\r\n\r\n";

# Changes settings of the listener, and waits until it listens with them.
sub set {
    my $position = $cluster->set_for_authenticator(@_);
    $cluster->wait_for_log(qr/serving database "api" on /, $position);
}

sub busy_executors {
    return $cluster->sql(q(SELECT count(*) FROM pgrst.status WHERE process = 'executor' AND state = 'busy'), db => 'api');
}

# Writes the bytes one by one, `pause` seconds apart, and tells whether the connection was cut off.
sub is_cut_off_dripping {
    my ($connection, $bytes, $pause) = @_;
    for my $byte (split //, $bytes) {
        return 1 if !$connection->write($byte);
        my $read = $connection->read_some(undef, $pause);
        return 1 if defined $read && $read eq '';
    }
    return 0;
}

scenario 'the time for a request line and headers' => sub {
    my $silent = PgrstClient->connect($port);
    my $half = PgrstClient->connect($port);
    $half->write("GET /items HTTP/1.1\r\nHo");
    my $kept = PgrstClient->connect($port);
    is($kept->get($one)->{body}, $well, 'a request');
    my $kept_half = PgrstClient->connect($port);
    is($kept_half->get($one)->{body}, $well, 'another one');
    ok($silent->is_closed(30), 'a connection that says nothing is closed');
    ok($half->is_closed(30), 'one in the middle of its headers is');
    my $line = "GET $one HTTP/1.1\r\n" . join('', map { "X-$_: $_\r\n" } 1 .. 100);
    ok(is_cut_off_dripping(PgrstClient->connect($port), $line, 0.1), 'one that drips is');
    ok(is_cut_off_dripping($kept_half, $line, 0.1), 'one that drips its second request is');
    sleep 3;
    is($kept->get($one)->{body}, $well, 'one between two requests is not');
    sleep 3;
    $kept->write(substr $get_one, 0, 20);
    sleep 0.5;
    $kept->write(substr $get_one, 20);
    is($kept->response->{body}, $well, 'the clock starts with the first byte of a request');
};

scenario 'the time between two requests' => sub {
    set(server_idle_timeout => 1, server_header_timeout => 300);
    my $kept = PgrstClient->connect($port);
    is($kept->get($one)->{body}, $well, 'a request');
    ok($kept->is_closed(30), 'then the connection is closed');
    ok(PgrstClient->connect($port)->is_closed(30), 'one that never says anything, too');
    my $slow = PgrstClient->connect($port);
    my $done = 1;
    for my $byte (split //, $get_one) {
        $done &&= $slow->write($byte);
        sleep 0.05;
    }
    ok($done, 'one that drips is not idle');
    is($slow->response->{body}, $well, 'and is answered');
    set(server_idle_timeout => undef, server_header_timeout => undef);
};

sub post_head { my ($length) = @_; return "POST /rpc/length_of HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n$length\r\n\r\n" }

scenario 'slow bodies of requests' => sub {
    my $dripping = PgrstClient->connect($port);
    $dripping->write(post_head('Content-Length: 50000'));
    ok(is_cut_off_dripping($dripping, 'a' x 1000, 0.1), 'one that drips is cut off');
    my $chunked = PgrstClient->connect($port);
    $chunked->write(post_head('Transfer-Encoding: chunked'));
    my $cut_off = 0;
    for (1 .. 500) {
        last if $cut_off = !$chunked->write("1;" . 'x' x 500 . "\r\na\r\n") || ($chunked->read_some(undef, 0.1) // 'x') eq '';
    }
    ok($cut_off, 'so is one that sends much, but little of the body');
    my $silent = PgrstClient->connect($port);
    $silent->write(post_head('Content-Length: 50000') . 'a' x 49999);
    ok($silent->is_closed(30), 'so is one that stops before the last byte');
    my $ended = PgrstClient->connect($port);
    $ended->write(post_head('Content-Length: 50000') . 'abc');
    shutdown $ended->socket, 1;
    ok($ended->is_closed(30), 'so is one that ends too early');
    my $steady = PgrstClient->connect($port);
    $steady->write(post_head('Content-Length: 60000'));
    for (1 .. 20) {
        $steady->write('a' x 3000);
        sleep 0.4;
    }
    is($steady->response->{body}, '60000', 'one that is fast enough is not, however long it takes');
};

scenario 'a request that takes its time in the database' => sub {
    my $gate = $cluster->session('api');
    $gate->sql('SELECT pg_advisory_lock(42)');
    my $waiting = PgrstClient->connect($port);
    $waiting->send('GET', '/gate');
    sleep 8;
    $gate->close;
    is($waiting->response->{status}, 200, 'is answered, for it is not the client that is slow');
};

# Connections whose answers are too large for what lies between executor and client.
sub hold_executors {
    my ($connect, $count) = @_;
    my @slow = map { $connect->() } 1 .. $count;
    $_->send('GET', '/blobs?size=eq.200000000&select=blob') for @slow;
    like($_->read_some(12), qr{^HTTP/1\.1 200}, 'an answer begins') for @slow;
    return @slow;
}

# Reads a byte of each from time to time until one is cut off; how many bytes that were.
sub read_drops {
    my (@connections) = @_;
    my $end = time() + PgrstCluster::deadline_s();
    my $bytes = 0;
    while (time() < $end) {
        for my $connection (@connections) {
            return $bytes if ($connection->read_some(1, 1) // '') eq '';
            $bytes++;
        }
        sleep 0.1;
        return $bytes if busy_executors() == 0;
    }
    die "never cut off\n";
}

sub over_tcp { return PgrstClient->connect($port, receive_buffer => 4096) }

scenario 'readers too slow for their answers' => sub {
    my @slow = hold_executors(\&over_tcp, 2);
    is(busy_executors(), 2, 'they hold all executors');
    my $other = PgrstClient->connect($port);
    $other->send('GET', $one);
    my $bytes = read_drops(@slow);
    is($other->response->{body}, $well, "another one is answered, after they took $bytes bytes more");
    wait_until { busy_executors() == 0 } 'the end of their statements';
    my @silent = hold_executors(\&over_tcp, 2);
    is($client->get($one)->{body}, $well, 'so with readers that read nothing');
    wait_until { busy_executors() == 0 } 'the end of their statements';
    $_->close for @slow, @silent;
};

scenario 'a reader that is slow, but fast enough' => sub {
    my $reader = over_tcp();
    $reader->send('GET', '/lines?limit=20000');
    my $start = time();
    my ($total, $head) = (0, '');
    $head .= $reader->read_some(500) until $head =~ /\r\n\r\n/;
    my ($length) = $head =~ /Content-Length: (\d+)/i;
    $total = length($head) - index($head, "\r\n\r\n") - 4;
    while ($total < $length) {
        my $bytes = $reader->read_some(10000);
        last if !defined $bytes || $bytes eq '';
        $total += length $bytes;
        sleep 0.1;
    }
    is($total, $length, sprintf 'gets all %d bytes in %.0f seconds', $length, time() - $start);
};

scenario 'slow readers on a unix socket' => sub {
    my $file = $cluster->dir . '/api.sock';
    set(server_unix_socket => $file, server_max_connections_per_address => 1);
    my @slow = hold_executors(sub { PgrstClient->over(IO::Socket::UNIX->new(Peer => $file)) }, 2);
    my $other = PgrstClient->over(IO::Socket::UNIX->new(Peer => $file));
    is($other->get($one)->{body}, $well, 'one that reads nothing is cut off; connections are not counted');
    set(server_unix_socket => undef, server_max_connections_per_address => undef);
};

# How many of the connections are served.
sub served { return scalar grep { $_->get($one)->{status} == 200 } @_ }

scenario 'connections of one address' => sub {
    my $gate = $cluster->session('api');
    $gate->sql('SELECT pg_advisory_lock(42)');
    my $waiting = PgrstClient->connect($port);
    $waiting->send('GET', '/gate');
    wait_until { busy_executors() == 1 } 'the request at the gate';
    set(server_max_connections_per_address => 5, server_host => '*');
    my @connections = map { PgrstClient->connect($port) } 1 .. 10;
    is(served(@connections), 4, 'four beside the one from before');
    my $elsewhere = IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $port, LocalHost => '127.0.0.2');
    is(served(PgrstClient->over($elsewhere)), 1, 'another address is not concerned');
    $_->close for @connections;
    $gate->close;
    is($waiting->response->{status}, 200, 'the request from before is answered');
    $waiting->close;
    wait_until {
        my @all = map { PgrstClient->connect($port) } 1 .. 5;
        my $count = served(@all);
        $_->close for @all;
        $count == 5;
    } 'five of five';
    set(server_max_connections_per_address => undef, server_host => undef);
    is(served(map { PgrstClient->connect($port) } 1 .. 10), 10, 'ten without a limit');
};

scenario 'sizes' => sub {
    my $status = sub {
        my ($bytes) = @_;
        my $connection = PgrstClient->connect($port);
        $connection->write($bytes);
        return $connection->response(seconds => 30)->{status};
    };
    is($status->("GET /items?name=eq." . 'a' x 90000 . " HTTP/1.1\r\nHost: x\r\n\r\n"), 414, 'a URL too long');
    is($status->("GET $one HTTP/1.1\r\nHost: x\r\nX-Long: " . 'a' x 90000 . "\r\n\r\n"), 431, 'a header too large');
    is($status->("GET $one HTTP/1.1\r\nHost: x\r\n" . join('', map { "X-$_: $_\r\n" } 1 .. 3000) . "\r\n"), 431, 'headers too many');
    is($status->(post_head('Content-Length: 1000001')), 413, 'a body too large');
    is($client->get($one)->{body}, $well, 'the next request');
};

scenario 'the memory of all bodies' => sub {
    set(server_max_body_memory => 1);
    my $body = '"' . 'a' x 899998 . '"';
    my $head = post_head('Content-Length: ' . length $body);
    my $first = PgrstClient->connect($port);
    $first->write($head . substr($body, 0, 500_000));
    my $answer = sub {
        my ($bytes) = @_;
        my $connection = PgrstClient->connect($port);
        $connection->write($bytes);
        return $connection->response(seconds => 30);
    };
    my $chunked = post_head('Transfer-Encoding: chunked') . sprintf("%x\r\n", length $body) . "$body\r\n0\r\n\r\n";
    my $r;
    wait_until { ($r = $answer->($head))->{status} == 503 } 'a refusal of a body that is announced';
    is($r->{json}{code}, 'PGRST102', 'its code') or diag($r->{body});
    is($answer->($chunked)->{status}, 503, 'of one that is not');
    is($client->post('/rpc/length_of', body => 'x' x 1000, 'Content-Type' => 'text/plain')->{body}, '1000', 'small ones have room');
    $first->write(substr($body, 500_000));
    is($first->response(seconds => 30)->{status}, 200, 'the first is read to its end');
    wait_until { $answer->($head . $body)->{status} == 200 } 'room again';
    is($answer->($chunked)->{status}, 200, 'for all');
    set(server_max_body_memory => undef);
};

scenario 'requests that wait for an executor' => sub {
    $cluster->sql(q(ALTER ROLE authenticator SET "pgrst.server_max_queue" = 1));
    is($client->get($one)->{status}, 200, 'a request that sees the new length');
    my $gate = $cluster->session('api');
    $gate->sql('SELECT pg_advisory_lock(42)');
    my @waiting = map { my $c = PgrstClient->connect($port); $c->send('GET', '/gate'); $c } 1 .. 30;
    wait_until { grep { IO::Select->new($_->socket)->can_read(0) } @waiting } 'a refusal';
    $gate->close;
    my %count;
    for my $r (map { $_->response } @waiting) {
        $count{$r->{status}}++;
        is($r->{json}{code}, 'PGRST003', 'a refusal') if $r->{status} == 504;
    }
    is_deeply([sort keys %count], [200, 504], 'some are answered, some refused');
    $cluster->sql(q(ALTER ROLE authenticator RESET "pgrst.server_max_queue"));
};

scenario 'the time that the answer to a request may take' => sub {
    $cluster->sql('ALTER ROLE authenticator SET "pgrst.server_request_timeout" = 2');
    $cluster->sql('NOTIFY pgrst', db => 'api');
    wait_until { $cluster->sql(q(SELECT value FROM pgrst.effective_config WHERE name = 'server_request_timeout'),
        db => 'api') eq '2' } 'the setting';
    my @before = sort $cluster->executor_pids;
    my $r = $client->get('/sleep');
    is("$r->{status} $r->{json}{code}", '504 57014', 'its statement is cancelled') or diag($r->{body});
    is($r->{json}{message}, 'canceling statement due to request timeout', 'and why is said');
    my @waiting = map { my $c = PgrstClient->connect($port); $c->send('GET', '/sleep'); $c } 1 .. 4;
    for my $w (map { $_->response } @waiting) {
        like("$w->{status} $w->{json}{code}", qr/^504 (?:57014|PGRST003)$/, 'two run, two wait: waiting counts too');
    }
    my %is_there = map { $_ => 1 } $cluster->executor_pids;
    is(scalar(grep { !$is_there{$_} } @before), 0, 'the executors live on');
    is($client->get('/nap')->{status}, 200, 'what is in time is answered');
    $cluster->sql('ALTER ROLE authenticator RESET "pgrst.server_request_timeout"');
    $cluster->sql('NOTIFY pgrst', db => 'api');
};

# Another process opens the connections, for it may have more files than this one.
my $opener = <<'PERL';
use IO::Socket::INET;
my ($port, $wanted, $request) = @ARGV;
$| = 1;
my @open;
while (@open < $wanted) {
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 60) or last;
    syswrite $socket, $request;
    sysread $socket, my $answer, 4096;
    last if ($answer // '') !~ m{^HTTP/1\.1 200};
    push @open, $socket;
}
print scalar(@open), "\n";
<STDIN>;
PERL

sub pss_kb {
    my ($pid) = @_;
    open(my $fh, '<', "/proc/$pid/smaps_rollup") or return undef;
    my ($kb) = map { /^Private_Dirty:\s+(\d+)/ ? $1 : () } <$fh>;
    return $kb;
}

scenario 'ten thousand connections that are kept' => sub {
    chomp(my $files = `sh -c 'ulimit -H -n'`);
    $files = 1_000_000 if $files eq 'unlimited';
    my $count = $files < 10200 ? $files - 200 : 10000;
    plan skip_all => "no more than $files files" if $count < 2000;
    set(server_max_connections => 20000, server_idle_timeout => 600, server_connection_memory => 32768);
    my $pid = $cluster->gateway_pid;
    my $before = pss_kb($pid);
    my $child = IPC::Open2::open2(my $out, my $in, 'sh', '-c', 'ulimit -n $(ulimit -H -n); exec "$@"', 'sh', $^X, '-e', $opener,
        $port, $count, $get_one);
    is(readline($out), "$count\n", "$count connections, each after a request");
    is($client->get($one)->{body}, $well, 'another one is served') for 1 .. 20;
    my $after = pss_kb($pid);
    note(sprintf '%d connections take %.1f kB each in the gateway', $count, ($after - $before) / $count) if defined $after;
    cmp_ok($after - $before, '<', $count * 64, 'with a bounded memory') if defined $after;
    close $in;
    close $out;
    waitpid $child, 0;
    wait_until { served(PgrstClient->connect($port)) } 'service after they have gone';
    set(server_max_connections => undef, server_idle_timeout => undef, server_connection_memory => undef);
};

ok(!$cluster->crashed, 'no process crashed') or diag(grep { /signal|TRAP|PANIC/ } split /^/, $cluster->log);
done_testing;
