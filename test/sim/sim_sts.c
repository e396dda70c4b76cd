/* STS, API version 2011-06-15. Trust policies are not evaluated: a role of the organization can be assumed by
 * anyone who knows its external id, if it asks for one; but the role that lets the management account into
 * another one only from there. */
#include <string.h>

#include "base/encode.h"
#include "base/json.h"
#include "sim/sim_auth.h"
#include "sim/sim_call.h"

#define DURATION_MIN_S     900
#define DURATION_MAX_S     43200
#define DURATION_DEFAULT_S 3600
#define DURATION_CHAINED_S 3600 /* a role assumed from a role */
#define TOKEN_MAX_BYTES    20000

static void get_caller_identity(struct sim_call *c)
{
	el_str(c, "Arn", c->caller.arn);
	el_str(c, "UserId", c->caller.user_id);
	el_str(c, "Account", c->caller.account->id);
}

/* The account of RoleArn; NULL: not one of ours. */
static struct sim_account *role_account(struct sim_call *c)
{
	struct str rest = sim_param(c, "RoleArn");

	for (int i = 0; i < 4; i++)
		str_cut(&rest, ':');
	return sim_org_account(c->sim->org, str_cut(&rest, ':'));
}

/* The role that RoleArn names, arn:aws:iam::<account>:role/<path><name>, if the caller gets in; NULL
 * otherwise. */
static const struct sim_entity *role_for_caller(struct sim_call *c, struct sim_account **ret_account)
{
	struct str arn = sim_param(c, "RoleArn");
	struct sim_account *a = role_account(c);

	if (a == NULL || a->state == SIM_SUSPENDED || a->assume == SIM_ASSUME_DENIED)
		return NULL;
	sim_account_ready(a);
	struct str name = str_from(arn, (size_t)(str_rfind_char(arn, '/') + 1));
	const struct sim_entity *role = sim_entity_find(a, SIM_ROLE, name);
	if (role == NULL || !str_eq(role->arn, arn))
		return NULL;
	bool from_management_only = role->index == 0 && !sim_is_management(a);
	if (from_management_only && !sim_is_management(c->caller.account))
		return NULL;
	*ret_account = a;
	return role;
}

/* POST /sim/mutate can make an account's roles hard to get. True: the call has failed. */
static bool throttled(struct sim_call *c)
{
	const struct sim_account *a = role_account(c);

	if (a == NULL || a->assume != SIM_ASSUME_THROTTLED)
		return false;
	sim_fail(c, 400, c->service->codes->throttled, "Rate exceeded");
	return true;
}

static bool session_name_ok(struct str name)
{
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == '\0' ||
			strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+=,.@-",
				name.p[i]) == NULL)
			return false;
	}
	return name.n >= 2 && name.n <= 64;
}

