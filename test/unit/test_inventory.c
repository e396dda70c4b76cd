/* layers: inventory aws store base
 *
 * The inventory against a scripted AWS: what becomes of failures that could pass for a smaller estate. The ways of reading an account are
 * tested with the simulator (test/e2e). */
#include "inventory/inventory.h"

#include <stdio.h>
#include <string.h>

#include "aws/session.h"
#include "base/mem.h"
#include "inventory/iam_account.h"
#include "store/memory.h"
#include "store/store.h"
#include "support/cunit_main.h"
#include "support/scripted_http.h"
#include "support/scripted_session.h"

#define OWN   "123456789012"
#define CHILD "210987654321"
#define SYNC  "2abcdefghijklmnopqrstuvwxyz"

/* An answer to requests that hold all of these texts; the first that fits. Everything else gets an empty list. */
struct rule {
	const char *action, *with; /* "Action=X&" is in the body, and so is this */
	int status;
	const char *body; /* of the result; of an error: its code */
};

#define USERS                                                                                                \
	"<Users><member><UserName>a</UserName><Arn>arn:aws:iam::" OWN ":user/a</Arn></member>"               \
	"<member><UserName>b</UserName><Arn>arn:aws:iam::" OWN ":user/b</Arn></member></Users>"

static const struct rule always[] = {
	{"GetCallerIdentity", "", 200,
		"<Arn>arn:aws:iam::" OWN ":user/x</Arn><UserId>u</UserId><Account>" OWN "</Account>"},
	{"GenerateCredentialReport", "", 403, "AccessDenied"},
	{"ListUsers", "", 200, USERS},
	{"AssumeRole", "", 403, "AccessDenied"},
};

static struct fixture {
	const struct rule *rules; /* come before `always` */
	size_t n_rules;
	struct scripted_http *aws;
	struct aws_session *session;
	struct store *store;
	struct inventory *inventory;
} fx;

static const struct ctx background = {.clock = &clock_system, .deadline_ms = CTX_NO_DEADLINE};

static const struct rule *find_rule(const struct rule *rules, size_t n, struct str action, struct str body)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq_c(action, rules[i].action) && str_contains(body, str_c(rules[i].with)))
			return &rules[i];
	}
	return NULL;
}

static struct scripted_answer answer(void *self, const struct scripted_request *req, struct arena *arena)
{
	struct str action = str_from(req->body, (size_t)str_find(req->body, STR("Action=")) + 7);
	const struct rule *r;

	(void)self;
	action = str_cut(&action, '&');
	r = find_rule(fx.rules, fx.n_rules, action, req->body);
	if (r == NULL)
		r = find_rule(always, ARRAY_LEN(always), action, req->body);
	if (r != NULL && r->status != 200)
		return (struct scripted_answer){.status = r->status,
			.body = str_fmt(arena,
				"<ErrorResponse><Error><Code>%s</Code><Message>m</Message></Error></"
				"ErrorResponse>",
				r->body)};
	return (struct scripted_answer){.body = str_fmt(arena,
						"<" STR_FMT "Response><" STR_FMT "Result>%s</" STR_FMT
						"Result></" STR_FMT "Response>",
						STR_ARG(action), STR_ARG(action),
						r == NULL ? "<IsTruncated>false</IsTruncated>" : r->body,
						STR_ARG(action), STR_ARG(action))};
}

static void set_up(const struct rule *rules, size_t n)
{
	fx.rules = rules;
	fx.n_rules = n;
	fx.aws = scripted_http_start(answer, NULL);
	fx.session = scripted_session(fx.aws, (struct aws_session_options){.quota_percent = 100});
	fx.store = store_memory_new(&(struct store_memory_options){
		.max_bytes = 1 << 20, .max_age_ms = 60000, .clock = &clock_system});
	fx.inventory = inventory_new(&(struct inventory_options){
		.aws = fx.session, .store = fx.store, .clock = &clock_system, .read_ahead = 1});
}

static void tear_down(void)
{
	inventory_free(fx.inventory);
	store_free(fx.store);
	aws_session_free(fx.session);
	scripted_http_stop(fx.aws);
}

static enum err_code read_own(struct err *reterr)
{
	struct iam_account *account;
	const enum err_code code =
		inventory_iam_account(fx.inventory, &background, STR(SYNC), STR_EMPTY, &account, reterr);

	if (code == ERR_OK)
		iam_account_unref(account);
	return code;
}

/* Decision 9: the engine takes NOT_FOUND for "this one object is gone" and calls its sync complete. */
static void test_not_found_is_no_answer(void)
{
	static const struct rule rules[] = {{"GetAccountAuthorizationDetails", "", 404, "NoSuchEntity"}};
	struct err e;

	set_up(rules, ARRAY_LEN(rules));
	CU_ASSERT_EQUAL(read_own(&e), ERR_MISSING);
	CU_ASSERT(str_starts(str_c(e.msg), STR("baton-aws: ")));
	tear_down();
}

