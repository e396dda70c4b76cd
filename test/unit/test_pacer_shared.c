/* layers: aws base
 *
 * Pacers that share a bucket: what one makes of the bucket's words, step by step; then several servers against
 * one bucket and one AWS, simulated. All times are of the test's own making. */
#include "aws/pacer.h"

#include <math.h>

#include "base/thread.h"
#include "support/cunit_main.h"
#include "support/fake_quota.h"

static struct pacer_health health;
static struct quota nobody; /* these tests are the bucket */

static struct pacer *shared_pacer(double rate, double burst, unsigned servers)
{
	struct pacer *p = pacer_new(&(struct pacer_options){.rate_per_s = rate, .burst = burst});

	health = (struct pacer_health){.exchanges = 0};
	pacer_share(
		p, &(struct pacer_share_options){
			   .quota = &nobody, .name = STR("1/iam/x"), .servers = servers, .health = &health});
	return p;
}

static struct pacer_turn foreground(struct pacer *p, int64_t now_ms)
{
	struct pacer_turn t = pacer_reserve(p, now_ms, /* background= */ false);

	CU_ASSERT_TRUE(t.granted);
	return t;
}

static struct pacer_turn background(struct pacer *p, int64_t now_ms)
{
	return pacer_reserve(p, now_ms, /* background= */ true);
}

/* An exchange is due, for so many turns. */
static struct quota_request ask(
	struct pacer *p, int64_t now_ms, unsigned turns, bool only_free, const char *what)
{
	struct pacer_exchange x = {.quota = NULL};

	ASSERT_I64(pacer_exchange_ms(p, now_ms, &x), 0, what);
	CU_ASSERT_PTR_EQUAL(x.quota, &nobody);
	ASSERT_STR(x.request.name, STR("1/iam/x"), what);
	ASSERT_I64(x.request.turns, turns, what);
	ASSERT_I64(x.request.only_free, only_free, what);
	return x.request;
}

static int64_t not_due(struct pacer *p, int64_t now_ms)
{
	struct pacer_exchange x;
	int64_t left_ms = pacer_exchange_ms(p, now_ms, &x);

	CU_ASSERT(left_ms > 0);
	return left_ms;
}

/* At 10 turns per second, by one server. */
static struct quota_grant grant_of(unsigned turns, double first_ms)
{
	return (struct quota_grant){
		.turns = turns, .first_ms = first_ms, .interval_ms = 100, .rate_per_s = 10, .servers = 1};
}

static void grant(struct pacer *p, int64_t now_ms, const struct quota_grant *g)
{
	CU_ASSERT_TRUE(pacer_granted(p, now_ms, g));
}

/* ---- one pacer ---- */

