/* layers: base aws
 *
 * The transport against a server that answers as told: well, badly, late, too much, not at all. */
#include "aws/http.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/thread.h"
#include "support/cunit_main.h"
#include "support/http_server.h"

#define BIG_BODY_BYTES (64 << 20)

static struct http_server *server;
static struct http *http;
static atomic_size_t bytes_sent;  /* of /big */
static atomic_int silent_to;      /* connections of /silent and /half */
static atomic_int closed_by_peer; /* those of them that the client closed */
static atomic_int in_handler, most_in_handler;

static const struct ctx forever = {.clock = &clock_system, .deadline_ms = CTX_NO_DEADLINE};

/* ---- the server ---- */

static bool answer_ok(int fd, const struct http_server_request *req)
{
	(void)req;
	return http_server_answer(fd, 200,
		"Content-Type: text/xml\r\nDate: Sat, 21 Nov 2026 02:35:00 GMT\r\nx-amzn-RequestId:  abc-123 "
		"\r\n"
		"X-Amz-Request-Id: second\r\nX-Amzn-ErrorType: Foo:http://x\r\nRetry-After: 7\r\n"
		"x-amz-retry-after: 1500\r\n",
		STR("hello"));
}

static bool answer_echo(int fd, const struct http_server_request *req)
{
	CLEANUP(buf_deinit) struct buf b = {.n = 0};

	buf_init(&b, 1 << 20);
	buf_str(&b, req->method);
	buf_char(&b, ' ');
	buf_str(&b, req->target);
	buf_char(&b, '\n');
	buf_str(&b, req->headers);
	buf_char(&b, '\n');
	buf_str(&b, req->body);
	return http_server_answer(fd, 200, "", buf_view(&b));
}

static bool send_text(int fd, const char *text)
{
	return http_server_send(fd, text, strlen(text));
}

static bool answer_big(int fd, const struct http_server_request *req)
{
	static char block[64 << 10]; /* byte i of the whole body is i / sizeof(block) */
	char mine[sizeof(block)];

	(void)req;
	send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n");
	for (size_t sent = 0; sent < BIG_BODY_BYTES; sent += sizeof(mine)) {
		memset(mine, (int)(sent / sizeof(mine)) & 0xff, sizeof(mine));
		if (!http_server_send(fd, mine, sizeof(mine)))
			return false;
		atomic_fetch_add(&bytes_sent, sizeof(mine));
	}
	return true;
}

static bool answer_slow(int fd, const struct http_server_request *req)
{
	int now = atomic_fetch_add(&in_handler, 1) + 1;

	for (int most = atomic_load(&most_in_handler); now > most;) {
		if (atomic_compare_exchange_weak(&most_in_handler, &most, now))
			break;
	}
	clock_sleep_ms(5);
	atomic_fetch_sub(&in_handler, 1);
	return http_server_answer(fd, 200, "", req->target);
}

static bool answer_silent(int fd, const struct http_server_request *req)
{
	(void)req;
	atomic_fetch_add(&silent_to, 1);
	http_server_wait_for_close(fd);
	atomic_fetch_add(&closed_by_peer, 1);
	return false;
}

static bool answer_half(int fd, const struct http_server_request *req)
{
	send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
	return answer_silent(fd, req);
}

static bool answer_reset(int fd, const struct http_server_request *req)
{
	(void)req;
	http_server_reset_on_close(fd);
	return false;
}

static bool answer_long_headers(int fd, const struct http_server_request *req)
{
	char line[1000];

	(void)req;
	memset(line, 'x', sizeof(line));
	send_text(fd, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 200; i++) {
		send_text(fd, "X-Filler: ");
		http_server_send(fd, line, sizeof(line));
		if (!send_text(fd, "\r\n"))
			return false;
	}
	return send_text(fd, "Content-Length: 0\r\n\r\n");
}

