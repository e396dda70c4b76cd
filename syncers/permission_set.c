/* permission_set: permission sets of Identity Center (spec/identity-center.md 6). Who holds one is granted by accounts and bindings; its own
 * grants are the AWS-managed policies it is made of. Customer-managed policies are not among them: a permission set names them only, and each
 * account has its own under that name (permission_set_assignment). */
#include "inventory/identity_center.h"
#include "syncers/attached.h"
#include "syncers/kinds.h"
#include "syncers/message.h"
#include "syncers/page.h"
#include "syncers/page_token.h"

#include "proto/pb_build.h"

static const struct str kind = STR_INIT("permission_set");

static V2(Resource) * set_resource(struct arena *arena, const struct ic_permission_set *set)
{
	V2(Resource) *r = resource_named(arena, "permission_set", set->arn, set->name);
	V2(RoleTrait) *trait = pb_new(arena, V2_DESC(role_trait));

	resource_set_description(arena, r, set->description);
	annotate_child_type(arena, r, "inline_policy");
	PB_ANNOTATE(arena, r, trait);
	return r;
}

static enum err_code list(const struct syncer_call *call, const V2(ResourceId) * parent,
	struct syncer_page *ret_page, struct err *reterr)
{
	CLEANUP(ic_unrefp) struct ic_rows *rows = NULL;
	const struct ic_permission_set *sets;
	struct page_token token;
	struct page page;
	size_t n;

	(void)parent; /* they belong to the instance, whatever they are asked under */
	if (page_token_decode(call->arena, kind, call->page_token, &token, reterr) != ERR_OK ||
		inventory_ic_permission_sets(call->inventory, call->ctx, call->sync_id, &rows, reterr) !=
			ERR_OK)
		return reterr->code;
	sets = ic_all(rows, &n);
	page_init(&page, call);
	for (size_t i = ic_after(rows, token.last); i < n; i++) {
		if (page_full(&page))
			return page_end(&page, kind, STR_EMPTY, token.last, ret_page);
		page_add(&page, &set_resource(call->arena, &sets[i])->base);
		token.last = sets[i].arn;
	}
	return page_last(&page, ret_page);
}

static V2(Grant) *
	policy_grant(struct arena *arena, const struct ic_policy *policy, const V2(ResourceId) * set)
{
	const V2(Resource) *resource = resource_named(arena, "iam_policy", policy->key, policy->name);

	return grant_new(arena, resource, "attached", set->resource_type, str_c(set->resource));
}

static enum err_code grants(const struct syncer_call *call, const V2(Resource) * resource,
	struct syncer_page *ret_page, struct err *reterr)
{
	CLEANUP(ic_unrefp) struct ic_rows *rows = NULL;
	const struct ic_policy *policies;
	struct page_token token;
	struct page page;
	size_t n;

	if (page_token_decode(call->arena, kind, call->page_token, &token, reterr) != ERR_OK)
		return reterr->code;
	if (!syncer_config_wants(call->config, "iam_policy"))
		return page_of_none(ret_page);
	if (inventory_ic_managed_policies(call->inventory, call->ctx, call->sync_id,
		    str_c(resource->id->resource), &rows, reterr) != ERR_OK)
		return reterr->code;
	policies = ic_all(rows, &n);
	page_init(&page, call);
	for (size_t i = ic_after(rows, token.last); i < n; i++) {
		if (page_full(&page))
			return page_end(&page, kind, STR_EMPTY, token.last, ret_page);
		page_add(&page, &policy_grant(call->arena, &policies[i], resource->id)->base);
		token.last = policies[i].key;
	}
	return page_last(&page, ret_page);
}

static V2(ResourceType) * type(struct arena *arena, const struct syncer_config *config)
{
	return policy_holder_type(arena, config, "permission_set");
}

const struct syncer syncer_permission_set = {
	.type_id = "permission_set",
	.type = type,
	.list = list,
	.entitlements = syncer_nothing,
	.grants = grants,
	.capabilities = capability_sync,
	.n_capabilities = ARRAY_LEN(capability_sync),
};
