/* layers: proto base */
#include "proto/pb_build.h"

#include <string.h>

#include "base/arena.h"
#include "proto/messages.h"
#include "proto/pb_check.h"
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

#define FFFD "\xef\xbf\xbd"

static void test_str(void)
{
	static const struct {
		struct str in;
		const char *want;
	} table[] = {
		{STR_INIT(""), ""},
		{STR_INIT("plain"), "plain"},
		{STR_INIT("\xc3\xa9"), "\xc3\xa9"},
		{STR_INIT("a\0b"), "a" FFFD "b"},
		{STR_INIT("\0"), FFFD},
		{STR_INIT("a\xff"), "a" FFFD},
		{STR_INIT("\xff\0"), FFFD FFFD},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		ASSERT_STR(str_c(pb_str(arena, table[i].in)), str_c(table[i].want), table[i].want);
	ASSERT_STR(str_c(pb_str(arena, (struct str){NULL, 0})), STR_EMPTY, "no text at all");
}

static void test_str_max(void)
{
	ASSERT_STR(str_c(pb_str_max(arena, STR("hello"), 5)), STR("hello"), "fits");
	ASSERT_STR(str_c(pb_str_max(arena, STR("hello"), 4)), STR("hell"), "cut");
	ASSERT_STR(str_c(pb_str_max(arena, STR("h\xc3\xa9llo"), 2)), STR("h"), "not inside a character");
	ASSERT_STR(str_c(pb_str_max(arena, STR("\0\0"), 5)), STR(FFFD), "replacements count");
	ASSERT_STR(str_c(pb_str_max(arena, STR("hello"), 0)), STR_EMPTY, "nothing");
}

static void test_lists(void)
{
	V2(ResourceTypesServiceListResourceTypesResponse) *r =
		pb_new(arena, V2_DESC(resource_types_service_list_resource_types_response));
	V2(ResourceType) * types[100];

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		types[i] = pb_new(arena, V2_DESC(resource_type));
		PB_ADD(arena, r, list, types[i]);
		for (size_t j = 0; j < i; j++)
			PB_ADD(arena, types[i], traits, (V2(ResourceType__Trait))(j % 13));
	}
	CU_ASSERT_EQUAL_FATAL(r->n_list, ARRAY_LEN(types));
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		CU_ASSERT_PTR_EQUAL(r->list[i], types[i]);
		CU_ASSERT_EQUAL_FATAL(types[i]->n_traits, i);
		for (size_t j = 0; j < i; j++)
			CU_ASSERT_EQUAL(types[i]->traits[j], j % 13);
	}
}

static void test_any(void)
{
	V2(ChildResourceType) *child = pb_new(arena, V2_DESC(child_resource_type));
	V2(Resource) *r = pb_new(arena, V2_DESC(resource));
	const Google__Protobuf__Any *found;
	ProtobufCMessage *msg;
	struct err err;

	child->resource_type_id = pb_str(arena, STR("inline_policy"));
	PB_ADD(arena, r, annotations, pb_any_empty(arena, V2_DESC(skip_grants)));
	PB_ANNOTATE(arena, r, child);
	ASSERT_STR(str_c(r->annotations[0]->type_url), STR("type.googleapis.com/c1.connector.v2.SkipGrants"),
		"url");
	CU_ASSERT_EQUAL(r->annotations[0]->value.len, 0);

	found = pb_find_annotation(r->annotations, r->n_annotations, V2_DESC(child_resource_type));
	CU_ASSERT_PTR_EQUAL(found, r->annotations[1]);
	ASSERT_STR(str_n((char *)found->value.data, found->value.len), STR("\x0a\x0dinline_policy"), "bytes");
	CU_ASSERT_PTR_NULL(pb_find_annotation(r->annotations, r->n_annotations, V2_DESC(user_trait)));

	CU_ASSERT_EQUAL_FATAL(pb_get_annotation(arena, r->annotations, r->n_annotations,
				      V2_DESC(child_resource_type), &msg, &err),
		ERR_OK);
	CU_ASSERT_STRING_EQUAL(((V2(ChildResourceType) *)msg)->resource_type_id, "inline_policy");
	CU_ASSERT_EQUAL(
		pb_get_annotation(arena, r->annotations, r->n_annotations, V2_DESC(user_trait), &msg, &err),
		ERR_OK);
	CU_ASSERT_PTR_NULL(msg);
}

