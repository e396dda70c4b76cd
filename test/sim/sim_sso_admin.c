/* SSO Admin (IAM Identity Center), API version 2020-07-20: the operations that read. The management account may ask all of
 * them, a delegated administrator all but ListAccountAssignmentsForPrincipal, other accounts none.
 * https://docs.aws.amazon.com/singlesignon/latest/APIReference/ */
#include "sim/sim_call.h"
#include "sim/sim_center.h"

static void fail_pattern(struct sim_call *c, const char *name, struct str value)
{
	sim_fail(c, 400, c->service->codes->invalid,
		"1 validation error detected: Value '" STR_FMT
		"' at '%c%s' failed to satisfy constraint: Member must satisfy regular expression pattern",
		STR_ARG(value), name[0] | 0x20, name + 1);
}

static bool may_ask(struct sim_call *c)
{
	if (!sim_is_administrator(c))
		sim_fail(c, 400, "AccessDeniedException",
			"User: " STR_FMT " is not authorized to perform: sso:" STR_FMT,
			STR_ARG(c->caller.arn), STR_ARG(c->op_name));
	return !sim_failed(c);
}

/* --- parameters: NULL when the call has failed --- */
static const struct sim_center *center_of(struct sim_call *c)
{
	struct str arn = sim_param(c, "InstanceArn");

	if (!may_ask(c))
		return NULL;
	if (!str_starts(arn, STR("arn:aws:sso:::instance/"))) {
		fail_pattern(c, "InstanceArn", arn);
		return NULL;
	}
	const struct sim_instance *i = sim_center_instance(c->sim->center, arn);
	if (i == NULL || !sim_is_sso_region(c))
		sim_fail(c, 400, "ResourceNotFoundException", "Instance not found: " STR_FMT, STR_ARG(arn));
	else if (!i->has_sets)
		sim_fail(c, 400, c->service->codes->invalid,
			"The operation is not supported for this Identity Center instance.");
	return sim_failed(c) ? NULL : c->sim->center;
}

static const struct sim_permission_set *set_of(struct sim_call *c)
{
	struct str arn = sim_param(c, "PermissionSetArn");
	const struct sim_permission_set *s;

	if (center_of(c) == NULL)
		return NULL;
	if (!str_starts(arn, STR("arn:aws:sso:::permissionSet/")))
		fail_pattern(c, "PermissionSetArn", arn);
	else if ((s = sim_center_set(c->sim->center, arn)) != NULL)
		return s;
	else
		sim_fail(c, 400, "ResourceNotFoundException", "Could not find PermissionSet with id " STR_FMT,
			STR_ARG(arn));
	return NULL;
}

static const struct sim_account *account_of(struct sim_call *c, const char *param)
{
	struct str id = sim_param(c, param);
	const struct sim_account *a = sim_org_account(c->sim->org, id);
	uint64_t number;

	if (id.n != 12 || !str_to_u64(id, &number))
		fail_pattern(c, param, id);
	else if (a == NULL)
		sim_fail(c, 400, "ResourceNotFoundException", "Account not found: " STR_FMT, STR_ARG(id));
	return a;
}

/* Which of provisioned pairs are asked for. */
enum latest { LATEST_ANY, LATEST_YES, LATEST_NO };

static bool latest_of(struct sim_call *c, enum latest *ret)
{
	struct str status = sim_param(c, "ProvisioningStatus");

	*ret = LATEST_ANY;
	if (str_eq_c(status, "LATEST_PERMISSION_SET_PROVISIONED"))
		*ret = LATEST_YES;
	else if (str_eq_c(status, "LATEST_PERMISSION_SET_NOT_PROVISIONED"))
		*ret = LATEST_NO;
	else if (status.n > 0)
		fail_pattern(c, "ProvisioningStatus", status);
	return !sim_failed(c);
}

