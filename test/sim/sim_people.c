/* DESIGN
 * As in sim_org.c every property is a hash of (seed, kind and position, what for). An id is a UUID whose last twelve
 * digits are the position under a mask and whose other digits are a hash of it: it looks like AWS's, and finding whose it
 * is takes no table. Only the memberships are kept, four bytes each, because both sides ask for them. */
#include "sim/sim_people.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "sim/sim_org.h"
#include "sim/sim_text.h"

#define MEMBERSHIP_KIND 2 /* ids beside users and groups */
#define ID_SIZE         48
#define LOW_BITS        24 /* of an id's 48: the second position; SIM_PEOPLE_MAX says the same */

/* Append only, or all directories change. */
enum salt {
	SALT_ID = 1,
	SALT_MASK,
	SALT_STYLE,
	SALT_DISPLAY,
	SALT_STATUS,
	SALT_EMAILS,
	SALT_TITLE,
	SALT_EXTERNAL,
	SALT_N_GROUPS,
	SALT_GROUP,
	SALT_DESCRIPTION,
};

static uint64_t draw(const struct sim_people *p, unsigned kind, uint64_t i, enum salt salt)
{
	return sim_hash(p->seed, ((uint64_t)kind << 48) | i, salt, 0);
}

/* --- ids --- */
static uint64_t id_mask(const struct sim_people *p, unsigned kind)
{
	return sim_hash(p->seed, kind, SALT_MASK, 0) & UINT64_C(0xffffffffffff);
}

/* "90677c608a-ef9cb2da-d480-422b-9901-5bf8e4b2f0e4", or without what stands before the UUID: directories have both. */
static void make_id(const struct sim_people *p, unsigned kind, uint64_t at, char out[ID_SIZE])
{
	uint64_t h = draw(p, kind, at, SALT_ID);
	size_t n = 0;

	if (h % 3 == 0)
		n = (size_t)snprintf(
			out, ID_SIZE, "%010" PRIx64 "-", p->seed % 0xffff * 0x10001 + 0x9067000000);
	snprintf(out + n, ID_SIZE - n, "%08" PRIx64 "-%04x-%04x-%04x-%012" PRIx64, h >> 32,
		(unsigned)(h & 0xffff), (unsigned)(h >> 16 & 0xfff) | 0x7000,
		(unsigned)(h >> 28 & 0x3fff) | 0x8000, at ^ id_mask(p, kind));
}

