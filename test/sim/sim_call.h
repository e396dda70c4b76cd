/* sim/sim_call.h
 *
 * One AWS call while it is answered, and the tables that say how. A service is a table of operations; an
 * operation is a function that writes its result or fails the call. The protocol (sim_query.c, sim_json.c)
 * reads parameters and frames the result.
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
#include "sim/sim_json_writer.h"
#include "sim/sim_org.h"

struct sim_call;
struct sim_request;
typedef void(sim_op_fn)(struct sim_call *c);
typedef struct sim_account *(sim_account_fn)(struct sim_call *c);

struct sim_op {
	const char *name;
	sim_op_fn *fn;
	const char *required[3]; /* parameters, NULL-terminated */
	enum sim_kind kind;      /* what it is about, for functions that serve several operations */
	bool poll;               /* asked again and again until something is ready: no repeat */
	bool unsigned_ok;        /* needs no credentials */
	sim_account_fn *account; /* whose call it is; NULL, or its result NULL: the caller's account */
};

/* How a protocol reads calls and writes answers. Services and protocols do not know each other but for the
 * selectors below and the writers that an operation uses: el_... for XML, c->json for JSON. */
struct sim_protocol {
	const char *content_type;
	/* Fills params, op_name, service, op and params_text. Fails the call for what AWS refuses before it
	 * looks at the credentials, an unknown operation for example. c->service is never NULL afterwards. */
	void (*read)(struct sim_call *c, const struct sim_request *req);
	void (*reword)(
		struct sim_call *c); /* what sim_auth.c failed with, in words of this protocol; may be NULL */
	void (*begin)(struct sim_call *c); /* the frame of a result */
	void (*end)(struct sim_call *c);
	void (*error)(struct sim_call *c); /* drops what was written and writes the error */
	void (*page_end)(struct sim_call *c, bool truncated, struct str token); /* token empty: none */
	const char *malformed;                                                  /* what it cannot read */
	const char *padding; /* may stand any number of times before the last pad_before of an answer */
	char pad_before;
};
extern const struct sim_protocol sim_query, sim_json;

struct sim_paging {
	const char *token, *size; /* parameters */
	int64_t size_default, size_max;
	const char *bad_token_code, *bad_token;
};

struct sim_codes { /* what the service calls common errors */
	const char *invalid, *unreadable, *throttled, *failed;
};

struct sim_service {
	const char *name; /* of the credential scope: "iam" */
	const struct sim_protocol *protocol;
	const char *version; /* of the API, the query protocol's selector */
	const char *xmlns;   /* query */
	const char *target;  /* the JSON protocol's selector: "AWSOrganizationsV20161128" */
	const char *region;  /* it signs for this one only; NULL: any */
	const struct sim_codes *codes;
	const struct sim_paging *paging;
	const struct sim_op *ops;
	size_t n_ops;
	bool count_repeats; /* GET /sim/repeats looks at it */
};
extern const struct sim_service sim_iam, sim_sts, sim_organizations, sim_sso_admin, sim_identity_store,
	sim_cloudtrail;
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
	const struct sim_protocol *protocol;
	const struct sim_service *service;
	const struct sim_op *op;  /* NULL: no such operation */
	struct str op_name;       /* as asked */
	struct sim_param *params; /* sorted by name, then value */
	size_t n_params;
	struct str params_text; /* for log and fault rules: no secrets, no Action, no Version */
	struct sim_caller caller;
	struct str region; /* that it was signed for */
	struct sim_account
		*account;     /* whose call it is, for log, counters and fault rules: see sim_op.account */
	bool same_everywhere; /* every account gets this answer: to ask again for another one is a repeat */
	size_t page_limit;    /* items a page may hold, whatever MaxItems says; SIZE_MAX: no limit */
	bool drop_marker;     /* a fault: truncated without a marker */
	char request_id[37];
	struct buf out;          /* the answer's body */
	struct json_writer json; /* onto out */
	unsigned status;         /* 200 until it fails */
	struct str code, message;
	struct str reason; /* a member of some errors; empty: none */
};

/* The operation of that name; NULL: none. */
const struct sim_op *sim_op_find(const struct sim_service *service, struct str name);
/* For protocols: puts the n params in order and makes params_text of them. */
void sim_params_ready(struct sim_call *c);

/* The caller may administer Identity Center: the management account, and a delegated administrator. */
bool sim_is_administrator(const struct sim_call *c);
/* The call went to the region that Identity Center is in. */
bool sim_is_sso_region(const struct sim_call *c);

/* The value of a parameter, empty when it is absent. The members of structures and lists of the JSON protocol
 * are called "Filter.Name" and "Ids.1". */
struct str sim_param(const struct sim_call *c, const char *name);
/* Member n (from 1) of a list: "Filter.member.1". */
struct str sim_param_member(const struct sim_call *c, const char *name, unsigned n);

void sim_fail(struct sim_call *c, unsigned status, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
bool sim_failed(const struct sim_call *c);

/* An integer parameter within [min, max]; absent: fallback. False: the call has failed. */
bool sim_param_int(
	struct sim_call *c, const char *name, int64_t min, int64_t max, int64_t fallback, int64_t *ret);

/* --- pages ---
 * A list is n candidates, of which `has` says which belong to it. sim_select picks those of the page that
 * the service's paging parameters (Marker and MaxItems) ask for; sim_page_end writes what leads to the next
 * one. Markers name a position, the operation and its other parameters, so one of another list is refused. */
typedef bool(sim_has_fn)(struct sim_call *c, const void *of, size_t i);

struct sim_page {
	size_t *items;
	size_t n;
	bool truncated;
	size_t next;
};
bool sim_has_all(struct sim_call *c, const void *of, size_t i); /* all n belong to it */
bool sim_select(struct sim_call *c, size_t n, sim_has_fn *has, const void *of, struct sim_page *ret_page);
/* For lists that find their items in another way: how many, and what the token of the page before holds as
 * `next`, 0 on the first. False: the call has failed. */
bool sim_page_start(struct sim_call *c, size_t *ret_max, size_t *ret_from);
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
