/* test/support/fake_clock.h
 *
 * A clock whose time a test sets. Waits with a ctx on it (ctx_sleep_ms, cond_wait_ctx) look at it every real
 * millisecond, so a test that moves it from another thread sees them end.
 *
 * Threads: any; time is atomic. Ownership: the caller's storage; must outlive the users of .clock. */
#ifndef TEST_SUPPORT_FAKE_CLOCK_H
#define TEST_SUPPORT_FAKE_CLOCK_H

#include <stdatomic.h>

#include "base/clock.h"

struct fake_clock {
	struct clock clock; /* hand out &f.clock */
	_Atomic int64_t mono_ms;
	_Atomic int64_t wall_ns;
	_Atomic int64_t
		auto_step_ms; /* each look at the monotonic clock moves both by this; 0: only by hand */
};

/* Monotonic time starts at 1,000,000 ms. */
void fake_clock_init(struct fake_clock *f, int64_t wall_s);
void fake_clock_advance_ms(struct fake_clock *f, int64_t ms); /* both times */
void fake_clock_set_wall_s(struct fake_clock *f, int64_t wall_s);

#endif
