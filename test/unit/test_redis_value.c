/* layers: store base
 *
 * Values as they lie in Redis: there and back, and every way in which they can have been damaged. */
#include "store/redis_value.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "support/cunit_main.h"

#define KEY       STR("baton:1:{sync}:v:key")
#define MAX_BYTES 100000

static struct str text_of(struct buf *b, size_t n, bool is_random)
{
	buf_init(b, n);
	for (size_t i = 0; i < n; i++)
		buf_char(b, is_random ? (char)random() : "arn:aws:iam::123456789012:user/"[i % 31]);
	return buf_view(b);
}

static void put_u64(struct buf *b, uint64_t v)
{
	for (int i = 0; i < 8; i++, v >>= 8)
		buf_char(b, (char)v);
}

static void test_there_and_back(void)
{
	static const struct {
		size_t n;
		bool is_random, is_packed;
	} cases[] = {{0, false, false}, {1, false, false}, {255, false, false}, {256, false, true},
		{50000, false, true}, {256, true, false}, {50000, true, false}, {MAX_BYTES, false, true}};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct blob *value = NULL;
		struct buf raw, packed;
		struct err err;

		text_of(&raw, cases[i].n, cases[i].is_random);
		buf_init(&packed, MAX_BYTES + 100);
		CU_ASSERT_EQUAL(redis_value_encode(KEY, buf_view(&raw), &packed, &err), ERR_OK);
		CU_ASSERT_EQUAL(packed.n < raw.n, cases[i].is_packed);
		CU_ASSERT_EQUAL_FATAL(
			redis_value_decode(KEY, buf_view(&packed), MAX_BYTES, &value, &err), ERR_OK);
		CU_ASSERT(str_eq(blob_view(value), buf_view(&raw)));
		CU_ASSERT_EQUAL(blob_view(value).p[cases[i].n], '\0');
		blob_unref(value);
		buf_deinit(&raw);
		buf_deinit(&packed);
	}
}

/* Every byte changed, every length cut: never a value, never a crash. */
static void test_damage(void)
{
	static const struct {
		size_t n;
		bool is_random;
	} cases[] = {{0, false}, {300, false}, {300, true}};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf raw, packed;
		struct err err;

		text_of(&raw, cases[i].n, cases[i].is_random);
		buf_init(&packed, 1000);
		CU_ASSERT_EQUAL(redis_value_encode(KEY, buf_view(&raw), &packed, &err), ERR_OK);
		for (size_t at = 0; at < packed.n; at++) {
			struct blob *value = NULL;
			enum err_code code;

			packed.p[at] ^= 0x20;
			code = redis_value_decode(KEY, buf_view(&packed), MAX_BYTES, &value, &err);
			CU_ASSERT(code == ERR_PROTOCOL || code == ERR_TOO_LARGE);
			packed.p[at] ^= 0x20;
			CU_ASSERT_EQUAL(redis_value_decode(KEY, str_sub(buf_view(&packed), 0, at), MAX_BYTES,
						&value, &err),
				ERR_PROTOCOL);
			CU_ASSERT_PTR_NULL(value);
		}
		buf_deinit(&raw);
		buf_deinit(&packed);
	}
}

/* Servers of several versions read what each other wrote. */
static void test_format(void)
{
	static const char want[] = "BST1\0\5\0\0\0\0\0\0\0\140\254\257\000\061\056\350\221"
				   "value";
	struct buf packed;
	struct err err;

	buf_init(&packed, 1000);
	CU_ASSERT_EQUAL(redis_value_encode(KEY, STR("value"), &packed, &err), ERR_OK);
	ASSERT_STR(buf_view(&packed), str_n(want, sizeof(want) - 1), "as it lies there");
	buf_deinit(&packed);
}

/* Good checksums, and what stands behind them is a lie. zstd's frames by hand (RFC 8878): magic, one segment with a size of one byte, that
 * size, one last block: here 1 byte, repeated. */
#define FRAME(size, block) "\x28\xb5\x2f\xfd\x20" size block
#define TEN_X              "\x53\0\0x"
#define ELEVEN_X           "\x5b\0\0x"
#define RESERVED           "\x5f\0\0x" /* a kind of block that there is not */

