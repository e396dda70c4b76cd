"""Every AWS operation a sync uses, crossed with everything that can go wrong with it. Whatever happens, a crawl either
says what is wrong, with the status the engine needs to do the right thing, or gives the whole truth. Never less that
looks whole (docs/architecture.md, decisions 9 and 10).

Each combination has a simulator and a server of its own; they run many at a time, because they mostly wait.
"""

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import wire
from support.aws import Sim
from support.crawl import crawl
from support.paths import AWS_SIM, BATON_AWSD, WORK
from support.server import Server

ACCOUNT = {"users": 7, "groups": 4, "roles": 9, "policies": 4, "seed": 3}

# Operations by the way an account is read. "narrow" is what is left when the bulk permissions are missing.
BULK = ["GetAccountAuthorizationDetails", "ListUsers", "ListRoles", "GenerateCredentialReport", "GetCredentialReport"]
NARROW = ["ListUsers", "ListGroups", "ListRoles", "GetGroup", "ListAttachedUserPolicies", "ListAttachedGroupPolicies",
          "ListAttachedRolePolicies", "ListUserPolicies", "ListGroupPolicies", "ListRolePolicies", "GetUserPolicy",
          "GetGroupPolicy", "GetRolePolicy", "ListPolicies", "GetPolicy", "GetPolicyVersion", "ListUserTags",
          "ListRoleTags", "ListAccessKeys", "GetAccessKeyLastUsed"]


def error(status, code, message="This fault was asked for."):
    return {"action": "error", "status": status, "code": code, "message": message}


FAULTS = {
    "not-found": error(404, "NoSuchEntity"),
    "access-denied": error(403, "AccessDenied", "User: x is not authorized to perform: it"),
    "throttling": error(400, "Throttling", "Rate exceeded"),
    "expired": error(403, "ExpiredToken", "The security token included in the request is expired"),
    "bad-key": error(403, "InvalidClientTokenId"),
    "500": error(500, "ServiceFailure"),
    "503": error(503, "ServiceUnavailable"),
    "bad-input": error(400, "ValidationError"),
    "unknown-code": error(400, "SomethingNew"),
    "truncated": {"action": "truncate", "bytes": 200},
    "cut": {"action": "cut", "bytes": 200},
    "malformed": {"action": "malformed"},
    "empty": {"action": "empty"},
    "closed": {"action": "close"},
    "no-marker": {"action": "no-marker"},
}
FLAGS = {"no-marker": {"page_limit": 1}}

# What a crawl may say. A whole result is always right where the fact can be had another way, or is enrichment.
EXPECTED = {
    "not-found": {"FAILED_PRECONDITION"},
    "access-denied": {"PERMISSION_DENIED"},
    "throttling": {"UNAVAILABLE"},
    "expired": {"UNAUTHENTICATED"},
    "bad-key": {"UNAUTHENTICATED"},
    "500": {"UNAVAILABLE"},
    "503": {"UNAVAILABLE"},
    "bad-input": {"INVALID_ARGUMENT", "INTERNAL", "FAILED_PRECONDITION", "UNKNOWN"},
    "unknown-code": {"INTERNAL", "FAILED_PRECONDITION", "UNKNOWN", "INVALID_ARGUMENT"},
    "truncated": {"UNAVAILABLE", "INTERNAL"},
    "cut": {"UNAVAILABLE", "INTERNAL"},
    "malformed": {"UNAVAILABLE", "INTERNAL"},
    "empty": {"UNAVAILABLE", "INTERNAL"},
    "closed": {"UNAVAILABLE"},
    "no-marker": {"UNAVAILABLE", "INTERNAL"},
}

# A report that is not there yet is an answer 404: without its body the code is gone, and only the status is left.
EXCEPTIONS = {("GetCredentialReport", fault): {"FAILED_PRECONDITION"} for fault in ("malformed", "empty", "cut", "truncated")}

# Read per entity: NoSuchEntity says that this one entity is gone since it was listed, and what it had with it.
OF_AN_ENTITY = {op for op in NARROW if op.startswith("Get") or op.startswith("ListAttached") or
                op in ("ListUserPolicies", "ListGroupPolicies", "ListRolePolicies", "ListUserTags", "ListRoleTags",
                       "ListAccessKeys")}
# What may be unpermitted as a whole (decision 10): types, and grants of those types.
POLICY_SIDE = {"ListAttachedUserPolicies", "ListAttachedGroupPolicies", "ListAttachedRolePolicies", "ListUserPolicies",
               "ListGroupPolicies", "ListRolePolicies", "ListPolicies"}

DENY_BULK = [{"op": f"iam:{op}", **FAULTS["access-denied"]}
             for op in ("GetAccountAuthorizationDetails", "GenerateCredentialReport", "GetCredentialReport")]

