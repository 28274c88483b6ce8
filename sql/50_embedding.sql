-- Embedded resources: what the catalogs say is related, and what comes of a request.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS postgrest_ext;
CREATE SCHEMA api;
CREATE SCHEMA inner_views;
CREATE SCHEMA private;
CREATE ROLE regress_pgrst_anon;
INSERT INTO pgrst.config VALUES ('db_schemas', 'api'), ('db_anon_role', 'regress_pgrst_anon'),
  ('db_extra_search_path', 'inner_views'), ('db_aggregates_enabled', 'on');

CREATE TABLE api.ports (id int PRIMARY KEY, name text NOT NULL, country text);
CREATE TABLE api.ships (
  id int PRIMARY KEY,
  name text NOT NULL,
  port_id int CONSTRAINT ships_port REFERENCES api.ports,
  flagship_id int CONSTRAINT ships_flagship REFERENCES api.ships,
  data jsonb
);
-- A length travels as "12 m", and is stored as 12.
CREATE DOMAIN api.metres AS int;
CREATE TABLE api.papers (
  ship_id int PRIMARY KEY CONSTRAINT papers_ship REFERENCES api.ships,
  length api.metres,
  stamp date
);
CREATE TABLE api.voyages (
  id int PRIMARY KEY,
  ship_id int NOT NULL CONSTRAINT voyages_ship REFERENCES api.ships,
  from_id int NOT NULL CONSTRAINT voyages_from REFERENCES api.ports,
  to_id int NOT NULL CONSTRAINT voyages_to REFERENCES api.ports,
  days int
);
CREATE TABLE api.sailors (id int PRIMARY KEY, name text NOT NULL, port_id int);
CREATE TABLE api.crews (
  ship_id int CONSTRAINT crews_ship REFERENCES api.ships,
  sailor_id int CONSTRAINT crews_sailor REFERENCES api.sailors,
  rank text,
  PRIMARY KEY (ship_id, sailor_id)
);
CREATE TABLE api.cabins (
  ship_id int CONSTRAINT cabins_ship REFERENCES api.ships,
  deck text,
  beds int,
  PRIMARY KEY (ship_id, deck)
);
CREATE TABLE api.bunks (
  id int PRIMARY KEY,
  cabin_deck text,
  cabin_ship int,
  CONSTRAINT bunks_cabin FOREIGN KEY (cabin_deck, cabin_ship) REFERENCES api.cabins (deck, ship_id)
);
CREATE TABLE api.logs (ship_id int CONSTRAINT logs_ship REFERENCES api.ships, year int, entry text)
  PARTITION BY LIST (year);
CREATE TABLE api.logs_2023 PARTITION OF api.logs FOR VALUES IN (2023);
CREATE TABLE api.logs_2024 PARTITION OF api.logs FOR VALUES IN (2024);
CREATE TABLE private.licences (
  sailor_id int REFERENCES api.sailors,
  port_id int REFERENCES api.ports,
  PRIMARY KEY (sailor_id, port_id)
);
CREATE VIEW inner_views.fleet AS SELECT id, upper(name) AS title, port_id, flagship_id FROM api.ships;
CREATE VIEW api.ship_list AS SELECT title, port_id AS port, id AS nr FROM inner_views.fleet;
CREATE MATERIALIZED VIEW api.port_list AS SELECT id, name FROM api.ports;
CREATE VIEW api.legs AS SELECT id, from_id AS start, from_id AS origin FROM api.voyages;

CREATE FUNCTION api.metres_to_json(api.metres) RETURNS json LANGUAGE sql IMMUTABLE
  AS $$SELECT to_json($1::int || ' m')$$;
CREATE FUNCTION api.metres_from_text(text) RETURNS api.metres LANGUAGE sql IMMUTABLE
  AS $$SELECT replace($1, ' m', '')::int::api.metres$$;
CREATE CAST (api.metres AS json) WITH FUNCTION api.metres_to_json(api.metres) AS IMPLICIT;
CREATE CAST (text AS api.metres) WITH FUNCTION api.metres_from_text(text) AS IMPLICIT;
CREATE FUNCTION api.home(api.sailors) RETURNS SETOF api.ports ROWS 1 LANGUAGE sql STABLE
  AS $$SELECT * FROM api.ports WHERE id = $1.port_id$$;
