/* DESIGN
 *
 * The decoder is a stack of frames, one per open XML element, indexed by depth. A frame knows what its
 * element stands for by the table of its parent: a struct, a list, a scalar, or something the tables do
 * not name (skipped with all below).
 *
 * A list grows in heap memory that belongs to the frame's depth and is reused by the next list there;
 * when the list ends it is copied into the arena with its exact size. So thousands of small lists in
 * one arena waste nothing. An element under construction may be pointed to by the frames above it: the
 * list grows only between elements.
 *
 * Elements of a top-level list with a sink are built in a scratch arena instead, handed over, and
 * forgotten. */
#include "aws/query.h"

#include <assert.h>
#include <string.h>

#include "aws/errors.h"
#include "base/clock.h"
#include "base/encode.h"
#include "base/mem.h"
#include "base/xml.h"

/* ---- request ---- */

static void encode_pair(struct buf *body, struct str key, struct str value)
{
	buf_char(body, '&');
	percent_encode(body, key, /* keep_slash= */ false);
	buf_char(body, '=');
	percent_encode(body, value, /* keep_slash= */ false);
}

static void encode_scalar(
	struct buf *body, struct str key, const struct aws_member *m, const void *p, struct arena *scratch)
{
	const struct aws_int *num = p;
	char time[21];

	switch (m->kind) {
	case AWS_STRING:
		encode_pair(body, key, *(const struct str *)p);
		break;
	case AWS_BLOB:
		encode_pair(body, key, b64_encode(scratch, *(const struct str *)p));
		break;
	case AWS_INT:
		encode_pair(body, key, str_fmt(scratch, "%lld", (long long)num->v));
		break;
	case AWS_BOOL:
		encode_pair(body, key, num->v ? STR("true") : STR("false"));
		break;
	case AWS_TIME:
		time_format_rfc3339(num->v, time);
		encode_pair(body, key, str_c(time));
		break;
	case AWS_STRUCT:
	case AWS_LIST:
		assert(!"not a scalar");
	}
}

static void encode_struct(struct buf *body, struct str prefix, const struct aws_shape *shape,
	const char *base, struct arena *scratch);

/* "Filter.member.1", "Tags.member.2.Key" */
static void encode_list(struct buf *body, struct str key, const struct aws_member *m,
	const struct aws_list *list, struct arena *scratch)
{
	for (size_t i = 0; i < list->n; i++) {
		struct str one = str_fmt(scratch, STR_FMT ".member.%zu", STR_ARG(key), i + 1);
		const char *element = (const char *)list->items + i * aws_list_element_size(m);

		if (m->shape)
			encode_struct(body, str_fmt(scratch, STR_FMT ".", STR_ARG(one)), m->shape, element,
				scratch);
		else
			encode_pair(body, one, *(const struct str *)(const void *)element);
	}
}

/* Recursion follows our own tables, which are finite. */
static void encode_struct(struct buf *body, struct str prefix, const struct aws_shape *shape,
	const char *base, struct arena *scratch)
{
	for (size_t i = 0; i < shape->n; i++) {
		const struct aws_member *m = &shape->members[i];
		struct str key;

		if (!aws_member_is_set(m, base))
			continue;
		key = str_fmt(scratch, STR_FMT "%s", STR_ARG(prefix), m->name);
		if (m->kind == AWS_STRUCT)
			encode_struct(body, str_fmt(scratch, STR_FMT ".", STR_ARG(key)), m->shape,
				base + m->offset, scratch);
		else if (m->kind == AWS_LIST)
			encode_list(body, key, m, (const void *)(base + m->offset), scratch);
		else
			encode_scalar(body, key, m, base + m->offset, scratch);
	}
}

enum err_code aws_query_encode(
	const struct aws_operation *op, const void *in, struct buf *body, struct err *reterr)
{
	CLEANUP(arena_freep) struct arena *scratch = arena_new(0);

	buf_c(body, "Action=");
	percent_encode(body, str_c(op->name), /* keep_slash= */ false);
	encode_pair(body, STR("Version"), str_c(op->service->version));
	if (op->in && in)
		encode_struct(body, STR_EMPTY, op->in, in, scratch);
	return buf_check(body, "the request", reterr);
}

/* ---- answer ---- */

enum frame_kind {
	FRAME_SKIP = 0, /* nothing in our tables */
	FRAME_RESPONSE, /* <ListUsersResponse> */
	FRAME_STRUCT,
	FRAME_LIST,
	FRAME_SCALAR,
};

