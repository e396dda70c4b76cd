/* The facts of Identity Center, but for assignments (assignments.c): a row type and a gather_fact each. The matrix of what is provisioned where
 * is read from its smaller side. */
#include "inventory/identity_center.h"

#include <stdlib.h>
#include <string.h>

#include "aws/identity_store.h"
#include "aws/sso_admin.h"
#include "base/arn.h"
#include "base/log.h"
#include "inventory/claims.h"
#include "inventory/gather.h"
#include "inventory/internal.h"
#include "inventory/org_accounts.h"

#define MAX_SSO   ((struct aws_int){AWS_SSO_ADMIN_MAX_RESULTS, true})
#define MAX_STORE ((struct aws_int){AWS_IDENTITY_STORE_MAX_RESULTS, true})

/* A struct ic_rows is a struct rows. */
static struct rows *rows_of(const struct ic_rows *r)
{
	return (struct rows *)r;
}

void ic_unref(struct ic_rows *r)
{
	rows_unref(rows_of(r));
}

void ic_unrefp(struct ic_rows **r)
{
	ic_unref(*r);
	*r = NULL;
}

const void *ic_all(const struct ic_rows *r, size_t *ret_n)
{
	return rows_all(rows_of(r), ret_n);
}

size_t ic_after(const struct ic_rows *r, struct str key)
{
	return rows_after(rows_of(r), key);
}

const void *ic_find(const struct ic_rows *r, struct str key)
{
	return rows_find(rows_of(r), key);
}

/* --- rows that are nothing but texts --- */

static void pack_strs(struct buf *b, const struct str *strs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		pack_str(b, strs[i]);
}

static void unpack_strs(struct unpack *u, struct str *strs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		strs[i] = unpack_str(u);
}

/* Pack and unpack of a struct of n struct str, and its row type. */
#define ROWS_OF_STRS(prefix, type, n)                                                                        \
	_Static_assert(sizeof(struct type) == (n) * sizeof(struct str), #type " is " #n " texts");           \
	static void prefix##_pack(struct buf *b, const void *item)                                           \
	{                                                                                                    \
		pack_strs(b, item, n);                                                                       \
	}                                                                                                    \
	static void prefix##_unpack(struct unpack *u, void *item)                                            \
	{                                                                                                    \
		unpack_strs(u, item, n);                                                                     \
	}                                                                                                    \
	static const struct rows_type prefix##_rows = {.item_size = sizeof(struct type),                     \
		.min_bytes = (n),                                                                            \
		.pack = prefix##_pack,                                                                       \
		.unpack = prefix##_unpack}

ROWS_OF_STRS(set, ic_permission_set, 3);
ROWS_OF_STRS(provisioned, ic_provisioned, 1);
ROWS_OF_STRS(policy, ic_policy, 3);
ROWS_OF_STRS(user, ic_user, 6);
ROWS_OF_STRS(group, ic_group, 3);
ROWS_OF_STRS(member, ic_member, 2);

struct document_row {
	struct str key, document;
};
ROWS_OF_STRS(document, document_row, 2);

struct instance_row {
	struct str arn, store_id, owner;
};
ROWS_OF_STRS(instance, instance_row, 3);

/* Of the matrix: "<account>|<permission set ARN>". */
struct cell {
	struct str key;
};
ROWS_OF_STRS(cell, cell, 1);

/* --- instance --- */

static void fill_page(const struct gather_call *call, struct str target, struct str token, void *in)
{
	(void)call;
	(void)target;
	*(struct aws_sso_admin_in *)in =
		(struct aws_sso_admin_in){.next_token = token, .max_results = MAX_SSO};
}

/* Row 29: an instance that is being made or deleted is none. */
static enum err_code take_instances(const struct gather_call *call, struct listing *rows, struct str target,
	const void *out, struct str *ret_token, struct err *reterr)
{
	const struct aws_sso_admin_instances_out *page = out;

	(void)call;
	(void)target;
	(void)reterr;
	for (size_t i = 0; i < page->instances.n; i++) {
		const struct aws_sso_admin_instance *from =
			AWS_LIST_AT(page->instances, struct aws_sso_admin_instance, i);

		if (from->arn.n > 0 && (from->status.n == 0 || str_eq(from->status, STR("ACTIVE"))))
			*(struct instance_row *)listing_add(rows) =
				(struct instance_row){.arn = str_dup(rows->arena, from->arn),
					.store_id = str_dup(rows->arena, from->identity_store_id),
					.owner = str_dup(rows->arena, from->owner_account_id)};
	}
	*ret_token = page->next_token;
	return ERR_OK;
}

static const struct gather_fact instances_fact = {
	.rows = {.kind = GATHER_KIND("ic-instances/1"), .type = &instance_rows},
	.op = &aws_sso_admin_list_instances,
	.not_found = NOT_FOUND_IS_MISSING,
	.fill = fill_page,
	.take = take_instances,
};

/* NULL: none, or several. */
static const struct instance_row *owned_instance(const struct instance_row *all, size_t n, struct str owner)
{
	const struct instance_row *owned = NULL;

	for (size_t i = 0; i < n; i++) {
		if (!str_eq(all[i].owner, owner))
			continue;
		if (owned != NULL)
			return NULL;
		owned = &all[i];
	}
	return owned;
}

/* Whoever we are: the ARN of every account of the organization names it. Empty: AWS left that out. */
static enum err_code management_account(struct inventory *inv, const struct ctx *ctx, struct str sync_id,
	struct arena *arena, struct str *ret_account, struct err *reterr)
{
	CLEANUP(org_accounts_unrefp) struct org_accounts *accounts = NULL;
	const struct org_account *all;
	struct arn arn;
	size_t n;

	if (inventory_org_accounts(inv, ctx, sync_id, &accounts, reterr) != ERR_OK)
		return reterr->code;
	all = org_accounts_all(accounts, &n);
	*ret_account = n > 0 && arn_parse(all[0].arn, &arn) ? str_dup(arena, arn.account) : STR_EMPTY;
	return ERR_OK;
}

enum err_code ic_is_management(
	struct inventory *inv, const struct ctx *ctx, struct str sync_id, bool *ret_is, struct err *reterr)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct inventory_identity own;
	struct str management;

	if (management_account(inv, ctx, sync_id, arena, &management, reterr) != ERR_OK ||
		inventory_identity(inv, ctx, /* refresh= */ false, arena, &own, reterr) != ERR_OK)
		return reterr->code;
	*ret_is = str_eq(own.account, management);
	return ERR_OK;
}

