/* sim/sim_json_writer.h
 *
 * Writes JSON and knows where commas go: {"out":...} is jw_open(w, NULL, '{'), members with a name, elements
 * of an array with NULL for it, jw_close(w, '}').
 *
 * Threads: a writer belongs to one. */
#ifndef SIM_JSON_WRITER_H
#define SIM_JSON_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct json_writer {
	struct buf *out;
	bool inside; /* behind a member or an element: a comma comes first */
};

void jw_open(struct json_writer *w, const char *name, char bracket);
void jw_close(struct json_writer *w, char bracket);
void jw_key(struct json_writer *w, const char *name); /* what follows is the caller's */
void jw_str(struct json_writer *w, const char *name, struct str value);
void jw_str_unless_empty(struct json_writer *w, const char *name, struct str value); /* empty: no member */
void jw_str_or_null(struct json_writer *w, const char *name, struct str value);      /* empty: null */
void jw_int(struct json_writer *w, const char *name, int64_t value);
void jw_bool(struct json_writer *w, const char *name, bool value);
void jw_time(struct json_writer *w, const char *name, int64_t unix_s); /* RFC 3339; SIM_NEVER: null */

/* Seconds since 1970 with a fraction, as JSON services write times. */
void jw_epoch(struct json_writer *w, const char *name, int64_t unix_s, unsigned ms);

#endif
