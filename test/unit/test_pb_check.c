/* layers: proto base */
#include "proto/pb_check.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "proto/messages.h"
#include "proto/pb_build.h"
#include "proto/wire.h"
#include "support/cunit_main.h"

static struct arena *arena;

static int setup(void)
{
	arena = arena_new(0);
	return 0;
}

static int teardown(void)
{
	arena_free(arena);
	return 0;
}

#define B(literal) STR_INIT(literal)

static const struct {
	const char *what;
	struct str bytes; /* of a c1.connector.v2.Resource */
	enum err_code code;
	const char *msg;
} bad[] = {
	{"tag cut off", B("\x80"), ERR_PROTOCOL, "c1.connector.v2.Resource: malformed"},
	{"length cut off", B("\x1a\x80"), ERR_PROTOCOL, "c1.connector.v2.Resource: malformed"},
	{"content cut off", B("\x1a\x05hell"), ERR_PROTOCOL, "c1.connector.v2.Resource: malformed"},
	{"length of 2^64 - 1", B("\x1a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), ERR_PROTOCOL,
		"c1.connector.v2.Resource: malformed"},
	{"varint of 11 bytes", B("\x30\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), ERR_PROTOCOL,
		"c1.connector.v2.Resource: malformed"},
	{"varint over 64 bits", B("\x30\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), ERR_PROTOCOL,
		"c1.connector.v2.Resource: malformed"},
	{"field number 0", B("\x02\x00"), ERR_PROTOCOL, "c1.connector.v2.Resource: malformed"},
	{"field number 2^29", B("\x80\x80\x80\x80\x10\x00"), ERR_PROTOCOL,
		"c1.connector.v2.Resource: malformed"},
	{"wire type 6", B("\x1e\x00"), ERR_PROTOCOL, "c1.connector.v2.Resource: malformed"},
	{"unknown group", B("\xa3\x06\xa4\x06"), ERR_PROTOCOL, "c1.connector.v2.Resource: malformed"},
	{"end of no group", B("\xa4\x06"), ERR_PROTOCOL, "c1.connector.v2.Resource: malformed"},
	{"fixed64 cut off", B("\xa1\x06\x01\x02\x03"), ERR_PROTOCOL, "c1.connector.v2.Resource: malformed"},
	{"string as a varint", B("\x18\x01"), ERR_PROTOCOL, "display_name: wrong wire type"},
	{"bool as bytes", B("\x32\x01\x01"), ERR_PROTOCOL, "baton_resource: wrong wire type"},
	{"message as a fixed32", B("\x0d\x01\x02\x03\x04"), ERR_PROTOCOL, "id: wrong wire type"},
	{"not UTF-8",
		B("\x1a\x03"
		  "a\xff"
		  "b"),
		ERR_PROTOCOL, "display_name: not UTF-8"},
	{"a surrogate", B("\x1a\x03\xed\xa0\x80"), ERR_PROTOCOL, "display_name: not UTF-8"},
	{"overlong", B("\x1a\x02\xc0\x80"), ERR_PROTOCOL, "display_name: not UTF-8"},
	{"NUL",
		B("\x1a\x03"
		  "a\0b"),
		ERR_PROTOCOL, "display_name: a NUL byte inside a string"},
	{"two levels down",
		B("\x0a\x05\x12\x03"
		  "a\xff"
		  "b"),
		ERR_PROTOCOL, "id.resource: not UTF-8"},
	{"after a sub-message", B("\x0a\x00\x12\x00\x1a\x01\xff"), ERR_PROTOCOL, "display_name: not UTF-8"},
	{"sub-message longer than its parent",
		B("\x5a\x04\x12\x06"
		  "abcdef"),
		ERR_PROTOCOL, "status: malformed"},
	{"map key", B("\x4a\x05\x0a\x03\x0a\x01\xff"), ERR_PROTOCOL, "profile.fields.key: not UTF-8"},
};

static void test_refuses(void)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ProtobufCMessage *untouched = NULL;
		struct err err;

		ASSERT_I64(pb_check(V2_DESC(resource), bad[i].bytes, PB_MAX_BYTES, &err), bad[i].code,
			bad[i].what);
		ASSERT_STR(str_c(err.msg), str_c(bad[i].msg), bad[i].what);
		ASSERT_I64(pb_unpack(arena, V2_DESC(resource), bad[i].bytes, PB_MAX_BYTES, &untouched, &err),
			bad[i].code, bad[i].what);
		CU_ASSERT_PTR_NULL(untouched);
	}
}

static const struct {
	const char *what;
	struct str bytes; /* of a c1.connector.v2.Resource */
} good[] = {
	{"empty", B("")},
	{"empty sub-messages", B("\x0a\x00\x12\x00\x5a\x00")},
	{"unknown fields of every wire type", B("\xa0\x06\x01\xa1\x06"
						"12345678"
						"\xa2\x06\x02\xff\x00\xa5\x06"
						"1234"
						"\x1a\x01"
						"a")},
	{"an Any is not looked into", B("\x22\x0a\x0a\x03"
					"x/y"
					"\x12\x03\xff\xff\xff")},
	{"unknown enum value", B("\x40\xff\xff\xff\xff\x07")},
	{"a field twice", B("\x1a\x01"
			    "a"
			    "\x1a\x01"
			    "b"
			    "\x0a\x03\x0a\x01"
			    "c"
			    "\x0a\x03\x12\x01"
			    "d")},
	{"U+10FFFF", B("\x1a\x04\xf4\x8f\xbf\xbf")},
	{"a map entry without its value", B("\x4a\x05\x0a\x03\x0a\x01"
					    "k")},
};

static void test_accepts(void)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		ProtobufCMessage *msg = NULL;
		struct err err;

		ASSERT_I64(pb_unpack(arena, V2_DESC(resource), good[i].bytes, PB_MAX_BYTES, &msg, &err),
			ERR_OK, good[i].what);
		CU_ASSERT_PTR_NOT_NULL(msg);
	}
}

