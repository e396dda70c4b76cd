/* layers: aws base
 *
 * Whole AWS calls against a scripted server: what is sent, what is tried again, and that nothing but
 * the complete answer ever counts as an answer. Back-off waits are zero here (randomness is fixed), so
 * no test waits for nothing. */
#include "aws/client.h"

#include <stdio.h>

#include "aws/client_new.h"
#include "aws/iam.h"
#include "aws/sts.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "support/cunit_main.h"
#include "support/fake_clock.h"
#include "support/scripted_http.h"

/* ---- answers ---- */

#define LIST_USERS(content)                                                                                  \
	"<ListUsersResponse><ListUsersResult>" content "</ListUsersResult></ListUsersResponse>"
#define TWO_USERS                                                                                            \
	LIST_USERS("<Users><member><UserName>ann</UserName></member><member><UserName>bob</UserName></"      \
		   "member></Users>"                                                                         \
		   "<IsTruncated>false</IsTruncated>")
#define ERROR(code)                                                                                          \
	"<ErrorResponse><Error><Code>" code "</Code><Message>because</Message></Error></ErrorResponse>"
#define OK_USERS                                                                                             \
	{                                                                                                    \
		.body = STR_INIT(TWO_USERS)                                                                  \
	}
#define FAILS(http, code)                                                                                    \
	{                                                                                                    \
		.status = http, .body = STR_INIT(ERROR(code))                                                \
	}
#define HOW(what)                                                                                            \
	{                                                                                                    \
		.body = STR_INIT(TWO_USERS), .manner = what                                                  \
	}

/* ---- the world around a client ---- */

/* Hands out AKID1, AKID2 ... : a new one after each forget. */
struct fake_provider {
	struct credentials_provider base;
	_Atomic int fetched, forgotten;
	enum err_code fail_with;
	const char *fail_operation;
};

static enum err_code fake_fetch(struct credentials_provider *self, const struct ctx *ctx,
	struct aws_credentials **ret_credentials, struct err *reterr)
{
	struct fake_provider *f = (struct fake_provider *)self;
	char id[] = "AKID0";

	(void)ctx;
	f->fetched++;
	if (f->fail_with != ERR_OK) {
		err_set(reterr, f->fail_with, "refused");
		memcpy(reterr->aws_operation, f->fail_operation, strlen(f->fail_operation) + 1);
		return f->fail_with;
	}
	id[4] = (char)('1' + f->forgotten);
	*ret_credentials =
		aws_credentials_new(str_c(id), secret_new(STR("secret")), NULL, CREDENTIALS_NEVER_EXPIRE);
	return ERR_OK;
}

static void fake_forget(struct credentials_provider *self, const struct aws_credentials *refused)
{
	(void)refused;
	((struct fake_provider *)self)->forgotten++;
}

static void fake_free(struct credentials_provider *self)
{
	(void)self;
}

static const struct credentials_provider_ops fake_ops = {
	.name = "fake", .fetch = fake_fetch, .forget = fake_forget, .free = fake_free};

static double no_jitter(void *self)
{
	(void)self;
	return 0;
}

/* The n-th request gets the n-th answer, the last one for ever after. Notes what came. */
struct script {
	const struct scripted_answer *answers;
	size_t n;
	char authorization[8][200], date[8][20];
	char body[500], content_type[100], target[100];
};

static void keep(char *to, size_t size, struct str s)
{
	size_t n = s.n < size - 1 ? s.n : size - 1;

	if (n)
		memcpy(to, s.p, n);
	to[n] = '\0';
}

static struct scripted_answer play(void *self, const struct scripted_request *req, struct arena *arena)
{
	struct script *s = self;

	(void)arena;
	if (req->n < 8) {
		keep(s->authorization[req->n], sizeof(s->authorization[0]),
			scripted_header(req, "Authorization"));
		keep(s->date[req->n], sizeof(s->date[0]), scripted_header(req, "X-Amz-Date"));
	}
	keep(s->body, sizeof(s->body), req->body);
	keep(s->content_type, sizeof(s->content_type), scripted_header(req, "Content-Type"));
	keep(s->target, sizeof(s->target), scripted_header(req, "X-Amz-Target"));
	return s->answers[req->n < s->n ? req->n : s->n - 1];
}

struct world {
	struct script script;
	struct scripted_http *server;
	struct http *http;
	struct sigv4_signer *signer;
	struct pacer *pacer;
	struct call_stats *stats;
	struct fake_provider provider;
	struct aws_client *client;
	struct arena *arena;
	struct ctx ctx;
	struct err err;
};

struct world_options {
	const struct aws_service *service; /* NULL: IAM */
	unsigned max_attempts;
	int64_t timeout_ms;
	size_t max_body;
	double rate;     /* 0: no limit worth mentioning */
	scripted_fn *fn; /* NULL: play the answers */
	void *fn_self;
};

static struct world w; /* of the test that runs */

static void world_open(const struct scripted_answer *answers, size_t n, const struct world_options *o)
{
	char url[64], host[32];
	struct aws_endpoint endpoint = {.path = STR("/"), .signing_region = STR("us-east-1")};

	memset(&w, 0, sizeof(w));
	w.script.answers = answers;
	w.script.n = n;
	w.server = scripted_http_start(o->fn ? o->fn : play, o->fn ? o->fn_self : &w.script);
	snprintf(host, sizeof(host), "127.0.0.1:%u", scripted_http_port(w.server));
	snprintf(url, sizeof(url), "http://%s", host);
	endpoint.url = str_c(url);
	endpoint.host = str_c(host);
	CU_ASSERT_EQUAL_FATAL(
		http_new(&(struct http_options){.max_host_connections = 64}, &w.http, &w.err), ERR_OK);
	w.signer = sigv4_signer_new();
	w.pacer = pacer_new(&(struct pacer_options){
		.rate_per_s = o->rate > 0 ? o->rate : 1e6, .burst = o->rate > 0 ? 1 : 1e6});
	w.stats = call_stats_new();
	w.provider.base.ops = &fake_ops;
	atomic_init(&w.provider.base.refs, 1);
	w.client = aws_client_new(&(struct aws_client_options){
		.service = o->service ? o->service : &aws_iam,
		.endpoint = &endpoint,
		.http = w.http,
		.signer = w.signer,
		.credentials = &w.provider.base,
		.pacer = w.pacer,
		.stats = w.stats,
		.clock = &clock_system,
		.max_attempts = o->max_attempts,
		.random = {.next = no_jitter},
		.timeout_ms = o->timeout_ms,
		.max_body = o->max_body,
	});
	w.arena = arena_new(0);
	w.ctx = (struct ctx){.clock = &clock_system, .deadline_ms = CTX_NO_DEADLINE};
}

