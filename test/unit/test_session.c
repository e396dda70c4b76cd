/* layers: aws base
 *
 * What configuration and environment make of a session, and the one identity that all share. The server
 * stands for all of AWS. */
#include "aws/session.h"

#include <stdio.h>
#include <unistd.h>

#include "aws/cloudtrail.h"
#include "aws/iam.h"
#include "aws/identity_store.h"
#include "aws/organizations.h"
#include "aws/sso_admin.h"
#include "aws/sts.h"
#include "base/mem.h"
#include "base/thread.h"
#include "support/cunit_main.h"
#include "support/fake_clock.h"
#include "support/fake_quota.h"
#include "support/scripted_http.h"

/* ---- a small AWS: STS answers by who signs ---- */

struct aws {
	_Atomic int identities, assumed;
	_Atomic bool broken;
	_Atomic bool checks_clock; /* refuses what was not signed in 2098 */
	int64_t delay_ms;
	char credential[5][100]; /* of the n-th request: who signed */
	char body[5][300];
};

#define ASSUMED(key)                                                                                         \
	"<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>" key "</AccessKeyId>"              \
	"<SecretAccessKey>s</SecretAccessKey><SessionToken>t</"                                              \
	"SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>"                                         \
	"</Credentials></AssumeRoleResult></AssumeRoleResponse>"

static struct scripted_answer answer(void *self, const struct scripted_request *req, struct arena *arena)
{
	static const struct scripted_answer ok_identity = {
		.body = STR_INIT("<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws-cn:iam::"
				 "123456789012:user/x</Arn>"
				 "<UserId>u</UserId><Account>123456789012</Account></GetCallerIdentityResult>"
				 "</GetCallerIdentityResponse>")};
	static const struct scripted_answer hop[] = {
		{.body = STR_INIT(ASSUMED("HOP1"))}, {.body = STR_INIT(ASSUMED("HOP2"))}};
	static const struct scripted_answer users = {
		.body = STR_INIT("<ListUsersResponse><ListUsersResult/></ListUsersResponse>")};
	static const struct scripted_answer accounts = {
		.body = STR_INIT("{\"Accounts\":[{\"Id\":\"123456789012\",\"State\":\"ACTIVE\"}]}")};
	static const struct scripted_answer broken = {
		.status = 403, .body = STR_INIT("<e><Code>InvalidClientTokenId</Code></e>")};
	static const struct scripted_answer wrong_clock = {.status = 403,
		.headers = "Date: Wed, 31 Dec 2098 23:30:00 GMT\r\n",
		.body = STR_INIT("<e><Code>RequestTimeTooSkewed</Code></e>")};
	struct aws *a = self;
	struct str who = scripted_header(req, "Authorization");
	struct scripted_answer ret;

	(void)arena;
	if (req->n < ARRAY_LEN(a->body)) {
		snprintf(
			a->credential[req->n], sizeof(a->credential[0]), STR_FMT, STR_ARG(str_from(who, 28)));
		snprintf(a->body[req->n], sizeof(a->body[0]), STR_FMT, STR_ARG(req->body));
	}
	if (a->broken)
		ret = broken;
	else if (a->checks_clock && !str_starts(scripted_header(req, "X-Amz-Date"), STR("2098")))
		ret = wrong_clock;
	else if (str_contains(req->body, STR("Action=GetCallerIdentity")))
		ret = ok_identity;
	else if (str_contains(req->body, STR("Action=AssumeRole&")))
		ret = hop[a->assumed++ % 2];
	else if (scripted_header(req, "X-Amz-Target").n)
		ret = accounts;
	else
		ret = users;
	a->identities += str_contains(req->body, STR("Action=GetCallerIdentity"));
	ret.delay_ms = a->delay_ms;
	return ret;
}

static struct aws world;
static struct scripted_http *server;
static struct fake_clock fake;
static struct aws_session *session;
static struct arena *arena;
static struct ctx ctx;
static struct err err;
static char endpoint[80];

