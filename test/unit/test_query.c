/* layers: aws base
 *
 * The query protocol: forms out, XML in, by table. Chunk borders must not matter, so every answer is
 * fed whole and byte by byte. */
#include "aws/query.h"

#include "aws/errors.h"
#include "aws/iam.h"
#include "aws/sts.h"
#include "base/mem.h"
#include "support/cunit_main.h"

#define MAX_BYTES 100000

/* ---- requests ---- */

static void check_form(const struct aws_operation *op, const void *in, const char *want)
{
	CLEANUP(buf_deinit) struct buf b;
	struct err err;

	buf_init(&b, 4096);
	CU_ASSERT_EQUAL(aws_query_encode(op, in, &b, &err), ERR_OK);
	ASSERT_STR(buf_view(&b), str_c(want), op->name);
}

static void test_forms(void)
{
	static const struct str filter[] = {STR_INIT("User"), STR_INIT("LocalManagedPolicy")};

	check_form(&aws_iam_list_users, NULL, "Action=ListUsers&Version=2010-05-08");
	check_form(&aws_iam_list_users,
		&(struct aws_iam_page_in){.marker = STR("a b+&=/\xc3\xa9"), .max_items = {1000, true}},
		"Action=ListUsers&Version=2010-05-08&Marker=a%20b%2B%26%3D%2F%C3%A9&MaxItems=1000");
	check_form(&aws_iam_get_account_authorization_details,
		&(struct aws_iam_account_details_in){.filter = {(void *)filter, 2}, .max_items = {0, true}},
		"Action=GetAccountAuthorizationDetails&Version=2010-05-08&Filter.member.1=User"
		"&Filter.member.2=LocalManagedPolicy&MaxItems=0");
	check_form(&aws_iam_list_policies,
		&(struct aws_iam_list_policies_in){.scope = STR("AWS"), .only_attached = {1, true}},
		"Action=ListPolicies&Version=2010-05-08&Scope=AWS&OnlyAttached=true");
	check_form(&aws_iam_get_role_policy,
		&(struct aws_iam_get_inline_in){.name = STR("r"), .policy_name = STR("p")},
		"Action=GetRolePolicy&Version=2010-05-08&RoleName=r&PolicyName=p");
	check_form(&aws_sts_get_caller_identity, NULL, "Action=GetCallerIdentity&Version=2011-06-15");
}

struct nested {
	struct aws_list tags; /* of struct aws_iam_tag */
	struct {
		struct str bytes;
		struct aws_int at;
	} inner;
};
static const struct aws_member tag_members[] = {
	{"Key", AWS_STRING, offsetof(struct aws_iam_tag, key), NULL},
	{"Value", AWS_STRING, offsetof(struct aws_iam_tag, value), NULL},
};
static const struct aws_shape tag_shape = AWS_SHAPE(struct aws_iam_tag, tag_members);
static const struct aws_member inner_members[] = {
	{"Bytes", AWS_BLOB, 0, NULL}, {"At", AWS_TIME, sizeof(struct str), NULL}};
static const struct aws_shape inner_shape = AWS_SHAPE(struct nested, inner_members);
static const struct aws_member nested_members[] = {
	{"Tags", AWS_LIST, offsetof(struct nested, tags), &tag_shape},
	{"Inner", AWS_STRUCT, offsetof(struct nested, inner), &inner_shape},
};
static const struct aws_shape nested_shape = AWS_SHAPE(struct nested, nested_members);
static const struct aws_operation nested_op = {
	.service = &aws_iam, .name = "Nested", .in = &nested_shape, .out = &nested_shape};

static void test_nested_form(void)
{
	struct aws_iam_tag tags[] = {{STR("k"), STR("v")}, {STR("k2"), STR("")}};
	struct nested in = {.tags = {tags, 2}, .inner = {.bytes = STR("\x01\xff"), .at = {0, true}}};

	check_form(&nested_op, &in,
		"Action=Nested&Version=2010-05-08&Tags.member.1.Key=k&Tags.member.1.Value=v&Tags.member.2."
		"Key=k2"
		"&Inner.Bytes=Af8%3D&Inner.At=1970-01-01T00%3A00%3A00Z");
	check_form(&nested_op, &(struct nested){.tags = {NULL, 0}}, "Action=Nested&Version=2010-05-08");
}

static void test_form_over_cap(void)
{
	CLEANUP(buf_deinit) struct buf b;
	struct err err;

	buf_init(&b, 20);
	CU_ASSERT_EQUAL(aws_query_encode(&aws_iam_list_users, NULL, &b, &err), ERR_TOO_LARGE);
}

