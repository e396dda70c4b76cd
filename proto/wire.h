/* proto/wire.h
 *
 * The protobuf wire format, read one piece at a time: for the pre-check (pb_check) and the index over our own
 * descriptor set (descriptors). https://protobuf.dev/programming-guides/encoding/
 *
 * Threads: values, no state. Nothing is copied: what is read points into the input. */
#ifndef PROTO_WIRE_H
#define PROTO_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum wire_type {
	WIRE_VARINT = 0,
	WIRE_FIXED64 = 1,
	WIRE_LEN = 2,
	WIRE_GROUP_START = 3, /* groups are proto2 history: nobody here sends them, all readers refuse them */
	WIRE_GROUP_END = 4,
	WIRE_FIXED32 = 5,
};

struct wire {
	const uint8_t *p;
	const uint8_t *end;
};

struct wire_field {
	uint32_t number;
	enum wire_type type;
	struct str bytes; /* WIRE_LEN: the content; else the raw bytes of the value */
};

struct wire wire_of(struct str bytes);

/* A varint of at most 10 bytes and 64 bits. False: truncated or too long. */
bool wire_varint(struct wire *w, uint64_t *ret);

/* The next field, moving behind it. False: malformed (truncated, field number 0 or over 2^29 - 1, a group,
 * type 6 or 7). Call while w->p < w->end. */
bool wire_next(struct wire *w, struct wire_field *ret);

#endif
