/* layers: proto base */
#include "proto/registry.h"

#include <string.h>

#include "proto/messages.h"
#include "support/cunit_main.h"

static void test_finds(void)
{
	CU_ASSERT_PTR_EQUAL(pb_registry_find(STR("c1.connector.v2.Resource")), V2_DESC(resource));
	CU_ASSERT_PTR_EQUAL(
		pb_registry_find(STR("c1.connector.v2.UserTrait.Status")), V2_DESC(user_trait__status));
	CU_ASSERT_PTR_EQUAL(pb_registry_find(STR("c1.ratelimit.v1.DoRequest")), RL_DESC(do_request));
	CU_ASSERT_PTR_EQUAL(
		pb_registry_find(STR("google.rpc.ErrorInfo")), &google__rpc__error_info__descriptor);
	CU_ASSERT_PTR_EQUAL(
		pb_registry_find(STR("google.protobuf.Timestamp")), &google__protobuf__timestamp__descriptor);
	CU_ASSERT_PTR_NULL(pb_registry_find(STR("c1.connector.v2.Resourc")));
	CU_ASSERT_PTR_NULL(pb_registry_find(STR("c1.connector.v2.Resource2")));
	CU_ASSERT_PTR_NULL(pb_registry_find(STR_EMPTY));
}

static void test_finds_by_url(void)
{
	CU_ASSERT_PTR_EQUAL(
		pb_registry_find_url(STR("type.googleapis.com/c1.connector.v2.Resource")), V2_DESC(resource));
	CU_ASSERT_PTR_EQUAL(pb_registry_find_url(STR("a/b//c1.connector.v2.Resource")), V2_DESC(resource));
	CU_ASSERT_PTR_EQUAL(pb_registry_find_url(STR("c1.connector.v2.Resource")), V2_DESC(resource));
	CU_ASSERT_PTR_NULL(pb_registry_find_url(STR("c1.connector.v2.Resource/")));
	CU_ASSERT_PTR_NULL(pb_registry_find_url(STR_EMPTY));
}

static void test_all_in_order(void)
{
	size_t n = 0;

	for (; pb_registry_at(n) != NULL; n++) {
		const ProtobufCMessageDescriptor *desc = pb_registry_at(n);

		CU_ASSERT_PTR_EQUAL(pb_registry_find(str_c(desc->name)), desc);
		CU_ASSERT(n == 0 || strcmp(pb_registry_at(n - 1)->name, desc->name) < 0);
	}
	CU_ASSERT(n > 250);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"finds", test_finds},
		{"finds by url", test_finds_by_url},
		{"all in order", test_all_in_order},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"registry", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
