/* sim/sim_faults.h
 *
 * What goes wrong on purpose: rules from POST /sim/faults, and the dice of --throttle-percent and
 * --error-percent. The first rule that applies to a call decides.
 *
 * Threads: any. */
#ifndef SIM_FAULTS_H
#define SIM_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "sim/sim_call.h"

enum sim_action {
	SIM_ACT_NONE,
	SIM_ACT_ERROR,     /* status, code, message */
	SIM_ACT_TRUNCATE,  /* the connection breaks after bytes of the body */
	SIM_ACT_CUT,       /* the body ends after bytes, the HTTP answer is whole */
	SIM_ACT_MALFORMED, /* a body that is neither XML nor JSON */
	SIM_ACT_EMPTY,     /* 200 without a body */
	SIM_ACT_OVERSIZE,  /* well-formed and at least bytes long */
	SIM_ACT_CLOSE,     /* the connection closes without an answer */
	SIM_ACT_HANG,      /* nothing for ms, then as close */
	SIM_ACT_DELAY,     /* the right answer after ms more */
	SIM_ACT_PAGE,      /* at most items of a page, 0 included */
	SIM_ACT_NO_MARKER, /* truncated without a marker */
};

struct sim_fault {
	enum sim_action action;
	unsigned status;
	struct str code, message, reason;
	uint64_t bytes, ms, items;
};

struct sim_faults *sim_faults_new(void);
void sim_faults_free(struct sim_faults *f); /* NULL is fine */

/* Replaces all rules by those of a JSON array (see README.md). ERR_INVALID, ERR_PROTOCOL: nothing changed. */
MUST_CHECK enum err_code sim_faults_set(struct sim_faults *f, struct str text, struct err *reterr);
void sim_faults_clear(struct sim_faults *f);

/* What happens to this call; counts it for nth and every. Strings are copied into the call's arena. */
struct sim_fault sim_faults_next(struct sim_call *c, uint64_t ordinal);

#endif