/* --- instances and permission sets --- */
static void list_instances(struct sim_call *c)
{
	const struct sim_center *center = c->sim->center;
	struct json_writer *w = &c->json;
	struct sim_page page;

	if (!may_ask(c) ||
		!sim_select(c, sim_is_sso_region(c) ? center->n_instances : 0, sim_has_all, NULL, &page))
		return;
	jw_open(w, "Instances", '[');
	for (size_t k = 0; k < page.n; k++) {
		const struct sim_instance *i = &center->instances[page.items[k]];
		jw_open(w, NULL, '{');
		jw_str(w, "InstanceArn", i->arn);
		jw_str(w, "IdentityStoreId", i->store_id);
		jw_str(w, "OwnerAccountId", i->owner);
		jw_str_unless_empty(w, "Name", i->name);
		jw_epoch(w, "CreatedDate", i->created_s, 0);
		jw_str(w, "Status", i->status);
		jw_close(w, '}');
	}
	jw_close(w, ']');
	sim_page_end(c, &page);
}

static bool set_exists(struct sim_call *c, const void *of, size_t i)
{
	(void)of;
	return c->sim->center->sets[i].exists;
}

static void put_set_arns(struct sim_call *c, const struct sim_page *page)
{
	jw_open(&c->json, "PermissionSets", '[');
	for (size_t k = 0; k < page->n; k++)
		jw_str(&c->json, NULL, c->sim->center->sets[page->items[k]].arn);
	jw_close(&c->json, ']');
	sim_page_end(c, page);
}

static void list_permission_sets(struct sim_call *c)
{
	const struct sim_center *center = center_of(c);
	struct sim_page page;

	if (center != NULL && sim_select(c, center->n_slots, set_exists, NULL, &page))
		put_set_arns(c, &page);
}

static void describe_permission_set(struct sim_call *c)
{
	const struct sim_permission_set *s = set_of(c);
	struct json_writer *w = &c->json;

	if (s == NULL)
		return;
	jw_open(w, "PermissionSet", '{');
	jw_str(w, "Name", s->name);
	jw_str(w, "PermissionSetArn", s->arn);
	jw_str_unless_empty(w, "Description", s->description);
	jw_epoch(w, "CreatedDate", s->created_s, s->slot % 1000);
	jw_str_unless_empty(w, "SessionDuration", s->duration);
	jw_str_unless_empty(w, "RelayState", s->relay_state);
	jw_close(w, '}');
}

/* --- policies of a permission set --- */
static void list_managed_policies(struct sim_call *c)
{
	const struct sim_permission_set *s = set_of(c);
	struct json_writer *w = &c->json;
	struct sim_page page;

	if (s == NULL || !sim_select(c, s->n_managed, sim_has_all, NULL, &page))
		return;
	jw_open(w, "AttachedManagedPolicies", '[');
	for (size_t k = 0; k < page.n; k++) {
		const struct sim_policy *p = sim_center_managed(c->sim->center, s, (uint32_t)page.items[k]);
		jw_open(w, NULL, '{');
		jw_str(w, "Name", p->name);
		jw_str(w, "Arn", p->arn);
		jw_close(w, '}');
	}
	jw_close(w, ']');
	sim_page_end(c, &page);
}

static void list_customer_policies(struct sim_call *c)
{
	const struct sim_permission_set *s = set_of(c);
	struct json_writer *w = &c->json;
	struct sim_page page;

	if (s == NULL || !sim_select(c, s->n_customer, sim_has_all, NULL, &page))
		return;
	jw_open(w, "CustomerManagedPolicyReferences", '[');
	for (size_t k = 0; k < page.n; k++) {
		struct sim_policy_reference p =
			sim_center_customer(c->sim->center, s, (uint32_t)page.items[k]);
		jw_open(w, NULL, '{');
		jw_str(w, "Name", p.name);
		jw_str_unless_empty(w, "Path", p.path);
		jw_close(w, '}');
	}
	jw_close(w, ']');
	sim_page_end(c, &page);
}

static void get_inline_policy(struct sim_call *c)
{
	const struct sim_permission_set *s = set_of(c);

	if (s != NULL) /* without one AWS answers an empty text */
		jw_str(&c->json, "InlinePolicy", sim_center_inline(c->sim->center, s, c->arena));
}

/* --- the matrix --- */
struct matrix_query {
	uint32_t fixed; /* the account, or the slot */
	enum latest latest;
};

static bool is_provisioned(
	const struct sim_center *center, uint32_t account, uint32_t slot, enum latest latest)
{
	if (!sim_center_provisioned(center, account, slot))
		return false;
	return latest == LATEST_ANY || sim_center_up_to_date(center, account, slot) == (latest == LATEST_YES);
}

