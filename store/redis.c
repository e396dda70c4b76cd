/* DESIGN
 *
 * Each operation is one round trip: a pipeline of commands, some of them small scripts where Redis has to decide. Scripts are sent as
 * text each time (a few hundred bytes; Redis keeps them compiled by their hash), so there is no state in a connection that a
 * restart, a fail-over or SCRIPT FLUSH could take away.
 *
 * Values are plain strings with a time to live, not fields of one hash per scope: Redis's eviction, where the operator wants it, can then
 * drop a fact instead of a sync. The price is a set of the scope's keys, for store_clear.
 *
 * All commands may be sent twice (redis_client.c does, when a connection turns out to be dead): a lease is taken by a name, not by
 * being first, and a turn that is taken twice is a lost turn. */
#include "store/redis.h"

#include <assert.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/encode.h"
#include "base/mem.h"
#include "store/redis_client.h"
#include "store/redis_value.h"

#define REQUEST_SLACK   65536 /* of a request beside its values */
#define CLEAR_WAVE      100 /* keys that two round trips of store_clear take: the longest fit the smallest store */
#define MAX_CLEAR_WAVES 100000 /* 10 million keys: some millions of accounts */
#define ENDED_MS        600000 /* as long as servers may be reading ahead for a sync whose Cleanup another one got */
#define HOLDER_BYTES    16 /* random, in hexadecimal: who we are among the servers */

struct redis {
	struct store store; /* first member */
	struct quota quota;
	struct redis_client *client;
	char *prefix; /* "baton:1:" */
	char holder[2 * HOLDER_BYTES + 1];
	size_t max_value_bytes;
	int64_t max_age_ms;

	atomic_uint_fast64_t hits, misses, puts, failures, bytes_written, bytes_packed;
};

static struct redis *redis_of(struct store *s)
{
	return (struct redis *)s;
}

/* --- scripts --- */

/* A lease says whose it is, and its number: "<holder>:<number>".
 *
 * KEYS: value, lease, end. ARGV: lease, milliseconds, holder. What it answers is enum answer.
 *
 * Another's lease counts when it ends within the time that leases are given, or nearly: one that a clock which was set back would keep
 * for hours, or that has no end at all, would keep everybody waiting. */
static const char lease_script[] =
	"if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end\n"
	"if redis.call('EXISTS', KEYS[3]) == 1 then return 3 end\n"
	"local lease, left = redis.call('GET', KEYS[2]), redis.call('PTTL', KEYS[2])\n"
	"if lease and string.sub(lease, 1, #ARGV[3]) ~= ARGV[3] and left >= 0 and left <= 2 * ARGV[2] then\n"
	"  return 2\n"
	"end\n"
	"redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])\n"
	"return 1\n";

enum answer { ANSWER_THERE, ANSWER_OURS, ANSWER_ANOTHERS, ANSWER_ENDED, ANSWERS };

/* KEYS: lease. ARGV: lease, milliseconds; 0 ends it. */
static const char renew_script[] = "local lease = redis.call('GET', KEYS[1])\n"
				   "if lease and lease ~= ARGV[1] then return 0 end\n"
				   "if ARGV[2] == '0' then return redis.call('UNLINK', KEYS[1]) end\n"
				   "if lease then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end\n"
				   "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])\n"
				   "return 1\n";

/* The bucket: base/quota.h says what it does, in the steps whose numbers stand here. What lies there may be anybody's, and whoever asks
 * keeps it alive: so what is no number is left behind at once, also NaN, of which math.min and math.max give the other one if it
 * stands first.
 *
 * KEYS: bucket, members. ARGV: start_per_s, most_per_s, burst, turns, only_free, throttled, succeeded, who asks,
 * QUOTA_AHEAD_MS, QUOTA_MEMBER_MS, QUOTA_FORGET_MS.
 * Answer: turns, first_ms, interval_ms, again_ms, rate, servers; those with fractions are text, because Redis cuts numbers. */