static void test_round_trip(void)
{
	V2(Resource) *out = pb_new(arena, V2_DESC(resource)), *in;
	ProtobufCMessage *msg;
	struct err err;

	out->id = pb_new(arena, V2_DESC(resource_id));
	out->id->resource_type = pb_str(arena, STR("iam_user"));
	out->id->resource = pb_str(arena, STR("arn:aws:iam::1:user/\xc3\xa9"));
	out->profile = pb_struct(arena);
	pb_struct_num(arena, out->profile, STR("n"), 2.5);
	CU_ASSERT_EQUAL_FATAL(
		pb_unpack(arena, V2_DESC(resource), pb_pack(arena, &out->base), PB_MAX_BYTES, &msg, &err),
		ERR_OK);
	in = (V2(Resource) *)msg;
	ASSERT_STR(str_c(in->id->resource), STR("arn:aws:iam::1:user/\xc3\xa9"), "id");
	CU_ASSERT_EQUAL(in->profile->fields[0]->value->number_value, 2.5);
	CU_ASSERT_STRING_EQUAL(in->display_name, "");
	CU_ASSERT_PTR_NULL(in->status);
}

static void test_size(void)
{
	static const struct str bytes = B("\x1a\x03"
					  "abc");
	struct err err;

	CU_ASSERT_EQUAL(pb_check(V2_DESC(resource), bytes, 5, &err), ERR_OK);
	CU_ASSERT_EQUAL(pb_check(V2_DESC(resource), bytes, 4, &err), ERR_TOO_LARGE);
	ASSERT_STR(str_c(err.msg), STR("c1.connector.v2.Resource: 5 bytes, the limit is 4"), "size");
}

static size_t put_varint(uint8_t *p, size_t v)
{
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		p[n++] = (uint8_t)(v | 0x80);
	p[n++] = (uint8_t)v;
	return n;
}

/* `levels` google.protobuf.Value in one another, each a list of one (two messages per level), written from
 * the inside out. */
static struct str nested_lists(size_t levels)
{
	size_t size = levels * 16, at = size;
	uint8_t *p = arena_alloc(arena, size + 1);

	for (size_t i = 0; i < 2 * levels; i++) {
		uint8_t head[12];
		size_t n = put_varint(head + 1, size - at) + 1;

		head[0] = i % 2 == 0 ? 0x0a /* ListValue.values */ : 0x32 /* Value.list_value */;
		at -= n;
		memcpy(p + at, head, n);
	}
	return str_n((const char *)p + at, size - at);
}

static void test_depth(void)
{
	const ProtobufCMessageDescriptor *desc = &google__protobuf__value__descriptor;
	ProtobufCMessage *msg;
	struct err err;

	CU_ASSERT_EQUAL(pb_unpack(arena, desc, nested_lists(50), PB_MAX_BYTES, &msg, &err), ERR_OK);
	CU_ASSERT_EQUAL(pb_unpack(arena, desc, nested_lists(51), PB_MAX_BYTES, &msg, &err), ERR_TOO_LARGE);
	CU_ASSERT_EQUAL(pb_unpack(arena, desc, nested_lists(4000), PB_MAX_BYTES, &msg, &err), ERR_TOO_LARGE);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "list_value.values.list_value"));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, ": messages are nested too deep"));
	CU_ASSERT_EQUAL(
		pb_unpack(arena, desc, nested_lists(200000), PB_MAX_BYTES, &msg, &err), ERR_TOO_LARGE);
}

/* n times the same two bytes. */
static struct str repeated(const char *two, size_t n)
{
	char *p = arena_alloc(arena, 2 * n);

