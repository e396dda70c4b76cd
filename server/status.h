/* server/status.h
 *
 * What an RPC answers: a gRPC status code, its text, and details. Here stands the one table that turns our
 * error codes into gRPC's (architecture, decisions 9 and 10).
 *
 * What the sync engine does with them decides the table: UNAVAILABLE and DEADLINE_EXCEEDED are asked again
 * without limit, NOT_FOUND drops the cursor and lets the sync succeed, all others end the sync. So throttling
 * is UNAVAILABLE with a RateLimitDescription that says when to come back, never RESOURCE_EXHAUSTED.
 *
 * Threads: values. Ownership: texts live in the arena that was given, or are literals. */
#ifndef SERVER_STATUS_H
#define SERVER_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"

/* gRPC's codes under gRPC's numbers. */
enum rpc_code {
	RPC_OK = 0,
	RPC_CANCELLED = 1,
	RPC_UNKNOWN = 2,
	RPC_INVALID_ARGUMENT = 3,
	RPC_DEADLINE_EXCEEDED = 4,
	RPC_NOT_FOUND = 5,
	RPC_ALREADY_EXISTS = 6,
	RPC_PERMISSION_DENIED = 7,
	RPC_RESOURCE_EXHAUSTED = 8,
	RPC_FAILED_PRECONDITION = 9,
	RPC_ABORTED = 10,
	RPC_OUT_OF_RANGE = 11,
	RPC_UNIMPLEMENTED = 12,
	RPC_INTERNAL = 13,
	RPC_UNAVAILABLE = 14,
	RPC_DATA_LOSS = 15,
	RPC_UNAUTHENTICATED = 16,
	RPC_CODE_COUNT
};

/* "NOT_FOUND"; "CODE_99" is unknown to us and gives "UNKNOWN". */
const char *rpc_code_name(enum rpc_code code);

struct status {
	enum rpc_code code;
	struct str message;    /* valid UTF-8, at most STATUS_MAX_MESSAGE bytes */
	struct str details;    /* a serialized google.rpc.Status for grpc-status-details-bin; empty: none */
	struct str request_id; /* of the AWS call that failed, for the log; empty: none */
};

/* Message and details travel as trailers, for which peers reserve 8 KiB in all; percent-encoding triples what
 * is not ASCII. */
#define STATUS_MAX_MESSAGE 1536

/* Fills *st (without details) and returns code, so that `return status_set(...)` is one line. */
enum rpc_code status_set(struct status *st, struct arena *arena, enum rpc_code code, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

/* The translation of an error: "<prefix>: <message>", or the message alone when prefix is NULL. Errors that
 * may go away by waiting get a RateLimitDescription with the moment to come back. */
enum rpc_code status_from_err(struct status *st, struct arena *arena, const struct clock *clock,
	const struct err *err, const char *prefix);

/* "Come back later" of our own: UNAVAILABLE with a RateLimitDescription. */
enum rpc_code status_busy(struct status *st, struct arena *arena, const struct clock *clock,
	int64_t retry_after_ms, const char *text);

/* The row of the table. */
enum rpc_code rpc_code_of_err(enum err_code code);

#endif
