/* store/store.h
 *
 * The session store: bytes kept under a scope and a key, for as long as a sync needs them. A scope is what
 * lives and dies together: a sync id, or the server's own scope. What is kept is a cache: any entry may be
 * gone at any time, and a failing store costs its user a fetch, not the answer.
 *
 *	memory.h   in this process
 *	redis.h    in a Redis, shared by several servers
 *
 * Threads:   any number at once, on one store.
 * Ownership: scope and key are borrowed for the call; values are shared references (base/blob.h).
 * Errors:    ERR_INVALID: scope or key empty or longer than STORE_NAME_MAX, or a negative ttl_ms.
 * Implementations that leave the process also answer ERR_UNAVAILABLE, ERR_DEADLINE, ERR_CANCELLED and
 * ERR_PROTOCOL. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"

struct store;

/* Bytes of a scope (a sync's id may have 1024) and of a key; both are 1 at least. */
#define STORE_NAME_MAX 1088

/* Gives a reference to the value, which the caller gives back with blob_unref.
 * ERR_NOT_FOUND: nothing there, or no more. */
MUST_CHECK enum err_code store_get(struct store *s, const struct ctx *ctx, struct str scope, struct str key,
	struct blob **ret_value, struct err *reterr);

/* Keeps a reference of its own to value, in place of what was there, for at most ttl_ms (0: as long as the
 * store keeps anything). ERR_TOO_LARGE: the value is larger than the store takes. After any failure nothing
 * is kept under the key: an older value would be wrong. */
MUST_CHECK enum err_code store_put(struct store *s, const struct ctx *ctx, struct str scope, struct str key,
	struct blob *value, int64_t ttl_ms, struct err *reterr);

/* ERR_OK also when nothing was there. */
MUST_CHECK enum err_code store_delete(
	struct store *s, const struct ctx *ctx, struct str scope, struct str key, struct err *reterr);
/* In a shared store the scope has then ended, for all servers and some minutes: what is put into it is not kept. */
MUST_CHECK enum err_code store_clear(
	struct store *s, const struct ctx *ctx, struct str scope, struct err *reterr);

/* --- several servers on one store --- */

/* Whether others use the store as well. Where not, nobody else fetches anything, and the functions below
 * cost no more than the ones above. */
bool store_is_shared(const struct store *s);

/* What several servers need is fetched by one of them: the others find its lease and wait for the value. A lease that is
 * not renewed ends by itself, so that somebody takes over when its holder has died. Each has a number, which its server chooses: who
 * takes a lease again under another number need not fear that the end of the last one, still on its way, ends the new one, too. */
enum store_found {
	STORE_VALUE,     /* here it is */
	STORE_YOURS,     /* nothing there, and the lease is now this server's: fetch, put, end the lease */
	STORE_ELSEWHERE, /* nothing there yet, another server holds the lease: ask again soon */
	STORE_ENDED,     /* the scope was cleared not long ago: nothing is kept in it any more */
};
struct store_item {
	struct str key;
	uint64_t lease;         /* for store_get_or_lease: the number of the lease that it may take */
	struct blob *value;     /* the caller's reference; NULL: none */
	enum store_found found; /* of store_get_or_lease */
};
struct store_lease {
	struct str key;
	uint64_t number;
};

/* Asks for n keys at once. Every item is filled, also after a failure: those that it hit are STORE_YOURS, and whether their lease is this
 * server's is not known (ending or prolonging another's does nothing). */
MUST_CHECK enum err_code store_get_or_lease(struct store *s, const struct ctx *ctx, struct str scope,
	struct store_item *items, size_t n, int64_t lease_ms, struct err *reterr);

/* store_put for n items at once; a failure may have kept some of them. */
MUST_CHECK enum err_code store_put_many(struct store *s, const struct ctx *ctx, struct str scope,
	const struct store_item *items, size_t n, int64_t ttl_ms, struct err *reterr);

/* Prolongs, or ends, this server's leases. One that the store has lost is taken anew; one that has gone to another server, or that this one
 * has taken again under another number, stays as it is. */
MUST_CHECK enum err_code store_renew_leases(struct store *s, const struct ctx *ctx, struct str scope,
	const struct store_lease *leases, size_t n, int64_t lease_ms, struct err *reterr);
MUST_CHECK enum err_code store_end_leases(struct store *s, const struct ctx *ctx, struct str scope,
	const struct store_lease *leases, size_t n, struct err *reterr);

/* Whether store_clear has ended the scope, on whichever server. */
MUST_CHECK enum err_code store_ended(
	struct store *s, const struct ctx *ctx, struct str scope, bool *ret_ended, struct err *reterr);

struct store_stats {
	uint64_t hits;
	uint64_t misses;
	uint64_t puts;      /* accepted ones */
	uint64_t evictions; /* entries that had to go for lack of room */
	uint64_t expired;   /* entries that went by age */
	uint64_t entries;   /* now */
	uint64_t bytes;     /* now: keys, values and a flat 32 per entry */

	/* Of a shared store; the counts above are then of this server alone, entries and bytes are 0. */
	uint64_t failures;      /* operations that failed */
	uint64_t bytes_written; /* as they are kept, */
	uint64_t bytes_packed;  /* and what they were before they were compressed */
	uint64_t connects;      /* connections made */
	bool away;              /* the last attempt failed */
};

/* Counts since the store was made. Gives back what has expired first, so that an idle server whose metrics
 * are read does not hold on to it. */
void store_stats(struct store *s, struct store_stats *ret_stats);

void store_free(struct store *s); /* NULL is fine; nobody may use the store any more */
void store_freep(struct store **s);

/* For implementations, which embed a struct store as their first member. Arguments were checked. */
struct store_vtable {
	enum err_code (*get)(struct store *s, const struct ctx *ctx, struct str scope, struct str key,
		struct blob **ret_value, struct err *reterr);
	enum err_code (*put)(struct store *s, const struct ctx *ctx, struct str scope, struct str key,
		struct blob *value, int64_t ttl_ms, struct err *reterr);
	enum err_code (*delete)(
		struct store *s, const struct ctx *ctx, struct str scope, struct str key, struct err *reterr);
	enum err_code (*clear)(struct store *s, const struct ctx *ctx, struct str scope, struct err *reterr);
	void (*stats)(struct store *s, struct store_stats *ret_stats);
	void (*free)(struct store *s);

	/* NULL in a store that is not shared; n is 1 at least */
	enum err_code (*get_or_lease)(struct store *s, const struct ctx *ctx, struct str scope,
		struct store_item *items, size_t n, int64_t lease_ms, struct err *reterr);
	enum err_code (*put_many)(struct store *s, const struct ctx *ctx, struct str scope,
		const struct store_item *items, size_t n, int64_t ttl_ms, struct err *reterr);
	enum err_code (*renew_leases)(struct store *s, const struct ctx *ctx, struct str scope,
		const struct store_lease *leases, size_t n, int64_t lease_ms, struct err *reterr);
	enum err_code (*end_leases)(struct store *s, const struct ctx *ctx, struct str scope,
		const struct store_lease *leases, size_t n, struct err *reterr);
	enum err_code (*ended)(struct store *s, const struct ctx *ctx, struct str scope, bool *ret_ended,
		struct err *reterr);
};

struct store {
	const struct store_vtable *vtable;
};

#endif
