/* base/encode.h
 *
 * Base64, hex and percent encoding. Threads: pure functions. Results live in the arena. */
#ifndef BASE_ENCODE_H
#define BASE_ENCODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

struct str b64_encode(struct arena *a, struct str bytes);                 /* standard alphabet, padded */
bool b64_decode(struct arena *a, struct str text, struct str *ret_bytes); /* white space is refused */
struct str b64url_encode(struct arena *a, struct str bytes);              /* no padding: page tokens */
bool b64url_decode(struct arena *a, struct str text, struct str *ret_bytes);

struct str hex_encode(struct arena *a, struct str bytes);  /* lower case */
void hex_write(char *out, const uint8_t *bytes, size_t n); /* 2n bytes, no NUL */

/* RFC 3986: all but A-Z a-z 0-9 - . _ ~ become %XX (upper case). keep_slash leaves '/' alone (paths). */
void percent_encode(struct buf *out, struct str bytes, bool keep_slash);
/* %XX only; '+' stays a plus (spec/iam.md D40). False on a malformed escape. */
bool percent_decode(struct arena *a, struct str text, struct str *ret_bytes);

#endif
