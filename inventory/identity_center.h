/* inventory/identity_center.h
 *
 * The facts of IAM Identity Center in a sync: the instance, permission sets, which of them are provisioned to which account, who holds them,
 * users, groups and memberships. AWS allows 20 calls per second for the whole organization, so each of them is read once, from its
 * cheaper side (spec/identity-center.md ch. 12), and whoever needs it shares it.
 *
 * Lists are references to immutable rows in the byte order of their keys; a page token names the last key handed out. Give them back with
 * ic_unref.
 *
 * Threads:   any. Ownership: text in rows lives as long as the reference.
 * Errors:    as inventory.h. ERR_MISSING: there is no instance, or it is gone. ERR_NOT_FOUND: the named account, group or permission set is
 *            gone (a member met in the middle of a listing is left out instead). ERR_PRECONDITION: several instances, and none is ours. */
#ifndef INVENTORY_IDENTITY_CENTER_H
#define INVENTORY_IDENTITY_CENTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"

struct inventory;
struct ic_rows; /* a list of one of the structs below */

void ic_unref(struct ic_rows *rows); /* NULL is fine */
void ic_unrefp(struct ic_rows **rows);

/* All rows; the first behind a key (empty key: 0); the one with this key (NULL: none). Cast to the struct that the list is of. */
const void *ic_all(const struct ic_rows *rows, size_t *ret_n);
size_t ic_after(const struct ic_rows *rows, struct str key);
const void *ic_find(const struct ic_rows *rows, struct str key);

struct ic_instance {
	struct str arn, store_id, partition; /* partition: of the ARN */
};
/* The only active one, or that of the organization's management account. Strings live in the arena. */
MUST_CHECK enum err_code inventory_ic_instance(struct inventory *inv, const struct ctx *ctx,
	struct str sync_id, struct arena *arena, struct ic_instance *ret_instance, struct err *reterr);

/* --- permission sets --- */

struct ic_permission_set {
	struct str arn; /* key */
	struct str name, description;
};
MUST_CHECK enum err_code inventory_ic_permission_sets(struct inventory *inv, const struct ctx *ctx,
	struct str sync_id, struct ic_rows **ret_sets, struct err *reterr);

/* One is on an account, but not (any more) among these: counted, and warned about once per sync. */
void inventory_ic_permission_set_gone(struct inventory *inv, struct str sync_id, struct str arn);

struct ic_provisioned {
	struct str permission_set_arn; /* key */
};
/* What is provisioned to the account. */
MUST_CHECK enum err_code inventory_ic_provisioned(struct inventory *inv, const struct ctx *ctx,
	struct str sync_id, struct str account, struct ic_rows **ret_provisioned, struct err *reterr);

struct ic_assignment {
	struct str key; /* "<permission set ARN>|<USER or GROUP>|<principal id>" */
	struct str permission_set_arn, principal_type, principal_id; /* parts of key */
};
/* Who holds what on the account. Of users and groups that were deleted from the directory it may be missing (assignments.c). */
MUST_CHECK enum err_code inventory_ic_assignments(struct inventory *inv, const struct ctx *ctx,
	struct str sync_id, struct str account, struct ic_rows **ret_assignments, struct err *reterr);

struct ic_policy {
	struct str key;        /* AWS-managed: the ARN; customer-managed: path and name */
	struct str name, path; /* path: of customer-managed ones, with slashes at both ends */
};
/* AWS-managed policies of a permission set (key: ARN); and references to policies that each account has for itself. The set is gone, or the
 * first question of the sync was denied: empty, warned about (decision 10). Denied after an answer: ERR_DENIED. */
MUST_CHECK enum err_code inventory_ic_managed_policies(struct inventory *inv, const struct ctx *ctx,
	struct str sync_id, struct str permission_set_arn, struct ic_rows **ret_policies, struct err *reterr);
MUST_CHECK enum err_code inventory_ic_customer_policies(struct inventory *inv, const struct ctx *ctx,
	struct str sync_id, struct str permission_set_arn, struct ic_rows **ret_policies, struct err *reterr);
/* The document of the set's inline policy, in the arena; empty: it has none, or as above. */
MUST_CHECK enum err_code inventory_ic_inline_policy(struct inventory *inv, const struct ctx *ctx,
	struct str sync_id, struct str permission_set_arn, struct arena *arena, struct str *ret_document,
	struct err *reterr);

/* --- users and groups --- */

struct ic_email {
	struct str value;
	bool primary;
};
struct ic_external_id {
	struct str issuer, id;
};
struct ic_user {
	struct str id; /* key */
	struct str user_name, display_name;
	struct str status;               /* ENABLED, DISABLED, or what AWS says next; may be empty */
	struct str emails, external_ids; /* packed: see ic_emails, ic_external_ids */
};
struct ic_group {
	struct str id; /* key */
	struct str display_name;
	struct str external_ids;
};
struct ic_member {
	struct str user_id; /* key */
	struct str membership_id;
};
MUST_CHECK enum err_code inventory_ic_users(struct inventory *inv, const struct ctx *ctx, struct str sync_id,
	struct ic_rows **ret_users, struct err *reterr);
MUST_CHECK enum err_code inventory_ic_groups(struct inventory *inv, const struct ctx *ctx, struct str sync_id,
	struct ic_rows **ret_groups, struct err *reterr);
MUST_CHECK enum err_code inventory_ic_members(struct inventory *inv, const struct ctx *ctx,
	struct str sync_id, struct str group_id, struct ic_rows **ret_members, struct err *reterr);

/* In AWS's order, in the arena. */
struct ic_email *ic_emails(struct str packed, struct arena *arena, size_t *ret_n);
struct ic_external_id *ic_external_ids(struct str packed, struct arena *arena, size_t *ret_n);

/* --- the organization's tree (organization.c) --- */

enum org_node_kind { ORG_ROOT, ORG_UNIT };
struct org_node {
	struct str id; /* key: "r-..." or "ou-..." */
	struct str parent_id, name;
	enum org_node_kind kind;
};
/* Roots and organizational units. Denied: empty, or the roots alone; warned about once per sync. */
MUST_CHECK enum err_code inventory_org_tree(struct inventory *inv, const struct ctx *ctx, struct str sync_id,
	struct ic_rows **ret_nodes, struct err *reterr);

struct org_parent {
	struct str account; /* key */
	struct str parent_id;
};
/* Where each active account hangs in the tree; accounts that cannot be placed are left out. Denied: empty, as above. */
MUST_CHECK enum err_code inventory_org_parents(struct inventory *inv, const struct ctx *ctx,
	struct str sync_id, struct ic_rows **ret_parents, struct err *reterr);

/* What the engine will ask for next: members of these groups, or assignments of these accounts, are read ahead. */
void inventory_expect_members(
	struct inventory *inv, struct str sync_id, const struct str *group_ids, size_t n);
void inventory_expect_assignments(
	struct inventory *inv, struct str sync_id, const struct str *accounts, size_t n);

#endif
