/* The paths below /sim/: what tests ask and tell the simulator. Not AWS, not counted, never delayed, no
 * credentials. */
#include "sim/sim_request.h"

#include "base/json.h"
#include "sim/sim_faults.h"
#include "sim/sim_log.h"
#include "sim/sim_report.h"
#include "sim/sim_truth.h"

#define MUTATE_MAX_BYTES 65536

typedef void(control_fn)(
	struct sim *s, const struct sim_request *req, struct arena *arena, struct sim_answer *ret);

static void bad_request(struct sim_answer *ret, const char *what)
{
	ret->status = 400;
	buf_c(&ret->body, "{\"error\":");
	json_write_str(&ret->body, str_c(what));
	buf_c(&ret->body, "}\n");
}

static void done(struct sim_answer *ret)
{
	buf_c(&ret->body, "{\"done\":true}\n");
}

/* The value of a query parameter, empty when it is absent. */
static struct str query(const struct sim_request *req, const char *name)
{
	for (size_t i = 0; i < req->n_query; i++) {
		if (str_eq_c(req->query[i].name, name))
			return req->query[i].value;
	}
	return STR_EMPTY;
}

static void get_counters(
	struct sim *s, const struct sim_request *req, struct arena *arena, struct sim_answer *ret)
{
	struct str by = query(req, "by");

	(void)arena;
	if (by.n == 0)
		sim_log_write_counters(s->log, &ret->body);
	else if (str_eq_c(by, "account"))
		sim_log_write_counters_by_account(s->log, &ret->body);
	else
		bad_request(ret, "by: only 'account'");
}

static void get_log(struct sim *s, const struct sim_request *req, struct arena *arena, struct sim_answer *ret)
{
	(void)arena;
	ret->content_type = "application/x-ndjson";
	sim_log_write_lines(s->log, query(req, "account"), &ret->body);
}

static void get_repeats(
	struct sim *s, const struct sim_request *req, struct arena *arena, struct sim_answer *ret)
{
	struct str global = query(req, "global");

	(void)arena;
	if (global.n == 0 || str_eq_c(global, "aws-policies"))
		sim_log_write_repeats(s->log, /* across= */ global.n > 0, &ret->body);
	else
		bad_request(ret, "global: only 'aws-policies'");
}

static void get_truth(
	struct sim *s, const struct sim_request *req, struct arena *arena, struct sim_answer *ret)
{
	struct str id = query(req, "account");
	struct sim_account *only = sim_org_account(s->org, id);

	(void)arena;
	if (id.n > 0 && only == NULL) {
		bad_request(ret, "account: there is none of that id");
		return;
	}
	pthread_rwlock_rdlock(&s->org_lock);
	sim_truth_write(s->org, only, &ret->body);
	pthread_rwlock_unlock(&s->org_lock);
}

/* All as after a start, but what was mutated and the sessions stay. */
static void post_reset(
	struct sim *s, const struct sim_request *req, struct arena *arena, struct sim_answer *ret)
{
	(void)req, (void)arena;
	sim_log_reset(s->log);
	sim_faults_clear(s->faults);
	sim_reports_reset(s->reports);
	s->ordinal = 0; /* so that the dice fall as after a start */
	done(ret);
}

static void post_faults(
	struct sim *s, const struct sim_request *req, struct arena *arena, struct sim_answer *ret)
{
	struct err err;

	(void)arena;
	if (sim_faults_set(s->faults, req->body, &err) != ERR_OK)
		bad_request(ret, err.msg);
	else
		done(ret);
}

static void delete_faults(
	struct sim *s, const struct sim_request *req, struct arena *arena, struct sim_answer *ret)
{
	(void)req, (void)arena;
	sim_faults_clear(s->faults);
	done(ret);
}

/* --- mutations --- */
/* The index of value among names; n: it is none of them. */
static size_t index_of(struct str value, const char *const *names, size_t n)
{
	size_t i = 0;

	while (i < n && !str_eq_c(value, names[i]))
		i++;
	return i;
}

static const char *remove_named(struct sim_account *a, enum sim_kind kind, struct str name)
{
	sim_account_ready(a);
	return sim_org_remove(a, kind, name) ? NULL : "there is none of that name";
}

/* {"delete":"user","name":"ana.silva"}: user, group or role */
static const char *mutate_delete(struct sim *s, struct sim_account *a, const struct json *j, struct str value)
{
	static const char *const kinds[SIM_KIND_COUNT] = {"user", "group", "role"};
	size_t kind = index_of(value, kinds, SIM_KIND_COUNT);

	(void)s;
	if (kind == SIM_KIND_COUNT)
		return "delete: 'user', 'group' or 'role'";
	return remove_named(a, (enum sim_kind)kind, json_str(json_get(j, STR("name"))));
}

