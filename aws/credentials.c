#include "aws/credentials.h"

#include "base/mem.h"

/* ---- snapshots ---- */

struct aws_credentials *aws_credentials_new(
	struct str access_key_id, struct secret *take_secret, struct secret *take_token, int64_t expires_at_s)
{
	struct aws_credentials *c = mem_zalloc(sizeof(*c));

	atomic_init(&c->refs, 1);
	c->access_key_id = str_n(mem_dup(access_key_id.p, access_key_id.n), access_key_id.n);
	c->secret_access_key = take_secret;
	c->session_token = take_token;
	c->expires_at_s = expires_at_s;
	return c;
}

struct aws_credentials *aws_credentials_ref(struct aws_credentials *c)
{
	atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
	return c;
}

void aws_credentials_unref(struct aws_credentials *c)
{
	if (c == NULL || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
		return;
	mem_free((char *)c->access_key_id.p);
	secret_unref(c->secret_access_key);
	secret_unref(c->session_token);
	mem_free(c);
}

void aws_credentials_unrefp(struct aws_credentials **c)
{
	aws_credentials_unref(*c);
	*c = NULL;
}

/* ---- providers in general ---- */

struct credentials_provider *credentials_provider_ref(struct credentials_provider *p)
{
	atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
	return p;
}

void credentials_provider_unref(struct credentials_provider *p)
{
	if (p == NULL || atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
		return;
	p->ops->free(p);
}

void credentials_provider_unrefp(struct credentials_provider **p)
{
	credentials_provider_unref(*p);
	*p = NULL;
}

enum err_code credentials_fetch(struct credentials_provider *p, const struct ctx *ctx,
	struct aws_credentials **ret_credentials, struct err *reterr)
{
	return p->ops->fetch(p, ctx, ret_credentials, reterr);
}

void credentials_forget(struct credentials_provider *p, const struct aws_credentials *refused)
{
	if (p->ops->forget)
		p->ops->forget(p, refused);
}
