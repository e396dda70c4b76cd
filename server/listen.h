/* server/listen.h
 *
 * An address to listen on, "host:port" or "unix:/path", made ready before gRPC binds it: gRPC says only
 * "failed", takes a live UNIX socket away from its owner without a word, and leaves a dead one to everybody
 * else.
 *
 * Threads: main thread, at boot and at the end. Ownership: listen_close removes the socket file and the
 * lock. */
#ifndef SERVER_LISTEN_H
#define SERVER_LISTEN_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/str.h"

struct listen;

/* ERR_INVALID: not an address. ERR_EXISTS: somebody listens there already, or a file that is no socket is in
 * the way. ERR_UNAVAILABLE: the system does not let us (the message says why). */
MUST_CHECK enum err_code listen_open(struct str address, struct listen **ret_listen, struct err *reterr);
void listen_close(struct listen *l); /* NULL is fine */

/* As gRPC wants it: "127.0.0.1:50051", "[::]:50051", "unix:/path". */
const char *listen_target(const struct listen *l);
/* The same for whoever calls bind itself; NULL for a UNIX socket. */
const struct sockaddr *listen_sockaddr(const struct listen *l);
bool listen_is_unix(const struct listen *l);
/* A UNIX socket, or an address that only this machine reaches: no TLS needed. */
bool listen_is_local(const struct listen *l);

#endif
