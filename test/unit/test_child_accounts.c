/* layers: aws base
 *
 * Other accounts of the organization through a session: who enters which account as whom, what a probe
 * tells, what is asked how often. The server stands for STS and IAM of all accounts. */
#include "aws/child_accounts.h"

#include <stdio.h>

#include "aws/client_new.h"
#include "aws/iam.h"
#include "aws/sts.h"
#include "base/mem.h"
#include "base/thread.h"
#include "support/cunit_main.h"
#include "support/fake_clock.h"
#include "support/scripted_http.h"

#define OWN      "123456789012"
#define ACCOUNTS 50 /* 100000000000 and following */
#define WALL_S   INT64_C(1800000000)

/* ---- a small organization ---- */

enum how {
	OPEN = 0, /* its role can be assumed */
	DENIES,
	THROTTLES,
	BREAKS,  /* 500 */
	UNKNOWN, /* STS does not know who asks */
	SILENT,  /* no answer ever comes */
	HALF,    /* an answer without a token */
};

/* All under lock, but for what is set before the first request. */
struct org {
	struct mutex lock;
	struct fake_clock *clock;
	int64_t delay_ms;
	int life_s; /* of sessions */
	enum how how[ACCOUNTS];
	int assumed[ACCOUNTS]; /* AssumeRole answered with credentials */
	int asked[ACCOUNTS];   /* AssumeRole, however it went */
	int identities;
	int listed[ACCOUNTS];         /* IAM calls signed with keys of that account */
	int refused_serial[ACCOUNTS]; /* IAM refuses sessions up to this one */
	const char *refused_as;
	char last_assume[600], last_signer[100], last_role_signer[100];
};

static const struct scripted_answer identity_answer = {
	.body = STR_INIT("<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws-cn:iam::" OWN
			 ":user/x</Arn><UserId>u</UserId>"
			 "<Account>" OWN "</Account></GetCallerIdentityResult></GetCallerIdentityResponse>")};
static const struct scripted_answer users_answer = {
	.body = STR_INIT(
		"<ListUsersResponse><ListUsersResult><Users><member><UserName>u</UserName></member></Users>"
		"</ListUsersResult></ListUsersResponse>")};

static struct scripted_answer failure(
	struct arena *arena, int status, const char *aws_code, const char *message)
{
	return (struct scripted_answer){.status = status,
		.body = str_fmt(arena,
			"<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></"
			"Error>"
			"<RequestId>r</RequestId></ErrorResponse>",
			aws_code, message)};
}

/* "100000000007" -> 7 */
static size_t number_of(struct str account)
{
	uint64_t n = 0;

	if (!str_to_u64(account, &n) || n < UINT64_C(100000000000) || n >= UINT64_C(100000000000) + ACCOUNTS)
		return ACCOUNTS;
	return (size_t)(n - UINT64_C(100000000000));
}

/* The account in "...&RoleArn=arn%3Aaws-cn%3Aiam%3A%3A<account>%3Arole%2F...". */
static size_t number_in_role(struct str body)
{
	static const struct str before = STR_INIT("%3Aiam%3A%3A");
	ptrdiff_t at = str_find(body, before);

	return at < 0 ? ACCOUNTS : number_of(str_sub(body, (size_t)at + before.n, 12));
}

static struct scripted_answer keys(struct org *o, size_t i, struct arena *arena)
{
	char expires[21];

	time_format_rfc3339(clock_wall_s(&o->clock->clock) + o->life_s, expires);
	return (struct scripted_answer){
		.body = str_fmt(arena,
			"<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>KEY%zux%d</"
			"AccessKeyId>"
			"<SecretAccessKey>s</SecretAccessKey>%s<Expiration>%s</Expiration></Credentials>"
			"</AssumeRoleResult></AssumeRoleResponse>",
			i, ++o->assumed[i], o->how[i] == HALF ? "" : "<SessionToken>t</SessionToken>",
			expires)};
}

static struct scripted_answer answer_assume(
	struct org *o, const struct scripted_request *req, struct arena *arena)
{
	size_t i = number_in_role(req->body);

	if (i == ACCOUNTS) /* the connector's own hop */
		return failure(arena, 403, "AccessDenied", "who is that");
	o->asked[i]++;
	switch (o->how[i]) {
	case DENIES:
		return failure(arena, 403, "AccessDenied",
			"User: arn:x is not authorized to perform: sts:AssumeRole on resource: y");
	case THROTTLES:
		return failure(arena, 400, "Throttling", "Rate exceeded");
	case BREAKS:
		return failure(arena, 500, "InternalFailure", "oh");
	case UNKNOWN:
		return failure(arena, 403, "InvalidClientTokenId",
			"The security token included in the request is invalid.");
	case SILENT:
		return (struct scripted_answer){.manner = SCRIPTED_NEVER};
	case OPEN:
	case HALF:
		break;
	}
	return keys(o, i, arena);
}

