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
 *            then goes on with a bucket of its own, at its share of the rate.
 *
 * What a bucket does with a request, in one step that no other request comes between. (test/support/fake_quota.c
 * does it in C.) Times are milliseconds with fractions, all of one clock: the bucket's. It keeps
 *
 *	tat_ms      when the next turn comes; in the past as far as turns are saved up
 *	rate        turns per second; a turn lasts 1000 / rate ms
 *	learned_ms  of the last lesson; period_ms, least: the current period of slowing down, as in aws/pacer.c
 *	members     who asked, each with the time of the last request
 *
 * and forgets it all when nobody asked for QUOTA_FORGET_MS. The request's start_per_s, most_per_s and burst count
 * for that request: servers that share a bucket are configured alike.
 *
 *  1. A new bucket: rate = start_per_s, tat_ms = long ago, learned_ms = now, period_ms = now - 1000.
 *     An old one: rate and least are kept between start_per_s * 0.05 and most_per_s. A clock may have gone back
 *     (another machine took over): learned_ms = min(learned_ms, now); period_ms > now: period_ms = now - 1000.
 *  2. members[who asks] = now; who did not ask for QUOTA_MEMBER_MS is dropped. servers = how many are left.
 *  3. succeeded: with s = min(now - learned_ms, 1000) / 1000,
 *     rate = min(rate + s * max((start_per_s - rate) / 30, start_per_s * 0.01), most_per_s), learned_ms = now.
 *  4. throttled > 0: when now - period_ms >= 1000 a new period begins: period_ms = now,
 *     least = max(rate * 0.7, start_per_s * 0.05). rate = max(rate - throttled * min(1, start_per_s * 0.1), least);
 *     learned_ms = now; tat_ms = max(tat_ms, now): what was saved up is not there on AWS's side.
 *  5. ahead = max(QUOTA_AHEAD_MS, servers * one turn): a turn for each server at least, or those that ask too
 *     early would race for it. tat_ms is kept between now - (burst - 1) * one turn (no more than burst is saved up)
 *     and now + ahead + one turn (a clock that has gone back, a slow rate that has recovered).
 *  6. Turn k of the request, from 0, comes at tat_ms + k turns. It is granted when k < turns, and that is not later
 *     than now (only_free) or now + ahead (else). So nobody can take what is far away, a change of the rate counts
 *     soon, and servers that want more than there is get it in the order in which they ask.
 *  7. first_ms = tat_ms - now, interval_ms = one turn; tat_ms += granted turns. Fewer than were wanted:
 *     again_ms = until the next one would be granted, rounded up, at least 1; else 0. */
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
#define QUOTA_NAME_MAX  128
#define QUOTA_AHEAD_MS  1000
#define QUOTA_MEMBER_MS 30000
#define QUOTA_FORGET_MS 600000

struct quota_grant {
	unsigned turns;     /* 0 ... request.turns */
	double first_ms;    /* until the first of them comes, from now; negative: it was saved up so long */
	double interval_ms; /* from one to the next; whichever are not in the future come at once */
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
