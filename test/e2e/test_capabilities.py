"""The document of `baton-awsd capabilities`: every type, whatever is configured. The rows are the contract's, written down
a second time."""

import json
import subprocess

from support.paths import BATON_AWSD

# id, display name, trait, capabilities, annotations before CapabilityPermissions, permissions
TYPES = (
    ("access-key", "Access Key", "SECRET", "SYNC", ("SkipEntitlementsAndGrants",),
     "iam:ListAccessKeys iam:GetAccessKeyLastUsed"),
    ("account", "Account", "APP", "SYNC PROVISION",
     ("V1Identifier account", "ChildResourceType permission_set_assignment"),
     "organizations:ListAccounts organizations:DescribeOrganization organizations:ListParents "
     "sso:ListPermissionSets sso:DescribePermissionSet sso:ListPermissionSetsProvisionedToAccount "
     "sso:ListAccountAssignments sso:ListInstances sso:CreateAccountAssignment sso:DeleteAccountAssignment "
     "sso:DescribeAccountAssignmentCreationStatus sso:DescribeAccountAssignmentDeletionStatus "
     "iam:ListPolicies iam:AttachRolePolicy iam:CreateRole iam:DeleteRole iam:DeleteRolePolicy "
     "iam:DetachRolePolicy iam:GetRole iam:ListAttachedRolePolicies iam:ListRolePolicies iam:PutRolePolicy "
     "iam:UpdateRole iam:UpdateRoleDescription iam:GetSAMLProvider"),
    ("account_iam", "Account IAM", "APP", "SYNC", ("SkipEntitlementsAndGrants", "V1Identifier account_iam"),
     "iam:ListAccountAliases"),
    ("group", "Group", "GROUP", "SYNC PROVISION", ("V1Identifier group",),
     "iam:ListGroups iam:GetGroup iam:ListAttachedGroupPolicies iam:AddUserToGroup iam:RemoveUserFromGroup"),
    ("iam_policy", "IAM Managed Policy", "ROLE", "SYNC PROVISION", ("V1Identifier iam_policy",),
     "iam:ListPolicies iam:GetPolicy iam:GetPolicyVersion iam:AttachUserPolicy iam:AttachRolePolicy "
     "iam:AttachGroupPolicy iam:DetachUserPolicy iam:DetachRolePolicy iam:DetachGroupPolicy"),
    ("iam_user", "IAM User", "USER", "SYNC ACCOUNT_PROVISIONING RESOURCE_DELETE",
     ("SkipEntitlements", "V1Identifier iam_user"),
     "iam:ListUsers iam:GetUser iam:ListAccessKeys iam:GetAccessKeyLastUsed iam:ListSigningCertificates "
     "iam:ListSSHPublicKeys iam:ListServiceSpecificCredentials iam:ListMFADevices iam:ListUserPolicies "
     "iam:ListAttachedUserPolicies iam:ListGroupsForUser iam:CreateUser iam:DeleteLoginProfile "
     "iam:DeleteAccessKey iam:DeleteSigningCertificate iam:DeleteSSHPublicKey "
     "iam:DeleteServiceSpecificCredential iam:DeactivateMFADevice iam:DeleteUserPolicy "
     "iam:DetachUserPolicy iam:DeleteUser iam:TagUser"),
    ("inline_policy", "Inline Policy", "ROLE", "SYNC PROVISION", ("V1Identifier inline_policy",),
     "iam:ListUserPolicies iam:ListRolePolicies iam:ListGroupPolicies sso:GetInlinePolicyForPermissionSet "
     "iam:GetUserPolicy iam:GetRolePolicy iam:GetGroupPolicy iam:DeleteUserPolicy iam:DeleteRolePolicy "
     "iam:DeleteGroupPolicy"),
    ("organization", "Organization Root", None, "SYNC",
     ("SkipEntitlementsAndGrants", "OptInRequired", "ChildResourceType organizational_unit"),
     "organizations:ListRoots organizations:ListOrganizationalUnitsForParent"),
    ("organizational_unit", "Organizational Unit", None, "SYNC",
     ("SkipEntitlementsAndGrants", "OptInRequired", "ChildResourceType organizational_unit"),
     "organizations:ListOrganizationalUnitsForParent"),
    ("permission_set", "Permission Set", "ROLE", "SYNC", ("SkipEntitlements", "OptInRequired"),
     "sso:ListInstances sso:ListPermissionSets sso:DescribePermissionSet "
     "sso:ListManagedPoliciesInPermissionSet"),
    ("permission_set_assignment", "Permission Set Assignment", "SCOPE_BINDING", "SYNC PROVISION", ("OptInRequired",),
     "sso:ListInstances sso:ListPermissionSetsProvisionedToAccount sso:DescribePermissionSet "
     "sso:ListAccountAssignments sso:ListManagedPoliciesInPermissionSet "
     "sso:ListCustomerManagedPolicyReferencesInPermissionSet sso:CreateAccountAssignment "
     "sso:DeleteAccountAssignment sso:DescribeAccountAssignmentCreationStatus "
     "sso:DescribeAccountAssignmentDeletionStatus organizations:DescribeAccount"),
    ("role", "IAM Role", "ROLE", "SYNC", ("V1Identifier role",),
     "iam:ListRoles iam:GetRole iam:ListAttachedRolePolicies"),
    ("sso_group", "SSO Group", "GROUP", "SYNC PROVISION", ("V1Identifier sso_group",),
     "sso:ListInstances identitystore:ListGroups identitystore:ListGroupMemberships "
     "identitystore:GetGroupMembershipId identitystore:CreateGroupMembership "
     "identitystore:DeleteGroupMembership"),
    ("sso_user", "SSO User", "USER", "SYNC ACCOUNT_PROVISIONING RESOURCE_DELETE",
     ("SkipEntitlementsAndGrants", "V1Identifier sso_user"),
     "identitystore:ListUsers sso:ListInstances identitystore:CreateUser identitystore:DeleteUser"),
)

