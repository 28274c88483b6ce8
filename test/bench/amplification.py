#!/usr/bin/env python3
"""What one request can cost: CPU and memory of gateway and executor for each byte that a client sends.

  amplification.py [--url-bytes N] [--body-bytes N] [--only TEXT] [--top N]

Makes a throw-away cluster with a few hundred relations, serves it with one executor, and sends requests of every kind that
are as costly as their size allows: each method, media type, kind of body, kind of error, CORS, OpenAPI documents, tokens.
Every request meets a new gateway and a new executor, so that nothing of an earlier one is counted.

A table for each of the two questions, the worst first:

  CPU      microseconds for each kB that was sent, of the gateway, which serves everybody, and of the executor
  memory   bytes for each byte that was sent: by how much the memory of the process had grown at its highest, less what
           the smallest request takes

`waits` is the longest that another client had to wait for the admin server's /live, which the gateway answers, too, while
the request was sent once more. It depends on what else the machine does.
"""

import argparse
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time

from bench import SECRET, Cluster, free_port, token

HERE = os.path.dirname(os.path.abspath(__file__))
SQL = """
create role authenticator login noinherit;
create role anon;
create role editor;
grant anon, editor to authenticator;
alter role anon set statement_timeout = '10s';
create schema api;
grant usage on schema api to anon, editor;
alter default privileges in schema api grant all on tables to anon, editor;
create table api.parent (id int primary key, name text, data jsonb);
create table api.child (id int primary key, parent_id int references api.parent, name text, tags text[]);
create table api.long_names (%(long_columns)s);
insert into api.parent select i, 'parent ' || i, '{"a": {"b": [1, 2]}}' from generate_series(1, 20) i;
insert into api.child select i, 1 + i %% 20, 'child ' || i, '{a,b}' from generate_series(1, 200) i;
create table api.hub (id int primary key);
do $$ begin
  execute 'create table api.wide (' || (select string_agg('c' || i || ' int', ', ') from generate_series(1, 1000) i) || ')';
end $$;
do $$ begin
  for i in 1..450 loop
    execute format('create table api.relation_number_%%s_of_the_plant (id int primary key, hub_id int references api.hub)', i);
  end loop;
end $$;
create function api.f(a int, b text default '') returns int language sql stable as 'select a';
create function api.many(variadic v text[]) returns int language sql stable as 'select cardinality(v)';
create function api.body(json) returns int language sql as 'select 1';
create function api.text_body(text) returns int language sql as 'select length($1)';
create function api.bytes(bytea) returns int language sql as 'select length($1)';
create function api.shout(t text) returns int language plpgsql as $$ begin raise exception '%%', t using detail = t, hint = t; end $$;
do $$ begin
  for i in 1..20 loop
    execute format('create function api.overloaded(%%s) returns int language sql stable as ''select 1''',
                   (select string_agg('parameter_' || chr(96 + j) || '_' || i || ' int', ', ') from generate_series(1, i) j));
  end loop;
end $$;
create extension postgrest_ext;
""" % {"long_columns": ", ".join('"%s" text' % (c * 63) for c in "abcd")}

CONF = """
listen_addresses = '127.0.0.1'
unix_socket_directories = '%s'
port = %d
fsync = off
max_connections = 50
autovacuum = off
shared_preload_libraries = 'postgrest_ext'
pgrst.databases = 'costs'
pgrst.db_authenticator = 'authenticator'
pgrst.db_schemas = 'api'
pgrst.db_anon_role = 'anon'
pgrst.db_pool = 1
pgrst.db_pool_max_idletime = 3600
pgrst.db_max_rows = 1000
pgrst.db_aggregates_enabled = on
pgrst.db_plan_enabled = on
pgrst.jwt_secret = '%s'
pgrst.server_host = '127.0.0.1'
pgrst.server_port = %d
pgrst.admin_server_port = %d
"""

# What the smallest request may take of memory, in bytes, before it counts.
FIXED = 512 * 1024


