"""An independent oracle: walks the IAM of an account, or of every account of an organization, with the plain list and
get calls of boto3 and says, line by line, what a sync of it must hold. It shares nothing with the server: no bulk call,
no credential report.

    python3 walk_iam.py http://127.0.0.1:5000 [--organization] [--secrets] [--only-attached] > expected.jsonl

The lines have the form of `enginesync --dump` (test/e2e/engine): one JSON object each, keys and lines sorted.

RULES, where spec/iam.md leaves a choice or lists a defect of the reference to be done right:

 1. Types: group, iam_policy, iam_user, inline_policy, role; with an organization account_iam, with secrets access-key. No
    parent: the connector's own account.
 2. created_at = CreateDate of users, groups, roles and managed policies (D4); not of inline policies. Whole seconds.
 3. last_login = the latest of PasswordLastUsed and the last uses of the user's access keys (D1); absent if there is none.
 4. emails (D3): the user name, then the value of the tag `email` (key exactly so), each if it is a valid address,
    without duplicates (exact text); the first one is primary. Valid: local part an ASCII dot-atom of at most 64, domain
    of labels [a-z0-9-] of 1..63 (case ignored) without a hyphen at either end, at most 253; in all at most 254.
 5. aws_tags: all tags of users and roles (D2).
 6. iam_policy: customer-managed policies under their account; AWS's whole catalogue once, without parent (D44). Only attached:
    of both those attached to a user, group or role. Being a permissions boundary is not being attached. Description as GetPolicy gives
    it (D23), for AWS's policies only if attached: in the own account, or (only attached) in any. Document: that of the default version.
 7. Documents are percent-decoded, `+` stays (D40). One that cannot be decoded: trust as if absent; permissions: left out.
 8. Trust policy: a document that is no JSON object (`null` included, D9), or whose Statement is neither array, object nor
    null, is unparsable. A statement with a member of the wrong type is skipped, the others count (D8). A `null` statement
    is an empty one. Version is not looked at.
 9. Grants (D7): actions match sts:AssumeRole as globs (`*`, `?`), without regard to case. Effect is exactly Allow or Deny. A Deny
    without Condition (absent, null or {}) whose actions match removes exactly the principals it names, wherever it stands; `*`
    (as Principal or in AWS) removes all. NotPrincipal and NotAction make a statement name nobody, or match nothing.
10. A principal is an ARN of service iam with a 12-digit account whose resource starts with `user/` or `role/` (D11). It may be
    of any account and need not exist. Duplicates: one grant. GrantExpandable only for roles that exist in the sync (D11), in
    whichever of its accounts.
11. Classification (6.2): an Allow counts when an action matches, as in 9, one of the operations whose names start with
    sts:AssumeRole, or itself starts with that. Deny is not looked at. `aws.role.public` (D10) comes first, after service-linked.
    For cross_account the principal is an ARN with a 12-digit account that is not the role's own.
12. account_iam: the organization's accounts that are ACTIVE (D27). Those whose role can be assumed, but for the own one, announce
    their children, and those have it as their parent. AWS-managed policies have none.
13. access-key (D22): V1Identifier is the key's id, the owner is told by ARN, the parent is the account. No date of last use: never.
    Active is ENABLED; any other status is DISABLED, with AWS's word as its details.
14. Kept: every user is HUMAN and enabled (D43); role is grantable to iam_user, role, group, sso_user (D39).
"""

import argparse
import json
import re
from datetime import timezone
from urllib.parse import unquote_to_bytes

import boto3
import botocore.handlers
from botocore.config import Config
from botocore.exceptions import ClientError

V2 = "type.googleapis.com/c1.connector.v2."

