/* layers: syncers inventory proto base
 *
 * Page tokens: what goes in comes out; nothing else is believed. */
#include "syncers/page_token.h"

#include "base/encode.h"
#include "support/cunit_main.h"

static void test_round_trip(void)
{
	static const struct page_token tokens[] = {
		{STR_INIT(""), STR_INIT("arn:aws:iam::111111111111:user/bob")},
		{STR_INIT("policies"), STR_INIT("")},
		{STR_INIT("policies"), STR_INIT("with \0 a NUL and \xff")},
	};
	struct arena *arena = arena_new(0);
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
		const struct str text = page_token_encode(arena, STR("group"), &tokens[i]);
		struct page_token back;

		CU_ASSERT_EQUAL_FATAL(page_token_decode(arena, STR("group"), text, &back, &e), ERR_OK);
		ASSERT_STR(back.phase, tokens[i].phase, "phase");
		ASSERT_STR(back.last, tokens[i].last, "last");
	}
	arena_free(arena);
}

static void test_first_page(void)
{
	struct arena *arena = arena_new(0);
	struct page_token t;
	struct err e;

	CU_ASSERT_EQUAL(page_token_decode(arena, STR("group"), STR_EMPTY, &t, &e), ERR_OK);
	CU_ASSERT_EQUAL(t.phase.n + t.last.n, 0);
	arena_free(arena);
}

/* Every single changed or missing byte is found. */
static void test_damage(void)
{
	struct arena *arena = arena_new(0);
	const struct page_token t = {STR("policies"), STR("arn:aws:iam::aws:policy/ReadOnlyAccess")};
	struct str raw, text = page_token_encode(arena, STR("role"), &t);
	struct page_token back;
	struct err e;

	CU_ASSERT_FATAL(b64url_decode(arena, text, &raw));
	for (size_t i = 0; i < raw.n; i++) {
		char *copy = str_dup_c(arena, raw);

		copy[i] ^= 1;
		CU_ASSERT_EQUAL(page_token_decode(arena, STR("role"),
					b64url_encode(arena, str_n(copy, raw.n)), &back, &e),
			ERR_INVALID);
		CU_ASSERT_EQUAL(page_token_decode(arena, STR("role"),
					b64url_encode(arena, str_sub(raw, 0, i)), &back, &e),
			i == 0 ? ERR_OK : ERR_INVALID);
	}
	CU_ASSERT_EQUAL(page_token_decode(arena, STR("group"), text, &back, &e), ERR_INVALID);
	CU_ASSERT(str_starts(str_c(e.msg), STR("baton-aws: page token corrupt: ")));
	CU_ASSERT_EQUAL(page_token_decode(arena, STR("role"), STR("not base64!"), &back, &e), ERR_INVALID);
	arena_free(arena);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"round trip", test_round_trip},
		{"no token is the first page", test_first_page},
		{"damage is found", test_damage},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"page_token", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
