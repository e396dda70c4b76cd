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
 * does, keeps three quarters of the quota at best: a call that is throttled costs a retry, not a loss.
 *
 * A shared bucket. Credit then does not grow with our clock: the bucket grants turns, each with the time when
 * it comes, and at that time credit grows by one for who has a number. Turns that nobody has a number for are
 * kept a moment, for the background or for what was given back too late, and expire. So the time-keeping, the
 * order and the waits are the same as without; only where credit comes from differs.
 *
 * What is held ahead is little (AHEAD_MS of the rate, over all servers), because it is lost to the others when
 * this server ends; it is asked for again when half of it is left, so that a round trip costs no turn. Numbers
 * beyond it wait for turns that nobody has granted yet: when, is a guess. The background asks only for what is
 * free in the bucket, so it stands behind the foreground of all servers.
 *
 * What AWS's answers teach is learned in the bucket. While it is away the pacer learns by itself, in the scale
 * of the whole bucket, and takes its share of that rate.
 *
 * Rejected: a part of the quota for each server (what one leaves is lost to the others), and asking for each
 * turn when it is needed (a round trip before each call, and whoever asks most often gets most). */
#include "aws/pacer.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "aws/turns.h"
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

/* With a shared bucket: */
#define AHEAD_MS     250 /* so much of the rate is held ahead, by all servers together, but one turn at least */
#define MORE_AT_MS   125   /* more is asked for so long before the last turn held comes */
#define KEEP_MS      250   /* a turn that nobody wanted, after it came */
#define REPORT_MS    100   /* throttles gather so long before they make an exchange due */
#define SOON_MS      5     /* to the end of an exchange that somebody else makes, as a rule */
#define ALONE_MS     1000  /* before the bucket is tried again, doubled each time */
#define ALONE_MAX_MS 10000 /* up to this */
#define SAY_AGAIN_MS 60000
#define MAX_AGAIN_MS 60000 /* whatever the bucket says */
#define MAX_SERVERS  10000
#define SLACK_MS     1.0 /* of a grant's times: sums of fractions */
#define HUGE_RATE    1e9 /* more than this is nonsense */
#define HUGE_MS      1e12

struct shared {
	struct quota *quota; /* NULL: not shared */
	char name[QUOTA_NAME_MAX];
	size_t name_len;
	struct pacer_health *health;
	unsigned expected; /* servers */
	unsigned servers;  /* seen by the bucket of late, by its last word; 0: it never spoke */

	struct turns turns; /* granted; one that has come stays here only while nobody has its number */

	bool alone;

	bool asking;                /* an exchange is under way, */
	struct quota_request asked; /* with this */
	bool trying;                /* it is to find out whether the bucket is back */
	int64_t again_ms;           /* not before this: it has no turns to grant ahead, */
	int64_t again_free_ms;      /* or none that have come */
	unsigned background;        /* callers that wait for the next exchange */
	unsigned throttled;         /* not reported yet */
	int64_t report_ms;          /* throttled > 0: when to */
	bool succeeded;             /* not reported yet */
};

