/* The paths below /sim/: what tests ask and tell the simulator. Not AWS, not counted, never delayed, no
 * credentials. */
#include "sim/sim_request.h"

#include "base/json.h"
#include "sim/sim_center_truth.h"
#include "sim/sim_faults.h"
#include "sim/sim_log.h"
#include "sim/sim_mutate.h"
#include "sim/sim_rates.h"
#include "sim/sim_report.h"
#include "sim/sim_truth.h"

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
	sim_rates_reset(s->rates);
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

static void post_mutate(
	struct sim *s, const struct sim_request *req, struct arena *arena, struct sim_answer *ret)
{
	const char *problem = sim_mutate(s, req->body, arena);

	if (problem != NULL)
		bad_request(ret, problem);
	else
		done(ret);
}

static void get_rates(
	struct sim *s, const struct sim_request *req, struct arena *arena, struct sim_answer *ret)
{
	(void)req, (void)arena;
	sim_rates_write(s->rates, &ret->body);
}

static void get_center_truth(
	struct sim *s, const struct sim_request *req, struct arena *arena, struct sim_answer *ret)
{
	(void)req, (void)arena;
	pthread_rwlock_rdlock(&s->org_lock);
	sim_center_truth_write(s->center, s->logins, &ret->body);
	pthread_rwlock_unlock(&s->org_lock);
}

static const struct {
	const char *method, *path;
	control_fn *fn;
} controls[] = {
	{"GET", "/sim/counters", get_counters},
	{"GET", "/sim/log", get_log},
	{"GET", "/sim/repeats", get_repeats},
	{"GET", "/sim/truth", get_truth},
	{"GET", "/sim/truth/identity-center", get_center_truth},
	{"GET", "/sim/rates", get_rates},
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
