/* test/support/fake_redis.h
 *
 * A server on 127.0.0.1 that takes Redis's commands apart and lets a test answer them, also as no decent Redis does. One thread
 * per connection.
 *
 * Threads: fn runs on the connections' threads, several at a time. It must not assert (CUnit): it counts, and the test looks. */
#ifndef TEST_SUPPORT_FAKE_REDIS_H
#define TEST_SUPPORT_FAKE_REDIS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"

struct fake_redis;

/* Appends the answer to `out`, which is sent when fn returns. False: close the connection after that. */
typedef bool(fake_redis_fn)(void *arg, const struct str *args, size_t n, struct buf *out);

struct fake_redis *fake_redis_start(fake_redis_fn *fn, void *arg);
void fake_redis_stop(struct fake_redis *r); /* NULL is fine; ends every connection */

unsigned fake_redis_port(const struct fake_redis *r);
size_t fake_redis_connections(struct fake_redis *r); /* accepted so far */
size_t fake_redis_open(struct fake_redis *r);        /* those that neither side has closed */
void fake_redis_hang_up(struct fake_redis *r);       /* closes every connection that is open now */

/* Sends bytes, unasked, on every connection that is open now, and returns when they have arrived. */
void fake_redis_say(struct fake_redis *r, struct str bytes);

#endif