/* Answers that are a constant text. */
static const struct canned {
	const char *path, *text;
	bool keep_open;
} canned[] = {
	{"/empty", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true},
	{"/204", "HTTP/1.1 204 No Content\r\n\r\n", true},
	{"/404", "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone", true},
	{"/500", "HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops", true},
	{"/redirect", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
		true},
	{"/continue",
		"HTTP/1.1 100 Continue\r\nDate: x\r\n\r\nHTTP/1.1 201 Made\r\nContent-Length: 2\r\n\r\nok",
		true},
	{"/chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
		true},
	{"/until-close", "HTTP/1.1 200 OK\r\n\r\nuntil close", false},
	{"/truncated", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello", false},
	{"/truncated-chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhello", false},
	{"/no-answer", "", false},
	{"/half-head", "HTTP/1.1 200 OK\r\nContent-Le", false},
	{"/garbage", "220 smtp.example.com ready\r\n", false},
	{"/bad-chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\nabc", false},
	{"/announces-much", "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", false},
	{"/odd-headers",
		"HTTP/1.1 200 OK\r\nx-amzn-RequestId: a\x01\xff"
		"b\r\nContent-Length: 0\r\n\r\n",
		true},
};

static const struct {
	const char *path;
	bool (*answer)(int fd, const struct http_server_request *req);
} answers[] = {
	{"/ok", answer_ok},
	{"/echo", answer_echo},
	{"/big", answer_big},
	{"/slow", answer_slow},
	{"/silent", answer_silent},
	{"/half", answer_half},
	{"/reset", answer_reset},
	{"/long-headers", answer_long_headers},
};

static bool serve(void *arg, const struct http_server_request *req, int fd)
{
	struct str rest = req->target, path = str_cut(&rest, '?');

	(void)arg;
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		if (str_eq_c(path, answers[i].path))
			return answers[i].answer(fd, req);
	}
	for (size_t i = 0; i < ARRAY_LEN(canned); i++) {
		if (str_eq_c(path, canned[i].path))
			return send_text(fd, canned[i].text) && canned[i].keep_open;
	}
	/* through a proxy: the whole URL */
	return http_server_answer(fd, 200, "", req->target);
}

static int set_up(void)
{
	struct err err;

	server = http_server_start(serve, NULL);
	return http_new(&(struct http_options){.user_agent = STR("test/1")}, &http, &err) == ERR_OK ? 0 : 1;
}

static int tear_down(void)
{
	http_free(http);
	http_server_stop(server);
	return 0;
}

/* ---- asking ---- */

static struct str url_of(struct arena *a, const char *path)
{
	return str_fmt(a, "http://127.0.0.1:%u%s", http_server_port(server), path);
}

/* Reads to the end; the body lives in the arena. */
static enum err_code read_all(struct http_flight *f, const struct ctx *ctx, struct arena *a,
	struct str *ret_body, struct err *reterr)
{
	CLEANUP(buf_deinit) struct buf b = {.n = 0};
	struct str chunk;
	enum err_code rc;

	buf_init(&b, 128 << 20);
	do {
		rc = http_flight_read(f, ctx, &chunk, reterr);
		if (rc == ERR_OK)
			buf_str(&b, chunk);
	} while (rc == ERR_OK && chunk.n);
	*ret_body = buf_dup(&b, a);
	return rc;
}

static enum err_code get(const struct ctx *ctx, struct arena *a, const struct http_request *req,
	int *ret_status, struct str *ret_body, struct err *reterr)
{
	CLEANUP(http_flight_freep) struct http_flight *f = NULL;
	const struct http_head *head;
	enum err_code rc = http_start(http, req, &f, reterr);

	*ret_body = STR_EMPTY;
	*ret_status = 0;
	if (rc == ERR_OK)
		rc = http_flight_head(f, ctx, &head, reterr);
	if (rc != ERR_OK)
		return rc;
	*ret_status = head->status;
	return read_all(f, ctx, a, ret_body, reterr);
}

/* ---- tests ---- */

static void test_answers(void)
{
	static const struct {
		const char *path;
		int status;
		const char *body;
	} rows[] = {
		{"/ok", 200, "hello"},
		{"/empty", 200, ""},
		{"/204", 204, ""},
		{"/404", 404, "gone"},
		{"/500", 500, "oops"},
		{"/redirect", 302, ""},
		{"/continue", 201, "ok"},
		{"/chunked", 200, "abcde"},
		{"/until-close", 200, "until close"},
	};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_request req = {.method = STR("GET"), .url = url_of(a, rows[i].path)};
		struct err err = {.code = ERR_OK};
		struct str body;
		int status;

		ASSERT_I64(get(&forever, a, &req, &status, &body, &err), ERR_OK, rows[i].path);
		ASSERT_I64(status, rows[i].status, rows[i].path);
		ASSERT_STR(body, str_c(rows[i].body), rows[i].path);
	}
}

