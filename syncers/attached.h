/* syncers/attached.h
 *
 * Managed-policy grants: emitted while listing the grants of the user, role or group that holds the policy, not of the policy itself
 * (spec/iam.md 3.10).
 *
 * Threads: pure mapping. */
#ifndef SYNCERS_ATTACHED_H
#define SYNCERS_ATTACHED_H

#include "inventory/iam_account.h"
#include "syncers/page.h"

/* Appends a grant for each policy attached to the principal whose ARN is greater than `after`, and hands the page over: with a token of
 * `kind` in phase "policies" when it got full, else as the last one. */
enum err_code attached_grants(struct page *page, struct str kind, const char *principal_type,
	const struct iam_principal *principal, struct str after, struct syncer_page *ret_page);

#endif
