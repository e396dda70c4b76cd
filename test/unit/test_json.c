/* layers: base */
#include "base/json.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "support/cunit_main.h"

#define MAX_BYTES (1 << 20)

static struct arena *arena;

static int setup(void)
{
	arena = arena_new(0);
	return 0;
}

static int teardown(void)
{
	arena_free(arena);
	return 0;
}

/* A tree as text of our own, so that a table can say what a document means. */
static void render(struct buf *out, const struct json *j)
{
	switch (j->kind) {
	case JSON_NULL:
		buf_c(out, "null");
		break;
	case JSON_BOOL:
		buf_c(out, j->boolean ? "true" : "false");
		break;
	case JSON_NUMBER:
		if (j->is_int)
			buf_fmt(out, "i%lld", (long long)j->integer);
		else
			buf_fmt(out, "r%g", j->number);
		break;
	case JSON_STRING:
		buf_fmt(out, "'" STR_FMT "'", STR_ARG(j->string));
		break;
	case JSON_ARRAY:
		buf_char(out, '[');
		for (size_t i = 0; i < j->n; i++) {
			buf_c(out, i ? "," : "");
			render(out, &j->items[i]);
		}
		buf_char(out, ']');
		break;
	case JSON_OBJECT:
		buf_char(out, '{');
		for (size_t i = 0; i < j->n; i++) {
			buf_fmt(out, "%s" STR_FMT "=", i ? "," : "", STR_ARG(j->keys[i]));
			render(out, &j->items[i]);
		}
		buf_char(out, '}');
		break;
	}
}

static void test_documents(void)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"{}", "{}"},
		{"[]", "[]"},
		{"null", "null"},
		{" true ", "true"},
		{"false", "false"},
		{"\"x\"", "'x'"},
		{"0", "i0"},
		{"-1", "i-1"},
		{"9223372036854775807", "i9223372036854775807"},
		{"-9223372036854775808", "i-9223372036854775808"},
		{"[9223372036854775808, 3]", "[r9.22337e+18,i3]"},
		{"1.5", "r1.5"},
		{"1e3", "r1000"},
		{"1.0", "r1"},
		{"{\"b\":1,\"a\":[true,null,{\"c\":\"d\"}]}", "{b=i1,a=[true,null,{c='d'}]}"},
		{"{\"z\":1,\"y\":2,\"x\":3,\"w\":4,\"v\":5,\"u\":6,\"t\":7,\"s\":8,\"r\":9}",
			"{z=i1,y=i2,x=i3,w=i4,v=i5,u=i6,t=i7,s=i8,r=i9}"},
		{"{\"a\":1,\"a\":2}", "{a=i2}"},
		{"{\"\":1}", "{=i1}"},
		{"\"\\u00e9\\n\\\"\\/\\ud83d\\ude00\"", "'\xc3\xa9\n\"/\xf0\x9f\x98\x80'"},
		{"{\"Statement\":[{\"Effect\":\"Allow\"}]}", "{Statement=[{Effect='Allow'}]}"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(buf_deinit) struct buf out;
		const struct json *j = NULL;
		struct err err;

		buf_init(&out, 4096);
		CU_ASSERT_EQUAL(json_parse(arena, str_c(cases[i].text), MAX_BYTES, &j, &err), ERR_OK);
		if (j)
			render(&out, j);
		ASSERT_STR(buf_view(&out), str_c(cases[i].want), cases[i].text);
	}
}