static bool account_has_set(struct sim_call *c, const void *of, size_t slot)
{
	const struct matrix_query *q = of;

	return is_provisioned(c->sim->center, q->fixed, (uint32_t)slot, q->latest);
}

static bool set_has_account(struct sim_call *c, const void *of, size_t account)
{
	const struct matrix_query *q = of;

	return is_provisioned(c->sim->center, (uint32_t)account, q->fixed, q->latest);
}

static void list_sets_of_account(struct sim_call *c)
{
	const struct sim_center *center = center_of(c);
	const struct sim_account *a = center != NULL ? account_of(c, "AccountId") : NULL;
	struct matrix_query q;
	struct sim_page page;

	if (a == NULL || !latest_of(c, &q.latest))
		return;
	q.fixed = a->number;
	if (sim_select(c, center->n_slots, account_has_set, &q, &page))
		put_set_arns(c, &page);
}

static void list_accounts_of_set(struct sim_call *c)
{
	const struct sim_permission_set *s = set_of(c);
	const struct sim_org *o = c->sim->org;
	struct matrix_query q;
	struct sim_page page;

	if (s == NULL || !latest_of(c, &q.latest))
		return;
	q.fixed = s->slot;
	if (!sim_select(c, o->n_accounts, set_has_account, &q, &page))
		return;
	jw_open(&c->json, "AccountIds", '[');
	for (size_t k = 0; k < page.n; k++)
		jw_str(&c->json, NULL, o->accounts[page.items[k]].id);
	jw_close(&c->json, ']');
	sim_page_end(c, &page);
}

/* --- assignments --- */
static void put_assignment(struct sim_call *c, struct sim_assignment a)
{
	const struct sim_center *center = c->sim->center;
	struct json_writer *w = &c->json;

	jw_open(w, NULL, '{');
	jw_str(w, "AccountId", c->sim->org->accounts[a.account].id);
	jw_str(w, "PermissionSetArn", center->sets[a.slot].arn);
	jw_str(w, "PrincipalType", sim_principal_type(a.principal));
	jw_str(w, "PrincipalId", sim_principal_id(center, a.principal, c->arena));
	jw_close(w, '}');
}

static bool row_exists(struct sim_call *c, const void *of, size_t r)
{
	const struct sim_assignment *pair = of;
	struct sim_principal ignored;

	return sim_center_row(c->sim->center, pair->account, pair->slot, r, &ignored);
}

static void list_assignments(struct sim_call *c)
{
	const struct sim_permission_set *s = set_of(c);
	const struct sim_account *a = s != NULL ? account_of(c, "AccountId") : NULL;
	const struct sim_center *center = c->sim->center;
	struct sim_page page;

	if (a == NULL)
		return;
	struct sim_assignment row = {.account = a->number, .slot = s->slot};
	size_t n = sim_center_provisioned(center, row.account, row.slot)
			   ? sim_center_rows(center, row.account, row.slot)
			   : 0;
	if (!sim_select(c, n, row_exists, &row, &page))
		return;
	jw_open(&c->json, "AccountAssignments", '[');
	for (size_t k = 0; k < page.n; k++) {
		if (sim_center_row(center, row.account, row.slot, page.items[k], &row.principal))
			put_assignment(c, row);
	}
	jw_close(&c->json, ']');
	sim_page_end(c, &page);
}

/* What a principal has: for a user also what its groups have, each row with its own principal. Candidate i is pair
 * i / ways, held by the principal itself (i % ways = 0) or through group i % ways - 1. */
struct holder {
	struct sim_principal principal;
	size_t ways;
	const struct sim_account *account; /* NULL: any */
};

static bool holder_row(
	const struct sim_center *center, const struct holder *h, size_t i, struct sim_assignment *ret)
{
	size_t way = i % h->ways, group = 0;

	ret->principal = h->principal;
	if (way > 0) {
		if (!sim_people_membership(center->people, h->principal.index, way - 1, &group))
			return false;
		ret->principal = (struct sim_principal){SIM_SSO_GROUP, (uint32_t)group};
	}
	return sim_center_pair(center, i / h->ways, &ret->account, &ret->slot) &&
	       (h->account == NULL || h->account->number == ret->account) &&
	       sim_center_assigned(center, ret->account, ret->slot, ret->principal);
}

