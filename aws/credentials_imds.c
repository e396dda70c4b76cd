/* DESIGN
 *
 * Instance metadata
 * (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html): a
 * token (PUT), the name of the role, its credentials. A fetch is a visit: it asks for a token of its
 * own, because visits are an hour apart and tokens live five minutes, so there is nothing to keep and
 * nothing to expire. A token that is refused all the same (401: an instance that was stopped and
 * moved) is replaced once.
 *
 * Where nothing listens (a laptop) everything is silence: one question for a token and one without end
 * the visit after two seconds. In a container on EC2 the answer to the first may be lost, because it
 * may not travel further than one hop; the instance tells the difference by answering the second.
 *
 * The service may have trouble while its credentials are in use. AWS honours them longer than it says,
 * for this case: so they are given out again for 5 to 15 minutes, at random to spread the hosts that
 * all have this trouble now. */
#include "aws/credentials.h"

#include <string.h>

#include "aws/credentials_json.h"
#include "aws/metadata.h"
#include "base/arena.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"

#define IPV4_ENDPOINT STR("http://169.254.169.254")
#define IPV6_ENDPOINT STR("http://[fd00:ec2::254]")
#define TOKEN_PATH    "/latest/api/token"
#define ROLE_PATH     "/latest/meta-data/iam/security-credentials/"
#define TOKEN_TTL_S   "300"

enum {
	/* The metadata service is on this host: who needs longer for a token is silent. */
	TOKEN_TIMEOUT_MS = 1000,
	READ_TIMEOUT_MS = 1000,
	LONGEST_USE_S = 3600,
	STRETCH_LEAST_S = 300,
	STRETCH_MORE_S = 600,
	MAX_TOKEN_BYTES = 4096,
	MAX_ROLE_BYTES = 64, /* of a role name (IAM) */
};

struct imds {
	struct credentials_provider base;
	struct http *http;
	const struct clock *clock;
	struct aws_random random;
	struct arena *arena;
	struct str endpoint; /* without a slash at the end */
	bool v1_disabled;

	struct mutex lock; /* guards last */
	struct aws_credentials
		*last; /* what the service gave last, or its stretched form; NULL: none, or refused */
};

/* One fetch. */
struct visit {
	struct imds *p;
	const struct ctx *ctx;
	struct arena *arena;
	struct metadata_answer token; /* body empty: version 1 */
	bool has_asked;               /* for a token */
	bool was_silent;              /* no answer to that */
	bool was_refused;             /* a token, by 401 */
};

static enum err_code ask(struct visit *v, struct str method, const char *path,
	const struct http_header *header, bool silence_ends, struct metadata_answer *ret_answer,
	struct err *reterr)
{
	return metadata_ask(v->p->http, v->ctx,
		&(struct metadata_request){
			.method = method,
			.url = str_fmt(v->arena, STR_FMT "%s", STR_ARG(v->p->endpoint), path),
			.headers = header,
			.n_headers = header ? 1 : 0,
			.timeout_ms = str_eq(method, STR("PUT")) ? TOKEN_TIMEOUT_MS : READ_TIMEOUT_MS,
			.silence_ends = silence_ends,
		},
		ret_answer, reterr);
}

static enum err_code refused(const struct visit *v, int status, const char *what, struct err *reterr)
{
	enum err_code code = status == 429 || status >= 500 ? ERR_UNAVAILABLE : ERR_UNAUTHENTICATED;

	return err_set(reterr, code,
		"EC2 instance metadata at " STR_FMT " answered HTTP %d to the request for %s",
		STR_ARG(v->p->endpoint), status, what);
}

/* ---- the token ---- */

/* No token is to be had here; that is the end unless version 1 is allowed. */
static enum err_code fall_back(const struct visit *v, const char *why, struct err *reterr)
{
	if (!v->p->v1_disabled)
		return ERR_OK;
	return err_set(reterr, ERR_UNAUTHENTICATED,
		"EC2 instance metadata at " STR_FMT
		" gave no token (%s), and AWS_EC2_METADATA_V1_DISABLED forbids to go "
		"without%s",
		STR_ARG(v->p->endpoint), why,
		v->was_silent ? "; in a container the instance's hop limit may be too low" : "");
}

