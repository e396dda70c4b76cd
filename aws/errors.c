#include "aws/errors.h"

#include <string.h>

#include "aws/json11.h"
#include "aws/query.h"

enum flags {
	RETRY = 1,    /* the same request may work in a moment */
	THROTTLE = 2, /* implies RETRY */
	EXPIRED = 4,
	SKEW = 8,
};

struct row {
	const char *aws_code;
	enum err_code code;
	unsigned flags;
};

/* Sources: spec/iam.md 3.7 and 3.8, D32; AWS's "Common errors" of IAM, STS, SSO Admin, Identity Store,
 * Organizations. "X" and "XException" are both listed: the same error has the one name in the query
 * protocol, the other in JSON. */
static const struct row rows[] = {
	/* Slow down. LimitExceededException throttles; IAM's LimitExceeded is a quota and stands
	 * further down. */
	{"Throttling", ERR_THROTTLED, THROTTLE},
	{"ThrottlingException", ERR_THROTTLED, THROTTLE},
	{"ThrottledException", ERR_THROTTLED, THROTTLE},
	{"RequestThrottledException", ERR_THROTTLED, THROTTLE},
	{"RequestThrottled", ERR_THROTTLED, THROTTLE},
	{"TooManyRequestsException", ERR_THROTTLED, THROTTLE},
	{"ProvisionedThroughputExceededException", ERR_THROTTLED, THROTTLE},
	{"RequestLimitExceeded", ERR_THROTTLED, THROTTLE},
	{"BandwidthLimitExceeded", ERR_THROTTLED, THROTTLE},
	{"LimitExceededException", ERR_THROTTLED, THROTTLE},
	{"SlowDown", ERR_THROTTLED, THROTTLE},
	{"EC2ThrottledException", ERR_THROTTLED, THROTTLE},
	{"TransactionInProgressException", ERR_THROTTLED, THROTTLE},
	{"PriorRequestNotComplete", ERR_THROTTLED, THROTTLE},

	/* AWS's own trouble. */
	{"RequestTimeout", ERR_UNAVAILABLE, RETRY},
	{"RequestTimeoutException", ERR_UNAVAILABLE, RETRY},
	{"InternalError", ERR_UNAVAILABLE, RETRY},
	{"InternalFailure", ERR_UNAVAILABLE, RETRY},
	{"InternalServerError", ERR_UNAVAILABLE, RETRY},
	{"InternalServerException", ERR_UNAVAILABLE, RETRY},
	{"ServiceException", ERR_UNAVAILABLE, RETRY},
	{"ServiceFailure", ERR_UNAVAILABLE, RETRY},
	{"ServiceUnavailable", ERR_UNAVAILABLE, RETRY},
	{"ServiceUnavailableException", ERR_UNAVAILABLE, RETRY},
	{"IDPCommunicationError", ERR_UNAVAILABLE, RETRY}, /* STS could not reach the identity provider */

	/* The credentials, not the permission. */
	{"ExpiredToken", ERR_UNAUTHENTICATED, EXPIRED},
	{"ExpiredTokenException", ERR_UNAUTHENTICATED, EXPIRED},
	{"TokenRefreshRequired", ERR_UNAUTHENTICATED, EXPIRED},
	{"RequestExpired", ERR_UNAUTHENTICATED, EXPIRED | SKEW},
	{"RequestTimeTooSkewed", ERR_UNAUTHENTICATED, SKEW},
	{"RequestInTheFuture", ERR_UNAUTHENTICATED, SKEW},
	{"SignatureDoesNotMatch", ERR_UNAUTHENTICATED, SKEW},
	{"InvalidSignatureException", ERR_UNAUTHENTICATED, SKEW},
	{"AuthFailure", ERR_UNAUTHENTICATED, SKEW},
	/* So are the sessions of a role called that was deleted, and may since be there again. */
	{"InvalidClientTokenId", ERR_UNAUTHENTICATED, EXPIRED},
	{"InvalidAccessKeyId", ERR_UNAUTHENTICATED, EXPIRED},
	{"UnrecognizedClient", ERR_UNAUTHENTICATED, EXPIRED},
	{"UnrecognizedClientException", ERR_UNAUTHENTICATED, EXPIRED},
	{"IncompleteSignature", ERR_UNAUTHENTICATED, 0},
	{"IncompleteSignatureException", ERR_UNAUTHENTICATED, 0},
	{"MissingAuthenticationToken", ERR_UNAUTHENTICATED, 0},
	{"MissingAuthenticationTokenException", ERR_UNAUTHENTICATED, 0},
	{"OptInRequired", ERR_UNAUTHENTICATED, 0},
	{"SubscriptionRequiredException", ERR_UNAUTHENTICATED, 0},
	{"NotSignedUp", ERR_UNAUTHENTICATED, 0},
	{"InvalidSecurity", ERR_UNAUTHENTICATED, 0},
	{"InvalidToken", ERR_UNAUTHENTICATED, EXPIRED},
	{"InvalidIdentityToken", ERR_UNAUTHENTICATED, 0},
	{"IDPRejectedClaim", ERR_UNAUTHENTICATED, 0},
	{"UnauthorizedException", ERR_UNAUTHENTICATED, 0},
	{"CloudTrailInvalidClientTokenIdException", ERR_UNAUTHENTICATED, 0},

	/* The permission, not the credentials. */
	{"AccessDenied", ERR_DENIED, 0},
	{"AccessDeniedException", ERR_DENIED, 0},
	{"UnauthorizedOperation", ERR_DENIED, 0},
	{"AccessDeniedForDependencyException", ERR_DENIED, 0},

	{"NoSuchEntity", ERR_NOT_FOUND, 0},
	{"NoSuchEntityException", ERR_NOT_FOUND, 0},
	{"ResourceNotFoundException", ERR_NOT_FOUND, 0},
	{"AccountNotFoundException", ERR_NOT_FOUND, 0},
	{"PolicyNotFoundException", ERR_NOT_FOUND, 0},
	{"TargetNotFoundException", ERR_NOT_FOUND, 0},
	{"OrganizationalUnitNotFoundException", ERR_NOT_FOUND, 0},
	{"ParentNotFoundException", ERR_NOT_FOUND, 0},
	{"ChildNotFoundException", ERR_NOT_FOUND, 0},
	{"RootNotFoundException", ERR_NOT_FOUND, 0},

	{"EntityAlreadyExists", ERR_EXISTS, 0},
	{"EntityAlreadyExistsException", ERR_EXISTS, 0},

	{"LimitExceeded", ERR_LIMIT, 0}, /* 409: a quota of the account; waiting does not help */
	{"ServiceQuotaExceededException", ERR_LIMIT, 0},

	{"InvalidInput", ERR_INVALID, 0},
	{"InvalidInputException", ERR_INVALID, 0},
	{"ValidationError", ERR_INVALID, 0},
	{"ValidationException", ERR_INVALID, 0},
	{"MalformedPolicyDocument", ERR_INVALID, 0},
	{"MalformedPolicyDocumentException", ERR_INVALID, 0},
	{"InvalidParameterValue", ERR_INVALID, 0},
	{"InvalidParameterCombination", ERR_INVALID, 0},
	{"InvalidParameterException", ERR_INVALID, 0},
	{"InvalidQueryParameter", ERR_INVALID, 0},
	{"MalformedQueryString", ERR_INVALID, 0},
	{"MissingParameter", ERR_INVALID, 0},
	{"MissingAction", ERR_INVALID, 0},
	{"InvalidAction", ERR_INVALID, 0},
	{"UnknownOperationException", ERR_INVALID, 0},
	{"SerializationException", ERR_INVALID, 0},
	{"PackedPolicyTooLarge", ERR_INVALID, 0},
	{"InvalidUserType", ERR_INVALID, 0},
	{"InvalidNextTokenException", ERR_INVALID, 0}, /* CloudTrail's, like the next four */
	{"InvalidTimeRangeException", ERR_INVALID, 0},
	{"InvalidLookupAttributesException", ERR_INVALID, 0},
	{"InvalidMaxResultsException", ERR_INVALID, 0},
	{"InvalidEventCategoryException", ERR_INVALID, 0},

	{"DeleteConflict", ERR_PRECONDITION, 0},
	{"UnmodifiableEntity", ERR_PRECONDITION, 0},
	{"PolicyNotAttachable", ERR_PRECONDITION, 0},
	{"ServiceNotSupported", ERR_PRECONDITION, 0},
	{"RegionDisabledException", ERR_PRECONDITION, 0},
	{"AWSOrganizationsNotInUseException", ERR_PRECONDITION, 0},
	{"ConstraintViolationException", ERR_PRECONDITION, 0},
	{"UnsupportedAPIEndpointException", ERR_PRECONDITION, 0}, /* Organizations, in a wrong region */
	{"UnsupportedOperationException", ERR_PRECONDITION, 0},
	{"OperationNotPermittedException", ERR_PRECONDITION, 0},
	{"ReportNotPresent", ERR_PRECONDITION, 0}, /* credential report: these three come as 410, 410, 404 */
	{"ReportExpired", ERR_PRECONDITION, 0},
	{"ReportInProgress", ERR_PRECONDITION, 0},

	{"ConcurrentModification", ERR_CONFLICT, 0},
	{"ConcurrentModificationException", ERR_CONFLICT, 0},
	{"EntityTemporarilyUnmodifiable", ERR_CONFLICT, 0},
	{"ConflictException", ERR_CONFLICT, 0},
};