/* Signed by "KEY<account>x<serial>", or by the connector itself. */
static struct scripted_answer answer_list(struct org *o, struct str signer, struct arena *arena)
{
	size_t i;
	int serial;

	if (sscanf(o->last_signer, "KEY%zux%d/", &i, &serial) != 2 || i >= ACCOUNTS)
		return str_starts(signer, STR("BASE/")) ? users_answer
							: failure(arena, 403, "AccessDenied", "who is that");
	o->listed[i]++;
	return serial <= o->refused_serial[i] ? failure(arena, 403, o->refused_as, "no more") : users_answer;
}

static struct scripted_answer answer(void *self, const struct scripted_request *req, struct arena *arena)
{
	struct org *o = self;
	struct str signer =
		str_from(scripted_header(req, "Authorization"), sizeof("AWS4-HMAC-SHA256 Credential=") - 1);
	struct scripted_answer ret;

	LOCK_SCOPE(&o->lock);
	snprintf(o->last_signer, sizeof(o->last_signer), STR_FMT, STR_ARG(signer));
	if (str_contains(req->body, STR("Action=GetCallerIdentity"))) {
		o->identities++;
		ret = identity_answer;
	} else if (str_contains(req->body, STR("Action=AssumeRole&"))) {
		snprintf(o->last_assume, sizeof(o->last_assume), STR_FMT, STR_ARG(req->body));
		snprintf(o->last_role_signer, sizeof(o->last_role_signer), STR_FMT, STR_ARG(signer));
		ret = answer_assume(o, req, arena);
	} else {
		ret = answer_list(o, signer, arena);
	}
	ret.delay_ms = o->delay_ms;
	return ret;
}

/* ---- the test's side ---- */

static struct org org;
static struct scripted_http *server;
static struct fake_clock fake;
static struct aws_session *session;
static struct arena *arena;
static struct ctx ctx;
static struct err err;
static struct str accounts[ACCOUNTS];
static struct aws_probe probes[ACCOUNTS];

/* One attempt, because back-off would wait for the fake clock. */
static void open_org_as(const struct aws_session_options *more)
{
	struct aws_session_options o = *more;
	char endpoint[80];
	const char *const environ_of[] = {
		endpoint, "AWS_ACCESS_KEY_ID=BASE", "AWS_SECRET_ACCESS_KEY=s", "AWS_MAX_ATTEMPTS=1", NULL};

	org = (struct org){.clock = &fake, .life_s = 3600, .refused_as = "ExpiredToken"};
	mutex_init(&org.lock);
	server = scripted_http_start(answer, &org);
	snprintf(endpoint, sizeof(endpoint), "AWS_ENDPOINT_URL=http://127.0.0.1:%d",
		scripted_http_port(server));
	fake_clock_init(&fake, WALL_S);
	arena = arena_new(0);
	ctx = (struct ctx){.clock = &fake.clock, .deadline_ms = CTX_NO_DEADLINE};
	for (size_t i = 0; i < ACCOUNTS; i++)
		accounts[i] = str_fmt(arena, "%zu", (size_t)100000000000 + i);
	memset(probes, 0, sizeof(probes));
	o.environ = environ_of;
	o.clock = &fake.clock;
	if (aws_session_new(&o, &session, &err) != ERR_OK)
		CU_FAIL_FATAL("no session");
}

/* role_name NULL: none is configured. */
static void open_org(const char *role_name)
{
	open_org_as(&(struct aws_session_options){.iam_assume_role_name = str_c(role_name)});
}

static void close_org(void)
{
	aws_session_free(session);
	scripted_http_stop(server);
	mutex_deinit(&org.lock);
	arena_free(arena);
}

static enum err_code list_users_with(const struct ctx *how, struct str account, struct err *reterr)
{
	CLEANUP(aws_client_unrefp) struct aws_client *c = NULL;
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct aws_iam_list_users_out out;

	if (aws_session_client(session, how, &aws_iam, account, &c, reterr) != ERR_OK)
		return reterr->code;
	return aws_call(c, how, &aws_iam_list_users, NULL, a, &out, reterr);
}

static enum err_code list_users(struct str account)
{
	return list_users_with(&ctx, account, &err);
}

static void probe(size_t n, size_t max_in_flight)
{
	aws_session_probe(session, &ctx, accounts, n, probes, max_in_flight);
}

static void set_how(size_t i, enum how how)
{
	LOCK_SCOPE(&org.lock);
	org.how[i] = how;
}

static int sum(const int *counts)
{
	int n = 0;

	LOCK_SCOPE(&org.lock);
	for (size_t i = 0; i < ACCOUNTS; i++)
		n += counts[i];
	return n;
}

static bool said(const char *text, struct str what)
{
	LOCK_SCOPE(&org.lock);
	return str_contains(str_c(text), what);
}

