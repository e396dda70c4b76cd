#include "sim/sim_log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/thread.h"

#define COUNTERS_MAX 512 /* operations of all services; names come from our tables, so they are few */

struct counter {
	const char *service, *op; /* op "?": no operation of ours */
	bool count_repeats;
	uint64_t calls, ok, throttled, errors;
};

struct entry {
	uint64_t n; /* 1 for the first call */
	uint16_t counter;
	uint16_t status;
	bool ok;
	size_t account_at, params_at, code_at; /* into text, NUL-terminated each */
	char text[];
};

struct sim_log {
	struct mutex lock; /* guards the rest */
	struct counter counters[COUNTERS_MAX];
	size_t n_counters;
	struct entry **ring; /* grows up to limit, then wraps */
	size_t size, limit;
	uint64_t total;
};

struct sim_log *sim_log_new(uint64_t limit)
{
	struct sim_log *l = mem_zalloc(sizeof(*l));

	mutex_init(&l->lock);
	l->limit = limit;
	return l;
}

static void forget(struct sim_log *l)
{
	for (size_t i = 0; i < l->size && i < l->total; i++)
		mem_free(l->ring[i]);
	mem_free(l->ring);
	l->ring = NULL;
	l->size = 0;
	l->total = 0;
	l->n_counters = 0;
}

void sim_log_free(struct sim_log *l)
{
	if (l == NULL)
		return;
	forget(l);
	mutex_deinit(&l->lock);
	mem_free(l);
}

void sim_log_reset(struct sim_log *l)
{
	LOCK_SCOPE(&l->lock);
	forget(l);
}

/* --- writing down --- */
static size_t counter_of(struct sim_log *l, const struct sim_call *c)
{
	const char *op = c->op != NULL ? c->op->name : "?";
	size_t i = 0;

	for (; i < l->n_counters; i++) {
		if (l->counters[i].service == c->service->name && strcmp(l->counters[i].op, op) == 0)
			return i;
	}
	if (i == COUNTERS_MAX)
		return i - 1;
	l->counters[i] = (struct counter){.service = c->service->name, .op = op};
	l->counters[i].count_repeats = c->service->count_repeats && c->op != NULL && !c->op->poll;
	l->n_counters++;
	return i;
}

static size_t put_text(char *text, size_t *at, struct str s)
{
	size_t start = *at;

	memcpy(text + start, s.p, s.n);
	text[start + s.n] = '\0';
	*at += s.n + 1;
	return start;
}

static struct entry *entry_new(const struct sim_call *c, size_t counter, bool ok)
{
	struct str account = c->caller.account != NULL ? c->caller.account->id : STR("");
	struct str params = c->params_text.n > 0 ? c->params_text : STR("");
	struct str code = c->code.n > 0 ? c->code : STR("");
	struct entry *e = mem_alloc(sizeof(*e) + account.n + params.n + code.n + 3);
	size_t at = 0;

	e->counter = (uint16_t)counter;
	e->status = (uint16_t)c->status;
	e->ok = ok;
	e->account_at = put_text(e->text, &at, account);
	e->params_at = put_text(e->text, &at, params);
	e->code_at = put_text(e->text, &at, code);
	return e;
}

void sim_log_add(struct sim_log *l, const struct sim_call *c, bool intact)
{
	bool ok = c->status == 200 && intact;

	LOCK_SCOPE(&l->lock);
	size_t i = counter_of(l, c);
	struct counter *k = &l->counters[i];
	k->calls++;
	k->ok += ok;
	k->throttled += str_eq_c(c->code, "Throttling");
	k->errors += !ok && !str_eq_c(c->code, "Throttling");
	uint64_t n = l->total++;
	if (l->limit == 0)
		return;
	if (n == l->size && l->size < l->limit) {
		l->size = l->size == 0 ? 1024 : l->size * 2;
		if (l->size > l->limit)
			l->size = l->limit;
		l->ring = mem_realloc(l->ring, l->size * sizeof(l->ring[0]));
	}
	if (n >= l->size)
		mem_free(l->ring[n % l->size]);
	struct entry *e = entry_new(c, i, ok);
	e->n = n + 1;
	l->ring[n % l->size] = e;
}

