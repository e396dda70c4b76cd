/* sim/sim_org.h
 *
 * The simulated estate: accounts with users, groups, roles and policies. Everything follows from the options:
 * names, relations, dates and documents are hashes of (seed, kind, index, what), so two simulators with the
 * same flags answer the same bytes, and long texts (inline and policy documents) are made when asked for
 * instead of being kept.
 *
 * Threads: readers hold the lock of struct sim (sim.h) shared, sim_org_remove holds it exclusively.
 * Ownership: all strings belong to the organization, except those returned into an arena. */
#ifndef SIM_ORG_H
#define SIM_ORG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

#define SIM_MAX_GROUPS   4
#define SIM_MAX_ATTACHED 6
#define SIM_MAX_TAGS     5
#define SIM_MAX_KEYS     2
#define SIM_NEVER        INT64_MIN  /* a date that does not exist */
#define SIM_NONE         UINT32_MAX /* an index that points nowhere */

enum sim_kind { SIM_USER, SIM_GROUP, SIM_ROLE, SIM_KIND_COUNT };

struct sim_tag {
	struct str key, value;
};

struct sim_access_key {
	struct str id;
	bool active;
	int64_t created_s;
	int64_t last_used_s;        /* SIM_NEVER: not used yet */
	struct str region, service; /* of the last use */
};

struct sim_entity { /* a user, a group or a role */
	enum sim_kind kind;
	bool gone; /* removed by POST /sim/mutate: positions of the others stay, so markers stay valid */
	uint32_t index;
	struct str name, path, arn, id;
	int64_t created_s;
	uint32_t attached[SIM_MAX_ATTACHED]; /* into sim_account.policies */
	uint32_t n_attached;
	uint32_t n_inline;
	uint32_t boundary;                 /* into sim_account.policies, or SIM_NONE; users and roles */
	struct sim_tag tags[SIM_MAX_TAGS]; /* users and roles */
	uint32_t n_tags;

	/* users */
	uint32_t groups[SIM_MAX_GROUPS]; /* ascending, distinct */
	uint32_t n_groups;
	bool has_password;
	int64_t password_last_used_s; /* SIM_NEVER: no password, or not used */
	bool mfa;
	struct sim_access_key keys[SIM_MAX_KEYS];
	uint32_t n_keys;

	/* roles */
	struct str trust;       /* the trust policy, plain JSON */
	struct str external_id; /* what the trust policy asks for; empty: nothing */
	struct str description; /* empty: none */
	uint32_t max_session_s;
	int64_t last_used_s; /* SIM_NEVER: not in the tracking period */
	bool has_profile;    /* an instance profile of the same name */
};

struct sim_policy {
	bool aws;       /* AWS-managed */
	uint32_t index; /* within sim_account.policies */
	struct str name, path, arn, id;
	struct str description; /* empty: none */
	int64_t created_s, updated_s;
	uint32_t default_version;             /* 3 is "v3" */
	uint32_t first_version, last_version; /* those that exist */
	uint32_t attachments;                 /* users, groups and roles it is attached to */
	uint32_t boundaries;                  /* users and roles it bounds */
	struct sim_tag tag;                   /* key empty: none; customer policies only */
};

struct sim_account {
	struct sim_org *org;
	struct str id, alias;
	struct sim_entity *entities[SIM_KIND_COUNT]; /* users, groups, roles */
	size_t n[SIM_KIND_COUNT];
	struct sim_policy *policies; /* customer-managed first, then AWS-managed */
	size_t n_policies, n_customer_policies;
};

struct sim_org_options {
	uint64_t seed;
	struct str account;                    /* 12 digits */
	struct str access_key_id;              /* the first key of the first user */
	size_t users, groups, roles, policies; /* policies: customer-managed */
	size_t aws_policies; /* how large the catalogue of AWS-managed policies is, at least */
};

struct sim_org {
	struct arena *arena;
	uint64_t seed;
	struct sim_account *accounts;
	size_t n_accounts;
};

struct sim_org *sim_org_new(const struct sim_org_options *opts);
void sim_org_free(struct sim_org *o); /* NULL is fine */

/* NULL when there is none (any more). Names compare exactly. */
struct sim_account *sim_org_account(struct sim_org *o, struct str id);
struct sim_entity *sim_entity_find(struct sim_account *a, enum sim_kind kind, struct str name);
struct sim_policy *sim_policy_find(struct sim_account *a, struct str arn);
bool sim_in_group(const struct sim_entity *user, const struct sim_entity *group);

/* Removes an entity with its attachments and memberships. False: no such. */
bool sim_org_remove(struct sim_account *a, enum sim_kind kind, struct str name);

/* Inline policy k < n_inline of e, and version v of p: name, and document as plain JSON. */
struct str sim_inline_name(struct sim_account *a, const struct sim_entity *e, uint32_t k);
struct str sim_inline_document(
	struct sim_account *a, const struct sim_entity *e, uint32_t k, struct arena *arena);
struct str sim_policy_document(
	struct sim_account *a, const struct sim_policy *p, uint32_t version, struct arena *arena);
int64_t sim_policy_version_created(const struct sim_policy *p, uint32_t version);

/* The hash everything is derived from; sim_id makes an AWS unique id: prefix and 17 of A-Z2-7. */
uint64_t sim_hash(uint64_t seed, uint64_t a, uint64_t b, uint64_t c);
struct str sim_id(struct arena *arena, const char *prefix, uint64_t hash);

#endif
