/* layers: base
 *
 * Deadlines, cancellation and the waits that end with them; threads. Nothing here asserts how long something
 * took: a wait that does not end is caught by the test's time limit. */
#include "base/ctx.h"

#include <signal.h>
#include <stdatomic.h>

#include "base/thread.h"
#include "support/cunit_main.h"
#include "support/fake_clock.h"

static void count_wake(void *arg)
{
	atomic_fetch_add((atomic_int *)arg, 1);
}

static void test_listeners(void)
{
	struct cancel *c = cancel_new();
	atomic_int wakes[3] = {0};
	struct cancel_listener l[3];

	for (int i = 0; i < 3; i++) {
		l[i] = (struct cancel_listener){.fn = count_wake, .arg = &wakes[i]};
		cancel_listen(c, &l[i]);
	}
	cancel_unlisten(c, &l[1]); /* from the middle */
	CU_ASSERT_FALSE(cancel_fired(c));
	cancel_fire(c);
	cancel_fire(c);
	CU_ASSERT(cancel_fired(c));
	CU_ASSERT_EQUAL(wakes[0], 1);
	CU_ASSERT_EQUAL(wakes[1], 0);
	CU_ASSERT_EQUAL(wakes[2], 1);
	cancel_listen(c, &l[1]); /* already fired: at once */
	CU_ASSERT_EQUAL(wakes[1], 1);
	for (int i = 0; i < 3; i++)
		cancel_unlisten(c, &l[i]);
	CU_ASSERT_PTR_EQUAL(cancel_ref(c), c);
	cancel_unref(c);
	cancel_unref(c);

	cancel_unref(NULL);
	CU_ASSERT_FALSE(cancel_fired(NULL));
	cancel_listen(NULL, &l[0]);
	cancel_unlisten(NULL, &l[0]);
}

static void test_check(void)
{
	struct cancel *c = cancel_new();
	struct fake_clock f;
	struct ctx ctx;
	struct err err;

	fake_clock_init(&f, 0);
	ctx = (struct ctx){.clock = &f.clock, .deadline_ms = CTX_NO_DEADLINE, .cancel = c};
	CU_ASSERT_EQUAL(ctx_left_ms(&ctx), INT64_MAX);
	CU_ASSERT_EQUAL(ctx_check(&ctx, "testing", &err), ERR_OK);

	ctx.deadline_ms = clock_mono_ms(&f.clock) + 10;
	CU_ASSERT_EQUAL(ctx_left_ms(&ctx), 10);
	CU_ASSERT_EQUAL(ctx_check(&ctx, "testing", &err), ERR_OK);
	cancel_fire(c);
	CU_ASSERT_EQUAL(ctx_check(&ctx, "testing", &err), ERR_CANCELLED);
	CU_ASSERT_STRING_EQUAL(err.msg, "cancelled while testing");
	CU_ASSERT_FALSE(err.retryable);

	fake_clock_advance_ms(&f, 10); /* both: the deadline is the reason */
	CU_ASSERT_EQUAL(ctx_left_ms(&ctx), 0);
	CU_ASSERT_EQUAL(ctx_check(&ctx, "testing", &err), ERR_DEADLINE);
	CU_ASSERT_STRING_EQUAL(err.msg, "the deadline passed while testing");
	fake_clock_advance_ms(&f, 1000000);
	CU_ASSERT_EQUAL(ctx_left_ms(&ctx), 0);
	cancel_unref(c);
}

static void *fire_main(void *arg)
{
	cancel_fire(arg);
	return NULL;
}

static void test_sleep(void)
{
	struct cancel *c = cancel_new();
	struct fake_clock f;
	struct ctx ctx;
	struct thread t;
	struct err err;

	fake_clock_init(&f, 0);
	atomic_store(&f.auto_step_ms, 10);
	ctx = (struct ctx){.clock = &f.clock, .deadline_ms = CTX_NO_DEADLINE, .cancel = c};
	CU_ASSERT_EQUAL(ctx_sleep_ms(&ctx, 0, "sleeping", &err), ERR_OK);
	CU_ASSERT_EQUAL(ctx_sleep_ms(&ctx, -5, "sleeping", &err), ERR_OK);
	CU_ASSERT_EQUAL(ctx_sleep_ms(&ctx, 100, "sleeping", &err), ERR_OK);
	ctx.deadline_ms = clock_mono_ms(&f.clock) + 50;
	CU_ASSERT_EQUAL(ctx_sleep_ms(&ctx, 1000000, "sleeping", &err), ERR_DEADLINE);
	CU_ASSERT_EQUAL(ctx_sleep_ms(&ctx, 0, "sleeping", &err), ERR_DEADLINE);

	/* On the system's clock, an hour that a cancellation ends. */
	ctx = (struct ctx){.clock = &clock_system, .deadline_ms = CTX_NO_DEADLINE, .cancel = c};
	CU_ASSERT_EQUAL_FATAL(thread_start(&t, "fire", 0, fire_main, c, &err), ERR_OK);
	CU_ASSERT_EQUAL(ctx_sleep_ms(&ctx, 3600000, "sleeping", &err), ERR_CANCELLED);
	thread_join(&t);
	CU_ASSERT_EQUAL(ctx_sleep_ms(&ctx, 3600000, "sleeping", &err), ERR_CANCELLED);
	ctx.cancel = NULL;
	ctx.deadline_ms = clock_mono_ms(&clock_system) + 5;
	CU_ASSERT_EQUAL(ctx_sleep_ms(&ctx, INT64_C(3600000), "sleeping", &err), ERR_DEADLINE);
	CU_ASSERT_EQUAL(ctx_sleep_ms(&(struct ctx){.clock = &clock_system, .deadline_ms = CTX_NO_DEADLINE}, 2,
				"sleeping", &err),
		ERR_OK);
	cancel_unref(c);
}

