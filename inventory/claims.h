/* inventory/claims.h
 *
 * What is decided by the first that comes, remembered per sync: who lists what several accounts have, so that a page that is asked again
 * answers the same; whether an operation is denied, and that it was warned about. Private to inventory.
 *
 * A claim is no fact that servers share: after a restart, or with several servers, an object may be listed twice, each time the same, and
 * a denial is learned again.
 *
 * Threads: any. */
#ifndef INVENTORY_CLAIMS_H
#define INVENTORY_CLAIMS_H

#include <stdbool.h>

#include "base/str.h"

struct claims;

struct claims *claims_new(void);
void claims_free(struct claims *c); /* NULL is fine */

/* True when `owner` is, or with this call becomes, the owner of `thing` in the scope. Scopes beyond MAX_CLAIM_SCOPES push out the oldest. */
bool claims_take(struct claims *c, struct str scope, struct str thing, struct str owner);
/* True for the first that asks for `thing` in the scope, once. */
bool claims_first(struct claims *c, struct str scope, struct str thing);
bool claims_is_taken(struct claims *c, struct str scope, struct str thing); /* by anybody */
void claims_forget(struct claims *c, struct str scope);

#define MAX_CLAIM_SCOPES 8 /* two syncs may be live at once; the rest are syncs that failed */

#endif
