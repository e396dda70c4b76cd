#include "base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

static const char *const code_names[ERR_CODE_COUNT] = {
	[ERR_OK] = "OK",
	[ERR_INVALID] = "INVALID",
	[ERR_NOT_FOUND] = "NOT_FOUND",
	[ERR_MISSING] = "MISSING",
	[ERR_EXISTS] = "EXISTS",
	[ERR_DENIED] = "DENIED",
	[ERR_UNAUTHENTICATED] = "UNAUTHENTICATED",
	[ERR_THROTTLED] = "THROTTLED",
	[ERR_UNAVAILABLE] = "UNAVAILABLE",
	[ERR_DEADLINE] = "DEADLINE",
	[ERR_CANCELLED] = "CANCELLED",
	[ERR_CONFLICT] = "CONFLICT",
	[ERR_PRECONDITION] = "PRECONDITION",
	[ERR_LIMIT] = "LIMIT",
	[ERR_TOO_LARGE] = "TOO_LARGE",
	[ERR_PROTOCOL] = "PROTOCOL",
	[ERR_UNSUPPORTED] = "UNSUPPORTED",
	[ERR_INTERNAL] = "INTERNAL",
};

const char *err_code_name(enum err_code code)
{
	if ((unsigned)code >= ERR_CODE_COUNT)
		return "UNKNOWN";
	return code_names[code];
}

/* Messages quote foreign text and are cut at a fixed size: make them one line of valid UTF-8 whatever went
 * in. */
static void store_msg(struct err *e, const char *text)
{
	size_t n = strnlen(text, sizeof(e->msg) + 3); /* + 3: see whether a code point straddles the cut */
	size_t out = 0, in = 0;

	while (in < n) {
		size_t step = str_utf8_step(str_n(text + in, n - in));
		size_t len = step ? step : 1;

		if (out + len > sizeof(e->msg) - 1)
			break;
		if (step == 0)
			e->msg[out] = '?';
		else if (step == 1 && ((unsigned char)text[in] < 0x20 || text[in] == 0x7f))
			e->msg[out] = ' ';
		else
			memcpy(e->msg + out, text + in, step);
		out += len;
		in += len;
	}
	e->msg[out] = '\0';
}

enum err_code err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	char text[2 * sizeof(e->msg)]; /* not e->msg itself: the arguments may point into it */
	va_list ap;

	assert(code != ERR_OK);
	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);

	memset(e, 0, sizeof(*e));
	e->code = code;
	e->retryable = code == ERR_THROTTLED || code == ERR_UNAVAILABLE || code == ERR_DEADLINE;
	store_msg(e, text);
	return code;
}

enum err_code err_prefix(struct err *e, const char *fmt, ...)
{
	char text[3 * sizeof(e->msg)];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, 2 * sizeof(e->msg), fmt, ap);
	va_end(ap);
	if (n < 0)
		return e->code;
	n = (int)strlen(text); /* shorter than vsnprintf's answer when it was cut */
	snprintf(text + n, sizeof(text) - (size_t)n, ": %s", e->msg);
	store_msg(e, text);
	return e->code;
}
