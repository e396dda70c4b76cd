/* aws/sigv4.h
 *
 * AWS Signature Version 4 (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html), the
 * variant that signs a request's headers. The one file that knows OpenSSL's MAC. Each stage can be called
 * by itself, so that tests compare stage by stage:
 *
 *	1. canonical request    sigv4_canonical_request
 *	2. string to sign       sigv4_string_to_sign
 *	3. signature            sigv4_signature (derived key from the cache)
 *	4. headers              sigv4_sign: all of it
 *
 * Threads:   a signer may be used by any number of threads; a lock is held for the microseconds of an
 *            HMAC.
 * Ownership: results live in the arena. The key never does.
 * Errors:    only of input that cannot be signed: ERR_INVALID. */
#ifndef AWS_SIGV4_H
#define AWS_SIGV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aws/http.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/secret.h"
#include "base/str.h"

struct sigv4_signer; /* HMAC and SHA-256 contexts, and the cache of derived keys */

struct sigv4_signer *sigv4_signer_new(void);
void sigv4_signer_free(struct sigv4_signer *s); /* NULL is fine */
void sigv4_signer_freep(struct sigv4_signer **s);

/* The request as it goes on the wire. */
struct sigv4_request {
	struct str method;
	struct str path;  /* as in the URL, encoded once; empty is "/" */
	struct str query; /* as in the URL, without '?' */
	/* All of them are signed, except what proxies change (see sigv4.c). Host must be here. */
	const struct http_header *headers;
	size_t n_headers;
	struct str body;
};

struct sigv4_params {
	struct str access_key_id;
	const struct secret *secret_access_key;
	const struct secret *session_token; /* NULL or empty: none */
	struct str region;                  /* of the signature: the endpoint's signing region */
	struct str service;                 /* signing name: "iam", "sts", "sso", ... */
	int64_t time_s;                     /* Unix time, corrected for clock skew */
	bool path_encoded_once; /* S3 only: its paths are not normalised and not encoded a second time */
};

/* Stage 1. *ret_signed_headers (may be NULL): "content-type;host;x-amz-date". */
struct str sigv4_canonical_request(const struct sigv4_signer *s, struct arena *a,
	const struct sigv4_request *req, bool path_encoded_once, struct str *ret_signed_headers);

/* Stage 2. */
struct str sigv4_string_to_sign(const struct sigv4_signer *s, struct arena *a, const struct sigv4_params *p,
	struct str canonical_request);

/* Stage 3: 64 hex digits and a NUL. */
void sigv4_signature(
	struct sigv4_signer *s, const struct sigv4_params *p, struct str string_to_sign, char out[65]);

#define SIGV4_MAX_HEADERS 3 /* X-Amz-Date, X-Amz-Security-Token, Authorization */

struct sigv4_result {
	/* To add to the request; the token only if there is one. */
	struct http_header headers[SIGV4_MAX_HEADERS];
	size_t n;
	/* The stages, for tests. They contain the session token: never log. */
	struct str canonical_request, string_to_sign, signature;
};

/* All stages. req must not have the headers that come out of this. ERR_INVALID: no Host header, or a key
 * id, region or service that is empty or not plain ASCII. */
MUST_CHECK enum err_code sigv4_sign(struct sigv4_signer *s, struct arena *a, const struct sigv4_request *req,
	const struct sigv4_params *p, struct sigv4_result *ret, struct err *reterr);

#endif
