#include "sim/sim_rates.h"

#include <stddef.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"

#define CALL        1000  /* in the bucket's unit, so that a millisecond brings a whole number of them */
#define SECONDS_MAX 86400 /* seen one by one; what comes later is in the sums only */

struct second {
	uint32_t calls, throttled;
};

struct meter {
	const struct sim_service *service;
	uint64_t rate; /* calls per second; 0: no limit */
	uint64_t level;
	int64_t filled_ms, first_ms, last_ms;
	uint64_t calls, throttled;
	struct second *seconds; /* since first_ms */
	size_t n_seconds, size;
};

struct sim_rates {
	struct mutex lock; /* guards the rest */
	struct meter *meters;
};

static const struct {
	const struct sim_service *service;
	size_t option; /* where in struct sim_options its rate is */
} limits[] = {
	{&sim_sso_admin, offsetof(struct sim_options, sso_rate)},
	{&sim_identity_store, offsetof(struct sim_options, identity_store_rate)},
	{&sim_organizations, offsetof(struct sim_options, organizations_rate)},
	{&sim_cloudtrail, offsetof(struct sim_options, cloudtrail_rate)},
};

static uint64_t rate_of(const struct sim_options *opts, const struct sim_service *service)
{
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		if (limits[i].service == service)
			return *(const uint64_t *)(const void *)((const char *)opts + limits[i].option);
	}
	return 0;
}

static void meter_reset(struct meter *m)
{
	mem_free(m->seconds);
	*m = (struct meter){
		.service = m->service,
		.rate = m->rate,
		.level = m->rate * CALL,
		.filled_ms = clock_mono_ms(&clock_system),
	};
}

struct sim_rates *sim_rates_new(const struct sim_options *opts)
{
	struct sim_rates *r = mem_zalloc(sizeof(*r));

	mutex_init(&r->lock);
	r->meters = mem_array(sim_services_all_n, sizeof(r->meters[0]));
	for (size_t i = 0; i < sim_services_all_n; i++) {
		r->meters[i].service = sim_services_all[i];
		r->meters[i].rate = rate_of(opts, sim_services_all[i]);
		meter_reset(&r->meters[i]);
	}
	return r;
}

void sim_rates_free(struct sim_rates *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < sim_services_all_n; i++)
		mem_free(r->meters[i].seconds);
	mem_free(r->meters);
	mutex_deinit(&r->lock);
	mem_free(r);
}

void sim_rates_reset(struct sim_rates *r)
{
	LOCK_SCOPE(&r->lock);
	for (size_t i = 0; i < sim_services_all_n; i++)
		meter_reset(&r->meters[i]);
}

/* --- counting --- */
static bool take(struct meter *m, int64_t now_ms)
{
	if (m->rate == 0)
		return true;
	m->level += (uint64_t)(now_ms - m->filled_ms) * m->rate * CALL / 1000;
	m->filled_ms = now_ms;
	if (m->level > m->rate * CALL)
		m->level = m->rate * CALL;
	if (m->level < CALL)
		return false;
	m->level -= CALL;
	return true;
}

static void see(struct meter *m, int64_t now_ms, bool admitted)
{
	if (m->calls == 0)
		m->first_ms = now_ms;
	m->last_ms = now_ms;
	m->calls++;
	m->throttled += !admitted;
	size_t i = (size_t)((now_ms - m->first_ms) / 1000);
	if (i >= SECONDS_MAX)
		return;
	while (m->size <= i) {
		size_t size = m->size == 0 ? 64 : 2 * m->size;
		m->seconds = mem_realloc(m->seconds, size * sizeof(m->seconds[0]));
		m->size = size;
	}
	while (m->n_seconds <= i)
		m->seconds[m->n_seconds++] = (struct second){0};
	m->seconds[i].calls++;
	m->seconds[i].throttled += !admitted;
}

bool sim_rates_admit(struct sim_rates *r, struct sim_call *c)
{
	bool admitted = true;

	LOCK_SCOPE(&r->lock);
	for (size_t i = 0; i < sim_services_all_n; i++) {
		struct meter *m = &r->meters[i];
		if (m->service != c->service)
			continue;
		int64_t now_ms = clock_mono_ms(&clock_system);
		admitted = take(m, now_ms);
		see(m, now_ms, admitted);
	}
	if (!admitted)
		sim_fail(c, 400, c->service->codes->throttled, "Rate exceeded");
	return admitted;
}

/* --- telling --- */
static void write_seconds(struct json_writer *w, const struct meter *m, bool throttled)
{
	jw_open(w, throttled ? "throttled_by_second" : "calls_by_second", '[');
	for (size_t i = 0; i < m->n_seconds; i++)
		jw_int(w, NULL, throttled ? m->seconds[i].throttled : m->seconds[i].calls);
	jw_close(w, ']');
}

void sim_rates_write(struct sim_rates *r, struct buf *out)
{
	struct json_writer w = {.out = out};

	LOCK_SCOPE(&r->lock);
	jw_open(&w, NULL, '{');
	for (size_t i = 0; i < sim_services_all_n; i++) {
		const struct meter *m = &r->meters[i];
		jw_open(&w, m->service->name, '{');
		if (m->rate > 0)
			jw_int(&w, "rate", (int64_t)m->rate);
		else
			jw_str_or_null(&w, "rate", STR_EMPTY);
		jw_int(&w, "calls", (int64_t)m->calls);
		jw_int(&w, "throttled", (int64_t)m->throttled);
		jw_int(&w, "span_ms", m->last_ms - m->first_ms);
		write_seconds(&w, m, false);
		write_seconds(&w, m, true);
		jw_close(&w, '}');
	}
	jw_close(&w, '}');
	buf_char(out, '\n');
}
