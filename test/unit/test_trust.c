/* layers: syncers inventory proto base
 *
 * Trust policies: who may assume a role, and what the role is called for it (spec/iam.md 6.2, 6.5, 6.6, D7-D11). */
#include "syncers/trust.h"

#include "base/log.h"
#include "support/cunit_main.h"

#define ROLE                     "arn:aws:iam::111111111111:role/r"
#define ALICE                    "arn:aws:iam::111111111111:user/alice"
#define BOB                      "arn:aws:iam::222222222222:user/x/bob"
#define PEER                     "arn:aws:iam::111111111111:role/peer"
#define DOC(statement)           "{\"Version\":\"2012-10-17\",\"Statement\":" statement "}"
#define ALLOW(action, principal) "{\"Effect\":\"Allow\",\"Action\":" action ",\"Principal\":" principal "}"
#define DENY(action, principal)  "{\"Effect\":\"Deny\",\"Action\":" action ",\"Principal\":" principal "}"
#define AWS(who)                 "{\"AWS\":" who "}"
#define ASSUME                   "\"sts:AssumeRole\""

/* What each document grants ("type:ARN" joined by blanks, in order) and how it classifies the role. */
static const struct {
	const char *what, *document, *principals, *detail;
} cases[] = {
	{"no document", "", "", "aws.role"},
	{"not JSON", "{", "", "aws.role"},
	{"the literal null", "null", "", "aws.role"},
	{"an array", "[]", "", "aws.role"},
	{"no statement", "{}", "", "aws.role"},
	{"statement null", DOC("null"), "", "aws.role"},
	{"statement a string", DOC("\"x\""), "", "aws.role"},
	{"trailing garbage", DOC("[]") "x", "", "aws.role"},
	{"one object", DOC(ALLOW(ASSUME, AWS("\"" ALICE "\""))), "iam_user:" ALICE, "aws.role"},
	{"an array, sorted and without duplicates",
		DOC("[" ALLOW(ASSUME, AWS("[\"" PEER "\",\"" ALICE "\",\"" ALICE "\"]")) "]"),
		"iam_user:" ALICE " role:" PEER, "aws.role"},
	{"the same in two statements",
		DOC("[" ALLOW(ASSUME, AWS("\"" ALICE "\"")) "," ALLOW("\"sts:*\"", AWS("\"" ALICE "\"")) "]"),
		"iam_user:" ALICE, "aws.role"},
	{"another account", DOC(ALLOW(ASSUME, AWS("\"" BOB "\""))), "iam_user:" BOB,
		"aws.role.cross_account"},
	{"account roots and numbers",
		DOC(ALLOW(ASSUME, AWS("[\"arn:aws:iam::222222222222:root\",\"333333333333\"]"))), "",
		"aws.role.cross_account"},
	{"not an account", DOC(ALLOW(ASSUME, AWS("\"arn:aws:iam::cloudfront:user/x\""))), "", "aws.role"},
	{"not of IAM", DOC(ALLOW(ASSUME, AWS("\"arn:aws:sts::111111111111:user/x\""))), "", "aws.role"},
	{"sessions and ids",
		DOC(ALLOW(ASSUME,
			AWS("[\"arn:aws:sts::111111111111:assumed-role/a/b\",\"AIDAEXAMPLE\",\"\"]"))),
		"", "aws.role"},
	{"action by star", DOC(ALLOW("\"*\"", AWS("\"" ALICE "\""))), "iam_user:" ALICE, "aws.role"},
	{"action by glob", DOC(ALLOW("[\"s3:*\",\"STS:assume?ole\"]", AWS("\"" ALICE "\""))),
		"iam_user:" ALICE, "aws.role"},
	{"action by longer glob", DOC(ALLOW("\"sts:Assume*With*\"", AWS("\"" BOB "\""))), "",
		"aws.role.cross_account"},
	{"another action", DOC(ALLOW("\"sts:TagSession\"", AWS("\"" BOB "\""))), "", "aws.role"},
	{"action null", DOC(ALLOW("null", AWS("\"" ALICE "\""))), "", "aws.role"},
	{"effect in lower case",
		DOC("{\"Effect\":\"allow\",\"Action\":" ASSUME ",\"Principal\":" AWS("\"" ALICE "\"") "}"),
		"", "aws.role"},
	{"member names in any case",
		"{\"statement\":[{\"EFFECT\":\"Allow\",\"action\":" ASSUME
		",\"pRincipal\":" AWS("\"" ALICE "\"") "}]}",
		"iam_user:" ALICE, "aws.role"},
	{"principal names in exact case", DOC(ALLOW(ASSUME, "{\"aws\":\"" ALICE "\"}")), "", "aws.role"},
	{"last duplicate wins",
		DOC("{\"Effect\":\"Deny\",\"Effect\":\"Allow\",\"Action\":" ASSUME
		    ",\"Principal\":" AWS("\"" ALICE "\"") "}"),
		"iam_user:" ALICE, "aws.role"},
	{"a malformed statement hides no other",
		DOC("[" ALLOW(ASSUME, "[\"x\"]") "," ALLOW("7", AWS("\"" BOB "\"")) ",4,null," ALLOW(
			ASSUME, AWS("\"" ALICE "\"")) "]"),
		"iam_user:" ALICE, "aws.role"},
	{"everybody", DOC(ALLOW(ASSUME, "\"*\"")), "", "aws.role.public"},
	{"everybody in AWS", DOC(ALLOW(ASSUME, AWS("[\"*\",\"" ALICE "\"]"))), "iam_user:" ALICE,
		"aws.role.public"},
	{"everybody under a condition",
		DOC("{\"Effect\":\"Allow\",\"Action\":" ASSUME
		    ",\"Principal\":\"*\",\"Condition\":{\"Bool\":{\"a\":\"b\"}}}"),
		"", "aws.role"},
	{"public before service",
		DOC("[" ALLOW(ASSUME, "{\"Service\":\"ec2.amazonaws.com\"}") "," ALLOW(ASSUME, "\"*\"") "]"),
		"", "aws.role.public"},
	{"a deny of one",
		DOC("[" ALLOW(ASSUME, AWS("[\"" ALICE "\",\"" PEER "\"]")) "," DENY(
			"\"sts:*\"", AWS("\"" ALICE "\"")) "]"),
		"role:" PEER, "aws.role"},
	{"a deny before the allow",
		DOC("[" DENY(ASSUME, AWS("\"" ALICE "\"")) "," ALLOW(
			ASSUME, AWS("[\"" ALICE "\",\"" PEER "\"]")) "]"),
		"role:" PEER, "aws.role"},
	{"a deny of all", DOC("[" ALLOW(ASSUME, AWS("\"" ALICE "\"")) "," DENY(ASSUME, "\"*\"") "]"), "",
		"aws.role"},
	{"a conditional deny",
		DOC("[" ALLOW(ASSUME, AWS("\"" ALICE "\"")) ",{\"Effect\":\"Deny\",\"Action\":" ASSUME
							    ",\"Principal\":\"*\",\"Condition\":{\"Bool\":{"
							    "\"aws:MultiFactorAuthPresent\":\"false\"}}}]"),
		"iam_user:" ALICE, "aws.role"},
	{"a deny of another action",
		DOC("[" ALLOW(ASSUME, AWS("\"" ALICE "\"")) "," DENY("\"sts:TagSession\"", "\"*\"") "]"),
		"iam_user:" ALICE, "aws.role"},
	{"a deny by NotPrincipal",
		DOC("[" ALLOW(ASSUME, AWS("\"" ALICE "\"")) ",{\"Effect\":\"Deny\",\"Action\":" ASSUME
							    ",\"NotPrincipal\":{\"AWS\":\"" PEER "\"}}]"),
		"iam_user:" ALICE, "aws.role"},
	{"a service", DOC(ALLOW(ASSUME, "{\"Service\":\"lambda.amazonaws.com\"}")), "", "aws.role.lambda"},
	{"a service with a dash", DOC(ALLOW(ASSUME, "{\"Service\":\"ecs-tasks.amazonaws.com\"}")), "",
		"aws.role.ecs_tasks"},
	{"the smallest of services",
		DOC(ALLOW(ASSUME, "{\"Service\":[\"lambda.amazonaws.com\",\"EC2.amazonaws.com\",\"\"]}")), "",
		"aws.role.ec2"},
	{"a bare service", DOC(ALLOW(ASSUME, "{\"Service\":\"batch\"}")), "", "aws.role.batch"},
	{"oidc",
		DOC(ALLOW("\"sts:AssumeRoleWithWebIdentity\"",
			"{\"Federated\":\"arn:aws:iam::111111111111:oidc-provider/token.example\"}")),
		"", "aws.role.oidc"},
	{"saml",
		DOC(ALLOW("\"sts:AssumeRoleWithSAML\"",
			"{\"Federated\":[\"x\",\"arn:aws:iam::111111111111:saml-provider/o\"]}")),
		"", "aws.role.saml"},
	{"federated",
		DOC(ALLOW("\"sts:AssumeRoleWithWebIdentity\"",
			"{\"Federated\":\"cognito-identity.amazonaws.com\"}")),
		"", "aws.role.federated"},
	{"service before federated",
		DOC(ALLOW("\"sts:*\"", "{\"Federated\":\"a\",\"Service\":\"s3.amazonaws.com\"}")), "",
		"aws.role.s3"},
};

