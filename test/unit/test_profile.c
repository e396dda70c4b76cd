/* layers: base aws
 *
 * The shared files: grammar, merging, limits, loading; and hostile text. */
#include "aws/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "support/cunit_main.h"

static struct shared_config *parse(const char *config, const char *credentials)
{
	struct shared_config *c = NULL;
	struct err err = {.msg = ""};

	CU_ASSERT_EQUAL(shared_config_parse(str_c(config), str_c(credentials), &c, &err), ERR_OK);
	ASSERT_STR(str_c(err.msg), STR_EMPTY, config);
	if (c == NULL)
		(void)!shared_config_parse(STR_EMPTY, STR_EMPTY, &c, &err);
	return c;
}

static struct str get(const struct shared_config *c, const char *profile, const char *key)
{
	return profile_get(shared_config_profile(c, str_c(profile)), key);
}

static void test_grammar(void)
{
	static const char text[] = "\xef\xbb\xbf# a comment\r\n"
				   "  ; another, indented\n"
				   "\n"
				   "[default]   # behind a header\n"
				   "Region = eu-west-3\n"
				   "no_space=1\n"
				   "empty =\n"
				   "equals = a=b\n"
				   "comment = x # y\n"
				   "no_comment = x#y;z\n"
				   "only_comment = # y\n"
				   "tab\t=\tx\t; y\n"
				   "twice = 1\n"
				   "TWICE = 2\n"
				   "long = a\n"
				   "   b\n"
				   "\tc = d\n"
				   "s3 =\n"
				   "  addressing_style = path   # comment\n"
				   "  # comment between\n"
				   "  max = 1\n"
				   "after = 1\r\n"
				   "[profile a b]\n"
				   "x = 1\n"
				   "[ profile\t\"quoted name\" ]\n"
				   "x = 2\n"
				   "[profile a b]\n"
				   "y = 3\n"
				   "[b]\n"
				   "x = not a profile here\n"
				   "[profile]\n"
				   "x = no name\n"
				   "[sso-session s]\n"
				   "sso_region = x\n"
				   "[services dev]\n"
				   "iam =\n"
				   "  endpoint_url = http://x\n"
				   "[profile indented]\n"
				   "  one = 1\n"
				   "  two = 2\n"
				   "    more\n"
				   "  three = 3";
	static const struct {
		const char *profile, *key, *want;
	} rows[] = {
		{"default", "region", "eu-west-3"},
		{"default", "REGION", "eu-west-3"},
		{"default", "no_space", "1"},
		{"default", "empty", ""},
		{"default", "equals", "a=b"},
		{"default", "comment", "x"},
		{"default", "no_comment", "x#y;z"},
		{"default", "only_comment", ""},
		{"default", "tab", "x"},
		{"default", "twice", "2"},
		{"default", "long", "a\nb\nc = d"},
		{"default", "s3", ""},
		{"default", "after", "1"},
		{"default", "missing", ""},
		{"a b", "x", "1"},
		{"a b", "y", "3"},
		{"quoted name", "x", "2"},
		{"indented", "one", "1"},
		{"indented", "two", "2\nmore"},
		{"indented", "three", "3"},
		{"default", "c", ""},
		{"default", "addressing_style", ""},
	};
	CLEANUP(shared_config_freep) struct shared_config *c = parse(text, "");
	const struct profile *p = shared_config_profile(c, STR("default"));

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ASSERT_STR(get(c, rows[i].profile, rows[i].key), str_c(rows[i].want), rows[i].key);
	ASSERT_STR(profile_get_sub(p, "s3", "Addressing_Style"), STR("path"), "below s3");
	ASSERT_STR(profile_get_sub(p, "s3", "max"), STR("1"), "below s3, behind a comment");
	ASSERT_STR(profile_get_sub(p, "s3", "x"), STR_EMPTY, "not there");
	ASSERT_STR(profile_get_sub(shared_config_services(c, STR("dev")), "iam", "endpoint_url"),
		STR("http://x"), "service");
	CU_ASSERT_PTR_NULL(shared_config_profile(c, STR("b")));
	CU_ASSERT_PTR_NULL(shared_config_profile(c, STR("dev")));
	CU_ASSERT_PTR_NULL(shared_config_profile(c, STR("")));
	CU_ASSERT_PTR_NULL(shared_config_services(c, STR("default")));
	ASSERT_STR(profile_get(NULL, "x"), STR_EMPTY, "no profile");
}