	for (size_t i = 0; i < n; i++)
		memcpy(p + 2 * i, two, 2);
	return str_n(p, 2 * n);
}

static void test_many_fields(void)
{
	const ProtobufCMessageDescriptor *desc = V2_DESC(tickets_service_bulk_get_tickets_request);
	struct err err;

	CU_ASSERT_EQUAL(pb_check(desc, repeated("\x0a\x00", PB_MAX_FIELDS), PB_MAX_BYTES, &err), ERR_OK);
	CU_ASSERT_EQUAL(
		pb_check(desc, repeated("\x0a\x00", PB_MAX_FIELDS + 1), PB_MAX_BYTES, &err), ERR_TOO_LARGE);
	ASSERT_STR(str_c(err.msg),
		STR("c1.connector.v2.TicketsServiceBulkGetTicketsRequest: too many fields"), "fields");
}

/* 2 MB of empty sub-messages want 100 MB of structs: the arena's cap ends it. */
static void test_arena_cap(void)
{
	struct str bytes = repeated("\x0a\x00", PB_MAX_FIELDS);
	struct arena *small = arena_new(8u << 20);
	ProtobufCMessage *msg = NULL;
	struct err err;

	CU_ASSERT_EQUAL(pb_unpack(small, V2_DESC(tickets_service_bulk_get_tickets_request), bytes,
				PB_MAX_BYTES, &msg, &err),
		ERR_TOO_LARGE);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "larger than a call may use"));
	CU_ASSERT_PTR_NULL(msg);
	CU_ASSERT(arena_used(small) <= 8u << 20);
	arena_free(small);
}

static void test_packed(void)
{
	const ProtobufCMessageDescriptor *desc = V2_DESC(resource_type);
	ProtobufCMessage *msg = NULL;
	struct err err;
	uint8_t *p = arena_zalloc(arena, 3u << 20);
	size_t n;

	CU_ASSERT_EQUAL(
		pb_unpack(arena, desc, STR("\x1a\x02\x01\x02\x18\x03"), PB_MAX_BYTES, &msg, &err), ERR_OK);
	CU_ASSERT_EQUAL_FATAL(((V2(ResourceType) *)msg)->n_traits, 3);
	CU_ASSERT_EQUAL(((V2(ResourceType) *)msg)->traits[2], 3);
	CU_ASSERT_EQUAL(pb_check(desc, STR("\x1a\x02\x01\x80"), PB_MAX_BYTES, &err), ERR_PROTOCOL);
	ASSERT_STR(str_c(err.msg), STR("traits: malformed packed list"), "packed");

	p[0] = 0x1a;
	n = 1 + put_varint(p + 1, 2u << 20);
	CU_ASSERT_EQUAL(pb_check(desc, str_n((char *)p, n + (2u << 20)), PB_MAX_BYTES, &err), ERR_TOO_LARGE);
	ASSERT_STR(str_c(err.msg), STR("traits: too many elements"), "packed");
}

static void test_map_entry_without_value(void)
{
	ProtobufCMessage *msg = NULL;
	const Google__Protobuf__Struct *s;
	struct err err;

	CU_ASSERT_EQUAL_FATAL(pb_unpack(arena, &google__protobuf__struct__descriptor,
				      STR("\x0a\x03\x0a\x01k"), PB_MAX_BYTES, &msg, &err),
		ERR_OK);
	s = (const Google__Protobuf__Struct *)msg;
	CU_ASSERT_EQUAL_FATAL(s->n_fields, 1);
	CU_ASSERT_PTR_NULL(s->fields[0]->value);
	CU_ASSERT_PTR_NULL(pb_struct_get(s, STR("k")));
}

static void test_wire(void)
{
	struct wire w = wire_of(STR("\x08\x96\x01\x12\x02hi\x1d\x01\x02\x03\x04"));
	struct wire_field f;

	CU_ASSERT(wire_next(&w, &f));
	CU_ASSERT_EQUAL(f.number, 1);
	CU_ASSERT_EQUAL(f.type, WIRE_VARINT);
	ASSERT_STR(f.bytes, STR("\x96\x01"), "varint");
	CU_ASSERT(wire_next(&w, &f));
	CU_ASSERT_EQUAL(f.number, 2);
	ASSERT_STR(f.bytes, STR("hi"), "bytes");
	CU_ASSERT(wire_next(&w, &f));
	CU_ASSERT_EQUAL(f.type, WIRE_FIXED32);
	CU_ASSERT_PTR_EQUAL(w.p, w.end);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"refuses", test_refuses},
		{"accepts", test_accepts},
		{"round trip", test_round_trip},
		{"size", test_size},
		{"depth", test_depth},
		{"many fields", test_many_fields},
		{"arena cap", test_arena_cap},
		{"packed", test_packed},
		{"map entry without value", test_map_entry_without_value},
		{"wire", test_wire},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"pb_check", setup, teardown, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
