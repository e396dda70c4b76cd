#include "support/fake_redis.h"

#include <assert.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/thread.h"

enum { MAX_CONNECTIONS = 256, MAX_ARGS = 64, REQUEST_BYTES = 1 << 20 };

struct connection {
	struct fake_redis *of;
	struct thread thread;
	int fd;
	atomic_bool is_closed;
};

struct fake_redis {
	fake_redis_fn *fn;
	void *arg;
	int fd;
	unsigned port;
	atomic_bool stop;
	struct thread acceptor;
	struct mutex lock; /* guards the connections */
	struct connection connections[MAX_CONNECTIONS];
	size_t n;
};

/* "*2\r\n$3\r\nGET\r\n$1\r\na\r\n": the bytes of the first whole command; 0: more are needed. */
static size_t take_apart(struct str in, struct str *args, size_t *ret_n)
{
	struct str rest = in, line;
	uint64_t n, size;

	line = str_cut(&rest, '\n');
	if (rest.p == NULL)
		return 0;
	if (!str_starts(line, STR("*")) || !str_to_u64(str_trim(str_from(line, 1)), &n) || n > MAX_ARGS)
		abort(); /* our own client sent nonsense */
	for (uint64_t i = 0; i < n; i++) {
		line = str_cut(&rest, '\n');
		if (rest.p == NULL)
			return 0;
		if (!str_to_u64(str_trim(str_from(line, 1)), &size))
			abort();
		if (rest.n < size + 2)
			return 0;
		args[i] = str_sub(rest, 0, size);
		rest = str_from(rest, size + 2);
	}
	*ret_n = n;
	return in.n - rest.n;
}

static bool send_all(int fd, struct str bytes)
{
	while (bytes.n > 0) {
		const ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		bytes = str_from(bytes, (size_t)n);
	}
	return true;
}

static void *connection_main(void *arg)
{
	struct connection *c = arg;
	struct str args[MAX_ARGS];
	struct buf in, out;
	char bytes[4096];
	size_t used, n = 0;
	bool open = true;

	buf_init(&in, REQUEST_BYTES);
	buf_init(&out, 64 * REQUEST_BYTES);
	while (open) {
		const ssize_t got = recv(c->fd, bytes, sizeof(bytes), 0);

		if (got <= 0)
			break;
		buf_add(&in, bytes, (size_t)got);
		while (open && (used = take_apart(buf_view(&in), args, &n)) > 0) {
			buf_reset(&out);
			open = c->of->fn(c->of->arg, args, n, &out);
			open = send_all(c->fd, buf_view(&out)) && open;
			memmove(in.p, in.p + used, in.n - used);
			in.n -= used;
		}
	}
	buf_deinit(&in);
	buf_deinit(&out);
	atomic_store(&c->is_closed, true);
	(void)shutdown(
		c->fd, SHUT_RDWR); /* closed when the server ends: the number must not be used again before */
	return NULL;
}

static void *acceptor_main(void *arg)
{
	struct fake_redis *r = arg;
	struct err err;

	while (!atomic_load(&r->stop)) {
		const int fd = accept(r->fd, NULL, NULL);
		struct connection *c;

		if (fd < 0)
			continue;
		LOCK_SCOPE(&r->lock);
		if (r->n == MAX_CONNECTIONS)
			abort();
		c = &r->connections[r->n];
		*c = (struct connection){.of = r, .fd = fd};
		if (thread_start(&c->thread, "fake-redis", 0, connection_main, c, &err) != ERR_OK)
			abort();
		r->n++;
	}
	return NULL;
}

struct fake_redis *fake_redis_start(fake_redis_fn *fn, void *arg)
{
	struct fake_redis *r = mem_zalloc(sizeof(*r));
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(address);
	struct err err;

	r->fn = fn;
	r->arg = arg;
	mutex_init(&r->lock);
	r->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (r->fd < 0 || bind(r->fd, (struct sockaddr *)&address, size) < 0 || listen(r->fd, 64) < 0 ||
		getsockname(r->fd, (struct sockaddr *)&address, &size) < 0 ||
		thread_start(&r->acceptor, "fake-redis", 0, acceptor_main, r, &err) != ERR_OK)
		abort();
	r->port = ntohs(address.sin_port);
	return r;
}

void fake_redis_hang_up(struct fake_redis *r)
{
	LOCK_SCOPE(&r->lock);
	for (size_t i = 0; i < r->n; i++)
		(void)shutdown(r->connections[i].fd, SHUT_RDWR);
}

static void say(int fd, struct str bytes)
{
	int left = 1; /* not yet acknowledged */

	(void)send_all(fd, bytes);
	while (left > 0 && ioctl(fd, TIOCOUTQ, &left) == 0)
		clock_sleep_ms(1);
}

void fake_redis_say(struct fake_redis *r, struct str bytes)
{
	LOCK_SCOPE(&r->lock);
	for (size_t i = 0; i < r->n; i++)
		if (!atomic_load(&r->connections[i].is_closed))
			say(r->connections[i].fd, bytes);
}

size_t fake_redis_open(struct fake_redis *r)
{
	size_t n = 0;

	LOCK_SCOPE(&r->lock);
	for (size_t i = 0; i < r->n; i++)
		n += !atomic_load(&r->connections[i].is_closed);
	return n;
}

void fake_redis_stop(struct fake_redis *r)
{
	if (r == NULL)
		return;
	atomic_store(&r->stop, true);
	(void)shutdown(r->fd, SHUT_RDWR); /* wakes accept */
	thread_join(&r->acceptor);
	fake_redis_hang_up(r);
	for (size_t i = 0; i < r->n; i++) {
		thread_join(&r->connections[i].thread);
		(void)close(r->connections[i].fd);
	}
	(void)close(r->fd);
	mutex_deinit(&r->lock);
	mem_free(r);
}

unsigned fake_redis_port(const struct fake_redis *r)
{
	return r->port;
}

size_t fake_redis_connections(struct fake_redis *r)
{
	LOCK_SCOPE(&r->lock);
	return r->n;
}
