/* layers: base aws
 *
 * Signature Version 4 against AWS's published examples, stage by stage. Thousands of generated requests
 * are compared with botocore in test/e2e/test_sigv4_botocore.py. */
#include "aws/sigv4.h"

#include <stdatomic.h>
#include <stdio.h>

#include "base/thread.h"
#include "support/cunit_main.h"

#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define T20150830  1440938160 /* 2015-08-30T12:36:00Z */

static struct sigv4_signer *signer;
static struct secret *example_secret;

static int set_up(void)
{
	signer = sigv4_signer_new();
	example_secret = secret_new(STR("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"));
	return 0;
}

static int tear_down(void)
{
	sigv4_signer_free(signer);
	secret_unref(example_secret);
	return 0;
}

static struct sigv4_params example_params(const char *service)
{
	return (struct sigv4_params){
		.access_key_id = STR("AKIDEXAMPLE"),
		.secret_access_key = example_secret,
		.region = STR("us-east-1"),
		.service = str_c(service),
		.time_s = T20150830,
	};
}

/* The example of the signing documentation: iam:ListUsers by GET. */
static void test_documented_example(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	const struct http_header headers[] = {
		{STR("Content-Type"), STR("application/x-www-form-urlencoded; charset=utf-8")},
		{STR("Host"), STR("iam.amazonaws.com")},
	};
	const struct sigv4_request req = {.method = STR("GET"),
		.path = STR("/"),
		.query = STR("Action=ListUsers&Version=2010-05-08"),
		.headers = headers,
		.n_headers = 2};
	struct sigv4_params p = example_params("iam");
	struct sigv4_result r;
	struct err err;

	CU_ASSERT_EQUAL_FATAL(sigv4_sign(signer, a, &req, &p, &r, &err), ERR_OK);
	ASSERT_STR(r.canonical_request,
		STR("GET\n"
		    "/\n"
		    "Action=ListUsers&Version=2010-05-08\n"
		    "content-type:application/x-www-form-urlencoded; charset=utf-8\n"
		    "host:iam.amazonaws.com\n"
		    "x-amz-date:20150830T123600Z\n"
		    "\n"
		    "content-type;host;x-amz-date\n" EMPTY_HASH),
		"canonical request");
	ASSERT_STR(r.string_to_sign,
		STR("AWS4-HMAC-SHA256\n"
		    "20150830T123600Z\n"
		    "20150830/us-east-1/iam/aws4_request\n"
		    "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59"),
		"string to sign");
	ASSERT_STR(r.signature, STR("5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"),
		"signature");
	CU_ASSERT_EQUAL_FATAL(r.n, 2);
	ASSERT_STR(r.headers[0].name, STR("X-Amz-Date"), "first header");
	ASSERT_STR(r.headers[1].value,
		STR("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
		    "SignedHeaders=content-type;host;x-amz-date, "
		    "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"),
		"authorization");
}

/* Cases of AWS's published suite (aws-sig-v4-test-suite): what they ask and the signature that has to come
 * out. */
