/* The default chain (spec/config.md 5): the first source that the settings name is the source; if it
 * fails, that is an error and not a reason to be somebody else. */
#include "aws/credentials.h"

#include "aws/env.h"
#include "base/log.h"

/* A setting of the environment, if it is there at all, else of the selected profile. */
static struct str setting(const struct credentials_chain_options *opts, const char *variable, const char *key)
{
	struct str v = env_get(opts->environ, variable);

	return v.n || opts->config == NULL
		       ? v
		       : profile_get(shared_config_profile(opts->config, opts->profile), key);
}

static enum err_code web_identity(const struct credentials_chain_options *opts,
	struct credentials_provider **ret_provider, struct err *reterr)
{
	struct web_identity_options web = {
		.role_arn = env_get(opts->environ, "AWS_ROLE_ARN"),
		.session_name = env_get(opts->environ, "AWS_ROLE_SESSION_NAME"),
		.token_file = env_get(opts->environ, "AWS_WEB_IDENTITY_TOKEN_FILE"),
		.sts = opts->sts,
	};

	*ret_provider = NULL;
	if (web.token_file.n == 0)
		return ERR_OK;
	if (web.role_arn.n == 0)
		return err_set(reterr, ERR_INVALID,
			"AWS_WEB_IDENTITY_TOKEN_FILE is set but AWS_ROLE_ARN is not: role ARN is not set");
	return credentials_web_identity_new(&web, ret_provider, reterr);
}

enum err_code credentials_chain_container(const struct credentials_chain_options *opts,
	struct credentials_provider **ret_provider, struct err *reterr)
{
	return credentials_container_new(
		&(struct container_options){.http = opts->http, .environ = opts->environ}, ret_provider,
		reterr);
}

enum err_code credentials_chain_imds(const struct credentials_chain_options *opts,
	struct credentials_provider **ret_provider, struct err *reterr)
{
	struct imds_options imds = {
		.http = opts->http,
		.clock = opts->clock,
		.random = opts->random,
		.endpoint =
			setting(opts, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint"),
		.mode = setting(
			opts, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ec2_metadata_service_endpoint_mode"),
		.v1_disabled = str_eq_nocase(
			setting(opts, "AWS_EC2_METADATA_V1_DISABLED", "ec2_metadata_v1_disabled"),
			STR("true")),
	};
	struct err err;

	if (!env_is_true(opts->environ, "AWS_EC2_METADATA_DISABLED"))
		return credentials_imds_new(&imds, ret_provider, reterr);
	err_set(&err, ERR_UNAUTHENTICATED,
		"no AWS credentials: neither the environment nor the profile '" STR_FMT
		"' names a source, and AWS_EC2_METADATA_DISABLED forbids to ask EC2 instance metadata",
		STR_ARG(str_sub(opts->profile, 0, 100)));
	*ret_provider = credentials_failing_new(&err);
	return ERR_OK;
}

static enum err_code find_source(const struct credentials_chain_options *opts,
	struct credentials_provider **ret_provider, struct err *reterr)
{
	enum err_code rc;

	*ret_provider = credentials_environment_new(opts->environ);
	if (*ret_provider)
		return ERR_OK;
	rc = web_identity(opts, ret_provider, reterr);
	if (rc == ERR_OK && *ret_provider == NULL)
		rc = credentials_profile_new(opts, ret_provider, reterr);
	if (rc == ERR_OK && *ret_provider == NULL)
		rc = credentials_chain_container(opts, ret_provider, reterr);
	if (rc == ERR_OK && *ret_provider == NULL)
		rc = credentials_chain_imds(opts, ret_provider, reterr);
	return rc;
}

enum err_code credentials_chain_new(const struct credentials_chain_options *opts,
	struct credentials_provider **ret_provider, struct err *reterr)
{
	struct credentials_provider *found = NULL;
	enum err_code rc = find_source(opts, &found, reterr);

	if (rc != ERR_OK)
		return rc;
	log_debug("where AWS credentials come from", LOG_CSTR("source", found->ops->name));
	*ret_provider = credentials_cache_new(found, opts->clock);
	return ERR_OK;
}
