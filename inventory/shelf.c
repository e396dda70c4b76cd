/* DESIGN
 *
 * A lease belongs to a server, not to a thread: within a server there is one flight per fact anyway (facts.h). The leases this server
 * holds, and those it is done with, stand in a list that one thread, the keeper, walks through. It also does what nobody may wait for:
 * it looks whether syncs have ended elsewhere, clears what could not be cleared, and tries a store that is away even when nobody
 * asks, so that the metrics say when it is back.
 *
 * A holder that died is noticed by its lease running out, and one that failed ends it, so nobody waits for ever; those who wait ask
 * again and again, some 25 times a second. Rejected: to be told by Redis (pub/sub, blocking reads) costs each server a connection
 * of a second kind and the care for what was missed while it was down, to save some thousand cheap reads of a sync. */
#include "inventory/shelf.h"

#include <stdatomic.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"

#define WAIT_FIRST_MS 5  /* then twice as long each time, */
#define WAIT_MAX_MS   40 /* up to this: a question costs Redis some 20 us, the wait an RPC its time */

#define SAY_AGAIN_MS 60000 /* a store that goes on failing is mentioned so often */
#define CALM_MS      10000 /* without a failure: it works again */

#define MAX_SCOPES 8  /* two syncs may be live at once; the rest are syncs that failed */
#define MAX_CLEARS 60 /* attempts, one each SHELF_LOOK_MS: five minutes */
#define OWN_CALL_MS                                                                                          \
	3000 /* of calls that are the keeper's and not an RPC's: longer than a store takes to be called too slow */

struct held {
	struct held *next;
	bool is_done;          /* to be ended */
	uint64_t number;       /* of the lease: what ends is this one, not one that is taken meanwhile */
	struct str scope, key; /* stand behind the struct */
};

/* A scope of the store that was asked about, or that could not be cleared. */
struct scope {
	char *name;        /* NULL: the place is free */
	int64_t asked_ms;  /* of those asked about: last */
	unsigned attempts; /* of those not cleared */
};

struct shelf {
	struct shelf_options opts;
	char *view;
	atomic_uint_fast64_t failures;

	struct mutex lock; /* guards all below */
	struct cond changed;
	struct held *held;
	uint64_t last_number; /* of a lease that was asked for */
	struct scope asked[MAX_SCOPES], uncleared[MAX_SCOPES];
	bool stop;
	bool to_end; /* at least one held is done */
	bool failing;
	uint64_t unsaid; /* failures since the last line about them */
	int64_t failed_ms, said_ms;

	bool has_keeper;
	struct thread keeper;
	size_t next_asked, next_uncleared; /* the keeper's: whose turn it is */
};

/* --- what the log hears --- */

static void count_failure(struct shelf *s, const char *doing, const struct err *e)
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
		log_warn("the session store failed, what it lacks is read from AWS, ignoring",
			LOG_CSTR("doing", doing), LOG_I64("failures", (int64_t)n), LOG_CSTR("error", e->msg));
}

/* The end of an RPC, by its deadline or its client, is not the store's failure. */
static void failed(struct shelf *s, const struct ctx *ctx, const char *doing, const struct err *e)
{
	if (ctx_left_ms(ctx) > 0 && !cancel_fired(ctx->cancel))
		count_failure(s, doing, e);
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
	count_failure(s, "open", e);
}

uint64_t shelf_failures(struct shelf *s)
{
	return atomic_load(&s->failures);
}

/* --- leases --- */

static struct held *find_held(struct shelf *s, struct str scope, struct str key)
{
	struct held *h = s->held;

	while (h != NULL && (!str_eq(h->scope, scope) || !str_eq(h->key, key)))
		h = h->next;
	return h;
}

static void number_leases(struct shelf *s, struct store_item *items, size_t n)
{
	LOCK_SCOPE(&s->lock);
	for (size_t i = 0; i < n; i++)
		items[i].lease = ++s->last_number;
}

