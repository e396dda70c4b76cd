/* DESIGN
 *
 * The engine asks Do before and tells Report after every RPC, and takes any answer but OK or EMPTY for the
 * end of its sync or, worse, for an empty success. We limit towards AWS ourselves (aws/pacer.c), so there is
 * nothing to limit here. */
#include "proto/messages.h"
#include "proto/pb_build.h"
#include "server/call.h"
#include "server/services.h"

enum rpc_code svc_rate_limiter_do(struct call *call, const void *request)
{
	const RL(DoRequest) *req = request;
	RL(DoResponse) *reply = pb_new(call->arena, RL_DESC(do_response));

	reply->request_token = req->request_token;
	reply->description = pb_new(call->arena, RL_DESC(rate_limit_description));
	reply->description->status = RL_ENUM(RATE_LIMIT_DESCRIPTION__STATUS__STATUS_EMPTY);
	return call_reply(call, &reply->base);
}

enum rpc_code svc_rate_limiter_report(struct call *call, const void *request)
{
	(void)request;
	return call_reply(call, pb_new(call->arena, RL_DESC(report_response)));
}
