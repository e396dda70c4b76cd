/* sim/sim_people.h
 *
 * The Identity Center directory: users, groups, memberships. Users and groups are positions; what is known of one is made
 * when asked for, and an id tells the position it was made from, so that a directory takes a few bytes per user.
 *
 * Threads: as sim_org.h: readers hold the lock of struct sim shared, what changes anything holds it exclusively.
 * Ownership: strings belong to the arena they were asked into. */
#ifndef SIM_PEOPLE_H
#define SIM_PEOPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "sim/sim_index.h"

#define SIM_EMAILS_MAX       3
#define SIM_EXTERNAL_IDS_MAX 2
#define SIM_PEOPLE_MAX       (1u << 24) /* users, and groups: what an id has room for */

struct sim_people_options {
	uint64_t seed;
	size_t users, groups, memberships; /* memberships: of each user, at most */
};

struct sim_people {
	struct arena *arena;
	uint64_t seed;
	size_t n_users, n_groups, per_user;
	bool *user_gone, *group_gone; /* removed by POST /sim/mutate: the others keep their positions */
	uint32_t *groups;             /* per_user for each user, SIM_NONE behind the last */
	struct sim_index user_names, group_names;
};

enum sim_sso_kind { SIM_SSO_USER, SIM_SSO_GROUP };

struct sim_sso_email {
	struct str value, type; /* empty: AWS leaves the member out */
	bool primary;
};

struct sim_external_id {
	struct str issuer, id;
};

struct sim_sso_user {
	struct str id, user_name, given_name, family_name;
	struct str display_name, status, title; /* empty: AWS leaves the member out */
	struct sim_sso_email emails[SIM_EMAILS_MAX];
	size_t n_emails;
	struct sim_external_id external_ids[SIM_EXTERNAL_IDS_MAX];
	size_t n_external_ids;
};

struct sim_sso_group {
	struct str id, display_name;
	struct str description; /* empty: AWS leaves the member out */
	struct sim_external_id external_ids[SIM_EXTERNAL_IDS_MAX];
	size_t n_external_ids;
};

struct sim_people *sim_people_new(const struct sim_people_options *opts);
void sim_people_free(struct sim_people *p); /* NULL is fine */

struct sim_sso_user sim_people_user(const struct sim_people *p, size_t i, struct arena *arena);
struct sim_sso_group sim_people_group(const struct sim_people *p, size_t i, struct arena *arena);
bool sim_people_is_gone(const struct sim_people *p, enum sim_sso_kind kind, size_t i);

struct str sim_people_id(const struct sim_people *p, enum sim_sso_kind kind, size_t i, struct arena *arena);
/* Whose id it is, or was. False: nobody's. */
bool sim_people_find(const struct sim_people *p, enum sim_sso_kind kind, struct str id, size_t *ret_i);
/* By user name or a group's display name: exactly, and only who is there. */
bool sim_people_named(const struct sim_people *p, enum sim_sso_kind kind, struct str name, size_t *ret_i);

/* The user's k-th group, k < per_user. False: there is none. */
bool sim_people_membership(const struct sim_people *p, size_t user, size_t k, size_t *ret_group);
bool sim_people_is_member(const struct sim_people *p, size_t user, size_t group);
struct str sim_people_membership_id(
	const struct sim_people *p, size_t user, size_t group, struct arena *arena);

/* Removes a user or a group with its memberships; assignments to it stay. False: it is not there. */
bool sim_people_remove(struct sim_people *p, enum sim_sso_kind kind, struct str id);

#endif
