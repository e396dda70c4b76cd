#include "syncers/page_token.h"

#include "base/buf.h"
#include "base/encode.h"

#define VERSION        '\1'
#define CHECKSUM_BYTES 4
#define MAX_BYTES      16384 /* the longest identity is two ARNs of about 600 bytes */

static void put_checksum(struct str bytes, char out[CHECKSUM_BYTES])
{
	const uint64_t hash = str_hash(bytes);

	for (size_t i = 0; i < CHECKSUM_BYTES; i++)
		out[i] = (char)(hash >> (8 * i));
}

struct str page_token_encode(struct arena *arena, struct str kind, const struct page_token *t)
{
	CLEANUP(buf_deinit) struct buf b = {0};
	char checksum[CHECKSUM_BYTES];

	buf_init(&b, MAX_BYTES);
	buf_char(&b, VERSION);
	buf_str(&b, kind);
	buf_char(&b, '\0');
	buf_str(&b, t->phase);
	buf_char(&b, '\0');
	buf_str(&b, t->last);
	put_checksum(buf_view(&b), checksum);
	buf_add(&b, checksum, sizeof(checksum));
	return b64url_encode(arena, buf_view(&b));
}

enum err_code page_token_decode(
	struct arena *arena, struct str kind, struct str token, struct page_token *ret, struct err *reterr)
{
	char checksum[CHECKSUM_BYTES];
	struct str bytes, phase;

	*ret = (struct page_token){.phase = STR_EMPTY, .last = STR_EMPTY};
	if (token.n == 0)
		return ERR_OK;
	if (token.n > MAX_BYTES * 2 || !b64url_decode(arena, token, &bytes))
		return err_set(reterr, ERR_INVALID, "baton-aws: page token corrupt: not base64url");
	if (bytes.n < 1 + 2 + CHECKSUM_BYTES || bytes.p[0] != VERSION)
		return err_set(
			reterr, ERR_INVALID, "baton-aws: page token corrupt: not a token of this version");
	bytes.n -= CHECKSUM_BYTES;
	put_checksum(bytes, checksum);
	if (!str_eq(str_n(checksum, CHECKSUM_BYTES), str_n(bytes.p + bytes.n, CHECKSUM_BYTES)))
		return err_set(reterr, ERR_INVALID, "baton-aws: page token corrupt: wrong checksum");
	bytes = str_from(bytes, 1);
	if (!str_eq(str_cut(&bytes, '\0'), kind))
		return err_set(
			reterr, ERR_INVALID, "baton-aws: page token corrupt: it belongs to another listing");
	phase = str_cut(&bytes, '\0');
	if (bytes.p == NULL)
		return err_set(reterr, ERR_INVALID, "baton-aws: page token corrupt: it is cut short");
	*ret = (struct page_token){.phase = phase, .last = bytes};
	return ERR_OK;
}
