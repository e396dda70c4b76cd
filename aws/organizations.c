/* Wire names as in AWS's API reference; test/e2e/test_operations_botocore.py compares them with
 * botocore's models. */
#include "aws/organizations.h"

#include "aws/members.h"

/* Reads of Organizations are throttled per account at a few calls per second, with a burst of about twice that. */
const struct aws_service aws_organizations = {
	.id = "organizations",
	.signing_name = "organizations",
	.endpoint_env = "ORGANIZATIONS",
	.protocol = AWS_JSON11,
	.target_prefix = "AWSOrganizationsV20161128",
	.global = true,
	.rate_per_s = 8,
	.burst = 12,
};

#define PAGE(type)  M("NextToken", STRING, type, next_token), M("MaxResults", INT, type, max_results)
#define TOKEN(type) M("NextToken", STRING, type, next_token)

/* ---- pieces ---- */

static const struct aws_member account[] = {
	M("Id", STRING, aws_organizations_account, id),
	M("Arn", STRING, aws_organizations_account, arn),
	M("Name", STRING, aws_organizations_account, name),
	M("Email", STRING, aws_organizations_account, email),
	M("Status", STRING, aws_organizations_account, status),
	M("State", STRING, aws_organizations_account, state),
	M("Paths", LIST, aws_organizations_account, paths),
};
static const struct aws_shape account_shape = AWS_SHAPE(struct aws_organizations_account, account);

static const struct aws_member root[] = {
	M("Id", STRING, aws_organizations_root, id),
	M("Arn", STRING, aws_organizations_root, arn),
	M("Name", STRING, aws_organizations_root, name),
};
static const struct aws_shape root_shape = AWS_SHAPE(struct aws_organizations_root, root);

static const struct aws_member unit[] = {
	M("Id", STRING, aws_organizations_unit, id),
	M("Arn", STRING, aws_organizations_unit, arn),
	M("Name", STRING, aws_organizations_unit, name),
	M("Path", STRING, aws_organizations_unit, path),
};
static const struct aws_shape unit_shape = AWS_SHAPE(struct aws_organizations_unit, unit);

static const struct aws_member relative[] = {
	M("Id", STRING, aws_organizations_relative, id),
	M("Type", STRING, aws_organizations_relative, type),
};
static const struct aws_shape relative_shape = AWS_SHAPE(struct aws_organizations_relative, relative);

/* ---- accounts, and what hangs below a root or a unit ---- */

static const struct aws_member page_in[] = {PAGE(aws_organizations_page_in)};
static const struct aws_shape page_in_shape = AWS_SHAPE(struct aws_organizations_page_in, page_in);

static const struct aws_member parent_in[] = {
	M("ParentId", STRING, aws_organizations_parent_in, parent_id),
	PAGE(aws_organizations_parent_in),
};
static const struct aws_shape parent_in_shape = AWS_SHAPE(struct aws_organizations_parent_in, parent_in);

static const struct aws_member list_accounts_out[] = {
	TOKEN(aws_organizations_list_accounts_out),
	MS("Accounts", LIST, aws_organizations_list_accounts_out, accounts, account_shape),
};
static const struct aws_shape list_accounts_out_shape =
	AWS_SHAPE(struct aws_organizations_list_accounts_out, list_accounts_out);

static const struct aws_member list_roots_out[] = {
	TOKEN(aws_organizations_list_roots_out),
	MS("Roots", LIST, aws_organizations_list_roots_out, roots, root_shape),
};
static const struct aws_shape list_roots_out_shape =
	AWS_SHAPE(struct aws_organizations_list_roots_out, list_roots_out);

static const struct aws_member list_units_out[] = {
	TOKEN(aws_organizations_list_units_out),
	MS("OrganizationalUnits", LIST, aws_organizations_list_units_out, units, unit_shape),
};
static const struct aws_shape list_units_out_shape =
	AWS_SHAPE(struct aws_organizations_list_units_out, list_units_out);

