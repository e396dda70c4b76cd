/* layers: base aws
 *
 * Credentials of a container: which hosts may be asked, the token that is sent, and what may be
 * answered. */
#include "aws/credentials.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aws/local_address.h"
#include "base/arena.h"
#include "base/mem.h"
#include "support/cunit_main.h"
#include "support/fake_clock.h"
#include "support/scripted_http.h"

#define NOW_S 1800000000 /* 2027-01-15T08:00:00Z */

static const char good_keys[] = "{\"RoleArn\":\"r\",\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"SECRET\","
				"\"Token\":\"TOKEN\",\"Expiration\":\"2027-01-15T09:00:00Z\"}";

/* ---- an agent ---- */

struct agent {
	struct scripted_answer answer;
	int trouble; /* so many requests are answered 500 */
	int requests;
	char path[200], authorization[100], host[100], accept[100];
};

static struct agent agent;
static struct scripted_http *server;
static struct http *http;
static struct fake_clock fake;
static char token_file[] = "/tmp/test_credentials_container.XXXXXX";
static const struct ctx forever = {.clock = &clock_system, .deadline_ms = CTX_NO_DEADLINE};

static void keep(char *out, size_t size, struct str s)
{
	snprintf(out, size, STR_FMT, STR_ARG(s));
}

static struct scripted_answer serve(void *self, const struct scripted_request *req, struct arena *arena)
{
	struct agent *a = self;

	(void)arena;
	a->requests++;
	keep(a->path, sizeof(a->path), req->path);
	keep(a->authorization, sizeof(a->authorization), scripted_header(req, "Authorization"));
	keep(a->host, sizeof(a->host), scripted_header(req, "Host"));
	keep(a->accept, sizeof(a->accept), scripted_header(req, "Accept"));
	if (a->trouble > 0) {
		a->trouble--;
		return (struct scripted_answer){.status = 500};
	}
	return a->answer;
}

static int set_up(void)
{
	static const char *const through_a_proxy[] = {"HTTP_PROXY=http://127.0.0.1:1", NULL};
	int fd = mkstemp(token_file);
	struct err err;

	if (fd < 0)
		return 1;
	close(fd);
	server = scripted_http_start(serve, &agent);
	return http_new(&(struct http_options){.environ = through_a_proxy}, &http, &err) == ERR_OK ? 0 : 1;
}

static int tear_down(void)
{
	http_free(http);
	scripted_http_stop(server);
	return unlink(token_file);
}

/* The script runs with the server's lock held, which this takes: what it saw can be looked at, and
 * what it will answer changed. */
static void settle(void)
{
	(void)scripted_http_requests(server);
}

static void begin(void)
{
	settle();
	agent = (struct agent){.answer = {.body = {good_keys, sizeof(good_keys) - 1}}};
	fake_clock_init(&fake, NOW_S);
}

static void write_token(const char *text)
{
	FILE *f = fopen(token_file, "w");

	fputs(text, f);
	fclose(f);
}

/* ---- asking ---- */

static struct str fetch(struct arena *a, struct credentials_provider *p)
{
	CLEANUP(aws_credentials_unrefp) struct aws_credentials *c = NULL;
	struct err err;

	if (credentials_fetch(p, &forever, &c, &err) != ERR_OK)
		return str_fmt(a, "%s: %s", err_code_name(err.code), err.msg);
	return str_fmt(a, STR_FMT " " STR_FMT " " STR_FMT " %lld", STR_ARG(c->access_key_id),
		STR_ARG(secret_reveal(c->secret_access_key)), STR_ARG(secret_reveal(c->session_token)),
		(long long)(c->expires_at_s - clock_wall_s(&fake.clock)));
}

/* A provider made of this environment. */
static struct credentials_provider *provider(struct arena *a, const char *const *env)
{
	struct str base = str_fmt(a, "http://127.0.0.1:%u", scripted_http_port(server));
	struct credentials_provider *p = NULL;
	struct err err;

