# The letter of the dialect, where it is easy to be near it only: what is judged, counted, grouped and
# refused as by PostgREST.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use PgrstClient;
use PgrstCluster;
use JSON::PP ();
use Test::More;

my $cluster = PgrstCluster->start_with_api(conf => {'pgrst.db_aggregates_enabled' => 'on'});
$cluster->sql(<<'SQL', db => 'api');
CREATE TABLE api.towns (id int PRIMARY KEY, name text);
CREATE TABLE api.people (
  id int PRIMARY KEY, name text, lives_in int REFERENCES api.towns, works_in int REFERENCES api.towns);
INSERT INTO api.towns VALUES (1, 'Ghent'), (2, 'Lyon');
INSERT INTO api.people VALUES (1, 'Ann', 1, 2), (2, 'Bob', 1, 1), (3, 'Cyd', 2, NULL);
CREATE FUNCTION api.people_from(lo int) RETURNS SETOF api.people LANGUAGE sql STABLE AS $$
  SELECT * FROM api.people WHERE id >= lo ORDER BY id
$$;
CREATE FUNCTION api.first_person() RETURNS api.people LANGUAGE sql STABLE AS $$
  SELECT * FROM api.people ORDER BY id LIMIT 1
$$;
CREATE FUNCTION api.rename_all(lo int) RETURNS SETOF api.people LANGUAGE sql AS $$
  UPDATE api.people SET name = name || '!' WHERE id >= lo RETURNING *
$$;
-- A key of which the view shows the columns in another order than that of their names.
CREATE TABLE api.days_off (z int, a date, note text, PRIMARY KEY (z, a));
CREATE VIEW api.days_off_of AS SELECT a AS zz, z AS person, note FROM api.days_off;
-- A trigger that drops rows.
CREATE TABLE api.picky (id int PRIMARY KEY, note text);
CREATE FUNCTION private.drop_it() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.note = 'drop' THEN RETURN NULL; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER drop_it BEFORE INSERT ON api.picky FOR EACH ROW EXECUTE FUNCTION private.drop_it();
CREATE TABLE api.keyless (line text);
CREATE FUNCTION api.to_tsvector(int) RETURNS tsvector LANGUAGE sql IMMUTABLE AS $$
  SELECT pg_catalog.to_tsvector('simple', 'number ' || $1)
$$;
-- A domain with a representation of its own, for the login role too; and one that is not.
CREATE DOMAIN api.shade AS int;
CREATE DOMAIN api.secret_shade AS int;
CREATE FUNCTION private.shade_to_json(api.shade) RETURNS json LANGUAGE sql IMMUTABLE AS $$
  SELECT to_json('#' || lpad(to_hex($1::int), 2, '0'))
$$;
CREATE FUNCTION private.secret_to_json(api.secret_shade) RETURNS json LANGUAGE sql IMMUTABLE AS $$
  SELECT '"hidden"'::json
$$;
REVOKE EXECUTE ON FUNCTION private.shade_to_json, private.secret_to_json FROM public;
GRANT USAGE ON SCHEMA private TO anon;
GRANT EXECUTE ON FUNCTION private.shade_to_json TO anon, authenticator;
GRANT EXECUTE ON FUNCTION private.secret_to_json TO anon;
SET client_min_messages = error;
CREATE CAST (api.shade AS json) WITH FUNCTION private.shade_to_json AS IMPLICIT;
CREATE CAST (api.secret_shade AS json) WITH FUNCTION private.secret_to_json AS IMPLICIT;
CREATE TABLE api.lamps (id int PRIMARY KEY, shade api.shade, inner_shade api.secret_shade, town int REFERENCES api.towns);
INSERT INTO api.lamps VALUES (1, 15, 1, 1), (2, 15, 1, 2), (3, 255, 1, 1);
CREATE TABLE api.signs (id int PRIMARY KEY, lamp int REFERENCES api.lamps);
INSERT INTO api.signs VALUES (1, 1), (2, 2), (3, 1);
GRANT ALL ON ALL TABLES IN SCHEMA api TO anon;
SQL
my $client = PgrstClient->new($cluster->port);
my @singular = (Accept => 'application/vnd.pgrst.object+json');
my @representation = (Prefer => 'return=representation');