V2 = "type.googleapis.com/c1.connector.v2."
FIELD = {"V1Identifier": "id", "ChildResourceType": "resourceTypeId"}


def annotation(text):
    name, *value = text.split()
    return {"@type": V2 + name} | ({FIELD[name]: value[0]} if value else {})


def entry(type_id, name, trait, capabilities, annotations, permissions):
    permissions = {"permissions": [{"permission": p} for p in permissions.split()]}
    resource_type = {"id": type_id, "displayName": name} | ({"traits": ["TRAIT_" + trait]} if trait else {})
    resource_type["annotations"] = [annotation(a) for a in annotations] + [
        {"@type": V2 + "CapabilityPermissions"} | permissions]
    return {"resourceType": resource_type, "capabilities": ["CAPABILITY_" + c for c in capabilities.split()],
            "permissions": permissions} | ({"optInRequired": True} if "OptInRequired" in annotations else {})


def test_document():
    no_password = "CAPABILITY_DETAIL_CREDENTIAL_OPTION_NO_PASSWORD"
    wanted = {
        "@type": V2 + "ConnectorCapabilities",
        "resourceTypeCapabilities": [entry(*row) for row in TYPES],
        "connectorCapabilities": ["CAPABILITY_PROVISION", "CAPABILITY_SYNC", "CAPABILITY_ACCOUNT_PROVISIONING",
                                  "CAPABILITY_RESOURCE_DELETE"],
        "credentialDetails": {"capabilityAccountProvisioning": {
            "supportedCredentialOptions": [no_password], "preferredCredentialOption": no_password}},
    }
    # Nothing of the environment is looked at, not even what would be wrong for a server.
    done = subprocess.run([BATON_AWSD, "capabilities"], env={"BATON_ROLE_ARN": "nonsense"}, capture_output=True,
                          text=True, check=True)
    assert done.stdout == json.dumps(wanted, indent=2)
    assert done.stderr == ""
