/* DESIGN
 * Every property of an entity is drawn from sim_hash(seed, kind+index, salt), never from a running generator:
 * adding a property does not change the others, and nothing depends on the order of building. Accounts have
 * seeds of their own, so one can be built without the others. Short strings are built once into the account's
 * arena (about half a kilobyte per user, one per role), documents are built per request. */
#include "sim/sim_org.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "sim/sim_directory.h"
#include "sim/sim_text.h"
#include "sim/sim_tree.h"

/* What a property is drawn for: the third argument of sim_hash. Append only, or all estates change. */
enum salt {
	SALT_ID = 1,
	SALT_NAME,
	SALT_STYLE,
	SALT_PATH,
	SALT_CREATED,
	SALT_N_ATTACHED,
	SALT_ATTACHED,
	SALT_N_INLINE,
	SALT_INLINE,
	SALT_BOUNDARY,
	SALT_TAGS,
	SALT_TAG_VALUE,
	SALT_N_GROUPS,
	SALT_GROUP,
	SALT_PASSWORD,
	SALT_PASSWORD_USED,
	SALT_KEYS,
	SALT_KEY,
	SALT_KEY_USED,
	SALT_TRUST,
	SALT_PEER,
	SALT_DESCRIPTION,
	SALT_SESSION,
	SALT_ROLE_USED,
	SALT_VERSIONS,
	SALT_DOCUMENT,
	SALT_PURPOSE,
};

#define POLICY_KIND SIM_KIND_COUNT /* policies hash beside the three kinds */

/* Dates lie in the four years before this instant (2026-01-01T00:00:00Z), whenever the simulator runs. */
#define EPOCH_END_S INT64_C(1767225600)
#define YEAR_S      INT64_C(31536000)

