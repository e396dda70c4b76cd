/* aws/credentials_json.h
 *
 * The JSON in which metadata services and credential processes hand out credentials: one reader, and a
 * table of what their forms differ in. For the providers, tests and fuzzing.
 *
 * Threads:   pure functions. Ownership: the snapshot is the caller's; the text is borrowed (its owner
 *            wipes it).
 * Errors:    ERR_UNAUTHENTICATED, with the form's name in front: not JSON, too large, incomplete, or with
 *            characters that no key has. Nothing of the text is in a message but the code and the message
 *            of an answer that says it is an error. */
#ifndef AWS_CREDENTIALS_JSON_H
#define AWS_CREDENTIALS_JSON_H

#include <stdbool.h>

#include "aws/credentials.h"
#include "base/arena.h"

#define CREDENTIALS_JSON_MAX_BYTES 65536

struct credentials_form {
	const char *what;         /* who talks, for messages */
	const char *token_member; /* "Token" or "SessionToken" */
	bool is_temporary; /* token and expiration have to be there; else without Expiration: for ever */
	bool has_code;     /* "Code" has to be "Success" */
	bool has_version;  /* "Version" has to be 1 */
};

extern const struct credentials_form credentials_form_imds, credentials_form_container,
	credentials_form_process;

MUST_CHECK enum err_code credentials_json_parse(const struct credentials_form *form, struct str text,
	struct aws_credentials **ret_credentials, struct err *reterr);

/* What an error answer ({"code", "message"}, either case) says, for a message of ours: cut and
 * printable. Empty: it says nothing that can be understood. Lives in the arena. */
struct str credentials_json_complaint(struct arena *a, struct str text);

#endif
