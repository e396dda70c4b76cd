/* layers: aws base
 *
 * The pacer, on times of the test's own making. */
#include "aws/pacer.h"

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

	foreground(p, 0, 0, "first");
	foreground(p, 0, 100, "second");
	pacer_give_back(p);
	foreground(p, 0, 100, "the second's place");
	for (int i = 0; i < 5; i++)
		pacer_give_back(p);
	foreground(p, 0, 0, "not above the burst");
	foreground(p, 0, 100, "not above the burst");
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

static void test_slows_down_and_recovers(void)
{
	struct pacer *p = new_pacer(100, 10);
	double slowed;

	pacer_reserve(p, 0, false);
	pacer_throttled(p, 0);
	slowed = pacer_rate_per_s(p);
	CU_ASSERT(slowed < 100 && slowed > 50);
	foreground(p, 0, 14, "nothing saved up is left");
	pacer_throttled(p, 10);
	pacer_throttled(p, 900);
	CU_ASSERT_DOUBLE_EQUAL(pacer_rate_per_s(p), slowed, 0.001); /* the same overload */
	for (int i = 1; i < 100; i++)
		pacer_throttled(p, i * 1000);
	CU_ASSERT_DOUBLE_EQUAL(pacer_rate_per_s(p), 5, 0.001); /* the floor */
	pacer_succeeded(p, 100000);
	CU_ASSERT_DOUBLE_EQUAL(pacer_rate_per_s(p), 10, 0.001); /* a twentieth per second */
	pacer_succeeded(p, 100500);
	CU_ASSERT_DOUBLE_EQUAL(pacer_rate_per_s(p), 12.5, 0.001);
	pacer_succeeded(p, 900000);
	CU_ASSERT_DOUBLE_EQUAL(pacer_rate_per_s(p), 17.5, 0.001); /* idle time counts for one second */
	for (int i = 901; i < 1000; i++)
		pacer_succeeded(p, i * 1000);
	CU_ASSERT_DOUBLE_EQUAL(pacer_rate_per_s(p), 125, 0.001); /* the ceiling */
	pacer_free(p);
}

static void test_configured_ceiling(void)
{
	struct pacer *p = pacer_new(&(struct pacer_options){.rate_per_s = 10, .burst = 1, .max_factor = 3});

	pacer_reserve(p, 0, false);
	for (int i = 1; i < 100; i++)
		pacer_succeeded(p, i * 1000);
	CU_ASSERT_DOUBLE_EQUAL(pacer_rate_per_s(p), 30, 0.001);
	pacer_free(p);
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
		{"foreground passes background", test_foreground_passes_background},
		{"slows down and recovers", test_slows_down_and_recovers},
		{"configured ceiling", test_configured_ceiling},
		{"threads", test_threads},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"pacer", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
