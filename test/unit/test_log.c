/* layers: base */
#include "base/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/thread.h"
#include "support/cunit_main.h"

static char last_line[1 << 17];
static char log_file[] = "/tmp/test_log_XXXXXX";

static void keep_line(void *arg, struct str line)
{
	(void)arg;
	CU_ASSERT_FATAL(line.n < sizeof(last_line));
	memcpy(last_line, line.p, line.n);
	last_line[line.n] = '\0';
}

static void start(enum log_level level, enum log_format format)
{
	struct log_options opts = {.level = level, .format = format};
	struct err err;

	CU_ASSERT_EQUAL_FATAL(log_init(&opts, &err), ERR_OK);
	log_capture(keep_line, NULL);
	last_line[0] = '\0';
}

static int stop(void)
{
	log_capture(NULL, NULL);
	log_deinit();
	return 0;
}

/* Behind the time stamp, whose width is fixed: "2026-11-21T02:35:00.123Z". */
static const char *after_time(const char *line)
{
	return strlen(line) > 24 ? line + 24 : line;
}

static void test_json_is_json_whatever_comes_in(void)
{
	static const struct {
		struct str in, want;
	} cases[] = {
		{STR_INIT("plain"), STR_INIT("plain")},
		{STR_INIT(""), STR_INIT("")},
		{STR_INIT("a\"b\\c"), STR_INIT("a\"b\\c")},
		{STR_INIT("two\nlines\r\t\x01\x1b[31m"), STR_INIT("two\nlines\r\t\x01\x1b[31m")},
		{STR_INIT("\xc3\xa9\xf0\x9f\x98\x80"), STR_INIT("\xc3\xa9\xf0\x9f\x98\x80")},
		{STR_INIT("bad \xff\xc3"), STR_INIT("bad \xef\xbf\xbd\xef\xbf\xbd")},
		{STR_INIT("\",\"level\":\"error"), STR_INIT("\",\"level\":\"error")},
	};
	start(LOG_INFO, LOG_JSON);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena *a = arena_new(0);
		const struct json *j = NULL;
		struct err err;

		log_warn("it happened", LOG_STR("value", cases[i].in), LOG_I64("n", -7),
			LOG_BOOL("yes", true));
		CU_ASSERT_PTR_NULL(strchr(last_line, '\n'));
		CU_ASSERT_EQUAL_FATAL(json_parse(a, str_c(last_line), 1 << 16, &j, &err), ERR_OK);
		ASSERT_STR(json_str(json_get(j, STR("level"))), STR("warn"), "level");
		ASSERT_STR(json_str(json_get(j, STR("msg"))), STR("it happened"), "msg");
		ASSERT_STR(json_str(json_get(j, STR("value"))), cases[i].want, "value");
		ASSERT_I64(json_get(j, STR("n"))->integer, -7, "n");
		CU_ASSERT(json_get(j, STR("yes"))->boolean);
		ASSERT_I64(json_str(json_get(j, STR("ts"))).n, 24, "length of ts");
		arena_free(a);
	}
}

static void test_console(void)
{
	start(LOG_INFO, LOG_CONSOLE);
	log_info("rpc", LOG_CSTR("method", "/c1/Do"), LOG_CSTR("why", "two words"), LOG_CSTR("empty", ""),
		LOG_I64("ms", 3), LOG_BOOL("ok", false));
	CU_ASSERT_STRING_EQUAL(after_time(last_line),
		"  info   rpc  method=/c1/Do why=\"two words\" empty=\"\" ms=3 ok=false");
	log_error("no fields");
	CU_ASSERT_STRING_EQUAL(after_time(last_line), "  error  no fields");
}

static void test_no_escape_sequence_reaches_a_terminal(void)
{
	start(LOG_INFO, LOG_CONSOLE);
	log_info("x \x1b[2J\n y", LOG_CSTR("v", "\x1b[2J"), LOG_CSTR("w", "a=b"));
	CU_ASSERT_STRING_EQUAL(after_time(last_line), "  info   x  [2J  y  v=\"\\u001b[2J\" w=\"a=b\"");
}

