#include "sim/sim_faults.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/thread.h"

#define RULES_MAX_BYTES ((size_t)1 << 20)

struct rule {
	struct str op;      /* "iam:ListUsers", "iam:*" or "*" */
	struct str account; /* whose call it is; empty: any */
	struct str match;   /* part of the parameters; empty: any */
	const struct json
		*nth; /* which of the calls that match, from 1; NULL: no such condition, as the next ones */
	uint64_t every, after, percent;
	bool has_percent;
	uint64_t seen;
	struct sim_fault fault;
};

struct sim_faults {
	struct mutex lock;   /* guards the rest */
	struct arena *arena; /* of the rules; NULL: none */
	struct rule *rules;
	size_t n;
};

static const struct {
	const char *name;
	enum sim_action action;
} actions[] = {
	{"error", SIM_ACT_ERROR},
	{"truncate", SIM_ACT_TRUNCATE},
	{"cut", SIM_ACT_CUT},
	{"malformed", SIM_ACT_MALFORMED},
	{"empty", SIM_ACT_EMPTY},
	{"oversize", SIM_ACT_OVERSIZE},
	{"close", SIM_ACT_CLOSE},
	{"hang", SIM_ACT_HANG},
	{"delay", SIM_ACT_DELAY},
	{"page", SIM_ACT_PAGE},
	{"no-marker", SIM_ACT_NO_MARKER},
};

struct sim_faults *sim_faults_new(void)
{
	struct sim_faults *f = mem_zalloc(sizeof(*f));

	mutex_init(&f->lock);
	return f;
}

void sim_faults_free(struct sim_faults *f)
{
	if (f == NULL)
		return;
	arena_free(f->arena);
	mutex_deinit(&f->lock);
	mem_free(f);
}

void sim_faults_clear(struct sim_faults *f)
{
	LOCK_SCOPE(&f->lock);
	arena_free(f->arena);
	f->arena = NULL;
	f->rules = NULL;
	f->n = 0;
}

/* --- reading rules --- */
static const char *const known_members[] = {"op", "account", "match", "nth", "every", "after", "percent",
	"action", "status", "code", "message", "reason", "bytes", "ms", "items"};

static enum err_code check_members(const struct json *j, struct err *reterr)
{
	for (size_t i = 0; i < j->n; i++) {
		size_t k = 0;
		while (k < ARRAY_LEN(known_members) && !str_eq_c(j->keys[i], known_members[k]))
			k++;
		if (k == ARRAY_LEN(known_members))
			return err_set(
				reterr, ERR_INVALID, "unknown member '" STR_FMT "'", STR_ARG(j->keys[i]));
	}
	return ERR_OK;
}

static enum err_code read_number(
	const struct json *j, struct str key, uint64_t fallback, uint64_t *ret, struct err *reterr)
{
	const struct json *v = json_get(j, key);

	if (v != NULL && (!v->is_int || v->integer < 0))
		return err_set(
			reterr, ERR_INVALID, "'" STR_FMT "' is not a number of at least 0", STR_ARG(key));
	*ret = v != NULL ? (uint64_t)v->integer : fallback;
	return ERR_OK;
}

static enum err_code read_nth(const struct json *j, struct rule *r, struct err *reterr)
{
	r->nth = json_get(j, STR("nth"));
	if (r->nth == NULL)
		return ERR_OK;
	bool good = r->nth->kind == JSON_ARRAY;
	for (size_t i = 0; good && i < r->nth->n; i++)
		good = r->nth->items[i].is_int && r->nth->items[i].integer > 0;
	return good ? ERR_OK : err_set(reterr, ERR_INVALID, "'nth' is not an array of numbers from 1");
}

static enum err_code read_action(const struct json *j, struct rule *r, struct err *reterr)
{
	struct str name = json_str(json_get(j, STR("action")));

	for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
		if (str_eq_c(name, actions[i].name))
			r->fault.action = actions[i].action;
	}
	if (r->fault.action == SIM_ACT_NONE)
		return err_set(reterr, ERR_INVALID, "unknown action '" STR_FMT "'", STR_ARG(name));
	return ERR_OK;
}

static struct str str_or(const struct json *j, struct str key, struct str fallback)
{
	struct str s = json_str(json_get(j, key));

	return s.n > 0 ? s : fallback;
}

static enum err_code read_rule(const struct json *j, struct rule *r, struct err *reterr)
{
	enum err_code code;
	uint64_t status;
	const struct {
		struct str key;
		uint64_t fallback, *to;
	} numbers[] = {
		{STR("every"), 0, &r->every},
		{STR("after"), 0, &r->after},
		{STR("percent"), 0, &r->percent},
		{STR("status"), 500, &status},
		{STR("bytes"), 0, &r->fault.bytes},
		{STR("ms"), 0, &r->fault.ms},
		{STR("items"), 0, &r->fault.items},
	};