static void hold(struct shelf *s, struct str scope, struct str key, uint64_t number)
{
	struct held *h;
	char *text;

	LOCK_SCOPE(&s->lock);
	h = find_held(s, scope, key);
	if (h != NULL) { /* it was to be ended, or another thread's answer was lost */
		h->is_done = false;
		h->number = number > h->number ? number : h->number;
		return;
	}
	h = mem_zalloc(sizeof(*h) + scope.n + key.n);
	h->number = number;
	text = (char *)(h + 1);
	memcpy(text, scope.p, scope.n);
	memcpy(text + scope.n, key.p, key.n);
	h->scope = str_n(text, scope.n);
	h->key = str_n(text + scope.n, key.n);
	h->next = s->held;
	s->held = h;
}

static void let_go(struct shelf *s, struct str scope, struct str key)
{
	struct held *h;

	LOCK_SCOPE(&s->lock);
	h = find_held(s, scope, key);
	if (h == NULL)
		return;
	h->is_done = s->to_end = true;
	cond_broadcast(&s->changed);
}

/* --- the keeper --- */

static struct ctx own_ctx(struct shelf *s)
{
	return (struct ctx){.clock = s->opts.clock,
		.deadline_ms = clock_mono_ms(s->opts.clock) + OWN_CALL_MS,
		.background = true};
}

/* The leases of one scope, copied: the first in the list whose scope comes behind `after`. Those that are done leave the list. */
static size_t next_scope(struct shelf *s, bool is_done, struct str after, struct arena *arena,
	struct str *ret_scope, struct store_lease **ret_leases)
{
	struct str scope = STR_EMPTY;
	size_t n = 0;

	LOCK_SCOPE(&s->lock);
	for (const struct held *h = s->held; h != NULL; h = h->next)
		if (h->is_done == is_done && str_cmp(h->scope, after) > 0 &&
			(scope.n == 0 || str_cmp(h->scope, scope) < 0))
			scope = h->scope;
	scope = str_dup(arena, scope);
	for (const struct held *h = s->held; h != NULL; h = h->next)
		n += h->is_done == is_done && scope.n > 0 && str_eq(h->scope, scope);
	*ret_leases = arena_array_of(arena, n, struct store_lease);
	n = 0;
	for (struct held **at = &s->held; *at != NULL;) {
		struct held *h = *at;
		const bool is_wanted = h->is_done == is_done && scope.n > 0 && str_eq(h->scope, scope);

		if (is_wanted)
			(*ret_leases)[n++] =
				(struct store_lease){.key = str_dup(arena, h->key), .number = h->number};
		if (!is_wanted || !is_done) {
			at = &h->next;
			continue;
		}
		*at = h->next;
		mem_free(h);
	}
	*ret_scope = scope;
	return n;
}

static void prolong_leases(struct shelf *s)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct str scope = STR_EMPTY;
	struct store_lease *leases;
	size_t n;

	while ((n = next_scope(s, /* is_done= */ false, scope, arena, &scope, &leases)) > 0) {
		const struct ctx ctx = own_ctx(s);
		struct err e;

		if (store_renew_leases(s->opts.store, &ctx, scope, leases, n, s->opts.lease_ms, &e) != ERR_OK)
			failed(s, &ctx, "prolong leases", &e);
	}
}

/* What the store does not take now runs out by itself. */
static void end_leases(struct shelf *s)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct str scope = STR_EMPTY;
	struct store_lease *leases;
	size_t n;

	while ((n = next_scope(s, /* is_done= */ true, scope, arena, &scope, &leases)) > 0) {
		const struct ctx ctx = own_ctx(s);
		struct err e;

		if (store_end_leases(s->opts.store, &ctx, scope, leases, n, &e) != ERR_OK)
			failed(s, &ctx, "end leases", &e);
	}
}

