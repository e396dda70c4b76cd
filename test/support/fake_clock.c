#include "support/fake_clock.h"

static int64_t fake_mono_ms(void *self)
{
	struct fake_clock *f = self;
	int64_t step_ms = atomic_load(&f->auto_step_ms);

	if (step_ms)
		fake_clock_advance_ms(f, step_ms);
	return atomic_load(&f->mono_ms);
}

static int64_t fake_wall_ns(void *self)
{
	struct fake_clock *f = self;

	return atomic_load(&f->wall_ns);
}

void fake_clock_init(struct fake_clock *f, int64_t wall_s)
{
	f->clock = (struct clock){.mono_ms = fake_mono_ms, .wall_ns = fake_wall_ns, .self = f};
	atomic_init(&f->mono_ms, 1000000);
	atomic_init(&f->wall_ns, wall_s * 1000000000);
	atomic_init(&f->auto_step_ms, 0);
}

void fake_clock_advance_ms(struct fake_clock *f, int64_t ms)
{
	atomic_fetch_add(&f->mono_ms, ms);
	atomic_fetch_add(&f->wall_ns, ms * 1000000);
}

void fake_clock_set_wall_s(struct fake_clock *f, int64_t wall_s)
{
	atomic_store(&f->wall_ns, wall_s * 1000000000);
}
