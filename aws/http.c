/* DESIGN
 *
 * One I/O thread owns the curl multi handle and every easy handle. Others talk to it through an inbox (a
 * list of flights under http->lock, with one bit per wish: start, resume, abort) and curl_multi_wakeup; it
 * talks back through the flight, under the lock of the flight's waiter, whose condition variable it
 * broadcasts.
 *
 * A flight is reference-counted: its owner, the inbox and the transfer hold one each. Freeing a flight
 * posts "abort" and lets go, so the owner never waits for the I/O thread.
 *
 * The body goes through two buffers. The I/O thread fills `in`; a read swaps it with `out` and hands that
 * to the owner, so no lock is held while bytes are looked at. When `in` is full the write callback pauses
 * the transfer, and the read that empties it posts "resume".
 *
 * curl's own time-out covers one attempt. The deadline and the cancellation of the call are watched where
 * somebody waits (head, read, http_waiter_wait): whoever gives up frees the flight, and that ends the
 * transfer.
 *
 * Rejected: one easy handle per thread (a handler could not have many calls in flight), callbacks into the
 * caller (style.md 30). */
#include "aws/http.h"

#include <assert.h>
#include <curl/curl.h>
#include <netdb.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "aws/env.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/thread.h"

enum {
	CONNECT_TIMEOUT_MS = 30000,
	STALL_TIMEOUT_MS = 60000,
	REQUEST_TIMEOUT_MS = 300000,
	MAX_HOST_CONNECTIONS = 32,
	/* Idle connections are not reused after this: AWS closes them at about 20 to 60 s, and a request
	 * on a connection that is just being closed costs a retry. */
	MAX_IDLE_S = 30,
	BODY_BUFFER_BYTES = 256 << 10,
	MAX_HEADER_BYTES = 64 << 10, /* of an answer; AWS sends less than 2 KiB */
	MAX_URL_BYTES = 16 << 10,
	POLL_MS = 60000, /* curl_multi_poll returns earlier for everything that matters */
	IDLE_HANDLES = 64,
	/* A name look-up that failed faster than this is asked again to learn why (see explain_resolver). */
	QUICK_LOOKUP_US = 3000000,
};

#define FLIGHT_MAGIC 0x48545446u /* "HTTF" */

/* ---- structures ---- */

struct http_waiter {
	atomic_int refs; /* the thread's and one per flight */
	struct mutex lock;
	struct cond cond;
	bool news; /* something arrived since the last http_waiter_wait */
};

struct bytes {
	char *p;
	size_t n, size;
};

/* Header values are kept in one place each; longer ones than fit are dropped. */
struct head_text {
	char content_type[128], date[40], request_id[64], error_type[128], retry_after[40],
		amz_retry_after[24];
};

enum wish { WISH_START = 1, WISH_RESUME = 2, WISH_ABORT = 4 };

struct http_flight {
	uint32_t magic; /* what comes back from curl as void * is checked */
	atomic_int refs;
	struct http *http;
	struct http_waiter *waiter;

	/* The request: constant. */
	char *method, *url, *host;
	struct curl_slist *headers; /* has the Authorization header: wiped */
	char *body;                 /* may hold a token: wiped */
	size_t body_n;
	int64_t timeout_ms, connect_timeout_ms;
	size_t max_body_bytes;
	bool direct;

	/* Guarded by http->lock. */
	unsigned wishes; /* not 0: in the inbox */
	struct http_flight *next;

	/* The I/O thread's. */
	CURL *easy; /* NULL: not started, or ended */
	size_t received, header_bytes;
	const char *too_large; /* "body", "headers": why a callback ended the transfer */
	char curl_error[CURL_ERROR_SIZE];

	/* The I/O thread's until head_done, constant afterwards. */
	struct http_head head;
	struct head_text text;

	/* Guarded by waiter->lock. */
	bool head_done;
	struct bytes in;
	bool paused;
	bool done;
	bool ask_resolver; /* the name did not resolve, and it is not known why */
	struct err result; /* when done; code ERR_OK: the body is complete */

	/* The owner's. */
	bool head_taken;
	struct bytes out;
};

struct http {
	CURLM *multi;
	struct thread thread;

	/* Constant. */
	char *user_agent, *ca_bundle;
	char *proxy_http, *proxy_https, *no_proxy; /* "" : none */
	int64_t connect_timeout_ms, stall_timeout_ms;

	struct mutex lock; /* guards the inbox */
	struct http_flight *inbox_head, *inbox_tail;
	bool stopping;

