/* layers: inventory store base
 *
 * Several servers on one store, a real Redis: who fetches, who waits, who takes over; and a store that fails. A shelf and its facts are
 * a server here. */
#include "inventory/shelf.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "inventory/facts.h"
#include "store/redis.h"
#include "support/cunit_main.h"
#include "support/fake_clock.h"
#include "support/redis_server.h"

#define SERVERS 3

static const struct ctx ctx = {.clock = &clock_system, .deadline_ms = CTX_NO_DEADLINE};
static struct redis_server *redis;
static char sync[24]; /* a new one for each test: one that was cleared has ended */

static struct fixture {
	struct store *stores[SERVERS];
	struct shelf *shelves[SERVERS];
	struct facts *facts[SERVERS];
	atomic_int fetches;
	atomic_int failures_left;
	atomic_bool hold; /* fetches wait while it is set */
} fx;

static int start_redis(void)
{
	redis = redis_server_start();
	return 0;
}

static int stop_redis(void)
{
	redis_server_stop(redis);
	return 0;
}

static struct store *new_store(const char *url)
{
	const struct store_redis_options opts = {
		.url = str_c(url),
		.max_value_bytes = 10000,
		.max_age_ms = 100000,
		.connect_timeout_ms = 5000,
		.command_timeout_ms = 5000,
		.idle_ms = 60000,
		.clock = &clock_system,
	};
	struct store *s = NULL;
	struct err err;

	if (store_redis_new(&opts, &s, &err) != ERR_OK)
		abort();
	return s;
}

static void set_up(int64_t lease_ms)
{
	static int n;

	(void)snprintf(sync, sizeof(sync), "sync-%d", n++);
	fx.fetches = fx.failures_left = 0;
	fx.hold = false;
	for (size_t i = 0; i < SERVERS; i++) {
		fx.stores[i] = new_store(redis_server_url(redis));
		fx.shelves[i] = shelf_new(&(struct shelf_options){
			.store = fx.stores[i], .clock = &clock_system, .lease_ms = lease_ms});
		fx.facts[i] = facts_new(&(struct facts_options){
			.shelf = fx.shelves[i], .clock = &clock_system, .max_bytes = 10000, .self = &fx});
	}
}

static void tear_down(void)
{
	shelf_clear(fx.shelves[0], &ctx, str_c(sync));
	for (size_t i = 0; i < SERVERS; i++) {
		facts_free(fx.facts[i]);
		shelf_free(fx.shelves[i]);
		store_free(fx.stores[i]);
	}
}

static enum store_found look(struct shelf *s, const char *key)
{
	struct store_item item = {.key = str_c(key)};

	shelf_get(s, &ctx, str_c(sync), &item, 1);
	blob_unref(item.value);
	return item.found;
}

/* Leases are ended in the background. */
static enum store_found look_until(struct shelf *s, const char *key, enum store_found want)
{
	for (int i = 0; i < 6000 && look(s, key) != want; i++)
		clock_sleep_ms(10);
	return look(s, key);
}

static void put(struct shelf *s, const char *key, struct str bytes)
{
	CLEANUP(blob_unrefp) struct blob *value = blob_new(bytes);
	const struct store_item item = {.key = str_c(key), .value = value};

	shelf_put(s, &ctx, str_c(sync), &item, 1, 0);
}

static void test_one_fetches(void)
{
	const struct str key = STR("a");

	set_up(0);
	CU_ASSERT_EQUAL(look(fx.shelves[0], "a"), STORE_YOURS);
	CU_ASSERT_EQUAL(look(fx.shelves[1], "a"), STORE_ELSEWHERE);
	shelf_done(fx.shelves[1], str_c(sync), &key, 1); /* not its own */
	CU_ASSERT_EQUAL(look(fx.shelves[1], "a"), STORE_ELSEWHERE);
	shelf_done(fx.shelves[0], str_c(sync), &key, 1); /* it failed */
	CU_ASSERT_EQUAL(look_until(fx.shelves[1], "a", STORE_YOURS), STORE_YOURS);
	put(fx.shelves[1], "a", STR("1"));
	shelf_done(fx.shelves[1], str_c(sync), &key, 1);
	CU_ASSERT_EQUAL(look(fx.shelves[2], "a"), STORE_VALUE);
	ASSERT_I64(shelf_failures(fx.shelves[0]), 0, "failures");
	tear_down();
}

/* Of 0's lease, which 1 asks for: whether it holds for more than twice as long as it lasts by itself. */
static bool is_prolonged(void)
{
	const int64_t until_ms = clock_mono_ms(&clock_system) + 5000;

	CU_ASSERT_EQUAL(look(fx.shelves[0], "a"), STORE_YOURS);
	while (clock_mono_ms(&clock_system) < until_ms) {
		if (look(fx.shelves[1], "a") != STORE_ELSEWHERE)
			return false;
		clock_sleep_ms(200);
	}
	return true;
}