/* ---- answers ---- */

struct seen {
	size_t users, groups, roles, policies, restarts, strings;
	char names[1000];
	size_t n;
	enum err_code fail_with;
	size_t fail_at; /* the n-th item, from 1 */
	size_t items;
};

static void note(struct seen *s, struct str name)
{
	for (size_t i = 0; i < name.n && s->n < sizeof(s->names) - 2; i++)
		s->names[s->n++] = name.p[i];
	if (s->n < sizeof(s->names))
		s->names[s->n++] = ' ';
}

static enum err_code on_item(void *self, const struct aws_member *list, const void *item, struct err *reterr)
{
	struct seen *s = self;

	if (++s->items == s->fail_at)
		return err_set(reterr, s->fail_with, "the sink is full");
	if (list == aws_iam_account_details_users) {
		const struct aws_iam_user *u = item;

		s->users++;
		note(s, u->name);
		for (size_t i = 0; i < u->groups.n; i++)
			note(s, *AWS_LIST_AT(u->groups, struct str, i));
		for (size_t i = 0; i < u->inline_policies.n; i++)
			note(s, AWS_LIST_AT(u->inline_policies, struct aws_iam_inline_policy, i)->document);
	} else if (list == aws_iam_account_details_groups) {
		s->groups++;
		note(s, ((const struct aws_iam_group *)item)->name);
	} else if (list == aws_iam_account_details_roles) {
		s->roles++;
		note(s, ((const struct aws_iam_role *)item)->trust_document);
	} else if (list == aws_iam_account_details_policies) {
		s->policies++;
		note(s, AWS_LIST_AT(((const struct aws_iam_policy *)item)->versions,
				struct aws_iam_policy_version, 0)
				->document);
	} else {
		s->strings++;
		note(s, *(const struct str *)item);
	}
	return ERR_OK;
}

static enum err_code decode(const struct aws_operation *op, const char *xml, size_t step, struct arena *a,
	void *out, const struct aws_sink *sink, bool *ret_cut, struct err *reterr)
{
	CLEANUP(aws_query_decoder_freep)
	struct aws_query_decoder *d = aws_query_decoder_new(&(struct aws_query_decoder_options){
		.op = op, .arena = a, .out = out, .sink = sink, .max_bytes = MAX_BYTES});
	struct str rest = str_c(xml);
	enum err_code code;

	*ret_cut = false;
	while (rest.n) {
		code = aws_query_decoder_feed(d, str_sub(rest, 0, step), reterr);
		if (code != ERR_OK)
			return code;
		rest = str_from(rest, step < rest.n ? step : rest.n);
	}
	return aws_query_decoder_finish(d, ret_cut, reterr);
}

static const char list_users_xml[] =
	"<?xml version=\"1.0\"?>\n<ListUsersResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\n"
	"  <ListUsersResult>\n    <Users>\n"
	"      <member><Path>/a/</Path><UserName>caf\xc3\xa9 &amp; "
	"co</UserName><Arn>arn:aws:iam::1:user/x</Arn>"
	"<CreateDate>2020-01-02T03:04:05Z</CreateDate><PasswordLastUsed>2021-01-01T00:00:00+00:00</"
	"PasswordLastUsed>"
	"<Unknown><Deep><UserName>no</UserName></Deep></Unknown></member>\n"
	"      <member><UserName>two</UserName><Tags/></member>\n"
	"    </Users>\n    <IsTruncated>true</IsTruncated>\n    <Marker>m&lt;1</Marker>\n"
	"  </ListUsersResult>\n  "
	"<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>\n</ListUsersResponse>\n";

static void test_list(void)
{
	static const size_t steps[] = {1, 7, 100000};

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		CLEANUP(arena_freep) struct arena *a = arena_new(0);
		struct aws_iam_list_users_out out;
		const struct aws_iam_user *u;
		struct err err;
		bool cut;

		memset(&out, 0xee, sizeof(out));
		CU_ASSERT_EQUAL(
			decode(&aws_iam_list_users, list_users_xml, steps[i], a, &out, NULL, &cut, &err),
			ERR_OK);
		CU_ASSERT_EQUAL_FATAL(out.users.n, 2);
		u = AWS_LIST_AT(out.users, struct aws_iam_user, 0);
		ASSERT_STR(u->name, STR("caf\xc3\xa9 & co"), "name");
		ASSERT_STR(u->path, STR("/a/"), "path");
		ASSERT_I64(u->created_s.v, 1577934245, "created");
		ASSERT_I64(u->password_last_used_s.v, 1609459200, "last used");
		u = AWS_LIST_AT(out.users, struct aws_iam_user, 1);
		ASSERT_STR(u->name, STR("two"), "second");
		CU_ASSERT_FALSE(u->created_s.set);
		CU_ASSERT_EQUAL(u->tags.n, 0);
		ASSERT_I64(out.page.is_truncated.v, 1, "truncated");
		ASSERT_STR(out.page.marker, STR("m<1"), "marker");
	}
}

