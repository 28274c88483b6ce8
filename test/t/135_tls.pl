# The listener with TLS: which files it takes, what is served over it, and that new files, good and bad ones, cut nobody
# off.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::UNIX;
use PgrstClient;
use PgrstCluster;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => 'no IO::Socket::SSL' if !eval { require IO::Socket::SSL; 1 };
plan skip_all => 'no openssl' if system('openssl version >/dev/null 2>&1') != 0;

my $cluster = PgrstCluster->start_with_api(conf => {
    'pgrst.server_max_body_size' => 3000000,
    'pgrst.server_transfer_timeout' => 3,
    'pgrst.db_pool' => 2,
    'pgrst.db_pool_acquisition_timeout' => 60,
});
$cluster->sql(<<'SQL', db => 'api');
CREATE FUNCTION api.length_of(text) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT length($1)';
SQL
my $port = $cluster->port;
my $data = $cluster->data;
my $one = '/items?id=eq.1&select=id';
my $well = '[{"id":1}]';
my $log_position;

# -- certificates
# -------------------------------------------------------------------------------------------------

sub run { system("@_ >/dev/null 2>&1") == 0 or die "failed: @_\n" }

# The contents of a certificate of that name and of its key.
sub make_identity {
    my ($name, @algorithm) = @_;
    @algorithm = qw(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1) if !@algorithm;
    my $file = $cluster->dir . "/$name";
    run('openssl req -x509 -nodes -days 30', @algorithm, "-keyout $file.key -out $file.crt -subj /CN=$name");
    return map { PgrstCluster::slurp("$file.$_") } qw(crt key);
}

# Replaces a file of the data directory in one step.
sub install_file {
    my ($name, $content, $mode) = @_;
    open(my $fh, '>', "$data/$name.new") or die $!;
    print $fh $content;
    close $fh or die $!;
    chmod $mode, "$data/$name.new" or die $!;
    rename "$data/$name.new", "$data/$name" or die $!;
}

sub install {
    my ($certificate, $key) = @_;
    install_file('server.crt', $certificate, 0644);
    install_file('server.key', $key, 0600);
}

# -- settings, as in the test of the listener
# -------------------------------------------------------------------------------------------------

sub set { $log_position = $cluster->set_for_authenticator(@_) }

sub serves_on { $cluster->wait_until_it_serves_on(@_, $log_position) }

my $over_tls = qq("127.0.0.1" port $port with TLS);

sub reload {
    $log_position = $cluster->log_position;
    $cluster->reload;
}

sub wait_for_problem {
    my ($pattern) = @_;
    my $problem = '';
    eval { wait_until { ($problem = $cluster->status('last_error')) =~ $pattern } 'the problem' };
    like($problem, $pattern, 'pgrst.status says so');
    like($cluster->log, $pattern, 'and so does the log');
}

# -- clients
# -------------------------------------------------------------------------------------------------

# A connection with TLS, or undef.
sub tls {
    my (%options) = @_;
    my $socket = IO::Socket::SSL->new(
        PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => PgrstCluster::deadline_s(),
        SSL_verify_mode => IO::Socket::SSL::SSL_VERIFY_NONE(), %options);
    return $socket ? PgrstClient->over($socket) : undef;
}

sub name_served { my $c = tls() or return 'none'; return $c->socket->peer_certificate('commonName') }

sub plain_answer {
    my $connection = PgrstClient->connect($port);
    $connection->write("GET $one HTTP/1.1\r\nHost: x\r\n\r\n");
    return $connection->response->{status};
}

sub busy_executors {
    return $cluster->sql(q(SELECT count(*) FROM pgrst.status WHERE process = 'executor' AND state = 'busy'), db => 'api');
}

my @first = make_identity('first');
install(@first);
set(server_ssl_cert_file => 'server.crt', server_ssl_key_file => 'server.key');
serves_on($over_tls);

