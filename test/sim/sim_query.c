/* AWS's query protocol: parameters come form-encoded in the body (or the query string), answers are XML. */
#include <string.h>

#include "base/encode.h"
#include "sim/sim_call.h"
#include "sim/sim_request.h"

/* In forms a plus is a space; percent_decode leaves it alone. */
static bool form_decode(struct arena *a, struct str text, struct str *ret)
{
	char *copy = str_dup_c(a, text);

	for (size_t i = 0; i < text.n; i++) {
		if (copy[i] == '+')
			copy[i] = ' ';
	}
	return percent_decode(a, str_n(copy, text.n), ret);
}

static bool read_form(struct sim_call *c, struct str body)
{
	size_t n = 1;

	for (size_t i = 0; i < body.n; i++)
		n += body.p[i] == '&';
	struct sim_param *params = arena_array_of(c->arena, n + c->n_params, struct sim_param);
	if (c->n_params > 0)
		memcpy(params, c->params, c->n_params * sizeof(*params));
	c->params = params;
	for (struct str rest = body; rest.n > 0;) {
		struct str value = str_cut(&rest, '&');
		struct str name = str_cut(&value, '=');
		if (name.n == 0)
			continue;
		struct sim_param *p = &params[c->n_params];
		if (!form_decode(c->arena, name, &p->name) || !form_decode(c->arena, value, &p->value) ||
			!str_is_utf8(p->name) || !str_is_utf8(p->value))
			return false;
		c->n_params++;
	}
	return true;
}

static const struct sim_service *service_of_version(struct str version)
{
	for (size_t i = 0; i < sim_services_all_n; i++) {
		if (sim_services_all[i]->protocol == &sim_query &&
			str_eq_c(version, sim_services_all[i]->version))
			return sim_services_all[i];
	}
	return NULL;
}

static void query_read(struct sim_call *c, const struct sim_request *req)
{
	bool readable;

	c->params = arena_array_of(c->arena, req->n_query + 1, struct sim_param);
	if (req->n_query > 0)
		memcpy(c->params, req->query, req->n_query * sizeof(*c->params));
	c->n_params = req->n_query;
	readable = read_form(c, req->body);
	sim_params_ready(c);
	c->op_name = sim_param(c, "Action");
	struct str version = sim_param(c, "Version");
	c->service = service_of_version(version);
	c->op = c->service != NULL ? sim_op_find(c->service, c->op_name) : NULL;

	if (!readable)
		sim_fail(c, 400, "MalformedQueryString", "The query string is not valid form encoding");
	else if (c->op_name.n == 0)
		sim_fail(c, 400, "MissingAction", "Could not find operation in the request");
	else if (c->service == NULL)
		sim_fail(c, 400, "NoSuchVersion",
			"The requested version ( " STR_FMT " ) of service is unknown", STR_ARG(version));
	else if (c->op == NULL)
		sim_fail(c, 400, "InvalidAction", "Could not find operation " STR_FMT " for version " STR_FMT,
			STR_ARG(c->op_name), STR_ARG(version));
	if (c->service == NULL)
		c->service = sim_services_all[0]; /* someone has to word the error */
}

static void query_begin(struct sim_call *c)
{
	buf_fmt(&c->out, "<%sResponse xmlns=\"%s\"><%sResult>", c->op->name, c->service->xmlns, c->op->name);
}

static void query_end(struct sim_call *c)
{
	buf_fmt(&c->out,
		"</%sResult><ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata></%sResponse>",
		c->op->name, c->request_id, c->op->name);
}

static void query_error(struct sim_call *c)
{
	buf_reset(&c->out);
	buf_fmt(&c->out, "<ErrorResponse xmlns=\"%s\"><Error><Type>%s</Type>", c->service->xmlns,
		c->status >= 500 ? "Receiver" : "Sender");
	el_str(c, "Code", c->code);
	el_str(c, "Message", c->message);
	buf_fmt(&c->out, "</Error><RequestId>%s</RequestId></ErrorResponse>", c->request_id);
}

static void query_page_end(struct sim_call *c, bool truncated, struct str token)
{
	el_bool(c, "IsTruncated", truncated);
	if (token.n > 0)
		el_str(c, "Marker", token);
}

const struct sim_protocol sim_query = {
	.content_type = "text/xml",
	.read = query_read,
	.begin = query_begin,
	.end = query_end,
	.error = query_error,
	.page_end = query_page_end,
	.malformed = "<Response><Result><member>one & two</Result></Response>",
	.padding = "<Padding>0123456789012345678901234567890123456789</Padding>",
	.pad_before = '<',
};