static void test_bad_answers(void)
{
	static const struct {
		const char *path;
		enum err_code code;
		bool retryable;
		const char *body; /* what arrives before the error */
	} rows[] = {
		{"/truncated", ERR_UNAVAILABLE, true, "hello"},
		{"/truncated-chunk", ERR_UNAVAILABLE, true, "hello"},
		{"/bad-chunk", ERR_UNAVAILABLE, true, ""},
		{"/no-answer", ERR_UNAVAILABLE, true, ""},
		{"/half-head", ERR_UNAVAILABLE, true, ""},
		{"/reset", ERR_UNAVAILABLE, true, ""},
		{"/garbage", ERR_PROTOCOL, false, ""},
		{"/announces-much", ERR_TOO_LARGE, false, ""},
		{"/big", ERR_TOO_LARGE, false, ""},
		{"/long-headers", ERR_TOO_LARGE, false, ""},
	};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_request req = {
			.method = STR("GET"), .url = url_of(a, rows[i].path), .max_body_bytes = 1000};
		struct err err = {.code = ERR_OK};
		struct str body;
		int status;

		ASSERT_I64(get(&forever, a, &req, &status, &body, &err), rows[i].code, rows[i].path);
		ASSERT_I64(err.retryable, rows[i].retryable, rows[i].path);
		ASSERT_STR(body, str_c(rows[i].body), rows[i].path);
		CU_ASSERT(str_starts(str_c(err.msg), STR("127.0.0.1:"))); /* says who */
	}
}

/* A body without a length that grows over the limit. */
static void test_body_over_limit(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct http_request req = {.method = STR("GET"), .url = url_of(a, "/chunked"), .max_body_bytes = 4};
	struct err err = {.code = ERR_OK};
	struct str body;
	int status;

	CU_ASSERT_EQUAL(get(&forever, a, &req, &status, &body, &err), ERR_TOO_LARGE);
	req.max_body_bytes = 5;
	CU_ASSERT_EQUAL(get(&forever, a, &req, &status, &body, &err), ERR_OK);
}

static void test_head(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	CLEANUP(http_flight_freep) struct http_flight *f = NULL;
	struct http_request req = {.method = STR("GET"), .url = url_of(a, "/ok")};
	const struct http_head *head = NULL, *again = NULL;
	struct err err;

	CU_ASSERT_EQUAL_FATAL(http_start(http, &req, &f, &err), ERR_OK);
	CU_ASSERT_EQUAL_FATAL(http_flight_head(f, &forever, &head, &err), ERR_OK);
	ASSERT_I64(head->content_length, 5, "length");
	ASSERT_STR(head->content_type, STR("text/xml"), "content type");
	ASSERT_STR(head->date, STR("Sat, 21 Nov 2026 02:35:00 GMT"), "date");
	ASSERT_STR(head->request_id, STR("abc-123"), "request id: the first, trimmed");
	ASSERT_STR(head->error_type, STR("Foo:http://x"), "error type");
	ASSERT_STR(head->retry_after, STR("7"), "retry after");
	ASSERT_STR(head->amz_retry_after, STR("1500"), "amz retry after");
	CU_ASSERT_EQUAL(http_flight_head(f, &forever, &again, &err), ERR_OK);
	CU_ASSERT_PTR_EQUAL(head, again);
}

static void test_odd_headers_are_dropped(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	CLEANUP(http_flight_freep) struct http_flight *f = NULL;
	struct http_request req = {.method = STR("GET"), .url = url_of(a, "/odd-headers")};
	const struct http_head *head;
	struct err err;

	CU_ASSERT_EQUAL_FATAL(http_start(http, &req, &f, &err), ERR_OK);
	CU_ASSERT_EQUAL_FATAL(http_flight_head(f, &forever, &head, &err), ERR_OK);
	CU_ASSERT_EQUAL(head->request_id.n, 0);
}