	if (j->kind != JSON_OBJECT)
		return err_set(reterr, ERR_INVALID, "not an object");
	if ((code = check_members(j, reterr)) != ERR_OK || (code = read_nth(j, r, reterr)) != ERR_OK ||
		(code = read_action(j, r, reterr)) != ERR_OK)
		return code;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		code = read_number(j, numbers[i].key, numbers[i].fallback, numbers[i].to, reterr);
		if (code != ERR_OK)
			return code;
	}
	if (status < 300 || status > 599)
		return err_set(reterr, ERR_INVALID, "'status' is not in 300..599");
	r->fault.status = (unsigned)status;
	r->has_percent = json_get(j, STR("percent")) != NULL;
	r->op = str_or(j, STR("op"), STR("*"));
	r->account = json_str(json_get(j, STR("account")));
	r->match = json_str(json_get(j, STR("match")));
	r->fault.code = str_or(j, STR("code"), STR("ServiceFailure"));
	r->fault.reason = json_str(json_get(j, STR("reason")));
	r->fault.message = str_or(j, STR("message"), STR("This fault was asked for."));
	return ERR_OK;
}

static enum err_code read_rules(
	struct arena *arena, struct str text, struct rule **ret_rules, size_t *ret_n, struct err *reterr)
{
	const struct json *j;
	enum err_code code = json_parse(arena, text, RULES_MAX_BYTES, &j, reterr);

	if (code != ERR_OK)
		return code;
	if (j->kind != JSON_ARRAY)
		return err_set(reterr, ERR_INVALID, "the rules are not an array");
	struct rule *rules = arena_array_of(arena, j->n + 1, struct rule);
	for (size_t i = 0; i < j->n; i++) {
		code = read_rule(&j->items[i], &rules[i], reterr);
		if (code != ERR_OK)
			return err_prefix(reterr, "rule %zu", i + 1);
	}
	*ret_rules = rules;
	*ret_n = j->n;
	return ERR_OK;
}

enum err_code sim_faults_set(struct sim_faults *f, struct str text, struct err *reterr)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct rule *rules = NULL;
	size_t n = 0;

	/* What json_parse keeps may point into the text, which is the request's. */
	enum err_code code = read_rules(arena, str_dup(arena, text), &rules, &n, reterr);
	if (code != ERR_OK)
		return code;
	sim_faults_clear(f);
	LOCK_SCOPE(&f->lock);
	arena_free(f->arena);
	f->arena = TAKE(arena);
	f->rules = rules;
	f->n = n;
	return ERR_OK;
}

/* --- applying them --- */
static bool is_meant(const struct rule *r, const struct sim_call *c)
{
	struct str name = r->op;

	if (r->account.n > 0 && !str_eq(r->account, c->account->id))
		return false;
	if (!str_contains(c->params_text, r->match))
		return false;
	if (str_eq_c(name, "*"))
		return true;
	return str_eq_c(str_cut(&name, ':'), c->service->name) &&
	       (str_eq_c(name, "*") || str_eq(name, c->op_name));
}

static unsigned dice(const struct sim_call *c, uint64_t ordinal, uint64_t what)
{
	return (unsigned)(sim_hash(c->sim->opts->seed, ordinal, what, 99) % 100);
}

static bool is_turn(const struct rule *r, const struct sim_call *c, uint64_t ordinal)
{
	if (r->seen <= r->after)
		return false;
	if (r->every > 0 && r->seen % r->every != 0)
		return false;
	if (r->has_percent && dice(c, ordinal, 3) >= r->percent)
		return false;
	if (r->nth == NULL)
		return true;
	for (size_t i = 0; i < r->nth->n; i++) {
		if ((uint64_t)r->nth->items[i].integer == r->seen)
			return true;
	}
	return false;
}

static struct sim_fault by_chance(const struct sim_call *c, uint64_t ordinal)
{
	const struct sim_codes *codes = c->service->codes;

	if (dice(c, ordinal, 1) < c->sim->opts->throttle_percent)
		return (struct sim_fault){.action = SIM_ACT_ERROR,
			.status = 400,
			.code = str_c(codes->throttled),
			.message = STR("Rate exceeded")};
	if (dice(c, ordinal, 2) < c->sim->opts->error_percent)
		return (struct sim_fault){.action = SIM_ACT_ERROR,
			.status = 500,
			.code = str_c(codes->failed),
			.message = STR("We encountered an internal error. Please try again.")};
	return (struct sim_fault){0};
}

struct sim_fault sim_faults_next(struct sim_call *c, uint64_t ordinal)
{
	struct sim_faults *f = c->sim->faults;

	LOCK_SCOPE(&f->lock);
	for (size_t i = 0; i < f->n; i++) {
		struct rule *r = &f->rules[i];
		if (!is_meant(r, c))
			continue;
		r->seen++;
		if (!is_turn(r, c, ordinal))
			continue;
		struct sim_fault fault = r->fault;
		fault.code = str_dup(c->arena, fault.code);
		fault.message = str_dup(c->arena, fault.message);
		fault.reason = str_dup(c->arena, fault.reason);
		return fault;
	}
	return by_chance(c, ordinal);
}
