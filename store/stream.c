#include "store/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/arena.h"
#include "base/mem.h"
#include "store/resolve.h"

struct stream {
	int fd;
	int wake_fd; /* an eventfd: cancellation writes to it */
	SSL *ssl;    /* NULL: plain */
};

struct stream_tls {
	struct arena *arena; /* of the options' texts */
	struct stream_tls_options opts;
};

/* --- waiting --- */

#define FAKE_CLOCK_LOOK_MS 1 /* a test's clock moves without telling poll() */

static void wake(void *arg)
{
	const uint64_t one = 1;

	/* It can only fail when it is full of wake-ups already. */
	if (write(((struct stream *)arg)->wake_fd, &one, sizeof(one)) < 0)
		return;
}

/* Takes the wake-up away; what it was for, ctx_check says. The stream may live longer than the call that was cancelled. */
static void calm(struct stream *s)
{
	uint64_t count;

	if (read(s->wake_fd, &count, sizeof(count)) < 0)
		return; /* somebody was faster: there is none any more */
}

static int poll_timeout(const struct ctx *ctx)
{
	const int64_t left_ms = ctx_left_ms(ctx);

	if (ctx->clock != &clock_system)
		return FAKE_CLOCK_LOOK_MS;
	return left_ms > 60000 ? 60000 : (int)left_ms;
}

/* Until one of the events is there. */
static enum err_code await(
	struct stream *s, const struct ctx *ctx, short events, const char *doing, struct err *reterr)
{
	struct cancel_listener listener = {.fn = wake, .arg = s};
	struct pollfd fds[] = {{.fd = s->fd, .events = events}, {.fd = s->wake_fd, .events = POLLIN}};
	enum err_code rc;

	cancel_listen(ctx->cancel, &listener);
	do {
		rc = ctx_check(ctx, doing, reterr);
		if (rc == ERR_OK && poll(fds, ARRAY_LEN(fds), poll_timeout(ctx)) < 0 && errno != EINTR)
			rc = err_set(reterr, ERR_UNAVAILABLE, "poll: %s", strerror(errno));
		if (fds[1].revents != 0)
			calm(s);
	} while (rc == ERR_OK && fds[0].revents == 0);
	cancel_unlisten(ctx->cancel, &listener);
	return rc;
}

/* --- TLS --- */

/* The reason that OpenSSL gives, of its newest error. */
static const char *tls_reason(char *buffer, size_t size)
{
	const unsigned long code = ERR_peek_last_error();

	if (code == 0)
		return errno != 0 ? strerror(errno) : "the connection was closed";
	ERR_error_string_n(code, buffer, size);
	return buffer;
}

static enum err_code bad_file(const char *option, struct str file, const char *what, struct err *reterr)
{
	char buffer[256];

	return err_set(reterr, ERR_INVALID, "%s: '" STR_FMT "' is no %s: %s", option, STR_ARG(file), what,
		tls_reason(buffer, sizeof(buffer)));
}

