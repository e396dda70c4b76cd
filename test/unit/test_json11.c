/* layers: aws base
 *
 * The JSON 1.1 protocol: bodies and targets out, objects in, by table. */
#include "aws/json11.h"

#include "aws/errors.h"
#include "support/cunit_main.h"

#define MAX_BYTES 4000

struct thing {
	struct str name, token;
	struct aws_int count, on, at;
	struct str bytes;
	struct aws_list names; /* struct str */
	struct aws_list inner; /* struct inner */
	struct inner {
		struct str id;
	} one;
};
static const struct aws_member inner_members[] = {{"Id", AWS_STRING, offsetof(struct inner, id), NULL}};
static const struct aws_shape inner_shape = AWS_SHAPE(struct inner, inner_members);
static const struct aws_member members[] = {
	{"Name", AWS_STRING, offsetof(struct thing, name), NULL},
	{"NextToken", AWS_STRING, offsetof(struct thing, token), NULL},
	{"Count", AWS_INT, offsetof(struct thing, count), NULL},
	{"On", AWS_BOOL, offsetof(struct thing, on), NULL},
	{"At", AWS_TIME, offsetof(struct thing, at), NULL},
	{"Bytes", AWS_BLOB, offsetof(struct thing, bytes), NULL},
	{"Names", AWS_LIST, offsetof(struct thing, names), NULL},
	{"Inner", AWS_LIST, offsetof(struct thing, inner), &inner_shape},
	{"One", AWS_STRUCT, offsetof(struct thing, one), &inner_shape},
};
static const struct aws_shape shape = AWS_SHAPE(struct thing, members);
static const struct aws_service service = {
	.id = "things", .protocol = AWS_JSON11, .target_prefix = "SWBThings"};
static const struct aws_operation op = {.service = &service, .name = "DoThing", .in = &shape, .out = &shape};
static const struct aws_operation op_silent = {.service = &service, .name = "Forget"};

static void test_request(void)
{
	static const struct str names[] = {STR_INIT("a"), STR_INIT("b\"\n")};
	static const struct inner inner[] = {{STR_INIT("x")}, {STR_INIT("")}};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	CLEANUP(buf_deinit) struct buf b;
	struct err err;
	struct thing in = {
		.name = STR("caf\xc3\xa9"),
		.count = {0, true},
		.on = {0, true},
		.at = {1600000000, true},
		.bytes = STR("\xff"),
		.names = {(void *)names, 2},
		.inner = {(void *)inner, 2},
		.one = {STR("i")},
	};

	buf_init(&b, 1000);
	CU_ASSERT_EQUAL(aws_json11_encode(&op, &in, &b, &err), ERR_OK);
	ASSERT_STR(buf_view(&b),
		STR("{\"Name\":\"caf\xc3\xa9\",\"Count\":0,\"On\":false,\"At\":1600000000,\"Bytes\":\"/w==\","
		    "\"Names\":[\"a\",\"b\\\"\\n\"],\"Inner\":[{\"Id\":\"x\"},{}],\"One\":{\"Id\":\"i\"}}"),
		"all members");
	buf_reset(&b);
	CU_ASSERT_EQUAL(aws_json11_encode(&op, NULL, &b, &err), ERR_OK);
	ASSERT_STR(buf_view(&b), STR("{}"), "no input");
	buf_reset(&b);
	b.cap = 10;
	CU_ASSERT_EQUAL(aws_json11_encode(&op, &in, &b, &err), ERR_TOO_LARGE);
	ASSERT_STR(aws_json11_target(&op, a), STR("SWBThings.DoThing"), "target");
}

static enum err_code decode(const struct aws_operation *o, const char *body, struct arena *a, void *out,
	const struct aws_sink *sink, bool *ret_sink_failed, struct err *reterr)
{
	struct aws_json11_answer answer = {
		.op = o, .body = str_c(body), .max_bytes = MAX_BYTES, .sink = sink};

	return aws_json11_decode(&answer, a, out, ret_sink_failed, reterr);
}

