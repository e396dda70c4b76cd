#include "base/secret.h"

#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"

struct secret {
	atomic_size_t refs;
	size_t n;
	char bytes[]; /* NUL-terminated behind n */
};

struct secret *secret_new(struct str bytes)
{
	struct secret *s = mem_alloc(sizeof(*s) + bytes.n + 1);

	atomic_init(&s->refs, 1);
	s->n = bytes.n;
	if (bytes.n)
		memcpy(s->bytes, bytes.p, bytes.n);
	s->bytes[bytes.n] = '\0';
	return s;
}

struct secret *secret_ref(struct secret *s)
{
	if (s)
		atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

void secret_unref(struct secret *s)
{
	if (s == NULL || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
		return;
	mem_wipe(s->bytes, s->n);
	mem_free(s);
}

void secret_unrefp(struct secret **s)
{
	secret_unref(*s);
	*s = NULL;
}

bool secret_empty(const struct secret *s)
{
	return s == NULL || s->n == 0;
}

struct str secret_reveal(const struct secret *s)
{
	return s ? str_n(s->bytes, s->n) : STR_EMPTY;
}
