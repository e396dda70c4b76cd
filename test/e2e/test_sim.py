"""The simulator itself, judged by boto3: what it answers is what /sim/truth says, in AWS's shapes, pages and errors."""

import base64
import csv
import http.client
import io
import json
import socket
import subprocess
import threading
import time
import urllib.error

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError, ParamValidationError
from botocore.parsers import ResponseParserError

from support.aws import http as fetch
from support.paths import AWS_SIM

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
    iam = client(s)
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


# --- many accounts ---

def children(sim):
    return sim.truth()["accounts"][1:]


def assume(sim, account_id, role="OrganizationAccountAccessRole", via=None, **kwargs):
    sts = via or client(sim, "sts")
    return sts.assume_role(RoleArn=f"arn:aws:iam::{account_id}:role/{role}", RoleSessionName="test", **kwargs)["Credentials"]


def organizations(sim, **kwargs):
    return client(sim, "organizations", **kwargs)


def test_organizations(sim):
    s = sim(verify_signatures=True, accounts=47, child_users=2, suspended=3, pending_closure=1)
    truth, org = s.truth(), organizations(s)
    listed = pages(org, "list_accounts", "Accounts")
    assert [(a["Id"], a["Arn"], a["Name"], a["Email"], a["State"], a["Status"]) for a in listed] == \
        [(a["id"], a["arn"], a["name"], a["email"], a["state"], a["state"]) for a in truth["accounts"]]
    assert s.counters()["organizations:ListAccounts"]["calls"] == 3  # 20 a page
    assert pages(org, "list_accounts", "Accounts", size=7) == listed
    for key in ("Id", "Arn", "Name", "Email", "JoinedTimestamp"):
        assert len({a[key] for a in listed}) == 47, key
    assert listed[0]["Id"] == ACCOUNT and listed[1]["Id"].startswith("0") and all(len(a["Id"]) == 12 for a in listed)
    assert [a["State"] for a in listed].count("SUSPENDED") == 3 and [a["State"] for a in listed].count("PENDING_CLOSURE") == 1
    organization = org.describe_organization()["Organization"]
    assert (organization["Id"], organization["MasterAccountId"]) == (truth["organization"], ACCOUNT)
    assert org.describe_account(AccountId=listed[5]["Id"])["Account"] == listed[5]
    assert code(org.describe_account, AccountId="999999999999") == ("AccountNotFoundException", 400)
    assert code(org.list_accounts, NextToken="x") == ("InvalidInputException", 400)
    assert code(organizations(s, secret="wrong").list_accounts) == ("InvalidSignatureException", 400)
    assert code(organizations(s, key="AKIAOTHER").list_accounts) == ("UnrecognizedClientException", 400)
    assert code(organizations(s, region="eu-west-1").list_accounts) == ("InvalidSignatureException", 400)
    assert sim(accounts=47, child_users=2, suspended=3, pending_closure=1).truth() == truth

    child = next(a["id"] for a in truth["accounts"][1:] if a["state"] == "ACTIVE")
    member = session(s, assume(s, child), "organizations")
    assert code(member.list_accounts) == ("AccessDeniedException", 400)
    assert member.describe_organization()["Organization"] == organization


def test_no_organization(sim):
    s = sim(no_organization=True)
    assert code(organizations(s).list_accounts) == ("AWSOrganizationsNotInUseException", 400)
    assert code(organizations(s).describe_organization) == ("AWSOrganizationsNotInUseException", 400)
    assert [a["Id"] for a in organizations(sim()).list_accounts()["Accounts"]] == [ACCOUNT]