static struct str arns_of(const struct instance_row *all, size_t n, struct arena *arena)
{
	struct str arns = all[0].arn;

	for (size_t i = 1; i < n; i++)
		arns = str_fmt(arena, STR_FMT ", " STR_FMT, STR_ARG(arns), STR_ARG(all[i].arn));
	return arns;
}

static enum err_code choose_instance(struct inventory *inv, const struct ctx *ctx, struct str sync_id,
	const struct instance_row *all, size_t n, struct arena *arena, const struct instance_row **ret_one,
	struct err *reterr)
{
	struct str management;

	if (n == 0)
		return err_set(reterr, ERR_MISSING, "baton-aws: no Identity Instance found");
	*ret_one = &all[0];
	if (n == 1)
		return ERR_OK;
	if (management_account(inv, ctx, sync_id, arena, &management, reterr) != ERR_OK)
		return reterr->code;
	if (management.n == 0)
		return err_set(reterr, ERR_PROTOCOL,
			"baton-aws: organizations:ListAccounts does not tell the management account");
	*ret_one = owned_instance(all, n, management);
	if (*ret_one == NULL)
		return err_set(reterr, ERR_PRECONDITION,
			"baton-aws: of these Identity Center instances not exactly one belongs to the "
			"management account " STR_FMT ": " STR_FMT,
			STR_ARG(management), STR_ARG(arns_of(all, n, arena)));
	return ERR_OK;
}

enum err_code inventory_ic_instance(struct inventory *inv, const struct ctx *ctx, struct str sync_id,
	struct arena *arena, struct ic_instance *ret_instance, struct err *reterr)
{
	CLEANUP(ic_unrefp) struct ic_rows *rows = NULL;
	const struct instance_row *all, *one = NULL;
	struct arn arn;
	size_t n;

	if (gather_get(inv, ctx, &instances_fact, sync_id, STR_EMPTY, &rows, reterr) != ERR_OK)
		return reterr->code;
	all = ic_all(rows, &n);
	if (choose_instance(inv, ctx, sync_id, all, n, arena, &one, reterr) != ERR_OK)
		return reterr->code;
	if (!arn_parse(one->arn, &arn))
		return err_set(reterr, ERR_PROTOCOL, "baton-aws: '" STR_FMT "' is not the ARN of an instance",
			STR_ARG(one->arn));
	if (one->store_id.n == 0) /* it is part of every id of a user or group */
		return err_set(reterr, ERR_PRECONDITION, "baton-aws: missing identity store id");
	*ret_instance = (struct ic_instance){.arn = str_dup(arena, one->arn),
		.store_id = str_dup(arena, one->store_id),
		.partition = str_dup(arena, arn.partition)};
	return ERR_OK;
}

