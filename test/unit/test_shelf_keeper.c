/* layers: inventory store base
 *
 * What a shelf asks of its store, and when: against a store that only writes down what it was asked. Most of it the keeper does, in the
 * background, which is waited for. */
#include "inventory/shelf.h"

#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "base/log.h"
#include "base/thread.h"
#include "store/memory.h"
#include "support/cunit_main.h"
#include "support/fake_clock.h"

#define NEVER_MS 1000000 /* rounds that no test waits for */

/* --- the store --- */

static struct recorder {
	struct store store; /* first member */
	struct mutex lock;  /* guards the rest */
	struct buf said;    /* lines: "renew sync a b" */
	enum store_found found;
	enum err_code code; /* of every call; ERR_OK: as it should be */
	bool away;
	const char *ended; /* a scope; NULL: none */
	bool hold;         /* ends of leases wait while it is set, */
	bool is_held;      /* and one does */
} rec;

static enum err_code answer(struct err *reterr)
{
	return rec.code == ERR_OK ? ERR_OK : err_set(reterr, rec.code, "on demand");
}

static void say(const char *what, struct str scope)
{
	buf_fmt(&rec.said, "%s " STR_FMT "\n", what, STR_ARG(scope));
}

static void say_leases(const char *what, struct str scope, const struct store_lease *leases, size_t n)
{
	buf_fmt(&rec.said, "%s " STR_FMT, what, STR_ARG(scope));
	for (size_t i = 0; i < n; i++)
		buf_fmt(&rec.said, " " STR_FMT, STR_ARG(leases[i].key));
	buf_c(&rec.said, "\n");
}

static enum err_code rec_get_or_lease(struct store *s, const struct ctx *ctx, struct str scope,
	struct store_item *items, size_t n, int64_t lease_ms, struct err *reterr)
{
	(void)s;
	(void)ctx;
	(void)lease_ms;
	LOCK_SCOPE(&rec.lock);
	say("get", scope);
	for (size_t i = 0; i < n; i++)
		items[i].found = rec.found;
	return answer(reterr);
}

static enum err_code rec_put_many(struct store *s, const struct ctx *ctx, struct str scope,
	const struct store_item *items, size_t n, int64_t ttl_ms, struct err *reterr)
{
	(void)s;
	(void)ctx;
	(void)n;
	LOCK_SCOPE(&rec.lock);
	buf_fmt(&rec.said, "put " STR_FMT " " STR_FMT " %d\n", STR_ARG(scope), STR_ARG(items[0].key),
		(int)ttl_ms);
	return answer(reterr);
}

static enum err_code rec_renew_leases(struct store *s, const struct ctx *ctx, struct str scope,
	const struct store_lease *leases, size_t n, int64_t lease_ms, struct err *reterr)
{
	(void)s;
	(void)lease_ms;
	LOCK_SCOPE(&rec.lock);
	say_leases(ctx->deadline_ms == CTX_NO_DEADLINE ? "renew for ever" : "renew", scope, leases, n);
	return answer(reterr);
}

static enum err_code rec_end_leases(struct store *s, const struct ctx *ctx, struct str scope,
	const struct store_lease *leases, size_t n, struct err *reterr)
{
	(void)s;
	(void)ctx;
	LOCK_SCOPE(&rec.lock);
	say_leases("end", scope, leases, n);
	while (rec.hold) {
		rec.is_held = true;
		mutex_unlock(&rec.lock);
		clock_sleep_ms(1);
		mutex_lock(&rec.lock);
	}
	rec.is_held = false;
	return answer(reterr);
}

static enum err_code rec_ended(
	struct store *s, const struct ctx *ctx, struct str scope, bool *ret_ended, struct err *reterr)
{
	(void)s;
	(void)ctx;
	LOCK_SCOPE(&rec.lock);
	say("ended?", scope);
	*ret_ended = rec.ended != NULL && str_eq_c(scope, rec.ended);
	return answer(reterr);
}

static enum err_code rec_delete(
	struct store *s, const struct ctx *ctx, struct str scope, struct str key, struct err *reterr)
{
	(void)s;
	(void)ctx;
	LOCK_SCOPE(&rec.lock);
	buf_fmt(&rec.said, "delete " STR_FMT " " STR_FMT "\n", STR_ARG(scope), STR_ARG(key));
	return answer(reterr);
}

static enum err_code rec_clear(struct store *s, const struct ctx *ctx, struct str scope, struct err *reterr)
{
	(void)s;
	(void)ctx;
	LOCK_SCOPE(&rec.lock);
	say("clear", scope);
	return answer(reterr);
}

