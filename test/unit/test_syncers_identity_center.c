/* layers: syncers inventory store proto base
 *
 * The syncers of Identity Center and the organization's tree on facts that lie in the session store already (so AWS is not asked): each form
 * of message as the specification has it, pages that resume by identity, what a type filter changes, errors. */
#include "syncers/syncer.h"

#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "inventory/identity_center.h"
#include "inventory/inventory.h"
#include "inventory/pack.h"
#include "proto/messages.h"
#include "proto/pb_build.h"
#include "proto/pb_json.h"
#include "store/memory.h"
#include "store/store.h"
#include "support/cunit_main.h"
#include "support/kept_rows.h"

#define SYNC    "2abcdefghijklmnopqrstuvwxyz"
#define ACCOUNT "111111111111"
#define OTHER   "222222222222"
#define CLOSED  "333333333333"
#define SET(x)  "arn:aws:sso:::permissionSet/ssoins-7204abcd1234abcd/ps-" x
#define ADMIN   SET("0000000000000001")
#define READER  SET("0000000000000002")
#define UNUSED  SET("0000000000000003")
#define GONE    SET("0000000000000004") /* still on an account, no more described */
#define STORE   "arn:aws:identitystore:eu-west-1::d-1234567890"
#define POLICY  "arn:aws:iam::aws:policy/"

static const struct ctx background = {.clock = &clock_system, .deadline_ms = CTX_NO_DEADLINE};
static const struct syncer_config everything = {.sync_secrets = true,
	.organization = true,
	.identity_center = true,
	.sso_region = STR_INIT("eu-west-1"),
	.only_attached_policies = true /* the catalogue is not in the store */};

static struct fixture {
	struct store *store;
	struct inventory *inventory;
	struct arena *arena;
	struct syncer_call call;
} fx;

/* --- facts in the store --- */

static void keep_shaped(const char *key, size_t n_texts, bool number, const struct row *rows, size_t n)
{
	keep_rows(fx.store, STR(SYNC), key, (struct kept_shape){n_texts, number}, rows, n);
}

#define KEEP(key, n_texts, ...)                                                                              \
	do {                                                                                                 \
		const struct row kept_[] = {__VA_ARGS__};                                                    \
		keep_shaped((key), (n_texts), false, kept_, ARRAY_LEN(kept_));                               \
	} while (0)
#define KEEP_NUMBERED(key, n_texts, ...)                                                                     \
	do {                                                                                                 \
		const struct row kept_[] = {__VA_ARGS__};                                                    \
		keep_shaped((key), (n_texts), true, kept_, ARRAY_LEN(kept_));                                \
	} while (0)

/* "!a@x b@x": addresses, those with a "!" are AWS's primary ones; "-" is the empty one. */
static struct str packed_emails(const char *text)
{
	CLEANUP(buf_deinit) struct buf b = {0};
	struct str rest = str_c(text);
	size_t n = rest.n > 0;

	for (size_t i = 0; i < rest.n; i++)
		n += rest.p[i] == ' ';
	buf_init(&b, 4096);
	pack_u64(&b, n);
	for (size_t i = 0; i < n; i++) {
		struct str one = str_cut(&rest, ' ');
		const bool primary = str_starts(one, STR("!"));

		one = str_from(one, primary);
		pack_str(&b, str_eq(one, STR("-")) ? STR_EMPTY : one);
		pack_u64(&b, primary);
	}
	return buf_dup(&b, fx.arena);
}

static struct str packed_external_ids(size_t n)
{
	CLEANUP(buf_deinit) struct buf b = {0};

	buf_init(&b, 4096);
	pack_u64(&b, n);
	for (size_t i = 0; i < n; i++) {
		pack_str(&b, str_fmt(fx.arena, "https://idp%zu.example.com", i));
		pack_str(&b, str_fmt(fx.arena, "ext-%zu", i));
	}
	return buf_dup(&b, fx.arena);
}

static void keep_user(const char *name, const char *status, const char *emails)
{
	KEEP("ic-users/1/", 6,
		ROW(STR("u-1"), str_c(name), STR("Alice A"), str_c(status), packed_emails(emails),
			packed_external_ids(2)),
		ROW(STR("u-2"), STR("bob"), STR("Bob B"), STR("DISABLED"), packed_emails(""),
			packed_external_ids(0)));
}

static void keep_sets(void)
{
	KEEP("ic-permission-sets/1/", 3, ROW(STR(ADMIN), STR("Admin"), STR("May do everything")),
		ROW(STR(READER), STR("Reader"), STR("")), ROW(STR(UNUSED), STR("Unused"), STR("")));
}

static void keep_assignments(void)
{
	KEEP("ic-assignments/1/" ACCOUNT, 1, ROW(STR(ADMIN "|GROUP|g-1")), ROW(STR(ADMIN "|ROBOT|r-1")),
		ROW(STR(ADMIN "|USER|u-1")), ROW(STR(READER "|GROUP|g-2")), ROW(STR(READER "|USER|u-1")),
		ROW(STR(READER "|USER|u-2")), ROW(STR(GONE "|USER|u-2")));
}

static void keep_everything(const char *partition)
{
	KEEP("ic-instances/1/", 3,
		ROW(str_fmt(fx.arena, "arn:%s:sso:::instance/ssoins-7204abcd1234abcd", partition),
			STR("d-1234567890"), STR(ACCOUNT)));
	keep_sets();
	KEEP("ic-matrix/1/", 1, ROW(STR(ACCOUNT "|" ADMIN)), ROW(STR(ACCOUNT "|" READER)),
		ROW(STR(ACCOUNT "|" GONE)), ROW(STR(OTHER "|" READER)));
	keep_assignments();
	KEEP("ic-managed-policies/1/" ADMIN, 3,
		ROW(STR(POLICY "AdministratorAccess"), STR("AdministratorAccess")),
		ROW(STR(POLICY "job-function/Billing"), STR("Billing")));
	KEEP("ic-customer-policies/1/" ADMIN, 3, ROW(STR("/boundary"), STR("boundary"), STR("/")),
		ROW(STR("/team/own"), STR("own"), STR("/team/")));
	KEEP("ic-inline-policy/1/" ADMIN, 2, ROW(STR("inline"), STR("{\"Version\":\"2012-10-17\"}")));
	KEEP("ic-inline-policy/1/" READER, 2, ROW(STR("inline"), STR("")));
	keep_user("alice@example.com", "ENABLED", "alice@example.com !a@example.com");
	KEEP("ic-groups/1/", 3, ROW(STR("g-1"), STR("Admins"), packed_external_ids(1)),
		ROW(STR("g-2"), STR("Readers"), packed_external_ids(0)));
	KEEP("ic-members/1/g-1", 2, ROW(STR("u-1"), STR("m-11")), ROW(STR("u-2"), STR("")));
	KEEP_NUMBERED("org-accounts/2/", 5,
		{.text = {STR(ACCOUNT), STR("arn:aws:organizations::" ACCOUNT ":account/o-1/" ACCOUNT),
			 STR("Main"), STR("m@example.com")},
			.number = 1},
		{.text = {STR(OTHER), STR("arn:aws:organizations::" ACCOUNT ":account/o-1/" OTHER),
			 STR("Other"), STR("o@example.com")},
			.number = 1},
		{.text = {STR(CLOSED), STR("arn:aws:organizations::" ACCOUNT ":account/o-1/" CLOSED),
			 STR("Closed"), STR("c@example.com")},
			.number = 0});
	KEEP_NUMBERED("org-tree/1/", 3, {.text = {STR("r-1"), STR(""), STR("Root")}, .number = ORG_ROOT},
		{.text = {STR("r-2"), STR(""), STR("")}, .number = ORG_ROOT},
		{.text = {STR("ou-1"), STR("r-1"), STR("Team")}, .number = ORG_UNIT},
		{.text = {STR("ou-2"), STR("r-1"), STR("")}, .number = ORG_UNIT},
		{.text = {STR("ou-3"), STR("ou-1"), STR("Inner")}, .number = ORG_UNIT});
	KEEP("org-parents/1/", 2, ROW(STR(ACCOUNT), STR("r-1")), ROW(STR(OTHER), STR("ou-3")));
}