static void open_world(void)
{
	memset(&world, 0, sizeof(world));
	server = scripted_http_start(answer, &world);
	snprintf(endpoint, sizeof(endpoint), "AWS_ENDPOINT_URL=http://127.0.0.1:%u",
		scripted_http_port(server));
	fake_clock_init(&fake, 1800000000);
	arena = arena_new(0);
	ctx = (struct ctx){.clock = &fake.clock, .deadline_ms = CTX_NO_DEADLINE};
	session = NULL;
}

static void close_world(void)
{
	aws_session_free(session);
	scripted_http_stop(server);
	arena_free(arena);
}

static void open_session(const struct aws_session_options *more)
{
	const char *const env[] = {endpoint, "AWS_ACCESS_KEY_ID=BASE", "AWS_SECRET_ACCESS_KEY=s", NULL};
	struct aws_session_options o = *more;

	o.environ = env;
	o.clock = &fake.clock;
	if (aws_session_new(&o, &session, &err) != ERR_OK)
		CU_FAIL_FATAL("no session");
}

static enum err_code identity(bool refresh, struct aws_identity *ret)
{
	return aws_session_identity(session, &ctx, refresh, arena, ret, &err);
}

/* ---- credentials ---- */

static enum err_code list_users(void)
{
	CLEANUP(aws_client_unrefp) struct aws_client *c = NULL;
	struct aws_iam_list_users_out out;
	enum err_code code = aws_session_client(session, &ctx, &aws_iam, STR_EMPTY, &c, &err);

	if (code != ERR_OK)
		return code;
	return aws_call(c, &ctx, &aws_iam_list_users, NULL, arena, &out, &err);
}

static void check_signer(size_t request, const char *key, const char *region, const char *service)
{
	char want[100];

	snprintf(want, sizeof(want), "%s/20270115/%s/%s/aws4_request", key, region, service);
	ASSERT_STR(str_sub(str_c(world.credential[request]), 0, strlen(want)), str_c(want),
		"who signs, where, for what");
}

static void test_direct(void)
{
	CLEANUP(secret_unrefp) struct secret *secret = secret_new(STR("s"));

	open_world();
	open_session(&(struct aws_session_options){.region = STR("eu-west-1")});
	CU_ASSERT_EQUAL(list_users(), ERR_OK);
	check_signer(0, "BASE", "us-east-1", "iam"); /* a global service */
	aws_session_free(TAKE(session));
	open_session(&(struct aws_session_options){
		.access_key_id = STR("CONFIGURED"), .secret_access_key = secret});
	CU_ASSERT_EQUAL(list_users(), ERR_OK);
	check_signer(1, "CONFIGURED", "us-east-1", "iam");
	close_world();
}

static void test_one_hop(void)
{
	open_world();
	open_session(&(struct aws_session_options){
		.region = STR("eu-west-1"),
		.use_assume = true,
		.role_arn = STR("arn:aws:iam::1:role/r"),
		.external_id = STR("ext"),
	});
	CU_ASSERT_EQUAL(list_users(), ERR_OK);
	check_signer(0, "BASE", "eu-west-1", "sts");
	CU_ASSERT(str_contains(str_c(world.body[0]), STR("&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&")));
	CU_ASSERT(str_contains(str_c(world.body[0]), STR("&ExternalId=ext&DurationSeconds=3600")));
	check_signer(1, "HOP1", "us-east-1", "iam");
	CU_ASSERT_EQUAL(list_users(), ERR_OK);
	ASSERT_I64(world.assumed, 1, "once");
	close_world();
}

static void test_two_hops(void)
{
	open_world();
	open_session(&(struct aws_session_options){
		.use_assume = true,
		.role_arn = STR("arn:aws-us-gov:iam::1:role/r"),
		.external_id = STR("ext"),
		.global_role_arn = STR("arn:aws-us-gov:iam::2:role/g"),
		.global_binding_external_id = STR("binding"),
	});
	CU_ASSERT_EQUAL(list_users(), ERR_OK);
	check_signer(0, "BASE", "us-gov-west-1", "sts"); /* the partition's home, from the role */
	CU_ASSERT(str_contains(str_c(world.body[0]), STR("ExternalId=binding")));
	check_signer(1, "HOP1", "us-gov-west-1", "sts");
	CU_ASSERT(str_contains(str_c(world.body[1]), STR("ExternalId=ext")));
	check_signer(2, "HOP2", "us-gov-west-1", "iam");
	close_world();
}

