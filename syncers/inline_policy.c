/* inline_policy: policies inside a user, group or role (spec/iam.md 8), and the one inside a permission set (spec/identity-center.md 6.5). Listed
 * under that parent, held by it alone. */
#include "inventory/identity_center.h"
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
	bool is_permission_set;
	enum iam_kind kind; /* else */
} parent_kinds[] = {
	{.type_id = "iam_user", .kind = IAM_USERS},
	{.type_id = "group", .kind = IAM_GROUPS},
	{.type_id = "role", .kind = IAM_ROLES},
	{.type_id = "permission_set", .is_permission_set = true},
};

static const struct parent_kind *find_parent_kind(const char *type_id)
{
	for (size_t i = 0; i < ARRAY_LEN(parent_kinds); i++) {
		if (str_eq_c(str_c(type_id), parent_kinds[i].type_id))
			return &parent_kinds[i];
	}
	return NULL;
}

static enum err_code unsupported_parent(const V2(ResourceId) * parent, struct err *reterr)
{
	return err_set(reterr, ERR_INVALID,
		"baton-aws: unsupported inline policy parent resource type \"%s\"", parent->resource_type);
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

static V2(Resource) * inline_resource(struct arena *arena, const struct iam_inline *p, struct str description,
			      const V2(ResourceId) * parent)
{
	const struct str id = str_fmt(arena, "%s::inline::" STR_FMT, parent->resource, STR_ARG(p->name));
	V2(Resource) *r = resource_named(arena, "inline_policy", id, p->name);
	V2(RoleTrait) *trait = pb_new(arena, V2_DESC(role_trait));

	resource_set_parent(arena, r, parent);
	resource_set_description(arena, r, description);
	PB_ANNOTATE(arena, r, trait);
	r->profile = pb_struct(arena);
	pb_struct_str(arena, r->profile, STR("aws_policy_name"), p->name);
	pb_struct_str(arena, r->profile, STR("aws_parent_arn"), str_c(parent->resource));
	if (p->document.n > 0)
		pb_struct_str(arena, r->profile, STR("policy_document"), p->document);
	return r;
}

static V2(Resource) *
	of_principal(struct arena *arena, const struct iam_inline *p, const V2(ResourceId) * parent)
{
	return inline_resource(arena, p,
		str_fmt(arena, "Inline policy " STR_FMT " attached to %s IAM %s", STR_ARG(p->name),
			parent->resource_type, parent->resource),
		parent);
}

static enum err_code list_of_principal(const struct syncer_call *call, enum iam_kind of,
	const V2(ResourceId) * parent, struct page_token *token, struct syncer_page *ret_page,
	struct err *reterr)
{
	CLEANUP(iam_account_unrefp) struct iam_account *account = NULL;
	struct iam_principal principal;
	struct page page;
	size_t row;

	if (account_of_arn(call, str_c(parent->resource), of, &account, &row, reterr) != ERR_OK)
		return reterr->code;
	principal = principal_of(account, of, row, call->arena);
	page_init(&page, call);
	for (size_t i = 0; i < principal.n_inlines; i++) {
		const struct iam_inline *p = &principal.inlines[i];

		if (str_cmp(p->name, token->last) <= 0)
			continue;
		if (page_full(&page))
			return page_end(&page, kind, STR_EMPTY, token->last, ret_page);
		page_add(&page, &of_principal(call->arena, p, parent)->base);
		token->last = p->name;
	}
	return page_last(&page, ret_page);
}

/* A permission set has one inline policy or none, and it has no name. */
static enum err_code list_of_permission_set(const struct syncer_call *call, const V2(ResourceId) * parent,
	struct syncer_page *ret_page, struct err *reterr)
{
	struct iam_inline p = {.name = STR("inline")};
	struct str description;

	if (inventory_ic_inline_policy(call->inventory, call->ctx, call->sync_id, str_c(parent->resource),
		    call->arena, &p.document, reterr) != ERR_OK)
		return reterr->code;
	if (p.document.n == 0)
		return page_of_none(ret_page);
	description = str_fmt(call->arena, "Inline policy attached to permission set %s", parent->resource);
	return page_of_one(call, &inline_resource(call->arena, &p, description, parent)->base, ret_page);
}

static enum err_code list(const struct syncer_call *call, const V2(ResourceId) * parent,
	struct syncer_page *ret_page, struct err *reterr)
{
	const struct parent_kind *of;
	struct page_token token;

	if (page_token_decode(call->arena, kind, call->page_token, &token, reterr) != ERR_OK)
		return reterr->code;
	if (parent == NULL)
		return page_of_none(ret_page); /* the engine asks every type without a parent, too */
	of = find_parent_kind(parent->resource_type);
	if (of == NULL)
		return unsupported_parent(parent, reterr);
	if (of->is_permission_set)
		return list_of_permission_set(call, parent, ret_page, reterr);
	return list_of_principal(call, of->kind, parent, &token, ret_page, reterr);
}

static enum err_code check_parent(const V2(Resource) * resource, struct err *reterr)
{
	if (resource->parent_resource_id == NULL)
		return err_set(reterr, ERR_INVALID, "baton-aws: inline policy missing parent resource");
	return ERR_OK;
}

static enum err_code entitlements(const struct syncer_call *call, const V2(Resource) * resource,
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

static enum err_code grants(const struct syncer_call *call, const V2(Resource) * resource,
	struct syncer_page *ret_page, struct err *reterr)
{
	const V2(ResourceId) *parent = resource->parent_resource_id;
	V2(Grant) * g;

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
