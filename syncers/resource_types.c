/* The resource types of the connector, in the byte order of their ids: spec/iam.md 2.3 and spec/config.md 8.1. All of them are here,
 * because entitlements name types in grantable_to that are not (yet) registered. The permission lists are part of the contract with
 * engines and stay as they are; what the server really needs is in docs/permissions.md. */
#include "proto/messages.h"
#include "proto/pb_build.h"
#include "syncers/syncer.h"

static const char *const access_key_permissions[] = {"iam:ListAccessKeys", "iam:GetAccessKeyLastUsed", NULL};
static const char *const account_permissions[] = {"organizations:ListAccounts",
	"organizations:DescribeOrganization", "organizations:ListParents", "sso:ListPermissionSets",
	"sso:DescribePermissionSet", "sso:ListPermissionSetsProvisionedToAccount",
	"sso:ListAccountAssignments", "sso:ListInstances", "sso:CreateAccountAssignment",
	"sso:DeleteAccountAssignment", "sso:DescribeAccountAssignmentCreationStatus",
	"sso:DescribeAccountAssignmentDeletionStatus", "iam:ListPolicies", "iam:AttachRolePolicy",
	"iam:CreateRole", "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:GetRole",
	"iam:ListAttachedRolePolicies", "iam:ListRolePolicies", "iam:PutRolePolicy", "iam:UpdateRole",
	"iam:UpdateRoleDescription", "iam:GetSAMLProvider", NULL};
static const char *const account_iam_permissions[] = {"iam:ListAccountAliases", NULL};
static const char *const group_permissions[] = {"iam:ListGroups", "iam:GetGroup",
	"iam:ListAttachedGroupPolicies", "iam:AddUserToGroup", "iam:RemoveUserFromGroup", NULL};
static const char *const iam_policy_permissions[] = {"iam:ListPolicies", "iam:GetPolicy",
	"iam:GetPolicyVersion", "iam:AttachUserPolicy", "iam:AttachRolePolicy", "iam:AttachGroupPolicy",
	"iam:DetachUserPolicy", "iam:DetachRolePolicy", "iam:DetachGroupPolicy", NULL};
static const char *const iam_user_permissions[] = {"iam:ListUsers", "iam:GetUser", "iam:ListAccessKeys",
	"iam:GetAccessKeyLastUsed", "iam:ListSigningCertificates", "iam:ListSSHPublicKeys",
	"iam:ListServiceSpecificCredentials", "iam:ListMFADevices", "iam:ListUserPolicies",
	"iam:ListAttachedUserPolicies", "iam:ListGroupsForUser", "iam:CreateUser", "iam:DeleteLoginProfile",
	"iam:DeleteAccessKey", "iam:DeleteSigningCertificate", "iam:DeleteSSHPublicKey",
	"iam:DeleteServiceSpecificCredential", "iam:DeactivateMFADevice", "iam:DeleteUserPolicy",
	"iam:DetachUserPolicy", "iam:DeleteUser", "iam:TagUser", NULL};
static const char *const inline_policy_permissions[] = {"iam:ListUserPolicies", "iam:ListRolePolicies",
	"iam:ListGroupPolicies", "sso:GetInlinePolicyForPermissionSet", "iam:GetUserPolicy",
	"iam:GetRolePolicy", "iam:GetGroupPolicy", "iam:DeleteUserPolicy", "iam:DeleteRolePolicy",
	"iam:DeleteGroupPolicy", NULL};
static const char *const organization_permissions[] = {
	"organizations:ListRoots", "organizations:ListOrganizationalUnitsForParent", NULL};
static const char *const organizational_unit_permissions[] = {
	"organizations:ListOrganizationalUnitsForParent", NULL};
static const char *const permission_set_permissions[] = {"sso:ListInstances", "sso:ListPermissionSets",
	"sso:DescribePermissionSet", "sso:ListManagedPoliciesInPermissionSet", NULL};
static const char *const permission_set_assignment_permissions[] = {"sso:ListInstances",
	"sso:ListPermissionSetsProvisionedToAccount", "sso:DescribePermissionSet",
	"sso:ListAccountAssignments", "sso:ListManagedPoliciesInPermissionSet",
	"sso:ListCustomerManagedPolicyReferencesInPermissionSet", "sso:CreateAccountAssignment",
	"sso:DeleteAccountAssignment", "sso:DescribeAccountAssignmentCreationStatus",
	"sso:DescribeAccountAssignmentDeletionStatus", "organizations:DescribeAccount", NULL};
