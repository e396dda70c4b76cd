#include "aws/json11.h"

#include <assert.h>
#include <string.h>

#include "aws/errors.h"
#include "base/clock.h"
#include "base/encode.h"
#include "base/json.h"

/* ---- request ---- */

struct str aws_json11_target(const struct aws_operation *op, struct arena *a)
{
	return str_fmt(a, "%s.%s", op->service->target_prefix, op->name);
}

static void encode_struct(
	struct buf *b, const struct aws_shape *shape, const char *base, struct arena *scratch);

static void encode_value(struct buf *b, const struct aws_member *m, const void *p, struct arena *scratch)
{
	const struct aws_list *list = p;
	const struct aws_int *num = p;

	switch (m->kind) {
	case AWS_STRING:
		json_write_str(b, *(const struct str *)p);
		break;
	case AWS_BLOB:
		json_write_str(b, b64_encode(scratch, *(const struct str *)p));
		break;
	case AWS_INT:
	case AWS_TIME:
		buf_fmt(b, "%lld", (long long)num->v);
		break;
	case AWS_BOOL:
		buf_c(b, num->v ? "true" : "false");
		break;
	case AWS_STRUCT:
		encode_struct(b, m->shape, p, scratch);
		break;
	case AWS_LIST:
		buf_char(b, '[');
		for (size_t i = 0; i < list->n; i++) {
			const void *element = (const char *)list->items + i * aws_list_element_size(m);

			if (i)
				buf_char(b, ',');
			if (m->shape)
				encode_struct(b, m->shape, element, scratch);
			else
				json_write_str(b, *(const struct str *)element);
		}
		buf_char(b, ']');
		break;
	}
}

static void encode_struct(
	struct buf *b, const struct aws_shape *shape, const char *base, struct arena *scratch)
{
	bool first = true;

	buf_char(b, '{');
	for (size_t i = 0; i < shape->n; i++) {
		const struct aws_member *m = &shape->members[i];

		if (!aws_member_is_set(m, base))
			continue;
		if (!first)
			buf_char(b, ',');
		first = false;
		json_write_str(b, str_c(m->name));
		buf_char(b, ':');
		encode_value(b, m, base + m->offset, scratch);
	}
	buf_char(b, '}');
}

enum err_code aws_json11_encode(
	const struct aws_operation *op, const void *in, struct buf *body, struct err *reterr)
{
	static const struct aws_shape nothing = {0};
	CLEANUP(arena_freep) struct arena *scratch = arena_new(0);

	encode_struct(body, op->in && in ? op->in : &nothing, in, scratch);
	return buf_check(body, "the request", reterr);
}

/* ---- answer ---- */

/* Where we are in the document, as a chain on the C stack. */
struct path {
	const struct path *up;
	const char *name; /* NULL: an element of a list */
	size_t index;
};

struct decoder {
	const struct aws_json11_answer *answer;
	struct arena *arena; /* where values go */
	size_t left;         /* of max_bytes, for lists in memory */
	bool sink_failed;
};

static void write_path(struct buf *b, const struct path *p)
{
	if (p->up)
		write_path(b, p->up);
	if (!p->name)
		buf_fmt(b, "[%zu]", p->index);
	else
		buf_fmt(b, "%s%s", p->up ? "." : "", p->name);
}

static enum err_code wrong(const struct path *p, const char *what, struct err *reterr)
{
	CLEANUP(buf_deinit) struct buf text;

	buf_init(&text, 300);
	write_path(&text, p);
	return err_set(reterr, ERR_PROTOCOL, STR_FMT ": %s", STR_ARG(buf_view(&text)), what);
}

static enum err_code decode_struct(struct decoder *d, const struct path *at, const struct aws_shape *shape,
	const struct json *j, void *base, struct err *reterr);

static enum err_code decode_string(
	struct decoder *d, const struct path *at, const struct json *j, struct str *ret, struct err *reterr)
{
	char *copy;

	if (j->kind != JSON_STRING)
		return wrong(at, "not a string", reterr);
	copy = arena_try_alloc(d->arena, j->string.n + 1);
	if (!copy)
		return err_set(
			reterr, ERR_TOO_LARGE, "the answer to %s takes too much memory", d->answer->op->name);
	memcpy(copy, j->string.p, j->string.n);
	copy[j->string.n] = '\0';
	*ret = str_n(copy, j->string.n);
	return ERR_OK;
}

