#include "sim/sim_call.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/encode.h"
#include "base/xml.h"

/* Parameters that never enter a log. */
static const char *const secret_params[] = {"WebIdentityToken", "SAMLAssertion", "TokenCode", "Password"};

const struct sim_op *sim_op_find(const struct sim_service *service, struct str name)
{
	for (size_t i = 0; i < service->n_ops; i++) {
		if (str_eq_c(name, service->ops[i].name))
			return &service->ops[i];
	}
	return NULL;
}

bool sim_is_administrator(const struct sim_call *c)
{
	bool delegated = c->sim->opts->delegated_administrator && c->caller.account->number == 1;

	return delegated || sim_is_management(c->caller.account);
}

bool sim_is_sso_region(const struct sim_call *c)
{
	return str_eq(c->region, c->sim->opts->sso_region);
}

/* --- parameters --- */
static int param_cmp(const void *a, const void *b)
{
	const struct sim_param *x = a, *y = b;
	int by_name = str_cmp(x->name, y->name);

	return by_name != 0 ? by_name : str_cmp(x->value, y->value);
}

static bool is_secret(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(secret_params); i++) {
		if (str_eq_c(name, secret_params[i]))
			return true;
	}
	return false;
}

static void add_escaped(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '&' || s.p[i] == '=' || s.p[i] == '%')
			buf_fmt(b, "%%%02X", (unsigned)s.p[i]);
		else
			buf_char(b, s.p[i]);
	}
}

/* "MaxItems=1000&UserName=ana@example.com": readable, and different for different parameters. */
void sim_params_ready(struct sim_call *c)
{
	struct buf b;

	if (c->n_params > 0)
		qsort(c->params, c->n_params, sizeof(c->params[0]), param_cmp);
	buf_init(&b, SIZE_MAX / 2);
	for (size_t i = 0; i < c->n_params; i++) {
		const struct sim_param *p = &c->params[i];
		if (str_eq_c(p->name, "Action") || str_eq_c(p->name, "Version"))
			continue;
		if (b.n > 0)
			buf_char(&b, '&');
		add_escaped(&b, p->name);
		buf_char(&b, '=');
		if (is_secret(p->name))
			buf_c(&b, "***");
		else
			add_escaped(&b, p->value);
	}
	c->params_text = buf_dup(&b, c->arena);
	buf_deinit(&b);
}

struct str sim_param(const struct sim_call *c, const char *name)
{
	for (size_t i = 0; i < c->n_params; i++) {
		if (str_eq_c(c->params[i].name, name))
			return c->params[i].value;
	}
	return STR_EMPTY;
}

struct str sim_param_member(const struct sim_call *c, const char *name, unsigned n)
{
	char member[64];

	snprintf(member, sizeof(member), "%s.member.%u", name, n);
	return sim_param(c, member);
}

void sim_fail(struct sim_call *c, unsigned status, const char *code, const char *fmt, ...)
{
	va_list ap;

	if (sim_failed(c))
		return;
	c->status = status;
	c->code = str_c(code);
	va_start(ap, fmt);
	c->message = str_vfmt(c->arena, fmt, ap);
	va_end(ap);
}

bool sim_failed(const struct sim_call *c)
{
	return c->status != 200;
}

static void fail_constraint(
	struct sim_call *c, const char *name, struct str value, const char *bound, int64_t limit)
{
	sim_fail(c, 400, c->service->codes->invalid,
		"1 validation error detected: Value '" STR_FMT "' at '%c%s' failed to satisfy constraint: "
		"Member must have value %s than or equal to %" PRId64,
		STR_ARG(value), name[0] | 0x20, name + 1, bound, limit);
}

bool sim_param_int(
	struct sim_call *c, const char *name, int64_t min, int64_t max, int64_t fallback, int64_t *ret)
{
	struct str text = sim_param(c, name);
	int64_t value = fallback;

	if (text.n > 0 && !str_to_i64(text, &value)) {
		sim_fail(c, 400, c->service->codes->unreadable, "Invalid Argument");
		return false;
	}
	if (text.n > 0 && value < min)
		fail_constraint(c, name, text, "greater", min);
	else if (text.n > 0 && value > max)
		fail_constraint(c, name, text, "less", max);
	*ret = value;
	return !sim_failed(c);
}