PERMISSIONS = {
    "iam_user": "iam:ListUsers iam:GetUser iam:ListAccessKeys iam:GetAccessKeyLastUsed iam:ListSigningCertificates "
                "iam:ListSSHPublicKeys iam:ListServiceSpecificCredentials iam:ListMFADevices iam:ListUserPolicies "
                "iam:ListAttachedUserPolicies iam:ListGroupsForUser iam:CreateUser iam:DeleteLoginProfile "
                "iam:DeleteAccessKey iam:DeleteSigningCertificate iam:DeleteSSHPublicKey "
                "iam:DeleteServiceSpecificCredential iam:DeactivateMFADevice iam:DeleteUserPolicy "
                "iam:DetachUserPolicy iam:DeleteUser iam:TagUser",
    "group": "iam:ListGroups iam:GetGroup iam:ListAttachedGroupPolicies iam:AddUserToGroup iam:RemoveUserFromGroup",
    "role": "iam:ListRoles iam:GetRole iam:ListAttachedRolePolicies",
    "iam_policy": "iam:ListPolicies iam:GetPolicy iam:GetPolicyVersion iam:AttachUserPolicy iam:AttachRolePolicy "
                  "iam:AttachGroupPolicy iam:DetachUserPolicy iam:DetachRolePolicy iam:DetachGroupPolicy",
    "inline_policy": "iam:ListUserPolicies iam:ListRolePolicies iam:ListGroupPolicies "
                     "sso:GetInlinePolicyForPermissionSet iam:GetUserPolicy iam:GetRolePolicy iam:GetGroupPolicy "
                     "iam:DeleteUserPolicy iam:DeleteRolePolicy iam:DeleteGroupPolicy",
    "access-key": "iam:ListAccessKeys iam:GetAccessKeyLastUsed",
    "account_iam": "iam:ListAccountAliases",
}


# ---------------------------------------------------------------------------------------------------- AWS, raw

OWN_KEY = {"aws_access_key_id": "AKIAWALKWALKWALKWALK", "aws_secret_access_key": "secret"}


def client(service, endpoint, **key):
    return boto3.client(service, endpoint_url=endpoint, region_name="us-east-1", **(key or OWN_KEY),
                        config=Config(retries={"total_max_attempts": 5}))


def iam_client(endpoint, **key):
    """A client that leaves policy documents as AWS sent them (boto3 would decode and parse them)."""
    iam = client("iam", endpoint, **key)
    iam.meta.events.unregister("after-call.iam", botocore.handlers.json_decode_policies)
    return iam


def child_key(endpoint, account, role="OrganizationAccountAccessRole"):
    """The key to another account of the organization; None when its role cannot be assumed."""
    try:
        made = client("sts", endpoint).assume_role(RoleArn=f"arn:aws:iam::{account}:role/{role}", RoleSessionName="walk")
    except ClientError as error:
        if error.response["Error"]["Code"] == "AccessDenied":
            return None
        raise
    c = made["Credentials"]
    return {"aws_access_key_id": c["AccessKeyId"], "aws_secret_access_key": c["SecretAccessKey"],
            "aws_session_token": c["SessionToken"]}


def paged(iam, operation, key, **kwargs):
    for page in iam.get_paginator(operation).paginate(**kwargs):
        yield from page[key]


def decode(text):
    """Percent-decoding (rule 7); None when it is malformed."""
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        return None
    try:
        return unquote_to_bytes(text).decode("utf-8")
    except UnicodeDecodeError:
        return None


def rfc3339(date):
    return date.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


# ------------------------------------------------------------------------------------------------ trust policies

class Malformed(Exception):
    pass


class Pairs(list):
    """A JSON object as it was written: duplicates and order kept."""

    def __eq__(self, other):
        return isinstance(other, Pairs) and list.__eq__(self, other)

    def folded(self, name):
        """Value of the last member with this name, whatever its case; None when absent."""
        found = [v for k, v in self if k.lower() == name.lower()]
        return found[-1] if found else None

    def exact(self, name):
        found = [v for k, v in self if k == name]
        return found[-1] if found else []


def strings(value):
    """A string or a list of strings; null counts as an empty string."""
    values = value if isinstance(value, list) and not isinstance(value, Pairs) else [value]
    if not all(v is None or isinstance(v, str) for v in values):
        raise Malformed
    return [v or "" for v in values]


