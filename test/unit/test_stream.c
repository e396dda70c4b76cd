/* layers: store base
 *
 * Streams against a peer in the same process: plain, on a UNIX socket, over TLS with every kind of certificate; waits that end, waits
 * that must not be busy, and nothing left open. */
#include "store/stream.h"

#include <dirent.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/mem.h"
#include "base/thread.h"
#include "support/certificates.h"
#include "support/cunit_main.h"

#define LARGE ((size_t)6 * 1024 * 1024) /* more than the kernel keeps of what nobody reads */

static struct certificates certs;

/* --- the peer: accepts one connection and does what the test says --- */

struct peer {
	int listener, fd;
	unsigned port;
	SSL_CTX *ssl_ctx; /* NULL: plain */
	SSL *ssl;
	char server_name[64]; /* that the client asked for */
	int pause_ms;         /* before anything is read */
	size_t received;
	bool is_whole; /* all received bytes were right */
	atomic_bool go;
	void (*act)(struct peer *p);
	struct thread thread;
};

static bool peer_read(struct peer *p, char *bytes, size_t size, size_t *ret_n)
{
	const ssize_t n = p->ssl ? SSL_read(p->ssl, bytes, (int)size) : recv(p->fd, bytes, size, 0);

	*ret_n = n > 0 ? (size_t)n : 0;
	return n > 0;
}

static void peer_write(struct peer *p, struct str bytes)
{
	while (bytes.n > 0) {
		const ssize_t n = p->ssl ? SSL_write(p->ssl, bytes.p, (int)bytes.n)
					 : send(p->fd, bytes.p, bytes.n, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		bytes = str_from(bytes, (size_t)n);
	}
}

static void peer_await_go(struct peer *p)
{
	for (int i = 0; i < 10000 && !p->go; i++)
		clock_sleep_ms(1);
}

static char pattern(size_t i)
{
	return (char)(i * 31 + i / 4096);
}

static void *peer_main(void *arg)
{
	struct peer *p = arg;
	const char *name;

	p->fd = accept(p->listener, NULL, NULL);
	if (p->fd < 0)
		return NULL;
	if (p->ssl_ctx != NULL) {
		p->ssl = SSL_new(p->ssl_ctx);
		(void)SSL_set_fd(p->ssl, p->fd);
		if (SSL_accept(p->ssl) != 1)
			goto out;
		name = SSL_get_servername(p->ssl, TLSEXT_NAMETYPE_host_name);
		(void)snprintf(p->server_name, sizeof(p->server_name), "%s", name ? name : "");
	}
	p->act(p);
out:
	SSL_free(p->ssl);
	(void)close(p->fd);
	ERR_clear_error();
	return NULL;
}

/* A listener on 127.0.0.1, or path. */
static void peer_listen(struct peer *p, const char *path)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	socklen_t size = sizeof(in);
	int rc;

	p->listener = socket(path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (path != NULL) {
		memcpy(un.sun_path, path, strlen(path));
		rc = bind(p->listener, (struct sockaddr *)&un, sizeof(un));
	} else {
		rc = bind(p->listener, (struct sockaddr *)&in, size);
		(void)getsockname(p->listener, (struct sockaddr *)&in, &size);
		p->port = ntohs(in.sin_port);
	}
	if (rc < 0 || listen(p->listener, 1) < 0)
		abort();
}

static void peer_start(struct peer *p, const char *path)
{
	struct err err;

	peer_listen(p, path);
	if (thread_start(&p->thread, "peer", 0, peer_main, p, &err) != ERR_OK)
		abort();
}

static void peer_stop(struct peer *p)
{
	p->go = true;
	(void)shutdown(p->listener, SHUT_RDWR);
	thread_join(&p->thread);
	(void)close(p->listener);
	SSL_CTX_free(p->ssl_ctx);
}

/* --- what peers do --- */

static void act_wait(struct peer *p)
{
	peer_await_go(p);
}

static void act_echo(struct peer *p)
{
	char bytes[64];
	size_t n;

	while (peer_read(p, bytes, sizeof(bytes), &n))
		peer_write(p, str_n(bytes, n));
}

/* Says "hi" late. */
static void act_late(struct peer *p)
{
	clock_sleep_ms(p->pause_ms);
	peer_write(p, STR("hi"));
	peer_await_go(p);
}

/* Takes LARGE bytes, after a while, and gives as many back. */
static void act_large(struct peer *p)
{
	char *bytes = malloc(LARGE);
	size_t n;

	clock_sleep_ms(p->pause_ms);
	p->is_whole = true;
	while (p->received < LARGE && peer_read(p, bytes, LARGE, &n)) {
		for (size_t i = 0; i < n; i++)
			p->is_whole = p->is_whole && bytes[i] == pattern(p->received + i);
		p->received += n;
	}
	for (size_t i = 0; i < LARGE; i++)
		bytes[i] = pattern(i);
	peer_write(p, str_n(bytes, LARGE));
	free(bytes);
	peer_await_go(p);
}

static void act_goodbye(struct peer *p)
{
	if (p->ssl != NULL)
		(void)SSL_shutdown(p->ssl);
}

/* --- the client's side --- */

static struct ctx within_ms(int64_t ms)
{
	return (struct ctx){.clock = &clock_system, .deadline_ms = clock_mono_ms(&clock_system) + ms};
}

static struct stream *open_to(const struct peer *p, struct stream_tls *tls)
{
	const struct ctx ctx = within_ms(10000);
	struct stream *s = NULL;
	struct err err;

	CU_ASSERT_EQUAL_FATAL(
		stream_open(&(struct stream_options){.host = STR("127.0.0.1"), .port = p->port, .tls = tls},
			&ctx, &s, &err),
		ERR_OK);
	return s;
}

/* A TLS context of the server's, for the certificate; NULL: the address's. */
static SSL_CTX *server_ctx(const char *certificate, const char *key)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (SSL_CTX_use_certificate_chain_file(ctx, certificate ? certificate : certs.address) != 1 ||
		SSL_CTX_use_PrivateKey_file(ctx, key ? key : certs.address_key, SSL_FILETYPE_PEM) != 1)
		abort();
	(void)SSL_CTX_set_num_tickets(ctx, 0); /* which would be there to be read when nothing was said */
	return ctx;
}

