/* aws/client.h
 *
 * One AWS call, whole: pacer, credentials, SigV4, transport, decoding, and AWS's standard retry mode around it all
 * (spec/iam.md 3.7). A client is a service in a region seen through one set of credentials (so: one account).
 *
 * Threads:   a client is immutable and may be used by any number of threads.
 * Ownership: results live in the caller's arena and die with it; a client is reference-counted.
 * Errors:    aws/errors.c says which AWS code becomes which err_code. reterr carries AWS's code, the operation
 *            ("iam:ListUsers"), the request id and the HTTP status. ERR_THROTTLED and ERR_UNAVAILABLE come only after the retries are
 *            used up; ERR_DEADLINE and ERR_CANCELLED when ctx ended first. ERR_DENIED names the missing action in msg. */
#ifndef AWS_CLIENT_H
#define AWS_CLIENT_H

#include "aws/shape.h"
#include "base/arena.h"
#include "base/ctx.h"
#include "base/err.h"

struct aws_client;

struct aws_client *aws_client_ref(struct aws_client *c);
void aws_client_unref(struct aws_client *c); /* NULL is fine */
void aws_client_unrefp(struct aws_client **c);

/* How far AWS's clock is ahead of ours, as far as refused signatures have told. */
int64_t aws_client_skew_s(const struct aws_client *c);

/* Makes one call and waits for it. in: the operation's input struct, or NULL; out: its output struct (zeroed by us) or NULL.
 * max_bytes of the answer's body: 64 MiB. */
MUST_CHECK enum err_code aws_call(struct aws_client *c, const struct ctx *ctx, const struct aws_operation *op,
	const void *in, struct arena *arena, void *out, struct err *reterr);

/* The same, with the top-level lists of the answer going to sink instead of into out. ERR_TOO_LARGE when the body is over the
 * bound: ask again with a smaller page. */
MUST_CHECK enum err_code aws_call_stream(struct aws_client *c, const struct ctx *ctx,
	const struct aws_operation *op, const void *in, struct arena *arena, void *out,
	const struct aws_sink *sink, struct err *reterr);

/* Many calls at once from one thread: up to max_in_flight are under way together. Each item has its own result; the function returns
 * when all are done. After the first item that failed with something that stop_on (may be NULL: stop on any error) accepts, no
 * further item is started, and those get ERR_CANCELLED. */
struct aws_call_item {
	const struct aws_operation *op;
	const void *in;
	void *out;
	struct arena *arena; /* of out; NULL: that of the function's caller */
	enum err_code code;  /* result */
	struct err err;      /* when code is not ERR_OK */
};
typedef bool(aws_stop_fn)(const struct aws_call_item *item);
void aws_call_many(struct aws_client *c, const struct ctx *ctx, struct aws_call_item *items, size_t n,
	size_t max_in_flight, aws_stop_fn *stop_on, struct arena *arena);

/* The same for items that are made when their turn comes, and taken back one by one as they are done. Both functions run on the calling
 * thread and do not block. */
struct aws_call_source {
	/* An item with an arena of its own if it has an output, which lives until it is done. NULL: there are no more, now and later. */
	struct aws_call_item *(*next)(void *self);
	void (*done)(void *self, struct aws_call_item *item);
	void *self;
};
/* ERR_OK: the source has no more, and all it gave are done, well or not. Else why it was not asked for all (ctx ended): what was under way
 * was given back with that error. */
MUST_CHECK enum err_code aws_call_each(struct aws_client *c, const struct ctx *ctx,
	const struct aws_call_source *source, size_t max_in_flight, struct err *reterr);

#endif
