/* DESIGN
 *
 * The agent of ECS, or of EKS Pod Identity, answers one GET with credentials. Which hosts may be asked
 * in plain text is a rule of AWS's tools (aws/local_address.h): the variable may come from somebody
 * who should not get the token that is sent along, or who should not choose whose credentials we use.
 * Literal addresses are checked at boot, names when they are resolved, at each fetch. */
#include "aws/credentials.h"

#include "aws/credentials_json.h"
#include "aws/env.h"
#include "aws/local_address.h"
#include "aws/metadata.h"
#include "aws/token_file.h"
#include "base/arena.h"
#include "base/mem.h"

#define RELATIVE_BASE STR("http://169.254.170.2")

enum {
	TIMEOUT_MS = 5000, /* the agent itself asks AWS */
	MAX_TOKEN_BYTES = 16384,
};

struct container {
	struct credentials_provider base;
	struct http *http;
	struct arena *arena;
	bool is_https;
	struct str host, port,
		path;           /* of the URL; port ":8080" or empty; path with query, from its slash on */
	struct secret *token;   /* NULL: none, or in a file */
	const char *token_file; /* NULL: none */
};

/* ---- the question ---- */

static enum err_code get_token(const struct container *p, struct secret **ret_token, struct err *reterr)
{
	CLEANUP(secret_unrefp) struct secret *token = secret_ref(p->token);
	struct str text;
	enum err_code rc =
		p->token_file ? token_file_read(p->token_file, MAX_TOKEN_BYTES, &token, reterr) : ERR_OK;

	if (rc != ERR_OK)
		return rc;
	text = secret_reveal(token);
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < ' ' || text.p[i] > '~')
			return err_set(reterr, ERR_UNAUTHENTICATED,
				"the authorization token of the container has a line break, or another "
				"character that a header cannot have");
	}
	*ret_token = TAKE(token);
	return ERR_OK;
}

static enum err_code read_answer(struct metadata_answer *answer, struct arena *a,
	struct aws_credentials **ret_credentials, struct err *reterr)
{
	struct str body = buf_view(&answer->body), said;
	enum err_code code;

	if (answer->status == 200)
		return credentials_json_parse(&credentials_form_container, body, ret_credentials, reterr);
	said = credentials_json_complaint(a, body);
	code = answer->status == 429 || answer->status >= 500 ? ERR_UNAVAILABLE : ERR_UNAUTHENTICATED;
	return err_set(reterr, code, "the container's credential service answered HTTP %d%s" STR_FMT,
		answer->status, said.n ? ": " : "", STR_ARG(said));
}

/* One address. Host is the name of the URL, whatever the address. */
static enum err_code ask(const struct container *p, const struct ctx *ctx, struct arena *a,
	struct str url_host, const struct secret *token, struct metadata_answer *ret_answer,
	struct err *reterr)
{
	struct http_header headers[] = {
		{STR("Host"), str_fmt(a, STR_FMT STR_FMT, STR_ARG(p->host), STR_ARG(p->port))},
		{STR("Accept"), STR("application/json")},
		{STR("Authorization"), secret_reveal(token)},
	};

	return metadata_ask(p->http, ctx,
		&(struct metadata_request){
			.method = STR("GET"),
			.url = str_fmt(a, "%s://" STR_FMT STR_FMT STR_FMT, p->is_https ? "https" : "http",
				STR_ARG(url_host), STR_ARG(p->port), STR_ARG(p->path)),
			.headers = headers,
			.n_headers = ARRAY_LEN(headers) - (secret_empty(token) ? 1 : 0),
			.timeout_ms = TIMEOUT_MS,
		},
		ret_answer, reterr);
}

/* The addresses of the host in turn, until one answers. */
static enum err_code ask_any(const struct container *p, const struct ctx *ctx, struct arena *a,
	const struct secret *token, struct metadata_answer *ret_answer, struct err *reterr)
{
	struct local_addresses addresses;
	enum err_code rc;

	if (p->is_https)
		return ask(p, ctx, a, p->host, token, ret_answer, reterr);
	rc = local_addresses_of(a, p->host, &addresses, reterr);
	if (rc != ERR_OK)
		return rc;
	for (size_t i = 0; i < addresses.n; i++) {
		struct err ignored;

		rc = ask(p, ctx, a, addresses.url_hosts[i], token, ret_answer, reterr);
		if (rc == ERR_OK || ctx_check(ctx, "asking for credentials", &ignored) != ERR_OK)
			break;
	}
	return rc;
}

static enum err_code container_fetch(struct credentials_provider *self, const struct ctx *ctx,
	struct aws_credentials **ret_credentials, struct err *reterr)
{
	struct container *p = (struct container *)self;
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	CLEANUP(secret_unrefp) struct secret *token = NULL;
	CLEANUP(metadata_answer_deinit) struct metadata_answer answer = {.status = 0};
	enum err_code rc = get_token(p, &token, reterr);

	if (rc == ERR_OK)
		rc = ask_any(p, ctx, a, token, &answer, reterr);
	if (rc != ERR_OK)
		return err_prefix(reterr, "the container's credential service");
	return read_answer(&answer, a, ret_credentials, reterr);
}

