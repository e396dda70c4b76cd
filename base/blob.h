/* base/blob.h
 *
 * Immutable bytes that several threads share: what the session store keeps and hands out.
 *
 * Threads: any; the reference count is atomic, the bytes never change after blob_new/blob_take.
 * Ownership: every holder has a reference and gives it back with blob_unref. */
#ifndef BASE_BLOB_H
#define BASE_BLOB_H

#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"

struct blob;

struct blob *blob_new(struct str bytes);        /* copies; one reference */
struct blob *blob_take(struct buf *take_bytes); /* takes the buffer's memory, leaves it empty */
struct blob *blob_ref(struct blob *b);          /* returns b */
void blob_unref(struct blob *b);                /* NULL is fine */
void blob_unrefp(struct blob **b);
struct str blob_view(const struct blob *b); /* valid while a reference is held */

#endif