	/* The I/O thread's. */
	CURL *idle[IDLE_HANDLES];
	size_t n_idle;
	size_t n_active;

	atomic_size_t owned; /* flights that were not freed */
	_Atomic uint64_t requests, connections, bytes_in;
};

/* ---- waiters ---- */

struct http_waiter *http_waiter_new(void)
{
	struct http_waiter *w = mem_zalloc(sizeof(*w));

	atomic_init(&w->refs, 1);
	mutex_init(&w->lock);
	cond_init(&w->cond);
	return w;
}

void http_waiter_free(struct http_waiter *w)
{
	if (w == NULL || atomic_fetch_sub_explicit(&w->refs, 1, memory_order_acq_rel) != 1)
		return;
	cond_deinit(&w->cond);
	mutex_deinit(&w->lock);
	mem_free(w);
}

void http_waiter_freep(struct http_waiter **w)
{
	http_waiter_free(*w);
	*w = NULL;
}

static struct http_waiter *waiter_ref(struct http_waiter *w)
{
	atomic_fetch_add_explicit(&w->refs, 1, memory_order_relaxed);
	return w;
}

/* With w->lock held: somebody may want to look. */
static void waiter_tell(struct http_waiter *w)
{
	w->news = true;
	cond_broadcast(&w->cond);
}

/* What ctx says, when it is over: unlike the time-out of an attempt, nothing is gained by trying again. */
static enum err_code check_ctx(const struct ctx *ctx, const char *doing, struct err *reterr)
{
	enum err_code rc = ctx_check(ctx, doing, reterr);

	if (rc != ERR_OK)
		reterr->retryable = false;
	return rc;
}

enum err_code http_waiter_wait(
	struct http_waiter *w, const struct ctx *ctx, int64_t timeout_ms, struct err *reterr)
{
	struct ctx until = *ctx;
	int64_t now_ms = clock_mono_ms(ctx->clock);
	LOCK_SCOPE(&w->lock);

	if (timeout_ms < INT64_MAX - now_ms && now_ms + timeout_ms < until.deadline_ms)
		until.deadline_ms = now_ms + timeout_ms;
	while (!w->news) {
		enum err_code rc = check_ctx(ctx, "waiting for AWS", reterr);

		if (rc != ERR_OK)
			return rc;
		if (ctx_left_ms(&until) == 0)
			return ERR_OK;
		cond_wait_ctx(&w->cond, &w->lock, &until);
	}
	w->news = false;
	return ERR_OK;
}

/* ---- buffers of a flight: they may hold keys ---- */

static void bytes_free(struct bytes *b)
{
	if (b->p)
		mem_wipe(b->p, b->size);
	mem_free(b->p);
	*b = (struct bytes){.p = NULL};
}

/* Doubles up to BODY_BUFFER_BYTES; the old memory is wiped. */
static void bytes_add(struct bytes *b, const char *p, size_t n)
{
	if (b->n + n > b->size) {
		size_t size = b->size ? b->size : 4096;
		char *bigger;

		while (size < b->n + n)
			size *= 2;
		bigger = mem_alloc(size);
		if (b->n)
			memcpy(bigger, b->p, b->n);
		if (b->p)
			mem_wipe(b->p, b->size); /* all of it: an earlier, longer chunk may lie behind n */
		mem_free(b->p);
		b->p = bigger;
		b->size = size;
	}
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

/* ---- flights: life ---- */

static void wipe_headers(struct curl_slist *list)
{
	for (; list; list = list->next)
		mem_wipe(list->data, strlen(list->data));
}

static void flight_unref(struct http_flight *f)
{
	if (atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) != 1)
		return;
	assert(f->easy == NULL);
	http_waiter_free(f->waiter);
	mem_free(f->method);
	mem_free(f->url);
	mem_free(f->host);
	wipe_headers(f->headers);
	curl_slist_free_all(f->headers);
	if (f->body)
		mem_wipe(f->body, f->body_n);
	mem_free(f->body);
	bytes_free(&f->in);
	bytes_free(&f->out);
	f->magic = 0;
	mem_free(f);
}

static struct http_flight *flight_ref(struct http_flight *f)
{
	atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
	return f;
}

static struct http_flight *flight_of(void *userdata)
{
	struct http_flight *f = userdata;

	assert(f && f->magic == FLIGHT_MAGIC);
	return f;
}

