/* layers: syncers inventory proto base
 *
 * Trust policies and page tokens: any text in; a principal that comes out stands in the document. */
#include "syncers/trust.h"

#include "base/log.h"
#include "support/fuzz.h"
#include "syncers/page_token.h"

static void drop_line(void *arg, struct str line)
{
	(void)arg;
	(void)line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct str in = str_n((const char *)data, size), role = STR("arn:aws:iam::111111111111:role/r");
	struct arena *arena = arena_new(0);
	struct page_token token;
	struct err e;
	size_t n;

	log_capture(drop_line, NULL);
	trust_principals(arena, in, role, &n);
	FUZZ_CHECK(n <= size);
	FUZZ_CHECK(str_starts(trust_classify(arena, in, role), STR("aws.role")));
	if (page_token_decode(arena, STR("role"), in, &token, &e) == ERR_OK && size > 0)
		FUZZ_CHECK(str_eq(page_token_encode(arena, STR("role"), &token), in));
	arena_free(arena);
	return 0;
}
