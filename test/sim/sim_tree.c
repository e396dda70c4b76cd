#include "sim/sim_tree.h"

#include <inttypes.h>

#include "sim/sim_text.h"

#define OU_KIND    (SIM_KIND_COUNT + 2) /* hashes beside users, groups, roles, policies and accounts */
#define ROOT_LABEL "ab12"               /* part of every id below it */

enum salt { SALT_ID = 1, SALT_PARENT, SALT_ACCOUNT };

static uint64_t draw(const struct sim_org *o, uint64_t number, enum salt salt)
{
	return sim_hash(o->opts.seed, ((uint64_t)OU_KIND << 32) | number, salt, 0);
}

/* Units take the levels in turn, so that each is as wide as the others; a parent is made before its children. */
static uint32_t parent_of(const struct sim_org *o, uint32_t i)
{
	uint32_t depth = (uint32_t)o->opts.ou_depth, level = i % depth;

	if (level == 0)
		return SIM_NONE;
	return level - 1 + depth * (uint32_t)(draw(o, i, SALT_PARENT) % (i / depth + 1));
}

static void build_ou(struct sim_org *o, uint32_t i)
{
	struct sim_ou *ou = &o->ous[i];

	ou->parent = parent_of(o, i);
	ou->id = str_fmt(
		o->arena, "ou-" ROOT_LABEL "-%04" PRIx64 "%05" PRIx32, draw(o, i, SALT_ID) & 0xffff, i);
	ou->arn = str_fmt(o->arena, "arn:aws:organizations::" STR_FMT ":ou/" STR_FMT "/" STR_FMT,
		STR_ARG(o->opts.account), STR_ARG(o->id), STR_ARG(ou->id));
	ou->name = i < sim_ou_names.n
			   ? str_c(sim_ou_names.words[i])
			   : str_fmt(o->arena, "%s %" PRIu32, sim_word(&sim_departments, i % 7), i);
}

void sim_tree_build(struct sim_org *o)
{
	o->root_id = STR("r-" ROOT_LABEL);
	o->root_arn = str_fmt(o->arena, "arn:aws:organizations::" STR_FMT ":root/" STR_FMT "/" STR_FMT,
		STR_ARG(o->opts.account), STR_ARG(o->id), STR_ARG(o->root_id));
	o->n_ous = o->opts.ous;
	o->ous = arena_array_of(o->arena, o->n_ous + 1, struct sim_ou);
	for (uint32_t i = 0; i < o->n_ous; i++)
		build_ou(o, i);
	for (size_t i = 0; i < o->n_accounts; i++) {
		uint64_t ou = draw(o, i, SALT_ACCOUNT) % (o->n_ous + 1);
		o->accounts[i].ou = i == 0 || ou == o->n_ous ? SIM_NONE : (uint32_t)ou;
	}
}

bool sim_tree_find(const struct sim_org *o, struct str id, uint32_t *ret_ou)
{
	if (str_eq(id, o->root_id)) {
		*ret_ou = SIM_NONE;
		return true;
	}
	for (uint32_t i = 0; i < o->n_ous; i++) {
		if (str_eq(o->ous[i].id, id)) {
			*ret_ou = i;
			return true;
		}
	}
	return false;
}

struct str sim_tree_id(const struct sim_org *o, uint32_t ou)
{
	return ou == SIM_NONE ? o->root_id : o->ous[ou].id;
}

struct str sim_tree_path(const struct sim_org *o, uint32_t ou, struct arena *arena)
{
	struct str below = STR_EMPTY;

	for (; ou != SIM_NONE; ou = o->ous[ou].parent)
		below = str_fmt(arena, STR_FMT "/" STR_FMT, STR_ARG(o->ous[ou].id), STR_ARG(below));
	return str_fmt(
		arena, STR_FMT "/" STR_FMT "/" STR_FMT, STR_ARG(o->id), STR_ARG(o->root_id), STR_ARG(below));
}
