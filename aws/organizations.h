/* aws/organizations.h
 *
 * AWS Organizations (API version 2016-11-28): the accounts of the organization. Callable from the management account and from
 * delegated administrators. One endpoint per partition. */
#ifndef AWS_ORGANIZATIONS_H
#define AWS_ORGANIZATIONS_H

#include "aws/shape.h"

extern const struct aws_service aws_organizations;

struct aws_organizations_account {
	struct str id, arn, name, email;
	struct str status; /* ACTIVE, SUSPENDED, PENDING_CLOSURE; retired by AWS in favour of state */
	struct str
		state; /* the same and PENDING_ACTIVATION, CLOSED; empty from AWS endpoints that do not have it yet */
};

struct aws_organizations_page_in {
	struct str next_token;
	struct aws_int max_results; /* 1..20 */
};
struct aws_organizations_list_accounts_out {
	struct str next_token;    /* empty on the last page */
	struct aws_list accounts; /* struct aws_organizations_account */
};

extern const struct aws_operation aws_organizations_list_accounts; /* aws_organizations_page_in */

#endif
