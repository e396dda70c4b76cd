#include "server/metrics.h"

#include <stdatomic.h>

#include "base/mem.h"
#include "server/methods.h"
#include "server/rpc.h"

struct row {
	atomic_uint_fast64_t calls[RPC_CODE_COUNT];
	atomic_uint_fast64_t ms;
};

struct metrics {
	struct row unknown;
	struct row rows[]; /* methods_count() */
};

struct metrics *metrics_new(void)
{
	return mem_zalloc(sizeof(struct metrics) + methods_count() * sizeof(struct row));
}

void metrics_free(struct metrics *m)
{
	mem_free(m);
}

void metrics_count(struct metrics *m, size_t method, enum rpc_code code, int64_t ms)
{
	struct row *row = method == RPC_NO_METHOD ? &m->unknown : &m->rows[method];

	atomic_fetch_add_explicit(&row->calls[code], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&row->ms, (uint64_t)ms, memory_order_relaxed);
}

uint64_t metrics_calls(const struct metrics *m, size_t method, enum rpc_code code)
{
	const struct row *row = method == RPC_NO_METHOD ? &m->unknown : &m->rows[method];

	return atomic_load_explicit(&row->calls[code], memory_order_relaxed);
}

static void write_calls(const struct row *row, const char *method, struct buf *out)
{
	for (enum rpc_code code = 0; code < RPC_CODE_COUNT; code++) {
		uint64_t n = atomic_load_explicit(&row->calls[code], memory_order_relaxed);

		if (n > 0)
			buf_fmt(out, "baton_rpc_calls_total{method=\"%s\",code=\"%s\"} %llu\n", method,
				rpc_code_name(code), (unsigned long long)n);
	}
}

static void write_time(const struct row *row, const char *method, struct buf *out)
{
	uint64_t ms = atomic_load_explicit(&row->ms, memory_order_relaxed);

	if (ms > 0)
		buf_fmt(out, "baton_rpc_seconds_total{method=\"%s\"} %llu.%03u\n", method,
			(unsigned long long)(ms / 1000), (unsigned)(ms % 1000));
}

void metrics_write(const struct metrics *m, struct buf *out)
{
	buf_c(out, "# HELP baton_rpc_calls_total RPCs answered, by method and status code.\n"
		   "# TYPE baton_rpc_calls_total counter\n");
	for (size_t i = 0; i < methods_count(); i++)
		write_calls(&m->rows[i], methods_at(i)->path, out);
	write_calls(&m->unknown, "unknown", out);
	buf_c(out, "# HELP baton_rpc_seconds_total Time from arrival to answer.\n"
		   "# TYPE baton_rpc_seconds_total counter\n");
	for (size_t i = 0; i < methods_count(); i++)
		write_time(&m->rows[i], methods_at(i)->path, out);
}
