#include "base/ctx.h"

#include <assert.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "base/thread.h"

struct cancel {
	atomic_size_t refs;
	atomic_bool fired; /* set under lock, read without */
	struct mutex lock; /* guards listeners; held while they run, so that cancel_unlisten waits for them */
	struct cancel_listener *listeners;
};

struct cancel *cancel_new(void)
{
	struct cancel *c = mem_zalloc(sizeof(*c));

	atomic_init(&c->refs, 1);
	atomic_init(&c->fired, false);
	mutex_init(&c->lock);
	return c;
}

struct cancel *cancel_ref(struct cancel *c)
{
	atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
	return c;
}

void cancel_unref(struct cancel *c)
{
	if (c == NULL || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
		return;
	assert(c->listeners == NULL);
	mutex_deinit(&c->lock);
	mem_free(c);
}

void cancel_fire(struct cancel *c)
{
	LOCK_SCOPE(&c->lock);

	if (atomic_exchange_explicit(&c->fired, true, memory_order_acq_rel))
		return;
	for (struct cancel_listener *l = c->listeners; l; l = l->next)
		l->fn(l->arg);
}

bool cancel_fired(const struct cancel *c)
{
	return c && atomic_load_explicit(&c->fired, memory_order_acquire);
}

void cancel_listen(struct cancel *c, struct cancel_listener *l)
{
	if (c == NULL)
		return;
	LOCK_SCOPE(&c->lock);
	l->prev = NULL;
	l->next = c->listeners;
	if (l->next)
		l->next->prev = l;
	c->listeners = l;
	if (cancel_fired(c))
		l->fn(l->arg);
}

void cancel_unlisten(struct cancel *c, struct cancel_listener *l)
{
	if (c == NULL)
		return;
	LOCK_SCOPE(&c->lock);
	if (l->prev)
		l->prev->next = l->next;
	else
		c->listeners = l->next;
	if (l->next)
		l->next->prev = l->prev;
	l->next = l->prev = NULL;
}

int64_t ctx_left_ms(const struct ctx *ctx)
{
	int64_t now_ms;

	if (ctx->deadline_ms == CTX_NO_DEADLINE)
		return INT64_MAX;
	now_ms = clock_mono_ms(ctx->clock);
	return ctx->deadline_ms > now_ms ? ctx->deadline_ms - now_ms : 0;
}

enum err_code ctx_check(const struct ctx *ctx, const char *doing, struct err *reterr)
{
	/* The deadline first: a peer whose deadline passes also cancels, and the deadline is the reason. */
	if (ctx_left_ms(ctx) == 0)
		return err_set(reterr, ERR_DEADLINE, "the deadline passed while %s", doing);
	if (cancel_fired(ctx->cancel))
		return err_set(reterr, ERR_CANCELLED, "cancelled while %s", doing);
	return ERR_OK;
}

/* The mutex is taken by the listener and never held while the cancel's lock is taken, so no wake-up is
 * lost. */
struct sleeper {
	struct mutex lock;
	struct cond cond;
	bool woken;
};

static void wake_sleeper(void *arg)
{
	struct sleeper *s = arg;

	LOCK_SCOPE(&s->lock);
	s->woken = true;
	cond_broadcast(&s->cond);
}

static void sleep_once(struct sleeper *s, const struct ctx *ctx, int64_t ms)
{
	int64_t left_ms = ctx_left_ms(ctx);

	if (ms > left_ms)
		ms = left_ms;
	if (ctx->clock != &clock_system)
		ms = 1; /* a test's clock moves without telling us */
	LOCK_SCOPE(&s->lock);
	if (!s->woken)
		cond_wait_ms(&s->cond, &s->lock, ms);
}

enum err_code ctx_sleep_ms(const struct ctx *ctx, int64_t ms, const char *doing, struct err *reterr)
{
	struct sleeper s = {.woken = false};
	struct cancel_listener listener = {.fn = wake_sleeper, .arg = &s};
	int64_t until_ms = clock_mono_ms(ctx->clock) + (ms > 0 ? ms : 0);
	enum err_code rc;

	mutex_init(&s.lock);
	cond_init(&s.cond);
	cancel_listen(ctx->cancel, &listener);
	for (;;) {
		int64_t now_ms = clock_mono_ms(ctx->clock);

		rc = ctx_check(ctx, doing, reterr);
		if (rc != ERR_OK || now_ms >= until_ms)
			break;
		sleep_once(&s, ctx, until_ms - now_ms);
	}
	cancel_unlisten(ctx->cancel, &listener);
	cond_deinit(&s.cond);
	mutex_deinit(&s.lock);
	return rc;
}
