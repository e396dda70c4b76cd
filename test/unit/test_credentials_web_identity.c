/* layers: base aws
 *
 * Web identity: the token file, read anew each time, and what STS says to it. STS is a function of
 * this file. */
#include "aws/credentials.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/mem.h"
#include "support/cunit_main.h"
#include "support/fake_clock.h"

#define NOW_S 1800000000

static struct fake_clock fake;
static struct ctx ctx;
static char token_file[] = "/tmp/test_credentials_web_identity.XXXXXX";

/* ---- an STS ---- */

struct fake_sts {
	int calls;
	int fail_first; /* so many calls fail */
	enum err_code fail;
	const char *aws_code;
	const char *new_token; /* appears in the file when a call failed; NULL: nothing changes */
	char token[200], role[100], session[40];
};

static struct fake_sts sts;

static void write_token(const char *text)
{
	FILE *f = fopen(token_file, "w");

	fputs(text, f);
	fclose(f);
}

static enum err_code web_identity(void *self, const struct ctx *call_ctx,
	const struct web_identity_request *req, struct aws_credentials **ret_credentials, struct err *reterr)
{
	struct fake_sts *s = self;
	char key[32];

	(void)call_ctx;
	s->calls++;
	snprintf(s->token, sizeof(s->token), STR_FMT, STR_ARG(str_sub(req->token, 0, 150)));
	snprintf(s->role, sizeof(s->role), STR_FMT, STR_ARG(req->role_arn));
	snprintf(s->session, sizeof(s->session), STR_FMT, STR_ARG(req->session_name));
	if (s->calls <= s->fail_first) {
		if (s->new_token)
			write_token(s->new_token);
		err_set(reterr, s->fail, "sts:AssumeRoleWithWebIdentity: %s", s->aws_code);
		snprintf(reterr->aws_code, sizeof(reterr->aws_code), "%s", s->aws_code);
		return s->fail;
	}
	snprintf(key, sizeof(key), "ASIA%d", s->calls);
	*ret_credentials = aws_credentials_new(
		str_c(key), secret_new(STR("s")), secret_new(STR("t")), clock_wall_s(&fake.clock) + 3600);
	return ERR_OK;
}

static int set_up(void)
{
	int fd = mkstemp(token_file);

	if (fd < 0)
		return 1;
	close(fd);
	return 0;
}

static int tear_down(void)
{
	return unlink(token_file);
}

static void begin(const char *token)
{
	sts = (struct fake_sts){.aws_code = ""};
	fake_clock_init(&fake, NOW_S);
	fake.auto_step_ms = 100; /* nobody else moves the time while a pause is slept */
	ctx = (struct ctx){.clock = &fake.clock, .deadline_ms = CTX_NO_DEADLINE};
	write_token(token);
}

static struct credentials_provider *provider(const char *session_name)
{
	struct credentials_provider *p = NULL;
	struct err err;

	if (credentials_web_identity_new(
		    &(struct web_identity_options){
			    .role_arn = STR("arn:aws-cn:iam::123456789012:role/x"),
			    .session_name = str_c(session_name),
			    .token_file = str_c(token_file),
			    .sts = {.web_identity = web_identity, .self = &sts},
		    },
		    &p, &err) != ERR_OK)
		CU_FAIL_FATAL("no provider");
	return p;
}

static struct str fetch(struct arena *a, struct credentials_provider *p)
{
	CLEANUP(aws_credentials_unrefp) struct aws_credentials *c = NULL;
	struct err err;

	if (credentials_fetch(p, &ctx, &c, &err) != ERR_OK)
		return str_fmt(a, "%s: %s", err_code_name(err.code), err.msg);
	return str_dup(a, c->access_key_id);
}

static void assert_fetch(struct credentials_provider *p, const char *want, const char *about)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct str got = fetch(a, p);

	ASSERT_STR(str_sub(got, 0, strlen(want)), str_c(want), about);
	CU_ASSERT_FALSE(str_contains(got, STR("eyJ")));
}

#define CANNOT                                                                                               \
	"UNAUTHENTICATED: cannot assume role 'arn:aws-cn:iam::123456789012:role/x' with the web identity "   \
	"token: "

/* ---- tests ---- */

static void test_works(void)
{
	CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = provider("");
	CLEANUP(credentials_provider_unrefp) struct credentials_provider *named = provider("me");

	begin("eyJ.first.x\n");
	assert_fetch(p, "ASIA1", "first");
	ASSERT_STR(str_c(sts.token), STR("eyJ.first.x"), "without the new line");
	ASSERT_STR(str_c(sts.role), STR("arn:aws-cn:iam::123456789012:role/x"), "role");
	ASSERT_STR(str_c(sts.session), STR("baton-awsd"), "session");
	write_token("eyJ.second.x");
	assert_fetch(named, "ASIA2", "second");
	ASSERT_STR(str_c(sts.token), STR("eyJ.second.x"), "read anew");
	ASSERT_STR(str_c(sts.session), STR("me"), "session");
}

