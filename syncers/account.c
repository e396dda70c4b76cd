/* account: the accounts of the organization as places of permission sets (spec/identity-center.md 3). Each account has an entitlement for every
 * permission set of the instance, so that any of them can be asked for; its grants are who holds which. */
#include "inventory/inventory.h"
#include "inventory/org_accounts.h"
#include "syncers/assignment.h"
#include "syncers/kinds.h"
#include "syncers/page.h"
#include "syncers/page_token.h"

#include "proto/pb_build.h"

#define ENTITLEMENTS_OF_A_PAGE 25

static const struct str kind = STR_INIT("account");

/* Row 30: a parent is a promise that it will be listed, so never one of a type that an explicit filter leaves out. */
static void set_parent(const struct syncer_call *call, V2(Resource) * r, const struct org_parent *parent)
{
	const char *type_id;

	if (parent == NULL)
		return;
	type_id = str_starts(parent->parent_id, STR("ou-")) ? "organizational_unit" : "organization";
	if (syncer_config_wants(call->config, type_id))
		r->parent_resource_id = resource_id(call->arena, type_id, parent->parent_id);
}

static V2(Resource) * account_resource(const struct syncer_call *call, const struct org_account *account,
			      const struct org_parent *parent)
{
	struct arena *arena = call->arena;
	V2(Resource) *r = resource_named(arena, "account", account->id, account->name);
	V2(AppTrait) *trait = pb_new(arena, V2_DESC(app_trait));

	set_parent(call, r, parent);
	annotate_v1_id(arena, r, account->id);
	annotate_child_type(arena, r, "permission_set_assignment");
	PB_ANNOTATE(arena, r, trait);
	r->profile = pb_struct(arena);
	pb_struct_str(arena, r->profile, STR("aws_account_arn"), account->arn);
	pb_struct_str(arena, r->profile, STR("aws_account_id"), account->id);
	return r;
}

/* Where the accounts hang in the tree; *ret_parents stays NULL when the organization is not synced. */
static enum err_code find_parents(
	const struct syncer_call *call, struct ic_rows **ret_parents, struct err *reterr)
{
	if (!syncer_config_wants(call->config, "organization"))
		return ERR_OK;
	return inventory_org_parents(call->inventory, call->ctx, call->sync_id, ret_parents, reterr);
}

/* The assignments of the page's accounts will be asked for next. */
static void expect_assignments(const struct syncer_call *call, const struct page *page)
{
	struct str *ids = arena_array_of(call->arena, page->n, struct str);

	for (size_t i = 0; i < page->n; i++)
		ids[i] = str_c(((const V2(Resource) *)page->items[i])->id->resource);
	inventory_expect_assignments(call->inventory, call->sync_id, ids, page->n);
}

static enum err_code list(const struct syncer_call *call, const V2(ResourceId) * parent,
	struct syncer_page *ret_page, struct err *reterr)
{
	CLEANUP(org_accounts_unrefp) struct org_accounts *accounts = NULL;
	CLEANUP(ic_unrefp) struct ic_rows *parents = NULL;
	const struct org_account *all;
	struct page_token token;
	struct page page;
	size_t n, i;

	(void)parent; /* the organization's accounts are listed once, whatever they are asked under */
	if (page_token_decode(call->arena, kind, call->page_token, &token, reterr) != ERR_OK ||
		inventory_org_accounts(call->inventory, call->ctx, call->sync_id, &accounts, reterr) !=
			ERR_OK ||
		find_parents(call, &parents, reterr) != ERR_OK)
		return reterr->code;
	all = org_accounts_all(accounts, &n);
	page_init(&page, call);
	for (i = org_accounts_after(accounts, token.last); i < n && !page_full(&page); i++) {
		const struct org_parent *at = parents == NULL ? NULL : ic_find(parents, all[i].id);

		if (all[i].active)
			page_add(&page, &account_resource(call, &all[i], at)->base);
	}
	expect_assignments(call, &page);
	return i < n ? page_end(&page, kind, STR_EMPTY, all[i - 1].id, ret_page) : page_last(&page, ret_page);
}

static struct str access_id(struct arena *arena, struct str account, const struct ic_permission_set *set)
{
	return str_fmt(arena, STR_FMT "|" STR_FMT, STR_ARG(account), STR_ARG(set->arn));
}

/* What the account offers, and what its grants embed, differ in the order of grantable_to and in the slug; both are part of the contract. */
static V2(Entitlement) * access_entitlement(struct arena *arena, const V2(Resource) * account,
				 const struct ic_permission_set *set, const char *const *grantable_to,
				 const char *slug)
{
	const struct str id = access_id(arena, str_c(account->id->resource), set);
	const struct entitlement_spec spec = {
		.id = id,
		.slug = slug,
		.display_name = str_fmt(arena, STR_FMT " Permission Set", STR_ARG(set->name)),
		.description = set->description,
		.grantable_to = grantable_to,
		.v1_id = id,
	};

	return entitlement_new(arena, account, &spec);
}