static const char quota_script[] =
	"local time = redis.call('TIME')\n"
	"local now = time[1] * 1000 + time[2] / 1000\n"
	"local start, most, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])\n"
	"local wanted, only_free = tonumber(ARGV[4]), ARGV[5] == '1'\n"
	"local throttled, succeeded = tonumber(ARGV[6]), ARGV[7] == '1'\n"
	/* 1 */
	"local h = redis.call('HMGET', KEYS[1], 'tat', 'rate', 'learned', 'period', 'least')\n"
	"local tat, floor = tonumber(h[1]) or 0, start * 0.05\n"
	"local rate = math.min(most, math.max(floor, tonumber(h[2]) or start))\n"
	"local least = math.min(most, math.max(floor, tonumber(h[5]) or floor))\n"
	"local learned, period = math.min(now, tonumber(h[3]) or now), tonumber(h[4]) or 0\n"
	"if not (period <= now) then period = now - 1000 end\n"
	/* 2 */
	"redis.call('ZADD', KEYS[2], now, ARGV[8])\n"
	"redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - ARGV[10])\n"
	"local servers = redis.call('ZCARD', KEYS[2])\n"
	/* 3 */
	"if succeeded then\n"
	"  local s = math.min(now - learned, 1000) / 1000\n"
	"  rate = math.min(rate + s * math.max((start - rate) / 30, start * 0.01), most)\n"
	"  learned = now\n"
	"end\n"
	/* 4 */
	"if throttled > 0 then\n"
	"  if now - period >= 1000 then\n"
	"    period = now\n"
	"    least = math.max(rate * 0.7, floor)\n"
	"  end\n"
	"  rate = math.max(rate - throttled * math.min(1, start * 0.1), least)\n"
	"  learned = now\n"
	"  tat = math.max(now, tat)\n"
	"end\n"
	/* 5 */
	"local turn = 1000 / rate\n"
	"local ahead = math.max(tonumber(ARGV[9]), servers * turn)\n"
	"tat = math.min(now + ahead + turn, math.max(now - (burst - 1) * turn, tat))\n"
	/* 6 */
	"local last = only_free and now or now + ahead\n"
	"local turns = math.max(0, math.min(wanted, math.floor((last - tat) / turn) + 1))\n"
	/* 7 */
	"local first, again = tat - now, 0\n"
	"tat = tat + turns * turn\n"
	"if turns < wanted then again = math.max(1, math.ceil(tat - last)) end\n"
	"redis.call('HSET', KEYS[1], 'tat', string.format('%.3f', tat), 'rate', rate,\n"
	"  'learned', string.format('%.3f', learned), 'period', string.format('%.3f', period), 'least', "
	"least)\n"
	"redis.call('PEXPIRE', KEYS[1], ARGV[11])\n"
	"redis.call('PEXPIRE', KEYS[2], ARGV[11])\n"
	"return {turns, string.format('%.3f', first), string.format('%.3f', turn), again,\n"
	"  string.format('%.6f', rate), servers}\n";

/* --- keys --- */

/* Of one operation: the names it needs, and its arena. */
struct work {
	struct redis *r;
	struct arena *arena;
	struct str tag;    /* the scope, encoded */
	struct str prefix; /* "baton:1:{tag}:" */
	struct redis_batch batch;
	size_t left_bytes; /* that its values may have, unpacked */
};

static void work_deinit(struct work *w)
{
	redis_batch_deinit(&w->batch);
	arena_free(w->arena);
}

static void work_init(struct work *w, struct redis *r, struct str scope, size_t value_bytes)
{
	CLEANUP(buf_deinit) struct buf tag;

	/* The bound is for what replies take together; our own texts count as well, but are small. */
	*w = (struct work){.r = r,
		.arena = arena_new(r->max_value_bytes + REQUEST_SLACK),
		.left_bytes = r->max_value_bytes};
	buf_init(&tag, 3 * STORE_NAME_MAX);
	percent_encode(&tag, scope, /* keep_slash= */ true);
	w->tag = buf_dup(&tag, w->arena);
	w->prefix = str_fmt(w->arena, "%s{" STR_FMT "}:", r->prefix, STR_ARG(w->tag));
	redis_batch_init(&w->batch, value_bytes);
}