static void test_refused_hop(void)
{
	open_world();
	open_session(
		&(struct aws_session_options){.use_assume = true, .role_arn = STR("arn:aws:iam::1:role/r")});
	world.broken = true;
	CU_ASSERT_EQUAL(list_users(), ERR_UNAUTHENTICATED);
	ASSERT_STR(str_c(err.aws_operation), STR("sts:AssumeRole"), "whose error it is");
	close_world();
}

/* Our clock is a year ahead: by it, every session has expired before it begins. */
static void test_assume_role_with_a_wrong_clock(void)
{
	open_world();
	fake_clock_set_wall_s(&fake, 4102444800); /* 2100-01-01 */
	world.checks_clock = true;
	open_session(
		&(struct aws_session_options){.use_assume = true, .role_arn = STR("arn:aws:iam::1:role/r")});
	CU_ASSERT_EQUAL(list_users(), ERR_OK);
	CU_ASSERT_EQUAL(list_users(), ERR_OK);
	ASSERT_I64(world.assumed, 1, "once");
	close_world();
}

/* ---- identity ---- */

static void test_identity_once(void)
{
	struct aws_identity id;

	open_world();
	open_session(&(struct aws_session_options){.region = STR("cn-north-1")});
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(identity(/* refresh= */ false, &id), ERR_OK);
		ASSERT_STR(id.account, STR("123456789012"), "account");
		ASSERT_STR(id.partition, STR("aws-cn"), "partition");
		fake_clock_advance_ms(&fake, 100000);
	}
	ASSERT_I64(world.identities, 1, "asked once");
	CU_ASSERT_EQUAL(identity(/* refresh= */ true, &id), ERR_OK);
	CU_ASSERT_EQUAL(identity(/* refresh= */ true, &id), ERR_OK);
	ASSERT_I64(world.identities, 2, "a fresh one is shared for a few seconds");
	fake_clock_advance_ms(&fake, 5000);
	world.broken = true;
	CU_ASSERT_EQUAL(identity(/* refresh= */ true, &id), ERR_UNAUTHENTICATED);
	CU_ASSERT_EQUAL(identity(/* refresh= */ false, &id), ERR_OK); /* what was known stays known */
	close_world();
}

static void test_identity_failure(void)
{
	struct aws_identity id;

	open_world();
	open_session(&(struct aws_session_options){.clock = NULL});
	world.broken = true;
	CU_ASSERT_EQUAL(identity(false, &id), ERR_UNAUTHENTICATED);
	CU_ASSERT_EQUAL(identity(false, &id), ERR_UNAUTHENTICATED);
	ASSERT_I64(world.identities, 1, "a failure is shared for a few seconds");
	world.broken = false;
	fake_clock_advance_ms(&fake, 5000);
	CU_ASSERT_EQUAL(identity(false, &id), ERR_OK);
	close_world();
}

static void *ask(void *arg)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	_Atomic int *good = arg;
	struct aws_identity id;
	struct err e;

	if (aws_session_identity(session, &ctx, false, a, &id, &e) == ERR_OK && id.account.n == 12)
		(*good)++;
	return NULL;
}

static void test_identity_single_flight(void)
{
	struct thread threads[8];
	_Atomic int good = 0;

	open_world();
	world.delay_ms = 20;
	open_session(&(struct aws_session_options){.clock = NULL});
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		CU_ASSERT_EQUAL_FATAL(thread_start(&threads[i], "asker", 0, ask, &good, &err), ERR_OK);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		thread_join(&threads[i]);
	ASSERT_I64(good, ARRAY_LEN(threads), "all have it");
	ASSERT_I64(world.identities, 1, "one flight");
	close_world();
}

/* A flight that its own caller ended is nobody else's failure. */
static void test_identity_caller_gave_up(void)
{
	struct aws_identity id;
	struct cancel *cancel = cancel_new();

	open_world();
	open_session(&(struct aws_session_options){.clock = NULL});
	cancel_fire(cancel);
	ctx.cancel = cancel;
	CU_ASSERT_EQUAL(identity(false, &id), ERR_CANCELLED);
	ctx.cancel = NULL;
	CU_ASSERT_EQUAL(identity(false, &id), ERR_OK);
	cancel_unref(cancel);
	close_world();
}

