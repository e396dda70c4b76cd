/* The default chain (spec/config.md 5): the first source that the settings name is the source; if it
 * fails, that is an error and not a reason to be somebody else. */
#include "aws/credentials.h"

#include "aws/env.h"

/* Variables that name a source which this server has not, by their place in the chain. */
struct unsupported {
	const char *variable, *what;
};

static enum err_code refuse_unsupported(
	const char *const *env, const struct unsupported *list, size_t n, struct err *reterr)
{
	for (size_t i = 0; i < n; i++) {
		if (env_get(env, list[i].variable).n)
			return err_set(reterr, ERR_INVALID, "%s is set: %s are not supported yet",
				list[i].variable, list[i].what);
	}
	return ERR_OK;
}

static struct credentials_provider *nothing_configured(struct str profile)
{
	struct err err;

	err_set(&err, ERR_UNAUTHENTICATED,
		"no AWS credentials: neither AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY nor the profile "
		"'" STR_FMT "' give any, and EC2 instance metadata is not supported yet",
		STR_ARG(profile));
	return credentials_failing_new(&err);
}

static enum err_code find_source(const struct credentials_chain_options *opts,
	struct credentials_provider **ret_provider, struct err *reterr)
{
	static const struct unsupported before_profile[] = {
		{"AWS_WEB_IDENTITY_TOKEN_FILE", "web identity tokens"},
	};
	static const struct unsupported after_profile[] = {
		{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "container credentials"},
		{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "container credentials"},
	};
	enum err_code rc;

	*ret_provider = credentials_environment_new(opts->environ);
	if (*ret_provider)
		return ERR_OK;
	rc = refuse_unsupported(opts->environ, before_profile, ARRAY_LEN(before_profile), reterr);
	if (rc == ERR_OK)
		rc = credentials_profile_new(opts, ret_provider, reterr);
	if (rc != ERR_OK || *ret_provider)
		return rc;
	rc = refuse_unsupported(opts->environ, after_profile, ARRAY_LEN(after_profile), reterr);
	if (rc == ERR_OK)
		*ret_provider = nothing_configured(opts->profile);
	return rc;
}

enum err_code credentials_chain_new(const struct credentials_chain_options *opts,
	struct credentials_provider **ret_provider, struct err *reterr)
{
	struct credentials_provider *found = NULL;
	enum err_code rc = find_source(opts, &found, reterr);

	if (rc != ERR_OK)
		return rc;
	*ret_provider = credentials_cache_new(found, opts->clock);
	return ERR_OK;
}
