/* DESIGN
 *
 * No action is registered, so every name is unknown. The texts nest a status in a status because that is how
 * clients of the reference know them (spec/rpc-surface.md 8). */
#include "proto/messages.h"
#include "proto/pb_build.h"
#include "server/call.h"
#include "server/services.h"

#define INVOKE_FAILED "error: invoking action failed: rpc error: code = "

enum rpc_code svc_invoke_action(struct call *call, const void *request)
{
	const V2(InvokeActionRequest) *req = request;

	if (req->resource_type_id[0] == '\0')
		return call_fail(call, RPC_NOT_FOUND,
			INVOKE_FAILED "NotFound desc = handler for action %s not found", req->name);
	if (req->name[0] == '\0')
		return call_fail(call, RPC_INVALID_ARGUMENT,
			INVOKE_FAILED "InvalidArgument desc = action name is required");
	return call_fail(call, RPC_NOT_FOUND,
		INVOKE_FAILED "NotFound desc = no actions found for resource type %s", req->resource_type_id);
}

enum rpc_code svc_get_action_status(struct call *call, const void *request)
{
	const V2(GetActionStatusRequest) *req = request;

	return call_fail(call, RPC_NOT_FOUND,
		"error: action status for id %s not found: rpc error: code = NotFound desc = action id %s "
		"not found",
		req->id, req->id);
}

enum rpc_code svc_get_action_schema(struct call *call, const void *request)
{
	const V2(GetActionSchemaRequest) *req = request;

	return call_fail(call, RPC_NOT_FOUND,
		"error: action schema %s not found: rpc error: code = NotFound desc = action %s not found",
		req->name, req->name);
}

enum rpc_code svc_list_action_schemas(struct call *call, const void *request)
{
	(void)request;
	return call_reply(call, pb_new(call->arena, V2_DESC(list_action_schemas_response)));
}