/* kind: 'v' or 'l'. What the set of the scope's keys holds. */
static struct str member_of(struct work *w, char kind, struct str key)
{
	return str_fmt(w->arena, "%c:" STR_FMT, kind, STR_ARG(key));
}

static struct str full_key(struct work *w, struct str member)
{
	return str_fmt(w->arena, STR_FMT STR_FMT, STR_ARG(w->prefix), STR_ARG(member));
}

/* Of n full names in a request, each with what stands around it. */
static size_t names_bytes(const struct redis *r, size_t n)
{
	return n * (strlen(r->prefix) + 4 * STORE_NAME_MAX + 32); /* a scope's bytes may become three each */
}

static struct str number(struct work *w, int64_t v)
{
	return str_fmt(w->arena, "%lld", (long long)v);
}

static enum err_code failed(struct redis *r, const struct err *reterr)
{
	atomic_fetch_add_explicit(&r->failures, 1, memory_order_relaxed);
	return reterr->code;
}

/* Runs the batch; *ret_replies has one reply for each command, which may be an error about that command. */
static enum err_code run_all(
	struct work *w, const struct ctx *ctx, struct resp_reply ***ret_replies, struct err *reterr)
{
	struct resp_reply **replies = arena_array_of(w->arena, w->batch.n, struct resp_reply *);

	if (redis_client_run(w->r->client, ctx, w->tag, &w->batch, w->arena, replies, reterr) != ERR_OK)
		/* The caller's own end is nobody's failure. */
		return cancel_fired(ctx->cancel) || ctx_left_ms(ctx) == 0 ? reterr->code
									  : failed(w->r, reterr);
	*ret_replies = replies;
	return ERR_OK;
}

/* The same where one error spoils all. */
static enum err_code run(
	struct work *w, const struct ctx *ctx, struct resp_reply ***ret_replies, struct err *reterr)
{
	struct resp_reply **replies;

	if (run_all(w, ctx, &replies, reterr) != ERR_OK)
		return reterr->code;
	for (size_t i = 0; i < w->batch.n; i++) {
		if (replies[i]->kind == RESP_ERROR) {
			redis_reply_err(replies[i], reterr);
			return failed(w->r, reterr);
		}
	}
	*ret_replies = replies;
	return ERR_OK;
}

static enum err_code odd(struct work *w, const char *doing, struct err *reterr)
{
	redis_reply_odd(doing, reterr);
	return failed(w->r, reterr);
}

/* --- clearing --- */

static void add_exists_ended(struct work *w)
{
	REDIS_ADD(&w->batch, STR("EXISTS"), full_key(w, STR("ended")));
}

/* Some members of the set. *ret_n 0: there are no more. */
static enum err_code some_members(
	struct work *w, const struct ctx *ctx, struct str **ret_members, size_t *ret_n, struct err *reterr)
{
	struct resp_reply **replies;
	struct str *members;

	REDIS_ADD(&w->batch, STR("SRANDMEMBER"), full_key(w, STR("keys")), number(w, CLEAR_WAVE));
	if (run(w, ctx, &replies, reterr) != ERR_OK)
		return reterr->code;
	if (replies[0]->kind != RESP_ARRAY)
		return odd(w, "SRANDMEMBER", reterr);
	members = arena_array_of(w->arena, replies[0]->n, struct str);
	for (size_t i = 0; i < replies[0]->n; i++) {
		if (replies[0]->items[i]->kind != RESP_STRING)
			return odd(w, "SRANDMEMBER", reterr);
		members[i] = replies[0]->items[i]->text;
	}
	*ret_members = members;
	*ret_n = replies[0]->n;
	return ERR_OK;
}

