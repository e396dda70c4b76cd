"""The simulator's Identity Center, organization tree and login events, judged by boto3: what it answers is what
/sim/truth/identity-center says, in AWS's shapes, pages, limits and errors."""

import json
import threading
import time

import pytest
from botocore.exceptions import ClientError

from support.paths import AWS_SIM
from test_sim import ACCOUNT, assume, client, code, control_error, pages, resident_mib, session

SMALL = {"accounts": 30, "users": 1, "child_users": 1, "permission_sets": 40, "permission_sets_per_account": 7, "sso_users": 330,
         "sso_groups": 25, "ous": 30, "ou_depth": 3}
NOBODY = "906788abcd-01234567-89ab-cdef-0123-456789abcdef"


class Center:
    """boto3 clients of the services, and the organization's instance."""

    def __init__(self, sim, **kwargs):
        self.sso, self.store, self.org, self.trail = (
            client(sim, name, **kwargs) for name in ("sso-admin", "identitystore", "organizations", "cloudtrail"))
        self.truth = sim.center()
        organization = next((i for i in self.truth["instances"] if i["has_permission_sets"]), None)
        if organization:
            self.instance = {"InstanceArn": organization["arn"]}
            self.directory = {"IdentityStoreId": organization["store"]}

    def sets(self, **kwargs):
        return pages(self.sso, "list_permission_sets", "PermissionSets", **self.instance, **kwargs)

    def assignments(self, account, permission_set, **kwargs):
        return rows(pages(self.sso, "list_account_assignments", "AccountAssignments", AccountId=account,
                          PermissionSetArn=permission_set, **self.instance, **kwargs))

    def members(self, group, **kwargs):
        return pages(self.store, "list_group_memberships", "GroupMemberships", GroupId=group, **self.directory, **kwargs)


def rows(assignments):
    return [(a["AccountId"], a["PermissionSetArn"], a["PrincipalType"], a["PrincipalId"]) for a in assignments]


def true_rows(truth, **which):
    return [(a["account"], a["permission_set"], a["principal_type"], a["principal_id"]) for a in truth["assignments"]
            if all(a[key] == value for key, value in which.items())]


def without_none(**members):
    return {key: value for key, value in members.items() if value is not None}


# --- content ---

@pytest.mark.parametrize("flags", [{}, {"page_limit": 7, "seed": 5}])
def test_permission_sets(sim, flags):
    s = sim(verify_signatures=True, **{**SMALL, "permission_sets": 130}, **flags)
    c = Center(s)
    instance, = c.sso.list_instances()["Instances"]
    assert (instance["OwnerAccountId"], instance["Status"]) == (ACCOUNT, "ACTIVE")
    assert c.sets() == [p["arn"] for p in c.truth["permission_sets"]] == c.sets(size=3)
    if not flags:
        assert s.counters()["sso:ListPermissionSets"]["calls"] == 2 + 44  # 100 a page
    for want in c.truth["permission_sets"]:
        which = {**c.instance, "PermissionSetArn": want["arn"]}
        got = c.sso.describe_permission_set(**which)["PermissionSet"]
        assert int(got.pop("CreatedDate").timestamp()) > 0
        assert got == without_none(Name=want["name"], PermissionSetArn=want["arn"], Description=want["description"],
                                   SessionDuration=want["session_duration"], RelayState=want["relay_state"])
        got = pages(c.sso, "list_managed_policies_in_permission_set", "AttachedManagedPolicies", **which)
        assert got == [{"Name": p["name"], "Arn": p["arn"]} for p in want["managed"]]
        got = pages(c.sso, "list_customer_managed_policy_references_in_permission_set", "CustomerManagedPolicyReferences", **which)
        assert got == [without_none(Name=p["name"], Path=p["path"]) for p in want["customer"]]
        assert c.sso.get_inline_policy_for_permission_set(**which)["InlinePolicy"] == (want["inline"] or "")
        assert want["inline"] is None or json.loads(want["inline"])["Statement"]
    everything = c.truth["permission_sets"]
    for key in ("description", "session_duration", "relay_state", "inline"):
        assert {p[key] is None for p in everything} == {True, False}, key
    assert {path for p in everything for path in [r["path"] for r in p["customer"]]} >= {None, "/"}
    assert len({p["arn"] for p in everything}) == len({p["name"] for p in everything}) == 130


