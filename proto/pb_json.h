/* proto/pb_json.h
 *
 * Messages as protobuf's JSON: lowerCamelCase names, fields without a value left out, enums by name, 64-bit
 * integers as text, bytes as base64, and the special forms of google.protobuf.*
 * (https://protobuf.dev/programming-guides/json/). Fields come in order of their numbers, map keys sorted:
 * equal messages give equal text.
 *
 * An Any is expanded with its "@type". One of a type that is not ours keeps its bytes, as "value" in base64,
 * where other implementations would refuse the whole message.
 *
 * Threads: one thread per arena. */
#ifndef PROTO_PB_JSON_H
#define PROTO_PB_JSON_H

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum pb_json_style {
	PB_JSON_COMPACT,  /* one line without spaces */
	PB_JSON_INDENTED, /* two spaces per level */
};

/* Appends the message to out; nothing follows its last brace. The arena holds what Any messages unpack to.
 * ERR_PROTOCOL: an Any's bytes are not what its type says, or a Timestamp or Duration is out of range.
 * ERR_TOO_LARGE: nested deeper than PB_MAX_DEPTH (counted through Any), or out is full. */
MUST_CHECK enum err_code pb_json(struct arena *arena, const ProtobufCMessage *msg, enum pb_json_style style,
	struct buf *out, struct err *reterr);

#endif