sub code_is {
    my ($r, $status, $code, $what) = @_;
    is("$r->{status} " . ($r->{json}{code} // ''), "$status $code", $what) or diag($r->{body});
    return $r;
}

scenario 'a page of a counted call is judged, not all of its rows' => sub {
    my $r = $client->get('/rpc/people_from?lo=1&limit=1', @singular, Prefer => 'count=exact');
    is($r->{status}, 206, 'one object of three');
    is($r->{headers}{'content-range'}, '0-0/3', 'the total is known all the same');
    is($r->{json}{name}, 'Ann', 'the object');
    code_is($client->get('/rpc/people_from?lo=1&limit=0', @singular, Prefer => 'count=exact'), 406, 'PGRST116', 'no object');
    code_is($client->get('/rpc/people_from?lo=1&limit=2', @singular, Prefer => 'count=exact'), 406, 'PGRST116', 'two objects');
    my @strict = (Prefer => 'handling=strict, max-affected=1, count=exact');
    is($client->post('/rpc/people_from?limit=1', body => {lo => 1}, @strict)->{status}, 206, 'max-affected');
    code_is($client->post('/rpc/people_from?limit=2', body => {lo => 1}, @strict), 400, 'PGRST124', 'more of them');
};

scenario 'what is judged is undone, or done' => sub {
    my @count = (Prefer => 'count=exact');
    is($client->post('/rpc/rename_all?limit=1', body => {lo => 1}, @singular, @count)->{status}, 206, 'one of three is shown');
    is($cluster->sql("SELECT count(*) FROM api.people WHERE name LIKE '%!'", db => 'api'), 3, 'and it is done');
    $cluster->sql("UPDATE api.people SET name = rtrim(name, '!')", db => 'api');
    code_is($client->post('/rpc/rename_all?limit=2', body => {lo => 1}, @singular, @count), 406, 'PGRST116', 'two are shown');
    is($cluster->sql("SELECT count(*) FROM api.people WHERE name LIKE '%!'", db => 'api'), 0, 'and it is undone');
};

scenario 'max-affected, however it is written' => sub {
    for my $n ('-1', ' -1', '- 1', '(-1)', '18446744073709551615') {
        code_is($client->del('/people', Prefer => "handling=strict, max-affected=$n"), 400, 'PGRST124', "max-affected=$n");
    }
    for my $n (' 1', '0x1', '(1)', '0b1') {
        code_is($client->del('/people', Prefer => "handling=strict, max-affected=$n"), 400, 'PGRST124', "max-affected=$n");
        my $r = $client->patch('/people?id=eq.1', body => {name => 'Ann'}, Prefer => "handling=strict, max-affected=$n");
        is($r->{headers}{'preference-applied'}, 'handling=strict, max-affected=1', "max-affected=$n is read");
    }
    is($cluster->sql('SELECT count(*) FROM api.people', db => 'api'), 3, 'nothing is gone');
};

scenario 'ranges beyond bigint' => sub {
    my $beyond = '9223372036854775808';
    for my $target ("/people?limit=$beyond", "/people?offset=$beyond", "/towns?select=people!lives_in(id)&people.limit=$beyond",
        "/rpc/people_from?lo=1&limit=$beyond", "/towns?select=people!lives_in(id)&people.offset=-99999999999999999999") {
        code_is($client->get($target), 400, '22003', $target);
        code_is($client->get($target, Prefer => 'count=exact'), 400, '22003', "$target, counted");
    }
    my $r = code_is($client->get('/people', Range => '0-99999999999999999999'), 400, '22003', 'Range');
    is($r->{json}{message}, 'value "100000000000000000000" is out of range for type bigint', 'message');
    is($client->get('/people?limit=9223372036854775807')->{status}, 200, 'the largest one');
    is(@{$client->get('/people?limit=9223372036854775807&offset=1')->{json}}, 2, 'and more, in sum');
};

scenario 'two embeds of one name' => sub {
    my $r = code_is($client->get('/people?select=towns!lives_in(name),towns!works_in(name)'), 400, '42712', 'to one');
    is($r->{json}{message}, 'table name "people_towns_1" specified more than once', 'message');
    code_is($client->get('/towns?select=people!lives_in(name),people!works_in(name)'), 400, '42712', 'to many');
    code_is($client->get('/people?select=...towns!lives_in(id),...towns!works_in(name)'), 400, '42712', 'spreads');
    code_is($client->request('HEAD', '/people?select=x:towns!lives_in(id),x:towns!works_in(id)'), 400, '', 'of an alias, for HEAD');
    code_is($client->patch('/people?id=eq.1&select=towns!lives_in(id),towns!works_in(id)', body => {name => 'Ann'},
        @representation), 400, '42712', 'of what is written');
    $r = $client->get('/people?id=eq.1&select=home:towns!lives_in(name),work:towns!works_in(name)');
    is($r->{body}, '[{"home":{"name": "Ghent"},"work":{"name": "Lyon"}}]', 'with two names they are fine');
};

scenario 'PUT on a view, by the columns of a key in any order' => sub {
    for my $query ('zz=eq.2024-02-02&person=eq.1', 'person=eq.1&zz=eq.2024-02-02') {
        my $r = $client->put("/days_off_of?$query", body => {person => 1, zz => '2024-02-02', note => $query}, @representation);
        ok($r->{status} =~ /^20[01]$/, $query) or diag($r->{body});
        is($r->{json}[0]{note}, $query, 'what is put');
    }
    code_is($client->put('/days_off_of?person=eq.1', body => {person => 1}), 405, 'PGRST105', 'a part of the key');
};

scenario 'inserted or merged' => sub {
    my $status = sub {
        my ($target, $body, $prefer) = @_;
        return $client->post($target, body => $body, Prefer => join(', ', 'resolution=merge-duplicates', $prefer // ()))->{status};
    };
    is($status->('/picky', {id => 1}), 201, 'a new row');
    is($status->('/picky', {id => 1}), 200, 'a known row');
    is($status->('/picky', [{id => 1}, {id => 2}]), 201, 'one of each');
    is($status->('/picky', [{id => 1}, {id => 2}]), 200, 'two known ones');
    is($status->('/picky', []), 200, 'none');
    is($status->('/picky', {id => 9, note => 'drop'}), 201, 'one that a trigger drops');
    is($status->('/picky?select=count()', [], 'return=representation'), 200, 'an aggregate of none');
    is($status->('/picky?select=count()', [{id => 3}, {id => 4}, {id => 1}], 'return=representation'), 201, 'an aggregate of some');
    is($status->('/picky?columns=id', [{id => 5}]), 201, 'of a body that is not looked into');
    is($status->('/picky?columns=id', [{id => 5}]), 200, 'again');
    is($status->('/keyless', [{line => 'a'}]), 201, 'without a key');
    is($status->('/keyless', []), 200, 'none, without a key');
    is($status->('/picky', [{id => 6}], 'missing=default'), 201, 'with defaults');
    is($status->('/picky', [{id => 6}], 'missing=default'), 200, 'with defaults, again');
};

scenario 'nothing selected of what is written: the key' => sub {
    my $written = sub { $client->patch(shift, body => {note => 'n'}, @representation)->{body} };
    is($written->('/days_off?select='), '[{"a":"2024-02-02","z":1}]', 'select=');
    is($written->('/days_off?select=,note'), '[{"a":"2024-02-02","z":1}]', 'select=,note');
    is($client->post('/keyless?select=', body => {line => 'b'}, @representation)->{body}, '[{"?column?":1}]', 'no key');
    is($client->get('/days_off?select=')->{body}, '[{"z":1,"a":"2024-02-02","note":"n"}]', 'a read shows all');
};

scenario 'groups' => sub {
    my $json = sub { $client->get(shift)->{json} };
    is_deeply($json->('/lamps?select=shade,count()&order=shade'),
        [{shade => '#0f', count => 2}, {shade => '#ff', count => 1}], 'of a representation');
    is_deeply($json->('/signs?select=count(),...lamps(shade)'), [{count => 3, shade => '#0f'}],
        'of a representation in a spread');
    is_deeply($json->('/people?select=lives_in::text,count()&order=lives_in.desc'),
        [{lives_in => '2', count => 1}, {lives_in => '1', count => 2}], 'ordered by the column of a cast');
    is_deeply($json->('/people?select=half:id::bool,count()'), [{half => JSON::PP::true(), count => 3}], 'by a cast');
};

scenario 'count() of a spread with a page' => sub {
    my $r = $client->get('/people?select=id,...towns!lives_in(n:count(),lamps(id))&towns.limit=1&id=lt.3');
    is($r->{status}, 200, 'answered') or diag($r->{body});
    is($r->{json}[0]{n}, 1, 'one town') if $r->{status} == 200;
};

scenario 'the count of one row that a filter took away' => sub {
    my $range = sub { my $r = $client->get(shift, Prefer => 'count=exact'); "$r->{status} $r->{headers}{'content-range'}" };
    is($range->('/rpc/first_person?id=eq.1&limit=1'), '200 0-0/1', 'a row');
    is($range->('/rpc/first_person?id=eq.2&limit=1'), '200 */0', 'none');
    is($range->('/rpc/first_person?id=eq.2&offset=1'), '416 */0', 'beyond none');
    is($range->('/rpc/first_person?id=eq.2'), '200 0-0/1', 'without a range it is not counted');
};

scenario 'casts, cookies, Accept' => sub {
    is($client->get('/people?id=eq.1&select=id::int::text')->{body}, '[{"id":1}]', 'the first of two casts');
    my $r = $client->get('/me?select=cookies', Cookie => 'a="b"; c=d; e=""');
    is_deeply($r->{json}[0]{cookies}, {a => 'b', c => 'd', e => ''}, 'quotes around a cookie');
    code_is($client->get('/people', Accept => ''), 406, 'PGRST107', 'an empty Accept');
    code_is($client->request('OPTIONS', '/rpc/first_person', Accept => 'image/gif'), 406, 'PGRST107', 'OPTIONS of a function');
    is($client->request('OPTIONS', '/people', Accept => 'image/gif')->{status}, 200, 'OPTIONS of a table');
};

scenario 'full text search of what is no text' => sub {
    is_deeply($client->get('/people?select=id&id=fts.3')->{json}, [{id => 3}], 'a to_tsvector of the schema');
    my $r = code_is($client->get('/days_off?a=fts.x'), 404, '42883', 'none');
    is($r->{json}{message}, 'function to_tsvector(date) does not exist', 'message');
};

scenario 'the search_path of a role' => sub {
    $cluster->sql('ALTER ROLE editor SET search_path = private, pg_catalog', db => 'api');
    my $path = sub { $client->get('/me?select=search_path', @_)->{json}[0]{search_path} };
    $cluster->sql('GRANT SELECT ON api.me TO editor', db => 'api');
    wait_until { $path->(PgrstClient::bearer({role => 'editor'})) eq 'private, pg_catalog' } 'the setting of the role';
    is($path->(), '"api", "public"', 'of a role without');
    is($path->(PgrstClient::bearer({role => 'editor'})), 'private, pg_catalog', 'of the role, over that of the request');
};

scenario 'representations are those that the login role may use' => sub {
    is($client->get('/lamps?id=eq.1&select=shade,inner_shade')->{body}, '[{"shade":"#0f","inner_shade":1}]', 'as served');
    # Whoever asks: the superuser, and a role that may use neither.
    my $ask = q{SELECT body FROM pgrst.request('GET', '/lamps?id=eq.1&select=shade,inner_shade')};
    is($cluster->sql($ask, db => 'api'), '[{"shade":"#0f","inner_shade":1}]', 'pgrst.request()');
    my $sql = q{SELECT pgrst.to_sql('GET', '/lamps?id=eq.1&select=shade,inner_shade')::text};
    my $text = $cluster->sql($sql, db => 'api');
    like($text, qr/shade_to_json/, 'pgrst.to_sql()');
    unlike($text, qr/secret_to_json/, 'and not the other');
};

scenario 'settings of the login role count for whoever asks' => sub {
    $cluster->sql('ALTER ROLE authenticator SET pgrst.db_max_rows = 1');
    wait_until { @{$client->get('/people')->{json}} == 1 } 'the setting, as served';
    is($cluster->sql(q{SELECT body FROM pgrst.request('GET', '/people?select=id&order=id')}, db => 'api'), '[{"id":1}]',
        'pgrst.request()');
    $cluster->sql('ALTER ROLE authenticator RESET pgrst.db_max_rows');
    # Those of the role of the request are those that the login role may set.
    $cluster->sql(q{ALTER ROLE anon SET work_mem = '7MB'; ALTER ROLE anon SET log_min_duration_statement = 77});
    my $planned = PgrstClient::from_json($cluster->sql(q{SELECT pgrst.to_sql('GET', '/people')::text}, db => 'api'));
    is_deeply($planned->{role_settings}, {search_path => '"api", "public"', work_mem => '7MB'}, 'pgrst.to_sql()');
    $cluster->sql('ALTER ROLE anon RESET ALL');
};

done_testing();
