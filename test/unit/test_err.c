/* layers: base
 *
 * Error values: what err_set and err_prefix make of any text. */
#include "base/err.h"

#include <stdio.h>

#include "support/cunit_main.h"

static void test_set(void)
{
	static const struct {
		enum err_code code;
		bool retryable;
	} rows[] = {
		{ERR_INVALID, false},
		{ERR_NOT_FOUND, false},
		{ERR_DENIED, false},
		{ERR_THROTTLED, true},
		{ERR_UNAVAILABLE, true},
		{ERR_DEADLINE, true},
		{ERR_CANCELLED, false},
		{ERR_INTERNAL, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e;

		memset(&e, 0x5a, sizeof(e)); /* every field is written, whatever was there */
		CU_ASSERT_EQUAL(err_set(&e, rows[i].code, "row %zu", i), rows[i].code);
		CU_ASSERT_EQUAL(e.code, rows[i].code);
		ASSERT_I64(e.retryable, rows[i].retryable, err_code_name(rows[i].code));
		CU_ASSERT_EQUAL(e.http_status, 0);
		CU_ASSERT_EQUAL(e.retry_after_ms, 0);
		CU_ASSERT_STRING_EQUAL(e.aws_code, "");
		CU_ASSERT_STRING_EQUAL(e.aws_operation, "");
		CU_ASSERT_STRING_EQUAL(e.request_id, "");
	}
}

static void test_text(void)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{"", ""},
		{"plain", "plain"},
		{"two\nlines\tand\rmore\x1b[31m\x7f", "two lines and more [31m "},
		{"Z\xc3\xbcrich \xf0\x9f\x98\x80", "Z\xc3\xbcrich \xf0\x9f\x98\x80"},
		{"bad \xff\xc3x \xed\xa0\x80 \xc0\x80", "bad ??x ??? ??"},
		{"cut off \xf0\x9f\x98", "cut off ???"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e;

		(void)err_set(&e, ERR_INVALID, "%s", rows[i].in);
		ASSERT_STR(str_c(e.msg), str_c(rows[i].want), rows[i].in);
	}
}

/* Two-byte characters in front of which `shift` one-byte ones stand: the cut must not split one. */
static void test_long(void)
{
	for (size_t shift = 0; shift < 2; shift++) {
		char text[2000];
		size_t n = 0;
		struct err e;

		memset(text, 'x', shift);
		for (n = shift; n + 2 < sizeof(text); n += 2)
			memcpy(text + n, "\xc3\xbc", 2);
		text[n] = '\0';
		(void)err_set(&e, ERR_INVALID, "%s", text);
		ASSERT_I64(strlen(e.msg), shift ? 511 : 510, "length");
		CU_ASSERT(str_is_utf8(str_c(e.msg)));
		CU_ASSERT_EQUAL(strchr(e.msg, '?'), NULL);
		(void)err_prefix(&e, "%s", text);
		ASSERT_I64(strlen(e.msg), shift ? 511 : 510, "length with prefix");
		CU_ASSERT_EQUAL(strchr(e.msg, '?'), NULL);
	}
}

static void test_set_from_itself(void)
{
	struct err e;

	(void)err_set(&e, ERR_DENIED, "no %s", "permission");
	(void)err_set(&e, ERR_PRECONDITION, "cannot list: %s", e.msg);
	CU_ASSERT_STRING_EQUAL(e.msg, "cannot list: no permission");
}

static void test_prefix(void)
{
	struct err e;

	(void)err_set(&e, ERR_THROTTLED, "slow down");
	e.http_status = 400;
	e.retry_after_ms = 1500;
	snprintf(e.aws_code, sizeof(e.aws_code), "Throttling");
	CU_ASSERT_EQUAL(err_prefix(&e, "account %d", 7), ERR_THROTTLED);
	CU_ASSERT_STRING_EQUAL(e.msg, "account 7: slow down");
	CU_ASSERT_EQUAL(e.http_status, 400);
	CU_ASSERT_EQUAL(e.retry_after_ms, 1500);
	CU_ASSERT(e.retryable);
	CU_ASSERT_STRING_EQUAL(e.aws_code, "Throttling");
}

static void test_names(void)
{
	for (int i = 0; i < ERR_CODE_COUNT; i++) {
		const char *name = err_code_name((enum err_code)i);

		CU_ASSERT_PTR_NOT_NULL_FATAL(name);
		CU_ASSERT_NOT_EQUAL(name[0], '\0');
		for (int j = 0; j < i; j++)
			CU_ASSERT_STRING_NOT_EQUAL(name, err_code_name((enum err_code)j));
	}
	CU_ASSERT_STRING_EQUAL(err_code_name(ERR_NOT_FOUND), "NOT_FOUND");
	CU_ASSERT_STRING_EQUAL(err_code_name((enum err_code)999), "UNKNOWN");
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"set", test_set},
		{"text", test_text},
		{"long", test_long},
		{"set_from_itself", test_set_from_itself},
		{"prefix", test_prefix},
		{"names", test_names},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"err", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
