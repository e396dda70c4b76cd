#include "aws/clock_skew.h"

#include "base/err.h"

/* AWS tolerates 5 minutes. The last three codes have other causes too (a wrong key): a skew that small is
 * not worth a second try. */
#define SKEW_WORTH_CORRECTING_S 240

static const char *const codes_of_a_wrong_clock[] = {
	"RequestTimeTooSkewed",
	"RequestExpired",
	"RequestInTheFuture",
	"InvalidSignatureException",
	"SignatureDoesNotMatch",
	"AuthFailure",
};

int64_t clock_skew_now_s(const struct clock_skew *skew, const struct clock *clock)
{
	return clock_wall_s(clock) + atomic_load_explicit(&skew->offset_s, memory_order_relaxed);
}

static bool is_code_of_a_wrong_clock(struct str aws_code)
{
	for (size_t i = 0; i < ARRAY_LEN(codes_of_a_wrong_clock); i++) {
		if (str_eq_c(aws_code, codes_of_a_wrong_clock[i]))
			return true;
	}
	return false;
}

bool clock_skew_learn(struct clock_skew *skew, const struct clock *clock, int64_t signed_at_s,
	struct str aws_code, struct str date_header)
{
	int64_t theirs_s, difference_s;

	if (!is_code_of_a_wrong_clock(aws_code) || !time_parse_http(date_header, &theirs_s))
		return false;
	/* Compared with what was signed, not with our clock: another request may have corrected the skew
	 * meanwhile. */
	difference_s = theirs_s - signed_at_s;
	if (difference_s >= -SKEW_WORTH_CORRECTING_S && difference_s <= SKEW_WORTH_CORRECTING_S)
		return false;
	atomic_store_explicit(&skew->offset_s, theirs_s - clock_wall_s(clock), memory_order_relaxed);
	return true;
}
