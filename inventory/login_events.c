#include "inventory/login_events.h"

#include "aws/cloudtrail.h"
#include "aws/sso_admin.h"
#include "inventory/internal.h"

enum err_code inventory_login_now_s(
	struct inventory *inv, const struct ctx *ctx, int64_t *ret_now_s, struct err *reterr)
{
	CLEANUP(aws_client_unrefp) struct aws_client *client = NULL;

	if (inventory_client(inv, ctx, &aws_sso_admin, STR_EMPTY, &client, reterr) != ERR_OK)
		return reterr->code;
	*ret_now_s = clock_wall_s(ctx->clock) + aws_client_skew_s(client);
	return ERR_OK;
}

enum err_code inventory_login_events(struct inventory *inv, const struct ctx *ctx,
	const struct login_query *query, struct arena *arena, struct login_page *ret_page, struct err *reterr)
{
	CLEANUP(aws_client_unrefp) struct aws_client *client = NULL;
	struct aws_cloudtrail_lookup_attribute source = {
		.key = STR("EventSource"), .value = STR("sso.amazonaws.com")};
	const struct aws_cloudtrail_lookup_events_in in = {
		.start_s = {query->from_s, true},
		.end_s = {query->until_s, true},
		.attributes = {&source, 1},
		.next_token = query->token,
		.max_results = {AWS_CLOUDTRAIL_MAX_RESULTS, true},
	};
	struct aws_cloudtrail_lookup_events_out out;
	struct login_page page = {.n = 0};

	if (inventory_client(inv, ctx, &aws_cloudtrail, STR_EMPTY, &client, reterr) != ERR_OK)
		return reterr->code;
	if (aws_call(client, ctx, &aws_cloudtrail_lookup_events, &in, arena, &out, reterr) != ERR_OK)
		return err_prefix(reterr, "baton-aws: looking up login events failed");
	page.records = arena_array_of(arena, out.events.n, struct login_record);
	for (size_t i = 0; i < out.events.n; i++) {
		const struct aws_cloudtrail_event *from =
			AWS_LIST_AT(out.events, struct aws_cloudtrail_event, i);

		if (from->id.n > 0 && from->time_s.set && from->record.n > 0)
			page.records[page.n++] = (struct login_record){
				.id = from->id, .time_s = from->time_s.v, .document = from->record};
	}
	page.next = out.next_token;
	*ret_page = page;
	return ERR_OK;
}
