/* DESIGN
 *
 * One completion queue with one thread. That is the fastest arrangement for small replies, and it makes the
 * life of streams single-threaded. What a call waits for is a tag: a piece of the call that says which event
 * it is.
 *
 *	slot --request--> accepted --+-- close tag: the peer went away, or the call is over
 *	  ^ re-posted at once        +-- lane: handler -> rpc_reply -> sent tag
 *
 * gRPC queues calls without bound when no slot is posted, so slots are re-posted first thing and the bound is
 * ours: the lanes' queues. A call is freed when its last reference goes: one per batch under way, one while it
 * is being answered (a stream: while it is open).
 *
 * Streams live on the completion-queue thread alone, have at most one message under way, and are linked so
 * that a change of state and the end of the server reach them: whoever wants that posts an empty batch on
 * each, which is how gRPC's C interface lets one put an event of one's own into a completion queue.
 *
 * Rejected: gRPC's own limit of concurrent streams as the in-flight limit (it makes peers wait without a
 * word, and the rate limiter's answers would wait too). */
#include "server/rpc.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <grpc/support/log.h>
#include <grpc/support/time.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "server/pool.h"

/* ThreadSanitizer does not see the hand-over inside gRPC, which is not instrumented. */
#if defined(__SANITIZE_THREAD__)
#define RPC_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RPC_TSAN 1
#endif
#endif
#ifdef RPC_TSAN
void __tsan_acquire(void *addr);
void __tsan_release(void *addr);
#define HAND_OVER(tag) __tsan_release(tag)
#define TAKE_OVER(tag) __tsan_acquire(tag)
#else
#define HAND_OVER(tag) ((void)(tag))
#define TAKE_OVER(tag) ((void)(tag))
#endif

enum {
	TAG_MAGIC = 0x62617774,
	SLOTS_PER_METHOD = 4, /* calls of one method that can be matched before the queue thread re-posts */
	MAX_STREAMS = 256,    /* open reflection and health streams: they live as long as their peer likes */
	VALIDATE_QUEUE = 64,
	INLINE_MAX_BYTES = 65536, /* reading more than this takes too long for the queue thread */
	/* A peer's header block. More than gRPC's own 8 KiB, because going over it is an error of the
	 * connection, which fails every call on it; tracing headers alone can be larger. */
	MAX_METADATA_BYTES = 262144,
	/* Bounds what all connections together hold in buffers: a few hundred messages of the largest size
	 * are read and waiting; further reads wait. */
	MEMORY_BYTES = 256 * 1024 * 1024,
	HANDSHAKE_MS = 10000,
	KEEPALIVE_MS = 60000, /* a peer that is gone without a word is noticed, and its calls cancelled */
	KEEPALIVE_TIMEOUT_MS = 20000,
	MIN_PING_MS = 5000
};

enum tag_kind { TAG_REQUEST, TAG_CLOSE, TAG_SENT, TAG_READ, TAG_POKED, TAG_STOPPED };

struct tag {
	uint32_t magic;
	enum tag_kind kind;
	struct rpc_call *call;
};

enum stream_state {
	STREAM_NONE,    /* not a stream */
	STREAM_IDLE,    /* open; nothing under way, or a read */
	STREAM_WRITING, /* a message is under way */
	STREAM_ENDED,   /* the status is under way, or the peer is gone */
};

struct rpc_call {
	struct rpc_server *server;
	const struct rpc_method *method; /* NULL: the slot for unknown paths */
	atomic_int refs;

	struct tag request, close, sent, read, poke;
	grpc_call *grpc;
	gpr_timespec deadline;
	grpc_metadata_array metadata;
	grpc_call_details details; /* of unknown paths */
	grpc_byte_buffer *payload; /* the request, or a stream's latest */
	int cancelled;

	struct cancel *cancel; /* NULL on the inline lane, where nothing waits */
	struct ctx ctx;
	struct rpc_request req;
	grpc_slice bytes; /* what req.bytes points to */

	bool has_body;
	grpc_slice body;
	grpc_byte_buffer *out;
	grpc_slice message;
	grpc_metadata trailer;