/* ---- clients ---- */

static enum err_code client_for(struct str account)
{
	CLEANUP(aws_client_unrefp) struct aws_client *c = NULL;

	return aws_session_client(session, &ctx, &aws_iam, account, &c, &err);
}

static void test_accounts(void)
{
	open_world();
	open_session(&(struct aws_session_options){.clock = NULL});
	CU_ASSERT_EQUAL(client_for(STR_EMPTY), ERR_OK);
	ASSERT_I64(world.identities, 0, "needs nobody's account");
	world.broken = true; /* whether an account is ours has to be asked, and cannot */
	CU_ASSERT_EQUAL(client_for(STR("123456789012")), ERR_UNAUTHENTICATED);
	CU_ASSERT_EQUAL(client_for(STR("210987654321")), ERR_UNAUTHENTICATED);
	world.broken = false;
	fake_clock_advance_ms(&fake, 5000);
	CU_ASSERT_EQUAL(client_for(STR("123456789012")), ERR_OK);
	CU_ASSERT_EQUAL(client_for(STR("210987654321")), ERR_OK);
	CU_ASSERT_EQUAL(client_for(STR("21098765432")), ERR_INVALID);
	ASSERT_I64(world.assumed, 0, "a client alone enters no account");
	close_world();
}

/* Whoever has a role-arn knows his account; other accounts are entered from that role. */
static void test_accounts_of_a_role(void)
{
	CLEANUP(aws_client_unrefp) struct aws_client *c = NULL;
	struct aws_iam_list_users_out out;

	open_world();
	open_session(&(struct aws_session_options){
		.use_assume = true, .role_arn = STR("arn:aws-cn:iam::123456789012:role/hub")});
	CU_ASSERT_EQUAL(client_for(STR("123456789012")), ERR_OK);
	ASSERT_I64(scripted_http_requests(server), 0, "nothing to ask");
	CU_ASSERT_EQUAL_FATAL(
		aws_session_client(session, &ctx, &aws_iam, STR("210987654321"), &c, &err), ERR_OK);
	CU_ASSERT_EQUAL(aws_call(c, &ctx, &aws_iam_list_users, NULL, arena, &out, &err), ERR_OK);
	check_signer(0, "BASE", "cn-north-1", "sts"); /* into the hub */
	check_signer(1, "HOP1", "cn-north-1", "sts"); /* who are we */
	check_signer(2, "HOP1", "cn-north-1", "sts"); /* into the account */
	CU_ASSERT(str_contains(str_c(world.body[2]), STR("&RoleArn=arn%3Aaws-cn%3Aiam%3A%3A210987654321%"
							 "3Arole%2FOrganizationAccountAccessRole&")));
	check_signer(3, "HOP2", "cn-north-1", "iam");
	aws_client_unref(TAKE(c));
	close_world();
}

