# Executors: slow, cancelled, killed and overloaded ones, and what their other clients notice of it;
# large responses.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Digest::MD5 ();
use PgrstClient;
use PgrstCluster;
use Test::More;
use Time::HiRes qw(sleep time);

my $cluster = PgrstCluster->start_with_api(conf => {
    'pgrst.db_pool' => 4,
    'pgrst.db_pool_max_idletime' => 600,
});
my $client = PgrstClient->new($cluster->port);

# A transaction that holds the lock that requests of /gate wait for.
sub close_gate {
    my $session = $cluster->session('api');
    $session->sql('SELECT pg_advisory_lock(42)');
    return $session;
}

# Connections whose requests wait at the gate.
sub wait_at_gate {
    my ($count) = @_;
    my @waiting = map { my $c = PgrstClient->connect($cluster->port); $c->send('GET', '/gate'); $c } 1 .. $count;
    wait_until { waiting_pids() >= $count } 'requests that wait at the gate';
    return @waiting;
}

sub waiting_pids {
    return split /\n/, $cluster->sql(
        q(SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted ORDER BY pid));
}

sub wait_until_idle {
    my ($what) = @_;
    wait_until {
        $cluster->sql(q(SELECT count(*) FROM pg_stat_activity
            WHERE backend_type = 'postgrest executor' AND state <> 'idle')) eq '0';
    } $what;
}

scenario 'slow requests delay nobody while an executor is free' => sub {
    my $gate = close_gate();
    my @waiting = wait_at_gate(3);
    my $begun = time();
    is($client->get('/items?id=eq.1')->{status}, 200, "request $_ beside three slow ones") for 1 .. 20;
    cmp_ok(time() - $begun, '<', 10, 'and quickly');
    is(scalar(waiting_pids()), 3, 'which are still waiting');
    $gate->close;
    is($_->response->{status}, 200, 'a slow request ends well') for @waiting;
};

scenario 'more executors are started under load, up to db_pool' => sub {
    my $gate = close_gate();
    my @waiting = wait_at_gate(4);
    push @waiting, PgrstClient->connect($cluster->port);
    $waiting[-1]->send('GET', '/items?id=eq.2');
    sleep 0.5;
    is(scalar($cluster->executor_pids), 4, 'not more than db_pool');
    $gate->close;
    is($_->response->{status}, 200, 'a request of more than db_pool at once') for @waiting;
};

scenario 'an executor that is terminated costs its own request only' => sub {
    my $gate = close_gate();
    my @waiting = wait_at_gate(2);
    my ($victim) = waiting_pids();
    $cluster->sql("SELECT pg_terminate_backend($victim)");
    wait_until { waiting_pids() == 1 } 'the end of the executor';
    is($client->get('/items?id=eq.1')->{status}, 200, 'a request directly afterwards');
    $gate->close;
    my @responses = map { $_->response } @waiting;
    my ($lost) = grep { $_->{status} != 200 } @responses;
    is(join(' ', sort map { $_->{status} } @responses), '200 503', 'one lost, one answered');
    is($lost->{json}{code}, 'PGRST001', 'code of the lost one');
    is($lost->{headers}{'retry-after'}, '1', 'it may be tried again');
    isnt($_->{json}[0]{pid}, $victim, 'the other one was not on that executor')
        for grep { $_->{status} == 200 } @responses;
    wait_until { $cluster->executor_pids >= 1 } 'a new executor';
    is($client->get('/items?id=eq.1')->{status}, 200, 'a later request');
};

scenario 'all executors terminated while they are idle: the next request is served' => sub {
    $cluster->sql('SELECT pg_terminate_backend(pid) FROM pg_stat_activity'
        . q( WHERE backend_type = 'postgrest executor'));
    is($client->get('/items?id=eq.1')->{status}, 200, "request $_") for 1 .. 5;
};

scenario 'pg_cancel_backend ends the statement, not the executor' => sub {
    my $connection = PgrstClient->connect($cluster->port);
    $connection->send('GET', '/sleep');
    my $pid = wait_until {
        $cluster->sql(q(SELECT pid FROM pg_stat_activity WHERE backend_type = 'postgrest executor'
            AND wait_event = 'PgSleep'))
    } 'the statement';
    $cluster->sql("SELECT pg_cancel_backend($pid)");
    my $r = $connection->response;
    is($r->{status}, 500, 'status');
    is($r->{json}{code}, '57014', 'code');
    is($connection->get('/me')->{status}, 200, 'the connection goes on');
    ok((grep { $_ == $pid } $cluster->executor_pids), 'the executor lives on');
};

scenario 'cancelling idle executors does nothing' => sub {
    my @before = $cluster->executor_pids;
    for (1 .. 3) {
        $cluster->sql('SELECT pg_cancel_backend(pid) FROM pg_stat_activity'
            . q( WHERE backend_type LIKE 'postgrest %'));
        is($client->get('/items?id=eq.1')->{status}, 200, 'a request afterwards');
    }
    is_deeply([sort $cluster->executor_pids], [sort @before], 'same executors');
};

