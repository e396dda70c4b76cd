/* layers: base
 *
 * Text by value: comparing, searching, cutting, numbers, UTF-8. */
#include "base/str.h"

#include "base/arena.h"
#include "support/cunit_main.h"

static const struct str null_str = {.p = NULL, .n = 0};

static void test_compare(void)
{
	static const struct {
		struct str a, b;
		int cmp; /* sign */
		bool nocase;
	} rows[] = {
		{STR_INIT(""), STR_INIT(""), 0, true}, {STR_INIT(""), STR_INIT("a"), -1, false},
		{STR_INIT("a"), STR_INIT("ab"), -1, false}, {STR_INIT("b"), STR_INIT("ab"), 1, false},
		{STR_INIT("a"), STR_INIT("A"), 1, true}, {STR_INIT("a\0b"), STR_INIT("a\0c"), -1, false},
		{STR_INIT("\xff"), STR_INIT("a"), 1, false},            /* bytes are unsigned */
		{STR_INIT("\xc3\xa4"), STR_INIT("\xc3\x84"), 1, false}, /* nocase is ASCII only */
		{STR_INIT("@[`{"), STR_INIT("@[`{"), 0, true},
		{STR_INIT("@["), STR_INIT("`{"), -1, false}, /* differ by 0x20 but are no letters */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int cmp = str_cmp(rows[i].a, rows[i].b), back = str_cmp(rows[i].b, rows[i].a);

		ASSERT_I64((cmp > 0) - (cmp < 0), rows[i].cmp, "str_cmp");
		ASSERT_I64((back > 0) - (back < 0), -rows[i].cmp, "str_cmp swapped");
		ASSERT_I64(str_eq(rows[i].a, rows[i].b), rows[i].cmp == 0, "str_eq");
		ASSERT_I64(str_eq_nocase(rows[i].a, rows[i].b), rows[i].nocase, "str_eq_nocase");
	}
	CU_ASSERT(str_eq(null_str, STR("")));
	CU_ASSERT(str_eq(str_c(NULL), null_str));
	CU_ASSERT(str_eq_c(STR("ab"), "ab"));
	CU_ASSERT_FALSE(str_eq_c(STR("ab\0"), "ab"));
	CU_ASSERT_EQUAL(str_cmp(null_str, null_str), 0);
}

static void test_search(void)
{
	static const struct {
		struct str s, needle;
		ptrdiff_t first, last;
		bool starts, ends;
	} rows[] = {
		{STR_INIT("abcabc"), STR_INIT("bc"), 1, 4, false, true},
		{STR_INIT("abcabc"), STR_INIT("abc"), 0, 3, true, true},
		{STR_INIT("abcabc"), STR_INIT("abcabc"), 0, 0, true, true},
		{STR_INIT("abcabc"), STR_INIT("abcabcd"), -1, -1, false, false},
		{STR_INIT("abc"), STR_INIT("x"), -1, -1, false, false},
		{STR_INIT("aaa"), STR_INIT("aa"), 0, 1, true, true},
		{STR_INIT("abc"), STR_INIT(""), 0, 3, true, true},
		{STR_INIT(""), STR_INIT(""), 0, 0, true, true},
		{STR_INIT(""), STR_INIT("a"), -1, -1, false, false},
		{STR_INIT("a\0b"), STR_INIT("\0b"), 1, 1, false, true},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str s = rows[i].s, needle = rows[i].needle;

		ASSERT_I64(str_find(s, needle), rows[i].first, s.p);
		ASSERT_I64(str_rfind(s, needle), rows[i].last, s.p);
		ASSERT_I64(str_contains(s, needle), rows[i].first >= 0, s.p);
		ASSERT_I64(str_starts(s, needle), rows[i].starts, s.p);
		ASSERT_I64(str_ends(s, needle), rows[i].ends, s.p);
	}
	CU_ASSERT_EQUAL(str_find_char(STR("a/b/c"), '/'), 1);
	CU_ASSERT_EQUAL(str_rfind_char(STR("a/b/c"), '/'), 3);
	CU_ASSERT_EQUAL(str_find_char(null_str, '/'), -1);
	CU_ASSERT_EQUAL(str_rfind_char(null_str, '/'), -1);
	CU_ASSERT_EQUAL(str_find(null_str, STR("x")), -1);
	CU_ASSERT_EQUAL(str_find(null_str, null_str), 0);
}

