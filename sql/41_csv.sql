-- CSV against PostgREST's own formula and against the JSON of the same request, whatever the plan: the names are the
-- statement's, never those of a plan's node, and the rows are PostgreSQL's text of them.
\set VERBOSITY terse
\pset format unaligned
\pset footer off
\pset null (null)
SET client_min_messages = warning;
SET jit = off;  -- what is disabled costs so much that it would be compiled
CREATE ROLE regress_pgrst_reader;
CREATE SCHEMA csv;
CREATE SCHEMA hidden;
INSERT INTO pgrst.config VALUES ('db_schemas', 'csv'), ('db_anon_role', 'regress_pgrst_reader'),
  ('db_extra_search_path', ''), ('db_aggregates_enabled', 'on');

-- ---------------------------------------------------------------------------------------------------
-- Relations: each way in which the top node of a plan may know other names than the statement, or none

CREATE TABLE csv.rep (id int PRIMARY KEY, a text, "odd ""name" int);
INSERT INTO csv.rep SELECT g, 'x' || g, g % 3 FROM generate_series(1, 200) g;
CREATE INDEX ON csv.rep (a, id);
CREATE TABLE csv.empty (id int PRIMARY KEY, note text);
CREATE TABLE csv.gone (a int, b int, c int);
ALTER TABLE csv.gone DROP COLUMN b;
INSERT INTO csv.gone VALUES (1, 2);
CREATE TABLE csv.parts (id int, d date, note text) PARTITION BY LIST (id);
CREATE TABLE hidden.parts_1 PARTITION OF csv.parts FOR VALUES IN (1);
CREATE TABLE hidden.parts_2 (note text, extra int, d date, id int);
ALTER TABLE hidden.parts_2 DROP COLUMN extra;
ALTER TABLE csv.parts ATTACH PARTITION hidden.parts_2 FOR VALUES IN (2);
INSERT INTO csv.parts VALUES (1, '2024-01-01', 'one'), (2, '2024-01-02', 'two');
CREATE TABLE csv.base (id int, v text);
CREATE TABLE csv.derived (w int) INHERITS (csv.base);
INSERT INTO csv.base VALUES (1, 'b');
INSERT INTO csv.derived VALUES (2, 'd', 3);
CREATE TABLE hidden.wide (id int, skipped int, f text);
INSERT INTO hidden.wide VALUES (1, 1, 'a'), (2, 1, 'b');
CREATE VIEW csv.renamed AS SELECT id AS a, a AS id FROM csv.rep;
CREATE VIEW csv.renamed_again AS SELECT a AS "A", id AS "select" FROM csv.renamed;
CREATE VIEW csv.united AS SELECT id AS k, a AS v FROM csv.rep WHERE id < 3 UNION ALL SELECT 9, 'x';
CREATE VIEW csv.united_part AS
  SELECT id, f FROM hidden.wide WHERE id = 1 UNION ALL SELECT id, f FROM hidden.wide WHERE id = 2;
CREATE VIEW csv.distinct_union AS SELECT id FROM csv.rep WHERE id < 4 UNION SELECT id FROM csv.base;
CREATE VIEW csv.excepted AS SELECT id AS rest FROM csv.rep EXCEPT SELECT id FROM csv.base;
CREATE VIEW csv.listed AS VALUES (1, 'a'), (2, 'b');
CREATE VIEW csv.listed_once AS VALUES (1, 'only');
CREATE VIEW csv.constants AS SELECT 1 AS one, 'two'::text AS two;
CREATE VIEW csv.nothing AS SELECT 1 AS one WHERE false;
CREATE VIEW csv.counted_up AS
  WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT n AS num FROM r;
