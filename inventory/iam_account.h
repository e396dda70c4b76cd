/* inventory/iam_account.h
 *
 * The IAM facts of one account at one moment: users, groups, roles, policies, with memberships, attachments, inline policies and
 * documents resolved. One immutable run of bytes (see pack.h): it is what the session store keeps, what replicas share, and what
 * syncers read without decoding it as a whole.
 *
 * Each kind is in the byte order of its ARNs (access keys: of their ids), which is the order of pages: a page token names the last ARN handed out, and a listing
 * resumes behind it, whatever was created or deleted since.
 *
 * Threads:   any; immutable and reference-counted.
 * Ownership: rows are decoded into the caller's arena; their text points into the account's bytes and lives as long as the reference.
 * Errors:    bytes from the store are checked as a whole when opened (ERR_PROTOCOL); rows of an opened account cannot fail. */
#ifndef INVENTORY_IAM_ACCOUNT_H
#define INVENTORY_IAM_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/blob.h"
#include "base/err.h"
#include "base/str.h"

struct iam_account;

enum iam_kind { IAM_USERS, IAM_GROUPS, IAM_ROLES, IAM_POLICIES, IAM_KEYS, IAM_KIND_COUNT };

struct iam_tag {
	struct str key, value;
};
struct iam_attachment { /* a managed policy attached to a user, group or role */
	struct str name, arn;
};
struct iam_inline {
	struct str name;
	struct str document; /* decoded; empty when it may not be read */
};

#define IAM_NO_TIME INT64_MIN /* absent date */

/* What users, groups and roles have in common. */
struct iam_principal {
	struct str arn, path, name, id;
	int64_t created_s;
	struct iam_tag *tags; /* groups have none */
	size_t n_tags;
	struct iam_inline *inlines; /* by name */
	size_t n_inlines;
	struct iam_attachment *attached; /* by ARN */
	size_t n_attached;
};
struct iam_user {
	struct iam_principal is;
	int64_t last_login_s; /* latest of password and access keys; IAM_NO_TIME: never, or unknown */
};
struct iam_group {
	struct iam_principal is;
	struct str *members; /* ARNs of users, sorted */
	size_t n_members;
};
struct iam_role {
	struct iam_principal is;
	struct str description;
	int64_t max_session_s;     /* 0: AWS did not say */
	struct str trust_document; /* decoded; empty when there is none or it cannot be decoded */
};
struct iam_policy {
	struct str arn, name, description;
	struct str
		document; /* of the default version, decoded; empty when it may not be read, or (AWS's policies) was not at hand */
	int64_t created_s;
	struct str version_id; /* of the document: the default version */
	bool aws_managed;      /* account part of the ARN is "aws" */
};
/* An access key; only when they are wanted (sync-secrets). */
struct iam_key {
	struct str id;
	struct str user_arn, user_name;
	struct str status; /* AWS's: Active, Inactive, Expired */
	int64_t created_s;
	int64_t last_used_s; /* IAM_NO_TIME: never, or unknown */
};

struct iam_account *iam_account_ref(struct iam_account *a);
void iam_account_unref(struct iam_account *a); /* NULL is fine */
void iam_account_unrefp(struct iam_account **a);

/* Opens bytes that iam_account_bytes gave, perhaps in another process: takes a reference to the blob. ERR_PROTOCOL: not such bytes. */
MUST_CHECK enum err_code iam_account_open(
	struct blob *bytes, struct iam_account **ret_account, struct err *reterr);
struct blob *iam_account_bytes(struct iam_account *a); /* borrowed */

struct str iam_account_id(const struct iam_account *a); /* 12 digits */

size_t iam_account_count(const struct iam_account *a, enum iam_kind kind);
/* Index of the first row whose ARN is greater than arn (empty arn: 0): where a page resumes. */
size_t iam_account_after(const struct iam_account *a, enum iam_kind kind, struct str arn);
/* Index of the row with this ARN, or -1. */
ptrdiff_t iam_account_find(const struct iam_account *a, enum iam_kind kind, struct str arn);

/* What the i-th row is sorted by: its ARN, or an access key's id. */
struct str iam_account_row_key(const struct iam_account *a, enum iam_kind kind, size_t i);
struct iam_user iam_account_user(const struct iam_account *a, size_t i, struct arena *arena);
struct iam_group iam_account_group(const struct iam_account *a, size_t i, struct arena *arena);
struct iam_role iam_account_role(const struct iam_account *a, size_t i, struct arena *arena);
struct iam_policy iam_account_policy(const struct iam_account *a, size_t i); /* has no lists */
struct iam_key iam_account_key(const struct iam_account *a, size_t i);

#endif