static const char *mutate_delete_role(
	struct sim *s, struct sim_account *a, const struct json *j, struct str value)
{
	(void)s, (void)j;
	return remove_named(a, SIM_ROLE, value);
}

static const char *mutate_state(struct sim *s, struct sim_account *a, const struct json *j, struct str value)
{
	size_t state = index_of(value, sim_account_state_names, SIM_ACCOUNT_STATE_COUNT);

	(void)s, (void)j;
	if (state == SIM_ACCOUNT_STATE_COUNT)
		return "state: 'ACTIVE', 'SUSPENDED' or 'PENDING_CLOSURE'";
	a->state = (enum sim_account_state)state;
	return NULL;
}

static const char *mutate_assume(struct sim *s, struct sim_account *a, const struct json *j, struct str value)
{
	size_t assume = index_of(value, sim_assume_names, SIM_ASSUME_COUNT);

	(void)s, (void)j;
	if (assume == SIM_ASSUME_COUNT)
		return "assume: 'allowed', 'denied' or 'throttled'";
	a->assume = (enum sim_assume)assume;
	return NULL;
}

static const char *mutate_report(struct sim *s, struct sim_account *a, const struct json *j, struct str value)
{
	(void)a, (void)j;
	if (!str_eq_c(value, "expire"))
		return "report: only 'expire'";
	sim_reports_expire(s->reports);
	return NULL;
}

/* A mutation is told by its member. fn gives NULL when it is done, else what is wrong. */
static const struct {
	const char *member;
	const char *(*fn)(struct sim *s, struct sim_account *a, const struct json *j, struct str value);
} mutations[] = {
	{"delete", mutate_delete},
	{"delete_role", mutate_delete_role},
	{"state", mutate_state},
	{"assume", mutate_assume},
	{"report", mutate_report},
};

static const char *mutate(struct sim *s, const struct json *j)
{
	const struct json *id = json_get(j, STR("account"));
	struct sim_account *a = id != NULL ? sim_org_account(s->org, json_str(id)) : &s->org->accounts[0];

	if (a == NULL)
		return "account: there is none of that id";
	for (size_t i = 0; i < ARRAY_LEN(mutations); i++) {
		const struct json *v = json_get(j, str_c(mutations[i].member));
		if (v != NULL)
			return mutations[i].fn(s, a, j, json_str(v));
	}
	return "none of 'delete', 'delete_role', 'state', 'assume', 'report'";
}

/* One mutation, or an array of them, done in order up to the first that is wrong. */
static void post_mutate(
	struct sim *s, const struct sim_request *req, struct arena *arena, struct sim_answer *ret)
{
	const char *problem = NULL;
	const struct json *j;
	struct err err;

	if (json_parse(arena, req->body, MUTATE_MAX_BYTES, &j, &err) != ERR_OK) {
		bad_request(ret, err.msg);
		return;
	}
	pthread_rwlock_wrlock(&s->org_lock);
	if (j->kind != JSON_ARRAY)
		problem = mutate(s, j);
	for (size_t i = 0; j->kind == JSON_ARRAY && i < j->n && problem == NULL; i++)
		problem = mutate(s, &j->items[i]);
	pthread_rwlock_unlock(&s->org_lock);
	if (problem != NULL)
		bad_request(ret, problem);
	else
		done(ret);
}

static const struct {
	const char *method, *path;
	control_fn *fn;
} controls[] = {
	{"GET", "/sim/counters", get_counters},
	{"GET", "/sim/log", get_log},
	{"GET", "/sim/repeats", get_repeats},
	{"GET", "/sim/truth", get_truth},
	{"POST", "/sim/reset", post_reset},
	{"POST", "/sim/faults", post_faults},
	{"DELETE", "/sim/faults", delete_faults},
	{"POST", "/sim/mutate", post_mutate},
};

void sim_control(struct sim *s, const struct sim_request *req, struct arena *arena, struct sim_answer *ret)
{
	*ret = (struct sim_answer){.status = 200, .content_type = "application/json"};
	buf_init(&ret->body, SIZE_MAX / 2);
	for (size_t i = 0; i < ARRAY_LEN(controls); i++) {
		if (str_eq_c(req->method, controls[i].method) && str_eq_c(req->path, controls[i].path)) {
			controls[i].fn(s, req, arena, ret);
			return;
		}
	}
	bad_request(ret, "no such control path");
	ret->status = 404;
}
