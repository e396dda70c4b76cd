/* base/ctx.h
 *
 * What a piece of work carries down through every layer: its deadline and its cancellation. Every wait in the
 * program (AWS answer, pacer, queue, store, another flight) ends when either says so.
 *
 * Cancellation is a shared flag with listeners: whoever blocks registers a wake-up for the time it waits.
 *
 * Threads: a struct ctx is read by the thread that does the work (and passed by pointer to helpers of the same call); a
 * struct cancel is for any thread. */
#ifndef BASE_CTX_H
#define BASE_CTX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"

struct cancel;

struct cancel *cancel_new(void);
struct cancel *cancel_ref(struct cancel *c);
void cancel_unref(struct cancel *c);       /* NULL is fine */
void cancel_fire(struct cancel *c);        /* idempotent; runs the listeners on this thread */
bool cancel_fired(const struct cancel *c); /* NULL: never */

/* A wake-up while a thread waits. fn runs with the cancel's lock held: it may only signal (condition variable, event fd,
 * curl_multi_wakeup), never block or call back into cancel_*. cancel_unlisten returns when fn runs no more. A cancel that has
 * fired already runs fn at once. c NULL: both do nothing. */
typedef void(cancel_wake_fn)(void *arg);
struct cancel_listener {
	cancel_wake_fn *fn;
	void *arg;
	struct cancel_listener *next, *prev;
};
void cancel_listen(struct cancel *c, struct cancel_listener *l);
void cancel_unlisten(struct cancel *c, struct cancel_listener *l);

#define CTX_NO_DEADLINE INT64_MAX

struct ctx {
	const struct clock *clock; /* never NULL */
	int64_t deadline_ms;       /* on clock->mono_ms; CTX_NO_DEADLINE: none */
	struct cancel *cancel;     /* borrowed; NULL: cannot be cancelled */
	uint64_t call_id;          /* of the RPC, for logs; 0: background work */
	bool background;           /* read-ahead: foreground calls pass it at the pacer */
};

/* Milliseconds left (0 when over, INT64_MAX without a deadline). */
int64_t ctx_left_ms(const struct ctx *ctx);

/* ERR_OK, or ERR_CANCELLED, or ERR_DEADLINE "the deadline passed while <doing>". */
MUST_CHECK enum err_code ctx_check(const struct ctx *ctx, const char *doing, struct err *reterr);

/* Sleeps ms, or until deadline or cancellation end it (then as ctx_check). */
MUST_CHECK enum err_code ctx_sleep_ms(
	const struct ctx *ctx, int64_t ms, const char *doing, struct err *reterr);

#endif
