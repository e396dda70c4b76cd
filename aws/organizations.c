#include "aws/organizations.h"

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

static const struct aws_member account[] = {
	{"Id", AWS_STRING, offsetof(struct aws_organizations_account, id), NULL},
	{"Arn", AWS_STRING, offsetof(struct aws_organizations_account, arn), NULL},
	{"Name", AWS_STRING, offsetof(struct aws_organizations_account, name), NULL},
	{"Email", AWS_STRING, offsetof(struct aws_organizations_account, email), NULL},
	{"Status", AWS_STRING, offsetof(struct aws_organizations_account, status), NULL},
	{"State", AWS_STRING, offsetof(struct aws_organizations_account, state), NULL},
};
static const struct aws_shape account_shape = AWS_SHAPE(struct aws_organizations_account, account);

static const struct aws_member page_in[] = {
	{"NextToken", AWS_STRING, offsetof(struct aws_organizations_page_in, next_token), NULL},
	{"MaxResults", AWS_INT, offsetof(struct aws_organizations_page_in, max_results), NULL},
};
static const struct aws_shape page_in_shape = AWS_SHAPE(struct aws_organizations_page_in, page_in);

static const struct aws_member list_accounts_out[] = {
	{"NextToken", AWS_STRING, offsetof(struct aws_organizations_list_accounts_out, next_token), NULL},
	{"Accounts", AWS_LIST, offsetof(struct aws_organizations_list_accounts_out, accounts),
		&account_shape},
};
static const struct aws_shape list_accounts_out_shape =
	AWS_SHAPE(struct aws_organizations_list_accounts_out, list_accounts_out);

const struct aws_operation aws_organizations_list_accounts = {
	.service = &aws_organizations,
	.name = "ListAccounts",
	.in = &page_in_shape,
	.out = &list_accounts_out_shape,
};
