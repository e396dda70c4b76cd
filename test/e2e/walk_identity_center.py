"""An independent oracle: walks Identity Center and Organizations with boto3 and gives the facts in the form of the simulator's truth,
from which support/truth_identity_center.py makes the lines of a sync. Accounts are looked up one by one, assignments pair by pair."""

import boto3
from botocore.config import Config

KEY = {"region_name": "us-east-1", "aws_access_key_id": "AKIAWALKWALKWALKWALK", "aws_secret_access_key": "secret"}


def clients(endpoint):
    """Of Organizations, SSO Admin, Identity Store."""
    config = Config(retries={"total_max_attempts": 5}, proxies={})
    return [boto3.client(name, endpoint_url=endpoint, config=config, **KEY) for name in ("organizations", "sso-admin", "identitystore")]


def paged(client, operation, key, **kwargs):
    return [item for page in client.get_paginator(operation).paginate(**kwargs) for item in page[key]]


def tree(org, parent):
    for ou in paged(org, "list_organizational_units_for_parent", "OrganizationalUnits", ParentId=parent):
        yield {"id": ou["Id"], "name": ou["Name"], "parent": parent}
        yield from tree(org, ou["Id"])


def external_ids(e):
    return [{"issuer": x["Issuer"], "id": x["Id"]} for x in e.get("ExternalIds", ())]


def permission_set(sso, which):
    p = sso.describe_permission_set(**which)["PermissionSet"]
    managed = paged(sso, "list_managed_policies_in_permission_set", "AttachedManagedPolicies", **which)
    customer = paged(sso, "list_customer_managed_policy_references_in_permission_set", "CustomerManagedPolicyReferences", **which)
    return {"arn": p["PermissionSetArn"], "name": p["Name"], "description": p.get("Description"),
            "managed": [{"name": m["Name"], "arn": m["Arn"]} for m in managed],
            "customer": [{"name": c["Name"], "path": c.get("Path")} for c in customer],
            "inline": sso.get_inline_policy_for_permission_set(**which).get("InlinePolicy")}


def facts(endpoint):
    org, sso, store = clients(endpoint)
    instances = paged(sso, "list_instances", "Instances")
    instance = {"InstanceArn": instances[0]["InstanceArn"]}
    directory = {"IdentityStoreId": instances[0]["IdentityStoreId"]}
    root, = paged(org, "list_roots", "Roots")
    out = {"root": root["Id"], "ous": list(tree(org, root["Id"])), "accounts": [], "assignments": [], "memberships": []}
    sets = paged(sso, "list_permission_sets", "PermissionSets", **instance)
    out["permission_sets"] = [permission_set(sso, {"PermissionSetArn": arn, **instance}) for arn in sets]
    for a in paged(org, "list_accounts", "Accounts"):
        provisioned = paged(sso, "list_permission_sets_provisioned_to_account", "PermissionSets", AccountId=a["Id"], **instance)
        out["accounts"].append({"id": a["Id"], "arn": a["Arn"], "name": a["Name"], "state": a.get("State", a.get("Status")),
                                "parent": org.list_parents(ChildId=a["Id"])["Parents"][0]["Id"], "permission_sets": provisioned})
        for arn in provisioned:
            out["assignments"] += [
                {"account": a["Id"], "permission_set": arn, "principal_type": r["PrincipalType"], "principal_id": r["PrincipalId"]}
                for r in paged(sso, "list_account_assignments", "AccountAssignments", AccountId=a["Id"], PermissionSetArn=arn,
                               **instance)]
    owner = out["accounts"][0]["arn"].split(":")[4]
    out["accounts"].sort(key=lambda a: a["id"] != owner)
    out["instances"] = [{"arn": i["InstanceArn"], "store": i["IdentityStoreId"], "status": i.get("Status", "ACTIVE"), "owner": owner}
                        for i in instances]
    out["users"] = [{"id": u["UserId"], "user_name": u["UserName"], "display_name": u.get("DisplayName"),
                     "status": u.get("UserStatus"), "external_ids": external_ids(u),
                     "emails": [{"value": e.get("Value"), "primary": e.get("Primary", False)} for e in u.get("Emails", ())]}
                    for u in paged(store, "list_users", "Users", **directory)]
    out["groups"] = [{"id": g["GroupId"], "display_name": g["DisplayName"], "external_ids": external_ids(g)}
                     for g in paged(store, "list_groups", "Groups", **directory)]
    for g in out["groups"]:
        out["memberships"] += [
            {"id": m["MembershipId"], "group": g["id"], "user": m["MemberId"]["UserId"]}
            for m in paged(store, "list_group_memberships", "GroupMemberships", GroupId=g["id"], **directory)]
    return out
