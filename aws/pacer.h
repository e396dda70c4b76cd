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
 * Several servers that draw on one quota share a bucket (base/quota.h): turns then come from there, and the
 * pacer says when somebody has to ask for them. While the bucket is away it goes on by itself at its share.
 *
 * Threads: any. */
#ifndef AWS_PACER_H
#define AWS_PACER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/quota.h"
#include "base/str.h"

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
	bool asks;       /* not granted: ... or as soon as an exchange is over (see pacer_exchange_ms) */
	bool slot;       /* not granted: wait_ms is up to a slot of his own, which nobody else comes for */
	int64_t wait_ms; /* granted: until the turn comes, if the rate stays as it is */
	int64_t number;  /* granted: of the turn */
};
struct pacer_turn pacer_reserve(struct pacer *p, int64_t now_ms, bool background);
/* How long the turn is still off, 0 when it has come. The rate changes while callers wait: look again at the
 * end of the wait, and at least every PACER_LOOK_AGAIN_MS. Of a shared bucket: exact when the turn was granted, else a
 * guess. */
int64_t pacer_left_ms(struct pacer *p, int64_t now_ms, const struct pacer_turn *turn);
#define PACER_LOOK_AGAIN_MS 250
/* A granted turn, or a slot, that will not be used (cancelled while waiting for it): those behind the turn move up, and the next in the
 * background who comes gets a slot that much earlier. Neither of them: nothing happens. */
void pacer_give_back(struct pacer *p, const struct pacer_turn *turn);

/* How the call went. */
void pacer_throttled(struct pacer *p, int64_t now_ms);
void pacer_succeeded(struct pacer *p, int64_t now_ms);

double pacer_rate_per_s(struct pacer *p); /* now: of the shared bucket, else its own; for metrics and tests */

/* ---- sharing ---- */

/* What the pacers of a server have in common: whoever finds the buckets away finds it out for all of them, and later
 * one of them tries for all. Zeroed at first. */
struct pacer_health {
	_Atomic uint64_t exchanges; /* with a bucket, whatever became of them */
	_Atomic uint64_t failures;  /* of these */
	_Atomic bool away;          /* the last one failed: pacers go on by themselves */
	_Atomic int64_t try_ms;     /* away: the next exchange is not before this, */
	_Atomic int64_t pause_ms;   /* so long after the last one */
	_Atomic int64_t said_ms;    /* when pacer_alone was news for the last time; 0: never */
};

struct pacer_share_options {
	struct quota *quota; /* borrowed; outlives the pacer */
	struct str name;     /* of the bucket; copied */
	unsigned servers;    /* that are expected to share it, however few the bucket has seen; 0: 1 */
	struct pacer_health *health; /* borrowed; outlives the pacer */
};
/* From now on turns come from that bucket. At any time; who waits for a turn goes on waiting. Only the first call
 * counts. */
void pacer_share(struct pacer *p, const struct pacer_share_options *opts);

/* Whether the shared bucket has to be asked. The pacer does no I/O: who drives calls does it, without a lock, and
 * others go on waiting meanwhile.
 *
 *	if (pacer_exchange_ms(p, now_ms, &x) == 0)
 *		x.quota->take(x.quota, ctx, &x.request, &grant, &err), then one of the three below, whatever happens
 *
 * 0: yes; this exchange is the caller's, nobody else gets one until it is over. Else how long until it may be due, if
 * somebody waits for a turn; INT64_MAX: no exchange is in sight. */
struct pacer_exchange {
	struct quota *quota;
	struct quota_request request;
};
int64_t pacer_exchange_ms(struct pacer *p, int64_t now_ms, struct pacer_exchange *ret_exchange);
/* The bucket answered. False: the answer makes no sense and counts for nothing; the exchange is not over yet. */
bool pacer_granted(struct pacer *p, int64_t now_ms, const struct quota_grant *grant);
/* The bucket is away: all pacers go on without for a while, 1 s at first and 10 s at most. True: that is news, it was
 * there at the last exchange (but not oftener than once a minute). */
bool pacer_alone(struct pacer *p, int64_t now_ms);
/* The exchange did not take place (the asker was cancelled), which says nothing about the bucket. */
void pacer_not_asked(struct pacer *p);

#endif
