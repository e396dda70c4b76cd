/* store/redis_url.h
 *
 * Where Redis is, as one URL:
 *
 *	redis://[user[:password]@]host[:port][,host[:port]...][/database]     several hosts: the first that answers (Cluster)
 *	rediss://...                                                          the same over TLS
 *	redis+sentinel://[user[:password]@]host[:port],.../service[/database] the master that these Sentinels know
 *	rediss+sentinel://...                                                 Sentinels and master over TLS
 *	unix:///path[?db=database]                                            a UNIX socket; also unix://user:password@/path
 *
 * User and password are percent-decoded. Ports: 6379, of Sentinels 26379.
 *
 * Threads: pure. Ownership: results live in the arena, the password is a reference. Errors: ERR_INVALID; no message
 * contains the URL or a part of it that could be a password. */
#ifndef STORE_REDIS_URL_H
#define STORE_REDIS_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/secret.h"
#include "base/str.h"

#define REDIS_URL_MAX_HOSTS 32

struct redis_host {
	struct str host; /* without brackets */
	unsigned port;
};

struct redis_url {
	bool tls;
	struct str user;         /* empty: none */
	struct secret *password; /* NULL: none; secret_unref */
	struct str path;         /* of a UNIX socket; empty: hosts */
	struct redis_host hosts[REDIS_URL_MAX_HOSTS];
	size_t n_hosts;
	struct str service; /* not empty: the hosts are Sentinels, and this is the name of the master */
	unsigned database;
};

MUST_CHECK enum err_code redis_url_parse(
	struct arena *a, struct str text, struct redis_url *ret_url, struct err *reterr);

/* "host:port" or "[v6]:port", as in MOVED. False: neither. default_port 0: a port is needed. */
bool redis_host_parse(struct arena *a, struct str text, unsigned default_port, struct redis_host *ret_host);

#endif
