/* base/thread.h
 *
 * POSIX threads with the failures that cannot be handled turned into aborts, scope-locked mutexes, and condition variables
 * on the monotonic clock.
 *
 *	LOCK_SCOPE(&x->lock);        held until the end of the scope
 *
 * Signals are blocked in every thread made here; main waits for them (server/signals.c). */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/err.h"

struct mutex {
	pthread_mutex_t m;
};
struct cond {
	pthread_cond_t c;
};

void mutex_init(struct mutex *m);
void mutex_deinit(struct mutex *m);
void mutex_lock(struct mutex *m);
void mutex_unlock(struct mutex *m);
void mutex_unlockp(struct mutex **m);

#define LOCK_CAT_(a, b)  a##b
#define LOCK_NAME_(line) LOCK_CAT_(lock_scope_, line)
#define LOCK_SCOPE(ptr)                                                                                      \
	struct mutex *LOCK_NAME_(__LINE__) __attribute__((cleanup(mutex_unlockp), unused)) = (ptr);          \
	mutex_lock(LOCK_NAME_(__LINE__))

void cond_init(struct cond *c);
void cond_deinit(struct cond *c);
void cond_signal(struct cond *c);
void cond_broadcast(struct cond *c);
void cond_wait(struct cond *c, struct mutex *m);
/* Waits at most timeout_ms (INT64_MAX: for ever). False when the time was up. Wakes spuriously. */
bool cond_wait_ms(struct cond *c, struct mutex *m, int64_t timeout_ms);

/* Waits once on c until it is signalled, the deadline passes or the call is cancelled (which broadcasts c); the caller
 * loops over its own condition and ctx_check. */
void cond_wait_ctx(struct cond *c, struct mutex *m, const struct ctx *ctx);

typedef void *(thread_main_fn)(void *arg);

struct thread {
	pthread_t t;
};

/* name: at most 15 bytes, as the kernel shows it. stack_bytes 0: the default. ERR_UNAVAILABLE when the system has no more. */
MUST_CHECK enum err_code thread_start(struct thread *ret_thread, const char *name, size_t stack_bytes,
	thread_main_fn *fn, void *arg, struct err *reterr);
void thread_join(struct thread *t);
/* Nobody joins it: it ends by itself, after what it works on, which it must own a part of. */
void thread_detach(struct thread *t);

#endif
