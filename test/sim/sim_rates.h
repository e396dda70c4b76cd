/* sim/sim_rates.h
 *
 * How fast each service is called, and the limits that AWS puts on it: one bucket per service for the whole
 * organization, whatever the operation and whoever asks. A bucket holds what is allowed in a second and fills at that
 * rate; a call that finds it empty is throttled and takes nothing.
 *
 * Threads: any. */
#ifndef SIM_RATES_H
#define SIM_RATES_H

#include <stdbool.h>

#include "base/buf.h"
#include "sim/sim_call.h"

struct sim_rates *sim_rates_new(const struct sim_options *opts);
void sim_rates_free(struct sim_rates *r);  /* NULL is fine */
void sim_rates_reset(struct sim_rates *r); /* full buckets, nothing seen */

/* Writes the call down. False: it came too fast, and has failed. */
bool sim_rates_admit(struct sim_rates *r, struct sim_call *c);

/* {"sso":{"rate":20,"calls":..,"throttled":..,"span_ms":..,"calls_by_second":[..],"throttled_by_second":[..]},..};
 * rate null: no limit. span_ms lies between the first call and the last. */
void sim_rates_write(struct sim_rates *r, struct buf *out);

#endif