static enum err_code load_files(
	SSL_CTX *ctx, const struct stream_tls_options *o, struct arena *arena, struct err *reterr)
{
	const char *cert = str_dup_c(arena, o->cert_file), *key = str_dup_c(arena, o->key_file);

	if (o->ca_file.n > 0 && SSL_CTX_load_verify_locations(ctx, str_dup_c(arena, o->ca_file), NULL) != 1)
		return bad_file("--store-tls-ca-file", o->ca_file, "file of CA certificates (PEM)", reterr);
	if (o->ca_file.n == 0 && SSL_CTX_set_default_verify_paths(ctx) != 1)
		return err_set(reterr, ERR_INVALID,
			"the system's CA certificates cannot be read; --store-tls-ca-file names others");
	if (o->cert_file.n > 0 && SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
		return bad_file("--store-tls-cert-file", o->cert_file, "certificate chain (PEM)", reterr);
	if (o->key_file.n > 0 && SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
		return bad_file("--store-tls-key-file", o->key_file,
			"private key (PEM, without a pass phrase) of the certificate", reterr);
	return ERR_OK;
}

/* OpenSSL would ask at the terminal, and wait. */
static int no_pass_phrase(char *buffer, int size, int writing, void *arg)
{
	(void)buffer;
	(void)size;
	(void)writing;
	(void)arg;
	return 0;
}

/* Of one connection, with the files as they are now. Connections are few: they are kept. */
static enum err_code context_new(const struct stream_tls_options *opts, SSL_CTX **ret_ctx, struct err *reterr)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	ERR_clear_error();
	errno = 0;
	if (ctx == NULL)
		return err_set(reterr, ERR_UNAVAILABLE, "TLS cannot be set up");
	SSL_CTX_set_default_passwd_cb(ctx, no_pass_phrase);
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_verify(ctx, opts->accept_any ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
	if (load_files(ctx, opts, arena, reterr) != ERR_OK) {
		SSL_CTX_free(ctx);
		return reterr->code;
	}
	*ret_ctx = ctx;
	return ERR_OK;
}

enum err_code stream_tls_new(
	const struct stream_tls_options *opts, struct stream_tls **ret_tls, struct err *reterr)
{
	struct stream_tls *t;
	struct arena *arena;
	SSL_CTX *ctx;

	if (context_new(opts, &ctx, reterr) != ERR_OK)
		return reterr->code;
	SSL_CTX_free(ctx);
	arena = arena_new(0);
	t = arena_new_of(arena, struct stream_tls);
	t->arena = arena;
	t->opts = (struct stream_tls_options){.ca_file = str_dup(arena, opts->ca_file),
		.cert_file = str_dup(arena, opts->cert_file),
		.key_file = str_dup(arena, opts->key_file),
		.server_name = str_dup(arena, opts->server_name),
		.accept_any = opts->accept_any};
	*ret_tls = t;
	return ERR_OK;
}

void stream_tls_free(struct stream_tls *t)
{
	if (t != NULL)
		arena_free(t->arena);
}

/* What OpenSSL's call wants before it can go on; ERR_OK: call it again. */
static enum err_code tls_wants(
	struct stream *s, const struct ctx *ctx, int result, const char *doing, struct err *reterr)
{
	char buffer[256];

	switch (SSL_get_error(s->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return await(s, ctx, POLLIN, doing, reterr);
	case SSL_ERROR_WANT_WRITE:
		return await(s, ctx, POLLOUT, doing, reterr);
	case SSL_ERROR_ZERO_RETURN:
		return err_set(reterr, ERR_UNAVAILABLE, "the connection was closed while %s", doing);
	default:
		return err_set(reterr, ERR_UNAVAILABLE, "the connection failed while %s: %s", doing,
			tls_reason(buffer, sizeof(buffer)));
	}
}

/* A name goes into the handshake (SNI), a number does not; both are looked for in the certificate. */
static bool set_peer_name(SSL *ssl, const char *name)
{
	if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1)
		return true;
	return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

static enum err_code start_tls(
	struct stream *s, const struct ctx *ctx, const struct stream_options *o, struct err *reterr)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const struct stream_tls_options *tls = &o->tls->opts;
	const char *name = str_dup_c(arena, tls->server_name.n > 0 ? tls->server_name : o->host);
	SSL_CTX *context;
	enum err_code rc;
	long verdict;
	int result;

	if (context_new(tls, &context, reterr) != ERR_OK)
		return reterr->code;
	s->ssl = SSL_new(context);
	SSL_CTX_free(context); /* the connection holds it */
	if (s->ssl == NULL || SSL_set_fd(s->ssl, s->fd) != 1 || !set_peer_name(s->ssl, name))
		return err_set(reterr, ERR_UNAVAILABLE, "TLS cannot be set up for '%s'", name);
	for (;;) {
		ERR_clear_error();
		errno = 0;
		result = SSL_connect(s->ssl);
		if (result == 1)
			return ERR_OK;
		rc = tls_wants(s, ctx, result, "agreeing on TLS", reterr);
		if (rc == ERR_OK)
			continue;
		verdict = SSL_get_verify_result(s->ssl);
		if (verdict != X509_V_OK && !tls->accept_any)
			return err_set(reterr, ERR_UNAUTHENTICATED, "the certificate of '%s' is not good: %s",
				name, X509_verify_cert_error_string(verdict));
		if (rc == ERR_UNAVAILABLE)
			reterr->code =
				ERR_UNAUTHENTICATED; /* a server that does not talk TLS, or wants a certificate */
		return reterr->code;
	}
}

/* --- opening --- */

static enum err_code connect_to(struct stream *s, const struct ctx *ctx, const struct sockaddr *address,
	socklen_t size, struct err *reterr)
{
	const int on = 1;
	int problem = 0;
	socklen_t n = sizeof(problem);

	s->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		return err_set(reterr, ERR_UNAVAILABLE, "no socket: %s", strerror(errno));
	/* Requests are small, and the answer to each is waited for. Not of a UNIX socket: it fails there, and
	 * means nothing. */
	(void)setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(s->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	if (connect(s->fd, address, size) == 0)
		return ERR_OK;
	if (errno != EINPROGRESS)
		return err_set(reterr, ERR_UNAVAILABLE, "%s", strerror(errno));
	if (await(s, ctx, POLLOUT, "connecting", reterr) != ERR_OK)
		return reterr->code;
	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &problem, &n) < 0 || problem != 0)
		return err_set(reterr, ERR_UNAVAILABLE, "%s", strerror(problem != 0 ? problem : errno));
	return ERR_OK;
}

static void close_socket(struct stream *s)
{
	if (s->fd >= 0)
		(void)close(s->fd);
	s->fd = -1;
}

static enum err_code open_path(struct stream *s, const struct ctx *ctx, struct str path, struct err *reterr)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (path.n >= sizeof(address.sun_path))
		return err_set(reterr, ERR_INVALID, "the path of a UNIX socket has at most %zu bytes",
			sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path.p, path.n);
	return connect_to(s, ctx, (const struct sockaddr *)&address, sizeof(address), reterr);
}

