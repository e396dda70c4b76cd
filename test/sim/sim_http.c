/* DESIGN
 * libmicrohttpd calls `handle` at least three times per request: when the headers are there, for pieces of
 * the body, and when the body is complete. A request that has to wait is suspended (sim_delay.c) and comes
 * back once more. What belongs to it meanwhile is a struct exchange, freed by libmicrohttpd's completion
 * callback. */
#include "sim/sim_http.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <microhttpd.h>

#include "base/mem.h"
#include "sim/sim_delay.h"
#include "sim/sim_request.h"

#define BODY_MAX       ((size_t)1 << 20)
#define EXCHANGE_MAGIC UINT32_C(0x51a6e8c1)
#define STREAM_BLOCK   ((size_t)64 * 1024)

struct sim_http {
	struct sim *sim;
	struct MHD_Daemon *daemon;
	struct sim_delay *delay;
};

struct exchange {
	uint32_t magic;
	struct arena *arena;
	struct buf body;
	bool answered; /* answer is filled; what is left is sending it */
	bool waited;
	struct sim_answer answer;
};

static struct exchange *exchange_new(void)
{
	struct exchange *x = mem_zalloc(sizeof(*x));

	x->magic = EXCHANGE_MAGIC;
	x->arena = arena_new(0);
	buf_init(&x->body, BODY_MAX);
	return x;
}

static void exchange_free(struct exchange *x)
{
	assert(x->magic == EXCHANGE_MAGIC);
	buf_deinit(&x->body);
	buf_deinit(&x->answer.body);
	arena_free(x->arena);
	mem_free(x);
}

static void completed(
	void *cls, struct MHD_Connection *connection, void **req_cls, enum MHD_RequestTerminationCode why)
{
	(void)cls, (void)connection, (void)why;
	if (*req_cls != NULL)
		exchange_free(*req_cls);
	*req_cls = NULL;
}

/* --- reading --- */
struct pairs {
	struct arena *arena;
	bool lower;
	struct sim_param *items; /* NULL: only count */
	size_t n;
};

static enum MHD_Result collect(void *cls, enum MHD_ValueKind kind, const char *key, size_t key_size,
	const char *value, size_t value_size)
{
	struct pairs *p = cls;

	(void)kind;
	if (p->items != NULL) {
		struct str name = str_n(key, key_size);
		p->items[p->n].name = p->lower ? str_lower(p->arena, name) : str_dup(p->arena, name);
		p->items[p->n].value =
			value != NULL ? str_dup(p->arena, str_n(value, value_size)) : STR_EMPTY;
	}
	p->n++;
	return MHD_YES;
}

static struct sim_param *pairs_of(
	struct MHD_Connection *connection, enum MHD_ValueKind kind, struct arena *arena, size_t *ret_n)
{
	struct pairs p = {.arena = arena, .lower = kind == MHD_HEADER_KIND};

	MHD_get_connection_values_n(connection, kind, collect, &p);
	p.items = arena_array_of(arena, p.n + 1, struct sim_param);
	p.n = 0;
	MHD_get_connection_values_n(connection, kind, collect, &p);
	*ret_n = p.n;
	return p.items;
}

static void answer_text(struct sim_answer *ret, unsigned status, const char *text)
{
	*ret = (struct sim_answer){.status = status, .content_type = "text/plain"};
	buf_init(&ret->body, SIZE_MAX / 2);
	buf_c(&ret->body, text);
}

static void answer(struct sim_http *h, struct exchange *x, struct MHD_Connection *connection, const char *url,
	const char *method)
{
	struct sim_request req = {.method = str_c(method), .path = str_c(url), .body = buf_view(&x->body)};

	req.headers = pairs_of(connection, MHD_HEADER_KIND, x->arena, &req.n_headers);
	req.query = pairs_of(connection, MHD_GET_ARGUMENT_KIND, x->arena, &req.n_query);
	if (x->body.overflow)
		answer_text(&x->answer, 413, "the request is too large\n");
	else if (str_starts(req.path, STR("/sim/")))
		sim_control(h->sim, &req, x->arena, &x->answer);
	else if (str_eq_c(req.path, "/"))
		sim_dispatch(h->sim, &req, x->arena, &x->answer);
	else
		answer_text(&x->answer, 404, "no such path\n");
	x->answered = true;
}

/* --- sending --- */
static void free_body(void *cls)
{
	mem_free(cls);
}

/* A body that is more, or less, than it says: sent by pieces. */
struct stream {
	struct buf body;
	const char *pad; /* over and over */
	size_t pad_len;
	uint64_t pads_at, pads_end; /* padding lies between, from pads_at in the body */
	uint64_t break_at;          /* the connection ends here; UINT64_MAX: never */
};

