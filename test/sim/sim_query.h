/* sim/sim_query.h
 *
 * AWS's query protocol: parameters come form-encoded in the body (or the query string), answers are XML.
 *
 * Threads: values. */
#ifndef SIM_QUERY_H
#define SIM_QUERY_H

#include "sim/sim_call.h"
#include "sim/sim_request.h"

/* Fills params, op_name, service, op and params_text of c. Fails the call for what AWS refuses before it
 * looks at the credentials: no such version, no such action. c->service is never NULL afterwards. */
void sim_query_read(struct sim_call *c, const struct sim_request *req);

/* ValidationError unless all required parameters are there. */
void sim_query_check_required(struct sim_call *c);

/* The frame of a result: before the operation writes, and after. */
void sim_query_begin(struct sim_call *c);
void sim_query_end(struct sim_call *c);

/* Drops what was written and writes the error document. */
void sim_query_error(struct sim_call *c);

#endif
