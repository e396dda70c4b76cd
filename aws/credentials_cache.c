/* DESIGN
 *
 * What is cached is one pointer to an immutable snapshot, swapped under the lock; the lock is never held
 * while the inner provider works. Whoever finds the snapshot old renews it, in its own thread and under
 * its own deadline: no thread is needed that would have to be stopped, and a server without requests asks
 * nothing.
 *
 * Renewals are numbered. A waiter remembers the number of the one it waited for, and gets that one's
 * error, not a later one's. When the renewing thread's own call ended (deadline, cancellation) that is no
 * answer for the others: one of them takes over.
 *
 * Who renews many caches at once from one thread cannot sit in the inner provider of each: it begins the
 * renewals, does the inner providers' work for all together, and ends them. For everybody else these are
 * renewals like any other. */
#include "aws/credentials.h"

#include <assert.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"

/* After a failed renewal of a snapshot that is still valid: do not ask again at every call. */
#define RETRY_AFTER_MS 10000

struct cache {
	struct credentials_provider base;
	struct credentials_provider *inner;
	const struct clock *clock;

	struct mutex lock;               /* guards all below */
	struct cond cond;                /* a renewal ended */
	struct aws_credentials *current; /* NULL: none yet, or forgotten */
	int64_t stored_ms;               /* when current came; monotonic */
	int64_t renew_at_s;              /* of current, wall time */
	int64_t retry_at_ms;             /* no renewal before that while current is valid; monotonic */
	bool renewing;
	uint64_t renewals;       /* ended so far */
	uint64_t failed_renewal; /* number of the last one that failed, */
	struct err failure;      /* with this */
	/* failure is a denial, and the answer to whoever asks before that; monotonic */
	int64_t denied_until_ms;
};

static struct cache *cache_of(struct credentials_provider *self)
{
	return (struct cache *)self;
}

/* When to renew a snapshot that arrives now. One with a short life is renewed at half of it, else it would
 * be at every call. */
static int64_t renewal_time(const struct aws_credentials *c, int64_t now_s)
{
	int64_t life_s;

	if (c->expires_at_s == CREDENTIALS_NEVER_EXPIRE)
		return CREDENTIALS_NEVER_EXPIRE;
	life_s = c->expires_at_s - now_s;
	if (life_s < 2 * CREDENTIALS_REFRESH_BEFORE_S)
		return now_s + life_s / 2;
	return c->expires_at_s - CREDENTIALS_REFRESH_BEFORE_S;
}

static void store(struct cache *c, struct aws_credentials *take_fresh)
{
	aws_credentials_unref(c->current);
	c->current = take_fresh;
	c->stored_ms = clock_mono_ms(c->clock);
	c->renew_at_s = renewal_time(take_fresh, clock_wall_s(c->clock));
	c->retry_at_ms = 0;
	c->denied_until_ms = 0;
}

static void note_failure(struct cache *c, const struct err *err)
{
	c->failed_renewal = c->renewals;
	c->failure = *err;
	c->retry_at_ms = clock_mono_ms(c->clock) + RETRY_AFTER_MS;
	c->denied_until_ms =
		err->code == ERR_DENIED ? clock_mono_ms(c->clock) + CREDENTIALS_DENIED_FOR_MS : 0;
}

static bool is_valid(const struct cache *c)
{
	return c->current && clock_wall_s(c->clock) < c->current->expires_at_s;
}

static bool is_fresh(const struct cache *c)
{
	return is_valid(c) && clock_wall_s(c->clock) < c->renew_at_s;
}

static bool is_denied(const struct cache *c)
{
	return clock_mono_ms(c->clock) < c->denied_until_ms;
}

/* Whether current serves: nobody has to renew it now. */
static bool is_good(const struct cache *c)
{
	bool wait_to_retry = clock_mono_ms(c->clock) < c->retry_at_ms;

	return is_fresh(c) || (is_valid(c) && (c->renewing || wait_to_retry));
}

/* With the lock held: a renewal ended with rc, and *reterr or take_fresh. Returns what came of it; ERR_OK:
 * there is a valid snapshot. */
static enum err_code settle(struct cache *c, const struct ctx *ctx, enum err_code rc,
	struct aws_credentials *take_fresh, struct err *reterr)
{
	struct err ignored;
	bool own_end = rc != ERR_OK && ctx_check(ctx, "fetching credentials", &ignored) != ERR_OK;

	if (rc == ERR_OK && take_fresh->expires_at_s <= clock_wall_s(c->clock)) {
		aws_credentials_unref(take_fresh);
		rc = err_set(reterr, ERR_UNAUTHENTICATED,
			"the credentials from %s have already expired; is the clock of this host right?",
			c->inner->ops->name);
	}
	c->renewing = false;
	c->renewals++;
	if (rc == ERR_OK)
		store(c, take_fresh);
	else if (!own_end)
		note_failure(c, reterr);
	cond_broadcast(&c->cond);
	if (rc == ERR_OK || own_end || !is_valid(c))
		return rc;
	log_warn("renewing AWS credentials failed, the old ones are still valid, ignoring",
		LOG_CSTR("provider", c->inner->ops->name), LOG_CSTR("error", reterr->msg),
		LOG_CSTR("aws_code", reterr->aws_code), LOG_CSTR("request_id", reterr->request_id));
	return ERR_OK;
}

