/* layers: aws base
 *
 * What environment, files and role ARNs make of a session: regions and partitions, and the sources of
 * credentials that need STS. The server stands for all of AWS. */
#include "aws/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aws/iam.h"
#include "base/mem.h"
#include "support/cunit_main.h"
#include "support/scripted_http.h"

#define ASSUMED(op, key)                                                                                     \
	"<" op "Response><" op "Result><Credentials><AccessKeyId>" key "</AccessKeyId>"                      \
	"<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"                                 \
	"<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></" op "Result></" op "Response>"

enum { MAX_REQUESTS = 8 };

struct request {
	char authorization[200], body[400];
};

static struct request requests[MAX_REQUESTS];
static size_t n_requests;
static struct scripted_http *server;
static char endpoint[80];
static char config_file[] = "/tmp/test_session_sources.XXXXXX";
static char config_setting[64];
static const struct ctx forever = {.clock = &clock_system, .deadline_ms = CTX_NO_DEADLINE};

static struct scripted_answer serve(void *self, const struct scripted_request *req, struct arena *arena)
{
	static const struct scripted_answer
		identity = {.body = STR_INIT("<GetCallerIdentityResponse><GetCallerIdentityResult>"
					     "<Arn>arn:aws-cn:iam::123456789012:user/x</Arn>"
					     "<UserId>u</UserId><Account>123456789012</Account>"
					     "</GetCallerIdentityResult></GetCallerIdentityResponse>")},
		hop = {.body = STR_INIT(ASSUMED("AssumeRole", "HOP"))},
		web = {.body = STR_INIT(ASSUMED("AssumeRoleWithWebIdentity", "WEB"))},
		users = {.body = STR_INIT("<ListUsersResponse><ListUsersResult/></ListUsersResponse>")};

	(void)self;
	(void)arena;
	if (n_requests < MAX_REQUESTS) {
		struct request *r = &requests[n_requests++];

		snprintf(r->authorization, sizeof(r->authorization), STR_FMT,
			STR_ARG(scripted_header(req, "Authorization")));
		snprintf(r->body, sizeof(r->body), STR_FMT, STR_ARG(req->body));
	}
	if (str_contains(req->body, STR("Action=GetCallerIdentity")))
		return identity;
	if (str_contains(req->body, STR("Action=AssumeRoleWithWebIdentity&")))
		return web;
	return str_contains(req->body, STR("Action=AssumeRole&")) ? hop : users;
}

static int set_up(void)
{
	int fd = mkstemp(config_file);

	if (fd < 0)
		return 1;
	close(fd);
	server = scripted_http_start(serve, NULL);
	snprintf(endpoint, sizeof(endpoint), "AWS_ENDPOINT_URL=http://127.0.0.1:%d",
		scripted_http_port(server));
	snprintf(config_setting, sizeof(config_setting), "AWS_CONFIG_FILE=%s", config_file);
	return 0;
}

static int tear_down(void)
{
	scripted_http_stop(server);
	return unlink(config_file);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	fputs(text, f);
	fclose(f);
}

/* ---- asking ---- */

enum { MAX_ENV = 6 };

/* The settings of a test, with what all of them have. */
static struct aws_session *open_session(
	const struct aws_session_options *more, const char *const env[MAX_ENV])
{
	const char *all[MAX_ENV + 3] = {endpoint, config_setting};
	struct aws_session_options o = *more;
	struct aws_session *s = NULL;
	struct err err;

	(void)scripted_http_requests(server); /* the script runs under the lock that this takes */
	n_requests = 0;
	for (size_t i = 0; i < MAX_ENV && env[i]; i++)
		all[i + 2] = env[i];
	o.environ = all;
	o.clock = &clock_system;
	if (aws_session_new(&o, &s, &err) != ERR_OK) {
		fprintf(stderr, "%s\n", err.msg);
		CU_FAIL_FATAL("no session");
	}
	return s;
}

static enum err_code list_users(struct aws_session *s, struct arena *a, struct err *reterr)
{
	CLEANUP(aws_client_unrefp) struct aws_client *c = NULL;
	struct aws_iam_list_users_out out;
	enum err_code rc = aws_session_client(s, &forever, &aws_iam, STR_EMPTY, &c, reterr);

	if (rc != ERR_OK)
		return rc;
	rc = aws_call(c, &forever, &aws_iam_list_users, NULL, a, &out, reterr);
	(void)scripted_http_requests(server);
	return rc;
}

/* "KEY/region/service" of a request, "" when it is not signed. */
static struct str signer(struct arena *a, size_t i)
{
	struct str rest = str_c(requests[i].authorization), key, region, service;
	ptrdiff_t at = str_find(rest, STR("Credential="));

