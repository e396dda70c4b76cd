#include "proto/messages.h"
#include "proto/pb_build.h"
#include "server/call.h"
#include "server/connector.h"
#include "server/services.h"

/* The id of an entitlement in more than one exclusion group, or NULL. */
static const char *find_double_exclusion(const V2(EntitlementsServiceListEntitlementsResponse) * reply)
{
	struct str group = str_c(V2_DESC(entitlement_exclusion_group)->name);

	for (size_t i = 0; i < reply->n_list; i++) {
		const V2(Entitlement) *e = reply->list[i];
		size_t n = 0;

		for (size_t k = 0; k < e->n_annotations; k++)
			n += str_eq(pb_type_name(str_c(e->annotations[k]->type_url)), group);
		if (n > 1)
			return e->id;
	}
	return NULL;
}

enum rpc_code svc_list_entitlements(struct call *call, const void *request)
{
	const V2(EntitlementsServiceListEntitlementsRequest) *req = request;
	const V2(Resource) *resource = req->resource;
	const char *type = resource && resource->id ? resource->id->resource_type : "";
	const struct syncer *syncer = connector_syncer(call->connector, str_c(type));
	struct syncer_call sc =
		call_for_syncer(call, str_c(req->active_sync_id), str_c(req->page_token), req->page_size);
	V2(EntitlementsServiceListEntitlementsResponse) * reply;
	struct syncer_page page = {.n = 0};
	const char *bad;
	struct err err;

	call->resource_type = str_c(type);
	if (resource == NULL)
		return call_fail(call, RPC_INVALID_ARGUMENT, "error: list entitlements requires a resource");
	if (syncer == NULL)
		return call_fail(
			call, RPC_NOT_FOUND, "error: list entitlements with unknown resource type %s", type);
	if (pb_find_annotation(req->annotations, req->n_annotations, V2_DESC(type_scoped_entitlements)))
		return call_fail(call, RPC_INVALID_ARGUMENT,
			"error: type-scoped list entitlements for resource type %s, but its syncer does not "
			"implement "
			"TypeScopedEntitlementsSyncer",
			type);
	if (syncer->entitlements(&sc, resource, &page, &err) != ERR_OK)
		return call_error(call, &err, "error: listing entitlements failed");
	if (sc.page_token.n > 0 && str_eq(page.next, sc.page_token))
		return call_fail(call, RPC_INTERNAL,
			"listing entitlements failed: next page token unchanged - likely a connector bug");

	reply = pb_new(call->arena, V2_DESC(entitlements_service_list_entitlements_response));
	reply->list = (V2(Entitlement) **)page.items;
	reply->n_list = call->items = page.n;
	reply->next_page_token = pb_str(call->arena, page.next);
	bad = find_double_exclusion(reply);
	if (bad)
		return call_fail(call, RPC_INVALID_ARGUMENT,
			"entitlement %s has multiple ExclusionGroup annotations; an entitlement may belong "
			"to at most one "
			"exclusion group",
			bad);
	return call_reply(call, &reply->base);
}

/* No type has static entitlements, but the engine asks for every type, and UNIMPLEMENTED would end its
 * sync. */
enum rpc_code svc_list_static_entitlements(struct call *call, const void *request)
{
	const V2(EntitlementsServiceListStaticEntitlementsRequest) *req = request;

	call->resource_type = str_c(req->resource_type_id);
	call->sync_id = str_c(req->active_sync_id);
	if (connector_syncer(call->connector, call->resource_type) == NULL)
		return call_fail(call, RPC_NOT_FOUND,
			"error: list static entitlements with unknown resource type %s",
			req->resource_type_id);
	return call_reply(
		call, pb_new(call->arena, V2_DESC(entitlements_service_list_static_entitlements_response)));
}