def test_json_protocol(sim):
    s = sim(accounts=25, child_users=1)
    signed = {"Authorization": f"AWS4-HMAC-SHA256 Credential={KEY}/20260101/us-east-1/organizations/aws4_request, "
                               "SignedHeaders=host, Signature=0", "Content-Type": "application/x-amz-json-1.1"}

    def call(body, operation="AWSOrganizationsV20161128.ListAccounts", **headers):
        status, answer = raw(s, body, {**signed, "X-Amz-Target": operation, **headers})
        return status, json.loads(answer)
    for body, count in (("{}", 20), ("", 20), ('{"MaxResults":3}', 3), ('{"NextToken":null,"MaxResults":20}', 20)):
        status, answer = call(body)
        assert status == 200 and len(answer["Accounts"]) == count and "NextToken" in answer
    assert isinstance(answer["Accounts"][0]["JoinedTimestamp"], float)
    status, answer = call(json.dumps({"NextToken": answer["NextToken"]}))
    assert status == 200 and len(answer["Accounts"]) == 5 and "NextToken" not in answer
    for body, operation, want in (("{", "AWSOrganizationsV20161128.ListAccounts", "SerializationException"),
                                  ("[]", "AWSOrganizationsV20161128.ListAccounts", "SerializationException"),
                                  ('{"MaxResults":21}', "AWSOrganizationsV20161128.ListAccounts", "InvalidInputException"),
                                  ('{"MaxResults":0}', "AWSOrganizationsV20161128.ListAccounts", "InvalidInputException"),
                                  ("{}", "AWSOrganizationsV20161128.DescribeAccount", "InvalidInputException"),
                                  ("{}", "AWSOrganizationsV20161128.CloseAccount", "UnknownOperationException"),
                                  ("{}", "Nothing", "UnknownOperationException")):
        status, answer = call(body, operation)
        assert (status, answer["__type"]) == (400, want), (body, operation)
    assert call("{}", **{"Content-Type": "text/plain"})[1]["__type"] == "UnknownOperationException"
    assert call("{}", Authorization="")[1]["__type"] == "MissingAuthenticationTokenException"


def test_faults_of_json(sim):
    s = sim(accounts=25, child_users=1)
    org = organizations(s)
    for action in ("malformed", "empty"):
        s.faults({"op": "organizations:*", "action": action})
        try:  # boto3 takes an empty body for an empty object
            assert "Accounts" not in org.list_accounts()
        except ResponseParserError:
            pass
    s.faults({"action": "oversize", "bytes": 3_000_000})
    assert len(org.list_accounts()["Accounts"]) == 20
    s.faults({"action": "page", "items": 0, "nth": [1]})
    assert len(pages(org, "list_accounts", "Accounts")) == 25
    s.faults({"action": "no-marker"})
    assert "NextToken" not in org.list_accounts()
    s.faults({"op": "organizations:ListAccounts", "action": "error", "status": 400, "code": "AccessDeniedException"})
    assert code(org.list_accounts) == ("AccessDeniedException", 400)
    assert client(s).list_users()["Users"]
    dice = organizations(sim(throttle_percent=100))
    assert code(dice.list_accounts) == ("TooManyRequestsException", 400)
    dice = organizations(sim(error_percent=100))
    assert code(dice.list_accounts) == ("ServiceException", 500)


