/* layers: base */
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#include "support/cunit_main.h"

enum { SIZE = 200 };
static const char mark[] = "hunter2";

/* Whether a block of the heap that was just given back still says what was in it. The allocator may hand out
 * another one, and the test then says nothing; glibc hands out the same. */
static bool is_left_behind(void)
{
	volatile char *block = malloc(SIZE); /* reading what nobody wrote is the very question */
	char copy[SIZE];

	for (size_t i = 0; i < SIZE; i++)
		copy[i] = block[i];
	free((char *)block);
	return memmem(copy, SIZE, mark, strlen(mark)) != NULL;
}

static char *block_with_mark(void)
{
	char *p = mem_alloc(SIZE);

	memset(p, 'x', SIZE);
	memcpy(p + SIZE / 2, mark, strlen(mark));
	return p;
}

static void test_wiped(void)
{
	char *p = block_with_mark();

	mem_free_wiped(p);
	CU_ASSERT_FALSE(is_left_behind());

	p = mem_realloc_wiped(block_with_mark(), 10 * SIZE);
	CU_ASSERT_FALSE(is_left_behind());
	CU_ASSERT(memcmp(p + SIZE / 2, mark, strlen(mark)) == 0);
	p = mem_realloc_wiped(p, 1);
	CU_ASSERT(*p == 'x');
	mem_free_wiped(p);

	mem_free_wiped(NULL);
	mem_free_wiped(mem_realloc_wiped(NULL, 0));
}

/* Unlike mem_strndup, whose copy ends at the first NUL. */
static void test_dup(void)
{
	static const char bytes[] = {'a', '\0', 'b'};
	char *copy = mem_dup(bytes, sizeof(bytes)), *nothing = mem_dup(NULL, 0);

	CU_ASSERT(memcmp(copy, "a\0b", sizeof(bytes) + 1) == 0);
	CU_ASSERT(nothing[0] == '\0');
	mem_free(copy);
	mem_free(nothing);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"wiped", test_wiped},
		{"dup", test_dup},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"mem", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
