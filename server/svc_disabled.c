/* DESIGN
 *
 * Services that are registered and switched off: what they answer, behind the field rules, is part of the
 * contract (spec/rpc-surface.md 1.6). */
#include "server/call.h"
#include "server/services.h"

enum rpc_code svc_provisioning_disabled(struct call *call, const void *request)
{
	(void)request;
	return call_fail(call, RPC_FAILED_PRECONDITION, "provisioning is not enabled");
}

enum rpc_code svc_ticketing_disabled(struct call *call, const void *request)
{
	(void)request;
	return call_fail(call, RPC_UNKNOWN, "ticketing is not enabled");
}