static void set_up_in(const char *partition)
{
	const struct store_memory_options store_opts = {
		.max_bytes = 1 << 20, .max_age_ms = 60000, .clock = &clock_system};

	fx.store = store_memory_new(&store_opts);
	fx.inventory = inventory_new(&(struct inventory_options){.clock = &clock_system, .store = fx.store});
	fx.arena = arena_new(0);
	fx.call = (struct syncer_call){.ctx = &background,
		.arena = fx.arena,
		.inventory = fx.inventory,
		.config = &everything,
		.sync_id = STR(SYNC),
		.page_token = STR_EMPTY};
	keep_everything(partition);
}

static void set_up(void)
{
	set_up_in("aws");
}

static void tear_down(void)
{
	inventory_free(fx.inventory);
	store_free(fx.store);
	arena_free(fx.arena);
}

/* --- asking --- */

static const struct syncer *syncer(const char *type_id)
{
	const struct syncer *all[SYNCERS_MAX];
	const size_t n = syncers_registered(&everything, all);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(all[i]->type_id, type_id) == 0)
			return all[i];
	}
	CU_FAIL_FATAL("no such syncer");
	return NULL;
}

static V2(ResourceId) * id_of(const char *type_id, const char *resource)
{
	V2(ResourceId) *id = pb_new(fx.arena, V2_DESC(resource_id));

	id->resource_type = pb_str(fx.arena, str_c(type_id));
	id->resource = pb_str(fx.arena, str_c(resource));
	return id;
}

/* A resource as an engine keeps it. */
static V2(Resource) * stored(const char *type_id, const char *id)
{
	V2(Resource) *r = pb_new(fx.arena, V2_DESC(resource));

	r->id = id_of(type_id, id);
	r->display_name = pb_str(fx.arena, STR("Name"));
	return r;
}

static V2(Resource) * binding(const char *set, const char *account)
{
	V2(Resource) *r = stored("permission_set_assignment", str_fmt(fx.arena, "%s-%s", set, account).p);
	V2(ScopeBindingTrait) *trait = pb_new(fx.arena, V2_DESC(scope_binding_trait));

	r->parent_resource_id = id_of("account", account);
	trait->role_id = id_of("permission_set", set);
	trait->scope_resource_id = id_of("account", account);
	PB_ANNOTATE(fx.arena, r, trait);
	return r;
}

enum question { LIST, ENTITLEMENTS, GRANTS };

/* Of a list: its parent, which may be missing. */
struct asked {
	enum question question;
	const char *type_id;
	const V2(Resource) * about;
};

static enum err_code ask(const struct asked *a, const struct syncer_call *call, struct syncer_page *ret_page,
	struct err *reterr)
{
	const struct syncer *s = syncer(a->type_id);

	switch (a->question) {
	case LIST:
		return s->list(call, a->about == NULL ? NULL : a->about->id, ret_page, reterr);
	case ENTITLEMENTS:
		return s->entitlements(call, a->about, ret_page, reterr);
	default:
		return s->grants(call, a->about, ret_page, reterr);
	}
}

static enum err_code code_of(const struct asked *a)
{
	struct syncer_page page;
	struct err e;

	return ask(a, &fx.call, &page, &e);
}

/* --- messages as text --- */

static struct str replaced(struct str text, struct str what, struct str by)
{
	struct str done = STR_EMPTY;

	for (;;) {
		const ptrdiff_t at = str_find(text, what);

		if (at < 0)
			return str_fmt(fx.arena, STR_FMT STR_FMT, STR_ARG(done), STR_ARG(text));
		done = str_fmt(fx.arena, STR_FMT STR_FMT STR_FMT, STR_ARG(done),
			STR_ARG(str_sub(text, 0, (size_t)at)), STR_ARG(by));
		text = str_from(text, (size_t)at + what.n);
	}
}

static struct str json(const ProtobufCMessage *message)
{
	CLEANUP(buf_deinit) struct buf b = {0};
	struct err e;

	buf_init(&b, 1 << 20);
	CU_ASSERT_EQUAL_FATAL(pb_json(fx.arena, message, PB_JSON_COMPACT, &b, &e), ERR_OK);
	return buf_dup(&b, fx.arena);
}

/* Short enough to be read: resource types (test_syncers and the capabilities have them) by name, apostrophes for quotes. */
static struct str text_of(const ProtobufCMessage *message)
{
	static const char *const types[] = {"sso_user", "sso_group", "permission_set"};
	struct str text = json(message);

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		text = replaced(text, json(&resource_type_static(fx.arena, types[i])->base),
			str_fmt(fx.arena, "<%s>", types[i]));
	text = replaced(text, STR("type.googleapis.com/c1.connector.v2."), STR_EMPTY);
	return replaced(text, STR("\""), STR("'"));
}

static struct str page_text(const struct asked *a, size_t page_size, size_t *ret_pages)
{
	struct syncer_call call = fx.call;
	struct str text = STR_EMPTY;

	call.page_size = page_size;
	for (*ret_pages = 1; *ret_pages < 100; ++*ret_pages) {
		struct syncer_page page;
		struct err e;

		CU_ASSERT_EQUAL_FATAL(ask(a, &call, &page, &e), ERR_OK);
		for (size_t i = 0; i < page.n; i++)
			text = str_fmt(fx.arena, STR_FMT STR_FMT "\n", STR_ARG(text),
				STR_ARG(text_of(page.items[i])));
		if (page.next.n == 0)
			break;
		CU_ASSERT_FALSE_FATAL(str_eq(page.next, call.page_token));
		call.page_token = page.next;
	}
	return text;
}

/* What is listed or granted, by id. */
static struct str ids_of(const struct asked *a)
{
	struct str ids = STR_EMPTY;
	struct syncer_page page;
	struct err e;

