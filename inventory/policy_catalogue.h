/* inventory/policy_catalogue.h
 *
 * AWS's own managed policies (ListPolicies, Scope AWS): about 1,400 in a real account, the same in each. In the order of their ARNs.
 * Empty when iam:ListPolicies is not permitted (warned about once per sync).
 *
 * Threads: any; immutable and reference-counted. Ownership: text lives as long as the reference. */
#ifndef INVENTORY_POLICY_CATALOGUE_H
#define INVENTORY_POLICY_CATALOGUE_H

#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/err.h"
#include "base/str.h"

struct catalogue_policy {
	struct str arn, name, version_id; /* version_id: the default version */
	int64_t created_s;                /* IAM_NO_TIME (iam_account.h): AWS did not say */
};

struct policy_catalogue;

void policy_catalogue_unref(struct policy_catalogue *c); /* NULL is fine */
void policy_catalogue_unrefp(struct policy_catalogue **c);

const struct catalogue_policy *policy_catalogue_all(const struct policy_catalogue *c, size_t *ret_n);
const struct catalogue_policy *policy_catalogue_find(
	const struct policy_catalogue *c, struct str arn); /* NULL: none */
/* Index of the first policy behind this ARN (empty: 0): where a page resumes. */
size_t policy_catalogue_after(const struct policy_catalogue *c, struct str arn);

#endif
