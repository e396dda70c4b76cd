/* DESIGN
 *
 * One table of entries, keyed by (scope, kind, name). An entry is a state machine under the lock:
 *
 *	EMPTY ---- first asker ----> LOADING ---- success ----> READY
 *	  ^                             |
 *	  +--------- failure -----------+   (what was fetched so far stays in the entry: the next asker resumes it)
 *
 * The thread that asks first does the load itself, under its own deadline, with the lock released; others wait on the condition
 * variable under theirs. When the loader fails because its own caller gave up, the waiters are woken and one of them takes over: one
 * client's cancellation is not another's error. Any other failure is theirs too, for this once.
 *
 * Rejected: a thread of our own for each load (a second place where deadlines and cancellation would have to be carried to).
 *
 * Memory: an entry keeps an opened fact, whose bytes are the store's own blob. It goes when its scope is forgotten, when it has not been
 * asked for for IDLE_MS, or when it is the least recently used beyond max_bytes. */
#include "inventory/facts.h"

#include <stdatomic.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/thread.h"
#include "inventory/shelf.h"

#define UNSCOPED_TTL_MS 60000            /* architecture, decision 1 */
#define IDLE_MS         (30 * 60 * 1000) /* an engine that works on other types meanwhile must not lose its facts */
#define STORE_TTL_MS    (24 * 3600 * 1000LL) /* longer than any sync */
#define PARTIAL_TTL_MS  (10 * 60 * 1000) /* since it was last worked on: AWS's markers do not live for ever */
#define BUCKETS         1024             /* a sync of 10,000 accounts has about 10 entries in each */

enum entry_state { ENTRY_EMPTY, ENTRY_LOADING, ENTRY_READY };

struct entry {
	struct entry *next; /* in its bucket */
	const struct fact_kind *kind;
	struct str scope, name; /* copies in `text` */
	char *text;
	enum entry_state state;
	unsigned users;          /* threads that load or wait: such an entry is not removed */
	uint64_t failures;       /* so that a waiter sees that the load it waited for failed */
	struct err failure;      /* of the last one */
	bool failure_is_loaders; /* its caller gave up, or gave way: not the waiters' error */
	void *fact;              /* READY */
	void *partial;           /* EMPTY, LOADING: what is fetched so far */
	size_t bytes;            /* of fact */
	int64_t made_ms;         /* READY since */
	int64_t used_ms;         /* last answered */
	bool forget;             /* its scope was forgotten while it was in use */
};

struct facts {
	struct facts_options opts;
	struct mutex lock;
	struct cond changed;
	struct entry *buckets[BUCKETS];
	size_t bytes; /* of all facts */
	int64_t swept_ms;

	atomic_uint_fast64_t hits, store_hits, flights, waits;
};

struct facts *facts_new(const struct facts_options *opts)
{
	struct facts *f = mem_zalloc(sizeof(*f));

	f->opts = *opts;
	mutex_init(&f->lock);
	cond_init(&f->changed);
	return f;
}

static void entry_free(struct entry *e)
{
	if (e->fact != NULL)
		e->kind->unref(e->fact);
	if (e->partial != NULL)
		e->kind->partial_free(e->partial);
	mem_free(e->text);
	mem_free(e);
}

void facts_free(struct facts *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		while (f->buckets[i] != NULL) {
			struct entry *e = f->buckets[i];

			f->buckets[i] = e->next;
			entry_free(e);
		}
	}
	cond_deinit(&f->changed);
	mutex_deinit(&f->lock);
	mem_free(f);
}

/* --- entries; the lock is held --- */

static struct entry **bucket_of(struct facts *f, struct str scope, struct str name)
{
	return &f->buckets[(str_hash(scope) * 31 + str_hash(name)) % BUCKETS];
}

static struct entry *find_entry(
	struct facts *f, const struct fact_kind *kind, struct str scope, struct str name)
{
	struct entry *e = *bucket_of(f, scope, name);

	while (e != NULL &&
		(e->forget || e->kind != kind || !str_eq(e->scope, scope) || !str_eq(e->name, name)))
		e = e->next;
	return e;
}

static struct entry *add_entry(
	struct facts *f, const struct fact_kind *kind, struct str scope, struct str name)
{
	struct entry **bucket = bucket_of(f, scope, name);
	struct entry *e = mem_zalloc(sizeof(*e));

	e->kind = kind;
	e->text = mem_alloc(scope.n + name.n + 1);
	if (scope.n > 0)
		memcpy(e->text, scope.p, scope.n);
	if (name.n > 0)
		memcpy(e->text + scope.n, name.p, name.n);
	e->scope = str_n(e->text, scope.n);
	e->name = str_n(e->text + scope.n, name.n);
	e->next = *bucket;
	*bucket = e;
	return e;
}

static void remove_entry(struct facts *f, struct entry *gone)
{
	struct entry **at = bucket_of(f, gone->scope, gone->name);

	while (*at != gone)
		at = &(*at)->next;
	*at = gone->next;
	f->bytes -= gone->bytes;
	entry_free(gone);
}

