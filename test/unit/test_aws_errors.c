/* layers: aws base
 *
 * AWS's codes in our words. The two rules: refused credentials are never a missing permission, and
 * nothing but AWS's own word makes a thing "not found" or "existing". */
#include "aws/errors.h"

#include "aws/iam.h"
#include "aws/identity_store.h"
#include "aws/sts.h"
#include "support/cunit_main.h"

enum { PLAIN = 0, RETRY = 1, THROTTLE = 2, EXPIRED = 4, SKEW = 8 };

static void test_classes(void)
{
	static const struct {
		const char *code;
		int status;
		enum err_code want;
		int flags;
	} rows[] = {
		/* every throttle code of spec/iam.md 3.7 */
		{"Throttling", 400, ERR_THROTTLED, RETRY | THROTTLE},
		{"ThrottlingException", 400, ERR_THROTTLED, RETRY | THROTTLE},
		{"ThrottledException", 400, ERR_THROTTLED, RETRY | THROTTLE},
		{"RequestThrottledException", 400, ERR_THROTTLED, RETRY | THROTTLE},
		{"TooManyRequestsException", 429, ERR_THROTTLED, RETRY | THROTTLE},
		{"ProvisionedThroughputExceededException", 400, ERR_THROTTLED, RETRY | THROTTLE},
		{"TransactionInProgressException", 400, ERR_THROTTLED, RETRY | THROTTLE},
		{"RequestLimitExceeded", 503, ERR_THROTTLED, RETRY | THROTTLE},
		{"BandwidthLimitExceeded", 509, ERR_THROTTLED, RETRY | THROTTLE},
		{"LimitExceededException", 400, ERR_THROTTLED, RETRY | THROTTLE},
		{"RequestThrottled", 400, ERR_THROTTLED, RETRY | THROTTLE},
		{"SlowDown", 503, ERR_THROTTLED, RETRY | THROTTLE},
		{"PriorRequestNotComplete", 400, ERR_THROTTLED, RETRY | THROTTLE},
		{"EC2ThrottledException", 400, ERR_THROTTLED, RETRY | THROTTLE},
		{"throttling", 400, ERR_THROTTLED, RETRY | THROTTLE},
		{"LimitExceeded", 409, ERR_LIMIT, PLAIN}, /* IAM's quota */
		/* AWS's own trouble */
		{"RequestTimeout", 400, ERR_UNAVAILABLE, RETRY},
		{"RequestTimeoutException", 400, ERR_UNAVAILABLE, RETRY},
		{"InternalFailure", 500, ERR_UNAVAILABLE, RETRY},
		{"ServiceFailure", 500, ERR_UNAVAILABLE, RETRY},
		{"ServiceUnavailable", 503, ERR_UNAVAILABLE, RETRY},
		{"InternalServerException", 500, ERR_UNAVAILABLE, RETRY},
		{"ServiceException", 500, ERR_UNAVAILABLE, RETRY},
		{"NeverHeardOf", 500, ERR_UNAVAILABLE, RETRY},
		{"NoSuchEntity", 503, ERR_NOT_FOUND,
			RETRY}, /* the status alone makes it worth another attempt */
		{"", 502, ERR_UNAVAILABLE, RETRY},
		{"", 505, ERR_UNAVAILABLE, RETRY},
		{"", 501, ERR_UNSUPPORTED, PLAIN},
		/* credentials */
		{"ExpiredToken", 403, ERR_UNAUTHENTICATED, EXPIRED},
		{"ExpiredTokenException", 400, ERR_UNAUTHENTICATED, EXPIRED},
		{"RequestExpired", 400, ERR_UNAUTHENTICATED, EXPIRED | SKEW},
		{"RequestTimeTooSkewed", 403, ERR_UNAUTHENTICATED, SKEW},
		{"SignatureDoesNotMatch", 403, ERR_UNAUTHENTICATED, SKEW},
		{"InvalidSignatureException", 400, ERR_UNAUTHENTICATED, SKEW},
		{"InvalidClientTokenId", 403, ERR_UNAUTHENTICATED, EXPIRED},
		{"UnrecognizedClientException", 400, ERR_UNAUTHENTICATED, EXPIRED},
		{"UnrecognizedClient", 403, ERR_UNAUTHENTICATED, EXPIRED},
		{"MissingAuthenticationToken", 403, ERR_UNAUTHENTICATED, PLAIN},
		{"IncompleteSignature", 403, ERR_UNAUTHENTICATED, PLAIN},
		{"OptInRequired", 403, ERR_UNAUTHENTICATED, PLAIN},
		{"NeverHeardOf", 403, ERR_UNAUTHENTICATED, PLAIN},
		{"", 403, ERR_UNAUTHENTICATED, PLAIN},
		{"", 401, ERR_UNAUTHENTICATED, PLAIN},
		/* permissions */
		{"AccessDenied", 403, ERR_DENIED, PLAIN},
		{"AccessDeniedException", 400, ERR_DENIED, PLAIN},
		{"accessdenied", 403, ERR_DENIED, PLAIN},
		{"AccessDeniedForDependencyException", 403, ERR_DENIED, PLAIN},
		/* objects */
		{"NoSuchEntity", 404, ERR_NOT_FOUND, PLAIN},
		{"ResourceNotFoundException", 400, ERR_NOT_FOUND, PLAIN},
		{"AccountNotFoundException", 400, ERR_NOT_FOUND, PLAIN},
		{"ChildNotFoundException", 400, ERR_NOT_FOUND, PLAIN},
		{"ParentNotFoundException", 400, ERR_NOT_FOUND, PLAIN},
		{"OrganizationalUnitNotFoundException", 400, ERR_NOT_FOUND, PLAIN},
		{"RootNotFoundException", 400, ERR_NOT_FOUND, PLAIN},
		{"NeverHeardOf", 404, ERR_MISSING, PLAIN},
		{"", 404, ERR_MISSING, PLAIN},
		{"EntityAlreadyExists", 409, ERR_EXISTS, PLAIN},
		{"", 409, ERR_CONFLICT, PLAIN},
		{"ConcurrentModification", 409, ERR_CONFLICT, PLAIN},
		{"EntityTemporarilyUnmodifiable", 409, ERR_CONFLICT, PLAIN},
		{"ConcurrentModificationException", 400, ERR_CONFLICT, PLAIN},
		{"ConflictException", 400, ERR_CONFLICT, PLAIN},
		{"AWSOrganizationsNotInUseException", 400, ERR_PRECONDITION, PLAIN},
		{"ConstraintViolationException", 400, ERR_PRECONDITION, PLAIN},
		{"UnsupportedAPIEndpointException", 400, ERR_PRECONDITION, PLAIN},
		{"OperationNotPermittedException", 400, ERR_PRECONDITION, PLAIN},
		{"UnsupportedOperationException", 400, ERR_PRECONDITION, PLAIN},
		{"ServiceQuotaExceededException", 400, ERR_LIMIT, PLAIN},
		{"DeleteConflict", 409, ERR_PRECONDITION, PLAIN},
		{"UnmodifiableEntity", 400, ERR_PRECONDITION, PLAIN},
		{"PolicyNotAttachable", 400, ERR_PRECONDITION, PLAIN},
		{"ReportNotPresent", 410, ERR_PRECONDITION, PLAIN},
		{"ReportInProgress", 404, ERR_PRECONDITION, PLAIN},
		/* input */
		{"InvalidInput", 400, ERR_INVALID, PLAIN},
		{"ValidationError", 400, ERR_INVALID, PLAIN},
		{"ValidationException", 400, ERR_INVALID, PLAIN},
		{"InvalidInputException", 400, ERR_INVALID, PLAIN},
		{"InvalidNextTokenException", 400, ERR_INVALID, PLAIN},
		{"InvalidTimeRangeException", 400, ERR_INVALID, PLAIN},
		{"InvalidLookupAttributesException", 400, ERR_INVALID, PLAIN},
		{"InvalidMaxResultsException", 400, ERR_INVALID, PLAIN},
		{"InvalidEventCategoryException", 400, ERR_INVALID, PLAIN},
		{"MalformedPolicyDocument", 400, ERR_INVALID, PLAIN},
		{"", 400, ERR_INVALID, PLAIN},
		{"", 429, ERR_THROTTLED, RETRY | THROTTLE},
		{"", 408, ERR_UNAVAILABLE, RETRY},
		{"", 302, ERR_PROTOCOL, PLAIN},
		{"", 0, ERR_PROTOCOL, PLAIN},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct aws_error_class c = aws_error_classify(str_c(rows[i].code), rows[i].status);

		ASSERT_I64(c.code, rows[i].want, rows[i].code);
		ASSERT_I64(c.retryable, (rows[i].flags & RETRY) != 0, rows[i].code);
		ASSERT_I64(c.throttle, (rows[i].flags & THROTTLE) != 0, rows[i].code);
		ASSERT_I64(c.expired, (rows[i].flags & EXPIRED) != 0, rows[i].code);
		ASSERT_I64(c.clock_skew, (rows[i].flags & SKEW) != 0, rows[i].code);
	}
}

