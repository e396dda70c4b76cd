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
	_Atomic(const char *) answer; /* NULL: none at all */
	atomic_bool hang_up;          /* close after the answer */
	_Atomic(const char *) log_in; /* to AUTH, SELECT, PING, ROLE; NULL: good ones */
	atomic_int commands;          /* but the log-in's */
	atomic_int asking;
	atomic_int secrets; /* AUTH with the password of the tests */
};

static bool answer(void *arg, const struct str *args, size_t n, struct buf *out)
{
	static const char *const log_in[] = {"AUTH", "SELECT", "PING", "ROLE"};
	struct role *role = arg;
	const char *own = role->answer, *own_log_in = role->log_in;

	atomic_fetch_add(&role->secrets, str_eq_c(args[0], "AUTH") && str_eq_c(args[n - 1], "s3cret"));
	for (size_t i = 0; i < ARRAY_LEN(log_in); i++) {
		if (!str_eq_c(args[0], log_in[i]))
			continue;
		buf_c(out, own_log_in ? own_log_in : i == 3 ? "*1\r\n$6\r\nmaster\r\n" : "+OK\r\n");
		return own_log_in == NULL || !role->hang_up;
	}
	if (str_eq_c(args[0], "ASKING")) {
		atomic_fetch_add(&role->asking, 1);
		buf_c(out, "+OK\r\n");
		return true;
	}
	atomic_fetch_add(&role->commands, 1);
	buf_c(out, own ? own : "");
	return !role->hang_up;
}

static struct fixture {
	struct fake_clock clock;
	struct ctx ctx;
	struct role roles[2];
	struct fake_redis *servers[2];
	struct redis_client *client;
	char url[256];
} fx;

/* A client of the URL, with servers behind it. "%1" and "%2" in the URL stand for their ports. */
static void set_up(const char *url)
{
	struct str rest = str_c(url);
	struct err err;
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
	CU_ASSERT_EQUAL_FATAL(redis_client_new(
				      &(struct redis_client_options){
					      .url = str_c(fx.url),
					      .max_reply_bytes = 10000,
					      .connect_timeout_ms = 100,
					      .command_timeout_ms = 100,
					      .idle_ms = 60000,
					      .clock = &fx.clock.clock,
				      },
				      &fx.client, &err),
		ERR_OK);
}

static void tear_down(void)
{
	redis_client_free(fx.client);
	for (size_t i = 0; i < ARRAY_LEN(fx.servers); i++)
		fake_redis_stop(fx.servers[i]);
}

/* One command; its reply as text. */
static enum err_code ask(struct buf *reply, struct err *reterr)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	CLEANUP(redis_batch_deinit) struct redis_batch b;
	struct resp_reply *replies[1];

	redis_batch_init(&b, 1000);
	REDIS_ADD(&b, STR("GET"), STR("{tag}"));
	if (redis_client_run(fx.client, &fx.ctx, TAG, &b, arena, replies, reterr) != ERR_OK)
		return reterr->code;
	buf_reset(reply);
	buf_str(reply, replies[0]->text);
	return ERR_OK;
}

static enum err_code ask_simply(void)
{
	CLEANUP(buf_deinit) struct buf reply;
	struct err err;

	buf_init(&reply, 1000);
	return ask(&reply, &err);
}

static bool is_away(void)
{
	struct redis_client_stats stats;

	redis_client_stats(fx.client, &stats);
	return stats.away;
}

