/* permission_set_assignment: "bindings", a permission set as it is provisioned to an account (spec/identity-center.md 7). Listed under the
 * account. Its grants are who holds it there, then the policies that come with it:
 *
 *	""            users and groups; resumes behind an assignment's key
 *	"managed"     AWS-managed policies; behind the ARN
 *	"customer"    policies of the account itself; behind path and name
 *
 * The engine builds "<permission set>-<account>" and "...:assigned" by itself, so neither form may change. */
#include "syncers/assignment.h"
#include "syncers/kinds.h"
#include "syncers/page.h"
#include "syncers/page_token.h"

#include "proto/pb_build.h"

static const struct str kind = STR_INIT("permission_set_assignment");

static V2(Resource) * binding_resource(struct arena *arena, const struct ic_permission_set *set,
			      const V2(ResourceId) * account)
{
	V2(Resource) *r = resource_named(arena, "permission_set_assignment",
		str_fmt(arena, STR_FMT "-%s", STR_ARG(set->arn), account->resource),
		str_fmt(arena, STR_FMT " on %s", STR_ARG(set->name), account->resource));
	V2(ScopeBindingTrait) *trait = pb_new(arena, V2_DESC(scope_binding_trait));

	resource_set_parent(arena, r, account);
	trait->role_id = resource_id(arena, "permission_set", set->arn);
	trait->scope_resource_id = resource_id(arena, "account", str_c(account->resource));
	PB_ANNOTATE(arena, r, trait);
	return r;
}

static enum err_code list_of_account(const struct syncer_call *call, const V2(ResourceId) * parent,
	struct page_token *token, struct syncer_page *ret_page, struct err *reterr)
{
	CLEANUP(ic_unrefp) struct ic_rows *provisioned = NULL;
	CLEANUP(ic_unrefp) struct ic_rows *sets = NULL;
	const struct ic_provisioned *all;
	struct str account;
	struct page page;
	size_t n;

	if (assignment_account(parent, &account, reterr) != ERR_OK ||
		inventory_ic_permission_sets(call->inventory, call->ctx, call->sync_id, &sets, reterr) !=
			ERR_OK ||
		inventory_ic_provisioned(
			call->inventory, call->ctx, call->sync_id, account, &provisioned, reterr) != ERR_OK)
		return reterr->code;
	all = ic_all(provisioned, &n);
	page_init(&page, call);
	for (size_t i = ic_after(provisioned, token->last); i < n; i++) {
		const struct ic_permission_set *set = assignment_set(call, sets, all[i].permission_set_arn);

		if (set == NULL)
			continue;
		if (page_full(&page))
			return page_end(&page, kind, STR_EMPTY, token->last, ret_page);
		page_add(&page, &binding_resource(call->arena, set, parent)->base);
		token->last = set->arn;
	}
	return page_last(&page, ret_page);
}

static enum err_code list(const struct syncer_call *call, const V2(ResourceId) * parent,
	struct syncer_page *ret_page, struct err *reterr)
{
	struct page_token token;

	if (page_token_decode(call->arena, kind, call->page_token, &token, reterr) != ERR_OK)
		return reterr->code;
	if (parent == NULL || !str_eq_c(STR("account"), parent->resource_type))
		return page_of_none(ret_page); /* the engine asks every type without a parent, too */
	return list_of_account(call, parent, &token, ret_page, reterr);
}

static V2(Entitlement) * assigned(struct arena *arena, const V2(Resource) * binding)
{
	static const char *const grantable_to[] = {"sso_user", "sso_group", NULL};
	const struct entitlement_spec spec = {
		.slug = "assigned",
		.display_name = STR("assigned"),
		.description = STR_EMPTY,
		.grantable_to = grantable_to,
		.v1_id = STR_EMPTY,
	};

	return entitlement_new(arena, binding, &spec);
}

