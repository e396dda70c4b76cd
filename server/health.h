/* server/health.h
 *
 * Whether the server can do its work: not before it has once learned who it is at AWS. The start does not
 * wait for that; a thread asks until it works, with growing pauses. At shutdown the answer becomes "no"
 * again.
 *
 * Threads: health_is_serving from any; the rest on the main thread. */
#ifndef SERVER_HEALTH_H
#define SERVER_HEALTH_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/err.h"

struct health;
struct inventory;
struct rpc_server;

struct health *health_new(struct inventory *inventory, const struct clock *clock);
void health_free(struct health *h); /* NULL is fine */

bool health_is_serving(const struct health *h);

/* Starts asking; tells the server's health watchers when the answer changes. */
MUST_CHECK enum err_code health_start(struct health *h, struct rpc_server *server, struct err *reterr);
/* From now on not serving; nothing of it runs any more when this returns. */
void health_stop(struct health *h);

#endif
