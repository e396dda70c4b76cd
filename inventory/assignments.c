/* DESIGN
 *
 * Who holds which permission set on which account. AWS tells it in two ways, at 20 calls per second either way
 * (spec/identity-center.md 12.2):
 *
 *	by pairs        ListAccountAssignments for each account and each permission set provisioned to it; a fact for each account
 *	by principals   ListAccountAssignmentsForPrincipal for each user and group of the directory; one fact of the whole sync, in which the rows
 *	                of an account are neighbours
 *
 * The way is chosen once per sync (principals_fact: whom to ask; nobody means by pairs). By principals is for
 *
 *	- fewer principals than pairs. A user's answer names all that his groups hold, too, so one may have many pages, and nobody knows before:
 *	  the run is given up when what is left of it would cost more than all pairs (the `rival` of gather.h);
 *	- a configuration that syncs users and groups: then the lists it needs cost nothing;
 *	- the management account: AWS allows the operation to no other;
 *	- a sync: a request without one is about one account, and would read them all.
 *
 * Whoever may not use the operation, or finds it dearer, goes by pairs for the rest of the sync.
 *
 * The rows are the same either way, with one exception: users and groups that were deleted from the directory and are still assigned. AWS
 * keeps such assignments and by pairs they are found, by principals they cannot be. They give access to nobody (nobody can sign in as such a
 * principal, and AWS gives no id twice) and name a resource that the sync does not have, so nothing real reads as revoked. Rejected: leaving
 * them out by pairs, too. What is assigned to somebody who was created since the directory was listed would go with them, and whoever wants
 * to clean up needs to see them. */
#include "aws/sso_admin.h"
#include "base/log.h"
#include "inventory/claims.h"
#include "inventory/gather.h"
#include "inventory/identity_center.h"
#include "inventory/internal.h"

#define MAX_PAGE ((struct aws_int){AWS_SSO_ADMIN_MAX_RESULTS, true})

/* --- rows: several texts in one key, which they are sorted by --- */

static void pack_key(struct buf *b, const void *item)
{
	pack_str(b, *(const struct str *)item);
}

static void unpack_assignment(struct unpack *u, void *item)
{
	struct ic_assignment *a = item;
	struct str rest;

	a->key = rest = unpack_str(u);
	a->permission_set_arn = str_cut(&rest, '|');
	a->principal_type = str_cut(&rest, '|');
	a->principal_id = rest;
	u->bad = u->bad || rest.p == NULL;
}

static const struct rows_type assignment_rows = {.item_size = sizeof(struct ic_assignment),
	.min_bytes = 3,
	.pack = pack_key,
	.unpack = unpack_assignment};

/* Of the whole sync: "<account>|<key of struct ic_assignment>". Of whom to ask: "<USER or GROUP>|<principal id>". */
struct keyed {
	struct str key;
};

static void unpack_key(struct unpack *u, void *item)
{
	((struct keyed *)item)->key = unpack_str(u);
}

static const struct rows_type keyed_rows = {
	.item_size = sizeof(struct keyed), .min_bytes = 1, .pack = pack_key, .unpack = unpack_key};

/* --- by pairs --- */

static enum err_code sets_of_account(const struct gather_call *call, const struct ctx *ctx,
	struct arena *scratch, struct str **ret_targets, size_t *ret_n, struct err *reterr)
{
	CLEANUP(ic_unrefp) struct ic_rows *provisioned = NULL;
	const struct ic_provisioned *all;

	if (inventory_ic_provisioned(call->inv, ctx, call->scope, call->name, &provisioned, reterr) != ERR_OK)
		return reterr->code;
	all = ic_all(provisioned, ret_n);
	*ret_targets = arena_array_of(scratch, *ret_n, struct str);
	for (size_t i = 0; i < *ret_n; i++)
		(*ret_targets)[i] = str_dup(scratch, all[i].permission_set_arn);
	return ERR_OK;
}

static void fill_pair(const struct gather_call *call, struct str target, struct str token, void *in)
{
	*(struct aws_sso_admin_in *)in = (struct aws_sso_admin_in){.instance_arn = call->instance.arn,
		.account_id = call->name,
		.permission_set_arn = target,
		.next_token = token,
		.max_results = MAX_PAGE};
}