static bool read_duration(struct sim_call *c, const struct sim_entity *role, int64_t *ret_s)
{
	if (!sim_param_int(c, "DurationSeconds", DURATION_MIN_S, DURATION_MAX_S, DURATION_DEFAULT_S, ret_s))
		return false;
	if (*ret_s > (int64_t)role->max_session_s)
		sim_fail(c, 400, "ValidationError",
			"The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
	else if (c->caller.is_session && *ret_s > DURATION_CHAINED_S)
		sim_fail(c, 400, "ValidationError",
			"The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by "
			"role chaining");
	return !sim_failed(c);
}

static void put_session(
	struct sim_call *c, struct sim_account *account, const struct sim_entity *role, int64_t duration_s)
{
	struct str name = sim_param(c, "RoleSessionName");
	struct sim_session session;

	sim_auth_issue(c, account, role, name, duration_s, &session);
	el_open(c, "Credentials");
	el_str(c, "AccessKeyId", session.access_key_id);
	el_str(c, "SecretAccessKey", session.secret);
	el_str(c, "SessionToken", session.token);
	el_time(c, "Expiration", session.expires_s);
	el_close(c, "Credentials");
	el_open(c, "AssumedRoleUser");
	el_str(c, "AssumedRoleId", str_fmt(c->arena, STR_FMT ":" STR_FMT, STR_ARG(role->id), STR_ARG(name)));
	el_str(c, "Arn",
		str_fmt(c->arena, "arn:aws:sts::" STR_FMT ":assumed-role/" STR_FMT "/" STR_FMT,
			STR_ARG(account->id), STR_ARG(role->name), STR_ARG(name)));
	el_close(c, "AssumedRoleUser");
}

static void assume_role(struct sim_call *c)
{
	struct str arn = sim_param(c, "RoleArn");
	struct str name = sim_param(c, "RoleSessionName");
	struct sim_account *account = NULL;
	int64_t duration_s;

	if (!session_name_ok(name)) {
		sim_fail(c, 400, "ValidationError",
			"1 validation error detected: Value '" STR_FMT
			"' at 'roleSessionName' failed to satisfy constraint: Member must "
			"satisfy regular expression pattern: [\\w+=,.@-]*",
			STR_ARG(name));
		return;
	}
	if (throttled(c))
		return;
	const struct sim_entity *role = role_for_caller(c, &account);
	if (role == NULL ||
		(role->external_id.n > 0 && !str_eq(role->external_id, sim_param(c, "ExternalId")))) {
		sim_fail(c, 403, "AccessDenied",
			"User: " STR_FMT
			" is not authorized to perform: sts:AssumeRole on resource: " STR_FMT,
			STR_ARG(c->caller.arn), STR_ARG(arn));
		return;
	}
	if (read_duration(c, role, &duration_s))
		put_session(c, account, role, duration_s);
}

/* The claims of a JWT; NULL: it is none. Its signature is nobody's business here. */
static const struct json *token_claims(struct sim_call *c, struct str token)
{
	const struct json *claims;
	struct str payload;
	struct err err;

	str_cut(&token, '.');
	if (!b64url_decode(c->arena, str_cut(&token, '.'), &payload) || token.n == 0)
		return NULL;
	return json_parse(c->arena, payload, TOKEN_MAX_BYTES, &claims, &err) == ERR_OK ? claims : NULL;
}

static void assume_role_with_web_identity(struct sim_call *c)
{
	const struct json *claims = token_claims(c, sim_param(c, "WebIdentityToken"));
	struct sim_account *account = NULL;
	int64_t duration_s;

	if (claims == NULL) {
		sim_fail(c, 400, "InvalidIdentityToken",
			"The ID Token provided is not a valid JWT. (You may see this error if you sent an "
			"Access Token)");
		return;
	}
	if (throttled(c))
		return;
	const struct sim_entity *role = role_for_caller(c, &account);
	if (role == NULL) {
		sim_fail(c, 403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity");
		return;
	}
	if (!read_duration(c, role, &duration_s))
		return;
	put_session(c, account, role, duration_s);
	el_str(c, "SubjectFromWebIdentityToken", json_str(json_get(claims, STR("sub"))));
	el_str(c, "Audience", json_str(json_get(claims, STR("aud"))));
	el_str(c, "Provider", json_str(json_get(claims, STR("iss"))));
}

static const struct sim_op ops[] = {
	{.name = "GetCallerIdentity", .fn = get_caller_identity},
	{.name = "AssumeRole",
		.fn = assume_role,
		.required = {"RoleArn", "RoleSessionName"},
		.account = role_account},
	{.name = "AssumeRoleWithWebIdentity",
		.fn = assume_role_with_web_identity,
		.required = {"RoleArn", "RoleSessionName", "WebIdentityToken"},
		.unsigned_ok = true,
		.account = role_account},
};

static const struct sim_codes codes = {
	.invalid = "ValidationError",
	.unreadable = "MalformedInput",
	.throttled = "Throttling",
	.failed = "ServiceFailure",
};

const struct sim_service sim_sts = {
	.name = "sts",
	.protocol = &sim_query,
	.codes = &codes,
	.version = "2011-06-15",
	.xmlns = "https://sts.amazonaws.com/doc/2011-06-15/",
	.ops = ops,
	.n_ops = ARRAY_LEN(ops),
};