static void rec_stats(struct store *s, struct store_stats *ret_stats)
{
	(void)s;
	LOCK_SCOPE(&rec.lock);
	*ret_stats = (struct store_stats){.away = rec.away};
}

static const struct store_vtable rec_vtable = {
	.get_or_lease = rec_get_or_lease,
	.put_many = rec_put_many,
	.renew_leases = rec_renew_leases,
	.end_leases = rec_end_leases,
	.ended = rec_ended,
	.delete = rec_delete,
	.clear = rec_clear,
	.stats = rec_stats,
};

/* How often a line begins so. */
static size_t count(const char *line)
{
	size_t n = 0;
	struct str rest;

	LOCK_SCOPE(&rec.lock);
	for (rest = buf_view(&rec.said); rest.p != NULL;)
		n += str_starts(str_cut(&rest, '\n'), str_c(line));
	return n;
}

static bool comes(const char *line, size_t times)
{
	for (int i = 0; i < 2000 && count(line) < times; i++)
		clock_sleep_ms(2);
	return count(line) >= times;
}

static void set_code(enum err_code code)
{
	LOCK_SCOPE(&rec.lock);
	rec.code = code;
}

static void set_hold(bool hold)
{
	LOCK_SCOPE(&rec.lock);
	rec.hold = hold;
}

static bool is_held(void)
{
	for (int i = 0; i < 2000; i++) {
		mutex_lock(&rec.lock);
		if (rec.is_held)
			i = 2000;
		mutex_unlock(&rec.lock);
		clock_sleep_ms(1);
	}
	LOCK_SCOPE(&rec.lock);
	return rec.is_held;
}

/* --- the shelf --- */

static struct fake_clock fake;
static struct ctx ctx;
static struct shelf *shelf;
static atomic_int ends;
static const char *end_of;
static char lines[4000]; /* of the log */
static struct mutex lines_lock;

static void capture(void *arg, struct str line)
{
	(void)arg;
	LOCK_SCOPE(&lines_lock);
	(void)snprintf(lines + strlen(lines), sizeof(lines) - strlen(lines), STR_FMT "\n", STR_ARG(line));
}

/* Whether the log has said it, since the last time. */
static bool has_said(const char *text)
{
	bool has;

	LOCK_SCOPE(&lines_lock);
	has = strstr(lines, text) != NULL;
	lines[0] = '\0';
	return has;
}

static void count_end(void *self, struct str scope)
{
	(void)self;
	atomic_fetch_add(&ends, str_eq_c(scope, end_of) ? 1 : 1000);
}

static void set_up(int64_t lease_ms, int64_t look_ms, const char *view)
{
	rec = (struct recorder){.store.vtable = &rec_vtable, .found = STORE_YOURS};
	mutex_init(&rec.lock);
	mutex_init(&lines_lock);
	buf_init(&rec.said, 1 << 20);
	fake_clock_init(&fake, 0);
	ctx = (struct ctx){.clock = &fake.clock, .deadline_ms = CTX_NO_DEADLINE};
	ends = 0;
	lines[0] = '\0';
	log_capture(capture, NULL);
	shelf = shelf_new(&(struct shelf_options){.store = &rec.store,
		.clock = &fake.clock,
		.view = str_c(view),
		.lease_ms = lease_ms,
		.look_ms = look_ms,
		.ended = count_end});
}

static void tear_down(void)
{
	shelf_free(shelf);
	log_capture(NULL, NULL);
	buf_deinit(&rec.said);
	mutex_deinit(&rec.lock);
	mutex_deinit(&lines_lock);
}

static void get(const char *scope, const char *key)
{
	struct store_item item = {.key = str_c(key)};

	shelf_get(shelf, &ctx, str_c(scope), &item, 1);
}

static void done(const char *scope, const char *key)
{
	const struct str keys = str_c(key);

	shelf_done(shelf, str_c(scope), &keys, 1);
}

/* --- leases --- */

/* They end at once, those of a scope together, though the next round is far away. */
static void test_end(void)
{
	const struct str keys[] = {STR_INIT("a"), STR_INIT("b")};

	set_up(NEVER_MS, NEVER_MS, "");
	get("one", "a");
	get("one", "b");
	get("one", "c");
	get("two", "a");
	done("one", "x"); /* not held */
	shelf_done(shelf, STR("one"), keys, 2);
	CU_ASSERT(comes("end one", 1));
	CU_ASSERT(comes("end one b a", 1) || (comes("end one a", 1) && comes("end one b", 1)));
	ASSERT_I64(count("end two"), 0, "another scope's");
	ASSERT_I64(count("end one c"), 0, "not done");
	tear_down();
}