@pytest.mark.parametrize("verify", [True, False])
def test_a_session_sees_its_account(sim, verify):
    flags = {"verify_signatures": True} if verify else {}
    s = sim(accounts=5, users=30, child_users=12, child_roles=4, child_groups=3, child_policies=2, **flags)
    truth = s.truth()
    names, ids = [], []
    for a in truth["accounts"]:
        iam = session(s, assume(s, a["id"]), "iam") if a["id"] != ACCOUNT else client(s)
        sizes = (30, 40, 12, 15) if a["id"] == ACCOUNT else (12, 4, 3, 2)
        got = iam.list_users()["Users"]
        assert [u["Arn"] for u in got] == [u["arn"] for u in a["users"]] and len(got) == sizes[0]
        assert all(f"::{a['id']}:" in u["Arn"] for u in got)
        names += [u["UserName"] for u in got]
        roles, groups = iam.list_roles()["Roles"], iam.list_groups()["Groups"]
        assert [r["Arn"] for r in roles] == [r["arn"] for r in a["roles"]] and len(roles) == sizes[1]
        assert [g["Arn"] for g in groups] == [g["arn"] for g in a["groups"]] and len(groups) == sizes[2]
        local = iam.list_policies(Scope="Local")["Policies"]
        assert [p["Arn"] for p in local] == [p["arn"] for p in a["policies"] if not p["aws"]] and len(local) == sizes[3]
        ids += [x[k] for items, k in ((got, "UserId"), (roles, "RoleId"), (groups, "GroupId"), (local, "PolicyId")) for x in items]
        ids += [k["id"] for u in a["users"] for k in u["access_keys"]]
        assert iam.list_account_aliases()["AccountAliases"] == ([a["alias"]] if a["alias"] else [])
        assert KEY in [k["id"] for u in a["users"] for k in u["access_keys"]] or a["id"] != ACCOUNT
        managed = {p["arn"]: p["attachments"] for p in a["policies"] if p["aws"] and p["attachments"]}
        used = pages(iam, "get_account_authorization_details", "Policies", Filter=["AWSManagedPolicy"])
        assert {p["Arn"]: p["AttachmentCount"] for p in used} == managed
        only = pages(iam, "list_policies", "Policies", Scope="AWS", OnlyAttached=True)
        assert {p["Arn"]: p["AttachmentCount"] for p in only} == managed
    assert len(set(names)) == len(names) and len(set(ids)) == len(ids)
    assert truth["accounts"][1]["roles"][0]["trust"].count(ACCOUNT) == 1  # trusts the management account

    # A list's marker leads nowhere in another account.
    first, second = (session(s, assume(s, a["id"]), "iam") for a in truth["accounts"][1:3])
    marker = first.list_users(MaxItems=5)["Marker"]
    assert len(first.list_users(Marker=marker)["Users"]) == 7
    assert code(second.list_users, Marker=marker) == ("ValidationError", 400)
    # Temporary keys that were never issued open nothing, whatever is verified.
    assert code(client(s, key="ASIAAAAAAAAAAAAAAAAA", token="x").list_users) == ("InvalidClientTokenId", 403)


def test_the_same_catalogue_everywhere(sim):
    s = sim(accounts=3, users=5, aws_policies=1400)
    own, other = client(s), session(s, assume(s, children(s)[1]["id"]), "iam")
    catalogue = pages(own, "list_policies", "Policies", size=1000, Scope="AWS")
    assert len(catalogue) == 1400
    there = pages(other, "list_policies", "Policies", size=1000, Scope="AWS")
    for ours, theirs in zip(catalogue, there):
        for key in ("Arn", "PolicyId", "DefaultVersionId", "CreateDate", "UpdateDate"):
            assert ours[key] == theirs[key]
    assert [p["AttachmentCount"] for p in catalogue] != [p["AttachmentCount"] for p in there]
    for p in catalogue[::200]:
        which = {"PolicyArn": p["Arn"], "VersionId": p["DefaultVersionId"]}
        assert own.get_policy_version(**which)["PolicyVersion"] == other.get_policy_version(**which)["PolicyVersion"]


def test_denied_and_suspended(sim):
    s = sim(accounts=20, child_users=1, denied=4, suspended=3, pending_closure=1, verify_signatures=True)
    states = {a["id"]: (a["state"], a["assume"]) for a in children(s)}
    assert sorted(states.values()) == [("ACTIVE", "allowed")] * 11 + [("ACTIVE", "denied")] * 4 + \
        [("PENDING_CLOSURE", "allowed")] + [("SUSPENDED", "allowed")] * 3
    sts = client(s, "sts")
    for account_id, (state, how) in states.items():
        if state == "SUSPENDED" or how == "denied":
            assert code(assume, s, account_id, via=sts) == ("AccessDenied", 403)
        else:
            assert session(s, assume(s, account_id, via=sts)).get_caller_identity()["Account"] == account_id
    good = [account_id for account_id, state in states.items() if state == ("ACTIVE", "allowed")]
    assert code(assume, s, good[0], role="Other") == ("AccessDenied", 403)
    hop = session(s, assume(s, good[0]))
    assert code(assume, s, good[1], via=hop) == ("AccessDenied", 403)  # the management account gets in, not its children


