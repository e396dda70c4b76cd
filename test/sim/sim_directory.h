/* sim/sim_directory.h
 *
 * Which accounts the organization has: ids, names, states. What is in them is sim_org.c's.
 *
 * Threads: called once, at start. */
#ifndef SIM_DIRECTORY_H
#define SIM_DIRECTORY_H

#include "sim/sim_org.h"

/* Fills o->id, o->arn and o->accounts from o->opts. */
void sim_directory_build(struct sim_org *o);

#endif
