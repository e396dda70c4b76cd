/* Wire names as in AWS's API reference; which fields which answer has: spec/iam.md 14.2 and 14.3. */
#include "aws/iam.h"

#include "aws/members.h"

/* AWS publishes no request quota for IAM's reads. Where the pacer starts is what accounts were seen to
 * bear; it learns the rest. */
const struct aws_service aws_iam = {
	.id = "iam",
	.signing_name = "iam",
	.endpoint_env = "IAM",
	.protocol = AWS_QUERY,
	.version = "2010-05-08",
	.global = true,
	.rate_per_s = 50,
	.burst = 100,
};

#define PAGE(type) M("IsTruncated", BOOL, type, page.is_truncated), M("Marker", STRING, type, page.marker)

/* ---- pieces ---- */

static const struct aws_member tag[] = {
	M("Key", STRING, aws_iam_tag, key),
	M("Value", STRING, aws_iam_tag, value),
};
static const struct aws_shape tag_shape = AWS_SHAPE(struct aws_iam_tag, tag);

static const struct aws_member attached[] = {
	M("PolicyName", STRING, aws_iam_attached_policy, name),
	M("PolicyArn", STRING, aws_iam_attached_policy, arn),
};
static const struct aws_shape attached_shape = AWS_SHAPE(struct aws_iam_attached_policy, attached);

static const struct aws_member inline_policy[] = {
	M("PolicyName", STRING, aws_iam_inline_policy, name),
	M("PolicyDocument", STRING, aws_iam_inline_policy, document),
};
static const struct aws_shape inline_policy_shape = AWS_SHAPE(struct aws_iam_inline_policy, inline_policy);

static const struct aws_member user[] = {
	M("Arn", STRING, aws_iam_user, arn),
	M("Path", STRING, aws_iam_user, path),
	M("UserName", STRING, aws_iam_user, name),
	M("UserId", STRING, aws_iam_user, id),
	M("CreateDate", TIME, aws_iam_user, created_s),
	M("PasswordLastUsed", TIME, aws_iam_user, password_last_used_s),
	MS("Tags", LIST, aws_iam_user, tags, tag_shape),
	MS("UserPolicyList", LIST, aws_iam_user, inline_policies, inline_policy_shape),
	M("GroupList", LIST, aws_iam_user, groups),
	MS("AttachedManagedPolicies", LIST, aws_iam_user, attached, attached_shape),
};
static const struct aws_shape user_shape = AWS_SHAPE(struct aws_iam_user, user);

static const struct aws_member group[] = {
	M("Arn", STRING, aws_iam_group, arn),
	M("Path", STRING, aws_iam_group, path),
	M("GroupName", STRING, aws_iam_group, name),
	M("GroupId", STRING, aws_iam_group, id),
	M("CreateDate", TIME, aws_iam_group, created_s),
	MS("GroupPolicyList", LIST, aws_iam_group, inline_policies, inline_policy_shape),
	MS("AttachedManagedPolicies", LIST, aws_iam_group, attached, attached_shape),
};
static const struct aws_shape group_shape = AWS_SHAPE(struct aws_iam_group, group);

static const struct aws_member role[] = {
	M("Arn", STRING, aws_iam_role, arn),
	M("Path", STRING, aws_iam_role, path),
	M("RoleName", STRING, aws_iam_role, name),
	M("RoleId", STRING, aws_iam_role, id),
	M("CreateDate", TIME, aws_iam_role, created_s),
	M("AssumeRolePolicyDocument", STRING, aws_iam_role, trust_document),
	M("Description", STRING, aws_iam_role, description),
	M("MaxSessionDuration", INT, aws_iam_role, max_session_s),
	MS("Tags", LIST, aws_iam_role, tags, tag_shape),
	MS("RolePolicyList", LIST, aws_iam_role, inline_policies, inline_policy_shape),
	MS("AttachedManagedPolicies", LIST, aws_iam_role, attached, attached_shape),
};
static const struct aws_shape role_shape = AWS_SHAPE(struct aws_iam_role, role);

static const struct aws_member policy_version[] = {
	M("VersionId", STRING, aws_iam_policy_version, id),
	M("Document", STRING, aws_iam_policy_version, document),
	M("IsDefaultVersion", BOOL, aws_iam_policy_version, is_default),
};
static const struct aws_shape policy_version_shape = AWS_SHAPE(struct aws_iam_policy_version, policy_version);

