/* load: a client that asks as fast as it can, on gRPC C core so that it costs less than what it measures.
 *
 *	load calls TARGET METHOD OUTSTANDING SECONDS PID   calls with an empty request, OUTSTANDING of them at any time
 *	load once TARGET METHOD                            one call; the reply's bytes go to stdout
 *	load start TARGET COMMAND...                       starts a server and ends it: how long until a health check is answered
 *
 * `calls` and `start` print one line of JSON. A window of SECONDS follows a warm-up of one second; the CPU time of process PID (the
 * server) is read at both ends of it. Any call that fails ends the measurement: the figures would mean nothing. */
#include <arpa/inet.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>

#define HEALTH "/grpc.health.v1.Health/Check"

enum {
	MAX_OUTSTANDING = 1024,
	WARM_UP_US = 1000000,
	SLOWEST_US = 1000000, /* the histogram's last row holds what took longer */
	START_LIMIT_US = 30 * 1000000,
};

struct call {
	struct load *load;
	grpc_call *call;
	grpc_metadata_array initial, trailing;
	grpc_byte_buffer *reply;
	grpc_status_code status;
	grpc_slice details;
	int64_t started_us;
};

struct load {
	grpc_channel *channel;
	grpc_completion_queue *queue;
	grpc_byte_buffer *request;
	void *method;
	struct call calls[MAX_OUTSTANDING];
	uint32_t histogram[SLOWEST_US + 1]; /* calls by microseconds */
	uint64_t n_calls, reply_bytes;
};

static void die(const char *what)
{
	fprintf(stderr, "load: %s\n", what);
	exit(1);
}

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static long number(const char *text, long max)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*text == '\0' || *end != '\0' || n < 1 || n > max)
		die("not a number in range");
	return n;
}

/* utime + stime of a process: fields 14 and 15 of /proc/PID/stat, counted behind the name, which may hold blanks. */
static int64_t cpu_us(long pid)
{
	char path[64], line[1024], *p;
	unsigned long ticks;
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	f = fopen(path, "r");
	if (f == NULL)
		die("the server is gone");
	n = fread(line, 1, sizeof(line) - 1, f);
	fclose(f);
	line[n] = '\0';
	p = strrchr(line, ')');
	for (int field = 2; p != NULL && field < 14; field++)
		p = strchr(p + 1, ' ');
	if (p == NULL)
		die("cannot read /proc/PID/stat");
	ticks = strtoul(p, &p, 10);
	ticks += strtoul(p, &p, 10);
	return (int64_t)ticks * 1000000 / sysconf(_SC_CLK_TCK);
}

static void load_init(struct load *l, const char *target, const char *method)
{
	grpc_channel_credentials *plain = grpc_insecure_credentials_create();
	grpc_slice nothing = grpc_empty_slice();

	l->channel = grpc_channel_create(target, plain, NULL);
	grpc_channel_credentials_release(plain);
	l->queue = grpc_completion_queue_create_for_next(NULL);
	l->request = grpc_raw_byte_buffer_create(&nothing, 1);
	l->method = grpc_channel_register_call(l->channel, method, NULL, NULL);
}

