"""What goes wrong between accounts: rights that are missing, roles and accounts that go away under a sync, credentials that
end, STS that says no. A sync then holds everything, or it fails and says why. Never less that looks whole."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.compare import assert_same
from support.crawl import crawl
from support.truth import expected
from support.wire import msg, rid, unpack

FLAGS = ["--global-aws-orgs-enabled", "--sync-secrets", "--aws-quota-percent", "10000"]  # nobody throttles us but the tests
SMALL = {"accounts": 4, "users": 9, "roles": 9, "groups": 3, "policies": 5, "aws_policies": 40, "report_polls": 0, "seed": 21}
NO_RETRIES = {"AWS_MAX_ATTEMPTS": "1"}
DENIED = {"action": "error", "status": 403, "code": "AccessDenied", "message": "User: x is not authorized to perform: it"}
THROTTLED = {"action": "error", "status": 400, "code": "Throttling", "message": "Rate exceeded"}
DENY_BULK = [{"op": f"iam:{op}", **DENIED}
             for op in ("GetAccountAuthorizationDetails", "GenerateCredentialReport", "GetCredentialReport")]
WARNING = "a permission is missing, ignoring"


def whole(aws):
    return expected(aws.truth(), organization=True, secrets=True)


def assert_whole(result, want):
    assert result.ok, result.summary
    assert_same(result.lines(), want)


def parsed(lines):
    return [json.loads(line) for line in lines]


# ------------------------------------------------------------------------------------------------------ the narrow way

def test_the_narrow_way_gives_the_same_bytes(sim, serve, engine, folder):
    """Without the bulk operation and the credential report, in all accounts. The data is older than the report."""
    dumps = []
    for name, rules in (("bulk", []), ("narrow", DENY_BULK)):
        aws = sim(**SMALL)
        aws.faults(*rules)
        server = serve(aws.url, *FLAGS)
        result = engine(folder, server.target, "--workers", "8", name=name)
        assert_whole(result, whole(aws))
        aws.assert_no_read_twice()
        assert server.output().count(WARNING) == 2 * SMALL["accounts"] * bool(rules)
        dumps.append(result.dump.read_bytes())
    assert dumps[0] == dumps[1]
    assert b'"access-key"' in dumps[0]


# ------------------------------------------------------------------------------------ accounts and credentials that end

def test_credentials_that_expire_in_mid_sync(sim, serve, engine, folder):
    """The narrow way takes some seconds for each account at IAM's pace; its session lives for two."""
    aws = sim(**{**SMALL, "users": 35}, session_seconds=2)
    aws.faults(*DENY_BULK)
    result = engine(folder, serve(aws.url, *FLAGS, "--aws-quota-percent", "100").target, "--workers", "4")
    assert_whole(result, whole(aws))
    assert aws.counters()["sts:AssumeRole"]["calls"] >= 2 * (SMALL["accounts"] - 1), "no session ended: make the accounts larger"
    aws.assert_no_read_twice()


ENDS = {"role": {"delete_role": "OrganizationAccountAccessRole"}, "suspended": {"state": "SUSPENDED"}}


@pytest.mark.parametrize("end", ENDS)
def test_an_account_that_ends_before_it_is_read(end, sim, serve, connect):
    """It was announced, so leaving it out would look as if everything in it were gone."""
    aws = sim(**SMALL)
    client = connect(serve(aws.url, *FLAGS, "--read-ahead", "0"))
    request = msg("ResourcesServiceListResourcesRequest", resource_type_id="account_iam", active_sync_id="0endsendsendsendsends000000")
    last = client.pages("ResourcesService/ListResources", request)[-1]
    children = [unpack(a).resource_type_id for a in last.annotations if a.type_url.endswith(".ChildResourceType")]
    assert children == ["iam_user", "role", "group", "iam_policy", "access-key"]
    aws.mutate({**ENDS[end], "account": last.id.resource})
    for kind in children:
        request = msg("ResourcesServiceListResourcesRequest", resource_type_id=kind, active_sync_id="0endsendsendsendsends000000",
                      parent_resource_id=rid("account_iam", last.id.resource))
        error = client.fails("ResourcesService/ListResources", request)
        assert error.code().name in ("UNAUTHENTICATED", "PERMISSION_DENIED"), error.details()


def has_children(lines, account):
    return any(one["kind"] == "resource" and one.get("parentResourceId", {}).get("resource") == account for one in parsed(lines))


def without(lines, account):
    """All but the account's own line."""
    return [line for line, one in zip(lines, parsed(lines)) if not (one["kind"] == "resource" and one["id"]["resource"] == account)]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("accounts_read", [1, 3])