static struct stream_tls *client_tls(void)
{
	struct stream_tls *tls = NULL;
	struct err err;

	CU_ASSERT_EQUAL_FATAL(
		stream_tls_new(&(struct stream_tls_options){.ca_file = str_c(certs.authority)}, &tls, &err),
		ERR_OK);
	return tls;
}

static int64_t cpu_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static size_t open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	while (readdir(dir) != NULL)
		n++;
	(void)closedir(dir);
	return n;
}

static size_t files_before;

static int init(void)
{
	certificates_make(&certs);
	files_before = open_files();
	return 0;
}

static int clean_up(void)
{
	certificates_remove(&certs);
	return open_files() != files_before;
}

/* --- bytes --- */

/* Everything below happens on both. */
static void with_and_without_tls(void (*test)(struct peer *p, struct stream *s), void (*act)(struct peer *p))
{
	for (int tls = 0; tls < 2; tls++) {
		struct peer p = {.act = act, .pause_ms = 200, .ssl_ctx = tls ? server_ctx(NULL, NULL) : NULL};
		struct stream_tls *client = tls ? client_tls() : NULL;
		struct stream *s;

		(void)signal(
			SIGPIPE, tls ? SIG_IGN : SIG_DFL); /* OpenSSL counts on the process to ignore it */
		peer_start(&p, NULL);
		s = open_to(&p, client);
		test(&p, s);
		stream_free(s);
		peer_stop(&p);
		stream_tls_free(client);
	}
}