	enum stream_state stream;
	bool greeted;      /* initial metadata is sent */
	bool changed;      /* the state changed while a message was under way */
	bool must_end;     /* the server stops: end as soon as nothing is under way */
	grpc_slice latest; /* RPC_WATCH: the last message sent */
	bool poked;        /* an event of ours is under way; guarded by the server's lock, like the next */
	struct rpc_call *next, *prev;
};

struct rpc_body {
	grpc_slice slice;
};

struct listener {
	struct tls_watch *tls;
	struct listener *next;
};

struct rpc_server {
	const struct rpc_method *methods;
	size_t n_methods;
	rpc_handle_fn *handle;
	void *self;
	const struct clock *clock;
	size_t workers, queue, validate_workers;

	grpc_server *grpc;
	grpc_completion_queue *cq;
	void **registered;          /* gRPC's name of each method */
	struct listener *listeners; /* those with TLS */
	struct pool *lanes[RPC_LANE_COUNT];
	struct thread thread;
	/* Written by the main thread. Who reads RUNNING may look at the lanes: they are there before and until
	 * rpc_server_free. */
	_Atomic enum { NEW, RUNNING, STOPPED } phase;

	struct tag stopped;
	atomic_bool stopping;

	atomic_uint_fast64_t next_call_id;
	atomic_uint_fast64_t in_flight, n_streams, refused;
	struct mutex lock; /* guards what follows */
	struct cond quiet;
	struct rpc_call *streams; /* the open ones */
	uint64_t live;            /* calls accepted and not freed */
	bool is_stopped;
};

/* --- calls --- */

static struct tag tag_of(enum tag_kind kind, struct rpc_call *call)
{
	return (struct tag){.magic = TAG_MAGIC, .kind = kind, .call = call};
}

static struct rpc_call *call_new(struct rpc_server *s, const struct rpc_method *method)
{
	struct rpc_call *c = mem_zalloc(sizeof(*c));

	c->server = s;
	c->method = method;
	c->request = tag_of(TAG_REQUEST, c);
	c->close = tag_of(TAG_CLOSE, c);
	c->sent = tag_of(TAG_SENT, c);
	c->read = tag_of(TAG_READ, c);
	c->poke = tag_of(TAG_POKED, c);
	c->bytes = c->body = c->message = c->latest = grpc_empty_slice();
	c->trailer.value = grpc_empty_slice();
	atomic_init(&c->refs, 1);
	grpc_metadata_array_init(&c->metadata);
	if (method == NULL)
		grpc_call_details_init(&c->details);
	return c;
}

static void drop_payload(struct rpc_call *c)
{
	grpc_slice_unref(c->bytes);
	c->bytes = grpc_empty_slice();
	if (c->payload)
		grpc_byte_buffer_destroy(c->payload);
	c->payload = NULL;
}

static void drop_output(struct rpc_call *c)
{
	if (c->out)
		grpc_byte_buffer_destroy(c->out);
	c->out = NULL;
	if (c->has_body)
		grpc_slice_unref(c->body);
	c->has_body = false;
}

static void call_free(struct rpc_call *c)
{
	if (c->grpc)
		grpc_call_unref(c->grpc);
	drop_payload(c);
	drop_output(c);
	grpc_slice_unref(c->message);
	grpc_slice_unref(c->trailer.value);
	grpc_slice_unref(c->latest);
	grpc_metadata_array_destroy(&c->metadata);
	if (c->method == NULL)
		grpc_call_details_destroy(&c->details);
	cancel_unref(c->cancel);
	mem_free(c);
}

