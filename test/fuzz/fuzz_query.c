/* layers: aws base
 *
 * The decoder of GetAccountAuthorizationDetails, with and without a sink: any bytes in. Where the bytes
 * are cut into chunks must not matter, and both ways must see the same items. */
#include "aws/query.h"

#include "aws/iam.h"
#include "support/fuzz.h"

#define MAX_BYTES 100000

struct counts {
	size_t users, groups, roles, policies;
	size_t bytes; /* of what hangs on the items, read through to its end */
};

static void read_str(struct counts *c, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		c->bytes += (unsigned char)s.p[i];
	c->bytes += s.n;
}

static void read_user(struct counts *c, const struct aws_iam_user *u)
{
	c->users++;
	read_str(c, u->name);
	for (size_t i = 0; i < u->groups.n; i++)
		read_str(c, *AWS_LIST_AT(u->groups, struct str, i));
	for (size_t i = 0; i < u->inline_policies.n; i++)
		read_str(c, AWS_LIST_AT(u->inline_policies, struct aws_iam_inline_policy, i)->document);
	for (size_t i = 0; i < u->tags.n; i++)
		read_str(c, AWS_LIST_AT(u->tags, struct aws_iam_tag, i)->value);
}

static void read_policy(struct counts *c, const struct aws_iam_policy *p)
{
	c->policies++;
	for (size_t i = 0; i < p->versions.n; i++)
		read_str(c, AWS_LIST_AT(p->versions, struct aws_iam_policy_version, i)->document);
}

static enum err_code on_item(void *self, const struct aws_member *list, const void *item, struct err *reterr)
{
	struct counts *c = self;

	(void)reterr;
	if (list == aws_iam_account_details_users)
		read_user(c, item);
	else if (list == aws_iam_account_details_groups)
		c->groups++;
	else if (list == aws_iam_account_details_roles)
		c->roles++;
	else
		read_policy(c, item);
	return ERR_OK;
}

static enum err_code decode(struct str in, size_t step, struct counts *c, bool with_sink)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	struct aws_iam_account_details_out out;
	struct aws_sink sink = {.item = on_item, .self = c};
	CLEANUP(aws_query_decoder_freep)
	struct aws_query_decoder *d = aws_query_decoder_new(&(struct aws_query_decoder_options){
		.op = &aws_iam_get_account_authorization_details,
		.arena = a,
		.out = &out,
		.sink = with_sink ? &sink : NULL,
		.max_bytes = MAX_BYTES,
	});
	struct err err;
	enum err_code code;
	bool cut;

	for (struct str rest = in; rest.n; rest = str_from(rest, step < rest.n ? step : rest.n)) {
		code = aws_query_decoder_feed(d, str_sub(rest, 0, step), &err);
		if (code != ERR_OK)
			return code;
	}
	code = aws_query_decoder_finish(d, &cut, &err);
	if (code != ERR_OK || with_sink)
		return code;
	for (size_t i = 0; i < out.users.n; i++)
		read_user(c, AWS_LIST_AT(out.users, struct aws_iam_user, i));
	c->groups = out.groups.n;
	c->roles = out.roles.n;
	for (size_t i = 0; i < out.policies.n; i++)
		read_policy(c, AWS_LIST_AT(out.policies, struct aws_iam_policy, i));
	return ERR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_n((const char *)data, size);
	struct counts streamed = {0}, bytewise = {0}, whole = {0};
	enum err_code code = decode(in, 4096, &streamed, true);

	FUZZ_CHECK(decode(in, 1, &bytewise, true) == code);
	FUZZ_CHECK(streamed.users == bytewise.users && streamed.roles == bytewise.roles &&
		   streamed.bytes == bytewise.bytes);
	if (decode(in, 4096, &whole, false) == ERR_OK) {
		FUZZ_CHECK(code == ERR_OK);
		FUZZ_CHECK(streamed.users == whole.users && streamed.groups == whole.groups);
		FUZZ_CHECK(streamed.roles == whole.roles && streamed.policies == whole.policies);
		FUZZ_CHECK(streamed.bytes == whole.bytes);
	}
	return 0;
}
