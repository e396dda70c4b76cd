/* Organizations, API version 2016-11-28: the operations that read accounts and the tree they are in. The management account
 * and a delegated administrator may ask all of them, the others DescribeOrganization only.
 * https://docs.aws.amazon.com/organizations/latest/APIReference/ */
#include "sim/sim_call.h"
#include "sim/sim_tree.h"

static bool in_use(struct sim_call *c)
{
	if (c->sim->opts->no_organization)
		sim_fail(c, 400, "AWSOrganizationsNotInUseException",
			"Your account is not a member of an organization.");
	return !sim_failed(c);
}

static bool may_ask(struct sim_call *c)
{
	if (in_use(c) && !sim_is_administrator(c))
		sim_fail(c, 400, "AccessDeniedException",
			"You don't have permissions to access this resource.");
	return !sim_failed(c);
}

/* Where it is in the tree; a member of late. */
static void put_paths(struct sim_call *c, const struct sim_account *a)
{
	struct str path = sim_tree_path(c->sim->org, a->ou, c->arena), ends = c->sim->opts->account_paths;

	if (str_eq_c(ends, "none"))
		return;
	if (str_eq_c(ends, "account"))
		path = str_fmt(c->arena, STR_FMT STR_FMT "/", STR_ARG(path), STR_ARG(a->id));
	jw_open(&c->json, "Paths", '[');
	jw_str(&c->json, NULL, path);
	jw_close(&c->json, ']');
}

static void put_account(struct sim_call *c, const char *name, const struct sim_account *a)
{
	struct json_writer *w = &c->json;
	struct str state = str_c(sim_account_state_names[a->state]);
	struct str told = c->sim->opts->account_state;

	jw_open(w, name, '{');
	jw_str(w, "Id", a->id);
	jw_str(w, "Arn", a->arn);
	jw_str(w, "Email", a->email);
	jw_str(w, "Name", a->name);
	if (!str_eq_c(told, "state"))
		jw_str(w, "Status", state); /* retired, but still there */
	if (!str_eq_c(told, "status"))
		jw_str(w, "State", state);
	put_paths(c, a);
	jw_str(w, "JoinedMethod", sim_is_management(a) ? STR("INVITED") : STR("CREATED"));
	jw_epoch(w, "JoinedTimestamp", a->joined_s, a->number % 1000);
	jw_close(w, '}');
}

static void put_accounts(struct sim_call *c, const struct sim_page *page)
{
	jw_open(&c->json, "Accounts", '[');
	for (size_t i = 0; i < page->n; i++)
		put_account(c, NULL, &c->sim->org->accounts[page->items[i]]);
	jw_close(&c->json, ']');
	sim_page_end(c, page);
}

