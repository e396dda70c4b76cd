/* inventory/inventory.h
 *
 * What is known of the AWS estate in a sync. Syncers ask it for facts; it answers from the session store, or fetches them from AWS
 * once, by the cheapest calls that give them, and keeps them for the rest of the sync.
 *
 *	syncer -> inventory_iam_account() -> in process? in the store? else one flight: AWS calls -> table -> store
 *
 * A fact is kept under the sync id of the request. A request without one shares facts under a scope of the server's own for 60 s, so
 * that a person with grpcurl does not start a crawl per call.
 *
 * Store failures cost AWS calls, never an RPC. A failed flight keeps nothing: whoever asks next tries again.
 *
 * Threads:   any number; one flight per key, the others wait for it under their own deadline.
 * Ownership: what is handed out is immutable and reference-counted.
 * Errors:    those of aws/client.h, of ctx, and ERR_INTERNAL. A partial answer is an error (architecture, decision 10). */
#ifndef INVENTORY_INVENTORY_H
#define INVENTORY_INVENTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"

struct aws_session;
struct iam_account;
struct inventory;
struct store;

struct inventory_options {
	struct aws_session *aws;                /* borrowed: must outlive the inventory, like the store */
	struct store       *store;
	const struct clock *clock;
	bool                require_all_permissions; /* a denied read of enrichment or of the policy side is an error */
	bool                only_attached_policies;  /* sync-only-attached-policies */
	size_t              max_bytes;               /* of opened accounts kept in process; 0: 256 MiB */
	size_t              max_in_flight;           /* AWS calls at once per flight of narrow operations; 0: 16 */
};

struct inventory *inventory_new(const struct inventory_options *opts);
void              inventory_free(struct inventory *inv); /* waits for background work; NULL is fine */

/* The caller's own identity (sts:GetCallerIdentity), cached. Strings live in the arena. refresh: ask AWS again. */
struct inventory_identity {
	struct str account, arn, partition;
};
MUST_CHECK enum err_code inventory_identity(struct inventory *inv, const struct ctx *ctx, bool refresh, struct arena *arena,
	struct inventory_identity *ret_identity, struct err *reterr);

/* The account's aliases (iam:ListAccountAliases): the one alias, or empty when there is none, several, or the call is denied. */
MUST_CHECK enum err_code inventory_account_alias(
	struct inventory *inv, const struct ctx *ctx, struct arena *arena, struct str *ret_alias, struct err *reterr);

/* The IAM facts of one account as of this sync. account: 12 digits, or empty for the connector's own. The caller gives the reference
 * back with iam_account_unref. */
MUST_CHECK enum err_code inventory_iam_account(struct inventory *inv, const struct ctx *ctx, struct str sync_id,
	struct str account, struct iam_account **ret_account, struct err *reterr);

/* Cleanup: forgets everything kept for the sync, here and in the store. A failing store is logged and reported as ERR_UNAVAILABLE. */
MUST_CHECK enum err_code inventory_end_sync(
	struct inventory *inv, const struct ctx *ctx, struct str sync_id, struct err *reterr);

/* Counters since start, for /metrics and tests. */
struct inventory_stats {
	uint64_t hits;            /* answered in process */
	uint64_t store_hits;      /* answered by the session store */
	uint64_t flights;         /* fetched from AWS */
	uint64_t waits;           /* waited for another's flight */
	uint64_t store_failures;
	uint64_t denied_reads;    /* reads given up because a permission is missing (each warned about once per sync) */
	uint64_t vanished;        /* objects that were gone when their details were asked for */
};
void inventory_stats(struct inventory *inv, struct inventory_stats *ret_stats);

#endif