static void check_echo(
	struct arena *a, struct http_request *req, const char *want_start, struct str *ret_echo)
{
	struct err err;
	int status;

	CU_ASSERT_EQUAL(get(&forever, a, req, &status, ret_echo, &err), ERR_OK);
	CU_ASSERT(str_starts(*ret_echo, str_c(want_start)));
}

static void test_requests(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	const struct http_header headers[] = {{STR("X-Amz-Target"), STR("Svc.Op")},
		{STR("X-Empty"), STR_EMPTY}, {STR("Host"), STR("example.com")}};
	struct http_request req = {.method = STR("POST"),
		.url = url_of(a, "/echo?b=%2F&a"),
		.headers = headers,
		.n_headers = ARRAY_LEN(headers),
		.body = STR("x\0y")};
	struct str echo;

	check_echo(a, &req, "POST /echo?b=%2F&a\n", &echo);
	CU_ASSERT(str_ends(echo, STR("\r\n\nx\0y")));
	CU_ASSERT(str_contains(echo, STR("X-Amz-Target: Svc.Op\r\n")));
	CU_ASSERT(str_contains(echo, STR("X-Empty:\r\n")));
	CU_ASSERT(str_contains(echo, STR("Host: example.com\r\n")));
	CU_ASSERT(str_contains(echo, STR("User-Agent: test/1\r\n")));
	CU_ASSERT(str_contains(echo, STR("Content-Length: 3\r\n")));
	CU_ASSERT_FALSE(str_contains(echo, STR("Expect")));
	CU_ASSERT_FALSE(str_contains(echo, STR("Content-Type")));

	req = (struct http_request){.method = STR("PUT"), .url = url_of(a, "/echo")};
	check_echo(a, &req, "PUT /echo\n", &echo);
	CU_ASSERT(str_contains(echo, STR("Content-Length: 0\r\n")));
	req = (struct http_request){.method = STR("DELETE"), .url = url_of(a, "/echo"), .body = STR("b")};
	check_echo(a, &req, "DELETE /echo\n", &echo);
}

static void test_requests_that_cannot_be_sent(void)
{
	static const struct http_header newline = {STR_INIT("X-A"), STR_INIT("b\r\nX-B: c")};
	static const struct http_header bad_name = {STR_INIT("X A"), STR_INIT("b")};
	const struct http_request rows[] = {
		{.method = STR("GET"), .url = STR("ftp://127.0.0.1/")},
		{.method = STR("GET"), .url = STR("127.0.0.1/")},
		{.method = STR("GET"), .url = STR("")},
		{.method = STR("GET"), .url = STR("http://")},
		{.method = STR("GET"), .url = STR("http:///x")},
		{.method = STR("GET"), .url = STR("http://me:pw@127.0.0.1/")},
		{.method = STR("GET"), .url = STR("http://127.0.0.1/a b")},
		{.method = STR("GET"), .url = STR("http://127.0.0.1/\n")},
		{.method = STR("GET /\r\n"), .url = STR("http://127.0.0.1/")},
		{.method = STR(""), .url = STR("http://127.0.0.1/")},
		{.method = STR("GET"), .url = STR("http://127.0.0.1/"), .headers = &newline, .n_headers = 1},
		{.method = STR("GET"), .url = STR("http://127.0.0.1/"), .headers = &bad_name, .n_headers = 1},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_flight *f = NULL;
		struct err err = {.code = ERR_OK};

		CU_ASSERT_EQUAL(http_start(http, &rows[i], &f, &err), ERR_INVALID);
		CU_ASSERT_PTR_NULL(f);
		CU_ASSERT_FALSE(str_contains(str_c(err.msg), STR("pw")));
	}
}

/* A URL that passes our look at it and not curl's. */
static void test_malformed_url(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct http_request req = {.method = STR("GET"), .url = STR("http://127.0.0.1:99999999/")};
	struct err err = {.code = ERR_OK};
	struct str body;
	int status;

	CU_ASSERT_EQUAL(get(&forever, a, &req, &status, &body, &err), ERR_INVALID);
	CU_ASSERT_FALSE(err.retryable);
}