	if (credentials_container_new(
		    &(struct container_options){.http = http, .environ = env, .relative_base = base}, &p,
		    &err) != ERR_OK)
		CU_FAIL_FATAL("no provider");
	return p;
}

static void assert_fetch(struct credentials_provider *p, const char *want, const char *about)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct str got = fetch(a, p);

	settle();
	ASSERT_STR(str_sub(got, 0, strlen(want)), str_c(want), about);
	CU_ASSERT(str_starts(got, STR("AKID")) || !str_contains(got, STR("SECRET")));
	CU_ASSERT_FALSE(str_contains(got, STR("sesame")));
}

/* ---- tests ---- */

static void test_relative(void)
{
	static const char *const env[] = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/credentials/uuid?a=b",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://example.invalid/", NULL};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = provider(a, env);

	begin();
	assert_fetch(p, "AKID SECRET TOKEN 3600", "relative before full");
	ASSERT_STR(str_c(agent.path), STR("/v2/credentials/uuid?a=b"), "path");
	ASSERT_STR(str_c(agent.authorization), STR(""), "no token");
	ASSERT_STR(str_c(agent.accept), STR("application/json"), "accept");
}

static void test_full(void)
{
	static const struct {
		const char *host, *path, *want_path;
	} rows[] = {
		{"127.0.0.1", "/get-credentials", "/get-credentials"},
		{"localhost", "", "/"},
		{"localhost", "?a=b", "/?a=b"},
		{"127.1", "/x", "/x"},
	};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str host = str_fmt(a, "%s:%u", rows[i].host, scripted_http_port(server));
		struct str uri = str_fmt(a, "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://" STR_FMT "%s",
			STR_ARG(host), rows[i].path);
		const char *const env[] = {uri.p, "AWS_CONTAINER_AUTHORIZATION_TOKEN=open sesame", NULL};
		CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = provider(a, env);

		begin();
		assert_fetch(p, "AKID SECRET TOKEN 3600", uri.p);
		ASSERT_STR(str_c(agent.path), str_c(rows[i].want_path), uri.p);
		ASSERT_STR(str_c(agent.host), host, uri.p);
		ASSERT_STR(str_c(agent.authorization), STR("open sesame"), uri.p);
	}
}

static void test_nothing(void)
{
	static const char *const env[] = {"AWS_CONTAINER_AUTHORIZATION_TOKEN=x", NULL};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);

	CU_ASSERT_PTR_NULL(provider(a, env));
	CU_ASSERT_PTR_NULL(provider(a, NULL));
}

