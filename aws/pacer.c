/* DESIGN
 *
 * Turns are numbered, credit grows with the rate, and a turn has come when credit has reached its number.
 * Foreground callers take their numbers ahead of time. Nobody has to come back for his turn in time, so
 * nobody who is busy elsewhere holds up those behind him; a queue of waiters would need both. And a change
 * of the rate counts for who has a number already. A number that is given back is noted until its turn comes,
 * and costs no credit then: those behind it move up, those before it do not, however many give up at once.
 * Background callers may only take turns that have come. Their waits are staggered, so that they come back
 * in the order they came first.
 *
 * The rate. At a rate r above the allowed R a share (r - R) / r of the calls is throttled, that is r - R
 * per second. Taking STEP off the rate for each lets it settle at R within seconds, and in proportion: a
 * stray throttle costs next to nothing, a big overload is left quickly. In the other direction the rate goes
 * back to where it started within half a minute, and probes slowly beyond what it knows. Where the two
 * balance, below a quota that is smaller than the start rate, what is throttled is the way back per second
 * over STEP: a few percent of the calls at half the start rate. Halving the rate at each throttle, as TCP
 * does, keeps three quarters of the quota at best: a call that is throttled costs a retry, not a loss. */
#include "aws/pacer.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/thread.h"

#define STEP_PER_S    1.0  /* off the rate per throttle, */
#define STEP_FACTOR   0.1  /* but no more than this share of the start rate, */
#define LEAST_FACTOR  0.7  /* and not below this share of the rate within */
#define PERIOD_MS     1000 /* this time: many may be under way when AWS has a bad moment */
#define FLOOR_FACTOR  0.05 /* of the start rate: whoever throttles each call still gets asked */
#define RETURN_S      30.0 /* time constant of the way back to the start rate */
#define PROBE_PER_S   0.01 /* of the start rate: the slowest way up */
#define SAME_TURN     1e-6 /* credit is a sum of fractions */
#define MAX_LESSON_MS 1000 /* between two successes: idle time teaches nothing */

struct pacer {
	struct mutex lock;
	double start_rate;
	double max_rate;
	double burst;
	double rate;        /* turns per second now, between FLOOR_FACTOR * start_rate and max_rate */
	double credit;      /* <= handed_out + burst */
	int64_t handed_out; /* the last turn's number; above credit: ahead of time */
	int64_t *skipped;   /* numbers above credit that were given back, ascending; never handed_out */
	size_t n_skipped, room_skipped;
	bool started;
	int64_t refilled_ms;
	int64_t period_ms;    /* when the period began in which */
	double least_rate;    /* the rate does not fall below this */
	int64_t learned_ms;   /* of the last success or throttle */
	double background_ms; /* when the last background caller was told to come back */
};

struct pacer *pacer_new(const struct pacer_options *opts)
{
	struct pacer *p = mem_zalloc(sizeof(*p));

	assert(opts->rate_per_s > 0 && opts->burst >= 1);
	mutex_init(&p->lock);
	p->start_rate = p->rate = opts->rate_per_s;
	p->max_rate = p->start_rate * (opts->max_factor > 0 ? opts->max_factor : PACER_MAX_FACTOR);
	p->burst = p->credit = opts->burst;
	return p;
}

void pacer_free(struct pacer *p)
{
	if (!p)
		return;
	mutex_deinit(&p->lock);
	mem_free(p->skipped);
	mem_free(p);
}

static double min(double a, double b)
{
	return a < b ? a : b;
}

static double max(double a, double b)
{
	return a > b ? a : b;
}

/* ---- turns ---- */

static void add_credit(struct pacer *p, double turns)
{
	size_t passed = 0;

	p->credit += turns;
	while (passed < p->n_skipped && (double)p->skipped[passed] <= p->credit + 1 + SAME_TURN) {
		p->credit += 1;
		passed++;
	}
	p->n_skipped -= passed;
	if (passed > 0)
		memmove(p->skipped, p->skipped + passed, p->n_skipped * sizeof(*p->skipped));
	p->credit = min(p->credit, (double)p->handed_out + p->burst);
}

