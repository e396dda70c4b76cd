#include "server/client.h"

#include <assert.h>

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <grpc/support/log.h>
#include <grpc/support/time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "proto/messages.h"
#include "proto/pb_build.h"
#include "proto/pb_check.h"
#include "server/rpc.h"
#include "server/tls.h"

#if defined(__SANITIZE_THREAD__)
void __tsan_acquire(void *addr);
void __tsan_release(void *addr);
#define HAND_OVER(tag) __tsan_release(tag)
#define TAKE_OVER(tag) __tsan_acquire(tag)
#else
#define HAND_OVER(tag) ((void)(tag))
#define TAKE_OVER(tag) ((void)(tag))
#endif

struct client {
	grpc_channel *channel;
	char *target;
};

static void keep_quiet(gpr_log_func_args *args)
{
	(void)args; /* what matters comes back as a status */
}

static grpc_channel_credentials *credentials_of(const struct tls *tls)
{
	grpc_ssl_pem_key_cert_pair pair = {.private_key = tls->key, .cert_chain = tls->cert};

	if (tls->ca == NULL)
		return grpc_insecure_credentials_create();
	return grpc_ssl_credentials_create_ex(tls->ca, tls->cert ? &pair : NULL, NULL, NULL);
}

static grpc_channel *channel_of(
	const char *target, grpc_channel_credentials *credentials, const char *server_name)
{
	grpc_arg args[] = {
		/* A server that is just starting: ask again soon. (Not GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, which is the time that a
		 * connection has to come about, and 20 s by itself.) */
		{.type = GRPC_ARG_INTEGER,
			.key = (char *)GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS,
			.value.integer = 100},
		{.type = GRPC_ARG_INTEGER,
			.key = (char *)GRPC_ARG_MAX_RECONNECT_BACKOFF_MS,
			.value.integer = 1000},
		/* Ours are few and short; a proxy from the environment is for AWS. */
		{.type = GRPC_ARG_INTEGER, .key = (char *)GRPC_ARG_ENABLE_HTTP_PROXY, .value.integer = 0},
		/* A name may stand for several servers; without this, all calls would go to one of them. */
		{.type = GRPC_ARG_STRING,
			.key = (char *)GRPC_ARG_LB_POLICY_NAME,
			.value.string = (char *)"round_robin"},
		{.type = GRPC_ARG_STRING,
			.key = (char *)GRPC_SSL_TARGET_NAME_OVERRIDE_ARG,
			.value.string = (char *)server_name},
	};
	grpc_channel_args all = {
		.num_args = server_name ? ARRAY_LEN(args) : ARRAY_LEN(args) - 1, .args = args};

	return grpc_channel_create(target, credentials, &all);
}

enum err_code client_new(const struct client_options *opts, struct client **ret_client, struct err *reterr)
{
	CLEANUP(mem_freep) char *server_name = NULL;
	grpc_channel_credentials *credentials;
	struct client *c;
	struct tls tls;
	enum err_code rc;

	if (opts->tls_ca_file.n == 0 && opts->tls_cert_file.n > 0)
		return err_set(reterr, ERR_INVALID, "a client certificate needs tls-ca-file, too");
	rc = tls_load(opts->tls_cert_file, opts->tls_key_file, opts->tls_ca_file, &tls, reterr);
	if (rc != ERR_OK)
		return rc;
	if (opts->tls_server_name.n > 0)
		server_name = mem_strndup(opts->tls_server_name.p, opts->tls_server_name.n);
	c = mem_zalloc(sizeof(*c));
	c->target = mem_strndup(opts->target.p, opts->target.n);
	gpr_set_log_function(keep_quiet);
	grpc_init();
	credentials = credentials_of(&tls);
	c->channel = channel_of(c->target, credentials, server_name);
	grpc_channel_credentials_release(credentials);
	tls_free(&tls);
	*ret_client = c;
	return ERR_OK;
}

void client_free(struct client *c)
{
	if (c == NULL)
		return;
	grpc_channel_destroy(c->channel);
	grpc_shutdown_blocking();
	mem_free(c->target);
	mem_free(c);
}

static gpr_timespec in_ms(int64_t ms)
{
	return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(ms, GPR_TIMESPAN));
}

/* A queue that serves one batch. */
static void finish_queue(grpc_completion_queue *cq)
{
	grpc_completion_queue_shutdown(cq);
	while (grpc_completion_queue_next(cq, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL).type !=
		GRPC_QUEUE_SHUTDOWN)
		;
	grpc_completion_queue_destroy(cq);
}

enum err_code client_connect(struct client *c, int64_t timeout_ms, struct err *reterr)
{
	grpc_completion_queue *cq = grpc_completion_queue_create_for_next(NULL);
	gpr_timespec deadline = in_ms(timeout_ms);
	grpc_connectivity_state state;