/* A socket that has a port and does not listen: nobody else gets the port, and who connects is refused. */
static int deaf_socket(unsigned *ret_port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	CU_ASSERT_EQUAL_FATAL(getsockname(fd, (struct sockaddr *)&address, &n), 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static void test_refused(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	unsigned port;
	int fd = deaf_socket(&port);
	struct http_request req = {.method = STR("GET"), .url = str_fmt(a, "http://127.0.0.1:%u/", port)};
	struct err err = {.code = ERR_OK};
	struct str body;
	int status;

	CU_ASSERT_EQUAL(get(&forever, a, &req, &status, &body, &err), ERR_UNAVAILABLE);
	CU_ASSERT(err.retryable);
	close(fd);
}

/* What a name that does not resolve means depends on whether a name server says so; the test asks the same
 * resolver. */
static void test_unknown_host(void)
{
	static const char name[] = "no-such-host.baton-awsd.invalid";
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct http_request req = {.method = STR("GET"), .url = str_fmt(a, "http://%s:80/", name)};
	struct addrinfo *found = NULL;
	struct err err = {.code = ERR_OK};
	struct str body;
	int status, rc = getaddrinfo(name, NULL, NULL, &found);
	bool nxdomain = rc == EAI_NONAME || rc == EAI_NODATA;

	if (rc == 0)
		freeaddrinfo(found);
	CU_ASSERT_EQUAL(
		get(&forever, a, &req, &status, &body, &err), nxdomain ? ERR_INVALID : ERR_UNAVAILABLE);
	CU_ASSERT_EQUAL(err.retryable, !nxdomain);
	CU_ASSERT(str_contains(str_c(err.msg), str_c(name)));
}

static void test_attempt_times_out(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct http_request req = {.method = STR("GET"), .url = url_of(a, "/silent"), .timeout_ms = 50};
	struct err err = {.code = ERR_OK};
	struct str body;
	int status;

	CU_ASSERT_EQUAL(get(&forever, a, &req, &status, &body, &err), ERR_DEADLINE);
	CU_ASSERT(err.retryable);
	req.url = url_of(a, "/half");
	do { /* until the half was there in time */
		req.timeout_ms *= 2;
		CU_ASSERT_EQUAL(get(&forever, a, &req, &status, &body, &err), ERR_DEADLINE);
	} while (body.n == 0 && req.timeout_ms < 10000);
	CU_ASSERT_EQUAL(status, 200);
	ASSERT_STR(body, STR("hello"), "what came before");
}

static void test_deadline_of_the_call(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	static const char *const paths[] = {"/silent", "/half"};

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct http_request req = {.method = STR("GET"), .url = url_of(a, paths[i])};
		struct ctx ctx = {
			.clock = &clock_system, .deadline_ms = clock_mono_ms(&clock_system) + (i ? 100 : 30)};
		struct err err = {.code = ERR_OK};
		struct str body;
		int status;

		ASSERT_I64(get(&ctx, a, &req, &status, &body, &err), ERR_DEADLINE, paths[i]);
		CU_ASSERT_FALSE(err.retryable);
	}
}

struct canceller {
	struct cancel *cancel;
	int silent_before;
};

static void *fire_when_asked(void *arg)
{
	const struct canceller *c = arg;

	while (atomic_load(&silent_to) == c->silent_before)
		clock_sleep_ms(1);
	cancel_fire(c->cancel);
	return NULL;
}

static void test_cancel(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct http_request req = {.method = STR("GET"), .url = url_of(a, "/silent")};
	struct cancel *cancel = cancel_new();
	struct ctx ctx = {.clock = &clock_system, .deadline_ms = CTX_NO_DEADLINE, .cancel = cancel};
	struct canceller canceller = {cancel, atomic_load(&silent_to)};
	struct err err = {.code = ERR_OK};
	struct thread t;
	struct str body;
	int status;

	CU_ASSERT_EQUAL_FATAL(thread_start(&t, "canceller", 0, fire_when_asked, &canceller, &err), ERR_OK);
	CU_ASSERT_EQUAL(get(&ctx, a, &req, &status, &body, &err), ERR_CANCELLED);
	thread_join(&t);
	cancel_unref(cancel);
	/* The transfer in flight has ended too: its connection is closed. */
	while (atomic_load(&closed_by_peer) < atomic_load(&silent_to))
		clock_sleep_ms(1);
}

/* Freed in every state, and the transport right after: nothing leaks and nothing hangs. */
static void test_give_up(void)
{
	static const char *const paths[] = {"/ok", "/silent", "/half", "/big", "/refused"};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);

	for (int wait = 0; wait < 3; wait++) {
		struct http_flight *flights[ARRAY_LEN(paths)];
		struct http *mine = NULL;
		struct err err;

		CU_ASSERT_EQUAL_FATAL(
			http_new(&(struct http_options){.max_host_connections = 4}, &mine, &err), ERR_OK);
		for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
			struct http_request req = {.method = STR("GET"), .url = url_of(a, paths[i])};

			CU_ASSERT_EQUAL_FATAL(http_start(mine, &req, &flights[i], &err), ERR_OK);
		}
		if (wait)
			clock_sleep_ms(wait == 1 ? 1 : 30);
		for (size_t i = 0; i < ARRAY_LEN(paths); i++)
			http_flight_free(flights[i]);
		http_free(mine);
	}
	http_flight_free(NULL);
	http_free(NULL);
}

