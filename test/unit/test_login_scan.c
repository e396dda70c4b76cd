/* layers: syncers inventory proto base
 *
 * The feed of logins against a trail that behaves like CloudTrail: newest first, few events a page, some of them late. Whatever the engine's
 * page size and the pause between its polls, each login is handed out once. */
#include "syncers/login_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "support/cunit_main.h"

#define NOW INT64_C(1795228800)
#define WHO                                                                                                  \
	"\"userIdentity\":{\"onBehalfOf\":{\"userId\":\"u\",\"identityStoreArn\":\"a/"                       \
	"d\"}},\"recipientAccountId\":\"111111111111\""
#define PAGE 50

struct event {
	int64_t time_s, visible_s;
	size_t number; /* its id */
	bool is_login;
	size_t handed_out;
};

static struct trail {
	struct event *events; /* newest first */
	size_t n;
	int64_t now_s;
	size_t look_ups, most_look_ups; /* of a step */
	bool same_token, fails;
} trail;

static int newest_first(const void *pa, const void *pb)
{
	const struct event *a = pa, *b = pb;

	if (a->time_s != b->time_s)
		return a->time_s > b->time_s ? -1 : 1;
	return a->number > b->number ? -1 : 1;
}

/* Its token is the number of the event that comes next, plus one: late arrivals do not move it. */
static enum err_code look_up(void *self, const struct login_query *q, struct arena *arena,
	struct login_page *ret_page, struct err *reterr)
{
	struct login_page page = {
		.records = arena_array_of(arena, PAGE, struct login_record), .next = STR_EMPTY};
	uint64_t token = 0;
	bool go = q->token.n == 0;

	(void)self;
	trail.look_ups++;
	if (trail.fails)
		return err_set(reterr, ERR_THROTTLED, "slow down");
	if (!go)
		CU_ASSERT_FATAL(str_to_u64(q->token, &token));
	CU_ASSERT(q->from_s <= q->until_s);
	for (size_t i = 0; i < trail.n; i++) {
		const struct event *e = &trail.events[i];

		go = go || e->number + 1 == token;
		if (!go || e->visible_s > trail.now_s || e->time_s < q->from_s || e->time_s > q->until_s)
			continue;
		if (page.n == PAGE) {
			page.next = str_fmt(arena, "%zu", e->number + 1);
			break;
		}
		page.records[page.n++] = (struct login_record){.id = str_fmt(arena, "id-%zu", e->number),
			.time_s = e->time_s,
			.document = e->is_login ? STR("{\"eventName\":\"Federate\"," WHO "}")
						: STR("{\"eventName\":\"Other\"," WHO "}")};
	}
	if (trail.same_token)
		page.next = STR("1");
	*ret_page = page;
	return ERR_OK;
}

static const struct login_source source = {.look_up = look_up};

static uint64_t random_state;
static int64_t below(int64_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (int64_t)(random_state % (uint64_t)n);
}

/* n events in the seconds [first_s, last_s]. */
static void make_trail(size_t n, int64_t first_s, int64_t last_s)
{
	trail = (struct trail){.events = mem_array(n + 1, sizeof(struct event)), .n = n};
	for (size_t i = 0; i < n; i++) {
		const int64_t time_s = first_s + below(last_s - first_s + 1);

		trail.events[i] = (struct event){.time_s = time_s,
			.number = i,
			.is_login = below(8) != 0,
			.visible_s = below(5) == 0 ? time_s + below(900) : time_s + below(3)};
	}
	qsort(trail.events, n, sizeof(trail.events[0]), newest_first);
}

static void drop_trail(void)
{
	mem_free(trail.events);
	trail = (struct trail){.n = 0};
}

static void count(const struct login_batch *batch)
{
	for (size_t i = 0; i < batch->n; i++) {
		uint64_t number = UINT64_MAX;

		CU_ASSERT_FATAL(str_to_u64(str_from(batch->events[i].id, 3), &number));
		for (size_t k = 0; k < trail.n; k++) {
			if (trail.events[k].number == number) {
				trail.events[k].handed_out++;
				CU_ASSERT_EQUAL(trail.events[k].time_s, batch->events[i].time_s);
			}
		}
	}
}

/* A step as the RPC makes it: from text to text. False: there is no more for now. */
static bool step(struct arena *arena, struct str *cursor, size_t max)
{
	struct login_batch batch;
	struct login_cursor c;
	struct err e;

	trail.look_ups = 0;
	CU_ASSERT_EQUAL_FATAL(login_cursor_decode(arena, *cursor, &c, &e), ERR_OK);
	CU_ASSERT_EQUAL_FATAL(login_scan_step(&c, trail.now_s, max, &source, arena, &batch, &e), ERR_OK);
	CU_ASSERT(batch.n <= (max == 0 ? LOGIN_MAX_BATCH : max));
	*cursor = login_cursor_encode(arena, &c);
	if (trail.look_ups > trail.most_look_ups)
		trail.most_look_ups = trail.look_ups;
	count(&batch);
	return batch.has_more;
}

static size_t wrong(int64_t from_s)
{
	size_t n = 0;

	for (size_t i = 0; i < trail.n; i++) {
		const struct event *e = &trail.events[i];

		n += e->handed_out != (e->is_login && e->time_s >= from_s ? 1u : 0u);
	}
	return n;
}