static void large(struct peer *p, struct stream *s)
{
	const struct ctx ctx = within_ms(20000);
	char *bytes = mem_alloc(LARGE);
	size_t n, got = 0, wrong = 0;
	struct err err;

	for (size_t i = 0; i < LARGE; i++)
		bytes[i] = pattern(i);
	CU_ASSERT_EQUAL(stream_write(s, &ctx, str_n(bytes, LARGE), &err), ERR_OK);
	while (got < LARGE && stream_read(s, &ctx, bytes, LARGE, &n, &err) == ERR_OK) {
		CU_ASSERT(n > 0);
		for (size_t i = 0; i < n; i++)
			wrong += bytes[i] != pattern(got + i);
		got += n;
	}
	ASSERT_I64(got, LARGE, "all came back");
	ASSERT_I64(wrong, 0, "as it was");
	ASSERT_I64(p->received, LARGE, "all arrived");
	CU_ASSERT(p->is_whole);
	mem_free(bytes);
}

static void test_large(void)
{
	with_and_without_tls(large, act_large);
}

/* Waiting costs no time of the processor's; errors that others left in OpenSSL's queue are not ours. */
static void late(struct peer *p, struct stream *s)
{
	const struct ctx ctx = within_ms(10000);
	const int64_t before_ms = cpu_ms();
	char bytes[8];
	size_t n = 0;
	struct err err;

	(void)p;
	ERR_raise(ERR_LIB_USER, 1);
	CU_ASSERT_EQUAL(stream_read(s, &ctx, bytes, sizeof(bytes), &n, &err), ERR_OK);
	ASSERT_STR(str_n(bytes, n), STR("hi"), "what came");
	CU_ASSERT(cpu_ms() - before_ms < 30);
}

static void test_late(void)
{
	with_and_without_tls(late, act_late);
}

static void full(struct peer *p, struct stream *s)
{
	const struct ctx ctx = within_ms(300);
	const int64_t before_ms = cpu_ms();
	char *bytes = mem_zalloc(8 * LARGE);
	struct err err;

	(void)p;
	ERR_raise(ERR_LIB_USER, 1);
	CU_ASSERT_EQUAL(stream_write(s, &ctx, str_n(bytes, 8 * LARGE), &err), ERR_DEADLINE);
	CU_ASSERT(str_contains(str_c(err.msg), STR("sending to Redis")));
	CU_ASSERT(cpu_ms() - before_ms < 150);
	mem_free(bytes);
}

/* Nobody reads. */
static void test_full(void)
{
	with_and_without_tls(full, act_wait);
}

static void goodbye(struct peer *p, struct stream *s)
{
	const struct ctx ctx = within_ms(10000);
	char bytes[8] = "x";
	struct err err = {.msg = ""};
	size_t n;

	(void)p;
	CU_ASSERT_EQUAL(stream_read(s, &ctx, bytes, sizeof(bytes), &n, &err), ERR_UNAVAILABLE);
	CU_ASSERT(str_contains(str_c(err.msg), STR("closed the connection")) ||
		  str_contains(str_c(err.msg), STR("was closed while waiting")));
	for (int i = 0; i < 10000 && stream_is_quiet(s); i++) /* TLS ends before its socket does */
		clock_sleep_ms(1);
	CU_ASSERT(!stream_is_quiet(s));
	while (stream_write(s, &ctx, STR("x"), &err) == ERR_OK)
		clock_sleep_ms(1);
	CU_ASSERT_EQUAL(err.code, ERR_UNAVAILABLE);
}

static void test_goodbye(void)
{
	with_and_without_tls(goodbye, act_goodbye);
}

static void quiet(struct peer *p, struct stream *s)
{
	const struct ctx ctx = within_ms(10000);
	char bytes[8];
	struct err err;
	size_t n;

	(void)p;
	CU_ASSERT(stream_is_quiet(s));
	CU_ASSERT_EQUAL(stream_write(s, &ctx, STR("ab"), &err), ERR_OK);
	CU_ASSERT_EQUAL(stream_read(s, &ctx, bytes, 1, &n, &err), ERR_OK);
	CU_ASSERT(!stream_is_quiet(s)); /* though of TLS the whole record was taken off the socket */
	CU_ASSERT_EQUAL(stream_read(s, &ctx, bytes + 1, 1, &n, &err), ERR_OK);
	ASSERT_STR(str_n(bytes, 2), STR("ab"), "echo");
}