static bool holder_has(struct sim_call *c, const void *of, size_t i)
{
	struct sim_assignment ignored;

	return holder_row(c->sim->center, of, i, &ignored);
}

static bool holder_of(struct sim_call *c, struct holder *ret)
{
	const struct sim_center *center = c->sim->center;
	struct str type = sim_param(c, "PrincipalType"), id = sim_param(c, "PrincipalId");

	if (!str_eq_c(type, "USER") && !str_eq_c(type, "GROUP"))
		fail_pattern(c, "PrincipalType", type);
	else if (!sim_principal_find(center, type, id, &ret->principal) ||
		 sim_people_is_gone(center->people, ret->principal.kind, ret->principal.index))
		sim_fail(c, 400, "ResourceNotFoundException", STR_FMT " not found: " STR_FMT, STR_ARG(type),
			STR_ARG(id));
	else if (sim_param(c, "Filter.AccountId").n > 0)
		ret->account = account_of(c, "Filter.AccountId");
	ret->ways = ret->principal.kind == SIM_SSO_USER ? center->people->per_user + 1 : 1;
	return !sim_failed(c);
}

static void list_assignments_of_principal(struct sim_call *c)
{
	const struct sim_center *center = center_of(c);
	struct holder holder = {.account = NULL};
	struct sim_page page;

	if (center != NULL && !sim_is_management(c->caller.account))
		sim_fail(c, 400, "AccessDeniedException",
			"This operation must be called from the management account of the organization.");
	if (sim_failed(c) || !holder_of(c, &holder) ||
		!sim_select(c, sim_center_pairs(center) * holder.ways, holder_has, &holder, &page))
		return;
	jw_open(&c->json, "AccountAssignments", '[');
	for (size_t k = 0; k < page.n; k++) {
		struct sim_assignment row;
		if (holder_row(center, &holder, page.items[k], &row))
			put_assignment(c, row);
	}
	jw_close(&c->json, ']');
	sim_page_end(c, &page);
}

#define SET "InstanceArn", "PermissionSetArn"

static const struct sim_op ops[] = {
	{.name = "ListInstances", .fn = list_instances},
	{.name = "ListPermissionSets", .fn = list_permission_sets, .required = {"InstanceArn"}},
	{.name = "DescribePermissionSet", .fn = describe_permission_set, .required = {SET}},
	{.name = "ListManagedPoliciesInPermissionSet", .fn = list_managed_policies, .required = {SET}},
	{.name = "ListCustomerManagedPolicyReferencesInPermissionSet",
		.fn = list_customer_policies,
		.required = {SET}},
	{.name = "GetInlinePolicyForPermissionSet", .fn = get_inline_policy, .required = {SET}},
	{.name = "ListPermissionSetsProvisionedToAccount",
		.fn = list_sets_of_account,
		.required = {"InstanceArn", "AccountId"}},
	{.name = "ListAccountsForProvisionedPermissionSet", .fn = list_accounts_of_set, .required = {SET}},
	{.name = "ListAccountAssignments", .fn = list_assignments, .required = {SET, "AccountId"}},
	{.name = "ListAccountAssignmentsForPrincipal",
		.fn = list_assignments_of_principal,
		.required = {"InstanceArn", "PrincipalId", "PrincipalType"}},
};

static const struct sim_codes codes = {
	.invalid = "ValidationException",
	.unreadable = "SerializationException",
	.throttled = "ThrottlingException",
	.failed = "InternalServerException",
};

static const struct sim_paging paging = {
	.token = "NextToken",
	.size = "MaxResults",
	.size_default = 100,
	.size_max = 100,
	.bad_token_code = "ValidationException",
	.bad_token = "Invalid NextToken",
};

const struct sim_service sim_sso_admin = {
	.name = "sso",
	.protocol = &sim_json,
	.target = "SWBExternalService",
	.codes = &codes,
	.paging = &paging,
	.ops = ops,
	.n_ops = ARRAY_LEN(ops),
	.count_repeats = true,
};