static enum err_code take_token(struct visit *v, struct metadata_answer *answer, struct err *reterr)
{
	switch (answer->status) {
	case 200:
		break;
	case 403:
	case 404:
	case 405:
		return fall_back(v, "it has no tokens", reterr);
	default:
		return refused(v, answer->status, "a token", reterr);
	}
	if (answer->body.n == 0 || answer->body.n > MAX_TOKEN_BYTES)
		return err_set(reterr, ERR_UNAUTHENTICATED, "EC2 instance metadata gave a token of %zu bytes",
			answer->body.n);
	metadata_answer_deinit(&v->token);
	v->token = *answer;
	*answer = (struct metadata_answer){.status = 0};
	return ERR_OK;
}

static enum err_code ask_for_token(struct visit *v, struct err *reterr)
{
	CLEANUP(metadata_answer_deinit) struct metadata_answer answer = {.status = 0};
	const struct http_header ttl = {STR("X-Aws-Ec2-Metadata-Token-Ttl-Seconds"), STR(TOKEN_TTL_S)};
	struct err ignored;
	enum err_code rc = ask(v, STR("PUT"), TOKEN_PATH, &ttl, /* silence_ends= */ true, &answer, reterr);

	v->has_asked = true;
	if (rc == ERR_OK)
		return take_token(v, &answer, reterr);
	if (ctx_check(v->ctx, "asking for a token", &ignored) != ERR_OK)
		return rc;
	v->was_silent = true;
	return fall_back(v, reterr->msg, reterr);
}

/* ---- questions ---- */

static enum err_code silent(const struct visit *v, struct err *reterr)
{
	struct err why = *reterr;

	if (ctx_check(v->ctx, "asking EC2 instance metadata", reterr) != ERR_OK)
		return reterr->code;
	if (!v->was_silent) /* it answered a moment ago */
		return err_prefix(reterr, "EC2 instance metadata");
	return err_set(reterr, ERR_UNAUTHENTICATED,
		"no AWS credentials: EC2 instance metadata, where they are looked for when nothing else is "
		"configured, "
		"does not answer (%s)",
		why.msg);
}

static enum err_code token_wanted(const struct visit *v, struct err *reterr)
{
	return err_set(reterr, ERR_UNAUTHENTICATED, "EC2 instance metadata at " STR_FMT " %s",
		STR_ARG(v->p->endpoint),
		v->was_silent ? "wants a token and its answer to the request for one does not arrive: the "
				"hop limit "
				"of the instance (HttpPutResponseHopLimit) is too low for a container"
			      : "refuses its own tokens");
}

static enum err_code get_once(
	struct visit *v, const char *path, struct metadata_answer *ret_answer, struct err *reterr)
{
	struct http_header token = {STR("X-Aws-Ec2-Metadata-Token"), buf_view(&v->token.body)};
	enum err_code rc = v->has_asked ? ERR_OK : ask_for_token(v, reterr);

	if (rc != ERR_OK)
		return rc;
	token.value = buf_view(&v->token.body);
	rc = ask(v, STR("GET"), path, token.value.n ? &token : NULL, v->was_silent, ret_answer, reterr);
	return rc == ERR_OK ? ERR_OK : silent(v, reterr);
}

/* A 401 means that the token is no good, or that there has to be one: a new one, once in a visit. */
static enum err_code get(struct visit *v, const char *path, const char *what, struct metadata_answer *answer,
	struct err *reterr)
{
	enum err_code rc = get_once(v, path, answer, reterr);

	if (rc == ERR_OK && answer->status == 401 && !v->was_refused) {
		v->was_refused = true;
		v->has_asked = false;
		metadata_answer_deinit(&v->token);
		metadata_answer_deinit(answer);
		rc = get_once(v, path, answer, reterr);
	}
	if (rc != ERR_OK)
		return rc;
	if (answer->status == 401)
		return token_wanted(v, reterr);
	return answer->status == 200 ? ERR_OK : refused(v, answer->status, what, reterr);
}

