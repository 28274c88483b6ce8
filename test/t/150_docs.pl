# The explorer of the API on the admin server, as HTTP; test/clients/docs has a browser look at it.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use PgrstClient;
use PgrstCluster;
use Test::More;

my $admin_port = PgrstCluster::free_port();
my $cluster = PgrstCluster->start_with_api(conf => {
    'pgrst.admin_server_port' => $admin_port, 'pgrst.db_pool' => 1, 'pgrst.admin_server_allowed_hosts' => '*',
});
my $api_port = $cluster->port;
my $admin = PgrstClient->new($admin_port);

sub set {
    my ($name, $value) = @_;
    $cluster->sql($value eq '' ? qq(ALTER ROLE authenticator RESET "pgrst.$name")
        : qq(ALTER ROLE authenticator SET "pgrst.$name" = '$value'));
}

# A request with a Host header of one's own.
sub with_host {
    my ($path, $host) = @_;
    my $connection = PgrstClient->connect($admin_port);
    $connection->write("GET $path HTTP/1.1\r\nHost: $host\r\nConnection: close\r\n\r\n");
    my $r = $connection->response;
    $connection->close;
    return $r;
}

sub connect_src { return ($_[0]{headers}{'content-security-policy'} =~ /connect-src ([^;]*);/)[0] }

sub sql_of {
    my ($request, %headers) = @_;
    return $admin->post('/docs/sql', body => $request, %headers);
}

scenario 'the page and its files' => sub {
    my $page = $admin->get('/docs');
    is($page->{status}, 200, 'the page');
    is($page->{headers}{'content-type'}, 'text/html; charset=utf-8', 'its type');
    is($page->{headers}{'x-content-type-options'}, 'nosniff', 'is not guessed');
    is($page->{headers}{'referrer-policy'}, 'no-referrer', 'nobody is told the address');
    is($page->{headers}{'cache-control'}, 'no-cache', 'asked for again');
    my $policy = $page->{headers}{'content-security-policy'};
    like($policy, qr/^default-src 'none'; script-src 'self'; style-src 'self';/, 'a strict policy');
    unlike($policy, qr/unsafe/, 'without exceptions');
    is(connect_src($page), "'self' http://127.0.0.1:$api_port", 'that lets it ask the API');
    my %types = (css => 'text/css; charset=utf-8', js => 'text/javascript; charset=utf-8', svg => 'image/svg+xml');
    my @files = $page->{body} =~ /(?:href|src)="(docs\/[^"]+)"/g;
    is(scalar @files, 3, 'it names its files');
    unlike($page->{body}, qr/https?:|<script>|<style|\son\w+=/, 'nothing from elsewhere, nothing inline');
    my %seen;
    while (my $file = shift @files) {
        my $r = $admin->get("/$file");
        is($r->{status}, 200, $file);
        my ($suffix) = $file =~ /\.(\w+)$/;
        is($r->{headers}{'content-type'}, $types{$suffix}, 'its type');
        is($admin->get("/$file", 'If-None-Match' => $r->{headers}{etag})->{status}, 304, 'not sent again');
        push @files, grep { !$seen{$_}++ } map { "docs/$_" } $r->{body} =~ / from "\.\/([^"]+)"/g
            if $suffix eq 'js';
        is($r->{body}, PgrstCluster::slurp("$FindBin::Bin/../../src/app/$file"), 'as in the sources');
    }
    is($admin->head('/docs')->{status}, 200, 'HEAD');
    is($admin->get('/docs/nothing.js')->{status}, 404, 'no other files');
    is($admin->get('/docs/../config')->{status}, 404, 'and no ways out');
    is($admin->post('/docs', body => '')->{status}, 405, 'nothing is posted to it');
    is(PgrstClient->new($api_port)->get('/docs')->{status}, 404, 'the API does not have it');
};