/* ---- clients ---- */

static void test_own_and_child(void)
{
	open_org(NULL);
	CU_ASSERT_EQUAL(list_users(STR_EMPTY), ERR_OK);
	ASSERT_I64(org.identities, 0, "nobody has to know who we are");
	CU_ASSERT_EQUAL(list_users(STR(OWN)), ERR_OK);
	CU_ASSERT(said(org.last_signer, STR("BASE/")));
	ASSERT_I64(sum(org.asked), 0, "the own account needs no role");
	CU_ASSERT_EQUAL(list_users(accounts[7]), ERR_OK);
	CU_ASSERT(said(org.last_role_signer, STR("BASE/")));
	CU_ASSERT(said(org.last_role_signer, STR("/sts/aws4_request")));
	CU_ASSERT(said(org.last_assume, STR("&RoleArn=arn%3Aaws-cn%3Aiam%3A%3A100000000007%3Arole%"
					    "2FOrganizationAccountAccessRole&")));
	CU_ASSERT(said(org.last_assume, STR("&RoleSessionName=BatonCrossAccountSession&")));
	CU_ASSERT(said(org.last_assume, STR("DurationSeconds=3600")));
	CU_ASSERT_FALSE(said(org.last_assume, STR("ExternalId")));
	CU_ASSERT(said(org.last_signer, STR("KEY7x1/")));
	CU_ASSERT_EQUAL(list_users(accounts[8]), ERR_OK);
	CU_ASSERT(said(org.last_signer, STR("KEY8x1/")));
	CU_ASSERT_EQUAL(list_users(accounts[7]), ERR_OK);
	CU_ASSERT(said(org.last_signer, STR("KEY7x1/")));
	ASSERT_I64(sum(org.asked), 2, "each role once");
	ASSERT_I64(org.identities, 1, "identity once");
	close_org();
}

static void test_role_names(void)
{
	static const char *const names[] = {"team/x/Reader", "/team/x/Reader"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		open_org(names[i]);
		CU_ASSERT_EQUAL(list_users(accounts[0]), ERR_OK);
		CU_ASSERT(said(org.last_assume, STR("%3Arole%2Fteam%2Fx%2FReader&")));
		close_org();
	}
}

static void test_no_account_number(void)
{
	static const struct str rows[] = {STR_INIT("12345678901"), STR_INIT("1234567890123"),
		STR_INIT("12345678901x"), STR_INIT("*"), STR_INIT("100000000001:role/x")};
	struct aws_probe result;

	open_org(NULL);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ASSERT_I64(list_users(rows[i]), ERR_INVALID, rows[i].p);
		aws_session_probe(session, &ctx, &rows[i], 1, &result, 1);
		ASSERT_I64(result.code, ERR_INVALID, rows[i].p);
	}
	ASSERT_I64(sum(org.asked), 0, "STS is not asked about such things");
	close_org();
}

/* What a call says about an account that cannot be entered is told from what it says about a permission. */
static void test_call_into_a_closed_account(void)
{
	open_org(NULL);
	set_how(3, DENIES);
	for (int i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(list_users(accounts[3]), ERR_UNAUTHENTICATED);
		ASSERT_STR(str_c(err.aws_operation), STR("sts:AssumeRole"), "operation");
		ASSERT_STR(str_c(err.aws_code), STR("AccessDenied"), "AWS's code");
		CU_ASSERT(str_starts(str_c(err.msg),
			STR("baton-aws: failed to assume role into "
			    "'arn:aws-cn:iam::100000000003:role/OrganizationAccountAccessRole'")));
		CU_ASSERT(str_contains(str_c(err.msg), STR("missing permission sts:AssumeRole")));
		CU_ASSERT_FALSE(err.retryable);
	}
	ASSERT_I64(org.asked[3], 1, "a denial is remembered");
	fake_clock_advance_ms(&fake, CREDENTIALS_DENIED_FOR_MS);
	set_how(3, OPEN);
	CU_ASSERT_EQUAL(list_users(accounts[3]), ERR_OK);
	close_org();
}

