# Tokens, roles, and what SQL sees of a request.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use PgrstClient;
use PgrstCluster;
use Test::More;

my $cluster = PgrstCluster->start_with_api;
my $client = PgrstClient->new($cluster->port);

sub me { return $client->get('/me', @_) }

sub is_refused {
    my ($headers, $status, $code, $message, $what) = @_;
    my $r = me(@$headers);
    is($r->{status}, $status, "$what: status");
    is($r->{json}{code}, $code, "$what: code");
    like($r->{json}{message}, $message, "$what: message");
    is_deeply([sort keys %{$r->{json}}], [qw(code details hint message)], "$what: shape");
    return $r;
}

scenario 'anonymous' => sub {
    my $row = me()->{json}[0];
    is($row->{current_user}, 'anon', 'role');
    is($row->{session_user}, 'authenticator', 'session user');
    is_deeply($row->{claims}, {role => 'anon'}, 'claims');
    is_deeply(me(Authorization => 'Basic abc')->{json}[0]{claims}, {role => 'anon'}, 'another scheme');
};

scenario 'valid tokens' => sub {
    my $now = time;
    for my $claims ({role => 'author', sub => 'ada'}, {role => 'editor', exp => $now + 100},
        {role => 'editor', exp => $now - 10}, {role => 'author', nbf => $now - 100, iat => $now - 5},
        {role => 'author', n => 1.5, list => [1, {a => undef}], text => "\x{e4}\x{1f600}\"\\"})
    {
        for (1, 2) {
            my $r = me(bearer($claims));
            is($r->{status}, 200, 'status') or diag($r->{body});
            is($r->{json}[0]{current_user}, $claims->{role}, 'role');
            is_deeply($r->{json}[0]{claims}, $claims, 'claims');
        }
    }
    is(me(bearer({sub => 'ada'}))->{json}[0]{current_user}, 'anon', 'no role: anonymous');
    is(me(Authorization => 'bearer ' . token({role => 'author'}))->{json}[0]{current_user}, 'author', 'scheme in small letters');
};

scenario 'tokens that are not valid' => sub {
    my $now = time;
    my $r = is_refused([bearer({role => 'author', exp => $now - 100})], 401, 'PGRST303', qr/^JWT expired$/, 'expired');
    is($r->{headers}{'www-authenticate'}, 'Bearer error="invalid_token", error_description="JWT expired"', 'WWW-Authenticate');
    is($r->{headers}{'proxy-status'}, 'PostgREST; error=PGRST303', 'Proxy-Status');
    is_refused([bearer({role => 'author', nbf => $now + 100})], 401, 'PGRST303', qr/^JWT not yet valid$/, 'not yet');
    is_refused([bearer({role => 'author', iat => $now + 100})], 401, 'PGRST303', qr/^JWT issued at future$/, 'issued in the future');
    is_refused([bearer({role => 'author', exp => 'soon'})], 401, 'PGRST303', qr/'exp' claim must be a number/, 'exp of another type');
    is_refused([bearer({role => 'author'}, secret => 'x' x 40)], 401, 'PGRST301', qr/./, 'another secret');
    is_refused([bearer({role => 'author'}, header => {alg => 'none'})], 401, 'PGRST301', qr/./, 'algorithm none');
    is_refused([bearer({role => 'author'}, header => {alg => 'HS512'})], 401, 'PGRST301', qr/./, 'another algorithm');
    is_refused([bearer({role => 'author'}, header => {alg => 'RS256'})], 401, 'PGRST301', qr/./, 'algorithm of another kind of key');
    my $unsigned = token({role => 'editor'}) =~ s/[^.]*$//r;
    is_refused([Authorization => "Bearer $unsigned"], 401, 'PGRST301', qr/./, 'no signature');
    for my $bad ('x', 'a.b', 'a.b.c', 'a.b.c.d', '...', '!.!.!', 'x' x 3000) {
        is_refused([Authorization => "Bearer $bad"], 401, 'PGRST301', qr/./, 'malformed: ' . substr $bad, 0, 10);
    }
    is_refused([Authorization => 'Bearer '], 401, 'PGRST301', qr/./, 'empty');
    is_refused([bearer('[1]')], 401, 'PGRST303', qr/./, 'claims of another type');
    my $good = token({role => 'author'});
    for my $i (0, 10, 40, length($good) - 2) {
        my $bad = $good;
        substr($bad, $i, 1) = substr($bad, $i, 1) eq 'A' ? 'B' : 'A';
        my $r = me(Authorization => "Bearer $bad");
        is($r->{status}, 401, "changed at $i");
    }
};

