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
		blob_unref(value);
		buf_deinit(&raw);
		buf_deinit(&packed);
	}
}

/* Every byte changed, every length cut: never a value, never a crash. */
static void test_damage(void)
{
	const bool is_random[] = {false, true};

	for (size_t i = 0; i < ARRAY_LEN(is_random); i++) {
		struct buf raw, packed;
		struct err err;

		text_of(&raw, 300, is_random[i]);
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
	struct buf raw, packed, small;
	struct err err;

	text_of(&raw, 50000, false);
	buf_init(&packed, MAX_BYTES);
	buf_init(&small, 100);
	CU_ASSERT_EQUAL(redis_value_encode(KEY, buf_view(&raw), &packed, &err), ERR_OK);
	CU_ASSERT_EQUAL(redis_value_decode(KEY, buf_view(&packed), 49999, &value, &err), ERR_TOO_LARGE);
	CU_ASSERT_EQUAL(
		redis_value_encode(KEY, str_sub(buf_view(&raw), 0, 200), &small, &err), ERR_TOO_LARGE);
	buf_deinit(&raw);
	buf_deinit(&packed);
	buf_deinit(&small);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"there_and_back", test_there_and_back},
		{"damage", test_damage},
		{"of_another_key", test_of_another_key},
		{"bounds", test_bounds},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"redis_value", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
