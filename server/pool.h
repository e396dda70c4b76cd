/* server/pool.h
 *
 * A fixed number of threads that run work items from a bounded queue. A full queue refuses: the caller is
 * told to come back.
 *
 * Threads: pool_push from any. Ownership: items are the callers'; every item that was accepted is run, also
 * when the pool ends. */
#ifndef SERVER_POOL_H
#define SERVER_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct pool;

typedef void(pool_run_fn)(void *item);

/* name: of the threads, at most 15 bytes. */
MUST_CHECK enum err_code pool_new(const char *name, size_t threads, size_t capacity, pool_run_fn *run,
	struct pool **ret_pool, struct err *reterr);
void pool_free(struct pool *p); /* runs what is queued, joins; NULL is fine */

bool pool_push(struct pool *p, void *item);
size_t pool_waiting(struct pool *p);

#endif
