/* aws/sts.h
 *
 * AWS Security Token Service (API version 2011-06-15): who we are, and becoming someone else.
 *
 * Answers of AssumeRole hold keys: they live in the caller's arena, which wipes its memory, and go from
 * there into a struct secret (aws_sts_snapshot). */
#ifndef AWS_STS_H
#define AWS_STS_H

#include "aws/client.h"
#include "aws/credentials.h"
#include "aws/shape.h"

extern const struct aws_service aws_sts;

struct aws_sts_caller_identity { /* GetCallerIdentity */
	struct str account, arn, user_id;
};

struct aws_sts_credentials {
	struct str access_key_id, secret_access_key, session_token;
	struct aws_int expiration_s;
};

struct aws_sts_assume_role_in {
	struct str role_arn, session_name, external_id;
	struct aws_int duration_s;
};
struct aws_sts_assume_role_with_web_identity_in {
	struct str role_arn, session_name, token;
	struct aws_int duration_s;
};
struct aws_sts_assume_role_out { /* of both */
	struct aws_sts_credentials credentials;
	struct str assumed_role_arn;
};

extern const struct aws_operation aws_sts_get_caller_identity; /* no input -> aws_sts_caller_identity */
extern const struct aws_operation aws_sts_assume_role;
extern const struct aws_operation aws_sts_assume_role_with_web_identity; /* not signed */

/* The credentials in an answer to op, which client called, as a snapshot (one reference). Their end is on our
 * clock, which is the one that their age is read from. ERR_PROTOCOL: they are incomplete. */
MUST_CHECK enum err_code aws_sts_snapshot(const struct aws_client *client, const struct aws_operation *op,
	const struct aws_sts_credentials *c, struct aws_credentials **ret_snapshot, struct err *reterr);

#endif