static size_t skipped_before(const struct pacer *p, int64_t number)
{
	size_t low = 0, high = p->n_skipped;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->skipped[middle] < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void skip(struct pacer *p, int64_t number)
{
	size_t at = skipped_before(p, number);

	if (p->n_skipped == p->room_skipped) {
		p->room_skipped = p->room_skipped ? 2 * p->room_skipped : 16;
		p->skipped = mem_realloc(p->skipped, p->room_skipped * sizeof(*p->skipped));
	}
	memmove(p->skipped + at + 1, p->skipped + at, (p->n_skipped - at) * sizeof(*p->skipped));
	p->skipped[at] = number;
	p->n_skipped++;
	while (p->n_skipped > 0 && p->skipped[p->n_skipped - 1] == p->handed_out) { /* nobody is behind it */
		p->n_skipped--;
		p->handed_out--;
	}
}

static void refill(struct pacer *p, int64_t now_ms)
{
	if (!p->started) {
		p->started = true;
		p->refilled_ms = p->learned_ms = now_ms;
		p->background_ms = (double)now_ms;
		p->period_ms = now_ms - PERIOD_MS;
	}
	if (now_ms <= p->refilled_ms) /* threads read the clock before they get the lock */
		return;
	add_credit(p, p->rate * (double)(now_ms - p->refilled_ms) / 1000.0);
	p->refilled_ms = now_ms;
}

/* Until that turn comes. */
static double ms_until(const struct pacer *p, int64_t number)
{
	double missing = (double)(number - (int64_t)skipped_before(p, number)) - p->credit;

	return missing > SAME_TURN ? missing / p->rate * 1000.0 : 0;
}

static int64_t round_up(double ms)
{
	int64_t whole = (int64_t)ms;

	return (double)whole < ms ? whole + 1 : whole;
}

/* Each gets a slot of his own, the first one when the next turn comes. */
static int64_t background_wait_ms(struct pacer *p, int64_t now_ms)
{
	double slot_ms =
		max((double)now_ms + ms_until(p, p->handed_out + 1), p->background_ms + 1000.0 / p->rate);

	p->background_ms = slot_ms;
	return round_up(slot_ms - (double)now_ms);
}

struct pacer_turn pacer_reserve(struct pacer *p, int64_t now_ms, bool background)
{
	LOCK_SCOPE(&p->lock);
	refill(p, now_ms);
	if (background && ms_until(p, p->handed_out + 1) > 0)
		return (struct pacer_turn){.granted = false, .wait_ms = background_wait_ms(p, now_ms)};
	p->handed_out++;
	return (struct pacer_turn){
		.granted = true,
		.wait_ms = round_up(ms_until(p, p->handed_out)),
		.number = p->handed_out,
	};
}

int64_t pacer_left_ms(struct pacer *p, int64_t now_ms, const struct pacer_turn *turn)
{
	LOCK_SCOPE(&p->lock);
	refill(p, now_ms);
	return round_up(ms_until(p, turn->number));
}

void pacer_give_back(struct pacer *p, const struct pacer_turn *turn)
{
	LOCK_SCOPE(&p->lock);
	if ((double)turn->number <= p->credit + SAME_TURN) { /* it had come */
		add_credit(p, 1);
		return;
	}
	skip(p, turn->number);
	add_credit(p, 0);
}

/* ---- the rate ---- */

void pacer_throttled(struct pacer *p, int64_t now_ms)
{
	double step = min(STEP_PER_S, p->start_rate * STEP_FACTOR);

	LOCK_SCOPE(&p->lock);
	refill(p, now_ms);
	p->credit = min(p->credit, (double)p->handed_out); /* what was saved up is not there on AWS's side */
	if (now_ms - p->period_ms >= PERIOD_MS) {
		p->period_ms = now_ms;
		p->least_rate = max(p->rate * LEAST_FACTOR, p->start_rate * FLOOR_FACTOR);
	}
	p->rate = max(p->rate - step, p->least_rate);
	if (now_ms > p->learned_ms)
		p->learned_ms = now_ms;
}

void pacer_succeeded(struct pacer *p, int64_t now_ms)
{
	double passed_s, way_back;

	LOCK_SCOPE(&p->lock);
	refill(p, now_ms);
	passed_s = min((double)(now_ms - p->learned_ms), MAX_LESSON_MS) / 1000.0;
	if (passed_s <= 0)
		return;
	p->learned_ms = now_ms;
	way_back = (p->start_rate - p->rate) / RETURN_S;
	p->rate = min(p->rate + passed_s * max(way_back, p->start_rate * PROBE_PER_S), p->max_rate);
}

double pacer_rate_per_s(struct pacer *p)
{
	LOCK_SCOPE(&p->lock);
	return p->rate;
}