	CU_ASSERT_EQUAL_FATAL(ask(a, &fx.call, &page, &e), ERR_OK);
	for (size_t i = 0; i < page.n; i++) {
		const char *id = a->question == LIST           ? ((V2(Resource) *)page.items[i])->id->resource
				 : a->question == ENTITLEMENTS ? ((V2(Entitlement) *)page.items[i])->id
							       : ((V2(Grant) *)page.items[i])->id;

		ids = str_fmt(fx.arena, STR_FMT "%s ", STR_ARG(ids), id);
	}
	return ids;
}

/* --- tests --- */

/* What a request is about, as the engine has it from the listing. */
static const V2(Resource) * about(const char *type_id, const char *id)
{
	V2(Resource) * r;

	if (type_id == NULL)
		return NULL;
	if (strcmp(type_id, "permission_set_assignment") == 0)
		return binding(ADMIN, ACCOUNT);
	r = stored(type_id, id);
	if (strcmp(type_id, "inline_policy") == 0) {
		r->display_name = pb_str(fx.arena, STR("inline"));
		r->parent_resource_id = id_of("permission_set", ADMIN);
	}
	return r;
}

#define BINDING                                                                                              \
	"{'id':{'resourceType':'permission_set_assignment','resource':'" ADMIN "-" ACCOUNT                   \
	"'},'parentResourceId':{'resourceType':'account','resource':'" ACCOUNT "'},'displayName':'Name',"    \
	"'annotations':[{'@type':'ScopeBindingTrait','roleId':{'resourceType':'permission_set','resource':"  \
	"'" ADMIN "'},'scopeResourceId':{'resourceType':'account','resource':'" ACCOUNT "'}}]}"