static void call_unref(struct rpc_call *c)
{
	struct rpc_server *s = c->server;

	if (atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
		return;
	call_free(c);
	LOCK_SCOPE(&s->lock);
	if (--s->live == 0)
		cond_broadcast(&s->quiet);
}

/* Starts a batch whose end comes back as the tag. It cannot fail unless we break gRPC's rules for batches. */
static void start_batch(struct rpc_call *c, const grpc_op *ops, size_t n, struct tag *tag)
{
	grpc_call_error failed;

	atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
	HAND_OVER(tag);
	failed = grpc_call_start_batch(c->grpc, ops, n, tag, NULL);
	assert(failed == GRPC_CALL_OK);
	(void)failed;
}

static void post_slot(struct rpc_server *s, const struct rpc_method *method)
{
	struct rpc_call *c = call_new(s, method);
	grpc_call_error failed;

	HAND_OVER(&c->request);
	if (method == NULL)
		failed = grpc_server_request_call(
			s->grpc, &c->grpc, &c->details, &c->metadata, s->cq, s->cq, &c->request);
	else
		failed = grpc_server_request_registered_call(s->grpc, s->registered[method - s->methods],
			&c->grpc, &c->deadline, &c->metadata,
			method->shape == RPC_DIALOG ? NULL : &c->payload, s->cq, s->cq, &c->request);
	if (failed != GRPC_CALL_OK)
		call_free(c); /* the server is stopping */
}

static struct str slice_view(const grpc_slice *s)
{
	return str_n((const char *)GRPC_SLICE_START_PTR(*s), GRPC_SLICE_LENGTH(*s));
}

/* The payload as one piece of memory. gRPC delivers what fits a frame in one slice, which needs no copy. */
static void view_payload(struct rpc_call *c)
{
	grpc_byte_buffer_reader reader;

	c->req.bytes = STR_EMPTY;
	if (c->payload == NULL || !grpc_byte_buffer_reader_init(&reader, c->payload))
		return;
	if (c->payload->type == GRPC_BB_RAW && c->payload->data.raw.slice_buffer.count == 1)
		c->bytes = grpc_slice_ref(c->payload->data.raw.slice_buffer.slices[0]);
	else
		c->bytes = grpc_byte_buffer_reader_readall(&reader);
	grpc_byte_buffer_reader_destroy(&reader);
	c->req.bytes = slice_view(&c->bytes);
}

/* gRPC hands out deadlines on its monotonic clock; ours may be another one in tests. */
static int64_t deadline_ms(const struct rpc_call *c, int64_t now_ms)
{
	gpr_timespec left;

	if (c->method == NULL || c->deadline.tv_sec == INT64_MAX)
		return CTX_NO_DEADLINE;
	left = gpr_time_sub(
		gpr_convert_clock_type(c->deadline, GPR_CLOCK_MONOTONIC), gpr_now(GPR_CLOCK_MONOTONIC));
	if (left.tv_sec > INT32_MAX)
		return CTX_NO_DEADLINE;
	return now_ms + gpr_time_to_millis(left);
}

static void run_call(void *item)
{
	struct rpc_call *c = item;

	c->server->handle(c->server->self, c, &c->req);
}

/* --- replies --- */

uint8_t *rpc_body_alloc(struct rpc_call *call, size_t n)
{
	assert(!call->has_body);
	call->body = grpc_slice_malloc(n);
	call->has_body = true;
	return GRPC_SLICE_START_PTR(call->body);
}

struct rpc_body *rpc_body_new(struct str bytes)
{
	struct rpc_body *b = mem_alloc(sizeof(*b));

	b->slice = grpc_slice_from_copied_buffer(bytes.p, bytes.n);
	return b;
}

void rpc_body_free(struct rpc_body *b)
{
	if (b == NULL)
		return;
	grpc_slice_unref(b->slice);
	mem_free(b);
}

void rpc_body_share(struct rpc_call *call, const struct rpc_body *b)
{
	assert(!call->has_body);
	call->body = grpc_slice_ref(b->slice);
	call->has_body = true;
}

/* A batch under construction: at most greeting, message and status. */
struct batch {
	grpc_op ops[3];
	size_t n;
};

static grpc_op *batch_add(struct batch *b, grpc_op_type type)
{
	grpc_op *op = &b->ops[b->n++];

	assert(b->n <= ARRAY_LEN(b->ops));
	op->op = type;
	return op;
}

static void add_greeting(struct batch *b, struct rpc_call *c)
{
	if (!c->greeted)
		batch_add(b, GRPC_OP_SEND_INITIAL_METADATA);
	c->greeted = true;
}

static void add_message(struct batch *b, struct rpc_call *c)
{
	c->out = grpc_raw_byte_buffer_create(&c->body, 1);
	batch_add(b, GRPC_OP_SEND_MESSAGE)->data.send_message.send_message = c->out;
}

static void add_status(struct batch *b, struct rpc_call *c, const struct status *st)
{
	grpc_op *op = batch_add(b, GRPC_OP_SEND_STATUS_FROM_SERVER);

	op->data.send_status_from_server.status = (grpc_status_code)st->code;
	if (st->message.n > 0) {
		c->message = grpc_slice_from_copied_buffer(st->message.p, st->message.n);
		op->data.send_status_from_server.status_details = &c->message;
	}
	if (st->details.n > 0) {
		c->trailer.key = grpc_slice_from_static_string("grpc-status-details-bin");
		c->trailer.value = grpc_slice_from_copied_buffer(st->details.p, st->details.n);
		op->data.send_status_from_server.trailing_metadata_count = 1;
		op->data.send_status_from_server.trailing_metadata = &c->trailer;
	}
}

static void stream_reply(struct rpc_call *c, const struct status *st);

void rpc_reply(struct rpc_call *c, const struct status *st)
{
	struct batch b = {.n = 0};

	if (c->stream != STREAM_NONE) {
		stream_reply(c, st);
		return;
	}
	add_greeting(&b, c);
	if (st->code == RPC_OK && c->has_body)
		add_message(&b, c);
	add_status(&b, c, st);
	atomic_fetch_sub_explicit(&c->server->in_flight, 1, memory_order_relaxed);
	start_batch(c, b.ops, b.n, &c->sent);
	call_unref(c);
}

/* --- streams: all of this on the completion-queue thread --- */

static void stream_link(struct rpc_call *c)
{
	struct rpc_server *s = c->server;
	LOCK_SCOPE(&s->lock);

	c->next = s->streams;
	if (c->next)
		c->next->prev = c;
	s->streams = c;
	atomic_fetch_add_explicit(&s->n_streams, 1, memory_order_relaxed);
}

/* The stream is over: gives back the reference of being open. */
static void stream_unlink(struct rpc_call *c)
{
	struct rpc_server *s = c->server;

	if (c->stream == STREAM_ENDED)
		return;
	c->stream = STREAM_ENDED;
	mutex_lock(&s->lock);
	if (c->prev)
		c->prev->next = c->next;
	else
		s->streams = c->next;
	if (c->next)
		c->next->prev = c->prev;
	mutex_unlock(&s->lock);
	atomic_fetch_sub_explicit(&s->n_streams, 1, memory_order_relaxed);
	call_unref(c);
}

static void stream_end(struct rpc_call *c, const struct status *st)
{
	struct batch b = {.n = 0};

	add_greeting(&b, c);
	add_status(&b, c, st);
	start_batch(c, b.ops, b.n, &c->sent);
	stream_unlink(c);
}

static void stream_stop(struct rpc_call *c)
{
	const struct status bye = {.code = RPC_UNAVAILABLE, .message = STR("the server is shutting down")};

	if (c->stream == STREAM_WRITING)
		c->must_end = true;
	else if (c->stream == STREAM_IDLE)
		stream_end(c, &bye);
}

static void stream_reply(struct rpc_call *c, const struct status *st)
{
	struct batch b = {.n = 0};

	if (st->code != RPC_OK) {
		stream_end(c, st);
		return;
	}
	assert(c->has_body);
	if (c->method->shape == RPC_WATCH) {
		if (c->greeted && grpc_slice_eq(c->body, c->latest)) {
			drop_output(c); /* nothing new */
			return;
		}
		grpc_slice_unref(c->latest);
		c->latest = grpc_slice_ref(c->body);
	}
	add_greeting(&b, c);
	add_message(&b, c);
	c->stream = STREAM_WRITING;
	start_batch(c, b.ops, b.n, &c->sent);
}

static void stream_ask(struct rpc_call *c)
{
	c->changed = false;
	run_call(c);
}

static void dialog_read(struct rpc_call *c)
{
	struct batch b = {.n = 0};

	drop_payload(c);
	batch_add(&b, GRPC_OP_RECV_MESSAGE)->data.recv_message.recv_message = &c->payload;
	start_batch(c, b.ops, b.n, &c->read);
}

static void stream_open(struct rpc_call *c)
{
	const struct status full = {.code = RPC_RESOURCE_EXHAUSTED, .message = STR("too many open streams")};

	c->stream = STREAM_IDLE;
	stream_link(c);
	if (atomic_load_explicit(&c->server->n_streams, memory_order_relaxed) > MAX_STREAMS)
		stream_end(c, &full);
	else if (atomic_load(&c->server->stopping))
		stream_stop(c);
	else if (c->method->shape == RPC_DIALOG)
		dialog_read(c);
	else
		stream_ask(c);
}

static void stream_sent(struct rpc_call *c)
{
	drop_output(c);
	if (c->stream != STREAM_WRITING)
		return;
	c->stream = STREAM_IDLE;
	if (c->must_end)
		stream_stop(c);
	else if (c->method->shape == RPC_DIALOG)
		dialog_read(c);
	else if (c->changed)
		stream_ask(c);
}

static void dialog_got(struct rpc_call *c, bool ok)
{
	const struct status done = {.code = RPC_OK};

	if (c->stream != STREAM_IDLE)
		return;
	if (!ok || c->payload == NULL) {
		stream_end(c, &done); /* the peer has said all it wanted */
		return;
	}
	view_payload(c);
	run_call(c);
}

/* The state changed, or the server stops. */
static void stream_poked(struct rpc_call *c)
{
	struct rpc_server *s = c->server;

	mutex_lock(&s->lock);
	c->poked = false; /* first: a change from here on pokes again */
	mutex_unlock(&s->lock);
	if (atomic_load(&s->stopping))
		stream_stop(c);
	else if (c->method->shape == RPC_WATCH && c->stream == STREAM_IDLE)
		stream_ask(c);
	else
		c->changed = true;
}

/* --- the completion-queue thread --- */

static void take_request(struct rpc_call *c)
{
	struct rpc_server *s = c->server;
	int64_t now_ms = clock_mono_ms(s->clock);

	c->ctx = (struct ctx){
		.clock = s->clock,
		.deadline_ms = deadline_ms(c, now_ms),
		.cancel = c->cancel,
		.call_id = atomic_fetch_add_explicit(&s->next_call_id, 1, memory_order_relaxed) + 1,
	};
	c->req.ctx = &c->ctx;
	c->req.received_ms = now_ms;
	c->req.method = c->method ? (size_t)(c->method - s->methods) : RPC_NO_METHOD;
	view_payload(c);
	if (c->method == NULL)
		c->req.bytes = slice_view(&c->details.method);
}

static void refuse(struct rpc_call *c)
{
	atomic_fetch_add_explicit(&c->server->refused, 1, memory_order_relaxed);
	c->req.refused = true;
	run_call(c);
}

static void accept_call(struct rpc_call *c)
{
	struct rpc_server *s = c->server;
	enum rpc_lane lane = c->method ? c->method->lane : RPC_INLINE;
	const struct status no_message = {
		.code = RPC_INTERNAL, .message = STR("the call came without a request message")};
	grpc_op close = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER};

	mutex_lock(&s->lock);
	s->live++;
	mutex_unlock(&s->lock);
	if (lane == RPC_INLINE && c->payload && grpc_byte_buffer_length(c->payload) > INLINE_MAX_BYTES)
		lane = RPC_WORKERS;
	if (lane != RPC_INLINE)
		c->cancel = cancel_new();
	take_request(c);
	close.data.recv_close_on_server.cancelled = &c->cancelled;
	start_batch(c, &close, 1, &c->close);

	if (c->method && c->method->shape != RPC_UNARY) {
		stream_open(c);
		return;
	}
	atomic_fetch_add_explicit(&s->in_flight, 1, memory_order_relaxed);
	if (c->method && c->payload == NULL) /* cancelled, or too large: then gRPC has answered already */
		rpc_reply(c, &no_message);
	else if (lane == RPC_INLINE)
		run_call(c);
	else if (!pool_push(s->lanes[lane], c))
		refuse(c);
}

