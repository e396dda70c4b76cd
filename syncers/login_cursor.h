/* syncers/login_cursor.h
 *
 * Where the feed of logins stands: all that is known between two polls, in the text that the engine keeps for us. What it means is told in
 * login_scan.c.
 *
 *	base64url( version 1 | from | scanning 0 or 1 [ until | at | in_second 0 or 1 [ at_hash ] ] | seen ... | checksum, 4 bytes )
 *
 * Numbers are LEB128, those of time relative to the one before. A cursor of the connector that this one replaces (base64 of a JSON object)
 * is understood: its start_at is where we go on.
 *
 * Threads: pure functions. */
#ifndef SYNCERS_LOGIN_CURSOR_H
#define SYNCERS_LOGIN_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#define LOGIN_CURSOR_MAX 4096 /* bytes that the wire's rules allow */

/* How long before a scan begins an event may have happened and still not be visible. CloudTrail says 15 minutes; the rest is for clocks
 * that disagree. */
#define LOGIN_OVERLAP_S 1200

/* 3,072 bytes stand in a cursor: 600 ids of 4 bytes each with at least one for the time. See the assertion in login_cursor.c. */
#define LOGIN_MAX_SEEN 600

/* An event by its second and a hash of its id: 4 bytes are enough to tell those of one second apart. */
struct login_seen {
	int64_t time_s;
	uint32_t hash;
};

struct login_cursor {
	int64_t from_s;   /* what happened before is done with */
	bool scanning;    /* in the middle of a scan: */
	int64_t until_s;  /* when it began, and the newest it looks for */
	int64_t at_s;     /* it goes on here, backwards in time: from_s <= at_s <= until_s */
	bool in_second;   /* the first part of the second at_s is done: */
	uint32_t at_hash; /* up to this hash */
	/* What was handed out and will be met again, sorted by time and hash. All of it is in the first LOGIN_OVERLAP_S from from_s on,
	 * or, while scanning, in the last before until_s. */
	struct login_seen seen[LOGIN_MAX_SEEN];
	size_t n_seen;
};

/* At most LOGIN_CURSOR_MAX bytes. */
struct str login_cursor_encode(struct arena *arena, const struct login_cursor *c);

/* ERR_INVALID "baton-aws: cursor corrupt: ...". */
MUST_CHECK enum err_code login_cursor_decode(
	struct arena *arena, struct str text, struct login_cursor *ret, struct err *reterr);

uint32_t login_hash(struct str event_id);
bool login_cursor_has_seen(const struct login_cursor *c, struct login_seen event);
/* Asserts that there is room. What is there already is not added again. */
void login_cursor_add(struct login_cursor *c, struct login_seen event);
/* Forgets what happened in [first_s, last_s]. */
void login_cursor_forget(struct login_cursor *c, int64_t first_s, int64_t last_s);

#endif
