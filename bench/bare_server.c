/* bare_server: the least that gRPC C core can do for one RPC, as the measure of what our server adds.
 *
 *	bare_server REPLY_FILE
 *
 * Listens on a free port of the loopback ("listening on PORT"), and answers ListResourceTypes with the bytes of the file: no
 * decoding, no rules, no log. Arranged as server/rpc.c is, one completion queue with one thread and slots posted ahead. Ends with
 * SIGTERM's default: nothing here is worth an orderly end. */
#include <stdio.h>
#include <stdlib.h>

#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>

#define METHOD "/c1.connector.v2.ResourceTypesService/ListResourceTypes"

enum {
	SLOTS = 128,                /* calls that can arrive before we look */
	MAX_REPLY = 4 * 1024 * 1024 /* a gRPC message */
};

enum step { STEP_REQUESTED, STEP_ANSWERED };

struct slot {
	enum step step;
	grpc_call *call;
	gpr_timespec deadline;
	grpc_metadata_array metadata;
	grpc_byte_buffer *request, *reply;
	int cancelled;
};

struct server {
	grpc_server *server;
	grpc_completion_queue *queue;
	void *method;
	grpc_slice reply;
	struct slot slots[SLOTS];
};

static void die(const char *what)
{
	fprintf(stderr, "bare_server: %s\n", what);
	exit(1);
}

static grpc_slice read_reply(const char *path)
{
	static char bytes[MAX_REPLY];
	FILE *f = fopen(path, "rb");
	size_t n;

	if (f == NULL)
		die("cannot open the reply file");
	n = fread(bytes, 1, sizeof(bytes), f);
	if (ferror(f) || n == sizeof(bytes))
		die("cannot read the reply file");
	fclose(f);
	return grpc_slice_from_copied_buffer(bytes, n);
}

static void post(struct server *s, struct slot *slot)
{
	slot->step = STEP_REQUESTED;
	grpc_metadata_array_init(&slot->metadata);
	if (grpc_server_request_registered_call(s->server, s->method, &slot->call, &slot->deadline,
		    &slot->metadata, &slot->request, s->queue, s->queue, slot) != GRPC_CALL_OK)
		die("cannot post a slot");
}

static void answer(struct server *s, struct slot *slot)
{
	grpc_slice no_details = grpc_empty_slice();
	grpc_op ops[4] = {
		{.op = GRPC_OP_SEND_INITIAL_METADATA},
		{.op = GRPC_OP_SEND_MESSAGE},
		{.op = GRPC_OP_SEND_STATUS_FROM_SERVER,
			.data.send_status_from_server = {.status = GRPC_STATUS_OK,
				.status_details = &no_details}},
		{.op = GRPC_OP_RECV_CLOSE_ON_SERVER, .data.recv_close_on_server.cancelled = &slot->cancelled},
	};

	slot->reply =
		grpc_raw_byte_buffer_create(&s->reply, 1); /* a reference, no copy; sending empties it */
	ops[1].data.send_message.send_message = slot->reply;
	slot->step = STEP_ANSWERED;
	if (grpc_call_start_batch(slot->call, ops, 4, slot, NULL) != GRPC_CALL_OK)
		die("cannot answer");
}

static void finish(struct slot *slot)
{
	grpc_call_unref(slot->call);
	grpc_metadata_array_destroy(&slot->metadata);
	grpc_byte_buffer_destroy(slot->request);
	grpc_byte_buffer_destroy(slot->reply);
}

static void serve(struct server *s)
{
	for (;;) {
		grpc_event e = grpc_completion_queue_next(s->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
		struct slot *slot = e.tag;

		if (e.type != GRPC_OP_COMPLETE || (slot->step == STEP_REQUESTED && !e.success))
			die("the server has ended");
		if (slot->step == STEP_REQUESTED) {
			answer(s, slot);
		} else {
			finish(slot);
			post(s, slot);
		}
	}
}

int main(int argc, char **argv)
{
	static struct server s;
	grpc_server_credentials *plain;
	int port;

	if (argc != 2)
		die("usage: bare_server REPLY_FILE");
	grpc_init();
	s.reply = read_reply(argv[1]);
	s.server = grpc_server_create(NULL, NULL);
	s.queue = grpc_completion_queue_create_for_next(NULL);
	grpc_server_register_completion_queue(s.server, s.queue, NULL);
	s.method = grpc_server_register_method(
		s.server, METHOD, NULL, GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER, 0);
	plain = grpc_insecure_server_credentials_create();
	port = grpc_server_add_http2_port(s.server, "127.0.0.1:0", plain);
	grpc_server_credentials_release(plain);
	if (s.method == NULL || port == 0)
		die("cannot listen");
	grpc_server_start(s.server);
	for (size_t i = 0; i < SLOTS; i++)
		post(&s, &s.slots[i]);
	printf("listening on %d\n", port);
	fflush(stdout);
	serve(&s);
}
