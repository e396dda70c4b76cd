/* layers: proto base */
#include "proto/descriptors.h"

#include "base/arena.h"
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

static const struct {
	const char *symbol, *file; /* file NULL: nobody defines it */
} symbols[] = {
	{"c1.connector.v2.Resource", "c1/connector/v2/resource.proto"},
	{"c1.connector.v2.Resource.display_name", "c1/connector/v2/resource.proto"},
	{"c1.connector.v2.ResourceType.Trait", "c1/connector/v2/resource.proto"},
	{"c1.connector.v2.UserTrait.Status.Status", "c1/connector/v2/annotation_trait.proto"},
	{"c1.connector.v2.Capability", "c1/connector/v2/connector.proto"},
	{"c1.connector.v2.GrantsService", "c1/connector/v2/grant.proto"},
	{"c1.connector.v2.GrantsService.ListGrants", "c1/connector/v2/grant.proto"},
	{"c1.ratelimit.v1.RateLimiterService.Do", "c1/ratelimit/v1/ratelimit.proto"},
	{"grpc.health.v1.Health", "grpc/health/v1/health.proto"},
	{"grpc.reflection.v1.ServerReflection", "grpc/reflection/v1/reflection.proto"},
	{"grpc.reflection.v1alpha.ServerReflection", "grpc/reflection/v1alpha/reflection.proto"},
	{"google.rpc.Status", "google/rpc/status.proto"},
	{"google.protobuf.Any", "google/protobuf/any.proto"},
	{"c1.connector.v2.Nothing", NULL},
	{"c1.connector.v2.GrantsService.ListNothing", NULL},
	{"c1.connector.v2.Resource.display_name.x", NULL},
	{"c1.connector.v2", NULL},
	{"c1.connector.v2.", NULL},
	{"c1.connector.v2.Resource.", NULL},
	{"", NULL},
	{".", NULL},
};

static void test_symbols(void)
{
	for (size_t i = 0; i < ARRAY_LEN(symbols); i++) {
		struct str file = STR_EMPTY;
		bool found = proto_file_containing_symbol(str_c(symbols[i].symbol), &file);

		ASSERT_I64(found, symbols[i].file != NULL, symbols[i].symbol);
		ASSERT_STR(
			found ? proto_file_name(file) : STR_EMPTY, str_c(symbols[i].file), symbols[i].symbol);
	}
}

static void test_by_name(void)
{
	struct str file = STR_EMPTY;

	CU_ASSERT(proto_file_by_name(STR("c1/connector/v2/grant.proto"), &file));
	ASSERT_STR(proto_file_name(file), STR("c1/connector/v2/grant.proto"), "name");
	ASSERT_STR(proto_file_import(file, 0), STR("c1/connector/v2/entitlement.proto"), "first import");
	CU_ASSERT_EQUAL(proto_file_import(file, 3).n, 0);
	CU_ASSERT(!proto_file_by_name(STR("c1/connector/v2/grant"), &file));
	CU_ASSERT(!proto_file_by_name(STR_EMPTY, &file));
}

/* A reflection client takes the files in this order: nothing may be missing and no import may come late. */
static void test_closure(void)
{
	static const struct str want[] = {
		STR_INIT("c1/connector/v2/asset.proto"),
		STR_INIT("google/protobuf/any.proto"),
		STR_INIT("google/protobuf/struct.proto"),
		STR_INIT("google/protobuf/timestamp.proto"),
		STR_INIT("c1/connector/v2/resource.proto"),
		STR_INIT("c1/connector/v2/entitlement.proto"),
		STR_INIT("c1/connector/v2/grant.proto"),
	};
	struct str file = STR_EMPTY, *files;
	size_t n;

	CU_ASSERT_FATAL(proto_file_by_name(STR("c1/connector/v2/grant.proto"), &file));
	n = proto_file_closure(arena, file, &files);
	CU_ASSERT_EQUAL_FATAL(n, ARRAY_LEN(want));
	for (size_t i = 0; i < n; i++) {
		bool expected = false;

		for (size_t j = 0; j < n; j++)
			expected |= str_eq(proto_file_name(files[i]), want[j]);
		CU_ASSERT(expected);
		for (size_t k = 0; proto_file_import(files[i], k).n > 0; k++) {
			bool before = false;

			for (size_t j = 0; j < i; j++)
				before |= str_eq(proto_file_name(files[j]), proto_file_import(files[i], k));
			CU_ASSERT(before);
		}
	}
	ASSERT_STR(proto_file_name(files[n - 1]), want[n - 1], "last");
}

static void test_set(void)
{
	struct str set = proto_descriptor_set();

	CU_ASSERT(set.n > 60000);
	CU_ASSERT_EQUAL(set.p[0], 0x0a); /* FileDescriptorSet.file */
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"symbols", test_symbols},
		{"by name", test_by_name},
		{"closure", test_closure},
		{"set", test_set},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{"descriptors", setup, teardown, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