CREATE FUNCTION api.fellows(api.sailors) RETURNS SETOF api.sailors LANGUAGE sql STABLE
  AS $$SELECT * FROM api.sailors WHERE port_id = $1.port_id AND id <> $1.id$$;

INSERT INTO api.ports VALUES (1, 'Aalborg', 'DK'), (2, 'Brest', 'FR'), (3, 'Cork', 'IE'), (4, 'Dover', NULL);
INSERT INTO api.ships VALUES (1, 'Alba', 1, NULL, '{"flag": "DK"}'), (2, 'Brisk', 2, 1, NULL),
  (3, 'Coral', 2, 1, '{"flag": "FR", "old": null}'), (4, 'Drift', NULL, 2, '{}');
INSERT INTO api.papers VALUES (1, 120, '2001-02-03'), (2, 80, NULL), (3, NULL, NULL);
INSERT INTO api.voyages VALUES (1, 1, 1, 2, 5), (2, 1, 2, 1, 6), (3, 2, 2, 3, 2), (4, 3, 3, 2, NULL);
INSERT INTO api.sailors VALUES (1, 'Ada', 1), (2, 'Bo', 1), (3, 'Cyd', 2), (4, 'Dag', NULL);
INSERT INTO api.crews VALUES (1, 1, 'captain'), (1, 2, 'cook'), (2, 2, 'captain'), (3, 3, NULL);
INSERT INTO api.cabins VALUES (1, 'A', 2), (1, 'B', 4), (2, 'A', 1);
INSERT INTO api.bunks VALUES (1, 'A', 1), (2, 'A', 1), (3, 'B', 1), (4, 'A', 2), (5, NULL, NULL);
INSERT INTO api.logs VALUES (1, 2023, 'fog'), (1, 2024, 'sun'), (2, 2024, 'hail');
REFRESH MATERIALIZED VIEW api.port_list;
GRANT USAGE ON SCHEMA api TO regress_pgrst_anon;
GRANT SELECT ON ALL TABLES IN SCHEMA api TO regress_pgrst_anon;