static void test_published_suite(void)
{
	static const struct http_header form = {
		STR_INIT("Content-Type"), STR_INIT("application/x-www-form-urlencoded")};
	static const struct http_header trim[] = {{STR_INIT("My-Header1"), STR_INIT(" value1")},
		{STR_INIT("My-Header2"), STR_INIT(" \"a   b   c\"")}};
	static const struct http_header upper = {STR_INIT("My-Header1"), STR_INIT("VALUE1")};
	static const struct {
		const char *name, *method, *path, *query, *body;
		const struct http_header *headers;
		size_t n;
		const char *signature;
	} rows[] = {
		{"get-vanilla", "GET", "/", "", "", NULL, 0,
			"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"get-vanilla-query-order-key-case", "GET", "/", "Param2=value2&Param1=value1", "", NULL, 0,
			"b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
		{"get-vanilla-empty-query-key", "GET", "/", "Param1=value1", "", NULL, 0,
			"a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
		{"get-utf8", "GET", "/\u1234", "", "", NULL, 0,
			"8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
		{"get-header-value-trim", "GET", "/", "", "", trim, 2,
			"acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
		{"get-relative", "GET", "/example/..", "", "", NULL, 0,
			"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"get-relative-relative", "GET", "/example1/example2/../..", "", "", NULL, 0,
			"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"get-slash", "GET", "//", "", "", NULL, 0,
			"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"get-slash-dot-slash", "GET", "/./", "", "", NULL, 0,
			"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"no path", "GET", "", "", "", NULL, 0,
			"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"post-vanilla", "POST", "/", "", "", NULL, 0,
			"5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
		{"post-header-key-case", "POST", "/", "", "", &upper, 1,
			"cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"},
		{"post-x-www-form-urlencoded", "POST", "/", "", "Param1=value1", &form, 1,
			"ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
	};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct sigv4_params p = example_params("service");

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_header headers[3] = {{STR("Host"), STR("example.amazonaws.com")}};
		struct sigv4_request req = {.method = str_c(rows[i].method),
			.path = str_c(rows[i].path),
			.query = str_c(rows[i].query),
			.body = str_c(rows[i].body),
			.headers = headers,
			.n_headers = 1 + rows[i].n};
		struct sigv4_result r;
		struct err err;

		for (size_t h = 0; h < rows[i].n; h++)
			headers[1 + h] = rows[i].headers[h];
		CU_ASSERT_EQUAL_FATAL(sigv4_sign(signer, a, &req, &p, &r, &err), ERR_OK);
		ASSERT_STR(r.signature, str_c(rows[i].signature), rows[i].name);
	}
}

static struct str canonical_line(
	struct arena *a, const struct sigv4_request *req, bool encoded_once, int line)
{
	struct str rest = sigv4_canonical_request(signer, a, req, encoded_once, NULL), got = STR_EMPTY;

	while (line-- > 0)
		got = str_cut(&rest, '\n');
	return got;
}

static void test_paths(void)
{
	static const struct {
		const char *path;
		bool encoded_once;
		const char *want;
	} rows[] = {
		{"/a%20b/c", false, "/a%2520b/c"},
		{"/a%20b/c", true, "/a%20b/c"},
		{"/a//b/./c/../d/", false, "/a/b/d/"},
		{"/a//b/./c/../d/", true, "/a//b/./c/../d/"},
		{"/../../a", false, "/a"},
		{"/a/..", false, "/"},
		{"/~x-y_z.A", false, "/~x-y_z.A"},
		{"", false, "/"},
		{"", true, "/"},
	};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sigv4_request req = {.method = STR("GET"), .path = str_c(rows[i].path)};

		ASSERT_STR(
			canonical_line(a, &req, rows[i].encoded_once, 2), str_c(rows[i].want), rows[i].path);
	}
}

static void test_queries(void)
{
	static const struct {
		const char *query, *want;
	} rows[] = {
		{"", ""},
		{"b=2&a=1", "a=1&b=2"},
		{"a", "a="},
		{"a=2&a=1&a", "a=&a=1&a=2"},
		{"a-b=1&a=2", "a=2&a-b=1"}, /* by name: 'a' before 'a-b', although '-' sorts before '=' */
		{"a=%2f", "a=%2F"},
		{"a=/~ü", "a=%2F~%C3%BC"},
		{"a=b=c", "a=b%3Dc"},
		{"a=%zz", "a=%25zz"},
		{"a=+", "a=%2B"},
		{"&&a=1&", "a=1"},
	};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sigv4_request req = {.method = STR("GET"), .query = str_c(rows[i].query)};

		ASSERT_STR(canonical_line(a, &req, false, 3), str_c(rows[i].want), rows[i].query);
	}
}

static void test_session_token(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	CLEANUP(secret_unrefp) struct secret *token = secret_new(STR("the//token=="));
	const struct http_header host = {STR("Host"), STR("h")};
	const struct sigv4_request req = {.method = STR("POST"), .headers = &host, .n_headers = 1};
	struct sigv4_params p = example_params("sts");
	struct sigv4_result r;
	struct err err;

	p.session_token = token;
	CU_ASSERT_EQUAL_FATAL(sigv4_sign(signer, a, &req, &p, &r, &err), ERR_OK);
	CU_ASSERT_EQUAL_FATAL(r.n, 3);
	ASSERT_STR(r.headers[1].name, STR("X-Amz-Security-Token"), "name");
	ASSERT_STR(r.headers[1].value, STR("the//token=="), "value");
	CU_ASSERT(
		str_contains(r.headers[2].value, STR("SignedHeaders=host;x-amz-date;x-amz-security-token,")));
}

static struct str sign_with(struct arena *a, const struct sigv4_params *p)
{
	char out[65];

	sigv4_signature(signer, p, STR("text"), out);
	return str_dup(a, str_c(out));
}

/* Every part that a derived key depends on makes another key, also when all of them are in the cache; and
 * more of them than the cache holds give the same as a fresh signer. */
static void test_derived_keys(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	CLEANUP(secret_unrefp) struct secret *other = secret_new(STR("other"));
	struct sigv4_params rows[6];
	struct str first[6];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		rows[i] = example_params("iam");
	rows[1].secret_access_key = other;
	rows[2].region = STR("us-east-2");
	rows[3].service = STR("sts");
	rows[4].time_s += 86400;
	rows[5].region = STR("us-east"); /* the boundary between region and service moves */
	rows[5].service = STR("-1iam");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		first[i] = sign_with(a, &rows[i]);
	for (int i = 0; i < 200; i++) {
		struct sigv4_params p = example_params("iam");

		p.region = str_fmt(a, "region-%d", i);
		(void)sign_with(a, &p);
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ASSERT_STR(sign_with(a, &rows[i]), first[i], "again");
		ASSERT_STR(sign_with(a, &rows[i]), first[i], "from the cache");
		for (size_t k = 0; k < i; k++)
			CU_ASSERT_FALSE(str_eq(first[i], first[k]));
	}
}

static void *sign_much(void *arg)
{
	atomic_int *wrong = arg;
	struct sigv4_params p = example_params("iam");
	char region[16], first[65], out[65];

	for (int i = 0; i < 500; i++) {
		p.region = str_n(region, (size_t)snprintf(region, sizeof(region), "region-%d", i % 80));
		sigv4_signature(signer, &p, STR("text"), out);
		if (i == 0)
			memcpy(first, out, sizeof(first));
		if (i % 80 == 0 && memcmp(first, out, sizeof(first)) != 0)
			atomic_fetch_add(wrong, 1);
	}
	return NULL;
}

static void test_threads(void)
{
	struct thread threads[4];
	atomic_int wrong = 0;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		CU_ASSERT_EQUAL_FATAL(
			thread_start(&threads[i], "signer", 0, sign_much, &wrong, &err), ERR_OK);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		thread_join(&threads[i]);
	CU_ASSERT_EQUAL(atomic_load(&wrong), 0);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"documented example", test_documented_example},
		{"published suite", test_published_suite},
		{"paths", test_paths},
		{"queries", test_queries},
		{"session token", test_session_token},
		{"derived keys", test_derived_keys},
		{"threads", test_threads},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"sigv4", set_up, tear_down, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
