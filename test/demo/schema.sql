-- The demo database: a manufacturing company, from sites down to a million sensor readings.
--
-- Run by a superuser in an empty database:
--
--     psql -X -d demo -v readings=1000000 -f schema.sql
--
-- Schemas:  api      exposed: tables, views and functions of the plant
--           reports  exposed second: aggregated views (Accept-Profile: reports)
--           plant    not exposed: partitions, casts, triggers, the data generator
-- Roles:    demo_authenticator  what the server logs in as; may become one of the next three
--           demo_anon           requests without a token: the machine park and its readings, read-only
--           demo_operator       shop floor: own work orders only (row-level security)
--           demo_manager        everything, writes included
--
-- Every row is computed from its number, never from random() or the clock, so the same request gives
-- the same answer on every machine. Smaller values of "readings" give a prefix of the same data.

\set ON_ERROR_STOP on
\set QUIET on
\pset tuples_only on
\pset format unaligned
\if :{?readings}
\else
  \set readings 1000000
\endif

SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = 'ISO, MDY';

\echo '    roles, types'

-- ---------------------------------------------------------------------------------------------
-- Roles. They belong to the whole cluster, so they may already be there.
-- ---------------------------------------------------------------------------------------------

SELECT format('CREATE ROLE %I %s', name, attributes)
  FROM (VALUES ('demo_authenticator', 'LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE'),
               ('demo_anon',          'NOLOGIN'),
               ('demo_operator',      'NOLOGIN'),
               ('demo_manager',       'NOLOGIN')) AS wanted (name, attributes)
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec

GRANT demo_anon, demo_operator, demo_manager TO demo_authenticator;

-- A role's own settings hold for its requests: nobody without a token may run a query for long.
ALTER ROLE demo_anon SET statement_timeout = '10s';

COMMENT ON ROLE demo_authenticator IS 'Login role of the API server; has no rights of its own';
COMMENT ON ROLE demo_anon IS 'Requests without a token';
COMMENT ON ROLE demo_operator IS 'Shop floor staff; the claim operator_id says who';
COMMENT ON ROLE demo_manager IS 'Plant management';

-- ---------------------------------------------------------------------------------------------
-- Schemas. Rights are given one by one below: nothing is executable just because it exists.
-- ---------------------------------------------------------------------------------------------

CREATE SCHEMA api;
CREATE SCHEMA reports;
CREATE SCHEMA plant;

COMMENT ON SCHEMA api IS
'Plant demo API

Sites, lines, machines, sensors and their readings, work orders and the people who do them.';
COMMENT ON SCHEMA reports IS
'Plant demo reports

Aggregated figures of the plant. Ask for them with the header Accept-Profile: reports.';
COMMENT ON SCHEMA plant IS 'Internals of the demo; not exposed';

GRANT USAGE ON SCHEMA api, plant, reports TO demo_anon, demo_operator, demo_manager;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

-- ---------------------------------------------------------------------------------------------
-- Types
-- ---------------------------------------------------------------------------------------------

CREATE TYPE api.machine_kind AS ENUM ('cell', 'press', 'robot', 'oven', 'conveyor', 'packer');
CREATE TYPE api.machine_status AS ENUM ('running', 'idle', 'maintenance', 'retired');
CREATE TYPE api.sensor_kind AS ENUM ('temperature', 'pressure', 'vibration', 'power');
CREATE TYPE api.reading_quality AS ENUM ('good', 'suspect', 'bad');
CREATE TYPE api.shift AS ENUM ('early', 'late', 'night');
CREATE TYPE api.priority AS ENUM ('low', 'normal', 'high', 'urgent');
CREATE TYPE api.work_status AS ENUM ('open', 'in_progress', 'done', 'cancelled');

CREATE DOMAIN api.site_code AS text CHECK (VALUE ~ '^[A-Z]{3}$');
CREATE DOMAIN api.email AS text CHECK (VALUE ~ '^[^@[:space:]]+@[^@[:space:]]+$');

COMMENT ON TYPE api.machine_kind IS 'What a machine is; a cell is a group of machines';
COMMENT ON TYPE api.machine_status IS 'State of a machine';
COMMENT ON TYPE api.sensor_kind IS 'What a sensor measures';
COMMENT ON TYPE api.reading_quality IS 'How far a reading can be trusted';
COMMENT ON TYPE api.shift IS 'Working shift';
COMMENT ON TYPE api.priority IS 'Urgency of a work order, lowest first';
COMMENT ON TYPE api.work_status IS 'State of a work order';
COMMENT ON DOMAIN api.site_code IS 'Three capital letters';
COMMENT ON DOMAIN api.email IS 'E-mail address';

-- A domain with its own representation: stored as an integer, "#rrggbb" in JSON and in filters.
CREATE DOMAIN api.color AS integer CHECK (VALUE BETWEEN 0 AND 16777215);
COMMENT ON DOMAIN api.color IS 'Colour; an integer in the database, "#rrggbb" in the API';

CREATE FUNCTION plant.color_from_text(text) RETURNS api.color
LANGUAGE sql IMMUTABLE STRICT AS $$
  SELECT (get_byte(b, 0) * 65536 + get_byte(b, 1) * 256 + get_byte(b, 2))::api.color
    FROM decode(ltrim($1, '#'), 'hex') AS b
