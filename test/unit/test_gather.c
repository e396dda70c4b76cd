/* layers: inventory aws store base
 *
 * Lists that are gathered call by call, against a scripted AWS that does not behave: pages that go round in a circle or do not end, operations
 * that are denied for some things and allowed for others, ways to the same fact that are left half done. */
#include "inventory/gather.h"

#include <stdatomic.h>
#include <stdio.h>

#include "aws/session.h"
#include "inventory/inventory.h"
#include "store/memory.h"
#include "support/cunit_main.h"
#include "support/kept_rows.h"
#include "support/scripted_http.h"
#include "support/scripted_session.h"

#define SYNC     "2abcdefghijklmnopqrstuvwxyz"
#define MAIN     "111111111111"
#define OTHER    "222222222222"
#define CLOSED   "333333333333"
#define INSTANCE "arn:aws:sso:::instance/ssoins-7204abcd1234abcd"
#define SET(x)   "arn:aws:sso:::permissionSet/ssoins-7204abcd1234abcd/ps-" x
#define DENIED   400, "{\"__type\":\"AccessDeniedException\"}"
#define BROKEN   500, "{\"__type\":\"InternalServerException\"}"

/* The first rule whose operation and text fit answers; afterwards it may be used up. */
struct rule {
	const char *op, *with;
	int status; /* 0: 200 */
	const char *body;
	int times; /* 0: always */
};

static struct fixture {
	const struct rule *rules;
	size_t n_rules;
	int used[16];
	const char *counted; /* operation */
	atomic_int calls;    /* of it */
	struct scripted_http *aws;
	struct aws_session *session;
	struct store *store;
	struct inventory *inventory;
	struct arena *arena;
} fx;

static const struct ctx foreground = {.clock = &clock_system, .deadline_ms = CTX_NO_DEADLINE};

static struct scripted_answer answer(void *self, const struct scripted_request *req, struct arena *arena)
{
	struct str op = scripted_header(req, "X-Amz-Target");

	(void)self;
	(void)arena;
	(void)str_cut(&op, '.');
	if (str_eq_c(op, fx.counted))
		atomic_fetch_add(&fx.calls, 1);
	for (size_t i = 0; i < fx.n_rules; i++) {
		const struct rule *r = &fx.rules[i];

		if (!str_eq_c(op, r->op) || !str_contains(req->body, str_c(r->with)) ||
			(r->times > 0 && fx.used[i] == r->times))
			continue;
		fx.used[i]++;
		return (struct scripted_answer){.status = r->status, .body = str_c(r->body)};
	}
	return (struct scripted_answer){.body = STR("{}")};
}

static void set_up_with(scripted_fn *fn, struct inventory_options opts)
{
	fx = (struct fixture){.arena = arena_new(0), .aws = scripted_http_start(fn, NULL)};
	fx.session = scripted_session(
		fx.aws, (struct aws_session_options){.sso_region = STR("us-east-1"), .quota_percent = 10000});
	fx.store = store_memory_new(&(struct store_memory_options){
		.max_bytes = 1 << 20, .max_age_ms = 60000, .clock = &clock_system});
	opts.aws = fx.session;
	opts.store = fx.store;
	opts.clock = &clock_system;
	opts.max_in_flight = 1; /* so that answers come in order */
	fx.inventory = inventory_new(&opts);
}

static void keep_instance(const char *store_id)
{
	const struct row row = ROW(STR(INSTANCE), str_c(store_id), STR(MAIN));

	keep_rows(fx.store, STR(SYNC), "ic-instances/1/", (struct kept_shape){3, false}, &row, 1);
}

static void set_up(const struct rule *rules, size_t n, const char *counted)
{
	set_up_with(answer, (struct inventory_options){0});
	fx.rules = rules;
	fx.n_rules = n;
	fx.counted = counted;
	keep_instance("d-1234567890");
}

static void tear_down(void)
{
	inventory_free(fx.inventory);
	store_free(fx.store);
	aws_session_free(fx.session);
	scripted_http_stop(fx.aws);
	arena_free(fx.arena);
}

/* Keys of the rows, which are given back; or the error's code. */
static struct str keys_or_code(enum err_code code, struct ic_rows **take_rows, size_t item_size)
{
	CLEANUP(ic_unrefp) struct ic_rows *rows = *take_rows;
	struct str keys = STR_EMPTY;
	const char *item;
	size_t n;