static ssize_t stream_read(void *cls, uint64_t pos, char *out, size_t max)
{
	const struct stream *s = cls;
	size_t n = 0;

	for (; n < max && pos < s->break_at; n++, pos++) {
		if (pos < s->pads_at)
			out[n] = s->body.p[pos];
		else if (pos < s->pads_end)
			out[n] = s->pad[(pos - s->pads_at) % s->pad_len];
		else if (pos - (s->pads_end - s->pads_at) < s->body.n)
			out[n] = s->body.p[pos - (s->pads_end - s->pads_at)];
		else
			break;
	}
	return n > 0 ? (ssize_t)n : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void stream_free(void *cls)
{
	struct stream *s = cls;

	buf_deinit(&s->body);
	mem_free(s);
}

static struct MHD_Response *stream_response(struct sim_answer *a)
{
	struct stream *s = mem_zalloc(sizeof(*s));
	s->body = a->body;
	a->body = (struct buf){0};
	s->break_at = a->wire == SIM_WIRE_TRUNCATE ? a->wire_bytes : UINT64_MAX;
	if (a->wire == SIM_WIRE_OVERSIZE) {
		s->pad = a->padding;
		s->pad_len = strlen(a->padding);
		s->pads_at = (uint64_t)(str_rfind_char(buf_view(&s->body), a->pad_before));
		s->pads_end = s->pads_at + (a->wire_bytes / s->pad_len + 1) * s->pad_len;
	}
	return MHD_create_response_from_callback(
		s->body.n + s->pads_end - s->pads_at, STREAM_BLOCK, stream_read, s, stream_free);
}

static struct MHD_Response *whole_response(struct sim_answer *a)
{
	struct MHD_Response *r;

	if (a->body.n == 0)
		return MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
	r = MHD_create_response_from_buffer_with_free_callback(a->body.n, a->body.p, free_body);
	a->body = (struct buf){0};
	return r;
}

/* The Date header: the simulator's clock, from which a client may learn how wrong its own is. */
static void add_date(struct MHD_Response *r, int64_t now_s)
{
	char text[64];
	struct tm tm;
	time_t t = (time_t)now_s;

	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm); /* the C locale */
	MHD_add_response_header(r, MHD_HTTP_HEADER_DATE, text);
}

static enum MHD_Result send_answer(
	struct sim_http *h, struct MHD_Connection *connection, struct sim_answer *a)
{
	if (a->wire == SIM_WIRE_CLOSE)
		return MHD_NO;
	struct MHD_Response *r = a->wire == SIM_WIRE_WHOLE ? whole_response(a) : stream_response(a);
	add_date(r, sim_now_s(h->sim));
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, a->content_type);
	if (a->request_id[0] != '\0')
		MHD_add_response_header(r, "x-amzn-RequestId", a->request_id);
	enum MHD_Result queued = MHD_queue_response(connection, a->status, r);
	MHD_destroy_response(r);
	return queued;
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *upload, size_t *upload_size, void **req_cls)
{
	struct sim_http *h = cls;
	struct exchange *x = *req_cls;

	(void)version;
	if (x == NULL) {
		*req_cls = exchange_new();
		return MHD_YES;
	}
	assert(x->magic == EXCHANGE_MAGIC);
	if (*upload_size > 0) {
		buf_add(&x->body, upload, *upload_size);
		*upload_size = 0;
		return MHD_YES;
	}
	if (!x->answered)
		answer(h, x, connection, url, method);
	if (x->answer.delay_ms > 0 && !x->waited) {
		x->waited = true;
		if (sim_delay_add(h->delay, connection, x->answer.delay_ms))
			return MHD_YES;
	}
	return send_answer(h, connection, &x->answer);
}

/* --- life --- */
static enum err_code parse_listen(struct str listen, struct sockaddr_in *ret, struct err *reterr)
{
	ptrdiff_t colon = str_rfind_char(listen, ':');
	char host[64];
	uint64_t port;

	if (colon < 0 || (size_t)colon >= sizeof(host) ||
		!str_to_u64(str_from(listen, (size_t)colon + 1), &port) || port > 65535)
		return err_set(reterr, ERR_INVALID, "'" STR_FMT "' is not ADDRESS:PORT", STR_ARG(listen));
	snprintf(host, sizeof(host), "%.*s", (int)colon, listen.p);
	*ret = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	if (inet_pton(AF_INET, host, &ret->sin_addr) != 1)
		return err_set(reterr, ERR_INVALID, "'%s' is not an IPv4 address", host);
	return ERR_OK;
}

enum err_code sim_http_start(struct sim *s, struct sim_http **ret_http, struct err *reterr)
{
	struct sockaddr_in address;
	enum err_code code = parse_listen(s->opts->listen, &address, reterr);

	if (code != ERR_OK)
		return code;
	struct sim_http *h = mem_zalloc(sizeof(*h));
	h->sim = s;
	code = sim_delay_new(&h->delay, reterr);
	if (code != ERR_OK) {
		mem_free(h);
		return code;
	}
	h->daemon = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_SUPPRESS_DATE_NO_CLOCK, 0,
		NULL, NULL, handle, h, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
		MHD_OPTION_THREAD_POOL_SIZE, 2u, MHD_OPTION_CONNECTION_LIMIT, 4096u,
		MHD_OPTION_NOTIFY_COMPLETED, completed, NULL, MHD_OPTION_END);
	if (h->daemon == NULL) {
		code = err_set(
			reterr, ERR_UNAVAILABLE, "cannot listen on " STR_FMT, STR_ARG(s->opts->listen));
		sim_http_stop(h);
		return code;
	}
	*ret_http = h;
	return ERR_OK;
}

unsigned sim_http_port(const struct sim_http *h)
{
	return MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

void sim_http_stop(struct sim_http *h)
{
	if (h == NULL)
		return;
	sim_delay_close(h->delay); /* libmicrohttpd wants no connection suspended when it stops */
	if (h->daemon != NULL)
		MHD_stop_daemon(h->daemon);
	sim_delay_free(h->delay);
	mem_free(h);
}