/* Message `i` of the answer. */
static const struct form {
	enum question question;
	const char *type_id, *about_type, *about_id;
	size_t i;
	const char *want;
} forms[] = {
	{LIST, "account", NULL, NULL, 0,
		"{'id':{'resourceType':'account','resource':'" ACCOUNT "'},"
		"'parentResourceId':{'resourceType':'organization','resource':'r-1'},'displayName':'Main',"
		"'annotations':[{'@type':'V1Identifier','id':'" ACCOUNT "'},{'@type':'ChildResourceType',"
		"'resourceTypeId':'permission_set_assignment'},{'@type':'AppTrait'}],"
		"'profile':{'aws_account_arn':'arn:aws:organizations::" ACCOUNT ":account/o-1/" ACCOUNT "',"
		"'aws_account_id':'" ACCOUNT "'}}"},
	{LIST, "account", NULL, NULL, 1,
		"{'id':{'resourceType':'account','resource':'" OTHER "'},"
		"'parentResourceId':{'resourceType':'organizational_unit','resource':'ou-3'},"
		"'displayName':'Other','annotations':[{'@type':'V1Identifier','id':'" OTHER "'},"
		"{'@type':'ChildResourceType','resourceTypeId':'permission_set_assignment'},"
		"{'@type':'AppTrait'}],'profile':{'aws_account_arn':'arn:aws:organizations::" ACCOUNT
		":account/o-1/" OTHER "','aws_account_id':'" OTHER "'}}"},
	{LIST, "sso_user", NULL, NULL, 0,
		"{'id':{'resourceType':'sso_user','resource':'" STORE "/user/u-1'},"
		"'displayName':'alice@example.com','annotations':[{'@type':'V1Identifier','id':'" STORE
		"/user/u-1'},{'@type':'UserTrait','emails':[{'address':'alice@example.com','isPrimary':true},"
		"{'address':'a@example.com'}],'status':{'status':'STATUS_ENABLED'},"
		"'accountType':'ACCOUNT_TYPE_HUMAN'}],'profile':{'aws_user_id':'u-1','aws_user_name':'Alice "
		"A',"
		"'aws_user_type':'sso','external_ids':[{'id':'ext-0','issuer':'https://idp0.example.com'},"
		"{'id':'ext-1','issuer':'https://idp1.example.com'}]},"
		"'status':{'status':'RESOURCE_STATUS_ENABLED'}}"},
	{LIST, "sso_user", NULL, NULL, 1,
		"{'id':{'resourceType':'sso_user','resource':'" STORE "/user/u-2'},'displayName':'bob',"
		"'annotations':[{'@type':'V1Identifier','id':'" STORE "/user/u-2'},{'@type':'UserTrait',"
		"'status':{'status':'STATUS_DISABLED'},'accountType':'ACCOUNT_TYPE_HUMAN'}],"
		"'profile':{'aws_user_id':'u-2','aws_user_name':'Bob B','aws_user_type':'sso'},"
		"'status':{'status':'RESOURCE_STATUS_DISABLED'}}"},
	{LIST, "sso_group", NULL, NULL, 0,
		"{'id':{'resourceType':'sso_group','resource':'" STORE "/group/g-1'},'displayName':'Admins',"
		"'annotations':[{'@type':'V1Identifier','id':'" STORE "/group/g-1'},{'@type':'GroupTrait'}],"
		"'profile':{'aws_group_id':'g-1','aws_group_name':'Admins','aws_group_type':'sso',"
		"'external_ids':[{'id':'ext-0','issuer':'https://idp0.example.com'}]}}"},
	{LIST, "sso_group", NULL, NULL, 1,
		"{'id':{'resourceType':'sso_group','resource':'" STORE "/group/g-2'},'displayName':'Readers',"
		"'annotations':[{'@type':'V1Identifier','id':'" STORE "/group/g-2'},{'@type':'GroupTrait'}],"
		"'profile':{'aws_group_id':'g-2','aws_group_name':'Readers','aws_group_type':'sso'}}"},
	{LIST, "permission_set", NULL, NULL, 0,
		"{'id':{'resourceType':'permission_set','resource':'" ADMIN "'},'displayName':'Admin',"
		"'annotations':[{'@type':'ChildResourceType','resourceTypeId':'inline_policy'},"
		"{'@type':'RoleTrait'}],'description':'May do everything'}"},
	{LIST, "permission_set_assignment", "account", ACCOUNT, 0,
		"{'id':{'resourceType':'permission_set_assignment','resource':'" ADMIN "-" ACCOUNT "'},"
		"'parentResourceId':{'resourceType':'account','resource':'" ACCOUNT
		"'},'displayName':'Admin on " ACCOUNT "','annotations':[{'@type':'ScopeBindingTrait',"
		"'roleId':{'resourceType':'permission_set','resource':'" ADMIN "'},"
		"'scopeResourceId':{'resourceType':'account','resource':'" ACCOUNT "'}}]}"},
	{LIST, "organization", NULL, NULL, 0,
		"{'id':{'resourceType':'organization','resource':'r-1'},'displayName':'Root',"
		"'annotations':[{'@type':'ChildResourceType','resourceTypeId':'organizational_unit'}]}"},
	{LIST, "organization", NULL, NULL, 1,
		"{'id':{'resourceType':'organization','resource':'r-2'},'displayName':'r-2',"
		"'annotations':[{'@type':'ChildResourceType','resourceTypeId':'organizational_unit'}]}"},
	{LIST, "organizational_unit", "organization", "r-1", 0,
		"{'id':{'resourceType':'organizational_unit','resource':'ou-1'},"
		"'parentResourceId':{'resourceType':'organization','resource':'r-1'},'displayName':'Team',"
		"'annotations':[{'@type':'ChildResourceType','resourceTypeId':'organizational_unit'}]}"},
	{LIST, "inline_policy", "permission_set", ADMIN, 0,
		"{'id':{'resourceType':'inline_policy','resource':'" ADMIN "::inline::inline'},"
		"'parentResourceId':{'resourceType':'permission_set','resource':'" ADMIN "'},"
		"'displayName':'inline','annotations':[{'@type':'RoleTrait'}],"
		"'description':'Inline policy attached to permission set " ADMIN "',"
		"'profile':{'aws_parent_arn':'" ADMIN "','aws_policy_name':'inline',"
		"'policy_document':'{\\'Version\\':\\'2012-10-17\\'}'}}"},
	{ENTITLEMENTS, "account", "account", ACCOUNT, 0,
		"{'resource':{'id':{'resourceType':'account','resource':'" ACCOUNT "'},'displayName':'Name'},"
		"'id':'" ACCOUNT "|" ADMIN "','displayName':'Admin Permission Set',"
		"'description':'May do everything','grantableTo':[<sso_user>,<sso_group>],"
		"'annotations':[{'@type':'V1Identifier','id':'" ACCOUNT "|" ADMIN "'}],"
		"'purpose':'PURPOSE_VALUE_ASSIGNMENT','slug':'Admin access'}"},
	{ENTITLEMENTS, "sso_group", "sso_group", STORE "/group/g-1", 0,
		"{'resource':{'id':{'resourceType':'sso_group','resource':'" STORE "/group/g-1'},"
		"'displayName':'Name'},'id':'sso_group:" STORE "/group/g-1:member',"
		"'displayName':'Name Group Member','description':'Is member of the Name SSO group in AWS',"
		"'grantableTo':[<sso_user>],'annotations':[{'@type':'V1Identifier','id':'membership:" STORE
		"/group/g-1'}],'purpose':'PURPOSE_VALUE_ASSIGNMENT','slug':'member'}"},
	{ENTITLEMENTS, "permission_set_assignment", "permission_set_assignment", ADMIN "-" ACCOUNT, 0,
		"{'resource':" BINDING ",'id':'permission_set_assignment:" ADMIN "-" ACCOUNT ":assigned',"
		"'displayName':'assigned','grantableTo':[<sso_user>,<sso_group>],"
		"'purpose':'PURPOSE_VALUE_ASSIGNMENT','slug':'assigned'}"},
	{ENTITLEMENTS, "inline_policy", "inline_policy", ADMIN "::inline::inline", 0,
		"{'resource':{'id':{'resourceType':'inline_policy','resource':'" ADMIN "::inline::inline'},"
		"'parentResourceId':{'resourceType':'permission_set','resource':'" ADMIN "'},"
		"'displayName':'inline'},'id':'inline_policy:" ADMIN "::inline::inline:attached',"
		"'displayName':'inline Inline Policy','description':'Has the inline inline policy in AWS',"
		"'grantableTo':[<permission_set>],'purpose':'PURPOSE_VALUE_ASSIGNMENT','slug':'attached'}"},
	{GRANTS, "account", "account", ACCOUNT, 0,
		"{'entitlement':{'resource':{'id':{'resourceType':'account','resource':'" ACCOUNT "'},"
		"'displayName':'Name'},'id':'" ACCOUNT "|" ADMIN "','displayName':'Admin Permission Set',"
		"'description':'May do everything','grantableTo':[<sso_group>,<sso_user>],"
		"'annotations':[{'@type':'V1Identifier','id':'" ACCOUNT "|" ADMIN "'}],"
		"'purpose':'PURPOSE_VALUE_ASSIGNMENT'},'principal':{'id':{'resourceType':'sso_group',"
		"'resource':'" STORE "/group/g-1'}},'id':'grant:sso_group:" STORE "/group/g-1:" ACCOUNT
		"|" ADMIN "','annotations':[{'@type':'V1Identifier','id':'grant:" ACCOUNT "|" ADMIN ":" STORE
		"/group/g-1'},"
		"{'@type':'GrantExpandable','entitlementIds':['sso_group:" STORE "/group/g-1:member']}]}"},
	{GRANTS, "account", "account", ACCOUNT, 1,
		"{'entitlement':{'resource':{'id':{'resourceType':'account','resource':'" ACCOUNT "'},"
		"'displayName':'Name'},'id':'" ACCOUNT "|" ADMIN "','displayName':'Admin Permission Set',"
		"'description':'May do everything','grantableTo':[<sso_group>,<sso_user>],"
		"'annotations':[{'@type':'V1Identifier','id':'" ACCOUNT "|" ADMIN "'}],"
		"'purpose':'PURPOSE_VALUE_ASSIGNMENT'},'principal':{'id':{'resourceType':'sso_user','"
		"resource':'" STORE "/user/u-1'}},'id':'grant:sso_user:" STORE "/user/u-1:" ACCOUNT "|" ADMIN
		"',"
		"'annotations':[{'@type':'V1Identifier','id':'grant:" ACCOUNT "|" ADMIN ":" STORE
		"/user/u-1'}]}"},
	{GRANTS, "sso_group", "sso_group", STORE "/group/g-1", 0,
		"{'entitlement':{'resource':{'id':{'resourceType':'sso_group','resource':'" STORE
		"/group/g-1'},"
		"'displayName':'Name'},'id':'sso_group:" STORE "/group/g-1:member'},"
		"'principal':{'id':{'resourceType':'sso_user','resource':'" STORE "/user/u-1'}},'id':'m-11',"
		"'annotations':[{'@type':'V1Identifier','id':'grant:membership:" STORE "/group/g-1:" STORE
		"/user/u-1'}]}"},
	{GRANTS, "sso_group", "sso_group", STORE "/group/g-1", 1,
		"{'entitlement':{'resource':{'id':{'resourceType':'sso_group','resource':'" STORE
		"/group/g-1'},"
		"'displayName':'Name'},'id':'sso_group:" STORE "/group/g-1:member'},"
		"'principal':{'id':{'resourceType':'sso_user','resource':'" STORE
		"/user/u-2'}},'id':'sso_group:" STORE "/group/g-1:member:sso_user:" STORE
		"/user/u-2','annotations':[{'@type':'V1Identifier',"
		"'id':'grant:membership:" STORE "/group/g-1:" STORE "/user/u-2'}]}"},
	{GRANTS, "permission_set", "permission_set", ADMIN, 0,
		"{'entitlement':{'resource':{'id':{'resourceType':'iam_policy','resource':'" POLICY
		"AdministratorAccess'},'displayName':'AdministratorAccess'},'id':'iam_policy:" POLICY
		"AdministratorAccess:attached'},'principal':{'id':{'resourceType':'permission_set','resource'"
		":'" ADMIN "'}},'id':'iam_policy:" POLICY "AdministratorAccess:attached:permission_set:" ADMIN
		"'}"},
	{GRANTS, "permission_set_assignment", "permission_set_assignment", ADMIN "-" ACCOUNT, 0,
		"{'entitlement':{'resource':" BINDING ",'id':'permission_set_assignment:" ADMIN "-" ACCOUNT
		":assigned','displayName':'assigned','grantableTo':[<sso_user>,<sso_group>],"
		"'purpose':'PURPOSE_VALUE_ASSIGNMENT','slug':'assigned'},"
		"'principal':{'id':{'resourceType':'sso_group','resource':'" STORE "/group/g-1'}},"
		"'id':'grant:sso_group:" STORE "/group/g-1:permission_set_assignment:" ADMIN "-" ACCOUNT
		":assigned','annotations':[{'@type':'V1Identifier','id':'grant:permission_set_"
		"assignment:" ADMIN "-" ACCOUNT ":assigned:" STORE "/group/g-1'},{'@type':'GrantExpandable',"
		"'entitlementIds':['sso_group:" STORE "/group/g-1:member']}]}"},
	{GRANTS, "permission_set_assignment", "permission_set_assignment", ADMIN "-" ACCOUNT, 1,
		"{'entitlement':{'resource':" BINDING ",'id':'permission_set_assignment:" ADMIN "-" ACCOUNT
		":assigned','displayName':'assigned','grantableTo':[<sso_user>,<sso_group>],"
		"'purpose':'PURPOSE_VALUE_ASSIGNMENT','slug':'assigned'},"
		"'principal':{'id':{'resourceType':'sso_user','resource':'" STORE "/user/u-1'}},"
		"'id':'grant:sso_user:" STORE "/user/u-1:permission_set_assignment:" ADMIN "-" ACCOUNT
		":assigned',"
		"'annotations':[{'@type':'V1Identifier','id':'grant:permission_set_assignment:" ADMIN
		"-" ACCOUNT ":assigned:" STORE "/user/u-1'}]}"},
	{GRANTS, "permission_set_assignment", "permission_set_assignment", ADMIN "-" ACCOUNT, 2,
		"{'entitlement':{'resource':{'id':{'resourceType':'iam_policy','resource':'" POLICY
		"AdministratorAccess'},'displayName':'AdministratorAccess'},'id':'iam_policy:" POLICY
		"AdministratorAccess:attached'},'principal':{'id':{'resourceType':'permission_set_assignment'"
		","
		"'resource':'" ADMIN "-" ACCOUNT "'}},'id':'iam_policy:" POLICY
		"AdministratorAccess:attached:permission_set_assignment:" ADMIN "-" ACCOUNT "',"
		"'annotations':[{'@type':'GrantExpandable','entitlementIds':['permission_set_"
		"assignment:" ADMIN "-" ACCOUNT ":assigned']}]}"},
	{GRANTS, "permission_set_assignment", "permission_set_assignment", ADMIN "-" ACCOUNT, 4,
		"{'entitlement':{'resource':{'id':{'resourceType':'iam_policy','resource':'arn:aws:iam:"
		":" ACCOUNT
		":policy/boundary'},'displayName':'boundary'},'id':'iam_policy:arn:aws:iam::" ACCOUNT
		":policy/boundary:attached'},'principal':{'id':{'resourceType':'permission_set_assignment',"
		"'resource':'" ADMIN "-" ACCOUNT "'}},'id':'iam_policy:arn:aws:iam::" ACCOUNT
		":policy/boundary:attached:permission_set_assignment:" ADMIN "-" ACCOUNT "',"
		"'annotations':[{'@type':'GrantExpandable','entitlementIds':['permission_set_"
		"assignment:" ADMIN "-" ACCOUNT ":assigned']}]}"},
	{GRANTS, "permission_set_assignment", "permission_set_assignment", ADMIN "-" ACCOUNT, 5,
		"{'entitlement':{'resource':{'id':{'resourceType':'iam_policy','resource':'arn:aws:iam:"
		":" ACCOUNT ":policy/team/own'},'displayName':'own'},'id':'iam_policy:arn:aws:iam::" ACCOUNT
		":policy/team/own:attached'},'principal':{'id':{'resourceType':'permission_set_assignment',"
		"'resource':'" ADMIN "-" ACCOUNT "'}},'id':'iam_policy:arn:aws:iam::" ACCOUNT
		":policy/team/own:attached:permission_set_assignment:" ADMIN "-" ACCOUNT "',"
		"'annotations':[{'@type':'GrantExpandable','entitlementIds':['permission_set_"
		"assignment:" ADMIN "-" ACCOUNT ":assigned']}]}"},
	{GRANTS, "inline_policy", "inline_policy", ADMIN "::inline::inline", 0,
		"{'entitlement':{'resource':{'id':{'resourceType':'inline_policy','resource':'" ADMIN
		"::inline::inline'},'parentResourceId':{'resourceType':'permission_set','resource':'" ADMIN
		"'},"
		"'displayName':'inline'},'id':'inline_policy:" ADMIN "::inline::inline:attached'},"
		"'principal':{'id':{'resourceType':'permission_set','resource':'" ADMIN "'}},"
		"'id':'inline_policy:" ADMIN "::inline::inline:attached:permission_set:" ADMIN "'}"},
};