static enum err_code entitlements(const struct syncer_call *call, const V2(Resource) * resource,
	struct syncer_page *ret_page, struct err *reterr)
{
	(void)reterr;
	return page_of_one(call, &assigned(call->arena, resource)->base, ret_page);
}

/* What binds what, as the binding itself says it: its id is for engines. */
struct binding {
	const V2(Resource) * resource;
	struct str permission_set, account;
};

static enum err_code read_binding(const struct syncer_call *call, const V2(Resource) * resource,
	struct binding *ret_binding, struct err *reterr)
{
	const V2(ScopeBindingTrait) * trait;
	ProtobufCMessage *found = NULL;

	if (pb_get_annotation(call->arena, resource->annotations, resource->n_annotations,
		    V2_DESC(scope_binding_trait), &found, reterr) != ERR_OK)
		return err_set(
			reterr, ERR_INVALID, "baton-aws: failed to read scope binding trait: it is damaged");
	if (found == NULL)
		return err_set(reterr, ERR_INVALID,
			"baton-aws: failed to read scope binding trait: scope binding trait was not found on "
			"resource");
	trait = (V2(ScopeBindingTrait) *)found;
	if (trait->role_id == NULL || trait->role_id->resource[0] == '\0' || trait->scope_resource_id == NULL)
		return err_set(reterr, ERR_INVALID,
			"baton-aws: failed to read scope binding trait: it names nothing");
	ret_binding->resource = resource;
	ret_binding->permission_set = str_c(trait->role_id->resource);
	return assignment_account(trait->scope_resource_id, &ret_binding->account, reterr);
}

/* A page of grants in the making: where it is, and whether it is full. */
struct progress {
	struct page page;
	struct page_token at;
	bool full;
};

static enum err_code add_holders(
	const struct syncer_call *call, const struct binding *b, struct progress *p, struct err *reterr)
{
	CLEANUP(ic_unrefp) struct ic_rows *rows = NULL;
	const V2(Entitlement) *entitlement = assigned(call->arena, b->resource);
	const struct ic_assignment *all;
	struct sso_arn arns;
	struct str from;
	size_t n;

	if (sso_arn_of(call, &arns, reterr) != ERR_OK ||
		inventory_ic_assignments(
			call->inventory, call->ctx, call->sync_id, b->account, &rows, reterr) != ERR_OK)
		return reterr->code;
	all = ic_all(rows, &n);
	from = p->at.last.n > 0 ? p->at.last : str_fmt(call->arena, STR_FMT "|", STR_ARG(b->permission_set));
	for (size_t i = ic_after(rows, from); i < n && str_eq(all[i].permission_set_arn, b->permission_set);
		i++) {
		if (!assignment_is_known(&all[i]))
			continue;
		p->full = page_full(&p->page);
		if (p->full)
			break;
		page_add(&p->page, &assignment_grant(call->arena, entitlement, &all[i], &arns)->base);
		p->at.last = str_dup(call->arena, all[i].key);
	}
	return ERR_OK;
}

/* Whoever the permission set is assigned to on the account has its policies there. */
static V2(Grant) * policy_grant(struct arena *arena, const struct binding *b, struct str arn, struct str name)
{
	const V2(ResourceId) *id = b->resource->id;
	const struct str binding = str_c(id->resource);
	V2(Grant) *g = grant_new(arena, resource_named(arena, "iam_policy", arn, name), "attached",
		id->resource_type, binding);

	grant_expand(arena, g, entitlement_id(arena, id->resource_type, binding, "assigned"),
		/* shallow= */ false);
	return g;
}

/* What the reference to a policy means in this account. */
static struct str customer_arn(
	struct arena *arena, struct str partition, struct str account, const struct ic_policy *policy)
{
	const struct str path = policy->path.n > 0 ? policy->path : STR("/");

	return str_fmt(arena, "arn:" STR_FMT ":iam::" STR_FMT ":policy" STR_FMT STR_FMT, STR_ARG(partition),
		STR_ARG(account), STR_ARG(path), STR_ARG(policy->name));
}

