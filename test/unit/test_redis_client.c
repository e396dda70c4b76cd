/* layers: store base
 *
 * The client against a server that does what the test says: connections kept and given up, Redis away and back, Sentinel, Cluster,
 * every kind of error. What needs a real Redis is in test_store_redis.c. */
#include "store/redis_client.h"

#include <stdatomic.h>
#include <stdio.h>

#include "base/thread.h"
#include "support/cunit_main.h"
#include "support/fake_clock.h"
#include "support/fake_redis.h"

#define TAG STR("tag")

/* What a server answers to everything but the log-in. */
struct role {
	_Atomic(const char *) answer;   /* NULL: none at all */
	_Atomic(const char *) answer_b; /* to commands about "b"; NULL: the same */
	atomic_bool repeats;            /* answers with the last argument instead */
	atomic_bool hang_up;            /* close after the answer */
	atomic_int held;                /* so many commands wait until it is released */
	atomic_bool released;
	atomic_int takes_ms;          /* each command, of the test's clock */
	_Atomic(const char *) log_in; /* to AUTH, SELECT, PING, ROLE; NULL: good ones */
	_Atomic(const char *) select; /* to SELECT; NULL: as the others */
	atomic_int commands;          /* but the log-in's */
	atomic_int asking;
	atomic_int secrets; /* AUTH with the password of the tests, */
	atomic_int users;   /* and as "me" */
	atomic_int threes;  /* SELECT 3 */
	atomic_int selects, pings, roles;
};

#define SERVERS 3

static struct fixture {
	struct fake_clock clock;
	struct ctx ctx;
	struct role roles[SERVERS];
	struct fake_redis *servers[SERVERS];
	struct redis_client *client;
	char url[256];
} fx;

static bool is_log_in(struct role *role, const struct str *args, size_t n, struct buf *out)
{
	const bool is_auth = str_eq_c(args[0], "AUTH"), is_select = str_eq_c(args[0], "SELECT"),
		   is_ping = str_eq_c(args[0], "PING"), is_role = str_eq_c(args[0], "ROLE");
	const char *own = is_select && role->select ? role->select : role->log_in;

	atomic_fetch_add(&role->secrets, is_auth && str_eq_c(args[n - 1], "s3cret"));
	atomic_fetch_add(&role->users, is_auth && n == 3 && str_eq_c(args[1], "me"));
	atomic_fetch_add(&role->selects, is_select);
	atomic_fetch_add(&role->threes, is_select && str_eq_c(args[n - 1], "3"));
	atomic_fetch_add(&role->pings, is_ping);
	atomic_fetch_add(&role->roles, is_role);
	if (!is_auth && !is_select && !is_ping && !is_role)
		return false;
	buf_c(out, own ? own : is_role ? "*1\r\n$6\r\nmaster\r\n" : "+OK\r\n");
	return true;
}

static bool answer(void *arg, const struct str *args, size_t n, struct buf *out)
{
	struct role *role = arg;
	const char *own = role->answer, *own_b = role->answer_b;

	if (is_log_in(role, args, n, out)) {
		fake_clock_advance_ms(&fx.clock, role->takes_ms);
		return role->log_in == NULL || !role->hang_up;
	}
	if (str_eq_c(args[0], "ASKING")) {
		atomic_fetch_add(&role->asking, 1);
		buf_c(out, "+OK\r\n");
		return true;
	}
	atomic_fetch_add(&role->commands, 1);
	if (atomic_fetch_sub(&role->held, 1) > 0) {
		while (!role->released)
			clock_sleep_ms(1);
	}
	fake_clock_advance_ms(&fx.clock, role->takes_ms);
	if (own_b != NULL && str_eq_c(args[n - 1], "b"))
		own = own_b;
	if (role->repeats)
		buf_fmt(out, "+" STR_FMT "\r\n", STR_ARG(args[n - 1]));
	else
		buf_c(out, own ? own : "");
	return !role->hang_up;
}

/* A client of the URL, with servers behind it. "%1" to "%3" in the URL stand for their ports. `more`: options beside the fixture's. */
static enum err_code try_to_set_up(
	const char *url, const struct redis_client_options *more, struct err *reterr)
{
	struct redis_client_options opts = *more;
	struct str rest = str_c(url);
	size_t n = 0;

	fake_clock_init(&fx.clock, 0);
	fx.ctx = (struct ctx){.clock = &fx.clock.clock, .deadline_ms = CTX_NO_DEADLINE};
	for (size_t i = 0; i < ARRAY_LEN(fx.servers); i++) {
		fx.roles[i] = (struct role){.answer = "+OK\r\n"};
		fx.servers[i] = fake_redis_start(answer, &fx.roles[i]);
	}
	while (rest.p != NULL) {
		const struct str part = str_cut(&rest, '%');

		n += (size_t)snprintf(fx.url + n, sizeof(fx.url) - n, STR_FMT, STR_ARG(part));
		if (rest.p == NULL)
			break;
		n += (size_t)snprintf(
			fx.url + n, sizeof(fx.url) - n, "%u", fake_redis_port(fx.servers[rest.p[0] - '1']));
		rest = str_from(rest, 1);
	}
	opts.url = str_c(fx.url);
	opts.max_reply_bytes = 10000;
	opts.connect_timeout_ms = 70;
	opts.command_timeout_ms = 100;
	opts.idle_ms = 60000;
	opts.clock = &fx.clock.clock;
	return redis_client_new(&opts, &fx.client, reterr);
}

static void set_up_with(const char *url, const struct redis_client_options *more)
{
	struct err err;

	CU_ASSERT_EQUAL_FATAL(try_to_set_up(url, more, &err), ERR_OK);
}

static void set_up(const char *url)
{
	set_up_with(url, &(struct redis_client_options){.max_reply_bytes = 0});
}

static void tear_down(void)
{
	redis_client_free(fx.client);
	fx.client = NULL;
	for (size_t i = 0; i < ARRAY_LEN(fx.servers); i++)
		fake_redis_stop(fx.servers[i]);
}

