/* inventory/gather.h
 *
 * Facts that are gathered by one list operation over any number of targets, each of which may have pages: users (one target), members of
 * a group, assignments of an account over its permission sets. A row of a table says how (struct gather_fact); one mechanism runs them all,
 * many calls at a time, under the pacer.
 *
 * A gathering is the `partial` of its fact (facts.h): when a call fails, what came stays, and the next run goes on with the targets and
 * pages that are left. Private to inventory.
 *
 * Threads: one run at a time (the fact's single flight). */
#ifndef INVENTORY_GATHER_H
#define INVENTORY_GATHER_H

#include "aws/client.h"
#include "inventory/identity_center.h"
#include "inventory/internal.h"
#include "inventory/rows.h"

struct gather;
struct gather_fact;

/* What fill and take may look at. */
struct gather_call {
	struct inventory *inv;
	const struct gather_fact *fact;
	struct str scope; /* the sync */
	struct str
		name; /* of the fact: an account, a group, a permission set; empty where there is one only */
	struct ic_instance instance; /* when the service is one of Identity Center */
};

enum when_not_found {
	NOT_FOUND_PASSES,     /* the target is what was asked for: ERR_NOT_FOUND */
	NOT_FOUND_IS_MISSING, /* only the instance can be missing here: ERR_MISSING (inventory_get_fact) */
	NOT_FOUND_IS_EMPTY,   /* the target is a member that vanished, or has nothing to give */
};
enum when_denied {
	DENIED_FAILS,
	/* If the operation's first answer in the sync is a denial: warned about, and not asked again. Not when all permissions are required. */
	DENIED_IS_EMPTY,
};

struct gather_fact {
	struct rows_fact rows; /* first: a pointer to its kind is one to the whole */
	const struct aws_operation *op;
	enum ahead ahead; /* how the read-ahead names it */
	bool needs_instance;
	enum when_not_found not_found;
	enum when_denied denied;
	const char *consequence; /* of a denial, for the log */
	void (*fill)(const struct gather_call *call, struct str target, struct str token, void *in);
	/* Adds the answer's rows; *ret_token is the next page's token, empty on the last. */
	enum err_code (*take)(const struct gather_call *call, struct listing *rows, struct str target,
		const void *out, struct str *ret_token, struct err *reterr);
	/* What to ask about, in scratch; NULL: one target, the fact's name. */
	enum err_code (*targets)(const struct gather_call *call, const struct ctx *ctx, struct arena *scratch,
		struct str **ret_targets, size_t *ret_n, struct err *reterr);
	/* How many calls another way to the same rows would make; NULL: there is no other. The run ends with ERR_TOO_LARGE when it looks as if
	 * what is left of it cost more than that. */
	enum err_code (*rival)(
		const struct gather_call *call, const struct ctx *ctx, size_t *ret_calls, struct err *reterr);
};

/* A reference to the fact's rows, for a request of the sync (inventory_get_fact). */
MUST_CHECK enum err_code gather_get(struct inventory *inv, const struct ctx *ctx,
	const struct gather_fact *fact, struct str sync_id, struct str name, struct ic_rows **ret_rows,
	struct err *reterr);

/* The fetch and partial_free of a gather_fact's kind. */
enum err_code gather_fetch(const struct fact_kind *kind, void *self, const struct ctx *ctx, struct str scope,
	struct str name, void **partial, void **ret_fact, struct err *reterr);
void gather_free(void *gather); /* NULL is fine */
/* Whether a partial (NULL is fine) is what gather_fetch has left half done of this way to the fact. */
bool gather_is_of(const void *partial, const struct gather_fact *fact);

/* For facts that choose between operations, or need several rounds: begins, runs to the end, gives the rows so far (which are the
 * gathering's), and makes the fact of them. */
struct gather *gather_new(const struct rows_type *type);
void gather_aim(struct gather *g, const struct str *targets, size_t n); /* adds targets */
enum err_code gather_run(
	struct gather *g, const struct gather_call *call, const struct ctx *ctx, struct err *reterr);
struct listing *gather_rows(struct gather *g);

#define GATHER_KIND(kind_name)                                                                               \
	{                                                                                                    \
		.name = (kind_name), .fetch = gather_fetch, .partial_free = gather_free,                     \
		.open = rows_fact_open, .bytes = rows_fact_bytes, .ref = rows_fact_ref,                      \
		.unref = rows_fact_unref                                                                     \
	}

#endif
