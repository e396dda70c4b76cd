#include "inventory/rows.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define MAGIC          "BRW1"
#define MAGIC_BYTES    4
#define CHECKSUM_BYTES 8
#define MAX_BYTES      (256UL << 20)

struct rows {
	atomic_int refs;
	const struct rows_type *type;
	struct blob *bytes;
	char *items;
	size_t n;
};

static struct str key_of(const void *item)
{
	return *(const struct str *)item;
}

static int compare_items(const void *a, const void *b)
{
	return str_cmp(key_of(a), key_of(b));
}

static const void *item_at(const struct rows *r, size_t i)
{
	return r->items + i * r->type->item_size;
}

static void put_checksum(struct buf *b)
{
	uint64_t sum = str_hash(buf_view(b));

	for (size_t i = 0; i < CHECKSUM_BYTES; i++, sum >>= 8)
		buf_char(b, (char)sum);
}

static bool checksum_fits(struct str all)
{
	const struct str body = str_sub(all, 0, all.n - CHECKSUM_BYTES);
	uint64_t sum = str_hash(body);

	for (size_t i = 0; i < CHECKSUM_BYTES; i++, sum >>= 8) {
		if (body.p[body.n + i] != (char)sum)
			return false;
	}
	return true;
}

static enum err_code read_rows(struct rows *r, struct err *reterr)
{
	const struct str all = blob_view(r->bytes);
	struct str previous = STR_EMPTY;
	struct unpack u;

	if (all.n < MAGIC_BYTES + CHECKSUM_BYTES || !str_starts(all, str_n(MAGIC, MAGIC_BYTES)) ||
		!checksum_fits(all))
		return err_set(reterr, ERR_PROTOCOL, "not a list of facts, or a damaged one");
	u = (struct unpack){.rest = str_sub(all, MAGIC_BYTES, all.n - MAGIC_BYTES - CHECKSUM_BYTES)};
	r->n = unpack_count(&u, r->type->min_bytes);
	r->items = mem_array(r->n + 1, r->type->item_size);
	for (size_t i = 0; i < r->n; i++) {
		void *item = r->items + i * r->type->item_size;

		r->type->unpack(&u, item);
		if (u.bad || key_of(item).n == 0 || str_cmp(previous, key_of(item)) >= 0)
			return err_set(reterr, ERR_PROTOCOL, "row %zu of a list of facts is damaged", i);
		previous = key_of(item);
	}
	if (u.bad || u.rest.n > 0)
		return err_set(reterr, ERR_PROTOCOL, "a list of facts has the wrong length");
	return ERR_OK;
}

static void rows_freep(struct rows **r)
{
	rows_unref(*r);
}

enum err_code rows_open(
	const struct rows_type *type, struct blob *bytes, struct rows **ret_rows, struct err *reterr)
{
	CLEANUP(rows_freep) struct rows *r = mem_zalloc(sizeof(*r));

	atomic_init(&r->refs, 1);
	r->type = type;
	r->bytes = blob_ref(bytes);
	if (read_rows(r, reterr) != ERR_OK)
		return reterr->code;
	*ret_rows = TAKE(r);
	return ERR_OK;
}

enum err_code rows_new(
	const struct rows_type *type, void *items, size_t n, struct rows **ret_rows, struct err *reterr)
{
	CLEANUP(blob_unrefp) struct blob *bytes = NULL;
	CLEANUP(buf_deinit) struct buf b = {0};
	const char *item = items;
	size_t distinct = 0;

	if (n > 0)
		qsort(items, n, type->item_size, compare_items);
	for (size_t i = 0; i < n; i++)
		distinct += i == 0 ||
			    compare_items(item + (i - 1) * type->item_size, item + i * type->item_size) != 0;
	buf_init(&b, MAX_BYTES);
	buf_c(&b, MAGIC);
	pack_u64(&b, distinct);
	for (size_t i = 0; i < n; i++) {
		if (i + 1 == n ||
			compare_items(item + i * type->item_size, item + (i + 1) * type->item_size) != 0)
			type->pack(&b, item + i * type->item_size);
	}
	put_checksum(&b);
	if (buf_check(&b, "a list of facts", reterr) != ERR_OK)
		return reterr->code;
	bytes = blob_take(&b);
	return rows_open(type, bytes, ret_rows, reterr);
}

struct rows *rows_ref(struct rows *r)
{
	atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
	return r;
}

void rows_unref(struct rows *r)
{
	if (r == NULL || atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) > 1)
		return;
	blob_unref(r->bytes);
	mem_free(r->items);
	mem_free(r);
}

struct blob *rows_bytes(struct rows *r)
{
	return r->bytes;
}

enum err_code rows_fact_open(
	const struct fact_kind *kind, struct blob *bytes, void **ret_fact, struct err *reterr)
{
	struct rows *rows;

	if (rows_open(((const struct rows_fact *)kind)->type, bytes, &rows, reterr) != ERR_OK)
		return reterr->code;
	*ret_fact = rows;
	return ERR_OK;
}

struct blob *rows_fact_bytes(void *rows)
{
	return rows_bytes(rows);
}

void *rows_fact_ref(void *rows)
{
	return rows_ref(rows);
}

void rows_fact_unref(void *rows)
{
	rows_unref(rows);
}

const void *rows_all(const struct rows *r, size_t *ret_n)
{
	*ret_n = r->n;
	return r->items;
}

size_t rows_after(const struct rows *r, struct str key)
{
	size_t low = 0, high = r->n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (str_cmp(key_of(item_at(r, middle)), key) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return key.n == 0 ? 0 : low;
}

const void *rows_find(const struct rows *r, struct str key)
{
	return r->n == 0 ? NULL : bsearch(&key, r->items, r->n, r->type->item_size, compare_items);
}

struct listing *listing_new(size_t item_size)
{
	struct listing *l = mem_zalloc(sizeof(*l));

	l->arena = arena_new(0);
	l->item_size = item_size;
	return l;
}

void listing_free(void *listing)
{
	struct listing *l = listing;

	if (l == NULL)
		return;
	arena_free(l->arena);
	mem_free(l->items);
	mem_free(l);
}

void *listing_add(struct listing *l)
{
	if (l->n == l->cap) {
		l->cap = l->cap == 0 ? 64 : l->cap * 2;
		l->items = mem_realloc(l->items, l->cap * l->item_size);
	}
	memset(l->items + l->n * l->item_size, 0, l->item_size);
	return l->items + l->n++ * l->item_size;
}