	if (code != ERR_OK)
		return str_fmt(fx.arena, "%d", code);
	item = ic_all(rows, &n);
	for (size_t i = 0; i < n; i++, item += item_size)
		keys = str_fmt(fx.arena, STR_FMT STR_FMT " ", STR_ARG(keys),
			STR_ARG(*(const struct str *)(const void *)item));
	return keys;
}

static struct str code_text(enum err_code code)
{
	return str_fmt(fx.arena, "%d", code);
}

static struct str groups(void)
{
	struct ic_rows *rows = NULL;
	struct err e;

	return keys_or_code(inventory_ic_groups(fx.inventory, &foreground, STR(SYNC), &rows, &e), &rows,
		sizeof(struct ic_group));
}

static struct str managed_policies(const char *set)
{
	struct ic_rows *rows = NULL;
	struct err e;

	return keys_or_code(
		inventory_ic_managed_policies(fx.inventory, &foreground, STR(SYNC), str_c(set), &rows, &e),
		&rows, sizeof(struct ic_policy));
}

/* --- pages --- */

#define GROUPS(token) "{\"Groups\":[{\"GroupId\":\"g-" token "\"}],\"NextToken\":\"" token "\"}"

static void test_tokens_in_a_circle(void)
{
	static const struct rule rules[] = {{"ListGroups", "\"NextToken\":\"3\"", 0, GROUPS("1"), 0},
		{"ListGroups", "\"NextToken\":\"2\"", 0, GROUPS("3"), 0},
		{"ListGroups", "\"NextToken\":\"1\"", 0, GROUPS("2"), 0},
		{"ListGroups", "", 0, GROUPS("0"), 1}, {"ListGroups", "", 0, GROUPS("1"), 0}};

	set_up(rules, ARRAY_LEN(rules), "ListGroups");
	ASSERT_STR(groups(), code_text(ERR_UNAVAILABLE), "three pages, again and again");
	CU_ASSERT(atomic_load(&fx.calls) < 12);
	tear_down();
}

static struct scripted_answer endless(void *self, const struct scripted_request *req, struct arena *arena)
{
	(void)self;
	return (struct scripted_answer){
		.body = str_fmt(arena, "{\"Groups\":[{\"GroupId\":\"g\"}],\"NextToken\":\"%zu\"}", req->n)};
}

static void test_pages_without_end(void)
{
	set_up_with(endless, (struct inventory_options){.max_list_bytes = 4096});
	keep_instance("d-1234567890");
	ASSERT_STR(groups(), code_text(ERR_TOO_LARGE), "always another page");
	tear_down();
}

/* --- users --- */

static void test_too_many_addresses(void)
{
	struct ic_rows *rows = NULL;
	struct str address;
	struct rule rule = {"ListUsers", "", 0, NULL, 0};
	struct err e;

	set_up(&rule, 1, "ListUsers");
	address = str_n(arena_alloc(fx.arena, 64 << 10), 64 << 10);
	memset((char *)(uintptr_t)address.p, 'a', address.n);
	rule.body = str_fmt(fx.arena,
		"{\"Users\":[{\"UserId\":\"u-1\",\"Emails\":[{\"Value\":\"" STR_FMT "\"}]}]}",
		STR_ARG(address))
			    .p;
	CU_ASSERT_EQUAL(inventory_ic_users(fx.inventory, &foreground, STR(SYNC), &rows, &e), ERR_TOO_LARGE);
	tear_down();
}

/* --- an operation that may be denied as a whole --- */

#define POLICIES "{\"AttachedManagedPolicies\":[{\"Name\":\"A\",\"Arn\":\"arn:a\"}]}"

static void test_denied_as_a_whole(void)
{
	static const struct rule rules[] = {{"ListManagedPoliciesInPermissionSet", SET("1"), DENIED, 0},
		{"ListManagedPoliciesInPermissionSet", "", 0, POLICIES, 0}};

	set_up(rules, ARRAY_LEN(rules), "ListManagedPoliciesInPermissionSet");
	ASSERT_STR(managed_policies(SET("1")), STR_EMPTY, "the first answer decides");
	ASSERT_STR(managed_policies(SET("2")), STR_EMPTY, "what is not asked any more");
	ASSERT_I64(atomic_load(&fx.calls), 1, "calls");
	inventory_end_sync(fx.inventory, &foreground, STR(SYNC));
	keep_instance("d-1234567890");
	ASSERT_STR(managed_policies(SET("2")), STR("arn:a "), "the next sync asks again");
	tear_down();
}