static void test_quiet(void)
{
	with_and_without_tls(quiet, act_echo);
}

/* --- waits that end --- */

static void *cancel_main(void *arg)
{
	clock_sleep_ms(50);
	cancel_fire(arg);
	return NULL;
}

static void ends(struct peer *p, struct stream *s)
{
	struct cancel *cancel = cancel_new();
	struct ctx ctx = within_ms(10000);
	struct thread thread;
	char bytes[8];
	int64_t before_ms;
	struct err err;
	size_t n;

	(void)p;
	ctx.cancel = cancel;
	CU_ASSERT_EQUAL_FATAL(thread_start(&thread, "cancel", 0, cancel_main, cancel, &err), ERR_OK);
	CU_ASSERT_EQUAL(stream_read(s, &ctx, bytes, sizeof(bytes), &n, &err), ERR_CANCELLED);
	thread_join(&thread);
	before_ms = cpu_ms();
	ctx = within_ms(300); /* the wake-up was the last call's, and does not keep this one awake */
	CU_ASSERT_EQUAL(stream_read(s, &ctx, bytes, sizeof(bytes), &n, &err), ERR_DEADLINE);
	CU_ASSERT(str_contains(str_c(err.msg), STR("waiting for Redis")));
	CU_ASSERT(cpu_ms() - before_ms < 30);
	cancel_unref(cancel);
}

static void test_ends(void)
{
	with_and_without_tls(ends, act_wait);
}

/* --- opening --- */

/* The C library's, but for a name that has three addresses: one where nobody listens, one that swallows packets, and the peer's. */
typedef int(getaddrinfo_fn)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(
	const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **ret_addresses)
{
	static const char *const addresses[] = {"127.0.0.1", "127.0.0.3", "127.0.0.2"};
	void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
	struct addrinfo *all = NULL, *one;
	getaddrinfo_fn *real;

	memcpy(&real, &symbol, sizeof(real)); /* ISO C knows no cast for it */
	if (!str_eq_c(str_c(host), "three.example"))
		return real(host, port, hints, ret_addresses);
	if (hints->ai_flags & AI_NUMERICHOST)
		return EAI_NONAME;
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
		if (real(addresses[i], port, hints, &one) != 0)
			abort();
		one->ai_next = all;
		all = one;
	}
	*ret_addresses = all;
	return 0;
}

/* Listens on 127.0.0.3 and takes nobody any more. */
static int swallow(unsigned port, int *fillers, size_t n)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = {.s_addr = htonl(0x7f000003)}};
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 0) < 0)
		abort();
	for (size_t i = 0; i < n; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)connect(fillers[i], (struct sockaddr *)&address, sizeof(address));
	}
	clock_sleep_ms(20);
	return fd;
}

static void test_addresses(void)
{
	struct peer p = {.act = act_late};
	struct ctx ctx = within_ms(900);
	struct stream *s = NULL;
	int fillers[3], swallower;
	char bytes[8];
	struct err err;
	size_t n;

	peer_start(&p, NULL);
	swallower = swallow(p.port, fillers, ARRAY_LEN(fillers));
	CU_ASSERT_EQUAL_FATAL(
		stream_open(&(struct stream_options){.host = STR("three.example"), .port = p.port}, &ctx, &s,
			&err),
		ERR_OK);
	CU_ASSERT_EQUAL(stream_read(s, &ctx, bytes, sizeof(bytes), &n, &err), ERR_OK);
	stream_free(s);
	s = NULL;
	ctx = within_ms(100);
	CU_ASSERT_EQUAL(stream_open(&(struct stream_options){.host = STR("127.0.0.3"), .port = p.port}, &ctx,
				&s, &err),
		ERR_DEADLINE);
	CU_ASSERT(str_contains(str_c(err.msg), STR("connecting")));
	ctx = within_ms(10000);
	CU_ASSERT_EQUAL(stream_open(&(struct stream_options){.host = STR("127.0.0.2"), .port = p.port}, &ctx,
				&s, &err),
		ERR_UNAVAILABLE);
	CU_ASSERT(str_contains(str_c(err.msg), STR("refused")));
	CU_ASSERT_PTR_NULL(s);
	for (size_t i = 0; i < ARRAY_LEN(fillers); i++)
		(void)close(fillers[i]);
	(void)close(swallower);
	peer_stop(&p);
	ctx = within_ms(1000); /* now nobody listens at any of them */
	CU_ASSERT_EQUAL(stream_open(&(struct stream_options){.host = STR("three.example"), .port = p.port},
				&ctx, &s, &err),
		ERR_UNAVAILABLE);
}

