# Requests that would cost far more than was sent: they are refused, or cost in proportion, and nobody else notices.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use PgrstClient;
use PgrstCluster;
use Test::More;

my $cluster = PgrstCluster->start_with_api(conf => {
    'pgrst.db_pool' => 2,
    'pgrst.db_max_rows' => 10,
    'pgrst.server_max_body_memory' => 64,
    'pgrst.server_max_body_size' => 64 << 20,
});
$cluster->sql(<<'SQL', db => 'api');
CREATE TABLE api.long_names ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" text,
  "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" text);
CREATE TABLE api.parents (id int PRIMARY KEY);
CREATE TABLE api.children (id int PRIMARY KEY, parent_id int REFERENCES api.parents);
INSERT INTO api.parents VALUES (1);
INSERT INTO api.children VALUES (1, 1), (2, 1);
GRANT ALL ON api.long_names, api.parents, api.children TO anon;
CREATE FUNCTION api.add_up(a int, b int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a + b';
CREATE FUNCTION api.names_of(json) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT count(*) FROM json_object_keys($1)';
CREATE FUNCTION api.size_of(bytea) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT length($1)';
CREATE FUNCTION api.either(text DEFAULT 'nothing') RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE FUNCTION api.bytes_or_none(bytea DEFAULT '\x00') RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT encode($1, ''escape'')';
SQL
my $client = PgrstClient->new($cluster->port);
my $gateway = $cluster->gateway_pid;
my ($json, $csv, $form) = ('application/json', 'text/csv', 'application/x-www-form-urlencoded');

sub memory_kb {
    my ($what) = @_;
    return PgrstCluster::slurp("/proc/$gateway/status") =~ /^$what:\s+(\d+)/m ? $1 : die "no $what";
}

# By how many kB the gateway's memory has grown at its highest during the call.
sub growth_kb {
    my ($call) = @_;
    open(my $fh, '>', "/proc/$gateway/clear_refs") or return undef;
    print $fh '5';
    close $fh or return undef;
    my $before = memory_kb('VmRSS');
    $call->();
    return memory_kb('VmHWM') - $before;
}

# The answer, and that neither it nor the memory that it took is much larger than what was sent.
sub is_refused {
    my ($what, $status, $code, $method, $path, $type, $body, $factor) = @_;
    my $r;
    my $growth = growth_kb(sub { $r = $client->request($method, $path, body => $body, 'Content-Type' => $type) });
    is("$r->{status} " . ($r->{json}{code} // $r->{body}), "$status $code", $what);
    cmp_ok(length $r->{body}, '<', 20_000, "$what: a short answer");
  SKIP: {
        skip 'memory cannot be measured', 1 if !defined $growth;
        cmp_ok($growth, '<', 4096 + ($factor // 4) * length($body) / 1024, "$what: little memory ($growth kB)");
    }
    return $r;
}

sub names { my ($count, $before, $behind, $separator) = @_; return join $separator, map { "$before$_$behind" } 1 .. $count }

scenario 'CSV under long names' => sub {
    my $bomb = join(',', map { $_ x 60000 } 'a' .. 'd') . "\n" . ",,,\n" x 4100;
    is_refused('for a table', 400, 'PGRST204', 'POST', '/items', $csv, $bomb, 8);
    is_refused('for an unknown table', 404, 'PGRST205', 'POST', '/nowhere', $csv, $bomb, 8);
    is_refused('for a function', 404, 'PGRST202', 'POST', '/rpc/add_up', $csv, $bomb, 8);
    is_refused('that are too many', 400, 'PGRST102', 'POST', '/items', $csv, names(20000, 'c', '', ',') . "\n1\n", 8);
};

scenario 'the memory of what is made of bodies counts' => sub {
    my $header = join ',', map { $_ x 62 } 'a', 'b';
    my $large = "$header\n" . ",\n" x 600_000;
    my $r = $client->post('/long_names', body => $large, 'Content-Type' => $csv);
    is($r->{status}, 503, '1 MB that would become 80 MB');
    is($r->{json}{code}, 'PGRST102', 'has no room');
    is($client->post('/long_names', body => "$header\n" . ",\n" x 60_000, 'Content-Type' => $csv)->{status}, 201, '8 MB have');
    is($client->post('/rpc/size_of', body => 'x' x 40_000_000, 'Content-Type' => 'application/octet-stream')->{status}, 503,
        'bytes that would become twice as many have none');
    for (1 .. 20) {
        my $ok = $client->post('/long_names', body => "$header\n" . ",\n" x 60_000, 'Content-Type' => $csv)->{status};
        fail("memory is not given back: $ok") if $ok != 201;
    }
    is($client->post('/rpc/size_of', body => 'x' x 10_000_000, 'Content-Type' => 'application/octet-stream')->{body}, 10_000_000,
        'what was taken is given back');
};

scenario 'names that nothing takes' => sub {
    my $object = '{' . names(300_000, '"n', '":1', ',') . '}';
    is_refused('for a table', 400, 'PGRST204', 'POST', '/items', $json, $object);
    is_refused('for an update', 400, 'PGRST204', 'PATCH', '/items?id=eq.0', $json, $object);
    is_refused('for a function', 404, 'PGRST202', 'POST', '/rpc/add_up', $json, $object);
    is_refused('for an unknown function', 404, 'PGRST202', 'POST', '/rpc/nowhere', $json, $object);
    is_refused('a long one', 404, 'PGRST202', 'POST', '/rpc/add_up', $json, '{"' . 'x' x 3_000_000 . '":1}');
    is_refused('of a form', 400, 'PGRST204', 'POST', '/items', $form, names(100_000, 'n', '=1', '&'));
    is_refused('of a form for a function', 404, 'PGRST202', 'POST', '/rpc/add_up', $form, names(100_000, 'n', '=1', '&'));
    is($client->post('/rpc/names_of', body => $object)->{body}, 300_000, 'but a function of the whole object takes it');
};

scenario 'bodies in hexadecimal digits' => sub {
    my @bytes = ('Content-Type' => 'application/octet-stream');
    is($client->post('/rpc/size_of', body => join('', map { chr } 0 .. 255), @bytes)->{body}, 256, 'bytes');
    is($client->post('/rpc/size_of', body => '', @bytes)->{body}, 0, 'no bytes');
    # A parameter with a default takes whatever body there is.
    is($client->post('/rpc/either', body => 'text', @bytes)->{json}, 'text', 'bytes for a text');
    is($client->post('/rpc/bytes_or_none', body => 'text', 'Content-Type' => 'text/plain')->{json}, 'text', 'a text for bytes');
};

scenario 'lists in URLs' => sub {
    my $url = sub { my ($before, $count, $piece) = @_; return $before . join ',', map { sprintf $piece, $_ } 1 .. $count };
    my $get = sub { my $r = $client->get(@_); return "$r->{status} " . ($r->{json}{code} // '') };
    is($get->($url->('/items?select=', 1665, 'id')), '500 54011', 'columns');
    is($get->($url->('/items?order=', 1665, 'id')), '500 54011', 'terms of order');
    is($client->get($url->('/children?select=', 100, 'a%s:parents(id)') . '&limit=1')->{status}, 200, '100 embeds');
    is($get->($url->('/children?select=', 101, 'a%s:parents(id)')), '400 PGRST100', '101 embeds');
    my $position = $cluster->set_for_authenticator(db_max_embeds => 2);
    wait_until { $get->('/parents?select=children(parents(children(id)))') eq '400 PGRST100' } 'the limit of embeds';
    is($client->get('/parents?select=children(parents(id))')->{status}, 200, 'two embeds');
    $cluster->set_for_authenticator(db_max_embeds => undef);
    is($get->('/rpc/add_up?' . names(150, 'n', '=1', '&')), '404 PGRST202', 'arguments');
};

is($cluster->gateway_pid, $gateway, 'the gateway has gone on');
ok(!$cluster->crashed, 'no process crashed') or diag(grep { /signal|TRAP|PANIC/ } split /^/, $cluster->log);
done_testing;
