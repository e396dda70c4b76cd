/* layers: base aws
 *
 * Partitions, endpoints and what the configuration makes of them. The whole table of AWS's own endpoints
 * is compared with botocore's rule sets in test/e2e/test_endpoints_botocore.py. */
#include "aws/endpoint.h"

#include "aws/env.h"
#include "support/cunit_main.h"

static const struct aws_service iam = {
	.id = "iam", .signing_name = "iam", .endpoint_env = "IAM", .global = true};
static const struct aws_service sts = {.id = "sts", .signing_name = "sts", .endpoint_env = "STS"};
static const struct aws_service sso_admin = {.id = "sso", .signing_name = "sso", .endpoint_env = "SSO_ADMIN"};
static const struct aws_service identity_store = {
	.id = "identitystore", .signing_name = "identitystore", .endpoint_env = "IDENTITYSTORE"};
static const struct aws_service cloudtrail = {
	.id = "cloudtrail", .signing_name = "cloudtrail", .endpoint_env = "CLOUDTRAIL"};
static const struct aws_service organizations = {.id = "organizations",
	.signing_name = "organizations",
	.endpoint_env = "ORGANIZATIONS",
	.global = true};

static void test_partitions(void)
{
	static const struct {
		const char *region, *partition; /* NULL: none */
	} rows[] = {
		{"us-east-1", "aws"},
		{"eu-central-2", "aws"},
		{"ap-southeast-7", "aws"},
		{"il-central-1", "aws"},
		{"mx-central-1", "aws"},
		{"us-gov-west-1", "aws-us-gov"},
		{"us-gov-east-1", "aws-us-gov"},
		{"cn-northwest-1", "aws-cn"},
		{"us-iso-west-1", "aws-iso"},
		{"us-isob-east-1", "aws-iso-b"},
		{"eu-isoe-west-1", "aws-iso-e"},
		{"us-isof-south-1", "aws-iso-f"},
		{"eusc-de-east-1", "aws-eusc"},
		{"", NULL},
		{"us", NULL},
		{"us-east", NULL},
		{"us--1", NULL},
		{"us-east-", NULL},
		{"-east-1", NULL},
		{"xx-east-1", NULL},
		{"us-gov-1", "aws"},
		{"us-east-1x", NULL},
		{"aws-global", NULL},
	};
	size_t n;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct aws_partition *p = aws_partition_of_region(str_c(rows[i].region));

		ASSERT_STR(p ? p->id : STR("none"), str_c(rows[i].partition ? rows[i].partition : "none"),
			rows[i].region);
	}
	CU_ASSERT_PTR_NULL(aws_partition_of_id(STR("aws-mars")));
	for (size_t i = 0; i < (aws_partitions(&n), n); i++) {
		const struct aws_partition *p = &aws_partitions(&n)[i];

		CU_ASSERT_PTR_EQUAL(aws_partition_of_id(p->id), p);
		CU_ASSERT_PTR_EQUAL(aws_partition_of_region(p->home_region), p);
	}
}

static void test_own_endpoints(void)
{
	static const struct {
		const struct aws_service *service;
		const char *region;
		bool fips, dual_stack;
		const char *url, *signing_region;
	} rows[] = {
		{&iam, "us-east-1", false, false, "https://iam.amazonaws.com", "us-east-1"},
		{&iam, "eu-west-3", false, false, "https://iam.amazonaws.com", "us-east-1"},
		{&iam, "eu-west-3", true, false, "https://iam-fips.amazonaws.com", "us-east-1"},
		{&iam, "eu-west-3", false, true, "https://iam.global.api.aws", "us-east-1"},
		{&iam, "us-gov-east-1", false, false, "https://iam.us-gov.amazonaws.com", "us-gov-west-1"},
		{&iam, "cn-northwest-1", false, false, "https://iam.cn-north-1.amazonaws.com.cn",
			"cn-north-1"},
		{&iam, "eusc-de-east-1", false, false, "https://iam.eusc-de-east-1.amazonaws.eu",
			"eusc-de-east-1"},
		{&sts, "eu-west-3", false, false, "https://sts.eu-west-3.amazonaws.com", "eu-west-3"},
		{&sts, "us-east-1", true, true, "https://sts-fips.us-east-1.api.aws", "us-east-1"},
		{&sts, "us-gov-west-1", true, false, "https://sts.us-gov-west-1.amazonaws.com",
			"us-gov-west-1"},
		{&sts, "xx-new-1", false, false, "https://sts.xx-new-1.amazonaws.com", "xx-new-1"},
		{&sso_admin, "eu-central-2", false, false, "https://sso.eu-central-2.amazonaws.com",
			"eu-central-2"},
		{&sso_admin, "us-gov-west-1", true, false, "https://sso.us-gov-west-1.amazonaws.com",
			"us-gov-west-1"},
		{&sso_admin, "us-east-1", true, false, "https://sso-fips.us-east-1.amazonaws.com",
			"us-east-1"},
		{&sso_admin, "cn-north-1", false, false, "https://sso.cn-north-1.amazonaws.com.cn",
			"cn-north-1"},
		{&identity_store, "us-west-2", false, true, "https://identitystore.us-west-2.api.aws",
			"us-west-2"},
		{&identity_store, "us-west-2", true, true, "https://identitystore-fips.us-west-2.api.aws",
			"us-west-2"},
		{&cloudtrail, "us-west-2", true, false, "https://cloudtrail-fips.us-west-2.amazonaws.com",
			"us-west-2"},
		{&cloudtrail, "eusc-de-east-1", false, false,
			"https://cloudtrail.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"},
		{&organizations, "eu-west-3", false, false, "https://organizations.us-east-1.amazonaws.com",
			"us-east-1"},
		{&organizations, "cn-north-1", false, false,
			"https://organizations.cn-northwest-1.amazonaws.com.cn", "cn-northwest-1"},
	};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct endpoint_options opts = {.service = rows[i].service,
			.region = str_c(rows[i].region),
			.fips = rows[i].fips,
			.dual_stack = rows[i].dual_stack};
		struct aws_endpoint e;
		struct err err;

		CU_ASSERT_EQUAL_FATAL(endpoint_resolve(a, &opts, &e, &err), ERR_OK);
		ASSERT_STR(e.url, str_c(rows[i].url), rows[i].region);
		ASSERT_STR(e.host, str_from(str_c(rows[i].url), 8), rows[i].region);
		ASSERT_STR(e.path, STR("/"), rows[i].region);
		ASSERT_STR(e.signing_region, str_c(rows[i].signing_region), rows[i].region);
	}
}

