/* layers: store base
 *
 * Names and numbers; a resolver that does not answer is not waited for. */
#include "store/resolve.h"

#include <arpa/inet.h>

#include "base/mem.h"
#include "support/cunit_main.h"

static const struct ctx patient = {.clock = &clock_system, .deadline_ms = CTX_NO_DEADLINE};

static void test_numbers(void)
{
	struct addrinfo *found;
	struct err err;

	CU_ASSERT_EQUAL_FATAL(resolve(&patient, STR("127.0.0.1"), 6379, &found, &err), ERR_OK);
	CU_ASSERT_EQUAL(found->ai_family, AF_INET);
	CU_ASSERT_EQUAL(((struct sockaddr_in *)(void *)found->ai_addr)->sin_port, htons(6379));
	freeaddrinfo(found);
	CU_ASSERT_EQUAL_FATAL(resolve(&patient, STR("::1"), 65535, &found, &err), ERR_OK);
	CU_ASSERT_EQUAL(found->ai_family, AF_INET6);
	freeaddrinfo(found);
}

static void test_names(void)
{
	struct addrinfo *found = NULL;
	struct err err;

	CU_ASSERT_EQUAL_FATAL(resolve(&patient, STR("localhost"), 1, &found, &err), ERR_OK);
	freeaddrinfo(found);
	CU_ASSERT_EQUAL(resolve(&patient, STR("no such name"), 1, &found, &err), ERR_UNAVAILABLE);
	CU_ASSERT(str_starts(str_c(err.msg), STR("no address")));
}

/* Nobody waits when there is no time; what the thread finds then is thrown away. */
static void test_no_time(void)
{
	struct ctx ctx = {.clock = &clock_system, .deadline_ms = 0};
	struct addrinfo *found = NULL;
	struct cancel *cancel = cancel_new();
	const size_t before = mem_live_blocks() - 1; /* cancel */
	struct err err;
	enum err_code code = resolve(&ctx, STR("localhost"), 1, &found, &err);

	if (code == ERR_OK) /* the thread was faster */
		freeaddrinfo(found);
	else
		CU_ASSERT_EQUAL(code, ERR_DEADLINE);
	cancel_fire(cancel);
	ctx = patient;
	ctx.cancel = cancel;
	code = resolve(&ctx, STR("localhost"), 1, &found, &err);
	if (code == ERR_OK)
		freeaddrinfo(found);
	else
		CU_ASSERT_EQUAL(code, ERR_CANCELLED);
	cancel_unref(cancel);
	for (int i = 0; i < 200 && mem_live_blocks() > before; i++) /* until the threads have ended */
		clock_sleep_ms(50);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"numbers", test_numbers},
		{"names", test_names},
		{"no_time", test_no_time},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"resolve", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