/* Whoever does not read stops the sender; whoever reads gets every byte. */
static void test_back_pressure(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	CLEANUP(http_flight_freep) struct http_flight *f = NULL;
	struct http_request req = {
		.method = STR("GET"), .url = url_of(a, "/big"), .max_body_bytes = BIG_BODY_BYTES};
	size_t total = 0, wrong = 0, before, biggest = 0;
	const struct http_head *head;
	struct str chunk;
	struct err err;

	/* The server's thread of an earlier test may still be writing its last block. */
	clock_sleep_ms(20);
	atomic_store(&bytes_sent, 0);
	CU_ASSERT_EQUAL_FATAL(http_start(http, &req, &f, &err), ERR_OK);
	CU_ASSERT_EQUAL_FATAL(http_flight_head(f, &forever, &head, &err), ERR_OK);
	do { /* until it stands still */
		before = atomic_load(&bytes_sent);
		clock_sleep_ms(100);
	} while (atomic_load(&bytes_sent) != before);
	CU_ASSERT(before < BIG_BODY_BYTES / 2); /* the sockets' buffers hold some megabytes */
	do {
		CU_ASSERT_EQUAL_FATAL(http_flight_read(f, &forever, &chunk, &err), ERR_OK);
		for (size_t i = 0; i < chunk.n; i += 997)
			wrong += (unsigned char)chunk.p[i] != (((total + i) >> 16) & 0xff);
		total += chunk.n;
		biggest = chunk.n > biggest ? chunk.n : biggest;
	} while (chunk.n);
	CU_ASSERT_EQUAL(total, BIG_BODY_BYTES);
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(biggest <= 256 << 10);
}

#define N_MANY 200

/* One thread drives 200 requests at once over at most 32 connections. */
static void test_many_from_one_thread(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	CLEANUP(http_waiter_freep) struct http_waiter *w = http_waiter_new();
	struct http_flight *flights[N_MANY];
	struct buf bodies[N_MANY] = {{.n = 0}};
	bool has_head[N_MANY] = {false};
	size_t left = N_MANY, wrong = 0;
	struct err err;

	atomic_store(&most_in_handler, 0);
	for (size_t i = 0; i < N_MANY; i++) {
		struct http_request req = {.method = STR("GET"),
			.waiter = w,
			.url = str_fmt(a, STR_FMT "%zu", STR_ARG(url_of(a, "/slow?")), i)};

		buf_init(&bodies[i], 100);
		CU_ASSERT_EQUAL_FATAL(http_start(http, &req, &flights[i], &err), ERR_OK);
	}
	while (left) {
		for (size_t i = 0; i < N_MANY; i++) {
			while (flights[i] && http_flight_ready(flights[i])) {
				const struct http_head *head;
				struct str chunk;

				if (!has_head[i]) {
					wrong +=
						http_flight_head(flights[i], &forever, &head, &err) != ERR_OK;
					has_head[i] = true;
					continue;
				}
				wrong += http_flight_read(flights[i], &forever, &chunk, &err) != ERR_OK;
				buf_str(&bodies[i], chunk);
				if (chunk.n)
					continue;
				http_flight_free(TAKE(flights[i]));
				left--;
			}
		}
		if (left)
			CU_ASSERT_EQUAL_FATAL(http_waiter_wait(w, &forever, INT64_MAX, &err), ERR_OK);
	}
	CU_ASSERT_EQUAL(wrong, 0);
	for (size_t i = 0; i < N_MANY; i++) {
		ASSERT_STR(buf_view(&bodies[i]), str_fmt(a, "/slow?%zu", i), "body");
		buf_deinit(&bodies[i]);
	}
	CU_ASSERT(atomic_load(&most_in_handler) > 1);
	CU_ASSERT(atomic_load(&most_in_handler) <= 32);
}