static void test_bad_regions(void)
{
	static const char *const rows[] = {"", "US-EAST-1", "us-east-1.evil.com", "us-east-1/", "us east",
		"-us-east-1", "us-east-1-", "us_east_1", "us-east-1\n",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-1"};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct endpoint_options opts = {.service = &sts, .region = str_c(rows[i])};
		struct aws_endpoint e;
		struct err err;

		ASSERT_I64(endpoint_resolve(a, &opts, &e, &err), ERR_INVALID, rows[i]);
	}
}

static void test_configured_urls(void)
{
	static const struct {
		const char *in, *url, *host, *path;
	} rows[] = {
		{"http://localhost:5000", "http://localhost:5000", "localhost:5000", "/"},
		{"http://localhost:5000/", "http://localhost:5000", "localhost:5000", "/"},
		{"https://Proxy.Example.com:443", "https://proxy.example.com", "proxy.example.com", "/"},
		{"http://x:80/", "http://x", "x", "/"},
		{"https://x:80", "https://x:80", "x:80", "/"},
		{"https://vpce-1.iam.vpce.amazonaws.com/a/b/", "https://vpce-1.iam.vpce.amazonaws.com/a/b",
			"vpce-1.iam.vpce.amazonaws.com", "/a/b/"},
		{"http://[::1]:4566", "http://[::1]:4566", "[::1]:4566", "/"},
	};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct endpoint_options opts = {
			.service = &iam, .region = STR("eu-west-3"), .url = str_c(rows[i].in)};
		struct aws_endpoint e;
		struct err err;

		CU_ASSERT_EQUAL_FATAL(endpoint_resolve(a, &opts, &e, &err), ERR_OK);
		ASSERT_STR(e.url, str_c(rows[i].url), rows[i].in);
		ASSERT_STR(e.host, str_c(rows[i].host), rows[i].in);
		ASSERT_STR(e.path, str_c(rows[i].path), rows[i].in);
		ASSERT_STR(e.signing_region, STR("us-east-1"), rows[i].in); /* IAM's, whatever the URL */
	}
}

static void test_bad_urls(void)
{
	static const char *const rows[] = {"x", "localhost:5000", "ftp://x", "http://", "http:///",
		"http://:80", "http://x:", "http://x:0", "http://x:65536", "http://x:80a",
		"http://me:hunter2@x", "http://x/?a=b", "http://x/#f", "http://x y", "http://x\r\nHost: y",
		"http://[::1", "http://[]", "http://[g::1]", "http://x\xc3\xa4", "HTTP://x"};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct str longest = str_fmt(a, "http://x/%03000d", 0);

	for (size_t i = 0; i <= ARRAY_LEN(rows); i++) {
		struct str url = i < ARRAY_LEN(rows) ? str_c(rows[i]) : longest;
		struct endpoint_options opts = {.service = &iam, .region = STR("eu-west-3"), .url = url};
		struct aws_endpoint e;
		struct err err = {.code = ERR_OK};

		ASSERT_I64(endpoint_resolve(a, &opts, &e, &err), ERR_INVALID, url.p);
		CU_ASSERT(str_starts(str_c(err.msg), STR("endpoint of service iam: ")));
		CU_ASSERT_FALSE(str_contains(str_c(err.msg), STR("hunter2")));
	}
}

