#!/usr/bin/env python3
"""Measures baton-awsd on simulated organizations and prints tables for docs/performance.md.

    ./dev bench organization read-ahead   time of a sync with and without --read-ahead, taking turns
    ./dev bench organization soak         many syncs in a row by one server: does its memory stay flat?
    ./dev bench organization scale        AWS calls, time and memory against the number of accounts and of users

Results lie in build/bench.
"""

import argparse
import shutil
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from run import ROOT, Server, crawl, engine, machine  # noqa: E402
from support.aws import Sim  # noqa: E402

ORGANIZATION = "--global-aws-orgs-enabled"


def one_sync(folder, target, name, workers):
    """Seconds of a whole sync by the real engine; workers 0: by `baton-awsd crawl`, which asks one question after the other."""
    begin = time.monotonic()
    if workers == 0:
        crawl(folder, target)
        return time.monotonic() - begin
    result = engine.sync(folder, target, "--workers", str(workers), name=name, timeout=3600)
    if not result.ok:
        sys.exit(f"the engine's sync failed: {result.summary['error']}")
    return result.summary["elapsed_ms"] / 1000


def calls_of(sim):
    """AWS calls: of IAM and Organizations; documents of AWS's policies; assumed roles."""
    counters = {op: n["calls"] for op, n in sim.counters().items() if op != "total"}
    documents, roles = counters.pop("iam:GetPolicyVersion", 0), counters.pop("sts:AssumeRole", 0)
    return sum(counters.values()), documents, roles


def read_ahead(folder, a):
    entities = {"users": 20, "roles": 30, "groups": 5, "policies": 10}
    for polls in a.report_polls:
        for workers in a.workers:
            found = {ahead: [] for ahead in a.ahead}
            for turn in range(a.rounds):
                for ahead in a.ahead:
                    name = f"ahead-{ahead}-{polls}-{workers}-{turn}"
                    sim = Sim(folder, f"sim-{name}", accounts=1 + a.accounts, latency_ms=a.latency_ms, report_polls=polls, **entities)
                    server = Server(folder, name, sim.url, ORGANIZATION, "--read-ahead", str(ahead))
                    found[ahead].append(one_sync(folder, server.target, name, workers))
                    server.stop()
                    sim.stop()
            without = statistics.median(found[a.ahead[0]])
            for ahead, times in found.items():
                took = statistics.median(times)
                print(f"| {workers or 'crawl'} | {polls} | {ahead} | {took:.1f} | {took / without:.2f} |", flush=True)


def soak(folder, a):
    sim = Sim(folder, "sim-soak", accounts=a.accounts, users=60, roles=40, groups=12, policies=15)
    server = Server(folder, "soak", sim.url, ORGANIZATION, "--sync-secrets")
    rss = [server.rss_kb()]
    try:
        for n in range(a.syncs):
            took = one_sync(folder, server.target, "soak", a.workers[0])
            rss.append(server.rss_kb())
            print(f"sync {n + 1}: {took:.1f} s, RSS {rss[-1] / 1024:.1f} MB", flush=True)
    finally:
        peak = server.peak_kb()
        server.stop()
        sim.stop()
    print(f"\n| {a.accounts} | {a.syncs} | {rss[0] / 1024:.1f} | {rss[1] / 1024:.1f} | {rss[3] / 1024:.1f} | {rss[-1] / 1024:.1f} | "
          f"{rss[-1] / rss[3]:.2f} | {peak / 1024:.1f} |")


def scale(folder, a):
    for accounts in a.accounts_list:
        for users in a.users_list:
            if accounts * users > a.most_users:
                continue
            name = f"scale-{accounts}-{users}"
            entities = {"users": users, "roles": users // 2, "groups": users // 20, "policies": users // 10}
            sim = Sim(folder, f"sim-{name}", accounts=accounts, report_polls=0, log_limit=1000, **entities)
            server = Server(folder, name, sim.url, ORGANIZATION)
            try:
                took = one_sync(folder, server.target, name, a.workers[0])
                calls, documents, roles = calls_of(sim)
                peak = server.peak_kb()
            finally:
                server.stop()
                sim.stop()
            print(f"| {accounts} | {users:,} | {calls} | {roles} | {documents} | {took:.1f} | {peak / 1024:.0f} |", flush=True)


def numbers(text):
    return [int(n) for n in text.split(",")]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    p = commands.add_parser("read-ahead")
    p.set_defaults(run=read_ahead)
    p.add_argument("--accounts", type=int, default=50)
    p.add_argument("--latency-ms", type=int, default=20)
    p.add_argument("--ahead", type=numbers, default=[0, 4], help="values of --read-ahead; the first is the measure of the others")
    p.add_argument("--report-polls", type=numbers, default=[0, 2], help="polls until a credential report is ready")
    p.add_argument("--workers", type=numbers, default=[1], help="of the engine; 0: baton-awsd crawl")
    p.add_argument("--rounds", type=int, default=3)
    p = commands.add_parser("soak")
    p.set_defaults(run=soak)
    p.add_argument("--accounts", type=int, default=100)
    p.add_argument("--syncs", type=int, default=20)
    p.add_argument("--workers", type=numbers, default=[8])
    p = commands.add_parser("scale")
    p.set_defaults(run=scale)
    p.add_argument("--accounts-list", type=numbers, default=[1, 10, 100])
    p.add_argument("--users-list", type=numbers, default=[100, 1000, 10000])
    p.add_argument("--most-users", type=int, default=100_000, help="leave larger organizations out")
    p.add_argument("--workers", type=numbers, default=[0])
    a = parser.parse_args()
    if any(a.workers):
        engine.build()
    folder = ROOT / "build" / "bench" / a.command
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    print(f"machine: {machine()}", flush=True)
    a.run(folder, a)


if __name__ == "__main__":
    main()
