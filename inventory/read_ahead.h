/* inventory/read_ahead.h
 *
 * Reads what a sync will ask for next while the engine is busy with what it has: a few threads work through the names (accounts, groups: what
 * they mean is the reader's business) that were announced for the sync. Names stand in lanes, one for what one quota of AWS's limits: in a
 * lane they are read in the order in which they were announced, and the threads spread over the lanes, so that no quota lies idle while
 * there is work for it. Private to inventory.
 *
 * Bounded: by the number of threads, by memory (nothing is started while the facts kept fill more than half of their room), and by the
 * sync's life: Cleanup ends it, and so do SYNC_IDLE_MS in which no request of it is being answered, because no Cleanup follows a failed
 * sync.
 * What it reads lands where the foreground looks for it (facts.h): who asks for an account that is being read waits for that flight, and
 * takes it over when it is cut off.
 *
 * Threads: any. Errors: none; a failed read is logged at debug and left to who really asks. */
#ifndef INVENTORY_READ_AHEAD_H
#define INVENTORY_READ_AHEAD_H

#include <stddef.h>

#include "base/clock.h"
#include "base/ctx.h"
#include "base/str.h"

struct live_sync;
struct read_ahead;

#define SYNC_IDLE_MS 30000

struct read_ahead_options {
	size_t threads;
	const struct clock *clock;
	/* Reads one thing; returns when it is kept or cannot be had now. */
	void (*read)(void *self, const struct ctx *ctx, struct str sync_id, struct str name);
	bool (*has_room)(void *self);
	void *self;
};

struct read_ahead *read_ahead_new(const struct read_ahead_options *opts);
void read_ahead_free(struct read_ahead *r); /* ends everything and joins; NULL is fine */

#define READ_AHEAD_LANES 8

/* Adds names to a lane of the sync; those announced before are passed over. */
void read_ahead_expect(
	struct read_ahead *r, struct str sync_id, unsigned lane, const struct str *names, size_t n);
/* A request of the sync came: the sync is alive until the request is answered (read_ahead_done), and SYNC_IDLE_MS longer. name: what
 * it asks for, which is no longer ahead; empty: something else. Returns what read_ahead_done wants: NULL when nothing is read ahead for
 * that sync. r NULL: nothing is read ahead at all. */
MUST_CHECK struct live_sync *read_ahead_begin(struct read_ahead *r, struct str sync_id, struct str name);
void read_ahead_done(struct read_ahead *r, struct live_sync *s); /* s NULL is fine */
/* Drops the sync's lanes and cancels what is being read for it. */
void read_ahead_end(struct read_ahead *r, struct str sync_id);

#endif