static void test_forms(void)
{
	set_up();
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		const struct form *form = &forms[i];
		const struct asked a = {
			form->question, form->type_id, about(form->about_type, form->about_id)};
		struct syncer_page page;
		struct err e;

		CU_ASSERT_EQUAL_FATAL(ask(&a, &fx.call, &page, &e), ERR_OK);
		CU_ASSERT_FATAL(page.n > form->i);
		ASSERT_STR(text_of(page.items[form->i]), str_c(form->want), form->type_id);
	}
	tear_down();
}

/* Row 18: the partition is the instance's, wherever an ARN is made. */
static void test_partition(void)
{
	set_up_in("aws-us-gov");
	ASSERT_STR(ids_of(&(struct asked){LIST, "sso_group", NULL}),
		STR("arn:aws-us-gov:identitystore:eu-west-1::d-1234567890/group/g-1 "
		    "arn:aws-us-gov:identitystore:eu-west-1::d-1234567890/group/g-2 "),
		"groups");
	ASSERT_STR(ids_of(&(struct asked){GRANTS, "permission_set_assignment", binding(ADMIN, ACCOUNT)}),
		STR("grant:sso_group:arn:aws-us-gov:identitystore:eu-west-1::d-1234567890/group/"
		    "g-1:permission_set_assignment:" ADMIN "-" ACCOUNT ":assigned "
		    "grant:sso_user:arn:aws-us-gov:identitystore:eu-west-1::d-1234567890/user/"
		    "u-1:permission_set_assignment:" ADMIN "-" ACCOUNT ":assigned "
		    "iam_policy:" POLICY "AdministratorAccess:attached:permission_set_assignment:" ADMIN
		    "-" ACCOUNT " "
		    "iam_policy:" POLICY "job-function/Billing:attached:permission_set_assignment:" ADMIN
		    "-" ACCOUNT " "
		    "iam_policy:arn:aws-us-gov:iam::" ACCOUNT
		    ":policy/boundary:attached:permission_set_assignment:" ADMIN "-" ACCOUNT " "
		    "iam_policy:arn:aws-us-gov:iam::" ACCOUNT
		    ":policy/team/own:attached:permission_set_assignment:" ADMIN "-" ACCOUNT " "),
		"a binding");
	tear_down();
}