static void world_close(void)
{
	aws_client_unref(w.client);
	http_free(w.http);
	scripted_http_stop(w.server);
	sigv4_signer_free(w.signer);
	pacer_free(w.pacer);
	call_stats_free(w.stats);
	arena_free(w.arena);
}

#define WORLD(answers) world_open((answers), ARRAY_LEN(answers), &(struct world_options){0})

static void deadline_in_ms(int64_t ms)
{
	w.ctx.deadline_ms = clock_mono_ms(&clock_system) + ms;
}

static enum err_code list_users(struct aws_iam_list_users_out *out)
{
	return aws_call(w.client, &w.ctx, &aws_iam_list_users, NULL, w.arena, out, &w.err);
}

static void count_stats(void *arg, const struct aws_call_stats *st)
{
	struct aws_call_stats *sum = arg;

	sum->calls += st->calls;
	sum->retries += st->retries;
	sum->throttled += st->throttled;
	sum->failed += st->failed;
}

static struct aws_call_stats stats(void)
{
	struct aws_call_stats sum = {.calls = 0};

	call_stats_each(w.stats, count_stats, &sum);
	return sum;
}

/* One call over the script: the code, and how many requests it took. */
static void check(const struct scripted_answer *answers, size_t n, enum err_code want, size_t requests,
	const char *what)
{
	struct aws_iam_list_users_out out;

	world_open(answers, n, &(struct world_options){0});
	ASSERT_I64(list_users(&out), want, what);
	ASSERT_I64(scripted_http_requests(w.server), requests, what);
	if (want == ERR_OK) {
		ASSERT_I64(out.users.n, 2, what);
	} else {
		ASSERT_STR(str_c(w.err.aws_operation), STR("iam:ListUsers"), what);
	}
	ASSERT_I64(stats().calls, 1, what);
	ASSERT_I64(stats().failed, want != ERR_OK, what);
	world_close();
}
#define CHECK(answers, want, requests, what) check((answers), ARRAY_LEN(answers), (want), (requests), (what))

/* ---- one call ---- */

static void test_request_and_answer(void)
{
	static const struct scripted_answer answers[] = {OK_USERS};
	struct aws_iam_page_in in = {.marker = STR("m"), .max_items = {1000, true}};
	struct aws_iam_list_users_out out;

	WORLD(answers);
	CU_ASSERT_EQUAL(aws_call(w.client, &w.ctx, &aws_iam_list_users, &in, w.arena, &out, &w.err), ERR_OK);
	CU_ASSERT_EQUAL_FATAL(out.users.n, 2);
	ASSERT_STR(AWS_LIST_AT(out.users, struct aws_iam_user, 1)->name, STR("bob"), "name");
	ASSERT_STR(str_c(w.script.body), STR("Action=ListUsers&Version=2010-05-08&Marker=m&MaxItems=1000"),
		"form");
	ASSERT_STR(str_c(w.script.content_type), STR("application/x-www-form-urlencoded; charset=utf-8"),
		"type");
	CU_ASSERT(str_starts(str_c(w.script.authorization[0]), STR("AWS4-HMAC-SHA256 Credential=AKID1/")));
	CU_ASSERT(str_contains(str_c(w.script.authorization[0]), STR("/us-east-1/iam/aws4_request")));
	world_close();
}

static void test_unsigned(void)
{
	static const struct scripted_answer answers[] = {
		{.body = STR_INIT("<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult/>"
				  "</AssumeRoleWithWebIdentityResponse>")}};
	struct aws_sts_assume_role_out out;

	world_open(answers, 1, &(struct world_options){.service = &aws_sts});
	CU_ASSERT_EQUAL(aws_call(w.client, &w.ctx, &aws_sts_assume_role_with_web_identity,
				&(struct aws_sts_assume_role_with_web_identity_in){.token = STR("t")},
				w.arena, &out, &w.err),
		ERR_OK);
	ASSERT_STR(str_c(w.script.authorization[0]), STR_EMPTY, "not signed");
	CU_ASSERT_EQUAL(w.provider.fetched, 0);
	world_close();
}

static void test_retries(void)
{
	static const struct scripted_answer throttled[] = {
		FAILS(400, "Throttling"), FAILS(503, "SlowDown"), OK_USERS};
	static const struct scripted_answer broken[] = {
		FAILS(500, "InternalFailure"), FAILS(502, ""), OK_USERS};
	static const struct scripted_answer html[] = {
		{.status = 503, .body = STR_INIT("<html>busy")}, OK_USERS};
	static const struct scripted_answer cut[] = {HOW(SCRIPTED_CUT), HOW(SCRIPTED_CUT), OK_USERS};
	static const struct scripted_answer closed[] = {HOW(SCRIPTED_CLOSE), OK_USERS};
	static const struct scripted_answer cut_xml[] = {
		{.body = STR_INIT("<ListUsersResponse><ListUsersResult>")}, {.body = STR_INIT("")}, OK_USERS};
	static const struct scripted_answer cut_error[] = {
		{.status = 500, .body = STR_INIT(ERROR("InternalFailure")), .manner = SCRIPTED_CUT},
		OK_USERS};

	CHECK(throttled, ERR_OK, 3, "throttled twice");
	CHECK(broken, ERR_OK, 3, "broken twice");
	CHECK(html, ERR_OK, 2, "a load balancer's page");
	CHECK(cut, ERR_OK, 3, "cut twice");
	CHECK(closed, ERR_OK, 2, "closed once");
	CHECK(cut_xml, ERR_OK, 3, "complete for HTTP, not for XML");
	CHECK(cut_error, ERR_OK, 2, "an error that is cut is still that error");
}

static void test_gives_up(void)
{
	static const struct scripted_answer throttled[] = {FAILS(400, "Throttling")};
	static const struct scripted_answer broken[] = {FAILS(500, "InternalFailure")};
	static const struct scripted_answer cut[] = {HOW(SCRIPTED_CUT)};
	static const struct scripted_answer cut_xml[] = {
		{.body = STR_INIT("<ListUsersResponse><ListUsersResult>")}};
	static const struct scripted_answer malformed[] = {
		{.body = STR_INIT("<ListUsersResponse></ListUsersResult>")}};
	static const struct scripted_answer html[] = {{.body = STR_INIT("<html>login here</html>")}};
	static const struct scripted_answer empty[] = {{.body = STR_INIT("<ListUsersResponse/>")}};
	static const struct scripted_answer redirect[] = {{.status = 302, .headers = "Location: /x\r\n"}};
	static const struct scripted_answer denied[] = {FAILS(403, "AccessDenied")};
	static const struct scripted_answer gone[] = {FAILS(404, "NoSuchEntity")};
	static const struct scripted_answer bad_key[] = {FAILS(403, "InvalidClientTokenId")};
	static const struct scripted_answer proxy[] = {
		{.status = 403, .body = STR_INIT("<html>blocked</html>")}};

	CHECK(throttled, ERR_THROTTLED, 3, "throttled for ever");
	CHECK(broken, ERR_UNAVAILABLE, 3, "broken for ever");
	CHECK(cut, ERR_UNAVAILABLE, 3, "cut for ever");
	CHECK(cut_xml, ERR_UNAVAILABLE, 3, "cut XML for ever");
	CHECK(malformed, ERR_PROTOCOL, 1, "malformed");
	CHECK(html, ERR_PROTOCOL, 1, "somebody else's page");
	CHECK(empty, ERR_PROTOCOL, 1, "no result");
	CHECK(redirect, ERR_PROTOCOL, 1, "a redirect");
	CHECK(denied, ERR_DENIED, 1, "denied");
	CHECK(gone, ERR_NOT_FOUND, 1, "gone");
	CHECK(bad_key, ERR_UNAUTHENTICATED, 2, "unknown key, and so is the next one");
	CHECK(proxy, ERR_UNAUTHENTICATED, 1, "a proxy's 403 is no missing permission");
}

