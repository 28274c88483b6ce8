-- Requests to SQL: text, parameters, role and settings, without running anything.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
CREATE SCHEMA api;
CREATE TABLE api.items (
  id int PRIMARY KEY,
  name text NOT NULL,
  price numeric(10, 2),
  data jsonb,
  plain json,
  tags text[],
  body tsvector,
  "odd ""name" int
);
CREATE ROLE regress_pgrst_anon;
INSERT INTO pgrst.config VALUES ('db_schemas', 'api'), ('db_anon_role', 'regress_pgrst_anon'),
  ('db_extra_search_path', ''), ('db_aggregates_enabled', 'on');
CREATE FUNCTION pg_temp.sql_of(path text) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT coalesce((s->>'sql') || '   -- ' || (s->>'params'), t->>'error')
    FROM pgrst.to_sql('GET', path) AS t
    LEFT JOIN json_array_elements(t->'statements') AS s ON true
$$;
-- The whole transaction.
SELECT jsonb_pretty(pgrst.to_sql('GET', '/items?select=id&id=eq.1',
  '{"Cookie": "a=1; b=2", "Accept": "application/json", "X-Thing": "x"}')::jsonb);
-- Select: alias, cast, JSON path.
SELECT pg_temp.sql_of('/items');
SELECT pg_temp.sql_of('/items?select=id,name');
SELECT pg_temp.sql_of('/items?select=nr:id,price::int,cost:price::text');
SELECT pg_temp.sql_of('/items?select=data->a->>b,data->2->0,x:plain->>k,tags->0');
SELECT pg_temp.sql_of('/items?select="odd \"name"');
-- Operators.
SELECT pg_temp.sql_of('/items?id=' || op || '.1')
  FROM unnest('{eq,neq,gt,gte,lt,lte,like,ilike,match,imatch,cs,cd,ov,sl,sr,nxr,nxl,adj,isdistinct}'::text[]) op;
SELECT pg_temp.sql_of('/items?id=not.' || op || '.1') FROM unnest('{eq,like,cs,isdistinct}'::text[]) op;
SELECT pg_temp.sql_of('/items?name=is.' || v)
  FROM unnest(ARRAY['null', 'not_null', 'true', 'false', 'unknown', 'NULL']) v;
SELECT pg_temp.sql_of('/items?id=in.(1,2,3)');
SELECT pg_temp.sql_of('/items?name=not.in.("a,b",c\d,"e\"f")');
SELECT pg_temp.sql_of('/items?id=in.()');
SELECT pg_temp.sql_of('/items?name=like.*a*&name=ilike(any).{*a*,b*}&id=gt(all).{1,2}');
SELECT pg_temp.sql_of('/items?body=fts.cat&name=plfts(english).cat&body=phfts(english).a%20b&name=wfts.x');
SELECT pg_temp.sql_of('/items?data->>a=eq.1&data->b->0=eq.2&tags->1=eq.x');
-- Logic trees.
SELECT pg_temp.sql_of('/items?or=(id.eq.1,and(name.eq.a,price.gt.2),not.or(id.lt.1,id.gt.5))');
SELECT pg_temp.sql_of('/items?not.and=(id.eq.1,name.not.eq.b)&id=gt.0');
-- Order and ranges.
SELECT pg_temp.sql_of('/items?order=name.desc.nullslast,id,data->>a.asc.nullsfirst');
SELECT pg_temp.sql_of('/items?limit=5&offset=10');
SELECT pg_temp.sql_of('/items?limit=0');
SELECT pg_temp.sql_of('/items?offset=3');
-- Aggregates.
SELECT pg_temp.sql_of('/items?select=name,count(),price.sum(),m:id.max()::text');
-- Values never become SQL.
SELECT pg_temp.sql_of('/items?name=eq.' || v)
  FROM unnest(ARRAY['''; drop table api.items; --', '\', '"', '$1', '%27%3B']) v;
SELECT pg_temp.sql_of('/items?select=a";drop table x;--');
SELECT pg_temp.sql_of('/items?select=%22a%5C%22;drop%22');
SELECT pg_temp.sql_of('/items?select=id::int;drop');
-- Errors.
SELECT pgrst.to_sql('GET', '/item');
SELECT pgrst.to_sql('GET', '/items?id=1');
SELECT pgrst.to_sql('GET', '/items?select=id,(');
SELECT pgrst.to_sql('GET', '/a/b/c');
SELECT pgrst.to_sql('BREW', '/items');
SELECT pgrst.to_sql('OPTIONS', '/items');
SELECT pgrst.to_sql('GET', '/items', '{"Accept": "image/png"}');
SELECT pgrst.to_sql('GET', '/items', '{"Accept-Profile": "elsewhere"}');
SELECT pgrst.to_sql('GET', '/items', '[1]');
SELECT pgrst.to_sql('GET', NULL);