static void test_renewal(void)
{
	CLEANUP(credentials_provider_unrefp)
	struct credentials_provider *p = credentials_cache_new(provider(""), &fake.clock);

	begin("eyJ.first.x");
	assert_fetch(p, "ASIA1", "first");
	fake_clock_advance_ms(&fake, 3200 * 1000);
	assert_fetch(p, "ASIA1", "kept");
	fake_clock_advance_ms(&fake, 100 * 1000);
	write_token("eyJ.second.x");
	assert_fetch(p, "ASIA2", "renewed 5 minutes early");
	ASSERT_STR(str_c(sts.token), STR("eyJ.second.x"), "with the new token");
}

static void test_refusals(void)
{
	static const struct {
		enum err_code fail;
		const char *aws_code, *want;
		int calls;
	} rows[] = {
		{ERR_UNAUTHENTICATED, "InvalidIdentityToken",
			CANNOT "sts:AssumeRoleWithWebIdentity: InvalidIdentityToken", 3},
		{ERR_UNAUTHENTICATED, "ExpiredTokenException",
			CANNOT "sts:AssumeRoleWithWebIdentity: Expired", 1},
		{ERR_DENIED, "AccessDenied", CANNOT "sts:AssumeRoleWithWebIdentity: AccessDenied", 1},
		{ERR_INVALID, "ValidationError", CANNOT "sts:AssumeRoleWithWebIdentity: ValidationError", 1},
		{ERR_UNAVAILABLE, "IDPCommunicationError", "UNAVAILABLE: cannot assume role", 1},
		{ERR_DEADLINE, "", "DEADLINE: sts:", 1},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = provider("");

		begin("eyJ.x.x");
		sts.fail_first = 100;
		sts.fail = rows[i].fail;
		sts.aws_code = rows[i].aws_code;
		assert_fetch(p, rows[i].want, rows[i].aws_code);
		ASSERT_I64(sts.calls, rows[i].calls, rows[i].aws_code);
	}
}

/* The provider's new key was not known yet; and the file holds a newer token by now. */
static void test_invalid_for_a_moment(void)
{
	CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = provider("");

	begin("eyJ.early.x");
	sts.fail_first = 2;
	sts.fail = ERR_UNAUTHENTICATED;
	sts.aws_code = "InvalidIdentityToken";
	sts.new_token = "eyJ.late.x";
	assert_fetch(p, "ASIA3", "third time lucky");
	ASSERT_STR(str_c(sts.token), STR("eyJ.late.x"), "read anew");
}

static void test_cancelled(void)
{
	CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = provider("");

	begin("eyJ.x.x");
	sts.fail_first = 100;
	sts.fail = ERR_UNAUTHENTICATED;
	sts.aws_code = "InvalidIdentityToken";
	ctx.deadline_ms = clock_mono_ms(&fake.clock) + 500;
	assert_fetch(p, "DEADLINE: ", "within the pause");
	CU_ASSERT_EQUAL(sts.calls, 1);
}

static void test_bad_files(void)
{
	static char big[20010];
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"", CANNOT "the token file /tmp/"},
		{"\n", CANNOT "the web identity token file /tmp/"},
		{"eyJ.x.x eyJ.y.y", CANNOT "the web identity token file /tmp/"},
		{"eyJ.\x01.x", CANNOT "the web identity token file /tmp/"},
		{"eyJ.\xc3\xa4.x", CANNOT "the web identity token file /tmp/"},
		{big, CANNOT "the token file /tmp/"},
	};
	CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = provider("");

	memset(big, 'x', sizeof(big) - 1);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		begin(rows[i].text);
		assert_fetch(p, rows[i].want, rows[i].want);
		CU_ASSERT_EQUAL(sts.calls, 0);
	}
	big[20000] = '\0'; /* as long as STS takes */
	begin(big);
	assert_fetch(p, "ASIA1", "just fits");
}

static void test_no_role(void)
{
	struct credentials_provider *p = NULL;
	struct err err;

	CU_ASSERT_EQUAL(credentials_web_identity_new(
				&(struct web_identity_options){.token_file = str_c(token_file)}, &p, &err),
		ERR_INVALID);
	CU_ASSERT(str_contains(str_c(err.msg), STR("role ARN is not set")));
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"works", test_works},
		{"renewal", test_renewal},
		{"refusals", test_refusals},
		{"invalid for a moment", test_invalid_for_a_moment},
		{"cancelled", test_cancelled},
		{"bad files", test_bad_files},
		{"no role", test_no_role},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{"credentials web identity", set_up, tear_down, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