/* Rows 20 and 21. */
static void test_users(void)
{
	static const struct {
		const char *name, *emails, *want; /* the first is the primary one */
	} rows[] = {
		{"alice", "", ""},
		{"alice", "a@x b@x", "a@x b@x "},
		{"alice", "a@x !b@x c@x", "b@x a@x c@x "},
		{"alice", "!a@x !b@x", "a@x b@x "},
		{"alice", "- !b@x", "b@x "},
		{"alice", "!- b@x", "b@x "},
		{"alice", "a@x a@x", "a@x "},
		{"n@x", "", "n@x "},
		{"n@x", "a@x !b@x", "n@x b@x a@x "},
		{"n@x", "a@x !n@x", "n@x a@x "},
	};
	static const struct {
		const char *aws;
		V2(Status__ResourceStatus) of_resource;
		V2(UserTrait__Status__Status) of_trait;
	} statuses[] = {
		{"ENABLED", V2_ENUM(STATUS__RESOURCE_STATUS__RESOURCE_STATUS_ENABLED),
			V2_ENUM(USER_TRAIT__STATUS__STATUS__STATUS_ENABLED)},
		{"DISABLED", V2_ENUM(STATUS__RESOURCE_STATUS__RESOURCE_STATUS_DISABLED),
			V2_ENUM(USER_TRAIT__STATUS__STATUS__STATUS_DISABLED)},
		{"ASLEEP", V2_ENUM(STATUS__RESOURCE_STATUS__RESOURCE_STATUS_UNSPECIFIED),
			V2_ENUM(USER_TRAIT__STATUS__STATUS__STATUS_UNSPECIFIED)},
		{"", V2_ENUM(STATUS__RESOURCE_STATUS__RESOURCE_STATUS_UNSPECIFIED),
			V2_ENUM(USER_TRAIT__STATUS__STATUS__STATUS_UNSPECIFIED)},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const size_t s = i % ARRAY_LEN(statuses);
		const V2(UserTrait) * trait;
		const V2(Resource) * r;
		struct str emails = STR_EMPTY;
		ProtobufCMessage *found = NULL;
		struct syncer_page page;
		struct err e;

		set_up();
		keep_user(rows[i].name, statuses[s].aws, rows[i].emails);
		CU_ASSERT_EQUAL_FATAL(syncer("sso_user")->list(&fx.call, NULL, &page, &e), ERR_OK);
		r = (const V2(Resource) *)page.items[0];
		CU_ASSERT_EQUAL(pb_get_annotation(fx.arena, r->annotations, r->n_annotations,
					V2_DESC(user_trait), &found, &e),
			ERR_OK);
		trait = (const V2(UserTrait) *)found;
		for (size_t k = 0; k < trait->n_emails; k++) {
			CU_ASSERT_EQUAL(trait->emails[k]->is_primary, k == 0);
			emails = str_fmt(fx.arena, STR_FMT "%s ", STR_ARG(emails), trait->emails[k]->address);
		}
		ASSERT_STR(emails, str_c(rows[i].want), rows[i].emails);
		CU_ASSERT_EQUAL(r->status->status, statuses[s].of_resource);
		CU_ASSERT_EQUAL(trait->status->status, statuses[s].of_trait);
		tear_down();
	}
}

/* Every listing there is, with more than one message. */
static const struct form listings[] = {
	{LIST, "account", NULL, NULL, 0, NULL},
	{LIST, "sso_user", NULL, NULL, 0, NULL},
	{LIST, "sso_group", NULL, NULL, 0, NULL},
	{LIST, "permission_set", NULL, NULL, 0, NULL},
	{LIST, "permission_set_assignment", "account", ACCOUNT, 0, NULL},
	{LIST, "organization", NULL, NULL, 0, NULL},
	{LIST, "organizational_unit", "organization", "r-1", 0, NULL},
	{ENTITLEMENTS, "account", "account", ACCOUNT, 0, NULL},
	{GRANTS, "account", "account", ACCOUNT, 0, NULL},
	{GRANTS, "sso_group", "sso_group", STORE "/group/g-1", 0, NULL},
	{GRANTS, "permission_set", "permission_set", ADMIN, 0, NULL},
	{GRANTS, "permission_set_assignment", "permission_set_assignment", ADMIN "-" ACCOUNT, 0, NULL},
};

static void test_pages(void)
{
	set_up();
	for (size_t i = 0; i < ARRAY_LEN(listings); i++) {
		const struct form *l = &listings[i];
		const struct asked a = {l->question, l->type_id, about(l->about_type, l->about_id)};
		size_t pages;
		const struct str whole = page_text(&a, 0, &pages);

		CU_ASSERT_EQUAL(pages, 1);
		CU_ASSERT(whole.n > 0);
		for (size_t size = 1; size <= 2; size++) {
			ASSERT_STR(page_text(&a, size, &pages), whole, l->type_id);
			CU_ASSERT(pages >= 2 || size == 2);
		}
	}
	tear_down();
}

/* Two more accounts' worth of permission sets: pages of 25, as the contract has it. */
static void test_entitlements_of_an_account(void)
{
	struct row rows[60];
	struct syncer_page page;
	size_t sizes[4] = {0}, pages = 0;
	struct err e;

	set_up();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		rows[i] = (struct row)ROW(
			str_fmt(fx.arena, SET("%016zu"), i), str_fmt(fx.arena, "Set %zu", i), STR(""));
	keep_shaped("ic-permission-sets/1/", 3, false, rows, ARRAY_LEN(rows));
	do {
		CU_ASSERT_EQUAL_FATAL(
			syncer("account")->entitlements(&fx.call, stored("account", OTHER), &page, &e),
			ERR_OK);
		sizes[pages++] = page.n;
		fx.call.page_token = page.next;
	} while (page.next.n > 0 && pages < ARRAY_LEN(sizes));
	CU_ASSERT_EQUAL(pages, 3);
	CU_ASSERT(sizes[0] == 25 && sizes[1] == 25 && sizes[2] == 10);
	tear_down();
}

/* The first page is of one message; then the server forgets all facts and finds others. */
static struct str resumed(const struct asked *a, void (*change)(void))
{
	struct syncer_page page;
	struct str ids;
	struct err e;

