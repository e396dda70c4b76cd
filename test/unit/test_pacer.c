/* layers: aws base
 *
 * The pacer, on times of the test's own making. */
#include "aws/pacer.h"

#include "aws/sso_admin.h"
#include "base/thread.h"
#include "support/cunit_main.h"

static struct pacer *new_pacer(double rate, double burst)
{
	return pacer_new(&(struct pacer_options){.rate_per_s = rate, .burst = burst});
}

static void foreground(struct pacer *p, int64_t now_ms, int64_t want_ms, const char *what)
{
	struct pacer_turn t = pacer_reserve(p, now_ms, /* background= */ false);

	CU_ASSERT_TRUE(t.granted);
	if (t.wait_ms != want_ms && t.wait_ms != want_ms + 1) /* rounded up */
		ASSERT_I64(t.wait_ms, want_ms, what);
}

static void test_burst_then_rate(void)
{
	struct pacer *p = new_pacer(10, 3);

	for (int i = 0; i < 3; i++)
		foreground(p, 5000, 0, "burst");
	for (int i = 1; i <= 5; i++)
		foreground(p, 5000, i * 100, "one every 100 ms, in the order of asking");
	foreground(p, 5500, 100, "those before are through");
	foreground(p, 60000, 0, "idle: the burst is back");
	foreground(p, 60000, 0, "idle: the burst is back");
	foreground(p, 60000, 0, "idle: the burst is back");
	foreground(p, 60000, 100, "but no more than the burst");
	foreground(p, 1, 200, "a clock read too early does no harm");
	pacer_free(p);
	pacer_free(NULL);
}

static void test_give_back(void)
{
	struct pacer *p = new_pacer(10, 1);
	struct pacer_turn first = pacer_reserve(p, 0, false), second = pacer_reserve(p, 0, false), third;

	ASSERT_I64(second.wait_ms, 100, "the second");
	pacer_give_back(p, &second);
	third = pacer_reserve(p, 0, false);
	ASSERT_I64(third.wait_ms, 100, "the second's place");
	pacer_give_back(p, &third);
	for (int i = 0; i < 5; i++)
		pacer_give_back(p, &first);
	foreground(p, 0, 0, "not above the burst");
	foreground(p, 0, 100, "not above the burst");
	pacer_free(p);
}

/* Who is in front of those that give up does not move, so no burst comes of it. */
static void test_give_back_moves_those_behind(void)
{
	struct pacer *p = new_pacer(10, 1);
	struct pacer_turn turns[30];

	for (int i = 0; i < 30; i++)
		turns[i] = pacer_reserve(p, 0, false);
	for (int i = 25; i > 15; i--) /* 16 to 25, in the middle, in no good order */
		pacer_give_back(p, &turns[i % 2 ? i : 40 - i]);
	for (int i = 0; i <= 15; i++)
		ASSERT_I64(pacer_left_ms(p, 0, &turns[i]), i * 100, "in front of them");
	for (int i = 26; i < 30; i++)
		ASSERT_I64(pacer_left_ms(p, 0, &turns[i]), (i - 10) * 100, "behind them");
	ASSERT_I64(pacer_left_ms(p, 1550, &turns[26]), 50, "half a turn more");
	ASSERT_I64(pacer_left_ms(p, 1600, &turns[26]), 0, "has come");
	ASSERT_I64(pacer_left_ms(p, 1600, &turns[27]), 100, "one by one");
	for (int i = 29; i > 26; i--)
		pacer_give_back(p, &turns[i]);
	foreground(p, 1600, 100, "all behind it are gone");
	pacer_free(p);
}

static void test_foreground_passes_background(void)
{
	struct pacer *p = new_pacer(10, 1);
	struct pacer_turn t = pacer_reserve(p, 0, /* background= */ true);
	int64_t last = 0;

	CU_ASSERT_TRUE(t.granted && t.wait_ms == 0);
	for (int i = 0; i < 20; i++) { /* a crowd in the background, told to come back one after the other */
		t = pacer_reserve(p, 0, true);
		CU_ASSERT_FALSE(t.granted);
		CU_ASSERT(t.wait_ms > last);
		last = t.wait_ms;
	}
	foreground(p, 0, 100, "takes the next turn all the same");
	CU_ASSERT_FALSE(pacer_reserve(p, 100, true).granted);
	CU_ASSERT_TRUE(pacer_reserve(p, 201, true).granted);
	CU_ASSERT_FALSE(pacer_reserve(p, 202, true).granted);
	pacer_free(p);
}

