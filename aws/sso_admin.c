/* Wire names as in AWS's API reference; test/e2e/test_operations_botocore.py compares them with
 * botocore's models. */
#include "aws/sso_admin.h"

#include "aws/members.h"

/* AWS publishes 20 calls per second for all operations and the whole organization. Two percent stay free
 * for what the network does to even spacing; the burst is what a shared bucket of 20 can be asked for at
 * any time. */
const struct aws_service aws_sso_admin = {
	.id = "sso",
	.signing_name = "sso",
	.endpoint_env = "SSO_ADMIN",
	.protocol = AWS_JSON11,
	.target_prefix = "SWBExternalService",
	.in_sso_region = true,
	.rate_per_s = 19.6,
	.burst = 5,
	.max_rate_factor = 1,
};

/* ---- input: which of the members which operations send ---- */

#define INSTANCE       M("InstanceArn", STRING, aws_sso_admin_in, instance_arn)
#define ACCOUNT        M("AccountId", STRING, aws_sso_admin_in, account_id)
#define PERMISSION_SET M("PermissionSetArn", STRING, aws_sso_admin_in, permission_set_arn)
#define PAGE                                                                                                 \
	M("NextToken", STRING, aws_sso_admin_in, next_token),                                                \
		M("MaxResults", INT, aws_sso_admin_in, max_results)

static const struct aws_member page_in[] = {PAGE};
static const struct aws_shape page_in_shape = AWS_SHAPE(struct aws_sso_admin_in, page_in);

static const struct aws_member instance_page_in[] = {INSTANCE, PAGE};
static const struct aws_shape instance_page_in_shape = AWS_SHAPE(struct aws_sso_admin_in, instance_page_in);

static const struct aws_member account_page_in[] = {INSTANCE, ACCOUNT, PAGE};
static const struct aws_shape account_page_in_shape = AWS_SHAPE(struct aws_sso_admin_in, account_page_in);

static const struct aws_member permission_set_in[] = {INSTANCE, PERMISSION_SET};
static const struct aws_shape permission_set_in_shape = AWS_SHAPE(struct aws_sso_admin_in, permission_set_in);

static const struct aws_member permission_set_page_in[] = {INSTANCE, PERMISSION_SET, PAGE};
static const struct aws_shape permission_set_page_in_shape =
	AWS_SHAPE(struct aws_sso_admin_in, permission_set_page_in);

static const struct aws_member pair_page_in[] = {INSTANCE, ACCOUNT, PERMISSION_SET, PAGE};
static const struct aws_shape pair_page_in_shape = AWS_SHAPE(struct aws_sso_admin_in, pair_page_in);

static const struct aws_member principal_filter[] = {
	M("AccountId", STRING, aws_sso_admin_principal_filter, account_id),
};
static const struct aws_shape principal_filter_shape =
	AWS_SHAPE(struct aws_sso_admin_principal_filter, principal_filter);
static const struct aws_member principal_in[] = {
	M("InstanceArn", STRING, aws_sso_admin_principal_in, instance_arn),
	M("PrincipalId", STRING, aws_sso_admin_principal_in, principal_id),
	M("PrincipalType", STRING, aws_sso_admin_principal_in, principal_type),
	MS("Filter", STRUCT, aws_sso_admin_principal_in, filter, principal_filter_shape),
	M("NextToken", STRING, aws_sso_admin_principal_in, next_token),
	M("MaxResults", INT, aws_sso_admin_principal_in, max_results),
};
static const struct aws_shape principal_in_shape = AWS_SHAPE(struct aws_sso_admin_principal_in, principal_in);

/* ---- output ---- */

static const struct aws_member instance[] = {
	M("InstanceArn", STRING, aws_sso_admin_instance, arn),
	M("IdentityStoreId", STRING, aws_sso_admin_instance, identity_store_id),
	M("OwnerAccountId", STRING, aws_sso_admin_instance, owner_account_id),
	M("Name", STRING, aws_sso_admin_instance, name),
	M("Status", STRING, aws_sso_admin_instance, status),
	M("CreatedDate", TIME, aws_sso_admin_instance, created_s),
};
static const struct aws_shape instance_shape = AWS_SHAPE(struct aws_sso_admin_instance, instance);
static const struct aws_member instances_out[] = {
	M("NextToken", STRING, aws_sso_admin_instances_out, next_token),
	MS("Instances", LIST, aws_sso_admin_instances_out, instances, instance_shape),
};
static const struct aws_shape instances_out_shape =
	AWS_SHAPE(struct aws_sso_admin_instances_out, instances_out);

static const struct aws_member permission_sets_out[] = {
	M("NextToken", STRING, aws_sso_admin_permission_sets_out, next_token),
	M("PermissionSets", LIST, aws_sso_admin_permission_sets_out, permission_set_arns),
};
static const struct aws_shape permission_sets_out_shape =
	AWS_SHAPE(struct aws_sso_admin_permission_sets_out, permission_sets_out);