/* The values first: what is no longer in the set would be kept for a day. */
static enum err_code drop_members(struct redis *r, const struct ctx *ctx, struct str scope,
	const struct str *members, size_t n, struct err *reterr)
{
	CLEANUP(work_deinit) struct work w;
	struct resp_reply **replies;
	struct str *args;

	work_init(&w, r, scope, names_bytes(r, 2 * n) + REQUEST_SLACK);
	args = arena_array_of(w.arena, n + 2, struct str);
	args[0] = STR("UNLINK");
	for (size_t i = 0; i < n; i++)
		args[i + 1] = full_key(&w, members[i]);
	redis_batch_add(&w.batch, args, n + 1);
	args[0] = STR("SREM");
	args[1] = full_key(&w, STR("keys"));
	memcpy(&args[2], members, n * sizeof(*members));
	redis_batch_add(&w.batch, args, n + 2);
	return run(&w, ctx, &replies, reterr);
}

static enum err_code clear_values(
	struct redis *r, const struct ctx *ctx, struct str scope, struct err *reterr)
{
	for (size_t wave = 0; wave < MAX_CLEAR_WAVES; wave++) {
		CLEANUP(work_deinit) struct work w;
		struct str *members = NULL;
		size_t n = 0;

		work_init(&w, r, scope, REQUEST_SLACK);
		if (some_members(&w, ctx, &members, &n, reterr) != ERR_OK)
			return reterr->code;
		if (n == 0)
			return ERR_OK;
		if (drop_members(r, ctx, scope, members, n, reterr) != ERR_OK)
			return reterr->code;
	}
	return err_set(reterr, ERR_PROTOCOL, "Redis has more keys of one sync than there can be");
}

/* Whoever puts something after this sees that the scope has ended. */
static enum err_code mark_ended(struct redis *r, const struct ctx *ctx, struct str scope, struct err *reterr)
{
	CLEANUP(work_deinit) struct work w;
	struct resp_reply **replies;

	work_init(&w, r, scope, REQUEST_SLACK);
	REDIS_ADD(
		&w.batch, STR("SET"), full_key(&w, STR("ended")), STR("1"), STR("PX"), number(&w, ENDED_MS));
	return run(&w, ctx, &replies, reterr);
}

static enum err_code redis_clear(struct store *s, const struct ctx *ctx, struct str scope, struct err *reterr)
{
	struct redis *r = redis_of(s);
	enum err_code rc = mark_ended(r, ctx, scope, reterr);

	if (rc == ERR_TOO_LARGE) { /* it is full: the mark finds room when the values have gone */
		if (clear_values(r, ctx, scope, reterr) != ERR_OK)
			return reterr->code;
		rc = mark_ended(r, ctx, scope, reterr);
	}
	return rc ? rc : clear_values(r, ctx, scope, reterr);
}

static enum err_code redis_ended(
	struct store *s, const struct ctx *ctx, struct str scope, bool *ret_ended, struct err *reterr)
{
	CLEANUP(work_deinit) struct work w;
	struct resp_reply **replies;

	work_init(&w, redis_of(s), scope, REQUEST_SLACK);
	add_exists_ended(&w);
	if (run(&w, ctx, &replies, reterr) != ERR_OK)
		return reterr->code;
	if (replies[0]->kind != RESP_INTEGER)
		return odd(&w, "EXISTS", reterr);
	*ret_ended = replies[0]->integer == 1;
	return ERR_OK;
}

/* --- values --- */

