/* layers: server syncers proto base
 *
 * What an error becomes on the wire: the code that decides what the engine does next, and the detail that says when to come back. */
#include "server/status.h"

#include "proto/messages.h"
#include "proto/pb_build.h"
#include "proto/pb_check.h"
#include "support/cunit_main.h"
#include "support/fake_clock.h"

#define NOW_S 1700000000

static struct arena *arena;
static struct fake_clock fake;

static void set_up(void)
{
	arena = arena_new(0);
	fake_clock_init(&fake, NOW_S);
}

static void tear_down(void)
{
	arena_free(arena);
}

/* Written down a second time on purpose: a slip in the table would retry for ever, or lose resources silently. */
static void test_codes(void)
{
	static const struct {
		enum err_code err;
		enum rpc_code rpc;
	} rows[] = {
		{ERR_INVALID, RPC_INVALID_ARGUMENT},
		{ERR_NOT_FOUND, RPC_NOT_FOUND},
		{ERR_MISSING, RPC_FAILED_PRECONDITION},
		{ERR_EXISTS, RPC_ALREADY_EXISTS},
		{ERR_DENIED, RPC_PERMISSION_DENIED},
		{ERR_UNAUTHENTICATED, RPC_UNAUTHENTICATED},
		{ERR_THROTTLED, RPC_UNAVAILABLE},
		{ERR_UNAVAILABLE, RPC_UNAVAILABLE},
		{ERR_DEADLINE, RPC_DEADLINE_EXCEEDED},
		{ERR_CANCELLED, RPC_CANCELLED},
		{ERR_CONFLICT, RPC_ABORTED},
		{ERR_PRECONDITION, RPC_FAILED_PRECONDITION},
		{ERR_LIMIT, RPC_RESOURCE_EXHAUSTED},
		{ERR_TOO_LARGE, RPC_RESOURCE_EXHAUSTED},
		{ERR_PROTOCOL, RPC_INTERNAL},
		{ERR_UNSUPPORTED, RPC_UNIMPLEMENTED},
		{ERR_INTERNAL, RPC_INTERNAL},
	};

	CU_ASSERT_EQUAL(ARRAY_LEN(rows) + 1, ERR_CODE_COUNT); /* every code but ERR_OK */
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct status st;
		struct err err;

		err_set(&err, rows[i].err, "why");
		ASSERT_I64(status_from_err(&st, arena, &fake.clock, &err, "prefix"), rows[i].rpc,
			err_code_name(rows[i].err));
		ASSERT_STR(st.message, STR("prefix: why"), err_code_name(rows[i].err));
	}
	CU_ASSERT_EQUAL(rpc_code_of_err((enum err_code)99), RPC_INTERNAL);
	CU_ASSERT_STRING_EQUAL(rpc_code_name(RPC_UNAUTHENTICATED), "UNAUTHENTICATED");
	CU_ASSERT_STRING_EQUAL(rpc_code_name((enum rpc_code)99), "UNKNOWN");
}

/* The details as a client reads them; NULL when there are none. */
static V2(RateLimitDescription) * limit_of(const struct status *st)
{
	ProtobufCMessage *msg = NULL, *limit = NULL;
	Google__Rpc__Status *status;
	struct err err;

	if (st->details.n == 0)
		return NULL;
	CU_ASSERT_EQUAL_FATAL(
		pb_unpack(arena, &google__rpc__status__descriptor, st->details, PB_MAX_BYTES, &msg, &err),
		ERR_OK);
	status = (Google__Rpc__Status *)msg;
	ASSERT_I64(status->code, st->code, "a client takes a different code for a broken server");
	ASSERT_STR(str_c(status->message), st->message, "message in the details");
	CU_ASSERT_EQUAL_FATAL(pb_get_annotation(arena, status->details, status->n_details,
				      V2_DESC(rate_limit_description), &limit, &err),
		ERR_OK);
	return (V2(RateLimitDescription) *)limit;
}

static void test_retry_details(void)
{
	static const struct {
		enum err_code code;
		int64_t retry_after_ms;
		int64_t wait_ms; /* -1: no details */
	} rows[] = {
		{ERR_THROTTLED, 0, 5000},
		{ERR_THROTTLED, 1500, 1500},
		{ERR_THROTTLED, 3600000, 60000}, /* the engine would ignore more */
		{ERR_UNAVAILABLE, 0, -1},
		{ERR_UNAVAILABLE, 2000, 2000},
		{ERR_DENIED, 2000, -1},
		{ERR_DEADLINE, 0, -1},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		V2(RateLimitDescription) * limit;
		struct status st;
		struct err err;

		err_set(&err, rows[i].code, "slow down");
		err.retry_after_ms = rows[i].retry_after_ms;
		status_from_err(&st, arena, &fake.clock, &err, NULL);
		limit = limit_of(&st);
		CU_ASSERT_EQUAL(limit == NULL, rows[i].wait_ms < 0);
		if (limit == NULL)
			continue;
		CU_ASSERT_EQUAL(limit->status, V2_ENUM(RATE_LIMIT_DESCRIPTION__STATUS__STATUS_OVERLIMIT));
		ASSERT_I64(limit->remaining, 0, "remaining");
		ASSERT_I64((limit->reset_at->seconds - NOW_S) * 1000 + limit->reset_at->nanos / 1000000,
			rows[i].wait_ms, "wait");
	}
}

static void test_busy(void)
{
	V2(RateLimitDescription) * limit;
	struct status st;

	CU_ASSERT_EQUAL(status_busy(&st, arena, &fake.clock, 1000, "busy"), RPC_UNAVAILABLE);
	limit = limit_of(&st);
	CU_ASSERT_PTR_NOT_NULL_FATAL(limit);
	ASSERT_I64(limit->reset_at->seconds, NOW_S + 1, "reset");
}

/* Trailers have room for 8 KiB, and Go refuses a message that is not UTF-8. */
static void test_messages_are_safe(void)
{
	char many[4001];
	struct status st;

	status_set(&st, arena, RPC_INTERNAL, "a\xff%s", "b");
	ASSERT_STR(st.message,
		STR("a\xef\xbf\xbd"
		    "b"),
		"invalid byte");
	for (size_t i = 0; i < 4000; i++)
		many[i] = i % 2 ? '\xa4' : '\xc3'; /* two bytes each: a cut must not split one */
	many[4000] = '\0';
	status_set(&st, arena, RPC_INTERNAL, "x%s", many);
	CU_ASSERT(st.message.n <= STATUS_MAX_MESSAGE);
	CU_ASSERT_TRUE(str_is_utf8(st.message));
}

static void test_request_id(void)
{
	struct status st;
	struct err err;

	err_set(&err, ERR_DENIED, "iam:ListUsers is not allowed");
	memcpy(err.request_id, "abc-123", sizeof("abc-123"));
	status_from_err(&st, arena, &fake.clock, &err, NULL);
	ASSERT_STR(st.request_id, STR("abc-123"), "for the log");
	ASSERT_STR(st.message, STR("iam:ListUsers is not allowed"), "without prefix");
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"codes", test_codes},
		{"retry_details", test_retry_details},
		{"busy", test_busy},
		{"messages_are_safe", test_messages_are_safe},
		{"request_id", test_request_id},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"status", NULL, NULL, set_up, tear_down, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
