/* DESIGN
 *
 * A profile of the shared files becomes a stack of providers (spec/config.md 5.1): a source (keys, the
 * environment, a metadata service, a command, or another profile) and, if the profile has a role_arn,
 * an assumed role on top. source_profile may lead on to further profiles; each is used once, and a
 * profile that is met again may only give its keys (AWS's tools allow a profile to name itself as the
 * source of its role). */
#include "aws/credentials.h"

#include "base/mem.h"

enum {
	MAX_PROFILES = 8, /* in one chain of source_profile */
	MIN_SESSION_S = 900,
	MAX_SESSION_S = 43200,
};

struct walk {
	const struct credentials_chain_options *opts;
	struct str seen[MAX_PROFILES];
	size_t n_seen;
};

static enum err_code walk_profile(
	struct walk *w, struct str name, struct credentials_provider **ret_provider, struct err *reterr);

/* Logins of a person, which this server does not take over: their renewal needs a browser sooner or
 * later. */
static const struct login {
	const char *key, *what;
} logins[] = {
	{"sso_session", "a server cannot use the cache of an SSO login"},
	{"sso_start_url", "a server cannot use the cache of an SSO login"},
	{"sso_region", "a server cannot use the cache of an SSO login"},
	{"sso_account_id", "a server cannot use the cache of an SSO login"},
	{"sso_role_name", "a server cannot use the cache of an SSO login"},
	{"login_session", "a server cannot use the session of a console login"},
};

static enum err_code check_one_source(const struct profile *p, struct str name, struct err *reterr)
{
	static const char *const keys[] = {
		"source_profile", "credential_source", "credential_process", "web_identity_token_file"};
	int n = 0;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		n += profile_get(p, keys[i]).n > 0;
	if (n > 1)
		return err_set(reterr, ERR_INVALID,
			"profile '" STR_FMT
			"': only one of source_profile, credential_source, credential_process and "
			"web_identity_token_file may be set",
			STR_ARG(name));
	return ERR_OK;
}

/* Keys in the profile itself. *ret_provider is NULL when there are none. */
static enum err_code static_source(const struct profile *p, struct str name,
	struct credentials_provider **ret_provider, struct err *reterr)
{
	struct str key_id = profile_get(p, "aws_access_key_id");
	struct str secret_text = profile_get(p, "aws_secret_access_key");
	CLEANUP(secret_unrefp) struct secret *secret = NULL, *token = NULL;

	*ret_provider = NULL;
	if (key_id.n == 0 && secret_text.n == 0)
		return ERR_OK;
	if (key_id.n == 0 || secret_text.n == 0)
		return err_set(reterr, ERR_INVALID,
			"profile '" STR_FMT
			"': aws_access_key_id and aws_secret_access_key have to be set together",
			STR_ARG(name));
	secret = secret_new(secret_text);
	token = secret_new(profile_get(p, "aws_session_token"));
	*ret_provider = credentials_static_new(key_id, secret, token);
	return ERR_OK;
}

static enum err_code bad_source(struct str name, const char *what, struct err *reterr)
{
	return err_set(reterr, ERR_INVALID, "profile '" STR_FMT "': %s", STR_ARG(name), what);
}

static enum err_code environment_source(
	struct walk *w, struct str name, struct credentials_provider **ret_provider, struct err *reterr)
{
	*ret_provider = credentials_environment_new(w->opts->environ);
	if (*ret_provider)
		return ERR_OK;
	return bad_source(name,
		"credential_source is Environment, but AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not "
		"both set",
		reterr);
}

static enum err_code container_source(
	struct walk *w, struct str name, struct credentials_provider **ret_provider, struct err *reterr)
{
	enum err_code rc = credentials_chain_container(w->opts, ret_provider, reterr);

	if (rc != ERR_OK || *ret_provider)
		return rc;
	return bad_source(name,
		"credential_source is EcsContainer, but neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor "
		"AWS_CONTAINER_CREDENTIALS_FULL_URI is set",
		reterr);
}

