/* server/metrics.h
 *
 * Counters of RPCs by method and code, since start.
 *
 * Threads: any; relaxed atomics, so sums may be a moment apart. */
#ifndef SERVER_METRICS_H
#define SERVER_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "server/status.h"

struct metrics;

struct metrics *metrics_new(void);
void metrics_free(struct metrics *m); /* NULL is fine */

/* method: index in the method table; RPC_NO_METHOD: all unknown paths together. */
void metrics_count(struct metrics *m, size_t method, enum rpc_code code, int64_t ms);

uint64_t metrics_calls(const struct metrics *m, size_t method, enum rpc_code code);

/* Appends them in the Prometheus text format. Rows that are 0 are left out. */
void metrics_write(const struct metrics *m, struct buf *out);

#endif
