/* layers: syncers inventory store proto base
 *
 * The syncers on facts that lie in the session store already (so AWS is not asked): pages that resume by identity, what is announced is
 * registered, errors. The messages themselves are compared with an independent walk in test/e2e. */
#include "syncers/syncer.h"

#include <string.h>

#include "inventory/inventory.h"
#include "proto/messages.h"
#include "proto/pb_build.h"
#include "store/memory.h"
#include "store/store.h"
#include "support/cunit_main.h"
#include "support/sample_account.h"

#define SYNC "2abcdefghijklmnopqrstuvwxyz"

static const struct ctx background = {.clock = &clock_system, .deadline_ms = CTX_NO_DEADLINE};
static const struct syncer_config no_filter = {
	.only_attached_policies = true}; /* the catalogue is not in the store */

/* One server's worth of state with the sample account in its store. */
static struct fixture {
	struct store *store;
	struct inventory *inventory;
	struct arena *arena;
	struct syncer_call call;
	V2(ResourceId) * account; /* as the parent that a child account's resources have */
} fx;

static void set_up(void)
{
	const struct store_memory_options store_opts = {
		.max_bytes = 1 << 20, .max_age_ms = 60000, .clock = &clock_system};
	struct iam_account *account = sample_account();
	struct inventory_options opts = {.clock = &clock_system};
	struct err e;

	fx.store = store_memory_new(&store_opts);
	CU_ASSERT_EQUAL_FATAL(
		store_put(fx.store, &background, STR(SYNC), STR("iam-account/2/" SAMPLE_ACCOUNT),
			iam_account_bytes(account), 60000, &e),
		ERR_OK);
	iam_account_unref(account);
	opts.store = fx.store;
	fx.inventory = inventory_new(&opts);
	fx.arena = arena_new(0);
	fx.call = (struct syncer_call){.ctx = &background,
		.arena = fx.arena,
		.inventory = fx.inventory,
		.config = &no_filter,
		.sync_id = STR(SYNC),
		.page_token = STR_EMPTY};
	fx.account = pb_new(fx.arena, V2_DESC(resource_id));
	fx.account->resource_type = pb_str(fx.arena, STR("account_iam"));
	fx.account->resource = pb_str(fx.arena, STR(SAMPLE_ACCOUNT));
}

static void tear_down(void)
{
	inventory_free(fx.inventory);
	store_free(fx.store);
	arena_free(fx.arena);
}

/* Everything there is, registered. */
static const struct syncer_config everything = {.sync_secrets = true, .organization = true};

static const struct syncer *find_syncer(const char *type_id)
{
	const struct syncer *all[SYNCERS_MAX];
	const size_t n = syncers_registered(&everything, all);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(all[i]->type_id, type_id) == 0)
			return all[i];
	}
	return NULL;
}

static const struct syncer *syncer(const char *type_id)
{
	const struct syncer *s = find_syncer(type_id);

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	return s;
}

/* All pages of a listing with pages of `page_size`, ids joined by blanks. */
static struct str list_ids(
	const char *type_id, const V2(ResourceId) * parent, size_t page_size, size_t *ret_pages)
{
	struct syncer_call call = fx.call;
	struct str ids = STR_EMPTY;

	call.page_size = page_size;
	*ret_pages = 0;
	while (*ret_pages < 100) {
		struct syncer_page page;
		struct err e;

		++*ret_pages;
		CU_ASSERT_EQUAL_FATAL(syncer(type_id)->list(&call, parent, &page, &e), ERR_OK);
		for (size_t i = 0; i < page.n; i++)
			ids = str_fmt(fx.arena, STR_FMT "%s ", STR_ARG(ids),
				((V2(Resource) *)page.items[i])->id->resource);
		if (page.next.n == 0)
			break;
		CU_ASSERT_FALSE_FATAL(str_eq(page.next, call.page_token));
		call.page_token = page.next;
	}
	return ids;
}

static struct str grant_ids(const char *type_id, const V2(Resource) * resource, size_t page_size)
{
	struct syncer_call call = fx.call;
	struct str ids = STR_EMPTY;

	call.page_size = page_size;
	for (size_t pages = 0; pages < 100; pages++) {
		struct syncer_page page;
		struct err e;

		CU_ASSERT_EQUAL_FATAL(syncer(type_id)->grants(&call, resource, &page, &e), ERR_OK);
		for (size_t i = 0; i < page.n; i++)
			ids = str_fmt(
				fx.arena, STR_FMT "%s ", STR_ARG(ids), ((V2(Grant) *)page.items[i])->id);
		if (page.next.n == 0)
			break;
		call.page_token = page.next;
	}
	return ids;
}

