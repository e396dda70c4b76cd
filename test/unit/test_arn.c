/* layers: base
 *
 * Amazon Resource Names (spec/iam.md 3.5). */
#include "base/arn.h"

#include "support/cunit_main.h"

static void test_parse(void)
{
	static const struct {
		const char *text;
		bool ok;
		const char *partition, *service, *region, *account, *resource;
	} cases[] = {
		{"arn:aws:iam::123456789012:user/bob", true, "aws", "iam", "", "123456789012", "user/bob"},
		{"arn:aws-cn:iam::1:role/a:b::c/d", true, "aws-cn", "iam", "", "1", "role/a:b::c/d"},
		{"arn:::::user/x", true, "", "", "", "", "user/x"},
		{"arn:aws:iam::1:", true, "aws", "iam", "", "1", ""},
		{"arn:aws:iam::1", false, NULL, NULL, NULL, NULL, NULL},
		{"arn:", false, NULL, NULL, NULL, NULL, NULL},
		{"arn", false, NULL, NULL, NULL, NULL, NULL},
		{"", false, NULL, NULL, NULL, NULL, NULL},
		{"*", false, NULL, NULL, NULL, NULL, NULL},
		{"ARN:aws:iam::1:user/x", false, NULL, NULL, NULL, NULL, NULL},
		{" arn:aws:iam::1:user/x", false, NULL, NULL, NULL, NULL, NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arn arn;

		CU_ASSERT_EQUAL(arn_parse(str_c(cases[i].text), &arn), cases[i].ok);
		if (!cases[i].ok)
			continue;
		ASSERT_STR(arn.partition, str_c(cases[i].partition), cases[i].text);
		ASSERT_STR(arn.service, str_c(cases[i].service), cases[i].text);
		ASSERT_STR(arn.region, str_c(cases[i].region), cases[i].text);
		ASSERT_STR(arn.account, str_c(cases[i].account), cases[i].text);
		ASSERT_STR(arn.resource, str_c(cases[i].resource), cases[i].text);
	}
}

static void test_account(void)
{
	CU_ASSERT(arn_is_account(STR("123456789012")));
	CU_ASSERT_FALSE(arn_is_account(STR("12345678901")));
	CU_ASSERT_FALSE(arn_is_account(STR("1234567890123")));
	CU_ASSERT_FALSE(arn_is_account(STR("12345678901x")));
	CU_ASSERT_FALSE(arn_is_account(STR("cloudfront12")));
	CU_ASSERT_FALSE(arn_is_account(STR_EMPTY));
}

static void test_last_segment(void)
{
	ASSERT_STR(arn_last_segment(STR("user/a/b/bob")), STR("bob"), "path");
	ASSERT_STR(arn_last_segment(STR("root")), STR("root"), "no path");
	ASSERT_STR(arn_last_segment(STR("user/")), STR("user"), "trailing slash");
	ASSERT_STR(arn_last_segment(STR("//")), STR_EMPTY, "slashes only");
	ASSERT_STR(arn_last_segment(STR_EMPTY), STR_EMPTY, "empty");
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"parses", test_parse},
		{"knows an account", test_account},
		{"takes the last segment", test_last_segment},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"arn", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
