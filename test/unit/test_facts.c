/* layers: inventory store base
 *
 * Facts: one flight for all who ask, resumed after failures, kept in the store, forgotten with their sync; lists of rows; claims. */
#include "inventory/facts.h"

#include <stdatomic.h>

#include "base/mem.h"
#include "base/thread.h"
#include "inventory/claims.h"
#include "inventory/rows.h"
#include "inventory/shelf.h"
#include "store/memory.h"
#include "store/store.h"
#include "support/cunit_main.h"
#include "support/fake_clock.h"

/* --- a kind of fact that counts its fetches and fails on demand; the fact itself is a blob --- */

struct world {
	atomic_int fetches;
	atomic_int failures_left;
	atomic_int partials; /* alive */
	atomic_int resumed;
	atomic_bool hold; /* fetches wait while it is set */
	bool retryable;
};

static enum err_code fetch(const struct fact_kind *of, void *self, const struct ctx *ctx, struct str scope,
	struct str name, void **partial, void **ret_fact, struct err *reterr)
{
	struct world *w = self;

	(void)of;
	(void)scope;
	atomic_fetch_add(&w->fetches, 1);
	while (atomic_load(&w->hold)) {
		if (ctx_sleep_ms(ctx, 1, "holding", reterr) != ERR_OK)
			return reterr->code;
	}
	if (*partial != NULL)
		atomic_fetch_add(&w->resumed, 1);
	if (*partial == NULL) {
		*partial = w;
		atomic_fetch_add(&w->partials, 1);
	}
	if (atomic_fetch_sub(&w->failures_left, 1) > 0)
		return err_set(reterr, w->retryable ? ERR_UNAVAILABLE : ERR_DENIED, "on demand");
	*partial = NULL;
	atomic_fetch_sub(&w->partials, 1);
	*ret_fact = blob_new(name);
	return ERR_OK;
}

static void partial_free(void *partial)
{
	atomic_fetch_sub(&((struct world *)partial)->partials, 1);
}

static enum err_code open(const struct fact_kind *of, struct blob *bytes, void **ret_fact, struct err *reterr)
{
	(void)of;
	if (str_eq(blob_view(bytes), STR("damaged")))
		return err_set(reterr, ERR_PROTOCOL, "damaged");
	*ret_fact = blob_ref(bytes);
	return ERR_OK;
}

static struct blob *bytes(void *fact)
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

static const struct fact_kind kind = {.name = "test/1",
	.fetch = fetch,
	.partial_free = partial_free,
	.open = open,
	.bytes = bytes,
	.ref = ref,
	.unref = unref};

static const struct ctx background = {.clock = &clock_system, .deadline_ms = CTX_NO_DEADLINE};

static struct fixture {
	struct world world;
	struct store *store;
	struct shelf *shelf;
	struct facts *facts;
} fx;

static void set_up(void)
{
	const struct store_memory_options opts = {
		.max_bytes = 1 << 20, .max_age_ms = 60000, .clock = &clock_system};

	fx.world = (struct world){.retryable = true};
	fx.store = store_memory_new(&opts);
	fx.shelf = shelf_new(&(struct shelf_options){.store = fx.store, .clock = &clock_system});
	fx.facts = facts_new(&(struct facts_options){
		.shelf = fx.shelf, .clock = &clock_system, .max_bytes = 1000, .self = &fx.world});
}

static void tear_down(void)
{
	facts_free(fx.facts);
	shelf_free(fx.shelf);
	store_free(fx.store);
	CU_ASSERT_EQUAL(atomic_load(&fx.world.partials), 0);
}

static enum err_code ask(struct str scope, struct str name)
{
	void *fact = NULL;
	struct err e;
	const enum err_code code = facts_get(fx.facts, &background, &kind, scope, name, &fact, &e);

	if (code == ERR_OK) {
		CU_ASSERT(str_eq(blob_view(fact), name));
		blob_unref(fact);
	}
	return code;
}