def parse_statement(raw):
    raw = Pairs() if raw is None else raw
    if not isinstance(raw, Pairs):
        raise Malformed
    effect = raw.folded("Effect")
    if not (effect is None or isinstance(effect, str)):
        raise Malformed
    action, principal = raw.folded("Action"), raw.folded("Principal")
    st = {"effect": effect or "", "actions": [] if action is None else strings(action), "AWS": [], "Service": [],
          "Federated": [], "everybody": principal == "*", "condition": raw.folded("Condition") not in (None, Pairs())}
    if isinstance(principal, Pairs):
        for kind in ("AWS", "Service", "Federated"):
            st[kind] = strings(principal.exact(kind))
    elif not (principal is None or isinstance(principal, str)):
        raise Malformed
    st["everybody"] |= "*" in st["AWS"]
    return st


def parse_trust(document):
    """The statements of a decoded trust policy (rule 8); None when it is unparsable."""
    if not document:
        return None
    try:
        top = json.loads(document, object_pairs_hook=Pairs)
    except ValueError:
        return None
    if not isinstance(top, Pairs):
        return None
    raw = top.folded("Statement")
    if raw is None and not any(k.lower() == "statement" for k, _ in top):
        return None
    if isinstance(raw, Pairs):
        raw = [raw]
    elif raw is None:
        raw = []
    elif not isinstance(raw, list):
        return None
    statements = []
    for one in raw:
        try:
            statements.append(parse_statement(one))
        except Malformed:
            continue
    return statements


def glob(pattern, text):
    regex = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.fullmatch(regex, text, re.IGNORECASE | re.DOTALL) is not None


def covers_assume_role(actions):
    return any(glob(a, "sts:AssumeRole") for a in actions)


def arn_parts(arn):
    """(partition, service, region, account, resource), or None."""
    parts = arn.split(":", 5)
    return tuple(parts[1:]) if len(parts) == 6 and parts[0] == "arn" else None


def is_aws_managed(policy_arn):
    return arn_parts(policy_arn)[3] == "aws"


def is_account(text):
    return re.fullmatch("[0-9]{12}", text) is not None


def trust_principals(document):
    """(type, ARN) of who may assume the role, in document order, without duplicates (rules 9 and 10)."""
    statements = parse_trust(document) or []
    allowed, denied = [], set()
    for st in statements:
        if not covers_assume_role(st["actions"]):
            continue
        if st["effect"] == "Allow":
            allowed += st["AWS"]
        elif st["effect"] == "Deny" and not st["condition"]:
            if st["everybody"]:
                return []
            denied.update(st["AWS"])
    out = []
    for arn in allowed:
        parts = arn_parts(arn)
        if arn in denied or not parts or parts[1] != "iam" or not is_account(parts[3]):
            continue
        kind = "iam_user" if parts[4].startswith("user/") else "role" if parts[4].startswith("role/") else None
        if kind and (kind, arn) not in out:
            out.append((kind, arn))
    return out


ASSUME_OPERATIONS = ("sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity")


def classify(arn, path, document):
    """(nhi_type, nhi_detail) of a role (rule 11)."""
    if path.startswith("/aws-service-role/"):
        return "NHI_TYPE_MANAGED_IDENTITY", "aws.service_linked_role"
    return "NHI_TYPE_ASSUMABLE_ROLE", classify_trust(arn, document)


def classify_trust(arn, document):
    allows = [st for st in parse_trust(document) or [] if st["effect"] == "Allow" and any(
        a.lower().startswith("sts:assumerole") or any(glob(a, op) for op in ASSUME_OPERATIONS) for a in st["actions"])]
    if any(st["everybody"] and not st["condition"] for st in allows):
        return "aws.role.public"
    services = [s.split(".")[0].replace("-", "_").lower() for st in allows for s in st["Service"]]
    services = [s for s in services if s]
    if services:
        return "aws.role." + min(services, key=str.encode)
    federated = [f for st in allows for f in st["Federated"]]
    for f in federated:
        if ":oidc-provider/" in f:
            return "aws.role.oidc"
        if ":saml-provider/" in f:
            return "aws.role.saml"
    if federated:
        return "aws.role.federated"
    own = arn_parts(arn)[3]
    for principal in (p for st in allows for p in st["AWS"]):
        parts = arn_parts(principal)
        if parts and is_account(parts[3]) and parts[3] != own:
            return "aws.role.cross_account"
    return "aws.role"