/* One command for each key, its replies as text with blanks between them. */
static enum err_code ask_about(
	struct str tag, const char *const *keys, size_t n, struct buf *reply, struct err *reterr)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	CLEANUP(redis_batch_deinit) struct redis_batch b;
	struct resp_reply *replies[20];

	redis_batch_init(&b, 1000);
	for (size_t i = 0; i < n; i++)
		REDIS_ADD(&b, STR("GET"), str_c(keys[i]));
	if (redis_client_run(fx.client, &fx.ctx, tag, &b, arena, replies, reterr) != ERR_OK)
		return reterr->code;
	buf_reset(reply);
	for (size_t i = 0; i < n; i++)
		buf_fmt(reply, i == 0 ? STR_FMT : " " STR_FMT, STR_ARG(replies[i]->text));
	return ERR_OK;
}

static enum err_code ask(struct buf *reply, struct err *reterr)
{
	static const char *const key = "{tag}";

	return ask_about(TAG, &key, 1, reply, reterr);
}

static enum err_code ask_simply(void)
{
	CLEANUP(buf_deinit) struct buf reply;
	struct err err;

	buf_init(&reply, 1000);
	return ask(&reply, &err);
}

/* Whether the answer is an error that says so. */
static bool fails_with(enum err_code code, const char *says)
{
	CLEANUP(buf_deinit) struct buf reply;
	struct err err = {.msg = ""};

	buf_init(&reply, 1000);
	if (ask(&reply, &err) == code && str_contains(str_c(err.msg), str_c(says)))
		return true;
	fprintf(stderr, "got \"%s\"\n", err.msg);
	return false;
}

static bool is_away(void)
{
	struct redis_client_stats stats;

	redis_client_stats(fx.client, &stats);
	return stats.away;
}

/* --- several at once --- */

struct asker {
	struct thread thread;
	enum err_code code;
};

static void *asker_main(void *arg)
{
	struct asker *a = arg;

	a->code = ask_simply();
	return NULL;
}

/* They ask, each over a connection of its own, and are held at server 1. */
static void hold(struct asker *askers, size_t n)
{
	const int before = fx.roles[0].commands;
	struct err err;

	fx.roles[0].released = false;
	fx.roles[0].held = (int)n;
	for (size_t i = 0; i < n; i++)
		CU_ASSERT_EQUAL_FATAL(
			thread_start(&askers[i].thread, "asker", 0, asker_main, &askers[i], &err), ERR_OK);
	while (fx.roles[0].commands < before + (int)n)
		clock_sleep_ms(1);
}

static void release(struct asker *askers, size_t n)
{
	fx.roles[0].released = true;
	for (size_t i = 0; i < n; i++)
		thread_join(&askers[i].thread);
}

/* Until server 1 has seen that connections were closed. */
static size_t open_until(size_t want)
{
	for (int i = 0; i < 1000 && fake_redis_open(fx.servers[0]) != want; i++)
		clock_sleep_ms(5);
	return fake_redis_open(fx.servers[0]);
}

/* --- connections --- */

static void test_connections_are_kept(void)
{
	struct redis_client_stats stats;

	set_up("redis://127.0.0.1:%1");
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	fake_clock_advance_ms(&fx.clock, 60000);
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	ASSERT_I64(fake_redis_connections(fx.servers[0]), 1, "kept");
	ASSERT_I64(fx.roles[0].pings, 1, "the log-in");
	ASSERT_I64(fx.roles[0].selects + fx.roles[0].roles, 0, "of which nothing else is needed");
	fake_clock_advance_ms(&fx.clock, 60001);
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	ASSERT_I64(fake_redis_connections(fx.servers[0]), 2, "too old");
	fake_redis_hang_up(fx.servers[0]);
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	ASSERT_I64(fake_redis_connections(fx.servers[0]), 3, "closed by the server");
	redis_client_stats(fx.client, &stats);
	ASSERT_I64(stats.connects, 3, "counted");
	CU_ASSERT(!stats.away);
	tear_down();
}

/* IPv6, on a server of IPv4. */
static void test_address_in_brackets(void)
{
	set_up("redis://[::ffff:127.0.0.1]:%1");
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	ASSERT_I64(fake_redis_connections(fx.servers[0]), 1, "kept");
	tear_down();
	set_up("redis://[::ffff:127.0.0.1]:1");
	CU_ASSERT(fails_with(ERR_UNAVAILABLE, "Redis at [::ffff:127.0.0.1]:1: "));
	tear_down();
}

/* What a connection says unasked is no answer to the next request. */
static void test_speaks_unasked(void)
{
	CLEANUP(buf_deinit) struct buf reply;
	struct err err;

	buf_init(&reply, 1000);
	set_up("redis://127.0.0.1:%1");
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	fake_redis_say(fx.servers[0], STR("+STALE\r\n"));
	CU_ASSERT_EQUAL(ask(&reply, &err), ERR_OK);
	ASSERT_STR(buf_view(&reply), STR("OK"), "its own");
	ASSERT_I64(fake_redis_connections(fx.servers[0]), 2, "on another connection");
	tear_down();
}

