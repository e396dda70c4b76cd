#include "support/redis_server.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

struct redis_server {
	pid_t pid;
	char folder[64];
	char path[96]; /* of the socket */
	char url[128];
};

static void run_redis(const struct redis_server *r)
{
	const int null = open("/dev/null", O_RDWR);

	(void)dup2(null, STDOUT_FILENO);
	(void)dup2(null, STDERR_FILENO);
	execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", r->path, "--dir", r->folder,
		"--save", "", "--appendonly", "no", (char *)NULL);
	_exit(127);
}

static int try_to_connect(const struct redis_server *r)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc;

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", r->path);
	rc = connect(fd, (const struct sockaddr *)&address, sizeof(address));
	(void)close(fd);
	return rc;
}

struct redis_server *redis_server_start(void)
{
	struct redis_server *r = mem_zalloc(sizeof(*r));

	(void)snprintf(r->folder, sizeof(r->folder), "%s", "/tmp/baton-redis-XXXXXX");
	if (mkdtemp(r->folder) == NULL)
		abort();
	(void)snprintf(r->path, sizeof(r->path), "%s/redis.sock", r->folder);
	(void)snprintf(r->url, sizeof(r->url), "unix://%s", r->path);
	r->pid = fork();
	if (r->pid == 0)
		run_redis(r);
	while (try_to_connect(r) != 0) {
		if (waitpid(r->pid, NULL, WNOHANG) != 0) {
			fprintf(stderr, "redis-server does not start: ./dev deps test installs it\n");
			abort();
		}
		clock_sleep_ms(10);
	}
	return r;
}

void redis_server_stop(struct redis_server *r)
{
	if (r == NULL)
		return;
	(void)kill(r->pid, SIGKILL);
	(void)waitpid(r->pid, NULL, 0);
	(void)unlink(r->path);
	(void)rmdir(r->folder);
	mem_free(r);
}

const char *redis_server_url(const struct redis_server *r)
{
	return r->url;
}