# ------------------------------------------------------------------------------------------------------- e-mails

ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
LOCAL = re.compile(rf"{ATOM}(\.{ATOM})*")
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")


def is_email(text):
    local, at, domain = text.rpartition("@")
    if not at or len(text) > 254 or len(local) > 64 or len(domain) > 253 or not LOCAL.fullmatch(local):
        return False
    return all(len(label) <= 63 and LABEL.fullmatch(label) for label in domain.lower().split("."))


def emails(user_name, tags):
    out = []
    for candidate in (user_name, tags.get("email", "")):
        if is_email(candidate) and candidate not in out:
            out.append(candidate)
    return [{"address": a, "isPrimary": True} if i == 0 else {"address": a} for i, a in enumerate(out)]


# ------------------------------------------------------------------------------------------------------ messages

def any_of(name, **fields):
    return {"@type": V2 + name, **{k: v for k, v in fields.items() if v not in ("", [], None)}}


def rid(kind, resource):
    return {"resourceType": kind, "resource": resource}


def resource_types(organization, secrets):
    def row(kind, display, trait, *annotations):
        permissions = [{"permission": p} for p in PERMISSIONS[kind].split()]
        if kind != "access-key":
            annotations += (any_of("V1Identifier", id=kind),)
        return {"kind": "resource_type", "id": kind, "displayName": display, "traits": [trait],
                "annotations": [*annotations, any_of("CapabilityPermissions", permissions=permissions)]}

    out = [row("iam_user", "IAM User", "TRAIT_USER", any_of("SkipEntitlements")),
           row("group", "Group", "TRAIT_GROUP"),
           row("role", "IAM Role", "TRAIT_ROLE"),
           row("iam_policy", "IAM Managed Policy", "TRAIT_ROLE"),
           row("inline_policy", "Inline Policy", "TRAIT_ROLE")]
    if organization:
        out.append(row("account_iam", "Account IAM", "TRAIT_APP", any_of("SkipEntitlementsAndGrants")))
    if secrets:
        out.append(row("access-key", "Access Key", "TRAIT_SECRET", any_of("SkipEntitlementsAndGrants")))
    return out


def entitlement(kind, arn, slug, display, description, grantable_to, annotations=()):
    out = {"kind": "entitlement", "id": f"{kind}:{arn}:{slug}", "resource": {"id": rid(kind, arn)}, "slug": slug,
           "displayName": display, "description": description, "purpose": "PURPOSE_VALUE_ASSIGNMENT",
           "grantableTo": [{"id": t} for t in grantable_to]}
    if annotations:
        out["annotations"] = list(annotations)
    return out


def grant(kind, arn, slug, principal_type, principal, annotations=()):
    ent = f"{kind}:{arn}:{slug}"
    out = {"kind": "grant", "id": f"{ent}:{principal_type}:{principal}",
           "entitlement": {"id": ent, "resource": {"id": rid(kind, arn)}},
           "principal": {"id": rid(principal_type, principal)}}
    if annotations:
        out["annotations"] = list(annotations)
    return out


def policy_expansion(kind, arn):
    """Who else holds a policy that is attached to this entity (3.10)."""
    if kind == "role":
        return [any_of("GrantExpandable", entitlementIds=[f"role:{arn}:assignment"])]
    if kind == "group":
        return [any_of("GrantExpandable", entitlementIds=[f"group:{arn}:member"], shallow=True)]
    return []


# ------------------------------------------------------------------------------------------- facts to messages