static void test_waiter_times_out(void)
{
	CLEANUP(http_waiter_freep) struct http_waiter *w = http_waiter_new();
	struct ctx soon = {.clock = &clock_system, .deadline_ms = clock_mono_ms(&clock_system) + 10};
	struct err err;

	CU_ASSERT_EQUAL(http_waiter_wait(w, &forever, 5, &err), ERR_OK);
	CU_ASSERT_EQUAL(http_waiter_wait(w, &soon, INT64_MAX, &err), ERR_DEADLINE);
}

/* Threads that have no more in common than the transport. */
static void *hammer(void *arg)
{
	static const char *const paths[] = {
		"/ok", "/404", "/truncated", "/chunked", "/no-answer", "/slow", "/empty"};
	atomic_int *wrong = arg;

	for (int i = 0; i < 40; i++) {
		struct arena *a = arena_new(0);
		const char *path = paths[(size_t)i % ARRAY_LEN(paths)];
		struct http_request req = {
			.method = STR("POST"), .url = url_of(a, path), .body = STR("body")};
		enum err_code want = i % 7 == 2 || i % 7 == 4 ? ERR_UNAVAILABLE : ERR_OK;
		struct str body;
		struct err err;
		int status;

		if (get(&forever, a, &req, &status, &body, &err) != want)
			atomic_fetch_add(wrong, 1);
		arena_free(a);
	}
	return NULL;
}

static void test_many_threads(void)
{
	struct thread threads[16];
	atomic_int wrong = 0;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		CU_ASSERT_EQUAL_FATAL(thread_start(&threads[i], "hammer", 0, hammer, &wrong, &err), ERR_OK);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		thread_join(&threads[i]);
	CU_ASSERT_EQUAL(atomic_load(&wrong), 0);
}

static void test_connections_are_reused(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct http_stats before = http_get_stats(http), after;
	struct str body;
	struct err err;
	int status;

	for (int i = 0; i < 20; i++) {
		struct http_request req = {.method = STR("POST"), .url = url_of(a, "/ok"), .body = STR("x")};

		CU_ASSERT_EQUAL(get(&forever, a, &req, &status, &body, &err), ERR_OK);
	}
	after = http_get_stats(http);
	ASSERT_I64(after.requests - before.requests, 20, "requests");
	CU_ASSERT(after.connections - before.connections <= 1);
	ASSERT_I64(after.bytes_in - before.bytes_in, 100, "bytes");
}

static enum err_code get_with_options(
	struct arena *a, const char *const *environ, struct str url, bool direct, struct str *ret_body)
{
	struct http *shared = http;
	struct http_request req = {.method = STR("GET"), .url = url, .direct = direct};
	enum err_code rc;
	struct err err;
	int status;

	CU_ASSERT_EQUAL_FATAL(http_new(&(struct http_options){.environ = environ}, &http, &err), ERR_OK);
	rc = get(&forever, a, &req, &status, ret_body, &err);
	http_free(http);
	http = shared;
	return rc;
}

static enum err_code get_with_proxy(
	struct arena *a, const char *const *environ, struct str url, struct str *ret_body)
{
	return get_with_options(a, environ, url, /* direct= */ false, ret_body);
}

