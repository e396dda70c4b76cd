/* DESIGN
 *
 * A call is a state machine that never blocks (but for fresh credentials, which all calls of a client
 * wait for anyway):
 *
 *	BACKOFF -> PACE -> TURN -> SEND -> HEAD -> BODY -> DONE
 *	   ^------------------- again ------------'
 *
 * The thread that wants answers drives a few of them (one for aws_call) until each would have to wait,
 * then waits for all of them at once: for bytes, for the next turn or back-off, for the deadline, for
 * cancellation. So one thread keeps many requests in flight, no callback runs on the I/O thread, and a
 * sink is called by the thread that gave it. Only calls under way have a state machine: the memory of a
 * batch is that of max_in_flight calls, however many items there are. A source hands out the items one by
 * one; an array of them and a single call are sources too.
 *
 * Turns may come from a bucket that servers share. Then the thread that drives calls asks it as well, when the
 * pacer says so: one thread at a time, once for all calls that wait, whoever drives them. It blocks its own
 * calls meanwhile, briefly (QUOTA_TIMEOUT_MS); a thread of its own would cost every call two switches of threads.
 *
 * An attempt that fails may be repeated for three reasons, each with its own bound: AWS's standard mode
 * (retry.h), our clock was wrong (once), the credentials had expired (once). */
#include "aws/client.h"

#include <assert.h>
#include <string.h>

#include "aws/client_new.h"
#include "aws/clock_skew.h"
#include "aws/errors.h"
#include "aws/json11.h"
#include "aws/query.h"
#include "base/log.h"
#include "base/mem.h"

/* Requests are small: names, markers, one policy document at most (131,072 characters, thrice that when
 * encoded). */
#define MAX_REQUEST_BYTES ((size_t)1 << 20)
/* As much of an error body as errors.c looks at. */
#define MAX_ERROR_BYTES ((size_t)64 * 1024)
#define MAX_HEADERS     (3 + SIGV4_MAX_HEADERS)
/* For a round trip that takes a millisecond, on a machine that may be short of time: a server that takes the bucket for away draws on
 * AWS beside those that do not. */
#define QUOTA_TIMEOUT_MS 1000

struct aws_client {
	_Atomic int refs;
	struct aws_client_options o;
	struct arena *arena; /* of the endpoint's strings */
	struct aws_endpoint endpoint;
	struct str url; /* the endpoint's, with its path */
	struct retry retry;
	struct clock_skew skew;
};

static struct aws_endpoint endpoint_dup(struct arena *a, const struct aws_endpoint *e)
{
	return (struct aws_endpoint){
		.url = str_dup(a, e->url),
		.host = str_dup(a, e->host),
		.path = str_dup(a, e->path),
		.signing_region = str_dup(a, e->signing_region),
	};
}

struct aws_client *aws_client_new(const struct aws_client_options *opts)
{
	struct aws_client *c = mem_zalloc(sizeof(*c));

	atomic_init(&c->refs, 1);
	c->o = *opts;
	c->arena = arena_new(0);
	c->endpoint = endpoint_dup(c->arena, opts->endpoint);
	c->url = str_fmt(c->arena, STR_FMT "/", STR_ARG(c->endpoint.url));
	c->o.endpoint = &c->endpoint;
	c->o.credentials = opts->credentials ? credentials_provider_ref(opts->credentials) : NULL;
	c->o.max_body = opts->max_body ? opts->max_body : HTTP_MAX_BODY_DEFAULT;
	retry_init(&c->retry, opts->max_attempts, opts->random);
	return c;
}

struct aws_client *aws_client_ref(struct aws_client *c)
{
	atomic_fetch_add(&c->refs, 1);
	return c;
}

void aws_client_unref(struct aws_client *c)
{
	if (!c || atomic_fetch_sub(&c->refs, 1) != 1)
		return;
	credentials_provider_unref(c->o.credentials);
	arena_free(c->arena);
	mem_free(c);
}

bool aws_client_is_shared(const struct aws_client *c)
{
	return atomic_load(&c->refs) > 1;
}

void aws_client_unrefp(struct aws_client **c)
{
	aws_client_unref(*c);
	*c = NULL;
}