uint64_t sim_hash(uint64_t seed, uint64_t a, uint64_t b, uint64_t c)
{
	const uint64_t in[] = {seed, a, b, c};
	uint64_t h = UINT64_C(0x9e3779b97f4a7c15);

	for (size_t i = 0; i < ARRAY_LEN(in); i++) { /* the finisher of splitmix64, once per word */
		h += in[i] + UINT64_C(0x9e3779b97f4a7c15);
		h = (h ^ (h >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
		h = (h ^ (h >> 27)) * UINT64_C(0x94d049bb133111eb);
		h ^= h >> 31;
	}
	return h;
}

struct str sim_id(struct arena *arena, const char *prefix, uint64_t hash)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	char id[17];
	uint64_t h = hash;

	for (size_t i = 0; i < sizeof(id); i++) {
		if (i == 12) /* 60 bits are used up */
			h = sim_hash(hash, i, 0, 0);
		id[i] = alphabet[h & 31];
		h >>= 5;
	}
	return str_fmt(arena, "%s%.*s", prefix, (int)sizeof(id), id);
}

const char *const sim_key_status_names[SIM_KEY_STATUS_COUNT] = {"Active", "Inactive", "Expired"};

/* --- building --- */
struct builder {
	struct sim_account *account;
	const struct sim_org *org;
	const struct sim_org_size *size;
	struct arena *arena; /* of the account */
};

static uint64_t draw(const struct builder *b, unsigned kind, uint64_t index, enum salt salt)
{
	return sim_hash(b->account->seed, ((uint64_t)kind << 32) | index, salt, 0);
}

static uint64_t draw_nth(const struct builder *b, unsigned kind, uint64_t index, enum salt salt, uint64_t nth)
{
	return sim_hash(b->account->seed, ((uint64_t)kind << 32) | index, salt, nth + 1);
}

static int64_t some_date(uint64_t hash, int64_t after_s)
{
	return after_s + (int64_t)(hash % (uint64_t)(EPOCH_END_S - after_s));
}

static struct str arn(const struct builder *b, const char *type, struct str path, struct str name)
{
	return str_fmt(b->arena, "arn:aws:iam::" STR_FMT ":%s" STR_FMT STR_FMT, STR_ARG(b->account->id), type,
		STR_ARG(path), STR_ARG(name));
}

/* A friendly name for each of the first n of a list, then names that go on for ever. */
static struct str listed_name(
	const struct builder *b, const struct sim_words *names, size_t index, const char *more, uint64_t hash)
{
	if (index < names->n)
		return str_c(names->words[index]);
	return str_fmt(b->arena, "%s-%s-%zu", sim_word(&sim_services, hash), more, index);
}

/* 1600 pairs of first and last name in an order of the seed's; each further round of all pairs carries its
 * number. */
static struct str user_name(const struct builder *b, size_t index)
{
	size_t pairs = sim_first_names.n * sim_last_names.n;
	size_t pair = (index * 1009 + b->account->seed % pairs) % pairs; /* 1009 is prime to 1600 */
	size_t round = index / pairs;
	const char *first = sim_first_names.words[pair % sim_first_names.n];
	const char *last = sim_last_names.words[pair / sim_first_names.n];
	char number[48] = "", service_number[24] = "";

	if (round > 0)
		snprintf(number, sizeof(number), "%zu", round + 1);
	if (!sim_is_management(b->account)) { /* nobody is in two accounts */
		size_t n = strlen(number);
		snprintf(number + n, sizeof(number) - n, ".%" PRIu32, b->account->number);
		snprintf(service_number, sizeof(service_number), ".%" PRIu32, b->account->number);
	}
	switch (draw(b, SIM_USER, index, SALT_STYLE) % 10) {
	case 0:
	case 1:
		return str_fmt(b->arena, "%s.%s%s@example.com", first, last, number);
	case 2:
		return str_fmt(b->arena, "svc-%s-%zu%s",
			sim_word(&sim_services, draw(b, SIM_USER, index, SALT_NAME)), index, service_number);
	case 3:
		return str_fmt(b->arena, "%c%s_%s%s", first[0] - 'a' + 'A', first + 1, last, number);
	case 4:
		return str_fmt(b->arena, "%s+%s=ops,%s", first, last, number);
	default:
		return str_fmt(b->arena, "%s.%s%s", first, last, number);
	}
}

static bool is_service_user(struct str name)
{
	return str_starts(name, STR("svc-"));
}

static void attach(struct sim_entity *e, struct sim_account *a, uint32_t policy)
{
	for (uint32_t i = 0; i < e->n_attached; i++) {
		if (e->attached[i] == policy)
			return;
	}
	if (e->n_attached == SIM_MAX_ATTACHED)
		return;
	e->attached[e->n_attached++] = policy;
	a->use[policy].attachments++;
}

static void build_attachments(const struct builder *b, struct sim_entity *e)
{
	/* How many policies: users few, groups and roles more. */
	static const unsigned spread[SIM_KIND_COUNT] = {3, 5, 4};
	struct sim_account *a = b->account;
	uint64_t n = draw(b, e->kind, e->index, SALT_N_ATTACHED) % spread[e->kind];

	for (uint64_t i = 0; i < n; i++) {
		uint64_t h = draw_nth(b, e->kind, e->index, SALT_ATTACHED, i);
		bool customer = a->n_customer_policies > 0 && (h & 1) != 0;
		/* Of the AWS-managed ones only the well-known are ever attached: most of the catalogue is
		 * unused. */
		uint64_t policy = customer ? (h >> 1) % a->n_customer_policies
					   : a->n_customer_policies + (h >> 1) % sim_aws_policies_n;
		attach(e, a, (uint32_t)policy);
	}
	uint64_t boundary = draw(b, e->kind, e->index, SALT_BOUNDARY);
	e->boundary = SIM_NONE;
	if (e->kind != SIM_GROUP && a->n_customer_policies > 0 && boundary % 9 == 0) {
		e->boundary = (uint32_t)((boundary / 9) % a->n_customer_policies);
		a->use[e->boundary].boundaries++;
	}
	uint64_t inlines = draw(b, e->kind, e->index, SALT_N_INLINE) % 8;
	e->n_inline = inlines >= 6 ? (uint32_t)inlines - 5 : 0; /* a quarter has one or two */
}

struct tags {
	struct sim_tag items[SIM_MAX_TAGS];
	uint32_t n;
};

static void add_tag(struct tags *t, const char *key, struct str value)
{
	if (t->n < SIM_MAX_TAGS)
		t->items[t->n++] = (struct sim_tag){str_c(key), value};
}

static void build_tags(const struct builder *b, struct sim_entity *e)
{
	uint64_t which = draw(b, e->kind, e->index, SALT_TAGS);
	uint64_t value = draw(b, e->kind, e->index, SALT_TAG_VALUE);
	struct tags t = {.n = 0};

	if (e->kind == SIM_USER && which % 3 == 0) {
		struct str mail = str_contains(e->name, STR("@"))
					  ? str_fmt(b->arena, "second-%" PRIu32 "@example.org", e->index)
					  : str_fmt(b->arena, STR_FMT "@example.com", STR_ARG(e->name));
		add_tag(&t, "email", mail);
	}
	if (which % 7 == 1)
		add_tag(&t, "Email", STR("not-the-tag@example.com")); /* keys differ by case */
	if (which % 2 == 0)
		add_tag(&t, "department", str_c(sim_word(&sim_departments, value)));
	if (which % 5 == 0)
		add_tag(&t, "cost-center", str_fmt(b->arena, "CC-%04u", (unsigned)(value % 10000)));
	if (which % 11 == 0)
		add_tag(&t, "\u00dcber", STR("\u00e4 = /+-@:. \u65e5\u672c"));
	e->n_tags = t.n;
	if (t.n > 0)
		e->tags = memcpy(
			arena_array_of(b->arena, t.n, struct sim_tag), t.items, t.n * sizeof(t.items[0]));
}

static void build_entity(const struct builder *b, struct sim_entity *e, enum sim_kind kind, size_t index)
{
	static const char *const id_prefix[] = {"AIDA", "AGPA", "AROA"};
	static const char *const arn_type[] = {"user", "group", "role"};

	e->kind = kind;
	e->index = (uint32_t)index;
	e->id = sim_id(b->arena, id_prefix[kind], draw(b, kind, index, SALT_ID));
	e->arn = arn(b, arn_type[kind], e->path, e->name);
	e->created_s = some_date(draw(b, kind, index, SALT_CREATED), EPOCH_END_S - 4 * YEAR_S);
	build_attachments(b, e);
	if (kind != SIM_GROUP)
		build_tags(b, e);
}

static void build_memberships(const struct builder *b, struct sim_entity *e)
{
	size_t groups = b->account->n[SIM_GROUP];
	uint64_t h = draw(b, SIM_USER, e->index, SALT_N_GROUPS);
	uint64_t want = (h >> 8) % SIM_MAX_GROUPS; /* 0..3 beside the group of everybody */

	if (groups == 0)
		return;
	if (h % 5 < 3) /* the first group is the large one */
		e->groups[e->n_groups++] = 0;
	for (uint64_t i = 0; i < want; i++) {
		uint32_t g = (uint32_t)(draw_nth(b, SIM_USER, e->index, SALT_GROUP, i) % groups);
		uint32_t at = 0;
		while (at < e->n_groups && e->groups[at] < g)
			at++;
		if (at < e->n_groups && e->groups[at] == g)
			continue;
		memmove(&e->groups[at + 1], &e->groups[at], (e->n_groups - at) * sizeof(e->groups[0]));
		e->groups[at] = g;
		e->n_groups++;
	}
}

static void build_key(
	const struct builder *b, const struct sim_entity *e, uint32_t nth, struct sim_access_key *k)
{
	uint64_t h = draw_nth(b, SIM_USER, e->index, SALT_KEY, nth);
	uint64_t used = draw_nth(b, SIM_USER, e->index, SALT_KEY_USED, nth);

	k->id = sim_id(b->arena, "AKIA", h);
	if (h % 4 == 0)
		k->status = (h >> 8) % 4 == 0 ? SIM_KEY_EXPIRED : SIM_KEY_INACTIVE;
	k->created_s = some_date(h, e->created_s);
	k->last_used_s = used % 4 == 0 ? SIM_NEVER : some_date(used, k->created_s);
	k->region = str_c(sim_word(&sim_regions, used >> 8));
	k->service = str_c(sim_word(&sim_services, used >> 16));
}

static void build_keys(const struct builder *b, struct sim_entity *e)
{
	uint64_t h = draw(b, SIM_USER, e->index, SALT_KEYS);
	bool known = sim_is_management(b->account) && e->index == 0;
	uint32_t n =
		is_service_user(e->name) ? 1 + (uint32_t)(h % 2) : (uint32_t)(h % 4 == 3 ? 2 : h % 4 / 2);

	if (known && n == 0)
		n = 1;
	struct sim_access_key *keys = arena_array_of(b->arena, n, struct sim_access_key);
	for (uint32_t i = 0; i < n; i++)
		build_key(b, e, i, &keys[i]);
	if (known) {
		keys[0].id = b->org->opts.access_key_id;
		keys[0].status = SIM_KEY_ACTIVE;
	}
	e->keys = keys;
	e->n_keys = n;
}

static void build_user(const struct builder *b, size_t index)
{
	struct sim_entity *e = &b->account->entities[SIM_USER][index];

	bool known = sim_is_management(b->account) && index == 0;

	e->name = known ? STR("baton-connector") : user_name(b, index);
	e->path = known ? STR("/") : str_c(sim_word(&sim_user_paths, draw(b, SIM_USER, index, SALT_PATH)));
	if (index == 41) { /* the longest path there can be: 512 characters */
		char path[512];
		memset(path, 'p', sizeof(path));
		path[0] = path[sizeof(path) - 1] = '/';
		e->path = str_dup(b->arena, str_n(path, sizeof(path)));
	}
	build_entity(b, e, SIM_USER, index);
	build_memberships(b, e);
	build_keys(b, e);
	uint64_t h = draw(b, SIM_USER, index, SALT_PASSWORD);
	uint64_t used = draw(b, SIM_USER, index, SALT_PASSWORD_USED);
	e->has_password = !is_service_user(e->name) && h % 6 != 0;
	e->mfa = e->has_password && h % 4 != 0;
	e->password_last_used_s =
		e->has_password && used % 5 != 0 ? some_date(used, e->created_s) : SIM_NEVER;
}

static void build_group(const struct builder *b, size_t index)
{
	struct sim_entity *e = &b->account->entities[SIM_GROUP][index];

	e->name = listed_name(b, &sim_group_names, index, "team", draw(b, SIM_GROUP, index, SALT_NAME));
	e->path = index % 5 == 4 ? STR("/teams/") : STR("/");
	build_entity(b, e, SIM_GROUP, index);
}

static const struct sim_trust_form *trust_form(size_t index)
{
	if (index < sim_fixed_roles_n)
		return &sim_fixed_roles[index];
	/* The forms in turn, so that a small estate has them all. */
	return &sim_trust_forms[(index - sim_fixed_roles_n) % sim_trust_forms_n];
}

static void name_role(const struct builder *b, size_t index)
{
	struct sim_entity *e = &b->account->entities[SIM_ROLE][index];
	const struct sim_trust_form *form = trust_form(index);
	uint64_t h = draw(b, SIM_ROLE, index, SALT_NAME);
	struct sim_fill service = {"service", str_c(sim_word(&sim_services, h))};

	if (index == 0 && !sim_is_management(b->account))
		e->name = b->org->opts.child_role_name;
	else if (index < sim_fixed_roles_n)
		e->name = str_c(form->label);
	else if (str_eq_c(str_c(form->label), "AWSServiceRoleFor"))
		e->name =
			str_fmt(b->arena, "AWSServiceRoleFor" STR_FMT "_%zu", STR_ARG(service.value), index);
	else
		e->name = str_fmt(b->arena, "%s-%s-%zu", form->label,
			sim_word(&sim_role_purposes, draw(b, SIM_ROLE, index, SALT_PURPOSE)), index);
	if (form->path != NULL)
		e->path = sim_text_fill(b->arena, form->path, &service, 1);
	else
		e->path = str_c(sim_word(&sim_user_paths, draw(b, SIM_ROLE, index, SALT_PATH)));
	e->arn = arn(b, "role", e->path, e->name);
}

/* The account that trust policies call another one: the management account for all others. */
static struct str other_account(const struct builder *b)
{
	if (!sim_is_management(b->account))
		return b->org->accounts[0].id;
	return b->org->n_accounts > 1 ? b->org->accounts[1].id : STR("210987654321");
}

static void build_trust(const struct builder *b, struct sim_entity *e)
{
	struct sim_account *a = b->account;
	const struct sim_trust_form *form = trust_form(e->index);
	uint64_t h = draw(b, SIM_ROLE, e->index, SALT_PEER);
	size_t roles = a->n[SIM_ROLE];
	const struct sim_entity *users = a->entities[SIM_USER];
	const struct sim_entity *user = a->n[SIM_USER] > 0 ? &users[h % a->n[SIM_USER]] : NULL;
	const struct sim_entity *all = a->entities[SIM_ROLE];
	const struct sim_fill fills[] = {
		{"account", a->id},
		{"other", other_account(b)},
		{"service", str_c(sim_word(&sim_services, draw(b, SIM_ROLE, e->index, SALT_NAME)))},
		{"user", user != NULL
				 ? user->arn
				 : str_fmt(b->arena, "arn:aws:iam::" STR_FMT ":user/gone", STR_ARG(a->id))},
		{"user_id", user != NULL ? user->id : STR("AIDAGONEGONEGONEGONE2")},
		{"role", all[(h >> 32) % roles].arn},
		{"next", all[(e->index + 1) % roles].arn},
		{"previous", all[(e->index + roles - 1) % roles].arn},
	};

	e->trust = sim_text_fill(b->arena, form->json, fills, ARRAY_LEN(fills));
	e->external_id = str_c(form->external_id);
	e->has_profile = form->instance_profile;
}

static void build_role(const struct builder *b, size_t index)
{
	static const uint32_t sessions[] = {3600, 3600, 3600, 7200, 14400, 43200};
	struct sim_entity *e = &b->account->entities[SIM_ROLE][index];
	uint64_t used = draw(b, SIM_ROLE, index, SALT_ROLE_USED);

	build_entity(b, e, SIM_ROLE, index);
	build_trust(b, e);
	e->description = str_c(sim_word(&sim_descriptions, draw(b, SIM_ROLE, index, SALT_DESCRIPTION)));
	e->max_session_s = sessions[draw(b, SIM_ROLE, index, SALT_SESSION) % ARRAY_LEN(sessions)];
	e->last_used_s = used % 2 == 0 ? SIM_NEVER : some_date(used, e->created_s);
}

static void build_customer_policy(const struct builder *b, struct sim_policy *p)
{
	uint64_t h = draw(b, POLICY_KIND, p->index, SALT_VERSIONS);

	p->name = listed_name(
		b, &sim_policy_names, p->index, "access", draw(b, POLICY_KIND, p->index, SALT_NAME));
	p->path = p->index % 7 == 6 ? STR("/service/team-a/") : STR("/");
	p->arn = arn(b, "policy", p->path, p->name);
	p->id = sim_id(b->arena, "ANPA", draw(b, POLICY_KIND, p->index, SALT_ID));
	p->created_s = some_date(h, EPOCH_END_S - 4 * YEAR_S);
	/* At most five versions are kept; the default may be any of them. */
	p->first_version = 1 + (uint32_t)(h % 4);
	p->last_version = p->first_version + (uint32_t)((h >> 8) % 5);
	p->default_version =
		p->last_version - (uint32_t)((h >> 16) % 3 == 0 && p->last_version > p->first_version);
	p->updated_s = sim_policy_version_created(p, p->last_version);
	p->description = str_c(sim_word(&sim_descriptions, draw(b, POLICY_KIND, p->index, SALT_DESCRIPTION)));
	if (p->index % 3 == 0)
		p->tag = (struct sim_tag){STR("owner"), str_c(sim_word(&sim_departments, h >> 24))};
}

static void build_aws_policy(struct arena *arena, struct sim_policy *p, size_t nth)
{
	uint64_t h = sim_hash(0, nth, SALT_VERSIONS, 1); /* the same in every estate */

	p->aws = true;
	p->index = (uint32_t)nth;
	if (nth < sim_aws_policies_n) {
		p->name = str_c(sim_aws_policies[nth].name);
		p->path = str_c(sim_aws_policies[nth].path);
	} else {
		p->name = str_fmt(arena, "Amazon%s%s%zu", sim_word(&sim_services, nth),
			sim_word(&sim_access_levels, h), nth);
		p->path = nth % 4 == 0 ? STR("/service-role/") : STR("/");
	}
	p->arn =
		str_fmt(arena, "arn:aws:iam::aws:policy" STR_FMT STR_FMT, STR_ARG(p->path), STR_ARG(p->name));
	p->id = sim_id(arena, "ANPA", h);
	p->first_version = 1;
	p->last_version = p->default_version = 1 + (uint32_t)(h % 40);
	p->created_s = EPOCH_END_S - 10 * YEAR_S + (int64_t)(h % (uint64_t)YEAR_S);
	p->updated_s = sim_policy_version_created(p, p->last_version);
	p->description = str_fmt(arena, "Provides access of the kind " STR_FMT, STR_ARG(p->name));
}

static void build_policies(const struct builder *b)
{
	struct sim_account *a = b->account;

	a->n_customer_policies = b->size->policies;
	a->n_policies = a->n_customer_policies + b->org->n_catalogue;
	a->customer_policies = arena_array_of(b->arena, a->n_customer_policies + 1, struct sim_policy);
	a->use = arena_array_of(b->arena, a->n_policies, struct sim_policy_use);
	for (size_t i = 0; i < a->n_customer_policies; i++) {
		a->customer_policies[i].index = (uint32_t)i;
		build_customer_policy(b, &a->customer_policies[i]);
	}
}

static void build_indexes(const struct builder *b)
{
	struct sim_account *a = b->account;
	const struct sim_entity *users = a->entities[SIM_USER];

	for (size_t kind = 0; kind < SIM_KIND_COUNT; kind++) {
		sim_index_init(&a->names[kind], b->arena, a->n[kind]);
		for (uint32_t i = 0; i < a->n[kind]; i++)
			sim_index_add(&a->names[kind], a->entities[kind][i].name, i);
	}
	sim_index_init(&a->keys, b->arena, a->n[SIM_USER] * SIM_MAX_KEYS);
	for (uint32_t i = 0; i < a->n[SIM_USER]; i++) {
		for (uint32_t k = 0; k < users[i].n_keys; k++)
			sim_index_add(&a->keys, users[i].keys[k].id, i);
	}
}

static void build_account(const struct builder *b)
{
	struct sim_account *a = b->account;
	const size_t want[SIM_KIND_COUNT] = {b->size->users, b->size->groups, b->size->roles};

	build_policies(b);
	for (size_t kind = 0; kind < SIM_KIND_COUNT; kind++) {
		a->n[kind] = want[kind];
		a->entities[kind] = arena_array_of(b->arena, want[kind] + 1, struct sim_entity);
	}
	for (size_t i = 0; i < a->n[SIM_GROUP]; i++)
		build_group(b, i);
	for (size_t i = 0; i < a->n[SIM_USER]; i++)
		build_user(b, i);
	for (size_t i = 0; i < a->n[SIM_ROLE]; i++)
		name_role(b, i); /* trust policies name other roles, so names come first */
	for (size_t i = 0; i < a->n[SIM_ROLE]; i++)
		build_role(b, i);
	build_indexes(b);
}

void sim_account_ready(struct sim_account *a)
{
	const struct sim_org *o = a->org;

	if (a->ready)
		return;
	LOCK_SCOPE(&a->lock);
	if (a->ready)
		return;
	struct sim_org_size size = sim_is_management(a) ? o->opts.size : o->opts.child;
	if (!sim_is_management(a) && size.roles == 0)
		size.roles = 1; /* the one that lets the management account in */
	a->arena = arena_new(0);
	build_account(&(struct builder){.account = a, .org = o, .size = &size, .arena = a->arena});
	a->ready = true;
}

static void build_catalogue(struct sim_org *o)
{
	o->n_catalogue =
		o->opts.aws_policies > sim_aws_policies_n ? o->opts.aws_policies : sim_aws_policies_n;
	o->catalogue = arena_array_of(o->arena, o->n_catalogue, struct sim_policy);
	for (size_t i = 0; i < o->n_catalogue; i++)
		build_aws_policy(o->arena, &o->catalogue[i], i);
}

struct sim_org *sim_org_new(const struct sim_org_options *opts)
{
	struct arena *arena = arena_new(0);
	struct sim_org *o = arena_new_of(arena, struct sim_org);

	o->arena = arena;
	o->opts = *opts;
	build_catalogue(o);
	sim_directory_build(o);
	sim_tree_build(o);
	sim_account_ready(&o->accounts[0]);
	return o;
}

void sim_org_free(struct sim_org *o)
{
	if (o == NULL)
		return;
	for (size_t i = 0; i < o->n_accounts; i++) {
		arena_free(o->accounts[i].arena);
		mutex_deinit(&o->accounts[i].lock);
	}
	arena_free(o->arena);
}

/* --- asking --- */
struct sim_entity *sim_entity_find(struct sim_account *a, enum sim_kind kind, struct str name)
{
	size_t at = 0;
	uint32_t i;

	while (sim_index_next(&a->names[kind], name, &at, &i)) {
		struct sim_entity *e = &a->entities[kind][i];
		if (!e->gone && str_eq(e->name, name))
			return e;
	}
	return NULL;
}

const struct sim_access_key *sim_key_find(
	const struct sim_account *a, struct str id, const struct sim_entity **ret_user)
{
	size_t at = 0;
	uint32_t i;

	while (sim_index_next(&a->keys, id, &at, &i)) {
		const struct sim_entity *user = &a->entities[SIM_USER][i];
		for (uint32_t k = 0; !user->gone && k < user->n_keys; k++) {
			if (str_eq(user->keys[k].id, id)) {
				*ret_user = user;
				return &user->keys[k];
			}
		}
	}
	return NULL;
}

const struct sim_policy *sim_policy_at(const struct sim_account *a, size_t i)
{
	if (i < a->n_customer_policies)
		return &a->customer_policies[i];
	return &a->org->catalogue[i - a->n_customer_policies];
}

const struct sim_policy_use *sim_policy_use(const struct sim_account *a, const struct sim_policy *p)
{
	return &a->use[p->aws ? a->n_customer_policies + p->index : p->index];
}

const struct sim_policy *sim_policy_find(const struct sim_account *a, struct str policy_arn)
{
	for (size_t i = 0; i < a->n_policies; i++) {
		if (str_eq(sim_policy_at(a, i)->arn, policy_arn))
			return sim_policy_at(a, i);
	}
	return NULL;
}

bool sim_in_group(const struct sim_entity *user, const struct sim_entity *group)
{
	for (uint32_t i = 0; i < user->n_groups; i++) {
		if (user->groups[i] == group->index)
			return true;
	}
	return false;
}

static void leave_group(struct sim_entity *user, uint32_t group)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < user->n_groups; i++) {
		if (user->groups[i] != group)
			user->groups[kept++] = user->groups[i];
	}
	user->n_groups = kept;
}