/* The characters of role names (IAM), all of which may stand in a path as they are. */
static bool is_role_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!alnum && (c == '\0' || strchr("_+=,.@-", c) == NULL))
			return false;
	}
	return s.n > 0 && s.n <= MAX_ROLE_BYTES;
}

/* The first line of the list. */
static enum err_code get_role(struct visit *v, const char **ret_path, struct err *reterr)
{
	CLEANUP(metadata_answer_deinit) struct metadata_answer answer = {.status = 0};
	struct str rest, role;
	enum err_code rc = get(v, ROLE_PATH, "the name of the role", &answer, reterr);

	if (rc != ERR_OK && answer.status == 404)
		return err_set(reterr, ERR_UNAUTHENTICATED,
			"no AWS credentials: EC2 instance metadata answers, but the instance has no role "
			"(instance profile)");
	if (rc != ERR_OK)
		return rc;
	rest = buf_view(&answer.body);
	role = str_trim(str_cut(&rest, '\n'));
	if (!is_role_name(role))
		return err_set(
			reterr, ERR_UNAUTHENTICATED, "EC2 instance metadata gave no valid name of a role");
	*ret_path = str_fmt(v->arena, ROLE_PATH STR_FMT, STR_ARG(role)).p;
	return ERR_OK;
}

static enum err_code visit_service(
	struct visit *v, struct aws_credentials **ret_credentials, struct err *reterr)
{
	CLEANUP(metadata_answer_deinit) struct metadata_answer answer = {.status = 0};
	const char *path = NULL; /* gcc at -O2 does not see that rc guards it */
	enum err_code rc = get_role(v, &path, reterr);

	if (rc == ERR_OK)
		rc = get(v, path, "credentials", &answer, reterr);
	if (rc != ERR_OK)
		return rc;
	return credentials_json_parse(
		&credentials_form_imds, buf_view(&answer.body), ret_credentials, reterr);
}

/* ---- expiry ---- */

/* The same keys with another date. */
static struct aws_credentials *with_expiry(const struct aws_credentials *c, int64_t expires_at_s)
{
	return aws_credentials_new(c->access_key_id, secret_ref(c->secret_access_key),
		secret_ref(c->session_token), expires_at_s);
}

static int64_t stretched_s(const struct imds *p)
{
	return clock_wall_s(p->clock) + STRETCH_LEAST_S +
	       (int64_t)(p->random.next(p->random.self) * STRETCH_MORE_S);
}

/* At most an hour away, so that a change of the role is noticed; and in the future, for a service that
 * has trouble renewing gives what it has. */
static int64_t usable_until_s(const struct imds *p, int64_t expires_at_s)
{
	int64_t now_s = clock_wall_s(p->clock);

	if (expires_at_s <= now_s) {
		log_warn("EC2 instance metadata gives credentials that have expired, using them, ignoring",
			LOG_I64("expired_s_ago", now_s - expires_at_s));
		return stretched_s(p);
	}
	return expires_at_s < now_s + LONGEST_USE_S ? expires_at_s : now_s + LONGEST_USE_S;
}

/* Remembers what is given out. Returns the caller's reference. */
static struct aws_credentials *remember(struct imds *p, struct aws_credentials *take_credentials)
{
	LOCK_SCOPE(&p->lock);

	aws_credentials_unref(p->last);
	p->last = take_credentials;
	return aws_credentials_ref(take_credentials);
}

static struct aws_credentials *last_ref(struct imds *p)
{
	LOCK_SCOPE(&p->lock);

	return p->last ? aws_credentials_ref(p->last) : NULL;
}

/* The service did not give any: the old ones again, if there are any. */
static enum err_code stretch(struct imds *p, struct aws_credentials **ret_credentials, struct err *reterr)
{
	CLEANUP(aws_credentials_unrefp) struct aws_credentials *last = last_ref(p);
	int64_t until_s;

