#include "server/status.h"

#include <assert.h>
#include <stdarg.h>

#include "proto/messages.h"
#include "proto/pb_build.h"
#include "proto/pb_check.h"

static const char *const names[RPC_CODE_COUNT] = {
	[RPC_OK] = "OK",
	[RPC_CANCELLED] = "CANCELLED",
	[RPC_UNKNOWN] = "UNKNOWN",
	[RPC_INVALID_ARGUMENT] = "INVALID_ARGUMENT",
	[RPC_DEADLINE_EXCEEDED] = "DEADLINE_EXCEEDED",
	[RPC_NOT_FOUND] = "NOT_FOUND",
	[RPC_ALREADY_EXISTS] = "ALREADY_EXISTS",
	[RPC_PERMISSION_DENIED] = "PERMISSION_DENIED",
	[RPC_RESOURCE_EXHAUSTED] = "RESOURCE_EXHAUSTED",
	[RPC_FAILED_PRECONDITION] = "FAILED_PRECONDITION",
	[RPC_ABORTED] = "ABORTED",
	[RPC_OUT_OF_RANGE] = "OUT_OF_RANGE",
	[RPC_UNIMPLEMENTED] = "UNIMPLEMENTED",
	[RPC_INTERNAL] = "INTERNAL",
	[RPC_UNAVAILABLE] = "UNAVAILABLE",
	[RPC_DATA_LOSS] = "DATA_LOSS",
	[RPC_UNAUTHENTICATED] = "UNAUTHENTICATED",
};

/* The engine asks UNAVAILABLE and DEADLINE_EXCEEDED again for ever: only what passes by itself may be
 * there. */
static const enum rpc_code codes[ERR_CODE_COUNT] = {
	[ERR_OK] = RPC_OK,
	[ERR_INVALID] = RPC_INVALID_ARGUMENT,
	[ERR_NOT_FOUND] = RPC_NOT_FOUND,
	[ERR_MISSING] = RPC_FAILED_PRECONDITION,
	[ERR_EXISTS] = RPC_ALREADY_EXISTS,
	[ERR_DENIED] = RPC_PERMISSION_DENIED,
	[ERR_UNAUTHENTICATED] = RPC_UNAUTHENTICATED,
	[ERR_THROTTLED] = RPC_UNAVAILABLE,
	[ERR_UNAVAILABLE] = RPC_UNAVAILABLE,
	[ERR_DEADLINE] = RPC_DEADLINE_EXCEEDED,
	[ERR_CANCELLED] = RPC_CANCELLED,
	[ERR_CONFLICT] = RPC_ABORTED,
	[ERR_PRECONDITION] = RPC_FAILED_PRECONDITION,
	[ERR_LIMIT] = RPC_RESOURCE_EXHAUSTED,
	[ERR_TOO_LARGE] = RPC_RESOURCE_EXHAUSTED,
	[ERR_PROTOCOL] = RPC_INTERNAL,
	[ERR_UNSUPPORTED] = RPC_UNIMPLEMENTED,
	[ERR_INTERNAL] = RPC_INTERNAL,
};

/* When AWS throttles and does not say for how long. The engine's own answer to a bare UNAVAILABLE is a wait
 * that grows by a second with every failure of the whole sync and never shrinks in a parallel step; a steady
 * short one is better. */
#define THROTTLED_RETRY_MS 5000

/* The engine ignores a longer wait than this (spec/rpc-surface.md 5.7). */
#define MAX_RETRY_MS 60000

const char *rpc_code_name(enum rpc_code code)
{
	return (unsigned)code < RPC_CODE_COUNT ? names[code] : "UNKNOWN";
}

enum rpc_code rpc_code_of_err(enum err_code code)
{
	return (unsigned)code < ERR_CODE_COUNT ? codes[code] : RPC_INTERNAL;
}

enum rpc_code status_set(struct status *st, struct arena *arena, enum rpc_code code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	*st = (struct status){.code = code};
	st->message = str_utf8_cut(str_utf8_clean(arena, str_vfmt(arena, fmt, ap)), STATUS_MAX_MESSAGE);
	va_end(ap);
	return code;
}

/* The trailer that makes a client wait. Its code must equal the call's, or a Go client reports a mismatch
 * instead. */
static struct str retry_details(
	struct arena *arena, const struct clock *clock, const struct status *st, int64_t retry_after_ms)
{
	Google__Rpc__Status *out = pb_new(arena, &google__rpc__status__descriptor);
	V2(RateLimitDescription) *limit = pb_new(arena, V2_DESC(rate_limit_description));
	int64_t reset_ns;

	if (retry_after_ms > MAX_RETRY_MS)
		retry_after_ms = MAX_RETRY_MS;
	reset_ns = clock_wall_ns(clock) + retry_after_ms * 1000000;
	limit->status = V2_ENUM(RATE_LIMIT_DESCRIPTION__STATUS__STATUS_OVERLIMIT);
	limit->limit = 1;
	limit->remaining = 0;
	limit->reset_at = pb_timestamp(arena, reset_ns / 1000000000);
	limit->reset_at->nanos = (int32_t)(reset_ns % 1000000000);

	out->code = (int32_t)st->code;
	out->message = pb_str(arena, st->message);
	PB_ADD(arena, out, details, pb_any(arena, &limit->base));
	return pb_pack(arena, &out->base);
}

enum rpc_code status_from_err(struct status *st, struct arena *arena, const struct clock *clock,
	const struct err *err, const char *prefix)
{
	int64_t retry_after_ms = err->retry_after_ms;

	assert(err->code != ERR_OK);
	status_set(st, arena, rpc_code_of_err(err->code), "%s%s%s", prefix ? prefix : "", prefix ? ": " : "",
		err->msg);
	st->request_id = str_dup(arena, str_c(err->request_id));
	if (err->code == ERR_THROTTLED && retry_after_ms <= 0)
		retry_after_ms = THROTTLED_RETRY_MS;
	if (st->code == RPC_UNAVAILABLE && retry_after_ms > 0)
		st->details = retry_details(arena, clock, st, retry_after_ms);
	return st->code;
}

enum rpc_code status_busy(struct status *st, struct arena *arena, const struct clock *clock,
	int64_t retry_after_ms, const char *text)
{
	status_set(st, arena, RPC_UNAVAILABLE, "%s", text);
	st->details = retry_details(arena, clock, st, retry_after_ms);
	return st->code;
}
