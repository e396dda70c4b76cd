/* layers: aws base
 *
 * Error bodies, XML or JSON or neither: whatever comes, an error comes out that says no more than fits,
 * is one line of valid UTF-8, and is never "denied" without AWS's word for it. */
#include "aws/errors.h"

#include <string.h>

#include "aws/iam.h"
#include "support/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	struct str in = str_n((const char *)data, size);
	struct aws_failure f = {
		.code = STR_EMPTY, .message = STR_EMPTY, .request_id = STR_EMPTY, .http_status = 403};
	struct err err;
	enum err_code code;

	aws_failure_parse(a, in, str_sub(in, 0, 60), &f);
	code = aws_failure_to_err(&aws_iam_list_users, &f, &err);
	FUZZ_CHECK(code != ERR_OK && code == err.code && code < ERR_CODE_COUNT);
	FUZZ_CHECK(strlen(err.msg) < sizeof(err.msg) && str_is_utf8(str_c(err.msg)));
	FUZZ_CHECK(!strchr(err.msg, '\n') && str_is_utf8(str_c(err.aws_code)) &&
		   str_is_utf8(str_c(err.request_id)));
	if (code == ERR_DENIED)
		FUZZ_CHECK(str_starts(str_lower(a, str_c(err.aws_code)), STR("accessdenied")) ||
			   str_eq_nocase(str_c(err.aws_code), STR("UnauthorizedOperation")));
	return 0;
}