static void test_call_when_sts_fails(void)
{
	static const struct {
		enum how how;
		enum err_code want;
		bool retryable;
	} rows[] = {
		{THROTTLES, ERR_THROTTLED, true},
		{BREAKS, ERR_UNAVAILABLE, true},
		{UNKNOWN, ERR_UNAUTHENTICATED, false},
		{HALF, ERR_UNAUTHENTICATED, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char what[20];

		snprintf(what, sizeof(what), "row %zu", i);
		open_org(NULL);
		fake.auto_step_ms = 1;
		set_how(0, rows[i].how);
		ASSERT_I64(list_users(accounts[0]), rows[i].want, what);
		ASSERT_I64(err.retryable, rows[i].retryable, what);
		set_how(0, OPEN);
		ASSERT_I64(list_users(accounts[0]), ERR_OK, "and is not remembered");
		close_org();
	}
}

/* ---- probing ---- */

static const enum err_code probe_codes[] = {
	[OPEN] = ERR_OK, [DENIES] = ERR_DENIED, [THROTTLES] = ERR_THROTTLED, [BREAKS] = ERR_UNAVAILABLE};

static void check_probes(void)
{
	for (size_t i = 0; i < ACCOUNTS; i++) {
		ASSERT_I64(probes[i].code, probe_codes[i % 4], accounts[i].p);
		if (probes[i].code == ERR_OK)
			continue;
		ASSERT_I64(probes[i].err.code, probes[i].code, "the error's own code");
		ASSERT_STR(str_c(probes[i].err.aws_operation), STR("sts:AssumeRole"), "operation");
		CU_ASSERT(str_contains(str_c(probes[i].err.msg), accounts[i]));
		CU_ASSERT_EQUAL(probes[i].err.retryable, probes[i].code != ERR_DENIED);
	}
}

static void test_probe(void)
{
	open_org(NULL);
	org.delay_ms = 5;
	fake.auto_step_ms = 1; /* a throttled pacer gives turns only as time goes by */
	for (size_t i = 0; i < ACCOUNTS; i++)
		org.how[i] = (enum how)(i % 4);
	probe(ACCOUNTS, 8);
	check_probes();
	ASSERT_I64(sum(org.asked), ACCOUNTS, "each once");
	CU_ASSERT(scripted_http_most_at_once(server) > 1);
	CU_ASSERT(scripted_http_most_at_once(server) <= 8);
	for (size_t i = 0; i < ACCOUNTS; i += 4)
		CU_ASSERT_EQUAL(list_users(accounts[i]), ERR_OK);
	ASSERT_I64(sum(org.asked), ACCOUNTS, "what was probed is not assumed again");
	probe(ACCOUNTS, 8);
	check_probes();
	for (size_t i = 0; i < ACCOUNTS; i++)
		ASSERT_I64(org.asked[i], i % 4 < 2 ? 1 : 2, "only what may have passed is asked again");
	for (size_t i = 0; i < ACCOUNTS; i++)
		set_how(i, OPEN);
	fake_clock_advance_ms(&fake, CREDENTIALS_DENIED_FOR_MS - 20000); /* and what the calls took */
	probe(2, 8);
	CU_ASSERT_EQUAL(probes[1].code, ERR_DENIED);
	fake_clock_advance_ms(&fake, 20000);
	probe(ACCOUNTS, 8);
	for (size_t i = 0; i < ACCOUNTS; i++)
		ASSERT_I64(probes[i].code, ERR_OK, "a denial does not last");
	close_org();
}

static void test_probe_of_own_and_twice_the_same(void)
{
	struct str list[4] = {accounts[0], STR(OWN)};
	struct aws_probe results[4];

	open_org(NULL);
	list[0] = list[2] = accounts[5];
	list[3] = accounts[6];
	org.how[5] = DENIES;
	aws_session_probe(session, &ctx, list, 4, results, 4);
	CU_ASSERT_EQUAL(results[0].code, ERR_DENIED);
	CU_ASSERT_EQUAL(results[1].code, ERR_OK);
	CU_ASSERT_EQUAL(results[2].code, ERR_DENIED);
	CU_ASSERT_EQUAL(results[3].code, ERR_OK);
	ASSERT_I64(sum(org.asked), 2, "once each, the own account never");
	aws_session_probe(session, &ctx, NULL, 0, NULL, 4);
	close_org();
}

/* No account can be entered by somebody whom AWS does not know: that is not asked fifty times, and it is no
 * denial. */
static void test_probe_with_bad_keys(void)
{
	open_org(NULL);
	for (size_t i = 0; i < ACCOUNTS; i++)
		org.how[i] = UNKNOWN;
	probe(ACCOUNTS, 4);
	for (size_t i = 0; i < ACCOUNTS; i++) {
		ASSERT_I64(probes[i].code, ERR_UNAUTHENTICATED, accounts[i].p);
		ASSERT_STR(str_c(probes[i].err.aws_code), STR("InvalidClientTokenId"), "why");
	}
	CU_ASSERT(sum(org.asked) <= 8);
	close_org();
}

/* The connector's own role is denied: that says nothing about the accounts, so none may be left out for it. */
static void test_probe_when_the_own_role_is_denied(void)
{
	open_org_as(&(struct aws_session_options){
		.use_assume = true, .role_arn = STR("arn:aws:iam::" OWN ":role/hub")});
	probe(2, 2);
	CU_ASSERT_EQUAL(probes[0].code, ERR_UNAUTHENTICATED);
	CU_ASSERT_EQUAL(probes[1].code, ERR_UNAUTHENTICATED);
	CU_ASSERT_EQUAL(list_users(accounts[0]), ERR_UNAUTHENTICATED);
	close_org();
}

static enum err_code never_asked(void *self, const struct ctx *how, struct credentials_provider *source,
	const struct assume_role_request *req, struct aws_credentials **ret_credentials, struct err *reterr)
{
	(void)self;
	(void)how;
	(void)source;
	(void)req;
	(void)ret_credentials;
	return err_set(reterr, ERR_INTERNAL, "asked");
}

/* The same one level down: whatever a source calls its failure, it is no denial of the role. */
static void test_source_that_denies(void)
{
	CLEANUP(credentials_provider_unrefp) struct credentials_provider *p = NULL;
	struct aws_credentials *credentials = NULL;
	const struct ctx now = {.clock = &clock_system, .deadline_ms = CTX_NO_DEADLINE};
	struct err denied;

	err_set(&denied, ERR_DENIED, "no");
	p = credentials_assume_role_new(credentials_failing_new(&denied),
		&(struct assume_role_options){
			.role_arn = STR("r"), .keep_denied = true, .sts = {.fn = never_asked}});
	CU_ASSERT_EQUAL(credentials_fetch(p, &now, &credentials, &err), ERR_UNAUTHENTICATED);
	CU_ASSERT_EQUAL(err.code, ERR_UNAUTHENTICATED);
}

/* ---- the life of credentials ---- */

static void test_renewal(void)
{
	open_org(NULL);
	CU_ASSERT_EQUAL(list_users(accounts[0]), ERR_OK);
	fake_clock_advance_ms(&fake, (3600 - 301) * 1000);
	CU_ASSERT_EQUAL(list_users(accounts[0]), ERR_OK);
	CU_ASSERT(said(org.last_signer, STR("KEY0x1/")));
	fake_clock_advance_ms(&fake, 2000);
	set_how(0, BREAKS);
	CU_ASSERT_EQUAL(list_users(accounts[0]), ERR_OK); /* the old ones are good for 299 s */
	CU_ASSERT(said(org.last_signer, STR("KEY0x1/")));
	probe(1, 1);
	CU_ASSERT_EQUAL(probes[0].code, ERR_OK);
	set_how(0, OPEN);
	fake_clock_advance_ms(&fake, 11000);
	CU_ASSERT_EQUAL(list_users(accounts[0]), ERR_OK);
	CU_ASSERT(said(org.last_signer, STR("KEY0x2/")));
	fake_clock_advance_ms(&fake, (3600 - 299) * 1000);
	probe(1, 1);
	CU_ASSERT_EQUAL(probes[0].code, ERR_OK);
	ASSERT_I64(org.assumed[0], 3, "a probe renews too");
	close_org();
}

/* The role is gone while its last session is still valid: calls under way go on, a new listing leaves the
 * account out. */
static void test_denied_at_renewal(void)
{
	open_org(NULL);
	CU_ASSERT_EQUAL(list_users(accounts[0]), ERR_OK);
	fake_clock_advance_ms(&fake, (3600 - 299) * 1000);
	set_how(0, DENIES);
	probe(1, 1);
	CU_ASSERT_EQUAL(probes[0].code, ERR_DENIED);
	CU_ASSERT_EQUAL(list_users(accounts[0]), ERR_OK);
	probe(1, 1);
	CU_ASSERT_EQUAL(probes[0].code, ERR_DENIED);
	ASSERT_I64(org.asked[0], 2, "remembered");
	fake_clock_advance_ms(&fake, 299000);
	CU_ASSERT_EQUAL(list_users(accounts[0]), ERR_UNAUTHENTICATED);
	close_org();
}

/* Nobody tells us that a role was deleted: a listing that comes later asks again, while calls go on with what is
 * still good. */
static void test_proof_does_not_last(void)
{
	open_org(NULL);
	probe(1, 1);
	fake_clock_advance_ms(&fake, CHILD_ACCOUNTS_PROOF_MS - 1);
	set_how(0, BREAKS);
	probe(1, 1);
	CU_ASSERT_EQUAL(probes[0].code, ERR_OK);
	ASSERT_I64(org.asked[0], 1, "proved a minute ago");
	fake_clock_advance_ms(&fake, 1);
	probe(1, 1);
	CU_ASSERT_EQUAL(probes[0].code, ERR_OK); /* as far as can be told */
	ASSERT_I64(org.asked[0], 2, "asked");
	CU_ASSERT_EQUAL(list_users(accounts[0]), ERR_OK);
	CU_ASSERT(said(org.last_signer, STR("KEY0x1/")));
	set_how(0, DENIES);
	probe(1, 1);
	CU_ASSERT_EQUAL(probes[0].code, ERR_DENIED);
	CU_ASSERT_EQUAL(list_users(accounts[0]), ERR_OK);
	ASSERT_I64(org.asked[0], 3, "calls do not ask");
	set_how(0, OPEN);
	fake_clock_advance_ms(&fake, CREDENTIALS_DENIED_FOR_MS);
	probe(1, 1);
	CU_ASSERT_EQUAL(probes[0].code, ERR_OK);
	CU_ASSERT_EQUAL(list_users(accounts[0]), ERR_OK);
	CU_ASSERT(said(org.last_signer, STR("KEY0x2/")));
	close_org();
}

static void test_refused_session(void)
{
	static const char *const codes[] = {"ExpiredToken", "InvalidClientTokenId"};

	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		open_org(NULL);
		org.refused_as = codes[i];
		org.refused_serial[0] = 1;
		CU_ASSERT_EQUAL(list_users(accounts[0]), ERR_OK);
		CU_ASSERT(said(org.last_signer, STR("KEY0x2/")));
		ASSERT_I64(org.listed[0], 2, codes[i]);
		ASSERT_I64(org.asked[0], 2, codes[i]);
		close_org();
	}
}