struct pacer *aws_service_pacer(const struct aws_service *service, unsigned quota_percent)
{
	double factor = quota_percent ? quota_percent / 100.0 : 1;
	double burst = service->burst * factor;

	return pacer_new(&(struct pacer_options){
		.rate_per_s = service->rate_per_s * factor,
		.burst = burst > 1 ? burst : 1,
		.max_factor = service->max_rate_factor,
	});
}

int64_t aws_client_skew_s(const struct aws_client *c)
{
	return atomic_load(&c->skew.offset_s);
}

/* ---- one call ---- */

enum step {
	STEP_NONE = 0, /* the slot is free */
	STEP_PACE,     /* at wake_ms: ask the pacer for a turn */
	STEP_SEND,     /* at wake_ms: the turn has come */
	STEP_HEAD,
	STEP_BODY,
	STEP_DONE, /* the item has its result */
};

struct call {
	struct aws_client *client;
	const struct ctx *ctx;
	struct aws_call_item *item;
	const struct aws_sink *sink;
	struct arena *arena; /* of the results */
	struct http_waiter *waiter;

	enum step step;
	int64_t wake_ms;        /* PACE, SEND: not before */
	struct pacer_turn turn; /* SEND */
	unsigned attempt;       /* from 1, as the retry mode counts */
	int paid;               /* to the retry budget, for this attempt */
	bool corrected_clock;
	struct aws_credentials *refused; /* as expired or unknown; others were asked for. NULL: none yet */
	struct err refusal;

	struct buf request;
	struct arena *scratch; /* of this attempt: signature, error body */
	struct aws_credentials *credentials;
	int64_t signed_at_s;
	struct http_flight *flight;
	const struct http_head *head;      /* of flight */
	struct aws_query_decoder *decoder; /* of a good answer in XML */
	struct buf body;                   /* of all other answers */
};

static int64_t now_ms(const struct call *c)
{
	return clock_mono_ms(c->ctx->clock);
}

static void end_attempt(struct call *c)
{
	aws_query_decoder_free(TAKE(c->decoder));
	http_flight_free(TAKE(c->flight));
	c->head = NULL;
	aws_credentials_unref(TAKE(c->credentials));
	buf_deinit(&c->body);
	memset(&c->body, 0, sizeof(c->body));
	arena_reset(c->scratch);
}

/* The item's err is filled when code is not ERR_OK. */
static void done(struct call *c, enum err_code code)
{
	if (c->step == STEP_PACE || c->step == STEP_SEND)
		pacer_give_back(c->client->o.pacer, &c->turn);
	end_attempt(c);
	buf_deinit(&c->request);
	arena_free(TAKE(c->scratch));
	aws_credentials_unref(TAKE(c->refused));
	c->item->code = code;
	c->step = STEP_DONE;
	if (code != ERR_OK)
		call_stats_count(c->client->o.stats, c->item->op, CALL_FAILED);
}

/* The error as it is, with the operation in front. */
static void fail(struct call *c, const struct err *err)
{
	c->item->err = *err;
	if (c->item->err.aws_operation[0] == '\0') {
		aws_err_set_operation(&c->item->err, c->item->op);
		err_prefix(&c->item->err, "%s", c->item->err.aws_operation);
	}
	done(c, err->code);
}

static void again_at(struct call *c, int64_t at_ms)
{
	end_attempt(c);
	call_stats_count(c->client->o.stats, c->item->op, CALL_RETRIED);
	c->turn = (struct pacer_turn){.granted = false};
	c->step = STEP_PACE;
	c->wake_ms = at_ms;
}

/* An attempt failed with something that may pass: again, or that was it. */
static void fail_or_retry(struct call *c, struct err *err)
{
	int64_t wait_ms;
	bool was_timeout = err->code == ERR_DEADLINE;

	if (err->retryable &&
		retry_next(&c->client->retry, c->attempt, was_timeout, err->retry_after_ms, &c->paid,
			&wait_ms) &&
		wait_ms < ctx_left_ms(c->ctx)) {
		c->attempt++;
		again_at(c, now_ms(c) + wait_ms);
		return;
	}
	if (err->code == ERR_THROTTLED && err->retry_after_ms == 0) /* where our back-off stands */
		err->retry_after_ms = (int64_t)1000 << (c->attempt < 4 ? c->attempt : 4);
	fail(c, err);
}

