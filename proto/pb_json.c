#include "proto/pb_json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/encode.h"
#include "base/json.h"
#include "proto/messages.h"
#include "proto/pb_check.h"
#include "proto/pb_field.h"
#include "proto/registry.h"

struct printer {
	struct arena *arena;
	struct buf *out;
	bool indented;
	bool empty;   /* the container opened last has no member yet */
	size_t level; /* open containers */
	size_t depth; /* messages being printed, through Any and Struct */
};

static void new_line(struct printer *p)
{
	if (!p->indented)
		return;
	buf_char(p->out, '\n');
	for (size_t i = 0; i < p->level; i++)
		buf_c(p->out, "  ");
}

static void begin(struct printer *p, char bracket)
{
	buf_char(p->out, bracket);
	p->level++;
	p->empty = true;
}

static void next(struct printer *p)
{
	if (!p->empty)
		buf_char(p->out, ',');
	p->empty = false;
	new_line(p);
}

static void end(struct printer *p, char bracket)
{
	p->level--;
	if (!p->empty)
		new_line(p);
	buf_char(p->out, bracket);
	p->empty = false;
}

static void name(struct printer *p, struct str s)
{
	next(p);
	json_write_str(p->out, s);
	buf_c(p->out, p->indented ? ": " : ":");
}

/* resource_type_id -> resourceTypeId */
static void field_name(struct printer *p, const char *proto_name)
{
	char camel[128];
	size_t n = 0;

	for (const char *c = proto_name; *c != '\0' && n < sizeof(camel); c++) {
		bool after_underscore = c > proto_name && c[-1] == '_';

		if (*c == '_')
			continue;
		camel[n++] = after_underscore && *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
	}
	name(p, str_n(camel, n));
}

/* The shortest decimal, from what the type surely holds upwards, that reads back as the same number. */
static void number(struct printer *p, double v, bool is_float)
{
	char text[40];
	int digits = is_float ? 6 : 15, max_digits = is_float ? 9 : 17;

	if (isnan(v)) {
		buf_c(p->out, "\"NaN\"");
		return;
	}
	if (isinf(v)) {
		buf_c(p->out, v > 0 ? "\"Infinity\"" : "\"-Infinity\"");
		return;
	}
	for (; digits <= max_digits; digits++) {
		double back;

		snprintf(text, sizeof(text), "%.*g", digits, v);
		back = strtod(text, NULL);
		if (is_float ? (float)back == (float)v : back == v)
			break;
	}
	buf_c(p->out, text);
}

static enum err_code message(struct printer *p, const ProtobufCMessage *msg, struct err *reterr);
static enum err_code value_of(struct printer *p, const Google__Protobuf__Value *v, struct err *reterr);

static void enum_value(struct printer *p, const ProtobufCEnumDescriptor *desc, int32_t v)
{
	const ProtobufCEnumValue *named = protobuf_c_enum_descriptor_get_value(desc, v);

	if (strcmp(desc->name, "google.protobuf.NullValue") == 0)
		buf_c(p->out, "null");
	else if (named != NULL)
		json_write_str(p->out, str_c(named->name));
	else
		buf_fmt(p->out, "%" PRId32, v);
}

