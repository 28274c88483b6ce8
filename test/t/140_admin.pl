# The admin server, the metrics, and what the views show of requests and settings.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use IO::Socket::UNIX;
use IPC::Open2 ();
use PgrstClient;
use PgrstCluster;
use Test::More;

my $admin_port = PgrstCluster::free_port();
my $cluster = PgrstCluster->start_with_api(conf => {'pgrst.admin_server_port' => $admin_port, 'pgrst.db_pool' => 2});
my $client = PgrstClient->new($cluster->port);
my $admin = PgrstClient->new($admin_port);
my $session = $cluster->session('api');
$session->sql(q(CREATE FUNCTION api.add(a int, b int) RETURNS int LANGUAGE sql AS 'SELECT a + b'));

# Sets or removes rows of pgrst.config.
sub set {
    my (%settings) = @_;
    for my $name (sort keys %settings) {
        $session->sql("DELETE FROM pgrst.config WHERE name = '$name'");
        $session->sql("INSERT INTO pgrst.config VALUES ('$name', '$settings{$name}')") if defined $settings{$name};
    }
}

# The metrics as the Prometheus library reads them: {'name{label="value"}' => value}.
sub metrics {
    my $r = $admin->get('/metrics');
    is($r->{status}, 200, 'metrics');
    my $python = -x '/usr/bin/python3' ? '/usr/bin/python3' : 'python3';
    my $pid = IPC::Open2::open2(my $out, my $in, $python, '-c', <<'PYTHON');
import sys
from prometheus_client.parser import text_string_to_metric_families
for family in text_string_to_metric_families(sys.stdin.read()):
    for s in family.samples:
        labels = ','.join('%s="%s"' % l for l in sorted(s.labels.items()))
        print('%s{%s}\t%s\t%s' % (s.name, labels, s.value, family.type))
PYTHON
    print $in $r->{body};
    close $in;
    my (%values, %types);
    while (my $line = <$out>) {
        chomp $line;
        my ($name, $value, $type) = split /\t/, $line;
        $values{$name} = $value + 0;
        $types{$name} = $type;
    }
    waitpid $pid, 0;
    is($?, 0, 'a Prometheus library reads them');
    return (\%values, \%types);
}

# The status of a request to the admin server by another name.
sub status_by_name {
    my ($path, $host) = @_;
    my $connection = PgrstClient->connect($admin_port);
    $connection->write("GET $path HTTP/1.1\r\nHost: $host\r\nConnection: close\r\n\r\n");
    my $r = $connection->response;
    $connection->close;
    return $r->{status};
}

scenario 'names of the admin server' => sub {
    my @known = ('127.0.0.1', '127.0.0.1:80', '10.0.0.1:3001', 'localhost', 'LOCALHOST:3001', '[::1]', '[2001:db8::1]:3001', '');
    my @foreign = ('evil.example.com', 'evil.example.com:3001', 'localhost.example.com', '127.0.0.1.example.com', 'metrics.internal');
    for my $path ('/live', '/ready', '/metrics', '/config', '/schema_cache', '/docs', '/docs/api.json', '/nothing') {
        is(status_by_name($path, $_), $admin->get($path)->{status}, "$path by '$_'") for @known;
        is(status_by_name($path, $_), 421, "$path by '$_'") for @foreign;
    }
    set(admin_server_allowed_hosts => 'metrics.internal, other.internal');
    wait_until { status_by_name('/live', 'metrics.internal:3001') == 200 } 'an allowed name';
    is(status_by_name('/config', 'Other.Internal'), 200, 'another one');
    is(status_by_name('/config', 'evil.example.com'), 421, 'a foreign one');
    set(admin_server_allowed_hosts => '*');
    wait_until { status_by_name('/config', 'evil.example.com') == 200 } 'any name';
    set(admin_server_allowed_hosts => undef);
    wait_until { status_by_name('/config', 'evil.example.com') == 421 } 'the end of that';
};

scenario 'live and ready' => sub {
    for my $path ('/live', '/ready') {
        my $r = $admin->get($path);
        is($r->{status}, 200, $path);
        is($r->{body}, '', 'without a body');
        is($admin->request('HEAD', $path)->{status}, 200, 'by HEAD too');
    }
    is($admin->get('/items')->{status}, 404, 'the API is elsewhere');
    is($client->get('/live')->{status}, 404, 'and does not have these');
    is($admin->post('/live', body => '')->{status}, 405, 'nothing is posted to it');
    like($cluster->log, qr/admin server of database "api" on "127.0.0.1" port $admin_port/, 'the log tells where it is');
};

