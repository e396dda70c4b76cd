/* layers: base aws
 *
 * Fetches a URL with the server's transport, for tests that need a real peer (test/e2e/test_tls.py).
 *
 *	http-get URL [n [CA-bundle]]     n requests at once, default 1
 *
 * Prints a line per request, "status bytes-of-body", or "error-code retryable message"; then "connections
 * N". */
#include <stdio.h>
#include <stdlib.h>

#include "aws/http.h"

#define MAX_REQUESTS 1000

static void finish(struct http_flight *f)
{
	const struct ctx ctx = {.clock = &clock_system, .deadline_ms = CTX_NO_DEADLINE};
	const struct http_head *head = NULL;
	struct str chunk;
	struct err err;
	size_t total = 0;
	enum err_code rc = http_flight_head(f, &ctx, &head, &err);

	while (rc == ERR_OK) {
		rc = http_flight_read(f, &ctx, &chunk, &err);
		if (rc != ERR_OK || chunk.n == 0)
			break;
		total += chunk.n;
	}
	if (rc == ERR_OK)
		printf("%d %zu\n", head->status, total);
	else
		printf("%s %d %s\n", err_code_name(rc), err.retryable, err.msg);
}

int main(int argc, char **argv)
{
	struct http_options opts = {.ca_bundle = str_c(argc > 3 ? argv[3] : NULL)};
	struct http_flight *flights[MAX_REQUESTS];
	CLEANUP(http_freep) struct http *h = NULL;
	uint64_t n = 1;
	struct err err;

	if (argc < 2 || (argc > 2 && !str_to_u64(str_c(argv[2]), &n)) || n == 0 || n > MAX_REQUESTS) {
		fprintf(stderr, "usage: http-get URL [n [CA-bundle]]\n");
		return 2;
	}
	if (http_new(&opts, &h, &err) != ERR_OK) {
		fprintf(stderr, "%s\n", err.msg);
		return 1;
	}
	for (size_t i = 0; i < n; i++) {
		struct http_request req = {.method = STR("GET"), .url = str_c(argv[1]), .timeout_ms = 20000};

		if (http_start(h, &req, &flights[i], &err) != ERR_OK) {
			fprintf(stderr, "%s\n", err.msg);
			return 1;
		}
	}
	for (size_t i = 0; i < n; i++) {
		finish(flights[i]);
		http_flight_free(flights[i]);
	}
	printf("connections %llu\n", (unsigned long long)http_get_stats(h).connections);
	return 0;
}