bool sim_org_remove(struct sim_account *a, enum sim_kind kind, struct str name)
{
	struct sim_entity *e = sim_entity_find(a, kind, name);

	if (e == NULL)
		return false;
	e->gone = true;
	for (uint32_t i = 0; i < e->n_attached; i++)
		a->use[e->attached[i]].attachments--;
	if (e->boundary != SIM_NONE)
		a->use[e->boundary].boundaries--;
	for (size_t i = 0; kind == SIM_GROUP && i < a->n[SIM_USER]; i++)
		leave_group(&a->entities[SIM_USER][i], e->index);
	return true;
}

/* --- documents --- */
struct str sim_document(struct str account, uint64_t hash, struct str name, struct arena *arena)
{
	const char *template_ = sim_word(&sim_document_templates, hash);
	struct str padding = STR_EMPTY;
	char conditions[4096];

	if ((hash >> 8) % 16 == 0) { /* some documents are large, below AWS's 6,144 characters */
		size_t n = (size_t)snprintf(conditions, sizeof(conditions),
			",\"Condition\":{\"StringEquals\":{\"aws:SourceVpc\":[");
		for (unsigned i = 0; i < 150; i++)
			n += (size_t)snprintf(conditions + n, sizeof(conditions) - n, "\"vpc-%010x\",", i);
		n += (size_t)snprintf(conditions + n, sizeof(conditions) - n, "\"vpc-0\"]}}");
		padding = str_n(conditions, n);
	}
	const struct sim_fill fills[] = {
		{"account", account},
		{"name", name},
		{"service", str_c(sim_word(&sim_services, hash >> 16))},
		{"padding", padding},
	};
	return sim_text_fill(arena, template_, fills, ARRAY_LEN(fills));
}

