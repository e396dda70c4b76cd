/* server/connector.h
 *
 * The connector: what all RPC handlers share. Made once at boot, after which only what locks itself changes.
 *
 * Threads:   any.
 * Ownership: everything it is given is borrowed and outlives it. */
#ifndef SERVER_CONNECTOR_H
#define SERVER_CONNECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/str.h"
#include "syncers/event_feed.h"
#include "syncers/syncer.h"

struct health;
struct identity_check;
struct inventory;
struct metrics;
struct rpc_body;

struct connector_options {
	const struct syncer *const *syncers; /* in the byte order of their type ids */
	size_t n_syncers;
	const struct event_feed *const *feeds;
	size_t n_feeds;
	const struct syncer_config *config;
	struct inventory *inventory;
	struct health *health;
	const struct clock *clock;
	struct str role_arn;    /* whose account GetMetadata names; empty: the caller's own */
	int64_t rpc_timeout_ms; /* of one call, at most; 0: only the client's deadline counts */
};

struct connector {
	struct connector_options opts;
	struct metrics *metrics;
	struct rpc_body
		*resource_types; /* the reply of ListResourceTypes: it depends on the configuration only */
	struct identity_check *identity_check; /* of Validate */
};

struct connector *connector_new(const struct connector_options *opts);
void connector_free(struct connector *c); /* NULL is fine */

/* NULL: a type, or a feed, that is not served here. */
const struct syncer *connector_syncer(const struct connector *c, struct str type_id);
const struct event_feed *connector_feed(const struct connector *c, struct str id);

#endif
