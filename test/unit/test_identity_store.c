/* layers: aws base
 *
 * Identity Store: each request to the byte, answers as AWS's reference shows them. */
#include "aws/identity_store.h"

#include "support/json_operation.h"

static void test_requests(void)
{
	static const struct aws_identity_store_filter by_name = {STR_INIT("UserName"), STR_INIT("ann")};
	static const struct aws_identity_store_list_in list = {
		.store_id = STR_INIT("d-1"),
		.next_token = STR_INIT("t"),
		.max_results = {100, true},
	};
	static const struct aws_identity_store_list_in filtered = {
		.store_id = STR_INIT("d-1"),
		.filters = {(void *)&by_name, 1},
	};
	static const struct aws_identity_store_memberships_in of_group = {
		.store_id = STR_INIT("d-1"), .group_id = STR_INIT("g"), .max_results = {100, true}};
	static const struct aws_identity_store_memberships_of_in of_user = {
		.store_id = STR_INIT("d-1"), .member = {STR_INIT("u")}, .next_token = STR_INIT("t")};
	static const struct aws_identity_store_user_in user = {STR_INIT("d-1"), STR_INIT("u")};
	static const struct aws_identity_store_group_in group = {STR_INIT("d-1"), STR_INIT("g")};
	static const struct aws_identity_store_get_user_id_in user_id = {
		.store_id = STR_INIT("d-1"),
		.alternate_id = {.unique_attribute = {STR_INIT("emails.value"), STR_INIT("a@b.c")}},
	};
	static const struct {
		const struct aws_operation *op;
		const void *in;
		const char *want; /* behind the target's prefix */
	} rows[] = {
		{&aws_identity_store_list_users, &list,
			"ListUsers "
			"{\"IdentityStoreId\":\"d-1\",\"NextToken\":\"t\",\"MaxResults\":100}"},
		{&aws_identity_store_list_users, &filtered,
			"ListUsers "
			"{\"IdentityStoreId\":\"d-1\",\"Filters\":[{\"AttributePath\":\"UserName\","
			"\"AttributeValue\":\"ann\"}]}"},
		{&aws_identity_store_list_groups, &list,
			"ListGroups "
			"{\"IdentityStoreId\":\"d-1\",\"NextToken\":\"t\",\"MaxResults\":100}"},
		{&aws_identity_store_list_group_memberships, &of_group,
			"ListGroupMemberships "
			"{\"IdentityStoreId\":\"d-1\",\"GroupId\":\"g\",\"MaxResults\":100}"},
		{&aws_identity_store_list_group_memberships_for_member, &of_user,
			"ListGroupMembershipsForMember "
			"{\"IdentityStoreId\":\"d-1\",\"MemberId\":{\"UserId\":\"u\"},\"NextToken\":\"t\"}"},
		{&aws_identity_store_describe_user, &user,
			"DescribeUser {\"IdentityStoreId\":\"d-1\",\"UserId\":\"u\"}"},
		{&aws_identity_store_describe_group, &group,
			"DescribeGroup {\"IdentityStoreId\":\"d-1\",\"GroupId\":\"g\"}"},
		{&aws_identity_store_get_user_id, &user_id,
			"GetUserId "
			"{\"IdentityStoreId\":\"d-1\",\"AlternateIdentifier\":{\"UniqueAttribute\":"
			"{\"AttributePath\":\"emails.value\",\"AttributeValue\":\"a@b.c\"}}}"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(arena_freep) struct arena *a = arena_new(0);
		struct str got = json_operation_request(rows[i].op, rows[i].in, a);

		CU_ASSERT_PTR_EQUAL(rows[i].op->service, &aws_identity_store);
		ASSERT_STR(got, str_fmt(a, "AWSIdentityStore.%s", rows[i].want), rows[i].op->name);
	}
}

#define ANN                                                                                                  \
	"{\"UserName\":\"ann@corp\",\"UserId\":\"u-1\",\"DisplayName\":\"Ann "                               \
	"A\",\"UserStatus\":\"DISABLED\","                                                                   \
	"\"Name\":{\"Formatted\":\"Dr Ann A\",\"GivenName\":\"Ann\",\"FamilyName\":\"A\"},"                  \
	"\"Emails\":[{\"Value\":\"a@b.c\",\"Type\":\"work\",\"Primary\":true},{\"Primary\":false}],"         \
	"\"ExternalIds\":[{\"Issuer\":\"https://idp\",\"Id\":\"7\"}],\"Addresses\":[{\"Primary\":true}],"    \
	"\"CreatedAt\":1.7E9,\"Extensions\":{\"x\":[1]},\"IdentityStoreId\":\"d-1\"}"

static void check_ann(const struct aws_identity_store_user *u)
{
	const struct aws_identity_store_email *e;
	const struct aws_identity_store_external_id *x;

	ASSERT_STR(u->id, STR("u-1"), "id");
	ASSERT_STR(u->user_name, STR("ann@corp"), "user name");
	ASSERT_STR(u->display_name, STR("Ann A"), "display name");
	ASSERT_STR(u->status, STR("DISABLED"), "status");
	ASSERT_STR(u->name.formatted, STR("Dr Ann A"), "formatted");
	ASSERT_STR(u->name.given, STR("Ann"), "given");
	ASSERT_STR(u->name.family, STR("A"), "family");
	CU_ASSERT_EQUAL_FATAL(u->emails.n, 2);
	e = AWS_LIST_AT(u->emails, struct aws_identity_store_email, 0);
	ASSERT_STR(e->value, STR("a@b.c"), "e-mail");
	ASSERT_STR(e->type, STR("work"), "type");
	CU_ASSERT(e->primary.set && e->primary.v == 1);
	e = AWS_LIST_AT(u->emails, struct aws_identity_store_email, 1);
	CU_ASSERT(e->value.n == 0 && e->primary.set && e->primary.v == 0);
	CU_ASSERT_EQUAL_FATAL(u->external_ids.n, 1);
	x = AWS_LIST_AT(u->external_ids, struct aws_identity_store_external_id, 0);
	ASSERT_STR(x->issuer, STR("https://idp"), "issuer");
	ASSERT_STR(x->id, STR("7"), "id there");
}

static void test_users(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct aws_identity_store_users_out out;
	struct aws_identity_store_user user;
	struct aws_identity_store_get_user_id_out found;

	json_operation_answer(&aws_identity_store_list_users,
		"{\"Users\":[" ANN ",{\"UserId\":\"u-2\"}],\"NextToken\":\"t\"}", &out, a);
	ASSERT_STR(out.next_token, STR("t"), "token");
	CU_ASSERT_EQUAL_FATAL(out.users.n, 2);
	check_ann(AWS_LIST_AT(out.users, struct aws_identity_store_user, 0));
	ASSERT_STR(AWS_LIST_AT(out.users, struct aws_identity_store_user, 1)->status, STR_EMPTY, "untold");
	json_operation_answer(&aws_identity_store_describe_user, ANN, &user, a);
	check_ann(&user);
	json_operation_answer(&aws_identity_store_get_user_id,
		"{\"IdentityStoreId\":\"d-1\",\"UserId\":\"u-1\"}", &found, a);
	ASSERT_STR(found.user_id, STR("u-1"), "found");
}

static void test_groups(void)
{
	static const char body[] = "{\"GroupId\":\"g-1\",\"DisplayName\":\"Admins\",\"Description\":\"d\","
				   "\"ExternalIds\":[{\"Issuer\":\"i\",\"Id\":\"9\"}]}";
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct aws_identity_store_groups_out out;
	struct aws_identity_store_group group;

	json_operation_answer(
		&aws_identity_store_list_groups, str_fmt(a, "{\"Groups\":[%s]}", body).p, &out, a);
	CU_ASSERT_EQUAL_FATAL(out.groups.n, 1);
	ASSERT_STR(AWS_LIST_AT(out.groups, struct aws_identity_store_group, 0)->display_name, STR("Admins"),
		"in the list");
	json_operation_answer(&aws_identity_store_describe_group, body, &group, a);
	ASSERT_STR(group.id, STR("g-1"), "id");
	ASSERT_STR(group.display_name, STR("Admins"), "display name");
	ASSERT_STR(group.description, STR("d"), "description");
	CU_ASSERT_EQUAL_FATAL(group.external_ids.n, 1);
	ASSERT_STR(AWS_LIST_AT(group.external_ids, struct aws_identity_store_external_id, 0)->id, STR("9"),
		"id there");
}

static void test_memberships(void)
{
	static const char body[] =
		"{\"GroupMemberships\":[{\"IdentityStoreId\":\"d-1\",\"MembershipId\":\"m-1\","
		"\"GroupId\":\"g-1\",\"MemberId\":{\"UserId\":\"u-1\"}},"
		"{\"MembershipId\":\"m-2\",\"GroupId\":\"g-1\",\"MemberId\":{\"RobotId\":\"r\"}}]}";
	static const struct aws_operation *const ops[] = {&aws_identity_store_list_group_memberships,
		&aws_identity_store_list_group_memberships_for_member};

	for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
		CLEANUP(arena_freep) struct arena *a = arena_new(0);
		struct aws_identity_store_memberships_out out;
		const struct aws_identity_store_membership *m;

		json_operation_answer(ops[i], body, &out, a);
		CU_ASSERT_EQUAL_FATAL(out.memberships.n, 2);
		m = AWS_LIST_AT(out.memberships, struct aws_identity_store_membership, 0);
		ASSERT_STR(m->id, STR("m-1"), "id");
		ASSERT_STR(m->group_id, STR("g-1"), "group");
		ASSERT_STR(m->member.user_id, STR("u-1"), "user");
		m = AWS_LIST_AT(out.memberships, struct aws_identity_store_membership, 1);
		ASSERT_STR(m->member.user_id, STR_EMPTY, "a member of another kind");
	}
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"requests", test_requests},
		{"users", test_users},
		{"groups", test_groups},
		{"memberships", test_memberships},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{"identity_store", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