static void test_merging(void)
{
	CLEANUP(shared_config_freep)
	struct shared_config *c = parse("[default]\nregion = plain\noutput = plain\n"
					"[profile default]\nregion = prefixed\n"
					"[default]\nregion = plain again\n"
					"[profile p]\naws_access_key_id = config\naws_secret_access_key = "
					"config\naws_session_token = config\n"
					"region = config\n"
					"[profile q]\naws_session_token = kept\n",
		"[p]\naws_access_key_id = credentials\naws_secret_access_key = credentials\n"
		"[q]\naws_access_key_id = q\n"
		"[profile p]\nregion = a profile called 'profile p'\n");

	ASSERT_STR(get(c, "default", "region"), STR("prefixed"), "[profile default] wins");
	ASSERT_STR(get(c, "default", "output"), STR("plain"), "what it does not have");
	ASSERT_STR(get(c, "p", "aws_access_key_id"), STR("credentials"), "credentials file wins");
	ASSERT_STR(get(c, "p", "region"), STR("config"), "config file adds");
	ASSERT_STR(get(c, "p", "aws_session_token"), STR_EMPTY, "a token of the keys that lost");
	ASSERT_STR(get(c, "q", "aws_session_token"), STR("kept"), "no secret, nothing lost");
	ASSERT_STR(get(c, "profile p", "region"), STR("a profile called 'profile p'"),
		"no prefix in the credentials file");
}

static void test_bad_lines(void)
{
	static const struct {
		const char *text;
		unsigned line;
	} rows[] = {
		{"x = hunter2\n", 1},
		{"\n[default\nx = hunter2\n", 2},
		{"[default] hunter2\n", 1},
		{"[]\n", 1},
		{"[default]\nhunter2\n", 2},
		{"[default]\n= hunter2\n", 2},
		{"[default]\ns3 =\n  = hunter2\n", 3},
		{"[unknown section]\nhunter2\n", 2},
	};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct shared_config *c = NULL;
		struct err err = {.code = ERR_OK};
		struct str where = str_fmt(a, "credentials, line %u: ", rows[i].line);

		ASSERT_I64(shared_config_parse(STR_EMPTY, str_c(rows[i].text), &c, &err), ERR_INVALID,
			rows[i].text);
		CU_ASSERT_PTR_NULL(c);
		CU_ASSERT(str_starts(str_c(err.msg), where));
		CU_ASSERT_FALSE(str_contains(str_c(err.msg), STR("hunter2"))); /* a line may be a key */
	}
}

static enum err_code parse_buf(const struct buf *b)
{
	struct shared_config *c = NULL;
	struct err err;
	enum err_code rc = shared_config_parse(buf_view(b), STR_EMPTY, &c, &err);

	shared_config_free(c);
	return rc;
}

static void test_limits(void)
{
	CLEANUP(buf_deinit) struct buf b = {.n = 0};
	struct shared_config *c = NULL;
	struct err err;

	buf_init(&b, 4 << 20);
	buf_c(&b, "[default]\nx = ");
	for (size_t i = 0; i < PROFILE_MAX_LINE_BYTES; i++)
		buf_char(&b, 'x');
	CU_ASSERT_EQUAL(parse_buf(&b), ERR_INVALID);

	buf_reset(&b);
	for (int i = 0; i < 10001; i++)
		buf_fmt(&b, "[profile p%d]\n", i);
	CU_ASSERT_EQUAL(parse_buf(&b), ERR_TOO_LARGE);

	buf_reset(&b);
	buf_c(&b, "[default]\n");
	for (int i = 0; i < 256; i++)
		buf_fmt(&b, "k%d = 1\n", i);
	CU_ASSERT_EQUAL(parse_buf(&b), ERR_OK);
	buf_c(&b, "one_more = 1\n");
	CU_ASSERT_EQUAL(parse_buf(&b), ERR_INVALID);

	buf_reset(&b);
	buf_c(&b, "[default]\nx = 1\n");
	for (int i = 0; i < 17; i++)
		buf_c(&b, "  more\n");
	CU_ASSERT_EQUAL(parse_buf(&b), ERR_INVALID);

	buf_reset(&b);
	while (b.n <= PROFILE_MAX_FILE_BYTES)
		buf_c(&b, "# comment\n");
	CU_ASSERT_EQUAL(parse_buf(&b), ERR_TOO_LARGE);

	CU_ASSERT_EQUAL(shared_config_parse(STR("[default]\nx = a\0b\n"), STR_EMPTY, &c, &err), ERR_INVALID);
}

/* ---- files ---- */

static char folder[] = "/tmp/test_profile_XXXXXX";