@pytest.mark.parametrize("flags", [{}, {"page_limit": 3}])
def test_matrix_and_assignments(sim, flags):
    s = sim(**{**SMALL, "suspended": 2}, **flags)
    c = Center(s)
    matrix = {a["id"]: a["permission_sets"] for a in c.truth["accounts"]}
    assert [len(sets) for sets in matrix.values()] == [7] * 30
    for account, sets in matrix.items():
        which = {**c.instance, "AccountId": account}
        assert pages(c.sso, "list_permission_sets_provisioned_to_account", "PermissionSets", **which) == sets
        halves = [pages(c.sso, "list_permission_sets_provisioned_to_account", "PermissionSets", ProvisioningStatus=status, **which)
                  for status in ("LATEST_PERMISSION_SET_PROVISIONED", "LATEST_PERMISSION_SET_NOT_PROVISIONED")]
        assert sorted(halves[0] + halves[1]) == sorted(sets)
    for permission_set in c.sets():
        got = pages(c.sso, "list_accounts_for_provisioned_permission_set", "AccountIds", PermissionSetArn=permission_set,
                    **c.instance)
        assert got == [account for account, sets in matrix.items() if permission_set in sets]
    counts = {}
    for account, sets in matrix.items():
        for permission_set in sets:
            got = c.assignments(account, permission_set)
            assert got == true_rows(c.truth, account=account, permission_set=permission_set)
            assert len(set(got)) == len(got)
            counts[account, permission_set] = len(got)
        other = next(p["arn"] for p in c.truth["permission_sets"] if p["arn"] not in sets)
        assert c.assignments(account, other) == []
    assert sum(counts.values()) == len(c.truth["assignments"])
    assert sorted(counts.values())[-4:] == [3, 250, 250, 250] and 0 in counts.values()
    assert {a["principal_type"] for a in c.truth["assignments"]} == {"USER", "GROUP"}
    if not flags:
        assert s.counters()["sso:ListAccountAssignments"]["calls"] == 210 + 30 + 3 * 2
    assert s.get("repeats")["repeats"] == [], "nothing was asked twice"


@pytest.mark.parametrize("flags", [{}, {"page_limit": 2}])
def test_assignments_of_a_principal(sim, flags):
    c = Center(sim(**SMALL, **flags))
    groups = {}
    for m in c.truth["memberships"]:
        groups.setdefault(m["user"], set()).add(m["group"])

    def listed(principal_type, principal_id, **kwargs):
        return rows(pages(c.sso, "list_account_assignments_for_principal", "AccountAssignments", PrincipalId=principal_id,
                          PrincipalType=principal_type, **c.instance, **kwargs))
    for group in c.truth["groups"]:
        assert sorted(listed("GROUP", group["id"])) == sorted(true_rows(c.truth, principal_id=group["id"]))
    inherited = 0
    for user in [u["id"] for u in c.truth["users"][:60]]:
        own = true_rows(c.truth, principal_id=user)
        want = own + [r for group in groups.get(user, ()) for r in true_rows(c.truth, principal_id=group)]
        assert sorted(listed("USER", user)) == sorted(want)
        inherited += len(want) - len(own)
        account = c.truth["accounts"][-1]["id"]
        assert sorted(listed("USER", user, Filter={"AccountId": account})) == sorted(r for r in want if r[0] == account)
    assert inherited > 0


@pytest.mark.parametrize("flags", [{}, {"page_limit": 9, "seed": 3}])
def test_directory(sim, flags):
    s = sim(verify_signatures=True, **{**SMALL, "sso_users": 1900}, **flags)
    c = Center(s)
    users = pages(c.store, "list_users", "Users", **c.directory)
    assert len(users) == len({u["UserName"] for u in users}) == len({u["UserId"] for u in users}) == 1900
    for got, want in zip(users, c.truth["users"]):
        ids = [{"Issuer": x["issuer"], "Id": x["id"]} for x in want["external_ids"]]
        emails = [without_none(Value=e["value"], Primary=e["primary"]) for e in want["emails"]]
        assert without_none(UserId=got["UserId"], UserName=got["UserName"], DisplayName=got.get("DisplayName"),
                            UserStatus=got.get("UserStatus"), ExternalIds=got.get("ExternalIds", [])) == \
            without_none(UserId=want["id"], UserName=want["user_name"], DisplayName=want["display_name"], UserStatus=want["status"],
                         ExternalIds=ids)
        assert [{k: v for k, v in e.items() if k != "Type"} for e in got.get("Emails", [])] == emails
    groups = pages(c.store, "list_groups", "Groups", **c.directory)
    assert [(g["GroupId"], g["DisplayName"], g.get("Description")) for g in groups] == \
        [(g["id"], g["display_name"], g["description"]) for g in c.truth["groups"]]
    if not flags:
        counters = s.counters()
        assert (counters["identitystore:ListUsers"]["calls"], counters["identitystore:ListGroups"]["calls"]) == (19, 1)

    memberships = [m for g in groups for m in c.members(g["GroupId"])]
    assert sorted((m["MembershipId"], m["GroupId"], m["MemberId"]["UserId"]) for m in memberships) == \
        sorted((m["id"], m["group"], m["user"]) for m in c.truth["memberships"])
    assert len({m["MembershipId"] for m in memberships}) == len(memberships)
    of_user = {}
    for m in memberships:
        of_user.setdefault(m["MemberId"]["UserId"], []).append(m)
    for user in users[:50]:
        got = pages(c.store, "list_group_memberships_for_member", "GroupMemberships", MemberId={"UserId": user["UserId"]}, **c.directory)
        assert sorted(m["MembershipId"] for m in got) == sorted(m["MembershipId"] for m in of_user.get(user["UserId"], []))
    assert any(u["UserId"] not in of_user for u in users), "some are in no group"

    # what the directory must have for careless readers
    assert {u.get("UserStatus") for u in users} == {"ENABLED", "DISABLED", None}
    assert {len(u.get("Emails", [])) for u in users} == {0, 1, 2, 3} and {len(u.get("ExternalIds", [])) for u in users} == {0, 1, 2}
    assert any("Value" not in e for u in users for e in u.get("Emails", []))
    assert any(e.get("Value") == u["UserName"] for u in users for e in u.get("Emails", []))
    assert any("@" not in u["UserName"] for u in users) and any("DisplayName" not in u for u in users)
    assert {len(u["UserId"]) for u in users} == {36, 47}