/* Those that were used last are used first; the others grow old, and are closed one by one. */
static void test_idle_connections(void)
{
	struct asker askers[66];

	set_up("redis://127.0.0.1:%1");
	hold(askers, 2);
	release(askers, 2);
	ASSERT_I64(fake_redis_open(fx.servers[0]), 2, "at once");
	fake_clock_advance_ms(&fx.clock, 30000);
	for (int i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	fake_clock_advance_ms(&fx.clock, 30001);
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	ASSERT_I64(open_until(1), 1, "the other one was too old");
	ASSERT_I64(fake_redis_connections(fx.servers[0]), 2, "no new one was needed");

	hold(askers, ARRAY_LEN(askers));
	ASSERT_I64(fake_redis_open(fx.servers[0]), ARRAY_LEN(askers), "at once");
	release(askers, ARRAY_LEN(askers));
	ASSERT_I64(open_until(64), 64, "not more lie idle");
	tear_down();
}

/* Those that lie idle may be to a server that is gone. */
static void test_failure_closes_idle_ones(void)
{
	struct asker askers[3];

	set_up("redis://127.0.0.1:%1");
	hold(askers, 3);
	release(askers, 3);
	fx.roles[0].answer = "-READONLY You can't write against a read only replica.\r\n";
	CU_ASSERT_EQUAL(ask_simply(), ERR_UNAVAILABLE);
	ASSERT_I64(open_until(0), 0, "all closed");
	tear_down();
}

/* A connection that was idle may be closed just when it is used: that is tried again on a new one; a fresh connection that is closed is
 * a failure. */
static void test_closed_in_use(void)
{
	set_up("redis://127.0.0.1:%1");
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	fx.roles[0].answer = "";
	fx.roles[0].hang_up = true;
	CU_ASSERT_EQUAL(ask_simply(), ERR_UNAVAILABLE);
	ASSERT_I64(fake_redis_connections(fx.servers[0]), 2, "the idle one, and one more");
	CU_ASSERT(is_away());
	tear_down();

	set_up("redis://127.0.0.1:%1");
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	fx.roles[0].answer = "garbage\r\n";
	CU_ASSERT_EQUAL(ask_simply(), ERR_PROTOCOL);
	ASSERT_I64(fake_redis_connections(fx.servers[0]), 1, "only what was closed is tried again");
	tear_down();
}

/* Whoever passes by reads what can be done about it, too. */
static void test_away_with_remedy(void)
{
	CLEANUP(buf_deinit) struct buf reply;
	struct err err;

	buf_init(&reply, 1000);
	set_up("redis://127.0.0.1:%1");
	fx.roles[0].answer = "-READONLY You can't write against a read only replica. script: "
			     "b1307edcccaf96acdff0e19275d1666a3853f5bc, on @user_script:11.\r\n";
	CU_ASSERT_EQUAL(ask(&reply, &err), ERR_UNAVAILABLE);
	CU_ASSERT(str_contains(str_c(err.msg), STR("redis+sentinel://")));
	CU_ASSERT_EQUAL(ask(&reply, &err), ERR_UNAVAILABLE);
	CU_ASSERT(str_contains(str_c(err.msg), STR("not tried")));
	CU_ASSERT(str_contains(str_c(err.msg), STR("redis+sentinel://")));
	tear_down();
}

static void test_away_and_back(void)
{
	CLEANUP(buf_deinit) struct buf reply;
	struct err err;

	buf_init(&reply, 1000);
	set_up("redis://127.0.0.1:%1");
	fx.roles[0].log_in = "-LOADING Redis is loading the dataset in memory\r\n";
	CU_ASSERT_EQUAL(ask(&reply, &err), ERR_UNAVAILABLE);
	CU_ASSERT(str_contains(str_c(err.msg), STR("LOADING")));
	fx.roles[0].log_in = NULL;
	fake_clock_advance_ms(&fx.clock, REDIS_AWAY_FIRST_MS - 1);
	CU_ASSERT_EQUAL(ask(&reply, &err), ERR_UNAVAILABLE); /* not tried */
	CU_ASSERT(str_contains(str_c(err.msg), STR("not tried")));
	CU_ASSERT(str_contains(str_c(err.msg), STR("LOADING")));
	ASSERT_I64(fake_redis_connections(fx.servers[0]), 1, "not tried");
	fake_clock_advance_ms(&fx.clock, 1);
	CU_ASSERT_EQUAL(ask(&reply, &err), ERR_OK);
	CU_ASSERT(!is_away());
	tear_down();
}

/* The pauses grow, up to a bound; the message says since when there is nothing. */
static void test_pauses(void)
{
	static const int64_t pauses_ms[] = {250, 500, 1000, 2000, 4000, 5000, 5000};
	size_t tried = 1;

	set_up("redis://127.0.0.1:%1");
	fx.roles[0].log_in = "-ERR max number of clients reached\r\n";
	CU_ASSERT_EQUAL(ask_simply(), ERR_UNAVAILABLE);
	for (size_t i = 0; i < ARRAY_LEN(pauses_ms); i++) {
		fake_clock_advance_ms(&fx.clock, pauses_ms[i] - 1);
		CU_ASSERT_EQUAL(ask_simply(), ERR_UNAVAILABLE);
		ASSERT_I64(fake_redis_connections(fx.servers[0]), tried, "not yet");
		fake_clock_advance_ms(&fx.clock, 1);
		CU_ASSERT_EQUAL(ask_simply(), ERR_UNAVAILABLE);
		ASSERT_I64(fake_redis_connections(fx.servers[0]), ++tried, "each after its pause");
	}
	CU_ASSERT(fails_with(ERR_UNAVAILABLE, "failed for 17750 ms: "));
	tear_down();
}

/* Those who fail together have failed once. */
static void test_fail_together(void)
{
	struct asker askers[2];

	set_up("redis://127.0.0.1:%1");
	fx.roles[0].answer = "-LOADING Redis is loading the dataset in memory\r\n";
	hold(askers, 2);
	release(askers, 2);
	CU_ASSERT(askers[0].code == ERR_UNAVAILABLE && askers[1].code == ERR_UNAVAILABLE);
	ASSERT_I64(open_until(0), 0, "all closed");
	fx.roles[0].answer = "+OK\r\n";
	fake_clock_advance_ms(&fx.clock, REDIS_AWAY_FIRST_MS);
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	tear_down();
}

/* While one tries, for as long as that may take, the others pass by. */
static void test_one_tries(void)
{
	struct asker asker;

	set_up("redis://127.0.0.1:%1");
	fx.roles[0].log_in = "-LOADING Redis is loading the dataset in memory\r\n";
	CU_ASSERT_EQUAL(ask_simply(), ERR_UNAVAILABLE);
	fx.roles[0].log_in = NULL;
	fake_clock_advance_ms(&fx.clock, REDIS_AWAY_FIRST_MS);
	hold(&asker, 1);
	CU_ASSERT(fails_with(ERR_UNAVAILABLE, "not tried"));
	fake_clock_advance_ms(&fx.clock, 99);
	CU_ASSERT(fails_with(ERR_UNAVAILABLE, "not tried"));
	release(&asker, 1);
	CU_ASSERT_EQUAL(asker.code, ERR_OK);
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	tear_down();
}

/* What was asked before a failure and answered after it says nothing about what is now. */
static void test_late_success(void)
{
	struct asker asker;

	set_up("redis://127.0.0.1:%1");
	hold(&asker, 1);
	fx.roles[0].answer = "garbage\r\n";
	CU_ASSERT_EQUAL(ask_simply(), ERR_PROTOCOL);
	release(&asker, 1); /* its answer was chosen before */
	CU_ASSERT_EQUAL(asker.code, ERR_OK);
	CU_ASSERT(is_away());
	tear_down();
}

static void test_replies(void)
{
	static const struct {
		const char *answer;
		enum err_code want; /* ERR_OK: it is the caller's to read */
		bool is_away;
	} cases[] = {
		{"-OOM command not allowed when used memory > 'maxmemory'.\r\n", ERR_OK, false},
		{"-WRONGTYPE Operation against a key\r\n", ERR_OK, false},
		{"-ERR unknown\r\n", ERR_OK, false},
		{"-READONLY You can't write against a read only replica.\r\n", ERR_UNAVAILABLE, true},
		{"-CLUSTERDOWN The cluster is down\r\n", ERR_UNAVAILABLE, true},
		{"-LOADING Redis is loading the dataset in memory\r\n", ERR_UNAVAILABLE, true},
		{"-MASTERDOWN Link with MASTER is down\r\n", ERR_UNAVAILABLE, true},
		{"-TRYAGAIN Multiple keys request during rehashing of slot\r\n", ERR_UNAVAILABLE, true},
		{"-UNBLOCKED force unblock\r\n", ERR_UNAVAILABLE, true},
		{"-BUSY Redis is busy running a script.\r\n", ERR_UNAVAILABLE, true},
		{"-MISCONF Redis is configured to save RDB snapshots\r\n", ERR_OK, false},
		{"-NOREPLICAS Not enough good replicas to write.\r\n", ERR_OK, false},
		{"-ERR somebody wrote: -READONLY\r\n", ERR_OK, false},
		{"-NOAUTH Authentication required.\r\n", ERR_UNAUTHENTICATED, true},
		{"-NOPERM this user has no permissions\r\n", ERR_DENIED, true},
		{"garbage\r\n", ERR_PROTOCOL, true},
		{"*2147483647\r\n", ERR_TOO_LARGE, false},
		{"-MOVED 1\r\n", ERR_PROTOCOL, true},
		{"-ASK 1 nowhere\r\n", ERR_PROTOCOL, true},
		{"+OK\r\n+SURPLUS\r\n", ERR_PROTOCOL, true},
		{"-ERR Error running script (call to f_1): @user_script:3: @user_script: 3: -READONLY You "
		 "can't write\r\n",
			ERR_UNAVAILABLE, true}, /* Redis 5 and 6 */
		{"-ERR Error running script (call to f_1): @user_script:3: @user_script: 3: -OOM command not "
		 "allowed\r\n",
			ERR_OK, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		set_up("redis://127.0.0.1:%1");
		fx.roles[0].answer = cases[i].answer;
		ASSERT_I64(ask_simply(), cases[i].want, cases[i].answer);
		ASSERT_I64(is_away(), cases[i].is_away, cases[i].answer);
		tear_down();
	}
}

/* What a failure is about stands in the message, with the remedy, however long Redis's own text is. */
static void test_remedies(void)
{
	char readonly[600] = "-READONLY ";

	memset(readonly + strlen(readonly), 'x', 500);
	(void)snprintf(readonly + 510, 4, "\r\n");
	set_up("redis://127.0.0.1:%1");
	fx.roles[0].answer = readonly;
	CU_ASSERT(fails_with(ERR_UNAVAILABLE, "(this is a replica"));
	tear_down();
}

/* Neither a request nor a reply that is too large is Redis's failure. */
static void test_too_large(void)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	CLEANUP(redis_batch_deinit) struct redis_batch b;
	struct resp_reply *reply;
	char answer_11k[11000];
	struct err err;

	set_up("redis://127.0.0.1:%1");
	redis_batch_init(&b, 10);
	REDIS_ADD(&b, STR("GET"), STR("a"));
	CU_ASSERT_EQUAL(redis_client_run(fx.client, &fx.ctx, TAG, &b, arena, &reply, &err), ERR_TOO_LARGE);
	ASSERT_I64(fx.roles[0].commands, 0, "not sent");
	memset(answer_11k, 'x', sizeof(answer_11k) - 1);
	answer_11k[0] = '+';
	answer_11k[sizeof(answer_11k) - 1] = '\0';
	fx.roles[0].answer = answer_11k;
	CU_ASSERT_EQUAL(ask_simply(), ERR_TOO_LARGE);
	CU_ASSERT(!is_away());
	tear_down();
}

/* Replies are looked at one by one, in batches larger than any array begins with. */
static void test_batch(void)
{
	static const char *const keys[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"};
	CLEANUP(buf_deinit) struct buf reply;
	struct err err;

	buf_init(&reply, 1000);
	set_up("redis://127.0.0.1:%1");
	fx.roles[0].repeats = true;
	CU_ASSERT_EQUAL(ask_about(TAG, keys, ARRAY_LEN(keys), &reply, &err), ERR_OK);
	ASSERT_STR(buf_view(&reply), STR("a b c d e f g h i j k"), "in order");
	fx.roles[0].repeats = false;
	fx.roles[0].answer_b = "-READONLY You can't write against a read only replica.\r\n";
	CU_ASSERT_EQUAL(ask_about(TAG, keys, 3, &reply, &err), ERR_UNAVAILABLE);
	tear_down();
}

/* --- the log-in --- */

static void test_password(void)
{
	static const struct {
		const char *url;
		bool is_option; /* beside the URL's */
		int users, threes;
	} cases[] = {
		{"redis://me:s3cret@127.0.0.1:%1/3", false, 1, 1},
		{"redis://:s3cret@127.0.0.1:%1", false, 0, 0},
		{"redis://me:another@127.0.0.1:%1/3", true, 1, 1},
		{"redis://127.0.0.1:%1", true, 0, 0},
	};
	struct secret *s3cret = secret_new(STR("s3cret")), *empty = secret_new(STR_EMPTY);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		set_up_with(cases[i].url,
			&(struct redis_client_options){.password = cases[i].is_option ? s3cret : empty});
		CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
		ASSERT_I64(fx.roles[0].secrets, 1, "AUTH");
		ASSERT_I64(fx.roles[0].users, cases[i].users, "as somebody");
		ASSERT_I64(fx.roles[0].threes, cases[i].threes, "the database");
		ASSERT_I64(fx.roles[0].selects, cases[i].threes, "which is 0 without being asked for");
		ASSERT_I64(fx.roles[0].pings, 0, "nothing more");
		tear_down();
	}
	secret_unref(s3cret);
	secret_unref(empty);
}

static void test_log_in_fails(void)
{
	CLEANUP(buf_deinit) struct buf reply;
	struct err err;

	buf_init(&reply, 1000);
	set_up("redis://me:s3cret@127.0.0.1:%1/3");
	fx.roles[0].log_in = "-WRONGPASS invalid username-password pair\r\n";
	CU_ASSERT_EQUAL(ask(&reply, &err), ERR_UNAUTHENTICATED);
	CU_ASSERT(str_starts(str_c(err.msg), STR("Redis at 127.0.0.1:")));
	CU_ASSERT(!str_contains(str_c(err.msg), STR("s3cret")));
	tear_down();
	set_up("redis://me:s3cret@127.0.0.1:%1/3");
	fx.roles[0].select = "-ERR DB index is out of range\r\n";
	CU_ASSERT(fails_with(ERR_UNAVAILABLE, "DB index"));
	ASSERT_I64(fx.roles[0].commands, 0, "not in another database");
	tear_down();
}

/* Options for TLS without TLS, or no good ones: refused before anything is sent. */
static void test_tls_options(void)
{
	static const struct {
		const char *url;
		struct stream_tls_options tls;
	} cases[] = {
		{"redis://127.0.0.1:%1", {.ca_file = STR_INIT("/nowhere")}},
		{"redis://127.0.0.1:%1", {.cert_file = STR_INIT("/nowhere")}},
		{"redis://127.0.0.1:%1", {.key_file = STR_INIT("/nowhere")}},
		{"redis://127.0.0.1:%1", {.server_name = STR_INIT("redis.example")}},
		{"redis://127.0.0.1:%1", {.accept_any = true}},
		{"rediss://127.0.0.1:%1", {.ca_file = STR_INIT("/nowhere")}},
		{"http://127.0.0.1:%1", {.accept_any = false}},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err;

		ASSERT_I64(try_to_set_up(
				   cases[i].url, &(struct redis_client_options){.tls = cases[i].tls}, &err),
			ERR_INVALID, cases[i].url);
		CU_ASSERT_PTR_NULL(fx.client);
		tear_down();
	}
}

/* Without a password there is no AUTH, and we would be somebody else. */
static void test_user_without_a_password(void)
{
	struct redis_client_options opts = {.url = STR("redis://me@127.0.0.1"), .clock = &clock_system};
	struct redis_client *client = NULL;
	struct secret *password = secret_new(STR("s3cret"));
	struct err err;

	CU_ASSERT_EQUAL(redis_client_new(&opts, &client, &err), ERR_INVALID);
	CU_ASSERT(str_contains(str_c(err.msg), STR("--store-password")));
	redis_client_free(client);
	client = NULL;
	opts.password = password;
	CU_ASSERT_EQUAL(redis_client_new(&opts, &client, &err), ERR_OK);
	redis_client_free(client);
	secret_unref(password);
}

/* A server that has no AUTH repeats its arguments. */
static void test_password_is_not_repeated(void)
{
	CLEANUP(buf_deinit) struct buf reply;
	struct err err;

	buf_init(&reply, 1000);
	set_up("redis://me:s3cret@127.0.0.1:%1");
	fx.roles[0].log_in = "-ERR unknown command 'AUTH', with args beginning with: 'me' 's3cret'\r\n";
	CU_ASSERT_EQUAL(ask(&reply, &err), ERR_UNAUTHENTICATED);
	CU_ASSERT(!str_contains(str_c(err.msg), STR("s3cret")));
	tear_down();
}

/* A server that lets nobody in says why before it is asked anything, and hangs up: not because of the password. */
static void test_nobody_is_let_in(void)
{
	static const struct {
		const char *answer, *remedy;
	} cases[] = {
		{"-ERR max number of clients reached\r\n", "maxclients"},
		{"-DENIED Redis is running in protected mode because protected mode is enabled\r\n",
			"protected-mode"},
	};
	CLEANUP(buf_deinit) struct buf reply;
	struct err err;

	buf_init(&reply, 1000);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		set_up("redis://:s3cret@127.0.0.1:%1/3");
		fx.roles[0].log_in = cases[i].answer;
		fx.roles[0].hang_up = true;
		CU_ASSERT_NOT_EQUAL(ask(&reply, &err), ERR_OK);
		CU_ASSERT(str_contains(str_c(err.msg), str_c(cases[i].remedy)));
		CU_ASSERT(!str_contains(str_c(err.msg), STR("AUTH")));
		tear_down();
	}
}

