#!/usr/bin/env python3
"""Measures the session store in Redis and prints a table; needs baton-awsd, aws-sim, bench_store, redis-server and Go.

    ./dev bench store [cost] [bytes] [servers]      all of them unless named; a minute

  cost      an operation of the store in memory, and in Redis over a UNIX socket and over loopback TCP
  bytes     what a sync keeps in Redis: of the facts, of Redis's memory, per account and per thousand users
  servers   the same sync by one server with its memory, by one with Redis, by three with one Redis: AWS calls, time

BATON_AWSD names another program than that of preset release; the others lie beside it. Figures: docs/performance.md.
"""

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
os.environ.setdefault("BATON_AWSD", str(ROOT / "build" / "release" / "baton-awsd"))
sys.path.insert(0, str(ROOT / "test" / "e2e"))

from support import engine  # noqa: E402
from support.aws import Sim  # noqa: E402
from support.paths import BATON_AWSD  # noqa: E402
from support.redis import Redis  # noqa: E402
from support.server import Server  # noqa: E402

ON = ("--global-aws-orgs-enabled", "--global-aws-sso-enabled", "--global-aws-cross-account-iam-enabled",
      "--aws-quota-percent", "10000")
# An account of some size, and of them more and more.
ACCOUNT = {"users": 50, "roles": 50, "groups": 5, "policies": 10, "permission_sets": 20, "permission_sets_per_account": 10,
           "sso_users": 1000, "sso_groups": 100, "ous": 5}


def measure_cost(folder):
    redis = Redis(folder, socket=True)
    rows = []
    try:
        measured = {}
        for way, url in (("UNIX socket", f"unix://{redis.socket}"), ("TCP", f"redis://{redis.address}")):
            out = subprocess.run([Path(BATON_AWSD).parent / "bench" / "store", url], check=True, capture_output=True, text=True).stdout
            for store, what, size, us in (line.split() for line in out.splitlines()):
                measured[way if store == "redis" else store, what, int(size)] = float(us)
        for what in ("hit", "miss"):
            for size in (300, 10_000, 1_000_000):
                memory, unix, tcp = (measured[w, what, size] for w in ("memory", "UNIX socket", "TCP"))
                rows.append((f"a {what}, {size:,} bytes: us in memory / UNIX socket / TCP",
                             f"{memory:.1f} / {unix:.0f} / {tcp:.0f}", f"TCP : UNIX socket {tcp / unix:.2f}"))
    finally:
        redis.stop()
    return rows


class Watch(threading.Thread):
    """The most that the values in Redis take while a sync runs."""

    def __init__(self, redis):
        super().__init__(daemon=True)
        self.client, self.most, self.keys, self.ended = redis.client(), 0, 0, threading.Event()
        self.before = self.client.info("memory")["used_memory_dataset"]

    def run(self):
        while not self.ended.wait(0.02):
            dataset = self.client.info("memory")["used_memory_dataset"] - self.before
            if dataset > self.most:
                self.most, self.keys = dataset, self.client.dbsize()

    def end(self):
        self.ended.set()
        self.join()
        return self.most


def sync(folder, name, organization, n_servers, with_redis, **options):
    """One sync by servers that have done nothing yet."""
    sim = Sim(folder, f"sim-{name}", **organization, **options)
    redis = Redis(folder, f"redis-{name}") if with_redis else None
    flags = ("--store-url", f"redis://{redis.address}") if redis else ()
    servers = [Server(folder, sim.url, *ON, *flags, name=f"server-{name}-{i}", admin=True) for i in range(n_servers)]
    try:
        for server in servers:
            server.wait_serving()
        watch = Watch(redis) if redis else None
        if watch:
            watch.start()
        result = engine.sync(folder, [s.target for s in servers], workers=8, name=name)
        if not result.ok:
            sys.exit(f"{name}: {result.summary['error']}")
        sim.assert_no_read_twice()
        metrics = [s.metrics() for s in servers]
        return {"seconds": result.summary["elapsed_ms"] / 1000, "calls": sim.counters()["total"],
                "resources": sum(result.summary["counts"]["resource"].values()),
                "redis": watch.end() if watch else 0, "keys": watch.keys if watch else 0,
                "raw": sum(float(m["baton_store_packed_bytes_total"]) for m in metrics),
                "written": sum(float(m["baton_store_written_bytes_total"]) for m in metrics),
                "dump": result.dump.read_bytes()}
    finally:
        for process in [*servers, sim, *([redis] if redis else [])]:
            process.stop()


def measure_bytes(folder):
    rows = []
    got = {n: sync(folder, f"bytes-{n}", {**ACCOUNT, "accounts": n}, 1, True) for n in (20, 100)}
    for n, g in got.items():
        rows.append((f"{n} accounts, {g['resources']:,} resources: facts / as written / Redis's memory, kB",
                     f"{g['raw'] / 1000:.0f} / {g['written'] / 1000:.0f} / {g['redis'] / 1000:.0f}",
                     f"{g['keys']} keys, {g['redis'] / g['resources']:.0f} bytes a resource, "
                     f"packed to {g['written'] / g['raw']:.2f}"))
    per_account = (got[100]["redis"] - got[20]["redis"]) / 80
    rows.append(("Redis's memory for each more account (50 users, 50 roles, 10 permission sets), kB", f"{per_account / 1000:.1f}",
                 f"{per_account / 1000:.1f} MB for 1,000"))
    many = sync(folder, "bytes-users", {**ACCOUNT, "accounts": 20, "sso_users": 11000}, 1, True)
    rows.append(("Redis's memory for each 1,000 more users of the directory, kB",
                 f"{(many['redis'] - got[20]['redis']) / 10 / 1000:.1f}", ""))
    return rows


def measure_servers(folder):
    organization = {**ACCOUNT, "accounts": 50}
    got = {name: sync(folder, name.replace(" ", "-"), organization, n, with_redis, latency_ms=20)
           for name, n, with_redis in (("memory", 1, False), ("one with Redis", 1, True), ("three with Redis", 3, True))}
    if len({g["dump"] for g in got.values()}) != 1:
        sys.exit("the syncs differ")
    base = got["memory"]
    return [(f"one sync of 50 accounts, 20 ms a call, 8 cursors, {name}: s", f"{g['seconds']:.1f}",
             f"{g['seconds'] / base['seconds']:.2f} of the time, {g['calls'] / base['calls']:.3f} of the AWS calls ({g['calls']:,})")
            for name, g in got.items()]


MEASURES = {"cost": measure_cost, "bytes": measure_bytes, "servers": measure_servers}


def main():
    wanted = sys.argv[1:] or list(MEASURES)
    if not set(wanted) <= set(MEASURES):
        sys.exit(__doc__)
    engine.build()
    folder = ROOT / "build" / "bench" / "store"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    print("| what | measured | |\n| --- | --- | --- |")
    for name in wanted:
        for row in MEASURES[name](folder):
            print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