/* Tells the I/O thread what is wanted of a flight. */
static void post(struct http_flight *f, enum wish wish)
{
	struct http *h = f->http;
	bool was_empty;
	LOCK_SCOPE(&h->lock);

	if (f->wishes == 0) {
		f->next = NULL;
		was_empty = h->inbox_head == NULL;
		if (was_empty)
			h->inbox_head = f;
		else
			h->inbox_tail->next = f;
		h->inbox_tail = f;
		flight_ref(f);
		if (was_empty) /* else somebody woke it already */
			curl_multi_wakeup(h->multi);
	}
	f->wishes |= wish;
}

/* ---- the I/O thread: headers ---- */

static struct str header_line(const char *p, size_t n)
{
	return str_trim(str_n(p, n));
}

static bool is_printable(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < ' ' || s.p[i] > '~')
			return false;
	}
	return true;
}

/* Which headers are kept, and where. Of several with one destination the first one wins. */
static const struct kept_header {
	const char *name;
	size_t text, size, dest;
} kept_headers[] = {
#define KEEP(header, member)                                                                                 \
	{                                                                                                    \
		header, offsetof(struct head_text, member), sizeof(((struct head_text *)0)->member),         \
			offsetof(struct http_head, member)                                                   \
	}
	KEEP("content-type", content_type),
	KEEP("date", date),
	KEEP("x-amzn-requestid", request_id),
	KEEP("x-amz-request-id", request_id),
	KEEP("x-amzn-errortype", error_type),
	KEEP("retry-after", retry_after),
	KEEP("x-amz-retry-after", amz_retry_after),
#undef KEEP
};

static void keep_header(struct http_flight *f, struct str name, struct str value)
{
	for (size_t i = 0; i < ARRAY_LEN(kept_headers); i++) {
		const struct kept_header *k = &kept_headers[i];
		char *text = (char *)&f->text + k->text;
		struct str *dest = (struct str *)(void *)((char *)&f->head + k->dest);

		if (!str_eq_nocase(name, str_c(k->name)) || dest->n || value.n > k->size ||
			!is_printable(value))
			continue;
		memcpy(text, value.p, value.n);
		*dest = str_n(text, value.n);
	}
}

/* "HTTP/1.1 200 OK": a new answer begins, after a 100 perhaps. */
static void start_head(struct http_flight *f, struct str line)
{
	uint64_t status = 0;

	str_cut(&line, ' ');
	line = str_cut(&line, ' ');
	if (line.n == 3)
		str_to_u64(line, &status);
	f->head = (struct http_head){.status = (int)status, .content_length = -1};
}

/* The empty line. Those of 1xx answers and of a proxy's tunnel are not the end. */
static void end_head(struct http_flight *f)
{
	LOCK_SCOPE(&f->waiter->lock);

	if (f->head.status < 200 || f->head_done)
		return;
	f->head_done = true;
	waiter_tell(f->waiter);
}

static size_t on_header(char *p, size_t size, size_t n, void *userdata)
{
	struct http_flight *f = flight_of(userdata);
	size_t bytes = size * n;
	struct str line = header_line(p, bytes), name;
	uint64_t length;

	f->header_bytes += bytes;
	if (f->header_bytes > MAX_HEADER_BYTES) {
		f->too_large = "headers";
		return 0;
	}
	if (f->head_done) /* trailers; only this thread sets it */
		return bytes;
	if (str_starts(line, STR("HTTP/"))) {
		start_head(f, line);
		return bytes;
	}
	if (line.n == 0) {
		end_head(f);
		return bytes;
	}
	name = str_cut(&line, ':');
	line = str_trim(line);
	if (str_eq_nocase(name, STR("content-length")) && str_to_u64(line, &length)) {
		if (length > f->max_body_bytes) {
			f->too_large = "body";
			return 0;
		}
		f->head.content_length = (int64_t)length;
	}
	keep_header(f, name, line);
	return bytes;
}

/* ---- the I/O thread: body ---- */

static size_t on_body(char *p, size_t size, size_t n, void *userdata)
{
	struct http_flight *f = flight_of(userdata);
	size_t bytes = size * n;
	LOCK_SCOPE(&f->waiter->lock);

	if (bytes > f->max_body_bytes - f->received) {
		f->too_large = "body";
		return 0;
	}
	if (f->in.n && f->in.n + bytes > BODY_BUFFER_BYTES) {
		f->paused = true; /* curl keeps these bytes and offers them again */
		return CURL_WRITEFUNC_PAUSE;
	}
	bytes_add(&f->in, p, bytes);
	f->received += bytes;
	waiter_tell(f->waiter);
	return bytes;
}