/* Decision 10: the policy side may be missing as a whole, not for some. Both users are asked about in one wave: whichever answer is looked
 * at first, the denial fails. */
static void test_denied_for_some(void)
{
	static const struct rule first[] = {
		{"GetAccountAuthorizationDetails", "", 403, "AccessDenied"},
		{"ListAttachedUserPolicies", "UserName=a", 403, "AccessDenied"},
	};
	static const struct rule second[] = {
		{"GetAccountAuthorizationDetails", "", 403, "AccessDenied"},
		{"ListAttachedUserPolicies", "UserName=b", 403, "AccessDenied"},
	};
	static const struct rule both[] = {
		{"GetAccountAuthorizationDetails", "", 403, "AccessDenied"},
		{"ListAttachedUserPolicies", "", 403, "AccessDenied"},
	};
	struct err e;

	set_up(first, ARRAY_LEN(first));
	CU_ASSERT_EQUAL(read_own(&e), ERR_DENIED);
	CU_ASSERT(strstr(e.msg, "ListAttachedUserPolicies") != NULL);
	tear_down();
	set_up(second, ARRAY_LEN(second));
	CU_ASSERT_EQUAL(read_own(&e), ERR_DENIED);
	tear_down();
	set_up(both, ARRAY_LEN(both));
	CU_ASSERT_EQUAL(read_own(&e), ERR_OK);
	tear_down();
}

/* An account that denies us is warned about once per sync, however often its page is asked again. */
static void test_denied_accounts_count_once(void)
{
	static const struct str accounts[] = {STR_INIT(OWN), STR_INIT(CHILD)};
	struct inventory_stats stats;
	bool ok[2];
	struct err e;

	set_up(NULL, 0);
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(
			inventory_enter_accounts(fx.inventory, &background, STR(SYNC), accounts, 2, ok, &e),
			ERR_OK);
		CU_ASSERT(ok[0]);
		CU_ASSERT_FALSE(ok[1]);
	}
	inventory_stats(fx.inventory, &stats);
	CU_ASSERT_EQUAL(stats.denied_reads, 1);
	tear_down();
}

/* Requests without a sync have nothing to share a claim with, and no end at which it would go. */
static void test_claims_without_a_sync(void)
{
	set_up(NULL, 0);
	CU_ASSERT(inventory_claim_policy(fx.inventory, STR(SYNC), STR("p"), STR(OWN)));
	CU_ASSERT_FALSE(inventory_claim_policy(fx.inventory, STR(SYNC), STR("p"), STR(CHILD)));
	CU_ASSERT(inventory_claim_policy(fx.inventory, STR_EMPTY, STR("p"), STR(OWN)));
	CU_ASSERT(inventory_claim_policy(fx.inventory, STR_EMPTY, STR("p"), STR(CHILD)));
	tear_down();
}

/* 1,400 policies of which not one may be read cost one wave of denied calls, not 1,400. */
static void test_denied_documents(void)
{
	static const struct rule denied[] = {{"GetPolicyVersion", "", 403, "AccessDenied"}};
	struct policy_version policies[500];
	struct str documents[500];
	struct arena *arena = arena_new(0);
	struct err e;

	set_up(denied, ARRAY_LEN(denied));
	for (size_t i = 0; i < ARRAY_LEN(policies); i++)
		policies[i] =
			(struct policy_version){str_fmt(arena, "arn:aws:iam::aws:policy/P%zu", i), STR("v1")};
	for (int page = 0; page < 2; page++) {
		CU_ASSERT_EQUAL(inventory_policy_documents(fx.inventory, &background, policies,
					ARRAY_LEN(policies), arena, documents, &e),
			ERR_OK);
		CU_ASSERT_EQUAL(documents[499].n, 0);
	}
	CU_ASSERT(scripted_http_requests(fx.aws) <= 64 + 1); /* who are we */
	tear_down();
	arena_free(arena);
}

static void test_alias(void)
{
	static const struct rule denied[] = {{"ListAccountAliases", "", 403, "AccessDenied"}};
	static const struct rule broken[] = {{"ListAccountAliases", "", 403, "InvalidClientTokenId"}};
	struct arena *arena = arena_new(0);
	struct str alias = STR("x");
	struct err e;

	set_up(denied, ARRAY_LEN(denied));
	CU_ASSERT_EQUAL(inventory_account_alias(fx.inventory, &background, arena, &alias, &e), ERR_OK);
	CU_ASSERT_EQUAL(alias.n, 0);
	tear_down();
	set_up(broken, ARRAY_LEN(broken));
	CU_ASSERT_EQUAL(
		inventory_account_alias(fx.inventory, &background, arena, &alias, &e), ERR_UNAUTHENTICATED);
	tear_down();
	arena_free(arena);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"what AWS does not find is no answer", test_not_found_is_no_answer},
		{"a policy side denied for some", test_denied_for_some},
		{"accounts that deny count once", test_denied_accounts_count_once},
		{"claims without a sync", test_claims_without_a_sync},
		{"documents that are denied", test_denied_documents},
		{"the account's alias", test_alias},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"inventory", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
