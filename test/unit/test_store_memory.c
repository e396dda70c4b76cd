/* layers: store base
 *
 * The memory store: keeping, replacing, its limits in bytes and age, clearing, and many threads at once. */
#include "store/memory.h"

#include <stdatomic.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/thread.h"
#include "support/cunit_main.h"
#include "support/fake_clock.h"

static struct fake_clock fake;
static struct ctx ctx;

static int init(void)
{
	fake_clock_init(&fake, 0);
	ctx = (struct ctx){.clock = &fake.clock, .deadline_ms = CTX_NO_DEADLINE};
	return 0;
}

static struct store *new_store(size_t max_bytes, int64_t max_age_ms)
{
	return store_memory_new(&(struct store_memory_options){
		.max_bytes = max_bytes, .max_age_ms = max_age_ms, .clock = &fake.clock});
}

static enum err_code put(
	struct store *s, const char *scope, const char *key, struct str bytes, int64_t ttl_ms)
{
	CLEANUP(blob_unrefp) struct blob *value = blob_new(bytes);
	struct err err;

	return store_put(s, &ctx, str_c(scope), str_c(key), value, ttl_ms, &err);
}

/* Whether the store has `want` there; want NULL: whether it has nothing. */
static bool has(struct store *s, const char *scope, const char *key, const char *want)
{
	CLEANUP(blob_unrefp) struct blob *value = NULL;
	struct err err;
	enum err_code rc = store_get(s, &ctx, str_c(scope), str_c(key), &value, &err);

	if (want == NULL)
		return rc == ERR_NOT_FOUND && value == NULL;
	return rc == ERR_OK && str_eq_c(blob_view(value), want);
}

static struct store_stats stats_of(struct store *s)
{
	struct store_stats stats;

	store_stats(s, &stats);
	return stats;
}

static void test_keep(void)
{
	CLEANUP(store_freep) struct store *s = new_store(10000, 0);
	struct store_stats stats;
	struct err err;

	CU_ASSERT(has(s, "a", "k", NULL));
	CU_ASSERT_EQUAL(put(s, "a", "k", STR("one"), 0), ERR_OK);
	CU_ASSERT_EQUAL(put(s, "b", "k", STR("two"), 0), ERR_OK); /* same key, other scope */
	CU_ASSERT_EQUAL(put(s, "ak", "x", STR("three"), 0), ERR_OK);
	CU_ASSERT_EQUAL(put(s, "a", "kx", STR("four"), 0), ERR_OK); /* same concatenation */
	CU_ASSERT_EQUAL(put(s, "a", "empty", STR(""), 0), ERR_OK);
	CU_ASSERT(has(s, "a", "k", "one"));
	CU_ASSERT(has(s, "b", "k", "two"));
	CU_ASSERT(has(s, "ak", "x", "three"));
	CU_ASSERT(has(s, "a", "kx", "four"));
	CU_ASSERT(has(s, "a", "empty", ""));
	CU_ASSERT(has(s, "k", "a", NULL));
	CU_ASSERT_EQUAL(put(s, "a", "k", STR("other"), 0), ERR_OK);
	CU_ASSERT(has(s, "a", "k", "other"));

	stats = stats_of(s);
	ASSERT_I64(stats.hits, 6, "hits");
	ASSERT_I64(stats.misses, 2, "misses");
	ASSERT_I64(stats.puts, 6, "puts");
	ASSERT_I64(stats.entries, 5, "entries");
	ASSERT_I64(stats.bytes, 5 * 32 + (1 + 5) + (1 + 3) + (1 + 5) + (2 + 4) + 5, "bytes");
	ASSERT_I64(stats.evictions, 0, "evictions");

	CU_ASSERT_EQUAL(store_delete(s, &ctx, STR("a"), STR("k"), &err), ERR_OK);
	CU_ASSERT_EQUAL(store_delete(s, &ctx, STR("a"), STR("k"), &err), ERR_OK);
	CU_ASSERT(has(s, "a", "k", NULL));
	CU_ASSERT(has(s, "b", "k", "two"));
}

static void test_names(void)
{
	static const char name[STORE_NAME_MAX + 1];
	static const struct {
		size_t scope_n, key_n;
		enum err_code want;
	} rows[] = {
		{1, 1, ERR_OK},
		{STORE_NAME_MAX, STORE_NAME_MAX, ERR_OK},
		{0, 1, ERR_INVALID},
		{1, 0, ERR_INVALID},
		{STORE_NAME_MAX + 1, 1, ERR_INVALID},
		{1, STORE_NAME_MAX + 1, ERR_INVALID},
	};
	CLEANUP(store_freep) struct store *s = new_store(10000, 0);
	CLEANUP(blob_unrefp) struct blob *value = blob_new(STR("x"));

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str scope = str_n(name, rows[i].scope_n), key = str_n(name, rows[i].key_n);
		struct blob *got = NULL;
		struct err err;

		ASSERT_I64(store_put(s, &ctx, scope, key, value, 0, &err), rows[i].want, "put");
		ASSERT_I64(store_get(s, &ctx, scope, key, &got, &err), rows[i].want, "get");
		ASSERT_I64(store_delete(s, &ctx, scope, key, &err), rows[i].want, "delete");
		blob_unref(got);
	}
	CU_ASSERT_EQUAL(put(s, "a", "k", STR("x"), -1), ERR_INVALID);
	{
		struct err err;

		CU_ASSERT_EQUAL(store_clear(s, &ctx, STR_EMPTY, &err), ERR_INVALID);
	}
}

