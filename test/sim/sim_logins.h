/* sim/sim_logins.h
 *
 * What CloudTrail has seen of Identity Center: --logins events of the day before the start, and what POST /sim/mutate
 * adds. An event becomes visible some time after it happened.
 *
 * Threads: as sim_org.h: readers hold the lock of struct sim shared, who adds an event holds it exclusively. */
#ifndef SIM_LOGINS_H
#define SIM_LOGINS_H

#include "sim/sim_center.h"

struct sim_event {
	struct str id, name, source;
	struct str record; /* the text of CloudTrailEvent; empty: AWS leaves the member out */
	int64_t time_s, visible_s;
};

struct sim_login {
	uint64_t number; /* in the order of making; of events of the same second the later one is newer */
	int64_t time_s, visible_s;
	const struct sim_event *given; /* NULL: drawn by number */
};

struct sim_logins {
	struct arena *arena;
	const struct sim_center *center;
	struct sim_login *items; /* newest first */
	size_t n;
	uint64_t next_number;
};

/* n events before now_s. The center outlives it. */
struct sim_logins *sim_logins_new(const struct sim_center *center, size_t n, int64_t now_s);
void sim_logins_free(struct sim_logins *l); /* NULL is fine */

struct sim_event sim_logins_event(const struct sim_logins *l, size_t i, struct arena *arena);

struct sim_sign_in { /* what the record of one says; what is empty is left out */
	struct str event, user, account, role;
	bool without_user; /* nothing says who it was */
};
/* Adds an event; what is empty of it is made: the id, the record from sign_in. Texts are copied. */
void sim_logins_add(struct sim_logins *l, const struct sim_event *e, const struct sim_sign_in *sign_in);

#endif