def test_looking_up_people(sim):
    c = Center(sim(**SMALL))
    users, groups = c.truth["users"], c.truth["groups"]

    def user_id(**alternate):
        return c.store.get_user_id(AlternateIdentifier=alternate, **c.directory)["UserId"]
    for user in users[:40]:
        got = c.store.describe_user(UserId=user["id"], **c.directory)
        assert got["UserName"] == user["user_name"]
        assert user_id(UniqueAttribute={"AttributePath": "userName", "AttributeValue": user["user_name"]}) == user["id"]
        for x in user["external_ids"]:
            assert user_id(ExternalId={"Issuer": x["issuer"], "Id": x["id"]}) == user["id"]
        listed = c.store.list_users(Filters=[{"AttributePath": "UserName", "AttributeValue": user["user_name"]}], **c.directory)
        assert [u["UserId"] for u in listed["Users"]] == [user["id"]]
    email = next(e["value"] for u in users for e in u["emails"] if e["value"] and e["primary"])
    found = user_id(UniqueAttribute={"AttributePath": "emails.value", "AttributeValue": email})
    assert email in [e["value"] for u in users if u["id"] == found for e in u["emails"]]
    for group in groups:
        assert c.store.describe_group(GroupId=group["id"], **c.directory)["DisplayName"] == group["display_name"]
        by_name = {"UniqueAttribute": {"AttributePath": "displayName", "AttributeValue": group["display_name"]}}
        assert c.store.get_group_id(AlternateIdentifier=by_name, **c.directory)["GroupId"] == group["id"]
    membership = c.truth["memberships"][3]
    which = {"GroupId": membership["group"], "MemberId": {"UserId": membership["user"]}, **c.directory}
    assert c.store.get_group_membership_id(**which)["MembershipId"] == membership["id"]
    lonely = next(u["id"] for u in users if u["id"] not in {m["user"] for m in c.truth["memberships"]})
    for function, kwargs in (
            (c.store.get_group_membership_id, {**which, "MemberId": {"UserId": lonely}}),
            (c.store.describe_user, {"UserId": NOBODY, **c.directory}),
            (c.store.describe_user, {"UserId": groups[0]["id"], **c.directory}),
            (c.store.describe_group, {"GroupId": NOBODY, **c.directory}),
            (c.store.list_group_memberships, {"GroupId": NOBODY, **c.directory}),
            (c.store.list_users, {"IdentityStoreId": "d-0123456789"}),
            (c.store.get_user_id, {"AlternateIdentifier": {"UniqueAttribute": {
                "AttributePath": "userName", "AttributeValue": "nobody"}}, **c.directory})):
        assert code(function, **kwargs) == ("ResourceNotFoundException", 400), kwargs
    assert c.store.list_users(Filters=[{"AttributePath": "UserName", "AttributeValue": "nobody"}], **c.directory)["Users"] == []


@pytest.mark.parametrize("flags", [{}, {"ou_depth": 5, "page_limit": 4}, {"ous": 0}])
def test_organization_tree(sim, flags):
    s = sim(**{**SMALL, "accounts": 90, "ous": 70, **flags})
    c = Center(s)
    root, = c.org.list_roots()["Roots"]
    assert root["Id"] == c.truth["root"] and root["Name"] == "Root"
    ous, accounts = {o["id"]: o for o in c.truth["ous"]}, {a["id"]: a for a in c.truth["accounts"]}
    seen, seen_accounts, depth, todo = {}, {}, {root["Id"]: 0}, [root["Id"]]
    while todo:
        parent = todo.pop()
        for ou in pages(c.org, "list_organizational_units_for_parent", "OrganizationalUnits", ParentId=parent):
            seen[ou["Id"]], depth[ou["Id"]] = parent, depth[parent] + 1
            assert ou["Name"] == ous[ou["Id"]]["name"] and ou["Path"].endswith(f"{ou['Id']}/")
            assert c.org.describe_organizational_unit(OrganizationalUnitId=ou["Id"])["OrganizationalUnit"] == ou
            todo.append(ou["Id"])
        for account in pages(c.org, "list_accounts_for_parent", "Accounts", ParentId=parent):
            seen_accounts[account["Id"]] = parent
            assert account["Paths"] == [f"{path_of(c.truth, parent)}{account['Id']}/"]
        for child_type, known in (("ACCOUNT", seen_accounts), ("ORGANIZATIONAL_UNIT", seen)):
            got = pages(c.org, "list_children", "Children", ParentId=parent, ChildType=child_type)
            assert sorted((x["Id"], x["Type"]) for x in got) == sorted((i, child_type) for i, p in known.items() if p == parent)
    assert seen == {o["id"]: o["parent"] for o in ous.values()}
    assert seen_accounts == {a["id"]: a["parent"] for a in accounts.values()} and seen_accounts[ACCOUNT] == root["Id"]
    assert max(depth.values()) == (0 if not ous else flags.get("ou_depth", 3))
    for child, parent in list(seen.items())[:20] + list(seen_accounts.items())[:20]:
        assert c.org.list_parents(ChildId=child)["Parents"] == \
            [{"Id": parent, "Type": "ROOT" if parent == root["Id"] else "ORGANIZATIONAL_UNIT"}]

    assert code(c.org.list_parents, ChildId="999999999999") == ("ChildNotFoundException", 400)
    for function in (c.org.list_accounts_for_parent, c.org.list_organizational_units_for_parent):
        assert code(function, ParentId="ou-ab12-00000000x") == ("ParentNotFoundException", 400)
        assert code(function, ParentId="x") == ("InvalidInputException", 400)
    assert code(c.org.list_children, ParentId=root["Id"], ChildType="OTHER") == ("InvalidInputException", 400)
    assert code(c.org.describe_organizational_unit, OrganizationalUnitId=root["Id"]) == ("OrganizationalUnitNotFoundException", 400)