/* A crowd that is told to come back and does not leaves no gap behind. */
static void test_background_leaves(void)
{
	struct pacer *p = new_pacer(10, 1);
	struct pacer_turn turns[20], next;

	CU_ASSERT_TRUE(pacer_reserve(p, 0, true).granted);
	for (int i = 0; i < 20; i++)
		turns[i] = pacer_reserve(p, 0, true);
	ASSERT_I64(turns[19].wait_ms, 2000, "the last one of the crowd");
	for (int i = 0; i < 20; i++)
		pacer_give_back(p, &turns[i]);
	next = pacer_reserve(p, 0, true);
	ASSERT_I64(next.wait_ms, 100, "as if nobody had been there");
	pacer_give_back(p, &(struct pacer_turn){.granted = false}); /* who has nothing gives nothing back */
	ASSERT_I64(pacer_reserve(p, 0, true).wait_ms, 200, "behind it");
	pacer_free(p);
}

/* The rate changes for who waits already, in both directions. */
static void test_waiting_follows_the_rate(void)
{
	struct pacer *p = new_pacer(10, 1);
	struct pacer_turn turns[30];

	for (int i = 0; i < 30; i++)
		turns[i] = pacer_reserve(p, 0, false);
	ASSERT_I64(turns[29].wait_ms, 2900, "at the start rate");
	ASSERT_I64(pacer_left_ms(p, 0, &turns[0]), 0, "the first one's turn has come");
	ASSERT_I64(pacer_left_ms(p, 100, &turns[1]), 0, "the second one's too");
	ASSERT_I64(pacer_left_ms(p, 100, &turns[29]), 2800, "no change");
	for (int i = 0; i < 10; i++)
		pacer_throttled(p, 100);
	CU_ASSERT_DOUBLE_EQUAL(pacer_rate_per_s(p), 7, 0.001);
	ASSERT_I64(pacer_left_ms(p, 100, &turns[29]), 4000, "28 turns at 7/s");
	pacer_give_back(p, &turns[2]);
	ASSERT_I64(pacer_left_ms(p, 100, &turns[3]), 143, "a turn at 7/s: all behind move up");
	ASSERT_I64(pacer_left_ms(p, 100, &turns[29]), 3858, "27 turns at 7/s");
	pacer_free(p);
}

static void test_slows_down_and_recovers(void)
{
	struct pacer *p = new_pacer(100, 10);

	pacer_reserve(p, 0, false);
	pacer_throttled(p, 0);
	CU_ASSERT_DOUBLE_EQUAL(pacer_rate_per_s(p), 99, 0.001);
	foreground(p, 0, 10, "nothing saved up is left");
	for (int i = 0; i < 99; i++)
		pacer_throttled(p, 900);
	CU_ASSERT_DOUBLE_EQUAL(pacer_rate_per_s(p), 70, 0.001); /* a bad moment counts only so much */
	for (int i = 1; i < 1000; i++)
		pacer_throttled(p, i * 1000);
	CU_ASSERT_DOUBLE_EQUAL(pacer_rate_per_s(p), 5, 0.001); /* the floor */
	pacer_succeeded(p, 1000000);
	CU_ASSERT_DOUBLE_EQUAL(
		pacer_rate_per_s(p), 8.167, 0.001); /* a thirtieth of the way back per second */
	pacer_succeeded(p, 1000500);
	CU_ASSERT_DOUBLE_EQUAL(pacer_rate_per_s(p), 9.697, 0.001);
	pacer_succeeded(p, 1900000);
	CU_ASSERT_DOUBLE_EQUAL(pacer_rate_per_s(p), 12.707, 0.001); /* idle time counts for one second */
	for (int i = 1901; i < 1990; i++)
		pacer_succeeded(p, i * 1000);
	CU_ASSERT(pacer_rate_per_s(p) > 90);
	for (int i = 1990; i < 3000; i++)
		pacer_succeeded(p, i * 1000);
	CU_ASSERT_DOUBLE_EQUAL(pacer_rate_per_s(p), 125, 0.001); /* the ceiling */
	pacer_free(p);
}

static void test_configured_ceiling(void)
{
	struct pacer *p = pacer_new(&(struct pacer_options){.rate_per_s = 10, .burst = 1, .max_factor = 1});

	pacer_reserve(p, 0, false);
	for (int i = 1; i < 100; i++)
		pacer_succeeded(p, i * 1000);
	CU_ASSERT_DOUBLE_EQUAL(pacer_rate_per_s(p), 10, 0.001);
	pacer_free(p);
}

/* ---- a server with a quota ---- */

/* What the pacer has to hold against: a token bucket, or a window in which the calls of the last second
 * count; other callers that use a part of it; throttles without a reason. */
struct allowance {
	double per_s;
	double burst;  /* of the bucket; 0: the window */
	double others; /* calls per second */
	double at_random;
};

