#!/usr/bin/env python3
"""Measures baton-awsd and prints a table; `./dev bench` builds what it needs (preset release) and calls it.

What one run measures, and so can compare:
  - ListResourceTypes of baton-awsd (with its log line per RPC into a file, and without) beside a bare gRPC C core server that
    answers the same bytes (bench/bare_server.c), in alternating rounds: calls per second and the server's CPU time per call.
    Medians of the rounds.
  - the time from exec to the first answered health check, without any AWS to talk to
  - resident memory: idle; at most and at the end of a whole sync of a simulated account; AWS calls and time of that sync

The bytes of the reply are taken from baton-awsd before. Figures and their circumstances: docs/performance.md.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RELEASE = ROOT / "build" / "release"
BATON_AWSD, LOAD, BARE = RELEASE / "baton-awsd", RELEASE / "bench" / "load", RELEASE / "bench" / "bare_server"
os.environ.setdefault("BATON_AWSD", str(BATON_AWSD))
sys.path.insert(0, str(ROOT / "test" / "e2e"))

from support import engine  # noqa: E402
from support.aws import Sim  # noqa: E402
from support.process import Process, environment, free_port  # noqa: E402

METHOD = "/c1.connector.v2.ResourceTypesService/ListResourceTypes"
OUTSTANDING = 64
ORGANIZATION = {"users": 5000, "roles": 2000, "groups": 500, "policies": 300}


def load(*args):
    done = subprocess.run([LOAD, *map(str, args)], capture_output=True)
    if done.returncode != 0:
        sys.exit(f"{LOAD.name} {args[0]}: {done.stderr.decode().strip()}")
    return done.stdout


class Server(Process):
    """baton-awsd as a user would run it: default options unless flags say otherwise, the log into a file."""

    def __init__(self, folder, name, aws_url, *flags):
        self.target = f"127.0.0.1:{free_port()}"
        super().__init__([BATON_AWSD, "serve", "--listen", self.target, *flags], folder / f"{name}.log",
                         server_environment(folder, aws_url))
        self.wait_until(self.healthy, "SERVING")

    def healthy(self):
        return subprocess.run([BATON_AWSD, "healthcheck", "--target", self.target], capture_output=True).returncode == 0

    def peak_kb(self):
        status = Path(f"/proc/{self.popen.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0])


class Bare(Process):
    def __init__(self, folder, reply):
        super().__init__([BARE, reply], folder / "bare.log", environment(folder))
        self.wait_until(lambda: "listening on" in self.output(), "listening")
        self.target = f"127.0.0.1:{self.output().split()[2]}"


def server_environment(folder, aws_url):
    return environment(folder, AWS_ENDPOINT_URL=aws_url, AWS_REGION="us-east-1", AWS_ACCESS_KEY_ID="AKIABENCH00000000000",
                       AWS_SECRET_ACCESS_KEY="bench-secret")


def measure_calls(folder, aws_url, rounds, seconds):
    """Rows of ListResourceTypes. The machine is seldom quiet, so the servers take turns."""
    server = Server(folder, "calls", aws_url)
    silent = Server(folder, "calls-silent", aws_url, "--log-level", "warn")
    reply = folder / "reply.bin"
    reply.write_bytes(load("once", server.target, METHOD))
    bare = Bare(folder, reply)
    results = {server: [], silent: [], bare: []}
    try:
        for _ in range(rounds):
            for process, found in results.items():
                found.append(json.loads(load("calls", process.target, METHOD, OUTSTANDING, seconds, process.popen.pid)))
    finally:
        for process in results:
            process.stop()

    def median(process, key):
        return statistics.median(r[key] for r in results[process])

    def ratio(process, key):
        return statistics.median(ours[key] / theirs[key] for ours, theirs in zip(results[process], results[bare]))

    rows = []
    for process, what in ((server, "a log line each"), (silent, "log level warn")):
        rows += [
            (f"ListResourceTypes, {what}: calls/s", f"{median(process, 'calls_per_s'):,.0f}",
             f"{median(bare, 'calls_per_s'):,.0f} bare", ""),
            ("    ratio of calls/s to the bare server", f"{ratio(process, 'calls_per_s'):.2f}", "", "at least 0.85"),
            ("    server CPU per call, us", f"{median(process, 'server_cpu_us'):.1f}",
             f"{median(bare, 'server_cpu_us'):.1f} bare", ""),
            ("    ratio of CPU per call to the bare server", f"{ratio(process, 'server_cpu_us'):.2f}", "", ""),
            ("    cores the server was busy on", f"{median(process, 'server_cores'):.2f}",
             f"{median(bare, 'server_cores'):.2f} bare", ""),
            ("    latency p50 / p99, us", f"{median(process, 'p50_us'):.0f} / {median(process, 'p99_us'):.0f}",
             f"{median(bare, 'p50_us'):.0f} / {median(bare, 'p99_us'):.0f} bare", ""),
        ]
    return [*rows, ("bytes of the reply", f"{reply.stat().st_size:,}", "", "")]


def measure_start(folder, times):
    """An address where nothing listens as AWS: the server must not wait for it."""
    aws_url, target = f"http://127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    env = server_environment(folder, aws_url)
    found = []
    for _ in range(times):
        with open(folder / "start.log", "ab") as log:
            done = subprocess.run([LOAD, "start", target, BATON_AWSD, "serve", "--listen", target], env=env, cwd=folder,
                                  stdout=subprocess.PIPE, stderr=log, check=True)
        found.append(json.loads(done.stdout)["start_ms"])
    return [("exec to the first answered health check, ms", f"{statistics.median(found):.1f}", f"best {min(found):.1f}", "at most 20")]


def crawl(folder, target):
    subprocess.run([BATON_AWSD, "crawl", "--target", target, "--progress=false"], env=environment(folder), cwd=folder, check=True,
                   stdout=subprocess.DEVNULL)


def engine_sync(folder, target):
    result = engine.sync(folder, target, "--workers", "8", name="engine")
    if not result.ok:
        sys.exit(f"the engine's sync failed: {result.summary['error']}")


def measure_sync(folder, what, sync):
    """One sync by a server that has done nothing yet."""
    sim = Sim(folder, f"sim-{what}", **ORGANIZATION)
    server = Server(folder, f"sync-{what}", sim.url)
    try:
        time.sleep(1)
        idle, begin = server.rss_kb(), time.monotonic()
        sync(folder, server.target)
        took = time.monotonic() - begin
        after, peak = server.rss_kb(), server.peak_kb()
        counters = sim.get("counters")
    finally:
        server.stop()
        sim.stop()
    (folder / f"counters-{what}.json").write_text(json.dumps(counters))
    return idle, [
        (f"RSS after a sync ({what}), MB", f"{after / 1024:.1f}", f"peak {peak / 1024:.1f}", "at most 60"),
        (f"AWS calls of that sync ({what})", str(counters["total"]), "", "at most 40"),
        (f"time of that sync ({what}), s", f"{took:.1f}", "", ""),
    ]


def machine():
    model = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    return f"{os.cpu_count()} cores, {model}; {os.getloadavg()[0]:.1f} runnable before the run"


def print_table(rows):
    rows = [("what", "measured", "beside", "aim"), *rows]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    for n, row in enumerate(rows):
        print("| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths)) + " |")
        if n == 0:
            print("|" + "|".join("-" * (w + 2) for w in widths) + "|")


def main():
    parser = argparse.ArgumentParser(description="Measures baton-awsd and prints a table.")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of calls for each server (7)")
    parser.add_argument("--seconds", type=int, default=3, help="length of a round (3)")
    parser.add_argument("--starts", type=int, default=15, help="starts that are timed (15)")
    parser.add_argument("--no-engine", action="store_true", help="leave the real sync engine out (it needs Go)")
    args = parser.parse_args()
    problem = "left out" if args.no_engine else engine.go_problem()
    if not problem:
        engine.build()
    print(f"machine: {machine()}\n", flush=True)
    folder = ROOT / "build" / "bench"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)

    small = Sim(folder, "sim-small")
    try:
        rows = measure_calls(folder, small.url, args.rounds, args.seconds)
    finally:
        small.stop()
    rows += measure_start(folder, args.starts)
    idle, sync_rows = measure_sync(folder, "crawl", crawl)
    rows += [("RSS idle, MB", f"{idle / 1024:.1f}", "", "at most 20"), *sync_rows]
    if problem:
        print(f"no sync by the real engine: {problem}\n")
    else:
        rows += measure_sync(folder, "engine", engine_sync)[1]
    print_table(rows)


if __name__ == "__main__":
    main()