struct pacer {
	struct mutex lock;
	double start_rate;
	double max_rate;
	double burst;
	double rate;        /* turns per second now, between FLOOR_FACTOR * start_rate and max_rate */
	double credit;      /* <= handed_out + burst; drawing on a shared bucket: whole, and <= handed_out */
	int64_t handed_out; /* the last turn's number; above credit: ahead of time */
	int64_t *skipped;   /* numbers above credit that were given back, ascending; never handed_out */
	size_t n_skipped, room_skipped;
	bool started;
	int64_t refilled_ms;
	int64_t period_ms;    /* when the period began in which */
	double least_rate;    /* the rate does not fall below this */
	int64_t learned_ms;   /* of the last success or throttle */
	double background_ms; /* when the last background caller was told to come back */
	struct shared shared;
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

/* ---- whose turns ---- */

/* Turns come from the shared bucket, not from our clock. */
static bool draws(const struct pacer *p)
{
	return p->shared.quota && !p->shared.alone;
}

/* Of the rate, when the pacer goes by its own clock. */
static double share(const struct pacer *p)
{
	const struct shared *s = &p->shared;

	if (!s->quota)
		return 1;
	return 1.0 / (s->servers > s->expected ? s->servers : s->expected);
}

static double own_rate(const struct pacer *p)
{
	return p->rate * share(p);
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
	p->credit = min(p->credit, (double)p->handed_out + max(p->burst * share(p), 1));
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

/* Somebody has a number whose turn has not come. */
static bool is_waited_for(const struct pacer *p)
{
	return p->credit + SAME_TURN < (double)p->handed_out;
}

/* Granted turns that have come: for who has the number, else kept a moment. */
static void hand_over(struct pacer *p, int64_t now_ms)
{
	struct turns *t = &p->shared.turns;

	while (t->n > 0 && turns_at_ms(t, 0) <= (double)now_ms) {
		if (is_waited_for(p))
			add_credit(p, 1);
		else if (turns_at_ms(t, 0) + KEEP_MS > (double)now_ms)
			break;
		turns_pop(t);
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
	hand_over(p, now_ms);
	if (now_ms <= p->refilled_ms) /* threads read the clock before they get the lock */
		return;
	if (!draws(p))
		add_credit(p, own_rate(p) * (double)(now_ms - p->refilled_ms) / 1000.0);
	p->refilled_ms = now_ms;
}

static int64_t round_up(double ms)
{
	int64_t whole = (int64_t)ms;

	return (double)whole < ms ? whole + 1 : whole;
}

/* Until a turn that the shared bucket has not granted comes, if all servers want as much as we do: the nth
 * of these, behind those that were granted. Never now, whatever the guess. */
static double guess_ms(const struct pacer *p, int64_t now_ms, double nth)
{
	const struct shared *s = &p->shared;
	double turn_ms = 1000.0 / p->rate * (s->servers > 0 ? s->servers : 1);
	double ms = s->turns.n > 0 ? turns_last_ms(&s->turns) - (double)now_ms + nth * turn_ms
				   : max((double)(s->again_ms - now_ms), 0) + (nth - 1) * turn_ms;

	return max(ms, SOON_MS);
}

/* Until that turn comes. */
static double ms_until(const struct pacer *p, int64_t now_ms, int64_t number)
{
	const struct turns *t = &p->shared.turns;
	double missing = (double)(number - (int64_t)skipped_before(p, number)) - p->credit;
	double after_ms = 0;

	if (missing <= SAME_TURN)
		return 0;
	if (missing <= (double)t->n + SAME_TURN)
		return max(turns_at_ms(t, (size_t)round_up(missing - SAME_TURN) - 1) - (double)now_ms, 0);
	missing -= (double)t->n;
	if (draws(p))
		return guess_ms(p, now_ms, missing);
	if (t->n > 0) /* our own clock begins behind them */
		after_ms = max(turns_last_ms(t) - (double)now_ms, 0);
	return after_ms + missing / own_rate(p) * 1000.0;
}

/* Numbers for which no turn was granted. */
static double not_granted(const struct pacer *p)
{
	return (double)(p->handed_out - (int64_t)p->n_skipped) - p->credit - (double)p->shared.turns.n;
}

/* Whether free turns can be asked for at once. When the foreground waits there are none. */
static bool may_ask_for_free(const struct pacer *p, int64_t now_ms)
{
	const struct shared *s = &p->shared;

	return draws(p) && !s->asking && !is_waited_for(p) && s->turns.n == 0 && now_ms >= s->again_free_ms;
}

static double background_turn_ms(const struct pacer *p)
{
	return 1000.0 / (draws(p) ? p->rate : own_rate(p));
}

/* Each gets a slot of his own, the first one when the next turn comes. */
static int64_t background_wait_ms(struct pacer *p, int64_t now_ms)
{
	double turn_ms = background_turn_ms(p);
	double next_ms = ms_until(p, now_ms, p->handed_out + 1), slot_ms;

	if (draws(p))
		next_ms = max(next_ms, (double)(p->shared.again_free_ms - now_ms));
	slot_ms = max((double)now_ms + next_ms, p->background_ms + turn_ms);
	p->background_ms = slot_ms;
	return round_up(slot_ms - (double)now_ms);
}

static struct pacer_turn refuse(struct pacer *p, int64_t now_ms)
{
	struct shared *s = &p->shared;

	if (s->asking && draws(p)) /* it may bring some */
		return (struct pacer_turn){.granted = false, .wait_ms = SOON_MS};
	if (!may_ask_for_free(p, now_ms))
		return (struct pacer_turn){
			.granted = false, .slot = true, .wait_ms = background_wait_ms(p, now_ms)};
	s->background++;
	return (struct pacer_turn){.granted = false, .asks = true, .wait_ms = SOON_MS};
}

struct pacer_turn pacer_reserve(struct pacer *p, int64_t now_ms, bool background)
{
	LOCK_SCOPE(&p->lock);
	refill(p, now_ms);
	if (background && ms_until(p, now_ms, p->handed_out + 1) > 0)
		return refuse(p, now_ms);
	p->handed_out++;
	hand_over(p, now_ms);
	return (struct pacer_turn){
		.granted = true,
		.wait_ms = round_up(ms_until(p, now_ms, p->handed_out)),
		.number = p->handed_out,
	};
}

int64_t pacer_left_ms(struct pacer *p, int64_t now_ms, const struct pacer_turn *turn)
{
	LOCK_SCOPE(&p->lock);
	refill(p, now_ms);
	return round_up(ms_until(p, now_ms, turn->number));
}

static void put_back(struct pacer *p)
{
	struct turns *t = &p->shared.turns;
	double at_ms = (double)p->refilled_ms;

	turns_put_back(t, t->n > 0 ? min(turns_at_ms(t, 0), at_ms) : at_ms);
}

void pacer_give_back(struct pacer *p, const struct pacer_turn *turn)
{
	bool has_come;

	LOCK_SCOPE(&p->lock);
	if (!turn->granted) {
		/* A crowd that leaves together would leave its slots empty, and who comes after it would wait behind them. */
		if (turn->slot)
			p->background_ms -= background_turn_ms(p);
		return;
	}
	has_come = (double)turn->number <= p->credit + SAME_TURN;
	if (!has_come)
		skip(p, turn->number);
	if (has_come && draws(p) && !is_waited_for(p))
		put_back(p);
	else
		add_credit(p, has_come ? 1 : 0);
}

/* ---- the rate ---- */

/* What was saved up is not there on AWS's side. */
static void forget_saved(struct pacer *p, int64_t now_ms)
{
	struct turns *t = &p->shared.turns;

	p->credit = min(p->credit, (double)p->handed_out);
	while (t->n > 0 && !is_waited_for(p) && turns_at_ms(t, 0) <= (double)now_ms)
		turns_pop(t);
}

/* A step is STEP_PER_S of our own rate, which is a share of p->rate. */
static void slow_down(struct pacer *p, int64_t now_ms, unsigned throttled)
{
	double step = min(STEP_PER_S / share(p), p->start_rate * STEP_FACTOR);

	if (now_ms - p->period_ms >= PERIOD_MS) {
		p->period_ms = now_ms;
		p->least_rate = max(p->rate * LEAST_FACTOR, p->start_rate * FLOOR_FACTOR);
	}
	p->rate = max(p->rate - step * throttled, p->least_rate);
	if (now_ms > p->learned_ms)
		p->learned_ms = now_ms;
}

void pacer_throttled(struct pacer *p, int64_t now_ms)
{
	struct shared *s = &p->shared;

	LOCK_SCOPE(&p->lock);
	refill(p, now_ms);
	forget_saved(p, now_ms);
	if (!draws(p)) {
		slow_down(p, now_ms, 1);
		return;
	}
	if (s->throttled++ == 0)
		s->report_ms = now_ms + REPORT_MS;
}

void pacer_succeeded(struct pacer *p, int64_t now_ms)
{
	double passed_s, way_back;

	LOCK_SCOPE(&p->lock);
	refill(p, now_ms);
	if (draws(p)) {
		p->shared.succeeded = true;
		return;
	}
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
	return draws(p) ? p->rate : own_rate(p);
}

/* ---- the shared bucket ---- */

/* From our clock to the bucket's turns: what was saved up stays behind. */
static void begin_to_draw(struct pacer *p)
{
	p->credit = (double)(int64_t)min(p->credit + SAME_TURN, (double)p->handed_out);
}

void pacer_share(struct pacer *p, const struct pacer_share_options *opts)
{
	struct shared *s = &p->shared;

	assert(opts->quota && opts->health && opts->name.n > 0 && opts->name.n <= sizeof(s->name));
	LOCK_SCOPE(&p->lock);
	if (s->quota)
		return;
	memcpy(s->name, opts->name.p, opts->name.n);
	s->name_len = opts->name.n;
	s->health = opts->health;
	s->expected = opts->servers > 0 ? opts->servers : 1;
	s->quota = opts->quota;
	begin_to_draw(p);
}

/* When to ask for turns that somebody has a number for. */
static int64_t more_at_ms(const struct pacer *p, int64_t now_ms)
{
	const struct shared *s = &p->shared;
	int64_t at_ms = s->again_ms;

	if (turns_full(&s->turns))
		return now_ms + SOON_MS;
	if (s->turns.n > 0 && turns_last_ms(&s->turns) - MORE_AT_MS > (double)at_ms)
		at_ms = (int64_t)turns_last_ms(&s->turns) - MORE_AT_MS;
	return at_ms;
}

static int64_t due_ms(const struct pacer *p, int64_t now_ms)
{
	const struct shared *s = &p->shared;
	int64_t at_ms = INT64_MAX;

	if (s->alone)
		return atomic_load(&s->health->away) ? atomic_load(&s->health->try_ms) : now_ms;
	if (not_granted(p) > SAME_TURN)
		at_ms = more_at_ms(p, now_ms);
	else if (s->background > 0)
		at_ms = now_ms;
	if (s->throttled > 0 && s->report_ms < at_ms)
		at_ms = s->report_ms;
	return at_ms;
}

/* For numbers that were handed out, as far as turns are held ahead. */
static unsigned turns_to_ask_for(const struct pacer *p)
{
	const struct shared *s = &p->shared;
	double ahead = p->rate * AHEAD_MS / 1000.0 / (s->servers > 0 ? s->servers : 1);
	double room = max(ahead - (double)s->turns.n, 1);

	return turns_full(&s->turns) ? 0 : (unsigned)min(not_granted(p) + SAME_TURN, min(room, UINT16_MAX));
}

static void ask(struct pacer *p)
{
	struct shared *s = &p->shared;
	bool foreground = not_granted(p) > SAME_TURN;

	s->asked = (struct quota_request){
		.name = str_n(s->name, s->name_len),
		.start_per_s = p->start_rate,
		.most_per_s = max(p->max_rate, p->start_rate),
		.burst = p->burst,
		.turns = foreground ? turns_to_ask_for(p) : s->background,
		.only_free = !foreground,
		.throttled = s->throttled,
		.succeeded = s->succeeded,
	};
	s->asking = true;
	s->background = 0;
	s->throttled = 0;
	s->succeeded = false;
}

static void go_alone(struct pacer *p, int64_t now_ms)
{
	struct shared *s = &p->shared;
	int64_t last_ms = s->turns.n > 0 ? round_up(turns_last_ms(&s->turns)) : now_ms;

	s->alone = true;
	p->refilled_ms = last_ms > now_ms ? last_ms : now_ms; /* our clock begins behind what was granted */
	p->background_ms = (double)now_ms;
	if (s->throttled > 0) /* the bucket was to be told */
		slow_down(p, now_ms, s->throttled);
	p->learned_ms = now_ms;
	s->throttled = s->background = 0;
	s->succeeded = false;
}

/* True: it is this pacer that tries whether the bucket is back, and no other one. */
static bool may_try(struct shared *s, int64_t now_ms)
{
	struct pacer_health *h = s->health;
	int64_t try_ms = atomic_load(&h->try_ms);

	return try_ms <= now_ms &&
	       atomic_compare_exchange_strong(&h->try_ms, &try_ms, now_ms + atomic_load(&h->pause_ms));
}

int64_t pacer_exchange_ms(struct pacer *p, int64_t now_ms, struct pacer_exchange *ret_exchange)
{
	struct shared *s = &p->shared;
	int64_t at_ms;

	LOCK_SCOPE(&p->lock);
	if (!s->quota)
		return INT64_MAX;
	refill(p, now_ms);
	if (s->asking)
		return draws(p) && not_granted(p) > SAME_TURN ? SOON_MS : INT64_MAX;
	at_ms = due_ms(p, now_ms);
	if (at_ms > now_ms)
		return at_ms == INT64_MAX ? INT64_MAX : at_ms - now_ms;
	s->trying = atomic_load(&s->health->away);
	if (s->trying && !may_try(s, now_ms)) {
		if (!s->alone)
			go_alone(p, now_ms);
		return SOON_MS;
	}
	ask(p);
	*ret_exchange = (struct pacer_exchange){.quota = s->quota, .request = s->asked};
	return 0;
}

/* However far ahead the bucket may grant a turn. */
static double most_ahead_ms(const struct pacer *p, const struct quota_grant *g)
{
	double rate = max(g->rate_per_s, p->start_rate * FLOOR_FACTOR);

	return max(QUOTA_AHEAD_MS, min(g->servers, MAX_SERVERS) * 1000.0 / rate);
}

/* Written so that it is false for what is not a number. */
static bool makes_sense(const struct pacer *p, const struct quota_grant *g)
{
	const struct quota_request *asked = &p->shared.asked;
	double last_ms = g->first_ms + g->interval_ms * (g->turns > 0 ? g->turns - 1 : 0);

	if (!(g->rate_per_s > 0 && g->rate_per_s < HUGE_RATE) || g->servers == 0 || g->turns > asked->turns)
		return false;
	if (g->turns == 0)
		return true;
	return g->interval_ms >= 0 && g->first_ms > -HUGE_MS &&
	       last_ms <= (asked->only_free ? 0 : most_ahead_ms(p, g)) + SLACK_MS;
}

static void no_more_before(struct shared *s, int64_t now_ms, int64_t again_ms)
{
	int64_t at_ms = now_ms + (again_ms < 1 ? 1 : again_ms > MAX_AGAIN_MS ? MAX_AGAIN_MS : again_ms);

	s->again_free_ms = at_ms;
	if (!s->asked.only_free)
		s->again_ms = at_ms;
}

bool pacer_granted(struct pacer *p, int64_t now_ms, const struct quota_grant *grant)
{
	struct shared *s = &p->shared;

	LOCK_SCOPE(&p->lock);
	assert(s->asking);
	if (!makes_sense(p, grant))
		return false;
	refill(p, now_ms);
	s->asking = false;
	atomic_fetch_add(&s->health->exchanges, 1);
	atomic_store(&s->health->away, false);
	if (s->alone)
		begin_to_draw(p);
	s->alone = false;
	s->servers = grant->servers < MAX_SERVERS ? grant->servers : MAX_SERVERS;
	p->rate = min(max(grant->rate_per_s, p->start_rate * FLOOR_FACTOR), p->max_rate);
	if (grant->turns > 0)
		turns_add(&s->turns, (double)now_ms + grant->first_ms, grant->interval_ms, grant->turns,
			(double)now_ms);
	if (grant->turns < s->asked.turns)
		no_more_before(s, now_ms, grant->again_ms);
	hand_over(p, now_ms);
	return true;
}

/* It is over, and the bucket does not know what it was told. */
static void take_back(struct shared *s)
{
	assert(s->asking);
	s->asking = false;
	if (s->asked.throttled > 0)
		s->report_ms = 0; /* overdue */
	s->throttled += s->asked.throttled;
	s->succeeded = s->succeeded || s->asked.succeeded;
}

/* A bucket that comes and goes is mentioned now and then. */
static bool is_news(struct pacer_health *h, int64_t now_ms)
{
	const int64_t said_ms = atomic_load(&h->said_ms);

	if (said_ms != 0 && now_ms - said_ms < SAY_AGAIN_MS)
		return false;
	atomic_store(&h->said_ms, now_ms);
	return true;
}

bool pacer_alone(struct pacer *p, int64_t now_ms)
{
	struct shared *s = &p->shared;
	struct pacer_health *h = s->health;
	int64_t pause_ms = ALONE_MS;

	LOCK_SCOPE(&p->lock);
	refill(p, now_ms);
	take_back(s);
	if (!s->alone)
		go_alone(p, now_ms);
	atomic_fetch_add(&h->exchanges, 1);
	atomic_fetch_add(&h->failures, 1);
	if (s->trying)
		pause_ms = (int64_t)min(2 * (double)atomic_load(&h->pause_ms), ALONE_MAX_MS);
	if (s->trying || !atomic_load(&h->away)) { /* else it was under way when another one failed */
		atomic_store(&h->pause_ms, pause_ms);
		atomic_store(&h->try_ms, now_ms + pause_ms);
	}
	return !atomic_exchange(&h->away, true) && is_news(h, now_ms);
}

void pacer_not_asked(struct pacer *p)
{
	struct shared *s = &p->shared;

	LOCK_SCOPE(&p->lock);
	take_back(s);
	if (s->trying)
		atomic_store(&s->health->try_ms, 0); /* somebody else may */
}
