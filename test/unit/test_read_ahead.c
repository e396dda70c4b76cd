/* layers: inventory base
 *
 * The read-ahead: order, room, what the foreground took, and the end of a sync. */
#include "inventory/read_ahead.h"

#include <stdatomic.h>

#include "base/arena.h"
#include "base/thread.h"
#include "support/cunit_main.h"
#include "support/fake_clock.h"

struct reader {
	struct mutex lock;
	char read[64]; /* the accounts in order, one letter each */
	size_t n;
	char begun[64]; /* the same, when they were begun */
	atomic_bool room, hold;
	atomic_int reading, cut_off, in_foreground;
};

static void read_account(void *self, const struct ctx *ctx, struct str sync_id, struct str account)
{
	struct reader *r = self;
	struct err e;

	(void)sync_id;
	atomic_fetch_add(&r->in_foreground, !ctx->background);
	r->begun[atomic_fetch_add(&r->reading, 1)] = account.p[0];
	while (atomic_load(&r->hold)) {
		if (ctx_sleep_ms(ctx, 1, "reading", &e) != ERR_OK) {
			atomic_fetch_add(&r->cut_off, 1);
			return;
		}
	}
	LOCK_SCOPE(&r->lock);
	r->read[r->n++] = account.p[0];
}

static bool has_room(void *self)
{
	return atomic_load(&((struct reader *)self)->room);
}

static struct reader rd;

static struct read_ahead *set_up_at(size_t threads, const struct clock *clock)
{
	rd = (struct reader){.n = 0};
	mutex_init(&rd.lock);
	atomic_store(&rd.room, true);
	return read_ahead_new(&(struct read_ahead_options){
		.threads = threads, .clock = clock, .read = read_account, .has_room = has_room, .self = &rd});
}

static struct read_ahead *set_up(size_t threads)
{
	return set_up_at(threads, &clock_system);
}

static void tear_down(struct read_ahead *r)
{
	read_ahead_free(r);
	ASSERT_I64(rd.in_foreground, 0, "reads that are no read-ahead");
	mutex_deinit(&rd.lock);
}

static size_t n_read(void)
{
	LOCK_SCOPE(&rd.lock);
	return rd.n;
}

static void await_read(size_t n)
{
	for (int i = 0; i < 60000 && n_read() < n; i++)
		clock_sleep_ms(1);
	CU_ASSERT_EQUAL(n_read(), n);
}

static const struct str accounts[] = {STR_INIT("a"), STR_INIT("b"), STR_INIT("c"), STR_INIT("d")};

static void test_order(void)
{
	struct read_ahead *r = set_up(1);

	read_ahead_expect(r, STR("s"), 0, accounts, 4);
	await_read(4);
	read_ahead_expect(r, STR("s"), 0, accounts, 4); /* again: nothing new */
	CU_ASSERT(memcmp(rd.read, "abcd", 4) == 0);
	tear_down(r);
	CU_ASSERT_EQUAL(rd.n, 4);
}

/* However many stand in one lane before it, what stands in another is read at the same time. */
static void test_lanes(void)
{
	static const struct str groups[] = {STR_INIT("x"), STR_INIT("y")};
	struct read_ahead *r = set_up(2);

	atomic_store(&rd.room, false);
	read_ahead_expect(r, STR("s"), 0, accounts, 4);
	read_ahead_expect(r, STR("s"), 1, groups, 2);
	atomic_store(&rd.hold, true);
	atomic_store(&rd.room, true);
	while (atomic_load(&rd.reading) < 2)
		clock_sleep_ms(1);
	atomic_store(&rd.hold, false);
	await_read(6);
	CU_ASSERT(memchr(rd.begun, 'x', 2) != NULL && memchr(rd.begun, 'a', 2) != NULL);
	tear_down(r);
}

static void test_what_the_foreground_took(void)
{
	struct read_ahead *r = set_up(1);

	atomic_store(&rd.room, false);
	read_ahead_expect(r, STR("s"), 0, accounts, 3);
	read_ahead_done(r, read_ahead_begin(r, STR("s"), STR("b")));
	CU_ASSERT_PTR_NULL(read_ahead_begin(r, STR("unknown"), STR("b")));
	CU_ASSERT_PTR_NULL(read_ahead_begin(NULL, STR("s"), STR("b")));
	CU_ASSERT_EQUAL(n_read(), 0);
	atomic_store(&rd.room, true);
	await_read(2);
	CU_ASSERT(memcmp(rd.read, "ac", 2) == 0);
	tear_down(r);
}

