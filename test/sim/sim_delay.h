/* sim/sim_delay.h
 *
 * Puts connections to sleep without holding a thread: a suspended connection is resumed when its time has
 * come.
 *
 * Threads: any may add; one thread of its own resumes. */
#ifndef SIM_DELAY_H
#define SIM_DELAY_H

#include <stdint.h>

#include "base/err.h"

struct MHD_Connection;
struct sim_delay;

MUST_CHECK enum err_code sim_delay_new(struct sim_delay **ret_delay, struct err *reterr);
/* Resumes all that sleep; from then on nothing is delayed. The web server can be stopped after it. */
void sim_delay_close(struct sim_delay *d);
void sim_delay_free(struct sim_delay *d); /* NULL is fine; closed before */

/* Suspends the connection for ms. False: it was not suspended, because the simulator is closing. */
bool sim_delay_add(struct sim_delay *d, struct MHD_Connection *connection, uint64_t ms);

#endif
