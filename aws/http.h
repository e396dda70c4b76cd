/* aws/http.h
 *
 * HTTP to AWS: the one file that knows libcurl. One I/O thread drives every transfer of a `struct http`;
 * the threads that want answers start flights and pull from them, so one thread can have many flights
 * under way.
 *
 *	http_start(h, &req, &flight, &err)
 *	http_flight_head(flight, ctx, &head, &err)         waits for the status line and the headers
 *	http_flight_read(flight, ctx, &chunk, &err)        waits for bytes; an empty chunk is the end
 *	http_flight_free(flight)                           ends the transfer if it is still under way
 *
 * The body flows through a bounded buffer: a reader that does not read stops the sender. The answer's body
 * has to be read to its end before a transfer counts as complete: only then are truncation and the like
 * known.
 *
 * Threads:   a struct http may be used by any number of threads. A flight (and a waiter with its flights)
 *            belongs to one thread.
 * Ownership: http_start copies the request. What head and read hand out belongs to the flight.
 * Errors:    of head and read, and final: the same one again on the next call.
 *            ERR_UNAVAILABLE  refused, reset, unreachable, end of file too early, TLS failure; retryable,
 *                             except that a certificate that does not verify is not
 *            ERR_DEADLINE     connecting, or the attempt as a whole, took too long: retryable is set;
 *                             or ctx->deadline_ms passed: retryable is not set
 *            ERR_CANCELLED    ctx was cancelled
 *            ERR_INVALID      malformed URL, host name that does not exist, unusable CA bundle
 *            ERR_TOO_LARGE    body or headers over their limit
 *            ERR_PROTOCOL     the peer does not speak HTTP
 *            Messages name the host, never headers, query or body. */
#ifndef AWS_HTTP_H
#define AWS_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"

struct http;
struct http_flight;
struct http_waiter;

struct http_options {
	struct str user_agent;       /* empty: "baton-awsd" */
	struct str ca_bundle;        /* PEM file (AWS_CA_BUNDLE); empty: the system's */
	int64_t connect_timeout_ms;  /* 0: 30 s, TLS handshake included */
	int64_t stall_timeout_ms;    /* 0: 60 s without a byte in either direction; whole seconds */
	size_t max_host_connections; /* 0: 32 */
	/* HTTPS_PROXY, HTTP_PROXY, NO_PROXY; NULL: no proxy. Borrowed for the call. */
	const char *const *environ;
};

/* ERR_INVALID: the CA bundle cannot be read. ERR_UNAVAILABLE: no thread to be had. */
MUST_CHECK enum err_code http_new(
	const struct http_options *opts, struct http **ret_http, struct err *reterr);

/* Ends the I/O thread. All flights must have been freed. NULL is fine. */
void http_free(struct http *h);
void http_freep(struct http **h);

struct http_header {
	struct str name, value;
};

#define HTTP_MAX_BODY_DEFAULT (64u << 20)

struct http_request {
	struct str method; /* "GET", "POST", "PUT", ... */
	struct str url;    /* http or https, complete with path and query, already encoded */
	/* Host and Content-Length come from url and body unless they are given here. */
	const struct http_header *headers;
	size_t n_headers;
	struct str body;
	int64_t timeout_ms;         /* of this attempt, waiting for a connection included; 0: 300 s */
	size_t max_body_bytes;      /* of the answer; 0: HTTP_MAX_BODY_DEFAULT */
	int64_t connect_timeout_ms; /* 0: what http_new was told */
	bool direct;                /* through no proxy, whatever the environment says */
	struct http_waiter *waiter; /* NULL: one of the flight's own */
};

/* Hands the request to the I/O thread and returns at once. ERR_INVALID: a URL, header or method that
 * cannot be sent (bad scheme, control characters). Everything else is learned from head and read. */
MUST_CHECK enum err_code http_start(
	struct http *h, const struct http_request *req, struct http_flight **ret_flight, struct err *reterr);

/* NULL is fine. A transfer under way is ended: nothing more of it is waited for. */
void http_flight_free(struct http_flight *f);
void http_flight_freep(struct http_flight **f);

/* What the client looks at. Absent, over-long or unprintable values are empty. */
struct http_head {
	int status;             /* 200 ... */
	int64_t content_length; /* -1: not said */
	struct str content_type;
	struct str date;            /* IMF-fixdate, for clock skew */
	struct str request_id;      /* x-amzn-RequestId, else x-amz-request-id */
	struct str error_type;      /* x-amzn-ErrorType (JSON protocols) */
	struct str retry_after;     /* Retry-After: seconds, or an HTTP date */
	struct str amz_retry_after; /* x-amz-retry-after: milliseconds */
};

/* Waits until the final status line and headers are there. */
MUST_CHECK enum err_code http_flight_head(
	struct http_flight *f, const struct ctx *ctx, const struct http_head **ret_head, struct err *reterr);

/* Waits for bytes of the body. *ret_chunk is valid until the next call on f; empty (n == 0): the body is
 * complete. */
MUST_CHECK enum err_code http_flight_read(
	struct http_flight *f, const struct ctx *ctx, struct str *ret_chunk, struct err *reterr);

/* Waiting for several flights with one thread: start them with the same waiter, then
 *
 *	for (;;) {
 *		for each flight f: while (http_flight_ready(f)) take the next step with it
 *		http_waiter_wait(w, ctx, timeout_ms, &err)
 *	}
 *
 * http_flight_ready: the next head (before the head was handed out) or read would not block.
 * http_waiter_wait returns at once when something arrived for any flight since the last wait; ERR_OK too
 * when timeout_ms (INT64_MAX: for ever) is over; ctx's errors. */
struct http_waiter *http_waiter_new(void);
void http_waiter_free(struct http_waiter *w); /* NULL is fine; before or after its flights */
void http_waiter_freep(struct http_waiter **w);
bool http_flight_ready(struct http_flight *f);
MUST_CHECK enum err_code http_waiter_wait(
	struct http_waiter *w, const struct ctx *ctx, int64_t timeout_ms, struct err *reterr);

struct http_stats {
	uint64_t requests;    /* transfers ended, in whatever way */
	uint64_t connections; /* connections opened for them */
	uint64_t bytes_in;    /* bodies */
};
struct http_stats http_get_stats(struct http *h);

#endif
