/* role: roles of IAM (spec/iam.md 6). Its grants are who its trust policy lets assume it, then its managed policies. */
#include "syncers/account_of.h"
#include "syncers/attached.h"
#include "syncers/kinds.h"
#include "syncers/message.h"
#include "syncers/page_token.h"
#include "syncers/trust.h"

#include "proto/pb_build.h"

static const struct str kind = STR_INIT("role");

static V2(NonHumanIdentityTrait) * identity_trait(struct arena *arena, const struct iam_role *role)
{
	V2(NonHumanIdentityTrait) *trait = pb_new(arena, V2_DESC(non_human_identity_trait));

	if (str_starts(role->is.path, STR("/aws-service-role/"))) {
		trait->nhi_type = V2_ENUM(NON_HUMAN_IDENTITY_TRAIT__NHI_TYPE__NHI_TYPE_MANAGED_IDENTITY);
		trait->nhi_detail = pb_str(arena, STR("aws.service_linked_role"));
		return trait;
	}
	trait->nhi_type = V2_ENUM(NON_HUMAN_IDENTITY_TRAIT__NHI_TYPE__NHI_TYPE_ASSUMABLE_ROLE);
	trait->nhi_detail =
		pb_str_max(arena, trust_classify(arena, role->trust_document, role->is.arn), MAX_ID);
	return trait;
}

static V2(Resource) * role_resource(struct arena *arena, const struct iam_account *account, size_t i,
			      const V2(ResourceId) * parent)
{
	const struct iam_role role = iam_account_role(account, i, arena);
	V2(Resource) *r = resource_named(arena, "role", role.is.arn, role.is.name);
	V2(RoleTrait) *trait = pb_new(arena, V2_DESC(role_trait));

	resource_set_parent(arena, r, parent);
	resource_set_created(arena, r, role.is.created_s);
	annotate_v1_id(arena, r, role.is.arn);
	annotate_child_type(arena, r, "inline_policy");
	PB_ANNOTATE(arena, r, identity_trait(arena, &role));
	PB_ANNOTATE(arena, r, trait);
	r->profile = pb_struct(arena);
	pb_struct_str(arena, r->profile, STR("aws_arn"), role.is.arn);
	pb_struct_str(arena, r->profile, STR("aws_path"), role.is.path);
	pb_struct_struct(arena, r->profile, STR("aws_tags"), tags_profile(arena, &role.is));
	pb_struct_str(arena, r->profile, STR("aws_role_name"), role.is.name);
	pb_struct_str(arena, r->profile, STR("aws_role_description"), role.description);
	if (role.max_session_s != 0)
		pb_struct_num(arena, r->profile, STR("aws_max_session_duration_seconds"),
			(double)role.max_session_s);
	return r;
}

static enum err_code list(const struct syncer_call *call, const V2(ResourceId) * parent,
	struct syncer_page *ret_page, struct err *reterr)
{
	return list_of_account(call, parent, kind, IAM_ROLES, role_resource, ret_page, reterr);
}

static enum err_code entitlements(const struct syncer_call *call, const V2(Resource) * resource,
	struct syncer_page *ret_page, struct err *reterr)
{
	/* Groups and users of Identity Center never come out of a trust policy; kept for compatibility (spec/iam.md D39). */
	static const char *const grantable_to[] = {"iam_user", "role", "group", "sso_user", NULL};
	struct arena *arena = call->arena;
	const char *name = resource->display_name;

	(void)reterr;
	const struct entitlement_spec spec = {
		.slug = "assignment",
		.display_name = str_fmt(arena, "%s Role", name),
		.description = str_fmt(arena, "Can assume the %s role in AWS", name),
		.grantable_to = grantable_to,
		.v1_id = str_fmt(arena, "membership:%s", resource->id->resource),
	};
	return page_of_one(call, &entitlement_new(arena, resource, &spec)->base, ret_page);
}

/* D11: whoever is trusted is a finding, but only a role inside the sync has holders to expand to. */
static enum err_code trust_grant(const struct syncer_call *call, const struct iam_account *account,
	const V2(Resource) * resource, const struct trust_principal *principal, V2(Grant) * *ret_grant,
	struct err *reterr)
{
	struct arena *arena = call->arena;
	V2(Grant) *g = grant_new(arena, resource, "assignment", principal->type_id, principal->arn);
	bool expands = false;

	if (str_eq_c(kind, principal->type_id) &&
		role_is_synced(call, account, principal->arn, &expands, reterr) != ERR_OK)
		return reterr->code;
	if (expands)
		grant_expand(arena, g, entitlement_id(arena, "role", principal->arn, "assignment"),
			/* shallow= */ false);
	*ret_grant = g;
	return ERR_OK;
}

/* The trust phase resumes behind "<type>:<ARN>", the order of trust_principals. */
static struct str trust_position(struct arena *arena, const struct trust_principal *principal)
{
	return str_fmt(arena, "%s:" STR_FMT, principal->type_id, STR_ARG(principal->arn));
}

static enum err_code grants(const struct syncer_call *call, const V2(Resource) * resource,
	struct syncer_page *ret_page, struct err *reterr)
{
	CLEANUP(iam_account_unrefp) struct iam_account *account = NULL;
	struct trust_principal *principals;
	struct page_token token;
	struct iam_role role;
	size_t row, n = 0;
	struct page page;

	if (page_token_decode(call->arena, kind, call->page_token, &token, reterr) != ERR_OK ||
		account_of_resource(call, resource, IAM_ROLES, &account, &row, reterr) != ERR_OK)
		return reterr->code;
	role = iam_account_role(account, row, call->arena);
	page_init(&page, call);
	principals = trust_principals(call->arena, role.trust_document, role.is.arn, &n);
	for (size_t i = 0; token.phase.n == 0 && i < n; i++) {
		const struct str position = trust_position(call->arena, &principals[i]);
		V2(Grant) *g = NULL;

		if (str_cmp(position, token.last) <= 0)
			continue;
		if (page_full(&page))
			return page_end(&page, kind, STR_EMPTY, token.last, ret_page);
		if (trust_grant(call, account, resource, &principals[i], &g, reterr) != ERR_OK)
			return reterr->code;
		page_add(&page, &g->base);
		token.last = position;
	}
	if (!syncer_config_wants(call->config, "iam_policy"))
		return page_last(&page, ret_page);
	return attached_grants(
		&page, kind, "role", &role.is, token.phase.n == 0 ? STR_EMPTY : token.last, ret_page);
}

const struct syncer syncer_role = {
	.type_id = "role",
	.list = list,
	.entitlements = entitlements,
	.grants = grants,
	.capabilities = capability_sync,
	.n_capabilities = ARRAY_LEN(capability_sync),
};