static V2(Entitlement) *
	offered(struct arena *arena, const V2(Resource) * account, const struct ic_permission_set *set)
{
	static const char *const grantable_to[] = {"sso_user", "sso_group", NULL};

	return access_entitlement(
		arena, account, set, grantable_to, str_fmt(arena, STR_FMT " access", STR_ARG(set->name)).p);
}

static V2(Entitlement) *
	held(struct arena *arena, const V2(Resource) * account, const struct ic_permission_set *set)
{
	static const char *const grantable_to[] = {"sso_group", "sso_user", NULL};

	return access_entitlement(arena, account, set, grantable_to, "");
}

static enum err_code entitlements(const struct syncer_call *call, const V2(Resource) * resource,
	struct syncer_page *ret_page, struct err *reterr)
{
	CLEANUP(ic_unrefp) struct ic_rows *rows = NULL;
	const struct ic_permission_set *sets;
	struct page_token token;
	struct str account;
	struct page page;
	size_t n;

	if (page_token_decode(call->arena, kind, call->page_token, &token, reterr) != ERR_OK ||
		assignment_account(resource->id, &account, reterr) != ERR_OK ||
		inventory_ic_permission_sets(call->inventory, call->ctx, call->sync_id, &rows, reterr) !=
			ERR_OK)
		return reterr->code;
	sets = ic_all(rows, &n);
	page_init(&page, call);
	page_limit(&page, ENTITLEMENTS_OF_A_PAGE);
	for (size_t i = ic_after(rows, token.last); i < n; i++) {
		if (page_full(&page))
			return page_end(&page, kind, STR_EMPTY, token.last, ret_page);
		page_add(&page, &offered(call->arena, resource, &sets[i])->base);
		token.last = sets[i].arn;
	}
	return page_last(&page, ret_page);
}

/* One page of grants, from several permission sets: its token names the last assignment, that is permission set and principal. */
static enum err_code add_grants(struct page *page, const V2(Resource) * account, const struct ic_rows *sets,
	const struct ic_rows *assignments, const struct sso_arn *arns, struct str last,
	struct syncer_page *ret_page)
{
	struct arena *arena = page->call->arena;
	V2(Entitlement) *entitlement = NULL; /* of the assignment before; NULL: its permission set is gone */
	struct str arn = STR_EMPTY;
	size_t n;
	const struct ic_assignment *all = ic_all(assignments, &n);

	for (size_t i = ic_after(assignments, last); i < n; i++) {
		if (!str_eq(all[i].permission_set_arn, arn)) {
			const struct ic_permission_set *set =
				assignment_set(page->call, sets, all[i].permission_set_arn);

			arn = all[i].permission_set_arn;
			entitlement = set == NULL ? NULL : held(arena, account, set);
		}
		if (entitlement == NULL || !assignment_is_known(&all[i]))
			continue;
		if (page_full(page))
			return page_end(page, kind, STR_EMPTY, last, ret_page);
		page_add(page, &assignment_grant(arena, entitlement, &all[i], arns)->base);
		last = all[i].key;
	}
	return page_last(page, ret_page);
}

static enum err_code grants(const struct syncer_call *call, const V2(Resource) * resource,
	struct syncer_page *ret_page, struct err *reterr)
{
	CLEANUP(ic_unrefp) struct ic_rows *assignments = NULL;
	CLEANUP(ic_unrefp) struct ic_rows *sets = NULL;
	struct page_token token;
	struct sso_arn arns;
	struct str account;
	struct page page;

	if (page_token_decode(call->arena, kind, call->page_token, &token, reterr) != ERR_OK ||
		assignment_account(resource->id, &account, reterr) != ERR_OK ||
		sso_arn_of(call, &arns, reterr) != ERR_OK ||
		inventory_ic_permission_sets(call->inventory, call->ctx, call->sync_id, &sets, reterr) !=
			ERR_OK ||
		inventory_ic_assignments(
			call->inventory, call->ctx, call->sync_id, account, &assignments, reterr) != ERR_OK)
		return reterr->code;
	page_init(&page, call);
	return add_grants(&page, resource, sets, assignments, &arns, token.last, ret_page);
}

const struct syncer syncer_account = {
	.type_id = "account",
	.list = list,
	.entitlements = entitlements,
	.grants = grants,
	.capabilities = capability_sync,
	.n_capabilities = ARRAY_LEN(capability_sync),
};
