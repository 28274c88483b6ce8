-- Functions and media type handlers through pgrst.request: every kind of argument and result.
\set VERBOSITY terse
\pset format unaligned
\pset footer off
\pset null (null)
SET client_min_messages = warning;
CREATE ROLE regress_pgrst_caller;
CREATE SCHEMA lab;
CREATE SCHEMA types;
GRANT USAGE ON SCHEMA lab, types TO regress_pgrst_caller;
INSERT INTO pgrst.config VALUES ('db_schemas', 'lab'), ('db_anon_role', 'regress_pgrst_caller'),
  ('db_tx_end', 'commit-allow-override');
CREATE TABLE lab.planets (id int PRIMARY KEY, name text, mass numeric);
CREATE TABLE lab.moons (id int PRIMARY KEY, planet_id int REFERENCES lab.planets, name text);
INSERT INTO lab.planets VALUES (1, 'Earth', 1), (2, 'Mars', 0.107), (3, 'Jupiter', 317.8), (4, 'Venus', NULL);
INSERT INTO lab.moons VALUES (1, 1, 'Moon'), (2, 2, 'Phobos'), (3, 2, 'Deimos'), (4, 3, 'Io');
CREATE TABLE lab.calls (at int GENERATED ALWAYS AS IDENTITY, what text);
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA lab TO regress_pgrst_caller;
CREATE TYPE lab.mood AS ENUM ('calm', 'wild');
CREATE DOMAIN lab.short AS varchar(5);
CREATE TYPE lab.point2 AS (x int, y int);
-- Results.
CREATE FUNCTION lab.a_number() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 42';
CREATE FUNCTION lab.a_text() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'say "hi"' $$;
CREATE FUNCTION lab.a_null() RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT NULL::text';
CREATE FUNCTION lab.a_json() RETURNS json LANGUAGE sql IMMUTABLE AS $$ SELECT '{"a":  1, "b": null}'::json $$;
CREATE FUNCTION lab.an_array() RETURNS int[] LANGUAGE sql IMMUTABLE AS $$ SELECT '{1,NULL,3}'::int[] $$;
CREATE FUNCTION lab.a_mood() RETURNS lab.mood LANGUAGE sql IMMUTABLE AS $$ SELECT 'wild'::lab.mood $$;
CREATE FUNCTION lab.a_short() RETURNS lab.short LANGUAGE sql IMMUTABLE AS $$ SELECT 'abc'::lab.short $$;
CREATE FUNCTION lab.a_point() RETURNS lab.point2 LANGUAGE sql IMMUTABLE AS 'SELECT 1, 2';
CREATE FUNCTION lab.nothing() RETURNS void LANGUAGE sql AS $$ INSERT INTO lab.calls (what) VALUES ('nothing') $$;
CREATE FUNCTION lab.words() RETURNS SETOF text LANGUAGE sql IMMUTABLE AS $$ VALUES ('a'), (NULL), ('c') $$;
CREATE FUNCTION lab.no_words() RETURNS SETOF text LANGUAGE sql IMMUTABLE AS $$ SELECT 'a' WHERE false $$;
CREATE FUNCTION lab.heaviest() RETURNS lab.planets LANGUAGE sql STABLE AS
  'SELECT * FROM lab.planets ORDER BY mass DESC NULLS LAST LIMIT 1';
CREATE FUNCTION lab.no_planet() RETURNS lab.planets LANGUAGE sql STABLE AS 'SELECT * FROM lab.planets WHERE false';
CREATE FUNCTION lab.heavier(than numeric DEFAULT 0) RETURNS SETOF lab.planets LANGUAGE sql STABLE AS
  'SELECT * FROM lab.planets WHERE mass > than ORDER BY id';
CREATE FUNCTION lab.a_table(n int) RETURNS TABLE (i int, square int) LANGUAGE sql IMMUTABLE AS
  'SELECT i, i * i FROM generate_series(1, n) i';
CREATE FUNCTION lab.out_params(a int, INOUT b int, OUT c text) LANGUAGE sql IMMUTABLE AS
  $$ SELECT a + b, 'c' || a $$;
CREATE FUNCTION lab.one_out(OUT one int) LANGUAGE sql IMMUTABLE AS 'SELECT 7';
-- Arguments.
CREATE FUNCTION lab.greet(name text, loud boolean DEFAULT false) RETURNS text LANGUAGE sql IMMUTABLE AS
  $$ SELECT CASE WHEN loud THEN upper(name) ELSE name END $$;
