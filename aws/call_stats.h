/* aws/call_stats.h
 *
 * Counters per AWS operation, shared by all clients of a session: for metrics, and for tests that count
 * calls.
 *
 * Threads: any. */
#ifndef AWS_CALL_STATS_H
#define AWS_CALL_STATS_H

#include <stdint.h>

#include "aws/session.h"
#include "aws/shape.h"

struct call_stats;

struct call_stats *call_stats_new(void);
void call_stats_free(struct call_stats *s); /* NULL is fine */

enum call_event {
	CALL_BEGUN,
	CALL_RETRIED,   /* one more attempt of the same call */
	CALL_THROTTLED, /* an answer said: slow down */
	CALL_FAILED,    /* the call as a whole */
};
void call_stats_count(struct call_stats *s, const struct aws_operation *op, enum call_event event);

/* fn is called once per operation, in the order of their first calls, without a lock held. */
void call_stats_each(struct call_stats *s, void (*fn)(void *arg, const struct aws_call_stats *st), void *arg);

#endif