	while ((state = grpc_channel_check_connectivity_state(c->channel, /* try_to_connect= */ 1)) !=
		GRPC_CHANNEL_READY) {
		if (gpr_time_cmp(gpr_now(GPR_CLOCK_MONOTONIC), deadline) >= 0)
			break;
		grpc_channel_watch_connectivity_state(c->channel, state, deadline, cq, NULL);
		grpc_completion_queue_next(cq, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
	}
	finish_queue(cq);
	if (state != GRPC_CHANNEL_READY)
		return err_set(reterr, ERR_UNAVAILABLE, "no server answers at %s", c->target);
	return ERR_OK;
}

/* --- calls --- */

/* What one call sends and receives on gRPC's side. */
struct exchange {
	grpc_completion_queue *cq;
	grpc_call *grpc; /* owns the bytes of the metadata */
	grpc_byte_buffer *out, *in;
	grpc_metadata_array headers, trailers;
	grpc_status_code code;
	grpc_slice message;
};

static struct str slice_view(const grpc_slice *s)
{
	return str_n((const char *)GRPC_SLICE_START_PTR(*s), GRPC_SLICE_LENGTH(*s));
}

static grpc_byte_buffer *pack(const ProtobufCMessage *msg)
{
	grpc_slice slice = grpc_slice_malloc(protobuf_c_message_get_packed_size(msg));
	grpc_byte_buffer *out;

	protobuf_c_message_pack(msg, GRPC_SLICE_START_PTR(slice));
	out = grpc_raw_byte_buffer_create(&slice, 1);
	grpc_slice_unref(slice);
	return out;
}

static void run(struct client *c, const struct client_call *call, struct exchange *x)
{
	gpr_timespec deadline =
		call->timeout_ms > 0 ? in_ms(call->timeout_ms) : gpr_inf_future(GPR_CLOCK_MONOTONIC);
	grpc_op ops[] = {
		{.op = GRPC_OP_SEND_INITIAL_METADATA},
		{.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = x->out},
		{.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
		{.op = GRPC_OP_RECV_INITIAL_METADATA,
			.data.recv_initial_metadata.recv_initial_metadata = &x->headers},
		{.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &x->in},
		{.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
			.data.recv_status_on_client = {.trailing_metadata = &x->trailers,
				.status = &x->code,
				.status_details = &x->message}},
	};
	grpc_call_error failed;

	x->cq = grpc_completion_queue_create_for_next(NULL);
	x->grpc = grpc_channel_create_call(c->channel, NULL, GRPC_PROPAGATE_DEFAULTS, x->cq,
		grpc_slice_from_static_string(call->path), NULL, deadline, NULL);
	HAND_OVER(x);
	failed = grpc_call_start_batch(x->grpc, ops, ARRAY_LEN(ops), x, NULL);
	assert(failed == GRPC_CALL_OK);
	(void)failed;
	grpc_completion_queue_next(x->cq, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
	TAKE_OVER(x);
}

/* When the server asks us to come back: from a google.rpc.Status with a RateLimitDescription in its
 * details. */
static int64_t retry_after(struct arena *arena, struct str details)
{
	ProtobufCMessage *status, *limit = NULL;
	const V2(RateLimitDescription) * wait;
	struct err err;
	int64_t ms;

	if (pb_unpack(arena, &google__rpc__status__descriptor, details, RPC_MAX_MESSAGE, &status, &err) !=
		ERR_OK)
		return 0;
	if (pb_get_annotation(arena, ((const Google__Rpc__Status *)status)->details,
		    ((const Google__Rpc__Status *)status)->n_details, V2_DESC(rate_limit_description), &limit,
		    &err) != ERR_OK ||
		limit == NULL)
		return 0;
	wait = (const V2(RateLimitDescription) *)limit;
	if (wait->reset_at == NULL)
		return 0;
	ms = (wait->reset_at->seconds - clock_wall_s(&clock_system)) * 1000;
	return ms < 0 ? 0 : ms > 60000 ? 60000 : ms;
}

static void read_status(struct arena *arena, const struct exchange *x, struct client_result *r)
{
	status_set(&r->status, arena,
		(unsigned)x->code < RPC_CODE_COUNT ? (enum rpc_code)x->code : RPC_UNKNOWN, STR_FMT,
		STR_ARG(slice_view(&x->message)));
	for (size_t i = 0; i < x->trailers.count; i++)
		if (str_eq(slice_view(&x->trailers.metadata[i].key), STR("grpc-status-details-bin")))
			r->retry_after_ms = retry_after(arena, slice_view(&x->trailers.metadata[i].value));
}

static void read_reply(
	struct arena *arena, const struct client_call *call, grpc_byte_buffer *in, struct client_result *r)
{
	grpc_byte_buffer_reader reader;
	struct err err;
	grpc_slice all;

	if (in == NULL || !grpc_byte_buffer_reader_init(&reader, in)) {
		status_set(&r->status, arena, RPC_INTERNAL, "the server answered OK without a message");
		return;
	}
	all = grpc_byte_buffer_reader_readall(&reader);
	r->reply_bytes = GRPC_SLICE_LENGTH(all);
	if (pb_unpack(arena, call->reply, slice_view(&all), RPC_MAX_MESSAGE, &r->reply, &err) != ERR_OK)
		status_set(&r->status, arena, RPC_INTERNAL, "the server's reply cannot be read: %s", err.msg);
	grpc_slice_unref(all);
	grpc_byte_buffer_reader_destroy(&reader);
}

enum rpc_code client_call(struct client *c, struct arena *arena, const struct client_call *call,
	struct client_result *ret_result)
{
	struct exchange x = {.out = pack(call->request), .message = grpc_empty_slice()};

	*ret_result = (struct client_result){.reply = NULL};
	grpc_metadata_array_init(&x.headers);
	grpc_metadata_array_init(&x.trailers);
	run(c, call, &x);
	read_status(arena, &x, ret_result);
	if (ret_result->status.code == RPC_OK)
		read_reply(arena, call, x.in, ret_result);
	grpc_call_unref(x.grpc);
	finish_queue(x.cq);
	grpc_byte_buffer_destroy(x.out);
	if (x.in)
		grpc_byte_buffer_destroy(x.in);
	grpc_metadata_array_destroy(&x.headers);
	grpc_metadata_array_destroy(&x.trailers);
	grpc_slice_unref(x.message);
	return ret_result->status.code;
}
