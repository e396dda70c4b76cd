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
struct org_accounts;
struct policy_catalogue;
struct store;

struct inventory_options {
	struct aws_session *aws; /* borrowed: must outlive the inventory, like the store */
	struct store *store;
	struct str view; /* servers with another one do not share facts, whatever store they share; copied */
	const struct clock *clock;
	bool require_all_permissions; /* a denied read of enrichment or of the policy side is an error */
	bool only_attached_policies;  /* sync-only-attached-policies */
	bool access_keys;             /* sync-secrets: accounts hold their access keys */
	bool principals_synced;       /* users and groups of Identity Center: counting them costs nothing */
	size_t max_bytes;             /* of facts kept in process; 0: 256 MiB */
	size_t read_ahead; /* things (accounts, assignments, groups) read at once before they are asked for; 0: none */
	size_t max_list_bytes; /* of one list while it is read; 0: 512 MiB */
	size_t max_in_flight;  /* AWS calls at once per flight of narrow operations; 0: 16 */
};

struct inventory *inventory_new(const struct inventory_options *opts);
void inventory_free(struct inventory *inv); /* waits for background work; NULL is fine */

/* The caller's own identity (sts:GetCallerIdentity), cached. Strings live in the arena. refresh: ask AWS again. */
struct inventory_identity {
	struct str account, arn, partition;
};
MUST_CHECK enum err_code inventory_identity(struct inventory *inv, const struct ctx *ctx, bool refresh,
	struct arena *arena, struct inventory_identity *ret_identity, struct err *reterr);

/* The account's aliases (iam:ListAccountAliases): the one alias, or empty when there is none, several, or the call is denied. */
MUST_CHECK enum err_code inventory_account_alias(struct inventory *inv, const struct ctx *ctx,
	struct arena *arena, struct str *ret_alias, struct err *reterr);

/* The IAM facts of one account as of this sync. account: 12 digits, or empty for the connector's own. The caller gives the reference
 * back with iam_account_unref. */
MUST_CHECK enum err_code inventory_iam_account(struct inventory *inv, const struct ctx *ctx,
	struct str sync_id, struct str account, struct iam_account **ret_account, struct err *reterr);

/* The accounts of the organization, once per sync. The caller gives the reference back with org_accounts_unref. */
MUST_CHECK enum err_code inventory_org_accounts(struct inventory *inv, const struct ctx *ctx,
	struct str sync_id, struct org_accounts **ret_accounts, struct err *reterr);

/* Which of the accounts can be entered, that is: are the connector's own, or have a role that can be assumed. ret_ok has n elements. A
 * denial is warned about once per sync and account; any other failure is an error (it could be a passing one, and an account would
 * silently be missing). */
MUST_CHECK enum err_code inventory_enter_accounts(struct inventory *inv, const struct ctx *ctx,
	struct str sync_id, const struct str *accounts, size_t n, bool *ret_ok, struct err *reterr);

/* What the engine will ask for next, in this order: their IAM facts are read ahead in the background, bounded by memory, and only while
 * the sync is alive (30 s without a request, or Cleanup, ends it). */
void inventory_expect_accounts(
	struct inventory *inv, struct str sync_id, const struct str *accounts, size_t n);

/* AWS's own managed policies, all of them, once per sync. The caller gives the reference back with policy_catalogue_unref. */
MUST_CHECK enum err_code inventory_policy_catalogue(struct inventory *inv, const struct ctx *ctx,
	struct str sync_id, struct policy_catalogue **ret_catalogue, struct err *reterr);

/* Documents of AWS's managed policies, by (ARN, version): immutable, the same in every account, and therefore kept across syncs.
 * Fills documents[i] (in the arena; empty when it may not be read) for n policies. */
struct policy_version {
	struct str arn, version_id;
};
MUST_CHECK enum err_code inventory_policy_documents(struct inventory *inv, const struct ctx *ctx,
	const struct policy_version *policies, size_t n, struct arena *arena, struct str *documents,
	struct err *reterr);

/* With sync-only-attached-policies each account lists the AWS-managed policies it uses; a policy that several use is listed by the
 * first that asks, and by it again whenever a page is asked again. True: list it under `account`. Without a sync there is nobody to share
 * with: always true. Servers do not share claims: each lists such a policy once, with the same id and nothing of the account in it. */
bool inventory_claim_policy(struct inventory *inv, struct str sync_id, struct str arn, struct str account);

/* Cleanup: forgets everything kept for the sync, here and in the store. What a failing store keeps goes by its age. */
void inventory_end_sync(struct inventory *inv, const struct ctx *ctx, struct str sync_id);

/* Counters since start, for /metrics and tests. */
struct inventory_stats {
	uint64_t hits;       /* answered in process */
	uint64_t store_hits; /* answered by the session store */
	uint64_t flights;    /* fetched from AWS */
	uint64_t waits;      /* waited for another's flight */
	uint64_t store_failures;
	uint64_t
		denied_reads; /* reads given up because a permission is missing (each warned about once per sync) */
	uint64_t vanished;   /* objects that were gone when their details were asked for */
	uint64_t read_ahead; /* things read before they were asked for */
	uint64_t bytes;      /* of facts kept in process, now */
};
void inventory_stats(struct inventory *inv, struct inventory_stats *ret_stats);

#endif