/* The first annotation of a type is the one that counts, and it has to be good. */
static void test_bad_annotation(void)
{
	V2(ETag) *good = pb_new(arena, V2_DESC(etag));
	V2(Resource) *r = pb_new(arena, V2_DESC(resource));
	ProtobufCMessage *msg = NULL;
	struct err err;

	PB_ANNOTATE(arena, r, good);
	PB_ANNOTATE(arena, r, good);
	r->annotations[0]->value =
		(ProtobufCBinaryData){.len = 3, .data = (uint8_t *)pb_str(arena, STR("\x0a\x05x"))};
	CU_ASSERT_EQUAL(pb_get_annotation(arena, r->annotations, r->n_annotations, V2_DESC(etag), &msg, &err),
		ERR_PROTOCOL);
	ASSERT_STR(str_c(err.msg), STR("annotation c1.connector.v2.ETag: c1.connector.v2.ETag: malformed"),
		"message");
}

static void test_struct(void)
{
	Google__Protobuf__Struct *s = pb_struct(arena), *inner = pb_struct(arena);
	Google__Protobuf__ListValue *list = pb_list(arena);

	pb_struct_str(arena, s, STR("z"), STR("first"));
	pb_struct_num(arena, s, STR("a"), 1.5);
	pb_struct_bool(arena, s, STR("b"), true);
	pb_struct_bool(arena, inner, STR("in"), false);
	pb_struct_struct(arena, s, STR("s"), inner);
	pb_list_str(arena, list, STR("one"));
	pb_list_str(arena, list, STR("two"));
	pb_struct_list(arena, s, STR("l"), list);
	pb_struct_str(arena, s, STR("z"), STR("second"));

	CU_ASSERT_EQUAL_FATAL(s->n_fields, 5);
	CU_ASSERT_STRING_EQUAL(s->fields[0]->key, "z");
	CU_ASSERT_STRING_EQUAL(s->fields[0]->value->string_value, "second");
	CU_ASSERT_EQUAL(pb_struct_get(s, STR("a"))->number_value, 1.5);
	CU_ASSERT_EQUAL(pb_struct_get(s, STR("b"))->bool_value, 1);
	CU_ASSERT_PTR_EQUAL(pb_struct_get(s, STR("s"))->struct_value, inner);
	CU_ASSERT_EQUAL(pb_struct_get(s, STR("l"))->list_value->n_values, 2);
	CU_ASSERT_PTR_NULL(pb_struct_get(s, STR("missing")));
	ASSERT_STR(pb_pack(arena, &inner->base), STR("\x0a\x08\x0a\x02in\x12\x02\x20\x00"),
		"a false value goes out");
}

static void test_timestamp(void)
{
	ASSERT_I64(pb_timestamp(arena, 1700000000)->seconds, 1700000000, "seconds");
	ASSERT_I64(pb_timestamp(arena, -1)->nanos, 0, "nanos");
}

static void test_type_name(void)
{
	ASSERT_STR(pb_type_name(STR("type.googleapis.com/a.B")), STR("a.B"), "usual");
	ASSERT_STR(pb_type_name(STR("a.B")), STR("a.B"), "bare");
	ASSERT_STR(pb_type_name(STR("x/y/")), STR_EMPTY, "nothing behind the slash");
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"str", test_str},
		{"str_max", test_str_max},
		{"lists", test_lists},
		{"any", test_any},
		{"bad annotation", test_bad_annotation},
		{"struct", test_struct},
		{"timestamp", test_timestamp},
		{"type name", test_type_name},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"pb_build", setup, teardown, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
