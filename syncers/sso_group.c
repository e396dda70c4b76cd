/* sso_group: groups of Identity Center (spec/identity-center.md 5). Its grants are its members. */
#include "inventory/identity_center.h"
#include "syncers/kinds.h"
#include "syncers/message.h"
#include "syncers/page.h"
#include "syncers/page_token.h"
#include "syncers/sso_arn.h"
#include "syncers/sso_profile.h"

#include "proto/pb_build.h"

static const struct str kind = STR_INIT("sso_group");

static V2(Resource) *
	group_resource(struct arena *arena, const struct ic_group *g, const struct sso_arn *arns)
{
	const struct str arn = sso_arn_group(arena, arns, g->id);
	V2(Resource) *r = resource_named(arena, "sso_group", arn, g->display_name);
	V2(GroupTrait) *trait = pb_new(arena, V2_DESC(group_trait));

	annotate_v1_id(arena, r, arn);
	PB_ANNOTATE(arena, r, trait);
	r->profile = pb_struct(arena);
	pb_struct_str(arena, r->profile, STR("aws_group_type"), STR("sso"));
	pb_struct_str(arena, r->profile, STR("aws_group_name"), g->display_name);
	pb_struct_str(arena, r->profile, STR("aws_group_id"), g->id);
	sso_profile_external_ids(arena, r->profile, g->external_ids);
	return r;
}

/* The members of the page's groups, which are groups[from..to), will be asked for next. */
static void expect_members(
	const struct syncer_call *call, const struct ic_group *groups, size_t from, size_t to)
{
	struct str *ids = arena_array_of(call->arena, to - from, struct str);

	for (size_t i = from; i < to; i++)
		ids[i - from] = groups[i].id;
	inventory_expect_members(call->inventory, call->sync_id, ids, to - from);
}

static enum err_code list(const struct syncer_call *call, const V2(ResourceId) * parent,
	struct syncer_page *ret_page, struct err *reterr)
{
	CLEANUP(ic_unrefp) struct ic_rows *rows = NULL;
	const struct ic_group *groups;
	struct page_token token;
	struct sso_arn arns;
	struct page page;
	size_t n, from, i;

	(void)parent; /* as in sso_user */
	if (page_token_decode(call->arena, kind, call->page_token, &token, reterr) != ERR_OK ||
		sso_arn_of(call, &arns, reterr) != ERR_OK ||
		inventory_ic_groups(call->inventory, call->ctx, call->sync_id, &rows, reterr) != ERR_OK)
		return reterr->code;
	groups = ic_all(rows, &n);
	page_init(&page, call);
	from = ic_after(rows, token.last);
	for (i = from; i < n && !page_full(&page); i++)
		page_add(&page, &group_resource(call->arena, &groups[i], &arns)->base);
	expect_members(call, groups, from, i);
	return i < n ? page_end(&page, kind, STR_EMPTY, groups[i - 1].id, ret_page)
		     : page_last(&page, ret_page);
}

static enum err_code entitlements(const struct syncer_call *call, const V2(Resource) * resource,
	struct syncer_page *ret_page, struct err *reterr)
{
	(void)reterr;
	return page_of_one(
		call, &member_entitlement(call->arena, resource, "SSO", "sso_user")->base, ret_page);
}

static V2(Grant) * member_grant(struct arena *arena, const V2(Resource) * group, const struct ic_member *m,
			   const struct sso_arn *arns)
{
	const struct str user = sso_arn_user(arena, arns, m->user_id);
	V2(Grant) *g = grant_new(arena, group, "member", "sso_user", user);

	if (m->membership_id.n > 0)
		grant_set_id(arena, g, m->membership_id); /* what a Revoke needs */
	grant_v1_id(
		arena, g, str_fmt(arena, "grant:membership:%s:" STR_FMT, group->id->resource, STR_ARG(user)));
	return g;
}

static enum err_code grants(const struct syncer_call *call, const V2(Resource) * resource,
	struct syncer_page *ret_page, struct err *reterr)
{
	CLEANUP(ic_unrefp) struct ic_rows *rows = NULL;
	const struct ic_member *members;
	struct page_token token;
	struct str group_id;
	struct sso_arn arns;
	struct page page;
	size_t n;

	if (page_token_decode(call->arena, kind, call->page_token, &token, reterr) != ERR_OK ||
		sso_arn_group_id(str_c(resource->id->resource), &group_id, reterr) != ERR_OK ||
		sso_arn_of(call, &arns, reterr) != ERR_OK ||
		inventory_ic_members(call->inventory, call->ctx, call->sync_id, group_id, &rows, reterr) !=
			ERR_OK)
		return reterr->code;
	members = ic_all(rows, &n);
	page_init(&page, call);
	for (size_t i = ic_after(rows, token.last); i < n; i++) {
		if (page_full(&page))
			return page_end(&page, kind, STR_EMPTY, token.last, ret_page);
		page_add(&page, &member_grant(call->arena, resource, &members[i], &arns)->base);
		token.last = members[i].user_id;
	}
	return page_last(&page, ret_page);
}

const struct syncer syncer_sso_group = {
	.type_id = "sso_group",
	.list = list,
	.entitlements = entitlements,
	.grants = grants,
	.capabilities = capability_sync,
	.n_capabilities = ARRAY_LEN(capability_sync),
};