scenario 'it answers while all executors are busy' => sub {
    my @slow = map { PgrstClient->connect($cluster->port) } 1 .. 3;
    $_->send('GET', '/sleep') for @slow;
    wait_until { my ($m) = metrics(); $m->{'pgrst_executors{state="busy"}'} == 2 } 'busy executors';
    my ($m) = metrics();
    is($m->{'pgrst_db_pool_waiting{}'}, 1, 'one waits');
    is($m->{'pgrst_db_pool_max{}'}, 2, 'two at most');
    is($m->{'pgrst_db_pool_available{}'}, 0, 'none is idle');
    is($m->{'pgrst_http_connections{}'}, 3, 'open connections');
    is($admin->get('/ready')->{status}, 200, 'it is ready');
    $_->close for @slow;
};

scenario 'not live when the port is taken' => sub {
    my $taken = PgrstCluster::free_port();
    my $other = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $taken, Listen => 1);
    $cluster->sql(qq(ALTER ROLE authenticator SET "pgrst.server_port" = $taken));
    wait_until { $admin->get('/live')->{status} == 500 } 'live to say no';
    is($admin->get('/ready')->{status}, 500, 'not ready either');
    $cluster->sql('ALTER ROLE authenticator RESET "pgrst.server_port"');
    wait_until { $admin->get('/live')->{status} == 200 } 'live to say yes';
    $cluster->wait_for_http;
};

scenario 'not ready while the schema cache cannot be read' => sub {
    # What introspection needs, and nobody else.
    $cluster->sql('REVOKE EXECUTE ON FUNCTION format_type(oid, int) FROM public', db => 'api');
    $cluster->sql('CREATE TABLE api.later (id int)', db => 'api');
    wait_until { $admin->get('/ready')->{status} == 503 } 'ready to say no';
    is($admin->get('/live')->{status}, 200, 'live all the same');
    is($client->get('/items?id=eq.1&select=id')->{body}, '[{"id":1}]', 'what was known is served');
    my ($m) = metrics();
    cmp_ok($m->{'pgrst_schema_cache_loads_total{status="FAIL"}'}, '>', 0, 'failures are counted');
    $cluster->sql('GRANT EXECUTE ON FUNCTION format_type(oid, int) TO public', db => 'api');
    wait_until { $admin->get('/ready')->{status} == 200 } 'ready to say yes';
};

