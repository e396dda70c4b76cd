/* layers: store base
 *
 * The store on a real Redis: two stores are two servers that share it. At the end on one that answers what no Redis does. */
#include "store/redis.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "store/redis_client.h"
#include "support/cunit_main.h"
#include "support/fake_quota.h"
#include "support/fake_redis.h"
#include "support/redis_server.h"

#define MAX_VALUE 100000

static struct redis_server *server;
static struct redis_client *raw; /* to look behind the store's back */
static struct store *one, *two;
static const struct ctx ctx = {.clock = &clock_system, .deadline_ms = CTX_NO_DEADLINE};

static struct store *new_store_at(const char *url, const char *prefix, size_t max_value_bytes)
{
	const struct store_redis_options opts = {
		.url = str_c(url),
		.prefix = str_c(prefix),
		.max_value_bytes = max_value_bytes,
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

static struct store *new_store(const char *prefix)
{
	return new_store_at(redis_server_url(server), prefix, MAX_VALUE);
}

static struct store_stats stats_of(struct store *s)
{
	struct store_stats stats;

	store_stats(s, &stats);
	return stats;
}

static int init(void)
{
	struct err err;

	server = redis_server_start();
	one = new_store("");
	two = new_store("");
	return redis_client_new(&(struct redis_client_options){.url = str_c(redis_server_url(server)),
					.max_reply_bytes = 1 << 20,
					.connect_timeout_ms = 5000,
					.command_timeout_ms = 5000,
					.idle_ms = 60000,
					.clock = &clock_system},
		       &raw, &err) != ERR_OK;
}

static int clean_up(void)
{
	store_free(one);
	store_free(two);
	redis_client_free(raw);
	redis_server_stop(server);
	return 0;
}

static int64_t redis_args(const struct str *args, size_t n)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	CLEANUP(redis_batch_deinit) struct redis_batch b = {.n = 0};
	struct resp_reply *reply;
	struct err err;

	redis_batch_init(&b, 10000);
	redis_batch_add(&b, args, n);
	if (redis_client_run(raw, &ctx, STR("raw"), &b, arena, &reply, &err) != ERR_OK)
		abort();
	if (reply->kind == RESP_INTEGER)
		return reply->integer;
	return reply->kind == RESP_ARRAY ? (int64_t)reply->n : (int64_t)reply->text.n;
}

/* A command of Redis's, words with blanks between them; the reply's integer, or how many items or bytes it has. */
static int64_t redis(const char *command)
{
	struct str args[16], rest = str_c(command);
	size_t n = 0;

	while (rest.p != NULL)
		args[n++] = str_cut(&rest, ' ');
	return redis_args(args, n);
}

static enum err_code put(
	struct store *s, const char *scope, const char *key, struct str bytes, int64_t ttl_ms)
{
	CLEANUP(blob_unrefp) struct blob *value = blob_new(bytes);
	struct err err;

	return store_put(s, &ctx, str_c(scope), str_c(key), value, ttl_ms, &err);
}

/* want NULL: nothing is there. */
static bool has(struct store *s, const char *scope, const char *key, const char *want)
{
	CLEANUP(blob_unrefp) struct blob *value = NULL;
	struct err err;
	enum err_code rc = store_get(s, &ctx, str_c(scope), str_c(key), &value, &err);

	if (want == NULL)
		return rc == ERR_NOT_FOUND && value == NULL;
	return rc == ERR_OK && str_eq_c(blob_view(value), want);
}

static enum store_found ask_under(struct store *s, const char *key, uint64_t number, int64_t lease_ms)
{
	struct store_item item = {.key = str_c(key), .lease = number};
	struct err err;

