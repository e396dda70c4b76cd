/* test/support/json_operation.h
 *
 * One operation of a JSON service without a network: what it would send, and what it makes of an answer.
 *
 * Threads: main thread only. Ownership: everything lives in the arena. */
#ifndef TEST_SUPPORT_JSON_OPERATION_H
#define TEST_SUPPORT_JSON_OPERATION_H

#include "aws/json11.h"
#include "support/cunit_main.h"

/* "Prefix.Operation {body}" */
static inline struct str json_operation_request(
	const struct aws_operation *op, const void *in, struct arena *a)
{
	CLEANUP(buf_deinit) struct buf body;
	struct err err;

	buf_init(&body, 4000);
	CU_ASSERT_EQUAL_FATAL(aws_json11_encode(op, in, &body, &err), ERR_OK);
	return str_fmt(a, STR_FMT " " STR_FMT, STR_ARG(aws_json11_target(op, a)), STR_ARG(buf_view(&body)));
}

static inline void json_operation_answer(
	const struct aws_operation *op, const char *body, void *out, struct arena *a)
{
	struct aws_json11_answer answer = {.op = op, .body = str_c(body), .max_bytes = 100000};
	struct err err = {.msg = ""};
	bool sink_failed;

	CU_ASSERT_EQUAL(aws_json11_decode(&answer, a, out, &sink_failed, &err), ERR_OK);
	ASSERT_STR(str_c(err.msg), STR_EMPTY, op->name);
}

#endif
