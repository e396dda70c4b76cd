#include "sim/sim_query.h"

#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/xml.h"

/* Parameters that never enter a log. */
static const char *const secret_params[] = {"WebIdentityToken", "SAMLAssertion", "TokenCode", "Password"};

static int param_cmp(const void *a, const void *b)
{
	const struct sim_param *x = a, *y = b;
	int by_name = str_cmp(x->name, y->name);

	return by_name != 0 ? by_name : str_cmp(x->value, y->value);
}

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

static bool is_secret(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(secret_params); i++) {
		if (str_eq_c(name, secret_params[i]))
			return true;
	}
	return false;
}

static void add_escaped(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '&' || s.p[i] == '=' || s.p[i] == '%')
			buf_fmt(b, "%%%02X", (unsigned)s.p[i]);
		else
			buf_char(b, s.p[i]);
	}
}

/* "MaxItems=1000&UserName=ana@example.com": readable, and different for different parameters. */
static struct str canonical_params(struct sim_call *c)
{
	struct buf b;

	buf_init(&b, SIZE_MAX / 2);
	for (size_t i = 0; i < c->n_params; i++) {
		const struct sim_param *p = &c->params[i];
		if (str_eq_c(p->name, "Action") || str_eq_c(p->name, "Version"))
			continue;
		if (b.n > 0)
			buf_char(&b, '&');
		add_escaped(&b, p->name);
		buf_char(&b, '=');
		if (is_secret(p->name))
			buf_c(&b, "***");
		else
			add_escaped(&b, p->value);
	}
	struct str text = buf_dup(&b, c->arena);
	buf_deinit(&b);
	return text;
}

static const struct sim_service *service_of_version(struct str version)
{
	for (size_t i = 0; i < sim_services_all_n; i++) {
		if (str_eq_c(version, sim_services_all[i]->version))
			return sim_services_all[i];
	}
	return NULL;
}

static const struct sim_op *op_find(const struct sim_service *service, struct str name)
{
	for (size_t i = 0; i < service->n_ops; i++) {
		if (str_eq_c(name, service->ops[i].name))
			return &service->ops[i];
	}
	return NULL;
}

void sim_query_read(struct sim_call *c, const struct sim_request *req)
{
	bool readable;

	c->params = arena_array_of(c->arena, req->n_query + 1, struct sim_param);
	if (req->n_query > 0)
		memcpy(c->params, req->query, req->n_query * sizeof(*c->params));
	c->n_params = req->n_query;
	readable = read_form(c, req->body);
	qsort(c->params, c->n_params, sizeof(c->params[0]), param_cmp);
	c->op_name = sim_param(c, "Action");
	struct str version = sim_param(c, "Version");
	c->service = service_of_version(version);
	c->op = c->service != NULL ? op_find(c->service, c->op_name) : NULL;
	c->params_text = canonical_params(c);

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

void sim_query_check_required(struct sim_call *c)
{
	for (size_t i = 0; i < ARRAY_LEN(c->op->required) && c->op->required[i] != NULL; i++) {
		const char *name = c->op->required[i];
		if (sim_param(c, name).n == 0)
			sim_fail(c, 400, "ValidationError",
				"1 validation error detected: Value null at '%c%s' failed to satisfy "
				"constraint: "
				"Member must not be null",
				name[0] | 0x20, name + 1);
	}
}

void sim_query_begin(struct sim_call *c)
{
	buf_fmt(&c->out, "<%sResponse xmlns=\"%s\"><%sResult>", c->op->name, c->service->xmlns, c->op->name);
}

void sim_query_end(struct sim_call *c)
{
	buf_fmt(&c->out,
		"</%sResult><ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata></%sResponse>",
		c->op->name, c->request_id, c->op->name);
}

void sim_query_error(struct sim_call *c)
{
	buf_reset(&c->out);
	buf_fmt(&c->out, "<ErrorResponse xmlns=\"%s\"><Error><Type>%s</Type>", c->service->xmlns,
		c->status >= 500 ? "Receiver" : "Sender");
	el_str(c, "Code", c->code);
	el_str(c, "Message", c->message);
	buf_fmt(&c->out, "</Error><RequestId>%s</RequestId></ErrorResponse>", c->request_id);
}