static const struct aws_member permission_set[] = {
	M("PermissionSetArn", STRING, aws_sso_admin_permission_set, arn),
	M("Name", STRING, aws_sso_admin_permission_set, name),
	M("Description", STRING, aws_sso_admin_permission_set, description),
};
static const struct aws_shape permission_set_shape =
	AWS_SHAPE(struct aws_sso_admin_permission_set, permission_set);
static const struct aws_member permission_set_out[] = {
	MS("PermissionSet", STRUCT, aws_sso_admin_permission_set_out, permission_set, permission_set_shape),
};
static const struct aws_shape permission_set_out_shape =
	AWS_SHAPE(struct aws_sso_admin_permission_set_out, permission_set_out);

static const struct aws_member accounts_out[] = {
	M("NextToken", STRING, aws_sso_admin_accounts_out, next_token),
	M("AccountIds", LIST, aws_sso_admin_accounts_out, account_ids),
};
static const struct aws_shape accounts_out_shape = AWS_SHAPE(struct aws_sso_admin_accounts_out, accounts_out);

static const struct aws_member assignment[] = {
	M("AccountId", STRING, aws_sso_admin_assignment, account_id),
	M("PermissionSetArn", STRING, aws_sso_admin_assignment, permission_set_arn),
	M("PrincipalType", STRING, aws_sso_admin_assignment, principal_type),
	M("PrincipalId", STRING, aws_sso_admin_assignment, principal_id),
};
static const struct aws_shape assignment_shape = AWS_SHAPE(struct aws_sso_admin_assignment, assignment);
static const struct aws_member assignments_out[] = {
	M("NextToken", STRING, aws_sso_admin_assignments_out, next_token),
	MS("AccountAssignments", LIST, aws_sso_admin_assignments_out, assignments, assignment_shape),
};
static const struct aws_shape assignments_out_shape =
	AWS_SHAPE(struct aws_sso_admin_assignments_out, assignments_out);

static const struct aws_member policy[] = {
	M("Name", STRING, aws_sso_admin_policy, name),
	M("Arn", STRING, aws_sso_admin_policy, arn),
};
static const struct aws_shape policy_shape = AWS_SHAPE(struct aws_sso_admin_policy, policy);
static const struct aws_member managed_policies_out[] = {
	M("NextToken", STRING, aws_sso_admin_managed_policies_out, next_token),
	MS("AttachedManagedPolicies", LIST, aws_sso_admin_managed_policies_out, policies, policy_shape),
};
static const struct aws_shape managed_policies_out_shape =
	AWS_SHAPE(struct aws_sso_admin_managed_policies_out, managed_policies_out);

static const struct aws_member reference[] = {
	M("Name", STRING, aws_sso_admin_policy_reference, name),
	M("Path", STRING, aws_sso_admin_policy_reference, path),
};
static const struct aws_shape reference_shape = AWS_SHAPE(struct aws_sso_admin_policy_reference, reference);
static const struct aws_member customer_policies_out[] = {
	M("NextToken", STRING, aws_sso_admin_customer_policies_out, next_token),
	MS("CustomerManagedPolicyReferences", LIST, aws_sso_admin_customer_policies_out, references,
		reference_shape),
};
static const struct aws_shape customer_policies_out_shape =
	AWS_SHAPE(struct aws_sso_admin_customer_policies_out, customer_policies_out);

static const struct aws_member inline_policy_out[] = {
	M("InlinePolicy", STRING, aws_sso_admin_inline_policy_out, document),
};
static const struct aws_shape inline_policy_out_shape =
	AWS_SHAPE(struct aws_sso_admin_inline_policy_out, inline_policy_out);

/* ---- operations ---- */

#define OPERATION(var, op, in_shape, out_shape)                                                              \
	const struct aws_operation aws_sso_admin_##var = {                                                   \
		.service = &aws_sso_admin, .name = op, .in = &(in_shape), .out = &(out_shape)}

OPERATION(list_instances, "ListInstances", page_in_shape, instances_out_shape);
OPERATION(list_permission_sets, "ListPermissionSets", instance_page_in_shape, permission_sets_out_shape);
OPERATION(
	describe_permission_set, "DescribePermissionSet", permission_set_in_shape, permission_set_out_shape);
OPERATION(list_permission_sets_provisioned_to_account, "ListPermissionSetsProvisionedToAccount",
	account_page_in_shape, permission_sets_out_shape);
OPERATION(list_accounts_for_provisioned_permission_set, "ListAccountsForProvisionedPermissionSet",
	permission_set_page_in_shape, accounts_out_shape);
OPERATION(list_account_assignments, "ListAccountAssignments", pair_page_in_shape, assignments_out_shape);
OPERATION(list_account_assignments_for_principal, "ListAccountAssignmentsForPrincipal", principal_in_shape,
	assignments_out_shape);
OPERATION(list_managed_policies, "ListManagedPoliciesInPermissionSet", permission_set_page_in_shape,
	managed_policies_out_shape);
OPERATION(list_customer_managed_policy_references, "ListCustomerManagedPolicyReferencesInPermissionSet",
	permission_set_page_in_shape, customer_policies_out_shape);
OPERATION(get_inline_policy, "GetInlinePolicyForPermissionSet", permission_set_in_shape,
	inline_policy_out_shape);
