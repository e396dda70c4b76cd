/* layers: syncers inventory aws store proto base
 *
 * D11: which roles a grant of a trust policy expands to. The facts of accounts lie in the session store; a scripted AWS says which
 * accounts there are and lets us into them, or not. */
#include <stdio.h>

#include "aws/session.h"
#include "inventory/inventory.h"
#include "proto/messages.h"
#include "proto/pb_build.h"
#include "store/memory.h"
#include "store/store.h"
#include "support/cunit_main.h"
#include "support/sample_account.h"
#include "support/scripted_http.h"
#include "support/scripted_session.h"
#include "syncers/syncer.h"

#define SYNC    "2abcdefghijklmnopqrstuvwxyz"
#define FOREIGN "999999999999" /* the sample's role r2 trusts its role/foreign */

static const struct ctx background = {.clock = &clock_system, .deadline_ms = CTX_NO_DEADLINE};
static const struct syncer_config with_organization = {.organization = true};
static const struct syncer_config without_organization = {.organization = false};

static struct fixture {
	const char *accounts; /* what Organizations lists */
	int assume_status;    /* how AssumeRole fails */
	struct scripted_http *aws;
	struct aws_session *session;
	struct store *store;
	struct inventory *inventory;
	struct arena *arena;
} fx;

static struct scripted_answer answer(void *self, const struct scripted_request *req, struct arena *arena)
{
	(void)self;
	if (str_contains(scripted_header(req, "X-Amz-Target"), STR("ListAccounts")))
		return (struct scripted_answer){.body = str_fmt(arena, "{\"Accounts\":[%s]}", fx.accounts)};
	if (str_contains(req->body, STR("Action=GetCallerIdentity")))
		return (struct scripted_answer){
			.body = STR("<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>" SAMPLE_ARN(
				"user/x") "</Arn><UserId>u</UserId><Account>" SAMPLE_ACCOUNT
					  "</Account></GetCallerIdentityResult></"
					  "GetCallerIdentityResponse>")};
	return (struct scripted_answer){.status = fx.assume_status,
		.body = str_fmt(arena,
			"<ErrorResponse><Error><Code>%s</Code><Message>m</Message></Error></ErrorResponse>",
			fx.assume_status == 403 ? "AccessDenied" : "InternalFailure")};
}

static void keep(const char *key, struct iam_account *take_account)
{
	struct err e;

	CU_ASSERT_EQUAL_FATAL(store_put(fx.store, &background, STR(SYNC), str_c(key),
				      iam_account_bytes(take_account), 0, &e),
		ERR_OK);
	iam_account_unref(take_account);
}

static struct iam_account *foreign_account(void)
{
	struct iam_draft *d = iam_draft_new(STR(FOREIGN));
	struct draft_role *r = iam_draft_add(d, IAM_ROLES, sizeof(*r));
	struct iam_account *account = NULL;
	struct err e;

	r->facts.is.arn = STR("arn:aws:iam::" FOREIGN ":role/foreign");
	CU_ASSERT_EQUAL_FATAL(iam_draft_finish(d, 1 << 20, &account, &e), ERR_OK);
	iam_draft_free(d);
	return account;
}

static void set_up(const char *accounts, int assume_status)
{
	fx = (struct fixture){.accounts = accounts, .assume_status = assume_status};
	fx.aws = scripted_http_start(answer, NULL);
	fx.session = scripted_session(fx.aws, (struct aws_session_options){.quota_percent = 100});
	fx.store = store_memory_new(&(struct store_memory_options){
		.max_bytes = 1 << 20, .max_age_ms = 60000, .clock = &clock_system});
	fx.inventory = inventory_new(
		&(struct inventory_options){.aws = fx.session, .store = fx.store, .clock = &clock_system});
	fx.arena = arena_new(0);
	keep("iam-account/2/" SAMPLE_ACCOUNT, sample_account());
}

static void tear_down(void)
{
	inventory_free(fx.inventory);
	store_free(fx.store);
	aws_session_free(fx.session);
	scripted_http_stop(fx.aws);
	arena_free(fx.arena);
}

/* The grant of r2 to role/foreign: does it expand? */
static enum err_code ask(const struct syncer_config *config, bool *ret_expands)
{
	const struct syncer_call call = {.ctx = &background,
		.arena = fx.arena,
		.inventory = fx.inventory,
		.config = config,
		.sync_id = STR(SYNC),
		.page_token = STR_EMPTY};
	V2(Resource) *r2 = pb_new(fx.arena, V2_DESC(resource));
	const struct syncer *all[SYNCERS_MAX];
	const size_t n = syncers_registered(config, all);
	struct syncer_page page;
	struct err e;

	r2->id = pb_new(fx.arena, V2_DESC(resource_id));
	r2->id->resource_type = pb_str(fx.arena, STR("role"));
	r2->id->resource = pb_str(fx.arena, STR(SAMPLE_ARN("role/r2")));
	for (size_t i = 0; i < n; i++) {
		if (!str_eq_c(STR("role"), all[i]->type_id))
			continue;
		if (all[i]->grants(&call, r2, &page, &e) != ERR_OK)
			return e.code;
	}
	CU_ASSERT_EQUAL_FATAL(page.n, 3);
	*ret_expands = ((V2(Grant) *)page.items[2])->n_annotations == 1;
	return ERR_OK;
}

#define ACTIVE                                                                                               \
	"{\"Id\":\"" FOREIGN                                                                                 \
	"\",\"Name\":\"x\",\"Arn\":\"arn:aws:organizations::1:account/o-1/x\",\"Status\":\"ACTIVE\"}"
#define SUSPENDED                                                                                            \
	"{\"Id\":\"" FOREIGN                                                                                 \
	"\",\"Name\":\"x\",\"Arn\":\"arn:aws:organizations::1:account/o-1/x\",\"Status\":\"SUSPENDED\"}"

static void test_into_another_account_of_the_sync(void)
{
	bool expands = false;

	set_up(ACTIVE, 403);
	keep("iam-account/2/" FOREIGN, foreign_account());
	CU_ASSERT_EQUAL(ask(&with_organization, &expands), ERR_OK);
	CU_ASSERT(expands);
	CU_ASSERT_EQUAL(ask(&without_organization, &expands), ERR_OK);
	CU_ASSERT_FALSE(expands);
	tear_down();
}

static void test_not_out_of_the_sync(void)
{
	static const char *const accounts[] = {"", SUSPENDED};
	bool expands = true;

	for (size_t i = 0; i < ARRAY_LEN(accounts); i++) {
		set_up(accounts[i], 403);
		keep("iam-account/2/" FOREIGN, foreign_account());
		CU_ASSERT_EQUAL(ask(&with_organization, &expands), ERR_OK);
		CU_ASSERT_FALSE(expands);
		tear_down();
	}
}

static void test_account_that_denies(void)
{
	bool expands = true;

	set_up(ACTIVE, 403);
	CU_ASSERT_EQUAL(ask(&with_organization, &expands), ERR_OK);
	CU_ASSERT_FALSE(expands);
	tear_down();
}

/* A failure that may pass is no denial: the grant would lose its expansion. */
static void test_account_that_fails(void)
{
	bool expands;

	set_up(ACTIVE, 500);
	CU_ASSERT_EQUAL(ask(&with_organization, &expands), ERR_UNAVAILABLE);
	tear_down();
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"to a role of another account of the sync", test_into_another_account_of_the_sync},
		{"to no role outside of the sync", test_not_out_of_the_sync},
		{"to none of an account that denies us", test_account_that_denies},
		{"fails with an account that fails", test_account_that_fails},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{"role expansion", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