	if (i >= n_requests || at < 0)
		return STR_EMPTY;
	rest = str_from(rest, (size_t)at + strlen("Credential="));
	key = str_cut(&rest, '/');
	(void)str_cut(&rest, '/'); /* date */
	region = str_cut(&rest, '/');
	service = str_cut(&rest, '/');
	return str_fmt(a, STR_FMT "/" STR_FMT "/" STR_FMT, STR_ARG(key), STR_ARG(region), STR_ARG(service));
}

/* ---- regions and partitions (spec/config.md 4.3) ---- */

#define KEYS "AWS_ACCESS_KEY_ID=BASE", "AWS_SECRET_ACCESS_KEY=s"

static const struct region_case {
	const char *about, *region, *config, *env[MAX_ENV];
	const char *role_arn; /* NULL: no use-assume */
	const char *sts_region, *iam_region;
} region_cases[] = {
	{"global-region first", "eu-west-1", "[default]\nregion=eu-west-4\n",
		{KEYS, "AWS_REGION=eu-west-2", "AWS_DEFAULT_REGION=eu-west-3"}, NULL, "eu-west-1",
		"us-east-1"},
	{"AWS_REGION", "", "[default]\nregion=eu-west-4\n",
		{KEYS, "AWS_REGION=eu-west-2", "AWS_DEFAULT_REGION=eu-west-3"}, NULL, "eu-west-2",
		"us-east-1"},
	{"AWS_DEFAULT_REGION", "", "[default]\nregion=eu-west-4\n", {KEYS, "AWS_DEFAULT_REGION=eu-west-3"},
		NULL, "eu-west-3", "us-east-1"},
	{"profile", "", "[default]\nregion=eu-west-4\n", {KEYS}, NULL, "eu-west-4", "us-east-1"},
	{"another profile", "", "[default]\nregion=eu-west-4\n[profile x]\nregion=eu-west-5\n",
		{KEYS, "AWS_PROFILE=x"}, NULL, "eu-west-5", "us-east-1"},
	{"home", "", "", {KEYS}, NULL, "us-east-1", "us-east-1"},
	{"China", "cn-northwest-1", "", {KEYS}, NULL, "cn-northwest-1", "cn-north-1"},
	{"GovCloud", "us-gov-east-1", "", {KEYS}, NULL, "us-gov-east-1", "us-gov-west-1"},
	{"role", "eu-west-1", "", {KEYS}, "arn:aws:iam::123456789012:role/x", "eu-west-1", "us-east-1"},
	{"role in China, home", "", "", {KEYS}, "arn:aws-cn:iam::123456789012:role/x", "cn-north-1",
		"cn-north-1"},
	{"role in GovCloud, home", "", "", {KEYS}, "arn:aws-us-gov:iam::123456789012:role/x", "us-gov-west-1",
		"us-gov-west-1"},
	{"role in the European Sovereign Cloud, home", "", "", {KEYS},
		"arn:aws-eusc:iam::123456789012:role/x", "eusc-de-east-1", "eusc-de-east-1"},
	{"role in China, region told", "cn-northwest-1", "", {KEYS}, "arn:aws-cn:iam::123456789012:role/x",
		"cn-northwest-1", "cn-north-1"},
	{"role of the profile in GovCloud, home", "",
		"[default]\nrole_arn=arn:aws-us-gov:iam::1:role/x\ncredential_source=Environment\n", {KEYS},
		NULL, "us-gov-west-1", "us-gov-west-1"},
	{"AWS_ROLE_ARN in China, home", "", "", {KEYS, "AWS_ROLE_ARN=arn:aws-cn:iam::1:role/x"}, NULL,
		"cn-north-1", "cn-north-1"},
};

static void test_regions(void)
{
	for (size_t i = 0; i < ARRAY_LEN(region_cases); i++) {
		const struct region_case *t = &region_cases[i];
		struct aws_session_options o = {.region = str_c(t->region),
			.use_assume = t->role_arn != NULL,
			.role_arn = str_c(t->role_arn)};
		CLEANUP(arena_freep) struct arena *a = arena_new(0);
		const char *iam_key = t->role_arn ? "HOP" : "BASE";
		struct aws_identity id;
		struct aws_session *s;
		struct err err;
		size_t at = t->role_arn ? 1 : 0; /* AssumeRole comes first */

		write_file(config_file, t->config);
		s = open_session(&o, t->env);
		CU_ASSERT_EQUAL(aws_session_identity(s, &forever, false, a, &id, &err), ERR_OK);
		CU_ASSERT_EQUAL(list_users(s, a, &err), ERR_OK);
		ASSERT_STR(signer(a, 0), str_fmt(a, "BASE/%s/sts", t->sts_region), t->about);
		ASSERT_STR(signer(a, at), str_fmt(a, "%s/%s/sts", iam_key, t->sts_region), t->about);
		ASSERT_STR(signer(a, at + 1), str_fmt(a, "%s/%s/iam", iam_key, t->iam_region), t->about);
		aws_session_free(s);
	}
	write_file(config_file, "");
}

