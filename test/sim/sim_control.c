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

static void get_counters(
	struct sim *s, const struct sim_request *req, struct arena *arena, struct sim_answer *ret)
{
	(void)req, (void)arena;
	sim_log_write_counters(s->log, &ret->body);
}

static void get_log(struct sim *s, const struct sim_request *req, struct arena *arena, struct sim_answer *ret)
{
	(void)req, (void)arena;
	ret->content_type = "application/x-ndjson";
	sim_log_write_lines(s->log, &ret->body);
}

static void get_repeats(
	struct sim *s, const struct sim_request *req, struct arena *arena, struct sim_answer *ret)
{
	(void)req, (void)arena;
	sim_log_write_repeats(s->log, &ret->body);
}

static void get_truth(
	struct sim *s, const struct sim_request *req, struct arena *arena, struct sim_answer *ret)
{
	(void)req, (void)arena;
	pthread_rwlock_rdlock(&s->org_lock);
	sim_truth_write(s->org, &ret->body);
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

/* {"delete":"user","name":"ana.silva"} (user, group or role), or {"report":"expire"} */
static void post_mutate(
	struct sim *s, const struct sim_request *req, struct arena *arena, struct sim_answer *ret)
{
	static const char *const kinds[SIM_KIND_COUNT] = {"user", "group", "role"};
	const struct json *j;
	struct err err;
	size_t kind = 0;

	if (json_parse(arena, req->body, MUTATE_MAX_BYTES, &j, &err) != ERR_OK) {
		bad_request(ret, err.msg);
		return;
	}
	if (str_eq_c(json_str(json_get(j, STR("report"))), "expire")) {
		sim_reports_expire(s->reports);
		done(ret);
		return;
	}
	while (kind < SIM_KIND_COUNT && !str_eq_c(json_str(json_get(j, STR("delete"))), kinds[kind]))
		kind++;
	if (kind == SIM_KIND_COUNT) {
		bad_request(ret,
			"neither {\"delete\":\"user|group|role\",\"name\":...} nor {\"report\":\"expire\"}");
		return;
	}
	pthread_rwlock_wrlock(&s->org_lock);
	bool removed =
		sim_org_remove(&s->org->accounts[0], (enum sim_kind)kind, json_str(json_get(j, STR("name"))));
	pthread_rwlock_unlock(&s->org_lock);
	if (removed)
		done(ret);
	else
		bad_request(ret, "there is none of that name");
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