/* What is known to be wrong before anything is asked. */
static void test_bad_urls(void)
{
	static const char not_local[] = " is neither this host nor an agent of ECS or EKS";
	static const struct {
		const char *variable, *value, *want; /* NULL: fine */
	} rows[] = {
		{"RELATIVE", "@evil.example/", "does not begin with a slash"},
		{"RELATIVE", "x", "does not begin with a slash"},
		{"RELATIVE", "/a b", "has a character that it cannot have"},
		{"RELATIVE", "/a\r\nX: y", "has a character that it cannot have"},
		{"FULL", "ftp://127.0.0.1/", "is no http or https URL"},
		{"FULL", "127.0.0.1", "is no http or https URL"},
		{"FULL", "http://", "has no valid host and port"},
		{"FULL", "http:///x", "has no valid host and port"},
		{"FULL", "http://127.0.0.1:0/", "has no valid host and port"},
		{"FULL", "http://127.0.0.1:99999/", "has no valid host and port"},
		{"FULL", "http://::1/", "has no valid host and port"},
		{"FULL", "http://me@127.0.0.1/", "has user info"},
		{"FULL", "http://127.0.0.1\\@evil.example/", "has a character that it cannot have"},
		{"FULL", "http://127.0.0.1#@evil.example/", "has a character that it cannot have"},
		{"FULL", "http://169.254.169.254/", not_local},
		{"FULL", "http://169.254.170.3/", not_local},
		{"FULL", "http://10.0.0.1/", not_local},
		{"FULL", "http://0.0.0.0/", not_local},
		{"FULL", "http://[fd00:ec2::24]/", not_local},
		{"FULL", "http://[::ffff:10.0.0.1]/", not_local},
		{"FULL", "http://[::]/", not_local},
		{"FULL", "http://169.254.170.2/", NULL},
		{"FULL", "http://169.254.170.23/v1/credentials", NULL},
		{"FULL", "http://[fd00:ec2::23]:80/v1/credentials", NULL},
		{"FULL", "http://[::1]/", NULL},
		{"FULL", "http://[::ffff:127.0.0.1]/", NULL},
		{"FULL", "http://127.255.255.254/", NULL},
		{"FULL", "https://10.0.0.1/", NULL},
		{"FULL", "https://anywhere.example:8443/x?y", NULL},
		{"FULL", "http://a.name.is.resolved.later.invalid/", NULL},
	};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = NULL;
		struct str v =
			str_fmt(a, "AWS_CONTAINER_CREDENTIALS_%s_URI=%s", rows[i].variable, rows[i].value);
		const char *const env[] = {v.p, NULL};
		struct err err = {.msg = ""};

		ASSERT_I64(credentials_container_new(
				   &(struct container_options){.http = http, .environ = env}, &p, &err),
			rows[i].want ? ERR_INVALID : ERR_OK, v.p);
		if (rows[i].want) {
			CU_ASSERT(str_starts(str_c(err.msg), STR("AWS_CONTAINER_CREDENTIALS_")));
			CU_ASSERT(str_contains(str_c(err.msg), str_c(rows[i].want)));
		}
	}
}

/* Names are looked at when they are resolved. */
static void test_names(void)
{
	static const char *const unknown[] = {"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://nobody.invalid/",
		"AWS_CONTAINER_AUTHORIZATION_TOKEN=sesame", NULL};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = provider(a, unknown);
	struct local_addresses addresses;
	struct err err;

	assert_fetch(p,
		"UNAUTHENTICATED: the container's credential service: cannot resolve the host "
		"'nobody.invalid': ",
		"unknown name");
	CU_ASSERT_EQUAL_FATAL(local_addresses_of(a, STR("localhost"), &addresses, &err), ERR_OK);
	CU_ASSERT(addresses.n > 0);
	for (size_t i = 0; i < addresses.n; i++)
		CU_ASSERT(str_eq(addresses.url_hosts[i], STR("127.0.0.1")) ||
			  str_eq(addresses.url_hosts[i], STR("[::1]")));
	CU_ASSERT_EQUAL(local_addresses_of(a, STR("8.8.8.8"), &addresses, &err), ERR_UNAUTHENTICATED);
}

static void test_token_file(void)
{
	static const struct {
		const char *text, *want, *sent;
	} rows[] = {
		{"first sesame", "AKID", "first sesame"},
		{"second sesame", "AKID", "second sesame"}, /* read anew */
		{"sesame\n", "UNAUTHENTICATED: the container's credential service: the authorization token",
			""},
		{"sesame\r\nX-Evil: y",
			"UNAUTHENTICATED: the container's credential service: the authorization token", ""},
		{"ses\x01"
		 "ame",
			"UNAUTHENTICATED: the container's credential service: the authorization token", ""},
		{"", "UNAUTHENTICATED: the container's credential service: the token file ", ""},
	};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct str file = str_fmt(a, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=%s", token_file);
	const char *const env[] = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/x", file.p,
		"AWS_CONTAINER_AUTHORIZATION_TOKEN=never sent", NULL};
	CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = provider(a, env);
	static char big[20000];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		begin();
		write_token(rows[i].text);
		assert_fetch(p, rows[i].want, rows[i].text);
		ASSERT_STR(str_c(agent.authorization), str_c(rows[i].sent), rows[i].text);
	}
	begin();
	memset(big, 'x', sizeof(big) - 1);
	write_token(big);
	assert_fetch(p, "UNAUTHENTICATED: the container's credential service: the token file ", "too large");
	CU_ASSERT_EQUAL(agent.requests, 0);
}

