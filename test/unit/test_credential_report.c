/* layers: inventory base
 *
 * The credential report: columns by name, quoting, dates, damaged rows. */
#include "inventory/credential_report.h"

#include "inventory/iam_account.h"
#include "support/cunit_main.h"

#define HEADER                                                                                               \
	"user,arn,user_creation_time,password_last_used,access_key_1_active,access_key_1_last_rotated,"      \
	"access_key_1_last_used_date,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_"  \
	"date\n"

struct seen {
	struct arena *arena;
	struct str text;
};

static enum err_code note(void *self, const struct credential_report_row *row, struct err *reterr)
{
	struct seen *seen = self;

	(void)reterr;
	seen->text = str_fmt(seen->arena, STR_FMT STR_FMT "|%lld|%d;", STR_ARG(seen->text),
		STR_ARG(row->user_arn),
		row->key_last_used_s == IAM_NO_TIME ? -1LL : (long long)row->key_last_used_s, (int)row->keys);
	return ERR_OK;
}

static const struct {
	const char *what, *csv, *want; /* want NULL: an error */
} cases[] = {
	{"header only", HEADER, ""},
	{"the root user is passed over",
		HEADER "<root_account>,arn:r,d,d,true,d,2024-01-01T00:00:00+00:00,false,N/A,N/A\n", ""},
	{"no key", HEADER "u,arn:u,d,N/A,false,N/A,N/A,false,N/A,N/A\n", "arn:u|-1|0;"},
	{"a key never used", HEADER "u,arn:u,d,N/A,true,2024-01-01T00:00:00+00:00,N/A,false,N/A,N/A",
		"arn:u|-1|1;"},
	{"an inactive key", HEADER "u,arn:u,d,N/A,false,2024-01-01T00:00:00+00:00,N/A,false,N/A,N/A\r\n",
		"arn:u|-1|1;"},
	{"the later of two",
		HEADER "u,arn:u,d,N/A,true,x,1970-01-01T00:01:00+00:00,true,x,1970-01-01T00:00:30Z\n\n",
		"arn:u|60|2;"},
	{"a name with a comma",
		HEADER "\"a,\"\"b\",\"arn:a,\"\"b\",d,N/A,false,N/A,N/A,false,N/A,no_information\n",
		"arn:a,\"b|-1|0;"},
	{"a name with commas, unquoted",
		HEADER "a,,b,arn:x:user/p,q/a,,b,d,N/A,false,N/A,N/A,true,x,1970-01-01T00:00:30Z\r\n",
		"arn:x:user/p,q/a,,b|30|1;"},
	{"unquoted, and not the ARN of that user",
		HEADER "a,b,arn:x:user/a,c,d,N/A,false,N/A,N/A,false,N/A,N/A\n", NULL},
	{"a row cut short", HEADER "u,arn:u,d\n", NULL},
	{"a row too long", HEADER "u,arn:u,d,N/A,false,N/A,N/A,false,N/A,N/A,x\n", NULL},
	{"a column is missing", "user,arn\nu,arn:u\n", NULL},
	{"empty", "", NULL},
};

static void test_cases(void)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena *scratch = arena_new(0);
		struct seen seen = {.arena = arena_new(0), .text = STR_EMPTY};
		struct err e;
		const enum err_code code =
			credential_report_read(str_c(cases[i].csv), scratch, note, &seen, &e);

		ASSERT_I64(code, cases[i].want == NULL ? ERR_PROTOCOL : ERR_OK, cases[i].what);
		if (cases[i].want != NULL)
			ASSERT_STR(seen.text, str_c(cases[i].want), cases[i].what);
		arena_free(scratch);
		arena_free(seen.arena);
	}
}

int main(void)
{
	static CU_TestInfo tests[] = {{"reads rows", test_cases}, CU_TEST_INFO_NULL};
	static CU_SuiteInfo suites[] = {
		{"credential_report", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
