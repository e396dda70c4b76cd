#include "proto/messages.h"
#include "proto/pb_build.h"
#include "server/call.h"
#include "server/connector.h"
#include "server/services.h"
#include "syncers/event_feed.h"

/* What an empty id means: the feed of connectors from before there were several. */
#define DEFAULT_FEED "baton_feed_event"

enum rpc_code svc_list_events(struct call *call, const void *request)
{
	const V2(ListEventsRequest) *req = request;
	const char *id = req->event_feed_id[0] ? req->event_feed_id : DEFAULT_FEED;
	const struct event_feed *feed = connector_feed(call->connector, str_c(id));
	struct event_request er = {
		.call = call_for_syncer(call, STR_EMPTY, str_c(req->cursor), req->page_size),
		.has_start = req->start_at != NULL,
		.start_at_s = req->start_at != NULL ? req->start_at->seconds : 0,
	};
	V2(ListEventsResponse) * reply;
	struct event_page page = {.n = 0};
	struct err err;

	if (feed == NULL)
		return call_fail(call, RPC_NOT_FOUND, "error: event feed id %s not found", id);
	if (feed->list(&er, &page, &err) != ERR_OK) {
		/* There is such a feed, whatever AWS did not find. */
		if (err.code == ERR_NOT_FOUND)
			err.code = ERR_MISSING;
		return call_error(call, &err, "error: listing events failed");
	}
	reply = pb_new(call->arena, V2_DESC(list_events_response));
	reply->events = page.events;
	reply->n_events = call->items = page.n;
	reply->cursor = pb_str(call->arena, page.cursor);
	reply->has_more = page.has_more;
	return call_reply(call, &reply->base);
}

enum rpc_code svc_list_event_feeds(struct call *call, const void *request)
{
	V2(ListEventFeedsResponse) *reply = pb_new(call->arena, V2_DESC(list_event_feeds_response));

	(void)request;
	for (size_t i = 0; i < call->connector->opts.n_feeds; i++) {
		const struct event_feed *feed = call->connector->opts.feeds[i];
		V2(EventFeedMetadata) *metadata = pb_new(call->arena, V2_DESC(event_feed_metadata));

		metadata->id = pb_str(call->arena, str_c(feed->id));
		for (size_t k = 0; k < feed->n_types; k++)
			PB_ADD(call->arena, metadata, supported_event_types, feed->types[k]);
		PB_ADD(call->arena, reply, list, metadata);
	}
	return call_reply(call, &reply->base);
}