	CU_ASSERT_EQUAL(store_get_or_lease(s, &ctx, STR("sync"), &item, 1, lease_ms, &err), ERR_OK);
	blob_unref(item.value);
	return item.found;
}

static enum store_found ask(struct store *s, const char *key, int64_t lease_ms)
{
	return ask_under(s, key, 0, lease_ms);
}

static void test_values(void)
{
	struct err err;

	redis("FLUSHALL");
	CU_ASSERT(store_is_shared(one));
	CU_ASSERT(has(one, "sync", "a", NULL));
	CU_ASSERT_EQUAL(put(one, "sync", "a", STR("1"), 0), ERR_OK);
	CU_ASSERT(has(two, "sync", "a", "1"));
	CU_ASSERT(has(two, "sync", "b", NULL));
	CU_ASSERT(has(two, "other", "a", NULL));
	CU_ASSERT_EQUAL(put(two, "sync", "a", STR("2"), 50000), ERR_OK);
	CU_ASSERT(has(one, "sync", "a", "2"));
	CU_ASSERT_EQUAL(put(one, "sync", "empty", STR_EMPTY, 0), ERR_OK);
	CU_ASSERT(has(two, "sync", "empty", ""));
	CU_ASSERT_EQUAL(redis("SCARD baton:1:{sync}:keys"), 2);
	CU_ASSERT_EQUAL(store_delete(one, &ctx, STR("sync"), STR("a"), &err), ERR_OK);
	CU_ASSERT(has(two, "sync", "a", NULL));
	CU_ASSERT_EQUAL(redis("SCARD baton:1:{sync}:keys"), 1);
	CU_ASSERT_EQUAL(put(one, "sync", "a", STR("1"), -1), ERR_INVALID);
}

static void test_stats(void)
{
	struct store *s = new_store("");
	struct store_stats stats;

	redis("FLUSHALL");
	CU_ASSERT(has(s, "sync", "a", NULL));
	CU_ASSERT_EQUAL(put(s, "sync", "a", STR("12345"), 0), ERR_OK);
	CU_ASSERT_EQUAL(put(s, "sync", "b", STR("12345"), 0), ERR_OK);
	clock_sleep_ms(5); /* the connection is idle meanwhile */
	for (int i = 0; i < 3; i++)
		CU_ASSERT(has(s, "sync", "a", "12345"));
	redis("SET baton:1:{sync}:v:b poison");
	CU_ASSERT(!has(s, "sync", "b", NULL));
	CU_ASSERT_EQUAL(
		put(s, "sync", "c", str_n(memset((char[MAX_VALUE + 1]){0}, 'x', 1), MAX_VALUE + 1), 0),
		ERR_TOO_LARGE);
	stats = stats_of(s);
	ASSERT_I64(stats.misses, 1, "misses");
	ASSERT_I64(stats.puts, 2, "puts");
	ASSERT_I64(stats.hits, 3, "hits");
	ASSERT_I64(stats.failures, 2, "a damaged value, and one that is too large");
	ASSERT_I64(stats.bytes_packed, 10, "as they were");
	ASSERT_I64(stats.bytes_written, 2 * (21 + 5), "as they are kept");
	ASSERT_I64(stats.connects, 1, "connections");
	CU_ASSERT(!stats.away);
	store_free(s);
}

/* Everything that lies in Redis goes by itself. */
static void test_ages(void)
{
	int64_t left_ms;

	redis("FLUSHALL");
	CU_ASSERT_EQUAL(put(one, "sync", "short", STR("1"), 5000), ERR_OK);
	CU_ASSERT_EQUAL(put(one, "sync", "long", STR("1"), 99999999), ERR_OK);
	left_ms = redis("PTTL baton:1:{sync}:v:short");
	CU_ASSERT(left_ms > 0 && left_ms <= 5000);
	left_ms = redis("PTTL baton:1:{sync}:v:long");
	CU_ASSERT(left_ms > 5000 && left_ms <= 100000);
	left_ms = redis("PTTL baton:1:{sync}:keys");
	CU_ASSERT(left_ms > 5000 && left_ms <= 100000);
}

static void test_names(void)
{
	redis("FLUSHALL");
	CU_ASSERT_EQUAL(put(one, "a}:v:b", "c", STR("1"), 0), ERR_OK);
	CU_ASSERT(has(one, "a", "b}:v:c", NULL)); /* the braces of a scope are not ours */
	CU_ASSERT(has(one, "a}:v:b", "c", "1"));
	CU_ASSERT_EQUAL(redis("EXISTS baton:1:{a%7D%3Av%3Ab}:v:c"), 1);
	CU_ASSERT_EQUAL(put(one, "a b\n", "k\xff\r\n", STR("2"), 0), ERR_OK);
	CU_ASSERT(has(two, "a b\n", "k\xff\r\n", "2"));
}

static void test_prefix(void)
{
	struct store *apart = new_store("staging");

	redis("FLUSHALL");
	CU_ASSERT_EQUAL(put(apart, "sync", "a", STR("1"), 0), ERR_OK);
	CU_ASSERT(has(one, "sync", "a", NULL));
	CU_ASSERT_EQUAL(redis("EXISTS staging:1:{sync}:v:a"), 1);
	store_free(apart);
}

static void test_clear(void)
{
	char key[16];
	struct err err;

	redis("FLUSHALL");
	for (int i = 0; i < 1200; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		CU_ASSERT_EQUAL(put(one, "sync", key, STR("1"), 0), ERR_OK);
	}
	CU_ASSERT_EQUAL(put(one, "other", "a", STR("1"), 0), ERR_OK);
	CU_ASSERT_EQUAL(redis("DBSIZE"), 1203);
	CU_ASSERT_EQUAL(store_clear(two, &ctx, STR("sync"), &err), ERR_OK);
	CU_ASSERT_EQUAL(redis("DBSIZE"), 3); /* "other", and that "sync" has ended */
	CU_ASSERT(has(one, "other", "a", "1"));
	CU_ASSERT_EQUAL(store_clear(two, &ctx, STR("sync"), &err), ERR_OK); /* nothing there */
	redis_args((const struct str[]){STR("EVAL"),
			   STR("for i = 1, 20000 do redis.call('SADD', KEYS[1], 'v:' .. i) end"), STR("1"),
			   STR("baton:1:{sync}:keys")},
		4);
	CU_ASSERT_EQUAL(store_clear(two, &ctx, STR("sync"), &err), ERR_OK); /* more than one reply may have */
	CU_ASSERT_EQUAL(redis("EXISTS baton:1:{sync}:keys"), 0);
}

/* The longest names there can be, as many as are asked for at once, in the smallest store that can be configured. */
static void test_long_names(void)
{
	enum { AT_ONCE = 64, WAVES = 8 };
	struct store *s = new_store_at(redis_server_url(server), "", 1 << 20);
	struct store_item items[AT_ONCE];
	char scope[STORE_NAME_MAX], names[AT_ONCE][STORE_NAME_MAX];
	struct store_lease leases[AT_ONCE];
	struct blob *value = blob_new(STR("1"));
	size_t wrong = 0;
	struct err err;

	redis("FLUSHALL");
	memset(scope, '}', sizeof(scope)); /* each becomes three */
	for (int wave = 0; wave < WAVES; wave++) {
		for (size_t i = 0; i < AT_ONCE; i++) {
			memset(names[i], 'a' + wave, sizeof(names[i]));
			names[i][0] = (char)(i + 1);
			leases[i] = (struct store_lease){
				.key = str_n(names[i], sizeof(names[i])), .number = UINT64_MAX};
			items[i] = (struct store_item){.key = leases[i].key, .lease = leases[i].number};
		}
		CU_ASSERT_EQUAL(
			store_get_or_lease(s, &ctx, str_n(scope, sizeof(scope)), items, AT_ONCE, 60000, &err),
			ERR_OK);
		for (size_t i = 0; i < AT_ONCE; i++) {
			wrong += items[i].found != STORE_YOURS;
			items[i].value = value;
		}
		CU_ASSERT_EQUAL(store_renew_leases(
					s, &ctx, str_n(scope, sizeof(scope)), leases, AT_ONCE, 60000, &err),
			ERR_OK);
		CU_ASSERT_EQUAL(store_put_many(s, &ctx, str_n(scope, sizeof(scope)), items, AT_ONCE, 0, &err),
			ERR_OK);
		CU_ASSERT_EQUAL(store_end_leases(s, &ctx, str_n(scope, sizeof(scope)), leases, AT_ONCE, &err),
			ERR_OK);
	}
	ASSERT_I64(wrong, 0, "leases that are not ours");
	CU_ASSERT_EQUAL(redis("DBSIZE"), AT_ONCE * WAVES + 1);
	CU_ASSERT_EQUAL(store_clear(s, &ctx, str_n(scope, sizeof(scope)), &err), ERR_OK);
	CU_ASSERT_EQUAL(redis("DBSIZE"), 1);
	blob_unref(value);
	store_free(s);
}

/* A server that did not hear of the end keeps nothing in the scope any more, and is told. */
static void test_ended(void)
{
	int64_t left_ms;
	bool ended = true;
	struct err err;

	redis("FLUSHALL");
	CU_ASSERT_EQUAL(put(one, "sync", "a", STR("1"), 0), ERR_OK);
	CU_ASSERT_EQUAL(ask(one, "b", 60000), STORE_YOURS);
	CU_ASSERT(store_ended(one, &ctx, STR("sync"), &ended, &err) == ERR_OK && !ended);
	CU_ASSERT_EQUAL(store_clear(two, &ctx, STR("sync"), &err), ERR_OK);
	CU_ASSERT(store_ended(one, &ctx, STR("sync"), &ended, &err) == ERR_OK && ended);
	CU_ASSERT_EQUAL(ask(one, "a", 60000), STORE_ENDED);
	CU_ASSERT_EQUAL(put(one, "sync", "b", STR("late"), 0), ERR_OK);
	CU_ASSERT(has(two, "sync", "b", NULL));
	CU_ASSERT_EQUAL(redis("EXISTS baton:1:{sync}:v:b"), 0);
	CU_ASSERT_EQUAL(redis("EXISTS baton:1:{sync}:keys"), 0);
	left_ms = redis("PTTL baton:1:{sync}:ended");
	CU_ASSERT(left_ms > 500000 && left_ms <= 600000);
	CU_ASSERT_EQUAL(put(one, "other", "a", STR("1"), 0), ERR_OK);
	CU_ASSERT(has(two, "other", "a", "1"));
}

/* A server's put and another one's clear, command by command in the worst order: the set is emptied between SADD and SET. */
struct late_put {
	atomic_int unlinked;
};

static bool answer_late_put(void *arg, const struct str *args, size_t n, struct buf *out)
{
	struct late_put *late = arg;

	if (str_eq_c(args[0], "SRANDMEMBER"))
		buf_c(out, "*0\r\n");
	else if (str_eq_c(args[0], "EXISTS") || str_eq_c(args[0], "SADD"))
		buf_c(out, ":1\r\n");
	else
		buf_c(out, str_eq_c(args[0], "UNLINK") || str_eq_c(args[0], "SREM") ? ":1\r\n" : "+OK\r\n");
	if (str_eq_c(args[0], "UNLINK") && n == 2 && str_eq_c(args[1], "baton:1:{sync}:v:a"))
		atomic_fetch_add(&late->unlinked, 1);
	return true;
}

static void test_put_after_the_end(void)
{
	struct late_put late = {.unlinked = 0};
	struct fake_redis *fake = fake_redis_start(answer_late_put, &late);
	char url[64];
	struct store *s;

	(void)snprintf(url, sizeof(url), "redis://127.0.0.1:%u", fake_redis_port(fake));
	s = new_store_at(url, "", MAX_VALUE);
	CU_ASSERT_EQUAL(put(s, "sync", "a", STR("late"), 0), ERR_OK);
	ASSERT_I64(late.unlinked, 1, "what was put");
	store_free(s);
	fake_redis_stop(fake);
}

static void fill(char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)random();
}

