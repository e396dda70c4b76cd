#include "server/health.h"

#include <stdatomic.h>

#include "base/ctx.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "grpc/health/v1/health.pb-c.h"
#include "inventory/inventory.h"
#include "proto/pb_build.h"
#include "server/call.h"
#include "server/connector.h"
#include "server/rpc.h"
#include "server/services.h"

enum {
	FIRST_PAUSE_MS = 1000,
	LONGEST_PAUSE_MS = 30000,
	ATTEMPT_MS = 60000, /* one look at AWS, with its own retries */
};

struct health {
	struct inventory *inventory;
	const struct clock *clock;
	atomic_bool serving;

	struct rpc_server *server;
	struct cancel *cancel; /* of the prober */
	struct thread prober;
	bool started;
};

struct health *health_new(struct inventory *inventory, const struct clock *clock)
{
	struct health *h = mem_zalloc(sizeof(*h));

	h->inventory = inventory;
	h->clock = clock;
	h->cancel = cancel_new();
	return h;
}

void health_free(struct health *h)
{
	if (h == NULL)
		return;
	cancel_unref(h->cancel);
	mem_free(h);
}

bool health_is_serving(const struct health *h)
{
	return atomic_load(&h->serving);
}

static enum err_code probe(struct health *h, struct err *reterr)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const struct ctx ctx = {
		.clock = h->clock, .deadline_ms = clock_mono_ms(h->clock) + ATTEMPT_MS, .cancel = h->cancel};
	struct inventory_identity identity;
	enum err_code rc =
		inventory_identity(h->inventory, &ctx, /* refresh= */ false, arena, &identity, reterr);

	if (rc == ERR_OK)
		log_info("AWS knows us, now serving", LOG_STR("account", identity.account),
			LOG_STR("arn", identity.arn));
	return rc;
}

static void *probe_main(void *arg)
{
	struct health *h = arg;
	const struct ctx ctx = {.clock = h->clock, .deadline_ms = CTX_NO_DEADLINE, .cancel = h->cancel};
	int64_t pause_ms = FIRST_PAUSE_MS;
	struct err err;

	while (probe(h, &err) != ERR_OK) {
		if (cancel_fired(h->cancel))
			return NULL;
		log_warn("cannot learn our identity from AWS yet", LOG_CSTR("error", err.msg),
			LOG_CSTR("code", err_code_name(err.code)), LOG_I64("next_try_ms", pause_ms));
		if (ctx_sleep_ms(&ctx, pause_ms, "waiting to ask AWS again", &err) != ERR_OK)
			return NULL;
		pause_ms = pause_ms * 2 < LONGEST_PAUSE_MS ? pause_ms * 2 : LONGEST_PAUSE_MS;
	}
	atomic_store(&h->serving, true);
	rpc_server_changed(h->server);
	return NULL;
}

enum err_code health_start(struct health *h, struct rpc_server *server, struct err *reterr)
{
	enum err_code rc;

	h->server = server;
	rc = thread_start(&h->prober, "health", 0, probe_main, h, reterr);
	h->started = rc == ERR_OK;
	return rc;
}

void health_stop(struct health *h)
{
	cancel_fire(h->cancel);
	if (h->started)
		thread_join(&h->prober);
	h->started = false;
	atomic_store(&h->serving, false);
	rpc_server_changed(h->server);
}

/* --- grpc.health.v1 --- */

typedef Grpc__Health__V1__HealthCheckRequest check_request;
typedef Grpc__Health__V1__HealthCheckResponse check_response;

/* The empty name is the server; all services share its state. */
static bool is_known(const check_request *req)
{
	return req->service[0] == '\0' || methods_has_service(str_c(req->service));
}

static enum rpc_code answer(struct call *call, Grpc__Health__V1__HealthCheckResponse__ServingStatus status)
{
	check_response *reply = pb_new(call->arena, &grpc__health__v1__health_check_response__descriptor);

	reply->status = status;
	return call_reply(call, &reply->base);
}

static enum rpc_code answer_state(struct call *call)
{
	return answer(call, health_is_serving(call->connector->opts.health)
				    ? GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
				    : GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING);
}

enum rpc_code svc_health_check(struct call *call, const void *request)
{
	return is_known(request) ? answer_state(call) : call_fail(call, RPC_NOT_FOUND, "unknown service");
}

enum rpc_code svc_health_watch(struct call *call, const void *request)
{
	return is_known(request)
		       ? answer_state(call)
		       : answer(call,
				 GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN);
}
