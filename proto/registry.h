/* proto/registry.h
 *
 * Every message type of the contract by its full name: what an Any's type URL refers to.
 *
 * Threads: any. */
#ifndef PROTO_REGISTRY_H
#define PROTO_REGISTRY_H

#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

#include "base/str.h"

/* "c1.connector.v2.UserTrait". NULL: not a type of ours. */
const ProtobufCMessageDescriptor *pb_registry_find(struct str full_name);

/* By a type URL: what counts is the part behind its last '/'. */
const ProtobufCMessageDescriptor *pb_registry_find_url(struct str type_url);

/* All types, in order of their names: for i from 0 until NULL. */
const ProtobufCMessageDescriptor *pb_registry_at(size_t i);

#endif
