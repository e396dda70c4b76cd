/* layers: syncers inventory proto base
 *
 * Cursors of the login feed: what goes in comes out, however full; nothing else is believed. */
#include "syncers/login_cursor.h"

#include <string.h>

#include "base/encode.h"
#include "base/log.h"
#include "support/cunit_main.h"

#define NOW INT64_C(1795228800)

static void assert_same(const struct login_cursor *a, const struct login_cursor *b)
{
	CU_ASSERT_EQUAL(a->from_s, b->from_s);
	CU_ASSERT_EQUAL(a->scanning, b->scanning);
	CU_ASSERT_EQUAL(a->until_s, b->until_s);
	CU_ASSERT_EQUAL(a->at_s, b->at_s);
	CU_ASSERT_EQUAL(a->in_second, b->in_second);
	CU_ASSERT_EQUAL(a->at_hash, b->at_hash);
	CU_ASSERT_EQUAL_FATAL(a->n_seen, b->n_seen);
	for (size_t i = 0; i < a->n_seen; i++) {
		CU_ASSERT_EQUAL(a->seen[i].time_s, b->seen[i].time_s);
		CU_ASSERT_EQUAL(a->seen[i].hash, b->seen[i].hash);
	}
}

static void check_round_trip(const struct login_cursor *c)
{
	struct arena *arena = arena_new(0);
	const struct str text = login_cursor_encode(arena, c);
	struct login_cursor back;
	struct err e;

	CU_ASSERT(text.n > 0 && text.n <= LOGIN_CURSOR_MAX);
	CU_ASSERT_EQUAL_FATAL(login_cursor_decode(arena, text, &back, &e), ERR_OK);
	assert_same(c, &back);
	arena_free(arena);
}

static void test_round_trip(void)
{
	struct login_cursor c = {.from_s = 0};

	check_round_trip(&c);
	c = (struct login_cursor){.from_s = NOW - 86400,
		.scanning = true,
		.until_s = NOW,
		.at_s = NOW - 5,
		.in_second = true,
		.at_hash = 0xdeadbeef};
	login_cursor_add(&c, (struct login_seen){NOW - 1, 2});
	login_cursor_add(&c, (struct login_seen){NOW - 1, 1});
	login_cursor_add(&c, (struct login_seen){NOW - 86400, 0xffffffff});
	login_cursor_add(&c, (struct login_seen){NOW - 1, 2});
	CU_ASSERT_EQUAL(c.n_seen, 3);
	CU_ASSERT(login_cursor_has_seen(&c, (struct login_seen){NOW - 1, 1}));
	CU_ASSERT(!login_cursor_has_seen(&c, (struct login_seen){NOW - 1, 3}));
	CU_ASSERT(!login_cursor_has_seen(&c, (struct login_seen){NOW - 2, 1}));
	check_round_trip(&c);
	login_cursor_forget(&c, NOW - 1, NOW);
	CU_ASSERT_EQUAL(c.n_seen, 1);
	check_round_trip(&c);
}

/* The fullest one there can be: the longest numbers, as many ids as fit, with distances that need two bytes wherever they can. */
static void test_full(void)
{
	struct login_cursor c = {
		.from_s = INT64_C(1) << 39, .scanning = true, .in_second = true, .at_hash = 1};

	c.at_s = c.until_s = c.from_s + (INT64_C(1) << 39) - 1;
	for (uint32_t i = 0; c.n_seen < LOGIN_MAX_SEEN; i++) {
		const int64_t first_s = i % 2 == 0 ? c.from_s : c.until_s - LOGIN_OVERLAP_S + 1;

		login_cursor_add(&c, (struct login_seen){first_s + 128 * (i / 2 % 9), i});
	}
	check_round_trip(&c);
}

