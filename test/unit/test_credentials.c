/* layers: base aws
 *
 * Providers, the cache that renews, the default chain, the modes of the connector; and what is learned
 * from a wrong clock. AWS is a function of this file. */
#include "aws/credentials.h"

#include <stdatomic.h>
#include <stdio.h>

#include "aws/clock_skew.h"
#include "base/arena.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "support/cunit_main.h"
#include "support/fake_clock.h"

#define NOW_S 1800000000

static struct fake_clock fake;
static struct mutex sts_lock; /* guards sts while several threads ask */
static struct ctx forever;

static int set_up(void)
{
	mutex_init(&sts_lock);
	fake_clock_init(&fake, NOW_S);
	forever = (struct ctx){.clock = &fake.clock, .deadline_ms = CTX_NO_DEADLINE};
	return 0;
}

/* ---- an STS ---- */

struct fake_sts {
	int calls;
	enum err_code fail; /* ERR_OK: works */
	const char *aws_code, *aws_msg;
	int64_t longest_s;                            /* a longer duration is refused; 0: any goes */
	int64_t lifetime_s;                           /* of what it gives; 0: what was asked for */
	char source_key[32];                          /* who asked last, */
	char role[100], session[40], external_id[80]; /* and for what */
	int64_t duration_s;
};

static struct fake_sts sts;

static void sts_reset(void)
{
	sts = (struct fake_sts){.aws_code = "", .aws_msg = ""};
}

static void keep(char *out, size_t size, struct str s)
{
	snprintf(out, size, STR_FMT, STR_ARG(s));
}

static enum err_code refuse(enum err_code code, const char *aws_code, const char *msg, struct err *reterr)
{
	err_set(reterr, code, "%s", msg);
	snprintf(reterr->aws_code, sizeof(reterr->aws_code), "%s", aws_code);
	snprintf(reterr->request_id, sizeof(reterr->request_id), "req-1");
	return code;
}

static enum err_code fake_assume_role(void *self, const struct ctx *ctx, struct credentials_provider *source,
	const struct assume_role_request *req, struct aws_credentials **ret_credentials, struct err *reterr)
{
	CLEANUP(aws_credentials_unrefp) struct aws_credentials *of_source = NULL;
	struct fake_sts *s = self;
	int64_t lifetime_s;
	char key[32];
	enum err_code rc = credentials_fetch(source, ctx, &of_source, reterr);
	LOCK_SCOPE(&sts_lock);

	if (rc != ERR_OK)
		return rc;
	s->calls++;
	keep(s->source_key, sizeof(s->source_key), of_source->access_key_id);
	keep(s->role, sizeof(s->role), req->role_arn);
	keep(s->session, sizeof(s->session), req->session_name);
	keep(s->external_id, sizeof(s->external_id), req->external_id);
	s->duration_s = req->duration_s;
	if (s->fail != ERR_OK)
		return refuse(s->fail, s->aws_code, s->aws_msg, reterr);
	if (s->longest_s && req->duration_s > s->longest_s)
		return refuse(ERR_INVALID, "ValidationError",
			"The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
			reterr);
	lifetime_s = s->lifetime_s ? s->lifetime_s : req->duration_s;
	snprintf(key, sizeof(key), "ASIA%d", s->calls);
	*ret_credentials = aws_credentials_new(str_c(key), secret_new(str_c(key)), secret_new(str_c(key)),
		clock_wall_s(&fake.clock) + lifetime_s);
	return ERR_OK;
}

static const struct sts_assume_role fake_sts_role = {.fn = fake_assume_role, .self = &sts};

static struct credentials_provider *base_keys(void)
{
	CLEANUP(secret_unrefp) struct secret *secret = secret_new(STR("base-secret"));

	return credentials_static_new(STR("AKIABASE"), secret, NULL);
}

/* The key id that a fetch gives, or the error. */
static struct str fetch_key(struct arena *a, struct credentials_provider *p, struct err *reterr)
{
	CLEANUP(aws_credentials_unrefp) struct aws_credentials *c = NULL;

	*reterr = (struct err){.code = ERR_OK};
	if (credentials_fetch(p, &forever, &c, reterr) != ERR_OK)
		return str_fmt(a, "%s: %s", err_code_name(reterr->code), reterr->msg);
	return str_dup(a, c->access_key_id);
}

#define ASSERT_KEY(p, want)                                                                                  \
	do {                                                                                                 \
		struct err err_;                                                                             \
		struct arena *a_ = arena_new(0);                                                             \
		ASSERT_STR(fetch_key(a_, (p), &err_), STR(want), "fetch");                                   \
		arena_free(a_);                                                                              \
	} while (0)

/* ---- static and environment ---- */

