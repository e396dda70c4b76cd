#include "syncers/attached.h"

#include "syncers/message.h"

#include "proto/pb_build.h"

static V2(Grant) * attached_grant(struct arena *arena, const struct iam_attachment *policy,
			   const char *principal_type, struct str principal)
{
	const V2(Resource) *resource = resource_named(arena, "iam_policy", policy->arn, policy->name);
	V2(Grant) *g = grant_new(arena, resource, "attached", principal_type, principal);

	grant_expand_policy(arena, g, principal_type, principal);
	return g;
}

enum err_code attached_grants(struct page *page, struct str kind, const char *principal_type,
	const struct iam_principal *principal, struct str after, struct syncer_page *ret_page)
{
	struct str last = after;

	for (size_t i = 0; i < principal->n_attached; i++) {
		const struct iam_attachment *policy = &principal->attached[i];

		if (str_cmp(policy->arn, after) <= 0)
			continue;
		if (page_full(page))
			return page_end(page, kind, STR("policies"), last, ret_page);
		page_add(page,
			&attached_grant(page->call->arena, policy, principal_type, principal->arn)->base);
		last = policy->arn;
	}
	return page_last(page, ret_page);
}

V2(ResourceType) *
	policy_holder_type(struct arena *arena, const struct syncer_config *config, const char *type_id)
{
	V2(ResourceType) *t = resource_type_static(arena, type_id);

	if (!syncer_config_wants(config, "iam_policy"))
		PB_ADD(arena, t, annotations, pb_any_empty(arena, V2_DESC(skip_entitlements_and_grants)));
	return t;
}
