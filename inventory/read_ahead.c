/* DESIGN
 *
 * A list of live syncs, each with its names; threads take the next name of the sync that was touched last, from the lane in which the fewest
 * threads read. One queue for all was tried: 800 groups stood before 200 accounts, and SSO Admin's quota lay idle for 30 s while Identity
 * Store's was the limit.
 *
 * A directory may have 100,000 groups, and every request looks for its name here: names are found by their hash, and a lane forgets its
 * beginning as that is done.
 *
 * A read runs under a deadline of SYNC_IDLE_MS behind the sync's last sign of life: when it is cut off although the sync lives on (a large
 * account in the narrow way), the name goes back to the front of its lane and the read resumes where it was. So nothing has to watch the
 * clock. */
#include "inventory/read_ahead.h"

#include <assert.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"

#define NO_ROOM_PAUSE_MS 200
#define FIRST_SLOTS      64

struct wish {
	struct wish *next;      /* in its lane */
	struct wish *same_slot; /* of the sync's table */
	struct str id;
	unsigned lane;
	size_t number; /* as announced, over all lanes */
	enum { WAITING, READING, DONE } state;
};

struct lane {
	struct wish *first, **end; /* all before first are DONE; end NULL: nothing was announced yet */
	unsigned readers;
};

struct live_sync {
	struct live_sync *next;
	struct arena *arena; /* of all below, and of this */
	struct str id;
	struct lane lanes[READ_AHEAD_LANES];
	struct wish **slots; /* n_slots, a power of two: wishes by the hash of their id */
	size_t n_slots, n_wishes;
	int64_t touched_ms;
	struct cancel *cancel;
	unsigned readers; /* threads that read for it */
	unsigned askers;  /* requests of it that are being answered */
	bool ended;
};

struct read_ahead {
	struct read_ahead_options opts;
	struct mutex lock;
	struct cond work;
	struct live_sync *syncs;
	bool stopping;
	size_t n_threads;
	struct thread *threads;
};

static void *thread_main(void *arg);

struct read_ahead *read_ahead_new(const struct read_ahead_options *opts)
{
	struct read_ahead *r = mem_zalloc(sizeof(*r));
	struct err e;

	r->opts = *opts;
	mutex_init(&r->lock);
	cond_init(&r->work);
	r->threads = mem_array(opts->threads + 1, sizeof(*r->threads));
	for (; r->n_threads < opts->threads; r->n_threads++) {
		if (thread_start(&r->threads[r->n_threads], "read-ahead", 0, thread_main, r, &e) != ERR_OK) {
			log_warn("read-ahead runs with fewer threads, ignoring", LOG_CSTR("error", e.msg));
			break;
		}
	}
	return r;
}

/* --- the lock is held --- */

static struct live_sync *find_sync(struct read_ahead *r, struct str id)
{
	struct live_sync *s = r->syncs;

	while (s != NULL && (s->ended || !str_eq(s->id, id)))
		s = s->next;
	return s;
}

static struct live_sync *add_sync(struct read_ahead *r, struct str id)
{
	struct arena *arena = arena_new(0);
	struct live_sync *s = arena_new_of(arena, struct live_sync);

	s->arena = arena;
	s->id = str_dup(arena, id);
	s->n_slots = FIRST_SLOTS;
	s->slots = mem_array(s->n_slots, sizeof(struct wish *));
	s->cancel = cancel_new();
	s->next = r->syncs;
	r->syncs = s;
	return s;
}

static void sync_free(struct live_sync *s)
{
	cancel_unref(s->cancel);
	mem_free(s->slots);
	arena_free(s->arena);
}

/* Frees what has ended or fallen silent and is used by no thread. */
static void drop_dead(struct read_ahead *r, int64_t now_ms)
{
	for (struct live_sync **at = &r->syncs; *at != NULL;) {
		struct live_sync *s = *at;

		s->ended = s->ended || (s->askers == 0 && now_ms - s->touched_ms >= SYNC_IDLE_MS);
		if (s->ended && s->readers == 0 && s->askers == 0) {
			*at = s->next;
			sync_free(s);
		} else {
			at = &s->next;
		}
	}
}

static struct wish **slot_of(const struct live_sync *s, struct str id)
{
	return &s->slots[str_hash(id) & (s->n_slots - 1)];
}

static struct wish *find_wish(const struct live_sync *s, struct str id)
{
	struct wish *w = *slot_of(s, id);

	while (w != NULL && !str_eq(w->id, id))
		w = w->same_slot;
	return w;
}

static void put_in_slot(struct live_sync *s, struct wish *w)
{
	struct wish **slot = slot_of(s, w->id);

	w->same_slot = *slot;
	*slot = w;
}

static void grow(struct live_sync *s)
{
	struct wish **old = s->slots;
	const size_t n = s->n_slots;

	s->n_slots = 2 * n;
	s->slots = mem_array(s->n_slots, sizeof(struct wish *));
	for (size_t i = 0; i < n; i++) {
		for (struct wish *w = old[i], *next; w != NULL; w = next) {
			next = w->same_slot;
			put_in_slot(s, w);
		}
	}
	mem_free(old);
}

static void add_wish(struct live_sync *s, unsigned lane, struct str id)
{
	struct lane *l = &s->lanes[lane];
	struct wish *w = arena_new_of(s->arena, struct wish);

	w->id = str_dup(s->arena, id);
	w->lane = lane;
	w->number = s->n_wishes++;
	if (l->end == NULL)
		l->end = &l->first;
	*l->end = w;
	l->end = &w->next;
	if (s->n_wishes > s->n_slots)
		grow(s);
	put_in_slot(s, w);
}

