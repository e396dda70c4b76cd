"""What the tests of servers with a shared store have in common: a small organization with everything in it, the flags that sync all of
it, and a sync by the crawl client, to be compared line by line."""

import json
import subprocess
import time
from datetime import datetime, timedelta

from .paths import BATON_AWSD
from .process import environment
from .wire import Client

# Two accounts, each kind of fact several times: some 190 lines, some 90 AWS calls.
SMALL = {"users": 4, "roles": 4, "groups": 2, "policies": 2, "accounts": 2, "child_users": 2, "child_roles": 2, "child_groups": 1,
         "child_policies": 1, "aws_policies": 3, "permission_sets": 2, "permission_sets_per_account": 2, "sso_users": 4,
         "sso_groups": 2, "ous": 1, "large_assignments": 0, "report_polls": 0, "seed": 2}
# The same with one of each: some 15 facts.
LITTLE = {**SMALL, "users": 2, "roles": 3, "groups": 1, "policies": 1, "accounts": 1, "permission_sets": 1,
          "permission_sets_per_account": 1, "sso_users": 2, "sso_groups": 1, "ous": 0, "aws_policies": 1}
# One account's IAM, the fewest facts: some 25 commands for Redis.
TINY = {"users": 3, "roles": 3, "groups": 1, "policies": 1, "aws_policies": 2, "report_polls": 0, "seed": 2}
EVERYTHING = ("--global-aws-orgs-enabled", "--global-aws-sso-enabled", "--global-aws-cross-account-iam-enabled", "--sync-secrets",
              "--aws-quota-percent", "10000")
# So that no command of a Redis that works ever fails, however busy the machine is. What is given later on the command line counts.
PATIENT = ("--store-connect-timeout-ms", "60000", "--store-command-timeout-ms", "60000")
FAILED, WORKS_AGAIN = "the session store failed", "the session store works again"  # of the log


def sync_id(n):
    """The n-th, as long as an engine's."""
    return f"{n:027d}"


def crawled(server, cursors=8):
    """All lines that `baton-awsd crawl` prints, sorted; it must succeed."""
    done = subprocess.run([BATON_AWSD, "crawl", "--target", server.target, "--output", "jsonl", "--cursors", str(cursors),
                           "--progress=false"], capture_output=True, text=True, timeout=300,
                          cwd=server.log.parent, env=environment(server.log.parent))
    assert done.returncode == 0, done.stderr[-2000:]
    return sorted(done.stdout.splitlines())


def store_counters(server):
    """The counters of the store, without their prefix and suffix: hits, puts, failures, away, ..."""
    return {name.removeprefix("baton_store_").removesuffix("_total"): int(n) for name, n in server.metrics().items()
            if name.startswith("baton_store_")}


def told(server, what=FAILED):
    """Its warnings of one kind. There is not one for each failure, but one, and then one a minute, or when the store had worked again:
    how many that are depends on how long the test takes."""
    warnings, last = [], None
    for line in server.output().splitlines():
        if WORKS_AGAIN in line:
            last = None
        elif what in line and '"level":"warn"' in line:
            at = datetime.fromisoformat(json.loads(line)["ts"].replace("Z", "+00:00"))
            assert last is None or at - last > timedelta(seconds=50), f"told again at once: {line}"
            warnings.append(line)
            last = at
    return warnings


def wait_for_recovery(server):
    """A store that failed is tried again by itself, after some seconds at most: by whoever wants something of it then. Here that is Cleanup
    of a sync that nobody knows."""
    client = Client(server.target)

    def works():
        if not store_counters(server)["away"]:
            return True
        time.sleep(0.1)
        client.call("ConnectorService/Cleanup", active_sync_id=sync_id(99))
        return False
    try:
        server.wait_until(works, "using the store again")
    finally:
        client.close()


def used_again(server, sync):
    """What the counters grow by in a sync that uses the store and in which nothing fails. Where the time-outs are short, a busy machine makes
    a command fail that nobody wanted to fail: the sync is repeated then."""
    for _ in range(20):
        wait_for_recovery(server)
        before = store_counters(server)
        sync()
        after = store_counters(server)
        grown = {name: after[name] - before[name] for name in after}
        if grown["failures"] == 0:
            return grown
    raise AssertionError(f"commands fail again and again: {grown}")
