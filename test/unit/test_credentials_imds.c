/* layers: base aws
 *
 * EC2 instance metadata: tokens, version 1, silence, and credentials that are used longer than they
 * say. The service is a script. */
#include "aws/credentials.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/mem.h"
#include "support/cunit_main.h"
#include "support/fake_clock.h"
#include "support/scripted_http.h"

#define NOW_S      1800000000 /* 2027-01-15T08:00:00Z */
#define TOKEN_PATH "/latest/api/token"
#define ROLE_PATH  "/latest/meta-data/iam/security-credentials/"

/* ---- a metadata service ---- */

struct service {
	/* Its answers. status 0: 200. */
	struct scripted_answer token, role, keys;
	int refuse_tokens; /* so many GETs are answered 401 */
	bool wants_token;  /* GETs without one are answered 401 */
	int trouble;       /* so many requests are answered 500 */

	/* What it saw. */
	int puts, gets, with_token, bad_puts;
	char role_path[128];
};

static struct service svc;
static struct scripted_http *server;
static struct http *http;
static struct fake_clock fake;
static const struct ctx forever = {.clock = &clock_system, .deadline_ms = CTX_NO_DEADLINE};
static const struct scripted_answer status_401 = {.status = 401}, status_500 = {.status = 500};

static const char good_keys[] =
	"{\"Code\":\"Success\",\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"SECRET\",\"Token\":\"TOKEN\","
	"\"Expiration\":\"2027-01-15T08:30:00Z\"}";

static struct scripted_answer answer_put(struct service *s, const struct scripted_request *req)
{
	s->puts++;
	if (!str_eq(req->path, STR(TOKEN_PATH)) ||
		!str_eq(scripted_header(req, "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"), STR("300")))
		s->bad_puts++;
	return s->token;
}

static struct scripted_answer answer_get(struct service *s, const struct scripted_request *req)
{
	struct str token = scripted_header(req, "X-Aws-Ec2-Metadata-Token");

	s->gets++;
	s->with_token += str_eq(token, STR("metadata-token"));
	if (s->refuse_tokens > 0 || (s->wants_token && token.n == 0)) {
		s->refuse_tokens--;
		return status_401;
	}
	if (str_eq(req->path, STR(ROLE_PATH)))
		return s->role;
	snprintf(s->role_path, sizeof(s->role_path), STR_FMT, STR_ARG(req->path));
	return s->keys;
}

static struct scripted_answer serve(void *self, const struct scripted_request *req, struct arena *arena)
{
	struct service *s = self;

	(void)arena;
	if (s->trouble > 0) {
		s->trouble--;
		return status_500;
	}
	return str_eq(req->method, STR("PUT")) ? answer_put(s, req) : answer_get(s, req);
}

static double a_quarter(void *self)
{
	(void)self;
	return 0.25;
}

static int set_up(void)
{
	static const char *const through_a_proxy[] = {
		"HTTP_PROXY=http://127.0.0.1:1", "http_proxy=http://127.0.0.1:1", NULL};
	struct err err;

	server = scripted_http_start(serve, &svc);
	return http_new(&(struct http_options){.environ = through_a_proxy}, &http, &err) == ERR_OK ? 0 : 1;
}

static int tear_down(void)
{
	http_free(http);
	scripted_http_stop(server);
	return 0;
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
	svc = (struct service){
		.token = {.body = STR_INIT("metadata-token")},
		.role = {.body = STR_INIT("web+server@x\nsecond-role\n")},
		.keys = {.body = {good_keys, sizeof(good_keys) - 1}},
	};
	fake_clock_init(&fake, NOW_S);
}

/* ---- asking ---- */

static struct credentials_provider *provider(bool v1_disabled)
{
	struct credentials_provider *p = NULL;
	char url[64];
	struct err err;

	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", scripted_http_port(server));
	if (credentials_imds_new(
		    &(struct imds_options){
			    .http = http,
			    .clock = &fake.clock,
			    .random = {.next = a_quarter},
			    .endpoint = str_c(url),
			    .v1_disabled = v1_disabled,
		    },
		    &p, &err) != ERR_OK)
		CU_FAIL_FATAL("no provider");
	return p;
}