def path_of(truth, parent):
    parents = {o["id"]: o["parent"] for o in truth["ous"]}
    names = []
    while parent != truth["root"]:
        names.insert(0, parent)
        parent = parents[parent]
    return "".join(f"{name}/" for name in (truth["organization"], truth["root"], *names))


@pytest.mark.parametrize("flags, members", [({"account_state": "state"}, {"State"}), ({"account_state": "status"}, {"Status"}),
                                            ({"account_paths": "none"}, {"State", "Status"}), ({"account_paths": "parent"}, None)])
def test_members_of_accounts_come_and_go(sim, flags, members):
    c = Center(sim(**SMALL, **flags))
    for account in pages(c.org, "list_accounts", "Accounts"):
        if members is None:
            parent = next(a["parent"] for a in c.truth["accounts"] if a["id"] == account["Id"])
            assert account["Paths"] == [path_of(c.truth, parent)]
        else:
            assert {"State", "Status"} & set(account) == members
            assert ("Paths" in account) == (flags.get("account_paths") != "none")


# --- who may ask, and what is refused ---

def test_instances(sim):
    c = Center(sim(accounts=3, users=1, child_users=1))
    assert c.sso.list_instances()["Instances"] == [] and c.truth["permission_sets"] == []

    s = sim(**SMALL, instances=2)
    c = Center(s)
    other, organization = c.sso.list_instances()["Instances"]
    assert organization["InstanceArn"] == c.instance["InstanceArn"] and organization["OwnerAccountId"] == ACCOUNT
    assert other["OwnerAccountId"] == c.truth["accounts"][1]["id"] != ACCOUNT
    assert [i["InstanceArn"] for i in pages(c.sso, "list_instances", "Instances", size=1)] == [other["InstanceArn"], organization["InstanceArn"]]
    assert code(c.sso.list_permission_sets, InstanceArn=other["InstanceArn"]) == ("ValidationException", 400)
    assert c.store.list_users(IdentityStoreId=other["IdentityStoreId"])["Users"] == []
    s.mutate({"instance": organization["InstanceArn"], "status": "DELETE_IN_PROGRESS"}, {"instance": other["InstanceArn"], "owner": ACCOUNT})
    assert [(i["Status"], i["OwnerAccountId"]) for i in c.sso.list_instances()["Instances"]] == \
        [("ACTIVE", ACCOUNT), ("DELETE_IN_PROGRESS", ACCOUNT)]


def test_another_region_knows_nothing(sim):
    s = sim(**SMALL, sso_region="eu-central-1", logins=10)
    here, away = Center(s, region="eu-central-1"), Center(s)
    assert len(here.sso.list_instances()["Instances"]) == 1 and here.store.list_users(**here.directory)["Users"]
    assert away.sso.list_instances()["Instances"] == [] and away.trail.lookup_events()["Events"] == []
    assert code(away.sso.list_permission_sets, **here.instance) == ("ResourceNotFoundException", 400)
    assert code(away.store.list_users, **here.directory) == ("ResourceNotFoundException", 400)


def test_only_administrators_may_ask(sim):
    s = sim(verify_signatures=True, **SMALL, logins=10)
    c = Center(s)
    member = assume(s, c.truth["accounts"][3]["id"])
    sso, store, org, trail = (session(s, member, name) for name in ("sso-admin", "identitystore", "organizations", "cloudtrail"))
    for function, kwargs in ((sso.list_instances, {}), (sso.list_permission_sets, c.instance), (store.list_users, c.directory),
                             (org.list_roots, {}), (org.list_accounts, {}), (org.list_parents, {"ChildId": ACCOUNT})):
        assert code(function, **kwargs) == ("AccessDeniedException", 400)
    assert trail.lookup_events()["Events"] == [] and c.trail.lookup_events()["Events"]