	fx.call.page_size = 1;
	CU_ASSERT_EQUAL_FATAL(ask(a, &fx.call, &page, &e), ERR_OK);
	CU_ASSERT_EQUAL_FATAL(page.n, 1);
	inventory_end_sync(fx.inventory, &background, STR(SYNC));
	keep_everything("aws");
	change();
	fx.call.page_size = 0;
	fx.call.page_token = page.next;
	ids = ids_of(a);
	fx.call.page_token = STR_EMPTY;
	return ids;
}

static void delete_admin(void)
{
	KEEP("ic-permission-sets/1/", 3, ROW(STR(SET("0000000000000000")), STR("New"), STR("")),
		ROW(STR(READER), STR("Reader"), STR("")), ROW(STR(UNUSED), STR("Unused"), STR("")));
	KEEP("ic-matrix/1/", 1, ROW(STR(ACCOUNT "|" SET("0000000000000000"))), ROW(STR(ACCOUNT "|" READER)));
	KEEP("ic-assignments/1/" ACCOUNT, 1, ROW(STR(SET("0000000000000000") "|USER|u-1")),
		ROW(STR(READER "|USER|u-2")));
}

static void delete_first_ones(void)
{
	KEEP("ic-groups/1/", 3, ROW(STR("g-0"), STR("New"), packed_external_ids(0)),
		ROW(STR("g-2"), STR("Readers"), packed_external_ids(0)));
	KEEP("ic-members/1/g-1", 2, ROW(STR("u-0"), STR("m-10")), ROW(STR("u-2"), STR("m-12")));
	KEEP("ic-assignments/1/" ACCOUNT, 1, ROW(STR(ADMIN "|GROUP|g-0")), ROW(STR(ADMIN "|USER|u-1")));
	KEEP("ic-managed-policies/1/" ADMIN, 3, ROW(STR(POLICY "AaNew"), STR("AaNew")),
		ROW(STR(POLICY "Zz"), STR("Zz")));
}

/* What a token names may be gone, and others may have come before it: nothing is repeated, nothing left out. */
static void test_resume(void)
{
	static const struct {
		struct form listing;
		void (*change)(void);
		const char *want;
	} rows[] = {
		{{LIST, "permission_set", NULL, NULL, 0, NULL}, delete_admin, READER " " UNUSED " "},
		{{LIST, "permission_set_assignment", "account", ACCOUNT, 0, NULL}, delete_admin,
			READER "-" ACCOUNT " "},
		{{ENTITLEMENTS, "account", "account", ACCOUNT, 0, NULL}, delete_admin,
			ACCOUNT "|" READER " " ACCOUNT "|" UNUSED " "},
		{{GRANTS, "account", "account", ACCOUNT, 0, NULL}, delete_admin,
			"grant:sso_user:" STORE "/user/u-2:" ACCOUNT "|" READER " "},
		{{LIST, "sso_group", NULL, NULL, 0, NULL}, delete_first_ones, STORE "/group/g-2 "},
		{{GRANTS, "sso_group", "sso_group", STORE "/group/g-1", 0, NULL}, delete_first_ones, "m-12 "},
		{{GRANTS, "account", "account", ACCOUNT, 0, NULL}, delete_first_ones,
			"grant:sso_user:" STORE "/user/u-1:" ACCOUNT "|" ADMIN " "},
		{{GRANTS, "permission_set", "permission_set", ADMIN, 0, NULL}, delete_first_ones,
			"iam_policy:" POLICY "Zz:attached:permission_set:" ADMIN " "},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct form *l = &rows[i].listing;

		set_up();
		ASSERT_STR(
			resumed(&(struct asked){l->question, l->type_id, about(l->about_type, l->about_id)},
				rows[i].change),
			str_c(rows[i].want), l->type_id);
		tear_down();
	}
}

static size_t warnings;

static void count_warning(void *arg, struct str line)
{
	(void)arg;
	warnings += str_contains(line, STR(GONE));
}

/* Row 10: what vanished in mid-sync is left out, with a warning, and fails nothing; the rest of the page is there. */
static void test_gone_permission_set(void)
{
	struct inventory_stats stats;

	set_up();
	warnings = 0;
	log_capture(count_warning, NULL);
	CU_ASSERT_FALSE(str_contains(
		ids_of(&(struct asked){GRANTS, "account", stored("account", ACCOUNT)}), STR(GONE)));
	CU_ASSERT_EQUAL(warnings, 1);
	CU_ASSERT_FALSE(str_contains(
		ids_of(&(struct asked){LIST, "permission_set_assignment", stored("account", ACCOUNT)}),
		STR(GONE)));
	CU_ASSERT_EQUAL(warnings, 1); /* once is enough, however many accounts have it */
	log_capture(NULL, NULL);
	inventory_stats(fx.inventory, &stats);
	CU_ASSERT_EQUAL(stats.vanished, 1);
	tear_down();
}

static struct syncer_config with_filter(const struct str *wanted, size_t n)
{
	struct syncer_config config = everything;

	config.type_filter = wanted;
	config.n_type_filter = n;
	return config;
}

/* Rows 25, 26: without iam_policy in the filter no grant may name one. */
static void test_policy_gate(void)
{
	static const struct str wanted[] = {
		STR_INIT("permission_set"), STR_INIT("permission_set_assignment")};
	const struct syncer_config config = with_filter(wanted, ARRAY_LEN(wanted));
	struct asked a = {GRANTS, "permission_set_assignment", NULL};
	struct syncer_page page;
	struct err e;

	set_up();
	a.about = binding(ADMIN, ACCOUNT);
	fx.call.page_size = 3; /* the third is a policy: the token is of that part */
	CU_ASSERT_EQUAL_FATAL(ask(&a, &fx.call, &page, &e), ERR_OK);
	CU_ASSERT_EQUAL(page.n, 3);
	fx.call = (struct syncer_call){.ctx = &background,
		.arena = fx.arena,
		.inventory = fx.inventory,
		.config = &config,
		.sync_id = STR(SYNC),
		.page_token = page.next};
	ASSERT_STR(ids_of(&a), STR_EMPTY, "a token from before the filter");
	fx.call.page_token = STR_EMPTY;
	ASSERT_STR(ids_of(&a),
		STR("grant:sso_group:" STORE "/group/g-1:permission_set_assignment:" ADMIN "-" ACCOUNT
		    ":assigned "
		    "grant:sso_user:" STORE "/user/u-1:permission_set_assignment:" ADMIN "-" ACCOUNT
		    ":assigned "),
		"a binding");
	ASSERT_STR(ids_of(&(struct asked){GRANTS, "permission_set", stored("permission_set", ADMIN)}),
		STR_EMPTY, "a set");
	CU_ASSERT_EQUAL(syncer_type(fx.arena, syncer("permission_set"), &config)->n_annotations, 4);
	CU_ASSERT_EQUAL(syncer_type(fx.arena, syncer("permission_set"), &everything)->n_annotations, 3);
	tear_down();
}

