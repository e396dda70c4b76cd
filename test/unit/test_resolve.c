/* layers: store base
 *
 * Names and numbers; a resolver that does not answer is not waited for. The C library's is replaced by one that can be held. */
#include "store/resolve.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "base/thread.h"
#include "support/cunit_main.h"
#include "support/fake_clock.h"

static const struct ctx patient = {.clock = &clock_system, .deadline_ms = CTX_NO_DEADLINE};

static size_t blocks_before;

static int init(void)
{
	blocks_before = mem_live_blocks();
	return 0;
}

static atomic_bool is_held; /* while it is set, no name is answered */
static atomic_int lookups;  /* of names, begun */

typedef int(getaddrinfo_fn)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(
	const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **ret_addresses)
{
	getaddrinfo_fn *real;
	void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");

	memcpy(&real, &symbol, sizeof(real)); /* ISO C knows no cast for it */
	if (!(hints->ai_flags & AI_NUMERICHOST)) {
		atomic_fetch_add(&lookups, 1);
		while (is_held)
			clock_sleep_ms(1);
	}
	return real(host, port, hints, ret_addresses);
}

static void test_numbers(void)
{
	struct addrinfo *found;
	struct err err;

	CU_ASSERT_EQUAL_FATAL(resolve(&patient, STR("127.0.0.1"), 6379, &found, &err), ERR_OK);
	CU_ASSERT_EQUAL(found->ai_family, AF_INET);
	CU_ASSERT_EQUAL(((struct sockaddr_in *)(void *)found->ai_addr)->sin_port, htons(6379));
	CU_ASSERT(found->ai_socktype == SOCK_STREAM && found->ai_next == NULL);
	freeaddrinfo(found);
	CU_ASSERT_EQUAL_FATAL(resolve(&patient, STR("::1"), 65535, &found, &err), ERR_OK);
	CU_ASSERT_EQUAL(found->ai_family, AF_INET6);
	CU_ASSERT_EQUAL(((struct sockaddr_in6 *)(void *)found->ai_addr)->sin6_port, htons(65535));
	freeaddrinfo(found);
	ASSERT_I64(lookups, 0, "nobody is asked");
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

static void *time_passes(void *arg)
{
	while (lookups == 0)
		clock_sleep_ms(1);
	fake_clock_advance_ms(arg, 50);
	return NULL;
}

static void *cancel(void *arg)
{
	while (lookups == 0)
		clock_sleep_ms(1);
	cancel_fire(arg);
	return NULL;
}

/* Looks up a name that is not answered, while `fn` does its work. */
static enum err_code look_up_held(const struct ctx *ctx, thread_main_fn *fn, void *arg)
{
	struct addrinfo *found = NULL;
	struct thread thread;
	enum err_code code;
	struct err err;

	lookups = 0;
	CU_ASSERT_EQUAL_FATAL(thread_start(&thread, "test", 0, fn, arg, &err), ERR_OK);
	code = resolve(ctx, STR("localhost"), 1, &found, &err);
	thread_join(&thread);
	CU_ASSERT_PTR_NULL(found);
	return code;
}

/* Nobody waits longer than his ctx allows; what the thread finds then is thrown away. */
static void test_no_time(void)
{
	struct fake_clock clock;
	struct ctx ctx = {.clock = &clock.clock};
	struct cancel *cancelled = cancel_new();

	fake_clock_init(&clock, 0);
	is_held = true;
	ctx.deadline_ms = clock_mono_ms(&clock.clock) + 50;
	CU_ASSERT_EQUAL(look_up_held(&ctx, time_passes, &clock), ERR_DEADLINE);
	ctx = patient;
	ctx.cancel = cancelled;
	CU_ASSERT_EQUAL(look_up_held(&ctx, cancel, cancelled), ERR_CANCELLED);
	cancel_unref(cancelled);
	CU_ASSERT(mem_live_blocks() >= blocks_before + 2); /* the threads are still at it */
	is_held = false;
	for (int i = 0; i < 200 && mem_live_blocks() > blocks_before; i++)
		clock_sleep_ms(50);
	ASSERT_I64(mem_live_blocks(), blocks_before, "the threads have ended");
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"numbers", test_numbers},
		{"names", test_names},
		{"no_time", test_no_time},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"resolve", init, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