struct frame {
	enum frame_kind kind;
	const struct aws_member *member; /* of the parent's table; of an element: its list */
	const struct aws_shape *shape;   /* FRAME_STRUCT: its members */
	void *target;         /* where the value goes: the struct, the struct aws_list, the scalar */
	enum aws_kind scalar; /* FRAME_SCALAR */
	bool to_sink;         /* FRAME_LIST: elements go to the sink */
	size_t n;             /* FRAME_LIST: elements begun */
	char *items;          /* FRAME_LIST: heap, kept for the next list at this depth */
	size_t items_size;
};

struct aws_query_decoder {
	struct aws_query_decoder_options o;
	struct xml_reader *xml;
	struct arena *scratch; /* of the element for the sink */
	struct arena *values;  /* where strings go now: o.arena or scratch */
	size_t list_bytes;     /* taken by lists so far, against o.max_bytes */
	bool seen_result;
	struct frame frames[XML_MAX_DEPTH + 1]; /* [depth], 1 is the root */
};

/* Fails with the path of the element at `depth` in front: "ListUsersResult.Users[3].CreateDate:
 * <what>". The content stays out of the message: it may be a secret. */
static enum err_code wrong(struct aws_query_decoder *d, unsigned depth, const char *what, struct err *reterr)
{
	CLEANUP(buf_deinit) struct buf path;

	buf_init(&path, 300);
	buf_fmt(&path, "%sResult", d->o.op->name);
	for (unsigned i = 3; i <= depth && i <= XML_MAX_DEPTH; i++) {
		const struct frame *f = &d->frames[i], *parent = &d->frames[i - 1];

		if (parent->kind == FRAME_LIST)
			buf_fmt(&path, "[%zu]", parent->n ? parent->n - 1 : 0);
		else if (f->member)
			buf_fmt(&path, ".%s", f->member->name);
	}
	return err_set(reterr, ERR_PROTOCOL, STR_FMT ": %s", STR_ARG(buf_view(&path)), what);
}

static enum err_code too_large(const struct aws_query_decoder *d, struct err *reterr)
{
	return err_set(reterr, ERR_TOO_LARGE, "the answer to %s takes more than %zu bytes of memory",
		d->o.op->name, d->o.max_bytes);
}

/* Room for one more element behind the list's last; NULL when the bound is hit. The list may move. */
static void *list_grow(struct aws_query_decoder *d, struct frame *list)
{
	size_t size = aws_list_element_size(list->member);
	size_t need = (list->n + 1) * size;

	if (size > d->o.max_bytes - d->list_bytes)
		return NULL;
	d->list_bytes += size;
	if (need > list->items_size) {
		list->items_size = need * 2;
		list->items = mem_realloc(list->items, list->items_size);
	}
	return memset(list->items + list->n * size, 0, size);
}

static void start_struct(struct frame *f, const struct aws_shape *shape, void *target)
{
	f->kind = FRAME_STRUCT;
	f->shape = shape;
	f->target = target;
}

static void start_scalar(struct frame *f, enum aws_kind kind, void *target)
{
	f->kind = FRAME_SCALAR;
	f->scalar = kind;
	f->target = target;
}

static enum err_code start_element(
	struct aws_query_decoder *d, struct frame *list, struct str name, unsigned depth, struct err *reterr)
{
	struct frame *f = &d->frames[depth];
	size_t size = aws_list_element_size(list->member);
	void *element;

	if (!str_eq_c(name, "member"))
		return wrong(d, depth - 1, "the list holds something else than <member>", reterr);
	if (list->to_sink) {
		d->values = d->scratch;
		element = arena_zalloc(d->scratch, size);
	} else {
		element = list_grow(d, list);
		if (!element)
			return too_large(d, reterr);
	}
	list->n++;
	f->member = list->member;
	if (list->member->shape)
		start_struct(f, list->member->shape, element);
	else
		start_scalar(f, AWS_STRING, element);
	return ERR_OK;
}

static enum err_code start_member(struct aws_query_decoder *d, const struct frame *parent, struct str name,
	unsigned depth, struct err *reterr)
{
	const struct aws_member *m = aws_shape_find(parent->shape, name);
	struct frame *f = &d->frames[depth];
	void *target;

	if (!m)
		return ERR_OK; /* FRAME_SKIP */
	f->member = m;
	target = (char *)parent->target + m->offset;
	switch (m->kind) {
	case AWS_STRUCT:
		start_struct(f, m->shape, target);
		return ERR_OK;
	case AWS_LIST:
		if (((struct aws_list *)target)->n > 0) /* taking the second one would lose the first */
			return wrong(d, depth, "the list comes twice", reterr);
		f->kind = FRAME_LIST;
		f->target = target;
		f->n = 0;
		f->to_sink = d->o.sink && depth == 3;
		return ERR_OK;
	case AWS_STRING:
	case AWS_INT:
	case AWS_BOOL:
	case AWS_TIME:
	case AWS_BLOB:
		start_scalar(f, m->kind, target);
		return ERR_OK;
	}
	return ERR_OK;
}