static enum err_code open_value(struct work *w, struct str key, const struct resp_reply *reply,
	struct blob **ret_value, struct err *reterr)
{
	if (reply->kind == RESP_NIL) {
		atomic_fetch_add_explicit(&w->r->misses, 1, memory_order_relaxed);
		return err_set(reterr, ERR_NOT_FOUND, "not in the store");
	}
	if (reply->kind == RESP_ERROR) {
		redis_reply_err(reply, reterr);
		return failed(w->r, reterr);
	}
	if (reply->kind != RESP_STRING)
		return odd(w, "GET", reterr);
	if (redis_value_decode(key, reply->text, w->left_bytes, ret_value, reterr) != ERR_OK)
		return failed(w->r, reterr);
	w->left_bytes -= blob_view(*ret_value).n;
	atomic_fetch_add_explicit(&w->r->hits, 1, memory_order_relaxed);
	return ERR_OK;
}

static enum err_code redis_get(struct store *s, const struct ctx *ctx, struct str scope, struct str key,
	struct blob **ret_value, struct err *reterr)
{
	CLEANUP(work_deinit) struct work w;
	struct resp_reply **replies;
	struct str name;

	work_init(&w, redis_of(s), scope, REQUEST_SLACK);
	name = full_key(&w, member_of(&w, 'v', key));
	REDIS_ADD(&w.batch, STR("GET"), name);
	if (run(&w, ctx, &replies, reterr) != ERR_OK)
		return reterr->code;
	return open_value(&w, name, replies[0], ret_value, reterr);
}

static int64_t life_ms(const struct redis *r, int64_t ttl_ms)
{
	return ttl_ms == 0 || ttl_ms > r->max_age_ms ? r->max_age_ms : ttl_ms;
}

/* The set lives as long as the youngest of its members can. */
static void add_to_index(struct work *w, struct str member)
{
	const struct str index = full_key(w, STR("keys"));

	REDIS_ADD(&w->batch, STR("SADD"), index, member);
	REDIS_ADD(&w->batch, STR("PEXPIRE"), index, number(w, w->r->max_age_ms));
}

static enum err_code add_put(
	struct work *w, struct str key, struct blob *value, int64_t ttl_ms, struct err *reterr)
{
	CLEANUP(buf_deinit) struct buf packed = {0};
	const struct str member = member_of(w, 'v', key), name = full_key(w, member);
	const struct str raw = blob_view(value);

	if (raw.n > w->r->max_value_bytes)
		return err_set(reterr, ERR_TOO_LARGE, "a value of %zu bytes; the store takes %zu", raw.n,
			w->r->max_value_bytes);
	buf_init(&packed, w->r->max_value_bytes + REQUEST_SLACK);
	if (redis_value_encode(name, raw, &packed, reterr) != ERR_OK)
		return reterr->code;
	add_to_index(w, member); /* first: a value that is not in the set would outlive its sync */
	REDIS_ADD(
		&w->batch, STR("SET"), name, buf_view(&packed), STR("PX"), number(w, life_ms(w->r, ttl_ms)));
	atomic_fetch_add_explicit(&w->r->bytes_packed, raw.n, memory_order_relaxed);
	atomic_fetch_add_explicit(&w->r->bytes_written, packed.n, memory_order_relaxed);
	return ERR_OK;
}

/* Takes back what was put into a scope that has ended. By name first: a store_clear that came between SADD and SET has emptied the set, and
 * not seen the value. */
static enum err_code drop_put(struct work *w, const struct ctx *ctx, struct str scope,
	const struct store_item *items, size_t n, struct err *reterr)
{
	struct str *members = arena_array_of(w->arena, n, struct str);

	for (size_t i = 0; i < n; i++)
		members[i] = member_of(w, 'v', items[i].key);
	if (drop_members(w->r, ctx, scope, members, n, reterr) != ERR_OK)
		return reterr->code;
	return clear_values(w->r, ctx, scope, reterr);
}

