-- Whole requests in this session, by the pipeline that serves HTTP.
\set VERBOSITY terse
\pset format unaligned
INSERT INTO api.items VALUES
  (1, 'bolt', 0.25, '{"a": {"b": "x"}}', '{"k": [1, 2]}', '{m6,steel}', 'bolt steel', 1),
  (2, 'nut', 0.10, NULL, NULL, '{}', NULL, NULL),
  (3, 'gear', 12.50, '{"a": 1}', '{"k": null}', '{steel,"a b"}', 'gear steel', 3);
GRANT USAGE ON SCHEMA api TO regress_pgrst_anon;
GRANT SELECT ON api.items TO regress_pgrst_anon;
CREATE FUNCTION pg_temp.header(headers json, name text) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(e->>name, ' | ') FROM json_array_elements(headers) AS e
$$;
CREATE FUNCTION pg_temp.get(path text, headers json DEFAULT '{}', method text DEFAULT 'GET')
RETURNS TABLE (status int, content_range text, body text) LANGUAGE sql AS $$
  SELECT r.status, pg_temp.header(r.headers, 'Content-Range'), r.body
    FROM pgrst.request(method, path, headers) AS r
$$;
SELECT status, headers, body FROM pgrst.request('GET', '/items?select=id,name&order=id');
SELECT * FROM pg_temp.get('/items?id=eq.1');
SELECT * FROM pg_temp.get('/items?id=eq.99');
SELECT * FROM pg_temp.get('/items', method => 'HEAD');
SELECT * FROM pg_temp.get('/items?select=id&order=id&limit=1', '{"Prefer": "count=exact"}');
SELECT * FROM pg_temp.get('/items?select=id&order=id', '{"Range": "1-"}');
SELECT * FROM pg_temp.get('/items?select=id&offset=9', '{"Prefer": "count=exact"}');
SELECT * FROM pg_temp.get('/items?select=id', '{"Range": "3-1"}');
SELECT * FROM pg_temp.get('/items?limit=-1');
-- The role, the settings and their end.
CREATE VIEW api.about AS
  SELECT current_user::text AS who, current_setting('request.method') AS method,
         current_setting('request.path') AS path, current_setting('transaction_read_only') AS read_only,
         current_setting('search_path') AS search_path,
         current_setting('request.jwt.claims')::json ->> 'role' AS claimed;
GRANT SELECT ON api.about TO regress_pgrst_anon;
SELECT * FROM pg_temp.get('/about');
SELECT current_user <> 'regress_pgrst_anon' AS back, current_setting('request.method', true) AS method,
       current_setting('transaction_read_only') AS read_only;
-- Errors of the database, in PostgREST's shape; the caller's transaction goes on.
CREATE TABLE api.hidden (id int);
BEGIN;
SELECT * FROM pg_temp.get('/hidden');
SELECT * FROM pg_temp.get('/items?nope=eq.1');
SELECT * FROM pg_temp.get('/items?id=eq.x');
SELECT * FROM pg_temp.get('/items?select=id&id=eq.2');
-- It sees what the transaction has done, and the schema as it is now.
INSERT INTO api.items (id, name) VALUES (4, 'washer');
CREATE TABLE api.fresh (a int);
GRANT SELECT ON api.fresh TO regress_pgrst_anon;
SELECT * FROM pg_temp.get('/items?select=id,name&id=eq.4');
SELECT * FROM pg_temp.get('/fresh');
ROLLBACK;
SELECT * FROM pg_temp.get('/fresh');
-- Response headers and status by SQL.
CREATE FUNCTION api.teapot() RETURNS text LANGUAGE sql AS $$
  SELECT set_config('response.status', '418', true) ||
         set_config('response.headers', '[{"X-Pot": "tea"}, {"Content-Type": "text/x-tea"}]', true)
$$;
CREATE VIEW api.pot AS SELECT api.teapot() <> '' AS poured;
GRANT SELECT ON api.pot TO regress_pgrst_anon;
SELECT status, pg_temp.header(headers, 'X-Pot') AS pot, pg_temp.header(headers, 'Content-Type') AS type, body
  FROM pgrst.request('GET', '/pot');
CREATE OR REPLACE FUNCTION api.teapot() RETURNS text LANGUAGE sql AS $$
  SELECT set_config('response.headers', '[{"X-Pot": 1}]', true)
$$;
SELECT * FROM pg_temp.get('/pot');
CREATE OR REPLACE FUNCTION api.teapot() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RAISE SQLSTATE 'PT402' USING MESSAGE = 'Payment Required', DETAIL = 'Quota exceeded', HINT = 'Upgrade';
END $$;
SELECT * FROM pg_temp.get('/pot');
-- A cancelled statement is the caller's, not an answer.
CREATE VIEW api.slow AS SELECT pg_sleep(60)::text AS slept;
GRANT SELECT ON api.slow TO regress_pgrst_anon;
SET statement_timeout = '200ms';
SELECT * FROM pg_temp.get('/slow');
RESET statement_timeout;
-- JWT: role by claim, refused without a secret and without a right signature.
SELECT status, pg_temp.header(headers, 'WWW-Authenticate') AS authenticate, body
  FROM pgrst.request('GET', '/items', '{"Authorization": "Bearer a.b.c"}');
INSERT INTO pgrst.config VALUES ('jwt_secret', 'regress-secret-of-32-characters-or-more');
SELECT status, pg_temp.header(headers, 'WWW-Authenticate') AS authenticate, body
  FROM pgrst.request('GET', '/items', '{"Authorization": "Bearer a.b.c"}');
CREATE ROLE regress_pgrst_member;
GRANT USAGE ON SCHEMA api TO regress_pgrst_member;
GRANT SELECT ON api.about TO regress_pgrst_member;
-- {"role":"regress_pgrst_member"}, HS256
\set token eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJyb2xlIjoicmVncmVzc19wZ3JzdF9tZW1iZXIifQ.bHy1DOgzn6g9isgxCCBRsSupEmTi2C2hk3ibzn0p5Y0
SELECT * FROM pg_temp.get('/about', json_build_object('Authorization', 'Bearer ' || :'token'));
DELETE FROM pgrst.config;
DROP SCHEMA api CASCADE;
DROP ROLE regress_pgrst_anon, regress_pgrst_member;