/* --- pages --- */
/* A name for the list that is paged: operation, account, and every parameter but the page's own. */
static uint64_t list_identity(const struct sim_call *c)
{
	const struct sim_paging *paging = c->service->paging;
	uint64_t h = sim_hash(c->sim->opts->seed, str_hash(c->op_name), str_hash(c->caller.account->id), 0);

	for (size_t i = 0; i < c->n_params; i++) {
		const struct sim_param *p = &c->params[i];
		if (!str_eq_c(p->name, paging->token) && !str_eq_c(p->name, paging->size))
			h = sim_hash(h, str_hash(p->name), str_hash(p->value), 0);
	}
	return h;
}

static struct str marker_make(struct sim_call *c, size_t next)
{
	return b64_encode(c->arena, str_fmt(c->arena, "marker %016" PRIx64 " %zu", list_identity(c), next));
}

static bool marker_read(struct sim_call *c, struct str marker, size_t *ret_next)
{
	struct str text, prefix = str_fmt(c->arena, "marker %016" PRIx64 " ", list_identity(c));
	uint64_t next;

	if (!b64_decode(c->arena, marker, &text) || !str_starts(text, prefix) ||
		!str_to_u64(str_from(text, prefix.n), &next)) {
		sim_fail(c, 400, c->service->paging->bad_token_code, "%s", c->service->paging->bad_token);
		return false;
	}
	*ret_next = next;
	return true;
}

bool sim_has_all(struct sim_call *c, const void *of, size_t i)
{
	(void)c, (void)of, (void)i;
	return true;
}

bool sim_page_start(struct sim_call *c, size_t *ret_max, size_t *ret_from)
{
	const struct sim_paging *paging = c->service->paging;
	struct str marker = sim_param(c, paging->token);
	int64_t max_items;

	*ret_from = 0;
	if (!sim_param_int(c, paging->size, 1, paging->size_max, paging->size_default, &max_items))
		return false;
	if (marker.n > 0 && !marker_read(c, marker, ret_from))
		return false;
	*ret_max = (size_t)max_items < c->page_limit ? (size_t)max_items : c->page_limit;
	return true;
}

bool sim_select(struct sim_call *c, size_t n, sim_has_fn *has, const void *of, struct sim_page *ret_page)
{
	struct sim_page page = {0};
	size_t max, i;

	if (!sim_page_start(c, &max, &i))
		return false;
	page.items = arena_array_of(c->arena, max + 1, size_t);
	for (; i < n; i++) {
		if (!has(c, of, i))
			continue;
		if (page.n == max) {
			page.truncated = true;
			break;
		}
		page.items[page.n++] = i;
	}
	page.next = i;
	*ret_page = page;
	return true;
}

void sim_page_end(struct sim_call *c, const struct sim_page *page)
{
	bool marked = page->truncated && !c->drop_marker;

	c->protocol->page_end(c, page->truncated, marked ? marker_make(c, page->next) : STR_EMPTY);
}

/* --- XML --- */
void el_open(struct sim_call *c, const char *name)
{
	buf_fmt(&c->out, "<%s>", name);
}

void el_close(struct sim_call *c, const char *name)
{
	buf_fmt(&c->out, "</%s>", name);
}

void el_str(struct sim_call *c, const char *name, struct str value)
{
	el_open(c, name);
	xml_write_text(&c->out, value);
	el_close(c, name);
}

void el_document(struct sim_call *c, const char *name, struct str json)
{
	el_open(c, name);
	percent_encode(&c->out, json, /* keep_slash= */ false);
	el_close(c, name);
}

void el_int(struct sim_call *c, const char *name, int64_t value)
{
	buf_fmt(&c->out, "<%s>%" PRId64 "</%s>", name, value, name);
}

void el_bool(struct sim_call *c, const char *name, bool value)
{
	buf_fmt(&c->out, "<%s>%s</%s>", name, value ? "true" : "false", name);
}

void el_time(struct sim_call *c, const char *name, int64_t unix_s)
{
	char text[21];

	if (unix_s == SIM_NEVER)
		return;
	time_format_rfc3339(unix_s, text);
	el_str(c, name, str_c(text));
}
