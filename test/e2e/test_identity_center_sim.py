"""The real engine syncs Identity Center in the simulator: the same result under throttling, errors and restarts, in as many calls
as the best plan needs, none of them twice."""

import json
import os
import random
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import truth, truth_identity_center
from support.compare import assert_same
from support.wire import msg, rid

IAM = {"users": 5, "roles": 6, "groups": 2, "policies": 2}
MEDIUM = {**IAM, "accounts": 20, "permission_sets": 12, "permission_sets_per_account": 5, "sso_users": 200, "sso_groups": 40,
          "ous": 8, "ou_depth": 3, "suspended": 2, "large_assignments": 1, "seed": 3}
LARGE = {**IAM, "accounts": 200, "permission_sets": 60, "permission_sets_per_account": 15, "sso_users": 5000,
         "sso_groups": 800, "ous": 40, "ou_depth": 3}
LARGE_MAX_SSO_CALLS = 3310
# Fewer users and groups than pairs of account and permission set: assignments are asked for by principal.
FEW_PRINCIPALS = {**MEDIUM, "permission_sets_per_account": 9, "sso_users": 50, "sso_groups": 6}
ON = ("--global-aws-orgs-enabled", "--global-aws-sso-enabled")
FAST = (*ON, "--aws-quota-percent", "10000")
SYNC_ID = "0e2ee2ee2ee2ee2ee2ee2ee2ee2"


def expected(aws, own=0):
    """All a sync holds: of Identity Center, and of the IAM of the connector's own account."""
    center = aws.center()
    return truth.expected(aws.truth(account=center["accounts"][own]["id"])) + truth_identity_center.expected(center)


def assert_no_read_twice(aws):
    repeats = aws.get("repeats")
    assert repeats["lost"] == 0
    assert repeats["repeats"] == [], json.dumps(repeats["repeats"], indent=1)[:4000]


def calls(aws, *services):
    return {op: n["calls"] for op, n in aws.counters().items() if op.split(":")[0] in services}