static void test_role_deleted_in_the_middle(void)
{
	open_org(NULL);
	probe(1, 1);
	CU_ASSERT_EQUAL(probes[0].code, ERR_OK);
	org.refused_as = "InvalidClientTokenId";
	org.refused_serial[0] = 1;
	set_how(0, DENIES);
	CU_ASSERT_EQUAL(list_users(accounts[0]), ERR_UNAUTHENTICATED); /* never a denied resource */
	ASSERT_STR(str_c(err.aws_operation), STR("sts:AssumeRole"), "operation");
	probe(1, 1);
	CU_ASSERT_EQUAL(probes[0].code, ERR_DENIED);
	close_org();
}

/* ---- threads, cancellation, deadlines ---- */

static void *list_one(void *arg)
{
	_Atomic int *good = arg;
	struct err e;

	if (list_users_with(&ctx, accounts[0], &e) == ERR_OK)
		(*good)++;
	return NULL;
}

static void run_threads(size_t n, thread_main_fn *fn, void *arg)
{
	struct thread threads[16];

	for (size_t i = 0; i < n; i++)
		CU_ASSERT_EQUAL_FATAL(thread_start(&threads[i], "tester", 0, fn, arg, &err), ERR_OK);
	for (size_t i = 0; i < n; i++)
		thread_join(&threads[i]);
}

