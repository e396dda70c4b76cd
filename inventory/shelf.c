/* DESIGN
 *
 * The leases this server holds stand in a list, which one thread walks through three times within the life of a lease. A lease belongs to
 * a server, not to a thread: within a server there is one flight per fact anyway (facts.h).
 *
 * A holder that died is noticed by its lease running out, and one that failed ends it, so nobody waits for ever; those who wait ask
 * again and again, at most four times a second. Rejected: to be told by Redis (pub/sub, blocking reads) costs each server a connection
 * of a second kind and the care for what was missed while it was down, to save some hundred cheap reads of a sync. */
#include "inventory/shelf.h"

#include <stdatomic.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"

#define WAIT_FIRST_MS 10
#define WAIT_MAX_MS   250

#define SAY_AGAIN_MS 60000 /* a store that goes on failing is mentioned so often */
#define CALM_MS      10000 /* without a failure: it works again */

/* Of calls that are ours and not an RPC's: prolonging and ending leases. */
#define OWN_CALL_MS 2000

struct held {
	struct held *next;
	struct str scope, key; /* stand behind the struct */
};

struct shelf {
	struct shelf_options opts;
	char *view;
	atomic_uint_fast64_t failures;

	struct mutex lock; /* guards all below */
	struct cond changed;
	struct held *held;
	bool stop;
	bool failing;
	uint64_t unsaid; /* failures since the last line about them */
	int64_t failed_ms, said_ms;

	bool has_keeper;
	struct thread keeper;
};

/* --- what the log hears --- */

static void failed(struct shelf *s, const char *doing, const struct err *e)
{
	const int64_t now_ms = clock_mono_ms(s->opts.clock);
	uint64_t n = 0;

	atomic_fetch_add_explicit(&s->failures, 1, memory_order_relaxed);
	mutex_lock(&s->lock);
	s->failed_ms = now_ms;
	s->unsaid++;
	if (!s->failing || now_ms - s->said_ms >= SAY_AGAIN_MS) {
		s->failing = true;
		s->said_ms = now_ms;
		n = s->unsaid;
		s->unsaid = 0;
	}
	mutex_unlock(&s->lock);
	if (n > 0)
		log_warn("the session store failed, facts are fetched from AWS instead, ignoring",
			LOG_CSTR("doing", doing), LOG_I64("failures", (int64_t)n), LOG_CSTR("error", e->msg));
}

static void worked(struct shelf *s)
{
	bool over;

	mutex_lock(&s->lock);
	over = s->failing && clock_mono_ms(s->opts.clock) - s->failed_ms >= CALM_MS;
	if (over)
		s->failing = false;
	mutex_unlock(&s->lock);
	if (over)
		log_info("the session store works again");
}

void shelf_damaged(struct shelf *s, const struct err *e)
{
	failed(s, "open", e);
}

uint64_t shelf_failures(struct shelf *s)
{
	return atomic_load(&s->failures);
}

/* --- leases --- */

static void hold(struct shelf *s, struct str scope, struct str key)
{
	struct held *h = mem_zalloc(sizeof(*h) + scope.n + key.n);
	char *text = (char *)(h + 1);

	memcpy(text, scope.p, scope.n);
	memcpy(text + scope.n, key.p, key.n);
	h->scope = str_n(text, scope.n);
	h->key = str_n(text + scope.n, key.n);
	LOCK_SCOPE(&s->lock);
	h->next = s->held;
	s->held = h;
}

/* False: it was not held. */
static bool let_go(struct shelf *s, struct str scope, struct str key)
{
	LOCK_SCOPE(&s->lock);
	for (struct held **at = &s->held; *at != NULL; at = &(*at)->next) {
		struct held *h = *at;

		if (!str_eq(h->scope, scope) || !str_eq(h->key, key))
			continue;
		*at = h->next;
		mem_free(h);
		return true;
	}
	return false;
}

static struct ctx own_ctx(struct shelf *s)
{
	return (struct ctx){.clock = s->opts.clock,
		.deadline_ms = clock_mono_ms(s->opts.clock) + OWN_CALL_MS,
		.background = true};
}

/* The leases of one scope, copied: the first in the list whose scope comes behind `after`. */
static size_t next_scope(
	struct shelf *s, struct str after, struct arena *arena, struct str *ret_scope, struct str **ret_keys)
{
	struct str scope = STR_EMPTY;
	size_t n = 0;

	LOCK_SCOPE(&s->lock);
	for (const struct held *h = s->held; h != NULL; h = h->next)
		if (str_cmp(h->scope, after) > 0 && (scope.n == 0 || str_cmp(h->scope, scope) < 0))
			scope = h->scope;
	for (const struct held *h = s->held; h != NULL; h = h->next)
		n += scope.n > 0 && str_eq(h->scope, scope);
	*ret_keys = arena_array_of(arena, n, struct str);
	n = 0;
	for (const struct held *h = s->held; h != NULL; h = h->next)
		if (scope.n > 0 && str_eq(h->scope, scope))
			(*ret_keys)[n++] = str_dup(arena, h->key);
	*ret_scope = str_dup(arena, scope);
	return n;
}