/* Every single changed or missing byte is found. */
static void test_damage(void)
{
	struct arena *arena = arena_new(0);
	struct login_cursor c = {.from_s = NOW - 100, .scanning = true, .until_s = NOW, .at_s = NOW}, back;
	struct str raw;
	struct err e;

	login_cursor_add(&c, (struct login_seen){NOW - 7, 77});
	CU_ASSERT_FATAL(b64url_decode(arena, login_cursor_encode(arena, &c), &raw));
	for (size_t i = 0; i < raw.n; i++) {
		char *copy = str_dup_c(arena, raw);

		copy[i] ^= 1;
		CU_ASSERT_EQUAL(
			login_cursor_decode(arena, b64url_encode(arena, str_n(copy, raw.n)), &back, &e),
			ERR_INVALID);
		CU_ASSERT_EQUAL(
			login_cursor_decode(arena, b64url_encode(arena, str_sub(raw, 0, i)), &back, &e),
			ERR_INVALID);
		CU_ASSERT(str_starts(str_c(e.msg), STR("baton-aws: cursor corrupt: ")));
	}
	arena_free(arena);
}

/* Whole, with a right checksum, and still nonsense. */
static void test_contradictions(void)
{
	struct arena *arena = arena_new(0);
	struct login_cursor cases[] = {
		{.from_s = NOW, .n_seen = 1, .seen = {{NOW + LOGIN_OVERLAP_S, 1}}},
		{.from_s = NOW, .n_seen = 2, .seen = {{NOW, 1}, {NOW, 1}}},
		{.from_s = NOW, .n_seen = 2, .seen = {{NOW, 2}, {NOW, 1}}},
		{.from_s = NOW, .scanning = true, .until_s = NOW + 1, .at_s = NOW + 2},
		{.from_s = NOW,
			.scanning = true,
			.until_s = NOW + 9000,
			.at_s = NOW + 2,
			.n_seen = 1,
			.seen = {{NOW + 9001, 1}}},
		{.from_s = NOW,
			.scanning = true,
			.until_s = NOW + 9000,
			.at_s = NOW,
			.n_seen = 1,
			.seen = {{NOW + 5000, 1}}},
		{.from_s = INT64_C(1) << 41},
	};
	struct login_cursor back;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CU_ASSERT_EQUAL(login_cursor_decode(arena, login_cursor_encode(arena, &cases[i]), &back, &e),
			ERR_INVALID);
	arena_free(arena);
}

static void test_reference(void)
{
	static const struct {
		const char *json;
		int64_t from_s; /* -1: refused */
	} cases[] = {
		{"{\"start_at\":\"2026-11-21T02:35:00Z\"}", 1795228500},
		{"{\"latest_event_seen\":\"x\",\"next_page_token\":\"y\",\"start_at\":\"2026-11-21T04:35:00+"
		 "02:00\",\"end_at\":\"z\"}",
			1795228500},
		{"{\"start_at\":5}", -1},
		{"{\"start_at\":\"yesterday\"}", -1},
		{"{\"start_at\":\"1900-01-01T00:00:00Z\"}", -1},
		{"{\"start_at\":", -1},
		{"{\"", -1},
	};
	struct arena *arena = arena_new(0);
	struct login_cursor back;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const enum err_code rc =
			login_cursor_decode(arena, b64_encode(arena, str_c(cases[i].json)), &back, &e);

		CU_ASSERT_EQUAL(rc, cases[i].from_s < 0 ? ERR_INVALID : ERR_OK);
		if (rc == ERR_OK) {
			const struct login_cursor want = {.from_s = cases[i].from_s};

			assert_same(&back, &want);
		}
	}
	CU_ASSERT_EQUAL(login_cursor_decode(arena, STR("eyJ!"), &back, &e), ERR_INVALID);
	CU_ASSERT_EQUAL(login_cursor_decode(arena, STR("not base64!"), &back, &e), ERR_INVALID);
	CU_ASSERT_EQUAL(login_cursor_decode(arena, STR_EMPTY, &back, &e), ERR_INVALID);
	char *longest = arena_alloc(arena, LOGIN_CURSOR_MAX + 1);
	memset(longest, 'A', LOGIN_CURSOR_MAX + 1);
	CU_ASSERT_EQUAL(
		login_cursor_decode(arena, str_n(longest, LOGIN_CURSOR_MAX + 1), &back, &e), ERR_INVALID);
	CU_ASSERT_EQUAL(login_cursor_decode(arena, str_n(longest, LOGIN_CURSOR_MAX), &back, &e), ERR_INVALID);
	arena_free(arena);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"round trip", test_round_trip},
		{"a full cursor fits", test_full},
		{"damage is found", test_damage},
		{"contradictions are found", test_contradictions},
		{"a cursor of the reference", test_reference},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"login_cursor", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