static void list_accounts(struct sim_call *c)
{
	struct sim_page page;

	if (may_ask(c) && sim_select(c, c->sim->org->n_accounts, sim_has_all, NULL, &page))
		put_accounts(c, &page);
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

/* --- the tree --- */
static void fail_input(struct sim_call *c, const char *what)
{
	sim_fail(c, 400, c->service->codes->invalid, "You specified an invalid value for %s.", what);
}

/* The parameter ParentId. False: the call has failed. */
static bool parent_of_call(struct sim_call *c, uint32_t *ret_ou)
{
	struct str id = sim_param(c, "ParentId");

	if (!may_ask(c))
		return false;
	if (!str_starts(id, STR("r-")) && !str_starts(id, STR("ou-")))
		fail_input(c, "ParentId");
	else if (!sim_tree_find(c->sim->org, id, ret_ou))
		sim_fail(c, 400, "ParentNotFoundException", "You specified a parent that doesn't exist.");
	return !sim_failed(c);
}

static bool account_is_in(struct sim_call *c, const void *of, size_t i)
{
	return c->sim->org->accounts[i].ou == *(const uint32_t *)of;
}

static bool ou_is_in(struct sim_call *c, const void *of, size_t i)
{
	return c->sim->org->ous[i].parent == *(const uint32_t *)of;
}

static void list_roots(struct sim_call *c)
{
	const struct sim_org *o = c->sim->org;
	struct json_writer *w = &c->json;
	struct sim_page page;

	if (!may_ask(c) || !sim_select(c, 1, sim_has_all, NULL, &page))
		return;
	jw_open(w, "Roots", '[');
	for (size_t i = 0; i < page.n; i++) {
		jw_open(w, NULL, '{');
		jw_str(w, "Id", o->root_id);
		jw_str(w, "Arn", o->root_arn);
		jw_str(w, "Name", STR("Root"));
		jw_open(w, "PolicyTypes", '[');
		jw_close(w, ']');
		jw_close(w, '}');
	}
	jw_close(w, ']');
	sim_page_end(c, &page);
}

static void put_ou(struct sim_call *c, const char *name, uint32_t ou)
{
	const struct sim_org *o = c->sim->org;
	struct json_writer *w = &c->json;

	jw_open(w, name, '{');
	jw_str(w, "Id", o->ous[ou].id);
	jw_str(w, "Arn", o->ous[ou].arn);
	jw_str(w, "Name", o->ous[ou].name);
	if (!str_eq_c(c->sim->opts->account_paths, "none"))
		jw_str(w, "Path", sim_tree_path(o, ou, c->arena));
	jw_close(w, '}');
}

static void list_ous(struct sim_call *c)
{
	struct sim_page page;
	uint32_t parent;

	if (!parent_of_call(c, &parent) || !sim_select(c, c->sim->org->n_ous, ou_is_in, &parent, &page))
		return;
	jw_open(&c->json, "OrganizationalUnits", '[');
	for (size_t i = 0; i < page.n; i++)
		put_ou(c, NULL, (uint32_t)page.items[i]);
	jw_close(&c->json, ']');
	sim_page_end(c, &page);
}

static void describe_ou(struct sim_call *c)
{
	struct str id = sim_param(c, "OrganizationalUnitId");
	uint32_t ou = SIM_NONE;

	if (!may_ask(c))
		return;
	if (!sim_tree_find(c->sim->org, id, &ou) || ou == SIM_NONE)
		sim_fail(c, 400, "OrganizationalUnitNotFoundException",
			"You specified an organizational unit that doesn't exist.");
	else
		put_ou(c, "OrganizationalUnit", ou);
}

static void list_accounts_for_parent(struct sim_call *c)
{
	struct sim_page page;
	uint32_t parent;

	if (parent_of_call(c, &parent) &&
		sim_select(c, c->sim->org->n_accounts, account_is_in, &parent, &page))
		put_accounts(c, &page);
}

static void put_id_and_type(struct sim_call *c, struct str id, struct str type)
{
	jw_open(&c->json, NULL, '{');
	jw_str(&c->json, "Id", id);
	jw_str(&c->json, "Type", type);
	jw_close(&c->json, '}');
}

static void list_children(struct sim_call *c)
{
	const struct sim_org *o = c->sim->org;
	struct str type = sim_param(c, "ChildType");
	bool accounts = str_eq_c(type, "ACCOUNT");
	struct sim_page page;
	uint32_t parent;

	if (!parent_of_call(c, &parent))
		return;
	if (!accounts && !str_eq_c(type, "ORGANIZATIONAL_UNIT")) {
		fail_input(c, "ChildType");
		return;
	}
	if (!sim_select(c, accounts ? o->n_accounts : o->n_ous, accounts ? account_is_in : ou_is_in, &parent,
		    &page))
		return;
	jw_open(&c->json, "Children", '[');
	for (size_t i = 0; i < page.n; i++)
		put_id_and_type(c, accounts ? o->accounts[page.items[i]].id : o->ous[page.items[i]].id, type);
	jw_close(&c->json, ']');
	sim_page_end(c, &page);
}

/* The parent of an account or a unit. False: the call has failed. */
static bool find_parent(struct sim_call *c, struct str child, uint32_t *ret_parent)
{
	struct sim_org *o = c->sim->org;
	const struct sim_account *a = sim_org_account(o, child);
	uint32_t ou;

	if (a != NULL)
		*ret_parent = a->ou;
	else if (child.n != 12 && !str_starts(child, STR("ou-")))
		fail_input(c, "ChildId");
	else if (sim_tree_find(o, child, &ou))
		*ret_parent = o->ous[ou].parent;
	else
		sim_fail(c, 400, "ChildNotFoundException", "You specified a child that doesn't exist.");
	return !sim_failed(c);
}

static void list_parents(struct sim_call *c)
{
	struct sim_page page;
	uint32_t parent = SIM_NONE;

	if (!may_ask(c) || !find_parent(c, sim_param(c, "ChildId"), &parent) ||
		!sim_select(c, 1, sim_has_all, NULL, &page))
		return;
	jw_open(&c->json, "Parents", '[');
	for (size_t i = 0; i < page.n; i++)
		put_id_and_type(c, sim_tree_id(c->sim->org, parent),
			parent == SIM_NONE ? STR("ROOT") : STR("ORGANIZATIONAL_UNIT"));
	jw_close(&c->json, ']');
	sim_page_end(c, &page);
}

static const struct sim_op ops[] = {
	{.name = "ListAccounts", .fn = list_accounts},
	{.name = "ListRoots", .fn = list_roots},
	{.name = "ListOrganizationalUnitsForParent", .fn = list_ous, .required = {"ParentId"}},
	{.name = "DescribeOrganizationalUnit", .fn = describe_ou, .required = {"OrganizationalUnitId"}},
	{.name = "ListAccountsForParent", .fn = list_accounts_for_parent, .required = {"ParentId"}},
	{.name = "ListChildren", .fn = list_children, .required = {"ParentId", "ChildType"}},
	{.name = "ListParents", .fn = list_parents, .required = {"ChildId"}},
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