static void test_single_flight(void)
{
	_Atomic int good = 0;

	open_org(NULL);
	org.delay_ms = 20;
	run_threads(8, list_one, &good);
	ASSERT_I64(good, 8, "all got in");
	ASSERT_I64(org.asked[0], 1, "one flight");
	ASSERT_I64(org.identities, 1, "one identity");
	close_org();
}

/* Probes of overlapping halves, calls in between. */
static void *probe_and_list(void *arg)
{
	_Atomic int *turn = arg;
	struct aws_probe results[ACCOUNTS / 2];
	int me = (*turn)++;
	size_t from = (size_t)(me % 3) * ACCOUNTS / 4;
	struct err e;

	for (int round = 0; round < 3; round++) {
		aws_session_probe(session, &ctx, &accounts[from], ACCOUNTS / 2, results, 6);
		for (size_t i = 0; i < ACCOUNTS / 2; i++) {
			bool denied = (from + i) % 5 == 1;

			if (results[i].code != (denied ? ERR_DENIED : ERR_OK) ||
				list_users_with(&ctx, accounts[from + i], &e) !=
					(denied ? ERR_UNAUTHENTICATED : ERR_OK))
				(*turn) += 1000;
		}
	}
	return NULL;
}

static void test_many_threads(void)
{
	_Atomic int turn = 0;

	open_org(NULL);
	for (size_t i = 1; i < ACCOUNTS; i += 5)
		org.how[i] = DENIES;
	org.life_s = 100000000;
	run_threads(6, probe_and_list, &turn);
	ASSERT_I64(turn, 6, "everybody got what is so");
	for (size_t i = 0; i < ACCOUNTS; i++)
		if (i % 5 != 1)
			ASSERT_I64(org.asked[i], 1, "nobody twice");
	close_org();
}

static void *cancel_soon(void *arg)
{
	while (sum(org.asked) < 4)
		clock_sleep_ms(1);
	cancel_fire(arg);
	return NULL;
}