static void test_cases(void)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena *arena = arena_new(0);
		struct str got = STR_EMPTY;
		size_t n;
		const struct trust_principal *p =
			trust_principals(arena, str_c(cases[i].document), STR(ROLE), &n);

		for (size_t k = 0; k < n; k++)
			got = str_fmt(arena, STR_FMT "%s%s:" STR_FMT, STR_ARG(got), k > 0 ? " " : "",
				p[k].type_id, STR_ARG(p[k].arn));
		ASSERT_STR(got, str_c(cases[i].principals), cases[i].what);
		ASSERT_STR(trust_classify(arena, str_c(cases[i].document), STR(ROLE)), str_c(cases[i].detail),
			cases[i].what);
		arena_free(arena);
	}
}

static void count_line(void *arg, struct str line)
{
	(void)line;
	++*(size_t *)arg;
}

static void test_warns_of_what_it_ignores(void)
{
	struct arena *arena = arena_new(0);
	size_t lines = 0, n;

	log_capture(count_line, &lines);
	trust_principals(arena, STR(DOC("{\"Effect\":\"Deny\",\"NotAction\":\"s3:*\",\"Principal\":\"*\"}")),
		STR(ROLE), &n);
	trust_principals(arena, STR(DOC("{\"Effect\":\"Deny\",\"Action\":\"s3:*\",\"Principal\":\"*\"}")),
		STR(ROLE), &n);
	log_capture(NULL, NULL);
	CU_ASSERT_EQUAL(lines, 1);
	arena_free(arena);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"reads every form", test_cases},
		{"warns of what it ignores", test_warns_of_what_it_ignores},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"trust", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
