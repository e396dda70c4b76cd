/* aws/clock_skew.h
 *
 * A host whose clock is wrong by more than five minutes cannot sign. AWS says so in its error code and
 * tells its own time in the Date header of the same answer: the difference is learned per client and
 * added to the time of later signatures.
 *
 * Threads: any. A zeroed struct is "no skew known". */
#ifndef AWS_CLOCK_SKEW_H
#define AWS_CLOCK_SKEW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/str.h"

struct clock_skew {
	_Atomic int64_t offset_s; /* add to our clock to get AWS's */
};

/* The time to sign with. */
int64_t clock_skew_now_s(const struct clock_skew *skew, const struct clock *clock);

/* Looks at an answer that was refused. True: the code is one that a wrong clock causes and the Date header
 * differs by more than 4 minutes from signed_at_s, the time that was signed; the skew has been corrected
 * and the same request is worth another attempt. */
bool clock_skew_learn(struct clock_skew *skew, const struct clock *clock, int64_t signed_at_s,
	struct str aws_code, struct str date_header);

#endif