MODES = {"bulk": (BULK, []), "narrow": (NARROW, DENY_BULK)}
COMBINATIONS = [(mode, op, fault) for mode, (ops, _) in MODES.items() for op in ops for fault in FAULTS]
SPECIAL = {
    # the second page of the big listing never comes
    "second-page": ("bulk", {"page_limit": 4},
                    [{"op": "iam:GetAccountAuthorizationDetails", "after": 1, **FAULTS["500"]}]),
    "second-page-denied": ("bulk", {"page_limit": 4},
                           [{"op": "iam:GetAccountAuthorizationDetails", "after": 1, **FAULTS["access-denied"]}]),
    "second-page-expired": ("bulk", {"page_limit": 4},
                            [{"op": "iam:GetAccountAuthorizationDetails", "after": 1, **FAULTS["expired"]}]),
    "every-third-call": ("bulk", {"page_limit": 4}, [{"op": "iam:*", "every": 3, **FAULTS["throttling"]}]),
    "empty-page": ("bulk", {}, [{"op": "iam:*", "nth": [1], "action": "page", "items": 0}]),
    "one-attachment-denied": ("narrow", {},
                              [{"op": "iam:ListAttachedUserPolicies", "nth": [3], **FAULTS["access-denied"]}]),
    "one-document-denied": ("narrow", {}, [{"op": "iam:GetPolicyVersion", "nth": [2], **FAULTS["access-denied"]}]),
    "identity-denied": ("bulk", {}, [{"op": "sts:GetCallerIdentity", **FAULTS["access-denied"]}]),
    "identity-expired": ("bulk", {}, [{"op": "sts:GetCallerIdentity", **FAULTS["expired"]}]),
    "oversize": ("bulk", {}, [{"op": "iam:ListUsers", "action": "oversize", "bytes": 70 << 20}]),
    # too large once: asked again with a smaller page
    "oversize-bulk": ("bulk", {}, [{"op": "iam:GetAccountAuthorizationDetails", "nth": [1], "action": "oversize",
                                    "bytes": 70 << 20}]),
}


def run(folder, name, flags, rules):
    """One crawl in a world of its own: (crawl, what must be told when it is wrong)."""
    where = folder / name
    where.mkdir(parents=True)
    aws = server = None
    try:
        aws = Sim(where, **ACCOUNT, **flags)
        aws.faults(*rules)
        server = Server(where, aws.url, env={"AWS_MAX_ATTEMPTS": "2"})
        server.wait_listening()
        client = server.client()
        try:
            result = crawl(client)
        finally:
            client.close()
        rc = server.stop()
        assert rc == 0, f"the server ended with {rc}"
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
    folder = WORK / "test_faults"
    shutil.rmtree(folder, ignore_errors=True)
    jobs = {"baseline": ({}, [])}
    for mode, op, fault in COMBINATIONS:
        jobs[f"{mode}-{op}-{fault}"] = (FLAGS.get(fault, {}), [{"op": f"iam:{op}", **FAULTS[fault]}, *MODES[mode][1]])
    for name, (mode, flags, rules) in SPECIAL.items():
        jobs[name] = (flags, [*rules, *MODES[mode][1]])
    wanted = {item.callspec.id for item in request.session.items if item.path == request.path and hasattr(item, "callspec")}
    jobs = {k: v for k, v in jobs.items() if k == "baseline" or k in wanted}
    wire.pool()  # once, before the threads
    with ThreadPoolExecutor(24) as pool:
        return dict(zip(jobs, pool.map(lambda job: run(folder, job[0], *job[1]), jobs.items())))


@pytest.fixture
def baseline(results):
    whole = result_of(results, "baseline")
    assert not whole.errors and len(whole.resources) > 20
    return whole


def result_of(results, name):
    if isinstance(results[name], Exception):
        raise results[name]
    return results[name]


def is_policy_side(key):
    kind, name = key
    return kind in ("iam_policy", "inline_policy") or (
        kind in ("entitlement", "grant") and name.split(":")[0] in ("iam_policy", "inline_policy"))


def assert_whole_or_told(got, whole, codes, about):
    told = [e for e in got.errors]
    missing = whole.ids - got.ids
    assert not got.ids - whole.ids, "more than there is"
    assert not [e for e in told if e.code not in codes], [(e.path, e.about, e.code, e.text) for e in told][:3]
    assert told or not missing, f"{about}: {len(missing)} things are missing and nobody was told: {sorted(missing)[:5]}"


@pytest.mark.parametrize("mode, op, fault", COMBINATIONS, ids=lambda v: v)
def test_operation_and_fault(results, baseline, mode, op, fault):
    got = result_of(results, f"{mode}-{op}-{fault}")
    about = f"{op} {fault}"
    if fault == "not-found" and op in OF_AN_ENTITY:
        assert got.codes <= {"FAILED_PRECONDITION", "NOT_FOUND"}
        return
    if fault == "access-denied" and op in POLICY_SIDE and not got.errors:
        assert {k for k in got.ids if not is_policy_side(k)} == {k for k in baseline.ids if not is_policy_side(k)}
        return
    assert_whole_or_told(got, baseline, EXPECTED[fault] | EXCEPTIONS.get((op, fault), set()), about)
    for e in got.errors:
        assert e.text.startswith("error: listing "), e
        if fault == "access-denied":
            assert f"iam:{op}" in e.text, f"the missing permission is not named: {e.text}"
        if fault == "throttling":
            assert [d.DESCRIPTOR.name for d in e.details] == ["RateLimitDescription"], e


SPECIAL_CODES = {
    "second-page": {"UNAVAILABLE"},
    "second-page-denied": {"PERMISSION_DENIED"},
    "second-page-expired": {"UNAUTHENTICATED"},
    "every-third-call": {"UNAVAILABLE"},
    "empty-page": set(),
    "one-attachment-denied": {"PERMISSION_DENIED"},
    "one-document-denied": set(),
    "identity-denied": {"PERMISSION_DENIED"},
    "identity-expired": {"UNAUTHENTICATED"},
    "oversize": {"RESOURCE_EXHAUSTED", "UNAVAILABLE", "INTERNAL"},
    "oversize-bulk": set(),
}


@pytest.mark.parametrize("name", SPECIAL)
def test_special(results, baseline, name):
    assert_whole_or_told(result_of(results, name), baseline, SPECIAL_CODES[name], name)
