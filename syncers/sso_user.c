/* sso_user: users of Identity Center (spec/identity-center.md 4). What they hold is granted by groups, accounts and bindings. */
#include "inventory/identity_center.h"
#include "syncers/kinds.h"
#include "syncers/message.h"
#include "syncers/page.h"
#include "syncers/page_token.h"
#include "syncers/sso_arn.h"
#include "syncers/sso_profile.h"

#include "proto/pb_build.h"

static const struct str kind = STR_INIT("sso_user");

/* Row 20: one status, said in two places. What AWS says beyond these two is no status of ours: unspecified. */
static const struct {
	const char *aws;
	V2(Status__ResourceStatus) of_resource;
	V2(UserTrait__Status__Status) of_trait;
} statuses[] = {
	{"ENABLED", V2_ENUM(STATUS__RESOURCE_STATUS__RESOURCE_STATUS_ENABLED),
		V2_ENUM(USER_TRAIT__STATUS__STATUS__STATUS_ENABLED)},
	{"DISABLED", V2_ENUM(STATUS__RESOURCE_STATUS__RESOURCE_STATUS_DISABLED),
		V2_ENUM(USER_TRAIT__STATUS__STATUS__STATUS_DISABLED)},
};

static void set_status(struct arena *arena, V2(Resource) * r, V2(UserTrait) * trait, struct str status)
{
	r->status = pb_new(arena, V2_DESC(status));
	trait->status = pb_new(arena, V2_DESC(user_trait__status));
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		if (!str_eq_c(status, statuses[i].aws))
			continue;
		r->status->status = statuses[i].of_resource;
		trait->status->status = statuses[i].of_trait;
	}
}

static bool is_listed(const V2(UserTrait) * trait, struct str address)
{
	for (size_t i = 0; i < trait->n_emails; i++) {
		if (str_eq_c(address, trait->emails[i]->address))
			return true;
	}
	return false;
}

static void add_email(struct arena *arena, V2(UserTrait) * trait, struct str address)
{
	V2(UserTrait__Email) * email;

	if (address.n == 0 || is_listed(trait, address))
		return;
	email = pb_new(arena, V2_DESC(user_trait__email));
	email->address = pb_str(arena, address);
	email->is_primary = trait->n_emails == 0;
	PB_ADD(arena, trait, emails, email);
}

/* Row 21: the user name when it is an address, what AWS calls primary, the rest; each once, the first one primary. */
static void add_emails(struct arena *arena, V2(UserTrait) * trait, const struct ic_user *u)
{
	size_t n;
	const struct ic_email *emails = ic_emails(u->emails, arena, &n);

	if (str_find_char(u->user_name, '@') >= 0)
		add_email(arena, trait, u->user_name);
	for (size_t i = 0; i < n; i++) {
		if (emails[i].primary)
			add_email(arena, trait, emails[i].value);
	}
	for (size_t i = 0; i < n; i++)
		add_email(arena, trait, emails[i].value);
}

static V2(Resource) * user_resource(struct arena *arena, const struct ic_user *u, const struct sso_arn *arns)
{
	const struct str arn = sso_arn_user(arena, arns, u->id);
	V2(Resource) *r = resource_named(arena, "sso_user", arn, u->user_name);
	V2(UserTrait) *trait = pb_new(arena, V2_DESC(user_trait));

	add_emails(arena, trait, u);
	set_status(arena, r, trait, u->status);
	trait->account_type = V2_ENUM(USER_TRAIT__ACCOUNT_TYPE__ACCOUNT_TYPE_HUMAN);
	annotate_v1_id(arena, r, arn);
	PB_ANNOTATE(arena, r, trait);
	r->profile = pb_struct(arena);
	pb_struct_str(arena, r->profile, STR("aws_user_type"), STR("sso"));
	pb_struct_str(arena, r->profile, STR("aws_user_name"), u->display_name);
	pb_struct_str(arena, r->profile, STR("aws_user_id"), u->id);
	sso_profile_external_ids(arena, r->profile, u->external_ids);
	return r;
}

static enum err_code list(const struct syncer_call *call, const V2(ResourceId) * parent,
	struct syncer_page *ret_page, struct err *reterr)
{
	CLEANUP(ic_unrefp) struct ic_rows *rows = NULL;
	const struct ic_user *users;
	struct page_token token;
	struct sso_arn arns;
	struct page page;
	size_t n;

	(void)parent; /* one directory, whatever it is asked under */
	if (page_token_decode(call->arena, kind, call->page_token, &token, reterr) != ERR_OK ||
		sso_arn_of(call, &arns, reterr) != ERR_OK ||
		inventory_ic_users(call->inventory, call->ctx, call->sync_id, &rows, reterr) != ERR_OK)
		return reterr->code;
	users = ic_all(rows, &n);
	page_init(&page, call);
	for (size_t i = ic_after(rows, token.last); i < n; i++) {
		if (page_full(&page))
			return page_end(&page, kind, STR_EMPTY, token.last, ret_page);
		page_add(&page, &user_resource(call->arena, &users[i], &arns)->base);
		token.last = users[i].id;
	}
	return page_last(&page, ret_page);
}

const struct syncer syncer_sso_user = {
	.type_id = "sso_user",
	.list = list,
	.entitlements = syncer_nothing,
	.grants = syncer_nothing,
	.capabilities = capability_sync,
	.n_capabilities = ARRAY_LEN(capability_sync),
};