/* A node that answers and is of no use is not asked for ever. */
static void test_useless_host(void)
{
	set_up("redis://127.0.0.1:%1,127.0.0.1:%2");
	fx.roles[0].answer = "-CLUSTERDOWN The cluster is down\r\n";
	CU_ASSERT_EQUAL(ask_simply(), ERR_UNAVAILABLE);
	fake_clock_advance_ms(&fx.clock, REDIS_AWAY_MAX_MS);
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	ASSERT_I64(fx.roles[1].commands, 1, "the other one");
	tear_down();
}

/* The first host does not answer; what did is tried first the next time. */
static void test_hosts(void)
{
	set_up("redis://127.0.0.1:1,127.0.0.1:%1");
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	ASSERT_I64(fake_redis_connections(fx.servers[0]), 1, "kept");
	CU_ASSERT(!is_away());
	tear_down();

	set_up("redis://127.0.0.1:%1,127.0.0.1:%2");
	fx.ctx.deadline_ms = clock_mono_ms(&fx.clock.clock) + 50;
	fx.roles[0].takes_ms = 50;
	fx.roles[0].log_in = "";
	CU_ASSERT_EQUAL(ask_simply(), ERR_DEADLINE); /* no time for the other one, */
	fx.ctx.deadline_ms = CTX_NO_DEADLINE;
	fx.roles[0].takes_ms = 0;
	fx.roles[0].log_in = NULL;
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK); /* nor a reason to prefer it */
	ASSERT_I64(fx.roles[0].commands, 1, "the first again");
	tear_down();
}