/* --- reading back --- */
static size_t kept(const struct sim_log *l)
{
	return l->total < l->size ? (size_t)l->total : l->size;
}

static const struct entry *nth_kept(const struct sim_log *l, size_t i)
{
	return l->ring[(l->total - kept(l) + i) % l->size];
}

static void write_field(struct buf *out, const char *key, const char *value)
{
	buf_fmt(out, "\"%s\":", key);
	json_write_str(out, str_c(value));
}

static void write_op(struct buf *out, const struct counter *k)
{
	buf_fmt(out, "\"%s:%s\"", k->service, k->op);
}

void sim_log_write_counters(struct sim_log *l, struct buf *out)
{
	LOCK_SCOPE(&l->lock);
	buf_char(out, '{');
	for (size_t i = 0; i < l->n_counters; i++) {
		const struct counter *k = &l->counters[i];
		write_op(out, k);
		buf_fmt(out,
			":{\"calls\":%" PRIu64 ",\"ok\":%" PRIu64 ",\"throttled\":%" PRIu64
			",\"errors\":%" PRIu64 "},",
			k->calls, k->ok, k->throttled, k->errors);
	}
	buf_fmt(out, "\"total\":%" PRIu64 "}\n", l->total);
}

void sim_log_write_lines(struct sim_log *l, struct buf *out)
{
	LOCK_SCOPE(&l->lock);
	for (size_t i = 0; i < kept(l); i++) {
		const struct entry *e = nth_kept(l, i);
		const struct counter *k = &l->counters[e->counter];
		buf_fmt(out, "{\"n\":%" PRIu64 ",\"service\":\"%s\",\"op\":\"%s\",", e->n, k->service, k->op);
		write_field(out, "account", e->text + e->account_at);
		buf_char(out, ',');
		write_field(out, "params", e->text + e->params_at);
		buf_fmt(out, ",\"status\":%u,", (unsigned)e->status);
		write_field(out, "code", e->text + e->code_at);
		buf_c(out, "}\n");
	}
}

static int read_cmp(const void *a, const void *b)
{
	const struct entry *x = *(const struct entry *const *)a, *y = *(const struct entry *const *)b;

	if (x->counter != y->counter)
		return x->counter < y->counter ? -1 : 1;
	int by_account = strcmp(x->text + x->account_at, y->text + y->account_at);
	return by_account != 0 ? by_account : strcmp(x->text + x->params_at, y->text + y->params_at);
}

void sim_log_write_repeats(struct sim_log *l, struct buf *out)
{
	LOCK_SCOPE(&l->lock);
	CLEANUP(mem_freep) const struct entry **reads = mem_array(kept(l) + 1, sizeof(reads[0]));
	size_t n = 0;
	const char *comma = "";

	for (size_t i = 0; i < kept(l); i++) {
		const struct entry *e = nth_kept(l, i);
		if (e->ok && l->counters[e->counter].count_repeats)
			reads[n++] = e;
	}
	qsort(reads, n, sizeof(reads[0]), read_cmp);
	buf_fmt(out, "{\"lost\":%" PRIu64 ",\"repeats\":[", l->total - kept(l));
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && read_cmp(&reads[i], &reads[end]) == 0;)
			end++;
		if (end - i == 1)
			continue;
		buf_fmt(out, "%s{\"op\":", comma);
		write_op(out, &l->counters[reads[i]->counter]);
		buf_char(out, ',');
		write_field(out, "account", reads[i]->text + reads[i]->account_at);
		buf_char(out, ',');
		write_field(out, "params", reads[i]->text + reads[i]->params_at);
		buf_fmt(out, ",\"count\":%zu}", end - i);
		comma = ",";
	}
	buf_c(out, "]}\n");
}
