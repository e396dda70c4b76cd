/* layers: base
 *
 * The bounded queue: order, refusal, closing, and many threads on both ends. */
#include "base/queue.h"

#include <sched.h>
#include <stdatomic.h>

#include "base/thread.h"
#include "support/cunit_main.h"

static void test_order(void)
{
	struct queue *q = queue_new(3);
	int items[7];

	for (int round = 0; round < 5; round++) { /* the ring wraps at every offset */
		CU_ASSERT(queue_push(q, &items[0]));
		CU_ASSERT(queue_push(q, &items[1]));
		CU_ASSERT_PTR_EQUAL(queue_pop(q), &items[0]);
		CU_ASSERT(queue_push(q, &items[2]));
		CU_ASSERT(queue_push(q, &items[3]));
		CU_ASSERT_FALSE(queue_push(q, &items[4])); /* full */
		CU_ASSERT_EQUAL(queue_len(q), 3);
		CU_ASSERT_PTR_EQUAL(queue_pop(q), &items[1]);
		CU_ASSERT_PTR_EQUAL(queue_pop(q), &items[2]);
		CU_ASSERT_PTR_EQUAL(queue_pop(q), &items[3]);
		CU_ASSERT_EQUAL(queue_len(q), 0);
	}
	queue_free(q);
	queue_free(NULL);
}

static void test_close(void)
{
	struct queue *q = queue_new(2);
	int item;

	CU_ASSERT(queue_push(q, &item));
	queue_close(q);
	queue_close(q);
	CU_ASSERT_FALSE(queue_push(q, &item));
	CU_ASSERT_PTR_EQUAL(queue_pop(q), &item); /* what was there is drained */
	CU_ASSERT_PTR_NULL(queue_pop(q));
	CU_ASSERT_PTR_NULL(queue_pop(q));
	queue_free(q);
}

enum { PRODUCERS = 3, CONSUMERS = 3, PER_PRODUCER = 2000 };

struct traffic {
	struct queue *q;
	atomic_int next_producer;
	atomic_int seen[PRODUCERS * PER_PRODUCER];
	atomic_int popped;
};

static void *producer_main(void *arg)
{
	struct traffic *t = arg;
	int from = atomic_fetch_add(&t->next_producer, 1) * PER_PRODUCER;

	for (int i = from; i < from + PER_PRODUCER; i++)
		while (!queue_push(t->q, &t->seen[i]))
			sched_yield();
	return NULL;
}

static void *consumer_main(void *arg)
{
	struct traffic *t = arg;
	atomic_int *item;

	while ((item = queue_pop(t->q))) {
		atomic_fetch_add(item, 1);
		atomic_fetch_add(&t->popped, 1);
	}
	return NULL;
}

static void test_threads(void)
{
	static struct traffic t;
	struct thread producers[PRODUCERS], consumers[CONSUMERS];
	struct err err;
	int wrong = 0;

	t.q = queue_new(7);
	for (int i = 0; i < CONSUMERS; i++)
		CU_ASSERT_EQUAL_FATAL(
			thread_start(&consumers[i], "consumer", 0, consumer_main, &t, &err), ERR_OK);
	for (int i = 0; i < PRODUCERS; i++)
		CU_ASSERT_EQUAL_FATAL(
			thread_start(&producers[i], "producer", 0, producer_main, &t, &err), ERR_OK);
	for (int i = 0; i < PRODUCERS; i++)
		thread_join(&producers[i]);
	queue_close(t.q); /* wakes all consumers that sleep */
	for (int i = 0; i < CONSUMERS; i++)
		thread_join(&consumers[i]);
	for (int i = 0; i < PRODUCERS * PER_PRODUCER; i++)
		wrong += t.seen[i] != 1;
	ASSERT_I64(wrong, 0, "items not popped exactly once");
	ASSERT_I64(t.popped, PRODUCERS * PER_PRODUCER, "popped");
	queue_free(t.q);
}

/* Closing wakes everybody who sleeps, not only one: a consumer that is left asleep hangs this test. */
static void test_close_wakes_all(void)
{
	static struct traffic t;
	struct thread consumers[CONSUMERS];
	struct err err;

	t.q = queue_new(1);
	for (int i = 0; i < CONSUMERS; i++)
		CU_ASSERT_EQUAL_FATAL(
			thread_start(&consumers[i], "consumer", 0, consumer_main, &t, &err), ERR_OK);
	clock_sleep_ms(20); /* most likely all sleep now; where not, the test proves less but does not fail */
	queue_close(t.q);
	for (int i = 0; i < CONSUMERS; i++)
		thread_join(&consumers[i]);
	CU_ASSERT_EQUAL(t.popped, 0);
	queue_free(t.q);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"order", test_order},
		{"close", test_close},
		{"threads", test_threads},
		{"close_wakes_all", test_close_wakes_all},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"queue", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
