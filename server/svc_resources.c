#include "proto/messages.h"
#include "proto/pb_build.h"
#include "server/call.h"
#include "server/connector.h"
#include "server/services.h"

/* The parent as the reference prints it; free text for whoever reads the message. */
static struct str parent_text(struct arena *arena, const V2(ResourceId) * parent)
{
	if (parent == NULL)
		return STR("<nil>");
	return str_fmt(
		arena, "resource_type:\"%s\"  resource:\"%s\"", parent->resource_type, parent->resource);
}

enum rpc_code svc_list_resources(struct call *call, const void *request)
{
	const V2(ResourcesServiceListResourcesRequest) *req = request;
	const V2(ResourceId) *parent = req->parent_resource_id;
	const struct syncer *syncer = connector_syncer(call->connector, str_c(req->resource_type_id));
	struct syncer_call sc =
		call_for_syncer(call, str_c(req->active_sync_id), str_c(req->page_token), req->page_size);
	V2(ResourcesServiceListResourcesResponse) * reply;
	struct syncer_page page = {.n = 0};
	struct err err;

	call->resource_type = str_c(req->resource_type_id);
	if (syncer == NULL)
		return call_fail(call, RPC_NOT_FOUND, "error: list resources with unknown resource type %s",
			req->resource_type_id);
	if (syncer->list(&sc, parent, &page, &err) != ERR_OK) {
		/* NOT_FOUND would drop the cursor and let the sync succeed without these resources. Only a
		 * parent that is gone may do that. */
		if (err.code == ERR_NOT_FOUND && parent == NULL)
			err.code = ERR_MISSING;
		return call_error(call, &err, "error: listing resources failed");
	}
	if (sc.page_token.n > 0 && str_eq(page.next, sc.page_token))
		return call_fail(call, RPC_INTERNAL,
			"listing resources failed: next page token unchanged (token=%s, type=%s, "
			"parent=" STR_FMT ") - likely a connector bug",
			req->page_token, req->resource_type_id, STR_ARG(parent_text(call->arena, parent)));

	reply = pb_new(call->arena, V2_DESC(resources_service_list_resources_response));
	reply->list = (V2(Resource) **)page.items;
	reply->n_list = call->items = page.n;
	reply->next_page_token = pb_str(call->arena, page.next);
	return call_reply(call, &reply->base);
}

/* No type has a targeted getter. */
enum rpc_code svc_get_resource(struct call *call, const void *request)
{
	const V2(ResourceGetterServiceGetResourceRequest) *req = request;
	const char *type = req->resource_id ? req->resource_id->resource_type : "";

	call->resource_type = str_c(type);
	return call_fail(call, RPC_UNIMPLEMENTED, "error: get resource with unknown resource type %s", type);
}