scenario 'requests over TLS' => sub {
    open(my $fh, '>', $cluster->dir . '/ca.crt') or die $!;
    print $fh $first[0];
    close $fh;
    my $connection = tls(SSL_verify_mode => IO::Socket::SSL::SSL_VERIFY_PEER(), SSL_ca_file => $cluster->dir . '/ca.crt',
        SSL_verifycn_scheme => 'none');
    ok($connection, 'the certificate is the one of the file');
    for (1 .. 3) { is($connection->get($one)->{body}, $well, 'requests on one connection') }
    is(tls()->head($one)->{status}, 200, 'HEAD');
    is(scalar @{$connection->get('/lines?limit=10000')->{json} // []}, 10000, 'a large answer');
    my $total = 0;
    $connection->send('GET', '/blobs?size=eq.50000000&select=blob');
    is($connection->response(on_body => sub { $total += length $_[0] })->{status}, 200, 'one that is streamed');
    is($total, 50000000 + length '[{"blob":""}]', 'all of it');
    is($connection->post('/rpc/length_of', body => 'a' x 2000000, 'Content-Type' => 'text/plain')->{body}, '2000000', 'a large body');
    is($connection->post('/rpc/length_of', body => 'a' x 3000001, 'Content-Type' => 'text/plain')->{status}, 413, 'one too large');
    is(tls()->get('/nothing')->{status}, 404, 'an error');
};

scenario 'versions of the protocol' => sub {
    is(tls(SSL_version => 'TLSv1_3')->socket->get_sslversion, 'TLSv1_3', 'TLS 1.3');
    is(tls(SSL_version => 'TLSv1_2')->socket->get_sslversion, 'TLSv1_2', 'TLS 1.2');
    is(tls(SSL_version => 'TLSv1_1', SSL_cipher_list => 'DEFAULT:@SECLEVEL=0'), undef, 'not TLS 1.1');
    is(tls(SSL_version => 'TLSv1', SSL_cipher_list => 'DEFAULT:@SECLEVEL=0'), undef, 'not TLS 1.0');
};

scenario 'clients that do not speak TLS' => sub {
    is(plain_answer(), 599, 'HTTP is not answered');
    for my $bytes ("\x16\x03\x01\x02\x00\x01\x00", "\x16\x03\x01\xff\xff" . "\x00" x 70000, join '', map { chr(rand 256) } 1 .. 5000) {
        my $connection = PgrstClient->connect($port);
        $connection->write($bytes);
        $connection->close;
    }
    my $silent = PgrstClient->connect($port);
    is(tls()->get($one)->{body}, $well, 'others are served');
    set(server_header_timeout => 1);
    serves_on($over_tls);
    ok(PgrstClient->connect($port)->is_closed(30), 'one that never begins is closed');
    set(server_header_timeout => undef);
    serves_on($over_tls);
};

# Seconds of a processor that the gateway has used.
sub processor_seconds {
    my @fields = split / /, PgrstCluster::slurp('/proc/' . $cluster->gateway_pid . '/stat');
    return ($fields[13] + $fields[14]) / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}

scenario 'clients that stop in the middle of a handshake' => sub {
    my @stopped = map { PgrstClient->connect($port) } 1 .. 20;
    $_->write("\x16\x03\x01\x02\x00\x01") for @stopped;
    is(tls()->get($one)->{body}, $well, 'another one is served');
    my $before = processor_seconds();
    sleep 3;
    my $used = processor_seconds() - $before;
    cmp_ok($used, '<', 1, "they cost $used s of a processor in 3 s");
    my $connection = tls();
    for my $i (1 .. 20) { is($connection->get($one)->{body}, $well, "request $i beside them") }
    is(length $connection->get('/blobs?size=eq.1000003&select=blob')->{body}, 1000003 + length '[{"blob":""}]', 'a large answer');
};

scenario 'a client that goes away' => sub {
    my $connection = tls();
    $connection->send('GET', '/sleep');
    wait_until { busy_executors() == 1 } 'its statement';
    $connection->close;
    wait_until { busy_executors() == 0 } 'the end of its statement';
    pass('its statement is cancelled');
};

scenario 'clients too slow for their answers' => sub {
    my @slow = map { tls() } 1 .. 2;
    $_->send('GET', '/blobs?size=eq.200000000&select=blob') for @slow;
    like($_->read_some(12), qr{^HTTP/1\.1 200}, 'an answer begins') for @slow;
    is(tls()->get($one)->{body}, $well, 'another one is answered in the end');
};

scenario 'new files' => sub {
    my $gate = $cluster->session('api');
    $gate->sql('SELECT pg_advisory_lock(42)');
    my $waiting = tls();
    $waiting->send('GET', '/gate');
    wait_until { busy_executors() == 1 } 'the request at the gate';
    my $kept = tls();
    is($kept->get($one)->{body}, $well, 'a connection that is kept');
    install(make_identity('second', '-newkey rsa:2048'));
    is(name_served(), 'first', 'they do not matter before a reload');
    reload();
    serves_on($over_tls);
    is(name_served(), 'second', 'then they do');
    is($kept->get($one)->{body}, $well, 'the kept connection is served');
    $gate->close;
    is($waiting->response->{status}, 200, 'the request that ran meanwhile is answered');
    reload();
    $cluster->sql('NOTIFY pgrst', db => 'api');
    sleep 3;
    unlike($cluster->log($log_position), qr/serving/, 'nothing happens when they are the same');
};

scenario 'files that are of no use' => sub {
    my ($certificate, $key) = make_identity('third');
    my (undef, $other_key) = make_identity('fourth');
    my ($secret_line) = (split /\n/, $other_key)[1];
    my $file = $cluster->dir . '/locked.key';
    run("openssl pkcs8 -topk8 -v2 aes-256-cbc -passout pass:secret -in $cluster->{dir}/third.key -out $file");
    my $locked = PgrstCluster::slurp($file);
    run("openssl rsa -aes128 -traditional -passout pass:secret -in $cluster->{dir}/second.key -out $file");
    my $locked_before = PgrstCluster::slurp($file);
    my @cases = (
        ['a key of another certificate', $other_key, 0600, qr/private key file "server\.key" does not belong to certificate file "server\.crt"/],
        ['a key that others can read', $key, 0640, qr/private key file "server\.key" has group or world access/],
        ['a key with a passphrase', $locked, 0600, qr/private key file "server\.key" is protected by a passphrase/],
        ['a key with a passphrase, as it once was written', $locked_before, 0600, qr/private key file "server\.key" is protected by a passphrase/],
        ['a key that is none', "$other_key" =~ s/\n[^\n]+\n/\n/r, 0600, qr/private key file "server\.key" cannot be used: /],
        ['a key with a zero byte', "$key\0", 0600, qr/private key file "server\.key" is not in PEM format/],
        ['an empty key', '', 0600, qr/private key file "server\.key" is not in PEM format/],
        ['a key too large', $key . ' ' x 2000000, 0600, qr/private key file "server\.key" is too large/],
    );
    for my $case (@cases) {
        my ($what, $content, $mode, $problem) = @$case;
        install_file('server.crt', $certificate, 0644);
        install_file('server.key', $content, $mode);
        note($what);
        reload();
        wait_for_problem($problem);
        is(name_served(), 'second', 'the last certificate is still served');
        is($cluster->status('state'), 'serving', 'and the state says that it is served');
    }
    install_file('server.crt', "-----BEGIN CERTIFICATE-----\nbm9uc2Vuc2U=\n-----END CERTIFICATE-----\n", 0644);
    install_file('server.key', $key, 0600);
    reload();
    wait_for_problem(qr/certificate file "server\.crt" cannot be used: /);
    unlink "$data/server.crt";
    reload();
    wait_for_problem(qr/could not open certificate file "server\.crt": No such file or directory/);
    mkdir "$data/server.crt" or die $!;
    reload();
    wait_for_problem(qr/certificate file "server\.crt" is not a regular file/);
    rmdir "$data/server.crt";
    is(name_served(), 'second', 'the last certificate is still served');
    unlike($cluster->log, qr/\Q$secret_line\E/, 'nothing of a key is in the log');
    $log_position = $cluster->log_position;
    install($certificate, $key);
    serves_on($over_tls);
    is(name_served(), 'third', 'right files are taken without another reload');
    is($cluster->status('last_error'), '', 'the problem is gone');
};

scenario 'one setting without the other' => sub {
    set(server_ssl_key_file => undef);
    wait_for_problem(qr/pgrst\.server_ssl_cert_file and pgrst\.server_ssl_key_file must be set both or neither/);
    is(name_served(), 'third', 'nothing changes');
    set(server_ssl_key_file => 'server.key');
    wait_until { $cluster->status('last_error') eq '' } 'the end of the problem';
};

scenario 'the OpenAPI document' => sub {
    is_deeply(tls()->get('/')->{json}{schemes}, ['https'], 'https');
};

scenario 'the API explorer of the admin server' => sub {
    my $admin_port = PgrstCluster::free_port();
    $cluster->sql(qq(ALTER ROLE authenticator SET "pgrst.admin_server_port" = $admin_port));
    my $admin = PgrstClient->new($admin_port);
    wait_until { $admin->get('/live')->{status} == 200 } 'the admin server, without TLS';
    like($admin->get('/docs/api.json')->{json}{url}, qr{^https://}, 'knows that the API speaks TLS');
    $cluster->sql('ALTER ROLE authenticator RESET "pgrst.admin_server_port"');
};

scenario 'a server that starts with files of no use' => sub {
    my $certificate = PgrstCluster::slurp("$data/server.crt");
    unlink "$data/server.crt";
    $cluster->stop('fast');
    $log_position = $cluster->log_position;
    $cluster->start;
    wait_for_problem(qr/could not open certificate file "server\.crt"/);
    ok($cluster->refuses_connections, 'nothing is served, least of all without TLS');
    is($cluster->status('state'), 'starting', 'the state says so');
    install_file('server.crt', $certificate, 0644);
    serves_on($over_tls);
    is(tls()->get($one)->{body}, $well, 'served once there is a file');
};

scenario 'the files of PostgreSQL itself' => sub {
    $cluster->append_conf(ssl => 'on');
    reload();
    wait_until { $cluster->sql('SHOW ssl') eq 'on' } 'TLS of PostgreSQL';
    is(name_served(), 'third', 'both use them');
};

scenario 'a unix socket' => sub {
    my $file = $cluster->dir . '/api.sock';
    set(server_unix_socket => $file);
    serves_on(qq(unix socket "$file"));
    is(PgrstClient->over(IO::Socket::UNIX->new(Peer => $file))->get($one)->{body}, $well, 'is without TLS');
    set(server_unix_socket => undef);
    serves_on($over_tls);
};

scenario 'without TLS again' => sub {
    my $kept = tls();
    is($kept->get($one)->{body}, $well, 'a connection with TLS');
    set(server_ssl_cert_file => undef, server_ssl_key_file => undef);
    serves_on(qq("127.0.0.1" port $port));
    is(plain_answer(), 200, 'HTTP is answered');
    is($kept->get($one)->{body}, $well, 'and the connection with TLS, too');
    is_deeply(PgrstClient->new($port)->get('/')->{json}{schemes}, ['http'], 'the OpenAPI document says http');
};

ok(!$cluster->crashed, 'no process crashed') or diag(grep { /signal|TRAP|PANIC/ } split /^/, $cluster->log);
done_testing;
