/* inventory/iam_draft.h
 *
 * An account's IAM facts while they are being gathered: lists of records that grow as answers arrive, and become an immutable
 * iam_account at the end. Private to inventory: iam_load.c fills it, iam_account.c packs it.
 *
 * Threads: one at a time. Ownership: records and their text live in the draft's arena. */
#ifndef INVENTORY_IAM_DRAFT_H
#define INVENTORY_IAM_DRAFT_H

#include <limits.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "inventory/iam_account.h"

/* Every record starts with its ARN (a key: with its id), so that one sort and one search serve all kinds; those of users, groups and roles start with
 * a struct iam_principal, so that one function fills what they have in common. */
struct draft_user {
	struct iam_user facts;
	struct str *groups; /* names, when the bulk operation told them */
	size_t n_groups;
	unsigned
		report_keys; /* access keys according to the credential report; KEYS_UNKNOWN: it has no row */
	int64_t report_used_s; /* the later use of them */
	struct draft_key **keys;
	size_t n_keys;
};
#define KEYS_UNKNOWN UINT_MAX
struct draft_key {
	struct iam_key facts;
	struct draft_user *user;
};
struct draft_group {
	struct iam_group facts;
	size_t cap_members;
};
struct draft_role {
	struct iam_role facts;
};
struct draft_policy {
	struct iam_policy facts;
	bool has_details; /* description and document are known, or known to be unreadable */
};

struct draft_list {
	void **items; /* pointers to draft_user, draft_group, ... by kind */
	size_t n, cap;
	bool sorted;
};

struct iam_draft {
	struct arena *arena;
	struct str account_id;
	struct draft_list lists[IAM_KIND_COUNT];
};

struct iam_draft *iam_draft_new(struct str account_id);
void iam_draft_free(struct iam_draft *d); /* NULL is fine */

/* A new zeroed record of `size` bytes at the end of the list. */
void *iam_draft_add(struct iam_draft *d, enum iam_kind kind, size_t size);
/* Brings the list into the order of ARNs; of records with the same ARN the last one stays. */
void iam_draft_sort(struct iam_draft *d, enum iam_kind kind);
/* The record with this ARN in a sorted list, or NULL. */
void *iam_draft_find(struct iam_draft *d, enum iam_kind kind, struct str arn);

/* Adds the user's ARN to the group's members. */
void iam_draft_add_member(struct iam_draft *d, struct draft_group *g, struct str user_arn);

/* Packs everything (sorting what is not sorted yet). ERR_TOO_LARGE: more than max_bytes. */
MUST_CHECK enum err_code iam_draft_finish(
	struct iam_draft *d, size_t max_bytes, struct iam_account **ret_account, struct err *reterr);

#endif
