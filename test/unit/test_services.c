/* layers: server syncers inventory aws store proto base
 *
 * RPCs end to end inside one process: our client, the real gRPC server, the real way of a call, and syncers made up here that do
 * what a test asks for by its page token. What syncers must not do, services must catch. */
#include "server/rpc.h"

#include <protobuf-c/protobuf-c.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "proto/messages.h"
#include "proto/pb_build.h"
#include "server/call.h"
#include "server/client.h"
#include "server/connector.h"
#include "server/health.h"
#include "server/methods.h"
#include "support/cunit_main.h"

#define LIST         "/c1.connector.v2.ResourcesService/ListResources"
#define ENTITLEMENTS "/c1.connector.v2.EntitlementsService/ListEntitlements"
#define GRANTS       "/c1.connector.v2.GrantsService/ListGrants"

/* --- the made-up syncer --- */

static struct gate { /* where calls with the token "wait" stay until it is opened */
	struct mutex lock;
	struct cond cond;
	bool open;
	size_t inside;
	size_t entered;
	size_t cancelled;
} gate;

static enum err_code wait_at_gate(const struct ctx *ctx, struct err *reterr)
{
	enum err_code rc = ERR_OK;
	LOCK_SCOPE(&gate.lock);

	gate.inside++;
	gate.entered++;
	cond_broadcast(&gate.cond);
	while (!gate.open && rc == ERR_OK) {
		rc = ctx_check(ctx, "waiting at the gate", reterr);
		if (rc == ERR_OK)
			cond_wait_ctx(&gate.cond, &gate.lock, ctx);
	}
	gate.inside--;
	gate.cancelled += rc != ERR_OK;
	cond_broadcast(&gate.cond);
	return rc;
}

static void wait_inside(size_t n)
{
	LOCK_SCOPE(&gate.lock);

	while (gate.inside != n)
		cond_wait(&gate.cond, &gate.lock);
}

/* Whether anybody has been at the gate yet. All who have are let go first, by their deadlines. */
static bool all_were_cancelled(void)
{
	LOCK_SCOPE(&gate.lock);

	while (gate.cancelled < gate.entered)
		cond_wait(&gate.cond, &gate.lock);
	return gate.entered > 0;
}

static void set_gate(bool open)
{
	LOCK_SCOPE(&gate.lock);
	gate.open = open;
	cond_broadcast(&gate.cond);
}

static V2(ResourceType) * fake_type(struct arena *arena, const struct syncer_config *config)
{
	V2(ResourceType) *type = pb_new(arena, V2_DESC(resource_type));

	(void)config;
	type->id = pb_str(arena, STR("thing"));
	return type;
}

static enum err_code misbehave(const struct syncer_call *call, struct syncer_page *page, struct err *reterr)
{
	if (str_eq(call->page_token, STR("wait")))
		return wait_at_gate(call->ctx, reterr);
	if (str_eq(call->page_token, STR("gone")))
		return err_set(reterr, ERR_NOT_FOUND, "baton-aws: gone");
	if (str_eq(call->page_token, STR("throttled")))
		return err_set(reterr, ERR_THROTTLED, "baton-aws: slow down");
	if (str_eq(call->page_token, STR("denied")))
		return err_set(reterr, ERR_DENIED, "baton-aws: iam:ListThings is not allowed");
	if (str_eq(call->page_token, STR("same")))
		page->next = call->page_token;
	return ERR_OK;
}

static enum err_code fake_list(const struct syncer_call *call, const V2(ResourceId) * parent,
	struct syncer_page *page, struct err *reterr)
{
	bool huge = str_eq(call->page_token, STR("huge"));
	size_t n = huge ? 5000 : 2;

	(void)parent;
	page->items = arena_array_of(call->arena, n, ProtobufCMessage *);
	for (size_t i = 0; i < n; i++) {
		V2(Resource) *r = pb_new(call->arena, V2_DESC(resource));

		r->display_name =
			pb_str(call->arena, huge ? str_fmt(call->arena, "%01000zu", i) : STR("a thing"));
		page->items[page->n++] = &r->base;
	}
	return misbehave(call, page, reterr);
}

static enum err_code fake_entitlements(const struct syncer_call *call, const V2(Resource) * resource,
	struct syncer_page *page, struct err *reterr)
{
	V2(Entitlement) *e = pb_new(call->arena, V2_DESC(entitlement));