static void test_large(void)
{
	char *bytes = mem_alloc(2 * MAX_VALUE);
	struct store *larger = new_store_at(redis_server_url(server), "", 2 * MAX_VALUE);
	struct store_item items[] = {{.key = STR_INIT("raw")}, {.key = STR_INIT("more")}};
	struct blob *value = NULL;
	struct store_stats stats;
	struct err err;

	redis("FLUSHALL");
	memset(bytes, 'x', 2 * MAX_VALUE);
	CU_ASSERT_EQUAL(put(one, "sync", "packed", str_n(bytes, MAX_VALUE), 0), ERR_OK);
	CU_ASSERT(redis("STRLEN baton:1:{sync}:v:packed") < 1000);
	CU_ASSERT_EQUAL(store_get(two, &ctx, STR("sync"), STR("packed"), &value, &err), ERR_OK);
	CU_ASSERT(str_eq(blob_view(value), str_n(bytes, MAX_VALUE)));
	blob_unref(value);
	CU_ASSERT_EQUAL(put(larger, "sync", "larger", str_n(bytes, MAX_VALUE + 1), 0), ERR_OK);
	CU_ASSERT_EQUAL(store_get(one, &ctx, STR("sync"), STR("larger"), &value, &err), ERR_TOO_LARGE);
	store_stats(one, &stats);
	CU_ASSERT(stats.bytes_written < stats.bytes_packed);

	fill(bytes, 2 * MAX_VALUE); /* cannot be packed */
	CU_ASSERT_EQUAL(put(one, "sync", "larger", str_n(bytes, MAX_VALUE + 1), 0), ERR_TOO_LARGE);
	items[0].value = blob_new(str_n(bytes, MAX_VALUE));
	items[1].value = blob_new(str_n(bytes + MAX_VALUE, MAX_VALUE));
	CU_ASSERT_EQUAL(store_put_many(one, &ctx, STR("sync"), items, 2, 0, &err), ERR_OK);
	CU_ASSERT_EQUAL(store_get(two, &ctx, STR("sync"), STR("raw"), &value, &err), ERR_OK);
	CU_ASSERT(str_eq(blob_view(value), str_n(bytes, MAX_VALUE)));
	blob_unref(value);
	blob_unref(items[0].value);
	blob_unref(items[1].value);
	/* The bound is also one for what is read at once. */
	CU_ASSERT_EQUAL(store_get_or_lease(two, &ctx, STR("sync"), items, 2, 60000, &err), ERR_TOO_LARGE);
	CU_ASSERT(items[0].found == STORE_YOURS && items[0].value == NULL);
	CU_ASSERT(items[1].found == STORE_YOURS && items[1].value == NULL);
	store_free(larger);
	mem_free(bytes);
}

/* Small values that are large when unpacked: the bound is for all that one question gets. */
static void test_large_together(void)
{
	struct store_item items[] = {{.key = STR_INIT("a")}, {.key = STR_INIT("b")}};
	char *bytes = mem_alloc(MAX_VALUE);
	struct err err;

	redis("FLUSHALL");
	memset(bytes, 'x', MAX_VALUE);
	CU_ASSERT_EQUAL(put(one, "sync", "a", str_n(bytes, MAX_VALUE / 2 + 1), 0), ERR_OK);
	CU_ASSERT_EQUAL(put(one, "sync", "b", str_n(bytes, MAX_VALUE / 2), 0), ERR_OK);
	CU_ASSERT_EQUAL(store_get_or_lease(two, &ctx, STR("sync"), items, 2, 60000, &err), ERR_TOO_LARGE);
	CU_ASSERT(items[0].found == STORE_VALUE && items[1].found == STORE_YOURS);
	CU_ASSERT(items[1].value == NULL);
	blob_unref(items[0].value);
	mem_free(bytes);
}

/* Values that somebody else wrote, or nobody. */
static void test_poisoned(void)
{
	static const char *const poisons[] = {"SET %s BST1", "SET %s x", "APPEND %s x", "SETRANGE %s 30 x",
		"HSET %s a b", "RENAME baton:1:{sync}:v:b %s"};
	char command[128];

	for (size_t i = 0; i < ARRAY_LEN(poisons); i++) {
		CLEANUP(blob_unrefp) struct blob *value = NULL;
		struct err err;

		redis("FLUSHALL");
		CU_ASSERT_EQUAL(put(one, "sync", "a", STR("the value of a"), 0), ERR_OK);
		CU_ASSERT_EQUAL(put(one, "sync", "b", STR("the value of b"), 0), ERR_OK);
		if (str_starts(str_c(poisons[i]), STR("HSET")))
			redis("DEL baton:1:{sync}:v:a");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		(void)snprintf(command, sizeof(command), poisons[i], "baton:1:{sync}:v:a");
#pragma GCC diagnostic pop
		redis(command);
		CU_ASSERT_NOT_EQUAL(store_get(two, &ctx, STR("sync"), STR("a"), &value, &err), ERR_OK);
		CU_ASSERT_NOT_EQUAL(err.code, ERR_NOT_FOUND);
		CU_ASSERT_EQUAL(put(two, "sync", "a", STR("mended"), 0), ERR_OK);
		CU_ASSERT(has(one, "sync", "a", "mended"));
	}
}