/* A directory whose key is lost has lost nobody in it. */
static void test_details(void)
{
	static const struct {
		const char *code, *reason, *resource_type;
		enum err_code want;
		const char *message;
	} rows[] = {
		{"ResourceNotFoundException", "", "USER", ERR_NOT_FOUND,
			"identitystore:DescribeUser: ResourceNotFoundException: m"},
		{"ResourceNotFoundException", "", "", ERR_NOT_FOUND, NULL},
		{"ResourceNotFoundException", "KMS_KEY_NOT_FOUND", "", ERR_MISSING,
			"identitystore:DescribeUser: ResourceNotFoundException (KMS_KEY_NOT_FOUND): m"},
		{"ResourceNotFoundException", "KMS_NotFoundException", "", ERR_MISSING, NULL}, /* SSO Admin */
		{"ResourceNotFoundException", "KMS", "", ERR_NOT_FOUND, NULL},
		{"ResourceNotFoundException", "", "IDENTITY_STORE", ERR_MISSING, NULL},
		{"ValidationException", "KMS_DISABLED", "", ERR_PRECONDITION, NULL},
		{"ValidationException", "", "", ERR_INVALID, NULL},
		{"AccessDeniedException", "KMS_ACCESS_DENIED", "", ERR_DENIED, NULL},
		{"ConflictException", "UNIQUENESS_CONSTRAINT_VIOLATION", "", ERR_EXISTS, NULL},
		{"ConflictException", "CONCURRENT_MODIFICATION", "", ERR_CONFLICT, NULL},
		{"ConflictException", "", "", ERR_CONFLICT, NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct aws_failure f = {
			.code = str_c(rows[i].code),
			.message = STR("m"),
			.reason = str_c(rows[i].reason),
			.resource_type = str_c(rows[i].resource_type),
			.http_status = 400,
		};
		struct err err;

		ASSERT_I64(aws_failure_to_err(&aws_identity_store_describe_user, &f, &err), rows[i].want,
			rows[i].reason);
		ASSERT_I64(err.code, rows[i].want, rows[i].reason);
		if (rows[i].message)
			ASSERT_STR(str_c(err.msg), str_c(rows[i].message), rows[i].reason);
	}
}

static void test_bodies_of_either_kind(void)
{
	static const struct {
		const char *body, *header, *code;
	} rows[] = {
		{"\n <ErrorResponse><Error><Code>A</Code></Error></ErrorResponse>", "", "A"},
		{"{\"__type\":\"x#B\"}", "", "B"},
		{"{}", "C:http://x", "C"},
		{"{\"__type\":\"x#B\"}", "C", "B"},
		{"", "y#D", "D"},
		{"<html><body>Bad Gateway</body></html>", "", ""},
		{"Bad Gateway", "", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(arena_freep) struct arena *a = arena_new(0);
		struct aws_failure f = {.code = STR_EMPTY};

		aws_failure_parse(a, str_c(rows[i].body), str_c(rows[i].header), &f);
		ASSERT_STR(f.code, str_c(rows[i].code), rows[i].body);
	}
}

static void test_err(void)
{
	static const struct {
		const char *code, *message;
		int status;
		const char *want;
	} rows[] = {
		{"AccessDenied",
			"User: arn:aws:iam::1:user/x is not authorized to perform: iam:GetPolicyVersion on "
			"resource: y because "
			"no identity-based policy allows it",
			403,
			"iam:ListUsers is not allowed: missing permission iam:GetPolicyVersion (User: "
			"arn:aws:iam::1:user/x is not "
			"authorized to perform: iam:GetPolicyVersion on resource: y because no "
			"identity-based policy allows it)"},
		{"AccessDenied", "", 403, "iam:ListUsers is not allowed: missing permission iam:ListUsers"},
		{"AccessDenied", "not authorized to perform: nonsense", 403,
			"iam:ListUsers is not allowed: missing permission iam:ListUsers (not authorized to "
			"perform: nonsense)"},
		{"NoSuchEntity", "The user x cannot be found.", 404,
			"iam:ListUsers: NoSuchEntity: The user x cannot be found."},
		{"NoSuchEntity", "", 404, "iam:ListUsers: NoSuchEntity"},
		{"", "", 502, "iam:ListUsers: AWS answered HTTP 502 without an error code"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct aws_failure f = {
			.code = str_c(rows[i].code),
			.message = str_c(rows[i].message),
			.request_id = STR("req\n-1"),
			.http_status = rows[i].status,
			.retry_after_ms = 7,
		};
		struct err err;

		aws_failure_to_err(&aws_iam_list_users, &f, &err);
		ASSERT_STR(str_c(err.msg), str_c(rows[i].want), rows[i].code);
		ASSERT_STR(str_c(err.aws_code), str_c(rows[i].code), rows[i].code);
		ASSERT_STR(str_c(err.aws_operation), STR("iam:ListUsers"), rows[i].code);
		ASSERT_STR(str_c(err.request_id), STR("req-1"), rows[i].code);
		ASSERT_I64(err.http_status, rows[i].status, rows[i].code);
		ASSERT_I64(err.retry_after_ms, 7, rows[i].code);
	}
}

/* AWS shows who signed wrongly what should have been signed, the session token among it. */
static void test_no_token_in_messages(void)
{
	static const char intro[] =
		"The request signature we calculated does not match the signature you provided.";
	static const char *const rest[] = {
		"\n\nThe Canonical String for this request should have been\n'POST\n/\n\n"
		"host:iam.amazonaws.com\nx-amz-security-token:hunter2\n'",
		" The Canonical String for this request should have been 'POST x-amz-security-token:hunter2'",
		"\r\nx-amz-security-token:hunter2",
	};

	for (size_t i = 0; i < ARRAY_LEN(rest); i++) {
		CLEANUP(arena_freep) struct arena *a = arena_new(0);
		struct aws_failure f = {
			.code = STR("SignatureDoesNotMatch"),
			.message = str_fmt(a, "%s%s", intro, rest[i]),
			.http_status = 403,
		};
		struct err err;

		CU_ASSERT_EQUAL(aws_failure_to_err(&aws_iam_list_users, &f, &err), ERR_UNAUTHENTICATED);
		CU_ASSERT(str_contains(str_c(err.msg), STR("does not match the signature you provided")));
		CU_ASSERT(!str_contains(str_c(err.msg), STR("hunter2")));
	}
}

/* Nor an external id or a web identity token, which AWS's validation quotes. */
static void test_no_secret_input_in_messages(void)
{
	static const char *const messages[] = {
		"1 validation error detected: Value 'hunter2' at 'externalId' failed to satisfy constraint: "
		"x",
		"2 validation errors detected: Value 'y' at 'roleArn' failed; Value 'hunter2' at "
		"'externalId' failed",
		"1 validation error detected: Value 'hunter2' at 'webIdentityToken' failed to satisfy",
	};

	for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
		struct aws_failure f = {
			.code = STR("ValidationError"), .message = str_c(messages[i]), .http_status = 400};
		struct err err;

		CU_ASSERT_EQUAL(aws_failure_to_err(&aws_iam_list_users, &f, &err), ERR_INVALID);
		CU_ASSERT(str_contains(str_c(err.msg), STR("ValidationError: AWS refuses the ")));
		CU_ASSERT(!str_contains(str_c(err.msg), STR("hunter2")));
	}
}

static void test_long_texts_are_cut(void)
{
	struct err err;
	static char text[5000];
	struct aws_service long_service = aws_iam;
	struct aws_operation long_op = {.service = &long_service};
	struct aws_failure f;

	memset(text, 'x', sizeof(text) - 1);
	long_service.id = text;
	long_op.name = text;
	f = (struct aws_failure){
		.code = str_c(text), .message = str_c(text), .request_id = str_c(text), .http_status = 400};
	CU_ASSERT_EQUAL(aws_failure_to_err(&long_op, &f, &err), ERR_INVALID);
	CU_ASSERT_EQUAL(strlen(err.aws_operation), sizeof(err.aws_operation) - 1);
	CU_ASSERT_EQUAL(strlen(err.aws_code), sizeof(err.aws_code) - 1);
	CU_ASSERT_EQUAL(strlen(err.request_id), sizeof(err.request_id) - 1);
	CU_ASSERT(strlen(err.msg) < sizeof(err.msg));
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"classes", test_classes},
		{"details", test_details},
		{"bodies of either kind", test_bodies_of_either_kind},
		{"struct err", test_err},
		{"no token in messages", test_no_token_in_messages},
		{"no secret input in messages", test_no_secret_input_in_messages},
		{"long texts are cut", test_long_texts_are_cut},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"aws errors", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}