static bool hex_to_u64(struct str hex, uint64_t *ret)
{
	uint64_t value = 0;

	for (size_t i = 0; i < hex.n; i++) {
		char c = hex.p[i];
		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
			return false;
		value = value << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	*ret = value;
	return hex.n > 0 && hex.n <= 16;
}

static bool read_id(const struct sim_people *p, unsigned kind, struct str id, uint64_t *ret_at)
{
	char again[ID_SIZE];
	uint64_t masked;

	if (id.n < 12 || !hex_to_u64(str_from(id, id.n - 12), &masked))
		return false;
	*ret_at = masked ^ id_mask(p, kind);
	make_id(p, kind, *ret_at, again);
	return str_eq_c(id, again);
}

struct str sim_people_id(const struct sim_people *p, enum sim_sso_kind kind, size_t i, struct arena *arena)
{
	char id[ID_SIZE];

	make_id(p, kind, i, id);
	return str_dup(arena, str_c(id));
}

struct str sim_people_membership_id(
	const struct sim_people *p, size_t user, size_t group, struct arena *arena)
{
	char id[ID_SIZE];

	make_id(p, MEMBERSHIP_KIND, (uint64_t)user << LOW_BITS | group, id);
	return str_dup(arena, str_c(id));
}

static size_t count(const struct sim_people *p, enum sim_sso_kind kind)
{
	return kind == SIM_SSO_USER ? p->n_users : p->n_groups;
}

bool sim_people_is_gone(const struct sim_people *p, enum sim_sso_kind kind, size_t i)
{
	return kind == SIM_SSO_USER ? p->user_gone[i] : p->group_gone[i];
}

bool sim_people_find(const struct sim_people *p, enum sim_sso_kind kind, struct str id, size_t *ret_i)
{
	uint64_t at;

	if (!read_id(p, kind, id, &at) || at >= count(p, kind))
		return false;
	*ret_i = (size_t)at;
	return true;
}

/* --- what is known of one --- */
struct person {
	const char *first, *last;
	char number[24]; /* "": the first of that name */
};

/* As the users of accounts are named: all pairs of names in an order of the seed's, then once more with numbers. */
static struct person person_of(const struct sim_people *p, size_t i)
{
	size_t pairs = sim_first_names.n * sim_last_names.n;
	size_t pair = (i * 1009 + p->seed % pairs) % pairs; /* 1009 is prime to 1600 */
	struct person person = {
		.first = sim_first_names.words[pair % sim_first_names.n],
		.last = sim_last_names.words[pair / sim_first_names.n],
	};

	if (i >= pairs)
		snprintf(person.number, sizeof(person.number), "%zu", i / pairs + 1);
	return person;
}

static struct str user_name(const struct sim_people *p, size_t i, struct arena *arena)
{
	struct person who = person_of(p, i);

	switch (draw(p, SIM_SSO_USER, i, SALT_STYLE) % 6) {
	case 0:
		return str_fmt(arena, "%s.%s%s", who.first, who.last, who.number);
	case 1:
		return str_fmt(arena, "%s+%s%s@Corp.Example", who.first, who.last, who.number);
	case 2:
		return str_fmt(arena, "%s.%s-m\u00fcller%s@example.com", who.first, who.last, who.number);
	default:
		return str_fmt(arena, "%s.%s%s@example.com", who.first, who.last, who.number);
	}
}

static void add_email(struct sim_sso_user *u, struct str value, const char *type, bool primary)
{
	u->emails[u->n_emails++] = (struct sim_sso_email){value, str_c(type), primary};
}

/* None, one, several; the primary one anywhere or nowhere; the user name again; an entry without a value. */
static void build_emails(const struct sim_people *p, size_t i, struct sim_sso_user *u, struct arena *arena)
{
	struct person who = person_of(p, i);
	struct str work = str_fmt(arena, "%s.%s%s@work.example", who.first, who.last, who.number);
	struct str home = str_fmt(arena, "%s%s.%zu@home.example", who.first, who.last, i);

	switch (draw(p, SIM_SSO_USER, i, SALT_EMAILS) % 8) {
	case 0:
		return;
	case 1:
		add_email(u, home, "home", false);
		add_email(u, work, "work", true);
		return;
	case 2:
		add_email(u, work, "work", false);
		add_email(u, home, "", false);
		return;
	case 3:
		add_email(u, STR_EMPTY, "other", false);
		add_email(u, u->user_name, "work", false);
		add_email(u, home, "home", true);
		return;
	case 4:
		add_email(u, u->user_name, "work", true);
		return;
	default:
		add_email(u, work, "work", true);
		return;
	}
}

static size_t build_external_ids(const struct sim_people *p, enum sim_sso_kind kind, size_t i,
	struct sim_external_id ids[SIM_EXTERNAL_IDS_MAX], struct arena *arena)
{
	static const char *const issuers[SIM_EXTERNAL_IDS_MAX] = {
		"https://scim.example.com/tenant/4711", "urn:example:hr&payroll"};
	uint64_t h = draw(p, kind, i, SALT_EXTERNAL);
	size_t n = h % 3 != 0 ? 0 : h % 5 == 0 ? 2 : 1;

	for (size_t k = 0; k < n; k++)
		ids[k] = (struct sim_external_id){
			str_c(issuers[k]), str_fmt(arena, "00%c%014" PRIx64, kind == SIM_SSO_USER ? 'u' : 'g',
						   sim_hash(h, k, 0, 0) >> 8)};
	return n;
}

static struct str display_name(const struct sim_people *p, size_t i, struct arena *arena)
{
	struct person who = person_of(p, i);
	uint64_t style = draw(p, SIM_SSO_USER, i, SALT_DISPLAY) % 20;

	if (style == 0)
		return STR_EMPTY;
	if (style == 1)
		return str_fmt(arena, "%s \"%s\" <%s & co> \u0418\u0422", who.first, who.number, who.last);
	return str_fmt(arena, "%c%s %c%s", who.first[0] - 'a' + 'A', who.first + 1, who.last[0] - 'a' + 'A',
		who.last + 1);
}

static struct str user_status(uint64_t hash)
{
	if (hash % 40 == 0)
		return STR_EMPTY; /* as for users from before there was one */
	return hash % 12 == 1 ? STR("DISABLED") : STR("ENABLED");
}

struct sim_sso_user sim_people_user(const struct sim_people *p, size_t i, struct arena *arena)
{
	struct person who = person_of(p, i);
	uint64_t title = draw(p, SIM_SSO_USER, i, SALT_TITLE);
	struct sim_sso_user u = {
		.id = sim_people_id(p, SIM_SSO_USER, i, arena),
		.user_name = user_name(p, i, arena),
		.given_name = str_c(who.first),
		.family_name = str_c(who.last),
		.display_name = display_name(p, i, arena),
		.status = user_status(draw(p, SIM_SSO_USER, i, SALT_STATUS)),
		.title = title % 2 == 0 ? str_c(sim_word(&sim_departments, title >> 1)) : STR_EMPTY,
	};

	build_emails(p, i, &u, arena);
	u.n_external_ids = build_external_ids(p, SIM_SSO_USER, i, u.external_ids, arena);
	return u;
}

static struct str group_name(const struct sim_people *p, size_t i, struct arena *arena)
{
	if (i < sim_group_names.n)
		return str_c(sim_group_names.words[i]);
	return str_fmt(
		arena, "AWS %s-team-%zu", sim_word(&sim_services, draw(p, SIM_SSO_GROUP, i, SALT_STYLE)), i);
}

struct sim_sso_group sim_people_group(const struct sim_people *p, size_t i, struct arena *arena)
{
	struct sim_sso_group g = {
		.id = sim_people_id(p, SIM_SSO_GROUP, i, arena),
		.display_name = group_name(p, i, arena),
		.description =
			str_c(sim_word(&sim_descriptions, draw(p, SIM_SSO_GROUP, i, SALT_DESCRIPTION))),
	};

	g.n_external_ids = build_external_ids(p, SIM_SSO_GROUP, i, g.external_ids, arena);
	return g;
}

static struct str name_of(const struct sim_people *p, enum sim_sso_kind kind, size_t i, struct arena *arena)
{
	return kind == SIM_SSO_USER ? user_name(p, i, arena) : group_name(p, i, arena);
}

bool sim_people_named(const struct sim_people *p, enum sim_sso_kind kind, struct str name, size_t *ret_i)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const struct sim_index *index = kind == SIM_SSO_USER ? &p->user_names : &p->group_names;
	size_t at = 0;
	uint32_t i;

	while (sim_index_next(index, name, &at, &i)) {
		if (!sim_people_is_gone(p, kind, i) && str_eq(name_of(p, kind, i, arena), name)) {
			*ret_i = i;
			return true;
		}
	}
	return false;
}

