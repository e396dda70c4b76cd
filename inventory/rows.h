/* inventory/rows.h
 *
 * A short list of small records, sorted by key: what facts that are lists are kept as. Opened as a whole into C structs. (An account's IAM data
 * is too large for that: iam_account.h.) Private to inventory.
 *
 *	"BRW1" | number of rows | rows as their type packs them | checksum (8 bytes)
 *
 * Threads: any; immutable and reference-counted. Ownership: items' text points into the bytes. */
#ifndef INVENTORY_ROWS_H
#define INVENTORY_ROWS_H

#include <stddef.h>

#include "base/arena.h"
#include "base/blob.h"
#include "base/err.h"
#include "base/str.h"
#include "inventory/facts.h"
#include "inventory/pack.h"

/* Every item starts with its key, a struct str. */
struct rows_type {
	size_t item_size;
	size_t min_bytes; /* a packed row has at least that many */
	void (*pack)(struct buf *b, const void *item);
	void (*unpack)(struct unpack *u, void *item);
};

struct rows;

/* Sorts items by key (of equal keys the last stays) and packs them. ERR_TOO_LARGE: more than 256 MiB. */
MUST_CHECK enum err_code rows_new(
	const struct rows_type *type, void *items, size_t n, struct rows **ret_rows, struct err *reterr);
/* ERR_PROTOCOL: bytes that rows_new did not make. Takes a reference to them. */
MUST_CHECK enum err_code rows_open(
	const struct rows_type *type, struct blob *bytes, struct rows **ret_rows, struct err *reterr);

struct rows *rows_ref(struct rows *r);
void rows_unref(struct rows *r);         /* NULL is fine */
struct blob *rows_bytes(struct rows *r); /* borrowed */

/* A kind of fact (facts.h) that is kept as rows: the functions of its `kind` but fetch are the ones below. */
struct rows_fact {
	struct fact_kind kind; /* first: a pointer to it is one to the whole */
	const struct rows_type *type;
};
enum err_code rows_fact_open(
	const struct fact_kind *kind, struct blob *bytes, void **ret_fact, struct err *reterr);
struct blob *rows_fact_bytes(void *rows);
void *rows_fact_ref(void *rows);
void rows_fact_unref(void *rows);

const void *rows_all(const struct rows *r, size_t *ret_n);
size_t rows_after(const struct rows *r, struct str key);     /* index of the first row behind key */
const void *rows_find(const struct rows *r, struct str key); /* NULL: none */

/* Rows in the making, with their text (gather.h). */
struct listing {
	struct arena *arena; /* of the items' text */
	char *items;
	size_t item_size, n, cap;
};

struct listing *listing_new(size_t item_size);
void listing_free(void *listing);     /* NULL is fine */
void *listing_add(struct listing *l); /* zeroed */

#endif