static void call_start(struct load *l, struct call *c)
{
	grpc_op ops[6] = {
		{.op = GRPC_OP_SEND_INITIAL_METADATA},
		{.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = l->request},
		{.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
		{.op = GRPC_OP_RECV_INITIAL_METADATA,
			.data.recv_initial_metadata.recv_initial_metadata = &c->initial},
		{.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &c->reply},
		{.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
			.data.recv_status_on_client = {.trailing_metadata = &c->trailing,
				.status = &c->status,
				.status_details = &c->details}},
	};

	c->load = l;
	grpc_metadata_array_init(&c->initial);
	grpc_metadata_array_init(&c->trailing);
	c->reply = NULL;
	c->call = grpc_channel_create_registered_call(
		l->channel, NULL, 0, l->queue, l->method, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
	c->started_us = now_us();
	if (grpc_call_start_batch(c->call, ops, 6, c, NULL) != GRPC_CALL_OK)
		die("cannot start a call");
}

static void call_end(struct call *c)
{
	grpc_metadata_array_destroy(&c->initial);
	grpc_metadata_array_destroy(&c->trailing);
	grpc_byte_buffer_destroy(c->reply);
	grpc_slice_unref(c->details);
	grpc_call_unref(c->call);
}

/* The next call that has ended; its reply is the caller's until call_end. */
static struct call *next(struct load *l)
{
	grpc_event e = grpc_completion_queue_next(l->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
	struct call *c = e.tag;

	if (e.type != GRPC_OP_COMPLETE)
		die("the completion queue has ended");
	if (c->status != GRPC_STATUS_OK) {
		fprintf(stderr, "load: status %d: %.*s\n", (int)c->status, (int)GRPC_SLICE_LENGTH(c->details),
			(const char *)GRPC_SLICE_START_PTR(c->details));
		exit(1);
	}
	return c;
}

static void count(struct load *l, const struct call *c)
{
	int64_t took_us = now_us() - c->started_us;

	l->histogram[took_us < SLOWEST_US ? took_us : SLOWEST_US]++;
	l->n_calls++;
	l->reply_bytes = grpc_byte_buffer_length(c->reply);
}

static long percentile_us(const struct load *l, unsigned percent)
{
	uint64_t seen = 0;
	long us = 0;

	while (us < SLOWEST_US && (seen += l->histogram[us]) * 100 < l->n_calls * percent)
		us++;
	return us;
}

/* Keeps all calls in the air until end_us; only what ends after begin_us counts. */
static void fly(struct load *l, int64_t begin_us, int64_t end_us)
{
	while (now_us() < end_us) {
		struct call *c = next(l);

		if (c->started_us >= begin_us)
			count(l, c);
		call_end(c);
		call_start(l, c);
	}
}

static int measure_calls(struct load *l, char **argv)
{
	long outstanding = number(argv[0], MAX_OUTSTANDING), seconds = number(argv[1], 3600),
	     pid = number(argv[2], INT32_MAX);
	int64_t begin_us, begin_cpu_us, end_us, end_cpu_us;

	for (long i = 0; i < outstanding; i++)
		call_start(l, &l->calls[i]);
	fly(l, INT64_MAX, now_us() + WARM_UP_US);
	begin_us = now_us();
	begin_cpu_us = cpu_us(pid);
	fly(l, begin_us, begin_us + seconds * 1000000);
	end_us = now_us();
	end_cpu_us = cpu_us(pid);
	if (l->n_calls == 0)
		die("no call has ended");
	printf("{\"calls_per_s\": %.0f, \"server_cpu_us\": %.2f, \"server_cores\": %.2f, \"p50_us\": %ld, "
	       "\"p99_us\": %ld, "
	       "\"reply_bytes\": %llu}\n",
		(double)l->n_calls * 1e6 / (double)(end_us - begin_us),
		(double)(end_cpu_us - begin_cpu_us) / (double)l->n_calls,
		(double)(end_cpu_us - begin_cpu_us) / (double)(end_us - begin_us), percentile_us(l, 50),
		percentile_us(l, 99), (unsigned long long)l->reply_bytes);
	return 0;
}

static int call_once(struct load *l)
{
	grpc_byte_buffer_reader reader;
	grpc_slice all;
	struct call *c;

	call_start(l, &l->calls[0]);
	c = next(l);
	if (!grpc_byte_buffer_reader_init(&reader, c->reply))
		die("cannot read the reply");
	all = grpc_byte_buffer_reader_readall(&reader);
	fwrite(GRPC_SLICE_START_PTR(all), 1, GRPC_SLICE_LENGTH(all), stdout);
	return ferror(stdout) || fflush(stdout) ? 1 : 0;
}

/* gRPC's channel would wait before it tries again, so the listening is found out without it. */
static void wait_listening(const char *target, int64_t limit_us)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const char *colon = strrchr(target, ':');

	to.sin_port = htons((uint16_t)number(colon ? colon + 1 : "", 65535));
	for (;;) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		int rc = connect(fd, (const struct sockaddr *)&to, sizeof(to));

		close(fd);
		if (rc == 0)
			return;
		if (now_us() > limit_us)
			die("the server does not listen");
		usleep(100);
	}
}

static int measure_start(struct load *l, const char *target, char **command)
{
	extern char **environ;
	int64_t begin_us = now_us(), took_us;
	pid_t pid;

	if (posix_spawnp(&pid, command[0], NULL, NULL, command, environ) != 0)
		die("cannot start the server");
	wait_listening(target, begin_us + START_LIMIT_US);
	call_start(l, &l->calls[0]);
	call_end(next(l));
	took_us = now_us() - begin_us;
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	printf("{\"start_ms\": %.2f}\n", (double)took_us / 1000);
	return 0;
}

int main(int argc, char **argv)
{
	static struct load l;

	grpc_init();
	if (argc == 7 && strcmp(argv[1], "calls") == 0) {
		load_init(&l, argv[2], argv[3]);
		return measure_calls(&l, argv + 4);
	}
	if (argc == 4 && strcmp(argv[1], "once") == 0) {
		load_init(&l, argv[2], argv[3]);
		return call_once(&l);
	}
	if (argc > 3 && strcmp(argv[1], "start") == 0) {
		load_init(&l, argv[2], HEALTH);
		return measure_start(&l, argv[2], argv + 3);
	}
	die("usage: see the head of bench/load.c");
}