static void test_parts(void)
{
	struct str s = STR("hello");

	ASSERT_STR(str_from(s, 0), STR("hello"), "from 0");
	ASSERT_STR(str_from(s, 4), STR("o"), "from 4");
	ASSERT_STR(str_from(s, 5), STR(""), "from 5");
	ASSERT_STR(str_from(s, SIZE_MAX), STR(""), "from SIZE_MAX");
	ASSERT_STR(str_sub(s, 1, 3), STR("ell"), "sub 1 3");
	ASSERT_STR(str_sub(s, 3, SIZE_MAX), STR("lo"), "sub 3 SIZE_MAX");
	ASSERT_STR(str_sub(s, 9, 9), STR(""), "sub 9 9");
	ASSERT_STR(str_trim(STR(" \t\r\n\v\f a b \n")), STR("a b"), "trim");
	ASSERT_STR(str_trim(STR(" \n ")), STR(""), "trim all");
	ASSERT_STR(str_trim(null_str), STR(""), "trim NULL");
	ASSERT_STR(str_trim(STR("\xc2\xa0x")), STR("\xc2\xa0x"), "trim is ASCII only");
}

static void test_cut(void)
{
	static const struct {
		struct str text;
		size_t n;
		const char *fields[4];
	} rows[] = {
		{STR_INIT("a,b,c"), 3, {"a", "b", "c"}},
		{STR_INIT(",a,"), 3, {"", "a", ""}},
		{STR_INIT(","), 2, {"", ""}},
		{STR_INIT(""), 1, {""}},
		{STR_INIT("abc"), 1, {"abc"}},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str rest = rows[i].text;
		size_t n = 0;

		while (rest.p && n < ARRAY_LEN(rows[i].fields)) {
			struct str field = str_cut(&rest, ',');

			CU_ASSERT_FATAL(n < rows[i].n);
			ASSERT_STR(field, str_c(rows[i].fields[n]), rows[i].text.p);
			n++;
		}
		ASSERT_I64(n, rows[i].n, rows[i].text.p);
	}
}

static void test_make(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	const struct str parts[] = {STR("a"), null_str, STR("c")};
	struct str s;

	s = str_dup(a, STR("ab\0c"));
	ASSERT_STR(s, STR("ab\0c"), "dup");
	CU_ASSERT_EQUAL(s.p[s.n], '\0');
	CU_ASSERT_STRING_EQUAL(str_dup_c(a, null_str), "");
	s = str_fmt(a, "%d-" STR_FMT "-%s", 42, STR_ARG(str_sub(STR("xyz"), 0, 2)), "end");
	ASSERT_STR(s, STR("42-xy-end"), "fmt");
	CU_ASSERT_EQUAL(s.p[s.n], '\0');
	ASSERT_STR(str_fmt(a, "%s" STR_FMT, "", STR_ARG(null_str)), STR(""), "fmt empty");
	ASSERT_STR(str_lower(a, STR("AbZ[\xc3\x84")), STR("abz[\xc3\x84"), "lower");
	ASSERT_STR(str_join(a, parts, 3, STR(", ")), STR("a, , c"), "join");
	ASSERT_STR(str_join(a, parts, 1, STR(", ")), STR("a"), "join one");
	ASSERT_STR(str_join(a, NULL, 0, STR(", ")), STR(""), "join none");
	ASSERT_STR(str_join(a, parts, 3, null_str), STR("ac"), "join without separator");
}

