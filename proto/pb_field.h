/* proto/pb_field.h
 *
 * Fields of a message by their descriptors: what protobuf-c knows about its structs, as functions. For code
 * that handles every message type alike (validation, JSON).
 *
 * Threads: no state. */
#ifndef PROTO_PB_FIELD_H
#define PROTO_PB_FIELD_H

#include <stdbool.h>
#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

/* A member of a oneof (also of the one-member oneof that proto3 `optional` becomes). */
bool pb_field_in_oneof(const ProtobufCFieldDescriptor *f);

bool pb_field_repeated(const ProtobufCFieldDescriptor *f);

/* A map: a repeated field of generated entries with `key` and `value`. */
bool pb_field_is_map(const ProtobufCFieldDescriptor *f);

/* Whether the field would go out on the wire: a list that has elements, a oneof's chosen member, a message
 * that is there, an `optional` that is set, a proto3 value other than zero or empty. */
bool pb_field_present(const ProtobufCMessage *msg, const ProtobufCFieldDescriptor *f);

/* Elements of a repeated field; 1 for any other. */
size_t pb_field_count(const ProtobufCMessage *msg, const ProtobufCFieldDescriptor *f);

/* Where the i-th element (i < pb_field_count) is stored; for a field that is not repeated, i is 0. It is an
 * int32_t, uint32_t (enums too), int64_t, uint64_t, float, double, protobuf_c_boolean, char *,
 * ProtobufCBinaryData or ProtobufCMessage *, as f->type says. Of a oneof's members only the chosen one may be
 * looked at. */
const void *pb_field_at(const ProtobufCMessage *msg, const ProtobufCFieldDescriptor *f, size_t i);

/* The element as a sub-message; NULL when absent. */
const ProtobufCMessage *pb_field_message(
	const ProtobufCMessage *msg, const ProtobufCFieldDescriptor *f, size_t i);

#endif
