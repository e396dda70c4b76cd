#include "server/admin.h"

#include <string.h>

#include <microhttpd.h>

#include "aws/session.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "inventory/inventory.h"
#include "server/connector.h"
#include "server/health.h"
#include "server/listen.h"
#include "server/metrics.h"
#include "server/rpc.h"
#include "store/store.h"

enum {
	MAX_PAGE_BYTES = 1024 * 1024,
	MAX_CONNECTIONS = 16, /* a scraper, a probe or two, a person */
	IDLE_SECONDS = 10,
	CONNECTION_BYTES = 16 * 1024,
};

struct admin {
	struct admin_options opts;
	struct listen *listen;
	struct MHD_Daemon *daemon;
};

/* --- pages --- */

typedef unsigned(page_fn)(struct admin *a, struct buf *out); /* returns the HTTP status */

static void write_metric(
	struct buf *out, const char *name, const char *kind, const char *help, uint64_t value)
{
	buf_fmt(out, "# HELP %s %s\n# TYPE %s %s\n%s %llu\n", name, help, name, kind, name,
		(unsigned long long)value);
}

static void write_rpc(struct admin *a, struct buf *out)
{
	struct rpc_stats st;

	rpc_server_stats(a->opts.rpc, &st);
	metrics_write(a->opts.connector->metrics, out);
	write_metric(out, "baton_rpc_in_flight", "gauge", "RPCs taken and not yet answered.", st.in_flight);
	write_metric(out, "baton_rpc_waiting", "gauge", "RPCs of these that wait for a thread.", st.waiting);
	write_metric(out, "baton_rpc_streams", "gauge", "Open health and reflection streams.", st.streams);
	write_metric(out, "baton_rpc_refused_total", "counter",
		"RPCs told to come back because the queue was full.", st.refused);
	write_metric(out, "baton_serving", "gauge", "1 when grpc.health.v1 says SERVING.",
		health_is_serving(a->opts.connector->opts.health));
}

static void write_inventory(struct admin *a, struct buf *out)
{
	struct inventory_stats st;

	inventory_stats(a->opts.connector->opts.inventory, &st);
	write_metric(out, "baton_inventory_hits_total", "counter", "Facts answered in process.", st.hits);
	write_metric(out, "baton_inventory_store_hits_total", "counter",
		"Facts answered by the session store.", st.store_hits);
	write_metric(out, "baton_inventory_flights_total", "counter", "Facts fetched from AWS.", st.flights);
	write_metric(out, "baton_inventory_waits_total", "counter",
		"Requests that waited for another's fetch.", st.waits);
	write_metric(out, "baton_inventory_store_failures_total", "counter",
		"Session store errors that cost a fetch.", st.store_failures);
	write_metric(out, "baton_inventory_denied_reads_total", "counter",
		"Reads given up for want of a permission.", st.denied_reads);
	write_metric(out, "baton_inventory_vanished_total", "counter",
		"Objects gone when their details were asked for.", st.vanished);
}

static void write_store(struct admin *a, struct buf *out)
{
	struct store_stats st;

	store_stats(a->opts.store, &st);
	write_metric(out, "baton_store_hits_total", "counter",
		"Reads of the session store that found something.", st.hits);
	write_metric(out, "baton_store_misses_total", "counter", "Reads that found nothing.", st.misses);
	write_metric(out, "baton_store_puts_total", "counter", "Entries accepted.", st.puts);
	write_metric(out, "baton_store_evictions_total", "counter", "Entries dropped for lack of room.",
		st.evictions);
	write_metric(
		out, "baton_store_expired_total", "counter", "Entries dropped for their age.", st.expired);
	write_metric(out, "baton_store_entries", "gauge", "Entries now.", st.entries);
	write_metric(out, "baton_store_bytes", "gauge", "Bytes now.", st.bytes);
	write_metric(out, "baton_store_failures_total", "counter",
		"Operations of a shared store that failed, or were not tried because it was away.",
		st.failures);
	write_metric(out, "baton_store_away", "gauge", "1 while a shared store fails.", st.away);
	write_metric(out, "baton_store_connects_total", "counter", "Connections made to a shared store.",
		st.connects);
	write_metric(out, "baton_store_packed_bytes_total", "counter",
		"Bytes put into a shared store, before they were packed.", st.bytes_packed);
	write_metric(out, "baton_store_written_bytes_total", "counter", "The same, as they were written.",
		st.bytes_written);
}

/* Prometheus wants the rows of one metric together, so each counter is a walk over the operations of its
 * own. */
struct aws_column {
	struct buf *out;
	const char *name;
	size_t offset; /* of the counter in struct aws_call_stats */
};

static void write_aws_row(void *arg, const struct aws_call_stats *st)
{
	const struct aws_column *column = arg;
	uint64_t value;

	memcpy(&value, (const char *)st + column->offset, sizeof(value));
	buf_fmt(column->out, "%s{service=\"%s\",operation=\"%s\"} %llu\n", column->name, st->service,
		st->operation, (unsigned long long)value);
}