$$;
CREATE FUNCTION plant.color_from_json(json) RETURNS api.color
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT plant.color_from_text($1 #>> '{}') $$;
CREATE FUNCTION plant.color_to_json(api.color) RETURNS json
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT to_json('#' || lpad(to_hex($1::integer), 6, '0')) $$;

-- The server never uses casts of domains by itself (and warns); the API looks them up by name.
SET client_min_messages = error;
CREATE CAST (text AS api.color) WITH FUNCTION plant.color_from_text(text) AS IMPLICIT;
CREATE CAST (json AS api.color) WITH FUNCTION plant.color_from_json(json) AS IMPLICIT;
CREATE CAST (api.color AS json) WITH FUNCTION plant.color_to_json(api.color) AS IMPLICIT;
SET client_min_messages = warning;

-- The login role too: the server uses a representation if it may call its function itself.
GRANT EXECUTE ON FUNCTION plant.color_from_text(text), plant.color_from_json(json),
  plant.color_to_json(api.color) TO demo_authenticator, demo_anon, demo_operator, demo_manager;

-- Who asks: the claim operator_id of the request's token, NULL without one.
CREATE FUNCTION plant.current_operator() RETURNS integer
LANGUAGE sql STABLE AS $$
  SELECT (nullif(current_setting('request.jwt.claims', true), '')::json ->> 'operator_id')::integer
$$;
GRANT EXECUTE ON FUNCTION plant.current_operator() TO demo_operator, demo_manager;

\echo '    tables'

-- ---------------------------------------------------------------------------------------------
-- Tables
-- ---------------------------------------------------------------------------------------------

CREATE TABLE api.sites (
  id       integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code     api.site_code NOT NULL UNIQUE,
  name     text NOT NULL,
  country  text NOT NULL,
  opened   date NOT NULL,
  location jsonb NOT NULL,
  label    text GENERATED ALWAYS AS (code::text || ' ' || name) STORED
);
COMMENT ON TABLE api.sites IS 'Factories

The places where the company produces.';
COMMENT ON COLUMN api.sites.id IS 'Number of the site, always given by the database';
COMMENT ON COLUMN api.sites.code IS 'Short code, three capital letters';
COMMENT ON COLUMN api.sites.name IS 'Name of the place';
COMMENT ON COLUMN api.sites.country IS 'Country, ISO 3166 two letter code';
COMMENT ON COLUMN api.sites.opened IS 'Day on which production began';
COMMENT ON COLUMN api.sites.location IS 'Position as JSON: lat, lon';
COMMENT ON COLUMN api.sites.label IS 'Code and name, computed';

CREATE TABLE api.lines (
  id          integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  site_id     integer NOT NULL REFERENCES api.sites,
  name        text NOT NULL,
  product     text NOT NULL,
  color       api.color NOT NULL DEFAULT 8421504,
  capacity    integer NOT NULL CHECK (capacity > 0),
  shift_hours int4range NOT NULL DEFAULT '[6,22)',
  UNIQUE (site_id, name)
);
COMMENT ON TABLE api.lines IS 'Production lines

A line makes one product on one site.';
COMMENT ON COLUMN api.lines.id IS 'Number of the line';
COMMENT ON COLUMN api.lines.site_id IS 'Site on which the line stands';
COMMENT ON COLUMN api.lines.name IS 'Name, unique within the site';
COMMENT ON COLUMN api.lines.product IS 'What the line makes';
COMMENT ON COLUMN api.lines.color IS 'Colour of the line on the plant map, #rrggbb';
COMMENT ON COLUMN api.lines.capacity IS 'Pieces an hour';
COMMENT ON COLUMN api.lines.shift_hours IS 'Hours of the day in which the line runs';

CREATE TABLE api.machines (
  id           integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  line_id      integer NOT NULL REFERENCES api.lines,
  parent_id    integer CONSTRAINT machines_parent_fkey REFERENCES api.machines,
  name         text NOT NULL UNIQUE,
  kind         api.machine_kind NOT NULL,
  status       api.machine_status NOT NULL DEFAULT 'idle',
  tags         text[] NOT NULL DEFAULT '{}',
  specs        jsonb NOT NULL DEFAULT '{}',
  notes        text NOT NULL DEFAULT '',
  installed    date NOT NULL,
  next_service date,
  search       tsvector GENERATED ALWAYS AS (to_tsvector('english', name || ' ' || notes)) STORED,
  CHECK (parent_id <> id)
);
CREATE INDEX ON api.machines (line_id);
CREATE INDEX ON api.machines (parent_id);
CREATE INDEX ON api.machines USING gin (search);
CREATE INDEX ON api.machines USING gin (tags);
COMMENT ON TABLE api.machines IS 'Machines

Machines of the lines. A cell groups other machines: they name it as their parent.';
COMMENT ON COLUMN api.machines.id IS 'Number of the machine';
COMMENT ON COLUMN api.machines.line_id IS 'Line to which the machine belongs';
COMMENT ON COLUMN api.machines.parent_id IS 'Cell of which the machine is a part';
COMMENT ON COLUMN api.machines.name IS 'Unique name';
COMMENT ON COLUMN api.machines.kind IS 'What the machine is';
COMMENT ON COLUMN api.machines.status IS 'Present state';
COMMENT ON COLUMN api.machines.tags IS 'Free keywords';
COMMENT ON COLUMN api.machines.specs IS 'Technical data as JSON: weight_kg, motor (kw, rpm), firmware';
COMMENT ON COLUMN api.machines.notes IS 'Remarks of the maintenance staff';
COMMENT ON COLUMN api.machines.installed IS 'Day of installation';
COMMENT ON COLUMN api.machines.next_service IS 'Day of the next planned service';
COMMENT ON COLUMN api.machines.search IS 'Name and notes for full text search, computed';

CREATE TABLE api.nameplates (
  machine_id   integer PRIMARY KEY REFERENCES api.machines ON DELETE CASCADE,
  serial       text NOT NULL UNIQUE,
  manufacturer text NOT NULL,
  built        smallint NOT NULL,
  voltage      smallint
);
COMMENT ON TABLE api.nameplates IS 'Nameplates

What the plate on the machine says; one for each machine at most.';
COMMENT ON COLUMN api.nameplates.machine_id IS 'Machine that carries the plate';
COMMENT ON COLUMN api.nameplates.serial IS 'Serial number';
COMMENT ON COLUMN api.nameplates.manufacturer IS 'Maker of the machine';
COMMENT ON COLUMN api.nameplates.built IS 'Year of construction';
COMMENT ON COLUMN api.nameplates.voltage IS 'Supply voltage in volts, empty when not electric';

CREATE TABLE api.sensors (
  id           integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  machine_id   integer NOT NULL REFERENCES api.machines,
  kind         api.sensor_kind NOT NULL,
  unit         text NOT NULL,
  normal_range numrange NOT NULL,
  calibrated   date,
  UNIQUE (machine_id, kind)
);
COMMENT ON TABLE api.sensors IS 'Sensors

Four on every machine, none on cells.';
COMMENT ON COLUMN api.sensors.id IS 'Number of the sensor';
COMMENT ON COLUMN api.sensors.machine_id IS 'Machine on which the sensor sits';
COMMENT ON COLUMN api.sensors.kind IS 'What is measured';
COMMENT ON COLUMN api.sensors.unit IS 'Unit of the readings';
COMMENT ON COLUMN api.sensors.normal_range IS 'Values that need no attention';
COMMENT ON COLUMN api.sensors.calibrated IS 'Day of the last calibration, empty when never done';

-- Keys come after the rows are in: building them then is several times faster.
CREATE TABLE api.readings (
  taken_at  timestamptz NOT NULL,
  sensor_id integer NOT NULL,
  quality   api.reading_quality NOT NULL DEFAULT 'good',
  value     numeric(8,2) NOT NULL
);
COMMENT ON TABLE api.readings IS 'Sensor readings

One for each sensor every 15 minutes, from 2025-06-01 on.';
COMMENT ON COLUMN api.readings.taken_at IS 'When the value was measured';
COMMENT ON COLUMN api.readings.sensor_id IS 'Sensor that measured';
COMMENT ON COLUMN api.readings.quality IS 'How far the value can be trusted';
COMMENT ON COLUMN api.readings.value IS 'Measured value in the unit of the sensor';

CREATE TABLE api.operators (
  id      integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  site_id integer NOT NULL REFERENCES api.sites,
  name    text NOT NULL,
  surname text NOT NULL,
  email   api.email NOT NULL UNIQUE,
  shift   api.shift NOT NULL DEFAULT 'early',
  skills  text[] NOT NULL DEFAULT '{}',
  active  boolean NOT NULL DEFAULT true
);
COMMENT ON TABLE api.operators IS 'Operators

The people of the shop floor.';
COMMENT ON COLUMN api.operators.id IS 'Staff number; the claim operator_id of a token';
COMMENT ON COLUMN api.operators.site_id IS 'Site where the operator works';
COMMENT ON COLUMN api.operators.name IS 'First name';
COMMENT ON COLUMN api.operators.surname IS 'Family name';
COMMENT ON COLUMN api.operators.email IS 'Address at work';
COMMENT ON COLUMN api.operators.shift IS 'Usual shift';
COMMENT ON COLUMN api.operators.skills IS 'What the operator can do';
COMMENT ON COLUMN api.operators.active IS 'False for those who have left';

CREATE TABLE api.contracts (
  operator_id integer PRIMARY KEY REFERENCES api.operators ON DELETE CASCADE,
  since       date NOT NULL,
  hourly_rate numeric(6,2) NOT NULL CHECK (hourly_rate > 0)
);
COMMENT ON TABLE api.contracts IS 'Contracts

Terms of employment; for the management only.';
COMMENT ON COLUMN api.contracts.operator_id IS 'Operator with whom the contract is';
COMMENT ON COLUMN api.contracts.since IS 'First day';
COMMENT ON COLUMN api.contracts.hourly_rate IS 'Pay for an hour, in euro';

CREATE TABLE api.certifications (
  operator_id integer REFERENCES api.operators ON DELETE CASCADE,
  machine_id  integer REFERENCES api.machines ON DELETE CASCADE,
  level       smallint NOT NULL DEFAULT 1 CHECK (level BETWEEN 1 AND 3),
  valid       daterange NOT NULL,
  PRIMARY KEY (operator_id, machine_id)
);
CREATE INDEX ON api.certifications (machine_id);
COMMENT ON TABLE api.certifications IS 'Certifications

Which operator may run which machine: operators and machines are many to many.';
COMMENT ON COLUMN api.certifications.operator_id IS 'Operator who is certified';
COMMENT ON COLUMN api.certifications.machine_id IS 'Machine that the operator may run';
COMMENT ON COLUMN api.certifications.level IS '1 run, 2 set up, 3 repair';
COMMENT ON COLUMN api.certifications.valid IS 'Days on which the certificate holds';

-- Two foreign keys to operators: an embed has to say which one it means.
CREATE TABLE api.work_orders (
  id           integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  machine_id   integer NOT NULL REFERENCES api.machines,
  requested_by integer CONSTRAINT work_orders_requested_by_fkey REFERENCES api.operators,
  assigned_to  integer CONSTRAINT work_orders_assigned_to_fkey REFERENCES api.operators,
  title        text NOT NULL CHECK (title <> ''),
  priority     api.priority NOT NULL DEFAULT 'normal',
  status       api.work_status NOT NULL DEFAULT 'open',
  planned      tstzrange,
  estimate     interval NOT NULL DEFAULT '1 hour',
  cost         numeric(10,2) NOT NULL DEFAULT 0 CHECK (cost >= 0),
  checklist    jsonb NOT NULL DEFAULT '[]',
  created_at   timestamptz NOT NULL DEFAULT now(),
  closed_at    timestamptz
);
CREATE INDEX ON api.work_orders (machine_id);
CREATE INDEX ON api.work_orders (requested_by);
CREATE INDEX ON api.work_orders (assigned_to);
CREATE INDEX ON api.work_orders USING gist (planned);
COMMENT ON TABLE api.work_orders IS 'Work orders

Maintenance work. Operators see the orders that they asked for or that are assigned to them.';
COMMENT ON COLUMN api.work_orders.id IS 'Number of the order';
COMMENT ON COLUMN api.work_orders.machine_id IS 'Machine to work on';
COMMENT ON COLUMN api.work_orders.requested_by IS 'Operator who asked for the work';
COMMENT ON COLUMN api.work_orders.assigned_to IS 'Operator who does the work';
COMMENT ON COLUMN api.work_orders.title IS 'What is to be done';
COMMENT ON COLUMN api.work_orders.priority IS 'Urgency';
COMMENT ON COLUMN api.work_orders.status IS 'State of the work';
COMMENT ON COLUMN api.work_orders.planned IS 'When the work is planned';
COMMENT ON COLUMN api.work_orders.estimate IS 'Expected duration';
COMMENT ON COLUMN api.work_orders.cost IS 'Cost of material so far, in euro';
COMMENT ON COLUMN api.work_orders.checklist IS 'Steps as JSON: step, done';
COMMENT ON COLUMN api.work_orders.created_at IS 'When the order was written';
COMMENT ON COLUMN api.work_orders.closed_at IS 'When the order was done or cancelled, set by the database';

-- Partitioned by month; the partitions live in the schema that is not exposed.
CREATE TABLE api.alarms (
  id           bigint GENERATED BY DEFAULT AS IDENTITY,
  raised_at    timestamptz NOT NULL DEFAULT now(),
  machine_id   integer NOT NULL REFERENCES api.machines,
  severity     smallint NOT NULL CHECK (severity BETWEEN 1 AND 5),
  message      text NOT NULL,
  acknowledged boolean NOT NULL DEFAULT false,
  PRIMARY KEY (id, raised_at)
) PARTITION BY RANGE (raised_at);
CREATE TABLE plant.alarms_2025_06 PARTITION OF api.alarms
  FOR VALUES FROM ('2025-06-01') TO ('2025-07-01');
CREATE TABLE plant.alarms_2025_07 PARTITION OF api.alarms
  FOR VALUES FROM ('2025-07-01') TO ('2025-08-01');
CREATE TABLE plant.alarms_other PARTITION OF api.alarms DEFAULT;
CREATE INDEX ON api.alarms (machine_id);
COMMENT ON TABLE api.alarms IS 'Alarms

What the machines complained about. Partitioned by month.';
COMMENT ON COLUMN api.alarms.id IS 'Number of the alarm';
COMMENT ON COLUMN api.alarms.raised_at IS 'When the alarm was raised';
COMMENT ON COLUMN api.alarms.machine_id IS 'Machine that raised it';
COMMENT ON COLUMN api.alarms.severity IS '1 notice to 5 stop';
COMMENT ON COLUMN api.alarms.message IS 'What was wrong';
COMMENT ON COLUMN api.alarms.acknowledged IS 'True when somebody has looked at it';

-- Closing a work order stamps it, whoever does it and however.
CREATE FUNCTION plant.stamp_work_order() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.status IN ('done', 'cancelled') THEN
    NEW.closed_at := coalesce(NEW.closed_at, now());
  ELSE
    NEW.closed_at := NULL;
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON api.work_orders
  FOR EACH ROW EXECUTE FUNCTION plant.stamp_work_order();

-- ---------------------------------------------------------------------------------------------
-- Rows
-- ---------------------------------------------------------------------------------------------

-- A number that looks random but depends on n and salt only (two steps of Lehmer generators; with one,
-- neighbours are evenly spaced).
CREATE FUNCTION plant.mix(n bigint, salt integer) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$ SELECT ((n + 1) * 48271 + salt * 69621) % 2147483647 * 16807 % 2147483647 $$;

\echo '    4 sites, 12 lines, 120 machines, 384 sensors'

INSERT INTO api.sites (code, name, country, opened, location) VALUES
  ('ALD', 'Aldermoor',   'GB', '1987-03-02', '{"lat": 53.41, "lon": -1.22}'),
  ('BRW', 'Brunnwald',   'DE', '1994-09-12', '{"lat": 48.77, "lon": 9.18}'),
  ('CPF', 'Cap Ferrain', 'FR', '2006-05-15', '{"lat": 44.65, "lon": -1.17}'),
  ('DNM', 'Dunmore',     'IE', '2019-01-28', '{"lat": 53.62, "lon": -8.74}');

INSERT INTO api.lines (site_id, name, product, color, capacity, shift_hours)
SELECT s, 'Line ' || l,
       (ARRAY['gearbox', 'pump', 'valve'])[l] || ' ' || (ARRAY['small', 'medium', 'large', 'special'])[s],
       plant.mix(s * 10 + l, 1) % 16777216,
       60 * l + 15 * s,
       CASE l WHEN 1 THEN '[0,24)' WHEN 2 THEN '[6,22)' ELSE '[6,14)' END::int4range
  FROM generate_series(1, 4) AS s, generate_series(1, 3) AS l
 ORDER BY s, l;

-- Ten machines a line, numbers 1 to 120: the first and the sixth are cells, the others their parts.
INSERT INTO api.machines (line_id, parent_id, name, kind, status, tags, specs, notes, installed,
                          next_service)
SELECT (m - 1) / 10 + 1,
       CASE WHEN k <> 0 THEN m - k END,
       initcap(kind) || ' ' || to_char(m, 'FM000'),
       kind::api.machine_kind,
       (CASE WHEN m % 40 = 0 THEN 'retired' WHEN h % 11 = 0 THEN 'maintenance'
             WHEN h % 5 = 0 THEN 'idle' ELSE 'running' END)::api.machine_status,
       CASE WHEN k = 0 THEN '{fenced}'::text[]
            ELSE ARRAY[(ARRAY['electric', 'hydraulic', 'pneumatic'])[h % 3 + 1]]
                 || CASE WHEN h % 4 = 0 THEN '{critical}'::text[] ELSE '{}' END
                 || CASE WHEN h % 7 = 0 THEN '{leased}'::text[] ELSE '{}' END END,
       CASE WHEN k = 0 THEN jsonb_build_object('weight_kg', 250 + m)
            ELSE jsonb_build_object(
                   'weight_kg', 400 + h % 3600,
                   'motor', jsonb_build_object('kw', 5 + h % 40, 'rpm', 900 + h % 7 * 300),
                   'firmware', '2.' || h % 5 || '.' || h % 10) END,
       CASE WHEN k = 0 THEN 'Safety fence inspected every spring.'
            ELSE (ARRAY['Lubricate the main bearing weekly.', 'Runs hot when the filter is dirty.',
                        'Belt replaced, noise gone since then.', 'Needs calibration after power loss.',
                        'Operators report vibrations at high speed.'])[h % 5 + 1] END,
       date '2010-01-04' + (h % 5000)::integer,
       CASE WHEN k <> 0 AND m % 40 <> 0 THEN date '2025-07-01' + (h % 180)::integer END
  FROM (SELECT m, (m - 1) % 5 AS k, plant.mix(m, 2) AS h,
               CASE WHEN (m - 1) % 5 = 0 THEN 'cell'
                    ELSE (ARRAY['press', 'robot', 'oven', 'conveyor', 'packer'])
                         [(m + m / 10) % 5 + 1] END AS kind
          FROM generate_series(1, 120) AS m) AS numbered
 ORDER BY m;

INSERT INTO api.nameplates (machine_id, serial, manufacturer, built, voltage)
SELECT id, 'SN-' || to_char(plant.mix(id, 3) % 1000000, 'FM000000') || '-' || id,
       (ARRAY['Hartmann', 'Okada', 'Lefort', 'Brandt & Sons'])[id % 4 + 1],
       extract(year FROM installed) - id % 3,
       CASE WHEN tags && '{electric,hydraulic}' THEN 400 END
  FROM api.machines WHERE kind <> 'cell' ORDER BY id;

INSERT INTO api.sensors (machine_id, kind, unit, normal_range, calibrated)
SELECT m.id, k.kind::api.sensor_kind, k.unit, numrange(k.mid - k.amp * 1.5, k.mid + k.amp * 1.5, '[]'),
       CASE WHEN plant.mix(m.id, k.n) % 6 <> 0
            THEN date '2024-01-08' + (plant.mix(m.id, k.n + 10) % 480)::integer END
  FROM api.machines AS m,
       (VALUES (1, 'temperature', 'degC', 60.00, 16.00), (2, 'pressure', 'bar',  6.00, 1.20),
               (3, 'vibration',   'mm/s',  2.80,  1.20), (4, 'power',    'kW',  22.00, 8.00))
       AS k (n, kind, unit, mid, amp)
 WHERE m.kind <> 'cell'
 ORDER BY m.id, k.n;

\echo '    60 operators, 240 certifications, 2000 work orders, 3000 alarms'

INSERT INTO api.operators (site_id, name, surname, email, shift, skills, active)
SELECT (n - 1) % 4 + 1, first, last,
       translate(lower(first || '.' || last), 'é', 'e') || n || '@plant.example',
       (ARRAY['early', 'late', 'night'])[n % 3 + 1]::api.shift,
       CASE n % 4 WHEN 0 THEN '{welding,robotics}' WHEN 1 THEN '{electrics}'
                  WHEN 2 THEN '{hydraulics,electrics}' ELSE '{}' END::text[],
       n % 15 <> 0
  FROM (SELECT n, (ARRAY['Ada', 'Bruno', 'Chloé', 'Dmitri', 'Elif', 'Farid', 'Greta', 'Hugo', 'Ines',
                         'Jonas'])[n % 10 + 1] AS first,
               (ARRAY['Keller', 'Moreau', 'Nagy', 'Okafor', 'Price', 'Quinn', 'Rossi'])[n % 7 + 1] AS last
          FROM generate_series(1, 60) AS n) AS people
 ORDER BY n;

INSERT INTO api.contracts (operator_id, since, hourly_rate)
SELECT id, date '2008-02-01' + (plant.mix(id, 4) % 6000)::integer, 19 + plant.mix(id, 5) % 1600 * 0.01
  FROM api.operators ORDER BY id;

-- Four machines for each operator, all on the operator's site (site s has machines 30s-29 to 30s).
INSERT INTO api.certifications (operator_id, machine_id, level, valid)
SELECT o.id, (o.site_id - 1) * 30 + (o.id * 5 + c * 7) % 30 + 1, (o.id + c) % 3 + 1,
       daterange(date '2024-01-01' + (o.id + c * 31), date '2026-01-01' + (o.id * 3 + c * 31))
  FROM api.operators AS o, generate_series(0, 3) AS c
 ORDER BY 1, 2;

INSERT INTO api.work_orders (machine_id, requested_by, assigned_to, title, priority, status, planned,
                             estimate, cost, checklist, created_at, closed_at)
SELECT machine, asker, doer,
       (ARRAY['Replace the filter', 'Check the bearing', 'Calibrate the sensors', 'Tighten the belt',
              'Update the firmware', 'Clean the cabinet', 'Find the leak', 'Yearly inspection'])
       [h % 8 + 1],
       (ARRAY['normal', 'low', 'normal', 'high', 'normal', 'urgent'])[h / 8 % 6 + 1]::api.priority,
       status::api.work_status,
       CASE WHEN doer IS NOT NULL
            THEN tstzrange(created + interval '1 day', created + interval '1 day' + span) END,
       span, CASE WHEN status = 'open' THEN 0 ELSE (h % 90000) * 0.01 END,
       jsonb_build_array(
         jsonb_build_object('step', 'lock out', 'done', status <> 'open'),
         jsonb_build_object('step', 'work', 'done', status = 'done'),
         jsonb_build_object('step', 'release', 'done', status = 'done')),
       created, CASE WHEN status IN ('done', 'cancelled') THEN created + interval '1 day' + span END
  FROM (SELECT w, h, h % 120 + 1 AS machine,
               (h % 120) / 30 + 1 + w % 15 * 4 AS asker,
               CASE WHEN w % 9 <> 0 THEN (h % 120) / 30 + 1 + h / 120 % 15 * 4 END AS doer,
               CASE WHEN w <= 1500 THEN CASE WHEN h % 12 = 0 THEN 'cancelled' ELSE 'done' END
                    WHEN w % 9 = 0 OR w % 3 = 0 THEN 'open' ELSE 'in_progress' END AS status,
               timestamptz '2025-01-01 06:00Z' + w * interval '126 minutes' AS created,
               (h % 6 + 1) * interval '30 minutes' AS span
          FROM (SELECT w, plant.mix(w, 6) AS h FROM generate_series(1, 2000) AS w) AS hashed) AS orders
 ORDER BY w;

INSERT INTO api.alarms (raised_at, machine_id, severity, message, acknowledged)
SELECT timestamptz '2025-06-01 00:07Z' + a * interval '29 minutes',
       h % 96 / 4 * 5 + h % 4 + 2,
       (ARRAY[1, 1, 1, 2, 2, 2, 3, 3, 4, 5])[h / 96 % 10 + 1],
       (ARRAY['temperature high', 'pressure low', 'door open', 'emergency stop', 'jam'])[h / 960 % 5 + 1],
       a <= 2900
  FROM (SELECT a, plant.mix(a, 7) AS h FROM generate_series(1, 3000) AS a) AS hashed
 ORDER BY a;

-- Readings from..upto-1. Number n is sensor n % 384 + 1 at quarter of an hour n / 384. The value is a
-- daily triangle wave with noise; one in a thousand jumps out of the normal range, one in two thousand is
-- a dead sensor. All in hundredths, in integers: floating point may round differently elsewhere.
CREATE FUNCTION plant.sample_readings(first bigint, upto bigint)
RETURNS TABLE (taken_at timestamptz, sensor_id integer, quality api.reading_quality, value numeric)
LANGUAGE sql STABLE AS $$
  SELECT timestamptz '2025-06-01 00:00Z' + slot * interval '15 minutes', sensor + 1,
         (CASE WHEN dead THEN 'bad' WHEN spike THEN 'suspect' ELSE 'good' END)::api.reading_quality,
         CASE WHEN dead THEN 0
              ELSE (mid + amp * (abs((slot + sensor * 7) % 96 - 48) - 24) / 24
                    + amp * (h % 101 - 50) / 250 + CASE WHEN spike THEN amp * 3 ELSE 0 END) * 0.01 END
    FROM (SELECT slot, sensor, h, h % 1009 = 0 AS spike, h % 2003 = 0 AS dead,
                 (ARRAY[6000, 600, 280, 2200])[sensor % 4 + 1] AS mid,
                 (ARRAY[1600, 120, 120, 800])[sensor % 4 + 1] AS amp
            FROM (SELECT n / 384 AS slot, (n % 384)::integer AS sensor,
                         (n + 1) * 48271 % 2147483647 * 16807 % 2147483647 AS h
                    FROM generate_series(first, upto - 1) AS n) AS numbered) AS shaped
$$;

-- Ten batches, so that the one long step shows how far it is.
SELECT format('INSERT INTO api.readings (taken_at, sensor_id, quality, value)
               SELECT * FROM plant.sample_readings(%s, %s)', total * b / 10, total * (b + 1) / 10),
       format('SELECT %L', format('    readings: %s of %s', total * (b + 1) / 10, total))
  FROM (SELECT :readings::bigint AS total) AS wanted, generate_series(0, 9) AS b
 ORDER BY b
\gexec

\echo '    keys and indexes'

ALTER TABLE api.readings ADD PRIMARY KEY (sensor_id, taken_at);
ALTER TABLE api.readings ADD FOREIGN KEY (sensor_id) REFERENCES api.sensors;
CREATE INDEX readings_quality_idx ON api.readings (taken_at) WHERE quality <> 'good';

\echo '    views, functions, rights'

-- ---------------------------------------------------------------------------------------------
-- Views. With security_invoker (PostgreSQL 15 and later) the asking role's rights and policies hold;
-- before that a view is read with its owner's rights, so those on protected tables are for managers.
-- ---------------------------------------------------------------------------------------------

SELECT CASE WHEN current_setting('server_version_num')::integer >= 150000
            THEN 'WITH (security_invoker = true)' ELSE '' END AS invoker
\gset

CREATE VIEW api.active_machines :invoker AS
SELECT id, line_id, parent_id, name, kind, status, tags, next_service
  FROM api.machines
 WHERE status <> 'retired'
  WITH CHECK OPTION;
COMMENT ON VIEW api.active_machines IS 'Machines in use

All machines but the retired ones. The view can be written to.';
COMMENT ON COLUMN api.active_machines.id IS 'Number of the machine';
COMMENT ON COLUMN api.active_machines.line_id IS 'Line to which the machine belongs';
COMMENT ON COLUMN api.active_machines.parent_id IS 'Cell of which the machine is a part';
COMMENT ON COLUMN api.active_machines.name IS 'Unique name';
COMMENT ON COLUMN api.active_machines.kind IS 'What the machine is';
COMMENT ON COLUMN api.active_machines.status IS 'Present state, never retired';
COMMENT ON COLUMN api.active_machines.tags IS 'Free keywords';
COMMENT ON COLUMN api.active_machines.next_service IS 'Day of the next planned service';

CREATE VIEW api.machine_directory :invoker AS
SELECT m.id, m.name, m.kind, m.status, l.id AS line_id, l.name AS line, s.id AS site_id, s.name AS site,
       p.manufacturer, p.built
  FROM api.machines AS m
  JOIN api.lines AS l ON l.id = m.line_id
  JOIN api.sites AS s ON s.id = l.site_id
  LEFT JOIN api.nameplates AS p ON p.machine_id = m.id;
COMMENT ON VIEW api.machine_directory IS 'Machine directory

Machines with the names of their line and site and what the nameplate says.';
COMMENT ON COLUMN api.machine_directory.id IS 'Number of the machine';
COMMENT ON COLUMN api.machine_directory.name IS 'Unique name';
COMMENT ON COLUMN api.machine_directory.kind IS 'What the machine is';
COMMENT ON COLUMN api.machine_directory.status IS 'Present state';
COMMENT ON COLUMN api.machine_directory.line_id IS 'Number of the line';
COMMENT ON COLUMN api.machine_directory.line IS 'Name of the line';
COMMENT ON COLUMN api.machine_directory.site_id IS 'Number of the site';
COMMENT ON COLUMN api.machine_directory.site IS 'Name of the site';
COMMENT ON COLUMN api.machine_directory.manufacturer IS 'Maker of the machine';
COMMENT ON COLUMN api.machine_directory.built IS 'Year of construction';

CREATE VIEW reports.line_summary :invoker AS
SELECT l.id AS line_id, s.code AS site, l.name AS line, count(*) AS machines,
       count(*) FILTER (WHERE m.status = 'running') AS running,
       count(*) FILTER (WHERE m.status = 'maintenance') AS in_maintenance,
       min(m.next_service) AS next_service
  FROM api.lines AS l
  JOIN api.sites AS s ON s.id = l.site_id
  JOIN api.machines AS m ON m.line_id = l.id
 GROUP BY l.id, s.code, l.name;
COMMENT ON VIEW reports.line_summary IS 'Lines in figures

How many machines each line has and how many of them run.';
COMMENT ON COLUMN reports.line_summary.line_id IS 'Number of the line';
COMMENT ON COLUMN reports.line_summary.site IS 'Code of the site';
COMMENT ON COLUMN reports.line_summary.line IS 'Name of the line';
COMMENT ON COLUMN reports.line_summary.machines IS 'Machines of the line, cells included';
COMMENT ON COLUMN reports.line_summary.running IS 'Those that run';
COMMENT ON COLUMN reports.line_summary.in_maintenance IS 'Those under maintenance';
COMMENT ON COLUMN reports.line_summary.next_service IS 'Day of the next planned service';

CREATE VIEW reports.daily_readings :invoker AS
SELECT sensor_id, (taken_at AT TIME ZONE 'UTC')::date AS day, count(*) AS readings,
       min(value) AS lowest, max(value) AS highest, round(avg(value), 2) AS mean,
       count(*) FILTER (WHERE quality <> 'good') AS doubtful
  FROM api.readings
 GROUP BY sensor_id, (taken_at AT TIME ZONE 'UTC')::date;
COMMENT ON VIEW reports.daily_readings IS 'Readings by day

Lowest, highest and mean value of each sensor and day.';
COMMENT ON COLUMN reports.daily_readings.sensor_id IS 'Sensor that measured';
COMMENT ON COLUMN reports.daily_readings.day IS 'Day in UTC';
COMMENT ON COLUMN reports.daily_readings.readings IS 'Number of readings';
COMMENT ON COLUMN reports.daily_readings.lowest IS 'Lowest value';
COMMENT ON COLUMN reports.daily_readings.highest IS 'Highest value';
COMMENT ON COLUMN reports.daily_readings.mean IS 'Mean value';
COMMENT ON COLUMN reports.daily_readings.doubtful IS 'Readings that are not good';

CREATE MATERIALIZED VIEW reports.alarm_totals AS
SELECT machine_id, severity, count(*) AS alarms, max(raised_at) AS latest
  FROM api.alarms GROUP BY machine_id, severity;
CREATE UNIQUE INDEX ON reports.alarm_totals (machine_id, severity);
COMMENT ON MATERIALIZED VIEW reports.alarm_totals IS 'Alarms by machine and severity

As of the last REFRESH MATERIALIZED VIEW.';
COMMENT ON COLUMN reports.alarm_totals.machine_id IS 'Machine that raised the alarms';
COMMENT ON COLUMN reports.alarm_totals.severity IS '1 notice to 5 stop';
COMMENT ON COLUMN reports.alarm_totals.alarms IS 'Number of alarms';
COMMENT ON COLUMN reports.alarm_totals.latest IS 'When the last of them was raised';

CREATE VIEW reports.maintenance_cost :invoker AS
SELECT m.line_id, w.priority, count(*) AS orders, sum(w.cost) AS cost, sum(w.estimate) AS planned_time
  FROM api.work_orders AS w
  JOIN api.machines AS m ON m.id = w.machine_id
 GROUP BY m.line_id, w.priority;
COMMENT ON VIEW reports.maintenance_cost IS 'Cost of maintenance

Orders, material and planned time by line and priority.';
COMMENT ON COLUMN reports.maintenance_cost.line_id IS 'Line of the machines';
COMMENT ON COLUMN reports.maintenance_cost.priority IS 'Urgency of the orders';
COMMENT ON COLUMN reports.maintenance_cost.orders IS 'Number of orders';
COMMENT ON COLUMN reports.maintenance_cost.cost IS 'Cost of material, in euro';
COMMENT ON COLUMN reports.maintenance_cost.planned_time IS 'Expected duration of all orders';

-- ---------------------------------------------------------------------------------------------
-- Functions
-- ---------------------------------------------------------------------------------------------

-- Computed fields: functions of a row, selected like columns.
CREATE FUNCTION api.full_name(api.operators) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT $1.name || ' ' || $1.surname $$;
COMMENT ON FUNCTION api.full_name(api.operators) IS 'First and family name of an operator; a computed field';

CREATE FUNCTION api.sensor_count(api.machines) RETURNS bigint
LANGUAGE sql STABLE AS $$ SELECT count(*) FROM api.sensors WHERE machine_id = $1.id $$;
COMMENT ON FUNCTION api.sensor_count(api.machines) IS 'Number of sensors on a machine; a computed field';

-- Computed relationships: functions from a row to rows of another table, embedded like foreign keys.
CREATE FUNCTION api.latest_reading(api.sensors) RETURNS SETOF api.readings ROWS 1
LANGUAGE sql STABLE AS $$
  SELECT * FROM api.readings WHERE sensor_id = $1.id ORDER BY taken_at DESC LIMIT 1
$$;
COMMENT ON FUNCTION api.latest_reading(api.sensors) IS
'Newest reading of a sensor; a computed relationship to one row';

CREATE FUNCTION api.pending_orders(api.machines) RETURNS SETOF api.work_orders
LANGUAGE sql STABLE AS $$
  SELECT * FROM api.work_orders WHERE machine_id = $1.id AND status IN ('open', 'in_progress')
$$;
COMMENT ON FUNCTION api.pending_orders(api.machines) IS
'Work orders of a machine that are not finished; a computed relationship to many rows';

-- Scalar, with a default.
CREATE FUNCTION api.fahrenheit(celsius numeric, digits integer DEFAULT 1) RETURNS numeric
LANGUAGE sql IMMUTABLE AS $$ SELECT round(celsius * 1.8 + 32, digits) $$;
COMMENT ON FUNCTION api.fahrenheit(numeric, integer) IS 'Degrees Celsius in Fahrenheit';

-- Rows of a table: can be filtered, ordered and embedded like the table.
CREATE FUNCTION api.service_due(before date DEFAULT '2025-10-01', kind api.machine_kind DEFAULT NULL)
RETURNS SETOF api.machines
LANGUAGE sql STABLE AS $$
  SELECT * FROM api.machines AS m
   WHERE m.next_service < service_due.before AND (service_due.kind IS NULL OR m.kind = service_due.kind)
$$;
COMMENT ON FUNCTION api.service_due(date, api.machine_kind) IS
'Machines to be serviced

Machines whose next service is planned before a day, of one kind or of all.';

-- Rows of its own shape.
CREATE FUNCTION api.sensor_statistics(sensor_id integer, since timestamptz DEFAULT '2025-06-01Z',
                                      until timestamptz DEFAULT 'infinity')
RETURNS TABLE (quality api.reading_quality, readings bigint, lowest numeric, highest numeric, mean numeric)
LANGUAGE sql STABLE AS $$
  SELECT r.quality, count(*), min(r.value), max(r.value), round(avg(r.value), 2)
    FROM api.readings AS r
   WHERE r.sensor_id = sensor_statistics.sensor_id AND r.taken_at >= since AND r.taken_at < until
   GROUP BY r.quality ORDER BY r.quality
$$;
COMMENT ON FUNCTION api.sensor_statistics(integer, timestamptz, timestamptz) IS
'Statistics of a sensor

Number, lowest, highest and mean value of the readings by quality, in a period.';

-- Any number of arguments.
CREATE FUNCTION api.total_weight(VARIADIC machine_ids integer[]) RETURNS numeric
LANGUAGE sql STABLE AS $$
  SELECT coalesce(sum((specs ->> 'weight_kg')::numeric), 0) FROM api.machines WHERE id = ANY (machine_ids)
$$;
COMMENT ON FUNCTION api.total_weight(integer[]) IS 'Weight of some machines together, in kg';

-- What the database knows about the request.
CREATE FUNCTION api.whoami() RETURNS jsonb
LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object('role', current_user,
           'claims', nullif(current_setting('request.jwt.claims', true), '')::jsonb)
$$;
COMMENT ON FUNCTION api.whoami() IS 'Role and token claims of the request';

-- A writer that returns the new row; raises errors with HTTP statuses of its own choice.
CREATE FUNCTION api.open_work_order(machine_id integer, title text, priority api.priority DEFAULT 'normal')
RETURNS api.work_orders
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  machine api.machines;
  created api.work_orders;
BEGIN
  SELECT * INTO machine FROM api.machines AS m WHERE m.id = open_work_order.machine_id;
  IF NOT FOUND THEN
    RAISE SQLSTATE 'PT404' USING MESSAGE = format('no machine has the number %s', machine_id);
  ELSIF machine.status = 'retired' THEN
    RAISE SQLSTATE 'PT409' USING
      MESSAGE = format('%s is retired', machine.name),
      DETAIL = 'Nobody works on retired machines.',
      HINT = 'Choose another machine of the line.';
  END IF;
  INSERT INTO api.work_orders (machine_id, requested_by, title, priority)
  VALUES (machine.id, plant.current_operator(), open_work_order.title, open_work_order.priority)
  RETURNING * INTO created;
  RETURN created;
END
$$;
COMMENT ON FUNCTION api.open_work_order(integer, text, api.priority) IS
'Open a work order

Writes an order for a machine in the name of the asking operator and returns it.';

-- Returns nothing: 204.
CREATE FUNCTION api.acknowledge_alarm(alarm_id bigint) RETURNS void
LANGUAGE sql VOLATILE AS $$ UPDATE api.alarms SET acknowledged = true WHERE id = alarm_id $$;
COMMENT ON FUNCTION api.acknowledge_alarm(bigint) IS 'Mark an alarm as seen';

-- The whole body as one argument without a name.
CREATE FUNCTION api.import_readings(jsonb) RETURNS integer
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  added integer;
BEGIN
  INSERT INTO api.readings (sensor_id, taken_at, value, quality)
  SELECT r.sensor_id, r.taken_at, r.value, coalesce(r.quality, 'good')
    FROM jsonb_to_recordset($1) AS r (sensor_id integer, taken_at timestamptz, value numeric,
                                      quality api.reading_quality)
      ON CONFLICT (sensor_id, taken_at) DO UPDATE SET value = excluded.value, quality = excluded.quality;
  GET DIAGNOSTICS added = ROW_COUNT;
  RETURN added;
END
$$;
COMMENT ON FUNCTION api.import_readings(jsonb) IS
'Import readings

Takes an array of readings as the body and returns how many were stored; known ones are replaced.';

CREATE FUNCTION api.checksum(bytea) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT encode(sha256($1), 'hex') $$;
COMMENT ON FUNCTION api.checksum(bytea) IS 'SHA-256 of the body, whatever it is';

-- Sets the status and a header of the response.
CREATE FUNCTION api.request_inspection(line_id integer) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM set_config('response.status', '202', true);
  PERFORM set_config('response.headers', json_build_array(
            json_build_object('Location', '/lines?id=eq.' || line_id),
            json_build_object('Retry-After', '120'))::text, true);
  RETURN jsonb_build_object('line_id', line_id, 'accepted', true);
END
$$;
COMMENT ON FUNCTION api.request_inspection(integer) IS
'Ask for an inspection of a line

Answers 202 with the headers Location and Retry-After.';

-- Media types of our own: a function whose result is one, and an aggregate that writes rows as one.
CREATE DOMAIN api."image/svg+xml" AS text;
CREATE DOMAIN api."text/calendar" AS text;
COMMENT ON DOMAIN api."image/svg+xml" IS 'A picture';
COMMENT ON DOMAIN api."text/calendar" IS 'Appointments in iCalendar format';

CREATE FUNCTION api.machine_sign(machine_id integer) RETURNS api."image/svg+xml"
LANGUAGE sql STABLE AS $$
  SELECT format('<svg xmlns="http://www.w3.org/2000/svg" width="260" height="60">'
                '<rect width="260" height="60" rx="8" fill="#%s"/>'
                '<text x="20" y="38" font-size="24" fill="white">%s</text></svg>',
                lpad(to_hex(l.color::integer), 6, '0'),
                replace(replace(m.name, '&', '&amp;'), '<', '&lt;'))
    FROM api.machines AS m JOIN api.lines AS l ON l.id = m.line_id
   WHERE m.id = machine_sign.machine_id
$$;
COMMENT ON FUNCTION api.machine_sign(integer) IS
'Sign for a machine, in the colour of its line; an SVG picture';

CREATE FUNCTION plant.calendar_add(state api."text/calendar", w api.work_orders)
RETURNS api."text/calendar"
LANGUAGE sql STABLE AS $$
  SELECT state || CASE WHEN w.planned IS NULL THEN '' ELSE format(
    E'BEGIN:VEVENT\r\nUID:work-order-%s@plant.example\r\nDTSTAMP:%s\r\nDTSTART:%s\r\nDTEND:%s\r\n'
    'SUMMARY:%s\r\nEND:VEVENT\r\n', w.id,
    to_char(w.created_at AT TIME ZONE 'UTC', 'YYYYMMDD"T"HH24MISS"Z"'),
    to_char(lower(w.planned) AT TIME ZONE 'UTC', 'YYYYMMDD"T"HH24MISS"Z"'),
    to_char(upper(w.planned) AT TIME ZONE 'UTC', 'YYYYMMDD"T"HH24MISS"Z"'),
    regexp_replace(w.title, '[[:cntrl:],;\\]', ' ', 'g')) END
$$;
CREATE FUNCTION plant.calendar_wrap(state api."text/calendar") RETURNS api."text/calendar"
LANGUAGE sql IMMUTABLE AS $$
  SELECT E'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//plant.example//work orders//EN\r\n'
         || state || E'END:VCALENDAR\r\n'
$$;
CREATE AGGREGATE api.calendar(api.work_orders) (
  SFUNC = plant.calendar_add, STYPE = api."text/calendar", INITCOND = '', FINALFUNC = plant.calendar_wrap
);
COMMENT ON AGGREGATE api.calendar(api.work_orders) IS 'Planned work orders as a calendar';

-- ---------------------------------------------------------------------------------------------
-- Rights
-- ---------------------------------------------------------------------------------------------

GRANT SELECT ON api.sites, api.lines, api.machines, api.nameplates, api.sensors, api.readings,
  api.active_machines, api.machine_directory, reports.line_summary, reports.daily_readings
  TO demo_anon, demo_operator, demo_manager;
GRANT SELECT ON api.operators, api.certifications, api.alarms, reports.alarm_totals
  TO demo_operator, demo_manager;
GRANT SELECT ON reports.maintenance_cost TO demo_manager;

GRANT EXECUTE ON FUNCTION api.sensor_count(api.machines), api.latest_reading(api.sensors),
  api.fahrenheit(numeric, integer), api.service_due(date, api.machine_kind),
  api.sensor_statistics(integer, timestamptz, timestamptz), api.total_weight(integer[]), api.whoami(),
  api.checksum(bytea), api.machine_sign(integer)
  TO demo_anon, demo_operator, demo_manager;
GRANT EXECUTE ON FUNCTION api.full_name(api.operators), api.pending_orders(api.machines),
  api.open_work_order(integer, text, api.priority), api.acknowledge_alarm(bigint),
  api.request_inspection(integer), api.calendar(api.work_orders),
  plant.calendar_add(api."text/calendar", api.work_orders), plant.calendar_wrap(api."text/calendar")
  TO demo_operator, demo_manager;
GRANT EXECUTE ON FUNCTION api.import_readings(jsonb) TO demo_manager;

GRANT SELECT, INSERT, UPDATE ON api.work_orders TO demo_operator;
GRANT UPDATE (acknowledged) ON api.alarms TO demo_operator;
GRANT UPDATE (status, notes) ON api.machines TO demo_operator;

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA api TO demo_manager;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA api TO demo_operator, demo_manager;

ALTER TABLE api.work_orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_orders ON api.work_orders FOR SELECT TO demo_operator
  USING ((SELECT plant.current_operator()) IN (requested_by, assigned_to));
CREATE POLICY ask_for_work ON api.work_orders FOR INSERT TO demo_operator
  WITH CHECK (requested_by = (SELECT plant.current_operator()));
CREATE POLICY do_the_work ON api.work_orders FOR UPDATE TO demo_operator
  USING (assigned_to = (SELECT plant.current_operator()));
CREATE POLICY all_orders ON api.work_orders TO demo_manager USING (true);
COMMENT ON POLICY own_orders ON api.work_orders IS 'Operators see what they asked for or have to do';
COMMENT ON POLICY ask_for_work ON api.work_orders IS 'Operators ask in their own name only';
COMMENT ON POLICY do_the_work ON api.work_orders IS 'Operators change what is assigned to them';
COMMENT ON POLICY all_orders ON api.work_orders IS 'Managers see and change everything';

-- The generator and the hash were needed for loading only.
DROP FUNCTION plant.sample_readings(bigint, bigint);
DROP FUNCTION plant.mix(bigint, integer);

-- What is created from now on, extensions above all, gets the usual rights again.
ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC;

\echo '    statistics'
VACUUM (ANALYZE) api.readings;
ANALYZE;
