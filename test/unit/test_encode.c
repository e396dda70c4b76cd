/* layers: base
 *
 * Base64, hex and percent encoding, there and back, and what is refused. */
#include "base/encode.h"

#include "support/cunit_main.h"

static void test_b64(void)
{
	static const struct {
		struct str bytes;
		const char *std, *url;
	} rows[] = {
		/* RFC 4648, 10 */
		{STR_INIT(""), "", ""},
		{STR_INIT("f"), "Zg==", "Zg"},
		{STR_INIT("fo"), "Zm8=", "Zm8"},
		{STR_INIT("foo"), "Zm9v", "Zm9v"},
		{STR_INIT("foob"), "Zm9vYg==", "Zm9vYg"},
		{STR_INIT("fooba"), "Zm9vYmE=", "Zm9vYmE"},
		{STR_INIT("foobar"), "Zm9vYmFy", "Zm9vYmFy"},
		{STR_INIT("\xfb\xff\xfe"), "+//+", "-__-"},
		{STR_INIT("\0\0\0\0"), "AAAAAA==", "AAAAAA"},
	};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str back = STR("untouched");

		ASSERT_STR(b64_encode(a, rows[i].bytes), str_c(rows[i].std), "b64_encode");
		ASSERT_STR(b64url_encode(a, rows[i].bytes), str_c(rows[i].url), "b64url_encode");
		CU_ASSERT(b64_decode(a, str_c(rows[i].std), &back));
		ASSERT_STR(back, rows[i].bytes, "b64_decode");
		back = STR("untouched");
		CU_ASSERT(b64url_decode(a, str_c(rows[i].url), &back));
		ASSERT_STR(back, rows[i].bytes, "b64url_decode");
	}
}

static void test_b64_refused(void)
{
	static const struct {
		struct str text;
		bool std, url; /* accepted by */
	} rows[] = {
		{STR_INIT("Zg"), false, true},
		{STR_INIT("Zg="), false, false},
		{STR_INIT("Zg=="), true, false},
		{STR_INIT("Zg==="), false, false},
		{STR_INIT("===="), false, false},
		{STR_INIT("="), false, false},
		{STR_INIT("Z"), false, false},
		{STR_INIT("Zm9vY"), false, false},
		{STR_INIT("Zh=="), false, false}, /* bits left over: a second text for "f" */
		{STR_INIT("Zm9="), false, false},
		{STR_INIT("Zh"), false, false},
		{STR_INIT("Zm 9"), false, false},
		{STR_INIT("Zm9v\n"), false, false},
		{STR_INIT("Zg==Zg=="), false, false},
		{STR_INIT("+/+/"), true, false},
		{STR_INIT("-_-_"), false, true},
		{STR_INIT("Zm\0v"), false, false},
		{STR_INIT("Zm\xc3\xbc"), false, false},
	};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str got = STR("untouched");

		ASSERT_I64(b64_decode(a, rows[i].text, &got), rows[i].std, rows[i].text.p);
		if (!rows[i].std)
			ASSERT_STR(got, STR("untouched"), rows[i].text.p);
		ASSERT_I64(b64url_decode(a, rows[i].text, &got), rows[i].url, rows[i].text.p);
	}
}

/* Every length of every residue, every byte value. */
static void test_round_trip(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	char bytes[256];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 167 + 13);
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		struct str in = str_n(bytes, n), out = STR_EMPTY;
		struct buf b;

		CU_ASSERT(b64_decode(a, b64_encode(a, in), &out) && str_eq(in, out));
		CU_ASSERT(b64url_decode(a, b64url_encode(a, in), &out) && str_eq(in, out));
		buf_init(&b, 3 * n);
		percent_encode(&b, in, /* keep_slash= */ n % 2);
		CU_ASSERT_FALSE(b.overflow);
		CU_ASSERT(percent_decode(a, buf_view(&b), &out) && str_eq(in, out));
		buf_deinit(&b);
	}
}

static void test_hex(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	char out[5] = "....";

	ASSERT_STR(hex_encode(a, STR("\x00\x0f\xa5\xff")), STR("000fa5ff"), "hex");
	ASSERT_STR(hex_encode(a, STR("")), STR(""), "hex");
	hex_write(out, (const uint8_t *)"\xde", 1);
	CU_ASSERT_STRING_EQUAL(out, "de..");
}

static void test_percent_encode(void)
{
	static const struct {
		struct str in;
		const char *query, *path;
	} rows[] = {
		{STR_INIT("azAZ09-._~"), "azAZ09-._~", "azAZ09-._~"},
		{STR_INIT("a b+c"), "a%20b%2Bc", "a%20b%2Bc"},
		{STR_INIT("/a/b"), "%2Fa%2Fb", "/a/b"},
		{STR_INIT("\0\xff\xc3\xbc"), "%00%FF%C3%BC", "%00%FF%C3%BC"},
		{STR_INIT("!*'()=&%@:,"), "%21%2A%27%28%29%3D%26%25%40%3A%2C",
			"%21%2A%27%28%29%3D%26%25%40%3A%2C"},
		{STR_INIT(""), "", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b;

		buf_init(&b, 1000);
		percent_encode(&b, rows[i].in, /* keep_slash= */ false);
		ASSERT_STR(buf_view(&b), str_c(rows[i].query), "query");
		buf_reset(&b);
		percent_encode(&b, rows[i].in, /* keep_slash= */ true);
		ASSERT_STR(buf_view(&b), str_c(rows[i].path), "path");
		buf_deinit(&b);
	}
}

static void test_percent_decode(void)
{
	static const struct {
		const char *in;
		bool ok;
		struct str want;
	} rows[] = {
		{"", true, STR_INIT("")},
		{"plain+plus", true, STR_INIT("plain+plus")},
		{"%41%2f%2F%7e", true, STR_INIT("A//~")},
		{"%00", true, STR_INIT("\0")},
		{"%25%34%31", true, STR_INIT("%41")}, /* once, not twice */
		{"%", false, STR_INIT("")},
		{"%4", false, STR_INIT("")},
		{"a%4", false, STR_INIT("")},
		{"%4g", false, STR_INIT("")},
		{"%g4", false, STR_INIT("")},
		{"%%41", false, STR_INIT("")},
		{"%-1", false, STR_INIT("")},
	};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str got = STR_EMPTY;

		ASSERT_I64(percent_decode(a, str_c(rows[i].in), &got), rows[i].ok, rows[i].in);
		ASSERT_STR(got, rows[i].want, rows[i].in);
	}
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"b64", test_b64},
		{"b64_refused", test_b64_refused},
		{"round_trip", test_round_trip},
		{"hex", test_hex},
		{"percent_encode", test_percent_encode},
		{"percent_decode", test_percent_decode},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"encode", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