/* --- leases --- */

static void test_leases(void)
{
	const struct store_lease leases[] = {{.key = STR_INIT("a")}};
	int64_t left_ms;
	struct err err;

	redis("FLUSHALL");
	CU_ASSERT_EQUAL(ask(one, "a", 60000), STORE_YOURS);
	left_ms = redis("PTTL baton:1:{sync}:l:a");
	CU_ASSERT(left_ms > 0 && left_ms <= 60000);
	CU_ASSERT_EQUAL(redis("STRLEN baton:1:{sync}:l:a"),
		32 + 2); /* whose it is cannot be mistaken, and its number */
	CU_ASSERT_EQUAL(ask(two, "a", 60000), STORE_ELSEWHERE);
	CU_ASSERT_EQUAL(ask(one, "a", 60000), STORE_YOURS); /* a server may ask twice */
	CU_ASSERT_EQUAL(ask(two, "b", 60000), STORE_YOURS);
	CU_ASSERT_EQUAL(store_end_leases(two, &ctx, STR("sync"), leases, 1, &err), ERR_OK);
	CU_ASSERT_EQUAL(ask(two, "a", 60000), STORE_ELSEWHERE); /* it was not two's to end */
	CU_ASSERT_EQUAL(put(one, "sync", "a", STR("1"), 0), ERR_OK);
	CU_ASSERT_EQUAL(ask(two, "a", 60000), STORE_VALUE);
	CU_ASSERT_EQUAL(store_end_leases(one, &ctx, STR("sync"), leases, 1, &err), ERR_OK);
	CU_ASSERT_EQUAL(redis("EXISTS baton:1:{sync}:l:a"), 0);
	CU_ASSERT_EQUAL(ask(two, "a", 60000), STORE_VALUE);
	CU_ASSERT_EQUAL(redis("EXISTS baton:1:{sync}:l:a"), 0); /* there is nothing to fetch */
}

/* A holder that died is succeeded; one that lives prolongs its lease. */
static void test_leases_end(void)
{
	const struct store_lease leases[] = {{.key = STR_INIT("a")}, {.key = STR_INIT("lost")}};
	int64_t left_ms;
	struct err err;

	redis("FLUSHALL");
	CU_ASSERT_EQUAL(ask(one, "a", 60000), STORE_YOURS);
	redis("PEXPIRE baton:1:{sync}:l:a 20000");
	CU_ASSERT_EQUAL(store_renew_leases(one, &ctx, STR("sync"), leases, 2, 60000, &err), ERR_OK);
	left_ms = redis("PTTL baton:1:{sync}:l:a");
	CU_ASSERT(left_ms > 20000 && left_ms <= 60000);
	left_ms = redis("PTTL baton:1:{sync}:l:lost");
	CU_ASSERT(left_ms > 20000); /* a Redis that came back empty */
	CU_ASSERT_EQUAL(store_end_leases(one, &ctx, STR("sync"), leases, 2, &err), ERR_OK);
	CU_ASSERT_EQUAL(redis("DBSIZE"), 0);
	CU_ASSERT_EQUAL(ask(one, "a", 60000), STORE_YOURS);
	redis("DEL baton:1:{sync}:l:a"); /* it ran out */
	CU_ASSERT_EQUAL(ask(two, "a", 60000), STORE_YOURS);
	CU_ASSERT_EQUAL(store_renew_leases(one, &ctx, STR("sync"), leases, 1, 60000, &err), ERR_OK);
	CU_ASSERT_EQUAL(ask(one, "a", 60000), STORE_ELSEWHERE);
}

/* The end of a lease comes late, when the same server has taken it again: that one stays. */
static void test_a_lease_is_taken_again(void)
{
	const struct store_lease first = {.key = STR_INIT("a"), .number = 1},
				 second = {.key = STR_INIT("a"), .number = 2};
	struct err err;

	redis("FLUSHALL");
	CU_ASSERT_EQUAL(ask_under(one, "a", 1, 60000), STORE_YOURS);
	CU_ASSERT_EQUAL(ask_under(one, "a", 2, 60000), STORE_YOURS);
	CU_ASSERT_EQUAL(store_end_leases(one, &ctx, STR("sync"), &first, 1, &err), ERR_OK);
	CU_ASSERT_EQUAL(ask_under(two, "a", 1, 60000), STORE_ELSEWHERE);
	CU_ASSERT_EQUAL(store_end_leases(two, &ctx, STR("sync"), &second, 1, &err), ERR_OK);
	CU_ASSERT_EQUAL(ask_under(two, "a", 1, 60000), STORE_ELSEWHERE);
	CU_ASSERT_EQUAL(store_end_leases(one, &ctx, STR("sync"), &second, 1, &err), ERR_OK);
	CU_ASSERT_EQUAL(ask_under(two, "a", 1, 60000), STORE_YOURS);
}

/* Nobody waits for a lease that never ends, or not before a clock that was set back is where it was. */
static void test_leases_without_end(void)
{
	redis("FLUSHALL");
	redis("SET baton:1:{sync}:l:a somebody");
	CU_ASSERT_EQUAL(ask(one, "a", 60000), STORE_YOURS);
	redis("SET baton:1:{sync}:l:a somebody PX 3600000");
	CU_ASSERT_EQUAL(ask(one, "a", 60000), STORE_YOURS);
	redis("SET baton:1:{sync}:l:a somebody PX 60000");
	CU_ASSERT_EQUAL(ask(one, "a", 60000), STORE_ELSEWHERE);
}

