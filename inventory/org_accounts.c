#include "inventory/org_accounts.h"

#include "aws/organizations.h"
#include "inventory/internal.h"
#include "inventory/rows.h"

#define PAGE_ACCOUNTS 20 /* AWS's maximum */

/* A struct org_accounts is a struct rows of struct org_account. */
static struct rows *rows_of(const struct org_accounts *a)
{
	return (struct rows *)a;
}

static void pack_account(struct buf *b, const void *item)
{
	const struct org_account *a = item;

	pack_str(b, a->id);
	pack_str(b, a->arn);
	pack_str(b, a->name);
	pack_str(b, a->email);
	pack_str(b, a->parent_id);
	pack_u64(b, a->active ? 1 : 0);
}

static void unpack_account(struct unpack *u, void *item)
{
	struct org_account *a = item;

	a->id = unpack_str(u);
	a->arn = unpack_str(u);
	a->name = unpack_str(u);
	a->email = unpack_str(u);
	a->parent_id = unpack_str(u);
	a->active = unpack_u64(u) != 0;
}

static const struct rows_type type = {
	.item_size = sizeof(struct org_account),
	.min_bytes = 6,
	.pack = pack_account,
	.unpack = unpack_account,
};

/* AWS is replacing Status by State; an answer may have either or both. */
static bool is_active(const struct aws_organizations_account *a)
{
	return str_eq(a->state.n > 0 ? a->state : a->status, STR("ACTIVE"));
}

/* "o-.../r-.../ou-.../", perhaps with the account behind it: the last root or unit. */
static struct str parent_of_path(const struct aws_organizations_account *a)
{
	struct str rest = a->paths.n == 0 ? STR_EMPTY : *AWS_LIST_AT(a->paths, struct str, 0);
	struct str parent = STR_EMPTY;

	while (rest.n > 0) {
		const struct str segment = str_cut(&rest, '/');

		if (str_starts(segment, STR("r-")) || str_starts(segment, STR("ou-")))
			parent = segment;
	}
	return parent;
}

static enum err_code take_page(
	struct listing *l, const struct aws_organizations_list_accounts_out *page, struct err *reterr)
{
	for (size_t i = 0; i < page->accounts.n; i++) {
		const struct aws_organizations_account *from =
			AWS_LIST_AT(page->accounts, struct aws_organizations_account, i);
		struct org_account *to;

		if (from->id.n == 0)
			return err_set(reterr, ERR_PROTOCOL, "AWS answered with an account that has no number");
		to = listing_add(l);
		*to = (struct org_account){
			.id = str_dup(l->arena, from->id),
			.arn = str_dup(l->arena, from->arn),
			.name = str_dup(l->arena, from->name),
			.email = str_dup(l->arena, from->email),
			.parent_id = str_dup(l->arena, parent_of_path(from)),
			.active = is_active(from),
		};
	}
	return ERR_OK;
}

static enum err_code fetch(const struct fact_kind *kind, void *self, const struct ctx *ctx, struct str scope,
	struct str name, void **partial, void **ret_fact, struct err *reterr)
{
	CLEANUP(aws_client_unrefp) struct aws_client *client = NULL;
	CLEANUP(arena_freep) struct arena *scratch = arena_new(0);
	struct rows *rows;
	struct listing *l;

	(void)kind;
	(void)scope;
	(void)name;
	if (inventory_client(self, ctx, &aws_organizations, STR_EMPTY, &client, reterr) != ERR_OK)
		return reterr->code;
	if (*partial == NULL)
		*partial = listing_new(sizeof(struct org_account));
	l = *partial;
	do {
		const struct aws_organizations_page_in in = {.next_token = l->token, .max_results = {PAGE_ACCOUNTS, true}};
		struct aws_organizations_list_accounts_out out;

		arena_reset(scratch);
		if (aws_call(client, ctx, &aws_organizations_list_accounts, &in, scratch, &out, reterr) != ERR_OK)
			return err_prefix(reterr, "baton-aws: listAccounts failed");
		if (take_page(l, &out, reterr) != ERR_OK)
			return reterr->code;
		if (out.next_token.n > 0 && str_eq(out.next_token, l->token))
			return err_set(reterr, ERR_UNAVAILABLE, "organizations:ListAccounts answered the same page token again");
		l->token = str_dup(l->arena, out.next_token);
	} while (l->token.n > 0);
	if (rows_new(&type, l->items, l->n, &rows, reterr) != ERR_OK)
		return reterr->code;
	listing_free(l);
	*partial = NULL;
	*ret_fact = rows;
	return ERR_OK;
}

const struct rows_fact org_accounts_fact = {
	.type = &type,
	.kind = {
		.name = "org-accounts/2",
		.fetch = fetch,
		.partial_free = listing_free,
		.open = rows_fact_open,
		.bytes = rows_fact_bytes,
		.ref = rows_fact_ref,
		.unref = rows_fact_unref,
	},
};

void org_accounts_unref(struct org_accounts *a)
{
	rows_unref(rows_of(a));
}

void org_accounts_unrefp(struct org_accounts **a)
{
	org_accounts_unref(*a);
}

const struct org_account *org_accounts_all(const struct org_accounts *a, size_t *ret_n)
{
	return rows_all(rows_of(a), ret_n);
}

const struct org_account *org_accounts_find(const struct org_accounts *a, struct str id)
{
	return rows_find(rows_of(a), id);
}

size_t org_accounts_after(const struct org_accounts *a, struct str id)
{
	return rows_after(rows_of(a), id);
}