/* One element of a field, of whatever type. */
static enum err_code element(
	struct printer *p, const ProtobufCFieldDescriptor *f, const void *at, struct err *reterr)
{
	union {
		int32_t i32;
		uint32_t u32;
		int64_t i64;
		uint64_t u64;
		float f;
		double d;
		protobuf_c_boolean b;
		const char *s;
		ProtobufCBinaryData bytes;
		const ProtobufCMessage *msg;
	} v;

#define LOAD(member) memcpy(&v.member, at, sizeof(v.member))
	switch (f->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		LOAD(i32);
		buf_fmt(p->out, "%" PRId32, v.i32);
		return ERR_OK;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		LOAD(u32);
		buf_fmt(p->out, "%" PRIu32, v.u32);
		return ERR_OK;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		LOAD(i64);
		buf_fmt(p->out, "\"%" PRId64 "\"", v.i64);
		return ERR_OK;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		LOAD(u64);
		buf_fmt(p->out, "\"%" PRIu64 "\"", v.u64);
		return ERR_OK;
	case PROTOBUF_C_TYPE_FLOAT:
		LOAD(f);
		number(p, (double)v.f, /* is_float= */ true);
		return ERR_OK;
	case PROTOBUF_C_TYPE_DOUBLE:
		LOAD(d);
		number(p, v.d, /* is_float= */ false);
		return ERR_OK;
	case PROTOBUF_C_TYPE_BOOL:
		LOAD(b);
		buf_c(p->out, v.b ? "true" : "false");
		return ERR_OK;
	case PROTOBUF_C_TYPE_ENUM:
		LOAD(i32);
		enum_value(p, f->descriptor, v.i32);
		return ERR_OK;
	case PROTOBUF_C_TYPE_STRING:
		LOAD(s);
		json_write_str(p->out, str_c(v.s));
		return ERR_OK;
	case PROTOBUF_C_TYPE_BYTES:
		LOAD(bytes);
		buf_char(p->out, '"');
		buf_str(p->out, b64_encode(p->arena, str_n((const char *)v.bytes.data, v.bytes.len)));
		buf_char(p->out, '"');
		return ERR_OK;
	case PROTOBUF_C_TYPE_MESSAGE:
		LOAD(msg);
		if (v.msg != NULL)
			return message(p, v.msg, reterr);
		if (f->descriptor == &google__protobuf__value__descriptor)
			return value_of(p, NULL, reterr);
		buf_c(p->out, "{}"); /* a map entry that came without its value */
		return ERR_OK;
	}
#undef LOAD
	return ERR_OK;
}

struct entry {
	const ProtobufCMessage *msg;
	const char *key;
	size_t position;
};

static int compare_entries(const void *a, const void *b)
{
	const struct entry *ea = a, *eb = b;
	int order = strcmp(ea->key, eb->key);

	if (order != 0)
		return order;
	return ea->position < eb->position ? -1 : 1;
}

/* All maps of the contract have string keys. Of entries with the same key the last one counts. */
static enum err_code map(
	struct printer *p, const ProtobufCMessage *msg, const ProtobufCFieldDescriptor *f, struct err *reterr)
{
	size_t n = pb_field_count(msg, f);
	struct entry *entries = arena_array_of(p->arena, n, struct entry);

	for (size_t i = 0; i < n; i++) {
		entries[i].msg = pb_field_message(msg, f, i);
		entries[i].position = i;
		memcpy(&entries[i].key,
			pb_field_at(entries[i].msg, &entries[i].msg->descriptor->fields[0], 0),
			sizeof(entries[i].key));
	}
	qsort(entries, n, sizeof(entries[0]), compare_entries);
	begin(p, '{');
	for (size_t i = 0; i < n; i++) {
		const ProtobufCFieldDescriptor *value = &entries[i].msg->descriptor->fields[1];
		enum err_code code;

		if (i + 1 < n && strcmp(entries[i].key, entries[i + 1].key) == 0)
			continue;
		name(p, str_c(entries[i].key));
		code = element(p, value, pb_field_at(entries[i].msg, value, 0), reterr);
		if (code != ERR_OK)
			return code;
	}
	end(p, '}');
	return ERR_OK;
}

static enum err_code list(
	struct printer *p, const ProtobufCMessage *msg, const ProtobufCFieldDescriptor *f, struct err *reterr)
{
	begin(p, '[');
	for (size_t i = 0; i < pb_field_count(msg, f); i++) {
		enum err_code code;

		next(p);
		code = element(p, f, pb_field_at(msg, f, i), reterr);
		if (code != ERR_OK)
			return code;
	}
	end(p, ']');
	return ERR_OK;
}

