/* layers: proto base */
#include "proto/pb_json.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "c1/connector/v2/annotation_vendor.pb-c.h"
#include "proto/messages.h"
#include "proto/pb_build.h"
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

static struct str print(const ProtobufCMessage *msg, enum pb_json_style style)
{
	struct buf out;
	struct str text;
	struct err err;

	buf_init(&out, 1 << 20);
	text = pb_json(arena, msg, style, &out, &err) == ERR_OK
		       ? buf_dup(&out, arena)
		       : str_fmt(arena, "%s: %s", err_code_name(err.code), err.msg);
	buf_deinit(&out);
	return text;
}

static struct str print_bytes(const ProtobufCMessageDescriptor *desc, struct str bytes)
{
	ProtobufCMessage *msg;
	struct err err;

	if (pb_unpack(arena, desc, bytes, PB_MAX_BYTES, &msg, &err) != ERR_OK)
		return str_dup(arena, str_c(err.msg));
	return print(msg, PB_JSON_COMPACT);
}

static V2(Resource) * resource(void)
{
	V2(Resource) *r = pb_new(arena, V2_DESC(resource));
	V2(UserTrait) *trait = pb_new(arena, V2_DESC(user_trait));

	r->id = pb_new(arena, V2_DESC(resource_id));
	r->id->resource_type = pb_str(arena, STR("iam_user"));
	r->id->resource = pb_str(arena, STR("a\"b\n\xc3\xa9"));
	r->created_at = pb_timestamp(arena, 1700000000);
	r->profile = pb_struct(arena);
	pb_struct_str(arena, r->profile, STR("z"), STR("last"));
	pb_struct_num(arena, r->profile, STR("n"), 3);
	pb_struct_struct(arena, r->profile, STR("empty"), pb_struct(arena));
	trait->account_type = V2_ENUM(USER_TRAIT__ACCOUNT_TYPE__ACCOUNT_TYPE_HUMAN);
	PB_ANNOTATE(arena, r, trait);
	PB_ADD(arena, r, annotations, pb_any_empty(arena, V2_DESC(skip_grants)));
	return r;
}

static void test_resource(void)
{
	ASSERT_STR(print(&resource()->base, PB_JSON_COMPACT),
		STR("{\"id\":{\"resourceType\":\"iam_user\",\"resource\":\"a\\\"b\\n\xc3\xa9\"},"
		    "\"annotations\":[{\"@type\":\"type.googleapis.com/c1.connector.v2.UserTrait\","
		    "\"accountType\":\"ACCOUNT_TYPE_HUMAN\"},"
		    "{\"@type\":\"type.googleapis.com/c1.connector.v2.SkipGrants\"}],"
		    "\"profile\":{\"empty\":{},\"n\":3,\"z\":\"last\"},"
		    "\"createdAt\":\"2023-11-14T22:13:20Z\"}"),
		"compact");
}

static void test_indented(void)
{
	V2(Resource) *r = resource();

	r->n_annotations = 1;
	ASSERT_STR(print(&r->base, PB_JSON_INDENTED),
		STR("{\n"
		    "  \"id\": {\n"
		    "    \"resourceType\": \"iam_user\",\n"
		    "    \"resource\": \"a\\\"b\\n\xc3\xa9\"\n"
		    "  },\n"
		    "  \"annotations\": [\n"
		    "    {\n"
		    "      \"@type\": \"type.googleapis.com/c1.connector.v2.UserTrait\",\n"
		    "      \"accountType\": \"ACCOUNT_TYPE_HUMAN\"\n"
		    "    }\n"
		    "  ],\n"
		    "  \"profile\": {\n"
		    "    \"empty\": {},\n"
		    "    \"n\": 3,\n"
		    "    \"z\": \"last\"\n"
		    "  },\n"
		    "  \"createdAt\": \"2023-11-14T22:13:20Z\"\n"
		    "}"),
		"indented");
	ASSERT_STR(print(pb_new(arena, V2_DESC(resource)), PB_JSON_INDENTED), STR("{}"), "empty");
}

#define FIELDS(literal) STR_INIT(literal)