/* --- permission sets: list, then describe each --- */

static void fill_sso(const struct gather_call *call, struct str target, struct str token, void *in)
{
	*(struct aws_sso_admin_in *)in = (struct aws_sso_admin_in){.instance_arn = call->instance.arn,
		.permission_set_arn = target,
		.next_token = token,
		.max_results = MAX_SSO};
}

static enum err_code take_set_arns(const struct gather_call *call, struct listing *rows, struct str target,
	const void *out, struct str *ret_token, struct err *reterr)
{
	const struct aws_sso_admin_permission_sets_out *page = out;

	(void)call;
	(void)target;
	(void)reterr;
	for (size_t i = 0; i < page->permission_set_arns.n; i++)
		((struct ic_provisioned *)listing_add(rows))->permission_set_arn =
			str_dup(rows->arena, *AWS_LIST_AT(page->permission_set_arns, struct str, i));
	*ret_token = page->next_token;
	return ERR_OK;
}

static const struct gather_fact set_arns_fact = {
	.rows = {.kind = GATHER_KIND("ic-permission-set-arns/1"), .type = &provisioned_rows},
	.op = &aws_sso_admin_list_permission_sets,
	.needs_instance = true,
	.not_found = NOT_FOUND_IS_MISSING,
	.fill = fill_sso,
	.take = take_set_arns,
};

/* Texts of rows, copied: the rows are given back. */
static struct str *keys_of(const struct ic_rows *rows, size_t item_size, struct arena *arena, size_t *ret_n)
{
	const char *item = ic_all(rows, ret_n);
	struct str *keys = arena_array_of(arena, *ret_n, struct str);

	for (size_t i = 0; i < *ret_n; i++)
		keys[i] = str_dup(arena, *(const struct str *)(item + i * item_size));
	return keys;
}

static enum err_code all_sets(const struct gather_call *call, const struct ctx *ctx, struct arena *scratch,
	struct str **ret_targets, size_t *ret_n, struct err *reterr)
{
	CLEANUP(ic_unrefp) struct ic_rows *arns = NULL;

	if (gather_get(call->inv, ctx, &set_arns_fact, call->scope, STR_EMPTY, &arns, reterr) != ERR_OK)
		return reterr->code;
	*ret_targets = keys_of(arns, sizeof(struct ic_provisioned), scratch, ret_n);
	return ERR_OK;
}

static enum err_code take_set(const struct gather_call *call, struct listing *rows, struct str target,
	const void *out, struct str *ret_token, struct err *reterr)
{
	const struct aws_sso_admin_permission_set *from =
		&((const struct aws_sso_admin_permission_set_out *)out)->permission_set;

	(void)call;
	(void)ret_token;
	if (from->name.n == 0)
		return err_set(reterr, ERR_PROTOCOL,
			"sso:DescribePermissionSet answered without the permission set '" STR_FMT "'",
			STR_ARG(target));
	*(struct ic_permission_set *)listing_add(rows) =
		(struct ic_permission_set){.arn = str_dup(rows->arena, target),
			.name = str_dup(rows->arena, from->name),
			.description = str_dup(rows->arena, from->description)};
	return ERR_OK;
}

static const struct gather_fact sets_fact = {
	.rows = {.kind = GATHER_KIND("ic-permission-sets/1"), .type = &set_rows},
	.op = &aws_sso_admin_describe_permission_set,
	.needs_instance = true,
	.not_found = NOT_FOUND_IS_EMPTY, /* deleted since it was listed */
	.fill = fill_sso,
	.take = take_set,
	.targets = all_sets,
};

enum err_code inventory_ic_permission_sets(struct inventory *inv, const struct ctx *ctx, struct str sync_id,
	struct ic_rows **ret_sets, struct err *reterr)
{
	return gather_get(inv, ctx, &sets_fact, sync_id, STR_EMPTY, ret_sets, reterr);
}

