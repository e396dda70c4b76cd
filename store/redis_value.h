/* store/redis_value.h
 *
 * A value as it lies in Redis, where it may be anybody's by the time it is read:
 *
 *	"BST1" | codec: 0 as it is, 1 zstd | length of the value, 8 bytes | checksum, 8 bytes | the value, as the codec has it
 *
 * Numbers are little-endian. The checksum is of the key and of the value as it lies there, so that a value is good only under its
 * own key. It guards against damage, not against forgery: whoever may write to our Redis may write what he likes (docs/scaling.md).
 *
 * Threads: pure. Ownership: a decoded value is a new reference. Errors: ERR_PROTOCOL: not what was written under this key.
 * ERR_TOO_LARGE. */
#ifndef STORE_REDIS_VALUE_H
#define STORE_REDIS_VALUE_H

#include "base/blob.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* Appends the value to out. ERR_TOO_LARGE: it does not fit into out. */
MUST_CHECK enum err_code redis_value_encode(
	struct str key, struct str value, struct buf *out, struct err *reterr);

/* max_bytes: of the value. */
MUST_CHECK enum err_code redis_value_decode(
	struct str key, struct str bytes, size_t max_bytes, struct blob **ret_value, struct err *reterr);

#endif
