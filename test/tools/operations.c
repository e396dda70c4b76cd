/* layers: aws base
 *
 * Prints the tables of the JSON services for a test that compares (test/e2e/test_operations_botocore.py):
 * a line "service target-prefix operation" for each operation, then a line "in|out path kind" for each
 * member. Elements of lists have "[]" in their path. */
#include <stdio.h>

#include "aws/cloudtrail.h"
#include "aws/identity_store.h"
#include "aws/organizations.h"
#include "aws/sso_admin.h"

static const struct aws_operation *const operations[] = {
	&aws_sso_admin_list_instances,
	&aws_sso_admin_list_permission_sets,
	&aws_sso_admin_describe_permission_set,
	&aws_sso_admin_list_permission_sets_provisioned_to_account,
	&aws_sso_admin_list_accounts_for_provisioned_permission_set,
	&aws_sso_admin_list_account_assignments,
	&aws_sso_admin_list_account_assignments_for_principal,
	&aws_sso_admin_list_managed_policies,
	&aws_sso_admin_list_customer_managed_policy_references,
	&aws_sso_admin_get_inline_policy,
	&aws_identity_store_list_users,
	&aws_identity_store_list_groups,
	&aws_identity_store_list_group_memberships,
	&aws_identity_store_list_group_memberships_for_member,
	&aws_identity_store_describe_user,
	&aws_identity_store_describe_group,
	&aws_identity_store_get_user_id,
	&aws_organizations_list_accounts,
	&aws_organizations_list_accounts_for_parent,
	&aws_organizations_list_roots,
	&aws_organizations_list_units_for_parent,
	&aws_organizations_list_parents,
	&aws_organizations_list_children,
	&aws_organizations_describe_account,
	&aws_organizations_describe_organization,
	&aws_cloudtrail_lookup_events,
};

static const char *const kinds[] = {
	[AWS_STRING] = "string",
	[AWS_INT] = "integer",
	[AWS_BOOL] = "boolean",
	[AWS_TIME] = "timestamp",
	[AWS_BLOB] = "blob",
	[AWS_STRUCT] = "structure",
	[AWS_LIST] = "list",
};

/* The path of a shape: names from the top, as a chain on the C stack. */
struct path {
	const struct path *up;
	const char *name;
	const char *behind; /* "." or "[]." */
};

static void print_path(const struct path *p)
{
	if (!p)
		return;
	print_path(p->up);
	printf("%s%s", p->name, p->behind);
}

static void print_shape(const char *side, const struct aws_shape *shape, const struct path *at)
{
	for (size_t i = 0; shape && i < shape->n; i++) {
		const struct aws_member *m = &shape->members[i];
		struct path here = {at, m->name, m->kind == AWS_LIST ? "[]." : "."};

		printf("%s ", side);
		print_path(at);
		printf("%s %s\n", m->name, kinds[m->kind]);
		if (m->kind == AWS_LIST && !m->shape) {
			printf("%s ", side);
			print_path(at);
			printf("%s[] string\n", m->name);
		}
		print_shape(side, m->shape, &here);
	}
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_LEN(operations); i++) {
		const struct aws_operation *op = operations[i];

		printf("%s %s %s\n", op->service->id, op->service->target_prefix, op->name);
		print_shape("in", op->in, NULL);
		print_shape("out", op->out, NULL);
	}
	return 0;
}