class Expected:
    """The lines a sync must give, from facts. Entities are dicts: name, arn, path, id, created (RFC 3339), attached
    (ARNs), inline ((name, decoded document) pairs), and tags (a dict), last_login, keys, members, trust, description,
    max_session where they have them.

    role_arns is set first, to the ARNs of every role in the sync. Then the accounts, the own one first: enter(), then its
    entities, then its policies."""

    def __init__(self, organization=False, secrets=False, only_attached=False):
        self.lines, self.role_arns = resource_types(organization, secrets), set()
        self.secrets, self.only_attached = secrets, only_attached
        self.parent, self.attached, self.aws_managed = None, set(), set()

    def account(self, a, has_children):
        """An account of the organization: id, arn, name."""
        children = ["iam_user", "role", "group", "iam_policy"] + (["access-key"] if self.secrets else [])
        self.lines.append({
            "kind": "resource", "id": rid("account_iam", a["id"]), "displayName": a["name"],
            "annotations": [any_of("V1Identifier", id=a["id"]),
                            *(any_of("ChildResourceType", resourceTypeId=c) for c in children if has_children),
                            any_of("AppTrait")],
            "profile": {"aws_account_arn": a["arn"], "aws_account_id": a["id"]}})

    def enter(self, account):
        """What follows is of this account of the organization; None: of the own."""
        self.parent = account and rid("account_iam", account)
        self.attached = set()

    def resource(self, kind, own, name, parent, **fields):
        line = {"kind": "resource", "id": rid(kind, own), "displayName": name, **fields}
        if parent:
            line["parentResourceId"] = parent
        self.lines.append(line)

    def user(self, u):
        trait = any_of("UserTrait", emails=emails(u["name"], u["tags"]), status={"status": "STATUS_ENABLED"},
                       accountType="ACCOUNT_TYPE_HUMAN", lastLogin=u["last_login"])
        self.entity("iam_user", u, [trait], {"aws_user_type": "iam", "aws_user_id": u["id"], "aws_tags": u["tags"]},
                    status={"status": "RESOURCE_STATUS_ENABLED"})
        self.policy_side("iam_user", u)
        for key in u["keys"] if self.secrets else ():
            self.access_key(u, key)

    def access_key(self, u, k):
        """k: id, status, created, last_used."""
        status = {"status": "RESOURCE_STATUS_ENABLED"} if k["status"] == "Active" else {
            "status": "RESOURCE_STATUS_DISABLED", "details": k["status"]}
        trait = any_of("SecretTrait", lastUsedAt=k["last_used"], identityId=rid("iam_user", u["arn"]),
                       credentialType="CREDENTIAL_TYPE_STATIC_SECRET", credentialDetail="aws.access_key")
        self.resource("access-key", k["id"], f"{u['name']}|{k['id']}", self.parent, createdAt=k["created"], status=status,
                      annotations=[any_of("V1Identifier", id=k["id"]), trait])

    def group(self, g):
        name, arn = g["name"], g["arn"]
        self.entity("group", g, [any_of("GroupTrait")],
                    {"aws_group_type": "iam", "aws_group_name": name, "aws_group_id": g["id"]})
        self.lines.append(entitlement("group", arn, "member", f"{name} Group Member",
                                      f"Is member of the {name} IAM group in AWS", ["iam_user"],
                                      [any_of("V1Identifier", id=f"membership:{arn}")]))
        for user in g["members"]:
            self.lines.append(grant("group", arn, "member", "iam_user", user,
                                    [any_of("V1Identifier", id=f"grant:membership:{arn}:{user}")]))
        self.policy_side("group", g)

    def role(self, r):
        name, arn = r["name"], r["arn"]
        nhi_type, nhi_detail = classify(arn, r["path"], r["trust"])
        profile = {"aws_role_name": name, "aws_role_description": r["description"], "aws_tags": r["tags"]}
        if r["max_session"]:
            profile["aws_max_session_duration_seconds"] = r["max_session"]
        self.entity("role", r, [any_of("NonHumanIdentityTrait", nhiType=nhi_type, nhiDetail=nhi_detail),
                                any_of("RoleTrait")], profile)
        self.lines.append(entitlement("role", arn, "assignment", f"{name} Role", f"Can assume the {name} role in AWS",
                                      ["iam_user", "role", "group", "sso_user"],
                                      [any_of("V1Identifier", id=f"membership:{arn}")]))
        for kind, principal in trust_principals(r["trust"]):
            expand = kind == "role" and principal in self.role_arns
            self.lines.append(grant("role", arn, "assignment", kind, principal, [any_of(
                "GrantExpandable", entitlementIds=[f"role:{principal}:assignment"])] if expand else []))
        self.policy_side("role", r)

    def entity(self, kind, e, traits, profile, **more):
        self.resource(kind, e["arn"], e["name"], self.parent, createdAt=e["created"], annotations=[
            any_of("V1Identifier", id=e["arn"]), any_of("ChildResourceType", resourceTypeId="inline_policy"), *traits],
            profile={"aws_arn": e["arn"], "aws_path": e["path"], **profile}, **more)

    def policy_side(self, kind, e):
        """Managed policies attached to the entity, and its inline policies."""
        for policy in e["attached"]:
            self.attached.add(policy)
            self.lines.append(grant("iam_policy", policy, "attached", kind, e["arn"], policy_expansion(kind, e["arn"])))
        for name, document in e["inline"]:
            self.inline(kind, e["arn"], name, document)

    def inline(self, kind, arn, name, document):
        own = f"{arn}::inline::{name}"
        profile = {"aws_policy_name": name, "aws_parent_arn": arn}
        if document:
            profile["policy_document"] = document
        self.resource("inline_policy", own, name, rid(kind, arn), annotations=[any_of("RoleTrait")], profile=profile,
                      description=f"Inline policy {name} attached to {kind} IAM {arn}")
        self.lines.append(entitlement("inline_policy", own, "attached", f"{name} Inline Policy",
                                      f"Has the {name} inline policy in AWS", [kind]))
        self.lines.append(grant("inline_policy", own, "attached", kind, arn, policy_expansion(kind, arn)))

    def wants(self, policy_arn):
        """Rule 6, in this account."""
        if policy_arn in self.aws_managed:
            return False  # emitted already
        if is_aws_managed(policy_arn):
            return policy_arn in self.attached or not (self.only_attached or self.parent)
        return not self.only_attached or policy_arn in self.attached

    def policy(self, p):
        name, arn, of_aws = p["name"], p["arn"], is_aws_managed(p["arn"])
        profile = {"aws_policy_name": name, "aws_policy_arn": arn}
        if p["document"]:
            profile["policy_document"] = p["document"]
        more = {"description": p["description"]} if p["description"] and (not of_aws or arn in self.attached) else {}
        if of_aws:
            self.aws_managed.add(arn)
        self.resource("iam_policy", arn, name, None if of_aws else self.parent, createdAt=p["created"], profile=profile,
                      annotations=[any_of("SkipGrants"), any_of("RoleTrait")], **more)
        self.lines.append(entitlement("iam_policy", arn, "attached", f"{name} Managed Policy",
                                      f"Has the {name} managed policy in AWS",
                                      ["iam_user", "role", "group", "permission_set", "permission_set_assignment"]))

    def sorted(self):
        return sorted(canonical(line) for line in self.lines)


