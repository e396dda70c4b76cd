/* server/client.h
 *
 * A small gRPC client for our own commands: one call at a time per thread, answered or failed when
 * client_call returns. With rpc.c the only place that knows gRPC C core.
 *
 * Threads:   any number may call on one client.
 * Ownership: replies live in the arena of the call.
 * Errors:    the status the server gave, or gRPC's own (UNAVAILABLE: nobody there). */
#ifndef SERVER_CLIENT_H
#define SERVER_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "server/status.h"

struct client;

struct client_options {
	struct str target;        /* "host:port" or "unix:/path"; a host of several addresses: all in turn */
	struct str tls_ca_file;   /* not empty: TLS */
	struct str tls_cert_file; /* with tls_key_file: mutual TLS */
	struct str tls_key_file;
	struct str tls_server_name; /* expected in the server's certificate; empty: the target's host */
};

/* ERR_INVALID: a TLS file is bad, or TLS options do not fit together. Connects at the first call. */
MUST_CHECK enum err_code client_new(
	const struct client_options *opts, struct client **ret_client, struct err *reterr);
void client_free(struct client *c); /* NULL is fine; no call is under way */

/* Waits until the server accepts connections. ERR_UNAVAILABLE: not within timeout_ms. */
MUST_CHECK enum err_code client_connect(struct client *c, int64_t timeout_ms, struct err *reterr);

struct client_call {
	const char *path;
	const ProtobufCMessage *request;
	const ProtobufCMessageDescriptor *reply;
	int64_t timeout_ms; /* 0: none */
};
struct client_result {
	struct status status;    /* its details are taken apart here: */
	int64_t retry_after_ms;  /* what a RateLimitDescription in them asks for; 0: none */
	ProtobufCMessage *reply; /* when RPC_OK */
	size_t reply_bytes;
};
/* Returns ret_result->status.code. A reply that cannot be unpacked is RPC_INTERNAL. */
enum rpc_code client_call(struct client *c, struct arena *arena, const struct client_call *call,
	struct client_result *ret_result);

#endif