/* ---- the I/O thread: how a transfer ended ---- */

/* What a curl code means. Not listed: ERR_UNAVAILABLE, retryable. */
static const struct curl_meaning {
	CURLcode curl;
	enum err_code code;
	bool retryable;
} curl_meanings[] = {
	{CURLE_URL_MALFORMAT, ERR_INVALID, false},
	{CURLE_OPERATION_TIMEDOUT, ERR_DEADLINE, true},
	{CURLE_WEIRD_SERVER_REPLY, ERR_PROTOCOL, false},
	/* That is HTTP/0.9: http_start has checked the scheme. */
	{CURLE_UNSUPPORTED_PROTOCOL, ERR_PROTOCOL, false},
	{CURLE_BAD_CONTENT_ENCODING, ERR_PROTOCOL, false},
	{CURLE_TOO_MANY_REDIRECTS, ERR_PROTOCOL, false},
	{CURLE_SSL_CACERT_BADFILE, ERR_INVALID, false},
	{CURLE_PEER_FAILED_VERIFICATION, ERR_UNAVAILABLE, false},
	{CURLE_SSL_ISSUER_ERROR, ERR_UNAVAILABLE, false},
	{CURLE_SSL_CERTPROBLEM, ERR_UNAVAILABLE, false},
	{CURLE_SSL_CIPHER, ERR_UNAVAILABLE, false},
};

/* curl quotes the URL of a proxy that it cannot use, password included. Our own URLs have no user info
 * (check_request), so an '@' can come from nowhere else. */
static const char *curl_text(const struct http_flight *f, CURLcode curl)
{
	if (strchr(f->curl_error, '@'))
		return "the URL of the proxy cannot be used";
	return f->curl_error[0] ? f->curl_error : curl_easy_strerror(curl);
}

static void set_result(struct http_flight *f, CURLcode curl)
{
	enum err_code code = ERR_UNAVAILABLE;
	bool retryable = true;
	curl_off_t took_us = 0;

	if (f->too_large) {
		if (strcmp(f->too_large, "body") == 0)
			err_set(&f->result, ERR_TOO_LARGE, "%s: the body is larger than %zu bytes", f->host,
				f->max_body_bytes);
		else
			err_set(&f->result, ERR_TOO_LARGE, "%s: the headers are larger than %d bytes",
				f->host, MAX_HEADER_BYTES);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(curl_meanings); i++) {
		if (curl_meanings[i].curl == curl) {
			code = curl_meanings[i].code;
			retryable = curl_meanings[i].retryable;
		}
	}
	curl_easy_getinfo(f->easy, CURLINFO_TOTAL_TIME_T, &took_us);
	f->ask_resolver = curl == CURLE_COULDNT_RESOLVE_HOST && took_us < QUICK_LOOKUP_US;
	err_set(&f->result, code, "%s: %s", f->host, curl_text(f, curl));
	f->result.retryable = retryable;
}

static void count_transfer(struct http *h, struct http_flight *f)
{
	long connects = 0;

	curl_easy_getinfo(f->easy, CURLINFO_NUM_CONNECTS, &connects);
	atomic_fetch_add_explicit(&h->requests, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(
		&h->connections, connects > 0 ? (uint64_t)connects : 0, memory_order_relaxed);
	atomic_fetch_add_explicit(&h->bytes_in, f->received, memory_order_relaxed);
}

static void give_back_handle(struct http *h, CURL *easy)
{
	curl_easy_reset(easy); /* forgets the request and keeps what is worth keeping */
	if (h->n_idle < IDLE_HANDLES)
		h->idle[h->n_idle++] = easy;
	else
		curl_easy_cleanup(easy);
}

/* Ends a transfer that curl has finished, or that nobody wants any more (aborted). */
static void end_transfer(struct http *h, struct http_flight *f, CURLcode curl, bool aborted)
{
	CURL *easy = f->easy;

	curl_multi_remove_handle(h->multi, easy);
	count_transfer(h, f);
	mutex_lock(&f->waiter->lock);
	if (aborted)
		err_set(&f->result, ERR_CANCELLED, "%s: the request was given up", f->host);
	else if (curl != CURLE_OK)
		set_result(f, curl);
	f->done = true;
	f->easy = NULL;
	waiter_tell(f->waiter);
	mutex_unlock(&f->waiter->lock);
	give_back_handle(h, easy);
	h->n_active--;
	flight_unref(f);
}

/* ---- the I/O thread: start ---- */

static void set_method(CURL *e, const struct http_flight *f)
{
	if (strcmp(f->method, "GET") == 0 && f->body_n == 0) {
		curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
		return;
	}
	if (strcmp(f->method, "HEAD") == 0) {
		curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
		return;
	}
	curl_easy_setopt(e, CURLOPT_POST, 1L);
	curl_easy_setopt(e, CURLOPT_POSTFIELDS, f->body_n ? f->body : "");
	curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)f->body_n);
	if (strcmp(f->method, "POST") != 0)
		curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, f->method);
}