static void test_denied_in_part(void)
{
	static const struct rule rules[] = {{"ListManagedPoliciesInPermissionSet", SET("2"), DENIED, 0},
		{"ListManagedPoliciesInPermissionSet", "", 0, POLICIES, 0}};

	set_up(rules, ARRAY_LEN(rules), "ListManagedPoliciesInPermissionSet");
	ASSERT_STR(managed_policies(SET("1")), STR("arn:a "), "allowed");
	ASSERT_STR(managed_policies(SET("2")), code_text(ERR_DENIED), "denied after that");
	ASSERT_STR(managed_policies(SET("3")), STR("arn:a "), "allowed still");
	tear_down();
}

/* --- ways to the same fact --- */

#define ACCOUNT(id, state)                                                                                   \
	"{\"Id\":\"" id "\",\"Arn\":\"arn:aws:organizations::" MAIN ":account/o-1/" id                       \
	"\",\"Status\":\"" state "\"}"

/* What asking by permission sets, then by accounts, leaves behind is of no use to the other way. Without a sync no denial is remembered. */
static void test_half_done_by_another_way(void)
{
	static const struct rule rules[] = {
		{"ListInstances", "", 0,
			"{\"Instances\":[{\"InstanceArn\":\"" INSTANCE
			"\",\"IdentityStoreId\":\"d-1\",\"Status\":\"ACTIVE\"}]}",
			0},
		{"ListAccounts", "", 0,
			"{\"Accounts\":[" ACCOUNT(MAIN, "ACTIVE") "," ACCOUNT(OTHER, "ACTIVE") "]}", 0},
		{"ListPermissionSets", "", 0, "{\"PermissionSets\":[\"" SET("1") "\"]}", 0},
		{"ListAccountsForProvisionedPermissionSet", SET("1"), DENIED, 0},
		{"ListAccountsForProvisionedPermissionSet", "", 400, "{\"__type\":\"ValidationException\"}",
			0},
		{"ListPermissionSetsProvisionedToAccount", OTHER, BROKEN, 1},
		{"ListPermissionSetsProvisionedToAccount", "", 0, "{\"PermissionSets\":[\"" SET("1") "\"]}",
			0},
	};
	struct ic_rows *rows = NULL;
	struct err e;

	set_up(rules, ARRAY_LEN(rules), "ListPermissionSetsProvisionedToAccount");
	CU_ASSERT_EQUAL(inventory_ic_provisioned(fx.inventory, &foreground, STR_EMPTY, STR(OTHER), &rows, &e),
		ERR_UNAVAILABLE);
	ASSERT_STR(keys_or_code(inventory_ic_provisioned(
					fx.inventory, &foreground, STR_EMPTY, STR(OTHER), &rows, &e),
			   &rows, sizeof(struct ic_provisioned)),
		STR(SET("1") " "), "again");
	tear_down();
}

static struct str parents(void)
{
	struct ic_rows *rows = NULL;
	const struct org_parent *all;
	struct str text = STR_EMPTY;
	struct err e;
	size_t n;

	if (inventory_org_parents(fx.inventory, &foreground, STR(SYNC), &rows, &e) != ERR_OK)
		return code_text(e.code);
	all = ic_all(rows, &n);
	for (size_t i = 0; i < n; i++)
		text = str_fmt(fx.arena, STR_FMT STR_FMT "=" STR_FMT " ", STR_ARG(text),
			STR_ARG(all[i].account), STR_ARG(all[i].parent_id));
	ic_unref(rows);
	return text;
}

#define PARENT(id, type) "{\"Parents\":[{\"Id\":\"" id "\",\"Type\":\"" type "\"}]}"

