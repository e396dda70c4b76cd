"""The real engine syncs Identity Center in the simulator: the same result under throttling, errors and restarts, in as many calls
as the best plan needs, none of them twice."""

import json
import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import truth, truth_identity_center
from support.compare import assert_same

IAM = {"users": 5, "roles": 6, "groups": 2, "policies": 2}
MEDIUM = {**IAM, "accounts": 20, "permission_sets": 12, "permission_sets_per_account": 5, "sso_users": 200, "sso_groups": 40,
          "ous": 8, "ou_depth": 3, "suspended": 2, "large_assignments": 1, "seed": 3}
LARGE = {**IAM, "accounts": 200, "permission_sets": 60, "permission_sets_per_account": 15, "sso_users": 5000,
         "sso_groups": 800, "ous": 40, "ou_depth": 3}
LARGE_MAX_SSO_CALLS = 3310
ON = ("--global-aws-orgs-enabled", "--global-aws-sso-enabled")
FAST = (*ON, "--aws-quota-percent", "10000")


def expected(aws):
    """All a sync holds: of Identity Center, and of the management account's IAM."""
    center = aws.center()
    return truth.expected(aws.truth(account=center["accounts"][0]["id"])) + truth_identity_center.expected(center)


def assert_no_read_twice(aws):
    repeats = aws.get("repeats")
    assert repeats["lost"] == 0
    assert repeats["repeats"] == [], json.dumps(repeats["repeats"], indent=1)[:4000]


def calls(aws, *services):
    return {op: n["calls"] for op, n in aws.counters().items() if op.split(":")[0] in services}


def pages(n, size=100):
    return max(1, -(-n // size))


def best_plan(aws, paths=True):
    """Calls per operation of SSO Admin, Identity Store and Organizations, from the truth (specification, ch. 12)."""
    t = aws.center()
    active = {a["id"] for a in t["accounts"] if a["state"] == "ACTIVE"}
    sets, users, groups = len(t["permission_sets"]), len(t["users"]), len(t["groups"])
    pairs = {(a["id"], p): 0 for a in t["accounts"] for p in a["permission_sets"] if a["id"] in active}
    for row in t["assignments"]:
        if row["account"] in active:
            pairs[row["account"], row["permission_set"]] += 1
    members = {g["id"]: 0 for g in t["groups"]}
    for m in t["memberships"]:
        members[m["group"]] += 1
    provisioned = {p["arn"]: sum(p["arn"] in a["permission_sets"] for a in t["accounts"]) for p in t["permission_sets"]}
    plan = {"sso:ListInstances": 1, "sso:ListPermissionSets": pages(sets), "sso:DescribePermissionSet": sets,
            "sso:ListAccountAssignments": sum(pages(n) for n in pairs.values()),
            "sso:ListManagedPoliciesInPermissionSet": sets, "sso:GetInlinePolicyForPermissionSet": sets,
            "sso:ListCustomerManagedPolicyReferencesInPermissionSet": len({p for _, p in pairs}),
            "identitystore:ListUsers": pages(users), "identitystore:ListGroups": pages(groups),
            "identitystore:ListGroupMemberships": sum(pages(n) for n in members.values()),
            "organizations:ListAccounts": pages(len(t["accounts"]), 20), "organizations:ListRoots": 1,
            "organizations:ListOrganizationalUnitsForParent": 1 + len(t["ous"])}
    if sets < len(active):
        plan["sso:ListAccountsForProvisionedPermissionSet"] = sum(pages(n) for n in provisioned.values())
    else:
        plan["sso:ListPermissionSetsProvisionedToAccount"] = len(active)
    if not paths:
        nodes = [t["root"], *(ou["id"] for ou in t["ous"])]
        plan["organizations:ListAccountsForParent"] = sum(pages(sum(a["parent"] == n for a in t["accounts"]), 20) for n in nodes)
    return plan


@pytest.mark.parametrize("flags", [{}, {"account_paths": "none", "account_state": "state"},
                                   {"account_state": "status", "permission_sets": 24, "seed": 8}])
def test_an_organization(sim, serve, engine, folder, flags):
    dumps = []
    for workers in (1, 8):
        aws = sim(**{**MEDIUM, **flags})
        result = engine(folder, serve(aws.url, *FAST).target, "--workers", str(workers), name=f"workers{workers}")
        assert result.ok, result.summary
        if workers == 1:
            assert_same(result.lines(), expected(aws))
        assert_no_read_twice(aws)
        assert calls(aws, "sso", "identitystore", "organizations") == best_plan(aws, flags.get("account_paths") != "none")
        assert not any("ListParents" in op for op in aws.counters())
        dumps.append(result.dump.read_bytes())
    assert dumps[0] == dumps[1]


def test_the_worked_example(sim, serve, engine, folder):
    aws = sim(**LARGE)
    server = serve(aws.url, *FAST)
    result = engine(folder, server.target, "--workers", "8")
    assert result.ok, result.summary
    made = calls(aws, "sso", "identitystore", "organizations")
    of_sso = sum(n for op, n in made.items() if op.startswith("sso:"))
    print(f"SSO Admin calls: {of_sso}, largest reply: {result.summary['max_reply_bytes']} bytes, "
          f"server RSS: {server.rss_kb()} kB, {result.summary['elapsed_ms']} ms")
    assert of_sso <= LARGE_MAX_SSO_CALLS, made
    assert made == best_plan(aws)
    assert_no_read_twice(aws)
    assert_same(result.lines(), expected(aws))
    assert result.summary["max_reply_bytes"] < 4 << 20


def test_throttling_and_errors_change_nothing(sim, serve, engine, folder):
    aws = sim(**MEDIUM, throttle_percent=10, error_percent=5)
    result = engine(folder, serve(aws.url, *FAST).target, "--workers", "4")
    assert result.ok, result.summary
    assert_same(result.lines(), expected(aws))
    assert_no_read_twice(aws)


def test_killed_at_random_moments(sim, serve, engine, folder):
    """Five times, by kill -9: page tokens do not live in a process."""
    aws = sim(**MEDIUM, latency_ms=30)
    server = serve(aws.url, *FAST, may_fail=True)
    dice, kills = random.Random(4), 0
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(engine, folder, server.target, "--wait-for-ready", "--workers", "2")
        while not run.done() and kills < 5:
            time.sleep(dice.uniform(0.2, 0.6))
            if run.done():
                break
            server.kill()
            kills += 1
            server = serve(aws.url, *FAST, listen=server.target, may_fail=True)
        result = run.result()
    assert kills == 5, "the sync was over too early: make the organization larger"
    assert result.ok, result.summary
    assert_same(result.lines(), expected(aws))