def test_delegated_administrator(sim):
    s = sim(verify_signatures=True, **SMALL, delegated_administrator=True)
    c = Center(s)
    assert client(s, "sts").get_caller_identity()["Account"] == c.truth["accounts"][1]["id"]
    assert c.sso.list_instances()["Instances"][0]["OwnerAccountId"] == ACCOUNT
    assert c.sets() == [p["arn"] for p in c.truth["permission_sets"]]
    first = c.truth["assignments"][0]
    assert c.assignments(first["account"], first["permission_set"])
    assert c.store.list_users(**c.directory)["Users"] and len(pages(c.org, "list_accounts", "Accounts")) == 30
    user = c.truth["users"][0]["id"]
    assert code(c.sso.list_account_assignments_for_principal, PrincipalId=user, PrincipalType="USER", **c.instance) == \
        ("AccessDeniedException", 400)


def test_no_organization_is_no_tree(sim):
    c = Center(sim(no_organization=True))
    assert code(c.org.list_roots) == ("AWSOrganizationsNotInUseException", 400)
    assert code(c.org.list_parents, ChildId=ACCOUNT) == ("AWSOrganizationsNotInUseException", 400)


def test_bad_requests(sim):
    c = Center(sim(**SMALL))
    permission_set, account = c.truth["permission_sets"][0]["arn"], c.truth["accounts"][2]["id"]
    gone = permission_set[:-4] + "ffff"
    pair = {"AccountId": account, "PermissionSetArn": permission_set, **c.instance}
    principal = {"PrincipalId": c.truth["users"][0]["id"], "PrincipalType": "USER", **c.instance}
    other_instance = {"InstanceArn": c.instance["InstanceArn"][:-4] + "ffff"}
    for function, kwargs, want in (
            (c.sso.list_permission_sets, {"InstanceArn": "arn:aws:iam::123456789012:user/x"}, "ValidationException"),
            (c.sso.list_permission_sets, other_instance, "ResourceNotFoundException"),
            (c.sso.list_permission_sets, {**c.instance, "NextToken": "bm90aGluZw=="}, "ValidationException"),
            (c.sso.describe_permission_set, {**c.instance, "PermissionSetArn": gone}, "ResourceNotFoundException"),
            (c.sso.describe_permission_set, {**c.instance, "PermissionSetArn": "not an arn"}, "ValidationException"),
            (c.sso.list_account_assignments, {**pair, "AccountId": "999999999999"}, "ResourceNotFoundException"),
            (c.sso.list_account_assignments, {**pair, "AccountId": "12345678901x"}, "ValidationException"),
            (c.sso.list_account_assignments, {**pair, "MaxResults": 100, "NextToken": "x"}, "ValidationException"),
            (c.sso.list_permission_sets_provisioned_to_account, {**c.instance, "AccountId": account, "ProvisioningStatus": "LATEST"},
             "ValidationException"),
            (c.sso.list_account_assignments_for_principal, {**principal, "PrincipalId": NOBODY}, "ResourceNotFoundException"),
            (c.sso.list_account_assignments_for_principal, {**principal, "PrincipalType": "ROLE"}, "ValidationException"),
            (c.sso.list_account_assignments_for_principal, {**principal, "Filter": {"AccountId": "999999999999"}},
             "ResourceNotFoundException"),
            (c.sso.list_permission_sets, {**c.instance, "MaxResults": 101}, "ValidationException"),
            (c.store.list_users, {**c.directory, "MaxResults": 101}, "ValidationException"),
            (c.store.list_users, {**c.directory, "NextToken": "x"}, "ValidationException")):
        assert code(function, **kwargs) == (want, 400), kwargs
    token = c.sso.list_permission_sets(MaxResults=2, **c.instance)["NextToken"]
    assert code(c.sso.list_permission_sets_provisioned_to_account, AccountId=account, NextToken=token, **c.instance)[0] == "ValidationException"


def test_faults_tell_a_reason(sim):
    s = sim(**SMALL)
    c = Center(s)
    s.faults({"op": "identitystore:DescribeUser", "action": "error", "status": 400, "code": "ResourceNotFoundException",
              "reason": "KMS_KEY_NOT_FOUND"}, {"op": "sso:*", "action": "error", "status": 400, "code": "AccessDeniedException"})
    with pytest.raises(ClientError) as e:
        c.store.describe_user(UserId=c.truth["users"][0]["id"], **c.directory)
    assert e.value.response["Reason"] == "KMS_KEY_NOT_FOUND"
    with pytest.raises(ClientError) as e:
        c.sso.list_instances()
    assert "Reason" not in e.value.response


# --- limits ---

def count_throttled(function, n, **kwargs):
    throttled = 0
    for _ in range(n):
        try:
            function(**kwargs)
        except ClientError as e:
            assert (e.response["Error"]["Code"], e.response["ResponseMetadata"]["HTTPStatusCode"]) == ("ThrottlingException", 400)
            throttled += 1
    return throttled