static void test_static(void)
{
	CLEANUP(secret_unrefp) struct secret *secret = secret_new(STR("s")), *token = secret_new(STR("t"));
	CLEANUP(credentials_provider_unrefp)
	struct credentials_provider *p = credentials_static_new(STR("AKIA"), secret, token);
	CLEANUP(aws_credentials_unrefp) struct aws_credentials *c = NULL;
	struct err err;

	CU_ASSERT_EQUAL_FATAL(credentials_fetch(p, &forever, &c, &err), ERR_OK);
	ASSERT_STR(c->access_key_id, STR("AKIA"), "key id");
	ASSERT_STR(secret_reveal(c->secret_access_key), STR("s"), "secret");
	ASSERT_STR(secret_reveal(c->session_token), STR("t"), "token");
	CU_ASSERT_EQUAL(c->expires_at_s, CREDENTIALS_NEVER_EXPIRE);
	credentials_forget(p, c); /* nothing to forget, nothing happens */
	credentials_provider_unref(TAKE(p));
	ASSERT_STR(secret_reveal(c->secret_access_key), STR("s"), "outlives its provider");
}

static void test_environment(void)
{
	static const struct {
		const char *env[4];
		const char *key, *token; /* NULL: no provider */
	} rows[] = {
		{{"AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=s", "AWS_SESSION_TOKEN=t"}, "a", "t"},
		{{"AWS_ACCESS_KEY=a", "AWS_SECRET_KEY=s"}, "a", ""},
		{{"AWS_ACCESS_KEY_ID=a", "AWS_ACCESS_KEY=b", "AWS_SECRET_KEY=s"}, "a", ""},
		{{"AWS_ACCESS_KEY_ID=a"}, NULL, NULL},
		{{"AWS_SECRET_ACCESS_KEY=s", "AWS_SESSION_TOKEN=t"}, NULL, NULL},
		{{"AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=s"}, NULL, NULL},
		{{NULL}, NULL, NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(credentials_provider_unrefp)
		struct credentials_provider *p = credentials_environment_new(rows[i].env);
		CLEANUP(aws_credentials_unrefp) struct aws_credentials *c = NULL;
		struct err err;

		CU_ASSERT_EQUAL(p != NULL, rows[i].key != NULL);
		if (p == NULL)
			continue;
		CU_ASSERT_EQUAL_FATAL(credentials_fetch(p, &forever, &c, &err), ERR_OK);
		ASSERT_STR(c->access_key_id, str_c(rows[i].key), "key");
		ASSERT_STR(secret_reveal(c->session_token), str_c(rows[i].token), "token");
	}
}

/* ---- assume role ---- */

static void test_assume_role(void)
{
	struct assume_role_options opts = {
		.role_arn = STR("arn:aws:iam::1:role/r"), .external_id = STR("x-id"), .sts = fake_sts_role};
	CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = NULL;

	sts_reset();
	p = credentials_assume_role_new(base_keys(), &opts);
	ASSERT_KEY(p, "ASIA1");
	ASSERT_STR(str_c(sts.source_key), STR("AKIABASE"), "signed by");
	ASSERT_STR(str_c(sts.role), STR("arn:aws:iam::1:role/r"), "role");
	ASSERT_STR(str_c(sts.session), STR("baton-awsd"), "session name");
	ASSERT_STR(str_c(sts.external_id), STR("x-id"), "external id");
	ASSERT_I64(sts.duration_s, 3600, "duration");
}

/* A role that allows no hour gets a quarter, and is not asked for an hour again. */
static void test_short_sessions(void)
{
	struct assume_role_options opts = {.role_arn = STR("r"), .sts = fake_sts_role};
	CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = NULL;

	sts_reset();
	sts.longest_s = 900;
	p = credentials_assume_role_new(base_keys(), &opts);
	ASSERT_KEY(p, "ASIA2");
	ASSERT_I64(sts.duration_s, 900, "duration");
	ASSERT_KEY(p, "ASIA3");
	ASSERT_I64(sts.calls, 3, "calls");
	sts.longest_s = 1; /* no loop when that is refused as well */
	sts.calls = 0;
	ASSERT_KEY(p,
		"INVALID: The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
	ASSERT_I64(sts.calls, 1, "calls");
}

static void capture_nothing(void *arg, struct str line)
{
	atomic_int *leaks = arg;

	if (str_contains(line, STR("external-id-of-the")))
		atomic_fetch_add(leaks, 1);
}

static void test_modes(void)
{
	static const struct {
		struct credentials_mode mode;
		enum err_code sts_fails;
		const char *want;
	} rows[] = {
		{{.use_assume = false, .role_arn = STR_INIT("ignored")}, ERR_DENIED, "AKIABASE"},
		{{.use_assume = true,
			 .role_arn = STR_INIT("one"),
			 .external_id = STR_INIT("external-id-of-the role")},
			ERR_OK, "ASIA1"},
		{{.use_assume = true, .role_arn = STR_INIT("one")}, ERR_DENIED,
			"UNAUTHENTICATED: baton-aws: failed to assume role into 'one': no"},
		{{.use_assume = true,
			 .role_arn = STR_INIT("two"),
			 .global_role_arn = STR_INIT("one"),
			 .external_id = STR_INIT("external-id-of-the role"),
			 .global_binding_external_id = STR_INIT("external-id-of-the binding")},
			ERR_OK, "ASIA2"},
		{{.use_assume = true,
			 .role_arn = STR_INIT("two"),
			 .global_role_arn = STR_INIT("one"),
			 .global_binding_external_id = STR_INIT("external-id-of-the binding")},
			ERR_DENIED, "UNAUTHENTICATED: baton-aws: internal binding error"},
		{{.use_assume = true, .role_arn = STR_INIT("one")}, ERR_UNAVAILABLE,
			"UNAVAILABLE: baton-aws: failed to assume role into 'one': no"},
		{{.use_assume = true, .role_arn = STR_INIT("one")}, ERR_THROTTLED,
			"THROTTLED: baton-aws: failed to assume role into 'one': no"},
	};
	atomic_int leaks = 0;

	log_capture(capture_nothing, &leaks);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(arena_freep) struct arena *a = arena_new(0);
		CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = NULL;
		struct err err;

		sts_reset();
		sts.fail = rows[i].sts_fails;
		sts.aws_code = "AccessDenied";
		sts.aws_msg = "no";
		p = credentials_for_mode(base_keys(), &rows[i].mode, fake_sts_role, &fake.clock);
		ASSERT_STR(fetch_key(a, p, &err), str_c(rows[i].want), "result");
		if (err.code != ERR_OK) {
			ASSERT_STR(str_c(err.aws_code), STR("AccessDenied"), "AWS's code is kept");
			ASSERT_STR(str_c(err.request_id), STR("req-1"), "request id is kept");
		}
		if (str_eq(str_c(rows[i].want), STR("ASIA2"))) {
			ASSERT_STR(
				str_c(sts.source_key), STR("ASIA1"), "the second hop is signed by the first");
			ASSERT_STR(str_c(sts.external_id), STR("external-id-of-the role"),
				"and has its own external id");
		}
	}
	log_capture(NULL, NULL);
	CU_ASSERT_EQUAL(atomic_load(&leaks), 0);
}

/* The second of two hops fails: other words. */
static enum err_code second_hop_fails(void *self, const struct ctx *ctx, struct credentials_provider *source,
	const struct assume_role_request *req, struct aws_credentials **ret_credentials, struct err *reterr)
{
	if (str_eq(req->role_arn, STR("two")))
		return refuse(ERR_DENIED, "AccessDenied", "no", reterr);
	return fake_assume_role(self, ctx, source, req, ret_credentials, reterr);
}

static void test_second_hop_fails(void)
{
	const struct credentials_mode mode = {.use_assume = true,
		.role_arn = STR("two"),
		.global_role_arn = STR("one"),
		.external_id = STR("x")};
	CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = NULL;

	sts_reset();
	p = credentials_for_mode(base_keys(), &mode,
		(struct sts_assume_role){.fn = second_hop_fails, .self = &sts}, &fake.clock);
	ASSERT_KEY(p, "UNAUTHENTICATED: baton-aws: unable to assume role into 'two': no");
	ASSERT_KEY(p, "UNAUTHENTICATED: baton-aws: unable to assume role into 'two': no");
	ASSERT_I64(sts.calls, 1, "the first hop's session is kept meanwhile");
}

/* ---- the cache ---- */

static struct credentials_provider *cached_role(void)
{
	struct assume_role_options opts = {.role_arn = STR("r"), .sts = fake_sts_role};

	sts_reset();
	return credentials_cache_new(credentials_assume_role_new(base_keys(), &opts), &fake.clock);
}

static void test_renewal(void)
{
	CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = cached_role();

	ASSERT_KEY(p, "ASIA1");
	fake_clock_advance_ms(&fake, (3600 - 301) * 1000);
	ASSERT_KEY(p, "ASIA1");
	fake_clock_advance_ms(&fake, 1000); /* five minutes are left */
	ASSERT_KEY(p, "ASIA2");
	ASSERT_KEY(p, "ASIA2");
	ASSERT_I64(sts.calls, 2, "calls");
}

/* While the old ones are valid a failure does no harm, and STS is not asked at every call. */
static void test_failed_renewal(void)
{
	CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = cached_role();
	atomic_int leaks = 0;

	ASSERT_KEY(p, "ASIA1");
	fake_clock_advance_ms(&fake, 3400 * 1000);
	sts.fail = ERR_UNAVAILABLE;
	sts.aws_msg = "down";
	log_capture(capture_nothing, &leaks);
	ASSERT_KEY(p, "ASIA1");
	ASSERT_KEY(p, "ASIA1");
	ASSERT_I64(sts.calls, 2, "calls");
	fake_clock_advance_ms(&fake, 11 * 1000);
	ASSERT_KEY(p, "ASIA1");
	ASSERT_I64(sts.calls, 3, "another try, some seconds later");
	fake_clock_advance_ms(&fake, 189 * 1000); /* now they have expired */
	ASSERT_KEY(p, "UNAVAILABLE: down");
	sts.fail = ERR_OK;
	ASSERT_KEY(p, "ASIA5"); /* and the next request tries again at once */
	log_capture(NULL, NULL);
}

static void test_short_lives(void)
{
	CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = cached_role();

	sts.lifetime_s = 100; /* less than the five minutes */
	ASSERT_KEY(p, "ASIA1");
	fake_clock_advance_ms(&fake, 49 * 1000);
	ASSERT_KEY(p, "ASIA1");
	fake_clock_advance_ms(&fake, 2 * 1000);
	ASSERT_KEY(p, "ASIA2");
	sts.lifetime_s = -5;
	fake_clock_advance_ms(&fake, 200 * 1000);
	ASSERT_KEY(p, "UNAUTHENTICATED: the credentials from assume-role have already expired; is the clock "
		      "of this host right?");
}

static void test_forget(void)
{
	CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = cached_role();
	CLEANUP(aws_credentials_unrefp) struct aws_credentials *first = NULL, *second = NULL;
	struct err err;

	CU_ASSERT_EQUAL_FATAL(credentials_fetch(p, &forever, &first, &err), ERR_OK);
	credentials_forget(p, first);
	CU_ASSERT_EQUAL_FATAL(credentials_fetch(p, &forever, &second, &err), ERR_OK);
	ASSERT_STR(second->access_key_id, STR("ASIA2"), "new ones");
	credentials_forget(p, first); /* somebody else is late: these are not the current ones */
	ASSERT_KEY(p, "ASIA2");
	ASSERT_I64(sts.calls, 2, "calls");
}

/* A provider that holds whoever asks until it is let go. */
struct gate {
	struct credentials_provider base;
	struct mutex lock;
	struct cond cond;
	int inside, entered;
	bool open;
	enum err_code fail;
};

static enum err_code gate_fetch(struct credentials_provider *self, const struct ctx *ctx,
	struct aws_credentials **ret_credentials, struct err *reterr)
{
	struct gate *g = (struct gate *)self;
	LOCK_SCOPE(&g->lock);

	g->inside++;
	g->entered++;
	while (!g->open) {
		enum err_code rc = ctx_check(ctx, "standing at the gate", reterr);

		if (rc != ERR_OK) {
			g->inside--;
			return rc;
		}
		cond_wait_ctx(&g->cond, &g->lock, ctx);
	}
	g->inside--;
	if (g->fail != ERR_OK)
		return err_set(reterr, g->fail, "the gate says no");
	*ret_credentials = aws_credentials_new(
		STR("GATE"), secret_new(STR("s")), NULL, clock_wall_s(&clock_system) + 3600);
	return ERR_OK;
}

static void gate_free(struct credentials_provider *self)
{
	struct gate *g = (struct gate *)self;

	cond_deinit(&g->cond);
	mutex_deinit(&g->lock);
	mem_free(g);
}

static struct gate *gate_new(void)
{
	static const struct credentials_provider_ops ops = {
		.name = "gate", .fetch = gate_fetch, .free = gate_free};
	struct gate *g = mem_zalloc(sizeof(*g));

	g->base.ops = &ops;
	atomic_init(&g->base.refs, 1);
	mutex_init(&g->lock);
	cond_init(&g->cond);
	return g;
}

static void gate_open(struct gate *g, enum err_code fail)
{
	LOCK_SCOPE(&g->lock);

	g->open = true;
	g->fail = fail;
	cond_broadcast(&g->cond);
}

static int gate_entered(struct gate *g)
{
	LOCK_SCOPE(&g->lock);

	return g->entered;
}

struct asker {
	struct thread thread;
	/* Counts how often a wait looks at the time: more than 0 means that the asker waits somewhere. */
	struct clock clock;
	_Atomic int looks;
	struct credentials_provider *provider;
	struct cancel *cancel; /* NULL: patient */
	struct aws_credentials *credentials;
	enum err_code code;
	struct err err;
};

static int64_t counted_mono_ms(void *self)
{
	struct asker *k = self;

	atomic_fetch_add(&k->looks, 1);
	return clock_mono_ms(&clock_system);
}

static void *ask(void *arg)
{
	struct asker *k = arg;
	struct ctx ctx = {.clock = &k->clock, .deadline_ms = INT64_MAX - 1, .cancel = k->cancel};

	k->code = credentials_fetch(k->provider, &ctx, &k->credentials, &k->err);
	return NULL;
}

#define N_ASKERS 12

static void start_askers(struct asker *askers, size_t n, struct credentials_provider *p)
{
	for (size_t i = 0; i < n; i++) {
		struct err err;

		askers[i].provider = p;
		askers[i].clock = (struct clock){
			.mono_ms = counted_mono_ms, .wall_ns = clock_system.wall_ns, .self = &askers[i]};
		CU_ASSERT_EQUAL_FATAL(
			thread_start(&askers[i].thread, "asker", 0, ask, &askers[i], &err), ERR_OK);
	}
}

static void wait_until_waiting(struct asker *askers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		while (atomic_load(&askers[i].looks) == 0)
			clock_sleep_ms(1);
	}
}

