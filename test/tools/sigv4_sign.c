/* layers: base aws
 *
 * Signs requests for a test that compares (test/e2e/test_sigv4_botocore.py): a JSON object per line in,
 * one out.
 *
 *	in   {"method", "path", "query", "headers": [["name", "value"], ...], "body": base64,
 *	      "key_id", "secret", "token", "region", "service", "time": Unix seconds}
 *	out  {"canonical_request", "string_to_sign", "signature", "headers": [["name", "value"], ...]}
 *	     or {"error"} */
#include <stdio.h>
#include <stdlib.h>

#include "aws/sigv4.h"
#include "base/buf.h"
#include "base/encode.h"
#include "base/json.h"

#define MAX_LINE_BYTES (1u << 20)

static struct str member(const struct json *j, const char *name)
{
	return json_str(json_get(j, str_c(name)));
}

static void read_request(struct arena *a, const struct json *j, struct sigv4_request *req)
{
	const struct json *list = json_get(j, STR("headers"));
	struct http_header *headers = arena_array_of(a, list ? list->n : 0, struct http_header);

	*req = (struct sigv4_request){.method = member(j, "method"),
		.path = member(j, "path"),
		.query = member(j, "query"),
		.headers = headers,
		.n_headers = list ? list->n : 0};
	for (size_t i = 0; i < req->n_headers; i++) {
		headers[i].name = json_str(&list->items[i].items[0]);
		headers[i].value = json_str(&list->items[i].items[1]);
	}
	if (!b64_decode(a, member(j, "body"), &req->body))
		abort();
}

static void write_pair(struct buf *out, const char *name, struct str value)
{
	buf_fmt(out, "\"%s\": ", name);
	json_write_str(out, value);
	buf_c(out, ", ");
}

static void write_result(struct buf *out, const struct sigv4_result *r)
{
	buf_char(out, '{');
	write_pair(out, "canonical_request", r->canonical_request);
	write_pair(out, "string_to_sign", r->string_to_sign);
	write_pair(out, "signature", r->signature);
	buf_c(out, "\"headers\": [");
	for (size_t i = 0; i < r->n; i++) {
		buf_c(out, i ? ", [" : "[");
		json_write_str(out, r->headers[i].name);
		buf_c(out, ", ");
		json_write_str(out, r->headers[i].value);
		buf_char(out, ']');
	}
	buf_c(out, "]}\n");
}

static void sign_line(struct sigv4_signer *signer, struct str line)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	CLEANUP(secret_unrefp) struct secret *secret = NULL, *token = NULL;
	CLEANUP(buf_deinit) struct buf out = {.n = 0};
	struct sigv4_result result;
	struct sigv4_request req;
	const struct json *j;
	struct err err;
	enum err_code rc = json_parse(a, line, MAX_LINE_BYTES, &j, &err);

	buf_init(&out, 8 * MAX_LINE_BYTES);
	if (rc == ERR_OK) {
		const struct json *time = json_get(j, STR("time"));

		secret = secret_new(member(j, "secret"));
		token = secret_new(member(j, "token"));
		read_request(a, j, &req);
		rc = sigv4_sign(signer, a, &req,
			&(struct sigv4_params){.access_key_id = member(j, "key_id"),
				.secret_access_key = secret,
				.session_token = token,
				.region = member(j, "region"),
				.service = member(j, "service"),
				.time_s = time ? time->integer : 0},
			&result, &err);
	}
	if (rc == ERR_OK) {
		write_result(&out, &result);
	} else {
		buf_c(&out, "{\"error\": ");
		json_write_str(&out, str_c(err.msg));
		buf_c(&out, "}\n");
	}
	fwrite(out.p, 1, out.n, stdout);
}

int main(void)
{
	CLEANUP(sigv4_signer_freep) struct sigv4_signer *signer = sigv4_signer_new();
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	while ((n = getline(&line, &size, stdin)) > 0)
		sign_line(signer, str_n(line, (size_t)n));
	free(line);
	return 0;
}
