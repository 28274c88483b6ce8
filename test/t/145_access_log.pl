# What is logged of requests, where, and what never is.

use strict;
use warnings;
use Fcntl qw(O_RDWR);
use FindBin;
use IO::Select;
use lib "$FindBin::Bin/lib";
use PgrstClient;
use PgrstCluster;
use POSIX qw(mkfifo);
use Test::More;

my $cluster = PgrstCluster->start_with_api;
my $client = PgrstClient->new($cluster->port);
my $session = $cluster->session('api');

# The lines of the access log among those of the server log since a position.
sub lines {
    my ($from) = @_;
    return grep { /"[A-Z]+ \S* HTTP/ } split /\n/, $cluster->log($from);
}

sub level {
    my ($level) = @_;
    $cluster->sql(qq(ALTER ROLE authenticator SET "pgrst.log_level" = $level));
    wait_until { $session->sql(q(SELECT value FROM pgrst.effective_config WHERE name = 'log_level')) eq $level } 'level';
    return $cluster->log_position;
}

# A request of each class; the last is logged at every level but crit.
sub requests {
    $client->get('/items?id=eq.1&select=id');
    $client->get('/no_such_table');
    $client->get('/rpc/fail_hard');
}

my $combined = qr{127\.0\.0\.1 - \S+ \[\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET \S+ HTTP/1\.1" \d+ \d+ "" "HTTP-Tiny/\S+"$};

scenario 'levels' => sub {
    my %wanted = (crit => [], error => [500], warn => [404, 500], info => [200, 404, 500], debug => [200, 404, 500]);
    $session->sql(<<'SQL');
CREATE FUNCTION api.fail_hard() RETURNS void STABLE LANGUAGE plpgsql
  AS $$ BEGIN RAISE 'out of order' USING ERRCODE = 'io_error'; END $$;
SQL
    for my $level (sort keys %wanted) {
        my $from = level($level);
        requests();
        my $end = level('info');
        $client->get('/items?select=name&id=eq.2');
        wait_until { grep { /select=name&id=eq\.2/ } lines($end) } 'the end';
        my @lines = map { split /\n/ } substr($cluster->log($from), 0, $end - $from);
        my @found = map { /HTTP\/1\.1" (\d+)/ } grep { /"GET / } @lines;
        is("@found", "@{$wanted{$level}}", $level) or diag(join "\n", @lines);
    }
};

scenario 'the form of a line' => sub {
    my $from = level('info');
    $client->get('/items?id=eq.1&select=id', Referer => 'http://here/', bearer({role => 'editor'}));
    wait_until { lines($from) } 'a line';
    my ($line) = lines($from);
    like($line, qr{127\.0\.0\.1 - editor \[[^]]+\] "GET /items\?id=eq\.1&select=id HTTP/1\.1" 200 10 "http://here/" "HTTP-Tiny/},
        'address, role, time, request, status, size, referer, agent');
    $client->get('/items?id=eq.1&select=id', Authorization => 'Bearer nonsense');
    wait_until { lines($from) > 1 } 'another';
    like((lines($from))[1], qr{127\.0\.0\.1 - - \[[^]]+\] "GET /items\S* HTTP/1\.1" 401 }, 'without a role');
    unlike($cluster->log($from), qr/nonsense|eyJ/, 'no tokens');
};

scenario 'a client cannot forge lines' => sub {
    my $from = level('info');
    my $connection = PgrstClient->connect($cluster->port);
    $connection->write("GET /items?x=%0A\"' HTTP/1.1\r\nHost: x\r\nUser-Agent: a\"\\\x1b[2J\tb\r\n\r\n");
    $connection->response;
    $connection->close;
    wait_until { lines($from) } 'a line';
    my ($line) = lines($from);
    like($line, qr{"GET /items\?x=%0A\\x22' HTTP/1\.1" 400 \d+ "" "a\\x22\\x5C\\x1B\[2J\\x09b"}, 'escaped') or diag($line);
};

scenario 'a client that has gone' => sub {
    my $from = level('info');
    my $connection = PgrstClient->connect($cluster->port);
    $connection->send('GET', '/sleep');
    wait_until { $cluster->sql(q(SELECT count(*) FROM pg_stat_activity WHERE query ~ 'sleep' AND state = 'active'
        AND backend_type = 'postgrest executor')) } 'the request to run';
    $connection->close;
    wait_until { lines($from) } 'a line';
    like((lines($from))[0], qr{"GET /sleep HTTP/1\.1" 499 0 }, 'status 499');
};

scenario 'log_query' => sub {
    my $from = level('warn');
    $cluster->sql(q(ALTER ROLE authenticator SET "pgrst.log_query" = on));
    wait_until { $session->sql(q(SELECT value FROM pgrst.effective_config WHERE name = 'log_query')) eq 'on' } 'it';
    $client->get('/items?id=eq.1&select=id');
    $client->get('/secrets?secret=eq.a-value-that-is-secret');
    wait_until { lines($from) } 'a line';
    my @queries = $cluster->log($from) =~ /query: (.*)/g;
    is(scalar @queries, 1, 'of what is logged at this level');
    like($queries[0], qr/^SELECT .*secrets.* = \$1/, 'the SQL');
    $cluster->sql(q(ALTER ROLE authenticator RESET "pgrst.log_query"));
};

scenario 'a file of its own' => sub {
    level('info');
    my $file = $cluster->data . '/requests of api.log';
    $cluster->append_conf('pgrst.access_log_file' => 'requests of %d.log');
    $cluster->reload;
    wait_until { -e $file } 'the file';
    my $from = $cluster->log_position;
    is((stat $file)[2] & 07, 0, 'not for everybody');
    my $read = sub { open(my $fh, '<', $_[0]) or return ''; local $/; my $text = <$fh> // ''; return $text };
    $client->get('/items?id=eq.1&select=id') for 1 .. 3;
    wait_until { (() = $read->($file) =~ /\n/g) == 3 } 'three lines';
    like($_, $combined, 'a line') for split /\n/, $read->($file);
    is(scalar(lines($from)), 0, 'none in the server log');
    rename $file, "$file.1";
    $cluster->reload;
    wait_until { -e $file } 'a new file after a rotation';
    $client->get('/items?id=eq.1&select=id');
    wait_until { $read->($file) =~ /\n/ } 'a line there';
    is((() = $read->("$file.1") =~ /\n/g), 3, 'the old one stays as it was');
    $cluster->append_conf('pgrst.access_log_file' => 'no/such/directory/x');
    $cluster->reload;
    $cluster->wait_for_log(qr/access log "no\/such\/directory\/x" could not be opened/, $from);
    $client->get('/items?id=eq.1&select=id');
    wait_until { lines($from) } 'the server log to take the lines';
    is($client->get('/items?id=eq.1&select=id')->{status}, 200, 'the service goes on');
};

scenario 'a named pipe' => sub {
    my $pipe = $cluster->data . '/pipe';
    mkfifo($pipe, 0600) or die "$pipe: $!";
    my $from = $cluster->log_position;
    $cluster->append_conf('pgrst.access_log_file' => 'pipe');
    $cluster->reload;
    $cluster->wait_for_log(qr/access log "pipe" could not be opened: No such device/, $from);
    is($client->get('/items?id=eq.1&select=id')->{status}, 200, 'that nobody reads');
    sysopen(my $reader, $pipe, O_RDWR) or die "$pipe: $!";
    $cluster->reload;
    wait_until { $client->get('/items?id=eq.1&select=id'); IO::Select->new($reader)->can_read(0) } 'a line in the pipe';
    $from = $cluster->log_position;
    wait_until { $client->get('/items?id=eq.1&note=' . 'x' x 3000) ; $cluster->log($from) =~ /"pipe" could not be written/ }
        'the pipe to be full';
    is($client->get('/items?id=eq.1&select=id')->{status}, 200, 'that nobody reads fast enough');
};

scenario 'what the server log tells of its own accord' => sub {
    my $log = $cluster->log;
    like($log, qr/serving database "api" on "127\.0\.0\.1" port \d+/, 'where');
    like($log, qr/database "api": schema cache loaded: \d+ relations, \d+ relationships, \d+ functions; queried in \d+ ms/,
        'the schema cache');
    my $from = $cluster->log_position;
    $session->sql('NOTIFY pgrst');
    $cluster->wait_for_log(qr/database "api": a notification asks for a reload/, $from);
    pass('reloads');
    unlike($cluster->log, qr/thirty-two characters/, 'and never the secret');
};

ok(!$cluster->crashed, 'the server has not crashed');

done_testing;
