#include "sim/sim_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/thread.h"
#include "sim/sim_json_writer.h"

#define COUNTERS_MAX 512 /* operations of all services; names come from our tables, so they are few */

struct tally {
	uint64_t calls, ok, throttled, errors;
};

struct counter {
	const char *service, *op; /* op "?": no operation of ours */
	bool count_repeats;
	struct tally all;
	struct tally *by_account; /* n_accounts */
};

/* Codes that ask to slow down. */
static const char *const throttle_codes[] = {
	"Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"};

struct entry {
	uint64_t n;       /* 1 for the first call */
	uint32_t account; /* its number */
	uint16_t counter;
	uint16_t status;
	bool ok;
	bool same_everywhere;
	size_t params_at, code_at; /* into text, NUL-terminated each */
	char text[];
};

struct sim_log {
	const struct sim_org *org; /* ids and number of its accounts */
	struct mutex lock;         /* guards the rest */
	struct counter counters[COUNTERS_MAX];
	size_t n_counters;
	struct entry **ring; /* grows up to limit, then wraps */
	size_t size, limit;
	uint64_t total;
};

struct sim_log *sim_log_new(const struct sim_org *org, uint64_t limit)
{
	struct sim_log *l = mem_zalloc(sizeof(*l));

	l->org = org;
	mutex_init(&l->lock);
	l->limit = limit;
	return l;
}

static void forget(struct sim_log *l)
{
	for (size_t i = 0; i < l->size && i < l->total; i++)
		mem_free(l->ring[i]);
	for (size_t i = 0; i < l->n_counters; i++)
		mem_free(l->counters[i].by_account);
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
	l->counters[i].by_account = mem_array(l->org->n_accounts, sizeof(struct tally));
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
	struct str params = c->params_text.n > 0 ? c->params_text : STR("");
	struct str code = c->code.n > 0 ? c->code : STR("");
	struct entry *e = mem_alloc(sizeof(*e) + params.n + code.n + 2);
	size_t at = 0;

	e->account = c->account->number;
	e->same_everywhere = c->same_everywhere;
	e->counter = (uint16_t)counter;
	e->status = (uint16_t)c->status;
	e->ok = ok;
	e->params_at = put_text(e->text, &at, params);
	e->code_at = put_text(e->text, &at, code);
	return e;
}

static bool is_throttled(const struct sim_call *c)
{
	for (size_t i = 0; i < ARRAY_LEN(throttle_codes); i++) {
		if (str_eq_c(c->code, throttle_codes[i]))
			return true;
	}
	return false;
}

static void count(struct tally *t, bool ok, bool throttled)
{
	t->calls++;
	t->ok += ok;
	t->throttled += throttled;
	t->errors += !ok && !throttled;
}