static void test_numbers(void)
{
	static const struct {
		struct str s;
		bool u_ok, i_ok;
		uint64_t u;
		int64_t i;
	} rows[] = {
		{STR_INIT("0"), true, true, 0, 0},
		{STR_INIT("007"), true, true, 7, 7},
		{STR_INIT("-0"), false, true, 0, 0},
		{STR_INIT("-1"), false, true, 0, -1},
		{STR_INIT("+5"), false, true, 0, 5},
		{STR_INIT("9223372036854775807"), true, true, INT64_MAX, INT64_MAX},
		{STR_INIT("9223372036854775808"), true, false, UINT64_C(9223372036854775808), 0},
		{STR_INIT("-9223372036854775808"), false, true, 0, INT64_MIN},
		{STR_INIT("-9223372036854775809"), false, false, 0, 0},
		{STR_INIT("18446744073709551615"), true, false, UINT64_MAX, 0},
		{STR_INIT("18446744073709551616"), false, false, 0, 0},
		{STR_INIT("99999999999999999999999"), false, false, 0, 0},
		{STR_INIT(""), false, false, 0, 0},
		{STR_INIT("-"), false, false, 0, 0},
		{STR_INIT("--1"), false, false, 0, 0},
		{STR_INIT(" 1"), false, false, 0, 0},
		{STR_INIT("1 "), false, false, 0, 0},
		{STR_INIT("1\0"), false, false, 0, 0},
		{STR_INIT("0x10"), false, false, 0, 0},
		{STR_INIT("1.0"), false, false, 0, 0},
		{STR_INIT("/"), false, false, 0, 0},
		{STR_INIT(":"), false, false, 0, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t u = 77;
		int64_t n = 77;

		ASSERT_I64(str_to_u64(rows[i].s, &u), rows[i].u_ok, rows[i].s.p);
		ASSERT_I64(u, rows[i].u_ok ? rows[i].u : 77, rows[i].s.p);
		ASSERT_I64(str_to_i64(rows[i].s, &n), rows[i].i_ok, rows[i].s.p);
		ASSERT_I64(n, rows[i].i_ok ? rows[i].i : 77, rows[i].s.p);
	}
}

static void test_bool(void)
{
	static const char *const yes[] = {"1", "t", "T", "TRUE", "true", "True"};
	static const char *const no[] = {"0", "f", "F", "FALSE", "false", "False"};
	static const char *const neither[] = {"", "yes", "tRUE", "on", "2", " true", "truee"};
	bool b;

	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		CU_ASSERT(str_to_bool(str_c(yes[i]), &b) && b);
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		CU_ASSERT(str_to_bool(str_c(no[i]), &b) && !b);
	for (size_t i = 0; i < ARRAY_LEN(neither); i++)
		CU_ASSERT_FALSE(str_to_bool(str_c(neither[i]), &b));
}

#define FFFD "\xef\xbf\xbd"

static void test_utf8(void)
{
	static const struct {
		struct str s;
		bool valid;
		struct str clean;
	} rows[] = {
		{STR_INIT(""), true, STR_INIT("")},
		{STR_INIT("ascii"), true, STR_INIT("ascii")},
		{STR_INIT("a\0b"), true, STR_INIT("a\0b")},
		{STR_INIT("\xc2\x80"), true, STR_INIT("\xc2\x80")},                 /* U+0080 */
		{STR_INIT("\xdf\xbf"), true, STR_INIT("\xdf\xbf")},                 /* U+07FF */
		{STR_INIT("\xe0\xa0\x80"), true, STR_INIT("\xe0\xa0\x80")},         /* U+0800 */
		{STR_INIT("\xed\x9f\xbf"), true, STR_INIT("\xed\x9f\xbf")},         /* U+D7FF */
		{STR_INIT("\xee\x80\x80"), true, STR_INIT("\xee\x80\x80")},         /* U+E000 */
		{STR_INIT("\xf0\x90\x80\x80"), true, STR_INIT("\xf0\x90\x80\x80")}, /* U+10000 */
		{STR_INIT("\xf4\x8f\xbf\xbf"), true, STR_INIT("\xf4\x8f\xbf\xbf")}, /* U+10FFFF */
		{STR_INIT("\x80"), false, STR_INIT(FFFD)},
		{STR_INIT("\xbf"), false, STR_INIT(FFFD)},
		{STR_INIT("\xff"), false, STR_INIT(FFFD)},
		{STR_INIT("\xc0\x80"), false, STR_INIT(FFFD FFFD)}, /* overlong NUL */
		{STR_INIT("\xc1\xbf"), false, STR_INIT(FFFD FFFD)},
		{STR_INIT("\xe0\x9f\xbf"), false, STR_INIT(FFFD FFFD FFFD)}, /* overlong U+07FF */
		{STR_INIT("\xed\xa0\x80"), false, STR_INIT(FFFD FFFD FFFD)}, /* surrogate U+D800 */
		{STR_INIT("\xed\xbf\xbf"), false, STR_INIT(FFFD FFFD FFFD)}, /* surrogate U+DFFF */
		{STR_INIT("\xf0\x8f\xbf\xbf"), false, STR_INIT(FFFD FFFD FFFD FFFD)},
		{STR_INIT("\xf4\x90\x80\x80"), false, STR_INIT(FFFD FFFD FFFD FFFD)}, /* U+110000 */
		{STR_INIT("\xf5\x80\x80\x80"), false, STR_INIT(FFFD FFFD FFFD FFFD)},
		{STR_INIT("x\xc3"), false, STR_INIT("x" FFFD)}, /* truncated */
		{STR_INIT("x\xe2\x82"), false, STR_INIT("x" FFFD FFFD)},
		{STR_INIT("x\xf0\x9f\x98"), false, STR_INIT("x" FFFD FFFD FFFD)},
		{STR_INIT("\xe2\x28\xa1z"), false, STR_INIT(FFFD "(" FFFD "z")},
		{STR_INIT("\xe2\x82(z"), false, STR_INIT(FFFD FFFD "(z")},
		{STR_INIT("long ascii run\xff then \xc3\xbc"), false,
			STR_INIT("long ascii run" FFFD " then \xc3\xbc")},
	};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str clean = str_utf8_clean(a, rows[i].s);

		ASSERT_I64(str_is_utf8(rows[i].s), rows[i].valid, rows[i].s.p);
		ASSERT_STR(clean, rows[i].clean, rows[i].s.p);
		CU_ASSERT(str_is_utf8(clean));
		if (rows[i].valid)
			CU_ASSERT_PTR_EQUAL(clean.p, rows[i].s.p); /* no copy */
	}
	CU_ASSERT(str_is_utf8(null_str));
}