static void test_answer(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct thing t;
	struct err err;
	bool failed;

	memset(&t, 0xee, sizeof(t));
	CU_ASSERT_EQUAL(decode(&op,
				"{\"Name\":\"n\\u00e9\",\"Count\":-7,\"On\":true,\"At\":1.6E9,\"Bytes\":\"/"
				"w==\",\"Other\":{\"Name\":[1]},"
				"\"Names\":[\"a\",\"\"],\"Inner\":[{\"Id\":\"x\",\"Z\":1},{}],\"One\":{"
				"\"Id\":\"i\"},\"NextToken\":null}",
				a, &t, NULL, &failed, &err),
		ERR_OK);
	ASSERT_STR(t.name, STR("n\xc3\xa9"), "name");
	ASSERT_I64(t.count.v, -7, "count");
	CU_ASSERT_TRUE(t.on.set && t.on.v == 1);
	ASSERT_I64(t.at.v, 1600000000, "at");
	ASSERT_STR(t.bytes, STR("\xff"), "bytes");
	CU_ASSERT_EQUAL_FATAL(t.names.n, 2);
	ASSERT_STR(*AWS_LIST_AT(t.names, struct str, 0), STR("a"), "names");
	CU_ASSERT_EQUAL_FATAL(t.inner.n, 2);
	ASSERT_STR(AWS_LIST_AT(t.inner, struct inner, 0)->id, STR("x"), "inner");
	ASSERT_STR(AWS_LIST_AT(t.inner, struct inner, 1)->id, STR_EMPTY, "inner");
	ASSERT_STR(t.one.id, STR("i"), "one");
	ASSERT_STR(t.token, STR_EMPTY, "null is absent");
	CU_ASSERT_EQUAL(decode(&op, "{\"At\":\"2020-09-13T12:26:40Z\"}", a, &t, NULL, &failed, &err), ERR_OK);
	ASSERT_I64(t.at.v, 1600000000, "ISO 8601");
	CU_ASSERT_EQUAL(t.names.n, 0);
	CU_ASSERT_EQUAL(decode(&op_silent, "", a, NULL, NULL, &failed, &err), ERR_OK);
}

