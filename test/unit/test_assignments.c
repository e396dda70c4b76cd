/* layers: inventory aws store base
 *
 * Who holds what, by pairs or by principals, against a scripted AWS: which way is chosen, when it is left, and that the rows are the same. All
 * other facts lie in the session store. */
#include "inventory/identity_center.h"

#include <stdatomic.h>
#include <stdio.h>

#include "aws/session.h"
#include "inventory/inventory.h"
#include "store/memory.h"
#include "support/cunit_main.h"
#include "support/kept_rows.h"
#include "support/scripted_http.h"
#include "support/scripted_session.h"

#define SYNC   "2abcdefghijklmnopqrstuvwxyz"
#define MAIN   "111111111111"
#define OTHER  "222222222222"
#define CLOSED "333333333333"
#define SET(x) "arn:aws:sso:::permissionSet/ssoins-7204abcd1234abcd/ps-" x
#define ARN(x) "arn:aws:organizations::" MAIN ":account/o-1/" x

#define ROWS_OF(account, set, type, id)                                                                      \
	"{\"AccountId\":\"" account "\",\"PermissionSetArn\":\"" SET(set) "\",\"PrincipalType\":\"" type     \
									  "\",\"PrincipalId\":\"" id "\"}"

/* The first two texts of a request's body that fit decide. */
struct rule {
	const char *with, *and_with;
	int status;        /* 0: 200 */
	const char *body;  /* of an error: its code */
	const char *token; /* of the next page; NULL: none */
};

static const struct rule truth[] = {
	{"\"PrincipalId\":\"g-1\"", "", 0,
		ROWS_OF(MAIN, "1", "GROUP", "g-1") "," ROWS_OF(OTHER, "1", "GROUP", "g-1"), NULL},
	{"\"PrincipalId\":\"u-1\"", "\"NextToken\":\"2\"", 0,
		ROWS_OF(MAIN, "9", "USER", "u-1") "," ROWS_OF(CLOSED, "1", "USER", "u-1"), NULL},
	{"\"PrincipalId\":\"u-1\"", "", 0,
		ROWS_OF(MAIN, "1", "GROUP", "g-1") "," ROWS_OF(OTHER, "1", "GROUP", "g-1") "," ROWS_OF(
			MAIN, "2", "USER", "u-1") "," ROWS_OF(MAIN, "1", "USER", "u-1"),
		"2"},
	{"\"AccountId\":\"" MAIN "\"", SET("1"), 0,
		ROWS_OF(MAIN, "1", "USER", "u-1") "," ROWS_OF(MAIN, "1", "GROUP", "g-1"), NULL},
	{"\"AccountId\":\"" MAIN "\"", SET("2"), 0, ROWS_OF(MAIN, "2", "USER", "u-1"), NULL},
	{"\"AccountId\":\"" OTHER "\"", SET("1"), 0, ROWS_OF(OTHER, "1", "GROUP", "g-1"), NULL},
};
/* Of set 9, which is not provisioned, nothing; of who else is in the answer, nothing. */
#define ON_MAIN  SET("1") "|GROUP|g-1 " SET("1") "|USER|u-1 " SET("2") "|USER|u-1 "
#define ON_OTHER SET("1") "|GROUP|g-1 "

static struct fixture {
	const struct rule *rules; /* come before the truth */
	size_t n_rules;
	const char *own_account;
	int64_t delay_ms; /* of errors */
	atomic_int by_principal, by_pair, other;
	struct scripted_http *aws;
	struct aws_session *session;
	struct store *store;
	struct inventory *inventory;
	struct arena *arena;
} fx;

static const struct ctx foreground = {.clock = &clock_system, .deadline_ms = CTX_NO_DEADLINE};

static const struct rule *find_rule(const struct rule *rules, size_t n, struct str body)
{
	for (size_t i = 0; i < n; i++) {
		if (str_contains(body, str_c(rules[i].with)) && str_contains(body, str_c(rules[i].and_with)))
			return &rules[i];
	}
	return NULL;
}

