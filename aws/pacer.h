/* aws/pacer.h
 *
 * AWS's quota is the speed limit, so drive at it: a token bucket per (account, service) that starts at
 * the published or observed rate, slows down when AWS throttles and recovers slowly (architecture,
 * decision 3).
 *
 * The pacer never sleeps and has no clock: it says how long to wait from `now_ms`, a monotonic time.
 *
 * Foreground calls get turns in the order in which they asked. Background calls (read-ahead) get only
 * what is free at the moment, so a foreground call never queues behind them.
 *
 * Threads: any. */
#ifndef AWS_PACER_H
#define AWS_PACER_H

#include <stdbool.h>
#include <stdint.h>

struct pacer;

struct pacer_options {
	double rate_per_s; /* > 0 */
	double burst;      /* >= 1: what a pacer that was idle gives at once */
	double max_factor; /* the learned rate never exceeds rate_per_s times this; 0: PACER_MAX_FACTOR */
};
#define PACER_MAX_FACTOR 1.25

struct pacer *pacer_new(const struct pacer_options *opts);
void pacer_free(struct pacer *p); /* NULL is fine */

struct pacer_turn {
	/* True: the turn is taken, go after wait_ms. False (background only): ask again after wait_ms. */
	bool granted;
	int64_t wait_ms;
};
struct pacer_turn pacer_reserve(struct pacer *p, int64_t now_ms, bool background);
/* A turn that will not be used (cancelled while waiting for it). */
void pacer_give_back(struct pacer *p);

/* How the call went. Throttles of calls that were under way together count once. */
void pacer_throttled(struct pacer *p, int64_t now_ms);
void pacer_succeeded(struct pacer *p, int64_t now_ms);

double pacer_rate_per_s(struct pacer *p); /* now; for metrics and tests */

#endif
