/* sim/sim_center_truth.h
 *
 * GET /sim/truth/identity-center: the tree, the accounts in it, Identity Center and CloudTrail's events, written from the
 * data itself rather than by the operations. What is in the accounts is GET /sim/truth's.
 *
 * Threads: the caller holds the lock of struct sim shared. */
#ifndef SIM_CENTER_TRUTH_H
#define SIM_CENTER_TRUTH_H

#include "base/buf.h"
#include "sim/sim_center.h"
#include "sim/sim_logins.h"

void sim_center_truth_write(const struct sim_center *c, const struct sim_logins *l, struct buf *out);

#endif