static void prolong_all(struct shelf *s)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct str scope = STR_EMPTY, *keys;
	size_t n;

	while ((n = next_scope(s, scope, arena, &scope, &keys)) > 0) {
		const struct ctx ctx = own_ctx(s);
		struct err e;

		if (store_renew_leases(s->opts.store, &ctx, scope, keys, n, s->opts.lease_ms, &e) != ERR_OK)
			failed(s, "prolong a lease", &e);
	}
}

static void *keeper_main(void *arg)
{
	struct shelf *s = arg;

	mutex_lock(&s->lock);
	while (!s->stop) {
		cond_wait_ms(&s->changed, &s->lock, s->opts.lease_ms / 3);
		if (s->stop || s->held == NULL)
			continue;
		mutex_unlock(&s->lock);
		prolong_all(s);
		mutex_lock(&s->lock);
	}
	mutex_unlock(&s->lock);
	return NULL;
}

/* --- life --- */

struct shelf *shelf_new(const struct shelf_options *opts)
{
	struct shelf *s = mem_zalloc(sizeof(*s));
	struct err e;

	s->opts = *opts;
	if (s->opts.lease_ms == 0)
		s->opts.lease_ms = SHELF_LEASE_MS;
	s->view = mem_strndup(opts->view.n > 0 ? opts->view.p : "", opts->view.n);
	mutex_init(&s->lock);
	cond_init(&s->changed);
	if (!shelf_is_shared(s))
		return s;
	s->has_keeper = thread_start(&s->keeper, "leases", 0, keeper_main, s, &e) == ERR_OK;
	if (!s->has_keeper)
		log_warn("leases are not prolonged: two servers may fetch the same, ignoring",
			LOG_CSTR("error", e.msg));
	return s;
}

void shelf_free(struct shelf *s)
{
	if (s == NULL)
		return;
	mutex_lock(&s->lock);
	s->stop = true;
	cond_broadcast(&s->changed);
	mutex_unlock(&s->lock);
	if (s->has_keeper)
		thread_join(&s->keeper);
	while (s->held != NULL) {
		struct held *h = s->held;

		s->held = h->next;
		mem_free(h);
	}
	cond_deinit(&s->changed);
	mutex_deinit(&s->lock);
	mem_free(s->view);
	mem_free(s);
}

bool shelf_is_shared(const struct shelf *s)
{
	return store_is_shared(s->opts.store);
}

/* --- facts --- */

static struct str scope_of(const struct shelf *s, struct str scope, struct arena *arena)
{
	return s->view[0] == '\0' ? scope : str_fmt(arena, "%s/" STR_FMT, s->view, STR_ARG(scope));
}

void shelf_get(struct shelf *s, const struct ctx *ctx, struct str scope, struct store_item *items, size_t n)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const struct str place = scope_of(s, scope, arena);
	struct err e;

	if (store_get_or_lease(s->opts.store, ctx, place, items, n, s->opts.lease_ms, &e) != ERR_OK) {
		failed(s, "get", &e);
		for (size_t i = 0; i < n; i++)
			items[i].found = STORE_YOURS;
		return;
	}
	worked(s);
	for (size_t i = 0; i < n && s->has_keeper; i++)
		if (items[i].found == STORE_YOURS)
			hold(s, place, items[i].key);
}

void shelf_put(struct shelf *s, const struct ctx *ctx, struct str scope, const struct store_item *items,
	size_t n, int64_t ttl_ms)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct err e;

	if (store_put_many(s->opts.store, ctx, scope_of(s, scope, arena), items, n, ttl_ms, &e) != ERR_OK)
		failed(s, "put", &e);
}

void shelf_done(struct shelf *s, struct str scope, const struct str *keys, size_t n)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const struct str place = scope_of(s, scope, arena);
	const struct ctx ctx = own_ctx(s); /* not the RPC's: others wait also after it was cancelled */
	struct str *own = arena_array_of(arena, n, struct str);
	size_t n_own = 0;
	struct err e;

	for (size_t i = 0; i < n && s->has_keeper; i++)
		if (let_go(s, place, keys[i]))
			own[n_own++] = keys[i];
	if (n_own > 0 && store_end_leases(s->opts.store, &ctx, place, own, n_own, &e) != ERR_OK)
		failed(s, "end a lease", &e);
}

enum err_code shelf_wait(const struct ctx *ctx, unsigned attempt, struct err *reterr)
{
	const int64_t ms = attempt < 5 ? WAIT_FIRST_MS << attempt : WAIT_MAX_MS;

	return ctx_sleep_ms(ctx, ms, "waiting for another server that reads the same", reterr);
}

void shelf_erase(struct shelf *s, const struct ctx *ctx, struct str scope, struct str key)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct err e;

	if (store_delete(s->opts.store, ctx, scope_of(s, scope, arena), key, &e) != ERR_OK)
		failed(s, "delete", &e);
}

void shelf_clear(struct shelf *s, const struct ctx *ctx, struct str scope)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct err e;

	if (store_clear(s->opts.store, ctx, scope_of(s, scope, arena), &e) != ERR_OK)
		failed(s, "clear", &e);
}