/* --- memberships --- */
bool sim_people_membership(const struct sim_people *p, size_t user, size_t k, size_t *ret_group)
{
	uint32_t group = p->groups[user * p->per_user + k];

	if (group == SIM_NONE || p->user_gone[user] || p->group_gone[group])
		return false;
	*ret_group = group;
	return true;
}

bool sim_people_is_member(const struct sim_people *p, size_t user, size_t group)
{
	size_t mine;

	for (size_t k = 0; k < p->per_user; k++) {
		if (sim_people_membership(p, user, k, &mine) && mine == group)
			return true;
	}
	return false;
}

static bool is_among(const uint32_t *groups, size_t n, uint32_t group)
{
	for (size_t k = 0; k < n; k++) {
		if (groups[k] == group)
			return true;
	}
	return false;
}

/* A tenth is in no group at all; the first group holds more than half of the others. */
static void join_groups(struct sim_people *p, size_t user)
{
	uint32_t *groups = &p->groups[user * p->per_user];
	bool in_none = draw(p, SIM_SSO_USER, user, SALT_N_GROUPS) % 10 == 0;

	for (size_t k = 0; k < p->per_user; k++) {
		uint64_t h = sim_hash(p->seed, user, SALT_GROUP, k);
		uint32_t group = k == 0 && h % 10 < 6 ? 0 : (uint32_t)((h >> 8) % p->n_groups);
		while (is_among(groups, k, group))
			group = (uint32_t)((group + 1) % p->n_groups);
		groups[k] = in_none ? SIM_NONE : group;
	}
}

static void build_index(struct sim_people *p, enum sim_sso_kind kind, struct sim_index *index)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);

	sim_index_init(index, p->arena, count(p, kind));
	for (uint32_t i = 0; i < count(p, kind); i++) {
		sim_index_add(index, name_of(p, kind, i, arena), i);
		arena_reset(arena);
	}
}

struct sim_people *sim_people_new(const struct sim_people_options *opts)
{
	struct arena *arena = arena_new(0);
	struct sim_people *p = arena_new_of(arena, struct sim_people);

	p->arena = arena;
	p->seed = opts->seed;
	p->n_users = opts->users;
	p->n_groups = opts->groups;
	p->per_user = opts->memberships < opts->groups ? opts->memberships : opts->groups;
	p->user_gone = arena_array_of(arena, p->n_users + 1, bool);
	p->group_gone = arena_array_of(arena, p->n_groups + 1, bool);
	p->groups = arena_array_of(arena, p->n_users * p->per_user + 1, uint32_t);
	for (size_t i = 0; i < p->n_users; i++)
		join_groups(p, i);
	build_index(p, SIM_SSO_USER, &p->user_names);
	build_index(p, SIM_SSO_GROUP, &p->group_names);
	return p;
}

void sim_people_free(struct sim_people *p)
{
	if (p != NULL)
		arena_free(p->arena);
}

bool sim_people_remove(struct sim_people *p, enum sim_sso_kind kind, struct str id)
{
	bool *gone = kind == SIM_SSO_USER ? p->user_gone : p->group_gone;
	size_t i;

	if (!sim_people_find(p, kind, id, &i) || gone[i])
		return false;
	gone[i] = true;
	return true;
}