CREATE VIEW csv.series AS SELECT g AS n FROM generate_series(1, 3) g;
CREATE VIEW csv.series_numbered AS SELECT * FROM unnest(ARRAY['p', 'q']) WITH ORDINALITY AS u(letter, position);
CREATE VIEW csv.sampled AS SELECT id AS i, a FROM csv.rep TABLESAMPLE SYSTEM (100);
CREATE VIEW csv.by_cte AS WITH c AS MATERIALIZED (SELECT id AS x, a AS y FROM csv.rep) SELECT y, x FROM c;
CREATE VIEW csv.summed AS SELECT "odd ""name" AS rest, count(*), min(a) AS least FROM csv.rep GROUP BY 1;
CREATE VIEW csv.windowed AS SELECT id, row_number() OVER (ORDER BY id DESC) AS nr FROM csv.rep;
CREATE VIEW csv.expanded AS SELECT id AS i, unnest(ARRAY[id, -id]) AS u FROM csv.rep WHERE id < 4;
CREATE VIEW csv.unique_ones AS SELECT DISTINCT "odd ""name" AS d FROM csv.rep;
CREATE VIEW csv.cut AS SELECT id AS top FROM csv.rep ORDER BY id DESC LIMIT 3;
CREATE VIEW csv.joined AS SELECT r.a AS left_a, b.v AS right_v FROM csv.rep r JOIN csv.base b USING (id);
CREATE VIEW csv.columns AS SELECT attname AS n, attnum AS nr FROM pg_catalog.pg_attribute WHERE attrelid = 'csv.rep'::regclass;
CREATE MATERIALIZED VIEW csv.kept AS SELECT id AS m, a AS n FROM csv.rep;
CREATE TYPE csv.pair AS (x int, y text);
CREATE VIEW csv.texts AS SELECT * FROM (VALUES
  (1, '', 'a,b', '{1,NULL}'::int[], ROW(1, 'q"')::csv.pair, '{"a": [1, 2]}'::json, '-0'::float8),
  (2, ' ', E'line\nbreak\tand \\ "quotes" (x)', '{}', ROW(NULL, '')::csv.pair, ' null ', 'NaN'),
  (3, NULL, repeat('"long, ', 3000), NULL, NULL, NULL, 1e300)) AS t(id, blank, special, list, pair, doc, number);

-- Related relations.
CREATE TABLE csv.owners (id int PRIMARY KEY, name text);
CREATE TABLE csv.pets (id int PRIMARY KEY, name text, owner_id int REFERENCES csv.owners, weight float8);
INSERT INTO csv.owners VALUES (1, 'Ann'), (2, 'Bo'), (3, 'Cy');
INSERT INTO csv.pets VALUES (1, 'Rex', 1, '-0'), (2, 'Tom', 1, 1e20), (3, 'Kit', 2, NULL), (4, 'Stray', NULL, 'Infinity');
CREATE FUNCTION csv.shout(csv.owners) RETURNS text LANGUAGE sql STABLE AS 'SELECT upper($1.name)';
CREATE FUNCTION csv.pair_of(csv.owners) RETURNS record LANGUAGE sql STABLE AS 'SELECT $1.name AS longer, $1.id AS i';

