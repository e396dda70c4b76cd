/* base/arn.h
 *
 * Amazon Resource Names: arn:partition:service:region:account:resource. The resource keeps any further colon.
 *
 * Threads: pure functions. Ownership: the parts point into the input. */
#ifndef BASE_ARN_H
#define BASE_ARN_H

#include <stdbool.h>

#include "base/str.h"

struct arn {
	struct str partition, service, region, account, resource;
};

/* False unless it starts with "arn:" and has six sections; sections may be empty. */
bool arn_parse(struct str text, struct arn *ret);

/* 12 digits. */
bool arn_is_account(struct str account);

/* The name at the end of a resource with a path, "user/division/bob" -> "bob"; empty when there is none. */
struct str arn_last_segment(struct str resource);

#endif
