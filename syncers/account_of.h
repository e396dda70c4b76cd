/* syncers/account_of.h
 *
 * From a request, or from an ARN in some fact, to the IAM facts it is about: which account a resource or a parent belongs to, and the
 * record in it.
 *
 * Threads: any. Ownership: the account is a reference for the caller to give back. */
#ifndef SYNCERS_ACCOUNT_OF_H
#define SYNCERS_ACCOUNT_OF_H

#include "inventory/iam_account.h"
#include "syncers/syncer.h"

/* The account whose users, groups, roles and policies a listing is about: the parent's, or the connector's own without one. */
MUST_CHECK enum err_code account_of_parent(const struct syncer_call *call,
	const C1__Connector__V2__ResourceId *parent, struct iam_account **ret_account, struct err *reterr);

/* The account a user, group or role belongs to (its parent's, or the connector's own), and the index of its row there.
 * ERR_INVALID: no resource id. ERR_NOT_FOUND: the resource is gone. */
MUST_CHECK enum err_code account_of_resource(const struct syncer_call *call,
	const C1__Connector__V2__Resource *resource, enum iam_kind kind, struct iam_account **ret_account,
	size_t *ret_index, struct err *reterr);

/* The list function of a type that is one kind of row of an account: pages of what `make` makes of the rows, each of whose ids is the
 * row's key. type_kind: of the page tokens. */
typedef C1__Connector__V2__Resource *(resource_of_row_fn)(struct arena *arena,
	const struct iam_account *account, size_t i, const C1__Connector__V2__ResourceId *parent);
MUST_CHECK enum err_code list_of_account(const struct syncer_call *call,
	const C1__Connector__V2__ResourceId *parent, struct str type_kind, enum iam_kind kind,
	resource_of_row_fn *make, struct syncer_page *ret_page, struct err *reterr);

/* The account that an ARN names, and the index of its row there (spec/iam.md 3.6 "by ARN", D15). ERR_INVALID: not an ARN of IAM.
 * ERR_NOT_FOUND: it is gone. */
MUST_CHECK enum err_code account_of_arn(const struct syncer_call *call, struct str arn, enum iam_kind kind,
	struct iam_account **ret_account, size_t *ret_index, struct err *reterr);

/* Whether the sync has the role of this ARN, be it in `account` (the one at hand), in the connector's own, or in another that can be
 * entered: the accounts that are listed are those that count. May read the facts of that account, which the sync needs anyway. */
MUST_CHECK enum err_code role_is_synced(const struct syncer_call *call, const struct iam_account *account,
	struct str role_arn, bool *ret_synced, struct err *reterr);

#endif