static struct scripted_answer every_other_fails(
	void *self, const struct scripted_request *req, struct arena *arena)
{
	static const struct scripted_answer answers[] = {FAILS(500, "InternalFailure"), OK_USERS};

	(void)self;
	(void)arena;
	return answers[req->n % 2];
}

/* Retries that help give back what they paid: the budget (100 retries) is for those that do not. */
static void test_retries_that_help_are_free(void)
{
	struct aws_iam_list_users_out out;

	world_open(NULL, 0, &(struct world_options){.fn = every_other_fails});
	for (int i = 0; i < 150; i++)
		CU_ASSERT_EQUAL(list_users(&out), ERR_OK);
	world_close();
}

static void test_throttle_details(void)
{
	static const struct scripted_answer answers[] = {FAILS(400, "Throttling")};
	struct aws_iam_list_users_out out;

	WORLD(answers);
	CU_ASSERT_EQUAL(list_users(&out), ERR_THROTTLED);
	CU_ASSERT_TRUE(w.err.retryable);
	CU_ASSERT(w.err.retry_after_ms > 0);
	ASSERT_STR(str_c(w.err.msg), STR("iam:ListUsers: Throttling: because"), "message");
	ASSERT_I64(stats().retries, 2, "retries");
	ASSERT_I64(stats().throttled, 3, "throttled");
	CU_ASSERT(pacer_rate_per_s(w.pacer) < 1e6);
	world_close();
}

/* AWS asks for more time than is left, or than we ever wait: the caller gets to know, at once. */
static void test_retry_after(void)
{
	static const struct scripted_answer answers[] = {
		{.status = 429, .headers = "Retry-After: 10\r\n", .body = STR_INIT(ERROR("Throttling"))}};
	static const struct scripted_answer long_wait[] = {
		{.status = 503, .headers = "Retry-After: 3600\r\n", .body = STR_INIT("")}};
	static const struct scripted_answer amz[] = {
		{.status = 503,
			.headers = "x-amz-retry-after: 1\r\nRetry-After: 3600\r\n",
			.body = STR_INIT("")},
		OK_USERS};
	struct aws_iam_list_users_out out;

	WORLD(answers);
	deadline_in_ms(5000);
	CU_ASSERT_EQUAL(list_users(&out), ERR_THROTTLED);
	ASSERT_I64(w.err.retry_after_ms, 10000, "told");
	ASSERT_I64(scripted_http_requests(w.server), 1, "not waited for");
	world_close();
	WORLD(long_wait);
	CU_ASSERT_EQUAL(list_users(&out), ERR_UNAVAILABLE);
	ASSERT_I64(w.err.retry_after_ms, 3600000, "told");
	world_close();
	CHECK(amz, ERR_OK, 2, "AWS's own header is in milliseconds and wins");
}

static void test_expired_credentials(void)
{
	static const struct scripted_answer once[] = {FAILS(403, "ExpiredToken"), OK_USERS};
	static const struct scripted_answer always[] = {FAILS(403, "ExpiredToken")};
	struct aws_iam_list_users_out out;

	WORLD(once);
	CU_ASSERT_EQUAL(list_users(&out), ERR_OK);
	ASSERT_I64(w.provider.forgotten, 1, "forgotten");
	CU_ASSERT(str_contains(str_c(w.script.authorization[0]), STR("AKID1")));
	CU_ASSERT(str_contains(str_c(w.script.authorization[1]), STR("AKID2")));
	world_close();
	CHECK(always, ERR_UNAUTHENTICATED, 2, "refreshed once, not for ever");
}

static void test_clock_skew(void)
{
	static const struct scripted_answer answers[] = {
		{.status = 403,
			.headers = "Date: Mon, 01 Jan 2035 00:00:00 GMT\r\n",
			.body = STR_INIT(ERROR("RequestTimeTooSkewed"))},
		OK_USERS,
	};
	static const struct scripted_answer always[] = {
		{.status = 403,
			.headers = "Date: Mon, 01 Jan 2035 00:00:00 GMT\r\n",
			.body = STR_INIT(ERROR("RequestTimeTooSkewed"))},
	};
	struct aws_iam_list_users_out out;

	WORLD(answers);
	CU_ASSERT_EQUAL(list_users(&out), ERR_OK);
	CU_ASSERT(str_starts(str_c(w.script.date[1]), STR("20350101T0000")));
	CU_ASSERT_FALSE(str_starts(str_c(w.script.date[0]), STR("2035")));
	CU_ASSERT_EQUAL(list_users(&out), ERR_OK);
	CU_ASSERT(str_starts(str_c(w.script.date[2]), STR("20350101T0000"))); /* learned for good */
	world_close();
	CHECK(always, ERR_UNAUTHENTICATED, 2, "corrected once, not for ever");
}

static void test_credentials_that_cannot_be_had(void)
{
	static const struct scripted_answer answers[] = {OK_USERS};
	static const struct {
		enum err_code from, to;
	} rows[] = {
		{ERR_DENIED, ERR_UNAUTHENTICATED}, /* sts:AssumeRole is not allowed: not the same as
						      iam:ListUsers not being so */
		{ERR_NOT_FOUND, ERR_UNAUTHENTICATED},
		{ERR_UNAUTHENTICATED, ERR_UNAUTHENTICATED},
		{ERR_PROTOCOL, ERR_UNAUTHENTICATED},
		{ERR_THROTTLED, ERR_THROTTLED},
		{ERR_UNAVAILABLE, ERR_UNAVAILABLE},
		{ERR_DEADLINE, ERR_DEADLINE},
		{ERR_CANCELLED, ERR_CANCELLED},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct aws_iam_list_users_out out;

		WORLD(answers);
		w.provider.fail_with = rows[i].from;
		w.provider.fail_operation = "sts:AssumeRole";
		ASSERT_I64(list_users(&out), rows[i].to, "code");
		ASSERT_I64(w.err.code, rows[i].to, "code in the error");
		ASSERT_STR(str_c(w.err.aws_operation), STR("sts:AssumeRole"), "whose error it is");
		ASSERT_I64(scripted_http_requests(w.server), 0, "nothing is sent");
		world_close();
	}
}

