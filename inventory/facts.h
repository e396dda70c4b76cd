/* inventory/facts.h
 *
 * The one place where facts are kept: in process as opened objects, in the session store as bytes, and fetched from AWS by one
 * flight per fact when they are in neither.
 *
 * A kind of fact is a table of functions (struct fact_kind). A fact is named by (scope, kind, name): the sync it belongs to, what it
 * is, and of what. Private to inventory.
 *
 * Threads:   any number. Ownership: facts are immutable and reference-counted by their kind.
 * Errors:    those of the kind's fetch, and of ctx. A failing store costs a fetch (shelf.h). ERR_CONFLICT: read-ahead (ctx->background) of
 *            what another server is reading already. */
#ifndef INVENTORY_FACTS_H
#define INVENTORY_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"

struct facts;
struct shelf;

struct fact_kind {
	const char *name; /* part of the store's key, with the version of its bytes: "iam-account/1" */

	/* Asks AWS. *partial is what an earlier fetch that failed has left (NULL: nothing) and takes what this one leaves when it
	 * fails with something that may work later. */
	enum err_code (*fetch)(const struct fact_kind *kind, void *self, const struct ctx *ctx,
		struct str scope, struct str name, void **partial, void **ret_fact, struct err *reterr);
	void (*partial_free)(void *partial);

	/* Opens bytes of the store, which may be anybody's: checks all of them. */
	enum err_code (*open)(
		const struct fact_kind *kind, struct blob *bytes, void **ret_fact, struct err *reterr);
	struct blob *(*bytes)(void *fact); /* borrowed */
	void *(*ref)(void *fact);
	void (*unref)(void *fact);

	/* It takes long and has much in it: background work that finds it being fetched gets ERR_UNAVAILABLE and goes on with other things,
	 * instead of all its threads waiting for this one. */
	bool ahead_never_waits;
};

struct facts_options {
	struct shelf *shelf; /* borrowed */
	const struct clock *clock;
	size_t max_bytes; /* of facts kept in process */
	void *self;       /* first argument of fetch */
};

struct facts *facts_new(const struct facts_options *opts);
void facts_free(struct facts *f); /* nobody may be in facts_get any more; NULL is fine */

/* A reference to the fact. scope: the sync id; empty: a request without one, which shares facts in this process for 60 s. */
MUST_CHECK enum err_code facts_get(struct facts *f, const struct ctx *ctx, const struct fact_kind *kind,
	struct str scope, struct str name, void **ret_fact, struct err *reterr);

/* Forgets a scope, here and in the store. Threads that are fetching for it end as they may; what they get is not kept. */
void facts_forget(struct facts *f, const struct ctx *ctx, struct str scope);
/* The same here only: another server has done the rest. */
void facts_drop(struct facts *f, struct str scope);

size_t facts_bytes(struct facts *f); /* of facts kept in process, now */

struct facts_stats {
	uint64_t hits, store_hits, flights, waits;
};
void facts_stats(struct facts *f, struct facts_stats *ret_stats);

#endif
