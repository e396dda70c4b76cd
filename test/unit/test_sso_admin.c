/* layers: aws base
 *
 * SSO Admin: each request to the byte, answers as AWS's reference shows them. */
#include "aws/sso_admin.h"

#include "support/json_operation.h"

static void test_requests(void)
{
	static const struct aws_sso_admin_in all = {
		.instance_arn = STR_INIT("arn:i"),
		.account_id = STR_INIT("111122223333"),
		.permission_set_arn = STR_INIT("arn:p"),
		.next_token = STR_INIT("t"),
		.max_results = {100, true},
	};
	static const struct aws_sso_admin_in first = {
		.instance_arn = STR_INIT("arn:i"),
		.account_id = STR_INIT("111122223333"),
		.permission_set_arn = STR_INIT("arn:p"),
	};
	static const struct aws_sso_admin_principal_in principal = {
		.instance_arn = STR_INIT("arn:i"),
		.principal_id = STR_INIT("u"),
		.principal_type = STR_INIT("USER"),
		.max_results = {100, true},
	};
	static const struct aws_sso_admin_principal_in principal_there = {
		.instance_arn = STR_INIT("arn:i"),
		.principal_id = STR_INIT("g"),
		.principal_type = STR_INIT("GROUP"),
		.filter = {STR_INIT("111122223333")},
		.next_token = STR_INIT("t"),
	};
	static const struct {
		const struct aws_operation *op;
		const void *in;
		const char *want; /* behind the target's prefix */
	} rows[] = {
		{&aws_sso_admin_list_instances, NULL, "ListInstances {}"},
		{&aws_sso_admin_list_instances, &all,
			"ListInstances {\"NextToken\":\"t\",\"MaxResults\":100}"},
		{&aws_sso_admin_list_permission_sets, &all,
			"ListPermissionSets {\"InstanceArn\":\"arn:i\",\"NextToken\":\"t\",\"MaxResults\":"
			"100}"},
		{&aws_sso_admin_list_permission_sets, &first,
			"ListPermissionSets {\"InstanceArn\":\"arn:i\"}"},
		{&aws_sso_admin_describe_permission_set, &all,
			"DescribePermissionSet {\"InstanceArn\":\"arn:i\",\"PermissionSetArn\":\"arn:p\"}"},
		{&aws_sso_admin_list_permission_sets_provisioned_to_account, &all,
			"ListPermissionSetsProvisionedToAccount "
			"{\"InstanceArn\":\"arn:i\",\"AccountId\":\"111122223333\","
			"\"NextToken\":\"t\",\"MaxResults\":100}"},
		{&aws_sso_admin_list_accounts_for_provisioned_permission_set, &all,
			"ListAccountsForProvisionedPermissionSet "
			"{\"InstanceArn\":\"arn:i\",\"PermissionSetArn\":\"arn:p\","
			"\"NextToken\":\"t\",\"MaxResults\":100}"},
		{&aws_sso_admin_list_account_assignments, &all,
			"ListAccountAssignments {\"InstanceArn\":\"arn:i\",\"AccountId\":\"111122223333\","
			"\"PermissionSetArn\":\"arn:p\",\"NextToken\":\"t\",\"MaxResults\":100}"},
		{&aws_sso_admin_list_account_assignments_for_principal, &principal,
			"ListAccountAssignmentsForPrincipal {\"InstanceArn\":\"arn:i\",\"PrincipalId\":\"u\","
			"\"PrincipalType\":\"USER\",\"MaxResults\":100}"},
		{&aws_sso_admin_list_account_assignments_for_principal, &principal_there,
			"ListAccountAssignmentsForPrincipal {\"InstanceArn\":\"arn:i\",\"PrincipalId\":\"g\","
			"\"PrincipalType\":\"GROUP\",\"Filter\":{\"AccountId\":\"111122223333\"},"
			"\"NextToken\":\"t\"}"},
		{&aws_sso_admin_list_managed_policies, &first,
			"ListManagedPoliciesInPermissionSet "
			"{\"InstanceArn\":\"arn:i\",\"PermissionSetArn\":\"arn:p\"}"},
		{&aws_sso_admin_list_customer_managed_policy_references, &first,
			"ListCustomerManagedPolicyReferencesInPermissionSet "
			"{\"InstanceArn\":\"arn:i\",\"PermissionSetArn\":\"arn:p\"}"},
		{&aws_sso_admin_get_inline_policy, &all,
			"GetInlinePolicyForPermissionSet "
			"{\"InstanceArn\":\"arn:i\",\"PermissionSetArn\":\"arn:p\"}"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(arena_freep) struct arena *a = arena_new(0);
		struct str got = json_operation_request(rows[i].op, rows[i].in, a);

		CU_ASSERT_PTR_EQUAL(rows[i].op->service, &aws_sso_admin);
		ASSERT_STR(got, str_fmt(a, "SWBExternalService.%s", rows[i].want), rows[i].op->name);
	}
}

static void test_instances(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct aws_sso_admin_instances_out out;
	const struct aws_sso_admin_instance *i;

	json_operation_answer(&aws_sso_admin_list_instances,
		"{\"Instances\":[{\"CreatedDate\":1.68E9,\"IdentityStoreId\":\"d-1\","
		"\"InstanceArn\":\"arn:aws:sso:::instance/ssoins-1\",\"Name\":\"n\",\"OwnerAccountId\":"
		"\"111122223333\",\"Regions\":[{\"RegionName\":\"us-east-1\"}],\"Status\":\"ACTIVE\"},{}],"
		"\"NextToken\":\"more\"}",
		&out, a);
	ASSERT_STR(out.next_token, STR("more"), "token");
	CU_ASSERT_EQUAL_FATAL(out.instances.n, 2);
	i = AWS_LIST_AT(out.instances, struct aws_sso_admin_instance, 0);
	ASSERT_STR(i->arn, STR("arn:aws:sso:::instance/ssoins-1"), "arn");
	ASSERT_STR(i->identity_store_id, STR("d-1"), "store");
	ASSERT_STR(i->owner_account_id, STR("111122223333"), "owner");
	ASSERT_STR(i->name, STR("n"), "name");
	ASSERT_STR(i->status, STR("ACTIVE"), "status");
	ASSERT_I64(i->created_s.v, 1680000000, "created");
	i = AWS_LIST_AT(out.instances, struct aws_sso_admin_instance, 1);
	CU_ASSERT(i->arn.n == 0 && !i->created_s.set);
}

static void test_permission_set(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct aws_sso_admin_permission_set_out out;
	struct aws_sso_admin_inline_policy_out policy;

	json_operation_answer(&aws_sso_admin_describe_permission_set,
		"{\"PermissionSet\":{\"CreatedDate\":1680000000.123,\"Description\":\"d\",\"Name\":\"Admin\","
		"\"PermissionSetArn\":\"arn:p\",\"RelayState\":\"https://x\",\"SessionDuration\":\"PT1H\"}}",
		&out, a);
	ASSERT_STR(out.permission_set.arn, STR("arn:p"), "arn");
	ASSERT_STR(out.permission_set.name, STR("Admin"), "name");
	ASSERT_STR(out.permission_set.description, STR("d"), "description");

	json_operation_answer(&aws_sso_admin_get_inline_policy,
		"{\"InlinePolicy\":\"{\\\"Version\\\":\\\"2012-10-17\\\"}\"}", &policy, a);
	ASSERT_STR(policy.document, STR("{\"Version\":\"2012-10-17\"}"), "document");
	json_operation_answer(&aws_sso_admin_get_inline_policy, "{}", &policy, a);
	ASSERT_STR(policy.document, STR_EMPTY, "no document");
	json_operation_answer(&aws_sso_admin_get_inline_policy, "{\"InlinePolicy\":\"\"}", &policy, a);
	ASSERT_STR(policy.document, STR_EMPTY, "no document, as AWS says it");
}

static void test_lists(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct aws_sso_admin_permission_sets_out sets;
	struct aws_sso_admin_accounts_out accounts;
	struct aws_sso_admin_assignments_out assignments;
	struct aws_sso_admin_managed_policies_out managed;
	struct aws_sso_admin_customer_policies_out customer;
	const struct aws_sso_admin_assignment *row;

	json_operation_answer(&aws_sso_admin_list_permission_sets,
		"{\"NextToken\":null,\"PermissionSets\":[\"arn:1\",\"arn:2\"]}", &sets, a);
	CU_ASSERT_EQUAL_FATAL(sets.permission_set_arns.n, 2);
	ASSERT_STR(*AWS_LIST_AT(sets.permission_set_arns, struct str, 1), STR("arn:2"), "second");
	ASSERT_STR(sets.next_token, STR_EMPTY, "last page");
	json_operation_answer(&aws_sso_admin_list_permission_sets_provisioned_to_account,
		"{\"NextToken\":\"t\"}", &sets, a);
	CU_ASSERT_EQUAL(sets.permission_set_arns.n, 0);
	ASSERT_STR(sets.next_token, STR("t"), "an empty page, and more");

	json_operation_answer(&aws_sso_admin_list_accounts_for_provisioned_permission_set,
		"{\"AccountIds\":[\"111122223333\"]}", &accounts, a);
	CU_ASSERT_EQUAL_FATAL(accounts.account_ids.n, 1);
	ASSERT_STR(*AWS_LIST_AT(accounts.account_ids, struct str, 0), STR("111122223333"), "account");

	json_operation_answer(&aws_sso_admin_list_account_assignments,
		"{\"AccountAssignments\":[{\"AccountId\":\"111122223333\",\"PermissionSetArn\":\"arn:p\","
		"\"PrincipalType\":\"GROUP\",\"PrincipalId\":\"g\"}]}",
		&assignments, a);
	CU_ASSERT_EQUAL_FATAL(assignments.assignments.n, 1);
	row = AWS_LIST_AT(assignments.assignments, struct aws_sso_admin_assignment, 0);
	ASSERT_STR(row->account_id, STR("111122223333"), "account");
	ASSERT_STR(row->permission_set_arn, STR("arn:p"), "permission set");
	ASSERT_STR(row->principal_type, STR("GROUP"), "type");
	ASSERT_STR(row->principal_id, STR("g"), "principal");

	json_operation_answer(&aws_sso_admin_list_managed_policies,
		"{\"AttachedManagedPolicies\":[{\"Name\":\"n\",\"Arn\":\"arn:aws:iam::aws:policy/n\"}]}",
		&managed, a);
	CU_ASSERT_EQUAL_FATAL(managed.policies.n, 1);
	ASSERT_STR(AWS_LIST_AT(managed.policies, struct aws_sso_admin_policy, 0)->name, STR("n"), "name");
	ASSERT_STR(AWS_LIST_AT(managed.policies, struct aws_sso_admin_policy, 0)->arn,
		STR("arn:aws:iam::aws:policy/n"), "arn");

	json_operation_answer(&aws_sso_admin_list_customer_managed_policy_references,
		"{\"CustomerManagedPolicyReferences\":[{\"Name\":\"n\",\"Path\":\"/a/\"},{\"Name\":\"m\"}]}",
		&customer, a);
	CU_ASSERT_EQUAL_FATAL(customer.references.n, 2);
	ASSERT_STR(AWS_LIST_AT(customer.references, struct aws_sso_admin_policy_reference, 0)->path,
		STR("/a/"), "path");
	ASSERT_STR(AWS_LIST_AT(customer.references, struct aws_sso_admin_policy_reference, 1)->name, STR("m"),
		"name");
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"requests", test_requests},
		{"instances", test_instances},
		{"a permission set and its inline policy", test_permission_set},
		{"lists", test_lists},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"sso_admin", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