/* Each address of the name in turn. The time left is shared out, so that an address that swallows packets leaves some to the
 * next. */
static enum err_code open_host(
	struct stream *s, const struct ctx *ctx, struct str host, unsigned port, struct err *reterr)
{
	struct addrinfo *all;
	int64_t n = 0;

	if (resolve(ctx, host, port, &all, reterr) != ERR_OK)
		return reterr->code;
	for (const struct addrinfo *a = all; a != NULL; a = a->ai_next)
		n++;
	for (const struct addrinfo *a = all; a != NULL; a = a->ai_next, n--) {
		struct ctx part = *ctx;

		if (ctx->deadline_ms != CTX_NO_DEADLINE)
			part.deadline_ms = clock_mono_ms(ctx->clock) + ctx_left_ms(ctx) / n;
		close_socket(s);
		if (connect_to(s, &part, a->ai_addr, a->ai_addrlen, reterr) == ERR_OK) {
			freeaddrinfo(all);
			return ERR_OK;
		}
	}
	freeaddrinfo(all);
	return reterr->code;
}

static void stream_freep(struct stream **s)
{
	stream_free(*s);
}

enum err_code stream_open(const struct stream_options *opts, const struct ctx *ctx,
	struct stream **ret_stream, struct err *reterr)
{
	CLEANUP(stream_freep) struct stream *s = mem_zalloc(sizeof(*s));