/* Epoch seconds, with a fraction or without, or ISO 8601. */
static bool decode_time(const struct json *j, int64_t *ret_unix_s)
{
	if (j->kind == JSON_STRING)
		return time_parse_rfc3339(j->string, ret_unix_s);
	if (j->kind != JSON_NUMBER)
		return false;
	if (j->is_int) {
		*ret_unix_s = j->integer;
		return true;
	}
	if (!(j->number > -1e15 && j->number < 1e15)) /* beyond any date; the cast needs a bound */
		return false;
	*ret_unix_s = (int64_t)j->number;
	return true;
}

static enum err_code decode_element(struct decoder *d, const struct path *at, const struct aws_member *list,
	const struct json *j, void *element, struct err *reterr)
{
	if (list->shape)
		return decode_struct(d, at, list->shape, j, element, reterr);
	return decode_string(d, at, j, element, reterr);
}

static enum err_code decode_list(struct decoder *d, const struct path *at, const struct aws_member *m,
	const struct json *j, struct aws_list *ret, struct err *reterr)
{
	size_t size = aws_list_element_size(m);
	enum err_code code;
	char *items;

	if (j->kind != JSON_ARRAY)
		return wrong(at, "not an array", reterr);
	if (j->n == 0)
		return ERR_OK;
	items = j->n <= d->left / size ? arena_try_alloc(d->arena, j->n * size) : NULL;
	if (!items)
		return err_set(
			reterr, ERR_TOO_LARGE, "the answer to %s takes too much memory", d->answer->op->name);
	d->left -= j->n * size;
	memset(items, 0, j->n * size);
	for (size_t i = 0; i < j->n; i++) {
		struct path here = {.up = at, .index = i};

		code = decode_element(d, &here, m, &j->items[i], items + i * size, reterr);
		if (code != ERR_OK)
			return code;
	}
	*ret = (struct aws_list){.items = items, .n = j->n};
	return ERR_OK;
}

static enum err_code decode_value(struct decoder *d, const struct path *at, const struct aws_member *m,
	const struct json *j, void *target, struct err *reterr)
{
	struct aws_int *num = target;
	struct str *text = target;

	switch (m->kind) {
	case AWS_STRING:
		return decode_string(d, at, j, text, reterr);
	case AWS_BLOB:
		if (j->kind != JSON_STRING || !b64_decode(d->arena, j->string, text))
			return wrong(at, "not base64", reterr);
		return ERR_OK;
	case AWS_INT:
		if (j->kind != JSON_NUMBER || !j->is_int)
			return wrong(at, "not an integer", reterr);
		*num = (struct aws_int){.v = j->integer, .set = true};
		return ERR_OK;
	case AWS_BOOL:
		if (j->kind != JSON_BOOL)
			return wrong(at, "not true or false", reterr);
		*num = (struct aws_int){.v = j->boolean, .set = true};
		return ERR_OK;
	case AWS_TIME:
		if (!decode_time(j, &num->v))
			return wrong(at, "not a date", reterr);
		num->set = true;
		return ERR_OK;
	case AWS_STRUCT:
		return decode_struct(d, at, m->shape, j, target, reterr);
	case AWS_LIST:
		return decode_list(d, at, m, j, target, reterr);
	}
	return ERR_OK;
}

static enum err_code decode_struct(struct decoder *d, const struct path *at, const struct aws_shape *shape,
	const struct json *j, void *base, struct err *reterr)
{
	enum err_code code;

	if (j->kind != JSON_OBJECT)
		return wrong(at, "not an object", reterr);
	for (size_t i = 0; i < shape->n; i++) {
		const struct aws_member *m = &shape->members[i];
		const struct json *value = json_get(j, str_c(m->name));
		struct path here = {.up = at, .name = m->name};

		if (!value || value->kind == JSON_NULL)
			continue;
		code = decode_value(d, &here, m, value, (char *)base + m->offset, reterr);
		if (code != ERR_OK)
			return code;
	}
	return ERR_OK;
}