/* A value outlives its entry in the hands of who got it. */
static void test_reference(void)
{
	struct store *s = new_store(10000, 0);
	struct blob *value = NULL;
	struct err err;

	CU_ASSERT_EQUAL(put(s, "a", "k", STR("kept"), 0), ERR_OK);
	CU_ASSERT_EQUAL_FATAL(store_get(s, &ctx, STR("a"), STR("k"), &value, &err), ERR_OK);
	store_free(s);
	ASSERT_STR(blob_view(value), STR("kept"), "after store_free");
	blob_unref(value);
	store_free(NULL);
}

static void test_evict_least_recent(void)
{
	/* Each entry weighs 32 + 1 + 67 = 100: room for three. */
	static const char bytes[67];
	CLEANUP(store_freep) struct store *s = new_store(300, 0);
	struct str value = str_n(bytes, sizeof(bytes));
	CLEANUP(blob_unrefp) struct blob *got = NULL;
	struct err err;

	CU_ASSERT_EQUAL(put(s, "s", "1", value, 0), ERR_OK);
	CU_ASSERT_EQUAL(put(s, "s", "2", value, 0), ERR_OK);
	CU_ASSERT_EQUAL(put(s, "t", "3", value, 0), ERR_OK);
	CU_ASSERT_EQUAL(stats_of(s).bytes, 300);
	CU_ASSERT_EQUAL(stats_of(s).evictions, 0);
	CU_ASSERT_EQUAL(store_get(s, &ctx, STR("s"), STR("1"), &got, &err), ERR_OK);
	CU_ASSERT_EQUAL(put(s, "t", "4", value, 0), ERR_OK);
	CU_ASSERT(has(s, "s", "2", NULL)); /* the one used longest ago */
	CU_ASSERT_EQUAL(stats_of(s).evictions, 1);
	CU_ASSERT_EQUAL(put(s, "t", "4", value, 0), ERR_OK); /* in its own place */
	CU_ASSERT_EQUAL(stats_of(s).evictions, 1);
	CU_ASSERT_EQUAL(stats_of(s).entries, 3);
	CU_ASSERT_EQUAL(put(s, "t", "5", str_n(bytes, 1), 0), ERR_OK);
	CU_ASSERT(has(s, "t", "3", NULL));
	CU_ASSERT_EQUAL(stats_of(s).entries, 3);
	CU_ASSERT_EQUAL(put(s, "t", "6", str_n((char[227]){0}, 227), 0), ERR_OK); /* weighs 260 */
	CU_ASSERT(has(s, "s", "1", NULL) && has(s, "t", "4", NULL));              /* both had to go for it */
	CU_ASSERT_EQUAL(stats_of(s).evictions, 4);
	CU_ASSERT_EQUAL(stats_of(s).bytes, 260 + 34);
}

static void test_too_large(void)
{
	static const char bytes[400];
	CLEANUP(store_freep) struct store *s = new_store(300, 0);
	CLEANUP(store_freep) struct store *off = new_store(0, 0);

	CU_ASSERT_EQUAL(put(s, "s", "1", str_n(bytes, 300 - 33), 0), ERR_OK); /* exactly */
	CU_ASSERT_EQUAL(stats_of(s).bytes, 300);
	CU_ASSERT_EQUAL(put(s, "s", "2", str_n(bytes, 300 - 32), 0), ERR_TOO_LARGE);
	CU_ASSERT_EQUAL(stats_of(s).entries, 1); /* nobody had to go for it */
	CU_ASSERT_EQUAL(put(s, "s", "1", str_n(bytes, 400), 0), ERR_TOO_LARGE);
	CU_ASSERT(has(s, "s", "1", NULL)); /* what was there is outdated */
	CU_ASSERT_EQUAL(stats_of(s).puts, 1);
	CU_ASSERT_EQUAL(stats_of(s).bytes, 0);
	CU_ASSERT_EQUAL(put(off, "s", "1", STR(""), 0), ERR_TOO_LARGE);
}

