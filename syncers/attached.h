/* syncers/attached.h
 *
 * Managed-policy grants: emitted while listing the grants of the user, role or group that holds the policy, not of the policy itself
 * (spec/iam.md 3.10).
 *
 * Threads: pure mapping. */
#ifndef SYNCERS_ATTACHED_H
#define SYNCERS_ATTACHED_H

#include "inventory/iam_account.h"
#include "proto/messages.h"
#include "syncers/page.h"

/* Appends a grant for each policy attached to the principal whose ARN is greater than `after`, and hands the page over: with a token of
 * `kind` in phase "policies" when it got full, else as the last one. */
enum err_code attached_grants(struct page *page, struct str kind, const char *principal_type,
	const struct iam_principal *principal, struct str after, struct syncer_page *ret_page);

/* The type of a principal that has no grants but those of policies: without iam_policy there is nothing to ask it for
 * (spec/iam.md 2.3, spec/identity-center.md 6.1). */
V2(ResourceType) *
	policy_holder_type(struct arena *arena, const struct syncer_config *config, const char *type_id);

#endif