static void test_never_answering(void)
{
	static const struct scripted_answer never[] = {HOW(SCRIPTED_NEVER)};
	static const struct scripted_answer hang[] = {HOW(SCRIPTED_HANG)};
	static const struct scripted_answer once[] = {HOW(SCRIPTED_HANG), OK_USERS};
	struct aws_iam_list_users_out out;

	WORLD(never);
	deadline_in_ms(30);
	CU_ASSERT_EQUAL(list_users(&out), ERR_DEADLINE);
	world_close();
	WORLD(hang);
	deadline_in_ms(30);
	CU_ASSERT_EQUAL(list_users(&out), ERR_DEADLINE);
	world_close();
	world_open(never, 1, &(struct world_options){.timeout_ms = 30});
	CU_ASSERT_EQUAL(list_users(&out), ERR_DEADLINE);
	ASSERT_I64(stats().retries, 2, "an attempt's own limit is worth another attempt");
	world_close();
	world_open(once, 2, &(struct world_options){.timeout_ms = 100, .max_attempts = 50});
	CU_ASSERT_EQUAL(list_users(&out), ERR_OK);
	world_close();
	WORLD(never);
	deadline_in_ms(-1);
	CU_ASSERT_EQUAL(list_users(&out), ERR_DEADLINE);
	ASSERT_I64(scripted_http_requests(w.server), 0, "over before it began");
	world_close();
}

/* Each look at the clock takes a millisecond: the deadline passes between any two of them. */
static void test_deadline_at_any_moment(void)
{
	static const struct scripted_answer never[] = {HOW(SCRIPTED_NEVER)};
	struct aws_iam_list_users_out out;
	struct fake_clock fake;
	char what[20];

	WORLD(never);
	fake_clock_init(&fake, 0);
	w.ctx.clock = &fake.clock;
	atomic_store(&fake.auto_step_ms, 1);
	for (int i = 0; i < 30; i++) {
		snprintf(what, sizeof(what), "after %d", i);
		w.ctx.deadline_ms = clock_mono_ms(&fake.clock) + i;
		ASSERT_I64(list_users(&out), ERR_DEADLINE, what);
	}
	world_close();
}

static void *fire_when_asked(void *arg)
{
	(void)arg;
	while (scripted_http_requests(w.server) == 0)
		clock_sleep_ms(1);
	cancel_fire(w.ctx.cancel);
	return NULL;
}

static void test_cancelled(void)
{
	static const struct scripted_answer never[] = {HOW(SCRIPTED_NEVER)};
	struct aws_iam_list_users_out out;
	struct thread t;

	WORLD(never);
	w.ctx.cancel = cancel_new();
	CU_ASSERT_EQUAL_FATAL(thread_start(&t, "canceller", 0, fire_when_asked, NULL, &w.err), ERR_OK);
	CU_ASSERT_EQUAL(list_users(&out), ERR_CANCELLED);
	thread_join(&t);
	cancel_unref(w.ctx.cancel);
	world_close();
}

static void test_unreachable(void)
{
	static const struct scripted_answer answers[] = {OK_USERS};
	struct aws_iam_list_users_out out;

	WORLD(answers);
	scripted_http_stop(TAKE(w.server));
	CU_ASSERT_EQUAL(list_users(&out), ERR_UNAVAILABLE);
	ASSERT_I64(stats().retries, 2, "tried again");
	CU_ASSERT(str_starts(str_c(w.err.msg), STR("iam:ListUsers: ")));
	world_close();
}

static void test_too_large(void)
{
	static const struct scripted_answer answers[] = {OK_USERS};
	struct aws_iam_list_users_out out;

	world_open(answers, 1, &(struct world_options){.max_body = 50});
	CU_ASSERT_EQUAL(list_users(&out), ERR_TOO_LARGE);
	ASSERT_I64(scripted_http_requests(w.server), 1, "no use in asking the same again");
	world_close();
}

/* A turn that comes after the deadline is not waited for. */
static void test_pacer_beyond_deadline(void)
{
	static const struct scripted_answer answers[] = {OK_USERS};
	struct aws_iam_list_users_out out;

	world_open(answers, 1, &(struct world_options){.rate = 0.01});
	CU_ASSERT_EQUAL(list_users(&out), ERR_OK);
	deadline_in_ms(20000);
	CU_ASSERT_EQUAL(list_users(&out), ERR_THROTTLED);
	CU_ASSERT(w.err.retry_after_ms > 20000);
	ASSERT_I64(scripted_http_requests(w.server), 1, "not sent");
	w.ctx.background = true;
	deadline_in_ms(20);
	CU_ASSERT_EQUAL(list_users(&out), ERR_DEADLINE);
	ASSERT_I64(scripted_http_requests(w.server), 1, "not sent");
	world_close();
}

/* ---- a bucket that servers share ---- */

/* Gives each request all it wants at once, unless it is told something else. */
struct scripted_quota {
	struct quota quota;
	enum err_code code;        /* of each take */
	struct quota_grant *gives; /* NULL: all */
	bool hangs;                /* until its ctx ends */
	struct cancel *fires;      /* in the middle of the take */
	_Atomic int takes, at_once, most_at_once;
	struct quota_request last;
	int64_t time_ms; /* that the last one was given */
	struct pacer_health health;
};

static enum err_code scripted_take(struct quota *self, const struct ctx *ctx, const struct quota_request *in,
	struct quota_grant *ret_grant, struct err *reterr)
{
	struct scripted_quota *q = (struct scripted_quota *)self;

	if (++q->at_once > q->most_at_once)
		q->most_at_once = q->at_once;
	q->takes++;
	q->last = *in;
	q->time_ms = ctx_left_ms(ctx);
	if (q->fires)
		cancel_fire(q->fires);
	if (q->hangs && ctx_sleep_ms(ctx, 60000, "hanging", reterr) != ERR_OK) {
		q->at_once--;
		return reterr->code;
	}
	*ret_grant = q->gives ? *q->gives
			      : (struct quota_grant){.turns = in->turns, .rate_per_s = 1e6, .servers = 1};
	q->at_once--;
	return q->code == ERR_OK ? ERR_OK : err_set(reterr, q->code, "the bucket is away");
}

