"""The simulator's own account of Identity Center (GET /sim/truth/identity-center), as the lines a sync must hold beside those
of IAM. It shares nothing with the server.

RULES, where the specification leaves a choice or lists a defect of the reference to be done right:

 1. Only ACTIVE accounts. Their parent is a root or a unit of the tree; all types are synced.
 2. An account offers every permission set of the instance; its grants and bindings are of those provisioned to it.
 3. Users: status in both places (row 20); e-mails: the user name if it is an address, AWS's primary ones, the rest; no empty
    ones, none twice, the first one is primary (row 21).
 4. Partition of all ARNs: the instance's (row 18). Of several instances: the ACTIVE one of the management account (row 29).
 5. Policies of a permission set are granted to it (AWS-managed) and to its bindings (both kinds); a reference to a
    customer-managed policy means the account's own (row 26).
 6. Assignments of principals that were deleted from the directory stay: AWS lists them.
"""

from walk_iam import any_of, canonical, entitlement, grant, rid

PERMISSIONS = {
    "account": "organizations:ListAccounts organizations:DescribeOrganization organizations:ListParents "
               "sso:ListPermissionSets sso:DescribePermissionSet sso:ListPermissionSetsProvisionedToAccount "
               "sso:ListAccountAssignments sso:ListInstances sso:CreateAccountAssignment sso:DeleteAccountAssignment "
               "sso:DescribeAccountAssignmentCreationStatus sso:DescribeAccountAssignmentDeletionStatus "
               "iam:ListPolicies iam:AttachRolePolicy iam:CreateRole iam:DeleteRole iam:DeleteRolePolicy "
               "iam:DetachRolePolicy iam:GetRole iam:ListAttachedRolePolicies iam:ListRolePolicies iam:PutRolePolicy "
               "iam:UpdateRole iam:UpdateRoleDescription iam:GetSAMLProvider",
    "sso_user": "identitystore:ListUsers sso:ListInstances identitystore:CreateUser identitystore:DeleteUser",
    "sso_group": "sso:ListInstances identitystore:ListGroups identitystore:ListGroupMemberships "
                 "identitystore:GetGroupMembershipId identitystore:CreateGroupMembership "
                 "identitystore:DeleteGroupMembership",
    "permission_set": "sso:ListInstances sso:ListPermissionSets sso:DescribePermissionSet "
                      "sso:ListManagedPoliciesInPermissionSet",
    "permission_set_assignment": "sso:ListInstances sso:ListPermissionSetsProvisionedToAccount sso:DescribePermissionSet "
                                 "sso:ListAccountAssignments sso:ListManagedPoliciesInPermissionSet "
                                 "sso:ListCustomerManagedPolicyReferencesInPermissionSet sso:CreateAccountAssignment "
                                 "sso:DeleteAccountAssignment sso:DescribeAccountAssignmentCreationStatus "
                                 "sso:DescribeAccountAssignmentDeletionStatus organizations:DescribeAccount",
    "organization": "organizations:ListRoots organizations:ListOrganizationalUnitsForParent",
    "organizational_unit": "organizations:ListOrganizationalUnitsForParent",
}


def v1(text):
    return any_of("V1Identifier", id=text)


def child(kind):
    return any_of("ChildResourceType", resourceTypeId=kind)


def resource_types():
    opt_in, nothing = any_of("OptInRequired"), any_of("SkipEntitlementsAndGrants")

    def row(kind, display, trait, *annotations):
        permissions = [{"permission": p} for p in PERMISSIONS[kind].split()]
        line = {"kind": "resource_type", "id": kind, "displayName": display,
                "annotations": [*annotations, any_of("CapabilityPermissions", permissions=permissions)]}
        return {**line, "traits": [trait]} if trait else line

    return [row("account", "Account", "TRAIT_APP", v1("account"), child("permission_set_assignment")),
            row("sso_user", "SSO User", "TRAIT_USER", nothing, v1("sso_user")),
            row("sso_group", "SSO Group", "TRAIT_GROUP", v1("sso_group")),
            row("permission_set", "Permission Set", "TRAIT_ROLE", any_of("SkipEntitlements"), opt_in),
            row("permission_set_assignment", "Permission Set Assignment", "TRAIT_SCOPE_BINDING", opt_in),
            row("organization", "Organization Root", None, nothing, opt_in, child("organizational_unit")),
            row("organizational_unit", "Organizational Unit", None, nothing, opt_in, child("organizational_unit"))]


