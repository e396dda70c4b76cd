#include "proto/messages.h"
#include "proto/pb_build.h"
#include "server/call.h"
#include "server/connector.h"
#include "server/services.h"

enum rpc_code svc_list_grants(struct call *call, const void *request)
{
	const V2(GrantsServiceListGrantsRequest) *req = request;
	const V2(Resource) *resource = req->resource; /* the field rules demand one */
	const char *type = resource->id ? resource->id->resource_type : "";
	const char *id = resource->id ? resource->id->resource : "";
	const struct syncer *syncer = connector_syncer(call->connector, str_c(type));
	struct syncer_call sc =
		call_for_syncer(call, str_c(req->active_sync_id), str_c(req->page_token), req->page_size);
	V2(GrantsServiceListGrantsResponse) * reply;
	struct syncer_page page = {.n = 0};
	struct err err;

	call->resource_type = str_c(type);
	if (syncer == NULL)
		return call_fail(
			call, RPC_NOT_FOUND, "error: list grants with unknown resource type %s", type);
	if (pb_find_annotation(req->annotations, req->n_annotations, V2_DESC(type_scoped_grants)))
		return call_fail(call, RPC_INVALID_ARGUMENT,
			"error: type-scoped list grants for resource type %s, but its syncer does not "
			"implement "
			"TypeScopedGrantsSyncer",
			type);
	if (syncer->grants(&sc, resource, &page, &err) != ERR_OK)
		return call_error(call, &err,
			str_dup_c(call->arena,
				str_fmt(call->arena, "error: listing grants for resource %s/%s failed", type,
					id)));
	if (sc.page_token.n > 0 && str_eq(page.next, sc.page_token))
		return call_fail(call, RPC_INTERNAL,
			"listing grants for resource %s/%s failed: next page token unchanged - likely a "
			"connector bug",
			type, id);

	reply = pb_new(call->arena, V2_DESC(grants_service_list_grants_response));
	reply->list = (V2(Grant) **)page.items;
	reply->n_list = call->items = page.n;
	reply->next_page_token = pb_str(call->arena, page.next);
	return call_reply(call, &reply->base);
}