static void test_regions(void)
{
	static const struct {
		const struct aws_operation *op;
		const char *sso_region, *want;
	} rows[] = {
		{&aws_iam_list_users, "eu-central-1", "us-east-1"}, /* a global service */
		{&aws_organizations_list_accounts, "eu-central-1", "us-east-1"},
		{&aws_sts_get_caller_identity, "eu-central-1", "eu-west-1"},
		{&aws_sso_admin_list_instances, "eu-central-1", "eu-central-1"},
		{&aws_identity_store_list_users, "eu-central-1", "eu-central-1"},
		{&aws_cloudtrail_lookup_events, "eu-central-1", "eu-central-1"},
		{&aws_sso_admin_list_instances, "", "eu-west-1"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(aws_client_unrefp) struct aws_client *c = NULL;
		const struct aws_service *service = rows[i].op->service;
		void *out;

		open_world();
		out = arena_zalloc(arena, rows[i].op->out->size);
		open_session(&(struct aws_session_options){
			.region = STR("eu-west-1"), .sso_region = str_c(rows[i].sso_region)});
		CU_ASSERT_EQUAL_FATAL(
			aws_session_client(session, &ctx, service, STR_EMPTY, &c, &err), ERR_OK);
		CU_ASSERT_EQUAL(aws_call(c, &ctx, rows[i].op, NULL, arena, out, &err), ERR_OK);
		check_signer(0, "BASE", rows[i].want, service->signing_name);
		aws_client_unref(TAKE(c));
		close_world();
	}
}

/* ---- a quota that servers share ---- */

struct named {
	struct fake_quota bucket;
	struct fake_quota_server door;
};

static void open_shared(struct named *q, const struct aws_session_options *more)
{
	struct aws_session_options o = *more;

	fake_quota_init(&q->bucket, NULL);
	q->door = fake_quota_server(&q->bucket, 0);
	open_world();
	o.quota = &q->door.quota;
	open_session(&o);
}

static void close_shared(struct named *q)
{
	close_world();
	fake_quota_deinit(&q->bucket);
}

static enum err_code list_users_of(struct str account)
{
	CLEANUP(aws_client_unrefp) struct aws_client *c = NULL;
	struct aws_iam_list_users_out out;

	CU_ASSERT_EQUAL_FATAL(aws_session_client(session, &ctx, &aws_iam, account, &c, &err), ERR_OK);
	return aws_call(c, &ctx, &aws_iam_list_users, NULL, arena, &out, &err);
}

/* Direct: whose quota it is, is known with the identity. Child accounts have buckets of their own. */
static void test_shared_after_identity(void)
{
	struct named q;
	struct aws_identity id;

	open_shared(&q, &(struct aws_session_options){.region = STR("cn-north-1")});
	CU_ASSERT_EQUAL(list_users(), ERR_OK);
	ASSERT_I64(q.bucket.takes, 0, "nobody knows whose quota");
	CU_ASSERT_EQUAL(identity(false, &id), ERR_OK);
	CU_ASSERT_EQUAL(list_users(), ERR_OK);
	ASSERT_I64(q.bucket.takes, 1, "shared");
	ASSERT_STR(str_c(q.bucket.name), STR("123456789012/iam/cn-north-1"), "name");
	CU_ASSERT_EQUAL(identity(/* refresh= */ true, &id), ERR_OK);
	CU_ASSERT_EQUAL(list_users(), ERR_OK);
	ASSERT_STR(str_c(q.bucket.name), STR("123456789012/iam/cn-north-1"), "name");
	CU_ASSERT_EQUAL(list_users_of(STR("210987654321")), ERR_OK);
	CU_ASSERT_EQUAL(list_users_of(STR("210987654321")), ERR_OK); /* no AssumeRole behind it */
	ASSERT_STR(str_c(q.bucket.name), STR("210987654321/iam/cn-north-1"), "name");
	ASSERT_I64(aws_session_quota_stats(session).exchanges, q.bucket.takes, "exchanges");
	ASSERT_I64(aws_session_quota_stats(session).failures, 0, "failures");
	close_shared(&q);
}

/* With a role-arn it is known at once, for STS as well. */
static void test_shared_at_once(void)
{
	struct named q;
	struct aws_identity id;

	open_shared(&q, &(struct aws_session_options){.region = STR("eu-west-1"),
				.use_assume = true,
				.role_arn = STR("arn:aws:iam::123456789012:role/r")});
	CU_ASSERT_EQUAL(identity(false, &id), ERR_OK);
	ASSERT_STR(str_c(q.bucket.name), STR("123456789012/sts/eu-west-1"), "name");
	ASSERT_I64(q.bucket.takes, 2, "AssumeRole and GetCallerIdentity");
	CU_ASSERT_EQUAL(list_users(), ERR_OK);
	ASSERT_STR(str_c(q.bucket.name), STR("123456789012/iam/us-east-1"), "a global service");
	close_shared(&q);
}

static void test_shared_and_away(void)
{
	struct named q;

	open_shared(&q, &(struct aws_session_options){
				.use_assume = true, .role_arn = STR("arn:aws:iam::123456789012:role/r")});
	CU_ASSERT_FALSE(aws_session_quota_stats(session).away);
	q.bucket.dead = true;
	fake.auto_step_ms = 1; /* alone, turns come as time goes by */
	CU_ASSERT_EQUAL(list_users(), ERR_OK);
	CU_ASSERT_TRUE(aws_session_quota_stats(session).away);
	ASSERT_I64(aws_session_quota_stats(session).failures, q.bucket.failed, "failures");
	CU_ASSERT(q.bucket.failed > 0);
	close_shared(&q);
}

static void count(void *arg, const struct aws_call_stats *st)
{
	*(uint64_t *)arg += st->calls;
}

static void test_stats(void)
{
	struct aws_identity id;
	uint64_t calls = 0;

	open_world();
	open_session(&(struct aws_session_options){.clock = NULL});
	CU_ASSERT_EQUAL(identity(false, &id), ERR_OK);
	CU_ASSERT_EQUAL(list_users(), ERR_OK);
	CU_ASSERT_EQUAL(list_users(), ERR_OK);
	aws_session_stats(session, count, &calls);
	ASSERT_I64(calls, 3, "calls");
	close_world();
}

/* ---- configuration that cannot work ---- */

static void test_bad_configuration(void)
{
	static const struct {
		const char *setting;
		const char *named; /* in the message */
	} rows[] = {
		{"AWS_MAX_ATTEMPTS=0", "AWS_MAX_ATTEMPTS"},
		{"AWS_MAX_ATTEMPTS=many", "AWS_MAX_ATTEMPTS"},
		{"AWS_RETRY_MODE=never", "AWS_RETRY_MODE"},
		{"AWS_REGION=no region", "no region"},
		{"AWS_ENDPOINT_URL=ftp://x", "endpoint"},
		{"AWS_ENDPOINT_URL_STS=nonsense", "sts"},
		{"AWS_CA_BUNDLE=/does/not/exist.pem", "/does/not/exist.pem"},
		{"AWS_PROFILE=nobody", "nobody"},
	};
	CLEANUP(secret_unrefp) struct secret *secret = secret_new(STR("s"));
	struct aws_session *s = NULL;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *const env[] = {rows[i].setting, "AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b",
			"HOME=/does/not/exist", NULL};

		ASSERT_I64(
			aws_session_new(&(struct aws_session_options){.environ = env, .clock = &clock_system},
				&s, &err),
			ERR_INVALID, rows[i].setting);
		CU_ASSERT(str_contains(str_c(err.msg), str_c(rows[i].named)));
	}
	CU_ASSERT_EQUAL(aws_session_new(&(struct aws_session_options){.access_key_id = STR("A"),
						.clock = &clock_system},
				&s, &err),
		ERR_INVALID);
	CU_ASSERT_EQUAL(aws_session_new(&(struct aws_session_options){.secret_access_key = secret,
						.clock = &clock_system},
				&s, &err),
		ERR_INVALID);
	CU_ASSERT_EQUAL(
		aws_session_new(
			&(struct aws_session_options){.use_assume = true, .clock = &clock_system}, &s, &err),
		ERR_INVALID);
	CU_ASSERT_PTR_NULL(s);
	aws_session_free(NULL);
}