	(void)resource;
	e->id = pb_str(call->arena, STR("e1"));
	for (int i = 0; i < (str_eq(call->page_token, STR("twice")) ? 2 : 1); i++)
		PB_ADD(call->arena, e, annotations,
			pb_any_empty(call->arena, V2_DESC(entitlement_exclusion_group)));
	page->items = arena_array_of(call->arena, 1, ProtobufCMessage *);
	page->items[page->n++] = &e->base;
	return misbehave(call, page, reterr);
}

static enum err_code fake_grants(const struct syncer_call *call, const V2(Resource) * resource,
	struct syncer_page *page, struct err *reterr)
{
	(void)resource;
	return misbehave(call, page, reterr);
}

static const struct syncer fake = {.type_id = "thing",
	.type = fake_type,
	.list = fake_list,
	.entitlements = fake_entitlements,
	.grants = fake_grants};
static const struct syncer *const fakes[] = {&fake};

/* --- the server --- */

enum { WORKERS = 2, QUEUE = 2 };

static struct fixture {
	struct health *health;
	struct connector *connector;
	struct rpc_method *methods;
	struct rpc_server *server;
	struct client *client;
	struct arena *arena;
} fx;

static void discard(void *arg, struct str line)
{
	(void)arg;
	(void)line;
}

static int set_up(void)
{
	static const struct syncer_config config;
	struct client_options client = {.target = STR_EMPTY};
	char target[32];
	struct err err;
	int port;

	log_capture(discard, NULL);
	mutex_init(&gate.lock);
	cond_init(&gate.cond);
	fx.arena = arena_new(0);
	fx.health = health_new(NULL, &clock_system);
	fx.connector = connector_new(&(struct connector_options){.syncers = fakes,
		.n_syncers = 1,
		.config = &config,
		.health = fx.health,
		.clock = &clock_system});
	fx.methods = methods_for_rpc();
	fx.server = rpc_server_new(&(struct rpc_options){.methods = fx.methods,
		.n_methods = methods_count(),
		.handle = call_handle,
		.self = fx.connector,
		.workers = WORKERS,
		.queue = QUEUE,
		.validate_workers = 1,
		.clock = &clock_system});
	if (rpc_server_listen(fx.server, "127.0.0.1:0", NULL, &port, &err) != ERR_OK ||
		rpc_server_start(fx.server, &err) != ERR_OK)
		return 1;
	snprintf(target, sizeof(target), "127.0.0.1:%d", port);
	client.target = str_c(target);
	return client_new(&client, &fx.client, &err) == ERR_OK ? 0 : 1;
}

static int tear_down(void)
{
	client_free(fx.client);
	rpc_server_stop(fx.server, 1000);
	rpc_server_free(fx.server);
	mem_free(fx.methods);
	connector_free(fx.connector);
	health_free(fx.health);
	arena_free(fx.arena);
	cond_deinit(&gate.cond);
	mutex_deinit(&gate.lock);
	log_capture(NULL, NULL);
	return 0;
}

static struct client_result call_in(struct arena *arena, const char *path, const ProtobufCMessage *request,
	const ProtobufCMessageDescriptor *reply, int64_t timeout_ms)
{
	struct client_result r;

	client_call(fx.client, arena,
		&(struct client_call){
			.path = path, .request = request, .reply = reply, .timeout_ms = timeout_ms},
		&r);
	return r;
}

static struct client_result list(
	struct arena *arena, const char *type, const char *token, bool child, int64_t timeout_ms)
{
	V2(ResourcesServiceListResourcesRequest) *req =
		pb_new(arena, V2_DESC(resources_service_list_resources_request));

	req->resource_type_id = pb_str(arena, str_c(type));
	req->page_token = pb_str(arena, str_c(token));
	if (child) {
		req->parent_resource_id = pb_new(arena, V2_DESC(resource_id));
		req->parent_resource_id->resource_type = pb_str(arena, STR("account"));
		req->parent_resource_id->resource = pb_str(arena, STR("1"));
	}
	return call_in(
		arena, LIST, &req->base, V2_DESC(resources_service_list_resources_response), timeout_ms);
}

static V2(Resource) * thing(void)
{
	V2(Resource) *r = pb_new(fx.arena, V2_DESC(resource));

	r->id = pb_new(fx.arena, V2_DESC(resource_id));
	r->id->resource_type = pb_str(fx.arena, STR("thing"));
	r->id->resource = pb_str(fx.arena, STR("t1"));
	return r;
}

#define ASSERT_STATUS(r, want_code, want_message)                                                            \
	do {                                                                                                 \
		ASSERT_I64((r).status.code, (want_code), "code");                                            \
		ASSERT_STR((r).status.message, STR(want_message), "status message");                         \
	} while (0)

/* --- tests --- */

