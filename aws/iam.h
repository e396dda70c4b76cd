/* aws/iam.h
 *
 * AWS Identity and Access Management (API version 2010-05-08): the operations the connector uses, one table each (aws/iam.c).
 *
 *	struct aws_iam_list_users_in in = {.marker = marker, .max_items = {1000, true}};
 *	struct aws_iam_list_users_out out;
 *	code = aws_call(client, ctx, &aws_iam_list_users, &in, arena, &out, reterr);
 *
 * Documents come as AWS sends them: percent-encoded (spec/iam.md 3.9). Lists are paged: is_truncated with a marker means there is
 * more (truncated without a marker is AWS's error, not the end). */
#ifndef AWS_IAM_H
#define AWS_IAM_H

#include "aws/shape.h"

extern const struct aws_service aws_iam;

/* ---- common pieces ---- */
struct aws_iam_tag {
	struct str key, value;
};
struct aws_iam_attached_policy {
	struct str name, arn;
};
struct aws_iam_inline_policy { /* PolicyDetail */
	struct str name, document;
};
struct aws_iam_page { /* every paged answer starts with it */
	struct aws_int is_truncated;
	struct str marker;
};
struct aws_iam_page_in { /* every paged request without further arguments */
	struct str marker;
	struct aws_int max_items; /* 1..1000, AWS's default 100 */
};
struct aws_iam_name_page_in { /* one name, paged: UserName, RoleName or GroupName by operation */
	struct str name;
	struct str marker;
	struct aws_int max_items;
};

/* ---- users, groups, roles, policies: one record each, filled as far as the operation answers ---- */
struct aws_iam_user {
	struct str arn, path, name, id;
	struct aws_int created_s;
	struct aws_int password_last_used_s; /* ListUsers only */
	struct aws_list tags; /* struct aws_iam_tag; GetAccountAuthorizationDetails only, like all below */
	struct aws_list inline_policies; /* struct aws_iam_inline_policy */
	struct aws_list groups;          /* struct str: names */
	struct aws_list attached;        /* struct aws_iam_attached_policy */
};
struct aws_iam_group {
	struct str arn, path, name, id;
	struct aws_int created_s;
	struct aws_list inline_policies; /* GetAccountAuthorizationDetails only, like the next */
	struct aws_list attached;
};
struct aws_iam_role {
	struct str arn, path, name, id;
	struct aws_int created_s;
	struct str trust_document;
	struct str description; /* ListRoles only, like the next */
	struct aws_int max_session_s;
	struct aws_list tags; /* GetAccountAuthorizationDetails only, like all below */
	struct aws_list inline_policies;
	struct aws_list attached;
};
struct aws_iam_policy_version {
	struct str id, document;
	struct aws_int is_default;
};
struct aws_iam_policy {
	struct str arn, name, path, id, default_version_id;
	struct str description; /* GetPolicy and GetAccountAuthorizationDetails */
	struct aws_int created_s;
	struct aws_int attachment_count;
	struct aws_list versions; /* struct aws_iam_policy_version; GetAccountAuthorizationDetails only */
};

/* ---- GetAccountAuthorizationDetails ---- */
struct aws_iam_account_details_in {
	/* struct str: User, Role, Group, LocalManagedPolicy, AWSManagedPolicy; empty: all */
	struct aws_list filter;
	struct str marker;
	struct aws_int max_items;
};
struct aws_iam_account_details_out {
	struct aws_iam_page page;
	struct aws_list users, groups, roles, policies;
};
/* The list members of the output shape, for a sink to tell which list an item belongs to (compare pointers). */
extern const struct aws_member *const aws_iam_account_details_users;    /* struct aws_iam_user */
extern const struct aws_member *const aws_iam_account_details_groups;   /* struct aws_iam_group */
extern const struct aws_member *const aws_iam_account_details_roles;    /* struct aws_iam_role */
extern const struct aws_member *const aws_iam_account_details_policies; /* struct aws_iam_policy */