static enum err_code field(
	struct printer *p, const ProtobufCMessage *msg, const ProtobufCFieldDescriptor *f, struct err *reterr)
{
	if (pb_field_is_map(f))
		return map(p, msg, f, reterr);
	if (pb_field_repeated(f))
		return list(p, msg, f, reterr);
	return element(p, f, pb_field_at(msg, f, 0), reterr);
}

/* The members of an ordinary message, inside braces that are already there. */
static enum err_code members(struct printer *p, const ProtobufCMessage *msg, struct err *reterr)
{
	for (unsigned i = 0; i < msg->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &msg->descriptor->fields[i];
		enum err_code code;

		if (!pb_field_present(msg, f))
			continue;
		field_name(p, f->name);
		code = field(p, msg, f, reterr);
		if (code != ERR_OK)
			return code;
	}
	return ERR_OK;
}

/* .5, .500, .000000500: none, three, six or nine digits. */
static void fraction(struct printer *p, int32_t nanos)
{
	if (nanos % 1000000 == 0 && nanos != 0)
		buf_fmt(p->out, ".%03" PRId32, nanos / 1000000);
	else if (nanos % 1000 == 0 && nanos != 0)
		buf_fmt(p->out, ".%06" PRId32, nanos / 1000);
	else if (nanos != 0)
		buf_fmt(p->out, ".%09" PRId32, nanos);
}

#define NANOS_PER_S     1000000000
#define TIMESTAMP_MIN_S (-62135596800) /* 0001-01-01T00:00:00Z */
#define TIMESTAMP_MAX_S 253402300799   /* 9999-12-31T23:59:59Z */
#define DURATION_MAX_S  315576000000   /* 10,000 years */

static enum err_code timestamp(struct printer *p, const ProtobufCMessage *msg, struct err *reterr)
{
	const Google__Protobuf__Timestamp *t = (const Google__Protobuf__Timestamp *)msg;
	char text[21];

	if (t->seconds < TIMESTAMP_MIN_S || t->seconds > TIMESTAMP_MAX_S || t->nanos < 0 ||
		t->nanos >= NANOS_PER_S)
		return err_set(reterr, ERR_PROTOCOL, "a google.protobuf.Timestamp is out of range");
	time_format_rfc3339(t->seconds, text);
	buf_fmt(p->out, "\"%.19s", text);
	fraction(p, t->nanos);
	buf_c(p->out, "Z\"");
	return ERR_OK;
}

static enum err_code duration(struct printer *p, const ProtobufCMessage *msg, struct err *reterr)
{
	const Google__Protobuf__Duration *d = (const Google__Protobuf__Duration *)msg;
	bool negative = d->seconds < 0 || d->nanos < 0;

	if (d->seconds < -DURATION_MAX_S || d->seconds > DURATION_MAX_S || d->nanos <= -NANOS_PER_S ||
		d->nanos >= NANOS_PER_S || (d->seconds > 0 && d->nanos < 0) ||
		(d->seconds < 0 && d->nanos > 0))
		return err_set(reterr, ERR_PROTOCOL, "a google.protobuf.Duration is out of range");
	buf_fmt(p->out, "\"%s%" PRId64, negative ? "-" : "", negative ? -d->seconds : d->seconds);
	fraction(p, negative ? -d->nanos : d->nanos);
	buf_c(p->out, "s\"");
	return ERR_OK;
}

static enum err_code value_of(struct printer *p, const Google__Protobuf__Value *v, struct err *reterr)
{
	for (unsigned i = 0; v != NULL && i < v->base.descriptor->n_fields; i++)
		if (pb_field_present(&v->base, &v->base.descriptor->fields[i]))
			return field(p, &v->base, &v->base.descriptor->fields[i], reterr);
	buf_c(p->out, "null");
	return ERR_OK;
}

static enum err_code value(struct printer *p, const ProtobufCMessage *msg, struct err *reterr)
{
	return value_of(p, (const Google__Protobuf__Value *)msg, reterr);
}

/* Struct, ListValue and the wrappers are what their one field is, present or not. */
static enum err_code only_field(struct printer *p, const ProtobufCMessage *msg, struct err *reterr)
{
	return field(p, msg, &msg->descriptor->fields[0], reterr);
}