/* With the lock held, which is open meanwhile: renews. */
static enum err_code renew(
	struct cache *c, const struct ctx *ctx, struct aws_credentials **ret_credentials, struct err *reterr)
{
	struct aws_credentials *fresh = NULL;
	enum err_code rc;

	c->renewing = true;
	mutex_unlock(&c->lock);
	rc = credentials_fetch(c->inner, ctx, &fresh, reterr);
	mutex_lock(&c->lock);
	rc = settle(c, ctx, rc, fresh, reterr);
	if (rc == ERR_OK)
		*ret_credentials = aws_credentials_ref(c->current);
	return rc;
}

/* With the lock held, which is open while somebody renews. waited_for: number of the renewal that the caller has
 * waited for; 0: none yet. */
static enum err_code fetch(struct cache *c, const struct ctx *ctx, uint64_t waited_for,
	struct aws_credentials **ret_credentials, struct err *reterr)
{
	for (;;) {
		enum err_code rc;

		if (is_good(c)) {
			*ret_credentials = aws_credentials_ref(c->current);
			return ERR_OK;
		}
		if (!is_valid(c) && (is_denied(c) || (waited_for && c->failed_renewal >= waited_for))) {
			*reterr = c->failure;
			return reterr->code;
		}
		if (!c->renewing)
			return renew(c, ctx, ret_credentials, reterr);
		rc = ctx_check(ctx, "waiting for credentials", reterr);
		if (rc != ERR_OK)
			return rc;
		if (waited_for == 0)
			waited_for = c->renewals + 1;
		cond_wait_ctx(&c->cond, &c->lock, ctx);
	}
}

static enum err_code cache_fetch(struct credentials_provider *self, const struct ctx *ctx,
	struct aws_credentials **ret_credentials, struct err *reterr)
{
	struct cache *c = cache_of(self);
	LOCK_SCOPE(&c->lock);

	return fetch(c, ctx, /* waited_for= */ 0, ret_credentials, reterr);
}

static void cache_forget(struct credentials_provider *self, const struct aws_credentials *refused)
{
	struct cache *c = cache_of(self);
	bool was_current;

	mutex_lock(&c->lock);
	was_current = c->current == refused;
	if (was_current) {
		aws_credentials_unref(c->current);
		c->current = NULL;
	}
	mutex_unlock(&c->lock);
	if (was_current)
		credentials_forget(c->inner, refused);
}

static void cache_free(struct credentials_provider *self)
{
	struct cache *c = cache_of(self);

	credentials_provider_unref(c->inner);
	aws_credentials_unref(c->current);
	cond_deinit(&c->cond);
	mutex_deinit(&c->lock);
	mem_free(c);
}

struct credentials_provider *credentials_cache_new(
	struct credentials_provider *take_inner, const struct clock *clock)
{
	static const struct credentials_provider_ops ops = {
		.name = "cache", .fetch = cache_fetch, .forget = cache_forget, .free = cache_free};
	struct cache *c;

	if (take_inner->ops == &ops)
		return take_inner;
	c = mem_zalloc(sizeof(*c));
	c->base.ops = &ops;
	atomic_init(&c->base.refs, 1);
	c->inner = take_inner;
	c->clock = clock;
	mutex_init(&c->lock);
	cond_init(&c->cond);
	return &c->base;
}

/* ---- renewals by the caller's own hand ---- */

static struct cache *checked_cache_of(struct credentials_provider *p)
{
	assert(p->ops->fetch == cache_fetch);
	return cache_of(p);
}

enum credentials_turn credentials_cache_begin(
	struct credentials_provider *cache, int64_t max_age_ms, struct err *reterr)
{
	struct cache *c = checked_cache_of(cache);
	LOCK_SCOPE(&c->lock);

	if (is_denied(c)) {
		*reterr = c->failure;
		return CREDENTIALS_DENIED;
	}
	if (c->renewing)
		return CREDENTIALS_IN_FLIGHT;
	if (is_good(c) && clock_mono_ms(c->clock) - c->stored_ms < max_age_ms)
		return CREDENTIALS_THERE;
	c->renewing = true;
	return CREDENTIALS_YOURS;
}

enum err_code credentials_cache_end(struct credentials_provider *cache, const struct ctx *ctx,
	enum err_code code, struct aws_credentials *take_fresh, struct err *reterr)
{
	struct cache *c = checked_cache_of(cache);
	LOCK_SCOPE(&c->lock);

	if (settle(c, ctx, code, take_fresh, reterr) != ERR_OK || code == ERR_DENIED)
		return reterr->code;
	return ERR_OK;
}

enum err_code credentials_cache_wait(
	struct credentials_provider *cache, const struct ctx *ctx, struct err *reterr)
{
	CLEANUP(aws_credentials_unrefp) struct aws_credentials *credentials = NULL;
	struct cache *c = checked_cache_of(cache);
	uint64_t theirs;
	LOCK_SCOPE(&c->lock);

	theirs = c->renewals + 1;
	while (c->renewing && c->renewals < theirs) {
		if (ctx_check(ctx, "waiting for credentials", reterr) != ERR_OK)
			return reterr->code;
		cond_wait_ctx(&c->cond, &c->lock, ctx);
	}
	if (is_denied(c)) {
		*reterr = c->failure;
		return reterr->code;
	}
	return fetch(c, ctx, theirs, &credentials, reterr);
}