/* The i-th scope of a list, empty when there is none. */
static struct str name_at(struct shelf *s, const struct scope *list, size_t i, struct arena *arena)
{
	LOCK_SCOPE(&s->lock);
	return list[i].name == NULL ? STR_EMPTY : str_dup(arena, str_c(list[i].name));
}

static void drop_name(struct shelf *s, struct scope *list, struct str name)
{
	LOCK_SCOPE(&s->lock);
	for (size_t i = 0; i < MAX_SCOPES; i++)
		if (list[i].name != NULL && str_eq_c(name, list[i].name))
			mem_freep(&list[i].name);
}

/* The scope as the inventory calls it. */
static struct str without_view(const struct shelf *s, struct str place)
{
	return s->view[0] == '\0' ? place : str_from(place, strlen(s->view) + 1);
}

/* Leases are to be prolonged again: the rest waits for the next round. */
static bool is_over(int64_t round_ms)
{
	return clock_mono_ms(&clock_system) >= round_ms;
}

static void look_for_ends(struct shelf *s, int64_t round_ms)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);

	for (size_t n = 0; n < MAX_SCOPES && !is_over(round_ms); n++) {
		const struct str place = name_at(s, s->asked, s->next_asked++ % MAX_SCOPES, arena);
		const struct ctx ctx = own_ctx(s);
		bool ended = false;
		struct err e;

		if (place.n == 0)
			continue;
		if (store_ended(s->opts.store, &ctx, place, &ended, &e) != ERR_OK)
			return; /* it is looked again; whoever needs the store says that it fails */
		if (!ended)
			continue;
		drop_name(s, s->asked, place);
		if (s->opts.ended != NULL)
			s->opts.ended(s->opts.self, without_view(s, place));
	}
}

static bool gives_up(struct shelf *s, size_t i)
{
	LOCK_SCOPE(&s->lock);
	return ++s->uncleared[i].attempts >= MAX_CLEARS;
}

static void clear_again(struct shelf *s, int64_t round_ms)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);

	for (size_t n = 0; n < MAX_SCOPES && !is_over(round_ms); n++) {
		const size_t i = s->next_uncleared++ % MAX_SCOPES;
		const struct str place = name_at(s, s->uncleared, i, arena);
		const struct ctx ctx = own_ctx(s);
		struct err e;

		if (place.n > 0 && (store_clear(s->opts.store, &ctx, place, &e) == ERR_OK || gives_up(s, i)))
			drop_name(s, s->uncleared, place);
	}
}

static void look_whether_it_is_back(struct shelf *s)
{
	const struct ctx ctx = own_ctx(s);
	struct store_stats stats;
	struct err ignored; /* it is not */
	bool ended;

	store_stats(s->opts.store, &stats);
	if (stats.away && store_ended(s->opts.store, &ctx, STR("probe"), &ended, &ignored) == ERR_OK)
		worked(s);
}

/* Waits for something to end, or for the next round. True: a round is due. */
static bool await_round(struct shelf *s, int64_t round_ms)
{
	LOCK_SCOPE(&s->lock);
	while (!s->stop && !s->to_end && clock_mono_ms(&clock_system) < round_ms)
		cond_wait_ms(&s->changed, &s->lock, round_ms - clock_mono_ms(&clock_system));
	s->to_end = false;
	return !s->stop && clock_mono_ms(&clock_system) >= round_ms;
}

static bool is_stopped(struct shelf *s)
{
	LOCK_SCOPE(&s->lock);
	return s->stop;
}

