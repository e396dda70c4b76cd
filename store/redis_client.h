/* store/redis_client.h
 *
 * Runs batches of commands, wherever Redis is at the moment: keeps connections between uses, asks Sentinel for the master,
 * follows Cluster's MOVED and ASK, and leaves Redis alone for a while after it failed.
 *
 * Threads:   any number at once; each has a connection of its own while a batch runs. No lock is held across I/O.
 * Ownership: options are copied; replies live in the arena given.
 * Errors:    ERR_UNAVAILABLE: Redis is away, changing its master, or was not even tried (the message says since when and why).
 *            ERR_DEADLINE: it is too slow, or the caller's time is over. ERR_CANCELLED, ERR_UNAUTHENTICATED, ERR_DENIED, ERR_PROTOCOL,
 *            ERR_TOO_LARGE. */
#ifndef STORE_REDIS_CLIENT_H
#define STORE_REDIS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/secret.h"
#include "store/redis_link.h"
#include "store/stream.h"

struct redis_client;

struct redis_client_options {
	struct str url;                         /* redis_url.h */
	const struct secret *password;          /* NULL or empty: the URL's */
	const struct secret *sentinel_password; /* NULL or empty: Sentinels want none */
	struct stream_tls_options tls;          /* of rediss:// */
	size_t max_reply_bytes;
	int64_t connect_timeout_ms;
	int64_t command_timeout_ms;
	int64_t idle_ms; /* a connection unused for longer is not used again */
	const struct clock *clock;
};

/* Connects to nothing yet. ERR_INVALID: the URL, a user without a password, files that are no certificates, or TLS options for a URL
 * without TLS. */
MUST_CHECK enum err_code redis_client_new(
	const struct redis_client_options *opts, struct redis_client **ret_client, struct err *reterr);
void redis_client_free(struct redis_client *c); /* nobody may be in redis_client_run; NULL is fine */

/* Runs the batch, all of whose keys have the hash tag `tag`, and gives its b->n replies. Replies may be errors of Redis's about the
 * single command (no memory, wrong type); errors about the connection or the server as a whole are the function's. */
MUST_CHECK enum err_code redis_client_run(struct redis_client *c, const struct ctx *ctx, struct str tag,
	const struct redis_batch *b, struct arena *arena, struct resp_reply **replies, struct err *reterr);

struct redis_client_stats {
	uint64_t connects;
	bool away; /* the last attempt failed */
};
void redis_client_stats(struct redis_client *c, struct redis_client_stats *ret_stats);

/* After a failure Redis is left alone for so long, twice as long after each further one. */
#define REDIS_AWAY_FIRST_MS 250
#define REDIS_AWAY_MAX_MS   5000

#endif