/* Credentials that cannot be had are no missing permission of this call, whatever STS called it: with
 * ERR_DENIED here the layers above would go on without what they asked for. aws_operation and aws_code
 * still say what STS said. */
static void fail_credentials(struct call *c, struct err *err)
{
	switch (err->code) {
	case ERR_THROTTLED:
	case ERR_UNAVAILABLE:
	case ERR_DEADLINE:
	case ERR_CANCELLED:
	case ERR_UNSUPPORTED:
	case ERR_INTERNAL:
		break;
	default:
		err->code = ERR_UNAUTHENTICATED;
		err->retryable = false;
	}
	fail(c, err);
}

/* ---- PACE, SEND ---- */

/* In STEP_SEND: the turn is left_ms off, which may change in the meantime. */
static void wait_for_turn(struct call *c, int64_t left_ms)
{
	const int64_t ctx_ms = ctx_left_ms(c->ctx);
	struct err err;

	/* Waiting would be for nothing; done() gives the turn back. When the deadline has passed it is no fault of the queue's: run()
	 * sees that and says so. */
	if (left_ms >= ctx_ms && ctx_ms > 0) {
		err_set(&err, ERR_THROTTLED, "the queue for AWS is longer than this call's deadline");
		err.retry_after_ms = left_ms;
		fail(c, &err);
		return;
	}
	c->wake_ms = now_ms(c) + (left_ms < PACER_LOOK_AGAIN_MS ? left_ms : PACER_LOOK_AGAIN_MS);
}

static void step_pace(struct call *c)
{
	c->turn = pacer_reserve(c->client->o.pacer, now_ms(c), c->ctx->background);
	c->wake_ms = now_ms(c) + c->turn.wait_ms;
	if (!c->turn.granted)
		return;
	c->step = STEP_SEND;
	wait_for_turn(c, c->turn.wait_ms);
}

static size_t protocol_headers(const struct call *c, struct http_header out[static 3])
{
	size_t n = 0;

	out[n++] = (struct http_header){STR("Host"), c->client->endpoint.host};
	if (c->item->op->service->protocol == AWS_QUERY) {
		out[n++] = (struct http_header){
			STR("Content-Type"), STR("application/x-www-form-urlencoded; charset=utf-8")};
		return n;
	}
	out[n++] = (struct http_header){STR("Content-Type"), STR("application/x-amz-json-1.1")};
	out[n++] = (struct http_header){STR("X-Amz-Target"), aws_json11_target(c->item->op, c->scratch)};
	return n;
}

static enum err_code sign(struct call *c, const struct http_header *headers, size_t n,
	struct sigv4_result *ret, struct err *reterr)
{
	struct aws_client *client = c->client;
	struct sigv4_request req = {
		.method = STR("POST"),
		.path = client->endpoint.path,
		.headers = headers,
		.n_headers = n,
		.body = buf_view(&c->request),
	};
	struct sigv4_params params = {
		.access_key_id = c->credentials->access_key_id,
		.secret_access_key = c->credentials->secret_access_key,
		.session_token = c->credentials->session_token,
		.region = client->endpoint.signing_region,
		.service = str_c(client->o.service->signing_name),
		.time_s = c->signed_at_s,
	};

	return sigv4_sign(client->o.signer, c->scratch, &req, &params, ret, reterr);
}

static enum err_code send_request(struct call *c, struct err *reterr)
{
	struct aws_client *client = c->client;
	struct http_header headers[MAX_HEADERS];
	size_t n = protocol_headers(c, headers);
	struct sigv4_result signature = {.n = 0};
	enum err_code code;

	if (c->credentials) {
		code = sign(c, headers, n, &signature, reterr);
		if (code != ERR_OK)
			return code;
	}
	for (size_t i = 0; i < signature.n; i++)
		headers[n++] = signature.headers[i];
	return http_start(client->o.http,
		&(struct http_request){
			.method = STR("POST"),
			.url = client->url,
			.headers = headers,
			.n_headers = n,
			.body = buf_view(&c->request),
			.timeout_ms = client->o.timeout_ms,
			.max_body_bytes = client->o.max_body,
			.waiter = c->waiter,
		},
		&c->flight, reterr);
}

