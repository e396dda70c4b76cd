/* inventory/login_events.h
 *
 * What CloudTrail has recorded of IAM Identity Center, page by page. No fact of a sync: it is asked anew each time, and nothing is kept.
 *
 * Threads:   any. Ownership: records live in the arena given.
 * Errors:    as inventory.h. AWS allows two look-ups per second; who comes too early waits at the pacer. */
#ifndef INVENTORY_LOGIN_EVENTS_H
#define INVENTORY_LOGIN_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"

struct inventory;

#define LOGIN_HISTORY_S (INT64_C(90) * 86400) /* how far back CloudTrail can be asked */

/* The time as AWS has it, which is that of its events, as far as Identity Center's answers have told (inventory_ic_instance): ours may be wrong by
 * more than a feed of what is new can bear. */
MUST_CHECK enum err_code inventory_login_now_s(
	struct inventory *inv, const struct ctx *ctx, int64_t *ret_now_s, struct err *reterr);

struct login_query {
	int64_t from_s, until_s; /* both included */
	struct str token;        /* of the page before, for the same times; empty: the first page */
};

struct login_record {
	struct str id;
	int64_t time_s;
	struct str document; /* the event as a JSON document, unchecked */
};

/* Newest first. Records that have no id, time or document are left out. */
struct login_page {
	struct login_record *records;
	size_t n;
	struct str next; /* empty on the last page */
};

MUST_CHECK enum err_code inventory_login_events(struct inventory *inv, const struct ctx *ctx,
	const struct login_query *query, struct arena *arena, struct login_page *ret_page,
	struct err *reterr);

#endif