/* The fast path takes eight bytes at a time: a bad byte must be found at each offset. */
static void test_utf8_everywhere(void)
{
	char text[40];

	for (size_t n = 1; n <= sizeof(text); n++) {
		for (size_t bad = 0; bad < n; bad++) {
			memset(text, 'a', n);
			CU_ASSERT(str_is_utf8(str_n(text, n)));
			text[bad] = (char)0x80;
			CU_ASSERT_FALSE(str_is_utf8(str_n(text, n)));
		}
	}
}

static void test_utf8_cut(void)
{
	struct str s = STR("a\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80"); /* 1 + 2 + 3 + 4 bytes */
	static const size_t want[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};

	for (size_t max = 0; max < ARRAY_LEN(want); max++)
		ASSERT_I64(str_utf8_cut(s, max).n, want[max], "cut");
	CU_ASSERT_EQUAL(str_utf8_count(s), 4);
	CU_ASSERT_EQUAL(str_utf8_count(null_str), 0);
	CU_ASSERT_EQUAL(str_utf8_cut(null_str, 5).n, 0);
}

static void test_hash(void)
{
	CU_ASSERT_EQUAL(str_hash(STR("")), UINT64_C(0xcbf29ce484222325)); /* FNV-1a's published vectors */
	CU_ASSERT_EQUAL(str_hash(STR("a")), UINT64_C(0xaf63dc4c8601ec8c));
	CU_ASSERT_EQUAL(str_hash(STR("foobar")), UINT64_C(0x85944171f73967e8));
}

/* Vectors published with the reference implementation: key 00 01 .. 0f, input 00 01 .. of each length. */
static void test_hash_keyed(void)
{
	static const struct {
		size_t n;
		uint64_t want;
	} rows[] = {
		{0, UINT64_C(0x726fdb47dd0e0e31)},
		{1, UINT64_C(0x74f839c593dc67fd)},
		{7, UINT64_C(0xab0200f58b01d137)},
		{8, UINT64_C(0x93f5f5799a932462)},
		{15, UINT64_C(0xa129ca6149be45e5)},
	};
	static const uint64_t key[2] = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
	char in[16];

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (char)i;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CU_ASSERT_EQUAL(str_hash_keyed(key, str_n(in, rows[i].n)), rows[i].want);
	CU_ASSERT_EQUAL(str_hash_keyed(key, null_str), rows[0].want);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"compare", test_compare},
		{"search", test_search},
		{"parts", test_parts},
		{"cut", test_cut},
		{"make", test_make},
		{"numbers", test_numbers},
		{"bool", test_bool},
		{"utf8", test_utf8},
		{"utf8_everywhere", test_utf8_everywhere},
		{"utf8_cut", test_utf8_cut},
		{"hash", test_hash},
		{"hash_keyed", test_hash_keyed},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"str", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