static void step_send(struct call *c)
{
	struct aws_client *client = c->client;
	int64_t left_ms = pacer_left_ms(client->o.pacer, now_ms(c), &c->turn);
	struct err err;

	if (left_ms > 0) {
		wait_for_turn(c, left_ms);
		return;
	}
	if (!c->item->op->unsigned_request) {
		assert(client->o.credentials);
		if (credentials_fetch(client->o.credentials, c->ctx, &c->credentials, &err) != ERR_OK) {
			fail_credentials(c, &err);
			return;
		}
		if (c->credentials == c->refused) { /* there are no others */
			err = c->refusal;
			fail(c, &err);
			return;
		}
	}
	c->step = STEP_HEAD; /* from here on the turn is used */
	c->signed_at_s = clock_skew_now_s(&client->skew, client->o.clock);
	if (send_request(c, &err) != ERR_OK)
		fail(c, &err);
}

/* ---- HEAD, BODY ---- */

static bool is_success(const struct call *c)
{
	return c->head->status >= 200 && c->head->status < 300;
}

static void step_head(struct call *c)
{
	const struct aws_operation *op = c->item->op;
	struct err err;

	if (http_flight_head(c->flight, c->ctx, &c->head, &err) != ERR_OK) {
		fail_or_retry(c, &err);
		return;
	}
	c->step = STEP_BODY;
	buf_init(&c->body, is_success(c) ? c->client->o.max_body : MAX_ERROR_BYTES);
	c->body.wipe = true; /* AssumeRole's answer among others */
	if (!is_success(c))
		return;
	if (c->sink && c->sink->restart)
		c->sink->restart(c->sink->self);
	if (op->service->protocol == AWS_QUERY)
		c->decoder = aws_query_decoder_new(&(struct aws_query_decoder_options){
			.op = op,
			.arena = c->arena,
			.out = c->item->out,
			.sink = c->sink,
			.max_bytes = c->client->o.max_body,
		});
}

static void succeeded(struct call *c)
{
	retry_succeeded(&c->client->retry, c->paid);
	pacer_succeeded(c->client->o.pacer, now_ms(c));
	done(c, ERR_OK);
}

/* An answer that does not make sense will not make sense the next time; one that was cut on its way may
 * well. */
static void truncated(struct call *c)
{
	struct err err;

	err_set(&err, ERR_UNAVAILABLE, "the answer was cut off");
	err.http_status = c->head->status;
	fail_or_retry(c, &err);
}

static void finish_json(struct call *c)
{
	struct aws_json11_answer answer = {
		.op = c->item->op,
		.body = buf_view(&c->body),
		.max_bytes = c->client->o.max_body,
		.sink = c->sink,
	};
	bool sink_failed = false;
	struct err err;

	if (buf_check(&c->body, "the answer", &err) != ERR_OK)
		fail(c, &err);
	else if (aws_json11_decode(&answer, c->arena, c->item->out, &sink_failed, &err) == ERR_OK)
		succeeded(c);
	else if (err.code == ERR_PROTOCOL && !sink_failed && !str_ends(str_trim(answer.body), STR("}")))
		truncated(c);
	else
		fail(c, &err);
}

static void finish_success(struct call *c)
{
	struct err err;
	bool cut;

	if (!c->decoder)
		finish_json(c);
	else if (aws_query_decoder_finish(c->decoder, &cut, &err) == ERR_OK)
		succeeded(c);
	else if (cut)
		truncated(c);
	else
		fail(c, &err);
}

/* x-amz-retry-after (milliseconds), else Retry-After (seconds or a date). */
static int64_t retry_after_ms(const struct call *c)
{
	int64_t v, at_s;

	if (str_to_i64(c->head->amz_retry_after, &v))
		return v > 0 ? v : 0;
	if (str_to_i64(c->head->retry_after, &v))
		return v > 0 && v < INT64_MAX / 1000 ? v * 1000 : 0;
	if (time_parse_http(c->head->retry_after, &at_s)) {
		int64_t left_s = at_s - clock_skew_now_s(&c->client->skew, c->client->o.clock);

		return left_s > 0 && left_s < INT64_MAX / 1000 ? left_s * 1000 : 0;
	}
	return 0;
}