-- Functions: inlined or not, of each sort of result.
CREATE FUNCTION csv.num(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n';
CREATE FUNCTION csv.nums(n int) RETURNS SETOF int LANGUAGE sql STABLE AS 'SELECT generate_series(1, n)';
CREATE FUNCTION csv.names() RETURNS SETOF text LANGUAGE sql STABLE AS 'SELECT a FROM csv.rep';
CREATE FUNCTION csv.tab(n int) RETURNS TABLE (i int, square int) LANGUAGE sql STABLE AS
  'SELECT g, g * g FROM generate_series(1, n) g';
CREATE FUNCTION csv.tab_values() RETURNS TABLE (p int, q text) LANGUAGE sql STABLE AS $$ VALUES (1, 'a'), (2, 'b') $$;
CREATE FUNCTION csv.tab_one() RETURNS TABLE (only_one text) LANGUAGE sql STABLE AS 'SELECT a FROM csv.rep';
CREATE FUNCTION csv.tab_plpgsql(n int) RETURNS TABLE (i int, j text) LANGUAGE plpgsql STABLE AS
  $$ BEGIN RETURN QUERY SELECT g, 'n' || g FROM generate_series(1, n) g; END $$;
CREATE FUNCTION csv.all_pets() RETURNS SETOF csv.pets LANGUAGE sql STABLE AS
  'SELECT * FROM csv.pets WHERE id < 3 UNION ALL SELECT * FROM csv.pets WHERE id >= 3';
CREATE FUNCTION csv.all_owners() RETURNS SETOF csv.owners LANGUAGE sql STABLE AS 'SELECT * FROM csv.owners';
CREATE FUNCTION csv.all_owners_strict() RETURNS SETOF csv.owners LANGUAGE plpgsql STABLE STRICT AS
  'BEGIN RETURN QUERY SELECT * FROM csv.owners; END';
CREATE FUNCTION csv.no_owners() RETURNS SETOF csv.owners LANGUAGE sql STABLE AS 'SELECT * FROM csv.owners WHERE false';
CREATE FUNCTION csv.one_owner() RETURNS csv.owners LANGUAGE sql STABLE AS 'SELECT * FROM csv.owners WHERE id = 1';
CREATE FUNCTION csv.pairs() RETURNS SETOF csv.pair LANGUAGE sql STABLE AS $$ VALUES (1, 'a'), (2, 'b') $$;
CREATE FUNCTION csv.outs(OUT a int, INOUT b int, OUT c text) LANGUAGE sql IMMUTABLE AS $$ SELECT 1, b, 'c' $$;
CREATE FUNCTION csv.add_owner(name text) RETURNS SETOF csv.owners LANGUAGE sql VOLATILE AS
  'INSERT INTO csv.owners SELECT 100 + max(id), $1 FROM csv.owners RETURNING *';
CREATE FUNCTION csv.rec() RETURNS record LANGUAGE sql STABLE AS $$ SELECT 1 AS b, 'x'::text AS a, 2 AS b $$;
CREATE FUNCTION csv.recs() RETURNS SETOF record LANGUAGE sql STABLE AS
  $$ SELECT id, name AS n, '{"b" : 1, "a":2}'::json AS doc, '-0'::float8 AS zero FROM csv.owners ORDER BY id $$;
CREATE FUNCTION csv.rec_plpgsql(n int) RETURNS record LANGUAGE plpgsql STABLE AS
  $$ DECLARE r record; BEGIN SELECT n AS n, ROW(n, 'in'::text) AS inner_row INTO r; RETURN r; END $$;
GRANT USAGE ON SCHEMA csv, hidden TO regress_pgrst_reader;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA csv TO regress_pgrst_reader;
ANALYZE;

-- ---------------------------------------------------------------------------------------------------
-- The comparison

CREATE TABLE hidden.plans (n int, settings text[]);
INSERT INTO hidden.plans VALUES
  (0, '{}'),
  (1, '{enable_seqscan,enable_bitmapscan,enable_material}'),
  (2, '{enable_indexscan,enable_indexonlyscan,enable_bitmapscan,enable_sort}'),
  (3, '{enable_nestloop,enable_hashjoin,enable_partition_pruning,enable_hashagg}'),
  (4, '{enable_nestloop,enable_mergejoin,enable_indexscan,enable_memoize}');
CREATE FUNCTION pg_temp.get(path text, accept text) RETURNS pgrst.response LANGUAGE sql AS $$
  SELECT pgrst.request('GET', path, json_build_object('Accept', accept))
$$;
-- PostgREST's formula, of the statement of the request.
CREATE FUNCTION pg_temp.formula(path text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  statement json := pgrst.to_sql('GET', path)->'statements'->0;
  sql text := statement->>'sql';
BEGIN
  FOR i IN 1 .. json_array_length(statement->'params') LOOP
    sql := replace(sql, '$' || i, quote_literal(statement->'params'->>(i - 1)));
  END LOOP;
  RETURN format('WITH s AS (%s) SELECT (SELECT coalesce(string_agg(k, '',''), '''') FROM (SELECT '
    'json_object_keys(row_to_json(h)) AS k FROM (SELECT * FROM s LIMIT 1) h) AS names) || E''\n'' || '
    'coalesce(string_agg(substring("the row"::text, 2, length("the row"::text) - 2), E''\n''), '''') FROM s "the row"', sql);
END $$;
CREATE TABLE hidden.differences (plan int, path text, what text, expected text, got text);
CREATE TABLE hidden.compared (path text);
-- Compares the names with the keys of the JSON and the whole with the formula.
CREATE FUNCTION pg_temp.compare(path text, names boolean DEFAULT true, whole boolean DEFAULT true) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  doc json := (pg_temp.get(path, 'application/json')).body::json;
  formula text := CASE WHEN whole THEN pg_temp.formula(path) END;
  plan record;
  csv text;
  keys text;
  expected text;
BEGIN
  IF json_typeof(doc) = 'array' THEN doc := doc->0; END IF;
  keys := CASE json_typeof(doc) WHEN 'object' THEN array_to_string(ARRAY(SELECT json_object_keys(doc)), ',')
                                ELSE 'pgrst_scalar' END;
  FOR plan IN SELECT * FROM hidden.plans ORDER BY n LOOP
    PERFORM set_config(setting, 'off', true) FROM unnest(plan.settings) setting;
    csv := (pg_temp.get(path, 'text/csv')).body;
    IF names AND doc IS NOT NULL AND split_part(csv, E'\n', 1) IS DISTINCT FROM keys THEN
      INSERT INTO hidden.differences VALUES (plan.n, path, 'names', keys, split_part(csv, E'\n', 1));
    END IF;
    IF whole THEN
      EXECUTE formula INTO expected;
      IF csv IS DISTINCT FROM expected THEN
        INSERT INTO hidden.differences VALUES (plan.n, path, 'whole', expected, csv);
      END IF;
    END IF;
    INSERT INTO hidden.compared VALUES (path);
    PERFORM set_config(setting, 'on', true) FROM unnest(plan.settings) setting;
  END LOOP;
END $$;

-- Every relation, with all its columns, all of them renamed, each alone and two turned around.
SELECT count(pg_temp.compare(path))
  FROM (SELECT relname, array_agg(replace(replace(a.attname, '"', '%5C%22'), ' ', '%20') ORDER BY a.attnum) AS names
          FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
         WHERE relnamespace = 'csv'::regnamespace AND relkind IN ('r', 'v', 'm', 'p') GROUP BY relname) AS relations,
       LATERAL (SELECT array_agg('%22' || n || '%22' ORDER BY o) AS names FROM unnest(names) WITH ORDINALITY u(n, o)) AS quoted,
       LATERAL (SELECT '/' || relname AS path
          UNION ALL SELECT '/' || relname || '?select=' || (SELECT string_agg('n' || o || ':' || n, ',' ORDER BY o)
                                                              FROM unnest(quoted.names) WITH ORDINALITY u(n, o))
          UNION ALL SELECT '/' || relname || '?select=' || n FROM unnest(quoted.names[1:3]) n
          UNION ALL SELECT '/' || relname || '?select=renamed:' || n FROM unnest(quoted.names[1:1]) n
          UNION ALL SELECT '/' || relname || '?select=' || quoted.names[2] || ',x:' || quoted.names[1]
                     WHERE cardinality(quoted.names) > 1
          UNION ALL SELECT '/' || relname || '?order=' || quoted.names[1]
          UNION ALL SELECT '/' || relname || '?select=*,again:' || quoted.names[1]
          ) AS paths;
-- Functions. A record is one value in CSV, and an object in JSON.
SELECT count(pg_temp.compare('/rpc/' || path)) FROM unnest(ARRAY[
  'num?n=1', 'nums?n=3', 'names', 'tab?n=3', 'tab?n=3&select=square', 'tab?n=3&select=x:i,y:square', 'tab_values',
  'tab_values?select=q,p', 'tab_values?select=x:p,y:q', 'tab_one', 'tab_one?select=x:only_one', 'tab_plpgsql?n=2',
  'tab_plpgsql?n=2&select=x:i,y:j', 'all_pets', 'all_pets?select=x:id,y:name,z:owner_id,w:weight', 'all_owners',
  'all_owners?select=id', 'all_owners?select=a:id,b:name', 'all_owners?order=name.desc',
  'all_owners_strict', 'all_owners_strict?select=a:id,b:name', 'one_owner', 'one_owner?select=a:id,b:name', 'pairs',
  'pairs?select=a:x,b:y', 'outs?b=2', 'outs?b=2&select=q:a,r:b,s:c', 'no_owners', 'all_owners?select=count()']) path;
SELECT count(pg_temp.compare('/rpc/' || path, names => false)) FROM unnest(ARRAY[
  'rec', 'recs', 'rec_plpgsql?n=1']) path;
-- Embeds, which stand as JSON: the names alone.
SELECT count(pg_temp.compare(path, whole => false)) FROM unnest(ARRAY[
  '/rpc/all_owners?select=name,shout', '/owners?select=*,pets(*)', '/owners?select=pets(*)', '/pets?select=id,owners(*)',
  '/pets?select=o:owners(*),id',
  '/pets?select=n:name,...owners(owner:name,pets(id))', '/owners?select=name,...pets(pets:name)', '/owners?select=pair_of,id',
  '/pets?select=id,owners(*)&limit=2', '/owners?select=*,pets(count)', '/owners?select=*,p:pets!inner(id)&pets.id=gt.1',
  '/rpc/all_owners?select=a:id,pets(name)', '/rpc/all_pets?select=*,owners(name)', '/pets?select=*,...owners(*)']) path;
SELECT count(*) AS compared, count(DISTINCT path) AS paths FROM hidden.compared;
SELECT plan, path, what, left(expected, 200) AS expected, left(got, 200) AS got FROM hidden.differences ORDER BY path, plan LIMIT 20;
-- What the relations that have no rows show.
SELECT path, (pg_temp.get(path, 'text/csv')).body FROM unnest(ARRAY[
  '/empty', '/nothing', '/rep?id=eq.0', '/rep?limit=0', '/owners?select=id,pets!inner(id)&pets.id=eq.0']) path;

-- ---------------------------------------------------------------------------------------------------
-- No rows of something: the source has rows, and names are due although nothing is left of it

SELECT path, (pg_temp.get(path, 'text/csv')).body FROM unnest(ARRAY[
  '/rpc/all_owners?id=eq.0', '/rpc/all_owners?limit=0', '/rpc/all_owners?select=name,i:id&id=eq.0',
  '/rpc/all_owners?select=*,shout&id=eq.0', '/rpc/all_owners?select=*,shout&id=eq.2', '/rpc/all_owners?shout=eq.BO',
  '/rpc/all_owners?select=shout,id&shout=eq.BO', '/rpc/all_owners?select=id,pets(name)&id=eq.0',
  '/rpc/all_owners?select=id,pets(name)&id=eq.2', '/rpc/all_owners?select=id,pair_of&id=eq.2',
  '/rpc/all_owners?select=id,pets!inner(name)&pets.id=eq.0', '/rpc/all_owners?or=(id.eq.0,name.eq.Q)',
  '/rpc/all_owners?order=id.desc&limit=2', '/rpc/all_owners?order=id.desc&offset=1&limit=1',
  '/rpc/no_owners?id=eq.0', '/rpc/no_owners?limit=0', '/rpc/tab?n=3&i=eq.9', '/rpc/tab?n=3&i=eq.2', '/rpc/tab?n=0&i=eq.9',
  '/rpc/tab_plpgsql?n=3&i=gt.1', '/rpc/num?n=1&pgrst_scalar=eq.2', '/rpc/nums?n=3&pgrst_scalar=eq.9',
  '/rpc/nums?n=3&pgrst_scalar=gt.1', '/rpc/pairs?x=eq.9', '/rpc/outs?b=2&a=eq.9', '/rpc/one_owner?id=eq.9',
  '/rpc/all_owners?select=pgrst_mark:id&id=eq.9', '/rpc/all_owners?select=count()&id=eq.9',
  '/rpc/all_owners?select=name,count()&id=eq.9', '/rpc/all_pets?select=name,...owners!inner(o:name)&owners.id=eq.2']) path;
SELECT (pgrst.request('GET', path, '{"Accept": "text/csv", "Prefer": "count=exact"}')).body FROM unnest(ARRAY[
  '/rpc/all_owners?limit=0', '/rpc/all_owners?id=gt.1&limit=0', '/rpc/no_owners?limit=0', '/rpc/all_owners?id=gt.1&limit=1']) path;
SELECT r.status, r.body FROM (VALUES
  ('POST', '/rpc/add_owner?id=eq.0', '{"name": "new"}'), ('POST', '/rpc/add_owner?id=gt.0', '{"name": "new"}'),
  ('POST', '/owners', '[]'), ('PATCH', '/owners?id=eq.0', '{"name": "x"}'), ('DELETE', '/owners?id=eq.0', NULL),
  ('PATCH', '/owners?id=eq.3&select=id,pets!inner(id)', '{"name": "x"}'),
  ('PATCH', '/owners?id=eq.1&select=id,pets!inner(id)&pets.id=eq.1', '{"name": "Anna"}'),
  ('PATCH', '/owners?id=eq.0&select=id,pets!inner(id)', '{"name": "x"}'),
  ('PATCH', '/owners?id=eq.3&select=*,shout,pets(id)', '{"name": "y"}'),
  ('POST', '/pets?select=*,owners!inner(name)', '{"id": 9, "name": "Noone"}')) AS t(method, path, body),
  pgrst.request(method, path, '{"Accept": "text/csv", "Prefer": "return=representation"}', body) AS r;

-- ---------------------------------------------------------------------------------------------------
-- Values of type record are a user's: json_agg's JSON and PostgreSQL's text. Embeds are jsonb.

SELECT path, (pg_temp.get(path, 'application/json')).body FROM unnest(ARRAY[
  '/rpc/rec', '/rpc/recs', '/rpc/rec_plpgsql?n=1', '/owners?select=id,pair_of&order=id',
  '/owners?select=pair_of,pets(name,weight)&id=eq.1', '/pets?select=id,owners(id,pair_of)&id=lt.3&order=id',
  '/pets?select=id,...owners(pair_of,pets(id))&id=eq.3', '/pets?select=id,weight,owners(pets(id,weight))&id=eq.1',
  '/owners?select=pair_of,pets(name)&order=id&limit=1', '/rpc/all_owners?select=pair_of,pets(name)&id=eq.1']) path;
SELECT path, (pg_temp.get(path, 'text/csv')).body FROM unnest(ARRAY[
  '/rpc/rec', '/rpc/recs', '/rpc/rec_plpgsql?n=1', '/owners?select=id,pair_of&order=id',
  '/owners?select=pair_of,pets(name,weight)&id=eq.1', '/pets?select=id,...owners(pair_of,pets(id))&id=eq.3',
  '/owners?select=pair_of,pets(name)&order=id&limit=1', '/rpc/all_owners?select=pair_of,pets(name)&id=eq.1']) path;
SELECT (pgrst.request('POST', '/pets?select=weight,owners(name,pair_of)', '{"Prefer": "return=representation"}',
                      '{"id": 10, "name": "Neg", "owner_id": 1, "weight": "-0"}')).body;

-- ---------------------------------------------------------------------------------------------------
-- White space around a lone json value goes; within a set it stays.

CREATE TYPE hidden.shown AS ENUM ('x');
CREATE FUNCTION hidden.show(hidden.shown) RETURNS json LANGUAGE sql IMMUTABLE AS $$ SELECT E' {"s" : 1}\n'::json $$;
CREATE CAST (hidden.shown AS json) WITH FUNCTION hidden.show(hidden.shown);
CREATE DOMAIN hidden.doc AS json;
CREATE FUNCTION csv.j() RETURNS json LANGUAGE sql IMMUTABLE AS $$ SELECT E'\t \r\n{"a" : [1,  2] } \n'::json $$;
CREATE FUNCTION csv.j_domain() RETURNS hidden.doc LANGUAGE sql IMMUTABLE AS $$ SELECT E' "a b " '::hidden.doc $$;
CREATE FUNCTION csv.j_cast() RETURNS hidden.shown LANGUAGE sql IMMUTABLE AS $$ SELECT 'x'::hidden.shown $$;
CREATE FUNCTION csv.j_set() RETURNS SETOF json LANGUAGE sql IMMUTABLE AS $$ SELECT E' {"a" : 1} '::json $$;
CREATE FUNCTION csv.j_b() RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$ SELECT E' {"a" : 1} '::jsonb $$;
CREATE FUNCTION csv.j_text() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT E' {"a" : 1} '::text $$;
CREATE FUNCTION csv.j_null() RETURNS json LANGUAGE sql IMMUTABLE AS $$ SELECT ' null '::json $$;
CREATE FUNCTION csv.j_array() RETURNS json[] LANGUAGE sql IMMUTABLE AS $$ SELECT ARRAY[E' {"a" : 1} '::json] $$;
CREATE FUNCTION csv.j_row() RETURNS TABLE (j json) LANGUAGE sql IMMUTABLE AS $$ SELECT E' {"a" : 1} '::json $$;
SELECT f, accept, '<' || (pg_temp.get('/rpc/' || f, accept)).body || '>' AS body
  FROM unnest(ARRAY['j', 'j_domain', 'j_cast', 'j_set', 'j_b', 'j_text', 'j_null', 'j_array', 'j_row']) f,
       unnest(ARRAY['application/json', 'application/vnd.pgrst.object+json;nulls=stripped']) accept ORDER BY f, accept;

DELETE FROM pgrst.config;
DROP SCHEMA csv, hidden CASCADE;
DROP ROLE regress_pgrst_reader;
