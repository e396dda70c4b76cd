/* base/err.h
 *
 * Errors: a code by value, the details in the caller's struct err.
 *
 * A function that can fail returns enum err_code and takes `struct err *reterr` last. When it does not return
 * ERR_OK it has filled *reterr, and its ret_ arguments are untouched. *reterr is valid only then. There is no
 * thread-local state; a struct err is a plain value on the caller's stack and may be copied.
 *
 * Threads: no shared state. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>
#include <stdint.h>

#define MUST_CHECK        __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define CLEANUP(fn)       __attribute__((cleanup(fn)))
/* clang-format off */
#define TAKE(p) __extension__({ __typeof__(p) take_ = (p); (p) = NULL; take_; })
/* clang-format on */
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* What went wrong, in words that mean the same in every layer. aws/errors.c translates AWS's codes into these,
 * server/status.c translates these into gRPC statuses; nobody else translates. */
enum err_code {
	ERR_OK = 0,
	ERR_INVALID,         /* the caller's input is wrong: argument, page token, configuration */
	ERR_NOT_FOUND,       /* the very thing that was asked for does not exist */
	ERR_MISSING,         /* what must exist for the question to make sense does not (instance, store) */
	ERR_EXISTS,          /* already there */
	ERR_DENIED,          /* credentials are good, permission is missing: reterr->msg names the action */
	ERR_UNAUTHENTICATED, /* credentials are missing, wrong or expired */
	ERR_THROTTLED,       /* AWS asked to slow down, our own retries are used up; retry_after_ms is set */
	ERR_UNAVAILABLE,     /* network failure, AWS 5xx, queue full: the same call may work later */
	ERR_DEADLINE,        /* the deadline of the call passed, or a peer did not answer in time */
	ERR_CANCELLED,       /* the caller gave up */
	ERR_CONFLICT,        /* concurrent modification; try again */
	ERR_PRECONDITION,    /* the state of the world forbids it (DeleteConflict, not enabled) */
	ERR_LIMIT,           /* a quota of AWS's that does not come back by waiting (IAM LimitExceeded) */
	ERR_TOO_LARGE,       /* a size limit of ours was hit: body, message, depth, count */
	ERR_PROTOCOL,        /* a peer's answer makes no sense: not XML, not JSON, truncated, wrong shape */
	ERR_UNSUPPORTED,     /* not implemented, by intention */
	ERR_INTERNAL,        /* our own bug */
	ERR_CODE_COUNT
};

struct err {
	enum err_code code;
	bool retryable;         /* the same call may work later */
	int http_status;        /* of the AWS answer; 0: no answer came */
	int64_t retry_after_ms; /* when retryable: wait this long; 0: no opinion */
	char aws_code[64];      /* "ThrottlingException"; "" when not from AWS */
	char aws_operation[64]; /* "iam:ListUsers"; "" when not from AWS */
	char request_id[64];    /* what AWS support asks for */
	char msg[512];          /* one line, valid UTF-8, no secrets */
};

/* Resets *e, stores code and message (cut at a UTF-8 boundary; control characters become spaces), returns code,
 * so that `return err_set(reterr, ERR_INVALID, "role_arn is empty");` is one line. ERR_THROTTLED, ERR_UNAVAILABLE and
 * ERR_DEADLINE set retryable. */
enum err_code err_set(struct err *e, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Puts "<text>: " in front of e->msg and keeps everything else. Returns e->code. */
enum err_code err_prefix(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* "INVALID", "NOT_FOUND", ...: for logs and metrics. Never NULL. */
const char *err_code_name(enum err_code code);

#endif
