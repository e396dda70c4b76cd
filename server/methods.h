/* server/methods.h
 *
 * All RPCs in one table: what a method is called, what it takes, where it runs, who answers it.
 *
 * Threads: constant data. */
#ifndef SERVER_METHODS_H
#define SERVER_METHODS_H

#include <stdbool.h>
#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/str.h"
#include "server/rpc.h"

struct call;

/* request: the unpacked, validated message of the row's type. Returns the code of call->status. */
typedef enum rpc_code(method_fn)(struct call *call, const void *request);

struct method {
	const char *path;
	const ProtobufCMessageDescriptor *request;
	enum rpc_lane lane;
	enum rpc_shape shape;
	bool quiet; /* successes are logged at debug: three of four RPCs of a sync are the rate limiter's */
	method_fn *run;
};

size_t methods_count(void);
const struct method *methods_at(size_t i);

/* The same rows as rpc.h wants them, in the same order; freed with mem_free. */
struct rpc_method *methods_for_rpc(void);

/* "c1.connector.v2.GrantsService" */
bool methods_has_service(struct str name);
/* Every service once, sorted. Returns how many; the list lives in the arena. */
size_t methods_services(struct arena *arena, struct str **ret_names);

#endif
