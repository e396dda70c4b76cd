/* inventory/internal.h
 *
 * What the files of inventory share and nobody else sees. */
#ifndef INVENTORY_INTERNAL_H
#define INVENTORY_INTERNAL_H

#include <stdatomic.h>

#include "aws/client.h"
#include "base/thread.h"
#include "inventory/facts.h"
#include "inventory/inventory.h"
#include "inventory/rows.h"

struct claims;
struct document_flights;
struct gather_fact;
struct ic_rows;
struct read_ahead;
struct shelf;

struct inventory {
	struct inventory_options opts;
	struct shelf *shelf;
	struct facts *facts;
	struct store *documents; /* of AWS-managed policies, by ARN and version, across syncs */
	struct document_flights *document_flights;
	struct read_ahead *read_ahead; /* NULL: none */
	struct claims *claims;
	atomic_bool documents_denied, alias_denied; /* each warned about once per server */
	_Atomic int64_t documents_denied_until_ms;  /* until then they are not asked for */

	atomic_uint_fast64_t denied_reads, vanished, read_ahead_done;
};

/* The kinds of facts, one per file. */
extern const struct fact_kind iam_account_fact;        /* name: account number */
extern const struct gather_fact org_accounts_fact;     /* name: "" */
extern const struct gather_fact policy_catalogue_fact; /* name: "" */

/* Documents that are being fetched (policy_documents.c). */
struct document_flights *document_flights_new(void);
void document_flights_free(struct document_flights *f); /* NULL is fine; none may be under way */

/* What can be read ahead, each in a lane of its own. */
enum ahead {
	AHEAD_NOTHING,
	AHEAD_ACCOUNT,     /* IAM of an account */
	AHEAD_ASSIGNMENTS, /* of an account */
	AHEAD_PAIRS,       /* the same, when they turned out to be read by pairs after all */
	AHEAD_MEMBERS,     /* of a group */
	AHEAD_COUNT
};

/* A reference to a fact for a request of the sync. While it is served the sync counts as alive, and what it asks for is not read ahead
 * any more. ERR_NOT_FOUND becomes ERR_MISSING, unless not_found_passes: then the very thing that the request names is gone. */
struct fact_wanted {
	const struct fact_kind *kind;
	struct str name;
	enum ahead ahead;
	bool not_found_passes;
};
MUST_CHECK enum err_code inventory_get_fact(struct inventory *inv, const struct ctx *ctx, struct str sync_id,
	const struct fact_wanted *wanted, void **ret_fact, struct err *reterr);
/* The same of a fact that is one list for the whole sync. */
MUST_CHECK enum err_code inventory_get_rows(struct inventory *inv, const struct ctx *ctx,
	const struct rows_fact *fact, struct str sync_id, struct ic_rows **ret_rows, struct err *reterr);

/* Operations that were denied in a sync and have another way: noted (and warned about) once, not tried again. */
bool inventory_is_permitted(struct inventory *inv, struct str scope, const struct aws_operation *op);
void inventory_note_denied(
	struct inventory *inv, struct str scope, const struct aws_operation *op, const char *consequence);

/* Of identity_center.c, for the choice between ways: pairs of an active account and a permission set provisioned to it; the active accounts;
 * whether the caller is the organization's management account, which alone may use some operations. */
MUST_CHECK enum err_code ic_count_pairs(
	struct inventory *inv, const struct ctx *ctx, struct str sync_id, size_t *ret_n, struct err *reterr);
MUST_CHECK enum err_code ic_active_accounts(struct inventory *inv, const struct ctx *ctx, struct str sync_id,
	struct arena *arena, struct str **ret_accounts, size_t *ret_n, struct err *reterr);
MUST_CHECK enum err_code ic_is_management(
	struct inventory *inv, const struct ctx *ctx, struct str sync_id, bool *ret_is, struct err *reterr);

/* What will be asked for next (inventory_expect_...). Each name is read ahead once for each `what`. */
void inventory_expect(
	struct inventory *inv, struct str sync_id, enum ahead what, const struct str *names, size_t n);

/* A client with the connector's own credentials, or (account not empty) with those of its role in the account. */
MUST_CHECK enum err_code inventory_client(struct inventory *inv, const struct ctx *ctx,
	const struct aws_service *service, struct str account, struct aws_client **ret_client,
	struct err *reterr);

#endif