/* ---- web identity ---- */

static void assert_web_identity(const char *const env[MAX_ENV], const char *session_name)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct aws_session *s = open_session(&(struct aws_session_options){.region = STR("eu-west-1")}, env);
	struct str body = str_c(requests[0].body);
	struct err err;

	CU_ASSERT_EQUAL(list_users(s, a, &err), ERR_OK);
	CU_ASSERT_EQUAL(n_requests, 2);
	ASSERT_STR(signer(a, 0), STR(""), "asked without a signature");
	CU_ASSERT_EQUAL(requests[0].authorization[0], '\0');
	body = str_c(requests[0].body);
	CU_ASSERT(str_contains(body, STR("Action=AssumeRoleWithWebIdentity&")));
	CU_ASSERT(str_contains(body, STR("RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fx")));
	CU_ASSERT(str_contains(body, str_fmt(a, "RoleSessionName=%s&", session_name)));
	CU_ASSERT(str_contains(body, STR("WebIdentityToken=eyJ.x.y")));
	CU_ASSERT_FALSE(str_contains(body, STR("DurationSeconds")));
	ASSERT_STR(signer(a, 1), STR("WEB/us-east-1/iam"), "and signed with what came");
	aws_session_free(s);
}

static void test_web_identity(void)
{
	char token_file[] = "/tmp/test_session_sources_token.XXXXXX", setting[100], config[300];
	int fd = mkstemp(token_file);

	CU_ASSERT_FATAL(fd >= 0);
	close(fd);
	write_file(token_file, "eyJ.x.y\n");
	snprintf(setting, sizeof(setting), "AWS_WEB_IDENTITY_TOKEN_FILE=%s", token_file);
	assert_web_identity(
		(const char *const[MAX_ENV]){setting, "AWS_ROLE_ARN=arn:aws:iam::123456789012:role/x"},
		"baton-awsd");
	assert_web_identity(
		(const char *const[MAX_ENV]){
			setting, "AWS_ROLE_ARN=arn:aws:iam::123456789012:role/x", "AWS_ROLE_SESSION_NAME=me"},
		"me");
	snprintf(config, sizeof(config),
		"[default]\nweb_identity_token_file=%s\nrole_session_name=profile\n"
		"role_arn=arn:aws:iam::123456789012:role/x\n",
		token_file);
	write_file(config_file, config);
	assert_web_identity((const char *const[MAX_ENV]){NULL}, "profile");
	write_file(config_file, "");
	unlink(token_file);
}

/* A role of the connector over what the chain found. */
static void test_role_over_web_identity(void)
{
	char token_file[] = "/tmp/test_session_sources_token.XXXXXX", setting[100];
	const char *const env[MAX_ENV] = {setting, "AWS_ROLE_ARN=arn:aws:iam::1:role/x"};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	int fd = mkstemp(token_file);
	struct aws_session *s;
	struct err err;

	CU_ASSERT_FATAL(fd >= 0);
	close(fd);
	write_file(token_file, "eyJ.x.y");
	snprintf(setting, sizeof(setting), "AWS_WEB_IDENTITY_TOKEN_FILE=%s", token_file);
	s = open_session(
		&(struct aws_session_options){.use_assume = true, .role_arn = STR("arn:aws:iam::1:role/r")},
		env);
	CU_ASSERT_EQUAL(list_users(s, a, &err), ERR_OK);
	CU_ASSERT_EQUAL(list_users(s, a, &err), ERR_OK);
	CU_ASSERT_EQUAL(n_requests, 4); /* each credential was fetched once */
	ASSERT_STR(signer(a, 1), STR("WEB/us-east-1/sts"), "the hop");
	ASSERT_STR(signer(a, 3), STR("HOP/us-east-1/iam"), "the call");
	aws_session_free(s);
	unlink(token_file);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"regions", test_regions},
		{"web identity", test_web_identity},
		{"role over web identity", test_role_over_web_identity},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{"session sources", set_up, tear_down, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