/* name == operation + suffix */
static bool is_frame_name(const struct aws_query_decoder *d, struct str name, const char *suffix)
{
	struct str op = str_c(d->o.op->name);

	return str_starts(name, op) && str_eq_c(str_from(name, op.n), suffix);
}

static enum err_code on_start(void *self, struct str name, unsigned depth, struct err *reterr)
{
	struct aws_query_decoder *d = self;
	struct frame *f, *parent;

	if (depth > XML_MAX_DEPTH)
		return err_set(reterr, ERR_TOO_LARGE, "the answer to %s is nested too deep", d->o.op->name);
	f = &d->frames[depth];
	f->kind = FRAME_SKIP;
	f->member = NULL;
	if (depth == 1) {
		if (!is_frame_name(d, name, "Response"))
			return err_set(reterr, ERR_PROTOCOL,
				"the answer to %s is a <" STR_FMT ">, not a <%sResponse>", d->o.op->name,
				STR_ARG(str_sub(name, 0, 60)), d->o.op->name);
		f->kind = FRAME_RESPONSE;
		return ERR_OK;
	}
	parent = &d->frames[depth - 1];
	switch (parent->kind) {
	case FRAME_SKIP:
		return ERR_OK;
	case FRAME_RESPONSE:
		if (!is_frame_name(d, name, "Result"))
			return ERR_OK; /* ResponseMetadata */
		if (d->seen_result)
			return wrong(d, 2, "the result comes twice", reterr);
		d->seen_result = true;
		if (d->o.out)
			start_struct(f, d->o.op->out, d->o.out);
		return ERR_OK;
	case FRAME_STRUCT:
		return start_member(d, parent, name, depth, reterr);
	case FRAME_LIST:
		return start_element(d, parent, name, depth, reterr);
	case FRAME_SCALAR:
		return wrong(d, depth - 1, "a value holds an element", reterr);
	}
	return ERR_OK;
}

static bool parse_bool(struct str text, int64_t *ret)
{
	*ret = str_eq_c(text, "true");
	return *ret || str_eq_c(text, "false");
}

static enum err_code end_scalar(struct aws_query_decoder *d, const struct frame *f, struct str text,
	unsigned depth, struct err *reterr)
{
	struct str *s = f->target;
	struct aws_int *num = f->target;
	char *copy;

	switch (f->scalar) {
	case AWS_STRING:
		copy = arena_try_alloc(d->values, text.n + 1);
		if (!copy)
			return too_large(d, reterr);
		if (text.n)
			memcpy(copy, text.p, text.n);
		copy[text.n] = '\0';
		*s = str_n(copy, text.n);
		return ERR_OK;
	case AWS_BLOB:
		if (!b64_decode(d->values, str_trim(text), s))
			return wrong(d, depth, "not base64", reterr);
		return ERR_OK;
	case AWS_INT:
		if (!str_to_i64(str_trim(text), &num->v))
			return wrong(d, depth, "not a number", reterr);
		break;
	case AWS_BOOL:
		if (!parse_bool(str_trim(text), &num->v))
			return wrong(d, depth, "not true or false", reterr);
		break;
	case AWS_TIME:
		if (!time_parse_rfc3339(str_trim(text), &num->v))
			return wrong(d, depth, "not a date", reterr);
		break;
	case AWS_STRUCT:
	case AWS_LIST:
		assert(!"not a scalar");
	}
	num->set = true;
	return ERR_OK;
}

static enum err_code end_list(struct aws_query_decoder *d, const struct frame *f, struct err *reterr)
{
	struct aws_list *list = f->target;
	size_t bytes = f->n * aws_list_element_size(f->member);

	if (f->to_sink || f->n == 0)
		return ERR_OK;
	list->items = arena_try_alloc(d->values, bytes);
	if (!list->items)
		return too_large(d, reterr);
	memcpy(list->items, f->items, bytes);
	list->n = f->n;
	return ERR_OK;
}

static enum err_code hand_over(struct aws_query_decoder *d, const struct frame *element, struct err *reterr)
{
	enum err_code code = d->o.sink->item(d->o.sink->self, element->member, element->target, reterr);

	arena_reset(d->scratch);
	d->values = d->o.arena;
	d->list_bytes = 0;
	return code;
}

static enum err_code on_end(void *self, struct str name, struct str text, unsigned depth, struct err *reterr)
{
	struct aws_query_decoder *d = self;
	const struct frame *f = &d->frames[depth];
	enum err_code code = ERR_OK;