/* There is nowhere else to look. */
static void test_no_socket(void)
{
	set_up("unix:///nowhere/redis.sock");
	CU_ASSERT(fails_with(ERR_UNAVAILABLE, "Redis at /nowhere/redis.sock: "));
	CU_ASSERT(is_away());
	tear_down();
}

/* --- Cluster --- */

static char redirection[2][64];

static const char *redirect(size_t i, const char *word)
{
	(void)snprintf(redirection[i], sizeof(redirection[i]), "-%s 1234 127.0.0.1:%u\r\n", word,
		fake_redis_port(fx.servers[i]));
	return redirection[i];
}

static void test_moved(void)
{
	set_up("redis://127.0.0.1:%1");
	fx.roles[0].answer = redirect(1, "MOVED");
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	ASSERT_I64(fx.roles[0].commands, 1, "asked once");
	ASSERT_I64(fx.roles[1].commands, 2, "then where it is");
	fx.roles[0].answer = "+OK\r\n";
	fx.roles[1].answer = redirect(0, "MOVED");
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK); /* and back */
	fx.roles[0].answer = redirect(1, "MOVED");
	CU_ASSERT_EQUAL(ask_simply(), ERR_UNAVAILABLE); /* in circles */
	tear_down();

	set_up("redis://127.0.0.1:%1");
	fx.roles[0].answer = redirect(1, "MOVED");
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	fx.roles[1].answer = "-CLUSTERDOWN The cluster is down\r\n";
	CU_ASSERT_EQUAL(ask_simply(), ERR_UNAVAILABLE);
	fx.roles[0].answer = fx.roles[1].answer = "+OK\r\n";
	fake_clock_advance_ms(&fx.clock, REDIS_AWAY_MAX_MS);
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	ASSERT_I64(fx.roles[0].commands, 2, "after a failure nothing is known");
	tear_down();
}

