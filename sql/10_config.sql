-- Settings: the GUCs, and the table pgrst.config.
\set VERBOSITY terse
SELECT name, setting, context, vartype FROM pg_settings
 WHERE name LIKE 'pgrst.%' AND name NOT IN ('pgrst.databases', 'pgrst.db_authenticator')
 ORDER BY name COLLATE "C";
-- Values are checked.
SET pgrst.db_tx_end = 'sometimes';
SET pgrst.db_schemas = 'public, pg_catalog';
SET pgrst.db_schemas = '';
SET pgrst.db_max_rows = -2;
SET pgrst.client_error_verbosity = 'chatty';
SET pgrst.db_tx_end = 'rollback-allow-override';
RESET pgrst.db_tx_end;
SET pgrst.db_pool = 5;
-- The secret is shown to superusers only.
CREATE ROLE regress_pgrst_nobody;
SET ROLE regress_pgrst_nobody;
\set VERBOSITY sqlstate
SHOW pgrst.jwt_secret;
\set VERBOSITY terse
RESET ROLE;
DROP ROLE regress_pgrst_nobody;
-- The table takes what is a setting and can be changed while the server runs.
INSERT INTO pgrst.config VALUES ('db_schemas', 'api, other'), ('app.settings.anything', 'goes');
INSERT INTO pgrst.config VALUES ('db_schema', 'api');
INSERT INTO pgrst.config VALUES ('db_tx_end', 'sometimes');
INSERT INTO pgrst.config VALUES ('db_max_rows', 'many');
INSERT INTO pgrst.config VALUES ('db_pool', '3');
INSERT INTO pgrst.config VALUES ('db_anon_role', NULL);
INSERT INTO pgrst.config VALUES ('server_timing_enabled', 'perhaps');
UPDATE pgrst.config SET value = 'information_schema' WHERE name = 'db_schemas';
SELECT * FROM pgrst.config ORDER BY name;
DELETE FROM pgrst.config;
SELECT pgrst.reload();
