#include "inventory/policy_catalogue.h"

#include "aws/iam.h"
#include "base/log.h"
#include "inventory/iam_account.h"
#include "inventory/internal.h"
#include "inventory/rows.h"

#define PAGE_POLICIES 1000 /* AWS's maximum */

/* A struct policy_catalogue is a struct rows of struct catalogue_policy. */
static struct rows *rows_of(const struct policy_catalogue *c)
{
	return (struct rows *)c;
}

static void pack_policy(struct buf *b, const void *item)
{
	const struct catalogue_policy *p = item;

	pack_str(b, p->arn);
	pack_str(b, p->name);
	pack_str(b, p->version_id);
	pack_i64(b, p->created_s);
}

static void unpack_policy(struct unpack *u, void *item)
{
	struct catalogue_policy *p = item;

	p->arn = unpack_str(u);
	p->name = unpack_str(u);
	p->version_id = unpack_str(u);
	p->created_s = unpack_i64(u);
}

static const struct rows_type type = {
	.item_size = sizeof(struct catalogue_policy),
	.min_bytes = 4,
	.pack = pack_policy,
	.unpack = unpack_policy,
};

static enum err_code take_page(struct listing *l, const struct aws_iam_list_policies_out *page, struct err *reterr)
{
	for (size_t i = 0; i < page->policies.n; i++) {
		const struct aws_iam_policy *from = AWS_LIST_AT(page->policies, struct aws_iam_policy, i);
		struct catalogue_policy *to;

		if (from->arn.n == 0)
			return err_set(reterr, ERR_PROTOCOL, "AWS answered with a policy that has no ARN");
		to = listing_add(l);
		*to = (struct catalogue_policy){
			.arn = str_dup(l->arena, from->arn),
			.name = str_dup(l->arena, from->name),
			.version_id = str_dup(l->arena, from->default_version_id),
			.created_s = from->created_s.set ? from->created_s.v : IAM_NO_TIME,
		};
	}
	return ERR_OK;
}

/* The policy side may be denied as a whole (architecture, decision 10): then what is attached is listed, under its accounts. */
static bool is_denied_as_a_whole(struct inventory *inv, const struct listing *l, const struct err *e)
{
	if (e->code != ERR_DENIED || !str_starts(str_c(e->aws_operation), STR("iam:")) || l->n > 0 ||
		inv->opts.require_all_permissions)
		return false;
	atomic_fetch_add_explicit(&inv->denied_reads, 1, memory_order_relaxed);
	log_warn("a permission is missing, ignoring", LOG_CSTR("permission", "iam:ListPolicies"),
		LOG_CSTR("consequence", "AWS-managed policies that nobody holds are left out"));
	return true;
}

static enum err_code fetch(const struct fact_kind *kind, void *self, const struct ctx *ctx, struct str scope,
	struct str name, void **partial, void **ret_fact, struct err *reterr)
{
	CLEANUP(aws_client_unrefp) struct aws_client *client = NULL;
	CLEANUP(arena_freep) struct arena *scratch = arena_new(0);
	bool last = false;
	struct rows *rows;
	struct listing *l;

	(void)kind;
	(void)scope;
	(void)name;
	if (inventory_client(self, ctx, &aws_iam, STR_EMPTY, &client, reterr) != ERR_OK)
		return reterr->code;
	if (*partial == NULL)
		*partial = listing_new(sizeof(struct catalogue_policy));
	l = *partial;
	while (!last) {
		const struct aws_iam_list_policies_in in = {
			.scope = STR("AWS"), .marker = l->token, .max_items = {PAGE_POLICIES, true}};
		struct aws_iam_list_policies_out out;

		arena_reset(scratch);
		if (aws_call(client, ctx, &aws_iam_list_policies, &in, scratch, &out, reterr) != ERR_OK) {
			if (!is_denied_as_a_whole(self, l, reterr))
				return err_prefix(reterr, "baton-aws: iam.ListPolicies failed");
			break;
		}
		last = !out.page.is_truncated.set || out.page.is_truncated.v == 0;
		if (!last && (out.page.marker.n == 0 || str_eq(out.page.marker, l->token)))
			return err_set(reterr, ERR_UNAVAILABLE, "iam:ListPolicies answered a truncated list without a new marker");
		if (take_page(l, &out, reterr) != ERR_OK)
			return reterr->code;
		l->token = last ? STR_EMPTY : str_dup(l->arena, out.page.marker);
	}
	if (rows_new(&type, l->items, l->n, &rows, reterr) != ERR_OK)
		return reterr->code;
	listing_free(l);
	*partial = NULL;
	*ret_fact = rows;
	return ERR_OK;
}

const struct rows_fact policy_catalogue_fact = {
	.type = &type,
	.kind = {
		.name = "policy-catalogue/1",
		.fetch = fetch,
		.partial_free = listing_free,
		.open = rows_fact_open,
		.bytes = rows_fact_bytes,
		.ref = rows_fact_ref,
		.unref = rows_fact_unref,
	},
};

void policy_catalogue_unref(struct policy_catalogue *c)
{
	rows_unref(rows_of(c));
}

void policy_catalogue_unrefp(struct policy_catalogue **c)
{
	policy_catalogue_unref(*c);
}

const struct catalogue_policy *policy_catalogue_all(const struct policy_catalogue *c, size_t *ret_n)
{
	return rows_all(rows_of(c), ret_n);
}

size_t policy_catalogue_after(const struct policy_catalogue *c, struct str arn)
{
	return rows_after(rows_of(c), arn);
}

const struct catalogue_policy *policy_catalogue_find(const struct policy_catalogue *c, struct str arn)
{
	return rows_find(rows_of(c), arn);
}
