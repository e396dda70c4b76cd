/* layers: base aws
 *
 * The answers in which credentials come: what is accepted, what is refused, and that no message gives
 * anything away. */
#include "aws/credentials_json.h"

#include <string.h>

#include "base/mem.h"
#include "support/cunit_main.h"

#define WITH(...) "{\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"SECRET\"" __VA_ARGS__ "}"
#define TEMPORARY ",\"Token\":\"TOKEN\",\"Expiration\":\"2027-01-15T08:00:00Z\""
#define EXPIRES_S 1800000000
#define NEVER     CREDENTIALS_NEVER_EXPIRE

static const struct credentials_form *const imds = &credentials_form_imds,
					    *const container = &credentials_form_container,
					    *const process = &credentials_form_process;

static void test_good(void)
{
	const struct {
		const struct credentials_form *form;
		const char *text, *token;
		int64_t expires_at_s;
	} rows[] = {
		{imds, WITH(TEMPORARY ",\"Code\":\"Success\",\"Type\":\"AWS-HMAC\""), "TOKEN", EXPIRES_S},
		{imds,
			WITH(",\"Token\":\"TOKEN\",\"Expiration\":\"2027-01-15T09:00:00.5+01:00\",\"Code\":"
			     "\"Success\""),
			"TOKEN", EXPIRES_S},
		{container, WITH(TEMPORARY ",\"RoleArn\":\"r\""), "TOKEN", EXPIRES_S},
		{container, WITH(), "", NEVER},
		{container, "\n " WITH(",\"Token\":\"\",\"Expiration\":null") "\r\n", "", NEVER},
		{process, WITH(",\"Version\":1"), "", NEVER},
		{process,
			WITH(",\"Version\":1,\"SessionToken\":\"T\",\"Expiration\":\"2027-01-15T08:00:00Z\""),
			"T", EXPIRES_S},
		{process, WITH(",\"version\":1,\"sessiontoken\":\"T\",\"Token\":\"other\""), "T", NEVER},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(aws_credentials_unrefp) struct aws_credentials *c = NULL;
		struct err err = {.msg = ""};

		if (credentials_json_parse(rows[i].form, str_c(rows[i].text), &c, &err) != ERR_OK) {
			ASSERT_STR(str_c(err.msg), STR(""), rows[i].text);
			continue;
		}
		ASSERT_STR(c->access_key_id, STR("AKID"), rows[i].text);
		ASSERT_STR(secret_reveal(c->secret_access_key), STR("SECRET"), rows[i].text);
		ASSERT_STR(secret_reveal(c->session_token), str_c(rows[i].token), rows[i].text);
		ASSERT_I64(c->expires_at_s, rows[i].expires_at_s, rows[i].text);
	}
}

static void test_bad(void)
{
	const struct {
		const struct credentials_form *form;
		const char *text, *want;
	} rows[] = {
		{imds, "", "EC2 instance metadata gave nothing"},
		{imds, " \n", "EC2 instance metadata gave nothing"},
		{imds, "<html>SECRET</html>", "EC2 instance metadata: not JSON: "},
		{imds, "[]", "EC2 instance metadata gave JSON that is no object"},
		{imds, "\"SECRET\"", "EC2 instance metadata gave JSON that is no object"},
		{imds, WITH(TEMPORARY), "EC2 instance metadata gave no credentials"},
		{imds,
			"{\"Code\":\"AssumeRoleUnauthorizedAccess\",\"Message\":\"EC2 cannot assume the "
			"role\"}",
			"EC2 instance metadata gave no credentials: AssumeRoleUnauthorizedAccess: EC2 cannot "
			"assume the role"},
		{imds, WITH(",\"Code\":\"Success\",\"Token\":\"TOKEN\""),
			"EC2 instance metadata gave credentials without a valid Expiration"},
		{imds, WITH(",\"Code\":\"Success\",\"Expiration\":\"2027-01-15T08:00:00Z\""),
			"EC2 instance metadata gave credentials without a valid session token"},
		{container, "{\"code\":\"x\"}",
			"the container's credential service gave credentials without a valid AccessKeyId"},
		{container, WITH(",\"Expiration\":\"tomorrow\""),
			"the container's credential service gave credentials without a valid Expiration"},
		{container, WITH(",\"Expiration\":1800000000"),
			"the container's credential service gave credentials without a valid Expiration"},
		{container, WITH(",\"Token\":\"a\\r\\nHost: evil\""),
			"the container's credential service gave credentials without a valid session token"},
		{container, "{\"AccessKeyId\":\"A B\",\"SecretAccessKey\":\"SECRET\"}",
			"the container's credential service gave credentials without a valid AccessKeyId"},
		{container, "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"\"}",
			"the container's credential service gave credentials without a valid "
			"SecretAccessKey"},
		{container, "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":[\"SECRET\"]}",
			"the container's credential service gave credentials without a valid "
			"SecretAccessKey"},
		{process, WITH(), "credential_process gave a Version other than 1"},
		{process, WITH(",\"Version\":2"), "credential_process gave a Version other than 1"},
		{process, WITH(",\"Version\":\"1\""), "credential_process gave a Version other than 1"},
		{process, WITH(",\"Version\":1") "{}", "credential_process: not JSON: "},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct aws_credentials *c = NULL;
		struct err err = {.msg = ""};

		ASSERT_I64(credentials_json_parse(rows[i].form, str_c(rows[i].text), &c, &err),
			ERR_UNAUTHENTICATED, rows[i].text);
		ASSERT_STR(
			str_sub(str_c(err.msg), 0, strlen(rows[i].want)), str_c(rows[i].want), rows[i].text);
		CU_ASSERT_FALSE(str_contains(str_c(err.msg), STR("SECRET")));
		CU_ASSERT_PTR_NULL(c);
	}
}

/* {"AccessKeyId": n times x, ...} */
static struct str with_long_key(struct arena *a, size_t n)
{
	char *key = arena_alloc(a, n);

	memset(key, 'x', n);
	return str_fmt(
		a, "{\"AccessKeyId\":\"" STR_FMT "\",\"SecretAccessKey\":\"s\"}", STR_ARG(str_n(key, n)));
}

static void test_limits(void)
{
	static const struct {
		size_t n;
		enum err_code want;
	} rows[] = {
		{128, ERR_OK}, {129, ERR_UNAUTHENTICATED}, {CREDENTIALS_JSON_MAX_BYTES, ERR_UNAUTHENTICATED}};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(aws_credentials_unrefp) struct aws_credentials *c = NULL;
		struct err err;

		ASSERT_I64(credentials_json_parse(container, with_long_key(a, rows[i].n), &c, &err),
			rows[i].want, "length");
	}
}

static void test_complaint(void)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"{\"code\":\"AccessDenied\",\"message\":\"no\"}", "AccessDenied: no"},
		{"{\"Message\":\"no\"}", "no"},
		{"{}", ""},
		{"[1]", ""},
		{"oops", ""},
	};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ASSERT_STR(credentials_json_complaint(a, str_c(rows[i].text)), str_c(rows[i].want),
			rows[i].text);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"good", test_good},
		{"bad", test_bad},
		{"limits", test_limits},
		{"complaint", test_complaint},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{"credentials json", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