	s->fd = -1;
	s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->wake_fd < 0)
		return err_set(reterr, ERR_UNAVAILABLE, "no eventfd: %s", strerror(errno));
	if (opts->path.n > 0) {
		if (open_path(s, ctx, opts->path, reterr) != ERR_OK)
			return reterr->code;
	} else if (open_host(s, ctx, opts->host, opts->port, reterr) != ERR_OK ||
		   (opts->tls != NULL && start_tls(s, ctx, opts, reterr) != ERR_OK)) {
		return reterr->code;
	}
	*ret_stream = TAKE(s);
	return ERR_OK;
}

void stream_free(struct stream *s)
{
	if (s == NULL)
		return;
	SSL_free(s->ssl); /* no farewell: it could block, and Redis does not mind */
	close_socket(s);
	if (s->wake_fd >= 0)
		(void)close(s->wake_fd);
	mem_free(s);
}

/* --- bytes --- */

#define MAX_CHUNK (1 << 20) /* OpenSSL counts in int */

/* How many went, 0: none now. */
static enum err_code write_some(
	struct stream *s, const struct ctx *ctx, struct str bytes, size_t *ret_n, struct err *reterr)
{
	const size_t n = bytes.n < MAX_CHUNK ? bytes.n : MAX_CHUNK;
	ssize_t sent;

	*ret_n = 0;
	if (s->ssl != NULL) {
		ERR_clear_error();
		errno = 0;
		sent = SSL_write(s->ssl, bytes.p, (int)n);
		if (sent <= 0)
			return tls_wants(s, ctx, (int)sent, "sending to Redis", reterr);
	} else {
		sent = send(s->fd, bytes.p, n, MSG_NOSIGNAL);
		if (sent < 0 && errno == EAGAIN)
			return await(s, ctx, POLLOUT, "sending to Redis", reterr);
		if (sent < 0 && errno != EINTR)
			return err_set(reterr, ERR_UNAVAILABLE, "the connection failed while sending: %s",
				strerror(errno));
	}
	*ret_n = sent > 0 ? (size_t)sent : 0;
	return ERR_OK;
}

enum err_code stream_write(struct stream *s, const struct ctx *ctx, struct str bytes, struct err *reterr)
{
	while (bytes.n > 0) {
		size_t n;

		if (write_some(s, ctx, bytes, &n, reterr) != ERR_OK)
			return reterr->code;
		bytes = str_from(bytes, n);
	}
	return ERR_OK;
}

/* 0: none now. */
static enum err_code read_some(
	struct stream *s, const struct ctx *ctx, char *bytes, size_t size, size_t *ret_n, struct err *reterr)
{
	ssize_t got;

	*ret_n = 0;
	if (s->ssl != NULL) {
		ERR_clear_error();
		errno = 0;
		got = SSL_read(s->ssl, bytes, size < MAX_CHUNK ? (int)size : MAX_CHUNK);
		if (got <= 0)
			return tls_wants(s, ctx, (int)got, "waiting for Redis", reterr);
	} else {
		got = recv(s->fd, bytes, size, 0);
		if (got < 0 && errno == EAGAIN)
			return await(s, ctx, POLLIN, "waiting for Redis", reterr);
		if (got == 0)
			return err_set(reterr, ERR_UNAVAILABLE, "Redis has closed the connection");
		if (got < 0 && errno != EINTR)
			return err_set(reterr, ERR_UNAVAILABLE, "the connection failed while waiting: %s",
				strerror(errno));
	}
	*ret_n = got > 0 ? (size_t)got : 0;
	return ERR_OK;
}

enum err_code stream_read(
	struct stream *s, const struct ctx *ctx, char *bytes, size_t size, size_t *ret_n, struct err *reterr)
{
	do {
		if (read_some(s, ctx, bytes, size, ret_n, reterr) != ERR_OK)
			return reterr->code;
	} while (*ret_n == 0);
	return ERR_OK;
}

bool stream_is_quiet(struct stream *s)
{
	struct pollfd fd = {.fd = s->fd, .events = POLLIN};

	return poll(&fd, 1, 0) == 0 && (s->ssl == NULL || SSL_pending(s->ssl) == 0);
}