	if (last == NULL)
		return reterr->code;
	until_s = stretched_s(p);
	log_warn("EC2 instance metadata gives no credentials, using the old ones longer, ignoring",
		LOG_CSTR("error", reterr->msg), LOG_I64("for_s", until_s - clock_wall_s(p->clock)));
	*ret_credentials = remember(p, with_expiry(last, until_s));
	return ERR_OK;
}

/* ---- the provider ---- */

static enum err_code imds_fetch(struct credentials_provider *self, const struct ctx *ctx,
	struct aws_credentials **ret_credentials, struct err *reterr)
{
	struct imds *p = (struct imds *)self;
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	CLEANUP(aws_credentials_unrefp) struct aws_credentials *fresh = NULL;
	struct visit v = {.p = p, .ctx = ctx, .arena = arena};
	struct err ignored;
	enum err_code rc;

	log_debug("asking EC2 instance metadata for credentials", LOG_STR("endpoint", p->endpoint));
	rc = visit_service(&v, &fresh, reterr);
	metadata_answer_deinit(&v.token);
	if (rc == ERR_OK) {
		*ret_credentials = remember(p, with_expiry(fresh, usable_until_s(p, fresh->expires_at_s)));
		return ERR_OK;
	}
	if (ctx_check(ctx, "asking EC2 instance metadata", &ignored) != ERR_OK)
		return rc;
	return stretch(p, ret_credentials, reterr);
}

/* Only keys are compared: the same ones may be known with several dates. */
static void imds_forget(struct credentials_provider *self, const struct aws_credentials *refused_ones)
{
	struct imds *p = (struct imds *)self;
	LOCK_SCOPE(&p->lock);

	if (p->last && str_eq(p->last->access_key_id, refused_ones->access_key_id)) {
		aws_credentials_unref(p->last);
		p->last = NULL;
	}
}

static void imds_free(struct credentials_provider *self)
{
	struct imds *p = (struct imds *)self;

	aws_credentials_unref(p->last);
	mutex_deinit(&p->lock);
	arena_free(p->arena);
	mem_free(p);
}

static enum err_code choose_endpoint(const struct imds_options *opts, struct str *ret, struct err *reterr)
{
	struct str e = opts->endpoint;
	bool is_ipv6 = str_eq_nocase(opts->mode, STR("IPv6"));

	if (opts->mode.n && !is_ipv6 && !str_eq_nocase(opts->mode, STR("IPv4")))
		return err_set(reterr, ERR_INVALID,
			"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE has to be IPv4 or IPv6, not '" STR_FMT "'",
			STR_ARG(str_sub(opts->mode, 0, 40)));
	if (e.n == 0)
		e = is_ipv6 ? IPV6_ENDPOINT : IPV4_ENDPOINT;
	if ((!str_starts(e, STR("http://")) && !str_starts(e, STR("https://"))) ||
		str_find_char(e, '@') >= 0 || str_find_char(e, '?') >= 0 || str_find_char(e, '#') >= 0)
		return err_set(reterr, ERR_INVALID,
			"AWS_EC2_METADATA_SERVICE_ENDPOINT has to be an http or https URL without user info "
			"and query");
	while (str_ends(e, STR("/")))
		e.n--;
	*ret = e;
	return ERR_OK;
}

enum err_code credentials_imds_new(
	const struct imds_options *opts, struct credentials_provider **ret_provider, struct err *reterr)
{
	static const struct credentials_provider_ops ops = {.name = "EC2 instance metadata",
		.fetch = imds_fetch,
		.forget = imds_forget,
		.free = imds_free};
	struct imds *p;
	struct str endpoint;
	enum err_code rc = choose_endpoint(opts, &endpoint, reterr);

	if (rc != ERR_OK)
		return rc;
	p = mem_zalloc(sizeof(*p));
	p->base.ops = &ops;
	atomic_init(&p->base.refs, 1);
	p->http = opts->http;
	p->clock = opts->clock;
	p->random = opts->random;
	p->arena = arena_new(0);
	p->endpoint = str_dup(p->arena, endpoint);
	p->v1_disabled = opts->v1_disabled;
	mutex_init(&p->lock);
	*ret_provider = &p->base;
	return ERR_OK;
}
