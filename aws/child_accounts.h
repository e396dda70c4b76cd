/* aws/child_accounts.h
 *
 * The other accounts of the organization, as far as somebody has looked into them: how to be somebody there,
 * and one client per service. Of aws/session.c, which tells the own account from the others and hands out
 * what is here.
 *
 * An account is entered by its role arn:<partition>:iam::<account>:role/<role name>, assumed from the
 * connector's own credentials. It has credentials, pacers and clients of its own, made when they are first
 * wanted and kept while they are used and for CHILD_ACCOUNTS_IDLE_MS longer.
 *
 * Threads:   any. The table's lock is never held while AWS is asked.
 * Ownership: clients are references; the table outlives them.
 * Errors:    ERR_INVALID: that is no account number. ERR_UNAVAILABLE: every place is taken by an account
 *            that is in use. */
#ifndef AWS_CHILD_ACCOUNTS_H
#define AWS_CHILD_ACCOUNTS_H

#include <stddef.h>

#include "aws/client.h"
#include "aws/credentials.h"
#include "aws/pacer.h"
#include "aws/session.h"

#define CHILD_ACCOUNTS_ROLE_NAME    "OrganizationAccountAccessRole"
#define CHILD_ACCOUNTS_SESSION_NAME "BatonCrossAccountSession"
/* AWS's longest session for a role that is assumed from a role. */
#define CHILD_ACCOUNTS_SESSION_S 3600
/* How long having entered an account proves that it can be entered. As long as a denial proves the contrary;
 * the credentials themselves serve much longer, but nobody tells us when their role is deleted. */
#define CHILD_ACCOUNTS_PROOF_MS CREDENTIALS_DENIED_FOR_MS
/* An account that nobody asked for in so long has expired credentials and a pacer that knows nothing. */
#define CHILD_ACCOUNTS_IDLE_MS ((int64_t)3600 * 1000)
/* About 10 KB each; more accounts than organizations have without asking AWS for more. */
#define CHILD_ACCOUNTS_MAX 16384

struct child_accounts;

/* A client of the session's over these credentials and at this pace; both are borrowed as aws/client_new.h says. */
typedef struct aws_client *(child_client_fn)(void *self, const struct aws_service *service,
	struct credentials_provider *credentials, struct pacer *pacer);

/* Tells the pacer of an account's service where its turns come from. */
typedef void(child_share_fn)(
	void *self, const struct aws_service *service, struct str account, struct pacer *pacer);

struct child_accounts_options {
	struct str role_name;                /* may have a path; empty: CHILD_ACCOUNTS_ROLE_NAME */
	struct credentials_provider *source; /* the connector's own; referenced */
	struct sts_assume_role sts;          /* one role */
	struct aws_client *sts_client;       /* many roles at once, signed by source; referenced */
	child_client_fn *client;
	child_share_fn *share;  /* NULL: each pacer goes by itself */
	void *self;             /* of client and share */
	unsigned quota_percent; /* aws_service_pacer's */
	const struct clock *clock;
	size_t max; /* 0: CHILD_ACCOUNTS_MAX */
};

struct child_accounts *child_accounts_new(const struct child_accounts_options *opts);
/* NULL is fine; all clients must have been given back. */
void child_accounts_free(struct child_accounts *t);

/* As aws_session_client, for an account that is not own's. Asks nobody. */
MUST_CHECK enum err_code child_accounts_client(struct child_accounts *t, const struct aws_identity *own,
	const struct aws_service *service, struct str account, struct aws_client **ret_client,
	struct err *reterr);

/* aws_session_probe, with the identity known. */
void child_accounts_probe(struct child_accounts *t, const struct ctx *ctx, const struct aws_identity *own,
	const struct str *accounts, size_t n, struct aws_probe *results, size_t max_in_flight);

size_t child_accounts_count(struct child_accounts *t); /* kept now */

#endif