static const char details_xml[] =
	"<GetAccountAuthorizationDetailsResponse><GetAccountAuthorizationDetailsResult>"
	"<IsTruncated>false</IsTruncated>"
	"<UserDetailList><member><UserName>ann</UserName><GroupList><member>g1</member><member>g2</member></"
	"GroupList>"
	"<UserPolicyList><member><PolicyName>p</PolicyName><PolicyDocument>%7B%7D</PolicyDocument></member></"
	"UserPolicyList>"
	"<Tags><member><Key>k</Key><Value/></member></Tags></member><member><UserName>bob</UserName></"
	"member></UserDetailList>"
	"<GroupDetailList><member><GroupName>g1</GroupName></member></GroupDetailList>"
	"<RoleDetailList><member><AssumeRolePolicyDocument>trust</AssumeRolePolicyDocument></member></"
	"RoleDetailList>"
	"<Policies><member><PolicyVersionList><member><Document>doc</Document><VersionId>v1</VersionId>"
	"<IsDefaultVersion>true</IsDefaultVersion></member></PolicyVersionList></member></Policies>"
	"</GetAccountAuthorizationDetailsResult></GetAccountAuthorizationDetailsResponse>";

static void test_sink(void)
{
	static const size_t steps[] = {1, 13, 100000};

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		CLEANUP(arena_freep) struct arena *a = arena_new(0);
		struct seen seen = {.users = 0};
		struct aws_sink sink = {.item = on_item, .self = &seen};
		struct aws_iam_account_details_out out;
		struct err err;
		size_t before = arena_used(a);
		bool cut;

		CU_ASSERT_EQUAL(decode(&aws_iam_get_account_authorization_details, details_xml, steps[i], a,
					&out, &sink, &cut, &err),
			ERR_OK);
		ASSERT_STR(str_n(seen.names, seen.n), STR("ann g1 g2 %7B%7D bob g1 trust doc "),
			"items in order");
		CU_ASSERT_EQUAL(seen.users + seen.groups + seen.roles + seen.policies, 5);
		CU_ASSERT_EQUAL(out.users.n, 0);
		CU_ASSERT_TRUE(out.page.is_truncated.set);
		CU_ASSERT_EQUAL(arena_used(a), before); /* items leave no trace */
	}
}

static void test_sink_of_strings(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct seen seen = {.users = 0};
	struct aws_sink sink = {.item = on_item, .self = &seen};
	struct aws_iam_list_account_aliases_out out;
	struct err err;
	bool cut;

	CU_ASSERT_EQUAL(decode(&aws_iam_list_account_aliases,
				"<ListAccountAliasesResponse><ListAccountAliasesResult><AccountAliases><"
				"member>a</member><member/>"
				"<member>c</member></AccountAliases></ListAccountAliasesResult></"
				"ListAccountAliasesResponse>",
				3, a, &out, &sink, &cut, &err),
		ERR_OK);
	ASSERT_STR(str_n(seen.names, seen.n), STR("a  c "), "aliases");
}

/* Each item's memory is given back: together they would not fit. */
static void test_sink_of_many(void)
{
	CLEANUP(buf_deinit) struct buf b;
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct seen seen = {.users = 0};
	struct aws_sink sink = {.item = on_item, .self = &seen};
	struct aws_iam_account_details_out out;
	struct err err;
	bool cut;

	buf_init(&b, MAX_BYTES);
	buf_c(&b, "<GetAccountAuthorizationDetailsResponse><GetAccountAuthorizationDetailsResult><"
		  "UserDetailList>");
	for (int i = 0; i < 2000; i++)
		buf_c(&b, "<member><UserName>u</UserName></member>");
	buf_c(&b, "</UserDetailList></GetAccountAuthorizationDetailsResult></"
		  "GetAccountAuthorizationDetailsResponse>");
	CU_ASSERT_EQUAL(
		decode(&aws_iam_get_account_authorization_details, b.p, 1000, a, &out, &sink, &cut, &err),
		ERR_OK);
	CU_ASSERT_EQUAL(seen.users, 2000);
}