static void test_single_flight(void)
{
	static const enum err_code outcomes[] = {ERR_OK, ERR_UNAVAILABLE};

	for (size_t o = 0; o < ARRAY_LEN(outcomes); o++) {
		struct gate *g = gate_new();
		CLEANUP(credentials_provider_unrefp)
		struct credentials_provider *p = credentials_cache_new(&g->base, &clock_system);
		struct asker askers[N_ASKERS] = {{.code = ERR_OK}};

		start_askers(askers, N_ASKERS, p);
		wait_until_waiting(askers, N_ASKERS);
		gate_open(g, outcomes[o]);
		for (size_t i = 0; i < N_ASKERS; i++) {
			thread_join(&askers[i].thread);
			CU_ASSERT_EQUAL(askers[i].code, outcomes[o]);
			/* one snapshot for all, or its error */
			CU_ASSERT_PTR_EQUAL(askers[i].credentials, askers[0].credentials);
		}
		CU_ASSERT_EQUAL(gate_entered(g), 1);
		for (size_t i = 0; i < N_ASKERS; i++)
			aws_credentials_unref(askers[i].credentials);
	}
}

/* The one who renews is cancelled: the others are not, one of them takes over. */
static void test_cancelled_leader(void)
{
	struct gate *g = gate_new();
	CLEANUP(credentials_provider_unrefp)
	struct credentials_provider *p = credentials_cache_new(&g->base, &clock_system);
	struct asker leader = {.cancel = cancel_new()}, others[4] = {{.code = ERR_OK}};

	start_askers(&leader, 1, p);
	while (gate_entered(g) == 0)
		clock_sleep_ms(1);
	start_askers(others, ARRAY_LEN(others), p);
	wait_until_waiting(others, ARRAY_LEN(others));
	cancel_fire(leader.cancel);
	thread_join(&leader.thread);
	CU_ASSERT_EQUAL(leader.code, ERR_CANCELLED);
	while (gate_entered(g) == 1)
		clock_sleep_ms(1);
	gate_open(g, ERR_OK);
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		thread_join(&others[i].thread);
		CU_ASSERT_EQUAL(others[i].code, ERR_OK);
		aws_credentials_unref(others[i].credentials);
	}
	CU_ASSERT_EQUAL(gate_entered(g), 2);
	cancel_unref(leader.cancel);
}