static void test_fetches_once(void)
{
	set_up();
	CU_ASSERT_EQUAL(ask(STR("sync"), STR("a")), ERR_OK);
	CU_ASSERT_EQUAL(ask(STR("sync"), STR("a")), ERR_OK);
	CU_ASSERT_EQUAL(atomic_load(&fx.world.fetches), 1);
	CU_ASSERT_EQUAL(ask(STR("sync"), STR("b")), ERR_OK);
	CU_ASSERT_EQUAL(ask(STR("other"), STR("a")), ERR_OK);
	CU_ASSERT_EQUAL(atomic_load(&fx.world.fetches), 3);
	tear_down();
}

/* Another server, or this one after a restart, finds the fact in the store; what is damaged there is fetched again. */
static void test_store(void)
{
	struct blob *damaged = blob_new(STR("damaged"));
	struct facts_stats stats;
	struct err e;

	set_up();
	CU_ASSERT_EQUAL(ask(STR("sync"), STR("a")), ERR_OK);
	facts_free(fx.facts);
	fx.facts = facts_new(&(struct facts_options){
		.shelf = fx.shelf, .clock = &clock_system, .max_bytes = 1000, .self = &fx.world});
	CU_ASSERT_EQUAL(ask(STR("sync"), STR("a")), ERR_OK);
	CU_ASSERT_EQUAL(atomic_load(&fx.world.fetches), 1);
	CU_ASSERT_EQUAL(
		store_put(fx.store, &background, STR("sync"), STR("test/1/b"), damaged, 0, &e), ERR_OK);
	CU_ASSERT_EQUAL(ask(STR("sync"), STR("b")), ERR_OK);
	CU_ASSERT_EQUAL(atomic_load(&fx.world.fetches), 2);
	facts_stats(fx.facts, &stats);
	CU_ASSERT_EQUAL(shelf_failures(fx.shelf), 1);
	CU_ASSERT_EQUAL(stats.store_hits, 1);
	blob_unref(damaged);
	tear_down();
}

static void test_without_a_sync_nothing_is_stored(void)
{
	struct store_stats stats;

	set_up();
	CU_ASSERT_EQUAL(ask(STR_EMPTY, STR("a")), ERR_OK);
	CU_ASSERT_EQUAL(ask(STR_EMPTY, STR("a")), ERR_OK);
	CU_ASSERT_EQUAL(atomic_load(&fx.world.fetches), 1);
	store_stats(fx.store, &stats);
	CU_ASSERT_EQUAL(stats.entries, 0);
	tear_down();
}

static void test_failures(void)
{
	set_up();
	atomic_store(&fx.world.failures_left, 2);
	CU_ASSERT_EQUAL(ask(STR("sync"), STR("a")), ERR_UNAVAILABLE);
	CU_ASSERT_EQUAL(atomic_load(&fx.world.partials), 1); /* kept for the next asker */
	CU_ASSERT_EQUAL(ask(STR("sync"), STR("a")), ERR_UNAVAILABLE);
	CU_ASSERT_EQUAL(ask(STR("sync"), STR("a")), ERR_OK);
	CU_ASSERT_EQUAL(atomic_load(&fx.world.resumed), 2);
	fx.world.retryable = false;
	atomic_store(&fx.world.failures_left, 1);
	CU_ASSERT_EQUAL(ask(STR("sync"), STR("b")), ERR_DENIED);
	CU_ASSERT_EQUAL(atomic_load(&fx.world.partials), 0); /* of no use */
	CU_ASSERT_EQUAL(ask(STR("sync"), STR("b")), ERR_OK);
	tear_down();
}

static enum err_code ask_at(struct fake_clock *clock, int64_t later_ms)
{
	const struct ctx ctx = {.clock = &clock->clock, .deadline_ms = CTX_NO_DEADLINE};
	void *fact = NULL;
	enum err_code code;
	struct err e;

