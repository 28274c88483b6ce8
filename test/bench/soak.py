#!/usr/bin/env python3
"""A soak: mixed load with reloads, DDL, cancels and killed executors, and a look at idle costs.

  soak.py [--minutes N] [--executors N] [--idle SECONDS]

Makes a throw-away cluster with the demo data and serves it. For N minutes (default 10) clients read, write,
call functions, ask for large answers, vanish in the middle of requests and read slowly, while others change the
schema, reload, cancel statements and end executors. Every answer is checked: it is the right one, or, because
of a cancelled statement or an ended executor, 500 with 57014, 503 or a body cut off; each written row is there once. At
the end the resident memory of gateway and executors must be what it was before the second half, and the
server must not have restarted. Then all processes of the extension rest for SECONDS, and their CPU time is shown.

The exit status is 0 when nothing was wrong.
"""

import argparse
import collections
import http.client
import json
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import threading
import time

from bench import SCRATCH, Cluster, token

SAMPLE_S = 5
READINGS = 200000
# Memory that allocators and plan caches may still take when all shapes of requests have been seen.
GROWTH = 1.10
SLACK_BYTES = 4 << 20


class Soak:
    def __init__(self, cluster, seconds):
        self.cluster, self.end = cluster, time.monotonic() + seconds
        self.counts, self.problems = collections.Counter(), []
        self.lock = threading.Lock()
        self.jwt = token({"role": "demo_manager"})
        self.known = {}
        self.slowest = (0, "")

    def over(self):
        return time.monotonic() >= self.end or len(self.problems) > 20

    def count(self, what):
        with self.lock:
            self.counts[what] += 1

    def wrong(self, what):
        with self.lock:
            self.problems.append(what[:500])
            print("%.1f s before the end: WRONG: %s" % (self.end - time.monotonic(), what[:500]), flush=True)
            if len(self.problems) == 1:
                print(self.psql("select * from pgrst.status; select pid, backend_type, state, wait_event, left(query, 60) from "
                                "pg_stat_activity").stdout, flush=True)

    # -- requests

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.cluster.http, timeout=60)

    def ask(self, connection, method, path, body=None, headers=None):
        """(status, body); status 0 when the connection was lost"""
        begun = time.monotonic()
        answer = self.ask_at_most_twice(connection, method, path, body, headers)
        took = time.monotonic() - begun
        with self.lock:
            self.slowest = max(self.slowest, (took, method + " " + path))
        return answer

    def ask_at_most_twice(self, connection, method, path, body, headers):
        headers = dict(headers or {})
        headers["Authorization"] = "Bearer " + self.jwt
        if body is not None:
            headers["Content-Type"] = "application/json"
        for attempt in (1, 2):
            try:
                connection.request(method, path, body, headers)
                response = connection.getresponse()
                return response.status, response.read()
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                # A kept connection may have been closed meanwhile by new limits: nothing was done then.
                connection.close()
                if attempt == 2:
                    return 0, b""
            except http.client.IncompleteRead:
                # Its executor was ended while it was handing out the rows: the client can tell.
                connection.close()
                return 503, b"cut off"
            except (OSError, http.client.HTTPException) as e:
                connection.close()
                return 0, repr(e).encode()
        return 0, b""

    def is_disturbance(self, status, body):
        """what cancels and ended executors may cause"""
        if status == 503:
            self.count("503")
            return True
        if status == 500 and b'"57014"' in body:
            self.count("57014")
            return True
        return False

    def reader(self, seed):
        rng, connection = random.Random(seed), self.connect()
        paths = ["/sensors?id=eq.%d" % i for i in range(1, 200)] + [
            "/sensors?limit=100&order=id", "/readings?limit=10000&order=sensor_id,taken_at", "/rpc/fahrenheit?celsius=21.5",
            "/lines?select=name,machines(name)&order=name&machines.order=name", "/sensors?select=count()", "/no_such_table",
            "/sensors?nothing=eq.1", "/machines?select=id,name&name=like.*a*&order=id"]
        while not self.over():
            path = rng.choice(paths)
            status, body = self.ask(connection, "GET", path)
            if self.is_disturbance(status, body):
                continue
            with self.lock:
                expected = self.known.setdefault(path, (status, body))
            if (status, body) != expected or status in (0, 500):
                self.wrong("GET %s: %d %r, expected %d %r" % (path, status, body[:200], expected[0], expected[1][:200]))
            self.count("reads")
        connection.close()

    def writer(self, seed):
        connection, n = self.connect(), 0
        while not self.over():
            n += 1
            name = "soak %d %d" % (seed, n)
            status, body = self.ask(connection, "POST", "/scratch", json.dumps({"name": name, "value": n}))
            if status not in (0, 201) and not self.is_disturbance(status, body):
                self.wrong("insert: %d %r" % (status, body))
            written = status == 201
            found = None
            while found is None and not self.over():
                read, rows = self.ask(connection, "GET", "/scratch?select=value&name=eq.%s" % name.replace(" ", "%20"))
                if read == 200:
                    found = len(json.loads(rows))
                elif not self.is_disturbance(read, rows):
                    self.wrong("read back: %d %r" % (read, rows))
                    break
            if found is not None and (found > 1 or (written and found != 1)):
                self.wrong("%s: answered %d, there %d times" % (name, status, found))
            self.ask(connection, "DELETE", "/scratch?name=eq.%s" % name.replace(" ", "%20"))
            self.count("writes")
        connection.close()

    def ddl(self):
        connection, n = self.connect(), 0
        while not self.over():
            n += 1
            self.sql("create table api.soak_%d as select %d as n; grant select on api.soak_%d to demo_manager" % (n, n, n))
            status, body = self.ask(connection, "GET", "/soak_%d" % n)
            if not self.is_disturbance(status, body) and (status, body) != (200, b'[{"n":%d}]' % n):
                self.wrong("new table: %d %r" % (status, body))
            self.sql("drop table api.soak_%d" % n)
            status, body = self.ask(connection, "GET", "/soak_%d" % n)
            if not self.is_disturbance(status, body) and status != 404:
                self.wrong("dropped table: %d %r" % (status, body))
            self.count("DDL")
            time.sleep(0.5)
        connection.close()

    def vanisher(self):
        """clients that go away before the answer, in the middle of it, or read it slowly"""
        rng = random.Random(7)
        while not self.over():
            with socket.create_connection(("127.0.0.1", self.cluster.http), timeout=60) as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
                path = rng.choice(["/readings?limit=50000", "/readings?limit=5000", "/sensors"])
                s.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path.encode())
                for _ in range(rng.randrange(0, 4)):
                    if not s.recv(4096):
                        break
                    time.sleep(0.02)
            self.count("vanished clients")
            time.sleep(0.02)

    # -- disturbances

    def psql(self, text):
        return subprocess.run([*self.cluster.as_user, self.cluster.bin + "/psql", "-X", "-qAt", "-v", "ON_ERROR_STOP=1", "-h",
                               self.cluster.dir, "-p", str(self.cluster.port), "-U", "postgres", "-d", "demo", "-c", text],
                              cwd="/", capture_output=True, text=True)

    def sql(self, text):
        p = self.psql(text)
        if p.returncode:
            self.wrong("psql: %s: %s" % (text, p.stderr))
        return p.stdout.strip()

    def disturber(self):
        rng = random.Random(11)
        executors = "from pg_stat_activity where backend_type = 'postgrest executor' order by random() limit 1"
        while not self.over():
            what = rng.choice(["cancel", "terminate", "notify", "reload", "setting", "limits", "analyze"])
            self.sql({
                "cancel": "select pg_cancel_backend(pid) " + executors,
                "terminate": "select pg_terminate_backend(pid) " + executors,
                "notify": "notify pgrst",
                "reload": "select pgrst.reload()",
                "setting": "begin; delete from pgrst.config; insert into pgrst.config values ('db_max_rows', '%d'); commit"
                           % rng.randrange(100000, 200000),
                "limits": "alter role demo_authenticator set pgrst.server_max_connections = %d" % rng.randrange(500, 1500),
                "analyze": "analyze api.sensors",
            }[what])
            self.count(what)
            time.sleep(rng.uniform(0.1, 1.0))

    # -- memory

    def processes(self):
        return dict(line.split("|") for line in self.sql(
            "select pid, process from pgrst.status where pid is not null").splitlines())

    def memory(self):
        """private bytes of the gateway, and of the largest executor"""
        sizes = collections.defaultdict(int)
        for pid, process in self.processes().items():
            try:
                with open("/proc/%s/status" % pid) as fh:
                    private = int(re.search(r"RssAnon:\s+(\d+)", fh.read()).group(1)) * 1024
            except (OSError, AttributeError):
                continue
            sizes[process] = max(sizes[process], private)
        return sizes["gateway"], sizes["executor"]

    def run(self):
        sys.setswitchinterval(0.0005)  # that no client waits long for the others
        threads = [threading.Thread(target=self.reader, args=(i,)) for i in range(4)]
        threads += [threading.Thread(target=self.writer, args=(i,)) for i in range(2)]
        threads += [threading.Thread(target=f) for f in (self.ddl, self.vanisher, self.disturber)]
        gateway = [pid for pid, process in self.processes().items() if process == "gateway"]
        for thread in threads:
            thread.start()
        samples = []
        while not self.over():
            time.sleep(min(SAMPLE_S, max(self.end - time.monotonic(), 0)))
            samples.append(self.memory())
        for thread in threads:
            thread.join()
        if gateway != [pid for pid, process in self.processes().items() if process == "gateway"]:
            self.wrong("the gateway is another one")
        self.judge_memory(samples)

    def judge_memory(self, samples):
        quarter = max(len(samples) // 4, 1)
        for i, name in enumerate(("gateway", "executor")):
            second = statistics.median(s[i] for s in samples[quarter:2 * quarter] or samples)
            last = statistics.median(s[i] for s in samples[-quarter:])
            print("private memory of the %s: %.1f MB in the second quarter, %.1f MB in the last" % (
                name, second / 1e6, last / 1e6))
            if last > second * GROWTH + SLACK_BYTES:
                self.wrong("the memory of the %s grows" % name)

    def judge_log(self):
        with open(os.path.join(self.cluster.dir, "log"), encoding="utf-8", errors="replace") as fh:
            log = fh.read()
        for line in log.splitlines():
            if re.search(r"terminated by signal (?!15\b)|TRAP:|reinitializing|PANIC", line):
                self.wrong("the server's log: " + line)


def cpu_of(pids):
    """seconds; to the nanosecond, unlike /proc/pid/stat"""
    total = 0
    for pid in pids:
        with open("/proc/%s/schedstat" % pid) as fh:
            total += int(fh.read().split()[0]) / 1e9
    return total


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--minutes", type=float, default=10)
    ap.add_argument("--executors", type=int, default=4)
    ap.add_argument("--idle", type=float, default=30)
    args = ap.parse_args()
    cluster = Cluster(args.executors)
    try:
        print("loading the demo data ...", flush=True)
        cluster.start(READINGS)
        cluster.psql("demo", "-q", "-f", "-", input=SCRATCH)
        cluster.wait_for_http()
        soak = Soak(cluster, args.minutes * 60)
        soak.run()
        soak.judge_log()
        for what, count in sorted(soak.counts.items()):
            print("%10d %s" % (count, what))
        print("slowest answer: %.2f s, %s" % soak.slowest)
        pids = list(soak.processes())
        before, begun = cpu_of(pids), time.monotonic()
        time.sleep(args.idle)
        idle = (cpu_of(pids) - before) / (time.monotonic() - begun)
        print("idle: %d processes use %.4f %% of a core together" % (len(pids), 100 * idle))
        print("%d wrong" % len(soak.problems))
        sys.exit(1 if soak.problems else 0)
    finally:
        cluster.stop()


if __name__ == "__main__":
    main()
