/* server/tls.h
 *
 * Certificates and keys from PEM files, looked at before gRPC gets them: gRPC says only that it did not like
 * something.
 *
 * Threads: tls_load any; a watch belongs to one thread at a time. Ownership: tls_free wipes the key. */
#ifndef SERVER_TLS_H
#define SERVER_TLS_H

#include <stdbool.h>

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

/* PEM files that are replaced while they are used: certificates live for days where a machine issues them. */
struct tls_watch;

/* Loads them as tls_load does; the file names are copied. */
MUST_CHECK enum err_code tls_watch_new(struct str cert_file, struct str key_file, struct str ca_file,
	struct tls_watch **ret_watch, struct err *reterr);
void tls_watch_free(struct tls_watch *w); /* NULL is fine */
/* With a CA: whoever connects must show a certificate that it signed. */
bool tls_watch_is_mutual(const struct tls_watch *w);

/* Whether there is something that this watch has not given yet: what tls_watch_new loaded, then whatever is new in the files, which goes to the
 * caller. New files that cannot be used (the key not yet replaced, say) are warned about once and left until they change again. */
bool tls_watch_next(struct tls_watch *w, struct tls *ret_tls);

#endif