	fake_clock_advance_ms(clock, later_ms);
	code = facts_get(fx.facts, &ctx, &kind, STR("sync"), STR("a"), &fact, &e);
	if (code == ERR_OK)
		blob_unref(fact);
	return code;
}

/* However long it takes in all: only what nobody has worked on for ten minutes begins again. */
static void test_partials_age(void)
{
	struct fake_clock clock;

	set_up();
	facts_free(fx.facts);
	fake_clock_init(&clock, 0);
	fx.facts = facts_new(&(struct facts_options){
		.shelf = fx.shelf, .clock = &clock.clock, .max_bytes = 1000, .self = &fx.world});
	atomic_store(&fx.world.failures_left, 4);
	for (int i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(ask_at(&clock, 9 * 60 * 1000), ERR_UNAVAILABLE);
	CU_ASSERT_EQUAL(atomic_load(&fx.world.resumed), 2);
	CU_ASSERT_EQUAL(ask_at(&clock, 10 * 60 * 1000), ERR_UNAVAILABLE);
	CU_ASSERT_EQUAL(atomic_load(&fx.world.resumed), 2);
	CU_ASSERT_EQUAL(ask_at(&clock, 0), ERR_OK);
	CU_ASSERT_EQUAL(atomic_load(&fx.world.resumed), 3);
	tear_down();
}

static void test_forget(void)
{
	struct store_stats stats;

	set_up();
	CU_ASSERT_EQUAL(ask(STR("sync"), STR("a")), ERR_OK);
	CU_ASSERT_EQUAL(ask(STR("other"), STR("a")), ERR_OK);
	facts_forget(fx.facts, &background, STR("sync"));
	facts_forget(fx.facts, &background, STR_EMPTY);
	store_stats(fx.store, &stats);
	CU_ASSERT_EQUAL(stats.entries, 1);
	CU_ASSERT_EQUAL(facts_bytes(fx.facts), 1);
	CU_ASSERT_EQUAL(ask(STR("other"), STR("a")), ERR_OK);
	CU_ASSERT_EQUAL(atomic_load(&fx.world.fetches), 2);
	tear_down();
}

static void test_room(void)
{
	char name[400];

	set_up();
	for (int i = 0; i < 10; i++) {
		memset(name, 'a' + i, sizeof(name));
		CU_ASSERT_EQUAL(ask(STR("sync"), str_n(name, sizeof(name))), ERR_OK);
		CU_ASSERT(facts_bytes(fx.facts) <= 1000 + sizeof(name)); /* swept at the next request */
	}
	tear_down();
}

/* --- many at once --- */

struct asker {
	struct thread thread;
	const struct fact_kind *kind; /* NULL: that of all tests */
	struct cancel *cancel;        /* NULL: patient */
	enum err_code code;
};

static void *asker_main(void *arg)
{
	struct asker *a = arg;
	const struct ctx ctx = {.clock = &clock_system, .deadline_ms = CTX_NO_DEADLINE, .cancel = a->cancel};
	void *fact;
	struct err e;

	a->code = facts_get(
		fx.facts, &ctx, a->kind == NULL ? &kind : a->kind, STR("sync"), STR("a"), &fact, &e);
	if (a->code == ERR_OK)
		blob_unref(fact);
	return NULL;
}

static void start(struct asker *a)
{
	struct err e;

	CU_ASSERT_EQUAL_FATAL(thread_start(&a->thread, "asker", 0, asker_main, a, &e), ERR_OK);
}

static void await(atomic_int *value, int wanted)
{
	while (atomic_load(value) != wanted)
		clock_sleep_ms(1);
}

static void test_one_flight(void)
{
	struct asker askers[8] = {0};

	set_up();
	atomic_store(&fx.world.hold, true);
	for (size_t i = 0; i < ARRAY_LEN(askers); i++)
		start(&askers[i]);
	await(&fx.world.fetches, 1);
	atomic_store(&fx.world.hold, false);
	for (size_t i = 0; i < ARRAY_LEN(askers); i++) {
		thread_join(&askers[i].thread);
		CU_ASSERT_EQUAL(askers[i].code, ERR_OK);
	}
	CU_ASSERT_EQUAL(atomic_load(&fx.world.fetches), 1);
	tear_down();
}

/* It would hold a thread of the read-ahead for as long as the other needs. */
static void test_ahead_never_waits(void)
{
	const struct ctx ahead = {.clock = &clock_system,
		.deadline_ms = clock_mono_ms(&clock_system) + 60000,
		.background = true};
	struct fact_kind long_one = kind;
	struct asker loader = {.kind = &long_one};
	void *fact;
	struct err e;

	set_up();
	long_one.ahead_never_waits = true;
	atomic_store(&fx.world.hold, true);
	start(&loader);
	await(&fx.world.fetches, 1);
	CU_ASSERT_EQUAL(
		facts_get(fx.facts, &ahead, &long_one, STR("sync"), STR("a"), &fact, &e), ERR_UNAVAILABLE);
	atomic_store(&fx.world.hold, false);
	thread_join(&loader.thread);
	CU_ASSERT_EQUAL(loader.code, ERR_OK);
	CU_ASSERT_EQUAL_FATAL(
		facts_get(fx.facts, &ahead, &long_one, STR("sync"), STR("a"), &fact, &e), ERR_OK);
	blob_unref(fact);
	tear_down();
}

/* One client's cancellation is not another's error: a waiter takes the flight over. */
static void test_take_over(void)
{
	struct asker first = {.cancel = cancel_new()}, second = {0};

	set_up();
	atomic_store(&fx.world.hold, true);
	start(&first);
	await(&fx.world.fetches, 1);
	start(&second);
	cancel_fire(first.cancel);
	thread_join(&first.thread);
	CU_ASSERT_EQUAL(first.code, ERR_CANCELLED);
	await(&fx.world.fetches, 2);
	atomic_store(&fx.world.hold, false);
	thread_join(&second.thread);
	CU_ASSERT_EQUAL(second.code, ERR_OK);
	cancel_unref(first.cancel);
	tear_down();
}

/* What arrives after its sync was forgotten is given to who asked, and kept nowhere. */
static void test_forget_while_loading(void)
{
	struct asker asker = {0};
	struct store_stats stats;

	set_up();
	atomic_store(&fx.world.hold, true);
	start(&asker);
	await(&fx.world.fetches, 1);
	facts_forget(fx.facts, &background, STR("sync"));
	atomic_store(&fx.world.hold, false);
	thread_join(&asker.thread);
	CU_ASSERT_EQUAL(asker.code, ERR_OK);
	store_stats(fx.store, &stats);
	CU_ASSERT_EQUAL(stats.entries, 0);
	CU_ASSERT_EQUAL(ask(STR("sync"), STR("a")), ERR_OK);
	CU_ASSERT_EQUAL(atomic_load(&fx.world.fetches), 2);
	tear_down();
}

/* --- rows --- */

struct fruit {
	struct str name;
	int64_t weight;
};

static void pack_fruit(struct buf *b, const void *item)
{
	pack_str(b, ((const struct fruit *)item)->name);
	pack_i64(b, ((const struct fruit *)item)->weight);
}

static void unpack_fruit(struct unpack *u, void *item)
{
	*(struct fruit *)item = (struct fruit){.name = unpack_str(u)};
	((struct fruit *)item)->weight = unpack_i64(u);
}

static const struct rows_type fruits = {
	.item_size = sizeof(struct fruit), .min_bytes = 2, .pack = pack_fruit, .unpack = unpack_fruit};

static void test_rows(void)
{
	struct fruit items[] = {{STR("pear"), 3}, {STR("apple"), -1}, {STR("plum"), 7}};
	const struct fruit *all;
	struct rows *rows, *again;
	struct err e;
	struct str b;
	size_t n;

	CU_ASSERT_EQUAL_FATAL(rows_new(&fruits, items, ARRAY_LEN(items), &rows, &e), ERR_OK);
	CU_ASSERT_EQUAL_FATAL(rows_open(&fruits, rows_bytes(rows), &again, &e), ERR_OK);
	all = rows_all(again, &n);
	CU_ASSERT_EQUAL(n, 3);
	ASSERT_STR(all[0].name, STR("apple"), "sorted");
	ASSERT_I64(all[0].weight, -1, "value");
	ASSERT_I64(rows_after(again, STR_EMPTY), 0, "all");
	ASSERT_I64(rows_after(again, STR("b")), 1, "between");
	ASSERT_I64(rows_after(again, STR("plum")), 3, "behind the last");
	CU_ASSERT_PTR_NOT_NULL(rows_find(again, STR("pear")));
	CU_ASSERT_PTR_NULL(rows_find(again, STR("peach")));
	b = blob_view(rows_bytes(rows));
	for (size_t i = 0; i < b.n; i++) {
		char *copy = mem_alloc(b.n);
		struct blob *damaged;
		struct rows *none = NULL;

		memcpy(copy, b.p, b.n);
		copy[i] ^= 1;
		damaged = blob_new(str_n(copy, b.n));
		CU_ASSERT_EQUAL(rows_open(&fruits, damaged, &none, &e), ERR_PROTOCOL);
		blob_unref(damaged);
		damaged = blob_new(str_n(b.p, i));
		CU_ASSERT_EQUAL(rows_open(&fruits, damaged, &none, &e), ERR_PROTOCOL);
		blob_unref(damaged);
		mem_free(copy);
	}
	rows_unref(again);
	rows_unref(rows);
	CU_ASSERT_EQUAL_FATAL(rows_new(&fruits, NULL, 0, &rows, &e), ERR_OK);
	CU_ASSERT_PTR_NULL(rows_find(rows, STR("pear")));
	rows_unref(rows);
}

static void test_claims(void)
{
	struct claims *c = claims_new();
	char scope[] = "sync-a";

	CU_ASSERT(claims_take(c, STR("s"), STR("policy"), STR("1")));
	CU_ASSERT_FALSE(claims_take(c, STR("s"), STR("policy"), STR("2")));
	CU_ASSERT(claims_take(c, STR("s"), STR("policy"), STR("1")));
	CU_ASSERT(claims_take(c, STR("t"), STR("policy"), STR("2")));
	CU_ASSERT(claims_first(c, STR("s"), STR("warning")));
	CU_ASSERT_FALSE(claims_first(c, STR("s"), STR("warning")));
	CU_ASSERT(claims_first(c, STR("t"), STR("warning")));
	claims_forget(c, STR("s"));
	claims_forget(c, STR("unknown"));
	CU_ASSERT(claims_first(c, STR("s"), STR("warning")));
	CU_ASSERT(claims_take(c, STR("s"), STR("policy"), STR("2")));
	for (int i = 0; i < 3 * MAX_CLAIM_SCOPES; i++) {
		scope[5] = (char)('a' + i);
		CU_ASSERT(claims_take(c, str_c(scope), STR("policy"), STR("1")));
	}
	CU_ASSERT(claims_take(c, STR("s"), STR("policy"), STR("3"))); /* pushed out */
	claims_free(c);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"fetches once", test_fetches_once},
		{"keeps facts in the store", test_store},
		{"keeps facts without a sync to itself", test_without_a_sync_nothing_is_stored},
		{"resumes after failures", test_failures},
		{"partials age", test_partials_age},
		{"forgets a sync", test_forget},
		{"keeps within its room", test_room},
		{"one flight for all who ask", test_one_flight},
		{"a waiter takes over", test_take_over},
		{"background work that does not wait", test_ahead_never_waits},
		{"forgets what is being fetched", test_forget_while_loading},
		{"rows", test_rows},
		{"claims", test_claims},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"facts", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
