# Clients that are slow lose what is scarce to those who wait: executors, and memory for bodies.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::IP;
use PgrstClient;
use PgrstCluster;
use Test::More;
use Time::HiRes qw(sleep time);

my $cluster = PgrstCluster->start_with_api(conf => {'pgrst.db_pool' => 4});
create_function($cluster);

sub create_function {
    $_[0]->sql(q(CREATE FUNCTION api.length_of(text) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT length($1)'), db => 'api');
}
my $port = $cluster->port;
my $client = PgrstClient->new($port);
my $one = '/items?id=eq.1&select=id';
my $well = '[{"id":1}]';

# Another server, with these settings.
sub start_other {
    my (%settings) = @_;
    my $other = PgrstCluster->start_with_api(conf => {map { ("pgrst.$_" => $settings{$_}) } keys %settings});
    create_function($other);
    $port = $other->port;
    return $other;
}

sub busy_executors {
    return $cluster->sql(q(SELECT count(*) FROM pgrst.status WHERE process = 'executor' AND state = 'busy'), db => 'api');
}

sub from_address {
    my ($address) = @_;
    return PgrstClient->over(IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $port, LocalHost => $address));
}

sub hold_executors {
    my ($path, $count, %options) = @_;
    my @slow = map { PgrstClient->connect($port, receive_buffer => 4096, %options) } 1 .. $count;
    $_->send('GET', $path) for @slow;
    like($_->read_some(12), qr{^HTTP/1\.1 200}, 'an answer begins') for @slow;
    wait_until { busy_executors() == $count } 'busy executors';
    return @slow;
}

# Reads some bytes of each, as often as makes a few kB a second, while `done` is false.
sub read_slowly {
    my ($done, @connections) = @_;
    my $end = time() + PgrstCluster::deadline_s();
    while (!$done->()) {
        die "never done\n" if time() > $end;
        for my $connection (@connections) {
            $connection->read_some(500, 0);
        }
        sleep 0.1;
    }
}

sub has_answer { my ($connection) = @_; return IO::Select->new($connection->socket)->can_read(0) }

scenario 'readers that are slower than those who wait can bear' => sub {
    my @slow = hold_executors('/blobs?size=eq.200000000&select=blob', 4);
    my @waiting = map { my $c = PgrstClient->connect($port); $c->send('GET', $one); $c } 1 .. 20;
    read_slowly(sub { !grep { !has_answer($_) } @waiting }, @slow);
    is($_->response->{body}, $well, 'one that waited is answered') for @waiting;
    is($client->get($one)->{body}, $well, 'and one that comes later');
    $_->close for @slow, @waiting;
    wait_until { busy_executors() == 0 } 'the end of their statements';
};

scenario 'slow readers, and nobody waits' => sub {
    my @slow = hold_executors('/blobs?size=eq.50000000&select=blob', 3);
    my $end = time() + 4;
    read_slowly(sub { $client->get($one)->{body} ne $well || time() > $end }, @slow);
    is(busy_executors(), 3, 'they are left alone') for 1;
    $_->close for @slow;
    wait_until { busy_executors() == 0 } 'the end of their statements';
};

scenario 'readers that are fast are not cut off' => sub {
    my @fast = hold_executors('/blobs?size=eq.50000000&select=blob', 4, receive_buffer => 1_000_000);
    my $waiting = PgrstClient->connect($port);
    $waiting->send('GET', $one);
    my %left = map { $_ => 50000000 } 0 .. $#fast;
    my $end = time() + PgrstCluster::deadline_s();
    my $cut = 0;
    while (%left && !$cut && time() < $end) {
        for my $i (keys %left) {
            my $bytes = $fast[$i]->read_some(undef, 1);
            next if !defined $bytes;
            $cut++ if $bytes eq '';
            $left{$i} -= length $bytes;
            delete $left{$i} if $left{$i} <= 0;
        }
    }
    is($cut, 0, 'all of them get all');
    is($waiting->response->{body}, $well, 'one that waited is answered');
    $_->close for @fast;
};

sub head { return "POST /rpc/length_of HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: $_[0]\r\n\r\n" }

sub post_from {
    my ($address, $size) = @_;
    my $connection = from_address($address);
    $connection->write(head($size) . 'x' x $size);
    my $r = $connection->response;
    $connection->close;
    return $r;
}

# What is said to the head of a request, if there is something at once.
sub announce_from {
    my ($address, $size) = @_;
    my $connection = from_address($address);
    $connection->write(head($size));
    my $r = $connection->response(seconds => 0.3);
    $connection->close;
    return $r;
}

scenario 'bodies that are announced and do not come' => sub {
    my @slow = map { from_address('127.0.0.2') } 1 .. 8;
    $_->write(head(268435456) . 'x' x 1_100_000) for @slow;
    for my $address ('127.0.0.1', '127.0.0.2') {
        is(post_from($address, $_)->{body}, $_, "$address sends $_ bytes meanwhile") for 20_000, 1_000_000, 5_000_000;
    }
    $_->close for @slow;
};

scenario 'what one address may take' => sub {
    my $other = start_other(server_max_body_memory => 8, server_max_body_size => 2_000_000);
    my @slow = map { from_address('127.0.0.2') } 1 .. 4;
    $_->write(head(2_000_000) . 'x' x 1_500_000) for @slow;
    my $r;
    wait_until { ($r = announce_from('127.0.0.2', 1_000_000))->{status} == 503 } 'the end of its room';
    is("$r->{status} $r->{json}{code}", '503 PGRST102', 'it has no more');
    is(post_from('127.0.0.1', 1_000_000)->{body}, 1_000_000, 'another one has room');
    is($r->{headers}{'retry-after'}, 1, 'and is told to come again');
    is(post_from('127.0.0.2', 10_000)->{body}, 10_000, 'but for small ones');
    $_->close for @slow;
    wait_until { post_from('127.0.0.2', 1_000_000)->{status} == 200 } 'room again';
    $other->stop;
};

scenario 'bodies that are slow while memory is scarce' => sub {
    my $other = start_other(server_max_body_memory => 8, server_max_body_size => 8_000_000, server_transfer_timeout => 2);
    my $slow = from_address('127.0.0.2');
    $slow->write(head(8_000_000) . 'x' x 6_000_000);
    my $end = time() + PgrstCluster::deadline_s();
    my $cut = 0;
    until ($cut || time() > $end) {
        $cut = 1 if !$slow->write('x' x 500) || ($slow->read_some(undef, 0.1) // 'x') eq '';
    }
    ok($cut, 'one that comes at 5 kB a second is cut off, although server_min_rate is 1 kB');
    $other->stop;
    $other = start_other(server_max_body_memory => 100, server_max_body_size => 8_000_000, server_transfer_timeout => 2);
    $slow = from_address('127.0.0.2');
    $slow->write(head(6_030_000) . 'x' x 6_000_000);
    for (1 .. 60) { $slow->write('x' x 500); sleep 0.1 }
    is($slow->response->{body}, 6_030_000, 'with enough memory it is not');
    $other->stop;
};

ok(!$cluster->crashed, 'no process crashed') or diag(grep { /signal|TRAP|PANIC/ } split /^/, $cluster->log);
done_testing;