void sim_log_add(struct sim_log *l, const struct sim_call *c, bool intact)
{
	bool ok = c->status == 200 && intact;

	LOCK_SCOPE(&l->lock);
	size_t i = counter_of(l, c);
	count(&l->counters[i].all, ok, is_throttled(c));
	count(&l->counters[i].by_account[c->account->number], ok, is_throttled(c));
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

static struct str account_id(const struct sim_log *l, const struct entry *e)
{
	return l->org->accounts[e->account].id;
}

static void put_op(struct json_writer *w, const struct counter *k)
{
	jw_key(w, "op");
	buf_fmt(w->out, "\"%s:%s\"", k->service, k->op);
}

static void put_tally(struct json_writer *w, const struct counter *k, const struct tally *t)
{
	char name[128];

	snprintf(name, sizeof(name), "%s:%s", k->service, k->op);
	jw_open(w, name, '{');
	jw_int(w, "calls", (int64_t)t->calls);
	jw_int(w, "ok", (int64_t)t->ok);
	jw_int(w, "throttled", (int64_t)t->throttled);
	jw_int(w, "errors", (int64_t)t->errors);
	jw_close(w, '}');
}

void sim_log_write_counters(struct sim_log *l, struct buf *out)
{
	struct json_writer w = {.out = out};

	LOCK_SCOPE(&l->lock);
	jw_open(&w, NULL, '{');
	for (size_t i = 0; i < l->n_counters; i++)
		put_tally(&w, &l->counters[i], &l->counters[i].all);
	jw_int(&w, "total", (int64_t)l->total);
	jw_close(&w, '}');
	buf_char(out, '\n');
}

static void put_account(struct json_writer *w, const struct sim_log *l, size_t number)
{
	uint64_t total = 0;

	for (size_t i = 0; i < l->n_counters; i++)
		total += l->counters[i].by_account[number].calls;
	if (total == 0)
		return;
	jw_open(w, l->org->accounts[number].id.p, '{');
	for (size_t i = 0; i < l->n_counters; i++) {
		const struct tally *t = &l->counters[i].by_account[number];
		if (t->calls > 0)
			put_tally(w, &l->counters[i], t);
	}
	jw_int(w, "total", (int64_t)total);
	jw_close(w, '}');
}

void sim_log_write_counters_by_account(struct sim_log *l, struct buf *out)
{
	struct json_writer w = {.out = out};

	LOCK_SCOPE(&l->lock);
	jw_open(&w, NULL, '{');
	for (size_t i = 0; i < l->org->n_accounts; i++)
		put_account(&w, l, i);
	jw_close(&w, '}');
	buf_char(out, '\n');
}

static void put_line(struct buf *out, const struct sim_log *l, const struct entry *e)
{
	const struct counter *k = &l->counters[e->counter];
	struct json_writer w = {.out = out};

	jw_open(&w, NULL, '{');
	jw_int(&w, "n", (int64_t)e->n);
	jw_str(&w, "service", str_c(k->service));
	jw_str(&w, "op", str_c(k->op));
	jw_str(&w, "account", account_id(l, e));
	jw_str(&w, "params", str_c(e->text + e->params_at));
	jw_int(&w, "status", e->status);
	jw_str(&w, "code", str_c(e->text + e->code_at));
	jw_close(&w, '}');
	buf_char(out, '\n');
}

void sim_log_write_lines(struct sim_log *l, struct str account, struct buf *out)
{
	LOCK_SCOPE(&l->lock);
	for (size_t i = 0; i < kept(l); i++) {
		const struct entry *e = nth_kept(l, i);
		if (account.n == 0 || str_eq(account, account_id(l, e)))
			put_line(out, l, e);
	}
}

/* A read, and the account within which it must not be repeated. */
struct read {
	uint32_t account; /* ACROSS: anywhere */
	const struct entry *e;
};
#define ACROSS UINT32_MAX

static int read_cmp(const void *a, const void *b)
{
	const struct read *x = a, *y = b;

	if (x->e->counter != y->e->counter)
		return x->e->counter < y->e->counter ? -1 : 1;
	if (x->account != y->account)
		return x->account < y->account ? -1 : 1;
	return strcmp(x->e->text + x->e->params_at, y->e->text + y->e->params_at);
}

static void put_repeat(struct json_writer *w, const struct sim_log *l, const struct read *r, size_t n)
{
	jw_open(w, NULL, '{');
	put_op(w, &l->counters[r->e->counter]);
	jw_str(w, "account", r->account == ACROSS ? STR("*") : account_id(l, r->e));
	jw_str(w, "params", str_c(r->e->text + r->e->params_at));
	jw_int(w, "count", (int64_t)n);
	jw_close(w, '}');
}

void sim_log_write_repeats(struct sim_log *l, bool across, struct buf *out)
{
	struct json_writer w = {.out = out};
	size_t n = 0;

	LOCK_SCOPE(&l->lock);
	CLEANUP(mem_freep) struct read *reads = mem_array(kept(l) + 1, sizeof(reads[0]));
	for (size_t i = 0; i < kept(l); i++) {
		const struct entry *e = nth_kept(l, i);
		if (e->ok && l->counters[e->counter].count_repeats)
			reads[n++] = (struct read){across && e->same_everywhere ? ACROSS : e->account, e};
	}
	qsort(reads, n, sizeof(reads[0]), read_cmp);
	jw_open(&w, NULL, '{');
	jw_int(&w, "lost", (int64_t)(l->total - kept(l)));
	jw_open(&w, "repeats", '[');
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && read_cmp(&reads[i], &reads[end]) == 0;)
			end++;
		if (end - i > 1)
			put_repeat(&w, l, &reads[i], end - i);
	}
	jw_close(&w, ']');
	jw_close(&w, '}');
	buf_char(out, '\n');
}