static enum err_code take_pair(const struct gather_call *call, struct listing *rows, struct str target,
	const void *out, struct str *ret_token, struct err *reterr)
{
	const struct aws_sso_admin_assignments_out *page = out;

	for (size_t i = 0; i < page->assignments.n; i++) {
		const struct aws_sso_admin_assignment *from =
			AWS_LIST_AT(page->assignments, struct aws_sso_admin_assignment, i);

		if (from->principal_type.n == 0 || from->principal_id.n == 0)
			return err_set(reterr, ERR_PROTOCOL,
				"sso:ListAccountAssignments answered a row without a principal, on "
				"account " STR_FMT,
				STR_ARG(call->name));
		((struct ic_assignment *)listing_add(rows))->key =
			str_fmt(rows->arena, STR_FMT "|" STR_FMT "|" STR_FMT, STR_ARG(target),
				STR_ARG(from->principal_type), STR_ARG(from->principal_id));
	}
	*ret_token = page->next_token;
	return ERR_OK;
}

static const struct gather_fact pairs_fact = {
	.rows = {.kind = GATHER_KIND("ic-assignments/1"), .type = &assignment_rows},
	.ahead = AHEAD_ASSIGNMENTS,
	.op = &aws_sso_admin_list_account_assignments,
	.needs_instance = true,
	.not_found = NOT_FOUND_IS_EMPTY,
	.fill = fill_pair,
	.take = take_pair,
	.targets = sets_of_account,
};

/* --- whom to ask, if by principals --- */

static void add_principals(
	struct listing *to, const char *type, const struct ic_rows *principals, size_t item_size)
{
	size_t n;
	const char *item = ic_all(principals, &n);

	for (size_t i = 0; i < n; i++, item += item_size)
		((struct keyed *)listing_add(to))->key =
			str_fmt(to->arena, "%s|" STR_FMT, type, STR_ARG(*(const struct str *)item));
}

/* Fills `to` with the directory's users and groups when they are fewer than the pairs. */
static enum err_code choose_principals(struct inventory *inv, const struct ctx *ctx, struct str scope,
	struct listing *to, struct err *reterr)
{
	CLEANUP(ic_unrefp) struct ic_rows *users = NULL;
	CLEANUP(ic_unrefp) struct ic_rows *groups = NULL;
	size_t n_pairs, n_users, n_groups;
	bool may;

	if (ic_is_management(inv, ctx, scope, &may, reterr) != ERR_OK)
		return reterr->code;
	if (!may)
		return ERR_OK;
	if (ic_count_pairs(inv, ctx, scope, &n_pairs, reterr) != ERR_OK ||
		inventory_ic_users(inv, ctx, scope, &users, reterr) != ERR_OK ||
		inventory_ic_groups(inv, ctx, scope, &groups, reterr) != ERR_OK)
		return reterr->code;
	(void)ic_all(users, &n_users);
	(void)ic_all(groups, &n_groups);
	if (n_users + n_groups < n_pairs) {
		add_principals(to, "GROUP", groups, sizeof(struct ic_group));
		add_principals(to, "USER", users, sizeof(struct ic_user));
	}
	return ERR_OK;
}

static void listing_freep(struct listing **l)
{
	listing_free(*l);
}

static enum err_code fetch_principals(const struct fact_kind *kind, void *self, const struct ctx *ctx,
	struct str scope, struct str name, void **partial, void **ret_fact, struct err *reterr)
{
	CLEANUP(listing_freep) struct listing *chosen = listing_new(sizeof(struct keyed));
	struct rows *rows;

	(void)kind;
	(void)name;
	(void)partial;
	if (choose_principals(self, ctx, scope, chosen, reterr) != ERR_OK ||
		rows_new(&keyed_rows, chosen->items, chosen->n, &rows, reterr) != ERR_OK)
		return reterr->code;
	*ret_fact = rows;
	return ERR_OK;
}

static void no_partial(void *partial)
{
	(void)partial;
}

static const struct rows_fact principals_fact = {
	.kind = {.name = "ic-principals/1",
		.fetch = fetch_principals,
		.partial_free = no_partial,
		.open = rows_fact_open,
		.bytes = rows_fact_bytes,
		.ref = rows_fact_ref,
		.unref = rows_fact_unref},
	.type = &keyed_rows,
};

/* --- by principals --- */

