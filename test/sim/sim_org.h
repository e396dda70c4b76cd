/* sim/sim_org.h
 *
 * The simulated estate: an organization of accounts, each with users, groups, roles and policies. Everything
 * follows from the options: names, relations, dates and documents are hashes of (seed, kind, index, what), so
 * two simulators with the same flags answer the same bytes, and long texts (inline and policy documents) are
 * made when asked for instead of being kept. An account's users, groups, roles and policies are made when the
 * first caller gets into it.
 *
 * Threads: readers hold the lock of struct sim (sim.h) shared, what changes an account holds it exclusively.
 * Ownership: all strings belong to the organization, except those returned into an arena. */
#ifndef SIM_ORG_H
#define SIM_ORG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/thread.h"
#include "sim/sim_index.h"

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

enum sim_key_status { SIM_KEY_ACTIVE, SIM_KEY_INACTIVE, SIM_KEY_EXPIRED, SIM_KEY_STATUS_COUNT };
extern const char *const sim_key_status_names[SIM_KEY_STATUS_COUNT]; /* "Active" */

struct sim_access_key {
	struct str id;
	enum sim_key_status status;
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
	uint32_t attached[SIM_MAX_ATTACHED]; /* positions, see sim_policy_at */
	uint32_t n_attached;
	uint32_t n_inline;
	uint32_t boundary;          /* a position, or SIM_NONE; users and roles */
	const struct sim_tag *tags; /* users and roles */
	uint32_t n_tags;
	union {
		struct {                                 /* users */
			uint32_t groups[SIM_MAX_GROUPS]; /* ascending, distinct */
			uint32_t n_groups;
			bool has_password;
			bool mfa;
			int64_t password_last_used_s; /* SIM_NEVER: no password, or not used */
			const struct sim_access_key *keys;
			uint32_t n_keys;
		};
		struct {                        /* roles */
			struct str trust;       /* the trust policy, plain JSON */
			struct str external_id; /* what the trust policy asks for; empty: nothing */
			struct str description; /* empty: none */
			uint32_t max_session_s;
			bool has_profile;    /* an instance profile of the same name */
			int64_t last_used_s; /* SIM_NEVER: not in the tracking period */
		};
	};
};

struct sim_policy {
	bool aws;       /* AWS-managed */
	uint32_t index; /* among the account's own, or in the catalogue */
	struct str name, path, arn, id;
	struct str description; /* empty: none */
	int64_t created_s, updated_s;
	uint32_t default_version;             /* 3 is "v3" */
	uint32_t first_version, last_version; /* those that exist */
	struct sim_tag tag;                   /* key empty: none; customer policies only */
};

struct sim_policy_use {
	uint32_t attachments; /* users, groups and roles of the account that it is attached to */
	uint32_t boundaries;  /* users and roles that it bounds */
};

enum sim_account_state { SIM_ACTIVE, SIM_SUSPENDED, SIM_PENDING_CLOSURE, SIM_ACCOUNT_STATE_COUNT };
enum sim_assume { SIM_ASSUME_ALLOWED, SIM_ASSUME_DENIED, SIM_ASSUME_THROTTLED, SIM_ASSUME_COUNT };
extern const char *const sim_account_state_names[SIM_ACCOUNT_STATE_COUNT]; /* "ACTIVE" */
extern const char *const sim_assume_names[SIM_ASSUME_COUNT];               /* "allowed" */

struct sim_account {
	struct sim_org *org;
	uint32_t number; /* its position in the organization; 0 is the management account */
	uint64_t seed;   /* of all that is in it */
	struct str id, arn, name, email, alias; /* alias empty: none */
	int64_t joined_s;
	enum sim_account_state state;
	enum sim_assume assume; /* what becomes of AssumeRole for a role in it */
	uint32_t ou;            /* which unit it is in; SIM_NONE: the root; see sim_tree.h */