struct caller {
	enum { ASKING, WAITING, SENT, ANSWERED } state;
	bool background, accepted;
	struct pacer_turn turn;
	int64_t at_ms; /* when it goes on */
};

#define MAX_CALLERS 80
#define MAX_SENT    64 /* in the window */

struct simulation {
	struct allowance quota;
	struct pacer *pacer;
	struct caller callers[MAX_CALLERS];
	size_t n_callers;
	uint64_t random;
	int64_t now_ms;
	double bucket;
	int64_t window[MAX_SENT];
	size_t n_window;
	int64_t accepted, throttled, accepted_background;
	int64_t longest_wait_ms; /* of the foreground */
};

static double uniform(struct simulation *s)
{
	s->random = s->random * 6364136223846793005u + 1442695040888963407u;
	return (double)(s->random >> 11) * 0x1.0p-53;
}

static bool window_accepts(struct simulation *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n_window; i++)
		if (s->window[i] > s->now_ms - 1000)
			s->window[kept++] = s->window[i];
	s->n_window = kept;
	if ((double)kept >= s->quota.per_s)
		return false;
	s->window[s->n_window++] = s->now_ms;
	return true;
}

static bool server_accepts(struct simulation *s)
{
	if (uniform(s) < s->quota.at_random)
		return false;
	if (s->quota.burst == 0)
		return window_accepts(s);
	if (s->bucket < 1)
		return false;
	s->bucket -= 1;
	return true;
}

static void answer(struct simulation *s, struct caller *c)
{
	if (c->accepted) {
		s->accepted++;
		s->accepted_background += c->background;
		pacer_succeeded(s->pacer, s->now_ms);
	} else {
		s->throttled++;
		pacer_throttled(s->pacer, s->now_ms);
		c->at_ms += (int64_t)(uniform(s) * 1000); /* the back-off of a first retry */
	}
	c->state = ASKING;
}

/* As aws/client.c does it: 10 to 40 ms to the server, as much back. */
static void go_on(struct simulation *s, struct caller *c)
{
	int64_t left_ms;

	switch (c->state) {
	case ASKING:
		c->turn = pacer_reserve(s->pacer, s->now_ms, c->background);
		if (!c->background && c->turn.wait_ms > s->longest_wait_ms)
			s->longest_wait_ms = c->turn.wait_ms;
		c->at_ms += c->turn.wait_ms < PACER_LOOK_AGAIN_MS || !c->turn.granted ? c->turn.wait_ms
										      : PACER_LOOK_AGAIN_MS;
		if (c->turn.granted)
			c->state = WAITING;
		break;
	case WAITING:
		left_ms = pacer_left_ms(s->pacer, s->now_ms, &c->turn);
		if (left_ms > 0) {
			c->at_ms += left_ms < PACER_LOOK_AGAIN_MS ? left_ms : PACER_LOOK_AGAIN_MS;
			break;
		}
		c->state = SENT;
		c->at_ms += 10 + (int64_t)(uniform(s) * 30);
		break;
	case SENT:
		c->accepted = server_accepts(s);
		c->state = ANSWERED;
		c->at_ms += 10 + (int64_t)(uniform(s) * 30);
		break;
	case ANSWERED:
		answer(s, c);
		break;
	}
}

static void simulate(struct simulation *s, int64_t duration_ms)
{
	int64_t end_ms = s->now_ms + duration_ms;

	s->accepted = s->throttled = s->accepted_background = s->longest_wait_ms = 0;
	for (; s->now_ms < end_ms; s->now_ms++) {
		double income = (s->quota.per_s - s->quota.others) / 1000.0;

		s->bucket = s->bucket + income < s->quota.burst ? s->bucket + income : s->quota.burst;
		for (size_t i = 0; i < s->n_callers; i++)
			while (s->callers[i].at_ms <= s->now_ms)
				go_on(s, &s->callers[i]);
	}
}

static void simulation_init(
	struct simulation *s, const struct allowance *quota, size_t n_foreground, size_t n_background)
{
	*s = (struct simulation){
		.quota = *quota,
		.random = 42,
		.bucket = quota->burst,
		.n_callers = n_foreground + n_background,
		.pacer = pacer_new(&(struct pacer_options){
			.rate_per_s = aws_sso_admin.rate_per_s,
			.burst = aws_sso_admin.burst,
			.max_factor = aws_sso_admin.max_rate_factor,
		}),
	};
	for (size_t i = n_foreground; i < s->n_callers; i++)
		s->callers[i].background = true;
}