/* A waiter whose own call ends does not wait for the renewal. */
static void test_cancelled_waiter(void)
{
	struct gate *g = gate_new();
	CLEANUP(credentials_provider_unrefp)
	struct credentials_provider *p = credentials_cache_new(&g->base, &clock_system);
	struct asker leader = {.code = ERR_OK}, waiter = {.cancel = cancel_new()};

	start_askers(&leader, 1, p);
	while (gate_entered(g) == 0)
		clock_sleep_ms(1);
	start_askers(&waiter, 1, p);
	wait_until_waiting(&waiter, 1);
	cancel_fire(waiter.cancel);
	thread_join(&waiter.thread);
	CU_ASSERT_EQUAL(waiter.code, ERR_CANCELLED);
	gate_open(g, ERR_OK);
	thread_join(&leader.thread);
	CU_ASSERT_EQUAL(leader.code, ERR_OK);
	aws_credentials_unref(leader.credentials);
	cancel_unref(waiter.cancel);
}

/* Snapshots that live for a blink, and many threads: key id, secret and token always belong together. */
static void *check_snapshots(void *arg)
{
	struct credentials_provider *p = arg;
	intptr_t wrong = 0;

	for (int i = 0; i < 200; i++) {
		CLEANUP(aws_credentials_unrefp) struct aws_credentials *c = NULL;
		struct err err;

		if (credentials_fetch(p, &forever, &c, &err) != ERR_OK)
			wrong++;
		else if (!str_eq(c->access_key_id, secret_reveal(c->secret_access_key)) ||
			 !str_eq(c->access_key_id, secret_reveal(c->session_token)))
			wrong++;
		else if (i % 3 == 0)
			credentials_forget(p, c);
		fake_clock_advance_ms(&fake, 1000);
	}
	return (void *)wrong;
}

