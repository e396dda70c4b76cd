"""Gives a moto account an organization and Identity Center through boto3: units in units, accounts in them, permission sets with
policies of every kind, users, groups, memberships and assignments.

moto's matrix of what is provisioned where is the same for every account, and right only where all permission sets are provisioned
and are asked for by account. So there are more of them than accounts, and each is provisioned.
"""

import json
import random

from walk_identity_center import clients

ACCOUNTS, SETS, USERS, GROUPS, ASSIGNMENTS = 5, 12, 150, 14, 170
NAMES = ["Größe Ñandú", "a+b=c,.@-_", "<&>\"'%41", "x", "Ops  Team"]


def organization(org):
    org.create_organization(FeatureSet="ALL")
    nodes = [org.list_roots()["Roots"][0]["Id"]]
    for i in range(6):
        parent = nodes[0] if i < 2 else nodes[i - 1]
        nodes.append(org.create_organizational_unit(ParentId=parent, Name=f"Unit {i}")["OrganizationalUnit"]["Id"])
    for i in range(ACCOUNTS - 1):
        made = org.create_account(Email=f"aws+{i}@example.com", AccountName=NAMES[i])["CreateAccountStatus"]
        if i:  # the first one stays in the root
            org.move_account(AccountId=made["AccountId"], SourceParentId=nodes[0], DestinationParentId=nodes[i])
    return [a["Id"] for a in org.list_accounts()["Accounts"]]


def directory(store, store_id, dice):
    users, groups = [], []
    for i in range(USERS):
        emails = [{"Value": f"{i}.{k}@mail.example", "Type": "work", "Primary": k == i % 4} for k in range(i % 3)]
        more = {"Emails": emails} if emails else {}
        users.append(store.create_user(
            IdentityStoreId=store_id, UserName=f"user{i}@corp.example" if i % 2 else f"user.{i}", DisplayName=f"User {i} é",
            Name={"GivenName": "G", "FamilyName": f"F{i}"}, **more)["UserId"])
    for i in range(GROUPS):
        groups.append(store.create_group(IdentityStoreId=store_id, DisplayName=f"{NAMES[i % len(NAMES)]} {i}")["GroupId"])
    for g, group in enumerate(groups):
        for user in dice.sample(users, 120 if g == 1 else g % 5):
            store.create_group_membership(IdentityStoreId=store_id, GroupId=group, MemberId={"UserId": user})
    return users, groups


def permission_set(sso, instance, i):
    more = {"Description": f"about {i}, <&>"} if i % 3 else {}
    made = sso.create_permission_set(InstanceArn=instance, Name=f"Set-{i}_+=,.@", SessionDuration="PT1H", **more)
    arn = made["PermissionSet"]["PermissionSetArn"]
    which = {"InstanceArn": instance, "PermissionSetArn": arn}
    for name in ("AdministratorAccess", "PowerUserAccess", "ReadOnlyAccess")[:i % 4]:
        sso.attach_managed_policy_to_permission_set(ManagedPolicyArn=f"arn:aws:iam::aws:policy/{name}", **which)
    for k in range(i % 3):
        sso.attach_customer_managed_policy_reference_to_permission_set(
            CustomerManagedPolicyReference={"Name": f"local-{k}", "Path": ("/", "/a/b,c/")[k]}, **which)
    if i % 2:
        sso.put_inline_policy_to_permission_set(InlinePolicy=json.dumps({"Statement": [], "Id": f"<{i}> %41+é"}), **which)
    sso.provision_permission_set(TargetType="ALL_PROVISIONED_ACCOUNTS", **which)
    return arn


def seed(endpoint):
    org, sso, store = clients(endpoint)
    dice = random.Random(7)
    accounts = organization(org)
    instance = sso.list_instances()["Instances"][0]
    users, groups = directory(store, instance["IdentityStoreId"], dice)
    sets = [permission_set(sso, instance["InstanceArn"], i) for i in range(SETS)]
    rows = [(a, p, kind, who) for a in accounts for p in sets for kind, ids in (("USER", users[:8]), ("GROUP", groups)) for who in ids]
    for account, arn, kind, who in dice.sample(rows, ASSIGNMENTS):
        sso.create_account_assignment(InstanceArn=instance["InstanceArn"], TargetId=account, TargetType="AWS_ACCOUNT",
                                      PermissionSetArn=arn, PrincipalType=kind, PrincipalId=who)
