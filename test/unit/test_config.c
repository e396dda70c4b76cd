/* layers: server base */
#include "server/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "server/options.h"
#include "support/cunit_main.h"

#define DOCUMENT PROJECT_DIR "/docs/config.md"

#define ARN      "arn:aws:iam::123456789012:role/David"
#define ID_32    "0123456789abcdef0123456789abcdef"
#define ID_64    ID_32 ID_32
#define MAX_ARGS 12

static char dir[] = "/tmp/test_config_XXXXXX";

static int setup(void)
{
	return mkdtemp(dir) ? 0 : 1;
}

static int teardown(void)
{
	return rmdir(dir);
}

/* One start of the program. */
struct start {
	const char *args[MAX_ARGS]; /* behind "baton-awsd serve" */
	const char *env[4];
	const char *yaml; /* content of .baton.yaml; NULL: no such file */
	bool is_tty;
};

static void write_file(const char *path, const char *content)
{
	FILE *f = fopen(path, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_FATAL(fputs(content, f) >= 0);
	CU_ASSERT_EQUAL_FATAL(fclose(f), 0);
}

/* The configuration, or NULL and the report. */
static struct config *load(const struct start *start, struct buf *report)
{
	char *argv[MAX_ARGS + 2] = {(char *)"baton-awsd", (char *)"serve"};
	char *env[5] = {NULL};
	char path[64];
	struct config_source src = {
		.argc = 2, .argv = argv, .env = env, .cwd = dir, .stderr_is_tty = start->is_tty};
	struct config *config = NULL;
	struct err err;
	enum err_code rc;

	for (size_t i = 0; i < MAX_ARGS && start->args[i]; i++)
		argv[src.argc++] = (char *)start->args[i];
	for (size_t i = 0; i < ARRAY_LEN(start->env) && start->env[i]; i++)
		env[i] = (char *)start->env[i];
	(void)snprintf(path, sizeof(path), "%s/.baton.yaml", dir);
	if (start->yaml)
		write_file(path, start->yaml);
	buf_init(report, 1 << 20);
	rc = config_load(&src, &config, report, &err);
	(void)unlink(path);
	CU_ASSERT(rc == ERR_OK || rc == ERR_INVALID);
	CU_ASSERT_EQUAL(rc == ERR_OK, config != NULL);
	CU_ASSERT_EQUAL(rc == ERR_OK, report->n == 0);
	return config;
}

/* error NULL: accepted. */
static void check(const struct start *start, const char *error, const char *what)
{
	struct buf report;
	struct config *config = load(start, &report);

	ASSERT_STR(buf_view(&report), str_c(error), what);
	buf_deinit(&report);
	config_free(config);
}

static struct config *must_load(const struct start *start)
{
	struct buf report;
	struct config *config = load(start, &report);

	if (!config)
		fprintf(stderr, "refused: " STR_FMT "\n", STR_ARG(buf_view(&report)));
	buf_deinit(&report);
	CU_ASSERT_PTR_NOT_NULL_FATAL(config);
	return config;
}

static void test_defaults(void)
{
	struct config *c = must_load(&(struct start){.yaml = NULL});

	ASSERT_I64(c->listen.n, 1, "listen");
	ASSERT_STR(c->listen.items[0], STR("127.0.0.1:50051"), "listen");
	ASSERT_I64(c->rpc_threads, 16, "rpc-threads");
	ASSERT_I64(c->drain_seconds, 30, "drain-seconds");
	ASSERT_I64(c->store_max_bytes, 268435456, "store-max-bytes");
	ASSERT_I64(c->store_max_age_seconds, 86400, "store-max-age-seconds");
	ASSERT_I64(c->http_timeout_seconds, 300, "http-timeout-seconds");
	ASSERT_I64(c->aws_quota_percent, 100, "aws-quota-percent");
	ASSERT_STR(c->global_aws_sso_region, STR("us-east-1"), "global-aws-sso-region");
	ASSERT_STR(c->iam_assume_role_name, STR("OrganizationAccountAccessRole"), "iam-assume-role-name");
	ASSERT_STR(c->create_account_resource_type, STR("iam_user"), "create-account-resource-type");
	ASSERT_STR(c->global_region, STR(""), "global-region");
	CU_ASSERT_PTR_NULL(c->global_secret_access_key);
	CU_ASSERT(!c->use_assume && !c->dump_core && !c->require_all_permissions);
	CU_ASSERT_EQUAL(c->log_level, LOG_INFO);
	CU_ASSERT_EQUAL(c->log_format, LOG_JSON);
	ASSERT_I64(c->log_path.n, 0, "log-path");
	ASSERT_I64(c->warnings.n, 0, "warnings");
	ASSERT_STR(c->file, STR(""), "file");
	config_free(c);
}

static void test_every_preset_is_a_valid_value(void)
{
	/* test_defaults loads them all; here: every shown option can be set to its own default by flag */
	for (size_t i = 0; i < server_options.n; i++) {
		const struct option *o = &server_options.items[i];
		char flag[256];

		if (!o->preset)
			continue;
		(void)snprintf(flag, sizeof(flag), "--%s=%s", o->name, o->preset);
		check(&(struct start){.args = {flag}}, NULL, flag);
	}
}

static void test_precedence(void)
{
	static const struct {
		struct start start;
		const char *want;
	} cases[] = {
		{{.yaml = "global-region: eu-west-1\n"}, "eu-west-1"},
		{{.yaml = "global-region: eu-west-1\n", .env = {"BATON_GLOBAL_REGION=eu-west-2"}},
			"eu-west-2"},
		{{.yaml = "global-region: eu-west-1\n",
			 .env = {"BATON_GLOBAL_REGION=eu-west-2"},
			 .args = {"--global-region", "eu-west-3"}},
			"eu-west-3"},
		{{.env = {"BATON_GLOBAL_REGION=eu-west-2"}, .args = {"--global-region=eu-west-3"}},
			"eu-west-3"},
		{{.yaml = "global-region: eu-west-1\n", .args = {"--global-region=eu-west-3"}}, "eu-west-3"},
		{{.args = {"--global-region=eu-west-3", "--global-region=eu-west-1"}}, "eu-west-1"},
		{{.env = {"BATON_GLOBAL_REGION=eu-west-2", "BATON_GLOBAL_REGION=eu-west-3"}}, "eu-west-2"},
		/* not set at all */
		{{.yaml = "global-region: eu-west-1\n", .env = {"BATON_GLOBAL_REGION="}}, "eu-west-1"},
		{{.yaml = "global-region:\n"}, ""},
		{{.env = {"BATON_GLOBAL_REGIONS=x"}}, ""},
		/* set to nothing */
		{{.yaml = "global-region: eu-west-1\n", .args = {"--global-region="}}, ""},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct config *c = must_load(&cases[i].start);

		ASSERT_STR(c->global_region, str_c(cases[i].want), "global-region");
		config_free(c);
	}
}

static void test_bool_texts(void)
{
	static const struct {
		const char *text;
		int want; /* -1: refused */
	} cases[] = {{"1", 1}, {"t", 1}, {"T", 1}, {"TRUE", 1}, {"true", 1}, {"True", 1}, {"0", 0}, {"f", 0},
		{"F", 0}, {"FALSE", 0}, {"false", 0}, {"False", 0}, {"yes", -1}, {"on", -1}, {"tRue", -1},
		{"2", -1}, {" true", -1}};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char flag[64], env[64], yaml[64];
		struct start starts[] = {{.args = {flag}}, {.env = {env}}, {.yaml = yaml}};

		(void)snprintf(flag, sizeof(flag), "--dump-core=%s", cases[i].text);
		(void)snprintf(env, sizeof(env), "BATON_DUMP_CORE=%s", cases[i].text);
		(void)snprintf(yaml, sizeof(yaml), "dump-core: '%s'\n", cases[i].text);
		for (size_t k = 0; k < ARRAY_LEN(starts); k++) {
			char error[128];
			struct config *c;

			if (cases[i].want < 0) {
				(void)snprintf(error, sizeof(error),
					"errors found:\nfield dump-core: value must be true or false but got "
					"'%s'",
					cases[i].text);
				check(&starts[k], error, cases[i].text);
				continue;
			}
			c = must_load(&starts[k]);
			ASSERT_I64(c->dump_core, cases[i].want, cases[i].text);
			config_free(c);
		}
	}
}

