/* server/rpc.h
 *
 * The gRPC server: bytes in, bytes out. With client.c the only place that knows gRPC C core.
 *
 * A table of methods says for each where it runs and how it talks; one handler function gets every request
 * and answers it with rpc_reply. Everything that blocks runs on bounded pools ("lanes"): a full lane answers
 * UNAVAILABLE with a hint when to come back, and what makes no AWS or store call is answered on the
 * completion-queue thread at once, however busy the lanes are.
 *
 * Threads:   one completion-queue thread, made by rpc_server_start, plus the lanes. The handler runs on any
 *            of them.
 * Ownership: a request's bytes and context live until rpc_reply; everything in a reply is copied.
 * Errors:    boot errors through struct err; at run time a call that breaks ends, and the server goes on. */
#ifndef SERVER_RPC_H
#define SERVER_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "server/status.h"
#include "server/tls.h"

/* What the peer accepts at most, and what we accept: the default of every gRPC implementation. */
#define RPC_MAX_MESSAGE 4194304

enum rpc_lane {
	RPC_INLINE,   /* on the completion-queue thread: never blocks */
	RPC_WORKERS,  /* may call AWS and the store */
	RPC_VALIDATE, /* the same, on threads of its own: it is a health probe and sleeps between attempts */
	RPC_LANE_COUNT
};

enum rpc_shape {
	RPC_UNARY,  /* one request; one reply or none (a server stream that is always empty is this, too) */
	RPC_DIALOG, /* both sides stream: each request message is answered by one reply; RPC_INLINE only */
	/* The server streams: the handler is asked again at every rpc_server_changed, and what differs from
	 * the last reply is sent; RPC_INLINE only. */
	RPC_WATCH,
};

struct rpc_method {
	const char *path; /* "/c1.connector.v2.GrantsService/ListGrants" */
	enum rpc_lane lane;
	enum rpc_shape shape;
};

struct rpc_server;
struct rpc_call; /* one request, until rpc_reply */

struct rpc_request {
	size_t method; /* index in the table; RPC_NO_METHOD: a path that is not in it, which stands in bytes */
	struct str bytes;      /* the message; empty is a valid message */
	const struct ctx *ctx; /* the caller's deadline and cancellation */
	int64_t received_ms;   /* when it came, on the monotonic clock */
	bool refused;          /* its lane is full: answer at once, without work */
};
#define RPC_NO_METHOD SIZE_MAX

/* Runs the request and calls rpc_reply exactly once, before it returns. */
typedef void(rpc_handle_fn)(void *self, struct rpc_call *call, const struct rpc_request *request);

/* Memory for the n bytes of the reply message, to be filled before rpc_reply. At most once per call. */
uint8_t *rpc_body_alloc(struct rpc_call *call, size_t n);

/* A reply message that is the same for many calls: sent without copying. */
struct rpc_body;
struct rpc_body *rpc_body_new(struct str bytes); /* copies */
void rpc_body_free(struct rpc_body *b);          /* NULL is fine; calls that still send it keep it alive */
void rpc_body_share(struct rpc_call *call, const struct rpc_body *b);

/* Answers: the message given by rpc_body_* (when the status is RPC_OK), then the status. Consumes the
 * call. */
void rpc_reply(struct rpc_call *call, const struct status *status);

struct rpc_options {
	const struct rpc_method *methods; /* must outlive the server */
	size_t n_methods;
	rpc_handle_fn *handle;
	void *self;
	size_t workers;          /* threads of RPC_WORKERS */
	size_t queue;            /* calls that may wait for one of them */
	size_t validate_workers; /* threads of RPC_VALIDATE */
	const struct clock *clock;
};

struct rpc_server *rpc_server_new(const struct rpc_options *opts);
/* After rpc_server_stop, or before rpc_server_start; NULL is fine. */
void rpc_server_free(struct rpc_server *s);

/* Binds target ("host:port" with port 0 for any, "unix:/path"), with TLS unless take_tls is NULL; its files are looked at again at each
 * handshake, until rpc_server_free. Before rpc_server_start. *ret_port: the TCP port, or 1. ERR_UNAVAILABLE: gRPC could not. */
MUST_CHECK enum err_code rpc_server_listen(struct rpc_server *s, const char *target,
	struct tls_watch *take_tls, int *ret_port, struct err *reterr);

MUST_CHECK enum err_code rpc_server_start(struct rpc_server *s, struct err *reterr);

/* The state that RPC_WATCH methods report may have changed. Any thread. */
void rpc_server_changed(struct rpc_server *s);

/* Takes no new connections and calls, lets calls in flight end for at most grace_ms, then cancels them;
 * returns when nothing runs any more. */
void rpc_server_stop(struct rpc_server *s, int64_t grace_ms);

struct rpc_stats {
	uint64_t in_flight; /* requests taken and not answered, streams not counted */
	uint64_t waiting;   /* of these, in the queue of a lane */
	uint64_t streams;   /* open */
	uint64_t refused;   /* ever, because a lane was full */
};
/* Any thread, from rpc_server_new to rpc_server_free. */
void rpc_server_stats(struct rpc_server *s, struct rpc_stats *ret_stats);

#endif