static enum err_code any(struct printer *p, const ProtobufCMessage *msg, struct err *reterr);

/* Messages with a form of their own. */
static const struct special {
	const ProtobufCMessageDescriptor *desc;
	enum err_code (*print)(struct printer *p, const ProtobufCMessage *msg, struct err *reterr);
} specials[] = {
	{&google__protobuf__any__descriptor, any},
	{&google__protobuf__timestamp__descriptor, timestamp},
	{&google__protobuf__duration__descriptor, duration},
	{&google__protobuf__struct__descriptor, only_field},
	{&google__protobuf__list_value__descriptor, only_field},
	{&google__protobuf__value__descriptor, value},
	{&google__protobuf__double_value__descriptor, only_field},
	{&google__protobuf__float_value__descriptor, only_field},
	{&google__protobuf__int64_value__descriptor, only_field},
	{&google__protobuf__uint64_value__descriptor, only_field},
	{&google__protobuf__int32_value__descriptor, only_field},
	{&google__protobuf__uint32_value__descriptor, only_field},
	{&google__protobuf__bool_value__descriptor, only_field},
	{&google__protobuf__string_value__descriptor, only_field},
	{&google__protobuf__bytes_value__descriptor, only_field},
};

static const struct special *special_of(const ProtobufCMessageDescriptor *desc)
{
	for (size_t i = 0; i < ARRAY_LEN(specials); i++)
		if (specials[i].desc == desc)
			return &specials[i];
	return NULL;
}

static enum err_code any_members(struct printer *p, const Google__Protobuf__Any *a, struct err *reterr)
{
	struct str bytes = str_n((const char *)a->value.data, a->value.len);
	const ProtobufCMessageDescriptor *desc = pb_registry_find_url(str_c(a->type_url));
	ProtobufCMessage *inner;
	enum err_code code;

	name(p, STR("@type"));
	json_write_str(p->out, str_c(a->type_url));
	if (desc == NULL) {
		name(p, STR("value"));
		buf_char(p->out, '"');
		buf_str(p->out, b64_encode(p->arena, bytes));
		buf_char(p->out, '"');
		return ERR_OK;
	}
	code = pb_unpack(p->arena, desc, bytes, PB_MAX_BYTES, &inner, reterr);
	if (code != ERR_OK)
		return code;
	if (special_of(desc) == NULL)
		return members(p, inner, reterr);
	name(p, STR("value"));
	return message(p, inner, reterr);
}

static enum err_code any(struct printer *p, const ProtobufCMessage *msg, struct err *reterr)
{
	const Google__Protobuf__Any *a = (const Google__Protobuf__Any *)msg;
	enum err_code code = ERR_OK;

	begin(p, '{');
	if (a->type_url[0] != '\0')
		code = any_members(p, a, reterr);
	end(p, '}');
	return code;
}

static enum err_code message(struct printer *p, const ProtobufCMessage *msg, struct err *reterr)
{
	const struct special *special = special_of(msg->descriptor);
	enum err_code code;

	/* pb_unpack bounds the nesting of one message, but an Any begins a new one. */
	if (p->depth == PB_MAX_DEPTH)
		return err_set(reterr, ERR_TOO_LARGE, "messages are nested too deep to print");
	p->depth++;
	if (special != NULL) {
		code = special->print(p, msg, reterr);
	} else {
		begin(p, '{');
		code = members(p, msg, reterr);
		end(p, '}');
	}
	p->depth--;
	return code;
}

enum err_code pb_json(struct arena *arena, const ProtobufCMessage *msg, enum pb_json_style style,
	struct buf *out, struct err *reterr)
{
	struct printer p = {.arena = arena, .out = out, .indented = style == PB_JSON_INDENTED};
	enum err_code code = message(&p, msg, reterr);

	return code == ERR_OK ? buf_check(out, "the JSON text", reterr) : code;
}