/* Half a million, all but one of which the foreground takes. When each look-up passed all names this took longer than any sync. */
static void test_many(void)
{
	enum { N = 500000, PAGE = 1000 };
	struct arena *arena = arena_new(0);
	struct str *names = arena_array_of(arena, N, struct str);
	struct read_ahead *r = set_up(1);

	for (size_t i = 0; i < N; i++)
		names[i] = str_fmt(arena, "%c%zu", i == N / 2 ? 'x' : 'g', i);
	atomic_store(&rd.room, false);
	for (size_t i = 0; i < N; i += PAGE)
		read_ahead_expect(r, STR("s"), i / PAGE % 2, names + i, PAGE);
	for (size_t i = 0; i < N; i++) {
		if (i != N / 2)
			read_ahead_done(r, read_ahead_begin(r, STR("s"), names[i]));
	}
	atomic_store(&rd.room, true);
	await_read(1);
	CU_ASSERT_EQUAL(rd.read[0], 'x');
	tear_down(r);
	arena_free(arena);
}

static void test_end(void)
{
	struct read_ahead *r = set_up(2);

	atomic_store(&rd.hold, true);
	read_ahead_expect(r, STR("s"), 0, accounts, 4);
	while (atomic_load(&rd.reading) < 2)
		clock_sleep_ms(1);
	read_ahead_end(r, STR("s"));
	read_ahead_end(r, STR("s"));
	while (atomic_load(&rd.cut_off) < 2)
		clock_sleep_ms(1);
	atomic_store(&rd.hold, false);
	CU_ASSERT_EQUAL(n_read(), 0);
	tear_down(r);
	CU_ASSERT_EQUAL(atomic_load(&rd.reading), 2); /* the other two were never begun */
}

/* A request that takes longer than SYNC_IDLE_MS is a sign of life for all of its time; when it is answered silence begins. */
static void test_long_request(void)
{
	struct read_ahead *r;
	struct live_sync *s;
	struct fake_clock clock;

	fake_clock_init(&clock, 0);
	r = set_up_at(1, &clock.clock);
	atomic_store(&rd.room, false);
	read_ahead_expect(r, STR("s"), 0, accounts, 2);
	s = read_ahead_begin(r, STR("s"), STR("a"));
	CU_ASSERT_PTR_NOT_NULL(s);
	fake_clock_advance_ms(&clock, SYNC_IDLE_MS + 1);
	atomic_store(&rd.room, true);
	await_read(1);
	CU_ASSERT_EQUAL(rd.read[0], 'b');
	atomic_store(&rd.room, false);
	read_ahead_expect(r, STR("s"), 0, accounts, 4);
	read_ahead_done(r, s);
	fake_clock_advance_ms(&clock, SYNC_IDLE_MS + 1);
	read_ahead_expect(
		r, STR("other"), 0, accounts, 0); /* wakes the thread, which sees that the first is dead */
	for (int i = 0; i < 60000 && (s = read_ahead_begin(r, STR("s"), STR_EMPTY)) != NULL; i++) {
		read_ahead_done(r, s);
		fake_clock_advance_ms(&clock, SYNC_IDLE_MS + 1);
		clock_sleep_ms(1);
	}
	CU_ASSERT_PTR_NULL(s);
	tear_down(r);
	CU_ASSERT_EQUAL(rd.n, 1);
}

static void test_stops_while_reading(void)
{
	struct read_ahead *r = set_up(2);

	atomic_store(&rd.hold, true);
	read_ahead_expect(r, STR("s"), 0, accounts, 4);
	while (atomic_load(&rd.reading) < 2)
		clock_sleep_ms(1);
	tear_down(r);
	read_ahead_free(NULL);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"reads in order", test_order},
		{"lanes", test_lanes},
		{"passes over what the foreground took", test_what_the_foreground_took},
		{"many names", test_many},
		{"ends with its sync", test_end},
		{"a long request keeps its sync alive", test_long_request},
		{"stops while reading", test_stops_while_reading},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"read_ahead", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
