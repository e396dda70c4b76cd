/* DESIGN
 *
 * One pass over the bytes with an explicit stack: a frame per open message, holding its descriptor and where
 * it ends. A sub-message is entered in place, so the depth of the input costs frames of a fixed array, never
 * C stack. What is not in the descriptor is skipped as protobuf demands. Rejected: checking while unpacking
 * (protobuf-c offers no hook before it recurses) and parsing twice into a tree of our own. */
#include "proto/pb_check.h"

#include <string.h>

#include "proto/wire.h"

struct frame {
	const ProtobufCMessageDescriptor *desc;
	const ProtobufCFieldDescriptor *via; /* the field that led here; NULL at the bottom */
	const uint8_t *end;
};

struct check {
	struct wire w;
	struct frame frames[PB_MAX_DEPTH + 1];
	size_t depth;  /* index of the open frame */
	size_t fields; /* seen so far, elements of packed lists included */
};

#define PATH_MAX_BYTES 256

/* "a.b.c: <what>", without "a.b.c" for a field that has no name. A path too long to print keeps its
 * beginning. */
static enum err_code refuse(const struct check *c, const ProtobufCFieldDescriptor *field, enum err_code code,
	const char *what, struct err *reterr)
{
	char path[PATH_MAX_BYTES] = "";
	size_t n = 0;

	for (size_t i = 1; i <= c->depth + 1; i++) {
		const ProtobufCFieldDescriptor *f = i <= c->depth ? c->frames[i].via : field;
		size_t len = f != NULL ? strlen(f->name) : 0;

		if (len == 0 || n + len + 2 > sizeof(path))
			break;
		if (n > 0)
			path[n++] = '.';
		memcpy(path + n, f->name, len + 1);
		n += len;
	}
	if (n == 0)
		return err_set(reterr, code, "%s: %s", c->frames[0].desc->name, what);
	return err_set(reterr, code, "%s: %s", path, what);
}

static enum wire_type wire_type_of(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		return WIRE_FIXED32;
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return WIRE_FIXED64;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return WIRE_LEN;
	default:
		return WIRE_VARINT;
	}
}

/* Elements of a packed list: how many, or false when the bytes do not divide into them. */
static bool count_packed(enum wire_type type, struct str bytes, size_t *ret_n)
{
	struct wire w = wire_of(bytes);
	size_t width = type == WIRE_FIXED64 ? 8 : 4;
	uint64_t ignored;

	if (type != WIRE_VARINT) {
		*ret_n = bytes.n / width;
		return bytes.n % width == 0;
	}
	*ret_n = 0;
	while (w.p < w.end) {
		if (!wire_varint(&w, &ignored))
			return false;
		(*ret_n)++;
	}
	return true;
}

static enum err_code check_known(struct check *c, const ProtobufCFieldDescriptor *f,
	const struct wire_field *field, struct err *reterr)
{
	enum wire_type want = wire_type_of(f->type);
	size_t n;

	if (field->type != want) {
		bool packed = f->label == PROTOBUF_C_LABEL_REPEATED && field->type == WIRE_LEN;

		if (!packed)
			return refuse(c, f, ERR_PROTOCOL, "wrong wire type", reterr);
		if (!count_packed(want, field->bytes, &n))
			return refuse(c, f, ERR_PROTOCOL, "malformed packed list", reterr);
		c->fields += n;
		return ERR_OK;
	}
	if (f->type == PROTOBUF_C_TYPE_STRING) {
		if (!str_is_utf8(field->bytes))
			return refuse(c, f, ERR_PROTOCOL, "not UTF-8", reterr);
		if (str_find_char(field->bytes, '\0') >= 0)
			return refuse(c, f, ERR_PROTOCOL, "a NUL byte inside a string", reterr);
	}
	if (f->type == PROTOBUF_C_TYPE_MESSAGE) {
		if (c->depth == PB_MAX_DEPTH)
			return refuse(c, f, ERR_TOO_LARGE, "messages are nested too deep", reterr);
		c->w.p = (const uint8_t *)field->bytes.p; /* step back into it */
		c->w.end = c->w.p + field->bytes.n;
		c->frames[++c->depth] = (struct frame){.desc = f->descriptor, .via = f, .end = c->w.end};
	}
	return ERR_OK;
}

enum err_code pb_check(
	const ProtobufCMessageDescriptor *desc, struct str bytes, size_t max_bytes, struct err *reterr)
{
	struct check c;
	struct wire_field field;

	c.w = wire_of(bytes);
	c.depth = 0;
	c.fields = 0;
	c.frames[0] = (struct frame){.desc = desc, .via = NULL, .end = c.w.end};
	if (bytes.n > max_bytes)
		return err_set(reterr, ERR_TOO_LARGE, "%s: %zu bytes, the limit is %zu", desc->name, bytes.n,
			max_bytes);

	for (;;) {
		const ProtobufCFieldDescriptor *f;
		enum err_code code;

		while (c.w.p == c.frames[c.depth].end && c.depth > 0)
			c.w.end = c.frames[--c.depth].end;
		if (c.w.p == c.w.end)
			return ERR_OK;
		if (!wire_next(&c.w, &field))
			return refuse(&c, NULL, ERR_PROTOCOL, "malformed", reterr);
		if (++c.fields > PB_MAX_FIELDS)
			return refuse(&c, NULL, ERR_TOO_LARGE, "too many fields", reterr);
		f = protobuf_c_message_descriptor_get_field(c.frames[c.depth].desc, field.number);
		if (f == NULL)
			continue;
		code = check_known(&c, f, &field, reterr);
		if (code != ERR_OK)
			return code;
		if (c.fields > PB_MAX_FIELDS)
			return refuse(&c, f, ERR_TOO_LARGE, "too many elements", reterr);
	}
}

struct capped {
	struct arena *arena;
	bool exhausted;
};

static void *capped_alloc(void *data, size_t size)
{
	struct capped *capped = data;
	void *p = arena_try_alloc(capped->arena, size);

	if (p == NULL)
		capped->exhausted = true;
	return p;
}

static void capped_free(void *data, void *p)
{
	(void)data;
	(void)p; /* the arena takes it all back at once */
}

enum err_code pb_unpack(struct arena *arena, const ProtobufCMessageDescriptor *desc, struct str bytes,
	size_t max_bytes, ProtobufCMessage **ret_msg, struct err *reterr)
{
	struct capped capped = {.arena = arena};
	ProtobufCAllocator allocator = {
		.alloc = capped_alloc, .free = capped_free, .allocator_data = &capped};
	ProtobufCMessage *msg;
	enum err_code code = pb_check(desc, bytes, max_bytes, reterr);

	if (code != ERR_OK)
		return code;
	msg = protobuf_c_message_unpack(
		desc, &allocator, bytes.n, (const uint8_t *)(bytes.n > 0 ? bytes.p : ""));
	if (msg == NULL && capped.exhausted)
		return err_set(
			reterr, ERR_TOO_LARGE, "%s: unpacked it is larger than a call may use", desc->name);
	if (msg == NULL)
		return err_set(reterr, ERR_PROTOCOL, "%s: malformed", desc->name);
	*ret_msg = msg;
	return ERR_OK;
}

struct str pb_pack(struct arena *arena, const ProtobufCMessage *msg)
{
	size_t n = protobuf_c_message_get_packed_size(msg);
	uint8_t *p = arena_alloc(arena, n);

	protobuf_c_message_pack(msg, p);
	return str_n((const char *)p, n);
}