static int make_folder(void)
{
	return mkdtemp(folder) ? 0 : 1;
}

static int remove_folder(void)
{
	static const char *const names[] = {
		"/.aws/config", "/.aws/credentials", "/.aws", "/other", "/large", ""};
	char path[200];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s%s", folder, names[i]);
		(void)remove(path);
	}
	return 0;
}

static void write_file(const char *name, const char *text, size_t times)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	while (times--)
		fputs(text, f);
	fclose(f);
}

static enum err_code load(const char *const *environ, const char *key, struct str want)
{
	CLEANUP(shared_config_freep) struct shared_config *c = NULL;
	struct err err = {.msg = ""};
	enum err_code rc = shared_config_load(environ, &c, &err);

	if (rc == ERR_OK)
		ASSERT_STR(profile_get(shared_config_profile(c, profile_selected_name(environ)), key), want,
			key);
	CU_ASSERT_FALSE(str_contains(str_c(err.msg), STR("hunter2")));
	return rc;
}

static void test_loading(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	const char *home = str_fmt(a, "HOME=%s", folder).p;
	const char *no_home = "HOME=/no/such/folder";
	const char *other = str_fmt(a, "AWS_CONFIG_FILE=%s/other", folder).p;
	const char *tilde = "AWS_CONFIG_FILE=~/other";
	const char *large = str_fmt(a, "AWS_CONFIG_FILE=%s/large", folder).p;
	const char *is_folder = str_fmt(a, "AWS_SHARED_CREDENTIALS_FILE=%s", folder).p;
	const char *missing = "AWS_CONFIG_FILE=/no/such/file";

	CU_ASSERT_EQUAL(mkdir(str_fmt(a, "%s/.aws", folder).p, 0700), 0);
	write_file(".aws/config", "[default]\nregion = home\n[profile p]\nregion = p\n", 1);
	write_file(".aws/credentials", "[default]\naws_access_key_id = AKIA\n[q]\nregion = q\n", 1);
	write_file("other", "[default]\nregion = other\n", 1);
	write_file("large", "# hunter2 hunter2 hunter2 hunter2 hunter2 hunter2\n", 30000);

	CU_ASSERT_EQUAL(load((const char *[]){home, NULL}, "region", STR("home")), ERR_OK);
	CU_ASSERT_EQUAL(load((const char *[]){home, NULL}, "aws_access_key_id", STR("AKIA")), ERR_OK);
	CU_ASSERT_EQUAL(load((const char *[]){home, other, NULL}, "region", STR("other")), ERR_OK);
	CU_ASSERT_EQUAL(load((const char *[]){home, tilde, NULL}, "region", STR("other")), ERR_OK);
	CU_ASSERT_EQUAL(load((const char *[]){home, missing, NULL}, "region", STR_EMPTY), ERR_OK);
	CU_ASSERT_EQUAL(load((const char *[]){no_home, NULL}, "region", STR_EMPTY), ERR_OK);
	CU_ASSERT_EQUAL(load((const char *[]){NULL}, "region", STR_EMPTY), ERR_OK);
	CU_ASSERT_EQUAL(load(NULL, "region", STR_EMPTY), ERR_OK);
	CU_ASSERT_EQUAL(load((const char *[]){home, "AWS_PROFILE=p", NULL}, "region", STR("p")), ERR_OK);
	CU_ASSERT_EQUAL(
		load((const char *[]){home, "AWS_DEFAULT_PROFILE=q", NULL}, "region", STR("q")), ERR_OK);
	CU_ASSERT_EQUAL(load((const char *[]){home, "AWS_PROFILE=p", "AWS_DEFAULT_PROFILE=q", NULL}, "region",
				STR("p")),
		ERR_OK);
	CU_ASSERT_EQUAL(
		load((const char *[]){home, "AWS_PROFILE=nobody", NULL}, "region", STR("")), ERR_INVALID);
	CU_ASSERT_EQUAL(
		load((const char *[]){home, "AWS_DEFAULT_PROFILE=nobody", NULL}, "region", STR("")), ERR_OK);
	CU_ASSERT_EQUAL(load((const char *[]){home, large, NULL}, "region", STR("")), ERR_TOO_LARGE);
	CU_ASSERT_EQUAL(load((const char *[]){home, is_folder, NULL}, "region", STR("")), ERR_INVALID);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"grammar", test_grammar},
		{"merging", test_merging},
		{"bad lines", test_bad_lines},
		{"limits", test_limits},
		{"loading", test_loading},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{"profile", make_folder, remove_folder, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
