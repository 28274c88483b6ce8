-- postgrest_ext: a PostgREST-compatible REST server inside PostgreSQL.
\echo Use "CREATE EXTENSION postgrest_ext" to load this file. \quit

CREATE SCHEMA pgrst;
COMMENT ON SCHEMA pgrst IS 'postgrest_ext: settings, status and functions';

-- Settings of this database, over those of postgresql.conf and of ALTER DATABASE / ALTER ROLE.
CREATE TABLE pgrst.config (
  name text PRIMARY KEY,
  value text NOT NULL
);
COMMENT ON TABLE pgrst.config IS
  'Settings of postgrest_ext for this database: names without the prefix pgrst., or app.settings.*';
SELECT pg_catalog.pg_extension_config_dump('pgrst.config', '');
REVOKE ALL ON pgrst.config FROM PUBLIC;

CREATE FUNCTION pgrst.config_check() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'pgrst_config_check';
CREATE FUNCTION pgrst.config_changed() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'pgrst_config_changed';
REVOKE ALL ON FUNCTION pgrst.config_check(), pgrst.config_changed() FROM PUBLIC;
CREATE TRIGGER check_row BEFORE INSERT OR UPDATE ON pgrst.config
  FOR EACH ROW EXECUTE FUNCTION pgrst.config_check();
CREATE TRIGGER reload AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pgrst.config
  FOR EACH STATEMENT EXECUTE FUNCTION pgrst.config_changed();

CREATE FUNCTION pgrst.reload() RETURNS void
  LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'pgrst_reload';
COMMENT ON FUNCTION pgrst.reload() IS
  'Reloads settings and schema cache when the transaction commits; never needed after DDL';
REVOKE ALL ON FUNCTION pgrst.reload() FROM PUBLIC;

CREATE TYPE pgrst.response AS (status int, headers json, body text);
COMMENT ON TYPE pgrst.response IS 'An HTTP response; headers as [{"Name": "value"}, ...]';

CREATE FUNCTION pgrst.request(method text, path text, headers json DEFAULT '{}', body text DEFAULT NULL)
  RETURNS pgrst.response
  LANGUAGE c AS 'MODULE_PATHNAME', 'pgrst_request';
COMMENT ON FUNCTION pgrst.request(text, text, json, text) IS
  'Answers a request in this session: in the caller''s transaction, with the caller''s rights';
REVOKE ALL ON FUNCTION pgrst.request(text, text, json, text) FROM PUBLIC;

CREATE FUNCTION pgrst.to_sql(method text, path text, headers json DEFAULT '{}', body text DEFAULT NULL)
  RETURNS json
  LANGUAGE c AS 'MODULE_PATHNAME', 'pgrst_to_sql';
COMMENT ON FUNCTION pgrst.to_sql(text, text, json, text) IS
  'The role, settings, SQL and parameters that a request would run';
REVOKE ALL ON FUNCTION pgrst.to_sql(text, text, json, text) FROM PUBLIC;

CREATE FUNCTION pgrst.status_rows() RETURNS TABLE (
    database text, process text, pid int, state text, started_at timestamptz, port int,
    requests bigint, schema_loads bigint, schema_checks bigint, tables bigint, queue bigint,
    last_error text, last_error_at timestamptz, left_out text)
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgrst_status_rows';
REVOKE ALL ON FUNCTION pgrst.status_rows() FROM PUBLIC;
CREATE VIEW pgrst.status AS SELECT * FROM pgrst.status_rows();
COMMENT ON VIEW pgrst.status IS 'The processes of postgrest_ext in this server, of all databases';
REVOKE ALL ON pgrst.status FROM PUBLIC;

CREATE FUNCTION pgrst.introspection_rows() RETURNS TABLE (query text, rows bigint, ms float8)
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgrst_introspection_rows';
REVOKE ALL ON FUNCTION pgrst.introspection_rows() FROM PUBLIC;
CREATE VIEW pgrst.introspection AS SELECT * FROM pgrst.introspection_rows();
COMMENT ON VIEW pgrst.introspection IS
  'How long each part of the last load of this database''s schema cache took';
REVOKE ALL ON pgrst.introspection FROM PUBLIC;

CREATE FUNCTION pgrst.stats_rows() RETURNS TABLE (
    method text, kind text, schema text, resource text, calls bigint, errors bigint, rows bigint,
    bytes bigint, total_ms float8, mean_ms float8, p50_ms float8, p90_ms float8, p99_ms float8,
    max_ms float8)
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgrst_stats_rows';
REVOKE ALL ON FUNCTION pgrst.stats_rows() FROM PUBLIC;
CREATE VIEW pgrst.stats AS SELECT * FROM pgrst.stats_rows();
COMMENT ON VIEW pgrst.stats IS
  'Requests of each relation and routine of this database since the server started or pgrst.stats_reset()';
REVOKE ALL ON pgrst.stats FROM PUBLIC;

CREATE FUNCTION pgrst.stats_reset() RETURNS void
  LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'pgrst_stats_reset';
COMMENT ON FUNCTION pgrst.stats_reset() IS 'Makes pgrst.stats begin anew';
REVOKE ALL ON FUNCTION pgrst.stats_reset() FROM PUBLIC;

CREATE FUNCTION pgrst.effective_config_rows() RETURNS TABLE (name text, value text, source text)
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgrst_effective_config_rows';
REVOKE ALL ON FUNCTION pgrst.effective_config_rows() FROM PUBLIC;
CREATE VIEW pgrst.effective_config AS SELECT * FROM pgrst.effective_config_rows();
COMMENT ON VIEW pgrst.effective_config IS
  'The settings that this database is served with, and where each comes from; secrets are masked';
REVOKE ALL ON pgrst.effective_config FROM PUBLIC;

-- Monitoring tools read the views.
GRANT USAGE ON SCHEMA pgrst TO pg_monitor;
GRANT SELECT ON pgrst.status, pgrst.introspection, pgrst.stats, pgrst.effective_config TO pg_monitor;
GRANT EXECUTE ON FUNCTION pgrst.status_rows(), pgrst.introspection_rows(), pgrst.stats_rows(),
  pgrst.effective_config_rows()
  TO pg_monitor;