def test_child_role_name(sim):
    s = sim(accounts=3, child_users=1, child_roles=0, child_role_name="audit+Reader")
    child = children(s)[0]
    assert [r["name"] for r in child["roles"]] == ["audit+Reader"]
    assert session(s, assume(s, child["id"], role="audit+Reader")).get_caller_identity()["Account"] == child["id"]
    assert code(assume, s, child["id"]) == ("AccessDenied", 403)


def test_accounts_change(sim):
    s = sim(accounts=4, child_users=3)
    role, suspended, moody = (a["id"] for a in children(s))
    held = {account_id: session(s, assume(s, account_id), "iam") for account_id in (role, suspended, moody)}
    for iam in held.values():
        assert iam.list_users()["Users"]
    s.mutate({"account": role, "delete_role": "OrganizationAccountAccessRole"}, {"account": suspended, "state": "SUSPENDED"},
             {"account": moody, "assume": "throttled"})
    for account_id in (role, suspended):  # what was issued ends with the role, or the account
        assert code(held[account_id].list_users) == ("InvalidClientTokenId", 403)
        assert code(assume, s, account_id) == ("AccessDenied", 403)
    assert held[moody].list_users()["Users"]
    assert code(assume, s, moody) == ("Throttling", 400)
    assert {a["Id"]: a["State"] for a in organizations(s).list_accounts()["Accounts"]}[suspended] == "SUSPENDED"
    s.mutate({"account": moody, "assume": "denied"}, {"account": suspended, "state": "ACTIVE"})
    assert code(assume, s, moody) == ("AccessDenied", 403)
    assert session(s, assume(s, suspended), "iam").list_users()["Users"]
    s.mutate({"account": moody, "assume": "allowed"}, {"account": moody, "delete": "user", "name": s.truth(moody)["accounts"][0]["users"][0]["name"]})
    assert len(session(s, assume(s, moody), "iam").list_users()["Users"]) == 2
    for bad in ({"account": "999999999999", "state": "ACTIVE"}, {"account": moody, "state": "GONE"}, {"account": moody, "assume": "maybe"},
                {"account": moody, "delete_role": "none"}, {"account": moody}, [{"delete": "robot", "name": "x"}]):
        assert control_error(s, "mutate", bad) == 400


def test_what_is_told_per_account(sim):
    s = sim(accounts=3, child_users=2)
    first, second = (a["id"] for a in children(s))
    one, other = (session(s, assume(s, account_id), "iam") for account_id in (first, second))
    one.list_users()
    other.list_users()
    client(s).list_users()
    organizations(s).list_accounts()
    assert s.get("repeats") == {"lost": 0, "repeats": []}
    call = {"calls": 1, "ok": 1, "throttled": 0, "errors": 0}
    assert s.counters(by="account") == {
        ACCOUNT: {"iam:ListUsers": call, "organizations:ListAccounts": call, "total": 2},
        first: {"sts:AssumeRole": call, "iam:ListUsers": call, "total": 2},
        second: {"sts:AssumeRole": call, "iam:ListUsers": call, "total": 2}}
    assert s.counters()["total"] == 6
    assert [(e["op"], e["account"]) for e in s.requests()] == \
        [("AssumeRole", first), ("AssumeRole", second), ("ListUsers", first), ("ListUsers", second), ("ListUsers", ACCOUNT), ("ListAccounts", ACCOUNT)]
    assert [e["op"] for e in s.requests(account=first)] == ["AssumeRole", "ListUsers"]
    assert [a["id"] for a in s.truth(account=second)["accounts"]] == [second]
    for bad in ("truth?account=1", "counters?by=moon", "repeats?global=all"):
        with pytest.raises(urllib.error.HTTPError):
            s.get(bad)

    arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    for iam in (one, other):
        iam.list_policies(Scope="AWS")
        iam.list_policies(Scope="AWS", OnlyAttached=True)
        iam.list_policies(Scope="Local")
        iam.get_policy_version(PolicyArn=arn, VersionId="v1")
    assert s.get("repeats") == {"lost": 0, "repeats": []}
    got = s.get("repeats?global=aws-policies")["repeats"]
    assert [(r["op"], r["account"], r["params"], r["count"]) for r in got] == \
        [("iam:ListPolicies", "*", "Scope=AWS", 2), ("iam:GetPolicyVersion", "*", f"PolicyArn={arn}&VersionId=v1", 2)]
    one.list_users()
    assert [(r["op"], r["account"]) for r in s.get("repeats")["repeats"]] == [("iam:ListUsers", first)]


