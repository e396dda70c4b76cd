#include "aws/retry.h"

#include <stdlib.h>
#include <sys/random.h>

#define BUDGET_TOKENS   500
#define COST_RETRY      5
#define COST_TIMEOUT    10
#define REFUND_NO_RETRY 1

static double system_next(void *self)
{
	uint64_t bits;

	(void)self;
	if (getrandom(&bits, sizeof(bits), 0) != sizeof(bits)) /* cannot happen for 8 bytes (getrandom(2)) */
		abort();
	return (double)(bits >> 11) * 0x1.0p-53;
}

const struct aws_random aws_random_system = {.next = system_next};

void retry_init(struct retry *r, unsigned max_attempts, struct aws_random random)
{
	r->max_attempts = max_attempts ? max_attempts : RETRY_MAX_ATTEMPTS_DEFAULT;
	r->random = random;
	atomic_init(&r->tokens, BUDGET_TOKENS);
}

static bool pay(struct retry *r, int cost)
{
	int have = atomic_load(&r->tokens);

	do {
		if (have < cost)
			return false;
	} while (!atomic_compare_exchange_weak(&r->tokens, &have, have - cost));
	return true;
}

static void refund(struct retry *r, int tokens)
{
	int have = atomic_load(&r->tokens), want;

	do {
		want = have + tokens < BUDGET_TOKENS ? have + tokens : BUDGET_TOKENS;
	} while (!atomic_compare_exchange_weak(&r->tokens, &have, want));
}

/* Uniform in [0, 2^attempt) seconds, below the cap. */
static int64_t backoff_ms(struct retry *r, unsigned attempt)
{
	double ms = r->random.next(r->random.self) * 1000.0 * (double)(1u << (attempt < 16 ? attempt : 16));

	return ms < RETRY_BACKOFF_CAP_MS ? (int64_t)ms : RETRY_BACKOFF_CAP_MS;
}

bool retry_next(struct retry *r, unsigned attempt, bool was_timeout, int64_t retry_after_ms, int *paid,
	int64_t *ret_wait_ms)
{
	int cost = was_timeout ? COST_TIMEOUT : COST_RETRY;
	int64_t wait_ms;

	if (attempt >= r->max_attempts || retry_after_ms > RETRY_BACKOFF_CAP_MS || !pay(r, cost))
		return false;
	wait_ms = backoff_ms(r, attempt);
	*paid = cost;
	*ret_wait_ms = wait_ms > retry_after_ms ? wait_ms : retry_after_ms;
	return true;
}

void retry_succeeded(struct retry *r, int paid)
{
	refund(r, paid ? paid : REFUND_NO_RETRY);
}