static void test_refusals(void)
{
	static const struct {
		struct str text;
		enum err_code code;
		const char *msg;
	} cases[] = {
		{STR_INIT(""), ERR_PROTOCOL, "not JSON: it ends too early at line 1, column 0"},
		{STR_INIT(" \n"), ERR_PROTOCOL, NULL},
		{STR_INIT("{"), ERR_PROTOCOL, NULL},
		{STR_INIT("[1,2"), ERR_PROTOCOL, NULL},
		{STR_INIT("[1,]"), ERR_PROTOCOL, NULL},
		{STR_INIT("{\"a\"}"), ERR_PROTOCOL, NULL},
		{STR_INIT("{a:1}"), ERR_PROTOCOL, NULL},
		{STR_INIT("{} x"), ERR_PROTOCOL, NULL},
		{STR_INIT("{}{}"), ERR_PROTOCOL, "not JSON: something follows it at line 1, column 3"},
		{STR_INIT("[01]"), ERR_PROTOCOL, NULL},
		{STR_INIT("NaN"), ERR_PROTOCOL, NULL},
		{STR_INIT("1e999"), ERR_PROTOCOL, NULL},
		{STR_INIT("\"\xff\""), ERR_PROTOCOL, NULL},
		{STR_INIT("\"\xc3\""), ERR_PROTOCOL, NULL},
		{STR_INIT("\"\xed\xa0\x80\""), ERR_PROTOCOL, NULL},
		{STR_INIT("\"\\ud800\""), ERR_PROTOCOL, NULL},
		{STR_INIT("\"\\u0000\""), ERR_PROTOCOL, NULL},
		{STR_INIT("{\"a\\u0000b\":1}"), ERR_PROTOCOL, NULL},
		{STR_INIT("\"a\0b\""), ERR_PROTOCOL, NULL},
		{STR_INIT("{}\0"), ERR_PROTOCOL, NULL},
		{STR_INIT("\"tab\tin string\""), ERR_PROTOCOL, NULL},
		{STR_INIT("\xef\xbb\xbf{}"), ERR_PROTOCOL, NULL},
		{STR_INIT("{\"SecretAccessKey\": \"hunter2\" oops"), ERR_PROTOCOL, NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct json *j = (const struct json *)&cases; /* must stay untouched */
		struct err err = {.code = ERR_OK};

		ASSERT_I64(json_parse(arena, cases[i].text, MAX_BYTES, &j, &err), cases[i].code,
			cases[i].text.p);
		CU_ASSERT_PTR_EQUAL(j, &cases);
		if (cases[i].msg)
			ASSERT_STR(str_c(err.msg), str_c(cases[i].msg), cases[i].text.p);
		CU_ASSERT(!str_contains(str_c(err.msg), STR("hunter2")));
	}
}

static enum err_code parse_nested(const char *open, const char *middle, const char *close, unsigned depth)
{
	CLEANUP(buf_deinit) struct buf text;
	const struct json *j;
	struct err err;

	buf_init(&text, MAX_BYTES);
	for (unsigned i = 0; i < depth; i++)
		buf_c(&text, open);
	buf_c(&text, middle);
	for (unsigned i = 0; i < depth; i++)
		buf_c(&text, close);
	return json_parse(arena, buf_view(&text), MAX_BYTES, &j, &err);
}

static void test_depth(void)
{
	CU_ASSERT_EQUAL(parse_nested("[", "", "]", JSON_MAX_DEPTH), ERR_OK);
	CU_ASSERT_EQUAL(parse_nested("[", "", "]", JSON_MAX_DEPTH + 1), ERR_TOO_LARGE);
	CU_ASSERT_EQUAL(parse_nested("{\"a\":", "1", "}", JSON_MAX_DEPTH), ERR_OK);
	CU_ASSERT_EQUAL(parse_nested("{\"a\":", "1", "}", JSON_MAX_DEPTH + 1), ERR_TOO_LARGE);
	CU_ASSERT_EQUAL(parse_nested("[", "", "", 500000), ERR_TOO_LARGE);
	/* brackets in strings, and behind escaped quotes, nest nothing */
	CU_ASSERT_EQUAL(
		parse_nested(
			"", "\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"", "", 1),
		ERR_OK);
	CU_ASSERT_EQUAL(parse_nested("[\"\\\"[[[\",", "1", "]", JSON_MAX_DEPTH), ERR_OK);
}

static void test_size(void)
{
	const struct json *j;
	struct err err;
	struct arena *small = arena_new(256);

	CU_ASSERT_EQUAL(json_parse(arena, STR("[1]"), 3, &j, &err), ERR_OK);
	CU_ASSERT_EQUAL(json_parse(arena, STR("[1]"), 2, &j, &err), ERR_TOO_LARGE);
	CU_ASSERT_STRING_EQUAL(err.msg, "JSON of 3 bytes is larger than 2 bytes");
	CU_ASSERT_EQUAL(json_parse(small, STR("[1,2,3,4,5,6,7,8,9,10,11,12]"), 100, &j, &err), ERR_TOO_LARGE);
	arena_free(small);
}

/* "[[],[],..." is small as text and a hundred times as large as a tree. */
static void test_values(void)
{
	static const struct {
		const char *value;
		size_t n;
		enum err_code want;
	} cases[] = {
		{"[],", JSON_MAX_VALUES / 2 - 1, ERR_OK},
		{"[],", JSON_MAX_VALUES, ERR_TOO_LARGE},
		{"0,", JSON_MAX_VALUES, ERR_TOO_LARGE},
		{"\",,,,,,,,,,\",", JSON_MAX_VALUES / 8, ERR_OK},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(buf_deinit) struct buf text;
		CLEANUP(arena_freep) struct arena *a = arena_new(0);
		const struct json *j;
		struct err err;

		buf_init(&text, 16 << 20);
		buf_char(&text, '[');
		for (size_t k = 0; k < cases[i].n; k++)
			buf_c(&text, cases[i].value);
		buf_c(&text, "0]");
		ASSERT_I64(json_parse(a, buf_view(&text), text.n, &j, &err), cases[i].want, cases[i].value);
	}
}

static void test_look_up(void)
{
	const struct json *j, *one;
	struct err err;

	CU_ASSERT_EQUAL_FATAL(
		json_parse(arena, STR("{\"Action\":\"a\",\"action\":\"b\",\"n\":1}"), 100, &j, &err), ERR_OK);
	one = json_get(j, STR("n"));
	ASSERT_STR(json_str(json_get(j, STR("Action"))), STR("a"), "exact");
	ASSERT_STR(json_str(json_get_nocase(j, STR("ACTION"))), STR("b"), "last of several");
	CU_ASSERT_PTR_NULL(json_get(j, STR("ACTION")));
	CU_ASSERT_PTR_NULL(json_get(NULL, STR("x")));
	CU_ASSERT_PTR_NULL(json_get(one, STR("x")));
	ASSERT_STR(json_str(one), STR(""), "not a string");
	ASSERT_STR(json_str(NULL), STR(""), "NULL");
}

static void test_write(void)
{
	static const struct {
		struct str in, want;
	} cases[] = {
		{STR_INIT(""), STR_INIT("\"\"")},
		{STR_INIT("a b"), STR_INIT("\"a b\"")},
		{STR_INIT("\"\\/"), STR_INIT("\"\\\"\\\\/\"")},
		{STR_INIT("\n\r\t\b\x7f\0"), STR_INIT("\"\\n\\r\\t\\u0008\\u007f\\u0000\"")},
		{STR_INIT("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
			STR_INIT("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"")},
		{STR_INIT("\xff"
			  "a\xc3"),
			STR_INIT("\"\xef\xbf\xbd"
				 "a\xef\xbf\xbd\"")},
		{STR_INIT("\xed\xa0\x80"), STR_INIT("\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"")},
		{STR_INIT("\xc0\xaf"), STR_INIT("\"\xef\xbf\xbd\xef\xbf\xbd\"")},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(buf_deinit) struct buf out;

		buf_init(&out, 1000);
		json_write_str(&out, cases[i].in);
		ASSERT_STR(buf_view(&out), cases[i].want, "json_write_str");
	}
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"documents", test_documents},
		{"refusals", test_refusals},
		{"depth", test_depth},
		{"size", test_size},
		{"values", test_values},
		{"look-up", test_look_up},
		{"write", test_write},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"json", setup, teardown, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