/* Small requests are sent at once, and a peer that is gone is noticed some day. */
static void test_socket_options(void)
{
	struct peer p = {.act = act_wait};
	size_t found = 0;
	struct stream *s;

	peer_start(&p, NULL);
	s = open_to(&p, NULL);
	for (int fd = 3; fd < 1024; fd++) {
		struct sockaddr_in peer = {.sin_port = 0};
		socklen_t size = sizeof(peer), n = sizeof(int);
		int no_delay = 0, keep_alive = 0;

		if (getpeername(fd, (struct sockaddr *)&peer, &size) < 0 || peer.sin_family != AF_INET ||
			ntohs(peer.sin_port) != p.port)
			continue;
		(void)getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, &n);
		(void)getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &keep_alive, &n);
		found += no_delay != 0 && keep_alive != 0;
	}
	ASSERT_I64(found, 1, "the client's socket");
	stream_free(s);
	peer_stop(&p);
}

static void test_path(void)
{
	struct peer p = {.act = act_echo};
	const struct ctx ctx = within_ms(10000);
	struct sockaddr_un address;
	char path[sizeof(address.sun_path) + 1];
	struct stream *s = NULL;
	char bytes[8];
	struct err err;
	size_t n;

	memset(path, 'p', sizeof(path)); /* one byte more than there is room for, with its NUL */
	memcpy(path, certs.folder, strlen(certs.folder));
	path[strlen(certs.folder)] = '/';
	path[sizeof(path) - 1] = '\0';
	CU_ASSERT_EQUAL(
		stream_open(&(struct stream_options){.path = str_c(path)}, &ctx, &s, &err), ERR_INVALID);
	path[sizeof(path) - 2] = '\0';
	CU_ASSERT_EQUAL(
		stream_open(&(struct stream_options){.path = str_c(path)}, &ctx, &s, &err), ERR_UNAVAILABLE);
	peer_start(&p, path);
	CU_ASSERT_EQUAL_FATAL(
		stream_open(&(struct stream_options){.path = str_c(path)}, &ctx, &s, &err), ERR_OK);
	CU_ASSERT_EQUAL(stream_write(s, &ctx, STR("a"), &err), ERR_OK);
	CU_ASSERT_EQUAL(stream_read(s, &ctx, bytes, sizeof(bytes), &n, &err), ERR_OK);
	stream_free(s);
	peer_stop(&p);
	(void)unlink(path);
}

/* --- certificates --- */

/* A handshake, and a word each way: TLS 1.3 reports a client's bad certificate only then. */
static enum err_code shake_hands_by(struct peer *p, struct stream_tls *tls, struct err *reterr)
{
	const struct ctx ctx = within_ms(10000);
	struct stream *s = NULL;
	char bytes[8];
	enum err_code code;
	size_t n;

	peer_start(p, NULL);
	code = stream_open(&(struct stream_options){.host = STR("127.0.0.1"), .port = p->port, .tls = tls},
		&ctx, &s, reterr);
	if (code == ERR_OK)
		code = stream_write(s, &ctx, STR("hello"), reterr);
	if (code == ERR_OK)
		code = stream_read(s, &ctx, bytes, sizeof(bytes), &n, reterr);
	stream_free(s);
	peer_stop(p);
	return code;
}

