/* inventory/external_ids.h
 *
 * Conditions of trust policies name external ids, ours among them. Who may assume a role does not depend on their values, so they are
 * blanked before a policy becomes part of a fact: facts lie in stores, and an external id is nobody else's business (docs/scaling.md).
 * Private to inventory.
 *
 * Threads: pure. */
#ifndef INVENTORY_EXTERNAL_IDS_H
#define INVENTORY_EXTERNAL_IDS_H

#include "base/arena.h"
#include "base/str.h"

/* The document (JSON, not necessarily well formed) with the values of "sts:ExternalId" overwritten by as many x; itself when it has none. */
struct str without_external_ids(struct arena *arena, struct str document);

#endif