static void test_cancelled_probe(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct cancel *cancel = cancel_new();
	struct aws_identity id;
	struct thread thread;

	open_org(NULL);
	CU_ASSERT_EQUAL(aws_session_identity(session, &ctx, false, a, &id, &err), ERR_OK);
	for (size_t i = 0; i < ACCOUNTS; i++)
		org.how[i] = SILENT;
	CU_ASSERT_EQUAL_FATAL(thread_start(&thread, "canceller", 0, cancel_soon, cancel, &err), ERR_OK);
	ctx.cancel = cancel;
	probe(ACCOUNTS, 4);
	thread_join(&thread);
	for (size_t i = 0; i < ACCOUNTS; i++)
		ASSERT_I64(probes[i].code, ERR_CANCELLED, accounts[i].p);
	ctx.cancel = NULL;
	for (size_t i = 0; i < ACCOUNTS; i++)
		set_how(i, OPEN);
	probe(ACCOUNTS, 8);
	for (size_t i = 0; i < ACCOUNTS; i++)
		ASSERT_I64(probes[i].code, ERR_OK, "nothing is left of it");
	cancel_unref(cancel);
	close_org();
}

static void *probe_first(void *arg)
{
	struct aws_probe result;

	aws_session_probe(session, arg, accounts, 1, &result, 1);
	return NULL;
}

/* Whoever waits for somebody else's flight is not ended with it. */
static void test_waiter_takes_over(void)
{
	struct cancel *cancel = cancel_new();
	struct ctx cancelled;
	struct thread first, second;
	_Atomic int good = 0;

	open_org(NULL);
	cancelled = ctx;
	cancelled.cancel = cancel;
	set_how(0, SILENT);
	CU_ASSERT_EQUAL_FATAL(thread_start(&first, "first", 0, probe_first, &cancelled, &err), ERR_OK);
	while (sum(org.asked) < 1)
		clock_sleep_ms(1);
	set_how(0, OPEN);
	CU_ASSERT_EQUAL_FATAL(thread_start(&second, "second", 0, list_one, &good, &err), ERR_OK);
	clock_sleep_ms(10); /* most likely it waits now; if not, it asks first: the result is the same */
	cancel_fire(cancel);
	thread_join(&first);
	thread_join(&second);
	ASSERT_I64(good, 1, "the other one got in");
	cancel_unref(cancel);
	close_org();
}

static void test_probe_and_the_deadline(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct aws_identity id;

	open_org(NULL);
	CU_ASSERT_EQUAL(aws_session_identity(session, &ctx, false, a, &id, &err), ERR_OK);
	for (size_t i = 0; i < ACCOUNTS; i++)
		org.how[i] = SILENT;
	ctx.clock = &clock_system;
	ctx.deadline_ms = clock_mono_ms(&clock_system) + 30;
	probe(ACCOUNTS, 4);
	for (size_t i = 0; i < ACCOUNTS; i++)
		ASSERT_I64(probes[i].code, ERR_DEADLINE, accounts[i].p);
	close_org();
}

/* ---- the table itself, without a network ---- */

static struct http *no_http;
static struct sigv4_signer *no_signer;
static struct call_stats *no_stats;

static struct aws_client *offline_client(void *self, const struct aws_service *service,
	struct credentials_provider *credentials, struct pacer *pacer)
{
	static const struct aws_endpoint nowhere = {.url = STR_INIT("http://127.0.0.1:1"),
		.host = STR_INIT("127.0.0.1:1"),
		.path = STR_INIT("/"),
		.signing_region = STR_INIT("us-east-1")};

	(void)self;
	return aws_client_new(&(struct aws_client_options){.service = service,
		.endpoint = &nowhere,
		.http = no_http,
		.signer = no_signer,
		.stats = no_stats,
		.credentials = credentials,
		.pacer = pacer,
		.clock = &fake.clock,
		.random = aws_random_system});
}

static struct child_accounts *offline_table(size_t max)
{
	CLEANUP(secret_unrefp) struct secret *secret = secret_new(STR("s"));
	CLEANUP(credentials_provider_unrefp)
	struct credentials_provider *source = credentials_static_new(STR("k"), secret, NULL);
	CLEANUP(aws_client_unrefp) struct aws_client *sts = offline_client(NULL, &aws_sts, source, NULL);

	fake_clock_init(&fake, WALL_S);
	return child_accounts_new(&(struct child_accounts_options){.source = source,
		.sts_client = sts,
		.client = offline_client,
		.clock = &fake.clock,
		.max = max});
}

static struct aws_client *offline_get(struct child_accounts *t, const char *account)
{
	const struct aws_identity own = {.account = STR(OWN), .partition = STR("aws")};
	struct aws_client *c = NULL;

	if (child_accounts_client(t, &own, &aws_iam, str_c(account), &c, &err) != ERR_OK)
		return NULL;
	return c;
}

