/* server/call.h
 *
 * One RPC from bytes to bytes: arena, wire check, unpacking, field rules, deadline, the handler, packing, one log line.
 *
 * Threads:   a call belongs to the thread that runs it.
 * Ownership: everything of a call lives in its arena, which is freed in one place, here.
 * Errors:    a handler ends with call_reply, call_fail or call_error, whose code it returns. */
#ifndef SERVER_CALL_H
#define SERVER_CALL_H

#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "server/rpc.h"
#include "server/status.h"
#include "syncers/syncer.h"

struct connector;
struct method;

struct call {
	const struct method *method;
	struct connector *connector;
	struct arena *arena;
	struct ctx ctx; /* deadline: the client's or ours, whichever is earlier */

	/* For the log line; a handler sets what it knows. */
	struct str resource_type;
	struct str sync_id;
	size_t items;

	/* The answer: a message, or a shared body, or neither (an empty stream). */
	struct status status;
	const ProtobufCMessage *reply;
	const struct rpc_body *shared;
};

/* The handler for rpc.h; self is the struct connector. */
void call_handle(void *self, struct rpc_call *rpc, const struct rpc_request *request);

enum rpc_code call_reply(struct call *call, const ProtobufCMessage *reply);
enum rpc_code call_share(struct call *call, const struct rpc_body *shared);
enum rpc_code call_fail(struct call *call, enum rpc_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* What a syncer needs of the call; remembers the sync for the log line. */
struct syncer_call call_for_syncer(
	struct call *call, struct str sync_id, struct str page_token, size_t page_size);

/* "<prefix>: <what err says>"; prefix NULL: err's text alone. */
enum rpc_code call_error(struct call *call, const struct err *err, const char *prefix);

#endif
