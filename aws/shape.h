/* aws/shape.h
 *
 * AWS operations as data: an operation is an input struct, an output struct and a table of the members of each. One encoder and one
 * decoder per protocol (aws/query.c, aws/json11.c) serve all of them; adding an operation is adding a table.
 *
 *	struct aws_iam_list_users_in { struct str marker; struct aws_int max_items; };
 *	static const struct aws_member list_users_in[] = {
 *		{"Marker", AWS_STRING, offsetof(struct aws_iam_list_users_in, marker), NULL},
 *		{"MaxItems", AWS_INT, offsetof(struct aws_iam_list_users_in, max_items), NULL},
 *	};
 *
 * Members that the tables do not name are skipped. Absent strings are empty, absent numbers, booleans and times have set == false,
 * absent lists have n == 0.
 *
 * Threads: constant data. Ownership: what a decoder produces lives in the arena it was given. */
#ifndef AWS_SHAPE_H
#define AWS_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum aws_kind {
	AWS_STRING, /* struct str */
	AWS_INT,    /* struct aws_int */
	AWS_BOOL,   /* struct aws_int, v 0 or 1 */
	AWS_TIME,   /* struct aws_int, Unix seconds; XML: ISO 8601, JSON: epoch seconds or ISO 8601 */
	AWS_BLOB,   /* struct str; base64 on the wire */
	AWS_STRUCT, /* the struct itself, embedded; all zero when absent */
	AWS_LIST,   /* struct aws_list of what `shape` says */
};

struct aws_int {
	int64_t v;
	bool set;
};

/* n elements one after the other: `struct str` for a list of strings, else the element's struct. */
struct aws_list {
	void *items;
	size_t n;
};
#define AWS_LIST_AT(list, type, i) (&((const type *)(list).items)[i])

struct aws_shape;

struct aws_member {
	const char *name; /* on the wire, AWS's spelling */
	enum aws_kind kind;
	size_t offset;                 /* in the C struct */
	const struct aws_shape *shape; /* of a struct, or of a list's elements; NULL: a list of strings */
};

struct aws_shape {
	size_t size;
	const struct aws_member *members;
	size_t n;
};
/* clang-format off */
#define AWS_SHAPE(type, table) {.size = sizeof(type), .members = (table), .n = ARRAY_LEN(table)}
/* clang-format on */

/* Whether the member is present in the struct at base: non-empty, set, or (a struct) with a member that is. */
bool aws_member_is_set(const struct aws_member *m, const void *base);
/* The member of that wire name, or NULL. */
const struct aws_member *aws_shape_find(const struct aws_shape *shape, struct str name);
/* Bytes of one element of a list. */
size_t aws_list_element_size(const struct aws_member *list);

enum aws_protocol { AWS_QUERY, AWS_JSON11 };

struct aws_service {
	const char *id; /* "iam": endpoint prefix, log name, AWS_ENDPOINT_URL_<ID>, IAM action prefix */
	const char *signing_name; /* "iam" */
	const char *endpoint_env; /* "IAM": suffix of AWS_ENDPOINT_URL_ */
	enum aws_protocol protocol;
	const char *version;       /* query: API version "2010-05-08" */
	const char *target_prefix; /* json11: "SWBExternalService" of X-Amz-Target */
	bool global;               /* one endpoint per partition, signed for its home region */
	bool in_sso_region; /* called where IAM Identity Center is, not in the connector's own region */
	double rate_per_s;  /* where the pacer starts: AWS's published or observed quota per account */
	double burst;
	double max_rate_factor; /* pacer_options.max_factor; 1: rate_per_s is a published quota, nothing lies above it */
};

struct aws_operation {
	const struct aws_service *service;
	const char *name;            /* "ListUsers" */
	const struct aws_shape *in;  /* NULL: no input */
	const struct aws_shape *out; /* NULL: the answer's content does not matter */
	bool unsigned_request;       /* AssumeRoleWithWebIdentity */
};

/* A consumer of the top-level lists of a large answer, item by item while the bytes arrive, so that the answer never is in
 * memory as a whole. */
struct aws_sink {
	/* A new attempt begins: forget the items of this call seen so far. */
	void (*restart)(void *self);
	/* One complete element of the top-level list `list` of the output shape. item points to the element's struct, which (with
	 * everything it points to) lives until this call returns. An error ends the call with it. */
	enum err_code (*item)(
		void *self, const struct aws_member *list, const void *item, struct err *reterr);
	void *self;
};

#endif
