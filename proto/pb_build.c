#include "proto/pb_build.h"

#include <string.h>

#include "proto/pb_check.h"

#define TYPE_URL_PREFIX "type.googleapis.com/"
#define FIRST_CAPACITY  4

void *pb_new(struct arena *arena, const ProtobufCMessageDescriptor *desc)
{
	void *msg = arena_zalloc(arena, desc->sizeof_message);

	desc->message_init(msg);
	return msg;
}

/* The capacity is not stored, it follows from n: FIRST_CAPACITY, then doubled at each power of two. */
void *pb_grow(struct arena *arena, void *items, size_t n, size_t item_size)
{
	bool full = n == 0 || (n >= FIRST_CAPACITY && (n & (n - 1)) == 0);
	void *larger;

	if (!full)
		return items;
	larger = arena_array(arena, n == 0 ? FIRST_CAPACITY : 2 * n, item_size);
	if (n > 0)
		memcpy(larger, items, n * item_size);
	return larger;
}

/* A NUL byte is valid UTF-8 but ends a C string, and thereby what goes out. */
static struct str replace_nul(struct arena *arena, struct str s)
{
	static const char replacement[] = "\xef\xbf\xbd";
	size_t nuls = 0;
	char *out, *p;

	for (size_t i = 0; i < s.n; i++)
		nuls += s.p[i] == '\0';
	if (nuls == 0)
		return s;
	out = p = arena_alloc(arena, s.n + nuls * (sizeof(replacement) - 2));
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '\0') {
			*p++ = s.p[i];
			continue;
		}
		memcpy(p, replacement, sizeof(replacement) - 1);
		p += sizeof(replacement) - 1;
	}
	return str_n(out, (size_t)(p - out));
}

char *pb_str(struct arena *arena, struct str s)
{
	return str_dup_c(arena, replace_nul(arena, str_utf8_clean(arena, s)));
}

char *pb_str_max(struct arena *arena, struct str s, size_t max_bytes)
{
	struct str clean = replace_nul(arena, str_utf8_clean(arena, s));

	return str_dup_c(arena, str_utf8_cut(clean, max_bytes));
}

struct str pb_type_name(struct str type_url)
{
	return str_from(type_url, (size_t)(str_rfind_char(type_url, '/') + 1));
}

Google__Protobuf__Any *pb_any(struct arena *arena, const ProtobufCMessage *msg)
{
	Google__Protobuf__Any *any = pb_new(arena, &google__protobuf__any__descriptor);
	struct str bytes = pb_pack(arena, msg);

	any->type_url = str_dup_c(arena, str_fmt(arena, TYPE_URL_PREFIX "%s", msg->descriptor->name));
	any->value.data = (uint8_t *)(uintptr_t)bytes.p;
	any->value.len = bytes.n;
	return any;
}

Google__Protobuf__Any *pb_any_empty(struct arena *arena, const ProtobufCMessageDescriptor *desc)
{
	return pb_any(arena, pb_new(arena, desc));
}

const Google__Protobuf__Any *pb_find_annotation(
	Google__Protobuf__Any *const *list, size_t n, const ProtobufCMessageDescriptor *desc)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq_c(pb_type_name(str_c(list[i]->type_url)), desc->name))
			return list[i];
	return NULL;
}

enum err_code pb_get_annotation(struct arena *arena, Google__Protobuf__Any *const *list, size_t n,
	const ProtobufCMessageDescriptor *desc, ProtobufCMessage **ret_msg, struct err *reterr)
{
	const Google__Protobuf__Any *any = pb_find_annotation(list, n, desc);
	enum err_code code;

	if (any == NULL) {
		*ret_msg = NULL;
		return ERR_OK;
	}
	code = pb_unpack(arena, desc, str_n((const char *)any->value.data, any->value.len), PB_MAX_BYTES,
		ret_msg, reterr);
	if (code != ERR_OK)
		return err_prefix(reterr, "annotation %s", desc->name);
	return ERR_OK;
}