void inventory_ic_permission_set_gone(struct inventory *inv, struct str sync_id, struct str arn)
{
	if (sync_id.n > 0 && !claims_first(inv->claims, sync_id, arn))
		return;
	atomic_fetch_add_explicit(&inv->vanished, 1, memory_order_relaxed);
	log_warn("a permission set came or went during the sync, ignoring", LOG_STR("permission_set", arn));
}

/* --- the matrix of accounts and permission sets --- */

static void add_cell(struct listing *rows, struct str account, struct str set)
{
	((struct cell *)listing_add(rows))->key =
		str_fmt(rows->arena, STR_FMT "|" STR_FMT, STR_ARG(account), STR_ARG(set));
}

static enum err_code take_accounts_of_set(const struct gather_call *call, struct listing *rows,
	struct str target, const void *out, struct str *ret_token, struct err *reterr)
{
	const struct aws_sso_admin_accounts_out *page = out;

	(void)call;
	(void)reterr;
	for (size_t i = 0; i < page->account_ids.n; i++)
		add_cell(rows, *AWS_LIST_AT(page->account_ids, struct str, i), target);
	*ret_token = page->next_token;
	return ERR_OK;
}

static enum err_code take_sets_of_account(const struct gather_call *call, struct listing *rows,
	struct str target, const void *out, struct str *ret_token, struct err *reterr)
{
	const struct aws_sso_admin_permission_sets_out *page = out;

	(void)call;
	(void)reterr;
	for (size_t i = 0; i < page->permission_set_arns.n; i++)
		add_cell(rows, target, *AWS_LIST_AT(page->permission_set_arns, struct str, i));
	*ret_token = page->next_token;
	return ERR_OK;
}

static void fill_account(const struct gather_call *call, struct str target, struct str token, void *in)
{
	*(struct aws_sso_admin_in *)in = (struct aws_sso_admin_in){.instance_arn = call->instance.arn,
		.account_id = target,
		.next_token = token,
		.max_results = MAX_SSO};
}

enum err_code ic_active_accounts(struct inventory *inv, const struct ctx *ctx, struct str sync_id,
	struct arena *arena, struct str **ret_accounts, size_t *ret_n, struct err *reterr)
{
	CLEANUP(org_accounts_unrefp) struct org_accounts *accounts = NULL;
	const struct org_account *all;
	size_t n_all;

	if (inventory_org_accounts(inv, ctx, sync_id, &accounts, reterr) != ERR_OK)
		return reterr->code;
	all = org_accounts_all(accounts, &n_all);
	*ret_accounts = arena_array_of(arena, n_all, struct str);
	*ret_n = 0;
	for (size_t i = 0; i < n_all; i++) {
		if (all[i].active)
			(*ret_accounts)[(*ret_n)++] = str_dup(arena, all[i].id);
	}
	return ERR_OK;
}

static enum err_code active_accounts(const struct gather_call *call, const struct ctx *ctx,
	struct arena *scratch, struct str **ret_targets, size_t *ret_n, struct err *reterr)
{
	return ic_active_accounts(call->inv, ctx, call->scope, scratch, ret_targets, ret_n, reterr);
}

static enum err_code fetch_matrix(const struct fact_kind *kind, void *self, const struct ctx *ctx,
	struct str scope, struct str name, void **partial, void **ret_fact, struct err *reterr);

/* The fact itself goes by accounts; the transposed way is a second row of the same shape. */
static const struct gather_fact matrix_by_account = {
	.rows = {.kind = {.name = "ic-matrix/1",
			 .fetch = fetch_matrix,
			 .partial_free = gather_free,
			 .open = rows_fact_open,
			 .bytes = rows_fact_bytes,
			 .ref = rows_fact_ref,
			 .unref = rows_fact_unref},
		.type = &cell_rows},
	.op = &aws_sso_admin_list_permission_sets_provisioned_to_account,
	.needs_instance = true,
	.not_found = NOT_FOUND_IS_EMPTY,
	.fill = fill_account,
	.take = take_sets_of_account,
	.targets = active_accounts,
};
static const struct gather_fact matrix_by_set = {
	.rows = {.kind = GATHER_KIND("ic-matrix/1"), .type = &cell_rows},
	.op = &aws_sso_admin_list_accounts_for_provisioned_permission_set,
	.needs_instance = true,
	.not_found = NOT_FOUND_IS_EMPTY,
	.fill = fill_sso,
	.take = take_accounts_of_set,
	.targets = all_sets,
};

