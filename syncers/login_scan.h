/* syncers/login_scan.h
 *
 * One step of the feed of logins: from a cursor to some events and the next cursor.
 *
 * Threads: pure, but for the source. Ownership: events live in the arena. Errors: those of the source. */
#ifndef SYNCERS_LOGIN_SCAN_H
#define SYNCERS_LOGIN_SCAN_H

#include "inventory/login_events.h"
#include "syncers/login_cursor.h"
#include "syncers/login_record.h"

#define LOGIN_MAX_BATCH 50

/* Who is asked: inventory_login_events, or a test. */
struct login_source {
	enum err_code (*look_up)(void *self, const struct login_query *query, struct arena *arena,
		struct login_page *ret_page, struct err *reterr);
	void *self;
};

struct login_event {
	struct str id;
	int64_t time_s;
	struct login login;
};
struct login_batch {
	struct login_event *events; /* newest first */
	size_t n;                   /* may be 0 although there is more */
	bool has_more;
};

/* Moves the cursor on by at most max events (0, or more than LOGIN_MAX_BATCH: that many). After a failure the cursor is worthless: the step
 * is made again from where it was before. */
MUST_CHECK enum err_code login_scan_step(struct login_cursor *c, int64_t now_s, size_t max,
	const struct login_source *source, struct arena *arena, struct login_batch *ret_batch,
	struct err *reterr);

#endif
