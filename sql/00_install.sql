-- What CREATE EXTENSION makes, who may use it, and that it goes away again.
CREATE EXTENSION postgrest_ext;
-- Without the types of rows and arrays, which are members from PostgreSQL 17 on.
SELECT pg_describe_object(classid, objid, 0) AS member FROM pg_depend
 WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
   AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'postgrest_ext')
   AND NOT (classid = 'pg_type'::regclass AND objid IN (
         SELECT t.oid FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
          WHERE t.typelem <> 0 OR c.relkind IN ('r', 'v')))
 ORDER BY 1;
SELECT extname, extversion, nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = extnamespace
 WHERE extname = 'postgrest_ext';
-- Nobody but the owner gets at settings, requests and reloads; monitoring reads the status.
CREATE ROLE regress_pgrst_nobody;
SET ROLE regress_pgrst_nobody;
SELECT * FROM pgrst.config;
SELECT pgrst.reload();
SELECT * FROM pgrst.request('GET', '/t');
SELECT pgrst.to_sql('GET', '/t');
SELECT count(*) FROM pgrst.status;
SELECT count(*) FROM pgrst.stats;
SELECT count(*) FROM pgrst.effective_config;
SELECT pgrst.stats_reset();
RESET ROLE;
GRANT pg_monitor TO regress_pgrst_nobody;
SET ROLE regress_pgrst_nobody;
SELECT process, state FROM pgrst.status WHERE process = 'launcher';
SELECT count(*) FROM pgrst.stats;
-- This database is not served: it has no settings in force.
SELECT count(*) FROM pgrst.effective_config;
RESET ROLE;
DROP ROLE regress_pgrst_nobody;
DROP EXTENSION postgrest_ext;
SELECT count(*) FROM pg_namespace WHERE nspname = 'pgrst';
CREATE EXTENSION postgrest_ext;
