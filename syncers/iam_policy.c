/* iam_policy: managed policies (spec/iam.md 7): the account's own and those of AWS's that somebody in the account holds. Its grants come
 * from users, groups and roles (attached.h). */
#include "syncers/account_of.h"
#include "syncers/kinds.h"
#include "syncers/message.h"
#include "syncers/page.h"
#include "syncers/page_token.h"

#include "proto/pb_build.h"

static const struct str kind = STR_INIT("iam_policy");

static V2(Resource) *policy_resource(struct arena *arena, const struct iam_policy *p, const V2(ResourceId) *parent)
{
	V2(Resource) *r = resource_named(arena, "iam_policy", p->arn, p->name);
	V2(SkipGrants) *skip_grants = pb_new(arena, V2_DESC(skip_grants));
	V2(RoleTrait) *trait = pb_new(arena, V2_DESC(role_trait));

	resource_set_parent(arena, r, p->aws_managed ? NULL : parent);
	resource_set_created(arena, r, p->created_s);
	resource_set_description(arena, r, p->description);
	PB_ANNOTATE(arena, r, skip_grants);
	PB_ANNOTATE(arena, r, trait);
	r->profile = pb_struct(arena);
	pb_struct_str(arena, r->profile, STR("aws_policy_name"), p->name);
	pb_struct_str(arena, r->profile, STR("aws_policy_arn"), p->arn);
	if (p->document.n > 0)
		pb_struct_str(arena, r->profile, STR("policy_document"), p->document);
	return r;
}

static enum err_code list(const struct syncer_call *call, const V2(ResourceId) *parent, struct syncer_page *ret_page,
	struct err *reterr)
{
	CLEANUP(iam_account_unrefp) struct iam_account *account = NULL;
	struct page_token token;
	struct page page;

	if (page_token_decode(call->arena, kind, call->page_token, &token, reterr) != ERR_OK ||
		account_of_parent(call, parent, &account, reterr) != ERR_OK)
		return reterr->code;
	page_init(&page, call);
	for (size_t i = iam_account_after(account, IAM_POLICIES, token.last);
		i < iam_account_count(account, IAM_POLICIES); i++) {
		const struct iam_policy p = iam_account_policy(account, i);

		if (page_full(&page))
			return page_end(&page, kind, STR_EMPTY, token.last, ret_page);
		page_add(&page, &policy_resource(call->arena, &p, parent)->base);
		token.last = p.arn;
	}
	return page_last(&page, ret_page);
}

static enum err_code entitlements(const struct syncer_call *call, const V2(Resource) *resource,
	struct syncer_page *ret_page, struct err *reterr)
{
	static const char *const grantable_to[] = {
		"iam_user", "role", "group", "permission_set", "permission_set_assignment", NULL};
	const char *name = resource->display_name;

	(void)reterr;
	const struct entitlement_spec spec = {
		.slug = "attached",
		.display_name = str_fmt(call->arena, "%s Managed Policy", name),
		.description = str_fmt(call->arena, "Has the %s managed policy in AWS", name),
		.grantable_to = grantable_to,
		.v1_id = STR_EMPTY,
	};
	return page_of_one(call, &entitlement_new(call->arena, resource, &spec)->base, ret_page);
}

static enum err_code grants(const struct syncer_call *call, const V2(Resource) *resource, struct syncer_page *ret_page,
	struct err *reterr)
{
	(void)call;
	(void)resource;
	(void)reterr;
	return page_of_none(ret_page);
}

static V2(ResourceType) *type(struct arena *arena, const struct syncer_config *config)
{
	(void)config;
	return resource_type_static(arena, "iam_policy");
}

static const V2(Capability) capabilities[] = {V2_ENUM(CAPABILITY__CAPABILITY_SYNC)};

const struct syncer syncer_iam_policy = {
	.type_id = "iam_policy",
	.type = type,
	.list = list,
	.entitlements = entitlements,
	.grants = grants,
	.capabilities = capabilities,
	.n_capabilities = ARRAY_LEN(capabilities),
};