def test_an_account_that_ends_in_mid_sync(end, accounts_read, sim, serve, engine, folder):
    aws = sim(**SMALL, latency_ms=15)
    want = whole(aws)
    last = max(a["id"] for a in aws.truth()["accounts"][1:])
    server = serve(aws.url, *FLAGS)
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(engine, folder, server.target, "--workers", "4")
        aws.wait_until(lambda: sum("iam:ListRoles" in ops for ops in aws.counters("account").values()) >= accounts_read, "read")
        aws.mutate({**ENDS[end], "account": last})
        result = run.result()
    if not result.ok:
        assert result.summary["code"] in ("Unauthenticated", "PermissionDenied"), result.summary
    elif has_children(result.lines(), last):
        assert_same(result.lines(), want)
    else:  # it ended before its role was assumed, which is the same as before the sync, but that it may have been listed itself
        assert_same(without(result.lines(), last), without(whole(aws), last))


# ----------------------------------------------------------------------------------------------------- STS that says no

def test_some_roles_are_throttled(sim, serve, engine, folder):
    aws = sim(**SMALL)
    aws.faults({"op": "sts:AssumeRole", "every": 2, **THROTTLED})
    assert_whole(engine(folder, serve(aws.url, *FLAGS).target, "--workers", "4"), whole(aws))
    assert aws.counters()["sts:AssumeRole"]["throttled"] + aws.counters()["sts:AssumeRole"]["errors"] > 0


def test_all_roles_are_throttled_for_a_while(sim, serve, engine, folder):
    """The engine is told to wait, and does."""
    aws = sim(**SMALL)
    aws.faults({"op": "sts:AssumeRole", **THROTTLED})
    server = serve(aws.url, *FLAGS, env=NO_RETRIES)
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(engine, folder, server.target, "--workers", "4")
        server.wait_until(lambda: '"code":"UNAVAILABLE"' in server.output(), "throttled")
        aws.faults()
        assert_whole(run.result(), whole(aws))


NO_ENTRY = {
    "all-throttled": ([{"op": "sts:AssumeRole", **THROTTLED}], "UNAVAILABLE"),
    "one-throttled": ([{"op": "sts:AssumeRole", "account": "child", **THROTTLED}], "UNAVAILABLE"),
    "one-500": ([{"op": "sts:AssumeRole", "account": "child", "action": "error", "status": 500, "code": "InternalFailure"}], "UNAVAILABLE"),
    "one-503": ([{"op": "sts:AssumeRole", "account": "child", "action": "error", "status": 503, "code": "ServiceUnavailable"}],
                "UNAVAILABLE"),
    "one-closed": ([{"op": "sts:AssumeRole", "account": "child", "action": "close"}], "UNAVAILABLE"),
    "one-malformed": ([{"op": "sts:AssumeRole", "account": "child", "action": "malformed"}], "INTERNAL"),
    "region-off": ([{"op": "sts:AssumeRole", "account": "child", "action": "error", "status": 403, "code": "RegionDisabledException"}],
                   "UNAUTHENTICATED PERMISSION_DENIED FAILED_PRECONDITION INTERNAL"),
    "we-are-refused": ([{"op": "sts:AssumeRole", "action": "error", "status": 403, "code": "ExpiredToken"}], "UNAUTHENTICATED"),
    "accounts-denied": ([{"op": "organizations:ListAccounts", **DENIED, "code": "AccessDeniedException"}], "PERMISSION_DENIED"),
    "accounts-throttled": ([{"op": "organizations:ListAccounts", **THROTTLED, "code": "TooManyRequestsException"}], "UNAVAILABLE"),
    "accounts-500": ([{"op": "organizations:ListAccounts", "action": "error", "status": 500, "code": "ServiceException"}], "UNAVAILABLE"),
    "second-page-500": ([{"op": "organizations:ListAccounts", "after": 1, "action": "error", "status": 500, "code": "ServiceException"}],
                        "UNAVAILABLE"),
    "second-page-cut": ([{"op": "organizations:ListAccounts", "after": 1, "action": "cut", "bytes": 60}], "UNAVAILABLE INTERNAL"),
    "no-organization": ([], "FAILED_PRECONDITION"),
}


@pytest.mark.parametrize("fault", NO_ENTRY)
def test_accounts_that_cannot_be_looked_into(fault, sim, serve, connect):
    """Not knowing whether an account can be entered is no denial: no account may silently be missing."""
    flags = {"no_organization": True} if fault == "no-organization" else {"accounts": 3}
    aws = sim(**{**SMALL, "accounts": 1, **flags}, page_limit=2)
    rules, codes = NO_ENTRY[fault]
    child = aws.truth()["accounts"][-1]["id"]
    aws.faults(*({**r, **({"account": child} if "account" in r else {})} for r in rules))
    got = crawl(connect(serve(aws.url, *FLAGS, env=NO_RETRIES)))
    error, *others = got.errors
    assert error.about.strip() == "account_iam" and error.code in codes.split(), error
    # A role that trusts one of another account cannot tell whether the sync holds that one.
    assert all(e.path == "GrantsService/ListGrants" and ":role/" in e.about and e.code in codes.split() for e in others), others
    assert not [r for r in got.resources if r[0] == "account_iam"]
    if "one-" in fault:
        assert child in error.text, error
    if "throttled" in fault:
        assert [d.DESCRIPTOR.name for d in error.details] == ["RateLimitDescription"], error
    if fault == "accounts-denied":
        assert "organizations:ListAccounts" in error.text, error