def best_plan(aws, paths=True, page=100):
    """Calls per operation of SSO Admin, Identity Store and Organizations, from the truth (specification, ch. 12). page: items of one, but
    of Organizations."""
    def pages(n, size=page):
        return max(1, -(-n // size))

    t = aws.center()
    active = {a["id"] for a in t["accounts"] if a["state"] == "ACTIVE"}
    sets, users, groups = len(t["permission_sets"]), len(t["users"]), len(t["groups"])
    pairs = {(a["id"], p): 0 for a in t["accounts"] for p in a["permission_sets"] if a["id"] in active}
    for row in t["assignments"]:
        if row["account"] in active:
            pairs[row["account"], row["permission_set"]] += 1
    of_principal = Counter(row["principal_id"] for row in t["assignments"])
    groups_of = defaultdict(list)
    for m in t["memberships"]:
        groups_of[m["user"]].append(m["group"])
    members = {g["id"]: 0 for g in t["groups"]}
    for m in t["memberships"]:
        members[m["group"]] += 1
    provisioned = {p["arn"]: sum(p["arn"] in a["permission_sets"] for a in t["accounts"]) for p in t["permission_sets"]}
    plan = {"sso:ListInstances": 1, "sso:ListPermissionSets": pages(sets), "sso:DescribePermissionSet": sets,
            "sso:ListManagedPoliciesInPermissionSet": sets, "sso:GetInlinePolicyForPermissionSet": sets,
            "sso:ListCustomerManagedPolicyReferencesInPermissionSet": len({p for _, p in pairs}),
            "identitystore:ListUsers": pages(users), "identitystore:ListGroups": pages(groups),
            "identitystore:ListGroupMemberships": sum(pages(n) for n in members.values()),
            "organizations:ListAccounts": pages(len(t["accounts"]), 20), "organizations:ListRoots": 1,
            "organizations:ListOrganizationalUnitsForParent": 1 + len(t["ous"])}
    if users + groups < len(pairs):  # a user's answer has the rows of his groups, too
        plan["sso:ListAccountAssignmentsForPrincipal"] = sum(pages(of_principal[g["id"]]) for g in t["groups"]) + sum(
            pages(sum(of_principal[p] for p in [u["id"], *groups_of[u["id"]]])) for u in t["users"])
    else:
        plan["sso:ListAccountAssignments"] = sum(pages(n) for n in pairs.values())
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
    whole_sync(sim, serve, engine, folder, {**MEDIUM, **flags})


def test_an_organization_of_few_principals(sim, serve, engine, folder):
    """Assignments cost one call for each user and group, and those of further pages, instead of one for each pair."""
    made = whole_sync(sim, serve, engine, folder, FEW_PRINCIPALS)
    assert "sso:ListAccountAssignments" not in made
    assert 56 < made["sso:ListAccountAssignmentsForPrincipal"] < 9 * 18, "pairs of active accounts"


def whole_sync(sim, serve, engine, folder, organization):
    """One cursor, then eight: the truth, by the best plan, byte by byte the same. Returns the calls."""
    dumps = []
    for workers in (1, 8):
        aws = sim(**organization)
        result = engine(folder, serve(aws.url, *FAST).target, "--workers", str(workers), name=f"workers{workers}")
        assert result.ok, result.summary
        if workers == 1:
            assert_same(result.lines(), expected(aws))
        assert_no_read_twice(aws)
        made = calls(aws, "sso", "identitystore", "organizations")
        assert made == best_plan(aws, organization.get("account_paths") != "none")
        assert not any("ListParents" in op for op in aws.counters())
        dumps.append(result.dump.read_bytes())
    assert dumps[0] == dumps[1]
    return made


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


def principals_asked(aws):
    return aws.counters().get("sso:ListAccountAssignmentsForPrincipal", {"calls": 0})["calls"]


def test_principals_with_too_many_pages(sim, serve, engine, folder):
    """There are fewer principals than pairs, but each user's answer has so many pages that pairs are cheaper: seen after a few."""
    aws = sim(**FEW_PRINCIPALS, page_limit=10)
    result = engine(folder, serve(aws.url, *FAST).target, "--workers", "4")
    assert result.ok, result.summary
    assert_same(result.lines(), expected(aws))
    assert 32 <= principals_asked(aws) < best_plan(aws, page=10)["sso:ListAccountAssignmentsForPrincipal"]
    assert_no_read_twice(aws)


def test_principals_are_deleted_and_still_assigned(sim, serve, engine, folder):
    """AWS keeps such assignments. By principals they cannot be found; they give access to nobody."""
    aws = sim(**FEW_PRINCIPALS)
    rows = aws.center()["assignments"]
    gone = {kind: next(r["principal_id"] for r in rows if r["principal_type"] == kind) for kind in ("USER", "GROUP")}
    aws.mutate({"delete": "sso_user", "id": gone["USER"]}, {"delete": "sso_group", "id": gone["GROUP"]})
    result = engine(folder, serve(aws.url, *FAST).target, "--workers", "4")
    assert result.ok and principals_asked(aws), result.summary
    want = expected(aws)
    left = [line for line in want if not any(f"/{i}" in line for i in gone.values())]
    assert len(left) < len(want)
    assert_same(result.lines(), left)


@pytest.mark.parametrize("rules, flags, own, most", [
    ([{"op": "sso:ListAccountAssignmentsForPrincipal", "action": "error", "status": 400, "code": "AccessDeniedException",
       "message": "not authorized"}], {}, 0, 16),
    ([], {"delegated_administrator": True}, 1, 0)], ids=["by policy", "delegated administrator"])
def test_principals_may_not_be_asked_for(sim, serve, engine, folder, rules, flags, own, most):
    aws = sim(**FEW_PRINCIPALS, **flags)
    aws.faults(*rules)
    server = serve(aws.url, *FAST)
    result = engine(folder, server.target, "--workers", "8")
    assert result.ok, result.summary
    assert_same(result.lines(), expected(aws, own))
    assert principals_asked(aws) <= most, "asked once, several together"
    assert aws.counters()["sso:ListAccountAssignments"]["calls"] >= 9 * 18
    warned = [line for line in server.output().splitlines() if "ListAccountAssignmentsForPrincipal" in line]
    assert len(warned) == (most > 0), warned


@pytest.mark.parametrize("flags, sync_id", [
    (("--sync-resource-types", "account,sso_group,permission_set,permission_set_assignment"), SYNC_ID), ((), "")],
    ids=["users are not synced", "without a sync"])
def test_the_directory_is_not_read_for_the_choice_alone(sim, serve, connect, flags, sync_id):
    aws = sim(**FEW_PRINCIPALS)
    account = next(a["id"] for a in aws.center()["accounts"] if a["state"] == "ACTIVE" and a["permission_sets"])
    reply = connect(serve(aws.url, *FAST, *flags)).call("GrantsService/ListGrants", msg(
        "GrantsServiceListGrantsRequest", resource=msg("Resource", id=rid("account", account)), active_sync_id=sync_id))
    assert reply.list
    assert calls(aws, "identitystore") == {} and principals_asked(aws) == 0


# For storms and kills. The large one takes minutes: asked for with BATON_TEST_LARGE=1.
ORGANIZATIONS = [pytest.param(MEDIUM, id="pairs"), pytest.param(FEW_PRINCIPALS, id="principals")]
if os.environ.get("BATON_TEST_LARGE"):
    ORGANIZATIONS.append(pytest.param(LARGE, id="large"))
QUIET = {}  # the dump of an undisturbed sync, once for each organization


def assert_as_quiet(sim, serve, engine, folder, organization, result):
    key = json.dumps(organization)
    if key not in QUIET:
        aws = sim(**organization)
        quiet = engine(folder, serve(aws.url, *FAST).target, "--workers", "8", name="quiet")
        assert quiet.ok, quiet.summary
        assert_same(quiet.lines(), expected(aws))
        QUIET[key] = quiet
    assert_same(result.lines(), QUIET[key].lines())
    assert result.dump.read_bytes() == QUIET[key].dump.read_bytes()


def tell(what, aws, result):
    print(f"{what}: {aws.counters()['total']} AWS calls, {result.summary['elapsed_ms'] / 1000:.1f} s, {len(result.lines())} objects")


@pytest.mark.parametrize("organization", ORGANIZATIONS)
def test_throttling_and_errors_change_nothing(sim, serve, engine, folder, organization):
    aws = sim(**organization, throttle_percent=10, error_percent=5)
    result = engine(folder, serve(aws.url, *FAST).target, "--workers", "4")
    assert result.ok, result.summary
    tell("10 % throttled, 5 % errors", aws, result)
    assert_as_quiet(sim, serve, engine, folder, organization, result)
    assert_no_read_twice(aws)


@pytest.mark.parametrize("organization", ORGANIZATIONS)
def test_killed_at_random_moments(sim, serve, engine, folder, organization):
    """Five times, by kill -9: page tokens do not live in a process."""
    between = (1, 5) if organization is LARGE else (0.2, 0.6)  # s

    def kills():
        aws = sim(**organization, latency_ms=30)
        server = serve(aws.url, *FAST, may_fail=True)
        dice, n = random.Random(4), 0
        with ThreadPoolExecutor(1) as pool:
            run = pool.submit(engine, folder, server.target, "--wait-for-ready", "--workers", "2")
            server.wait_until(lambda: run.done() or "ListResourceTypes" in server.output(), "past Validate, which is not asked for again")
            while n < 5:
                time.sleep(dice.uniform(*between))
                if run.done():
                    break
                server.kill()
                n += 1
                server = serve(aws.url, *FAST, listen=server.target, may_fail=True)
            result = run.result()
        assert result.ok, result.summary
        tell(f"killed {n} times", aws, result)
        assert_as_quiet(sim, serve, engine, folder, organization, result)
        return n
    assert any(kills() == 5 for _ in range(5)), "the sync is over too early: make the organization larger"


# --- page tokens ---

def listing(client, path, request, between):
    """Items of all pages; between(n) happens after each page."""
    items, n = [], 0
    while True:
        reply = client.call(path, request, timeout=120)
        items += reply.list
        if not reply.next_page_token:
            return items
        n += 1
        between(n)
        request.page_token = reply.next_page_token


@pytest.mark.parametrize("what", ["permission_set", "entitlement", "assignment", "account_grant", "user"])
def test_a_page_asked_again_after_everything_was_forgotten(sim, serve, connect, what):
    """The server is killed between pages, with it all it knew, while permission sets come and go: of the others, each is listed once."""
    aws = sim(**{**MEDIUM, "permission_sets": 40, "permission_sets_per_account": 30})
    first = serve(aws.url, *FAST, may_fail=True)
    state = {"server": first, "client": connect(first)}
    center = aws.center()
    account = next(a for a in center["accounts"][1:] if a["state"] == "ACTIVE")
    sets = sorted(account["permission_sets"])
    gone = {sets[0], sets[3], sets[-1]}  # listed already, about to be, much later
    about = msg("Resource", id=rid("account", account["id"]))
    path, request = {
        "permission_set": ("ResourcesService/ListResources", msg("ResourcesServiceListResourcesRequest",
                           resource_type_id="permission_set", page_size=7)),
        "user": ("ResourcesService/ListResources", msg("ResourcesServiceListResourcesRequest", resource_type_id="sso_user",
                 page_size=60)),
        "assignment": ("ResourcesService/ListResources", msg("ResourcesServiceListResourcesRequest", page_size=7,
                       resource_type_id="permission_set_assignment", parent_resource_id=about.id)),
        "entitlement": ("EntitlementsService/ListEntitlements", msg("EntitlementsServiceListEntitlementsRequest",
                        resource=about, page_size=9)),
        "account_grant": ("GrantsService/ListGrants", msg("GrantsServiceListGrantsRequest", resource=about, page_size=9)),
    }[what]
    request.active_sync_id = SYNC_ID

    class Reconnecting:
        def call(self, *args, **kwargs):
            return state["client"].call(*args, **kwargs)

    def restart(n):
        if n == 1:
            aws.mutate(*({"delete": "permission_set", "arn": arn} for arn in gone),
                       {"create": "permission_set", "name": "JustMade", "accounts": [account["id"]]})
        if n <= 2:
            state["server"].kill()
            state["server"] = serve(aws.url, *FAST, listen=state["server"].target, may_fail=True)
            state["client"] = connect(state["server"])

    def identity(item):
        return item.id if isinstance(item.id, str) else item.id.resource

    got = [identity(item) for item in listing(Reconnecting(), path, request, restart)]
    new = {p["arn"] for p in aws.center()["permission_sets"]} - {p["arn"] for p in center["permission_sets"]}
    assert len(new) == 1
    changed = tuple(gone | new)
    rows = [r for r in center["assignments"] if r["account"] == account["id"]]
    whole = truth_identity_center.Center(center)
    want = {"permission_set": [p["arn"] for p in center["permission_sets"]],
            "user": [whole.arn("user", u["id"]) for u in center["users"]],
            "assignment": [f"{arn}-{account['id']}" for arn in account["permission_sets"]],
            "entitlement": [f"{account['id']}|{p['arn']}" for p in center["permission_sets"]],
            "account_grant": [whole.holder(r, "account", r["account"], f"{r['account']}|{r['permission_set']}")["id"]
                              for r in rows]}[what]

    def others(ids):
        return sorted(i for i in ids if not any(arn in i for arn in changed))

    assert len(got) == len(set(got)), "something was listed twice"
    assert others(got) == others(want)


# --- what may not be read, and what is not there ---

SMALL = {**IAM, "accounts": 7, "permission_sets": 5, "permission_sets_per_account": 3, "sso_users": 30, "sso_groups": 6,
         "ous": 3, "ou_depth": 2, "large_assignments": 0, "seed": 11}


def denial(op, **more):
    return {"op": op, "action": "error", "status": 400, "code": "AccessDeniedException", "message": f"not authorized: {op}", **more}


def not_found(op, **more):
    return {"op": op, "action": "error", "status": 400, "code": "ResourceNotFoundException", "message": "it is gone", **more}


def sync_with(rules, sim, serve, engine, folder, *flags, **organization):
    aws = sim(**{**SMALL, **organization})
    aws.faults(*rules)
    server = serve(aws.url, *FAST, *flags, may_fail=True)
    return aws, server, engine(folder, server.target, "--workers", "4")


@pytest.mark.parametrize("op, instead", [
    ("sso:ListAccountsForProvisionedPermissionSet", "sso:ListPermissionSetsProvisionedToAccount"),
    ("organizations:ListAccountsForParent", "organizations:ListParents")])
def test_the_cheaper_operation_is_denied(sim, serve, engine, folder, op, instead):
    aws, server, result = sync_with([denial(op)], sim, serve, engine, folder, account_paths="none")
    assert result.ok, result.summary
    assert_same(result.lines(), expected(aws))
    counters = aws.counters()
    assert counters[instead]["calls"] == 7
    assert counters[op]["calls"] <= 5, "asked once, for all permission sets or units together"
    assert sum(op.split(":")[1] in line for line in server.output().splitlines() if '"warn"' in line) == 1


def is_managed_policy_grant(line):
    return line["kind"] == "grant" and ":iam::aws:policy/" in line["id"] and ":attached:permission_set" in line["id"]


@pytest.mark.parametrize("op, lost", [
    ("sso:ListManagedPoliciesInPermissionSet", is_managed_policy_grant),
    ("sso:ListCustomerManagedPolicyReferencesInPermissionSet", lambda x: x["kind"] == "grant"
     and ":attached:permission_set_assignment:" in x["id"] and ":iam::aws:policy/" not in x["id"]),
    ("sso:GetInlinePolicyForPermissionSet", lambda x: "::inline::inline" in json.dumps(x["id"]) and "permissionSet/" in
     json.dumps(x["id"]))])
def test_policies_of_permission_sets_are_denied(sim, serve, engine, folder, op, lost):
    """These alone may be missing, because deployments older than the feature do not permit them: said in the log, or an error."""
    aws, server, result = sync_with([denial(op)], sim, serve, engine, folder)
    assert result.ok, result.summary
    assert_same(result.lines(), [line for line in expected(aws) if not lost(json.loads(line))])
    assert sum(op.split(":")[1] in line for line in server.output().splitlines() if '"warn"' in line) == 1
    _, _, strict = sync_with([denial(op)], sim, serve, engine, folder, "--require-all-permissions")
    assert not strict.ok and strict.summary["code"] == "PermissionDenied", strict.summary


@pytest.mark.parametrize("op", [
    "sso:ListInstances", "sso:ListPermissionSets", "sso:DescribePermissionSet", "sso:ListAccountAssignments", "identitystore:ListUsers",
    "identitystore:ListGroups", "identitystore:ListGroupMemberships", "organizations:ListAccounts"])
def test_other_denials_fail_the_sync(sim, serve, engine, folder, op):
    _, _, result = sync_with([denial(op)], sim, serve, engine, folder)
    assert not result.ok and result.summary["code"] == "PermissionDenied", result.summary
    assert op.split(":")[1] in result.summary["error"]


@pytest.mark.parametrize("op, kind", [("sso:DescribePermissionSet", "permission_sets"),
                                      ("sso:ListAccountsForProvisionedPermissionSet", "permission_sets"),
                                      ("sso:ListManagedPoliciesInPermissionSet", "permission_sets"),
                                      ("sso:ListAccountAssignments", "accounts"), ("identitystore:ListGroupMemberships", "groups")])
def test_one_of_many_is_denied(sim, serve, engine, folder, op, kind):
    """By a policy with conditions. Some without the others would be a partial answer."""
    aws = sim(**SMALL)
    one = aws.center()[kind][1]
    aws.faults(denial(op, match=one["arn" if kind == "permission_sets" else "id"]))
    server = serve(aws.url, *FAST, may_fail=True)
    result = engine(folder, server.target, "--workers", "4")
    if op == "sso:ListAccountsForProvisionedPermissionSet":  # there is another way
        assert result.ok, result.summary
        assert_same(result.lines(), expected(aws))
    elif op == "sso:ListManagedPoliciesInPermissionSet" and result.ok:  # it was asked for first, which decides for all of them
        assert_same(result.lines(), [line for line in expected(aws) if not is_managed_policy_grant(json.loads(line))])
        assert "ListManagedPoliciesInPermissionSet" in server.output()
    else:
        assert not result.ok and result.summary["code"] == "PermissionDenied", result.summary


def test_the_tree_is_denied(sim, serve, engine, folder):
    """Accounts stay, the tree is missing: as specified, with a warning."""
    aws, server, result = sync_with([denial("organizations:ListRoots")], sim, serve, engine, folder)
    assert result.ok, result.summary
    nodes = ("organization", "organizational_unit")
    want = [line for line in expected(aws) if not (
        json.loads(line)["kind"] == "resource" and json.loads(line)["id"]["resourceType"] in nodes)]
    assert_same(result.lines(), want)
    assert sum("ListRoots" in line for line in server.output().splitlines() if '"warn"' in line) == 1


def test_a_delegated_administrator(sim, serve, engine, folder):
    aws, _, result = sync_with([], sim, serve, engine, folder, delegated_administrator=True)
    assert result.ok, result.summary
    assert_same(result.lines(), expected(aws, own=1))


def test_no_instance(sim, serve, engine, folder):
    _, _, result = sync_with([], sim, serve, engine, folder, instances=0)
    assert not result.ok and result.summary["code"] == "FailedPrecondition", result.summary
    assert "baton-aws: no Identity Instance found" in result.summary["error"]


@pytest.mark.parametrize("own, flags", [(0, {}), (1, {"delegated_administrator": True})])
def test_two_instances(sim, serve, engine, folder, own, flags):
    """The organization's own is meant, wherever it stands in the list, and whoever asks."""
    aws, _, result = sync_with([], sim, serve, engine, folder, instances=2, **flags)
    assert result.ok, result.summary
    assert_same(result.lines(), expected(aws, own))


def test_two_instances_and_none_is_known_to_be_the_organizations(sim, serve, engine, folder):
    aws = sim(**SMALL, instances=2)
    for i in aws.center()["instances"]:
        aws.mutate({"instance": i["arn"], "owner": aws.center()["accounts"][0]["id"], "status": "ACTIVE"})
    result = engine(folder, serve(aws.url, *FAST).target)
    assert not result.ok and result.summary["code"] == "FailedPrecondition", result.summary
    assert all(i["arn"] in result.summary["error"] for i in aws.center()["instances"])


@pytest.mark.parametrize("op", ["sso:ListPermissionSets", "identitystore:ListUsers", "identitystore:ListGroups"])
def test_the_instance_or_its_directory_is_gone(sim, serve, engine, folder, op):
    _, _, result = sync_with([not_found(op)], sim, serve, engine, folder)
    assert not result.ok and result.summary["code"] == "FailedPrecondition", result.summary


def test_a_permission_set_is_deleted_in_the_middle(sim, serve, engine, folder):
    """Listed, but gone when it is described: the others are whole."""
    aws = sim(**SMALL)
    gone = aws.center()["permission_sets"][2]["arn"]
    aws.faults(*(not_found(f"sso:{op}", match=gone) for op in (
        "DescribePermissionSet", "ListAccountsForProvisionedPermissionSet", "ListAccountAssignments",
        "ListManagedPoliciesInPermissionSet", "ListCustomerManagedPolicyReferencesInPermissionSet",
        "GetInlinePolicyForPermissionSet")))
    result = engine(folder, serve(aws.url, *FAST).target, "--workers", "4")
    assert result.ok, result.summary
    assert_same(result.lines(), [line for line in expected(aws) if gone not in line])


@pytest.mark.parametrize("op", [
    "DescribePermissionSet", "ListAccountsForProvisionedPermissionSet", "ListAccountAssignments",
    "ListManagedPoliciesInPermissionSet", "ListCustomerManagedPolicyReferencesInPermissionSet",
    "GetInlinePolicyForPermissionSet"])
def test_a_permission_set_vanishes_before_one_operation(sim, serve, engine, folder, op):
    """Whatever the moment: nothing of another permission set is missing."""
    aws = sim(**SMALL)
    gone = aws.center()["permission_sets"][2]["arn"]
    aws.faults(not_found(f"sso:{op}", match=gone))
    result = engine(folder, serve(aws.url, *FAST).target, "--workers", "4")
    assert result.ok, result.summary
    assert_same([line for line in result.lines() if gone not in line], [line for line in expected(aws) if gone not in line])


def test_a_group_is_deleted_in_the_middle(sim, serve, engine, connect, folder):
    aws = sim(**SMALL)
    group = aws.center()["groups"][1]["id"]
    aws.faults(not_found("identitystore:ListGroupMemberships", match=group))
    server = serve(aws.url, *FAST)
    arn = truth_identity_center.Center(aws.center()).arn("group", group)
    error = connect(server).fails("GrantsService/ListGrants", msg(
        "GrantsServiceListGrantsRequest", resource=msg("Resource", id=rid("sso_group", arn)), active_sync_id=SYNC_ID))
    assert error.code().name == "NOT_FOUND", error
    result = engine(folder, server.target)
    assert result.ok, result.summary
    assert_same(result.lines(), [line for line in expected(aws) if f'"grant"' not in line or f"grant:membership:{arn}" not in line])


@pytest.mark.parametrize("resource", ["", "arn:", "arn:aws:identitystore:us-east-1::d-0123456789/user/0",
                                      "arn:aws:identitystore:us-east-1::d-0/group/"])
def test_what_is_no_group(sim, serve, connect, resource):
    error = connect(serve(sim(**SMALL).url, *FAST)).fails("GrantsService/ListGrants", msg(
        "GrantsServiceListGrantsRequest", resource=msg("Resource", id=rid("sso_group", resource)), active_sync_id=SYNC_ID))
    assert error.code().name == "INVALID_ARGUMENT", error