/* "AKID SECRET TOKEN seconds-left", or the error. */
static struct str fetch_with(struct arena *a, struct credentials_provider *p, const struct ctx *ctx)
{
	CLEANUP(aws_credentials_unrefp) struct aws_credentials *c = NULL;
	struct err err;

	if (credentials_fetch(p, ctx, &c, &err) != ERR_OK)
		return str_fmt(a, "%s: %s", err_code_name(err.code), err.msg);
	return str_fmt(a, STR_FMT " " STR_FMT " " STR_FMT " %lld", STR_ARG(c->access_key_id),
		STR_ARG(secret_reveal(c->secret_access_key)), STR_ARG(secret_reveal(c->session_token)),
		(long long)(c->expires_at_s - clock_wall_s(&fake.clock)));
}

static struct str fetch(struct arena *a, struct credentials_provider *p)
{
	return fetch_with(a, p, &forever);
}

static void assert_fetch(struct credentials_provider *p, const char *want, const char *about)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct str got = fetch(a, p);

	settle();
	ASSERT_STR(str_sub(got, 0, strlen(want)), str_c(want), about);
	CU_ASSERT(str_starts(got, STR("AKID")) || !str_contains(got, STR("SECRET")));
}

/* ---- tests ---- */

static void test_version_2(void)
{
	CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = provider(true);

	begin();
	assert_fetch(p, "AKID SECRET TOKEN 1800", "version 2");
	CU_ASSERT_EQUAL(svc.puts, 1);
	CU_ASSERT_EQUAL(svc.bad_puts, 0);
	CU_ASSERT_EQUAL(svc.gets, 2);
	CU_ASSERT_EQUAL(svc.with_token, 2);
	ASSERT_STR(str_c(svc.role_path), STR(ROLE_PATH "web+server@x"), "first line");
}