/* True: there are fewer permission sets than accounts, and we may ask by them. What was denied once is not asked again in this sync. */
static enum err_code is_by_set_cheaper(
	struct inventory *inv, const struct ctx *ctx, struct str scope, bool *ret_cheaper, struct err *reterr)
{
	CLEANUP(arena_freep) struct arena *scratch = arena_new(0);
	const struct gather_call call = {.inv = inv, .scope = scope};
	struct str *ignored;
	size_t n_sets, n_accounts;

	if (all_sets(&call, ctx, scratch, &ignored, &n_sets, reterr) != ERR_OK ||
		active_accounts(&call, ctx, scratch, &ignored, &n_accounts, reterr) != ERR_OK)
		return reterr->code;
	*ret_cheaper = n_sets < n_accounts;
	return ERR_OK;
}

static enum err_code fetch_matrix(const struct fact_kind *kind, void *self, const struct ctx *ctx,
	struct str scope, struct str name, void **partial, void **ret_fact, struct err *reterr)
{
	bool by_set = false;

	/* Decided anew each time: gather_fetch drops what the other way has left half done. */
	if (is_by_set_cheaper(self, ctx, scope, &by_set, reterr) != ERR_OK)
		return reterr->code;
	if (by_set && inventory_is_permitted(self, scope, matrix_by_set.op)) {
		if (gather_fetch(&matrix_by_set.rows.kind, self, ctx, scope, name, partial, ret_fact,
			    reterr) == ERR_OK)
			return ERR_OK;
		if (reterr->code != ERR_DENIED)
			return reterr->code;
		inventory_note_denied(self, scope, matrix_by_set.op, "each account costs a call of its own");
	}
	return gather_fetch(kind, self, ctx, scope, name, partial, ret_fact, reterr);
}

enum err_code inventory_ic_provisioned(struct inventory *inv, const struct ctx *ctx, struct str sync_id,
	struct str account, struct ic_rows **ret_provisioned, struct err *reterr)
{
	CLEANUP(ic_unrefp) struct ic_rows *matrix = NULL;
	CLEANUP(arena_freep) struct arena *scratch = arena_new(0);
	const struct str prefix = str_fmt(scratch, STR_FMT "|", STR_ARG(account));
	struct ic_provisioned *sets;
	const struct cell *cells;
	struct rows *rows;
	size_t n_all, n = 0, first;

	if (gather_get(inv, ctx, &matrix_by_account, sync_id, STR_EMPTY, &matrix, reterr) != ERR_OK)
		return reterr->code;
	cells = ic_all(matrix, &n_all);
	first = ic_after(matrix, prefix);
	while (first + n < n_all && str_starts(cells[first + n].key, prefix))
		n++;
	sets = arena_array_of(scratch, n, struct ic_provisioned);
	for (size_t i = 0; i < n; i++)
		sets[i].permission_set_arn = str_from(cells[first + i].key, prefix.n);
	if (rows_new(&provisioned_rows, sets, n, &rows, reterr) != ERR_OK)
		return reterr->code;
	*ret_provisioned = (struct ic_rows *)rows;
	return ERR_OK;
}

enum err_code ic_count_pairs(
	struct inventory *inv, const struct ctx *ctx, struct str sync_id, size_t *ret_n, struct err *reterr)
{
	CLEANUP(org_accounts_unrefp) struct org_accounts *accounts = NULL;
	CLEANUP(ic_unrefp) struct ic_rows *matrix = NULL;
	const struct cell *cells;
	size_t n_all, n = 0;

	if (gather_get(inv, ctx, &matrix_by_account, sync_id, STR_EMPTY, &matrix, reterr) != ERR_OK ||
		inventory_org_accounts(inv, ctx, sync_id, &accounts, reterr) != ERR_OK)
		return reterr->code;
	cells = ic_all(matrix, &n_all);
	for (size_t i = 0; i < n_all; i++) {
		struct str key = cells[i].key;
		const struct org_account *account = org_accounts_find(accounts, str_cut(&key, '|'));

		n += account != NULL && account->active;
	}
	*ret_n = n;
	return ERR_OK;
}

/* --- policies of a permission set --- */

