#include "aws/credentials_json.h"

#include "base/json.h"

/* Far above what AWS hands out (20, 40 and some thousand bytes), far below what a header may carry. */
#define MAX_KEY_ID_BYTES 128
#define MAX_SECRET_BYTES 1024
#define MAX_TOKEN_BYTES  16384
#define MAX_SAID_BYTES   200

const struct credentials_form credentials_form_imds = {
	.what = "EC2 instance metadata",
	.token_member = "Token",
	.is_temporary = true,
	.has_code = true,
};
const struct credentials_form credentials_form_container = {
	.what = "the container's credential service",
	.token_member = "Token",
};
const struct credentials_form credentials_form_process = {
	.what = "credential_process",
	.token_member = "SessionToken",
	.has_version = true,
};

static enum err_code complain(const struct credentials_form *f, const char *what, struct err *reterr)
{
	return err_set(reterr, ERR_UNAUTHENTICATED, "%s %s", f->what, what);
}

/* As Go's decoder, and so every AWS tool written in Go, finds members: whatever their case. */
static struct str member(const struct json *j, const char *name)
{
	return json_str(json_get_nocase(j, str_c(name)));
}

static bool is_visible_ascii(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	}
	return true;
}

/* They go into headers and into a signature. */
static bool can_be_key(struct str s, size_t max_bytes)
{
	return s.n > 0 && s.n <= max_bytes && is_visible_ascii(s);
}

struct str credentials_json_complaint(struct arena *a, struct str text)
{
	const struct json *j;
	struct str code, message;
	struct err ignored;

	if (json_parse(a, text, CREDENTIALS_JSON_MAX_BYTES, &j, &ignored) != ERR_OK)
		return STR_EMPTY;
	code = str_utf8_cut(member(j, "code"), MAX_SAID_BYTES);
	message = str_utf8_cut(member(j, "message"), MAX_SAID_BYTES);
	return str_fmt(
		a, STR_FMT "%s" STR_FMT, STR_ARG(code), code.n && message.n ? ": " : "", STR_ARG(message));
}

static enum err_code check_frame(const struct credentials_form *f, struct arena *a, struct str text,
	const struct json *j, struct err *reterr)
{
	const struct json *version = json_get_nocase(j, STR("Version"));
	struct str said;

	if (j->kind != JSON_OBJECT)
		return complain(f, "gave JSON that is no object", reterr);
	if (f->has_version && (version == NULL || !version->is_int || version->integer != 1))
		return complain(f, "gave a Version other than 1", reterr);
	if (!f->has_code || str_eq(member(j, "Code"), STR("Success")))
		return ERR_OK;
	said = credentials_json_complaint(a, text);
	return err_set(reterr, ERR_UNAUTHENTICATED, "%s gave no credentials%s" STR_FMT, f->what,
		said.n ? ": " : "", STR_ARG(said));
}

/* Expiration as Unix time. */
static enum err_code read_expiry(
	const struct credentials_form *f, const struct json *j, int64_t *ret_s, struct err *reterr)
{
	const struct json *expiration = json_get_nocase(j, STR("Expiration"));
	bool absent = expiration == NULL || expiration->kind == JSON_NULL;

	if (absent && !f->is_temporary) {
		*ret_s = CREDENTIALS_NEVER_EXPIRE;
		return ERR_OK;
	}
	if (absent || !time_parse_rfc3339(json_str(expiration), ret_s))
		return complain(f, "gave credentials without a valid Expiration", reterr);
	return ERR_OK;
}

static enum err_code read_members(const struct credentials_form *f, const struct json *j,
	struct aws_credentials **ret_credentials, struct err *reterr)
{
	struct str key_id = member(j, "AccessKeyId"), secret = member(j, "SecretAccessKey"),
		   token = member(j, f->token_member);
	int64_t expires_at_s;
	enum err_code rc = read_expiry(f, j, &expires_at_s, reterr);

	if (rc != ERR_OK)
		return rc;
	if (!can_be_key(key_id, MAX_KEY_ID_BYTES))
		return complain(f, "gave credentials without a valid AccessKeyId", reterr);
	if (!can_be_key(secret, MAX_SECRET_BYTES))
		return complain(f, "gave credentials without a valid SecretAccessKey", reterr);
	if ((f->is_temporary || token.n > 0) && !can_be_key(token, MAX_TOKEN_BYTES))
		return complain(f, "gave credentials without a valid session token", reterr);
	*ret_credentials = aws_credentials_new(
		key_id, secret_new(secret), token.n ? secret_new(token) : NULL, expires_at_s);
	return ERR_OK;
}

enum err_code credentials_json_parse(const struct credentials_form *form, struct str text,
	struct aws_credentials **ret_credentials, struct err *reterr)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(16 * CREDENTIALS_JSON_MAX_BYTES);
	const struct json *j;
	enum err_code rc;

	if (str_trim(text).n == 0)
		return complain(form, "gave nothing", reterr);
	if (json_parse(a, text, CREDENTIALS_JSON_MAX_BYTES, &j, reterr) != ERR_OK) {
		err_prefix(reterr, "%s", form->what);
		reterr->code = ERR_UNAUTHENTICATED;
		return reterr->code;
	}
	rc = check_frame(form, a, text, j, reterr);
	return rc == ERR_OK ? read_members(form, j, ret_credentials, reterr) : rc;
}
