/* DESIGN
 *
 * CloudTrail shows an event up to 15 minutes after it happened, newest first, 50 a page, two pages a second, and knows no "since". Each
 * event shall be handed out once, the late ones too, and all we may remember between two calls is a cursor of 4 KiB.
 *
 * A scan looks backwards from now (until_s) to from_s, where everything older is done with. When it is through, from_s becomes until_s less
 * LOGIN_OVERLAP_S: what is older than that has had its time to appear. So the window advances whether there are events or not, and the next
 * scan meets the events of the overlap again. Those that were handed out are in `seen`.
 *
 *	      from_s                     settled            until_s
 *	 done |  handed out, forgotten     |  handed out, seen  |
 *	                   at_s <----------- the scan ----------
 *
 * seen has room for LOGIN_MAX_SEEN. A busy organization has more logins than that in the overlap. An event that cannot be remembered is
 * not handed out: a later scan meets it again, at the latest when it is settled and need not be remembered. Crowds make the feed late by
 * up to the overlap, never wrong, and cost no repeated look-ups. (Rejected: starting the window anew, which repeats events for as long as
 * the crowd lasts; a filter of fewer bits per event, which loses some.)
 *
 * Between the pages of a scan no token of AWS's is kept: it is long, belongs to credentials that may be gone, and may expire. A page goes
 * on by time instead: the next look-up ends with the second in which the last page ended, of which the page may have held a part only. So
 * only whole seconds are handed out, and that last one is left to the next step. AWS's token is used within a step, as long as all of
 * a page lies in one second. When the engine wants fewer events than a page holds, the step ends within a second: its events are handed
 * out in the order of their hashes, and the cursor says up to which. */
#include "syncers/login_scan.h"

#include <stdlib.h>

#include "base/mem.h"

/* What a step has read. */
struct reading {
	struct arena *arena;
	struct login_event *events;
	size_t n, size;
	int64_t oldest_s;      /* of the last page */
	int64_t whole_above_s; /* all seconds after this one were read to their end */
};

static void keep_event(struct reading *r, const struct login_record *from, const struct login *login)
{
	if (r->n == r->size) {
		r->size = r->size * 2 + LOGIN_MAX_BATCH;
		r->events = mem_realloc(r->events, r->size * sizeof(r->events[0]));
	}
	r->events[r->n++] = (struct login_event){
		.id = str_dup(r->arena, from->id), .time_s = from->time_s, .login = *login};
}

static void take_page(struct reading *r, const struct login_query *query, const struct login_page *page,
	struct arena *scratch)
{
	struct login login;

	for (size_t i = 0; i < page->n; i++) {
		const struct login_record *record = &page->records[i];

		if (record->time_s < query->from_s || record->time_s > query->until_s)
			continue; /* not what was asked for */
		r->oldest_s = record->time_s;
		if (login_parse(record->document, scratch, r->arena, &login))
			keep_event(r, record, &login);
	}
}

/* Reads until the scan's position can move: mostly one page. */
static enum err_code read_seconds(const struct login_cursor *c, const struct login_source *source,
	struct reading *r, struct err *reterr)
{
	CLEANUP(arena_freep) struct arena *scratch = arena_new(0);
	struct login_query query = {.from_s = c->from_s, .until_s = c->at_s, .token = STR_EMPTY};
	struct login_page page;

	r->oldest_s = c->at_s;
	do {
		arena_reset(scratch);
		if (source->look_up(source->self, &query, scratch, &page, reterr) != ERR_OK)
			return reterr->code;
		take_page(r, &query, &page, scratch);
		if (page.next.n > 0 && str_eq(page.next, query.token))
			return err_set(reterr, ERR_UNAVAILABLE,
				"baton-aws: cloudtrail:LookupEvents answered the same page token again");
		query.token = str_dup(r->arena, page.next);
	} while (query.token.n > 0 && r->oldest_s == c->at_s);
	r->whole_above_s = query.token.n > 0 ? r->oldest_s : c->from_s - 1;
	return ERR_OK;
}