def choose_instance(truth):
    owner = truth["accounts"][0]["id"]
    one, = [i for i in truth["instances"] if i["status"] == "ACTIVE" and i["owner"] == owner]
    return one


def emails(user):
    name = user["user_name"] or ""
    candidates = [name] if "@" in name else []
    candidates += [e["value"] for e in user["emails"] if e["primary"]] + [e["value"] for e in user["emails"]]
    addresses = list(dict.fromkeys(a for a in candidates if a))
    return [{"address": a, "isPrimary": True} if i == 0 else {"address": a} for i, a in enumerate(addresses)]


def described(line, text):
    return {**line, "description": text} if text else line


class Center:
    """Lines from the truth. `region`: the one configured."""

    def __init__(self, truth, region="us-east-1"):
        instance = choose_instance(truth)
        self.truth, self.lines = truth, resource_types()
        self.partition = instance["arn"].split(":")[1]
        self.store = f"arn:{self.partition}:identitystore:{region}::{instance['store']}"
        self.sets = {p["arn"]: p for p in truth["permission_sets"]}

    def arn(self, kind, native_id):
        return f"{self.store}/{kind}/{native_id}"

    def everything(self):
        t = self.truth
        self.organization()
        for u in t["users"]:
            self.user(u)
        for g in t["groups"]:
            self.group(g)
        alive = {g["id"] for g in t["groups"]}
        for m in t["memberships"]:
            if m["group"] in alive:
                self.member(m)
        for p in t["permission_sets"]:
            self.permission_set(p)
        active = [a for a in t["accounts"] if a["state"] == "ACTIVE"]
        for a in active:
            self.account(a)
        ids = {a["id"] for a in active}
        for row in t["assignments"]:
            if row["account"] in ids:
                self.assignment(row)
        return self.lines

    def organization(self):
        below = [child("organizational_unit")]
        self.lines.append({"kind": "resource", "id": rid("organization", self.truth["root"]), "displayName": "Root",
                           "annotations": below})
        for ou in self.truth["ous"]:
            self.lines.append({"kind": "resource", "id": rid("organizational_unit", ou["id"]), "annotations": below,
                               "displayName": ou["name"] or ou["id"], "parentResourceId": self.node(ou["parent"])})

    def node(self, native_id):
        return rid("organization" if native_id.startswith("r-") else "organizational_unit", native_id)

    def profile(self, e, **profile):
        external = [{"id": x["id"], "issuer": x["issuer"]} for x in e["external_ids"]]
        return {**profile, "external_ids": external} if external else profile

    def user(self, u):
        arn, status = self.arn("user", u["id"]), u["status"]
        known = status in ("ENABLED", "DISABLED")
        trait = any_of("UserTrait", emails=emails(u), accountType="ACCOUNT_TYPE_HUMAN",
                       status={"status": f"STATUS_{status}"} if known else {})
        self.lines.append({
            "kind": "resource", "id": rid("sso_user", arn), "displayName": u["user_name"], "annotations": [v1(arn), trait],
            "profile": self.profile(u, aws_user_type="sso", aws_user_name=u["display_name"] or "", aws_user_id=u["id"]),
            "status": {"status": f"RESOURCE_STATUS_{status}"} if known else {}})

    def group(self, g):
        arn, name = self.arn("group", g["id"]), g["display_name"]
        self.lines.append({
            "kind": "resource", "id": rid("sso_group", arn), "displayName": name,
            "annotations": [v1(arn), any_of("GroupTrait")],
            "profile": self.profile(g, aws_group_type="sso", aws_group_name=name, aws_group_id=g["id"])})
        self.lines.append(entitlement("sso_group", arn, "member", f"{name} Group Member",
                                      f"Is member of the {name} SSO group in AWS", ["sso_user"], [v1(f"membership:{arn}")]))

    def member(self, m):
        group, user = self.arn("group", m["group"]), self.arn("user", m["user"])
        line = grant("sso_group", group, "member", "sso_user", user, [v1(f"grant:membership:{group}:{user}")])
        self.lines.append({**line, "id": m["id"]})

    def permission_set(self, p):
        arn = p["arn"]
        self.lines.append(described({
            "kind": "resource", "id": rid("permission_set", arn), "displayName": p["name"],
            "annotations": [child("inline_policy"), any_of("RoleTrait")]}, p["description"]))
        for policy in p["managed"]:
            self.lines.append(grant("iam_policy", policy["arn"], "attached", "permission_set", arn))
        if p["inline"]:
            self.inline(arn, p["inline"])

    def inline(self, arn, document):
        own = f"{arn}::inline::inline"
        self.lines.append({
            "kind": "resource", "id": rid("inline_policy", own), "parentResourceId": rid("permission_set", arn),
            "displayName": "inline", "description": f"Inline policy attached to permission set {arn}",
            "annotations": [any_of("RoleTrait")],
            "profile": {"aws_policy_name": "inline", "aws_parent_arn": arn, "policy_document": document}})
        self.lines.append(entitlement("inline_policy", own, "attached", "inline Inline Policy",
                                      "Has the inline inline policy in AWS", ["permission_set"]))
        self.lines.append(grant("inline_policy", own, "attached", "permission_set", arn))

    def account(self, a):
        account = a["id"]
        self.lines.append({
            "kind": "resource", "id": rid("account", account), "displayName": a["name"],
            "parentResourceId": self.node(a["parent"]),
            "annotations": [v1(account), child("permission_set_assignment"), any_of("AppTrait")],
            "profile": {"aws_account_arn": a["arn"], "aws_account_id": account}})
        for p in self.sets.values():
            self.lines.append(described({
                "kind": "entitlement", "id": f"{account}|{p['arn']}", "resource": {"id": rid("account", account)},
                "displayName": f"{p['name']} Permission Set", "slug": f"{p['name']} access",
                "purpose": "PURPOSE_VALUE_ASSIGNMENT", "grantableTo": [{"id": "sso_user"}, {"id": "sso_group"}],
                "annotations": [v1(f"{account}|{p['arn']}")]}, p["description"]))
        for arn in a["permission_sets"]:
            self.binding(account, self.sets[arn])

    def binding(self, account, p):
        own = f"{p['arn']}-{account}"
        self.lines.append({
            "kind": "resource", "id": rid("permission_set_assignment", own), "displayName": f"{p['name']} on {account}",
            "parentResourceId": rid("account", account),
            "annotations": [any_of("ScopeBindingTrait", roleId=rid("permission_set", p["arn"]),
                                   scopeResourceId=rid("account", account))]})
        line = entitlement("permission_set_assignment", own, "assigned", "assigned", "", ["sso_user", "sso_group"])
        del line["description"]
        self.lines.append(line)
        policies = [m["arn"] for m in p["managed"]]
        policies += [f"arn:{self.partition}:iam::{account}:policy{c['path'] or '/'}{c['name']}" for c in p["customer"]]
        for policy in policies:
            self.lines.append(grant("iam_policy", policy, "attached", "permission_set_assignment", own, [
                any_of("GrantExpandable", entitlementIds=[f"permission_set_assignment:{own}:assigned"])]))

    def assignment(self, row):
        account, arn = row["account"], row["permission_set"]
        binding = f"{arn}-{account}"
        for kind, name, ent in (("account", account, f"{account}|{arn}"), (
                "permission_set_assignment", binding, f"permission_set_assignment:{binding}:assigned")):
            self.lines.append(self.holder(row, kind, name, ent))

    def holder(self, row, kind, name, ent):
        short = row["principal_type"].lower()
        principal = self.arn(short, row["principal_id"])
        annotations = [v1(f"grant:{ent}:{principal}")]
        if short == "group":
            annotations.append(any_of("GrantExpandable", entitlementIds=[f"sso_group:{principal}:member"]))
        return {"kind": "grant", "id": f"grant:sso_{short}:{principal}:{ent}", "annotations": annotations,
                "entitlement": {"id": ent, "resource": {"id": rid(kind, name)}},
                "principal": {"id": rid(f"sso_{short}", principal)}}


def expected(truth, region="us-east-1"):
    """truth: of the simulator's center(). Lines as objects' JSON text."""
    return [canonical(line) for line in Center(truth, region).everything()]
