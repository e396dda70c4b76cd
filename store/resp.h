/* store/resp.h
 *
 * Redis's protocol: commands as bytes, and replies from bytes. The only file that knows hiredis, of which it uses the parts that
 * need no connection of hiredis's own: they are the same in 0.14 (Debian 12, no TLS) and in 1.x.
 *
 * Threads:   none of its own; a reader belongs to one thread at a time.
 * Ownership: replies live in the arena given.
 * Errors:    ERR_PROTOCOL: not Redis's protocol. ERR_TOO_LARGE: over the reader's bound. After either the reader is of no use. */
#ifndef STORE_RESP_H
#define STORE_RESP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* Appends one command of n arguments. */
void resp_command(struct buf *out, const struct str *args, size_t n);

enum resp_kind { RESP_NIL, RESP_INTEGER, RESP_STRING, RESP_STATUS, RESP_ERROR, RESP_ARRAY, RESP_OTHER };

struct resp_reply {
	enum resp_kind kind;
	int64_t integer;           /* INTEGER */
	struct str text;           /* STRING, STATUS, ERROR; NUL-terminated behind n */
	struct resp_reply **items; /* ARRAY: n of them */
	size_t n;
};

struct resp_reader;

/* max_bytes: of one reply, as it comes and as it is kept. */
struct resp_reader *resp_reader_new(size_t max_bytes);
void resp_reader_free(struct resp_reader *r); /* NULL is fine */
void resp_reader_freep(struct resp_reader **r);

/* Takes bytes as they come. */
MUST_CHECK enum err_code resp_feed(struct resp_reader *r, struct str bytes, struct err *reterr);
/* The next whole reply of what was fed; *ret_reply NULL: more bytes are needed, and the arena stays the same until it is whole. */
MUST_CHECK enum err_code resp_next(
	struct resp_reader *r, struct arena *arena, struct resp_reply **ret_reply, struct err *reterr);

/* Whether all that was fed was a part of a reply that was given. */
bool resp_reader_is_empty(const struct resp_reader *r);

#endif