static V2(Resource) * stored(const char *type_id, const char *id, const V2(ResourceId) * parent)
{
	V2(Resource) *r = pb_new(fx.arena, V2_DESC(resource));

	r->id = pb_new(fx.arena, V2_DESC(resource_id));
	r->id->resource_type = pb_str(fx.arena, str_c(type_id));
	r->id->resource = pb_str(fx.arena, str_c(id));
	r->display_name = pb_str(fx.arena, STR("name"));
	r->parent_resource_id = (V2(ResourceId) *)parent;
	return r;
}

static void test_pages(void)
{
	static const char *const types[] = {"iam_user", "group", "role", "iam_policy"};
	size_t pages;

	set_up();
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		const struct str whole = list_ids(types[i], fx.account, 0, &pages);

		CU_ASSERT_EQUAL(pages, 1);
		CU_ASSERT(whole.n > 0);
		ASSERT_STR(list_ids(types[i], fx.account, 1, &pages), whole, types[i]);
		CU_ASSERT(pages >= 2);
	}
	ASSERT_STR(list_ids("iam_user", fx.account, 2, &pages),
		STR(SAMPLE_ARN("user/alice") " " SAMPLE_ARN("user/bob") " " SAMPLE_ARN("user/carol") " "),
		"users");
	tear_down();
}

static void test_grants(void)
{
	const char *carol = SAMPLE_ARN("user/carol");

	set_up();
	ASSERT_STR(grant_ids("iam_user", stored("iam_user", carol, fx.account), 1),
		STR("iam_policy:" SAMPLE_ARN("policy/Own") ":attached:iam_user:" SAMPLE_ARN(
			"user/carol") " iam_policy:arn:aws:iam::aws:policy/"
				      "ReadOnlyAccess:attached:iam_user:" SAMPLE_ARN("user/carol") " "),
		"policies of a user");
	ASSERT_STR(grant_ids("group", stored("group", SAMPLE_ARN("group/g2"), fx.account), 2),
		STR("group:" SAMPLE_ARN("group/g2") ":member:iam_user:" SAMPLE_ARN(
			"user/alice") " group:" SAMPLE_ARN("group/g2") ":member:iam_user:" SAMPLE_ARN("user/"
												      "bob") " group:" SAMPLE_ARN("group/g2") ":member:iam_user:" SAMPLE_ARN("user/carol") " "),
		"members of a group");
	ASSERT_STR(grant_ids("role", stored("role", SAMPLE_ARN("role/r2"), fx.account), 1),
		STR("role:" SAMPLE_ARN("role/r2") ":assignment:iam_user:" SAMPLE_ARN(
			"user/bob") " role:" SAMPLE_ARN("role/r2") ":assignment:role:" SAMPLE_ARN("role/r1") " role:" SAMPLE_ARN("role/r2") ":assignment:role:arn:aws:iam::999999999999:role/foreign "),
		"trust of a role");
	tear_down();
}

/* D11: a role of an account that is not synced is a finding, but has no holders to expand to. */
static void test_expansion(void)
{
	struct syncer_page page;
	struct err e;

	set_up();
	CU_ASSERT_EQUAL_FATAL(syncer("role")->grants(
				      &fx.call, stored("role", SAMPLE_ARN("role/r2"), fx.account), &page, &e),
		ERR_OK);
	CU_ASSERT_EQUAL_FATAL(page.n, 3);
	CU_ASSERT_EQUAL(((V2(Grant) *)page.items[0])->n_annotations, 0);
	CU_ASSERT_EQUAL(((V2(Grant) *)page.items[1])->n_annotations, 1);
	CU_ASSERT_EQUAL(((V2(Grant) *)page.items[2])->n_annotations, 0);
	tear_down();
}

static void test_inline_policies(void)
{
	V2(ResourceId) * carol;
	V2(Resource) * policy;
	struct syncer_page page;
	struct err e;
	size_t pages;

	set_up();
	carol = stored("iam_user", SAMPLE_ARN("user/carol"), NULL)->id;
	ASSERT_STR(list_ids("inline_policy", carol, 1, &pages),
		STR(SAMPLE_ARN("user/carol::inline::alpha") " " SAMPLE_ARN("user/carol::inline::zeta") " "),
		"by name");
	ASSERT_STR(list_ids("inline_policy", NULL, 0, &pages), STR_EMPTY, "without a parent");
	policy = stored("inline_policy", SAMPLE_ARN("user/carol::inline::zeta"), carol);
	ASSERT_STR(grant_ids("inline_policy", policy, 0),
		STR("inline_policy:" SAMPLE_ARN("user/carol::inline::zeta") ":attached:iam_user:" SAMPLE_ARN(
			"user/carol") " "),
		"held by its parent alone");
	policy->parent_resource_id = NULL;
	CU_ASSERT_EQUAL(syncer("inline_policy")->grants(&fx.call, policy, &page, &e), ERR_INVALID);
	CU_ASSERT_EQUAL(syncer("inline_policy")->entitlements(&fx.call, policy, &page, &e), ERR_INVALID);
	CU_ASSERT_EQUAL(syncer("inline_policy")->list(&fx.call, fx.account, &page, &e), ERR_INVALID);
	tear_down();
}

