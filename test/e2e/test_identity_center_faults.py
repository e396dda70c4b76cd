"""Every operation of SSO Admin, Identity Store and Organizations that a sync uses, crossed with everything that can go wrong with it:
a crawl says so, or gives the whole truth (see test_faults.py, whose faults these are)."""

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

import test_faults
from support import wire
from support.aws import Sim
from support.crawl import crawl
from support.paths import AWS_SIM, BATON_AWSD, WORK
from support.server import Server

ORGANIZATION = {"users": 2, "roles": 2, "groups": 1, "policies": 1, "accounts": 6, "permission_sets": 3,
                "permission_sets_per_account": 2, "sso_users": 7, "sso_groups": 3, "ous": 3, "ou_depth": 2, "large_assignments": 0,
                "account_paths": "none", "seed": 5}
FLAGS = ("--global-aws-orgs-enabled", "--global-aws-sso-enabled", "--aws-quota-percent", "10000")
OPERATIONS = ["sso:ListInstances", "sso:ListPermissionSets", "sso:DescribePermissionSet", "sso:ListAccountsForProvisionedPermissionSet",
              "sso:ListAccountAssignmentsForPrincipal", "sso:ListManagedPoliciesInPermissionSet",
              "sso:ListCustomerManagedPolicyReferencesInPermissionSet", "sso:GetInlinePolicyForPermissionSet",
              "identitystore:ListUsers", "identitystore:ListGroups", "identitystore:ListGroupMemberships",
              "organizations:ListAccounts", "organizations:ListRoots", "organizations:ListOrganizationalUnitsForParent",
              "organizations:ListAccountsForParent"]
# What is asked when the cheaper operation is denied.
NARROW = {"sso:ListPermissionSetsProvisionedToAccount": "sso:ListAccountsForProvisionedPermissionSet",
          "sso:ListAccountAssignments": "sso:ListAccountAssignmentsForPrincipal",
          "organizations:ListParents": "organizations:ListAccountsForParent"}
FAULTS = {**test_faults.FAULTS,
          "not-found": test_faults.error(400, "ResourceNotFoundException"),
          "access-denied": test_faults.error(400, "AccessDeniedException", "User: x is not authorized to perform: it"),
          "throttling": test_faults.error(400, "ThrottlingException", "Rate exceeded"),
          "expired": test_faults.error(400, "ExpiredTokenException", "The security token included in the request is expired"),
          "bad-key": test_faults.error(400, "UnrecognizedClientException"),
          "500": test_faults.error(500, "InternalServerException"),
          "bad-input": test_faults.error(400, "ValidationException")}

# The policy side, and the tree, may be denied; there is another way where a cheaper operation is denied.
POLICIES = {"sso:ListManagedPoliciesInPermissionSet", "sso:ListCustomerManagedPolicyReferencesInPermissionSet",
            "sso:GetInlinePolicyForPermissionSet"}
TREE = {"organizations:ListRoots", "organizations:ListOrganizationalUnitsForParent", "organizations:ListParents"}
OTHER_WAY = set(NARROW.values())
# Asked for a thing that was listed before: not found means that it is gone since, alone.
OF_A_THING = POLICIES | OTHER_WAY | set(NARROW) | {"sso:DescribePermissionSet", "identitystore:ListGroupMemberships",
                                                   "organizations:ListOrganizationalUnitsForParent"}
# JSON has no mark of a page that is cut off: a list that ends is whole. Of faults that differ for IAM's XML alone, one of each is enough.
ELSEWHERE = {"no-marker", "503", "bad-key", "cut", "empty"}
COMBINATIONS = [(op, fault) for op in [*OPERATIONS, *NARROW] for fault in FAULTS if fault not in ELSEWHERE]


def rules(op, fault):
    cheaper = [{"op": NARROW[op], **FAULTS["access-denied"]}] if op in NARROW else []
    return [{"op": op, **FAULTS[fault]}, *cheaper]


def run(folder, name, rules):
    where = folder / name.replace(":", "-")
    where.mkdir(parents=True)
    aws = server = None
    try:
        aws = Sim(where, **ORGANIZATION)
        aws.faults(*rules)
        server = Server(where, aws.url, *FLAGS, env={"AWS_MAX_ATTEMPTS": "2"})
        server.wait_listening()
        client = server.client()
        try:
            result = crawl(client)
        finally:
            client.close()
        rc = server.stop()
        assert rc == 0, f"the server ended with {rc}"
        result.warnings = [line for line in server.output().splitlines() if '"level":"warn"' in line]
        return result
    except Exception as problem:  # told by the test of this combination
        return AssertionError(f"{problem}\n{server.tail() if server else ''}")
    finally:
        for process in (server, aws):
            if process:
                process.kill()


@pytest.fixture(scope="module")
def results(request):
    if not BATON_AWSD.exists() or not AWS_SIM.exists():
        from conftest import skip
        skip("the server or the simulator is not built")
    folder = WORK / "test_identity_center_faults"
    shutil.rmtree(folder, ignore_errors=True)
    jobs = {"baseline": [], **{f"{op}-{fault}": rules(op, fault) for op, fault in COMBINATIONS}}
    wanted = {item.callspec.id for item in request.session.items if item.path == request.path and hasattr(item, "callspec")}
    jobs = {k: v for k, v in jobs.items() if k == "baseline" or k in wanted}
    wire.pool()  # once, before the threads
    with ThreadPoolExecutor(24) as pool:
        return dict(zip(jobs, pool.map(lambda job: run(folder, *job), jobs.items())))


def result_of(results, name):
    if isinstance(results[name], Exception):
        raise results[name]
    return results[name]


@pytest.mark.parametrize("op, fault", COMBINATIONS, ids=lambda v: v)
def test_operation_and_fault(results, op, fault):
    whole, got = result_of(results, "baseline"), result_of(results, f"{op}-{fault}")
    assert not whole.errors and len(whole.ids) > 60
    if fault == "access-denied" and op in OTHER_WAY:
        assert not got.errors and got.ids == whole.ids
        return
    if fault == "access-denied" and op in POLICIES | TREE:
        assert not got.errors and (got.ids < whole.ids or op == "organizations:ListParents")
        assert any(op.split(":")[1] in line for line in got.warnings), got.warnings
        return
    if fault == "not-found" and op in OF_A_THING:
        assert got.codes <= {"NOT_FOUND"} and got.ids <= whole.ids
        assert got.errors or any(op.split(":")[1] in line for line in got.warnings), "left out in silence"
        return
    test_faults.assert_whole_or_told(got, whole, test_faults.EXPECTED[fault], f"{op} {fault}")
    for e in got.errors:
        assert e.text.startswith("error: listing "), e
        if fault == "access-denied":
            assert op.split(":")[1] in e.text, f"the missing permission is not named: {e.text}"
        if fault == "throttling":
            assert [d.DESCRIPTOR.name for d in e.details] == ["RateLimitDescription"], e