static void test_never_mixed(void)
{
	CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = cached_role();
	struct thread threads[6];
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		CU_ASSERT_EQUAL_FATAL(
			thread_start(&threads[i], "checker", 0, check_snapshots, p, &err), ERR_OK);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		void *wrong = NULL;

		pthread_join(threads[i].t, &wrong);
		CU_ASSERT_PTR_NULL(wrong);
	}
	CU_ASSERT(sts.calls > 10);
}

/* ---- chain and profiles ---- */

struct chain_case {
	const char *name;
	const char *config;
	const char *env[6];
	const char *want; /* key id, or error */
	const char *assumed;
};

static const struct chain_case chain_cases[] = {
	{"environment first", "[default]\naws_access_key_id=P\naws_secret_access_key=s\n",
		{"AWS_ACCESS_KEY_ID=E", "AWS_SECRET_ACCESS_KEY=s", "AWS_WEB_IDENTITY_TOKEN_FILE=/x"}, "E",
		""},
	{"half an environment is none", "[default]\naws_access_key_id=P\naws_secret_access_key=s\n",
		{"AWS_ACCESS_KEY_ID=E"}, "P", ""},
	{"profile before container", "[default]\naws_access_key_id=P\naws_secret_access_key=s\n",
		{"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://x"}, "P", ""},
	{"web identity before profile", "[default]\naws_access_key_id=P\naws_secret_access_key=s\n",
		{"AWS_WEB_IDENTITY_TOKEN_FILE=/nowhere", "AWS_ROLE_ARN=r"},
		"UNAUTHENTICATED: cannot assume role 'r' with the web identity token: "
		"cannot open the token file /nowhere: No such file or directory",
		""},
	{"web identity without role", "", {"AWS_WEB_IDENTITY_TOKEN_FILE=/nowhere"},
		"INVALID: AWS_WEB_IDENTITY_TOKEN_FILE is set but AWS_ROLE_ARN is not: role ARN is not set",
		""},
	{"bad container", "", {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=x"},
		"INVALID: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with a slash", ""},
	{"nothing", "[default]\nregion=x\n", {"AWS_EC2_METADATA_DISABLED=True"},
		"UNAUTHENTICATED: no AWS credentials: neither the environment nor the profile 'default' "
		"names a source, and AWS_EC2_METADATA_DISABLED forbids to ask EC2 instance metadata",
		""},
	{"half a profile", "[default]\naws_access_key_id=P\n", {NULL},
		"INVALID: profile 'default': aws_access_key_id and aws_secret_access_key have to be set "
		"together",
		""},
	{"role over another profile",
		"[default]\nrole_arn=r\nsource_profile=s\nexternal_id=x\nrole_session_name=me\nduration_"
		"seconds=1800\n"
		"[profile s]\naws_access_key_id=S\naws_secret_access_key=s\n",
		{NULL}, "ASIA1", "S r me x 1800"},
	{"two roles",
		"[default]\nrole_arn=r2\nsource_profile=m\n[profile m]\nrole_arn=r1\nsource_profile=s\n"
		"[profile s]\naws_access_key_id=S\naws_secret_access_key=s\n",
		{NULL}, "ASIA2", "ASIA1 r2 baton-awsd  3600"},
	{"role over itself",
		"[default]\nrole_arn=r\nsource_profile=default\naws_access_key_id=P\naws_secret_access_key="
		"s\n",
		{NULL}, "ASIA1", "P r baton-awsd  3600"},
	{"role over its own keys", "[default]\nrole_arn=r\naws_access_key_id=P\naws_secret_access_key=s\n",
		{NULL}, "ASIA1", "P r baton-awsd  3600"},
	{"source without role",
		"[default]\nsource_profile=s\n[profile s]\naws_access_key_id=S\naws_secret_access_key=s\n",
		{NULL}, "S", ""},
	{"loop", "[default]\nrole_arn=r\nsource_profile=a\n[profile a]\nrole_arn=r\nsource_profile=default\n",
		{NULL}, "INVALID: profile 'default' is its own source_profile, by a loop, and has no keys",
		""},
	{"long chain",
		"[default]\nsource_profile=1\n[profile 1]\nsource_profile=2\n[profile 2]\nsource_profile=3\n"
		"[profile 3]\nsource_profile=4\n[profile 4]\nsource_profile=5\n[profile "
		"5]\nsource_profile=6\n"
		"[profile 6]\nsource_profile=7\n[profile 7]\nsource_profile=8\n[profile "
		"8]\naws_access_key_id=S\n",
		{NULL}, "INVALID: more than 8 profiles are chained by source_profile", ""},
	{"missing source", "[default]\nrole_arn=r\nsource_profile=nobody\n", {NULL},
		"INVALID: profile 'default': its source_profile 'nobody' does not exist", ""},
	{"empty source", "[default]\nrole_arn=r\nsource_profile=e\n[profile e]\nregion=x\n", {NULL},
		"INVALID: profile 'default': its source_profile 'e' has no credentials", ""},
	{"two sources", "[default]\nrole_arn=r\nsource_profile=e\ncredential_source=Environment\n", {NULL},
		"INVALID: profile 'default': only one of source_profile, credential_source, "
		"credential_process and "
		"web_identity_token_file may be set",
		""},
	{"environment as source without keys", "[default]\nrole_arn=r\ncredential_source=Environment\n",
		{NULL},
		"INVALID: profile 'default': credential_source is Environment, but AWS_ACCESS_KEY_ID and "
		"AWS_SECRET_ACCESS_KEY "
		"are not both set",
		""},
	{"instance metadata as source, forbidden",
		"[default]\nrole_arn=r\ncredential_source=Ec2InstanceMetadata\n",
		{"AWS_EC2_METADATA_DISABLED=true"},
		"UNAUTHENTICATED: no AWS credentials: neither the environment nor the profile 'default' "
		"names a source, and AWS_EC2_METADATA_DISABLED forbids to ask EC2 instance metadata",
		""},
	{"container as source without one", "[default]\nrole_arn=r\ncredential_source=EcsContainer\n", {NULL},
		"INVALID: profile 'default': credential_source is EcsContainer, but neither "
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set",
		""},
	{"unknown source", "[default]\nrole_arn=r\ncredential_source=Mars\n", {NULL},
		"INVALID: profile 'default': credential_source 'Mars' is not known", ""},
	{"web identity in a profile", "[default]\nrole_arn=r\nweb_identity_token_file=/nowhere\n", {NULL},
		"UNAUTHENTICATED: cannot assume role 'r' with the web identity token: "
		"cannot open the token file /nowhere: No such file or directory",
		""},
	{"web identity in a profile without role", "[default]\nweb_identity_token_file=/nowhere\n", {NULL},
		"INVALID: profile 'default': it has a web_identity_token_file but no role_arn: role ARN is "
		"not set",
		""},
	{"process",
		"[default]\ncredential_process=echo "
		"'{\"Version\":1,\"AccessKeyId\":\"C\",\"SecretAccessKey\":\"s\"}'\n",
		{NULL}, "C", ""},
	{"role over a process",
		"[default]\nrole_arn=r\ncredential_process=echo "
		"'{\"Version\":1,\"AccessKeyId\":\"C\",\"SecretAccessKey\":\"s\"}'\n",
		{NULL}, "ASIA1", "C r baton-awsd  3600"},
	{"keys before process",
		"[default]\ncredential_process=false\naws_access_key_id=P\naws_secret_access_key=s\n", {NULL},
		"P", ""},
	{"sso", "[default]\nsso_session=x\n", {NULL},
		"INVALID: profile 'default' uses sso_session: a server cannot use the cache of an SSO login",
		""},
	{"sso before process", "[default]\nsso_start_url=x\ncredential_process=x\n", {NULL},
		"INVALID: profile 'default' uses sso_start_url: a server cannot use the cache of an SSO "
		"login",
		""},
	{"console login", "[default]\nlogin_session=x\n", {NULL},
		"INVALID: profile 'default' uses login_session: a server cannot use the session of a console "
		"login",
		""},
	{"role without source", "[default]\nrole_arn=r\n", {"AWS_EC2_METADATA_DISABLED=true"},
		"UNAUTHENTICATED: no AWS credentials: neither the environment nor the profile 'default' "
		"names a source, and AWS_EC2_METADATA_DISABLED forbids to ask EC2 instance metadata",
		""},
	{"mfa", "[default]\nrole_arn=r\nmfa_serial=x\naws_access_key_id=P\naws_secret_access_key=s\n", {NULL},
		"INVALID: profile 'default' has an mfa_serial: a server has nobody to ask for the token", ""},
	{"bad duration",
		"[default]\nrole_arn=r\nduration_seconds=1h\naws_access_key_id=P\naws_secret_access_key=s\n",
		{NULL}, "INVALID: profile 'default': duration_seconds has to be from 900 to 43200", ""},
};

static struct str run_chain(struct arena *a, const struct chain_case *t)
{
	CLEANUP(shared_config_freep) struct shared_config *config = NULL;
	CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = NULL;
	struct credentials_chain_options opts = {
		.environ = t->env, .profile = STR("default"), .sts = fake_sts_role, .clock = &fake.clock};
	struct err err;

	CU_ASSERT_EQUAL(shared_config_parse(str_c(t->config), STR_EMPTY, &config, &err), ERR_OK);
	opts.config = config;
	if (credentials_chain_new(&opts, &p, &err) != ERR_OK)
		return str_fmt(a, "%s: %s", err_code_name(err.code), err.msg);
	shared_config_free(TAKE(config)); /* the provider does not need it any more */
	return fetch_key(a, p, &err);
}

static void test_chain(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);

	for (size_t i = 0; i < ARRAY_LEN(chain_cases); i++) {
		const struct chain_case *t = &chain_cases[i];
		struct str assumed = STR_EMPTY;

		sts_reset();
		ASSERT_STR(run_chain(a, t), str_c(t->want), t->name);
		if (sts.calls)
			assumed = str_fmt(a, "%s %s %s %s %d", sts.source_key, sts.role, sts.session,
				sts.external_id, (int)sts.duration_s);
		ASSERT_STR(assumed, str_c(t->assumed), t->name);
	}
}