static const struct {
	const ProtobufCMessageDescriptor *desc;
	struct str bytes;
	const char *want;
} cases[] = {
	/* scalars */
	{V2_DESC(rate_limit_description), FIELDS("\x08\x02\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
		"{\"status\":\"STATUS_OVERLIMIT\",\"limit\":\"-1\"}"},
	{V2_DESC(resource), FIELDS("\x30\x01\x40\x07"), "{\"batonResource\":true,\"creationSource\":7}"},
	{V2_DESC(encrypted_data), FIELDS("\x32\x03\x00\xff\x10"), "{\"encryptedBytes\":\"AP8Q\"}"},
	{V2_DESC(grants_service_list_grants_request), FIELDS("\x10\xff\xff\xff\xff\x0f"),
		"{\"pageSize\":4294967295}"},
	{V2_DESC(resource_type), FIELDS("\x1a\x02\x01\x02"), "{\"traits\":[\"TRAIT_USER\",\"TRAIT_GROUP\"]}"},
	{V2_DESC(vendor_trait), FIELDS("\x4a\x00"), "{\"trailing30dSpend\":{}}"},
	/* a chosen oneof member and a set optional are printed even when zero */
	{V2_DESC(key_generation_profile), FIELDS("\x10\x00"), "{\"rsaModulusBits\":0}"},
	{V2_DESC(connector_account_creation_schema__int_field), FIELDS("\x08\x00"), "{\"defaultValue\":0}"},
	{V2_DESC(connector_account_creation_schema__int_field), FIELDS(""), "{}"},
	/* maps: sorted, the last of equal keys, {} for a missing message */
	{&google__rpc__error_info__descriptor,
		FIELDS("\x1a\x06\x0a\x01"
		       "b"
		       "\x12\x01"
		       "1"
		       "\x1a\x06\x0a\x01"
		       "a"
		       "\x12\x01"
		       "2"
		       "\x1a\x06\x0a\x01"
		       "b"
		       "\x12\x01"
		       "3"
		       "\x1a\x03\x0a\x01"
		       "c"),
		"{\"metadata\":{\"a\":\"2\",\"b\":\"3\",\"c\":\"\"}}"},
	{V2_DESC(grant_sources), FIELDS("\x0a\x03\x0a\x01k"), "{\"sources\":{\"k\":{}}}"},
	/* google.protobuf's own */
	{&google__protobuf__struct__descriptor, FIELDS("\x0a\x03\x0a\x01k"), "{\"k\":null}"},
	{&google__protobuf__struct__descriptor, FIELDS(""), "{}"},
	{&google__protobuf__value__descriptor, FIELDS("\x08\x00"), "null"},
	{&google__protobuf__value__descriptor, FIELDS(""), "null"},
	{&google__protobuf__value__descriptor, FIELDS("\x20\x00"), "false"},
	{&google__protobuf__value__descriptor, FIELDS("\x1a\x00"), "\"\""},
	{&google__protobuf__value__descriptor, FIELDS("\x32\x00"), "[]"},
	{&google__protobuf__value__descriptor, FIELDS("\x32\x06\x0a\x02\x08\x00\x0a\x00"), "[null,null]"},
	{&google__protobuf__bool_value__descriptor, FIELDS(""), "false"},
	{&google__protobuf__float_value__descriptor, FIELDS("\x0d\xcd\xcc\xcc\x3d"), "0.1"},
	{&google__protobuf__int64_value__descriptor, FIELDS("\x08\x05"), "\"5\""},
	{V2_DESC(ticket_custom_field_number_value), FIELDS("\x0a\x00"), "{\"value\":0}"},
	{&google__protobuf__timestamp__descriptor, FIELDS(""), "\"1970-01-01T00:00:00Z\""},
	{&google__protobuf__timestamp__descriptor, FIELDS("\x10\x80\xca\xb5\xee\x01"),
		"\"1970-01-01T00:00:00.500Z\""},
	{&google__protobuf__timestamp__descriptor, FIELDS("\x10\xe8\x07"), "\"1970-01-01T00:00:00.000001Z\""},
	{&google__protobuf__timestamp__descriptor, FIELDS("\x10\x01"), "\"1970-01-01T00:00:00.000000001Z\""},
	{&google__protobuf__timestamp__descriptor, FIELDS("\x08\x80\x92\xb8\xc3\x98\xfe\xff\xff\xff\x01"),
		"\"0001-01-01T00:00:00Z\""},
	{&google__protobuf__timestamp__descriptor, FIELDS("\x08\xff\x91\xb8\xc3\x98\xfe\xff\xff\xff\x01"),
		"PROTOCOL: a google.protobuf.Timestamp is out of range"},
	{&google__protobuf__timestamp__descriptor, FIELDS("\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
		"PROTOCOL: a google.protobuf.Timestamp is out of range"},
	{&google__protobuf__duration__descriptor, FIELDS("\x08\x03\x10\x80\xca\xb5\xee\x01"), "\"3.500s\""},
	{&google__protobuf__duration__descriptor, FIELDS("\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
		"\"-0.000000001s\""},
	{&google__protobuf__duration__descriptor,
		FIELDS("\x08\x01\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
		"PROTOCOL: a google.protobuf.Duration is out of range"},
	/* Any */
	{&google__protobuf__any__descriptor, FIELDS(""), "{}"},
	{&google__protobuf__any__descriptor,
		FIELDS("\x0a\x1c"
		       "x/c1.connector.v2.ResourceId"
		       "\x12\x03\x0a\x01t"),
		"{\"@type\":\"x/c1.connector.v2.ResourceId\",\"resourceType\":\"t\"}"},
	{&google__protobuf__any__descriptor,
		FIELDS("\x0a\x1a"
		       "x/google.protobuf.Duration"
		       "\x12\x02\x08\x01"),
		"{\"@type\":\"x/google.protobuf.Duration\",\"value\":\"1s\"}"},
	{&google__protobuf__any__descriptor,
		FIELDS("\x0a\x09"
		       "x/unknown"
		       "\x12\x01\xff"),
		"{\"@type\":\"x/unknown\",\"value\":\"/w==\"}"},
	{&google__protobuf__any__descriptor,
		FIELDS("\x0a\x1c"
		       "x/c1.connector.v2.ResourceId"
		       "\x12\x01\xff"),
		"PROTOCOL: c1.connector.v2.ResourceId: malformed"},
};

static void test_forms(void)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ASSERT_STR(print_bytes(cases[i].desc, cases[i].bytes), str_c(cases[i].want), cases[i].want);
}

static void test_numbers(void)
{
	static const struct {
		double v;
		const char *want;
	} table[] = {
		{0, "0"},
		{-1, "-1"},
		{0.1, "0.1"},
		{1.0 / 3, "0.3333333333333333"},
		{123456789012345678, "1.2345678901234568e+17"},
		{9007199254740993, "9007199254740992"},
		{1e300, "1e+300"},
		{5e-324, "4.94065645841247e-324"},
		{NAN, "\"NaN\""},
		{INFINITY, "\"Infinity\""},
		{-INFINITY, "\"-Infinity\""},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		Google__Protobuf__Value *v = pb_new(arena, &google__protobuf__value__descriptor);

		v->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE;
		v->number_value = table[i].v;
		ASSERT_STR(print(&v->base, PB_JSON_COMPACT), str_c(table[i].want), table[i].want);
	}
}

/* Each Any is a message of its own to pb_check, so the printer has to count. */
static void test_any_in_any(void)
{
	Google__Protobuf__Any *any = pb_any_empty(arena, V2_DESC(skip_grants));
	struct str text;

	for (int i = 0; i < 97; i++)
		any = pb_any(arena, &any->base);
	text = print(&any->base, PB_JSON_COMPACT);
	CU_ASSERT(str_starts(text, STR("{\"@type\":")));
	for (int i = 0; i < 1000; i++)
		any = pb_any(arena, &any->base);
	ASSERT_STR(print(&any->base, PB_JSON_COMPACT),
		STR("TOO_LARGE: messages are nested too deep to print"), "any");
}

static void test_out_is_full(void)
{
	struct buf out;
	struct err err;

	buf_init(&out, 20);
	CU_ASSERT_EQUAL(pb_json(arena, &resource()->base, PB_JSON_COMPACT, &out, &err), ERR_TOO_LARGE);
	buf_deinit(&out);
}

static void test_is_json(void)
{
	const struct json *j;
	struct err err;

	CU_ASSERT_EQUAL_FATAL(
		json_parse(arena, print(&resource()->base, PB_JSON_INDENTED), 1 << 20, &j, &err), ERR_OK);
	ASSERT_STR(json_str(json_get(json_get(j, STR("id")), STR("resource"))), STR("a\"b\n\xc3\xa9"), "id");
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"resource", test_resource},
		{"indented", test_indented},
		{"forms", test_forms},
		{"numbers", test_numbers},
		{"any in any", test_any_in_any},
		{"out is full", test_out_is_full},
		{"is JSON", test_is_json},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"pb_json", setup, teardown, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
