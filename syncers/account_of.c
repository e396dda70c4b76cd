#include "syncers/account_of.h"

#include "base/arn.h"
#include "inventory/inventory.h"
#include "inventory/org_accounts.h"
#include "syncers/page.h"
#include "syncers/page_token.h"

enum err_code account_of_parent(const struct syncer_call *call, const C1__Connector__V2__ResourceId *parent,
	struct iam_account **ret_account, struct err *reterr)
{
	const struct str account = parent == NULL ? STR_EMPTY : str_c(parent->resource);

	return inventory_iam_account(call->inventory, call->ctx, call->sync_id, account, ret_account, reterr);
}

enum err_code list_of_account(const struct syncer_call *call, const C1__Connector__V2__ResourceId *parent,
	struct str type_kind, enum iam_kind kind, resource_of_row_fn *make, struct syncer_page *ret_page,
	struct err *reterr)
{
	CLEANUP(iam_account_unrefp) struct iam_account *account = NULL;
	struct page_token token;
	struct page page;

	if (page_token_decode(call->arena, type_kind, call->page_token, &token, reterr) != ERR_OK ||
		account_of_parent(call, parent, &account, reterr) != ERR_OK)
		return reterr->code;
	page_init(&page, call);
	for (size_t i = iam_account_after(account, kind, token.last); i < iam_account_count(account, kind);
		i++) {
		C1__Connector__V2__Resource *r;

		if (page_full(&page))
			return page_end(&page, type_kind, STR_EMPTY, token.last, ret_page);
		r = make(call->arena, account, i, parent);
		page_add(&page, &r->base);
		token.last = iam_account_row_key(account, kind, i);
	}
	return page_last(&page, ret_page);
}

static enum err_code find_row(struct iam_account *take_account, struct str arn, enum iam_kind kind,
	struct iam_account **ret_account, size_t *ret_index, struct err *reterr)
{
	CLEANUP(iam_account_unrefp) struct iam_account *account = take_account;
	const ptrdiff_t i = iam_account_find(account, kind, arn);

	if (i < 0)
		return err_set(reterr, ERR_NOT_FOUND, "baton-aws: '" STR_FMT "' does not exist any more",
			STR_ARG(arn));
	*ret_index = (size_t)i;
	*ret_account = TAKE(account);
	return ERR_OK;
}

enum err_code account_of_resource(const struct syncer_call *call, const C1__Connector__V2__Resource *resource,
	enum iam_kind kind, struct iam_account **ret_account, size_t *ret_index, struct err *reterr)
{
	struct iam_account *account;

	if (resource->id == NULL)
		return err_set(reterr, ERR_INVALID, "baton-aws: invalid resource: missing resource id");
	if (account_of_parent(call, resource->parent_resource_id, &account, reterr) != ERR_OK)
		return reterr->code;
	return find_row(account, str_c(resource->id->resource), kind, ret_account, ret_index, reterr);
}

enum err_code account_of_arn(const struct syncer_call *call, struct str text, enum iam_kind kind,
	struct iam_account **ret_account, size_t *ret_index, struct err *reterr)
{
	struct iam_account *account;
	struct arn arn;

	if (!arn_parse(text, &arn) || !arn_is_account(arn.account))
		return err_set(reterr, ERR_INVALID, "baton-aws: invalid ARN: '" STR_FMT "'", STR_ARG(text));
	if (inventory_iam_account(call->inventory, call->ctx, call->sync_id, arn.account, &account, reterr) !=
		ERR_OK)
		return reterr->code;
	return find_row(account, text, kind, ret_account, ret_index, reterr);
}

/* Whether the account is the connector's own or an active one of its organization. */
static enum err_code is_our_account(
	const struct syncer_call *call, struct str account, bool *ret_ours, struct err *reterr)
{
	CLEANUP(org_accounts_unrefp) struct org_accounts *all = NULL;
	const struct org_account *member;
	struct inventory_identity own;

	if (inventory_identity(call->inventory, call->ctx, /* refresh= */ false, call->arena, &own, reterr) !=
			ERR_OK ||
		inventory_org_accounts(call->inventory, call->ctx, call->sync_id, &all, reterr) != ERR_OK)
		return reterr->code;
	member = org_accounts_find(all, account);
	*ret_ours = str_eq(account, own.account) || (member != NULL && member->active);
	return ERR_OK;
}

/* The account's facts, NULL when its role cannot be assumed: then account_iam.c lists nothing under it. What is known of an account is
 * asked first, so that one that closes in the middle of a sync stays in it. */
static enum err_code account_if_entered(const struct syncer_call *call, struct str account,
	struct iam_account **ret_account, struct err *reterr)
{
	bool can_enter;
	struct err e;

	*ret_account = NULL;
	if (inventory_iam_account(call->inventory, call->ctx, call->sync_id, account, ret_account, reterr) ==
		ERR_OK)
		return ERR_OK;
	if (reterr->code != ERR_UNAUTHENTICATED || !str_eq_c(STR("sts:AssumeRole"), reterr->aws_operation))
		return reterr->code;
	if (inventory_enter_accounts(
		    call->inventory, call->ctx, call->sync_id, &account, 1, &can_enter, &e) != ERR_OK ||
		can_enter)
		return reterr->code;
	return ERR_OK;
}

enum err_code role_is_synced(const struct syncer_call *call, const struct iam_account *account,
	struct str role_arn, bool *ret_synced, struct err *reterr)
{
	CLEANUP(iam_account_unrefp) struct iam_account *other = NULL;
	bool ours = false;
	struct arn arn;

	*ret_synced = iam_account_find(account, IAM_ROLES, role_arn) >= 0;
	/* Without an organization, or with its accounts filtered away, the account at hand is all there is. */
	if (*ret_synced || !call->config->organization || !syncer_config_wants(call->config, "account_iam") ||
		!arn_parse(role_arn, &arn) || str_eq(arn.account, iam_account_id(account)))
		return ERR_OK;
	if (is_our_account(call, arn.account, &ours, reterr) != ERR_OK)
		return reterr->code;
	if (ours && account_if_entered(call, arn.account, &other, reterr) != ERR_OK)
		return reterr->code;
	*ret_synced = other != NULL && iam_account_find(other, IAM_ROLES, role_arn) >= 0;
	return ERR_OK;
}