static void test_sink_error_ends_it(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct seen seen = {.fail_at = 2, .fail_with = ERR_UNAVAILABLE};
	struct aws_sink sink = {.item = on_item, .self = &seen};
	struct aws_iam_account_details_out out;
	struct err err;

	CLEANUP(aws_query_decoder_freep)
	struct aws_query_decoder *d = aws_query_decoder_new(
		&(struct aws_query_decoder_options){.op = &aws_iam_get_account_authorization_details,
			.arena = a,
			.out = &out,
			.sink = &sink,
			.max_bytes = MAX_BYTES});
	CU_ASSERT_EQUAL(aws_query_decoder_feed(d, str_c(details_xml), &err), ERR_UNAVAILABLE);
	ASSERT_STR(str_c(err.msg), STR("the sink is full"), "message");
}

/* Frames that the tables flatten, and kinds that lists do not have. */
static void test_other_shapes(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct aws_iam_access_key_last_used_out used;
	struct aws_iam_get_credential_report_out report;
	struct aws_iam_get_group_out group;
	struct aws_sts_assume_role_out assumed;
	struct err err;
	bool cut;

	CU_ASSERT_EQUAL(decode(&aws_iam_get_access_key_last_used,
				"<GetAccessKeyLastUsedResponse><GetAccessKeyLastUsedResult><UserName>u</"
				"UserName><AccessKeyLastUsed>"
				"<Region>x</Region><LastUsedDate>1970-01-01T00:01:00Z</LastUsedDate></"
				"AccessKeyLastUsed>"
				"</GetAccessKeyLastUsedResult></GetAccessKeyLastUsedResponse>",
				5, a, &used, NULL, &cut, &err),
		ERR_OK);
	ASSERT_STR(used.user_name, STR("u"), "user");
	ASSERT_I64(used.last_used_s.v, 60, "last used");
	CU_ASSERT_EQUAL(decode(&aws_iam_get_credential_report,
				"<GetCredentialReportResponse><GetCredentialReportResult><Content>\n "
				"dXNlcixhcm4=\n</Content>"
				"</GetCredentialReportResult></GetCredentialReportResponse>",
				5, a, &report, NULL, &cut, &err),
		ERR_OK);
	ASSERT_STR(report.content, STR("user,arn"), "report");
	CU_ASSERT_EQUAL(decode(&aws_iam_get_group,
				"<GetGroupResponse><GetGroupResult><Group><GroupName>g</GroupName></"
				"Group><Users><member>"
				"<UserName>u</UserName></member></Users></GetGroupResult></GetGroupResponse>",
				5, a, &group, NULL, &cut, &err),
		ERR_OK);
	ASSERT_STR(group.group.name, STR("g"), "group");
	CU_ASSERT_EQUAL(group.users.n, 1);
	CU_ASSERT_EQUAL(decode(&aws_sts_assume_role,
				"<AssumeRoleResponse><AssumeRoleResult><AssumedRoleUser><Arn>a</Arn></"
				"AssumedRoleUser><Credentials>"
				"<AccessKeyId>AKIA</AccessKeyId><SecretAccessKey>s</"
				"SecretAccessKey><SessionToken>t</SessionToken>"
				"<Expiration>1970-01-01T00:00:01Z</Expiration></Credentials></"
				"AssumeRoleResult></AssumeRoleResponse>",
				5, a, &assumed, NULL, &cut, &err),
		ERR_OK);
	ASSERT_STR(assumed.credentials.session_token, STR("t"), "token");
	ASSERT_STR(assumed.assumed_role_arn, STR("a"), "arn");
	ASSERT_I64(assumed.credentials.expiration_s.v, 1, "expiration");
}

static void test_a_list_that_grows(void)
{
	CLEANUP(buf_deinit) struct buf b;
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct aws_iam_list_inline_out out;
	struct err err;
	bool cut;

	buf_init(&b, MAX_BYTES);
	buf_c(&b, "<ListUserPoliciesResponse><ListUserPoliciesResult><PolicyNames>");
	for (int i = 0; i < 1000; i++)
		buf_c(&b, "<member>p</member>");
	buf_c(&b, "</PolicyNames></ListUserPoliciesResult></ListUserPoliciesResponse>");
	CU_ASSERT_EQUAL(decode(&aws_iam_list_user_policies, b.p, 1000, a, &out, NULL, &cut, &err), ERR_OK);
	CU_ASSERT_EQUAL(out.names.n, 1000);
	for (size_t i = 0; i < out.names.n; i++)
		ASSERT_STR(*AWS_LIST_AT(out.names, struct str, i), STR("p"), "element");
}

