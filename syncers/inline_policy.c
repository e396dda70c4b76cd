/* inline_policy: policies inside a user, group or role (spec/iam.md 8). Listed under that principal, held by it alone. */
#include "syncers/account_of.h"
#include "syncers/kinds.h"
#include "syncers/message.h"
#include "syncers/page.h"
#include "syncers/page_token.h"

#include "proto/pb_build.h"

static const struct str kind = STR_INIT("inline_policy");

/* Whose inline policies there are. */
static const struct parent_kind {
	const char *type_id;
	enum iam_kind kind;
} parent_kinds[] = {
	{"iam_user", IAM_USERS},
	{"group", IAM_GROUPS},
	{"role", IAM_ROLES},
};

static const struct parent_kind *find_parent_kind(const char *type_id)
{
	for (size_t i = 0; i < ARRAY_LEN(parent_kinds); i++) {
		if (str_eq_c(str_c(type_id), parent_kinds[i].type_id))
			return &parent_kinds[i];
	}
	return NULL;
}

static enum err_code unsupported_parent(const V2(ResourceId) *parent, struct err *reterr)
{
	return err_set(reterr, ERR_INVALID, "baton-aws: unsupported inline policy parent resource type \"%s\"",
		parent->resource_type);
}

static struct iam_principal principal_of(
	const struct iam_account *account, enum iam_kind of, size_t i, struct arena *arena)
{
	switch (of) {
	case IAM_GROUPS:
		return iam_account_group(account, i, arena).is;
	case IAM_ROLES:
		return iam_account_role(account, i, arena).is;
	default:
		return iam_account_user(account, i, arena).is;
	}
}

static V2(Resource) *inline_resource(struct arena *arena, const struct iam_inline *p, const V2(ResourceId) *parent)
{
	const struct str id = str_fmt(arena, "%s::inline::" STR_FMT, parent->resource, STR_ARG(p->name));
	V2(Resource) *r = resource_named(arena, "inline_policy", id, p->name);
	V2(RoleTrait) *trait = pb_new(arena, V2_DESC(role_trait));

	resource_set_parent(arena, r, parent);
	resource_set_description(arena, r,
		str_fmt(arena, "Inline policy " STR_FMT " attached to %s IAM %s", STR_ARG(p->name),
			parent->resource_type, parent->resource));
	PB_ANNOTATE(arena, r, trait);
	r->profile = pb_struct(arena);
	pb_struct_str(arena, r->profile, STR("aws_policy_name"), p->name);
	pb_struct_str(arena, r->profile, STR("aws_parent_arn"), str_c(parent->resource));
	if (p->document.n > 0)
		pb_struct_str(arena, r->profile, STR("policy_document"), p->document);
	return r;
}

static enum err_code list(const struct syncer_call *call, const V2(ResourceId) *parent, struct syncer_page *ret_page,
	struct err *reterr)
{
	CLEANUP(iam_account_unrefp) struct iam_account *account = NULL;
	const struct parent_kind *of;
	struct iam_principal principal;
	struct page_token token;
	struct page page;
	size_t row;

	if (page_token_decode(call->arena, kind, call->page_token, &token, reterr) != ERR_OK)
		return reterr->code;
	if (parent == NULL)
		return page_of_none(ret_page); /* the engine asks every type without a parent, too */
	of = find_parent_kind(parent->resource_type);
	if (of == NULL)
		return unsupported_parent(parent, reterr);
	if (account_of_arn(call, str_c(parent->resource), of->kind, &account, &row, reterr) != ERR_OK)
		return reterr->code;
	principal = principal_of(account, of->kind, row, call->arena);
	page_init(&page, call);
	for (size_t i = 0; i < principal.n_inlines; i++) {
		const struct iam_inline *p = &principal.inlines[i];

		if (str_cmp(p->name, token.last) <= 0)
			continue;
		if (page_full(&page))
			return page_end(&page, kind, STR_EMPTY, token.last, ret_page);
		page_add(&page, &inline_resource(call->arena, p, parent)->base);
		token.last = p->name;
	}
	return page_last(&page, ret_page);
}

static enum err_code check_parent(const V2(Resource) *resource, struct err *reterr)
{
	if (resource->parent_resource_id == NULL)
		return err_set(reterr, ERR_INVALID, "baton-aws: inline policy missing parent resource");
	return ERR_OK;
}

static enum err_code entitlements(const struct syncer_call *call, const V2(Resource) *resource,
	struct syncer_page *ret_page, struct err *reterr)
{
	const char *name = resource->display_name;
	const struct parent_kind *of;

	if (check_parent(resource, reterr) != ERR_OK)
		return reterr->code;
	of = find_parent_kind(resource->parent_resource_id->resource_type);
	if (of == NULL)
		return unsupported_parent(resource->parent_resource_id, reterr);
	const char *const grantable_to[] = {of->type_id, NULL};
	const struct entitlement_spec spec = {
		.slug = "attached",
		.display_name = str_fmt(call->arena, "%s Inline Policy", name),
		.description = str_fmt(call->arena, "Has the %s inline policy in AWS", name),
		.grantable_to = grantable_to,
		.v1_id = STR_EMPTY,
	};
	return page_of_one(call, &entitlement_new(call->arena, resource, &spec)->base, ret_page);
}

static enum err_code grants(const struct syncer_call *call, const V2(Resource) *resource, struct syncer_page *ret_page,
	struct err *reterr)
{
	const V2(ResourceId) *parent = resource->parent_resource_id;
	V2(Grant) *g;

	if (check_parent(resource, reterr) != ERR_OK)
		return reterr->code;
	g = grant_new(call->arena, resource, "attached", parent->resource_type, str_c(parent->resource));
	grant_expand_policy(call->arena, g, parent->resource_type, str_c(parent->resource));
	return page_of_one(call, &g->base, ret_page);
}

const struct syncer syncer_inline_policy = {
	.type_id = "inline_policy",
	.list = list,
	.entitlements = entitlements,
	.grants = grants,
	.capabilities = capability_sync,
	.n_capabilities = ARRAY_LEN(capability_sync),
};
