/* proto/email.h
 *
 * The e-mail rule of request validation: an RFC 5322 address (a display name, comments and a group of one are
 * tolerated; only the address counts), at most 254 bytes, local part at most 64, and a domain that is a host
 * name.
 *
 * The causes are those of Go's net/mail and protoc-gen-validate, whose texts clients of the connector know.
 * One difference: an RFC 2047 encoded word in a display name is not decoded, hence its charset not judged.
 *
 * Threads: no state. */
#ifndef PROTO_EMAIL_H
#define PROTO_EMAIL_H

#include <stdbool.h>

#include "base/str.h"

#define EMAIL_CAUSE_SIZE 192

/* text is valid UTF-8. False: *ret_cause says why, cut to fit. */
bool email_check(struct str text, char ret_cause[EMAIL_CAUSE_SIZE]);

#endif