def test_faults_for_an_account(sim):
    s = sim(accounts=3, child_users=1)
    first, second = (a["id"] for a in children(s))
    one, other = (session(s, assume(s, account_id), "iam") for account_id in (first, second))
    s.faults({"account": first, "op": "iam:*", "action": "error", "code": "AccessDenied", "status": 403},
             {"account": second, "op": "sts:AssumeRole", "action": "error", "code": "Throttling", "status": 400})
    assert code(one.list_users) == ("AccessDenied", 403)
    assert other.list_users()["Users"] and client(s).list_users()["Users"]
    assert code(assume, s, second) == ("Throttling", 400)
    assert assume(s, first) and assume(s, ACCOUNT)
    assert s.counters(by="account")[second]["sts:AssumeRole"] == {"calls": 2, "ok": 1, "throttled": 1, "errors": 0}


def test_access_keys_and_the_report_agree(sim):
    s = sim(accounts=3, users=150, child_users=150, report_polls=0)
    seen = set()
    for a in s.truth()["accounts"]:
        iam = session(s, assume(s, a["id"]), "iam") if a["id"] != ACCOUNT else client(s)
        iam.generate_credential_report()
        rows = {r["arn"]: r for r in csv.DictReader(io.StringIO(iam.get_credential_report()["Content"].decode()))}
        assert len(rows) == 151
        for u in a["users"]:
            keys = pages(iam, "list_access_keys", "AccessKeyMetadata", size=1, UserName=u["name"])
            assert [(k["AccessKeyId"], k["Status"], date(k["CreateDate"])) for k in keys] == \
                [(k["id"], k["status"], k["created"]) for k in u["access_keys"]]
            for n, k in enumerate(u["access_keys"], start=1):
                row = {name: rows[u["arn"]][f"access_key_{n}_{name}"] for name in ("active", "last_rotated", "last_used_date")}
                used = k["last_used"].replace("Z", "+00:00") if k["last_used"] else "N/A"
                assert row == {"active": "true" if k["status"] == "Active" else "false",
                               "last_rotated": k["created"].replace("Z", "+00:00"), "last_used_date": used}
                seen.add((k["status"], k["last_used"] is None))
            for n in range(len(keys) + 1, 3):
                assert rows[u["arn"]][f"access_key_{n}_last_rotated"] == "N/A"
        if a["id"] == ACCOUNT:
            assert iam.get_access_key_last_used(AccessKeyId=KEY)["UserName"] == "baton-connector"
        else:
            assert code(iam.get_access_key_last_used, AccessKeyId=KEY) == ("AccessDenied", 403)
    assert seen == {(status, never) for status in ("Active", "Inactive", "Expired") for never in (True, False)}


