/* store/stream.h
 *
 * A connection as a stream of bytes: TCP, UNIX socket, or TLS on TCP. Every wait ends with the deadline or the cancellation
 * of the ctx.
 *
 * Threads:   a stream belongs to one thread at a time; struct stream_tls is shared by any number.
 * Ownership: options are borrowed for the call, but for tls, which outlives the opening of its streams.
 * Errors:    ERR_UNAVAILABLE: refused, reset, closed, no such host. ERR_DEADLINE, ERR_CANCELLED. ERR_UNAUTHENTICATED: TLS
 *            could not agree, or the server's certificate is not good. ERR_INVALID: files that are no certificates. */
#ifndef STORE_STREAM_H
#define STORE_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"

struct stream;
struct stream_tls;

struct stream_tls_options {
	struct str ca_file;   /* PEM; empty: the system's */
	struct str cert_file; /* PEM, the client's own, with key_file; empty: none */
	struct str key_file;
	struct str server_name; /* in the server's certificate; empty: the host that is connected to */
	bool accept_any;        /* the certificate is not looked at */
};
/* Looks whether the files are good. They are read anew for each connection, so they may be replaced at any time. */
MUST_CHECK enum err_code stream_tls_new(
	const struct stream_tls_options *opts, struct stream_tls **ret_tls, struct err *reterr);
void stream_tls_free(struct stream_tls *t); /* NULL is fine */

struct stream_options {
	struct str path; /* of a UNIX socket; not empty: host and port do not count */
	struct str host; /* without brackets */
	unsigned port;
	struct stream_tls *tls; /* NULL: plain */
};
MUST_CHECK enum err_code stream_open(const struct stream_options *opts, const struct ctx *ctx,
	struct stream **ret_stream, struct err *reterr);
void stream_free(struct stream *s); /* NULL is fine */

MUST_CHECK enum err_code stream_write(
	struct stream *s, const struct ctx *ctx, struct str bytes, struct err *reterr);

/* Waits for bytes: at least 1, at most size. ERR_UNAVAILABLE also when the peer has closed. */
MUST_CHECK enum err_code stream_read(
	struct stream *s, const struct ctx *ctx, char *bytes, size_t size, size_t *ret_n, struct err *reterr);

/* Whether nothing has come, neither bytes nor an end: so it should be between two requests. */
bool stream_is_quiet(struct stream *s);

#endif