static enum err_code take_managed(const struct gather_call *call, struct listing *rows, struct str target,
	const void *out, struct str *ret_token, struct err *reterr)
{
	const struct aws_sso_admin_managed_policies_out *page = out;

	(void)call;
	for (size_t i = 0; i < page->policies.n; i++) {
		const struct aws_sso_admin_policy *from =
			AWS_LIST_AT(page->policies, struct aws_sso_admin_policy, i);

		if (from->arn.n == 0)
			return err_set(reterr, ERR_PROTOCOL,
				"baton-aws: managed policy in permission set " STR_FMT " missing ARN",
				STR_ARG(target));
		*(struct ic_policy *)listing_add(rows) =
			(struct ic_policy){.key = str_dup(rows->arena, from->arn),
				.name = str_dup(rows->arena, from->name),
				.path = STR_EMPTY};
	}
	*ret_token = page->next_token;
	return ERR_OK;
}

static enum err_code take_customer(const struct gather_call *call, struct listing *rows, struct str target,
	const void *out, struct str *ret_token, struct err *reterr)
{
	const struct aws_sso_admin_customer_policies_out *page = out;

	(void)call;
	for (size_t i = 0; i < page->references.n; i++) {
		const struct aws_sso_admin_policy_reference *from =
			AWS_LIST_AT(page->references, struct aws_sso_admin_policy_reference, i);
		const struct str path = from->path.n > 0 ? from->path : STR("/");

		if (from->name.n == 0)
			return err_set(reterr, ERR_PROTOCOL,
				"baton-aws: customer managed policy reference in permission set " STR_FMT
				" missing name",
				STR_ARG(target));
		*(struct ic_policy *)listing_add(rows) = (struct ic_policy){
			.key = str_fmt(rows->arena, STR_FMT STR_FMT, STR_ARG(path), STR_ARG(from->name)),
			.name = str_dup(rows->arena, from->name),
			.path = str_dup(rows->arena, path)};
	}
	*ret_token = page->next_token;
	return ERR_OK;
}

static enum err_code take_inline(const struct gather_call *call, struct listing *rows, struct str target,
	const void *out, struct str *ret_token, struct err *reterr)
{
	(void)call;
	(void)target;
	(void)ret_token;
	(void)reterr;
	*(struct document_row *)listing_add(rows) = (struct document_row){.key = STR("inline"),
		.document = str_dup(
			rows->arena, ((const struct aws_sso_admin_inline_policy_out *)out)->document)};
	return ERR_OK;
}

static void fill_set(const struct gather_call *call, struct str target, struct str token, void *in)
{
	(void)token;
	*(struct aws_sso_admin_in *)in =
		(struct aws_sso_admin_in){.instance_arn = call->instance.arn, .permission_set_arn = target};
}

static const struct gather_fact managed_fact = {
	.rows = {.kind = GATHER_KIND("ic-managed-policies/1"), .type = &policy_rows},
	.op = &aws_sso_admin_list_managed_policies,
	.needs_instance = true,
	.not_found = NOT_FOUND_IS_EMPTY,
	.denied = DENIED_IS_EMPTY,
	.consequence = "AWS-managed policies of permission sets are left out",
	.fill = fill_sso,
	.take = take_managed,
};
static const struct gather_fact customer_fact = {
	.rows = {.kind = GATHER_KIND("ic-customer-policies/1"), .type = &policy_rows},
	.op = &aws_sso_admin_list_customer_managed_policy_references,
	.needs_instance = true,
	.not_found = NOT_FOUND_IS_EMPTY,
	.denied = DENIED_IS_EMPTY,
	.consequence = "customer-managed policies of permission sets are left out",
	.fill = fill_sso,
	.take = take_customer,
};
static const struct gather_fact inline_fact = {
	.rows = {.kind = GATHER_KIND("ic-inline-policy/1"), .type = &document_rows},
	.op = &aws_sso_admin_get_inline_policy,
	.needs_instance = true,
	.not_found = NOT_FOUND_IS_EMPTY,
	.denied = DENIED_IS_EMPTY,
	.consequence = "inline policies of permission sets are left out",
	.fill = fill_set,
	.take = take_inline,
};

enum err_code inventory_ic_managed_policies(struct inventory *inv, const struct ctx *ctx, struct str sync_id,
	struct str permission_set_arn, struct ic_rows **ret_policies, struct err *reterr)
{
	return gather_get(inv, ctx, &managed_fact, sync_id, permission_set_arn, ret_policies, reterr);
}

enum err_code inventory_ic_customer_policies(struct inventory *inv, const struct ctx *ctx, struct str sync_id,
	struct str permission_set_arn, struct ic_rows **ret_policies, struct err *reterr)
{
	return gather_get(inv, ctx, &customer_fact, sync_id, permission_set_arn, ret_policies, reterr);
}