static void share_with(struct scripted_quota *q)
{
	q->quota.take = scripted_take;
	pacer_share(w.pacer, &(struct pacer_share_options){.quota = &q->quota,
				     .name = STR("123456789012/iam/us-east-1"),
				     .servers = 2,
				     .health = &q->health});
}

static void test_turns_of_a_shared_bucket(void)
{
	static const struct scripted_answer answers[] = {FAILS(400, "Throttling"), OK_USERS};
	struct scripted_quota q = {.code = ERR_OK};
	struct aws_iam_list_users_out out;

	world_open(answers, ARRAY_LEN(answers), &(struct world_options){.rate = 0.01}); /* of no account */
	share_with(&q);
	CU_ASSERT_EQUAL(list_users(&out), ERR_OK);
	ASSERT_I64(q.takes, 2, "one for each attempt");
	ASSERT_I64(q.last.turns, 1, "one turn");
	ASSERT_I64(q.last.throttled, 1, "the bucket learns of it");
	CU_ASSERT_FALSE(q.last.only_free);
	CU_ASSERT(q.time_ms > 0 && q.time_ms <= 1000);
	w.ctx.background = true;
	CU_ASSERT_EQUAL(list_users(&out), ERR_OK);
	CU_ASSERT(
		q.takes >= 3); /* more when a turn came to nothing, because the thread was late to take it */
	CU_ASSERT_TRUE(q.last.only_free && q.last.succeeded);
	ASSERT_I64(q.last.throttled, 0, "told once");
	ASSERT_I64(q.health.exchanges, q.takes, "exchanges");
	ASSERT_I64(q.health.failures, 0, "failures");
	world_close();
}

/* The queue is longer than the deadline, says the bucket. */
static void test_shared_bucket_beyond_deadline(void)
{
	static const struct scripted_answer answers[] = {OK_USERS};
	struct quota_grant nothing = {.again_ms = 30000, .rate_per_s = 1, .servers = 1};
	struct scripted_quota q = {.gives = &nothing};
	struct aws_iam_list_users_out out;

	world_open(answers, 1, &(struct world_options){0});
	share_with(&q);
	deadline_in_ms(20000);
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(list_users(&out), ERR_THROTTLED);
		CU_ASSERT(
			w.err.retry_after_ms > 20000 && w.err.retry_after_ms <= 30000); /* nobody waits on */
	}
	ASSERT_I64(q.takes, 1, "asked once");
	w.ctx.background = true;
	deadline_in_ms(20);
	CU_ASSERT_EQUAL(list_users(&out), ERR_DEADLINE);
	ASSERT_I64(q.takes, 1, "asked once");
	ASSERT_I64(scripted_http_requests(w.server), 0, "not sent");
	world_close();
}

static void count_lines(void *arg, struct str line)
{
	if (str_contains(line, STR("is away")) && str_contains(line, STR(", ignoring")))
		(*(int *)arg)++;
}

/* Whatever is wrong with the bucket: one exchange, one warning, and the calls go on. */
static void test_shared_bucket_is_away(void)
{
	static const struct scripted_answer answers[] = {OK_USERS};
	struct quota_grant nonsense = {.turns = 1, .rate_per_s = -1, .servers = 1};
	struct scripted_quota rows[] = {
		{.code = ERR_UNAVAILABLE}, {.code = ERR_PROTOCOL}, {.hangs = true}, {.gives = &nonsense}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct aws_iam_list_users_out out;
		int warnings = 0;

		world_open(answers, 1, &(struct world_options){0});
		share_with(&rows[i]);
		log_capture(count_lines, &warnings);
		w.ctx.background = i % 2 == 0;
		CU_ASSERT_EQUAL(list_users(&out), ERR_OK);
		CU_ASSERT_EQUAL(list_users(&out), ERR_OK);
		log_capture(NULL, NULL);
		ASSERT_I64(scripted_http_requests(w.server), 2, "sent");
		CU_ASSERT(rows[i].takes >= 1); /* and again after a second */
		ASSERT_I64(rows[i].health.failures, rows[i].takes, "failures");
		ASSERT_I64(warnings, 1, "warnings");
		CU_ASSERT_TRUE(rows[i].health.away);
		world_close();
	}
}

/* A call that ends while the bucket is asked says nothing about the bucket. */
static void test_cancelled_at_the_shared_bucket(void)
{
	static const struct scripted_answer answers[] = {OK_USERS};
	struct cancel *cancel = cancel_new();
	struct scripted_quota q = {.hangs = true, .fires = cancel};
	struct aws_iam_list_users_out out;
	int before;

	world_open(answers, 1, &(struct world_options){0});
	share_with(&q);
	w.ctx.cancel = cancel;
	CU_ASSERT_EQUAL(list_users(&out), ERR_CANCELLED);
	w.ctx.cancel = q.fires = NULL;
	ASSERT_I64(q.takes, 1, "takes");
	for (int64_t ms = 10; q.takes == 1 && ms < 30000; ms *= 2) { /* until it gets as far in its time */
		deadline_in_ms(ms);
		CU_ASSERT_EQUAL(list_users(&out), ERR_DEADLINE);
	}
	w.ctx.deadline_ms = CTX_NO_DEADLINE;
	before = q.takes;
	q.hangs = false;
	CU_ASSERT_EQUAL(list_users(&out), ERR_OK);
	ASSERT_I64(q.takes, before + 1, "asked again at once");
	ASSERT_I64(q.last.turns, 1, "nothing is left of the others");
	ASSERT_I64(q.health.exchanges, 1, "exchanges");
	ASSERT_I64(q.health.failures, 0, "failures");
	cancel_unref(cancel);
	world_close();
}

/* ---- JSON services ---- */

struct json_out {
	struct aws_list names; /* struct str */
};
static const struct aws_member json_members[] = {{"Names", AWS_LIST, offsetof(struct json_out, names), NULL}};
static const struct aws_shape json_shape = AWS_SHAPE(struct json_out, json_members);
static const struct aws_service json_service = {
	.id = "things", .signing_name = "sso", .protocol = AWS_JSON11, .target_prefix = "SWBThings"};
static const struct aws_operation json_op = {
	.service = &json_service, .name = "ListThings", .out = &json_shape};