static void container_free(struct credentials_provider *self)
{
	struct container *p = (struct container *)self;

	secret_unref(p->token);
	arena_free(p->arena);
	mem_free(p);
}

/* ---- the URL ---- */

static enum err_code bad_url(const char *variable, const char *what, struct err *reterr)
{
	return err_set(reterr, ERR_INVALID, "%s %s", variable, what);
}

static bool is_address(struct str host)
{
	for (size_t i = 0; i < host.n; i++) {
		if ((host.p[i] < '0' || host.p[i] > '9') && host.p[i] != '.')
			return host.p[0] == '[';
	}
	return true;
}

/* "host:8080" or "[::1]:8080" into host and ":8080". */
static bool split_authority(struct str authority, struct str *ret_host, struct str *ret_port)
{
	ptrdiff_t colon = str_rfind_char(authority, ':'), bracket = str_rfind_char(authority, ']');
	size_t host_n = colon > bracket ? (size_t)colon : authority.n;
	uint64_t port = 1;

	*ret_host = str_sub(authority, 0, host_n);
	*ret_port = str_from(authority, host_n);
	if (ret_port->n && !str_to_u64(str_from(*ret_port, 1), &port))
		return false;
	return ret_host->n > 0 && port > 0 && port < 65536 &&
	       (bracket >= 0 || str_find_char(*ret_host, ':') < 0);
}

static enum err_code parse_url(struct container *p, const char *variable, struct str url, struct err *reterr)
{
	struct str rest;
	size_t n = 0;

	for (size_t i = 0; i < url.n; i++) {
		if (url.p[i] <= ' ' || url.p[i] > '~' || url.p[i] == '#' || url.p[i] == '\\')
			return bad_url(variable, "has a character that it cannot have", reterr);
	}
	p->is_https = str_starts(url, STR("https://"));
	if (!p->is_https && !str_starts(url, STR("http://")))
		return bad_url(variable, "is no http or https URL", reterr);
	rest = str_from(url, p->is_https ? 8 : 7);
	while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
		n++;
	p->path = str_from(rest, n);
	if (p->path.n == 0 || p->path.p[0] == '?')
		p->path = str_fmt(p->arena, "/" STR_FMT, STR_ARG(p->path));
	rest = str_sub(rest, 0, n);
	if (str_find_char(rest, '@') >= 0)
		return bad_url(variable, "has user info", reterr);
	if (!split_authority(rest, &p->host, &p->port))
		return bad_url(variable, "has no valid host and port", reterr);
	return ERR_OK;
}

/* An address in the URL needs no resolver: that it may be asked is known now. */
static enum err_code check_address(struct container *p, const char *variable, struct err *reterr)
{
	struct local_addresses ignored;

	if (p->is_https || !is_address(p->host))
		return ERR_OK;
	if (local_addresses_of(p->arena, p->host, &ignored, reterr) == ERR_OK)
		return ERR_OK;
	reterr->code = ERR_INVALID;
	return err_prefix(reterr, "%s", variable);
}

/* Where to ask. Sets nothing when the environment does not say. */
static enum err_code read_url(
	struct container *p, const struct container_options *opts, bool *ret_found, struct err *reterr)
{
	static const char relative_variable[] = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
			  full_variable[] = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
	struct str relative = env_get(opts->environ, relative_variable);
	struct str full = env_get(opts->environ, full_variable);
	struct str base = opts->relative_base.n ? opts->relative_base : RELATIVE_BASE;
	const char *variable = relative.n ? relative_variable : full_variable;
	enum err_code rc;

	*ret_found = relative.n > 0 || full.n > 0;
	if (!*ret_found)
		return ERR_OK;
	if (relative.n && relative.p[0] != '/')
		return bad_url(variable, "does not begin with a slash", reterr);
	if (relative.n)
		full = str_fmt(p->arena, STR_FMT STR_FMT, STR_ARG(base), STR_ARG(relative));
	rc = parse_url(p, variable, str_dup(p->arena, full), reterr);
	return rc == ERR_OK ? check_address(p, variable, reterr) : rc;
}

static void read_token(struct container *p, const char *const *env)
{
	struct str file = env_get(env, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	struct str token = env_get(env, "AWS_CONTAINER_AUTHORIZATION_TOKEN");

	if (file.n)
		p->token_file = str_dup_c(p->arena, file);
	else if (token.n)
		p->token = secret_new(token);
}

enum err_code credentials_container_new(
	const struct container_options *opts, struct credentials_provider **ret_provider, struct err *reterr)
{
	static const struct credentials_provider_ops ops = {
		.name = "container", .fetch = container_fetch, .free = container_free};
	CLEANUP(credentials_provider_unrefp) struct credentials_provider *guard = NULL;
	struct container *p = mem_zalloc(sizeof(*p));
	bool found;
	enum err_code rc;

	p->base.ops = &ops;
	atomic_init(&p->base.refs, 1);
	guard = &p->base;
	p->http = opts->http;
	p->arena = arena_new(0);
	rc = read_url(p, opts, &found, reterr);
	if (rc != ERR_OK)
		return rc;
	read_token(p, opts->environ);
	*ret_provider = found ? TAKE(guard) : NULL;
	return ERR_OK;
}
