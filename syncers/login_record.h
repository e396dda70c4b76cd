/* syncers/login_record.h
 *
 * The JSON document of a CloudTrail event, and what it says of a login.
 *
 * Threads: pure functions. */
#ifndef SYNCERS_LOGIN_RECORD_H
#define SYNCERS_LOGIN_RECORD_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/str.h"

struct login {
	struct str user_id, store_id; /* who, and the identity store they belong to */
	struct str account;           /* where to: 12 digits */
};

/* False: no login, or nobody knows whose, or where to. The document is read in scratch; what comes out lives in arena. */
bool login_parse(struct str document, struct arena *scratch, struct arena *arena, struct login *ret);

#endif