static enum err_code redis_put_many(struct store *s, const struct ctx *ctx, struct str scope,
	const struct store_item *items, size_t n, int64_t ttl_ms, struct err *reterr)
{
	CLEANUP(work_deinit) struct work w;
	struct redis *r = redis_of(s);
	struct resp_reply **replies;

	work_init(&w, r, scope, n * (r->max_value_bytes + REQUEST_SLACK));
	for (size_t i = 0; i < n; i++)
		if (add_put(&w, items[i].key, items[i].value, ttl_ms, reterr) != ERR_OK)
			return failed(r, reterr);
	add_exists_ended(&w);
	if (run(&w, ctx, &replies, reterr) != ERR_OK)
		return reterr->code;
	atomic_fetch_add_explicit(&r->puts, n, memory_order_relaxed);
	if (replies[w.batch.n - 1]->kind == RESP_INTEGER && replies[w.batch.n - 1]->integer == 1)
		return drop_put(&w, ctx, scope, items, n, reterr);
	return ERR_OK;
}

static enum err_code redis_put(struct store *s, const struct ctx *ctx, struct str scope, struct str key,
	struct blob *value, int64_t ttl_ms, struct err *reterr)
{
	const struct store_item item = {.key = key, .value = value};

	return redis_put_many(s, ctx, scope, &item, 1, ttl_ms, reterr);
}

static enum err_code redis_delete(
	struct store *s, const struct ctx *ctx, struct str scope, struct str key, struct err *reterr)
{
	CLEANUP(work_deinit) struct work w;
	struct resp_reply **replies;
	struct str member;

	work_init(&w, redis_of(s), scope, REQUEST_SLACK);
	member = member_of(&w, 'v', key);
	REDIS_ADD(&w.batch, STR("UNLINK"), full_key(&w, member));
	REDIS_ADD(&w.batch, STR("SREM"), full_key(&w, STR("keys")), member);
	return run(&w, ctx, &replies, reterr);
}

/* --- leases --- */

static struct str lease_text(struct work *w, uint64_t n)
{
	return str_fmt(w->arena, "%s:%llu", w->r->holder, (unsigned long long)n);
}

static void add_lease(struct work *w, const struct store_item *item, struct str name, int64_t lease_ms)
{
	REDIS_ADD(&w->batch, STR("EVAL"), str_c(lease_script), STR("3"), name,
		full_key(w, member_of(w, 'l', item->key)), full_key(w, STR("ended")),
		lease_text(w, item->lease), number(w, lease_ms), str_c(w->r->holder));
}

/* What a pair of replies, to GET and to the lease's script, means. A good value is one whatever became of the lease (a full Redis gives
 * none). */
static enum err_code read_found(struct work *w, struct str name, const struct resp_reply *value,
	const struct resp_reply *lease, struct store_item *item, struct err *reterr)
{
	static const enum store_found found[ANSWERS] = {
		[ANSWER_THERE] = STORE_ELSEWHERE, /* put between the two commands: asked again, it is found */
		[ANSWER_OURS] = STORE_YOURS,
		[ANSWER_ANOTHERS] = STORE_ELSEWHERE,
		[ANSWER_ENDED] = STORE_ENDED,
	};
	enum err_code rc = open_value(w, name, value, &item->value, reterr);

	if (rc == ERR_OK)
		item->found = STORE_VALUE;
	if (rc != ERR_NOT_FOUND)
		return rc;
	if (lease->kind == RESP_ERROR) {
		redis_reply_err(lease, reterr);
		return failed(w->r, reterr);
	}
	if (lease->kind != RESP_INTEGER || lease->integer < 0 || lease->integer >= ANSWERS)
		return odd(w, "the script of leases", reterr);
	item->found = found[lease->integer];
	return ERR_OK;
}

static enum err_code redis_get_or_lease(struct store *s, const struct ctx *ctx, struct str scope,
	struct store_item *items, size_t n, int64_t lease_ms, struct err *reterr)
{
	CLEANUP(work_deinit) struct work w;
	struct resp_reply **replies;
	enum err_code rc = ERR_OK;
	struct str *names;