static void test_many(void)
{
	struct store_item items[] = {{.key = STR_INIT("a")}, {.key = STR_INIT("b")}, {.key = STR_INIT("c")}};
	struct store_item puts[] = {{.key = STR_INIT("a")}, {.key = STR_INIT("c")}};
	struct err err;

	redis("FLUSHALL");
	puts[0].value = blob_new(STR("1"));
	puts[1].value = blob_new(STR("3"));
	CU_ASSERT_EQUAL(store_put_many(one, &ctx, STR("sync"), puts, 2, 0, &err), ERR_OK);
	CU_ASSERT_EQUAL(store_get_or_lease(two, &ctx, STR("sync"), items, 3, 60000, &err), ERR_OK);
	CU_ASSERT(items[0].found == STORE_VALUE && str_eq_c(blob_view(items[0].value), "1"));
	CU_ASSERT(items[1].found == STORE_YOURS && items[1].value == NULL);
	CU_ASSERT(items[2].found == STORE_VALUE && str_eq_c(blob_view(items[2].value), "3"));
	for (size_t i = 0; i < ARRAY_LEN(items); i++)
		blob_unref(items[i].value);
	CU_ASSERT_EQUAL(put(one, "sync", "b", STR("2"), 0), ERR_OK);
	redis("SET baton:1:{sync}:v:c poison"); /* one bad value spoils none of the others */
	CU_ASSERT_EQUAL(store_get_or_lease(two, &ctx, STR("sync"), items, 3, 60000, &err), ERR_PROTOCOL);
	CU_ASSERT(items[0].found == STORE_VALUE && str_eq_c(blob_view(items[0].value), "1"));
	CU_ASSERT(items[1].found == STORE_VALUE && str_eq_c(blob_view(items[1].value), "2"));
	CU_ASSERT(items[2].found == STORE_YOURS && items[2].value == NULL);
	for (size_t i = 0; i < ARRAY_LEN(items); i++)
		blob_unref(items[i].value);
	blob_unref(puts[0].value);
	blob_unref(puts[1].value);
	redis("SET baton:1:{sync}:v:a poison");
	CU_ASSERT_EQUAL(store_get_or_lease(two, &ctx, STR("sync"), items, 2, 60000, &err), ERR_PROTOCOL);
	CU_ASSERT(items[0].found == STORE_YOURS && items[0].value == NULL);
	CU_ASSERT(items[1].found == STORE_VALUE && str_eq_c(blob_view(items[1].value), "2"));
	blob_unref(items[1].value);

	/* None at all: a wave of documents of which none may be read. */
	CU_ASSERT_EQUAL(store_put_many(one, &ctx, STR("sync"), puts, 0, 0, &err), ERR_OK);
	CU_ASSERT_EQUAL(store_get_or_lease(one, &ctx, STR("sync"), items, 0, 60000, &err), ERR_OK);
	CU_ASSERT_EQUAL(store_renew_leases(one, &ctx, STR("sync"), NULL, 0, 60000, &err), ERR_OK);
	CU_ASSERT_EQUAL(store_end_leases(one, &ctx, STR("sync"), NULL, 0, &err), ERR_OK);
}

/* Reading goes on, and so do leases; what is not there cannot be leased or put. */
static void test_full(void)
{
	const struct store_lease lease = {.key = STR_INIT("leased")};
	struct store_item items[] = {{.key = STR_INIT("there")}, {.key = STR_INIT("missing")}};
	struct err err;

	redis("FLUSHALL");
	CU_ASSERT_EQUAL(put(one, "sync", "there", STR("1"), 0), ERR_OK);
	CU_ASSERT_EQUAL(ask(one, "leased", 1000), STORE_YOURS);
	redis("CONFIG SET maxmemory 1");
	CU_ASSERT_EQUAL(store_renew_leases(one, &ctx, STR("sync"), &lease, 1, 60000, &err), ERR_OK);
	CU_ASSERT(redis("PTTL baton:1:{sync}:l:leased") > 1000);
	CU_ASSERT_EQUAL(store_get_or_lease(two, &ctx, STR("sync"), items, 2, 60000, &err), ERR_TOO_LARGE);
	CU_ASSERT(str_contains(str_c(err.msg), STR("maxmemory")));
	CU_ASSERT(items[0].found == STORE_VALUE && items[1].found == STORE_YOURS);
	blob_unref(items[0].value);
	CU_ASSERT_EQUAL(put(one, "sync", "b", STR("1"), 0), ERR_TOO_LARGE);
	redis("CONFIG SET maxmemory 0");
	CU_ASSERT_EQUAL(put(one, "sync", "b", STR("1"), 0), ERR_OK);
}

/* Cleanup makes room, also where there is none for the mark that the sync has ended. */
static void test_clear_when_full(void)
{
	struct err err;

	redis("FLUSHALL");
	CU_ASSERT_EQUAL(put(one, "sync", "a", STR("1"), 0), ERR_OK);
	redis("CONFIG SET maxmemory 1");
	CU_ASSERT_EQUAL(store_clear(two, &ctx, STR("sync"), &err), ERR_TOO_LARGE); /* the mark is missing */
	CU_ASSERT_EQUAL(redis("DBSIZE"), 0);
	redis("CONFIG SET maxmemory 0");
	CU_ASSERT_EQUAL(store_clear(two, &ctx, STR("sync"), &err), ERR_OK);
	CU_ASSERT_EQUAL(redis("EXISTS baton:1:{sync}:ended"), 1);
}

/* --- the bucket --- */

static struct quota_grant take(struct store *s, const struct quota_request *in)
{
	struct quota *q = store_redis_quota(s);
	struct quota_grant grant = {.turns = 0};
	struct err err;

	CU_ASSERT_EQUAL(q->take(q, &ctx, in, &grant, &err), ERR_OK);
	return grant;
}

/* Turns are minutes apart: how fast the test runs does not matter. */
static void test_quota(void)
{
	struct quota_request in = {.name = STR("123456789012/sso/us-east-1"),
		.start_per_s = 0.002,
		.most_per_s = 0.002,
		.burst = 3,
		.turns = 2,
		.only_free = true};
	struct quota_grant grant;

	redis("FLUSHALL");
	grant = take(one, &in);
	CU_ASSERT(grant.turns == 2 && grant.first_ms < -900000 && grant.servers == 1);
	CU_ASSERT(fabs(grant.interval_ms - 500000) < 1 && fabs(grant.rate_per_s - 0.002) < 1e-6);
	grant = take(two, &in);
	CU_ASSERT(grant.turns == 1 && grant.servers == 2); /* the burst is everybody's together */
	CU_ASSERT(grant.again_ms > 400000 && grant.again_ms <= 500000);
	grant = take(one, &in);
	CU_ASSERT_EQUAL(grant.turns, 0); /* read-ahead gets what is left over */
	in.only_free = false;
	grant = take(one, &in); /* a turn for each server is handed out ahead */
	CU_ASSERT(grant.turns == 2 && grant.first_ms > 400000 && grant.first_ms <= 500000);
	CU_ASSERT(redis("PTTL baton:1:{quota/123456789012/sso/us-east-1}:b") > 0);
	CU_ASSERT(redis("PTTL baton:1:{quota/123456789012/sso/us-east-1}:m") > 0);
	in.name = STR("210987654321/sso/us-east-1");
	grant = take(one, &in);
	CU_ASSERT(grant.turns == 2 && grant.first_ms < 0); /* another account's */
}

static void assert_alike(const struct quota_grant *got, const struct quota_grant *want)
{
	ASSERT_I64(got->turns, want->turns, "turns");
	ASSERT_I64(got->servers, want->servers, "servers");
	CU_ASSERT(fabs(got->rate_per_s - want->rate_per_s) < 0.05);
	CU_ASSERT(fabs(got->interval_ms - want->interval_ms) < 25);
	CU_ASSERT(got->turns == 0 || fabs(got->first_ms - want->first_ms) < 300);
}

