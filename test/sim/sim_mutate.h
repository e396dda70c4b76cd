/* sim/sim_mutate.h
 *
 * POST /sim/mutate: changes to the organization while it is looked at. See README.md for them.
 *
 * Threads: any; holds the organization exclusively while it changes it. */
#ifndef SIM_MUTATE_H
#define SIM_MUTATE_H

#include "base/arena.h"
#include "base/str.h"
#include "sim/sim.h"

/* One mutation, or an array of them, done in order up to the first that is wrong. NULL when all are done, else what is
 * wrong, in the arena. */
const char *sim_mutate(struct sim *s, struct str text, struct arena *arena);

#endif