static void set_connection(CURL *e, const struct http *h, const struct http_flight *f)
{
	bool https = strncmp(f->url, "https:", 6) == 0;

	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(e, CURLOPT_PIPEWAIT, 1L); /* rather share an HTTP/2 connection than open another */
	curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, (long)MAX_IDLE_S);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)f->connect_timeout_ms);
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)f->timeout_ms);
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, (long)((h->stall_timeout_ms + 999) / 1000));
	/* Always set, so that curl does not look into the process's environment. */
	curl_easy_setopt(e, CURLOPT_PROXY, f->direct ? "" : https ? h->proxy_https : h->proxy_http);
	curl_easy_setopt(e, CURLOPT_NOPROXY, h->no_proxy);
	curl_easy_setopt(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	if (h->ca_bundle) {
		curl_easy_setopt(e, CURLOPT_CAINFO, h->ca_bundle);
		curl_easy_setopt(e, CURLOPT_CAPATH, NULL); /* this bundle and nothing else */
	}
}

static void set_callbacks(CURL *e, struct http_flight *f)
{
	curl_easy_setopt(e, CURLOPT_PRIVATE, f);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, f->curl_error);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, f);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, f);
}

static CURL *take_handle(struct http *h)
{
	return h->n_idle ? h->idle[--h->n_idle] : curl_easy_init();
}

static void refuse(struct http_flight *f, const char *why)
{
	LOCK_SCOPE(&f->waiter->lock);

	err_set(&f->result, ERR_UNAVAILABLE, "%s: %s", f->host, why);
	f->done = true;
	waiter_tell(f->waiter);
}

static void start_transfer(struct http *h, struct http_flight *f)
{
	CURL *easy = take_handle(h);
	CURLMcode rc;

	if (easy == NULL) {
		refuse(f, "out of memory");
		return;
	}
	curl_easy_setopt(easy, CURLOPT_URL, f->url);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, h->user_agent);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, f->headers);
	set_method(easy, f);
	set_connection(easy, h, f);
	set_callbacks(easy, f);
	f->easy = easy;
	rc = curl_multi_add_handle(h->multi, easy);
	if (rc != CURLM_OK) {
		f->easy = NULL;
		curl_easy_cleanup(easy);
		refuse(f, curl_multi_strerror(rc));
		return;
	}
	h->n_active++;
	flight_ref(f);
}

/* ---- the I/O thread: its loop ---- */

static struct http_flight *take_inbox(struct http *h, bool *ret_stopping)
{
	struct http_flight *list;
	LOCK_SCOPE(&h->lock);

	list = h->inbox_head;
	h->inbox_head = h->inbox_tail = NULL;
	*ret_stopping = h->stopping;
	return list;
}

static void grant_wishes(struct http *h, struct http_flight *f, unsigned wishes)
{
	if (wishes & WISH_ABORT) {
		if (f->easy)
			end_transfer(h, f, CURLE_OK, /* aborted= */ true);
		return;
	}
	if (wishes & WISH_START)
		start_transfer(h, f);
	if ((wishes & WISH_RESUME) && f->easy)
		curl_easy_pause(f->easy, CURLPAUSE_CONT);
}

static void work_off(struct http *h, struct http_flight *list)
{
	while (list) {
		struct http_flight *f = list;
		unsigned wishes;

		/* next and wishes belong to whoever posts as soon as wishes is 0. */
		mutex_lock(&h->lock);
		list = f->next;
		wishes = f->wishes;
		f->wishes = 0;
		mutex_unlock(&h->lock);
		grant_wishes(h, f, wishes);
		flight_unref(f);
	}
}

static void collect_finished(struct http *h)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(h->multi, &left))) {
		CURLcode result = msg->data.result; /* msg dies with the handle's removal */
		void *private = NULL;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &private);
		end_transfer(h, flight_of(private), result, /* aborted= */ false);
	}
}

