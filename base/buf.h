/* base/buf.h
 *
 * A byte buffer that grows up to a cap given at init. An append that would go over the cap leaves the buffer as it was
 * and marks it overflowed for good, so that a chain of appends needs one check at its end.
 *
 * Threads: one at a time. Ownership: buf_deinit frees; a zeroed struct buf is a valid empty buffer with cap 0. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct buf {
	char *p; /* NUL-terminated behind n when n > 0 */
	size_t n;
	size_t size;   /* allocated */
	size_t cap;    /* n never exceeds it */
	bool overflow; /* an append was refused */
	bool wipe;     /* holds secrets: wipe on deinit and when moving */
};

void buf_init(struct buf *b, size_t cap);
void buf_deinit(struct buf *b);
void buf_reset(struct buf *b); /* empty, no overflow; keeps the memory (wiped when wipe) */

void buf_add(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, struct str s);
void buf_c(struct buf *b, const char *cstr);
void buf_char(struct buf *b, char c);
void buf_fmt(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_vfmt(struct buf *b, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);

struct str buf_view(const struct buf *b); /* valid until the next change */
struct str buf_dup(const struct buf *b, struct arena *a);

/* ERR_TOO_LARGE "<what> is larger than <cap> bytes" when something was refused, else ERR_OK. */
MUST_CHECK enum err_code buf_check(const struct buf *b, const char *what, struct err *reterr);

#endif