static void test_json_service(void)
{
	static const struct scripted_answer answers[] = {
		{.status = 400,
			.headers = "x-amzn-ErrorType: ThrottlingException:\r\n",
			.body = STR_INIT("{}")},
		{.body = STR_INIT("{\"Names\":[\"a\",\"b")},
		{.body = STR_INIT("{\"Names\":[\"a\",\"b\"]}")},
		{.status = 400,
			.body = STR_INIT("{\"__type\":\"x#AccessDeniedException\",\"Message\":\"no\"}")},
		{.body = STR_INIT("{\"Names\":7}")},
		{.status = 403, .body = STR_INIT(ERROR("AccessDenied"))},
	};
	struct json_out out;

	world_open(answers, ARRAY_LEN(answers), &(struct world_options){.service = &json_service});
	CU_ASSERT_EQUAL(aws_call(w.client, &w.ctx, &json_op, NULL, w.arena, &out, &w.err), ERR_OK);
	CU_ASSERT_EQUAL(out.names.n, 2);
	ASSERT_STR(str_c(w.script.target), STR("SWBThings.ListThings"), "target");
	ASSERT_STR(str_c(w.script.content_type), STR("application/x-amz-json-1.1"), "type");
	ASSERT_STR(str_c(w.script.body), STR("{}"), "body");
	CU_ASSERT_EQUAL(aws_call(w.client, &w.ctx, &json_op, NULL, w.arena, &out, &w.err), ERR_DENIED);
	CU_ASSERT_EQUAL(aws_call(w.client, &w.ctx, &json_op, NULL, w.arena, &out, &w.err), ERR_PROTOCOL);
	CU_ASSERT_EQUAL(
		aws_call(w.client, &w.ctx, &json_op, NULL, w.arena, &out, &w.err), ERR_DENIED); /* in XML */
	world_close();
}

/* ---- streams ---- */

struct names {
	char text[200];
	size_t n, restarts, fail_at, items;
};

static void names_restart(void *self)
{
	struct names *s = self;

	s->n = s->items = 0;
	s->restarts++;
}

static enum err_code names_item(
	void *self, const struct aws_member *list, const void *item, struct err *reterr)
{
	struct names *s = self;
	struct str name = ((const struct aws_iam_user *)item)->name;

	(void)list;
	if (++s->items == s->fail_at)
		return err_set(reterr, ERR_UNAVAILABLE, "the sink is broken");
	memcpy(s->text + s->n, name.p, name.n);
	s->n += name.n;
	return ERR_OK;
}

static enum err_code stream_users(struct names *names, struct aws_iam_list_users_out *out)
{
	struct aws_sink sink = {.restart = names_restart, .item = names_item, .self = names};

	return aws_call_stream(w.client, &w.ctx, &aws_iam_list_users, NULL, w.arena, out, &sink, &w.err);
}

static void test_stream(void)
{
	static const struct scripted_answer answers[] = {FAILS(500, ""), HOW(SCRIPTED_CUT), OK_USERS};
	struct names names = {.n = 0};
	struct aws_iam_list_users_out out;

	WORLD(answers);
	CU_ASSERT_EQUAL(stream_users(&names, &out), ERR_OK);
	ASSERT_STR(str_n(names.text, names.n), STR("annbob"), "nothing twice");
	ASSERT_I64(names.restarts, 2, "the broken body and the good one");
	ASSERT_I64(out.users.n, 0, "nothing in memory");
	CU_ASSERT_TRUE(out.page.is_truncated.set);
	world_close();
}

static void test_sink_that_fails(void)
{
	static const struct scripted_answer answers[] = {OK_USERS};
	struct names names = {.fail_at = 2};
	struct aws_iam_list_users_out out;

	WORLD(answers);
	CU_ASSERT_EQUAL(stream_users(&names, &out), ERR_UNAVAILABLE);
	ASSERT_I64(scripted_http_requests(w.server), 1, "not AWS's fault: not tried again");
	world_close();
}

/* ---- many ---- */

/* Answers GetUserPolicy for p<n> with document d<n>; when the script says so, p13 is denied, what comes behind it is slow, and every
 * 10th request is throttled. */
struct many {
	bool deny_13, slow_after_13, throttle;
};

static struct scripted_answer answer_many(void *self, const struct scripted_request *req, struct arena *arena)
{
	const struct many *m = self;
	struct str number = str_from(req->body, (size_t)str_rfind(req->body, STR("=p")) + 2);
	uint64_t n = 0;

	if (m->throttle && req->n % 10 == 9)
		return (struct scripted_answer)FAILS(400, "Throttling");
	if (m->deny_13 && str_eq_c(number, "13"))
		return (struct scripted_answer)FAILS(403, "AccessDenied");
	return (struct scripted_answer){
		.delay_ms = m->slow_after_13 && str_to_u64(number, &n) && n > 13 ? 300 : 2,
		.body = str_fmt(arena,
			"<GetUserPolicyResponse><GetUserPolicyResult><PolicyDocument>d" STR_FMT
			"</PolicyDocument>"
			"</GetUserPolicyResult></GetUserPolicyResponse>",
			STR_ARG(number)),
	};
}

#define MANY 200
struct many_items {
	struct aws_call_item items[MANY];
	struct aws_iam_get_inline_in in[MANY];
	struct aws_iam_get_inline_out out[MANY];
};

static struct many_items *make_many(void)
{
	struct many_items *m = arena_new_of(w.arena, struct many_items);

	for (size_t i = 0; i < MANY; i++) {
		m->in[i].name = STR("u");
		m->in[i].policy_name = str_fmt(w.arena, "p%zu", i);
		m->items[i] = (struct aws_call_item){
			.op = &aws_iam_get_user_policy, .in = &m->in[i], .out = &m->out[i]};
	}
	return m;
}

static void check_document(const struct many_items *m, size_t i)
{
	char want[20];

	snprintf(want, sizeof(want), "d%zu", i);
	ASSERT_I64(m->items[i].code, ERR_OK, want);
	ASSERT_STR(m->out[i].document, str_c(want), "document");
}

static bool never_stop(const struct aws_call_item *item)
{
	(void)item;
	return false;
}

static void open_many(struct many *m, const struct world_options *more)
{
	struct world_options o = *more;

	o.fn = answer_many;
	o.fn_self = m;
	world_open(NULL, 0, &o);
}

static void test_many(void)
{
	struct many script = {.throttle = true};
	struct many_items *m;

	open_many(&script, &(struct world_options){.max_attempts = 20});
	m = make_many();
	aws_call_many(w.client, &w.ctx, m->items, MANY, 16, NULL, w.arena);
	for (size_t i = 0; i < MANY; i++)
		check_document(m, i);
	CU_ASSERT(scripted_http_most_at_once(w.server) > 1);
	CU_ASSERT(scripted_http_most_at_once(w.server) <= 16);
	ASSERT_I64(stats().calls, MANY, "calls");
	CU_ASSERT(stats().retries >= MANY / 10);
	world_close();
}

static void test_many_of_a_shared_bucket(void)
{
	for (int background = 0; background < 2; background++) {
		struct many script = {.throttle = true};
		struct scripted_quota q = {.code = ERR_OK};
		struct many_items *m;

		open_many(&script, &(struct world_options){.max_attempts = 20});
		share_with(&q);
		w.ctx.background = background;
		m = make_many();
		aws_call_many(w.client, &w.ctx, m->items, MANY, 16, NULL, w.arena);
		for (size_t i = 0; i < MANY; i++)
			check_document(m, i);
		CU_ASSERT(q.takes > 1 && q.takes < 2 * MANY);
		ASSERT_I64(q.health.failures, 0, "failures");
		world_close();
	}
}

