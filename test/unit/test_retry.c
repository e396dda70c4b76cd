/* layers: aws base
 *
 * AWS's standard retry mode: attempts, back-off, budget. */
#include "aws/retry.h"

#include "support/cunit_main.h"

static double next_fixed(void *self)
{
	return *(const double *)self;
}

static void test_backoff(void)
{
	double value;
	struct retry r;
	int64_t wait_ms;
	int paid = 0;

	retry_init(&r, 10, (struct aws_random){next_fixed, &value});
	value = 0;
	CU_ASSERT_TRUE(retry_next(&r, 1, false, 0, &paid, &wait_ms));
	ASSERT_I64(wait_ms, 0, "the least");
	value = 0.999999;
	CU_ASSERT_TRUE(retry_next(&r, 1, false, 0, &paid, &wait_ms));
	ASSERT_I64(wait_ms, 1999, "below 2 s after the first");
	CU_ASSERT_TRUE(retry_next(&r, 2, false, 0, &paid, &wait_ms));
	ASSERT_I64(wait_ms, 3999, "below 4 s after the second");
	CU_ASSERT_TRUE(retry_next(&r, 9, false, 0, &paid, &wait_ms));
	ASSERT_I64(wait_ms, RETRY_BACKOFF_CAP_MS, "the cap");
}

static void test_attempts(void)
{
	double value = 0;
	struct retry r;
	int64_t wait_ms;
	int paid = 0;

	retry_init(&r, 0, (struct aws_random){next_fixed, &value});
	CU_ASSERT_TRUE(retry_next(&r, 2, false, 0, &paid, &wait_ms));
	CU_ASSERT_FALSE(retry_next(&r, 3, false, 0, &paid, &wait_ms));
	retry_init(&r, 1, (struct aws_random){next_fixed, &value});
	CU_ASSERT_FALSE(retry_next(&r, 1, false, 0, &paid, &wait_ms));
}

static void test_retry_after(void)
{
	double value = 0.5;
	struct retry r;
	int64_t wait_ms;
	int paid = 0;

	retry_init(&r, 3, (struct aws_random){next_fixed, &value});
	CU_ASSERT_TRUE(retry_next(&r, 1, false, 5000, &paid, &wait_ms));
	ASSERT_I64(wait_ms, 5000, "honoured");
	CU_ASSERT_TRUE(retry_next(&r, 1, false, 10, &paid, &wait_ms));
	ASSERT_I64(wait_ms, 1000, "the longer of the two");
	CU_ASSERT_FALSE(retry_next(&r, 1, false, RETRY_BACKOFF_CAP_MS + 1, &paid, &wait_ms));
}

static void test_budget(void)
{
	double value = 0;
	struct retry r;
	int64_t wait_ms;
	int paid = 0, n = 0;

	retry_init(&r, 3, (struct aws_random){next_fixed, &value});
	while (retry_next(&r, 1, false, 0, &paid, &wait_ms))
		n++;
	ASSERT_I64(n, 100, "500 tokens, 5 each");
	ASSERT_I64(paid, 5, "the price");
	for (int i = 0; i < 4; i++)
		retry_succeeded(&r, 0);
	CU_ASSERT_FALSE(retry_next(&r, 1, false, 0, &paid, &wait_ms));
	retry_succeeded(&r, 0);
	CU_ASSERT_TRUE(retry_next(&r, 1, false, 0, &paid, &wait_ms)); /* five plain successes */
	retry_succeeded(&r, paid);
	CU_ASSERT_FALSE(
		retry_next(&r, 1, /* was_timeout= */ true, 0, &paid, &wait_ms)); /* a time-out costs 10 */
	CU_ASSERT_TRUE(retry_next(&r, 1, false, 0, &paid, &wait_ms));

	retry_init(&r, 3, (struct aws_random){next_fixed, &value});
	for (n = 0; retry_next(&r, 1, /* was_timeout= */ true, 0, &paid, &wait_ms);)
		n++;
	ASSERT_I64(n, 50, "500 tokens, 10 each");
	for (int i = 0; i < 1000; i++)
		retry_succeeded(&r, 10);
	for (n = 0; retry_next(&r, 1, true, 0, &paid, &wait_ms);)
		n++;
	ASSERT_I64(n, 50, "never above 500");
}

static void test_system_random(void)
{
	double sum = 0;

	for (int i = 0; i < 1000; i++) {
		double v = aws_random_system.next(aws_random_system.self);

		CU_ASSERT(v >= 0 && v < 1);
		sum += v;
	}
	CU_ASSERT(sum > 350 && sum < 650); /* off by 16 standard deviations: never */
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"back-off", test_backoff},
		{"attempts", test_attempts},
		{"Retry-After", test_retry_after},
		{"budget", test_budget},
		{"system's randomness", test_system_random},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"retry", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
