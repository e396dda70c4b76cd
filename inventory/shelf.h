/* inventory/shelf.h
 *
 * The session store as the inventory uses it: what fails there costs a fetch, never an answer. Failures are counted, and logged when
 * they begin, now and then while they last, and when they are over.
 *
 * With a store that several servers share, what is not there is fetched by one of them: shelf_get says who. A thread of its own
 * prolongs this server's leases until shelf_done, and ends them; no RPC waits for that. Private to inventory.
 *
 * Threads:   any number.
 * Ownership: scope and keys are borrowed for the call. */
#ifndef INVENTORY_SHELF_H
#define INVENTORY_SHELF_H

#include <stddef.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "store/store.h"

struct shelf;

struct shelf_options {
	struct store *store; /* borrowed: must outlive the shelf */
	const struct clock *clock;
	/* What facts depend on beside AWS: servers that are configured differently must not take each other's. Part of the scope. */
	struct str view;
	int64_t lease_ms; /* 0: SHELF_LEASE_MS */
	int64_t look_ms; /* how often the keeper looks whether syncs have ended, and the like; 0: SHELF_LOOK_MS */

	/* A sync that was asked about here has had its Cleanup on another server, some seconds ago. Called on a thread of the shelf's,
	 * never during shelf_free. NULL: nobody wants to know. */
	void (*ended)(void *self, struct str scope);
	void *self;
};

struct shelf *shelf_new(const struct shelf_options *opts);
void shelf_free(struct shelf *s); /* NULL is fine */

bool shelf_is_shared(const struct shelf *s);

/* Gives what is there. What is not is STORE_YOURS: fetch it, shelf_put, and shelf_done whether that worked or not; or STORE_ELSEWHERE:
 * another server fetches it, ask again after shelf_wait; or STORE_ENDED: the sync has had its Cleanup, who still asks fetches for himself.
 * With a store that fails everything is STORE_YOURS. */
void shelf_get(struct shelf *s, const struct ctx *ctx, struct str scope, struct store_item *items, size_t n);
void shelf_put(struct shelf *s, const struct ctx *ctx, struct str scope, const struct store_item *items,
	size_t n, int64_t ttl_ms);
void shelf_done(struct shelf *s, struct str scope, const struct str *keys, size_t n);

/* Waits a little longer each time (attempt: 0, 1, 2, ...). Errors: ctx's. */
MUST_CHECK enum err_code shelf_wait(const struct ctx *ctx, unsigned attempt, struct err *reterr);

void shelf_erase(struct shelf *s, const struct ctx *ctx, struct str scope, struct str key);
/* What a store that fails keeps is cleared as soon as it works again, or goes by its age. */
void shelf_clear(struct shelf *s, const struct ctx *ctx, struct str scope);

/* What the store gave could not be used. */
void shelf_damaged(struct shelf *s, const struct err *e);

uint64_t shelf_failures(struct shelf *s);

/* A server that died is succeeded by another after so long. */
#define SHELF_LEASE_MS 10000
#define SHELF_LOOK_MS  5000

#endif
