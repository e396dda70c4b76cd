/* inventory/pack.h
 *
 * How facts are written into bytes and read back: LEB128 numbers and length-prefixed text, nothing else. What is packed by one
 * process may be read by another, so a reader checks every length against what is left.
 *
 * Threads: values. Ownership: read text points into the bytes. */
#ifndef INVENTORY_PACK_H
#define INVENTORY_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

void pack_u64(struct buf *b, uint64_t v);
void pack_i64(struct buf *b, int64_t v); /* zigzag: small negatives are short */
void pack_str(struct buf *b, struct str s);

struct unpack {
	struct str rest;
	bool bad; /* something did not fit: everything read since is zero or empty */
};
uint64_t unpack_u64(struct unpack *u);
int64_t unpack_i64(struct unpack *u);
struct str unpack_str(struct unpack *u);
/* A number of elements, each of at least min_bytes packed bytes: bounded by what is left, so that it can be allocated. */
size_t unpack_count(struct unpack *u, size_t min_bytes);

#endif
