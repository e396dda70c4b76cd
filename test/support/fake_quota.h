/* test/support/fake_quota.h
 *
 * The shared bucket of base/quota.h in memory, as that header says what it does, on a clock of the test's: what the
 * real one is held against, and what pacers are tested with.
 *
 * Threads: any, with a clock that allows it. */
#ifndef TEST_SUPPORT_FAKE_QUOTA_H
#define TEST_SUPPORT_FAKE_QUOTA_H

#include <stddef.h>

#include "base/quota.h"
#include "base/thread.h"

#define FAKE_QUOTA_SERVERS 8

struct fake_quota {
	struct mutex lock;
	const double *now_ms; /* of the test; NULL: the system's clock */
	bool dead;            /* ERR_UNAVAILABLE */
	bool used;
	char name[QUOTA_NAME_MAX + 1]; /* of the last request */
	double tat_ms, rate, learned_ms, period_ms, least, used_ms;
	double member_ms[FAKE_QUOTA_SERVERS]; /* last request; < 0: never or long ago */
	size_t takes, failed, turns;          /* so far */
};

/* As one of the servers sees it. */
struct fake_quota_server {
	struct quota quota; /* hand out &s.quota */
	struct fake_quota *bucket;
	size_t i;
};

void fake_quota_init(struct fake_quota *f, const double *now_ms);
void fake_quota_deinit(struct fake_quota *f);
struct fake_quota_server fake_quota_server(struct fake_quota *f, size_t i);
/* Times may go back from one call to the next. */
struct quota_grant fake_quota_take(
	struct fake_quota *f, size_t server, double now_ms, const struct quota_request *in);

#endif