/* Codes that mean something else with a certain Reason or ResourceType (Identity Store, SSO Admin), ended by
 * "*" when it is the beginning of one. "KMS_...": the key that encrypts the directory is the trouble, not
 * what was asked for. */
static const struct refinement {
	const char *aws_code, *detail;
	enum err_code code;
} refinements[] = {
	{"ResourceNotFoundException", "KMS_*", ERR_MISSING},
	{"ResourceNotFoundException", "IDENTITY_STORE", ERR_MISSING},
	{"ValidationException", "KMS_*", ERR_PRECONDITION},
	{"ConflictException", "UNIQUENESS_CONSTRAINT_VIOLATION", ERR_EXISTS},
};

static bool detail_matches(struct str detail, struct str pattern)
{
	if (str_ends(pattern, STR("*")))
		return str_starts(detail, str_sub(pattern, 0, pattern.n - 1));
	return str_eq(detail, pattern);
}

static enum err_code refine(enum err_code code, const struct aws_failure *f)
{
	for (size_t i = 0; i < ARRAY_LEN(refinements); i++) {
		const struct refinement *r = &refinements[i];
		struct str pattern = str_c(r->detail);

		if (str_eq_nocase(f->code, str_c(r->aws_code)) &&
			(detail_matches(f->reason, pattern) || detail_matches(f->resource_type, pattern)))
			return r->code;
	}
	return code;
}