static void test_connections_are_kept(void)
{
	set_up("redis://127.0.0.1:%1");
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	ASSERT_I64(fake_redis_connections(fx.servers[0]), 1, "kept");
	fake_clock_advance_ms(&fx.clock, 60001);
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	ASSERT_I64(fake_redis_connections(fx.servers[0]), 2, "too old");
	fake_redis_hang_up(fx.servers[0]);
	CU_ASSERT_EQUAL(ask_simply(), ERR_OK);
	ASSERT_I64(fake_redis_connections(fx.servers[0]), 3, "closed by the server");
	CU_ASSERT(!is_away());
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

/* The pauses grow, up to a bound. */
static void test_pauses(void)
{
	size_t before;

	set_up("redis://127.0.0.1:%1");
	fx.roles[0].log_in = "-ERR max number of clients reached\r\n";
	for (int i = 0; i < 20; i++) {
		CU_ASSERT_EQUAL(ask_simply(), ERR_UNAVAILABLE);
		fake_clock_advance_ms(&fx.clock, REDIS_AWAY_MAX_MS);
	}
	before = fake_redis_connections(fx.servers[0]);
	ASSERT_I64(before, 20, "each after its pause");
	fake_clock_advance_ms(&fx.clock, -1);
	CU_ASSERT_EQUAL(ask_simply(), ERR_UNAVAILABLE);
	CU_ASSERT(fake_redis_connections(fx.servers[0]) <= before + 1);
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

static void test_password(void)
{
	CLEANUP(buf_deinit) struct buf reply;
	struct err err;

	buf_init(&reply, 1000);
	set_up("redis://me:s3cret@127.0.0.1:%1/3");
	CU_ASSERT_EQUAL(ask(&reply, &err), ERR_OK);
	ASSERT_I64(fx.roles[0].secrets, 1, "AUTH");
	fx.roles[0].log_in = "-WRONGPASS invalid username-password pair\r\n";
	fake_clock_advance_ms(&fx.clock, 60001);
	CU_ASSERT_EQUAL(ask(&reply, &err), ERR_UNAUTHENTICATED);
	CU_ASSERT(!str_contains(str_c(err.msg), STR("s3cret")));
	tear_down();
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
		{NULL, "*1\r\n$5\r\nslave\r\n", ERR_UNAVAILABLE, "no master"},
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

static void *advance_main(void *arg)
{
	(void)arg;
	while (fx.roles[0].commands == 0)
		clock_sleep_ms(1);
	fake_clock_advance_ms(&fx.clock, 101);
	return NULL;
}

/* A server that does not answer: its time-out is Redis's failure, the caller's own deadline and cancellation are not. */
static void test_silence(void)
{
	struct thread thread;
	struct err err;

	set_up("redis://127.0.0.1:%1");
	fx.roles[0].answer = NULL;
	CU_ASSERT_EQUAL_FATAL(thread_start(&thread, "advance", 0, advance_main, NULL, &err), ERR_OK);
	CU_ASSERT_EQUAL(ask_simply(), ERR_DEADLINE);
	thread_join(&thread);
	CU_ASSERT(is_away());
	tear_down();

	set_up("redis://127.0.0.1:%1");
	fx.roles[0].answer = NULL;
	fx.ctx.deadline_ms = clock_mono_ms(&fx.clock.clock) + 50;
	CU_ASSERT_EQUAL_FATAL(thread_start(&thread, "advance", 0, advance_main, NULL, &err), ERR_OK);
	CU_ASSERT_EQUAL(ask_simply(), ERR_DEADLINE);
	thread_join(&thread);
	CU_ASSERT(!is_away());
	tear_down();
}

static void *advance_far_main(void *arg)
{
	(void)arg;
	while (fx.roles[0].commands == 0)
		clock_sleep_ms(1);
	fake_clock_advance_ms(&fx.clock, 600);
	return NULL;
}

/* A caller who had time enough has met a failure, whoever's clock ended it. */
static void test_silence_for_long(void)
{
	struct thread thread;
	struct err err;

	set_up("redis://127.0.0.1:%1");
	fx.roles[0].answer = NULL;
	fx.ctx.deadline_ms = clock_mono_ms(&fx.clock.clock) + 600;
	CU_ASSERT_EQUAL_FATAL(thread_start(&thread, "advance", 0, advance_far_main, NULL, &err), ERR_OK);
	CU_ASSERT_EQUAL(ask_simply(), ERR_DEADLINE);
	thread_join(&thread);
	CU_ASSERT(is_away());
	tear_down();
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
		{"closed_in_use", test_closed_in_use},
		{"away_with_remedy", test_away_with_remedy},
		{"away_and_back", test_away_and_back},
		{"pauses", test_pauses},
		{"replies", test_replies},
		{"password", test_password},
		{"user_without_a_password", test_user_without_a_password},
		{"password_is_not_repeated", test_password_is_not_repeated},
		{"nobody_is_let_in", test_nobody_is_let_in},
		{"useless_host", test_useless_host},
		{"hosts", test_hosts},
		{"moved", test_moved},
		{"moved_without_a_host", test_moved_without_a_host},
		{"moved_node_dies", test_moved_node_dies},
		{"ask", test_ask},
		{"sentinel", test_sentinel},
		{"sentinel_fails", test_sentinel_fails},
		{"sentinel_is_wrong", test_sentinel_is_wrong},
		{"silence", test_silence},
		{"silence_for_long", test_silence_for_long},
		{"cancelled", test_cancelled},
		{"crowd", test_crowd},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"redis_client", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