static const struct aws_member policy[] = {
	M("Arn", STRING, aws_iam_policy, arn),
	M("PolicyName", STRING, aws_iam_policy, name),
	M("Path", STRING, aws_iam_policy, path),
	M("PolicyId", STRING, aws_iam_policy, id),
	M("DefaultVersionId", STRING, aws_iam_policy, default_version_id),
	M("Description", STRING, aws_iam_policy, description),
	M("CreateDate", TIME, aws_iam_policy, created_s),
	M("AttachmentCount", INT, aws_iam_policy, attachment_count),
	MS("PolicyVersionList", LIST, aws_iam_policy, versions, policy_version_shape),
};
static const struct aws_shape policy_shape = AWS_SHAPE(struct aws_iam_policy, policy);

/* ---- inputs ---- */

static const struct aws_member page_in[] = {
	M("Marker", STRING, aws_iam_page_in, marker),
	M("MaxItems", INT, aws_iam_page_in, max_items),
};
static const struct aws_shape page_in_shape = AWS_SHAPE(struct aws_iam_page_in, page_in);

/* The one name of aws_iam_name_page_in, spelled as the operation wants it. */
#define NAME_PAGE_IN(variable, name_member)                                                                  \
	static const struct aws_member variable[] = {                                                        \
		M(name_member, STRING, aws_iam_name_page_in, name),                                          \
		M("Marker", STRING, aws_iam_name_page_in, marker),                                           \
		M("MaxItems", INT, aws_iam_name_page_in, max_items),                                         \
	};                                                                                                   \
	static const struct aws_shape variable##_shape = AWS_SHAPE(struct aws_iam_name_page_in, variable)
NAME_PAGE_IN(user_page_in, "UserName");
NAME_PAGE_IN(group_page_in, "GroupName");
NAME_PAGE_IN(role_page_in, "RoleName");

#define GET_INLINE_IN(variable, name_member)                                                                 \
	static const struct aws_member variable[] = {                                                        \
		M(name_member, STRING, aws_iam_get_inline_in, name),                                         \
		M("PolicyName", STRING, aws_iam_get_inline_in, policy_name),                                 \
	};                                                                                                   \
	static const struct aws_shape variable##_shape = AWS_SHAPE(struct aws_iam_get_inline_in, variable)
GET_INLINE_IN(user_policy_in, "UserName");
GET_INLINE_IN(group_policy_in, "GroupName");
GET_INLINE_IN(role_policy_in, "RoleName");

static const struct aws_member account_details_in[] = {
	M("Filter", LIST, aws_iam_account_details_in, filter),
	M("Marker", STRING, aws_iam_account_details_in, marker),
	M("MaxItems", INT, aws_iam_account_details_in, max_items),
};
static const struct aws_shape account_details_in_shape =
	AWS_SHAPE(struct aws_iam_account_details_in, account_details_in);

static const struct aws_member list_policies_in[] = {
	M("Scope", STRING, aws_iam_list_policies_in, scope),
	M("OnlyAttached", BOOL, aws_iam_list_policies_in, only_attached),
	M("Marker", STRING, aws_iam_list_policies_in, marker),
	M("MaxItems", INT, aws_iam_list_policies_in, max_items),
};
static const struct aws_shape list_policies_in_shape =
	AWS_SHAPE(struct aws_iam_list_policies_in, list_policies_in);

static const struct aws_member get_policy_in[] = {
	M("PolicyArn", STRING, aws_iam_get_policy_in, arn),
};
static const struct aws_shape get_policy_in_shape = AWS_SHAPE(struct aws_iam_get_policy_in, get_policy_in);

static const struct aws_member get_policy_version_in[] = {
	M("PolicyArn", STRING, aws_iam_get_policy_version_in, arn),
	M("VersionId", STRING, aws_iam_get_policy_version_in, version_id),
};
static const struct aws_shape get_policy_version_in_shape =
	AWS_SHAPE(struct aws_iam_get_policy_version_in, get_policy_version_in);

static const struct aws_member key_last_used_in[] = {
	M("AccessKeyId", STRING, aws_iam_access_key_last_used_in, id),
};
static const struct aws_shape key_last_used_in_shape =
	AWS_SHAPE(struct aws_iam_access_key_last_used_in, key_last_used_in);

/* ---- outputs ---- */

