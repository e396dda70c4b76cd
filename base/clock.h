/* base/clock.h
 *
 * Time, in one place so that tests can bend it. Wall time is for dates on the wire and signatures, monotonic time for
 * deadlines, ages and intervals.
 *
 * Threads: a clock may be used by any thread. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct clock {
	int64_t (*mono_ms)(void *self); /* never goes back */
	int64_t (*wall_ns)(void *self); /* since 1970-01-01T00:00:00Z */
	void *self;
};

extern const struct clock clock_system;

int64_t clock_mono_ms(const struct clock *c);
int64_t clock_wall_s(const struct clock *c);
int64_t clock_wall_ns(const struct clock *c);

/* Sleeps on the system's monotonic clock. */
void clock_sleep_ms(int64_t ms);

/* "20261121T023500Z", the form of SigV4. out has room for 17 bytes. */
void time_format_amz(int64_t unix_s, char out[17]);
/* "2026-11-21T02:35:00Z". out has room for 21 bytes. */
void time_format_rfc3339(int64_t unix_s, char out[21]);

/* RFC 3339 / ISO 8601 as AWS writes it ("2026-11-21T02:35:00Z", fractions, "+00:00" and other offsets).
 * False on anything else. */
bool time_parse_rfc3339(struct str s, int64_t *ret_unix_s);
/* IMF-fixdate of an HTTP Date header ("Sat, 21 Nov 2026 02:35:00 GMT"). */
bool time_parse_http(struct str s, int64_t *ret_unix_s);

#endif
