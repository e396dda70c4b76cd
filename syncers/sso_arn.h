/* syncers/sso_arn.h
 *
 * The ids of Identity Center's users and groups. AWS gives them no ARNs; these are of the connector's own making, and a contract:
 *
 *	arn:<partition>:identitystore:<region>::<identity store>/user/<id>
 *
 * Threads: values. Ownership: in the arena of the call. */
#ifndef SYNCERS_SSO_ARN_H
#define SYNCERS_SSO_ARN_H

#include "syncers/syncer.h"

struct sso_arn {
	struct str directory; /* what all of them begin with: up to the identity store */
};

/* Errors: those of the instance (inventory/identity_center.h). */
MUST_CHECK enum err_code sso_arn_of(const struct syncer_call *call, struct sso_arn *ret, struct err *reterr);

/* The same for any identity store of the partition. */
struct sso_arn sso_arn_in(const struct syncer_call *call, struct str partition, struct str store_id);

struct str sso_arn_user(struct arena *arena, const struct sso_arn *of, struct str user_id);
struct str sso_arn_group(struct arena *arena, const struct sso_arn *of, struct str group_id);

/* The group's own id in its ARN, whatever the directory. ERR_INVALID: not the ARN of a group. */
MUST_CHECK enum err_code sso_arn_group_id(struct str arn, struct str *ret_group_id, struct err *reterr);

#endif