/* The script against the same rules in C, request by request; Redis's clock goes on meanwhile, so times are compared loosely. False: so
 * much time passed within an exchange that nothing can be said. */
static bool quota_is_like_the_rules(void)
{
	static const struct quota_request requests[] = {
		{.turns = 3},
		{.turns = 30},
		{.turns = 30},
		{.turns = 2, .only_free = true},
		{.turns = 1, .throttled = 2},
		{.turns = 5, .throttled = 100},
		{.turns = 0, .succeeded = true},
		{.turns = 4, .throttled = 1, .succeeded = true},
		{.turns = 65535},
	};
	struct quota_grant got[ARRAY_LEN(requests)], want[ARRAY_LEN(requests)];
	struct fake_quota rules;
	const double start_ms = (double)clock_mono_ms(&clock_system);
	int64_t longest_ms = 0;

	redis("FLUSHALL");
	fake_quota_init(&rules, NULL);
	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		const int64_t before_ms = clock_mono_ms(&clock_system);
		struct quota_request in = requests[i];
		int64_t now_ms;

		in.name = STR("rules");
		in.start_per_s = 2; /* half a second to a turn: more than the two clocks can be apart */
		in.most_per_s = 2.5;
		in.burst = 5;
		got[i] = take(i % 2 ? two : one, &in);
		now_ms = clock_mono_ms(&clock_system);
		want[i] = fake_quota_take(&rules, i % 2, start_ms + (double)now_ms, &in);
		if (now_ms - before_ms > longest_ms)
			longest_ms = now_ms - before_ms;
	}
	fake_quota_deinit(&rules);
	if (longest_ms > 100)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(requests); i++)
		assert_alike(&got[i], &want[i]);
	return true;
}

static void test_quota_like_the_rules(void)
{
	bool said = false;

	for (int i = 0; i < 100 && !said; i++)
		said = quota_is_like_the_rules();
	CU_ASSERT_TRUE(said);
}

/* What the rules say of a bucket that was left as no test could wait for. A turn lasts half a second. */
static void test_quota_left_like_this(void)
{
	static const struct {
		const char *left; /* the bucket's fields */
		bool only_free;
		unsigned throttled;
		bool succeeded;
		unsigned turns; /* of 20; a burst is 5 */
		double rate;
	} cases[] = {
		{"learned 1", .only_free = true, .turns = 5, .rate = 2},
		{"learned 1", .turns = 7, .rate = 2}, /* two are handed out ahead */
		{"rate 1 learned 1", .turns = 6, .rate = 1},
		{"rate 1000 learned 1", .turns = 7,
			.rate = 2.5}, /* 5 of 0.4 s, and those of the next second */
		{"rate 1 learned 1", .succeeded = true, .turns = 6, .rate = 1 + 1 / 30.0},
		{"rate 1 learned 9e15", .succeeded = true, .turns = 6,
			.rate = 1}, /* the clock has gone back */
		{"rate 1 learned 9e15", .throttled = 1, .turns = 2, .rate = 0.8},
		{"rate 1 period 9e15 least 0.9", .throttled = 1, .turns = 2, .rate = 0.8},
		{"rate 1 period 1 least 0.9", .throttled = 1, .turns = 2, .rate = 0.8},
		{"rate 1 period 1", .throttled = 9, .turns = 2,
			.rate = 0.7}, /* not below the period's least */
		{"learned 1", .only_free = true, .throttled = 1, .turns = 1,
			.rate = 1.8}, /* nothing saved up */
		{"tat 9e15", .turns = 0, .rate = 2},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct quota_request in = {.name = STR("left"),
			.start_per_s = 2,
			.most_per_s = 2.5,
			.burst = 5,
			.turns = 20,
			.only_free = cases[i].only_free,
			.throttled = cases[i].throttled,
			.succeeded = cases[i].succeeded};
		struct quota_grant grant;
		char command[128];

		redis("FLUSHALL");
		(void)snprintf(command, sizeof(command), "HSET baton:1:{quota/left}:b %s", cases[i].left);
		redis(command);
		redis("ZADD baton:1:{quota/left}:m 1 somebody-who-has-gone");
		grant = take(one, &in);
		ASSERT_I64(grant.turns, cases[i].turns, cases[i].left);
		ASSERT_I64(grant.servers, 1, cases[i].left);
		CU_ASSERT(fabs(grant.rate_per_s - cases[i].rate) < 0.001);
		CU_ASSERT(grant.again_ms > 0 && grant.again_ms <= 1500);
	}
}

/* Whatever lies there, a bucket gives what one of these rates could give, or nothing and says so: and goes on like that. */
static void test_quota_poisoned(void)
{
	static const char *const poisons[] = {"SET %s x", "HSET %s tat nan", "HSET %s tat 1e300",
		"HSET %s tat -inf", "HSET %s rate -5", "HSET %s rate inf", "HSET %s rate nan",
		"HSET %s rate 0", "HSET %s rate 1e-300", "HSET %s learned nan", "HSET %s learned -inf",
		"HSET %s learned x period y least z", "HSET %s period nan least nan",
		"HSET %s period -inf least inf"};
	const struct quota_request in = {.name = STR("p"),
		.start_per_s = 20,
		.most_per_s = 25,
		.burst = 5,
		.turns = 3,
		.throttled = 1,
		.succeeded = true};
	struct quota *q = store_redis_quota(one);
	char command[128];

	for (size_t i = 0; i < ARRAY_LEN(poisons); i++) {
		struct quota_grant grant = {.turns = 0};
		struct err err;

		redis("FLUSHALL");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		(void)snprintf(command, sizeof(command), poisons[i], "baton:1:{quota/p}:b");
#pragma GCC diagnostic pop
		redis(command);
		if (i == 0) { /* of another type */
			CU_ASSERT_NOT_EQUAL(q->take(q, &ctx, &in, &grant, &err), ERR_OK);
			continue;
		}
		for (int again = 0; again < 3; again++) {
			ASSERT_I64(q->take(q, &ctx, &in, &grant, &err), ERR_OK, poisons[i]);
			CU_ASSERT(grant.turns <= 3 && grant.rate_per_s >= 1 && grant.rate_per_s <= 25);
			CU_ASSERT(fabs(grant.first_ms) < 10000 && grant.interval_ms >= 40);
		}
	}
}

/* --- without Redis --- */