# ------------------------------------------------------------------------------------------------- the policy side, denied

def attached_policies(lines):
    return {one["entitlement"]["resource"]["id"]["resource"] for one in parsed(lines)
            if one["kind"] == "grant" and one["id"].startswith("iam_policy:")}


def policy_of(one):
    """ARN of the managed policy that a line is, or (entitlements) is on."""
    kind = {"resource": one.get("id"), "entitlement": one.get("resource", {}).get("id")}.get(one["kind"])
    return kind["resource"] if kind and kind["resourceType"] == "iam_policy" else ""


def of_aws(arn):
    return arn.startswith("arn:aws:iam::aws:")


def without_field(lines, field, of, profile=False):
    """A field of the resources of some policies taken away."""
    out = parsed(lines)
    for one in out:
        if one["kind"] == "resource" and of(policy_of(one)):
            (one["profile"] if profile else one).pop(field, None)
    return [json.dumps(one, sort_keys=True) for one in out]


def without_documents(lines, of):
    return without_field(lines, "policy_document", of, profile=True)


def without_policies(lines, gone):
    return [line for line in lines if not gone(policy_of(json.loads(line)))]


def test_the_catalogue_may_not_be_listed(sim, serve, engine, connect, folder):
    """AWS's policies that nobody has attached are missing, the others are not."""
    aws = sim(**SMALL)
    aws.faults({"op": "iam:ListPolicies", **DENIED})
    server = serve(aws.url, *FLAGS)
    result = engine(folder, server.target, "--workers", "4")
    assert result.ok, result.summary
    want = whole(aws)
    attached = attached_policies(want)
    want = without_policies(want, lambda arn: of_aws(arn) and arn not in attached)
    # Which account describes a policy of AWS depends on who lists it.
    assert_same(without_field(result.lines(), "description", of_aws), without_field(want, "description", of_aws))
    assert server.output().count(WARNING) == 1 and "iam:ListPolicies" in server.output()

    strict = crawl(connect(serve(aws.url, *FLAGS, "--require-all-permissions")))
    assert strict.codes == {"PERMISSION_DENIED"}
    assert all("iam:ListPolicies" in e.text and e.about.startswith("iam_policy") for e in strict.errors)


def test_documents_may_not_be_read(sim, serve, engine, connect, folder):
    aws = sim(**SMALL)
    aws.faults({"op": "iam:GetPolicyVersion", **DENIED})
    server = serve(aws.url, *FLAGS)
    result = engine(folder, server.target, "--workers", "4")
    assert result.ok, result.summary
    assert_same(without_documents(result.lines(), of_aws), without_documents(whole(aws), of_aws))
    assert server.output().count(WARNING) == 1 and "iam:GetPolicyVersion" in server.output()

    strict = crawl(connect(serve(aws.url, *FLAGS, "--require-all-permissions")))
    assert strict.codes == {"PERMISSION_DENIED"}
    assert all("iam:GetPolicyVersion" in e.text for e in strict.errors)


ONE_ACCOUNT = {  # operation: what of that account is missing
    "ListPolicies": "managed policies that nobody holds",
    "GetPolicyVersion": "documents",
    "ListAttachedUserPolicies": "grants",
}


@pytest.mark.parametrize("op", ONE_ACCOUNT)
def test_a_policy_right_is_missing_in_one_account(op, sim, serve, engine, connect, folder):
    """On the narrow way, where the operations are needed. The others lose nothing."""
    aws = sim(**SMALL)
    child = aws.truth()["accounts"][2]["id"]
    denial = {"op": f"iam:{op}", "account": child, **DENIED}
    aws.faults(denial, *DENY_BULK)
    server = serve(aws.url, *FLAGS)
    result = engine(folder, server.target, "--workers", "4")
    assert result.ok, result.summary
    got, want = result.lines(), whole(aws)
    attached = attached_policies(want)

    def of_child(arn):
        return f":iam::{child}:" in arn
    if op == "ListPolicies":
        want = without_policies(want, lambda arn: of_child(arn) and arn not in attached)
    elif op == "GetPolicyVersion":
        got, want = without_documents(got, of_child), without_documents(want, of_child)
    else:
        want = [line for line in want if not (json.loads(line)["kind"] == "grant" and json.loads(line)["id"].startswith("iam_policy:")
                                              and f":attached:iam_user:arn:aws:iam::{child}:" in json.loads(line)["id"])]
        assert len(want) < len(whole(aws))
    assert_same(got, want)
    told = [line for line in server.output().splitlines() if WARNING in line and f'"iam:{op}"' in line]
    assert len(told) == 1 and child in told[0], told

    # What may be left out is an error where everything is wanted, and only there.
    aws.faults(denial)
    strict = crawl(connect(serve(aws.url, *FLAGS, "--require-all-permissions")))
    assert not strict.errors, "with the bulk operation the right is not needed"