static const struct row *find(struct str aws_code)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (str_eq_nocase(aws_code, str_c(rows[i].aws_code)))
			return &rows[i];
	return NULL;
}

/* The table of spec/rpc-surface.md 9.1, with three differences that keep a proxy's or load balancer's
 * page from being taken for AWS's word: an unexplained 403 is no missing permission (those always come
 * with a code), an unexplained 404 is no proof that the object is gone, an unexplained 409 none that it
 * exists. */
static enum err_code code_of_status(int status)
{
	switch (status) {
	case 401:
	case 403:
	case 407:
		return ERR_UNAUTHENTICATED;
	case 404:
	case 410:
		return ERR_MISSING;
	case 408:
		return ERR_UNAVAILABLE;
	case 409:
		return ERR_CONFLICT;
	case 429:
		return ERR_THROTTLED;
	case 501:
		return ERR_UNSUPPORTED;
	}
	if (status >= 500)
		return ERR_UNAVAILABLE;
	if (status >= 400)
		return ERR_INVALID;
	return ERR_PROTOCOL;
}

static bool status_is_transient(int status)
{
	return status == 500 || status == 502 || status == 503 || status == 504;
}

struct aws_error_class aws_error_classify(struct str aws_code, int http_status)
{
	const struct row *row = find(aws_code);
	struct aws_error_class c = {.code = row ? row->code : code_of_status(http_status)};
	unsigned flags = row ? row->flags : 0;

	c.throttle = c.code == ERR_THROTTLED;
	c.retryable = c.throttle || c.code == ERR_UNAVAILABLE || (flags & RETRY) ||
		      status_is_transient(http_status);
	c.expired = flags & EXPIRED;
	c.clock_skew = flags & SKEW;
	return c;
}

void aws_failure_parse(struct arena *a, struct str body, struct str type_header, struct aws_failure *f)
{
	struct str text = str_trim(body);

	if (text.n > 0 && text.p[0] == '<')
		aws_query_read_error(a, text, f);
	else
		aws_json11_read_error(a, text, f);
	if (f->code.n == 0)
		f->code = aws_json11_error_name(type_header);
}