def test_one_limit_for_all_of_sso_admin(sim):
    s = sim(**SMALL, sso_rate=2)
    c = Center(s)
    start = time.monotonic()
    throttled = count_throttled(c.sso.list_instances, 15) + count_throttled(c.sso.list_permission_sets, 15, **c.instance)
    most = 2 + 2 * (time.monotonic() - start) + 1
    rates, counters = s.rates()["sso"], s.counters()
    assert 30 - throttled <= most and throttled > 0
    assert (rates["rate"], rates["calls"], rates["throttled"]) == (2, 30, throttled)
    assert (sum(rates["calls_by_second"]), sum(rates["throttled_by_second"])) == (30, throttled)
    assert sum(v["throttled"] for k, v in counters.items() if k.startswith("sso:")) == throttled
    assert count_throttled(c.store.list_groups, 30, **c.directory) == 0, "it is another service's limit"
    assert s.rates()["identitystore"]["rate"] is None and s.rates()["identitystore"]["calls"] == 30
    s.reset()
    assert s.rates()["sso"]["calls"] == 0
    assert count_throttled(c.sso.list_instances, 2) == 0, "a full bucket again"


def test_a_paced_caller_is_not_throttled(sim):
    s = sim(**SMALL, sso_rate=40)
    c = Center(s)
    c.sso.list_instances()
    start = time.monotonic()
    for i in range(1, 61):
        time.sleep(max(0, start + i / 40 - time.monotonic()))
        c.sso.list_instances()
    assert s.rates()["sso"]["throttled"] == 0 and s.rates()["sso"]["span_ms"] >= 1400


@pytest.mark.parametrize("service, flag", [("store", "identity_store_rate"), ("org", "organizations_rate"), ("trail", "cloudtrail_rate")])
def test_limits_of_the_others(sim, service, flag):
    s = sim(**SMALL, **{flag: 1})
    c = Center(s)
    call = {"store": lambda: c.store.list_groups(**c.directory), "org": c.org.list_roots, "trail": c.trail.lookup_events}[service]
    failures = []
    for _ in range(20):
        try:
            call()
        except ClientError as e:
            failures.append(e.response["Error"]["Code"])
    assert failures and set(failures) == {"TooManyRequestsException" if service == "org" else "ThrottlingException"}
    assert count_throttled(c.sso.list_instances, 20) == 0


def test_cloudtrail_is_slow_by_default(sim):
    s = sim(**SMALL)
    assert s.rates()["cloudtrail"]["rate"] == 2
    assert count_throttled(Center(s).trail.lookup_events, 20) > 0


# --- changes while somebody looks ---

def test_permission_sets_come_and_go(sim):
    s = sim(**SMALL)
    c = Center(s)
    before = c.sets()
    page = c.sso.list_permission_sets(MaxResults=15, **c.instance)
    account = c.truth["accounts"][4]
    s.mutate({"create": "permission_set", "name": "Fresh", "accounts": [account["id"]]}, {"delete": "permission_set", "arn": before[20]},
             {"delete": "permission_set", "arn": before[3]})
    rest = c.sso.list_permission_sets(NextToken=page["NextToken"], **c.instance)["PermissionSets"]
    assert rest == before[15:20] + before[21:], "who pages sees neither gaps nor repeats"
    fresh, *others = c.sets()
    assert others == [p for p in before if p not in (before[3], before[20])]
    assert c.sso.describe_permission_set(PermissionSetArn=fresh, **c.instance)["PermissionSet"]["Name"] == "Fresh"
    assert code(c.sso.describe_permission_set, PermissionSetArn=before[3], **c.instance) == ("ResourceNotFoundException", 400)
    assert code(c.sso.list_account_assignments, AccountId=account["id"], PermissionSetArn=before[3], **c.instance)[0] == "ResourceNotFoundException"
    truth = s.center()
    provisioned = pages(c.sso, "list_permission_sets_provisioned_to_account", "PermissionSets", AccountId=account["id"], **c.instance)
    assert fresh in provisioned and provisioned == next(a["permission_sets"] for a in truth["accounts"] if a["id"] == account["id"])
    accounts = c.sso.list_accounts_for_provisioned_permission_set(PermissionSetArn=fresh, **c.instance)["AccountIds"]
    assert accounts == [account["id"]] and c.assignments(account["id"], fresh) == true_rows(truth, permission_set=fresh)
    assert not {before[3], before[20]} & {a["permission_set"] for a in truth["assignments"]}
    for bad in ({"create": "permission_set"}, {"create": "user", "name": "x"}, {"delete": "permission_set", "arn": before[3]},
                {"create": "permission_set", "name": "x", "accounts": ["1"]}):
        assert control_error(s, "mutate", bad) == 400