static void finish_failure(struct call *c)
{
	struct aws_client *client = c->client;
	struct aws_failure f = {.http_status = c->head->status, .retry_after_ms = retry_after_ms(c)};
	struct aws_error_class class;
	struct err err;

	aws_failure_parse(c->scratch, buf_view(&c->body), c->head->error_type, &f);
	if (c->head->request_id.n)
		f.request_id = c->head->request_id;
	class = aws_error_classify(f.code, f.http_status);
	if (class.throttle) {
		call_stats_count(client->o.stats, c->item->op, CALL_THROTTLED);
		pacer_throttled(client->o.pacer, now_ms(c));
	}
	if (class.clock_skew && !c->corrected_clock &&
		clock_skew_learn(&client->skew, client->o.clock, c->signed_at_s, f.code, c->head->date)) {
		c->corrected_clock = true;
		again_at(c, now_ms(c));
		return;
	}
	aws_failure_to_err(c->item->op, &f, &err);
	if (class.expired && !c->refused && c->credentials) {
		c->refused = aws_credentials_ref(c->credentials);
		c->refusal = err;
		credentials_forget(client->o.credentials, c->credentials);
		again_at(c, now_ms(c));
		return;
	}
	fail_or_retry(c, &err);
}

static void take_chunk(struct call *c, struct str chunk)
{
	struct err err;

	if (c->decoder) {
		if (aws_query_decoder_feed(c->decoder, chunk, &err) != ERR_OK)
			fail(c, &err);
		return;
	}
	if (is_success(c)) {
		buf_str(&c->body, chunk); /* the transport keeps to max_body */
		return;
	}
	buf_str(&c->body, str_sub(chunk, 0, c->body.cap - c->body.n));
	if (c->body.n == c->body.cap)
		finish_failure(c); /* the rest of such a page says nothing more */
}

static void step_body(struct call *c)
{
	struct str chunk;
	struct err err;

	if (http_flight_read(c->flight, c->ctx, &chunk, &err) != ERR_OK) {
		if (is_success(c))
			fail_or_retry(c, &err);
		else
			finish_failure(c); /* status and headers are there: enough to know what it was */
		return;
	}
	if (chunk.n > 0)
		take_chunk(c, chunk);
	else if (is_success(c))
		finish_success(c);
	else
		finish_failure(c);
}

/* ---- driving calls ---- */

static void begin(struct call *c, struct aws_call_item *item)
{
	const struct aws_operation *op = item->op;
	enum err_code code;

	assert(op->service == c->client->o.service);
	c->item = item;
	c->step = STEP_PACE;
	c->wake_ms = 0;
	c->turn = (struct pacer_turn){.granted = false};
	c->attempt = 1;
	c->paid = 0;
	c->corrected_clock = false;
	c->scratch = arena_new(0);
	if (item->out && op->out) /* well defined also after a failure */
		memset(item->out, 0, op->out->size);
	call_stats_count(c->client->o.stats, op, CALL_BEGUN);
	buf_init(&c->request, MAX_REQUEST_BYTES);
	c->request.wipe = true; /* web identity tokens, external ids */
	code = op->service->protocol == AWS_QUERY ? aws_query_encode(op, item->in, &c->request, &item->err)
						  : aws_json11_encode(op, item->in, &c->request, &item->err);
	if (code != ERR_OK) {
		struct err err = item->err;

		fail(c, &err);
	}
}

/* Goes on as far as it can without waiting. */
static void advance(struct call *c)
{
	for (;;) {
		switch (c->step) {
		case STEP_NONE:
		case STEP_DONE:
			return;
		case STEP_PACE:
			if (c->wake_ms > now_ms(c))
				return;
			step_pace(c);
			break;
		case STEP_SEND:
			if (c->wake_ms > now_ms(c))
				return;
			step_send(c);
			break;
		case STEP_HEAD:
			if (!http_flight_ready(c->flight))
				return;
			step_head(c);
			break;
		case STEP_BODY:
			if (!http_flight_ready(c->flight))
				return;
			step_body(c);
			break;
		}
	}
}

