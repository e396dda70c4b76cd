/* DESIGN
 * The matrix is a window: an account has per_account neighbouring permission sets, from one on that is drawn for it, so
 * both of its sides are answered without a table. The assignments of a pair are two windows in the same way, over the
 * groups and over the users. What a permission set itself says is drawn as in sim_org.c. */
#include "sim/sim_center.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "sim/sim_text.h"

#define LARGE_ROWS 250                 /* two pages and a half */
#define CREATED_S  INT64_C(1640995200) /* 2022-01-01T00:00:00Z */
#define YEAR_S     INT64_C(31536000)

/* Append only, or all organizations change. */
enum salt {
	SALT_INSTANCE = 1,
	SALT_STORE,
	SALT_ARN,
	SALT_NAME,
	SALT_DESCRIPTION,
	SALT_DURATION,
	SALT_RELAY,
	SALT_CREATED,
	SALT_MANAGED,
	SALT_CUSTOMER,
	SALT_INLINE,
	SALT_WINDOW,
	SALT_LATEST,
	SALT_ROWS,
	SALT_GROUPS_FROM,
	SALT_USERS_FROM,
};

static uint64_t draw(const struct sim_center *c, enum salt salt, uint64_t a, uint64_t b)
{
	return sim_hash(c->seed, salt, a, b);
}

static size_t n_made(const struct sim_center *c)
{
	return c->n_slots - SIM_CREATED_MAX;
}

/* --- building --- */
static void build_set(struct sim_center *c, uint32_t slot, struct str name)
{
	struct sim_permission_set *s = &c->sets[slot];
	uint64_t customer = draw(c, SALT_CUSTOMER, slot, 0) % 8,
		 duration = draw(c, SALT_DURATION, slot, 0) % 14;
	struct str instance =
		str_from(c->instances[c->n_instances - 1].arn, strlen("arn:aws:sso:::instance/"));

	*s = (struct sim_permission_set){
		.exists = true,
		.slot = slot,
		.name = name,
		.arn = str_fmt(c->arena, "arn:aws:sso:::permissionSet/" STR_FMT "/ps-%016" PRIx64,
			STR_ARG(instance), (draw(c, SALT_ARN, slot, 0) & ~UINT64_C(0xffff)) | slot),
		.description = str_c(sim_word(&sim_descriptions, draw(c, SALT_DESCRIPTION, slot, 0))),
		.duration = duration == 0    ? STR_EMPTY
			    : duration == 13 ? STR("PT1H30M")
					     : str_fmt(c->arena, "PT%" PRIu64 "H", duration),
		.relay_state = str_c(sim_word(&sim_relay_states, draw(c, SALT_RELAY, slot, 0))),
		.created_s = CREATED_S + (int64_t)(draw(c, SALT_CREATED, slot, 0) % (uint64_t)(3 * YEAR_S)),
		.n_managed = (uint32_t)(draw(c, SALT_MANAGED, slot, 0) % 4),
		.n_customer = customer > 4 ? (uint32_t)customer - 4 : 0,
		.has_inline = draw(c, SALT_INLINE, slot, 0) % 2 == 0,
	};
}

static struct str set_name(const struct sim_center *c, size_t i)
{
	if (i < sim_set_names.n)
		return str_c(sim_set_names.words[i]);
	return str_fmt(c->arena, "%s-%zu", sim_word(&sim_services, draw(c, SALT_NAME, i, 0)), i);
}

/* A second instance stands first in the list: whoever takes the first one takes the wrong one. */
static void build_instances(struct sim_center *c, size_t n)
{
	const struct sim_org *o = c->org;

	c->n_instances = n;
	for (size_t i = 0; i < n; i++) {
		bool organization = i == n - 1;
		uint64_t which = organization ? 0 : i + 1;
		c->instances[i] = (struct sim_instance){
			.arn = str_fmt(c->arena, "arn:aws:sso:::instance/ssoins-%016" PRIx64,
				draw(c, SALT_INSTANCE, which, 0)),
			.store_id = str_fmt(c->arena, "d-%010" PRIx64,
				draw(c, SALT_STORE, which, 0) & UINT64_C(0xffffffffff)),
			.owner = organization || o->n_accounts == 1 ? o->accounts[0].id : o->accounts[1].id,
			.name = organization ? STR_EMPTY : STR("team-sandbox"),
			.status = STR("ACTIVE"),
			.created_s = CREATED_S + (int64_t)i * YEAR_S,
			.has_sets = organization,
		};
	}
}

static uint32_t window_from(const struct sim_center *c, uint32_t account)
{
	return (uint32_t)(draw(c, SALT_WINDOW, account, 0) % n_made(c));
}

static uint32_t slot_in_window(const struct sim_center *c, uint32_t account, size_t j)
{
	return SIM_CREATED_MAX + (uint32_t)((window_from(c, account) + j) % n_made(c));
}

