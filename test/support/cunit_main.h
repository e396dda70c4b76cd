/* test/support/cunit_main.h
 *
 * The main function of a unit test: a table of suites in, an exit code out.
 *
 *	int main(void)
 *	{
 *		static CU_TestInfo tests[] = {{"cuts", test_cuts}, CU_TEST_INFO_NULL};
 *		static CU_SuiteInfo suites[] = {{"str", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};
 *		return unit_main(suites);
 *	}
 *
 * Set up and tear down at suite level: a _FATAL assertion jumps out of its test. Assert on the test's thread
 * only. A suite that leaves more live heap blocks (mem_live_blocks) than it found, its own init and cleanup
 * included, fails.
 *
 * Threads: main thread only. */
#ifndef TEST_SUPPORT_CUNIT_MAIN_H
#define TEST_SUPPORT_CUNIT_MAIN_H

#include <CUnit/CUnit.h>
#include <CUnit/TestDB.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"

/* 0 when everything passed and nothing leaked, else 1. */
int unit_main(CU_SuiteInfo *suites);

/* CUnit shows an assertion's text, not its values: these print what was there and what was wanted when they
 * differ. `what` names the table row. True when equal. */
bool unit_str_eq(struct str got, struct str want, const char *what);
bool unit_i64_eq(int64_t got, int64_t want, const char *what);

#define ASSERT_STR(got, want, what) CU_ASSERT(unit_str_eq((got), (want), (what)))
#define ASSERT_I64(got, want, what) CU_ASSERT(unit_i64_eq((int64_t)(got), (int64_t)(want), (what)))

#endif