static void test_expiry(void)
{
	static const struct {
		const char *expiration, *want;
	} rows[] = {
		{"2027-01-15T08:59:59Z", "AKID SECRET TOKEN 3599"},
		{"2027-01-15T14:00:00Z", "AKID SECRET TOKEN 3600"}, /* at most an hour */
		{"2027-01-15T08:00:00Z", "AKID SECRET TOKEN 450"},  /* over: 300 s and a quarter of 600 */
		{"2020-01-01T00:00:00Z", "AKID SECRET TOKEN 450"},
		{"soon",
			"UNAUTHENTICATED: EC2 instance metadata gave credentials without a valid Expiration"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = provider(false);
		char keys[300];

		begin();
		snprintf(keys, sizeof(keys),
			"{\"Code\":\"Success\",\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"SECRET\","
			"\"Token\":\"TOKEN\",\"Expiration\":\"%s\"}",
			rows[i].expiration);
		svc.keys.body = str_c(keys);
		assert_fetch(p, rows[i].want, rows[i].expiration);
	}
}

static void test_token_answers(void)
{
	static const char v1[] = "AKID SECRET TOKEN 1800";
	static const struct {
		struct scripted_answer token;
		const char *want, *want_without_v1;
		int gets_with_token;
	} rows[] = {
		{{.status = 403}, v1, "UNAUTHENTICATED: EC2 instance metadata at http://127.0.0.1:", 0},
		{{.status = 404}, v1, "UNAUTHENTICATED: EC2 instance metadata at http://127.0.0.1:", 0},
		{{.status = 405}, v1, "UNAUTHENTICATED: EC2 instance metadata at http://127.0.0.1:", 0},
		{{.manner = SCRIPTED_CLOSE}, v1,
			"UNAUTHENTICATED: EC2 instance metadata at http://127.0.0.1:", 0},
		{{.status = 400}, "UNAUTHENTICATED: EC2", "UNAUTHENTICATED: EC2", 0},
		{{.status = 401}, "UNAUTHENTICATED: EC2", "UNAUTHENTICATED: EC2", 0},
		{{.status = 302, .headers = "Location: http://127.0.0.1:1/\r\n"}, "UNAUTHENTICATED: EC2",
			"UNAUTHENTICATED: EC2", 0},
		{{.status = 500}, "UNAVAILABLE: EC2", "UNAVAILABLE: EC2", 0},
		{{.body = STR_INIT("")}, "UNAUTHENTICATED: EC2 instance metadata gave a token of 0 bytes",
			"UNAUTHENTICATED: EC2 instance metadata gave a token of 0 bytes", 0},
	};

	for (size_t i = 0; i < 2 * ARRAY_LEN(rows); i++) {
		size_t row = i / 2;
		bool v1_disabled = i % 2;
		CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = provider(v1_disabled);
		char about[40];

		begin();
		svc.token = rows[row].token;
		snprintf(about, sizeof(about), "row %zu, version 1 %s", row, v1_disabled ? "off" : "on");
		assert_fetch(p, v1_disabled ? rows[row].want_without_v1 : rows[row].want, about);
		CU_ASSERT_EQUAL(svc.with_token, rows[row].gets_with_token);
	}
}

/* A container on EC2 whose hop limit is 1: the answer to PUT never comes. */
static void test_hop_limit(void)
{
	CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = provider(false);

	begin();
	svc.token.manner = SCRIPTED_NEVER;
	assert_fetch(p, "AKID SECRET TOKEN 1800", "version 1 answers");
	CU_ASSERT_EQUAL(svc.puts, 1);
	begin();
	svc.token.manner = SCRIPTED_CLOSE;
	svc.wants_token = true;
	credentials_provider_unref(p);
	p = provider(false);
	assert_fetch(p, "UNAUTHENTICATED: EC2 instance metadata at http://127.0.0.1:",
		"version 1 is off at the instance");
	CU_ASSERT(svc.puts >= 2); /* more where curl found a kept connection dead */
}

static void test_refused_token(void)
{
	CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = provider(false);

	begin();
	svc.refuse_tokens = 1;
	assert_fetch(p, "AKID SECRET TOKEN 1800", "a new token");
	CU_ASSERT_EQUAL(svc.puts, 2);
	CU_ASSERT_EQUAL(svc.gets, 3);
	credentials_provider_unref(p);
	p = provider(false);
	begin();
	svc.refuse_tokens = 100;
	assert_fetch(p, "UNAUTHENTICATED: EC2 instance metadata at http://127.0.0.1:", "no end of it");
	CU_ASSERT_EQUAL(svc.puts, 2);
	CU_ASSERT_EQUAL(svc.gets, 2);
}

/* Nothing listens: two questions, no more. */
static void test_nobody(void)
{
	CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = NULL;
	struct err err;

	fake_clock_init(&fake, NOW_S);
	CU_ASSERT_EQUAL_FATAL(credentials_imds_new(&(struct imds_options){.http = http,
							   .clock = &fake.clock,
							   .endpoint = STR("http://127.0.0.1:1")},
				      &p, &err),
		ERR_OK);
	assert_fetch(p,
		"UNAUTHENTICATED: no AWS credentials: EC2 instance metadata, where they are looked for when "
		"nothing "
		"else is configured, does not answer (127.0.0.1:1: ",
		"nobody");
}

static void test_bad_answers(void)
{
	static const struct {
		struct scripted_answer role, keys;
		const char *want;
	} rows[] = {
		{{.status = 404}, {.status = 200},
			"UNAUTHENTICATED: no AWS credentials: EC2 instance metadata answers, but the "
			"instance has no role"},
		{{.status = 500}, {.status = 200}, "UNAVAILABLE: EC2 instance metadata at http://127.0.0.1:"},
		{{.body = STR_INIT("")}, {.status = 200},
			"UNAUTHENTICATED: EC2 instance metadata gave no valid name of a role"},
		{{.body = STR_INIT("../../x")}, {.status = 200},
			"UNAUTHENTICATED: EC2 instance metadata gave no valid name of a role"},
		{{.body = STR_INIT("a\x01"
				   "b")},
			{.status = 200},
			"UNAUTHENTICATED: EC2 instance metadata gave no valid name of a role"},
		{{.body = STR_INIT("r")}, {.status = 404},
			"UNAUTHENTICATED: EC2 instance metadata at http://127.0.0.1:"},
		{{.body = STR_INIT("r")}, {.body = STR_INIT("{}")},
			"UNAUTHENTICATED: EC2 instance metadata gave no credentials"},
		{{.body = STR_INIT("r")}, {.body = STR_INIT("SECRET")},
			"UNAUTHENTICATED: EC2 instance metadata: not JSON: "},
		{{.body = STR_INIT("r")}, {.body = STR_INIT("{\"Code\":\"SECRET"), .manner = SCRIPTED_CUT},
			"UNAVAILABLE: EC2 instance metadata: 127.0.0.1:"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = provider(false);

		begin();
		svc.role = rows[i].role;
		svc.keys = rows[i].keys;
		assert_fetch(p, rows[i].want, rows[i].want);
	}
}

static void test_oversized(void)
{
	CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = provider(false);
	static char big[70000];

	begin();
	memset(big, ' ', sizeof(big));
	svc.keys.body = str_n(big, sizeof(big));
	assert_fetch(p, "TOO_LARGE: EC2 instance metadata: 127.0.0.1:", "oversized");
}

static void test_short_trouble(void)
{
	CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = provider(true);

	begin();
	svc.trouble = 2;
	assert_fetch(p, "AKID SECRET TOKEN 1800", "third time lucky");
}

static void test_stretch(void)
{
	CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = provider(false);
	CLEANUP(aws_credentials_unrefp) struct aws_credentials *used = NULL;
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct cancel *cancel = cancel_new();
	struct ctx cancelled = forever;
	struct err err;

	begin();
	assert_fetch(p, "AKID SECRET TOKEN 1800", "good times");
	fake_clock_advance_ms(&fake, 1800 * 1000);
	svc.token.status = svc.role.status = svc.keys.status = 400;
	assert_fetch(p, "AKID SECRET TOKEN 450", "used longer");
	svc.token.manner = svc.role.manner = SCRIPTED_CLOSE;
	fake_clock_advance_ms(&fake, 450 * 1000);
	assert_fetch(p, "AKID SECRET TOKEN 450", "and longer");
	cancel_fire(cancel);
	cancelled.cancel = cancel;
	ASSERT_STR(
		str_sub(fetch_with(a, p, &cancelled), 0, 9), STR("CANCELLED"), "who gives up gets nothing");
	cancel_unref(cancel);
	CU_ASSERT_EQUAL_FATAL(credentials_fetch(p, &forever, &used, &err), ERR_OK);
	credentials_forget(p, used); /* AWS takes them no longer */
	assert_fetch(p, "UNAUTHENTICATED: no AWS credentials", "until AWS refuses them");
	begin();
	assert_fetch(p, "AKID SECRET TOKEN 1800", "good times again");
}

/* The cache asks early, and goes on with what there is when that fails. */
static void test_renewal(void)
{
	CLEANUP(credentials_provider_unrefp)
	struct credentials_provider *p = credentials_cache_new(provider(false), &fake.clock);

	begin();
	assert_fetch(p, "AKID SECRET TOKEN 1800", "first");
	fake_clock_advance_ms(&fake, 1499 * 1000);
	assert_fetch(p, "AKID SECRET TOKEN 301", "kept");
	CU_ASSERT_EQUAL(svc.puts, 1);
	fake_clock_advance_ms(&fake, 2 * 1000);
	svc.keys.body =
		STR("{\"Code\":\"Success\",\"AccessKeyId\":\"NEW\",\"SecretAccessKey\":\"S\",\"Token\":\"T\","
		    "\"Expiration\":\"2027-01-15T08:55:01Z\"}");
	assert_fetch(p, "NEW S T 1800", "renewed before the end");
	CU_ASSERT_EQUAL(svc.puts, 2);
	fake_clock_advance_ms(&fake, 1801 * 1000);
	svc.token = svc.role = (struct scripted_answer){.manner = SCRIPTED_CLOSE};
	assert_fetch(p, "NEW S T 450", "stretched");
}

static void test_endpoints(void)
{
	static const struct {
		const char *endpoint, *mode, *want; /* of the error; NULL: fine */
	} rows[] = {
		{"", "", NULL},
		{"", "IPv4", NULL},
		{"", "ipv6", NULL},
		{"http://[::1]:8080//", "", NULL},
		{"https://x/y", "", NULL},
		{"", "IPv5", "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE has to be IPv4 or IPv6, not 'IPv5'"},
		{"169.254.169.254", "", "AWS_EC2_METADATA_SERVICE_ENDPOINT has to be an http or https URL"},
		{"ftp://x", "", "AWS_EC2_METADATA_SERVICE_ENDPOINT has to be an http or https URL"},
		{"http://me:pw@x", "", "AWS_EC2_METADATA_SERVICE_ENDPOINT has to be an http or https URL"},
		{"http://x?y", "", "AWS_EC2_METADATA_SERVICE_ENDPOINT has to be an http or https URL"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = NULL;
		struct imds_options o = {.http = http,
			.clock = &fake.clock,
			.endpoint = str_c(rows[i].endpoint),
			.mode = str_c(rows[i].mode)};
		struct err err = {.msg = ""};
		enum err_code rc = credentials_imds_new(&o, &p, &err);

		ASSERT_I64(rc, rows[i].want ? ERR_INVALID : ERR_OK, rows[i].endpoint);
		if (rows[i].want)
			ASSERT_STR(str_sub(str_c(err.msg), 0, strlen(rows[i].want)), str_c(rows[i].want),
				rows[i].endpoint);
	}
}

static void keep_line(void *arg, struct str line)
{
	bool *was_asked = arg;

	if (str_contains(line, STR("endpoint=http://[fd00:ec2::254]")))
		*was_asked = true;
}

/* The mode decides which address is asked. Neither answers here; how long that takes depends on the
 * network. */
static void test_ipv6(void)
{
	CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = NULL;
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct ctx soon = {.clock = &clock_system, .deadline_ms = clock_mono_ms(&clock_system) + 50};
	struct imds_options o = {.http = http, .clock = &fake.clock, .mode = STR("IPv6")};
	bool was_asked = false;
	struct err err;

	CU_ASSERT_EQUAL_FATAL(
		log_init(&(struct log_options){.level = LOG_DEBUG, .format = LOG_CONSOLE}, &err), ERR_OK);
	log_capture(keep_line, &was_asked);
	CU_ASSERT_EQUAL_FATAL(credentials_imds_new(&o, &p, &err), ERR_OK);
	(void)fetch_with(a, p, &soon);
	log_capture(NULL, NULL);
	log_deinit();
	CU_ASSERT(was_asked);
}

/* ---- the end of the chain ---- */

static void test_chain(void)
{
	static const struct {
		const char *config, *env[3], *want;
	} rows[] = {
		{"", {NULL}, "AKID SECRET TOKEN 1800"},
		{"[default]\nregion=x\n", {NULL}, "AKID SECRET TOKEN 1800"},
		{"[default]\ncredential_source=Ec2InstanceMetadata\n", {NULL}, "AKID SECRET TOKEN 1800"},
		{"[default]\nec2_metadata_v1_disabled=true\n", {NULL}, "AKID SECRET TOKEN 1800"},
		{"", {"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=x"},
			"INVALID: AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE has to be"},
		{"[default]\nec2_metadata_service_endpoint_mode=x\n", {NULL},
			"INVALID: AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE has to be"},
		{"", {"AWS_EC2_METADATA_DISABLED=true"},
			"UNAUTHENTICATED: no AWS credentials: neither the environment"},
	};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct str endpoint = str_fmt(
		a, "AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:%u", scripted_http_port(server));

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(shared_config_freep) struct shared_config *config = NULL;
		CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = NULL;
		const char *const env[] = {endpoint.p, rows[i].env[0], rows[i].env[1], NULL};
		struct credentials_chain_options o = {
			.environ = env, .profile = STR("default"), .http = http, .clock = &fake.clock};
		struct err err;

		begin();
		CU_ASSERT_EQUAL_FATAL(
			shared_config_parse(str_c(rows[i].config), STR_EMPTY, &config, &err), ERR_OK);
		o.config = config;
		if (credentials_chain_new(&o, &p, &err) == ERR_OK)
			assert_fetch(p, rows[i].want, rows[i].config);
		else
			ASSERT_STR(str_sub(str_fmt(a, "%s: %s", err_code_name(err.code), err.msg), 0,
					   strlen(rows[i].want)),
				str_c(rows[i].want), rows[i].config);
	}
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"version 2", test_version_2},
		{"expiry", test_expiry},
		{"token answers", test_token_answers},
		{"hop limit", test_hop_limit},
		{"refused token", test_refused_token},
		{"nobody", test_nobody},
		{"bad answers", test_bad_answers},
		{"oversized", test_oversized},
		{"short trouble", test_short_trouble},
		{"stretch", test_stretch},
		{"renewal", test_renewal},
		{"endpoints", test_endpoints},
		{"IPv6", test_ipv6},
		{"chain", test_chain},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{"credentials imds", set_up, tear_down, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
