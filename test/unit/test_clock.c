/* layers: base
 *
 * Dates: written and read back, and what is no date. */
#include "base/clock.h"

#include <time.h>

#include "support/cunit_main.h"
#include "support/fake_clock.h"

static void test_format(void)
{
	static const struct {
		int64_t unix_s;
		const char *amz, *rfc3339;
	} rows[] = {
		{0, "19700101T000000Z", "1970-01-01T00:00:00Z"},
		{-1, "19691231T235959Z", "1969-12-31T23:59:59Z"},
		{951782400, "20000229T000000Z", "2000-02-29T00:00:00Z"},
		{1440938160, "20150830T123600Z", "2015-08-30T12:36:00Z"},
		{1795228500, "20261121T023500Z", "2026-11-21T02:35:00Z"},
		{4107542400, "21000301T000000Z", "2100-03-01T00:00:00Z"}, /* 2100 is no leap year */
		{253402300799, "99991231T235959Z", "9999-12-31T23:59:59Z"},
		{INT64_MAX, "99991231T235959Z", "9999-12-31T23:59:59Z"},
		{INT64_MIN, "00000101T000000Z", "0000-01-01T00:00:00Z"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char amz[17], rfc3339[21];

		time_format_amz(rows[i].unix_s, amz);
		time_format_rfc3339(rows[i].unix_s, rfc3339);
		ASSERT_STR(str_c(amz), str_c(rows[i].amz), "amz");
		ASSERT_STR(str_c(rfc3339), str_c(rows[i].rfc3339), "rfc3339");
	}
}

/* Against the C library's calendar, in steps that hit every kind of day from 1600 to 2400. */
static void test_against_libc(void)
{
	size_t wrong = 0;

	for (int64_t s = INT64_C(-11676096000); s < INT64_C(13569465600); s += 86400 * 3 + 12347) {
		char got[21], want[40];
		time_t t = (time_t)s;
		struct tm tm;
		int64_t back = 0;

		gmtime_r(&t, &tm);
		strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%SZ", &tm);
		time_format_rfc3339(s, got);
		wrong += strcmp(got, want) != 0 || !time_parse_rfc3339(str_c(got), &back) || back != s;
		strftime(want, sizeof(want), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		wrong += !time_parse_http(str_c(want), &back) || back != s;
	}
	ASSERT_I64(wrong, 0, "dates that differ");
}

static void test_parse_rfc3339(void)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t unix_s;
	} rows[] = {
		{"2026-11-21T02:35:00Z", true, 1795228500},
		{"2026-11-21T02:35:00+00:00", true, 1795228500},
		{"2026-11-21T02:35:00-00:00", true, 1795228500},
		{"2026-11-21T04:35:00+02:00", true, 1795228500},
		{"2026-11-20T21:05:00-05:30", true, 1795228500},
		{"2026-11-21T02:35:00.999Z", true, 1795228500},
		{"2026-11-21T02:35:00.1234567890123Z", true, 1795228500},
		{"2026-11-21T02:35:00.5+00:00", true, 1795228500},
		{"2024-02-29T00:00:00Z", true, 1709164800},
		{"2016-12-31T23:59:60Z", true, 1483228800}, /* leap second */
		{"0000-01-01T00:00:00Z", true, INT64_C(-62167219200)},
		{"2023-02-29T00:00:00Z", false, 0},
		{"1900-02-29T00:00:00Z", false, 0},
		{"2026-00-10T00:00:00Z", false, 0},
		{"2026-13-10T00:00:00Z", false, 0},
		{"2026-04-31T00:00:00Z", false, 0},
		{"2026-04-00T00:00:00Z", false, 0},
		{"2026-11-21T24:00:00Z", false, 0},
		{"2026-11-21T02:60:00Z", false, 0},
		{"2026-11-21T02:35:61Z", false, 0},
		{"2026-11-21T02:35:00", false, 0},
		{"2026-11-21T02:35:00.Z", false, 0},
		{"2026-11-21T02:35:00Zx", false, 0},
		{"2026-11-21T02:35:00+0000", false, 0},
		{"2026-11-21T02:35:00+24:00", false, 0},
		{"2026-11-21T02:35:00+00:60", false, 0},
		{"2026-11-21T02:35:00+00:00 ", false, 0},
		{"2026-11-21T02:35:00+00:", false, 0},
		{"2026-11-21 02:35:00Z", false, 0},
		{"2026-11-21", false, 0},
		{"+026-11-21T02:35:00Z", false, 0},
		{"2026-1-21T02:35:00Z", false, 0},
		{"20261121T023500Z", false, 0},
		{"N/A", false, 0},
		{"no_information", false, 0},
		{"", false, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t got = 77;

		ASSERT_I64(time_parse_rfc3339(str_c(rows[i].text), &got), rows[i].ok, rows[i].text);
		ASSERT_I64(got, rows[i].ok ? rows[i].unix_s : 77, rows[i].text);
	}
}

static void test_parse_http(void)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t unix_s;
	} rows[] = {
		{"Sat, 21 Nov 2026 02:35:00 GMT", true, 1795228500},
		{"Sun, 06 Nov 1994 08:49:37 GMT", true, 784111777},
		{"Sun, 6 Nov 1994 08:49:37 GMT", false, 0},
		{"Sunday, 06-Nov-94 08:49:37 GMT", false, 0}, /* obsolete forms: AWS sends none */
		{"Sun Nov  6 08:49:37 1994", false, 0},
		{"Sun, 06 Nov 1994 08:49:37 UTC", false, 0},
		{"Sun, 06 Nov 1994 08:49:37", false, 0},
		{"Sun, 06 nov 1994 08:49:37 GMT", false, 0},
		{"Xxx, 06 Nov 1994 08:49:37 GMT", false, 0},
		{"Sun, 31 Nov 1994 08:49:37 GMT", false, 0},
		{"Sun, 06 Nov 1994 08:49:37 GMT ", false, 0},
		{"", false, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t got = 77;

		ASSERT_I64(time_parse_http(str_c(rows[i].text), &got), rows[i].ok, rows[i].text);
		ASSERT_I64(got, rows[i].ok ? rows[i].unix_s : 77, rows[i].text);
	}
}

static void test_clocks(void)
{
	struct fake_clock f;
	int64_t before = clock_mono_ms(&clock_system), start;

	clock_sleep_ms(2);
	clock_sleep_ms(-1);
	CU_ASSERT(clock_mono_ms(&clock_system) >= before + 2);
	CU_ASSERT(clock_wall_s(&clock_system) > 1700000000);
	CU_ASSERT(clock_wall_ns(&clock_system) / 1000000000 - clock_wall_s(&clock_system) <= 1);

	fake_clock_init(&f, 1795228500);
	start = clock_mono_ms(&f.clock);
	CU_ASSERT_EQUAL(clock_wall_s(&f.clock), 1795228500);
	fake_clock_advance_ms(&f, 1500);
	CU_ASSERT_EQUAL(clock_mono_ms(&f.clock), start + 1500);
	CU_ASSERT_EQUAL(clock_wall_s(&f.clock), 1795228501);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"format", test_format},
		{"against_libc", test_against_libc},
		{"parse_rfc3339", test_parse_rfc3339},
		{"parse_http", test_parse_http},
		{"clocks", test_clocks},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"clock", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