/* The environment as the source of a profile's role: only when the chain comes to the profile some other
 * way. */
static void test_environment_source(void)
{
	static const char *const env[] = {"AWS_ACCESS_KEY_ID=E", "AWS_SECRET_ACCESS_KEY=s", NULL};
	CLEANUP(shared_config_freep) struct shared_config *config = NULL;
	CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = NULL;
	struct credentials_chain_options opts = {
		.environ = env, .profile = STR("x"), .sts = fake_sts_role, .clock = &fake.clock};
	struct err err;

	sts_reset();
	CU_ASSERT_EQUAL_FATAL(
		shared_config_parse(STR("[profile x]\nrole_arn=r\ncredential_source=environment\n"),
			STR_EMPTY, &config, &err),
		ERR_OK);
	opts.config = config;
	CU_ASSERT_EQUAL_FATAL(credentials_profile_new(&opts, &p, &err), ERR_OK);
	ASSERT_KEY(p, "ASIA1");
	ASSERT_STR(str_c(sts.source_key), STR("E"), "signed by");
}

/* ---- clock skew ---- */

static void test_clock_skew(void)
{
	static const struct {
		const char *code, *date;
		int64_t signed_at_s;
		bool learned;
	} rows[] = {
		{"SignatureDoesNotMatch", "Fri, 15 Jan 2027 09:00:00 GMT", NOW_S, true},
		{"InvalidSignatureException", "Fri, 15 Jan 2027 09:00:00 GMT", NOW_S, true},
		{"RequestTimeTooSkewed", "Fri, 15 Jan 2027 07:00:00 GMT", NOW_S, true},
		{"RequestExpired", "Fri, 15 Jan 2027 08:04:01 GMT", NOW_S, true},
		{"SignatureDoesNotMatch", "Fri, 15 Jan 2027 08:04:00 GMT", NOW_S,
			false}, /* the key is wrong, not the clock */
		{"AccessDenied", "Fri, 15 Jan 2027 09:00:00 GMT", NOW_S, false},
		{"SignatureDoesNotMatch", "yesterday", NOW_S, false},
		{"SignatureDoesNotMatch", "", NOW_S, false},
		{"SignatureDoesNotMatch", "Fri, 15 Jan 2027 09:00:00 GMT", NOW_S + 3600,
			false}, /* corrected already */
	};

	fake_clock_set_wall_s(&fake, NOW_S); /* Fri, 15 Jan 2027 08:00:00 GMT */
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct clock_skew skew = {.offset_s = 0};
		int64_t theirs_s = NOW_S;

		ASSERT_I64(clock_skew_learn(&skew, &fake.clock, rows[i].signed_at_s, str_c(rows[i].code),
				   str_c(rows[i].date)),
			rows[i].learned, rows[i].code);
		if (rows[i].learned)
			(void)time_parse_http(str_c(rows[i].date), &theirs_s);
		ASSERT_I64(clock_skew_now_s(&skew, &fake.clock), theirs_s, rows[i].code);
	}
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"static", test_static},
		{"environment", test_environment},
		{"assume role", test_assume_role},
		{"short sessions", test_short_sessions},
		{"modes", test_modes},
		{"second hop fails", test_second_hop_fails},
		{"renewal", test_renewal},
		{"failed renewal", test_failed_renewal},
		{"short lives", test_short_lives},
		{"forget", test_forget},
		{"single flight", test_single_flight},
		{"cancelled leader", test_cancelled_leader},
		{"cancelled waiter", test_cancelled_waiter},
		{"never mixed", test_never_mixed},
		{"chain", test_chain},
		{"environment as source", test_environment_source},
		{"clock skew", test_clock_skew},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"credentials", set_up, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