/* Newest first; within a second by hash. */
static int by_position(const void *pa, const void *pb)
{
	const struct login_event *a = pa, *b = pb;
	const uint32_t hash_a = login_hash(a->id), hash_b = login_hash(b->id);

	if (a->time_s != b->time_s)
		return a->time_s > b->time_s ? -1 : 1;
	return hash_a < hash_b ? -1 : hash_a > hash_b;
}

static bool is_handed_out(const struct login_cursor *c, struct login_seen event)
{
	return (c->in_second && event.time_s == c->at_s && event.hash <= c->at_hash) ||
	       login_cursor_has_seen(c, event);
}

/* Events of whole seconds into the batch, until it is full: then the cursor stands behind the last. False: it was not. */
static bool fill(struct login_cursor *c, const struct reading *r, size_t max, struct login_batch *batch)
{
	const int64_t settled_s = c->until_s - LOGIN_OVERLAP_S;
	struct login_seen event, last = {0};

	for (size_t i = 0; i < r->n && r->events[i].time_s > r->whole_above_s; i++) {
		event = (struct login_seen){r->events[i].time_s, login_hash(r->events[i].id)};
		if (is_handed_out(c, event) ||
			(batch->n > 0 && event.time_s == last.time_s && event.hash == last.hash))
			continue;
		if (event.time_s > settled_s && c->n_seen == LOGIN_MAX_SEEN)
			continue;
		if (batch->n == max) {
			c->at_s = last.time_s;
			c->at_hash = last.hash;
			c->in_second = true;
			return true;
		}
		batch->events[batch->n++] = r->events[i];
		last = event;
		if (event.time_s > settled_s)
			login_cursor_add(c, event);
	}
	return false;
}

static void begin(struct login_cursor *c, int64_t now_s)
{
	if (c->from_s < now_s - LOGIN_HISTORY_S) {
		c->from_s = now_s - LOGIN_HISTORY_S;
		login_cursor_forget(c, INT64_MIN, c->from_s - 1);
	}
	c->scanning = true;
	c->in_second = false;
	c->until_s = c->at_s = now_s;
}

static void end(struct login_cursor *c)
{
	const int64_t next_s = c->until_s - LOGIN_OVERLAP_S + 1;

	c->scanning = false;
	if (next_s > c->from_s)
		c->from_s = next_s;
	login_cursor_forget(c, INT64_MIN, c->from_s - 1);
}

enum err_code login_scan_step(struct login_cursor *c, int64_t now_s, size_t max,
	const struct login_source *source, struct arena *arena, struct login_batch *ret_batch,
	struct err *reterr)
{
	struct login_batch batch = {.n = 0};
	struct reading r = {.arena = arena};

	if (max == 0 || max > LOGIN_MAX_BATCH)
		max = LOGIN_MAX_BATCH;
	if (!c->scanning && c->from_s > now_s) {
		*ret_batch = batch; /* the beginning is still to come, or the clock went back */
		return ERR_OK;
	}
	if (!c->scanning)
		begin(c, now_s);
	if (read_seconds(c, source, &r, reterr) != ERR_OK) {
		mem_free(r.events);
		return reterr->code;
	}
	if (r.n > 0)
		qsort(r.events, r.n, sizeof(r.events[0]), by_position);
	batch.events = arena_array_of(arena, max, struct login_event);
	if (!fill(c, &r, max, &batch)) {
		c->in_second = false;
		c->at_s = r.whole_above_s;
	}
	mem_free(r.events);
	/* Old ones that the scan has passed. New ones are needed by the next. */
	login_cursor_forget(c, c->at_s + 1, c->until_s - LOGIN_OVERLAP_S);
	if (c->at_s < c->from_s)
		end(c);
	batch.has_more = c->scanning;
	*ret_batch = batch;
	return ERR_OK;
}
