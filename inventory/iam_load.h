/* inventory/iam_load.h
 *
 * Gathers the IAM facts of one account from AWS, by the cheapest calls that give them: GetAccountAuthorizationDetails, ListUsers,
 * ListRoles and the credential report; by one call per entity where the caller lacks the permission for those (spec/iam.md 14).
 *
 * A load is resumable: when iam_load_run fails with something that may work later, what was fetched is kept, and the next
 * iam_load_run goes on behind the last answer. So a throttled account gets done however often single calls fail.
 *
 * Threads:   one at a time (the inventory's single flight sees to it).
 * Ownership: the caller frees the load; the account it made is a reference of its own.
 * Errors:    those of aws/client.h, under architecture decision 10: a denied read of documents, tags or dates is warned about once and left
 *            out; the policy side may be denied as a whole; every other denial fails. */
#ifndef INVENTORY_IAM_LOAD_H
#define INVENTORY_IAM_LOAD_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"

struct aws_client;
struct iam_account;
struct iam_load;

struct iam_load_options {
	struct str account_id;
	bool require_all_permissions;
	bool only_attached_policies;
	bool access_keys; /* list them, not only their dates of last use */
	size_t max_in_flight;
	size_t max_bytes;                   /* of the packed account */
	atomic_uint_fast64_t *denied_reads; /* counters to add to */
	atomic_uint_fast64_t *vanished;
};

struct iam_load *iam_load_new(const struct iam_load_options *opts);
void iam_load_free(struct iam_load *l); /* NULL is fine */

MUST_CHECK enum err_code iam_load_run(struct iam_load *l, struct aws_client *iam, const struct ctx *ctx,
	struct iam_account **ret_account, struct err *reterr);

#endif