static void test_proxy(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct str proxy = str_fmt(a, "http_proxy=http://127.0.0.1:%u", http_server_port(server));
	const char *const with_proxy[] = {proxy.p, NULL};
	const char *const without[] = {proxy.p, "NO_PROXY=.example.invalid,other.invalid", NULL};
	struct str body;

	CU_ASSERT_EQUAL(get_with_proxy(a, with_proxy, STR("http://iam.example.invalid/x"), &body), ERR_OK);
	ASSERT_STR(body, STR("http://iam.example.invalid/x"), "through the proxy");
	CU_ASSERT_EQUAL(get_with_proxy(a, with_proxy, url_of(a, "/ok"), &body), ERR_OK);
	ASSERT_STR(body, STR("hello"), "loopback does not go through it");
	CU_ASSERT_EQUAL(get_with_proxy(a, without, url_of(a, "/ok"), &body), ERR_OK);
	ASSERT_STR(body, STR("hello"), "also when there is a list of exceptions");
	CU_ASSERT_NOT_EQUAL(get_with_proxy(a, without, STR("http://iam.example.invalid/x"), &body), ERR_OK);
	CU_ASSERT_NOT_EQUAL(get_with_options(a, with_proxy, STR("http://iam.example.invalid/x"),
				    /* direct= */ true, &body),
		ERR_OK);
}

/* A proxy's URL may have a password, and curl quotes what it cannot use. */
static void test_proxy_password_is_not_told(void)
{
	static const char *const proxies[] = {
		"http_proxy=ftp://user:hunter2@127.0.0.1:9",
		"http_proxy=http://user:hunter2@[::1",
		"http_proxy=http://user:hunter2@127.0.0.1:999999",
		"http_proxy=http://user:hunter2@127.0.0.1:1",
	};

	for (size_t i = 0; i < ARRAY_LEN(proxies); i++) {
		CLEANUP(arena_freep) struct arena *a = arena_new(0);
		const char *const env[] = {proxies[i], NULL};
		struct http_request req = {.method = STR("GET"), .url = STR("http://iam.example.invalid/x")};
		struct http *shared = http;
		struct err err = {.code = ERR_OK};
		struct str body;
		int status;

		CU_ASSERT_EQUAL_FATAL(http_new(&(struct http_options){.environ = env}, &http, &err), ERR_OK);
		CU_ASSERT_NOT_EQUAL(get(&forever, a, &req, &status, &body, &err), ERR_OK);
		CU_ASSERT(!str_contains(str_c(err.msg), STR("hunter2")));
		http_free(http);
		http = shared;
	}
}

static void test_ca_bundle(void)
{
	struct http *h = NULL;
	struct err err;

	CU_ASSERT_EQUAL(
		http_new(&(struct http_options){.ca_bundle = STR("/no/such/file")}, &h, &err), ERR_INVALID);
	CU_ASSERT(str_contains(str_c(err.msg), STR("/no/such/file")));
	CU_ASSERT_PTR_NULL(h);
}

/* TLS to a server that does not speak it. */
static void test_no_tls(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct http_request req = {.method = STR("GET"),
		.url = str_fmt(a, "https://127.0.0.1:%u/ok", http_server_port(server)),
		.timeout_ms = 200};
	struct err err = {.code = ERR_OK};
	struct str body;
	int status;

	/* Its request never ends for the server, so either side may give up first. */
	(void)get(&forever, a, &req, &status, &body, &err);
	CU_ASSERT(err.code == ERR_UNAVAILABLE || err.code == ERR_DEADLINE);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"answers", test_answers},
		{"bad answers", test_bad_answers},
		{"a body over its limit", test_body_over_limit},
		{"head", test_head},
		{"odd headers", test_odd_headers_are_dropped},
		{"requests", test_requests},
		{"requests that cannot be sent", test_requests_that_cannot_be_sent},
		{"malformed URL", test_malformed_url},
		{"refused", test_refused},
		{"unknown host", test_unknown_host},
		{"an attempt times out", test_attempt_times_out},
		{"deadline of the call", test_deadline_of_the_call},
		{"cancel", test_cancel},
		{"give up", test_give_up},
		{"back pressure", test_back_pressure},
		{"many from one thread", test_many_from_one_thread},
		{"waiter times out", test_waiter_times_out},
		{"many threads", test_many_threads},
		{"connections are reused", test_connections_are_reused},
		{"proxy", test_proxy},
		{"proxy password is not told", test_proxy_password_is_not_told},
		{"CA bundle", test_ca_bundle},
		{"no TLS", test_no_tls},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"http", set_up, tear_down, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