static void *io_main(void *arg)
{
	struct http *h = arg;

	for (;;) {
		bool stopping;
		int running;

		work_off(h, take_inbox(h, &stopping));
		if (stopping)
			break;
		curl_multi_perform(h->multi, &running);
		collect_finished(h);
		curl_multi_poll(h->multi, NULL, 0, POLL_MS, NULL);
	}
	assert(h->n_active == 0); /* every flight was freed, so every transfer was aborted */
	return NULL;
}

/* ---- life of struct http ---- */

static char *dup_str(struct str s)
{
	return mem_dup(s.p, s.n);
}

/* Proxies as Go's and AWS's tools know them; loopback never goes through one. */
static void set_proxies(struct http *h, const char *const *env)
{
	struct str no_proxy = env_get2(env, "NO_PROXY", "no_proxy");
	CLEANUP(buf_deinit) struct buf list = {.n = 0};

	if (str_eq(str_trim(no_proxy), STR("*"))) {
		h->proxy_https = mem_strdup("");
		h->proxy_http = mem_strdup("");
		h->no_proxy = mem_strdup("*");
		return;
	}
	buf_init(&list, no_proxy.n + 64);
	buf_str(&list, no_proxy);
	buf_c(&list, no_proxy.n ? ",localhost,127.0.0.0/8,::1" : "localhost,127.0.0.0/8,::1");
	h->proxy_https = dup_str(env_get2(env, "HTTPS_PROXY", "https_proxy"));
	h->proxy_http = dup_str(env_get2(env, "HTTP_PROXY", "http_proxy"));
	h->no_proxy = dup_str(buf_view(&list));
}

static void set_options(struct http *h, const struct http_options *opts)
{
	size_t max_host = opts->max_host_connections ? opts->max_host_connections : MAX_HOST_CONNECTIONS;

	h->user_agent = opts->user_agent.n ? dup_str(opts->user_agent) : mem_strdup("baton-awsd");
	h->ca_bundle = opts->ca_bundle.n ? dup_str(opts->ca_bundle) : NULL;
	h->connect_timeout_ms = opts->connect_timeout_ms ? opts->connect_timeout_ms : CONNECT_TIMEOUT_MS;
	h->stall_timeout_ms = opts->stall_timeout_ms ? opts->stall_timeout_ms : STALL_TIMEOUT_MS;
	set_proxies(h, opts->environ);
	curl_multi_setopt(h->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)max_host);
	/* Fewer, and curl closes idle connections to keep to it: room for full pools to a handful of
	 * services. */
	curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)(max_host * 4));
}

/* Without the thread, which has ended or never began. */
static void http_destroy(struct http *h)
{
	while (h->n_idle)
		curl_easy_cleanup(h->idle[--h->n_idle]);
	curl_multi_cleanup(h->multi);
	mutex_deinit(&h->lock);
	mem_free(h->user_agent);
	mem_free(h->ca_bundle);
	mem_free(h->proxy_http);
	mem_free(h->proxy_https);
	mem_free(h->no_proxy);
	mem_free(h);
	curl_global_cleanup(); /* counted by curl */
}

enum err_code http_new(const struct http_options *opts, struct http **ret_http, struct err *reterr)
{
	struct http *h;
	enum err_code rc;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(reterr, ERR_UNAVAILABLE, "libcurl cannot be initialised");
	h = mem_zalloc(sizeof(*h));
	mutex_init(&h->lock);
	h->multi = curl_multi_init();
	if (h->multi == NULL) {
		http_destroy(h);
		return err_set(reterr, ERR_UNAVAILABLE, "libcurl cannot be initialised");
	}
	set_options(h, opts);
	if (h->ca_bundle && access(h->ca_bundle, R_OK) != 0)
		rc = err_set(reterr, ERR_INVALID, "the CA bundle %s cannot be read", h->ca_bundle);
	else
		rc = thread_start(&h->thread, "aws-http", 0, io_main, h, reterr);
	if (rc != ERR_OK) {
		http_destroy(h);
		return rc;
	}
	*ret_http = h;
	return ERR_OK;
}

void http_free(struct http *h)
{
	if (h == NULL)
		return;
	assert(atomic_load(&h->owned) == 0);
	mutex_lock(&h->lock);
	h->stopping = true;
	mutex_unlock(&h->lock);
	curl_multi_wakeup(h->multi);
	thread_join(&h->thread);
	http_destroy(h);
}

void http_freep(struct http **h)
{
	http_free(*h);
	*h = NULL;
}