static void test_many_goes_on_after_an_error(void)
{
	struct many script = {.deny_13 = true};
	struct many_items *m;

	open_many(&script, &(struct world_options){0});
	m = make_many();
	aws_call_many(w.client, &w.ctx, m->items, MANY, 8, never_stop, w.arena);
	for (size_t i = 0; i < MANY; i++)
		if (i != 13)
			check_document(m, i);
	ASSERT_I64(m->items[13].code, ERR_DENIED, "the denied one");
	ASSERT_STR(str_c(m->items[13].err.aws_operation), STR("iam:GetUserPolicy"), "its error");
	world_close();
}

static void test_many_stops_at_an_error(void)
{
	struct many script = {.deny_13 = true, .slow_after_13 = true};
	struct many_items *m;
	size_t cancelled = 0;

	open_many(&script, &(struct world_options){0});
	m = make_many();
	aws_call_many(w.client, &w.ctx, m->items, MANY, 4, NULL, w.arena);
	ASSERT_I64(m->items[13].code, ERR_DENIED, "the denied one");
	for (size_t i = 0; i < MANY; i++) {
		if (m->items[i].code == ERR_CANCELLED)
			cancelled++;
		else if (i != 13)
			check_document(m, i);
	}
	CU_ASSERT(cancelled >= MANY - 13 - 8);
	ASSERT_I64(scripted_http_requests(w.server), MANY - cancelled, "not begun");
	world_close();
}

static void test_many_and_the_deadline(void)
{
	static const struct scripted_answer never[] = {HOW(SCRIPTED_NEVER)};
	struct many_items *m;

	WORLD(never);
	m = make_many();
	deadline_in_ms(30);
	aws_call_many(w.client, &w.ctx, m->items, MANY, 4, never_stop, w.arena);
	for (size_t i = 0; i < MANY; i++)
		ASSERT_I64(m->items[i].code, ERR_DEADLINE, "all of them");
	world_close();
}

/* Hands out its items until it is asked to stop; each has an arena of its own. */
struct each {
	struct many_items *m;
	size_t next, n, done, under_way, most;
};

static struct aws_call_item *each_next(void *self)
{
	struct each *e = self;

	if (e->next == e->n)
		return NULL;
	if (++e->under_way > e->most)
		e->most = e->under_way;
	e->m->items[e->next].arena = arena_new(0);
	return &e->m->items[e->next++];
}

static void each_done(void *self, struct aws_call_item *item)
{
	struct each *e = self;
	size_t i = (size_t)(item - e->m->items);

	if (item->code == ERR_OK)
		check_document(e->m, i);
	e->under_way--;
	e->done++;
	arena_free(TAKE(item->arena));
}

static void test_each(void)
{
	struct many script = {.throttle = true};
	struct each each = {.n = MANY};
	const struct aws_call_source source = {.next = each_next, .done = each_done, .self = &each};

	open_many(&script, &(struct world_options){.max_attempts = 20});
	each.m = make_many();
	CU_ASSERT_EQUAL(aws_call_each(w.client, &w.ctx, &source, 16, &w.err), ERR_OK);
	ASSERT_I64(each.done, MANY, "all are given back");
	ASSERT_I64(each.most, 16, "never more than allowed");
	world_close();
}

static void test_each_and_the_deadline(void)
{
	static const struct scripted_answer never[] = {HOW(SCRIPTED_NEVER)};
	struct each each = {.n = 0};
	const struct aws_call_source source = {.next = each_next, .done = each_done, .self = &each};

	WORLD(never);
	for (int64_t ms = 30; each.next < 4 && ms < 30000; ms *= 2) { /* until there was time to begin them */
		each = (struct each){.n = MANY, .m = make_many()};
		deadline_in_ms(ms);
		CU_ASSERT_EQUAL(aws_call_each(w.client, &w.ctx, &source, 4, &w.err), ERR_DEADLINE);
		ASSERT_I64(each.done, (int64_t)each.next, "all are given back");
		for (size_t i = 0; i < each.next; i++)
			ASSERT_I64(each.m->items[i].code, ERR_DEADLINE, "with the reason");
	}
	ASSERT_I64(each.next, 4, "those under way were taken, no more");
	world_close();
}

static void test_none(void)
{
	static const struct scripted_answer answers[] = {OK_USERS};

	WORLD(answers);
	aws_call_many(w.client, &w.ctx, NULL, 0, 8, NULL, w.arena);
	ASSERT_I64(scripted_http_requests(w.server), 0, "nothing to do");
	world_close();
}

/* ---- torture ---- */

/* Three pages, then one user's policy: what a listing does. The n-th request goes wrong in some way. */
struct torture {
	size_t bad_request; /* SIZE_MAX: none */
	struct scripted_answer bad;
};

static struct scripted_answer answer_torture(
	void *self, const struct scripted_request *req, struct arena *arena)
{
	static const struct scripted_answer pages[] = {
		{.body = STR_INIT(LIST_USERS("<Users><member><UserName>a</UserName></member></Users>"
					     "<IsTruncated>true</IsTruncated><Marker>1</Marker>"))},
		{.body = STR_INIT(LIST_USERS("<Users><member><UserName>b</UserName></member></Users>"
					     "<IsTruncated>true</IsTruncated><Marker>2</Marker>"))},
		{.body = STR_INIT(LIST_USERS("<Users><member><UserName>c</UserName></member></Users>"
					     "<IsTruncated>false</IsTruncated>"))},
	};
	const struct torture *t = self;
	ptrdiff_t at = str_find(req->body, STR("Marker="));

	(void)arena;
	if (req->n == t->bad_request)
		return t->bad;
	return pages[at < 0 ? 0 : req->body.p[at + 7] - '0'];
}

static enum err_code list_all(struct names *all)
{
	struct aws_iam_page_in in = {.max_items = {1, true}};
	struct aws_iam_list_users_out out;
	enum err_code code;

	do {
		struct names page = {.n = 0};
		struct aws_sink sink = {.restart = names_restart, .item = names_item, .self = &page};

		code = aws_call_stream(
			w.client, &w.ctx, &aws_iam_list_users, &in, w.arena, &out, &sink, &w.err);
		if (code != ERR_OK)
			return code;
		memcpy(all->text + all->n, page.text, page.n);
		all->n += page.n;
		in.marker = out.page.marker;
	} while (out.page.is_truncated.v);
	return ERR_OK;
}

/* For every n and every way of going wrong: with attempts left the result is whole, without it is an
 * error. */