static void test_lies(void)
{
	static const struct {
		char codec;
		uint64_t says; /* the length of the value */
		struct str payload;
		const char *want; /* of the error; NULL: a value */
	} cases[] = {
		{0, 3, STR_INIT("abc"), NULL},
		{0, 2, STR_INIT("abc"), "wrong length"},
		{0, 4, STR_INIT("abc"), "wrong length"},
		{2, 3, STR_INIT("abc"), "wrong length or codec"},
		{1, 11, STR_INIT(FRAME("\x0b", ELEVEN_X)), NULL},
		{1, 10, STR_INIT(FRAME("\x0a", TEN_X)), "wrong length"}, /* packed without need */
		{1, 0, STR_INIT(FRAME("\0", "\1\0\0")), "wrong length"},
		{1, 0, STR_INIT(""), "wrong length"},
		{1, 12, STR_INIT(FRAME("\x0b", ELEVEN_X)), "as long as it says"},
		{1, 99, STR_INIT("not a frame"), "as long as it says"},
		{1, 11, STR_INIT(FRAME("\x0b", RESERVED)), "cannot be unpacked"},
		{1, 11, STR_INIT(FRAME("\x0b", TEN_X)), "cannot be unpacked"},
		{1, 10, STR_INIT(FRAME("\x0a", "")), "cannot be unpacked"},
		{1, MAX_BYTES + 1, STR_INIT("x"), "more than 100000 bytes"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const uint64_t checksum = str_hash(cases[i].payload) * 31 + str_hash(KEY);
		struct blob *value = NULL;
		struct err err = {.msg = ""};
		struct buf b;

		buf_init(&b, 1000);
		buf_c(&b, "BST1");
		buf_char(&b, cases[i].codec);
		put_u64(&b, cases[i].says);
		put_u64(&b, checksum);
		buf_str(&b, cases[i].payload);
		CU_ASSERT_EQUAL(redis_value_decode(KEY, buf_view(&b), MAX_BYTES, &value, &err) == ERR_OK,
			cases[i].want == NULL);
		CU_ASSERT_EQUAL(value != NULL, cases[i].want == NULL);
		if (cases[i].want != NULL)
			CU_ASSERT(str_contains(str_c(err.msg), str_c(cases[i].want)));
		blob_unref(value);
		buf_deinit(&b);
	}
}

static void test_of_another_key(void)
{
	struct blob *value = NULL;
	struct buf packed;
	struct err err;

	buf_init(&packed, 1000);
	CU_ASSERT_EQUAL(redis_value_encode(KEY, STR("value"), &packed, &err), ERR_OK);
	CU_ASSERT_EQUAL(
		redis_value_decode(STR("baton:1:{sync}:v:kez"), buf_view(&packed), MAX_BYTES, &value, &err),
		ERR_PROTOCOL);
	buf_deinit(&packed);
}

static void test_bounds(void)
{
	struct blob *value = NULL;
	struct buf raw, packed, small, tiny;
	struct err err;

	text_of(&raw, 50000, false);
	buf_init(&packed, MAX_BYTES);
	buf_init(&small, 100);
	buf_init(&tiny, 30);
	CU_ASSERT_EQUAL(redis_value_encode(KEY, buf_view(&raw), &packed, &err), ERR_OK);
	CU_ASSERT_EQUAL(redis_value_encode(KEY, buf_view(&raw), &tiny, &err), ERR_TOO_LARGE);
	CU_ASSERT_EQUAL(redis_value_decode(KEY, buf_view(&packed), 49999, &value, &err), ERR_TOO_LARGE);
	CU_ASSERT_EQUAL(
		redis_value_encode(KEY, str_sub(buf_view(&raw), 0, 200), &small, &err), ERR_TOO_LARGE);
	buf_deinit(&raw);
	buf_deinit(&packed);
	buf_deinit(&small);
	buf_deinit(&tiny);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"there_and_back", test_there_and_back},
		{"damage", test_damage},
		{"format", test_format},
		{"lies", test_lies},
		{"of_another_key", test_of_another_key},
		{"bounds", test_bounds},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"redis_value", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