static void test_turns_are_granted(void)
{
	struct pacer *p = shared_pacer(40, 5, 1);
	struct pacer_turn turns[12];
	struct quota_request r;

	CU_ASSERT(not_due(p, 0) == INT64_MAX);
	for (int i = 0; i < 12; i++)
		turns[i] = foreground(p, 0);
	CU_ASSERT(turns[0].wait_ms > 0); /* nothing is its own */
	ASSERT_I64(turns[11].wait_ms, 275, "a guess");
	r = ask(p, 0, 10, false, "a quarter of a second's");
	CU_ASSERT_DOUBLE_EQUAL(r.start_per_s, 40, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(r.most_per_s, 50, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(r.burst, 5, 1e-9);
	CU_ASSERT(not_due(p, 0) < 20); /* one at a time; soon over */
	grant(p, 2,
		&(struct quota_grant){
			.turns = 10, .first_ms = -50, .interval_ms = 25, .rate_per_s = 40, .servers = 1});
	for (int i = 0; i < 10; i++)
		ASSERT_I64(pacer_left_ms(p, 2, &turns[i]), i < 2 ? 0 : (i - 2) * 25, "three, then by rate");
	ASSERT_I64(pacer_left_ms(p, 2, &turns[11]), 225, "a guess: two behind the last");
	ASSERT_I64(not_due(p, 2), 50, "before the last ones have come");
	ask(p, 52, 2, false, "those that are not granted");
	grant(p, 60,
		&(struct quota_grant){
			.turns = 2, .first_ms = 140, .interval_ms = 25, .rate_per_s = 40, .servers = 1});
	ASSERT_I64(pacer_left_ms(p, 60, &turns[9]), 117, "as it was");
	ASSERT_I64(pacer_left_ms(p, 60, &turns[10]), 140, "exact");
	ASSERT_I64(pacer_left_ms(p, 199, &turns[10]), 1, "exact");
	ASSERT_I64(pacer_left_ms(p, 200, &turns[10]), 0, "has come");
	ASSERT_I64(pacer_left_ms(p, 200, &turns[11]), 25, "has not");
	CU_ASSERT(not_due(p, 300) == INT64_MAX); /* nobody waits */
	ASSERT_I64(health.exchanges, 2, "exchanges");
	ASSERT_I64(health.failures, 0, "failures");
	pacer_free(p);
}

/* With three servers a third is held ahead. Fewer than were wanted: not again before. */
static void test_fewer_than_wanted(void)
{
	struct pacer *p = shared_pacer(40, 1, 1);
	struct quota_grant g = {
		.turns = 1, .interval_ms = 25, .again_ms = 70, .rate_per_s = 40, .servers = 3};
	struct pacer_turn t;

	for (int i = 0; i < 8; i++)
		t = foreground(p, 0);
	ask(p, 0, 8, false, "nobody else is known of");
	grant(p, 0, &g);
	ASSERT_I64(not_due(p, 0), 70, "again");
	ASSERT_I64(pacer_left_ms(p, 0, &t), 520, "a guess: a third of the rate, from then on");
	ask(p, 70, 3, false, "a third of a quarter of a second's");
	g.turns = 0;
	g.again_ms = 0; /* a careless bucket is not asked in a circle */
	grant(p, 70, &g);
	ASSERT_I64(not_due(p, 70), 1, "not at once");
	ask(p, 71, 3, false, "again");
	g.again_ms = INT64_MAX;
	grant(p, 71, &g);
	ASSERT_I64(not_due(p, 71), 60000, "a minute at most");
	pacer_free(p);
}

/* A rate below one turn in AHEAD_MS. */
static void test_slow_bucket(void)
{
	struct pacer *p = shared_pacer(1, 1, 1);
	struct quota_grant g = {.turns = 1, .interval_ms = 1000, .rate_per_s = 1, .servers = 1};
	struct pacer_turn a = foreground(p, 0), b = foreground(p, 0), c = foreground(p, 0);

	ask(p, 0, 1, false, "one at least");
	grant(p, 0, &g);
	ASSERT_I64(pacer_left_ms(p, 0, &a), 0, "has come");
	ask(p, 0, 1, false, "the next");
	g.first_ms = 1000;
	grant(p, 0, &g);
	ASSERT_I64(pacer_left_ms(p, 0, &b), 1000, "exact");
	ASSERT_I64(pacer_left_ms(p, 0, &c), 2000, "a guess");
	ASSERT_I64(not_due(p, 0), 875, "shortly before");
	pacer_free(p);
}

static void test_background(void)
{
	struct pacer *p = shared_pacer(10, 5, 1);
	struct quota_grant g = {
		.turns = 2, .first_ms = -1000, .interval_ms = 100, .rate_per_s = 10, .servers = 1};
	struct pacer_turn t[4], fg;

	for (int i = 0; i < 4; i++) {
		t[i] = background(p, 0);
		CU_ASSERT_TRUE(!t[i].granted && t[i].asks && t[i].wait_ms > 0);
	}
	ask(p, 0, 4, true, "what is free, for all of them");
	t[0] = background(p, 1);
	CU_ASSERT_TRUE(!t[0].granted && !t[0].asks); /* is not asked for: comes back when it is over */
	g.again_ms = 80;
	grant(p, 2, &g);
	CU_ASSERT_TRUE(background(p, 3).granted);
	CU_ASSERT_TRUE(background(p, 3).granted);
	for (int i = 0; i < 3; i++) {
		t[i] = background(p, 3);
		CU_ASSERT_TRUE(!t[i].granted && !t[i].asks);
		CU_ASSERT(t[i].wait_ms >= 79 + 100 * i); /* one after the other */
	}
	CU_ASSERT(not_due(p, 3) == INT64_MAX);
	fg = foreground(p, 4); /* passes them, and need not wait for the time they were told */
	ask(p, 4, 1, false, "for the foreground");
	g = grant_of(1, 78);
	grant(p, 4, &g);
	ASSERT_I64(pacer_left_ms(p, 4, &fg), 78, "exact");
	t[0] = background(p, 81);
	CU_ASSERT_TRUE(!t[0].granted && !t[0].asks); /* nothing can be free before the foreground's turn */
	CU_ASSERT_TRUE(background(p, 82).asks);
	ask(p, 82, 1, true, "free ones");
	g = grant_of(0, 0);
	g.again_ms = 100;
	grant(p, 82, &g);
	CU_ASSERT_FALSE(background(p, 181).asks);
	CU_ASSERT_TRUE(background(p, 182).asks);
	fg = foreground(p, 182);
	ask(p, 182, 1, false, "the foreground first");
	g = grant_of(0, 0);
	g.again_ms = 50;
	grant(p, 182, &g);
	CU_ASSERT_FALSE(background(p, 240).asks); /* the foreground has not got its turn yet */
	ask(p, 240, 1, false, "the foreground first");
	g = grant_of(1, 0);
	grant(p, 240, &g);
	ASSERT_I64(pacer_left_ms(p, 240, &fg), 0, "has come");
	pacer_free(p);
}

/* What nobody wanted is kept for a moment and not longer. */
static void test_expiry(void)
{
	struct pacer *p = shared_pacer(10, 5, 1);
	struct quota_grant g = grant_of(3, -1000);

	for (int i = 0; i < 3; i++)
		CU_ASSERT_TRUE(background(p, 0).asks);
	ask(p, 0, 3, true, "three");
	grant(p, 0, &g);
	CU_ASSERT_TRUE(background(p, 249).granted);
	CU_ASSERT_TRUE(background(p, 251).asks); /* two came to nothing */
	pacer_free(p);
}

static void test_give_back(void)
{
	struct pacer *p = shared_pacer(40, 5, 1);
	struct quota_grant g = grant_of(3, 0);
	struct pacer_turn a = foreground(p, 0), b = foreground(p, 0), c = foreground(p, 0), d;

	ask(p, 0, 3, false, "three");
	grant(p, 0, &g);
	pacer_give_back(p, &b);
	ASSERT_I64(pacer_left_ms(p, 0, &a), 0, "before it");
	ASSERT_I64(pacer_left_ms(p, 0, &c), 100, "behind it");
	CU_ASSERT(not_due(p, 0) == INT64_MAX);
	d = foreground(p, 50);
	ASSERT_I64(d.wait_ms, 150, "a turn that was granted is left");
	ASSERT_I64(pacer_left_ms(p, 100, &c), 0, "has come");
	pacer_give_back(p, &c); /* at the last moment */
	ASSERT_I64(pacer_left_ms(p, 100, &d), 0, "moves up");
	d = foreground(p, 200);
	ASSERT_I64(d.wait_ms, 0, "the one that is left");
	pacer_give_back(p, &d); /* nobody is behind it */
	CU_ASSERT_TRUE(background(p, 300).granted);
	d = foreground(p, 300);
	pacer_give_back(p, &d); /* before any was granted */
	CU_ASSERT(not_due(p, 300) == INT64_MAX);
	for (int i = 0; i < 100; i++) { /* however many */
		d = foreground(p, 1000);
		ask(p, 1000, 1, false, "one");
		g = grant_of(1, 0);
		grant(p, 1000, &g);
		pacer_give_back(p, &d);
		CU_ASSERT_TRUE(background(p, 1000).granted);
	}
	pacer_free(p);
}

/* All give up at the last moment, while more turns are on their way. */
static void test_many_given_back(void)
{
	struct pacer *p = shared_pacer(400, 5, 1);
	struct quota_grant g = {.turns = 30, .rate_per_s = 400, .servers = 1};
	struct pacer_turn turns[31];
	int kept = 0;

	for (int i = 0; i < 30; i++)
		turns[i] = foreground(p, 0);
	ask(p, 0, 30, false, "all");
	grant(p, 0, &g);
	turns[30] = foreground(p, 0);
	ask(p, 0, 1, false, "one more");
	for (int i = 0; i < 31; i++)
		pacer_give_back(p, &turns[i]);
	g.turns = 1;
	grant(p, 1, &g);
	while (background(p, 1).granted)
		kept++;
	CU_ASSERT(kept > 8 && kept <= 31);
	pacer_free(p);
}

/* Many grants of one turn each, none of which has come. */
static void test_many_grants(void)
{
	struct pacer *p = shared_pacer(1000, 5, 1);
	struct pacer_turn turns[40];
	struct quota_grant g = {.turns = 1, .first_ms = 100, .rate_per_s = 1000, .servers = 1};
	unsigned granted = 0;

	for (int i = 0; i < 40; i++) {
		struct pacer_exchange x;

		turns[i] = foreground(p, 0);
		if (pacer_exchange_ms(p, 0, &x) == 0) {
			grant(p, 0, &g);
			granted++;
		}
	}
	CU_ASSERT(granted > 8 && granted < 40);
	for (unsigned i = 0; i < granted; i++)
		ASSERT_I64(pacer_left_ms(p, 0, &turns[i]), 100, "all that were granted are kept");
	ask(p, 100, 40 - granted, false, "the rest");
	pacer_not_asked(p);
	pacer_free(p);
}

static void test_lessons(void)
{
	struct pacer *p = shared_pacer(40, 5, 1);
	struct pacer_turn t = foreground(p, 0);
	struct quota_request r = ask(p, 0, 1, false, "a turn");
	struct quota_grant g = grant_of(1, 0);

	CU_ASSERT_TRUE(r.throttled == 0 && !r.succeeded);
	pacer_succeeded(p, 0); /* meanwhile */
	grant(p, 0, &g);
	ASSERT_I64(pacer_left_ms(p, 0, &t), 0, "has come");
	CU_ASSERT(not_due(p, 0) == INT64_MAX); /* a success alone can wait */
	pacer_throttled(p, 1000);
	pacer_throttled(p, 1020);
	ASSERT_I64(not_due(p, 1020), 80, "a throttle a little");
	r = ask(p, 1100, 0, true, "for no turn, only to report");
	CU_ASSERT_TRUE(r.throttled == 2 && r.succeeded);
	pacer_throttled(p, 1101);
	pacer_not_asked(p);
	r = ask(p, 1102, 0, true, "once more");
	CU_ASSERT_TRUE(r.throttled == 3 && r.succeeded);
	CU_ASSERT_DOUBLE_EQUAL(pacer_rate_per_s(p), 10, 1e-9); /* of the last grant */
	g = grant_of(0, 0);
	g.rate_per_s = 7;
	grant(p, 1102, &g);
	CU_ASSERT_DOUBLE_EQUAL(pacer_rate_per_s(p), 7, 1e-9);
	CU_ASSERT(not_due(p, 9000) == INT64_MAX); /* told once */
	pacer_free(p);
}

/* What was saved up is not there when AWS throttles. */
static void test_throttle_ends_what_was_saved(void)
{
	struct pacer *p = shared_pacer(40, 5, 1);
	struct quota_grant g = grant_of(2, 0);

	CU_ASSERT_TRUE(background(p, 0).asks);
	CU_ASSERT_TRUE(background(p, 0).asks);
	ask(p, 0, 2, true, "two");
	g.interval_ms = 0;
	grant(p, 0, &g);
	pacer_throttled(p, 0);
	CU_ASSERT_FALSE(background(p, 0).granted);
	pacer_free(p);
}

static void fail(struct pacer *p, int64_t now_ms, bool news, const char *what)
{
	ASSERT_I64(pacer_alone(p, now_ms), news, what);
}

static void test_alone(void)
{
	struct pacer *p = shared_pacer(40, 8, 2);
	struct quota_grant g = grant_of(3, 50);
	struct pacer_turn turns[20];
	int64_t now_ms;

	for (int i = 0; i < 4; i++)
		turns[i] = foreground(p, 0);
	ask(p, 0, 4, false, "four");
	g.servers = 4;
	g.rate_per_s = 20;
	grant(p, 0, &g); /* three at 50, 150, 250 */
	ask(p, 125, 1, false, "the fourth");
	for (int i = 4; i < 20; i++)
		turns[i] = foreground(p, 140);
	fail(p, 140, true, "it was there until now");
	ASSERT_I64(health.failures, 1, "failures");
	CU_ASSERT_TRUE(health.away);
	CU_ASSERT_DOUBLE_EQUAL(pacer_rate_per_s(p), 5, 1e-9); /* a quarter of the last rate */
	ASSERT_I64(pacer_left_ms(p, 140, &turns[1]), 10, "what was granted stays valid");
	ASSERT_I64(pacer_left_ms(p, 140, &turns[2]), 110, "what was granted stays valid");
	for (int i = 3; i < 20; i++)
		ASSERT_I64(pacer_left_ms(p, 140, &turns[i]), 110 + (i - 2) * 200, "then by its own clock");
	CU_ASSERT_FALSE(background(p, 140).granted);
	ASSERT_I64(not_due(p, 140), 1000, "a pause");
	ASSERT_I64(pacer_left_ms(p, 449, &turns[3]), 1, "not both at the same time");
	ASSERT_I64(pacer_left_ms(p, 450, &turns[3]), 0, "not both at the same time");
	now_ms = 140;
	for (int pause_ms = 1000, i = 0; i < 6; i++) {
		now_ms += pause_ms;
		CU_ASSERT(not_due(p, now_ms - 1) == 1);
		(void)pacer_exchange_ms(p, now_ms, &(struct pacer_exchange){.quota = NULL});
		fail(p, now_ms, false, "still away");
		pause_ms = 2 * pause_ms < 10000 ? 2 * pause_ms : 10000;
		ASSERT_I64(not_due(p, now_ms), pause_ms, "longer each time");
	}
	foreground(p, now_ms); /* idle for long: a share of the burst is there */
	ASSERT_I64(foreground(p, now_ms).wait_ms, 0, "a share of the burst");
	ASSERT_I64(foreground(p, now_ms).wait_ms, 200, "and no more");
	now_ms += 10000;
	ask(p, now_ms, 0, true, "whether it is back");
	g = grant_of(0, 0);
	grant(p, now_ms, &g);
	CU_ASSERT_FALSE(health.away);
	CU_ASSERT_DOUBLE_EQUAL(pacer_rate_per_s(p), 10, 1e-9);
	turns[0] = foreground(p, now_ms);
	CU_ASSERT(turns[0].wait_ms > 0); /* what was saved up stays behind */
	ask(p, now_ms, 1, false, "shared again");
	fail(p, now_ms, false, "and away again, which was said less than a minute ago");
	ASSERT_I64(not_due(p, now_ms), 1000, "a short pause first");
	ASSERT_I64(pacer_left_ms(p, now_ms, &turns[0]), 200, "alone, of the two that are configured");
	pacer_free(p);
}

static struct pacer *peer(struct pacer_health *h)
{
	struct pacer *p = pacer_new(&(struct pacer_options){.rate_per_s = 10, .burst = 1});

	pacer_share(p, &(struct pacer_share_options){.quota = &nobody, .name = STR("1/iam/x"), .health = h});
	return p;
}

/* What one pacer of a server finds out counts for the others: each would lose its time with it. */
static void test_all_alone(void)
{
	struct pacer_health h = {.exchanges = 0};
	struct pacer *a = peer(&h), *b = peer(&h), *late = peer(&h);
	struct pacer_turn turn;
	struct quota_grant g = grant_of(1, 0);

	foreground(a, 0);
	foreground(late, 0);
	ask(a, 0, 1, false, "one");
	ask(late, 0, 1, false, "one");
	fail(a, 10, true, "news");
	fail(late, 100, false, "no news");
	turn = foreground(b, 100);
	CU_ASSERT(not_due(b, 100) < 20);
	ASSERT_I64(pacer_left_ms(b, 100, &turn), 100, "its own clock, without having asked");
	ASSERT_I64(not_due(a, 100), 910, "a second behind the first failure");
	ask(b, 1010, 0, true, "one of them tries,");
	CU_ASSERT(not_due(a, 1010) == 1000); /* the others do not */
	pacer_not_asked(b);                  /* and ended before it knew */
	ask(a, 1011, 0, true, "so another one tries");
	fail(a, 1020, false, "still away");
	ASSERT_I64(not_due(b, 1020), 2000, "for all");
	ASSERT_I64(not_due(late, 1020), 2000, "for all");
	ask(b, 3020, 0, true, "tries");
	g.turns = 0;
	grant(b, 3020, &g);
	foreground(a, 3021);
	ask(a, 3021, 0, true, "back for all, at once");
	grant(a, 3021, &g);
	ASSERT_I64(h.exchanges, 5, "exchanges");
	ASSERT_I64(h.failures, 3, "failures");
	pacer_free(a);
	pacer_free(b);
	pacer_free(late);
}

/* What AWS says counts while the bucket is away, in proportion; what the bucket was to be told as well. */
static void test_learning_alone(void)
{
	struct pacer *p = shared_pacer(40, 8, 4);

	foreground(p, 0);
	pacer_throttled(p, 0);
	ask(p, 0, 1, false, "one");
	fail(p, 0, true, "away");
	CU_ASSERT_DOUBLE_EQUAL(pacer_rate_per_s(p), 9, 1e-9);
	pacer_throttled(p, 500);
	CU_ASSERT_DOUBLE_EQUAL(pacer_rate_per_s(p), 8, 1e-9);
	pacer_succeeded(p, 1000);
	CU_ASSERT_DOUBLE_EQUAL(
		pacer_rate_per_s(p), 8.05, 1e-9); /* a hundredth of the start rate per second */
	pacer_free(p);
}

/* The bucket was away from the start. */
static void test_alone_at_once(void)
{
	struct pacer *p = shared_pacer(40, 8, 4);
	struct pacer_turn a = foreground(p, 0), b = foreground(p, 0);

	ask(p, 0, 2, false, "two");
	fail(p, 0, true, "away");
	ASSERT_I64(pacer_left_ms(p, 0, &a), 100, "a quarter of the rate");
	ASSERT_I64(pacer_left_ms(p, 0, &b), 200, "a quarter of the rate");
	pacer_free(p);
}

/* It waited by its own clock; now it waits for the bucket, in the same order. Turns that had come stay so. */
static void test_sharing_begins(void)
{
	struct pacer *p = pacer_new(&(struct pacer_options){.rate_per_s = 10, .burst = 2});
	struct pacer_share_options o = {.quota = &nobody, .name = STR("1/iam/x"), .health = &health};
	struct quota_grant g = grant_of(2, 30);
	struct pacer_turn turns[4];

	health = (struct pacer_health){.exchanges = 0};
	CU_ASSERT(not_due(p, 0) == INT64_MAX);
	for (int i = 0; i < 4; i++)
		turns[i] = foreground(p, 0);
	ASSERT_I64(turns[3].wait_ms, 200, "by its own clock");
	pacer_share(p, &o);
	o.name = STR("another");
	pacer_share(p, &o); /* counts for nothing */
	ASSERT_I64(pacer_left_ms(p, 0, &turns[1]), 0, "had come");
	ask(p, 0, 2, false, "two");
	grant(p, 0, &g);
	ASSERT_I64(pacer_left_ms(p, 0, &turns[2]), 30, "the bucket's");
	ASSERT_I64(pacer_left_ms(p, 0, &turns[3]), 130, "the bucket's");
	pacer_free(p);
}

static void test_nonsense(void)
{
	struct {
		const char *what;
		struct quota_grant g;
	} rows[] = {
		{"more than wanted", {.turns = 3, .rate_per_s = 10, .servers = 1}},
		{"no rate", {.turns = 1, .servers = 1}},
		{"a negative rate", {.turns = 1, .rate_per_s = -1, .servers = 1}},
		{"no number", {.turns = 1, .rate_per_s = (double)NAN, .servers = 1}},
		{"an infinite rate", {.turns = 1, .rate_per_s = (double)INFINITY, .servers = 1}},
		{"nobody", {.turns = 1, .rate_per_s = 10}},
		{"far away", {.turns = 1, .first_ms = 5000, .rate_per_s = 10, .servers = 1}},
		{"far away at a rate to match",
			{.turns = 1, .first_ms = 1e300, .rate_per_s = 1e-300, .servers = 1}},
		{"far apart", {.turns = 2, .interval_ms = 5000, .rate_per_s = 10, .servers = 1}},
		{"backwards", {.turns = 2, .interval_ms = -1, .rate_per_s = 10, .servers = 1}},
		{"no time", {.turns = 1, .first_ms = (double)NAN, .rate_per_s = 10, .servers = 1}},
		{"no distance", {.turns = 1, .interval_ms = (double)NAN, .rate_per_s = 10, .servers = 1}},
		{"the beginning of time",
			{.turns = 1, .first_ms = (double)-INFINITY, .rate_per_s = 10, .servers = 1}},
	};
	struct pacer *p = shared_pacer(10, 2, 1);
	struct quota_grant g = {.turns = 2,
		.first_ms = -1e9,
		.again_ms = INT64_MIN,
		.rate_per_s = 1e-9,
		.servers = UINT32_MAX};

	foreground(p, 0);
	foreground(p, 0);
	ask(p, 0, 2, false, "two");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ASSERT_I64(pacer_granted(p, 0, &rows[i].g), false, rows[i].what);
	ASSERT_I64(health.exchanges, 0, "it is not over");
	grant(p, 0, &g); /* odd, and bounded */
	CU_ASSERT_DOUBLE_EQUAL(pacer_rate_per_s(p), 0.5, 1e-9);
	for (int i = 0; i < 1000; i++)
		CU_ASSERT(foreground(p, 0).wait_ms > 0);
	pacer_free(p);
}

/* ---- servers, a bucket, and AWS ---- */

#define MAX_SERVERS 5
#define MAX_CALLERS 40 /* of a server */

struct load {
	size_t foreground, background;
};

struct case_of {
	const char *what;
	double rate, burst, max_factor; /* of the pacers */
	double aws_rate, aws_burst;     /* of AWS */
	double rtt_ms;                  /* to the bucket and back, on average */
	struct load load[MAX_SERVERS];
};

struct caller {
	enum { ASKING, WAITING, SENT, ANSWERED, EXCHANGING } state, after;
	bool background, accepted;
	struct pacer_turn turn;
	int64_t at_ms; /* when it goes on */
};

struct server {
	struct pacer *pacer;
	struct pacer_health health;
	struct fake_quota_server door; /* to the bucket */
	struct caller callers[MAX_CALLERS];
	size_t n_callers;
	bool stopped;
	int64_t last_number; /* sent by the foreground */
	int64_t accepted, background;
	struct pacer_exchange exchange;
	bool asked; /* the bucket has seen it */
	enum err_code code;
	struct quota_grant grant;
	int64_t ask_ms, end_ms;
};

struct simulation {
	const struct case_of *c;
	struct fake_quota bucket;
	struct server servers[MAX_SERVERS];
	size_t n_servers;
	double now_ms;
	double aws;
	uint64_t random;
	int64_t accepted, throttled, out_of_order;
};

static double uniform(struct simulation *s)
{
	s->random = s->random * 6364136223846793005u + 1442695040888963407u;
	return (double)(s->random >> 11) * 0x1.0p-53;
}

static void begin_exchange(struct simulation *s, struct server *v, struct caller *c)
{
	v->asked = false;
	v->ask_ms = (int64_t)(s->now_ms + s->c->rtt_ms * uniform(s));
	v->end_ms = v->ask_ms + (int64_t)(s->c->rtt_ms / 2);
	c->after = c->state;
	c->state = EXCHANGING;
}

/* Each caller is a thread that drives one call, and does what aws/client.c does. */
static void wait(struct simulation *s, struct server *v, struct caller *c, int64_t wait_ms)
{
	int64_t due_ms = pacer_exchange_ms(v->pacer, (int64_t)s->now_ms, &v->exchange);

	if (due_ms == 0) {
		begin_exchange(s, v, c);
		return;
	}
	c->at_ms += wait_ms < due_ms ? wait_ms : due_ms;
}

static void exchange(struct simulation *s, struct server *v, struct caller *c)
{
	int64_t now_ms = (int64_t)s->now_ms;
	struct err err;

	if (!v->asked && now_ms >= v->ask_ms) {
		v->asked = true;
		v->code = v->door.quota.take(&v->door.quota, NULL, &v->exchange.request, &v->grant, &err);
	}
	if (now_ms < v->end_ms) {
		c->at_ms++;
		return;
	}
	if (v->code == ERR_OK)
		CU_ASSERT_TRUE_FATAL(pacer_granted(v->pacer, now_ms, &v->grant))
	else
		(void)pacer_alone(v->pacer, now_ms);
	c->state = c->after;
}

static bool aws_accepts(struct simulation *s)
{
	if (s->aws < 1)
		return false;
	s->aws -= 1;
	return true;
}

static void answer(struct simulation *s, struct server *v, struct caller *c)
{
	if (c->accepted) {
		s->accepted++;
		v->accepted++;
		v->background += c->background;
		pacer_succeeded(v->pacer, (int64_t)s->now_ms);
	} else {
		s->throttled++;
		pacer_throttled(v->pacer, (int64_t)s->now_ms);
		c->at_ms += (int64_t)(uniform(s) * 1000);
	}
	c->state = ASKING;
}

static void go_on(struct simulation *s, struct server *v, struct caller *c)
{
	int64_t now_ms = (int64_t)s->now_ms, left_ms;

	c->at_ms = now_ms;
	switch (c->state) {
	case ASKING:
		c->turn = pacer_reserve(v->pacer, now_ms, c->background);
		if (c->turn.granted)
			c->state = WAITING;
		else
			wait(s, v, c, c->turn.wait_ms);
		break;
	case WAITING:
		left_ms = pacer_left_ms(v->pacer, now_ms, &c->turn);
		if (left_ms > 0) {
			wait(s, v, c, left_ms < PACER_LOOK_AGAIN_MS ? left_ms : PACER_LOOK_AGAIN_MS);
			break;
		}
		c->state = SENT;
		s->out_of_order += !c->background && c->turn.number < v->last_number - MAX_CALLERS;
		v->last_number = c->turn.number;
		c->at_ms += 10 + (int64_t)(uniform(s) * 30);
		break;
	case SENT:
		c->accepted = aws_accepts(s);
		c->state = ANSWERED;
		c->at_ms += 10 + (int64_t)(uniform(s) * 30);
		break;
	case ANSWERED:
		answer(s, v, c);
		break;
	case EXCHANGING:
		exchange(s, v, c);
		break;
	}
}

static void simulate(struct simulation *s, int64_t duration_ms)
{
	int64_t end_ms = (int64_t)s->now_ms + duration_ms;

	s->accepted = s->throttled = 0;
	for (size_t i = 0; i < s->n_servers; i++)
		s->servers[i].accepted = s->servers[i].background = 0;
	for (; (int64_t)s->now_ms < end_ms; s->now_ms++) {
		s->aws += s->c->aws_rate / 1000;
		if (s->aws > s->c->aws_burst)
			s->aws = s->c->aws_burst;
		for (size_t i = 0; i < s->n_servers; i++)
			for (size_t k = 0; k < s->servers[i].n_callers && !s->servers[i].stopped; k++)
				while (s->servers[i].callers[k].at_ms <= (int64_t)s->now_ms)
					go_on(s, &s->servers[i], &s->servers[i].callers[k]);
	}
}

static void simulation_init(struct simulation *s, const struct case_of *c)
{
	*s = (struct simulation){.c = c, .random = 42, .aws = c->aws_burst};
	fake_quota_init(&s->bucket, &s->now_ms);
	while (s->n_servers < MAX_SERVERS &&
		c->load[s->n_servers].foreground + c->load[s->n_servers].background > 0)
		s->n_servers++;
	for (size_t i = 0; i < s->n_servers; i++) {
		struct server *v = &s->servers[i];

		v->door = fake_quota_server(&s->bucket, i);
		v->pacer = pacer_new(&(struct pacer_options){
			.rate_per_s = c->rate, .burst = c->burst, .max_factor = c->max_factor});
		pacer_share(v->pacer, &(struct pacer_share_options){.quota = &v->door.quota,
					      .name = STR("1/iam/x"),
					      .servers = (unsigned)s->n_servers,
					      .health = &v->health});
		v->n_callers = c->load[i].foreground + c->load[i].background;
		for (size_t k = c->load[i].foreground; k < v->n_callers; k++)
			v->callers[k].background = true;
	}
}

static void simulation_deinit(struct simulation *s)
{
	for (size_t i = 0; i < s->n_servers; i++)
		pacer_free(s->servers[i].pacer);
	fake_quota_deinit(&s->bucket);
}

static size_t servers_alone(struct simulation *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_servers; i++)
		n += s->servers[i].health.away;
	return n;
}

static void at_least(int64_t got, double want, const char *what)
{
	if ((double)got < want)
		ASSERT_I64(got, (int64_t)want, what);
}

static void at_most(int64_t got, double want, const char *what)
{
	if ((double)got > want)
		ASSERT_I64(got, (int64_t)want, what);
}

#define SSO 19.6, 5, 1, 20, 20

static void test_keeps_the_quota_together(void)
{
	static const struct {
		struct case_of c;
		double want_share; /* of the rate */
		double want_throttled;
		double fair; /* so much of an equal part each server gets at least */
	} rows[] = {
		{{"one", SSO, 2, {{8, 0}}}, 0.98, 0, 0.8},
		{{"two", SSO, 2, {{8, 0}, {8, 0}}}, 0.98, 0, 0.8},
		{{"three, uneven", SSO, 2, {{8, 0}, {30, 0}, {16, 0}}}, 0.98, 0, 0.8},
		{{"five", SSO, 2, {{8, 0}, {8, 0}, {8, 0}, {8, 0}, {8, 0}}}, 0.98, 0, 0.8},
		{{"one of three works", SSO, 2, {{8, 0}, {0, 1}, {0, 1}}}, 0.98, 0, 0},
		{{"no distance", SSO, 0, {{8, 0}, {8, 0}, {8, 0}}}, 0.98, 0, 0.8},
		{{"a long way", SSO, 60, {{8, 0}, {8, 0}, {8, 0}}}, 0.98, 0, 0.8},
		{{"a very long way", SSO, 120, {{8, 0}, {8, 0}, {8, 0}}}, 0.95, 0, 0.8},
		{{"background", SSO, 2, {{0, 8}, {0, 8}, {0, 8}}}, 0.97, 0, 0},
		{{"a crowd in the background", SSO, 2, {{0, 40}, {0, 40}, {0, 40}}}, 0.97, 0, 0.3},
		{{"both", SSO, 2, {{1, 30}, {1, 30}, {1, 30}}}, 0.97, 0, 0},
		{{"slow", 1.96, 1, 1, 2, 2, 2, {{4, 0}, {4, 0}, {4, 0}}}, 0.98, 0, 0.8},
		{{"fast", 200, 100, 1, 210, 210, 2, {{40, 0}, {40, 0}, {40, 0}}}, 0.9, 0, 0.8},
		{{"others use a quarter", 19.6, 5, 1, 15, 15, 2, {{16, 0}, {16, 0}, {16, 0}}}, 0.72, 0.05,
			0.8},
		{{"there is more", 50, 100, 1.25, 60, 120, 2, {{30, 0}, {30, 0}}}, 1.1, 0.02, 0.8},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct case_of *c = &rows[i].c;
		struct simulation s;

		simulation_init(&s, c);
		simulate(&s, 30000);
		simulate(&s, 60000);
		at_least(s.accepted, rows[i].want_share * 60 * c->rate, c->what);
		at_most(s.throttled, rows[i].want_throttled * (double)s.accepted, c->what);
		for (size_t k = 0; k < s.n_servers; k++)
			at_least(s.servers[k].accepted,
				rows[i].fair * (double)s.accepted / (double)s.n_servers, c->what);
		ASSERT_I64(s.out_of_order, 0, c->what);
		/* a turn or more for each exchange, not one exchange for each look at the clock */
		at_most((int64_t)s.bucket.takes, 3 * 90 * c->rate * (double)s.n_servers, c->what);
		ASSERT_I64(servers_alone(&s), 0, c->what);
		simulation_deinit(&s);
	}
}

/* Nobody's read-ahead takes what anybody's foreground wants. */
static void test_foreground_of_all_first(void)
{
	static const struct case_of c = {"foreground here, background there", SSO, 2, {{8, 0}, {0, 30}}};
	struct simulation s;

	simulation_init(&s, &c);
	simulate(&s, 60000);
	at_least(s.servers[0].accepted, 0.97 * 60 * c.rate, "the foreground");
	at_most(s.servers[1].background, 0.03 * 60 * c.rate, "the background");
	simulation_deinit(&s);
}

static void test_bucket_dies_and_returns(void)
{
	static const struct case_of c = {"dies and returns", SSO, 2, {{8, 0}, {8, 0}, {8, 0}}};
	struct simulation s;

	simulation_init(&s, &c);
	simulate(&s, 20000);
	s.bucket.dead = true;
	simulate(&s, 60000);
	at_least(s.accepted, 0.96 * 60 * c.rate, "alone: all there is");
	ASSERT_I64(s.throttled, 0, "alone: and no more");
	ASSERT_I64(servers_alone(&s), 3, "all alone");
	at_most((int64_t)s.bucket.failed, 3 * 10, "tried now and then");
	s.bucket.dead = false;
	simulate(&s, 11000);
	at_least(s.accepted, 0.96 * 11 * c.rate, "on the way back");
	ASSERT_I64(s.throttled, 0, "on the way back");
	ASSERT_I64(servers_alone(&s), 0, "none alone");
	simulate(&s, 60000);
	at_least(s.accepted, 0.98 * 60 * c.rate, "shared again");
	ASSERT_I64(s.throttled, 0, "shared again");
	s.bucket.used = false; /* it comes back empty, as a server without a disk does */
	simulate(&s, 60000);
	at_least(s.accepted, 0.98 * 60 * c.rate, "a new bucket");
	ASSERT_I64(s.throttled, 0, "a new bucket");
	simulation_deinit(&s);
}

/* The others take over what one leaves; when it goes on, what it was granted long ago is no burst. */
static void test_server_stops_and_goes_on(void)
{
	static const struct case_of c = {"stops", SSO, 2, {{8, 0}, {8, 0}, {8, 0}}};
	struct simulation s;

	simulation_init(&s, &c);
	simulate(&s, 20000);
	s.servers[0].stopped = true;
	simulate(&s, 20000);
	at_least(s.accepted, 0.97 * 20 * c.rate, "without it");
	ASSERT_I64(s.servers[0].accepted, 0, "stopped");
	s.servers[0].stopped = false;
	simulate(&s, 40000);
	at_least(s.accepted, 0.97 * 40 * c.rate, "with it");
	ASSERT_I64(s.throttled, 0, "no burst");
	at_least(s.servers[0].accepted, 0.8 * 40 * c.rate / 3, "its share");
	simulation_deinit(&s);
}

/* ---- threads ---- */

#define TAKERS     4
#define TURNS_EACH 100

struct taker {
	struct pacer *p;
	unsigned turns;
};

static void *take_turns(void *arg)
{
	struct taker *t = arg;
	const struct ctx ctx = {.clock = &clock_system, .deadline_ms = CTX_NO_DEADLINE};
	bool background = false;
	struct err err;

	while (t->turns < TURNS_EACH) {
		struct pacer_turn turn = pacer_reserve(t->p, clock_mono_ms(&clock_system), background);

		background = !background;
		while (turn.granted && pacer_left_ms(t->p, clock_mono_ms(&clock_system), &turn) > 0) {
			struct pacer_exchange x;
			struct quota_grant g;

			if (pacer_exchange_ms(t->p, clock_mono_ms(&clock_system), &x) != 0)
				continue;
			if (x.quota->take(x.quota, &ctx, &x.request, &g, &err) != ERR_OK)
				(void)pacer_alone(t->p, clock_mono_ms(&clock_system));
			else if (!pacer_granted(t->p, clock_mono_ms(&clock_system), &g))
				pacer_not_asked(t->p);
		}
		t->turns += turn.granted;
		if (t->turns % 7 == 0)
			pacer_succeeded(t->p, clock_mono_ms(&clock_system));
	}
	return NULL;
}

/* For the thread sanitizer: every turn that is used was granted. */
static void test_threads(void)
{
	struct pacer *p = pacer_new(&(struct pacer_options){.rate_per_s = 1e5, .burst = 100});
	struct fake_quota bucket;
	struct fake_quota_server door;
	struct thread threads[TAKERS];
	struct taker takers[TAKERS];
	struct err err;

	fake_quota_init(&bucket, NULL);
	door = fake_quota_server(&bucket, 0);
	health = (struct pacer_health){.exchanges = 0};
	pacer_share(p, &(struct pacer_share_options){
			       .quota = &door.quota, .name = STR("1/iam/x"), .health = &health});
	for (size_t i = 0; i < TAKERS; i++) {
		takers[i] = (struct taker){.p = p};
		CU_ASSERT_EQUAL_FATAL(
			thread_start(&threads[i], "taker", 0, take_turns, &takers[i], &err), ERR_OK);
	}
	for (size_t i = 0; i < TAKERS; i++)
		thread_join(&threads[i]);
	CU_ASSERT(bucket.turns >= TAKERS * TURNS_EACH);
	ASSERT_I64(health.exchanges, bucket.takes, "exchanges");
	fake_quota_deinit(&bucket);
	pacer_free(p);
}

int main(void)
{
	static CU_TestInfo one[] = {
		{"turns are granted", test_turns_are_granted},
		{"fewer than wanted", test_fewer_than_wanted},
		{"a slow bucket", test_slow_bucket},
		{"background", test_background},
		{"expiry", test_expiry},
		{"a turn given back", test_give_back},
		{"many given back", test_many_given_back},
		{"many grants", test_many_grants},
		{"lessons", test_lessons},
		{"a throttle ends what was saved", test_throttle_ends_what_was_saved},
		{"alone", test_alone},
		{"all alone", test_all_alone},
		{"learning alone", test_learning_alone},
		{"alone at once", test_alone_at_once},
		{"sharing begins", test_sharing_begins},
		{"nonsense", test_nonsense},
		CU_TEST_INFO_NULL,
	};
	static CU_TestInfo many[] = {
		{"keep the quota together", test_keeps_the_quota_together},
		{"the foreground of all first", test_foreground_of_all_first},
		{"the bucket dies and returns", test_bucket_dies_and_returns},
		{"a server stops and goes on", test_server_stops_and_goes_on},
		{"threads", test_threads},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{"shared pacer: one", NULL, NULL, NULL, NULL, one},
		{"shared pacer: many", NULL, NULL, NULL, NULL, many},
		CU_SUITE_INFO_NULL,
	};

	return unit_main(suites);
}