/* SSO Admin's quota: at least 0.95 of what is allowed, and almost no call for nothing. */
static void test_keeps_to_the_quota(void)
{
	static const struct {
		const char *what;
		struct allowance quota;
		size_t n_foreground, n_background;
		double want_share;     /* of what the quota leaves */
		double want_throttled; /* of the calls, at most */
	} rows[] = {
		{"a bucket", {20, 20, 0, 0}, 8, 0, 0.97, 0},
		{"a small bucket", {20, 6, 0, 0}, 8, 0, 0.97, 0},
		{"a crowd", {20, 20, 0, 0}, 80, 0, 0.97, 0},
		{"background only", {20, 20, 0, 0}, 0, 8, 0.97, 0},
		{"background crowd", {20, 20, 0, 0}, 0, 80, 0.97, 0},
		{"both", {20, 20, 0, 0}, 2, 40, 0.97, 0},
		{"a window", {20, 0, 0, 0}, 16, 0, 0.95, 0.01},
		{"others use a quarter", {20, 20, 5, 0}, 16, 0, 0.95, 0.03},
		{"others use three quarters", {20, 20, 15, 0}, 16, 0, 0.95, 0.15},
		{"throttles at random", {20, 20, 0, 0.1}, 32, 0, 0.15, 0.2},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct simulation s;
		double allowed = (rows[i].quota.per_s - rows[i].quota.others) * 120;

		simulation_init(&s, &rows[i].quota, rows[i].n_foreground, rows[i].n_background);
		simulate(&s, 30000); /* finds out what there is to find out */
		if (rows[i].want_throttled == 0)
			ASSERT_I64(s.throttled, 0, rows[i].what);
		simulate(&s, 120000);
		if ((double)s.accepted < rows[i].want_share * allowed)
			ASSERT_I64(s.accepted, (int64_t)(rows[i].want_share * allowed), rows[i].what);
		if ((double)s.throttled > rows[i].want_throttled * (double)s.accepted)
			ASSERT_I64(s.throttled, (int64_t)(rows[i].want_throttled * (double)s.accepted),
				rows[i].what);
		pacer_free(s.pacer);
	}
}

/* However large the crowd behind him, who is in the foreground waits for the very next turn; what he leaves,
 * the crowd gets. Two of them can use the whole quota. */
static void test_foreground_passes_a_crowd(void)
{
	static const struct allowance quota = {.per_s = 20, .burst = 20};

	for (size_t n_foreground = 1; n_foreground <= 2; n_foreground++) {
		struct simulation s;

		simulation_init(&s, &quota, n_foreground, 70);
		simulate(&s, 60000);
		CU_ASSERT(s.longest_wait_ms <= (int64_t)n_foreground * 52);
		CU_ASSERT(s.accepted > 1140);
		if (n_foreground == 1)
			CU_ASSERT(s.accepted_background > 300 && s.accepted_background < 700)
		else
			CU_ASSERT(s.accepted_background < 20);
		pacer_free(s.pacer);
	}
}

struct taker {
	struct pacer *p;
	int64_t total_ms;
};

static void *take_turns(void *arg)
{
	struct taker *t = arg;

	for (int i = 0; i < 1000; i++) {
		t->total_ms += pacer_reserve(t->p, 0, false).wait_ms;
		if (i % 10 == 0)
			pacer_succeeded(t->p, 0);
	}
	return NULL;
}

/* Whatever the order, 4000 turns at 1000/s from one moment on are the waits 1 ms .. 4000 ms. */
static void test_threads(void)
{
	struct pacer *p = new_pacer(1000, 1);
	struct thread threads[4];
	struct taker takers[4] = {{p, 0}, {p, 0}, {p, 0}, {p, 0}};
	int64_t sum = 0, want = 4000 * 4001 / 2;
	struct err err;

	for (size_t i = 0; i < 4; i++)
		CU_ASSERT_EQUAL_FATAL(
			thread_start(&threads[i], "taker", 0, take_turns, &takers[i], &err), ERR_OK);
	for (size_t i = 0; i < 4; i++) {
		thread_join(&threads[i]);
		sum += takers[i].total_ms;
	}
	CU_ASSERT(sum > want - 8000 && sum < want + 8000); /* each is rounded to a millisecond */
	pacer_free(p);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"burst, then rate", test_burst_then_rate},
		{"a turn given back", test_give_back},
		{"who moves up then", test_give_back_moves_those_behind},
		{"foreground passes background", test_foreground_passes_background},
		{"background leaves", test_background_leaves},
		{"waiting follows the rate", test_waiting_follows_the_rate},
		{"slows down and recovers", test_slows_down_and_recovers},
		{"configured ceiling", test_configured_ceiling},
		{"keeps to the quota", test_keeps_to_the_quota},
		{"foreground passes a crowd", test_foreground_passes_a_crowd},
		{"threads", test_threads},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"pacer", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
