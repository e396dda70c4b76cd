/* layers: base
 *
 * Buffers, and the blobs and secrets that bytes end up in. */
#include "base/buf.h"

#include "base/arena.h"
#include "base/blob.h"
#include "base/mem.h"
#include "base/secret.h"
#include "support/cunit_main.h"

static void test_append(void)
{
	struct buf b;

	buf_init(&b, 1000);
	CU_ASSERT_EQUAL(buf_view(&b).n, 0);
	buf_str(&b, STR_EMPTY);
	CU_ASSERT_PTR_NULL(b.p); /* nothing allocated for nothing */
	buf_c(&b, "ab");
	buf_char(&b, '\0');
	buf_str(&b, STR("cd"));
	buf_add(&b, "xyz", 1);
	buf_fmt(&b, "%03d%s", 7, "");
	buf_fmt(&b, "%s", "");
	ASSERT_STR(buf_view(&b), STR("ab\0cdx007"), "all kinds");
	CU_ASSERT_EQUAL(b.p[b.n], '\0');
	buf_reset(&b);
	CU_ASSERT_EQUAL(buf_view(&b).n, 0);
	buf_c(&b, "again");
	ASSERT_STR(buf_view(&b), STR("again"), "after reset");
	buf_deinit(&b);
	buf_deinit(&b); /* a second time is fine */
}

static void test_cap(void)
{
	static const struct {
		size_t cap, first, second;
		bool overflow;
		size_t want_n;
	} rows[] = {
		{0, 0, 0, false, 0},
		{0, 1, 0, true, 0},
		{10, 10, 0, false, 10},
		{10, 9, 1, false, 10},
		{10, 10, 1, true, 10},
		{10, 11, 1, true, 0}, /* after a refusal nothing more goes in: no holes */
		{10, 5, 6, true, 5},
		{64, 63, 1, false, 64},
		{65, 64, 1, false, 65},
		{100, 60, 40, false, 100},
		{SIZE_MAX, 100, 100, false, 200},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		static const char bytes[256];
		struct err err;
		struct buf b;

		buf_init(&b, rows[i].cap);
		buf_add(&b, bytes, rows[i].first);
		buf_add(&b, bytes, rows[i].second);
		ASSERT_I64(b.n, rows[i].want_n, "n");
		ASSERT_I64(b.overflow, rows[i].overflow, "overflow");
		ASSERT_I64(buf_check(&b, "text", &err), rows[i].overflow ? ERR_TOO_LARGE : ERR_OK, "check");
		CU_ASSERT(b.size <= 256 || rows[i].cap == SIZE_MAX);
		buf_deinit(&b);
	}
}

static void test_overflow_stays(void)
{
	struct err err;
	struct buf b;

	buf_init(&b, 8);
	buf_c(&b, "12345");
	buf_fmt(&b, "%s", "6789");
	ASSERT_STR(buf_view(&b), STR("12345"), "as it was");
	buf_char(&b, '6');
	ASSERT_STR(buf_view(&b), STR("12345"), "refuses from then on");
	CU_ASSERT_EQUAL(buf_check(&b, "page token", &err), ERR_TOO_LARGE);
	CU_ASSERT_STRING_EQUAL(err.msg, "page token is larger than 8 bytes");
	buf_reset(&b);
	buf_c(&b, "12345678");
	CU_ASSERT_EQUAL(buf_check(&b, "page token", &err), ERR_OK);
	buf_deinit(&b);
}

static void test_growth(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct str copy;
	struct buf b;
	size_t wrong = 0;

	for (int wipe = 0; wipe < 2; wipe++) { /* secrets move by hand, the rest by realloc */
		buf_init(&b, 1000000);
		b.wipe = wipe;
		for (int i = 0; i < 100000; i++)
			buf_char(&b, (char)(i % 251));
		CU_ASSERT_EQUAL(b.n, 100000);
		copy = buf_dup(&b, a);
		buf_deinit(&b);
		for (int i = 0; i < 100000; i++)
			wrong += copy.p[i] != (char)(i % 251);
	}
	ASSERT_I64(wrong, 0, "bytes that differ");
}

