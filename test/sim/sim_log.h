/* sim/sim_log.h
 *
 * What was asked: counters per operation, and every call in order. The log keeps the last --log-limit calls;
 * what was forgotten is counted, so an assertion over it can tell that it saw everything.
 *
 * Threads: any. */
#ifndef SIM_LOG_H
#define SIM_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "sim/sim_call.h"

struct sim_log *sim_log_new(const struct sim_org *org, uint64_t limit); /* org outlives it */
void sim_log_free(struct sim_log *l);                                   /* NULL is fine */
void sim_log_reset(struct sim_log *l);

/* intact: the answer reached the client as AWS would send it (no fault of the wire). */
void sim_log_add(struct sim_log *l, const struct sim_call *c, bool intact);

/* {"iam:ListUsers":{"calls":1,"ok":1,"throttled":0,"errors":0},...,"total":1} */
void sim_log_write_counters(struct sim_log *l, struct buf *out);
/* {"123456789012":{"iam:ListUsers":{...},...,"total":1},...}: those that have been asked for anything. */
void sim_log_write_counters_by_account(struct sim_log *l, struct buf *out);
/* One JSON object per line, oldest first; account empty: of all. */
void sim_log_write_lines(struct sim_log *l, struct str account, struct buf *out);
/* {"lost":0,"repeats":[{"op":...,"account":...,"params":...,"count":2}]}: successful reads with the same
 * parameters. across: those whose answer is the same for all accounts (the catalogue of AWS-managed policies,
 * its documents) are compared across accounts, their "account" is "*". */
void sim_log_write_repeats(struct sim_log *l, bool across, struct buf *out);

#endif
