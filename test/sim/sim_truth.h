/* sim/sim_truth.h
 *
 * The whole organization as JSON, for whoever computes what a sync has to yield. Its own code over the same
 * entities: it does not go through the operations, so it can contradict them.
 *
 * Threads: the caller holds org_lock for reading. */
#ifndef SIM_TRUTH_H
#define SIM_TRUTH_H

#include "base/buf.h"
#include "sim/sim_org.h"

/* only NULL: all accounts. */
void sim_truth_write(struct sim_org *o, struct sim_account *only, struct buf *out);

#endif