static struct scripted_answer identity(struct arena *arena)
{
	return (struct scripted_answer){
		.body = str_fmt(arena,
			"<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::%s:user/x</"
			"Arn>"
			"<UserId>u</UserId><Account>%s</Account></GetCallerIdentityResult></"
			"GetCallerIdentityResponse>",
			fx.own_account, fx.own_account)};
}

static struct scripted_answer answer(void *self, const struct scripted_request *req, struct arena *arena)
{
	const struct str target = scripted_header(req, "X-Amz-Target");
	const struct rule *r = find_rule(fx.rules, fx.n_rules, req->body);

	(void)self;
	if (target.n == 0)
		return identity(arena);
	atomic_fetch_add(str_eq(target, STR("SWBExternalService.ListAccountAssignmentsForPrincipal"))
				 ? &fx.by_principal
			 : str_eq(target, STR("SWBExternalService.ListAccountAssignments")) ? &fx.by_pair
											    : &fx.other,
		1);
	if (r == NULL)
		r = find_rule(truth, ARRAY_LEN(truth), req->body);
	if (r != NULL && r->status != 0)
		return (struct scripted_answer){.status = r->status,
			.body = str_fmt(arena, "{\"__type\":\"%s\"}", r->body),
			.delay_ms = fx.delay_ms};
	if (r != NULL && r->token != NULL)
		return (struct scripted_answer){
			.body = str_fmt(arena, "{\"NextToken\":\"%s\",\"AccountAssignments\":[%s]}", r->token,
				r->body)};
	return (struct scripted_answer){
		.body = str_fmt(arena, "{\"AccountAssignments\":[%s]}", r == NULL ? "" : r->body)};
}

#define KEEP(key, n_texts, number, ...)                                                                      \
	do {                                                                                                 \
		const struct row kept_[] = {__VA_ARGS__};                                                    \
		keep_rows(fx.store, STR(SYNC), (key), (struct kept_shape){(n_texts), (number)}, kept_,       \
			ARRAY_LEN(kept_));                                                                   \
	} while (0)

/* n further users, of whom AWS knows nothing, and as many pairs of an account that has nothing to do with the rest. */
static void keep_directory(size_t n_users, size_t n_pairs)
{
	struct row *users = arena_array_of(fx.arena, n_users + 1, struct row);
	struct row *cells = arena_array_of(fx.arena, n_pairs + 5, struct row);

	users[0] = (struct row)ROW(STR("u-1"), STR("alice"));
	for (size_t i = 0; i < n_users; i++)
		users[i + 1] = (struct row)ROW(str_fmt(fx.arena, "v-%zu", i), STR("bob"));
	keep_rows(fx.store, STR(SYNC), "ic-users/1/", (struct kept_shape){6, false}, users, n_users + 1);
	cells[0] = (struct row)ROW(STR(MAIN "|" SET("1")));
	cells[1] = (struct row)ROW(STR(MAIN "|" SET("2")));
	cells[2] = (struct row)ROW(STR(OTHER "|" SET("1")));
	cells[3] = (struct row)ROW(STR(CLOSED "|" SET("1")));
	cells[4] = (struct row)ROW(STR(CLOSED "|" SET("2")));
	for (size_t i = 0; i < n_pairs; i++)
		cells[i + 5] = (struct row)ROW(str_fmt(fx.arena, OTHER "|" SET("x%zu"), i));
	keep_rows(fx.store, STR(SYNC), "ic-matrix/1/", (struct kept_shape){1, false}, cells, n_pairs + 5);
}

static void set_up(const struct rule *rules, size_t n_rules, struct inventory_options opts)
{
	fx = (struct fixture){.rules = rules, .n_rules = n_rules, .own_account = MAIN};
	fx.arena = arena_new(0);
	fx.aws = scripted_http_start(answer, NULL);
	fx.session = scripted_session(
		fx.aws, (struct aws_session_options){.sso_region = STR("us-east-1"), .quota_percent = 10000});
	fx.store = store_memory_new(&(struct store_memory_options){
		.max_bytes = 1 << 20, .max_age_ms = 60000, .clock = &clock_system});
	opts.aws = fx.session;
	opts.store = fx.store;
	opts.clock = &clock_system;
	fx.inventory = inventory_new(&opts);
	KEEP("ic-instances/1/", 3, false,
		ROW(STR("arn:aws:sso:::instance/ssoins-7204abcd1234abcd"), STR("d-1234567890"), STR(MAIN)));
	KEEP("ic-groups/1/", 3, false, ROW(STR("g-1"), STR("Admins")));
	KEEP("org-accounts/2/", 5, true, {.text = {STR(MAIN), STR(ARN(MAIN))}, .number = 1},
		{.text = {STR(OTHER), STR(ARN(OTHER))}, .number = 1},
		{.text = {STR(CLOSED), STR(ARN(CLOSED))}, .number = 0});
	keep_directory(0, 0);
}

