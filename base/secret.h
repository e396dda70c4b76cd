/* base/secret.h
 *
 * Keys and tokens. A struct secret cannot be printed by accident (it is opaque and has no str conversion of that name), is
 * wiped when freed, and never goes into the session store, a log or an error message.
 *
 * Threads: immutable and reference-counted; any. */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>

#include "base/str.h"

struct secret;

struct secret *secret_new(struct str bytes); /* copies; the caller wipes its own copy */
struct secret *secret_ref(struct secret *s); /* NULL gives NULL */
void secret_unref(struct secret *s);         /* NULL is fine */
void secret_unrefp(struct secret **s);
bool secret_empty(const struct secret *s); /* NULL or no bytes */

/* The bytes, for the one who signs or encrypts. The name is long so that a review finds every use. NULL gives "". */
struct str secret_reveal(const struct secret *s);

#endif
