/* Credentials of a role for a token of an identity provider: sts:AssumeRoleWithWebIdentity (EKS: IAM
 * roles for service accounts). */
#include "aws/credentials.h"

#include <string.h>

#include "aws/token_file.h"
#include "base/arena.h"
#include "base/log.h"
#include "base/mem.h"

enum {
	MAX_TOKEN_BYTES = 20000, /* STS takes no longer ones; a new line behind it is not counted */
	ATTEMPTS = 3,
	PAUSE_MS = 1000, /* after the first refusal; twice that after the second */
};

struct web_identity {
	struct credentials_provider base;
	struct arena *arena; /* of the strings below */
	struct str role_arn, session_name;
	const char *token_file;
	struct sts_assume_role sts;
};

/* Editors and echo put a new line behind it; the token itself has no white space (RFC 7519). */
static enum err_code check_token(const struct web_identity *p, struct str token, struct err *reterr)
{
	bool bad = token.n == 0 || token.n > MAX_TOKEN_BYTES;

	for (size_t i = 0; i < token.n && !bad; i++)
		bad = token.p[i] <= ' ' || token.p[i] > '~';
	if (bad)
		return err_set(reterr, ERR_UNAUTHENTICATED, "the web identity token file %s holds no token",
			p->token_file);
	return ERR_OK;
}

static enum err_code ask_sts(struct web_identity *p, const struct ctx *ctx,
	struct aws_credentials **ret_credentials, struct err *reterr)
{
	CLEANUP(secret_unrefp) struct secret *content = NULL;
	struct web_identity_request req = {.role_arn = p->role_arn, .session_name = p->session_name};
	enum err_code rc = token_file_read(p->token_file, MAX_TOKEN_BYTES + 2, &content, reterr);

	if (rc != ERR_OK)
		return rc;
	req.token = str_trim(secret_reveal(content));
	rc = check_token(p, req.token, reterr);
	if (rc != ERR_OK)
		return rc;
	return p->sts.web_identity(p->sts.self, ctx, &req, ret_credentials, reterr);
}

static bool is_invalid_token(const struct err *e)
{
	return strcmp(e->aws_code, "InvalidIdentityToken") == 0;
}

/* STS refusing the token says nothing about the operation that these credentials were wanted for. */
static enum err_code explain(const struct web_identity *p, struct err *reterr)
{
	if (reterr->code == ERR_DENIED || reterr->code == ERR_NOT_FOUND || reterr->code == ERR_INVALID)
		reterr->code = ERR_UNAUTHENTICATED;
	return err_prefix(
		reterr, "cannot assume role '" STR_FMT "' with the web identity token", STR_ARG(p->role_arn));
}

static enum err_code web_identity_fetch(struct credentials_provider *self, const struct ctx *ctx,
	struct aws_credentials **ret_credentials, struct err *reterr)
{
	struct web_identity *p = (struct web_identity *)self;
	enum err_code rc = ask_sts(p, ctx, ret_credentials, reterr);

	for (int n = 1; n < ATTEMPTS && rc != ERR_OK && is_invalid_token(reterr); n++) {
		log_debug("STS calls the web identity token invalid, asking again",
			LOG_CSTR("error", reterr->msg), LOG_CSTR("request_id", reterr->request_id));
		rc = ctx_sleep_ms(ctx, PAUSE_MS << (n - 1), "waiting to ask STS again", reterr);
		if (rc == ERR_OK)
			rc = ask_sts(p, ctx, ret_credentials, reterr);
	}
	if (rc == ERR_OK || rc == ERR_CANCELLED || rc == ERR_DEADLINE)
		return rc;
	return explain(p, reterr);
}

static void web_identity_free(struct credentials_provider *self)
{
	struct web_identity *p = (struct web_identity *)self;

	arena_free(p->arena);
	mem_free(p);
}

enum err_code credentials_web_identity_new(const struct web_identity_options *opts,
	struct credentials_provider **ret_provider, struct err *reterr)
{
	static const struct credentials_provider_ops ops = {
		.name = "web-identity", .fetch = web_identity_fetch, .free = web_identity_free};
	struct web_identity *p;

	if (opts->role_arn.n == 0)
		return err_set(reterr, ERR_INVALID, "web identity token file: role ARN is not set");
	p = mem_zalloc(sizeof(*p));
	p->base.ops = &ops;
	atomic_init(&p->base.refs, 1);
	p->arena = arena_new(0);
	p->role_arn = str_dup(p->arena, opts->role_arn);
	p->session_name =
		str_dup(p->arena, opts->session_name.n ? opts->session_name : STR(CREDENTIALS_SESSION_NAME));
	p->token_file = str_dup_c(p->arena, opts->token_file);
	p->sts = opts->sts;
	*ret_provider = &p->base;
	return ERR_OK;
}
