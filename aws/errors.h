/* aws/errors.h
 *
 * What AWS's error codes mean to us: one table, AWS code -> enum err_code and how to go on (retry, slow
 * down, get fresh credentials, set the clock). The second translation, to a gRPC status, is
 * server/status.c's.
 *
 * Two rules shape the table:
 *  - Access denied because of the credentials (expired, unknown, badly signed) is ERR_UNAUTHENTICATED.
 *    ERR_DENIED says that good credentials lack a permission: upper layers may go on without what was
 *    denied.
 *  - ERR_NOT_FOUND lets upper layers take a thing for gone. It comes only from codes that say so, never
 *    from an unexplained HTTP 404.
 *
 * Threads: pure functions. */
#ifndef AWS_ERRORS_H
#define AWS_ERRORS_H

#include "aws/shape.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct aws_error_class {
	enum err_code code;
	bool retryable;  /* by AWS's standard mode */
	bool throttle;   /* the account's quota was hit: the pacer slows down */
	bool expired;    /* fresh credentials may help */
	bool clock_skew; /* a wrong clock may be the cause: compare with the answer's Date */
};

/* aws_code: as AWS wrote it, namespace stripped; empty or unknown: by HTTP status. Letter case does not
 * matter. */
struct aws_error_class aws_error_classify(struct str aws_code, int http_status);

/* An answer that says "no". */
struct aws_failure {
	struct str code, message, request_id; /* empty when the answer did not say */
	struct str reason, resource_type;     /* that some errors of JSON services have besides */
	int http_status;
	int64_t retry_after_ms; /* 0: no opinion */
};

/* Reads code, message, request id and details out of an error body of either protocol (what the body looks like
 * decides: there are front ends that answer XML to JSON requests). type_header: x-amzn-ErrorType, or
 * empty. Never fails: what cannot be read stays empty, so that the HTTP status decides. Strings live in
 * the arena. */
void aws_failure_parse(struct arena *a, struct str body, struct str type_header, struct aws_failure *f);

/* Fills *reterr with everything known of the failure and returns its code (never ERR_OK). That is the code of
 * aws_error_classify unless reason or resource_type say more: a directory whose KMS key is gone is ERR_MISSING,
 * not a user that is ERR_NOT_FOUND; a conflict that is a name already taken is ERR_EXISTS. */
enum err_code aws_failure_to_err(
	const struct aws_operation *op, const struct aws_failure *f, struct err *reterr);

/* Writes "iam:ListUsers" into reterr->aws_operation. */
void aws_err_set_operation(struct err *e, const struct aws_operation *op);

#endif