static enum err_code all_principals(const struct gather_call *call, const struct ctx *ctx,
	struct arena *scratch, struct str **ret_targets, size_t *ret_n, struct err *reterr)
{
	CLEANUP(ic_unrefp) struct ic_rows *principals = NULL;
	const struct keyed *all;

	if (inventory_get_rows(call->inv, ctx, &principals_fact, call->scope, &principals, reterr) != ERR_OK)
		return reterr->code;
	all = ic_all(principals, ret_n);
	*ret_targets = arena_array_of(scratch, *ret_n, struct str);
	for (size_t i = 0; i < *ret_n; i++)
		(*ret_targets)[i] = str_dup(scratch, all[i].key);
	return ERR_OK;
}

static enum err_code calls_by_pairs(
	const struct gather_call *call, const struct ctx *ctx, size_t *ret_calls, struct err *reterr)
{
	return ic_count_pairs(call->inv, ctx, call->scope, ret_calls, reterr);
}

static void fill_principal(const struct gather_call *call, struct str target, struct str token, void *in)
{
	const struct str type = str_cut(&target, '|');

	*(struct aws_sso_admin_principal_in *)in =
		(struct aws_sso_admin_principal_in){.instance_arn = call->instance.arn,
			.principal_id = target,
			.principal_type = type,
			.filter = {.account_id = STR_EMPTY},
			.next_token = token,
			.max_results = MAX_PAGE};
}

/* A user's answer has the rows of his groups, too, which are asked for themselves. */
static enum err_code take_principal(const struct gather_call *call, struct listing *rows, struct str target,
	const void *out, struct str *ret_token, struct err *reterr)
{
	const struct aws_sso_admin_assignments_out *page = out;
	struct str id = target;

	(void)call;
	(void)str_cut(&id, '|');
	for (size_t i = 0; i < page->assignments.n; i++) {
		const struct aws_sso_admin_assignment *from =
			AWS_LIST_AT(page->assignments, struct aws_sso_admin_assignment, i);

		if (from->account_id.n == 0 || from->permission_set_arn.n == 0 || from->principal_id.n == 0)
			return err_set(reterr, ERR_PROTOCOL,
				"sso:ListAccountAssignmentsForPrincipal answered a row that lacks account, "
				"permission set or principal, for " STR_FMT,
				STR_ARG(target));
		if (str_eq(from->principal_id, id))
			((struct keyed *)listing_add(rows))->key = str_fmt(rows->arena,
				STR_FMT "|" STR_FMT "|" STR_FMT, STR_ARG(from->account_id),
				STR_ARG(from->permission_set_arn), STR_ARG(target));
	}
	*ret_token = page->next_token;
	return ERR_OK;
}

/* What makes the rest of the sync go by pairs. Any other failure stays one: pairs would not fare better. */
static bool is_for_pairs(enum err_code code)
{
	return code == ERR_DENIED || code == ERR_TOO_LARGE;
}

/* While all principals were being read, the read-ahead passed the accounts by. */
static void read_pairs_ahead(struct inventory *inv, const struct ctx *ctx, struct str sync_id)
{
	CLEANUP(arena_freep) struct arena *scratch = arena_new(0);
	struct str *accounts;
	struct err e;
	size_t n;

	if (ic_active_accounts(inv, ctx, sync_id, scratch, &accounts, &n, &e) == ERR_OK)
		inventory_expect(inv, sync_id, AHEAD_PAIRS, accounts, n);
	else
		log_debug("assignments are not read ahead", LOG_CSTR("error", e.msg));
}

/* A failure that leaves this way is noted before anybody can begin it again. */
static enum err_code fetch_by_principals(const struct fact_kind *kind, void *self, const struct ctx *ctx,
	struct str scope, struct str name, void **partial, void **ret_fact, struct err *reterr)
{
	const struct aws_operation *op = ((const struct gather_fact *)kind)->op;
	struct inventory *inv = self;

	if (!inventory_is_permitted(inv, scope, op))
		return err_set(reterr, ERR_DENIED, "sso:%s is not used in this sync any more", op->name);
	if (gather_fetch(kind, self, ctx, scope, name, partial, ret_fact, reterr) == ERR_OK)
		return ERR_OK;
	if (!is_for_pairs(reterr->code))
		return reterr->code;
	if (reterr->code == ERR_DENIED) {
		inventory_note_denied(
			inv, scope, op, "each pair of account and permission set costs a call of its own");
	} else {
		(void)claims_first(inv->claims, scope, str_c(op->name));
		log_info("assignments are read pair by pair", LOG_CSTR("reason", reterr->msg));
	}
	read_pairs_ahead(inv, ctx, scope);
	return reterr->code;
}

