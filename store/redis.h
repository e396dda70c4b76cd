/* store/redis.h
 *
 * The session store in a Redis that several servers share, and the bucket of turns that they share with it (base/quota.h).
 *
 *	<prefix>:1:{<scope>}:v:<key>   a value (redis_value.h), with a time to live
 *	<prefix>:1:{<scope>}:l:<key>   the lease of who fetches that value
 *	<prefix>:1:{<scope>}:keys      the set of the scope's values, which store_clear takes from
 *	<prefix>:1:{<scope>}:ended     for ten minutes after store_clear
 *	<prefix>:1:{quota/<name>}:b    a bucket: when its next turn comes, and the rate that was learned
 *	<prefix>:1:{quota/<name>}:m    who has used it of late
 *
 * Scopes are percent-encoded, so that the braces are ours: what belongs to one scope lies in one slot of a Cluster.
 *
 * Redis 5 or newer (scripts that look at the time and write).
 *
 * Threads:   any number at once. Ownership: options are borrowed for the call.
 * Errors:    store.h, redis_client.h. In a store that fails an older value may outlive a failed put; every value is one that
 *            some server put under this very scope and key. */
#ifndef STORE_REDIS_H
#define STORE_REDIS_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/quota.h"
#include "base/secret.h"
#include "base/str.h"
#include "store/store.h"
#include "store/stream.h"

struct store_redis_options {
	struct str url;                         /* redis_url.h */
	const struct secret *password;          /* NULL: the URL's */
	const struct secret *sentinel_password; /* NULL: Sentinels want none */
	struct stream_tls_options tls;          /* of rediss:// */
	struct str prefix;                      /* of all keys; empty: "baton" */
	size_t max_value_bytes; /* ERR_TOO_LARGE beyond, before and after packing; what is asked for together, together */
	int64_t max_age_ms; /* no value lives longer, whatever its ttl_ms; > 0 */
	int64_t connect_timeout_ms;
	int64_t command_timeout_ms;
	int64_t idle_ms;
	const struct clock *clock; /* borrowed for good */
};

/* Connects to nothing yet: a Redis that is away is the first call's error, not the start's. ERR_INVALID: the URL, or files that are
 * no certificates. store_free. */
MUST_CHECK enum err_code store_redis_new(
	const struct store_redis_options *opts, struct store **ret_store, struct err *reterr);

/* The bucket of a store made by store_redis_new; lives as long as the store. */
struct quota *store_redis_quota(struct store *s);

#endif
