/* DESIGN
 *
 * A profile of the shared files becomes a stack of providers (spec/config.md 5.1): a source (keys, the
 * environment, or another profile) and, if the profile has a role_arn, an assumed role on top.
 * source_profile may lead on to further profiles; each is used once, and a profile that is met again may
 * only give its keys (AWS's tools allow a profile to name itself as the source of its role). */
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

/* Sources of credentials that a profile can name and that this server has not. */
static const struct unsupported {
	const char *key, *what;
} unsupported[] = {
	{"web_identity_token_file", "web identity tokens are not supported yet"},
	{"sso_session", "a server cannot use the cache of an SSO login"},
	{"sso_start_url", "a server cannot use the cache of an SSO login"},
	{"login_session", "a server cannot use the session of a console login"},
	{"credential_process", "external credential processes are not supported yet"},
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

static enum err_code named_source(struct walk *w, const struct profile *p, struct str name,
	struct credentials_provider **ret_provider, struct err *reterr)
{
	struct str source = profile_get(p, "credential_source");

	if (!str_eq_nocase(source, STR("Environment")))
		return err_set(reterr, ERR_INVALID,
			"profile '" STR_FMT "': credential_source '" STR_FMT "' is %s", STR_ARG(name),
			STR_ARG(source),
			str_eq_nocase(source, STR("Ec2InstanceMetadata")) ||
					str_eq_nocase(source, STR("EcsContainer"))
				? "not supported yet"
				: "not known");
	*ret_provider = credentials_environment_new(w->opts->environ);
	if (*ret_provider == NULL)
		return err_set(reterr, ERR_INVALID,
			"profile '" STR_FMT "': credential_source is Environment, but AWS_ACCESS_KEY_ID and "
			"AWS_SECRET_ACCESS_KEY are not both set",
			STR_ARG(name));
	return ERR_OK;
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
	for (size_t i = 0; i < ARRAY_LEN(unsupported); i++) {
		if (profile_get(p, unsupported[i].key).n)
			return err_set(reterr, ERR_INVALID, "profile '" STR_FMT "' uses %s: %s",
				STR_ARG(name), unsupported[i].key, unsupported[i].what);
	}
	return ERR_OK;
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
	*ret_provider =
		credentials_cache_new(credentials_assume_role_new(TAKE(source), &role), w->opts->clock);
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
	if (profile_get(p, "role_arn").n == 0) {
		*ret_provider = source;
		return ERR_OK;
	}
	if (source == NULL)
		return err_set(reterr, ERR_INVALID,
			"profile '" STR_FMT
			"' has a role_arn but nothing to assume it with: container and EC2 instance "
			"credentials are not supported yet",
			STR_ARG(name));
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