static void test_age(void)
{
	static const struct {
		int64_t max_age_ms, ttl_ms, lives_ms; /* lives_ms -1: for ever */
	} rows[] = {
		{0, 0, -1},
		{0, 50, 50},
		{100, 0, 100},
		{100, 50, 50},
		{100, 500, 100},
		{0, INT64_MAX, -1},
		{INT64_MAX, 0, -1},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(store_freep) struct store *s = new_store(10000, rows[i].max_age_ms);

		CU_ASSERT_EQUAL(put(s, "s", "k", STR("v"), rows[i].ttl_ms), ERR_OK);
		if (rows[i].lives_ms < 0) {
			fake_clock_advance_ms(&fake, INT64_C(1000000000));
			CU_ASSERT(has(s, "s", "k", "v"));
			continue;
		}
		fake_clock_advance_ms(&fake, rows[i].lives_ms - 1);
		CU_ASSERT(has(s, "s", "k", "v")); /* a look does not make it younger */
		fake_clock_advance_ms(&fake, 1);
		CU_ASSERT(has(s, "s", "k", NULL));
		CU_ASSERT_EQUAL(stats_of(s).expired, 1);
		CU_ASSERT_EQUAL(stats_of(s).evictions, 0);
	}
}

/* What has expired is given back though nobody asks for it, and before anybody has to make room. */
static void test_age_reclaims(void)
{
	CLEANUP(store_freep) struct store *s = new_store(40 * 100, 0);
	size_t blocks = mem_live_blocks(), wrong = 0;
	char key[8];

	for (int i = 0; i < 100; i++) { /* expire in an order that is not the one they came in */
		snprintf(key, sizeof(key), "%02d", i);
		CU_ASSERT_EQUAL(put(s, i % 2 ? "s" : "t", key, STR("v"), 1 + (i * 37) % 100), ERR_OK);
	}
	for (int age = 1; age <= 100; age++) {
		fake_clock_advance_ms(&fake, 1);
		wrong += stats_of(s).entries != (uint64_t)(100 - age);
	}
	ASSERT_I64(wrong, 0, "steps with a wrong number of entries");
	ASSERT_I64(stats_of(s).expired, 100, "expired");
	ASSERT_I64(stats_of(s).bytes, 0, "bytes");
	CU_ASSERT(mem_live_blocks() <= blocks + 1); /* the heap's array */

	CU_ASSERT_EQUAL(put(s, "s", "old", str_n((char[3900]){0}, 3900), 10), ERR_OK);
	fake_clock_advance_ms(&fake, 10);
	CU_ASSERT_EQUAL(put(s, "s", "new", str_n((char[3900]){0}, 3900), 0), ERR_OK);
	CU_ASSERT_EQUAL(stats_of(s).evictions, 0);
	CU_ASSERT_EQUAL(stats_of(s).expired, 101);
}

static void test_clear(void)
{
	CLEANUP(store_freep) struct store *s = new_store(10000000, 0);
	size_t wrong = 0, blocks = 0;
	struct err err;
	char key[16];

	CU_ASSERT_EQUAL(store_clear(s, &ctx, STR("unknown"), &err), ERR_OK);
	for (int i = 0; i < 5000; i++) { /* enough for the tables to grow */
		snprintf(key, sizeof(key), "%d", i);
		wrong += put(s, i % 5 ? "big" : "small", key, str_c(key), 1000000 - i) != ERR_OK;
	}
	for (int i = 0; i < 5000; i++) {
		snprintf(key, sizeof(key), "%d", i);
		wrong += !has(s, i % 5 ? "big" : "small", key, key);
		wrong += !has(s, i % 5 ? "small" : "big", key, NULL);
	}
	blocks = mem_live_blocks();
	CU_ASSERT_EQUAL(store_clear(s, &ctx, STR("big"), &err), ERR_OK);
	ASSERT_I64(stats_of(s).entries, 1000, "entries left");
	ASSERT_I64(blocks - mem_live_blocks(), 2 * 4000 + 1, "blocks given back"); /* entry, value; scope */
	for (int i = 0; i < 5000; i++) {
		snprintf(key, sizeof(key), "%d", i);
		wrong += !has(s, i % 5 ? "big" : "small", key, i % 5 ? NULL : key);
	}
	CU_ASSERT_EQUAL(store_clear(s, &ctx, STR("small"), &err), ERR_OK);
	CU_ASSERT_EQUAL(stats_of(s).bytes, 0);
	CU_ASSERT_EQUAL(put(s, "big", "1", STR("again"), 0), ERR_OK);
	CU_ASSERT(has(s, "big", "1", "again"));
	ASSERT_I64(wrong, 0, "wrong answers");
}

