/* Organizations, API version 2016-11-28: the operations that read accounts. The management account may ask
 * all of them, the others DescribeOrganization only; there are no delegated administrators.
 * https://docs.aws.amazon.com/organizations/latest/APIReference/ */
#include <inttypes.h>

#include "sim/sim_call.h"

static bool in_use(struct sim_call *c)
{
	if (c->sim->opts->no_organization)
		sim_fail(c, 400, "AWSOrganizationsNotInUseException",
			"Your account is not a member of an organization.");
	return !sim_failed(c);
}

static bool may_ask(struct sim_call *c)
{
	if (in_use(c) && !sim_is_management(c->caller.account))
		sim_fail(c, 400, "AccessDeniedException",
			"You don't have permissions to access this resource.");
	return !sim_failed(c);
}

static void put_account(struct sim_call *c, const char *name, const struct sim_account *a)
{
	struct json_writer *w = &c->json;
	struct str state = str_c(sim_account_state_names[a->state]);

	jw_open(w, name, '{');
	jw_str(w, "Id", a->id);
	jw_str(w, "Arn", a->arn);
	jw_str(w, "Email", a->email);
	jw_str(w, "Name", a->name);
	jw_str(w, "Status", state); /* retired, but still there */
	jw_str(w, "State", state);
	jw_str(w, "JoinedMethod", sim_is_management(a) ? STR("INVITED") : STR("CREATED"));
	jw_key(w, "JoinedTimestamp"); /* seconds with a fraction, as JSON services write times */
	buf_fmt(w->out, "%" PRId64 ".%03" PRIu32, a->joined_s, a->number % 1000);
	jw_close(w, '}');
}

static void list_accounts(struct sim_call *c)
{
	const struct sim_org *o = c->sim->org;
	struct sim_page page;

	if (!may_ask(c) || !sim_select(c, o->n_accounts, sim_has_all, NULL, &page))
		return;
	jw_open(&c->json, "Accounts", '[');
	for (size_t i = 0; i < page.n; i++)
		put_account(c, NULL, &o->accounts[page.items[i]]);
	jw_close(&c->json, ']');
	sim_page_end(c, &page);
}

static void describe_account(struct sim_call *c)
{
	struct str id = sim_param(c, "AccountId");

	if (!may_ask(c))
		return;
	const struct sim_account *a = sim_org_account(c->sim->org, id);
	if (a == NULL)
		sim_fail(c, 400, "AccountNotFoundException", "You specified an account that doesn't exist.");
	else
		put_account(c, "Account", a);
}

static void describe_organization(struct sim_call *c)
{
	const struct sim_org *o = c->sim->org;
	const struct sim_account *management = &o->accounts[0];
	struct json_writer *w = &c->json;

	if (!in_use(c))
		return;
	jw_open(w, "Organization", '{');
	jw_str(w, "Id", o->id);
	jw_str(w, "Arn", o->arn);
	jw_str(w, "FeatureSet", STR("ALL"));
	jw_str(w, "MasterAccountArn", management->arn);
	jw_str(w, "MasterAccountId", management->id);
	jw_str(w, "MasterAccountEmail", management->email);
	jw_open(w, "AvailablePolicyTypes", '[');
	jw_close(w, ']');
	jw_close(w, '}');
}

static const struct sim_op ops[] = {
	{.name = "ListAccounts", .fn = list_accounts},
	{.name = "DescribeAccount", .fn = describe_account, .required = {"AccountId"}},
	{.name = "DescribeOrganization", .fn = describe_organization},
};

static const struct sim_codes codes = {
	.invalid = "InvalidInputException",
	.unreadable = "SerializationException",
	.throttled = "TooManyRequestsException",
	.failed = "ServiceException",
};

static const struct sim_paging paging = {
	.token = "NextToken",
	.size = "MaxResults",
	.size_default = 20,
	.size_max = 20,
	.bad_token_code = "InvalidInputException",
	.bad_token = "You specified an invalid value for NextToken.",
};

const struct sim_service sim_organizations = {
	.name = "organizations",
	.protocol = &sim_json,
	.target = "AWSOrganizationsV20161128",
	.region = "us-east-1", /* one global service, signed for one region */
	.codes = &codes,
	.paging = &paging,
	.ops = ops,
	.n_ops = ARRAY_LEN(ops),
	.count_repeats = true,
};