/* Row 30. */
static void test_parents_of_accounts(void)
{
	static const struct str both[] = {
		STR_INIT("account"), STR_INIT("organization"), STR_INIT("organizational_unit")};
	static const struct str neither[] = {STR_INIT("account"), STR_INIT("organizational_unit")};
	static const struct {
		const struct str *filter;
		size_t n;
		const char *first, *second;
	} rows[] = {
		{both, 0, "r-1", "ou-3"},
		{both, 3, "r-1", "ou-3"},
		{both, 2, "r-1", NULL},
		{neither, 1, NULL, NULL},
		{neither, 2, NULL, NULL},
	};

	set_up();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct syncer_config config = with_filter(rows[i].filter, rows[i].n);
		const char *const want[] = {rows[i].first, rows[i].second};
		struct syncer_page page;
		struct err e;

		fx.call.config = &config;
		CU_ASSERT_EQUAL_FATAL(syncer("account")->list(&fx.call, NULL, &page, &e), ERR_OK);
		for (size_t k = 0; k < ARRAY_LEN(want); k++) {
			const V2(ResourceId) *parent =
				((const V2(Resource) *)page.items[k])->parent_resource_id;

			ASSERT_STR(str_c(parent == NULL ? NULL : parent->resource), str_c(want[k]), "parent");
		}
	}
	tear_down();
}

static void test_parents_of_listings(void)
{
	static const struct {
		const char *type_id, *parent_type, *parent;
		const char *want; /* NULL: ERR_NOT_FOUND */
	} rows[] = {
		{"organization", "account", ACCOUNT, ""},
		{"organizational_unit", NULL, NULL, ""},
		{"organizational_unit", "account", ACCOUNT, ""},
		{"organizational_unit", "organization", "r-1", "ou-1 ou-2 "},
		{"organizational_unit", "organization", "r-2", ""},
		{"organizational_unit", "organizational_unit", "ou-1", "ou-3 "},
		{"organizational_unit", "organizational_unit", "ou-9", NULL},
		{"permission_set_assignment", NULL, NULL, ""},
		{"permission_set_assignment", "account_iam", ACCOUNT, ""},
		{"permission_set_assignment", "account", OTHER, READER "-" OTHER " "},
		{"permission_set_assignment", "account", CLOSED, ""},
		{"inline_policy", "permission_set", READER, ""},
		{"account", "organization", "r-1", ACCOUNT " " OTHER " "},
	};

	set_up();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct asked a = {LIST, rows[i].type_id,
			rows[i].parent_type == NULL ? NULL : stored(rows[i].parent_type, rows[i].parent)};

		if (rows[i].want == NULL) {
			CU_ASSERT_EQUAL(code_of(&a), ERR_NOT_FOUND);
		} else {
			ASSERT_STR(ids_of(&a), str_c(rows[i].want), rows[i].type_id);
		}
	}
	tear_down();
}

/* A tree that may not be read is empty: then nobody's parent is gone. */
static void test_denied_tree(void)
{
	set_up();
	keep_shaped("org-tree/1/", 3, true, NULL, 0);
	ASSERT_STR(ids_of(&(struct asked){LIST, "organization", NULL}), STR_EMPTY, "roots");
	ASSERT_STR(ids_of(&(struct asked){LIST, "organizational_unit", stored("organization", "r-1")}),
		STR_EMPTY, "units");
	tear_down();
}

static V2(Resource) * damaged_binding(struct str trait)
{
	V2(Resource) *r = stored("permission_set_assignment", ADMIN "-" ACCOUNT);
	Google__Protobuf__Any *any = pb_any_empty(fx.arena, V2_DESC(scope_binding_trait));

	any->value.data = (uint8_t *)str_dup_c(fx.arena, trait);
	any->value.len = trait.n;
	PB_ADD(fx.arena, r, annotations, any);
	return r;
}

static void test_bad_requests(void)
{
	set_up();
	const struct asked bad[] = {
		{GRANTS, "sso_group", stored("sso_group", "g-1")},
		{GRANTS, "sso_group", stored("sso_group", STORE "/group/")},
		{GRANTS, "sso_group", stored("sso_group", STORE "/user/u-1")},
		{GRANTS, "account", stored("account", "")},
		{GRANTS, "account", stored("account", "12345678901x")},
		{ENTITLEMENTS, "account", stored("account", ACCOUNT "1")},
		{LIST, "permission_set_assignment", stored("account", "1")},
		{GRANTS, "permission_set_assignment", stored("permission_set_assignment", ADMIN "-" ACCOUNT)},
		{GRANTS, "permission_set_assignment", damaged_binding(STR_EMPTY)},
		{GRANTS, "permission_set_assignment", damaged_binding(STR("\x0a"))},
		{GRANTS, "permission_set_assignment", binding("", ACCOUNT)},
		{GRANTS, "permission_set_assignment", binding(ADMIN, "1")},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ASSERT_I64(code_of(&bad[i]), ERR_INVALID, str_fmt(fx.arena, "request %zu", i).p);
	fx.call.page_token = STR("garbage!");
	for (size_t i = 0; i < ARRAY_LEN(listings); i++) {
		const struct form *l = &listings[i];

		ASSERT_I64(
			code_of(&(struct asked){l->question, l->type_id, about(l->about_type, l->about_id)}),
			ERR_INVALID, l->type_id);
	}
	tear_down();
}

/* Architecture, decision 15: what is announced is registered; and only with Identity Center. */
static void test_registered(void)
{
	static const char *const wanted[] = {"access-key", "account", "account_iam", "group", "iam_policy",
		"iam_user", "inline_policy", "organization", "organizational_unit", "permission_set",
		"permission_set_assignment", "role", "sso_group", "sso_user"};
	const struct syncer *all[SYNCERS_MAX];
	const size_t n = syncers_registered(&everything, all);
	const struct syncer_config without = {.sync_secrets = true, .organization = true};

	set_up();
	CU_ASSERT_EQUAL_FATAL(n, ARRAY_LEN(wanted));
	for (size_t i = 0; i < n; i++) {
		CU_ASSERT_STRING_EQUAL(all[i]->type_id, wanted[i]);
		CU_ASSERT_STRING_EQUAL(syncer_type(fx.arena, all[i], &everything)->id, wanted[i]);
	}
	CU_ASSERT_EQUAL(syncers_registered(&without, all), 7);
	tear_down();
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"the form of each message", test_forms},
		{"the instance's partition", test_partition},
		{"e-mails and status of users", test_users},
		{"pages", test_pages},
		{"entitlements in pages of 25", test_entitlements_of_an_account},
		{"tokens outlive what they name", test_resume},
		{"a permission set that is gone", test_gone_permission_set},
		{"the iam_policy gate", test_policy_gate},
		{"parents of accounts", test_parents_of_accounts},
		{"parents of listings", test_parents_of_listings},
		{"a tree that is denied", test_denied_tree},
		{"bad requests", test_bad_requests},
		{"what is registered", test_registered},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{"syncers of Identity Center", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
