/* sim/sim_call.h
 *
 * One AWS call while it is answered, and the tables that say how. A service is a table of operations; an
 * operation is a function that writes its result or fails the call. The protocol (sim_query.c) reads
 * parameters and frames the result.
 *
 * Threads: a call belongs to the thread that answers it; the organization is locked for reading meanwhile.
 * Errors: sim_fail; the first one counts, what was written before is dropped. */
#ifndef SIM_CALL_H
#define SIM_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "sim/sim.h"
#include "sim/sim_org.h"

struct sim_call;
typedef void(sim_op_fn)(struct sim_call *c);

struct sim_op {
	const char *name;
	sim_op_fn *fn;
	const char *required[3]; /* parameters, NULL-terminated */
	enum sim_kind kind;      /* what it is about, for functions that serve several operations */
	bool poll;               /* asked again and again until something is ready: no repeat */
	bool unsigned_ok;        /* needs no credentials */
};

struct sim_service {
	const char *name;    /* of the credential scope: "iam" */
	const char *version; /* of the API, the query protocol's selector */
	const char *region;  /* it signs for this one only; NULL: any */
	const char *xmlns;
	const struct sim_op *ops;
	size_t n_ops;
	bool count_repeats; /* GET /sim/repeats looks at it */
};
extern const struct sim_service sim_iam, sim_sts;
extern const struct sim_service *const sim_services_all[];
extern const size_t sim_services_all_n;

struct sim_param {
	struct str name, value;
};

/* Who calls: a user, or a session of an assumed role. */
struct sim_caller {
	struct sim_account *account;
	struct str arn, user_id;
	bool is_session;
};

struct sim_call {
	struct sim *sim;
	struct arena *arena;
	const struct sim_service *service;
	const struct sim_op *op;  /* NULL: no such operation */
	struct str op_name;       /* as asked */
	struct sim_param *params; /* sorted by name, then value */
	size_t n_params;
	struct str params_text; /* for log and fault rules: no secrets, no Action, no Version */
	struct sim_caller caller;
	size_t page_limit; /* items a page may hold, whatever MaxItems says; SIZE_MAX: no limit */
	bool drop_marker;  /* a fault: truncated without a marker */
	char request_id[37];
	struct buf out;  /* the result, without its frame */
	unsigned status; /* 200 until it fails */
	struct str code, message;
};

/* The value of a parameter, empty when it is absent. */
struct str sim_param(const struct sim_call *c, const char *name);
/* Member n (from 1) of a list: "Filter.member.1". */
struct str sim_param_member(const struct sim_call *c, const char *name, unsigned n);

void sim_fail(struct sim_call *c, unsigned status, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
bool sim_failed(const struct sim_call *c);

/* An integer parameter within [min, max]; absent: fallback. False: the call failed with ValidationError. */
bool sim_param_int(
	struct sim_call *c, const char *name, int64_t min, int64_t max, int64_t fallback, int64_t *ret);

/* --- pages ---
 * A list is n candidates, of which `has` says which belong to it. sim_select picks those of the page that
 * Marker and MaxItems ask for; sim_page_end writes IsTruncated and Marker. Markers name a position, the
 * operation and its other parameters, so one of another list is refused. */
typedef bool(sim_has_fn)(struct sim_call *c, const void *of, size_t i);

struct sim_page {
	size_t *items;
	size_t n;
	bool truncated;
	size_t next;
};
bool sim_select(struct sim_call *c, size_t n, sim_has_fn *has, const void *of, struct sim_page *ret_page);
void sim_page_end(struct sim_call *c, const struct sim_page *page);

/* --- XML elements of a result --- */
void el_open(struct sim_call *c, const char *name);
void el_close(struct sim_call *c, const char *name);
void el_str(struct sim_call *c, const char *name, struct str value);
void el_document(struct sim_call *c, const char *name,
	struct str json); /* percent-encoded, as IAM answers documents */
void el_int(struct sim_call *c, const char *name, int64_t value);
void el_bool(struct sim_call *c, const char *name, bool value);
void el_time(struct sim_call *c, const char *name, int64_t unix_s); /* nothing for SIM_NEVER */

#endif