/* The account's policies when partition is given, else AWS's. */
static void add_policies(const struct syncer_call *call, const struct binding *b, const struct ic_rows *rows,
	struct str partition, struct progress *p)
{
	size_t n;
	const struct ic_policy *all = ic_all(rows, &n);

	for (size_t i = ic_after(rows, p->at.last); i < n; i++) {
		const struct str arn = partition.n > 0
					       ? customer_arn(call->arena, partition, b->account, &all[i])
					       : all[i].key;

		p->full = page_full(&p->page);
		if (p->full)
			return;
		page_add(&p->page, &policy_grant(call->arena, b, arn, all[i].name)->base);
		p->at.last = str_dup(call->arena, all[i].key);
	}
}

static enum err_code add_managed(
	const struct syncer_call *call, const struct binding *b, struct progress *p, struct err *reterr)
{
	CLEANUP(ic_unrefp) struct ic_rows *rows = NULL;

	if (inventory_ic_managed_policies(
		    call->inventory, call->ctx, call->sync_id, b->permission_set, &rows, reterr) != ERR_OK)
		return reterr->code;
	add_policies(call, b, rows, STR_EMPTY, p);
	return ERR_OK;
}

static enum err_code add_customer(
	const struct syncer_call *call, const struct binding *b, struct progress *p, struct err *reterr)
{
	CLEANUP(ic_unrefp) struct ic_rows *rows = NULL;
	struct ic_instance instance;

	if (inventory_ic_instance(
		    call->inventory, call->ctx, call->sync_id, call->arena, &instance, reterr) != ERR_OK ||
		inventory_ic_customer_policies(call->inventory, call->ctx, call->sync_id, b->permission_set,
			&rows, reterr) != ERR_OK)
		return reterr->code;
	add_policies(call, b, rows, instance.partition, p);
	return ERR_OK;
}

/* The parts of a binding's grants, in order. */
static const struct part {
	struct str phase; /* of page tokens */
	bool of_policies;
	enum err_code (*add)(const struct syncer_call *call, const struct binding *b, struct progress *p,
		struct err *reterr);
} parts[] = {
	{STR_INIT(""), false, add_holders},
	{STR_INIT("managed"), true, add_managed},
	{STR_INIT("customer"), true, add_customer},
};

static enum err_code find_part(struct str phase, size_t *ret_part, struct err *reterr)
{
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (str_eq(parts[i].phase, phase)) {
			*ret_part = i;
			return ERR_OK;
		}
	}
	return err_set(reterr, ERR_INVALID, "baton-aws: page token corrupt: no such part of a listing");
}

/* Rows 25 and 26: policies are granted only when they are synced. */
static enum err_code grants(const struct syncer_call *call, const V2(Resource) * resource,
	struct syncer_page *ret_page, struct err *reterr)
{
	const bool policies = syncer_config_wants(call->config, "iam_policy");
	struct progress p = {.full = false};
	struct binding b;
	size_t i = 0;

	if (page_token_decode(call->arena, kind, call->page_token, &p.at, reterr) != ERR_OK ||
		find_part(p.at.phase, &i, reterr) != ERR_OK ||
		read_binding(call, resource, &b, reterr) != ERR_OK)
		return reterr->code;
	page_init(&p.page, call);
	for (; i < ARRAY_LEN(parts); i++, p.at.last = STR_EMPTY) {
		if (parts[i].of_policies && !policies)
			continue;
		if (parts[i].add(call, &b, &p, reterr) != ERR_OK)
			return reterr->code;
		if (p.full)
			return page_end(&p.page, kind, parts[i].phase, p.at.last, ret_page);
	}
	return page_last(&p.page, ret_page);
}

const struct syncer syncer_permission_set_assignment = {
	.type_id = "permission_set_assignment",
	.list = list,
	.entitlements = entitlements,
	.grants = grants,
	.capabilities = capability_sync,
	.n_capabilities = ARRAY_LEN(capability_sync),
};
