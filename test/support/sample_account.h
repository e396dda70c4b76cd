/* test/support/sample_account.h: see the tests that include it. It is a header with code, because test_support links only base. */
#ifndef TEST_SUPPORT_SAMPLE_ACCOUNT_H
#define TEST_SUPPORT_SAMPLE_ACCOUNT_H

#include "inventory/iam_draft.h"

#define SAMPLE_ACCOUNT "123456789012"
#define SAMPLE_ARN(x)  "arn:aws:iam::" SAMPLE_ACCOUNT ":" x

/* Three users, two groups, two roles, two policies, in no order; "bob" appears twice, the second time with another name. */
static inline struct iam_account *sample_account(void)
{
	static struct iam_tag tags[] = {
		{STR_INIT("email"), STR_INIT("carol@example.com")}, {STR_INIT("team"), STR_INIT("x")}};
	static struct iam_inline inlines[] = {
		{STR_INIT("zeta"), STR_INIT("{\"z\":1}")}, {STR_INIT("alpha"), STR_INIT("")}};
	static struct iam_attachment attached[] = {
		{STR_INIT("Own"), STR_INIT(SAMPLE_ARN("policy/Own"))},
		{STR_INIT("ReadOnlyAccess"), STR_INIT("arn:aws:iam::aws:policy/ReadOnlyAccess")},
	};
	static const struct str users[] = {
		STR_INIT("carol"), STR_INIT("bob"), STR_INIT("alice"), STR_INIT("bob")};
	struct iam_draft *d = iam_draft_new(STR(SAMPLE_ACCOUNT));
	struct iam_account *account = NULL;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(users); i++) {
		struct draft_user *u = iam_draft_add(d, IAM_USERS, sizeof(*u));

		u->facts = (struct iam_user){
			.is = {.arn = str_fmt(d->arena, SAMPLE_ARN("user/") STR_FMT, STR_ARG(users[i])),
				.path = STR("/"),
				.name = i == 3 ? STR("Bob the last") : users[i],
				.id = STR("AIDA"),
				.created_s = 1000},
			.last_login_s = i == 0 ? -5 : IAM_NO_TIME,
		};
		if (i == 0) {
			u->facts.is.tags = tags;
			u->facts.is.n_tags = ARRAY_LEN(tags);
			u->facts.is.inlines = inlines;
			u->facts.is.n_inlines = ARRAY_LEN(inlines);
			u->facts.is.attached = attached;
			u->facts.is.n_attached = ARRAY_LEN(attached);
		}
	}
	for (size_t i = 0; i < 2; i++) {
		struct draft_group *g = iam_draft_add(d, IAM_GROUPS, sizeof(*g));
		struct draft_role *r = iam_draft_add(d, IAM_ROLES, sizeof(*r));
		struct draft_policy *p = iam_draft_add(d, IAM_POLICIES, sizeof(*p));

		g->facts.is = (struct iam_principal){
			.arn = i == 0 ? STR(SAMPLE_ARN("group/g2")) : STR(SAMPLE_ARN("group/g1")),
			.path = STR("/"),
			.name = i == 0 ? STR("g2") : STR("g1"),
			.id = STR("AGPA"),
			.created_s = IAM_NO_TIME};
		for (size_t k = 0; i == 0 && k < ARRAY_LEN(users); k++)
			iam_draft_add_member(
				d, g, str_fmt(d->arena, SAMPLE_ARN("user/") STR_FMT, STR_ARG(users[k])));
		r->facts = (struct iam_role){
			.is = {.arn = i == 0 ? STR(SAMPLE_ARN("role/r2")) : STR(SAMPLE_ARN("role/r1")),
				.path = STR("/"),
				.name = i == 0 ? STR("r2") : STR("r1"),
				.id = STR("AROA"),
				.created_s = 2000},
			.description = STR("what for"),
			.max_session_s = 3600,
			.trust_document =
				STR("{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"sts:AssumeRole\","
				    "\"Principal\":{"
				    "\"AWS\":[\"" SAMPLE_ARN("role/r1") "\",\"" SAMPLE_ARN(
					    "user/bob") "\",\""
							"arn:aws:iam::999999999999:role/foreign\"]}}}"),
		};
		p->facts = (struct iam_policy){.arn = attached[i].arn,
			.name = attached[i].name,
			.description = STR("d"),
			.document = STR("{}"),
			.created_s = 3000,
			.aws_managed = i == 1};
	}
	if (iam_draft_finish(d, 1 << 20, &account, &e) != ERR_OK)
		account = NULL;
	iam_draft_free(d);
	return account;
}

#endif