/* Random operations against a model that cannot be wrong: an array. */
static void test_model(void)
{
	enum { SCOPES = 3, KEYS = 40, STEPS = 20000 };
	struct {
		bool there;
		int64_t expires_ms;
		char value[8];
	} model[SCOPES][KEYS] = {0};
	CLEANUP(store_freep) struct store *s = new_store(1000000, 0);
	uint64_t random = 42;
	size_t wrong = 0;

	for (int step = 0; step < STEPS; step++) {
		char scope[8], key[8];
		unsigned a, b;
		struct err err;

		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		a = (unsigned)(random >> 40) % SCOPES;
		b = (unsigned)(random >> 33) % KEYS;
		snprintf(scope, sizeof(scope), "s%u", a);
		snprintf(key, sizeof(key), "k%u", b);
		switch ((random >> 50) % 8) {
		case 0:
		case 1:
		case 2:
			snprintf(model[a][b].value, sizeof(model[a][b].value), "%d", step);
			model[a][b].there = true;
			model[a][b].expires_ms =
				clock_mono_ms(&fake.clock) + 1 + (int64_t)(random >> 55) % 60;
			wrong += put(s, scope, key, str_c(model[a][b].value),
					 model[a][b].expires_ms - clock_mono_ms(&fake.clock)) != ERR_OK;
			break;
		case 3:
			wrong += store_delete(s, &ctx, str_c(scope), str_c(key), &err) != ERR_OK;
			model[a][b].there = false;
			break;
		case 4:
			fake_clock_advance_ms(&fake, 1);
			break;
		case 5:
			if (step % 50 != 0)
				break;
			wrong += store_clear(s, &ctx, str_c(scope), &err) != ERR_OK;
			for (int i = 0; i < KEYS; i++)
				model[a][i].there = false;
			break;
		default:
			if (model[a][b].there && model[a][b].expires_ms <= clock_mono_ms(&fake.clock))
				model[a][b].there = false;
			wrong += !has(s, scope, key, model[a][b].there ? model[a][b].value : NULL);
		}
	}
	ASSERT_I64(wrong, 0, "steps that differ from the model");
}

enum { THREADS = 4, ROUNDS = 3000 };

struct crowd {
	struct store *s;
	atomic_int next;
	atomic_int wrong;
};

static bool is_or_none(struct store *s, const char *scope, const char *key, const char *want)
{
	CLEANUP(blob_unrefp) struct blob *value = NULL;
	struct err err;
	enum err_code rc = store_get(s, &ctx, str_c(scope), str_c(key), &value, &err);

	return rc == ERR_NOT_FOUND || (rc == ERR_OK && str_eq_c(blob_view(value), want));
}

/* Values say where they belong, so a mix-up shows. */
static void *crowd_main(void *arg)
{
	struct crowd *c = arg;
	uint64_t random = (uint64_t)atomic_fetch_add(&c->next, 1) + 1;

	for (int i = 0; i < ROUNDS; i++) {
		char scope[8], key[8], value[16];
		struct store_stats stats;
		struct err err;

		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		snprintf(scope, sizeof(scope), "s%u", (unsigned)(random >> 60) % 3);
		snprintf(key, sizeof(key), "k%u", (unsigned)(random >> 40) % 50);
		snprintf(value, sizeof(value), "%s/%s", scope, key);
		switch ((random >> 33) % 16) {
		case 0:
			c->wrong += store_clear(c->s, &ctx, str_c(scope), &err) != ERR_OK;
			break;
		case 1:
			c->wrong += store_delete(c->s, &ctx, str_c(scope), str_c(key), &err) != ERR_OK;
			break;
		case 2:
			fake_clock_advance_ms(&fake, 1);
			store_stats(c->s, &stats);
			c->wrong += stats.bytes > 1000;
			break;
		case 3:
		case 4:
		case 5:
		case 6:
			c->wrong +=
				put(c->s, scope, key, str_c(value), (int64_t)(random >> 58) + 1) != ERR_OK;
			break;
		default:
			c->wrong += !is_or_none(c->s, scope, key, value);
		}
	}
	return NULL;
}

static void test_threads(void)
{
	struct crowd c = {.s = new_store(1000, 100)};
	struct thread t[THREADS];
	struct err err;

	for (int i = 0; i < THREADS; i++)
		CU_ASSERT_EQUAL_FATAL(thread_start(&t[i], "crowd", 0, crowd_main, &c, &err), ERR_OK);
	for (int i = 0; i < THREADS; i++)
		thread_join(&t[i]);
	ASSERT_I64(c.wrong, 0, "wrong answers");
	CU_ASSERT(stats_of(c.s).hits > 0);
	CU_ASSERT(stats_of(c.s).evictions > 0);
	store_free(c.s);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"keep", test_keep},
		{"names", test_names},
		{"reference", test_reference},
		{"evict_least_recent", test_evict_least_recent},
		{"too_large", test_too_large},
		{"age", test_age},
		{"age_reclaims", test_age_reclaims},
		{"clear", test_clear},
		{"model", test_model},
		{"threads", test_threads},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"store_memory", init, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