/* ---- inputs and answers of the other operations: a table, one line each ---- */
/* clang-format off */
struct aws_iam_list_users_out     { struct aws_iam_page page; struct aws_list users; };
struct aws_iam_list_groups_out    { struct aws_iam_page page; struct aws_list groups; };
struct aws_iam_list_roles_out     { struct aws_iam_page page; struct aws_list roles; };
struct aws_iam_list_policies_in   { struct str scope; /* All, AWS, Local */ struct aws_int only_attached; struct str marker;
				    struct aws_int max_items; };
struct aws_iam_list_policies_out  { struct aws_iam_page page; struct aws_list policies; };
struct aws_iam_get_group_out      { struct aws_iam_page page; struct aws_iam_group group; struct aws_list users; };
struct aws_iam_list_tags_out      { struct aws_iam_page page; struct aws_list tags; };
struct aws_iam_list_attached_out  { struct aws_iam_page page; struct aws_list attached; };
struct aws_iam_list_inline_out    { struct aws_iam_page page; struct aws_list names; /* struct str */ };
struct aws_iam_get_inline_in      { struct str name, policy_name; };
struct aws_iam_get_inline_out     { struct str document; };
struct aws_iam_get_policy_in      { struct str arn; };
struct aws_iam_get_policy_out     { struct aws_iam_policy policy; };
struct aws_iam_get_policy_version_in  { struct str arn, version_id; };
struct aws_iam_get_policy_version_out { struct aws_iam_policy_version version; };
struct aws_iam_access_key         { struct str id, user_name, status; struct aws_int created_s; };
struct aws_iam_list_access_keys_out { struct aws_iam_page page; struct aws_list keys; };
struct aws_iam_access_key_last_used_in  { struct str id; };
struct aws_iam_access_key_last_used_out { struct str user_name; struct aws_int last_used_s; };
struct aws_iam_generate_credential_report_out { struct str state; /* STARTED, INPROGRESS, COMPLETE */ };
struct aws_iam_get_credential_report_out { struct str content; /* CSV, decoded */ struct aws_int generated_s; };
struct aws_iam_list_account_aliases_out { struct aws_iam_page page; struct aws_list aliases; /* struct str */ };

extern const struct aws_operation aws_iam_get_account_authorization_details; /* aws_iam_account_details_in, _out */
extern const struct aws_operation aws_iam_list_users;                  /* aws_iam_page_in -> aws_iam_list_users_out */
extern const struct aws_operation aws_iam_list_groups;                 /* aws_iam_page_in -> aws_iam_list_groups_out */
extern const struct aws_operation aws_iam_list_roles;                  /* aws_iam_page_in -> aws_iam_list_roles_out */
extern const struct aws_operation aws_iam_list_policies;
extern const struct aws_operation aws_iam_get_group;                   /* aws_iam_name_page_in */
extern const struct aws_operation aws_iam_list_user_tags;              /* aws_iam_name_page_in -> aws_iam_list_tags_out */
extern const struct aws_operation aws_iam_list_role_tags;
extern const struct aws_operation aws_iam_list_attached_user_policies; /* aws_iam_name_page_in -> aws_iam_list_attached_out */
extern const struct aws_operation aws_iam_list_attached_group_policies;
extern const struct aws_operation aws_iam_list_attached_role_policies;
extern const struct aws_operation aws_iam_list_user_policies;          /* aws_iam_name_page_in -> aws_iam_list_inline_out */
extern const struct aws_operation aws_iam_list_group_policies;
extern const struct aws_operation aws_iam_list_role_policies;
extern const struct aws_operation aws_iam_get_user_policy;             /* aws_iam_get_inline_in -> _out */
extern const struct aws_operation aws_iam_get_group_policy;
extern const struct aws_operation aws_iam_get_role_policy;
extern const struct aws_operation aws_iam_get_policy;
extern const struct aws_operation aws_iam_get_policy_version;
extern const struct aws_operation aws_iam_list_access_keys;            /* aws_iam_name_page_in */
extern const struct aws_operation aws_iam_get_access_key_last_used;
extern const struct aws_operation aws_iam_generate_credential_report;  /* no input */
extern const struct aws_operation aws_iam_get_credential_report;       /* no input */
extern const struct aws_operation aws_iam_list_account_aliases;        /* aws_iam_page_in */
/* clang-format on */

#endif