class Costs(Cluster):
    def __init__(self):
        super().__init__(1)
        self.admin = free_port()

    def start(self, *_):
        self.run(self.bin + "/initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--no-locale")
        self.run("tee", "-a", os.path.join(self.data, "postgresql.conf"),
                 input=CONF % (self.dir, self.port, SECRET, self.http, self.admin))
        self.run(self.bin + "/pg_ctl", "-D", self.data, "-l", os.path.join(self.dir, "log"), "-w", "start")
        self.psql("postgres", "-c", "create database costs")
        self.psql("costs", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-", input=SQL)

    def pids(self, kind):
        out = self.psql("costs", "-qAtc", "select pid from pg_stat_activity where backend_type = 'postgrest %s' "
                        "and datname = 'costs'" % kind)
        return [int(pid) for pid in out.split()]

    def is_served(self):
        try:
            return send(self.http, "GET", "/parent?limit=1", {}, b"")[0] == 200
        except OSError:
            return False

    def renew(self):
        """a new gateway and a new executor; their pids"""
        old = self.pids("gateway") + self.pids("executor")
        for pid in old:
            self.psql("costs", "-qAtc", "select pg_terminate_backend(%d)" % pid)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            pids = self.pids("gateway") + self.pids("executor")
            if len(pids) == 2 and not set(pids) & set(old) and self.is_served():
                return pids
            if not set(pids) & set(old):
                self.is_served()
            time.sleep(0.1)
        sys.exit("the server does not come back; see " + self.dir)


class Process:
    def __init__(self, pid):
        self.pid = pid
        # Counts the highest memory from now on.
        with open("/proc/%d/clear_refs" % pid, "w") as fh:
            fh.write("5")
        self.cpu_before, self.memory_before = self.cpu(), self.memory("VmRSS")

    def cpu(self):
        with open("/proc/%d/schedstat" % self.pid) as fh:
            return int(fh.read().split()[0])

    def memory(self, what):
        with open("/proc/%d/status" % self.pid) as fh:
            return next(int(line.split()[1]) * 1024 for line in fh if line.startswith(what + ":"))

    def used(self):
        """nanoseconds of CPU, and bytes that its memory has grown by at its highest"""
        return self.cpu() - self.cpu_before, max(0, self.memory("VmHWM") - self.memory_before)


def send(port, method, path, headers, body, answer_bytes=None):
    """(status, bytes sent, bytes of the answer's body); status 0: closed without an answer"""
    head = "%s %s HTTP/1.1\r\nHost: localhost\r\n" % (method, path)
    head += "".join("%s: %s\r\n" % header for header in headers.items())
    if body or method in ("POST", "PUT", "PATCH"):
        head += "Content-Length: %d\r\n" % len(body)
    request = (head + "Connection: close\r\n\r\n").encode() + body
    with socket.create_connection(("127.0.0.1", port), timeout=120) as s:
        try:
            s.sendall(request)
        except (BrokenPipeError, ConnectionResetError):
            pass  # answered before all was read
        answer = http.client.HTTPResponse(s, method=method)
        try:
            answer.begin()
            size = sum(len(piece) for piece in iter(lambda: answer.read(1 << 20), b""))
        except (http.client.HTTPException, ConnectionError):
            return 0, len(request), 0
    return answer.status, len(request), size


class Prober:
    """asks the gateway for something small, over and over, and remembers the longest wait"""

    def __init__(self, port):
        self.port, self.longest, self.over = port, 0, threading.Event()
        self.thread = threading.Thread(target=self.probe)
        self.thread.start()

    def probe(self):
        while not self.over.is_set():
            begun = time.monotonic()
            send(self.port, "GET", "/live", {}, b"")
            self.longest = max(self.longest, time.monotonic() - begun)

    def end(self):
        self.over.set()
        self.thread.join()
        return self.longest


def fill(size, piece, separator=""):
    """piece(0), piece(1), ... until there are `size` bytes"""
    out, length = [], 0
    while length < size:
        out.append(piece(len(out)))
        length += len(out[-1]) + len(separator)
    return separator.join(out)


def url_cases(n):
    """(title, method, path, headers)"""
    yield "the smallest", "GET", "/parent?limit=1", {}
    yield "a relation as text/csv", "GET", "/child", {"Accept": "text/csv"}
    yield "a relation as GeoJSON", "GET", "/child", {"Accept": "application/geo+json"}
    yield "a plan", "GET", "/child", {"Accept": "application/vnd.pgrst.plan+json; options=analyze|verbose|buffers"}
    yield "an unknown table", "GET", "/" + "x" * n, {}
    yield "an unknown table like others", "GET", "/relation_number_1_of_the_plan", {}
    yield "an unknown function", "GET", "/rpc/" + "x" * n, {}
    yield "an unknown column", "GET", "/parent?select=" + "x" * n, {}
    yield "an unknown embed", "GET", "/parent?select=" + "x" * n + "(*)", {}
    yield "an unknown embed of many", "GET", "/hub?select=relation_number_1_of_the_plan(*)", {}
    yield "an unknown hint", "GET", "/child?select=parent!" + "x" * n + "(*)", {}
    yield "no embedded resource", "GET", "/parent?" + "x" * (n // 2) + ".id=eq.1", {}
    yield "an unknown schema", "GET", "/parent", {"Accept-Profile": "x" * n}
    yield "a syntax error", "GET", "/parent?select=" + "x" * n + "(((", {}
    yield "an unknown method", "X" * 60, "/parent", {}
    yield "a long path", "GET", "/a" * (n // 2), {}
    yield "columns", "GET", "/parent?select=" + fill(n, lambda i: "id", ","), {}
    yield "columns of a wide relation", "GET", "/wide?select=" + fill(n, lambda i: "c%d" % (1 + i % 1000), ","), {}
    yield "columns with aliases and casts", "GET", "/parent?select=" + fill(n, lambda i: "a%d:id::text" % i, ","), {}
    yield "JSON paths", "GET", "/parent?select=" + fill(n, lambda i: "a%d:data->a->b->0" % i, ","), {}
    yield "one JSON path", "GET", "/parent?select=data" + fill(n, lambda i: "->a"), {}
    yield "aggregates", "GET", "/parent?select=" + fill(n, lambda i: "a%d:id.sum()" % i, ","), {}
    yield "embeds", "GET", "/parent?select=" + fill(n, lambda i: "a%d:child(id)" % i, ","), {}
    yield "100 embeds", "GET", "/parent?select=" + ",".join("a%d:child(*)" % i for i in range(100)), {}
    yield "100 embeds to one", "GET", "/child?select=" + ",".join("a%d:parent(*)" % i for i in range(100)), {}
    yield "100 inner embeds", "GET", "/child?select=" + ",".join("a%d:parent!inner(*)" % i for i in range(100)), {}
    yield "20 inner embeds", "GET", "/child?select=" + ",".join("a%d:parent!inner(*)" % i for i in range(20)), {}
    yield "a spread", "GET", "/child?select=...parent(" + fill(n, lambda i: "a%d:id" % i, ",") + ")", {}
    yield "an ordered spread", "GET", "/parent?select=...child(" + fill(n // 2, lambda i: "a%d:id" % i, ",") + ")&child.order=" + fill(
        n // 2, lambda i: "id", ","), {}
    yield "filters of embeds in each other", "GET", "/parent?select=*,child(*,parent(*))&" + fill(
        n // 3, lambda i: "child.parent.id=gt.0", "&") + "&or=(" + fill(n // 3, lambda i: "and(id.eq.1,child.not.is.null)", ",") + ")", {}
    yield "60 embeds in each other", "GET", "/child?select=" + "parent(child(" * 30 + "id" + "))" * 30 + "&limit=1&id=eq.1", {}
    yield "nested selects", "GET", "/parent?select=" + "child(" * (n // 7) + "id", {}
    yield "filters", "GET", "/parent?" + fill(n, lambda i: "id=gt.0", "&"), {}
    yield "filters of a wide relation", "GET", "/wide?" + fill(n, lambda i: "c%d=gt.0" % (1 + i % 1000), "&"), {}
    yield "filters with patterns", "GET", "/parent?" + fill(n, lambda i: "name=like.*%d*" % i, "&"), {}
    yield "full text filters", "GET", "/parent?" + fill(n, lambda i: "name=fts.a%d" % i, "&"), {}
    yield "filters of embeds", "GET", "/parent?select=*,child(*)&" + fill(n, lambda i: "child.id=gt.0", "&"), {}
    yield "embeds as filters", "GET", "/parent?select=*,child(*)&" + fill(n, lambda i: "child=not.is.null", "&"), {}
    yield "a list", "GET", "/parent?id=in.(" + fill(n, str, ",") + ")", {}
    yield "a list of texts", "GET", "/parent?name=in.(" + fill(n, lambda i: '"a"', ",") + ")", {}
    yield "any of many", "GET", "/parent?name=like(any).{" + fill(n, lambda i: "a*", ",") + "}", {}
    yield "a value", "GET", "/parent?name=eq." + "x" * n, {}
    yield "a value that is none", "GET", "/parent?id=eq." + "x" * n, {}
    yield "a value of escapes", "GET", "/parent?name=eq." + "%22" * (n // 3), {}
    yield "a pattern", "GET", "/parent?name=match." + "(a*)*" * (n // 5) + "b", {}
    yield "a logic tree", "GET", "/parent?or=(" + fill(n, lambda i: "id.eq.1", ",") + ")", {}
    yield "a tree of trees", "GET", "/parent?or=(" + fill(n, lambda i: "and(id.eq.1,id.eq.2)", ",") + ")", {}
    yield "a deep tree", "GET", "/parent?and=(" + "not.and(" * (n // 8) + "id.eq.1", {}
    yield "terms of order", "GET", "/parent?order=" + fill(n, lambda i: "id.desc.nullslast", ","), {}
    yield "terms of order of a wide relation", "GET", "/wide?order=" + fill(n, lambda i: "c%d" % (1 + i % 1000), ","), {}
    yield "terms of order by embeds", "GET", "/child?select=*,parent(*)&order=" + fill(n, lambda i: "parent(name)", ","), {}
    yield "limits of embeds", "GET", "/parent?select=*,child(*)&" + fill(n, lambda i: "child.limit=1", "&"), {}
    yield "parameters without values", "GET", "/parent?" + "&" * n, {}
    yield "arguments", "GET", "/rpc/f?" + fill(n, lambda i: "a%d=1" % i, "&"), {}
    yield "equal arguments", "GET", "/rpc/f?" + fill(n, lambda i: "a=1", "&"), {}
    yield "variadic arguments", "GET", "/rpc/many?" + fill(n, lambda i: "v=1", "&"), {}
    yield "arguments of overloads", "GET", "/rpc/overloaded?" + fill(400, lambda i: "parameter_%c_x=1" % (97 + i), "&"), {}
    yield "arguments of many overloads", "GET", "/rpc/overloaded?" + fill(n, lambda i: "parameter_%d=1" % i, "&"), {}
    yield "an error of the database", "GET", "/rpc/shout?t=" + "x" * n, {}
    yield "media types", "GET", "/parent", {"Accept": fill(n, lambda i: "a/b%d" % i, ",")}
    yield "media types with weights", "GET", "/parent", {"Accept": fill(n, lambda i: "a/b;q=0.%d" % i, ",")}
    yield "a media type", "GET", "/parent", {"Accept": "a/" + "b" * n}
    yield "a media type's parameters", "GET", "/parent", {"Accept": "a/b" + ";a=b" * (n // 4)}
    yield "plans of plans", "GET", "/parent", {"Accept": 'application/vnd.pgrst.plan; for="' * (n // 35)}
    yield "preferences", "GET", "/parent", {"Prefer": fill(n, lambda i: "a", ",")}
    yield "strict preferences", "GET", "/parent", {"Prefer": "handling=strict, " + fill(n, lambda i: "a", ",")}
    yield "a time zone", "GET", "/parent", {"Prefer": "timezone=" + "x" * n}
    yield "cookies", "GET", "/parent", {"Cookie": fill(n, lambda i: "a=b", "; ")}
    yield "headers", "GET", "/parent", {"X%d" % i: "y" for i in range(n // 10)}
    yield "a range", "GET", "/parent", {"Range": "1" * n + "-"}
    yield "many ranges", "GET", "/parent", {"Range": fill(n, lambda i: "0-1", ",")}
    yield "a range beyond the end", "GET", "/parent?offset=1000000", {"Prefer": "count=exact"}
    yield "one row that are many", "GET", "/child", {"Accept": "application/vnd.pgrst.object+json"}
    yield "a preflight", "OPTIONS", "/parent", {"Origin": "http://a", "Access-Control-Request-Method": "GET",
                                               "Access-Control-Request-Headers": fill(n, lambda i: "a%d" % i, ",")}
    yield "OPTIONS", "OPTIONS", "/" + "x" * n, {}
    yield "HEAD", "HEAD", "/child", {}
    yield "OpenAPI 2.0", "GET", "/", {}
    yield "OpenAPI 3.1", "GET", "/", {"Accept": "application/openapi+json;version=3.1"}
    yield "DELETE", "DELETE", "/child?" + fill(n, lambda i: "id=lt.0", "&"), {}
    yield "a token of nothing", "GET", "/parent", {"Authorization": "Bearer " + "x" * n}
    yield "a token of dots", "GET", "/parent", {"Authorization": "Bearer " + "." * n}
    yield "a forged token", "GET", "/parent", {"Authorization": "Bearer " + token({"role": "editor", "x": "y" * (n // 2)})[:-4] + "AAAA"}
    yield "a token", "GET", "/parent", {"Authorization": "Bearer " + token({"role": "editor", "x": "y" * (n // 2)})}
    yield "a token of many claims", "GET", "/parent", {"Authorization": "Bearer " + token(
        dict({"c%d" % i: i for i in range(n // 20)}, role="editor"))}
    yield "a token of lists", "GET", "/parent", {"Authorization": "Bearer " + token(
        {"role": "editor", "x": json.loads("[" * 400 + "]" * 400), "y": [0] * (n // 4)})}


def body_cases(n):
    """(title, method, path, media type, body)"""
    js, csv, form = "application/json", "text/csv", "application/x-www-form-urlencoded"
    names = "{" + fill(n, lambda i: '"%d":1' % i, ",") + "}"
    yield "JSON: names", "POST", "/parent", js, names
    yield "JSON: names for a function", "POST", "/rpc/f", js, names
    yield "JSON: names for an unknown function", "POST", "/rpc/unknown", js, names
    yield "JSON: names for a function of JSON", "POST", "/rpc/body", js, names
    yield "JSON: names for an unknown table", "POST", "/unknown", js, names
    yield "JSON: names for PATCH", "PATCH", "/parent?id=eq.0", js, names
    yield "JSON: names for PUT", "PUT", "/parent?id=eq.0", js, names
    yield "JSON: a name", "POST", "/parent", js, '{"%s":1}' % ("x" * n)
    yield "JSON: a name for a function", "POST", "/rpc/f", js, '{"%s":1}' % ("x" * n)
    yield "JSON: a name of escapes", "POST", "/rpc/f", js, '{"%s":1}' % ("\\u0001" * (n // 6))
    yield "JSON: objects in other orders", "POST", "/parent", js, "[" + fill(
        n, lambda i: '{"id":1,"name":2}' if i % 2 else '{"name":1,"id":2}', ",") + "]"
    yield "JSON: empty objects", "POST", "/parent", js, "[" + fill(n, lambda i: "{}", ",") + "]"
    yield "JSON: numbers", "POST", "/parent", js, "[" + fill(n, lambda i: "1", ",") + "]"
    yield "JSON: lists in lists", "POST", "/parent", js, "[" * n
    yield "JSON: blanks", "POST", "/parent", js, " " * n
    yield "JSON: rows", "POST", "/parent", js, "[" + fill(n, lambda i: '{"id":%d}' % (i + 100), ",") + "]"
    yield "JSON: rows of a wide relation", "POST", "/wide", js, "[" + fill(n, lambda i: '{"c1":1}', ",") + "]"
    yield "JSON: rows with columns=", "POST", "/wide?columns=" + fill(8000, lambda i: "c%d" % (1 + i), ","), js, "[" + fill(
        n, lambda i: "{}", ",") + "]"
    yield "JSON: rows with defaults", "POST", "/wide?columns=" + fill(3000, lambda i: "c%d" % (1 + i), ","), js, "[" + fill(
        n // 10, lambda i: "{}", ",") + "]"
    yield "JSON: rows that are returned", "POST", "/wide", js, "[" + fill(n // 10, lambda i: '{"c1":1}', ",") + "]"
    yield "JSON: a value that is none", "POST", "/parent", js, '{"id":"%s"}' % ("x" * n)
    yield "JSON: an error of the database", "POST", "/rpc/shout", js, '{"t":"%s"}' % ("x" * n)
    yield "JSON: an argument", "POST", "/rpc/f", js, '{"a":1,"b":"%s"}' % ("x" * n)
    yield "JSON: elements for a function", "POST", "/rpc/many", js, '{"v":[%s]}' % fill(n, lambda i: "1", ",")
    yield "CSV: a bomb", "POST", "/parent", csv, ",".join(c * 60000 for c in "abcd") + "\n" + ",,,\n" * ((n - 240000) // 4)
    yield "CSV: a bomb for a function", "POST", "/rpc/f", csv, ",".join(c * 60000 for c in "abcd") + "\n" + ",,,\n" * ((n - 240000) // 4)
    yield "CSV: long names", "POST", "/long_names", csv, ",".join(c * 63 for c in "abcd") + "\n" + ",,,\n" * (n // 4)
    yield "CSV: names", "POST", "/parent", csv, fill(200000, str, ",") + "\n1\n"
    yield "CSV: commas", "POST", "/parent", csv, "id\n" + "," * n
    yield "CSV: lines", "POST", "/parent", csv, "id\n" + "1\n" * (n // 2)
    yield "CSV: quotes", "POST", "/parent", csv, "name\n\"" + '"' * n
    yield "form: names", "POST", "/parent", form, fill(n, str, "&")
    yield "form: names for a function", "POST", "/rpc/f", form, fill(n, str, "&")
    yield "form: a name", "POST", "/rpc/f", form, "x" * n + "=1"
    yield "form: one name", "POST", "/rpc/many", form, fill(min(n, 120000), lambda i: "v", "&")
    yield "form: a value", "POST", "/parent", form, "name=" + "%01" * (n // 3)
    yield "form: a value for a function", "POST", "/rpc/f", form, "a=1&b=" + "x" * n
    yield "text", "POST", "/rpc/text_body", "text/plain", "x" * n
    yield "bytes", "POST", "/rpc/bytes", "application/octet-stream", "x" * n
    yield "text for an unknown function", "POST", "/rpc/unknown", "text/plain", "x" * n
    yield "an unknown type", "POST", "/parent", "x/" + "y" * 20000, "x" * n
    yield "a body for DELETE", "DELETE", "/child?id=lt.0", js, "x" * n
    yield "a body for GET", "GET", "/child?limit=1", js, "x" * n


class Result:
    def __init__(self, title, sent, status, answered, gateway, executor, waits):
        self.title, self.sent, self.status, self.answered, self.waits = title, sent, status, answered, waits
        (self.gateway_ns, gateway_bytes), (self.executor_ns, executor_bytes) = gateway, executor
        self.memory = gateway_bytes + executor_bytes
        self.gateway_bytes, self.executor_bytes = gateway_bytes, executor_bytes
        self.cpu_ratio = (self.gateway_ns + self.executor_ns) / 1000 / (sent / 1024)
        self.memory_ratio = max(0, self.memory - FIXED) / sent

    def row(self):
        return "%-38s %9d %6s %9d %9.1f %9.1f %8.1f %8.1f %9.1f %8.1f %7s" % (
            self.title[:38], self.sent, self.status or "closed", self.answered, self.gateway_ns / 1e6, self.executor_ns / 1e6,
            self.gateway_bytes / 1e6, self.executor_bytes / 1e6, self.cpu_ratio, self.memory_ratio,
            "" if self.waits is None else "%.0f" % (1000 * self.waits))

    HEAD = "%-38s %9s %6s %9s %9s %9s %8s %8s %9s %8s %7s" % (
        "", "sent", "status", "answered", "gw ms", "exec ms", "gw MB", "exec MB", "us/kB", "mem/sent", "waits")


def measure(cluster, title, method, path, headers, body):
    gateway, executor = (Process(pid) for pid in cluster.renew())
    status, sent, answered = send(cluster.http, method, path, headers, body)
    # What is done after the answer counts, too: freeing, logging.
    time.sleep(0.05)
    used = gateway.used(), executor.used() if os.path.exists("/proc/%d" % executor.pid) else (0, 0)
    waits = None
    if used[0][0] > 10e6:
        prober = Prober(cluster.admin)
        send(cluster.http, method, path, headers, body)
        waits = prober.end()
    result = Result(title, sent, status, answered, *used, waits)
    print(result.row(), flush=True)
    return result


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--url-bytes", type=int, default=14000, help="of requests without a body")
    ap.add_argument("--body-bytes", type=int, default=1000000)
    ap.add_argument("--only", default="", help="only the requests with this text in their title")
    ap.add_argument("--top", type=int, default=10)
    args = ap.parse_args()
    cluster = Costs()
    try:
        cluster.start()
        while not cluster.is_served():
            time.sleep(0.1)
        cases = [(*case, b"") for case in url_cases(args.url_bytes)]
        cases += [(title, method, path, {"Content-Type": media_type}, body.encode())
                  for title, method, path, media_type, body in body_cases(args.body_bytes)]
        print(Result.HEAD, flush=True)
        results = [measure(cluster, *case) for case in cases if args.only in case[0]]
        for what, key in (("CPU for each kB", lambda r: r.cpu_ratio), ("memory for each byte", lambda r: r.memory_ratio)):
            print("\nmost %s\n%s" % (what, Result.HEAD))
            for result in sorted(results, key=key, reverse=True)[:args.top]:
                print(result.row())
    finally:
        cluster.stop()


if __name__ == "__main__":
    main()