static struct str start_at(struct arena *arena, int64_t from_s)
{
	return login_cursor_encode(arena, &(struct login_cursor){.from_s = from_s});
}

/* Polls every pause_s until everything is settled. Time also passes during a scan. */
static void poll(struct arena *arena, struct str *cursor, int64_t last_s, int64_t pause_s, size_t max)
{
	for (bool more; trail.now_s <= last_s + LOGIN_OVERLAP_S + pause_s; trail.now_s += pause_s) {
		size_t steps = 0;

		do {
			more = step(arena, cursor, max);
			trail.now_s += (int64_t)trail.look_ups / 2;
			CU_ASSERT_FATAL(++steps < 100000);
		} while (more);
	}
}

static void check(uint64_t seed, size_t n, int64_t span_s, int64_t pause_s, size_t max)
{
	struct arena *arena = arena_new(0);
	struct str cursor = start_at(arena, NOW + span_s / 10);

	random_state = seed;
	make_trail(n, NOW, NOW + span_s);
	trail.now_s = NOW + span_s / 4;
	poll(arena, &cursor, NOW + span_s, pause_s, max);
	if (wrong(NOW + span_s / 10) > 0)
		printf("%zu events, span %lld, pause %lld, max %zu: %zu wrong\n", n, (long long)span_s,
			(long long)pause_s, max, wrong(NOW + span_s / 10));
	CU_ASSERT_EQUAL(wrong(NOW + span_s / 10), 0);
	drop_trail();
	arena_free(arena);
}

static void test_each_once(void)
{
	check(1, 300, 3600, 60, 50);
	check(2, 300, 3600, 7, 0);
	check(3, 300, 3600, 1000, 1);
	check(4, 300, 3600, 4000, 7);
	check(5, 400, 20, 60, 3);      /* many in each second */
	check(6, 400, 86400, 300, 50); /* hardly any overlap */
	check(7, 0, 3600, 60, 50);
}

/* More logins in the overlap than a cursor has room for. */
static void test_crowd(void)
{
	check(8, 3000, 1000, 60, 50);
	check(9, 3000, 3000, 300, 1000);
	check(10, 2000, 2, 500, 50); /* all in three seconds */
}

/* Without events the window moves on, and never grows. */
static void test_window(void)
{
	struct arena *arena = arena_new(0);
	struct str cursor = start_at(arena, NOW - 7200);
	struct login_cursor c;
	struct err e;

	make_trail(0, NOW, NOW);
	for (int i = 0; i < 3; i++) {
		trail.now_s = NOW + i * 1000;
		CU_ASSERT(!step(arena, &cursor, 50));
		CU_ASSERT_EQUAL(login_cursor_decode(arena, cursor, &c, &e), ERR_OK);
		CU_ASSERT_EQUAL(c.from_s, trail.now_s - LOGIN_OVERLAP_S + 1);
	}
	/* Neither a clock that went back nor one that jumped moves it to where nothing can be. */
	trail.now_s = NOW - 5000;
	trail.look_ups = 0;
	CU_ASSERT(!step(arena, &cursor, 50));
	CU_ASSERT_EQUAL(trail.look_ups, 0);
	CU_ASSERT_EQUAL(login_cursor_decode(arena, cursor, &c, &e), ERR_OK);
	CU_ASSERT_EQUAL(c.from_s, NOW + 2000 - LOGIN_OVERLAP_S + 1);
	trail.now_s = NOW + LOGIN_HISTORY_S * 2;
	CU_ASSERT(!step(arena, &cursor, 50));
	drop_trail();
	arena_free(arena);
}

/* A step costs one look-up, but where a page lies in one second. */
static void test_cost(void)
{
	struct arena *arena = arena_new(0);
	struct str cursor = start_at(arena, NOW);
	size_t look_ups = 0;
	bool more;

	random_state = 11;
	make_trail(1000, NOW, NOW + 9999);
	trail.now_s = NOW + 20000;
	do {
		more = step(arena, &cursor, 50);
		look_ups += trail.look_ups;
	} while (more);
	CU_ASSERT_EQUAL(trail.most_look_ups, 1);
	CU_ASSERT(look_ups <= 1000 / 45);
	CU_ASSERT_EQUAL(wrong(NOW), 0);
	drop_trail();
	arena_free(arena);
}

static void test_errors(void)
{
	struct arena *arena = arena_new(0);
	struct login_cursor c = {.from_s = NOW};
	struct login_batch batch;
	struct err e;

	make_trail(0, NOW, NOW);
	trail.same_token = true;
	CU_ASSERT_EQUAL(login_scan_step(&c, NOW, 50, &source, arena, &batch, &e), ERR_UNAVAILABLE);
	trail.fails = true;
	CU_ASSERT_EQUAL(login_scan_step(&c, NOW, 50, &source, arena, &batch, &e), ERR_THROTTLED);
	drop_trail();
	arena_free(arena);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"each login once", test_each_once},
		{"more than can be remembered", test_crowd},
		{"the window advances", test_window},
		{"look-ups", test_cost},
		{"errors", test_errors},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"login_scan", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