def test_assignments_and_people_vanish(sim):
    s = sim(**SMALL)
    c = Center(s)
    row = next(a for a in c.truth["assignments"] if a["principal_type"] == "USER")
    mutation = {"delete": "assignment", **row}
    s.mutate(mutation)
    assert control_error(s, "mutate", mutation) == 400
    left = c.assignments(row["account"], row["permission_set"])
    assert left == true_rows(s.center(), account=row["account"], permission_set=row["permission_set"])
    assert len(left) == len(true_rows(c.truth, account=row["account"], permission_set=row["permission_set"])) - 1
    own = pages(c.sso, "list_account_assignments_for_principal", "AccountAssignments", PrincipalId=row["principal_id"],
                PrincipalType="USER", **c.instance)
    assert (row["account"], row["permission_set"], "USER", row["principal_id"]) not in rows(own)

    everyone = [u["id"] for u in c.truth["users"]]
    user, group = next((m["user"], m["group"]) for m in c.truth["memberships"] if m["user"] in everyone[5:50])
    page = c.store.list_users(MaxResults=1, **c.directory)
    s.mutate({"delete": "sso_user", "id": user}, {"delete": "sso_group", "id": group})
    assert code(c.store.describe_user, UserId=user, **c.directory) == ("ResourceNotFoundException", 400)
    assert code(c.store.list_group_memberships, GroupId=group, **c.directory) == ("ResourceNotFoundException", 400)
    rest = c.store.list_users(NextToken=page["NextToken"], **c.directory)["Users"]
    assert [u["UserId"] for u in rest] == [u for u in everyone[1:102] if u != user]
    after = s.center()
    assert any(user == m["user"] for m in c.truth["memberships"]) and any(group == m["group"] for m in c.truth["memberships"])
    assert not [m for m in after["memberships"] if user == m["user"] or group == m["group"]]
    assert len(after["users"]) == len(c.truth["users"]) - 1 and len(after["groups"]) == len(c.truth["groups"]) - 1
    orphan = next(a for a in after["assignments"] if a["principal_id"] == group)
    assert (orphan["account"], orphan["permission_set"], "GROUP", group) in c.assignments(orphan["account"], orphan["permission_set"])
    assert code(c.sso.list_account_assignments_for_principal, PrincipalId=group, PrincipalType="GROUP", **c.instance) == \
        ("ResourceNotFoundException", 400)


def test_accounts_move(sim):
    s = sim(**SMALL)
    c = Center(s)
    account = c.truth["accounts"][5]
    unit = next(o["id"] for o in c.truth["ous"] if o["id"] != account["parent"])
    for to in (unit, c.truth["root"]):
        s.mutate({"account": account["id"], "move_to": to})
        assert c.org.list_parents(ChildId=account["id"])["Parents"][0]["Id"] == to
        assert account["id"] in [a["Id"] for a in pages(c.org, "list_accounts_for_parent", "Accounts", ParentId=to)]
        assert next(a["parent"] for a in s.center()["accounts"] if a["id"] == account["id"]) == to
    assert control_error(s, "mutate", {"account": account["id"], "move_to": "ou-none"}) == 400


def test_many_callers_while_it_changes(sim):
    s = sim(**SMALL, logins=60, cloudtrail_rate=0, sso_rate=100_000)
    c = Center(s)
    row, failed = c.truth["assignments"][0], []

    def ask(i):
        try:
            for _ in range(5):
                c.sets()
                c.assignments(row["account"], row["permission_set"])
                c.members(c.truth["groups"][i]["id"])
                c.trail.lookup_events()
                c.org.list_accounts_for_parent(ParentId=c.truth["root"])
                s.rates()
        except Exception as e:  # noqa: BLE001 - told below, on the test's thread
            failed.append(e)

    def change():
        for i in range(20):
            s.mutate({"create": "permission_set", "name": f"New{i}"}, {"delete": "sso_user", "id": c.truth["users"][i]["id"]},
                     {"event": "Authenticate", "time": i}, {"account": c.truth["accounts"][3]["id"], "move_to": c.truth["root"]})
            s.center()
    threads = [threading.Thread(target=ask, args=[i]) for i in range(8)] + [threading.Thread(target=change)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failed
    assert len(c.sets()) == 60 and len(s.center()["users"]) == 310
    assert s.stop() == 0


# --- login events ---

SOURCE = [{"AttributeKey": "EventSource", "AttributeValue": "sso.amazonaws.com"}]


def lookup(trail, size=None, **kwargs):
    return pages(trail, "lookup_events", "Events", size=size, **kwargs)


def test_login_events(sim):
    s = sim(**SMALL, logins=300, cloudtrail_rate=0)
    c = Center(s)
    def check(got, want):
        assert [(e["EventId"], e["EventName"], e["EventSource"], int(e["EventTime"].timestamp()), e["CloudTrailEvent"]) for e in got] == \
            [(e["id"], e["name"], e["source"], e["time_s"], e["record"]) for e in want]
    while True:  # until no event becomes visible just while they are listed
        s.reset()
        now = int(time.time())
        events = lookup(c.trail)
        if not any(now < e["visible_s"] <= time.time() for e in c.truth["events"]):
            break
    check(events, [e for e in c.truth["events"] if e["visible_s"] <= now])
    assert s.counters()["cloudtrail:LookupEvents"]["calls"] == 6, "50 a page"
    truth = [e for e in c.truth["events"] if e["visible_s"] <= now - 2]
    start, end = now - 86400 + 3600, now - 3600
    window = [e for e in truth if start <= e["time_s"] <= end and e["source"] == "sso.amazonaws.com"]
    check(lookup(c.trail, LookupAttributes=SOURCE, StartTime=start, EndTime=end, size=7), window)
    edge = window[10]["time_s"]
    check(lookup(c.trail, LookupAttributes=SOURCE, StartTime=edge, EndTime=edge), [e for e in window if e["time_s"] == edge])
    check(lookup(c.trail, LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "Federate"}], EndTime=end),
          [e for e in truth if e["name"] == "Federate" and e["time_s"] <= end])
    assert [e["time_s"] for e in window] == sorted((e["time_s"] for e in window), reverse=True)

    users, records = {u["id"] for u in c.truth["users"]}, [json.loads(e["record"]) for e in window]
    signed_in = [r for r in records if r["userIdentity"].get("onBehalfOf", {}).get("userId") in users]
    assert {r["eventName"] for r in signed_in} >= {"Authenticate", "Federate"}
    assert all(r["userIdentity"]["onBehalfOf"]["identityStoreArn"].endswith(f"/{c.directory['IdentityStoreId']}") for r in signed_in)
    assert all(len(r["serviceEventDetails"]["account_id"]) == 12 for r in signed_in if r["eventName"] == "Federate")
    assert any("onBehalfOf" not in r["userIdentity"] for r in records) and any("accountId" not in r["userIdentity"] for r in records)
    assert any(e["source"] != "sso.amazonaws.com" for e in truth) and any(e["visible_s"] > e["time_s"] for e in truth)
    assert s.get("repeats")["repeats"] == []