static void test_configured_url_precedence(void)
{
	static const char config_text[] = "[default]\nservices = dev\nendpoint_url = http://profile\n"
					  "[services dev]\nsso_admin =\n  endpoint_url = http://section\n";
	static const char *const all[] = {"AWS_ENDPOINT_URL=http://all", "AWS_ENDPOINT_URL_IAM=http://iam",
		"AWS_ENDPOINT_URL_STS=", NULL};
	static const char *const ignore[] = {
		"AWS_ENDPOINT_URL=http://all", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=TRUE", NULL};
	static const char *const dont_ignore[] = {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=false", NULL};
	static const char *const none[] = {NULL};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	CLEANUP(shared_config_freep) struct shared_config *config = NULL;
	CLEANUP(shared_config_freep) struct shared_config *ignoring = NULL;
	const struct profile *p, *ignoring_p;
	struct err err;

	CU_ASSERT_EQUAL_FATAL(shared_config_parse(str_c(config_text), STR_EMPTY, &config, &err), ERR_OK);
	CU_ASSERT_EQUAL_FATAL(
		shared_config_parse(
			STR("[default]\nendpoint_url=http://x\nignore_configured_endpoint_urls = true\n"),
			STR_EMPTY, &ignoring, &err),
		ERR_OK);
	p = shared_config_profile(config, STR("default"));
	ignoring_p = shared_config_profile(ignoring, STR("default"));
	ASSERT_STR(endpoint_configured_url(a, &iam, all, config, p), STR("http://iam"),
		"service in the environment");
	ASSERT_STR(endpoint_configured_url(a, &sts, all, config, p), STR("http://all"),
		"environment; empty is unset");
	ASSERT_STR(endpoint_configured_url(a, &sso_admin, none, config, p), STR("http://section"),
		"services section");
	ASSERT_STR(endpoint_configured_url(a, &sts, none, config, p), STR("http://profile"), "profile");
	ASSERT_STR(endpoint_configured_url(a, &sts, none, NULL, NULL), STR_EMPTY, "nothing");
	ASSERT_STR(endpoint_configured_url(a, &sts, NULL, NULL, NULL), STR_EMPTY, "no environment");
	ASSERT_STR(
		endpoint_configured_url(a, &sts, ignore, config, p), STR_EMPTY, "ignored by the environment");
	ASSERT_STR(endpoint_configured_url(a, &sts, none, ignoring, ignoring_p), STR_EMPTY,
		"ignored by the profile");
	ASSERT_STR(endpoint_configured_url(a, &sts, dont_ignore, ignoring, ignoring_p), STR("http://x"),
		"the environment overrides the profile");
}

static void test_switches(void)
{
	static const char *const on[] = {
		"AWS_USE_FIPS_ENDPOINT=true", "AWS_USE_DUALSTACK_ENDPOINT=True", NULL};
	static const char *const off[] = {"AWS_USE_FIPS_ENDPOINT=no", "AWS_USE_DUALSTACK_ENDPOINT=", NULL};
	CLEANUP(shared_config_freep) struct shared_config *config = NULL;
	const struct profile *p;
	struct err err;

	CU_ASSERT_EQUAL_FATAL(
		shared_config_parse(STR("[default]\nuse_fips_endpoint=true\nuse_dualstack_endpoint=true\n"),
			STR_EMPTY, &config, &err),
		ERR_OK);
	p = shared_config_profile(config, STR("default"));
	CU_ASSERT(endpoint_use_fips(on, NULL) && endpoint_use_dual_stack(on, NULL));
	CU_ASSERT(!endpoint_use_fips(off, NULL) && !endpoint_use_dual_stack(off, NULL));
	CU_ASSERT(!endpoint_use_fips(off, p) && endpoint_use_dual_stack(off, p));
	CU_ASSERT(endpoint_use_fips(NULL, p));
}

static void test_environment(void)
{
	static const char *const environ[] = {"A=1", "AB=2", "EMPTY=", "A=3", "NOEQUALS", NULL};

	ASSERT_STR(env_get(environ, "A"), STR("1"), "the first");
	ASSERT_STR(env_get(environ, "AB"), STR("2"), "whole names");
	ASSERT_STR(env_get(environ, "NOEQUALS"), STR_EMPTY, "no value");
	ASSERT_STR(env_get2(environ, "EMPTY", "AB"), STR("2"), "the second");
	ASSERT_STR(env_get(NULL, "A"), STR_EMPTY, "none");
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"partitions", test_partitions},
		{"own endpoints", test_own_endpoints},
		{"bad regions", test_bad_regions},
		{"configured URLs", test_configured_urls},
		{"bad URLs", test_bad_urls},
		{"precedence of configured URLs", test_configured_url_precedence},
		{"switches", test_switches},
		{"environment", test_environment},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"endpoint", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
