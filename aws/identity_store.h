/* aws/identity_store.h
 *
 * AWS Identity Store (API version 2020-06-15), the directory of IAM Identity Center: users, groups, memberships. Reading operations,
 * one table each (aws/identity_store.c).
 *
 * All operations together are allowed 20 calls per second. Lists are paged: a next_token that is not empty means there is more. */
#ifndef AWS_IDENTITY_STORE_H
#define AWS_IDENTITY_STORE_H

#include "aws/shape.h"

extern const struct aws_service aws_identity_store;

#define AWS_IDENTITY_STORE_MAX_RESULTS 100

struct aws_identity_store_external_id {
	struct str issuer, id;
};
struct aws_identity_store_email {
	struct str value, type;
	struct aws_int primary;
};
struct aws_identity_store_user {
	struct str id, user_name, display_name;
	struct str status; /* ENABLED, DISABLED; empty from AWS endpoints that do not tell */
	struct aws_identity_store_name {
		struct str formatted, given, family;
	} name;
	struct aws_list emails;       /* struct aws_identity_store_email */
	struct aws_list external_ids; /* struct aws_identity_store_external_id */
};
struct aws_identity_store_group {
	struct str id, display_name, description;
	struct aws_list external_ids; /* struct aws_identity_store_external_id */
};
struct aws_identity_store_member_id { /* a union on the wire; users are its only kind so far */
	struct str user_id;           /* empty: a member of a kind that is not known here */
};
struct aws_identity_store_membership {
	struct str id, group_id;
	struct aws_identity_store_member_id member;
};

/* --- lists --- */
struct aws_identity_store_filter {
	struct str path; /* UserName; DisplayName of groups */
	struct str value;
};
struct aws_identity_store_list_in {
	struct str store_id;
	struct aws_list filters; /* struct aws_identity_store_filter, one at most */
	struct str next_token;
	struct aws_int max_results; /* 1..AWS_IDENTITY_STORE_MAX_RESULTS */
};
struct aws_identity_store_users_out {
	struct str next_token;
	struct aws_list users; /* struct aws_identity_store_user */
};
struct aws_identity_store_groups_out {
	struct str next_token;
	struct aws_list groups; /* struct aws_identity_store_group */
};
extern const struct aws_operation aws_identity_store_list_users;  /* list_in, users_out */
extern const struct aws_operation aws_identity_store_list_groups; /* list_in, groups_out */

struct aws_identity_store_memberships_in {
	struct str store_id;
	struct str group_id;
	struct str next_token;
	struct aws_int max_results;
};
struct aws_identity_store_memberships_of_in {
	struct str store_id;
	struct aws_identity_store_member_id member;
	struct str next_token;
	struct aws_int max_results;
};
struct aws_identity_store_memberships_out {
	struct str next_token;
	struct aws_list memberships; /* struct aws_identity_store_membership */
};
extern const struct aws_operation aws_identity_store_list_group_memberships; /* memberships_in */
extern const struct aws_operation
	aws_identity_store_list_group_memberships_for_member; /* memberships_of_in */

/* --- single objects --- */
struct aws_identity_store_user_in {
	struct str store_id, user_id;
};
struct aws_identity_store_group_in {
	struct str store_id, group_id;
};
extern const struct aws_operation
	aws_identity_store_describe_user; /* user_in, struct aws_identity_store_user */
extern const struct aws_operation
	aws_identity_store_describe_group; /* group_in, struct aws_identity_store_group */

struct aws_identity_store_get_user_id_in {
	struct str store_id;
	struct aws_identity_store_alternate_id {
		struct aws_identity_store_unique_attribute {
			struct str path; /* "userName", "emails.value" */
			struct str value;
		} unique_attribute;
	} alternate_id;
};
struct aws_identity_store_get_user_id_out {
	struct str user_id;
};
extern const struct aws_operation aws_identity_store_get_user_id;

#endif