static const char *const role_permissions[] = {
	"iam:ListRoles", "iam:GetRole", "iam:ListAttachedRolePolicies", NULL};
static const char *const sso_group_permissions[] = {"sso:ListInstances", "identitystore:ListGroups",
	"identitystore:ListGroupMemberships", "identitystore:GetGroupMembershipId",
	"identitystore:CreateGroupMembership", "identitystore:DeleteGroupMembership", NULL};
static const char *const sso_user_permissions[] = {"identitystore:ListUsers", "sso:ListInstances",
	"identitystore:CreateUser", "identitystore:DeleteUser", NULL};

/* In the order of spec/rpc-surface.md 3.2; CAPABILITY_UNSPECIFIED ends. */
static const V2(Capability) sync_only[] = {
	V2_ENUM(CAPABILITY__CAPABILITY_SYNC), V2_ENUM(CAPABILITY__CAPABILITY_UNSPECIFIED)};
static const V2(Capability) sync_provision[] = {V2_ENUM(CAPABILITY__CAPABILITY_SYNC),
	V2_ENUM(CAPABILITY__CAPABILITY_PROVISION), V2_ENUM(CAPABILITY__CAPABILITY_UNSPECIFIED)};
static const V2(Capability) sync_accounts[] = {V2_ENUM(CAPABILITY__CAPABILITY_SYNC),
	V2_ENUM(CAPABILITY__CAPABILITY_ACCOUNT_PROVISIONING), V2_ENUM(CAPABILITY__CAPABILITY_RESOURCE_DELETE),
	V2_ENUM(CAPABILITY__CAPABILITY_UNSPECIFIED)};

#define MAX_MARKS 2

struct type_row {
	const char *id, *display_name;
	V2(ResourceType__Trait) trait; /* TRAIT_UNSPECIFIED: none */
	/* Annotations, in this order; CapabilityPermissions is always the last. */
	const ProtobufCMessageDescriptor *marks[MAX_MARKS]; /* empty messages; NULL ends */
	const char *v1_id;
	const char *child_type;
	const char *const *permissions;      /* NULL-terminated */
	const V2(Capability) * capabilities; /* of the whole connector, whatever is configured */
};

static const struct type_row types[] = {
	{
		.id = "access-key",
		.display_name = "Access Key",
		.trait = V2_ENUM(RESOURCE_TYPE__TRAIT__TRAIT_SECRET),
		.marks = {V2_DESC(skip_entitlements_and_grants)},
		.permissions = access_key_permissions,
		.capabilities = sync_only,
	},
	{
		.id = "account",
		.display_name = "Account",
		.trait = V2_ENUM(RESOURCE_TYPE__TRAIT__TRAIT_APP),
		.v1_id = "account",
		.child_type = "permission_set_assignment",
		.permissions = account_permissions,
		.capabilities = sync_provision,
	},
	{
		.id = "account_iam",
		.display_name = "Account IAM",
		.trait = V2_ENUM(RESOURCE_TYPE__TRAIT__TRAIT_APP),
		.marks = {V2_DESC(skip_entitlements_and_grants)},
		.v1_id = "account_iam",
		.permissions = account_iam_permissions,
		.capabilities = sync_only,
	},
	{
		.id = "group",
		.display_name = "Group",
		.trait = V2_ENUM(RESOURCE_TYPE__TRAIT__TRAIT_GROUP),
		.v1_id = "group",
		.permissions = group_permissions,
		.capabilities = sync_provision,
	},
	{
		.id = "iam_policy",
		.display_name = "IAM Managed Policy",
		.trait = V2_ENUM(RESOURCE_TYPE__TRAIT__TRAIT_ROLE),
		.v1_id = "iam_policy",
		.permissions = iam_policy_permissions,
		.capabilities = sync_provision,
	},
	{
		.id = "iam_user",
		.display_name = "IAM User",
		.trait = V2_ENUM(RESOURCE_TYPE__TRAIT__TRAIT_USER),
		.marks = {V2_DESC(skip_entitlements)},
		.v1_id = "iam_user",
		.permissions = iam_user_permissions,
		.capabilities = sync_accounts,
	},
	{
		.id = "inline_policy",
		.display_name = "Inline Policy",
		.trait = V2_ENUM(RESOURCE_TYPE__TRAIT__TRAIT_ROLE),
		.v1_id = "inline_policy",
		.permissions = inline_policy_permissions,
		.capabilities = sync_provision,
	},
	{
		.id = "organization",
		.display_name = "Organization Root",
		.marks = {V2_DESC(skip_entitlements_and_grants), V2_DESC(opt_in_required)},
		.child_type = "organizational_unit",
		.permissions = organization_permissions,
		.capabilities = sync_only,
	},
	{
		.id = "organizational_unit",
		.display_name = "Organizational Unit",
		.marks = {V2_DESC(skip_entitlements_and_grants), V2_DESC(opt_in_required)},
		.child_type = "organizational_unit",
		.permissions = organizational_unit_permissions,
		.capabilities = sync_only,
	},
	{
		.id = "permission_set",
		.display_name = "Permission Set",
		.trait = V2_ENUM(RESOURCE_TYPE__TRAIT__TRAIT_ROLE),
		.marks = {V2_DESC(skip_entitlements), V2_DESC(opt_in_required)},
		.permissions = permission_set_permissions,
		.capabilities = sync_only,
	},
	{
		.id = "permission_set_assignment",
		.display_name = "Permission Set Assignment",
		.trait = V2_ENUM(RESOURCE_TYPE__TRAIT__TRAIT_SCOPE_BINDING),
		.marks = {V2_DESC(opt_in_required)},
		.permissions = permission_set_assignment_permissions,
		.capabilities = sync_provision,
	},
	{
		.id = "role",
		.display_name = "IAM Role",
		.trait = V2_ENUM(RESOURCE_TYPE__TRAIT__TRAIT_ROLE),
		.v1_id = "role",
		.permissions = role_permissions,
		.capabilities = sync_only,
	},
	{
		.id = "sso_group",
		.display_name = "SSO Group",
		.trait = V2_ENUM(RESOURCE_TYPE__TRAIT__TRAIT_GROUP),
		.v1_id = "sso_group",
		.permissions = sso_group_permissions,
		.capabilities = sync_provision,
	},
	{
		.id = "sso_user",
		.display_name = "SSO User",
		.trait = V2_ENUM(RESOURCE_TYPE__TRAIT__TRAIT_USER),
		.marks = {V2_DESC(skip_entitlements_and_grants)},
		.v1_id = "sso_user",
		.permissions = sso_user_permissions,
		.capabilities = sync_accounts,
	},
};