static void on_event(struct rpc_server *s, struct tag *tag, bool ok)
{
	struct rpc_call *c = tag->call;

	switch (tag->kind) {
	case TAG_REQUEST:
		if (ok) {
			post_slot(s, c->method);
			accept_call(c);
		} else {
			call_free(c); /* a slot nobody used; the server is stopping */
		}
		return;
	case TAG_CLOSE:
		if (c->cancelled && c->cancel)
			cancel_fire(c->cancel);
		if (c->stream != STREAM_NONE)
			stream_unlink(c);
		break;
	case TAG_SENT:
		if (c->stream != STREAM_NONE)
			stream_sent(c);
		break;
	case TAG_READ:
		dialog_got(c, ok);
		break;
	case TAG_POKED:
		stream_poked(c);
		break;
	case TAG_STOPPED:
		mutex_lock(&s->lock);
		s->is_stopped = true;
		cond_broadcast(&s->quiet);
		mutex_unlock(&s->lock);
		return;
	}
	call_unref(c);
}

static void *queue_main(void *arg)
{
	struct rpc_server *s = arg;

	for (;;) {
		grpc_event event =
			grpc_completion_queue_next(s->cq, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
		struct tag *tag = event.tag;

		if (event.type == GRPC_QUEUE_SHUTDOWN)
			return NULL;
		TAKE_OVER(tag);
		if (tag->magic != TAG_MAGIC)
			abort(); /* gRPC gave back what we did not give it */
		on_event(s, tag, event.success != 0);
	}
}

/* --- boot and end --- */

/* gRPC's own lines. Every failed TLS handshake is one, so a port scanner must not fill the disk: one line a
 * second. */
static void log_from_grpc(gpr_log_func_args *args)
{
	static atomic_int_fast64_t last_s;
	static atomic_uint_fast64_t hidden;
	int64_t now_s = clock_mono_ms(&clock_system) / 1000;
	int_fast64_t seen_s = atomic_load(&last_s);

	if (args->severity != GPR_LOG_SEVERITY_ERROR) {
		log_debug("gRPC", LOG_CSTR("text", args->message));
		return;
	}
	if (seen_s == now_s || !atomic_compare_exchange_strong(&last_s, &seen_s, now_s)) {
		atomic_fetch_add(&hidden, 1);
		return;
	}
	log_warn("gRPC reports a problem of a connection", LOG_CSTR("text", args->message),
		LOG_I64("not_shown_before", (int64_t)atomic_exchange(&hidden, 0)));
}

static grpc_server *new_grpc_server(void)
{
	grpc_resource_quota *quota = grpc_resource_quota_create("baton-awsd");
	grpc_arg args[] = {
		{.type = GRPC_ARG_INTEGER,
			.key = (char *)GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH,
			.value.integer = RPC_MAX_MESSAGE},
		{.type = GRPC_ARG_INTEGER,
			.key = (char *)GRPC_ARG_MAX_METADATA_SIZE,
			.value.integer = MAX_METADATA_BYTES},
		/* Identity only: gRPC tests the size of a message after inflating all of it. */
		{.type = GRPC_ARG_INTEGER,
			.key = (char *)GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET,
			.value.integer = 1 << GRPC_COMPRESS_NONE},
		{.type = GRPC_ARG_INTEGER, .key = (char *)GRPC_ARG_ALLOW_REUSEPORT, .value.integer = 0},
		{.type = GRPC_ARG_INTEGER,
			.key = (char *)GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
			.value.integer = HANDSHAKE_MS},
		{.type = GRPC_ARG_INTEGER,
			.key = (char *)GRPC_ARG_KEEPALIVE_TIME_MS,
			.value.integer = KEEPALIVE_MS},
		{.type = GRPC_ARG_INTEGER,
			.key = (char *)GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
			.value.integer = KEEPALIVE_TIMEOUT_MS},
		{.type = GRPC_ARG_INTEGER,
			.key = (char *)GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS,
			.value.integer = 1},
		{.type = GRPC_ARG_INTEGER,
			.key = (char *)GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
			.value.integer = MIN_PING_MS},
		{.type = GRPC_ARG_POINTER,
			.key = (char *)GRPC_ARG_RESOURCE_QUOTA,
			.value.pointer = {.p = quota, .vtable = grpc_resource_quota_arg_vtable()}},
	};
	grpc_channel_args all = {.num_args = ARRAY_LEN(args), .args = args};
	grpc_server *server;

	grpc_resource_quota_resize(quota, MEMORY_BYTES);
	server = grpc_server_create(&all, NULL);
	grpc_resource_quota_unref(quota);
	return server;
}

struct rpc_server *rpc_server_new(const struct rpc_options *opts)
{
	struct rpc_server *s = mem_zalloc(sizeof(*s));

	s->methods = opts->methods;
	s->n_methods = opts->n_methods;
	s->handle = opts->handle;
	s->self = opts->self;
	s->clock = opts->clock;
	s->workers = opts->workers;
	s->queue = opts->queue;
	s->validate_workers = opts->validate_workers;
	s->stopped = tag_of(TAG_STOPPED, NULL);
	mutex_init(&s->lock);
	cond_init(&s->quiet);

	gpr_set_log_function(log_from_grpc);
	grpc_init();
	s->grpc = new_grpc_server();
	s->cq = grpc_completion_queue_create_for_next(NULL);
	grpc_server_register_completion_queue(s->grpc, s->cq, NULL);
	s->registered = mem_array(s->n_methods, sizeof(*s->registered));
	for (size_t i = 0; i < s->n_methods; i++) {
		const struct rpc_method *m = &s->methods[i];

		assert(m->shape == RPC_UNARY || m->lane == RPC_INLINE);
		s->registered[i] = grpc_server_register_method(s->grpc, m->path, NULL,
			m->shape == RPC_DIALOG ? GRPC_SRM_PAYLOAD_NONE
					       : GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER,
			0);
		assert(s->registered[i] != NULL); /* a path twice in the table */
	}
	return s;
}

/* At the start and at each handshake, one at a time for each listener. */
static grpc_ssl_certificate_config_reload_status next_certificate(
	void *user_data, grpc_ssl_server_certificate_config **config)
{
	grpc_ssl_pem_key_cert_pair pair;
	struct tls tls;

	if (!tls_watch_next(user_data, &tls))
		return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
	pair = (grpc_ssl_pem_key_cert_pair){.private_key = tls.key, .cert_chain = tls.cert};
	/* gRPC 1.51 insists on a CA, also where nobody is asked for a certificate: any will do then. */
	*config = grpc_ssl_server_certificate_config_create(tls.ca ? tls.ca : tls.cert, &pair, 1);
	tls_free(&tls);
	return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
}

static grpc_server_credentials *credentials_of(struct tls_watch *tls)
{
	if (tls == NULL)
		return grpc_insecure_server_credentials_create();
	return grpc_ssl_server_credentials_create_with_options(
		grpc_ssl_server_credentials_create_options_using_config_fetcher(
			tls_watch_is_mutual(tls) ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
						 : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
			next_certificate, tls));
}

enum err_code rpc_server_listen(struct rpc_server *s, const char *target, struct tls_watch *take_tls,
	int *ret_port, struct err *reterr)
{
	grpc_server_credentials *credentials = credentials_of(take_tls);
	mode_t umask_before;
	int port;

	if (take_tls != NULL) {
		struct listener *l = mem_zalloc(sizeof(*l));

		*l = (struct listener){.tls = take_tls, .next = s->listeners};
		s->listeners = l;
	}
	umask_before = umask(077); /* of a UNIX socket: the owner's only */
	port = grpc_server_add_http2_port(s->grpc, target, credentials);
	umask(umask_before);
	grpc_server_credentials_release(credentials);
	if (port == 0)
		return err_set(reterr, ERR_UNAVAILABLE, "cannot listen on %s", target);
	*ret_port = port;
	return ERR_OK;
}

enum err_code rpc_server_start(struct rpc_server *s, struct err *reterr)
{
	enum err_code rc;

	rc = pool_new("rpc", s->workers, s->queue, run_call, &s->lanes[RPC_WORKERS], reterr);
	if (rc == ERR_OK)
		rc = pool_new("rpc-validate", s->validate_workers, VALIDATE_QUEUE, run_call,
			&s->lanes[RPC_VALIDATE], reterr);
	if (rc == ERR_OK)
		rc = thread_start(&s->thread, "rpc-queue", 0, queue_main, s, reterr);
	if (rc != ERR_OK)
		return rc;
	s->phase = RUNNING;
	grpc_server_start(s->grpc);
	for (size_t slot = 0; slot < SLOTS_PER_METHOD; slot++) {
		post_slot(s, NULL);
		for (size_t i = 0; i < s->n_methods; i++)
			post_slot(s, &s->methods[i]);
	}
	return ERR_OK;
}

void rpc_server_changed(struct rpc_server *s)
{
	LOCK_SCOPE(&s->lock);

	for (struct rpc_call *c = s->streams; c; c = c->next) {
		if (!c->poked)
			start_batch(c, NULL, 0, &c->poke);
		c->poked = true;
	}
}

/* True when no call is left. */
static bool wait_until_quiet(struct rpc_server *s, int64_t grace_ms)
{
	int64_t end_ms = clock_mono_ms(&clock_system) + grace_ms;
	LOCK_SCOPE(&s->lock);

	while (s->live > 0) {
		int64_t left_ms = end_ms - clock_mono_ms(&clock_system);

		if (left_ms <= 0)
			return false;
		cond_wait_ms(&s->quiet, &s->lock, left_ms);
	}
	return true;
}

void rpc_server_stop(struct rpc_server *s, int64_t grace_ms)
{
	if (s->phase != RUNNING)
		return;
	atomic_store(&s->stopping, true);
	rpc_server_changed(s);
	HAND_OVER(&s->stopped);
	grpc_server_shutdown_and_notify(s->grpc, s->cq, &s->stopped);
	if (!wait_until_quiet(s, grace_ms))
		log_warn("calls are still running at the end of the grace period, cancelling them");
	/* Also ends connections without calls, for whose peers the shutdown would wait. */
	grpc_server_cancel_all_calls(s->grpc);
	mutex_lock(&s->lock);
	while (s->live > 0 || !s->is_stopped)
		cond_wait(&s->quiet, &s->lock);
	mutex_unlock(&s->lock);
	grpc_completion_queue_shutdown(s->cq);
	thread_join(&s->thread);
	s->phase = STOPPED;
}

/* gRPC wants a shutdown even of a server that never started. */
static void shut_unused(struct rpc_server *s)
{
	grpc_event event;

	grpc_server_shutdown_and_notify(s->grpc, s->cq, &s->stopped);
	grpc_completion_queue_shutdown(s->cq);
	do
		event = grpc_completion_queue_next(s->cq, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
	while (event.type != GRPC_QUEUE_SHUTDOWN);
}

void rpc_server_free(struct rpc_server *s)
{
	struct listener *l;

	if (s == NULL)
		return;
	assert(s->phase != RUNNING);
	if (s->phase == NEW)
		shut_unused(s);
	for (size_t i = 0; i < RPC_LANE_COUNT; i++)
		pool_free(s->lanes[i]);
	grpc_server_destroy(s->grpc);
	grpc_completion_queue_destroy(s->cq);
	grpc_shutdown_blocking();
	while ((l = s->listeners) != NULL) { /* only now does no handshake look at the files */
		s->listeners = l->next;
		tls_watch_free(l->tls);
		mem_free(l);
	}
	gpr_set_log_function(NULL);
	cond_deinit(&s->quiet);
	mutex_deinit(&s->lock);
	mem_free(s->registered);
	mem_free(s);
}

void rpc_server_stats(struct rpc_server *s, struct rpc_stats *ret_stats)
{
	*ret_stats = (struct rpc_stats){
		.in_flight = atomic_load_explicit(&s->in_flight, memory_order_relaxed),
		.streams = atomic_load_explicit(&s->n_streams, memory_order_relaxed),
		.refused = atomic_load_explicit(&s->refused, memory_order_relaxed),
	};
	if (s->phase != RUNNING)
		return;
	for (size_t i = RPC_WORKERS; i < RPC_LANE_COUNT; i++)
		ret_stats->waiting += pool_waiting(s->lanes[i]);
}
