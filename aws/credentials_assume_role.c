/* Credentials of a role, through sts:AssumeRole, and the connector's modes built from it (spec/config.md
 * 4.2). */
#include "aws/credentials.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/mem.h"

struct assume_role_provider {
	struct credentials_provider base;
	struct credentials_provider *source;
	struct arena *arena; /* of the strings in opts */
	struct assume_role_options opts;
	/* The role did not allow what we asked for: ask for 15 minutes from now on. */
	atomic_bool short_session;
};

/* "The requested DurationSeconds exceeds the MaxSessionDuration set for this role", and the text for
 * chained roles. */
static bool is_duration_refused(const struct err *e)
{
	return strcmp(e->aws_code, "ValidationError") == 0 &&
	       str_contains(str_c(e->msg), STR("DurationSeconds"));
}

static enum err_code call_sts(struct assume_role_provider *p, const struct ctx *ctx,
	struct aws_credentials **ret_credentials, struct err *reterr)
{
	const struct assume_role_options *o = &p->opts;
	struct assume_role_request req = {
		.role_arn = o->role_arn,
		.session_name = o->session_name,
		.external_id = o->external_id,
		.duration_s = atomic_load(&p->short_session) ? CREDENTIALS_SESSION_SHORT_S : o->duration_s,
	};
	enum err_code rc = o->sts.fn(o->sts.self, ctx, p->source, &req, ret_credentials, reterr);

	if (rc == ERR_OK || req.duration_s <= CREDENTIALS_SESSION_SHORT_S || !is_duration_refused(reterr))
		return rc;
	atomic_store(&p->short_session, true);
	req.duration_s = CREDENTIALS_SESSION_SHORT_S;
	return o->sts.fn(o->sts.self, ctx, p->source, &req, ret_credentials, reterr);
}

/* Puts STS's answer into the words that an operator of the connector knows. */
static enum err_code explain(const struct assume_role_options *o, struct err *reterr)
{
	if ((reterr->code == ERR_DENIED && !o->keep_denied) || reterr->code == ERR_NOT_FOUND)
		reterr->code = ERR_UNAUTHENTICATED;
	if (o->error_instead.n) {
		/* The operator of this server may know what the caller is not told. */
		log_warn("assuming a role failed, its error is replaced, ignoring",
			LOG_STR("role", o->role_arn), LOG_CSTR("error", reterr->msg),
			LOG_CSTR("aws_code", reterr->aws_code), LOG_CSTR("request_id", reterr->request_id));
		snprintf(reterr->msg, sizeof(reterr->msg), STR_FMT, STR_ARG(o->error_instead));
	} else if (o->error_prefix.n) {
		err_prefix(reterr, STR_FMT, STR_ARG(o->error_prefix));
	}
	return reterr->code;
}

static enum err_code assume_role_fetch(struct credentials_provider *self, const struct ctx *ctx,
	struct aws_credentials **ret_credentials, struct err *reterr)
{
	struct assume_role_provider *p = (struct assume_role_provider *)self;
	CLEANUP(aws_credentials_unrefp) struct aws_credentials *of_source = NULL;
	enum err_code rc = credentials_fetch(p->source, ctx, &of_source, reterr);

	if (rc == ERR_DENIED) /* to be what the source is: that is not this role's answer */
		return reterr->code = ERR_UNAUTHENTICATED;
	if (rc != ERR_OK)
		return rc;
	rc = call_sts(p, ctx, ret_credentials, reterr);
	if (rc == ERR_OK || rc == ERR_CANCELLED || rc == ERR_DEADLINE)
		return rc;
	return explain(&p->opts, reterr);
}

static void assume_role_free(struct credentials_provider *self)
{
	struct assume_role_provider *p = (struct assume_role_provider *)self;

	credentials_provider_unref(p->source);
	arena_free(p->arena);
	mem_free(p);
}

struct credentials_provider *credentials_assume_role_new(
	struct credentials_provider *take_source, const struct assume_role_options *opts)
{
	static const struct credentials_provider_ops ops = {
		.name = "assume-role", .fetch = assume_role_fetch, .free = assume_role_free};
	struct assume_role_provider *p = mem_zalloc(sizeof(*p));

	p->base.ops = &ops;
	atomic_init(&p->base.refs, 1);
	p->source = take_source;
	p->arena = arena_new(0);
	p->opts = (struct assume_role_options){
		.role_arn = str_dup(p->arena, opts->role_arn),
		.external_id = str_dup(p->arena, opts->external_id),
		.session_name = str_dup(
			p->arena, opts->session_name.n ? opts->session_name : STR(CREDENTIALS_SESSION_NAME)),
		.duration_s = opts->duration_s ? opts->duration_s : CREDENTIALS_SESSION_DURATION_S,
		.error_prefix = str_dup(p->arena, opts->error_prefix),
		.error_instead = str_dup(p->arena, opts->error_instead),
		.keep_denied = opts->keep_denied,
		.sts = opts->sts,
	};
	return &p->base;
}

/* ---- modes ---- */

static struct credentials_provider *hop(struct credentials_provider *take_source,
	const struct assume_role_options *opts, const struct clock *clock)
{
	return credentials_cache_new(credentials_assume_role_new(take_source, opts), clock);
}

struct credentials_provider *credentials_for_mode(struct credentials_provider *take_base,
	const struct credentials_mode *mode, struct sts_assume_role sts, const struct clock *clock)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	bool two_hops = mode->global_role_arn.n > 0;
	struct assume_role_options first = {
		.role_arn = mode->global_role_arn,
		.external_id = mode->global_binding_external_id,
		.error_instead = STR("baton-aws: internal binding error"),
		.sts = sts,
	};
	struct assume_role_options last = {
		.role_arn = mode->role_arn,
		.external_id = mode->external_id,
		.error_prefix = str_fmt(a, "baton-aws: %s assume role into '" STR_FMT "'",
			two_hops ? "unable to" : "failed to", STR_ARG(mode->role_arn)),
		.sts = sts,
	};

	if (!mode->use_assume)
		return take_base;
	if (two_hops)
		take_base = hop(take_base, &first, clock);
	return hop(take_base, &last, clock);
}