	work_init(&w, redis_of(s), scope,
		names_bytes(redis_of(s), 4 * n) + n * sizeof(lease_script) + REQUEST_SLACK);
	names = arena_array_of(w.arena, n, struct str);
	for (size_t i = 0; i < n; i++) {
		names[i] = full_key(&w, member_of(&w, 'v', items[i].key));
		REDIS_ADD(&w.batch, STR("GET"), names[i]);
		add_lease(&w, &items[i], names[i], lease_ms);
	}
	if (run_all(&w, ctx, &replies, reterr) != ERR_OK)
		return reterr->code;
	for (size_t i = 0; i < n; i++) {
		struct err err;

		if (read_found(&w, names[i], replies[2 * i], replies[2 * i + 1], &items[i], &err) == ERR_OK)
			continue;
		*reterr = err; /* one will do */
		rc = err.code;
	}
	return rc;
}

static enum err_code redis_renew_leases(struct store *s, const struct ctx *ctx, struct str scope,
	const struct store_lease *leases, size_t n, int64_t lease_ms, struct err *reterr)
{
	CLEANUP(work_deinit) struct work w;
	struct resp_reply **replies;

	work_init(&w, redis_of(s), scope,
		names_bytes(redis_of(s), n) + n * (sizeof(renew_script) + 128) + REQUEST_SLACK);
	for (size_t i = 0; i < n; i++)
		REDIS_ADD(&w.batch, STR("EVAL"), str_c(renew_script), STR("1"),
			full_key(&w, member_of(&w, 'l', leases[i].key)), lease_text(&w, leases[i].number),
			number(&w, lease_ms));
	return run(&w, ctx, &replies, reterr);
}

static enum err_code redis_end_leases(struct store *s, const struct ctx *ctx, struct str scope,
	const struct store_lease *leases, size_t n, struct err *reterr)
{
	return redis_renew_leases(s, ctx, scope, leases, n, /* lease_ms= */ 0, reterr);
}

/* --- the bucket --- */

static bool read_number(const struct resp_reply *r, double *ret)
{
	char *end;

	if (r->kind == RESP_INTEGER) {
		*ret = (double)r->integer;
		return true;
	}
	if (r->kind != RESP_STRING || r->text.n == 0)
		return false;
	*ret = strtod(r->text.p, &end);
	return end == r->text.p + r->text.n && isfinite(*ret);
}

/* Whether the numbers make sense together, the pacer looks; here they only have to be numbers that fit. */
static bool read_grant(const struct resp_reply *r, struct quota_grant *ret_grant)
{
	double v[6];

	if (r->kind != RESP_ARRAY || r->n != ARRAY_LEN(v))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		if (!read_number(r->items[i], &v[i]) || fabs(v[i]) > 1e15)
			return false;
	if (v[0] < 0 || v[0] > UINT16_MAX || v[5] < 0 || v[5] > UINT16_MAX)
		return false;
	*ret_grant = (struct quota_grant){
		.turns = (unsigned)v[0],
		.first_ms = v[1],
		.interval_ms = v[2],
		.again_ms = (int64_t)v[3],
		.rate_per_s = v[4],
		.servers = (unsigned)v[5],
	};
	return true;
}

static enum err_code quota_take(struct quota *q, const struct ctx *ctx, const struct quota_request *in,
	struct quota_grant *ret_grant, struct err *reterr)
{
	CLEANUP(work_deinit) struct work w;
	struct redis *r = (struct redis *)((char *)q - offsetof(struct redis, quota));
	struct resp_reply **replies;
	char scope[sizeof("quota/") + QUOTA_NAME_MAX];