static const struct aws_member account_details_out[] = {
	PAGE(aws_iam_account_details_out),
	MS("UserDetailList", LIST, aws_iam_account_details_out, users, user_shape),
	MS("GroupDetailList", LIST, aws_iam_account_details_out, groups, group_shape),
	MS("RoleDetailList", LIST, aws_iam_account_details_out, roles, role_shape),
	MS("Policies", LIST, aws_iam_account_details_out, policies, policy_shape),
};
static const struct aws_shape account_details_out_shape =
	AWS_SHAPE(struct aws_iam_account_details_out, account_details_out);

const struct aws_member *const aws_iam_account_details_users = &account_details_out[2];
const struct aws_member *const aws_iam_account_details_groups = &account_details_out[3];
const struct aws_member *const aws_iam_account_details_roles = &account_details_out[4];
const struct aws_member *const aws_iam_account_details_policies = &account_details_out[5];

#define LIST_OUT(variable, type, list_member, field, element_shape)                                          \
	static const struct aws_member variable[] = {                                                        \
		PAGE(type),                                                                                  \
		{list_member, AWS_LIST, offsetof(struct type, field), element_shape},                        \
	};                                                                                                   \
	static const struct aws_shape variable##_shape = AWS_SHAPE(struct type, variable)
LIST_OUT(list_users_out, aws_iam_list_users_out, "Users", users, &user_shape);
LIST_OUT(list_groups_out, aws_iam_list_groups_out, "Groups", groups, &group_shape);
LIST_OUT(list_roles_out, aws_iam_list_roles_out, "Roles", roles, &role_shape);
LIST_OUT(list_policies_out, aws_iam_list_policies_out, "Policies", policies, &policy_shape);
LIST_OUT(list_tags_out, aws_iam_list_tags_out, "Tags", tags, &tag_shape);
LIST_OUT(list_attached_out, aws_iam_list_attached_out, "AttachedPolicies", attached, &attached_shape);
LIST_OUT(list_inline_out, aws_iam_list_inline_out, "PolicyNames", names, NULL);
LIST_OUT(list_aliases_out, aws_iam_list_account_aliases_out, "AccountAliases", aliases, NULL);

static const struct aws_member get_group_out[] = {
	PAGE(aws_iam_get_group_out),
	MS("Group", STRUCT, aws_iam_get_group_out, group, group_shape),
	MS("Users", LIST, aws_iam_get_group_out, users, user_shape),
};
static const struct aws_shape get_group_out_shape = AWS_SHAPE(struct aws_iam_get_group_out, get_group_out);

static const struct aws_member get_inline_out[] = {
	M("PolicyDocument", STRING, aws_iam_get_inline_out, document),
};
static const struct aws_shape get_inline_out_shape = AWS_SHAPE(struct aws_iam_get_inline_out, get_inline_out);

static const struct aws_member get_policy_out[] = {
	MS("Policy", STRUCT, aws_iam_get_policy_out, policy, policy_shape),
};
static const struct aws_shape get_policy_out_shape = AWS_SHAPE(struct aws_iam_get_policy_out, get_policy_out);

static const struct aws_member get_policy_version_out[] = {
	MS("PolicyVersion", STRUCT, aws_iam_get_policy_version_out, version, policy_version_shape),
};
static const struct aws_shape get_policy_version_out_shape =
	AWS_SHAPE(struct aws_iam_get_policy_version_out, get_policy_version_out);

static const struct aws_member access_key[] = {
	M("AccessKeyId", STRING, aws_iam_access_key, id),
	M("UserName", STRING, aws_iam_access_key, user_name),
	M("Status", STRING, aws_iam_access_key, status),
	M("CreateDate", TIME, aws_iam_access_key, created_s),
};
static const struct aws_shape access_key_shape = AWS_SHAPE(struct aws_iam_access_key, access_key);
LIST_OUT(list_access_keys_out, aws_iam_list_access_keys_out, "AccessKeyMetadata", keys, &access_key_shape);

/* <AccessKeyLastUsed><LastUsedDate>: kept without its frame. */
static const struct aws_member key_last_used[] = {
	M("LastUsedDate", TIME, aws_iam_access_key_last_used_out, last_used_s),
};
static const struct aws_shape key_last_used_shape =
	AWS_SHAPE(struct aws_iam_access_key_last_used_out, key_last_used);
