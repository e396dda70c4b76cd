/* store/store.h
 *
 * The session store: bytes kept under a scope and a key, for as long as a sync needs them. A scope is what
 * lives and dies together: a sync id, or the server's own scope. What is kept is a cache: any entry may be
 * gone at any time, and a failing store costs its user a fetch, not the answer.
 *
 *	memory.h   in this process
 *
 * Threads:   any number at once, on one store.
 * Ownership: scope and key are borrowed for the call; values are shared references (base/blob.h).
 * Errors:    ERR_INVALID: scope or key empty or longer than STORE_NAME_MAX, or a negative ttl_ms.
 * Implementations that leave the process also answer ERR_UNAVAILABLE, ERR_DEADLINE, ERR_CANCELLED and
 * ERR_PROTOCOL. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdint.h>

#include "base/blob.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"

struct store;

#define STORE_NAME_MAX 512 /* bytes of a scope and of a key; both are 1 at least */

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
MUST_CHECK enum err_code store_clear(
	struct store *s, const struct ctx *ctx, struct str scope, struct err *reterr);

struct store_stats {
	uint64_t hits;
	uint64_t misses;
	uint64_t puts;      /* accepted ones */
	uint64_t evictions; /* entries that had to go for lack of room */
	uint64_t expired;   /* entries that went by age */
	uint64_t entries;   /* now */
	uint64_t bytes;     /* now: keys, values and a flat 32 per entry */
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
};

struct store {
	const struct store_vtable *vtable;
};

#endif