int main(void)
{
	static CU_TestInfo credentials[] = {
		{"direct", test_direct},
		{"one hop", test_one_hop},
		{"two hops", test_two_hops},
		{"a hop that is refused", test_refused_hop},
		{"assume role with a wrong clock", test_assume_role_with_a_wrong_clock},
		CU_TEST_INFO_NULL,
	};
	static CU_TestInfo identities[] = {
		{"once", test_identity_once},
		{"failure", test_identity_failure},
		{"single flight", test_identity_single_flight},
		{"the caller gave up", test_identity_caller_gave_up},
		CU_TEST_INFO_NULL,
	};
	static CU_TestInfo rest[] = {
		{"accounts", test_accounts},
		{"accounts of a role", test_accounts_of_a_role},
		{"regions", test_regions},
		{"shared after the identity", test_shared_after_identity},
		{"shared at once", test_shared_at_once},
		{"shared and away", test_shared_and_away},
		{"stats", test_stats},
		{"bad configuration", test_bad_configuration},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{"session: credentials", NULL, NULL, NULL, NULL, credentials},
		{"session: identity", NULL, NULL, NULL, NULL, identities},
		{"session: the rest", NULL, NULL, NULL, NULL, rest},
		CU_SUITE_INFO_NULL,
	};

	return unit_main(suites);
}
