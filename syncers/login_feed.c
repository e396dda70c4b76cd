/* aws_last_login_event_feed: logins through Identity Center, from CloudTrail (spec/identity-center.md 10.1). Which of them, and when:
 * login_scan.c. */
#include "inventory/identity_center.h"
#include "syncers/event_feed.h"
#include "syncers/kinds.h"
#include "syncers/login_scan.h"
#include "syncers/message.h"
#include "syncers/sso_arn.h"

#include "proto/pb_build.h"

#define FIRST_S (2 * INT64_C(3600)) /* how far back a feed begins that nobody has told where to */

static enum err_code look_up(void *self, const struct login_query *query, struct arena *arena,
	struct login_page *ret_page, struct err *reterr)
{
	const struct syncer_call *call = self;

	return inventory_login_events(call->inventory, call->ctx, query, arena, ret_page, reterr);
}

static V2(Event) *
	event_message(const struct syncer_call *call, struct str partition, const struct login_event *from)
{
	const struct sso_arn directory = sso_arn_in(call, partition, from->login.store_id);
	const struct str actor = sso_arn_user(call->arena, &directory, from->login.user_id);
	V2(UsageEvent) *usage = pb_new(call->arena, V2_DESC(usage_event));
	V2(Event) *event = pb_new(call->arena, V2_DESC(event));

	usage->target_resource =
		resource_named(call->arena, "account", from->login.account, from->login.account);
	usage->actor_resource = resource_named(call->arena, "sso_user", actor, from->login.user_id);
	event->id = pb_str(call->arena, from->id);
	event->occurred_at = pb_timestamp(call->arena, from->time_s);
	event->event_case = V2_ENUM(EVENT__EVENT_USAGE_EVENT);
	event->usage_event = usage;
	return event;
}

static enum err_code first_cursor(
	const struct event_request *request, int64_t now_s, struct login_cursor *ret, struct err *reterr)
{
	*ret = (struct login_cursor){.from_s = request->has_start ? request->start_at_s : now_s - FIRST_S};
	if (ret->from_s < now_s - LOGIN_HISTORY_S)
		ret->from_s = now_s - LOGIN_HISTORY_S;
	if (ret->from_s > now_s + LOGIN_HISTORY_S)
		return err_set(reterr, ERR_INVALID, "baton-aws: start_at is far in the future");
	return ERR_OK;
}

static enum err_code list(
	const struct event_request *request, struct event_page *ret_page, struct err *reterr)
{
	struct syncer_call call = request->call;
	const struct login_source source = {.look_up = look_up, .self = &call};
	struct ic_instance instance;
	struct login_cursor cursor;
	struct login_batch batch;
	struct event_page page;
	int64_t now_s;

	if (call.page_token.n > 0 &&
		login_cursor_decode(call.arena, call.page_token, &cursor, reterr) != ERR_OK)
		return reterr->code;
	if (inventory_ic_instance(call.inventory, call.ctx, call.sync_id, call.arena, &instance, reterr) !=
			ERR_OK ||
		inventory_login_now_s(call.inventory, call.ctx, &now_s, reterr) != ERR_OK ||
		(call.page_token.n == 0 && first_cursor(request, now_s, &cursor, reterr) != ERR_OK) ||
		login_scan_step(&cursor, now_s, call.page_size, &source, call.arena, &batch, reterr) !=
			ERR_OK)
		return reterr->code;
	page = (struct event_page){
		.cursor = login_cursor_encode(call.arena, &cursor), .has_more = batch.has_more};
	page.events = arena_array_of(call.arena, batch.n, V2(Event) *);
	for (; page.n < batch.n; page.n++)
		page.events[page.n] = event_message(&call, instance.partition, &batch.events[page.n]);
	*ret_page = page;
	return ERR_OK;
}

static const V2(EventType) types[] = {V2_ENUM(EVENT_TYPE__EVENT_TYPE_USAGE)};

const struct event_feed login_feed = {
	.id = "aws_last_login_event_feed",
	.types = types,
	.n_types = ARRAY_LEN(types),
	.list = list,
};
