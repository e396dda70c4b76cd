#include "inventory/policy_catalogue.h"

#include "aws/iam.h"
#include "inventory/iam_account.h"
#include "inventory/gather.h"

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

static enum err_code take_page(const struct gather_call *call, struct listing *rows, struct str target,
	const void *out, struct str *ret_token, struct err *reterr)
{
	const struct aws_iam_list_policies_out *page = out;

	(void)call;
	(void)target;
	for (size_t i = 0; i < page->policies.n; i++) {
		const struct aws_iam_policy *from = AWS_LIST_AT(page->policies, struct aws_iam_policy, i);

		if (from->arn.n == 0)
			return err_set(reterr, ERR_PROTOCOL, "AWS answered with a policy that has no ARN");
		*(struct catalogue_policy *)listing_add(rows) = (struct catalogue_policy){
			.arn = str_dup(rows->arena, from->arn),
			.name = str_dup(rows->arena, from->name),
			.version_id = str_dup(rows->arena, from->default_version_id),
			.created_s = from->created_s.set ? from->created_s.v : IAM_NO_TIME,
		};
	}
	if (!page->page.is_truncated.set || page->page.is_truncated.v == 0)
		return ERR_OK;
	if (page->page.marker.n == 0) /* D35: the end of a listing is said, never guessed */
		return err_set(reterr, ERR_UNAVAILABLE,
			"iam:ListPolicies answered a truncated list without a marker");
	*ret_token = page->page.marker;
	return ERR_OK;
}

static void fill_page(const struct gather_call *call, struct str target, struct str token, void *in)
{
	(void)call;
	(void)target;
	*(struct aws_iam_list_policies_in *)in = (struct aws_iam_list_policies_in){
		.scope = STR("AWS"), .marker = token, .max_items = {PAGE_POLICIES, true}};
}

/* Where it is denied, what is attached is listed under its accounts (syncers/iam_policy.c). */
const struct gather_fact policy_catalogue_fact = {
	.rows = {.kind = GATHER_KIND("policy-catalogue/1"), .type = &type},
	.op = &aws_iam_list_policies,
	.denied = DENIED_IS_EMPTY,
	.consequence = "AWS-managed policies that nobody holds are left out",
	.fill = fill_page,
	.take = take_page,
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