static enum err_code instance_source(
	struct walk *w, struct str name, struct credentials_provider **ret_provider, struct err *reterr)
{
	(void)name;
	return credentials_chain_imds(w->opts, ret_provider, reterr);
}

static enum err_code named_source(struct walk *w, const struct profile *p, struct str name,
	struct credentials_provider **ret_provider, struct err *reterr)
{
	static const struct {
		const char *name;
		enum err_code (*make)(struct walk *w, struct str name,
			struct credentials_provider **ret_provider, struct err *reterr);
	} sources[] = {
		{"Environment", environment_source},
		{"EcsContainer", container_source},
		{"Ec2InstanceMetadata", instance_source},
	};
	struct str source = profile_get(p, "credential_source");

	for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
		if (str_eq_nocase(source, str_c(sources[i].name)))
			return sources[i].make(w, name, ret_provider, reterr);
	}
	return err_set(reterr, ERR_INVALID,
		"profile '" STR_FMT "': credential_source '" STR_FMT "' is not known", STR_ARG(name),
		STR_ARG(str_sub(source, 0, 40)));
}

/* Then role_arn is spoken for. */
static bool has_web_identity(const struct profile *p)
{
	return profile_get(p, "web_identity_token_file").n > 0 && profile_get(p, "aws_access_key_id").n == 0;
}

static enum err_code web_identity_source(struct walk *w, const struct profile *p, struct str name,
	struct credentials_provider **ret_provider, struct err *reterr)
{
	struct web_identity_options web = {
		.role_arn = profile_get(p, "role_arn"),
		.session_name = profile_get(p, "role_session_name"),
		.token_file = profile_get(p, "web_identity_token_file"),
		.sts = w->opts->sts,
	};

	if (web.role_arn.n == 0)
		return bad_source(name,
			"it has a web_identity_token_file but no role_arn: role ARN is not set", reterr);
	return credentials_web_identity_new(&web, ret_provider, reterr);
}

static struct credentials_provider *process_source(const struct walk *w, const struct profile *p)
{
	return credentials_process_new(&(struct process_options){
		.command = profile_get(p, "credential_process"),
		.environ = w->opts->environ,
	});
}

static enum err_code other_profile(struct walk *w, const struct profile *p, struct str name,
	struct credentials_provider **ret_provider, struct err *reterr)
{
	struct str source = profile_get(p, "source_profile");
	enum err_code rc;

	if (shared_config_profile(w->opts->config, source) == NULL)
		return err_set(reterr, ERR_INVALID,
			"profile '" STR_FMT "': its source_profile '" STR_FMT "' does not exist",
			STR_ARG(name), STR_ARG(source));
	rc = walk_profile(w, source, ret_provider, reterr);
	if (rc != ERR_OK)
		return rc;
	if (*ret_provider == NULL)
		return err_set(reterr, ERR_INVALID,
			"profile '" STR_FMT "': its source_profile '" STR_FMT "' has no credentials",
			STR_ARG(name), STR_ARG(source));
	return ERR_OK;
}

/* What the role, if any, is assumed with; in AWS's order. *ret_provider is NULL when the profile names
 * nothing. */
static enum err_code find_source(struct walk *w, const struct profile *p, struct str name,
	struct credentials_provider **ret_provider, struct err *reterr)
{
	enum err_code rc = check_one_source(p, name, reterr);

	if (rc != ERR_OK)
		return rc;
	if (profile_get(p, "source_profile").n)
		return other_profile(w, p, name, ret_provider, reterr);
	rc = static_source(p, name, ret_provider, reterr);
	if (rc != ERR_OK || *ret_provider)
		return rc;
	if (profile_get(p, "credential_source").n)
		return named_source(w, p, name, ret_provider, reterr);
	if (has_web_identity(p))
		return web_identity_source(w, p, name, ret_provider, reterr);
	for (size_t i = 0; i < ARRAY_LEN(logins); i++) {
		if (profile_get(p, logins[i].key).n)
			return err_set(reterr, ERR_INVALID, "profile '" STR_FMT "' uses %s: %s",
				STR_ARG(name), logins[i].key, logins[i].what);
	}
	if (profile_get(p, "credential_process").n)
		*ret_provider = process_source(w, p);
	return ERR_OK;
}