struct http_stats http_get_stats(struct http *h)
{
	return (struct http_stats){
		.requests = atomic_load_explicit(&h->requests, memory_order_relaxed),
		.connections = atomic_load_explicit(&h->connections, memory_order_relaxed),
		.bytes_in = atomic_load_explicit(&h->bytes_in, memory_order_relaxed),
	};
}

/* ---- starting ---- */

static bool is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!alnum && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL))
			return false;
	}
	return s.n > 0;
}

static bool is_field_value(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/* Host and port: what stands before the path, query or fragment. */
static struct str authority(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '/' || s.p[i] == '?' || s.p[i] == '#')
			return str_sub(s, 0, i);
	}
	return s;
}

static enum err_code check_request(const struct http_request *req, struct str *ret_host, struct err *reterr)
{
	struct str rest;

	if (!is_token(req->method))
		return err_set(reterr, ERR_INVALID, "not an HTTP method");
	if (str_starts(req->url, STR("https://")))
		rest = str_from(req->url, 8);
	else if (str_starts(req->url, STR("http://")))
		rest = str_from(req->url, 7);
	else
		return err_set(reterr, ERR_INVALID, "the URL does not begin with http:// or https://");
	if (req->url.n > MAX_URL_BYTES)
		return err_set(reterr, ERR_INVALID, "the URL is longer than %d bytes", MAX_URL_BYTES);
	for (size_t i = 0; i < req->url.n; i++) {
		if (req->url.p[i] <= ' ' || req->url.p[i] >= 0x7f)
			return err_set(reterr, ERR_INVALID, "the URL has a character that a URL cannot have");
	}
	for (size_t i = 0; i < req->n_headers; i++) {
		if (!is_token(req->headers[i].name) || !is_field_value(req->headers[i].value))
			return err_set(
				reterr, ERR_INVALID, "a header has a character that a header cannot have");
	}
	*ret_host = authority(rest);
	if (ret_host->n == 0 || str_find_char(*ret_host, '@') >= 0)
		return err_set(reterr, ERR_INVALID, "the URL has no host, or user info");
	return ERR_OK;
}

static void append_line(struct http_flight *f, const char *line)
{
	struct curl_slist *list = curl_slist_append(f->headers, line);

	assert(list); /* as mem_alloc: never NULL */
	f->headers = list;
}

static void add_header(struct http_flight *f, struct str name, struct str value)
{
	CLEANUP(buf_deinit) struct buf line = {.n = 0};

	buf_init(&line, name.n + value.n + 8);
	line.wipe = true;
	buf_str(&line, name);
	if (value.n) {
		buf_c(&line, ": ");
		buf_str(&line, value);
	} else {
		buf_char(&line, ';'); /* curl's way to send an empty one */
	}
	append_line(f, line.p);
}

static bool has_header(const struct http_request *req, const char *name)
{
	for (size_t i = 0; i < req->n_headers; i++) {
		if (str_eq_nocase(req->headers[i].name, str_c(name)))
			return true;
	}
	return false;
}

static void set_headers(struct http_flight *f, const struct http_request *req)
{
	for (size_t i = 0; i < req->n_headers; i++)
		add_header(f, req->headers[i].name, req->headers[i].value);
	/* What curl would add by itself: no 100-continue, no content type that nobody signed. */
	append_line(f, "Expect:");
	if (!has_header(req, "Content-Type"))
		append_line(f, "Content-Type:");
}

enum err_code http_start(
	struct http *h, const struct http_request *req, struct http_flight **ret_flight, struct err *reterr)
{
	struct http_flight *f;
	struct str host;
	enum err_code rc = check_request(req, &host, reterr);

	if (rc != ERR_OK)
		return rc;
	f = mem_zalloc(sizeof(*f));
	f->magic = FLIGHT_MAGIC;
	atomic_init(&f->refs, 1);
	f->http = h;
	f->waiter = req->waiter ? waiter_ref(req->waiter) : http_waiter_new();
	f->method = dup_str(req->method);
	f->url = dup_str(req->url);
	f->host = dup_str(host);
	f->body = dup_str(req->body);
	f->body_n = req->body.n;
	f->timeout_ms = req->timeout_ms ? req->timeout_ms : REQUEST_TIMEOUT_MS;
	f->connect_timeout_ms = req->connect_timeout_ms ? req->connect_timeout_ms : h->connect_timeout_ms;
	f->max_body_bytes = req->max_body_bytes ? req->max_body_bytes : HTTP_MAX_BODY_DEFAULT;
	f->direct = req->direct;
	set_headers(f, req);
	atomic_fetch_add_explicit(&h->owned, 1, memory_order_relaxed);
	post(f, WISH_START);
	*ret_flight = f;
	return ERR_OK;
}