/* ---- who stands above, who below ---- */

static const struct aws_member list_parents_in[] = {
	M("ChildId", STRING, aws_organizations_list_parents_in, child_id),
	PAGE(aws_organizations_list_parents_in),
};
static const struct aws_shape list_parents_in_shape =
	AWS_SHAPE(struct aws_organizations_list_parents_in, list_parents_in);
static const struct aws_member list_parents_out[] = {
	TOKEN(aws_organizations_list_parents_out),
	MS("Parents", LIST, aws_organizations_list_parents_out, parents, relative_shape),
};
static const struct aws_shape list_parents_out_shape =
	AWS_SHAPE(struct aws_organizations_list_parents_out, list_parents_out);

static const struct aws_member list_children_in[] = {
	M("ParentId", STRING, aws_organizations_list_children_in, parent_id),
	M("ChildType", STRING, aws_organizations_list_children_in, child_type),
	PAGE(aws_organizations_list_children_in),
};
static const struct aws_shape list_children_in_shape =
	AWS_SHAPE(struct aws_organizations_list_children_in, list_children_in);
static const struct aws_member list_children_out[] = {
	TOKEN(aws_organizations_list_children_out),
	MS("Children", LIST, aws_organizations_list_children_out, children, relative_shape),
};
static const struct aws_shape list_children_out_shape =
	AWS_SHAPE(struct aws_organizations_list_children_out, list_children_out);

/* ---- single objects ---- */

static const struct aws_member describe_account_in[] = {
	M("AccountId", STRING, aws_organizations_describe_account_in, account_id),
};
static const struct aws_shape describe_account_in_shape =
	AWS_SHAPE(struct aws_organizations_describe_account_in, describe_account_in);
static const struct aws_member describe_account_out[] = {
	MS("Account", STRUCT, aws_organizations_describe_account_out, account, account_shape),
};
static const struct aws_shape describe_account_out_shape =
	AWS_SHAPE(struct aws_organizations_describe_account_out, describe_account_out);

/* "Master" is what AWS called the management account when this operation came into being. */
static const struct aws_member organization[] = {
	M("Id", STRING, aws_organizations_organization, id),
	M("Arn", STRING, aws_organizations_organization, arn),
	M("MasterAccountId", STRING, aws_organizations_organization, management_account_id),
	M("MasterAccountArn", STRING, aws_organizations_organization, management_account_arn),
};
static const struct aws_shape organization_shape =
	AWS_SHAPE(struct aws_organizations_organization, organization);
static const struct aws_member describe_organization_out[] = {
	MS("Organization", STRUCT, aws_organizations_describe_organization_out, organization,
		organization_shape),
};
static const struct aws_shape describe_organization_out_shape =
	AWS_SHAPE(struct aws_organizations_describe_organization_out, describe_organization_out);

/* ---- operations ---- */

#define OPERATION(var, op, in_shape, out_shape)                                                              \
	const struct aws_operation aws_organizations_##var = {                                               \
		.service = &aws_organizations, .name = op, .in = in_shape, .out = &(out_shape)}

OPERATION(list_accounts, "ListAccounts", &page_in_shape, list_accounts_out_shape);
OPERATION(list_accounts_for_parent, "ListAccountsForParent", &parent_in_shape, list_accounts_out_shape);
OPERATION(list_roots, "ListRoots", &page_in_shape, list_roots_out_shape);
OPERATION(list_units_for_parent, "ListOrganizationalUnitsForParent", &parent_in_shape, list_units_out_shape);
OPERATION(list_parents, "ListParents", &list_parents_in_shape, list_parents_out_shape);
OPERATION(list_children, "ListChildren", &list_children_in_shape, list_children_out_shape);
OPERATION(describe_account, "DescribeAccount", &describe_account_in_shape, describe_account_out_shape);
OPERATION(describe_organization, "DescribeOrganization", NULL, describe_organization_out_shape);