struct batch {
	struct aws_client *client;
	const struct ctx *ctx;
	const struct aws_call_source *source;
	const struct aws_sink *sink;
	struct arena *arena; /* of results whose item has none */
	bool drained;        /* the source has no more */
	struct call *slots;
	size_t n_slots;
	struct http_waiter *waiter;
};

/* Moves the slot's call on; when it is done, begins the next item with it. */
static void serve(struct batch *b, struct call *c)
{
	for (;;) {
		if (c->step == STEP_NONE) {
			struct aws_call_item *item = b->drained ? NULL : b->source->next(b->source->self);

			b->drained = item == NULL;
			if (!item)
				return;
			c->arena = item->arena ? item->arena : b->arena;
			begin(c, item);
		}
		advance(c);
		if (c->step != STEP_DONE)
			return;
		c->step = STEP_NONE;
		b->source->done(b->source->self, c->item);
	}
}

/* Serves all slots. Returns how many calls are under way; *ret_wake_ms: when the first of them has to
 * go on even if no bytes come. */
static size_t serve_all(struct batch *b, int64_t *ret_wake_ms)
{
	size_t busy = 0;

	*ret_wake_ms = INT64_MAX;
	for (size_t i = 0; i < b->n_slots; i++) {
		struct call *c = &b->slots[i];

		serve(b, c);
		if (c->step == STEP_NONE)
			continue;
		busy++;
		if ((c->step == STEP_PACE || c->step == STEP_SEND) && c->wake_ms < *ret_wake_ms)
			*ret_wake_ms = c->wake_ms;
	}
	return busy;
}

/* ---- the shared bucket ---- */

static enum err_code ask_bucket(struct batch *b, const struct pacer_exchange *x, struct err *reterr)
{
	struct ctx ctx = *b->ctx;
	struct quota_grant grant;
	int64_t until_ms = clock_mono_ms(ctx.clock) + QUOTA_TIMEOUT_MS;
	enum err_code code;

	if (ctx.deadline_ms > until_ms)
		ctx.deadline_ms = until_ms;
	code = x->quota->take(x->quota, &ctx, &x->request, &grant, reterr);
	if (code != ERR_OK)
		return code;
	if (!pacer_granted(b->client->o.pacer, clock_mono_ms(ctx.clock), &grant))
		return err_set(reterr, ERR_PROTOCOL, "the bucket's answer makes no sense");
	return ERR_OK;
}

static void exchange(struct batch *b, const struct pacer_exchange *x)
{
	struct pacer *p = b->client->o.pacer;
	struct err err, ended;
	enum err_code code = ask_bucket(b, x, &err);

	if (code == ERR_OK)
		return;
	if (ctx_check(b->ctx, "asking for a turn", &ended) != ERR_OK) {
		pacer_not_asked(p); /* that is why; run() sees it, too */
		return;
	}
	if (pacer_alone(p, clock_mono_ms(b->ctx->clock)))
		log_warn("the bucket that paces all servers is away, each takes its share of AWS's quota, "
			 "ignoring",
			LOG_CSTR("error", err.msg));
}

/* Whoever waits for a turn has to look at what came. */
static void wake_all(struct batch *b)
{
	for (size_t i = 0; i < b->n_slots; i++) {
		struct call *c = &b->slots[i];

		if (c->step == STEP_SEND || (c->step == STEP_PACE && c->turn.asks))
			c->wake_ms = 0;
	}
}

/* True: the bucket was asked, so there may be turns. Else *wake_ms is no later than when it may have to be asked. */
static bool exchange_if_due(struct batch *b, int64_t *wake_ms)
{
	struct pacer_exchange x;
	int64_t now = clock_mono_ms(b->ctx->clock);
	int64_t left_ms = pacer_exchange_ms(b->client->o.pacer, now, &x);

	if (left_ms == 0) {
		exchange(b, &x);
		wake_all(b);
		return true;
	}
	if (*wake_ms != INT64_MAX && left_ms < *wake_ms - now) /* somebody waits for a turn */
		*wake_ms = now + left_ms;
	return false;
}

/* Everything under way fails with err. */
static void abandon(struct batch *b, const struct err *err)
{
	for (size_t i = 0; i < b->n_slots; i++) {
		struct call *c = &b->slots[i];

		if (c->step == STEP_NONE)
			continue;
		fail(c, err);
		c->step = STEP_NONE;
		b->source->done(b->source->self, c->item);
	}
}