void http_flight_free(struct http_flight *f)
{
	bool done;

	if (f == NULL)
		return;
	mutex_lock(&f->waiter->lock);
	done = f->done;
	mutex_unlock(&f->waiter->lock);
	if (!done)
		post(f, WISH_ABORT);
	atomic_fetch_sub_explicit(&f->http->owned, 1, memory_order_relaxed);
	flight_unref(f);
}

void http_flight_freep(struct http_flight **f)
{
	http_flight_free(*f);
	*f = NULL;
}

/* ---- pulling ---- */

/* curl says only that a name did not resolve. That it does not exist is a mistake in the configuration;
 * that nobody could tell may be over in a minute. The look-up failed quickly, so asking once more is quick
 * as well. */
static void explain_resolver(struct http_flight *f)
{
	static const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	struct str host = str_c(f->host);
	ptrdiff_t colon = str_rfind_char(host, ':');
	char *name = dup_str(colon > 0 ? str_sub(host, 0, (size_t)colon) : host);
	int rc = getaddrinfo(name, NULL, &hints, &found);

	if (rc == 0)
		freeaddrinfo(found);
	if (rc == EAI_NONAME || rc == EAI_NODATA) {
		err_set(&f->result, ERR_INVALID, "%s: dns lookup failed: NXDOMAIN", f->host);
		f->result.retryable = false;
	}
	mem_free(name);
}

/* With the waiter's lock held, once the transfer has ended. */
static enum err_code give_result(struct http_flight *f, struct err *reterr)
{
	if (f->ask_resolver) {
		/* done: the I/O thread has let go of the flight, so nothing else changes it while the lock
		 * is open. */
		f->ask_resolver = false;
		mutex_unlock(&f->waiter->lock);
		explain_resolver(f);
		mutex_lock(&f->waiter->lock);
	}
	if (f->result.code != ERR_OK)
		*reterr = f->result;
	return f->result.code;
}

static bool head_ready(const struct http_flight *f)
{
	return f->head_done || f->done;
}

static bool body_ready(const struct http_flight *f)
{
	return f->in.n > 0 || f->done;
}

/* With the waiter's lock held. */
static enum err_code wait_until(struct http_flight *f, bool (*ready)(const struct http_flight *f),
	const struct ctx *ctx, struct err *reterr)
{
	do {
		enum err_code rc = check_ctx(ctx, "waiting for AWS", reterr);

		if (rc != ERR_OK)
			return rc;
		if (!ready(f))
			cond_wait_ctx(&f->waiter->cond, &f->waiter->lock, ctx);
	} while (!ready(f));
	return ERR_OK;
}

bool http_flight_ready(struct http_flight *f)
{
	LOCK_SCOPE(&f->waiter->lock);

	return f->head_taken ? body_ready(f) : head_ready(f);
}

enum err_code http_flight_head(
	struct http_flight *f, const struct ctx *ctx, const struct http_head **ret_head, struct err *reterr)
{
	enum err_code rc;
	LOCK_SCOPE(&f->waiter->lock);

	rc = wait_until(f, head_ready, ctx, reterr);
	if (rc == ERR_OK && !f->head_done)
		rc = give_result(f, reterr);
	if (rc != ERR_OK)
		return rc;
	if (!f->head_done) /* for curl that is a complete answer */
		return err_set(
			reterr, ERR_UNAVAILABLE, "%s: the connection ended within the headers", f->host);
	f->head_taken = true;
	*ret_head = &f->head;
	return ERR_OK;
}

static void swap_buffers(struct http_flight *f)
{
	struct bytes full = f->in;

	f->in = f->out;
	f->out = full;
}

enum err_code http_flight_read(
	struct http_flight *f, const struct ctx *ctx, struct str *ret_chunk, struct err *reterr)
{
	bool resume;
	enum err_code rc;

	f->out.n = 0;
	mutex_lock(&f->waiter->lock);
	rc = wait_until(f, body_ready, ctx, reterr);
	if (rc == ERR_OK) {
		swap_buffers(f);
		if (f->out.n == 0)
			rc = give_result(f, reterr);
	}
	resume = rc == ERR_OK && f->paused;
	if (resume)
		f->paused = false;
	mutex_unlock(&f->waiter->lock);
	if (resume)
		post(f, WISH_RESUME);
	if (rc == ERR_OK)
		*ret_chunk = str_n(f->out.p, f->out.n);
	return rc;
}