static enum err_code shake_hands(struct peer *p, const struct stream_tls_options *o, struct err *reterr)
{
	struct stream_tls *tls = NULL;
	enum err_code code;

	CU_ASSERT_EQUAL_FATAL(stream_tls_new(o, &tls, reterr), ERR_OK);
	code = shake_hands_by(p, tls, reterr);
	stream_tls_free(tls);
	return code;
}

static void test_certificates(void)
{
	const struct str ca = str_c(certs.authority), other = str_c(certs.other_authority);
	const struct {
		struct stream_tls_options o;
		bool is_for_name;     /* the server's certificate; else for the address */
		const char *systems;  /* CA certificates; NULL: none that help */
		const char *asks_for; /* SNI */
		enum err_code want;
		const char *says;
	} cases[] = {
		{{.ca_file = ca}, false, NULL, "", ERR_OK, ""},
		{{.ca_file = ca}, true, NULL, "", ERR_UNAUTHENTICATED,
			"certificate of '127.0.0.1' is not good"},
		{{.ca_file = ca, .server_name = STR("redis.example")}, true, NULL, "redis.example", ERR_OK,
			""},
		{{.ca_file = ca, .server_name = STR("10.0.0.1")}, true, NULL, "", ERR_OK, ""},
		{{.ca_file = ca, .server_name = STR("other.example")}, true, NULL, "", ERR_UNAUTHENTICATED,
			"certificate of 'other.example' is not good"},
		{{.ca_file = other}, false, NULL, "", ERR_UNAUTHENTICATED, "is not good"},
		{{.ca_file = other}, false, certs.authority, "", ERR_UNAUTHENTICATED, "is not good"},
		{{.ca_file = STR_EMPTY}, false, certs.authority, "", ERR_OK, ""},
		{{.ca_file = STR_EMPTY}, false, NULL, "", ERR_UNAUTHENTICATED, "is not good"},
		{{.ca_file = other, .accept_any = true}, true, NULL, "", ERR_OK, ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct peer p = {.act = act_echo};
		struct err err = {.msg = ""};

		p.ssl_ctx = cases[i].is_for_name ? server_ctx(certs.name, certs.name_key)
						 : server_ctx(NULL, NULL);
		(void)setenv("SSL_CERT_FILE", cases[i].systems ? cases[i].systems : certs.other_authority, 1);
		ASSERT_I64(shake_hands(&p, &cases[i].o, &err), cases[i].want, err.msg);
		CU_ASSERT(str_contains(str_c(err.msg), str_c(cases[i].says)));
		if (cases[i].want == ERR_OK)
			ASSERT_STR(str_c(p.server_name), str_c(cases[i].asks_for), "SNI");
	}
	(void)unsetenv("SSL_CERT_FILE");
}

/* A server that wants to know who we are; and one that is none, or talks no TLS. */
static void test_client_certificates(void)
{
	const struct str ca = str_c(certs.authority);
	const struct {
		struct stream_tls_options o;
		enum err_code want;
		const char *says;
	} cases[] = {
		{{.ca_file = ca, .cert_file = str_c(certs.client), .key_file = str_c(certs.client_key)},
			ERR_OK, ""},
		{{.ca_file = ca}, ERR_UNAUTHENTICATED, "agreeing on TLS"},
		{{.ca_file = str_c(certs.other_authority), .accept_any = true}, ERR_UNAUTHENTICATED,
			"agreeing on TLS"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct peer p = {.act = act_echo, .ssl_ctx = server_ctx(NULL, NULL)};
		struct err err = {.msg = ""};

		SSL_CTX_set_verify(p.ssl_ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
		(void)SSL_CTX_load_verify_locations(p.ssl_ctx, certs.authority, NULL);
		(void)SSL_CTX_set_max_proto_version(p.ssl_ctx, TLS1_2_VERSION); /* it says so at once */
		ASSERT_I64(shake_hands(&p, &cases[i].o, &err), cases[i].want, err.msg);
		CU_ASSERT(str_contains(str_c(err.msg), str_c(cases[i].says)));
	}
	for (int i = 0; i < 2; i++) {
		struct peer p = {.act = i == 0 ? act_echo : act_goodbye};
		struct err err;

		ASSERT_I64(shake_hands(&p, &cases[0].o, &err), ERR_UNAUTHENTICATED, err.msg);
	}
}

/* They are read anew for each connection: another authority's, none for a moment, then the one that signed the server's. */
static void test_files_change(void)
{
	static const struct {
		const char *file; /* NULL: none */
		enum err_code want;
		const char *says;
	} cases[] = {
		{certs.other_authority, ERR_UNAUTHENTICATED, "is not good"},
		{NULL, ERR_INVALID, "--store-tls-ca-file: '"},
		{certs.authority, ERR_OK, ""},
		{certs.other_authority, ERR_UNAUTHENTICATED, "is not good"},
	};
	struct stream_tls *tls = NULL;
	char path[64];
	struct err err;

	(void)snprintf(path, sizeof(path), "%s/changing.pem", certs.folder);
	CU_ASSERT_EQUAL_FATAL(symlink(certs.other_authority, path), 0);
	CU_ASSERT_EQUAL_FATAL(
		stream_tls_new(&(struct stream_tls_options){.ca_file = str_c(path)}, &tls, &err), ERR_OK);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct peer p = {.act = act_echo, .ssl_ctx = server_ctx(NULL, NULL)};

		(void)unlink(path);
		if (cases[i].file != NULL)
			CU_ASSERT_EQUAL(symlink(cases[i].file, path), 0);
		err.msg[0] = '\0';
		ASSERT_I64(shake_hands_by(&p, tls, &err), cases[i].want, err.msg);
		CU_ASSERT(str_contains(str_c(err.msg), str_c(cases[i].says)));
	}
	(void)unlink(path);
	stream_tls_free(tls);
}

static void test_bad_files(void)
{
	const struct str good = str_c(certs.client), key = str_c(certs.client_key);
	const struct {
		struct stream_tls_options o;
		const char *says;
	} cases[] = {
		{{.ca_file = STR("/nowhere")}, "'/nowhere' is no file of CA certificates"},
		{{.ca_file = key}, "client.key' is no file of CA certificates"},
		{{.cert_file = STR("/nowhere"), .key_file = key}, "'/nowhere' is no certificate chain"},
		{{.cert_file = key, .key_file = key}, "client.key' is no certificate chain"},
		{{.cert_file = good, .key_file = good}, "client.pem' is no private key"},
		{{.cert_file = good, .key_file = str_c(certs.name_key)}, "name.key' is no private key"},
		{{.cert_file = good, .key_file = str_c(certs.locked_key)}, "locked.key' is no private key"},
	};

	const int terminal = dup(STDIN_FILENO);
	int ends[2];

	/* Nobody is asked for the pass phrase, though he would know it. */
	if (terminal < 0 || pipe(ends) < 0 || write(ends[1], "pass phrase\n", 12) < 0 ||
		dup2(ends[0], STDIN_FILENO) < 0)
		abort();
	(void)close(ends[0]);
	(void)close(ends[1]);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct stream_tls *tls = NULL;
		struct err err = {.msg = ""};

		ASSERT_I64(stream_tls_new(&cases[i].o, &tls, &err), ERR_INVALID, cases[i].says);
		CU_ASSERT_PTR_NULL(tls);
		CU_ASSERT(str_contains(str_c(err.msg), str_c(cases[i].says)));
	}
	(void)dup2(terminal, STDIN_FILENO);
	(void)close(terminal);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"large", test_large},
		{"late", test_late},
		{"full", test_full},
		{"goodbye", test_goodbye},
		{"quiet", test_quiet},
		{"ends", test_ends},
		{"addresses", test_addresses},
		{"socket_options", test_socket_options},
		{"path", test_path},
		{"certificates", test_certificates},
		{"client_certificates", test_client_certificates},
		{"files_change", test_files_change},
		{"bad_files", test_bad_files},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"stream", init, clean_up, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