static enum err_code run(struct batch *b, struct err *reterr)
{
	int64_t wake_ms, now;

	for (;;) {
		if (ctx_check(b->ctx, "waiting for AWS", reterr) != ERR_OK)
			break;
		if (serve_all(b, &wake_ms) == 0)
			return ERR_OK;
		if (exchange_if_due(b, &wake_ms))
			continue;
		now = clock_mono_ms(b->ctx->clock);
		if (wake_ms != INT64_MAX)
			wake_ms = wake_ms > now ? wake_ms - now : 0;
		if (http_waiter_wait(b->waiter, b->ctx, wake_ms, reterr) != ERR_OK)
			break;
	}
	abandon(b, reterr);
	return reterr->code;
}

static enum err_code run_batch(struct batch *b, size_t max_in_flight, struct err *reterr)
{
	CLEANUP(http_waiter_freep) struct http_waiter *waiter = http_waiter_new();
	CLEANUP(mem_freep) struct call *slots = NULL;

	b->waiter = waiter;
	b->n_slots = max_in_flight < 1 ? 1 : max_in_flight;
	b->slots = slots = mem_array(b->n_slots, sizeof(*slots));
	for (size_t i = 0; i < b->n_slots; i++)
		slots[i] =
			(struct call){.client = b->client, .ctx = b->ctx, .sink = b->sink, .waiter = waiter};
	return run(b, reterr);
}

enum err_code aws_call_each(struct aws_client *c, const struct ctx *ctx, const struct aws_call_source *source,
	size_t max_in_flight, struct err *reterr)
{
	struct batch b = {.client = c, .ctx = ctx, .source = source};

	return run_batch(&b, max_in_flight, reterr);
}

/* A source that is an array. */
struct item_array {
	struct aws_call_item *items;
	size_t n;
	size_t next; /* items[next ...] are not begun */
	aws_stop_fn *stop_on;
	bool stopped;
};

static struct aws_call_item *array_next(void *self)
{
	struct item_array *a = self;

	return a->stopped || a->next == a->n ? NULL : &a->items[a->next++];
}

static void array_done(void *self, struct aws_call_item *item)
{
	struct item_array *a = self;

	if (item->code != ERR_OK && (!a->stop_on || a->stop_on(item)))
		a->stopped = true;
}

void aws_call_many(struct aws_client *c, const struct ctx *ctx, struct aws_call_item *items, size_t n,
	size_t max_in_flight, aws_stop_fn *stop_on, struct arena *arena)
{
	struct item_array array = {.items = items, .n = n, .stop_on = stop_on};
	const struct aws_call_source source = {.next = array_next, .done = array_done, .self = &array};
	struct batch b = {.client = c, .ctx = ctx, .source = &source, .arena = arena};
	struct err err;

	if (n == 0)
		return;
	if (run_batch(&b, max_in_flight < n ? max_in_flight : n, &err) == ERR_OK)
		err_set(&err, ERR_CANCELLED, "not begun, because another call of the batch failed");
	for (; array.next < n; array.next++) {
		items[array.next].code = err.code;
		items[array.next].err = err;
	}
}

enum err_code aws_call_stream(struct aws_client *c, const struct ctx *ctx, const struct aws_operation *op,
	const void *in, struct arena *arena, void *out, const struct aws_sink *sink, struct err *reterr)
{
	struct aws_call_item item = {.op = op, .in = in, .out = out};
	struct item_array array = {.items = &item, .n = 1};
	const struct aws_call_source source = {.next = array_next, .done = array_done, .self = &array};
	struct batch b = {.client = c, .ctx = ctx, .source = &source, .sink = sink, .arena = arena};
	enum err_code code = run_batch(&b, /* max_in_flight= */ 1, reterr);

	if (array.next == 0) /* never begun: why not is in *reterr */
		return code;
	if (item.code != ERR_OK)
		*reterr = item.err;
	return item.code;
}

enum err_code aws_call(struct aws_client *c, const struct ctx *ctx, const struct aws_operation *op,
	const void *in, struct arena *arena, void *out, struct err *reterr)
{
	return aws_call_stream(c, ctx, op, in, arena, out, /* sink= */ NULL, reterr);
}
