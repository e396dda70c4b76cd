/* DESIGN
 *
 * UNIX sockets: whoever holds the lock on "<path>.lock" owns the path. A socket file that is there although
 * we hold the lock is left over from a crash, unless somebody answers on it (a program that does not know our
 * lock): then it is theirs. The lock file is removed at the end while still locked, and whoever locks it
 * afterwards checks that it still is the file of that name.
 *
 * TCP: a bind of our own, closed at once, tells by errno what gRPC's later one would keep to itself. */
#include "server/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"

#define UNIX_PREFIX "unix:"

struct listen {
	char *target;
	bool is_unix;
	bool is_local;
	struct sockaddr_storage address; /* of TCP */
	const char *path;                /* of the socket: inside target */
	char *lock_path;
	int lock_fd;    /* -1: none */
	bool owns_path; /* locked, and nothing of anybody else's is there */
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static enum err_code system_error(struct err *reterr, const char *what, const char *path)
{
	return err_set(reterr, errno == EADDRINUSE ? ERR_EXISTS : ERR_UNAVAILABLE, "%s %s: %s", what, path,
		strerror(errno));
}

/* ERR_OK with *ret_fd == -1: the file was replaced while we waited for its lock; try again. */
static enum err_code lock_once(const char *path, int *ret_fd, struct err *reterr)
{
	struct stat by_fd, by_name;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	*ret_fd = -1;
	if (fd < 0)
		return system_error(reterr, "cannot open the lock file", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		bool held = errno == EWOULDBLOCK;
		enum err_code rc = held ? err_set(reterr, ERR_EXISTS,
						  "%s is locked: another server owns this address", path)
					: system_error(reterr, "cannot lock", path);

		close(fd);
		return rc;
	}
	if (fstat(fd, &by_fd) == 0 && stat(path, &by_name) == 0 && by_fd.st_ino == by_name.st_ino &&
		by_fd.st_dev == by_name.st_dev)
		*ret_fd = fd;
	else
		close(fd);
	return ERR_OK;
}

static bool somebody_answers(const struct sockaddr_un *addr)
{
	CLEANUP(close_fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0;
}

static enum err_code remove_stale(const char *path, const struct sockaddr_un *addr, struct err *reterr)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? ERR_OK : system_error(reterr, "cannot look at", path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(reterr, ERR_EXISTS, "%s exists and is not a socket", path);
	if (somebody_answers(addr))
		return err_set(reterr, ERR_EXISTS, "another program listens on %s", path);
	if (unlink(path) < 0)
		return system_error(reterr, "cannot remove the dead socket", path);
	return ERR_OK;
}

static enum err_code open_unix(struct listen *l, struct err *reterr)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	size_t n = strlen(l->path);
	enum err_code rc;

	l->is_local = true;
	if (n == 0 || l->path[0] != '/')
		return err_set(reterr, ERR_INVALID, "listen address \"%s\": a socket needs an absolute path",
			l->target);
	if (n >= sizeof(addr.sun_path))
		return err_set(reterr, ERR_INVALID,
			"listen address \"%s\": the path has %zu bytes, a socket's at most %zu", l->target, n,
			sizeof(addr.sun_path) - 1);
	memcpy(addr.sun_path, l->path, n + 1);

	l->lock_path = mem_alloc(n + sizeof(".lock"));
	memcpy(l->lock_path, l->path, n);
	memcpy(l->lock_path + n, ".lock", sizeof(".lock"));
	while (l->lock_fd < 0) {
		rc = lock_once(l->lock_path, &l->lock_fd, reterr);
		if (rc != ERR_OK)
			return rc;
	}
	rc = remove_stale(l->path, &addr, reterr);
	l->owns_path = rc == ERR_OK;
	return rc;
}

static bool is_loopback(const struct sockaddr *addr)
{
	if (addr->sa_family == AF_INET)
		return (ntohl(((const struct sockaddr_in *)(const void *)addr)->sin_addr.s_addr) >> 24) ==
		       127;
	return addr->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)addr)->sin6_addr);
}

