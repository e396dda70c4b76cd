/* aws/metadata.h
 *
 * One small question to a service that hands out credentials: EC2's instance metadata, the agents of
 * ECS and EKS. The whole answer in memory, bounded; short time-outs; redirects are answers like
 * others; only https goes through a proxy, because what is answered are keys.
 *
 * Threads:   any. Ownership: the answer is the caller's.
 * Errors:    those of aws/http.h when no answer came; an answer with an error status is an answer. */
#ifndef AWS_METADATA_H
#define AWS_METADATA_H

#include "aws/http.h"
#include "base/buf.h"
#include "base/ctx.h"

#define METADATA_MAX_BYTES          65536
#define METADATA_CONNECT_TIMEOUT_MS 1000
#define METADATA_ATTEMPTS           3

struct metadata_request {
	struct str method;
	struct str url;
	const struct http_header *headers;
	size_t n_headers;
	int64_t timeout_ms; /* of one attempt */
	bool silence_ends; /* no answer at all: do not ask again. Else that is asked up to METADATA_ATTEMPTS times, as are 429 and 5xx */
};

struct metadata_answer {
	int status;
	struct buf body; /* wiped when let go of */
};

/* For CLEANUP; a zeroed answer is fine. */
void metadata_answer_deinit(struct metadata_answer *a);

MUST_CHECK enum err_code metadata_ask(struct http *http, const struct ctx *ctx,
	const struct metadata_request *req, struct metadata_answer *ret_answer, struct err *reterr);

#endif