static void build_large(struct sim_center *c, size_t n)
{
	size_t accounts = c->org->n_accounts;

	if (c->per_account == 0)
		return;
	c->n_large = n < accounts ? n : accounts; /* each in an account of its own */
	c->large = arena_array_of(c->arena, c->n_large + 1, struct sim_assignment);
	for (size_t i = 0; i < c->n_large; i++) {
		uint32_t account = (uint32_t)(accounts - 1 - i);
		c->large[i].account = account;
		c->large[i].slot = slot_in_window(c, account, i % c->per_account);
	}
}

struct sim_center *sim_center_new(const struct sim_center_options *opts)
{
	struct arena *arena = arena_new(0);
	struct sim_center *c = arena_new_of(arena, struct sim_center);
	size_t sets = opts->instances > 0 ? opts->permission_sets : 0;

	c->arena = arena;
	c->seed = sim_hash(opts->seed, UINT64_C(0x5350), 0, 0);
	c->org = opts->org;
	c->people = sim_people_new(&opts->people);
	c->nobody = sim_people_new(&(struct sim_people_options){.seed = opts->seed});
	build_instances(c, opts->instances);
	c->n_slots = SIM_CREATED_MAX + sets;
	c->sets = arena_array_of(arena, c->n_slots, struct sim_permission_set);
	for (size_t i = 0; i < sets; i++)
		build_set(c, (uint32_t)(SIM_CREATED_MAX + i), set_name(c, i));
	c->per_account = opts->per_account < sets ? opts->per_account : sets;
	build_large(c, opts->large_assignments);
	return c;
}

void sim_center_free(struct sim_center *c)
{
	if (c == NULL)
		return;
	sim_people_free(c->people);
	sim_people_free(c->nobody);
	mem_free(c->deleted);
	arena_free(c->arena);
}

/* --- asking --- */
const struct sim_permission_set *sim_center_set(const struct sim_center *c, struct str arn)
{
	for (size_t i = SIM_CREATED_MAX - c->n_created; i < c->n_slots; i++) {
		if (c->sets[i].exists && str_eq(c->sets[i].arn, arn))
			return &c->sets[i];
	}
	return NULL;
}

const struct sim_instance *sim_center_instance(const struct sim_center *c, struct str arn)
{
	for (size_t i = 0; i < c->n_instances; i++) {
		if (str_eq(c->instances[i].arn, arn))
			return &c->instances[i];
	}
	return NULL;
}

const struct sim_policy *sim_center_managed(
	const struct sim_center *c, const struct sim_permission_set *s, uint32_t k)
{
	/* 7 is prime to the number of well-known policies, 19: those of one set are distinct. */
	return &c->org->catalogue[(draw(c, SALT_MANAGED, s->slot, 1) % sim_aws_policies_n + 7 * k) %
				  sim_aws_policies_n];
}

struct sim_policy_reference sim_center_customer(
	const struct sim_center *c, const struct sim_permission_set *s, uint32_t k)
{
	static const char *const paths[] = {"/", "/team/eu-1/", "", "/a+b=c,d@e/"};
	uint64_t h = draw(c, SALT_CUSTOMER, s->slot, 1);

	return (struct sim_policy_reference){str_c(sim_word(&sim_policy_names, h % sim_policy_names.n + k)),
		str_c(paths[((h >> 8) + k) % ARRAY_LEN(paths)])};
}

struct str sim_center_inline(
	const struct sim_center *c, const struct sim_permission_set *s, struct arena *arena)
{
	if (!s->has_inline)
		return STR_EMPTY;
	return sim_document(STR("*"), draw(c, SALT_INLINE, s->slot, 1), s->name, arena);
}

/* --- the matrix --- */
bool sim_center_provisioned(const struct sim_center *c, uint32_t account, uint32_t slot)
{
	const struct sim_permission_set *s = &c->sets[slot];

	if (!s->exists)
		return false;
	if (s->created)
		return s->accounts[account];
	size_t from = window_from(c, account), at = slot - SIM_CREATED_MAX;
	return (at + n_made(c) - from) % n_made(c) < c->per_account;
}

bool sim_center_up_to_date(const struct sim_center *c, uint32_t account, uint32_t slot)
{
	return draw(c, SALT_LATEST, account, slot) % 15 != 0;
}

/* --- assignments --- */
struct windows {
	size_t n_groups, groups_from, n_users, users_from;
};

static size_t rows_wanted(const struct sim_center *c, uint32_t account, uint32_t slot, uint64_t hash)
{
	for (size_t i = 0; i < c->n_large; i++) {
		if (c->large[i].account == account && c->large[i].slot == slot)
			return LARGE_ROWS;
	}
	return hash % 20 == 0 ? 0
			      : 1 + (hash >> 8) % 3; /* provisioned and assigned to nobody: that happens */
}

static struct windows windows_of(const struct sim_center *c, uint32_t account, uint32_t slot)
{
	const struct sim_people *p = c->people;
	uint64_t hash = draw(c, SALT_ROWS, account, slot);
	size_t n = rows_wanted(c, account, slot, hash);
	size_t groups = n == 1 ? hash >> 16 & 1 : (n + 1) / 2;
	struct windows w = {.n_groups = groups < p->n_groups ? groups : p->n_groups};

