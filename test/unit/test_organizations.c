/* layers: aws base
 *
 * Organizations: each request to the byte, answers as AWS's reference shows them. */
#include "aws/organizations.h"

#include "support/json_operation.h"

static void test_requests(void)
{
	static const struct aws_organizations_page_in page = {STR_INIT("t"), {20, true}};
	static const struct aws_organizations_parent_in below = {STR_INIT("r-1"), STR_INIT("t"), {20, true}};
	static const struct aws_organizations_list_parents_in above = {.child_id = STR_INIT("111122223333")};
	static const struct aws_organizations_list_children_in children = {
		.parent_id = STR_INIT("ou-1"), .child_type = STR_INIT("ACCOUNT"), .max_results = {20, true}};
	static const struct aws_organizations_describe_account_in account = {STR_INIT("111122223333")};
	static const struct {
		const struct aws_operation *op;
		const void *in;
		const char *want; /* behind the target's prefix */
	} rows[] = {
		{&aws_organizations_list_accounts, &page,
			"ListAccounts {\"NextToken\":\"t\",\"MaxResults\":20}"},
		{&aws_organizations_list_roots, &page, "ListRoots {\"NextToken\":\"t\",\"MaxResults\":20}"},
		{&aws_organizations_list_accounts_for_parent, &below,
			"ListAccountsForParent "
			"{\"ParentId\":\"r-1\",\"NextToken\":\"t\",\"MaxResults\":20}"},
		{&aws_organizations_list_units_for_parent, &below,
			"ListOrganizationalUnitsForParent "
			"{\"ParentId\":\"r-1\",\"NextToken\":\"t\",\"MaxResults\":20}"},
		{&aws_organizations_list_parents, &above, "ListParents {\"ChildId\":\"111122223333\"}"},
		{&aws_organizations_list_children, &children,
			"ListChildren "
			"{\"ParentId\":\"ou-1\",\"ChildType\":\"ACCOUNT\",\"MaxResults\":20}"},
		{&aws_organizations_describe_account, &account,
			"DescribeAccount {\"AccountId\":\"111122223333\"}"},
		{&aws_organizations_describe_organization, NULL, "DescribeOrganization {}"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(arena_freep) struct arena *a = arena_new(0);
		struct str got = json_operation_request(rows[i].op, rows[i].in, a);

		CU_ASSERT_PTR_EQUAL(rows[i].op->service, &aws_organizations);
		ASSERT_STR(got, str_fmt(a, "AWSOrganizationsV20161128.%s", rows[i].want), rows[i].op->name);
	}
}

#define ACCOUNT                                                                                              \
	"{\"Id\":\"111122223333\",\"Arn\":\"arn:a\",\"Email\":\"a@b.c\",\"Name\":\"Main\","                  \
	"\"Status\":\"SUSPENDED\",\"State\":\"CLOSED\",\"Paths\":[\"o-1/r-1/ou-1/\"],"                       \
	"\"JoinedMethod\":\"INVITED\",\"JoinedTimestamp\":1.7E9}"

static void check_account(const struct aws_organizations_account *x)
{
	ASSERT_STR(x->id, STR("111122223333"), "id");
	ASSERT_STR(x->arn, STR("arn:a"), "arn");
	ASSERT_STR(x->email, STR("a@b.c"), "e-mail");
	ASSERT_STR(x->name, STR("Main"), "name");
	ASSERT_STR(x->status, STR("SUSPENDED"), "status");
	ASSERT_STR(x->state, STR("CLOSED"), "state");
	CU_ASSERT_EQUAL_FATAL(x->paths.n, 1);
	ASSERT_STR(*AWS_LIST_AT(x->paths, struct str, 0), STR("o-1/r-1/ou-1/"), "path");
}

static void test_accounts(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct aws_organizations_list_accounts_out out;
	struct aws_organizations_describe_account_out one;

	json_operation_answer(&aws_organizations_list_accounts,
		"{\"Accounts\":[" ACCOUNT "],\"NextToken\":\"t\"}", &out, a);
	ASSERT_STR(out.next_token, STR("t"), "token");
	CU_ASSERT_EQUAL_FATAL(out.accounts.n, 1);
	check_account(AWS_LIST_AT(out.accounts, struct aws_organizations_account, 0));
	json_operation_answer(&aws_organizations_list_accounts_for_parent,
		"{\"Accounts\":[],\"NextToken\":\"t\"}", &out, a);
	CU_ASSERT(out.accounts.n == 0 && out.next_token.n == 1);
	json_operation_answer(&aws_organizations_describe_account, "{\"Account\":" ACCOUNT "}", &one, a);
	check_account(&one.account);
	json_operation_answer(&aws_organizations_describe_account, "{}", &one, a);
	ASSERT_STR(one.account.id, STR_EMPTY, "left out");
}

static void test_tree(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct aws_organizations_list_roots_out roots;
	struct aws_organizations_list_units_out units;
	struct aws_organizations_list_parents_out parents;
	struct aws_organizations_list_children_out children;
	struct aws_organizations_describe_organization_out org;

	json_operation_answer(&aws_organizations_list_roots,
		"{\"Roots\":[{\"Id\":\"r-1\",\"Arn\":\"arn:r\",\"Name\":\"Root\",\"PolicyTypes\":[]}]}",
		&roots, a);
	CU_ASSERT_EQUAL_FATAL(roots.roots.n, 1);
	ASSERT_STR(AWS_LIST_AT(roots.roots, struct aws_organizations_root, 0)->id, STR("r-1"), "root");
	ASSERT_STR(AWS_LIST_AT(roots.roots, struct aws_organizations_root, 0)->name, STR("Root"), "root");
	ASSERT_STR(AWS_LIST_AT(roots.roots, struct aws_organizations_root, 0)->arn, STR("arn:r"), "root");

	json_operation_answer(&aws_organizations_list_units_for_parent,
		"{\"OrganizationalUnits\":[{\"Id\":\"ou-1\",\"Arn\":\"arn:u\",\"Name\":\"Dev\",\"Path\":\"o-"
		"1/"
		"r-1/ou-1/\"}]}",
		&units, a);
	CU_ASSERT_EQUAL_FATAL(units.units.n, 1);
	ASSERT_STR(AWS_LIST_AT(units.units, struct aws_organizations_unit, 0)->id, STR("ou-1"), "unit");
	ASSERT_STR(AWS_LIST_AT(units.units, struct aws_organizations_unit, 0)->name, STR("Dev"), "unit");
	ASSERT_STR(AWS_LIST_AT(units.units, struct aws_organizations_unit, 0)->path, STR("o-1/r-1/ou-1/"),
		"unit");

	json_operation_answer(&aws_organizations_list_parents,
		"{\"Parents\":[{\"Id\":\"r-1\",\"Type\":\"ROOT\"}]}", &parents, a);
	CU_ASSERT_EQUAL_FATAL(parents.parents.n, 1);
	ASSERT_STR(AWS_LIST_AT(parents.parents, struct aws_organizations_relative, 0)->type, STR("ROOT"),
		"parent");
	json_operation_answer(&aws_organizations_list_children,
		"{\"Children\":[{\"Id\":\"111122223333\",\"Type\":\"ACCOUNT\"}]}", &children, a);
	CU_ASSERT_EQUAL_FATAL(children.children.n, 1);
	ASSERT_STR(AWS_LIST_AT(children.children, struct aws_organizations_relative, 0)->id,
		STR("111122223333"), "child");

	json_operation_answer(&aws_organizations_describe_organization,
		"{\"Organization\":{\"Id\":\"o-1\",\"Arn\":\"arn:o\",\"FeatureSet\":\"ALL\","
		"\"MasterAccountArn\":\"arn:m\",\"MasterAccountId\":\"999900001111\"}}",
		&org, a);
	ASSERT_STR(org.organization.id, STR("o-1"), "organization");
	ASSERT_STR(org.organization.arn, STR("arn:o"), "organization");
	ASSERT_STR(org.organization.management_account_id, STR("999900001111"), "organization");
	ASSERT_STR(org.organization.management_account_arn, STR("arn:m"), "organization");
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"requests", test_requests},
		{"accounts", test_accounts},
		{"the tree", test_tree},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"organizations", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
