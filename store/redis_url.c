#include "store/redis_url.h"

#include <ctype.h>

#include "base/encode.h"

#define REDIS_PORT    6379
#define SENTINEL_PORT 26379
#define MAX_DATABASE  65535 /* the configuration's `databases` is 16 unless somebody raised it */

static const struct scheme {
	const char *name;
	bool tls, sentinel, is_path;
} schemes[] = {
	{.name = "redis"},
	{.name = "rediss", .tls = true},
	{.name = "redis+sentinel", .sentinel = true},
	{.name = "rediss+sentinel", .tls = true, .sentinel = true},
	{.name = "unix", .is_path = true},
};

static const struct scheme *find_scheme(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (str_eq_nocase(name, str_c(schemes[i].name)))
			return &schemes[i];
	return NULL;
}

static bool is_host_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		const char c = s.p[i];

		if (c <= ' ' || c == 0x7f || str_find_char(STR("/?#@[]\\:"), c) >= 0)
			return false;
	}
	return s.n > 0 && s.n <= 255;
}

/* "::1", "fe80::1%eth0": whether it is an address, the resolver says. */
static bool is_v6(struct str s)
{
	bool has_colon = false;

	for (size_t i = 0; i < s.n; i++) {
		has_colon = has_colon || s.p[i] == ':';
		if (!isalnum((unsigned char)s.p[i]) && str_find_char(STR(":.%"), s.p[i]) < 0)
			return false;
	}
	return has_colon;
}

/* 0 is for the caller to refuse. */
static bool parse_port(struct str text, unsigned *ret_port)
{
	uint64_t port;

	if (text.n > 5 || !str_to_u64(text, &port) || port > 65535)
		return false;
	*ret_port = (unsigned)port;
	return true;
}

bool redis_host_parse(struct arena *a, struct str text, unsigned default_port, struct redis_host *ret_host)
{
	struct str host = text, port = STR_EMPTY;
	unsigned number = default_port;
	ptrdiff_t end;

	if (str_starts(text, STR("["))) {
		end = str_find_char(text, ']');
		if (end < 0 || !is_v6(str_sub(text, 1, (size_t)end - 1)))
			return false;
		host = str_sub(text, 1, (size_t)end - 1);
		port = str_from(text, (size_t)end + 1);
		if (port.n > 0 && port.p[0] != ':')
			return false;
	} else {
		/* Of MOVED an IPv6 address comes without brackets, its port behind the last colon. */
		end = str_rfind_char(text, ':');
		if (end >= 0) {
			host = str_sub(text, 0, (size_t)end);
			port = str_from(text, (size_t)end);
		}
		if (!is_host_name(host) && !(default_port == 0 && is_v6(host)))
			return false;
	}
	if (port.n > 0 && !parse_port(str_from(port, 1), &number))
		return false;
	if (number == 0)
		return false;
	*ret_host = (struct redis_host){.host = str_dup(a, host), .port = number};
	return true;
}

static enum err_code parse_user(struct arena *a, struct str text, struct redis_url *url, struct err *reterr)
{
	CLEANUP(arena_freep) struct arena *scratch = arena_new(0); /* wiped: the password passes through it */
	struct str password = text, decoded;
	struct str user = str_cut(&password, ':');

	if (!percent_decode(a, user, &url->user) || !percent_decode(scratch, password, &decoded))
		return err_set(reterr, ERR_INVALID,
			"the user or the password has a '%%' that is not followed by two hex digits");
	if (decoded.n > 0)
		url->password = secret_new(decoded);
	return ERR_OK;
}

static enum err_code parse_hosts(
	struct arena *a, struct str text, unsigned default_port, struct redis_url *url, struct err *reterr)
{
	while (text.p != NULL) {
		const struct str host = str_cut(&text, ',');

		if (url->n_hosts == REDIS_URL_MAX_HOSTS)
			return err_set(reterr, ERR_INVALID, "more than %d hosts", REDIS_URL_MAX_HOSTS);
		if (!redis_host_parse(a, host, default_port, &url->hosts[url->n_hosts++]))
			return err_set(reterr, ERR_INVALID,
				"host number %zu is not host, host:port, [v6] or [v6]:port", url->n_hosts);
	}
	return ERR_OK;
}

static enum err_code parse_database(struct str text, struct redis_url *url, struct err *reterr)
{
	uint64_t number;

	if (text.n == 0)
		return ERR_OK;
	if (!str_to_u64(text, &number) || number > MAX_DATABASE)
		return err_set(
			reterr, ERR_INVALID, "the database is not a number from 0 to %d", MAX_DATABASE);
	url->database = (unsigned)number;
	return ERR_OK;
}

static enum err_code parse_path(struct arena *a, struct str rest, struct redis_url *url, struct err *reterr)
{
	struct str query = rest;
	const struct str path = str_cut(&query, '?');

	if (!str_starts(path, STR("/")) || path.n < 2 || path.n > 107)
		return err_set(reterr, ERR_INVALID,
			"the path of a UNIX socket begins with '/' and has at most 107 bytes");
	if (query.n > 0 && !str_starts(query, STR("db=")))
		return err_set(reterr, ERR_INVALID, "behind the path only ?db=NUMBER may stand");
	url->path = str_dup(a, path);
	return parse_database(str_from(query, 3), url, reterr);
}

static enum err_code parse_place(struct arena *a, const struct scheme *scheme, struct str rest,
	struct redis_url *url, struct err *reterr)
{
	const struct str hosts = str_cut(&rest, '/');

	url->tls = scheme->tls;
	if (hosts.n == 0)
		return err_set(reterr, ERR_INVALID, "a host is missing");
	if (parse_hosts(a, hosts, scheme->sentinel ? SENTINEL_PORT : REDIS_PORT, url, reterr) != ERR_OK)
		return reterr->code;
	if (scheme->sentinel) {
		url->service = str_dup(a, str_cut(&rest, '/'));
		if (url->service.n == 0)
			return err_set(reterr, ERR_INVALID,
				"behind the Sentinels the name of the master is missing: /mymaster");
	}
	return parse_database(rest, url, reterr);
}

enum err_code redis_url_parse(struct arena *a, struct str text, struct redis_url *ret_url, struct err *reterr)
{
	struct redis_url url = {.user = STR_EMPTY, .path = STR_EMPTY, .service = STR_EMPTY};
	const ptrdiff_t end = str_find(text, STR("://"));
	const struct scheme *scheme = end < 0 ? NULL : find_scheme(str_sub(text, 0, (size_t)end));
	struct str rest = str_from(text, (size_t)(end + 3));
	ptrdiff_t at;
	enum err_code code = ERR_OK;

	if (scheme == NULL)
		return err_set(reterr, ERR_INVALID,
			"a URL of Redis begins with redis://, rediss://, redis+sentinel://, "
			"rediss+sentinel:// or unix://");
	at = str_rfind_char(rest, '@');
	if (at >= 0) {
		code = parse_user(a, str_sub(rest, 0, (size_t)at), &url, reterr);
		rest = str_from(rest, (size_t)at + 1);
	}
	if (code == ERR_OK)
		code = scheme->is_path ? parse_path(a, rest, &url, reterr)
				       : parse_place(a, scheme, rest, &url, reterr);
	if (code != ERR_OK) {
		secret_unref(url.password);
		return code;
	}
	*ret_url = url;
	return ERR_OK;
}