static void tear_down(void)
{
	inventory_free(fx.inventory);
	store_free(fx.store);
	aws_session_free(fx.session);
	scripted_http_stop(fx.aws);
	arena_free(fx.arena);
}

static const struct inventory_options synced = {.principals_synced = true};

/* Keys of the rows; or the error's code. */
static struct str holders(const char *account)
{
	CLEANUP(ic_unrefp) struct ic_rows *rows = NULL;
	struct str keys = STR_EMPTY;
	const struct ic_assignment *all;
	struct err e;
	size_t n;

	if (inventory_ic_assignments(fx.inventory, &foreground, STR(SYNC), str_c(account), &rows, &e) !=
		ERR_OK)
		return str_fmt(fx.arena, "%d", e.code);
	all = ic_all(rows, &n);
	for (size_t i = 0; i < n; i++)
		keys = str_fmt(fx.arena, STR_FMT STR_FMT " ", STR_ARG(keys), STR_ARG(all[i].key));
	return keys;
}

static void assert_same_rows(void)
{
	ASSERT_STR(holders(MAIN), STR(ON_MAIN), "main");
	ASSERT_STR(holders(OTHER), STR(ON_OTHER), "other");
	ASSERT_STR(holders(MAIN), STR(ON_MAIN), "main, again");
}

static void assert_calls(int by_principal, int by_pair)
{
	ASSERT_I64(atomic_load(&fx.by_principal), by_principal, "by principal");
	ASSERT_I64(atomic_load(&fx.by_pair), by_pair, "by pair");
	ASSERT_I64(atomic_load(&fx.other), 0, "other calls");
}

/* Two principals, three pairs of active accounts. One of them has two pages. */
static void test_by_principals(void)
{
	set_up(NULL, 0, synced);
	assert_same_rows();
	assert_calls(3, 0);
	tear_down();
}

/* Each for a reason of its own. */
static void test_by_pairs(void)
{
	static const struct {
		bool synced;
		const char *own_account;
		size_t more_users; /* those of two pairs are of an account that is closed */
	} rows[] = {{false, MAIN, 0}, {true, OTHER, 0}, {true, MAIN, 1}, {true, MAIN, 2}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		set_up(NULL, 0, (struct inventory_options){.principals_synced = rows[i].synced});
		fx.own_account = rows[i].own_account;
		keep_directory(rows[i].more_users, 0);
		assert_same_rows();
		assert_calls(0, 3);
		tear_down();
	}
}

/* Who we are in the organization decides about the cheaper way only. */
static void test_management_account_is_not_told(void)
{
	set_up(NULL, 0, synced);
	KEEP("org-accounts/2/", 5, true, {.text = {STR(MAIN)}, .number = 1},
		{.text = {STR(OTHER)}, .number = 1}, {.text = {STR(CLOSED)}, .number = 0});
	assert_same_rows();
	assert_calls(0, 3);
	tear_down();
}

static void test_denied(void)
{
	static const struct rule rules[] = {
		{"\"PrincipalId\":\"u-1\"", "", 400, "AccessDeniedException", NULL}};
	struct inventory_stats stats;

	set_up(rules, ARRAY_LEN(rules), synced);
	assert_same_rows();
	CU_ASSERT(atomic_load(&fx.by_principal) <= 2); /* the group may have been asked for, too */
	ASSERT_I64(atomic_load(&fx.by_pair), 3, "by pair");
	inventory_stats(fx.inventory, &stats);
	ASSERT_I64((int64_t)stats.denied_reads, 1, "denied");
	tear_down();
}

