#include "support/cunit_main.h"

#include <CUnit/TestRun.h>
#include <stdio.h>

#include "base/mem.h"

static size_t blocks_at_start;
static unsigned leaks;

static void on_suite_start(const CU_pSuite suite)
{
	(void)suite;
	blocks_at_start = mem_live_blocks();
}

static void on_suite_done(const CU_pSuite suite, const CU_pFailureRecord failures)
{
	size_t now = mem_live_blocks();

	(void)failures;
	if (now == blocks_at_start)
		return;
	fprintf(stderr, "FAIL %s: %zu heap blocks before the suite, %zu after it\n", suite->pName,
		blocks_at_start, now);
	leaks++;
}

static void on_test_done(const CU_pTest test, const CU_pSuite suite, const CU_pFailureRecord failures)
{
	for (const CU_FailureRecord *f = failures; f; f = f->pNext)
		fprintf(stderr, "FAIL %s.%s: %s:%u: %s\n", suite->pName, test->pName, f->strFileName,
			f->uiLineNumber, f->strCondition);
}

static void on_suite_init_failed(const CU_pSuite suite)
{
	fprintf(stderr, "FAIL %s: its init function failed\n", suite->pName);
}

static void on_suite_cleanup_failed(const CU_pSuite suite)
{
	fprintf(stderr, "FAIL %s: its cleanup function failed\n", suite->pName);
}

int unit_main(CU_SuiteInfo *suites)
{
	const CU_RunSummary *sum;
	bool ok;

	if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS) {
		fprintf(stderr, "FAIL: CUnit: %s\n", CU_get_error_msg());
		return 1;
	}
	CU_set_suite_start_handler(on_suite_start);
	CU_set_suite_complete_handler(on_suite_done);
	CU_set_suite_init_failure_handler(on_suite_init_failed);
	CU_set_suite_cleanup_failure_handler(on_suite_cleanup_failed);
	CU_set_test_complete_handler(on_test_done);
	CU_run_all_tests();
	sum = CU_get_run_summary();
	ok = CU_get_number_of_failure_records() == 0 && leaks == 0 && sum->nTestsRun > 0;
	printf("%s: %u tests, %u assertions, %u failed, %u suites leaked\n", ok ? "ok" : "FAILED",
		sum->nTestsRun, sum->nAsserts, sum->nAssertsFailed, leaks);
	CU_cleanup_registry();
	return ok ? 0 : 1;
}

bool unit_str_eq(struct str got, struct str want, const char *what)
{
	if (str_eq(got, want))
		return true;
	fprintf(stderr, "%s: got \"" STR_FMT "\", want \"" STR_FMT "\"\n", what, STR_ARG(got), STR_ARG(want));
	return false;
}

bool unit_i64_eq(int64_t got, int64_t want, const char *what)
{
	if (got == want)
		return true;
	fprintf(stderr, "%s: got %lld, want %lld\n", what, (long long)got, (long long)want);
	return false;
}
