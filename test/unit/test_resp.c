/* layers: store base
 *
 * Redis's protocol: commands as they are written, replies whole and in pieces, and what no Redis should send. */
#include "store/resp.h"

#include "support/cunit_main.h"

#define MAX_BYTES 4096

static void test_commands(void)
{
	struct buf b;

	buf_init(&b, 1000);
	resp_command(&b, (const struct str[]){STR("SET"), STR("a\r\nb"), STR_EMPTY}, 3);
	ASSERT_STR(buf_view(&b), STR("*3\r\n$3\r\nSET\r\n$4\r\na\r\nb\r\n$0\r\n\r\n"), "SET");
	resp_command(&b, (const struct str[]){STR("PING")}, 1);
	CU_ASSERT(str_ends(buf_view(&b), STR("*1\r\n$4\r\nPING\r\n")));
	buf_deinit(&b);
}

/* A reply as text: what the tables below compare. */
static void describe(const struct resp_reply *r, struct buf *out)
{
	static const char *const kinds[] = {"nil", "int", "str", "status", "error", "array", "other"};

	CU_ASSERT_EQUAL(r->text.p[r->text.n], '\0');
	buf_c(out, kinds[r->kind]);
	if (r->kind == RESP_INTEGER)
		buf_fmt(out, ":%lld", (long long)r->integer);
	if (r->text.n > 0)
		buf_fmt(out, ":" STR_FMT, STR_ARG(r->text));
	for (size_t i = 0; r->kind == RESP_ARRAY && i < r->n; i++) {
		buf_c(out, i == 0 ? "[" : ",");
		describe(r->items[i], out);
	}
	if (r->kind == RESP_ARRAY && r->n > 0)
		buf_c(out, "]");
}

/* All replies of the bytes, fed in pieces of `step`, by a reader of `max_bytes`. */
static enum err_code read_by(size_t max_bytes, struct str bytes, size_t step, struct buf *out)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	CLEANUP(resp_reader_freep) struct resp_reader *reader = resp_reader_new(max_bytes);
	struct resp_reply *reply;
	struct err err;

	for (size_t at = 0; at < bytes.n; at += step) {
		if (resp_feed(reader, str_sub(bytes, at, step), &err) != ERR_OK)
			return err.code;
		do {
			if (resp_next(reader, arena, &reply, &err) != ERR_OK)
				return err.code;
			if (reply != NULL) {
				describe(reply, out);
				buf_c(out, " ");
			}
		} while (reply != NULL);
	}
	return ERR_OK;
}

static enum err_code read_all(struct str bytes, size_t step, struct buf *out)
{
	return read_by(MAX_BYTES, bytes, step, out);
}

static void test_replies(void)
{
	static const struct {
		struct str bytes;
		const char *want;
	} cases[] = {
		{STR_INIT("+OK\r\n"), "status:OK "},
		{STR_INIT("-OOM no memory\r\n:42\r\n:-1\r\n"), "error:OOM no memory int:42 int:-1 "},
		{STR_INIT(":9223372036854775807\r\n"), "int:9223372036854775807 "},
		{STR_INIT("$-1\r\n*-1\r\n$0\r\n\r\n*0\r\n"), "nil nil str array "},
		{STR_INIT("$5\r\na\0b\r\n\r\n"), "str:a"},
		{STR_INIT("*3\r\n$1\r\nx\r\n*2\r\n:1\r\n$-1\r\n-ERR no\r\n"),
			"array[str:x,array[int:1,nil],error:ERR no] "},
		{STR_INIT("*2\r\n$16\r\n0123456789abcdef\r\n:1\r\n"), /* all of what it was allocated */
			"array[str:0123456789abcdef,int:1] "},
		{STR_INIT("*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n"), "array[array[array[array[int:1]]]] "},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		for (size_t step = 1; step <= cases[i].bytes.n; step++) {
			struct buf out;

			buf_init(&out, 10000);
			CU_ASSERT_EQUAL(read_all(cases[i].bytes, step, &out), ERR_OK);
			CU_ASSERT(str_starts(buf_view(&out), str_c(cases[i].want)));
			buf_deinit(&out);
		}
	}
}