/* One root and three active accounts: the root is cheaper to ask, but not all hang on it. */
static void test_parents_below_denied_units(void)
{
	static const struct rule rules[] = {
		{"ListAccounts", "", 0,
			"{\"Accounts\":[" ACCOUNT(MAIN, "ACTIVE") "," ACCOUNT(OTHER, "ACTIVE") "," ACCOUNT(
				CLOSED, "SUSPENDED") "," ACCOUNT("444444444444", "ACTIVE") "]}",
			0},
		{"ListRoots", "", 0, "{\"Roots\":[{\"Id\":\"r-1\"}]}", 0},
		{"ListOrganizationalUnitsForParent", "", DENIED, 0},
		{"ListAccountsForParent", "", 0, "{\"Accounts\":[" ACCOUNT(MAIN, "ACTIVE") "]}", 1},
		{"ListParents", MAIN, 0, PARENT("r-1", "ROOT"), 0},
		{"ListParents", OTHER, BROKEN, 1},
		{"ListParents", OTHER, 0, PARENT("ou-1", "ORGANIZATIONAL_UNIT"), 0},
		{"ListParents", "", 0, PARENT("x-1", "SOMETHING_NEW"), 0},
	};

	set_up(rules, ARRAY_LEN(rules), "ListParents");
	ASSERT_STR(parents(), code_text(ERR_UNAVAILABLE), "one by one");
	ASSERT_STR(parents(), STR(MAIN "=r-1 " OTHER "=ou-1 "), "goes on, and does not ask the root again");
	ASSERT_I64(atomic_load(&fx.calls), 4, "of active accounts, one of them twice");
	tear_down();
}

/* The same by a server that has the tree from another one, and so knows of no denial; and an organization that has no units. */
static void test_parents_below_a_lone_root(void)
{
	static const struct {
		const char *accounts_of_root, *want;
		int calls;
	} cases[] = {
		{"{\"Accounts\":[" ACCOUNT(MAIN, "ACTIVE") "]}", MAIN "=r-1 " OTHER "=ou-1 ", 2},
		{"{\"Accounts\":[" ACCOUNT(MAIN, "ACTIVE") "," ACCOUNT(OTHER, "ACTIVE") "]}",
			MAIN "=r-1 " OTHER "=r-1 ", 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct rule rules[] = {
			{"ListAccounts", "", 0,
				"{\"Accounts\":[" ACCOUNT(MAIN, "ACTIVE") "," ACCOUNT(OTHER, "ACTIVE") "]}",
				0},
			{"ListAccountsForParent", "r-1", 0, cases[i].accounts_of_root, 0},
			{"ListParents", MAIN, 0, PARENT("r-1", "ROOT"), 0},
			{"ListParents", OTHER, 0, PARENT("ou-1", "ORGANIZATIONAL_UNIT"), 0},
			{"ListRoots", "", 0, "{\"Roots\":[{\"Id\":\"r-1\"}]}", 0},
		};

		set_up(rules, ARRAY_LEN(rules), "ListParents");
		ASSERT_STR(parents(), str_c(cases[i].want), "parents");
		ASSERT_I64(atomic_load(&fx.calls), cases[i].calls, "calls of ListParents");
		tear_down();
	}
}

/* Row 31: the first denial is remembered. */
static void test_parents_are_denied(void)
{
	static const struct rule rules[] = {
		{"ListAccounts", "", 0,
			"{\"Accounts\":[" ACCOUNT(MAIN, "ACTIVE") "," ACCOUNT(OTHER, "ACTIVE") "]}", 0},
		{"ListRoots", "", DENIED, 0},
		{"ListParents", "", DENIED, 0},
	};

	set_up(rules, ARRAY_LEN(rules), "ListParents");
	ASSERT_STR(parents(), STR_EMPTY, "none");
	ASSERT_I64(atomic_load(&fx.calls), 1, "calls");
	tear_down();
}

/* --- the instance --- */

/* Every id of a user or group has the directory in it. */
static void test_instance_without_directory(void)
{
	struct ic_instance instance;
	struct err e;

	set_up(NULL, 0, "");
	keep_instance("");
	CU_ASSERT_EQUAL(inventory_ic_instance(fx.inventory, &foreground, STR(SYNC), fx.arena, &instance, &e),
		ERR_PRECONDITION);
	CU_ASSERT(str_contains(str_c(e.msg), STR("missing identity store id")));
	tear_down();
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"tokens in a circle", test_tokens_in_a_circle},
		{"pages without end", test_pages_without_end},
		{"too many addresses", test_too_many_addresses},
		{"denied as a whole", test_denied_as_a_whole},
		{"denied in part", test_denied_in_part},
		{"half done by another way", test_half_done_by_another_way},
		{"parents below units that are denied", test_parents_below_denied_units},
		{"parents below a lone root", test_parents_below_a_lone_root},
		{"parents are denied", test_parents_are_denied},
		{"an instance without a directory", test_instance_without_directory},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"gather", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