/* While its server lives a lease does not run out, unless the machine gives that server no time for more than a second: then another
 * try says whether it was that. */
static void test_leases_are_prolonged(void)
{
	bool is_whole;

	for (int i = 0; i < 5; i++) {
		set_up(2000);
		is_whole = is_prolonged();
		if (is_whole)
			break;
		tear_down();
	}
	CU_ASSERT_TRUE_FATAL(is_whole);
	shelf_free(fx.shelves[0]); /* its server dies: nobody ends the lease */
	fx.shelves[0] = shelf_new(&(struct shelf_options){.store = fx.stores[0], .clock = &clock_system});
	while (look(fx.shelves[1], "a") == STORE_ELSEWHERE)
		clock_sleep_ms(20);
	CU_ASSERT_EQUAL(look(fx.shelves[2], "a"), STORE_ELSEWHERE); /* it is 1's now */
	facts_free(fx.facts[0]);
	fx.facts[0] = facts_new(
		&(struct facts_options){.shelf = fx.shelves[0], .clock = &clock_system, .self = &fx});
	tear_down();
}

/* A store that takes its time for one of its calls. */
static const struct store_vtable *real;
static struct store_vtable busy;
static atomic_bool renewing;

static enum err_code renew_slowly(struct store *s, const struct ctx *of_ctx, struct str scope,
	const struct store_lease *leases, size_t n, int64_t lease_ms, struct err *reterr)
{
	atomic_store(&renewing, true);
	while (atomic_load(&fx.hold))
		clock_sleep_ms(1);
	return real->renew_leases(s, of_ctx, scope, leases, n, lease_ms, reterr);
}

static void *free_main(void *shelf)
{
	shelf_free(shelf);
	return NULL;
}

/* A server that is asked to stop while its keeper is busy: what its threads were done with goes to the others at once. */
static void test_the_last_leases_are_ended(void)
{
	const struct str key = STR("a");
	struct thread thread;
	struct store *store;
	struct shelf *s;
	struct err err;

	set_up(0);
	fx.hold = true;
	renewing = false;
	store = new_store(redis_server_url(redis));
	real = store->vtable;
	busy = *real;
	busy.renew_leases = renew_slowly;
	store->vtable = &busy;
	s = shelf_new(&(struct shelf_options){.store = store, .clock = &clock_system, .lease_ms = 3000});
	CU_ASSERT_EQUAL(look(s, "a"), STORE_YOURS);
	while (!atomic_load(&renewing))
		clock_sleep_ms(1);
	shelf_done(s, str_c(sync), &key, 1);
	CU_ASSERT_EQUAL_FATAL(thread_start(&thread, "free", 0, free_main, s, &err), ERR_OK);
	clock_sleep_ms(50);
	fx.hold = false;
	thread_join(&thread);
	CU_ASSERT_EQUAL(look(fx.shelves[1], "a"), STORE_YOURS);
	store_free(store);
	tear_down();
}

static enum err_code ended_slowly(
	struct store *s, const struct ctx *of_ctx, struct str scope, bool *ret_ended, struct err *reterr)
{
	clock_sleep_ms(500);
	return real->ended(s, of_ctx, scope, ret_ended, reterr);
}

/* To look for the ends of all its syncs takes the keeper 4 s. */
static bool lease_comes_first(void)
{
	const int64_t until_ms = clock_mono_ms(&clock_system) + 5000;
	struct store *store;
	struct shelf *s;
	bool is_whole = true;

	set_up(0);
	store = new_store(redis_server_url(redis));
	real = store->vtable;
	busy = *real;
	busy.ended = ended_slowly;
	store->vtable = &busy;
	s = shelf_new(&(struct shelf_options){
		.store = store, .clock = &clock_system, .lease_ms = 1500, .look_ms = 500});
	for (char name[] = "scope-0"; name[6] < '8'; name[6]++) {
		struct store_item item = {.key = STR_INIT("a")};

		shelf_get(s, &ctx, str_c(name), &item, 1);
	}
	CU_ASSERT_EQUAL(look(s, "a"), STORE_YOURS);
	while (is_whole && clock_mono_ms(&clock_system) < until_ms) {
		is_whole = look(fx.shelves[1], "a") == STORE_ELSEWHERE;
		clock_sleep_ms(100);
	}
	shelf_free(s);
	store_free(store);
	tear_down();
	return is_whole;
}

/* Before everything else that the keeper does, when the store is slow. */
static void test_leases_come_first(void)
{
	bool is_whole = false;

	for (int i = 0; i < 5 && !is_whole; i++) /* see is_prolonged */
		is_whole = lease_comes_first();
	CU_ASSERT_TRUE(is_whole);
}

