/* aws/query.h
 *
 * The AWS query protocol (IAM, STS): the request is a form, the answer is XML. Both by the tables of
 * aws/shape.h; nothing here knows an operation or the network.
 *
 *	request   Action=ListUsers&Version=2010-05-08&MaxItems=1000
 *	answer    <ListUsersResponse><ListUsersResult><Users><member>...</member></Users>...
 *
 * The decoder takes bytes as they come and fills the output struct. With a sink, the elements of its
 * top-level lists go there one by one and leave no trace, so that an answer of any size costs the
 * memory of its largest element.
 *
 * Threads:   a decoder belongs to one thread.
 * Ownership: what the decoder produces lives in the caller's arena (an element given to the sink: until
 *            the sink returns).
 * Errors:    ERR_PROTOCOL with the path of what was wrong ("ListUsersResult.Users[3].CreateDate: ...");
 *            ERR_TOO_LARGE for a limit; or what the sink returned. */
#ifndef AWS_QUERY_H
#define AWS_QUERY_H

#include "aws/shape.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct aws_failure;

/* Appends the form of op with in (NULL: no members). Empty strings, unset numbers and empty lists are
 * left out. ERR_TOO_LARGE: over the buffer's cap. */
MUST_CHECK enum err_code aws_query_encode(
	const struct aws_operation *op, const void *in, struct buf *body, struct err *reterr);

struct aws_query_decoder;

struct aws_query_decoder_options {
	const struct aws_operation *op;
	struct arena *arena;
	void *out;                   /* zeroed by the decoder; NULL: only the form is checked */
	const struct aws_sink *sink; /* NULL: lists go into out */
	size_t max_bytes;            /* of the body; also bounds what its lists take in memory */
};

struct aws_query_decoder *aws_query_decoder_new(const struct aws_query_decoder_options *opts);
void aws_query_decoder_free(struct aws_query_decoder *d); /* NULL is fine */
void aws_query_decoder_freep(struct aws_query_decoder **d);

MUST_CHECK enum err_code aws_query_decoder_feed(
	struct aws_query_decoder *d, struct str chunk, struct err *reterr);

/* The body is over. When the bytes were well-formed but the document is not complete: ERR_PROTOCOL with
 * *ret_truncated set (the answer was cut on its way; ask again). */
MUST_CHECK enum err_code aws_query_decoder_finish(
	struct aws_query_decoder *d, bool *ret_truncated, struct err *reterr);

/* Reads <Error><Code>, <Message> and <RequestId> wherever they stand, also in a document that is cut or
 * has no known frame; a root like <AccessDeniedException> is taken as the code. Fills what it finds of
 * f's texts. */
void aws_query_read_error(struct arena *a, struct str body, struct aws_failure *f);

#endif
