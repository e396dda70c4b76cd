/* organization: the roots of the organization's tree (spec/identity-center.md 8). */
#include "syncers/kinds.h"
#include "syncers/org_node.h"
#include "syncers/page.h"

#include "proto/messages.h"

static enum err_code list(const struct syncer_call *call, const V2(ResourceId) * parent,
	struct syncer_page *ret_page, struct err *reterr)
{
	if (parent != NULL)
		return page_of_none(ret_page); /* a root is under nothing */
	return org_node_list(call, ORG_ROOT, NULL, ret_page, reterr);
}

const struct syncer syncer_organization = {
	.type_id = "organization",
	.list = list,
	.entitlements = syncer_nothing,
	.grants = syncer_nothing,
	.capabilities = capability_sync,
	.n_capabilities = ARRAY_LEN(capability_sync),
};