scenario 'the statement of a client that vanishes is cancelled' => sub {
    for my $how (qw(close reset)) {
        my $connection = PgrstClient->connect($cluster->port);
        $connection->send('GET', '/sleep');
        wait_until {
            $cluster->sql(q(SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep')) eq '1'
        } 'the statement';
        $connection->$how;
        wait_until_idle("the end of the statement after a $how");
        pass("cancelled after a $how");
        is($client->get('/items?id=eq.1')->{status}, 200, 'the next request is served');
    }
};

scenario 'the gateway dies: it comes back and serves, also what was running' => sub {
    my $before = $cluster->gateway_pid;
    my $connection = PgrstClient->connect($cluster->port);
    $connection->send('GET', '/sleep');
    wait_until {
        $cluster->sql(q(SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep')) eq '1'
    } 'the statement';
    $cluster->sql("SELECT pg_terminate_backend($before)");
    wait_until { my $pid = $cluster->gateway_pid; $pid && $pid != $before } 'a new gateway';
    $cluster->wait_for_http;
    is($client->get('/items?id=eq.1')->{status}, 200, 'a request after it');
    wait_until_idle('the end of the statement that nobody waits for');
    my $gate = close_gate();
    my @waiting = wait_at_gate(3);
    is($client->get('/items?id=eq.1')->{status}, 200, 'all executors are of use again');
    $gate->close;
    is($_->response->{status}, 200, 'and answer') for @waiting;
};

scenario 'large responses arrive complete' => sub {
    for my $size (1, 100, 65536, 131072, 262144, 262145, 1000003) {
        my $r = $client->get("/blobs?size=eq.$size&select=blob,letter");
        is(length $r->{body}, $size + length('[{"blob":"","letter":"a"}]'), "size of $size");
        ok($r->{body} eq '[{"blob":"' . chr(97 + $size % 26) x $size . '","letter":"'
            . chr(97 + $size % 26) . '"}]', "bytes of $size");
    }
    for my $size (50000000, 200000000) {
        my $connection = PgrstClient->connect($cluster->port);
        $connection->send('GET', "/blobs?size=eq.$size&select=blob");
        my $letter = chr(97 + $size % 26);
        my ($total, $letters) = (0, 0);
        my $r = $connection->response(on_body => sub {
            $total += length $_[0];
            $letters += eval "\$_[0] =~ tr/$letter//";
        });
        is($r->{status}, 200, "status of $size");
        is($total, $size + length '[{"blob":""}]', "size of $size");
        cmp_ok($letters, '>=', $size, "bytes of $size");
        is($connection->get('/items?id=eq.1&select=id')->{body}, '[{"id":1}]', 'the connection goes on');
    }
};

scenario 'large responses of many rows, more than one at once' => sub {
    my $expected = join ", \n ", map { qq({"n":$_,"hash":") . Digest::MD5::md5_hex($_) . '"}' } 1 .. 200000;
    my @connections = map { PgrstClient->connect($cluster->port) } 1 .. 3;
    $_->send('GET', '/lines?limit=200000') for @connections;
    for my $connection (@connections) {
        my $r = $connection->response;
        is($r->{status}, 200, 'status');
        ok($r->{body} eq "[$expected]", 'body') or diag(length($r->{body}), ' ', length $expected);
    }
};

scenario 'a slow reader of a large response holds up nobody and gets all of it' => sub {
    my $slow = PgrstClient->connect($cluster->port, receive_buffer => 65536);
    $slow->send('GET', '/blobs?size=eq.50000000&select=blob');
    my $first = $slow->read_some(1000);
    like($first, qr{^HTTP/1\.1 200 }, 'the response has begun');
    for (1 .. 20) {
        is($client->get('/items?id=eq.1')->{status}, 200, 'a small request meanwhile');
    }
    cmp_ok(rss_mb($cluster->gateway_pid), '<', 60, 'the gateway does not buffer the response');
    $slow->{buffer} = $first;
    my $total = 0;
    my $r = $slow->response(on_body => sub { $total += length $_[0] });
    is($r->{status}, 200, 'status');
    is($total, 50000000 + length '[{"blob":""}]', 'size');
};

scenario 'a client that vanishes in the middle of a large response' => sub {
    for (1 .. 4) {
        my $connection = PgrstClient->connect($cluster->port, receive_buffer => 65536);
        $connection->send('GET', '/blobs?size=eq.50000000&select=blob');
        $connection->read_some(1000);
        $_ % 2 ? $connection->close : $connection->reset;
    }
    wait_until_idle('executors without work');
    wait_until {
        $cluster->sql(q(SELECT count(*) FROM pgrst.status WHERE state = 'busy'), db => 'api') eq '0'
    } 'no busy executor';
    is($client->get('/items?id=eq.1')->{status}, 200, 'the next request is served');
};

scenario 'an error in the middle of a large result is an error, not a truncated body' => sub {
    my $r = $client->get('/failing_late');
    is($r->{status}, 400, 'status');
    is($r->{json}{code}, '22012', 'code');
};

scenario 'many keep-alive connections get their own answers' => sub {
    my @connections = map { PgrstClient->connect($cluster->port) } 1 .. 50;
    my $wrong = 0;
    for my $round (1 .. 20) {
        for my $i (0 .. $#connections) {
            my $n = 1 + ($round * 37 + $i * 13) % 1000;
            $connections[$i]{expected} = qq([{"n":$n}]);
            $connections[$i]->send('GET', "/numbers?n=eq.$n&select=n");
        }
        for my $connection (reverse @connections) {
            my $r = $connection->response;
            $wrong++ if $r->{status} != 200 || $r->{body} ne $connection->{expected};
        }
    }
    is($wrong, 0, '1000 requests over 50 connections');
};

scenario 'pipelined requests are answered in order' => sub {
    my $connection = PgrstClient->connect($cluster->port);
    $connection->write(join '', map { "GET /numbers?n=eq.$_&select=n HTTP/1.1\r\nHost: x\r\n\r\n" } 1 .. 20);
    is(join(' ', map { $connection->response->{body} } 1 .. 20), join(' ', map { qq([{"n":$_}]) } 1 .. 20),
        'twenty in one write');
};

ok(!$cluster->crashed, 'no process crashed');

# -- a pool of one
# -------------------------------------------------------------------------------------------------

$cluster->append_conf(
    'pgrst.db_pool' => 1,
    'pgrst.db_pool_acquisition_timeout' => 1,
    'pgrst.server_max_queue' => 30,
);
$cluster->restart;
$cluster->wait_for_http;

scenario 'no executor free in time: 504' => sub {
    my $gate = close_gate();
    my ($waiting) = wait_at_gate(1);
    my $begun = time();
    my $r = $client->get('/items?id=eq.1');
    is($r->{status}, 504, 'status');
    is($r->{json}{code}, 'PGRST003', 'code');
    is($r->{json}{message}, 'Timed out acquiring connection from connection pool.', 'message');
    cmp_ok(time() - $begun, '>=', 0.9, 'not before the time-out');
    $gate->close;
    is($waiting->response->{status}, 200, 'the slow request');
    is($client->get('/items?id=eq.1')->{status}, 200, 'the next one');
};

scenario 'the queue is full: 504 for those beyond' => sub {
    my $gate = close_gate();
    my ($waiting) = wait_at_gate(1);
    my @connections = map { PgrstClient->connect($cluster->port) } 1 .. 100;
    $_->send('GET', '/items?id=eq.1') for @connections;
    my @responses = map { $_->response } @connections;
    is(scalar(grep { $_->{status} == 504 } @responses), 100, 'all time out or find the queue full');
    $gate->close;
    is($waiting->response->{status}, 200, 'the slow request');
    is($client->get('/items?id=eq.1')->{status}, 200, 'the next one');
    my @again = map { $_->request('GET', '/items?id=eq.1') } @connections;
    is(scalar(grep { $_->{status} == 200 } @again), 100, 'the same connections are served again');
};

# -- retirement
# -------------------------------------------------------------------------------------------------

$cluster->append_conf(
    'pgrst.db_pool' => 4,
    'pgrst.db_pool_acquisition_timeout' => 10,
    'pgrst.db_pool_max_idletime' => 1,
);
$cluster->restart;
$cluster->wait_for_http;

scenario 'idle executors retire but one' => sub {
    my $gate = close_gate();
    my @waiting = wait_at_gate(4);
    $gate->close;
    is($_->response->{status}, 200, 'a request') for @waiting;
    wait_until { $cluster->executor_pids == 1 } 'the retirement of the others';
    sleep 2;
    is(scalar($cluster->executor_pids), 1, 'one stays');
    is($client->get('/items?id=eq.1')->{status}, 200, 'and serves');
};

scenario 'executors beyond their lifetime are replaced' => sub {
    my ($before) = $cluster->executor_pids;
    $cluster->append_conf('pgrst.db_pool_max_lifetime' => 1);
    $cluster->reload;
    wait_until {
        my $r = $client->get('/me?select=pid');
        is($r->{status}, 200, 'a request') if $r->{status} != 200;
        $r->{status} == 200 && $r->{json}[0]{pid} != $before;
    } 'another executor';
    pass('replaced, and every request was served');
};

ok(!$cluster->crashed, 'no process crashed');

sub rss_mb {
    my ($pid) = @_;
    open(my $fh, '<', "/proc/$pid/status") or return 0;
    my ($kb) = map { /^RssAnon:\s+(\d+)/ ? $1 : () } <$fh>;
    return ($kb // 0) / 1024;
}

done_testing;