/* What comes while the keeper is busy is not lost, in whichever scope; and who asks again while his lease waits to be ended has it still. */
static void test_end_while_busy(void)
{
	set_up(NEVER_MS, NEVER_MS, "");
	get("one", "first");
	get("one", "a");
	get("one", "b");
	get("three", "a");
	get("two", "a");
	get("two", "b");
	set_hold(true);
	done("one", "first");
	CU_ASSERT(is_held());
	done("one", "a");
	get("one", "a");
	done("one", "b");
	done("two", "a");
	done("two", "b");
	done("three", "a");
	set_hold(false);
	CU_ASSERT(comes("end two", 1));
	CU_ASSERT(comes("end three a", 1));
	CU_ASSERT(comes("end one b", 1));
	CU_ASSERT(comes("end two b a", 1));
	ASSERT_I64(count("end one a") + count("end one b a"), 0, "asked for again");
	ASSERT_I64(count("end"), 4, "each once");
	done("one", "a");
	CU_ASSERT(comes("end one a", 1));
	tear_down();
}

/* Those that are held, and no others, until they are done. */
static void test_renew(void)
{
	size_t before;

	set_up(30, NEVER_MS, "");
	get("one", "a");
	get("one", "b");
	get("two", "a");
	rec.found = STORE_ELSEWHERE;
	get("one", "elsewhere");
	CU_ASSERT(comes("renew one b a", 3));
	CU_ASSERT(comes("renew two a", 3));
	done("one", "a");
	CU_ASSERT(comes("end one a", 1));
	before = count("renew one b");
	CU_ASSERT(comes("renew one b", before + 3));
	before = count("renew one b a");
	clock_sleep_ms(50);
	ASSERT_I64(count("renew one b a"), before, "done");
	ASSERT_I64(count("ended?"), 0, "that is another period");
	tear_down();
}

static int64_t cpu_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Between rounds nothing happens. */
static void test_rest(void)
{
	int64_t before_ms;

	set_up(NEVER_MS, NEVER_MS, "");
	get("one", "a");
	done("one", "a");
	CU_ASSERT(comes("end one a", 1));
	clock_sleep_ms(20);
	before_ms = cpu_ms();
	clock_sleep_ms(200);
	CU_ASSERT(cpu_ms() - before_ms < 30);
	tear_down();
}

/* --- ends of syncs --- */

static void forget(void)
{
	LOCK_SCOPE(&rec.lock);
	buf_reset(&rec.said);
}

