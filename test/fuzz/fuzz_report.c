/* layers: inventory base
 *
 * The credential report: any text in. */
#include "inventory/credential_report.h"

#include "support/fuzz.h"

static enum err_code accept(void *self, const struct credential_report_row *row, struct err *reterr)
{
	(void)reterr;
	*(size_t *)self += row->user_arn.n;
	return ERR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *scratch = arena_new(0);
	size_t bytes = 0;
	struct err e;

	if (credential_report_read(str_n((const char *)data, size), scratch, accept, &bytes, &e) == ERR_OK)
		FUZZ_CHECK(bytes <= size);
	arena_free(scratch);
	return 0;
}
