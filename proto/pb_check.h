/* proto/pb_check.h
 *
 * Messages from outside: checked along their descriptor before anything is unpacked, then unpacked into the
 * arena.
 *
 * protobuf-c trusts its input where we must not: it recurses as deep as the message nests (34 KB of nesting
 * overflow an 8 MB stack), does not look at UTF-8, and cuts a string at its first NUL when it packs it again.
 * So every message passes pb_check first, and is unpacked through an allocator that stops at the arena's cap.
 *
 * An Any is bytes to both: its value is checked when it is unpacked itself (pb_get_annotation, pb_json).
 *
 * Left to the reader of an unpacked message: a map is an array of entries in which keys may repeat (the last
 * one counts), and an entry that came without its message value has a NULL value.
 *
 * Threads: no state. */
#ifndef PROTO_PB_CHECK_H
#define PROTO_PB_CHECK_H

#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* Messages nested in the outermost one: what C++ and Java protobuf accept, too. */
#define PB_MAX_DEPTH 100
/* Fields and elements in one message, all levels. A 4 MiB reply of grants has 300,000. */
#define PB_MAX_FIELDS (1u << 20)
/* What either side of the protocol accepts. */
#define PB_MAX_BYTES (4u << 20)

/* ERR_TOO_LARGE: longer than max_bytes, nested over PB_MAX_DEPTH, more than PB_MAX_FIELDS fields.
 * ERR_PROTOCOL: not the wire format, wrong wire type for a known field, a group, a string that is not UTF-8
 * or has a NUL. The message starts with the path of the field: "resource.id.resource: not UTF-8". */
MUST_CHECK enum err_code pb_check(
	const ProtobufCMessageDescriptor *desc, struct str bytes, size_t max_bytes, struct err *reterr);

/* pb_check, then unpack into the arena: *ret_msg (cast it to the message type of desc) lives as long as the
 * arena. Errors as pb_check, and ERR_TOO_LARGE when the unpacked message would bring the arena over its
 * cap. */
MUST_CHECK enum err_code pb_unpack(struct arena *arena, const ProtobufCMessageDescriptor *desc,
	struct str bytes, size_t max_bytes, ProtobufCMessage **ret_msg, struct err *reterr);

/* The serialized message, in the arena. The bytes are a function of the message: fields in order of their
 * numbers, list elements and map entries in the order they have. */
struct str pb_pack(struct arena *arena, const ProtobufCMessage *msg);

#endif
