#!/usr/bin/env python3
"""Measures syncs of Identity Center in the simulator and prints a table; needs baton-awsd, aws-sim and Go.

    ./dev bench identity_center [quota] [example] [latency] [plans] [memory]      all of them unless named

  quota    the simulator throttles SSO Admin above 20 calls per second as AWS does: time of the whole sync beside the calls' share of that
           rate, throttled answers, and how much of the rate was used until the last call; half a minute
  example  the same of the worked example; three minutes
  latency  20 ms a call, no quota, 8 cursors: with read-ahead and without
  plans    calls of a tenth of the users and groups over the same accounts: by principals, and (as a delegated administrator) by pairs
  memory   most memory in use: the worked example, ten times the users, ten times the accounts

BATON_AWSD names another program than that of preset release; the simulator lies beside it. Figures: docs/performance.md.
"""

import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
os.environ.setdefault("BATON_AWSD", str(ROOT / "build" / "release" / "baton-awsd"))
sys.path.insert(0, str(ROOT / "test" / "e2e"))

from support import engine  # noqa: E402
from support.aws import Sim  # noqa: E402
from support.server import Server  # noqa: E402

SSO_RATE = 20
EXAMPLE = {"accounts": 200, "permission_sets": 60, "permission_sets_per_account": 15, "sso_users": 5000, "sso_groups": 800,
           "ous": 40, "ou_depth": 3, "users": 5, "roles": 5, "groups": 2, "policies": 2}
SMALLER = {**EXAMPLE, "accounts": 50, "permission_sets": 20, "permission_sets_per_account": 10, "sso_users": 500, "sso_groups": 80,
           "ous": 8}
FEW_PRINCIPALS = {**EXAMPLE, "sso_users": 500, "sso_groups": 80}
ON = ("--global-aws-orgs-enabled", "--global-aws-sso-enabled")
FAST = ("--aws-quota-percent", "10000")


def peak_mb(server):
    return int(Path(f"/proc/{server.popen.pid}/status").read_text().split("VmHWM:")[1].split()[0]) / 1024


def sync(folder, name, organization, *flags, **options):
    """One sync by a server that has done nothing yet: seconds, SSO Admin's rates, MB."""
    sim = Sim(folder, f"sim-{name}", **organization, **options)
    server = Server(folder, sim.url, *ON, *flags, name=f"server-{name}")
    try:
        server.wait_serving()
        result = engine.sync(folder, server.target, "--workers", "8", name=name)
        if not result.ok:
            sys.exit(f"{name}: {result.summary['error']}")
        return result.summary["elapsed_ms"] / 1000, sim.rates()["sso"], peak_mb(server)
    finally:
        server.stop()
        sim.stop()


def measure_quota(folder, name="quota", organization=SMALLER):
    seconds, sso, _ = sync(folder, name, organization, sso_rate=SSO_RATE)
    made = sso["calls"] - sso["throttled"]
    least = made / SSO_RATE
    # The first second starts with a full bucket, AWS's as ours: it is no part of the steady rate.
    first = sso["calls_by_second"][0]
    steady = (made - first) / (sso["span_ms"] / 1000 - 1) / SSO_RATE
    return [("calls of SSO Admin, not throttled", f"{made:,}", ""),
            ("throttled answers", f"{sso['throttled']}", "(almost) none"),
            ("time of the sync, s", f"{seconds:.1f}", f"at most {1.1 * least:.1f} (1.10 x calls / {SSO_RATE} s)"),
            (f"rate until the last call, of {SSO_RATE}/s, without the first second", f"{steady:.3f}", "at least 0.95")]


def measure_example(folder):
    return measure_quota(folder, "example", EXAMPLE)


def measure_plans(folder):
    rows = []
    for name, flags in (("principals", {}), ("pairs", {"delegated_administrator": True})):
        _, sso, mb = sync(folder, f"by-{name}", FEW_PRINCIPALS, *FAST, **flags)
        rows.append((f"500 users, 80 groups; assignments by {name}: calls of SSO Admin", f"{sso['calls']:,}", f"peak RSS {mb:.1f} MB"))
    return rows


def measure_latency(folder):
    rows = []
    for name, flags in (("read-ahead", ()), ("none", ("--read-ahead", "0"))):
        seconds, sso, _ = sync(folder, f"latency-{name}", EXAMPLE, *FAST, *flags, latency_ms=20)
        rows.append((f"20 ms a call, no quota, 8 cursors, read-ahead {'on' if not flags else 'off'}: s", f"{seconds:.1f}",
                     f"{sso['calls']:,} calls of SSO Admin"))
    return rows


def measure_memory(folder):
    rows = []
    for what, more, aim in (("the worked example", {}, "at most 80"), ("10 x the users", {"sso_users": 50000}, ""),
                            ("10 x the accounts", {"accounts": 2000}, "")):
        name = what.replace(" ", "-")
        seconds, _, mb = sync(folder, name, {**EXAMPLE, **more}, *FAST)
        rows.append((f"peak RSS, {what}, MB", f"{mb:.1f}", aim or f"{seconds:.0f} s"))
    return rows


MEASURES = {"quota": measure_quota, "example": measure_example, "latency": measure_latency, "plans": measure_plans,
            "memory": measure_memory}


def main():
    wanted = sys.argv[1:] or list(MEASURES)
    if not set(wanted) <= set(MEASURES):
        sys.exit(__doc__)
    engine.build()
    folder = ROOT / "build" / "bench" / "identity-center"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    print("| what | measured | aim |\n| --- | --- | --- |")
    for name in wanted:
        for row in MEASURES[name](folder):
            print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
