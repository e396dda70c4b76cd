/* inventory/org_accounts.h
 *
 * The accounts of the organization as of one sync, in the order of their numbers.
 *
 * Threads: any; immutable and reference-counted. Ownership: text lives as long as the reference. */
#ifndef INVENTORY_ORG_ACCOUNTS_H
#define INVENTORY_ORG_ACCOUNTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/blob.h"
#include "base/err.h"
#include "base/str.h"

struct org_account {
	struct str id; /* 12 digits */
	struct str arn, name, email;
	struct str
		parent_id; /* "r-..." or "ou-..."; empty: AWS did not tell here (see inventory_org_parents) */
	bool active;       /* neither suspended, nor pending, nor closed */
};

struct org_accounts;

void org_accounts_unref(struct org_accounts *a); /* NULL is fine */
void org_accounts_unrefp(struct org_accounts **a);

const struct org_account *org_accounts_all(const struct org_accounts *a, size_t *ret_n);
const struct org_account *org_accounts_find(const struct org_accounts *a, struct str id); /* NULL: none */
/* Index of the first account behind this number (empty: 0): where a page resumes. */
size_t org_accounts_after(const struct org_accounts *a, struct str id);

#endif