static void test_bool_flags(void)
{
	struct config *c =
		must_load(&(struct start){.args = {"--dump-core", "--require-all-permissions=false"},
			.env = {"BATON_REQUIRE_ALL_PERMISSIONS=true"}});

	CU_ASSERT(c->dump_core);
	CU_ASSERT(!c->require_all_permissions);
	config_free(c);
}

static void check_list(const struct start *start, const char *want)
{
	struct config *c = must_load(start);
	CLEANUP(buf_deinit) struct buf got;

	buf_init(&got, 1000);
	for (size_t i = 0; i < c->sync_resource_types.n; i++) {
		buf_str(&got, c->sync_resource_types.items[i]);
		buf_char(&got, '|');
	}
	ASSERT_STR(buf_view(&got), str_c(want), "sync-resource-types");
	config_free(c);
}

static void test_lists(void)
{
	check_list(&(struct start){.args = {"--sync-resource-types", "role"}}, "role|");
	check_list(&(struct start){.args = {"--sync-resource-types=role,group", "--sync-resource-types",
					   "iam_user"}},
		"role|group|iam_user|");
	check_list(&(struct start){.args = {"--sync-resource-types= role , ,group,"}}, "role|group|");
	check_list(&(struct start){.env = {"BATON_SYNC_RESOURCE_TYPES=a,b"}}, "a|b|");
	check_list(&(struct start){.yaml = "sync-resource-types: a,b\n"}, "a|b|");
	check_list(&(struct start){.yaml = "sync-resource-types: [a, 'b,c', \"d\"]\n"}, "a|b,c|d|");
	check_list(&(struct start){.yaml = "sync-resource-types:\n  - a\n  - b\n"}, "a|b|");
	check_list(&(struct start){.yaml = "sync-resource-types: []\n"}, "");
	/* one source replaces the other as a whole */
	check_list(&(struct start){.yaml = "sync-resource-types: [a, b]\n",
			   .env = {"BATON_SYNC_RESOURCE_TYPES=c"}},
		"c|");
	check_list(&(struct start){.env = {"BATON_SYNC_RESOURCE_TYPES=c,d"},
			   .args = {"--sync-resource-types=e"}},
		"e|");
}