static void test_wrong_answers(void)
{
#define USERS(x) "<ListUsersResponse><ListUsersResult>" x "</ListUsersResult></ListUsersResponse>"
	static const struct {
		const char *xml;
		enum err_code want;
		const char *message;
	} rows[] = {
		{"", ERR_PROTOCOL, "the answer to ListUsers is cut off"},
		{"<html></html>", ERR_PROTOCOL,
			"the answer to ListUsers is a <html>, not a <ListUsersResponse>"},
		{"<ErrorResponse/>", ERR_PROTOCOL,
			"the answer to ListUsers is a <ErrorResponse>, not a <ListUsersResponse>"},
		{"<ListUsersResponse></ListUsersResponse>", ERR_PROTOCOL,
			"the answer to ListUsers has no <ListUsersResult>"},
		{"<ListUsersResponse><ListUsersResult/><ListUsersResult/></ListUsersResponse>", ERR_PROTOCOL,
			"ListUsersResult: the result comes twice"},
		{USERS("<IsTruncated>maybe</IsTruncated>"), ERR_PROTOCOL,
			"ListUsersResult.IsTruncated: not true or false"},
		{USERS("<IsTruncated/>"), ERR_PROTOCOL, "ListUsersResult.IsTruncated: not true or false"},
		{USERS("<Users>text</Users>"), ERR_PROTOCOL,
			"ListUsersResult.Users: text where elements belong"},
		{USERS("<Users><user/></Users>"), ERR_PROTOCOL,
			"ListUsersResult.Users: the list holds something else than <member>"},
		{USERS("<Users><member/></Users><Users><member/></Users>"), ERR_PROTOCOL,
			"ListUsersResult.Users: the list comes twice"},
		{USERS("<Users><member/><member>x</member></Users>"), ERR_PROTOCOL,
			"ListUsersResult.Users[1]: text where elements belong"},
		{USERS("<Users><member/><member><UserName><b/></UserName></member></Users>"), ERR_PROTOCOL,
			"ListUsersResult.Users[1].UserName: a value holds an element"},
		{USERS("<Users><member><CreateDate>yesterday</CreateDate></member></Users>"), ERR_PROTOCOL,
			"ListUsersResult.Users[0].CreateDate: not a date"},
		{USERS("<Users><member><Tags><member/><member><Key>a</Key>b</member></Tags></member></"
		       "Users>"),
			ERR_PROTOCOL, "ListUsersResult.Users[0].Tags[1]: text where elements belong"},
		{"<!DOCTYPE a [<!ENTITY x 'y'>]><a/>", ERR_PROTOCOL, NULL},
		{"<ListUsersResponse><ListUsersResult></ListUsersResponse>", ERR_PROTOCOL, NULL},
		{"<ListUsersResponse>"
		 "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><"
		 "a><a>",
			ERR_TOO_LARGE, NULL},
	};
#undef USERS

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(arena_freep) struct arena *a = arena_new(0);
		struct aws_iam_list_users_out out;
		struct err err = {.code = ERR_OK};
		bool cut;

		ASSERT_I64(decode(&aws_iam_list_users, rows[i].xml, 1000, a, &out, NULL, &cut, &err),
			rows[i].want, rows[i].xml);
		if (rows[i].message)
			ASSERT_STR(str_c(err.msg), str_c(rows[i].message), rows[i].xml);
		ASSERT_I64(cut, i == 0, rows[i].xml);
	}
}

/* Wherever an answer is cut, it is an error and known as a cut, never a smaller answer. */
static void test_cut_everywhere(void)
{
	struct str whole = str_trim(str_c(list_users_xml));

	for (size_t n = 0; n < whole.n; n++) {
		CLEANUP(arena_freep) struct arena *a = arena_new(0);
		CLEANUP(mem_freep) char *part = mem_strndup(whole.p, n);
		struct aws_iam_list_users_out out;
		struct err err;
		bool cut;

		ASSERT_I64(decode(&aws_iam_list_users, part, 50, a, &out, NULL, &cut, &err), ERR_PROTOCOL,
			"cut");
		CU_ASSERT_TRUE(cut);
	}
}

