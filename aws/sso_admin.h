/* aws/sso_admin.h
 *
 * AWS SSO Admin (API version 2020-07-20), the administration of IAM Identity Center: instances, permission sets, and who holds
 * which of them on which account. Reading operations, one table each (aws/sso_admin.c).
 *
 *	struct aws_sso_admin_in in = {.instance_arn = arn, .account_id = id, .permission_set_arn = ps, .max_results = {100, true}};
 *	struct aws_sso_admin_assignments_out out;
 *	code = aws_call(client, ctx, &aws_sso_admin_list_account_assignments, &in, arena, &out, reterr);
 *
 * All operations together are allowed 20 calls per second, for the whole organization. Lists are paged: a next_token that is not
 * empty means there is more. */
#ifndef AWS_SSO_ADMIN_H
#define AWS_SSO_ADMIN_H

#include "aws/shape.h"

extern const struct aws_service aws_sso_admin;

#define AWS_SSO_ADMIN_MAX_RESULTS 100

struct aws_sso_admin_instance {
	struct str arn, identity_store_id, owner_account_id, name;
	struct str status; /* CREATE_IN_PROGRESS, CREATE_FAILED, DELETE_IN_PROGRESS, ACTIVE */
	struct aws_int created_s;
};
struct aws_sso_admin_permission_set {
	struct str arn, name, description;
};
struct aws_sso_admin_assignment {
	struct str account_id, permission_set_arn;
	struct str principal_type; /* USER, GROUP */
	struct str principal_id;
};
struct aws_sso_admin_policy { /* managed by AWS */
	struct str name, arn;
};
struct aws_sso_admin_policy_reference { /* to a policy that each account has for itself */
	struct str name, path;
};

/* What most operations ask for: each sends those members that stand beside it below. */
struct aws_sso_admin_in {
	struct str instance_arn;
	struct str account_id;
	struct str permission_set_arn;
	struct str next_token;
	struct aws_int max_results; /* 1..AWS_SSO_ADMIN_MAX_RESULTS */
};

/* next_token, max_results */
struct aws_sso_admin_instances_out {
	struct str next_token;
	struct aws_list instances; /* struct aws_sso_admin_instance */
};
extern const struct aws_operation aws_sso_admin_list_instances;

struct aws_sso_admin_permission_sets_out {
	struct str next_token;
	struct aws_list permission_set_arns; /* struct str */
};
/* instance_arn, next_token, max_results */
extern const struct aws_operation aws_sso_admin_list_permission_sets;
/* instance_arn, account_id, next_token, max_results */
extern const struct aws_operation aws_sso_admin_list_permission_sets_provisioned_to_account;

/* instance_arn, permission_set_arn */
struct aws_sso_admin_permission_set_out {
	struct aws_sso_admin_permission_set permission_set;
};
extern const struct aws_operation aws_sso_admin_describe_permission_set;

/* instance_arn, permission_set_arn, next_token, max_results. Names accounts that are no longer active, too. */
struct aws_sso_admin_accounts_out {
	struct str next_token;
	struct aws_list account_ids; /* struct str */
};
extern const struct aws_operation aws_sso_admin_list_accounts_for_provisioned_permission_set;

struct aws_sso_admin_assignments_out {
	struct str next_token;
	struct aws_list assignments; /* struct aws_sso_admin_assignment */
};
/* instance_arn, account_id, permission_set_arn, next_token, max_results */
extern const struct aws_operation aws_sso_admin_list_account_assignments;

/* From the management account only. A user's answer has rows of his groups as well: principal_id tells. */
struct aws_sso_admin_principal_in {
	struct str instance_arn;
	struct str principal_id;
	struct str principal_type; /* USER, GROUP */
	struct aws_sso_admin_principal_filter {
		struct str account_id; /* empty: on all accounts */
	} filter;
	struct str next_token;
	struct aws_int max_results;
};
extern const struct aws_operation aws_sso_admin_list_account_assignments_for_principal;

/* instance_arn, permission_set_arn, next_token, max_results */
struct aws_sso_admin_managed_policies_out {
	struct str next_token;
	struct aws_list policies; /* struct aws_sso_admin_policy */
};
extern const struct aws_operation aws_sso_admin_list_managed_policies;

/* instance_arn, permission_set_arn, next_token, max_results */
struct aws_sso_admin_customer_policies_out {
	struct str next_token;
	struct aws_list references; /* struct aws_sso_admin_policy_reference */
};
extern const struct aws_operation aws_sso_admin_list_customer_managed_policy_references;

/* instance_arn, permission_set_arn. Unlike IAM's documents, this one is not percent-encoded. */
struct aws_sso_admin_inline_policy_out {
	struct str document; /* empty: there is none */
};
extern const struct aws_operation aws_sso_admin_get_inline_policy;

#endif