/* Threads that wait for a condition that never comes, until their call is cancelled. */
struct waiter {
	struct mutex lock;
	struct cond cond;
	struct cancel *cancel;
	int waiting;
	int cancelled;
};

static void *waiter_main(void *arg)
{
	struct waiter *w = arg;
	struct ctx ctx = {.clock = &clock_system, .deadline_ms = CTX_NO_DEADLINE, .cancel = w->cancel};
	struct err err;

	LOCK_SCOPE(&w->lock);
	w->waiting++;
	while (ctx_check(&ctx, "waiting", &err) == ERR_OK)
		cond_wait_ctx(&w->cond, &w->lock, &ctx);
	w->cancelled += err.code == ERR_CANCELLED;
	return NULL;
}

enum { WAITERS = 4 };

static void run_waiters(bool fire_early)
{
	struct waiter w = {.waiting = 0};
	struct thread t[WAITERS];
	struct err err;
	int waiting = 0;

	mutex_init(&w.lock);
	cond_init(&w.cond);
	w.cancel = cancel_new();
	for (int i = 0; i < WAITERS; i++)
		CU_ASSERT_EQUAL_FATAL(
			thread_start(&t[i], "waiter", 64 * 1024, waiter_main, &w, &err), ERR_OK);
	while (!fire_early && waiting < WAITERS) {
		clock_sleep_ms(1);
		LOCK_SCOPE(&w.lock);
		waiting = w.waiting;
	}
	cancel_fire(w.cancel);
	for (int i = 0; i < WAITERS; i++)
		thread_join(&t[i]);
	CU_ASSERT_EQUAL(w.cancelled, WAITERS);
	cancel_unref(w.cancel);
	cond_deinit(&w.cond);
	mutex_deinit(&w.lock);
}

static void test_wait_cancelled(void)
{
	for (int i = 0; i < 20; i++) /* the race between firing and going to sleep has many outcomes */
		run_waiters(i % 2);
}

static void test_wait_deadline(void)
{
	struct cancel *c = cancel_new();
	struct mutex lock;
	struct cond cond;
	struct fake_clock f;
	struct ctx ctx;
	struct err err;

	fake_clock_init(&f, 0);
	mutex_init(&lock);
	cond_init(&cond);
	{
		LOCK_SCOPE(&lock);
		ctx = (struct ctx){
			.clock = &clock_system, .deadline_ms = clock_mono_ms(&clock_system) + 5, .cancel = c};
		while (ctx_check(&ctx, "waiting", &err) == ERR_OK)
			cond_wait_ctx(&cond, &lock, &ctx);
		CU_ASSERT_EQUAL(err.code, ERR_DEADLINE);
		ctx = (struct ctx){.clock = &f.clock, .deadline_ms = clock_mono_ms(&f.clock) + 50};
		atomic_store(&f.auto_step_ms, 10);
		while (ctx_check(&ctx, "waiting", &err) == ERR_OK)
			cond_wait_ctx(&cond, &lock, &ctx);
		CU_ASSERT_EQUAL(err.code, ERR_DEADLINE);
		CU_ASSERT_FALSE(cond_wait_ms(&cond, &lock, 1));
		CU_ASSERT_FALSE(cond_wait_ms(&cond, &lock, 0));
		CU_ASSERT_FALSE(cond_wait_ms(&cond, &lock, INT64_MIN));
	}
	cond_deinit(&cond);
	mutex_deinit(&lock);
	cancel_unref(c);
}

struct seen {
	char name[16];
	bool sigterm_blocked;
	bool sigsegv_blocked;
};

static void *look_main(void *arg)
{
	struct seen *seen = arg;
	sigset_t set;

	pthread_getname_np(pthread_self(), seen->name, sizeof(seen->name));
	pthread_sigmask(SIG_SETMASK, NULL, &set);
	seen->sigterm_blocked = sigismember(&set, SIGTERM);
	seen->sigsegv_blocked = sigismember(&set, SIGSEGV);
	return NULL;
}

static void test_thread(void)
{
	struct seen seen = {.sigterm_blocked = false};
	struct thread t;
	struct err err;
	sigset_t set;

	CU_ASSERT_EQUAL_FATAL(thread_start(&t, "a-name-that-is-too-long", 1, look_main, &seen, &err), ERR_OK);
	thread_join(&t);
	CU_ASSERT_STRING_EQUAL(seen.name, "a-name-that-is-");
	CU_ASSERT(seen.sigterm_blocked);
	CU_ASSERT_FALSE(seen.sigsegv_blocked);
	pthread_sigmask(SIG_SETMASK, NULL, &set);
	CU_ASSERT_FALSE(sigismember(&set, SIGTERM)); /* the creator's own mask is as it was */

	/* More stack than there is address space. */
	CU_ASSERT_EQUAL(thread_start(&t, "huge", (size_t)1 << 62, look_main, &seen, &err), ERR_UNAVAILABLE);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"listeners", test_listeners},
		{"check", test_check},
		{"sleep", test_sleep},
		{"wait_cancelled", test_wait_cancelled},
		{"wait_deadline", test_wait_deadline},
		{"thread", test_thread},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"ctx", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
