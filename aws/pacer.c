/* DESIGN
 *
 * Foreground turns are handed out ahead of time: the token count goes below zero and says how far in
 * the future the turn lies. Nobody has to come back for his turn, so nobody who is busy elsewhere can
 * hold up those behind him; a queue of waiters would need both. Background calls do come back: they may
 * only take tokens that are there. Their waits are staggered, so that they come back in the order they
 * came first. */
#include "aws/pacer.h"

#include <assert.h>

#include "base/mem.h"
#include "base/thread.h"

/* Multiplicative decrease, additive increase (as TCP does it): fast enough to leave an overload within
 * seconds, slow enough that a rate found good is not overshot at once. */
#define DECREASE          0.7
#define INCREASE_PER_S    0.05 /* of the start rate */
#define FLOOR_FACTOR      0.05 /* of the start rate: whoever throttles each call still gets asked */
#define DECREASE_EVERY_MS 1000

struct pacer {
	struct mutex lock;
	double start_rate;
	double max_rate;
	double burst;
	double rate;   /* tokens per second now, between FLOOR_FACTOR * start_rate and max_rate */
	double tokens; /* <= burst; negative: turns handed out ahead of time */
	bool started;
	int64_t refilled_ms;
	int64_t decreased_ms;
	int64_t increased_ms;
	int64_t background_ms; /* when the last background caller was told to come back */
};

struct pacer *pacer_new(const struct pacer_options *opts)
{
	struct pacer *p = mem_zalloc(sizeof(*p));

	assert(opts->rate_per_s > 0 && opts->burst >= 1);
	mutex_init(&p->lock);
	p->start_rate = p->rate = opts->rate_per_s;
	p->max_rate = p->start_rate * (opts->max_factor > 0 ? opts->max_factor : PACER_MAX_FACTOR);
	p->burst = p->tokens = opts->burst;
	return p;
}

void pacer_free(struct pacer *p)
{
	if (!p)
		return;
	mutex_deinit(&p->lock);
	mem_free(p);
}

static void refill(struct pacer *p, int64_t now_ms)
{
	if (!p->started) {
		p->started = true;
		p->refilled_ms = p->increased_ms = p->background_ms = now_ms;
		p->decreased_ms = now_ms - DECREASE_EVERY_MS;
	}
	if (now_ms <= p->refilled_ms) /* threads read the clock before they get the lock */
		return;
	p->tokens += p->rate * (double)(now_ms - p->refilled_ms) / 1000.0;
	if (p->tokens > p->burst)
		p->tokens = p->burst;
	p->refilled_ms = now_ms;
}

/* Until `tokens` more have come in, rounded up. */
static int64_t ms_for(const struct pacer *p, double tokens)
{
	return tokens > 0 ? (int64_t)(tokens / p->rate * 1000.0) + 1 : 0;
}

struct pacer_turn pacer_reserve(struct pacer *p, int64_t now_ms, bool background)
{
	int64_t back_ms;

	LOCK_SCOPE(&p->lock);
	refill(p, now_ms);
	if (!background || p->tokens >= 1) {
		p->tokens -= 1;
		return (struct pacer_turn){.granted = true, .wait_ms = ms_for(p, -p->tokens)};
	}
	back_ms = now_ms + ms_for(p, 1 - p->tokens);
	if (back_ms < p->background_ms + ms_for(p, 1))
		back_ms = p->background_ms + ms_for(p, 1);
	p->background_ms = back_ms;
	return (struct pacer_turn){.granted = false, .wait_ms = back_ms - now_ms};
}

void pacer_give_back(struct pacer *p)
{
	LOCK_SCOPE(&p->lock);
	p->tokens = p->tokens + 1 < p->burst ? p->tokens + 1 : p->burst;
}

void pacer_throttled(struct pacer *p, int64_t now_ms)
{
	double floor_rate = p->start_rate * FLOOR_FACTOR;

	LOCK_SCOPE(&p->lock);
	refill(p, now_ms);
	if (p->tokens > 0)
		p->tokens = 0; /* what was saved up is not there on AWS's side */
	if (now_ms - p->decreased_ms < DECREASE_EVERY_MS)
		return;
	p->decreased_ms = p->increased_ms = now_ms;
	p->rate = p->rate * DECREASE > floor_rate ? p->rate * DECREASE : floor_rate;
}

void pacer_succeeded(struct pacer *p, int64_t now_ms)
{
	int64_t passed_ms;

	LOCK_SCOPE(&p->lock);
	refill(p, now_ms);
	passed_ms = now_ms - p->increased_ms;
	if (passed_ms <= 0)
		return;
	if (passed_ms > 1000) /* idle time teaches nothing */
		passed_ms = 1000;
	p->increased_ms = now_ms;
	p->rate += p->start_rate * INCREASE_PER_S * (double)passed_ms / 1000.0;
	if (p->rate > p->max_rate)
		p->rate = p->max_rate;
}

double pacer_rate_per_s(struct pacer *p)
{
	LOCK_SCOPE(&p->lock);
	return p->rate;
}