static void test_what_is_gone(void)
{
	static const char *const types[] = {"iam_user", "group", "role"};
	struct syncer_page page;
	struct err e;

	set_up();
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		const V2(Resource) *gone = stored(types[i], SAMPLE_ARN("user/gone"), fx.account);

		CU_ASSERT_EQUAL(syncer(types[i])->grants(&fx.call, gone, &page, &e), ERR_NOT_FOUND);
		CU_ASSERT_EQUAL(syncer("inline_policy")->list(&fx.call, gone->id, &page, &e), ERR_NOT_FOUND);
	}
	tear_down();
}

static void test_bad_token(void)
{
	const struct syncer *all[SYNCERS_MAX];
	const size_t n = syncers_registered(&no_filter, all);
	struct syncer_page page;
	struct err e;

	set_up();
	fx.call.page_token = STR("garbage!");
	for (size_t i = 0; i < n; i++)
		CU_ASSERT_EQUAL(all[i]->list(&fx.call, NULL, &page, &e), ERR_INVALID);
	tear_down();
}

/* Without iam_policy in the filter no grant may name one (the iam_policy gate, spec/iam.md 2.2). */
static void test_gate(void)
{
	static const struct str wanted[] = {STR_INIT("iam_user"), STR_INIT("group")};
	const struct syncer_config config = {.type_filter = wanted, .n_type_filter = ARRAY_LEN(wanted)};

	set_up();
	fx.call.config = &config;
	ASSERT_STR(grant_ids("iam_user", stored("iam_user", SAMPLE_ARN("user/carol"), fx.account), 0),
		STR_EMPTY, "gate");
	CU_ASSERT_EQUAL(syncer_type(fx.arena, syncer("iam_user"), &config)->n_annotations, 4);
	CU_ASSERT_EQUAL(syncer_type(fx.arena, syncer("iam_user"), &no_filter)->n_annotations, 3);
	tear_down();
}

/* Architecture, decision 15: what is announced is registered. */
static void test_announced_is_registered(void)
{
	const struct syncer *all[SYNCERS_MAX];
	const size_t n = syncers_registered(&no_filter, all);

	set_up();
	for (size_t i = 0; i < n; i++) {
		struct syncer_page page;
		struct err e;

		CU_ASSERT(i == 0 || strcmp(all[i - 1]->type_id, all[i]->type_id) < 0);
		CU_ASSERT_STRING_EQUAL(syncer_type(fx.arena, all[i], &no_filter)->id, all[i]->type_id);
		if (all[i]->list(&fx.call,
			    str_eq_c(STR("inline_policy"), all[i]->type_id) ? NULL : fx.account, &page,
			    &e) != ERR_OK)
			CU_FAIL("list");
		for (size_t k = 0; k < page.n; k++) {
			const V2(Resource) *r = (V2(Resource) *)page.items[k];

			for (size_t a = 0; a < r->n_annotations; a++) {
				ProtobufCMessage *child = NULL;

				CU_ASSERT_EQUAL(pb_get_annotation(fx.arena, &r->annotations[a], 1,
							V2_DESC(child_resource_type), &child, &e),
					ERR_OK);
				if (child != NULL)
					CU_ASSERT_PTR_NOT_NULL(find_syncer(
						((V2(ChildResourceType) *)child)->resource_type_id));
			}
		}
	}
	CU_ASSERT_EQUAL(n, 5);
	CU_ASSERT_EQUAL(syncers_registered(&everything, all), 7);
	CU_ASSERT_PTR_NULL(resource_type_static(fx.arena, "nonsense"));
	CU_ASSERT_PTR_NOT_NULL(resource_type_static(fx.arena, "permission_set_assignment"));
	tear_down();
}

/* After Cleanup the facts are gone, here and in the store. */
static void test_end_of_sync(void)
{
	struct blob *bytes;
	size_t pages;
	struct err e;

	set_up();
	list_ids("group", fx.account, 0, &pages);
	inventory_end_sync(fx.inventory, &background, STR(SYNC));
	CU_ASSERT_EQUAL(
		store_get(fx.store, &background, STR(SYNC), STR("iam-account/2/" SAMPLE_ACCOUNT), &bytes, &e),
		ERR_NOT_FOUND);
	tear_down();
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"pages resume by identity", test_pages},
		{"grants", test_grants},
		{"expands to roles inside the sync only", test_expansion},
		{"inline policies", test_inline_policies},
		{"what is gone is not found", test_what_is_gone},
		{"bad page tokens", test_bad_token},
		{"the iam_policy gate", test_gate},
		{"what is announced is registered", test_announced_is_registered},
		{"the end of a sync", test_end_of_sync},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"syncers", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
