/* aws/json11.h
 *
 * The AWS JSON 1.1 protocol (SSO Admin, Identity Store, Organizations, CloudTrail): both bodies are
 * JSON objects, the operation stands in the header X-Amz-Target. By the tables of aws/shape.h; nothing
 * here knows an operation or the network.
 *
 * Threads:   pure functions.
 * Ownership: results live in the caller's arena.
 * Errors:    ERR_PROTOCOL with the path of what was wrong ("ListInstances.Instances[2].CreatedDate:
 *            ..."); ERR_TOO_LARGE. */
#ifndef AWS_JSON11_H
#define AWS_JSON11_H

#include "aws/shape.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct aws_failure;

/* "SWBExternalService.ListInstances" */
struct str aws_json11_target(const struct aws_operation *op, struct arena *a);

/* Appends the body of op with in (NULL: no members): "{}" at least. ERR_TOO_LARGE: over the buffer's cap. */
MUST_CHECK enum err_code aws_json11_encode(
	const struct aws_operation *op, const void *in, struct buf *body, struct err *reterr);

struct aws_json11_answer {
	const struct aws_operation *op;
	struct str body;
	size_t max_bytes;
	const struct aws_sink *sink; /* NULL: lists go into out */
};

/* Fills out (zeroed first; NULL: only the form is checked). With a sink the elements of the top-level
 * lists go there, in a scratch arena each. *ret_sink_failed: the error is the sink's. */
MUST_CHECK enum err_code aws_json11_decode(const struct aws_json11_answer *answer, struct arena *arena,
	void *out, bool *ret_sink_failed, struct err *reterr);

/* The error's name without its frame: "com.amazonaws.x#AccessDeniedException:http://..." gives
 * "AccessDeniedException". */
struct str aws_json11_error_name(struct str type);

/* Reads __type (or code), message/Message/errorMessage, Reason, ResourceType, RetryAfterSeconds. Fills what it
 * finds of them. */
void aws_json11_read_error(struct arena *a, struct str body, struct aws_failure *f);

#endif
