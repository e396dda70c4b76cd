/* bench/store.c
 *
 * What the session store costs a server: microseconds per operation, in memory and in a Redis whose URL is the argument. One thread;
 * prints a line per operation and kind of value. bench/store.py runs it.
 *
 *	hit     a value that is there
 *	miss    the way of a fact that nobody has: ask (and get the lease), put, end the lease */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/memory.h"
#include "store/redis.h"

#define MAX_VALUE (64U << 20)

static const struct ctx ctx = {.clock = &clock_system, .deadline_ms = CTX_NO_DEADLINE};

/* Text as facts have it: ARNs that differ in their ends. */
static struct blob *fact(size_t bytes)
{
	struct buf b;
	unsigned i = 0;

	buf_init(&b, bytes + 100);
	while (b.n < bytes)
		buf_fmt(&b, "arn:aws:iam::123456789012:user/division-%u/user-%u", i % 7, i * 2654435761U),
			i++;
	return blob_take(&b);
}

static void must(enum err_code code, const struct err *err)
{
	if (code == ERR_OK)
		return;
	fprintf(stderr, "store: %s\n", err->msg);
	exit(1);
}

static char scope[32]; /* a new one for each size: one that was cleared has ended */

static void look(struct store *s, struct str key)
{
	struct store_item item = {.key = key};
	struct err err;

	must(store_get_or_lease(s, &ctx, str_c(scope), &item, 1, 10000, &err), &err);
	blob_unref(item.value);
}

static void miss(struct store *s, struct str key, struct blob *value)
{
	const struct store_item item = {.key = key, .value = value};
	const struct store_lease lease = {.key = key};
	struct err err;

	look(s, key);
	must(store_put_many(s, &ctx, str_c(scope), &item, 1, 0, &err), &err);
	must(store_end_leases(s, &ctx, str_c(scope), &lease, 1, &err), &err);
}

static void measure(const char *name, struct store *s, size_t bytes, int rounds)
{
	CLEANUP(blob_unrefp) struct blob *value = fact(bytes);
	int64_t start_ns = clock_wall_ns(&clock_system);
	struct err err;
	char key[32];

	(void)snprintf(scope, sizeof(scope), "bench-%d-%lld", (int)getpid(), (long long)start_ns);

	for (int i = 0; i < rounds; i++) {
		(void)snprintf(key, sizeof(key), "key-%d", i);
		miss(s, str_c(key), value);
	}
	printf("%s miss %zu %.1f\n", name, bytes,
		(double)(clock_wall_ns(&clock_system) - start_ns) / 1000 / rounds);
	start_ns = clock_wall_ns(&clock_system);
	for (int i = 0; i < rounds; i++) {
		(void)snprintf(key, sizeof(key), "key-%d", i);
		look(s, str_c(key));
	}
	printf("%s hit %zu %.1f\n", name, bytes,
		(double)(clock_wall_ns(&clock_system) - start_ns) / 1000 / rounds);
	must(store_clear(s, &ctx, str_c(scope), &err), &err);
}

int main(int argc, char **argv)
{
	static const struct {
		size_t bytes;
		int rounds;
	} sizes[] = {{300, 5000}, {10000, 2000}, {1000000, 100}};
	struct store *memory, *redis = NULL;
	struct err err;

	if (argc != 2) {
		fprintf(stderr, "usage: store URL\n");
		return 2;
	}
	memory = store_memory_new(&(struct store_memory_options){
		.max_bytes = 1U << 30, .max_age_ms = 86400000, .clock = &clock_system});
	must(store_redis_new(&(struct store_redis_options){.url = str_c(argv[1]),
				     .max_value_bytes = MAX_VALUE,
				     .max_age_ms = 86400000,
				     .connect_timeout_ms = 1000,
				     .command_timeout_ms = 5000,
				     .idle_ms = 60000,
				     .clock = &clock_system},
		     &redis, &err),
		&err);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		measure("memory", memory, sizes[i].bytes, sizes[i].rounds);
		measure("redis", redis, sizes[i].bytes, sizes[i].rounds);
	}
	store_free(memory);
	store_free(redis);
	return 0;
}
