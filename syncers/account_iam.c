/* account_iam: the accounts of the organization as places of IAM (spec/iam.md 10). Those whose role can be assumed announce their users, roles,
 * groups and policies as children; the connector's own account is listed without parents instead. */
#include "inventory/inventory.h"
#include "inventory/org_accounts.h"
#include "syncers/kinds.h"
#include "syncers/message.h"
#include "syncers/page.h"
#include "syncers/page_token.h"

#include "proto/pb_build.h"

/* Accounts of one page: each may cost an AssumeRole, and a page should not take long. */
#define PAGE_ACCOUNTS 200

static const struct str kind = STR_INIT("account_iam");

static V2(Resource) *
	account_resource(const struct syncer_call *call, const struct org_account *account, bool has_children)
{
	static const char *const children[] = {"iam_user", "role", "group", "iam_policy"};
	struct arena *arena = call->arena;
	V2(Resource) *r = resource_named(arena, "account_iam", account->id, account->name);
	V2(AppTrait) *trait = pb_new(arena, V2_DESC(app_trait));

	annotate_v1_id(arena, r, account->id);
	for (size_t i = 0; has_children && i < ARRAY_LEN(children); i++)
		annotate_child_type(arena, r, children[i]);
	if (has_children && call->config->sync_secrets)
		annotate_child_type(arena, r, "access-key");
	PB_ANNOTATE(arena, r, trait);
	r->profile = pb_struct(arena);
	pb_struct_str(arena, r->profile, STR("aws_account_arn"), account->arn);
	pb_struct_str(arena, r->profile, STR("aws_account_id"), account->id);
	return r;
}

/* The active accounts of the page that begins behind `after` (D27: the others have nothing to show and cannot be entered). */
static size_t active_accounts(const struct org_accounts *accounts, struct str after, size_t max,
	const struct org_account *ret[PAGE_ACCOUNTS], bool *ret_more)
{
	size_t n_all, n = 0;
	const struct org_account *all = org_accounts_all(accounts, &n_all);

	*ret_more = false;
	for (size_t i = org_accounts_after(accounts, after); i < n_all && !*ret_more; i++) {
		if (!all[i].active)
			continue;
		if (n == max)
			*ret_more = true;
		else
			ret[n++] = &all[i];
	}
	return n;
}

/* Which of them have children to list: all that can be entered but our own. Those will be asked for next. */
static enum err_code find_parents(const struct syncer_call *call, const struct org_account *const *accounts,
	size_t n, bool *ret_has_children, struct err *reterr)
{
	struct str *ids = arena_array_of(call->arena, n, struct str);
	struct inventory_identity own;
	size_t n_expected = 0;

	for (size_t i = 0; i < n; i++)
		ids[i] = accounts[i]->id;
	if (inventory_identity(call->inventory, call->ctx, /* refresh= */ false, call->arena, &own, reterr) !=
			ERR_OK ||
		inventory_enter_accounts(call->inventory, call->ctx, call->sync_id, ids, n, ret_has_children,
			reterr) != ERR_OK)
		return reterr->code;
	for (size_t i = 0; i < n; i++) {
		ret_has_children[i] = ret_has_children[i] && !str_eq(ids[i], own.account);
		if (ret_has_children[i])
			ids[n_expected++] = accounts[i]->id;
	}
	inventory_expect_accounts(call->inventory, call->sync_id, ids, n_expected);
	return ERR_OK;
}

static enum err_code list(const struct syncer_call *call, const V2(ResourceId) * parent,
	struct syncer_page *ret_page, struct err *reterr)
{
	CLEANUP(org_accounts_unrefp) struct org_accounts *accounts = NULL;
	const struct org_account *chosen[PAGE_ACCOUNTS];
	bool has_children[PAGE_ACCOUNTS], more;
	struct page_token token;
	struct page page;
	size_t n;

	(void)parent; /* the organization's accounts are listed once, whatever they are asked under */
	if (page_token_decode(call->arena, kind, call->page_token, &token, reterr) != ERR_OK ||
		inventory_org_accounts(call->inventory, call->ctx, call->sync_id, &accounts, reterr) !=
			ERR_OK)
		return reterr->code;
	page_init(&page, call);
	n = active_accounts(accounts, token.last,
		page.max_items < PAGE_ACCOUNTS ? page.max_items : PAGE_ACCOUNTS, chosen, &more);
	if (find_parents(call, chosen, n, has_children, reterr) != ERR_OK)
		return reterr->code;
	for (size_t i = 0; i < n; i++)
		page_add(&page, &account_resource(call, chosen[i], has_children[i])->base);
	return more ? page_end(&page, kind, STR_EMPTY, chosen[n - 1]->id, ret_page)
		    : page_last(&page, ret_page);
}

const struct syncer syncer_account_iam = {
	.type_id = "account_iam",
	.list = list,
	.entitlements = syncer_nothing,
	.grants = syncer_nothing,
	.capabilities = capability_sync,
	.n_capabilities = ARRAY_LEN(capability_sync),
};
