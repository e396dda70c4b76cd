#include "proto/messages.h"
#include "proto/pb_build.h"
#include "proto/pb_check.h"
#include "server/call.h"
#include "server/connector.h"
#include "server/services.h"

/* All types in one page; paging fields of the request do not matter (spec/rpc-surface.md 1.5.2). */
struct rpc_body *resource_types_reply(const struct connector *c)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	V2(ResourceTypesServiceListResourceTypesResponse) *reply =
		pb_new(arena, V2_DESC(resource_types_service_list_resource_types_response));

	for (size_t i = 0; i < c->opts.n_syncers; i++)
		PB_ADD(arena, reply, list, syncer_type(arena, c->opts.syncers[i], c->opts.config));
	if (reply->n_list == 0)
		return NULL;
	return rpc_body_new(pb_pack(arena, &reply->base));
}

enum rpc_code svc_list_resource_types(struct call *call, const void *request)
{
	const V2(ResourceTypesServiceListResourceTypesRequest) *req = request;

	call->sync_id = str_c(req->active_sync_id);
	call->items = call->connector->opts.n_syncers;
	if (call->connector->resource_types == NULL)
		return call_fail(call, RPC_FAILED_PRECONDITION, "no resource builders found");
	return call_share(call, call->connector->resource_types);
}