static void test_zeroed_is_valid(void)
{
	struct buf b = {0};
	struct err err;

	CU_ASSERT_EQUAL(buf_check(&b, "x", &err), ERR_OK);
	buf_char(&b, 'x');
	CU_ASSERT_EQUAL(buf_check(&b, "x", &err), ERR_TOO_LARGE);
	buf_deinit(&b);
}

static void test_blob(void)
{
	struct blob *b = blob_new(STR("bytes\0more")), *c;
	struct buf buf;

	CU_ASSERT_PTR_EQUAL(blob_ref(b), b);
	blob_unref(b);
	ASSERT_STR(blob_view(b), STR("bytes\0more"), "still there");
	blob_unrefp(&b);
	CU_ASSERT_PTR_NULL(b);
	blob_unref(NULL);

	buf_init(&buf, 10000);
	for (int i = 0; i < 1000; i++)
		buf_c(&buf, "1234");
	c = blob_take(&buf);
	CU_ASSERT_PTR_NULL(buf.p);
	CU_ASSERT_EQUAL(buf.n, 0);
	CU_ASSERT_EQUAL(blob_view(c).n, 4000);
	ASSERT_STR(str_sub(blob_view(c), 3996, 9), STR("1234"), "last bytes");
	buf_c(&buf, "reusable");
	ASSERT_STR(buf_view(&buf), STR("reusable"), "after blob_take");
	buf_deinit(&buf);
	blob_unref(c);

	buf_init(&buf, 10);
	c = blob_take(&buf);
	CU_ASSERT_EQUAL(blob_view(c).n, 0);
	blob_unref(c);
	c = blob_new(STR_EMPTY);
	CU_ASSERT_EQUAL(blob_view(c).n, 0);
	blob_unref(c);
}

static void test_secret(void)
{
	struct secret *s = secret_new(STR("key\0x"));

	CU_ASSERT_PTR_EQUAL(secret_ref(s), s);
	secret_unref(s);
	ASSERT_STR(secret_reveal(s), STR("key\0x"), "revealed");
	CU_ASSERT_FALSE(secret_empty(s));
	secret_unrefp(&s);
	CU_ASSERT_PTR_NULL(s);
	CU_ASSERT(secret_empty(NULL));
	CU_ASSERT_PTR_NULL(secret_ref(NULL));
	ASSERT_STR(secret_reveal(NULL), STR(""), "NULL");
	secret_unref(NULL);
	s = secret_new(STR_EMPTY);
	CU_ASSERT(secret_empty(s));
	secret_unref(s);
}

static void test_mem(void)
{
	size_t before = mem_live_blocks();
	void *p = mem_alloc(0), *q = mem_realloc(NULL, 10), *r = mem_array(0, 8);
	char *s = mem_strdup("abc"), *t = mem_strndup("abcdef", 3), *u = mem_strndup("ab", 30);

	CU_ASSERT_STRING_EQUAL(s, t);
	CU_ASSERT_STRING_EQUAL(u, "ab");
	q = mem_realloc(q, 100000);
	ASSERT_I64(mem_live_blocks() - before, 6, "live blocks");
	mem_free(p);
	mem_free(q);
	mem_free(r);
	mem_freep(&s);
	CU_ASSERT_PTR_NULL(s);
	mem_freep(&s);
	mem_free(t);
	mem_free(u);
	mem_free(NULL);
	ASSERT_I64(mem_live_blocks(), before, "live blocks");
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"append", test_append},
		{"cap", test_cap},
		{"overflow_stays", test_overflow_stays},
		{"growth", test_growth},
		{"zeroed_is_valid", test_zeroed_is_valid},
		{"blob", test_blob},
		{"secret", test_secret},
		{"mem", test_mem},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"buf", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