static void test_views(void)
{
	struct shelf *other = NULL;

	set_up(0);
	other = shelf_new(
		&(struct shelf_options){.store = fx.stores[1], .clock = &clock_system, .view = STR("other")});
	put(fx.shelves[0], "a", STR("1"));
	CU_ASSERT_EQUAL(look(fx.shelves[1], "a"), STORE_VALUE);
	CU_ASSERT_EQUAL(look(other, "a"), STORE_YOURS);
	shelf_free(other);
	tear_down();
}

/* --- facts of several servers --- */

static enum err_code fetch(const struct fact_kind *of, void *self, const struct ctx *of_ctx, struct str scope,
	struct str name, void **partial, void **ret_fact, struct err *reterr)
{
	(void)of;
	(void)self;
	(void)scope;
	(void)partial;
	atomic_fetch_add(&fx.fetches, 1);
	while (atomic_load(&fx.hold)) {
		if (ctx_sleep_ms(of_ctx, 1, "holding", reterr) != ERR_OK)
			return reterr->code;
	}
	if (atomic_fetch_sub(&fx.failures_left, 1) > 0)
		return err_set(reterr, ERR_UNAVAILABLE, "on demand");
	*ret_fact = blob_new(name);
	return ERR_OK;
}

static enum err_code open_blob(
	const struct fact_kind *of, struct blob *bytes, void **ret_fact, struct err *reterr)
{
	(void)of;
	(void)reterr;
	*ret_fact = blob_ref(bytes);
	return ERR_OK;
}

static struct blob *bytes_of(void *fact)
{
	return fact;
}
static void *ref(void *fact)
{
	return blob_ref(fact);
}
static void unref(void *fact)
{
	blob_unref(fact);
}

static const struct fact_kind kind = {
	.name = "test/1", .fetch = fetch, .open = open_blob, .bytes = bytes_of, .ref = ref, .unref = unref};

struct asker {
	struct thread thread;
	struct facts *facts;
	bool background;
	enum err_code code;
	bool is_right;
};

static void *asker_main(void *arg)
{
	struct asker *a = arg;
	struct ctx own = ctx;
	void *fact;
	struct err err;

	own.background = a->background;
	a->code = facts_get(a->facts, &own, &kind, str_c(sync), STR("name"), &fact, &err);
	if (a->code != ERR_OK)
		return NULL;
	a->is_right = str_eq_c(blob_view(fact), "name");
	blob_unref(fact);
	return NULL;
}

static void start(struct asker *a, struct facts *facts)
{
	struct err err;

	a->facts = facts;
	if (thread_start(&a->thread, "asker", 0, asker_main, a, &err) != ERR_OK)
		abort();
}

static void await_fetch(void)
{
	while (atomic_load(&fx.fetches) == 0)
		clock_sleep_ms(1);
}

static void test_fetched_once(void)
{
	struct asker askers[2 * SERVERS] = {{.code = ERR_OK}};

	set_up(0);
	fx.hold = true;
	for (size_t i = 0; i < ARRAY_LEN(askers); i++)
		start(&askers[i], fx.facts[i % SERVERS]);
	await_fetch();
	clock_sleep_ms(50); /* so that most of them wait for it */
	fx.hold = false;
	for (size_t i = 0; i < ARRAY_LEN(askers); i++) {
		thread_join(&askers[i].thread);
		CU_ASSERT(askers[i].code == ERR_OK && askers[i].is_right);
	}
	ASSERT_I64(fx.fetches, 1, "of all servers together");
	tear_down();
}

/* The server that fetches fails, and says so to its own caller; another server's takes over. */
static void test_taken_over(void)
{
	struct asker askers[2] = {{.code = ERR_OK}};

	set_up(0);
	fx.hold = true;
	fx.failures_left = 1;
	start(&askers[0], fx.facts[0]);
	await_fetch();
	start(&askers[1], fx.facts[1]);
	clock_sleep_ms(20);
	fx.hold = false;
	thread_join(&askers[0].thread);
	thread_join(&askers[1].thread);
	CU_ASSERT_EQUAL(askers[0].code, ERR_UNAVAILABLE);
	CU_ASSERT(askers[1].code == ERR_OK && askers[1].is_right);
	ASSERT_I64(fx.fetches, 2, "one after the other");
	tear_down();
}

/* Read-ahead does not wait for what another server reads. */
static void test_read_ahead_gives_way(void)
{
	struct asker first = {.code = ERR_OK}, ahead = {.background = true};

	set_up(0);
	fx.hold = true;
	start(&first, fx.facts[0]);
	await_fetch();
	start(&ahead, fx.facts[1]);
	thread_join(&ahead.thread);
	CU_ASSERT_EQUAL(ahead.code, ERR_CONFLICT);
	fx.hold = false;
	thread_join(&first.thread);
	CU_ASSERT_EQUAL(first.code, ERR_OK);
	ASSERT_I64(fx.fetches, 1, "fetched");
	tear_down();
}

