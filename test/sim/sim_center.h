/* sim/sim_center.h
 *
 * IAM Identity Center: instances, permission sets, which of them each account has (the matrix), and who is assigned
 * what. Accounts are their numbers, permission sets are slots. Matrix and assignments are computed when asked for, what
 * POST /sim/mutate changes is kept beside them.
 *
 * Threads: as sim_org.h: readers hold the lock of struct sim shared, what changes anything holds it exclusively.
 * Ownership: strings of instances and permission sets belong to the center, all others to the arena given. */
#ifndef SIM_CENTER_H
#define SIM_CENTER_H

#include "sim/sim_org.h"
#include "sim/sim_people.h"

#define SIM_MAX_INSTANCES 2
#define SIM_CREATED_MAX   64 /* permission sets that POST /sim/mutate can create */

struct sim_instance {
	struct str arn, store_id, owner, name, status;
	int64_t created_s;
	bool has_sets; /* false: an account instance, which knows neither permission sets nor accounts */
};

struct sim_permission_set {
	bool exists;
	bool created; /* by POST /sim/mutate */
	uint32_t slot;
	struct str arn, name;
	struct str description, duration, relay_state; /* empty: AWS leaves the member out */
	int64_t created_s;
	uint32_t n_managed, n_customer;
	bool has_inline;
	const bool *accounts; /* of a created one: which have it */
};

struct sim_center_options {
	uint64_t seed;
	const struct sim_org *org; /* outlives it */
	size_t instances, permission_sets, per_account, large_assignments;
	struct sim_people_options people;
};

struct sim_principal {
	enum sim_sso_kind kind;
	uint32_t index;
};

struct sim_assignment {
	uint32_t account, slot;
	struct sim_principal principal;
};

struct sim_center {
	struct arena *arena;
	uint64_t seed;
	const struct sim_org *org;
	struct sim_people *people;
	struct sim_people *nobody;                        /* the directory of an account instance */
	struct sim_instance instances[SIM_MAX_INSTANCES]; /* the last one has the permission sets */
	size_t n_instances;
	/* Created ones fill the first slots from behind, so the newest is listed first and no other moves. */
	struct sim_permission_set *sets;
	size_t n_slots, n_created;
	size_t per_account;
	struct sim_assignment *large; /* pairs (principal unused) with many assignments */
	size_t n_large;
	struct sim_assignment *deleted;
	size_t n_deleted;
};

struct sim_center *sim_center_new(const struct sim_center_options *opts);
void sim_center_free(struct sim_center *c); /* NULL is fine */

/* NULL: there is none (any more). */
const struct sim_permission_set *sim_center_set(const struct sim_center *c, struct str arn);
const struct sim_instance *sim_center_instance(const struct sim_center *c, struct str arn);

/* --- what is in a permission set: k < n_managed, n_customer --- */
const struct sim_policy *sim_center_managed(
	const struct sim_center *c, const struct sim_permission_set *s, uint32_t k);
struct sim_policy_reference {
	struct str name, path; /* path empty: AWS leaves the member out */
};
struct sim_policy_reference sim_center_customer(
	const struct sim_center *c, const struct sim_permission_set *s, uint32_t k);
struct str sim_center_inline(
	const struct sim_center *c, const struct sim_permission_set *s, struct arena *arena);

/* --- the matrix --- */
bool sim_center_provisioned(const struct sim_center *c, uint32_t account, uint32_t slot);
/* Whether the account has the latest version of it. */
bool sim_center_up_to_date(const struct sim_center *c, uint32_t account, uint32_t slot);

/* --- assignments --- */
/* Those of a pair have positions, r < sim_center_rows; false: deleted. */
size_t sim_center_rows(const struct sim_center *c, uint32_t account, uint32_t slot);
bool sim_center_row(
	const struct sim_center *c, uint32_t account, uint32_t slot, size_t r, struct sim_principal *ret);
bool sim_center_assigned(
	const struct sim_center *c, uint32_t account, uint32_t slot, struct sim_principal principal);

/* All pairs have positions too, for lists over them; false: not provisioned (any more). */
size_t sim_center_pairs(const struct sim_center *c);
bool sim_center_pair(const struct sim_center *c, size_t i, uint32_t *ret_account, uint32_t *ret_slot);

struct str sim_principal_id(const struct sim_center *c, struct sim_principal p, struct arena *arena);
struct str sim_principal_type(struct sim_principal p); /* "USER", "GROUP" */
/* By id and type; also who is gone by now. */
bool sim_principal_find(
	const struct sim_center *c, struct str type, struct str id, struct sim_principal *ret);

/* --- changes; false: cannot be done --- */
/* A permission set that the accounts (a flag for each, owned by the center's arena) have. */
const struct sim_permission_set *sim_center_create_set(
	struct sim_center *c, struct str name, const bool *accounts);
bool sim_center_remove_set(struct sim_center *c, struct str arn);
bool sim_center_remove_assignment(struct sim_center *c, struct sim_assignment assignment);

#endif
