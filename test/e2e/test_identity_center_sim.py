"""The real engine syncs Identity Center in the simulator: the same result under throttling, errors and restarts, in as many calls
as the best plan needs, none of them twice."""

import json

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
            "sso:ListCustomerManagedPolicyReferencesInPermissionSet": sets,
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
    totals, dumps = [], []
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
