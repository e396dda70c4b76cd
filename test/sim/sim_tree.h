/* sim/sim_tree.h
 *
 * The organization's tree: one root, organizational units below it, accounts in any of them.
 *
 * Threads: as sim_org.h. Ownership: all strings belong to the organization, those of paths to the arena. */
#ifndef SIM_TREE_H
#define SIM_TREE_H

#include "sim/sim_org.h"

#define SIM_OU_DEPTH_MAX 5 /* AWS's limit below the root */

struct sim_ou {
	struct str id, arn, name;
	uint32_t parent; /* a position, or SIM_NONE: the root */
};

/* Makes the units and puts every account into one of them or the root: the management account stays there. */
void sim_tree_build(struct sim_org *o);

/* What an id names: the root (SIM_NONE) or a unit's position. False: nothing. */
bool sim_tree_find(const struct sim_org *o, struct str id, uint32_t *ret_ou);

struct str sim_tree_id(const struct sim_org *o, uint32_t ou);
/* "o-.../r-.../ou-.../" */
struct str sim_tree_path(const struct sim_org *o, uint32_t ou, struct arena *arena);

#endif
