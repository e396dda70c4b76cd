#include "aws/metadata.h"

#include <string.h>

/* Before the second attempt; twice that before the third. These services are a hop away and start anew
 * in no time. */
#define FIRST_PAUSE_MS 100

void metadata_answer_deinit(struct metadata_answer *a)
{
	buf_deinit(&a->body);
	memset(a, 0, sizeof(*a));
}

static enum err_code read_body(
	struct http_flight *f, const struct ctx *ctx, struct buf *body, struct err *reterr)
{
	struct str chunk;
	enum err_code rc;

	do {
		rc = http_flight_read(f, ctx, &chunk, reterr);
		if (rc == ERR_OK)
			buf_str(body, chunk);
	} while (rc == ERR_OK && chunk.n > 0);
	return rc;
}

static enum err_code attempt(struct http *http, const struct ctx *ctx, const struct metadata_request *req,
	struct metadata_answer *answer, struct err *reterr)
{
	CLEANUP(http_flight_freep) struct http_flight *f = NULL;
	bool direct = !str_starts(req->url, STR("https:"));
	const struct http_head *head;
	enum err_code rc;

	metadata_answer_deinit(answer);
	buf_init(&answer->body, METADATA_MAX_BYTES);
	answer->body.wipe = true;
	rc = http_start(http,
		&(struct http_request){
			.method = req->method,
			.url = req->url,
			.headers = req->headers,
			.n_headers = req->n_headers,
			.timeout_ms = req->timeout_ms,
			.connect_timeout_ms = direct ? METADATA_CONNECT_TIMEOUT_MS : req->timeout_ms,
			.max_body_bytes = METADATA_MAX_BYTES,
			.direct = direct,
		},
		&f, reterr);
	if (rc == ERR_OK)
		rc = http_flight_head(f, ctx, &head, reterr);
	if (rc != ERR_OK)
		return rc;
	answer->status = head->status;
	return read_body(f, ctx, &answer->body, reterr);
}

static bool is_worth_asking_again(const struct metadata_request *req, enum err_code rc,
	const struct metadata_answer *answer, const struct err *err)
{
	if (rc != ERR_OK)
		return err->retryable && !req->silence_ends;
	return answer->status == 429 || answer->status >= 500;
}

enum err_code metadata_ask(struct http *http, const struct ctx *ctx, const struct metadata_request *req,
	struct metadata_answer *ret_answer, struct err *reterr)
{
	CLEANUP(metadata_answer_deinit) struct metadata_answer answer = {.status = 0};
	enum err_code rc = attempt(http, ctx, req, &answer, reterr);

	for (int n = 1; n < METADATA_ATTEMPTS && is_worth_asking_again(req, rc, &answer, reterr); n++) {
		rc = ctx_sleep_ms(
			ctx, FIRST_PAUSE_MS << (n - 1), "waiting to ask for credentials again", reterr);
		if (rc != ERR_OK)
			return rc;
		rc = attempt(http, ctx, req, &answer, reterr);
	}
	if (rc != ERR_OK)
		return rc;
	*ret_answer = answer;
	memset(&answer, 0, sizeof(answer));
	return ERR_OK;
}
