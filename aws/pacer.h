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
	bool granted;    /* true: the turn is taken. false: ask again after wait_ms (background only) */
	int64_t wait_ms; /* granted: until the turn comes, if the rate stays as it is */
	int64_t number;  /* granted: of the turn */
};
struct pacer_turn pacer_reserve(struct pacer *p, int64_t now_ms, bool background);
/* How long the turn is still off, 0 when it has come. The rate changes while callers wait: look again at the
 * end of the wait, and at least every PACER_LOOK_AGAIN_MS. */
int64_t pacer_left_ms(struct pacer *p, int64_t now_ms, const struct pacer_turn *turn);
#define PACER_LOOK_AGAIN_MS 250
/* A granted turn that will not be used (cancelled while waiting for it): those behind it move up. */
void pacer_give_back(struct pacer *p, const struct pacer_turn *turn);

/* How the call went. */
void pacer_throttled(struct pacer *p, int64_t now_ms);
void pacer_succeeded(struct pacer *p, int64_t now_ms);

double pacer_rate_per_s(struct pacer *p); /* now; for metrics and tests */

#endif