static void test_looks_for_ends(void)
{
	static const struct {
		const char *view, *two;
		const char *one_asked, *two_asked, *three_asked;
	} cases[] = {
		{"", "two", "ended? one", "ended? two", "ended? three"},
		{"view", "view/two", "ended? view/one", "ended? view/two", "ended? view/three"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		set_up(NEVER_MS, 5, cases[i].view);
		get("one", "a");
		get("one", "b");
		get("two", "a");
		get("three", "a");
		get("three", "b");
		CU_ASSERT(comes(cases[i].two_asked, 2));
		ASSERT_I64(ends, 0, "none has ended");
		mutex_lock(&rec.lock);
		end_of = "two";
		rec.ended = cases[i].two;
		mutex_unlock(&rec.lock);
		for (int j = 0; j < 2000 && ends == 0; j++)
			clock_sleep_ms(1);
		forget();
		CU_ASSERT(comes(cases[i].one_asked, 3));
		CU_ASSERT(comes(cases[i].three_asked, 3));
		forget();
		CU_ASSERT(comes(cases[i].three_asked, 4));
		CU_ASSERT(count(cases[i].one_asked) <= 5); /* once each round, though for two facts */
		ASSERT_I64(count(cases[i].two_asked), 0, "no more");
		ASSERT_I64(ends, 1, "told once");
		tear_down();
	}
}

static void test_ends_without_listener(void)
{
	set_up(NEVER_MS, NEVER_MS, "");
	shelf_free(shelf);
	rec.ended = "one";
	shelf = shelf_new(&(struct shelf_options){
		.store = &rec.store, .clock = &fake.clock, .lease_ms = NEVER_MS, .look_ms = 5});
	get("one", "a");
	CU_ASSERT(comes("ended? one", 1));
	get("one", "a");
	CU_ASSERT(comes("ended? one", 2));
	tear_down();
}

/* Only so many are looked for: those that were asked about last. */
static void test_many_scopes(void)
{
	char scope[16];

	set_up(NEVER_MS, 5, "");
	set_code(ERR_UNAVAILABLE); /* until all have been asked about no round gets far */
	for (int i = 0; i < 8; i++) {
		(void)snprintf(scope, sizeof(scope), "s%d", i);
		get(scope, "a");
		fake_clock_advance_ms(&fake, 1);
	}
	get("s0", "a");
	get("s8", "a"); /* instead of s1 */
	set_code(ERR_OK);
	for (int i = 0; i <= 8; i++) {
		(void)snprintf(scope, sizeof(scope), "ended? s%d", i);
		if (i != 1)
			CU_ASSERT(comes(scope, 4));
	}
	ASSERT_I64(count("ended? s1"), 0, "asked about longest ago");
	tear_down();
}

/* A store that fails is asked about another one in each round. */
static void test_looks_in_vain(void)
{
	set_up(NEVER_MS, 5, "");
	set_code(ERR_UNAVAILABLE);
	get("one", "a");
	get("two", "a");
	CU_ASSERT(comes("ended? one", 3));
	CU_ASSERT(comes("ended? two", 3));
	tear_down();
}

/* --- clearing --- */

static void test_clear(void)
{
	size_t before;

	set_up(NEVER_MS, 5, "");
	get("one", "a");
	get("two", "a");
	CU_ASSERT(comes("ended? one", 1));
	shelf_clear(shelf, &ctx, STR("one"));
	before = count("ended? one");
	CU_ASSERT(comes("ended? two", count("ended? two") + 3));
	CU_ASSERT(count("ended? one") <= before + 1); /* the round under way */
	ASSERT_I64(count("clear one"), 1, "it worked");

	set_code(ERR_UNAVAILABLE);
	shelf_clear(shelf, &ctx, STR("two"));
	CU_ASSERT(comes("clear two", 4));
	set_code(ERR_OK);
	before = count("clear two");
	clock_sleep_ms(100);
	CU_ASSERT(count("clear two") <= before + 1);

	set_code(ERR_UNAVAILABLE);
	shelf_clear(shelf, &ctx, STR("three"));
	CU_ASSERT(comes("clear three", 61));
	clock_sleep_ms(100);
	ASSERT_I64(count("clear three"), 61, "for five minutes of rounds");
	tear_down();
}

/* --- what it passes on, and what it says --- */

static void test_passes_on(void)
{
	CLEANUP(blob_unrefp) struct blob *value = blob_new(STR("1"));
	const struct store_item item = {.key = STR("a"), .value = value};

	set_up(NEVER_MS, NEVER_MS, "view");
	shelf_put(shelf, &ctx, STR("one"), &item, 1, 1234);
	shelf_erase(shelf, &ctx, STR("one"), STR("a"));
	ASSERT_I64(count("put view/one a 1234"), 1, "put");
	ASSERT_I64(count("delete view/one a"), 1, "erase");
	tear_down();
}

/* Each failure counts, but for those that are the caller's own end. */
static void test_failures(void)
{
	CLEANUP(blob_unrefp) struct blob *value = blob_new(STR("1"));
	const struct store_item item = {.key = STR("a"), .value = value};
	struct cancel *cancel = cancel_new();

	set_up(NEVER_MS, NEVER_MS, "");
	set_code(ERR_UNAVAILABLE);
	get("one", "a");
	CU_ASSERT(has_said("doing=get failures=1 "));
	shelf_put(shelf, &ctx, STR("one"), &item, 1, 0);
	shelf_erase(shelf, &ctx, STR("one"), STR("a"));
	shelf_clear(shelf, &ctx, STR("one"));
	done("one", "a"); /* held, for whatever became of the lease */
	for (int i = 0; i < 2000 && shelf_failures(shelf) < 5; i++)
		clock_sleep_ms(1);
	ASSERT_I64(shelf_failures(shelf), 5, "get, put, delete, clear, end");
	fake_clock_advance_ms(&fake, 59999);
	get("one", "a");
	CU_ASSERT(!has_said("failures"));
	fake_clock_advance_ms(&fake, 1);
	get("one", "a");
	CU_ASSERT(has_said("doing=get failures=6 "));
	fake_clock_advance_ms(&fake, 60000);
	get("one", "a");
	CU_ASSERT(has_said("doing=get failures=1 "));
	ASSERT_I64(shelf_failures(shelf), 8, "all of them");

	ctx.deadline_ms = clock_mono_ms(&fake.clock);
	get("one", "a");
	ctx.deadline_ms = CTX_NO_DEADLINE;
	cancel_fire(cancel);
	ctx.cancel = cancel;
	get("one", "a");
	ctx.cancel = NULL;
	cancel_unref(cancel);
	ASSERT_I64(shelf_failures(shelf), 8, "nobody's failures");

	set_code(ERR_OK);
	fake_clock_advance_ms(&fake, 9999);
	get("one", "a");
	CU_ASSERT(!has_said("works again"));
	fake_clock_advance_ms(&fake, 1);
	get("one", "a");
	CU_ASSERT(has_said("works again"));
	get("one", "a");
	CU_ASSERT(!has_said("works again"));
	tear_down();
}

static void test_failure_to_renew(void)
{
	set_up(30, NEVER_MS, "");
	get("one", "a");
	set_code(ERR_UNAVAILABLE);
	CU_ASSERT(comes("renew one a", count("renew one a") + 2));
	CU_ASSERT(shelf_failures(shelf) > 0);
	tear_down();
}

/* A store that is away is tried though nobody asks; one that is there is not. */
static void test_back_again(void)
{
	bool said = false;

	set_up(NEVER_MS, 5, "");
	get("one", "a");
	set_code(ERR_UNAVAILABLE);
	get("one", "a");
	CU_ASSERT(has_said("failures=1 "));
	CU_ASSERT(comes("ended? one", count("ended? one") + 2));
	ASSERT_I64(count("ended? probe"), 0, "it is not away");
	mutex_lock(&rec.lock);
	rec.away = true;
	mutex_unlock(&rec.lock);
	CU_ASSERT(comes("ended? probe", 2));
	fake_clock_advance_ms(&fake, 10000);
	CU_ASSERT(!has_said("works again"));
	set_code(ERR_OK);
	for (int i = 0; i < 2000 && !(said = has_said("works again")); i++)
		clock_sleep_ms(1);
	CU_ASSERT(said);
	CU_ASSERT(comes("ended? probe", count("ended? probe") + 1));
	CU_ASSERT(!has_said("works again"));
	tear_down();
}

/* 5 ms, then twice as long each time, up to 40. */
static void test_wait(void)
{
	static const int64_t want_ms[] = {5, 10, 20, 40, 40, 40};
	struct err err;

	fake_clock_init(&fake, 0);
	ctx = (struct ctx){.clock = &fake.clock, .deadline_ms = CTX_NO_DEADLINE};
	fake.auto_step_ms = 1;
	for (unsigned i = 0; i < ARRAY_LEN(want_ms); i++) {
		const int64_t before_ms = fake.mono_ms;

		CU_ASSERT_EQUAL(shelf_wait(&ctx, i, &err), ERR_OK);
		ASSERT_I64(
			fake.mono_ms - before_ms - 1, want_ms[i], "ms"); /* the first look is at the start */
	}
}

static size_t threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	size_t n = 0;

	while (readdir(dir) != NULL)
		n++;
	(void)closedir(dir);
	return n;
}

/* A store of one's own needs no keeper. */
static void test_own_store(void)
{
	const size_t before = threads();
	struct store *own;

	fake_clock_init(&fake, 0);
	own = store_memory_new(&(struct store_memory_options){.max_bytes = 10000, .clock = &fake.clock});
	shelf = shelf_new(&(struct shelf_options){.store = own, .clock = &fake.clock});
	get("one", "a");
	done("one", "a");
	shelf_clear(shelf, &ctx, STR("one"));
	ASSERT_I64(threads(), before, "threads");
	shelf_free(shelf);
	store_free(own);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"end", test_end},
		{"end_while_busy", test_end_while_busy},
		{"renew", test_renew},
		{"rest", test_rest},
		{"looks_for_ends", test_looks_for_ends},
		{"ends_without_listener", test_ends_without_listener},
		{"many_scopes", test_many_scopes},
		{"looks_in_vain", test_looks_in_vain},
		{"clear", test_clear},
		{"passes_on", test_passes_on},
		{"failures", test_failures},
		{"failure_to_renew", test_failure_to_renew},
		{"back_again", test_back_again},
		{"wait", test_wait},
		{"own_store", test_own_store},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"shelf_keeper", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
