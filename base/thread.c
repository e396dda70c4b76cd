/* DESIGN
 *
 * cond_wait_ctx and cancellation. The caller holds its mutex M and waits on its own condition variable C; a
 * cancellation has to end that wait. The waiter registers a listener that broadcasts C.
 *
 * Lock order is M before the cancel's lock K: cond_wait_ctx takes K (in cancel_listen and cancel_unlisten)
 * with M held. The listener runs with K held, so it must not take M, and it does not: it only broadcasts. The
 * price is a window: a broadcast between the registration and the moment the waiter sleeps inside
 * pthread_cond_timedwait is lost, because nothing that the firing thread holds orders it after that moment.
 * Hence a wait that can be cancelled never sleeps longer than SLICE_MS: a lost broadcast costs that much
 * once, and waiters loop over ctx_check anyway.
 *
 * Rejected: taking M in the listener (deadlock with the order above); releasing M to register (loses the
 * caller's own signals). Waits that own their mutex, like ctx_sleep_ms, need none of this. */
#include "base/thread.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

enum {
	SLICE_MS = 100,
	/* A clock that is not the system's (tests) moves without telling us: look at it often. */
	OTHER_CLOCK_SLICE_MS = 1,
};

/* These calls fail only when they are misused. */
static void must(int rc, const char *what)
{
	if (rc == 0)
		return;
	fprintf(stderr, "%s: %s\n", what, strerrordesc_np(rc));
	abort();
}

void mutex_init(struct mutex *m)
{
	must(pthread_mutex_init(&m->m, NULL), "pthread_mutex_init");
}

void mutex_deinit(struct mutex *m)
{
	must(pthread_mutex_destroy(&m->m), "pthread_mutex_destroy");
}

void mutex_lock(struct mutex *m)
{
	must(pthread_mutex_lock(&m->m), "pthread_mutex_lock");
}

void mutex_unlock(struct mutex *m)
{
	must(pthread_mutex_unlock(&m->m), "pthread_mutex_unlock");
}

void mutex_unlockp(struct mutex **m)
{
	if (*m)
		mutex_unlock(*m);
}

void cond_init(struct cond *c)
{
	pthread_condattr_t attr;

	must(pthread_condattr_init(&attr), "pthread_condattr_init");
	must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC), "pthread_condattr_setclock");
	must(pthread_cond_init(&c->c, &attr), "pthread_cond_init");
	pthread_condattr_destroy(&attr);
}

void cond_deinit(struct cond *c)
{
	must(pthread_cond_destroy(&c->c), "pthread_cond_destroy");
}

void cond_signal(struct cond *c)
{
	must(pthread_cond_signal(&c->c), "pthread_cond_signal");
}

void cond_broadcast(struct cond *c)
{
	must(pthread_cond_broadcast(&c->c), "pthread_cond_broadcast");
}

void cond_wait(struct cond *c, struct mutex *m)
{
	must(pthread_cond_wait(&c->c, &m->m), "pthread_cond_wait");
}

bool cond_wait_ms(struct cond *c, struct mutex *m, int64_t timeout_ms)
{
	/* Nobody waits a year; the bound keeps the sum below in range. */
	const int64_t year_ms = INT64_C(365) * 86400 * 1000;
	struct timespec until;
	int64_t ns;
	int rc;

	if (timeout_ms == INT64_MAX) {
		cond_wait(c, m);
		return true;
	}
	if (timeout_ms < 0)
		timeout_ms = 0;
	if (timeout_ms > year_ms)
		timeout_ms = year_ms;
	clock_gettime(CLOCK_MONOTONIC, &until);
	ns = until.tv_nsec + timeout_ms % 1000 * 1000000;
	until.tv_sec += timeout_ms / 1000 + ns / 1000000000;
	until.tv_nsec = ns % 1000000000;
	rc = pthread_cond_timedwait(&c->c, &m->m, &until);
	if (rc == ETIMEDOUT)
		return false;
	must(rc, "pthread_cond_timedwait");
	return true;
}

static void wake_cond(void *arg)
{
	cond_broadcast(arg);
}

void cond_wait_ctx(struct cond *c, struct mutex *m, const struct ctx *ctx)
{
	struct cancel_listener listener = {.fn = wake_cond, .arg = c};
	int64_t wait_ms = ctx_left_ms(ctx);

	if (ctx->clock != &clock_system && wait_ms > OTHER_CLOCK_SLICE_MS)
		wait_ms = OTHER_CLOCK_SLICE_MS;
	if (ctx->cancel == NULL) {
		cond_wait_ms(c, m, wait_ms);
		return;
	}
	cancel_listen(ctx->cancel, &listener);
	if (!cancel_fired(ctx->cancel))
		cond_wait_ms(c, m, wait_ms < SLICE_MS ? wait_ms : SLICE_MS);
	cancel_unlisten(ctx->cancel, &listener);
}

struct start {
	thread_main_fn *fn;
	void *arg;
	char name[16];
};

static void *thread_entry(void *arg)
{
	struct start start = *(struct start *)arg;

	mem_free(arg);
	pthread_setname_np(pthread_self(), start.name);
	return start.fn(start.arg);
}

/* All but those that mean a crash of the very thread that gets them. */
static void block_signals(sigset_t *old)
{
	static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
	sigset_t set;

	sigfillset(&set);
	for (size_t i = 0; i < ARRAY_LEN(crashes); i++)
		sigdelset(&set, crashes[i]);
	must(pthread_sigmask(SIG_SETMASK, &set, old), "pthread_sigmask");
}

enum err_code thread_start(struct thread *ret_thread, const char *name, size_t stack_bytes,
	thread_main_fn *fn, void *arg, struct err *reterr)
{
	struct start *start = mem_zalloc(sizeof(*start));
	pthread_attr_t attr;
	pthread_t t;
	sigset_t old;
	int rc;

	start->fn = fn;
	start->arg = arg;
	memcpy(start->name, name, strnlen(name, sizeof(start->name) - 1));
	must(pthread_attr_init(&attr), "pthread_attr_init");
	if (stack_bytes > 0) {
		if (stack_bytes < (size_t)PTHREAD_STACK_MIN)
			stack_bytes = (size_t)PTHREAD_STACK_MIN;
		must(pthread_attr_setstacksize(&attr, stack_bytes), "pthread_attr_setstacksize");
	}
	block_signals(&old); /* a thread starts with its creator's mask */
	rc = pthread_create(&t, &attr, thread_entry, start);
	must(pthread_sigmask(SIG_SETMASK, &old, NULL), "pthread_sigmask");
	pthread_attr_destroy(&attr);
	if (rc != 0) {
		mem_free(start);
		return err_set(
			reterr, ERR_UNAVAILABLE, "cannot start thread %s: %s", name, strerrordesc_np(rc));
	}
	ret_thread->t = t;
	return ERR_OK;
}

void thread_join(struct thread *t)
{
	must(pthread_join(t->t, NULL), "pthread_join");
}

void thread_detach(struct thread *t)
{
	must(pthread_detach(t->t), "pthread_detach");
}
