#include "support/scripted_http.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/thread.h"

#define MAX_CONNECTIONS 256
#define MAX_REQUEST     ((size_t)1 << 20)

struct connection {
	struct scripted_http *server;
	struct thread thread;
	int fd;
};

struct scripted_http {
	scripted_fn *fn;
	void *self;
	int listener;
	int port;
	struct thread acceptor;
	struct mutex lock; /* guards all below */
	bool stopping;
	struct connection connections[MAX_CONNECTIONS];
	size_t n_connections;
	size_t n_requests, now, most;
	struct arena *arena;
};

static void die(const char *what)
{
	perror(what);
	abort();
}

struct str scripted_header(const struct scripted_request *req, const char *name)
{
	struct str rest = req->head;

	while (rest.n) {
		struct str line = str_cut(&rest, '\n');
		struct str key = str_cut(&line, ':');

		if (str_eq_nocase(key, str_c(name)))
			return str_trim(line);
	}
	return STR_EMPTY;
}

/* Reads one request into b. False: the peer is gone. */
static bool read_request(int fd, struct buf *b, struct scripted_request *ret)
{
	char chunk[16384];

	for (;;) {
		ptrdiff_t end = str_find(buf_view(b), STR("\r\n\r\n"));

		if (end >= 0) {
			struct str rest = str_sub(buf_view(b), 0, (size_t)end + 2);
			struct str line = str_cut(&rest, '\n');
			uint64_t length = 0;

			ret->method = str_cut(&line, ' ');
			ret->path = str_cut(&line, ' ');
			ret->head = rest;
			(void)str_to_u64(scripted_header(ret, "Content-Length"), &length);
			ret->body = str_sub(buf_view(b), (size_t)end + 4, length);
			if (ret->body.n == length)
				return true;
		}
		ssize_t got = recv(fd, chunk, sizeof(chunk), 0);
		if (got <= 0)
			return false;
		buf_add(b, chunk, (size_t)got);
	}
}

static bool send_all(int fd, struct str s)
{
	while (s.n) {
		ssize_t sent = send(fd, s.p, s.n, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		s = str_from(s, (size_t)sent);
	}
	return true;
}

static void wait_for_end(int fd)
{
	char c;

	while (recv(fd, &c, 1, 0) > 0)
		;
}

/* False: the connection is to be closed. */
static bool send_answer(int fd, const struct scripted_answer *a)
{
	CLEANUP(buf_deinit) struct buf b;
	bool whole = a->manner == SCRIPTED_WHOLE;

	if (a->delay_ms)
		clock_sleep_ms(a->delay_ms);
	if (a->manner == SCRIPTED_CLOSE) {
		buf_init(&b, 0);
		return false;
	}
	if (a->manner == SCRIPTED_NEVER) {
		buf_init(&b, 0);
		wait_for_end(fd);
		return false;
	}
	buf_init(&b, a->body.n + 4096);
	buf_fmt(&b, "HTTP/1.1 %d Scripted\r\n%sContent-Length: %zu\r\n\r\n", a->status ? a->status : 200,
		a->headers ? a->headers : "", a->body.n);
	buf_str(&b, str_sub(a->body, 0, whole ? a->body.n : a->body.n / 2));
	if (!send_all(fd, buf_view(&b)))
		return false;
	if (a->manner == SCRIPTED_HANG)
		wait_for_end(fd);
	return whole;
}

static bool serve_one(struct connection *c, struct buf *b)
{
	struct scripted_http *s = c->server;
	struct scripted_request req;
	struct scripted_answer answer;
	bool keep;

	buf_reset(b);
	if (!read_request(c->fd, b, &req))
		return false;
	mutex_lock(&s->lock);
	req.n = s->n_requests++;
	if (++s->now > s->most)
		s->most = s->now;
	answer = s->fn(s->self, &req, s->arena);
	mutex_unlock(&s->lock);
	keep = send_answer(c->fd, &answer);
	mutex_lock(&s->lock);
	s->now--;
	mutex_unlock(&s->lock);
	return keep;
}

static void *connection_main(void *arg)
{
	struct connection *c = arg;
	CLEANUP(buf_deinit) struct buf b;

	buf_init(&b, MAX_REQUEST);
	while (serve_one(c, &b))
		;
	shutdown(c->fd,
		SHUT_RDWR); /* closed by scripted_http_stop, so that the number is not reused meanwhile */
	return NULL;
}

static void *acceptor_main(void *arg)
{
	struct scripted_http *s = arg;
	struct err err;

	for (;;) {
		int fd = accept(s->listener, NULL, NULL);

		if (fd < 0)
			return NULL;
		LOCK_SCOPE(&s->lock);
		if (s->stopping || s->n_connections == MAX_CONNECTIONS) {
			close(fd);
			continue;
		}
		struct connection *c = &s->connections[s->n_connections];
		*c = (struct connection){.server = s, .fd = fd};
		if (thread_start(&c->thread, "scripted", 0, connection_main, c, &err) != ERR_OK)
			die(err.msg);
		s->n_connections++;
	}
}

struct scripted_http *scripted_http_start(scripted_fn *fn, void *self)
{
	struct scripted_http *s = mem_zalloc(sizeof(*s));
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	struct err err;

	s->fn = fn;
	s->self = self;
	s->arena = arena_new(0);
	mutex_init(&s->lock);
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->listener < 0 || bind(s->listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
		listen(s->listener, MAX_CONNECTIONS) != 0 ||
		getsockname(s->listener, (struct sockaddr *)&address, &length) != 0)
		die("scripted_http");
	s->port = ntohs(address.sin_port);
	if (thread_start(&s->acceptor, "scripted-accept", 0, acceptor_main, s, &err) != ERR_OK)
		die(err.msg);
	return s;
}

void scripted_http_stop(struct scripted_http *s)
{
	if (!s)
		return;
	mutex_lock(&s->lock);
	s->stopping = true;
	for (size_t i = 0; i < s->n_connections; i++)
		shutdown(s->connections[i].fd, SHUT_RDWR);
	mutex_unlock(&s->lock);
	shutdown(s->listener, SHUT_RDWR);
	thread_join(&s->acceptor);
	close(s->listener);
	for (size_t i = 0; i < s->n_connections; i++) {
		thread_join(&s->connections[i].thread);
		close(s->connections[i].fd);
	}
	mutex_deinit(&s->lock);
	arena_free(s->arena);
	mem_free(s);
}

int scripted_http_port(const struct scripted_http *s)
{
	return s->port;
}

size_t scripted_http_requests(struct scripted_http *s)
{
	LOCK_SCOPE(&s->lock);
	return s->n_requests;
}

size_t scripted_http_most_at_once(struct scripted_http *s)
{
	LOCK_SCOPE(&s->lock);
	return s->most;
}