	w.n_users = n - w.n_groups < p->n_users ? n - w.n_groups : p->n_users;
	if (p->n_groups > 0)
		w.groups_from = draw(c, SALT_GROUPS_FROM, account, slot) % p->n_groups;
	if (p->n_users > 0)
		w.users_from = draw(c, SALT_USERS_FROM, account, slot) % p->n_users;
	return w;
}

static bool is_in_window(size_t index, size_t from, size_t n, size_t of)
{
	return n > 0 && (index + of - from) % of < n;
}

static bool is_deleted(
	const struct sim_center *c, uint32_t account, uint32_t slot, struct sim_principal principal)
{
	for (size_t i = 0; i < c->n_deleted; i++) {
		const struct sim_assignment *d = &c->deleted[i];
		if (d->account == account && d->slot == slot && d->principal.kind == principal.kind &&
			d->principal.index == principal.index)
			return true;
	}
	return false;
}

size_t sim_center_rows(const struct sim_center *c, uint32_t account, uint32_t slot)
{
	struct windows w = windows_of(c, account, slot);

	return w.n_groups + w.n_users;
}

bool sim_center_row(
	const struct sim_center *c, uint32_t account, uint32_t slot, size_t r, struct sim_principal *ret)
{
	struct windows w = windows_of(c, account, slot);

	if (r < w.n_groups)
		*ret = (struct sim_principal){
			SIM_SSO_GROUP, (uint32_t)((w.groups_from + r) % c->people->n_groups)};
	else
		*ret = (struct sim_principal){
			SIM_SSO_USER, (uint32_t)((w.users_from + r - w.n_groups) % c->people->n_users)};
	return !is_deleted(c, account, slot, *ret);
}

bool sim_center_assigned(
	const struct sim_center *c, uint32_t account, uint32_t slot, struct sim_principal principal)
{
	struct windows w = windows_of(c, account, slot);
	bool in = principal.kind == SIM_SSO_GROUP
			  ? is_in_window(principal.index, w.groups_from, w.n_groups, c->people->n_groups)
			  : is_in_window(principal.index, w.users_from, w.n_users, c->people->n_users);

	return in && !is_deleted(c, account, slot, principal);
}

size_t sim_center_pairs(const struct sim_center *c)
{
	return c->org->n_accounts * (c->per_account + c->n_created);
}

bool sim_center_pair(const struct sim_center *c, size_t i, uint32_t *ret_account, uint32_t *ret_slot)
{
	size_t made = c->org->n_accounts * c->per_account;

	if (i < made) {
		*ret_account = (uint32_t)(i / c->per_account);
		*ret_slot = slot_in_window(c, *ret_account, i % c->per_account);
	} else { /* in the order of creation, so that a later one moves no other */
		*ret_account = (uint32_t)((i - made) % c->org->n_accounts);
		*ret_slot = SIM_CREATED_MAX - 1 - (uint32_t)((i - made) / c->org->n_accounts);
	}
	return sim_center_provisioned(c, *ret_account, *ret_slot);
}

struct str sim_principal_id(const struct sim_center *c, struct sim_principal p, struct arena *arena)
{
	return sim_people_id(c->people, p.kind, p.index, arena);
}

struct str sim_principal_type(struct sim_principal p)
{
	return p.kind == SIM_SSO_USER ? STR("USER") : STR("GROUP");
}

bool sim_principal_find(const struct sim_center *c, struct str type, struct str id, struct sim_principal *ret)
{
	enum sim_sso_kind kind = str_eq_c(type, "GROUP") ? SIM_SSO_GROUP : SIM_SSO_USER;
	size_t i;

	if (!sim_people_find(c->people, kind, id, &i))
		return false;
	*ret = (struct sim_principal){kind, (uint32_t)i};
	return true;
}

/* --- changes --- */
const struct sim_permission_set *sim_center_create_set(
	struct sim_center *c, struct str name, const bool *accounts)
{
	if (c->n_instances == 0 || c->n_created == SIM_CREATED_MAX)
		return NULL;
	c->n_created++;
	uint32_t slot = (uint32_t)(SIM_CREATED_MAX - c->n_created);
	build_set(c, slot, str_dup(c->arena, name));
	c->sets[slot].created = true;
	c->sets[slot].accounts = accounts;
	return &c->sets[slot];
}

bool sim_center_remove_set(struct sim_center *c, struct str arn)
{
	const struct sim_permission_set *s = sim_center_set(c, arn);

	if (s == NULL)
		return false;
	c->sets[s->slot].exists = false;
	return true;
}

bool sim_center_remove_assignment(struct sim_center *c, struct sim_assignment assignment)
{
	if (!sim_center_provisioned(c, assignment.account, assignment.slot) ||
		!sim_center_assigned(c, assignment.account, assignment.slot, assignment.principal))
		return false;
	c->deleted = mem_realloc(c->deleted, (c->n_deleted + 1) * sizeof(c->deleted[0]));
	c->deleted[c->n_deleted++] = assignment;
	return true;
}