scenario 'roles that a token may not have' => sub {
    is_refused([bearer({role => 'no_such_role'})], 401, '22023', qr/role "no_such_role" does not exist/, 'unknown');
    is_refused([bearer({role => 'stranger'})], 403, '42501', qr/permission denied to set role "stranger"/, 'not granted');
    is_refused([bearer({role => 'postgres'})], 403, '42501', qr/permission denied to set role "postgres"/, 'superuser');
    for my $role ('none', 'NONE', ' none') {
        my $r = me(bearer({role => $role}));
        isnt($r->{status}, 200, "\"$role\": refused");
        is($r->{json}{code}, '22023', "\"$role\": code");
    }
    for my $role ('', 'author"; RESET ROLE; --', "author\\'", 'default', 'AUTHOR', 'x' x 500) {
        my $r = me(bearer({role => $role}));
        ok($r->{status} == 401 || $r->{status} == 403 || $r->{status} == 400, "\"$role\": $r->{status}");
    }
    my $own = me(bearer({role => 'authenticator'}));
    isnt($own->{status}, 599, "the authenticator itself: $own->{status}");
    is(me()->{json}[0]{current_user}, 'anon', 'the next request is anonymous');
};

scenario 'what SQL sees of a request' => sub {
    my $row = me('X-Custom' => 'one', 'X-Quote' => q(a"b\c), Cookie => 'a=1; b=two words; c=x=y')->{json}[0];
    is($row->{method}, 'GET', 'request.method');
    is($row->{path}, '/me', 'request.path');
    is($row->{headers}{'x-custom'}, 'one', 'request.headers');
    is($row->{headers}{'x-quote'}, q(a"b\c), 'request.headers, quoted');
    is($row->{headers}{host}, '127.0.0.1:' . $cluster->port, 'request.headers, host');
    is_deeply($row->{cookies}, {a => '1', b => 'two words', c => 'x=y'}, 'request.cookies');
    is($row->{read_only}, 'on', 'a read-only transaction');
    is($row->{search_path}, '"api", "public"', 'search_path');
    is($client->get('/me?select=path')->{json}[0]{path}, '/me', 'request.path has no query');
};

scenario 'hints name only what the role may use' => sub {
    $cluster->sql(<<'SQL', db => 'api');
CREATE TABLE api.payroll (id int PRIMARY KEY, pay int);
CREATE TABLE api.payslips (id int PRIMARY KEY, payroll_id int REFERENCES api.payroll);
GRANT SELECT ON api.payslips TO anon, editor;
GRANT SELECT (pay) ON api.payroll TO editor;
CREATE FUNCTION api.raise_pay(percent int) RETURNS int LANGUAGE sql AS 'SELECT 1';
REVOKE EXECUTE ON FUNCTION api.raise_pay FROM public;
GRANT EXECUTE ON FUNCTION api.raise_pay TO editor;
SQL
    my %hints = (
        '/payrol' => "Perhaps you meant the table 'api.payroll'",
        '/payslips?select=payrolls(pay)' => "Perhaps you meant 'payroll' instead of 'payrolls'.",
        '/rpc/raise_pai?percent=1' => 'Perhaps you meant to call the function api.raise_pay',
        '/rpc/raise_pay?percents=1' => 'Perhaps you meant to call the function api.raise_pay(percent)',
    );
    for my $path (sort keys %hints) {
        my $r = $client->get($path, bearer({role => 'editor'}));
        is($r->{json}{hint}, $hints{$path}, "$path: the hint, for who may use it");
        my $other = $client->get($path);
        is($other->{status}, $r->{status}, "$path: the same status for others");
        is($other->{json}{message}, $r->{json}{message}, "$path: the same message");
        is($other->{json}{hint}, undef, "$path: no hint");
        unlike($other->{body}, qr/payroll\b|raise_pay\b.*percent\b/, "$path: nothing else names it") if $path !~ /raise_pay\?/;
    }
    $cluster->sql('DROP TABLE api.payslips, api.payroll; DROP FUNCTION api.raise_pay', db => 'api');
};

scenario 'other settings of tokens' => sub {
    my $set = sub { $cluster->sql($_[0], db => 'api') };
    $set->(q(INSERT INTO pgrst.config VALUES ('jwt_aud', 'shop')));
    is(me(bearer({role => 'author', aud => 'shop'}))->{status}, 200, 'audience');
    is(me(bearer({role => 'author', aud => ['x', 'shop']}))->{status}, 200, 'one of several');
    is_refused([bearer({role => 'author', aud => 'other'})], 401, 'PGRST303', qr/^JWT not in audience$/, 'another audience');
    $set->(q(DELETE FROM pgrst.config));
    $set->(q(INSERT INTO pgrst.config VALUES ('jwt_role_claim_key', '.app.roles[1]')));
    is(me(bearer({app => {roles => ['x', 'editor']}}))->{json}[0]{current_user}, 'editor', 'path of the role');
    is(scalar(() = $cluster->log =~ /WARNING: .*pgrst\.jwt_role_claim_key "\.app\.roles\[1\]" has a deprecated syntax/g), 1,
        'the log warns of its deprecated syntax, once');
    $set->(q(UPDATE pgrst.config SET name = 'jwt_secret', value = repeat('n', 40)));
    is(me(bearer({role => 'author'}))->{status}, 401, 'the old secret after a change');
    is(me(bearer({role => 'author'}, secret => 'n' x 40))->{status}, 200, 'the new secret');
    $set->(q(DELETE FROM pgrst.config));
    is(me(bearer({role => 'author'}))->{status}, 200, 'the old secret again');
    $cluster->append_conf('pgrst.jwt_secret' => '');
    $cluster->reload;
    wait_until { me(bearer({role => 'author'}))->{status} != 200 } 'the reload';
    is_refused([bearer({role => 'author'})], 500, 'PGRST300', qr/^Server lacks JWT secret$/, 'no secret');
    is(me()->{status}, 200, 'anonymous requests need none');
    $cluster->append_conf('pgrst.jwt_secret' => PgrstCluster::secret());
    $cluster->reload;
    wait_until { me(bearer({role => 'author'}))->{status} == 200 } 'the reload';
};

scenario 'no anonymous access' => sub {
    $cluster->sql(q(INSERT INTO pgrst.config VALUES ('db_anon_role', '')), db => 'api');
    my $r = is_refused([], 401, 'PGRST302', qr/^Anonymous access is disabled$/, 'no token');
    is($r->{headers}{'www-authenticate'}, 'Bearer', 'WWW-Authenticate');
    is(me(bearer({sub => 'x'}))->{status}, 401, 'a token without role');
    is(me(bearer({role => 'author'}))->{status}, 200, 'a token with role');
    $cluster->sql('DELETE FROM pgrst.config', db => 'api');
};

# The postmaster itself logs changes of postgresql.conf; nobody else may name the secret.
unlike($cluster->log =~ s/^.* postmaster LOG:  parameter "pgrst\.jwt_secret" changed to .*$//mgr,
    qr/\Q@{[PgrstCluster::secret()]}\E/, 'the secret is not in the log');
ok(!$cluster->crashed, 'no process crashed');
done_testing;
