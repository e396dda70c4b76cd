"""The simulator itself, judged by boto3: what it answers is what /sim/truth says, in AWS's shapes, pages and errors."""

import base64
import csv
import http.client
import io
import json
import threading
import urllib.error

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError, ParamValidationError
from botocore.parsers import ResponseParserError

from support.aws import http as fetch

KEY, SECRET = "AKIASIMULATOREXAMPLE", "simsecretEXAMPLEKEY"
ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/OrganizationAccountAccessRole"
VERSIONS = {"iam": "2010-05-08", "sts": "2011-06-15"}


def client(sim, service="iam", key=KEY, secret=SECRET, token=None, region="us-east-1", timeout=30):
    config = Config(retries={"total_max_attempts": 1}, proxies={}, read_timeout=timeout, max_pool_connections=50)
    return boto3.client(service, endpoint_url=sim.url, region_name=region, aws_access_key_id=key,
                        aws_secret_access_key=secret, aws_session_token=token, config=config)


def raw(sim, body, headers=None, method="POST", path="/"):
    """A request that no SDK would send. Gives status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", sim.port, timeout=30)
    try:
        connection.request(method, path, body, {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})})
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


def pages(iam, operation, key, size=None, **kwargs):
    config = {"PageSize": size} if size else {}
    return [item for page in iam.get_paginator(operation).paginate(PaginationConfig=config, **kwargs) for item in page[key]]


def code(function, *args, **kwargs):
    with pytest.raises(ClientError) as e:
        function(*args, **kwargs)
    return e.value.response["Error"]["Code"], e.value.response["ResponseMetadata"]["HTTPStatusCode"]


def date(value):
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if value else None


def account(sim):
    return sim.truth()["accounts"][0]


def by_name(items):
    return {item["name"]: item for item in items}


def document(text):
    """boto3 decodes the documents of most shapes itself."""
    return text if isinstance(text, dict) else json.loads(text)


def control_error(sim, path, body):
    with pytest.raises(urllib.error.HTTPError) as e:
        fetch(f"{sim.url}/sim/{path}", body)
    return e.value.code


# --- content ---

def check_identity(got, want, kind):
    assert (got["Arn"], got["Path"], got[f"{kind}Id"], date(got["CreateDate"])) == \
        (want["arn"], want["path"], want["id"], want["created"])


def check_tags(got, want):
    assert [(t["Key"], t["Value"]) for t in got] == [(t["key"], t["value"]) for t in want["tags"]]


def check_policies(iam, kind, want):
    name = {f"{kind}Name": want["name"]}
    attached = pages(iam, f"list_attached_{kind.lower()}_policies", "AttachedPolicies", size=2, **name)
    assert [(p["PolicyName"], p["PolicyArn"]) for p in attached] == [(p["name"], p["arn"]) for p in want["attached"]]
    inline = pages(iam, f"list_{kind.lower()}_policies", "PolicyNames", size=1, **name)
    assert inline == [p["name"] for p in want["inline"]]
    for policy in want["inline"]:
        got = getattr(iam, f"get_{kind.lower()}_policy")(PolicyName=policy["name"], **name)
        assert document(got["PolicyDocument"]) == json.loads(policy["document"])


@pytest.mark.parametrize("flags", [{}, {"page_limit": 7}, {"seed": 99, "users": 1700, "groups": 30, "page_limit": 300}])
def test_operations_answer_the_truth(sim, flags):
    s = sim(verify_signatures=True, **flags)
    iam, truth = client(s), account(s)
    users, groups, roles = (by_name(truth[k]) for k in ("users", "groups", "roles"))

    listed = pages(iam, "list_users", "Users")
    assert [u["UserName"] for u in listed] == list(users)
    for u in listed:
        check_identity(u, users[u["UserName"]], "User")
        assert date(u.get("PasswordLastUsed")) == users[u["UserName"]]["password_last_used"]
        assert "Tags" not in u and "PermissionsBoundary" not in u
    listed = pages(iam, "list_groups", "Groups", size=5)
    assert [g["GroupName"] for g in listed] == list(groups)
    listed = pages(iam, "list_roles", "Roles", size=1000)
    assert [r["RoleName"] for r in listed] == list(roles)
    for r in listed:
        want = roles[r["RoleName"]]
        check_identity(r, want, "Role")
        assert document(r["AssumeRolePolicyDocument"]) == json.loads(want["trust"])
        assert (r.get("Description"), r["MaxSessionDuration"]) == (want["description"], want["max_session_duration"])
        assert not {"Tags", "PermissionsBoundary", "RoleLastUsed"} & set(r)

    for group in truth["groups"]:
        members = pages(iam, "get_group", "Users", GroupName=group["name"])
        assert [m["UserName"] for m in members] == [u["name"] for u in truth["users"] if group["name"] in u["groups"]]
        check_policies(iam, "Group", group)
    for want in truth["users"][:60]:
        got = iam.get_user(UserName=want["name"])["User"]
        check_identity(got, want, "User")
        check_tags(got.get("Tags", []), want)
        check_tags(pages(iam, "list_user_tags", "Tags", UserName=want["name"]), want)
        assert got.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn") == want["boundary"]
        assert [g["GroupName"] for g in pages(iam, "list_groups_for_user", "Groups", UserName=want["name"])] == want["groups"]
        check_policies(iam, "User", want)
        keys = pages(iam, "list_access_keys", "AccessKeyMetadata", UserName=want["name"])
        assert [(k["AccessKeyId"], k["Status"] == "Active", date(k["CreateDate"])) for k in keys] == \
            [(k["id"], k["active"], k["created"]) for k in want["access_keys"]]
        for k in want["access_keys"]:
            used = iam.get_access_key_last_used(AccessKeyId=k["id"])
            assert (used["UserName"], date(used["AccessKeyLastUsed"].get("LastUsedDate"))) == (want["name"], k["last_used"])
    for want in truth["roles"]:
        got = iam.get_role(RoleName=want["name"])["Role"]
        check_tags(got.get("Tags", []), want)
        check_tags(pages(iam, "list_role_tags", "Tags", size=1, RoleName=want["name"]), want)
        assert date(got["RoleLastUsed"].get("LastUsedDate")) == want["last_used"]
        check_policies(iam, "Role", want)
    assert iam.list_account_aliases()["AccountAliases"] == [truth["alias"]]


def test_managed_policies(sim):
    s = sim(verify_signatures=True, policies=130, aws_policies=250)
    iam, truth = client(s), account(s)
    customer = [p for p in truth["policies"] if not p["aws"]]
    managed = [p for p in truth["policies"] if p["aws"]]
    assert (len(customer), len(managed)) == (130, 250)
    for kwargs, want in (({}, truth["policies"]), ({"Scope": "All"}, truth["policies"]), ({"Scope": "Local"}, customer),
                         ({"Scope": "AWS"}, managed), ({"OnlyAttached": True}, [p for p in truth["policies"] if p["attachments"]]),
                         ({"Scope": "Local", "PathPrefix": "/service/"}, [p for p in customer if p["path"] != "/"])):
        got = pages(iam, "list_policies", "Policies", **kwargs)
        assert [p["Arn"] for p in got] == [p["arn"] for p in want], kwargs
        assert not any("Description" in p for p in got)
    for want in customer[:20] + managed[:20]:
        got = iam.get_policy(PolicyArn=want["arn"])["Policy"]
        assert (got["PolicyName"], got["DefaultVersionId"], got["AttachmentCount"], got.get("Description")) == \
            (want["name"], want["default_version"], want["attachments"], want["description"])
        for version in want["versions"][-3:]:
            got = iam.get_policy_version(PolicyArn=want["arn"], VersionId=version["id"])["PolicyVersion"]
            assert document(got["Document"]) == json.loads(version["document"])
            assert got["IsDefaultVersion"] == (version["id"] == want["default_version"])
    assert code(iam.get_policy_version, PolicyArn=customer[0]["arn"], VersionId="v99") == ("NoSuchEntity", 404)
    assert code(iam.get_policy, PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/none") == ("NoSuchEntity", 404)


@pytest.mark.parametrize("size", [None, 1000, 13])
def test_account_authorization_details(sim, size):
    s = sim(verify_signatures=True)
    iam, truth = client(s), account(s)
    got = {key: pages(iam, "get_account_authorization_details", key, size=size)
           for key in ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")}
    for key, kind, want in (("UserDetailList", "User", truth["users"]), ("GroupDetailList", "Group", truth["groups"]),
                            ("RoleDetailList", "Role", truth["roles"])):
        assert [e[f"{kind}Name"] for e in got[key]] == [e["name"] for e in want]
        for e, w in zip(got[key], want):
            check_identity(e, w, kind)
            assert [p["PolicyArn"] for p in e["AttachedManagedPolicies"]] == [p["arn"] for p in w["attached"]]
            assert [(p["PolicyName"], document(p["PolicyDocument"])) for p in e.get(f"{kind}PolicyList", [])] == \
                [(p["name"], json.loads(p["document"])) for p in w["inline"]]
            if kind != "Group":
                check_tags(e.get("Tags", []), w)
            assert not {"PasswordLastUsed", "Description", "MaxSessionDuration"} & set(e)
    assert [u["GroupList"] for u in got["UserDetailList"]] == [u["groups"] for u in truth["users"]]
    assert any(r["InstanceProfileList"] for r in got["RoleDetailList"])
    policies = [p for p in truth["policies"] if not p["aws"] or p["attachments"] or p["boundaries"]]
    assert [p["Arn"] for p in got["Policies"]] == [p["arn"] for p in policies]
    for p, w in zip(got["Policies"], policies):
        assert p.get("Description") == w["description"]
        default = [v for v in p["PolicyVersionList"] if v["IsDefaultVersion"]]
        assert [v["VersionId"] for v in default] == [w["default_version"]]
    some = pages(iam, "get_account_authorization_details", "Policies", Filter=["AWSManagedPolicy"])
    assert [p["Arn"] for p in some] == [p["arn"] for p in policies if p["aws"]]
    assert pages(iam, "get_account_authorization_details", "UserDetailList", Filter=["Role", "LocalManagedPolicy"]) == []
    assert code(iam.get_account_authorization_details, Filter=["Robot"]) == ("ValidationError", 400)


def test_documents_arrive_percent_encoded_and_verbatim(sim):
    s = sim(users=300)
    from urllib.parse import unquote
    want = [p["document"] for u in account(s)["users"] for p in u["inline"]]
    assert any("+" in d for d in want) and any("%41" in d for d in want) and any("\u00fc" in d for d in want)
    iam, got = client(s), []
    iam.meta.events.register("before-parse.iam.GetUserPolicy", lambda response_dict, **_: got.append(response_dict["body"]))
    for u in account(s)["users"]:
        for p in u["inline"]:
            iam.get_user_policy(UserName=u["name"], PolicyName=p["name"])
    texts = [body.decode().split("<PolicyDocument>")[1].split("</PolicyDocument>")[0] for body in got]
    assert not any(c in text for text in texts for c in '{}"<&+/ \n')
    assert [unquote(text) for text in texts] == want


def test_credential_report(sim):
    s = sim(verify_signatures=True, report_polls=2)
    iam, truth = client(s), by_name(account(s)["users"])
    assert code(iam.get_credential_report) == ("ReportNotPresent", 410)
    assert iam.generate_credential_report()["State"] == "STARTED"
    assert code(iam.get_credential_report) == ("ReportInProgress", 404)
    assert iam.generate_credential_report()["State"] == "INPROGRESS"
    assert iam.generate_credential_report()["State"] == "COMPLETE"
    rows = list(csv.DictReader(io.StringIO(iam.get_credential_report()["Content"].decode())))
    assert rows[0]["user"] == "<root_account>" and [r["user"] for r in rows[1:]] == list(truth)

    def in_report(value, never="N/A"):
        return value.replace("Z", "+00:00") if value else never
    for row in rows[1:]:
        user = truth[row["user"]]
        assert row["arn"] == user["arn"]
        assert row["password_enabled"] == str(user["has_password"]).lower()
        assert row["password_last_used"] == in_report(user["password_last_used"], "no_information" if user["has_password"] else "N/A")
        for i in (1, 2):
            k = user["access_keys"][i - 1] if i <= len(user["access_keys"]) else {"active": False, "created": None, "last_used": None}
            assert row[f"access_key_{i}_active"] == str(k["active"]).lower()
            assert row[f"access_key_{i}_last_rotated"] == in_report(k["created"])
            assert row[f"access_key_{i}_last_used_date"] == in_report(k["last_used"])
    fetch(f"{s.url}/sim/mutate", {"report": "expire"})
    assert code(iam.get_credential_report) == ("ReportExpired", 410)
    assert iam.generate_credential_report()["State"] == "STARTED"


def test_same_flags_same_organization(sim):
    assert sim(seed=5).truth() == sim(seed=5).truth() != sim(seed=6).truth()
    empty = sim(users=0, roles=0, groups=0, policies=0)
    assert [len(account(empty)[k]) for k in ("users", "roles", "groups")] == [0, 0, 0]
    assert client(empty).list_users()["Users"] == []
    assert client(empty, "sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"


# --- errors of AWS ---

def test_bad_requests(sim):
    s = sim()
    iam = client(s)
    for call, kwargs in ((iam.get_user, {"UserName": "nobody"}), (iam.get_group, {"GroupName": "none"}),
                         (iam.list_role_policies, {"RoleName": "none"}), (iam.list_access_keys, {"UserName": "nobody"}),
                         (iam.get_user_policy, {"UserName": "baton-connector", "PolicyName": "none"})):
        assert code(call, **kwargs) == ("NoSuchEntity", 404)
    assert code(iam.list_users, Marker="bm9uc2Vuc2U=") == ("ValidationError", 400)
    other = iam.list_users(MaxItems=3)["Marker"]
    assert code(iam.list_roles, Marker=other) == ("ValidationError", 400)
    assert code(iam.get_access_key_last_used, AccessKeyId="AKIAUNKNOWNUNKNOWN") == ("AccessDenied", 403)
    with pytest.raises(ParamValidationError):
        iam.list_users(MaxItems=0)

    signed = {"Authorization": f"AWS4-HMAC-SHA256 Credential={KEY}/20260101/us-east-1/iam/aws4_request, "
                               "SignedHeaders=host, Signature=0"}
    for body, status, text in (
            ("Action=ListUsers&Version=2010-05-08&MaxItems=0", 400, b"<Code>ValidationError</Code>"),
            ("Action=ListUsers&Version=2010-05-08&MaxItems=1001", 400, b"<Code>ValidationError</Code>"),
            ("Action=ListUsers&Version=2010-05-08&MaxItems=many", 400, b"<Code>MalformedInput</Code>"),
            ("Action=GetRole&Version=2010-05-08", 400, b"Value null at"),
            ("Action=LaunchRocket&Version=2010-05-08", 400, b"<Code>InvalidAction</Code>"),
            ("Action=ListUsers&Version=1999-01-01", 400, b"<Code>NoSuchVersion</Code>"),
            ("Action=ListUsers&Version=2010-05-08&X=%zz", 400, b"<Code>MalformedQueryString</Code>"),
            ("Version=2010-05-08", 400, b"<Code>MissingAction</Code>"),
            ("Action=ListUsers&Version=2010-05-08&MaxItems=1", 200, b"<IsTruncated>true</IsTruncated>")):
        got = raw(s, body, signed)
        assert got[0] == status and text in got[1], body
        if status != 200:
            assert b'<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">' in got[1] and b"<RequestId>" in got[1]
    assert raw(s, None, signed, "GET", "/?Action=GetUser&Version=2010-05-08&UserName=baton-connector")[0] == 200
    assert raw(s, None, signed, "GET", "/elsewhere")[0] == 404
    assert raw(s, "x" * (1 << 20) + "x", signed)[0] == 413
    assert b"MissingAuthenticationToken" in raw(s, "Action=ListUsers&Version=2010-05-08")[1]


# --- signatures and sessions ---

def test_signatures_are_verified(sim):
    s = sim(verify_signatures=True)
    assert client(s).list_users(PathPrefix="/", MaxItems=2)["IsTruncated"]
    assert code(client(s, secret="wrong").list_users) == ("SignatureDoesNotMatch", 403)
    assert code(client(s, key="AKIAOTHER").list_users) == ("InvalidClientTokenId", 403)
    assert code(client(s, token="forged").list_users) == ("InvalidClientTokenId", 403)
    assert code(client(s, region="eu-west-1").list_users) == ("SignatureDoesNotMatch", 403)
    assert client(s, "sts", region="eu-west-1").get_caller_identity()["Account"] == ACCOUNT

    # What was signed is what must arrive.
    def tamper(request, **_):
        request.body = request.body.replace("MaxItems=2", "MaxItems=3")
    iam = client(s)
    iam.meta.events.register("before-send.iam.ListUsers", tamper)
    assert code(iam.list_users, MaxItems=2) == ("SignatureDoesNotMatch", 403)

    def unsigned_header(request, **_):
        request.headers["X-Amz-Extra"] = "1"
    iam = client(s)
    iam.meta.events.register("before-send.iam.ListUsers", unsigned_header)
    assert code(iam.list_users) == ("SignatureDoesNotMatch", 403)


@pytest.mark.parametrize("offset, ok", [(290, True), (310, False), (-290, True), (-320, False)])
def test_clock_skew(sim, offset, ok):
    s = sim(verify_signatures=True, clock_offset_s=offset)
    if ok:
        assert client(s).list_users()["Users"]
    else:
        assert code(client(s).list_users) == ("SignatureDoesNotMatch", 403)


def session(sim, credentials, service="sts"):
    return client(sim, service, credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"])


def test_assume_role(sim):
    s = sim(verify_signatures=True)
    sts = client(s, "sts")
    assert sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/baton-connector"
    got = sts.assume_role(RoleArn=ROLE, RoleSessionName="session", DurationSeconds=900)
    assert got["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/OrganizationAccountAccessRole/session"
    first = got["Credentials"]
    assert session(s, first).get_caller_identity()["Arn"] == got["AssumedRoleUser"]["Arn"]
    assert session(s, first, "iam").list_users()["Users"]
    assert code(session(s, first, "iam").get_user) == ("ValidationError", 400)
    assert code(session(s, {**first, "SecretAccessKey": SECRET}).get_caller_identity) == ("SignatureDoesNotMatch", 403)
    assert code(session(s, {**first, "SessionToken": "x"}).get_caller_identity) == ("InvalidClientTokenId", 403)

    binding, connector = (f"arn:aws:iam::{ACCOUNT}:role/Baton{x}Role" for x in ("Binding", "Connector"))
    assert code(sts.assume_role, RoleArn=binding, RoleSessionName="ab") == ("AccessDenied", 403)
    assert code(sts.assume_role, RoleArn=binding, RoleSessionName="ab", ExternalId="wrong") == ("AccessDenied", 403)
    hop = sts.assume_role(RoleArn=binding, RoleSessionName="ab", ExternalId="binding-external-id")["Credentials"]
    hop = session(s, hop).assume_role(RoleArn=connector, RoleSessionName="cd", ExternalId="connector-external-id")["Credentials"]
    assert session(s, hop).get_caller_identity()["Arn"].endswith("assumed-role/BatonConnectorRole/cd")

    assert code(sts.assume_role, RoleArn=ROLE + "x", RoleSessionName="ab") == ("AccessDenied", 403)
    assert code(sts.assume_role, RoleArn=ROLE.replace(ACCOUNT, "999999999999"), RoleSessionName="ab") == ("AccessDenied", 403)
    assert code(sts.assume_role, RoleArn=ROLE, RoleSessionName="a b") == ("ValidationError", 400)
    assert code(sts.assume_role, RoleArn=ROLE, RoleSessionName="ab", DurationSeconds=43201) == ("ValidationError", 400)


def test_sessions_expire(sim):
    s = sim(verify_signatures=True, session_seconds=1)
    credentials = client(s, "sts").assume_role(RoleArn=ROLE, RoleSessionName="short")["Credentials"]
    got = None
    for _ in range(200):
        try:
            session(s, credentials).get_caller_identity()
        except ClientError as e:
            got = e.response["Error"]["Code"]
            break
    else:
        threading.Event().wait(2)
        got = code(session(s, credentials).get_caller_identity)[0]
    assert got == "ExpiredToken"
    assert code(session(s, credentials, "iam").list_users) == ("ExpiredToken", 403)


def test_web_identity(sim):
    s = sim(verify_signatures=True)
    sts = boto3.client("sts", endpoint_url=s.url, region_name="us-east-1")
    claims = base64.urlsafe_b64encode(json.dumps({"sub": "system:serviceaccount:x", "aud": "sts"}).encode()).decode().rstrip("=")
    got = sts.assume_role_with_web_identity(RoleArn=ROLE, RoleSessionName="web", WebIdentityToken=f"e30.{claims}.c2ln")
    assert got["SubjectFromWebIdentityToken"] == "system:serviceaccount:x"
    assert session(s, got["Credentials"], "iam").list_groups()["Groups"]
    assert code(sts.assume_role_with_web_identity, RoleArn=ROLE, RoleSessionName="web", WebIdentityToken="opaque") == \
        ("InvalidIdentityToken", 400)
    assert "e30" not in json.dumps(s.requests()) and "***" in json.dumps(s.requests())


# --- faults, counters, log ---

def test_counters_log_and_repeats(sim):
    s = sim()
    iam = client(s)
    iam.list_users(MaxItems=5)
    iam.list_users(MaxItems=6)
    iam.generate_credential_report()
    iam.generate_credential_report()
    client(s, "sts").get_caller_identity()
    client(s, "sts").get_caller_identity()
    code(iam.get_user, UserName="no&body=x")
    code(iam.get_user, UserName="no&body=x")
    assert s.get("repeats") == {"lost": 0, "repeats": []}
    iam.list_users(MaxItems=5)
    assert s.get("repeats") == {"lost": 0, "repeats": [{"op": "iam:ListUsers", "account": ACCOUNT, "params": "MaxItems=5", "count": 2}]}
    assert s.counters() == {"iam:ListUsers": {"calls": 3, "ok": 3, "throttled": 0, "errors": 0},
                            "iam:GenerateCredentialReport": {"calls": 2, "ok": 2, "throttled": 0, "errors": 0},
                            "sts:GetCallerIdentity": {"calls": 2, "ok": 2, "throttled": 0, "errors": 0},
                            "iam:GetUser": {"calls": 2, "ok": 0, "throttled": 0, "errors": 2}, "total": 9}
    log = s.requests()
    assert [e["n"] for e in log] == list(range(1, 10))
    assert log[6] == {"n": 7, "service": "iam", "op": "GetUser", "account": ACCOUNT, "params": "UserName=no%26body%3Dx",
                      "status": 404, "code": "NoSuchEntity"}
    s.reset()
    assert s.counters() == {"total": 0} and s.requests() == []


def test_log_forgets_but_says_so(sim):
    s = sim(log_limit=5)
    for n in range(1, 9):
        client(s).list_users(MaxItems=n)
    assert [e["n"] for e in s.requests()] == [4, 5, 6, 7, 8] and s.get("repeats")["lost"] == 3


def test_dice(sim):
    s = sim(throttle_percent=10, error_percent=5, seed=3)

    def play():
        got = []
        for _ in range(400):
            try:
                client_.list_groups(MaxItems=1)
                got.append("ok")
            except ClientError as e:
                got.append((e.response["Error"]["Code"], e.response["Error"]["Message"]))
        return got
    client_ = client(s)
    first = play()
    throttled = first.count(("Throttling", "Rate exceeded"))
    failed = sum(1 for x in first if x[0] == "ServiceFailure")
    assert 20 < throttled < 60 and 8 < failed < 40
    assert s.counters()["iam:ListGroups"] == {"calls": 400, "ok": 400 - throttled - failed, "throttled": throttled, "errors": failed}
    s.reset()
    assert play() == first


def test_fault_rules_choose_calls(sim):
    s = sim()
    iam = client(s)

    def outcomes(n, **kwargs):
        got = ""
        for _ in range(n):
            try:
                iam.list_users(**kwargs)
                got += "."
            except ClientError:
                got += "x"
        return got
    error = {"action": "error", "status": 403, "code": "AccessDenied", "message": "no"}
    for rule, want in (({"op": "iam:ListUsers", "nth": [2, 3]}, ".xx..."), ({"op": "*", "every": 3}, "..x..x"),
                       ({"op": "iam:*", "after": 4}, "....xx"), ({"op": "sts:*"}, "......"), ({"op": "iam:ListRoles"}, "......"),
                       ({"percent": 100}, "xxxxxx"), ({"percent": 0}, "......"), ({"match": "MaxItems=7"}, "......"),
                       ({"after": 1, "every": 2}, ".x.x.x")):
        s.faults({**rule, **error})
        assert outcomes(6) == want, rule
    s.faults({"match": "MaxItems=7", **error})
    assert outcomes(2, MaxItems=7) == "xx"
    with pytest.raises(ClientError, match="no") as e:
        iam.list_users(MaxItems=7)
    assert e.value.response["Error"]["Code"] == "AccessDenied"
    s.faults()
    assert outcomes(2, MaxItems=7) == ".."
    for bad in ([{"action": "explode"}], [{"action": "error", "status": 20}], {"action": "error"}, [{"action": "error", "nht": 1}],
                [{"action": "error", "nth": [0]}], ["x"]):
        assert control_error(s, "faults", bad) == 400
    assert control_error(s, "nothing", {}) == 404


def test_faults_of_the_wire(sim):
    s = sim()
    iam = client(s, timeout=2)
    whole = len(raw_list_users(s)[1])
    s.faults({"action": "truncate", "bytes": 100})
    with pytest.raises((http.client.IncompleteRead, HTTPClientError)):
        raw_list_users(s)
    s.faults({"action": "cut", "bytes": 100})
    assert len(raw_list_users(s)[1]) == 100
    assert s.get("repeats") == {"lost": 0, "repeats": []}  # a spoilt answer is not a successful read
    for action in ("malformed", "empty"):
        s.faults({"action": action})
        with pytest.raises(ResponseParserError):
            iam.list_users()
    s.faults({"action": "oversize", "bytes": 3_000_000})
    status, body = raw_list_users(s)
    assert status == 200 and 3_000_000 < len(body) < 3_100_000 + whole
    assert len(iam.list_users()["Users"]) == 60
    s.faults({"action": "close"})
    with pytest.raises(ConnectionClosedError):
        iam.list_users()
    s.faults({"action": "page", "items": 0, "nth": [1]}, {"action": "page", "items": 4, "nth": [1]})
    page = iam.list_users()
    assert page["IsTruncated"] and page["Users"] == []
    assert len(iam.list_users(Marker=page["Marker"])["Users"]) == 4
    s.faults({"action": "no-marker"})
    page = iam.list_users(MaxItems=3)
    assert page["IsTruncated"] and "Marker" not in page


def raw_list_users(sim):
    return raw(sim, "Action=ListUsers&Version=2010-05-08",
               {"Authorization": f"AWS4-HMAC-SHA256 Credential={KEY}/20260101/us-east-1/iam/aws4_request, "
                                 "SignedHeaders=host, Signature=0"})


def test_waiting_calls_hold_no_thread(sim):
    s = sim()
    s.faults({"op": "iam:ListUsers", "action": "hang", "ms": 60_000}, {"op": "iam:ListRoles", "action": "delay", "ms": 50})
    iam = client(s, timeout=1)
    results = []

    def hang():
        try:
            iam.list_users()
        except Exception as e:  # noqa: BLE001 - what it is depends on who gives up first
            results.append(e)
    threads = [threading.Thread(target=hang) for _ in range(20)]
    for t in threads:
        t.start()
    for _ in range(5):
        assert client(s).list_roles()["Roles"]
    for t in threads:
        t.join()
    assert len(results) == 20
    assert s.stop() == 0  # with all of them still asleep


def test_objects_vanish(sim):
    s = sim(verify_signatures=True)
    iam, before = client(s), account(s)
    marker = iam.list_users(MaxItems=5)["Marker"]
    user, group, role = before["users"][7], before["groups"][0], before["roles"][5]
    for kind, name in (("user", user["name"]), ("group", group["name"]), ("role", role["name"])):
        fetch(f"{s.url}/sim/mutate", {"delete": kind, "name": name})
        assert control_error(s, "mutate", {"delete": kind, "name": name}) == 400
    assert code(iam.get_user, UserName=user["name"]) == ("NoSuchEntity", 404)
    assert code(iam.get_group, GroupName=group["name"]) == ("NoSuchEntity", 404)
    assert code(iam.get_role, RoleName=role["name"]) == ("NoSuchEntity", 404)
    rest = iam.list_users(Marker=marker)["Users"]
    assert [u["UserName"] for u in rest] == [u["name"] for u in before["users"][5:] if u is not user]
    after = account(s)
    assert not any(group["name"] in u["groups"] for u in after["users"])
    attachments = sum(p["attachments"] for p in after["policies"])
    assert attachments == sum(len(e["attached"]) for k in ("users", "groups", "roles") for e in after[k])


def test_ends_cleanly(sim):
    s = sim(users=10)
    client(s).list_users()
    assert s.stop() == 0
    assert "ERROR" not in s.output()