	assert(in->name.n <= QUOTA_NAME_MAX && in->start_per_s > 0 && in->burst >= 1);
	(void)snprintf(scope, sizeof(scope), "quota/" STR_FMT, STR_ARG(in->name));
	work_init(&w, r, str_c(scope), REQUEST_SLACK);
	REDIS_ADD(&w.batch, STR("EVAL"), str_c(quota_script), STR("2"), full_key(&w, STR("b")),
		full_key(&w, STR("m")), str_fmt(w.arena, "%.6f", in->start_per_s),
		str_fmt(w.arena, "%.6f", in->most_per_s), str_fmt(w.arena, "%.6f", in->burst),
		number(&w, in->turns), in->only_free ? STR("1") : STR("0"), number(&w, in->throttled),
		in->succeeded ? STR("1") : STR("0"), str_c(r->holder), number(&w, QUOTA_AHEAD_MS),
		number(&w, QUOTA_MEMBER_MS), number(&w, QUOTA_FORGET_MS));
	if (run(&w, ctx, &replies, reterr) != ERR_OK)
		return reterr->code;
	if (!read_grant(replies[0], ret_grant))
		return odd(&w, "the script of the shared quota", reterr);
	return ERR_OK;
}

struct quota *store_redis_quota(struct store *s)
{
	return &redis_of(s)->quota;
}

/* --- life --- */

static void redis_stats(struct store *s, struct store_stats *ret_stats)
{
	struct redis *r = redis_of(s);
	struct redis_client_stats client;

	redis_client_stats(r->client, &client);
	*ret_stats = (struct store_stats){
		.hits = atomic_load(&r->hits),
		.misses = atomic_load(&r->misses),
		.puts = atomic_load(&r->puts),
		.failures = atomic_load(&r->failures),
		.bytes_written = atomic_load(&r->bytes_written),
		.bytes_packed = atomic_load(&r->bytes_packed),
		.connects = client.connects,
		.away = client.away,
	};
}

static void redis_free(struct store *s)
{
	struct redis *r = redis_of(s);

	redis_client_free(r->client);
	mem_free(r->prefix);
	mem_free(r);
}

static const struct store_vtable redis_vtable = {
	.get = redis_get,
	.put = redis_put,
	.delete = redis_delete,
	.clear = redis_clear,
	.stats = redis_stats,
	.free = redis_free,
	.get_or_lease = redis_get_or_lease,
	.put_many = redis_put_many,
	.renew_leases = redis_renew_leases,
	.end_leases = redis_end_leases,
	.ended = redis_ended,
};

static void choose_holder(struct redis *r)
{
	uint8_t random[HOLDER_BYTES];

	/* Up to 256 bytes getrandom answers whole; it fails only on kernels without it. */
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
		perror("getrandom");
		abort();
	}
	hex_write(r->holder, random, sizeof(random));
}

static char *key_prefix(struct str prefix)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const struct str all = str_fmt(arena, STR_FMT ":1:", STR_ARG(prefix.n > 0 ? prefix : STR("baton")));

	return mem_strndup(all.p, all.n);
}

enum err_code store_redis_new(
	const struct store_redis_options *opts, struct store **ret_store, struct err *reterr)
{
	CLEANUP(store_freep) struct store *s = NULL;
	struct redis *r = mem_zalloc(sizeof(*r));

	assert(opts->max_age_ms > 0);
	s = &r->store;
	r->store.vtable = &redis_vtable;
	r->quota.take = quota_take;
	r->prefix = key_prefix(opts->prefix);
	r->max_value_bytes = opts->max_value_bytes;
	r->max_age_ms = opts->max_age_ms;
	choose_holder(r);
	if (redis_client_new(
		    &(struct redis_client_options){
			    .url = opts->url,
			    .password = opts->password,
			    .sentinel_password = opts->sentinel_password,
			    .tls = opts->tls,
			    .max_reply_bytes = opts->max_value_bytes + REQUEST_SLACK,
			    .connect_timeout_ms = opts->connect_timeout_ms,
			    .command_timeout_ms = opts->command_timeout_ms,
			    .idle_ms = opts->idle_ms,
			    .clock = opts->clock,
		    },
		    &r->client, reterr) != ERR_OK)
		return reterr->code;
	*ret_store = TAKE(s);
	return ERR_OK;
}
