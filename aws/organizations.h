/* aws/organizations.h
 *
 * AWS Organizations (API version 2016-11-28): the accounts of the organization and the tree they hang in. Reading operations, one
 * table each (aws/organizations.c). Callable from the management account and from delegated administrators. One endpoint per
 * partition.
 *
 * Lists are paged: a next_token that is not empty means there is more, also after a page without items. */
#ifndef AWS_ORGANIZATIONS_H
#define AWS_ORGANIZATIONS_H

#include "aws/shape.h"

extern const struct aws_service aws_organizations;

#define AWS_ORGANIZATIONS_MAX_RESULTS 20

struct aws_organizations_account {
	struct str id, arn, name, email;
	struct str status; /* ACTIVE, SUSPENDED, PENDING_CLOSURE; retired by AWS in favour of state */
	struct str
		state; /* the same and PENDING_ACTIVATION, CLOSED; empty from AWS endpoints that do not have it yet */
	struct aws_list
		paths; /* struct str: "o-.../r-.../ou-.../", from the organization down to the account; recent, so often none */
};
struct aws_organizations_root {
	struct str id, arn, name;
};
struct aws_organizations_unit {
	struct str id, arn, name;
	struct str path; /* as of accounts */
};
/* Who stands above or below, without anything else of it. */
struct aws_organizations_relative {
	struct str id;
	struct str type; /* ROOT, ORGANIZATIONAL_UNIT; ACCOUNT below */
};
struct aws_organizations_organization {
	struct str id, arn;
	struct str management_account_id, management_account_arn;
};

struct aws_organizations_page_in {
	struct str next_token;
	struct aws_int max_results; /* 1..AWS_ORGANIZATIONS_MAX_RESULTS */
};
struct aws_organizations_parent_in {
	struct str parent_id; /* of a root or a unit */
	struct str next_token;
	struct aws_int max_results;
};
struct aws_organizations_list_accounts_out {
	struct str next_token;    /* empty on the last page */
	struct aws_list accounts; /* struct aws_organizations_account */
};
extern const struct aws_operation aws_organizations_list_accounts; /* aws_organizations_page_in */
extern const struct aws_operation
	aws_organizations_list_accounts_for_parent; /* aws_organizations_parent_in, list_accounts_out */

struct aws_organizations_list_roots_out {
	struct str next_token;
	struct aws_list roots; /* struct aws_organizations_root */
};
extern const struct aws_operation aws_organizations_list_roots; /* aws_organizations_page_in */

struct aws_organizations_list_units_out {
	struct str next_token;
	struct aws_list units; /* struct aws_organizations_unit */
};
extern const struct aws_operation aws_organizations_list_units_for_parent; /* aws_organizations_parent_in */

struct aws_organizations_list_parents_in {
	struct str child_id; /* of an account or a unit */
	struct str next_token;
	struct aws_int max_results;
};
struct aws_organizations_list_parents_out {
	struct str next_token;
	struct aws_list parents; /* struct aws_organizations_relative; one, as AWS has it today */
};
extern const struct aws_operation aws_organizations_list_parents;

struct aws_organizations_list_children_in {
	struct str parent_id;
	struct str child_type; /* ACCOUNT, ORGANIZATIONAL_UNIT */
	struct str next_token;
	struct aws_int max_results;
};
struct aws_organizations_list_children_out {
	struct str next_token;
	struct aws_list children; /* struct aws_organizations_relative */
};
extern const struct aws_operation aws_organizations_list_children;

struct aws_organizations_describe_account_in {
	struct str account_id;
};
struct aws_organizations_describe_account_out {
	struct aws_organizations_account account; /* all empty when AWS left it out */
};
extern const struct aws_operation aws_organizations_describe_account;

/* No input. Members of the organization may ask it too. */
struct aws_organizations_describe_organization_out {
	struct aws_organizations_organization organization;
};
extern const struct aws_operation aws_organizations_describe_organization;

#endif
