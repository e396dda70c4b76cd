#include "proto/pb_field.h"

#include <stdint.h>
#include <string.h>

static const char *at(const ProtobufCMessage *msg, unsigned offset)
{
	return (const char *)msg + offset;
}

bool pb_field_in_oneof(const ProtobufCFieldDescriptor *f)
{
	return (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
}

bool pb_field_repeated(const ProtobufCFieldDescriptor *f)
{
	return f->label == PROTOBUF_C_LABEL_REPEATED;
}

/* protoc names the entries of `map<..> resource_types` ResourceTypesEntry. The name is all that tells them
 * from a message somebody wrote with a key and a value, such as RateLimitDescriptors.Entry. */
static bool is_entry_name_of(const char *name, const char *field)
{
	bool upper = true;

	for (; *field != '\0'; field++) {
		char c = upper && *field >= 'a' && *field <= 'z' ? (char)(*field - 'a' + 'A') : *field;

		upper = *field == '_';
		if (!upper && *name++ != c)
			return false;
	}
	return strcmp(name, "Entry") == 0;
}

bool pb_field_is_map(const ProtobufCFieldDescriptor *f)
{
	const ProtobufCMessageDescriptor *entry = f->descriptor;

	return f->type == PROTOBUF_C_TYPE_MESSAGE && pb_field_repeated(f) &&
	       is_entry_name_of(entry->short_name, f->name) && entry->n_fields == 2 &&
	       strcmp(entry->fields[0].name, "key") == 0 && strcmp(entry->fields[1].name, "value") == 0;
}

static size_t width(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_ENUM:
		return sizeof(uint32_t);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return sizeof(uint64_t);
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_STRING:
		return sizeof(char *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(ProtobufCMessage *);
	}
	return 0;
}

size_t pb_field_count(const ProtobufCMessage *msg, const ProtobufCFieldDescriptor *f)
{
	size_t n = 1;

	if (pb_field_repeated(f))
		memcpy(&n, at(msg, f->quantifier_offset), sizeof(n));
	return n;
}

const void *pb_field_at(const ProtobufCMessage *msg, const ProtobufCFieldDescriptor *f, size_t i)
{
	const char *items;

	if (!pb_field_repeated(f))
		return at(msg, f->offset);
	memcpy(&items, at(msg, f->offset), sizeof(items));
	return items + i * width(f->type);
}

const ProtobufCMessage *pb_field_message(
	const ProtobufCMessage *msg, const ProtobufCFieldDescriptor *f, size_t i)
{
	const ProtobufCMessage *sub;

	memcpy(&sub, pb_field_at(msg, f, i), sizeof(sub));
	return sub;
}

static bool is_zero(const void *value, size_t n)
{
	static const char zeros[sizeof(uint64_t)];

	return memcmp(value, zeros, n) == 0;
}

bool pb_field_present(const ProtobufCMessage *msg, const ProtobufCFieldDescriptor *f)
{
	const void *value = at(msg, f->offset);
	const char *text;

	if (pb_field_repeated(f))
		return pb_field_count(msg, f) > 0;
	if (pb_field_in_oneof(f)) {
		uint32_t chosen;

		memcpy(&chosen, at(msg, f->quantifier_offset), sizeof(chosen));
		return chosen == f->id;
	}
	if (f->type == PROTOBUF_C_TYPE_MESSAGE)
		return pb_field_message(msg, f, 0) != NULL;
	if (f->type == PROTOBUF_C_TYPE_STRING) {
		memcpy(&text, value, sizeof(text));
		if (f->label == PROTOBUF_C_LABEL_NONE)
			return text != NULL && text[0] != '\0';
		return text != NULL && text != f->default_value;
	}
	if (f->label == PROTOBUF_C_LABEL_OPTIONAL) { /* proto2: a has_ member */
		protobuf_c_boolean has;

		memcpy(&has, at(msg, f->quantifier_offset), sizeof(has));
		return has != 0;
	}
	if (f->type == PROTOBUF_C_TYPE_BYTES)
		return ((const ProtobufCBinaryData *)value)->len > 0;
	return !is_zero(value, width(f->type));
}
