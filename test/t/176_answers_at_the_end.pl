# What is answered when there is nobody left to do the work: at a shutdown, when the gateway is told to end, when the
# extension is dropped. Every request that has come gets an answer.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use PgrstClient;
use PgrstCluster;
use Test::More;

my $cluster = PgrstCluster->start_with_api(conf => {'pgrst.db_pool' => 3, 'pgrst.db_pool_acquisition_timeout' => 600});
my $client = PgrstClient->new($cluster->port);

sub busy_executors {
    return $cluster->sql(q(SELECT count(*) FROM pgrst.status WHERE process = 'executor' AND state = 'busy'), db => 'api');
}

sub send_requests {
    my ($count, @request) = @_;
    return map { my $c = PgrstClient->connect($cluster->port); $c->send(@request); $c } 1 .. $count;
}

# Three requests that are run, and as many that wait as are asked for.
sub keep_busy {
    my ($waiting) = @_;
    my @connections = send_requests(3, 'GET', '/sleep');
    wait_until { busy_executors() == 3 } 'three running statements';
    my $before = $cluster->sql(q(SELECT requests FROM pgrst.status WHERE process = 'gateway'), db => 'api');
    push @connections, send_requests($waiting, 'POST', '/items', body => {id => 100, name => 'never'});
    wait_until { $cluster->sql(q(SELECT requests FROM pgrst.status WHERE process = 'gateway'), db => 'api') >= $before + $waiting }
        'the arrival of the others';
    return @connections;
}

sub all_are_unavailable {
    my ($what, @connections) = @_;
    my %seen;
    for my $r (map { $_->response } @connections) {
        $seen{"$r->{status} " . (ref $r->{json} eq 'HASH' ? $r->{json}{code} : $r->{body}) . ' ' . ($r->{headers}{'retry-after'} // '')}++;
    }
    is_deeply(\%seen, {'503 PGRST001 1' => scalar @connections}, $what);
    ok($_->is_closed, 'closed') for @connections;
}

for my $waiting (0, 1, 40) {
    scenario "fast shutdown with three requests running and $waiting waiting" => sub {
        my @connections = keep_busy($waiting);
        $cluster->stop('fast');
        all_are_unavailable('each is answered 503', @connections);
        $cluster->start;
        $cluster->wait_for_http;
        is($client->get('/items?id=eq.100')->{body}, '[]', 'what waited has not been done');
    };
}

scenario 'fast shutdown while a large answer is taken slowly' => sub {
    my $slow = PgrstClient->connect($cluster->port, receive_buffer => 65536);
    $slow->send('GET', '/blobs?size=eq.200000000&select=blob');
    like($slow->read_some(12), qr{^HTTP/1\.1 200}, 'it begins');
    my @connections = send_requests(2, 'GET', '/sleep');
    wait_until { busy_executors() == 3 } 'three busy executors';
    $cluster->stop('fast');
    all_are_unavailable('the others are answered 503', @connections);
    ok($slow->is_closed, 'it is broken off');
    $cluster->start;
    $cluster->wait_for_http;
};

scenario 'the gateway is told to end' => sub {
    my @connections = keep_busy(5);
    my $quick = PgrstClient->connect($cluster->port);
    my $pid = $cluster->gateway_pid;
    $cluster->sql("SELECT pg_terminate_backend($pid)");
    all_are_unavailable('each is answered 503', @connections);
    wait_until { my $now = eval { $cluster->gateway_pid }; $now && $now != $pid } 'another gateway';
    $cluster->wait_for_http;
    is($client->get('/items?id=eq.100')->{body}, '[]', 'what waited has not been done');
    is(scalar(grep { $_ } $cluster->sql(q(SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'))), 0, 'and nothing runs on');
};

scenario 'the gateway is told to end while a request can still be done' => sub {
    my $connection = PgrstClient->connect($cluster->port);
    my $gate = $cluster->session('api');
    $gate->sql('SELECT pg_advisory_lock(42)');
    $connection->send('GET', '/gate');
    wait_until { busy_executors() == 1 } 'the running statement';
    my $pid = $cluster->gateway_pid;
    $cluster->sql("SELECT pg_terminate_backend($pid)");
    wait_until { $cluster->refuses_connections } 'the end of listening';
    $gate->close;
    is($connection->response->{status}, 200, 'it is answered');
    wait_until { my $now = eval { $cluster->gateway_pid }; $now && $now != $pid } 'another gateway';
    $cluster->wait_for_http;
};

scenario 'the extension is dropped' => sub {
    my @connections = send_requests(2, 'GET', '/sleep');    # the third executor sees what has happened
    wait_until { busy_executors() == 2 } 'two running statements';
    $cluster->sql('DROP EXTENSION postgrest_ext', db => 'api');
    all_are_unavailable('each is answered 503', @connections);
    $cluster->sql('CREATE EXTENSION postgrest_ext', db => 'api');
    $cluster->wait_for_http;
    is($client->get('/items?id=eq.100')->{body}, '[]', 'what waited has not been done');
};

scenario 'the database is dropped' => sub {
    my @connections = keep_busy(5);
    $cluster->sql('DROP DATABASE api WITH (FORCE)');
    my %seen;
    $seen{$_->response->{status}}++ for @connections;
    is_deeply(\%seen, {503 => 8}, 'each is answered 503');
};

ok(!$cluster->crashed, 'no process crashed') or diag(grep { /signal|TRAP|PANIC/ } split /^/, $cluster->log);
done_testing;
