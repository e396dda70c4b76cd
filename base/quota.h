/* base/quota.h
 *
 * A bucket of turns that several servers share: what AWS allows an account to ask of a service, however many
 * of us ask. Only the interface lies here, because neither side may know the other: aws/pacer.h wants turns, the
 * session store has the bucket (store/redis.h).
 *
 * A turn is granted ahead of time: the bucket says when it comes, and whoever got it uses it then, or loses it.
 *
 * Threads:   any number at once.
 * Ownership: everything is borrowed for the call.
 * Errors:    the bucket cannot be reached: ERR_UNAVAILABLE, ERR_DEADLINE, ERR_CANCELLED, ERR_PROTOCOL. Who asked
 *            then goes on with a bucket of its own, at its share of the rate. */
#ifndef BASE_QUOTA_H
#define BASE_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"

struct quota_request {
	struct str name;    /* of the bucket: at most QUOTA_NAME_MAX bytes, without '{' and '}' */
	double start_per_s; /* rate of a bucket that nobody has used of late; > 0 */
	double most_per_s;  /* the learned rate never exceeds it; >= start_per_s */
	double burst;       /* what an idle bucket gives at once; >= 1 */
	unsigned turns;     /* wanted; 0: only what was learned is reported */
	bool only_free;     /* read-ahead: only turns that have come already */
	unsigned throttled; /* since the last request: answers that asked to slow down, */
	bool succeeded;     /* and whether any call was answered well */
};
#define QUOTA_NAME_MAX 128

struct quota_grant {
	unsigned turns;     /* 0 ... request.turns */
	double first_ms;    /* until the first of them comes, from now */
	double interval_ms; /* from one to the next; 0: a burst */
	int64_t again_ms;   /* fewer turns than wanted: asking before is for nothing */
	double rate_per_s;  /* of the bucket, by now */
	unsigned servers;   /* that have used the bucket of late, the asking one included: >= 1 */
};

struct quota {
	/* Asks for turns, and reports how the last ones went. */
	enum err_code (*take)(struct quota *q, const struct ctx *ctx, const struct quota_request *in,
		struct quota_grant *ret_grant, struct err *reterr);
};

#endif