static void test_flag_forms(void)
{
	static const struct {
		struct start start;
		const char *error;
	} cases[] = {
		{{.args = {"-f", "x.c1z"}}, NULL},
		{{.args = {"-fx.c1z"}}, NULL},
		{{.args = {"-f=x.c1z"}}, NULL},
		{{.args = {"--global-region"}}, "option '--global-region' needs a value"},
		{{.args = {"--global-region", "--dump-core"}},
			"errors found:\nfield global-region: value must be a region name such as us-east-1 "
			"but got '--dump-core'"},
		{{.args = {"--globl-region", "x"}},
			"unknown option '--globl-region'; did you mean '--global-region'?"},
		{{.args = {"--role-arm=hunter2"}}, "unknown option '--role-arm'; did you mean '--role-arn'?"},
		{{.args = {"-listen=hunter2"}}, "unknown option '-listen'; did you mean '--listen'?"},
		{{.args = {"--nothing-like-it"}}, "unknown option '--nothing-like-it'; --help lists them"},
		{{.args = {"-x"}}, "unknown option '-x'; --help lists them"},
		{{.args = {"--"}}, "unexpected argument at position 2"},
		{{.args = {"--dump-core", "true"}}, "unexpected argument after '--dump-core'; a yes-or-no "
						    "option takes its value with '='"},
		{{.args = {"--global-secret-access-key=", "hunter2"}},
			"unexpected argument after '--global-secret-access-key'; a yes-or-no option takes "
			"its value with '='"},
		{{.args = {"--target", "x"}}, "unknown option '--target'; --help lists them"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check(&cases[i].start, cases[i].error, cases[i].start.args[0]);
}

static void test_every_option_of_the_engine_is_accepted(void)
{
	for (size_t i = 0; i < server_options.n; i++) {
		const struct option *o = &server_options.items[i];
		char flag[128], want[256];
		struct config *c;

		if (o->show != OPTION_IGNORED)
			continue;
		(void)snprintf(flag, sizeof(flag), "--%s=%s", o->name, o->type == OPTION_BOOL ? "true" : "4");
		(void)snprintf(want, sizeof(want),
			"--%s has no effect on the server, only on the sync engine, ignoring", o->name);
		c = must_load(&(struct start){.args = {flag}});
		ASSERT_I64(c->warnings.n, 1, flag);
		if (c->warnings.n == 1)
			ASSERT_STR(c->warnings.items[0], str_c(want), flag);
		config_free(c);
	}
}

static void test_warnings(void)
{
	struct config *c = must_load(&(struct start){.args = {"--workers", "4", "--log-level=loud"},
		.env = {"BATON_TICKETING=true", "BATON_GLOBAL_REGOIN=eu-west-1",
			"BATON_AWSD_PORT=tcp://10.0.0.1:50051"},
		.yaml = "task-concurrency: 5\n"});

	ASSERT_I64(c->warnings.n, 3, "warnings");
	ASSERT_STR(c->warnings.items[0],
		STR("log-level 'loud' is none of debug, info, warn and error, ignoring"), "level");
	ASSERT_STR(c->warnings.items[1],
		STR("--ticketing, --workers has no effect on the server, only on the sync engine, ignoring"),
		"engine");
	ASSERT_STR(c->warnings.items[2],
		STR("environment variable BATON_GLOBAL_REGOIN is no option, but BATON_GLOBAL_REGION is, "
		    "ignoring"),
		"typo");
	CU_ASSERT_EQUAL(c->log_level, LOG_INFO);
	config_free(c);
}

static void test_field_rules(void)
{
	static const struct {
		struct start start;
		const char *error;
	} cases[] = {
		{{.args = {"--http-timeout-seconds=0"}}, "errors found:\nfield http-timeout-seconds: value "
							 "must be greater than or equal to 1 but got 0"},
		{{.args = {"--http-timeout-seconds=-5"}}, "errors found:\nfield http-timeout-seconds: value "
							  "must be greater than or equal to 1 but got -5"},
		{{.args = {"--http-timeout-seconds=1801"}},
			"errors found:\nfield http-timeout-seconds: value must be less than or equal to 1800 "
			"but got 1801"},
		{{.args = {"--http-timeout-seconds=1800"}}, NULL},
		{{.args = {"--http-timeout-seconds=5m"}}, "errors found:\nfield http-timeout-seconds: value "
							  "must be a whole number but got '5m'"},
		{{.args = {"--http-timeout-seconds=99999999999999999999"}},
			"errors found:\nfield http-timeout-seconds: value must be a whole number but got "
			"'99999999999999999999'"},
		{{.args = {"--create-account-resource-type=group"}},
			"errors found:\nfield create-account-resource-type: value must be one of [iam_user "
			"sso_user] but got 'group'"},
		{{.args = {"--create-account-resource-type="}}, NULL},
		{{.args = {"--global-aws-sso-region="}}, NULL},
		{{.args = {"--global-aws-sso-region=ap-southeast-7"}}, NULL},
		{{.args = {"--global-aws-sso-region=eusc-de-east-1"}}, NULL},
		{{.args = {"--global-aws-sso-region=us-gov-west-1"}}, NULL},
		{{.args = {"--global-aws-sso-region=Frankfurt"}},
			"errors found:\nfield global-aws-sso-region: value must be one of [us-east-2 "
			"us-east-1 us-west-1 us-west-2 "
			"af-south-1 ap-east-1 ap-southeast-3 ap-south-1 ap-northeast-3 ap-northeast-2 "
			"ap-southeast-1 ap-southeast-2 "
			"ap-northeast-1 ca-central-1 eu-central-1 eu-west-1 eu-west-2 eu-south-1 eu-west-3 "
			"eu-north-1 me-south-1 "
			"me-central-1 sa-east-1] but got 'Frankfurt'"},
		{{.args = {"--global-region=us-east-1.evil.example"}},
			"errors found:\nfield global-region: value must be a region name such as us-east-1 "
			"but got "
			"'us-east-1.evil.example'"},
		{{.args = {"--rpc-threads=0", "--drain-seconds=x", "--create-account-resource-type=y"}},
			"errors found:\n"
			"field rpc-threads: value must be greater than or equal to 1 but got 0\n"
			"field drain-seconds: value must be a whole number but got 'x'\n"
			"field create-account-resource-type: value must be one of [iam_user sso_user] but "
			"got 'y'"},
		{{.args = {"--create-account-resource-type=\x1b[2J\n"}},
			"errors found:\nfield create-account-resource-type: value must be one of [iam_user "
			"sso_user] but got ' [2J\n'"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check(&cases[i].start, cases[i].error, cases[i].start.args[0]);
}

static void test_addresses(void)
{
	static const struct {
		const char *address;
		bool ok;
	} cases[] = {{"127.0.0.1:50051", true}, {"localhost:0", true}, {"0.0.0.0:65535", true},
		{"[::]:50051", true}, {"[fe80::1%eth0]:1", true}, {"unix:/run/x.sock", true},
		{"127.0.0.1", false}, {":50051", false}, {"127.0.0.1:65536", false}, {"127.0.0.1:-1", false},
		{"127.0.0.1:", false}, {"::1:50051", false}, {"[::1:50051", false}, {"unix:relative", false},
		{"unix:/", false}, {"a b:1", false}, {"http://x:1", false}};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char flag[64], error[256];

		(void)snprintf(flag, sizeof(flag), "--listen=%s", cases[i].address);
		(void)snprintf(error, sizeof(error),
			"errors found:\nfield listen: value must be host:port, [v6]:port or unix:/path but "
			"got '%s'",
			cases[i].address);
		check(&(struct start){.args = {flag}}, cases[i].ok ? NULL : error, flag);
	}
	check(&(struct start){.args = {"--admin-listen=unix:/x"}},
		"errors found:\nfield admin-listen: value must be host:port or [v6]:port but got 'unix:/x'",
		"admin-listen");
	check(&(struct start){.args = {"--admin-listen=127.0.0.1:9090"}}, NULL, "admin-listen");
}

static void test_dependencies(void)
{
	static const struct {
		struct start start;
		const char *error;
	} cases[] = {
		{{.args = {"--use-assume"}},
			"set fields ('use-assume') are dependent on ('role-arn') being set"},
		{{.args = {"--use-assume=false"}}, NULL},
		{{.args = {"--global-aws-cross-account-iam-enabled"}},
			"set fields ('global-aws-cross-account-iam-enabled') are dependent on "
			"('global-aws-orgs-enabled' and "
			"'global-aws-sso-enabled') being set"},
		{{.args = {"--global-aws-cross-account-iam-enabled", "--global-aws-orgs-enabled"}},
			"set fields ('global-aws-cross-account-iam-enabled') are dependent on "
			"('global-aws-sso-enabled') being set"},
		{{.args = {"--global-access-key-id=AKIA"}},
			"set fields ('global-access-key-id') are dependent on ('global-secret-access-key') "
			"being set"},
		{{.args = {"--global-secret-access-key=hunter2"}},
			"set fields ('global-secret-access-key') are dependent on ('global-access-key-id') "
			"being set"},
		{{.args = {"--global-access-key-id=AKIA", "--global-secret-access-key=hunter2"}}, NULL},
		{{.args = {"--tls-cert-file=c"}},
			"set fields ('tls-cert-file') are dependent on ('tls-key-file') being set"},
		{{.args = {"--tls-key-file=k"}},
			"set fields ('tls-key-file') are dependent on ('tls-cert-file') being set"},
		{{.args = {"--tls-client-ca-file=a"}}, "set fields ('tls-client-ca-file') are dependent on "
						       "('tls-cert-file' and 'tls-key-file') being set"},
		{{.args = {"--tls-cert-file=c", "--tls-key-file=k", "--tls-client-ca-file=a"}}, NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check(&cases[i].start, cases[i].error, cases[i].start.args[0]);
}

#define BAD_ARN  "baton-aws: invalid role ARN: "
#define BAD_NAME BAD_ARN "invalid resource: must match regexp '^role/([\\W+=,.@-]{1,64})$'"
#define AAAA     "aaaaaaaaaaaaaaaa"
#define A64      AAAA AAAA AAAA AAAA

static void test_role_arns(void)
{
	static const struct {
		const char *arn, *error;
	} cases[] = {
		{ARN, NULL},
		{"arn:aws:iam::123456789012:role/a/b/David", NULL},
		{"arn:aws:iam::123456789012:role/Da_vid+=,.@-9", NULL},
		{"arn:aws:iam::123456789012:role/" A64, NULL},
		{"arn:aws-cn:iam::123456789012:role/David", NULL},
		{"arn:aws-us-gov:iam::123456789012:role/David", NULL},
		{"arn:aws-eusc:iam::123456789012:role/David", NULL},
		{"David", BAD_ARN "arn: invalid prefix"},
		{"arn", BAD_ARN "arn: invalid prefix"},
		{"arn:aws:iam::123456789012", BAD_ARN "arn: not enough sections"},
		{"arn:other:iam::123456789012:role/David", BAD_ARN "only aws partition supported"},
		{"arn:aws:s3:::my_corporate_bucket/exampleobject.png",
			BAD_ARN "invalid service: must be 'iam'"},
		{"arn:aws:iam:us-east-1:123456789012:role/David", BAD_ARN "invalid region: must be empty"},
		{"arn:aws:iam::12345678901:role/David",
			BAD_ARN "invalid account id: must be 12 characters long"},
		{"arn:aws:iam::12345678901x:role/David",
			BAD_ARN "invalid account id: must be 12 characters long"},
		{"arn:aws:iam::123456789012:user/David", BAD_ARN "invalid resource: must start with 'role/'"},
		{"arn:aws:iam::123456789012:role/", BAD_NAME},
		{"arn:aws:iam::123456789012:role/a/", BAD_NAME},
		{"arn:aws:iam::123456789012:role/++!", BAD_NAME},
		{"arn:aws:iam::123456789012:role/D vid", BAD_NAME},
		{"arn:aws:iam::123456789012:role/a b/David", BAD_NAME},
		{"arn:aws:iam::123456789012:role/a:David", BAD_NAME},
		{"arn:aws:iam::123456789012:role/a" A64, BAD_NAME},
		{"arn:aws:iam::123456789012:role/D\xc3\xa9", BAD_NAME},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		check(&(struct start){.args = {"--use-assume", "--role-arn", cases[i].arn}}, cases[i].error,
			cases[i].arn);
		/* without --use-assume it only names the account */
		check(&(struct start){.args = {"--role-arn", cases[i].arn}}, NULL, cases[i].arn);
	}
	check(&(struct start){.args = {"--use-assume", "--role-arn=" ARN, "--external-id=" ID_32,
				      "--global-role-arn=x"}},
		"baton-aws: invalid global role ARN: arn: invalid prefix", "global-role-arn");
}

/* spec of the accepted and rejected combinations: one hop asks nothing of the external id, two hops do. */
static void test_external_id(void)
{
	static const struct {
		struct start start;
		const char *error;
	} cases[] = {
		{{.args = {"--use-assume", "--role-arn=" ARN}}, NULL},
		{{.args = {"--use-assume", "--role-arn=" ARN, "--external-id=1"}}, NULL},
		{{.args = {"--use-assume", "--role-arn=" ARN, "--external-id=" ID_32}}, NULL},
		{{.args = {"--use-assume", "--external-id=" ID_32}},
			"set fields ('use-assume') are dependent on ('role-arn') being set"},
		{{.args = {"--use-assume", "--role-arn=" ARN, "--global-role-arn=" ARN}},
			"baton-aws: external id is missing"},
		{{.args = {"--use-assume", "--role-arn=" ARN, "--global-role-arn=" ARN, "--external-id=1"}},
			"baton-aws: aws_external_id must be between 32 and 64 bytes"},
		{{.args = {"--use-assume", "--role-arn=" ARN, "--global-role-arn=" ARN,
			  "--external-id=" ID_32}},
			NULL},
		{{.args = {"--use-assume", "--role-arn=" ARN, "--global-role-arn=" ARN,
			  "--external-id=" ID_64}},
			NULL},
		{{.args = {"--use-assume", "--role-arn=" ARN, "--global-role-arn=" ARN,
			  "--external-id=" ID_64 "5"}},
			"baton-aws: aws_external_id must be between 32 and 64 bytes"},
		{{.args = {"--role-arn=" ARN, "--global-role-arn=" ARN}}, NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check(&cases[i].start, cases[i].error, "external-id");
}

static void test_identity_center(void)
{
	check(&(struct start){.args = {"--global-aws-sso-enabled"}},
		"baton-aws: SSO Support requires Org support to also be enabled. Please enable both",
		"sso without orgs");
	check(&(struct start){.args = {"--create-account-resource-type=sso_user"}},
		"baton-aws: BATON_CREATE_ACCOUNT_RESOURCE_TYPE=sso_user requires "
		"BATON_GLOBAL_AWS_SSO_ENABLED=true",
		"sso_user without sso");
}

static void test_what_is_not_available_is_refused(void)
{
	static const struct {
		struct start start;
		const char *error;
	} cases[] = {
		{{.args = {"--provisioning"}},
			"--provisioning is not available in this version yet: start without it"},
		{{.args = {"-p"}}, "--provisioning is not available in this version yet: start without it"},
		{{.env = {"BATON_PROVISIONING=true"}},
			"--provisioning is not available in this version yet: start without it"},
		{{.yaml = "provisioning: true\n"},
			"--provisioning is not available in this version yet: start without it"},
		{{.args = {"--provisioning=false"}}, NULL},
		{{.args = {"--sync-secrets", "--global-aws-orgs-enabled"}}, NULL},
		{{.args = {"--sync-sso-user-last-login"}}, NULL},
		{{.args = {"--global-aws-orgs-enabled", "--global-aws-sso-enabled",
			  "--create-account-resource-type=sso_user"}},
			NULL},
		{{.args = {"--client-id=x"}}, "service mode (--client-id) is not part of this server: the "
					      "sync engine runs apart and calls it"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check(&cases[i].start, cases[i].error, "not available");
}

#define IN_FILE "configuration file '%s/.baton.yaml': "

static void test_yaml(void)
{
	static const struct {
		const char *yaml, *error;
	} cases[] = {
		{"", NULL},
		{"# nothing\n", NULL},
		{"---\n", NULL},
		{"{}\n", NULL},
		{"%YAML 1.1\n---\nglobal-region: eu-west-1\n...\n", NULL},
		{"\"global-region\": 'eu-west-1'\n", NULL},
		{"{global-region: eu-west-1, rpc-threads: 4}\n", NULL},
		{"global-region: ~\nrole-arn: null\n", NULL},
		{"rpc-threads: 4.5\n",
			"errors found:\nfield rpc-threads: value must be a whole number but got '4.5'"},
		{"global-regoin: x\n",
			IN_FILE "line 1: unknown option 'global-regoin'; did you mean 'global-region'?"},
		{"a: 1\n", IN_FILE "line 1: unknown option 'a'"},
		{"\nglobal-region: a\nglobal-region: b\n", IN_FILE "line 3: the key was given before"},
		{"global-region: [a]\n", IN_FILE "line 1: 'global-region' takes one value, not a list"},
		{"global-region: {a: b}\n",
			IN_FILE "line 1: a value must be plain or a list of plain values"},
		{"listen: [[a]]\n", IN_FILE "line 1: a list may hold plain values only"},
		{"listen: [{a: b}]\n", IN_FILE "line 1: a list may hold plain values only"},
		{"? [a]\n: b\n", IN_FILE "line 1: a key must be plain"},
		{"global-region: &x eu-west-1\n", IN_FILE "line 1: anchors are not supported"},
		{"global-region: *x\n", IN_FILE "line 1: aliases are not supported"},
		{"listen: &x [a]\n", IN_FILE "line 1: a value must be plain or a list of plain values"},
		{"- a\n", IN_FILE "line 1: expected lines of the form 'option: value'"},
		{"hunter2\n", IN_FILE "line 1: expected lines of the form 'option: value'"},
		{"---\nglobal-region: eu-west-1\n---\na: b\n",
			IN_FILE "line 3: a second document is not supported"},
		{"global-region: \"\\0\"\n", IN_FILE "line 1: a NUL character in a value"},
		{"global-region: 'eu\n", IN_FILE "line 2: not YAML: found unexpected end of stream"},
		{"global-region: \xff\n", IN_FILE "line 1: not YAML: invalid leading UTF-8 octet"},
		{"\tglobal-region: x\n",
			IN_FILE "line 1: not YAML: found character that cannot start any token"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(buf_deinit) struct buf error;
		struct str want = str_c(cases[i].error);

		buf_init(&error, 1000);
		if (str_starts(want, STR(IN_FILE)))
			buf_fmt(&error, IN_FILE "%s", dir, cases[i].error + sizeof(IN_FILE) - 1);
		else
			buf_str(&error, want);
		check(&(struct start){.yaml = cases[i].yaml}, error.p, cases[i].yaml);
	}
}

static void test_yaml_depth_and_size(void)
{
	CLEANUP(buf_deinit) struct buf yaml;
	struct buf report;

	buf_init(&yaml, 4 << 20);
	buf_c(&yaml, "listen: ");
	for (int i = 0; i < 100000; i++)
		buf_char(&yaml, '[');
	CU_ASSERT_PTR_NULL(load(&(struct start){.yaml = yaml.p}, &report));
	CU_ASSERT(str_contains(buf_view(&report), STR("a list may hold plain values only")));
	buf_deinit(&report);

	buf_reset(&yaml);
	for (int i = 0; i < 2 << 20; i++)
		buf_char(&yaml, '#');
	CU_ASSERT_PTR_NULL(load(&(struct start){.yaml = yaml.p}, &report));
	CU_ASSERT(str_contains(buf_view(&report), STR("it is larger than 1048576 bytes")));
	buf_deinit(&report);

	buf_reset(&yaml);
	buf_c(&yaml, "listen: [");
	for (int i = 0; i < 2000; i++)
		buf_c(&yaml, "a,");
	buf_c(&yaml, "]\n");
	CU_ASSERT_PTR_NULL(load(&(struct start){.yaml = yaml.p}, &report));
	CU_ASSERT(str_contains(buf_view(&report), STR("the list is too long")));
	buf_deinit(&report);
}

static void test_named_file(void)
{
	char variable[128], path[64], error[256];
	struct start start = {.env = {variable}};
	struct config *c;

	check(&(struct start){.env = {"BATON_CONFIG_PATH=/etc/baton.conf"}},
		"expected config file to have .yaml or .yml extension", "extension");
	check(&(struct start){.env = {"BATON_CONFIG_PATH=/nonexistent/x.yaml"}},
		"configuration file '/nonexistent/x.yaml' cannot be opened: No such file or directory",
		"missing");

	(void)snprintf(path, sizeof(path), "%s/other.yml", dir);
	(void)snprintf(variable, sizeof(variable), "BATON_CONFIG_PATH=%s", path);
	write_file(path, "global-region: eu-west-1\n");
	start.yaml = "global-region: eu-west-2\n"; /* the default file is not looked at */
	c = must_load(&start);
	ASSERT_STR(c->global_region, STR("eu-west-1"), "named file");
	ASSERT_STR(c->file, str_c(path), "file");
	config_free(c);

	(void)unlink(path);

	(void)snprintf(path, sizeof(path), "%s/d.yaml", dir);
	(void)snprintf(variable, sizeof(variable), "BATON_CONFIG_PATH=%s", path);
	(void)snprintf(error, sizeof(error), "configuration file '%s': cannot be read: Is a directory", path);
	CU_ASSERT_EQUAL_FATAL(mkdir(path, 0700), 0);
	check(&start, error, "a directory");
	(void)rmdir(path);
}

static void test_log_options(void)
{
	static const struct {
		struct start start;
		enum log_level level;
		enum log_format format;
	} cases[] = {
		{{.args = {"--log-level=debug"}}, LOG_DEBUG, LOG_JSON},
		{{.args = {"--log-level=WARN"}}, LOG_WARN, LOG_JSON},
		{{.args = {"--log-level=error", "--log-format=console"}}, LOG_ERROR, LOG_CONSOLE},
		{{.args = {"--log-level="}}, LOG_INFO, LOG_JSON},
		{{.is_tty = true}, LOG_INFO, LOG_CONSOLE},
		{{.is_tty = true, .args = {"--log-format=json"}}, LOG_INFO, LOG_JSON},
		{{.is_tty = true, .args = {"--log-format=fancy"}}, LOG_INFO, LOG_JSON},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct config *c = must_load(&cases[i].start);

		ASSERT_I64(c->log_level, cases[i].level, "level");
		ASSERT_I64(c->log_format, cases[i].format, "format");
		config_free(c);
	}
}

static void test_secrets_are_in_no_message(void)
{
	struct config *c = must_load(
		&(struct start){.args = {"--global-access-key-id=AKIA", "--global-secret-access-key=hunter2"},
			.env = {"BATON_CLIENT_SECRET=x"}});

	ASSERT_STR(secret_reveal(c->global_secret_access_key), STR("hunter2"), "secret");
	config_free(c);
	/* whatever else is wrong, and wherever the secret comes from */
	for (size_t i = 0; i < server_options.n; i++) {
		const struct option *o = &server_options.items[i];
		char flag[128], env[128], yaml[128], name[OPTION_ENV_MAX];
		struct start starts[] = {{.args = {flag, "--rpc-threads=0"}},
			{.env = {env}, .args = {"--unknown"}}, {.yaml = yaml, .args = {"--use-assume"}}};

		if (!option_is_sensitive(o))
			continue;
		option_env_name(o, name);
		(void)snprintf(flag, sizeof(flag), "--%s=hunter2", o->name);
		(void)snprintf(env, sizeof(env), "%s=hunter2", name);
		(void)snprintf(yaml, sizeof(yaml), "%s: hunter2\n", o->name);
		for (size_t k = 0; k < ARRAY_LEN(starts); k++) {
			struct buf report;

			CU_ASSERT_PTR_NULL(load(&starts[k], &report));
			CU_ASSERT(!str_contains(buf_view(&report), STR("hunter2")));
			buf_deinit(&report);
		}
	}
}

/* --- Tables and documentation --- */

static void read_document(struct buf *text)
{
	FILE *f = fopen(DOCUMENT, "r");
	char chunk[4096];
	size_t n;

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	buf_init(text, 1 << 20);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(text, chunk, n);
	(void)fclose(f);
}

static void check_documented(const struct option_table *t, struct str document)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct option *o = &t->items[i];
		char row[512], name[80];

		(void)snprintf(name, sizeof(name), "`--%s`", o->name);
		(void)snprintf(row, sizeof(row), "| %s | ", name);
		if (o->show == OPTION_SHOWN) {
			struct str rest = str_from(document, (size_t)str_find(document, str_c(row)));

			CU_ASSERT(unit_i64_eq(str_contains(document, str_c(row)), true, row));
			if (o->preset)
				CU_ASSERT(unit_i64_eq(
					str_contains(str_cut(&rest, '\n'), str_c(o->preset)), true, row));
		}
		CU_ASSERT(unit_i64_eq(str_contains(document, str_c(name)), true, name));
	}
}

static void test_every_option_is_documented(void)
{
	CLEANUP(buf_deinit) struct buf document;

	read_document(&document);
	check_documented(&server_options, buf_view(&document));
	check_documented(&client_options, buf_view(&document));
}

static void test_example_in_the_documentation_works(void)
{
	CLEANUP(buf_deinit) struct buf document;
	struct str yaml;
	struct config *c;
	ptrdiff_t at;

	read_document(&document);
	at = str_find(buf_view(&document), STR("```yaml\n"));
	CU_ASSERT_FATAL(at >= 0);
	yaml = str_from(buf_view(&document), (size_t)at + strlen("```yaml\n"));
	at = str_find(yaml, STR("```"));
	CU_ASSERT_FATAL(at >= 0);
	document.p[(size_t)(yaml.p - document.p) + (size_t)at] = '\0';
	c = must_load(&(struct start){.yaml = yaml.p});
	ASSERT_I64(c->listen.n, 2, "listen");
	ASSERT_STR(c->listen.items[1], STR("unix:/run/baton-awsd/grpc.sock"), "listen");
	CU_ASSERT(c->use_assume);
	config_free(c);
}

static void test_tables_are_sound(void)
{
	const struct option_table *tables[] = {&server_options, &client_options};

	for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
		for (size_t i = 0; i < tables[t]->n; i++) {
			const struct option *o = &tables[t]->items[i], *other;

			CU_ASSERT_PTR_EQUAL(options_find(tables[t], str_c(o->name)), o); /* no name twice */
			CU_ASSERT_PTR_NOT_NULL(o->help);
			CU_ASSERT_EQUAL(o->show == OPTION_REFUSED, o->refusal != NULL);
			CU_ASSERT(!o->accept || o->select || o->expects);
			if (o->show == OPTION_SHOWN)
				CU_ASSERT_EQUAL(o->type == OPTION_BOOL, o->value == NULL);
			if (o->letter)
				CU_ASSERT_PTR_EQUAL(options_find_letter(tables[t], o->letter), o);
			/* settings_argument() tells a value from a command without knowing the table */
			other = options_find(tables[1 - t], str_c(o->name));
			if (other)
				CU_ASSERT_EQUAL(o->type == OPTION_BOOL, other->type == OPTION_BOOL);
		}
	}
}

/* --- Commands --- */

static void test_commands(void)
{
	static const struct {
		const char *args[5];
		enum command_kind kind, topic;
		const char *error;
	} cases[] = {
		{{"serve"}, COMMAND_SERVE, COMMAND_HELP, NULL},
		{{"crawl", "--target", "x:1"}, COMMAND_CRAWL, COMMAND_HELP, NULL},
		{{"--listen", "serve", "healthcheck"}, COMMAND_HEALTHCHECK, COMMAND_HELP, NULL},
		{{"--dump-core", "serve"}, COMMAND_SERVE, COMMAND_HELP, NULL},
		{{"--dump-core=true", "serve"}, COMMAND_SERVE, COMMAND_HELP, NULL},
		{{"-f", "x", "serve"}, COMMAND_SERVE, COMMAND_HELP, NULL},
		{{"capabilities"}, COMMAND_CAPABILITIES, COMMAND_HELP, NULL},
		{{"version"}, COMMAND_VERSION, COMMAND_HELP, NULL},
		{{"--version"}, COMMAND_VERSION, COMMAND_HELP, NULL},
		{{"serve", "-v"}, COMMAND_VERSION, COMMAND_HELP, NULL},
		{{"help"}, COMMAND_HELP, COMMAND_HELP, NULL},
		{{"-h"}, COMMAND_HELP, COMMAND_HELP, NULL},
		{{"help", "serve"}, COMMAND_HELP, COMMAND_SERVE, NULL},
		{{"serve", "--help"}, COMMAND_HELP, COMMAND_SERVE, NULL},
		{{"serve", "--role-arn", "--help"}, COMMAND_SERVE, COMMAND_HELP, NULL},
		{{"help", "nothing"}, COMMAND_COUNT, COMMAND_COUNT,
			"unknown command 'nothing'; 'baton-awsd help' lists the commands"},
		{{"sevre"}, COMMAND_COUNT, COMMAND_COUNT,
			"unknown command 'sevre'; 'baton-awsd help' lists the commands"},
		{{NULL}, COMMAND_COUNT, COMMAND_COUNT,
			"no command given; 'baton-awsd serve' starts the server, 'baton-awsd help' lists the "
			"commands"},
		{{"--dump-core"}, COMMAND_COUNT, COMMAND_COUNT,
			"no command given; 'baton-awsd serve' starts the server, 'baton-awsd help' lists the "
			"commands"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *argv[7] = {(char *)"baton-awsd"};
		char *env[] = {NULL};
		struct config_source src = {.argc = 1, .argv = argv, .env = env, .cwd = dir};
		struct command command = {.kind = COMMAND_COUNT, .topic = COMMAND_COUNT};
		struct err err;
		enum err_code rc;

		for (size_t k = 0; cases[i].args[k]; k++)
			argv[src.argc++] = (char *)cases[i].args[k];
		rc = command_parse(&src, &command, &err);
		ASSERT_I64(rc, cases[i].error ? ERR_INVALID : ERR_OK,
			cases[i].args[0] ? cases[i].args[0] : "nothing");
		ASSERT_I64(command.kind, cases[i].kind, cases[i].args[0] ? cases[i].args[0] : "nothing");
		ASSERT_I64(command.topic, cases[i].topic, cases[i].args[0] ? cases[i].args[0] : "nothing");
		if (rc != ERR_OK)
			ASSERT_STR(str_c(err.msg), str_c(cases[i].error), "command_parse");
	}
}

static void check_width(struct str text)
{
	while (text.p) {
		struct str line = str_cut(&text, '\n');

		CU_ASSERT(unit_i64_eq(line.n <= 100, true, "width of a help line"));
	}
}

static void test_help(void)
{
	for (int topic = 0; topic < COMMAND_COUNT; topic++) {
		CLEANUP(buf_deinit) struct buf out;

		buf_init(&out, 1 << 20);
		command_help((enum command_kind)topic, &out);
		CU_ASSERT(out.n > 100 && !out.overflow);
		check_width(buf_view(&out));
		for (size_t i = 0; topic == COMMAND_SERVE && i < server_options.n; i++)
			CU_ASSERT(str_contains(buf_view(&out), str_c(server_options.items[i].name)));
	}
}

static void test_client(void)
{
	char *argv[] = {(char *)"baton-awsd", (char *)"crawl", (char *)"--target", (char *)"unix:/x",
		(char *)"--cursors=3", (char *)"--progress=false"};
	char *bad[] = {
		(char *)"baton-awsd", (char *)"crawl", (char *)"--tls-cert-file=x", (char *)"--output=table"};
	char *worse[] = {(char *)"baton-awsd", (char *)"crawl", (char *)"--output=xml"};
	char *env[] = {(char *)"BATON_CURSORS=5", (char *)"BATON_TLS_CERT_FILE=/server.pem", NULL};
	struct config_source src = {.argc = 6, .argv = argv, .env = env, .cwd = dir};
	struct client_config *c;
	struct buf report;
	struct err err;

	buf_init(&report, 1000);
	CU_ASSERT_EQUAL_FATAL(client_config_load(&src, &c, &report, &err), ERR_OK);
	ASSERT_STR(c->target, STR("unix:/x"), "target");
	ASSERT_STR(c->output, STR("table"), "output");
	ASSERT_STR(c->tls_cert_file, STR(""), "the environment is the server's");
	ASSERT_I64(c->cursors, 3, "cursors");
	CU_ASSERT(!c->progress);
	client_config_free(c);

	src.argv = bad;
	src.argc = 4;
	CU_ASSERT_EQUAL(client_config_load(&src, &c, &report, &err), ERR_INVALID);
	ASSERT_STR(buf_view(&report),
		STR("set fields ('tls-cert-file') are dependent on ('tls-key-file' and 'tls-ca-file') being "
		    "set"),
		"tls");
	buf_reset(&report);
	src.argv = worse;
	src.argc = 3;
	CU_ASSERT_EQUAL(client_config_load(&src, &c, &report, &err), ERR_INVALID);
	ASSERT_STR(buf_view(&report),
		STR("errors found:\nfield output: value must be one of [table jsonl] but got 'xml'"),
		"output");
	buf_deinit(&report);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"defaults", test_defaults},
		{"every preset is a valid value", test_every_preset_is_a_valid_value},
		{"precedence", test_precedence},
		{"bool texts", test_bool_texts},
		{"bool flags", test_bool_flags},
		{"lists", test_lists},
		{"flag forms", test_flag_forms},
		{"every option of the engine is accepted", test_every_option_of_the_engine_is_accepted},
		{"warnings", test_warnings},
		{"field rules", test_field_rules},
		{"addresses", test_addresses},
		{"dependencies", test_dependencies},
		{"role ARNs", test_role_arns},
		{"external id", test_external_id},
		{"identity center", test_identity_center},
		{"what is not available is refused", test_what_is_not_available_is_refused},
		{"yaml", test_yaml},
		{"yaml depth and size", test_yaml_depth_and_size},
		{"named file", test_named_file},
		{"log options", test_log_options},
		{"secrets are in no message", test_secrets_are_in_no_message},
		{"every option is documented", test_every_option_is_documented},
		{"example in the documentation works", test_example_in_the_documentation_works},
		{"tables are sound", test_tables_are_sound},
		{"commands", test_commands},
		{"help", test_help},
		{"client", test_client},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"config", setup, teardown, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
