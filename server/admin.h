/* server/admin.h
 *
 * The admin HTTP: /healthz (the process lives), /readyz (as grpc.health.v1 says), /metrics (Prometheus text).
 * Off unless
 * --admin-listen names an address. The one place that knows libmicrohttpd.
 *
 * Threads:   one of libmicrohttpd's own; reads counters only.
 * Ownership: everything it is given is borrowed and outlives it. */
#ifndef SERVER_ADMIN_H
#define SERVER_ADMIN_H

#include "base/err.h"
#include "base/str.h"

struct admin;
struct aws_session;
struct connector;
struct rpc_server;
struct store;

struct admin_options {
	struct str listen; /* "host:port" */
	struct rpc_server *rpc;
	struct connector *connector;
	struct aws_session *aws;
	struct store *store;
};

/* Errors as listen_open's. */
MUST_CHECK enum err_code admin_start(
	const struct admin_options *opts, struct admin **ret_admin, struct err *reterr);
void admin_stop(struct admin *a); /* NULL is fine */

#endif
