/* aws/credentials.h
 *
 * Who we are to AWS. A snapshot (struct aws_credentials) is immutable and reference-counted: key id,
 * secret and token travel as one object and are never mixed. A provider makes snapshots; providers
 * stack: cache over assume-role over cache over static keys.
 *
 * One file per provider, credentials_<kind>.c; all of them are declared here.
 *
 * Threads:   snapshots and providers may be used by any number of threads.
 * Ownership: _new returns a reference; take_ arguments are consumed, also when a constructor fails.
 * Errors:    ERR_INVALID: configuration that cannot work. ERR_UNAUTHENTICATED: there are no credentials.
 *            Of an assumed role what STS said, with our words in front. External ids and secrets are in
 *            no message. */
#ifndef AWS_CREDENTIALS_H
#define AWS_CREDENTIALS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "aws/http.h"
#include "aws/profile.h"
#include "aws/retry.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/secret.h"
#include "base/str.h"

#define CREDENTIALS_NEVER_EXPIRE INT64_MAX

struct aws_credentials {
	struct str access_key_id;
	struct secret *secret_access_key;
	struct secret *session_token; /* NULL: long-lived keys */
	int64_t expires_at_s;         /* Unix time; CREDENTIALS_NEVER_EXPIRE */
	_Atomic int refs;             /* of credentials.c */
};

/* Copies the key id; takes the secrets (token may be NULL). */
struct aws_credentials *aws_credentials_new(struct str access_key_id, struct secret *take_secret,
	struct secret *take_token, int64_t expires_at_s);
struct aws_credentials *aws_credentials_ref(struct aws_credentials *c);
void aws_credentials_unref(struct aws_credentials *c); /* NULL is fine */
void aws_credentials_unrefp(struct aws_credentials **c);

struct credentials_provider;

struct credentials_provider_ops {
	const char *name; /* "static", "environment", "assume-role", "cache", ... */
	/* A new snapshot (a reference of the caller's). May block; honours ctx. */
	enum err_code (*fetch)(struct credentials_provider *self, const struct ctx *ctx,
		struct aws_credentials **ret_credentials, struct err *reterr);
	/* AWS refused `refused` as expired or unknown: do not hand it out again if there may be others. NULL:
	 * nothing to forget. */
	void (*forget)(struct credentials_provider *self, const struct aws_credentials *refused);
	void (*free)(struct credentials_provider *self);
};

/* First member of every provider. */
struct credentials_provider {
	const struct credentials_provider_ops *ops;
	_Atomic int refs;
};

struct credentials_provider *credentials_provider_ref(struct credentials_provider *p);
void credentials_provider_unref(struct credentials_provider *p); /* NULL is fine */
void credentials_provider_unrefp(struct credentials_provider **p);

MUST_CHECK enum err_code credentials_fetch(struct credentials_provider *p, const struct ctx *ctx,
	struct aws_credentials **ret_credentials, struct err *reterr);
void credentials_forget(struct credentials_provider *p, const struct aws_credentials *refused);

/* ---- providers ---- */

/* Keys from the configuration. secret is borrowed; token may be NULL. */
struct credentials_provider *credentials_static_new(
	struct str access_key_id, const struct secret *secret, const struct secret *token);

/* AWS_ACCESS_KEY_ID and relatives. NULL when the environment has no key pair. */
struct credentials_provider *credentials_environment_new(const char *const *env);

/* A provider whose fetch fails: what is wrong is known now and said at each use (the server starts
 * nevertheless). */
struct credentials_provider *credentials_failing_new(const struct err *err);

/* Keeps a snapshot and renews it CREDENTIALS_REFRESH_BEFORE_S before it expires. One renewal at a
 * time: whoever comes meanwhile gets the old snapshot while it is valid, else waits for the new one or
 * its error. A failed renewal keeps a snapshot that is still valid, and warns. A renewal that its
 * caller's ctx ended is taken over by another waiter. */
#define CREDENTIALS_REFRESH_BEFORE_S 300
/* The cache of a cache is the cache itself. */
struct credentials_provider *credentials_cache_new(
	struct credentials_provider *take_inner, const struct clock *clock);

/* An inner provider's ERR_DENIED (only accounts of the organization say it, see keep_denied) is the answer
 * for that long to whoever finds no valid snapshot. */
#define CREDENTIALS_DENIED_FOR_MS 60000

