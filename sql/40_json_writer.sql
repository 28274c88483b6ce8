-- The row writer against json_agg, byte for byte. Module and scripts are where the runner says.
\set ECHO none
\set module `echo "$JSON_WRITER_TEST"`
\set setup `echo "$JSON_WRITER_SCRIPTS/setup.sql"`
\set property `echo "$JSON_WRITER_SCRIPTS/property.sql"`
\i :setup
\i :property