static V2(CapabilityPermissions) * permissions_of(struct arena *arena, const struct type_row *row)
{
	V2(CapabilityPermissions) *all = pb_new(arena, V2_DESC(capability_permissions));

	for (const char *const *name = row->permissions; *name != NULL; name++) {
		V2(CapabilityPermission) *one = pb_new(arena, V2_DESC(capability_permission));

		one->permission = pb_str(arena, str_c(*name));
		PB_ADD(arena, all, permissions, one);
	}
	return all;
}

static V2(ResourceType) * type_message(struct arena *arena, const struct type_row *row)
{
	V2(ResourceType) *t = pb_new(arena, V2_DESC(resource_type));

	t->id = pb_str(arena, str_c(row->id));
	t->display_name = pb_str(arena, str_c(row->display_name));
	if (row->trait != V2_ENUM(RESOURCE_TYPE__TRAIT__TRAIT_UNSPECIFIED))
		PB_ADD(arena, t, traits, row->trait);
	for (size_t i = 0; i < MAX_MARKS && row->marks[i] != NULL; i++)
		PB_ADD(arena, t, annotations, pb_any_empty(arena, row->marks[i]));
	if (row->v1_id != NULL) {
		V2(V1Identifier) *v1 = pb_new(arena, V2_DESC(v1_identifier));

		v1->id = pb_str(arena, str_c(row->v1_id));
		PB_ANNOTATE(arena, t, v1);
	}
	if (row->child_type != NULL) {
		V2(ChildResourceType) *child = pb_new(arena, V2_DESC(child_resource_type));

		child->resource_type_id = pb_str(arena, str_c(row->child_type));
		PB_ANNOTATE(arena, t, child);
	}
	PB_ANNOTATE(arena, t, permissions_of(arena, row));
	return t;
}

V2(ResourceType) * resource_type_static(struct arena *arena, const char *type_id)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (str_eq_c(str_c(type_id), types[i].id))
			return type_message(arena, &types[i]);
	}
	return NULL;
}

bool resource_type_at(
	struct arena *arena, size_t i, V2(ResourceType) * *ret_type, const V2(Capability) * *ret_capabilities)
{
	if (i >= ARRAY_LEN(types))
		return false;
	*ret_type = type_message(arena, &types[i]);
	*ret_capabilities = types[i].capabilities;
	return true;
}
