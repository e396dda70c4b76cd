#include "base/blob.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"

struct blob {
	atomic_size_t refs;
	struct buf bytes; /* of blob_take; empty for blob_new, whose bytes stand behind the struct */
	size_t n;
	char tail[];
};

struct blob *blob_new(struct str bytes)
{
	struct blob *b = mem_alloc(sizeof(*b) + bytes.n + 1);

	*b = (struct blob){.n = bytes.n};
	atomic_init(&b->refs, 1);
	if (bytes.n)
		memcpy(b->tail, bytes.p, bytes.n);
	b->tail[bytes.n] = '\0';
	return b;
}

struct blob *blob_take(struct buf *take_bytes)
{
	struct blob *b = mem_alloc(sizeof(*b));

	assert(!take_bytes->overflow);
	*b = (struct blob){.n = take_bytes->n};
	atomic_init(&b->refs, 1);
	b->bytes = *take_bytes;
	*take_bytes = (struct buf){.cap = b->bytes.cap, .wipe = b->bytes.wipe};
	/* Doubling leaves up to half of a buffer unused, and a blob stays for a whole sync: give that back.
	 * Not with secrets, because realloc may copy. */
	if (b->bytes.p && !b->bytes.wipe && b->bytes.size - b->n > b->n / 8) {
		b->bytes.size = b->n + 1;
		b->bytes.p = mem_realloc(b->bytes.p, b->bytes.size);
	}
	return b;
}

struct blob *blob_ref(struct blob *b)
{
	atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
	return b;
}

void blob_unref(struct blob *b)
{
	if (b == NULL || atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) != 1)
		return;
	buf_deinit(&b->bytes);
	mem_free(b);
}

void blob_unrefp(struct blob **b)
{
	blob_unref(*b);
	*b = NULL;
}

struct str blob_view(const struct blob *b)
{
	return b->bytes.p ? str_n(b->bytes.p, b->n) : str_n(b->tail, b->n);
}
