/* The way of one AWS call: read the parameters, know the caller, let faults strike, run the operation, frame
 * the answer, write it down. */
#include "sim/sim_request.h"

#include <inttypes.h>
#include <stdio.h>

#include "sim/sim_auth.h"
#include "sim/sim_faults.h"
#include "sim/sim_log.h"
#include "sim/sim_rates.h"

const struct sim_service *const sim_services_all[] = {
	&sim_iam, &sim_sts, &sim_organizations, &sim_sso_admin, &sim_identity_store, &sim_cloudtrail};
const size_t sim_services_all_n = ARRAY_LEN(sim_services_all);

struct str sim_header(const struct sim_request *r, const char *name)
{
	for (size_t i = 0; i < r->n_headers; i++) {
		if (str_eq_c(r->headers[i].name, name))
			return str_trim(r->headers[i].value);
	}
	return STR_EMPTY;
}

/* A UUID that tells the position of the call in the log. */
static void make_request_id(char out[37], uint64_t seed, uint64_t ordinal)
{
	uint64_t h = sim_hash(seed, ordinal, 0, 5);

	snprintf(out, 37, "%08" PRIx64 "-%04x-4%03x-a%03x-%012" PRIx64, ordinal & 0xffffffff,
		(unsigned)(h & 0xffff), (unsigned)(h >> 16 & 0xfff), (unsigned)(h >> 28 & 0xfff),
		h >> 16 & UINT64_C(0xffffffffffff));
}

static void check_required(struct sim_call *c)
{
	for (size_t i = 0; i < ARRAY_LEN(c->op->required) && c->op->required[i] != NULL; i++) {
		const char *name = c->op->required[i];
		if (sim_param(c, name).n == 0)
			sim_fail(c, 400, c->service->codes->invalid,
				"1 validation error detected: Value null at '%c%s' failed to satisfy "
				"constraint: Member must not be null",
				name[0] | 0x20, name + 1);
	}
}

static void run(struct sim_call *c)
{
	if (!sim_failed(c))
		check_required(c);
	if (!sim_failed(c)) {
		c->protocol->begin(c);
		c->op->fn(c);
	}
	if (!sim_failed(c))
		c->protocol->end(c);
	else
		c->protocol->error(c);
}

/* Who calls, and whose call it is. */
static void identify(struct sim_call *c, const struct sim_request *req)
{
	sim_auth_check(c, req);
	if (sim_failed(c) && c->protocol->reword != NULL)
		c->protocol->reword(c);
	if (c->op != NULL && c->op->account != NULL)
		c->account = c->op->account(c);
	if (c->account == NULL)
		c->account = c->caller.account;
}

/* Faults that have a say before the operation runs. */
static void fault_before(struct sim_call *c, const struct sim_fault *f)
{
	if (f->action == SIM_ACT_ERROR && !sim_failed(c))
		c->reason = f->reason;
	if (f->action == SIM_ACT_ERROR)
		sim_fail(c, f->status, f->code.p, STR_FMT, STR_ARG(f->message));
	if (f->action == SIM_ACT_PAGE)
		c->page_limit = (size_t)f->items;
	c->drop_marker = f->action == SIM_ACT_NO_MARKER;
}

/* Faults that spoil the answer. True: the client gets what AWS would send. */
static bool fault_after(
	const struct sim_protocol *protocol, const struct sim_fault *f, struct sim_answer *ret)
{
	ret->wire_bytes = f->bytes;
	switch (f->action) {
	case SIM_ACT_TRUNCATE:
		ret->wire = SIM_WIRE_TRUNCATE;
		return false;
	case SIM_ACT_OVERSIZE:
		ret->wire = SIM_WIRE_OVERSIZE;
		return false;
	case SIM_ACT_HANG:
		ret->delay_ms += f->ms;
		ret->wire = SIM_WIRE_CLOSE;
		return false;
	case SIM_ACT_CLOSE:
		ret->wire = SIM_WIRE_CLOSE;
		return false;
	case SIM_ACT_CUT:
		if (f->bytes < ret->body.n)
			ret->body.n = (size_t)f->bytes;
		return false;
	case SIM_ACT_EMPTY:
		buf_reset(&ret->body);
		return false;
	case SIM_ACT_MALFORMED:
		buf_reset(&ret->body);
		buf_c(&ret->body, protocol->malformed);
		return false;
	case SIM_ACT_DELAY:
		ret->delay_ms += f->ms;
		return true;
	case SIM_ACT_NO_MARKER:
		return false;
	case SIM_ACT_NONE:
	case SIM_ACT_ERROR:
	case SIM_ACT_PAGE:
		return true;
	}
	return true;
}

void sim_dispatch(struct sim *s, const struct sim_request *req, struct arena *arena, struct sim_answer *ret)
{
	uint64_t ordinal = ++s->ordinal;
	struct sim_call c = {
		.sim = s,
		.arena = arena,
		.protocol = sim_header(req, "x-amz-target").n > 0 ? &sim_json : &sim_query,
		.page_limit = s->opts->page_limit > 0 ? (size_t)s->opts->page_limit : SIZE_MAX,
		.status = 200,
	};

	make_request_id(c.request_id, s->opts->seed, ordinal);
	buf_init(&c.out, SIZE_MAX / 2);
	c.json.out = &c.out;
	pthread_rwlock_rdlock(&s->org_lock);
	c.protocol->read(&c, req);
	identify(&c, req);
	struct sim_fault fault = {0};
	if (sim_failed(&c) || sim_rates_admit(s->rates, &c))
		fault = sim_faults_next(&c, ordinal);
	fault_before(&c, &fault);
	run(&c);
	pthread_rwlock_unlock(&s->org_lock);

	*ret = (struct sim_answer){
		.status = c.status,
		.content_type = c.protocol->content_type,
		.padding = c.protocol->padding,
		.pad_before = c.protocol->pad_before,
		.body = c.out,
		.delay_ms = s->opts->latency_ms,
	};
	snprintf(ret->request_id, sizeof(ret->request_id), "%s", c.request_id);
	bool intact = fault_after(c.protocol, &fault, ret);
	sim_log_add(s->log, &c, intact);
}
