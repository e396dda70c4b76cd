/* layers: aws base
 *
 * Answers that hand out credentials: the first byte says in which form, the rest is any text. What is
 * accepted fits into headers, and what is refused is not quoted. */
#include "aws/credentials_json.h"

#include <string.h>

#include "support/fuzz.h"

static void check_header_text(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		FUZZ_CHECK(s.p[i] > ' ' && s.p[i] <= '~');
}

static void check(const struct credentials_form *form, const struct aws_credentials *c)
{
	check_header_text(c->access_key_id);
	check_header_text(secret_reveal(c->secret_access_key));
	check_header_text(secret_reveal(c->session_token));
	FUZZ_CHECK(c->access_key_id.n > 0 && !secret_empty(c->secret_access_key));
	if (form->is_temporary)
		FUZZ_CHECK(!secret_empty(c->session_token) && c->expires_at_s != CREDENTIALS_NEVER_EXPIRE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct credentials_form *const forms[] = {
		&credentials_form_imds, &credentials_form_container, &credentials_form_process};
	const struct credentials_form *form = forms[size ? data[0] % ARRAY_LEN(forms) : 0];
	struct str text = str_from(str_n((const char *)data, size), 1);
	CLEANUP(aws_credentials_unrefp) struct aws_credentials *c = NULL;
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	struct err err;

	if (credentials_json_parse(form, text, &c, &err) == ERR_OK) {
		check(form, c);
	} else {
		FUZZ_CHECK(err.code == ERR_UNAUTHENTICATED && c == NULL);
		FUZZ_CHECK(str_is_utf8(str_c(err.msg)));
	}
	FUZZ_CHECK(str_is_utf8(credentials_json_complaint(a, text)));
	return 0;
}