static void *keeper_main(void *arg)
{
	struct shelf *s = arg;
	const int64_t prolong_ms = s->opts.lease_ms / 3;
	const int64_t look_ms = s->opts.look_ms;
	const int64_t pause_ms = prolong_ms < look_ms ? prolong_ms : look_ms;
	int64_t looked_ms = clock_mono_ms(&clock_system), round_ms = looked_ms + pause_ms;

	while (!is_stopped(s)) {
		const bool is_due = await_round(s, round_ms);

		end_leases(s);
		if (!is_due)
			continue;
		round_ms = clock_mono_ms(&clock_system) + pause_ms;
		prolong_leases(s);
		if (clock_mono_ms(&clock_system) - looked_ms < look_ms)
			continue;
		looked_ms = clock_mono_ms(&clock_system);
		look_for_ends(s, round_ms);
		clear_again(s, round_ms);
		look_whether_it_is_back(s);
	}
	end_leases(s); /* of the last calls, which were over before the shelf was to go */
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
	if (s->opts.look_ms == 0)
		s->opts.look_ms = SHELF_LOOK_MS;
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
	for (size_t i = 0; i < MAX_SCOPES; i++) {
		mem_free(s->asked[i].name);
		mem_free(s->uncleared[i].name);
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

static struct str place_of(const struct shelf *s, struct str scope, struct arena *arena)
{
	return s->view[0] == '\0' ? scope : str_fmt(arena, "%s/" STR_FMT, s->view, STR_ARG(scope));
}

/* Of a full list the one that was not asked about for longest makes room. */
static void add_name(struct shelf *s, struct scope *list, struct str name)
{
	const int64_t now_ms = clock_mono_ms(s->opts.clock);
	struct scope *at = &list[0];

	LOCK_SCOPE(&s->lock);
	for (size_t i = 0; i < MAX_SCOPES; i++) {
		if (list[i].name != NULL && str_eq_c(name, list[i].name)) {
			list[i].asked_ms = now_ms;
			return;
		}
		if (at->name != NULL && (list[i].name == NULL || list[i].asked_ms < at->asked_ms))
			at = &list[i];
	}
	mem_free(at->name);
	*at = (struct scope){.name = mem_strndup(name.p, name.n), .asked_ms = now_ms};
}

void shelf_get(struct shelf *s, const struct ctx *ctx, struct str scope, struct store_item *items, size_t n)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const struct str place = place_of(s, scope, arena);
	struct err e;

	number_leases(s, items, n);
	if (store_get_or_lease(s->opts.store, ctx, place, items, n, s->opts.lease_ms, &e) != ERR_OK)
		failed(s, ctx, "get", &e);
	else
		worked(s);
	if (!s->has_keeper)
		return;
	add_name(s, s->asked, place);
	for (size_t i = 0; i < n; i++)
		if (items[i].found == STORE_YOURS)
			hold(s, place, items[i].key, items[i].lease);
}

void shelf_put(struct shelf *s, const struct ctx *ctx, struct str scope, const struct store_item *items,
	size_t n, int64_t ttl_ms)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct err e;

	if (store_put_many(s->opts.store, ctx, place_of(s, scope, arena), items, n, ttl_ms, &e) != ERR_OK)
		failed(s, ctx, "put", &e);
}

void shelf_done(struct shelf *s, struct str scope, const struct str *keys, size_t n)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const struct str place = place_of(s, scope, arena);

	for (size_t i = 0; i < n; i++)
		let_go(s, place, keys[i]);
}

enum err_code shelf_wait(const struct ctx *ctx, unsigned attempt, struct err *reterr)
{
	const int64_t ms = attempt < 3 ? WAIT_FIRST_MS << attempt : WAIT_MAX_MS;

	return ctx_sleep_ms(ctx, ms, "waiting for another server that reads the same", reterr);
}

void shelf_erase(struct shelf *s, const struct ctx *ctx, struct str scope, struct str key)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct err e;

	if (store_delete(s->opts.store, ctx, place_of(s, scope, arena), key, &e) != ERR_OK)
		failed(s, ctx, "delete", &e);
}

void shelf_clear(struct shelf *s, const struct ctx *ctx, struct str scope)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const struct str place = place_of(s, scope, arena);
	struct err e;

	drop_name(s, s->asked, place);
	if (store_clear(s->opts.store, ctx, place, &e) == ERR_OK)
		return;
	failed(s, ctx, "clear", &e);
	if (s->has_keeper)
		add_name(s, s->uncleared, place);
}