/* While one thread waits for the denial, the other passes the accounts by: they are read ahead afterwards. */
static void test_read_ahead_after_a_denial(void)
{
	static const struct rule rules[] = {{"\"PrincipalId\":", "", 400, "AccessDeniedException", NULL}};
	static const struct str accounts[] = {STR_INIT(MAIN), STR_INIT(OTHER)};

	set_up(rules, ARRAY_LEN(rules),
		(struct inventory_options){.principals_synced = true, .read_ahead = 2});
	fx.delay_ms = 100;
	inventory_expect_assignments(fx.inventory, STR(SYNC), accounts, ARRAY_LEN(accounts));
	for (int i = 0; i < 6000 && atomic_load(&fx.by_pair) < 3; i++)
		clock_sleep_ms(10);
	ASSERT_I64(atomic_load(&fx.by_pair), 3, "by pair");
	tear_down();
}

/* Deleted since the directory was listed. */
static void test_principal_is_gone(void)
{
	static const struct rule rules[] = {
		{"\"PrincipalId\":\"u-1\"", "", 400, "ResourceNotFoundException", NULL}};

	set_up(rules, ARRAY_LEN(rules), synced);
	ASSERT_STR(holders(MAIN), STR(SET("1") "|GROUP|g-1 "), "the group's");
	assert_calls(2, 0);
	tear_down();
}

/* Any other failure is one; what came before it is not asked for again. */
static void test_failure_is_resumed(void)
{
	static const struct rule rules[] = {
		{"\"NextToken\":\"2\"", "", 500, "InternalServerException", NULL}};

	set_up(rules, ARRAY_LEN(rules), synced);
	ASSERT_STR(holders(MAIN), str_fmt(fx.arena, "%d", ERR_UNAVAILABLE), "it fails");
	assert_calls(3, 0);
	fx.n_rules = 0;
	assert_same_rows();
	assert_calls(4, 0);
	tear_down();
}

static void test_row_without_account(void)
{
	static const struct rule rules[] = {{"\"PrincipalId\":\"u-1\"", "", 0,
		"{\"PermissionSetArn\":\"arn\",\"PrincipalType\":\"USER\",\"PrincipalId\":\"u-1\"}", NULL}};

	set_up(rules, ARRAY_LEN(rules), synced);
	ASSERT_STR(holders(MAIN), str_fmt(fx.arena, "%d", ERR_PROTOCOL), "no account");
	tear_down();
}

/* 102 principals against 200 pairs: with two pages each they cost no less, with one they do. After 32 that is known. */
static void test_too_many_pages(void)
{
	static const struct rule rules[] = {{"\"PrincipalId\":\"v-", "\"NextToken\":\"4\"", 0, "", NULL},
		{"\"PrincipalId\":\"v-", "\"NextToken\":\"3\"", 0, "", "4"},
		{"\"PrincipalId\":\"v-", "\"NextToken\":\"2\"", 0, "", "3"},
		{"\"PrincipalId\":\"v-", "", 0, "", "2"}};

	set_up(rules, ARRAY_LEN(rules), synced);
	keep_directory(100, 197);
	assert_same_rows();
	CU_ASSERT(atomic_load(&fx.by_principal) >= 4 * 30);
	CU_ASSERT(atomic_load(&fx.by_principal) < 4 * 60);
	ASSERT_I64(atomic_load(&fx.by_pair), 200, "by pair");
	tear_down();

	set_up(NULL, 0, synced);
	keep_directory(100, 197);
	assert_same_rows();
	assert_calls(103, 0);
	tear_down();
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"by principals", test_by_principals},
		{"by pairs", test_by_pairs},
		{"the management account is not told", test_management_account_is_not_told},
		{"a denial", test_denied},
		{"read-ahead after a denial", test_read_ahead_after_a_denial},
		{"a principal that is gone", test_principal_is_gone},
		{"a failure is resumed", test_failure_is_resumed},
		{"a row without an account", test_row_without_account},
		{"too many pages", test_too_many_pages},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"assignments", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
