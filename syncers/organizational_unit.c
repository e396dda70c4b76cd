/* organizational_unit: what stands between a root and the accounts (spec/identity-center.md 9). Listed level by level: each unit announces the
 * ones below it. */
#include "syncers/kinds.h"
#include "syncers/org_node.h"
#include "syncers/page.h"

#include "proto/messages.h"

static bool can_hold_units(const V2(ResourceId) * parent)
{
	return parent != NULL && (str_eq_c(STR("organization"), parent->resource_type) ||
					 str_eq_c(STR("organizational_unit"), parent->resource_type));
}

static enum err_code list(const struct syncer_call *call, const V2(ResourceId) * parent,
	struct syncer_page *ret_page, struct err *reterr)
{
	if (!can_hold_units(parent))
		return page_of_none(ret_page);
	return org_node_list(call, ORG_UNIT, parent, ret_page, reterr);
}

const struct syncer syncer_organizational_unit = {
	.type_id = "organizational_unit",
	.list = list,
	.entitlements = syncer_nothing,
	.grants = syncer_nothing,
	.capabilities = capability_sync,
	.n_capabilities = ARRAY_LEN(capability_sync),
};