/* Each tag has its own node; of many tags the oldest are forgotten. */
static void test_moved_tags(void)
{
	CLEANUP(buf_deinit) struct buf reply;
	static const char *const key = "b";
	char tag[16];
	struct err err;

	buf_init(&reply, 1000);
	set_up("redis://127.0.0.1:%1");
	fx.roles[0].answer = redirect(1, "MOVED");
	for (int i = 0; i < 2 * 64; i++) {
		(void)snprintf(tag, sizeof(tag), "%d", i % 64);
		CU_ASSERT_EQUAL(ask_about(str_c(tag), &key, 1, &reply, &err), ERR_OK);
	}
	ASSERT_I64(fx.roles[0].commands, 64, "each asked once");
	CU_ASSERT_EQUAL(ask_about(STR("another"), &key, 1, &reply, &err), ERR_OK);
	CU_ASSERT_EQUAL(ask_about(STR("1"), &key, 1, &reply, &err), ERR_OK);
	ASSERT_I64(fx.roles[0].commands, 65, "still known");
	CU_ASSERT_EQUAL(ask_about(STR("0"), &key, 1, &reply, &err), ERR_OK);
	ASSERT_I64(fx.roles[0].commands, 66, "forgotten");
	tear_down();
}

/* One command of several is elsewhere. */
static void test_redirected_in_a_batch(void)
{
	static const char *const keys[] = {"a", "b", "c"};
	CLEANUP(buf_deinit) struct buf reply;
	struct err err;

	buf_init(&reply, 1000);
	set_up("redis://127.0.0.1:%1");
	fx.roles[1].repeats = true;
	fx.roles[0].answer_b = redirect(1, "ASK");
	CU_ASSERT_EQUAL(ask_about(TAG, keys, 3, &reply, &err), ERR_OK);
	ASSERT_STR(buf_view(&reply), STR("OK b OK"), "ASK");
	ASSERT_I64(fx.roles[1].commands, 1, "this command only");
	fx.roles[0].answer_b = redirect(1, "MOVED");
	CU_ASSERT_EQUAL(ask_about(TAG, keys, 3, &reply, &err), ERR_OK);
	ASSERT_STR(buf_view(&reply), STR("a b c"), "MOVED");
	tear_down();
}

/* A node that does not tell its Cluster's addresses (cluster-preferred-endpoint-type) means its own, with another port. */
static void test_moved_without_a_host(void)
{
	char text[2][64];

	set_up("redis://127.0.0.1:%1");
	for (int i = 0; i < 2; i++)
		(void)snprintf(text[i], sizeof(text[i]), "-%s 1234 :%u\r\n", i ? "MOVED" : "ASK",
			fake_redis_port(fx.servers[1]));
	for (int i = 0; i < 2; i++) {
		fx.roles[0].answer = text[i];
		CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
		ASSERT_I64(fx.roles[1].commands, i + 1, "where it is");
	}
	tear_down();
}

/* The node that the tag was moved to dies: another one knows who has it now. */
static void test_moved_node_dies(void)
{
	set_up("redis://127.0.0.1:%1");
	fx.roles[0].answer = redirect(1, "MOVED");
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	fake_redis_stop(fx.servers[1]);
	fx.servers[1] = NULL;
	fx.roles[0].answer = "+OK\r\n"; /* it has taken over */
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	ASSERT_I64(fx.roles[0].commands, 3, "asked");
	tear_down();
}