	/* What is in it: made by sim_account_ready, valid after it. */
	_Atomic bool ready;
	struct mutex lock; /* one thread makes it */
	struct arena *arena;
	struct sim_entity *entities[SIM_KIND_COUNT]; /* users, groups, roles */
	size_t n[SIM_KIND_COUNT];
	struct sim_index names[SIM_KIND_COUNT]; /* of entities */
	struct sim_index keys;                  /* ids of access keys: positions of their users */
	struct sim_policy *customer_policies;
	size_t n_customer_policies;
	struct sim_policy_use *use; /* by position */
	size_t n_policies;          /* customer-managed, then AWS-managed */
};

struct sim_org_size {
	size_t users, groups, roles, policies; /* policies: customer-managed */
};

struct sim_org_options {
	uint64_t seed;
	struct str account;              /* the management account, 12 digits */
	struct str access_key_id;        /* the first key of its first user */
	struct str child_role_name;      /* the role in every other account that it can assume */
	struct sim_org_size size, child; /* of the management account, of each other */
	size_t aws_policies;             /* how large the catalogue of AWS-managed policies is, at least */
	size_t accounts;                 /* at least 1 */
	size_t suspended, pending_closure, denied; /* of the other accounts: together fewer than accounts */
	size_t ous, ou_depth;                      /* organizational units; levels of them, at least 1 */
};

struct sim_org {
	struct arena *arena;
	struct sim_org_options opts;
	struct str id, arn;
	struct sim_policy *catalogue; /* AWS-managed policies, the same in all accounts */
	size_t n_catalogue;
	struct sim_account *accounts;
	size_t n_accounts;
	struct str root_id, root_arn;
	struct sim_ou *ous;
	size_t n_ous;
};

struct sim_org *sim_org_new(const struct sim_org_options *opts);
void sim_org_free(struct sim_org *o); /* NULL is fine */

struct sim_account *sim_org_account(struct sim_org *o, struct str id); /* NULL: none */
/* Makes what is in the account unless that was done already; whoever lets a caller in calls it first. */
void sim_account_ready(struct sim_account *a);
bool sim_is_management(const struct sim_account *a);

/* NULL when there is none (any more). Names compare exactly. */
struct sim_entity *sim_entity_find(struct sim_account *a, enum sim_kind kind, struct str name);
/* The key and the user whose it is. */
const struct sim_access_key *sim_key_find(
	const struct sim_account *a, struct str id, const struct sim_entity **ret_user);
const struct sim_policy *sim_policy_find(const struct sim_account *a, struct str arn);
bool sim_in_group(const struct sim_entity *user, const struct sim_entity *group);

/* The managed policies of an account have positions, i < n_policies: its own first, then the catalogue. */
const struct sim_policy *sim_policy_at(const struct sim_account *a, size_t i);
const struct sim_policy_use *sim_policy_use(const struct sim_account *a, const struct sim_policy *p);

/* Removes an entity with its attachments and memberships. False: no such. */
bool sim_org_remove(struct sim_account *a, enum sim_kind kind, struct str name);

/* A policy's document, plain JSON, drawn by hash. */
struct str sim_document(struct str account, uint64_t hash, struct str name, struct arena *arena);
/* Inline policy k < n_inline of e, and version v of p: name, and document as plain JSON. */
struct str sim_inline_name(const struct sim_account *a, const struct sim_entity *e, uint32_t k);
struct str sim_inline_document(
	const struct sim_account *a, const struct sim_entity *e, uint32_t k, struct arena *arena);
struct str sim_policy_document(
	const struct sim_account *a, const struct sim_policy *p, uint32_t version, struct arena *arena);
int64_t sim_policy_version_created(const struct sim_policy *p, uint32_t version);

/* The hash everything is derived from; sim_id makes an AWS unique id: prefix and 17 of A-Z2-7. */
uint64_t sim_hash(uint64_t seed, uint64_t a, uint64_t b, uint64_t c);
struct str sim_id(struct arena *arena, const char *prefix, uint64_t hash);

#endif
