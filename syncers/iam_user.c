/* iam_user: users of IAM (spec/iam.md 4). Memberships are grants of `group`; a user's own grants are its managed policies. */
#include "syncers/account_of.h"
#include "syncers/attached.h"
#include "syncers/kinds.h"
#include "syncers/message.h"
#include "syncers/page_token.h"

#include "proto/email.h"
#include "proto/pb_build.h"

#include <string.h>

static const struct str kind = STR_INIT("iam_user");

/* A bare address: what e-mail rules tolerate around one (display names, comments, quoting) is no address to write to. */
static bool is_plain_address(struct str text)
{
	static const char atom[] = "!#$%&'*+/=?^_`{|}~-.@";
	char cause[EMAIL_CAUSE_SIZE];

	for (size_t i = 0; i < text.n; i++) {
		const char c = text.p[i];
		const bool alphanumeric =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!alphanumeric && (c == '\0' || strchr(atom, c) == NULL))
			return false;
	}
	return email_check(text, cause);
}

static bool is_listed(const V2(UserTrait) * trait, struct str address)
{
	for (size_t i = 0; i < trait->n_emails; i++) {
		if (str_eq_c(address, trait->emails[i]->address))
			return true;
	}
	return false;
}

/* D3: each address once, the first one primary, nothing that is no address. */
static void add_email(struct arena *arena, V2(UserTrait) * trait, struct str candidate)
{
	V2(UserTrait__Email) * email;

	if (!is_plain_address(candidate) || is_listed(trait, candidate))
		return;
	email = pb_new(arena, V2_DESC(user_trait__email));
	email->address = pb_str(arena, candidate);
	email->is_primary = trait->n_emails == 0;
	PB_ADD(arena, trait, emails, email);
}

static V2(UserTrait) * user_trait(struct arena *arena, const struct iam_user *u)
{
	V2(UserTrait) *trait = pb_new(arena, V2_DESC(user_trait));

	add_email(arena, trait, u->is.name);
	for (size_t i = 0; i < u->is.n_tags; i++) {
		if (str_eq(u->is.tags[i].key, STR("email")))
			add_email(arena, trait, u->is.tags[i].value);
	}
	trait->status = pb_new(arena, V2_DESC(user_trait__status));
	trait->status->status = V2_ENUM(USER_TRAIT__STATUS__STATUS__STATUS_ENABLED);
	trait->account_type = V2_ENUM(USER_TRAIT__ACCOUNT_TYPE__ACCOUNT_TYPE_HUMAN);
	if (u->last_login_s != IAM_NO_TIME)
		trait->last_login = pb_timestamp(arena, u->last_login_s);
	return trait;
}

static V2(Resource) * user_resource(struct arena *arena, const struct iam_account *account, size_t i,
			      const V2(ResourceId) * parent)
{
	const struct iam_user u = iam_account_user(account, i, arena);
	V2(Resource) *r = resource_named(arena, "iam_user", u.is.arn, u.is.name);

	resource_set_parent(arena, r, parent);
	resource_set_created(arena, r, u.is.created_s);
	annotate_v1_id(arena, r, u.is.arn);
	annotate_child_type(arena, r, "inline_policy");
	PB_ANNOTATE(arena, r, user_trait(arena, &u));
	r->status = pb_new(arena, V2_DESC(status));
	r->status->status = V2_ENUM(STATUS__RESOURCE_STATUS__RESOURCE_STATUS_ENABLED);
	r->profile = pb_struct(arena);
	pb_struct_str(arena, r->profile, STR("aws_arn"), u.is.arn);
	pb_struct_str(arena, r->profile, STR("aws_path"), u.is.path);
	pb_struct_str(arena, r->profile, STR("aws_user_type"), STR("iam"));
	pb_struct_struct(arena, r->profile, STR("aws_tags"), tags_profile(arena, &u.is));
	pb_struct_str(arena, r->profile, STR("aws_user_id"), u.is.id);
	return r;
}

static enum err_code list(const struct syncer_call *call, const V2(ResourceId) * parent,
	struct syncer_page *ret_page, struct err *reterr)
{
	return list_of_account(call, parent, kind, IAM_USERS, user_resource, ret_page, reterr);
}

static enum err_code grants(const struct syncer_call *call, const V2(Resource) * resource,
	struct syncer_page *ret_page, struct err *reterr)
{
	CLEANUP(iam_account_unrefp) struct iam_account *account = NULL;
	struct page_token token;
	struct iam_user u;
	struct page page;
	size_t i;

	if (page_token_decode(call->arena, kind, call->page_token, &token, reterr) != ERR_OK)
		return reterr->code;
	if (!syncer_config_wants(call->config, "iam_policy"))
		return page_of_none(ret_page);
	if (account_of_resource(call, resource, IAM_USERS, &account, &i, reterr) != ERR_OK)
		return reterr->code;
	u = iam_account_user(account, i, call->arena);
	page_init(&page, call);
	return attached_grants(&page, kind, "iam_user", &u.is, token.last, ret_page);
}

static V2(ResourceType) * type(struct arena *arena, const struct syncer_config *config)
{
	return policy_holder_type(arena, config, "iam_user");
}

const struct syncer syncer_iam_user = {
	.type_id = "iam_user",
	.type = type,
	.list = list,
	.entitlements = syncer_nothing,
	.grants = grants,
	.capabilities = capability_sync,
	.n_capabilities = ARRAY_LEN(capability_sync),
};
