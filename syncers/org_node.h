/* syncers/org_node.h
 *
 * Roots and organizational units, which are listed alike (spec/identity-center.md 8, 9).
 *
 * Threads: pure mapping. */
#ifndef SYNCERS_ORG_NODE_H
#define SYNCERS_ORG_NODE_H

#include "inventory/identity_center.h"
#include "syncers/syncer.h"

/* One page of the nodes of that kind under the parent; parent NULL: all of the kind. ERR_NOT_FOUND: the parent is gone. */
MUST_CHECK enum err_code org_node_list(const struct syncer_call *call, enum org_node_kind kind,
	const C1__Connector__V2__ResourceId *parent, struct syncer_page *ret_page, struct err *reterr);

#endif