static void test_bounded(void)
{
	struct child_accounts *t = offline_table(3);
	struct aws_client *a = offline_get(t, "000000000001"), *again, *b, *c;

	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	aws_client_unref(offline_get(t, "000000000002"));
	aws_client_unref(offline_get(t, "000000000003"));
	aws_client_unref(offline_get(t, "000000000002"));
	ASSERT_I64(child_accounts_count(t), 3, "all kept");
	aws_client_unref(
		offline_get(t, "000000000004")); /* in the place of 3: 1 is in use, 2 was asked for later */
	ASSERT_I64(child_accounts_count(t), 3, "no more than allowed");
	again = offline_get(t, "000000000001");
	CU_ASSERT_PTR_EQUAL(a, again);
	b = offline_get(t, "000000000002");
	c = offline_get(t, "000000000005");
	CU_ASSERT_PTR_NOT_NULL_FATAL(b);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	CU_ASSERT_PTR_NULL(offline_get(t, "000000000006"));
	ASSERT_I64(err.code, ERR_UNAVAILABLE, "every place is in use");
	CU_ASSERT(err.retryable);
	aws_client_unref(c);
	c = offline_get(t, "000000000006");
	CU_ASSERT_PTR_NOT_NULL(c);
	aws_client_unref(a);
	aws_client_unref(again);
	aws_client_unref(b);
	aws_client_unref(c);
	child_accounts_free(t);
	child_accounts_free(NULL);
}

static void test_idle(void)
{
	struct child_accounts *t = offline_table(0);
	struct aws_client *held = offline_get(t, "000000000001"), *again;
	char account[13];

	for (int i = 100; i < 1100; i++) {
		snprintf(account, sizeof(account), "%012d", i);
		aws_client_unref(offline_get(t, account));
	}
	ASSERT_I64(child_accounts_count(t), 1001, "all kept");
	fake_clock_advance_ms(&fake, CHILD_ACCOUNTS_IDLE_MS - 1);
	aws_client_unref(offline_get(t, "000000000100"));
	ASSERT_I64(child_accounts_count(t), 1001, "not yet");
	fake_clock_advance_ms(&fake, 1);
	again = offline_get(t, "000000000001");
	CU_ASSERT_PTR_EQUAL(held, again);
	ASSERT_I64(child_accounts_count(t), 2, "the one in use and the one asked for lately");
	aws_client_unref(held);
	aws_client_unref(again);
	child_accounts_free(t);
}

static void test_services(void)
{
	const struct aws_identity own = {.account = STR(OWN), .partition = STR("aws")};
	struct child_accounts *t = offline_table(0);
	struct aws_client *iam = offline_get(t, "000000000001"), *sts = NULL,
			  *iam2 = offline_get(t, "000000000001");

	CU_ASSERT_EQUAL(child_accounts_client(t, &own, &aws_sts, STR("000000000001"), &sts, &err), ERR_OK);
	CU_ASSERT_PTR_NOT_EQUAL(iam, sts);
	CU_ASSERT_PTR_EQUAL(iam, iam2);
	ASSERT_I64(child_accounts_count(t), 1, "one account");
	aws_client_unref(iam);
	aws_client_unref(iam2);
	aws_client_unref(sts);
	child_accounts_free(t);
}

int main(void)
{
	static CU_TestInfo clients[] = {
		{"own and child", test_own_and_child},
		{"role names", test_role_names},
		{"no account number", test_no_account_number},
		{"a call into a closed account", test_call_into_a_closed_account},
		{"a call when STS fails", test_call_when_sts_fails},
		CU_TEST_INFO_NULL,
	};
	static CU_TestInfo probing[] = {
		{"mixed results", test_probe},
		{"the own account, and one twice", test_probe_of_own_and_twice_the_same},
		{"bad keys", test_probe_with_bad_keys},
		{"the own role is denied", test_probe_when_the_own_role_is_denied},
		{"a source that denies", test_source_that_denies},
		CU_TEST_INFO_NULL,
	};
	static CU_TestInfo life[] = {
		{"renewal", test_renewal},
		{"denied at renewal", test_denied_at_renewal},
		{"a proof does not last", test_proof_does_not_last},
		{"a refused session", test_refused_session},
		{"the role is deleted", test_role_deleted_in_the_middle},
		CU_TEST_INFO_NULL,
	};
	static CU_TestInfo threads[] = {
		{"single flight", test_single_flight},
		{"many threads", test_many_threads},
		{"cancelled probe", test_cancelled_probe},
		{"a waiter takes over", test_waiter_takes_over},
		{"deadline", test_probe_and_the_deadline},
		CU_TEST_INFO_NULL,
	};
	static CU_TestInfo table[] = {
		{"bounded", test_bounded},
		{"idle", test_idle},
		{"services", test_services},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{"child accounts: clients", NULL, NULL, NULL, NULL, clients},
		{"child accounts: probing", NULL, NULL, NULL, NULL, probing},
		{"child accounts: credentials", NULL, NULL, NULL, NULL, life},
		{"child accounts: threads", NULL, NULL, NULL, NULL, threads},
		{"child accounts: table", NULL, NULL, NULL, NULL, table},
		CU_SUITE_INFO_NULL,
	};

	return unit_main(suites);
}
