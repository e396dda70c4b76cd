/* syncers/assignment.h
 *
 * Who holds a permission set on an account. AWS has that once; engines get it twice, as grants of the account's entitlement and of the
 * binding's (spec/identity-center.md 3.4, 7.4).
 *
 * Threads: pure mapping. Ownership: messages live in the arena. */
#ifndef SYNCERS_ASSIGNMENT_H
#define SYNCERS_ASSIGNMENT_H

#include "inventory/identity_center.h"
#include "syncers/message.h"
#include "syncers/sso_arn.h"

/* True when it is held by a user or a group: what else AWS may invent is no principal of ours. */
bool assignment_is_known(const struct ic_assignment *a);

/* Of a known one. The entitlement is embedded as it is; of a group, its members hold it. */
V2(Grant) * assignment_grant(struct arena *arena, const V2(Entitlement) * entitlement,
		    const struct ic_assignment *a, const struct sso_arn *arns);

/* The permission set of that ARN, which is on an account. NULL, warned about: it is not (any more) one of the instance's. */
const struct ic_permission_set *assignment_set(
	const struct syncer_call *call, const struct ic_rows *sets, struct str arn);

/* The account a request is about. ERR_INVALID: not 12 digits. */
MUST_CHECK enum err_code assignment_account(
	const C1__Connector__V2__ResourceId *id, struct str *ret_account, struct err *reterr);

#endif
