#include "server/call.h"

#include <assert.h>
#include <stdarg.h>

#include "base/log.h"
#include "proto/pb_check.h"
#include "proto/pb_validate.h"
#include "server/connector.h"
#include "server/methods.h"
#include "server/metrics.h"

enum {
	/* What a request may unpack to. 4 MB of empty messages would be 272 MB; what the engine sends is a
	   few KiB. */
	ARENA_BYTES = 64 * 1024 * 1024,
	BUSY_RETRY_MS = 1000,
	MAX_LOGGED_PATH =
		256, /* of a method that there is not: a peer may send as much as fits its metadata */
};

enum rpc_code call_reply(struct call *call, const ProtobufCMessage *reply)
{
	call->reply = reply;
	return RPC_OK;
}

enum rpc_code call_share(struct call *call, const struct rpc_body *shared)
{
	call->shared = shared;
	return RPC_OK;
}

enum rpc_code call_fail(struct call *call, enum rpc_code code, const char *fmt, ...)
{
	struct str text;
	va_list ap;

	va_start(ap, fmt);
	text = str_vfmt(call->arena, fmt, ap);
	va_end(ap);
	return status_set(&call->status, call->arena, code, STR_FMT, STR_ARG(text));
}

enum rpc_code call_error(struct call *call, const struct err *err, const char *prefix)
{
	return status_from_err(&call->status, call->arena, call->ctx.clock, err, prefix);
}

struct syncer_call call_for_syncer(
	struct call *call, struct str sync_id, struct str page_token, size_t page_size)
{
	call->sync_id = sync_id;
	return (struct syncer_call){
		.ctx = &call->ctx,
		.arena = call->arena,
		.inventory = call->connector->opts.inventory,
		.config = call->connector->opts.config,
		.sync_id = sync_id,
		.page_token = page_token,
		.page_size = page_size,
	};
}

/* A call without one ends when its own time is up: nothing waits for ever. */
static struct ctx limited_ctx(const struct ctx *of_client, int64_t timeout_ms)
{
	struct ctx ctx = *of_client;
	int64_t latest_ms;

	if (timeout_ms <= 0)
		return ctx;
	latest_ms = clock_mono_ms(ctx.clock) + timeout_ms;
	if (ctx.deadline_ms > latest_ms)
		ctx.deadline_ms = latest_ms;
	return ctx;
}

/* In this order, on every RPC: wire, rules, handler (spec/rpc-surface.md 1.2). */
static enum rpc_code run_method(struct call *call, struct str bytes)
{
	ProtobufCMessage *request;
	struct err err;

	if (call->method->lane != RPC_INLINE && ctx_check(&call->ctx, "waiting for a thread", &err) != ERR_OK)
		return call_error(call, &err, NULL);
	if (pb_unpack(call->arena, call->method->request, bytes, RPC_MAX_MESSAGE, &request, &err) != ERR_OK)
		return call_fail(call, RPC_INTERNAL, "grpc: error unmarshalling request: %s", err.msg);
	if (pb_validate(request, &err) != ERR_OK)
		return call_error(call, &err, NULL);
	return call->method->run(call, request);
}

/* "/package.Service/Method", as far as the caller kept to it. */
static enum rpc_code unknown_method(struct call *call, struct str path)
{
	struct str service = str_from(path, 1);
	struct str method = STR_EMPTY;
	ptrdiff_t slash = str_rfind_char(service, '/');

	if (!str_starts(path, STR("/")) || slash < 0)
		return call_fail(
			call, RPC_UNIMPLEMENTED, "malformed method name: \"" STR_FMT "\"", STR_ARG(path));
	method = str_from(service, (size_t)slash + 1);
	service = str_sub(service, 0, (size_t)slash);
	if (!methods_has_service(service))
		return call_fail(call, RPC_UNIMPLEMENTED, "unknown service " STR_FMT, STR_ARG(service));
	return call_fail(call, RPC_UNIMPLEMENTED, "unknown method " STR_FMT " for service " STR_FMT,
		STR_ARG(method), STR_ARG(service));
}

/* The message straight into the memory that goes out. */
static size_t pack_reply(struct call *call, struct rpc_call *rpc)
{
	size_t n;

	if (call->shared) {
		rpc_body_share(rpc, call->shared);
		return 0;
	}
	if (call->reply == NULL)
		return 0;
	n = protobuf_c_message_get_packed_size(call->reply);
	if (n >= RPC_MAX_MESSAGE) {
		call_fail(call, RPC_INTERNAL, "the reply would have %zu bytes, and peers accept less than %d",
			n, RPC_MAX_MESSAGE);
		return 0;
	}
	protobuf_c_message_pack(call->reply, rpc_body_alloc(rpc, n));
	return n;
}

static void log_call(const struct call *call, const char *path, int64_t ms, size_t reply_bytes)
{
	const struct status *st = &call->status;
	enum log_level level = st->code != RPC_OK                    ? LOG_WARN
			       : call->method && call->method->quiet ? LOG_DEBUG
								     : LOG_INFO;
	struct log_field f[9];
	size_t n = 0;

	if (!log_enabled(level))
		return;
	f[n++] = LOG_CSTR("method", path);
	f[n++] = LOG_CSTR("code", rpc_code_name(st->code));
	f[n++] = LOG_I64("ms", ms);
	if (call->resource_type.n > 0)
		f[n++] = LOG_STR("resource_type", call->resource_type);
	if (call->sync_id.n > 0)
		f[n++] = LOG_STR("sync_id", call->sync_id);
	if (st->code == RPC_OK) {
		f[n++] = LOG_I64("items", (int64_t)call->items);
		f[n++] = LOG_I64("bytes", (int64_t)reply_bytes);
	} else {
		f[n++] = LOG_STR("error", st->message);
		if (st->request_id.n > 0)
			f[n++] = LOG_STR("aws_request_id", st->request_id);
	}
	assert(n <= ARRAY_LEN(f));
	log_write(level, "rpc", f, n);
}

void call_handle(void *self, struct rpc_call *rpc, const struct rpc_request *request)
{
	struct connector *connector = self;
	const struct method *method = request->method == RPC_NO_METHOD ? NULL : methods_at(request->method);
	CLEANUP(arena_freep) struct arena *arena = arena_new(ARENA_BYTES);
	struct call call = {
		.method = method,
		.connector = connector,
		.arena = arena,
		.ctx = limited_ctx(request->ctx, connector->opts.rpc_timeout_ms),
	};
	size_t reply_bytes = 0;
	int64_t ms;

	if (method == NULL)
		unknown_method(&call, request->bytes);
	else if (request->refused)
		status_busy(&call.status, arena, call.ctx.clock, BUSY_RETRY_MS,
			"the server is busy: too many calls wait for a thread");
	else if (run_method(&call, request->bytes) == RPC_OK)
		reply_bytes = pack_reply(&call, rpc);

	ms = clock_mono_ms(call.ctx.clock) - request->received_ms;
	metrics_count(connector->metrics, request->method, call.status.code, ms);
	log_call(&call,
		method ? method->path : str_dup_c(arena, str_utf8_cut(request->bytes, MAX_LOGGED_PATH)), ms,
		reply_bytes);
	rpc_reply(rpc, &call.status);
}