static bool is_stale(const struct entry *e, int64_t now_ms)
{
	if (e->forget)
		return true;
	if (e->state == ENTRY_READY && e->scope.n == 0)
		return now_ms - e->made_ms >= UNSCOPED_TTL_MS;
	if (e->state == ENTRY_EMPTY && e->partial != NULL && now_ms - e->used_ms >= PARTIAL_TTL_MS)
		return true;
	return now_ms - e->used_ms >= IDLE_MS;
}

static struct entry *least_recently_used(struct facts *f)
{
	struct entry *oldest = NULL;

	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct entry *e = f->buckets[i]; e != NULL; e = e->next) {
			if (e->users == 0 && e->fact != NULL &&
				(oldest == NULL || e->used_ms < oldest->used_ms))
				oldest = e;
		}
	}
	return oldest;
}

/* Drops what is stale (looked for once a second), then the least recently used until the rest fits. */
static void sweep(struct facts *f, int64_t now_ms)
{
	for (size_t i = 0; now_ms - f->swept_ms >= 1000 && i < BUCKETS; i++) {
		for (struct entry *e = f->buckets[i], *next; e != NULL; e = next) {
			next = e->next;
			if (e->users == 0 && is_stale(e, now_ms))
				remove_entry(f, e);
		}
	}
	if (now_ms - f->swept_ms >= 1000)
		f->swept_ms = now_ms;
	while (f->bytes > f->opts.max_bytes) {
		struct entry *oldest = least_recently_used(f);

		if (oldest == NULL)
			return;
		remove_entry(f, oldest);
	}
}

/* --- the session store --- */

/* Gives the fact that is kept, NULL when this server has to fetch it: shelf_done then, whatever comes of it. */
static enum err_code read_store(struct facts *f, const struct ctx *ctx, const struct entry *e, struct str key,
	void **ret_fact, struct err *reterr)
{
	struct store_item item = {.key = key};
	enum err_code code = ERR_OK;

	*ret_fact = NULL;
	for (unsigned attempt = 0; code == ERR_OK; attempt++) {
		shelf_get(f->opts.shelf, ctx, e->scope, &item, 1);
		if (item.found != STORE_ELSEWHERE)
			break;
		if (ctx->background) /* somebody reads it, which is all that read-ahead wants */
			return err_set(reterr, ERR_CONFLICT, "another server reads it already");
		code = shelf_wait(ctx, attempt, reterr);
	}
	if (item.found == STORE_ENDED &&
		ctx->background) /* it was Cleanup's server, not this one, that heard of it */
		return err_set(reterr, ERR_CONFLICT, "the sync has ended");
	if (item.value != NULL && e->kind->open(e->kind, item.value, ret_fact, reterr) != ERR_OK) {
		shelf_damaged(f->opts.shelf, reterr);
		*ret_fact = NULL;
	}
	blob_unref(item.value);
	return code;
}

static void write_store(
	struct facts *f, const struct ctx *ctx, const struct entry *e, struct str key, void *fact)
{
	const struct store_item item = {.key = key, .value = e->kind->bytes(fact)};

	shelf_put(f->opts.shelf, ctx, e->scope, &item, 1, STORE_TTL_MS);
}

/* --- one flight --- */

static enum err_code fetch(
	struct facts *f, const struct ctx *ctx, struct entry *e, void **ret_fact, struct err *reterr)
{
	atomic_fetch_add_explicit(&f->flights, 1, memory_order_relaxed);
	if (e->kind->fetch(e->kind, f->opts.self, ctx, e->scope, e->name, &e->partial, ret_fact, reterr) ==
		ERR_OK)
		return ERR_OK;
	/* What may work later is resumed; what cannot is not worth its memory. */
	if (e->partial != NULL && !reterr->retryable && reterr->code != ERR_CANCELLED &&
		reterr->code != ERR_DEADLINE) {
		e->kind->partial_free(e->partial);
		e->partial = NULL;
	}
	return reterr->code;
}

static bool is_forgotten(struct facts *f, const struct entry *e)
{
	LOCK_SCOPE(&f->lock);
	return e->forget;
}

static enum err_code fetch_and_keep(struct facts *f, const struct ctx *ctx, struct entry *e, struct str key,
	void **ret_fact, struct err *reterr)
{
	enum err_code code = fetch(f, ctx, e, ret_fact, reterr);

	if (code == ERR_OK && e->scope.n > 0 && !is_forgotten(f, e)) {
		write_store(f, ctx, e, key, *ret_fact);
		if (is_forgotten(f, e))
			shelf_erase(
				f->opts.shelf, ctx, e->scope, key); /* the scope was cleared while we wrote */
	}
	return code;
}

