/* server/tls.h
 *
 * Certificates and keys from PEM files, looked at before gRPC gets them: gRPC says only that it did not like
 * something.
 *
 * Threads: main thread. Ownership: tls_free wipes the key. */
#ifndef SERVER_TLS_H
#define SERVER_TLS_H

#include "base/err.h"
#include "base/str.h"

struct tls { /* NUL-terminated PEM texts; NULL: not given */
	char *cert;
	char *key;
	char *ca;
};

/* Empty file names are skipped; a certificate and its key come together. ERR_INVALID: a file that cannot be
 * read, is no PEM, or does not fit the other; the message names it. */
MUST_CHECK enum err_code tls_load(struct str cert_file, struct str key_file, struct str ca_file,
	struct tls *ret_tls, struct err *reterr);
void tls_free(struct tls *t);

#endif
