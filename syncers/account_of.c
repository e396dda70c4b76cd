#include "syncers/account_of.h"

#include "base/arn.h"
#include "inventory/inventory.h"
#include "inventory/org_accounts.h"

enum err_code account_of_parent(const struct syncer_call *call, const C1__Connector__V2__ResourceId *parent,
	struct iam_account **ret_account, struct err *reterr)
{
	const struct str account = parent == NULL ? STR_EMPTY : str_c(parent->resource);

	return inventory_iam_account(call->inventory, call->ctx, call->sync_id, account, ret_account, reterr);
}

static enum err_code find_row(struct iam_account *take_account, struct str arn, enum iam_kind kind,
	struct iam_account **ret_account, size_t *ret_index, struct err *reterr)
{
	CLEANUP(iam_account_unrefp) struct iam_account *account = take_account;
	const ptrdiff_t i = iam_account_find(account, kind, arn);

	if (i < 0)
		return err_set(reterr, ERR_NOT_FOUND, "baton-aws: '" STR_FMT "' does not exist any more", STR_ARG(arn));
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
	if (inventory_iam_account(call->inventory, call->ctx, call->sync_id, arn.account, &account, reterr) != ERR_OK)
		return reterr->code;
	return find_row(account, text, kind, ret_account, ret_index, reterr);
}

/* Whether account_iam announces this account, or it is our own. */
static enum err_code is_covered(const struct syncer_call *call, struct str number, bool *ret_covered, struct err *reterr)
{
	CLEANUP(org_accounts_unrefp) struct org_accounts *accounts = NULL;
	struct inventory_identity own;
	const struct org_account *account;

	if (inventory_identity(call->inventory, call->ctx, /* refresh= */ false, call->arena, &own, reterr) != ERR_OK)
		return reterr->code;
	*ret_covered = str_eq(own.account, number);
	if (*ret_covered || !call->config->organization || !syncer_config_wants(call->config, "account_iam"))
		return ERR_OK;
	if (inventory_org_accounts(call->inventory, call->ctx, call->sync_id, &accounts, reterr) != ERR_OK)
		return reterr->code;
	account = org_accounts_find(accounts, number);
	*ret_covered = account != NULL && account->active;
	return ERR_OK;
}

enum err_code account_in_sync(
	const struct syncer_call *call, struct str number, struct iam_account **ret_account, struct err *reterr)
{
	bool covered, can_enter;
	struct err e;

	*ret_account = NULL;
	if (is_covered(call, number, &covered, reterr) != ERR_OK)
		return reterr->code;
	if (!covered || inventory_iam_account(call->inventory, call->ctx, call->sync_id, number, ret_account, reterr) == ERR_OK)
		return ERR_OK;
	/* Facts that are there need no entering, so whether we can is asked only now. */
	if (str_eq_c(str_c(reterr->aws_operation), "sts:AssumeRole") &&
		inventory_enter_accounts(call->inventory, call->ctx, call->sync_id, &number, 1, &can_enter, &e) == ERR_OK &&
		!can_enter)
		return ERR_OK;
	return reterr->code;
}