static void test_wrong_answers(void)
{
	static const struct {
		const char *body;
		enum err_code want;
		const char *message;
	} rows[] = {
		{"", ERR_PROTOCOL, NULL},
		{"<html>", ERR_PROTOCOL, NULL},
		{"{\"Name\":\"a\"", ERR_PROTOCOL, NULL},
		{"[]", ERR_PROTOCOL, "DoThing: not an object"},
		{"{\"Name\":1}", ERR_PROTOCOL, "DoThing.Name: not a string"},
		{"{\"Count\":\"1\"}", ERR_PROTOCOL, "DoThing.Count: not an integer"},
		{"{\"Count\":1.5}", ERR_PROTOCOL, "DoThing.Count: not an integer"},
		{"{\"On\":\"true\"}", ERR_PROTOCOL, "DoThing.On: not true or false"},
		{"{\"At\":\"soon\"}", ERR_PROTOCOL, "DoThing.At: not a date"},
		{"{\"At\":1e300}", ERR_PROTOCOL, "DoThing.At: not a date"},
		{"{\"At\":true}", ERR_PROTOCOL, "DoThing.At: not a date"},
		{"{\"Bytes\":\"?\"}", ERR_PROTOCOL, "DoThing.Bytes: not base64"},
		{"{\"Names\":{}}", ERR_PROTOCOL, "DoThing.Names: not an array"},
		{"{\"Names\":[\"a\",null]}", ERR_PROTOCOL, "DoThing.Names[1]: not a string"},
		{"{\"Inner\":[{},{\"Id\":3}]}", ERR_PROTOCOL, "DoThing.Inner[1].Id: not a string"},
		{"{\"Inner\":[[]]}", ERR_PROTOCOL, "DoThing.Inner[0]: not an object"},
		{"{\"One\":\"x\"}", ERR_PROTOCOL, "DoThing.One: not an object"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(arena_freep) struct arena *a = arena_new(0);
		struct thing t;
		struct err err;
		bool failed;

		ASSERT_I64(decode(&op, rows[i].body, a, &t, NULL, &failed, &err), rows[i].want, rows[i].body);
		if (rows[i].message)
			ASSERT_STR(str_c(err.msg), str_c(rows[i].message), rows[i].body);
	}
}

static void test_limits(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	CLEANUP(buf_deinit) struct buf b;
	struct thing t;
	struct err err;
	bool failed;

	buf_init(&b, 2 * MAX_BYTES);
	buf_c(&b, "{\"Inner\":[{}");
	while (b.n < MAX_BYTES - 100)
		buf_c(&b, ",{}");
	buf_c(&b, "]}");
	CU_ASSERT_EQUAL(
		decode(&op, b.p, a, &t, NULL, &failed, &err), ERR_TOO_LARGE); /* 16 bytes for each 3 */
	while (b.n <= MAX_BYTES)
		buf_char(&b, ' ');
	CU_ASSERT_EQUAL(decode(&op, b.p, a, &t, NULL, &failed, &err), ERR_TOO_LARGE);
}

struct seen {
	char text[100];
	size_t n, fail_at, items;
};

static enum err_code on_item(void *self, const struct aws_member *list, const void *item, struct err *reterr)
{
	struct seen *s = self;
	struct str text = list->shape ? ((const struct inner *)item)->id : *(const struct str *)item;

	if (++s->items == s->fail_at)
		return err_set(reterr, ERR_PROTOCOL, "full");
	memcpy(s->text + s->n, text.p, text.n);
	s->n += text.n;
	return ERR_OK;
}

static void test_sink(void)
{
	static const char body[] = "{\"Name\":\"n\",\"Names\":[\"a\",\"b\"],\"Inner\":[{\"Id\":\"c\"},{"
				   "\"Id\":\"d\"}],\"NextToken\":\"t\"}";
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct seen seen = {.n = 0};
	struct aws_sink sink = {.item = on_item, .self = &seen};
	struct thing t;
	struct err err;
	bool failed;

	CU_ASSERT_EQUAL(decode(&op, body, a, &t, &sink, &failed, &err), ERR_OK);
	ASSERT_STR(str_n(seen.text, seen.n), STR("abcd"), "items");
	CU_ASSERT_EQUAL(t.names.n + t.inner.n, 0);
	ASSERT_STR(t.token, STR("t"), "the rest");
	seen = (struct seen){.fail_at = 3};
	CU_ASSERT_EQUAL(decode(&op, body, a, &t, &sink, &failed, &err), ERR_PROTOCOL);
	CU_ASSERT_TRUE(failed);
	CU_ASSERT_EQUAL(decode(&op, "{\"Names\":1}", a, &t, &sink, &failed, &err), ERR_PROTOCOL);
	CU_ASSERT_FALSE(failed);
}

static void test_error_details(void)
{
	static const struct {
		const char *body, *reason, *resource_type;
		int64_t had_ms, want_ms;
	} rows[] = {
		{"{\"__type\":\"ThrottlingException\",\"Reason\":\"KMS_THROTTLING\",\"RetryAfterSeconds\":3}",
			"KMS_THROTTLING", "", 0, 3000},
		{"{\"__type\":\"ThrottlingException\",\"RetryAfterSeconds\":3}", "", "", 7, 7},
		{"{\"__type\":\"ResourceNotFoundException\",\"ResourceType\":\"USER\",\"ResourceId\":\"u\"}",
			"", "USER", 0, 0},
		{"{\"Reason\":3,\"ResourceType\":{},\"RetryAfterSeconds\":\"3\"}", "", "", 0, 0},
		{"{\"RetryAfterSeconds\":-1}", "", "", 0, 0},
		{"{\"RetryAfterSeconds\":9223372036854775807}", "", "", 0, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(arena_freep) struct arena *a = arena_new(0);
		struct aws_failure f = {.retry_after_ms = rows[i].had_ms};

		aws_json11_read_error(a, str_c(rows[i].body), &f);
		ASSERT_STR(f.reason, str_c(rows[i].reason), rows[i].body);
		ASSERT_STR(f.resource_type, str_c(rows[i].resource_type), rows[i].body);
		ASSERT_I64(f.retry_after_ms, rows[i].want_ms, rows[i].body);
	}
}

static void test_error_bodies(void)
{
	static const struct {
		const char *body, *code, *message;
	} rows[] = {
		{"{\"__type\":\"com.amazonaws.swbexternalservice#AccessDeniedException\",\"Message\":\"no\"}",
			"AccessDeniedException", "no"},
		{"{\"__type\":\"ThrottlingException\",\"message\":\"slow\"}", "ThrottlingException", "slow"},
		{"{\"code\":\"X#Y:http://internal.amazon.com/coral/\"}", "Y", ""},
		{"{\"__type\":7,\"message\":[]}", "", ""},
		{"{}", "", ""},
		{"[]", "", ""},
		{"{\"__type\":\"Cut", "", ""},
		{"", "", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(arena_freep) struct arena *a = arena_new(0);
		struct aws_failure f = {.code = STR_EMPTY, .message = STR_EMPTY};

		aws_json11_read_error(a, str_c(rows[i].body), &f);
		ASSERT_STR(f.code, str_c(rows[i].code), rows[i].body);
		ASSERT_STR(f.message, str_c(rows[i].message), rows[i].body);
	}
	ASSERT_STR(aws_json11_error_name(STR("ValidationException:http://x#y")), STR("ValidationException"),
		"suffix first");
	ASSERT_STR(aws_json11_error_name(STR("a.b#C")), STR("C"), "namespace");
	ASSERT_STR(aws_json11_error_name(STR_EMPTY), STR_EMPTY, "empty");
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"request", test_request},
		{"answer", test_answer},
		{"wrong answers", test_wrong_answers},
		{"limits", test_limits},
		{"sink", test_sink},
		{"error bodies", test_error_bodies},
		{"error details", test_error_details},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"json11", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
