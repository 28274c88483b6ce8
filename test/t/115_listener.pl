# Where the gateway listens: the forms of server_host, a port that is chosen by itself, SO_REUSEPORT, unix sockets.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use IO::Socket::IP;
use IO::Socket::UNIX;
use PgrstClient;
use PgrstCluster;
use Socket qw(SO_REUSEPORT SOL_SOCKET);
use Test::More;

my $cluster = PgrstCluster->start_with_api;
my $port = $cluster->port;
my $has_v6 = defined IO::Socket::IP->new(LocalHost => '::1', Listen => 1);
my $log_position;

# Changes settings of the listener, in one transaction; undef: back to the cluster's own. The notification wakes an
# idle gateway.
sub set { $log_position = $cluster->set_for_authenticator(@_) }

sub serves_on { $cluster->wait_until_it_serves_on(@_, $log_position) }

# The answer of whoever listens there, or undef.
sub answer_on {
    my ($socket) = @_;
    return undef if !$socket;
    my $connection = PgrstClient->over($socket);
    my $body = $connection->get('/items?id=eq.1&select=id')->{body};
    $connection->close;
    return $body;
}
sub over_tcp { my ($host) = @_; return answer_on(IO::Socket::IP->new(PeerHost => $host, PeerPort => $port, Timeout => 5)) }
sub over_file { my ($file) = @_; return answer_on(IO::Socket::UNIX->new(Peer => $file)) }

my $well = '[{"id":1}]';

# The cluster's own server_host stands in postgresql.conf.
scenario 'forms of server_host' => sub {
    my %served = (    # over IPv4, over IPv6
        '*' => [1, 1], '*4' => [1, 0], '!4' => [1, 0], '*6' => [1, 1], '!6' => [0, 1], '0.0.0.0' => [1, 0],
        '127.0.0.1' => [1, 0], '::1' => [0, 1], '::' => [1, 1],
    );
    for my $host (sort keys %served) {
        next if !$has_v6 && $host =~ /^!6$|:/;
        set(server_host => $host);
        serves_on(qq("$host" port $port));
        my ($v4, $v6) = @{$served{$host}};
        is(over_tcp('127.0.0.1'), $v4 ? $well : undef, "$host: IPv4");
        is(over_tcp('::1'), $v6 ? $well : undef, "$host: IPv6") if $has_v6;
    }
    set(server_host => 'localhost');
    serves_on(qq("localhost" port $port));
    is(over_tcp('localhost'), $well, 'a name');
    set(server_host => 'no-such-host.invalid');
    wait_until { $cluster->status('last_error') =~ /could not resolve "no-such-host\.invalid": / } 'the problem in pgrst.status';
    is(over_tcp('127.0.0.1'), undef, 'a name that is none: not served');
    set(server_host => undef);
    serves_on(qq("127.0.0.1" port $port));
    is($cluster->status('last_error'), '', 'the problem is gone');
};

scenario 'a port that is chosen' => sub {
    set(server_port => 0);
    my ($chosen) = $cluster->wait_for_log(qr/serving database "api" on "127\.0\.0\.1" port (\d+)\n/, $log_position)
        && $cluster->log($log_position) =~ /on "127\.0\.0\.1" port (\d+)\n/;
    cmp_ok($chosen, '>', 0, "the log says which: $chosen");
    is($cluster->status('port'), $chosen, 'so does pgrst.status');
    is(PgrstClient->new($chosen)->get('/items?id=eq.1&select=id')->{body}, $well, 'served');
    is(over_tcp('127.0.0.1'), undef, 'the old port is closed');
    set(server_port => undef);
    serves_on(qq("127.0.0.1" port $port));
};

scenario 'new limits or another port while requests run' => sub {
    my $gate = $cluster->session('api');
    $gate->sql('SELECT pg_advisory_lock(42)');
    my $at_gate = sub { $cluster->sql(q(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)) };
    my $waiting = PgrstClient->connect($port);
    $waiting->send('GET', '/gate');
    wait_until { $at_gate->() == 1 } 'the request at the gate';
    my $idle = PgrstClient->connect($port);
    is($idle->get('/items?id=eq.1&select=id')->{body}, $well, 'a connection that is kept');
    set(server_max_connections => 500);
    # Nobody is turned away in the moment of the change, or later.
    for (1 .. 200) {
        is(over_tcp('127.0.0.1'), $well, "connection $_") or last;
        last if $cluster->log($log_position) =~ /serving database "api"/;
    }
    serves_on(qq("127.0.0.1" port $port));
    is(over_tcp('127.0.0.1'), $well, 'served with the new limits');
    my $other = PgrstCluster::free_port();
    set(server_port => $other);
    serves_on(qq("127.0.0.1" port $other));
    is(over_tcp('127.0.0.1'), undef, 'the old port is closed');
    my $r = $idle->get('/items?id=eq.1&select=id');
    is($r->{body}, $well, 'the kept connection still serves');
    is($r->{headers}{connection}, 'close', 'once');
    $gate->close;
    is($waiting->response->{status}, 200, 'the request that began before is answered');
    set(server_port => undef, server_max_connections => undef);
    serves_on(qq("127.0.0.1" port $port));
};

