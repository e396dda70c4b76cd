#include "proto/messages.h"
#include "proto/pb_build.h"
#include "server/call.h"
#include "server/services.h"

/* What an empty id means: the feed of connectors from before there were several. */
#define DEFAULT_FEED "baton_feed_event"

/* There are no feeds. */
enum rpc_code svc_list_events(struct call *call, const void *request)
{
	const V2(ListEventsRequest) *req = request;

	return call_fail(call, RPC_NOT_FOUND, "error: event feed id %s not found",
		req->event_feed_id[0] ? req->event_feed_id : DEFAULT_FEED);
}

enum rpc_code svc_list_event_feeds(struct call *call, const void *request)
{
	(void)request;
	return call_reply(call, pb_new(call->arena, V2_DESC(list_event_feeds_response)));
}