static void test_limits(void)
{
	CLEANUP(buf_deinit) struct buf b;
	CLEANUP(arena_freep) struct arena *capped = arena_new(2000);
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct aws_iam_list_users_out out;
	struct err err;
	bool cut;

	/* few bytes, much memory: an empty element of 9 bytes becomes a struct of some 200 */
	buf_init(&b, MAX_BYTES);
	buf_c(&b, "<ListUsersResponse><ListUsersResult><Users>");
	for (int i = 0; i < 8000; i++)
		buf_c(&b, "<member/>");
	CU_ASSERT_EQUAL(decode(&aws_iam_list_users, b.p, 1000, a, &out, NULL, &cut, &err), ERR_TOO_LARGE);
	/* the arena's own cap */
	b.n = strlen("<ListUsersResponse><ListUsersResult>");
	b.p[b.n] = '\0';
	buf_c(&b, "<Marker>");
	for (int i = 0; i < 3000; i++)
		buf_char(&b, 'x');
	buf_c(&b, "</Marker>");
	CU_ASSERT_EQUAL(
		decode(&aws_iam_list_users, b.p, 1000, capped, &out, NULL, &cut, &err), ERR_TOO_LARGE);
	/* the body */
	while (!b.overflow)
		buf_c(&b, "<x></x>");
	buf_reset(&b);
	b.cap *= 2;
	buf_c(&b, "<ListUsersResponse>");
	while (b.n <= MAX_BYTES)
		buf_c(&b, "<x></x>");
	CU_ASSERT_EQUAL(decode(&aws_iam_list_users, b.p, 1000, a, &out, NULL, &cut, &err), ERR_TOO_LARGE);
}

/* ---- errors ---- */

static void test_error_bodies(void)
{
	static const struct {
		const char *body, *code, *message, *request_id;
	} rows[] = {
		{"<ErrorResponse "
		 "xmlns=\"x\"><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>gone &amp; "
		 "away</Message>"
		 "</Error><RequestId>r-1</RequestId></ErrorResponse>",
			"NoSuchEntity", "gone & away", "r-1"},
		{"<Response><Errors><Error><Code>A</Code><Message>m</Message></Error><Error><Code>B</Code></"
		 "Error></Errors>"
		 "<RequestID>r-2</RequestID></Response>",
			"A", "m", "r-2"},
		{"<Error><Code> SlowDown </Code><Message>m</Message><RequestId>r</RequestId></Error>",
			"SlowDown", "m", "r"},
		{"<AccessDeniedException>\n  <Message>Unable to determine "
		 "service</Message>\n</AccessDeniedException>",
			"AccessDeniedException", "Unable to determine service", ""},
		{"<UnknownOperationException/>", "UnknownOperationException", "", ""},
		{"<ErrorResponse><Error><Code>Throttling</Code><Message>Rate ex", "Throttling", "", ""},
		{"<html><body>Bad Gateway</body></html>", "", "", ""},
		{"<", "", "", ""},
		{"", "", "", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(arena_freep) struct arena *a = arena_new(0);
		struct aws_failure f = {.code = STR_EMPTY, .message = STR_EMPTY, .request_id = STR_EMPTY};

		aws_query_read_error(a, str_c(rows[i].body), &f);
		ASSERT_STR(f.code, str_c(rows[i].code), rows[i].body);
		ASSERT_STR(f.message, str_c(rows[i].message), rows[i].body);
		ASSERT_STR(f.request_id, str_c(rows[i].request_id), rows[i].body);
	}
}

int main(void)
{
	static CU_TestInfo requests[] = {
		{"forms", test_forms},
		{"nested form", test_nested_form},
		{"form over the cap", test_form_over_cap},
		CU_TEST_INFO_NULL,
	};
	static CU_TestInfo answers[] = {
		{"list", test_list},
		{"sink", test_sink},
		{"sink of strings", test_sink_of_strings},
		{"sink of many", test_sink_of_many},
		{"a sink's error ends it", test_sink_error_ends_it},
		{"other shapes", test_other_shapes},
		{"a list that grows", test_a_list_that_grows},
		{"wrong answers", test_wrong_answers},
		{"cut everywhere", test_cut_everywhere},
		{"limits", test_limits},
		{"error bodies", test_error_bodies},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{"query requests", NULL, NULL, NULL, NULL, requests},
		{"query answers", NULL, NULL, NULL, NULL, answers},
		CU_SUITE_INFO_NULL,
	};

	return unit_main(suites);
}