/* Another server got the Cleanup: reading ahead ends, and who really asks is answered. */
static void test_ended(void)
{
	struct asker late = {.code = ERR_OK}, ahead = {.background = true};

	set_up(0);
	shelf_clear(fx.shelves[0], &ctx, str_c(sync));
	start(&ahead, fx.facts[1]);
	thread_join(&ahead.thread);
	CU_ASSERT_EQUAL(ahead.code, ERR_CONFLICT);
	ASSERT_I64(fx.fetches, 0, "nothing is read ahead");
	start(&late, fx.facts[1]);
	thread_join(&late.thread);
	CU_ASSERT(late.code == ERR_OK && late.is_right);
	CU_ASSERT_EQUAL(look(fx.shelves[2], "test/1/name"), STORE_ENDED); /* and nothing was kept */
	tear_down();
}

/* The end of a sync reaches servers that did not get the Cleanup, and what they keep of it goes. */
static atomic_int ends;

static void count_end(void *self, struct str scope)
{
	(void)self;
	atomic_fetch_add(&ends, str_eq_c(scope, sync) ? 1 : 1000);
}

static void test_end_is_heard_of(void)
{
	struct shelf *other;

	set_up(0);
	ends = 0;
	other = shelf_new(&(struct shelf_options){
		.store = fx.stores[1], .clock = &clock_system, .look_ms = 100, .ended = count_end});
	CU_ASSERT_EQUAL(look(other, "a"), STORE_YOURS);
	shelf_clear(fx.shelves[0], &ctx, str_c(sync));
	for (int i = 0; i < 6000 && ends == 0; i++)
		clock_sleep_ms(10);
	ASSERT_I64(ends, 1, "told once");
	shelf_free(other);
	tear_down();
}

/* --- a store that fails --- */

static atomic_int warnings, infos;

static void count_lines(void *arg, struct str line)
{
	(void)arg;
	atomic_fetch_add(str_contains(line, STR("the session store failed")) ? &warnings : &infos, 1);
}

static void test_failures(void)
{
	struct fake_clock clock;
	struct store *nowhere = new_store("redis://127.0.0.1:1"),
		     *somewhere = new_store(redis_server_url(redis));
	struct shelf *s;

	warnings = infos = 0;
	(void)snprintf(sync, sizeof(sync), "failing");
	fake_clock_init(&clock, 0);
	log_capture(count_lines, NULL);
	s = shelf_new(&(struct shelf_options){
		.store = nowhere, .clock = &clock.clock, .lease_ms = 1000000}); /* none is prolonged */
	for (int i = 0; i < 10; i++)
		CU_ASSERT_EQUAL(look(s, "a"), STORE_YOURS); /* fetch it yourself */
	put(s, "a", STR("1"));
	shelf_clear(s, &ctx, str_c(sync));
	ASSERT_I64(shelf_failures(s), 12, "counted");
	ASSERT_I64(warnings, 1, "said once");
	fake_clock_advance_ms(&clock, 60000);
	CU_ASSERT_EQUAL(look(s, "a"), STORE_YOURS);
	ASSERT_I64(warnings, 2, "and again after a while");
	shelf_free(s);

	s = shelf_new(&(struct shelf_options){.store = somewhere, .clock = &clock.clock});
	shelf_damaged(s, &(struct err){.code = ERR_PROTOCOL, .msg = "damaged"});
	CU_ASSERT_EQUAL(look(s, "b"), STORE_YOURS);
	ASSERT_I64(infos, 0, "too early to say that it works");
	fake_clock_advance_ms(&clock, 10000);
	CU_ASSERT_EQUAL(look(s, "b"), STORE_YOURS);
	CU_ASSERT_EQUAL(look(s, "b"), STORE_YOURS);
	ASSERT_I64(infos, 1, "said once");
	shelf_free(s);
	log_capture(NULL, NULL);
	store_free(nowhere);
	store_free(somewhere);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"one_fetches", test_one_fetches},
		{"leases_are_prolonged", test_leases_are_prolonged},
		{"the_last_leases_are_ended", test_the_last_leases_are_ended},
		{"leases_come_first", test_leases_come_first},
		{"views", test_views},
		{"fetched_once", test_fetched_once},
		{"taken_over", test_taken_over},
		{"read_ahead_gives_way", test_read_ahead_gives_way},
		{"ended", test_ended},
		{"end_is_heard_of", test_end_is_heard_of},
		{"failures", test_failures},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{"shelf", start_redis, stop_redis, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
