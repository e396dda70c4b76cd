/* store/redis_link.h
 *
 * One connection to one Redis server, logged in, on which commands are sent in batches (pipelines).
 *
 * Threads:   a link belongs to one thread at a time.
 * Ownership: a batch owns its bytes; replies live in the arena given.
 * Errors:    of redis_link_run: those of stream.h and resp.h (ERR_DEADLINE: the caller's, or Redis was too slow); the link is then broken,
 *            and only good to be freed. A reply that is an error of Redis's is a reply: redis_reply_err says what it means. */
#ifndef STORE_REDIS_LINK_H
#define STORE_REDIS_LINK_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/secret.h"
#include "base/str.h"
#include "store/redis_url.h"
#include "store/resp.h"

struct redis_link;
struct stream_tls;

/* --- commands --- */

struct redis_batch {
	struct buf bytes;
	size_t *ends; /* n: where each command ends in bytes */
	size_t n, cap;
};

void redis_batch_init(struct redis_batch *b, size_t max_bytes);
void redis_batch_deinit(struct redis_batch *b);
void redis_batch_add(struct redis_batch *b, const struct str *args, size_t n);
#define REDIS_ADD(batch, ...)                                                                                \
	redis_batch_add((batch), (const struct str[]){__VA_ARGS__},                                          \
		sizeof((const struct str[]){__VA_ARGS__}) / sizeof(struct str))
/* Appends command number i of another batch. */
void redis_batch_copy(struct redis_batch *b, const struct redis_batch *from, size_t i);

/* --- links --- */

struct redis_login {
	struct str user;               /* empty: the default user */
	const struct secret *password; /* NULL: none */
	unsigned database;
	bool must_be_master; /* a replica is refused: ERR_UNAVAILABLE */
};

struct redis_link_options {
	struct str path; /* of a UNIX socket; empty: host */
	struct redis_host host;
	struct stream_tls *tls;          /* NULL: plain; outlives the link */
	const struct redis_login *login; /* NULL: as it comes (Sentinel without a password) */
	size_t max_reply_bytes;
	int64_t connect_timeout_ms; /* until it is logged in */
	int64_t command_timeout_ms; /* until a batch is answered */
};

/* ERR_UNAUTHENTICATED: user, password or certificate. The message names the host. */
MUST_CHECK enum err_code redis_link_open(const struct redis_link_options *opts, const struct ctx *ctx,
	struct redis_link **ret_link, struct err *reterr);
void redis_link_free(struct redis_link *l); /* NULL is fine */
void redis_link_freep(struct redis_link **l);

/* Sends the batch and waits for all b->n replies. */
MUST_CHECK enum err_code redis_link_run(struct redis_link *l, const struct ctx *ctx,
	const struct redis_batch *b, struct arena *arena, struct resp_reply **replies, struct err *reterr);

/* Whether the link, unused for a while, may still be used. */
bool redis_link_is_quiet(struct redis_link *l);
struct str redis_link_name(const struct redis_link *l); /* "host:port", or the path */
bool redis_link_was_used(const struct redis_link *l);   /* a batch was answered on it */

/* --- replies --- */

/* What an error reply is about, by its first words. */
enum redis_trouble {
	REDIS_FINE,  /* no error */
	REDIS_MOVED, /* Cluster: the slot is elsewhere */
	REDIS_ASK,   /* Cluster: this key is elsewhere, for now */
	REDIS_CHANGING, /* another server is, or becomes, the right one; or this one is not ready: connect anew */
	REDIS_FULL,     /* no memory: reading goes on */
	REDIS_FORBIDDEN,
	REDIS_REFUSED, /* anything else */
};
enum redis_trouble redis_reply_trouble(const struct resp_reply *r);

/* Fills *reterr from an error reply, with the remedy where there is one. */
enum err_code redis_reply_err(const struct resp_reply *r, struct err *reterr);

/* ERR_PROTOCOL "Redis answers <doing> in a way that makes no sense", for a reply that is no error. */
enum err_code redis_reply_odd(const char *doing, struct err *reterr);

#endif