static void test_ask(void)
{
	set_up("redis://127.0.0.1:%1");
	fx.roles[0].answer = redirect(1, "ASK");
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	ASSERT_I64(fx.roles[0].commands, 2, "not remembered");
	ASSERT_I64(fx.roles[1].asking, 2, "ASKING");
	ASSERT_I64(fx.roles[1].commands, 2, "answered");
	ASSERT_I64(fake_redis_connections(fx.servers[1]), 1, "kept");
	fx.roles[1].answer = "";
	fx.roles[1].hang_up = true;
	CU_ASSERT_EQUAL(ask_simply(), ERR_UNAVAILABLE);
	ASSERT_I64(fake_redis_connections(fx.servers[1]), 2, "the idle one, and one more");
	tear_down();
}

/* --- Sentinel: server 1 is the Sentinel, server 2 the master --- */

static char master[128];

static const char *is_master(size_t i, char *text, size_t size)
{
	char port[8];

	(void)snprintf(port, sizeof(port), "%u", fake_redis_port(fx.servers[i]));
	(void)snprintf(text, size, "*2\r\n$9\r\n127.0.0.1\r\n$%zu\r\n%s\r\n", strlen(port), port);
	return text;
}

static void name_master(size_t i)
{
	fx.roles[0].answer = is_master(i, master, sizeof(master));
}

static void test_sentinel(void)
{
	set_up("redis+sentinel://me:s3cret@127.0.0.1:%1/mymaster");
	name_master(1);
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	ASSERT_I64(fx.roles[0].commands, 1, "the Sentinel, once");
	ASSERT_I64(fx.roles[1].commands, 2, "the master");
	ASSERT_I64(fx.roles[0].secrets, 0, "not the Sentinel's business");
	ASSERT_I64(fx.roles[1].secrets, 1, "the master's");

	fx.roles[1].answer = "-READONLY You can't write against a read only replica.\r\n"; /* a fail-over */
	CU_ASSERT_EQUAL(ask_simply(), ERR_UNAVAILABLE);
	fx.roles[1].answer = "+OK\r\n";
	fake_clock_advance_ms(&fx.clock, REDIS_AWAY_MAX_MS);
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	ASSERT_I64(fx.roles[0].commands, 2, "asked again");
	tear_down();
}

static void test_sentinel_password(void)
{
	struct secret *s3cret = secret_new(STR("s3cret"));

	set_up_with("redis+sentinel://me:another@127.0.0.1:%1/mymaster/3",
		&(struct redis_client_options){.sentinel_password = s3cret});
	name_master(1);
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	ASSERT_I64(fx.roles[0].secrets, 1, "the Sentinel's");
	ASSERT_I64(fx.roles[0].users + fx.roles[0].selects + fx.roles[0].roles, 0,
		"and nothing of the master's");
	ASSERT_I64(fx.roles[1].secrets, 0, "not the master's business");
	ASSERT_I64(fx.roles[1].users, 1, "the user is the master's");
	ASSERT_I64(fx.roles[1].roles, 1, "which it has to be");
	tear_down();
	secret_unref(s3cret);
}

/* The first one knows nothing. After a failure another one than the last is asked: it may have named the master of yesterday. A master that
 * fails is asked once. */
static void test_sentinels(void)
{
	set_up("redis+sentinel://127.0.0.1:%1,127.0.0.1:%2/mymaster");
	name_master(2);
	fx.roles[1].answer = master;
	fx.roles[0].answer = "*-1\r\n";
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	ASSERT_I64(fx.roles[0].commands, 1, "the first");
	ASSERT_I64(fx.roles[1].commands, 1, "the second");
	fx.roles[2].log_in = "-LOADING Redis is loading the dataset in memory\r\n";
	fake_redis_hang_up(fx.servers[2]);
	CU_ASSERT_EQUAL(ask_simply(), ERR_UNAVAILABLE);
	ASSERT_I64(fake_redis_connections(fx.servers[2]), 2, "Sentinels are no hosts to try");
	fx.roles[0].answer = master;
	fx.roles[1].answer = "*-1\r\n";
	fx.roles[2].log_in = NULL;
	fake_clock_advance_ms(&fx.clock, REDIS_AWAY_MAX_MS);
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	ASSERT_I64(fx.roles[0].commands, 2, "another one");
	ASSERT_I64(fx.roles[1].commands, 1, "not the last");
	tear_down();
}

static void test_sentinel_fails(void)
{
	static const struct {
		const char *answer, *role; /* of the Sentinel; of the master to ROLE */
		enum err_code want;
		const char *says;
	} cases[] = {
		{"*-1\r\n", NULL, ERR_UNAVAILABLE, "knows no master"},
		{"$1\r\nx\r\n", NULL, ERR_PROTOCOL, "no sense"},
		{"*2\r\n$1\r\n \r\n$1\r\n1\r\n", NULL, ERR_PROTOCOL, "no sense"},
		{"-NOAUTH Authentication required.\r\n", NULL, ERR_UNAUTHENTICATED,
			"--store-sentinel-password"},
		{"+OK\r\n", NULL, ERR_PROTOCOL, "no sense"},
		{"*1\r\n$9\r\n127.0.0.1\r\n", NULL, ERR_PROTOCOL, "no sense"},
		{"*3\r\n$9\r\n127.0.0.1\r\n$1\r\n1\r\n$1\r\n1\r\n", NULL, ERR_PROTOCOL, "no sense"},
		{"*2\r\n+127.0.0.1\r\n$1\r\n1\r\n", NULL, ERR_PROTOCOL, "no sense"},
		{"*2\r\n$9\r\n127.0.0.1\r\n+1\r\n", NULL, ERR_PROTOCOL, "no sense"},
		{NULL, "*1\r\n$5\r\nslave\r\n", ERR_UNAVAILABLE, "no master"},
		{NULL, "*1\r\n-master\r\n", ERR_UNAVAILABLE, "no master"},
		{NULL, "*0\r\n", ERR_UNAVAILABLE, "no master"},
		{NULL, "+master\r\n", ERR_UNAVAILABLE, "no master"},
	};
	CLEANUP(buf_deinit) struct buf reply;
	struct err err;

	buf_init(&reply, 1000);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		set_up("redis+sentinel://127.0.0.1:%1/mymaster");
		name_master(1);
		if (cases[i].answer != NULL)
			fx.roles[0].answer = cases[i].answer;
		fx.roles[1].log_in = cases[i].role;
		ASSERT_I64(ask(&reply, &err), cases[i].want, cases[i].says);
		CU_ASSERT(str_contains(str_c(err.msg), str_c(cases[i].says)));
		tear_down();
	}
}

