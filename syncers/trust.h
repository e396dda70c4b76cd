/* syncers/trust.h
 *
 * Trust policies of roles: who may assume the role, and what kind of identity the role therefore is. Rules: spec/iam.md 6.2, 6.5, 6.6,
 * with D7-D11 done right.
 *
 *   - A document that is no JSON object, or whose Statement is neither an array, an object nor null, says nothing.
 *   - A statement with a member of the wrong type is skipped; the others count (D8).
 *   - Actions are globs without regard to case (D7). Effect is exactly Allow or Deny.
 *   - A Deny without Condition removes exactly the principals it names, wherever it stands; "*" removes all. NotPrincipal and NotAction
 *     name nobody and match nothing.
 *
 * Threads: pure functions. Ownership: results live in the arena; their text may point into the document. */
#ifndef SYNCERS_TRUST_H
#define SYNCERS_TRUST_H

#include <stddef.h>

#include "base/arena.h"
#include "base/str.h"

struct trust_principal {
	const char *type_id; /* "iam_user" or "role" */
	struct str arn;
};

/* The users and roles that the document lets assume the role, each once, in the order of (type, ARN). Never fails: what cannot be
 * read names nobody. role_arn is for the log. */
struct trust_principal *trust_principals(
	struct arena *arena, struct str document, struct str role_arn, size_t *ret_n);

/* What NonHumanIdentityTrait says of a role that is not service-linked: "aws.role", "aws.role.public", "aws.role.lambda", ... */
struct str trust_classify(struct arena *arena, struct str document, struct str role_arn);

#endif