static enum err_code try_bind(const struct addrinfo *ai, const char *target, struct err *reterr)
{
	int one = 1;
	CLEANUP(close_fd) int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return system_error(reterr, "no socket for", target);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0)
		return system_error(reterr, "cannot listen on", target);
	return ERR_OK;
}

/* An empty host means every address, as it does for Go programs. */
static enum err_code open_tcp(struct listen *l, struct str address, struct err *reterr)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *found = NULL;
	ptrdiff_t colon = str_rfind_char(address, ':');
	struct str host, port;
	char host_text[256], port_text[8];
	enum err_code rc;
	uint64_t number;
	int failed;

	if (colon < 0)
		return err_set(reterr, ERR_INVALID,
			"listen address \"%s\" is neither host:port nor unix:/path", l->target);
	host = str_sub(address, 0, (size_t)colon);
	port = str_from(address, (size_t)colon + 1);
	if (host.n == 0)
		host = STR("[::]");
	if (!str_to_u64(port, &number) || number > 65535 || port.n >= sizeof(port_text))
		return err_set(reterr, ERR_INVALID,
			"listen address \"%s\": the port is not a number up to 65535", l->target);
	mem_free(l->target);
	l->target = mem_alloc(host.n + 1 + port.n + 1);
	snprintf(l->target, host.n + 1 + port.n + 1, STR_FMT ":" STR_FMT, STR_ARG(host), STR_ARG(port));
	if (host.p[0] == '[' && str_ends(host, STR("]")))
		host = str_sub(host, 1, host.n - 2);
	if (host.n == 0 || host.n >= sizeof(host_text))
		return err_set(reterr, ERR_INVALID, "listen address \"%s\": bad host", l->target);
	snprintf(host_text, sizeof(host_text), STR_FMT, STR_ARG(host));
	snprintf(port_text, sizeof(port_text), STR_FMT, STR_ARG(port));

	failed = getaddrinfo(host_text, port_text, &hints, &found);
	if (failed)
		return err_set(
			reterr, ERR_INVALID, "listen address \"%s\": %s", l->target, gai_strerror(failed));
	l->is_local = true;
	for (const struct addrinfo *ai = found; ai; ai = ai->ai_next)
		l->is_local = l->is_local && is_loopback(ai->ai_addr);
	memcpy(&l->address, found->ai_addr, found->ai_addrlen);
	rc = try_bind(found, l->target, reterr);
	freeaddrinfo(found);
	return rc;
}

static void listen_closep(struct listen **l)
{
	listen_close(*l);
}

enum err_code listen_open(struct str address, struct listen **ret_listen, struct err *reterr)
{
	CLEANUP(listen_closep) struct listen *l = mem_zalloc(sizeof(*l));
	enum err_code rc;

	l->lock_fd = -1;
	l->target = mem_strndup(address.p, address.n);
	if (str_starts(address, STR(UNIX_PREFIX))) {
		l->is_unix = true;
		l->path = l->target + strlen(UNIX_PREFIX);
		rc = open_unix(l, reterr);
	} else {
		rc = open_tcp(l, address, reterr);
	}
	if (rc != ERR_OK)
		return rc;
	*ret_listen = TAKE(l);
	return ERR_OK;
}

void listen_close(struct listen *l)
{
	if (l == NULL)
		return;
	if (l->owns_path)
		unlink(l->path);
	if (l->lock_fd >= 0) {
		unlink(l->lock_path);
		close(l->lock_fd);
	}
	mem_free(l->lock_path);
	mem_free(l->target);
	mem_free(l);
}

const char *listen_target(const struct listen *l)
{
	return l->target;
}

const struct sockaddr *listen_sockaddr(const struct listen *l)
{
	return l->is_unix ? NULL : (const struct sockaddr *)&l->address;
}

bool listen_is_unix(const struct listen *l)
{
	return l->is_unix;
}

bool listen_is_local(const struct listen *l)
{
	return l->is_local;
}
