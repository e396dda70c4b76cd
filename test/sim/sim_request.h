/* sim/sim_request.h
 *
 * An HTTP request as it came, and the answer to it with all that may be done to it on the wire. This is all
 * that sim_dispatch.c and sim_control.c know of HTTP.
 *
 * Ownership: a request lives in its arena; an answer's body belongs to the answer (sim_http.c takes it). */
#ifndef SIM_REQUEST_H
#define SIM_REQUEST_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "sim/sim_call.h"

struct sim_request {
	struct str method, path;
	const struct sim_param *headers; /* names in lower case */
	size_t n_headers;
	const struct sim_param *query; /* decoded */
	size_t n_query;
	struct str body;
};

/* The header (name in lower case), trimmed; empty when it is absent. */
struct str sim_header(const struct sim_request *r, const char *name);

enum sim_wire {
	SIM_WIRE_WHOLE,
	SIM_WIRE_TRUNCATE, /* Content-Length of the whole, the connection breaks after wire_bytes */
	SIM_WIRE_OVERSIZE, /* padded to at least wire_bytes; still well-formed */
	SIM_WIRE_CLOSE,    /* the connection closes without an answer */
};

struct sim_answer {
	unsigned status;
	const char *content_type;
	char request_id[37]; /* "": none */
	struct buf body;
	enum sim_wire wire;
	uint64_t wire_bytes;
	const char *padding; /* of SIM_WIRE_OVERSIZE, see struct sim_protocol */
	char pad_before;
	uint64_t delay_ms; /* before anything is sent */
};

/* An AWS call, and a request to /sim/... Both always fill *ret. */
void sim_dispatch(struct sim *s, const struct sim_request *req, struct arena *arena, struct sim_answer *ret);
void sim_control(struct sim *s, const struct sim_request *req, struct arena *arena, struct sim_answer *ret);

#endif
