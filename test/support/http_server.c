#include "support/http_server.h"

#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/thread.h"

enum { MAX_CONNECTIONS = 1024, MAX_REQUEST_BYTES = 16 << 20 };

struct connection {
	struct http_server *server;
	struct thread thread;
	int fd;
};

struct http_server {
	http_server_fn *fn;
	void *arg;
	int listener;
	unsigned port;
	struct thread thread;
	struct mutex lock; /* guards the connections */
	struct connection connections[MAX_CONNECTIONS];
	size_t n;
	bool stopping;
};

bool http_server_send(int fd, const void *p, size_t n)
{
	const char *from = p;

	while (n) {
		ssize_t sent = send(fd, from, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		from += sent;
		n -= (size_t)sent;
	}
	return true;
}

bool http_server_answer(int fd, int status, const char *headers, struct str body)
{
	return http_server_answer_part(fd, status, headers, body, body.n);
}

bool http_server_answer_part(int fd, int status, const char *headers, struct str body, size_t n_sent)
{
	char head[4096];
	int n = snprintf(head, sizeof(head), "HTTP/1.1 %d Text\r\n%sContent-Length: %zu\r\n\r\n", status,
		headers, body.n);

	assert(n > 0 && (size_t)n < sizeof(head));
	return http_server_send(fd, head, (size_t)n) && http_server_send(fd, body.p, n_sent);
}

void http_server_reset_on_close(int fd)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

void http_server_wait_for_close(int fd)
{
	char byte;

	while (recv(fd, &byte, 1, 0) > 0)
		;
}

struct str http_server_header(const struct http_server_request *req, const char *name)
{
	struct str rest = req->headers;

	while (rest.n) {
		struct str value = str_cut(&rest, '\n');
		struct str key = str_cut(&value, ':');

		if (str_eq_nocase(key, str_c(name)))
			return str_trim(value);
	}
	return STR_EMPTY;
}

static bool receive_more(int fd, struct buf *b)
{
	char chunk[16384];
	ssize_t n = recv(fd, chunk, sizeof(chunk), 0);

	if (n <= 0)
		return false;
	buf_add(b, chunk, (size_t)n);
	return !b->overflow;
}

/* One request. *ret_len: how much of b it takes. */
static bool receive_request(int fd, struct buf *b, struct http_server_request *ret, size_t *ret_len)
{
	struct str head, line;
	uint64_t body_n = 0;
	ptrdiff_t end;

	while ((end = str_find(buf_view(b), STR("\r\n\r\n"))) < 0) {
		if (!receive_more(fd, b))
			return false;
	}
	ret->headers = str_sub(buf_view(b), 0, (size_t)end + 2);
	str_to_u64(http_server_header(ret, "Content-Length"), &body_n);
	*ret_len = (size_t)end + 4 + (size_t)body_n;
	while (b->n < *ret_len) {
		if (!receive_more(fd, b))
			return false;
	}
	head = str_sub(buf_view(b), 0, (size_t)end + 2); /* b may have moved */
	line = str_trim(str_cut(&head, '\n'));
	ret->method = str_cut(&line, ' ');
	ret->target = str_cut(&line, ' ');
	ret->headers = head;
	ret->body = str_sub(buf_view(b), (size_t)end + 4, (size_t)body_n);
	return true;
}

static void *connection_main(void *arg)
{
	struct connection *c = arg;
	CLEANUP(buf_deinit) struct buf b = {.n = 0};
	struct http_server_request req;
	size_t len;

	buf_init(&b, MAX_REQUEST_BYTES);
	while (receive_request(c->fd, &b, &req, &len) && c->server->fn(c->server->arg, &req, c->fd)) {
		memmove(b.p, b.p + len, b.n - len);
		b.n -= len;
	}
	mutex_lock(&c->server->lock);
	close(c->fd);
	c->fd = -1;
	mutex_unlock(&c->server->lock);
	return NULL;
}

static void *accept_main(void *arg)
{
	struct http_server *s = arg;

	for (;;) {
		int fd = accept(s->listener, NULL, NULL), on = 1;
		struct err err;
		LOCK_SCOPE(&s->lock);

		if (fd < 0)
			return NULL;
		if (s->stopping || s->n == MAX_CONNECTIONS) {
			close(fd);
			continue;
		}
		/* Head and body are two writes: the second one would wait for the acknowledgement of the first. */
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		s->connections[s->n] = (struct connection){.server = s, .fd = fd};
		if (thread_start(&s->connections[s->n].thread, "test-http", 0, connection_main,
			    &s->connections[s->n], &err) == ERR_OK)
			s->n++;
		else
			close(fd);
	}
}

struct http_server *http_server_start(http_server_fn *fn, void *arg)
{
	struct http_server *s = mem_zalloc(sizeof(*s));
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(address);
	struct err err;
	int rc;

	s->fn = fn;
	s->arg = arg;
	mutex_init(&s->lock);
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	rc = bind(s->listener, (struct sockaddr *)&address, sizeof(address));
	assert(rc == 0);
	rc = listen(s->listener, 512);
	assert(rc == 0);
	rc = getsockname(s->listener, (struct sockaddr *)&address, &n);
	assert(rc == 0);
	s->port = ntohs(address.sin_port);
	rc = (int)thread_start(&s->thread, "test-accept", 0, accept_main, s, &err);
	assert(rc == ERR_OK);
	(void)rc;
	return s;
}

void http_server_stop(struct http_server *s)
{
	if (s == NULL)
		return;
	mutex_lock(&s->lock);
	s->stopping = true;
	for (size_t i = 0; i < s->n; i++) {
		if (s->connections[i].fd >= 0)
			shutdown(s->connections[i].fd, SHUT_RDWR);
	}
	mutex_unlock(&s->lock);
	shutdown(s->listener, SHUT_RDWR); /* accept returns */
	thread_join(&s->thread);
	for (size_t i = 0; i < s->n; i++)
		thread_join(&s->connections[i].thread);
	close(s->listener);
	mutex_deinit(&s->lock);
	mem_free(s);
}

unsigned http_server_port(const struct http_server *s)
{
	return s->port;
}

size_t http_server_connections(struct http_server *s)
{
	LOCK_SCOPE(&s->lock);

	return s->n;
}
