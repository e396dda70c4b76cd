/* AWS's JSON 1.1 protocol: X-Amz-Target names the operation, parameters and results are JSON objects.
 *
 * DESIGN
 * Parameters become the same flat list as the query protocol's, so operations, log and fault rules need not
 * know where they came from; the price is that a number and its text are the same. */
#include <inttypes.h>

#include "base/json.h"
#include "sim/sim_call.h"
#include "sim/sim_request.h"

#define BODY_MAX ((size_t)1 << 20)

/* What sim_auth.c says in the words of the query protocol. With JSON the status is always 400. */
static const struct {
	const char *query, *json;
} auth_codes[] = {
	{"ExpiredToken", "ExpiredTokenException"},
	{"IncompleteSignature", "IncompleteSignatureException"},
	{"InvalidClientTokenId", "UnrecognizedClientException"},
	{"MissingAuthenticationToken", "MissingAuthenticationTokenException"},
	{"SignatureDoesNotMatch", "InvalidSignatureException"},
};

/* --- reading --- */
static size_t count_values(const struct json *j)
{
	size_t n = 0;

	if (j->kind != JSON_OBJECT && j->kind != JSON_ARRAY)
		return 1;
	for (size_t i = 0; i < j->n; i++)
		n += count_values(&j->items[i]);
	return n;
}

static struct str value_text(struct sim_call *c, const struct json *j)
{
	switch (j->kind) {
	case JSON_STRING:
		return str_dup(c->arena, j->string);
	case JSON_BOOL:
		return j->boolean ? STR("true") : STR("false");
	case JSON_NUMBER:
		return j->is_int ? str_fmt(c->arena, "%" PRId64, j->integer)
				 : str_fmt(c->arena, "%.17g", j->number);
	case JSON_NULL:
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	return STR_EMPTY;
}

/* The depth is json_parse's affair. */
static void add_params(struct sim_call *c, struct str name, const struct json *j)
{
	if (j->kind != JSON_OBJECT && j->kind != JSON_ARRAY) {
		if (j->kind != JSON_NULL)
			c->params[c->n_params++] = (struct sim_param){name, value_text(c, j)};
		return;
	}
	for (size_t i = 0; i < j->n; i++) {
		struct str last = j->kind == JSON_OBJECT ? j->keys[i] : str_fmt(c->arena, "%zu", i + 1);
		struct str member =
			name.n == 0 ? str_dup(c->arena, last)
				    : str_fmt(c->arena, STR_FMT "." STR_FMT, STR_ARG(name), STR_ARG(last));
		add_params(c, member, &j->items[i]);
	}
}

static bool read_body(struct sim_call *c, struct str body)
{
	const struct json *j;
	struct err err;

	if (body.n == 0)
		return true;
	if (json_parse(c->arena, body, BODY_MAX, &j, &err) != ERR_OK || j->kind != JSON_OBJECT)
		return false;
	c->params = arena_array_of(c->arena, count_values(j) + 1, struct sim_param);
	add_params(c, STR_EMPTY, j);
	return true;
}

static const struct sim_service *service_of_target(struct str prefix)
{
	for (size_t i = 0; i < sim_services_all_n; i++) {
		const struct sim_service *s = sim_services_all[i];
		if (s->protocol == &sim_json && str_eq_c(prefix, s->target))
			return s;
	}
	return NULL;
}

/* "AWSOrganizationsV20161128.ListAccounts"; CloudTrail's name may stand behind those of its packages. */
static void read_target(struct sim_call *c, const struct sim_request *req)
{
	struct str target = sim_header(req, "x-amz-target");
	ptrdiff_t dot = str_rfind_char(target, '.');
	struct str prefix = str_sub(target, 0, dot < 0 ? 0 : (size_t)dot);
	struct str rest = str_from(target, (size_t)(dot + 1));

	c->service = service_of_target(str_from(prefix, (size_t)(str_rfind_char(prefix, '.') + 1)));
	c->op_name = rest;
	c->op = c->service != NULL ? sim_op_find(c->service, rest) : NULL;
	if (c->service == NULL)
		c->service = &sim_organizations; /* someone has to word the error */
}

static void json_read(struct sim_call *c, const struct sim_request *req)
{
	read_target(c, req);
	bool readable = read_body(c, req->body);
	sim_params_ready(c);
	if (c->op == NULL || !str_starts(sim_header(req, "content-type"), STR("application/x-amz-json-1.1")))
		sim_fail(c, 400, "UnknownOperationException", "The operation is not known");
	else if (!readable)
		sim_fail(c, 400, "SerializationException", "The body is not a JSON object");
}

/* --- writing --- */
static void json_reword(struct sim_call *c)
{
	for (size_t i = 0; i < ARRAY_LEN(auth_codes); i++) {
		if (!str_eq_c(c->code, auth_codes[i].query))
			continue;
		c->code = str_c(auth_codes[i].json);
		c->status = 400;
		return;
	}
}

static void json_begin(struct sim_call *c)
{
	jw_open(&c->json, NULL, '{');
}

static void json_end(struct sim_call *c)
{
	jw_close(&c->json, '}');
}

/* Services say "Message", what stands before them "message". */
static bool is_of_service(struct str code)
{
	for (size_t i = 0; i < ARRAY_LEN(auth_codes); i++) {
		if (str_eq_c(code, auth_codes[i].json))
			return false;
	}
	return true;
}

static void json_error(struct sim_call *c)
{
	buf_reset(&c->out);
	c->json.inside = false;
	jw_open(&c->json, NULL, '{');
	jw_str(&c->json, "__type", c->code);
	jw_str(&c->json, is_of_service(c->code) ? "Message" : "message", c->message);
	jw_str_unless_empty(&c->json, "Reason", c->reason);
	jw_close(&c->json, '}');
}

static void json_page_end(struct sim_call *c, bool truncated, struct str token)
{
	(void)truncated; /* there is no other sign of it */
	if (token.n > 0)
		jw_str(&c->json, c->service->paging->token, token);
}

const struct sim_protocol sim_json = {
	.content_type = "application/x-amz-json-1.1",
	.read = json_read,
	.reword = json_reword,
	.begin = json_begin,
	.end = json_end,
	.error = json_error,
	.page_end = json_page_end,
	.malformed = "{\"Accounts\":[{\"Id\":}]}",
	.padding = "                                                               \n",
	.pad_before = '}',
};
