/* aws/retry.h
 *
 * AWS's standard retry mode (spec/iam.md 3.7): how often, how long to wait, and a budget that keeps a
 * client from hammering a service that is down. Which errors are worth it is aws/errors.h's business.
 *
 * Threads: a struct retry is shared by all calls of a client; its budget is atomic. */
#ifndef AWS_RETRY_H
#define AWS_RETRY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Where jitter comes from: next() is uniform in [0, 1). */
struct aws_random {
	double (*next)(void *self);
	void *self;
};
extern const struct aws_random aws_random_system;

#define RETRY_MAX_ATTEMPTS_DEFAULT 3
#define RETRY_BACKOFF_CAP_MS       20000

struct retry {
	unsigned max_attempts; /* the first one included */
	struct aws_random random;
	_Atomic int tokens; /* of the budget: 500 at most, 5 a retry, 10 after a time-out */
};

void retry_init(struct retry *r, unsigned max_attempts, struct aws_random random);

/* After the attempt number `attempt` (from 1) failed with something retryable. True: try again after
 * *ret_wait_ms; *paid (0 at the start of a call) is then what the budget gave for it. False: attempts
 * or budget are used up, or the peer asks for a wait that is longer than ours may be. retry_after_ms:
 * what the answer said; 0: nothing. */
bool retry_next(struct retry *r, unsigned attempt, bool was_timeout, int64_t retry_after_ms, int *paid,
	int64_t *ret_wait_ms);

/* A call succeeded: what its last retry paid goes back, or a little when it paid nothing. */
void retry_succeeded(struct retry *r, int paid);

#endif
