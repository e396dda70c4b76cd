/* Providers that know their answer: keys from the configuration, keys from the environment, and the one
 * that always fails. */
#include "aws/credentials.h"

#include "aws/env.h"
#include "base/mem.h"

struct static_provider {
	struct credentials_provider base;
	struct aws_credentials *credentials;
};

static enum err_code static_fetch(struct credentials_provider *self, const struct ctx *ctx,
	struct aws_credentials **ret_credentials, struct err *reterr)
{
	(void)ctx;
	(void)reterr;
	*ret_credentials = aws_credentials_ref(((struct static_provider *)self)->credentials);
	return ERR_OK;
}

static void static_free(struct credentials_provider *self)
{
	aws_credentials_unref(((struct static_provider *)self)->credentials);
	mem_free(self);
}

static struct credentials_provider *static_new(
	const struct credentials_provider_ops *ops, struct aws_credentials *take_credentials)
{
	struct static_provider *p = mem_zalloc(sizeof(*p));

	p->base.ops = ops;
	atomic_init(&p->base.refs, 1);
	p->credentials = take_credentials;
	return &p->base;
}

/* A copy, NULL when there is nothing to copy. */
static struct secret *secret_or_null(struct str s)
{
	return s.n ? secret_new(s) : NULL;
}

struct credentials_provider *credentials_static_new(
	struct str access_key_id, const struct secret *secret, const struct secret *token)
{
	static const struct credentials_provider_ops ops = {
		.name = "static", .fetch = static_fetch, .free = static_free};

	return static_new(&ops, aws_credentials_new(access_key_id, secret_new(secret_reveal(secret)),
					secret_or_null(secret_reveal(token)), CREDENTIALS_NEVER_EXPIRE));
}

struct credentials_provider *credentials_environment_new(const char *const *env)
{
	static const struct credentials_provider_ops ops = {
		.name = "environment", .fetch = static_fetch, .free = static_free};
	struct str key_id = env_get2(env, "AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY");
	struct str secret = env_get2(env, "AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY");
	struct str token = env_get(env, "AWS_SESSION_TOKEN");

	if (key_id.n == 0 || secret.n == 0)
		return NULL;
	return static_new(&ops, aws_credentials_new(key_id, secret_new(secret), secret_or_null(token),
					CREDENTIALS_NEVER_EXPIRE));
}

/* ---- the one that fails ---- */

struct failing_provider {
	struct credentials_provider base;
	struct err err;
};

static enum err_code failing_fetch(struct credentials_provider *self, const struct ctx *ctx,
	struct aws_credentials **ret_credentials, struct err *reterr)
{
	(void)ctx;
	(void)ret_credentials;
	*reterr = ((struct failing_provider *)self)->err;
	return reterr->code;
}

static void failing_free(struct credentials_provider *self)
{
	mem_free(self);
}

struct credentials_provider *credentials_failing_new(const struct err *err)
{
	static const struct credentials_provider_ops ops = {
		.name = "failing", .fetch = failing_fetch, .free = failing_free};
	struct failing_provider *p = mem_zalloc(sizeof(*p));

	p->base.ops = &ops;
	atomic_init(&p->base.refs, 1);
	p->err = *err;
	return &p->base;
}