# ---------------------------------------------------------------------------------------------------------- walk

class Walk:
    """Reads an account entity by entity."""

    def __init__(self, iam):
        self.iam = iam
        self.users, self.groups, self.roles = (
            list(paged(iam, f"list_{kind.lower()}", kind)) for kind in ("Users", "Groups", "Roles"))
        self.role_arns = {r["Arn"] for r in self.roles}

    def add_to(self, out):
        for u in self.users:
            keys = list(self.keys(u))
            dates = [rfc3339(u["PasswordLastUsed"])] if u.get("PasswordLastUsed") else []
            dates += [k["last_used"] for k in keys if k["last_used"]]
            out.user({**self.entity("User", u), "tags": self.tags("user", UserName=u["UserName"]),
                      "last_login": max(dates, default=None), "keys": keys})
        for g in self.groups:
            members = [u["Arn"] for u in paged(self.iam, "get_group", "Users", GroupName=g["GroupName"])]
            out.group({**self.entity("Group", g), "members": members})
        for r in self.roles:
            out.role({**self.entity("Role", r), "tags": self.tags("role", RoleName=r["RoleName"]),
                      "trust": decode(r.get("AssumeRolePolicyDocument") or ""), "description": r.get("Description", ""),
                      "max_session": r.get("MaxSessionDuration")})
        listed = {p["Arn"]: p for p in paged(self.iam, "list_policies", "Policies", Scope="All")}
        for arn in sorted(filter(out.wants, listed.keys() | out.attached)):
            undescribed = is_aws_managed(arn) and arn not in out.attached  # so GetPolicy would tell nothing that is wanted
            out.policy(self.policy(listed[arn] if undescribed else self.iam.get_policy(PolicyArn=arn)["Policy"]))

    def entity(self, kind, e):
        who, call = {f"{kind}Name": e[f"{kind}Name"]}, kind.lower()
        attached = [a["PolicyArn"] for a in paged(self.iam, f"list_attached_{call}_policies", "AttachedPolicies", **who)]
        inline = [(name, decode(getattr(self.iam, f"get_{call}_policy")(PolicyName=name, **who)["PolicyDocument"]))
                  for name in paged(self.iam, f"list_{call}_policies", "PolicyNames", **who)]
        return {"name": e[f"{kind}Name"], "arn": e["Arn"], "path": e["Path"], "id": e[f"{kind}Id"],
                "created": rfc3339(e["CreateDate"]), "attached": attached, "inline": inline}

    def tags(self, call, **who):
        return {t["Key"]: t["Value"] for t in paged(self.iam, f"list_{call}_tags", "Tags", **who)}

    def keys(self, u):
        for key in paged(self.iam, "list_access_keys", "AccessKeyMetadata", UserName=u["UserName"]):
            used = self.iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]
            yield {"id": key["AccessKeyId"], "status": key["Status"], "created": rfc3339(key["CreateDate"]),
                   "last_used": rfc3339(used["LastUsedDate"]) if used.get("LastUsedDate") else None}

    def policy(self, p):
        version = self.iam.get_policy_version(PolicyArn=p["Arn"], VersionId=p["DefaultVersionId"])["PolicyVersion"]
        return {"name": p["PolicyName"], "arn": p["Arn"], "created": rfc3339(p["CreateDate"]),
                "description": p.get("Description"), "document": decode(version.get("Document") or "")}