enum err_code inventory_ic_inline_policy(struct inventory *inv, const struct ctx *ctx, struct str sync_id,
	struct str permission_set_arn, struct arena *arena, struct str *ret_document, struct err *reterr)
{
	CLEANUP(ic_unrefp) struct ic_rows *rows = NULL;
	const struct document_row *row;

	if (gather_get(inv, ctx, &inline_fact, sync_id, permission_set_arn, &rows, reterr) != ERR_OK)
		return reterr->code;
	row = ic_find(rows, STR("inline"));
	*ret_document = row == NULL ? STR_EMPTY : str_dup(arena, row->document);
	return ERR_OK;
}

/* --- users, groups, members --- */

/* Of one user. AWS allows one address and ten external ids; addresses are compared with each other. */
#define MAX_PACKED (64 << 10)

static enum err_code pack_external_ids(
	struct arena *arena, const struct aws_list *ids, struct str *ret_packed, struct err *reterr)
{
	CLEANUP(buf_deinit) struct buf b = {0};

	buf_init(&b, MAX_PACKED);
	pack_u64(&b, ids->n);
	for (size_t i = 0; i < ids->n; i++) {
		const struct aws_identity_store_external_id *id =
			AWS_LIST_AT(*ids, struct aws_identity_store_external_id, i);

		pack_str(&b, id->issuer);
		pack_str(&b, id->id);
	}
	*ret_packed = buf_dup(&b, arena);
	return buf_check(&b, "baton-aws: a list of external ids", reterr);
}

struct ic_external_id *ic_external_ids(struct str packed, struct arena *arena, size_t *ret_n)
{
	struct unpack u = {.rest = packed};
	const size_t n = unpack_count(&u, 2);
	struct ic_external_id *ids = arena_array_of(arena, n, struct ic_external_id);

	for (size_t i = 0; i < n; i++) {
		ids[i].issuer = unpack_str(&u);
		ids[i].id = unpack_str(&u);
	}
	*ret_n = u.bad ? 0 : n;
	return ids;
}

static enum err_code pack_emails(
	struct arena *arena, const struct aws_list *emails, struct str *ret_packed, struct err *reterr)
{
	CLEANUP(buf_deinit) struct buf b = {0};

	buf_init(&b, MAX_PACKED);
	pack_u64(&b, emails->n);
	for (size_t i = 0; i < emails->n; i++) {
		const struct aws_identity_store_email *email =
			AWS_LIST_AT(*emails, struct aws_identity_store_email, i);

		pack_str(&b, email->value);
		pack_u64(&b, email->primary.set && email->primary.v != 0);
	}
	*ret_packed = buf_dup(&b, arena);
	return buf_check(&b, "baton-aws: a list of e-mail addresses", reterr);
}

struct ic_email *ic_emails(struct str packed, struct arena *arena, size_t *ret_n)
{
	struct unpack u = {.rest = packed};
	const size_t n = unpack_count(&u, 2);
	struct ic_email *emails = arena_array_of(arena, n, struct ic_email);

	for (size_t i = 0; i < n; i++) {
		emails[i].value = unpack_str(&u);
		emails[i].primary = unpack_u64(&u) != 0;
	}
	*ret_n = u.bad ? 0 : n;
	return emails;
}

static void fill_store(const struct gather_call *call, struct str target, struct str token, void *in)
{
	(void)target;
	*(struct aws_identity_store_list_in *)in = (struct aws_identity_store_list_in){
		.store_id = call->instance.store_id, .next_token = token, .max_results = MAX_STORE};
}

static void fill_members(const struct gather_call *call, struct str target, struct str token, void *in)
{
	*(struct aws_identity_store_memberships_in *)in =
		(struct aws_identity_store_memberships_in){.store_id = call->instance.store_id,
			.group_id = target,
			.next_token = token,
			.max_results = MAX_STORE};
}