static void test_hostile(void)
{
	static const struct {
		const char *bytes;
		enum err_code want; /* ERR_OK: it waits for more */
	} cases[] = {
		{"hello\r\n", ERR_PROTOCOL},
		{"HTTP/1.1 400 Bad Request\r\n\r\n", ERR_PROTOCOL},
		{"$abc\r\n", ERR_PROTOCOL},
		{"$-5\r\n", ERR_PROTOCOL},
		{"*-7\r\n", ERR_PROTOCOL},
		{"*1000\r\n", ERR_TOO_LARGE}, /* 8,000 bytes of pointers */
		{"*2147483647\r\n", ERR_TOO_LARGE},
		{"*99999999999999999999\r\n", ERR_PROTOCOL},
		{"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", ERR_TOO_LARGE}, /* five levels */
		{"$9999999999\r\nx", ERR_OK}, /* announced, not allocated: the bound is on what comes */
		{":999999999999999999999999\r\n", ERR_PROTOCOL},
	};
	struct buf out, deep;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		buf_init(&out, 10000);
		ASSERT_I64(read_all(str_c(cases[i].bytes), 1000, &out), cases[i].want, cases[i].bytes);
		buf_deinit(&out);
	}
	buf_init(&deep, MAX_BYTES);
	buf_init(&out, 10000);
	for (int i = 0; i < 100; i++)
		buf_c(&deep, "*1\r\n");
	CU_ASSERT_EQUAL(read_all(buf_view(&deep), 1000, &out), ERR_TOO_LARGE);
	buf_deinit(&deep);
	buf_deinit(&out);
}

/* More than the bound in one reply; the same in many is fine. */
static void test_bound(void)
{
	struct buf in, out;

	buf_init(&in, 100000);
	buf_init(&out, 100000);
	buf_c(&in, "$5000\r\n");
	for (int i = 0; i < 5000; i++)
		buf_char(&in, 'x');
	CU_ASSERT_EQUAL(read_all(buf_view(&in), 100, &out), ERR_TOO_LARGE);
	buf_reset(&in);
	for (int i = 0; i < 5000; i++)
		buf_c(&in, "+OK\r\n");
	CU_ASSERT_EQUAL(read_all(buf_view(&in), 100, &out), ERR_OK);
	ASSERT_I64(out.n, 5000 * strlen("status:OK "), "all of them");
	buf_deinit(&in);
	buf_deinit(&out);
}

/* What comes is bounded to the byte; what is kept of it as well, which of small objects is more than what came. */
static void test_bound_is_exact(void)
{
	struct resp_reader *reader = resp_reader_new(MAX_BYTES);
	char bytes[MAX_BYTES] = "$9999\r\n";
	struct buf in, out;
	struct err err;

	CU_ASSERT_EQUAL(resp_feed(reader, str_n(bytes, 1), &err), ERR_OK);
	CU_ASSERT_EQUAL(resp_feed(reader, str_n(bytes + 1, MAX_BYTES - 1), &err), ERR_OK);
	CU_ASSERT_EQUAL(resp_feed(reader, STR("x"), &err), ERR_TOO_LARGE);
	resp_reader_free(reader);

	buf_init(&in, MAX_BYTES);
	buf_init(&out, 10000);
	buf_c(&in, "*200\r\n");
	for (int i = 0; i < 200; i++)
		buf_c(&in, ":1\r\n");
	CU_ASSERT_EQUAL(read_all(buf_view(&in), in.n, &out), ERR_TOO_LARGE);
	CU_ASSERT_EQUAL(read_by(100000, buf_view(&in), in.n, &out), ERR_OK);
	/* However large the bound: we never ask for so many. */
	CU_ASSERT_EQUAL(read_by(1 << 20, STR("*10000\r\n"), 100, &out), ERR_OK);
	CU_ASSERT_EQUAL(read_by(1 << 20, STR("*10001\r\n"), 100, &out), ERR_TOO_LARGE);
	buf_deinit(&in);
	buf_deinit(&out);
}

/* A part of a reply that nobody asked for is seen too, also when the parser has taken all its bytes. */
static void test_is_empty(void)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	CLEANUP(resp_reader_freep) struct resp_reader *reader = resp_reader_new(MAX_BYTES);
	struct resp_reply *reply;
	struct err err;

	CU_ASSERT(resp_reader_is_empty(reader));
	CU_ASSERT_EQUAL(resp_feed(reader, STR("+OK\r\n*2\r\n"), &err), ERR_OK);
	CU_ASSERT_EQUAL(resp_next(reader, arena, &reply, &err), ERR_OK);
	CU_ASSERT(!resp_reader_is_empty(reader));
	CU_ASSERT_EQUAL(resp_next(reader, arena, &reply, &err), ERR_OK);
	CU_ASSERT_PTR_NULL(reply);
	CU_ASSERT(!resp_reader_is_empty(reader));
	CU_ASSERT_EQUAL(resp_feed(reader, STR(":1\r\n:2\r\n"), &err), ERR_OK);
	CU_ASSERT_EQUAL(resp_next(reader, arena, &reply, &err), ERR_OK);
	CU_ASSERT(reply != NULL && resp_reader_is_empty(reader));
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"commands", test_commands},
		{"replies", test_replies},
		{"hostile", test_hostile},
		{"bound", test_bound},
		{"bound_is_exact", test_bound_is_exact},
		{"is_empty", test_is_empty},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"resp", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