/* NULL: nothing waits in it. What is being read stands at its beginning, and may have to wait again. */
static struct wish *next_of_lane(struct lane *l)
{
	struct wish *w;

	while (l->first != NULL && l->first->state == DONE && l->first->next != NULL)
		l->first = l->first->next;
	for (w = l->first; w != NULL && w->state != WAITING; w = w->next)
		;
	return w;
}

/* From the lane with the fewest readers; of several, what was announced first. */
static struct wish *next_waiting(struct live_sync *s)
{
	struct wish *next = NULL;

	for (size_t i = 0; i < READ_AHEAD_LANES; i++) {
		struct lane *l = &s->lanes[i];
		struct wish *w = next_of_lane(l);

		if (w == NULL)
			continue;
		if (next == NULL || l->readers < s->lanes[next->lane].readers ||
			(l->readers == s->lanes[next->lane].readers && w->number < next->number))
			next = w;
	}
	return next;
}

/* Work of the sync that was touched last. */
static struct live_sync *find_work(struct read_ahead *r, struct wish **ret_wish)
{
	struct live_sync *best = NULL;

	for (struct live_sync *s = r->syncs; s != NULL; s = s->next) {
		struct wish *w = s->ended ? NULL : next_waiting(s);

		if (w != NULL && (best == NULL || s->touched_ms > best->touched_ms)) {
			best = s;
			*ret_wish = w;
		}
	}
	return best;
}

static void read_one(struct read_ahead *r, struct live_sync *s, struct wish *w)
{
	const int64_t alive_ms = s->askers > 0 ? clock_mono_ms(r->opts.clock) : s->touched_ms;
	const struct ctx ctx = {
		.clock = r->opts.clock,
		.deadline_ms = alive_ms + SYNC_IDLE_MS,
		.cancel = s->cancel,
		.background = true,
	};
	struct err cut_off;

	w->state = READING;
	s->readers++;
	s->lanes[w->lane].readers++;
	mutex_unlock(&r->lock);
	r->opts.read(r->opts.self, &ctx, s->id, w->id);
	mutex_lock(&r->lock);
	s->readers--;
	s->lanes[w->lane].readers--;
	w->state = ctx_check(&ctx, "reading ahead", &cut_off) == ERR_OK ? DONE : WAITING;
}

static void *thread_main(void *arg)
{
	struct read_ahead *r = arg;

	LOCK_SCOPE(&r->lock);
	while (!r->stopping) {
		struct wish *w = NULL;
		struct live_sync *s;

		drop_dead(r, clock_mono_ms(r->opts.clock));
		s = find_work(r, &w);
		if (s == NULL)
			(void)cond_wait_ms(&r->work, &r->lock, r->syncs == NULL ? INT64_MAX : SYNC_IDLE_MS);
		else if (!r->opts.has_room(r->opts.self))
			(void)cond_wait_ms(&r->work, &r->lock, NO_ROOM_PAUSE_MS);
		else
			read_one(r, s, w);
	}
	return NULL;
}

/* --- callers --- */

void read_ahead_expect(
	struct read_ahead *r, struct str sync_id, unsigned lane, const struct str *names, size_t n)
{
	assert(lane < READ_AHEAD_LANES);
	LOCK_SCOPE(&r->lock);
	struct live_sync *s = find_sync(r, sync_id);

	if (s == NULL)
		s = add_sync(r, sync_id);
	s->touched_ms = clock_mono_ms(r->opts.clock);
	for (size_t i = 0; i < n; i++) {
		if (find_wish(s, names[i]) == NULL)
			add_wish(s, lane, names[i]);
	}
	cond_broadcast(&r->work);
}

struct live_sync *read_ahead_begin(struct read_ahead *r, struct str sync_id, struct str name)
{
	struct live_sync *s;
	struct wish *w;

	if (r == NULL)
		return NULL;
	LOCK_SCOPE(&r->lock);
	s = find_sync(r, sync_id);
	if (s == NULL)
		return NULL;
	s->touched_ms = clock_mono_ms(r->opts.clock);
	s->askers++;
	w = name.n == 0 ? NULL : find_wish(s, name);
	if (w != NULL && w->state == WAITING)
		w->state = DONE; /* the foreground reads it itself */
	return s;
}

void read_ahead_done(struct read_ahead *r, struct live_sync *s)
{
	if (s == NULL)
		return;
	LOCK_SCOPE(&r->lock);
	s->touched_ms = clock_mono_ms(r->opts.clock);
	s->askers--;
}

void read_ahead_end(struct read_ahead *r, struct str sync_id)
{
	LOCK_SCOPE(&r->lock);
	struct live_sync *s = find_sync(r, sync_id);

	if (s == NULL)
		return;
	s->ended = true;
	cancel_fire(s->cancel);
	cond_broadcast(&r->work);
}

void read_ahead_free(struct read_ahead *r)
{
	if (r == NULL)
		return;
	mutex_lock(&r->lock);
	r->stopping = true;
	for (struct live_sync *s = r->syncs; s != NULL; s = s->next)
		cancel_fire(s->cancel);
	cond_broadcast(&r->work);
	mutex_unlock(&r->lock);
	for (size_t i = 0; i < r->n_threads; i++)
		thread_join(&r->threads[i]);
	while (r->syncs != NULL) {
		struct live_sync *s = r->syncs;

		r->syncs = s->next;
		sync_free(s);
	}
	cond_deinit(&r->work);
	mutex_deinit(&r->lock);
	mem_free(r->threads);
	mem_free(r);
}