static void test_levels(void)
{
	start(LOG_WARN, LOG_JSON);
	log_info("quiet");
	CU_ASSERT_STRING_EQUAL(last_line, "");
	CU_ASSERT(!log_enabled(LOG_INFO));
	log_warn("loud");
	CU_ASSERT_PTR_NOT_NULL(strstr(last_line, "loud"));
	start(LOG_DEBUG, LOG_JSON);
	log_debug("all of it");
	CU_ASSERT_PTR_NOT_NULL(strstr(last_line, "all of it"));
}

static void test_long_values_are_cut(void)
{
	static char big[100000];

	memset(big, 'x', sizeof(big) - 1);
	start(LOG_INFO, LOG_JSON);
	log_info("big", LOG_CSTR("a", big), LOG_CSTR("b", "last"));
	CU_ASSERT(strlen(last_line) < 5000);
	CU_ASSERT_PTR_NOT_NULL(strstr(last_line, "\"b\":\"last\"}"));
}

static size_t count_lines(const char *path)
{
	FILE *f = fopen(path, "r");
	size_t n = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	for (int c = getc(f); c != EOF; c = getc(f))
		n += c == '\n';
	(void)fclose(f);
	return n;
}

static void *write_many(void *arg)
{
	(void)arg;
	for (int i = 0; i < 200; i++)
		log_info("line", LOG_I64("i", i));
	return NULL;
}

static void test_threads_write_whole_lines_to_a_file(void)
{
	const char *paths[] = {log_file, NULL};
	struct log_options opts = {.level = LOG_INFO, .format = LOG_JSON, .paths = paths};
	struct thread threads[4];
	struct err err;
	FILE *f;
	char line[256];
	int fd = mkstemp(log_file);

	CU_ASSERT_FATAL(fd >= 0);
	(void)close(fd);
	log_capture(NULL, NULL);
	CU_ASSERT_EQUAL_FATAL(log_init(&opts, &err), ERR_OK);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		CU_ASSERT_EQUAL_FATAL(thread_start(&threads[i], "log", 0, write_many, NULL, &err), ERR_OK);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		thread_join(&threads[i]);
	log_deinit();
	ASSERT_I64(count_lines(log_file), 800, "lines");
	f = fopen(log_file, "r");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	while (fgets(line, sizeof(line), f)) {
		CU_ASSERT_EQUAL(line[0], '{');
		CU_ASSERT_EQUAL(line[strlen(line) - 2], '}');
	}
	(void)fclose(f);
	(void)unlink(log_file);
}

static void test_a_file_that_cannot_be_opened_changes_nothing(void)
{
	const char *paths[] = {"stderr", "/nonexistent/dir/log", NULL};
	struct log_options opts = {.level = LOG_DEBUG, .format = LOG_JSON, .paths = paths};
	struct err err;

	start(LOG_WARN, LOG_CONSOLE);
	CU_ASSERT_EQUAL(log_init(&opts, &err), ERR_INVALID);
	CU_ASSERT_STRING_EQUAL(
		err.msg, "log file '/nonexistent/dir/log' cannot be opened: No such file or directory");
	CU_ASSERT(!log_enabled(LOG_INFO));
}

static void test_too_many_files(void)
{
	const char *paths[] = {"stderr", "stderr", "stderr", "stderr", "stderr", "stderr", "stderr", "stderr",
		"stderr", NULL};
	struct log_options opts = {.level = LOG_INFO, .paths = paths};
	struct err err;

	CU_ASSERT_EQUAL(log_init(&opts, &err), ERR_INVALID);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"json is json whatever comes in", test_json_is_json_whatever_comes_in},
		{"console", test_console},
		{"no escape sequence reaches a terminal", test_no_escape_sequence_reaches_a_terminal},
		{"levels", test_levels},
		{"long values are cut", test_long_values_are_cut},
		{"threads write whole lines to a file", test_threads_write_whole_lines_to_a_file},
		{"a file that cannot be opened changes nothing",
			test_a_file_that_cannot_be_opened_changes_nothing},
		{"too many files", test_too_many_files},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"log", NULL, stop, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