scenario 'a port shared with another server' => sub {
    set(server_reuseport => 'on');
    serves_on(qq("127.0.0.1" port $port));
    my $other = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 5, ReusePort => 1);
    ok($other, 'another server can listen beside ours');
    close $other if $other;
    set(server_reuseport => undef);
    serves_on(qq("127.0.0.1" port $port));
    ok(!IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 5, ReusePort => 1), 'not without the setting');
};

sub mode_of { return sprintf '%o', (stat $_[0])[2] & 07777 }

scenario 'a unix socket' => sub {
    my $file = $cluster->dir . '/api.sock';
    set(server_unix_socket => $file);
    serves_on(qq(unix socket "$file"));
    ok(-S $file, 'there it is');
    is(mode_of($file), '660', 'its mode');
    is(over_file($file), $well, 'served');
    is(over_tcp('127.0.0.1'), undef, 'the port is closed');
    is($cluster->status('port'), '', 'no port in pgrst.status');
    my $connection = PgrstClient->over(IO::Socket::UNIX->new(Peer => $file));
    is($connection->get('/items?id=eq.1&select=id')->{body}, $well, "request $_ on one connection") for 1 .. 3;
    is(scalar @{$connection->get('/lines?limit=10000')->{json} // []}, 10000, 'a large answer');
    $connection->close;
    set(server_unix_socket_mode => 777);
    wait_until { -e $file && mode_of($file) eq '777' } 'another mode';
    serves_on(qq(unix socket "$file"));
    is(over_file($file), $well, 'served with it');
    my $second = $cluster->dir . '/second.sock';
    set(server_unix_socket => $second, server_unix_socket_mode => 600);
    serves_on(qq(unix socket "$second"));
    ok(!-e $file, 'the old file is gone');
    is(mode_of($second), '600', 'mode of the new one');
    set(server_unix_socket => undef, server_unix_socket_mode => undef);
    serves_on(qq("127.0.0.1" port $port));
    ok(!-e $second, 'removed when it is not listened on any more');
};

scenario 'what is in the way of a unix socket' => sub {
    my $plain = $cluster->dir . '/plain';
    open(my $fh, '>', $plain) or die $!;
    print $fh "precious\n";
    close $fh;
    set(server_unix_socket => $plain);
    my $problem = sub { $cluster->status('last_error') };
    wait_until { $problem->() eq qq(could not listen on unix socket "$plain": a file that is not a socket is there) } 'the plain file';
    is(-s $plain, 9, 'it is left alone');
    my $taken = $cluster->dir . '/taken';
    my $other = IO::Socket::UNIX->new(Local => $taken, Listen => 5) or die $!;
    set(server_unix_socket => $taken);
    wait_until { $problem->() eq qq(could not listen on unix socket "$taken": another server listens on it) } 'the other server';
    ok(-S $taken, 'it keeps its file');
    close $other;
    serves_on(qq(unix socket "$taken"));
    is(over_file($taken), $well, 'served once the other has ended, in spite of the file that it left');
    set(server_unix_socket => $cluster->dir . '/no/such/folder');
    wait_until { $problem->() =~ /could not listen on unix socket ".*folder": No such file or directory/ } 'the folder that is not there';
    my $long = '/tmp/' . 'x' x 103;
    my ($status, undef, $messages) = $cluster->psql(qq(ALTER ROLE authenticator SET "pgrst.server_unix_socket" = '$long'), db => 'api');
    isnt($status, 0, 'a path too long is refused');
    like($messages, qr/The value must be a path of at most 107 bytes\./, 'and that is said');
    for my $mode (qw(577 1000 rw)) {
        ($status) = $cluster->psql(qq(ALTER ROLE authenticator SET "pgrst.server_unix_socket_mode" = '$mode'), db => 'api');
        isnt($status, 0, "mode $mode is refused");
    }
};

scenario 'the file of a unix socket when processes end' => sub {
    my $file = $cluster->dir . '/api.sock';
    set(server_unix_socket => $file);
    serves_on(qq(unix socket "$file"));
    $cluster->sql('DROP EXTENSION postgrest_ext', db => 'api');
    wait_until { !-e $file } 'its removal with the extension';
    $log_position = $cluster->log_position;
    $cluster->sql('CREATE EXTENSION postgrest_ext', db => 'api');
    serves_on(qq(unix socket "$file"));
    is(over_file($file), $well, 'back with it');
    $log_position = $cluster->log_position;
    $cluster->sql('SELECT pg_terminate_backend(' . $cluster->gateway_pid . ')');
    serves_on(qq(unix socket "$file"));
    is(over_file($file), $well, 'back after the gateway was ended');
    $log_position = $cluster->log_position;
    $cluster->stop('immediate');
    ok(-e $file, 'left behind by a server that had no time');
    $cluster->start;
    serves_on(qq(unix socket "$file"));
    is(over_file($file), $well, 'served again, on a new file');
    $cluster->stop('fast');
    ok(!-e $file, 'gone with the server');
};

done_testing;