def test_a_report_without_keys_that_are_off(sim):
    s = sim(users=100, report_polls=0, report_active_only=True)
    iam = client(s)
    iam.generate_credential_report()
    rows = {r["arn"]: r for r in csv.DictReader(io.StringIO(iam.get_credential_report()["Content"].decode()))}
    statuses = set()
    for u in account(s)["users"]:
        for n, k in enumerate(u["access_keys"], start=1):
            statuses.add(k["status"])
            assert (rows[u["arn"]][f"access_key_{n}_last_rotated"] != "N/A") == (k["status"] == "Active")
    assert len(statuses) == 3


def test_child_sessions_expire(sim):
    s = sim(accounts=2, child_users=1, session_seconds=1)
    iam = session(s, assume(s, children(s)[0]["id"]), "iam")
    threading.Event().wait(2)
    assert code(iam.list_users) == ("ExpiredToken", 403)
    assert s.counters(by="account")[children(s)[0]["id"]]["iam:ListUsers"]["errors"] == 1


def test_latency_does_not_limit_parallel_calls(sim):
    s = sim(users=1, latency_ms=1000)
    signed = (f"POST / HTTP/1.1\r\nHost: sim\r\nAuthorization: AWS4-HMAC-SHA256 Credential={KEY}/20260101/us-east-1/iam/aws4_request, "
              "SignedHeaders=host, Signature=0\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 36\r\n\r\n"
              "Action=ListGroups&Version=2010-05-08").encode()
    start = time.monotonic()
    sockets = [socket.create_connection(("127.0.0.1", s.port), timeout=150) for _ in range(200)]
    for connection in sockets:
        connection.sendall(signed)
    for connection in sockets:
        assert connection.recv(15).startswith(b"HTTP/1.1 200")
        connection.close()
    assert time.monotonic() - start < 100  # one after the other: 200 s


def test_many_callers_at_once(sim):
    s = sim(accounts=13, users=200, roles=5, verify_signatures=True)
    listed = [a["Id"] for a in pages(organizations(s), "list_accounts", "Accounts")][1:]  # nothing is made yet
    got, failed = {}, []

    def visit(account_id):
        try:
            iam = session(s, assume(s, account_id), "iam")
            got.setdefault(account_id, []).append([u["Arn"] for u in iam.list_users(MaxItems=1000)["Users"]])
        except Exception as e:  # noqa: BLE001 - told below, on the test's thread
            failed.append(e)

    def disturb():
        for account_id in listed:
            s.mutate({"account": account_id, "assume": "allowed"})
            s.counters(by="account")
    threads = [threading.Thread(target=visit, args=[account_id]) for account_id in listed for _ in range(3)]
    threads.append(threading.Thread(target=disturb))
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failed
    assert got == {a["id"]: [[u["arn"] for u in a["users"]]] * 3 for a in children(s)}


@pytest.mark.parametrize("flags", [{"accounts": 100, "users": 100}, {"accounts": 10, "users": 10_000}])
def test_many_accounts_take_little(sim, flags):
    s = sim(**flags)
    start = resident_mib(s)
    for account_id in [a["Id"] for a in pages(organizations(s), "list_accounts", "Accounts")][1:]:
        session(s, assume(s, account_id), "iam").list_groups()
    sanitized = b"__tsan_init" in AWS_SIM.read_bytes() or b"__asan_init" in AWS_SIM.read_bytes()
    assert resident_mib(s) < (1000 if sanitized else 100), start


def resident_mib(sim):
    with open(f"/proc/{sim.popen.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:")) // 1024


def test_flags_that_make_no_sense(sim, folder):
    for argv in (["--accounts", "0"], ["--accounts", "3", "--denied", "2", "--suspended", "1"], ["--accounts", "2", "--no-organization"]):
        got = subprocess.run([AWS_SIM, "--listen", "127.0.0.1:0", *argv], capture_output=True, timeout=300)
        assert got.returncode == 2 and b"--" in got.stderr, argv


def test_ends_cleanly(sim):
    s = sim(users=10)
    client(s).list_users()
    assert s.stop() == 0
    assert "ERROR" not in s.output()
