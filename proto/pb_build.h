/* proto/pb_build.h
 *
 * Messages made by us, in the arena of the call.
 *
 * Text from AWS becomes a protobuf string only through pb_str: the engine refuses a whole reply over one
 * invalid UTF-8 sequence.
 *
 * Threads: one thread per arena. Errors: none, except where stated; sizes are our own (see base/arena.h). */
#ifndef PROTO_PB_BUILD_H
#define PROTO_PB_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/struct.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"

/* An empty message of that type: V2(Resource) *r = pb_new(arena, V2_DESC(resource)); */
void *pb_new(struct arena *arena, const ProtobufCMessageDescriptor *desc) __attribute__((returns_nonnull));

/* Appends item to the repeated field: PB_ADD(arena, response, list, resource). Works for pointers and scalars
 * alike. The list must have been empty in a new message, and grown by nothing else (not one that was
 * unpacked). */
#define PB_ADD(arena, msg, field, item)                                                                      \
	((msg)->field = pb_grow((arena), (msg)->field, (msg)->n_##field, sizeof(*(msg)->field)),             \
		(msg)->field[(msg)->n_##field++] = (item))

/* Behind PB_ADD: items itself, or a larger copy when it is full with n elements. */
void *pb_grow(struct arena *arena, void *items, size_t n, size_t item_size) __attribute__((returns_nonnull));

/* A NUL-terminated copy that a protobuf string may hold: what is not UTF-8, and NUL, become U+FFFD. */
char *pb_str(struct arena *arena, struct str s) __attribute__((returns_nonnull));

/* The same, cut to at most max_bytes at a code point boundary. */
char *pb_str_max(struct arena *arena, struct str s, size_t max_bytes) __attribute__((returns_nonnull));

/* The part of a type URL behind its last '/': the full message name. */
struct str pb_type_name(struct str type_url);

/* The message wrapped: type_url "type.googleapis.com/<full name>" and its bytes. */
Google__Protobuf__Any *pb_any(struct arena *arena, const ProtobufCMessage *msg)
	__attribute__((returns_nonnull));

/* Wraps an empty message of that type, for annotations that only have to be there. */
Google__Protobuf__Any *pb_any_empty(struct arena *arena, const ProtobufCMessageDescriptor *desc)
	__attribute__((returns_nonnull));

/* PB_ADD of pb_any: PB_ANNOTATE(arena, resource, trait), where trait is a message. */
#define PB_ANNOTATE(arena, msg, annotation)                                                                  \
	PB_ADD((arena), (msg), annotations, pb_any((arena), &(annotation)->base))

/* The first annotation of that type, or NULL. Unknown types are passed over. */
const Google__Protobuf__Any *pb_find_annotation(
	Google__Protobuf__Any *const *list, size_t n, const ProtobufCMessageDescriptor *desc);

/* The first annotation of that type, unpacked; *ret_msg is NULL when there is none.
 * ERR_PROTOCOL, ERR_TOO_LARGE: there is one, but its bytes are bad (see pb_unpack). */
MUST_CHECK enum err_code pb_get_annotation(struct arena *arena, Google__Protobuf__Any *const *list, size_t n,
	const ProtobufCMessageDescriptor *desc, ProtobufCMessage **ret_msg, struct err *reterr);

/* A moment of the Unix clock, in whole seconds (negative: before 1970). */
Google__Protobuf__Timestamp *pb_timestamp(struct arena *arena, int64_t unix_s)
	__attribute__((returns_nonnull));

/* google.protobuf.Struct: keys stay in the order they were first set; setting one again replaces its
 * value. */
Google__Protobuf__Struct *pb_struct(struct arena *arena) __attribute__((returns_nonnull));
void pb_struct_str(struct arena *arena, Google__Protobuf__Struct *s, struct str key, struct str value);
void pb_struct_num(struct arena *arena, Google__Protobuf__Struct *s, struct str key, double value);
void pb_struct_bool(struct arena *arena, Google__Protobuf__Struct *s, struct str key, bool value);
void pb_struct_struct(
	struct arena *arena, Google__Protobuf__Struct *s, struct str key, Google__Protobuf__Struct *value);
void pb_struct_list(
	struct arena *arena, Google__Protobuf__Struct *s, struct str key, Google__Protobuf__ListValue *value);

/* A list to fill with pb_list_str and to hang in with pb_struct_list. */
Google__Protobuf__ListValue *pb_list(struct arena *arena) __attribute__((returns_nonnull));
void pb_list_str(struct arena *arena, Google__Protobuf__ListValue *list, struct str value);
void pb_list_struct(struct arena *arena, Google__Protobuf__ListValue *list, Google__Protobuf__Struct *value);

/* The value of a key, or NULL. When a key repeats (in a message from outside) the last one counts. */
const Google__Protobuf__Value *pb_struct_get(const Google__Protobuf__Struct *s, struct str key);

#endif
