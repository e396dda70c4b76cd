/* layers: base
 *
 * The arena: alignment, growth, the cap, reset. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>

#include "base/mem.h"
#include "support/cunit_main.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

static void test_alignment_and_growth(void)
{
	/* around the first block (4096), the doublings, and larger than any ordinary block */
	static const size_t sizes[] = {
		0, 1, 15, 16, 17, 100, 3900, 4000, 4096, 5000, 8192, 70000, 3000000, 1, 0, 24};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	unsigned char *at[ARRAY_LEN(sizes)];

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		at[i] = arena_alloc(a, sizes[i]);
		CU_ASSERT_EQUAL((uintptr_t)at[i] % alignof(max_align_t), 0);
		memset(at[i], (int)i + 1, sizes[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) { /* nobody wrote over anybody */
		size_t wrong = 0;

		for (size_t k = 0; k < sizes[i]; k++)
			wrong += at[i][k] != i + 1;
		ASSERT_I64(wrong, 0, "overlapping bytes");
	}
}

static void test_many_small(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	size_t blocks = mem_live_blocks();

	for (int i = 0; i < 100000; i++)
		*(uint64_t *)arena_alloc(a, sizeof(uint64_t)) = (uint64_t)i;
	CU_ASSERT(arena_used(a) >= 100000 * sizeof(uint64_t));
	CU_ASSERT(mem_live_blocks() - blocks < 20); /* by doubling, not by a block for each */
}

/* A big request must not retire a current block that has room. */
static void test_big_keeps_current(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	char *small = arena_alloc(a, 16), *next;

	(void)arena_alloc(a, 1000000);
	next = arena_alloc(a, 16);
	CU_ASSERT(next > small && next - small < 4096);
}

static void test_zeroed(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	unsigned char *p = arena_alloc(a, 512);
	size_t set = 0;

	memset(p, 0xff, 512);
	arena_reset(a);
	p = arena_zalloc(a, 256);
	for (size_t i = 0; i < 256; i++)
		set += p[i] != 0;
	p = arena_array(a, 16, 16);
	for (size_t i = 0; i < 256; i++)
		set += p[i] != 0;
	ASSERT_I64(set, 0, "bytes that are not zero");
	CU_ASSERT_PTR_NOT_NULL(arena_array(a, 0, 100));
}

static void test_cap(void)
{
	static const struct {
		size_t cap, first, second;
		bool first_ok, second_ok;
	} rows[] = {
		{0, 1000000, 1000000, true, true},
		{1024, 1024, 1, true, false},
		{1024, 1025, 1, false, true},
		{1024, 512, 512, true, true},
		{1024, 512, 513, true, false},
		{1024, SIZE_MAX, SIZE_MAX - 15, false, false},
		{SIZE_MAX, 100, SIZE_MAX - 50, true, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(arena_freep) struct arena *a = arena_new(rows[i].cap);
		size_t used;

		ASSERT_I64(arena_try_alloc(a, rows[i].first) != NULL, rows[i].first_ok, "first");
		used = arena_used(a);
		ASSERT_I64(arena_try_alloc(a, rows[i].second) != NULL, rows[i].second_ok, "second");
		if (!rows[i].second_ok)
			ASSERT_I64(arena_used(a), used, "a refusal costs nothing");
	}
}

/* Our own sizes pass the cap, but count: what the outside asks for next is refused. */
static void test_cap_counts_own(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(100);

	CU_ASSERT_PTR_NOT_NULL(arena_alloc(a, 1000));
	CU_ASSERT(arena_used(a) >= 1000);
	CU_ASSERT_PTR_NULL(arena_try_alloc(a, 1));
	arena_reset(a);
	CU_ASSERT_EQUAL(arena_used(a), 0);
	CU_ASSERT_PTR_NOT_NULL(arena_try_alloc(a, 1));
}

static void test_reset(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	size_t blocks = mem_live_blocks();
	char *first = arena_alloc(a, 64);
	static const char secret[] = "AKIASECRETSECRET";
	bool found;

	memcpy(first, secret, sizeof(secret));
	for (int i = 0; i < 100; i++)
		(void)arena_alloc(a, 10000);
	arena_reset(a);
	ASSERT_I64(mem_live_blocks(), blocks, "only the first block is kept");
	CU_ASSERT_PTR_EQUAL(arena_alloc(a, 64), first);
	found = memmem(first, 64, secret, 8) != NULL;
	CU_ASSERT_FALSE(found); /* what was used is wiped */
}

#if defined(__SANITIZE_ADDRESS__)
static void test_poison(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	char *p = arena_alloc(a, 10);

	CU_ASSERT_FALSE(__asan_address_is_poisoned(p + 9));
	CU_ASSERT_TRUE(__asan_address_is_poisoned(p + 10));
	CU_ASSERT_TRUE(__asan_address_is_poisoned(p + 31));
	arena_reset(a);
	CU_ASSERT_TRUE(__asan_address_is_poisoned(p));
}
#endif

static void test_free_null(void)
{
	struct arena *a = NULL;

	arena_free(a);
	arena_freep(&a);
	CU_ASSERT_PTR_NULL(a);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"alignment_and_growth", test_alignment_and_growth},
		{"many_small", test_many_small},
		{"big_keeps_current", test_big_keeps_current},
		{"zeroed", test_zeroed},
		{"cap", test_cap},
		{"cap_counts_own", test_cap_counts_own},
		{"reset", test_reset},
		{"free_null", test_free_null},
#if defined(__SANITIZE_ADDRESS__)
		{"poison", test_poison},
#endif
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"arena", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
