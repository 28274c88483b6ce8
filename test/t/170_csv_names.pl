# The names in CSV are the keys of the JSON: of every relation and function of the fixtures and of the demo, whatever the
# plan of the statement. Over the socket, too, where a plan is kept and becomes a generic one.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use PgrstClient;
use PgrstCluster;
use Test::More;

my $cluster = PgrstCluster->start_with_api;
my $client = PgrstClient->new($cluster->port);

# All requests in one session: of each relation as it is, with all columns renamed in their order, and the last one
# alone; of each function that takes no arguments.
my $compare = <<'SQL';
SET jit = off;
CREATE FUNCTION pg_temp.get(path text, accept text, profile text) RETURNS pgrst.response LANGUAGE sql AS $$
  SELECT pgrst.request('GET', path, json_build_object('Accept', accept, 'Accept-Profile', profile))
$$;
CREATE TABLE pg_temp.differing (path text, plan text, names text, keys text);
CREATE TABLE pg_temp.compared (path text);
CREATE FUNCTION pg_temp.compare(profile text, path text, scalar boolean DEFAULT false) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  answer pgrst.response := pg_temp.get(path, 'application/json', profile);
  plan text;
  names text;
  keys text;
  doc json;
BEGIN
  IF answer.status <> 200 OR answer.body IN ('', '[]', 'null') THEN RETURN; END IF;
  doc := answer.body::json;
  IF json_typeof(doc) = 'array' THEN doc := doc->0; END IF;
  IF scalar THEN keys := 'pgrst_scalar'; ELSE SELECT string_agg(k, ',') FROM json_object_keys(doc) k INTO keys; END IF;
  FOREACH plan IN ARRAY ARRAY['', 'enable_seqscan,enable_bitmapscan', 'enable_indexscan,enable_indexonlyscan,enable_sort',
                              'enable_nestloop,enable_hashagg', 'enable_hashjoin,enable_mergejoin'] LOOP
    PERFORM set_config(setting, 'off', true) FROM string_to_table(nullif(plan, ''), ',') setting;
    names := split_part((pg_temp.get(path, 'text/csv', profile)).body, E'\n', 1);
    PERFORM set_config(setting, 'on', true) FROM string_to_table(nullif(plan, ''), ',') setting;
    INSERT INTO pg_temp.compared VALUES (path);
    IF names IS DISTINCT FROM keys THEN INSERT INTO pg_temp.differing VALUES (path, plan, names, keys); END IF;
  END LOOP;
END $$;
SELECT pg_temp.compare(schema, path)
  FROM (SELECT n.nspname AS schema, c.relname, array_agg('%22' || replace(a.attname, ' ', '%20') || '%22' ORDER BY a.attnum) AS names
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
         WHERE n.nspname IN (SCHEMAS) AND c.relkind IN ('r', 'v', 'm', 'p', 'f') AND NOT c.relispartition AND c.relname NOT IN (SLOW)
           AND c.relname NOT LIKE 'leave%'
         GROUP BY n.nspname, c.relname) AS relations,
       LATERAL (SELECT '/' || relname || '?limit=3' AS path
          UNION ALL SELECT '/' || relname
          UNION ALL SELECT '/' || relname || '?select=' || (SELECT string_agg('n' || o || ':' || n, ',' ORDER BY o)
                                                              FROM unnest(names) WITH ORDINALITY u(n, o))
          UNION ALL SELECT '/' || relname || '?select=' || names[cardinality(names)]
          UNION ALL SELECT '/' || relname || '?order=' || names[1] || '&limit=2') AS paths;
SELECT pg_temp.compare(n.nspname, '/rpc/' || p.proname, t.typtype <> 'c' AND p.proargmodes IS NULL)
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_type t ON t.oid = p.prorettype
 WHERE n.nspname IN (SCHEMAS) AND p.prokind = 'f' AND p.pronargs = p.pronargdefaults AND p.provolatile <> 'v';
SELECT count(*) || ' compared' FROM pg_temp.compared;
SELECT path || ' (without ' || plan || '): ' || names || ' instead of ' || keys FROM pg_temp.differing;
SQL

sub differences {
    my ($db, $schemas, $slow, $role) = @_;
    my $sql = $compare =~ s/SCHEMAS/$schemas/gr =~ s/SLOW/$slow/gr;
    $cluster->sql(qq(INSERT INTO pgrst.config VALUES ('db_schemas', '@{[$schemas =~ tr/'//dr]}'), ('db_anon_role', '$role')
        ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value), db => $db);
    my ($compared, @differing) = grep { $_ ne '' } split /\n/, $cluster->sql($sql, db => $db);
    cmp_ok($compared =~ s/ compared//r, '>', 100, "$db: requests were compared");
    is_deeply(\@differing, [], "$db: all names are the keys");
}

scenario 'every relation and function of the fixtures' => sub {
    differences('api', "'api','api2'", "'nap','sleep','gate','blobs','lines','failing_late'", 'editor');
    $cluster->sql('DELETE FROM pgrst.config', db => 'api');
};

scenario 'every relation and function of the demo' => sub {
    $cluster->load_demo('demo');
    differences('demo', "'api','reports'", "''", 'demo_manager');
};

scenario 'plans that are kept' => sub {
    $cluster->sql(<<'SQL', db => 'api');
CREATE TABLE api.turned (id int PRIMARY KEY, a text);
INSERT INTO api.turned SELECT g, 'x' || g FROM generate_series(1, 1000) g;
CREATE VIEW api.turned_view AS SELECT id AS a, a AS id FROM api.turned;
CREATE VIEW api.joined_up AS SELECT id AS k, a AS v FROM api.turned WHERE id < 3 UNION ALL SELECT 9, 'x';
GRANT SELECT ON api.turned, api.turned_view, api.joined_up TO anon;
ANALYZE api.turned;
SQL
    my %expected = (
        '/turned?select=id&id=lt.3' => "id\n1\n2",
        '/turned?select=key:id,val:a&id=eq.2' => "key,val\n2,x2",
        '/turned_view?a=eq.1' => "a,id\n1,x1",
        '/joined_up?k=gt.1&order=k' => "k,v\n2,x2\n9,x",
        '/turned?id=eq.0' => "\n",
    );
    for my $path (sort keys %expected) {
        my %bodies = map { ($client->get($path, Accept => 'text/csv')->{body} => 1) } 1 .. 12;
        is_deeply([keys %bodies], [$expected{$path}], "twelve times $path");
    }
};

done_testing;