Google__Protobuf__Timestamp *pb_timestamp(struct arena *arena, int64_t unix_s)
{
	Google__Protobuf__Timestamp *t = pb_new(arena, &google__protobuf__timestamp__descriptor);

	t->seconds = unix_s;
	return t;
}

Google__Protobuf__Struct *pb_struct(struct arena *arena)
{
	return pb_new(arena, &google__protobuf__struct__descriptor);
}

static Google__Protobuf__Value *value_new(struct arena *arena, Google__Protobuf__Value__KindCase kind)
{
	Google__Protobuf__Value *v = pb_new(arena, &google__protobuf__value__descriptor);

	v->kind_case = kind;
	return v;
}

static Google__Protobuf__Value *str_value(struct arena *arena, struct str s)
{
	Google__Protobuf__Value *v = value_new(arena, GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE);

	v->string_value = pb_str(arena, s);
	return v;
}

static Google__Protobuf__Value *struct_value(struct arena *arena, Google__Protobuf__Struct *s)
{
	Google__Protobuf__Value *v = value_new(arena, GOOGLE__PROTOBUF__VALUE__KIND_STRUCT_VALUE);

	v->struct_value = s;
	return v;
}

static void set(
	struct arena *arena, Google__Protobuf__Struct *s, struct str key, Google__Protobuf__Value *value)
{
	Google__Protobuf__Struct__FieldsEntry *entry;
	const char *name = pb_str(arena, key);

	for (size_t i = 0; i < s->n_fields; i++) {
		if (strcmp(s->fields[i]->key, name) == 0) {
			s->fields[i]->value = value;
			return;
		}
	}
	entry = pb_new(arena, &google__protobuf__struct__fields_entry__descriptor);
	entry->key = (char *)(uintptr_t)name;
	entry->value = value;
	PB_ADD(arena, s, fields, entry);
}

void pb_struct_str(struct arena *arena, Google__Protobuf__Struct *s, struct str key, struct str value)
{
	set(arena, s, key, str_value(arena, value));
}

void pb_struct_num(struct arena *arena, Google__Protobuf__Struct *s, struct str key, double value)
{
	Google__Protobuf__Value *v = value_new(arena, GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE);

	v->number_value = value;
	set(arena, s, key, v);
}

void pb_struct_bool(struct arena *arena, Google__Protobuf__Struct *s, struct str key, bool value)
{
	Google__Protobuf__Value *v = value_new(arena, GOOGLE__PROTOBUF__VALUE__KIND_BOOL_VALUE);

	v->bool_value = value;
	set(arena, s, key, v);
}

void pb_struct_struct(
	struct arena *arena, Google__Protobuf__Struct *s, struct str key, Google__Protobuf__Struct *value)
{
	set(arena, s, key, struct_value(arena, value));
}

void pb_struct_list(
	struct arena *arena, Google__Protobuf__Struct *s, struct str key, Google__Protobuf__ListValue *value)
{
	Google__Protobuf__Value *v = value_new(arena, GOOGLE__PROTOBUF__VALUE__KIND_LIST_VALUE);

	v->list_value = value;
	set(arena, s, key, v);
}

Google__Protobuf__ListValue *pb_list(struct arena *arena)
{
	return pb_new(arena, &google__protobuf__list_value__descriptor);
}

void pb_list_str(struct arena *arena, Google__Protobuf__ListValue *list, struct str value)
{
	PB_ADD(arena, list, values, str_value(arena, value));
}

void pb_list_struct(struct arena *arena, Google__Protobuf__ListValue *list, Google__Protobuf__Struct *value)
{
	PB_ADD(arena, list, values, struct_value(arena, value));
}

const Google__Protobuf__Value *pb_struct_get(const Google__Protobuf__Struct *s, struct str key)
{
	for (size_t i = s->n_fields; i-- > 0;)
		if (str_eq_c(key, s->fields[i]->key))
			return s->fields[i]->value;
	return NULL;
}