static void test_no_token_file(void)
{
	static const char *const env[] = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/x",
		"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=/nowhere/token", NULL};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = provider(a, env);

	begin();
	assert_fetch(p,
		"UNAUTHENTICATED: the container's credential service: cannot open the token file "
		"/nowhere/token: "
		"No such file or directory",
		"no file");
	CU_ASSERT_EQUAL(agent.requests, 0);
}

static void test_answers(void)
{
	static const char *const env[] = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/x", NULL};
	static char big[70000];
	static const struct {
		struct scripted_answer answer;
		const char *want;
		int requests;
	} rows[] = {
		{{.status = 401}, "UNAUTHENTICATED: the container's credential service answered HTTP 401", 1},
		{{.status = 403, .body = STR_INIT("{\"code\":\"AccessDenied\",\"message\":\"not you\"}")},
			"UNAUTHENTICATED: the container's credential service answered HTTP 403: "
			"AccessDenied: not you",
			1},
		{{.status = 404}, "UNAUTHENTICATED: the container's credential service answered HTTP 404", 1},
		{{.status = 302, .headers = "Location: http://127.0.0.1:1/\r\n"},
			"UNAUTHENTICATED: the container's credential service answered HTTP 302", 1},
		{{.status = 500}, "UNAVAILABLE: the container's credential service answered HTTP 500", 3},
		{{.status = 429}, "UNAVAILABLE: the container's credential service answered HTTP 429", 3},
		{{.body = STR_INIT("<SECRET/>")},
			"UNAUTHENTICATED: the container's credential service: not JSON: ", 1},
		{{.body = STR_INIT("{}")},
			"UNAUTHENTICATED: the container's credential service gave credentials without", 1},
		{{.body = {big, sizeof(big)}},
			"TOO_LARGE: the container's credential service: 127.0.0.1:", 1},
		{{.body = {good_keys, sizeof(good_keys) - 1}, .manner = SCRIPTED_CUT},
			"UNAVAILABLE: the container's credential service: 127.0.0.1:", 3},
	};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = provider(a, env);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		begin();
		agent.answer = rows[i].answer;
		assert_fetch(p, rows[i].want, rows[i].want);
		ASSERT_I64(agent.requests, rows[i].requests, rows[i].want);
	}
	begin();
	agent.trouble = 1;
	assert_fetch(p, "AKID SECRET TOKEN 3600", "trouble that passes");
}

static void test_renewal(void)
{
	static const char *const env[] = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/x", NULL};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	CLEANUP(credentials_provider_unrefp)
	struct credentials_provider *p = credentials_cache_new(provider(a, env), &fake.clock);

	begin();
	assert_fetch(p, "AKID SECRET TOKEN 3600", "first");
	fake_clock_advance_ms(&fake, 3299 * 1000);
	assert_fetch(p, "AKID SECRET TOKEN 301", "kept");
	CU_ASSERT_EQUAL(agent.requests, 1);
	fake_clock_advance_ms(&fake, 1000);
	agent.answer.body = STR("{\"AccessKeyId\":\"NEW\",\"SecretAccessKey\":\"S\",\"Token\":\"T\","
				"\"Expiration\":\"2027-01-15T10:00:00Z\"}");
	assert_fetch(p, "NEW S T 3900", "renewed 5 minutes early");
	fake_clock_advance_ms(&fake, 3700 * 1000);
	agent.answer = (struct scripted_answer){.status = 404};
	assert_fetch(p, "NEW S T 200", "the old ones while they last");
	fake_clock_advance_ms(&fake, 201 * 1000);
	assert_fetch(p, "UNAUTHENTICATED: the container's credential service answered HTTP 404", "no longer");
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"relative", test_relative},
		{"full", test_full},
		{"nothing", test_nothing},
		{"bad URLs", test_bad_urls},
		{"names", test_names},
		{"token file", test_token_file},
		{"no token file", test_no_token_file},
		{"answers", test_answers},
		{"renewal", test_renewal},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{"credentials container", set_up, tear_down, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