scenario 'counts by method, status and resource' => sub {
    my ($before) = metrics();
    $client->get('/items?id=eq.1') for 1 .. 5;
    $client->get('/items?nothing=eq.1');
    $client->get('/no_such_table');
    $client->get('/');
    $client->request('OPTIONS', '/items');
    my ($after, $types) = metrics();
    my $more = sub { ($after->{$_[0]} // 0) - ($before->{$_[0]} // 0) };
    is($more->('pgrst_http_requests_total{method="GET",resource="relation",status="2xx"}'), 5, 'reads');
    is($more->('pgrst_http_requests_total{method="GET",resource="relation",status="4xx"}'), 1, 'a wrong one');
    is($more->('pgrst_http_requests_total{method="GET",resource="none",status="4xx"}'), 1, 'of what there is not');
    is($more->('pgrst_http_requests_total{method="GET",resource="root",status="2xx"}'), 1, 'the root');
    is($more->('pgrst_http_request_duration_seconds_count{method="GET"}'), 8, 'durations');
    is($more->('pgrst_http_request_duration_seconds_bucket{le="+Inf",method="GET"}'), 8, 'in buckets');
    cmp_ok($more->('pgrst_http_request_duration_seconds_sum{method="GET"}'), '>', 0, 'with a sum');
    cmp_ok($more->('pgrst_http_response_body_bytes_total{}'), '>', 100, 'bytes');
    is($more->('pgrst_route_requests_total{kind="relation",method="GET",resource="items",schema="api"}'), 6, 'the route');
    is($more->('pgrst_route_errors_total{kind="relation",method="GET",resource="items",schema="api"}'), 1, 'its errors');
    is($types->{'pgrst_http_requests_total{method="GET",resource="relation",status="2xx"}'}, 'counter', 'a counter');
    cmp_ok($after->{'pgrst_resident_memory_bytes{process="gateway"}'}, '>', 1e6, 'memory of the gateway');
    cmp_ok($after->{'pgrst_resident_memory_bytes{process="executors"}'}, '>', 1e6, 'and of executors');
};

scenario 'the JWT cache' => sub {
    my %editor = bearer({role => 'editor', sub => 'metrics'});
    my ($before) = metrics();
    $client->get('/items?limit=1', %editor) for 1 .. 4;
    my ($after) = metrics();
    is($after->{'pgrst_jwt_cache_requests_total{}'} - $before->{'pgrst_jwt_cache_requests_total{}'}, 4, 'lookups');
    is($after->{'pgrst_jwt_cache_hits_total{}'} - $before->{'pgrst_jwt_cache_hits_total{}'}, 3, 'hits');
};

scenario 'pgrst.stats' => sub {
    $session->sql('SELECT pgrst.stats_reset()');
    is($session->sql('SELECT count(*) FROM pgrst.stats'), 0, 'nothing after a reset');
    $client->get('/items?select=id&limit=2') for 1 .. 10;
    $client->get('/items?select=nothing');
    $client->post('/rpc/add', body => {a => 1, b => 2}) for 1 .. 3;
    $client->get("/no_such_$_") for 1 .. 20;
    is($session->sql('SELECT method, kind, schema, resource, calls, errors, rows FROM pgrst.stats ORDER BY 1, 4'),
        "GET|relation|api|items|11|1|20\nPOST|routine|api|add|3|0|3", 'routes that exist, and no others');
    is($session->sql(q(SELECT p50_ms > 0 AND p50_ms <= p90_ms AND p90_ms <= p99_ms AND mean_ms <= max_ms AND
        total_ms >= max_ms AND bytes > 0 FROM pgrst.stats WHERE resource = 'items')), 't', 'times');
    my $calls = $session->sql(q(SELECT calls FROM pgrst.stats WHERE resource = 'items'));
    $session->sql('SELECT pgrst.reload()');
    $cluster->sql(qq(SELECT pg_terminate_backend(${\ $cluster->gateway_pid})));
    $cluster->wait_for_http;
    is($session->sql(q(SELECT calls FROM pgrst.stats WHERE resource = 'items')), $calls, 'survive reloads and the gateway');
};

scenario 'more routes than there is room for share one entry' => sub {
    my $small = PgrstCluster->start_with_api(conf => {'pgrst.stats_max_routes' => 2, 'pgrst.db_pool' => 1});
    my $to_small = PgrstClient->new($small->port);
    $to_small->get($_) for '/items', '/posts', '/me', '/numbers';
    $to_small->request('HEAD', '/items');
    $to_small->request('OPTIONS', '/items');
    my ($named, $rest) = split /\|/, $small->sql(
        'SELECT count(*) FILTER (WHERE resource IS NOT NULL), sum(calls) FILTER (WHERE resource IS NULL) FROM pgrst.stats',
        db => 'api');
    is($named, 2, 'two with a name');
    cmp_ok($rest, '>', 0, 'the others together');
    $small->sql('SELECT pgrst.stats_reset()', db => 'api');
    $to_small->get($_) for '/me', '/numbers', '/me';
    is($small->sql(q(SELECT string_agg(resource || ' ' || calls, ', ' ORDER BY resource) FROM pgrst.stats), db => 'api'),
        'me 2, numbers 1', 'a reset makes room for others');
    $small->stop;
};

scenario 'pgrst.effective_config and /config' => sub {
    set(db_max_rows => 77, 'app.settings.some_key' => 'a hidden value');
    $cluster->sql(q(ALTER DATABASE api SET "pgrst.db_aggregates_enabled" = on));
    $cluster->sql(q(ALTER ROLE authenticator SET "pgrst.server_trace_header" = 'X-Trace'));
    $cluster->sql(q(ALTER ROLE authenticator IN DATABASE api SET "pgrst.server_max_queue" = 7));
    my $of = sub { $session->sql("SELECT value || ' from ' || source FROM pgrst.effective_config WHERE name = '$_[0]'") };
    wait_until { $of->('server_max_queue') eq '7 from role in database' } 'the settings';
    is($of->('db_max_rows'), '77 from pgrst.config', 'of the table');
    is($of->('db_aggregates_enabled'), 'on from database', 'of the database');
    is($of->('server_trace_header'), 'X-Trace from role', 'of the role');
    is($of->('db_schemas'), 'api, api2 from configuration file', 'of the file');
    is($of->('db_tx_end'), 'commit from default', 'by default');
    is($of->('jwt_secret'), '****** from configuration file', 'secrets are masked');
    is($of->('app.settings.some_key'), '****** from pgrst.config', 'and those of applications');
    my $text = $admin->get('/config')->{body};
    like($text, qr/^pgrst\.db_max_rows = '77'  # pgrst\.config$/m, '/config says the same');
    unlike($text, qr/thirty-two|hidden value/, 'without secrets');
    is(scalar(() = $text =~ /\n/g), $session->sql('SELECT count(*) FROM pgrst.effective_config'), 'all of them');
    set(db_max_rows => undef, 'app.settings.some_key' => undef);
    $cluster->sql($_) for q(ALTER DATABASE api RESET ALL), q(ALTER ROLE authenticator RESET ALL),
        q(ALTER ROLE authenticator IN DATABASE api RESET ALL);
    wait_until { $of->('db_max_rows') eq '-1 from default' } 'the defaults';
};

scenario 'what is wrong keeps what runs' => sub {
    set(db_max_rows => 5);
    wait_until { $client->get('/numbers?select=n')->{status} != 0 && $session->sql(
        q(SELECT value FROM pgrst.effective_config WHERE name = 'db_max_rows')) eq '5' } 'the setting';
    set(jwt_secret => 'too short');
    wait_until { $cluster->status('last_error') =~ /jwt_secret/ } 'the problem';
    is($session->sql(q(SELECT value || source FROM pgrst.effective_config WHERE name = 'jwt_secret')),
        '******configuration file', 'what is in force is shown');
    is($client->get('/items?limit=1', bearer({role => 'editor'}))->{status}, 200, 'and serves');
    unlike($cluster->log, qr/too short'/, 'the log does not have the secret');
    set(jwt_secret => '@/dev/zero');
    wait_until { $cluster->status('last_error') =~ /jwt_secret: the file is not a regular file/ } 'no device to be read';
    is($client->get('/items?limit=1', bearer({role => 'editor'}))->{status}, 200, 'and serves');
    set(jwt_secret => undef, db_max_rows => undef);
    wait_until { $cluster->status('last_error') eq '' } 'all to be well';
};

scenario 'db_pre_config' => sub {
    $session->sql(<<'SQL');
CREATE FUNCTION public.configure() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('pgrst.db_max_rows', '3', true);
  PERFORM set_config('pgrst.server_timing_enabled', 'on', true);
  PERFORM set_config('pgrst.db_schemas', 'api2', true);
  SET LOCAL pgrst.jwt_secret = 'another secret of thirty-two characters, or more';
END $$;
SQL
    set(db_pre_config => 'public.configure', db_max_rows => 9);
    my $of = sub { $session->sql("SELECT value || ' from ' || source FROM pgrst.effective_config WHERE name = '$_[0]'") };
    wait_until { $of->('db_max_rows') eq '3 from db_pre_config' } 'the function to win over the table';
    is($of->('db_schemas'), 'api2 from db_pre_config', 'a list');
    is($client->get('/posts')->{status}, 404, 'other schemas are served');
    is($of->('jwt_secret'), '****** from db_pre_config', 'a secret');
    is($client->get('/', bearer({role => 'editor'}))->{json}{code}, 'PGRST301', 'which holds');
    $session->sql(q(CREATE OR REPLACE FUNCTION public.configure() RETURNS void LANGUAGE sql
        AS $$ SELECT set_config('pgrst.db_max_rows', '4', true) $$));
    wait_until { $of->('db_max_rows') eq '4 from db_pre_config' } 'a changed function';
    is($client->get('/items?id=eq.1&select=id')->{body}, '[{"id":1}]', 'what it no longer sets is as before');
    $session->sql(q(CREATE OR REPLACE FUNCTION public.configure() RETURNS void LANGUAGE sql
        AS $$ SELECT set_config('pgrst.db_max_rows', 'many', true) $$));
    wait_until { $cluster->status('last_error') =~ /db_max_rows/ } 'a bad value to be refused';
    is($of->('db_max_rows'), '4 from db_pre_config', 'what runs goes on');
    is($client->get('/items?id=eq.1&select=id')->{body}, '[{"id":1}]', 'and serves');
    set(db_pre_config => undef, db_max_rows => undef);
    wait_until { $of->('db_max_rows') eq '-1 from default' } 'the end of it';
};

# What is no catalog can be the reason: nothing tells when it has changed.
scenario 'a db_pre_config that fails for a while' => sub {
    $session->sql(<<'SQL');
CREATE TABLE public.ready (n int);
GRANT SELECT ON public.ready TO authenticator;
CREATE FUNCTION public.configure_when_ready() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  ready int := (SELECT n FROM public.ready);
BEGIN
  IF ready IS NULL THEN RAISE 'not ready'; END IF;
  IF ready < 0 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
  PERFORM set_config('pgrst.db_max_rows', ready::text, true);
END $$;
SQL
    my $max_rows = sub { $session->sql(q(SELECT value FROM pgrst.effective_config WHERE name = 'db_max_rows')) };
    set(db_pre_config => 'public.configure_when_ready');
    wait_until { $cluster->status('last_error') =~ /db_pre_config: not ready/ } 'its error';
    is($client->get('/items?id=eq.1&select=id')->{body}, '[{"id":1}]', 'what runs goes on');
    $session->sql('INSERT INTO public.ready VALUES (2)');
    wait_until { $max_rows->() eq '2' } 'its settings without another hint';
    is($cluster->status('last_error'), '', 'all is well');

    $session->sql('UPDATE public.ready SET n = NULL');
    $session->close;
    $cluster->restart;
    wait_until { $cluster->status('last_error') =~ /db_pre_config: not ready/ } 'its error when the server starts';
    is(PgrstClient->new($cluster->port)->get('/items')->{status}, 599, 'without its settings nothing is served');
    $session = $cluster->session('api');
    $session->sql('UPDATE public.ready SET n = 3');
    $cluster->wait_for_http;
    is($max_rows->(), '3', 'served with its settings');

    $session->sql('UPDATE public.ready SET n = -1');
    $session->sql('NOTIFY pgrst');
    wait_until { $cluster->status('last_error') =~ /executor that reads the catalogs has ended/ } 'the end of the executor';
    is(PgrstClient->new($cluster->port)->get('/items?id=eq.1&select=id')->{body}, '[{"id":1}]', 'requests are answered');
    $session->sql('UPDATE public.ready SET n = 4');
    wait_until { $max_rows->() eq '4' } 'its settings in the end';
    set(db_pre_config => undef);
    wait_until { $max_rows->() eq '-1' } 'the end of it';
    $client = PgrstClient->new($cluster->port);
};

scenario 'pgrst.to_sql() does not call db_pre_config' => sub {
    $session->sql(<<'SQL');
CREATE FUNCTION public.configure_as_authenticator() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF current_user <> 'authenticator' THEN RAISE 'called as %', current_user; END IF;
  PERFORM set_config('pgrst.db_schemas', 'api2', true);
END $$;
SQL
    set(db_pre_config => 'public.configure_as_authenticator');
    wait_until { $client->get('/items?select=note')->{status} == 200 } 'its settings';
    like($session->sql(q(SELECT pgrst.to_sql('GET', '/items'))), qr/FROM \\"api2\\"\.\\"items\\"/, 'but takes what it has set');
    is($session->sql(q(SELECT status FROM pgrst.request('GET', '/items?select=note'))), 200, 'as does pgrst.request()');
    $session->sql(q(CREATE OR REPLACE FUNCTION public.configure_as_authenticator() RETURNS void LANGUAGE sql
        AS $$ SELECT pg_sleep(0.5); SELECT set_config('pgrst.db_schemas', 'api', true) $$));
    like($session->sql(q(SELECT pgrst.to_sql('GET', '/items'))), qr/FROM \\"api2?\\"\.\\"items\\"/, 'a changed function: before the server knows');
    wait_until { $client->get('/items?select=name')->{status} == 200 } 'the server to know';
    like($session->sql(q(SELECT pgrst.to_sql('GET', '/items'))), qr/FROM \\"api\\"\.\\"items\\"/, 'and then the session');
    set(db_pre_config => undef);
    wait_until { $client->get('/items?select=name')->{status} == 200 } 'the end of it';
};

scenario 'NOTIFY in all its forms' => sub {
    # What such a function reads is no catalog: only a notification tells that it has changed.
    $session->sql(<<'SQL');
CREATE TABLE public.rows_at_most (n int);
INSERT INTO public.rows_at_most VALUES (1);
GRANT SELECT ON public.rows_at_most TO authenticator;
CREATE OR REPLACE FUNCTION public.configure() RETURNS void LANGUAGE sql
  AS $$ SELECT set_config('pgrst.db_max_rows', n::text, true) FROM public.rows_at_most $$;
SQL
    set(db_pre_config => 'public.configure');
    my $rows = sub { $session->sql(q(SELECT value FROM pgrst.effective_config WHERE name = 'db_max_rows')) };
    wait_until { $rows->() eq '1' } 'the function';
    my $n = 1;
    for my $notify (q(NOTIFY pgrst), q(NOTIFY pgrst, 'reload config'), q(NOTIFY pgrst, 'reload schema'),
        q(SELECT pg_notify('pgrst', '')), q(SELECT pg_notify('pgrst', 'reload config')), q(SELECT pgrst.reload())) {
        $n++;
        $session->sql("UPDATE public.rows_at_most SET n = $n");
        $session->sql($notify);
        wait_until { $rows->() eq $n } $notify;
        is($rows->(), $n, $notify);
    }
    set(db_channel => 'other_channel');
    wait_until { $session->sql(q(SELECT value FROM pgrst.effective_config WHERE name = 'db_channel')) eq 'other_channel' }
        'the other channel';
    $session->sql('UPDATE public.rows_at_most SET n = 50');
    $session->sql('NOTIFY other_channel');
    wait_until { $rows->() eq '50' } 'a notification of the other channel';
    set(db_channel => undef, db_pre_config => undef);
    wait_until { $rows->() eq '-1' } 'the end of it';
};

scenario 'db_config = off leaves what the database holds alone' => sub {
    set(db_max_rows => 2);
    my $rows = sub { $session->sql(q(SELECT value FROM pgrst.effective_config WHERE name = 'db_max_rows')) };
    wait_until { $rows->() eq '2' } 'the table to count';
    $cluster->append_conf('pgrst.db_config' => 'off');
    $cluster->reload;
    wait_until { $rows->() eq '-1' } 'the table not to count';
    $cluster->append_conf('pgrst.db_config' => 'on');
    $cluster->reload;
    wait_until { $rows->() eq '2' } 'the table to count again';
    is($session->sql(q(SELECT source FROM pgrst.effective_config WHERE name = 'db_max_rows')), 'pgrst.config', 'as before');
    set(db_max_rows => undef);
};

scenario '/schema_cache' => sub {
    my $r = $admin->get('/schema_cache');
    is($r->{status}, 200, 'status');
    is($r->{headers}{'content-type'}, 'application/json; charset=utf-8', 'type');
    my $cache = $r->{json};
    is(join(' ', sort keys %$cache), 'dbMediaHandlers dbRelationships dbRepresentations dbRoutines dbTables', 'its parts');
    my ($items) = grep { $_->{name} eq 'items' && $_->{schema} eq 'api' } @{$cache->{dbTables}};
    is($items->{primaryKey}[0], 'id', 'a table');
    is($items->{columns}[0]{name}, 'id', 'with columns');
    is(scalar @{$cache->{dbTables}}, $cluster->status('tables'), 'all of them');
    ok(scalar(grep { $_->{name} eq 'add' } @{$cache->{dbRoutines}}), 'functions');
};

scenario 'on a unix socket; switched off and on' => sub {
    my $file = $cluster->dir . '/admin.socket';
    $cluster->sql(qq(ALTER ROLE authenticator SET "pgrst.admin_server_unix_socket" = '$file'));
    wait_until { -S $file } 'the socket';
    my $connection = PgrstClient->over(IO::Socket::UNIX->new(Peer => $file));
    is($connection->get('/live')->{status}, 200, 'live');
    $connection->close;
    wait_until { $cluster->refuses_connections($admin_port) } 'the port to be closed';
    $cluster->sql('ALTER ROLE authenticator RESET ALL');
    wait_until { !-e $file } 'the socket to go';
    wait_until { $admin->get('/live')->{status} == 200 } 'the port';
    $cluster->sql(q(ALTER ROLE authenticator SET "pgrst.admin_server_port" = ''));
    wait_until { $cluster->refuses_connections($admin_port) } 'it to be off';
    is($client->get('/items?id=eq.1&select=id')->{body}, '[{"id":1}]', 'the API goes on');
};

ok(!$cluster->crashed, 'the server has not crashed');

done_testing;
