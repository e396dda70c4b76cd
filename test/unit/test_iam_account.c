/* layers: inventory base
 *
 * The packed account: order, look-up, what is read back, and bytes that somebody damaged. */
#include "inventory/iam_account.h"

#include <string.h>

#include "base/mem.h"
#include "inventory/pack.h"
#include "support/cunit_main.h"
#include "support/sample_account.h"

static void test_reads_back(void)
{
	struct iam_account *a = sample_account();
	struct arena *arena = arena_new(0);
	struct iam_group g;
	struct iam_role r;
	struct iam_user u;

	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	ASSERT_STR(iam_account_id(a), STR(SAMPLE_ACCOUNT), "id");
	ASSERT_I64(iam_account_count(a, IAM_USERS), 3, "the double user is one");
	ASSERT_STR(iam_account_user(a, 0, arena).is.name, STR("alice"), "order");
	ASSERT_STR(iam_account_user(a, 1, arena).is.name, STR("Bob the last"), "the last one wins");
	u = iam_account_user(a, 2, arena);
	ASSERT_STR(u.is.name, STR("carol"), "order");
	ASSERT_I64(u.last_login_s, -5, "dates before 1970");
	ASSERT_I64(u.is.n_tags, 2, "tags");
	ASSERT_STR(u.is.tags[0].value, STR("carol@example.com"), "tag");
	ASSERT_STR(u.is.inlines[0].name, STR("alpha"), "inline policies by name");
	ASSERT_STR(u.is.inlines[1].document, STR("{\"z\":1}"), "document");
	ASSERT_STR(u.is.attached[0].name, STR("Own"), "attachments by ARN");
	g = iam_account_group(a, 1, arena);
	ASSERT_STR(g.is.name, STR("g2"), "group");
	ASSERT_I64(g.is.created_s, IAM_NO_TIME, "no date");
	ASSERT_I64(g.n_members, 3, "members once each");
	ASSERT_STR(g.members[0], STR(SAMPLE_ARN("user/alice")), "members in order");
	r = iam_account_role(a, 0, arena);
	ASSERT_STR(r.description, STR("what for"), "description");
	ASSERT_I64(r.max_session_s, 3600, "session");
	CU_ASSERT(iam_account_policy(a, 1).aws_managed);
	arena_free(arena);
	iam_account_unref(a);
}

static void test_looks_up(void)
{
	struct iam_account *a = sample_account();

	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	ASSERT_I64(iam_account_find(a, IAM_USERS, STR(SAMPLE_ARN("user/bob"))), 1, "there");
	ASSERT_I64(iam_account_find(a, IAM_USERS, STR(SAMPLE_ARN("user/bobby"))), -1, "not there");
	ASSERT_I64(iam_account_find(a, IAM_USERS, STR_EMPTY), -1, "empty");
	ASSERT_I64(iam_account_find(a, IAM_ROLES, STR(SAMPLE_ARN("user/bob"))), -1, "another kind");
	ASSERT_I64(iam_account_after(a, IAM_USERS, STR_EMPTY), 0, "the beginning");
	ASSERT_I64(iam_account_after(a, IAM_USERS, STR(SAMPLE_ARN("user/alice"))), 1, "behind one");
	ASSERT_I64(
		iam_account_after(a, IAM_USERS, STR(SAMPLE_ARN("user/b"))), 1, "behind one that was deleted");
	ASSERT_I64(iam_account_after(a, IAM_USERS, STR(SAMPLE_ARN("user/carol"))), 3, "behind the last");
	iam_account_unref(a);
}

static void test_opens_what_it_packed(void)
{
	struct iam_account *a = sample_account(), *b = NULL;
	struct err e;

	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	CU_ASSERT_EQUAL_FATAL(iam_account_open(iam_account_bytes(a), &b, &e), ERR_OK);
	iam_account_unref(a);
	ASSERT_I64(iam_account_find(b, IAM_ROLES, STR(SAMPLE_ARN("role/r2"))), 1, "still there");
	iam_account_unref(b);
}

