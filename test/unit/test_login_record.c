/* layers: syncers inventory proto base
 *
 * What a CloudTrail document says of a login: who, and where to. */
#include "syncers/login_record.h"

#include "base/log.h"
#include "support/cunit_main.h"

#define WHO                                                                                                  \
	"\"onBehalfOf\":{\"userId\":\"u-1\",\"identityStoreArn\":\"arn:aws:identitystore::111111111111:"     \
	"identitystore/d-9\"}"
#define IDENTITY "\"userIdentity\":{\"accountId\":\"999999999999\"," WHO "}"
#define HERE     "\"recipientAccountId\":\"111111111111\""
#define THERE(v) "\"serviceEventDetails\":{\"role_name\":\"Admin\",\"account_id\":" v "}"
#define IS(name) "\"eventName\":\"" name "\""

static void drop_line(void *arg, struct str line)
{
	(void)arg;
	(void)line;
}

static void test_table(void)
{
	static const struct {
		const char *document, *account; /* NULL: no login */
	} cases[] = {
		{"{" IS("Federate") "," IDENTITY "," HERE "," THERE("\"222222222222\"") "}", "222222222222"},
		{"{" IS("Authenticate") "," IDENTITY "," HERE "}", "111111111111"},
		{"{" IS("Federate") "," IDENTITY "," HERE "," THERE("\"\"") "}", "111111111111"},
		{"{" IS("Federate") "," IDENTITY "," HERE "," THERE("222222222222") "}", "111111111111"},
		{"{" IS("Federate") "," IDENTITY "," HERE "," THERE("\"22222222222a\"") "}", "111111111111"},
		{"{" IS("Federate") "," IDENTITY "," HERE ",\"serviceEventDetails\":[]}", "111111111111"},
		/* the identity's own account is not where somebody went */
		{"{" IS("Authenticate") "," IDENTITY "}", NULL},
		{"{" IS("Authenticate") "," IDENTITY ",\"recipientAccountId\":\"12\"}", NULL},
		/* other events */
		{"{" IS("federate") "," IDENTITY "," HERE "}", NULL},
		{"{" IS("ListApplications") "," IDENTITY "," HERE "}", NULL},
		{"{\"eventName\":null," IDENTITY "," HERE "}", NULL},
		{"{" IDENTITY "," HERE "}", NULL},
		/* nobody */
		{"{" IS("Federate") "," HERE "}", NULL},
		{"{" IS("Federate") ",\"userIdentity\":{}," HERE "}", NULL},
		{"{" IS("Federate") ",\"userIdentity\":{\"onBehalfOf\":null}," HERE "}", NULL},
		{"{" IS("Federate") ",\"userIdentity\":{\"onBehalfOf\":{\"userId\":\"\",\"identityStoreArn\":"
				    "\"a/d-9\"}}," HERE "}",
			NULL},
		{"{" IS("Federate") ",\"userIdentity\":{\"onBehalfOf\":{\"userId\":\"u-1\","
				    "\"identityStoreArn\":\"a/\"}}," HERE "}",
			NULL},
		{"{" IS("Federate") ",\"userIdentity\":{\"onBehalfOf\":{\"userId\":\"u-1\","
				    "\"identityStoreArn\":\"d-9\"}}," HERE "}",
			NULL},
		{"{" IS("Federate") ",\"userIdentity\":{\"onBehalfOf\":{\"userId\":\"u-1\"}}," HERE "}",
			NULL},
		{"{" IS("Federate") ",\"userIdentity\":{\"onBehalfOf\":{\"userId\":[\"u-1\"],"
				    "\"identityStoreArn\":\"a/d-9\"}}," HERE "}",
			NULL},
		/* no document */
		{"", NULL},
		{"{not json", NULL},
		{"null", NULL},
		{"[]", NULL},
		{"\"Federate\"", NULL},
		{"{" IS("Federate") "," IDENTITY "," HERE "}}", NULL},
		{"{" IS("Federate") "," IDENTITY "," HERE ",\"x\":\"\xff\"}", NULL},
		{"{" IS("Federate") ",\"userIdentity\":{\"onBehalfOf\":{\"userId\":\"u\\u0000\","
				    "\"identityStoreArn\":\"a/d-9\"}}," HERE "}",
			NULL},
	};
	struct arena *scratch = arena_new(0), *arena = arena_new(0);
	struct login login;

	log_capture(drop_line, NULL);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const bool is = login_parse(str_c(cases[i].document), scratch, arena, &login);

		arena_reset(scratch);
		if (is != (cases[i].account != NULL))
			printf("case %zu\n", i);
		CU_ASSERT_EQUAL(is, cases[i].account != NULL);
		if (!is)
			continue;
		ASSERT_STR(login.account, str_c(cases[i].account), "account");
		ASSERT_STR(login.user_id, STR("u-1"), "user");
		ASSERT_STR(login.store_id, STR("d-9"), "store");
	}
	arena_free(scratch);
	arena_free(arena);
}

/* What cannot become a resource id is no login. */
static void test_long_ids(void)
{
	struct arena *scratch = arena_new(0), *arena = arena_new(0);
	struct login login;

	for (int n = 256; n <= 257; n++) {
		const struct str document = str_fmt(arena,
			"{" IS("Federate") "," HERE ",\"userIdentity\":{\"onBehalfOf\":{\"userId\":\"%0*d\","
					   "\"identityStoreArn\":\"a/b\"}}}",
			n, 1);

		CU_ASSERT_EQUAL(login_parse(document, scratch, arena, &login), n == 256);
	}
	arena_free(scratch);
	arena_free(arena);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"table", test_table},
		{"ids that are too long", test_long_ids},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"login_record", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