def canonical(line):
    return json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def expected(endpoint, organization=False, secrets=False, only_attached=False, own=None):
    """The sorted lines a sync must give of the account that the endpoint takes us for, or of its organization. own: the
    account's number, needed for an organization."""
    out = Expected(organization, secrets, only_attached)
    walks = [(None, Walk(iam_client(endpoint)))]
    for a in paged(client("organizations", endpoint), "list_accounts", "Accounts") if organization else ():
        if a["Status"] != "ACTIVE":
            continue
        key = None if a["Id"] == own else child_key(endpoint, a["Id"])
        out.account({"id": a["Id"], "arn": a["Arn"], "name": a["Name"]}, has_children=bool(key))
        if key:
            walks.append((a["Id"], Walk(iam_client(endpoint, **key))))
    for _, walk in walks:
        out.role_arns |= walk.role_arns
    for account, walk in walks:
        out.enter(account)
        walk.add_to(out)
    return out.sorted()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split(".")[0])
    parser.add_argument("endpoint")
    for flag in ("organization", "secrets", "only-attached"):
        parser.add_argument(f"--{flag}", action="store_true")
    a = parser.parse_args()
    own = client("sts", a.endpoint).get_caller_identity()["Account"]
    for line in expected(a.endpoint, a.organization, a.secrets, a.only_attached, own):
        print(line)


if __name__ == "__main__":
    main()
