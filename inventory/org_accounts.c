#include "inventory/org_accounts.h"

#include "aws/organizations.h"
#include "inventory/gather.h"

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

static enum err_code take_page(const struct gather_call *call, struct listing *rows, struct str target,
	const void *out, struct str *ret_token, struct err *reterr)
{
	const struct aws_organizations_list_accounts_out *page = out;

	(void)call;
	(void)target;
	for (size_t i = 0; i < page->accounts.n; i++) {
		const struct aws_organizations_account *from =
			AWS_LIST_AT(page->accounts, struct aws_organizations_account, i);

		if (from->id.n == 0)
			return err_set(
				reterr, ERR_PROTOCOL, "AWS answered with an account that has no number");
		*(struct org_account *)listing_add(rows) = (struct org_account){
			.id = str_dup(rows->arena, from->id),
			.arn = str_dup(rows->arena, from->arn),
			.name = str_dup(rows->arena, from->name),
			.email = str_dup(rows->arena, from->email),
			.parent_id = str_dup(rows->arena, parent_of_path(from)),
			.active = is_active(from),
		};
	}
	*ret_token = page->next_token;
	return ERR_OK;
}

static void fill_page(const struct gather_call *call, struct str target, struct str token, void *in)
{
	(void)call;
	(void)target;
	*(struct aws_organizations_page_in *)in = (struct aws_organizations_page_in){
		.next_token = token, .max_results = {AWS_ORGANIZATIONS_MAX_RESULTS, true}};
}

const struct gather_fact org_accounts_fact = {
	.rows = {.kind = GATHER_KIND("org-accounts/2"), .type = &type},
	.op = &aws_organizations_list_accounts,
	.fill = fill_page,
	.take = take_page,
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
