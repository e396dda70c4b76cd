/* syncers/event_feed.h
 *
 * An event feed as the connector serves it: what has happened since a cursor, as baton messages. Like a syncer, with a cursor that the engine
 * keeps between polls in place of a page token, and no sync.
 *
 * Threads:   a feed has no state; its functions run on any worker.
 * Ownership: messages live in call->arena and die with the RPC.
 * Errors:    ERR_INVALID for a bad cursor; else what the inventory said. Messages start with "baton-aws: ". */
#ifndef SYNCERS_EVENT_FEED_H
#define SYNCERS_EVENT_FEED_H

#include "c1/connector/v2/event_feed.pb-c.h"

#include "syncers/syncer.h"

struct event_request {
	struct syncer_call call; /* page_token: the cursor; no sync id */
	bool has_start;
	int64_t start_at_s; /* counts where there is no cursor yet */
};

struct event_page {
	C1__Connector__V2__Event **events;
	size_t n;
	struct str cursor; /* to go on with; never empty */
	bool has_more;
};

struct event_feed {
	const char *id;
	const C1__Connector__V2__EventType *types;
	size_t n_types;
	enum err_code (*list)(
		const struct event_request *request, struct event_page *ret_page, struct err *reterr);
};

#define EVENT_FEEDS_MAX 1

/* The feeds that this configuration registers (spec/config.md 7). Returns how many. */
size_t event_feeds_registered(
	const struct syncer_config *config, const struct event_feed *ret_feeds[EVENT_FEEDS_MAX]);

#endif
