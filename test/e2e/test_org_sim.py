"""The real engine syncs an organization in the simulator: what it stored is the simulator's truth, each fact is read once,
and what an account costs does not depend on how many there are."""

from collections import Counter

import pytest

from support.compare import assert_same
from support.truth import can_be_entered, expected
from support.wire import msg, rid

FLAGS = ["--global-aws-orgs-enabled", "--sync-secrets"]
ORGANIZATION = {"accounts": 12, "suspended": 1, "pending_closure": 1, "denied": 2, "users": 90, "roles": 40, "groups": 12,
                "policies": 9, "child_users": 30, "child_roles": 30, "child_groups": 6, "child_policies": 5,
                "aws_policies": 60, "report_polls": 0, "seed": 11}
# The account of spec/iam.md 14.1. There it costs 10,285 calls, 2,800 of them for AWS's catalogue.
WORKED_EXAMPLE = {"users": 1000, "roles": 800, "groups": 50, "policies": 200, "aws_policies": 1400, "seed": 14}


@pytest.mark.parametrize("workers", [1, 8])
def test_an_organization(workers, sim, serve, engine, folder):
    aws = sim(**ORGANIZATION)
    server = serve(aws.url, *FLAGS)
    result = engine(folder, server.target, "--workers", str(workers))
    assert result.ok, result.summary
    truth = aws.truth()
    assert_same(result.lines(), expected(truth, organization=True, secrets=True))
    aws.assert_no_read_twice()
    assert server.output().count("the role of an account cannot be assumed") == ORGANIZATION["denied"]
    calls = aws.counters(by="account")
    for account in truth["accounts"][1:]:
        assert any(op.startswith("iam:") for op in calls.get(account["id"], {})) == can_be_entered(account), account["id"]


def test_only_attached_policies(sim, serve, engine, connect, folder):
    """Each of AWS's policies that an account of the sync has attached is listed once, and at the same place when it is asked for
    again."""
    aws = sim(**ORGANIZATION)
    server = serve(aws.url, *FLAGS, "--sync-only-attached-policies")
    truth = aws.truth()
    result = engine(folder, server.target, "--workers", "4")
    assert result.ok, result.summary
    assert_same(result.lines(), expected(truth, organization=True, secrets=True, only_attached=True))
    aws.assert_no_read_twice()

    client = connect(server)
    synced = [truth["accounts"][0]] + [a for a in truth["accounts"][1:] if can_be_entered(a)]
    attached = {p["arn"] for a in synced for e in a["users"] + a["roles"] + a["groups"] for p in e["attached"]}

    def listed(parent):
        request = msg("ResourcesServiceListResourcesRequest", resource_type_id="iam_policy",
                      active_sync_id="0attachedattachedattached00")
        if parent:
            request.parent_resource_id.CopyFrom(rid("account_iam", parent))
        return [r.id.resource for r in client.pages("ResourcesService/ListResources", request)]

    first = {a["id"]: listed(None if a is synced[0] else a["id"]) for a in synced}
    assert first == {a["id"]: listed(None if a is synced[0] else a["id"]) for a in reversed(synced)}
    assert Counter(arn for arns in first.values() for arn in arns) == Counter(attached)


def test_the_cost_of_the_worked_example(sim, serve, engine, folder):
    aws = sim(**WORKED_EXAMPLE)
    server = serve(aws.url, "--aws-quota-percent", "10000")  # else the documents take half a minute
    first = engine(folder, server.target, "--workers", "4", name="first")
    assert first.ok, first.summary
    assert first.summary["counts"]["resource"]["iam_policy"] == 1600
    calls = aws.counters()
    documents = calls["iam:GetPolicyVersion"]["calls"]
    print(f"{calls['total']} AWS calls, {documents} of them for documents")
    assert documents <= 1400
    assert calls["total"] - documents <= 60, calls
    aws.assert_no_read_twice()

    # A document never changes, so the next sync has it.
    aws.reset()
    second = engine(folder, server.target, "--workers", "4", name="second")
    assert second.ok, second.summary
    assert second.dump.read_bytes() == first.dump.read_bytes()
    calls = aws.counters()
    assert calls["total"] <= 60 and "iam:GetPolicyVersion" not in calls, calls


def test_an_account_costs_the_same_in_any_company(sim, serve, engine, folder):
    """With 0, 50 and 100 other accounts. ListAccounts gives 20 a page."""
    totals = []
    for others in (0, 50, 100):
        aws = sim(accounts=1 + others, users=20, roles=15, groups=4, policies=4, child_users=4, child_roles=3, child_groups=2,
                  child_policies=2, report_polls=0, seed=3)
        result = engine(folder, serve(aws.url, "--global-aws-orgs-enabled").target, "--workers", "4", name=f"with-{others}")
        assert result.ok, result.summary
        assert result.summary["counts"]["resource"]["iam_user"] == 20 + 4 * others
        aws.assert_no_read_twice()
        calls = aws.counters()
        assert calls["organizations:ListAccounts"]["calls"] == 1 + others // 20
        assert calls.get("sts:AssumeRole", {"calls": 0})["calls"] == others
        totals.append(sum(n["calls"] for op, n in calls.items() if op.startswith("iam:")))
    none, fifty, hundred = totals
    print(f"IAM calls: {totals}")
    assert hundred - fifty == fifty - none
    assert (fifty - none) % 50 == 0 and (fifty - none) // 50 <= 8
