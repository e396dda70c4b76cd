#include "sim/sim_text.h"

#include <string.h>

#include "base/buf.h"

#define WORDS(name, ...)                                                                                     \
	static const char *const name##_list[] = {__VA_ARGS__};                                              \
	const struct sim_words name = {name##_list, ARRAY_LEN(name##_list)}

WORDS(sim_first_names, "ana", "ben", "carla", "daniel", "elif", "farid", "grace", "hugo", "ines", "jonas",
	"keiko", "liam", "maya", "nadia", "oscar", "priya", "quentin", "rosa", "samir", "tara", "ulrich",
	"vera", "wei", "ximena", "yusuf", "zoe", "amara", "bruno", "chloe", "dmitri", "esther", "felix",
	"gita", "henrik", "ida", "jamal", "kamala", "lucas", "mei", "noor");
WORDS(sim_last_names, "silva", "okafor", "tanaka", "mueller", "rossi", "garcia", "nguyen", "kowalski",
	"andersson", "haddad", "ivanova", "smith", "dubois", "kim", "patel", "oneill", "fernandez",
	"yamamoto", "novak", "larsen", "costa", "abebe", "chen", "martin", "schmidt", "ali", "jensen",
	"moreau", "santos", "virtanen", "popescu", "singh", "walker", "bianchi", "horvat", "lopez", "mbeki",
	"reyes", "suzuki", "weber");
WORDS(sim_services, "s3", "ec2", "lambda", "dynamodb", "sqs", "sns", "kms", "rds", "ecs", "eks", "glue",
	"athena", "cloudwatch", "logs", "ssm", "secretsmanager", "kinesis", "redshift", "sagemaker",
	"codebuild");
WORDS(sim_regions, "us-east-1", "eu-central-1", "eu-west-1", "us-west-2", "ap-southeast-2");
/* Tag values: letters of any script, digits, spaces and _ . : / = + - @ */
WORDS(sim_departments, "Engineering", "Vertrieb S\u00fcd", "Finance", "\u8ca1\u52d9", "Customer Success",
	"Pesquisa e Inova\u00e7\u00e3o", "Legal", "\u0418\u0422 + \u0441\u0435\u0442\u0438", "");
/* Paths: any of ! to ~, slashes at both ends; the last ones look for parsers that split carelessly. */
WORDS(sim_user_paths, "/", "/", "/", "/", "/", "/", "/", "/", "/engineering/", "/engineering/platform/",
	"/sales/emea/", "/service-accounts/", "/division_abc/subdivision_xyz/product_1234/",
	"/it's+a!path/~x/", "/a::inline::b/");
WORDS(sim_group_names, "AllStaff", "Administrators", "Developers", "DataScience", "Billing", "SecurityAudit",
	"ReadOnly", "SRE", "Support", "Contractors", "Finance-Analysts", "ML.Platform", "DBA", "Networking",
	"Release=Managers", "QA+Staging", "Partners@EMEA", "On_Call");
WORDS(sim_policy_names, "deny-leaving-organization", "s3-analytics-read", "billing-view", "kms-decrypt-prod",
	"ec2-start-stop", "lambda-deploy", "secrets-read-staging", "logs-insights", "dynamodb-orders-rw",
	"require-mfa", "boundary-developers", "boundary-automation", "glue-jobs-run", "redshift-copy",
	"ssm-session", "ecr-push");
WORDS(sim_role_purposes, "worker", "deploy", "reader", "ingest", "backup", "reporting", "gateway",
	"scheduler");
WORDS(sim_inline_names, "s3-scratch", "assume-deploy", "temporary=access", "Pass.Role", "break_glass",
	"kms+grants", "support@case,4711", "policygen-20240117");
/* Of roles AWS takes Latin-1 only; policies take anything, markup included. */
WORDS(sim_descriptions, "", "Runs the nightly batch", "Zugriff f\u00fcr die L\u00f6schung alter Daten",
	"Rotation & clean-up of <temporary> \"keys\"",
	"Acc\u00e8s r\u00e9serv\u00e9 \u00e0 l'\u00e9quipe d'astreinte", "Created by Terraform",
	"50% of reads, 100 % of writes + deletes");
WORDS(sim_access_levels, "FullAccess", "ReadOnlyAccess", "PowerUser", "ServiceRolePolicy",
	"ExecutionRolePolicy");
/* At most 50 characters of ASCII. */
WORDS(sim_account_names, "Production", "Staging", "Log Archive", "Audit", "Sandbox <dev>", "R&D",
	"Shared Services", "Data-Lake (EU)", "it's \"legacy\"", "backslash\\and/slash", "Acme, Inc. payments",
	"100% serverless", "An account with a name of fifty characters, a-z 0-9");
WORDS(sim_ou_names, "Security", "Infrastructure", "Workloads", "Sandbox", "Suspended", "Workloads",
	"R&D (EU)", "\"Policy Staging\"", "\u90e8\u9580 / 1");
/* At most 32 of letters, digits and _ + = , . @ - */
WORDS(sim_set_names, "AdministratorAccess", "ViewOnlyAccess", "PowerUserAccess", "Billing", "SecurityAudit",
	"Developer", "Break_Glass", "DataScience+ML", "support@emea", "NetworkAdmin,Prod", "ReadOnly=Prod",
	"an.unusually-long_name_012345678");
WORDS(sim_relay_states, "", "", "", "https://console.aws.amazon.com/billing/home#/",
	"https://eu-central-1.console.aws.amazon.com/s3/home?region=eu-central-1&x='%20'");

const char *sim_word(const struct sim_words *w, uint64_t hash)
{
	return w->words[hash % w->n];
}

const struct sim_aws_policy sim_aws_policies[] = {
	{"AdministratorAccess", "/"},
	{"PowerUserAccess", "/"},
	{"ReadOnlyAccess", "/"},
	{"SecurityAudit", "/"},
	{"IAMFullAccess", "/"},
	{"IAMUserChangePassword", "/"},
	{"AmazonS3FullAccess", "/"},
	{"AmazonS3ReadOnlyAccess", "/"},
	{"AmazonEC2ReadOnlyAccess", "/"},
	{"AmazonDynamoDBFullAccess", "/"},
	{"CloudWatchReadOnlyAccess", "/"},
	{"AmazonSSMManagedInstanceCore", "/"},
	{"Billing", "/job-function/"},
	{"ViewOnlyAccess", "/job-function/"},
	{"DatabaseAdministrator", "/job-function/"},
	{"AWSLambdaBasicExecutionRole", "/service-role/"},
	{"AWSLambdaVPCAccessExecutionRole", "/service-role/"},
	{"AmazonECSTaskExecutionRolePolicy", "/service-role/"},
	{"AWSSupportServiceRolePolicy", "/aws-service-role/"},
};
const size_t sim_aws_policies_n = ARRAY_LEN(sim_aws_policies);

#define STMT(s) "{\"Version\":\"2012-10-17\",\"Statement\":[" s "]}"

const struct sim_trust_form sim_fixed_roles[] = {
	{"OrganizationAccountAccessRole", "/", NULL, false,
		STMT("{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::{other}:root\"},\"Action\":"
		     "\"sts:AssumeRole\"}")},
	{"BatonBindingRole", "/", "binding-external-id", false,
		STMT("{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::{account}:root\"},"
		     "\"Action\":\"sts:AssumeRole\","
		     "\"Condition\":{\"StringEquals\":{\"sts:ExternalId\":\"binding-external-id\"}}}")},
	{"BatonConnectorRole", "/", "connector-external-id", false,
		STMT("{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::{account}:role/"
		     "BatonBindingRole\"},"
		     "\"Action\":\"sts:AssumeRole\","
		     "\"Condition\":{\"StringEquals\":{\"sts:ExternalId\":\"connector-external-id\"}}}")},
};
const size_t sim_fixed_roles_n = ARRAY_LEN(sim_fixed_roles);

/* Placeholders: account, other (another account), user and role (ARNs of this account), next (the ARN of the
 * role after this one), user_id. IAM stores a document as it was given, white space and order included. */
const struct sim_trust_form sim_trust_forms[] = {
	{"ec2", NULL, NULL, true,
		STMT("{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"ec2.amazonaws.com\"},\"Action\":"
		     "\"sts:AssumeRole\"}")},
	{"lambda", "/service-role/", NULL, false,
		"{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Effect\": \"Allow\",\n"
		"      \"Principal\": {\n        \"Service\": \"lambda.amazonaws.com\"\n      },\n"
		"      \"Action\": \"sts:AssumeRole\"\n    }\n  ]\n}"},
	{"services", NULL, NULL, false,
		STMT("{\"Effect\":\"Allow\",\"Principal\":{\"Service\":[\"ecs-tasks.amazonaws.com\","
		     "\"batch\"]},"
		     "\"Action\":[\"sts:AssumeRole\"]}")},
	{"AWSServiceRoleFor", "/aws-service-role/{service}.amazonaws.com/", NULL, false,
		STMT("{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"{service}.amazonaws.com\"},"
		     "\"Action\":\"sts:AssumeRole\"}")},
	{"xacct-root", NULL, NULL, false,
		STMT("{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::{other}:root\"},"
		     "\"Action\":\"sts:AssumeRole\","
		     "\"Condition\":{\"Bool\":{\"aws:MultiFactorAuthPresent\":true},"
		     "\"NumericLessThan\":{\"aws:MultiFactorAuthAge\":3600}}}")},
	{"xacct-role", NULL, NULL, false,
		STMT("{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::{other}:role/ci/"
		     "Deployer\"},"
		     "\"Action\":\"sts:AssumeRole\"}")},
	{"for-user", NULL, NULL, false,
		STMT("{\"Sid\":\"One\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"{user}\"},\"Action\":"
		     "\"sts:AssumeRole\"}")},
	{"for-role", NULL, NULL, false,
		STMT("{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":[\"{role}\"]},"
		     "\"Action\":[\"sts:TagSession\",\"sts:AssumeRole\"]}")},
	{"chain", NULL, NULL, false,
		STMT("{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":[\"{next}\",\"{user}\",\"{next}\"]},"
		     "\"Action\":\"sts:AssumeRole\"}")},
	{"chain", NULL, NULL, false,
		STMT("{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"{previous}\"},\"Action\":\"sts:"
		     "AssumeRole\"}")},
	{"github", "/ci/", NULL, false,
		STMT("{\"Effect\":\"Allow\",\"Principal\":{\"Federated\":"
		     "\"arn:aws:iam::{account}:oidc-provider/token.actions.githubusercontent.com\"},"
		     "\"Action\":\"sts:AssumeRoleWithWebIdentity\",\"Condition\":{\"StringEquals\":"
		     "{\"token.actions.githubusercontent.com:aud\":\"sts.amazonaws.com\"},\"StringLike\":"
		     "{\"token.actions.githubusercontent.com:sub\":[\"repo:example/app:*\"]}}}")},
	{"AWSReservedSSO", "/aws-reserved/sso.amazonaws.com/eu-central-1/", NULL, false,
		STMT("{\"Effect\":\"Allow\",\"Principal\":{\"Federated\":"
		     "\"arn:aws:iam::{account}:saml-provider/AWSSSO_0123456789abcdef_DO_NOT_DELETE\"},"
		     "\"Action\":[\"sts:AssumeRoleWithSAML\",\"sts:TagSession\"],\"Condition\":{"
		     "\"StringEquals\":"
		     "{\"SAML:aud\":\"https://signin.aws.amazon.com/saml\"}}}")},
	{"cognito", NULL, NULL, false,
		STMT("{\"Effect\":\"Allow\",\"Principal\":{\"Federated\":\"cognito-identity.amazonaws.com\"},"
		     "\"Action\":\"sts:AssumeRoleWithWebIdentity\"}")},
	{"anyone", NULL, NULL, false,
		STMT("{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"sts:AssumeRole\","
		     "\"Condition\":{\"StringEquals\":{\"aws:PrincipalOrgID\":\"o-a1b2c3d4e5\"}}}")},
	{"any-aws", NULL, NULL, false,
		STMT("{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"*\"},\"Action\":\"sts:AssumeRole\"}")},
	{"bare-account", NULL, NULL, false,
		STMT("{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":[\"{other}\",\"{user_id}\"]},\"Action\":"
		     "\"sts:AssumeRole\"}")},
	{"deny", NULL, NULL, false,
		STMT("{\"Effect\":\"Deny\",\"Principal\":{\"AWS\":\"{user}\"},\"Action\":\"sts:AssumeRole\"},"
		     "{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":[\"{user}\",\"{role}\"]},\"Action\":\"sts:"
		     "AssumeRole\"}")},
	{"sts-star", NULL, NULL, false,
		STMT("{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"{user}\"},\"Action\":\"sts:*\"}")},
	{"star", NULL, NULL, false,
		STMT("{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"{user}\"},\"Action\":\"*\"}")},
	{"odd-case", NULL, NULL, false,
		STMT("{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"{user}\"},\"Action\":\"STS:"
		     "assumerole\"}")},
	{"single", NULL, NULL, false,
		"{\"Version\":\"2008-10-17\",\"Id\":\"x\",\"Statement\":{\"Effect\":\"Allow\",\"Principal\":"
		"{\"AWS\":\"{user}\",\"Service\":\"{service}.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}"
		"}"},
	{"saml-only", NULL, NULL, false,
		STMT("{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"{role}\"},\"Action\":\"sts:"
		     "AssumeRoleWithSAML\"},"
		     "{\"Effect\":\"Allow\",\"Principal\":{\"Federated\":\"arn:aws:iam::{account}:saml-"
		     "provider/Okta\"},"
		     "\"Action\":\"sts:AssumeRoleWithSAML\"}")},
	{"sessions", NULL, NULL, false,
		STMT("{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":[\"arn:aws:sts::{account}:assumed-role/"
		     "chain/session\","
		     "\"arn:aws:sts::{account}:federated-user/"
		     "bob\",\"{user}\"]},\"Action\":\"sts:AssumeRole\"}")},
	{"not-principal", NULL, NULL, false,
		STMT("{\"Effect\":\"Deny\",\"NotPrincipal\":{\"AWS\":\"{user}\"},\"Action\":\"sts:"
		     "AssumeRole\"},"
		     "{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"{role}\",\"Service\":[\"{service}."
		     "amazonaws.com\"]},"
		     "\"NotAction\":\"sts:GetFederationToken\"}")},
	{"mixed", NULL, NULL, false,
		STMT("{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"{service}.amazonaws.com\"},"
		     "\"Action\":\"sts:AssumeRole\"},"
		     "{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":[\"{role}\",\"{user}\",\"arn:aws:iam::{"
		     "other}:user/eve\"]},"
		     "\"Action\":[\"sts:AssumeRole\",\"sts:SetSourceIdentity\"]}")},
};
const size_t sim_trust_forms_n = ARRAY_LEN(sim_trust_forms);

/* Placeholders: account, service, name, padding. Latin-1 characters, '+' and '%' are what a document may
 * hold. */
WORDS(sim_document_templates,
	STMT("{\"Effect\":\"Allow\",\"Action\":[\"{service}:Get*\",\"{service}:List*\"],\"Resource\":\"*\"}"),
	STMT("{\"Sid\":\"Scoped\",\"Effect\":\"Allow\",\"Action\":\"{service}:*\","
	     "\"Resource\":\"arn:aws:{service}:*:{account}:{name}/*\"{padding}}"),
	"{\n    \"Version\": \"2012-10-17\",\n    \"Statement\": [\n        {\n            \"Effect\": "
	"\"Deny\",\n"
	"            \"NotAction\": \"iam:*\",\n            \"Resource\": \"*\",\n            \"Condition\": "
	"{\n"
	"                \"StringLike\": {\"aws:PrincipalTag/team\": \"b\u00fcro + 100%/*\"}\n            "
	"}\n        }\n    ]\n}\n",
	STMT("{\"Effect\":\"Allow\",\"Action\":\"sts:AssumeRole\",\"Resource\":[\"arn:aws:iam::*:role/"
	     "{name}\","
	     "\"arn:aws:iam::{account}:role/a+b=c,@d\"]}"),
	STMT("{\"Effect\":\"Allow\",\"Action\":[\"s3:GetObject\",\"s3:PutObject\"],"
	     "\"Resource\":\"arn:aws:s3:::{name}/${aws:username}/<&>'%41'\"}"));

static const struct sim_fill *fill_find(const struct sim_fill *fills, size_t n, struct str key)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq_c(key, fills[i].key))
			return &fills[i];
	}
	return NULL;
}

struct str sim_text_fill(struct arena *a, const char *template_, const struct sim_fill *fills, size_t n)
{
	struct str rest = str_c(template_);
	struct buf out;

	buf_init(&out, SIZE_MAX / 2);
	while (rest.n > 0) {
		ptrdiff_t open = str_find_char(rest, '{');
		if (open < 0)
			break;
		ptrdiff_t close = str_find_char(str_from(rest, (size_t)open), '}');
		if (close < 0)
			break;
		const struct sim_fill *f =
			fill_find(fills, n, str_sub(rest, (size_t)open + 1, (size_t)close - 1));
		/* A brace of the JSON itself: copy it and look on right behind it. */
		size_t used = f != NULL ? (size_t)(open + close + 1) : (size_t)open + 1;
		buf_str(&out, str_sub(rest, 0, f != NULL ? (size_t)open : used));
		if (f != NULL)
			buf_str(&out, f->value);
		rest = str_from(rest, used);
	}
	buf_str(&out, rest);
	struct str text = buf_dup(&out, a);
	buf_deinit(&out);
	return text;
}