static enum err_code open_bytes(const char *bytes, size_t n)
{
	struct blob *blob = blob_new(str_n(bytes, n));
	struct iam_account *a = NULL;
	struct err e;
	const enum err_code code = iam_account_open(blob, &a, &e);

	iam_account_unref(a);
	blob_unref(blob);
	return code;
}

/* Puts the right checksum on damaged bytes, so that the checks behind it are reached. */
static void reseal(char *bytes, size_t n)
{
	const uint64_t sum = str_hash(str_n(bytes, n - 8));

	for (size_t i = 0; i < 8; i++)
		bytes[n - 8 + i] = (char)(sum >> (8 * i));
}

static void test_refuses_damage(void)
{
	struct iam_account *a = sample_account();
	const struct str all = blob_view(iam_account_bytes(a));
	size_t accepted = 0;

	for (size_t i = 0; i < all.n; i++) {
		char *copy = mem_alloc(all.n);

		memcpy(copy, all.p, all.n);
		copy[i] ^= 0x55;
		CU_ASSERT_EQUAL(open_bytes(copy, all.n), ERR_PROTOCOL); /* the checksum */
		CU_ASSERT_EQUAL(open_bytes(all.p, i), ERR_PROTOCOL);    /* cut short */
		reseal(copy, all.n);
		accepted += open_bytes(copy, all.n) ==
			    ERR_OK; /* a letter of a name may change; nothing may crash */
		mem_free(copy);
	}
	CU_ASSERT(accepted < all.n);
	iam_account_unref(a);
}

static void test_pack(void)
{
	static const uint64_t numbers[] = {0, 1, 127, 128, 300, UINT32_MAX, UINT64_MAX};
	static const int64_t signs[] = {0, -1, 1, INT64_MIN, INT64_MAX};
	struct unpack u;
	struct buf b;

	buf_init(&b, 1000);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		pack_u64(&b, numbers[i]);
	for (size_t i = 0; i < ARRAY_LEN(signs); i++)
		pack_i64(&b, signs[i]);
	u = (struct unpack){.rest = buf_view(&b)};
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		CU_ASSERT_EQUAL(unpack_u64(&u), numbers[i]);
	for (size_t i = 0; i < ARRAY_LEN(signs); i++)
		CU_ASSERT_EQUAL(unpack_i64(&u), signs[i]);
	CU_ASSERT_FALSE(u.bad);
	CU_ASSERT_EQUAL(unpack_u64(&u), 0);
	CU_ASSERT(u.bad);
	u = (struct unpack){.rest = STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f")}; /* 70 bits */
	CU_ASSERT_EQUAL(unpack_u64(&u), 0);
	CU_ASSERT(u.bad);
	u = (struct unpack){.rest = STR("\x7f"
					"abc")}; /* longer than what is left */
	CU_ASSERT_EQUAL(unpack_str(&u).n, 0);
	CU_ASSERT(u.bad);
	u = (struct unpack){.rest = STR("\x05"
					"abcd")};
	CU_ASSERT_EQUAL(unpack_count(&u, 1), 0);
	CU_ASSERT(u.bad);
	buf_deinit(&b);
}

static void test_limit(void)
{
	struct iam_draft *d = iam_draft_new(STR(SAMPLE_ACCOUNT));
	struct draft_user *u = iam_draft_add(d, IAM_USERS, sizeof(*u));
	struct iam_account *a = NULL;
	struct err e;

	u->facts.is.arn = STR(SAMPLE_ARN("user/u"));
	CU_ASSERT_EQUAL(iam_draft_finish(d, 50, &a, &e), ERR_TOO_LARGE);
	iam_draft_free(d);
	d = iam_draft_new(STR("12345"));
	CU_ASSERT_EQUAL(iam_draft_finish(d, 1000, &a, &e), ERR_INVALID);
	iam_draft_free(d);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"reads back what was gathered", test_reads_back},
		{"looks up by ARN", test_looks_up},
		{"opens what it packed", test_opens_what_it_packed},
		{"refuses damaged bytes", test_refuses_damage},
		{"numbers and text", test_pack},
		{"limits", test_limit},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"iam_account", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