static void test_list(void)
{
	struct client_result r = list(fx.arena, "thing", "", /* child= */ false, 0);

	ASSERT_STATUS(r, RPC_OK, "");
	CU_ASSERT_EQUAL(((V2(ResourcesServiceListResourcesResponse) *)r.reply)->n_list, 2);
	r = list(fx.arena, "other", "", /* child= */ false, 0);
	ASSERT_STATUS(r, RPC_NOT_FOUND, "error: list resources with unknown resource type other");
	r = list(fx.arena, "", "", /* child= */ false, 0);
	ASSERT_STATUS(r, RPC_INVALID_ARGUMENT,
		"invalid ResourcesServiceListResourcesRequest.ResourceTypeId: value length must be between 1 "
		"and 1024 bytes, "
		"inclusive");
}

/* NOT_FOUND drops the cursor: a listing without a parent has nothing that could be gone. */
static void test_not_found(void)
{
	struct client_result r = list(fx.arena, "thing", "gone", /* child= */ false, 0);

	ASSERT_STATUS(r, RPC_FAILED_PRECONDITION, "error: listing resources failed: baton-aws: gone");
	r = list(fx.arena, "thing", "gone", /* child= */ true, 0);
	ASSERT_STATUS(r, RPC_NOT_FOUND, "error: listing resources failed: baton-aws: gone");
}

static void test_errors(void)
{
	struct client_result r = list(fx.arena, "thing", "throttled", /* child= */ false, 0);

	ASSERT_STATUS(r, RPC_UNAVAILABLE, "error: listing resources failed: baton-aws: slow down");
	CU_ASSERT(r.retry_after_ms > 0 && r.retry_after_ms <= 60000);
	r = list(fx.arena, "thing", "denied", /* child= */ false, 0);
	ASSERT_STATUS(r, RPC_PERMISSION_DENIED,
		"error: listing resources failed: baton-aws: iam:ListThings is not allowed");
	ASSERT_I64(r.retry_after_ms, 0, "no hint");
}

static void test_same_token(void)
{
	struct client_result r = list(fx.arena, "thing", "same", /* child= */ false, 0);

	ASSERT_STATUS(r, RPC_INTERNAL,
		"listing resources failed: next page token unchanged (token=same, type=thing, parent=<nil>) "
		"- likely a "
		"connector bug");
}

static void test_huge_reply(void)
{
	struct client_result r = list(fx.arena, "thing", "huge", /* child= */ false, 0);

	ASSERT_I64(r.status.code, RPC_INTERNAL, "code");
	CU_ASSERT_TRUE(str_contains(r.status.message, STR("peers accept less than 4194304")));
}

static void test_entitlements(void)
{
	V2(EntitlementsServiceListEntitlementsRequest) *req =
		pb_new(fx.arena, V2_DESC(entitlements_service_list_entitlements_request));
	const ProtobufCMessageDescriptor *reply = V2_DESC(entitlements_service_list_entitlements_response);
	struct client_result r = call_in(fx.arena, ENTITLEMENTS, &req->base, reply, 0);

	ASSERT_STATUS(r, RPC_INVALID_ARGUMENT, "error: list entitlements requires a resource");
	req->resource = thing();
	r = call_in(fx.arena, ENTITLEMENTS, &req->base, reply, 0);
	ASSERT_STATUS(r, RPC_OK, "");
	req->page_token = pb_str(fx.arena, STR("twice"));
	r = call_in(fx.arena, ENTITLEMENTS, &req->base, reply, 0);
	ASSERT_STATUS(r, RPC_INVALID_ARGUMENT,
		"entitlement e1 has multiple ExclusionGroup annotations; an entitlement may belong to at "
		"most one exclusion "
		"group");
	req->page_token = pb_str(fx.arena, STR("same"));
	r = call_in(fx.arena, ENTITLEMENTS, &req->base, reply, 0);
	ASSERT_STATUS(r, RPC_INTERNAL,
		"listing entitlements failed: next page token unchanged - likely a connector bug");
	PB_ADD(fx.arena, req, annotations, pb_any_empty(fx.arena, V2_DESC(type_scoped_entitlements)));
	r = call_in(fx.arena, ENTITLEMENTS, &req->base, reply, 0);
	ASSERT_STATUS(r, RPC_INVALID_ARGUMENT,
		"error: type-scoped list entitlements for resource type thing, but its syncer does not "
		"implement "
		"TypeScopedEntitlementsSyncer");
}