def test_late_events(sim):
    s = sim(**SMALL, cloudtrail_rate=0)
    c = Center(s)
    now, user = int(time.time()), c.truth["users"][7]["id"]
    s.mutate(*({"event": "Authenticate", "time": now - i, "user": user} for i in range(10)))
    first = c.trail.lookup_events(LookupAttributes=SOURCE, MaxResults=5, StartTime=now - 3600)
    assert [int(e["EventTime"].timestamp()) for e in first["Events"]] == [now - i for i in range(5)]
    s.mutate({"event": "Federate", "time": now - 7, "user": user, "target_account": ACCOUNT, "role": "Admin", "id": "late"},
             {"event": "Federate", "time": now - 1, "user": user, "target_account": ACCOUNT},
             {"event": "Authenticate", "time": now - 8, "record": "{not json"}, {"event": "Authenticate", "time": now - 9, "record": ""})
    rest = c.trail.lookup_events(LookupAttributes=SOURCE, MaxResults=50, StartTime=now - 3600, NextToken=first["NextToken"])
    assert [int(e["EventTime"].timestamp()) - now for e in rest["Events"]] == [-5, -6, -7, -7, -8, -8, -9, -9], "no other is skipped or repeated"
    late = next(e for e in rest["Events"] if e["EventId"] == "late")
    record = json.loads(late["CloudTrailEvent"])
    assert record["serviceEventDetails"] == {"role_name": "Admin", "account_id": ACCOUNT}
    assert record["userIdentity"]["onBehalfOf"]["userId"] == user
    assert [e.get("CloudTrailEvent") for e in rest["Events"]].count("{not json") == 1
    assert sum("CloudTrailEvent" not in e for e in rest["Events"]) == 1
    assert len(c.trail.lookup_events(MaxResults=50)["Events"]) == 14
    assert control_error(s, "mutate", {"event": "Authenticate"}) == 400


def test_cloudtrail_refuses(sim):
    c = Center(sim(**SMALL, logins=60, cloudtrail_rate=0))
    token = c.trail.lookup_events(MaxResults=5)["NextToken"]
    for kwargs, want in (({"StartTime": 2000000000, "EndTime": 1000000000}, "InvalidTimeRangeException"),
                         ({"MaxResults": 5, "NextToken": "x"}, "InvalidNextTokenException"),
                         ({"LookupAttributes": SOURCE, "NextToken": token}, "InvalidNextTokenException"),
                         ({"LookupAttributes": SOURCE * 2}, "InvalidLookupAttributesException"),
                         ({"LookupAttributes": [{"AttributeKey": "Nonsense", "AttributeValue": "x"}]}, "InvalidLookupAttributesException")):
        assert code(c.trail.lookup_events, **kwargs) == (want, 400), kwargs
    assert code(c.trail.lookup_events, MaxResults=51) == ("InvalidMaxResultsException", 400)


# --- the whole ---

def test_same_flags_same_center(sim):
    assert sim(**SMALL).center() == sim(**SMALL).center()
    assert sim(**SMALL).center() != sim(**SMALL, seed=2).center()


def test_large_organizations_take_little(sim):
    s = sim(accounts=1000, users=1, child_users=1, permission_sets=300, sso_users=10_000, sso_groups=800, ous=100, ou_depth=4)
    c = Center(s)
    assert [len(c.truth[k]) for k in ("accounts", "permission_sets", "users", "groups")] == [1000, 300, 10_000, 800]
    assert len(c.truth["assignments"]) > 20_000 and len(c.truth["memberships"]) > 25_000
    assert len(pages(c.store, "list_users", "Users", **c.directory)) == 10_000
    sanitized = b"__tsan_init" in AWS_SIM.read_bytes() or b"__asan_init" in AWS_SIM.read_bytes()
    assert resident_mib(s) < (1000 if sanitized else 60)
