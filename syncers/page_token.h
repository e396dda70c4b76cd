/* syncers/page_token.h
 *
 * Page tokens: where a listing resumes, by identity. A token names the last object that was handed out, in an order that does not
 * change (ARNs, byte by byte), so any server can answer it, after any restart, and an object created or deleted in between neither
 * shifts nor repeats another. It carries nothing of AWS's and nothing secret.
 *
 *	base64url( version 1 | kind NUL | phase NUL | last | checksum, 4 bytes )
 *
 * kind says which listing it belongs to, phase which part of that listing ("" where there is one part only). The checksum finds accidents, not
 * forgery: a forged token can only ask for another place in the same list.
 *
 * Threads: pure functions. */
#ifndef SYNCERS_PAGE_TOKEN_H
#define SYNCERS_PAGE_TOKEN_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct page_token {
	struct str phase;
	struct str last; /* empty: the phase's beginning */
};

struct str page_token_encode(struct arena *arena, struct str kind, const struct page_token *t);

/* An empty token gives an empty *ret: the first page. ERR_INVALID "baton-aws: page token corrupt: ...". */
MUST_CHECK enum err_code page_token_decode(
	struct arena *arena, struct str kind, struct str token, struct page_token *ret, struct err *reterr);

#endif