static void test_grants(void)
{
	V2(GrantsServiceListGrantsRequest) *req =
		pb_new(fx.arena, V2_DESC(grants_service_list_grants_request));
	const ProtobufCMessageDescriptor *reply = V2_DESC(grants_service_list_grants_response);
	struct client_result r = call_in(fx.arena, GRANTS, &req->base, reply, 0);

	ASSERT_STATUS(r, RPC_INVALID_ARGUMENT,
		"invalid GrantsServiceListGrantsRequest.Resource: value is required");
	req->resource = thing();
	req->page_token = pb_str(fx.arena, STR("gone"));
	r = call_in(fx.arena, GRANTS, &req->base, reply, 0);
	ASSERT_STATUS(
		r, RPC_NOT_FOUND, "error: listing grants for resource thing/t1 failed: baton-aws: gone");
	req->page_token = pb_str(fx.arena, STR("same"));
	r = call_in(fx.arena, GRANTS, &req->base, reply, 0);
	ASSERT_STATUS(r, RPC_INTERNAL,
		"listing grants for resource thing/t1 failed: next page token unchanged - likely a connector "
		"bug");
}

static void test_deadline(void)
{
	int64_t timeout_ms = 250;
	struct client_result r;
	bool was_there;

	do { /* until the call has come as far as the handler in its time */
		timeout_ms *= 2;
		r = list(fx.arena, "thing", "wait", /* child= */ false, timeout_ms);
		ASSERT_I64(r.status.code, RPC_DEADLINE_EXCEEDED, "code");
		was_there = all_were_cancelled(); /* the handler was let go, not only the client */
	} while (!was_there && timeout_ms < 30000);
	CU_ASSERT_TRUE(was_there);
}

struct waiter {
	struct thread thread;
	struct arena *arena;
	struct client_result result;
};

static void *waiter_main(void *arg)
{
	struct waiter *w = arg;

	w->result = list(w->arena, "thing", "wait", /* child= */ false, 0);
	return NULL;
}

/* Full lanes refuse with a hint; what is inline is answered all the same. */
static void test_full(void)
{
	static struct waiter waiters[WORKERS + QUEUE + 3];
	size_t refused = 0, served = 0;
	struct client_result r;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(waiters); i++) {
		waiters[i].arena = arena_new(0);
		CU_ASSERT_EQUAL_FATAL(
			thread_start(&waiters[i].thread, "waiter", 0, waiter_main, &waiters[i], &err),
			ERR_OK);
		if (i + 1 == WORKERS)
			wait_inside(WORKERS); /* all busy; from here on calls queue */
	}
	for (;;) { /* until the rest is queued or refused */
		struct rpc_stats st;

		rpc_server_stats(fx.server, &st);
		if (st.refused == 3)
			break;
		clock_sleep_ms(1);
	}
	r = call_in(fx.arena, "/c1.ratelimit.v1.RateLimiterService/Do", pb_new(fx.arena, RL_DESC(do_request)),
		RL_DESC(do_response), 0);
	ASSERT_STATUS(r, RPC_OK, "");
	CU_ASSERT_EQUAL(((RL(DoResponse) *)r.reply)->description->status,
		RL_ENUM(RATE_LIMIT_DESCRIPTION__STATUS__STATUS_EMPTY));
	set_gate(true);
	for (size_t i = 0; i < ARRAY_LEN(waiters); i++) {
		thread_join(&waiters[i].thread);
		served += waiters[i].result.status.code == RPC_OK;
		refused += waiters[i].result.status.code == RPC_UNAVAILABLE;
		arena_free(waiters[i].arena);
	}
	set_gate(false);
	ASSERT_I64(served, WORKERS + QUEUE, "served");
	ASSERT_I64(refused, 3, "refused");
}

static void test_unknown(void)
{
	const ProtobufCMessage *empty = pb_new(fx.arena, V2_DESC(list_event_feeds_request));
	struct client_result r = call_in(fx.arena, "/c1.connector.v2.GrantsService/Nope", empty,
		V2_DESC(grants_service_list_grants_response), 0);

	ASSERT_STATUS(r, RPC_UNIMPLEMENTED, "unknown method Nope for service c1.connector.v2.GrantsService");
	r = call_in(fx.arena, "/c1.connector.v2.SchemaService/GetSchema", empty,
		V2_DESC(grants_service_list_grants_response), 0);
	ASSERT_STATUS(r, RPC_UNIMPLEMENTED, "unknown service c1.connector.v2.SchemaService");
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"list", test_list},
		{"not_found", test_not_found},
		{"errors", test_errors},
		{"same_token", test_same_token},
		{"huge_reply", test_huge_reply},
		{"entitlements", test_entitlements},
		{"grants", test_grants},
		{"deadline", test_deadline},
		{"full", test_full},
		{"unknown", test_unknown},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{"services", set_up, tear_down, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