/* Server 1 is a Sentinel of yesterday: the master that it names is none. Server 2 is another Sentinel, and the master. */
static void test_sentinel_is_wrong(void)
{
	char right[128];

	set_up("redis+sentinel://127.0.0.1:%1,127.0.0.1:%2/mymaster");
	name_master(0);
	fx.roles[0].log_in = "*1\r\n$5\r\nslave\r\n";
	fx.roles[1].answer = is_master(1, right, sizeof(right));
	CU_ASSERT_EQUAL(ask_simply(), ERR_UNAVAILABLE);
	fake_clock_advance_ms(&fx.clock, REDIS_AWAY_MAX_MS);
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	CU_ASSERT(!is_away());
	tear_down();
}

/* --- waiting --- */

/* A server that does not answer: its time-out is Redis's failure, the caller's own deadline is not, unless he had time enough. */
static void test_silence(void)
{
	static const struct {
		int log_in_ms, takes_ms, deadline_ms; /* 0: none */
		bool is_away;
		const char *says;
	} cases[] = {
		{71, 0, 0, true, "did not answer within 70 ms"},
		{0, 101, 0, true, "did not answer within 100 ms"},
		{0, 101, 1000, true, "did not answer within 100 ms"},
		{0, 50, 50, false, "the deadline passed"},
		{0, 501, 501, true, "the deadline passed"},
		{51, 0, 50, false, "the deadline passed"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		set_up("redis://127.0.0.1:%1");
		if (cases[i].log_in_ms == 0)
			CU_ASSERT_EQUAL(ask_simply(), ERR_OK); /* connected before */
		fx.roles[0].takes_ms = cases[i].log_in_ms + cases[i].takes_ms;
		fx.roles[0].log_in = fx.roles[0].answer = "";
		if (cases[i].deadline_ms > 0)
			fx.ctx.deadline_ms = clock_mono_ms(&fx.clock.clock) + cases[i].deadline_ms;
		CU_ASSERT(fails_with(ERR_DEADLINE, cases[i].says));
		ASSERT_I64(is_away(), cases[i].is_away, cases[i].says);
		tear_down();
	}
}

static void *cancel_main(void *arg)
{
	while (fx.roles[0].commands == 0)
		clock_sleep_ms(1);
	cancel_fire(arg);
	return NULL;
}

static void test_cancelled(void)
{
	struct cancel *cancel = cancel_new();
	struct thread thread;
	struct err err;

	set_up("redis://127.0.0.1:%1");
	fx.roles[0].answer = NULL;
	fx.ctx.cancel = cancel;
	CU_ASSERT_EQUAL_FATAL(thread_start(&thread, "cancel", 0, cancel_main, cancel, &err), ERR_OK);
	CU_ASSERT_EQUAL(ask_simply(), ERR_CANCELLED);
	thread_join(&thread);
	CU_ASSERT(!is_away());
	fx.ctx.cancel = NULL;
	fx.roles[0].answer = "+OK\r\n";
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	ASSERT_I64(fake_redis_connections(fx.servers[0]), 2, "the answer may still come on the other one");
	tear_down();
	cancel_unref(cancel);
}

/* --- many threads --- */

static void *crowd_main(void *arg)
{
	atomic_int *wrong = arg;

	for (int i = 0; i < 50; i++)
		atomic_fetch_add(wrong, ask_simply() != ERR_OK);
	return NULL;
}

static void test_crowd(void)
{
	struct thread threads[8];
	atomic_int wrong = 0;
	struct err err;

	set_up("redis://127.0.0.1:%1");
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		CU_ASSERT_EQUAL_FATAL(
			thread_start(&threads[i], "crowd", 0, crowd_main, &wrong, &err), ERR_OK);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		thread_join(&threads[i]);
	ASSERT_I64(wrong, 0, "all answered");
	ASSERT_I64(fx.roles[0].commands, 8 * 50, "each once");
	CU_ASSERT(fake_redis_connections(fx.servers[0]) <= 8);
	tear_down();
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"connections_are_kept", test_connections_are_kept},
		{"address_in_brackets", test_address_in_brackets},
		{"speaks_unasked", test_speaks_unasked},
		{"idle_connections", test_idle_connections},
		{"failure_closes_idle_ones", test_failure_closes_idle_ones},
		{"closed_in_use", test_closed_in_use},
		{"away_with_remedy", test_away_with_remedy},
		{"away_and_back", test_away_and_back},
		{"pauses", test_pauses},
		{"fail_together", test_fail_together},
		{"one_tries", test_one_tries},
		{"late_success", test_late_success},
		{"replies", test_replies},
		{"remedies", test_remedies},
		{"too_large", test_too_large},
		{"batch", test_batch},
		{"password", test_password},
		{"log_in_fails", test_log_in_fails},
		{"tls_options", test_tls_options},
		{"user_without_a_password", test_user_without_a_password},
		{"password_is_not_repeated", test_password_is_not_repeated},
		{"nobody_is_let_in", test_nobody_is_let_in},
		{"useless_host", test_useless_host},
		{"hosts", test_hosts},
		{"no_socket", test_no_socket},
		{"moved", test_moved},
		{"moved_tags", test_moved_tags},
		{"redirected_in_a_batch", test_redirected_in_a_batch},
		{"moved_without_a_host", test_moved_without_a_host},
		{"moved_node_dies", test_moved_node_dies},
		{"ask", test_ask},
		{"sentinel", test_sentinel},
		{"sentinel_password", test_sentinel_password},
		{"sentinels", test_sentinels},
		{"sentinel_fails", test_sentinel_fails},
		{"sentinel_is_wrong", test_sentinel_is_wrong},
		{"silence", test_silence},
		{"cancelled", test_cancelled},
		{"crowd", test_crowd},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"redis_client", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
