/* sim/sim.h
 *
 * The simulator as a whole: what its parts share. main.c builds it, sim_http.c hands it to every request.
 *
 * Threads: immutable after start-up except behind the locks of the parts; org_lock guards the
 * organization. */
#ifndef SIM_H
#define SIM_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct sim_auth;
struct sim_center;
struct sim_faults;
struct sim_log;
struct sim_logins;
struct sim_org;
struct sim_rates;
struct sim_reports;

#define SIM_SAME UINT64_MAX

struct sim_options {
	struct str listen;
	struct str account;
	struct str access_key_id, secret_access_key;
	struct str child_role_name;
	uint64_t accounts, suspended, pending_closure, denied;
	uint64_t users, roles, groups, policies;                         /* of the management account */
	uint64_t child_users, child_roles, child_groups, child_policies; /* SIM_SAME: as many */
	uint64_t aws_policies, seed;
	uint64_t ous, ou_depth;
	uint64_t instances; /* of Identity Center; SIM_SAME: one if there is anything in it */
	uint64_t permission_sets, permission_sets_per_account, large_assignments;
	uint64_t sso_users, sso_groups, memberships, logins;
	uint64_t sso_rate, identity_store_rate, organizations_rate,
		cloudtrail_rate; /* per second; 0: no limit */
	struct str sso_region;
	struct str account_state; /* which member tells it: state, status or both */
	struct str account_paths; /* account, parent or none: what Paths ends with, or that there are none */
	uint64_t latency_ms;
	uint64_t throttle_percent, error_percent;
	uint64_t page_limit;      /* 0: MaxItems decides */
	uint64_t report_polls;    /* polls until a credential report is complete */
	uint64_t session_seconds; /* 0: DurationSeconds decides */
	uint64_t log_limit;       /* calls that the log keeps */
	int64_t clock_offset_s;
	bool no_organization;
	bool delegated_administrator; /* the known key is of the first child, which administers Identity Center */
	bool report_active_only;      /* a key that is not active leaves no dates in the credential report */
	bool verify_signatures;
};

struct sim {
	const struct sim_options *opts;
	struct sim_org *org;
	struct sim_center *center;
	struct sim_logins *logins;
	pthread_rwlock_t org_lock; /* guards the three above */
	struct sim_auth *auth;
	struct sim_faults *faults;
	struct sim_log *log;
	struct sim_rates *rates;
	struct sim_reports *reports;
	_Atomic uint64_t ordinal; /* AWS calls so far */
};

/* The simulator's wall clock: the system's plus --clock-offset-s. */
int64_t sim_now_s(const struct sim *s);

#endif
