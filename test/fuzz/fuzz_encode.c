/* layers: base
 *
 * Decoders of page tokens and policy documents, UTF-8 cleaning and cutting, dates, numbers: any bytes in, and
 * what comes out must encode back to what went in. */
#include "base/clock.h"
#include "base/encode.h"
#include "support/fuzz.h"

static void check_base64(struct arena *a, struct str in)
{
	struct str bytes;

	if (b64url_decode(a, in, &bytes))
		FUZZ_CHECK(str_eq(b64url_encode(a, bytes), in)); /* one text per sequence of bytes */
	if (b64_decode(a, in, &bytes))
		FUZZ_CHECK(str_eq(b64_encode(a, bytes), in));
	FUZZ_CHECK(b64url_decode(a, b64url_encode(a, in), &bytes) && str_eq(bytes, in));
	FUZZ_CHECK(b64_decode(a, b64_encode(a, in), &bytes) && str_eq(bytes, in));
}

static void check_percent(struct arena *a, struct str in)
{
	struct str bytes;
	struct buf b;

	if (percent_decode(a, in, &bytes))
		FUZZ_CHECK(bytes.n <= in.n);
	for (int keep_slash = 0; keep_slash < 2; keep_slash++) {
		buf_init(&b, 3 * in.n);
		percent_encode(&b, in, keep_slash);
		FUZZ_CHECK(!b.overflow);
		FUZZ_CHECK(percent_decode(a, buf_view(&b), &bytes) && str_eq(bytes, in));
		buf_deinit(&b);
	}
}

static void check_utf8(struct arena *a, struct str in)
{
	struct str clean = str_utf8_clean(a, in);

	FUZZ_CHECK(str_is_utf8(clean));
	FUZZ_CHECK(str_is_utf8(in) == str_eq(clean, in));
	FUZZ_CHECK(str_utf8_count(clean) <= in.n);
	for (size_t max = 0; max < clean.n && max < 64; max++) {
		struct str cut = str_utf8_cut(clean, max);

		FUZZ_CHECK(cut.n <= max && max - cut.n < 4 && str_is_utf8(cut));
	}
}

static void check_values(struct str in)
{
	int64_t number, unix_s;
	char text[21];
	struct err err;

	if (str_to_i64(in, &number) && number >= 0)
		FUZZ_CHECK(*in.p != '-' || number == 0);
	if (time_parse_rfc3339(in, &unix_s) && unix_s >= 0) {
		time_format_rfc3339(unix_s, text);
		FUZZ_CHECK(time_parse_rfc3339(str_c(text), &number));
	}
	if (time_parse_http(in, &unix_s))
		time_format_rfc3339(unix_s, text);
	(void)err_set(&err, ERR_INVALID, "bad value: " STR_FMT, STR_ARG(in));
	FUZZ_CHECK(str_is_utf8(str_c(err.msg)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct str in = str_n((const char *)data, size);

	check_base64(a, in);
	check_percent(a, in);
	check_utf8(a, in);
	check_values(in);
	return 0;
}