static void test_nobody_there(void)
{
	CLEANUP(blob_unrefp) struct blob *value = NULL;
	struct store *s = NULL;
	struct store_stats stats;
	struct err err;

	CU_ASSERT_EQUAL_FATAL(store_redis_new(&(struct store_redis_options){.url = STR("redis://127.0.0.1:1"),
						      .max_value_bytes = 1000,
						      .max_age_ms = 1000,
						      .connect_timeout_ms = 1000,
						      .command_timeout_ms = 1000,
						      .idle_ms = 1000,
						      .clock = &clock_system},
				      &s, &err),
		ERR_OK);
	CU_ASSERT_EQUAL(store_get(s, &ctx, STR("sync"), STR("a"), &value, &err), ERR_UNAVAILABLE);
	CU_ASSERT_EQUAL(store_get(s, &ctx, STR("sync"), STR("a"), &value, &err), ERR_UNAVAILABLE);
	store_stats(s, &stats);
	CU_ASSERT(stats.away && stats.failures == 2);
	store_free(s);
	s = NULL;
	CU_ASSERT_EQUAL(store_redis_new(&(struct store_redis_options){.url = STR("http://127.0.0.1"),
						.max_age_ms = 1},
				&s, &err),
		ERR_INVALID);
	CU_ASSERT_PTR_NULL(s);
}

/* --- a Redis that answers what none does --- */

static struct odd {
	struct fake_redis *redis;
	struct store *store;
	const char *const *replies; /* one for each command, up to a NULL; then none */
	size_t next;
	int secrets; /* AUTH with the password of the tests */
} odd;

static bool answer_oddly(void *arg, const struct str *args, size_t n, struct buf *out)
{
	struct odd *o = arg;

	o->secrets += str_eq_c(args[0], "AUTH") && str_eq_c(args[n - 1], "s3cret");
	if (str_eq_c(args[0], "PING") || str_eq_c(args[0], "AUTH"))
		buf_c(out, "+OK\r\n");
	else if (o->replies[o->next] != NULL)
		buf_c(out, o->replies[o->next++]);
	return true;
}

/* The store's connection is the only one, and each test has its own: no lock is needed. */
static void start_odd(const char *const *replies)
{
	char url[64];

	odd = (struct odd){.replies = replies};
	odd.redis = fake_redis_start(answer_oddly, &odd);
	(void)snprintf(url, sizeof(url), "redis://127.0.0.1:%u", fake_redis_port(odd.redis));
	odd.store = new_store_at(url, "", MAX_VALUE);
}

static void stop_odd(void)
{
	store_free(odd.store);
	fake_redis_stop(odd.redis);
}

static void test_odd_answers(void)
{
	static const struct {
		char what; /* get, put, clear, ended */
		const char *replies[8];
		enum err_code want;
		const char *says;
	} cases[] = {
		{'g', {":5\r\n"}, ERR_PROTOCOL, "answers GET in a way"},
		{'g', {"-ERR no\r\n"}, ERR_UNAVAILABLE, "refuses: ERR no"},
		{'p', {":1\r\n", ":1\r\n", "+OK\r\n", ":0\r\n"}, ERR_OK, ""},
		{'p', {":1\r\n", ":1\r\n", "-OOM no\r\n", ":0\r\n"}, ERR_TOO_LARGE, "OOM"},
		{'p', {":1\r\n", ":1\r\n", "+OK\r\n", ":1\r\n", ":1\r\n", ":1\r\n", "*0\r\n"}, ERR_OK,
			""}, /* ended */
		{'c', {"+OK\r\n", "*0\r\n"}, ERR_OK, ""},
		{'c', {"-ERR no\r\n"}, ERR_UNAVAILABLE, "refuses: ERR no"},
		{'c', {"+OK\r\n", "+OK\r\n"}, ERR_PROTOCOL, "answers SRANDMEMBER in a way"},
		{'c', {"+OK\r\n", "*1\r\n:1\r\n"}, ERR_PROTOCOL, "answers SRANDMEMBER in a way"},
		{'c', {"+OK\r\n", "*1\r\n$3\r\nv:a\r\n", ":1\r\n", "-ERR no\r\n"}, ERR_UNAVAILABLE,
			"refuses: ERR no"},
		{'e', {":1\r\n"}, ERR_OK, ""},
		{'e', {"$1\r\n1\r\n"}, ERR_PROTOCOL, "answers EXISTS in a way"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct blob *value = blob_new(STR("1")), *got = NULL;
		struct err err = {.msg = ""};
		enum err_code code;
		bool ended;

		start_odd(cases[i].replies);
		if (cases[i].what == 'g')
			code = store_get(odd.store, &ctx, STR("sync"), STR("a"), &got, &err);
		else if (cases[i].what == 'p')
			code = store_put(odd.store, &ctx, STR("sync"), STR("a"), value, 0, &err);
		else if (cases[i].what == 'c')
			code = store_clear(odd.store, &ctx, STR("sync"), &err);
		else
			code = store_ended(odd.store, &ctx, STR("sync"), &ended, &err);
		ASSERT_I64(code, cases[i].want, cases[i].says);
		CU_ASSERT(str_contains(str_c(err.msg), str_c(cases[i].says)));
		ASSERT_I64(stats_of(odd.store).failures, code != ERR_OK, "failures");
		CU_ASSERT_PTR_NULL(cases[i].replies[odd.next]); /* all were needed */
		stop_odd();
		blob_unref(value);
	}
}

static void test_odd_leases(void)
{
	static const struct {
		const char *replies[3]; /* to GET, and of the script */
		enum err_code want;
		enum store_found found;
	} cases[] = {
		{{"$-1\r\n", ":0\r\n"}, ERR_OK, STORE_ELSEWHERE}, /* put between the two */
		{{"$-1\r\n", ":1\r\n"}, ERR_OK, STORE_YOURS},
		{{"$-1\r\n", ":2\r\n"}, ERR_OK, STORE_ELSEWHERE},
		{{"$-1\r\n", ":3\r\n"}, ERR_OK, STORE_ENDED},
		{{"$-1\r\n", ":4\r\n"}, ERR_PROTOCOL, STORE_YOURS},
		{{"$-1\r\n", ":-1\r\n"}, ERR_PROTOCOL, STORE_YOURS},
		{{"$-1\r\n", "$1\r\n2\r\n"}, ERR_PROTOCOL, STORE_YOURS},
		{{"$-1\r\n", "-ERR no\r\n"}, ERR_UNAVAILABLE, STORE_YOURS},
		{{":1\r\n", ":2\r\n"}, ERR_PROTOCOL, STORE_YOURS},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct store_item item = {.key = STR("a")};
		struct err err;

		start_odd(cases[i].replies);
		ASSERT_I64(store_get_or_lease(odd.store, &ctx, STR("sync"), &item, 1, 60000, &err),
			cases[i].want, cases[i].replies[1]);
		ASSERT_I64(item.found, cases[i].found, cases[i].replies[1]);
		ASSERT_I64(stats_of(odd.store).failures, cases[i].want != ERR_OK, cases[i].replies[1]);
		stop_odd();
	}
}

/* turns, first_ms, interval_ms, again_ms, rate, servers */
static void test_odd_grants(void)
{
	static const struct {
		const char *replies[2];
		bool is_good;
	} cases[] = {
		{{"*6\r\n:1\r\n$4\r\n-0.5\r\n$1\r\n2\r\n:3\r\n$1\r\n4\r\n:5\r\n"}, true},
		{{"*6\r\n:65535\r\n:0\r\n:0\r\n:0\r\n:0\r\n:65535\r\n"}, true},
		{{"*6\r\n:65536\r\n:0\r\n:0\r\n:0\r\n:0\r\n:1\r\n"}, false},
		{{"*6\r\n:-1\r\n:0\r\n:0\r\n:0\r\n:0\r\n:1\r\n"}, false},
		{{"*6\r\n:1\r\n:0\r\n:0\r\n:0\r\n:0\r\n:65536\r\n"}, false},
		{{"*6\r\n:1\r\n:0\r\n:0\r\n:0\r\n:0\r\n:-1\r\n"}, false},
		{{"*6\r\n:1\r\n$4\r\n1e16\r\n:0\r\n:0\r\n:0\r\n:1\r\n"}, false},
		{{"*6\r\n:1\r\n:0\r\n:0\r\n:9000000000000000000\r\n:0\r\n:1\r\n"}, false},
		{{"*6\r\n:1\r\n$3\r\nnan\r\n:0\r\n:0\r\n:0\r\n:1\r\n"}, false},
		{{"*6\r\n:1\r\n$2\r\n1x\r\n:0\r\n:0\r\n:0\r\n:1\r\n"}, false},
		{{"*6\r\n:1\r\n$0\r\n\r\n:0\r\n:0\r\n:0\r\n:1\r\n"}, false},
		{{"*6\r\n:1\r\n$-1\r\n:0\r\n:0\r\n:0\r\n:1\r\n"}, false},
		{{"*6\r\n:1\r\n+1\r\n:0\r\n:0\r\n:0\r\n:1\r\n"}, false},
		{{"*7\r\n:1\r\n:0\r\n:0\r\n:0\r\n:0\r\n:1\r\n:1\r\n"}, false},
		{{"*0\r\n"}, false},
		{{":6\r\n"}, false},
	};
	const struct quota_request in = {
		.name = STR("odd"), .start_per_s = 20, .most_per_s = 25, .burst = 5, .turns = 3};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct quota_grant grant = {.turns = 7};
		struct quota *q;
		struct err err;

		start_odd(cases[i].replies);
		q = store_redis_quota(odd.store);
		ASSERT_I64(q->take(q, &ctx, &in, &grant, &err), cases[i].is_good ? ERR_OK : ERR_PROTOCOL,
			cases[i].replies[0]);
		if (i == 0) {
			CU_ASSERT(grant.turns == 1 && grant.again_ms == 3 && grant.servers == 5);
			CU_ASSERT(fabs(grant.first_ms + 0.5) < 1e-9 && fabs(grant.interval_ms - 2) < 1e-9);
			CU_ASSERT(fabs(grant.rate_per_s - 4) < 1e-9);
		}
		stop_odd();
	}
}