static enum err_code feed_sink(struct decoder *d, const struct path *at, const struct aws_member *m,
	const struct json *list, struct err *reterr)
{
	const struct aws_sink *sink = d->answer->sink;
	CLEANUP(arena_freep) struct arena *scratch = arena_new(d->answer->max_bytes);

	if (list->kind != JSON_ARRAY)
		return wrong(at, "not an array", reterr);
	for (size_t i = 0; i < list->n; i++) {
		struct path here = {.up = at, .index = i};
		struct decoder one = {.answer = d->answer, .arena = scratch, .left = d->answer->max_bytes};
		void *element = arena_zalloc(scratch, aws_list_element_size(m));
		enum err_code code = decode_element(&one, &here, m, &list->items[i], element, reterr);

		if (code != ERR_OK)
			return code;
		code = sink->item(sink->self, m, element, reterr);
		if (code != ERR_OK) {
			d->sink_failed = true;
			return code;
		}
		arena_reset(scratch);
	}
	return ERR_OK;
}

/* The lists of the top level go to the sink, everything else into out. */
static enum err_code decode_to_sink(
	struct decoder *d, const struct path *root, const struct json *j, void *out, struct err *reterr)
{
	const struct aws_shape *shape = d->answer->op->out;
	enum err_code code = ERR_OK;

	for (size_t i = 0; i < shape->n && code == ERR_OK; i++) {
		const struct aws_member *m = &shape->members[i];
		const struct json *value = json_get(j, str_c(m->name));
		struct path here = {.up = root, .name = m->name};

		if (!value || value->kind == JSON_NULL)
			continue;
		if (m->kind == AWS_LIST)
			code = feed_sink(d, &here, m, value, reterr);
		else
			code = decode_value(d, &here, m, value, (char *)out + m->offset, reterr);
	}
	return code;
}

enum err_code aws_json11_decode(const struct aws_json11_answer *answer, struct arena *arena, void *out,
	bool *ret_sink_failed, struct err *reterr)
{
	CLEANUP(arena_freep) struct arena *tree = arena_new(0); /* JSON_MAX_VALUES and max_bytes bound it */
	struct decoder d = {.answer = answer, .arena = arena, .left = answer->max_bytes};
	struct path root = {.name = answer->op->name};
	const struct aws_shape *shape = answer->op->out;
	const struct json *j;
	enum err_code code;

	assert(out || !answer->sink);
	*ret_sink_failed = false;
	if (out && shape)
		memset(out, 0, shape->size);
	if (answer->body.n == 0 && !shape)
		return ERR_OK; /* operations without output may answer nothing at all */
	code = json_parse(tree, answer->body, answer->max_bytes, &j, reterr);
	if (code != ERR_OK)
		return err_prefix(reterr, "the answer to %s", answer->op->name);
	if (j->kind != JSON_OBJECT)
		return wrong(&root, "not an object", reterr);
	if (!out || !shape)
		return ERR_OK;
	if (!answer->sink)
		return decode_struct(&d, &root, shape, j, out, reterr);
	code = decode_to_sink(&d, &root, j, out, reterr);
	*ret_sink_failed = d.sink_failed;
	return code;
}

/* ---- error bodies ---- */

#define ERROR_BODY_MAX ((size_t)64 * 1024)

struct str aws_json11_error_name(struct str type)
{
	struct str rest = type;
	struct str name = str_cut(&rest, ':'); /* "Name:http://internal.amazon.com/..." */

	return str_trim(str_from(name, (size_t)(str_rfind_char(name, '#') + 1)));
}

static struct str first_string(const struct json *j, const char *const *names)
{
	for (; *names; names++) {
		struct str s = json_str(json_get(j, str_c(*names)));

		if (s.n)
			return s;
	}
	return STR_EMPTY;
}

void aws_json11_read_error(struct arena *a, struct str body, struct aws_failure *f)
{
	static const char *const types[] = {"__type", "code", "Code", NULL};
	static const char *const messages[] = {"message", "Message", "errorMessage", NULL};
	const struct json *j, *wait_s;
	struct err ignored; /* a body that is not JSON says nothing: the HTTP status decides */

	if (json_parse(a, body, ERROR_BODY_MAX, &j, &ignored) != ERR_OK)
		return;
	f->code = aws_json11_error_name(first_string(j, types));
	f->message = first_string(j, messages);
	f->reason = json_str(json_get(j, STR("Reason")));
	f->resource_type = json_str(json_get(j, STR("ResourceType")));
	wait_s = json_get(j, STR("RetryAfterSeconds")); /* Identity Store: here, not in a header */
	if (f->retry_after_ms == 0 && wait_s && wait_s->kind == JSON_NUMBER && wait_s->is_int &&
		wait_s->integer > 0 && wait_s->integer < INT64_MAX / 1000)
		f->retry_after_ms = wait_s->integer * 1000;
}