static const struct aws_member key_last_used_out[] = {
	M("UserName", STRING, aws_iam_access_key_last_used_out, user_name),
	{"AccessKeyLastUsed", AWS_STRUCT, 0, &key_last_used_shape},
};
static const struct aws_shape key_last_used_out_shape =
	AWS_SHAPE(struct aws_iam_access_key_last_used_out, key_last_used_out);

static const struct aws_member generate_report_out[] = {
	M("State", STRING, aws_iam_generate_credential_report_out, state),
};
static const struct aws_shape generate_report_out_shape =
	AWS_SHAPE(struct aws_iam_generate_credential_report_out, generate_report_out);

static const struct aws_member get_report_out[] = {
	M("Content", BLOB, aws_iam_get_credential_report_out, content),
	M("GeneratedTime", TIME, aws_iam_get_credential_report_out, generated_s),
};
static const struct aws_shape get_report_out_shape =
	AWS_SHAPE(struct aws_iam_get_credential_report_out, get_report_out);

/* ---- operations ---- */

#define OPERATION(variable, wire_name, input, output)                                                        \
	const struct aws_operation variable = {                                                              \
		.service = &aws_iam, .name = wire_name, .in = input, .out = output}

OPERATION(aws_iam_get_account_authorization_details, "GetAccountAuthorizationDetails",
	&account_details_in_shape, &account_details_out_shape);
OPERATION(aws_iam_list_users, "ListUsers", &page_in_shape, &list_users_out_shape);
OPERATION(aws_iam_list_groups, "ListGroups", &page_in_shape, &list_groups_out_shape);
OPERATION(aws_iam_list_roles, "ListRoles", &page_in_shape, &list_roles_out_shape);
OPERATION(aws_iam_list_policies, "ListPolicies", &list_policies_in_shape, &list_policies_out_shape);
OPERATION(aws_iam_get_group, "GetGroup", &group_page_in_shape, &get_group_out_shape);
OPERATION(aws_iam_list_user_tags, "ListUserTags", &user_page_in_shape, &list_tags_out_shape);
OPERATION(aws_iam_list_role_tags, "ListRoleTags", &role_page_in_shape, &list_tags_out_shape);
OPERATION(aws_iam_list_attached_user_policies, "ListAttachedUserPolicies", &user_page_in_shape,
	&list_attached_out_shape);
OPERATION(aws_iam_list_attached_group_policies, "ListAttachedGroupPolicies", &group_page_in_shape,
	&list_attached_out_shape);
OPERATION(aws_iam_list_attached_role_policies, "ListAttachedRolePolicies", &role_page_in_shape,
	&list_attached_out_shape);
OPERATION(aws_iam_list_user_policies, "ListUserPolicies", &user_page_in_shape, &list_inline_out_shape);
OPERATION(aws_iam_list_group_policies, "ListGroupPolicies", &group_page_in_shape, &list_inline_out_shape);
OPERATION(aws_iam_list_role_policies, "ListRolePolicies", &role_page_in_shape, &list_inline_out_shape);
OPERATION(aws_iam_get_user_policy, "GetUserPolicy", &user_policy_in_shape, &get_inline_out_shape);
OPERATION(aws_iam_get_group_policy, "GetGroupPolicy", &group_policy_in_shape, &get_inline_out_shape);
OPERATION(aws_iam_get_role_policy, "GetRolePolicy", &role_policy_in_shape, &get_inline_out_shape);
OPERATION(aws_iam_get_policy, "GetPolicy", &get_policy_in_shape, &get_policy_out_shape);
OPERATION(aws_iam_get_policy_version, "GetPolicyVersion", &get_policy_version_in_shape,
	&get_policy_version_out_shape);
OPERATION(aws_iam_list_access_keys, "ListAccessKeys", &user_page_in_shape, &list_access_keys_out_shape);
OPERATION(aws_iam_get_access_key_last_used, "GetAccessKeyLastUsed", &key_last_used_in_shape,
	&key_last_used_out_shape);
OPERATION(aws_iam_generate_credential_report, "GenerateCredentialReport", NULL, &generate_report_out_shape);
OPERATION(aws_iam_get_credential_report, "GetCredentialReport", NULL, &get_report_out_shape);
OPERATION(aws_iam_list_account_aliases, "ListAccountAliases", &page_in_shape, &list_aliases_out_shape);