/* A renewal by the caller's own hand, for who makes many at once: whoever is told CREDENTIALS_YOURS fetches
 * what the inner provider would have fetched, and must end it. Does not block. cache: of
 * credentials_cache_new. max_age_ms: an older snapshot is renewed, however long it is good for; meanwhile
 * everybody else goes on with it. */
enum credentials_turn {
	CREDENTIALS_THERE,     /* young enough, and a fetch would not ask anybody */
	CREDENTIALS_DENIED,    /* not long ago, with *reterr; also while an older snapshot is still valid */
	CREDENTIALS_IN_FLIGHT, /* somebody else renews: credentials_cache_wait */
	CREDENTIALS_YOURS,
};
enum credentials_turn credentials_cache_begin(
	struct credentials_provider *cache, int64_t max_age_ms, struct err *reterr);
/* code: how it went; ERR_OK with take_fresh, else with *reterr. Returns what came of it: ERR_OK also when it
 * failed while an older snapshot is valid, but a denial always is the answer. */
MUST_CHECK enum err_code credentials_cache_end(struct credentials_provider *cache, const struct ctx *ctx,
	enum err_code code, struct aws_credentials *take_fresh, struct err *reterr);
/* What came of somebody else's; who gave his up leaves it to us. */
MUST_CHECK enum err_code credentials_cache_wait(
	struct credentials_provider *cache, const struct ctx *ctx, struct err *reterr);

/* ---- assume role ---- */

#define CREDENTIALS_SESSION_NAME       "baton-awsd"
#define CREDENTIALS_SESSION_DURATION_S 3600
#define CREDENTIALS_SESSION_SHORT_S    900

struct assume_role_request {
	struct str role_arn;
	struct str session_name;
	struct str external_id; /* empty: not sent; never logged */
	int64_t duration_s;
};

/* sts:AssumeRole signed with `source`, in the way of the AWS client of this program (so that this file
 * needs no client). Fills reterr as aws/client.h says. expires_at_s of the result is on our clock: what
 * STS says, less the clock skew that is known. */
typedef enum err_code(sts_assume_role_fn)(void *self, const struct ctx *ctx,
	struct credentials_provider *source, const struct assume_role_request *req,
	struct aws_credentials **ret_credentials, struct err *reterr);

struct web_identity_request {
	struct str role_arn;
	struct str session_name;
	struct str token; /* as good as a key; never logged */
};

/* sts:AssumeRoleWithWebIdentity, which is not signed: the token tells who asks. Otherwise as above. */
typedef enum err_code(sts_web_identity_fn)(void *self, const struct ctx *ctx,
	const struct web_identity_request *req, struct aws_credentials **ret_credentials, struct err *reterr);

struct sts_assume_role {
	sts_assume_role_fn *fn;
	sts_web_identity_fn *web_identity;
	void *self; /* outlives the providers */
};

struct assume_role_options {
	struct str role_arn;
	struct str external_id;
	struct str session_name; /* empty: CREDENTIALS_SESSION_NAME */
	int64_t duration_s;      /* 0: an hour; if the role does not allow that, 15 minutes */
	/* In front of AWS's message: "baton-aws: failed to assume role into 'arn:...'"; empty:
	 * nothing. */
	struct str error_prefix;
	/* Given instead of AWS's message (first of two hops): "baton-aws: internal binding error". */
	struct str error_instead;
	bool keep_denied; /* STS refusing us stays ERR_DENIED, for who asks just that */
	struct sts_assume_role sts;
};

/* Not cached by itself; the source should be, because it is asked first (so that its failure is told as
 * its own) and again to sign. STS refusing us is ERR_UNAUTHENTICATED unless keep_denied: ERR_DENIED is for
 * the operation these credentials were wanted for. The source's failures never are ERR_DENIED. */
struct credentials_provider *credentials_assume_role_new(
	struct credentials_provider *take_source, const struct assume_role_options *opts);

/* The modes of spec/config.md 4.2 over a base: use_assume off: base itself; role_arn: one hop;
 * global_role_arn too: two. Each stage is cached. Error texts as specified there. */
struct credentials_mode {
	bool use_assume;
	struct str role_arn, external_id;
	struct str global_role_arn, global_binding_external_id;
};
struct credentials_provider *credentials_for_mode(struct credentials_provider *take_base,
	const struct credentials_mode *mode, struct sts_assume_role sts, const struct clock *clock);

