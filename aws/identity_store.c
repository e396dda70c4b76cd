/* Wire names as in AWS's API reference; test/e2e/test_operations_botocore.py compares them with
 * botocore's models. */
#include "aws/identity_store.h"

#include "aws/members.h"

/* As SSO Admin (sso_admin.c): 20 calls per second for all operations, published. */
const struct aws_service aws_identity_store = {
	.id = "identitystore",
	.signing_name = "identitystore",
	.endpoint_env = "IDENTITYSTORE",
	.protocol = AWS_JSON11,
	.target_prefix = "AWSIdentityStore",
	.in_sso_region = true,
	.rate_per_s = 19.6,
	.burst = 5,
	.max_rate_factor = 1,
};

#define STORE(type) M("IdentityStoreId", STRING, type, store_id)
#define PAGE(type)  M("NextToken", STRING, type, next_token), M("MaxResults", INT, type, max_results)

/* ---- pieces ---- */

static const struct aws_member external_id[] = {
	M("Issuer", STRING, aws_identity_store_external_id, issuer),
	M("Id", STRING, aws_identity_store_external_id, id),
};
static const struct aws_shape external_id_shape =
	AWS_SHAPE(struct aws_identity_store_external_id, external_id);

static const struct aws_member email[] = {
	M("Value", STRING, aws_identity_store_email, value),
	M("Type", STRING, aws_identity_store_email, type),
	M("Primary", BOOL, aws_identity_store_email, primary),
};
static const struct aws_shape email_shape = AWS_SHAPE(struct aws_identity_store_email, email);

static const struct aws_member name[] = {
	M("Formatted", STRING, aws_identity_store_name, formatted),
	M("GivenName", STRING, aws_identity_store_name, given),
	M("FamilyName", STRING, aws_identity_store_name, family),
};
static const struct aws_shape name_shape = AWS_SHAPE(struct aws_identity_store_name, name);

static const struct aws_member user[] = {
	M("UserId", STRING, aws_identity_store_user, id),
	M("UserName", STRING, aws_identity_store_user, user_name),
	M("DisplayName", STRING, aws_identity_store_user, display_name),
	M("UserStatus", STRING, aws_identity_store_user, status),
	MS("Name", STRUCT, aws_identity_store_user, name, name_shape),
	MS("Emails", LIST, aws_identity_store_user, emails, email_shape),
	MS("ExternalIds", LIST, aws_identity_store_user, external_ids, external_id_shape),
};
static const struct aws_shape user_shape = AWS_SHAPE(struct aws_identity_store_user, user);

static const struct aws_member group[] = {
	M("GroupId", STRING, aws_identity_store_group, id),
	M("DisplayName", STRING, aws_identity_store_group, display_name),
	M("Description", STRING, aws_identity_store_group, description),
	MS("ExternalIds", LIST, aws_identity_store_group, external_ids, external_id_shape),
};
static const struct aws_shape group_shape = AWS_SHAPE(struct aws_identity_store_group, group);

static const struct aws_member member_id[] = {
	M("UserId", STRING, aws_identity_store_member_id, user_id),
};
static const struct aws_shape member_id_shape = AWS_SHAPE(struct aws_identity_store_member_id, member_id);

static const struct aws_member membership[] = {
	M("MembershipId", STRING, aws_identity_store_membership, id),
	M("GroupId", STRING, aws_identity_store_membership, group_id),
	MS("MemberId", STRUCT, aws_identity_store_membership, member, member_id_shape),
};
static const struct aws_shape membership_shape = AWS_SHAPE(struct aws_identity_store_membership, membership);

/* ---- lists ---- */

static const struct aws_member filter[] = {
	M("AttributePath", STRING, aws_identity_store_filter, path),
	M("AttributeValue", STRING, aws_identity_store_filter, value),
};
static const struct aws_shape filter_shape = AWS_SHAPE(struct aws_identity_store_filter, filter);
static const struct aws_member list_in[] = {
	STORE(aws_identity_store_list_in),
	MS("Filters", LIST, aws_identity_store_list_in, filters, filter_shape),
	PAGE(aws_identity_store_list_in),
};
static const struct aws_shape list_in_shape = AWS_SHAPE(struct aws_identity_store_list_in, list_in);

static const struct aws_member users_out[] = {
	M("NextToken", STRING, aws_identity_store_users_out, next_token),
	MS("Users", LIST, aws_identity_store_users_out, users, user_shape),
};
static const struct aws_shape users_out_shape = AWS_SHAPE(struct aws_identity_store_users_out, users_out);