/* From the store, or from AWS. What is known without a sync stays in this process. */
static enum err_code find_fact(
	struct facts *f, const struct ctx *ctx, struct entry *e, void **ret_fact, struct err *reterr)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const struct str key = str_fmt(arena, "%s/" STR_FMT, e->kind->name, STR_ARG(e->name));
	enum err_code code;

	if (e->scope.n == 0)
		return fetch_and_keep(f, ctx, e, key, ret_fact, reterr);
	if (read_store(f, ctx, e, key, ret_fact, reterr) != ERR_OK)
		return reterr->code;
	if (*ret_fact != NULL) {
		atomic_fetch_add_explicit(&f->store_hits, 1, memory_order_relaxed);
		return ERR_OK;
	}
	code = fetch_and_keep(f, ctx, e, key, ret_fact, reterr);
	shelf_done(f->opts.shelf, e->scope, &key, 1);
	return code;
}

/* Fills the entry, which this thread has marked LOADING; the lock is not held. */
static enum err_code load_entry(struct facts *f, const struct ctx *ctx, struct entry *e, struct err *reterr)
{
	void *fact = NULL;
	const enum err_code code = find_fact(f, ctx, e, &fact, reterr);

	LOCK_SCOPE(&f->lock);
	if (code == ERR_OK) {
		e->state = ENTRY_READY;
		e->fact = fact;
		e->bytes = blob_view(e->kind->bytes(fact)).n;
		e->made_ms = clock_mono_ms(ctx->clock);
		f->bytes += e->bytes;
	} else {
		struct err ignored;

		e->state = ENTRY_EMPTY;
		e->failures++;
		e->failure = *reterr;
		e->failure_is_loaders = ctx->background || ctx_check(ctx, "", &ignored) != ERR_OK;
	}
	cond_broadcast(&f->changed);
	return code;
}

/* Waits until the entry is READY, or is EMPTY and this thread may load it. The lock is held. */
static enum err_code await_entry(struct facts *f, const struct ctx *ctx, struct entry *e, struct err *reterr)
{
	const uint64_t failures = e->failures;

	if (ctx->background && e->kind->ahead_never_waits)
		return err_set(reterr, ERR_UNAVAILABLE, "another call reads the same");
	atomic_fetch_add_explicit(&f->waits, 1, memory_order_relaxed);
	while (e->state == ENTRY_LOADING) {
		if (ctx_check(ctx, "waiting for another call that reads the same", reterr) != ERR_OK)
			return reterr->code;
		cond_wait_ctx(&f->changed, &f->lock, ctx);
	}
	if (e->state == ENTRY_EMPTY && e->failures != failures && !e->failure_is_loaders) {
		*reterr = e->failure;
		return reterr->code;
	}
	return ERR_OK;
}

static enum err_code obtain(
	struct facts *f, const struct ctx *ctx, struct entry *e, void **ret_fact, struct err *reterr)
{
	enum err_code code = ERR_OK;

	while (code == ERR_OK && e->state != ENTRY_READY) {
		if (e->state == ENTRY_LOADING) {
			code = await_entry(f, ctx, e, reterr);
			continue;
		}
		e->state = ENTRY_LOADING;
		mutex_unlock(&f->lock);
		code = load_entry(f, ctx, e, reterr);
		mutex_lock(&f->lock);
	}
	if (code == ERR_OK)
		*ret_fact = e->kind->ref(e->fact);
	return code;
}

enum err_code facts_get(struct facts *f, const struct ctx *ctx, const struct fact_kind *kind,
	struct str scope, struct str name, void **ret_fact, struct err *reterr)
{
	const int64_t now_ms = clock_mono_ms(f->opts.clock);
	enum err_code code;
	struct entry *e;

	LOCK_SCOPE(&f->lock);
	sweep(f, now_ms);
	e = find_entry(f, kind, scope, name);
	if (e != NULL && e->users == 0 && is_stale(e, now_ms)) {
		remove_entry(f, e);
		e = NULL;
	}
	if (e == NULL)
		e = add_entry(f, kind, scope, name);
	if (e->state == ENTRY_READY)
		atomic_fetch_add_explicit(&f->hits, 1, memory_order_relaxed);
	e->users++;
	code = obtain(f, ctx, e, ret_fact, reterr);
	e->used_ms = clock_mono_ms(f->opts.clock);
	e->users--;
	return code;
}

void facts_drop(struct facts *f, struct str scope)
{
	LOCK_SCOPE(&f->lock);
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct entry *e = f->buckets[i], *next; e != NULL; e = next) {
			next = e->next;
			if (!str_eq(e->scope, scope))
				continue;
			e->forget = true; /* who is using it still gets it; sweep takes it afterwards */
			if (e->users == 0)
				remove_entry(f, e);
		}
	}
}

void facts_forget(struct facts *f, const struct ctx *ctx, struct str scope)
{
	if (scope.n == 0)
		return; /* what is kept without a sync goes by age */
	facts_drop(f, scope);
	shelf_clear(f->opts.shelf, ctx, scope);
}

size_t facts_bytes(struct facts *f)
{
	LOCK_SCOPE(&f->lock);
	return f->bytes;
}

void facts_stats(struct facts *f, struct facts_stats *ret_stats)
{
	*ret_stats = (struct facts_stats){
		.hits = atomic_load(&f->hits),
		.store_hits = atomic_load(&f->store_hits),
		.flights = atomic_load(&f->flights),
		.waits = atomic_load(&f->waits),
	};
}