	(void)name;
	switch (f->kind) {
	case FRAME_SKIP:
	case FRAME_RESPONSE:
		return ERR_OK;
	case FRAME_SCALAR:
		code = end_scalar(d, f, text, depth, reterr);
		break;
	case FRAME_LIST:
	case FRAME_STRUCT:
		if (str_trim(text).n > 0)
			return wrong(d, depth, "text where elements belong", reterr);
		if (f->kind == FRAME_LIST)
			code = end_list(d, f, reterr);
		break;
	}
	if (code == ERR_OK && depth > 1 && d->frames[depth - 1].kind == FRAME_LIST &&
		d->frames[depth - 1].to_sink)
		code = hand_over(d, f, reterr);
	return code;
}

struct aws_query_decoder *aws_query_decoder_new(const struct aws_query_decoder_options *opts)
{
	struct aws_query_decoder *d = mem_zalloc(sizeof(*d));
	struct xml_handler handler = {.start = on_start, .end = on_end, .self = d};

	assert(opts->out || !opts->sink);
	d->o = *opts;
	if (!opts->op->out)
		d->o.out = NULL;
	if (d->o.out)
		memset(d->o.out, 0, d->o.op->out->size);
	d->values = d->o.arena;
	if (d->o.sink)
		d->scratch = arena_new(d->o.max_bytes);
	d->xml = xml_reader_new(&handler, d->o.max_bytes, /* max_text= */ d->o.max_bytes);
	return d;
}

void aws_query_decoder_free(struct aws_query_decoder *d)
{
	if (!d)
		return;
	xml_reader_free(d->xml);
	for (size_t i = 0; i < ARRAY_LEN(d->frames); i++) {
		if (d->frames[i].items)
			mem_wipe(d->frames[i].items, d->frames[i].items_size);
		mem_free(d->frames[i].items);
	}
	arena_free(d->scratch);
	mem_free(d);
}

void aws_query_decoder_freep(struct aws_query_decoder **d)
{
	aws_query_decoder_free(*d);
	*d = NULL;
}

enum err_code aws_query_decoder_feed(struct aws_query_decoder *d, struct str chunk, struct err *reterr)
{
	return xml_reader_feed(d->xml, chunk, /* is_last= */ false, reterr);
}

enum err_code aws_query_decoder_finish(struct aws_query_decoder *d, bool *ret_truncated, struct err *reterr)
{
	struct err cause;

	*ret_truncated = false;
	if (xml_reader_feed(d->xml, STR_EMPTY, /* is_last= */ true, &cause) != ERR_OK) {
		*ret_truncated = true; /* all bytes before were good XML: what is missing is the rest */
		return err_set(reterr, ERR_PROTOCOL, "the answer to %s is cut off", d->o.op->name);
	}
	if (d->o.out && !d->seen_result)
		return err_set(reterr, ERR_PROTOCOL, "the answer to %s has no <%sResult>", d->o.op->name,
			d->o.op->name);
	return ERR_OK;
}

/* ---- error bodies ---- */

/* What an error can reasonably say; the rest of a longer body is of no interest. */
#define ERROR_BODY_MAX ((size_t)64 * 1024)

struct error_reader {
	struct arena *arena;
	struct aws_failure *f;
	struct str root;
};

static enum err_code error_start(void *self, struct str name, unsigned depth, struct err *reterr)
{
	struct error_reader *r = self;

	(void)reterr;
	if (depth == 1)
		r->root = str_dup(r->arena, name);
	return ERR_OK;
}

static enum err_code error_end(
	void *self, struct str name, struct str text, unsigned depth, struct err *reterr)
{
	struct error_reader *r = self;
	struct str trimmed = str_trim(text);
	struct str *into = NULL;

	(void)depth;
	(void)reterr;
	if (str_eq_c(name, "Code"))
		into = &r->f->code;
	else if (str_eq_nocase(name, STR("Message")))
		into = &r->f->message;
	else if (str_eq_nocase(name, STR("RequestId")))
		into = &r->f->request_id;
	if (into && into->n == 0) /* the first of several: EC2's form is a list */
		*into = str_utf8_clean(r->arena, str_dup(r->arena, trimmed));
	return ERR_OK;
}

void aws_query_read_error(struct arena *a, struct str body, struct aws_failure *f)
{
	struct error_reader r = {.arena = a, .f = f, .root = STR_EMPTY};
	struct xml_handler handler = {.start = error_start, .end = error_end, .self = &r};
	struct xml_reader *xml = xml_reader_new(&handler, ERROR_BODY_MAX, ERROR_BODY_MAX);
	struct err ignored; /* a broken document leaves what was read before it broke */

	(void)!xml_reader_feed(xml, str_sub(body, 0, ERROR_BODY_MAX), /* is_last= */ true, &ignored);
	xml_reader_free(xml);
	if (f->code.n == 0 && (str_ends(r.root, STR("Exception")) || str_ends(r.root, STR("Fault"))))
		f->code = r.root;
}