static const struct aws_member groups_out[] = {
	M("NextToken", STRING, aws_identity_store_groups_out, next_token),
	MS("Groups", LIST, aws_identity_store_groups_out, groups, group_shape),
};
static const struct aws_shape groups_out_shape = AWS_SHAPE(struct aws_identity_store_groups_out, groups_out);

static const struct aws_member memberships_in[] = {
	STORE(aws_identity_store_memberships_in),
	M("GroupId", STRING, aws_identity_store_memberships_in, group_id),
	PAGE(aws_identity_store_memberships_in),
};
static const struct aws_shape memberships_in_shape =
	AWS_SHAPE(struct aws_identity_store_memberships_in, memberships_in);

static const struct aws_member memberships_of_in[] = {
	STORE(aws_identity_store_memberships_of_in),
	MS("MemberId", STRUCT, aws_identity_store_memberships_of_in, member, member_id_shape),
	PAGE(aws_identity_store_memberships_of_in),
};
static const struct aws_shape memberships_of_in_shape =
	AWS_SHAPE(struct aws_identity_store_memberships_of_in, memberships_of_in);

static const struct aws_member memberships_out[] = {
	M("NextToken", STRING, aws_identity_store_memberships_out, next_token),
	MS("GroupMemberships", LIST, aws_identity_store_memberships_out, memberships, membership_shape),
};
static const struct aws_shape memberships_out_shape =
	AWS_SHAPE(struct aws_identity_store_memberships_out, memberships_out);

/* ---- single objects ---- */

static const struct aws_member user_in[] = {
	STORE(aws_identity_store_user_in),
	M("UserId", STRING, aws_identity_store_user_in, user_id),
};
static const struct aws_shape user_in_shape = AWS_SHAPE(struct aws_identity_store_user_in, user_in);

static const struct aws_member group_in[] = {
	STORE(aws_identity_store_group_in),
	M("GroupId", STRING, aws_identity_store_group_in, group_id),
};
static const struct aws_shape group_in_shape = AWS_SHAPE(struct aws_identity_store_group_in, group_in);

/* AttributeValue is a JSON value of any kind for AWS; those of users are strings. */
static const struct aws_member unique_attribute[] = {
	M("AttributePath", STRING, aws_identity_store_unique_attribute, path),
	M("AttributeValue", STRING, aws_identity_store_unique_attribute, value),
};
static const struct aws_shape unique_attribute_shape =
	AWS_SHAPE(struct aws_identity_store_unique_attribute, unique_attribute);
static const struct aws_member alternate_id[] = {
	MS("UniqueAttribute", STRUCT, aws_identity_store_alternate_id, unique_attribute,
		unique_attribute_shape),
};
static const struct aws_shape alternate_id_shape =
	AWS_SHAPE(struct aws_identity_store_alternate_id, alternate_id);
static const struct aws_member get_user_id_in[] = {
	STORE(aws_identity_store_get_user_id_in),
	MS("AlternateIdentifier", STRUCT, aws_identity_store_get_user_id_in, alternate_id,
		alternate_id_shape),
};
static const struct aws_shape get_user_id_in_shape =
	AWS_SHAPE(struct aws_identity_store_get_user_id_in, get_user_id_in);

static const struct aws_member get_user_id_out[] = {
	M("UserId", STRING, aws_identity_store_get_user_id_out, user_id),
};
static const struct aws_shape get_user_id_out_shape =
	AWS_SHAPE(struct aws_identity_store_get_user_id_out, get_user_id_out);

/* ---- operations ---- */

#define OPERATION(var, op, in_shape, out_shape)                                                              \
	const struct aws_operation aws_identity_store_##var = {                                              \
		.service = &aws_identity_store, .name = op, .in = &(in_shape), .out = &(out_shape)}

OPERATION(list_users, "ListUsers", list_in_shape, users_out_shape);
OPERATION(list_groups, "ListGroups", list_in_shape, groups_out_shape);
OPERATION(list_group_memberships, "ListGroupMemberships", memberships_in_shape, memberships_out_shape);
OPERATION(list_group_memberships_for_member, "ListGroupMembershipsForMember", memberships_of_in_shape,
	memberships_out_shape);
OPERATION(describe_user, "DescribeUser", user_in_shape, user_shape);
OPERATION(describe_group, "DescribeGroup", group_in_shape, group_shape);
OPERATION(get_user_id, "GetUserId", get_user_id_in_shape, get_user_id_out_shape);
