/* aws/session.h
 *
 * The connector's own way into AWS: configuration, credentials and one client per (service, account). Built at boot from the
 * server's configuration and the environment; makes no network call until the first use.
 *
 * Modes of credentials (spec/config.md 4.2): direct, one hop (AssumeRole role-arn), two hops. What AWS's environment and shared
 * files say counts for every client.
 *
 * Threads: any. Ownership: clients are references; the session outlives them. */
#ifndef AWS_SESSION_H
#define AWS_SESSION_H

#include "aws/client.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/quota.h"
#include "base/secret.h"
#include "base/str.h"

struct aws_session;

struct aws_session_options {
	struct str access_key_id;               /* global-access-key-id; empty: the default chain */
	const struct secret *secret_access_key; /* global-secret-access-key; borrowed for the call */
	struct str region; /* global-region; empty: AWS_REGION, AWS_DEFAULT_REGION, profile, home region */
	struct str sso_region; /* global-aws-sso-region */
	bool use_assume;
	struct str role_arn;
	struct str external_id;
	struct str global_role_arn;
	struct str global_binding_external_id;
	struct str iam_assume_role_name; /* in child accounts; empty: OrganizationAccountAccessRole */
	int64_t http_timeout_ms;         /* whole request, default 300000 */
	unsigned quota_percent;          /* how much of what is known of AWS's quotas is used; 0: 100 */
	struct quota *quota;    /* shared with other servers; borrowed, outlives the session; NULL: none */
	unsigned quota_servers; /* that are expected to share it; 0: 1 */
	size_t max_connections; /* per host; 0: a sane default */
	const char *const *environ; /* NULL-terminated "NAME=value"; NULL: none (tests) */
	const struct clock *clock;
};

/* ERR_INVALID: configuration that cannot work (bad endpoint URL, profile that does not exist, ...). */
MUST_CHECK enum err_code aws_session_new(
	const struct aws_session_options *opts, struct aws_session **ret_session, struct err *reterr);
void aws_session_free(struct aws_session *s); /* NULL is fine; all clients must have been given back */

struct aws_identity {
	struct str account; /* 12 digits */
	struct str arn;
	struct str partition; /* "aws", "aws-cn", "aws-us-gov", ... from the ARN */
};

/* sts:GetCallerIdentity, one flight for all who ask, kept for the life of the session once it worked; a failure is shared for a few
 * seconds only. Strings live in the arena. refresh: ask AWS again (Validate). */
MUST_CHECK enum err_code aws_session_identity(struct aws_session *s, const struct ctx *ctx, bool refresh,
	struct arena *arena, struct aws_identity *ret_identity, struct err *reterr);

/* A client for the service in `account` (empty, or the connector's own: the connector's own credentials).
 *
 * For another account of the organization the role arn:<partition>:iam::<account>:role/<iam-assume-role-name> is assumed from the own
 * credentials (session BatonCrossAccountSession, 3600 s, no external id, renewed 300 s before its end; spec/iam.md 3.6). That
 * happens at the client's first call, and a failure is that call's error, with aws_operation "sts:AssumeRole" (so a denied account
 * is never mistaken for a denied resource). One provider, one pacer per account: they are kept while somebody uses them, and some time
 * longer. Learning the own account may cost a GetCallerIdentity, hence ctx. */
MUST_CHECK enum err_code aws_session_client(struct aws_session *s, const struct ctx *ctx,
	const struct aws_service *service, struct str account, struct aws_client **ret_client,
	struct err *reterr);

/* Whether the role of each account can be assumed, up to max_in_flight at a time; what was assumed serves the account's clients.
 * code: ERR_OK; ERR_DENIED: the role does not exist or does not trust us; else why it cannot be told. The first two are shared for 60 s:
 * asking again would not change it soon. The own account is ERR_OK without a call. Returns when all are answered. */
struct aws_probe {
	enum err_code code;
	struct err err; /* when code is not ERR_OK */
};
void aws_session_probe(struct aws_session *s, const struct ctx *ctx, const struct str *accounts, size_t n,
	struct aws_probe *results, size_t max_in_flight);

/* Calls made, retries, throttles, bytes and seconds per operation, for metrics and for tests. fn is called once per operation. */
struct aws_call_stats {
	const char *service, *operation;
	uint64_t calls, retries, throttled, failed;
};
void aws_session_stats(
	struct aws_session *s, void (*fn)(void *arg, const struct aws_call_stats *st), void *arg);

/* What pacers had to do with options.quota. */
struct aws_quota_stats {
	uint64_t exchanges;
	uint64_t failures; /* of these */
	bool away;         /* the last exchange failed: every server goes on at its share of the quota */
};
struct aws_quota_stats aws_session_quota_stats(struct aws_session *s);

#endif
