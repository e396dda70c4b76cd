/* aws/token_file.h
 *
 * A token that another program keeps fresh in a file: read anew at each use, because it is replaced
 * before it expires.
 *
 * Threads: any. Ownership: the secret is a reference of the caller's.
 * Errors:  ERR_UNAUTHENTICATED with the path, never with content: the file cannot be read, is empty, or
 *          larger than max_bytes. */
#ifndef AWS_TOKEN_FILE_H
#define AWS_TOKEN_FILE_H

#include "base/err.h"
#include "base/secret.h"

MUST_CHECK enum err_code token_file_read(
	const char *path, size_t max_bytes, struct secret **ret_token, struct err *reterr);

#endif