static enum err_code take_users(const struct gather_call *call, struct listing *rows, struct str target,
	const void *out, struct str *ret_token, struct err *reterr)
{
	const struct aws_identity_store_users_out *page = out;

	(void)call;
	(void)target;
	for (size_t i = 0; i < page->users.n; i++) {
		const struct aws_identity_store_user *from =
			AWS_LIST_AT(page->users, struct aws_identity_store_user, i);

		if (from->id.n == 0)
			return err_set(reterr, ERR_PROTOCOL,
				"identitystore:ListUsers answered a user that has no id");
		struct ic_user user = {.id = str_dup(rows->arena, from->id),
			.user_name = str_dup(rows->arena, from->user_name),
			.display_name = str_dup(rows->arena, from->display_name),
			.status = str_dup(rows->arena, from->status)};

		if (pack_emails(rows->arena, &from->emails, &user.emails, reterr) != ERR_OK ||
			pack_external_ids(rows->arena, &from->external_ids, &user.external_ids, reterr) !=
				ERR_OK)
			return reterr->code;
		*(struct ic_user *)listing_add(rows) = user;
	}
	*ret_token = page->next_token;
	return ERR_OK;
}

static enum err_code take_groups(const struct gather_call *call, struct listing *rows, struct str target,
	const void *out, struct str *ret_token, struct err *reterr)
{
	const struct aws_identity_store_groups_out *page = out;

	(void)call;
	(void)target;
	for (size_t i = 0; i < page->groups.n; i++) {
		const struct aws_identity_store_group *from =
			AWS_LIST_AT(page->groups, struct aws_identity_store_group, i);

		if (from->id.n == 0)
			return err_set(reterr, ERR_PROTOCOL,
				"identitystore:ListGroups answered a group that has no id");
		struct ic_group group = {.id = str_dup(rows->arena, from->id),
			.display_name = str_dup(rows->arena, from->display_name)};

		if (pack_external_ids(rows->arena, &from->external_ids, &group.external_ids, reterr) !=
			ERR_OK)
			return reterr->code;
		*(struct ic_group *)listing_add(rows) = group;
	}
	*ret_token = page->next_token;
	return ERR_OK;
}

static enum err_code take_members(const struct gather_call *call, struct listing *rows, struct str target,
	const void *out, struct str *ret_token, struct err *reterr)
{
	const struct aws_identity_store_memberships_out *page = out;

	(void)call;
	(void)target;
	(void)reterr;
	for (size_t i = 0; i < page->memberships.n; i++) {
		const struct aws_identity_store_membership *from =
			AWS_LIST_AT(page->memberships, struct aws_identity_store_membership, i);

		if (from->member.user_id.n > 0) /* else a member of a kind that AWS has invented since */
			*(struct ic_member *)listing_add(rows) =
				(struct ic_member){.user_id = str_dup(rows->arena, from->member.user_id),
					.membership_id = str_dup(rows->arena, from->id)};
	}
	*ret_token = page->next_token;
	return ERR_OK;
}

static const struct gather_fact users_fact = {
	.rows = {.kind = GATHER_KIND("ic-users/1"), .type = &user_rows},
	.op = &aws_identity_store_list_users,
	.needs_instance = true,
	.not_found = NOT_FOUND_IS_MISSING,
	.fill = fill_store,
	.take = take_users,
};
static const struct gather_fact groups_fact = {
	.rows = {.kind = GATHER_KIND("ic-groups/1"), .type = &group_rows},
	.op = &aws_identity_store_list_groups,
	.needs_instance = true,
	.not_found = NOT_FOUND_IS_MISSING,
	.fill = fill_store,
	.take = take_groups,
};
static const struct gather_fact members_fact = {
	.rows = {.kind = GATHER_KIND("ic-members/1"), .type = &member_rows},
	.ahead = AHEAD_MEMBERS,
	.op = &aws_identity_store_list_group_memberships,
	.needs_instance = true,
	.not_found = NOT_FOUND_PASSES,
	.fill = fill_members,
	.take = take_members,
};

enum err_code inventory_ic_users(struct inventory *inv, const struct ctx *ctx, struct str sync_id,
	struct ic_rows **ret_users, struct err *reterr)
{
	return gather_get(inv, ctx, &users_fact, sync_id, STR_EMPTY, ret_users, reterr);
}

enum err_code inventory_ic_groups(struct inventory *inv, const struct ctx *ctx, struct str sync_id,
	struct ic_rows **ret_groups, struct err *reterr)
{
	return gather_get(inv, ctx, &groups_fact, sync_id, STR_EMPTY, ret_groups, reterr);
}

enum err_code inventory_ic_members(struct inventory *inv, const struct ctx *ctx, struct str sync_id,
	struct str group_id, struct ic_rows **ret_members, struct err *reterr)
{
	return gather_get(inv, ctx, &members_fact, sync_id, group_id, ret_members, reterr);
}
