/* layers: inventory base
 *
 * External ids in trust policies are blanked, and nothing else is. */
#include "inventory/external_ids.h"

#include "support/cunit_main.h"

static void test_blanked(void)
{
	static const struct {
		const char *document, *want;
	} cases[] = {
		{"", ""},
		{"{\"sts:ExternalId\":\"secret\"}", "{\"sts:ExternalId\":\"xxxxxx\"}"},
		{"{\"STS:externalID\" : [\"one\", \"two\"], \"a\":\"b\"}",
			"{\"STS:externalID\" : [\"xxx\", \"xxx\"], \"a\":\"b\"}"},
		{"{\"sts:ExternalId\":[],\"a\":\"b\"}", "{\"sts:ExternalId\":[],\"a\":\"b\"}"},
		{"{\"sts:ExternalId\":\"a\\\"b\",\"c\":\"d\"}", "{\"sts:ExternalId\":\"xxxx\",\"c\":\"d\"}"},
		{"{\"sts:ExternalId\":\"a\",\"x\":{\"sts:ExternalId\":\"b\"}}",
			"{\"sts:ExternalId\":\"x\",\"x\":{\"sts:ExternalId\":\"x\"}}"},
		{"{\"aws:SourceAccount\":\"1\"}", "{\"aws:SourceAccount\":\"1\"}"},
		{"{\"sts:ExternalId\":{\"a\":\"b\"}}",
			"{\"sts:ExternalId\":{\"a\":\"b\"}}"}, /* no policy: nothing to blank */
		{"{\"sts:ExternalId\":\"cut", "{\"sts:ExternalId\":\"xxx"},
		{"{\"sts:ExternalId\":\"cut\\", "{\"sts:ExternalId\":\"xxxx"},
		{"{\"sts:ExternalId\"", "{\"sts:ExternalId\""},
		{"{\"sts:ExternalId\":[\"a\"", "{\"sts:ExternalId\":[\"x\""},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new(0);

		ASSERT_STR(without_external_ids(arena, str_c(cases[i].document)), str_c(cases[i].want),
			cases[i].document);
	}
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"blanked", test_blanked},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"external_ids", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