static const struct gather_fact by_principals_fact = {
	.rows = {.kind = {.name = "ic-assignments-by-principal/1",
			 .fetch = fetch_by_principals,
			 .partial_free = gather_free,
			 .open = rows_fact_open,
			 .bytes = rows_fact_bytes,
			 .ref = rows_fact_ref,
			 .unref = rows_fact_unref,
			 .ahead_never_waits = true},
		.type = &keyed_rows},
	.op = &aws_sso_admin_list_account_assignments_for_principal,
	.needs_instance = true,
	.not_found = NOT_FOUND_IS_EMPTY,
	.fill = fill_principal,
	.take = take_principal,
	.targets = all_principals,
	.rival = calls_by_pairs,
};

/* The account's rows among all, as by pairs: of what is provisioned to it. */
static enum err_code rows_of_account(struct inventory *inv, const struct ctx *ctx, struct str sync_id,
	struct str account, const struct ic_rows *all, struct ic_rows **ret_rows, struct err *reterr)
{
	CLEANUP(ic_unrefp) struct ic_rows *provisioned = NULL;
	CLEANUP(arena_freep) struct arena *scratch = arena_new(0);
	const struct str prefix = str_fmt(scratch, STR_FMT "|", STR_ARG(account));
	struct ic_assignment *own;
	const struct keyed *keyed;
	struct rows *rows;
	size_t n_all, first, end, n = 0;

	if (inventory_ic_provisioned(inv, ctx, sync_id, account, &provisioned, reterr) != ERR_OK)
		return reterr->code;
	keyed = ic_all(all, &n_all);
	for (first = end = ic_after(all, prefix); end < n_all && str_starts(keyed[end].key, prefix);)
		end++;
	own = arena_array_of(scratch, end - first, struct ic_assignment);
	for (size_t i = first; i < end; i++) {
		const struct str key = str_from(keyed[i].key, prefix.n);
		struct str rest = key;

		if (ic_find(provisioned, str_cut(&rest, '|')) != NULL)
			own[n++].key = key;
	}
	if (rows_new(&assignment_rows, own, n, &rows, reterr) != ERR_OK)
		return reterr->code;
	*ret_rows = (struct ic_rows *)rows;
	return ERR_OK;
}

/* --- the choice --- */

/* *ret_rows stays NULL: by pairs. */
static enum err_code by_principals(struct inventory *inv, const struct ctx *ctx, struct str sync_id,
	struct str account, struct ic_rows **ret_rows, struct err *reterr)
{
	CLEANUP(ic_unrefp) struct ic_rows *principals = NULL;
	CLEANUP(ic_unrefp) struct ic_rows *all = NULL;
	size_t n;

	if (inventory_get_rows(inv, ctx, &principals_fact, sync_id, &principals, reterr) != ERR_OK)
		return reterr->code;
	(void)ic_all(principals, &n);
	if (n == 0)
		return ERR_OK;
	if (gather_get(inv, ctx, &by_principals_fact, sync_id, STR_EMPTY, &all, reterr) != ERR_OK)
		return is_for_pairs(reterr->code) ? ERR_OK : reterr->code;
	return rows_of_account(inv, ctx, sync_id, account, all, ret_rows, reterr);
}

enum err_code inventory_ic_assignments(struct inventory *inv, const struct ctx *ctx, struct str sync_id,
	struct str account, struct ic_rows **ret_assignments, struct err *reterr)
{
	struct ic_rows *rows = NULL;

	if (inv->opts.principals_synced && sync_id.n > 0 &&
		inventory_is_permitted(inv, sync_id, by_principals_fact.op) &&
		by_principals(inv, ctx, sync_id, account, &rows, reterr) != ERR_OK)
		return reterr->code;
	if (rows == NULL)
		return gather_get(inv, ctx, &pairs_fact, sync_id, account, ret_assignments, reterr);
	*ret_assignments = rows;
	return ERR_OK;
}