-- Answers; with the range where a total was asked for, and the status where it is not 200.
CREATE FUNCTION pg_temp.get(path text, headers json DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
  SELECT concat_ws(' ', nullif(r.status, 200),
                   (SELECT h->>'Content-Range' FROM json_array_elements(r.headers) h
                     WHERE h->>'Content-Range' NOT LIKE '%/*'),
                   r.body)
    FROM pgrst.request('GET', path, headers) AS r
$$;
CREATE FUNCTION pg_temp.sql_of(path text, headers json DEFAULT '{}') RETURNS SETOF text LANGUAGE sql AS $$
  SELECT (s->>'sql') || '   -- ' || (s->>'params')
    FROM json_array_elements(pgrst.to_sql('GET', path, headers)->'statements') AS s
$$;
CREATE FUNCTION pg_temp.explain(path text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  statement json := pgrst.to_sql('GET', path)->'statements'->0;
  query text := statement->>'sql';
BEGIN
  FOR n IN REVERSE json_array_length(statement->'params')..1 LOOP
    query := replace(query, '$' || n, quote_literal(statement->'params'->>(n - 1)));
  END LOOP;
  RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query;
END $$;

-- Every cardinality.
SELECT pg_temp.get('/ships?select=name,ports(name,country)&order=id');
SELECT pg_temp.get('/ports?select=name,ships(name)&order=id&ships.order=id');
SELECT pg_temp.get('/ships?select=name,papers(length)&order=id');
SELECT pg_temp.get('/papers?select=ship_id,ships(name)&order=ship_id');
SELECT pg_temp.get('/sailors?select=name,ships(name)&order=id&ships.order=id');
SELECT pg_temp.get('/ships?select=name,sailors(name)&order=id&sailors.order=name.desc');
SELECT pg_temp.get('/bunks?select=id,cabins(ship_id,deck,beds)&order=id');
SELECT pg_temp.get('/cabins?select=deck,bunks(id)&order=ship_id,deck&bunks.order=id');
SELECT pg_temp.get('/ships?select=name,logs(entry)&order=id&logs.order=entry&limit=2');
-- The members of an embed stand in the order of jsonb, the last of several of one name counts.
SELECT pg_temp.get('/ships?select=name,ports(name,id,x:country,id:name)&id=eq.1');
-- Of a table to itself.
SELECT pg_temp.get('/ships?select=name,flagship_id(name)&order=id');
SELECT pg_temp.get('/ships?select=name,fleet:ships(name,ships(name))&order=id&fleet.order=id');
-- By hints, and without one where it takes one.
SELECT pg_temp.get('/voyages?select=id,from:ports!voyages_from(name),to:ports!to_id(name)&order=id');
SELECT pg_temp.get('/ports?select=name,departures:voyages!from_id(id)&order=id&departures.order=id');
SELECT pg_temp.get('/voyages?select=id,ports(name)');
SELECT pg_temp.get('/ports?select=id,sailors(name)');
SELECT pg_temp.get('/ships?select=id,port(name)');
SELECT pg_temp.get('/ships?select=id,logs_2023(entry)');
-- Views: of tables, of views, materialized, with a column shown twice.
SELECT pg_temp.get('/ship_list?select=title,ports(name),port_list(id),sailors(name)&order=nr&sailors.order=id');
SELECT pg_temp.get('/port_list?select=name,ship_list(title),ships(id)&order=id&ship_list.order=nr&ships.order=id');
SELECT pg_temp.get('/legs?select=id,ports!start(name)&order=id&limit=1');
SELECT pg_temp.get('/legs?select=id,ports(name)');
-- Functions.
SELECT pg_temp.get('/sailors?select=name,home(name),fellows(name,home(country))&order=id');
SELECT pg_temp.get('/sailors?select=name,home(name),fellows(name)&order=id.desc&limit=2');
SELECT pg_temp.get('/ships?select=name,sailors(name,home(name))&order=id&sailors.order=id&sailors.limit=1&limit=3');
SELECT pg_temp.get('/sailors?select=name,home!inner(name)&home.country=eq.FR');
-- Inner joins and filters by embeds.
SELECT pg_temp.get('/ships?select=name,ports!inner(name)&ports.country=eq.FR&order=id');
SELECT pg_temp.get('/ports?select=name,ships!inner(name,sailors!inner(name))&ships.sailors.name=eq.Bo&order=id');
SELECT pg_temp.get('/ports?select=name,ships()&ships=is.null&order=id');
SELECT pg_temp.get('/ships?select=name,ports(),s:sailors()&or=(ports.is.null,s.is.null)&order=id');
SELECT pg_temp.get('/ports?select=name,ships()&ships=not.is.null&ships.offset=1');
SELECT pg_temp.get('/ships?select=name,ports!inner(name)&order=id&limit=1', '{"Prefer": "count=exact"}');
SELECT pg_temp.get('/ships?select=name,papers!inner()&order=id', '{"Prefer": "count=exact"}');
-- Order by an embed, be it selected or not.
SELECT pg_temp.get('/ships?select=name,ports(name)&order=ports(name).desc.nullslast,id');
SELECT pg_temp.get('/ships?select=name,ports()&order=ports(country).desc.nullsfirst,id&limit=3');
SELECT pg_temp.get('/ports?select=name,ships(name)&order=ships(name)');
-- Spreads.
SELECT pg_temp.get('/ships?select=name,...ports(port:name,country)&order=id');
SELECT pg_temp.get('/crews?select=rank,...ships(ship:name,...ports(port:name),papers(length))&order=ship_id,sailor_id');
SELECT pg_temp.get('/ports?select=name,...ships(ids:id,names:name)&ships.order=name.desc&order=id');
SELECT pg_temp.get('/sailors?select=name,...crews(rank,...ships(ship:name))&crews.order=ship_id&order=id');
SELECT pg_temp.get('/ports?select=name,...ships(name,...voyages(days))&ships.order=id&ships.voyages.order=id&order=id');
SELECT pg_temp.get('/ports?select=port:name,...ships!inner(name)&ships.order=id.desc&ships.limit=1&order=id');
-- Aggregates: of an embed, beside embeds, of spreads.
SELECT pg_temp.get('/ports?select=name,ships(count(),id.max())&order=id');
SELECT pg_temp.get('/ships?select=count(),top:name.max(),ports!inner(country)&ports.country=eq.FR');
SELECT pg_temp.get('/voyages?select=days.sum(),...ships(ship:name)&order=ships(ship)');
SELECT pg_temp.get('/crews?select=count(),...ships(...ports(country,port:name.max()))&order=ships(country)');
SELECT pg_temp.get('/ports?select=name,...ships(id.sum())');
-- Representations of a domain: in answers, filters, embeds.
SELECT pg_temp.get('/papers?order=ship_id');
SELECT pg_temp.get('/papers?select=ship_id&length=eq.80%20m');
SELECT pg_temp.get('/papers?select=ship_id&length=in.(80,120%20m)&order=ship_id');
SELECT pg_temp.get('/ships?select=name,papers!inner(*)&papers.length=gt.100');
SELECT pg_temp.get('/papers?select=*,ships(name)&order=ship_id&limit=2');
-- Formats.
SELECT pg_temp.get('/ships?select=id,name,ports(name),sailors(name)&order=id&sailors.order=id', '{"Accept": "text/csv"}');
SELECT pg_temp.get('/ships?select=id,ports(name,country)&id=eq.99', '{"Accept": "text/csv"}');
SELECT pg_temp.get('/ships?select=id,data,flagship_id,ports(name,country),papers(*)&order=id',
  '{"Accept": "application/vnd.pgrst.array+json;nulls=stripped"}');
SELECT pg_temp.get('/ships?select=id,flagship_id,ports(name)&id=eq.4',
  '{"Accept": "application/vnd.pgrst.object+json;nulls=stripped"}');
SELECT pg_temp.get('/ships?select=id,ports(name)&id=eq.2', '{"Accept": "application/vnd.pgrst.object+json"}');
-- Totals: what the planner guesses is not for a test to know.
SELECT pg_temp.get('/ships?select=id,ports!inner(name)&ports.country=eq.FR&order=id&offset=1', '{"Prefer": "count=exact"}');
SELECT pg_temp.get('/ships?select=id,papers()&papers=not.is.null', '{"Prefer": "count=planned"}') ~ '^(206 )?0-2/[0-9]+ ';
INSERT INTO pgrst.config VALUES ('db_max_rows', '2');
SELECT pg_temp.get('/ships?select=id,papers()&papers=not.is.null', '{"Prefer": "count=estimated"}') ~ '^206 0-1/[0-9]+ ';
SELECT pg_temp.get('/ships?select=id,ports!inner()&ports.country=eq.FR&order=id', '{"Prefer": "count=estimated"}');
SELECT pg_temp.get('/ports?select=name,voyages!voyages_from(id)&order=id&voyages.order=id&voyages.limit=9&limit=9');
DELETE FROM pgrst.config WHERE name = 'db_max_rows';
-- An embed that is renamed is called by its new name.
SELECT pg_temp.get('/ships?select=id,p:ports(name)&ports.id=eq.1&order=id');
INSERT INTO pgrst.config VALUES ('url_use_legacy_target_names', 'off');
SELECT pg_temp.get('/ships?select=id,p:ports(name)&ports.id=eq.1&order=id');
-- Rights are those of the role on everything that is read.
CREATE TABLE api.secrets (id int PRIMARY KEY, ship_id int REFERENCES api.ships);
SELECT pg_temp.get('/ships?select=id,secrets(id)');
-- Tables and columns whose names are like those in the SQL.
CREATE TABLE api.status (id int PRIMARY KEY, status text, ship_id int REFERENCES api.ships);
INSERT INTO api.status VALUES (1, 'sunk', 3), (2, 'docked', 1);
CREATE FUNCTION api.ship_of(api.status) RETURNS SETOF api.ships ROWS 1 LANGUAGE sql STABLE
  AS $$SELECT * FROM api.ships WHERE id = $1.ship_id$$;
CREATE TABLE api.ships_1 (id int PRIMARY KEY, note text);
ALTER TABLE api.ships ADD note_id int REFERENCES api.ships_1;
INSERT INTO api.ships_1 VALUES (1, 'new'), (2, 'old');
UPDATE api.ships SET note_id = 1 + id % 2;
GRANT SELECT ON api.status, api.ships_1 TO regress_pgrst_anon;
SELECT pg_temp.get('/status?select=status,ship_of(name)&order=id&limit=5');
SELECT pg_temp.get('/ships_1?select=note,ships(name)&order=id&limit=5&ships.order=id');
SELECT pg_temp.get('/ships_1?select=note,ships(x:ports(name))&order=id&limit=5&ships.order=id');
-- However a page is cut, it holds the same rows.
CREATE FUNCTION pg_temp.same(path text) RETURNS TABLE (limits text, same boolean) LANGUAGE sql AS $$
  SELECT string_agg(n::text, ' '), count(DISTINCT pg_temp.get(path || '&limit=' || n)) = 1
    FROM unnest('{1000,1001,2000}'::int[]) n
  UNION ALL
  SELECT 'none', pg_temp.get(path) = pg_temp.get(path || '&limit=1000')
$$;
SELECT path, s.* FROM unnest(ARRAY[
    '/ships?select=*,ports(*),papers(*),sailors(name)&order=name.desc&sailors.order=id',
    '/ships?select=name,ports!inner(name,ships(name)),ships()&ships=is.null&order=id',
    '/sailors?select=name,home(*),fellows(*)&order=port_id.desc.nullslast,id',
    '/ports?select=name,...ships(n:name)&ships.order=id&order=name',
    '/ship_list?select=*,ports(name),sailors(id)&order=nr&sailors.order=id']) path, pg_temp.same(path) s;

-- Plans. Many ships, so that a wrong one would show.
INSERT INTO api.ports SELECT n, 'Port ' || n, 'XX' FROM generate_series(5, 300) n;
INSERT INTO api.ships SELECT n, 'Ship ' || n, 1 + n % 300 FROM generate_series(5, 10000) n;
CREATE INDEX ON api.ships (port_id);
ANALYZE api.ports, api.ships, api.papers;
SET enable_memoize = off;
SET enable_bitmapscan = off;
SET enable_seqscan = off;
-- Of a deep page only its rows are joined.
SELECT pg_temp.sql_of('/ships?select=id,name,ports(name)&order=id&limit=3&offset=9000');
SELECT pg_temp.explain('/ships?select=id,name,ports(name)&order=id&limit=3&offset=9000');
SELECT pg_temp.get('/ships?select=id,name,ports(name)&order=id&limit=3&offset=9000');
-- And only the embeds of its rows are read.
SELECT pg_temp.explain('/ports?select=name,ships(name)&order=id&limit=3&offset=100');
RESET enable_seqscan;
-- All rows are joined as a whole, and conditions on embeds are semi and anti joins.
SELECT bool_or(line ~ 'Hash (Right|Left) Join') AS hash_join, bool_or(line ~ 'SubPlan|Nested Loop') AS by_row
  FROM pg_temp.explain('/ships?select=id,ports(name)') line;
SELECT bool_or(line ~ 'Anti Join') AS anti_join, bool_or(line ~ 'SubPlan') AS by_row
  FROM pg_temp.explain('/ships?select=id,papers()&papers=is.null') line;
SELECT bool_or(line ~ 'Semi Join|Unique|HashAggregate') AS semi_join, bool_or(line ~ 'SubPlan') AS by_row
  FROM pg_temp.explain('/ports?select=id,ships!inner()&ships.name=eq.Alba') line;

DELETE FROM pgrst.config;
DROP SCHEMA api, inner_views, private CASCADE;
DROP ROLE regress_pgrst_anon;