/* The caller's own end is nobody's failure. */
static void test_callers_end(void)
{
	static const char *const nothing[] = {NULL};
	struct ctx own = {.clock = &clock_system, .deadline_ms = clock_mono_ms(&clock_system) + 30};
	struct cancel *cancel = cancel_new();
	struct blob *value = NULL;
	struct err err;

	start_odd(nothing);
	CU_ASSERT_EQUAL(store_get(odd.store, &own, STR("sync"), STR("a"), &value, &err), ERR_DEADLINE);
	cancel_fire(cancel);
	own = (struct ctx){.clock = &clock_system, .deadline_ms = CTX_NO_DEADLINE, .cancel = cancel};
	CU_ASSERT_EQUAL(store_get(odd.store, &own, STR("sync"), STR("a"), &value, &err), ERR_CANCELLED);
	ASSERT_I64(stats_of(odd.store).failures, 0, "failures");
	stop_odd();
	cancel_unref(cancel);
}

/* What is not this store's own business reaches the client. */
static void test_options(void)
{
	static const char *const nothing[] = {"*-1\r\n", NULL};
	struct secret *s3cret = secret_new(STR("s3cret"));
	struct blob *value = NULL;
	char url[64];
	struct err err;

	for (int sentinel = 0; sentinel < 2; sentinel++) {
		struct store_redis_options opts = {.max_value_bytes = 1000,
			.max_age_ms = 1000,
			.connect_timeout_ms = 5000,
			.command_timeout_ms = 5000,
			.idle_ms = 1000,
			.clock = &clock_system};

		start_odd(nothing);
		store_free(odd.store);
		(void)snprintf(url, sizeof(url),
			sentinel ? "redis+sentinel://127.0.0.1:%u/main" : "redis://127.0.0.1:%u",
			fake_redis_port(odd.redis));
		opts.url = str_c(url);
		opts.password = sentinel ? NULL : s3cret;
		opts.sentinel_password = sentinel ? s3cret : NULL;
		CU_ASSERT_EQUAL_FATAL(store_redis_new(&opts, &odd.store, &err), ERR_OK);
		CU_ASSERT_NOT_EQUAL(store_get(odd.store, &ctx, STR("sync"), STR("a"), &value, &err), ERR_OK);
		ASSERT_I64(odd.secrets, 1, url);
		stop_odd();
	}
	secret_unref(s3cret);
	CU_ASSERT_EQUAL(store_redis_new(&(struct store_redis_options){.url = STR("rediss://127.0.0.1"),
						.tls = {.ca_file = STR("/nowhere")},
						.max_age_ms = 1},
				&odd.store, &err),
		ERR_INVALID);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"values", test_values},
		{"stats", test_stats},
		{"ages", test_ages},
		{"names", test_names},
		{"prefix", test_prefix},
		{"clear", test_clear},
		{"long_names", test_long_names},
		{"ended", test_ended},
		{"put_after_the_end", test_put_after_the_end},
		{"large", test_large},
		{"large_together", test_large_together},
		{"poisoned", test_poisoned},
		{"leases", test_leases},
		{"leases_end", test_leases_end},
		{"a_lease_is_taken_again", test_a_lease_is_taken_again},
		{"leases_without_end", test_leases_without_end},
		{"many", test_many},
		{"full", test_full},
		{"clear_when_full", test_clear_when_full},
		{"quota", test_quota},
		{"quota_like_the_rules", test_quota_like_the_rules},
		{"quota_left_like_this", test_quota_left_like_this},
		{"quota_poisoned", test_quota_poisoned},
		{"nobody_there", test_nobody_there},
		{"odd_answers", test_odd_answers},
		{"odd_leases", test_odd_leases},
		{"odd_grants", test_odd_grants},
		{"callers_end", test_callers_end},
		{"options", test_options},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{"store_redis", init, clean_up, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