static void write_aws(struct admin *a, struct buf *out)
{
	static const struct {
		const char *name, *help;
		size_t offset;
	} columns[] = {
		{"baton_aws_calls_total", "Requests to AWS.", offsetof(struct aws_call_stats, calls)},
		{"baton_aws_retries_total", "Requests repeated.", offsetof(struct aws_call_stats, retries)},
		{"baton_aws_throttled_total", "Answers asking to slow down.",
			offsetof(struct aws_call_stats, throttled)},
		{"baton_aws_failed_total", "Operations that failed for good.",
			offsetof(struct aws_call_stats, failed)},
	};

	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		struct aws_column column = {.out = out, .name = columns[i].name, .offset = columns[i].offset};

		buf_fmt(out, "# HELP %s %s\n# TYPE %s counter\n", column.name, columns[i].help, column.name);
		aws_session_stats(a->opts.aws, write_aws_row, &column);
	}
}

static void write_quota(struct admin *a, struct buf *out)
{
	struct aws_quota_stats st = aws_session_quota_stats(a->opts.aws);

	write_metric(out, "baton_quota_exchanges_total", "counter",
		"Requests for turns to the buckets that servers share.", st.exchanges);
	write_metric(out, "baton_quota_failures_total", "counter",
		"Requests for turns that failed; the server then goes on at its share.", st.failures);
	write_metric(out, "baton_quota_away", "gauge", "1 when the last request for turns failed.", st.away);
}

static unsigned page_metrics(struct admin *a, struct buf *out)
{
	write_rpc(a, out);
	write_inventory(a, out);
	write_store(a, out);
	write_aws(a, out);
	write_quota(a, out);
	return MHD_HTTP_OK;
}

static unsigned page_alive(struct admin *a, struct buf *out)
{
	(void)a;
	buf_c(out, "ok\n");
	return MHD_HTTP_OK;
}

static unsigned page_ready(struct admin *a, struct buf *out)
{
	bool serving = health_is_serving(a->opts.connector->opts.health);

	buf_c(out, serving ? "ok\n" : "not serving\n");
	return serving ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
}

static const struct {
	const char *path;
	page_fn *write;
} pages[] = {
	{"/healthz", page_alive},
	{"/readyz", page_ready},
	{"/metrics", page_metrics},
};

static unsigned write_page(struct admin *a, const char *path, const char *method, struct buf *out)
{
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
		buf_c(out, "only GET here\n");
		return MHD_HTTP_METHOD_NOT_ALLOWED;
	}
	for (size_t i = 0; i < ARRAY_LEN(pages); i++)
		if (strcmp(path, pages[i].path) == 0)
			return pages[i].write(a, out);
	buf_c(out, "there are /healthz, /readyz and /metrics\n");
	return MHD_HTTP_NOT_FOUND;
}

/* --- HTTP --- */

/* Called at the head of a request and again behind its body; only the second call answers. */
static enum MHD_Result on_request(void *self, struct MHD_Connection *connection, const char *path,
	const char *method, const char *version, const char *body, size_t *body_len, void **seen)
{
	struct buf out;
	struct MHD_Response *response;
	enum MHD_Result rc;
	unsigned code;

	(void)version;
	(void)body;
	if (*seen == NULL) {
		*seen = self;
		return MHD_YES;
	}
	if (*body_len > 0) {
		*body_len = 0; /* read and forgotten */
		return MHD_YES;
	}
	buf_init(&out, MAX_PAGE_BYTES);
	code = write_page(self, path, method, &out);
	response = MHD_create_response_from_buffer(out.n, out.p, MHD_RESPMEM_MUST_COPY);
	buf_deinit(&out);
	if (response == NULL)
		return MHD_NO;
	MHD_add_response_header(
		response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");
	rc = MHD_queue_response(connection, code, response);
	MHD_destroy_response(response);
	return rc;
}

static void admin_stopp(struct admin **a)
{
	admin_stop(*a);
}

enum err_code admin_start(const struct admin_options *opts, struct admin **ret_admin, struct err *reterr)
{
	CLEANUP(admin_stopp) struct admin *a = mem_zalloc(sizeof(*a));
	const struct sockaddr *address;
	unsigned flags = MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD;
	enum err_code rc;

	a->opts = *opts;
	rc = listen_open(opts->listen, &a->listen, reterr);
	if (rc != ERR_OK)
		return rc;
	address = listen_sockaddr(a->listen);
	if (address == NULL)
		return err_set(reterr, ERR_INVALID, "admin-listen needs host:port, not " STR_FMT,
			STR_ARG(opts->listen));
	if (address->sa_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	a->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, a, MHD_OPTION_SOCK_ADDR, address,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)MAX_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
		MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_END);
	if (a->daemon == NULL)
		return err_set(reterr, ERR_UNAVAILABLE, "cannot listen on %s for the admin HTTP",
			listen_target(a->listen));
	log_info("admin HTTP is up", LOG_CSTR("address", listen_target(a->listen)),
		LOG_I64("port", MHD_get_daemon_info(a->daemon, MHD_DAEMON_INFO_BIND_PORT)->port));
	*ret_admin = TAKE(a);
	return ERR_OK;
}

void admin_stop(struct admin *a)
{
	if (a == NULL)
		return;
	if (a->daemon)
		MHD_stop_daemon(a->daemon);
	listen_close(a->listen);
	mem_free(a);
}