scenario 'where the API is' => sub {
    my $r = $admin->get('/docs/api.json');
    is($r->{headers}{'content-type'}, 'application/json; charset=utf-8', 'type');
    is($r->{json}{url}, "http://127.0.0.1:$api_port", 'on the host that was asked, at its own port');
    is(join(' ', @{$r->{json}{schemas}}), 'api api2', 'its schemas');
    ok(!$r->{json}{sql}, 'without SQL');
    is(with_host('/docs/api.json', "db.example.org:$admin_port")->{json}{url}, "http://db.example.org:$api_port", 'another name');
    is(with_host('/docs/api.json', "[::1]:$admin_port")->{json}{url}, "http://[::1]:$api_port", 'an IPv6 address');
    for my $hostile ("x; script-src *", "a'b", 'a"><script>', 'user@evil.org', 'evil.org/path', 'a b', 'a,b', '', '*') {
        my $page = with_host('/docs', $hostile);
        my $answer = with_host('/docs/api.json', $hostile);
        SKIP: {
            skip "refused before: $hostile", 2 if $page->{status} == 400;
            is(connect_src($page), "'self'", "no name: $hostile");
            is($answer->{json}{url}, undef, 'and no address');
        }
    }
    set(openapi_server_proxy_uri => 'https://api.example.org/v1');
    wait_until { ($admin->get('/docs/api.json')->{json}{url} // '') eq 'https://api.example.org/v1' } 'the proxy';
    is(connect_src($admin->get('/docs')), q('self' https://api.example.org), 'which the policy names');
    set(openapi_server_proxy_uri => '');
    wait_until { $admin->get('/docs/api.json')->{json}{url} eq "http://127.0.0.1:$api_port" } 'the end of it';
};

scenario 'the API lets the page ask' => sub {
    my $origin = "http://127.0.0.1:$admin_port";
    my $api = PgrstClient->new($api_port);
    my $r = $api->get('/', Origin => $origin, Accept => 'application/openapi+json;version=3.1');
    is($r->{headers}{'access-control-allow-origin'}, '*', 'the description');
    like($r->{json}{openapi}, qr/^3\.1/, 'of the version that the page reads');
    my $preflight = $api->request('OPTIONS', '/items', Origin => $origin, 'Access-Control-Request-Method' => 'PATCH',
        'Access-Control-Request-Headers' => 'authorization,content-profile,content-type,prefer');
    like($preflight->{headers}{'access-control-allow-headers'}, qr/prefer/i, 'and what it sends');
};

scenario 'SQL only where it is allowed' => sub {
    is(sql_of({method => 'GET', path => '/items'})->{status}, 403, 'not by default');
    set(db_plan_enabled => 'on');
    wait_until { $admin->get('/docs/api.json')->{json}{sql} } 'the setting';
    my $r = sql_of({method => 'GET', path => '/items?id=eq.1&select=id', headers => {}, body => ''});
    is($r->{status}, 200, 'with it');
    is($r->{json}{role}, 'anon', 'the role');
    is($r->{json}{access_mode}, 'read only', 'how');
    like($r->{json}{statements}[0]{sql}, qr/^SELECT .*"api"\."items"/, 'the SQL');
    is($r->{json}{statements}[0]{params}[0], '1', 'its parameters');
    my $session = $cluster->session('api');
    is(from_json($session->sql(q(SELECT pgrst.to_sql('GET', '/items?id=eq.1&select=id')->'statements'->0->'sql'))),
        $r->{json}{statements}[0]{sql}, 'as pgrst.to_sql() says');
    is(sql_of('{"method":"GET","path":"/items"}', 'Content-Type' => 'text/plain')->{status}, 415, 'only JSON');
    is(sql_of('{"method":"GET"}')->{status}, 400, 'and only a request');
    my $large = PgrstClient->connect($admin_port);
    $large->write("POST /docs/sql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1100000\r\n\r\n");
    is($large->response->{status}, 413, 'of a size that can be planned at once');
    $large->close;
    my $preflight = $admin->request('OPTIONS', '/docs/sql', Origin => 'http://evil.org', 'Access-Control-Request-Method' => 'POST',
        'Access-Control-Request-Headers' => 'content-type');
    is($preflight->{status}, 405, 'other origins are not let in');
    is($preflight->{headers}{'access-control-allow-origin'}, undef, 'by no header');
    is($admin->get('/docs/sql')->{status}, 405, 'it cannot be fetched');
};

scenario 'SQL is planned, not run' => sub {
    my $session = $cluster->session('api');
    my $before = $session->sql('SELECT count(*) FROM api.items');
    my %editor = bearer({role => 'editor'});
    my $r = sql_of({method => 'DELETE', path => '/items', headers => {Authorization => $editor{Authorization}}});
    is($r->{json}{role}, 'editor', 'as the role of the token');
    is($r->{json}{access_mode}, 'read write', 'a write');
    like($r->{json}{statements}[0]{sql}, qr/DELETE FROM/, 'that would delete');
    is($session->sql('SELECT count(*) FROM api.items'), $before, 'and does not');
    $session->sql(q(INSERT INTO pgrst.config VALUES ('app.settings.key', 'a hidden value')));
    wait_until { ($r = sql_of({method => 'GET', path => '/items'}))->{json}{settings}{'app.settings.key'} } 'a setting';
    is($r->{json}{settings}{'app.settings.key'}, '******', 'whose value is not for everybody');
    unlike($r->{body}, qr/hidden value/, 'nowhere in the answer');
    $r = sql_of({method => 'GET', path => '/items', headers => {Authorization => 'Bearer x.y.z'}});
    is($r->{json}{status}, 401, 'a bad token');
    is($r->{json}{statements}, undef, 'has no SQL');
    $r = sql_of({method => 'GET', path => '/item'});
    is($r->{json}{status}, 404, 'what there is not');
    is($r->{json}{error}{hint}, undef, 'hints are not for everybody');
};

ok(!$cluster->crashed, 'the server has not crashed');

done_testing;