/* A profile with a role and nothing to assume it with: what this host is. */
static enum err_code host_source(
	struct walk *w, struct credentials_provider **ret_provider, struct err *reterr)
{
	enum err_code rc = credentials_chain_container(w->opts, ret_provider, reterr);

	return rc == ERR_OK && *ret_provider == NULL ? credentials_chain_imds(w->opts, ret_provider, reterr)
						     : rc;
}

static enum err_code parse_duration(
	const struct profile *p, struct str name, int64_t *ret_s, struct err *reterr)
{
	struct str text = profile_get(p, "duration_seconds");

	if (text.n == 0)
		return ERR_OK;
	if (!str_to_i64(text, ret_s) || *ret_s < MIN_SESSION_S || *ret_s > MAX_SESSION_S)
		return err_set(reterr, ERR_INVALID,
			"profile '" STR_FMT "': duration_seconds has to be from %d to %d", STR_ARG(name),
			MIN_SESSION_S, MAX_SESSION_S);
	return ERR_OK;
}

/* Puts the profile's role on top of a source, which is consumed in any case. */
static enum err_code add_role(struct walk *w, const struct profile *p, struct str name,
	struct credentials_provider *take_source, struct credentials_provider **ret_provider,
	struct err *reterr)
{
	CLEANUP(credentials_provider_unrefp) struct credentials_provider *source = take_source;
	struct assume_role_options role = {
		.role_arn = profile_get(p, "role_arn"),
		.external_id = profile_get(p, "external_id"),
		.session_name = profile_get(p, "role_session_name"),
		.sts = w->opts->sts,
	};
	enum err_code rc;

	if (profile_get(p, "mfa_serial").n)
		return err_set(reterr, ERR_INVALID,
			"profile '" STR_FMT "' has an mfa_serial: a server has nobody to ask for the token",
			STR_ARG(name));
	rc = parse_duration(p, name, &role.duration_s, reterr);
	if (rc != ERR_OK)
		return rc;
	source = credentials_cache_new(source, w->opts->clock); /* asked twice for each session */
	*ret_provider = credentials_assume_role_new(TAKE(source), &role);
	return ERR_OK;
}

static bool was_seen(const struct walk *w, struct str name)
{
	for (size_t i = 0; i < w->n_seen; i++) {
		if (str_eq(w->seen[i], name))
			return true;
	}
	return false;
}

static enum err_code walk_profile(
	struct walk *w, struct str name, struct credentials_provider **ret_provider, struct err *reterr)
{
	const struct profile *p = shared_config_profile(w->opts->config, name);
	struct credentials_provider *source = NULL;
	enum err_code rc;

	if (was_seen(w, name)) {
		rc = static_source(p, name, ret_provider, reterr);
		if (rc == ERR_OK && *ret_provider == NULL)
			return err_set(reterr, ERR_INVALID,
				"profile '" STR_FMT "' is its own source_profile, by a loop, and has no keys",
				STR_ARG(name));
		return rc;
	}
	if (w->n_seen == MAX_PROFILES)
		return err_set(reterr, ERR_INVALID, "more than %d profiles are chained by source_profile",
			MAX_PROFILES);
	w->seen[w->n_seen++] = name;
	rc = find_source(w, p, name, &source, reterr);
	if (rc != ERR_OK)
		return rc;
	if (profile_get(p, "role_arn").n == 0 || has_web_identity(p)) {
		*ret_provider = source;
		return ERR_OK;
	}
	if (source == NULL)
		rc = host_source(w, &source, reterr);
	if (rc != ERR_OK)
		return rc;
	return add_role(w, p, name, source, ret_provider, reterr);
}

enum err_code credentials_profile_new(const struct credentials_chain_options *opts,
	struct credentials_provider **ret_provider, struct err *reterr)
{
	struct walk w = {.opts = opts};

	if (opts->config == NULL || shared_config_profile(opts->config, opts->profile) == NULL) {
		*ret_provider = NULL;
		return ERR_OK;
	}
	return walk_profile(&w, opts->profile, ret_provider, reterr);
}
