#!/usr/bin/env python3
"""Benchmark of the read path on the demo data.

  bench.py [--seconds N] [--rounds N] [--executors N] [--readings N] [--connections N]
           [--only TEXT]

Makes a throw-away cluster, loads the demo database, serves it, and measures in interleaved rounds:

  here       wrk against the extension
  pgbench    the statement that the extension runs, with BEGIN, the settings, the statement and COMMIT in one
             pipeline, as prepared statements, over TCP as wrk: what a proxy without any cost of its own would need
  unix       the same over a unix socket
  json_agg   the first with the rows made into JSON by json_agg, as PostgREST's statement does
  postgrest  wrk against the binary that POSTGREST_BIN names, if it is set

It prints medians: requests/s, p50, p99 (of wrk), CPU time of the database server for each request (all its
processes; of postgrest its own too), and the ratio of requests/s to pgbench. Absolute numbers depend on the
machine and on what else it does; ratios within one run are what to look at.
"""

import argparse
import base64
import hashlib
import hmac
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
SCHEMA = os.path.join(HERE, "..", "demo", "schema.sql")
SECRET = "a-secret-of-the-benchmark-and-nothing-else"
# One row, always the same: a load generator that makes up keys takes time from the server.
KEY = 200


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def token(claims):
    def part(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")
    head = part(b'{"alg":"HS256","typ":"JWT"}') + b"." + part(json.dumps(claims).encode())
    return (head + b"." + part(hmac.new(SECRET.encode(), head, hashlib.sha256).digest())).decode()


class Cluster:
    def __init__(self, executors):
        pg_config = os.environ.get("PG_CONFIG", "pg_config")
        self.bin = subprocess.run([pg_config, "--bindir"], check=True, capture_output=True, text=True).stdout.strip()
        self.dir = tempfile.mkdtemp(prefix="postgrest_ext-bench-")
        os.chmod(self.dir, 0o755)
        self.data = os.path.join(self.dir, "data")
        self.as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self.as_user:
            shutil.chown(self.dir, "postgres")
        self.port, self.http = free_port(), free_port()
        self.executors = executors

    def run(self, *cmd, **kw):
        p = subprocess.run([*self.as_user, *cmd], cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kw)
        if p.returncode:
            sys.exit("%s failed:\n%s" % (" ".join(cmd), p.stdout[-3000:]))
        return p.stdout

    def start(self, readings):
        self.run(self.bin + "/initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8",
                 "--no-locale")
        conf = """
listen_addresses = '127.0.0.1'
unix_socket_directories = '%s'
port = %d
fsync = off
shared_buffers = '512MB'
max_connections = 100
autovacuum = off
shared_preload_libraries = 'postgrest_ext'
pgrst.databases = 'demo'
pgrst.db_authenticator = 'demo_authenticator'
pgrst.db_schemas = 'api'
pgrst.db_anon_role = 'demo_anon'
pgrst.db_pool = %d
pgrst.db_pool_max_idletime = 3600
pgrst.jwt_secret = '%s'
pgrst.server_host = '127.0.0.1'
pgrst.server_port = %d
""" % (self.dir, self.port, self.executors, SECRET, self.http)
        self.run("tee", "-a", os.path.join(self.data, "postgresql.conf"), input=conf)
        self.run(self.bin + "/pg_ctl", "-D", self.data, "-l", os.path.join(self.dir, "log"), "-w", "start")
        self.psql("postgres", "-c", "create database demo")
        with open(SCHEMA, encoding="utf-8") as fh:
            self.psql("demo", "-q", "-v", "ON_ERROR_STOP=1", "-v", "readings=%d" % readings, "-f", "-", input=fh.read())
        # pgbench prepares before it takes the role, so its own role must see the tables
        self.psql("demo", "-c", "create role bench login in role demo_anon, demo_manager")
        self.psql("demo", "-c", "vacuum analyze", "-c", "create extension postgrest_ext")

    def psql(self, database, *args, **kw):
        return self.run("psql", "-X", "-h", self.dir, "-p", str(self.port), "-U", "postgres", "-d", database, *args, **kw)

    def wait_for_http(self):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(self.url("/sensors?limit=1")) as r:
                    return r.read()
            except OSError:
                time.sleep(0.2)
        sys.exit("the server does not answer; see " + self.dir)

    def url(self, path):
        return "http://127.0.0.1:%d%s" % (self.http, path)

    def server_cpu(self):
        """seconds of CPU that the server's processes have used, ended children included"""
        with open(os.path.join(self.data, "postmaster.pid")) as fh:
            postmaster = int(fh.readline())
        total = 0
        for pid in os.listdir("/proc"):
            if not pid.isdigit():
                continue
            try:
                with open("/proc/%s/stat" % pid) as fh:
                    fields = fh.read().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(pid) == postmaster:
                total += sum(map(int, fields[11:15]))
            elif int(fields[1]) == postmaster:
                total += int(fields[11]) + int(fields[12])
        return total / os.sysconf("SC_CLK_TCK")

    def stop(self):
        subprocess.run([*self.as_user, self.bin + "/pg_ctl", "-D", self.data, "-m", "fast", "-w", "stop"], cwd="/",
                       stdout=subprocess.DEVNULL)
        shutil.rmtree(self.dir, ignore_errors=True)


def process_cpu(pid):
    with open("/proc/%d/stat" % pid) as fh:
        fields = fh.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def milliseconds(text):
    number, unit = re.fullmatch(r"([0-9.]+)(us|ms|s|m)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[unit]


class Bench:
    def __init__(self, cluster, args):
        self.cluster, self.args = cluster, args
        self.postgrest = None
        self.start_postgrest()

    def start_postgrest(self):
        binary = os.environ.get("POSTGREST_BIN")
        if not binary:
            return
        self.postgrest_port = free_port()
        conf = os.path.join(self.cluster.dir, "postgrest.conf")
        with open(conf, "w", encoding="utf-8") as fh:
            fh.write('db-uri = "postgresql:///demo?host=%s&port=%d&user=demo_authenticator"\n'
                     'db-schemas = "api"\ndb-anon-role = "demo_anon"\njwt-secret = "%s"\nlog-level = "crit"\n'
                     'server-host = "127.0.0.1"\nserver-port = %d\n'
                     % (self.cluster.dir, self.cluster.port, SECRET, self.postgrest_port))
        self.postgrest = subprocess.Popen([binary, conf], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(3)

    def close(self):
        if self.postgrest:
            self.postgrest.send_signal(signal.SIGTERM)
            self.postgrest.wait()

    # One measurement: requests/s, p50 and p99 in ms (or None), CPU in us a request.
    def wrk(self, port, path, keyed, jwt, connections):
        script = os.path.join(self.cluster.dir, "wrk.lua")
        with open(script, "w", encoding="utf-8") as fh:
            if jwt:
                fh.write('wrk.headers["Authorization"] = "Bearer %s"\n' % jwt)
            fh.write('done = function(summary) io.write("ERRORS " .. summary.errors.status .. "\\n") end\n')
        before = self.cluster.server_cpu() + (process_cpu(self.postgrest.pid) if self.postgrest else 0)
        out = subprocess.run(["wrk", "-t1", "-c%d" % connections, "-d%ds" % self.args.seconds, "--latency", "-s", script,
                              "http://127.0.0.1:%d%s" % (port, path + str(KEY) if keyed else path)],
                             check=True, capture_output=True, text=True).stdout
        cpu = self.cluster.server_cpu() + (process_cpu(self.postgrest.pid) if self.postgrest else 0) - before
        if not re.search(r"ERRORS 0\b", out):
            sys.exit("wrk saw errors:\n" + out)
        requests = int(re.search(r"(\d+) requests in", out).group(1))
        return (float(re.search(r"Requests/sec:\s+([0-9.]+)", out).group(1)),
                milliseconds(re.search(r"(?m)^ +50% +(\S+)", out).group(1)), milliseconds(re.search(r"(?m)^ +99% +(\S+)", out).group(1)),
                1e6 * cpu / requests)

    def pgbench(self, statement, keyed, role, connections, host="127.0.0.1"):
        script = os.path.join(self.cluster.dir, "pgbench.sql")
        settings = ("select set_config('search_path', '\"api\", \"public\"', true), "
                    "set_config('request.jwt.claims', '{\"role\":\"%s\"}', true), set_config('role', '%s', true), "
                    "set_config('request.method', 'GET', true), set_config('request.path', '/sensors', true), "
                    "set_config('request.headers', '{\"host\":\"127.0.0.1\"}', true), "
                    "set_config('request.cookies', '{}', true)" % (role, role))
        with open(script, "w", encoding="utf-8") as fh:
            if keyed:
                fh.write("\\set id %d\n" % KEY)
            # pgbench before 16 cannot prepare inside a pipeline: the first run does it outside
            fh.write("\\if :prepared = 0\nselect 1;\n\\set prepared 1\n\\endif\n")
            fh.write("\\startpipeline\nbegin read only;\n%s;\n%s;\ncommit;\n\\endpipeline\n" % (settings, statement))
        before = self.cluster.server_cpu()
        out = self.cluster.run(self.cluster.bin + "/pgbench", "-n", "-M", "prepared", "-D", "prepared=0", "-c", str(connections), "-j", "1", "-T",
                               str(self.args.seconds), "-h", host, "-p", str(self.cluster.port), "-U",
                               "bench", "-f", script, "demo")
        cpu = self.cluster.server_cpu() - before
        requests = int(re.search(r"number of transactions actually processed: (\d+)", out).group(1))
        return (float(re.search(r"tps = ([0-9.]+)", out).group(1)), None, None, 1e6 * cpu / requests)

    def compare(self, title, path, statement, keyed=False, role="demo_anon", connections=None):
        if self.args.only not in title:
            return
        connections = connections or self.args.connections
        jwt = token({"role": role}) if role != "demo_anon" else None
        sql = statement + (" where id = :id" if keyed else "")
        contestants = {
            "here": lambda: self.wrk(self.cluster.http, path, keyed, jwt, connections),
            "pgbench": lambda: self.pgbench(sql, keyed, role, connections),
            "unix": lambda: self.pgbench(sql, keyed, role, connections, host=self.cluster.dir),
            "json_agg": lambda: self.pgbench("select json_agg(t) from (%s) t" % sql, keyed, role, connections),
        }
        if self.postgrest:
            contestants["postgrest"] = lambda: self.wrk(self.postgrest_port, path, keyed, jwt, connections)
        results = {name: [] for name in contestants}
        for _ in range(self.args.rounds):
            for name, measure in contestants.items():
                results[name].append(measure())
        print("\n%s, %d connections" % (title, connections))
        print("  %-10s %12s %9s %9s %12s %9s" % ("", "requests/s", "p50 ms", "p99 ms", "CPU us/req", "ratio"))
        base = statistics.median(r[0] for r in results["pgbench"])
        for name, rows in results.items():
            columns = [None if rows[0][i] is None else statistics.median(r[i] for r in rows) for i in range(4)]
            print("  %-10s %12.0f %9s %9s %12.1f %9.2f" % (
                name, columns[0], "" if columns[1] is None else "%.2f" % columns[1],
                "" if columns[2] is None else "%.2f" % columns[2], columns[3], columns[0] / base), flush=True)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--seconds", type=int, default=5, help="of one measurement")
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--executors", type=int, default=2)
    ap.add_argument("--connections", type=int, default=32)
    ap.add_argument("--readings", type=int, default=1000000)
    ap.add_argument("--only", default="", help="only the measurements with this text in their title")
    args = ap.parse_args()
    cluster = Cluster(args.executors)
    bench = None
    try:
        print("loading the demo data ...", flush=True)
        cluster.start(args.readings)
        cluster.wait_for_http()
        bench = Bench(cluster, args)
        sensors = "select * from api.sensors"
        bench.compare("one row by key, anonymous", "/sensors?id=eq.", sensors, keyed=True)
        bench.compare("one row by key, JWT", "/sensors?id=eq.", sensors, keyed=True, role="demo_manager")
        bench.compare("100 rows of six columns, anonymous", "/sensors?limit=100", sensors + " limit 100")
        bench.compare("100 rows of six columns, JWT", "/sensors?limit=100", sensors + " limit 100", role="demo_manager")
        bench.compare("10,000 rows of four columns, anonymous", "/readings?limit=10000",
                      "select * from api.readings limit 10000", connections=1)
    finally:
        if bench:
            bench.close()
        cluster.stop()


if __name__ == "__main__":
    main()