/* AWS names the action it missed: "... is not authorized to perform: sts:AssumeRole on resource: ...".
 * It is not always the operation (GetAccountAuthorizationDetails may miss iam:GetPolicyVersion). Empty
 * when it does not say. */
static struct str missing_action(struct str message)
{
	static const struct str before = STR_INIT("not authorized to perform: ");
	ptrdiff_t at = str_find(message, before);
	struct str rest, action;

	if (at < 0)
		return STR_EMPTY;
	rest = str_from(message, (size_t)at + before.n);
	action = str_cut(&rest, ' ');
	if (action.n == 0 || action.n > 100 || str_find_char(action, ':') <= 0)
		return STR_EMPTY;
	return action;
}

/* AWS's validation quotes what it refuses ("Value 'x' at 'externalId' failed to satisfy constraint: ..."),
 * and these values are secrets. */
static const struct secret_member {
	const char *place, *told_instead;
} secret_members[] = {
	{"at 'externalId'", "AWS refuses the external id (its value is not shown)"},
	{"at 'webIdentityToken'", "AWS refuses the web identity token (its value is not shown)"},
};

/* What of AWS's message may be told. Who signed wrongly is shown the canonical request, and its
 * X-Amz-Security-Token is a credential: everything else is said in the first line. */
static struct str tellable(struct str message)
{
	struct str line = str_cut(&message, '\n');
	ptrdiff_t shown = str_find(line, STR("The Canonical String"));

	for (size_t i = 0; i < ARRAY_LEN(secret_members); i++)
		if (str_contains(line, str_c(secret_members[i].place)))
			return str_c(secret_members[i].told_instead);
	return str_trim(shown >= 0 ? str_sub(line, 0, (size_t)shown) : line);
}

void aws_err_set_operation(struct err *e, const struct aws_operation *op)
{
	struct str parts[] = {str_c(op->service->id), STR(":"), str_c(op->name)};
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		size_t take = parts[i].n < sizeof(e->aws_operation) - 1 - n
				      ? parts[i].n
				      : sizeof(e->aws_operation) - 1 - n;

		memcpy(e->aws_operation + n, parts[i].p, take);
		n += take;
	}
	e->aws_operation[n] = '\0';
}

/* Cut to what fits; only printable ASCII passes, for these fields go into logs and trailers as they are. */
static void copy_token(char *to, size_t size, struct str from)
{
	size_t n = 0;

	for (size_t i = 0; i < from.n && n + 1 < size; i++)
		if (from.p[i] > ' ' && from.p[i] < 0x7f)
			to[n++] = from.p[i];
	to[n] = '\0';
}

enum err_code aws_failure_to_err(
	const struct aws_operation *op, const struct aws_failure *f, struct err *reterr)
{
	struct aws_error_class c = aws_error_classify(f->code, f->http_status);
	struct err named = {0}; /* only for its aws_operation */
	struct str said = tellable(f->message);
	struct str action;

	c.code = refine(c.code, f);
	aws_err_set_operation(&named, op);
	action = missing_action(f->message);
	if (action.n == 0)
		action = str_c(named.aws_operation);
	if (c.code == ERR_DENIED)
		err_set(reterr, c.code, "%s is not allowed: missing permission " STR_FMT "%s" STR_FMT "%s",
			named.aws_operation, STR_ARG(action), said.n ? " (" : "", STR_ARG(said),
			said.n ? ")" : "");
	else if (f->code.n)
		err_set(reterr, c.code, "%s: " STR_FMT "%s" STR_FMT "%s%s" STR_FMT, named.aws_operation,
			STR_ARG(f->code), f->reason.n ? " (" : "", STR_ARG(f->reason), f->reason.n ? ")" : "",
			said.n ? ": " : "", STR_ARG(said));
	else
		err_set(reterr, c.code, "%s: AWS answered HTTP %d without an error code", named.aws_operation,
			f->http_status);
	reterr->retryable = c.retryable;
	reterr->http_status = f->http_status;
	reterr->retry_after_ms = f->retry_after_ms;
	copy_token(reterr->aws_code, sizeof(reterr->aws_code), f->code);
	copy_token(reterr->request_id, sizeof(reterr->request_id), f->request_id);
	memcpy(reterr->aws_operation, named.aws_operation, sizeof(reterr->aws_operation));
	return c.code;
}