static void test_torture(void)
{
	static const struct scripted_answer bad[] = {
		FAILS(400, "Throttling"),
		FAILS(500, "ServiceFailure"),
		{.status = 502, .body = STR_INIT("")},
		HOW(SCRIPTED_CUT),
		HOW(SCRIPTED_CLOSE),
		{.body = STR_INIT("")},
		{.body = STR_INIT("<ListUsersResponse><ListUsersResult><Users>")},
	};

	for (size_t kind = 0; kind < ARRAY_LEN(bad); kind++) {
		for (size_t n = 0; n < 4; n++) {
			for (unsigned attempts = 1; attempts <= 3; attempts += 2) {
				struct torture t = {.bad_request = n, .bad = bad[kind]};
				struct names all = {.n = 0};
				enum err_code code;

				world_open(NULL, 0,
					&(struct world_options){.max_attempts = attempts,
						.fn = answer_torture,
						.fn_self = &t});
				code = list_all(&all);
				/* a connection that closes before any byte may be tried again by the
				 * transport itself */
				if (code == ERR_OK)
					ASSERT_STR(str_n(all.text, all.n), STR("abc"), "whole");
				if (attempts == 3 || n == 3) {
					ASSERT_I64(code, ERR_OK, "attempts were left");
				} else if (bad[kind].manner != SCRIPTED_CLOSE) {
					CU_ASSERT(code == ERR_THROTTLED || code == ERR_UNAVAILABLE);
				}
				world_close();
			}
		}
	}
}

/* Several threads with one client: for the thread sanitizer. */
static void *call_many_times(void *arg)
{
	_Atomic int *wrong = arg;

	for (int i = 0; i < 20; i++) {
		CLEANUP(arena_freep) struct arena *a = arena_new(0);
		struct aws_iam_list_users_out out;
		struct err err;

		if (aws_call(w.client, &w.ctx, &aws_iam_list_users, NULL, a, &out, &err) != ERR_OK ||
			out.users.n != 2)
			(*wrong)++;
	}
	return NULL;
}

static void test_threads(void)
{
	static const struct scripted_answer answers[] = {OK_USERS};
	_Atomic int wrong = 0;
	struct thread threads[4];

	WORLD(answers);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		CU_ASSERT_EQUAL_FATAL(
			thread_start(&threads[i], "caller", 0, call_many_times, &wrong, &w.err), ERR_OK);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		thread_join(&threads[i]);
	ASSERT_I64(wrong, 0, "wrong results");
	ASSERT_I64(stats().calls, 80, "calls");
	world_close();
}

/* One exchange at a time, whoever makes it; and threads whose turn another's exchange brought. */
static void test_threads_of_a_shared_bucket(void)
{
	static const struct scripted_answer answers[] = {OK_USERS};
	struct scripted_quota q = {.code = ERR_OK};
	_Atomic int wrong = 0;
	struct thread threads[4];

	WORLD(answers);
	share_with(&q);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		CU_ASSERT_EQUAL_FATAL(
			thread_start(&threads[i], "caller", 0, call_many_times, &wrong, &w.err), ERR_OK);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		thread_join(&threads[i]);
	ASSERT_I64(wrong, 0, "wrong results");
	ASSERT_I64(q.most_at_once, 1, "exchanges at once");
	ASSERT_I64(q.health.exchanges, q.takes, "exchanges");
	world_close();
}

static void test_service_pacer(void)
{
	static const struct aws_service service = {.rate_per_s = 20, .burst = 5, .max_rate_factor = 1};
	static const struct {
		unsigned percent;
		double rate;
		int at_once;
	} rows[] = {{0, 20, 5}, {100, 20, 5}, {50, 10, 2}, {1, 0.2, 1}, {1000, 200, 50}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct pacer *p = aws_service_pacer(&service, rows[i].percent);
		int at_once = 0;

		CU_ASSERT_DOUBLE_EQUAL(pacer_rate_per_s(p), rows[i].rate, 1e-9);
		while (pacer_reserve(p, 0, false).wait_ms == 0)
			at_once++;
		ASSERT_I64(at_once, rows[i].at_once, "burst");
		pacer_succeeded(p, 1000);
		CU_ASSERT_DOUBLE_EQUAL(pacer_rate_per_s(p), rows[i].rate, 1e-9);
		pacer_free(p);
	}
}

int main(void)
{
	static CU_TestInfo one[] = {
		{"request and answer", test_request_and_answer},
		{"unsigned", test_unsigned},
		{"retries", test_retries},
		{"gives up", test_gives_up},
		{"retries that help are free", test_retries_that_help_are_free},
		{"throttle details", test_throttle_details},
		{"Retry-After", test_retry_after},
		{"expired credentials", test_expired_credentials},
		{"clock skew", test_clock_skew},
		{"credentials that cannot be had", test_credentials_that_cannot_be_had},
		{"never answering", test_never_answering},
		{"deadline at any moment", test_deadline_at_any_moment},
		{"cancelled", test_cancelled},
		{"unreachable", test_unreachable},
		{"too large", test_too_large},
		{"a service's pacer", test_service_pacer},
		{"pacer beyond the deadline", test_pacer_beyond_deadline},
		{"turns of a shared bucket", test_turns_of_a_shared_bucket},
		{"shared bucket beyond the deadline", test_shared_bucket_beyond_deadline},
		{"the shared bucket is away", test_shared_bucket_is_away},
		{"cancelled at the shared bucket", test_cancelled_at_the_shared_bucket},
		{"JSON service", test_json_service},
		CU_TEST_INFO_NULL,
	};
	static CU_TestInfo streams[] = {
		{"restart after a broken body", test_stream},
		{"a sink that fails", test_sink_that_fails},
		CU_TEST_INFO_NULL,
	};
	static CU_TestInfo many[] = {
		{"in flight together", test_many},
		{"of a shared bucket", test_many_of_a_shared_bucket},
		{"goes on after an error", test_many_goes_on_after_an_error},
		{"stops at an error", test_many_stops_at_an_error},
		{"the deadline", test_many_and_the_deadline},
		{"each", test_each},
		{"each and the deadline", test_each_and_the_deadline},
		{"none", test_none},
		CU_TEST_INFO_NULL,
	};
	static CU_TestInfo torture[] = {
		{"the n-th request fails", test_torture},
		{"threads", test_threads},
		{"threads of a shared bucket", test_threads_of_a_shared_bucket},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{"client: one call", NULL, NULL, NULL, NULL, one},
		{"client: streams", NULL, NULL, NULL, NULL, streams},
		{"client: many", NULL, NULL, NULL, NULL, many},
		{"client: torture", NULL, NULL, NULL, NULL, torture},
		CU_SUITE_INFO_NULL,
	};

	return unit_main(suites);
}
