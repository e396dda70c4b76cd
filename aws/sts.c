#include "aws/sts.h"

#include "aws/client_new.h"

/* 600 requests per second, account and region: the published default quota of AssumeRole and relatives. */
const struct aws_service aws_sts = {
	.id = "sts",
	.signing_name = "sts",
	.endpoint_env = "STS",
	.protocol = AWS_QUERY,
	.version = "2011-06-15",
	.rate_per_s = 500,
	.burst = 100,
};

static const struct aws_member caller_identity[] = {
	{"Account", AWS_STRING, offsetof(struct aws_sts_caller_identity, account), NULL},
	{"Arn", AWS_STRING, offsetof(struct aws_sts_caller_identity, arn), NULL},
	{"UserId", AWS_STRING, offsetof(struct aws_sts_caller_identity, user_id), NULL},
};
static const struct aws_shape caller_identity_shape =
	AWS_SHAPE(struct aws_sts_caller_identity, caller_identity);

static const struct aws_member credentials[] = {
	{"AccessKeyId", AWS_STRING, offsetof(struct aws_sts_credentials, access_key_id), NULL},
	{"SecretAccessKey", AWS_STRING, offsetof(struct aws_sts_credentials, secret_access_key), NULL},
	{"SessionToken", AWS_STRING, offsetof(struct aws_sts_credentials, session_token), NULL},
	{"Expiration", AWS_TIME, offsetof(struct aws_sts_credentials, expiration_s), NULL},
};
static const struct aws_shape credentials_shape = AWS_SHAPE(struct aws_sts_credentials, credentials);

static const struct aws_member assume_role_in[] = {
	{"RoleArn", AWS_STRING, offsetof(struct aws_sts_assume_role_in, role_arn), NULL},
	{"RoleSessionName", AWS_STRING, offsetof(struct aws_sts_assume_role_in, session_name), NULL},
	{"ExternalId", AWS_STRING, offsetof(struct aws_sts_assume_role_in, external_id), NULL},
	{"DurationSeconds", AWS_INT, offsetof(struct aws_sts_assume_role_in, duration_s), NULL},
};
static const struct aws_shape assume_role_in_shape = AWS_SHAPE(struct aws_sts_assume_role_in, assume_role_in);

static const struct aws_member web_identity_in[] = {
	{"RoleArn", AWS_STRING, offsetof(struct aws_sts_assume_role_with_web_identity_in, role_arn), NULL},
	{"RoleSessionName", AWS_STRING,
		offsetof(struct aws_sts_assume_role_with_web_identity_in, session_name), NULL},
	{"WebIdentityToken", AWS_STRING, offsetof(struct aws_sts_assume_role_with_web_identity_in, token),
		NULL},
	{"DurationSeconds", AWS_INT, offsetof(struct aws_sts_assume_role_with_web_identity_in, duration_s),
		NULL},
};
static const struct aws_shape web_identity_in_shape =
	AWS_SHAPE(struct aws_sts_assume_role_with_web_identity_in, web_identity_in);

/* <AssumedRoleUser><Arn>: kept without its frame. */
static const struct aws_member assumed_role_user[] = {
	{"Arn", AWS_STRING, offsetof(struct aws_sts_assume_role_out, assumed_role_arn), NULL},
};
static const struct aws_shape assumed_role_user_shape =
	AWS_SHAPE(struct aws_sts_assume_role_out, assumed_role_user);

static const struct aws_member assume_role_out[] = {
	{"Credentials", AWS_STRUCT, offsetof(struct aws_sts_assume_role_out, credentials),
		&credentials_shape},
	{"AssumedRoleUser", AWS_STRUCT, 0, &assumed_role_user_shape},
};
static const struct aws_shape assume_role_out_shape =
	AWS_SHAPE(struct aws_sts_assume_role_out, assume_role_out);

const struct aws_operation aws_sts_get_caller_identity = {
	.service = &aws_sts,
	.name = "GetCallerIdentity",
	.out = &caller_identity_shape,
};
const struct aws_operation aws_sts_assume_role = {
	.service = &aws_sts,
	.name = "AssumeRole",
	.in = &assume_role_in_shape,
	.out = &assume_role_out_shape,
};
const struct aws_operation aws_sts_assume_role_with_web_identity = {
	.service = &aws_sts,
	.name = "AssumeRoleWithWebIdentity",
	.in = &web_identity_in_shape,
	.out = &assume_role_out_shape,
	.unsigned_request = true,
};

enum err_code aws_sts_snapshot(const struct aws_client *client, const struct aws_operation *op,
	const struct aws_sts_credentials *c, struct aws_credentials **ret_snapshot, struct err *reterr)
{
	if (!c->access_key_id.n || !c->secret_access_key.n || !c->session_token.n || !c->expiration_s.set)
		return err_set(
			reterr, ERR_PROTOCOL, "sts:%s answered without complete credentials", op->name);
	*ret_snapshot = aws_credentials_new(c->access_key_id, secret_new(c->secret_access_key),
		secret_new(c->session_token), c->expiration_s.v - aws_client_skew_s(client));
	return ERR_OK;
}
