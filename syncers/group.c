/* group: groups of IAM (spec/iam.md 5). Its grants are its members, then its managed policies. */
#include "syncers/account_of.h"
#include "syncers/attached.h"
#include "syncers/kinds.h"
#include "syncers/message.h"
#include "syncers/page_token.h"

#include "proto/pb_build.h"

static const struct str kind = STR_INIT("group");

static V2(Resource) * group_resource(struct arena *arena, const struct iam_account *account, size_t i,
			      const V2(ResourceId) * parent)
{
	const struct iam_group g = iam_account_group(account, i, arena);
	V2(Resource) *r = resource_named(arena, "group", g.is.arn, g.is.name);
	V2(GroupTrait) *trait = pb_new(arena, V2_DESC(group_trait));

	resource_set_parent(arena, r, parent);
	resource_set_created(arena, r, g.is.created_s);
	annotate_v1_id(arena, r, g.is.arn);
	annotate_child_type(arena, r, "inline_policy");
	PB_ANNOTATE(arena, r, trait);
	r->profile = pb_struct(arena);
	pb_struct_str(arena, r->profile, STR("aws_arn"), g.is.arn);
	pb_struct_str(arena, r->profile, STR("aws_path"), g.is.path);
	pb_struct_str(arena, r->profile, STR("aws_group_type"), STR("iam"));
	pb_struct_str(arena, r->profile, STR("aws_group_name"), g.is.name);
	pb_struct_str(arena, r->profile, STR("aws_group_id"), g.is.id);
	return r;
}

static enum err_code list(const struct syncer_call *call, const V2(ResourceId) * parent,
	struct syncer_page *ret_page, struct err *reterr)
{
	return list_of_account(call, parent, kind, IAM_GROUPS, group_resource, ret_page, reterr);
}

static enum err_code entitlements(const struct syncer_call *call, const V2(Resource) * resource,
	struct syncer_page *ret_page, struct err *reterr)
{
	(void)reterr;
	return page_of_one(
		call, &member_entitlement(call->arena, resource, "IAM", "iam_user")->base, ret_page);
}

static V2(Grant) * member_grant(struct arena *arena, const V2(Resource) * resource, struct str user_arn)
{
	V2(Grant) *g = grant_new(arena, resource, "member", "iam_user", user_arn);

	grant_v1_id(arena, g,
		str_fmt(arena, "grant:membership:%s:" STR_FMT, resource->id->resource, STR_ARG(user_arn)));
	return g;
}

static enum err_code grants(const struct syncer_call *call, const V2(Resource) * resource,
	struct syncer_page *ret_page, struct err *reterr)
{
	CLEANUP(iam_account_unrefp) struct iam_account *account = NULL;
	struct page_token token;
	struct iam_group g;
	struct page page;
	size_t row;

	if (page_token_decode(call->arena, kind, call->page_token, &token, reterr) != ERR_OK ||
		account_of_resource(call, resource, IAM_GROUPS, &account, &row, reterr) != ERR_OK)
		return reterr->code;
	g = iam_account_group(account, row, call->arena);
	page_init(&page, call);
	for (size_t i = 0; token.phase.n == 0 && i < g.n_members; i++) {
		if (str_cmp(g.members[i], token.last) <= 0)
			continue;
		if (page_full(&page))
			return page_end(&page, kind, STR_EMPTY, token.last, ret_page);
		page_add(&page, &member_grant(call->arena, resource, g.members[i])->base);
		token.last = g.members[i];
	}
	if (!syncer_config_wants(call->config, "iam_policy"))
		return page_last(&page, ret_page);
	return attached_grants(
		&page, kind, "group", &g.is, token.phase.n == 0 ? STR_EMPTY : token.last, ret_page);
}

const struct syncer syncer_group = {
	.type_id = "group",
	.list = list,
	.entitlements = entitlements,
	.grants = grants,
	.capabilities = capability_sync,
	.n_capabilities = ARRAY_LEN(capability_sync),
};