CREATE FUNCTION lab.sum_of(base int, VARIADIC v int[] DEFAULT '{}') RETURNS bigint LANGUAGE sql IMMUTABLE AS
  'SELECT base + coalesce(sum(x), 0) FROM unnest(v) x';
CREATE FUNCTION lab.describe(p lab.point2, m lab.mood, a int[], j jsonb, s lab.short) RETURNS text LANGUAGE sql IMMUTABLE AS
  $$ SELECT format('%s|%s|%s|%s|%s', p.x + p.y, m, a[2], j->'k', s) $$;
CREATE FUNCTION lab.fixed(b bit, c char) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT b::text || '|' || c $$;
CREATE FUNCTION lab."odd ""name"("an arg" int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE FUNCTION lab.over(a int) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'one: ' || a $$;
CREATE FUNCTION lab.over(a int, b int) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'two: ' || a + b $$;
CREATE FUNCTION lab.twice(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2 * a';
CREATE FUNCTION lab.twice(a numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT 2 * a';
CREATE FUNCTION lab.whole_json(json) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1::text';
CREATE FUNCTION lab.whole_text(text) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT length($1)';
CREATE FUNCTION lab.whole_bytes(bytea) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT encode($1, 'hex') $$;
CREATE FUNCTION lab.either(json) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'whole' $$;
CREATE FUNCTION lab.either(a int) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'argument' $$;
CREATE PROCEDURE lab.a_procedure() LANGUAGE sql AS 'SELECT 1';
-- What they do.
CREATE FUNCTION lab.count_up() RETURNS SETOF lab.calls LANGUAGE sql VOLATILE AS $$
  INSERT INTO lab.calls (what) SELECT 'call ' || i FROM generate_series(1, 5) i RETURNING *
$$;
CREATE FUNCTION lab.headers() RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM set_config('response.status', '202', true);
  PERFORM set_config('response.headers', '[{"X-One": "1"}, {"Content-Type": "text/x"}]', true);
  RETURN 'done';
END $$;
CREATE FUNCTION lab.bad_headers() RETURNS text LANGUAGE sql VOLATILE AS $$
  INSERT INTO lab.calls (what) VALUES ('bad headers');
  SELECT set_config('response.headers', '{"X-One": "1"}', true)
$$;
CREATE FUNCTION lab.fail(code text, message text, detail text DEFAULT NULL) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  INSERT INTO lab.calls (what) VALUES ('failed');
  RAISE EXCEPTION USING ERRCODE = code, MESSAGE = message, DETAIL = coalesce(detail, ''), HINT = 'a hint';
END $$;
CREATE FUNCTION lab.settings() RETURNS json LANGUAGE sql STABLE SET work_mem = '7MB' SET statement_timeout = '33s' AS $$
  SELECT json_build_object('method', current_setting('request.method'), 'path', current_setting('request.path'),
    'read_only', current_setting('transaction_read_only'), 'work_mem', current_setting('work_mem'),
    'timeout', current_setting('statement_timeout'), 'role', current_user)
$$;
CREATE TYPE lab.seen AS (inside text);
CREATE FUNCTION lab.hoisted() RETURNS SETOF lab.seen LANGUAGE sql STABLE SET work_mem = '7MB' SET statement_timeout = '33s' AS $$
  SELECT current_setting('statement_timeout') || ' ' || current_setting('work_mem')
$$;
CREATE FUNCTION lab.outside(lab.seen) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT current_setting('statement_timeout') || ' ' || current_setting('work_mem')
$$;
CREATE FUNCTION lab.secret() RETURNS text LANGUAGE sql AS $$ SELECT 'secret' $$;
REVOKE EXECUTE ON FUNCTION lab.secret() FROM PUBLIC;
CREATE FUNCTION pg_temp.header(headers json, name text) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(e->>name, ' | ') FROM json_array_elements(headers) AS e
$$;
CREATE FUNCTION pg_temp.send(method text, path text, body text DEFAULT NULL, headers json DEFAULT '{}')
RETURNS TABLE (status int, range text, type text, body text) LANGUAGE sql AS $$
  SELECT r.status, pg_temp.header(r.headers, 'Content-Range'), pg_temp.header(r.headers, 'Content-Type'), r.body
    FROM pgrst.request(method, path, headers, body) AS r
$$;

-- -- results
SELECT f AS function, s.* FROM unnest('{a_number,a_text,a_null,a_json,an_array,a_mood,a_short,a_point,words,no_words,
    heaviest,no_planet,heavier,one_out}'::text[]) f, pg_temp.send('GET', '/rpc/' || f) s;
SELECT * FROM pg_temp.send('GET', '/rpc/a_table?n=2');
SELECT * FROM pg_temp.send('GET', '/rpc/out_params?a=1&b=2');
SELECT * FROM pg_temp.send('POST', '/rpc/nothing');
SELECT f AS function, s.* FROM unnest('{a_number,a_null,a_json,words,heaviest,no_planet}'::text[]) f,
  pg_temp.send('GET', '/rpc/' || f, NULL, '{"Accept": "application/vnd.pgrst.object+json"}') s;
SELECT f AS function, s.* FROM unnest('{a_null,a_json,words,heavier,no_planet}'::text[]) f,
  pg_temp.send('GET', '/rpc/' || f, NULL, '{"Accept": "application/vnd.pgrst.array+json;nulls=stripped"}') s;
SELECT f AS function, s.* FROM unnest('{a_number,words,heavier,a_table?n=2}'::text[]) f,
  pg_temp.send('GET', '/rpc/' || f, NULL, '{"Accept": "text/csv"}') s;
SELECT * FROM pg_temp.send('HEAD', '/rpc/heavier');
SELECT f AS function, pg_temp.header(r.headers, 'Allow') AS allow
  FROM unnest('{nothing,a_number,heavier}'::text[]) f, pgrst.request('OPTIONS', '/rpc/' || f) r;

-- -- arguments
SELECT * FROM pg_temp.send('GET', '/rpc/greet?name=ada');
SELECT * FROM pg_temp.send('GET', '/rpc/greet?name=ada&loud=true');
SELECT * FROM pg_temp.send('POST', '/rpc/greet', '{"name": "ada", "loud": true}');
SELECT * FROM pg_temp.send('POST', '/rpc/greet', '{"name": null}');
SELECT * FROM pg_temp.send('POST', '/rpc/greet', '[{"name": "first"}, {"name": "second"}]');
SELECT * FROM pg_temp.send('POST', '/rpc/greet', 'name=a+form&loud=t', '{"Content-Type": "application/x-www-form-urlencoded"}');
SELECT * FROM pg_temp.send('POST', '/rpc/greet?columns=name', '{"name": "ada", "loud": true}');
SELECT * FROM pg_temp.send('GET', '/rpc/sum_of?base=1&v=2&v=3');
SELECT * FROM pg_temp.send('POST', '/rpc/sum_of', '{"base": 1, "v": [2, 3]}');
SELECT * FROM pg_temp.send('GET', '/rpc/describe?p=(1,2)&m=calm&a={5,6}&j={"k":1}&s=abc');
SELECT * FROM pg_temp.send('POST', '/rpc/describe', '{"p": {"x": 1, "y": 2}, "m": "wild", "a": [5, 6], "j": {"k": [1]}, "s": "abc"}');
SELECT * FROM pg_temp.send('GET', '/rpc/describe?p=(1,2)&m=angry&a={5,6}&j={}&s=abc');
SELECT * FROM pg_temp.send('GET', '/rpc/fixed?b=101&c=abc');
SELECT * FROM pg_temp.send('POST', '/rpc/fixed', '{"b": "101", "c": "abc"}');
SELECT * FROM pg_temp.send('GET', '/rpc/odd%20%22name?an%20arg=3');
SELECT * FROM pg_temp.send('GET', '/rpc/over?a=1');
SELECT * FROM pg_temp.send('GET', '/rpc/over?a=1&b=2');
SELECT * FROM pg_temp.send('GET', '/rpc/twice?a=1');
SELECT * FROM pg_temp.send('POST', '/rpc/whole_json', '{"a":   [1]}');
SELECT * FROM pg_temp.send('POST', '/rpc/whole_text', 'ü€', '{"Content-Type": "text/plain"}');
SELECT * FROM pg_temp.send('POST', '/rpc/whole_bytes', 'a"b', '{"Content-Type": "application/octet-stream"}');
SELECT * FROM pg_temp.send('POST', '/rpc/either', '{"a": 1}');
SELECT * FROM pg_temp.send('POST', '/rpc/either', '{"b": 1}');
SELECT * FROM pg_temp.send('GET', '/rpc/greet?nam=ada');
SELECT * FROM pg_temp.send('GET', '/rpc/gret?name=ada');
SELECT * FROM pg_temp.send('POST', '/rpc/a_procedure');
SELECT * FROM pg_temp.send('PUT', '/rpc/greet');
SELECT * FROM pg_temp.send('GET', '/rpc/over?a=x');

-- -- rows of a function can be read like those of a table
SELECT * FROM pg_temp.send('GET', '/rpc/heavier?than=0.5&select=name,moons(name)&order=name');
SELECT * FROM pg_temp.send('GET', '/rpc/heavier?id=gt.1&select=name');
SELECT * FROM pg_temp.send('GET', '/rpc/heaviest?select=name,moons(name)');
SELECT * FROM pg_temp.send('POST', '/rpc/heavier?select=name,moons!inner(name)&moons.name=like.D*', '{"than": 0}');
SELECT * FROM pg_temp.send('GET', '/rpc/a_table?n=9&square=gt.10&select=i&order=i.desc&limit=2&offset=1');
SELECT * FROM pg_temp.send('GET', '/rpc/a_table?n=9&select=i&limit=2&offset=7', NULL, '{"Prefer": "count=exact"}');
SELECT * FROM pg_temp.send('GET', '/rpc/a_table?n=9&select=i&offset=10', NULL, '{"Prefer": "count=exact"}');
SELECT * FROM pg_temp.send('GET', '/rpc/a_table?n=9&select=i', NULL, '{"Range": "1-2", "Prefer": "count=estimated"}');
SELECT * FROM pg_temp.send('GET', '/rpc/a_table?n=9', NULL, '{"Accept": "application/vnd.pgrst.object+json"}');

-- -- what a call does, once
SELECT * FROM pg_temp.send('POST', '/rpc/count_up?select=what&limit=2', NULL, '{"Prefer": "count=exact"}');
SELECT count(*) AS calls FROM lab.calls WHERE what LIKE 'call %';
SELECT * FROM pg_temp.send('POST', '/rpc/count_up', NULL, '{"Prefer": "handling=strict, max-affected=4"}');
SELECT * FROM pg_temp.send('POST', '/rpc/count_up', NULL, '{"Accept": "application/vnd.pgrst.object+json"}');
SELECT * FROM pg_temp.send('POST', '/rpc/count_up?select=what', NULL, '{"Prefer": "tx=rollback"}');
SELECT * FROM pg_temp.send('GET', '/rpc/count_up');
SELECT count(*) AS calls FROM lab.calls WHERE what LIKE 'call %';
SELECT * FROM pg_temp.send('POST', '/rpc/nothing', NULL, '{"Prefer": "handling=strict, max-affected=1"}');
SELECT status, pg_temp.header(headers, 'X-One') AS one, pg_temp.header(headers, 'Content-Type') AS type, body
  FROM pgrst.request('POST', '/rpc/headers');
SELECT current_setting('response.status', true) AS status, current_setting('response.headers', true) AS headers;
-- The response comes after the commit, so that a bad header undoes nothing.
SELECT * FROM pg_temp.send('POST', '/rpc/bad_headers');
SELECT count(*) AS calls FROM lab.calls WHERE what = 'bad headers';
SELECT * FROM pg_temp.send('POST', '/rpc/fail', '{"code": "P0001", "message": "raised"}');
SELECT * FROM pg_temp.send('POST', '/rpc/fail', '{"code": "PT402", "message": "Payment Required", "detail": "quota"}');
SELECT status, body, pg_temp.header(headers, 'X-Why') AS why FROM pgrst.request('POST', '/rpc/fail', '{}',
  json_build_object('code', 'PGRST', 'message', '{"code": "123", "message": "own", "details": "d", "hint": "h"}',
                    'detail', '{"status": 418, "headers": {"X-Why": "tea"}}')::text);
SELECT * FROM pg_temp.send('POST', '/rpc/fail', '{"code": "PGRST", "message": "no json"}');
SELECT count(*) AS kept FROM lab.calls WHERE what = 'failed';
SELECT * FROM pg_temp.send('GET', '/rpc/settings');
SELECT * FROM pg_temp.send('POST', '/rpc/settings');
-- Of a function's settings those of db_hoisted_tx_settings hold for the transaction.
SELECT * FROM pg_temp.send('GET', '/rpc/hoisted?select=inside,outside');
SELECT * FROM pg_temp.send('GET', '/rpc/secret');

-- -- media types
CREATE DOMAIN types."image/png" AS bytea;
CREATE DOMAIN types."text/x-line" AS text;
CREATE DOMAIN types."application/x-names" AS text;
CREATE DOMAIN types."text/csv" AS text;
CREATE DOMAIN types."*/*" AS bytea;
CREATE FUNCTION lab.pixel() RETURNS types."image/png" LANGUAGE sql IMMUTABLE AS $$ SELECT '\x504e47'::bytea::types."image/png" $$;
CREATE FUNCTION lab.no_pixel() RETURNS types."image/png" LANGUAGE sql IMMUTABLE AS $$ SELECT NULL::types."image/png" $$;
CREATE FUNCTION lab.any_file() RETURNS types."*/*" LANGUAGE plpgsql STABLE AS $$
BEGIN
  PERFORM set_config('response.headers', '[{"Content-Type": "text/html"}]', true);
  RETURN convert_to('<p>' || (current_setting('request.headers')::json ->> 'accept'), 'UTF8');
END $$;
CREATE FUNCTION types.add_name(state types."application/x-names", p lab.planets) RETURNS types."application/x-names" LANGUAGE sql IMMUTABLE AS
  $$ SELECT state || '<' || p.name || '>' $$;
CREATE AGGREGATE lab.names(lab.planets) (SFUNC = types.add_name, STYPE = types."application/x-names", INITCOND = '');
CREATE FUNCTION types.add_line(state types."text/x-line", e anyelement) RETURNS types."text/x-line" LANGUAGE sql IMMUTABLE AS
  $$ SELECT state || to_json(e)::text || ';' $$;
CREATE AGGREGATE lab.lines(anyelement) (SFUNC = types.add_line, STYPE = types."text/x-line", INITCOND = '');
CREATE FUNCTION types.add_csv(state types."text/csv", p lab.planets) RETURNS types."text/csv" LANGUAGE sql IMMUTABLE AS
  $$ SELECT state || p.id || ' ' $$;
CREATE AGGREGATE lab.planets_csv(lab.planets) (SFUNC = types.add_csv, STYPE = types."text/csv", INITCOND = 'own csv: ');
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA types TO regress_pgrst_caller;
SELECT t AS accept, p AS path, s.* FROM (VALUES
    ('image/png', '/rpc/pixel'), ('*/*', '/rpc/pixel'), ('text/plain', '/rpc/pixel'), ('image/png', '/rpc/no_pixel'),
    ('text/css', '/rpc/any_file'), ('application/x-names', '/planets?id=lt.3&order=id'), ('application/x-names', '/rpc/heavier'),
    ('application/x-names', '/moons'), ('application/x-names', '/planets?select=name'), ('text/csv', '/planets'),
    ('text/csv', '/planets?select=name&id=eq.1'), ('text/csv', '/moons?id=eq.1'), ('text/x-line', '/moons?id=lt.3&select=name'),
    ('text/x-line', '/planets?id=eq.2&select=name,moons(name)'), ('text/x-line', '/rpc/a_table?n=2'),
    ('text/x-line', '/planets?id=eq.99'), ('image/gif, text/x-line;q=0.5', '/moons?id=eq.1')) v (t, p),
  LATERAL pg_temp.send('GET', p, NULL, json_build_object('Accept', t)) s;
SELECT * FROM pg_temp.send('PATCH', '/planets?id=lt.3', '{"mass": 5}', '{"Accept": "application/x-names", "Prefer": "return=representation"}');
SELECT * FROM pg_temp.send('PATCH', '/planets?id=lt.3', '{"mass": 6}', '{"Accept": "application/x-names"}');
SELECT * FROM pg_temp.send('HEAD', '/planets', NULL, '{"Accept": "application/x-names"}');
SELECT * FROM pg_temp.send('GET', '/planets?limit=2&order=id', NULL, '{"Accept": "application/x-names", "Prefer": "count=exact"}');
SELECT s->>'sql' AS sql, s->>'params' AS params, t->>'access_mode' AS mode, t->>'isolation' AS isolation
  FROM pgrst.to_sql('POST', '/rpc/greet', '{}', '{"name": "x"}') t, json_array_elements(t->'statements') s;
DELETE FROM pgrst.config;
DROP SCHEMA lab, types CASCADE;
DROP ROLE regress_pgrst_caller;
