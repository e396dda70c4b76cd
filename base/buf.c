#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void buf_init(struct buf *b, size_t cap)
{
	*b = (struct buf){.cap = cap};
}

void buf_deinit(struct buf *b)
{
	if (b->wipe)
		mem_wipe(b->p, b->size);
	mem_free(b->p);
	*b = (struct buf){.cap = b->cap, .wipe = b->wipe};
}

void buf_reset(struct buf *b)
{
	if (b->wipe)
		mem_wipe(b->p, b->size);
	b->n = 0;
	b->overflow = false;
}

/* realloc may leave the old bytes behind in freed memory, so secrets move by hand. */
static void move_to(struct buf *b, size_t size)
{
	if (b->wipe && b->p) {
		char *p = mem_alloc(size);

		memcpy(p, b->p, b->n);
		mem_wipe(b->p, b->size);
		mem_free(b->p);
		b->p = p;
	} else {
		b->p = mem_realloc(b->p, size);
	}
	b->size = size;
}

/* Room for n more bytes and the NUL. False (and overflow) when the cap forbids it. */
static bool reserve(struct buf *b, size_t n)
{
	size_t need, size;

	if (b->overflow || n > b->cap - b->n || __builtin_add_overflow(b->n + n, 1, &need)) {
		b->overflow = true;
		return false;
	}
	if (need <= b->size)
		return true;
	size = b->size > SIZE_MAX / 2 ? SIZE_MAX : 2 * b->size;
	if (size < 64)
		size = 64;
	if (size - 1 > b->cap) /* never more than cap and its NUL */
		size = b->cap + 1;
	if (size < need)
		size = need;
	move_to(b, size);
	return true;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	if (n == 0 || !reserve(b, n))
		return;
	memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = '\0';
}

void buf_str(struct buf *b, struct str s)
{
	buf_add(b, s.p, s.n);
}

void buf_c(struct buf *b, const char *cstr)
{
	buf_str(b, str_c(cstr));
}

void buf_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vfmt(b, fmt, ap);
	va_end(ap);
}

void buf_vfmt(struct buf *b, const char *fmt, va_list ap)
{
	size_t room = b->overflow ? 0 : b->size - b->n;
	va_list again;
	int n;

	/* Straight into what is allocated, which nearly always does; else once more into as much as it takes. */
	va_copy(again, ap);
	n = vsnprintf(room ? b->p + b->n : NULL, room, fmt, again);
	va_end(again);
	if (n < 0)
		abort(); /* a format that printf cannot do is our bug */
	if ((size_t)n >= room) {
		if (room)
			b->p[b->n] = '\0'; /* take the cut text back */
		if (n == 0 || !reserve(b, (size_t)n))
			return;
		vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
	}
	b->n += (size_t)n;
}

struct str buf_view(const struct buf *b)
{
	return b->n ? str_n(b->p, b->n) : STR_EMPTY;
}

struct str buf_dup(const struct buf *b, struct arena *a)
{
	return str_dup(a, buf_view(b));
}

enum err_code buf_check(const struct buf *b, const char *what, struct err *reterr)
{
	if (!b->overflow)
		return ERR_OK;
	return err_set(reterr, ERR_TOO_LARGE, "%s is larger than %zu bytes", what, b->cap);
}