/* ---- sources that renew: none of them caches; put a cache on top ---- */

/* A token that an identity provider keeps fresh in a file (EKS service accounts, IRSA), for a role.
 * The file is read at each fetch. A token that STS calls invalid is asked about three times in all,
 * because a provider's new keys take a moment to be known. */
struct web_identity_options {
	struct str role_arn;
	struct str session_name; /* empty: CREDENTIALS_SESSION_NAME */
	struct str token_file;
	struct sts_assume_role sts;
};
/* ERR_INVALID: no role ARN. */
MUST_CHECK enum err_code credentials_web_identity_new(const struct web_identity_options *opts,
	struct credentials_provider **ret_provider, struct err *reterr);

/* The credential service of a container (ECS, EKS Pod Identity):
 * AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or AWS_CONTAINER_CREDENTIALS_FULL_URI, with
 * AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE (read at each fetch) or AWS_CONTAINER_AUTHORIZATION_TOKEN.
 * Over http it goes to this host and to the addresses of these services only. */
struct container_options {
	struct http *http; /* outlives the provider */
	const char *const *environ;
	struct str relative_base; /* empty: "http://169.254.170.2"; else for tests */
};
/* *ret_provider is NULL when the environment names none. ERR_INVALID: a URI that is malformed or leads
 * where it must not. */
MUST_CHECK enum err_code credentials_container_new(
	const struct container_options *opts, struct credentials_provider **ret_provider, struct err *reterr);

/* The role of the EC2 instance, from its metadata service, version 2. Where that one gives no token
 * (403, 404, 405, silence), version 1 unless forbidden. When it has trouble, credentials are kept in
 * use past their date: AWS honours them. */
struct imds_options {
	struct http *http; /* outlives the provider */
	const struct clock *clock;
	struct aws_random random;
	struct str endpoint; /* empty: http://169.254.169.254, or the IPv6 address */
	struct str mode;     /* "IPv4" (default) or "IPv6" */
	bool v1_disabled;
};
/* ERR_INVALID: endpoint or mode make no sense. */
MUST_CHECK enum err_code credentials_imds_new(
	const struct imds_options *opts, struct credentials_provider **ret_provider, struct err *reterr);

/* What a command prints (credential_process of a profile), run by /bin/sh as AWS's tools do. It gets
 * the environment without this server's own variables (BATON_*), an empty standard input and no other
 * file of ours. What it says on standard error goes to the log at debug, with everything masked that
 * may be a key. ERR_UNAUTHENTICATED: it failed, took too long or printed nonsense. */
struct process_options {
	struct str command;
	const char *const *environ;
	int64_t timeout_ms; /* 0: a minute */
};
struct credentials_provider *credentials_process_new(const struct process_options *opts);

/* ---- the default chain ---- */

struct credentials_chain_options {
	const char *const *environ;
	const struct shared_config *config; /* borrowed for the call */
	struct str profile;                 /* selected profile's name */
	struct sts_assume_role sts;
	struct http *http; /* for the metadata services; outlives the provider */
	const struct clock *clock;
	struct aws_random random;
};

/* The first source of spec/config.md 5 that the settings name, cached. ERR_INVALID: that source is
 * misconfigured, or of a kind that a server cannot use (SSO and console logins). When nothing is
 * configured it is EC2's metadata. */
MUST_CHECK enum err_code credentials_chain_new(const struct credentials_chain_options *opts,
	struct credentials_provider **ret_provider, struct err *reterr);

/* What the profile says by itself, not cached. *ret_provider is NULL when it defines no source. */
MUST_CHECK enum err_code credentials_profile_new(const struct credentials_chain_options *opts,
	struct credentials_provider **ret_provider, struct err *reterr);

/* The ends of the chain, for the chain and for profiles: the container, else EC2's metadata as
 * environment and selected profile describe it. credentials_chain_imds gives a failing provider when
 * AWS_EC2_METADATA_DISABLED says so. */
MUST_CHECK enum err_code credentials_chain_container(const struct credentials_chain_options *opts,
	struct credentials_provider **ret_provider, struct err *reterr);
MUST_CHECK enum err_code credentials_chain_imds(const struct credentials_chain_options *opts,
	struct credentials_provider **ret_provider, struct err *reterr);

#endif