static uint64_t inline_hash(const struct sim_account *a, const struct sim_entity *e, uint32_t k)
{
	return sim_hash(a->seed, ((uint64_t)e->kind << 32) | e->index, SALT_INLINE, 0) + k;
}

struct str sim_inline_name(const struct sim_account *a, const struct sim_entity *e, uint32_t k)
{
	return str_c(
		sim_word(&sim_inline_names, inline_hash(a, e, k))); /* + k: distinct words for one entity */
}

struct str sim_inline_document(
	const struct sim_account *a, const struct sim_entity *e, uint32_t k, struct arena *arena)
{
	return sim_document(a->id, sim_hash(inline_hash(a, e, k), SALT_DOCUMENT, 0, 0), e->name, arena);
}

struct str sim_policy_document(
	const struct sim_account *a, const struct sim_policy *p, uint32_t version, struct arena *arena)
{
	return sim_document(p->aws ? STR("*") : a->id, sim_hash(str_hash(p->arn), SALT_DOCUMENT, version, 0),
		p->name, arena);
}

int64_t sim_policy_version_created(const struct sim_policy *p, uint32_t version)
{
	/* Evenly from the creation of the policy on; the first one that is kept may be a later version. */
	return p->created_s + (EPOCH_END_S - p->created_s) / (p->last_version + 1) * (version - 1);
}
